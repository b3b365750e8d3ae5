/* SPDX-License-Identifier: Apache-2.0 */
/* What groups of markets are worth, against straight computation from a plain copy: from rollups
 * and from rows, at instants before now, and how groups are ranked and cut. */
#include "query/run.h"

#include "support/test_world.h"

#include <string.h>

#define STALENESS (15 * OI_MINUTE)

static struct test_world shared;

/* What a market is worth by its last reading until an instant; none where that is too old. */
static struct oi_decimal
worth_at(size_t market, oi_time time)
{
    const struct world_row *last = NULL;

    for (size_t i = 0; i < shared.merged[market].count; i++)
        if (shared.merged[market].items[i].time <= time)
            last = &shared.merged[market].items[i];
    if (!last || last->time < time - STALENESS)
        return (struct oi_decimal){};
    return test_world_amount(last, OI_UNIT_USD, true);
}

static void
assert_worth(const struct oi_aggregate *row, const bool has[WORLD_MARKETS])
{
    struct oi_decimal want = {};
    size_t markets = 0;

    for (size_t market = 0; market < WORLD_MARKETS; market++) {
        struct oi_decimal worth = worth_at(market, row->time);

        if (!has[market] || oi_decimal_is_none(&worth))
            continue;
        markets++;
        if (oi_decimal_is_none(&want))
            want = worth;
        else
            assert_ok(oi_decimal_add(&want, &worth, &want, NULL));
    }
    assert_int_equal(row->markets, markets);
    assert_true(oi_decimal_equal(&row->usd, &want));
}

static void
ask(struct oi_query *query, unsigned splits)
{
    *query = OI_QUERY_EMPTY;
    query->kind = OI_QUERY_OVERVIEW;
    query->unit = OI_UNIT_USD;
    query->is_canonical = true;
    query->splits = splits;
    query->top = 100;
    query->is_one_list = true;
    oi_query_select(query, OI_SYMBOLOGY_NATIVE);
}

/* The group of a split that a market is in, by its settlement: two are linear, one inverse. */
static void
assert_group(const struct oi_block *block)
{
    static const bool linear[] = { true, true, false }, inverse[] = { false, false, true },
                      all[] = { true, true, true };
    const char *name = block->aggregates[0].name;

    for (size_t i = 0; i < block->count; i++)
        assert_worth(&block->aggregates[i], !name                         ? all
                                            : strcmp(name, "linear") == 0 ? linear
                                                                          : inverse);
}

static void
sums_the_last_readings_at_the_ends_of_intervals_and_now(void **)
{
    const int64_t intervals[] = { 7 * OI_MINUTE, OI_HOUR, 3 * OI_HOUR, OI_DAY };

    for (size_t i = 0; i < OI_COUNT(intervals); i++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
        const struct oi_block *block;
        size_t blocks = 0;

        ask(&query, 1u << OI_SPLIT_NONE | 1u << OI_SPLIT_SETTLEMENT);
        query.interval_ns = intervals[i];
        query.span.from = WORLD_START;
        query.span.to = WORLD_START + 4 * OI_DAY;
        result = test_world_run(&shared, &query);
        for (;;) {
            assert_ok(oi_result_next(result, &block, NULL));
            if (!block)
                break;
            assert_true(block->count >= (size_t) (4 * OI_DAY / intervals[i]));
            assert_int_equal(block->aggregates[block->count - 1].time, query.span.to);
            assert_group(block);
            blocks++;
        }
        assert_int_equal(blocks, 3);
    }
}

static void
says_what_changed_until_now(void **)
{
    static const int64_t ago[] = { 0, OI_HOUR, OI_DAY, OI_WEEK };
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;
    struct oi_decimal now;

    ask(&query, 1u << OI_SPLIT_NONE);
    query.span.to = WORLD_START + 2 * OI_DAY;
    result = test_world_run(&shared, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, OI_COUNT(ago));
    assert_string_equal(block->aggregates[0].by, "total");
    now = block->aggregates[0].usd;
    for (size_t i = 0; i < OI_COUNT(ago); i++) {
        const struct oi_aggregate *row = &block->aggregates[i];
        struct oi_decimal change = {};

        assert_int_equal(row->time, query.span.to - ago[i]);
        assert_worth(row, (const bool[]){ true, true, true });
        if (!oi_decimal_is_none(&row->usd))
            assert_ok(oi_decimal_subtract(&now, &row->usd, &change, NULL));
        assert_true(oi_decimal_equal(&row->change, &change));
    }
    /* Nothing was there a week ago, and nothing was late then. */
    assert_true(oi_decimal_is_none(&block->aggregates[3].usd));
    assert_int_equal(block->aggregates[3].stale, 0);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
}

/* An instant at which all three are worth something, a day before it too. */
static oi_time
busy_instant(void)
{
    for (oi_time time = WORLD_START + OI_DAY;; time += OI_MINUTE) {
        size_t there = 0;

        for (size_t market = 0; market < WORLD_MARKETS; market++) {
            struct oi_decimal now = worth_at(market, time), then = worth_at(market, time - OI_DAY);

            there += !oi_decimal_is_none(&now) && !oi_decimal_is_none(&then);
        }
        if (there == WORLD_MARKETS)
            return time;
        assert_true(time < WORLD_START + 4 * OI_DAY);
    }
}

static void
ranks_groups_by_their_worth_and_markets_by_their_change(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;
    struct oi_decimal largest = {};
    const char *most = NULL;

    ask(&query, 1u << OI_SPLIT_QUOTE);
    query.span.to = busy_instant();
    query.ranks_markets = true;
    query.top = 1;
    for (size_t market = 0; market < WORLD_MARKETS; market++) {
        struct oi_decimal now = worth_at(market, query.span.to);
        struct oi_decimal then = worth_at(market, query.span.to - OI_DAY);
        bool is_up = oi_decimal_compare(&now, &then) >= 0;
        struct oi_decimal change;

        assert_ok(oi_decimal_subtract(is_up ? &now : &then, is_up ? &then : &now, &change, NULL));
        if (most && oi_decimal_compare(&change, &largest) <= 0)
            continue;
        largest = change;
        most = test_world_names[market];
    }
    result = test_world_run(&shared, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_string_equal(block->aggregates[0].by, "quote");
    largest = block->aggregates[0].usd;
    assert_ok(oi_result_next(result, &block, NULL));
    /* One group beyond the largest keeps its name. */
    assert_string_not_equal(block->aggregates[0].name, "other");
    assert_true(oi_decimal_compare(&largest, &block->aggregates[0].usd) >= 0);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_string_equal(block->aggregates[0].by, "market");
    assert_string_equal(block->aggregates[0].name, most);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
}

static int
set_up(void **folder)
{
    return test_world_set_up(&shared, folder, 20260307, 500);
}

static int
tear_down(void **folder)
{
    return test_world_tear_down(&shared, folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_the_last_readings_at_the_ends_of_intervals_and_now),
        cmocka_unit_test(says_what_changed_until_now),
        cmocka_unit_test(ranks_groups_by_their_worth_and_markets_by_their_change),
    };
    return cmocka_run_group_tests_name("query/run_overview", tests, set_up, tear_down);
}
