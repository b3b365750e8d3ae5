/* SPDX-License-Identifier: Apache-2.0 */
/* What symbology promises of the vendors' names. */
#include "core/symbology.h"

#include "support/test.h"

#include <string.h>

struct market {
    const char *exchange, *product, *symbol;
    enum oi_kind kind;
    enum oi_settlement settlement;
    const char *base, *quote, *margin; /* base as the exchange writes it */
    const char *expiry;                /* a date, or NULL */
};

static struct oi_instrument
listed(const struct market *market)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    assert_ok(OI_NAME_SET(instrument.exchange, oi_slice_of(market->exchange), NULL));
    assert_ok(OI_NAME_SET(instrument.product, oi_slice_of(market->product), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, oi_slice_of(market->symbol), NULL));
    if (market->base)
        assert_ok(oi_instrument_set_base(&instrument, oi_slice_of(market->base),
                                         strcmp(market->exchange, "hyperliquid") == 0, NULL));
    if (market->quote)
        assert_ok(OI_NAME_SET(instrument.quote, oi_slice_of(market->quote), NULL));
    if (market->margin)
        assert_ok(OI_NAME_SET(instrument.margin, oi_slice_of(market->margin), NULL));
    instrument.kind = market->kind;
    instrument.settlement = market->settlement;
    if (market->expiry) {
        assert_ok(oi_time_parse_utc(oi_slice_of(market->expiry), &instrument.expiry, NULL));
        instrument.expiry += 8 * OI_HOUR;
    }
    return instrument;
}

typedef bool namer(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);

/* NULL: that vendor has no name for it. */
static void
assert_name(namer *give_name, const struct oi_instrument *instrument, const char *expected)
{
    char name[OI_MARKET_NAME_SIZE] = "before";

    assert_int_equal(give_name(instrument, name), expected != NULL);
    assert_string_equal(name, expected ? expected : "");
}

/* Short, so that a row stays a row. */
#define PERP OI_KIND_PERPETUAL
#define DATED OI_KIND_FUTURE
#define OPTION OI_KIND_OPTION
#define LINEAR OI_SETTLEMENT_LINEAR
#define INVERSE OI_SETTLEMENT_INVERSE

