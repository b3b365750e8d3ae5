/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences of neighbours, divided by the largest power of ten that divides them all: times come
 * in whole milliseconds or minutes, and figures that wander move by little. Used twice it makes
 * deltas of deltas.
 */
#include "base/compiler.h"
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every width and encoding */

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void
oi_delta_take(const int64_t *values, size_t count, int64_t *ret_deltas)
{
    for (size_t i = 1; i < count; i++)
        ret_deltas[i] = oi_wrap_subtract(values[i], values[i - 1]);
    ret_deltas[0] = ret_deltas[1];
}

struct oi_power
oi_power_of(unsigned power)
{
    uint64_t five = (uint64_t) oi_column_powers[power] >> power;
    uint64_t inverse = five; /* right in three bits; each step of Newton's doubles them */

    for (int i = 0; i < 5; i++)
        inverse *= 2 - five * inverse;
    return (
        struct oi_power){ .power = power, .inverse = inverse, .quotient_max = UINT64_MAX / five };
}

OI_VECTORISED static uint64_t
any_bits_of_deltas(const int64_t *values, size_t count)
{
    uint64_t any = 0;

    for (size_t i = 0; i < count; i++)
        any |= (uint64_t) values[i];
    return any;
}

unsigned
oi_delta_power(const int64_t *deltas, size_t count)
{
    struct oi_power power = oi_power_of(oi_power_limit(any_bits_of_deltas(deltas, count)));

    for (size_t i = 0; i < count && power.power > 0; i++) {
        while (power.power > 0 && !oi_power_divides(&power, deltas[i]))
            power = oi_power_of(power.power - 1);
    }
    return power.power;
}

OI_VECTORISED void
oi_delta_divide(int64_t *deltas, size_t count, unsigned power)
{
    const struct oi_power by = oi_power_of(power);

    for (size_t i = 0; i < count; i++)
        deltas[i] = oi_power_divide(&by, deltas[i]);
}

void
oi_delta_encode_head(int64_t first, int64_t first_delta, unsigned power, struct oi_buffer *out)
{
    oi_buffer_add_u8(out, OI_ENCODING_DELTA);
    oi_buffer_add_u8(out, (uint8_t) power);
    oi_buffer_add_varint(out, oi_zigzag(oi_wrap_subtract(first, first_delta)));
}

#if defined(__x86_64__)
/* Eight at a time: sums of one, two, four and eight neighbours, then those before. How many were
 * done. */
__attribute__((target("avx512f,avx512dq"))) static size_t
sum_in_vectors(int64_t *values, size_t count, uint64_t *total, int64_t factor)
{
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi64(7);
    const __m512i factors = _mm512_set1_epi64(factor);
    __m512i before = _mm512_set1_epi64((long long) *total);
    size_t i = 0;

    for (; count - i >= 8; i += 8) {
        __m512i eight = _mm512_loadu_si512(values + i);

        if (factor != 1)
            eight = _mm512_mullo_epi64(eight, factors);
        eight = _mm512_add_epi64(eight, _mm512_alignr_epi64(eight, zero, 7));
        eight = _mm512_add_epi64(eight, _mm512_alignr_epi64(eight, zero, 6));
        eight = _mm512_add_epi64(eight, _mm512_alignr_epi64(eight, zero, 4));
        _mm512_storeu_si512(values + i, _mm512_add_epi64(eight, before));
        before = _mm512_add_epi64(before, _mm512_permutexvar_epi64(last, eight));
    }
    *total = (uint64_t) _mm_cvtsi128_si64(_mm512_castsi512_si128(before));
    return i;
}
#endif

static void
sum(int64_t *values, size_t count, int64_t start, int64_t factor)
{
    uint64_t total = (uint64_t) start;
    size_t i = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq"))
        i = sum_in_vectors(values, count, &total, factor);
#endif
    for (; i < count; i++) {
        total += (uint64_t) values[i] * (uint64_t) factor;
        values[i] = (int64_t) total;
    }
}

/* Equal steps: every value follows from its place, not from the one before. */
OI_VECTORISED static void
count_up(int64_t *values, size_t count, int64_t start, int64_t step)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t) ((uint64_t) start + (uint64_t) step * (uint64_t) (i + 1));
}

enum oi_status
oi_delta_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned depth,
                struct oi_error *error)
{
    uint8_t power = oi_cursor_u8(cursor);
    int64_t start = oi_unzigzag(oi_cursor_varint(cursor));

    if (cursor->failed || power > OI_POWER_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a column of deltas that is not one");
    if (depth > 0 && count > 0 && oi_cursor_left(cursor) > 0 &&
        *cursor->at == OI_ENCODING_CONSTANT) {
        int64_t step;

        OI_TRY(oi_column_decode_nested(cursor, 1, &step, depth, error));
        count_up(values, count, start,
                 (int64_t) ((uint64_t) step * (uint64_t) oi_column_powers[power]));
        return OI_OK;
    }
    OI_TRY(oi_column_decode_nested(cursor, count, values, depth, error));
    sum(values, count, start, oi_column_powers[power]);
    return OI_OK;
}
