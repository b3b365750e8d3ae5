/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading in bulk says and stores what importing row by row does: tables out of a seed, usual and
 * odd ones, go both ways, and the two stores must answer alike, count alike and refuse the same
 * lines.
 */
#include "collector/import.h"

#include "base/crypto.h"
#include "base/random.h"
#include "kv/memory.h"
#include "support/test_store.h"

#include <stdlib.h>

#define ROUNDS 150

/* One way of importing. */
struct way {
    struct test_store test;
    struct oi_mapping mapping;
    struct oi_import_options options;
    struct oi_import_report report;
    struct oi_error error;
    OI_VECTOR(char *) refusals; /* "LINE FIELD VALUE[: REASON]" */
};

static void
take_refusal(void *context, const struct oi_import_refusal *refusal)
{
    struct way *way = context;
    struct oi_buffer text = {};
    /* What the store says of a repeated instant depends on where a commit ends. */
    bool is_stores = oi_slice_is(refusal->field, "open interest");

    oi_buffer_add_format(&text, "%08llu %.*s %.*s: %s", (unsigned long long) refusal->line,
                         OI_SLICE_ARGS(refusal->field), OI_SLICE_ARGS(refusal->value),
                         is_stores ? "" : refusal->reason);
    oi_buffer_add_char(&text, '\0');
    oi_vector_push(&way->refusals, text.data);
}

static int
compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *) left, *(char *const *) right);
}

/* How a table is written. */
struct table {
    struct oi_random random;
    uint64_t time_shape;   /* 0 iso Z, 1 iso blank, 2 s, 3 ms, 4 ns, 5 iso with fraction */
    uint64_t market_shape; /* 0 {m}, 1 {e}-{m}-future, 2 one for all, 3 a unit by row */
    bool has_known, has_lag, has_returns, has_quotes, is_odd, is_by_time, is_padded, is_measured;
    uint64_t known; /* grows */
    uint64_t rows;  /* at least */
    struct oi_buffer text;
};

static bool
chance(struct table *table, uint64_t of)
{
    return oi_random_below(&table->random, of) == 0;
}

static void
write_figure(struct table *table, uint64_t value)
{
    static const char *const odd[] = { "",
                                       "NaN",
                                       "bad",
                                       "-5",
                                       " 12 ",
                                       "1e3",
                                       "123456789012345678901234567890.5",
                                       ".5",
                                       "5.",
                                       "+7",
                                       "0.0",
                                       "000",
                                       "12x",
                                       "1234567890123456789",
                                       "0.1234567890123456789" };

    if (table->is_odd && chance(table, 12)) {
        oi_buffer_add_text(&table->text, odd[oi_random_below(&table->random, OI_COUNT(odd))]);
        return;
    }
    if (table->has_quotes && chance(table, 40)) {
        oi_buffer_add_format(&table->text, "\"%llu\"", (unsigned long long) value);
        return;
    }
    oi_buffer_add_format(&table->text, table->is_padded ? "%llu.%03llu" : "%llu.%llu",
                         (unsigned long long) (value / 1000), (unsigned long long) (value % 1000));
}

static void
write_time(struct table *table, int64_t seconds)
{
    struct oi_buffer iso = {};

    switch (table->time_shape) {
    case 2:
        oi_buffer_add_format(&table->text, "%lld", (long long) seconds);
        break;
    case 3:
        oi_buffer_add_format(&table->text, "%lld000", (long long) seconds);
        break;
    case 4:
        oi_buffer_add_format(&table->text, "%lld000000001", (long long) seconds);
        break;
    default:
        oi_time_write(seconds * OI_SECOND + OI_MILLISECOND, table->time_shape == 5 ? 6 : 0, &iso);
        if (table->time_shape == 1)
            iso.data[10] = ' ', iso.size--;
        oi_buffer_add_slice(&table->text, oi_buffer_slice(&iso));
        break;
    }
    oi_buffer_release(&iso);
}