/* Atlas' own table, row by row, with its quirks. */
static const struct {
    struct market market;
    const char *exchange, *symbol;
} atlas_rows[] = {
    { { "gate", "usdt", "BTC_USDT", PERP, LINEAR, "BTC", "USDT", "USDT", NULL },
      "gate-perps",
      "perpetual-BTC-USDT:USDT" },
    { { "htx", "futures", "BTC-USDT-260327", DATED, LINEAR, "BTC", "USDT", "USDT", "2026-03-27" },
      "htx-futures",
      "future-BTC-USDT:USDT-20260327" },
    { { "cme", "futures", "BTCH26", DATED, LINEAR, "BTC", "USD", "USD", "2026-03-27" },
      "cme-futures",
      "future-BTC-USD:USD-20260327" },
    { { "binance", "usdm", "BTCUSDT", PERP, LINEAR, "BTC", "USDT", "USDT", NULL },
      "binance-futures",
      "perpetual-BTC-USDT:USDT" },
    { { "binance", "usdm", "BTCUSDT_260327", DATED, LINEAR, "BTC", "USDT", "USDT", "2026-03-27" },
      "binance-futures",
      "future-BTC-USDT:USDT-20260327" },
    { { "binance", "usdm", "BTCUSD1", PERP, LINEAR, "BTC", "USD1", "USD1", NULL },
      "binance-futures",
      "perpetual-BTC-USD1:USD1" },
    { { "binance", "usdm", "1000PEPEUSDT", PERP, LINEAR, "1000PEPE", "USDT", "USDT", NULL },
      "binance-futures",
      "perpetual-1000PEPE-USDT:USDT" },
    { { "binance", "usdm", "1MBABYDOGEUSDT", PERP, LINEAR, "1MBABYDOGE", "USDT", NULL, NULL },
      "binance-futures",
      "perpetual-1MBABYDOGE-USDT:USDT" },
    { { "binance", "coinm", "BTCUSD_PERP", PERP, INVERSE, "BTC", "USD", "BTC", NULL },
      "binance-futures-cm",
      "perpetual-BTC-USD:BTC" },
    { { "binance", "coinm", "BTCUSD_260327", DATED, INVERSE, "BTC", "USD", "BTC", "2026-03-27" },
      "binance-futures-cm",
      "future-BTC-USD:BTC-20260327" },
    { { "okx", "swap", "BTC-USDT-SWAP", PERP, LINEAR, "BTC", "USDT", "USDT", NULL },
      "okx-perps",
      "perpetual-BTC-USDT:USDT" },
    { { "okx", "swap", "BTC-USD-SWAP", PERP, INVERSE, "BTC", "USD", NULL, NULL },
      "okx-perps",
      "perpetual-BTC-USD:BTC" },
    { { "okx", "swap", "BTC-USD_UM-SWAP", PERP, LINEAR, "BTC", "USD_UM", NULL, NULL },
      "okx-perps",
      "perpetual-BTC-USD:USD" },
    { { "okx", "swap", "BTC-USD_UM_XPERP-310404", PERP, LINEAR, "BTC", "USD_UM_XPERP", NULL, NULL },
      "okx-perps",
      "perpetual-BTC-USD:USD" },
    { { "okx", "futures", "BTC-USD-250328", DATED, INVERSE, "BTC", "USD", "BTC", "2025-03-28" },
      "okx-futures",
      "future-BTC-USD:BTC-20250328" },
    { { "hyperliquid", "perp", "BTC", PERP, LINEAR, "BTC", "USDC", "USDC", NULL },
      "hyperliquid-perps",
      "perpetual-BTC-USDC:USDC" },
    { { "hyperliquid", "perp", "kPEPE", PERP, LINEAR, "kPEPE", "USDC", "USDC", NULL },
      "hyperliquid-perps",
      "perpetual-KPEPE-USDC:USDC" },
    { { "hyperliquid", "xyz", "xyz:KSTR", PERP, LINEAR, "KSTR", "USDC", "USDC", NULL },
      "hyperliquid-perps",
      "perpetual-XYZ:KSTR-USDC:USDC" },
    { { "hyperliquid", "flx", "flx:TSLA", PERP, LINEAR, "TSLA", "USDH", "USDH", NULL },
      "hyperliquid-perps",
      "perpetual-FLX:TSLA-USDH:USDH" },
    { { "bybit", "linear", "BTCUSDT", PERP, LINEAR, "BTC", "USDT", "USDT", NULL },
      "bybit-perps",
      "perpetual-BTC-USDT:USDT" },
    { { "bybit", "linear", "SHIB1000USDT", PERP, LINEAR, "SHIB1000", "USDT", "USDT", NULL },
      "bybit-perps",
      "perpetual-SHIB1000-USDT:USDT" },
    { { "bybit", "inverse", "BTCUSD", PERP, INVERSE, "BTC", "USD", "BTC", NULL },
      "bybit-perps",
      "perpetual-BTC-USD:BTC" },
    { { "bybit", "linear", "BTCPERP", PERP, LINEAR, "BTC", "USDC", "USDC", NULL },
      "bybit-perps",
      "perpetual-BTC-USDC:USDC" },
    { { "bybit", "linear", "BTCUSDT-27MAR26", DATED, LINEAR, "BTC", "USDT", "USDT", "2026-03-27" },
      "bybit-futures",
      "future-BTC-USDT:USDT-20260327" },
    { { "bybit", "inverse", "BTCUSDH26", DATED, INVERSE, "BTC", "USD", "BTC", "2026-03-27" },
      "bybit-futures",
      "future-BTC-USD:BTC-20260301" },
    { { "deribit", "inverse", "BTC-PERPETUAL", PERP, INVERSE, "BTC", "USD", "BTC", NULL },
      "deribit",
      "perpetual-BTC-USD:BTC" },
    { { "deribit", "linear", "BTC_USDC-PERPETUAL", PERP, LINEAR, "BTC", "USDC", "USDC", NULL },
      "deribit",
      "perpetual-BTC-USDC:BTC" },
    { { "deribit", "inverse", "BTC-27MAR26", DATED, INVERSE, "BTC", "USD", "BTC", "2026-03-27" },
      "deribit",
      "future-BTC-USD:BTC-20260327" },
    { { "deribit", "option", "BTC-27MAR26-70000-C", OPTION, INVERSE, "BTC", "USD", "BTC",
        "2026-03-27" },
      NULL,
      NULL },
    { { "bitmex", "perpetual", "XBTUSD", PERP, INVERSE, "XBT", "USD", "BTC", NULL },
      "bitmex",
      "perpetual-BTC-USD:BTC" },
    { { "kraken", "futures", "PF_XBTUSD", PERP, LINEAR, "XBT", "USD", "USD", NULL }, NULL, NULL },
};

