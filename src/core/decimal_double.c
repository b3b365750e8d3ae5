/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge between decimals and doubles, for statistics alone. Both directions are correctly
 * rounded: to a double by exact integers, from a double by the C library's digits, which glibc
 * computes exactly.
 */
#include "core/decimal.h"
#include "core/decimal_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* 53 bits of fraction and 2 to round by. */
#define QUOTIENT_BITS 64

/* magnitude x 2^shift, the bits below being not all zero when `is_inexact`; no subnormals here. */
static double
round_to_double(const struct oi_limbs *magnitude, int shift, bool is_inexact)
{
    int bits = oi_limbs_bits(magnitude);
    int drop = bits - 53;
    uint64_t fraction = 0;
    uint64_t raw;
    double value;

    if (drop <= 0) {
        fraction = magnitude->at[0] << -drop;
    } else {
        bool half = magnitude->at[(drop - 1) / 64] >> ((drop - 1) % 64) & 1;
        bool below = is_inexact;

        for (int i = 0; i < drop - 1 && !below; i++)
            below = magnitude->at[i / 64] >> (i % 64) & 1;
        for (int i = 0; i < 53; i++)
            fraction |= (magnitude->at[(drop + i) / 64] >> ((drop + i) % 64) & 1) << i;
        if (half && (below || (fraction & 1)))
            fraction++;
    }
    if (fraction >> 53) {
        fraction >>= 1;
        bits++;
    }
    raw = (uint64_t) (bits + shift - 1 + 1023) << 52 | (fraction & ~((uint64_t) 1 << 52));
    memcpy(&value, &raw, sizeof(value));
    return value;
}

double
oi_decimal_to_double(const struct oi_decimal *value)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    struct oi_decimal_parts parts;
    double result;

    if (oi_decimal_is_none(value) || oi_decimal_is_zero(value))
        return 0;
    /* Both operands exact, so the one operation rounds once. */
    if (value->form == OI_DECIMAL_PLAIN && oi_decimal_magnitude(value->mantissa) >> 53 == 0 &&
        value->exponent >= -22 && value->exponent <= 22) {
        double mantissa = (double) value->mantissa;

        return value->exponent < 0 ? mantissa / powers[-value->exponent]
                                   : mantissa * powers[value->exponent];
    }
    parts = oi_decimal_take_apart(value);
    if (value->exponent >= 0) {
        oi_assert(oi_limbs_scale(&parts.magnitude, value->exponent));
        result = round_to_double(&parts.magnitude, 0, false);
    } else {
        struct oi_limbs divisor = oi_limbs_from(1);
        struct oi_limbs remainder;
        int shift;

        oi_assert(oi_limbs_scale(&divisor, -value->exponent));
        shift = QUOTIENT_BITS + oi_limbs_bits(&divisor) - oi_limbs_bits(&parts.magnitude);
        shift = shift < 0 ? 0 : shift;
        oi_limbs_shift_left(&parts.magnitude, shift);
        remainder = oi_limbs_divide(&parts.magnitude, &divisor);
        result = round_to_double(&parts.magnitude, -shift, remainder.count > 0);
    }
    return parts.is_negative ? -result : result;
}

/* Through text: statistics are few, and glibc's digits are exact, ties to even. */
struct oi_decimal
oi_decimal_from_double_digits(double value, int digits)
{
    struct oi_decimal result = {};
    char text[OI_DECIMAL_DIGITS_MAX + 16];
    int size;

    oi_assert(digits >= 1 && digits <= OI_DECIMAL_DIGITS_MAX);
    if (!isfinite(value))
        return result;
    size = snprintf(text, sizeof(text), "%.*e", digits - 1, value);
    oi_assert(size > 0 && (size_t) size < sizeof(text));
    if (oi_decimal_parse((struct oi_slice){ text, (size_t) size }, &result, NULL) != OI_OK)
        return fabs(value) < 1 ? oi_decimal_from(0, 0) : result;
    return result;
}

struct oi_decimal
oi_decimal_from_double(double value)
{
    struct oi_decimal result = {};

    /* Whatever 15 digits can say, they say shortest; 17 always read back. */
    for (int digits = 15; digits <= 17; digits++) {
        result = oi_decimal_from_double_digits(value, digits);
        /* `isless` and its kin keep -Wfloat-equal content: equal means neither is less. */
        if (!islessgreater(oi_decimal_to_double(&result), value))
            break;
    }
    return result;
}
