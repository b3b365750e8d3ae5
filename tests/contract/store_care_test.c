/* SPDX-License-Identifier: Apache-2.0 */
/* What whoever looks after a store can do with it, and what damage from outside does to it. */
#include "base/alloc.h"
#include "kv/kv.h"

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

/* Places in the list of tables, which the store hands to the engine. */
#define LOG_TABLE 1
#define CHUNK_TABLE 3

/* Turn one byte of the first value around, behind the store's back. */
static void
damage_first_at(unsigned table, size_t place)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_kv_txn *txn = NULL;
    struct oi_slice key, value;
    char *copy, key_copy[16];
    size_t size, key_size;

    assert_ok(engine->begin(opened_kv, OI_KV_WRITE, &txn, NULL));
    assert_ok(engine->cursor_open(txn, table, &cursor, NULL));
    assert_ok(engine->seek(cursor, (struct oi_slice){}, &key, &value, NULL));
    assert_true(key.size <= sizeof(key_copy));
    key_size = key.size;
    memcpy(key_copy, key.data, key.size);
    copy = oi_alloc(value.size);
    memcpy(copy, value.data, value.size);
    size = value.size;
    copy[place ? place : size / 2] ^= 1;
    engine->cursor_close(&cursor);
    assert_ok(engine->put(txn, table, (struct oi_slice){ key_copy, key_size },
                          (struct oi_slice){ copy, size }, NULL));
    assert_ok(engine->commit(&txn, NULL));
    oi_free(copy);
}

static void
damage_first(unsigned table)
{
    damage_first_at(table, 0);
}

/* How many rows a scan from `from` finds, and how often it meets damage. */
static size_t
count_around_damage(struct test_store *test, oi_time from, bool is_backwards, size_t *ret_damaged)
{
    const struct oi_scan_request request = { .series = test->series[1],
                                             .span = { from, OI_TIME_LATEST },
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .is_backwards = is_backwards };
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    size_t count = 0;

    *ret_damaged = 0;
    assert_ok(oi_store_scan(test->store, &request, &scan, NULL));
    for (;;) {
        enum oi_status status = oi_scan_next(scan, &columns, NULL);

        if (status == OI_E_CORRUPT) {
            assert_true(++*ret_damaged < 10);
            continue;
        }
        assert_ok(status);
        if (!columns)
            break;
        count += columns->count;
    }
    oi_scan_close(&scan);
    return count;
}

static enum oi_status
count_rollup(void *context, const struct oi_rollup *rollup)
{
    *(size_t *) context += rollup->count;
    return OI_OK;
}

/* The chunk that new rows belong to is damaged: they start another one, and nothing else waits. */
static void
a_damaged_open_chunk_holds_nothing_up(void **state)
{
    static const size_t places[] = { 0, 12 }; /* its columns, its header */

    for (size_t i = 0; i < OI_COUNT(places); i++) {
        struct oi_verify_report report = {};
        struct test_store test;
        struct oi_row late;
        size_t damaged, rows = 0;
        char name[16];

        (void) snprintf(name, sizeof(name), "store%zu", i);
        open_engine = *engine;
        open_engine.open = open_and_keep;
        test_store_begin(&test, *state, name, &open_engine);
        test_store_append_minutes(&test, test.series[1], 0, 100, 1000);
        test_store_checkpoint(&test);
        damage_first_at(CHUNK_TABLE, places[i]);
        test_store_append_minutes(&test, test.series[1], 100, 100, 2000);
        test_store_append_minutes(&test, test.series[2], 0, 50, 1000);
        test_store_checkpoint(&test);
        for (int backwards = 0; backwards < 2; backwards++) {
            assert_int_equal(count_around_damage(&test, OI_TIME_EARLIEST, backwards, &damaged),
                             100);
            assert_int_equal(damaged, 1);
        }
        assert_int_equal(count_around_damage(&test, test_store_minute(100), false, &damaged), 100);
        assert_int_equal(damaged, 0);
        /* What is not stored any more is not made up; what can be told, is. */
        assert_status(oi_store_rollups(test.store, test.series[1], OI_HOUR, OI_SPAN_ALL,
                                       count_rollup, &rows, NULL),
                      OI_E_CORRUPT);
        rows = 0;
        assert_ok(
            oi_store_rollups(test.store, test.series[1], OI_HOUR,
                             (struct oi_span){ test_store_minute(120), test_store_minute(240) },
                             count_rollup, &rows, NULL));
        assert_int_equal(rows, 80);
        /* Rows of the lost time, even of its first instant, are new. */
        late = test_store_row(test.series[1], test_store_minute(0), 7);
        assert_int_equal(test_store_append(&test, &late, 1).stored, 1);
        late = test_store_row(test.series[1], test_store_minute(50), 8);
        assert_int_equal(test_store_append(&test, &late, 1).stored, 1);
        test_store_checkpoint(&test);
        assert_int_equal(count_around_damage(&test, OI_TIME_EARLIEST, false, &damaged), 102);
        assert_int_equal(damaged, 1);
        assert_status(oi_store_verify(test.store, NULL, NULL, &report, NULL), OI_E_CORRUPT);
        assert_int_equal(report.faults, 1);
        test_store_close(&test);
    }
}

