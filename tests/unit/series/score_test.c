/* SPDX-License-Identifier: Apache-2.0 */
/* Scores by hand, and where there is none. */
#include "series/score.h"

#include "support/test.h"

static struct oi_decimal
score_of(const int64_t *values, size_t count, int64_t value)
{
    const struct oi_decimal now = oi_decimal_from(value, 0);
    struct oi_score score = {};

    for (size_t i = 0; i < count; i++) {
        const struct oi_decimal one = oi_decimal_from(values[i], 0);

        oi_score_add(&score, &one);
    }
    return oi_score_of(&score, &now);
}

static void
a_score_counts_deviations_from_the_mean(void **)
{
    const int64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9, 2, 4, 4, 4, 5, 5, 7, 9 };
    const struct oi_decimal three = oi_decimal_from(3, 0), minus = oi_decimal_from(-25, -1);
    struct oi_decimal found = score_of(values, 16, 11); /* mean 5, deviation 2 */

    assert_true(oi_decimal_equal(&found, &three));
    found = score_of(values, 16, 0);
    assert_true(oi_decimal_equal(&found, &minus));
}

static void
few_or_equal_values_have_no_score(void **)
{
    const int64_t few[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    const int64_t same[] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
    struct oi_decimal found = score_of(few, 9, 100);

    assert_true(oi_decimal_is_none(&found));
    found = score_of(same, 12, 100);
    assert_true(oi_decimal_is_none(&found));
}

static void
none_is_passed_over(void **)
{
    const struct oi_decimal none = {};
    struct oi_score score = {};

    oi_score_add(&score, &none);
    assert_int_equal(score.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_score_counts_deviations_from_the_mean),
        cmocka_unit_test(few_or_equal_values_have_no_score),
        cmocka_unit_test(none_is_passed_over),
    };

    return cmocka_run_group_tests_name("series/score", tests, NULL, NULL);
}
