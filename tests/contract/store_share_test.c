/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server's checkpoints move and what they leave in the log: a share of the series in turn,
 * crowds at once, the oldest rows of a log that is too long. That answers are the same either way
 * is store_test.c's question.
 */
#include "support/test.h"
#include "support/test_folder.h"
#include "support/test_store.h"

#define MARKETS 60
#define SHARE 12
#define TURN (MARKETS / SHARE)

static const struct oi_checkpoint_plan plan = {
    .rows_max = 1000, .share = SHARE, .crowd = 20, .log_max = 100'000
};

static size_t commits; /* that were written */

static enum oi_status
count_commit(struct oi_kv_txn **txn, struct oi_error *error)
{
    commits++;
    return oi_kv_memory.commit(txn, error);
}

static void (*before_writing)(void); /* or NULL: called before each transaction that writes */

static enum oi_status
tell_before_writing(struct oi_kv *kv, enum oi_kv_mode mode, struct oi_kv_txn **ret_txn,
                    struct oi_error *error)
{
    if (mode == OI_KV_WRITE && before_writing)
        before_writing();
    return oi_kv_lmdb.begin(kv, mode, ret_txn, error);
}

struct world {
    struct oi_kv_engine engine;
    struct test_store test;
    uint32_t series[MARKETS];
};

static void
begin_over(struct world *world, void **state)
{
    test_store_begin(&world->test, *state, "share", &world->engine);
    for (int i = 0; i < MARKETS; i++) {
        char symbol[16];
        struct oi_instrument definition;
        uint32_t instrument;

        (void) snprintf(symbol, sizeof(symbol), "SHARED%d", i);
        definition = test_store_instrument(symbol);
        assert_ok(oi_store_define(world->test.store, &definition, 1, &instrument, NULL, NULL));
        assert_ok(oi_store_series(world->test.store, instrument, world->test.live,
                                  &world->series[i], NULL));
    }
}

static void
begin(struct world *world, void **state)
{
    world->engine = oi_kv_memory;
    world->engine.commit = count_commit;
    begin_over(world, state);
}

/* The number of the batch. */
static uint64_t
append_to(struct oi_store *store, const struct world *world, int minute,
          const struct oi_import_mark *mark)
{
    struct oi_row rows[MARKETS];
    const struct oi_batch batch = { .rows = rows, .row_count = MARKETS, .import = mark };
    struct oi_append_result result = {};

    for (int i = 0; i < MARKETS; i++)
        rows[i] = test_store_row(world->series[i], test_store_minute(minute), i);
    assert_ok(oi_store_append(store, &batch, &result, NULL));
    assert_int_equal(result.stored, MARKETS);
    return result.batch;
}

static void
append_minute(struct world *world, int minute)
{
    (void) append_to(world->test.store, world, minute, NULL);
}

static struct oi_store_stats
stats_of(struct world *world)
{
    struct oi_store_stats stats;

    oi_store_stats(world->test.store, &stats);
    return stats;
}

/* How many rows are due still. */
static size_t
move(struct world *world, const struct oi_checkpoint_plan *how)
{
    size_t due = 0;

    assert_ok(oi_store_checkpoint_share(world->test.store, how, &due, NULL));
    return due;
}

static void
a_minute_of_every_series_moves_a_share_of_them(void **state)
{
    struct world world;

    begin(&world, state);
    append_minute(&world, 0);
    assert_int_equal(move(&world, &plan), 0);
    assert_int_equal(stats_of(&world).chunk_rows, TURN);
    assert_int_equal(stats_of(&world).log_rows, MARKETS - TURN);
    assert_int_equal(stats_of(&world).log_batches, 1);
    test_store_verify(&world.test);
    test_store_close(&world.test);
}

static void
every_series_has_its_turn_and_the_log_is_cut_behind(void **state)
{
    struct world world;

    begin(&world, state);
    for (int minute = 0; minute < 5 * SHARE; minute++) {
        append_minute(&world, minute);
        assert_int_equal(move(&world, &plan), 0);
        assert_true(stats_of(&world).log_batches <= SHARE);
        /* Those whose turn was last have nothing, those whose turn is next a round of rows. */
        if (minute >= SHARE)
            assert_int_equal(stats_of(&world).log_rows, TURN * (SHARE - 1) * SHARE / 2);
    }
    test_store_reopen(&world.test);
    assert_int_equal(stats_of(&world).log_rows, TURN * (SHARE - 1) * SHARE / 2);
    for (int i = 0; i < MARKETS; i++)
        assert_int_equal(test_store_count(&world.test, world.series[i]), 5 * SHARE);
    test_store_verify(&world.test);
    test_store_close(&world.test);
}

