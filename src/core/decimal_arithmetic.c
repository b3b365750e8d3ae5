/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums, products, quotients and roundings of decimals, exact or refused. Each takes the int64 way
 * where both operands and the result fit, and the wide way otherwise.
 */
#include "core/decimal.h"
#include "core/decimal_internal.h"

__extension__ typedef unsigned __int128 double_limb;

static bool
both_plain(const struct oi_decimal *a, const struct oi_decimal *b)
{
    return a->form == OI_DECIMAL_PLAIN && b->form == OI_DECIMAL_PLAIN;
}

/* mantissa x 10^power, false where that is past an int64. */
static bool
scale_plain(int64_t *mantissa, int power)
{
    return power <= 18 &&
           !__builtin_mul_overflow(*mantissa, (int64_t) oi_powers_of_ten[power], mantissa);
}

static bool
add_plain(const struct oi_decimal *a, const struct oi_decimal *b, bool subtract, int64_t *ret_sum,
          int *ret_exponent)
{
    int64_t left = a->mantissa;
    int64_t right = b->mantissa;

    if (a->exponent > b->exponent) {
        if (!scale_plain(&left, a->exponent - b->exponent))
            return false;
        *ret_exponent = b->exponent;
    } else {
        if (!scale_plain(&right, b->exponent - a->exponent))
            return false;
        *ret_exponent = a->exponent;
    }
    if (subtract)
        return !__builtin_sub_overflow(left, right, ret_sum);
    return !__builtin_add_overflow(left, right, ret_sum);
}

static enum oi_status
add_parts(struct oi_decimal_parts *a, struct oi_decimal_parts *b, struct oi_decimal *ret_sum,
          struct oi_error *error)
{
    struct oi_decimal_parts *high = a->exponent >= b->exponent ? a : b;
    struct oi_decimal_parts *low = high == a ? b : a;
    int power = high->exponent - low->exponent;

    /* A zero has exponent 0 and says nothing of digits. */
    if (high->magnitude.count == 0)
        return oi_decimal_put_together(low, ret_sum, error);
    if (low->magnitude.count == 0)
        return oi_decimal_put_together(high, ret_sum, error);
    /* The last digit of the lower number is not zero and stays: with 66 digits above it no
     * difference is short enough. */
    if (power + oi_limbs_digits(&high->magnitude) > OI_DECIMAL_DIGITS_MAX + 1 ||
        !oi_limbs_scale(&high->magnitude, power))
        return oi_fail(error, OI_E_INVALID, "a sum of more than 64 significant digits");
    high->exponent = low->exponent;
    if (high->is_negative == low->is_negative) {
        oi_limbs_add(&high->magnitude, &low->magnitude);
        return oi_decimal_put_together(high, ret_sum, error);
    }
    if (oi_limbs_compare(&high->magnitude, &low->magnitude) >= 0) {
        oi_limbs_subtract(&high->magnitude, &low->magnitude);
        return oi_decimal_put_together(high, ret_sum, error);
    }
    oi_limbs_subtract(&low->magnitude, &high->magnitude);
    return oi_decimal_put_together(low, ret_sum, error);
}

static enum oi_status
add_signed(const struct oi_decimal *a, const struct oi_decimal *b, bool subtract,
           struct oi_decimal *ret_sum, struct oi_error *error)
{
    struct oi_decimal_parts left, right;
    int64_t sum;
    int exponent;

    if (oi_decimal_is_none(a) || oi_decimal_is_none(b)) {
        *ret_sum = (struct oi_decimal){};
        return OI_OK;
    }
    if (both_plain(a, b) && add_plain(a, b, subtract, &sum, &exponent))
        return oi_decimal_put_plain(sum, exponent, ret_sum, error);
    left = oi_decimal_take_apart(a);
    right = oi_decimal_take_apart(b);
    right.is_negative ^= subtract;
    return add_parts(&left, &right, ret_sum, error);
}

enum oi_status
oi_decimal_add(const struct oi_decimal *a, const struct oi_decimal *b, struct oi_decimal *ret_sum,
               struct oi_error *error)
{
    return add_signed(a, b, false, ret_sum, error);
}

