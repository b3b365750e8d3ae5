/* SPDX-License-Identifier: Apache-2.0 */
/* ClickHouse's Native format: a count of columns and of rows, then name, type and values of each.
 */
#include "clickhouse/blocks.h"

#include "base/alloc.h"

#include <string.h>

/* A block of a server has 65,536 rows; what claims more than this is none. */
#define ROWS_MAX ((uint64_t) 1 << 24)

static const struct {
    const char *name;
    uint8_t width; /* 0: strings */
    bool is_signed;
} types[] = {
    [OI_NATIVE_UINT8] = { "UInt8", 1, false },   [OI_NATIVE_UINT16] = { "UInt16", 2, false },
    [OI_NATIVE_UINT32] = { "UInt32", 4, false }, [OI_NATIVE_UINT64] = { "UInt64", 8, false },
    [OI_NATIVE_INT8] = { "Int8", 1, true },      [OI_NATIVE_INT16] = { "Int16", 2, true },
    [OI_NATIVE_INT32] = { "Int32", 4, true },    [OI_NATIVE_INT64] = { "Int64", 8, true },
    [OI_NATIVE_STRING] = { "String", 0, false },
};

static struct oi_slice
take_text(struct oi_cursor *cursor)
{
    uint64_t size = oi_cursor_varint(cursor);

    if (cursor->failed || size > oi_cursor_left(cursor)) {
        cursor->failed = true;
        return (struct oi_slice){};
    }
    return oi_cursor_bytes(cursor, (size_t) size);
}

static enum oi_status
take_column(struct oi_cursor *cursor, size_t rows, struct oi_native_column *column,
            struct oi_error *error)
{
    struct oi_slice type;
    size_t found = 0;

    column->name = take_text(cursor);
    type = take_text(cursor);
    if (cursor->failed)
        return OI_OK;
    while (found < OI_COUNT(types) && !oi_slice_is(type, types[found].name))
        found++;
    if (found == OI_COUNT(types))
        return oi_fail(error, OI_E_UPSTREAM, "ClickHouse sent a column of type %.*s",
                       (int) (type.size > 60 ? 60 : type.size), type.data);
    column->type = (enum oi_native_type) found;
    if (column->type != OI_NATIVE_STRING) {
        column->values = oi_cursor_bytes(cursor, rows * types[found].width).data;
        return OI_OK;
    }
    /* A string is a byte at least: a false count asks for no memory. */
    if (rows > oi_cursor_left(cursor)) {
        cursor->failed = true;
        return OI_OK;
    }
    column->strings = oi_alloc_zero(rows + 1, sizeof(*column->strings));
    for (size_t row = 0; row < rows && !cursor->failed; row++)
        column->strings[row] = take_text(cursor);
    return OI_OK;
}

enum oi_status
oi_native_next(struct oi_slice *rest, struct oi_native_block *ret_block, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(*rest);
    struct oi_native_block block = {};
    uint64_t columns, rows;
    enum oi_status status = OI_OK;

    if (rest->size == 0)
        return OI_E_NOT_FOUND;
    columns = oi_cursor_varint(&cursor);
    rows = oi_cursor_varint(&cursor);
    if (cursor.failed || columns > OI_NATIVE_COLUMNS_MAX || rows > ROWS_MAX)
        return oi_fail(error, OI_E_UPSTREAM, "ClickHouse sent something that is no block");
    block.rows = (size_t) rows;
    block.column_count = (size_t) columns;
    for (size_t i = 0; status == OI_OK && i < columns && !cursor.failed; i++)
        status = take_column(&cursor, block.rows, &block.columns[i], error);
    if (status == OI_OK && cursor.failed)
        status = oi_fail(error, OI_E_UPSTREAM, "ClickHouse's answer breaks off within a block");
    if (status != OI_OK) {
        oi_native_block_release(&block);
        return status;
    }
    *rest = oi_cursor_bytes(&cursor, oi_cursor_left(&cursor));
    *ret_block = block;
    return OI_OK;
}

void
oi_native_block_release(struct oi_native_block *block)
{
    for (size_t i = 0; i < block->column_count; i++)
        oi_free(block->columns[i].strings);
    *block = (struct oi_native_block){};
}

int64_t
oi_native_int(const struct oi_native_column *column, size_t row)
{
    const char *at = column->values + row * types[column->type].width;
    uint64_t wide;
    uint32_t middle;
    uint16_t narrow;

    /* Each width by itself: a copy of a size that the compiler does not know is a call. */
    switch (column->type) {
    case OI_NATIVE_INT64:
    case OI_NATIVE_UINT64:
        memcpy(&wide, at, sizeof(wide));
        return (int64_t) wide;
    case OI_NATIVE_UINT32:
    case OI_NATIVE_INT32:
        memcpy(&middle, at, sizeof(middle));
        return column->type == OI_NATIVE_INT32 ? (int32_t) middle : (int64_t) middle;
    case OI_NATIVE_UINT16:
    case OI_NATIVE_INT16:
        memcpy(&narrow, at, sizeof(narrow));
        return column->type == OI_NATIVE_INT16 ? (int16_t) narrow : (int64_t) narrow;
    case OI_NATIVE_UINT8:
        return (uint8_t) *at;
    case OI_NATIVE_INT8:
        return (int8_t) *at;
    case OI_NATIVE_STRING:
        break;
    }
    return 0;
}

enum oi_status
oi_native_find(const struct oi_native_block *block, const char *name, bool is_string,
               const struct oi_native_column **ret_column, struct oi_error *error)
{
    for (size_t i = 0; i < block->column_count; i++) {
        const struct oi_native_column *column = &block->columns[i];

        if (!oi_slice_is(column->name, name))
            continue;
        if ((column->type == OI_NATIVE_STRING) != is_string)
            break;
        *ret_column = column;
        return OI_OK;
    }
    return oi_fail(error, OI_E_UPSTREAM, "ClickHouse's answer has no column %s of the right type",
                   name);
}

void
oi_native_begin(struct oi_buffer *out, size_t columns, size_t rows)
{
    oi_buffer_add_varint(out, columns);
    oi_buffer_add_varint(out, rows);
}

void
oi_native_head(struct oi_buffer *out, const char *name, enum oi_native_type type)
{
    oi_native_text(out, oi_slice_of(name));
    oi_native_text(out, oi_slice_of(types[type].name));
}

void
oi_native_text(struct oi_buffer *out, struct oi_slice text)
{
    oi_buffer_add_varint(out, text.size);
    oi_buffer_add_slice(out, text);
}