static void
names_markets_as_atlas_does(void **)
{
    for (size_t i = 0; i < OI_COUNT(atlas_rows); i++) {
        struct oi_instrument instrument = listed(&atlas_rows[i].market);

        assert_name(oi_atlas_exchange, &instrument, atlas_rows[i].exchange);
        assert_name(oi_atlas_symbol, &instrument, atlas_rows[i].symbol);
        assert_true(!atlas_rows[i].exchange ||
                    oi_atlas_exchange_is_known(oi_slice_of(atlas_rows[i].exchange)));
    }
}

static void
has_no_atlas_name_where_facts_are_missing(void **)
{
    const struct market undated = { "bybit", "linear", "BTCUSDT-27MAR26",
                                    DATED,   LINEAR,   "BTC",
                                    "USDT",  NULL,     NULL };
    const struct market bare = {
        "binance", "usdm", "BTCUSDT", PERP, LINEAR, NULL, NULL, NULL, NULL
    };
    struct oi_instrument instrument = listed(&undated);

    assert_name(oi_atlas_symbol, &instrument, NULL);
    instrument = listed(&bare);
    assert_name(oi_atlas_symbol, &instrument, NULL);
    assert_name(oi_kiyotaka_normalized, &instrument, NULL);
    assert_name(oi_native_name, &instrument, "binance:usdm:BTCUSDT");
}

static void
names_markets_as_coin_metrics_does(void **)
{
    static const struct {
        struct market market;
        const char *exchange, *id;
    } rows[] = {
        { { "binance", "usdm", "BTCUSDT", PERP, LINEAR, "BTC", "USDT", NULL, NULL },
          "binance",
          "binance-BTCUSDT-future" },
        { { "cme", "futures", "BTCZ26", DATED, LINEAR, "BTC", "USD", NULL, NULL },
          "cme",
          "cme-BTCZ6-future" },
        { { "binance", "option", "BNB-240306-370-C", OPTION, LINEAR, "BNB", "USDT", NULL, NULL },
          "binance",
          "binance-BNB-240306-370-C-option" },
        { { "okx", "swap", "BTC-USD-SWAP", PERP, INVERSE, "BTC", "USD", NULL, NULL },
          "okex",
          "okex-BTC-USD-SWAP-future" },
        { { "okx", "option", "BTC-USD-260828-90000-C", OPTION, INVERSE, "BTC", "USD", NULL, NULL },
          "okex",
          "okex-BTC-USD-260828-90000-C-option" },
        { { "kraken", "futures", "PF_XBTUSD", PERP, LINEAR, "XBT", "USD", NULL, NULL },
          "kraken",
          "kraken-PF_XBTUSD-future" },
        { { "cryptocom", "futures", "BTCUSD-PERP", PERP, LINEAR, "BTC", "USD", NULL, NULL },
          "crypto.com",
          "crypto.com-BTCUSD-PERP-future" },
        { { "kalshi", "event", "KXBTC-26MAR31-80000", OI_KIND_EVENT, 0, "BTC", "USD", NULL, NULL },
          NULL,
          NULL },
        /* Provisional: nothing but its key. */
        { { "newcomer", "futures", "XYZ", 0, 0, NULL, NULL, NULL, NULL },
          "newcomer",
          "newcomer-XYZ-future" },
    };

    for (size_t i = 0; i < OI_COUNT(rows); i++) {
        struct oi_instrument instrument = listed(&rows[i].market);

        assert_name(oi_coinmetrics_exchange, &instrument, rows[i].exchange);
        assert_name(oi_coinmetrics_market, &instrument, rows[i].id);
    }
}