static void
write_row(struct table *table, uint64_t market, uint64_t minute)
{
    int64_t seconds = TEST_START / OI_SECOND - 10'000'000 + (int64_t) minute * 60;
    /* Few values, so that repetitions are often equal. */
    uint64_t value = (minute * 7 + market * 1000 + oi_random_below(&table->random, 2)) % 5000;

    if (table->is_odd && chance(table, 60))
        oi_buffer_add_text(&table->text, chance(table, 2) ? "" : "1,2\n");
    if (table->is_odd && chance(table, 60))
        oi_buffer_add_text(&table->text, "\n  \n");
    if (table->is_odd && chance(table, 40))
        oi_buffer_add_text(&table->text, "yesterday");
    else
        write_time(table, seconds);
    oi_buffer_add_format(&table->text, ",Exch%llu,%s%llu%s,", (unsigned long long) market % 2,
                         table->is_odd && chance(table, 30) ? " " : "", (unsigned long long) market,
                         table->is_odd && chance(table, 50) ? "\xC3\xA9" : "");
    write_figure(table, value);
    oi_buffer_add_char(&table->text, ',');
    write_figure(table, value * 3);
    oi_buffer_add_char(&table->text, ',');
    if (!chance(table, 5))
        write_figure(table, 64'000'123 + value);
    oi_buffer_add_text(&table->text, ",ignored text,");
    /* In the order of the file: else it matters where a commit ends. */
    if (table->has_known)
        oi_buffer_add_format(&table->text, "%lld",
                             (long long) (TEST_START / OI_SECOND - 1'000'000) +
                                 (long long) table->known++);
    if (table->is_odd && chance(table, 60))
        oi_buffer_add_text(&table->text, ",more");
    oi_buffer_add_text(&table->text, table->has_returns ? "\r\n" : "\n");
}

static void
write_table(struct table *table)
{
    uint64_t markets = 1 + oi_random_below(&table->random, 5);
    uint64_t minutes = 10 + oi_random_below(&table->random, 300);

    table->time_shape = oi_random_below(&table->random, 6);
    table->market_shape = oi_random_below(&table->random, 4);
    table->has_known = chance(table, 3);
    table->has_lag = !table->has_known && chance(table, 3);
    table->has_returns = chance(table, 4);
    table->is_odd = chance(table, 2);
    table->has_quotes = chance(table, 8);
    table->is_by_time = chance(table, 2);
    table->is_padded = chance(table, 2);
    table->is_measured = chance(table, 2);
    oi_buffer_add_text(&table->text, "t,e,m,x,v,p,i,k");
    oi_buffer_add_text(&table->text, table->has_returns ? "\r\n" : "\n");
    table->rows = markets * minutes;
    for (uint64_t i = 0; i < table->rows; i++) {
        uint64_t market = table->is_by_time ? i % markets : i / minutes;
        uint64_t minute = table->is_by_time ? i / markets : i % minutes;

        if (chance(table, 100))
            minute = oi_random_below(&table->random, minutes);
        write_row(table, market, minute);
        if (chance(table, 50))
            write_row(table, market, minute);
    }
    if (chance(table, 3))
        table->text.size--;
}

static void
set(struct way *way, const char *option, const char *value)
{
    assert_ok(oi_mapping_set(&way->mapping, option, oi_slice_of(value), NULL));
}

static void
begin(struct way *way, const struct table *table, const char *folder, const char *name)
{
    static const char *const times[] = { "t", "t", "t:s", "t:ms", "t:ns", "t:iso" };
    static const char *const markets[] = { "ex:p:{m}", "{e}-{m}-future", "ex:p:ALL", "ex:p:{m}" };

    memset(way, 0, sizeof(*way));
    test_store_begin(&way->test, folder, name, &oi_kv_memory);
    oi_store_close(&way->test.store);
    way->test.options.chunk_rows = 32;
    test_store_open(&way->test);
    way->mapping = OI_MAPPING_NONE;
    set(way, "time", times[table->time_shape]);
    set(way, "zone", "UTC");
    set(way, "oi", "x");
    set(way, "value", "v");
    set(way, "mark", "p");
    set(way, "unit", "usd");
    if (!table->is_measured)
        set(way, "every", "1m");
    set(way, "market", markets[table->market_shape]);
    if (table->market_shape == 3)
        set(way, "unit-when", "e=*1:coins");
    if (table->has_known)
        set(way, "known-time", "k:s");
    way->options = (struct oi_import_options){ .archive = &oi_archive_csv,
                                               .mapping = &way->mapping,
                                               .has_known_after = table->has_lag,
                                               .known_after_ns = 5 * OI_MINUTE,
                                               .refused = take_refusal,
                                               .context = way };
}

