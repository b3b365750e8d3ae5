/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every route of the vendors' dialects with every parameter it takes: a value that is right, one of
 * a wrong kind, one out of range. What the tests share that ask everything wrong in every way.
 */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct test_parameter {
    const char *name;
    const char *good;
    const char *wrong;  /* refused; NULL: any text will do */
    const char *beyond; /* refused; NULL: there is no range, or it is cut to it */
    bool is_required;
    bool is_repeatable;
};

struct test_route {
    const char *dialect;
    const char *path;                        /* with its mount, nothing to capture */
    const char *base;                        /* enough to be answered */
    const struct test_parameter *parameters; /* up to one without a name */
    bool is_loose;                           /* its parameters are not told apart here */
};

#define TEST_SPAN                                                                                  \
    { "start_time", "2026-06-08", "soon", "2026-13-01", false, false },                            \
        { "end_time", "2026-06-09T01:00:00", "1780974169", "2026-06-09T25:00:00", false, false },  \
        { "start_inclusive", "false", "maybe", NULL, false, false },                               \
        { "end_inclusive", "true", "2", NULL, false, false },                                      \
    {                                                                                              \
        "timezone", "UTC", "Mars/Olympus", NULL, false, false                                      \
    }
#define TEST_FORM                                                                                  \
    { "page_size", "2", "ten", "10001", false, false },                                            \
        { "paging_from", "start", "middle", NULL, false, false },                                  \
    {                                                                                              \
        "pretty", "true", "yes", NULL, false, false                                                \
    }
#define TEST_KEY                                                                                   \
    {                                                                                              \
        "api_key", "k", NULL, NULL, false, false                                                   \
    }
#define TEST_ROW_TOKEN                                                                             \
    {                                                                                              \
        "next_page_token", "0.MjAyNi0wNi0wOVQwMDowMDowMC4wMDAwMDAwMDBa", "0.!", "-1.MjAyNi0wNi0w", \
            false, false                                                                           \
    }
#define TEST_FILTERS                                                                               \
    { "markets", "binance-*,bybit-BTCUSDT-future", "binance-btc-usdt-spot", NULL, false, false },  \
        { "exchange", "binance", NULL, NULL, false, false },                                       \
        { "type", "future", "swap", NULL, false, false },                                          \
        { "base", "btc", NULL, NULL, false, false },                                               \
        { "quote", "usdt", NULL, NULL, false, false },                                             \
        { "asset", "btc", NULL, NULL, false, false },                                              \
    {                                                                                              \
        "symbol", "BTCUSDT", NULL, NULL, false, false                                              \
    }

static const struct test_parameter test_coinmetrics_rows[] = {
    TEST_KEY,
    { "markets", "binance-BTC*,deribit-*-option", "binance-btc-usdt-spot", ",", true, false },
    TEST_SPAN,
    { "granularity", "1h", "2h", NULL, false, false },
    TEST_FORM,
    { "limit_per_market", "3", "x", "2147483648", false, false },
    { "format", "csv", "xml", NULL, false, false },
    TEST_ROW_TOKEN,
    {},
};
static const struct test_parameter test_coinmetrics_catalog[] = {
    TEST_KEY,
    TEST_FILTERS,
    TEST_SPAN,
    TEST_FORM,
    { "format", "json_stream", "csv", NULL, false, false },
    TEST_ROW_TOKEN,
    {},
};
static const struct test_parameter test_coinmetrics_old_catalog[] = {
    TEST_KEY,
    TEST_FILTERS,
    { "limit", "none", "many", "101", false, false },
    {},
};
static const struct test_parameter test_coinmetrics_old_markets[] = {
    TEST_KEY,
    TEST_FILTERS,
    { "limit", "1", "-", "0", false, false },
    { "include", "openinterest,trades", "candles", NULL, false, false },
    { "exclude", "quotes", "candles", NULL, false, false },
    {},
};
#define TEST_METRICS(entities, entity, limit)                                                      \
    TEST_KEY, { entities, entity, ",", NULL, true, false },                                        \
        { "metrics", "open_interest_reported_future_usd", "AdrActCnt", NULL, true, false },        \
        { "frequency", "1h", "7h", "1m", false, false }, TEST_SPAN, TEST_FORM,                     \
        { "sort", "time", "size", NULL, false, false }, { limit, "2", "x", "0", false, false },    \
        { "ignore_unsupported_errors", "true", "maybe", NULL, false, false },                      \
        { "ignore_forbidden_errors", "true", NULL, NULL, false, false },                           \
        { "null_as_zero", "true", "maybe", NULL, false, false },                                   \
        { "status", "all", NULL, NULL, false, false },                                             \
        { "format", "csv", "parquet", NULL, false, false }, TEST_ROW_TOKEN,                        \
    {                                                                                              \
    }
