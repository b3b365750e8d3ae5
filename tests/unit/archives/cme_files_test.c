/* SPDX-License-Identifier: Apache-2.0 */
/* CME's figures belong to the business day before the date they come with, at Chicago's close. */
#include "archives/archive.h"

#include "support/test.h"
#include "support/test_data.h"
#include "support/transcript.h"

#include <stdio.h>

/* Only Chicago is asked for. */
static enum oi_status
load_zone(const struct oi_zone_loader *, struct oi_slice name, const struct oi_zone **ret_zone,
          struct oi_error *error)
{
    static struct oi_zone *zone;
    struct oi_buffer bytes = {};
    enum oi_status status = OI_OK;

    assert_true(oi_slice_is(name, "America/Chicago"));
    if (!zone) {
        test_file_read("/usr/share/zoneinfo/America/Chicago", &bytes);
        status = oi_zone_open(oi_buffer_slice(&bytes), &zone, error);
        oi_buffer_release(&bytes);
    }
    *ret_zone = zone;
    return status;
}

static const struct oi_zone_loader zones = { .load = load_zone };

static void
assert_reads(const char *file, struct oi_slice text, const char *expected)
{
    const struct oi_archive_options options = { .file_name = file, .zones = &zones };
    struct oi_buffer transcript = {};

    test_transcribe(&oi_archive_cme, &options, text, 7, &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, expected);
    oi_buffer_release(&transcript);
}

#define SETTLEMENT "BizDt,Sym,ID,StrkPx,SecTyp,MMY,MatDt,PutCall,SettlePrice,PrevDayOI\n"

static void
a_settlement_files_figure_is_of_the_business_day_before(void **)
{
    /* A Tuesday; a Monday; and the day after the clocks went forward. */
    assert_reads("cme.settle.20260106.s.csv",
                 OI_SLICE(SETTLEMENT "2026-01-06,BTC,BTC,,FUT,202601,,,91000,12345\n"
                                     "20260105,MET,MET,,FUT,202612,,,310.5,77\n"
                                     "2026-03-10,BTC,BTC,,FUT,202603,,,91000,1\n"),
                 "2 cme:futures:BTCF26 2026-01-05T22:00:00Z oi=12345\n"
                 "3 cme:futures:METZ26 2026-01-02T22:00:00Z oi=77\n"
                 "4 cme:futures:BTCH26 2026-03-09T21:00:00Z oi=1\n");
}

static enum oi_status
take_row(void *, const struct oi_archive_row *, struct oi_error *)
{
    return OI_OK;
}

static void
a_contract_of_known_size_and_last_day_is_defined(void **)
{
    const struct oi_archive_options options = { .file_name = "x.csv", .zones = &zones };
    const struct oi_archive_sink sink = { .take = take_row };
    const struct oi_decimal tenth = oi_decimal_from(1, -1);
    const struct oi_instrument *instrument;
    struct oi_reader *reader = NULL;
    oi_time expiry;

    assert_ok(oi_reader_open(&oi_archive_cme, &options, &sink, &reader, NULL));
    assert_ok(oi_reader_add(
        reader,
        OI_SLICE("BizDt,Sym,SecTyp,MMY,LastTrdDt,PrevDayOI\n"
                 "2026-01-06,MBT,FUT,202601,2026-01-30,12345\n2026-01-06,ES,FUT,202603,2026-03-20,"
                 "1\n2026-01-06,BTC,FUT,202601,,5\n"),
        true, NULL));
    instrument = oi_reader_market(reader, 0);
    assert_false(instrument->is_provisional);
    assert_int_equal(instrument->kind, OI_KIND_FUTURE);
    assert_string_equal(instrument->base, "BTC");
    assert_int_equal(oi_decimal_compare(&instrument->contract_size, &tenth), 0);
    assert_ok(oi_time_parse_utc(OI_SLICE("2026-01-30T22:00:00Z"), &expiry, NULL));
    assert_true(instrument->expiry == expiry);
    /* A size that nobody told, and a last day that nobody told. */
    assert_true(oi_reader_market(reader, 1)->is_provisional);
    assert_true(oi_reader_market(reader, 2)->is_provisional);
    oi_reader_close(&reader);
}

