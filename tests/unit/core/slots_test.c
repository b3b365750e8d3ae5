/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in slots, beside a printer that makes one digit after the other. */
#include "core/slots.h"

#include "base/random.h"

#include "support/test.h"

#include <string.h>

/* Digit by digit, without anything of the code under test. Returns the size. */
static size_t
print_slowly(int64_t mantissa, int exponent, char text[128])
{
    uint64_t rest = mantissa < 0 ? 0 - (uint64_t) mantissa : (uint64_t) mantissa;
    char reversed[128];
    size_t count = 0, size = 0;

    for (; rest > 0 && exponent < 0 && rest % 10 == 0; exponent++)
        rest /= 10;
    if (rest == 0)
        exponent = 0;
    for (int i = 0; i < exponent; i++)
        reversed[count++] = '0';
    for (; rest > 0 || exponent < 0 || count == 0; rest /= 10) {
        reversed[count++] = (char) ('0' + rest % 10);
        if (exponent < 0 && ++exponent == 0) {
            reversed[count++] = '.';
            if (rest < 10)
                reversed[count++] = '0';
        }
    }
    if (mantissa < 0)
        text[size++] = '-';
    while (count > 0)
        text[size++] = reversed[--count];
    return size;
}

/* Of any length, with zeros at the end now and then. */
static int64_t
some_mantissa(struct oi_random *random)
{
    int64_t mantissa = (int64_t) (oi_random_next(random) >> (1 + oi_random_below(random, 63)));

    for (uint64_t zeros = oi_random_below(random, 18); zeros > 12; zeros--)
        mantissa = mantissa / 10 * 10;
    switch (oi_random_below(random, 32)) {
    case 0:
        return 0;
    case 1:
        return INT64_MIN;
    case 2:
        return INT64_MAX;
    case 3:
        return 1;
    default:
        return oi_random_below(random, 2) == 0 ? mantissa : -mantissa;
    }
}

static void
assert_text(const char *at, uint8_t size, int64_t mantissa, int exponent, char after)
{
    char text[128];
    size_t expected = print_slowly(mantissa, exponent, text);

    if (expected >= OI_SLOT_SIZE) {
        assert_int_equal(size, OI_SLOT_LONG);
        return;
    }
    text[expected] = after;
    expected += after != 0;
    if (size != expected || memcmp(at, text, expected) != 0)
        fail_msg("%lld e %d is written as %.*s", (long long) mantissa, exponent,
                 size < 64 ? (int) size : 0, at);
}

static void
check_batch(struct oi_random *random, int exponent, bool has_own, char after)
{
    static char texts[OI_SLOT_COUNT][OI_SLOT_ROOM];
    uint8_t sizes[OI_SLOT_COUNT];
    int64_t mantissas[OI_SLOT_COUNT];
    int8_t exponents[OI_SLOT_COUNT];
    size_t count = oi_random_below(random, OI_SLOT_COUNT + 1);
    /* Batches of small figures are made of fewer digits. */
    static const int64_t divisors[] = { 1, 1'000'000, 1'000'000'000'000 };
    int64_t divisor = divisors[oi_random_below(random, OI_COUNT(divisors))];
    const struct oi_slots slots = { texts[0], sizeof(texts[0]), sizes, after };
    const struct oi_decimals column = { .mantissas = mantissas,
                                        .exponents = has_own ? exponents : NULL,
                                        .exponent = exponent };

    for (size_t i = 0; i < count; i++) {
        uint64_t form = oi_random_below(random, 8);

        mantissas[i] = some_mantissa(random) / divisor;
        exponents[i] = (int8_t) (form == 0   ? OI_EXPONENT_NONE
                                 : form == 1 ? OI_EXPONENT_WIDE
                                             : (int) oi_random_below(random, 60) - 39);
    }
    oi_slots_put_decimals(&slots, &column, count);
    for (size_t i = 0; i < count; i++) {
        int own = has_own ? exponents[i] : exponent;

        if (own == OI_EXPONENT_NONE)
            assert_int_equal(sizes[i], OI_SLOT_NONE);
        else if (own == OI_EXPONENT_WIDE)
            assert_int_equal(sizes[i], OI_SLOT_LONG);
        else
            assert_text(texts[i], sizes[i], mantissas[i], own, after);
    }
}

static void
writes_figures_as_a_slow_printer_does(void **)
{
    struct oi_random random;
    uint64_t seed = 20'261'127;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int exponent = -38; exponent <= 20; exponent++)
        for (int round = 0; round < 60; round++)
            check_batch(&random, exponent, round % 4 == 0, round % 2 == 0 ? '"' : '\0');
}