static void
finds_exchange_product_and_symbol_in_a_market_id(void **)
{
    static const struct {
        const char *market, *exchange, *product, *symbol;
    } rows[] = {
        { "binance-BTCUSDT-future", "binance", "usdm", "BTCUSDT" },
        { "binance-BTCUSDT_260327-future", "binance", "usdm", "BTCUSDT_260327" },
        { "binance-BTCUSD_PERP-future", "binance", "coinm", "BTCUSD_PERP" },
        { "binance-1000SHIBUSDT-future", "binance", "usdm", "1000SHIBUSDT" },
        { "binance-BNB-240306-370-C-option", "binance", "option", "BNB-240306-370-C" },
        { "bitmex-XBTUSD-future", "bitmex", "perpetual", "XBTUSD" },
        { "bitmex-XBTM26-future", "bitmex", "futures", "XBTM26" },
        { "bybit-BTCUSD-future", "bybit", "inverse", "BTCUSD" },
        { "bybit-BTCUSDH26-future", "bybit", "inverse", "BTCUSDH26" },
        { "bybit-BTCUSDT-future", "bybit", "linear", "BTCUSDT" },
        { "bybit-BTCPERP-future", "bybit", "linear", "BTCPERP" },
        { "bybit-BTC-27MAR26-future", "bybit", "linear", "BTC-27MAR26" },
        { "cme-BTCM5-BTCN5-future", "cme", "futures", "BTCM5-BTCN5" },
        { "coinbase_international-BTC-PERP-future", "coinbase_intl", "perpetual", "BTC-PERP" },
        { "crypto.com-BTCUSD-PERP-future", "cryptocom", "perpetual", "BTCUSD-PERP" },
        { "crypto.com-BTCUSD-261225-future", "cryptocom", "futures", "BTCUSD-261225" },
        { "dydx-BTC-USD-future", "dydx", "perpetual", "BTC-USD" },
        { "kucoin-XBTUSDTM-future", "kucoin", "linear", "XBTUSDTM" },
        { "kucoin-XBTMZ26-future", "kucoin", "inverse", "XBTMZ26" },
        { "mexc-BTC_USD-future", "mexc", "inverse", "BTC_USD" },
        { "deribit-BTC-31JUL26-70000-C-option", "deribit", "option", "BTC-31JUL26-70000-C" },
        { "deribit-XRP_USDC-PERPETUAL-future", "deribit", "linear", "XRP_USDC-PERPETUAL" },
        { "deribit-BTC-PERPETUAL-future", "deribit", "inverse", "BTC-PERPETUAL" },
        { "kraken-PF_XBTUSD-future", "kraken_futures", "linear", "PF_XBTUSD" },
        { "kraken-FI_XBTUSD_261225-future", "kraken_futures", "inverse", "FI_XBTUSD_261225" },
        { "gate.io-BTC_USDT-future", "gate", "usdt", "BTC_USDT" },
        { "gate.io-BTC_USD-future", "gate", "btc", "BTC_USD" },
        { "gate.io-BTC_USDT_20261225-future", "gate", "delivery", "BTC_USDT_20261225" },
        { "bitget-BTCUSDT-future", "bitget", "usdt_futures", "BTCUSDT" },
        { "bitget-BTCPERP-future", "bitget", "usdc_futures", "BTCPERP" },
        { "bitget-BTCUSDZ26-future", "bitget", "coin_futures", "BTCUSDZ26" },
        { "bitfinex-BTCF0:USTF0-future", "bitfinex", "perpetual", "BTCF0:USTF0" },
        { "okex-BTC-USD-SWAP-future", "okx", "swap", "BTC-USD-SWAP" },
        { "okex-BTC-USD-260828-future", "okx", "futures", "BTC-USD-260828" },
        { "okex-BTC-USD-260828-90000-C-option", "okx", "option", "BTC-USD-260828-90000-C" },
        { "hyperliquid-kPEPE-future", "hyperliquid", "perp", "kPEPE" },
        { "hyperliquid-xyz:KSTR-future", "hyperliquid", "hip3", "xyz:KSTR" },
        { "huobi-BTC-USD-future", "htx", "coin_swap", "BTC-USD" },
        { "huobi-BTC-USDT-261225-future", "htx", "linear", "BTC-USDT-261225" },
        { "huobi-BTC261225-future", "htx", "coin_futures", "BTC261225" },
    };

    for (size_t i = 0; i < OI_COUNT(rows); i++) {
        struct oi_instrument instrument;

        assert_ok(oi_coinmetrics_market_parse(oi_slice_of(rows[i].market), &instrument, NULL));
        assert_string_equal(instrument.exchange, rows[i].exchange);
        assert_string_equal(instrument.product, rows[i].product);
        assert_string_equal(instrument.symbol, rows[i].symbol);
        assert_true(instrument.is_provisional);
        assert_name(oi_coinmetrics_market, &instrument, rows[i].market);
    }
}

