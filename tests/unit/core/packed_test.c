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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packed_reading_becomes_an_observation_in_canonical_form),
    };

    return cmocka_run_group_tests_name("core/packed", tests, NULL, NULL);
}
