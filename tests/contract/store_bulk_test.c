/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading in bulk through the store's interface: the answers to every moment are those of an
 * append, followers hear of it, and what does not follow a series' rows is appended.
 */
#include "base/crypto.h"
#include "base/random.h"
#include "kv/memory.h"
#include "store/chunk.h"
#include "store/store_internal.h"
#include "support/test_store.h"

#define ROWS 200

struct loading {
    struct oi_packed rows[ROWS];
    struct oi_bulk_target target;
    struct oi_bulk_part part;
    struct oi_import_mark mark;
    struct oi_bulk bulk;
    struct oi_append_result result;
    size_t refused;
};

static void
count_refusal(void *context, size_t part, size_t row, const char *reason)
{
    struct loading *loading = context;

    (void) part;
    assert_in_range(row, 0, ROWS - 1);
    assert_non_null(reason);
    loading->refused++;
}

static void
begin(struct test_store *test, void **state, const char *name, const struct oi_kv_engine *engine)
{
    test_store_begin(test, *state, name, engine);
    oi_store_close(&test->store);
    test->options.chunk_rows = 32;
    test_store_open(test);
}

/* Minutes from `from` on, with this value and on. */
static void
fill(struct loading *loading, uint32_t series, int from, int64_t value)
{
    memset(loading, 0, sizeof(*loading));
    for (int i = 0; i < ROWS; i++) {
        loading->rows[i] = (struct oi_packed){ .time = test_store_minute(from + i),
                                               .exchange_time = OI_TIME_NONE,
                                               .known_time = OI_TIME_NONE,
                                               .mantissas = { 10 * (value + i) },
                                               .exponents = { -1 } };
        for (unsigned k = 1; k < OI_PACKED_FIGURES; k++)
            loading->rows[i].exponents[k] = OI_EXPONENT_NONE;
    }
    loading->target = (struct oi_bulk_target){ .series = series };
    loading->part =
        (struct oi_bulk_part){ .rows = loading->rows, .count = ROWS, .targets = &loading->target };
    loading->mark = (struct oi_import_mark){ .name = "f", .format = "csv", .rows_done = ROWS };
    oi_sha256((struct oi_slice){ (const char *) &value, sizeof(value) }, loading->mark.fingerprint);
    loading->bulk = (struct oi_bulk){ .parts = &loading->part,
                                      .part_count = 1,
                                      .import = &loading->mark,
                                      .threads = 2,
                                      .refuse = count_refusal,
                                      .context = loading };
}

static void
commit(struct test_store *test, struct loading *loading)
{
    struct oi_error error = {};
    enum oi_status status;

    status = oi_store_bulk(test->store, &loading->bulk, &loading->result, &error);
    if (status != OI_OK)
        print_error("%s\n", error.message);
    assert_ok(status);
}

static void
load(struct test_store *test, struct loading *loading, uint32_t series, int from, int64_t value)
{
    fill(loading, series, from, value);
    commit(test, loading);
}

/* Chunks that leave much of their last page empty. */
static size_t
count_unfitting(struct test_store *test, size_t *ret_chunks)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    struct oi_access access;
    size_t unfitting = 0;

    *ret_chunks = 0;
    assert_ok(oi_access_begin(&access, test->store, OI_KV_READ, NULL));
    assert_ok(oi_kv_memory.cursor_open(access.txn, OI_TABLE_CHUNK, &cursor, NULL));
    for (enum oi_status status = oi_kv_memory.seek(cursor, (struct oi_slice){}, &key, &value, NULL);
         status == OI_OK; status = oi_kv_memory.next(cursor, &key, &value, NULL)) {
        *ret_chunks += 1;
        unfitting += !oi_chunk_fits(value.size);
    }
    oi_kv_memory.cursor_close(&cursor);
    oi_access_end(&access);
    return unfitting;
}