static void
refuses_what_is_no_market_id(void **)
{
    static const char *const bad[] = { "",
                                       "-",
                                       "-future",
                                       "binance-future",
                                       "binance--future",
                                       "-BTC-future",
                                       "binance-BTC-USDT-spot",
                                       "binance-BTCUSDT",
                                       "Binance-BTCUSDT-future",
                                       "binance-\x01-future" };

    for (size_t i = 0; i < OI_COUNT(bad); i++) {
        struct oi_instrument instrument = { .id = 7 };

        assert_status(oi_coinmetrics_market_parse(oi_slice_of(bad[i]), &instrument, NULL),
                      OI_E_INVALID);
        assert_int_equal(instrument.id, 7);
    }
}

static void
names_markets_as_kiyotaka_does(void **)
{
    static const struct {
        struct market market;
        const char *exchange, *normalized, *category;
    } rows[] = {
        { { "binance", "usdm", "BTCUSDT", PERP, LINEAR, "BTC", "USDT", NULL, NULL },
          "BINANCE_FUTURES",
          "BTC-USDT",
          "PERPETUAL" },
        { { "binance", "coinm", "BTCUSD_260327", DATED, INVERSE, "BTC", "USD", NULL, "2026-03-27" },
          "BINANCE_DELIVERY",
          "BTC-USD",
          "FUTURE" },
        { { "okx", "swap", "BTC-USDT-SWAP", PERP, LINEAR, "BTC", "USDT", NULL, NULL },
          "OKEX_SWAP",
          "BTC-USDT",
          "PERPETUAL" },
        { { "okx", "futures", "BTC-USD-250328", DATED, INVERSE, "BTC", "USD", NULL, "2025-03-28" },
          "OKEX_FUTURES",
          "BTC-USD",
          "FUTURE" },
        { { "bybit", "option", "BTC-27MAR26-70000-P", OPTION, LINEAR, "BTC", "USDC", NULL, NULL },
          "BYBIT",
          "BTC-USDC",
          "OPTION" },
        { { "hyperliquid", "perp", "kPEPE", PERP, LINEAR, "kPEPE", "USDC", NULL, NULL },
          "HYPERLIQUID_FUTURES",
          "PEPE-USDC",
          "PERPETUAL" },
        { { "hyperliquid", "xyz", "xyz:KSTR", PERP, LINEAR, "KSTR", "USDC", NULL, NULL },
          "HYPERLIQUID_HIP3",
          "KSTR-USDC",
          "PERPETUAL" },
        { { "htx", "any", "BTC-USDT", PERP, LINEAR, "BTC", "USDT", NULL, NULL },
          "HUOBI_DM_LINEAR_SWAP",
          "BTC-USDT",
          "PERPETUAL" },
        { { "htx", "any", "BTC-USD", PERP, INVERSE, "BTC", "USD", NULL, NULL },
          "HUOBI_DM_SWAP",
          "BTC-USD",
          "PERPETUAL" },
        { { "htx", "any", "BTC260327", DATED, INVERSE, "BTC", "USD", NULL, NULL },
          "HUOBI_DM",
          "BTC-USD",
          "FUTURE" },
        { { "gate", "usdt", "BTC_USDT", PERP, LINEAR, "BTC", "USDT", NULL, NULL },
          "GATE_IO_FUTURES",
          "BTC-USDT",
          "PERPETUAL" },
        { { "kalshi", "event", "KXBTC-26MAR31-80000", OI_KIND_EVENT, 0, "BTC", "USD", NULL, NULL },
          NULL,
          "BTC-USD",
          NULL },
    };

    for (size_t i = 0; i < OI_COUNT(rows); i++) {
        struct oi_instrument instrument = listed(&rows[i].market);

        assert_name(oi_kiyotaka_exchange, &instrument, rows[i].exchange);
        assert_name(oi_kiyotaka_normalized, &instrument, rows[i].normalized);
        assert_name(oi_kiyotaka_category, &instrument, rows[i].category);
    }
}

