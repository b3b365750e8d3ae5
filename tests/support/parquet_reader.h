/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small reader of Parquet files, of nothing but what the format's documents say: a footer in
 * Thrift's compact protocol, pages, levels, encodings. It asserts, and so fails a test or a fuzzer,
 * where a file is not well formed, and shares no code with the writer but the bytes' ends. Header
 * only, for programs that link one folder.
 */
#pragma once

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/compress.h"
#include "base/status.h"
#include "base/vector.h"

#include <stdint.h>
#include <string.h>

/*
 * Thrift: every leaf of a structure by the fields and places that lead to it.
 */

#define PARQUET_PATH_MAX 8

struct parquet_leaf {
    int path[PARQUET_PATH_MAX]; /* ends with -1 */
    int64_t number;             /* or the size of a list */
    struct oi_slice text;
};

struct parquet_leaves {
    OI_VECTOR(struct parquet_leaf) items;
    int path[PARQUET_PATH_MAX];
    int depth;
};

static uint64_t
parquet_varint(struct oi_cursor *cursor)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = oi_cursor_u8(cursor);

        oi_assert(!cursor->failed && (shift < 63 || byte <= 1));
        value |= (uint64_t) (byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    oi_assert(false);
    return 0;
}

static int64_t
parquet_signed(struct oi_cursor *cursor)
{
    uint64_t value = parquet_varint(cursor);

    return (int64_t) (value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

static void
parquet_add_leaf(struct parquet_leaves *leaves, int64_t number, struct oi_slice text)
{
    struct parquet_leaf leaf = { .number = number, .text = text };

    memcpy(leaf.path, leaves->path, sizeof(leaf.path));
    leaf.path[leaves->depth] = -1;
    oi_vector_push(&leaves->items, leaf);
}

static void parquet_take_struct(struct parquet_leaves *leaves, struct oi_cursor *cursor);

static void parquet_take_list(struct parquet_leaves *leaves, struct oi_cursor *cursor);

static void
parquet_take_value(struct parquet_leaves *leaves, struct oi_cursor *cursor, unsigned type)
{
    switch (type) {
    case 1: /* true and false, as fields */
    case 2:
        parquet_add_leaf(leaves, type == 1, (struct oi_slice){});
        return;
    case 5:
    case 6:
        parquet_add_leaf(leaves, parquet_signed(cursor), (struct oi_slice){});
        return;
    case 8: {
        size_t size = (size_t) parquet_varint(cursor);

        parquet_add_leaf(leaves, 0, oi_cursor_bytes(cursor, size));
        return;
    }
    case 9:
        parquet_take_list(leaves, cursor);
        return;
    case 12:
        parquet_take_struct(leaves, cursor);
        return;
    default:
        oi_assert(false);
    }
}

static void
parquet_take_list(struct parquet_leaves *leaves, struct oi_cursor *cursor)
{
    uint8_t head = oi_cursor_u8(cursor);
    size_t count = head >> 4;

    if (count == 15)
        count = (size_t) parquet_varint(cursor);
    parquet_add_leaf(leaves, (int64_t) count, (struct oi_slice){});
    oi_assert(leaves->depth + 1 < PARQUET_PATH_MAX);
    for (size_t i = 0; i < count && !cursor->failed; i++) {
        leaves->path[leaves->depth++] = (int) i;
        parquet_take_value(leaves, cursor, head & 15);
        leaves->depth--;
    }
}

static void
parquet_take_struct(struct parquet_leaves *leaves, struct oi_cursor *cursor)
{
    int field = 0;

    oi_assert(leaves->depth + 1 < PARQUET_PATH_MAX);
    for (;;) {
        uint8_t head = oi_cursor_u8(cursor);

        oi_assert(!cursor->failed);
        if (head == 0)
            break;
        field = head >> 4 ? field + (head >> 4) : (int) parquet_signed(cursor);
        leaves->path[leaves->depth++] = field;
        parquet_take_value(leaves, cursor, head & 15);
        leaves->depth--;
    }
    /* That it is there. */
    parquet_add_leaf(leaves, 1, (struct oi_slice){});
}

/* NULL: there is none. */
static const struct parquet_leaf *
parquet_leaf(const struct parquet_leaves *leaves, const int *path)
{
    for (size_t i = 0; i < leaves->items.count; i++) {
        const struct parquet_leaf *leaf = &leaves->items.items[i];
        int at = 0;

        while (leaf->path[at] >= 0 && leaf->path[at] == path[at])
            at++;
        if (leaf->path[at] == path[at])
            return leaf;
    }
    return NULL;
}

#define PARQUET_LEAF(leaves, ...) parquet_leaf((leaves), (const int[]){ __VA_ARGS__, -1 })
/* One that must be there. */
#define PARQUET_NUMBER(leaves, ...) parquet_need(PARQUET_LEAF(leaves, __VA_ARGS__))->number

static const struct parquet_leaf *
parquet_need(const struct parquet_leaf *leaf)
{
    oi_assert(leaf);
    return leaf;
}

static void
parquet_leaves_read(struct parquet_leaves *leaves, struct oi_cursor *cursor)
{
    *leaves = (struct parquet_leaves){};
    parquet_take_struct(leaves, cursor);
    oi_assert(!cursor->failed);
}

static void
parquet_leaves_release(struct parquet_leaves *leaves)
{
    oi_vector_release(&leaves->items);
}

/*
 * Encodings.
 */

struct parquet_numbers {
    OI_VECTOR(uint64_t) items;
};

/* DELTA_BINARY_PACKED. */
static void
parquet_take_differences(struct oi_cursor *cursor, struct parquet_numbers *numbers)
{
    uint64_t block = parquet_varint(cursor), miniblocks = parquet_varint(cursor);
    uint64_t count = parquet_varint(cursor), value = (uint64_t) parquet_signed(cursor), each;

    oi_assert(block > 0 && block % 128 == 0 && miniblocks > 0 && block % miniblocks == 0);
    each = block / miniblocks;
    oi_assert(each % 32 == 0);
    if (count > 0)
        oi_vector_push(&numbers->items, value);
    for (uint64_t done = 1; done < count;) {
        uint64_t least = (uint64_t) parquet_signed(cursor);
        struct oi_slice widths = oi_cursor_bytes(cursor, (size_t) miniblocks);

        oi_assert(!cursor->failed);
        for (uint64_t i = 0; i < miniblocks && done < count; i++) {
            unsigned width = (uint8_t) widths.data[i];
            struct oi_slice bits = oi_cursor_bytes(cursor, (size_t) each * width / 8);

            oi_assert(!cursor->failed && width <= 64);
            for (uint64_t j = 0; j < each && done < count; j++, done++) {
                uint64_t difference = 0;

                for (unsigned k = 0; k < width; k++) {
                    uint64_t at = j * width + k;

                    difference |= (uint64_t) ((uint8_t) bits.data[at / 8] >> at % 8 & 1) << k;
                }
                value += least + difference;
                oi_vector_push(&numbers->items, value);
            }
        }
    }
}

/* `count` numbers of runs of equal ones and of packed ones. */
static void
parquet_take_runs(struct oi_cursor *cursor, unsigned width, size_t count,
                  struct parquet_numbers *numbers)
{
    oi_assert(width >= 1 && width <= 8);
    while (numbers->items.count < count) {
        uint64_t head = parquet_varint(cursor);

        oi_assert(head > 1);
        if (head & 1) {
            struct oi_slice bits = oi_cursor_bytes(cursor, (size_t) (head >> 1) * width);

            oi_assert(!cursor->failed);
            for (size_t i = 0; i < (head >> 1) * 8 && numbers->items.count < count; i++) {
                uint64_t value = 0;

                for (unsigned k = 0; k < width; k++) {
                    size_t at = i * width + k;

                    value |= (uint64_t) ((uint8_t) bits.data[at / 8] >> at % 8 & 1) << k;
                }
                oi_vector_push(&numbers->items, value);
            }
            continue;
        }
        uint64_t value = oi_cursor_u8(cursor);

        oi_assert(!cursor->failed && numbers->items.count + (head >> 1) <= count);
        for (uint64_t i = 0; i < head >> 1; i++)
            oi_vector_push(&numbers->items, value);
    }
}

/* Texts are joined, each from starts[i] up to starts[i + 1]. */
struct parquet_texts {
    struct oi_buffer bytes;
    struct parquet_numbers starts;
};

static struct oi_slice
parquet_text(const struct parquet_texts *texts, size_t index)
{
    size_t from = (size_t) texts->starts.items.items[index];

    return (struct oi_slice){ texts->bytes.data ? texts->bytes.data + from : "",
                              (size_t) texts->starts.items.items[index + 1] - from };
}

static void
parquet_take_plain_texts(struct oi_cursor *cursor, size_t count, struct parquet_texts *texts)
{
    for (size_t i = 0; i < count; i++) {
        oi_vector_push(&texts->starts.items, texts->bytes.size);
        oi_buffer_add_slice(&texts->bytes, oi_cursor_bytes(cursor, oi_cursor_u32(cursor)));
        oi_assert(!cursor->failed);
    }
    oi_vector_push(&texts->starts.items, texts->bytes.size);
}

/* DELTA_BYTE_ARRAY. */
static void
parquet_take_suffixes(struct oi_cursor *cursor, struct parquet_texts *texts)
{
    struct parquet_numbers kept = {}, sizes = {};

    parquet_take_differences(cursor, &kept);
    parquet_take_differences(cursor, &sizes);
    oi_assert(kept.items.count == sizes.items.count);
    for (size_t i = 0; i < kept.items.count; i++) {
        size_t start = texts->bytes.size, same = (size_t) kept.items.items[i];
        size_t before = i > 0 ? (size_t) texts->starts.items.items[i - 1] : start;

        oi_assert(same <= start - before);
        oi_vector_push(&texts->starts.items, start);
        for (size_t k = 0; k < same; k++)
            oi_buffer_add_char(&texts->bytes, texts->bytes.data[before + k]);
        oi_buffer_add_slice(&texts->bytes, oi_cursor_bytes(cursor, (size_t) sizes.items.items[i]));
        oi_assert(!cursor->failed);
    }
    oi_vector_push(&texts->starts.items, texts->bytes.size);
    oi_vector_release(&kept.items);
    oi_vector_release(&sizes.items);
}

/*
 * Pages and columns.
 */

/* The bytes of a page, unpacked into `body`; the cursor is behind it afterwards. */
static void
parquet_take_page(struct oi_cursor *cursor, bool is_packed, struct parquet_leaves *header,
                  struct oi_buffer *body)
{
    struct oi_slice bytes;
    size_t size;

    parquet_leaves_read(header, cursor);
    size = (size_t) PARQUET_NUMBER(header, 2);
    bytes = oi_cursor_bytes(cursor, (size_t) PARQUET_NUMBER(header, 3));
    oi_assert(!cursor->failed);
    if (is_packed)
        oi_assert(oi_unzstd(bytes, size + 1, body, NULL) == OI_OK);
    else
        oi_buffer_add_slice(body, bytes);
    oi_assert(body->size == size);
}

/* A column as it was read: which rows have a value, and the values of these. */
struct parquet_values {
    struct parquet_numbers levels;  /* empty: all of them */
    struct parquet_numbers numbers; /* integers, doubles' bits, booleans, indices of a dictionary */
    struct parquet_texts texts;     /* of the dictionary where `has_dictionary` */
    bool has_dictionary;
};

static void
parquet_values_release(struct parquet_values *values)
{
    oi_vector_release(&values->levels.items);
    oi_vector_release(&values->numbers.items);
    oi_vector_release(&values->texts.starts.items);
    oi_buffer_release(&values->texts.bytes);
}

static void
parquet_take_plain(struct oi_cursor *cursor, int64_t type, size_t count,
                   struct parquet_values *values)
{
    uint8_t byte = 0;

    oi_assert(type == 0 || type == 2 || type == 5 || type == 6);
    if (type == 6) {
        parquet_take_plain_texts(cursor, count, &values->texts);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (type == 0 && i % 8 == 0)
            byte = oi_cursor_u8(cursor);
        oi_vector_push(&values->numbers.items,
                       type == 0 ? (uint64_t) (byte >> i % 8 & 1) : oi_cursor_u64(cursor));
    }
}

static void
parquet_take_values(struct oi_slice page, bool is_nullable, int64_t type, int64_t encoding,
                    size_t row_count, struct parquet_values *values)
{
    struct oi_cursor cursor = oi_cursor_over(page);
    size_t count = row_count;

    if (is_nullable) {
        struct oi_slice bytes = oi_cursor_bytes(&cursor, oi_cursor_u32(&cursor));
        struct oi_cursor levels = oi_cursor_over(bytes);

        parquet_take_runs(&levels, 1, row_count, &values->levels);
        oi_assert(oi_cursor_left(&levels) == 0);
        count = 0;
        for (size_t i = 0; i < row_count; i++)
            count += values->levels.items.items[i];
    }
    switch (encoding) {
    case 0:
        parquet_take_plain(&cursor, type, count, values);
        break;
    case 5:
        parquet_take_differences(&cursor, &values->numbers);
        oi_assert(type == 2 && values->numbers.items.count == count);
        break;
    case 7:
        parquet_take_suffixes(&cursor, &values->texts);
        oi_assert(type == 6 && values->texts.starts.items.count == count + 1);
        break;
    case 8:
        parquet_take_runs(&cursor, oi_cursor_u8(&cursor), count, &values->numbers);
        oi_assert(values->has_dictionary);
        break;
    default:
        oi_assert(false);
    }
    oi_assert(!cursor.failed && oi_cursor_left(&cursor) == 0);
}

/* Column `index` of the only row group; *at is where it begins, and then where it ends. */
static void
parquet_read_column(struct oi_slice file, const struct parquet_leaves *footer, int index,
                    size_t *at, struct parquet_values *values)
{
#define OF_COLUMN(...) PARQUET_NUMBER(footer, 4, 0, 1, index, 3, __VA_ARGS__)
    const struct parquet_leaf *dictionary = PARQUET_LEAF(footer, 4, 0, 1, index, 3, 11);
    size_t row_count = (size_t) OF_COLUMN(5), size = (size_t) OF_COLUMN(7);
    bool is_packed = OF_COLUMN(4) == 6;
    struct oi_cursor cursor = oi_cursor_over((struct oi_slice){ file.data + *at, size });
    struct parquet_leaves header;
    struct oi_buffer page = {};

    oi_assert(*at + size <= file.size && (is_packed || OF_COLUMN(4) == 0));
    values->has_dictionary = dictionary != NULL;
    if (dictionary) {
        struct oi_cursor texts;

        oi_assert(dictionary->number == (int64_t) *at);
        parquet_take_page(&cursor, is_packed, &header, &page);
        oi_assert(PARQUET_NUMBER(&header, 1) == 2 && PARQUET_NUMBER(&header, 7, 2) == 0);
        texts = oi_cursor_over(oi_buffer_slice(&page));
        parquet_take_plain_texts(&texts, (size_t) PARQUET_NUMBER(&header, 7, 1), &values->texts);
        oi_assert(oi_cursor_left(&texts) == 0);
        parquet_leaves_release(&header);
        oi_buffer_clear(&page);
    }
    oi_assert(OF_COLUMN(9) == (int64_t) (*at + size - oi_cursor_left(&cursor)));
    parquet_take_page(&cursor, is_packed, &header, &page);
    oi_assert(PARQUET_NUMBER(&header, 1) == 0 && PARQUET_NUMBER(&header, 5, 3) == 3);
    oi_assert(PARQUET_NUMBER(&header, 5, 1) == (int64_t) row_count);
    oi_assert(PARQUET_NUMBER(&header, 5, 2) == OF_COLUMN(2, 0));
    parquet_take_values(oi_buffer_slice(&page), PARQUET_NUMBER(footer, 2, index + 1, 3) == 1,
                        OF_COLUMN(1), PARQUET_NUMBER(&header, 5, 2), row_count, values);
    oi_assert(oi_cursor_left(&cursor) == 0);
    parquet_leaves_release(&header);
    oi_buffer_release(&page);
    *at += size;
#undef OF_COLUMN
}

/* The footer of a file, and where it begins. */
static size_t
parquet_read_footer(struct oi_slice file, struct parquet_leaves *footer)
{
    struct oi_cursor cursor;
    uint32_t size;

    oi_assert(file.size >= 12 && memcmp(file.data, "PAR1", 4) == 0 &&
              memcmp(file.data + file.size - 4, "PAR1", 4) == 0);
    cursor = oi_cursor_over((struct oi_slice){ file.data + file.size - 8, 4 });
    size = oi_cursor_u32(&cursor);
    oi_assert(size <= file.size - 12);
    cursor = oi_cursor_over((struct oi_slice){ file.data + file.size - 8 - size, size });
    parquet_leaves_read(footer, &cursor);
    oi_assert(oi_cursor_left(&cursor) == 0);
    return file.size - 8 - size;
}
