/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/touches.h"

#include "support/test.h"

static void
nothing_stored_is_right_nowhere(void **state)
{
    (void) state;
    struct oi_touches touches = {};

    assert_true(oi_touches_from(&touches, 1) == OI_TIME_EARLIEST);
    oi_touches_release(&touches);
}

static void
what_was_touched_since_is_not_believed(void **state)
{
    (void) state;
    struct oi_touches touches = { .filled = 5, .turned = 5 };

    assert_true(oi_touches_from(&touches, 2) == OI_TIME_LATEST);
    oi_touches_add(&touches, 2, 700);
    oi_touches_add(&touches, 2, 900);
    assert_int_equal(oi_touches_from(&touches, 2), 700);
    assert_true(oi_touches_from(&touches, 1) == OI_TIME_LATEST);
    oi_touches_release(&touches);
}

static void
a_later_filling_forgets_only_what_it_holds(void **state)
{
    (void) state;
    struct oi_touches touches = { .filled = 5, .turned = 5 };

    oi_touches_add(&touches, 1, 700);
    oi_touches_turn(&touches, 8);
    oi_touches_add(&touches, 1, 900);
    /* As of event 7, which does not hold all that was touched up to 8. */
    oi_touches_fill(&touches, 7, 9);
    assert_int_equal(oi_touches_from(&touches, 1), 700);
    oi_touches_fill(&touches, 8, 9);
    assert_int_equal(oi_touches_from(&touches, 1), 900);
    /* What came behind 8 is forgotten with the first filling that holds 9. */
    oi_touches_fill(&touches, 9, 12);
    assert_true(oi_touches_from(&touches, 1) == OI_TIME_LATEST);
    oi_touches_release(&touches);
}

static void
an_event_that_is_not_known_yet_is_not_believed(void **state)
{
    (void) state;
    struct oi_touches touches = { .filled = 5, .turned = 5 };

    oi_touches_add(&touches, 1, 700);
    oi_touches_fill(&touches, 12, 9);
    assert_int_equal(touches.filled, 5);
    assert_int_equal(oi_touches_from(&touches, 1), 700);
    oi_touches_release(&touches);
}

static void
a_first_filling_from_before_this_process_is_not_believed(void **state)
{
    (void) state;
    struct oi_touches touches = { .turned = 6 };

    oi_touches_fill(&touches, 5, 9);
    assert_true(oi_touches_from(&touches, 1) == OI_TIME_EARLIEST);
    oi_touches_fill(&touches, 6, 9);
    assert_true(oi_touches_from(&touches, 1) == OI_TIME_LATEST);
    oi_touches_release(&touches);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_stored_is_right_nowhere),
        cmocka_unit_test(what_was_touched_since_is_not_believed),
        cmocka_unit_test(a_later_filling_forgets_only_what_it_holds),
        cmocka_unit_test(an_event_that_is_not_known_yet_is_not_believed),
        cmocka_unit_test(a_first_filling_from_before_this_process_is_not_believed),
    };

    return cmocka_run_group_tests_name("clickhouse/touches", tests, NULL, NULL);
}
