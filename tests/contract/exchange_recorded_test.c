/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that real exchanges gave, from 2020 on: each is read whole, without a skip, and yields
 * what it holds. The recordings are read in place where they are there; the table says which
 * endpoint each one answered.
 */
#include "exchanges/exchange.h"

#include "base/compiler.h"

#include <stdio.h>

#include "support/test.h"
#include "support/test_data.h"
#include "support/test_exchange.h"

struct recording {
    const char *exchange, *file;
    enum oi_task_kind kind;
    const char *product, *symbol;
    size_t yields; /* rows or instruments */
    enum oi_status status;
};

static const struct recording recordings[] = {
    { "binance", "cmp_open_interest_linear_swap.json", OI_TASK_CURRENT, "usdm", "BTCUSDT", 1,
      OI_OK },
    { "binance", "fapi_GetOpenInterest_doc.json", OI_TASK_CURRENT, "usdm", "BTCUSDT", 1, OI_OK },
    { "binance", "fapi_openInterest_doc.json", OI_TASK_CURRENT, "usdm", "BTCUSDT", 1, OI_OK },
    { "binance", "fapi_v1_openInterest_BTCUSDT.json", OI_TASK_CURRENT, "usdm", "BTCUSDT", 1,
      OI_OK },
    { "binance", "cmp_open_interest_inverse_swap.json", OI_TASK_CURRENT, "coinm", "BTCUSD_PERP", 1,
      OI_OK },
    { "binance", "dapi_GetOpenInterest_doc.json", OI_TASK_CURRENT, "coinm", "BTCUSD_200626", 1,
      OI_OK },
    { "binance", "dapi_v1_openInterest_doc.json", OI_TASK_CURRENT, "coinm", "BTCUSD_200626", 1,
      OI_OK },
    { "binance", "dapi_v1_exchangeInfo_2021.json", OI_TASK_INSTRUMENTS, "coinm", NULL, 36, OI_OK },
    { "binance", "fapi_GetExchangeInfo_doc.json", OI_TASK_INSTRUMENTS, "usdm", NULL, 1, OI_OK },
    { "binance", "fapi_v1_exchangeInfo_2025.json", OI_TASK_INSTRUMENTS, "usdm", NULL, 25, OI_OK },
    { "binance", "dapi_v1_premiumIndex_pair_BTCUSD.json", OI_TASK_PRICES, "coinm", NULL, 4, OI_OK },
    { "binance", "fapi_v1_premiumIndex_all.json", OI_TASK_PRICES, "usdm", NULL, 5, OI_OK },
    { "binance", "fapi_premiumIndex_doc.json", OI_TASK_PRICES, "usdm", NULL, 1, OI_OK },
    { "binance", "fapi_GetOpenInterestHistory_doc.json", OI_TASK_HISTORY, "usdm", "BTCUSDT", 2,
      OI_OK },
    { "binance", "futures_data_openInterestHist_BTCUSDT_5m.json", OI_TASK_HISTORY, "usdm",
      "BTCUSDT", 1, OI_OK },
    { "binance", "futures_data_openInterestHist_doc.json", OI_TASK_HISTORY, "usdm", "BTCUSDT", 2,
      OI_OK },
    { "binance", "futures_data_openInterestHist_coinm_BTCUSD_CURRENT_QUARTER_5m.json",
      OI_TASK_HISTORY, "coinm", "BTCUSD_201225", 6, OI_OK },
    { "binance", "eapi_v1_exchangeInfo_doc.json", OI_TASK_INSTRUMENTS, "option", NULL, 1, OI_OK },
    { "binance", "eapi_v1_mark_doc.json", OI_TASK_PRICES, "option", NULL, 1, OI_OK },
    { "binance", "eapi_v1_openInterest_2026_row.json", OI_TASK_CURRENT, "option", NULL, 1, OI_OK },
    { "bitfinex", "conf_pub_list_pair_future_2021.json", OI_TASK_INSTRUMENTS, "perpetual", NULL, 34,
      OI_OK },
    { "bitfinex", "status_deriv_tBTCF0_2026.json", OI_TASK_CURRENT, "perpetual", NULL, 1, OI_OK },
    { "bitfinex", "status_deriv_hist_rows.json", OI_TASK_HISTORY, "perpetual", "BTCF0:USTF0", 1,
      OI_OK },
    { "bitget", "futures_GetContracts_doc.json", OI_TASK_INSTRUMENTS, "usdt_futures", NULL, 1,
      OI_OK },
    { "bitget", "mix_v1_contracts_umcbl_2022.json", OI_TASK_INSTRUMENTS, "usdt_futures", NULL, 51,
      OI_OK },
    { "bitget", "unified_GetFuturesTickers_doc.json", OI_TASK_CURRENT, "usdt_futures", NULL, 1,
      OI_OK },
    { "bitmex", "instrument_active_2021.json", OI_TASK_INSTRUMENTS, NULL, NULL, 34, OI_OK },
    { "bitmex", "instrument_active_2021.json", OI_TASK_CURRENT, NULL, NULL, 34, OI_OK },
    { "bybit", "v5_GetLinearInverseSymbols_doc.json", OI_TASK_INSTRUMENTS, "linear", NULL, 1,
      OI_OK },
    { "bybit", "v5_instruments_info_docs_multi_1.json", OI_TASK_INSTRUMENTS, "linear", NULL, 1,
      OI_OK },
    { "bybit", "v5_instruments_info_docs_multi_2.json", OI_TASK_INSTRUMENTS, "linear", NULL, 1,
      OI_OK },
    { "bybit", "v5_instruments_info_linear_sample.json", OI_TASK_INSTRUMENTS, "linear", NULL, 2,
      OI_OK },
    { "bybit", "v5_instruments_info_inverse_sample.json", OI_TASK_INSTRUMENTS, "inverse", NULL, 1,
      OI_OK },
    { "bybit", "v5_GetLinearInverseTickers_doc.json", OI_TASK_CURRENT, "inverse", NULL, 1, OI_OK },
    { "bybit", "v5_tickers_inverse_2026_rows.json", OI_TASK_CURRENT, "inverse", NULL, 1, OI_OK },
    { "bybit", "v5_GetOptionSymbols_doc.json", OI_TASK_INSTRUMENTS, "option", NULL, 1, OI_OK },
    { "bybit", "v5_instruments_info_docs_1_option.json", OI_TASK_INSTRUMENTS, "option", NULL, 1,
      OI_OK },
    { "bybit", "v5_GetOptionTickers_doc.json", OI_TASK_CURRENT, "option", NULL, 1, OI_OK },
    { "bybit", "v5_tickers_docs_2_option.json", OI_TASK_CURRENT, "option", NULL, 1, OI_OK },
    { "bybit", "v5_GetOpenInterest_doc.json", OI_TASK_HISTORY, "inverse", "BTCUSD", 2, OI_OK },
    { "bybit", "v5_open_interest_5min_2026.json", OI_TASK_HISTORY, "linear", "BTCUSDT", 3, OI_OK },
    { "deribit", "cmp_open_interest_inverse_future.json", OI_TASK_CURRENT, NULL, NULL, 1, OI_OK },
    { "deribit", "cmp_open_interest_inverse_swap.json", OI_TASK_CURRENT, NULL, NULL, 1, OI_OK },
    { "deribit", "get_instruments_2025_sample.json", OI_TASK_INSTRUMENTS, NULL, NULL, 0,
      OI_E_UPSTREAM },
    { "deribit", "get_instruments_BTC_2021.json", OI_TASK_INSTRUMENTS, NULL, NULL, 398, OI_OK },
    { "deribit", "get_instruments_SOL_2021.json", OI_TASK_INSTRUMENTS, NULL, NULL, 177, OI_OK },
    { "deribit", "get_instruments_option_combo.json", OI_TASK_INSTRUMENTS, NULL, NULL, 0,
      OI_E_UPSTREAM },
    { "gate", "GetTickers_doc.json", OI_TASK_CURRENT, "usdt", NULL, 1, OI_OK },
    { "gate", "futures_usdt_contracts_2023.json", OI_TASK_INSTRUMENTS, "usdt", NULL, 302, OI_OK },
    { "gate", "cmp_open_interest_linear_swap.json", OI_TASK_HISTORY, "usdt", "BTC_USDT", 2, OI_OK },
    { "gate", "cmp_open_interest_inverse_swap.json", OI_TASK_HISTORY, "btc", "BTC_USD", 2, OI_OK },
    { "htx", "cmp_open_interest_linear_swap.json", OI_TASK_CURRENT, "linear", NULL, 2, OI_OK },
    { "htx", "cmp_open_interest_inverse_future.json", OI_TASK_CURRENT, "coin_futures", NULL, 2,
      OI_OK },
    { "htx", "linear_swap_contract_info_2022.json", OI_TASK_INSTRUMENTS, "linear", NULL, 121,
      OI_OK },
    { "htx", "contract_contract_info_2021.json", OI_TASK_INSTRUMENTS, "coin_futures", NULL, 39,
      OI_OK },
    { "htx", "linear_GetOpenInterestHistory_doc.json", OI_TASK_HISTORY, "linear", "BTC-USDT-211210",
      1, OI_OK },
    { "htx", "error_invalid_parameter_2026.json", OI_TASK_CURRENT, "linear", NULL, 0,
      OI_E_UPSTREAM },
    { "hyperliquid", "GetExchangeInfo_doc.json", OI_TASK_INSTRUMENTS, NULL, NULL, 4, OI_OK },
    { "hyperliquid", "info_meta_2023.json", OI_TASK_INSTRUMENTS, NULL, NULL, 28, OI_OK },
    { "hyperliquid", "info_meta_sample.json", OI_TASK_INSTRUMENTS, NULL, NULL, 3, OI_OK },
    { "coinbase_intl", "instruments_2024.json", OI_TASK_INSTRUMENTS, "perpetual", NULL, 1, OI_OK },
    { "coinbase_intl", "instruments_2024.json", OI_TASK_CURRENT, "perpetual", NULL, 1, OI_OK },
    { "cryptocom", "GetSymbols_doc.json", OI_TASK_INSTRUMENTS, NULL, NULL, 1, OI_OK },
    /* Wrapped in a client's envelope. */
    { "dydx", "v4_perpetualMarkets_sample.json", OI_TASK_CURRENT, "perpetual", NULL, 0,
      OI_E_UPSTREAM },
    { "kalshi", "markets_2026.json", OI_TASK_CURRENT, "event", NULL, 1, OI_OK },
    { "kalshi", "markets_2026.json", OI_TASK_INSTRUMENTS, "event", NULL, 1, OI_OK },
    { "kalshi", "market_candlesticks_1m_2026.json", OI_TASK_HISTORY, "event",
      "KXATPMATCH-26MAY13JODDAR-JOD", 2, OI_OK },
    { "kraken_futures", "GetSymbols_doc.json", OI_TASK_INSTRUMENTS, NULL, NULL, 3, OI_OK },
    { "kraken_futures", "instruments_2021.json", OI_TASK_INSTRUMENTS, NULL, NULL, 17, OI_OK },
    { "kraken_futures", "tickers_2025.json", OI_TASK_CURRENT, NULL, NULL, 2, OI_OK },
    { "kraken_futures", "charts_analytics_open_interest_row.json", OI_TASK_HISTORY, "linear",
      "PF_XBTUSD", 1, OI_OK },
    { "kucoin", "cmp_open_interest_unknown.json", OI_TASK_CURRENT, NULL, NULL, 1, OI_OK },
    { "kucoin", "cmp_open_interest_unknown.json", OI_TASK_INSTRUMENTS, NULL, NULL, 1, OI_OK },
    { "kucoin", "ua_open_interest_doc.json", OI_TASK_HISTORY, "linear", "XBTUSDTM", 2, OI_OK },
    { "mexc", "contract_GetSymbols_doc.json", OI_TASK_INSTRUMENTS, NULL, NULL, 1, OI_OK },
    { "mexc", "contract_GetTickers_doc.json", OI_TASK_CURRENT, NULL, NULL, 1, OI_OK },
    { "okx", "GetMarkPrices_doc.json", OI_TASK_PRICES, "swap", NULL, 1, OI_OK },
    { "okx", "cmp_open_interest_inverse_future.json", OI_TASK_CURRENT, "futures", NULL, 2, OI_OK },
    { "okx", "cmp_open_interest_inverse_future_2.json", OI_TASK_CURRENT, "futures", NULL, 1,
      OI_OK },
    { "okx", "cmp_open_interest_inverse_swap.json", OI_TASK_CURRENT, "swap", NULL, 2, OI_OK },
    { "okx", "cmp_open_interest_linear_future.json", OI_TASK_CURRENT, "futures", NULL, 2, OI_OK },
    { "okx", "public_open_interest_2025_rows.json", OI_TASK_CURRENT, "swap", NULL, 2, OI_OK },
    { "okx", "public_instruments_OPTION_BTC-USD_2022.json", OI_TASK_INSTRUMENTS, "option", NULL,
      346, OI_OK },
    { "okx", "public_instruments_SWAP_2022.json", OI_TASK_INSTRUMENTS, "swap", NULL, 166, OI_OK },
    { "okx", "public_instruments_futures_2025_sample.json", OI_TASK_INSTRUMENTS, "futures", NULL, 6,
      OI_OK },
    { "okx", "public_instruments_swap_2025_sample.json", OI_TASK_INSTRUMENTS, "swap", NULL, 3,
      OI_OK },
    { "polymarket", "gamma_event_sample.json", OI_TASK_CURRENT, "event", NULL, 1, OI_OK },
    { "polymarket", "gamma_event_sample.json", OI_TASK_INSTRUMENTS, "event", NULL, 1, OI_OK },
};

