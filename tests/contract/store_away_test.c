/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a store in ClickHouse when something dies: the server, a writer in the middle of
 * its turn, and when two write at once. Skipped where there is no clickhouse-server.
 */
#include "clickhouse/clickhouse.h"
#include "clickhouse/client.h"
#include "store/store_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "support/test_clickhouse.h"
#include "support/test_store.h"

static void
begin(struct test_store *test, void **state)
{
    test_store_begin(test, *state, "store", &test_clickhouse_engine);
}

/* The address of the database that a test's store is in, as the opener makes it. */
static struct oi_store *
open_again(const struct test_store *test, const struct oi_clickhouse_options *options)
{
    struct oi_store *store = NULL;
    char address[200];

    test_clickhouse_address_of(test->path, address, sizeof(address));
    assert_ok(oi_clickhouse_open(address, options, &store, NULL));
    return store;
}

static struct oi_append_result
append_one(struct oi_store *store, uint32_t series, int minute, int64_t figure)
{
    struct oi_row row = test_store_row(series, test_store_minute(minute), figure);
    const struct oi_batch batch = { .rows = &row, .row_count = 1 };
    struct oi_append_result result = {};
    struct oi_error error = {};

    if (oi_store_append(store, &batch, &result, &error) != OI_OK)
        fail_msg("%s", error.message);
    return result;
}

