/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importing: once, twice, behind a crash, from damaged and packed files, into markets that are
 * known and ones that are not. Figures are our own.
 */
#include "collector/import.h"

#include "base/compress.h"
#include "base/crypto.h"
#include "base/random.h"
#include "kv/memory.h"
#include "support/test_store.h"

#include <stdlib.h>

/* What an import says, as text. */
struct told {
    struct test_store test;
    struct oi_mapping mapping;
    struct oi_import_options options;
    struct oi_import_report report;
    struct oi_error error;
    struct oi_buffer refusals; /* lines "LINE FIELD VALUE: REASON" */
    char folder[256];
};

static void
take_refusal(void *context, const struct oi_import_refusal *refusal)
{
    struct told *told = context;

    oi_buffer_add_format(&told->refusals, "%llu %.*s %.*s: %s\n",
                         (unsigned long long) refusal->line, OI_SLICE_ARGS(refusal->field),
                         OI_SLICE_ARGS(refusal->value), refusal->reason);
}

static void
begin(struct told *told, void **state, const struct oi_archive *archive)
{
    memset(told, 0, sizeof(*told));
    (void) snprintf(told->folder, sizeof(told->folder), "%s", (const char *) *state);
    test_store_begin(&told->test, told->folder, "store", &oi_kv_memory);
    told->mapping = OI_MAPPING_NONE;
    told->options =
        (struct oi_import_options){ .archive = archive, .refused = take_refusal, .context = told };
    if (archive == &oi_archive_csv) {
        told->options.mapping = &told->mapping;
        assert_ok(oi_mapping_set(&told->mapping, "time", OI_SLICE("t:s"), NULL));
        assert_ok(oi_mapping_set(&told->mapping, "oi", OI_SLICE("x"), NULL));
        assert_ok(oi_mapping_set(&told->mapping, "unit", OI_SLICE("usd"), NULL));
        assert_ok(oi_mapping_set(&told->mapping, "market", OI_SLICE("e:p:{m}"), NULL));
    }
}

static void
end(struct told *told)
{
    test_store_close(&told->test);
    oi_mapping_release(&told->mapping);
    oi_buffer_release(&told->refusals);
}

static enum oi_status
import_bytes(struct told *told, const char *name, struct oi_slice bytes)
{
    char path[512];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/%s", told->folder, name);
    file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    oi_buffer_clear(&told->refusals);
    return oi_import_file(told->test.store, path, &told->options, &told->report, &told->error);
}

static void
assert_report(const struct told *told, uint64_t rows, uint64_t stored, uint64_t duplicate,
              uint64_t refused)
{
    assert_int_equal(told->report.rows, rows);
    assert_int_equal(told->report.stored, stored);
    assert_int_equal(told->report.duplicate, duplicate);
    assert_int_equal(told->report.refused, refused);
}

static void
assert_refusals(struct told *told, const char *expected)
{
    oi_buffer_add_char(&told->refusals, '\0');
    assert_string_equal(told->refusals.data, expected);
}

/* The series of a market in a feed, by their names; 0: there is none. */
static uint32_t
find_series(struct told *told, const char *symbol, const char *feed)
{
    const struct oi_catalog *catalog = oi_store_catalog(told->test.store);
    uint32_t found = 0;

    for (size_t i = 0; i < catalog->series_count; i++) {
        const struct oi_series *series = &catalog->series[i];

        if (strcmp(catalog->instruments[series->instrument - 1].symbol, symbol) == 0 &&
            strcmp(catalog->feeds[series->feed - 1].name, feed) == 0)
            found = series->id;
    }
    oi_catalog_unref(&catalog);
    return found;
}

static struct oi_feed
find_feed(struct told *told, const char *name)
{
    const struct oi_catalog *catalog = oi_store_catalog(told->test.store);
    struct oi_feed found = {};

    for (size_t i = 0; i < catalog->feed_count; i++)
        if (strcmp(catalog->feeds[i].name, name) == 0)
            found = catalog->feeds[i];
    oi_catalog_unref(&catalog);
    return found;
}

static uint64_t
count_rows(struct told *told, uint32_t series)
{
    struct oi_extent extent = {};

    if (series == 0 || oi_store_extent(told->test.store, series, &extent, NULL) != OI_OK)
        return 0;
    return extent.rows;
}

