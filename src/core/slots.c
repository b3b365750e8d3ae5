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
/* 2^57 / EIGHT_DIGITS, rounded down. */
#define RECIPROCAL UINT64_C(1'441'151'880)
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

/* A count that is known where it is inlined leaves no remainders to the vectors. */
static inline __attribute__((always_inline)) void
put_digits(const uint32_t *restrict numbers, size_t count, char *restrict texts)
{
    uint32_t fours[2 * OI_SLOT_COUNT], words[2 * OI_SLOT_COUNT];

    for (size_t i = 0; i < count; i++) {
        uint32_t upper = numbers[i] / 10'000;

        fours[2 * i] = upper;
        fours[2 * i + 1] = numbers[i] - upper * 10'000;
    }
    /* Two pairs, then four digits, are split side by side; the first digit is the lowest byte. */
    for (size_t i = 0; i < 2 * count; i++) {
        uint32_t above = fours[i] * 10'486 >> 20;
        uint32_t pairs = (fours[i] << 16) - above * ((100 << 16) - 1);

        above = (pairs * 103 >> 10) & 0x000F'000F;
        words[i] = (pairs << 8) - above * ((10 << 8) - 1) + 0x3030'3030;
    }
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (size_t i = 0; i < 2 * count; i++)
        words[i] = __builtin_bswap32(words[i]);
#endif
    memcpy(texts, words, 8 * count);
}

OI_VECTORISED void
oi_digits_put(const uint32_t *restrict numbers, size_t count, char *restrict texts)
{
    oi_assert(count <= OI_SLOT_NUMBERS);
    for (; count >= OI_SLOT_COUNT; count -= OI_SLOT_COUNT) {
        put_digits(numbers, OI_SLOT_COUNT, texts);
        numbers += OI_SLOT_COUNT;
        texts += 8 * OI_SLOT_COUNT;
    }
    put_digits(numbers, count, texts);
}

/* `words` times eight, which is known where it is inlined: a few moves. */
static inline void
copy_digits(char *to, const char *from, size_t words)
{
    char digits[DIGITS]; /* both ends may be the same memory for all that is known */

    memcpy(digits, from, 8 * words);
    memcpy(to, digits, 8 * words);
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
    uint64_t magnitudes[OI_SLOT_COUNT];
    int64_t mantissas[OI_SLOT_COUNT];
    int exponents[OI_SLOT_COUNT];
    uint64_t least, greatest; /* magnitudes */
    int after_point;          /* digits, of the row with most */
    bool is_even;             /* no sign, and as many behind the point in each */
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

static inline void
put_each(const struct oi_slots *slots, const struct figures *figures, size_t count,
         const char *digits, size_t words)
{
    for (size_t i = 0; i < count; i++) {
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

/* The usual batch: all have so many digits before and behind the point, zeros at the end aside. */
static inline void
put_alike(const struct oi_slots *slots, const struct figures *figures, size_t count,
          const char *digits, size_t words, size_t before_point)
{
    const size_t after_point = (size_t) figures->after_point, after_size = slots->after != 0;
    const char after = slots->after;
    const char *from = digits + 8 * words - after_point - before_point;
    const size_t stride = slots->stride;
    uint8_t *sizes = slots->sizes;
    char *at = slots->first;

    for (size_t i = 0; i < count; i++) {
        const char *point = from + before_point;
        size_t size = before_point;

        copy_digits(at, from, words);
        if (after_point > 0) {
            size_t zeros = (size_t) zeros_behind(point + after_point - 8 * words, words);

            at[before_point] = '.';
            copy_digits(at + before_point + 1, point, words);
            size += zeros < after_point ? 1 + after_point - zeros : 0;
        }
        at[size] = after;
        sizes[i] = (uint8_t) (size + after_size);
        at += stride;
        from += 8 * words;
    }
}

static inline size_t
digits_before_point(uint64_t magnitude, int after_point)
{
    int count = oi_decimal_count_digits(magnitude);

    return count > after_point ? (size_t) (count - after_point) : 1;
}

/* Mantissas below 10^16 as two numbers each. What a reciprocal of 32 bits gives is one too low at
 * most, and the vectors' width is not spent on products of 64. */
static inline void
halve(const struct figures *figures, size_t count, uint32_t *restrict numbers)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t above = (uint32_t) (figures->magnitudes[i] >> 22);
        uint32_t upper = (uint32_t) ((uint64_t) above * RECIPROCAL >> 35);
        uint32_t lower = (uint32_t) figures->magnitudes[i] - upper * (uint32_t) EIGHT_DIGITS;
        uint32_t more = lower >= EIGHT_DIGITS;

        numbers[2 * i] = upper + more;
        numbers[2 * i + 1] = lower - more * (uint32_t) EIGHT_DIGITS;
    }
}

/* With so many numbers of eight digits each. */
static inline __attribute__((always_inline)) void
put_figures(const struct oi_slots *slots, const struct figures *figures, size_t count, size_t words)
{
    uint32_t numbers[OI_SLOT_NUMBERS];
    char digits[OI_SLOT_COUNT * DIGITS + DIGITS];
    size_t before_point = digits_before_point(figures->greatest, figures->after_point);

    if (words == 2)
        halve(figures, count, numbers);
    for (size_t i = 0; words != 2 && i < count; i++) {
        uint64_t magnitude = figures->magnitudes[i];

        for (size_t at = words; at-- > 1;) {
            uint64_t upper = magnitude / EIGHT_DIGITS;

            numbers[words * i + at] = (uint32_t) (magnitude - upper * EIGHT_DIGITS);
            magnitude = upper;
        }
        numbers[words * i] = (uint32_t) magnitude;
    }
    oi_digits_put(numbers, words * count, digits);
    /* Copies reach past the last one. */
    memset(digits + 8 * words * count, '0', DIGITS);
    if (figures->is_even &&
        digits_before_point(figures->least, figures->after_point) == before_point)
        put_alike(slots, figures, count, digits, words, before_point);
    else
        put_each(slots, figures, count, digits, words);
}

/* A column of one exponent, whose figures need no second look. */
static inline void
take_even(const struct oi_decimals *column, size_t count, struct figures *figures)
{
    uint64_t least = UINT64_MAX, greatest = 0;
    int64_t lowest = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t mantissa = column->mantissas[i];
        uint64_t magnitude = oi_decimal_magnitude(mantissa);

        figures->mantissas[i] = mantissa;
        figures->exponents[i] = column->exponent;
        figures->magnitudes[i] = magnitude;
        least = magnitude < least ? magnitude : least;
        greatest = magnitude > greatest ? magnitude : greatest;
        lowest = mantissa < lowest ? mantissa : lowest;
    }
    figures->least = least;
    figures->greatest = greatest;
    figures->after_point = -column->exponent;
    figures->is_even = lowest == 0;
}

