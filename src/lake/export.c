/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of an answer gathered into whole columns, then one file. */
#include "lake/export.h"

#include "base/vector.h"
#include "core/symbology.h"
#include "lake/export_internal.h"
#include "lake/parquet.h"

/* The columns of Aperiodic's file, a row a bar. */
struct bar_columns {
    OI_VECTOR(int64_t) time_us;
    /* allow float-type: the vendor's columns are doubles */
    OI_VECTOR(double) last, change, volatility, ratio;
    OI_VECTOR(bool) has_change, has_volatility, has_ratio;
};

static void
add_bars(struct bar_columns *columns, const struct oi_bar *bars, size_t count)
{
    size_t at = columns->time_us.count;

    oi_vector_reserve(&columns->time_us, count);
    oi_vector_reserve(&columns->last, count);
    oi_vector_reserve(&columns->change, count);
    oi_vector_reserve(&columns->volatility, count);
    oi_vector_reserve(&columns->ratio, count);
    oi_vector_reserve(&columns->has_change, count);
    oi_vector_reserve(&columns->has_volatility, count);
    oi_vector_reserve(&columns->has_ratio, count);
    for (size_t i = 0; i < count; i++, at++) {
        const struct oi_bar *bar = &bars[i];

        columns->time_us.items[at] = oi_time_to_us(bar->start);
        columns->last.items[at] = bar->last_value;
        columns->change.items[at] = bar->change_percent;
        columns->volatility.items[at] = bar->volatility;
        columns->ratio.items[at] = bar->price_ratio;
        columns->has_change.items[at] = bar->has_change;
        columns->has_volatility.items[at] = bar->has_volatility;
        columns->has_ratio.items[at] = bar->has_ratio;
    }
    columns->time_us.count = at;
}

static enum oi_status
gather_bars(struct oi_result *result, struct bar_columns *columns, struct oi_error *error)
{
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            return OI_OK;
        add_bars(columns, block->bars, block->count);
    }
}

static enum oi_status
write_bars(const struct bar_columns *columns, struct oi_buffer *out, struct oi_error *error)
{
    const struct oi_parquet_column file[] = {
        { .name = "time",
          .type = OI_PARQUET_TIMESTAMP_MICROS,
          .is_nullable = true,
          .integers = columns->time_us.items },
        { .name = "open_interest",
          .type = OI_PARQUET_DOUBLE,
          .is_nullable = true,
          .doubles = columns->last.items },
        { .name = "open_interest_pct_change",
          .type = OI_PARQUET_DOUBLE,
          .is_nullable = true,
          .present = columns->has_change.items,
          .doubles = columns->change.items },
        { .name = "open_interest_volatility",
          .type = OI_PARQUET_DOUBLE,
          .is_nullable = true,
          .present = columns->has_volatility.items,
          .doubles = columns->volatility.items },
        { .name = "oi_price_change_ratio",
          .type = OI_PARQUET_DOUBLE,
          .is_nullable = true,
          .present = columns->has_ratio.items,
          .doubles = columns->ratio.items },
    };

    return oi_parquet_write(file, OI_COUNT(file), columns->time_us.count, out, error);
}

static void
release_bars(struct bar_columns *columns)
{
    oi_vector_release(&columns->time_us);
    oi_vector_release(&columns->last);
    oi_vector_release(&columns->change);
    oi_vector_release(&columns->volatility);
    oi_vector_release(&columns->ratio);
    oi_vector_release(&columns->has_change);
    oi_vector_release(&columns->has_volatility);
    oi_vector_release(&columns->has_ratio);
}

enum oi_status
export_bars_of(struct oi_result *result, struct oi_buffer *out, struct oi_error *error)
{
    OI_CLEANUP(release_bars) struct bar_columns columns = {};

    OI_TRY(gather_bars(result, &columns, error));
    return write_bars(&columns, out, error);
}

enum oi_status
oi_export_bars(const struct oi_source *source, const struct oi_query *query, struct oi_buffer *out,
               struct oi_problem *problem, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;

    OI_TRY(oi_query_run(source, query, &result, problem, error));
    return export_bars_of(result, out, error);
}

static enum oi_parquet_type
parquet_type(enum oi_cell type)
{
    switch (type) {
    case OI_CELL_TEXT:
    case OI_CELL_FIGURE:
        return OI_PARQUET_STRING;
    case OI_CELL_TIME:
        return OI_PARQUET_TIMESTAMP_UTC_NANOS;
    case OI_CELL_BOOLEAN:
        return OI_PARQUET_BOOLEAN;
    case OI_CELL_INTEGER:
        break;
    }
    return OI_PARQUET_INT64;
}

static void
fill_column(const struct oi_cells_column *from, size_t count, struct oi_arena *arena,
            struct oi_parquet_column *to)
{
    *to = (struct oi_parquet_column){
        .name = from->name,
        .type = parquet_type(from->type),
        .is_nullable = true,
        .present = from->absent > 0 ? from->present.items : NULL,
        .integers = from->numbers.items,
    };
    if (to->type == OI_PARQUET_STRING) {
        to->texts = (struct oi_parquet_texts){ oi_buffer_slice(&from->bytes), from->numbers.items };
    } else if (to->type == OI_PARQUET_BOOLEAN) {
        bool *values = oi_arena_alloc_zero(arena, count + 1, sizeof(*values));

        for (size_t row = 0; row < count; row++)
            values[row] = from->numbers.items[row] != 0;
        to->booleans = values;
    }
}

