/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table `readings` as blocks and back. */
#include "clickhouse/readings.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const oi_reading_figures[OI_FIGURE_COUNT] = { "open_interest", "value_usd",
                                                          "mark_price", "index_price",
                                                          "last_price" };
static const unsigned figure_columns[OI_FIGURE_COUNT] = {
    OI_COLUMN_OPEN_INTEREST, OI_COLUMN_VALUE_USD,  OI_COLUMN_MARK_PRICE,
    OI_COLUMN_INDEX_PRICE,   OI_COLUMN_LAST_PRICE,
};
/* Up to here any mantissa has a canonical form: at most 18 zeros are stripped. */
#define EXPONENT_SURE (OI_DECIMAL_EXPONENT_MAX - 18)
/* Columns that every row has something in, and their bytes. */
#define KEY_COUNT 6
#define KEY_SIZE 38
/* So many rows fill all columns before the next ones do: they stay in the nearest cache meanwhile,
 * where a column after the other would fetch all rows anew each time. */
#define TILE_ROWS ((size_t) 256)

static void
figure_name(unsigned figure, const char *part, char name[64])
{
    (void) snprintf(name, 64, "%s_%s", oi_reading_figures[figure], part);
}

/* Wide figures of one row: their texts in order, a blank between; the mantissa counts them. */
static void
add_wides(const struct oi_rows *rows, const struct oi_record *record, struct oi_buffer *out)
{
    struct oi_buffer text = {};

    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (record->exponents[figure] != OI_EXPONENT_WIDE)
            continue;
        if (text.size > 0)
            oi_buffer_add_char(&text, ' ');
        oi_decimal_write(&rows->wides.items[record->mantissas[figure]], &text);
    }
    oi_native_text(out, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

/* The mantissa of a wide figure counts those before it. */
static int64_t
mantissa_of(const struct oi_record *record, unsigned figure)
{
    int64_t before = 0;

    if (record->exponents[figure] == OI_EXPONENT_NONE)
        return 0;
    if (record->exponents[figure] != OI_EXPONENT_WIDE)
        return record->mantissas[figure];
    for (unsigned i = 0; i < figure; i++)
        before += record->exponents[i] == OI_EXPONENT_WIDE;
    return before;
}

/* What rows have besides their keys. */
struct holding {
    bool has_figure[OI_FIGURE_COUNT];
    bool has_flags;
    unsigned columns;
};

static struct holding
look_through(const struct oi_readings_part *part)
{
    const struct oi_rows *rows = &part->rows->rows;
    struct holding holding = {};
    bool has_figure[OI_FIGURE_COUNT] = {};
    uint16_t flags = 0;

    for (size_t i = 0; i < part->count; i++) {
        const struct oi_record *record = &rows->items[part->from + i];

        for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
            has_figure[figure] |= record->exponents[figure] != OI_EXPONENT_NONE;
        flags |= record->flags;
    }
    holding.has_flags = flags != 0;
    holding.columns =
        KEY_COUNT + OI_FIGURE_COUNT + (flags != 0 ? 1u : 0u) + (rows->wides.count > 0 ? 1u : 0u);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        holding.has_figure[figure] = has_figure[figure];
        holding.columns += has_figure[figure] ? 1u : 0u;
    }
    return holding;
}

static void
list_columns(const struct oi_rows *rows, const struct holding *holding, struct oi_buffer *out)
{
    oi_buffer_add_text(out, "instrument,feed,time,known_time,batch,exchange_time");
    if (holding->has_flags)
        oi_buffer_add_text(out, ",flags");
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (holding->has_figure[figure])
            oi_buffer_add_format(out, ",%s_mantissa", oi_reading_figures[figure]);
        oi_buffer_add_format(out, ",%s_exponent", oi_reading_figures[figure]);
    }
    if (rows->wides.count > 0)
        oi_buffer_add_text(out, ",wides");
}

/* Where the values of each column begin in the block; SIZE_MAX: it is left out. */
struct layout {
    size_t instrument, feed, time, known_time, batch, exchange_time, flags;
    size_t mantissas[OI_FIGURE_COUNT], exponents[OI_FIGURE_COUNT];
};

static size_t
add_column(struct oi_buffer *out, const char *name, enum oi_native_type type, size_t bytes)
{
    size_t at;

    oi_native_head(out, name, type);
    at = out->size;
    if (oi_buffer_reserve(out, bytes))
        out->size += bytes;
    return at;
}

