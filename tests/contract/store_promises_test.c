/* SPDX-License-Identifier: Apache-2.0 */
/* What a store promises, promise by promise, one run for each engine. */
#include "base/alloc.h"
#include "kv/memory.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "support/test_clickhouse.h"
#include "support/test_store.h"

static const struct oi_kv_engine *engine; /* the one whose turn it is */

/* The same engine, but the test gets hold of what was opened. */
static struct oi_kv *opened_kv;
static struct oi_kv_engine open_engine;

static enum oi_status
open_and_keep(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
              struct oi_error *error)
{
    enum oi_status status = engine->open(folder, options, ret_kv, error);

    opened_kv = status == OI_OK ? *ret_kv : NULL;
    return status;
}

static void
begin(struct test_store *test, void **state)
{
    open_engine = *engine;
    open_engine.open = open_and_keep;
    test_store_begin(test, *state, "store", &open_engine);
}

static void
an_instrument_keeps_its_id_and_gets_versions(void **state)
{
    struct test_store test;
    struct oi_instrument definition, found;
    uint32_t id;
    size_t changed;

    begin(&test, state);
    definition = test_store_instrument("MARKET1");
    assert_ok(oi_store_define(test.store, &definition, 1, &id, &changed, NULL));
    assert_int_equal(id, test.instruments[1]);
    assert_int_equal(changed, 0);
    oi_virtual_clock_advance(&test.clock, OI_HOUR);
    definition.contract_size = oi_decimal_from(5, 0);
    assert_ok(oi_store_define(test.store, &definition, 1, &id, &changed, NULL));
    assert_int_equal(id, test.instruments[1]);
    assert_int_equal(changed, 1);
    test_store_reopen(&test);
    /* Before the change, after it, and after it as known before it. */
    assert_ok(oi_store_instrument(test.store, id, TEST_START, OI_TIME_LATEST, &found, NULL));
    assert_true(oi_decimal_is_none(&found.contract_size));
    assert_true(found.is_assumed);
    assert_ok(oi_store_instrument(test.store, id, TEST_START + 2 * OI_HOUR, OI_TIME_LATEST, &found,
                                  NULL));
    assert_int_equal(found.contract_size.mantissa, 5);
    assert_ok(oi_store_instrument(test.store, id, TEST_START + 2 * OI_HOUR, TEST_START + OI_MINUTE,
                                  &found, NULL));
    assert_true(oi_decimal_is_none(&found.contract_size));
    assert_status(oi_store_instrument(test.store, id, TEST_START, TEST_START - 1, &found, NULL),
                  OI_E_NOT_FOUND);
    assert_status(oi_store_instrument(test.store, 99, 0, OI_TIME_LATEST, &found, NULL),
                  OI_E_NOT_FOUND);
    test_store_close(&test);
}

static void
a_symbol_listed_again_is_another_instrument(void **state)
{
    struct test_store test;
    struct oi_instrument definition;
    uint32_t first, second, again;

    begin(&test, state);
    definition = test_store_instrument("REUSED");
    definition.listed = TEST_START - 9 * OI_DAY;
    assert_ok(oi_store_define(test.store, &definition, 1, &first, NULL, NULL));
    definition.listed = TEST_START - OI_DAY;
    assert_ok(oi_store_define(test.store, &definition, 1, &second, NULL, NULL));
    assert_int_not_equal(first, second);
    definition.listed = OI_TIME_NONE;
    assert_ok(oi_store_define(test.store, &definition, 1, &again, NULL, NULL));
    assert_int_equal(again, second);
    definition.listed = TEST_START - 9 * OI_DAY;
    assert_ok(oi_store_define(test.store, &definition, 1, &again, NULL, NULL));
    assert_int_equal(again, first);
    test_store_close(&test);
}

static void
a_provisional_instrument_is_defined_back_to_its_listing(void **state)
{
    struct test_store test;
    struct oi_instrument definition = test_store_instrument("IMPORTED"), found;
    uint32_t id;
    size_t changed;

    begin(&test, state);
    definition.kind = OI_KIND_UNKNOWN;
    definition.is_provisional = true;
    assert_ok(oi_store_define(test.store, &definition, 1, &id, NULL, NULL));
    definition = test_store_instrument("IMPORTED");
    assert_ok(oi_store_define(test.store, &definition, 1, NULL, &changed, NULL));
    assert_int_equal(changed, 1);
    assert_ok(oi_store_instrument(test.store, id, TEST_START - 99 * OI_DAY, OI_TIME_LATEST, &found,
                                  NULL));
    assert_false(found.is_provisional);
    definition.is_provisional = true;
    assert_ok(oi_store_define(test.store, &definition, 1, NULL, &changed, NULL));
    assert_int_equal(changed, 0);
    test_store_close(&test);
}