static void
a_damaged_chunk_is_named_and_stepped_over(void **state)
{
    const struct oi_columns *columns;
    struct oi_verify_report report = {};
    struct test_store test;
    struct oi_error error = {};
    struct oi_scan *scan = NULL;
    size_t count = 0, damaged = 0;

    begin(&test, state);
    test.options.chunk_rows = 20;
    test_store_reopen(&test);
    test_store_append_minutes(&test, test.series[1], 0, 100, 1000);
    test_store_checkpoint(&test);
    damage_first(CHUNK_TABLE);
    for (int backwards = 0; backwards < 2; backwards++) {
        const struct oi_scan_request request = { .series = test.series[1],
                                                 .span = OI_SPAN_ALL,
                                                 .moment = OI_MOMENT_LATEST,
                                                 .columns = OI_COLUMNS_ALL,
                                                 .is_backwards = backwards };

        assert_ok(oi_store_scan(test.store, &request, &scan, NULL));
        for (;;) {
            enum oi_status status = oi_scan_next(scan, &columns, &error);

            damaged += status == OI_E_CORRUPT;
            if (status == OI_E_CORRUPT)
                continue;
            assert_ok(status);
            if (!columns)
                break;
            count += columns->count;
        }
        oi_scan_close(&scan);
    }
    assert_int_equal(damaged, 2);
    assert_int_equal(count, 160);
    assert_non_null(strstr(error.message, "series 2, chunk from"));
    assert_status(oi_store_verify(test.store, NULL, NULL, &report, NULL), OI_E_CORRUPT);
    assert_true(report.faults > 0);
    test_store_close(&test);
}

/* Take the chunk behind `skipped` others away, as a lost page of the engine does. */
static void
lose_chunk(size_t skipped)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_kv_txn *txn = NULL;
    struct oi_slice key, value;
    char copy[16];
    size_t size;

    assert_ok(engine->begin(opened_kv, OI_KV_WRITE, &txn, NULL));
    assert_ok(engine->cursor_open(txn, CHUNK_TABLE, &cursor, NULL));
    assert_ok(engine->seek(cursor, (struct oi_slice){}, &key, &value, NULL));
    for (size_t i = 0; i < skipped; i++)
        assert_ok(engine->next(cursor, &key, &value, NULL));
    size = key.size;
    assert_true(size <= sizeof(copy));
    memcpy(copy, key.data, size);
    engine->cursor_close(&cursor);
    assert_ok(engine->remove(txn, CHUNK_TABLE, (struct oi_slice){ copy, size }, NULL));
    assert_ok(engine->commit(&txn, NULL));
}