static void
a_table_becomes_a_feed_of_provisional_markets(void **state)
{
    struct told told;
    struct oi_observation reading = {};
    struct oi_feed feed;
    uint32_t series;

    begin(&told, state, &oi_archive_csv);
    assert_ok(import_bytes(&told, "ours.csv",
                           OI_SLICE("t,m,x\n0,A,1.50\n0,B,7\n3600,A,2\n7200,A,bad\n7200,A,3\n")));
    assert_report(&told, 5, 4, 0, 1);
    assert_refusals(&told, "5 x bad: a character that is no digit\n");
    series = find_series(&told, "A", "import:ours");
    assert_int_equal(count_rows(&told, series), 3);
    assert_ok(oi_store_at(told.test.store, series, 10, OI_MOMENT_LATEST, &reading, NULL));
    assert_int_equal(reading.open_interest.mantissa, 15);
    assert_int_equal(reading.open_interest.exponent, -1);
    assert_int_equal(reading.known_time, TEST_START);
    assert_int_equal(reading.flags, OI_FLAG_DEFINITION_ASSUMED);
    feed = find_feed(&told, "import:ours");
    assert_int_equal(feed.unit, OI_UNIT_USD);
    assert_int_equal(feed.cadence_ns, OI_HOUR);
    assert_false(feed.restates);
    end(&told);
}

static void
the_same_file_twice_changes_nothing_and_says_so(void **state)
{
    const struct oi_slice bytes = OI_SLICE("t,m,x\n0,A,1\n60,A,2\n");
    struct told told;
    uint64_t batch;

    begin(&told, state, &oi_archive_csv);
    assert_ok(import_bytes(&told, "a.csv", bytes));
    batch = oi_store_last_batch(told.test.store);
    assert_ok(import_bytes(&told, "b.csv", bytes));
    assert_true(told.report.was_imported);
    assert_int_equal(told.report.last_batch, 0);
    assert_int_equal(oi_store_last_batch(told.test.store), batch);
    end(&told);
}

static void
rows_that_came_before_are_duplicates_and_different_ones_are_refused(void **state)
{
    struct told told;

    begin(&told, state, &oi_archive_csv);
    told.options.name = "same";
    assert_ok(import_bytes(&told, "a.csv", OI_SLICE("t,m,x\n0,A,1\n60,A,2\n")));
    assert_ok(import_bytes(&told, "b.csv", OI_SLICE("t,m,x\n0,A,1.0\n60,A,3\n120,A,4\n")));
    assert_report(&told, 3, 1, 1, 1);
    assert_refusals(&told, "3 open interest 3: a second, different reading: the feed does not "
                           "restate\n");
    assert_int_equal(count_rows(&told, find_series(&told, "A", "import:same")), 3);
    end(&told);
}

static void
an_import_goes_on_behind_its_last_commit(void **state)
{
    const struct oi_slice bytes = OI_SLICE("t,m,x\n0,A,1\n60,A,bad\n120,A,2\n180,A,3\n");
    struct told told;
    struct oi_import_mark mark = {
        .name = "a.csv", .format = "csv", .rows_done = 3, .stored = 2, .refused = 1
    };
    const struct oi_batch before = { .import = &mark };
    struct oi_append_result result = {};

    begin(&told, state, &oi_archive_csv);
    oi_sha256(bytes, mark.fingerprint);
    assert_ok(oi_store_append(told.test.store, &before, &result, NULL));
    assert_ok(import_bytes(&told, "a.csv", bytes));
    assert_int_equal(told.report.rows_before, 3);
    assert_report(&told, 4, 3, 0, 1);
    assert_int_equal(count_rows(&told, find_series(&told, "A", "import:a")), 1);
    assert_ok(import_bytes(&told, "a.csv", bytes));
    assert_true(told.report.was_imported);
    end(&told);
}

static void
a_part_that_came_as_another_format_is_refused(void **state)
{
    const struct oi_slice bytes = OI_SLICE("t,m,x\n0,A,1\n");
    struct told told;
    struct oi_import_mark mark = { .name = "a.csv", .format = "tardis", .rows_done = 1 };
    const struct oi_batch before = { .import = &mark };
    struct oi_append_result result = {};

    begin(&told, state, &oi_archive_csv);
    oi_sha256(bytes, mark.fingerprint);
    assert_ok(oi_store_append(told.test.store, &before, &result, NULL));
    assert_status(import_bytes(&told, "a.csv", bytes), OI_E_INVALID);
    end(&told);
}

