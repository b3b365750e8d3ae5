/* SPDX-License-Identifier: Apache-2.0 */
/* When a figure is said to stand still. */
#include "series/standstill.h"

#include "support/test.h"

static struct oi_observation
reading_of(int minute, int64_t figure, int64_t mark, int64_t index)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.time = minute * OI_MINUTE;
    reading.open_interest = oi_decimal_from(figure, 0);
    if (mark > 0)
        reading.mark_price = oi_decimal_from(mark, 0);
    if (index > 0)
        reading.index_price = oi_decimal_from(index, 0);
    return reading;
}

static void
a_standstill_runs_from_its_first_reading_to_its_last(void **)
{
    struct oi_standstill standstill = {};
    const struct oi_observation readings[] = { reading_of(0, 500, 1'000, 0),
                                               reading_of(5, 500, 1'006, 0),
                                               reading_of(9, 500, 1'000, 0),
                                               reading_of(10, 501, 1'000, 0) };

    assert_true(oi_standstill_note(&standstill, &readings[0]));
    assert_false(oi_standstill_is_frozen(&standstill, 0));
    assert_false(oi_standstill_note(&standstill, &readings[1]));
    assert_false(oi_standstill_note(&standstill, &readings[2]));
    assert_true(oi_standstill_is_frozen(&standstill, 9 * OI_MINUTE));
    assert_false(oi_standstill_is_frozen(&standstill, 10 * OI_MINUTE));
    assert_int_equal(standstill.since, 0);
    assert_int_equal(standstill.seen, 9 * OI_MINUTE);
    assert_true(oi_standstill_note(&standstill, &readings[3]));
    assert_false(oi_standstill_is_frozen(&standstill, 0));
}

static void
half_a_percent_is_no_move_yet_in_either_direction(void **)
{
    const struct oi_observation first = reading_of(0, 500, 1'000, 0);
    const struct {
        int64_t price;
        bool has_moved;
    } cases[] = { { 1'005, false }, { 995, false }, { 1'006, true }, { 994, true } };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        const struct oi_observation second = reading_of(60, 500, cases[i].price, 0);
        struct oi_standstill standstill = {};

        oi_standstill_note(&standstill, &first);
        oi_standstill_note(&standstill, &second);
        assert_int_equal(oi_standstill_is_frozen(&standstill, OI_HOUR), cases[i].has_moved);
    }
}

static void
the_index_stands_in_for_the_mark_price(void **)
{
    const struct oi_observation both = reading_of(0, 500, 7, 8), index = reading_of(0, 500, 0, 8),
                                neither = reading_of(0, 500, 0, 0), empty = reading_of(0, 0, 7, 8);

    assert_ptr_equal(oi_standstill_price(&both), &both.mark_price);
    assert_ptr_equal(oi_standstill_price(&index), &index.index_price);
    assert_null(oi_standstill_price(&neither));
    /* What nobody holds stands still by right. */
    assert_null(oi_standstill_price(&empty));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standstill_runs_from_its_first_reading_to_its_last),
        cmocka_unit_test(half_a_percent_is_no_move_yet_in_either_direction),
        cmocka_unit_test(the_index_stands_in_for_the_mark_price),
    };

    return cmocka_run_group_tests_name("series/standstill", tests, NULL, NULL);
}