/* The rows of a span, in minutes; how often a scan says that something is wrong. */
static size_t
count_span(struct test_store *test, oi_time from, oi_time to, bool is_backwards, size_t *ret_told)
{
    const struct oi_scan_request request = { .series = test->series[1],
                                             .span = { from, to },
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .is_backwards = is_backwards };
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    struct oi_error error = {};
    size_t count = 0;

    *ret_told = 0;
    assert_ok(oi_store_scan(test->store, &request, &scan, NULL));
    for (;;) {
        enum oi_status status = oi_scan_next(scan, &columns, &error);

        if (status == OI_E_CORRUPT) {
            assert_string_equal(error.message, "chunks of series 2 are missing");
            assert_true(++*ret_told < 10);
            continue;
        }
        assert_ok(status);
        if (!columns)
            break;
        count += columns->count;
    }
    oi_scan_close(&scan);
    return count;
}

/* Five chunks of 20 minutes and ten rows in the log; one chunk is lost: the first, the middle or
 * the last. Where the lost one began nobody knows: behind the row before it, for all that is left.
 */
static void
a_chunk_that_is_gone_is_told(void **state)
{
    static const struct {
        size_t lost;
        int from, to; /* minutes */
        size_t rows, told;
    } cases[] = {
        { 0, 0, 1000, 90, 1 },  { 0, 20, 1000, 90, 0 }, { 0, 5, 30, 10, 1 },
        { 0, 5, 15, 0, 1 },     { 2, 0, 1000, 90, 1 },  { 2, 0, 40, 40, 0 },
        { 2, 60, 1000, 50, 0 }, { 4, 0, 1000, 90, 1 },  { 4, 0, 79, 79, 0 },
        { 4, 70, 90, 10, 1 },   { 4, 85, 90, 0, 1 },    { 4, 100, 1000, 10, 0 },
    };

    for (size_t lost = 0; lost < 5; lost += 2) {
        struct oi_observation reading;
        struct test_store test;
        char name[16];
        size_t told;

        (void) snprintf(name, sizeof(name), "store%zu", lost);
        open_engine = *engine;
        open_engine.open = open_and_keep;
        test_store_begin(&test, *state, name, &open_engine);
        test.options.chunk_rows = 20;
        test_store_reopen(&test);
        test_store_append_minutes(&test, test.series[1], 0, 100, 1000);
        test_store_checkpoint(&test);
        test_store_append_minutes(&test, test.series[1], 100, 10, 2000);
        assert_int_equal(count_span(&test, OI_TIME_EARLIEST, OI_TIME_LATEST, false, &told), 110);
        assert_int_equal(told, 0);
        lose_chunk(lost);
        for (size_t i = 0; i < OI_COUNT(cases); i++)
            for (int backwards = 0; cases[i].lost == lost && backwards < 2; backwards++) {
                assert_int_equal(count_span(&test, test_store_minute(cases[i].from),
                                            test_store_minute(cases[i].to), backwards, &told),
                                 cases[i].rows);
                assert_int_equal(told, cases[i].told);
            }
        if (lost == 4)
            assert_status(oi_store_at(test.store, test.series[1], test_store_minute(95),
                                      OI_MOMENT_LATEST, &reading, NULL),
                          OI_E_CORRUPT);
        assert_ok(oi_store_at(test.store, test.series[1], test_store_minute(75), OI_MOMENT_LATEST,
                              &reading, NULL));
        /* The log is not held up, and what it brings does not hide the hole. */
        test_store_checkpoint(&test);
        (void) count_span(&test, OI_TIME_EARLIEST, OI_TIME_LATEST, false, &told);
        assert_int_equal(told, 1);
        test_store_close(&test);
    }
}

static enum oi_status
count_bad(void *context, const struct oi_rollup *rollup)
{
    *(size_t *) context += (rollup->first.flags & OI_FLAG_BAD) != 0;
    return OI_OK;
}

static enum oi_status
note_flag(void *context, const struct oi_bad_span *flag)
{
    *(struct oi_bad_span *) context = *flag;
    return OI_OK;
}

static size_t
count_flagged(struct test_store *test, struct oi_moment moment)
{
    const struct oi_scan_request request = {
        .series = test->series[1], .span = OI_SPAN_ALL, .moment = moment, .columns = OI_COLUMN_FLAGS
    };
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    size_t count = 0;

    assert_ok(oi_store_scan(test->store, &request, &scan, NULL));
    for (;;) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        for (size_t row = 0; row < columns->count; row++)
            count += (columns->flags[row] & OI_FLAG_BAD) != 0;
    }
    oi_scan_close(&scan);
    return count;
}

