/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of decimals. One exponent for all rows wherever the mantissas then still fit: it makes
 * the smallest columns and the fastest readers. Else each row keeps its own, and what is wide even
 * so stands behind, in full.
 */
#include "base/alloc.h"
#include "base/compiler.h"
#include "codec/column.h"
#include "store/chunk_internal.h"

#include <string.h>

/* no unit test: the chunk's tests are about this */

const int64_t oi_chunk_powers[OI_CHUNK_POWER_MAX + 1] = {
    1,
    10,
    100,
    1'000,
    10'000,
    100'000,
    1'000'000,
    10'000'000,
    100'000'000,
    1'000'000'000,
    10'000'000'000,
    100'000'000'000,
    1'000'000'000'000,
    10'000'000'000'000,
    100'000'000'000'000,
    1'000'000'000'000'000,
    10'000'000'000'000'000,
    100'000'000'000'000'000,
    1'000'000'000'000'000'000,
};

/*
 * Taking a column.
 */

OI_VECTORISED static uint64_t
any_bits_of_mantissas(const int64_t *values, size_t count)
{
    uint64_t any = 0;

    for (size_t i = 0; i < count; i++)
        any |= (uint64_t) values[i];
    return any;
}

/* Each divided by 10^power, up to the first one that cannot be; where that is, or `count`. */
static size_t
divide_mantissas(const int64_t *from, size_t count, int power, int64_t *to)
{
    const int64_t divisor = oi_chunk_powers[power];

    for (size_t i = 0; i < count; i++) {
        to[i] = from[i] / divisor;
        if (to[i] * divisor != from[i])
            return i;
    }
    return count;
}

/* All rows share the exponent already: take the zeros off that all of them end in. */
static void
take_common(const struct oi_decimals *column, size_t count, struct oi_chunk_decimals *decimals)
{
    uint64_t any = any_bits_of_mantissas(column->mantissas, count);
    int power = OI_CHUNK_POWER_MAX;

    /* 10^n is a multiple of 2^n: the last bits tell of most columns that nothing can be taken. */
    if (any != 0 && __builtin_ctzll(any) < OI_CHUNK_POWER_MAX)
        power = __builtin_ctzll(any);
    decimals->is_there = true;
    decimals->form = OI_CHUNK_FORM_COMMON;
    while (power > 0) {
        size_t odd = divide_mantissas(column->mantissas, count, power, decimals->mantissas);

        if (odd == count)
            break;
        while (power > 0 && column->mantissas[odd] % oi_chunk_powers[power] != 0)
            power--;
    }
    decimals->exponent = any == 0 ? 0 : column->exponent + power;
    if (power == 0)
        memcpy(decimals->mantissas, column->mantissas, count * sizeof(*decimals->mantissas));
}

static bool
is_special(int8_t exponent)
{
    return exponent == OI_EXPONENT_NONE || exponent == OI_EXPONENT_WIDE;
}

/* What take_rows finds. */
struct kinds {
    size_t none_count;
    int smallest; /* exponent of a row with a number that is not zero; 0: there is none */
};

/* Each row by itself, without trailing zeros. */
static struct kinds
take_rows(const struct oi_decimals *column, size_t count, struct oi_chunk_decimals *decimals)
{
    size_t none_count = 0, wide_count = 0;
    int smallest = INT8_MAX;

    for (size_t i = 0; i < count; i++) {
        int64_t mantissa = column->mantissas[i];
        int exponent = column->exponents[i];

        if (is_special((int8_t) exponent)) {
            none_count += exponent == OI_EXPONENT_NONE;
            wide_count += exponent == OI_EXPONENT_WIDE;
        } else if (mantissa == 0) {
            exponent = 0;
        } else {
            for (; mantissa % 10 == 0; mantissa /= 10)
                exponent++;
            smallest = exponent < smallest ? exponent : smallest;
        }
        decimals->mantissas[i] = mantissa;
        decimals->exponents[i] = (int8_t) exponent;
    }
    decimals->wide_count = wide_count;
    return (struct kinds){ none_count, smallest == INT8_MAX ? 0 : smallest };
}

/* Give all plain rows the smallest exponent among them; false, with some of them changed, when a
 * mantissa does not fit then. */
static bool
unite(struct oi_chunk_decimals *decimals, size_t count, int smallest)
{
    for (size_t i = 0; i < count; i++) {
        int64_t *mantissa = &decimals->mantissas[i];
        int power = decimals->exponents[i] - smallest;

        if (is_special(decimals->exponents[i]))
            continue;
        decimals->exponents[i] = (int8_t) smallest;
        if (*mantissa == 0 || power == 0)
            continue;
        if (power > OI_CHUNK_POWER_MAX ||
            __builtin_mul_overflow(*mantissa, oi_chunk_powers[power], mantissa))
            return false;
    }
    decimals->exponent = smallest;
    return true;
}