/* As many digits in all, close to where the eighth from the end changes, with zeros at the end. */
static int64_t
alike_mantissa(struct oi_random *random, int64_t least)
{
    static const int64_t offsets[] = { -1, 0, 1, 22, 99'999'999 };
    int64_t mantissa = least + (int64_t) oi_random_below(random, 9 * (uint64_t) least);

    if (oi_random_below(random, 2) == 0)
        mantissa = mantissa / 100'000'000 * 100'000'000 + offsets[oi_random_below(random, 5)];
    if (oi_random_below(random, 3) == 0)
        mantissa = mantissa / 1000 * 1000;
    return mantissa < least ? least : mantissa > 10 * least - 1 ? 10 * least - 1 : mantissa;
}

static void
writes_figures_of_as_many_digits(void **)
{
    static char texts[OI_SLOT_COUNT][OI_SLOT_ROOM];
    uint8_t sizes[OI_SLOT_COUNT];
    int64_t mantissas[OI_SLOT_COUNT], least = 1;
    int8_t exponents[OI_SLOT_COUNT];
    struct oi_random random;

    oi_random_init(&random, 7);
    for (int digits = 1; digits <= 18; digits++, least *= 10) {
        for (int exponent = -20; exponent <= 1; exponent++) {
            for (int round = 0; round < 6; round++) {
                size_t count =
                    round < 3 ? OI_SLOT_COUNT : 1 + oi_random_below(&random, OI_SLOT_COUNT);
                char after = round % 2 == 0 ? '"' : '\0';
                const struct oi_slots slots = { texts[0], sizeof(texts[0]), sizes, after };
                const struct oi_decimals column = { .mantissas = mantissas, .exponent = exponent };
                const struct oi_decimals mixed = { .mantissas = mantissas, .exponents = exponents };

                for (size_t i = 0; i < count; i++)
                    mantissas[i] = alike_mantissa(&random, least);
                /* Or all of them but one. */
                if (round == 5)
                    mantissas[count - 1] = oi_random_below(&random, 2) == 0 ? 0 : -mantissas[0];
                oi_slots_put_decimals(&slots, &column, count);
                for (size_t i = 0; i < count; i++)
                    assert_text(texts[i], sizes[i], mantissas[i], exponent, after);
                /* The same without the zeros at their end. */
                for (size_t i = 0; i < count; i++) {
                    exponents[i] = (int8_t) exponent;
                    for (; mantissas[i] % 10 == 0 && mantissas[i] != 0; mantissas[i] /= 10)
                        exponents[i]++;
                }
                oi_slots_put_decimals(&slots, &mixed, count);
                for (size_t i = 0; i < count; i++)
                    assert_text(texts[i], sizes[i], mantissas[i], exponents[i], after);
            }
        }
    }
}

static void
has_no_text_where_a_column_is_absent(void **)
{
    char texts[OI_SLOT_ROOM];
    uint8_t size = 7;
    const struct oi_decimals absent = {};

    oi_slots_put_decimals(&(struct oi_slots){ texts, sizeof(texts), &size, 0 }, &absent, 1);
    assert_int_equal(size, OI_SLOT_NONE);
}

static void
writes_eight_digits_of_every_number(void **)
{
    uint32_t numbers[OI_SLOT_NUMBERS] = { 0, 9, 10, 9'999, 10'000, 99'999'999 };
    char texts[OI_SLOT_NUMBERS][8];
    struct oi_random random;

    oi_random_init(&random, 5);
    for (int round = 0; round < 500; round++) {
        oi_digits_put(numbers, OI_SLOT_NUMBERS, texts[0]);
        for (size_t i = 0; i < OI_SLOT_NUMBERS; i++) {
            uint32_t number = numbers[i];

            for (size_t digit = 8; digit-- > 0; number /= 10)
                assert_int_equal(texts[i][digit], '0' + number % 10);
            numbers[i] = (uint32_t) oi_random_below(&random, 100'000'000);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_figures_as_a_slow_printer_does),
        cmocka_unit_test(writes_figures_of_as_many_digits),
        cmocka_unit_test(has_no_text_where_a_column_is_absent),
        cmocka_unit_test(writes_eight_digits_of_every_number),
    };

    return cmocka_run_group_tests_name("core/slots", tests, NULL, NULL);
}