static void
batches_wait_while_the_server_is_dead_and_come_in_order(void **state)
{
    struct test_store test;
    struct oi_clickhouse_options options = {};
    struct oi_store_stats stats;
    struct oi_observation reading;
    char waiting[600];

    begin(&test, state);
    oi_store_close(&test.store);
    (void) snprintf(waiting, sizeof(waiting), "%s/waiting", (const char *) *state);
    options.spool_folder = waiting;
    options.clock = &test.clock.clock;
    test.store = open_again(&test, &options);
    (void) append_one(test.store, test.series[0], 0, 10);
    test_clickhouse_signal(SIGKILL);
    for (int i = 1; i <= 3; i++) {
        oi_virtual_clock_advance(&test.clock, OI_MINUTE);
        assert_int_equal(append_one(test.store, test.series[0], i, 10 + i).stored, 1);
    }
    oi_store_stats(test.store, &stats);
    assert_int_equal(stats.waiting_batches, 3);
    assert_true(stats.is_away);
    assert_int_equal(test_store_latest(&test, test.series[0]), 10);
    /* A restart of ours, too. */
    test_clickhouse_restart();
    oi_store_close(&test.store);
    test.store = open_again(&test, &options);
    oi_store_stats(test.store, &stats);
    assert_int_equal(stats.waiting_batches, 0);
    assert_false(stats.is_away);
    assert_int_equal(test_store_latest(&test, test.series[0]), 13);
    assert_int_equal(test_store_count(&test, test.series[0]), 4);
    assert_ok(oi_store_at(test.store, test.series[0], test_store_minute(1), OI_MOMENT_LATEST,
                          &reading, NULL));
    assert_int_equal(reading.known_time, TEST_START + OI_MINUTE);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
a_turn_that_nobody_ends_is_given_up(void **state)
{
    struct test_store test;
    const struct oi_clickhouse_options options = { .turn_ns = OI_SECOND / 5 };
    struct oi_clickhouse_address address;
    struct oi_clickhouse_client *client = NULL;
    struct oi_clickhouse_call call = {};
    char text[200];

    begin(&test, state);
    (void) append_one(test.store, test.series[1], 0, 1);
    test_store_close(&test);
    /* Events 1 to 7 made catalogue and row; somebody takes turn 8, sends a row of batch 2, dies. */
    test_clickhouse_address_of(test.path, text, sizeof(text));
    assert_ok(oi_clickhouse_address_parse(text, &address, NULL));
    assert_ok(oi_clickhouse_client_new(&address, &client, NULL));
    assert_ok(
        oi_clickhouse_ask(client, "SELECT max(sequence) FROM events", text, sizeof(text), NULL));
    assert_string_equal(text, "8");
    call.statement = "CREATE TABLE turn_9 (x UInt8) ENGINE = Memory";
    assert_ok(oi_clickhouse_run(client, &call, NULL, NULL));
    call.statement = "INSERT INTO readings (instrument, feed, time, known_time, batch, "
                     "open_interest_mantissa) VALUES (1, 2, 1767139200000000000, 5, 2, 666)";
    assert_ok(oi_clickhouse_run(client, &call, NULL, NULL));
    oi_clickhouse_client_free(&client);
    test.store = open_again(&test, &options);
    (void) append_one(test.store, test.series[1], 1, 2);
    assert_int_equal(test_store_count(&test, test.series[1]), 2);
    assert_int_equal(oi_store_last_batch(test.store), 3);
    test_store_verify(&test);
    test_store_close(&test);
}

static void
what_waits_for_a_dead_writers_turn_holds_up_no_start(void **state)
{
    struct test_store test;
    struct oi_clickhouse_options options = {};
    struct oi_clickhouse_address address;
    struct oi_clickhouse_client *client = NULL;
    struct oi_clickhouse_call call = { .statement = "CREATE TABLE turn_9 (x UInt8) ENGINE = "
                                                    "Memory" };
    struct oi_store_stats stats;
    char waiting[600], text[200];

    begin(&test, state);
    (void) append_one(test.store, test.series[1], 0, 1);
    oi_store_close(&test.store);
    test_clickhouse_address_of(test.path, text, sizeof(text));
    assert_ok(oi_clickhouse_address_parse(text, &address, NULL));
    assert_ok(oi_clickhouse_client_new(&address, &client, NULL));
    assert_ok(oi_clickhouse_run(client, &call, NULL, NULL));
    (void) snprintf(waiting, sizeof(waiting), "%s/waiting", (const char *) *state);
    options.spool_folder = waiting;
    for (int start = 0; start < 2; start++) {
        test.store = open_again(&test, &options);
        if (start == 0)
            (void) append_one(test.store, test.series[1], 1, 2);
        oi_store_stats(test.store, &stats);
        assert_int_equal(stats.waiting_batches, 1);
        assert_int_equal(test_store_latest(&test, test.series[1]), 1);
        if (start == 0)
            oi_store_close(&test.store);
    }
    call.statement = "DROP TABLE turn_9";
    assert_ok(oi_clickhouse_run(client, &call, NULL, NULL));
    oi_store_close(&test.store);
    test.store = open_again(&test, &options);
    assert_int_equal(test_store_latest(&test, test.series[1]), 2);
    oi_clickhouse_client_free(&client);
    test_store_verify(&test);
    test_store_close(&test);
}

struct writer {
    struct oi_store *store;
    const struct test_store *test;
    int from; /* minute */
    size_t stored;
};

static void *
write_minutes(void *context)
{
    struct writer *writer = context;

    for (int i = 0; i < 12; i++)
        writer->stored += append_one(writer->store, writer->test->series[0], writer->from + i,
                                     writer->from + i + 1)
                              .stored;
    return NULL;
}

static void
two_who_write_the_same_store_each_minute_once(void **state)
{
    const struct oi_clickhouse_options options = {};
    struct test_store test;
    struct writer writers[2] = {};
    pthread_t threads[2];

    begin(&test, state);
    test_store_close(&test);
    for (int i = 0; i < 2; i++) {
        writers[i] = (struct writer){ .store = open_again(&test, &options), .test = &test };
        assert_int_equal(pthread_create(&threads[i], NULL, write_minutes, &writers[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(writers[0].stored + writers[1].stored, 12);
    for (int i = 0; i < 2; i++) {
        test.store = writers[i].store;
        assert_ok(oi_store_follow(test.store, NULL));
        assert_int_equal(test_store_count(&test, test.series[0]), 12);
        assert_int_equal(test_store_latest(&test, test.series[0]), 12);
        test_store_verify(&test);
        test_store_close(&test);
    }
}

struct verifier {
    struct oi_store *store;
    atomic_bool is_over;
    unsigned times, faults;
};

static void *
keep_verifying(void *context)
{
    struct verifier *verifier = context;

    do {
        verifier->faults += oi_store_verify(verifier->store, NULL, NULL, NULL, NULL) != OI_OK;
        verifier->times++;
    } while (!atomic_load(&verifier->is_over));
    return NULL;
}

static void
a_store_is_sound_while_somebody_writes_it(void **state)
{
    const struct oi_clickhouse_options options = {};
    struct test_store test;
    struct verifier verifier = {};
    struct writer writer;
    pthread_t thread;

    begin(&test, state);
    verifier.store = open_again(&test, &options);
    assert_int_equal(pthread_create(&thread, NULL, keep_verifying, &verifier), 0);
    writer = (struct writer){ .store = test.store, .test = &test };
    for (; writer.from < 48; writer.from += 12)
        (void) write_minutes(&writer);
    atomic_store(&verifier.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(writer.stored, 48);
    assert_true(verifier.times > 0);
    assert_int_equal(verifier.faults, 0);
    oi_store_close(&verifier.store);
    test_store_close(&test);
}

#define IMPORTED 300

/* Minutes of two series in turn, from `from` on; figures end with a zero, and one is wide. */
static struct oi_append_result
import_minutes(struct test_store *test, int from, int64_t figure, bool has_wide, uint8_t name)
{
    const struct oi_bulk_target targets[2] = { { .series = test->series[2] },
                                               { .series = test->series[1] } };
    struct oi_packed rows[2 * IMPORTED];
    struct oi_decimal wide;
    struct oi_import_mark mark = {
        .name = "f", .format = "csv", .rows_done = 2 * IMPORTED, .is_complete = name > 2
    };
    const struct oi_bulk_part part = {
        .rows = rows, .count = 2 * IMPORTED, .targets = targets, .wides = &wide
    };
    const struct oi_bulk bulk = { .parts = &part, .part_count = 1, .import = &mark, .threads = 2 };
    struct oi_append_result result = {};

    mark.fingerprint[0] = name;
    assert_ok(oi_decimal_parse(OI_SLICE("123456789012345678901.5"), &wide, NULL));
    for (int i = 0; i < 2 * IMPORTED; i++) {
        rows[i] = (struct oi_packed){ .time = test_store_minute(from + i / 2),
                                      .exchange_time = OI_TIME_NONE,
                                      .known_time = OI_TIME_NONE,
                                      .mantissas = { 10 * (figure + i / 2) },
                                      .exponents = { -1, OI_EXPONENT_NONE, OI_EXPONENT_NONE,
                                                     OI_EXPONENT_NONE, OI_EXPONENT_NONE },
                                      .target = (uint32_t) i % 2 };
        if (has_wide && i == 6) {
            rows[i].mantissas[0] = 0;
            rows[i].exponents[0] = OI_EXPONENT_WIDE;
        }
    }
    assert_ok(oi_store_bulk(test->store, &bulk, &result, NULL));
    /* Nothing is kept for more of a file that has none. */
    assert_int_equal(test->store->spare_rows.rows.capacity > 0, !mark.is_complete);
    return result;
}

static void
an_import_says_what_appends_of_its_rows_say(void **state)
{
    const struct oi_clickhouse_options options = {};
    struct test_store test;
    struct oi_append_result result;
    struct oi_import_mark mark;
    uint8_t fingerprint[sizeof(mark.fingerprint)] = { 2 };

    begin(&test, state);
    result = import_minutes(&test, 0, 1000, false, 1);
    assert_int_equal(result.stored, 2 * IMPORTED);
    result = import_minutes(&test, IMPORTED, 1000 + IMPORTED, true, 2);
    assert_int_equal(result.stored, 2 * IMPORTED);
    assert_ok(oi_store_import_find(test.store, fingerprint, &mark, NULL));
    assert_int_equal(mark.rows_done, 2 * IMPORTED);
    assert_int_equal(mark.stored, 2 * IMPORTED);
    /* What is there already is compared. */
    result = import_minutes(&test, IMPORTED / 2, 1000 + IMPORTED / 2, false, 3);
    assert_int_equal(result.stored, 0);
    assert_int_equal(result.duplicate + result.refused, 2 * IMPORTED);
    result = import_minutes(&test, 2 * IMPORTED - 20, 1000 + 2 * IMPORTED - 20, false, 4);
    assert_int_equal(result.duplicate, 40);
    assert_int_equal(result.stored, 2 * IMPORTED - 40);
    for (int handle = 0; handle < 2; handle++) {
        assert_int_equal(test_store_count(&test, test.series[2]), 3 * IMPORTED - 20);
        assert_int_equal(test_store_count(&test, test.series[1]), 3 * IMPORTED - 20);
        assert_int_equal(test_store_latest(&test, test.series[2]), 1000 + 3 * IMPORTED - 21);
        test_store_verify(&test);
        oi_store_close(&test.store);
        test.store = open_again(&test, &options);
    }
    test_store_close(&test);
}

int
main(void)
{
#define AWAY_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        AWAY_TEST(batches_wait_while_the_server_is_dead_and_come_in_order),
        AWAY_TEST(a_turn_that_nobody_ends_is_given_up),
        AWAY_TEST(what_waits_for_a_dead_writers_turn_holds_up_no_start),
        AWAY_TEST(two_who_write_the_same_store_each_minute_once),
        AWAY_TEST(a_store_is_sound_while_somebody_writes_it),
        AWAY_TEST(an_import_says_what_appends_of_its_rows_say),
    };
    int failed;

    if (!test_clickhouse_start())
        return 0;
    test_store_opener = test_clickhouse_open;
    failed = cmocka_run_group_tests_name("contract/store_away", tests, NULL, NULL);
    test_clickhouse_stop();
    return failed;
}
