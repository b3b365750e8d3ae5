/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a block as text, by a list of cells made once a block: what stands before a value, where
 * its column is, what stands there instead where there is none. A row is then copies of constant
 * text and digits straight from the columns, behind one check for room. Every dialect that answers
 * with many rows writes them so; what JSON, CSV or a vendor's quotes look like is in the texts.
 */
#pragma once

#include "base/buffer.h"
#include "core/columns.h"
#include "dialects/text.h"

#include <stddef.h>
#include <stdint.h>

#define OI_ROW_CELLS_MAX 16

enum oi_row_cell_kind {
    OI_ROW_TIMES,       /* of a column, with `digits` of a fraction */
    OI_ROW_SHORT_TIMES, /* with 0, 3, 6 or 9 */
    OI_ROW_COLUMN,      /* a column of decimals */
    OI_ROW_DECIMALS,    /* decimals that are members of structs */
    OI_ROW_COUNTS,      /* uint32_t that are members of structs */
    OI_ROW_FLAGS,       /* uint16_t of a column */
    OI_ROW_TRUTHS,      /* bool that are members of structs: true or false */
    OI_ROW_SECONDS,     /* since 1970, of times that are members of structs; the fraction is added
                           behind `fraction` where there is one */
};

/* A cell as its writer describes it; texts are copied, columns are borrowed. */
struct oi_row_cell {
    enum oi_row_cell_kind kind;
    const char *before;   /* a value */
    const char *none;     /* in place of all of it where there is no value */
    const char *fraction; /* SECONDS */
    char after;           /* a value; 0: nothing */
    int digits;
    const void *first;      /* of the array; NULL: no row has a value */
    const oi_time *instead; /* TIMES: where the column has none; or NULL */
    size_t stride;          /* between members of structs, and of times; 0: they are a column */
};

struct oi_row_text {
    struct oi_buffer texts; /* each with room behind it, so that copies have a fixed size */
    struct oi_row_piece {
        size_t at, size;
    } head, tail, before[OI_ROW_CELLS_MAX], none[OI_ROW_CELLS_MAX], fraction[OI_ROW_CELLS_MAX];
    struct oi_row_cell cells[OI_ROW_CELLS_MAX];
    size_t count;
    size_t room; /* that a row takes at most */
};

/* What every row begins with. Start from {}, call this first. */
void oi_row_text_begin(struct oi_row_text *text, struct oi_slice head);
void oi_row_text_add(struct oi_row_text *text, const struct oi_row_cell *cell);
/* What every row ends with; call this last. */
void oi_row_text_end(struct oi_row_text *text, const char *tail);
/* Append rows [from, to). The first one begins without `skipped` bytes of the head: its separator.
 * `times` remembers days. */
void oi_row_text_write(const struct oi_row_text *text, size_t from, size_t to, size_t skipped,
                       struct oi_time_writer *times, struct oi_buffer *out);
void oi_row_text_release(struct oi_row_text *text);
