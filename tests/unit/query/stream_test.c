/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that the operator holds to be bad: left out of every answer but the one that tells flags. */
#include "query/stream.h"

#include "support/test_folder.h"
#include "support/test_world.h"

#include <stdio.h>

static const struct oi_span bad = { WORLD_START + 12 * OI_HOUR + OI_MINUTE,
                                    WORLD_START + 400 * OI_DAY };

static void
flag(struct test_world *world, struct oi_span span)
{
    struct oi_bad_span entry = { .instrument = world->instruments[1], .span = span };

    (void) snprintf(entry.reason, sizeof(entry.reason), "the exchange counted twice");
    assert_ok(oi_store_flag(world->source.store, &entry, NULL));
}

/* Rows of an answer, and those of the span in it. */
static void
count_rows(struct test_world *world, bool shows_bad, size_t *ret_rows, size_t *ret_bad)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;

    query.kind = OI_QUERY_ROWS;
    query.shows_bad = shows_bad;
    test_world_select(&query, test_world_names[1]);
    result = test_world_run(world, &query);
    *ret_rows = *ret_bad = 0;
    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        *ret_rows += block->count;
        for (size_t i = 0; i < block->count; i++) {
            bool is_bad = oi_span_contains(bad, block->rows->time[i]);

            *ret_bad += is_bad;
            if (shows_bad)
                assert_int_equal((block->rows->flags[i] & OI_FLAG_BAD) != 0, is_bad);
        }
    }
}

static size_t
count_readings(struct test_world *world, int64_t interval_ns, bool is_total)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;
    size_t count = 0;

    query.kind = OI_QUERY_CANDLES;
    query.interval_ns = interval_ns;
    if (is_total)
        query.unit = OI_UNIT_COINS;
    test_world_select(&query, test_world_names[1]);
    query.selectors.items[0].is_total = is_total;
    result = test_world_run(world, &query);
    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            return count;
        for (size_t i = 0; i < block->count; i++) {
            count += block->candles[i].count;
            assert_true(block->candles[i].last < bad.from);
        }
    }
}

static oi_time
latest_time(struct test_world *world, bool shows_bad)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;

    query.kind = OI_QUERY_LATEST;
    query.shows_bad = shows_bad;
    test_world_select(&query, test_world_names[1]);
    result = test_world_run(world, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    return block ? block->latest[0].reading.time : OI_TIME_NONE;
}

static void
bad_rows_are_left_out_unless_their_flags_are_told(void **state)
{
    struct test_world world;
    size_t good = 0, all, rows, found;

    test_world_open(&world, *state);
    test_world_fill(&world, 20261126, 400);
    all = world.merged[1].count;
    while (good < all && world.merged[1].items[good].time < bad.from)
        good++;
    assert_true(good > 10 && good < all);
    flag(&world, bad);
    count_rows(&world, false, &rows, &found);
    assert_int_equal(rows, good);
    assert_int_equal(found, 0);
    count_rows(&world, true, &rows, &found);
    assert_int_equal(rows, all);
    assert_int_equal(found, all - good);
    assert_int_equal(count_readings(&world, OI_HOUR, false), good);
    assert_int_equal(count_readings(&world, 20 * OI_MINUTE, false), good);
    assert_int_equal(count_readings(&world, OI_HOUR, true), good);
    assert_int_equal(latest_time(&world, false), world.merged[1].items[good - 1].time);
    assert_int_equal(latest_time(&world, true), world.merged[1].items[all - 1].time);
    /* Entries that touch, in no order; then nothing is left. */
    flag(&world, (struct oi_span){ WORLD_START - OI_DAY, WORLD_START + OI_HOUR });
    flag(&world, (struct oi_span){ WORLD_START + OI_HOUR, bad.to });
    count_rows(&world, false, &rows, &found);
    assert_int_equal(rows, 0);
    assert_int_equal(latest_time(&world, false), OI_TIME_NONE);
    test_world_close(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_rows_are_left_out_unless_their_flags_are_told,
                                        test_folder_setup, test_folder_teardown),
    };

    return cmocka_run_group_tests_name("query/stream", tests, NULL, NULL);
}
