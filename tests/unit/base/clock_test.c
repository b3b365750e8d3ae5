/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks. */
#include "base/clock.h"

#include "support/test.h"

static void
the_machine_lives_after_2020_and_never_goes_back(void **)
{
    int64_t before = oi_clock_system.monotonic_ns(&oi_clock_system);

    assert_true(oi_clock_system.wall_ns(&oi_clock_system) > INT64_C(1'577'836'800'000'000'000));
    for (int i = 0; i < 1000; i++) {
        int64_t now = oi_clock_system.monotonic_ns(&oi_clock_system);

        assert_true(now >= before);
        before = now;
    }
}

static void
a_virtual_clock_stands_until_moved(void **)
{
    struct oi_virtual_clock clock;

    oi_virtual_clock_init(&clock, -5);
    assert_int_equal(clock.clock.wall_ns(&clock.clock), -5);
    assert_int_equal(clock.clock.monotonic_ns(&clock.clock), -5);
    oi_virtual_clock_advance(&clock, 15);
    assert_int_equal(clock.clock.wall_ns(&clock.clock), 10);
    assert_int_equal(clock.clock.monotonic_ns(&clock.clock), 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machine_lives_after_2020_and_never_goes_back),
        cmocka_unit_test(a_virtual_clock_stands_until_moved),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
