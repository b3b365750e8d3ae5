/* SPDX-License-Identifier: Apache-2.0 */
/* Tardis' tickers: microseconds, arrival as known time, markets by exchange and symbol. */
#include "archives/archive.h"

#include "support/test.h"
#include "support/transcript.h"

#define HEADER                                                                                     \
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"                    \
    "predicted_funding_rate,open_interest,last_price,index_price,mark_price\n"

static void
assert_reads(struct oi_slice text, const char *expected)
{
    const struct oi_archive_options options = { .file_name = "x" };
    struct oi_buffer transcript = {};

    test_transcribe(&oi_archive_tardis, &options, text, 13, &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, expected);
    oi_buffer_release(&transcript);
}

static void
reads_microseconds_arrival_and_prices(void **)
{
    assert_reads(
        OI_SLICE(HEADER "bitmex,XBTUSD,1583020803145000,1583020803307160,,0.1,,1000,95.5,95,95.25\n"
                        "bitmex,XBTUSD,1583020803145000,1583020803307161,,,,,95.5,95,95.25\n"),
        "2 bitmex:perpetual:XBTUSD 2020-03-01T00:00:03.145000000Z oi=1000 mark=95.25 index=95 "
        "last=95.5 known=2020-03-01T00:00:03.307160000Z "
        "exchange=2020-03-01T00:00:03.145000000Z\n"
        "3 refused open_interest \"\": no figure\n");
}

#define TIMES ",0,0,,,,1,,,\n"
#define READ " 1970-01-01T00:00:00Z oi=1 known=1970-01-01T00:00:00Z exchange=1970-01-01T00:00:00Z\n"

static void
knows_each_exchange_and_product_by_its_symbols(void **)
{
    assert_reads(OI_SLICE(HEADER "binance-futures,BTCUSDT" TIMES
                                 "binance-delivery,BTCUSD_PERP" TIMES "bybit,BTCUSD" TIMES
                                 "bybit,BTCUSDT" TIMES "deribit,BTC-PERPETUAL" TIMES
                                 "deribit,ETH_USDC-PERPETUAL" TIMES "okex-swap,BTC-USDT-SWAP" TIMES
                                 "bitmex,XBTM21" TIMES "cryptofacilities,PI_XBTUSD" TIMES),
                 "2 binance:usdm:BTCUSDT" READ "3 binance:coinm:BTCUSD_PERP" READ
                 "4 bybit:inverse:BTCUSD" READ "5 bybit:linear:BTCUSDT" READ
                 "6 deribit:inverse:BTC-PERPETUAL" READ "7 deribit:linear:ETH_USDC-PERPETUAL" READ
                 "8 okx:swap:BTC-USDT-SWAP" READ "9 bitmex:futures:XBTM21" READ
                 "10 kraken_futures:inverse:PI_XBTUSD" READ);
}

static void
an_exchange_of_unknown_unit_is_refused(void **)
{
    assert_reads(OI_SLICE(HEADER "nowhere,X" TIMES),
                 "2 refused exchange \"nowhere\": an exchange whose unit is not known here: import "
                 "it as csv with --unit\n");
}

static void
an_options_chain_has_the_underlying_as_its_index(void **)
{
    assert_reads(OI_SLICE("exchange,symbol,timestamp,local_timestamp,type,strike_price,"
                          "open_interest,mark_price,underlying_price\n"
                          "deribit,BTC-9JUN20-9875-P,0,0,put,9875,0.1,0.02,9756\n"),
                 "2 deribit:option:BTC-9JUN20-9875-P 1970-01-01T00:00:00Z oi=0.1 mark=0.02 "
                 "index=9756 known=1970-01-01T00:00:00Z exchange=1970-01-01T00:00:00Z\n");
}

static void
every_market_met_has_a_unit_in_the_conventions(void **)
{
    for (size_t i = 0; i < oi_archive_tardis.page_count; i++) {
        const struct oi_convention_page *page = &oi_archive_tardis.pages[i];

        for (size_t j = 0; j < page->count; j++) {
            assert_int_not_equal(page->conventions[j].unit, OI_UNIT_UNKNOWN);
            assert_string_equal(page->conventions[j].feed, oi_archive_tardis.feed);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_microseconds_arrival_and_prices),
        cmocka_unit_test(knows_each_exchange_and_product_by_its_symbols),
        cmocka_unit_test(an_exchange_of_unknown_unit_is_refused),
        cmocka_unit_test(an_options_chain_has_the_underlying_as_its_index),
        cmocka_unit_test(every_market_met_has_a_unit_in_the_conventions),
    };
    return cmocka_run_group_tests_name("archives/tardis", tests, NULL, NULL);
}
