/* SPDX-License-Identifier: Apache-2.0 */
/* What a window remembers, and that it is never more than it may. */
#include "alerts/alert_window.h"

#include "base/random.h"

#include "support/test.h"

#define START (INT64_C(1767225600) * OI_SECOND)

static void
put(struct oi_alert_window *window, oi_time time, int64_t value)
{
    const struct oi_decimal decimal = oi_decimal_from(value, 0);

    oi_alert_window_put(window, time, &decimal);
}

static void
the_last_figure_at_or_before_an_instant_is_found(void **)
{
    struct oi_alert_window window;

    oi_alert_window_init(&window, OI_HOUR);
    assert_null(oi_alert_window_at(&window, START));
    put(&window, START, 1);
    put(&window, START + OI_MINUTE, 2);
    assert_null(oi_alert_window_at(&window, START - 1));
    assert_int_equal(oi_alert_window_at(&window, START)->time, START);
    assert_int_equal(oi_alert_window_at(&window, START + OI_MINUTE - 1)->time, START);
    assert_int_equal(oi_alert_window_at(&window, START + OI_DAY)->time, START + OI_MINUTE);
    oi_alert_window_release(&window);
}

/* Against a list of everything: the figure at the window's start is the one, up to a step. */
static void
memory_is_bounded_and_the_start_is_kept(void **)
{
    const uint64_t seed = 20261127;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 20; round++) {
        int64_t width_ns = (int64_t) (1 + oi_random_below(&random, 48)) * OI_HOUR;
        struct oi_alert_window window;
        OI_VECTOR(oi_time) all = {};
        oi_time time = START;

        oi_alert_window_init(&window, width_ns);
        for (int i = 0; i < 3000; i++) {
            const struct oi_alert_point *found;
            oi_time expected = OI_TIME_NONE;

            time += (int64_t) oi_random_below(&random, 200) * OI_SECOND;
            put(&window, time, i);
            oi_vector_push(&all, time);
            assert_true(window.points.count <= 2 * OI_ALERT_WINDOW_STEPS + 4);
            for (size_t k = all.count; k-- > 0 && expected == OI_TIME_NONE;)
                if (all.items[k] <= time - width_ns)
                    expected = all.items[k];
            found = oi_alert_window_at(&window, time - width_ns);
            if (expected != OI_TIME_NONE && expected - START > window.step_ns + 200 * OI_SECOND)
                assert_non_null(found);
            if (expected == OI_TIME_NONE)
                assert_null(found);
            if (found && expected != OI_TIME_NONE)
                assert_true(found->time <= expected &&
                            expected - found->time <= window.step_ns + 200 * OI_SECOND);
        }
        oi_vector_release(&all);
        oi_alert_window_release(&window);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_figure_at_or_before_an_instant_is_found),
        cmocka_unit_test(memory_is_bounded_and_the_start_is_kept),
    };

    return cmocka_run_group_tests_name("alerts/alert_window", tests, NULL, NULL);
}
