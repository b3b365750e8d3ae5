/* SPDX-License-Identifier: Apache-2.0 */
/* The registry, and what every format refuses: raw messages, Parquet, totals, empty files. */
#include "archives/archive.h"

#include "support/test.h"
#include "support/transcript.h"

#include <string.h>

static void
assert_fails(const char *format, struct oi_slice bytes, const char *expected)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;
    struct oi_archive_options options = { .file_name = "f.parquet" };
    struct oi_buffer transcript = {};

    assert_ok(oi_mapping_set(&mapping, "time", OI_SLICE("t"), NULL));
    assert_ok(oi_mapping_set(&mapping, "oi", OI_SLICE("x"), NULL));
    assert_ok(oi_mapping_set(&mapping, "market", OI_SLICE("a:b:c"), NULL));
    assert_ok(oi_mapping_set(&mapping, "unit", OI_SLICE("usd"), NULL));
    options.mapping = strcmp(format, "csv") == 0 ? &mapping : NULL;
    test_transcribe(oi_archive_find(oi_slice_of(format)), &options, bytes, 3, &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, expected);
    oi_buffer_release(&transcript);
    oi_mapping_release(&mapping);
}

static void
formats_are_found_by_their_names(void **)
{
    for (size_t i = 0; oi_archives[i]; i++)
        assert_ptr_equal(oi_archive_find(oi_slice_of(oi_archives[i]->name)), oi_archives[i]);
    assert_non_null(oi_archive_find(OI_SLICE("binance-vision")));
    assert_null(oi_archive_find(OI_SLICE("binance_vision")));
}

#define RAW                                                                                        \
    "INVALID: raw messages of an exchange are not imported: they are for the tests of its "        \
    "adapter, which reads them as they came\n"

static void
raw_messages_are_refused(void **)
{
    assert_fails("csv", OI_SLICE("{\"a\":1}\n"), RAW);
    assert_fails("tardis", OI_SLICE(" [1,2]\n"), RAW);
    assert_fails("csv", OI_SLICE("1704643984.09318: {\"channel\":\"ticker\"}\n"), RAW);
}

static void
parquet_is_refused_with_the_line_that_converts_it(void **)
{
    assert_fails("csv", OI_SLICE("PAR1\x15\x04"),
                 "INVALID: Parquet is not imported; convert it first: duckdb -c \"COPY (FROM "
                 "'f.parquet') TO 'f.parquet.csv'\"\n");
}

static void
totals_and_descriptions_of_files_are_refused(void **)
{
    assert_fails("csv", OI_SLICE("symbol,ts_utc,oi_total_close,oi_stable_close,unit\n"),
                 "INVALID: totals over exchanges are not imported: no market anywhere has this "
                 "open interest, and a total cannot be taken apart; import the exchanges' own "
                 "figures, oi adds them up\n");
    assert_fails("csv", OI_SLICE("date,available,rows,archive_sha256\n"),
                 "INVALID: this describes archive files and holds no open interest\n");
}

static void
empty_and_binary_files_are_refused(void **)
{
    assert_fails("tardis", OI_SLICE(""), "INVALID: the file is empty\n");
    assert_fails("csv", OI_SLICE("\n \n"), "INVALID: the file is empty\n");
    assert_fails("csv", OI_SLICE("ab\x01\x02,c\n"),
                 "INVALID: this is no table: its first line is binary\n");
}

static void
a_failure_lasts(void **)
{
    const struct oi_archive_options options = { .file_name = "x" };
    const struct oi_archive_sink sink = {};
    struct oi_reader *reader = NULL;

    assert_ok(oi_reader_open(&oi_archive_tardis, &options, &sink, &reader, NULL));
    assert_status(oi_reader_add(reader, OI_SLICE("PAR1"), false, NULL), OI_E_INVALID);
    assert_status(oi_reader_add(reader, OI_SLICE("a,b\n"), true, NULL), OI_E_INVALID);
    oi_reader_close(&reader);
    assert_null(reader);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found_by_their_names),
        cmocka_unit_test(raw_messages_are_refused),
        cmocka_unit_test(parquet_is_refused_with_the_line_that_converts_it),
        cmocka_unit_test(totals_and_descriptions_of_files_are_refused),
        cmocka_unit_test(empty_and_binary_files_are_refused),
        cmocka_unit_test(a_failure_lasts),
    };
    return cmocka_run_group_tests_name("archives/archives", tests, NULL, NULL);
}