enum oi_status
oi_decimal_subtract(const struct oi_decimal *a, const struct oi_decimal *b,
                    struct oi_decimal *ret_difference, struct oi_error *error)
{
    return add_signed(a, b, true, ret_difference, error);
}

enum oi_status
oi_decimal_multiply(const struct oi_decimal *a, const struct oi_decimal *b,
                    struct oi_decimal *ret_product, struct oi_error *error)
{
    struct oi_decimal_parts left, right;
    int64_t product;

    if (oi_decimal_is_none(a) || oi_decimal_is_none(b)) {
        *ret_product = (struct oi_decimal){};
        return OI_OK;
    }
    if (both_plain(a, b) && !__builtin_mul_overflow(a->mantissa, b->mantissa, &product))
        return oi_decimal_put_plain(product, a->exponent + b->exponent, ret_product, error);
    left = oi_decimal_take_apart(a);
    right = oi_decimal_take_apart(b);
    left.magnitude = oi_limbs_multiply(&left.magnitude, &right.magnitude);
    left.exponent += right.exponent;
    left.is_negative ^= right.is_negative;
    return oi_decimal_put_together(&left, ret_product, error);
}

enum oi_status
oi_decimal_halve(const struct oi_decimal *a, struct oi_decimal *ret_half, struct oi_error *error)
{
    struct oi_decimal five_tenths = { .mantissa = 5, .exponent = -1, .form = OI_DECIMAL_PLAIN };

    if (a->form == OI_DECIMAL_PLAIN && a->mantissa % 2 == 0)
        return oi_decimal_put_plain(a->mantissa / 2, a->exponent, ret_half, error);
    return oi_decimal_multiply(a, &five_tenths, ret_half, error);
}

/* Should a quotient go up? `twice_versus_whole` orders the remainder's double against the divisor.
 */
static bool
goes_up(int twice_versus_whole, bool is_odd, bool half_up)
{
    return twice_versus_whole > 0 || (twice_versus_whole == 0 && (half_up || is_odd));
}

/* Both operands and the scaled numerator fit 128 bits: 18 + 19 digits. */
static enum oi_status
divide_plain(const struct oi_decimal *a, const struct oi_decimal *b, int digits,
             struct oi_decimal *ret_quotient, struct oi_error *error)
{
    uint64_t numerator = oi_decimal_magnitude(a->mantissa);
    uint64_t divisor = oi_decimal_magnitude(b->mantissa);
    int power = digits - oi_decimal_count_digits(numerator) + oi_decimal_count_digits(divisor);
    double_limb scaled = numerator;
    double_limb by = divisor;
    double_limb quotient, remainder;
    bool is_negative = (a->mantissa < 0) != (b->mantissa < 0);
    int exponent = a->exponent - b->exponent - power;

    for (int left = power, step; left > 0; left -= step) {
        step = left < 19 ? left : 19;
        scaled *= oi_powers_of_ten[step];
    }
    if (power < 0)
        by *= oi_powers_of_ten[-power];
    quotient = scaled / by;
    if (quotient >= oi_powers_of_ten[digits]) {
        /* One digit too many: divide again, so that there is one rounding only. */
        by *= 10;
        exponent++;
        quotient = scaled / by;
    }
    remainder = scaled - quotient * by;
    if (goes_up((remainder > by - remainder) - (remainder < by - remainder), quotient & 1, false))
        quotient++;
    return oi_decimal_put_plain(is_negative ? -(int64_t) quotient : (int64_t) quotient, exponent,
                                ret_quotient, error);
}

/* The magnitude divided by `divisor`, rounded; `half_up` is away from zero. */
static void
divide_rounded(struct oi_limbs *magnitude, const struct oi_limbs *divisor, bool half_up)
{
    struct oi_limbs remainder = oi_limbs_divide(magnitude, divisor);
    struct oi_limbs rest = *divisor;
    bool is_odd = magnitude->count > 0 && (magnitude->at[0] & 1);

    oi_limbs_subtract(&rest, &remainder);
    if (goes_up(oi_limbs_compare(&remainder, &rest), is_odd, half_up)) {
        struct oi_limbs one = oi_limbs_from(1);

        oi_limbs_add(magnitude, &one);
    }
}