static void
end(struct way *way)
{
    for (size_t i = 0; i < way->refusals.count; i++)
        oi_free(way->refusals.items[i]);
    oi_vector_release(&way->refusals);
    oi_mapping_release(&way->mapping);
    test_store_close(&way->test);
}

static void
import(struct way *way, const char *path)
{
    enum oi_status status =
        oi_import_file(way->test.store, path, &way->options, &way->report, &way->error);

    if (status != OI_OK)
        print_error("%s\n", way->error.message);
    assert_ok(status);
    if (way->refusals.count > 0)
        qsort(way->refusals.items, way->refusals.count, sizeof(char *), compare_texts);
    test_store_verify(&way->test);
}

/* Every row of a series, revisions too. */
static void
read_rows(struct oi_store *store, uint32_t series, struct oi_observation **ret_rows,
          size_t *ret_count)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .all_revisions = true };
    OI_VECTOR(struct oi_observation) rows = {};
    const struct oi_columns *columns;
    struct oi_scan *scan = NULL;

    assert_ok(oi_store_scan(store, &request, &scan, NULL));
    for (;;) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        for (size_t i = 0; i < columns->count; i++) {
            const struct oi_observation row = oi_columns_get(columns, i);

            oi_vector_push(&rows, row);
        }
    }
    oi_scan_close(&scan);
    *ret_rows = rows.items;
    *ret_count = rows.count;
}

static uint32_t
find_series(const struct oi_catalog *catalog, const char *feed, const struct oi_instrument *market)
{
    for (size_t i = 0; i < catalog->series_count; i++) {
        const struct oi_series *series = &catalog->series[i];
        const struct oi_instrument *found = &catalog->instruments[series->instrument - 1];

        if (strcmp(catalog->feeds[series->feed - 1].name, feed) == 0 &&
            strcmp(found->exchange, market->exchange) == 0 &&
            strcmp(found->product, market->product) == 0 &&
            strcmp(found->symbol, market->symbol) == 0)
            return series->id;
    }
    return 0;
}

static void
assert_same_stores(struct way *one, struct way *other)
{
    const struct oi_catalog *left = oi_store_catalog(one->test.store);
    const struct oi_catalog *right = oi_store_catalog(other->test.store);

    /* Markets of rows that an earlier run dealt with may be made again: it made them already. */
    assert_true(right->series_count >= left->series_count);
    for (size_t i = 0; i < left->series_count; i++) {
        const struct oi_series *series = &left->series[i];
        uint32_t twin = find_series(right, left->feeds[series->feed - 1].name,
                                    &left->instruments[series->instrument - 1]);
        struct oi_observation *found, *expected, newest, latest;
        size_t found_count, expected_count;

        assert_int_not_equal(twin, 0);
        read_rows(one->test.store, series->id, &expected, &expected_count);
        read_rows(other->test.store, twin, &found, &found_count);
        assert_int_equal(found_count, expected_count);
        for (size_t k = 0; k < found_count; k++)
            test_store_assert_same(&found[k], &expected[k]);
        if (found_count > 0) {
            assert_ok(oi_store_latest(one->test.store, series->id, &newest, NULL));
            assert_ok(oi_store_latest(other->test.store, twin, &latest, NULL));
            test_store_assert_same(&latest, &newest);
        }
        oi_free(found);
        oi_free(expected);
    }
    oi_catalog_unref(&left);
    oi_catalog_unref(&right);
}

