/* SPDX-License-Identifier: Apache-2.0 */
/* Coin Metrics' rows as csv and as a line of JSON each. Figures are our own. */
#include "archives/archive.h"

#include "support/test.h"
#include "support/transcript.h"

static void
assert_reads(struct oi_slice text, const char *expected)
{
    const struct oi_archive_options options = { .file_name = "x" };
    struct oi_buffer transcript = {};

    test_transcribe(&oi_archive_coinmetrics, &options, text, 5, &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, expected);
    oi_buffer_release(&transcript);
}

#define READING                                                                                    \
    " binance:usdm:BTCUSDT 2024-09-15T21:42:00Z oi=8.25 usd=5214.5 "                               \
    "known=2024-09-15T21:42:31.800754000Z exchange=2024-09-15T21:42:00Z\n"

static void
csv_and_json_lines_say_the_same(void **)
{
    assert_reads(OI_SLICE("market,time,contract_count,value_usd,database_time,exchange_time\n"
                          "binance-BTCUSDT-future,2024-09-15 21:42:00+00:00,8.25,5214.5,2024-09-15 "
                          "21:42:31.800754+00:00,2024-09-15 21:42:00+00:00\n"),
                 "2" READING);
    assert_reads(OI_SLICE("{\"market\":\"binance-BTCUSDT-future\",\"time\":"
                          "\"2024-09-15T21:42:00.000000000Z\",\"contract_count\":\"8.25\","
                          "\"value_usd\":\"5214.5\",\"database_time\":"
                          "\"2024-09-15T21:42:31.800754000Z\",\"exchange_time\":"
                          "\"2024-09-15T21:42:00.000000000Z\"}\n"),
                 "1" READING);
}

static void
the_order_of_columns_is_free_and_the_optional_ones_may_be_absent(void **)
{
    assert_reads(OI_SLICE("contract_count,time,market\n1,2024-01-01T00:00:00Z,"
                          "okex-BTC-USDT-SWAP-future\n"),
                 "2 okx:swap:BTC-USDT-SWAP 2024-01-01T00:00:00Z oi=1\n");
}

static void
a_bad_line_of_json_is_refused_and_the_next_is_read(void **)
{
    assert_reads(OI_SLICE("{\"market\":\"a-b-future\",\"time\":\"2024-01-01\","
                          "\"contract_count\":null}\n"
                          "{\"market\":\"nonsense\",\"time\":\"2024-01-01\"}\n"
                          "[1]\n"
                          "{\"market\":\"a-b-future\",\"time\":\"2024-01-01\","
                          "\"contract_count\":\"1\"}"),
                 "1 refused contract_count \"\": no figure\n"
                 "2 refused market \"nonsense\": a market that ends neither in -future nor in "
                 "-option\n"
                 "3 refused: a line that is not a JSON object\n"
                 "4 a:futures:b 2024-01-01T00:00:00Z oi=1\n");
}

static void
a_page_of_the_api_is_refused_with_what_to_do(void **)
{
    assert_reads(OI_SLICE("{\"data\":[],\"next_page_token\":\"x\"}"),
                 "INVALID: a page of the API, not a stream of rows: fetch it with "
                 "format=json_stream or format=csv\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_and_json_lines_say_the_same),
        cmocka_unit_test(the_order_of_columns_is_free_and_the_optional_ones_may_be_absent),
        cmocka_unit_test(a_bad_line_of_json_is_refused_and_the_next_is_read),
        cmocka_unit_test(a_page_of_the_api_is_refused_with_what_to_do),
    };
    return cmocka_run_group_tests_name("archives/coinmetrics_rows", tests, NULL, NULL);
}
