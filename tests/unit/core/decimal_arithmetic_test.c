/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decimals promise of sums, products, quotients and roundings: examples, and 100,000 pairs
 * against pencil and paper, that is, one digit at a time.
 */
#include "core/decimal.h"

#include "support/test.h"

#include "base/compiler.h"
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

    (void) oi_decimal_print(value, text);
    assert_string_equal(text, expected);
}

typedef enum oi_status operation(const struct oi_decimal *a, const struct oi_decimal *b,
                                 struct oi_decimal *ret_value, struct oi_error *error);

static void
assert_result(operation *operate, const char *a, const char *b, const char *expected)
{
    struct oi_decimal left = number(a);
    struct oi_decimal right = number(b);
    struct oi_decimal result;

    assert_ok(operate(&left, &right, &result, NULL));
    assert_prints(&result, expected);
}

static void
assert_refused(operation *operate, const char *a, const char *b)
{
    struct oi_decimal left = number(a);
    struct oi_decimal right = number(b);
    struct oi_decimal result = { .mantissa = 7 };

    assert_status(operate(&left, &right, &result, NULL), OI_E_INVALID);
    assert_int_equal(result.mantissa, 7);
}

static void
adds_and_subtracts_exactly(void **)
{
    assert_result(oi_decimal_add, "0.1", "0.2", "0.3");
    assert_result(oi_decimal_add, "9223372036854775807", "1", "9223372036854775808");
    assert_result(oi_decimal_subtract, "9223372036854775808", "1", "9223372036854775807");
    assert_result(oi_decimal_subtract, "-9223372036854775808", "1", "-9223372036854775809");
    assert_result(oi_decimal_subtract, "1.5", "1.5", "0");
    assert_result(oi_decimal_subtract, "0", "1e-64",
                  "-0.0000000000000000000000000000000000000000000000000000000000000001");
    assert_result(oi_decimal_add, "1e64", "0",
                  "10000000000000000000000000000000000000000000000000000000000000000");
    assert_result(oi_decimal_subtract, "1e64", "1",
                  "9999999999999999999999999999999999999999999999999999999999999999");
    assert_result(oi_decimal_add, "6024.809855090449174997774141172323490409",
                  "0.190144909550825002", "6024.999999999999999999774141172323490409");
    assert_refused(oi_decimal_add, "1e64", "1");
    assert_refused(oi_decimal_add, "1e64", "1e-64");
}

static void
multiplies_exactly(void **)
{
    assert_result(oi_decimal_multiply, "1.5", "-2", "-3");
    assert_result(oi_decimal_multiply, "4294967296", "4294967296", "18446744073709551616");
    assert_result(oi_decimal_multiply, "-9223372036854775808", "-1", "9223372036854775808");
    assert_result(oi_decimal_multiply, "0", "-6024.809855090449174997774141172323490409", "0");
    assert_result(oi_decimal_multiply, "6024.809855090449174997774141172323490409", "97123.45",
                  "585150318.72038448592543756691144310190456399105");
    assert_result(oi_decimal_multiply, "5e-64", "20",
                  "0.00000000000000000000000000000000000000000000000000000000000001");
    assert_refused(oi_decimal_multiply, "1e40", "1e40");
    assert_refused(oi_decimal_multiply, "6024.809855090449174997774141172323490409",
                   "6024.809855090449174997774141172323490409");
}

static void
halves_exactly(void **)
{
    static const struct {
        const char *whole, *half;
    } pairs[] = {
        { "0", "0" },
        { "1", "0.5" },
        { "-3", "-1.5" },
        { "9223372036854775807", "4611686018427387903.5" },
        { "6024.809855090449174997774141172323490409",
          "3012.4049275452245874988870705861617452045" },
    };

    for (size_t i = 0; i < OI_COUNT(pairs); i++) {
        struct oi_decimal value = number(pairs[i].whole);

        assert_ok(oi_decimal_halve(&value, &value, NULL));
        assert_prints(&value, pairs[i].half);
    }
}

static enum oi_status
divide_18(const struct oi_decimal *a, const struct oi_decimal *b, struct oi_decimal *ret_value,
          struct oi_error *error)
{
    return oi_decimal_divide_half_even(a, b, 18, ret_value, error);
}

