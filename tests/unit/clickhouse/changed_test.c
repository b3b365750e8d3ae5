/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/changed.h"

#include "base/random.h"
#include "support/test.h"

static void
nothing_known_is_no_change(void **state)
{
    (void) state;
    struct oi_changed changed = {};

    assert_true(oi_changed_from(&changed, 7, 0) == OI_TIME_LATEST);
    oi_changed_add(&changed, 7, 3, 100);
    assert_true(oi_changed_from(&changed, 7, 3) == OI_TIME_LATEST);
    assert_int_equal(oi_changed_from(&changed, 7, 2), 100);
    assert_true(oi_changed_from(&changed, 6, 2) == OI_TIME_LATEST);
    oi_changed_release(&changed);
}

static void
each_batch_knows_what_came_behind_it(void **state)
{
    (void) state;
    struct oi_changed changed = {};

    oi_changed_add(&changed, 1, 1, 100);
    oi_changed_add(&changed, 1, 2, 200);
    oi_changed_add(&changed, 1, 3, 300);
    assert_int_equal(oi_changed_from(&changed, 1, 1), 200);
    /* A late row changes what every earlier batch knew from there on. */
    oi_changed_add(&changed, 1, 4, 150);
    assert_int_equal(oi_changed_from(&changed, 1, 0), 100);
    assert_int_equal(oi_changed_from(&changed, 1, 1), 150);
    assert_int_equal(oi_changed_from(&changed, 1, 3), 150);
    assert_true(oi_changed_from(&changed, 1, 4) == OI_TIME_LATEST);
    oi_changed_release(&changed);
}

static void
a_batch_that_nobody_tells_of_changes_everything(void **state)
{
    (void) state;
    struct oi_changed changed = {};

    oi_changed_add_all(&changed, 5);
    assert_true(oi_changed_from(&changed, 1, 4) == OI_TIME_EARLIEST);
    assert_true(oi_changed_from(&changed, 1, 5) == OI_TIME_LATEST);
    oi_changed_release(&changed);
}

/* A year of minutes: what is a month old is not taken for changed because a minute came. */
static void
a_year_of_minutes_is_told_apart(void **state)
{
    (void) state;
    const uint64_t minutes = 365 * 1440;
    struct oi_changed changed = {};

    for (uint64_t minute = 1; minute <= minutes; minute++)
        oi_changed_add(&changed, 1, minute, (oi_time) minute * OI_MINUTE);
    for (uint64_t age = 1; age < minutes; age *= 2) {
        oi_time from = oi_changed_from(&changed, 1, minutes - age);

        assert_true(from <= (oi_time) (minutes - age + 1) * OI_MINUTE);
        assert_true(from >= (oi_time) (minutes > 4 * age ? minutes - 4 * age : 0) * OI_MINUTE);
    }
    oi_changed_release(&changed);
}

/* Never later than what was touched, and exactly that while all steps are kept. */
static void
what_is_told_is_never_too_late(void **state)
{
    (void) state;
    struct oi_random random;
    uint64_t seed;

    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (unsigned round = 0; round < 200; round++) {
        struct oi_changed changed = {};
        oi_time times[64];
        size_t count = 1 + oi_random_below(&random, 64);

        for (size_t i = 0; i < count; i++) {
            times[i] =
                (oi_time) (oi_random_below(&random, 4) > 0 ? i * 100 + oi_random_below(&random, 10)
                                                           : oi_random_below(&random, 6400));
            oi_changed_add(&changed, 1, i + 1, times[i]);
        }
        for (size_t batch = 0; batch <= count; batch++) {
            oi_time expected = OI_TIME_LATEST, told = oi_changed_from(&changed, 1, batch);

            for (size_t i = batch; i < count; i++)
                expected = times[i] < expected ? times[i] : expected;
            assert_true(told <= expected);
            assert_true(told == expected || count > OI_CHANGED_STEPS);
            assert_true((told == OI_TIME_LATEST) == (expected == OI_TIME_LATEST));
        }
        oi_changed_release(&changed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known_is_no_change),
        cmocka_unit_test(each_batch_knows_what_came_behind_it),
        cmocka_unit_test(a_batch_that_nobody_tells_of_changes_everything),
        cmocka_unit_test(a_year_of_minutes_is_told_apart),
        cmocka_unit_test(what_is_told_is_never_too_late),
    };

    return cmocka_run_group_tests_name("clickhouse/changed", tests, NULL, NULL);
}
