/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClickHouse's Native format: blocks of columns, as they are sent with an INSERT and come back from
 * a SELECT. Whole numbers and strings alone, which is all that our tables hold. Pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/vector.h"

#include <stddef.h>
#include <stdint.h>

#define OI_NATIVE_COLUMNS_MAX 80

enum oi_native_type {
    OI_NATIVE_UINT8,
    OI_NATIVE_UINT16,
    OI_NATIVE_UINT32,
    OI_NATIVE_UINT64,
    OI_NATIVE_INT8,
    OI_NATIVE_INT16,
    OI_NATIVE_INT32,
    OI_NATIVE_INT64,
    OI_NATIVE_STRING,
};

struct oi_native_column {
    struct oi_slice name;
    enum oi_native_type type;
    const char *values;       /* numbers, little-endian, not aligned; of the body's bytes */
    struct oi_slice *strings; /* of strings; of the block's memory */
};

struct oi_native_block {
    size_t rows, column_count;
    struct oi_native_column columns[OI_NATIVE_COLUMNS_MAX];
};

/* The next block of a body: *rest moves behind it. NOT_FOUND at the end of the body; UPSTREAM when
 * the bytes are no block, or half of one. Borrowed from the body, and released. */
enum oi_status oi_native_next(struct oi_slice *rest, struct oi_native_block *ret_block,
                              struct oi_error *error);
void oi_native_block_release(struct oi_native_block *block);
/* One value of a column of numbers, whatever its width. */
int64_t oi_native_int(const struct oi_native_column *column, size_t row);
/* The column of that name and kind (a number of any width, or a string), or UPSTREAM. */
enum oi_status oi_native_find(const struct oi_native_block *block, const char *name, bool is_string,
                              const struct oi_native_column **ret_column, struct oi_error *error);

/* Begin a block of so many rows and columns; then each column's head and its values, in order. */
void oi_native_begin(struct oi_buffer *out, size_t columns, size_t rows);
void oi_native_head(struct oi_buffer *out, const char *name, enum oi_native_type type);
void oi_native_text(struct oi_buffer *out, struct oi_slice text);