/* Rows whose mantissa means nothing repeat the one before, the first ones the one after. */
static void
fill(struct oi_chunk_decimals *decimals, size_t count)
{
    int64_t before = 0;

    for (size_t i = count; i-- > 0;) {
        if (!is_special(decimals->exponents[i]))
            before = decimals->mantissas[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (is_special(decimals->exponents[i]))
            decimals->mantissas[i] = before;
        before = decimals->mantissas[i];
    }
}

/* The wide values in the order of their rows. */
static void
collect_wides(const struct oi_decimals *column, size_t count, struct oi_decimal *wides)
{
    for (size_t i = 0; i < count; i++) {
        if (column->exponents[i] == OI_EXPONENT_WIDE)
            *wides++ = column->wides[column->mantissas[i]];
    }
}

void
oi_chunk_decimals_take(const struct oi_decimals *column, size_t count,
                       struct oi_chunk_decimals *decimals)
{
    struct kinds kinds;
    bool is_united;

    decimals->is_there = false;
    decimals->wide_count = 0;
    decimals->wides = NULL;
    if (!column->mantissas)
        return;
    if (!column->exponents) {
        take_common(column, count, decimals);
        return;
    }
    kinds = take_rows(column, count, decimals);
    if (kinds.none_count == count)
        return;
    decimals->is_there = true;
    is_united = unite(decimals, count, kinds.smallest);
    if (!is_united)
        kinds = take_rows(column, count, decimals); /* as they were */
    if (decimals->wide_count > 0) {
        struct oi_decimal *wides = oi_alloc(decimals->wide_count * sizeof(*wides));

        collect_wides(column, count, wides);
        decimals->wides = wides;
    }
    if (kinds.none_count + decimals->wide_count > 0)
        fill(decimals, count);
    decimals->form = OI_CHUNK_FORM_ROWS;
    if (is_united && decimals->wide_count == 0)
        decimals->form = kinds.none_count == 0 ? OI_CHUNK_FORM_COMMON : OI_CHUNK_FORM_SPARSE;
}

/*
 * Writing.
 */

void
oi_chunk_decimals_encode_head(const struct oi_chunk_decimals *decimals, size_t count,
                              unsigned flags, int64_t *scratch, struct oi_buffer *out)
{
    oi_buffer_add_u8(out, (uint8_t) (decimals->form | flags));
    if (decimals->form != OI_CHUNK_FORM_ROWS)
        oi_buffer_add_u8(out, (uint8_t) decimals->exponent);
    if (decimals->form == OI_CHUNK_FORM_COMMON)
        return;
    for (size_t i = 0; i < count; i++)
        scratch[i] = decimals->form == OI_CHUNK_FORM_SPARSE
                         ? decimals->exponents[i] != OI_EXPONENT_NONE
                         : decimals->exponents[i];
    oi_column_encode(scratch, count, out);
}

static void
encode_wide(const struct oi_decimal *wide, struct oi_buffer *out)
{
    unsigned limbs = OI_COUNT(wide->limbs);

    while (limbs > 1 && wide->limbs[limbs - 1] == 0)
        limbs--;
    oi_buffer_add_u8(out, (uint8_t) (limbs | (wide->is_negative ? 0x80u : 0)));
    oi_buffer_add_u8(out, (uint8_t) wide->exponent);
    for (unsigned i = 0; i < limbs; i++)
        oi_buffer_add_u64(out, wide->limbs[i]);
}

void
oi_chunk_decimals_encode(const struct oi_chunk_decimals *decimals, size_t count, int64_t *scratch,
                         struct oi_buffer *out)
{
    oi_chunk_decimals_encode_head(decimals, count, 0, scratch, out);
    oi_column_encode_like(decimals->mantissas, count, decimals->habit, out);
    for (size_t i = 0; i < decimals->wide_count; i++)
        encode_wide(&decimals->wides[i], out);
}

/*
 * Reading.
 */

enum oi_status
oi_chunk_column_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                       struct oi_error *error)
{
    struct oi_slice rest = { (const char *) cursor->at, oi_cursor_left(cursor) };
    size_t size = 0;

    OI_TRY(oi_column_decode(rest, count, values, &size, error));
    (void) oi_cursor_bytes(cursor, size);
    return OI_OK;
}

static bool
is_exponent(int64_t exponent)
{
    return exponent >= -OI_DECIMAL_EXPONENT_MAX && exponent <= OI_DECIMAL_EXPONENT_MAX;
}

/* One exponent for the rows that have a number. */
static enum oi_status
read_presence(const struct oi_chunk_decimals *decimals, size_t count, const int64_t *presence,
              struct oi_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t) presence[i] > 1)
            return oi_fail(error, OI_E_CORRUPT, "a row that is neither there nor not");
        decimals->exponents[i] = (int8_t) (presence[i] ? decimals->exponent : OI_EXPONENT_NONE);
    }
    return OI_OK;
}