static const struct test_parameter test_asset_metrics[] = { TEST_METRICS("assets", "btc,u*",
                                                                         "limit_per_asset") };
static const struct test_parameter test_exchange_metrics[] = { TEST_METRICS("exchanges", "binance",
                                                                            "limit_per_exchange") };
static const struct test_parameter test_exchange_asset_metrics[] = { TEST_METRICS(
    "exchange_assets", "binance-btc,*-usdt", "limit_per_exchange_asset") };
static const struct test_parameter test_exchange_pair_metrics[] = { TEST_METRICS(
    "exchange_pairs", "*", "limit_per_exchange_pair") };
static const struct test_parameter test_pair_metrics[] = { TEST_METRICS("pairs", "btc-*",
                                                                        "limit_per_pair") };
static const struct test_parameter test_metric_catalog[] = {
    TEST_KEY,
    { "assets", "btc", ",", NULL, false, false },
    { "metrics", "open_interest_reported_option_notional_usd", "PriceUSD", NULL, false, false },
    { "reviewable", "true", NULL, NULL, false, false },
    TEST_FORM,
    { "format", "json_stream", "csv", NULL, false, false },
    TEST_ROW_TOKEN,
    {},
};
static const struct test_parameter test_market_metric_catalog[] = {
    TEST_KEY,
    { "exchange", "binance", NULL, NULL, false, false },
    { "type", "option", "swap", NULL, false, false },
    { "base", "btc", NULL, NULL, false, false },
    { "quote", "usdt", NULL, NULL, false, false },
    { "asset", "usdt", NULL, NULL, false, false },
    { "symbol", "BTCUSDT", NULL, NULL, false, false },
    TEST_FORM,
    TEST_ROW_TOKEN,
    {},
};
static const struct test_parameter test_reference[] = {
    TEST_KEY,
    TEST_FILTERS,
    { "asset_class", "digital", NULL, NULL, false, false },
    { "source_type", "exchange", NULL, NULL, false, false },
    { "cusip", "1", NULL, NULL, false, false },
    { "figi", "1", NULL, NULL, false, false },
    { "isin", "1", NULL, NULL, false, false },
    { "include", "talos", NULL, NULL, false, false },
    TEST_FORM,
    { "format", "json_stream", "csv", NULL, false, false },
    { "next_page_token", "YmluYW5jZS1CVENVU0RULWZ1dHVyZQ", "!", "AA", false, false },
    {},
};
static const struct test_parameter test_reference_names[] = {
    TEST_KEY,
    TEST_FORM,
    { "format", "json_stream", "csv", NULL, false, false },
    { "next_page_token", "YnRj", "?", "AA", false, false },
    {},
};

#define TEST_ATLAS                                                                                 \
    { "exchange", "binance-futures", "mtgox", NULL, true, false },                                 \
    {                                                                                              \
        "symbol", "perpetual-BTC-USDT:USDT", NULL, NULL, true, false                               \
    }
#define TEST_DATES                                                                                 \
    { "start_date", "2026-06-08", "yesterday", "2026-06-31", true, false },                        \
    {                                                                                              \
        "end_date", "2026-06-09", "20260609", "2026-01-01", true, false                            \
    }
