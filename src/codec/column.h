/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of integers to bytes and back. The encoder looks at the data and keeps the smallest of a
 * few encodings, each marked by one type byte: constant, deltas (of deltas) divided by a power of
 * ten, multiples of a power of ten, a dictionary, and frames: blocks of 512 values packed
 * vertically (8 lanes of 64), which compilers vectorise, with patched exceptions, perhaps without
 * the zeros among them. Pure functions. docs/formats/column.md has the byte diagrams.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most values one column may claim to hold: a chunk is far smaller. */
#define OI_COLUMN_COUNT_MAX ((size_t) 1 << 20)

/* Values are encoded in blocks of so many: decoding only the first n blocks of a longer column
 * yields its first values. The size is then not the column's, and what follows it not found. */
#define OI_COLUMN_BLOCK ((size_t) 512)

/* Append `count` values. Exact for every input. */
void oi_column_encode(const int64_t *values, size_t count, struct oi_buffer *out);

/* How a column was encoded last: a guess at what suits the next one of the same series. All zeros:
 * nothing is known yet. Private, but for copying. */
struct oi_column_habit {
    uint8_t shape;
    bool is_known, has_gaps;
    uint8_t turns;   /* columns since all were tried */
    uint32_t weight; /* bits of a thousand values */
};
/* The same without trying everything each time: again when the column came out larger than the
 * habit is, and at every eighth. */
void oi_column_encode_like(const int64_t *values, size_t count, struct oi_column_habit *habit,
                           struct oi_buffer *out);
/* The same bytes' meaning at a fraction of the time: constants, multiples and frames without a
 * trial of what else might be smaller. For what is soon written anew. */
void oi_column_encode_quickly(const int64_t *values, size_t count, struct oi_buffer *out);
/* Decode exactly `count` values from the front of `bytes` and say how many bytes they took. CORRUPT
 * on anything that is not a column; never reads past the end of `bytes`, never writes past `count`,
 * allocates nothing. After a failure `ret_values` holds anything. */
enum oi_status oi_column_decode(struct oi_slice bytes, size_t count, int64_t *ret_values,
                                size_t *ret_size, struct oi_error *error);