/* Half way the figures get two bits wider, and the chunks then hold fewer rows. */
static void
chunks_fill_their_pages(void **state)
{
    const size_t count = 30'000;
    struct oi_packed *rows = oi_alloc_zero(count, sizeof(*rows));
    struct test_store test;
    struct loading loading;
    struct oi_random random;
    size_t chunks, small;

    begin(&test, state, "pages", &oi_kv_memory);
    load(&test, &loading, test.series[2], 0, 1000);
    assert_int_equal(count_unfitting(&test, &small), 0); /* they have no page to fill */
    oi_store_close(&test.store);
    test.options.chunk_rows = 4096;
    test_store_open(&test);
    oi_random_init(&random, 5);
    for (size_t i = 0; i < count; i++) {
        rows[i] = loading.rows[0];
        rows[i].time = test_store_minute(ROWS + (int) i);
        rows[i].mantissas[0] =
            (int64_t) oi_random_below(&random, i < count / 2 ? 50'000'000'000 : 200'000'000'000);
    }
    loading.part.rows = rows;
    loading.part.count = count;
    loading.mark.rows_done = count;
    loading.mark.fingerprint[0]++;
    assert_ok(oi_store_bulk(test.store, &loading.bulk, &loading.result, NULL));
    assert_int_equal(loading.result.stored, count);
    assert_in_range(count_unfitting(&test, &chunks), 0, 1); /* the last one */
    assert_in_range(chunks - small, 7, 10);
    test_store_verify(&test);
    test_store_close(&test);
    oi_free(rows);
}

static uint64_t
log_rows(struct test_store *test)
{
    struct oi_store_stats stats;

    oi_store_stats(test->store, &stats);
    return stats.log_rows;
}

static enum oi_status
count_one(void *context, const struct oi_rollup *rollup)
{
    size_t *count = context;

    assert_int_equal(rollup->count, 16);
    *count += 1;
    return OI_OK;
}

static size_t
count_rollups(struct test_store *test, int64_t interval_ns)
{
    size_t count = 0;

    assert_ok(oi_store_rollups(test->store, test->series[2], interval_ns, OI_SPAN_ALL, count_one,
                               &count, NULL));
    return count;
}

static void
rows_go_straight_into_chunks(void **state)
{
    struct test_store test;
    struct loading loading;
    struct oi_import_mark mark;

    begin(&test, state, "straight", &oi_kv_memory);
    load(&test, &loading, test.series[2], 0, 1000);
    assert_int_equal(loading.result.stored, ROWS);
    assert_int_equal(log_rows(&test), 0);
    assert_int_equal(test_store_count(&test, test.series[2]), ROWS);
    assert_int_equal(test_store_latest(&test, test.series[2]), 1000 + ROWS - 1);
    load(&test, &loading, test.series[2], ROWS, 5000);
    assert_int_equal(log_rows(&test), 0);
    assert_int_equal(test_store_count(&test, test.series[2]), 2 * ROWS);
    test_store_verify(&test);
    assert_ok(oi_store_import_find(test.store, loading.mark.fingerprint, &mark, NULL));
    assert_int_equal(mark.rows_done, ROWS);
    assert_int_equal(mark.stored, ROWS);
    test_store_close(&test);
}

