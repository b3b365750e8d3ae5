/* SPDX-License-Identifier: Apache-2.0 */
/* What decimals promise of text, order and form; arithmetic is in decimal_arithmetic_test.c. */
#include "core/decimal.h"

#include "support/test.h"

#include "base/random.h"

#include <stdio.h>
#include <string.h>

static struct oi_decimal
number(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

static void
assert_prints(const struct oi_decimal *value, const char *expected)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    assert_int_equal(oi_decimal_print(value, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void
reads_what_exchanges_write(void **)
{
    static const struct {
        const char *text, *printed;
    } figures[] = {
        { "30921319.84", "30921319.84" },
        { "2216113.01000000309", "2216113.01000000309" },
        { "2884910.000000000000000000", "2884910" },
        { "6024.809855090449174997774141172323490409",
          "6024.809855090449174997774141172323490409" },
        { "0E-18", "0" },
        { "-3.995839963e-09", "-0.000000003995839963" },
        { "1e-10", "0.0000000001" },
        { "605822.2557999999", "605822.2557999999" },
        { "12345.120000", "12345.12" },
        { "9223372036854775807", "9223372036854775807" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "9223372036854775808", "9223372036854775808" },
        { "-9223372036854775809", "-9223372036854775809" },
        { "1e64", "10000000000000000000000000000000000000000000000000000000000000000" },
        { "1e-64", "0.0000000000000000000000000000000000000000000000000000000000000001" },
        { "10000000000000000001", "10000000000000000001" },
        { "100000000000000000000000000000000000001", "100000000000000000000000000000000000001" },
        { "0", "0" },
        { "-0.00", "0" },
        { "0e999999999999", "0" },
        { "007", "7" },
        { "+5", "5" },
        { "5.", "5" },
        { ".5", "0.5" },
        { "-.5E+1", "-5" },
    };

    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        struct oi_decimal value = number(figures[i].text);

        assert_prints(&value, figures[i].printed);
    }
}

static void
knows_what_it_could_have_made(void **)
{
    struct oi_decimal value = { .form = OI_DECIMAL_PLAIN, .mantissa = 5, .exponent = 64 };

    assert_true(oi_decimal_fits(5, 64));
    assert_false(oi_decimal_fits(50, 64));
    assert_true(oi_decimal_fits(0, 64));
    assert_false(oi_decimal_fits(5, -65));
    assert_true(oi_decimal_is_canonical(&value));
    value.mantissa = 50;
    assert_false(oi_decimal_is_canonical(&value));
    value = (struct oi_decimal){ .form = OI_DECIMAL_WIDE, .limbs = { 7, 1 } };
    assert_true(oi_decimal_is_canonical(&value));
    value.limbs[0] = 4; /* 18446744073709551620 */
    assert_false(oi_decimal_is_canonical(&value));
    value = (struct oi_decimal){ .form = OI_DECIMAL_WIDE, .limbs = { 7 } };
    assert_false(oi_decimal_is_canonical(&value));
    value.limbs[3] = UINT64_MAX; /* 77 digits */
    assert_false(oi_decimal_is_canonical(&value));
    value = (struct oi_decimal){};
    assert_true(oi_decimal_is_canonical(&value));
}

static void
keeps_mantissa_and_exponent_apart(void **)
{
    struct oi_decimal value = number("30921319.84");

    assert_int_equal(value.form, OI_DECIMAL_PLAIN);
    assert_int_equal(value.mantissa, 3'092'131'984);
    assert_int_equal(value.exponent, -2);
    value = number("1500");
    assert_int_equal(value.mantissa, 15);
    assert_int_equal(value.exponent, 2);
    value = number("0.000");
    assert_int_equal(value.mantissa, 0);
    assert_int_equal(value.exponent, 0);
}

static void
gives_equal_numbers_equal_structs(void **)
{
    struct oi_decimal a = number("1.50");
    struct oi_decimal b = number("15e-1");
    struct oi_decimal c = oi_decimal_from(150'000, -5);

    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_equal(&a, &c, sizeof(a));
    assert_true(oi_decimal_equal(&a, &b));
}

static void
refuses_what_is_no_number_and_says_why(void **)
{
    static const struct {
        const char *text, *message;
    } figures[] = {
        { "", "an empty number" },
        { "1.2.3", "a second decimal point" },
        { "null", "a character that is no digit" },
        { "NaN", "a character that is no digit" },
        { "Infinity", "a character that is no digit" },
        { " 1", "a character that is no digit" },
        { "1 ", "a character that is no digit" },
        { "1,000", "a character that is no digit" },
        { "0x10", "a character that is no digit" },
        { "--1", "a character that is no digit" },
        { ".", "no digits" },
        { "-", "no digits" },
        { "-.e5", "no digits" },
        { "1e", "an exponent without digits" },
        { "1e+", "an exponent without digits" },
        { "1e5.5", "a character that is no digit" },
        { "1e65", "a number with an exponent past 64" },
        { "1e-65", "a number with an exponent past 64" },
        { "1e99999999999999999999", "a number with an exponent past 64" },
        { "12345678901234567890123456789012345678901234567890123456789012345",
          "a number of more than 64 significant digits" },
        { "1.0000000000000000000000000000000000000000000000000000000000000000001",
          "a number of more than 64 significant digits" },
    };

    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        struct oi_decimal value = { .mantissa = 7 };
        struct oi_error error = {};

        assert_status(oi_decimal_parse(oi_slice_of(figures[i].text), &value, &error), OI_E_INVALID);
        assert_string_equal(error.message, figures[i].message);
        assert_int_equal(value.mantissa, 7);
    }
}

static void
holds_64_digits_whatever_zeros_surround_them(void **)
{
    struct oi_decimal value =
        number("000000000000000000000001234567890123456789012345678901234567890123456789012345678"
               "901234."
               "000000000000000000000000000000000000000000000000000000000000000000000000000000000");

    assert_int_equal(oi_decimal_digits(&value), 64);
    assert_prints(&value, "1234567890123456789012345678901234567890123456789012345678901234");
    value = number("-9999999999999999999999999999999999999999999999999999999999999999e64");
    assert_int_equal(oi_decimal_digits(&value), 64);
    assert_int_equal(value.exponent, 64);
}

static void
prints_none_as_nothing(void **)
{
    struct oi_decimal none = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    assert_prints(&none, "");
    oi_decimal_write(&none, &out);
    assert_int_equal(out.size, 0);
}

static void
assert_writes_plain(int64_t mantissa, int exponent, const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_decimal_write_plain(mantissa, exponent, &out);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
}

static void
writes_plain_columns_without_their_padding(void **)
{
    assert_writes_plain(0, -8, "0");
    assert_writes_plain(0, 8, "0");
    assert_writes_plain(150, -2, "1.5");
    assert_writes_plain(100, -2, "1");
    assert_writes_plain(-100, -3, "-0.1");
    assert_writes_plain(1000, -1, "100");
    assert_writes_plain(1200, 2, "120000");
    assert_writes_plain(7, -1, "0.7");
    assert_writes_plain(7, -9, "0.000000007");
    assert_writes_plain(INT64_MIN, -19, "-0.9223372036854775808");
    assert_writes_plain(INT64_MIN, -64,
                        "-0.0000000000000000000000000000000000000000000009223372036854775808");
    assert_writes_plain(INT64_MAX, 64,
                        "92233720368547758070000000000000000000000000000000000000000000000000000000"
                        "000000000");
}

static void
orders_by_value_and_none_first(void **)
{
    static const char *const ascending[] = {
        "-9999999999999999999999999999999999999999999999999999999999999999e64",
        "-9223372036854775809",
        "-9223372036854775808",
        "-1",
        "-1e-64",
        "0",
        "1e-64",
        "0.99999999999999999999",
        "1",
        "1.00000000000000000001",
        "10",
        "9223372036854775807",
        "9223372036854775808",
        "1e64",
    };
    const size_t count = sizeof(ascending) / sizeof(ascending[0]);
    struct oi_decimal none = {};

    for (size_t i = 0; i < count; i++) {
        struct oi_decimal a = number(ascending[i]);

        assert_int_equal(oi_decimal_compare(&none, &a), -1);
        assert_int_equal(oi_decimal_compare(&a, &none), 1);
        for (size_t j = 0; j < count; j++) {
            struct oi_decimal b = number(ascending[j]);

            assert_int_equal(oi_decimal_compare(&a, &b), (i > j) - (i < j));
            assert_int_equal(oi_decimal_equal(&a, &b), i == j);
        }
    }
    assert_int_equal(oi_decimal_compare(&none, &none), 0);
}

static void
tells_sign_zero_and_digits(void **)
{
    struct oi_decimal none = {};
    struct oi_decimal zero = number("0.0");
    struct oi_decimal less = number("-12.5");
    struct oi_decimal wide = number("-6024.809855090449174997774141172323490409");

    assert_true(oi_decimal_is_none(&none));
    assert_false(oi_decimal_is_zero(&none));
    assert_true(oi_decimal_is_zero(&zero));
    assert_int_equal(oi_decimal_sign(&none), 0);
    assert_int_equal(oi_decimal_sign(&zero), 0);
    assert_int_equal(oi_decimal_sign(&less), -1);
    assert_int_equal(oi_decimal_sign(&wide), -1);
    assert_int_equal(oi_decimal_digits(&none), 0);
    assert_int_equal(oi_decimal_digits(&zero), 1);
    assert_int_equal(oi_decimal_digits(&less), 3);
    assert_int_equal(oi_decimal_digits(&wide), 40);
}

/* A canonical number of 1 to 64 digits, mostly short ones. */
static struct oi_decimal
random_number(struct oi_random *random)
{
    char text[OI_DECIMAL_DIGITS_MAX + 16];
    size_t digits = 1 + oi_random_below(random, oi_random_below(random, 2) ? 18 : 64);
    size_t size = 0;

    text[size++] = oi_random_below(random, 2) ? '-' : '+';
    for (size_t i = 0; i < digits; i++)
        text[size++] = (char) ('0' + oi_random_below(random, 10));
    (void) snprintf(text + size, sizeof(text) - size, "e%d",
                    (int) oi_random_below(random, 65) - 64);
    return number(text);
}

static void
reads_back_what_it_prints(void **)
{
    const uint64_t seed = 20260307;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int i = 0; i < 100'000; i++) {
        struct oi_decimal value = random_number(&random);
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        char text[OI_DECIMAL_TEXT_SIZE];
        struct oi_decimal again;

        (void) oi_decimal_print(&value, text);
        again = number(text);
        assert_memory_equal(&value, &again, sizeof(value));
        oi_decimal_write(&value, &out);
        assert_int_equal(out.size, strlen(text));
        assert_memory_equal(out.data, text, out.size);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_exchanges_write),
        cmocka_unit_test(knows_what_it_could_have_made),
        cmocka_unit_test(keeps_mantissa_and_exponent_apart),
        cmocka_unit_test(gives_equal_numbers_equal_structs),
        cmocka_unit_test(refuses_what_is_no_number_and_says_why),
        cmocka_unit_test(holds_64_digits_whatever_zeros_surround_them),
        cmocka_unit_test(prints_none_as_nothing),
        cmocka_unit_test(writes_plain_columns_without_their_padding),
        cmocka_unit_test(orders_by_value_and_none_first),
        cmocka_unit_test(tells_sign_zero_and_digits),
        cmocka_unit_test(reads_back_what_it_prints),
    };

    return cmocka_run_group_tests_name("core/decimal", tests, NULL, NULL);
}