static void
divides_to_18_digits_ties_to_even(void **)
{
    assert_result(divide_18, "1", "3", "0.333333333333333333");
    assert_result(divide_18, "-2", "3", "-0.666666666666666667");
    assert_result(divide_18, "10", "4", "2.5");
    assert_result(divide_18, "999999999999999999", "1", "999999999999999999");
    /* A tie: 19 digits ending in 5. */
    assert_result(divide_18, "1000000000000000005", "10", "100000000000000000");
    assert_result(divide_18, "1000000000000000015", "10", "100000000000000002");
    assert_result(divide_18, "9999999999999999995", "1", "10000000000000000000");
    assert_result(divide_18, "6024.809855090449174997774141172323490409", "97123.45",
                  "0.0620324942646750005");
    assert_result(divide_18, "1", "-9223372036854775808",
                  "-0.000000000000000000108420217248550443");
}

static void
gives_none_for_none_and_for_division_by_zero(void **)
{
    struct oi_decimal none = {};
    struct oi_decimal zero = number("0");
    struct oi_decimal one = number("1");
    struct oi_decimal result = one;

    assert_ok(oi_decimal_add(&none, &one, &result, NULL));
    assert_true(oi_decimal_is_none(&result));
    result = one;
    assert_ok(oi_decimal_multiply(&one, &none, &result, NULL));
    assert_true(oi_decimal_is_none(&result));
    result = one;
    assert_ok(divide_18(&one, &zero, &result, NULL));
    assert_true(oi_decimal_is_none(&result));
    assert_ok(oi_decimal_halve(&none, &result, NULL));
    assert_true(oi_decimal_is_none(&result));
    assert_ok(oi_decimal_round_half_even(&none, 2, &result, NULL));
    assert_true(oi_decimal_is_none(&result));
}

static void
rounds_ties_to_even_or_away_from_zero(void **)
{
    static const struct {
        const char *text;
        int places;
        const char *even, *up;
    } cases[] = {
        { "2.5", 0, "2", "3" },
        { "3.5", 0, "4", "4" },
        { "-2.5", 0, "-2", "-3" },
        { "0.5", 0, "0", "1" },
        { "0.4999", 0, "0", "0" },
        { "0.05", 0, "0", "0" },
        { "2.675", 2, "2.68", "2.68" },
        { "2.665", 2, "2.66", "2.67" },
        { "1.5", 4, "1.5", "1.5" },
        { "1250", -2, "1200", "1300" },
        { "5", -1, "0", "10" },
        { "49", -2, "0", "0" },
        { "9223372036854775807", -19, "10000000000000000000", "10000000000000000000" },
        { "6024.809855090449174997774141172323490409", 6, "6024.809855", "6024.809855" },
        { "0.12345678901234567890123456789012345", 34, "0.1234567890123456789012345678901234",
          "0.1234567890123456789012345678901235" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct oi_decimal value = number(cases[i].text);
        struct oi_decimal rounded;

        assert_ok(oi_decimal_round_half_even(&value, cases[i].places, &rounded, NULL));
        assert_prints(&rounded, cases[i].even);
        assert_ok(oi_decimal_round_half_up(&value, cases[i].places, &rounded, NULL));
        assert_prints(&rounded, cases[i].up);
    }
}

/*
 * Pencil and paper: one decimal digit at a time, lowest first.
 */
#define PAPER_DIGITS 160

struct paper {
    char digits[PAPER_DIGITS];
    int count; /* no zeros on top; zero has none */
    int exponent;
    bool is_negative;
};

static void
paper_trim(struct paper *paper)
{
    while (paper->count > 0 && paper->digits[paper->count - 1] == 0)
        paper->count--;
}

static void
paper_shift(struct paper *paper, int zeros)
{
    assert_true(paper->count + zeros <= PAPER_DIGITS);
    memmove(paper->digits + zeros, paper->digits, (size_t) paper->count);
    memset(paper->digits, 0, (size_t) zeros);
    paper->count += paper->count ? zeros : 0;
    paper->exponent -= zeros;
}

static int
paper_order(const struct paper *a, const struct paper *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->digits[i] != b->digits[i])
            return a->digits[i] < b->digits[i] ? -1 : 1;
    return 0;
}

static void
paper_take(struct paper *a, const struct paper *b)
{
    int borrow = 0;

    for (int i = 0; i < a->count; i++) {
        int digit = a->digits[i] - borrow - (i < b->count ? b->digits[i] : 0);

        borrow = digit < 0;
        a->digits[i] = (char) (digit + 10 * borrow);
    }
    paper_trim(a);
}

static struct paper
paper_sum(struct paper a, struct paper b)
{
    int exponent = a.exponent < b.exponent ? a.exponent : b.exponent;
    int carry = 0;

    paper_shift(&a, a.exponent - exponent);
    paper_shift(&b, b.exponent - exponent);
    if (a.is_negative != b.is_negative) {
        if (paper_order(&a, &b) < 0) {
            paper_take(&b, &a);
            return b;
        }
        paper_take(&a, &b);
        return a;
    }
    for (int i = 0; i < a.count || i < b.count || carry; i++) {
        int digit = carry + (i < a.count ? a.digits[i] : 0) + (i < b.count ? b.digits[i] : 0);

        a.digits[i] = (char) (digit % 10);
        carry = digit / 10;
        a.count = i >= a.count ? i + 1 : a.count;
    }
    return a;
}