/* Further apart than a number of nanoseconds can tell, and in one chunk. */
static void
rows_of_different_centuries_are_in_buckets_of_their_own(void **state)
{
    const oi_time years_1690 = -8'800'000'000 * OI_SECOND, years_2250 = 8'800'000'000 * OI_SECOND;
    struct test_store test;
    struct loading loading;

    begin(&test, state, "centuries", &oi_kv_memory);
    fill(&loading, test.series[2], 0, 1000);
    loading.part.count = 32;
    for (int i = 0; i < 32; i++)
        loading.rows[i].time = (i < 16 ? years_1690 : years_2250) + i * OI_MINUTE;
    commit(&test, &loading);
    assert_int_equal(loading.result.stored, 32);
    assert_int_equal(log_rows(&test), 0);
    assert_int_equal(count_rollups(&test, OI_HOUR), 2);
    assert_int_equal(count_rollups(&test, OI_DAY), 2);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
what_overlaps_is_appended_and_judged_as_ever(void **state)
{
    struct test_store test;
    struct loading loading;

    begin(&test, state, "overlap", &oi_kv_memory);
    load(&test, &loading, test.series[2], 0, 1000);
    load(&test, &loading, test.series[2], ROWS / 2, 1000 + ROWS / 2);
    assert_int_equal(loading.result.duplicate, ROWS / 2);
    assert_int_equal(loading.result.stored, ROWS / 2);
    assert_int_equal(log_rows(&test), ROWS / 2);
    load(&test, &loading, test.series[2], 0, 7);
    assert_int_equal(loading.result.refused, ROWS);
    assert_int_equal(loading.refused, ROWS);
    /* Behind the log's rows too. */
    load(&test, &loading, test.series[2], 5 * ROWS, 9);
    assert_int_equal(log_rows(&test), ROWS / 2 + ROWS);
    test_store_checkpoint(&test);
    load(&test, &loading, test.series[2], 9 * ROWS, 9);
    assert_int_equal(log_rows(&test), 0);
    test_store_verify(&test);
    test_store_close(&test);
}

/* The value at the end as stored at `time`; -1: there was nothing. */
static int64_t
value_as_stored(struct test_store *test, oi_time time)
{
    struct oi_moment moment = { .as_of = OI_TIME_LATEST, .as_stored = time };
    struct oi_observation reading;

    if (oi_store_at(test->store, test->series[2], test_store_minute(100 * ROWS), moment, &reading,
                    NULL) != OI_OK)
        return -1;
    return oi_decimal_compare(&reading.open_interest, &(struct oi_decimal){}) == 0
               ? -1
               : reading.open_interest.mantissa;
}

static void
every_moment_is_answered_as_after_an_append(void **state)
{
    struct test_store test;
    struct loading loading;
    uint64_t first;

    begin(&test, state, "moments", &oi_kv_memory);
    oi_virtual_clock_advance(&test.clock, OI_HOUR);
    load(&test, &loading, test.series[2], 0, 1002);
    first = loading.result.batch;
    oi_virtual_clock_advance(&test.clock, OI_HOUR);
    load(&test, &loading, test.series[2], ROWS, 5002);
    assert_int_equal(value_as_stored(&test, TEST_START), -1);
    assert_int_equal(value_as_stored(&test, TEST_START + OI_HOUR), 1201);
    assert_int_equal(value_as_stored(&test, TEST_START + 2 * OI_HOUR), 5201);
    assert_ok(oi_store_withdraw(test.store, loading.result.batch, NULL));
    assert_int_equal(test_store_latest(&test, test.series[2]), 1201);
    test_store_verify(&test);
    assert_ok(oi_store_withdraw(test.store, first, NULL));
    assert_int_equal(test_store_count(&test, test.series[2]), 0);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
let_time_pass(void *context, bool begins)
{
    (void) begins;
    oi_virtual_clock_advance(context, OI_MINUTE);
}

/* Every third row was known before. */
static void
fill_some_known(struct loading *loading, struct test_store *test, bool takes_time)
{
    fill(loading, test->series[2], 0, 1003);
    for (int i = 0; i < ROWS; i += 3)
        loading->rows[i].known_time = TEST_START;
    if (!takes_time)
        return;
    loading->bulk.threads = 1;
    loading->bulk.compute = let_time_pass;
    loading->bulk.context = &test->clock;
}

/* As stored at a moment at which nothing had been committed, whenever one asks. */
static void
ask_beside_load(void **state, const char *name, bool is_prepared, bool takes_time)
{
    const struct oi_moment known = { .as_of = TEST_START, .as_stored = OI_TIME_LATEST };
    struct oi_bulk_prepared *prepared = NULL;
    struct oi_observation reading;
    struct test_store test;
    struct loading loading;
    oi_time asked, committed;

    begin(&test, state, name, &oi_kv_memory);
    oi_virtual_clock_advance(&test.clock, OI_HOUR);
    fill_some_known(&loading, &test, takes_time);
    if (is_prepared)
        assert_ok(oi_store_bulk_prepare(test.store, &loading.bulk, NULL, &prepared, NULL));
    oi_virtual_clock_advance(&test.clock, OI_SECOND);
    asked = test.clock.clock.wall_ns(&test.clock.clock);
    assert_int_equal(value_as_stored(&test, asked), -1);
    oi_virtual_clock_advance(&test.clock, OI_SECOND);
    if (is_prepared)
        assert_ok(oi_store_bulk_commit(prepared, &loading.result, NULL));
    else
        commit(&test, &loading);
    oi_store_bulk_free(&prepared);
    committed = test.clock.clock.wall_ns(&test.clock.clock);
    assert_int_equal(value_as_stored(&test, asked), -1);
    assert_int_equal(value_as_stored(&test, committed - 1), -1);
    assert_int_equal(value_as_stored(&test, committed), 1202);
    assert_int_equal(log_rows(&test), 0);
    assert_ok(oi_store_latest(test.store, test.series[2], &reading, NULL));
    assert_int_equal(reading.known_time, committed);
    assert_ok(oi_store_at(test.store, test.series[2], OI_TIME_LATEST - 1, known, &reading, NULL));
    assert_int_equal(reading.open_interest.mantissa, 1201);
    test_store_reopen(&test);
    assert_ok(oi_store_latest(test.store, test.series[2], &reading, NULL));
    assert_int_equal(reading.known_time, committed);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
a_load_is_not_of_a_moment_at_which_it_was_not_committed(void **state)
{
    ask_beside_load(state, "at-once", false, false);
    ask_beside_load(state, "prepared", true, false);
    ask_beside_load(state, "slow", false, true);
    ask_beside_load(state, "slow-prepared", true, true);
}

/* Of a feed that restates: of the same instants one reading known before the commit, if only just,
 * and one that becomes known by it. The second one is refused where nothing tells them apart. */
static void
load_twice_told(void **state, const char *name, int64_t lag_ns, size_t refused)
{
    struct test_store test;
    struct loading loading;

    begin(&test, state, name, &oi_kv_memory);
    oi_virtual_clock_advance(&test.clock, OI_DAY);
    fill(&loading, test.series[1], 0, 1000);
    loading.rows[6].time = loading.rows[5].time;
    loading.rows[5].known_time = test.clock.clock.wall_ns(&test.clock.clock) - lag_ns;
    commit(&test, &loading);
    assert_int_equal(loading.refused, refused);
    assert_int_equal(loading.result.refused, refused);
    assert_int_equal(loading.result.stored, ROWS - refused);
    assert_int_equal(test_store_count(&test, test.series[1]), ROWS - 1);
    test_store_verify(&test);
    test_store_checkpoint(&test);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
a_reading_known_at_the_commit_itself_is_not_there_twice(void **state)
{
    load_twice_told(state, "before", 1, 0);
    load_twice_told(state, "then", 0, 1);
}

static void
another_handle_follows_and_a_new_one_finds_it(void **state)
{
    struct test_store test;
    struct loading loading;
    struct oi_store *other = NULL;
    struct oi_observation reading;

    begin(&test, state, "follow", &oi_kv_lmdb);
    assert_ok(oi_store_open(test.path, &test.options, &other, NULL));
    load(&test, &loading, test.series[2], 0, 1002);
    assert_ok(oi_store_latest(other, test.series[2], &reading, NULL));
    assert_int_equal(reading.open_interest.mantissa, 1201);
    assert_int_equal(oi_store_last_batch(other), loading.result.batch);
    oi_store_close(&other);
    test_store_append_minutes(&test, test.series[2], ROWS, 5, 77);
    test_store_reopen(&test);
    assert_int_equal(test_store_count(&test, test.series[2]), ROWS + 5);
    test_store_checkpoint(&test);
    test_store_verify(&test);
    test_store_close(&test);
}

/* What is in the store, and what was said, with runs and without. */
static void
load_in_runs(void **state, const char *name, bool has_runs, void (*spoil)(struct loading *loading),
             struct oi_append_result *ret_result)
{
    struct oi_packed_runs runs = {};
    struct test_store test;
    struct loading loading;

    begin(&test, state, name, &oi_kv_memory);
    fill(&loading, test.series[2], 0, 1000);
    spoil(&loading);
    if (has_runs) {
        oi_packed_runs_find(loading.rows, ROWS, &runs);
        assert_int_not_equal(runs.count, 0);
        loading.part.runs = runs.items;
        loading.part.run_count = runs.count;
    }
    commit(&test, &loading);
    *ret_result = loading.result;
    assert_int_equal(loading.refused, loading.result.refused);
    assert_int_equal(test_store_count(&test, test.series[2]), loading.result.stored);
    assert_int_equal(test_store_latest(&test, test.series[2]), 1000 + ROWS - 1);
    test_store_verify(&test);
    oi_vector_release(&runs);
    test_store_close(&test);
}

static void
spoil_nothing(struct loading *loading)
{
    (void) loading;
}

static void
spoil_order(struct loading *loading)
{
    struct oi_packed moved = loading->rows[ROWS / 2];

    loading->rows[ROWS / 2] = loading->rows[10];
    loading->rows[10] = moved;
    loading->rows[20] = loading->rows[19];
}

static void
spoil_interest(struct loading *loading)
{
    loading->rows[5].exponents[0] = OI_EXPONENT_NONE;
}

static void
spoil_known_time(struct loading *loading)
{
    loading->rows[5].known_time = OI_TIME_LATEST - 1;
}

static void
spoil_time(struct loading *loading)
{
    loading->rows[0].time = OI_TIME_NONE;
}

static void
runs_say_what_their_rows_say(void **state)
{
    void (*const spoils[])(struct loading * loading) = { spoil_nothing, spoil_order, spoil_interest,
                                                         spoil_known_time, spoil_time };
    const size_t refused[] = { 0, 0, 1, 1, 1 }, duplicate[] = { 0, 1, 0, 0, 0 };
    char name[16];

    for (size_t i = 0; i < OI_COUNT(spoils); i++) {
        struct oi_append_result with, without;

        (void) snprintf(name, sizeof(name), "runs-%zu", i);
        load_in_runs(state, name, true, spoils[i], &with);
        (void) snprintf(name, sizeof(name), "rows-%zu", i);
        load_in_runs(state, name, false, spoils[i], &without);
        assert_int_equal(with.refused, refused[i]);
        assert_int_equal(with.duplicate, duplicate[i]);
        assert_int_equal(with.stored, ROWS - refused[i] - duplicate[i]);
        assert_memory_equal(&with, &without, sizeof(with));
    }
}

/* Two loads, the second one prepared before the first is committed; between them what may be. */
static void
commit_behind(void **state, const char *name, bool is_one_series, bool has_append)
{
    struct test_store test;
    struct loading first, second;
    struct oi_bulk_prepared *one = NULL, *other = NULL;
    uint32_t series;

    begin(&test, state, name, &oi_kv_memory);
    series = test.series[is_one_series ? 2 : 1];
    fill(&first, test.series[2], 0, 1000);
    fill(&second, series, ROWS, 5000);
    assert_ok(oi_store_bulk_prepare(test.store, &first.bulk, NULL, &one, NULL));
    assert_ok(oi_store_bulk_prepare(test.store, &second.bulk, one, &other, NULL));
    assert_int_equal(test_store_count(&test, test.series[2]), 0);
    assert_ok(oi_store_bulk_commit(one, &first.result, NULL));
    assert_int_equal(test_store_count(&test, test.series[2]), ROWS);
    oi_virtual_clock_advance(&test.clock, OI_HOUR);
    if (has_append)
        test_store_append_minutes(&test, test.series[0], 0, 3, 7);
    assert_ok(oi_store_bulk_commit(other, &second.result, NULL));
    oi_store_bulk_free(&one);
    oi_store_bulk_free(&other);
    assert_int_equal(second.result.batch, first.result.batch + 1 + has_append);
    assert_int_equal(second.result.stored, ROWS);
    assert_int_equal(test_store_count(&test, series), is_one_series ? 2 * ROWS : ROWS);
    assert_int_equal(test_store_latest(&test, series), 5000 + ROWS - 1);
    test_store_verify(&test);
    test_store_reopen(&test);
    assert_int_equal(test_store_latest(&test, series), 5000 + ROWS - 1);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
a_load_is_prepared_while_another_one_is_on_its_way(void **state)
{
    commit_behind(state, "another", false, false);
    commit_behind(state, "same", true, false);
    commit_behind(state, "another-append", false, true);
    commit_behind(state, "same-append", true, true);
}

/* What was encoded ahead is of no use when its rows have come meanwhile. */
static void
a_prepared_load_that_has_come_meanwhile_is_duplicate(void **state)
{
    struct test_store test;
    struct loading first, second;
    struct oi_bulk_prepared *prepared = NULL;

    begin(&test, state, "meanwhile", &oi_kv_memory);
    fill(&second, test.series[2], 0, 1000);
    assert_ok(oi_store_bulk_prepare(test.store, &second.bulk, NULL, &prepared, NULL));
    load(&test, &first, test.series[2], 0, 1000);
    assert_ok(oi_store_bulk_commit(prepared, &second.result, NULL));
    oi_store_bulk_free(&prepared);
    assert_int_equal(second.result.stored, 0);
    assert_int_equal(second.result.duplicate, ROWS);
    assert_int_equal(test_store_count(&test, test.series[2]), ROWS);
    test_store_verify(&test);
    test_store_close(&test);
}

#define IN_FOLDER(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(rows_go_straight_into_chunks),
        IN_FOLDER(chunks_fill_their_pages),
        IN_FOLDER(rows_of_different_centuries_are_in_buckets_of_their_own),
        IN_FOLDER(what_overlaps_is_appended_and_judged_as_ever),
        IN_FOLDER(every_moment_is_answered_as_after_an_append),
        IN_FOLDER(a_load_is_not_of_a_moment_at_which_it_was_not_committed),
        IN_FOLDER(a_reading_known_at_the_commit_itself_is_not_there_twice),
        IN_FOLDER(another_handle_follows_and_a_new_one_finds_it),
        IN_FOLDER(runs_say_what_their_rows_say),
        IN_FOLDER(a_load_is_prepared_while_another_one_is_on_its_way),
        IN_FOLDER(a_prepared_load_that_has_come_meanwhile_is_duplicate),
    };

    return cmocka_run_group_tests_name("contract/store_bulk", tests, NULL, NULL);
}
