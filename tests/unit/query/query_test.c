/* SPDX-License-Identifier: Apache-2.0 */
/* What a question owns, and how a problem is put into words. */
#include "query/query.h"

#include "base/utf8.h"

#include "support/test.h"

#include <string.h>

static void
asks_nothing_at_first(void **)
{
    struct oi_query query = OI_QUERY_EMPTY;

    assert_int_equal(query.kind, OI_QUERY_NONE);
    assert_true(query.as_of == OI_TIME_LATEST);
    assert_true(query.span.from == OI_TIME_EARLIEST && query.span.to == OI_TIME_LATEST);
    oi_query_release(&query);
}

static void
gives_back_everything_and_is_usable_again(void **)
{
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_selector *selector = oi_query_select(&query, OI_SYMBOLOGY_KWERY);

    assert_int_equal(selector->symbology, OI_SYMBOLOGY_KWERY);
    selector->market = oi_arena_copy(&query.arena, OI_SLICE("BTC"));
    oi_vector_push(&selector->exchanges, "hyperliquid");
    oi_vector_push(&selector->kinds, OI_KIND_PERPETUAL);
    oi_query_release(&query);
    assert_int_equal(query.selectors.count, 0);
    assert_true(query.as_of == OI_TIME_LATEST);
    (void) oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
    assert_int_equal(query.selectors.count, 1);
    oi_query_release(&query);
}

static void
puts_a_problem_into_words(void **)
{
    struct oi_problem problem = { .retry_after_s = 7 };

    assert_status(oi_problem_set(&problem, OI_PROBLEM_PARAMETER, "limit", OI_SLICE("0"),
                                 "must be 1 to %d", 1000),
                  OI_E_INVALID);
    assert_int_equal(problem.kind, OI_PROBLEM_PARAMETER);
    assert_string_equal(problem.parameter, "limit");
    assert_string_equal(problem.value, "0");
    assert_string_equal(problem.message, "must be 1 to 1000");
    assert_int_equal(problem.retry_after_s, 0);
    assert_null(problem.code);
}

static void
cuts_a_long_value_between_characters(void **)
{
    struct oi_problem problem;
    char value[1000];

    for (size_t i = 0; i + 3 < sizeof(value); i += 3)
        memcpy(value + i, "\xe2\x82\xac", 3);
    (void) oi_problem_set(&problem, OI_PROBLEM_MARKET, NULL, (struct oi_slice){ value, 999 }, "x");
    assert_int_equal(strlen(problem.value), 255);
    assert_true(oi_utf8_is_valid(oi_slice_of(problem.value)));
    assert_string_equal(problem.parameter, "");
}

static void
keeps_broken_text_out_of_answers(void **)
{
    struct oi_problem problem;

    (void) oi_problem_set(&problem, OI_PROBLEM_MARKET, "market", OI_SLICE("a\xff\xc3z"), "x");
    assert_string_equal(problem.value, "a??z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_nothing_at_first),
        cmocka_unit_test(gives_back_everything_and_is_usable_again),
        cmocka_unit_test(puts_a_problem_into_words),
        cmocka_unit_test(cuts_a_long_value_between_characters),
        cmocka_unit_test(keeps_broken_text_out_of_answers),
    };
    return cmocka_run_group_tests_name("query/query", tests, NULL, NULL);
}
