/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a chunk: columns of decimals, and the prediction of a venue's USD figure. */
#pragma once

#include "base/buffer.h"
#include "base/status.h"
#include "core/columns.h"
#include "store/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a column of decimals is laid out; on disk. */
enum oi_chunk_form {
    OI_CHUNK_FORM_COMMON = 0, /* one exponent for all rows */
    OI_CHUNK_FORM_SPARSE = 1, /* one exponent for all rows that have a number */
    OI_CHUNK_FORM_ROWS = 2,   /* each row its own exponent, wide values apart */
};
/* Beside COMMON or SPARSE: what is stored is the distance from a prediction. */
#define OI_CHUNK_PREDICTED 0x10u

/* A column of decimals in one of these forms. Rows without a number hold a mantissa all the same:
 * the one before, which costs least. */
struct oi_chunk_decimals {
    bool is_there; /* some row has a number */
    uint8_t form;  /* enum oi_chunk_form */
    int32_t exponent;
    int64_t *mantissas;
    int8_t *exponents; /* filled unless COMMON */
    const struct oi_decimal *wides;
    size_t wide_first, wide_count; /* decoding: which of the chunk's wides */
    struct oi_column_habit *habit; /* encoding: of its mantissas */
};

/*
 * chunk_decimals.c
 */

/* Bring a column into the form that costs least; `decimals` has room for `count` rows. */
void oi_chunk_decimals_take(const struct oi_decimals *column, size_t count,
                            struct oi_chunk_decimals *decimals);
/* The form and what comes before the mantissas. `scratch` has room for `count`. */
void oi_chunk_decimals_encode_head(const struct oi_chunk_decimals *decimals, size_t count,
                                   unsigned flags, int64_t *scratch, struct oi_buffer *out);
void oi_chunk_decimals_encode(const struct oi_chunk_decimals *decimals, size_t count,
                              int64_t *scratch, struct oi_buffer *out);
/* Read what the two above wrote, up to the mantissas; then the mantissas. */
enum oi_status oi_chunk_decimals_decode_head(struct oi_cursor *cursor, size_t count,
                                             struct oi_chunk_decimals *decimals,
                                             unsigned *ret_flags, int64_t *scratch,
                                             struct oi_error *error);
enum oi_status oi_chunk_decimals_decode(struct oi_cursor *cursor, struct oi_chunk *chunk,
                                        struct oi_chunk_decimals *decimals, struct oi_error *error);
/* Once the mantissas are there: is each a decimal? */
enum oi_status oi_chunk_decimals_check(const struct oi_chunk_decimals *decimals, size_t count,
                                       struct oi_error *error);
/* One column of exactly `count` values from the cursor. */
enum oi_status oi_chunk_column_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                                      struct oi_error *error);

/*
 * chunk_value.c: value_usd is open interest, mostly times the mark price, times the contract's
 * multiplier, but for some rounding. What is stored is then the rounding.
 */

/* The column if that is smaller than `plain_size` bytes, appended to `out`; false otherwise. */
bool oi_chunk_value_encode(const struct oi_chunk_decimals *value,
                           const struct oi_chunk_decimals *open_interest,
                           const struct oi_chunk_decimals *mark_price, size_t count,
                           int64_t *scratch, size_t plain_size, struct oi_buffer *out);
/* What follows the head of a column with OI_CHUNK_PREDICTED; from the first row that is wanted. */
enum oi_status oi_chunk_value_decode(struct oi_cursor *cursor, const struct oi_chunk *chunk,
                                     const struct oi_chunk_decimals *open_interest,
                                     const struct oi_chunk_decimals *mark_price, int64_t *values,
                                     struct oi_error *error);