static void
rows_of_a_flagged_span_say_so_from_then_on(void **state)
{
    struct oi_moment moment = OI_MOMENT_LATEST;
    struct oi_observation reading;
    struct oi_bad_span flag, found = {};
    struct test_store test;
    size_t bad = 0;

    begin(&test, state);
    test_store_append_minutes(&test, test.series[1], 0, 300, 1000);
    test_store_checkpoint(&test);
    test_store_append_minutes(&test, test.series[1], 300, 60, 2000);
    flag = (struct oi_bad_span){ .instrument = test.instruments[0],
                                 .span = { test_store_minute(250), test_store_minute(1000) } };
    assert_status(oi_store_flag(test.store, &flag, NULL), OI_E_INVALID);
    (void) snprintf(flag.reason, sizeof(flag.reason), "the exchange counted twice");
    oi_virtual_clock_advance(&test.clock, OI_HOUR);
    assert_ok(oi_store_flag(test.store, &flag, NULL));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(count_flagged(&test, OI_MOMENT_LATEST), 110);
        moment.as_stored = TEST_START;
        assert_int_equal(count_flagged(&test, moment), 0);
        assert_ok(oi_store_latest(test.store, test.series[1], &reading, NULL));
        assert_true(reading.flags & OI_FLAG_BAD);
        assert_ok(oi_store_at(test.store, test.series[1], test_store_minute(249), OI_MOMENT_LATEST,
                              &reading, NULL));
        assert_false(reading.flags & OI_FLAG_BAD);
        bad = 0;
        assert_ok(oi_store_rollups(test.store, test.series[1], OI_HOUR, OI_SPAN_ALL, count_bad,
                                   &bad, NULL));
        assert_int_equal(bad, 1);
        assert_ok(oi_store_flags(test.store, note_flag, &found, NULL));
        assert_string_equal(found.reason, flag.reason);
        test_store_verify(&test);
        if (engine != &oi_kv_memory)
            test_store_reopen(&test);
    }
    flag.instrument = 99;
    assert_status(oi_store_flag(test.store, &flag, NULL), OI_E_NOT_FOUND);
    test_store_close(&test);
}

static void
a_rule_removes_whole_old_chunks_and_nothing_else(void **state)
{
    struct test_store test;
    uint64_t rows = 1;
    size_t counted = 0;

    begin(&test, state);
    test.options.chunk_rows = 50;
    test_store_reopen(&test);
    test_store_append_minutes(&test, test.series[1], 0, 500, 1000);
    test_store_append_minutes(&test, test.series[2], 0, 500, 1000);
    test_store_checkpoint(&test);
    assert_ok(oi_store_retain(test.store, test.series[1], test_store_minute(0), &rows, NULL));
    assert_int_equal(rows, 0);
    assert_ok(oi_store_retain(test.store, test.series[1], test_store_minute(220), &rows, NULL));
    assert_int_equal(rows, 200);
    assert_int_equal(test_store_count(&test, test.series[1]), 300);
    assert_int_equal(test_store_count(&test, test.series[2]), 500);
    assert_ok(oi_store_rollups(test.store, test.series[1], OI_HOUR, OI_SPAN_ALL, count_rollup,
                               &counted, NULL));
    assert_int_equal(counted, 300);
    test_store_verify(&test);
    /* The newest chunk stays whatever is asked. */
    assert_ok(oi_store_retain(test.store, test.series[1], TEST_START + OI_DAY, &rows, NULL));
    assert_int_equal(test_store_count(&test, test.series[1]), 300 - rows);
    assert_true(test_store_count(&test, test.series[1]) > 0);
    test_store_verify(&test);
    test_store_append_minutes(&test, test.series[1], 600, 10, 1000);
    test_store_checkpoint(&test);
    test_store_verify(&test);
    test_store_close(&test);
}

