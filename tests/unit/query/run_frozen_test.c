/* SPDX-License-Identifier: Apache-2.0 */
/* Figures that stood still while their price moved, as an answer. */
#include "query/run.h"

#include "support/test_folder.h"
#include "support/test_world.h"

static struct test_world shared;

#define MINUTES 300

/* The first market stands still in [0, 90) and [120, 200) while its price moves, the second while
 * it does not, the third never does. */
static int64_t
figure_of(size_t market, int minute)
{
    if (market == 2)
        return 1'000 + minute;
    if (market == 1 || minute < 90)
        return 500;
    return minute >= 120 && minute < 200 ? 700 : 1'000 + minute;
}

static void
append_all(void)
{
    OI_VECTOR(struct oi_row) rows = {};
    struct oi_append_result result;

    for (size_t market = 0; market < WORLD_MARKETS; market++)
        for (int minute = 0; minute < MINUTES; minute++) {
            struct oi_observation reading = OI_OBSERVATION_NONE;

            reading.time = WORLD_START + minute * OI_MINUTE;
            reading.open_interest = oi_decimal_from(figure_of(market, minute), 0);
            reading.mark_price = oi_decimal_from(market == 1 ? 9'000 : 9'000 + minute * 2, 0);
            oi_vector_push(&rows, ((struct oi_row){ shared.series[market][0], reading }));
        }
    oi_virtual_clock_advance(&shared.clock, 2 * OI_DAY);
    assert_ok(oi_store_append(shared.source.store,
                              &(struct oi_batch){ .rows = rows.items, .row_count = rows.count },
                              &result, NULL));
    assert_int_equal(result.stored, rows.count);
    oi_vector_release(&rows);
}

static struct oi_result *
ask(struct oi_query *query, int64_t lasting_ns)
{
    for (size_t market = 0; market < WORLD_MARKETS; market++)
        test_world_select(query, test_world_names[market]);
    query->kind = OI_QUERY_FROZEN;
    query->lasting_ns = lasting_ns;
    query->span.from = query->span.from == OI_TIME_EARLIEST ? WORLD_START : query->span.from;
    return test_world_run(&shared, query);
}

static void
a_frozen_figure_is_told_with_its_span(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = ask(&query, OI_HOUR);
    const struct oi_block *block;

    assert_ok(oi_result_next(result, &block, NULL));
    assert_non_null(block);
    assert_int_equal(block->count, 2);
    assert_non_null(block->feed);
    assert_int_equal(block->standstills[0].since, WORLD_START);
    assert_int_equal(block->standstills[0].seen, WORLD_START + 89 * OI_MINUTE);
    assert_int_equal(block->standstills[0].open_interest.mantissa, 5);
    assert_int_equal(block->standstills[1].since, WORLD_START + 120 * OI_MINUTE);
    assert_int_equal(block->standstills[1].seen, WORLD_START + 199 * OI_MINUTE);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
    assert_false(result->next_position.is_set);
}

static void
only_those_that_lasted_are_told(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = ask(&query, 85 * OI_MINUTE);
    const struct oi_block *block;

    assert_ok(oi_result_next(result, &block, NULL));
    assert_non_null(block);
    assert_int_equal(block->count, 1);
    assert_int_equal(block->standstills[0].since, WORLD_START);
}

static void
a_page_goes_on_behind_the_last_one(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query first = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_query_release) struct oi_query second = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *page = NULL;
    const struct oi_block *block;

    first.limit = 1;
    page = ask(&first, OI_HOUR);
    assert_ok(oi_result_next(page, &block, NULL));
    assert_int_equal(block->count, 1);
    assert_ok(oi_result_next(page, &block, NULL));
    assert_null(block);
    assert_true(page->next_position.is_set);
    second.after = page->next_position;
    oi_result_close(&page);
    page = ask(&second, OI_HOUR);
    assert_ok(oi_result_next(page, &block, NULL));
    assert_int_equal(block->count, 1);
    assert_int_equal(block->standstills[0].since, WORLD_START + 120 * OI_MINUTE);
}

static void
a_page_that_holds_the_last_one_has_no_next(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *page = NULL;
    const struct oi_block *block;

    query.limit = 2;
    page = ask(&query, OI_HOUR);
    assert_ok(oi_result_next(page, &block, NULL));
    assert_int_equal(block->count, 2);
    assert_ok(oi_result_next(page, &block, NULL));
    assert_null(block);
    assert_false(page->next_position.is_set);
}

static void
without_a_start_it_is_the_last_day(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;

    test_world_select(&query, test_world_names[0]);
    query.kind = OI_QUERY_FROZEN;
    query.lasting_ns = OI_HOUR;
    query.span.to = WORLD_START + OI_DAY + 100 * OI_MINUTE;
    result = test_world_run(&shared, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_non_null(block);
    assert_int_equal(block->count, 1);
    assert_int_equal(block->standstills[0].since, WORLD_START + 120 * OI_MINUTE);
}

static int
set_up(void **folder)
{
    assert_int_equal(test_folder_setup(folder), 0);
    test_world_open(&shared, *folder);
    append_all();
    return 0;
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
        cmocka_unit_test(a_frozen_figure_is_told_with_its_span),
        cmocka_unit_test(only_those_that_lasted_are_told),
        cmocka_unit_test(a_page_goes_on_behind_the_last_one),
        cmocka_unit_test(a_page_that_holds_the_last_one_has_no_next),
        cmocka_unit_test(without_a_start_it_is_the_last_day),
    };

    return cmocka_run_group_tests_name("query/run_frozen", tests, set_up, tear_down);
}