enum oi_status
oi_decimal_divide_half_even(const struct oi_decimal *a, const struct oi_decimal *b, int digits,
                            struct oi_decimal *ret_quotient, struct oi_error *error)
{
    struct oi_decimal_parts left, right;
    struct oi_limbs quotient;
    int power;

    oi_assert(digits >= 1 && digits <= OI_DECIMAL_DIGITS_MAX);
    if (oi_decimal_is_none(a) || oi_decimal_is_none(b) || oi_decimal_is_zero(b)) {
        *ret_quotient = (struct oi_decimal){};
        return OI_OK;
    }
    if (oi_decimal_is_zero(a)) {
        *ret_quotient = oi_decimal_from(0, 0);
        return OI_OK;
    }
    if (both_plain(a, b) && digits <= 18)
        return divide_plain(a, b, digits, ret_quotient, error);
    left = oi_decimal_take_apart(a);
    right = oi_decimal_take_apart(b);
    /* So many digits that the quotient has `digits` or one more; at most 128 in all. */
    power = digits - oi_limbs_digits(&left.magnitude) + oi_limbs_digits(&right.magnitude);
    if (power > 0)
        oi_assert(oi_limbs_scale(&left.magnitude, power));
    else
        oi_assert(oi_limbs_scale(&right.magnitude, -power));
    left.exponent -= right.exponent + power;
    left.is_negative ^= right.is_negative;
    quotient = left.magnitude;
    (void) oi_limbs_divide(&quotient, &right.magnitude);
    if (oi_limbs_digits(&quotient) > digits) {
        oi_assert(oi_limbs_multiply_small(&right.magnitude, 10, 0));
        left.exponent++;
    }
    divide_rounded(&left.magnitude, &right.magnitude, false);
    return oi_decimal_put_together(&left, ret_quotient, error);
}

static enum oi_status
round_to(const struct oi_decimal *a, int places, bool half_up, struct oi_decimal *ret_rounded,
         struct oi_error *error)
{
    int64_t dropped = -(int64_t) places - a->exponent;
    struct oi_decimal_parts parts;
    struct oi_limbs divisor = oi_limbs_from(1);

    if (oi_decimal_is_none(a) || oi_decimal_is_zero(a) || dropped <= 0) {
        *ret_rounded = *a;
        return OI_OK;
    }
    /* Past all digits and one more nothing is left, not even a half. */
    if (dropped > oi_decimal_digits(a)) {
        *ret_rounded = oi_decimal_from(0, 0);
        return OI_OK;
    }
    if (a->form == OI_DECIMAL_PLAIN && dropped <= 18) {
        int64_t whole = (int64_t) oi_powers_of_ten[dropped];
        int64_t kept = a->mantissa / whole;
        int64_t rest = a->mantissa % whole;

        rest = rest < 0 ? -rest : rest;
        if (goes_up((rest > whole - rest) - (rest < whole - rest), kept & 1, half_up))
            kept += a->mantissa < 0 ? -1 : 1;
        return oi_decimal_put_plain(kept, a->exponent + (int) dropped, ret_rounded, error);
    }
    parts = oi_decimal_take_apart(a);
    oi_assert(oi_limbs_scale(&divisor, (int) dropped));
    divide_rounded(&parts.magnitude, &divisor, half_up);
    parts.exponent += (int) dropped;
    return oi_decimal_put_together(&parts, ret_rounded, error);
}

enum oi_status
oi_decimal_round_half_even(const struct oi_decimal *a, int places, struct oi_decimal *ret_rounded,
                           struct oi_error *error)
{
    return round_to(a, places, false, ret_rounded, error);
}

enum oi_status
oi_decimal_round_half_up(const struct oi_decimal *a, int places, struct oi_decimal *ret_rounded,
                         struct oi_error *error)
{
    return round_to(a, places, true, ret_rounded, error);
}