static struct layout
lay_out(const struct oi_readings_part *part, const struct holding *holding, struct oi_buffer *out)
{
    size_t narrow = part->count * sizeof(uint16_t), wide = part->count * sizeof(uint64_t);
    struct layout layout = { .flags = SIZE_MAX };
    char name[64];

    layout.instrument =
        add_column(out, "instrument", OI_NATIVE_UINT32, part->count * sizeof(uint32_t));
    layout.feed = add_column(out, "feed", OI_NATIVE_UINT16, narrow);
    layout.time = add_column(out, "time", OI_NATIVE_INT64, wide);
    layout.known_time = add_column(out, "known_time", OI_NATIVE_INT64, wide);
    layout.batch = add_column(out, "batch", OI_NATIVE_UINT64, wide);
    layout.exchange_time = add_column(out, "exchange_time", OI_NATIVE_INT64, wide);
    if (holding->has_flags)
        layout.flags = add_column(out, "flags", OI_NATIVE_UINT16, narrow);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        layout.mantissas[figure] = SIZE_MAX;
        figure_name(figure, "mantissa", name);
        if (holding->has_figure[figure])
            layout.mantissas[figure] = add_column(out, name, OI_NATIVE_INT64, wide);
        figure_name(figure, "exponent", name);
        layout.exponents[figure] = add_column(out, name, OI_NATIVE_INT8, part->count);
    }
    return layout;
}

/* `count` values of a column from row `from` on. */
#define FILL(column, type, value)                                                                  \
    do {                                                                                           \
        char *at = data + (column) + from * sizeof(type);                                          \
                                                                                                   \
        for (size_t i = 0; i < count; i++) {                                                       \
            type number = (type) (value);                                                          \
                                                                                                   \
            memcpy(at + i * sizeof(number), &number, sizeof(number));                              \
        }                                                                                          \
    } while (0)

static void
fill_tile(const struct oi_readings_part *part, const struct layout *layout, size_t from, char *data)
{
    const struct oi_record *items = part->rows->rows.items + part->from + from;
    const struct oi_series *series = part->series + from;
    size_t count = part->count - from < TILE_ROWS ? part->count - from : TILE_ROWS;

    FILL(layout->instrument, uint32_t, series[i].instrument);
    FILL(layout->feed, uint16_t, series[i].feed);
    FILL(layout->time, int64_t, items[i].time);
    FILL(layout->known_time, int64_t, items[i].known_time);
    FILL(layout->batch, uint64_t, part->batch);
    FILL(layout->exchange_time, int64_t, items[i].exchange_time);
    if (layout->flags != SIZE_MAX)
        FILL(layout->flags, uint16_t, items[i].flags);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (layout->mantissas[figure] != SIZE_MAX)
            FILL(layout->mantissas[figure], int64_t, mantissa_of(&items[i], figure));
        FILL(layout->exponents[figure], int8_t, items[i].exponents[figure]);
    }
}

void
oi_readings_encode(const struct oi_readings_part *part, struct oi_buffer *columns,
                   struct oi_buffer *out)
{
    const struct oi_rows *rows = &part->rows->rows;
    const struct holding holding = look_through(part);
    struct layout layout;

    list_columns(rows, &holding, columns);
    (void) oi_buffer_reserve(out,
                             part->count * (KEY_SIZE + sizeof(uint16_t) + 9 * OI_FIGURE_COUNT));
    oi_native_begin(out, holding.columns, part->count);
    layout = lay_out(part, &holding, out);
    for (size_t from = 0; !out->overflowed && from < part->count; from += TILE_ROWS)
        fill_tile(part, &layout, from, out->data);
    if (rows->wides.count == 0)
        return;
    oi_native_head(out, "wides", OI_NATIVE_STRING);
    for (size_t i = 0; i < part->count; i++)
        add_wides(rows, &rows->items[part->from + i], out);
}

void
oi_readings_select(unsigned columns, bool with_series, struct oi_buffer *out)
{
    bool has_figure = false;

    oi_buffer_add_text(out, with_series ? "instrument,feed,time,known_time,batch"
                                        : "time,known_time,batch");
    if (columns & OI_COLUMN_EXCHANGE_TIME)
        oi_buffer_add_text(out, ",exchange_time");
    if (columns & OI_COLUMN_FLAGS)
        oi_buffer_add_text(out, ",flags");
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (!(columns & figure_columns[figure]))
            continue;
        oi_buffer_add_format(out, ",%s_mantissa,%s_exponent", oi_reading_figures[figure],
                             oi_reading_figures[figure]);
        has_figure = true;
    }
    if (has_figure && !(columns & OI_READINGS_NO_WIDES))
        oi_buffer_add_text(out, ",wides");
}

