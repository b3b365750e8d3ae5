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

/* Room is made once for a column, not once for a value. */
#define ADD_NUMBERS(out, name, type, width, value)                                                 \
    do {                                                                                           \
        char *at;                                                                                  \
                                                                                                   \
        oi_native_head(out, name, type);                                                           \
        at = oi_buffer_reserve(out, count * sizeof(uint##width##_t));                              \
        for (size_t i = 0; at && i < count; i++) {                                                 \
            uint##width##_t number = (uint##width##_t)(value);                                     \
                                                                                                   \
            memcpy(at + i * sizeof(number), &number, sizeof(number));                              \
        }                                                                                          \
        (out)->size += at ? count * sizeof(uint##width##_t) : 0;                                   \
    } while (0)

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
look_through(const struct oi_rows *rows)
{
    struct holding holding = {};
    bool has_figure[OI_FIGURE_COUNT] = {};
    uint16_t flags = 0;

    for (size_t i = 0; i < rows->count; i++) {
        const struct oi_record *record = &rows->items[i];

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

static void
add_keys(const struct oi_rows *rows, const struct oi_series *series, uint64_t batch,
         struct oi_buffer *out)
{
    const struct oi_record *items = rows->items;
    size_t count = rows->count;

    ADD_NUMBERS(out, "instrument", OI_NATIVE_UINT32, 32, series[i].instrument);
    ADD_NUMBERS(out, "feed", OI_NATIVE_UINT16, 16, series[i].feed);
    ADD_NUMBERS(out, "time", OI_NATIVE_INT64, 64, items[i].time);
    ADD_NUMBERS(out, "known_time", OI_NATIVE_INT64, 64, items[i].known_time);
    ADD_NUMBERS(out, "batch", OI_NATIVE_UINT64, 64, batch);
    ADD_NUMBERS(out, "exchange_time", OI_NATIVE_INT64, 64, items[i].exchange_time);
}

void
oi_readings_encode(const struct oi_batch_rows *set, const struct oi_series *series, uint64_t batch,
                   struct oi_buffer *columns, struct oi_buffer *out)
{
    const struct oi_rows *rows = &set->rows;
    const struct oi_record *items = rows->items;
    const struct holding holding = look_through(rows);
    size_t count = rows->count;
    char name[64];

    list_columns(rows, &holding, columns);
    (void) oi_buffer_reserve(out, count * (KEY_SIZE + sizeof(uint16_t) + 9 * OI_FIGURE_COUNT));
    oi_native_begin(out, holding.columns, count);
    add_keys(rows, series, batch, out);
    if (holding.has_flags)
        ADD_NUMBERS(out, "flags", OI_NATIVE_UINT16, 16, items[i].flags);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        figure_name(figure, "mantissa", name);
        if (holding.has_figure[figure])
            ADD_NUMBERS(out, name, OI_NATIVE_INT64, 64, mantissa_of(&items[i], figure));
        figure_name(figure, "exponent", name);
        ADD_NUMBERS(out, name, OI_NATIVE_INT8, 8, items[i].exponents[figure]);
    }
    if (rows->wides.count == 0)
        return;
    oi_native_head(out, "wides", OI_NATIVE_STRING);
    for (size_t i = 0; i < count; i++)
        add_wides(rows, &items[i], out);
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