static void
read_recording(const struct recording *recording, const char *path)
{
    const struct oi_exchange *exchange = oi_exchange_find(oi_slice_of(recording->exchange));
    struct oi_task task = { .kind = recording->kind,
                            .product = recording->product,
                            .symbol = recording->symbol };
    const struct oi_endpoint *endpoint;
    struct oi_harvest harvest = {};
    struct oi_buffer bytes = {};
    enum oi_status status;

    assert_non_null(exchange);
    if (exchange == &oi_exchange_deribit && task.kind == OI_TASK_CURRENT)
        task.family = "BTC";
    /* Binance has one list of all options, and figures by family. */
    if (task.product && strcmp(task.product, "option") == 0 &&
        (exchange != &oi_exchange_binance || task.kind == OI_TASK_CURRENT))
        task.family = "BTC-USD";
    endpoint = test_exchange_endpoint(exchange, &task);
    test_file_read(path, &bytes);
    status = endpoint->read(&task, oi_buffer_slice(&bytes), &harvest, NULL);
    test_exchange_assert_sane(exchange, &task, endpoint, &harvest);
    for (size_t i = 0; i < harvest.skips.count; i++)
        print_error("%s %s: %s\n", path, harvest.skips.items[i].symbol,
                    harvest.skips.items[i].reason);
    if (status != recording->status || harvest.skips.count > 0 ||
        harvest.rows.count + harvest.instruments.count != recording->yields)
        fail_msg("%s: %s with %zu rows and %zu instruments", path, oi_status_name(status),
                 harvest.rows.count, harvest.instruments.count);
    oi_buffer_release(&bytes);
    oi_harvest_release(&harvest);
}

static void
recorded_replies_are_read_whole(void **)
{
    size_t run = 0;

    for (size_t i = 0; i < OI_COUNT(recordings); i++) {
        char relative[TEST_PATH_SIZE];
        char path[TEST_PATH_SIZE];

        snprintf(relative, sizeof(relative), "data/exchange_responses/%s/%s",
                 recordings[i].exchange, recordings[i].file);
        if (!test_data_find(relative, path))
            continue;
        read_recording(&recordings[i], path);
        run++;
    }
    print_message("%zu of %zu recorded replies\n", run, OI_COUNT(recordings));
    if (run == 0)
        skip();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_replies_are_read_whole),
    };
    return cmocka_run_group_tests_name("contract/exchange_recorded", tests, NULL, NULL);
}
