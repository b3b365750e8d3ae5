/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames with gaps: of each block of 512 only the numbers that are not zero are packed, and a bit
 * for each row says where they belong. A figure that stands still from one reading to the next is a
 * difference of zero, which would take as many bits as those that moved.
 */
#include "base/compiler.h"
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every share of gaps */

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define MAP_SIZE (OI_BLOCK_COUNT / 8)
#define WORD_BITS 64
/* Blocks that an estimate looks at. */
#define SAMPLE_BLOCKS 3
/* One zero in so many rows begins to pay for the bits of all. */
#define ZERO_PART 16

/* A block's rows: which of them are kept, and these. */
struct kept {
    uint64_t map[OI_BLOCK_COUNT / WORD_BITS];
    size_t count;
    int64_t values[OI_BLOCK_COUNT];
};

OI_VECTORISED static size_t
count_zeros(const int64_t *values, size_t count)
{
    uint64_t zeros = 0;

    for (size_t i = 0; i < count; i++)
        zeros += values[i] == 0;
    return (size_t) zeros;
}

static void
keep(const int64_t *values, size_t count, struct kept *kept)
{
    size_t next = 0;

    memset(kept->map, 0, sizeof(kept->map));
    for (size_t i = 0; i < count; i++) {
        uint64_t is_kept = values[i] != 0;

        kept->map[i / WORD_BITS] |= is_kept << i % WORD_BITS;
        kept->values[next] = values[i]; /* written over by the next one if it is zero */
        next += is_kept;
    }
    kept->count = next;
}

static size_t
block_size(const int64_t *values, size_t count)
{
    struct kept kept;

    keep(values, count, &kept);
    return (count + 7) / 8 + 2 +
           (kept.count > 0 ? oi_frame_block_size(kept.values, kept.count) : 0);
}

size_t
oi_gaps_size(const int64_t *values, size_t count, size_t piece)
{
    size_t block_count = (count + OI_BLOCK_COUNT - 1) / OI_BLOCK_COUNT;
    size_t step = (block_count + SAMPLE_BLOCKS - 1) / SAMPLE_BLOCKS * OI_BLOCK_COUNT;
    size_t size = 0, seen = 0, zeros = 0;

    for (size_t first = 0; first < count; first += step) {
        size_t left = count - first;
        size_t taken = left < piece ? left : piece;

        zeros += count_zeros(values + first, taken);
        seen += taken;
    }
    if (zeros < seen / ZERO_PART + 1)
        return SIZE_MAX;
    for (size_t first = 0; first < count; first += step)
        size += block_size(values + first, count - first < piece ? count - first : piece);
    return 1 + size * count / seen + block_count * 2;
}

static void
encode_map(const struct kept *kept, size_t count, struct oi_buffer *out)
{
    for (size_t i = 0; i < (count + 7) / 8; i++)
        oi_buffer_add_u8(out, (uint8_t) (kept->map[i / 8] >> i % 8 * 8));
}

void
oi_gaps_encode(const int64_t *values, size_t count, struct oi_buffer *out)
{
    struct kept kept;
    int64_t base = 0;

    oi_buffer_add_u8(out, OI_ENCODING_GAPS);
    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;
        size_t taken = left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT;

        keep(values + first, taken, &kept);
        oi_buffer_add_varint(out, kept.count);
        if (kept.count == 0)
            continue;
        if (kept.count < taken)
            encode_map(&kept, taken, out);
        oi_frame_encode_block(kept.values, kept.count, &base, out);
    }
}

/* The map has exactly as many bits as there are numbers kept, none behind the last row. */
static bool
decode_map(struct oi_slice bytes, size_t count, struct kept *kept)
{
    unsigned char map[MAP_SIZE] = {};
    size_t bits = 0;

    memcpy(map, bytes.data, bytes.size);
    if (count % 8 != 0 && map[count / 8] >> count % 8 != 0)
        return false;
    for (size_t i = 0; i < OI_COUNT(kept->map); i++) {
        uint64_t word;

        memcpy(&word, map + i * sizeof(word), sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        kept->map[i] = word;
        bits += (size_t) __builtin_popcountll(word);
    }
    return bits == kept->count;
}

#if defined(__x86_64__)
/* Eight rows at a time; a row without a number reads none. */
__attribute__((target("avx512f,popcnt"))) static void
spread_in_vectors(const struct kept *kept, size_t count, int64_t *values)
{
    const int64_t *next = kept->values;

    for (size_t row = 0; row < count; row += 8) {
        unsigned bits = (unsigned) (kept->map[row / WORD_BITS] >> row % WORD_BITS) & 0xffu;
        unsigned rows = count - row < 8 ? (1u << (count - row)) - 1 : 0xffu;

        _mm512_mask_storeu_epi64(values + row, (__mmask8) rows,
                                 _mm512_maskz_expandloadu_epi64((__mmask8) bits, next));
        next += __builtin_popcount(bits);
    }
}
#endif

/* Each to its row. What is read behind the last one kept is not used. */
static void
spread(const struct kept *kept, size_t count, int64_t *values)
{
    const int64_t *next = kept->values;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        spread_in_vectors(kept, count, values);
        return;
    }
#endif
    for (size_t first = 0; first < count; first += WORD_BITS) {
        size_t left = count - first;
        size_t taken = left < WORD_BITS ? left : WORD_BITS;
        uint64_t bits = kept->map[first / WORD_BITS];

        for (size_t i = 0; i < taken; i++) {
            uint64_t bit = bits >> i & 1;

            values[first + i] = *next & (int64_t) -bit;
            next += bit;
        }
    }
}

static enum oi_status
decode_block(struct oi_cursor *cursor, size_t count, int64_t *base, int64_t *values,
             struct oi_error *error)
{
    uint64_t kept_count = oi_cursor_varint(cursor);
    struct kept kept;
    struct oi_slice map;

    if (cursor->failed || kept_count > count)
        return oi_fail(error, OI_E_CORRUPT, "a block with gaps that is not one");
    if (kept_count == 0) {
        memset(values, 0, count * sizeof(*values));
        return OI_OK;
    }
    if (kept_count == count)
        return oi_frame_decode_block(cursor, count, base, values, error);
    kept.count = (size_t) kept_count;
    map = oi_cursor_bytes(cursor, (count + 7) / 8);
    if (cursor->failed || !decode_map(map, count, &kept))
        return oi_fail(error, OI_E_CORRUPT, "a block with gaps that are not where they should be");
    OI_TRY(oi_frame_decode_block(cursor, kept.count, base, kept.values, error));
    kept.values[kept.count] = 0; /* fewer than the block has */
    spread(&kept, count, values);
    return OI_OK;
}

enum oi_status
oi_gaps_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned,
               struct oi_error *error)
{
    int64_t base = 0;

    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;

        OI_TRY(decode_block(cursor, left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT, &base,
                            values + first, error));
    }
    return OI_OK;
}
