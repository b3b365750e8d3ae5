/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times are a grid, so their differences pack to almost nothing; names of markets and feeds repeat,
 * so a dictionary has them once. A figure begins as the one before it did: what is left of it is
 * nearly noise, so the little there is to find costs zstd a third of the time.
 */
#include "lake/parquet_encode.h"

#include "base/alloc.h"
#include "base/compiler.h"

#include <string.h>

/* The format allows multiples of 128 and of 32; everybody writes these. */
#define BLOCK_COUNT 128
#define MINIBLOCK_COUNT 32
#define MINIBLOCKS (BLOCK_COUNT / MINIBLOCK_COUNT)

static bool
is_present(const struct oi_parquet_column *column, size_t row)
{
    return !column->present || column->present[row];
}

/* A row's text. */
static inline struct oi_slice
text_at(const struct oi_parquet_column *column, size_t row, size_t row_count)
{
    const struct oi_parquet_texts *texts = &column->texts;
    size_t from = (size_t) texts->starts[row];
    size_t to = row + 1 < row_count ? (size_t) texts->starts[row + 1] : texts->bytes.size;

    /* No text at all may be nowhere. */
    return (struct oi_slice){ texts->bytes.data ? texts->bytes.data + from : "", to - from };
}

/* Eight numbers of up to eight bits are one word: as most are. */
static void
add_narrow_bits(const uint64_t *values, size_t groups, unsigned width, struct oi_buffer *out)
{
    char *at = oi_buffer_reserve(out, groups * width + sizeof(uint64_t));

    if (!at)
        return;
    for (size_t group = 0; group < groups; group++, values += 8, at += width) {
        uint64_t word = values[0] | values[1] << width | values[2] << 2 * width |
                        values[3] << 3 * width | values[4] << 4 * width | values[5] << 5 * width |
                        values[6] << 6 * width | values[7] << 7 * width;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        memcpy(at, &word, sizeof(word));
    }
    out->size += groups * width;
}