static void
knows_what_kwery_carries_and_its_main_perpetuals(void **)
{
    static const struct {
        struct market market;
        const char *source;
        bool is_main;
    } rows[] = {
        { { "binance", "usdm", "BTCUSDT", PERP, LINEAR, "BTC", "USDT", NULL, NULL },
          "binance_futures",
          true },
        { { "binance", "usdm", "BTCUSDC", PERP, LINEAR, "BTC", "USDC", NULL, NULL },
          "binance_futures",
          false },
        { { "binance", "usdm", "BTCUSDT_260327", DATED, LINEAR, "BTC", "USDT", NULL, NULL },
          "binance_futures",
          false },
        { { "binance", "coinm", "BTCUSD_PERP", PERP, INVERSE, "BTC", "USD", NULL, NULL },
          NULL,
          false },
        { { "hyperliquid", "perp", "BTC", PERP, LINEAR, "BTC", "USDC", NULL, NULL },
          "hyperliquid",
          true },
        { { "hyperliquid", "xyz", "xyz:BTC", PERP, LINEAR, "BTC", "USDC", NULL, NULL },
          NULL,
          false },
        { { "kalshi", "event", "KXBTC-26MAR31-80000", OI_KIND_EVENT, 0, "BTC", "USD", NULL, NULL },
          "kalshi",
          false },
        { { "bybit", "linear", "BTCUSDT", PERP, LINEAR, "BTC", "USDT", NULL, NULL }, NULL, false },
    };

    for (size_t i = 0; i < OI_COUNT(rows); i++) {
        struct oi_instrument instrument = listed(&rows[i].market);

        assert_name(oi_kwery_source, &instrument, rows[i].source);
        assert_int_equal(oi_kwery_is_main(&instrument), rows[i].is_main);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_markets_as_atlas_does),
        cmocka_unit_test(has_no_atlas_name_where_facts_are_missing),
        cmocka_unit_test(names_markets_as_coin_metrics_does),
        cmocka_unit_test(finds_exchange_product_and_symbol_in_a_market_id),
        cmocka_unit_test(refuses_what_is_no_market_id),
        cmocka_unit_test(names_markets_as_kiyotaka_does),
        cmocka_unit_test(knows_what_kwery_carries_and_its_main_perpetuals),
    };

    return cmocka_run_group_tests_name("core/symbology", tests, NULL, NULL);
}
