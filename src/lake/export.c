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
add_bar(struct bar_columns *columns, const struct oi_bar *bar)
{
    oi_vector_push(&columns->time_us, oi_time_to_us(bar->start));
    oi_vector_push(&columns->last, oi_decimal_to_double(&bar->last));
    oi_vector_push(&columns->change, bar->change_percent);
    oi_vector_push(&columns->volatility, bar->volatility);
    oi_vector_push(&columns->ratio, bar->price_ratio);
    oi_vector_push(&columns->has_change, bar->has_change);
    oi_vector_push(&columns->has_volatility, bar->has_volatility);
    oi_vector_push(&columns->has_ratio, bar->has_ratio);
}

static enum oi_status
gather_bars(struct oi_result *result, struct bar_columns *columns, struct oi_error *error)
{
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            return OI_OK;
        for (size_t i = 0; i < block->count; i++)
            add_bar(columns, &block->bars[i]);
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

/* The columns of readings as stored. Decimals keep every digit as text. */
struct text_column {
    OI_VECTOR(struct oi_slice) texts;
    OI_VECTOR(bool) present;
};

struct row_columns {
    struct oi_arena arena;
    OI_VECTOR(int64_t) time, exchange_time, known_time, sides, flags;
    OI_VECTOR(bool) has_exchange_time;
    /* allow float-type: a convenience beside the digits */
    OI_VECTOR(double) value;
    struct text_column market, feed, unit, open_interest, value_usd, mark_price, index_price,
        last_price;
};

static void
add_text(struct text_column *column, struct oi_slice text, bool is_present)
{
    oi_vector_push(&column->texts, text);
    oi_vector_push(&column->present, is_present);
}

static void
add_decimal(struct row_columns *columns, struct text_column *column, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];
    struct oi_slice printed = { text, oi_decimal_print(value, text) };

    printed.data = oi_arena_copy(&columns->arena, printed);
    add_text(column, printed, !oi_decimal_is_none(value));
}

static void
add_row(struct row_columns *columns, const struct oi_block *block, struct oi_slice market,
        size_t row)
{
    struct oi_observation reading = oi_columns_get(block->rows, row);

    add_text(&columns->market, market, true);
    add_text(&columns->feed, oi_slice_of(block->feed), true);
    add_text(&columns->unit, oi_slice_of(oi_unit_name(block->unit)), true);
    oi_vector_push(&columns->sides, block->sides);
    oi_vector_push(&columns->flags, reading.flags);
    oi_vector_push(&columns->time, reading.time);
    oi_vector_push(&columns->known_time, reading.known_time);
    oi_vector_push(&columns->has_exchange_time, reading.exchange_time != OI_TIME_NONE);
    oi_vector_push(&columns->exchange_time, reading.exchange_time);
    oi_vector_push(&columns->value, oi_decimal_to_double(&reading.open_interest));
    add_decimal(columns, &columns->open_interest, &reading.open_interest);
    add_decimal(columns, &columns->value_usd, &reading.value_usd);
    add_decimal(columns, &columns->mark_price, &reading.mark_price);
    add_decimal(columns, &columns->index_price, &reading.index_price);
    add_decimal(columns, &columns->last_price, &reading.last_price);
}

static enum oi_status
gather_rows(struct oi_result *result, struct row_columns *columns, struct oi_error *error)
{
    const struct oi_block *block;
    char name[OI_MARKET_NAME_SIZE];

    for (;;) {
        struct oi_slice market;

        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            return OI_OK;
        oi_native_name(block->market->instrument, name);
        market = oi_slice_of(oi_arena_copy(&columns->arena, oi_slice_of(name)));
        for (size_t row = 0; row < block->count; row++)
            add_row(columns, block, market, row);
    }
}

static enum oi_status
write_rows(const struct row_columns *columns, struct oi_buffer *out, struct oi_error *error)
{
#define TEXT(column)                                                                               \
    {                                                                                              \
        .name = #column, .type = OI_PARQUET_STRING, .is_nullable = true,                           \
        .present = columns->column.present.items, .strings = columns->column.texts.items           \
    }
#define INSTANT(column)                                                                            \
    {                                                                                              \
        .name = #column, .type = OI_PARQUET_TIMESTAMP_UTC_NANOS, .integers = columns->column.items \
    }
    const struct oi_parquet_column file[] = {
        TEXT(market),
        INSTANT(time),
        TEXT(open_interest),
        { .name = "open_interest_double",
          .type = OI_PARQUET_DOUBLE,
          .doubles = columns->value.items },
        TEXT(unit),
        { .name = "sides", .type = OI_PARQUET_INT64, .integers = columns->sides.items },
        TEXT(value_usd),
        TEXT(mark_price),
        TEXT(index_price),
        TEXT(last_price),
        TEXT(feed),
        { .name = "exchange_time",
          .type = OI_PARQUET_TIMESTAMP_UTC_NANOS,
          .is_nullable = true,
          .present = columns->has_exchange_time.items,
          .integers = columns->exchange_time.items },
        INSTANT(known_time),
        { .name = "flags", .type = OI_PARQUET_INT64, .integers = columns->flags.items },
    };
#undef TEXT
#undef INSTANT

    return oi_parquet_write(file, OI_COUNT(file), columns->time.count, out, error);
}

static void
release_text(struct text_column *column)
{
    oi_vector_release(&column->texts);
    oi_vector_release(&column->present);
}

static void
release_rows(struct row_columns *columns)
{
    oi_vector_release(&columns->time);
    oi_vector_release(&columns->exchange_time);
    oi_vector_release(&columns->known_time);
    oi_vector_release(&columns->sides);
    oi_vector_release(&columns->flags);
    oi_vector_release(&columns->has_exchange_time);
    oi_vector_release(&columns->value);
    release_text(&columns->market);
    release_text(&columns->feed);
    release_text(&columns->unit);
    release_text(&columns->open_interest);
    release_text(&columns->value_usd);
    release_text(&columns->mark_price);
    release_text(&columns->index_price);
    release_text(&columns->last_price);
    oi_arena_release(&columns->arena);
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
        struct oi_slice *texts = oi_arena_alloc_zero(arena, count + 1, sizeof(*texts));

        for (size_t row = 0; row < count; row++)
            texts[row] = oi_cells_text(from, row);
        to->strings = texts;
    } else if (to->type == OI_PARQUET_BOOLEAN) {
        bool *values = oi_arena_alloc_zero(arena, count + 1, sizeof(*values));

        for (size_t row = 0; row < count; row++)
            values[row] = from->numbers.items[row] != 0;
        to->booleans = values;
    }
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
