/* SPDX-License-Identifier: Apache-2.0 */
/* What columns promise of their single rows. */
#include "core/columns.h"

#include "support/test.h"

static void
assert_row(const struct oi_decimals *column, size_t row, const char *expected)
{
    struct oi_decimal value = oi_decimals_get(column, row);
    char text[OI_DECIMAL_TEXT_SIZE];

    (void) oi_decimal_print(&value, text);
    assert_string_equal(text, expected);
}

static void
reads_a_column_of_one_exponent_in_canonical_form(void **)
{
    const int64_t mantissas[] = { 150, -7, 0 };
    const struct oi_decimals column = { .mantissas = mantissas, .exponent = -2 };
    struct oi_decimal value = oi_decimals_get(&column, 0);

    assert_int_equal(value.mantissa, 15);
    assert_int_equal(value.exponent, -1);
    assert_row(&column, 1, "-0.07");
    assert_row(&column, 2, "0");
}

static void
reads_rows_of_their_own_exponent_wide_ones_and_none(void **)
{
    const int64_t mantissas[] = { 15, 0, 0 };
    const int8_t exponents[] = { 3, OI_EXPONENT_NONE, OI_EXPONENT_WIDE };
    struct oi_decimal wide;
    struct oi_decimals column = { .mantissas = mantissas, .exponents = exponents, .wides = &wide };

    assert_ok(oi_decimal_parse(OI_SLICE("12345678901234567890.5"), &wide, NULL));
    assert_row(&column, 0, "15000");
    assert_row(&column, 1, "");
    assert_row(&column, 2, "12345678901234567890.5");
}

static void
reads_an_absent_column_as_none(void **)
{
    const struct oi_decimals column = {};

    assert_row(&column, 5, "");
}

static void
joins_a_row_and_leaves_out_what_was_not_asked_for(void **)
{
    const oi_time times[] = { 10, 20 };
    const oi_time known[] = { 11, 21 };
    const int64_t figures[] = { 5, 6 };
    const uint16_t flags[] = { 0, OI_FLAG_BAD };
    struct oi_columns columns = { .count = 2,
                                  .time = times,
                                  .known_time = known,
                                  .open_interest = { .mantissas = figures },
                                  .flags = flags };
    struct oi_observation row = oi_columns_get(&columns, 1);

    assert_int_equal(row.time, 20);
    assert_int_equal(row.known_time, 21);
    assert_true(row.exchange_time == OI_TIME_NONE);
    assert_int_equal(row.open_interest.mantissa, 6);
    assert_true(oi_decimal_is_none(&row.mark_price));
    assert_int_equal(row.flags, OI_FLAG_BAD);
}

static void
cuts_rows_out_of_columns(void **)
{
    static const oi_time times[] = { 1, 2, 3, 4 };
    static const int64_t mantissas[] = { 10, 20, 30, 40 };
    static const uint16_t flags[] = { 0, 1, 2, 3 };
    const struct oi_columns columns = {
        .count = 4, .time = times, .flags = flags, .open_interest = { .mantissas = mantissas }
    };
    struct oi_columns rows = oi_columns_slice(&columns, 1, 3);
    struct oi_observation reading = oi_columns_get(&rows, 1);

    assert_int_equal(rows.count, 2);
    assert_int_equal(reading.time, 3);
    assert_int_equal(reading.flags, 2);
    assert_int_equal(reading.open_interest.mantissa, 3);
    assert_true(oi_decimal_is_none(&reading.mark_price)); /* an absent column stays absent */
    assert_null(rows.exchange_time);
}

static void
tells_how_many_bits_mantissas_need_beside_their_sign(void **)
{
    const int64_t mantissas[] = { 5, -8, INT64_MIN };

    assert_int_equal(oi_mantissas_bits(mantissas, 0), 0);
    assert_int_equal(oi_mantissas_bits(mantissas, 1), 5);
    assert_int_equal(oi_mantissas_bits(mantissas + 1, 1), 7);
    assert_int_equal(oi_mantissas_bits(mantissas, 2), 7);
    assert_true(oi_mantissas_bits(mantissas, 3) == INT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_many_bits_mantissas_need_beside_their_sign),
        cmocka_unit_test(cuts_rows_out_of_columns),
        cmocka_unit_test(reads_a_column_of_one_exponent_in_canonical_form),
        cmocka_unit_test(reads_rows_of_their_own_exponent_wide_ones_and_none),
        cmocka_unit_test(reads_an_absent_column_as_none),
        cmocka_unit_test(joins_a_row_and_leaves_out_what_was_not_asked_for),
    };

    return cmocka_run_group_tests_name("core/columns", tests, NULL, NULL);
}