static struct paper
paper_product(const struct paper *a, const struct paper *b)
{
    struct paper product = { .count = a->count + b->count,
                             .exponent = a->exponent + b->exponent,
                             .is_negative = a->is_negative != b->is_negative };

    for (int i = 0; i < a->count; i++) {
        int carry = 0;

        for (int j = 0; j < b->count || carry; j++) {
            int digit =
                carry + product.digits[i + j] + (j < b->count ? a->digits[i] * b->digits[j] : 0);

            product.digits[i + j] = (char) (digit % 10);
            carry = digit / 10;
        }
    }
    paper_trim(&product);
    return product;
}

/* Long division: `rest` holds what is left. */
static void
paper_bring_down(struct paper *rest, char digit)
{
    paper_shift(rest, 1);
    rest->digits[0] = digit;
    if (rest->count == 0 && digit != 0)
        rest->count = 1;
}

/* multiples[n]: n times the divisor, as one writes them down before a long division. */
static char
paper_goes(struct paper *rest, const struct paper multiples[10])
{
    char times = 9;

    while (paper_order(rest, &multiples[(int) times]) < 0)
        times--;
    if (times > 0)
        paper_take(rest, &multiples[(int) times]);
    return times;
}

/* Digits from above until there are `digits` and one more; whatever is left then, here or in digits
 * past those, only says that there is more. */
static struct paper
paper_quotient(const struct paper *a, const struct paper *b, int digits)
{
    struct paper rest = {};
    struct paper multiples[10] = {};
    struct paper quotient = { .exponent = a->exponent - b->exponent + a->count,
                              .is_negative = a->is_negative != b->is_negative };
    struct paper unit = { .digits = { 1 }, .count = 1, .is_negative = quotient.is_negative };
    bool is_more;
    char last;
    int i = a->count - 1;

    for (int times = 1; times < 10; times++) {
        struct paper divisor = *b;

        divisor.exponent = 0;
        divisor.is_negative = false;
        multiples[times] = paper_sum(multiples[times - 1], divisor);
    }
    for (; quotient.count < digits + 1; i--) {
        paper_bring_down(&rest, i >= 0 ? a->digits[i] : 0);
        paper_bring_down(&quotient, paper_goes(&rest, multiples));
    }
    is_more = rest.count > 0;
    for (; i >= 0; i--)
        is_more |= a->digits[i] != 0;
    last = quotient.digits[0];
    memmove(quotient.digits, quotient.digits + 1, (size_t) quotient.count - 1);
    quotient.count--;
    quotient.exponent++;
    unit.exponent = quotient.exponent;
    if (last > 5 || (last == 5 && (is_more || quotient.digits[0] % 2)))
        return paper_sum(quotient, unit);
    return quotient;
}

static struct paper
paper_rounded(struct paper a, int places, bool half_up)
{
    struct paper unit = { .digits = { 1 }, .count = 1, .is_negative = a.is_negative };
    int drop = -places - a.exponent;
    bool is_rest = false;
    char dropped = 0;

    for (; drop > 0; drop--) {
        is_rest |= dropped != 0;
        dropped = a.count ? a.digits[0] : 0;
        if (a.count) {
            memmove(a.digits, a.digits + 1, (size_t) a.count - 1);
            a.count--;
        }
        a.exponent++;
    }
    unit.exponent = a.exponent;
    if (dropped > 5 || (dropped == 5 && (is_rest || half_up || (a.count && a.digits[0] % 2))))
        return paper_sum(a, unit);
    return a;
}

/* Plain digits, or nothing where a decimal would be too long. */
static void
paper_print(const struct paper *paper, char text[OI_DECIMAL_TEXT_SIZE])
{
    int zeros = 0;
    int count, exponent;
    size_t size = 0;

    text[0] = '\0';
    while (zeros < paper->count && paper->digits[zeros] == 0)
        zeros++;
    count = paper->count - zeros;
    exponent = count > 0 ? paper->exponent + zeros : 0;
    if (count > OI_DECIMAL_DIGITS_MAX || (count > 0 && (exponent > 64 || exponent < -64)))
        return;
    if (count > 0 && paper->is_negative)
        text[size++] = '-';
    for (int at = (count + exponent > 1 ? count + exponent : 1) - 1; at >= 0 || at >= exponent;
         at--) {
        if (count == 0 && at < 0)
            break;
        if (at == -1)
            text[size++] = '.';
        text[size++] = (char) ('0' + (at >= exponent && at - exponent < count
                                          ? paper->digits[zeros + at - exponent]
                                          : 0));
    }
    text[size] = '\0';
}