/* Numbers of `width` bits, the first in the lowest bits of the first byte. */
static void
add_bits(const uint64_t *values, size_t count, unsigned width, struct oi_buffer *out)
{
    uint64_t word = 0;
    unsigned used = 0;

    if (width <= 8 && count % 8 == 0) {
        add_narrow_bits(values, count / 8, width, out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        word |= values[i] << used;
        if (used + width < 64) {
            used += width;
            continue;
        }
        oi_buffer_add_u64(out, word);
        word = used > 0 ? values[i] >> (64 - used) : 0;
        used = used + width - 64;
    }
    for (; used > 0; used = used > 8 ? used - 8 : 0, word >>= 8)
        oi_buffer_add_u8(out, (uint8_t) word);
}

static void
add_signed(struct oi_buffer *out, int64_t value)
{
    oi_buffer_add_varint(out, (uint64_t) value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static unsigned
width_of(uint64_t all)
{
    return all == 0 ? 0 : 64 - (unsigned) __builtin_clzll(all);
}

/* What is packed of a block: differences from the least one, the rest of the last miniblock 0. */
struct block {
    uint64_t differences[BLOCK_COUNT];
    int64_t least;
    uint64_t bits[MINIBLOCKS]; /* that any of a miniblock has */
};

/* `count` differences of one value more; arithmetic wraps, as the format says. */
OI_VECTORISED static void
parquet_take_block(const int64_t *values, size_t count, struct block *block)
{
    int64_t least = INT64_MAX;

    memset(block->differences, 0, sizeof(block->differences));
    for (size_t i = 0; i < count; i++)
        block->differences[i] = (uint64_t) values[i + 1] - (uint64_t) values[i];
    for (size_t i = 0; i < count; i++)
        least = (int64_t) block->differences[i] < least ? (int64_t) block->differences[i] : least;
    for (size_t i = 0; i < count; i++)
        block->differences[i] -= (uint64_t) least;
    for (size_t m = 0; m < MINIBLOCKS; m++) {
        uint64_t bits = 0;

        for (size_t i = 0; i < MINIBLOCK_COUNT; i++)
            bits |= block->differences[m * MINIBLOCK_COUNT + i];
        block->bits[m] = bits;
    }
    block->least = least;
}

/* The same of short numbers, twice as many of which fit a vector. */
OI_VECTORISED static void
parquet_take_lengths(const int32_t *lengths, size_t count, struct block *block)
{
    int32_t differences[BLOCK_COUNT] = {}, least = INT32_MAX;

    for (size_t i = 0; i < count; i++)
        differences[i] = lengths[i + 1] - lengths[i];
    for (size_t i = 0; i < count; i++)
        least = differences[i] < least ? differences[i] : least;
    for (size_t i = 0; i < count; i++)
        differences[i] -= least;
    for (size_t m = 0; m < MINIBLOCKS; m++) {
        uint32_t bits = 0;

        for (size_t i = 0; i < MINIBLOCK_COUNT; i++)
            bits |= (uint32_t) differences[m * MINIBLOCK_COUNT + i];
        block->bits[m] = bits;
    }
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        block->differences[i] = (uint32_t) differences[i];
    block->least = least;
}

static void
add_block(const struct block *block, struct oi_buffer *page)
{
    add_signed(page, block->least);
    for (size_t i = 0; i < MINIBLOCKS; i++)
        oi_buffer_add_u8(page, (uint8_t) width_of(block->bits[i]));
    for (size_t i = 0; i < MINIBLOCKS; i++)
        if (block->bits[i] > 0)
            add_bits(block->differences + i * MINIBLOCK_COUNT, MINIBLOCK_COUNT,
                     width_of(block->bits[i]), page);
}

static void
add_packed_head(size_t count, int64_t first, struct oi_buffer *page)
{
    oi_buffer_add_varint(page, BLOCK_COUNT);
    oi_buffer_add_varint(page, MINIBLOCKS);
    oi_buffer_add_varint(page, count);
    add_signed(page, first);
}

static void
add_packed_differences(const int64_t *values, size_t count, struct oi_buffer *page)
{
    struct block block;

    add_packed_head(count, count > 0 ? values[0] : 0, page);
    for (size_t at = 0; at + 1 < count; at += BLOCK_COUNT) {
        parquet_take_block(values + at, count - 1 - at < BLOCK_COUNT ? count - 1 - at : BLOCK_COUNT,
                           &block);
        add_block(&block, page);
    }
}

void
parquet_add_differences(const struct oi_parquet_column *column, size_t row_count,
                        struct oi_buffer *page)
{
    int64_t *values;
    size_t count = 0;

    if (!column->present) {
        add_packed_differences(column->integers, row_count, page);
        return;
    }
    values = oi_alloc((row_count + 1) * sizeof(*values));
    for (size_t row = 0; row < row_count; row++)
        if (is_present(column, row))
            values[count++] = column->integers[row];
    add_packed_differences(values, count, page);
    oi_free(values);
}

/* The same of short numbers. */
static void
add_packed_lengths(const int32_t *lengths, size_t count, struct oi_buffer *page)
{
    struct block block;

    add_packed_head(count, count > 0 ? lengths[0] : 0, page);
    for (size_t at = 0; at + 1 < count; at += BLOCK_COUNT) {
        parquet_take_lengths(lengths + at,
                             count - 1 - at < BLOCK_COUNT ? count - 1 - at : BLOCK_COUNT, &block);
        add_block(&block, page);
    }
}

/* Bytes that both begin with. */
static inline size_t
same_prefix(struct oi_slice a, struct oi_slice b)
{
    size_t size = a.size < b.size ? a.size : b.size, same = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; same + sizeof(uint64_t) <= size; same += sizeof(uint64_t)) {
        uint64_t left, right;

        memcpy(&left, a.data + same, sizeof(left));
        memcpy(&right, b.data + same, sizeof(right));
        if (left != right)
            return same + (size_t) __builtin_ctzll(left ^ right) / 8;
    }
#endif
    while (same < size && a.data[same] == b.data[same])
        same++;
    return same;
}

/* The same where eight bytes can be read of either, whatever follows them: figures that walk differ
 * among those, at places that cannot be guessed. */
static inline size_t
same_prefix_of_figures(struct oi_slice a, struct oi_slice b)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    size_t size = a.size < b.size ? a.size : b.size, same;
    uint64_t left, right;

    memcpy(&left, a.data, sizeof(left));
    memcpy(&right, b.data, sizeof(right));
    if (left != right) {
        same = (size_t) __builtin_ctzll(left ^ right) / 8;
        return same < size ? same : size;
    }
#endif
    return same_prefix(a, b);
}

/* What is new in a text is copied in a fixed size, as long as so much stands there. */
#define COPY_SIZE 16

/* Append what is new in each text to `fresh`; of each, how much was there before and how much is
 * new. Returns how many there are. */
static size_t
take_suffixes(const struct oi_parquet_column *column, size_t row_count, int32_t *prefixes,
              int32_t *sizes, struct oi_buffer *fresh)
{
    struct oi_slice before = { "", 0 };
    char *at = oi_buffer_reserve(fresh, column->texts.bytes.size + COPY_SIZE);
    size_t count = 0;

    for (size_t row = 0; at && row < row_count; row++) {
        struct oi_slice text = text_at(column, row, row_count);
        size_t left = column->texts.bytes.size - (size_t) column->texts.starts[row];
        bool is_far = left >= 2 * COPY_SIZE && count > 0;
        size_t same, size;

        if (!is_present(column, row))
            continue;
        same = is_far ? same_prefix_of_figures(before, text) : same_prefix(before, text);
        size = text.size - same;
        if (is_far && size <= COPY_SIZE && same <= COPY_SIZE)
            memcpy(at, text.data + same, COPY_SIZE);
        else
            memcpy(at, text.data + same, size);
        at += size;
        prefixes[count] = (int32_t) same;
        sizes[count++] = (int32_t) size;
        before = text;
    }
    fresh->size = at ? (size_t) (at - fresh->data) : 0;
    return count;
}

void
parquet_add_suffixes(const struct oi_parquet_column *column, size_t row_count,
                     struct oi_buffer *page)
{
    int32_t *prefixes = oi_alloc((row_count + 1) * 2 * sizeof(*prefixes));
    int32_t *sizes = prefixes + row_count + 1;
    struct oi_buffer fresh = {};
    size_t count = take_suffixes(column, row_count, prefixes, sizes, &fresh);

    add_packed_lengths(prefixes, count, page);
    add_packed_lengths(sizes, count, page);
    oi_buffer_add_slice(page, oi_buffer_slice(&fresh));
    page->overflowed |= fresh.overflowed;
    oi_buffer_release(&fresh);
    oi_free(prefixes);
}

/* Where a text stands in the dictionary, or is put; the maximum when there is no room. */
static size_t
find_or_add(struct parquet_dictionary *dictionary, uint16_t slots[2 * PARQUET_DICTIONARY_MAX],
            struct oi_slice text)
{
    size_t at;

    for (at = oi_slice_hash(text) % (2 * PARQUET_DICTIONARY_MAX); slots[at] > 0;
         at = (at + 1) % (2 * PARQUET_DICTIONARY_MAX))
        if (oi_slice_equal(dictionary->texts[slots[at] - 1], text))
            return slots[at] - 1u;
    if (dictionary->text_count == PARQUET_DICTIONARY_MAX)
        return PARQUET_DICTIONARY_MAX;
    dictionary->texts[dictionary->text_count] = text;
    slots[at] = (uint16_t) ++dictionary->text_count;
    return dictionary->text_count - 1;
}

/* Is it one text in all rows? Then all are like those a row behind them. */
static bool
is_one_text(const struct oi_parquet_column *column, size_t row_count)
{
    const struct oi_parquet_texts *texts = &column->texts;
    struct oi_slice first = text_at(column, 0, row_count);
    uint64_t other = 0;

    if (column->present || texts->bytes.size - (size_t) texts->starts[0] != first.size * row_count)
        return false;
    for (size_t row = 1; row < row_count; row++)
        other |= (uint64_t) (texts->starts[row] - texts->starts[row - 1]) ^ first.size;
    return other == 0 &&
           memcmp(first.data, first.data + first.size, first.size * (row_count - 1)) == 0;
}

bool
parquet_dictionary_fill(struct parquet_dictionary *dictionary,
                        const struct oi_parquet_column *column, size_t row_count)
{
    uint16_t slots[2 * PARQUET_DICTIONARY_MAX] = {}; /* places in `texts`, from 1 */
    size_t last = PARQUET_DICTIONARY_MAX;

    *dictionary = (struct parquet_dictionary){ .indices = oi_alloc(row_count + 1) };
    if (row_count > 1 && is_one_text(column, row_count)) {
        dictionary->texts[0] = text_at(column, 0, row_count);
        dictionary->text_count = 1;
        dictionary->count = row_count;
        memset(dictionary->indices, 0, row_count);
        return true;
    }
    for (size_t row = 0; row < row_count; row++) {
        struct oi_slice text = text_at(column, row, row_count);

        if (!is_present(column, row))
            continue;
        if (last == PARQUET_DICTIONARY_MAX || !oi_slice_equal(dictionary->texts[last], text))
            last = find_or_add(dictionary, slots, text);
        if (last == PARQUET_DICTIONARY_MAX) {
            parquet_dictionary_release(dictionary);
            return false;
        }
        dictionary->indices[dictionary->count++] = (uint8_t) last;
    }
    return true;
}

void
parquet_dictionary_release(struct parquet_dictionary *dictionary)
{
    oi_free(dictionary->indices);
    *dictionary = (struct parquet_dictionary){};
}

static void
add_text(struct oi_slice text, struct oi_buffer *page)
{
    oi_buffer_add_u32(page, (uint32_t) text.size);
    oi_buffer_add_slice(page, text);
}

void
parquet_add_texts(const struct parquet_dictionary *dictionary, struct oi_buffer *page)
{
    for (size_t i = 0; i < dictionary->text_count; i++)
        add_text(dictionary->texts[i], page);
}

/* One run of all of them, eight at a time, for want of runs of equal ones. */
static void
add_packed(const struct parquet_dictionary *dictionary, unsigned width, struct oi_buffer *page)
{
    size_t groups = (dictionary->count + 7) / 8;

    oi_buffer_add_varint(page, (uint64_t) groups << 1 | 1);
    for (size_t group = 0; group < groups; group++) {
        uint64_t eight[8] = {};

        for (size_t i = 0; i < 8 && group * 8 + i < dictionary->count; i++)
            eight[i] = dictionary->indices[group * 8 + i];
        add_bits(eight, 8, width, page);
    }
}

void
parquet_add_indices(const struct parquet_dictionary *dictionary, struct oi_buffer *page)
{
    unsigned width = 1; /* none would do for a single text, but not every reader knows */
    size_t run_count = 0;

    while ((size_t) 1 << width < dictionary->text_count)
        width++;
    for (size_t i = 0; i < dictionary->count && dictionary->text_count > 1; i++)
        run_count += i == 0 || dictionary->indices[i] != dictionary->indices[i - 1];
    oi_buffer_add_u8(page, (uint8_t) width);
    if (run_count * 3 > dictionary->count * width / 8) {
        add_packed(dictionary, width, page);
        return;
    }
    for (size_t from = 0, to; from < dictionary->count; from = to) {
        to = dictionary->text_count > 1 ? from + 1 : dictionary->count;
        while (to < dictionary->count && dictionary->indices[to] == dictionary->indices[from])
            to++;
        oi_buffer_add_varint(page, (uint64_t) (to - from) << 1);
        oi_buffer_add_u8(page, dictionary->indices[from]);
    }
}

static void
add_booleans(const struct oi_parquet_column *column, size_t row_count, struct oi_buffer *page)
{
    uint8_t byte = 0;
    unsigned bit = 0;

    for (size_t row = 0; row < row_count; row++) {
        if (!is_present(column, row))
            continue;
        byte = (uint8_t) (byte | (unsigned) column->booleans[row] << bit);
        if (++bit == 8) {
            oi_buffer_add_u8(page, byte);
            byte = 0;
            bit = 0;
        }
    }
    if (bit > 0)
        oi_buffer_add_u8(page, byte);
}

static void
add_doubles(const struct oi_parquet_column *column, size_t row_count, struct oi_buffer *page)
{
    char *start = oi_buffer_reserve(page, row_count * sizeof(uint64_t)), *at = start;

    if (!start)
        return;
    /* Absent ones are written too, and the next one over them: no branch to guess. */
    for (size_t row = 0; row < row_count; row++) {
        uint64_t bits;

        memcpy(&bits, &column->doubles[row], sizeof(bits));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        bits = __builtin_bswap64(bits);
#endif
        memcpy(at, &bits, sizeof(bits));
        at += is_present(column, row) ? sizeof(bits) : 0;
    }
    page->size += (size_t) (at - start);
}

void
parquet_add_plain(const struct oi_parquet_column *column, size_t row_count, struct oi_buffer *page)
{
    switch (column->type) {
    case OI_PARQUET_BOOLEAN:
        add_booleans(column, row_count, page);
        return;
    case OI_PARQUET_DOUBLE:
        add_doubles(column, row_count, page);
        return;
    case OI_PARQUET_STRING:
        for (size_t row = 0; row < row_count; row++)
            if (is_present(column, row))
                add_text(text_at(column, row, row_count), page);
        return;
    case OI_PARQUET_INT64:
    case OI_PARQUET_TIMESTAMP_MICROS:
    case OI_PARQUET_TIMESTAMP_UTC_NANOS:
        for (size_t row = 0; row < row_count; row++)
            if (is_present(column, row))
                oi_buffer_add_u64(page, (uint64_t) column->integers[row]);
        return;
    }
}

/* The first row behind `row` that is there when it is not, or not when it is. */
static size_t
run_end(const struct oi_parquet_column *column, size_t row, size_t row_count)
{
    const bool *present = column->present;
    const void *found;

    if (!present)
        return row_count;
    found = memchr(present + row, !present[row], row_count - row);
    return found ? (size_t) ((const bool *) found - present) : row_count;
}

void
parquet_add_levels(const struct oi_parquet_column *column, size_t row_count, struct oi_buffer *page)
{
    struct oi_buffer levels = {};

    for (size_t row = 0, end; row < row_count; row = end) {
        bool level = is_present(column, row);

        end = run_end(column, row, row_count);
        oi_buffer_add_varint(&levels, (uint64_t) (end - row) << 1);
        oi_buffer_add_u8(&levels, level);
    }
    oi_buffer_add_u32(page, (uint32_t) levels.size);
    oi_buffer_add_slice(page, oi_buffer_slice(&levels));
    oi_buffer_release(&levels);
}