static void
a_snapshot_of_the_catalogue_does_not_change(void **state)
{
    struct test_store test;
    const struct oi_catalog *before, *after;
    uint32_t instruments[2], series[2];

    begin(&test, state);
    before = oi_store_catalog(test.store);
    assert_int_equal(before->series_count, 3);
    instruments[0] = test.instruments[2];
    instruments[1] = test.instruments[0];
    assert_ok(oi_store_series_all(test.store, instruments, 2, test.live, series, NULL));
    assert_int_equal(series[0], 4);
    assert_int_equal(series[1], test.series[0]);
    after = oi_store_catalog(test.store);
    assert_int_equal(before->series_count, 3);
    assert_int_equal(after->series_count, 4);
    assert_true(after->version > before->version);
    assert_int_equal(after->first_series[1] - after->first_series[0], 3);
    assert_int_equal(after->first_series[3] - after->first_series[2], 1);
    assert_int_equal(after->series_of[after->first_series[2]], 4);
    assert_string_equal(after->feeds[test.history - 1].name, "history");
    assert_string_equal(after->instruments[test.instruments[3] - 1].symbol, "MARKET3");
    oi_catalog_unref(&before);
    oi_catalog_unref(&after);
    assert_null(after);
    test_store_close(&test);
}

static void
a_feed_with_other_facts_is_refused(void **state)
{
    struct test_store test;
    struct oi_feed feed = { .name = "history", .restates = false, .cadence_ns = OI_MINUTE };
    uint16_t id = 77;
    uint32_t series;

    begin(&test, state);
    assert_status(oi_store_feed(test.store, &feed, &id, NULL), OI_E_INVALID);
    assert_int_equal(id, 77);
    assert_status(oi_store_series(test.store, 99, test.live, &series, NULL), OI_E_NOT_FOUND);
    assert_status(oi_store_series(test.store, test.instruments[0], 99, &series, NULL),
                  OI_E_NOT_FOUND);
    test_store_close(&test);
}

struct refusals {
    size_t count, rows[8];
};

static void
keep_refusal(void *context, size_t row, const char *reason)
{
    struct refusals *refusals = context;

    assert_non_null(reason);
    refusals->rows[refusals->count++] = row;
}