/* One of up to 18 digits mostly, of up to 64 now and then; the same as a decimal. */
static struct paper
random_paper(struct oi_random *random, struct oi_decimal *ret_value)
{
    struct paper paper = { .exponent = (int) oi_random_below(random, 25) - 18,
                           .is_negative = oi_random_below(random, 2) };
    bool is_wide = oi_random_below(random, 12) == 0;
    char text[OI_DECIMAL_DIGITS_MAX + 16];
    int size = 0;

    paper.count = 1 + (int) oi_random_below(random, is_wide ? 64 : 18);
    for (int i = 0; i < paper.count; i++)
        paper.digits[i] = (char) oi_random_below(random, oi_random_below(random, 8) ? 10 : 1);
    if (oi_random_below(random, 64) == 0)
        memset(paper.digits, 9, (size_t) paper.count);
    text[size++] = paper.is_negative ? '-' : '+';
    for (int i = paper.count - 1; i >= 0; i--)
        text[size++] = (char) ('0' + paper.digits[i]);
    (void) snprintf(text + size, sizeof(text) - (size_t) size, "e%d", paper.exponent);
    *ret_value = number(text);
    paper_trim(&paper);
    return paper;
}

static void
assert_as_on_paper(enum oi_status status, const struct oi_decimal *value, struct paper paper,
                   const char *what, int round)
{
    char expected[OI_DECIMAL_TEXT_SIZE];
    char text[OI_DECIMAL_TEXT_SIZE] = "";

    paper_print(&paper, expected);
    if (status == OI_OK)
        (void) oi_decimal_print(value, text);
    if (strcmp(text, expected) != 0)
        print_error("%s of pair %d\n", what, round);
    assert_string_equal(text, expected);
    if (status == OI_OK) {
        struct oi_decimal canonical = number(text);

        assert_memory_equal(&canonical, value, sizeof(canonical));
    }
}

static void
compare_pair(struct oi_random *random, int round)
{
    struct oi_decimal a, b, result;
    struct paper paper_a = random_paper(random, &a);
    struct paper paper_b = random_paper(random, &b);
    struct paper minus_b = paper_b;
    int digits = oi_random_below(random, 4) ? 18 : 1 + (int) oi_random_below(random, 64);
    int places = (int) oi_random_below(random, 30) - 6;
    struct paper difference;
    enum oi_status status;
    int order;

    status = oi_decimal_add(&a, &b, &result, NULL);
    assert_as_on_paper(status, &result, paper_sum(paper_a, paper_b), "sum", round);
    minus_b.is_negative = !minus_b.is_negative;
    difference = paper_sum(paper_a, minus_b);
    status = oi_decimal_subtract(&a, &b, &result, NULL);
    assert_as_on_paper(status, &result, difference, "difference", round);
    paper_trim(&difference);
    order = difference.count == 0 ? 0 : difference.is_negative ? -1 : 1;
    assert_int_equal(oi_decimal_compare(&a, &b), order);
    status = oi_decimal_multiply(&a, &b, &result, NULL);
    assert_as_on_paper(status, &result, paper_product(&paper_a, &paper_b), "product", round);
    status = oi_decimal_round_half_even(&a, places, &result, NULL);
    assert_as_on_paper(status, &result, paper_rounded(paper_a, places, false), "even", round);
    status = oi_decimal_round_half_up(&a, places, &result, NULL);
    assert_as_on_paper(status, &result, paper_rounded(paper_a, places, true), "up", round);
    if (paper_a.count && paper_b.count) {
        status = oi_decimal_divide_half_even(&a, &b, digits, &result, NULL);
        assert_as_on_paper(status, &result, paper_quotient(&paper_a, &paper_b, digits), "quotient",
                           round);
    }
}

static void
agrees_with_pencil_and_paper(void **)
{
    const uint64_t seed = 20260308;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 100'000; round++)
        compare_pair(&random, round);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_and_subtracts_exactly),
        cmocka_unit_test(multiplies_exactly),
        cmocka_unit_test(halves_exactly),
        cmocka_unit_test(divides_to_18_digits_ties_to_even),
        cmocka_unit_test(gives_none_for_none_and_for_division_by_zero),
        cmocka_unit_test(rounds_ties_to_even_or_away_from_zero),
        cmocka_unit_test(agrees_with_pencil_and_paper),
    };

    return cmocka_run_group_tests_name("core/decimal_arithmetic", tests, NULL, NULL);
}