static const struct test_parameter test_aperiodic_data[] = {
    { "timestamp", "true", "local", NULL, true, false },
    { "interval", "5m", "1s", "2m", true, false },
    TEST_ATLAS,
    TEST_DATES,
    {},
};
static const struct test_parameter test_aperiodic_raw[] = { TEST_ATLAS, TEST_DATES, {} };
static const struct test_parameter test_aperiodic_preview[] = {
    { "timestamp", "exchange", "local", NULL, true, false },
    { "interval", "5m", "1h", NULL, true, false },
    { "exchange", "binance-futures", "okx-perps", NULL, true, false },
    { "symbol", "perpetual-BTC-USDT:USDT", "perpetual-ETH-USDT:USDT", NULL, true, false },
    TEST_DATES,
    {},
};
static const struct test_parameter test_aperiodic_raw_preview[] = {
    { "exchange", "binance-futures", "okx-perps", NULL, true, false },
    { "symbol", "perpetual-BTC-USDT:USDT", "perpetual-ETH-USDT:USDT", NULL, true, false },
    {},
};
static const struct test_parameter test_aperiodic_symbols[] = {
    { "exchange", "gate-perps", "gate", NULL, true, false },
    {},
};

static const struct test_parameter test_kiyotaka_points[] = {
    { "type", "OPEN_INTEREST_AGG", "TRADE_AGG", NULL, true, true },
    { "exchange", "BINANCE_FUTURES", "binance", "FTX", false, true },
    { "rawSymbol", "BTCUSDT", NULL, NULL, true, true },
    { "category", "PERPETUAL", "SWAP", NULL, false, true },
    { "interval", "HOUR", "1h", "UNKNOWN", true, false },
    { "from", "1780963200", "yesterday", "-1", false, false },
    { "period", "3600", "long", "99999999999999999999", false, false },
    { "sortDirection", "SORT_DIRECTION_DESC", "down", NULL, false, false },
    { "transform.normalize.quote", "USD", "EUR", NULL, false, false },
    { "transform.groupBy.type", NULL, "GROUP_BY_TYPE_MEAN", "GROUP_BY_TYPE_SUM", false, false },
    { "gapfill", "false", "true", NULL, false, false },
    { "side", "BUY", NULL, NULL, false, true },
    {},
};
static const struct test_parameter test_kiyotaka_sum[] = {
    { "coin", "BTC", NULL, NULL, true, true },
    { "transform.groupBy.type", "GROUP_BY_TYPE_SUM", "SUM", NULL, false, false },
    {},
};
static const struct test_parameter test_kiyotaka_list[] = {
    { "type", "OPEN_INTEREST_AGG", "TRADE_AGG", NULL, false, true },
    { "type[]", "OPEN_INTEREST_AGG", "TRADE_AGG", NULL, false, true },
    { "exchange", "BYBIT", "bybit", NULL, false, true },
    { "exchange[]", "BYBIT", "bybit", NULL, false, true },
    { "category", "OPTION", "SWAP", NULL, false, true },
    { "category[]", "OPTION", "SWAP", NULL, false, true },
    { "coin", "BTC", NULL, NULL, false, true },
    { "coin[]", "BTC", NULL, NULL, false, true },
    { "rawSymbol", "BTCUSDT", NULL, NULL, false, true },
    { "rawSymbol[]", "BTCUSDT", NULL, NULL, false, true },
    { "normalizedSymbol", "BTC-USDT", NULL, NULL, false, true },
    { "normalizedSymbol[]", "BTC-USDT", NULL, NULL, false, true },
    { "from", "1780963200", "x", "-1", false, false },
    { "to", "1780974000", "x", "-1", false, false },
    { "pageSize", "1", "x", "0", false, false },
    { "pageToken", "0", "x", "-1", false, false },
    {},
};

