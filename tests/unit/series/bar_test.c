/* SPDX-License-Identifier: Apache-2.0 */
#include "series/bar.h"

#include "base/random.h"

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

static void
assert_same_bar(const struct oi_bar *a, const struct oi_bar *b)
{
    const double a_values[] = { a->change_percent, a->volatility, a->price_ratio };
    const double b_values[] = { b->change_percent, b->volatility, b->price_ratio };

    assert_int_equal(a->start, b->start);
    assert_true(oi_decimal_equal(&a->last, &b->last));
    assert_memory_equal(a_values, b_values, sizeof(a_values));
    assert_true(a->has_change == b->has_change && a->has_volatility == b->has_volatility &&
                a->has_ratio == b->has_ratio);
}

#define ROWS 1200

/* Columns of one exponent and of many, absent prices, zeros, figures past a double's bits. */
static void
bars_of_columns_are_those_of_ticks(void **)
{
    struct oi_random random;
    uint64_t seed = 20'261'127;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 300; round++) {
        struct oi_bars fast = { .interval_ns = 5 * OI_MINUTE }, slow = fast;
        int64_t mantissas[ROWS], prices[ROWS];
        int8_t exponents[ROWS];
        oi_time times[ROWS], time = round % 2 ? -OI_DAY : OI_DAY;
        struct oi_decimals amounts = { .mantissas = mantissas, .exponent = 3 - round % 30 };
        size_t rows = round % 3 ? 40 : ROWS;
        struct oi_decimals marks = { .mantissas = prices, .exponent = -(round % 9) };

        amounts.exponents = round % 5 == 4 ? exponents : NULL;
        for (size_t i = 0; i < ROWS; i++) {
            time += (int64_t) oi_random_below(&random, 4) * OI_MINUTE + 1;
            times[i] = time;
            mantissas[i] =
                round % 4 != 3 && oi_random_below(&random, round % 4 ? 9 : 400) == 0
                    ? 0
                    : (int64_t) oi_random_below(&random, round % 7 ? 100'000 : INT64_MAX);
            prices[i] = (int64_t) oi_random_below(&random, 2000) - 100;
            exponents[i] = (int8_t) (oi_random_below(&random, 5) == 0 ? OI_EXPONENT_NONE : -2);
        }
        if (round % 3 == 0)
            marks.mantissas = NULL;
        oi_bars_add_readings(&fast, &(struct oi_readings){ times, &amounts, &marks, rows });
        for (size_t i = 0; i < rows; i++) {
            struct oi_decimal amount = oi_decimals_get(&amounts, i);
            struct oi_decimal price = oi_decimals_get(&marks, i);

            oi_bars_add(&slow, times[i], &amount, &price);
        }
        oi_bars_finish(&fast);
        oi_bars_finish(&slow);
        assert_int_equal(fast.items.count, slow.items.count);
        for (size_t i = 0; i < fast.items.count; i++)
            assert_same_bar(&fast.items.items[i], &slow.items.items[i]);
        oi_bars_release(&fast);
        oi_bars_release(&slow);
    }
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
        cmocka_unit_test(bars_of_columns_are_those_of_ticks),
    };
    return cmocka_run_group_tests_name("series/bar", tests, NULL, NULL);
}
