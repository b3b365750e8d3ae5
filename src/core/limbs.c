/* SPDX-License-Identifier: Apache-2.0 */
/* Unsigned integers of up to 512 bits: schoolbook, with division after Knuth's algorithm D. */
/* no unit test: internal; decimal_arithmetic_test compares every result with pencil and paper */
#include "core/limbs_internal.h"

#include "base/status.h"

#include <string.h>

__extension__ typedef unsigned __int128 double_limb;

const uint64_t oi_powers_of_ten[20] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
    10000000000000000000ULL,
};

static void
trim(struct oi_limbs *value)
{
    while (value->count > 0 && value->at[value->count - 1] == 0)
        value->count--;
}

struct oi_limbs
oi_limbs_from(uint64_t value)
{
    return (struct oi_limbs){ .at = { value }, .count = value != 0 };
}

bool
oi_limbs_multiply_small(struct oi_limbs *value, uint64_t factor, uint64_t addend)
{
    uint64_t carry = addend;

    for (int i = 0; i < value->count; i++) {
        double_limb product = (double_limb) value->at[i] * factor + carry;

        value->at[i] = (uint64_t) product;
        carry = (uint64_t) (product >> 64);
    }
    if (carry != 0) {
        if (value->count == OI_LIMBS_MAX)
            return false;
        value->at[value->count++] = carry;
    }
    trim(value);
    return true;
}

bool
oi_limbs_scale(struct oi_limbs *value, int power)
{
    for (; power > 19; power -= 19)
        if (!oi_limbs_multiply_small(value, oi_powers_of_ten[19], 0))
            return false;
    return oi_limbs_multiply_small(value, oi_powers_of_ten[power], 0);
}

uint64_t
oi_limbs_divide_small(struct oi_limbs *value, uint64_t divisor)
{
    uint64_t remainder = 0;

    for (int i = value->count - 1; i >= 0; i--) {
        double_limb part = (double_limb) remainder << 64 | value->at[i];

        value->at[i] = (uint64_t) (part / divisor);
        remainder = (uint64_t) (part % divisor);
    }
    trim(value);
    return remainder;
}

struct oi_limbs
oi_limbs_multiply(const struct oi_limbs *a, const struct oi_limbs *b)
{
    struct oi_limbs product = {};

    oi_assert(a->count <= OI_LIMBS_MAX / 2 && b->count <= OI_LIMBS_MAX / 2);
    for (int i = 0; i < a->count; i++) {
        uint64_t carry = 0;

        for (int j = 0; j < b->count; j++) {
            double_limb part = (double_limb) a->at[i] * b->at[j] + product.at[i + j] + carry;

            product.at[i + j] = (uint64_t) part;
            carry = (uint64_t) (part >> 64);
        }
        product.at[i + b->count] = carry;
    }
    product.count = a->count + b->count;
    trim(&product);
    return product;
}

void
oi_limbs_add(struct oi_limbs *value, const struct oi_limbs *other)
{
    int count = value->count > other->count ? value->count : other->count;
    uint64_t carry = 0;

    for (int i = 0; i < count; i++) {
        double_limb sum = carry;

        sum += i < value->count ? value->at[i] : 0;
        sum += i < other->count ? other->at[i] : 0;
        value->at[i] = (uint64_t) sum;
        carry = (uint64_t) (sum >> 64);
    }
    value->count = count;
    if (carry != 0) {
        oi_assert(count < OI_LIMBS_MAX);
        value->at[value->count++] = carry;
    }
}

void
oi_limbs_subtract(struct oi_limbs *value, const struct oi_limbs *other)
{
    uint64_t borrow = 0;

    for (int i = 0; i < value->count; i++) {
        double_limb take = (double_limb) (i < other->count ? other->at[i] : 0) + borrow;
        double_limb have = value->at[i];

        borrow = have < take;
        value->at[i] = (uint64_t) (have - take);
    }
    oi_assert(borrow == 0);
    trim(value);
}

void
oi_limbs_shift_left(struct oi_limbs *value, int bits)
{
    int limbs = bits / 64;
    int rest = bits % 64;

    if (value->count == 0)
        return;
    oi_assert(oi_limbs_bits(value) + bits <= 64 * OI_LIMBS_MAX);
    memmove(value->at + limbs, value->at, (size_t) value->count * sizeof(value->at[0]));
    memset(value->at, 0, (size_t) limbs * sizeof(value->at[0]));
    value->count += limbs;
    if (rest != 0) {
        uint64_t carry = value->at[value->count - 1] >> (64 - rest);

        for (int i = value->count - 1; i > 0; i--)
            value->at[i] = value->at[i] << rest | value->at[i - 1] >> (64 - rest);
        value->at[0] <<= rest;
        if (carry != 0)
            value->at[value->count++] = carry;
    }
}