static const struct test_parameter test_kwery_rows[] = {
    { "api-key", "kwery_test_1", NULL, NULL, false, false },
    { "api_key", "kwery_test_1", NULL, NULL, false, false },
    { "symbol", "BTC", "a b", "bi/tcoin", true, false },
    { "source", "binance_futures", "binance", NULL, false, false },
    { "interval", "1h", "2h", NULL, false, false },
    { "start", "2026-06-08T00:00:00Z", "soon", "2026-06-08T99:00:00Z", false, false },
    { "end", "2026-06-09T02:00:00Z", "late", NULL, false, false },
    { "limit", "5", "x", "0", false, false },
    { "after", "MTc4MDk2MzIwMDAwMDAwMDAwMC8w", "eyJvZmZzZXQiOiAxfQ==", "!", false, false },
    { "cursor", "MTc4MDk2MzIwMDAwMDAwMDAwMC8w", "eyJvZmZzZXQiOiAxfQ==", "!", false, false },
    {},
};
static const struct test_parameter test_kwery_hyperliquid[] = {
    { "symbol", "BTC", "a b", NULL, true, false },
    { "source", "hyperliquid", "binance_futures", NULL, false, false },
    { "interval", "24h", "1m", NULL, false, false },
    {},
};
static const struct test_parameter test_kwery_list[] = {
    { "api-key", "kwery_test_1", NULL, NULL, false, false },
    { "limit", "5", "x", NULL, false, false },
    {},
};

static const struct test_parameter test_kwery_market[] = {
    { "api-key", "kwery_test_1", NULL, NULL, false, false },
    { "api_key", "kwery_test_1", NULL, NULL, false, false },
    {},
};

static const struct test_parameter test_oanor_oi[] = {
    { "symbol", "BTCUSDT", NULL, NULL, true, false },
    { "period", "4h", "2h", NULL, false, false },
    { "lookback", "3", "x", NULL, false, false },
    {},
};
static const struct test_parameter test_oanor_base[] = {
    { "base", "eth", NULL, NULL, true, false },
    { "period", "1d", "1h ", NULL, false, false },
    { "limit", "3", "3.5", NULL, false, false },
    {},
};
static const struct test_parameter test_oanor_symbols[] = {
    { "q", "PEPE", NULL, NULL, false, false },
    { "limit", "3", "+3", NULL, false, false },
    {},
};
static const struct test_parameter test_nothing[] = { {} };

static const struct test_parameter test_native_any[] = {
    { "market", "binance:usdm:BTCUSDT", "x", NULL, false, true },
    { "exchange", "bybit", NULL, NULL, false, true },
    { "coin", "BTC", NULL, NULL, false, false },
    { "kind", "perpetual", "swap", NULL, false, true },
    { "start", "2026-06-08", "soon", NULL, false, false },
    { "end", "2026-06-09", "late", NULL, false, false },
    { "limit", "7", "x", "0", false, false },
    { "unit", "usd", "eur", NULL, false, false },
    { "convention", "as_reported", "x", NULL, false, false },
    { "interval", "1h", "x", NULL, false, false },
    { "total", "true", "x", NULL, false, false },
    { "format", "csv", "x", NULL, false, false },
    { "after", "0", "x", NULL, false, false },
    { "as_of", "2026-06-09", "x", NULL, false, false },
    {},
};

#define TEST_METRIC "&metrics=open_interest_reported_future_usd&frequency=1h"
#define TEST_MONTH "&start_date=2026-06-01&end_date=2026-06-09"
#define TEST_PERPETUAL "exchange=binance-futures&symbol=perpetual-BTC-USDT:USDT"
#define TEST_POINTS "type=OPEN_INTEREST_AGG&interval=HOUR&period=7200&from=1780963200"

