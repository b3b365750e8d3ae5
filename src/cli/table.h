/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of cells, written for people (aligned) or programs (CSV, JSON, NDJSON). All forms come from
 * the same cells. Figures keep every digit; in JSON they are strings, since a JavaScript number is
 * not exact. Cells are added in the order of the columns.
 */
#pragma once

#include "base/status.h"
#include "cli/options.h"
#include "cli/printer.h"
#include "core/decimal.h"
#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oi_table_format {
    OI_TABLE_ALIGNED = 0,
    OI_TABLE_CSV,
    OI_TABLE_JSON, /* one array of objects */
    OI_TABLE_NDJSON,
    OI_TABLE_PARQUET, /* figures as text with every digit; not for a terminal */
};

/* The words of --format, in the order of the enumeration, NULL-terminated. */
extern const char *const oi_table_formats[];
#define OI_OPTION_FORMAT                                                                           \
    {                                                                                              \
        .name = "format", .argument = "FORMAT", .help = "table, csv, json, ndjson or parquet",     \
        .words = "table csv json ndjson parquet", .fallback = "table"                              \
    }

struct oi_table_column {
    const char *name;
    bool is_number; /* set flush right */
    bool is_detail; /* left out of aligned tables, which are to fit a terminal */
};

struct oi_table;

/* Columns and printer are borrowed. */
struct oi_table *oi_table_new(enum oi_table_format format, const struct oi_table_column *columns,
                              size_t count, struct oi_printer *printer);
void oi_table_free(struct oi_table **table);

/* The next cell. None, also for an empty text or a decimal or time that is none. */
void oi_table_none(struct oi_table *table);
void oi_table_text(struct oi_table *table, const char *text);
void oi_table_decimal(struct oi_table *table, const struct oi_decimal *value);
void oi_table_integer(struct oi_table *table, int64_t value);
void oi_table_bool(struct oi_table *table, bool value);
/* With as many fraction digits as it needs. */
void oi_table_time(struct oi_table *table, oi_time time);

enum oi_status oi_table_end_row(struct oi_table *table, struct oi_error *error);
/* What is held back and the closing words; the printer is not finished. INVALID for Parquet to a
 * terminal. */
enum oi_status oi_table_finish(struct oi_table *table, struct oi_error *error);
