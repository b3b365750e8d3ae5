/* SPDX-License-Identifier: Apache-2.0 */
/* Packed readings say the same as observations do. */
#include "core/packed.h"

#include "support/test.h"

static void
a_packed_reading_becomes_an_observation_in_canonical_form(void **state)
{
    struct oi_decimal wide = {};
    struct oi_packed packed = {
        .time = 1,
        .exchange_time = 2,
        .known_time = 3,
        .mantissas = { 1500, 0, 0, 0, 7 },
        .exponents = { -3, OI_EXPONENT_NONE, OI_EXPONENT_WIDE, -2, 1 },
        .flags = OI_FLAG_BAD,
    };
    struct oi_observation reading;

    (void) state;
    assert_ok(oi_decimal_parse(OI_SLICE("123456789012345678901"), &wide, NULL));
    reading = oi_packed_get(&packed, &wide);
    assert_int_equal(reading.time, 1);
    assert_int_equal(reading.exchange_time, 2);
    assert_int_equal(reading.known_time, 3);
    assert_int_equal(reading.flags, OI_FLAG_BAD);
    assert_int_equal(reading.open_interest.mantissa, 15);
    assert_int_equal(reading.open_interest.exponent, -1);
    assert_true(oi_decimal_is_none(&reading.value_usd));
    assert_true(oi_decimal_equal(&reading.mark_price, &wide));
    assert_true(oi_decimal_is_zero(&reading.index_price));
    assert_int_equal(reading.index_price.exponent, 0);
    assert_int_equal(reading.last_price.mantissa, 7);
    assert_int_equal(reading.last_price.exponent, 1);
}

static void
runs_are_of_one_target_and_ascend(void **state)
{
    struct oi_packed rows[64] = {};
    struct oi_packed_runs runs = {};

    (void) state;
    for (int i = 0; i < 64; i++) {
        rows[i].time = 100 + i;
        rows[i].known_time = i == 12 ? 7 : OI_TIME_NONE;
        rows[i].target = i < 20 ? 3 : 4;
        for (unsigned k = 1; k < OI_PACKED_FIGURES; k++)
            rows[i].exponents[k] = i == 30 ? -2 : OI_EXPONENT_NONE;
    }
    rows[40].time = rows[39].time;
    rows[50].exponents[0] = OI_EXPONENT_NONE;
    oi_packed_runs_find(rows, 64, &runs);
    assert_int_equal(runs.count, 3);
    assert_int_equal(runs.items[0].from, 0);
    assert_int_equal(runs.items[0].count, 20);
    assert_int_equal(runs.items[0].target, 3);
    assert_int_equal(runs.items[0].first, 100);
    assert_int_equal(runs.items[0].last, 119);
    assert_int_equal(runs.items[0].known_last, 7);
    assert_int_equal(runs.items[0].figures & 0xffffffffff, 0x80);
    assert_false(runs.items[0].lacks_interest);
    assert_int_equal(runs.items[1].from, 20);
    assert_int_equal(runs.items[1].count, 20);
    assert_int_equal(runs.items[1].known_last, OI_TIME_NONE);
    assert_int_not_equal(runs.items[1].figures & 0xff00000000, 0);
    assert_int_equal(runs.items[2].from, 40);
    assert_int_equal(runs.items[2].count, 24);
    assert_int_equal(runs.items[2].first, 139);
    assert_true(runs.items[2].lacks_interest);
    oi_vector_release(&runs);
}

static void
rows_of_many_targets_in_turn_have_no_runs(void **state)
{
    struct oi_packed rows[600] = {};
    struct oi_packed_runs runs = {};

    (void) state;
    for (unsigned i = 0; i < 600; i++) {
        rows[i].time = i;
        rows[i].target = i % 7;
    }
    oi_packed_runs_find(rows, 600, &runs);
    assert_int_equal(runs.count, 0);
    oi_vector_release(&runs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packed_reading_becomes_an_observation_in_canonical_form),
        cmocka_unit_test(runs_are_of_one_target_and_ascend),
        cmocka_unit_test(rows_of_many_targets_in_turn_have_no_runs),
    };

    return cmocka_run_group_tests_name("core/packed", tests, NULL, NULL);
}
