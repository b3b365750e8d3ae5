/* SPDX-License-Identifier: Apache-2.0 */
/* A store with several threads, several processes, and a process that is killed. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test_store.h"

static const struct oi_kv_engine *engine; /* the one whose turn it is */

struct heard {
    uint64_t last_batch;
    size_t rows;
};

static void
hear(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct heard *heard = context;

    (void) rows;
    assert_true(batch > heard->last_batch);
    heard->last_batch = batch;
    heard->rows += count;
}

/* One thread appends, one moves the log into chunks, others ask; rows are 1, 2, 3 … in minutes
 * 1, 2, 3 …, so that every answer can be told whole from broken. */
#define THREAD_ROWS 250

struct shared {
    struct test_store *test;
    atomic_int done; /* so many rows are acknowledged */
    atomic_int faults;
};

static int64_t
as_number(const struct oi_decimal *value)
{
    int64_t number = value->mantissa;

    for (int i = 0; i < value->exponent; i++)
        number *= 10;
    return number;
}

/* Assertions are the main thread's: others count. */
static void
expect(struct shared *shared, bool condition)
{
    if (!condition)
        atomic_fetch_add(&shared->faults, 1);
}

static void *
keep_appending(void *context)
{
    struct shared *shared = context;

    for (int i = 1; i <= THREAD_ROWS; i++) {
        struct oi_row row =
            test_store_row(shared->test->series[1], test_store_minute(i), (int64_t) i);
        const struct oi_batch batch = { .rows = &row, .row_count = 1 };
        struct oi_append_result result = {};

        expect(shared, oi_store_append(shared->test->store, &batch, &result, NULL) == OI_OK &&
                           result.stored == 1);
        atomic_store(&shared->done, i);
    }
    return NULL;
}

static void *
keep_moving(void *context)
{
    struct shared *shared = context;

    const struct oi_checkpoint_plan plan = {
        .rows_max = 50, .share = 2, .crowd = 100, .log_max = 200
    };

    while (atomic_load(&shared->done) < THREAD_ROWS) {
        size_t left;

        expect(shared, oi_store_checkpoint(shared->test->store, 5, &left, NULL) == OI_OK);
        expect(shared, oi_store_checkpoint_share(shared->test->store, &plan, &left, NULL) == OI_OK);
    }
    return NULL;
}

static void
ask_scan(struct shared *shared)
{
    const struct oi_scan_request request = { .series = shared->test->series[1],
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMN_OPEN_INTEREST };
    int least = atomic_load(&shared->done);
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    int64_t count = 0;

    expect(shared, oi_store_scan(shared->test->store, &request, &scan, NULL) == OI_OK);
    while (oi_scan_next(scan, &columns, NULL) == OI_OK && columns) {
        for (size_t row = 0; row < columns->count; row++) {
            const struct oi_decimal value = oi_decimals_get(&columns->open_interest, row);

            expect(shared, as_number(&value) == ++count);
        }
    }
    expect(shared, count >= least);
    oi_scan_close(&scan);
}

static enum oi_status
add_count(void *context, const struct oi_rollup *rollup)
{
    *(int64_t *) context += rollup->count;
    return OI_OK;
}

static void *
keep_asking(void *context)
{
    struct shared *shared = context;
    struct oi_store *store = shared->test->store;
    uint32_t series = shared->test->series[1];

    while (atomic_load(&shared->done) < THREAD_ROWS) {
        int least = atomic_load(&shared->done);
        const struct oi_catalog *catalog;
        struct oi_observation reading;
        int64_t count = 0;

        if (least == 0)
            continue;
        expect(shared, oi_store_latest(store, series, &reading, NULL) == OI_OK &&
                           as_number(&reading.open_interest) >= least);
        expect(shared, oi_store_at(store, series, test_store_minute(least), OI_MOMENT_LATEST,
                                   &reading, NULL) == OI_OK &&
                           as_number(&reading.open_interest) == least);
        expect(shared, oi_store_rollups(store, series, OI_HOUR, OI_SPAN_ALL, add_count, &count,
                                        NULL) == OI_OK &&
                           count >= least);
        ask_scan(shared);
        catalog = oi_store_catalog(store);
        expect(shared, catalog->series_count >= 3);
        oi_catalog_unref(&catalog);
    }
    return NULL;
}

static void
threads_append_move_and_ask_at_once(void **state)
{
    struct test_store test;
    struct shared shared = { .test = &test };
    pthread_t threads[4];
    void *(*const jobs[4])(void *) = { keep_appending, keep_moving, keep_asking, keep_asking };

    test_store_begin(&test, *state, "store", engine);
    test.options.chunk_rows = 20;
    test_store_reopen(&test);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, jobs[i], &shared), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(shared.faults, 0);
    test_store_verify(&test);
    test_store_close(&test);
}

/* While one commit is held up, others queue: they are written together, and each is answered as if
 * it had been alone. */
#define GROUP_THREADS 8

struct grouped {
    struct test_store *test;
    atomic_int index, started, faults;
    atomic_bool is_first_held;
};

static void
hold_first(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct grouped *grouped = context;

    (void) batch, (void) rows, (void) count;
    if (atomic_exchange(&grouped->is_first_held, true))
        return;
    while (atomic_load(&grouped->started) < GROUP_THREADS)
        (void) usleep(1000);
    (void) usleep(100000);
}

static void
count_refusal(void *context, size_t row, const char *reason)
{
    (void) reason;
    *(size_t *) context += row; /* the one that is refused is row 2 */
}