static const struct test_route test_routes[] = {
    { "coinmetrics", "/v4/timeseries/market-openinterest", "markets=binance-BTCUSDT-future",
      test_coinmetrics_rows, false },
    { "coinmetrics", "/coinmetrics/v4/timeseries/market-openinterest", "markets=*",
      test_coinmetrics_rows, false },
    { "coinmetrics", "/v4/catalog-v2/market-openinterest", "", test_coinmetrics_catalog, false },
    { "coinmetrics", "/v4/catalog-all-v2/market-openinterest", "", test_coinmetrics_catalog,
      false },
    { "coinmetrics", "/v4/catalog/market-openinterest", "", test_coinmetrics_old_catalog, false },
    { "coinmetrics", "/v4/catalog-all/markets", "", test_coinmetrics_old_markets, false },
    { "coinmetrics", "/v4/timeseries/asset-metrics", "assets=btc" TEST_METRIC, test_asset_metrics,
      false },
    { "coinmetrics", "/v4/timeseries/exchange-metrics", "exchanges=*" TEST_METRIC,
      test_exchange_metrics, false },
    { "coinmetrics", "/v4/timeseries/exchange-asset-metrics",
      "exchange_assets=binance-btc" TEST_METRIC, test_exchange_asset_metrics, false },
    { "coinmetrics", "/v4/timeseries/exchange-pair-metrics", "exchange_pairs=*" TEST_METRIC,
      test_exchange_pair_metrics, false },
    { "coinmetrics", "/v4/timeseries/pair-metrics", "pairs=btc-usdt" TEST_METRIC, test_pair_metrics,
      false },
    { "coinmetrics", "/v4/catalog-v2/asset-metrics", "", test_metric_catalog, false },
    { "coinmetrics", "/v4/catalog-all-v2/market-metrics", "", test_market_metric_catalog, false },
    { "coinmetrics", "/v4/reference-data/markets", "", test_reference, false },
    { "coinmetrics", "/v4/reference-data/assets", "", test_reference_names, false },
    { "coinmetrics", "/v4/reference-data/pairs", "", test_reference_names, false },
    { "coinmetrics", "/v4/reference-data/market-metrics", "", test_reference_names, false },
    { "coinmetrics", "/v4/openapi.json", "", test_nothing, false },
    { "aperiodic", "/api/v1/data/open_interest",
      "timestamp=exchange&interval=1h&" TEST_PERPETUAL TEST_MONTH, test_aperiodic_data, false },
    { "aperiodic", "/api/v1/data/preview/open_interest",
      "timestamp=exchange&interval=5m&" TEST_PERPETUAL TEST_MONTH, test_aperiodic_preview, false },
    { "aperiodic", "/aperiodic/api/v1/data/raw/open_interest", TEST_PERPETUAL TEST_MONTH,
      test_aperiodic_raw, false },
    { "aperiodic", "/api/v1/data/raw/preview/open_interest", TEST_PERPETUAL,
      test_aperiodic_raw_preview, false },
    { "aperiodic", "/api/v1/metadata/symbols", "exchange=binance-futures", test_aperiodic_symbols,
      false },
    { "aperiodic", "/api/v1/metadata/catalog", "", test_nothing, false },
    { "kiyotaka", "/v1/points", TEST_POINTS "&rawSymbol=BTCUSDT", test_kiyotaka_points, false },
    { "kiyotaka", "/kiyotaka/v1/points", TEST_POINTS "&coin=BTC&exchange=BYBIT", test_kiyotaka_sum,
      false },
    { "kiyotaka", "/kiyotaka/v1/symbols", "", test_kiyotaka_list, false },
    { "kiyotaka", "/v1/markets", "", test_kiyotaka_list, false },
    { "kiyotaka", "/v1/usage", "", test_nothing, false },
    { "kwery", "/v1/open-interest", "symbol=BTC", test_kwery_rows, false },
    { "kwery", "/kwery/v1/hyperliquid/open-interest", "symbol=BTC", test_kwery_hyperliquid, false },
    { "kwery", "/v1/status", "", test_kwery_list, false },
    { "kwery", "/v1/sources", "", test_kwery_list, false },
    { "kwery", "/kwery/v1/symbols", "", test_kwery_list, false },
    { "kwery", "/v1/limits", "", test_kwery_list, false },
    { "kwery", "/v1/markets/BTCUSDT", "", test_kwery_market, false },
    { "oanor", "/openinterest-api/v1/oi", "symbol=BTCUSDT", test_oanor_oi, false },
    { "oanor", "/oanor/openinterest-api/v1/history", "base=BTC", test_oanor_base, false },
    { "oanor", "/openinterest-api/v1/symbols", "", test_oanor_symbols, false },
    { "oanor", "/openinterest-api/v1/meta", "", test_nothing, false },
    { "oanor", "/openinterest-api/openapi.json", "", test_nothing, false },
    { "native", "/oi/v1/open-interest", "market=binance:usdm:BTCUSDT", test_native_any, true },
    { "native", "/oi/v1/latest", "", test_native_any, true },
    { "native", "/oi/v1/markets", "", test_native_any, true },
};
