/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the decimal module share: a decimal taken apart, and put together again. */
#pragma once

#include "core/decimal.h"
#include "core/limbs_internal.h"

/* +- magnitude x 10^exponent, not necessarily canonical. */
struct oi_decimal_parts {
    struct oi_limbs magnitude;
    int exponent;
    bool is_negative;
};

/* Of a number that is not none. */
struct oi_decimal_parts oi_decimal_take_apart(const struct oi_decimal *value);
/* To canonical form; INVALID when it has too many digits or an exponent past the limit. */
enum oi_status oi_decimal_put_together(struct oi_decimal_parts *parts, struct oi_decimal *ret_value,
                                       struct oi_error *error);
/* The same for what fits an int64. */
enum oi_status oi_decimal_put_plain(int64_t mantissa, int exponent, struct oi_decimal *ret_value,
                                    struct oi_error *error);
/* The mantissa without its sign. */
static inline uint64_t
oi_decimal_magnitude(int64_t mantissa)
{
    return mantissa < 0 ? 0 - (uint64_t) mantissa : (uint64_t) mantissa;
}

/* Decimal digits; 1 for zero. */
static inline int
oi_decimal_count_digits(uint64_t value)
{
    int digits = (64 - __builtin_clzll(value | 1)) * 1233 >> 12;

    return digits + (value >= oi_powers_of_ten[digits]) + (value == 0);
}