static void
each_refused_row_is_named(void **state)
{
    struct refusals refusals = {};
    struct test_store test;
    struct oi_append_result result;
    struct oi_row rows[5];
    const struct oi_batch batch = {
        .rows = rows, .row_count = OI_COUNT(rows), .refuse = keep_refusal, .context = &refusals
    };

    begin(&test, state);
    rows[0] = test_store_row(99, test_store_minute(0), 1);             /* no such series */
    rows[1] = test_store_row(test.series[2], test_store_minute(0), 1); /* good */
    rows[2] = test_store_row(test.series[2], test_store_minute(0), 2); /* second, different */
    rows[3] = test_store_row(test.series[2], test_store_minute(1), 1); /* known later than now */
    rows[3].reading.known_time = TEST_START + 1;
    rows[4] = test_store_row(test.series[2], test_store_minute(2), 1); /* no figure */
    rows[4].reading.open_interest = (struct oi_decimal){};
    assert_ok(oi_store_append(test.store, &batch, &result, NULL));
    assert_int_equal(result.stored, 1);
    assert_int_equal(result.refused, 4);
    assert_int_equal(refusals.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_not_equal(refusals.rows[i], 1);
    result = test_store_append(&test, &rows[1], 1);
    assert_int_equal(result.duplicate, 1);
    assert_int_equal(result.batch, 0);
    assert_int_equal(oi_store_last_batch(test.store), 1);
    test_store_close(&test);
}

static void
a_scan_sees_the_commits_of_its_opening_alone(void **state)
{
    const struct oi_columns *columns;
    struct test_store test;
    struct oi_scan *scan = NULL;
    size_t count = 0;

    begin(&test, state);
    test.options.chunk_rows = 20;
    test_store_reopen(&test);
    test_store_append_minutes(&test, test.series[1], 0, 100, 1000);
    test_store_checkpoint(&test);
    test_store_append_minutes(&test, test.series[1], 100, 50, 2000);
    const struct oi_scan_request request = { .series = test.series[1],
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMN_OPEN_INTEREST };
    assert_ok(oi_store_scan(test.store, &request, &scan, NULL));
    for (int block = 0;; block++) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        for (size_t row = 0; row < columns->count; row++, count++) {
            struct oi_decimal value = oi_decimals_get(&columns->open_interest, row);
            struct oi_decimal expected =
                oi_decimal_from(count < 100 ? 1000 + (int64_t) count : 1900 + (int64_t) count, 0);

            assert_true(oi_decimal_equal(&value, &expected));
            assert_int_equal(columns->time[row], test_store_minute((int) count));
        }
        /* Revise what is still to come, and move the chunks under the scan. */
        test_store_append_minutes(&test, test.series[1], 0, 160, 5000 + block * 1000);
        test_store_checkpoint(&test);
    }
    assert_int_equal(count, 150);
    oi_scan_close(&scan);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
rows_that_move_under_a_scan_are_read_once(void **state)
{
    const struct oi_columns *columns;
    struct test_store test;
    struct oi_scan *scan = NULL;
    size_t count = 0;

    begin(&test, state);
    test_store_append_minutes(&test, test.series[1], 0, 30, 1000);
    test_store_checkpoint(&test);
    test_store_append_minutes(&test, test.series[1], 10, 30, 2000);
    const struct oi_scan_request request = { .series = test.series[1],
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .all_revisions = true };
    assert_ok(oi_store_scan(test.store, &request, &scan, NULL));
    test_store_checkpoint(&test);
    for (;;) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        count += columns->count;
    }
    assert_int_equal(count, 60);
    oi_scan_close(&scan);
    test_store_close(&test);
}

static struct oi_batch
import_batch(const struct oi_row *rows, size_t count, const struct oi_import_mark *mark)
{
    return (struct oi_batch){ .rows = rows, .row_count = count, .import = mark };
}

static void
a_withdrawn_import_is_hidden_and_can_come_again(void **state)
{
    struct test_store test;
    struct oi_import_mark mark = { .fingerprint = { 7 }, .name = "file.csv", .format = "csv" },
                          found;
    struct oi_append_result result;
    struct oi_row row = {};
    struct oi_batch batch = import_batch(&row, 1, &mark);
    struct oi_observation reading;

    begin(&test, state);
    test_store_append_minutes(&test, test.series[2], 0, 10, 100);
    for (int i = 0; i < 2; i++) {
        row = test_store_row(test.series[2], test_store_minute(20 + i), 200 + i);
        mark.rows_done = (uint64_t) i + 1;
        assert_ok(oi_store_append(test.store, &batch, &result, NULL));
        if (i == 0)
            test_store_checkpoint(&test); /* one part in chunks, one in the log */
    }
    assert_ok(oi_store_import_find(test.store, mark.fingerprint, &found, NULL));
    assert_int_equal(found.rows_done, 2);
    assert_string_equal(found.name, "file.csv");
    assert_int_equal(test_store_latest(&test, test.series[2]), 201);
    assert_status(oi_store_withdraw(test.store, 1, NULL), OI_E_NOT_FOUND);
    assert_ok(oi_store_withdraw(test.store, result.batch, NULL));
    for (int round = 0; round < 3; round++) {
        assert_int_equal(test_store_latest(&test, test.series[2]), 109);
        assert_int_equal(test_store_count(&test, test.series[2]), 10);
        assert_ok(oi_store_at(test.store, test.series[2], test_store_minute(20),
                              (struct oi_moment){ TEST_START, TEST_START }, &reading, NULL));
        assert_int_equal(reading.time, test_store_minute(9));
        test_store_verify(&test);
        if (round == 0)
            test_store_checkpoint(&test);
        test_store_reopen(&test);
    }
    assert_status(oi_store_import_find(test.store, mark.fingerprint, &found, NULL), OI_E_NOT_FOUND);
    assert_ok(oi_store_append(test.store, &batch, &result, NULL));
    assert_int_equal(result.stored, 1);
    assert_int_equal(test_store_latest(&test, test.series[2]), 201);
    test_store_verify(&test);
    test_store_close(&test);
}

