/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In three passes over a batch: mantissas are cut into numbers of eight digits, as many as the
 * largest of the batch needs; those become text, four digits in a 32-bit lane, whatever the
 * vectors' width is; then each text is laid out by copies of a fixed size out of its 8, 16 or 24
 * digits, from where they begin and from where the point is.
 */
#include "core/slots.h"

#include "base/compiler.h"
#include "core/decimal.h"
#include "core/decimal_internal.h"

#include <assert.h>
#include <string.h>

#define EIGHT_DIGITS UINT64_C(100'000'000)
/* Of a mantissa in the making: three numbers of eight. */
#define DIGITS 24
/* At the end of a whole number that is written like any other. */
#define ZEROS_MAX 8
/* Behind the point, for the digits and one zero before it to fit those 24 with any mantissa. */
#define AFTER_POINT_MAX 18
/* Sign, 19 digits before the point, the point, and what a copy takes. */
static_assert(1 + 19 + 1 + DIGITS <= OI_SLOT_ROOM);
/* Sign, zero, point or 20 digits, and `after`. */
static_assert(1 + 1 + 20 + 1 + 1 <= OI_SLOT_SIZE);

OI_VECTORISED void
oi_digits_put(const uint32_t *restrict numbers, size_t count, char *restrict texts)
{
    uint32_t fours[2 * OI_SLOT_NUMBERS], words[2 * OI_SLOT_NUMBERS];

    oi_assert(count <= OI_SLOT_NUMBERS);
    for (size_t i = 0; i < count; i++) {
        uint32_t upper = numbers[i] / 10'000;

        fours[2 * i] = upper;
        fours[2 * i + 1] = numbers[i] - upper * 10'000;
    }
    /* Two pairs, then four digits, are split side by side; the first digit is the lowest byte. */
    for (size_t i = 0; i < 2 * count; i++) {
        uint32_t above = fours[i] * 10'486 >> 20;
        uint32_t pairs = (fours[i] - above * 100) << 16 | above;

        above = (pairs * 103 >> 10) & 0x000F'000F;
        words[i] = ((pairs - above * 10) << 8 | above) | 0x3030'3030;
    }
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (size_t i = 0; i < 2 * count; i++)
        words[i] = __builtin_bswap32(words[i]);
#endif
    memcpy(texts, words, 8 * count);
}

/* `words` times eight, which is known where it is inlined: a few moves. */
static inline void
copy_digits(char *to, const char *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        memcpy(to + 8 * i, from + 8 * i, 8);
}

