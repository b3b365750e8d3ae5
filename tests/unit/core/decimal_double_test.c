/* SPDX-License-Identifier: Apache-2.0 */
/* What decimals promise where they meet statistics. */
#include "core/decimal.h"

#include "support/test.h"

#include "base/compiler.h"
#include "base/random.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static double
as_double(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return oi_decimal_to_double(&value);
}

static void
assert_same_bits(double a, double b)
{
    uint64_t a_bits, b_bits;

    memcpy(&a_bits, &a, sizeof(a_bits));
    memcpy(&b_bits, &b, sizeof(b_bits));
    assert_int_equal(a_bits, b_bits);
}

static void
gives_the_nearest_double(void **)
{
    assert_same_bits(as_double("0"), 0.0);
    assert_same_bits(as_double("0.1"), 0.1);
    assert_same_bits(as_double("-30921319.84"), -30921319.84);
    assert_same_bits(as_double("9223372036854775807"), 9223372036854775807.0);
    assert_same_bits(as_double("9007199254740993"), 9007199254740992.0); /* a tie, to even */
    assert_same_bits(as_double("9007199254740995"), 9007199254740996.0);
    assert_same_bits(as_double("9007199254740993.0000000000000000001"), 9007199254740994.0);
    assert_same_bits(as_double("6024.809855090449174997774141172323490409"),
                     6024.809855090449174997774141172323490409);
    assert_same_bits(as_double("1e-64"), 1e-64);
    assert_same_bits(as_double("123e62"), 123e62);
    assert_same_bits(
        as_double("9999999999999999999999999999999999999999999999999999999999999999e64"), 1e128);
    assert_same_bits(as_double("18014398509481983"), 18014398509481984.0); /* carries */
}

static void
gives_0_for_none(void **)
{
    struct oi_decimal none = {};

    assert_same_bits(oi_decimal_to_double(&none), 0.0);
}

static void
assert_shortest(double value, const char *expected)
{
    struct oi_decimal shortest = oi_decimal_from_double(value);
    char text[OI_DECIMAL_TEXT_SIZE];

    (void) oi_decimal_print(&shortest, text);
    assert_string_equal(text, expected);
}

static void
finds_the_shortest_decimal_that_reads_back(void **)
{
    assert_shortest(0.1, "0.1");
    assert_shortest(-0.0, "0");
    assert_shortest(0.1 + 0.2, "0.30000000000000004");
    assert_shortest(1e22, "10000000000000000000000");
    assert_shortest(5e-324, "0"); /* nearer to nothing than a decimal reaches */
    assert_shortest(1.0 / 3, "0.3333333333333333");
    assert_shortest(NAN, "");
    assert_shortest(INFINITY, "");
    assert_shortest(1e300, "");
}

static void
reads_back_every_double(void **)
{
    const uint64_t seed = 20260309;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int i = 0; i < 50'000; i++) {
        /* Any fraction, exponents from 2^-100 to 2^200. */
        uint64_t bits = (oi_random_next(&random) & 0x800F'FFFF'FFFF'FFFF) |
                        (1023 - 100 + oi_random_below(&random, 300)) << 52;
        double value;
        struct oi_decimal shortest;

        memcpy(&value, &bits, sizeof(value));
        shortest = oi_decimal_from_double(value);
        assert_true(oi_decimal_digits(&shortest) <= 17);
        assert_same_bits(oi_decimal_to_double(&shortest), value);
    }
}

static void
rounds_a_double_to_so_many_digits(void **)
{
    static const struct {
        double value;
        int digits;
        const char *expected;
    } cases[] = {
        { 0.125, 2, "0.12" },    { 0.375, 2, "0.38" },  { 2.5, 1, "2" },
        { 123456, 3, "123000" }, { -99.99, 2, "-100" }, { NAN, 3, "" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct oi_decimal value = oi_decimal_from_double_digits(cases[i].value, cases[i].digits);
        char text[OI_DECIMAL_TEXT_SIZE];

        (void) oi_decimal_print(&value, text);
        assert_string_equal(text, cases[i].expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_nearest_double),
        cmocka_unit_test(gives_0_for_none),
        cmocka_unit_test(finds_the_shortest_decimal_that_reads_back),
        cmocka_unit_test(reads_back_every_double),
        cmocka_unit_test(rounds_a_double_to_so_many_digits),
    };

    return cmocka_run_group_tests_name("core/decimal_double", tests, NULL, NULL);
}