/* Zeros that a value ends with become part of its mantissa where there is room. */
static inline void
take_figures(const struct oi_decimals *column, size_t count, struct figures *figures)
{
    figures->greatest = figures->least = 0;
    figures->after_point = 0;
    figures->is_even = false;
    for (size_t i = 0; i < count; i++) {
        int64_t mantissa = column->mantissas[i];
        int exponent = column->exponents ? column->exponents[i] : column->exponent;

        if (exponent > 0 && exponent <= ZEROS_MAX &&
            oi_decimal_magnitude(mantissa) < EIGHT_DIGITS) {
            mantissa *= (int64_t) oi_powers_of_ten[exponent];
            exponent = 0;
        }
        figures->mantissas[i] = mantissa;
        figures->magnitudes[i] = oi_decimal_magnitude(mantissa);
        figures->exponents[i] = exponent;
        if (figures->magnitudes[i] > figures->greatest)
            figures->greatest = figures->magnitudes[i];
        if (exponent < 0 && exponent >= -AFTER_POINT_MAX && -exponent > figures->after_point)
            figures->after_point = -exponent;
    }
}

/* Figures without zeros at their end, as single decimals are: with as many digits behind the point
 * in each they are a column of one exponent. False: there is no room, or one is no plain figure. */
static inline bool
align(const struct oi_decimals *column, size_t count, int64_t *mantissas, int *ret_exponent)
{
    int least = 0, greatest = 0;
    bool has_overflowed = false;

    for (size_t i = 0; i < count; i++) {
        int exponent = column->exponents[i];

        least = exponent < least ? exponent : least;
        greatest = exponent > greatest ? exponent : greatest;
    }
    if (least < -AFTER_POINT_MAX || greatest > ZEROS_MAX || greatest - least > AFTER_POINT_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        has_overflowed |= __builtin_mul_overflow(
            column->mantissas[i], (int64_t) oi_powers_of_ten[column->exponents[i] - least],
            &mantissas[i]);
    *ret_exponent = least;
    return !has_overflowed;
}

static inline __attribute__((always_inline)) void
put_decimals(const struct oi_slots *slots, const struct oi_decimals *column, size_t count)
{
    int64_t mantissas[OI_SLOT_COUNT];
    struct oi_decimals aligned = { .mantissas = mantissas };
    struct figures figures;

    if (!column->exponents && column->exponent <= 0 && column->exponent >= -AFTER_POINT_MAX)
        take_even(column, count, &figures);
    else if (column->exponents && align(column, count, mantissas, &aligned.exponent))
        take_even(&aligned, count, &figures);
    else
        take_figures(column, count, &figures);
    /* A zero before the point is one of the digits. */
    if (figures.greatest < EIGHT_DIGITS && figures.after_point < 8)
        put_figures(slots, &figures, count, 1);
    else if (figures.greatest < EIGHT_DIGITS * EIGHT_DIGITS && figures.after_point < 16)
        put_figures(slots, &figures, count, 2);
    else
        put_figures(slots, &figures, count, 3);
}

OI_VECTORISED void
oi_slots_put_decimals(const struct oi_slots *slots, const struct oi_decimals *column, size_t count)
{
    oi_assert(count <= OI_SLOT_COUNT);
    if (!column->mantissas)
        memset(slots->sizes, OI_SLOT_NONE, count);
    else if (count == OI_SLOT_COUNT)
        put_decimals(slots, column, OI_SLOT_COUNT);
    else if (count > 0)
        put_decimals(slots, column, count);
}
