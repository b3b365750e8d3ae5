/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in memory: what the log holds of one series until a checkpoint moves it into chunks, and
 * what a merge of the two works on. 88 bytes a row instead of an observation's 272, because almost
 * every figure is a 64-bit mantissa and an exponent; the rare wide one stands beside.
 */
#pragma once

#include "base/vector.h"
#include "core/columns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* open_interest, value_usd, mark_price, index_price, last_price, in this order. */
#define OI_FIGURE_COUNT 5

struct oi_record {
    oi_time time, exchange_time, known_time;
    uint64_t batch;
    int64_t mantissas[OI_FIGURE_COUNT]; /* or an index into the set's `wides` */
    int8_t exponents[OI_FIGURE_COUNT];  /* or OI_EXPONENT_NONE, OI_EXPONENT_WIDE */
    uint16_t flags;
};

/* Records, usually in key order: time, then known_time, then batch. {} is an empty set. */
struct oi_rows {
    struct oi_record *items;
    size_t count, capacity;
    OI_VECTOR(struct oi_decimal) wides;
};

void oi_rows_release(struct oi_rows *rows);
void oi_rows_clear(struct oi_rows *rows);
void oi_rows_reserve(struct oi_rows *rows, size_t extra);
/* Append at the end; the order is the caller's affair. */
void oi_rows_add(struct oi_rows *rows, const struct oi_observation *reading, uint64_t batch);
void oi_rows_copy(struct oi_rows *rows, const struct oi_rows *from, size_t index);
void oi_rows_add_columns(struct oi_rows *rows, const struct oi_columns *columns, size_t from,
                         size_t count);
/* What oi_rows_add does, where rows have their places already: a record is filled in, by any thread
 * its own; false where a figure is wide. Such a row's wide figures are then taken, row by row. */
bool oi_record_take(struct oi_record *record, const struct oi_observation *reading, uint64_t batch);
void oi_rows_take_wides(struct oi_rows *rows, size_t index, const struct oi_observation *reading);
/* One row as an observation. */
struct oi_observation oi_rows_get(const struct oi_rows *rows, size_t index);
struct oi_decimal oi_rows_figure(const struct oi_rows *rows, size_t index, unsigned figure);

/* Key order: <0, 0, >0. */
int oi_record_compare(const struct oi_record *a, const struct oi_record *b);
/* The first row at or after `time`. */
size_t oi_rows_find(const struct oi_rows *rows, oi_time time);
/* Leave the rows of a span alone; they are in order of time. */
void oi_rows_cut(struct oi_rows *rows, struct oi_span span);
/* Merge `more` into `rows`, both in key order. */
void oi_rows_merge(struct oi_rows *rows, const struct oi_rows *more);
/* Append `count` rows of `from`, from `first` on; the order is the caller's affair. */
void oi_rows_append(struct oi_rows *rows, const struct oi_rows *from, size_t first, size_t count);
/* Do two rows say the same: every figure equal as a number, no quality flag differs? What only says
 * how we came to know (times, batch, assumptions) does not count. */
bool oi_rows_same_reading(const struct oi_rows *a, size_t a_index, const struct oi_rows *b,
                          size_t b_index);

/* Keep of each time only the last row known by `as_of`; all of those rows with `all_revisions`. */
void oi_rows_settle(struct oi_rows *rows, oi_time as_of, bool all_revisions);

/* Arrays for a set turned into columns; reused, {} is empty. */
struct oi_rows_columns {
    struct oi_columns columns; /* valid until the next fill or release */
    int64_t *memory;
    int8_t *exponents;
    uint16_t *flags;
    size_t capacity;
};

/* Rows from `from`, `count` of them, as columns; `wanted` says which (enum oi_column). Wide figures
 * are borrowed from `rows`. */
void oi_rows_columns_fill(struct oi_rows_columns *out, const struct oi_rows *rows, size_t from,
                          size_t count, unsigned wanted);
void oi_rows_columns_release(struct oi_rows_columns *out);

/* One row as bytes, for the newest row in a series' position. */
void oi_observation_encode(const struct oi_observation *reading, struct oi_buffer *out);
/* The cursor's `failed` is set when the bytes are no row. */
struct oi_observation oi_observation_decode(struct oi_cursor *cursor);
/* One decimal, for log batches too. */
void oi_decimal_encode(const struct oi_decimal *value, struct oi_buffer *out);
struct oi_decimal oi_decimal_decode(struct oi_cursor *cursor);