static void
assert_same_reports(const struct way *one, const struct way *other)
{
    assert_int_equal(other->report.rows, one->report.rows);
    assert_int_equal(other->report.stored, one->report.stored);
    assert_int_equal(other->report.duplicate, one->report.duplicate);
    assert_int_equal(other->report.refused, one->report.refused);
    assert_int_equal(other->refusals.count, one->refusals.count);
    for (size_t i = 0; i < one->refusals.count; i++)
        assert_string_equal(other->refusals.items[i], one->refusals.items[i]);
}

/* An earlier run that dealt with the first rows, in both stores. */
static void
begin_half(struct way *way, struct oi_slice bytes, uint64_t rows_done)
{
    struct oi_import_mark mark = { .name = "t.csv", .format = "csv", .rows_done = rows_done };
    const struct oi_batch batch = { .import = &mark };
    struct oi_append_result result;

    oi_sha256(bytes, mark.fingerprint);
    assert_ok(oi_store_append(way->test.store, &batch, &result, NULL));
}

/* However it came in, the ledger knows it by its bytes in the end. */
static void
assert_known(struct way *way, const char *path, struct oi_slice bytes)
{
    struct oi_import_report report;
    struct oi_import_mark mark;
    uint8_t fingerprint[OI_FINGERPRINT_SIZE];
    struct oi_fingerprint_stream *stream = oi_fingerprint_begin();

    oi_fingerprint_add(stream, bytes);
    oi_fingerprint_finish(&stream, fingerprint);
    assert_ok(oi_store_import_find(way->test.store, fingerprint, &mark, &way->error));
    assert_true(mark.is_complete);
    assert_int_equal(mark.rows_done, way->report.rows);
    assert_ok(oi_import_file(way->test.store, path, &way->options, &report, &way->error));
    assert_true(report.was_imported);
}

/* Returns how many rows came straight into chunks. */
static uint64_t
run_round(const char *folder, uint64_t seed)
{
    struct table table = {};
    struct way rows, bulk;
    struct oi_store_stats stats;
    struct oi_slice bytes;
    char path[512], name[32];
    FILE *file;

    oi_random_init(&table.random, seed);
    write_table(&table);
    bytes = oi_buffer_slice(&table.text);
    (void) snprintf(path, sizeof(path), "%s/t.csv", folder);
    file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    (void) snprintf(name, sizeof(name), "rows%llu", (unsigned long long) seed);
    begin(&rows, &table, folder, name);
    (void) snprintf(name, sizeof(name), "bulk%llu", (unsigned long long) seed);
    begin(&bulk, &table, folder, name);
    rows.options.is_never_bulk = true;
    bulk.options.piece_size = 30 + oi_random_below(&table.random, 3000);
    if (chance(&table, 4)) {
        uint64_t done = oi_random_below(&table.random, table.rows);

        begin_half(&rows, bytes, done);
        begin_half(&bulk, bytes, done);
    }
    import(&rows, path);
    import(&bulk, path);
    assert_same_reports(&rows, &bulk);
    assert_same_stores(&rows, &bulk);
    assert_known(&bulk, path, bytes);
    oi_store_stats(bulk.test.store, &stats);
    end(&rows);
    end(&bulk);
    oi_buffer_release(&table.text);
    return stats.chunk_rows;
}

static void
a_table_in_bulk_is_the_same_as_row_by_row(void **state)
{
    const char *given = getenv("OI_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : 1, loaded = 0;

    for (uint64_t seed = first; seed < first + ROUNDS; seed++) {
        print_message("seed %llu\n", (unsigned long long) seed);
        loaded += run_round(*state, seed);
    }
    assert_true(loaded > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_in_bulk_is_the_same_as_row_by_row,
                                        test_folder_setup, test_folder_teardown),
    };

    return cmocka_run_group_tests_name("collector/import_bulk", tests, NULL, NULL);
}
