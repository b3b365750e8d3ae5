/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the native API share: reading questions and writing answers. */
#pragma once

#include "core/cells.h"
#include "dialects/dialect.h"
#include "dialects/text.h"

/* oi_query.format */
enum native_format {
    NATIVE_JSON = 0,
    NATIVE_NDJSON,
    NATIVE_CSV,
    NATIVE_PARQUET, /* both as oi_query.file */
    NATIVE_ARROW,
};

struct native_column {
    const char *name; /* NULL: the end of the list */
    enum oi_cell type;
};

/* A table being written. */
struct native_table {
    struct oi_buffer *out;
    struct oi_cells *cells; /* in place of `out` */
    const struct oi_rendering *rendering;
    const struct native_column *columns;
    size_t column;          /* of the next cell */
    const char *name;       /* of the block's market */
    struct oi_slice market; /* quoted for the format, once a block */
    size_t sizes[OI_CELLS_COLUMNS_MAX];
    struct oi_time_writer *times;
};

/* native_cells.c: rows and their cells, in the order of the columns. */
bool native_is_csv(const struct native_table *table);
void native_begin_row(struct native_table *table, size_t row_count);
void native_end_row(struct native_table *table);
void native_add_none(struct native_table *table);
/* The name of the block's market. */
void native_add_market(struct native_table *table);
/* NULL and "" are none. */
void native_add_text(struct native_table *table, const char *text);
void native_add_number(struct native_table *table, int64_t value);
void native_add_bool(struct native_table *table, bool value);
void native_add_decimal(struct native_table *table, const struct oi_decimal *value);
void native_add_time(struct native_table *table, oi_time time);
void native_quote(const struct native_table *table, const char *text, struct oi_buffer *out);

/* native_facts.c: the columns of the lists among the answers, and a row of them. */
const struct native_column *native_fact_columns(enum oi_query_kind kind);
void native_add_fact(struct native_table *table, const struct oi_block *block, size_t row);
/* feed, unit, sides. */
void native_add_source(struct native_table *table, const struct oi_block *block);

/* As many rows as the answer's end is known before its head is sent: where there is more, a header
 * says so. */
#define NATIVE_WHOLE_ROWS ((size_t) 10'000)
#define NATIVE_NEXT_HEADER "OI-Next"

/* The route's table as typed columns: the next block's rows; `cells` is empty in the first call and
 * gets its columns. */
enum oi_status native_tabulate(struct oi_rendering *rendering, struct oi_cells *cells,
                               bool *ret_is_last, struct oi_error *error);

/* Writes whatever the query's kind yields, block by block. */
enum oi_status native_render(struct oi_rendering *rendering, struct oi_buffer *out,
                             bool *ret_is_last, struct oi_error *error);

/* The place behind which the next page goes on, as text, and back. */
void native_write_cursor(const struct oi_position *position, struct oi_buffer *out);
bool native_read_cursor(struct oi_slice text, struct oi_position *ret_position);

/* A selector for each market named, or one for all that fit the other conditions. */
enum oi_status native_select(const struct oi_http_request *request, struct oi_query *query,
                             struct oi_problem *problem);
/* `unit` and `convention`; `interval`. */
enum oi_status native_read_unit(const struct oi_http_request *request, struct oi_query *query,
                                struct oi_problem *problem);
enum oi_status native_read_interval(const struct oi_http_request *request, struct oi_query *query,
                                    struct oi_problem *problem);
/* The first candle of a block as one object, as NDJSON would have it. */
void native_write_candle(const struct oi_query *query, const struct oi_block *block,
                         struct oi_buffer *out);

/* An alert as one object. */
void native_write_alert(const struct oi_alert *alert, struct oi_buffer *out);

/* Rows as they are stored, over WebSocket. */
extern const struct oi_stream_route native_stream;
