/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unsigned integers of up to 512 bits, for the wide form of decimals: 64 digits need 213 bits, a
 * product of two such numbers 426. Plain schoolbook arithmetic, since few figures ever get here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OI_LIMBS_MAX 8

/* Least significant limb first; `count` limbs are in use and the top one is not 0 (0: count 0). */
struct oi_limbs {
    uint64_t at[OI_LIMBS_MAX];
    int count;
};

/* 10^0 to 10^19, all that fit a uint64. */
extern const uint64_t oi_powers_of_ten[20];

struct oi_limbs oi_limbs_from(uint64_t value);
/* value x factor + addend in place; false, and a useless value, when 512 bits do not hold it. */
bool oi_limbs_multiply_small(struct oi_limbs *value, uint64_t factor, uint64_t addend);
/* value x 10^power in place; false likewise. */
bool oi_limbs_scale(struct oi_limbs *value, int power);
/* value / divisor in place, returns the remainder; divisor > 0. */
uint64_t oi_limbs_divide_small(struct oi_limbs *value, uint64_t divisor);
/* Operands of at most 4 limbs each. */
struct oi_limbs oi_limbs_multiply(const struct oi_limbs *a, const struct oi_limbs *b);
/* The sum must fit. */
void oi_limbs_add(struct oi_limbs *value, const struct oi_limbs *other);
/* other <= value */
void oi_limbs_subtract(struct oi_limbs *value, const struct oi_limbs *other);
/* The quotient replaces value, the remainder is returned; divisor > 0. */
struct oi_limbs oi_limbs_divide(struct oi_limbs *value, const struct oi_limbs *divisor);
/* The result must fit. */
void oi_limbs_shift_left(struct oi_limbs *value, int bits);
int oi_limbs_compare(const struct oi_limbs *a, const struct oi_limbs *b);
/* Bits in use; 0 for zero. */
int oi_limbs_bits(const struct oi_limbs *value);
/* Decimal digits; 1 for zero. */
int oi_limbs_digits(const struct oi_limbs *value);
