/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Parquet file, written in memory: one row group, zstd where it saves something, times as
 * differences, repeated texts in a dictionary, other texts without what the one before them begins
 * with, the count of nulls of every column. Only what our answers need of the format (format
 * version 2.9, data page v1); read back in tests by independent readers.
 */
#pragma once

#include "base/buffer.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oi_parquet_type {
    OI_PARQUET_INT64,
    OI_PARQUET_DOUBLE,
    OI_PARQUET_STRING,              /* UTF-8 */
    OI_PARQUET_TIMESTAMP_MICROS,    /* not adjusted to UTC: a naive wall clock in UTC */
    OI_PARQUET_TIMESTAMP_UTC_NANOS, /* adjusted to UTC */
    OI_PARQUET_BOOLEAN,
};

/* Texts one behind the other: a row's ends where the next row's begins, an absent row's is empty.
 */
struct oi_parquet_texts {
    struct oi_slice bytes;
    const int64_t *starts; /* in `bytes`, one a row, ascending */
};

/* One column, all rows of it. Arrays are borrowed until the file is written. */
struct oi_parquet_column {
    const char *name;
    enum oi_parquet_type type;
    bool is_nullable;
    const bool *present; /* NULL: every row has a value */
    union {
        const int64_t *integers; /* INT64 and timestamps, in the type's unit */
        const double *doubles;
        struct oi_parquet_texts texts;
        const bool *booleans;
    };
};

/* Append a whole file of `row_count` rows to `out`. FULL when `out` has no room for it. */
enum oi_status oi_parquet_write(const struct oi_parquet_column *columns, size_t column_count,
                                size_t row_count, struct oi_buffer *out, struct oi_error *error);
