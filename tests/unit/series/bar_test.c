/* SPDX-License-Identifier: Apache-2.0 */
#include "series/bar.h"

#include "support/test.h"

static void
add(struct oi_bars *bars, oi_time time, int64_t amount, int64_t price)
{
    struct oi_decimal a = oi_decimal_from(amount, 0), p = {};

    if (price > 0)
        p = oi_decimal_from(price, 0);
    oi_bars_add(bars, time, &a, &p);
}

static void
measures_change_inside_the_interval(void **)
{
    struct oi_bars bars = { .interval_ns = OI_HOUR };

    add(&bars, 0, 100, 50);
    add(&bars, OI_MINUTE, 110, 55);
    add(&bars, OI_HOUR, 220, 60); /* the next bar: its change is not against the last bar's close */
    oi_bars_finish(&bars);
    assert_int_equal(bars.items.count, 2);
    assert_true(bars.items.items[0].has_change);
    assert_float_equal(bars.items.items[0].change_percent, 10, 1e-12);
    assert_float_equal(bars.items.items[0].price_ratio, 1, 1e-12);
    assert_float_equal(bars.items.items[1].change_percent, 0, 1e-12);
    oi_bars_release(&bars);
}

static void
deviates_by_the_sample_formula_over_unequal_neighbours(void **)
{
    struct oi_bars bars = { .interval_ns = OI_HOUR };

    add(&bars, 0, 100, 0);
    add(&bars, 1, 110, 0); /* +0.1 */
    add(&bars, 2, 110, 0); /* a repeat counts for nothing */
    add(&bars, 3, 99, 0);  /* -0.1 */
    oi_bars_finish(&bars);
    assert_true(bars.items.items[0].has_volatility);
    assert_float_equal(bars.items.items[0].volatility, 0.1414213562373095, 1e-12);
    oi_bars_release(&bars);
}

static void
has_no_volatility_below_two_changes(void **)
{
    struct oi_bars bars = { .interval_ns = OI_HOUR };

    add(&bars, 0, 100, 0);
    add(&bars, 1, 110, 0);
    oi_bars_finish(&bars);
    assert_false(bars.items.items[0].has_volatility);
    oi_bars_release(&bars);
}

static void
takes_a_zero_for_a_null_that_breaks_the_chain(void **)
{
    struct oi_bars bars = { .interval_ns = OI_HOUR };

    add(&bars, 0, 100, 0);
    add(&bars, 1, 0, 0);
    add(&bars, 2, 200, 0); /* no predecessor */
    add(&bars, 3, 210, 0);
    oi_bars_finish(&bars);
    assert_false(bars.items.items[0].has_volatility);
    assert_float_equal(bars.items.items[0].change_percent, 110, 1e-12);
    add(&bars, OI_HOUR, 0, 0);
    oi_bars_finish(&bars);
    assert_int_equal(bars.items.count, 1); /* a bar of zeros alone is none */
    oi_bars_release(&bars);
}

static void
gives_a_null_where_the_price_stood_still(void **)
{
    struct oi_bars bars = { .interval_ns = OI_HOUR };

    add(&bars, 0, 100, 50);
    add(&bars, 1, 110, 50);
    oi_bars_finish(&bars);
    assert_false(bars.items.items[0].has_ratio);
    assert_true(bars.items.items[0].has_change);
    oi_bars_release(&bars);
}

static void
changes_by_zero_with_one_tick(void **)
{
    struct oi_bars bars = { .interval_ns = OI_HOUR };

    add(&bars, 0, 100, 50);
    oi_bars_finish(&bars);
    assert_true(bars.items.items[0].has_change);
    assert_float_equal(bars.items.items[0].change_percent, 0, 0);
    assert_false(bars.items.items[0].has_volatility);
    oi_bars_release(&bars);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_change_inside_the_interval),
        cmocka_unit_test(deviates_by_the_sample_formula_over_unequal_neighbours),
        cmocka_unit_test(has_no_volatility_below_two_changes),
        cmocka_unit_test(takes_a_zero_for_a_null_that_breaks_the_chain),
        cmocka_unit_test(gives_a_null_where_the_price_stood_still),
        cmocka_unit_test(changes_by_zero_with_one_tick),
    };
    return cmocka_run_group_tests_name("series/bar", tests, NULL, NULL);
}