/* The columns of one block; those that were not selected are NULL. */
struct view {
    const struct oi_native_column *instrument, *feed, *time, *known_time, *batch, *exchange_time,
        *flags, *wides;
    const struct oi_native_column *mantissas[OI_FIGURE_COUNT], *exponents[OI_FIGURE_COUNT];
};

static enum oi_status
find_columns(const struct oi_native_block *block, unsigned columns, bool with_series,
             struct view *view, struct oi_error *error)
{
    bool has_figure = false;

    *view = (struct view){};
    if (with_series) {
        OI_TRY(oi_native_find(block, "instrument", false, &view->instrument, error));
        OI_TRY(oi_native_find(block, "feed", false, &view->feed, error));
    }
    OI_TRY(oi_native_find(block, "time", false, &view->time, error));
    OI_TRY(oi_native_find(block, "known_time", false, &view->known_time, error));
    OI_TRY(oi_native_find(block, "batch", false, &view->batch, error));
    if (columns & OI_COLUMN_EXCHANGE_TIME)
        OI_TRY(oi_native_find(block, "exchange_time", false, &view->exchange_time, error));
    if (columns & OI_COLUMN_FLAGS)
        OI_TRY(oi_native_find(block, "flags", false, &view->flags, error));
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        char name[64];

        if (!(columns & figure_columns[figure]))
            continue;
        figure_name(figure, "mantissa", name);
        OI_TRY(oi_native_find(block, name, false, &view->mantissas[figure], error));
        figure_name(figure, "exponent", name);
        OI_TRY(oi_native_find(block, name, false, &view->exponents[figure], error));
        has_figure = true;
    }
    return has_figure && !(columns & OI_READINGS_NO_WIDES)
               ? oi_native_find(block, "wides", true, &view->wides, error)
               : OI_OK;
}

/* What our own columns hold, without a call for each. */
static inline int64_t
value_of(const struct oi_native_column *column, size_t row)
{
    int64_t value;

    if (column->type == OI_NATIVE_INT8)
        return (int8_t) column->values[row];
    if (column->type != OI_NATIVE_INT64 && column->type != OI_NATIVE_UINT64)
        return oi_native_int(column, row);
    memcpy(&value, column->values + row * sizeof(value), sizeof(value));
    return value;
}

/* The n-th text of a row's wide figures. */
static enum oi_status
take_wide(struct oi_slice texts, int64_t index, struct oi_rows *rows, int64_t *ret_index,
          struct oi_error *error)
{
    struct oi_decimal value;
    struct oi_slice text = {};

    for (int64_t i = 0; i <= index; i++)
        if (!oi_slice_next_part(&texts, ' ', &text))
            return oi_fail(error, OI_E_CORRUPT, "a row in ClickHouse lacks a wide figure");
    if (oi_decimal_parse(text, &value, NULL) != OI_OK)
        return oi_fail(error, OI_E_CORRUPT, "a wide figure in ClickHouse is no number");
    *ret_index = (int64_t) rows->wides.count;
    oi_vector_push(&rows->wides, value);
    return OI_OK;
}

/* One figure of all rows of a block, into the records that end the set. */
static enum oi_status
take_figure(const struct view *view, size_t count, unsigned figure, struct oi_rows *rows,
            struct oi_error *error)
{
    struct oi_record *records = rows->items + rows->count;

    if (!view->mantissas[figure]) {
        for (size_t row = 0; row < count; row++)
            records[row].exponents[figure] = OI_EXPONENT_NONE;
        return OI_OK;
    }
    for (size_t row = 0; row < count; row++) {
        int64_t mantissa = value_of(view->mantissas[figure], row);
        int64_t exponent = value_of(view->exponents[figure], row);

        if (exponent == OI_EXPONENT_NONE) {
            records[row].exponents[figure] = OI_EXPONENT_NONE;
            continue;
        }
        records[row].exponents[figure] = (int8_t) exponent;
        records[row].mantissas[figure] = mantissa;
        if (exponent == OI_EXPONENT_WIDE) {
            if (mantissa < 0 || mantissa >= OI_FIGURE_COUNT || !view->wides)
                return oi_fail(error, OI_E_CORRUPT, "a row in ClickHouse lacks a wide figure");
            OI_TRY(take_wide(view->wides->strings[row], mantissa, rows,
                             &records[row].mantissas[figure], error));
        } else if ((exponent < -OI_DECIMAL_EXPONENT_MAX || exponent > EXPONENT_SURE) &&
                   (exponent < INT8_MIN || exponent > INT8_MAX ||
                    !oi_decimal_fits(mantissa, (int) exponent))) {
            return oi_fail(error, OI_E_CORRUPT, "a figure in ClickHouse is no number of ours");
        }
    }
    return OI_OK;
}