static void
units_that_differ_by_row_become_feeds_of_their_own(void **state)
{
    struct told told;

    begin(&told, state, &oi_archive_csv);
    assert_ok(oi_mapping_set(&told.mapping, "unit-when", OI_SLICE("m=B:coins"), NULL));
    assert_ok(import_bytes(&told, "u.csv.txt", OI_SLICE("t,m,x\n0,A,1\n0,B,2\n")));
    assert_int_equal(find_feed(&told, "import:u#usd").unit, OI_UNIT_USD);
    assert_int_equal(find_feed(&told, "import:u#coins").unit, OI_UNIT_COINS);
    assert_int_equal(count_rows(&told, find_series(&told, "B", "import:u#coins")), 1);
    assert_int_equal(find_series(&told, "B", "import:u#usd"), 0);
    end(&told);
}

static void
a_defined_market_is_used_also_where_its_product_was_guessed(void **state)
{
    struct told told;
    struct oi_observation reading = {};
    uint32_t id = 0, series;
    const struct oi_catalog *catalog;

    begin(&told, state, &oi_archive_csv);
    assert_ok(oi_mapping_set(&told.mapping, "market", OI_SLICE("example-{m}-future"), NULL));
    assert_ok(import_bytes(&told, "a.csv", OI_SLICE("t,m,x\n0,MARKET2,1\n")));
    series = find_series(&told, "MARKET2", "import:a");
    catalog = oi_store_catalog(told.test.store);
    id = catalog->series[series - 1].instrument;
    oi_catalog_unref(&catalog);
    assert_int_equal(id, told.test.instruments[2]);
    assert_ok(oi_store_latest(told.test.store, series, &reading, NULL));
    assert_int_equal(reading.flags, 0);
    end(&told);
}

static void
a_lag_gives_known_times_and_says_that_they_are_assumed(void **state)
{
    struct told told;
    struct oi_observation reading = {};

    begin(&told, state, &oi_archive_csv);
    told.options.has_known_after = true;
    told.options.known_after_ns = OI_HOUR;
    /* The second one would have been known an hour from now. */
    assert_ok(import_bytes(&told, "a.csv", OI_SLICE("t,m,x\n0,A,1\n1767225600,A,2\n")));
    assert_report(&told, 2, 1, 0, 1);
    assert_int_equal(strncmp(told.refusals.data, "3 open interest 2: ", 19), 0);
    assert_ok(
        oi_store_latest(told.test.store, find_series(&told, "A", "import:a"), &reading, NULL));
    assert_int_equal(reading.known_time, OI_HOUR);
    assert_true(reading.flags & OI_FLAG_KNOWN_ASSUMED);
    end(&told);
}

#define METRICS "create_time,symbol,sum_open_interest,sum_open_interest_value\n"

static void
a_later_archive_revises_and_a_doubled_row_does_not(void **state)
{
    struct told told;
    struct oi_observation reading = {};
    uint32_t series;

    begin(&told, state, &oi_archive_binance_vision);
    assert_ok(import_bytes(&told, "a.csv",
                           OI_SLICE(METRICS "2025-01-01 00:05:00,BTCUSDT,10,20\n"
                                            "2025-01-01 00:05:00,BTCUSDT,10,20\n"
                                            "2025-01-01 00:05:00,BTCUSDT,11,20\n")));
    assert_report(&told, 3, 1, 1, 1);
    assert_refusals(&told, "4 open interest 11: a second, different figure for one instant: the "
                           "first stands\n");
    oi_virtual_clock_advance(&told.test.clock, OI_DAY);
    assert_ok(
        import_bytes(&told, "b.csv", OI_SLICE(METRICS "2025-01-01 00:05:00,BTCUSDT,12,20\n")));
    assert_report(&told, 1, 1, 0, 0);
    series = find_series(&told, "BTCUSDT", "archive:binance-vision");
    assert_ok(oi_store_latest(told.test.store, series, &reading, NULL));
    assert_int_equal(reading.open_interest.mantissa, 12);
    assert_int_equal(count_rows(&told, series), 2);
    end(&told);
}