/* One row of its own minute, the same again, one that cannot be. */
static void *
append_one_of_group(void *context)
{
    struct grouped *grouped = context;
    int index = atomic_fetch_add(&grouped->index, 1);
    const struct oi_row row =
        test_store_row(grouped->test->series[1], test_store_minute(index), index + 1);
    const struct oi_row rows[] = { row, row, test_store_row(99, row.reading.time, 1) };
    size_t refused_row = 0;
    const struct oi_batch batch = {
        .rows = rows, .row_count = 3, .refuse = count_refusal, .context = &refused_row
    };
    struct oi_append_result result = {};

    atomic_fetch_add(&grouped->started, 1);
    if (oi_store_append(grouped->test->store, &batch, &result, NULL) != OI_OK ||
        result.stored != 1 || result.duplicate != 1 || result.refused != 1 || refused_row != 2)
        atomic_fetch_add(&grouped->faults, 1);
    return NULL;
}

static void
appends_that_wait_are_committed_together(void **state)
{
    struct test_store test;
    struct grouped grouped = { .test = &test };
    const struct oi_watcher watcher = { hold_first, &grouped };
    pthread_t threads[GROUP_THREADS];
    uint64_t before;

    test_store_begin(&test, *state, "store", engine);
    before = oi_store_last_batch(test.store);
    oi_store_watch(test.store, &watcher);
    for (size_t i = 0; i < GROUP_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_one_of_group, &grouped), 0);
    for (size_t i = 0; i < GROUP_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    oi_store_unwatch(test.store, &watcher);
    assert_int_equal(grouped.faults, 0);
    assert_int_equal(test_store_count(&test, test.series[1]), GROUP_THREADS);
    assert_true(oi_store_last_batch(test.store) - before < GROUP_THREADS);
    test_store_verify(&test);
    test_store_close(&test);
}

/* Two processes append to one store at once; each hears of the other. */
static void
append_alone(struct test_store *test, int process)
{
    for (int i = 0; i < 60; i++) {
        struct oi_row row = test_store_row(test->series[process], test_store_minute(i), i);
        size_t left;

        (void) test_store_append(test, &row, 1);
        if (i % 7 == process) {
            enum oi_status status = oi_store_checkpoint(test->store, 10, &left, NULL);

            assert_true(status == OI_OK || status == OI_E_BUSY);
        }
    }
}

static void
two_processes_append_at_once(void **state)
{
    struct test_store test;
    struct heard heard = {};
    const struct oi_watcher watcher = { hear, &heard };
    pid_t child;
    int result = 0;

    if (engine != &oi_kv_lmdb)
        skip(); /* memory is of one process */
    test_store_begin(&test, *state, "store", engine);
    test_store_close(&test);
    test.options.clock = NULL;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        test_store_open(&test);
        append_alone(&test, 1);
        test_store_close(&test);
        _exit(0);
    }
    test_store_open(&test);
    oi_store_watch(test.store, &watcher);
    append_alone(&test, 0);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    assert_int_equal(test_store_count(&test, test.series[0]), 60);
    assert_int_equal(test_store_count(&test, test.series[1]), 60);
    assert_int_equal(oi_store_last_batch(test.store), 120);
    assert_int_equal(test_store_latest(&test, test.series[1]), 59);
    test_store_verify(&test);
    test_store_checkpoint(&test);
    test_store_verify(&test);
    test_store_reopen(&test);
    assert_int_equal(test_store_count(&test, test.series[1]), 60);
    assert_int_equal(test_store_latest(&test, test.series[1]), 59);
    test_store_close(&test);
}

/* The child tells each commit through a pipe, and is killed while it works. */
static void
append_until_killed(struct test_store *test, int pipe_end)
{
    size_t left;

    test_store_open(test);
    for (int i = 0;; i++) {
        struct oi_row row = test_store_row(test->series[0], test_store_minute(i), i);

        (void) test_store_append(test, &row, 1);
        if (write(pipe_end, &i, sizeof(i)) != sizeof(i))
            _exit(1);
        if (i % 5 == 0)
            assert_ok(oi_store_checkpoint(test->store, 3, &left, NULL));
    }
}

static void
what_was_acknowledged_survives_a_kill(void **state)
{
    struct test_store test;
    int done = -1, ends[2], result;

    if (engine != &oi_kv_lmdb)
        skip();
    test_store_begin(&test, *state, "store", engine);
    test_store_close(&test);
    for (int round = 0; round < 3; round++) {
        pid_t child;
        int next;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
            append_until_killed(&test, ends[1]);
        assert_int_equal(close(ends[1]), 0);
        for (int i = 0; i < 40 + round * 7; i++) {
            assert_int_equal(read(ends[0], &next, sizeof(next)), sizeof(next));
            done = next > done ? next : done;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &result, 0), child);
        while (read(ends[0], &next, sizeof(next)) == sizeof(next))
            done = next > done ? next : done;
        assert_int_equal(close(ends[0]), 0);
        test_store_open(&test);
        assert_true(test_store_count(&test, test.series[0]) >= (size_t) done + 1);
        test_store_verify(&test);
        test_store_close(&test);
    }
}

/* The same tests for each engine; processes come first, a fork after threads is none. */
static int
run_over(const struct oi_kv_engine *which)
{
#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(two_processes_append_at_once),
        STORE_TEST(what_was_acknowledged_survives_a_kill),
        STORE_TEST(threads_append_move_and_ask_at_once),
        STORE_TEST(appends_that_wait_are_committed_together),
    };
    char name[64];

    engine = which;
    (void) snprintf(name, sizeof(name), "contract/store_concurrency over %s", which->name);
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