static enum oi_status
take_block(const struct oi_native_block *block, unsigned columns, struct oi_rows *rows,
           struct oi_reading_pairs *pairs, struct oi_error *error)
{
    struct view view;
    struct oi_record *records;

    OI_TRY(find_columns(block, columns, pairs != NULL, &view, error));
    if (block->rows == 0)
        return OI_OK;
    oi_rows_reserve(rows, block->rows);
    records = rows->items + rows->count;
    for (size_t row = 0; row < block->rows; row++)
        records[row] = (struct oi_record){ .time = value_of(view.time, row),
                                           .known_time = value_of(view.known_time, row),
                                           .batch = (uint64_t) value_of(view.batch, row),
                                           .exchange_time = OI_TIME_NONE };
    for (size_t row = 0; view.exchange_time && row < block->rows; row++)
        records[row].exchange_time = value_of(view.exchange_time, row);
    for (size_t row = 0; view.flags && row < block->rows; row++)
        records[row].flags = (uint16_t) value_of(view.flags, row);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        OI_TRY(take_figure(&view, block->rows, figure, rows, error));
    for (size_t row = 0; pairs && row < block->rows; row++) {
        const struct oi_series pair = {
            .instrument = (uint32_t) value_of(view.instrument, row),
            .feed = (uint16_t) value_of(view.feed, row),
        };

        oi_vector_push(&pairs->items, pair);
    }
    rows->count += block->rows;
    return OI_OK;
}

static bool
is_same_pair(const struct oi_series *a, const struct oi_series *b)
{
    return a->instrument == b->instrument && a->feed == b->feed;
}

/* Of neighbours with one key the first stays. */
static void
drop_repeated(struct oi_rows *rows, size_t from, struct oi_reading_pairs *pairs)
{
    size_t kept = from;

    for (size_t i = from; i < rows->count; i++) {
        if (kept > 0 && oi_record_compare(&rows->items[kept - 1], &rows->items[i]) == 0 &&
            (!pairs || is_same_pair(&pairs->items.items[kept - 1], &pairs->items.items[i])))
            continue;
        if (kept != i) {
            rows->items[kept] = rows->items[i];
            if (pairs)
                pairs->items.items[kept] = pairs->items.items[i];
        }
        kept++;
    }
    rows->count = kept;
    if (pairs)
        pairs->items.count = kept;
}

static int
compare_records(const void *left, const void *right)
{
    return oi_record_compare(left, right);
}

void
oi_readings_sort(struct oi_rows *rows)
{
    for (size_t i = 1; i < rows->count; i++) {
        if (oi_record_compare(&rows->items[i - 1], &rows->items[i]) < 0)
            continue;
        qsort(rows->items, rows->count, sizeof(*rows->items), compare_records);
        drop_repeated(rows, 0, NULL);
        return;
    }
}

/* The next block's rows as they come, repeated ones too. */
static enum oi_status
take_next(struct oi_slice *body, unsigned columns, struct oi_rows *rows,
          struct oi_reading_pairs *pairs, struct oi_error *error)
{
    struct oi_native_block block;
    enum oi_status status;

    OI_TRY(oi_native_next(body, &block, error));
    status = take_block(&block, columns, rows, pairs, error);
    oi_native_block_release(&block);
    return status;
}

enum oi_status
oi_readings_decode_block(struct oi_slice *body, unsigned columns, struct oi_rows *rows,
                         struct oi_reading_pairs *pairs, struct oi_error *error)
{
    size_t from = rows->count;

    OI_TRY(take_next(body, columns, rows, pairs, error));
    drop_repeated(rows, from, pairs);
    return OI_OK;
}

enum oi_status
oi_readings_decode(struct oi_slice body, unsigned columns, struct oi_rows *rows,
                   struct oi_reading_pairs *pairs, size_t *ret_seen, struct oi_error *error)
{
    size_t from = rows->count;
    enum oi_status status;

    do
        status = take_next(&body, columns, rows, pairs, error);
    while (status == OI_OK);
    if (status != OI_E_NOT_FOUND)
        return status;
    if (ret_seen)
        *ret_seen = rows->count - from;
    drop_repeated(rows, from, pairs);
    return OI_OK;
}