static void
a_withdrawn_file_may_come_again(void **state)
{
    const struct oi_slice bytes = OI_SLICE("t,m,x\n0,A,1\n");
    struct told told;

    begin(&told, state, &oi_archive_csv);
    assert_ok(import_bytes(&told, "a.csv", bytes));
    assert_ok(oi_store_withdraw(told.test.store, told.report.first_batch, NULL));
    assert_ok(import_bytes(&told, "a.csv", bytes));
    assert_false(told.report.was_imported);
    assert_report(&told, 1, 1, 0, 0);
    end(&told);
}

/* Two days of metrics, made with another program. */
static const char two_days[] =
    "\x50\x4b\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\xda\x5a\x05\xdc\x1b\x37\x59\x00"
    "\x00\x00\x80\x00\x00\x00\x1e\x00\x00\x00\x42\x54\x43\x55\x53\x44\x54\x2d\x6d\x65"
    "\x74\x72\x69\x63\x73\x2d\x32\x30\x32\x35\x2d\x30\x36\x2d\x32\x35\x2e\x63\x73\x76"
    "\x4b\x2e\x4a\x4d\x2c\x49\x8d\x2f\xc9\xcc\x4d\xd5\x29\xae\xcc\x4d\xca\xcf\xd1\x29"
    "\x2e\xcd\x8d\xcf\x2f\x48\xcd\x8b\xcf\xcc\x2b\x49\x2d\x4a\x2d\x2e\xc1\x14\x89\x2f"
    "\x4b\xcc\x29\x4d\xe5\x32\x32\x30\x32\xd5\x35\x30\xd3\x35\x32\x55\x30\x30\xb0\x32"
    "\x30\xb5\x32\x30\xd0\x71\x0a\x71\x0e\x0d\x76\x09\xd1\x31\x34\xd0\x31\x32\x40\x53"
    "\x61\x68\x80\xac\xa2\x02\xa4\x00\x00\x50\x4b\x03\x04\x14\x00\x00\x00\x08\x00\x00"
    "\x00\xda\x5a\x99\x9f\xc1\x26\x51\x00\x00\x00\x5f\x00\x00\x00\x1e\x00\x00\x00\x42"
    "\x54\x43\x55\x53\x44\x54\x2d\x6d\x65\x74\x72\x69\x63\x73\x2d\x32\x30\x32\x35\x2d"
    "\x30\x36\x2d\x32\x36\x2e\x63\x73\x76\x4b\x2e\x4a\x4d\x2c\x49\x8d\x2f\xc9\xcc\x4d"
    "\xd5\x29\xae\xcc\x4d\xca\xcf\xd1\x29\x2e\xcd\x8d\xcf\x2f\x48\xcd\x8b\xcf\xcc\x2b"
    "\x49\x2d\x4a\x2d\x2e\xc1\x14\x89\x2f\x4b\xcc\x29\x4d\xe5\x32\x32\x30\x32\xd5\x35"
    "\x30\xd3\x35\x32\x53\x30\x30\xb0\x32\x30\xb5\x32\x30\xd0\x71\x0a\x71\x0e\x0d\x76"
    "\x09\xd1\x31\x34\xd4\x31\x32\xe4\x02\x00\x50\x4b\x01\x02\x14\x03\x14\x00\x00\x00"
    "\x08\x00\x00\x00\xda\x5a\x05\xdc\x1b\x37\x59\x00\x00\x00\x80\x00\x00\x00\x1e\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00\x42\x54\x43\x55"
    "\x53\x44\x54\x2d\x6d\x65\x74\x72\x69\x63\x73\x2d\x32\x30\x32\x35\x2d\x30\x36\x2d"
    "\x32\x35\x2e\x63\x73\x76\x50\x4b\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00"
    "\xda\x5a\x99\x9f\xc1\x26\x51\x00\x00\x00\x5f\x00\x00\x00\x1e\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x80\x01\x95\x00\x00\x00\x42\x54\x43\x55\x53\x44\x54\x2d"
    "\x6d\x65\x74\x72\x69\x63\x73\x2d\x32\x30\x32\x35\x2d\x30\x36\x2d\x32\x36\x2e\x63"
    "\x73\x76\x50\x4b\x05\x06\x00\x00\x00\x00\x02\x00\x02\x00\x98\x00\x00\x00\x22\x01"
    "\x00\x00\x00\x00";