/* Readings as stored. Decimals keep every digit as text. */
struct row_columns {
    struct oi_cells cells;
    /* allow float-type: a convenience beside the digits */
    OI_VECTOR(double) value;
};

static const struct {
    const char *name;
    enum oi_cell type;
    bool is_nullable;
} row_columns[] = {
    { "market", OI_CELL_TEXT, true },          { "time", OI_CELL_TIME, false },
    { "open_interest", OI_CELL_FIGURE, true }, { "unit", OI_CELL_TEXT, true },
    { "sides", OI_CELL_INTEGER, false },       { "value_usd", OI_CELL_FIGURE, true },
    { "mark_price", OI_CELL_FIGURE, true },    { "index_price", OI_CELL_FIGURE, true },
    { "last_price", OI_CELL_FIGURE, true },    { "feed", OI_CELL_TEXT, true },
    { "exchange_time", OI_CELL_TIME, true },   { "known_time", OI_CELL_TIME, false },
    { "flags", OI_CELL_INTEGER, false },
};
/* Before it stands the open interest as a double. */
#define DOUBLE_AT 3

/* Times that are always there, or none as such. */
static void
add_times(struct oi_cells *cells, const oi_time *times, size_t count)
{
    int64_t *numbers = oi_cells_add_numbers(cells);

    for (size_t i = 0; i < count; i++)
        numbers[i] = times ? times[i] : OI_TIME_NONE;
}

static void
add_rows(struct row_columns *columns, const struct oi_block *block, struct oi_slice market)
{
    const struct oi_columns *rows = block->rows;
    struct oi_cells *cells = &columns->cells;
    int64_t *flags;

    oi_cells_at_once(cells, block->count);
    oi_cells_add_text(cells, market);
    add_times(cells, rows->time, block->count);
    oi_cells_add_column(cells, &rows->open_interest);
    oi_cells_add_text(cells, oi_slice_of(oi_unit_name(block->unit)));
    oi_cells_add_number(cells, block->sides);
    oi_cells_add_column(cells, &rows->value_usd);
    oi_cells_add_column(cells, &rows->mark_price);
    oi_cells_add_column(cells, &rows->index_price);
    oi_cells_add_column(cells, &rows->last_price);
    oi_cells_add_text(cells, oi_slice_of(block->feed));
    oi_cells_add_times(cells, rows->exchange_time, sizeof(*rows->exchange_time));
    add_times(cells, rows->known_time, block->count);
    flags = oi_cells_add_numbers(cells);
    for (size_t i = 0; i < block->count; i++)
        flags[i] = rows->flags ? rows->flags[i] : 0;
    oi_vector_reserve(&columns->value, block->count);
    for (size_t i = 0; i < block->count; i++) {
        struct oi_decimal value = oi_decimals_get(&rows->open_interest, i);

        columns->value.items[columns->value.count++] = oi_decimal_to_double(&value);
    }
}

static enum oi_status
gather_rows(struct oi_result *result, struct row_columns *columns, struct oi_error *error)
{
    const struct oi_block *block;
    char name[OI_MARKET_NAME_SIZE];

    for (size_t i = 0; i < OI_COUNT(row_columns); i++)
        oi_cells_column(&columns->cells, row_columns[i].name, row_columns[i].type);
    for (;;) {
        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            return OI_OK;
        if (block->count == 0)
            continue;
        oi_native_name(block->market->instrument, name);
        add_rows(columns, block, oi_slice_of(name));
    }
}

static enum oi_status
write_rows(const struct row_columns *columns, struct oi_buffer *out, struct oi_error *error)
{
    struct oi_parquet_column file[OI_COUNT(row_columns) + 1];
    const struct oi_cells *cells = &columns->cells;
    struct oi_arena arena = {};
    enum oi_status status;

    for (size_t i = 0; i < OI_COUNT(row_columns); i++) {
        struct oi_parquet_column *column = &file[i + (i >= DOUBLE_AT)];

        fill_column(&cells->columns[i], cells->row_count, &arena, column);
        column->is_nullable = row_columns[i].is_nullable;
    }
    file[DOUBLE_AT] = (struct oi_parquet_column){ .name = "open_interest_double",
                                                  .type = OI_PARQUET_DOUBLE,
                                                  .doubles = columns->value.items };
    status = oi_parquet_write(file, OI_COUNT(file), cells->row_count, out, error);
    oi_arena_release(&arena);
    return status;
}

static void
release_rows(struct row_columns *columns)
{
    oi_cells_release(&columns->cells);
    oi_vector_release(&columns->value);
}

enum oi_status
oi_export_rows_of(struct oi_result *result, struct oi_buffer *out, struct oi_error *error)
{
    OI_CLEANUP(release_rows) struct row_columns columns = {};

    OI_TRY(gather_rows(result, &columns, error));
    return write_rows(&columns, out, error);
}

enum oi_status
oi_export_rows(const struct oi_source *source, const struct oi_query *query, struct oi_buffer *out,
               struct oi_problem *problem, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;

    OI_TRY(oi_query_run(source, query, &result, problem, error));
    return oi_export_rows_of(result, out, error);
}

enum oi_status
oi_export_table(const struct oi_cells *table, struct oi_buffer *out, struct oi_error *error)
{
    struct oi_parquet_column columns[OI_CELLS_COLUMNS_MAX];
    struct oi_arena arena = {};
    enum oi_status status;

    for (size_t i = 0; i < table->column_count; i++)
        fill_column(&table->columns[i], table->row_count, &arena, &columns[i]);
    status = oi_parquet_write(columns, table->column_count, table->row_count, out, error);
    oi_arena_release(&arena);
    return status;
}
