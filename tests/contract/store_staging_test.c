/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minute of a whole world: one row a series, of so many series that their rows are put behind
 * the tails while the disk is waited for. Nobody sees them before the commit, everybody after it,
 * and a commit that fails leaves nothing of them.
 */
#include "base/alloc.h"
#include "kv/memory.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/test_store.h"

#define MARKETS 1200
#define MINUTES 12
/* Every so many. */
#define LOOKED_AT 59

/* What was opened last, so that a failure can be planned in it. */
static struct oi_kv *opened_kv;

static enum oi_status
open_memory(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
            struct oi_error *error)
{
    enum oi_status status = oi_kv_memory.open(folder, options, ret_kv, error);

    opened_kv = status == OI_OK ? *ret_kv : NULL;
    return status;
}

struct world {
    struct test_store test;
    uint32_t series[MARKETS];
    struct oi_row rows[MARKETS];
    atomic_int done; /* so many minutes are acknowledged */
    atomic_int faults;
};

static struct world *
begin(const char *folder, const struct oi_kv_engine *engine)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    struct oi_instrument *definitions = oi_alloc_zero(MARKETS, sizeof(*definitions));
    uint32_t *instruments = oi_alloc_zero(MARKETS, sizeof(*instruments));

    test_store_begin(&world->test, folder, engine->name, engine);
    for (int i = 0; i < MARKETS; i++) {
        char symbol[16];

        (void) snprintf(symbol, sizeof(symbol), "WORLD%d", i);
        definitions[i] = test_store_instrument(symbol);
    }
    assert_ok(oi_store_define(world->test.store, definitions, MARKETS, instruments, NULL, NULL));
    assert_ok(oi_store_series_all(world->test.store, instruments, MARKETS, world->test.live,
                                  world->series, NULL));
    oi_free(instruments);
    oi_free(definitions);
    return world;
}

static void
end(struct world **world)
{
    test_store_close(&(*world)->test);
    oi_free(*world);
    *world = NULL;
}

/* Every market's figure of a minute: the minute's number and the market's. */
static int64_t
figure(int minute, int market)
{
    return (int64_t) (minute + 1) * 10000 + market;
}

static enum oi_status
append_minute(struct world *world, int minute)
{
    const struct oi_batch batch = { .rows = world->rows, .row_count = MARKETS };
    struct oi_append_result result = {};
    enum oi_status status;

    for (int i = 0; i < MARKETS; i++)
        world->rows[i] =
            test_store_row(world->series[i], test_store_minute(minute), figure(minute, i));
    status = oi_store_append(world->test.store, &batch, &result, NULL);
    if (status == OI_OK && result.stored != MARKETS)
        atomic_fetch_add(&world->faults, 1);
    return status;
}

static void
assert_minutes(struct world *world, int minutes)
{
    for (int i = 0; i < MARKETS; i += LOOKED_AT) {
        assert_int_equal(test_store_count(&world->test, world->series[i]), minutes);
        assert_int_equal(test_store_latest(&world->test, world->series[i]), figure(minutes - 1, i));
    }
}

static void
minutes_of_a_world_are_there_at_once_and_after_a_restart(void **state)
{
    const struct oi_kv_engine *const engines[] = { &oi_kv_memory, &oi_kv_lmdb };

    for (size_t i = 0; i < 2; i++) {
        struct world *world = begin(*state, engines[i]);

        for (int minute = 0; minute < 3; minute++)
            assert_ok(append_minute(world, minute));
        assert_minutes(world, 3);
        test_store_checkpoint(&world->test);
        assert_ok(append_minute(world, 3));
        assert_minutes(world, 4);
        assert_int_equal(world->faults, 0);
        test_store_verify(&world->test);
        if (engines[i] == &oi_kv_lmdb) {
            test_store_reopen(&world->test);
            assert_minutes(world, 4);
        }
        end(&world);
    }
}