static void
every_file_of_a_zip_is_imported(void **state)
{
    struct told told;

    begin(&told, state, &oi_archive_binance_vision);
    assert_ok(import_bytes(&told, "days.zip", OI_SLICE(two_days)));
    assert_report(&told, 3, 2, 0, 1);
    assert_refusals(&told, "3 sum_open_interest x: a character that is no digit\n");
    assert_ok(import_bytes(&told, "days.zip", OI_SLICE(two_days)));
    assert_true(told.report.was_imported);
    end(&told);
}

/* Many rows that hardly shrink. */
static void
write_rows(struct oi_buffer *text, int count)
{
    struct oi_random random;

    oi_random_init(&random, 5);
    oi_buffer_add_text(text, "t,m,x\n");
    for (int i = 0; i < count; i++)
        oi_buffer_add_format(text, "%d,A,%llu\n", i,
                             (unsigned long long) (oi_random_next(&random) >> 1));
}

static void
a_cut_gzip_keeps_what_came_before_and_names_itself(void **state)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
    struct told told;
    uint64_t kept;

    begin(&told, state, &oi_archive_csv);
    write_rows(&text, 60'000);
    oi_gzip(oi_buffer_slice(&text), 1, &packed);
    assert_status(
        import_bytes(&told, "cut.csv.gz", (struct oi_slice){ packed.data, packed.size / 2 }),
        OI_E_CORRUPT);
    assert_non_null(strstr(told.error.message, "cut.csv.gz: "));
    kept = told.report.stored;
    assert_in_range(kept, 10'000, 40'000);
    assert_int_equal(count_rows(&told, find_series(&told, "A", "import:cut")), kept);
    /* The whole one brings the rest. */
    assert_ok(import_bytes(&told, "cut.csv.gz", oi_buffer_slice(&packed)));
    assert_report(&told, 60'000, 60'000 - kept, kept, 0);
    end(&told);
}

static void
what_is_no_table_changes_nothing(void **state)
{
    struct told told;
    uint64_t batch;

    begin(&told, state, &oi_archive_csv);
    batch = oi_store_last_batch(told.test.store);
    assert_status(import_bytes(&told, "a.jsonl", OI_SLICE("{\"a\":1}\n")), OI_E_INVALID);
    assert_status(import_bytes(&told, "b.csv", OI_SLICE("")), OI_E_INVALID);
    assert_status(import_bytes(&told, "c.csv", OI_SLICE("t,m\n")), OI_E_INVALID);
    assert_status(oi_import_file(told.test.store, "/nowhere/at/all", &told.options, &told.report,
                                 &told.error),
                  OI_E_NOT_FOUND);
    assert_status(
        oi_import_file(told.test.store, told.folder, &told.options, &told.report, &told.error),
        OI_E_INVALID);
    assert_int_equal(oi_store_last_batch(told.test.store), batch);
    end(&told);
}

#define IN_FOLDER(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_table_becomes_a_feed_of_provisional_markets),
        IN_FOLDER(the_same_file_twice_changes_nothing_and_says_so),
        IN_FOLDER(rows_that_came_before_are_duplicates_and_different_ones_are_refused),
        IN_FOLDER(an_import_goes_on_behind_its_last_commit),
        IN_FOLDER(a_part_that_came_as_another_format_is_refused),
        IN_FOLDER(units_that_differ_by_row_become_feeds_of_their_own),
        IN_FOLDER(a_defined_market_is_used_also_where_its_product_was_guessed),
        IN_FOLDER(a_lag_gives_known_times_and_says_that_they_are_assumed),
        IN_FOLDER(a_later_archive_revises_and_a_doubled_row_does_not),
        IN_FOLDER(a_withdrawn_file_may_come_again),
        IN_FOLDER(every_file_of_a_zip_is_imported),
        IN_FOLDER(a_cut_gzip_keeps_what_came_before_and_names_itself),
        IN_FOLDER(what_is_no_table_changes_nothing),
    };
    return cmocka_run_group_tests_name("collector/import", tests, NULL, NULL);
}
