/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: exactly as many as published, in windows that slide or start with the clock, and bans. */
#include "simulator/limits.h"

#include "support/test.h"

#define START (INT64_C(1'795'651'200) * OI_SECOND)

static void
a_sliding_window_takes_its_maximum_and_frees_what_leaves(void **state)
{
    struct oi_meter meter = { .rule = { .weight_max = 3, .window_ns = 2 * OI_SECOND } };

    (void) state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(oi_meter_count(&meter, 1, START + i * OI_SECOND / 2).verdict,
                         OI_METER_FINE);
    assert_int_equal(oi_meter_count(&meter, 1, START + 2 * OI_SECOND - 1).verdict, OI_METER_OVER);
    assert_int_equal(oi_meter_count(&meter, 1, START + 2 * OI_SECOND).verdict, OI_METER_FINE);
    assert_int_equal(oi_meter_count(&meter, 1, START + 2 * OI_SECOND).verdict, OI_METER_OVER);
    oi_meter_release(&meter);
}

static void
an_aligned_window_starts_anew_with_the_clock(void **state)
{
    struct oi_meter meter = { .rule = {
                                  .weight_max = 20, .window_ns = OI_MINUTE, .is_aligned = true } };
    struct oi_meter_answer answer;

    (void) state;
    assert_int_equal(oi_meter_count(&meter, 15, START + 50 * OI_SECOND).used, 15);
    answer = oi_meter_count(&meter, 10, START + 55 * OI_SECOND);
    assert_int_equal(answer.verdict, OI_METER_OVER);
    assert_int_equal(answer.retry_after_s, 5);
    answer = oi_meter_count(&meter, 10, START + OI_MINUTE);
    assert_int_equal(answer.verdict, OI_METER_FINE);
    assert_int_equal(answer.used, 10);
    oi_meter_release(&meter);
}

static void
who_goes_on_is_banned_for_the_time(void **state)
{
    struct oi_meter meter = {
        .rule = { .weight_max = 1, .window_ns = OI_SECOND, .ban_ns = OI_MINUTE, .patience = 2 }
    };

    (void) state;
    assert_int_equal(oi_meter_count(&meter, 1, START).verdict, OI_METER_FINE);
    assert_int_equal(oi_meter_count(&meter, 1, START).verdict, OI_METER_OVER);
    assert_int_equal(oi_meter_count(&meter, 1, START).verdict, OI_METER_OVER);
    assert_int_equal(oi_meter_count(&meter, 1, START).verdict, OI_METER_BANNED);
    assert_int_equal(oi_meter_count(&meter, 1, START + OI_MINUTE - OI_SECOND).retry_after_s, 1);
    assert_int_equal(oi_meter_count(&meter, 1, START + OI_MINUTE).verdict, OI_METER_FINE);
    oi_meter_release(&meter);
}

static void
a_clock_that_goes_back_frees_nothing(void **state)
{
    struct oi_meter meter = { .rule = { .weight_max = 2, .window_ns = OI_SECOND } };

    (void) state;
    assert_int_equal(oi_meter_count(&meter, 1, START).verdict, OI_METER_FINE);
    assert_int_equal(oi_meter_count(&meter, 1, START - OI_MINUTE).verdict, OI_METER_FINE);
    assert_int_equal(oi_meter_count(&meter, 1, START).verdict, OI_METER_OVER);
    oi_meter_release(&meter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sliding_window_takes_its_maximum_and_frees_what_leaves),
        cmocka_unit_test(an_aligned_window_starts_anew_with_the_clock),
        cmocka_unit_test(who_goes_on_is_banned_for_the_time),
        cmocka_unit_test(a_clock_that_goes_back_frees_nothing),
    };

    return cmocka_run_group_tests_name("simulator/limits", tests, NULL, NULL);
}