static void
a_commit_that_fails_leaves_nothing_of_a_world(void **state)
{
    struct oi_kv_engine engine = oi_kv_memory;
    struct world *world;

    engine.open = open_memory;
    world = begin(*state, &engine);
    assert_ok(append_minute(world, 0));
    oi_kv_memory_fail(opened_kv, OI_KV_CALL_COMMIT, 1, OI_E_IO);
    assert_status(append_minute(world, 1), OI_E_IO);
    assert_minutes(world, 1);
    assert_ok(append_minute(world, 1));
    assert_minutes(world, 2);
    assert_int_equal(world->faults, 0);
    test_store_verify(&world->test);
    end(&world);
}

/* Figures that no 64 bits hold, and rows that have to be looked at, late among the others. */
static void
a_world_with_odd_rows_is_stored_as_well(void **state)
{
    struct world *world = begin(*state, &oi_kv_lmdb);
    const struct oi_batch batch = { .rows = world->rows, .row_count = MARKETS };
    const int wide = MARKETS - 200, odd = MARKETS - 7;
    struct oi_append_result result = {};
    struct oi_observation reading;

    assert_ok(append_minute(world, 0));
    for (int i = 0; i < MARKETS; i++)
        world->rows[i] = test_store_row(world->series[i], test_store_minute(1), figure(1, i));
    assert_ok(oi_decimal_parse(OI_SLICE("98765432109876543210.25"),
                               &world->rows[wide].reading.value_usd, NULL));
    assert_ok(oi_store_append(world->test.store, &batch, &result, NULL));
    assert_int_equal(result.stored, MARKETS);
    for (int i = 0; i < MARKETS; i++)
        world->rows[i].reading.time = test_store_minute(2);
    world->rows[odd].reading.time = test_store_minute(0);
    assert_ok(oi_store_append(world->test.store, &batch, &result, NULL));
    assert_int_equal(result.stored, MARKETS - 1);
    assert_int_equal(result.duplicate, 1);
    for (int round = 0; round < 2; round++) {
        assert_ok(oi_store_latest(world->test.store, world->series[wide], &reading, NULL));
        assert_int_equal(reading.time, test_store_minute(2));
        assert_true(oi_decimal_equal(&reading.value_usd, &world->rows[wide].reading.value_usd));
        assert_int_equal(test_store_count(&world->test, world->series[odd]), 2);
        assert_int_equal(test_store_count(&world->test, world->series[0]), 3);
        test_store_verify(&world->test);
        test_store_reopen(&world->test);
    }
    end(&world);
}

static void *
keep_asking(void *context)
{
    struct world *world = context;
    int market = 0;

    for (int least; (least = atomic_load(&world->done)) < MINUTES;
         market = (market + 7) % MARKETS) {
        struct oi_observation reading;

        if (least == 0)
            continue;
        if (oi_store_latest(world->test.store, world->series[market], &reading, NULL) != OI_OK ||
            reading.time < test_store_minute(least - 1) ||
            /* Any number of minutes may have come while it asked, and one that is not counted. */
            reading.time > test_store_minute(atomic_load(&world->done)))
            atomic_fetch_add(&world->faults, 1);
    }
    return NULL;
}

static void
who_asks_meanwhile_gets_the_minute_that_was_acknowledged(void **state)
{
    struct world *world = begin(*state, &oi_kv_lmdb);
    pthread_t readers[2];
    size_t left;

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, keep_asking, world), 0);
    for (int minute = 0; minute < MINUTES; minute++) {
        if (append_minute(world, minute) != OI_OK)
            atomic_fetch_add(&world->faults, 1);
        if (minute % 5 == 4)
            (void) oi_store_checkpoint(world->test.store, 100, &left, NULL);
        atomic_store(&world->done, minute + 1);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    assert_int_equal(world->faults, 0);
    assert_minutes(world, MINUTES);
    test_store_verify(&world->test);
    end(&world);
}

int
main(void)
{
#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(minutes_of_a_world_are_there_at_once_and_after_a_restart),
        STORE_TEST(a_commit_that_fails_leaves_nothing_of_a_world),
        STORE_TEST(a_world_with_odd_rows_is_stored_as_well),
        STORE_TEST(who_asks_meanwhile_gets_the_minute_that_was_acknowledged),
    };

    return cmocka_run_group_tests_name("contract/store_staging", tests, NULL, NULL);
}
