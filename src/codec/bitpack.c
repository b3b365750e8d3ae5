/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits to bytes. A whole block of 512 numbers is laid out vertically: number i is in lane i % 8,
 * and each lane is 64 numbers of `width` bits in `width` little-endian words, the words of the 8
 * lanes side by side. So one shift, one mask serve eight numbers, whatever the width. A shorter
 * block is packed in one row, because padding it would cost up to 511 numbers.
 */
#include "base/compiler.h"
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every width and encoding */

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LANES 8

/* A row of eight words, one of each lane; compilers cut it into the vectors they have. */
typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t))));

static inline __attribute__((always_inline)) void
swap_if_big_endian(lanes *row)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (unsigned i = 0; i < LANES; i++)
        (*row)[i] = __builtin_bswap64((*row)[i]);
#else
    (void) row;
#endif
}

static inline uint64_t
mask_of(unsigned width)
{
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static inline __attribute__((always_inline)) void
unpack_rows(const unsigned char *bytes, unsigned width, uint64_t base, bool is_both_ways,
            uint64_t *values)
{
    uint64_t mask = mask_of(width);

    for (unsigned position = 0; position < OI_BLOCK_COUNT / LANES; position++) {
        unsigned bit = position * width;
        unsigned shift = bit % 64;
        const unsigned char *at = bytes + (size_t) (bit / 64) * sizeof(lanes);
        lanes row;

        memcpy(&row, at, sizeof(row));
        swap_if_big_endian(&row);
        row >>= shift;
        if (shift > 0 && shift + width > 64) {
            lanes above;

            memcpy(&above, at + sizeof(lanes), sizeof(above));
            swap_if_big_endian(&above);
            row |= above << (64 - shift);
        }
        row &= mask;
        if (is_both_ways)
            row = row >> 1 ^ -(row & 1);
        row += base;
        memcpy(values + (size_t) position * LANES, &row, sizeof(row));
    }
}

OI_VECTORISED static void
unpack_block(const unsigned char *bytes, unsigned width, uint64_t base, bool is_both_ways,
             uint64_t *values)
{
    if (is_both_ways)
        unpack_rows(bytes, width, base, true, values);
    else
        unpack_rows(bytes, width, base, false, values);
}

OI_VECTORISED static void
repeat_base(uint64_t base, uint64_t *values)
{
    for (size_t i = 0; i < OI_BLOCK_COUNT; i++)
        values[i] = base;
}

OI_VECTORISED static void
pack_block(const uint64_t *values, unsigned width, unsigned char *out)
{
    lanes word = {};
    unsigned filled = 0;

    for (unsigned position = 0; position < OI_BLOCK_COUNT / LANES; position++) {
        lanes row;

        memcpy(&row, values + (size_t) position * LANES, sizeof(row));
        row &= mask_of(width);
        word |= row << filled;
        if (filled + width < 64) {
            filled += width;
            continue;
        }
        swap_if_big_endian(&word);
        memcpy(out, &word, sizeof(word));
        out += sizeof(word);
        filled = filled + width - 64;
        word = filled > 0 ? row >> (width - filled) : (lanes){};
    }
}

/* The first `size` bytes of a little-endian word. */
static void
store(uint64_t word, size_t size, unsigned char *out)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(out, &word, size);
}

static void
pack_row(const uint64_t *values, size_t count, unsigned width, unsigned char *out)
{
    uint64_t mask = mask_of(width);
    uint64_t word = 0;
    unsigned filled = 0; /* bits of the word; always below 64 */

    for (size_t i = 0; i < count; i++) {
        uint64_t value = values[i] & mask;

        word |= value << filled;
        if (filled + width < 64) {
            filled += width;
            continue;
        }
        store(word, sizeof(word), out);
        out += sizeof(word);
        word = filled > 0 ? value >> (64 - filled) : 0;
        filled = filled + width - 64;
    }
    store(word, (filled + 7) / 8, out);
}

static inline uint64_t
load(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, bytes, size < sizeof(word) ? size : sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#if defined(__x86_64__)
/* Numbers [0, count) of a row of which each is in the word that begins with its first byte; how
 * many were taken. */
__attribute__((target("avx512f"))) static size_t
unpack_words(const unsigned char *bytes, size_t count, unsigned width, uint64_t *values)
{
    const __m512i mask = _mm512_set1_epi64((long long) mask_of(width));
    const __m512i step = _mm512_set1_epi64((long long) (LANES * width));
    __m512i bit = _mm512_setr_epi64(0, width, 2 * width, 3 * width, 4 * width, 5 * width, 6 * width,
                                    7 * width);
    size_t i = 0;

    for (; count - i >= LANES; i += LANES) {
        __m512i words = _mm512_i64gather_epi64(_mm512_srli_epi64(bit, 3), bytes, 1);
        __m512i shift = _mm512_and_si512(bit, _mm512_set1_epi64(7));

        _mm512_storeu_si512(values + i, _mm512_and_si512(_mm512_srlv_epi64(words, shift), mask));
        bit = _mm512_add_epi64(bit, step);
    }
    return i;
}
#endif

static void
unpack_row(const unsigned char *bytes, size_t count, unsigned width, uint64_t *values)
{
    size_t size = oi_bitpack_size(count, width), i = 0;
    uint64_t mask = mask_of(width);

    /* A word from the number's first byte on holds all of it, and does not reach past the end. */
    if (width <= 57 && size >= sizeof(uint64_t)) {
        size_t whole = ((size - sizeof(uint64_t)) * 8 + 7) / width + 1;

        whole = whole < count ? whole : count;
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512f"))
            i = unpack_words(bytes, whole, width, values);
#endif
        for (; i < whole; i++) {
            size_t bit = i * width;

            values[i] = load(bytes + bit / 8, sizeof(uint64_t)) >> bit % 8 & mask;
        }
    }
    for (; i < count; i++) {
        size_t bit = i * width;
        unsigned shift = bit % 8;
        const unsigned char *at = bytes + bit / 8;
        uint64_t word = load(at, size - bit / 8) >> shift;

        if (shift > 0 && shift + width > 64)
            word |= (uint64_t) at[8] << (64 - shift);
        values[i] = word & mask;
    }
}

size_t
oi_bitpack_size(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

void
oi_bitpack(const uint64_t *values, size_t count, unsigned width, unsigned char *out)
{
    if (width == 0)
        return;
    if (count == OI_BLOCK_COUNT)
        pack_block(values, width, out);
    else
        pack_row(values, count, width, out);
}

void
oi_bitunpack(const unsigned char *bytes, size_t count, unsigned width, uint64_t *ret_values)
{
    if (width == 0)
        memset(ret_values, 0, count * sizeof(*ret_values));
    else if (count == OI_BLOCK_COUNT)
        unpack_block(bytes, width, 0, false, ret_values);
    else
        unpack_row(bytes, count, width, ret_values);
}

void
oi_bitunpack_block(const unsigned char *bytes, unsigned width, int64_t base, bool is_both_ways,
                   int64_t *ret_values)
{
    /* Signed and unsigned of one width may share memory. */
    if (width == 0)
        repeat_base((uint64_t) base, (uint64_t *) ret_values);
    else
        unpack_block(bytes, width, (uint64_t) base, is_both_ways, (uint64_t *) ret_values);
}