/* Digits of 32 bits, so that a trial quotient fits a machine word. */
static int
split(const struct oi_limbs *value, uint32_t *halves)
{
    int count = 2 * value->count;

    for (int i = 0; i < value->count; i++) {
        halves[2 * i] = (uint32_t) value->at[i];
        halves[2 * i + 1] = (uint32_t) (value->at[i] >> 32);
    }
    if (count > 0 && halves[count - 1] == 0)
        count--;
    return count;
}

static struct oi_limbs
joined(const uint32_t *halves)
{
    struct oi_limbs value = { .count = OI_LIMBS_MAX };

    for (int i = 0; i < OI_LIMBS_MAX; i++)
        value.at[i] = (uint64_t) halves[2 * i + 1] << 32 | halves[2 * i];
    trim(&value);
    return value;
}

/* part[0..count] -= digit x divisor; true when it went below zero. */
static bool
take_multiple(uint32_t *part, const uint32_t *divisor, int count, uint64_t digit)
{
    uint64_t carry = 0;
    int64_t borrow = 0;

    for (int i = 0; i < count; i++) {
        uint64_t product = digit * divisor[i] + carry;
        int64_t difference = (int64_t) part[i] - (int64_t) (uint32_t) product + borrow;

        part[i] = (uint32_t) difference;
        borrow = difference >> 32;
        carry = product >> 32;
    }
    borrow += (int64_t) part[count] - (int64_t) carry;
    part[count] = (uint32_t) borrow;
    return borrow < 0;
}

static void
give_back(uint32_t *part, const uint32_t *divisor, int count)
{
    uint64_t carry = 0;

    for (int i = 0; i < count; i++) {
        carry += (uint64_t) part[i] + divisor[i];
        part[i] = (uint32_t) carry;
        carry >>= 32;
    }
    part[count] += (uint32_t) carry;
}

/* Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D; the divisor's top bit is set. */
static void
divide_long(uint32_t *part, int part_count, const uint32_t *divisor, int count, uint32_t *quotient)
{
    for (int j = part_count - count - 1; j >= 0; j--) {
        uint64_t top = (uint64_t) part[j + count] << 32 | part[j + count - 1];
        uint64_t digit = top / divisor[count - 1];
        uint64_t rest = top % divisor[count - 1];

        while (digit >> 32 != 0 ||
               digit * divisor[count - 2] > (rest << 32 | part[j + count - 2])) {
            digit--;
            rest += divisor[count - 1];
            if (rest >> 32 != 0)
                break;
        }
        if (take_multiple(part + j, divisor, count, digit)) {
            digit--;
            give_back(part + j, divisor, count);
        }
        quotient[j] = (uint32_t) digit;
    }
}

struct oi_limbs
oi_limbs_divide(struct oi_limbs *value, const struct oi_limbs *divisor)
{
    uint32_t part[2 * OI_LIMBS_MAX + 1] = {};
    uint32_t by[2 * OI_LIMBS_MAX] = {};
    uint32_t quotient[2 * OI_LIMBS_MAX] = {};
    struct oi_limbs remainder;
    int part_count, count, shift;

    oi_assert(divisor->count > 0);
    if (oi_limbs_compare(value, divisor) < 0) {
        remainder = *value;
        *value = (struct oi_limbs){};
        return remainder;
    }
    if (divisor->count == 1)
        return oi_limbs_from(oi_limbs_divide_small(value, divisor->at[0]));
    part_count = split(value, part);
    count = split(divisor, by);
    /* Normalise: shift both until the divisor's top bit is set. */
    shift = __builtin_clz(by[count - 1]);
    if (shift > 0) {
        for (int i = part_count; i > 0; i--)
            part[i] = part[i] << shift | part[i - 1] >> (32 - shift);
        part[0] <<= shift;
        for (int i = count - 1; i > 0; i--)
            by[i] = by[i] << shift | by[i - 1] >> (32 - shift);
        by[0] <<= shift;
    }
    divide_long(part, part_count + 1, by, count, quotient);
    *value = joined(quotient);
    if (shift > 0)
        for (int i = 0; i < count; i++)
            part[i] = part[i] >> shift | part[i + 1] << (32 - shift);
    return joined(part);
}

int
oi_limbs_compare(const struct oi_limbs *a, const struct oi_limbs *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->at[i] != b->at[i])
            return a->at[i] < b->at[i] ? -1 : 1;
    return 0;
}

int
oi_limbs_bits(const struct oi_limbs *value)
{
    if (value->count == 0)
        return 0;
    return 64 * value->count - __builtin_clzll(value->at[value->count - 1]);
}

int
oi_limbs_digits(const struct oi_limbs *value)
{
    /* bits x log10(2), rounded down: the digits, or one less. */
    int digits = oi_limbs_bits(value) * 1233 >> 12;
    struct oi_limbs power = oi_limbs_from(1);

    if (value->count == 0)
        return 1;
    if (!oi_limbs_scale(&power, digits))
        return digits; /* 10^digits is past 512 bits, so past the value */
    return digits + (oi_limbs_compare(value, &power) >= 0);
}
