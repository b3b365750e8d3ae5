/* SPDX-License-Identifier: Apache-2.0 */
/* Multiples of a power of ten on top of one rest: delays in whole milliseconds, round lots. */
#include "base/compiler.h"
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every width and encoding */

/* Below this no difference of two values overflows. */
#define VALUE_MAX (INT64_C(1) << 62)

OI_VECTORISED static bool
all_are_small(const int64_t *values, size_t count)
{
    int64_t low = values[0], high = values[0];

    for (size_t i = 1; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    return low >= -VALUE_MAX && high <= VALUE_MAX;
}

OI_VECTORISED static void
divide_all(const int64_t *values, size_t count, int64_t rest, unsigned power, int64_t *multiples)
{
    const struct oi_power by = oi_power_of(power);

    for (size_t i = 0; i < count; i++)
        multiples[i] = oi_power_divide(&by, values[i] - rest);
}

OI_VECTORISED static uint64_t
any_bits_of_differences(const int64_t *values, size_t count)
{
    uint64_t any = 0;

    for (size_t i = 0; i < count; i++)
        any |= (uint64_t) values[i] - (uint64_t) values[0];
    return any;
}

unsigned
oi_multiple_power(const int64_t *values, size_t count)
{
    struct oi_power power = oi_power_of(oi_power_limit(any_bits_of_differences(values, count)));

    for (size_t i = 1; i < count && power.power > 0; i++) {
        int64_t difference = oi_wrap_subtract(values[i], values[0]);

        while (power.power > 0 && !oi_power_divides(&power, difference))
            power = oi_power_of(power.power - 1);
    }
    return power.power;
}

bool
oi_multiple_take(const int64_t *values, size_t count, unsigned power, int64_t *ret_multiples,
                 int64_t *ret_rest)
{
    int64_t factor = oi_column_powers[power];
    int64_t rest = values[0] % factor;

    if (!all_are_small(values, count))
        return false;
    if (rest < 0)
        rest += factor;
    divide_all(values, count, rest, power, ret_multiples);
    *ret_rest = rest;
    return true;
}

void
oi_multiple_encode_head(int64_t rest, unsigned power, struct oi_buffer *out)
{
    oi_buffer_add_u8(out, OI_ENCODING_MULTIPLE);
    oi_buffer_add_u8(out, (uint8_t) power);
    oi_buffer_add_varint(out, oi_zigzag(rest));
}

OI_VECTORISED static void
multiply_all(int64_t *values, size_t count, int64_t rest, int64_t factor)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t) ((uint64_t) values[i] * (uint64_t) factor + (uint64_t) rest);
}

enum oi_status
oi_multiple_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned depth,
                   struct oi_error *error)
{
    uint8_t power = oi_cursor_u8(cursor);
    int64_t rest = oi_unzigzag(oi_cursor_varint(cursor));

    if (cursor->failed || power > OI_POWER_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a column of multiples that is not one");
    OI_TRY(oi_column_decode_nested(cursor, count, values, depth, error));
    multiply_all(values, count, rest, oi_column_powers[power]);
    return OI_OK;
}