static void
a_crowd_goes_at_once_and_no_other(void **state)
{
    const struct oi_checkpoint_plan crowds = { .rows_max = 30, .crowd = 20, .log_max = 100'000 };
    struct world world;

    begin(&world, state);
    append_minute(&world, 0);
    test_store_append_minutes(&world.test, world.series[7], 1, 30, 1);
    test_store_append_minutes(&world.test, world.series[9], 1, 30, 1);
    assert_int_equal(move(&world, &crowds), 31); /* a transaction of one, and one to go */
    assert_int_equal(move(&world, &crowds), 0);
    assert_int_equal(stats_of(&world).chunk_rows, 62);
    assert_int_equal(stats_of(&world).log_rows, MARKETS - 2);
    assert_int_equal(test_store_count(&world.test, world.series[7]), 31);
    test_store_verify(&world.test);
    test_store_close(&world.test);
}

static void
a_log_too_long_loses_its_oldest_batches(void **state)
{
    const struct oi_checkpoint_plan short_log = { .rows_max = 1000,
                                                  .crowd = 20,
                                                  .log_max = 2 * MARKETS };
    struct world world;

    begin(&world, state);
    append_minute(&world, 0);
    append_minute(&world, 1);
    assert_int_equal(move(&world, &short_log), 0);
    assert_int_equal(stats_of(&world).log_rows, 2 * MARKETS);
    test_store_append_minutes(&world.test, world.series[3], 2, 1, 1);
    assert_int_equal(move(&world, &short_log), 0);
    assert_int_equal(stats_of(&world).log_rows, 0); /* whole series: their later rows go along */
    test_store_verify(&world.test);
    test_store_close(&world.test);
}

/* A machine on which whatever is done takes long. */
struct slow_clock {
    struct oi_clock clock;
    int64_t now_ns;
};

static int64_t
wall_of_slow(const struct oi_clock *clock)
{
    return ((const struct slow_clock *) clock)->now_ns;
}

static int64_t
monotonic_of_slow(const struct oi_clock *clock)
{
    return ((struct slow_clock *) (uintptr_t) clock)->now_ns += OI_SECOND / 20;
}

/* A share that takes long goes in several transactions, each of a series at least, and no further
 * than its turn. */
static void
appends_come_between_the_series_of_a_share(void **state)
{
    struct slow_clock slow = { { wall_of_slow, monotonic_of_slow }, TEST_START + OI_HOUR };
    const struct oi_checkpoint_plan few = {
        .rows_max = 2, .share = SHARE, .crowd = 20, .log_max = 100'000
    };
    struct world world;

    begin(&world, state);
    append_minute(&world, 0);
    world.test.options.clock = &slow.clock;
    test_store_reopen(&world.test);
    commits = 0;
    assert_int_equal(move(&world, &plan), 0);
    assert_int_equal(commits, TURN);
    assert_int_equal(stats_of(&world).chunk_rows, TURN);
    assert_int_equal(stats_of(&world).log_rows, MARKETS - TURN);
    test_store_verify(&world.test);
    commits = 0;
    assert_int_equal(move(&world, &few), TURN - 2);
    assert_int_equal(commits, 2);
    append_minute(&world, 1);
    for (int i = 0; i < MARKETS; i++)
        assert_int_equal(test_store_count(&world.test, world.series[i]), 2);
    test_store_verify(&world.test);
    test_store_close(&world.test);
}

/* Another one who has the store open, while a checkpoint goes on. */
static struct {
    const struct world *world;
    struct test_store test;
    uint64_t imported; /* the batch */
    int transactions;
} other;

static void
assert_rows(struct test_store *test, size_t expected)
{
    for (int i = 0; i < MARKETS; i++)
        assert_int_equal(test_store_count(test, other.world->series[i]), expected);
}

static void
act_meanwhile(void)
{
    other.transactions++;
    assert_rows(&other.test, other.transactions <= 3 ? 2 : 3);
    if (other.transactions == 3)
        (void) append_to(other.test.store, other.world, 6, NULL);
    if (other.transactions == MARKETS / 2) {
        assert_ok(oi_store_withdraw(other.test.store, other.imported, NULL));
        (void) append_to(other.test.store, other.world, 7, NULL);
    }
    if (other.transactions % 10 == 0)
        test_store_verify(&other.test);
}

static void
what_others_do_between_its_transactions_counts(void **state)
{
    const struct oi_import_mark mark = { .name = "f", .format = "csv", .is_complete = true };
    struct slow_clock slow = { { wall_of_slow, monotonic_of_slow }, TEST_START + OI_HOUR };
    struct world world;
    size_t left;

    world.engine = oi_kv_lmdb;
    world.engine.begin = tell_before_writing;
    before_writing = NULL;
    begin_over(&world, state);
    append_minute(&world, 0);
    other.imported = append_to(world.test.store, &world, 5, &mark);
    world.test.options.clock = &slow.clock;
    test_store_reopen(&world.test);
    other.world = &world;
    other.test = world.test;
    other.test.options.engine = &oi_kv_lmdb;
    other.transactions = 0;
    test_store_open(&other.test);
    before_writing = act_meanwhile;
    assert_ok(oi_store_checkpoint(world.test.store, 10'000, &left, NULL));
    before_writing = NULL;
    assert_int_equal(left, 0);
    assert_true(other.transactions >= MARKETS);
    assert_rows(&other.test, 3);
    assert_rows(&world.test, 3);
    test_store_verify(&world.test);
    test_store_close(&other.test);
    test_store_reopen(&world.test);
    assert_rows(&world.test, 3);
    test_store_close(&world.test);
}

static void
nothing_due_writes_nothing(void **state)
{
    const struct oi_checkpoint_plan crowds = { .rows_max = 30, .crowd = 20, .log_max = 100'000 };
    struct world world;

    begin(&world, state);
    append_minute(&world, 0);
    assert_int_equal(move(&world, &crowds), 0);
    assert_int_equal(stats_of(&world).log_batches, 1);
    assert_int_equal(stats_of(&world).chunk_rows, 0);
    test_store_close(&world.test);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_minute_of_every_series_moves_a_share_of_them,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(every_series_has_its_turn_and_the_log_is_cut_behind,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(a_crowd_goes_at_once_and_no_other, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test_setup_teardown(a_log_too_long_loses_its_oldest_batches, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test_setup_teardown(appends_come_between_the_series_of_a_share,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(what_others_do_between_its_transactions_counts,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(nothing_due_writes_nothing, test_folder_setup,
                                        test_folder_teardown),
    };

    return cmocka_run_group_tests_name("contract/store_share", tests, NULL, NULL);
}