struct holes {
    struct oi_hole items[16];
    size_t count;
};

static enum oi_status
keep_hole(void *context, const struct oi_hole *hole)
{
    struct holes *holes = context;

    assert_true(holes->count < OI_COUNT(holes->items));
    holes->items[holes->count++] = *hole;
    return OI_OK;
}

static void
assert_hole(const struct oi_hole *hole, int from, int to, enum oi_hole_cause cause)
{
    assert_string_equal(oi_hole_cause_name(hole->cause), oi_hole_cause_name(cause));
    assert_int_equal(hole->span.from, test_store_minute(from));
    assert_int_equal(hole->span.to, test_store_minute(to));
}

static void
each_missing_minute_has_a_cause(void **state)
{
    struct test_store test;
    struct holes holes = {};
    struct oi_watch_mark marks[10];
    struct oi_hole told[2] = {
        { .exchange = "example",
          .span = { test_store_minute(12), test_store_minute(15) },
          .cause = OI_HOLE_BLOCKED },
        { .span = { test_store_minute(14), test_store_minute(16) }, .cause = OI_HOLE_RATE_LIMITED },
    };
    struct oi_append_result result;
    const struct oi_batch batch = {
        .holes = told, .hole_count = 2, .marks = marks, .mark_count = OI_COUNT(marks)
    };

    begin(&test, state);
    test_store_append_minutes(&test, test.series[0], 0, 4, 1); /* minutes 0 to 3 */
    test_store_append_minutes(&test, test.series[0], 8, 1, 1);
    for (int i = 0; i < 10; i++)
        marks[i] = (struct oi_watch_mark){ "example", "linear", test_store_minute(i) };
    told[1].instrument = test.instruments[0];
    oi_virtual_clock_advance(&test.clock, OI_SECOND);
    assert_ok(oi_store_append(test.store, &batch, &result, NULL));
    test_store_checkpoint(&test);
    test_store_reopen(&test);
    assert_ok(oi_store_gaps(test.store, test.instruments[0], test.live, OI_MINUTE,
                            (struct oi_span){ test_store_minute(0), test_store_minute(20) },
                            OI_MOMENT_LATEST, keep_hole, &holes, NULL));
    assert_int_equal(holes.count, 6);
    assert_hole(&holes.items[0], 4, 8, OI_HOLE_SILENT);
    assert_hole(&holes.items[1], 9, 10, OI_HOLE_SILENT);
    assert_hole(&holes.items[2], 10, 12, OI_HOLE_COLLECTOR_DOWN);
    assert_hole(&holes.items[3], 12, 14, OI_HOLE_BLOCKED);
    assert_hole(&holes.items[4], 14, 16, OI_HOLE_RATE_LIMITED);
    assert_hole(&holes.items[5], 16, 20, OI_HOLE_COLLECTOR_DOWN);
    /* As it was known before the marks came. */
    holes.count = 0;
    assert_ok(oi_store_gaps(test.store, test.instruments[0], test.live, OI_MINUTE,
                            (struct oi_span){ test_store_minute(0), test_store_minute(10) },
                            (struct oi_moment){ TEST_START, OI_TIME_LATEST }, keep_hole, &holes,
                            NULL));
    assert_int_equal(holes.count, 2);
    assert_hole(&holes.items[0], 4, 8, OI_HOLE_COLLECTOR_DOWN);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
nothing_is_expected_outside_a_lifetime(void **state)
{
    struct test_store test;
    struct holes holes = {};
    struct oi_instrument definition = test_store_instrument("DATED");
    uint32_t id;

    begin(&test, state);
    definition.listed = test_store_minute(3);
    definition.expiry = test_store_minute(6);
    assert_ok(oi_store_define(test.store, &definition, 1, &id, NULL, NULL));
    assert_ok(oi_store_gaps(test.store, id, test.live, OI_MINUTE,
                            (struct oi_span){ test_store_minute(0), test_store_minute(9) },
                            OI_MOMENT_LATEST, keep_hole, &holes, NULL));
    assert_int_equal(holes.count, 3);
    assert_hole(&holes.items[0], 0, 3, OI_HOLE_NOT_LISTED);
    assert_hole(&holes.items[1], 3, 6, OI_HOLE_COLLECTOR_DOWN);
    assert_hole(&holes.items[2], 6, 9, OI_HOLE_DELISTED);
    test_store_close(&test);
}

struct heard {
    uint64_t last_batch;
    size_t rows;
};

static void
hear(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct heard *heard = context;

    assert_true(batch > heard->last_batch);
    assert_true(count > 0 && rows[0].reading.known_time != OI_TIME_NONE);
    heard->last_batch = batch;
    heard->rows += count;
}

static void
watchers_hear_of_each_commit_once(void **state)
{
    struct test_store test;
    struct heard heard = {};
    const struct oi_watcher watcher = { hear, &heard };
    struct oi_row row;

    begin(&test, state);
    oi_store_watch(test.store, &watcher);
    test_store_append_minutes(&test, test.series[0], 0, 5, 1);
    row = test_store_row(test.series[0], test_store_minute(0), 9); /* a second poll: no commit */
    (void) test_store_append(&test, &row, 1);
    assert_ok(oi_store_follow(test.store, NULL));
    test_store_append_minutes(&test, test.series[1], 0, 2, 1);
    assert_int_equal(heard.rows, 7);
    oi_store_unwatch(test.store, &watcher);
    test_store_append_minutes(&test, test.series[1], 5, 2, 1);
    assert_int_equal(heard.rows, 7);
    test_store_close(&test);
}

static void
the_data_version_changes_with_the_answer(void **state)
{
    struct test_store test;
    uint64_t one, other;

    begin(&test, state);
    test_store_append_minutes(&test, test.series[0], 0, 5, 1);
    one = oi_store_data_version(test.store, test.series[0]);
    other = oi_store_data_version(test.store, test.series[1]);
    test_store_append_minutes(&test, test.series[0], 5, 1, 1);
    assert_int_not_equal(one, oi_store_data_version(test.store, test.series[0]));
    assert_int_equal(other, oi_store_data_version(test.store, test.series[1]));
    one = oi_store_data_version(test.store, test.series[0]);
    test_store_checkpoint(&test);
    test_store_reopen(&test);
    assert_int_equal(one, oi_store_data_version(test.store, test.series[0]));
    test_store_close(&test);
}

static void
a_full_disk_pauses_writing_and_nothing_else(void **state)
{
    struct test_store test;
    struct oi_append_result result;
    struct oi_store_stats stats;
    struct oi_row row;
    const struct oi_batch batch = { .rows = &row, .row_count = 1 };

    if (engine != &oi_kv_memory)
        skip(); /* only the memory engine can be told to fail */
    begin(&test, state);
    test_store_append_minutes(&test, test.series[0], 0, 5, 1);
    row = test_store_row(test.series[0], test_store_minute(9), 42);
    /* Once: the transaction is repeated. */
    oi_kv_memory_fail(opened_kv, OI_KV_CALL_COMMIT, 1, OI_E_FULL);
    assert_ok(oi_store_append(test.store, &batch, &result, NULL));
    oi_store_stats(test.store, &stats);
    assert_false(stats.is_paused);
    /* A batch that cannot be written leaves nothing behind, and can be repeated. */
    row = test_store_row(test.series[0], test_store_minute(10), 43);
    oi_kv_memory_fail(opened_kv, OI_KV_CALL_PUT, 2, OI_E_IO);
    assert_status(oi_store_append(test.store, &batch, &result, NULL), OI_E_IO);
    assert_int_equal(test_store_latest(&test, test.series[0]), 42);
    assert_ok(oi_store_append(test.store, &batch, &result, NULL));
    assert_int_equal(test_store_latest(&test, test.series[0]), 43);
    test_store_verify(&test);
    test_store_close(&test);
}

/* Whatever call fails, a checkpoint is done whole or not at all. */
static void
a_failing_checkpoint_loses_and_doubles_nothing(void **state)
{
    struct test_store test;

    if (engine != &oi_kv_memory)
        skip();
    begin(&test, state);
    test_store_append_minutes(&test, test.series[1], 0, 30, 1);
    for (uint64_t nth = 1;; nth++) {
        uint64_t before = oi_kv_memory_calls(opened_kv, OI_KV_CALL_PUT);
        enum oi_status status;
        size_t left;

        test_store_append_minutes(&test, test.series[0], (int) nth, 1, (int64_t) nth);
        test_store_append_minutes(&test, test.series[1], 0, 10, 100 * (int64_t) nth);
        oi_kv_memory_fail(opened_kv, OI_KV_CALL_PUT, nth, OI_E_IO);
        status = oi_store_checkpoint(test.store, 1000, &left, NULL);
        oi_kv_memory_fail(opened_kv, OI_KV_CALL_PUT, 0, OI_OK);
        assert_int_equal(test_store_count(&test, test.series[0]), nth);
        assert_int_equal(test_store_count(&test, test.series[1]), 30);
        assert_int_equal(test_store_latest(&test, test.series[0]), nth);
        test_store_verify(&test);
        if (status == OI_OK && oi_kv_memory_calls(opened_kv, OI_KV_CALL_PUT) - before < nth)
            break;
        assert_true(nth < 200);
    }
    test_store_close(&test);
}

static void
a_backup_answers_as_the_store_did(void **state)
{
    struct test_store test;
    char path[600];

    if (engine == &test_clickhouse_engine)
        skip(); /* says that `oi copy` does it */
    begin(&test, state);
    test_store_append_minutes(&test, test.series[0], 0, 50, 1);
    test_store_checkpoint(&test);
    test_store_append_minutes(&test, test.series[0], 50, 50, 51);
    (void) snprintf(path, sizeof(path), "%s/copy", (const char *) *state);
    assert_ok(oi_store_backup(test.store, path, NULL));
    assert_status(oi_store_backup(test.store, path, NULL), OI_E_INVALID);
    test_store_append_minutes(&test, test.series[0], 100, 1, 101);
    test_store_close(&test);
    memcpy(test.path, path, sizeof(test.path));
    test.options.is_read_only = true;
    test_store_open(&test);
    assert_int_equal(test_store_latest(&test, test.series[0]), 100);
    assert_int_equal(test_store_count(&test, test.series[0]), 100);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
a_strange_folder_is_refused_and_a_reader_makes_none(void **state)
{
    struct test_store test = { .options = { .engine = engine } };
    struct oi_store *store = NULL;
    char path[600];
    FILE *file;

    (void) snprintf(test.path, sizeof(test.path), "%s/strange", (const char *) *state);
    assert_int_equal(mkdir(test.path, 0755), 0);
    (void) snprintf(path, sizeof(path), "%s/letters.txt", test.path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_status(oi_store_open(test.path, &test.options, &store, NULL), OI_E_INVALID);
    test.options.is_read_only = true;
    (void) snprintf(path, sizeof(path), "%s/absent", (const char *) *state);
    assert_status(oi_store_open(path, &test.options, &store, NULL), OI_E_NOT_FOUND);
    assert_null(store);
}

/* The same tests for each engine. */
static int
run_over(const struct oi_kv_engine *which)
{
#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_instrument_keeps_its_id_and_gets_versions),
        STORE_TEST(a_symbol_listed_again_is_another_instrument),
        STORE_TEST(a_provisional_instrument_is_defined_back_to_its_listing),
        STORE_TEST(a_snapshot_of_the_catalogue_does_not_change),
        STORE_TEST(a_feed_with_other_facts_is_refused),
        STORE_TEST(each_refused_row_is_named),
        STORE_TEST(a_scan_sees_the_commits_of_its_opening_alone),
        STORE_TEST(rows_that_move_under_a_scan_are_read_once),
        STORE_TEST(a_withdrawn_import_is_hidden_and_can_come_again),
        STORE_TEST(each_missing_minute_has_a_cause),
        STORE_TEST(nothing_is_expected_outside_a_lifetime),
        STORE_TEST(watchers_hear_of_each_commit_once),
        STORE_TEST(the_data_version_changes_with_the_answer),
        STORE_TEST(a_full_disk_pauses_writing_and_nothing_else),
        STORE_TEST(a_failing_checkpoint_loses_and_doubles_nothing),
        STORE_TEST(a_backup_answers_as_the_store_did),
        STORE_TEST(a_strange_folder_is_refused_and_a_reader_makes_none),
    };
    char name[64];

    engine = which;
    (void) snprintf(name, sizeof(name), "contract/store_promises over %s", which->name);
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int
main(void)
{
    int failed = 0;

#define OI_KV_ENGINE(name) failed += run_over(&oi_kv_##name);
#include "kv/engines.def"
#undef OI_KV_ENGINE
    if (!test_clickhouse_start())
        return failed;
    test_store_opener = test_clickhouse_open;
    failed += run_over(&test_clickhouse_engine);
    test_clickhouse_stop();
    return failed;
}
