/* SPDX-License-Identifier: Apache-2.0 */
/* The calendar of coverage: its days come to what the coverage of each market says. */
#include "query/run.h"

#include "support/test_world.h"

static struct test_world shared;

#define SPAN ((struct oi_span){ WORLD_START + 7 * OI_HOUR, WORLD_START + 3 * OI_DAY - OI_HOUR })

static struct oi_result *
ask(struct oi_query *query, enum oi_query_kind kind)
{
    oi_query_select(query, OI_SYMBOLOGY_NATIVE)->coin = "BTC";
    query->kind = kind;
    query->span = SPAN;
    return test_world_run(&shared, query);
}

static int64_t
missing_of(const struct oi_calendar_day *day)
{
    return day->silent_ns + day->unreachable_ns + day->blocked_ns + day->rate_limited_ns +
           day->collector_down_ns;
}

static void
days_come_to_the_coverage_of_the_markets(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query of_days = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_query_release) struct oi_query of_markets = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *days = ask(&of_days, OI_QUERY_CALENDAR);
    OI_CLEANUP(oi_result_close) struct oi_result *markets = ask(&of_markets, OI_QUERY_COVERAGE);
    int64_t due = 0, missing = 0;
    const struct oi_block *block;

    assert_ok(oi_result_next(days, &block, NULL));
    assert_non_null(block);
    assert_string_equal(block->exchange, "example");
    assert_int_equal(block->count, 3);
    for (size_t i = 0; i < block->count; i++) {
        const struct oi_calendar_day *day = &block->days[i];

        assert_int_equal(day->day, WORLD_START + (oi_time) i * OI_DAY);
        assert_int_equal(day->markets, WORLD_MARKETS);
        assert_true(day->due_ns <= WORLD_MARKETS * OI_DAY);
        assert_true(missing_of(day) <= day->due_ns);
        due += day->due_ns;
        missing += missing_of(day);
    }
    assert_true(missing > 0);
    assert_ok(oi_result_next(days, &block, NULL));
    assert_null(block);
    for (;;) {
        assert_ok(oi_result_next(markets, &block, NULL));
        if (!block)
            break;
        due -= block->coverage->span.to - block->coverage->span.from;
        missing -= block->coverage->missing_ns;
    }
    assert_int_equal(due, 0);
    assert_int_equal(missing, 0);
}

static void
a_limit_cuts_the_days(void **)
{
    OI_CLEANUP(oi_query_release)
    struct oi_query query = { .limit = 2, .as_of = OI_TIME_LATEST, .as_stored = OI_TIME_LATEST };
    OI_CLEANUP(oi_result_close) struct oi_result *result = ask(&query, OI_QUERY_CALENDAR);
    const struct oi_block *block;

    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 2);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
}

static int
set_up(void **folder)
{
    return test_world_set_up(&shared, folder, 20260309, 500);
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
        cmocka_unit_test(days_come_to_the_coverage_of_the_markets),
        cmocka_unit_test(a_limit_cuts_the_days),
    };
    return cmocka_run_group_tests_name("query/run_calendar", tests, set_up, tear_down);
}