static enum oi_status
read_exponents(struct oi_chunk_decimals *decimals, size_t count, const int64_t *exponents,
               struct oi_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (exponents[i] == OI_EXPONENT_WIDE)
            decimals->wide_count++;
        else if (exponents[i] != OI_EXPONENT_NONE && !is_exponent(exponents[i]))
            return oi_fail(error, OI_E_CORRUPT, "an exponent that no decimal has");
        decimals->exponents[i] = (int8_t) exponents[i];
    }
    return OI_OK;
}

enum oi_status
oi_chunk_decimals_decode_head(struct oi_cursor *cursor, size_t count,
                              struct oi_chunk_decimals *decimals, unsigned *ret_flags,
                              int64_t *scratch, struct oi_error *error)
{
    uint8_t head = oi_cursor_u8(cursor);

    decimals->form = head & 0x0f;
    decimals->exponent = 0;
    decimals->wide_count = 0;
    if (decimals->form > OI_CHUNK_FORM_ROWS)
        return oi_fail(error, OI_E_CORRUPT, "decimals of an unknown form");
    if (decimals->form != OI_CHUNK_FORM_ROWS)
        decimals->exponent = (int8_t) oi_cursor_u8(cursor);
    if (cursor->failed || !is_exponent(decimals->exponent))
        return oi_fail(error, OI_E_CORRUPT, "an exponent that no decimal has");
    *ret_flags = head & 0xf0u;
    if (decimals->form == OI_CHUNK_FORM_COMMON)
        return OI_OK;
    OI_TRY(oi_chunk_column_decode(cursor, count, scratch, error));
    if (decimals->form == OI_CHUNK_FORM_SPARSE)
        return read_presence(decimals, count, scratch, error);
    return read_exponents(decimals, count, scratch, error);
}

static enum oi_status
decode_wide(struct oi_cursor *cursor, struct oi_decimal *wide, struct oi_error *error)
{
    uint8_t head = oi_cursor_u8(cursor);
    int8_t exponent = (int8_t) oi_cursor_u8(cursor);
    unsigned limbs = head & 0x7f;

    if (cursor->failed || limbs < 1 || limbs > OI_COUNT(wide->limbs) || !is_exponent(exponent))
        return oi_fail(error, OI_E_CORRUPT, "a wide number that is not one");
    memset(wide, 0, sizeof(*wide));
    wide->form = OI_DECIMAL_WIDE;
    wide->is_negative = head & 0x80;
    wide->exponent = exponent;
    for (unsigned i = 0; i < limbs; i++)
        wide->limbs[i] = oi_cursor_u64(cursor);
    /* Else it would be plain, or shorter: readers rely on the canonical form. */
    if (cursor->failed || wide->limbs[limbs - 1] == 0 || !oi_decimal_is_canonical(wide))
        return oi_fail(error, OI_E_CORRUPT, "a wide number that is not one");
    return OI_OK;
}

enum oi_status
oi_chunk_decimals_check(const struct oi_chunk_decimals *decimals, size_t count,
                        struct oi_error *error)
{
    bool is_alike = decimals->form == OI_CHUNK_FORM_COMMON;
    bool fits = true;

    if (decimals->form != OI_CHUNK_FORM_ROWS && decimals->exponent <= OI_EXPONENT_SURE)
        return OI_OK;
    for (size_t i = 0; i < count && fits; i++) {
        int exponent = is_alike ? decimals->exponent : decimals->exponents[i];

        if (exponent > OI_EXPONENT_SURE)
            fits = oi_decimal_fits(decimals->mantissas[i], exponent);
    }
    return fits ? OI_OK : oi_fail(error, OI_E_CORRUPT, "a number that no decimal has");
}

enum oi_status
oi_chunk_decimals_decode(struct oi_cursor *cursor, struct oi_chunk *chunk,
                         struct oi_chunk_decimals *decimals, struct oi_error *error)
{
    size_t count = decimals->wide_count > 0 ? chunk->header.count : chunk->decoded;
    size_t first = chunk->wide_count;
    int64_t next = 0;

    OI_TRY(oi_chunk_column_decode(cursor, count, decimals->mantissas, error));
    decimals->wide_first = first;
    if (decimals->wide_count == 0)
        return OI_OK;
    if (first + decimals->wide_count > chunk->wide_capacity) {
        chunk->wide_capacity = (first + decimals->wide_count) * 2;
        chunk->wides = oi_realloc(chunk->wides, chunk->wide_capacity, sizeof(*chunk->wides));
    }
    for (size_t i = 0; i < count; i++) {
        if (decimals->exponents[i] != OI_EXPONENT_WIDE)
            continue;
        OI_TRY(decode_wide(cursor, &chunk->wides[first + (size_t) next], error));
        decimals->mantissas[i] = next++;
    }
    chunk->wide_count += decimals->wide_count;
    return OI_OK;
}