/* Zeros at the end of the digits. */
static inline int
zeros_behind(const char *digits, size_t words)
{
    for (size_t i = 1; i <= words; i++) {
        uint64_t word;

        memcpy(&word, digits + 8 * (words - i), sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        word ^= 0x3030'3030'3030'3030;
        if (word != 0)
            return (int) (8 * (i - 1)) + __builtin_clzll(word) / 8;
    }
    return (int) (8 * words);
}

/* The size of what is written at `at`. */
static inline size_t
lay_out(char *at, const char *digits, size_t words, int64_t mantissa, int after_point)
{
    int count = oi_decimal_count_digits(oi_decimal_magnitude(mantissa));
    int before_point = count > after_point ? count - after_point : 1;
    const char *point = digits + 8 * words - after_point;
    int behind;
    size_t whole = (size_t) (mantissa < 0) + (size_t) before_point;

    *at = '-';
    copy_digits(at + (mantissa < 0), point - before_point, words);
    if (after_point == 0)
        return whole;
    at[whole] = '.';
    copy_digits(at + whole + 1, point, words);
    behind = after_point - zeros_behind(digits, words);
    return behind > 0 ? whole + 1 + (size_t) behind : whole;
}

/* Exponents that are seldom met. */
static size_t
put_seldom(char *at, int64_t mantissa, int exponent)
{
    char room[OI_DECIMAL_PUT_SIZE];
    size_t size = (size_t) (oi_decimal_put(room, mantissa, exponent) - room);

    if (size >= OI_SLOT_SIZE)
        return OI_SLOT_LONG;
    memcpy(at, room, OI_SLOT_SIZE);
    return size;
}

/* Figures on their way to text. */
struct figures {
    int64_t mantissas[OI_SLOT_COUNT];
    int exponents[OI_SLOT_COUNT];
    size_t count;
    uint64_t greatest; /* magnitude */
    int after_point;   /* digits, of the row with most */
};

static inline size_t
put_text(char *at, const char *digits, size_t words, int64_t mantissa, int exponent)
{
    if (exponent <= 0 && exponent >= -AFTER_POINT_MAX)
        return lay_out(at, digits, words, mantissa, -exponent);
    if (exponent == OI_EXPONENT_NONE)
        return OI_SLOT_NONE;
    return exponent == OI_EXPONENT_WIDE ? OI_SLOT_LONG : put_seldom(at, mantissa, exponent);
}

/* With so many numbers of eight digits each. */
static inline __attribute__((always_inline)) void
put_figures(const struct oi_slots *slots, const struct figures *figures, size_t words)
{
    uint32_t numbers[OI_SLOT_NUMBERS];
    char digits[OI_SLOT_COUNT * DIGITS + DIGITS];

    for (size_t i = 0; i < figures->count; i++) {
        uint64_t magnitude = oi_decimal_magnitude(figures->mantissas[i]);

        for (size_t at = words; at-- > 1;) {
            uint64_t upper = magnitude / EIGHT_DIGITS;

            numbers[words * i + at] = (uint32_t) (magnitude - upper * EIGHT_DIGITS);
            magnitude = upper;
        }
        numbers[words * i] = (uint32_t) magnitude;
    }
    oi_digits_put(numbers, words * figures->count, digits);
    /* Copies reach past the last one. */
    memset(digits + 8 * words * figures->count, '0', DIGITS);
    for (size_t i = 0; i < figures->count; i++) {
        char *at = slots->first + i * slots->stride;
        size_t size = put_text(at, digits + 8 * words * i, words, figures->mantissas[i],
                               figures->exponents[i]);

        if (OI_SLOT_IS_TEXT(size)) {
            at[size] = slots->after;
            size += slots->after != 0;
        }
        slots->sizes[i] = (uint8_t) size;
    }
}

/* Zeros that a value ends with become part of its mantissa where there is room. */
static inline void
take_figures(const struct oi_decimals *column, size_t count, struct figures *figures)
{
    figures->count = count;
    figures->greatest = 0;
    figures->after_point = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t mantissa = column->mantissas[i];
        int exponent = column->exponents ? column->exponents[i] : column->exponent;

        if (exponent > 0 && exponent <= ZEROS_MAX &&
            oi_decimal_magnitude(mantissa) < EIGHT_DIGITS) {
            mantissa *= (int64_t) oi_powers_of_ten[exponent];
            exponent = 0;
        }
        figures->mantissas[i] = mantissa;
        figures->exponents[i] = exponent;
        if (oi_decimal_magnitude(mantissa) > figures->greatest)
            figures->greatest = oi_decimal_magnitude(mantissa);
        if (exponent < 0 && exponent >= -AFTER_POINT_MAX && -exponent > figures->after_point)
            figures->after_point = -exponent;
    }
}

OI_VECTORISED void
oi_slots_put_decimals(const struct oi_slots *slots, const struct oi_decimals *column, size_t count)
{
    struct figures figures;

    oi_assert(count <= OI_SLOT_COUNT);
    if (!column->mantissas || count == 0) {
        memset(slots->sizes, OI_SLOT_NONE, count);
        return;
    }
    take_figures(column, count, &figures);
    /* A zero before the point is one of the digits. */
    if (figures.greatest < EIGHT_DIGITS && figures.after_point < 8)
        put_figures(slots, &figures, 1);
    else if (figures.greatest < EIGHT_DIGITS * EIGHT_DIGITS && figures.after_point < 16)
        put_figures(slots, &figures, 2);
    else
        put_figures(slots, &figures, 3);
}