static void
what_is_no_future_of_a_month_is_refused(void **)
{
    assert_reads("x.csv",
                 OI_SLICE(SETTLEMENT "2026-01-06,BTC,BTC,80000,OOF,202601,,1,910,12\n"
                                     "2026-01-06,BTC,BTC,,FUT,20260109,,,91000,12\n"
                                     "2026-01-06,BTC,BTC,,FUT,202613,,,91000,12\n"
                                     "2026-01-06,BTC,BTC,,FUT,202601,,,91000,\n"
                                     "soon,BTC,BTC,,FUT,202601,,,91000,12\n"),
                 "2 refused SecTyp \"OOF\": of this file futures alone are read\n"
                 "3 refused MMY \"20260109\": no month of a contract that is known by its month\n"
                 "4 refused MMY \"202613\": no month of a contract that is known by its month\n"
                 "5 refused PrevDayOI \"\": no figure\n"
                 "6 refused BizDt \"soon\": no date\n");
}

static void
leans_file_of_a_contract_has_no_header_and_its_name_tells_which(void **)
{
    assert_reads("es_openinterest_201403.csv",
                 OI_SLICE("20131007 00:00,5811\n20131008 00:00,6587\n20131008 10:00,6587\n"),
                 "1 cme:futures:ESH14 2013-10-04T21:00:00Z oi=5811\n"
                 "2 cme:futures:ESH14 2013-10-07T21:00:00Z oi=6587\n"
                 "3 refused time \"20131008 10:00\": not the daily form: a time of day without a "
                 "zone\n");
    assert_reads("what.csv", OI_SLICE("20131007 00:00,5811\n"),
                 "INVALID: neither a settlement file (BizDt, Sym, ...) nor one of Lean's "
                 "(es_openinterest_202603.csv, es_universe_20260102.csv)\n");
}

static void
leans_file_of_a_day_has_every_contract_and_its_close(void **)
{
    assert_reads("lean_es_universe_20200103.csv",
                 OI_SLICE("#expiry,open,high,low,close,volume,open_interest\n"
                          "202003,3221.5,3246.25,3220.75,3235.5,1161694,2740796\n"),
                 "2 cme:futures:ESH20 2020-01-02T22:00:00Z oi=2740796 last=3235.5\n");
    assert_reads("20200103.csv", OI_SLICE("#expiry,open,high,low,close,volume,open_interest\n"),
                 "INVALID: its name must tell product and date: es_universe_20260102.csv\n");
}

/* Every recorded file, read whole. */
static void
recorded_files_are_read_whole(void **)
{
    static const char folder[] = "data/exchange_responses/cme";
    char path[TEST_PATH_SIZE];
    char **names = NULL;
    size_t count, rows = 0;

    if (!test_data_find(folder, path)) {
        print_message("the recorded files are not there\n");
        skip();
    }
    count = test_names_list(path, &names);
    for (size_t i = 0; i < count; i++) {
        const struct oi_archive_options options = { .file_name = names[i], .zones = &zones };
        char file[TEST_PATH_SIZE + 256];
        struct oi_buffer bytes = {}, transcript = {};

        if (!oi_slice_ends_with(oi_slice_of(names[i]), ".csv"))
            continue;
        (void) snprintf(file, sizeof(file), "%s/%s", path, names[i]);
        test_file_read(file, &bytes);
        test_transcribe(&oi_archive_cme, &options, oi_buffer_slice(&bytes), 0, &transcript);
        oi_buffer_add_char(&transcript, '\0');
        if (strstr(transcript.data, "refused") || strstr(transcript.data, "INVALID"))
            fail_msg("%s: %s", names[i], transcript.data);
        for (const char *c = transcript.data; *c; c++)
            rows += *c == '\n';
        oi_buffer_release(&bytes);
        oi_buffer_release(&transcript);
    }
    test_names_free(names, count);
    print_message("%zu rows\n", rows);
    assert_true(rows > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_settlement_files_figure_is_of_the_business_day_before),
        cmocka_unit_test(a_contract_of_known_size_and_last_day_is_defined),
        cmocka_unit_test(what_is_no_future_of_a_month_is_refused),
        cmocka_unit_test(leans_file_of_a_contract_has_no_header_and_its_name_tells_which),
        cmocka_unit_test(leans_file_of_a_day_has_every_contract_and_its_close),
        cmocka_unit_test(recorded_files_are_read_whole),
    };
    return cmocka_run_group_tests_name("archives/cme_files", tests, NULL, NULL);
}
