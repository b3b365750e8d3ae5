/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings as columns: how the store hands them out and series, dialects and Parquet take them. All
 * arrays have `count` items and are borrowed; whoever hands columns out says until when they live.
 */
#pragma once

#include "core/observation.h"

#include <stddef.h>
#include <stdint.h>

/* Special values of a row's own exponent. */
#define OI_EXPONENT_NONE INT8_MIN /* no number in this row */
#define OI_EXPONENT_SURE 45       /* up to it no mantissa leads past what a decimal may have */
#define OI_EXPONENT_WIDE (INT8_MIN + 1) /* mantissas[row] is an index into `wides` */

/*
 * A column of decimals. The usual column has one exponent for all rows and no row without a number:
 * then `exponents` is NULL and value = mantissas[row] x 10^exponent, which vectorises (mantissas
 * then are not stripped of trailing zeros, unlike single decimals). An absent column (not asked
 * for, or none in any row) has mantissas NULL: every row is none.
 */
struct oi_decimals {
    const int64_t *mantissas;
    const int8_t *exponents;        /* a row's own exponent or a special value; NULL: `exponent` */
    const struct oi_decimal *wides; /* values in wide form */
    int32_t exponent;
};

/* One row of a column as a decimal in canonical form. */
struct oi_decimal oi_decimals_get(const struct oi_decimals *column, size_t row);

/* The same, made where it is to stand: of the usual column a row is one integer. */
static inline void
oi_decimals_put(const struct oi_decimals *column, size_t row, struct oi_decimal *ret_value)
{
    int64_t mantissa = column->mantissas ? column->mantissas[row] : 0;
    int exponent = column->exponent;

    if (mantissa == 0 || column->exponents || exponent > OI_EXPONENT_SURE) {
        *ret_value = oi_decimals_get(column, row);
        return;
    }
    for (; mantissa % 10 == 0; exponent++)
        mantissa /= 10;
    *ret_value = (struct oi_decimal){ .mantissa = mantissa,
                                      .exponent = (int16_t) exponent,
                                      .form = OI_DECIMAL_PLAIN };
}

/* How a column of rows with exponents of their own tells of a value. */
static inline int8_t
oi_decimals_exponent(const struct oi_decimal *value)
{
    if (value->form == OI_DECIMAL_PLAIN)
        return (int8_t) value->exponent;
    return value->form == OI_DECIMAL_NONE ? OI_EXPONENT_NONE : OI_EXPONENT_WIDE;
}

/* The column from row `from` on, borrowed like the whole. */
struct oi_decimals oi_decimals_from_row(const struct oi_decimals *column, size_t from);

/* A bit of each that some number needs, the one of its sign apart: below 2^n where all are from
 * -2^n to 2^n - 1. */
uint64_t oi_mantissas_bits(const int64_t *mantissas, size_t count);

/* Which columns a scan decodes; time is always there. */
enum oi_column {
    OI_COLUMN_EXCHANGE_TIME = 1 << 0,
    OI_COLUMN_KNOWN_TIME = 1 << 1,
    OI_COLUMN_BATCH = 1 << 2,
    OI_COLUMN_OPEN_INTEREST = 1 << 3,
    OI_COLUMN_VALUE_USD = 1 << 4,
    OI_COLUMN_MARK_PRICE = 1 << 5,
    OI_COLUMN_INDEX_PRICE = 1 << 6,
    OI_COLUMN_LAST_PRICE = 1 << 7,
    OI_COLUMN_FLAGS = 1 << 8,
    OI_COLUMNS_ALL = (1 << 9) - 1,
};

struct oi_columns {
    size_t count;
    const oi_time *time;          /* ascending, unique unless revisions were asked for */
    const oi_time *exchange_time; /* OI_TIME_NONE where the venue gave none; NULL: not asked for */
    const oi_time *known_time;
    const uint64_t *batch;
    struct oi_decimals open_interest;
    struct oi_decimals value_usd;
    struct oi_decimals mark_price;
    struct oi_decimals index_price;
    struct oi_decimals last_price;
    const uint16_t *flags;
};

/* The first of ascending times that is at or behind `time`; `count` where there is none. */
size_t oi_times_find(const oi_time *times, size_t count, oi_time time);

/* One row as an observation (columns that were not asked for are none). */
struct oi_observation oi_columns_get(const struct oi_columns *columns, size_t row);

/* Rows [from, to), borrowed like the whole. */
struct oi_columns oi_columns_slice(const struct oi_columns *columns, size_t from, size_t to);
