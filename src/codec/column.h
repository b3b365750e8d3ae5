/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of integers to bytes and back. The encoder tries a few encodings on the data and keeps
 * the smallest, marked by one type byte: constant, delta, delta of deltas by a power of ten, frame
 * of reference and zigzag with patched exceptions, dictionary. Pure functions; blocks of 512 values
 * packed vertically (8 lanes of 64), which compilers vectorise. docs/formats/column.md has the
 * byte diagrams.
 */
#pragma once

#include "base/buffer.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* The most values one column may claim to hold: a chunk is far smaller. */
#define OI_COLUMN_COUNT_MAX ((size_t) 1 << 20)

/* Append `count` values. Exact for every input. */
void oi_column_encode(const int64_t *values, size_t count, struct oi_buffer *out);
/* Decode exactly `count` values from the front of `bytes` and say how many bytes they took. CORRUPT
 * on anything that the encoder cannot have written; never reads past the end, never writes past
 * `count`. `ret_values` has room for count rounded up to a multiple of 512. */
enum oi_status oi_column_decode(struct oi_slice bytes, size_t count, int64_t *ret_values,
                                size_t *ret_size, struct oi_error *error);
