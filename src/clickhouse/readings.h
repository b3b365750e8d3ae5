/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings as blocks of the table `readings` and back: a figure is a mantissa and an exponent, so
 * that every digit survives; what a mantissa cannot hold stands as text in `wides`. Pure.
 */
#pragma once

#include "clickhouse/blocks.h"
#include "store/batch.h"
#include "store/store.h"

/* The names of a row's figures, in the order of oi_record. */
extern const char *const oi_reading_figures[OI_FIGURE_COUNT];

/* Rows of a set, `count` of them from `from` on. */
struct oi_readings_part {
    const struct oi_batch_rows *rows;
    size_t from, count;
    const struct oi_series *series; /* instrument and feed of each of these rows */
    uint64_t batch;
};

/* They as one block. Columns in which no row has anything but what the table gives by itself are
 * left out: which ones are there goes into `columns`, as a list for the INSERT. */
void oi_readings_encode(const struct oi_readings_part *part, struct oi_buffer *columns,
                        struct oi_buffer *out);

/* Beside enum oi_column: no row has a wide figure. */
#define OI_READINGS_NO_WIDES (1u << 31)

/* The list of columns to select for these (enum oi_column), appended; always with key and batch,
 * and with instrument and feed if asked for. */
void oi_readings_select(unsigned columns, bool with_series, struct oi_buffer *out);

/* Rows of an answer, in its order, appended; a row that is there twice because an insert was
 * repeated comes once. `pairs` (NULL: none were selected) gets instrument and feed of each;
 * *ret_seen (may be NULL) counts the repeated ones too. */
struct oi_reading_pairs {
    OI_VECTOR(struct oi_series) items;
};
/* Into key order, one series' rows as they came from several parts; repeated ones come once. */
void oi_readings_sort(struct oi_rows *rows);
enum oi_status oi_readings_decode(struct oi_slice body, unsigned columns, struct oi_rows *rows,
                                  struct oi_reading_pairs *pairs, size_t *ret_seen,
                                  struct oi_error *error);
/* The same of the next block of an answer, which is cut off; NOT_FOUND at its end. */
enum oi_status oi_readings_decode_block(struct oi_slice *body, unsigned columns,
                                        struct oi_rows *rows, struct oi_reading_pairs *pairs,
                                        struct oi_error *error);