struct measured {
    uint64_t bytes, open_interest;
    size_t count;
};

static void
note_measure(void *context, const char *what, uint64_t bytes)
{
    struct measured *measured = context;

    measured->count++;
    measured->bytes += bytes;
    if (strcmp(what, "open_interest") == 0)
        measured->open_interest = bytes;
}

static void
what_each_column_costs_is_told(void **state)
{
    struct measured measured = {};
    struct oi_store_stats stats;
    struct test_store test;
    uint64_t rows = 0;

    begin(&test, state);
    test_store_append_minutes(&test, test.series[1], 0, 900, 1000);
    test_store_checkpoint(&test);
    assert_ok(oi_store_measure(test.store, note_measure, &measured, &rows, NULL));
    oi_store_stats(test.store, &stats);
    assert_int_equal(rows, 900);
    assert_int_equal(measured.count, 13);
    assert_true(measured.open_interest > 0);
    assert_true(measured.bytes > measured.open_interest);
    if (engine == &oi_kv_lmdb)
        assert_true(measured.bytes < stats.used_bytes);
    test_store_close(&test);
}

static void
a_store_is_compacted_when_nobody_has_it_open(void **state)
{
    uint64_t before = 0, after = 0;
    struct test_store test;
    struct oi_error error = {};

    if (engine != &oi_kv_lmdb)
        skip(); /* memory has no file */
    begin(&test, state);
    for (int i = 0; i < 20; i++) {
        test_store_append_minutes(&test, test.series[1], i * 300, 300, 1000);
        test_store_checkpoint(&test);
    }
    assert_status(oi_store_compact(test.path, &before, &after, &error), OI_E_BUSY);
    assert_non_null(strstr(error.message, "open"));
    oi_store_close(&test.store);
    assert_ok(oi_store_compact(test.path, &before, &after, NULL));
    assert_true(after < before);
    test_store_open(&test);
    assert_int_equal(test_store_count(&test, test.series[1]), 6000);
    test_store_verify(&test);
    test_store_append_minutes(&test, test.series[1], 6000, 10, 1);
    test_store_reopen(&test);
    assert_int_equal(test_store_count(&test, test.series[1]), 6010);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
a_damaged_log_is_opened_for_reading_alone(void **state)
{
    struct oi_verify_report report = {};
    struct test_store test;
    struct oi_error error = {};

    begin(&test, state);
    test_store_append_minutes(&test, test.series[1], 0, 10, 1000);
    test_store_append_minutes(&test, test.series[1], 10, 10, 1010);
    damage_first(LOG_TABLE);
    test_store_close(&test);
    assert_status(oi_store_open(test.path, &test.options, &test.store, &error), OI_E_CORRUPT);
    assert_non_null(strstr(error.message, "checksum"));
    test.options.is_read_only = true;
    test_store_open(&test);
    assert_status(oi_store_verify(test.store, NULL, NULL, &report, NULL), OI_E_CORRUPT);
    assert_true(report.faults > 0);
    test_store_close(&test);
}

/* The same tests for each engine. */
static int
run_over(const struct oi_kv_engine *which)
{
#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_damaged_chunk_is_named_and_stepped_over),
        STORE_TEST(a_chunk_that_is_gone_is_told),
        STORE_TEST(a_damaged_open_chunk_holds_nothing_up),
        STORE_TEST(a_damaged_log_is_opened_for_reading_alone),
        STORE_TEST(rows_of_a_flagged_span_say_so_from_then_on),
        STORE_TEST(a_rule_removes_whole_old_chunks_and_nothing_else),
        STORE_TEST(what_each_column_costs_is_told),
        STORE_TEST(a_store_is_compacted_when_nobody_has_it_open),
    };
    char name[64];

    engine = which;
    (void) snprintf(name, sizeof(name), "contract/store_care over %s", which->name);
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int
main(void)
{
    int failed = 0;

#define OI_KV_ENGINE(name) failed += run_over(&oi_kv_##name);
#include "kv/engines.def"
#undef OI_KV_ENGINE
    return failed;
}
