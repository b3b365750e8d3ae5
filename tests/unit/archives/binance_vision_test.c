/* SPDX-License-Identifier: Apache-2.0 */
/* Daily metrics in both eras of their labels, of both products. Figures are our own. */
#include "archives/archive.h"

#include "support/test.h"
#include "support/transcript.h"

#define HEADER                                                                                     \
    "create_time,symbol,sum_open_interest,sum_open_interest_value,"                                \
    "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,"      \
    "sum_taker_long_short_vol_ratio\n"
#define REST ",1,1,1,1\n"

static void
assert_reads(const char *file_name, struct oi_slice text, const char *expected)
{
    const struct oi_archive_options options = { .file_name = file_name };
    struct oi_buffer transcript = {};

    test_transcribe(&oi_archive_binance_vision, &options, text, 11, &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, expected);
    oi_buffer_release(&transcript);
}

static void
before_the_change_a_label_is_the_instant(void **)
{
    assert_reads("BTCUSDT-metrics-2026-06-24.csv",
                 OI_SLICE(HEADER "2026-06-24 00:05:00,BTCUSDT,10.5,700000" REST
                                 "2026-06-25 00:00:00,BTCUSDT,11,800000.25" REST),
                 "2 binance:usdm:BTCUSDT 2026-06-24T00:05:00Z oi=10.5 usd=700000 "
                 "exchange=2026-06-24T00:05:00Z\n"
                 "3 binance:usdm:BTCUSDT 2026-06-25T00:00:00Z oi=11 usd=800000.25 "
                 "exchange=2026-06-25T00:00:00Z\n");
}

static void
from_the_change_on_a_label_is_five_minutes_early(void **)
{
    assert_reads("BTCUSDT-metrics-2026-06-25.csv",
                 OI_SLICE(HEADER "2026-06-25 00:00:00,BTCUSDT,10,7" REST
                                 "2026-06-25 23:55:00,BTCUSDT,11,8" REST),
                 "2 binance:usdm:BTCUSDT 2026-06-25T00:05:00Z oi=10 usd=7 "
                 "exchange=2026-06-25T00:00:00Z\n"
                 "3 binance:usdm:BTCUSDT 2026-06-26T00:00:00Z oi=11 usd=8 "
                 "exchange=2026-06-25T23:55:00Z\n");
}

static void
in_one_file_of_both_eras_the_doubled_midnight_is_two_instants(void **)
{
    assert_reads("all.csv",
                 OI_SLICE(HEADER "2026-06-24 23:55:00,BTCUSDT,1,1" REST
                                 "2026-06-25 00:00:00,BTCUSDT,2,1" REST
                                 "2026-06-25 00:00:00,BTCUSDT,3,1" REST
                                 "2026-06-25 00:05:00,BTCUSDT,4,1" REST),
                 "2 binance:usdm:BTCUSDT 2026-06-24T23:55:00Z oi=1 usd=1 "
                 "exchange=2026-06-24T23:55:00Z\n"
                 "3 binance:usdm:BTCUSDT 2026-06-25T00:00:00Z oi=2 usd=1 "
                 "exchange=2026-06-25T00:00:00Z\n"
                 "4 binance:usdm:BTCUSDT 2026-06-25T00:05:00Z oi=3 usd=1 "
                 "exchange=2026-06-25T00:00:00Z\n"
                 "5 binance:usdm:BTCUSDT 2026-06-25T00:10:00Z oi=4 usd=1 "
                 "exchange=2026-06-25T00:05:00Z\n");
}

static void
coin_margined_labels_are_starts_and_their_value_is_no_usd(void **)
{
    assert_reads("BTCUSD_PERP-metrics-2022-01-02.csv",
                 OI_SLICE(HEADER "2022-01-02 00:00:00,BTCUSD_PERP,500,12.5" REST
                                 "2022-01-02 00:00:00,BTCUSD_220325,6,1" REST
                                 "2022-01-02 00:00:00,BTCUSDT_220325,7,1" REST),
                 "2 binance:coinm:BTCUSD_PERP 2022-01-02T00:05:00Z oi=500 "
                 "exchange=2022-01-02T00:00:00Z\n"
                 "3 binance:coinm:BTCUSD_220325 2022-01-02T00:05:00Z oi=6 "
                 "exchange=2022-01-02T00:00:00Z\n"
                 "4 binance:usdm:BTCUSDT_220325 2022-01-02T00:00:00Z oi=7 usd=1 "
                 "exchange=2022-01-02T00:00:00Z\n");
}

static void
a_zero_is_a_figure_and_a_blank_is_refused(void **)
{
    assert_reads(
        "x.csv",
        OI_SLICE(HEADER "2022-03-07 00:05:00,BTCUSDT,0,0" REST "2022-03-07 00:10:00,BTCUSDT,,5" REST
                        "2022-03-07 00:15:00,BTCUSDT,1.2.3,5" REST
                        "2022-13-07 00:20:00,BTCUSDT,1,5" REST "2022-03-07 00:25:00,BTCUSDT,1\n"),
        "2 binance:usdm:BTCUSDT 2022-03-07T00:05:00Z oi=0 usd=0 "
        "exchange=2022-03-07T00:05:00Z\n"
        "3 refused sum_open_interest \"\": no figure\n"
        "4 refused sum_open_interest \"1.2.3\": a second decimal point\n"
        "5 refused create_time \"2022-13-07 00:20:00\": a date that does not exist\n"
        "6 refused: fewer fields than the header has\n");
}

static void
another_table_is_named_as_what_it_lacks(void **)
{
    assert_reads("x.csv", OI_SLICE("time,symbol\n1,2\n"),
                 "INVALID: the header has no column create_time; it has time symbol\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_change_a_label_is_the_instant),
        cmocka_unit_test(from_the_change_on_a_label_is_five_minutes_early),
        cmocka_unit_test(in_one_file_of_both_eras_the_doubled_midnight_is_two_instants),
        cmocka_unit_test(coin_margined_labels_are_starts_and_their_value_is_no_usd),
        cmocka_unit_test(a_zero_is_a_figure_and_a_blank_is_refused),
        cmocka_unit_test(another_table_is_named_as_what_it_lacks),
    };
    return cmocka_run_group_tests_name("archives/binance_vision", tests, NULL, NULL);
}
