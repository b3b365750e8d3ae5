/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer as a table of typed columns: what a dialect would write as text, for formats that keep
 * columns (Parquet, Arrow). Cells are added from the first column to the last, of a row or of as
 * many rows as are made at once.
 */
#pragma once

#include "base/buffer.h"
#include "base/vector.h"
#include "core/columns.h"
#include "core/time.h"

enum oi_cell {
    OI_CELL_TEXT,    /* UTF-8 */
    OI_CELL_FIGURE,  /* an exact decimal number, as its digits */
    OI_CELL_TIME,    /* nanoseconds UTC */
    OI_CELL_INTEGER, /* 64 bits */
    OI_CELL_BOOLEAN,
};

struct oi_cells_column {
    const char *name; /* static text */
    enum oi_cell type;
    OI_VECTOR(bool) present;    /* one a row */
    OI_VECTOR(int64_t) numbers; /* one a row; absent ones are 0. Text: where it begins in `bytes` */
    struct oi_buffer bytes;     /* texts and figures, one after the other */
    size_t absent;
};

#define OI_CELLS_COLUMNS_MAX 32

struct oi_cells {
    struct oi_cells_column columns[OI_CELLS_COLUMNS_MAX];
    size_t column_count;
    size_t row_count;
    size_t at;       /* the column of the next cell */
    size_t more;     /* rows that are made at once, beside the first */
    size_t expected; /* rows in all; 0: not known */
};

/* Another column, while there are no rows. */
void oi_cells_column(struct oi_cells *table, const char *name, enum oi_cell type);
void oi_cells_release(struct oi_cells *table);
/* No rows, one made at once; columns and memory stay. */
void oi_cells_clear(struct oi_cells *table);

/* About so many rows are to come in all: memory for them is asked for at once. */
void oi_cells_expect(struct oi_cells *table, size_t row_count);

/* From the next row on `count` of them, at least 1, are made at once: each cell below is of all of
 * them. */
void oi_cells_at_once(struct oi_cells *table, size_t count);
/* The next cell; its kind must fit the column. */
void oi_cells_add_none(struct oi_cells *table);
void oi_cells_add_text(struct oi_cells *table, struct oi_slice text);
void oi_cells_add_number(struct oi_cells *table, int64_t value);

/* The next cell of each of the rows made at once: as many of a column of figures; figures and times
 * that are members of structs, `stride` bytes apart. A value that is none is absent; a column NULL
 * is absent in all rows. */
void oi_cells_add_column(struct oi_cells *table, const struct oi_decimals *column);
void oi_cells_add_decimals(struct oi_cells *table, const struct oi_decimal *first, size_t stride);
void oi_cells_add_times(struct oi_cells *table, const oi_time *first, size_t stride);
/* The next cells as numbers to be written at what is returned, before anything else is added. */
[[nodiscard]] int64_t *oi_cells_add_numbers(struct oi_cells *table);

/* The text of a row of a TEXT or FIGURE column. */
struct oi_slice oi_cells_text(const struct oi_cells_column *column, size_t row);
