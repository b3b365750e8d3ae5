/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in memory, in key order, and as columns or bytes. */
#include "store/rows.h"

#include <string.h>

/* Flags that say how we came to know, not what was said. */
#define PROVENANCE_FLAGS (OI_FLAG_KNOWN_ASSUMED | OI_FLAG_DEFINITION_ASSUMED)

static const unsigned figure_columns[OI_FIGURE_COUNT] = {
    OI_COLUMN_OPEN_INTEREST, OI_COLUMN_VALUE_USD,  OI_COLUMN_MARK_PRICE,
    OI_COLUMN_INDEX_PRICE,   OI_COLUMN_LAST_PRICE,
};

void
oi_rows_release(struct oi_rows *rows)
{
    oi_free(rows->items);
    oi_vector_release(&rows->wides);
    *rows = (struct oi_rows){};
}

void
oi_rows_clear(struct oi_rows *rows)
{
    rows->count = 0;
    oi_vector_clear(&rows->wides);
}

void
oi_rows_reserve(struct oi_rows *rows, size_t extra)
{
    if (rows->capacity - rows->count < extra)
        oi_vector_reserve(rows, extra);
}

/* False where the figure is wide. */
static bool
set_plain(struct oi_record *record, unsigned figure, const struct oi_decimal *value)
{
    record->mantissas[figure] = 0;
    record->exponents[figure] = OI_EXPONENT_NONE;
    if (value->form == OI_DECIMAL_NONE)
        return true;
    if (value->form == OI_DECIMAL_PLAIN) {
        record->mantissas[figure] = value->mantissa;
        record->exponents[figure] = (int8_t) value->exponent;
        return true;
    }
    record->exponents[figure] = OI_EXPONENT_WIDE;
    return false;
}

static void
set_figure(struct oi_rows *rows, struct oi_record *record, unsigned figure,
           const struct oi_decimal *value)
{
    if (set_plain(record, figure, value))
        return;
    record->mantissas[figure] = (int64_t) rows->wides.count;
    oi_vector_push(&rows->wides, *value);
}

bool
oi_record_take(struct oi_record *record, const struct oi_observation *reading, uint64_t batch)
{
    bool is_plain;

    record->time = reading->time;
    record->exchange_time = reading->exchange_time;
    record->known_time = reading->known_time;
    record->batch = batch;
    record->flags = reading->flags;
    is_plain = set_plain(record, 0, &reading->open_interest);
    is_plain &= set_plain(record, 1, &reading->value_usd);
    is_plain &= set_plain(record, 2, &reading->mark_price);
    is_plain &= set_plain(record, 3, &reading->index_price);
    is_plain &= set_plain(record, 4, &reading->last_price);
    return is_plain;
}

void
oi_rows_take_wides(struct oi_rows *rows, size_t index, const struct oi_observation *reading)
{
    const struct oi_decimal *figures[OI_FIGURE_COUNT] = {
        &reading->open_interest, &reading->value_usd,  &reading->mark_price,
        &reading->index_price,   &reading->last_price,
    };

    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        if (rows->items[index].exponents[figure] == OI_EXPONENT_WIDE)
            set_figure(rows, &rows->items[index], figure, figures[figure]);
}

void
oi_rows_add(struct oi_rows *rows, const struct oi_observation *reading, uint64_t batch)
{
    oi_rows_reserve(rows, 1);
    rows->count++;
    if (!oi_record_take(&rows->items[rows->count - 1], reading, batch))
        oi_rows_take_wides(rows, rows->count - 1, reading);
}

void
oi_rows_copy(struct oi_rows *rows, const struct oi_rows *from, size_t index)
{
    struct oi_record *record;

    oi_rows_reserve(rows, 1);
    record = &rows->items[rows->count++];
    *record = from->items[index];
    for (unsigned figure = 0; from->wides.count > 0 && figure < OI_FIGURE_COUNT; figure++)
        if (record->exponents[figure] == OI_EXPONENT_WIDE)
            set_figure(rows, record, figure, &from->wides.items[record->mantissas[figure]]);
}

static const struct oi_decimals *
figure_column(const struct oi_columns *columns, unsigned figure)
{
    const struct oi_decimals *const all[OI_FIGURE_COUNT] = {
        &columns->open_interest, &columns->value_usd,  &columns->mark_price,
        &columns->index_price,   &columns->last_price,
    };

    return all[figure];
}

void
oi_rows_add_columns(struct oi_rows *rows, const struct oi_columns *columns, size_t from,
                    size_t count)
{
    oi_rows_reserve(rows, count);
    for (size_t row = from; row < from + count; row++) {
        struct oi_record record = {
            .time = columns->time[row],
            .exchange_time = columns->exchange_time ? columns->exchange_time[row] : OI_TIME_NONE,
            .known_time = columns->known_time ? columns->known_time[row] : OI_TIME_NONE,
            .batch = columns->batch ? columns->batch[row] : 0,
            .flags = columns->flags ? columns->flags[row] : 0,
        };

        for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
            const struct oi_decimals *column = figure_column(columns, figure);

            record.exponents[figure] = OI_EXPONENT_NONE;
            if (column->mantissas) {
                struct oi_decimal value = oi_decimals_get(column, row);

                set_figure(rows, &record, figure, &value);
            }
        }
        rows->items[rows->count++] = record;
    }
}

struct oi_decimal
oi_rows_figure(const struct oi_rows *rows, size_t index, unsigned figure)
{
    const struct oi_record *record = &rows->items[index];

    if (record->exponents[figure] == OI_EXPONENT_NONE)
        return (struct oi_decimal){};
    if (record->exponents[figure] == OI_EXPONENT_WIDE)
        return rows->wides.items[record->mantissas[figure]];
    return (struct oi_decimal){ .mantissa = record->mantissas[figure],
                                .exponent = record->exponents[figure],
                                .form = OI_DECIMAL_PLAIN };
}

struct oi_observation
oi_rows_get(const struct oi_rows *rows, size_t index)
{
    const struct oi_record *record = &rows->items[index];

    return (struct oi_observation){
        .time = record->time,
        .exchange_time = record->exchange_time,
        .known_time = record->known_time,
        .open_interest = oi_rows_figure(rows, index, 0),
        .value_usd = oi_rows_figure(rows, index, 1),
        .mark_price = oi_rows_figure(rows, index, 2),
        .index_price = oi_rows_figure(rows, index, 3),
        .last_price = oi_rows_figure(rows, index, 4),
        .flags = record->flags,
    };
}

int
oi_record_compare(const struct oi_record *a, const struct oi_record *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->known_time != b->known_time)
        return a->known_time < b->known_time ? -1 : 1;
    if (a->batch != b->batch)
        return a->batch < b->batch ? -1 : 1;
    return 0;
}

size_t
oi_rows_find(const struct oi_rows *rows, oi_time time)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rows->items[middle].time < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void
oi_rows_cut(struct oi_rows *rows, struct oi_span span)
{
    size_t before;

    rows->count = oi_rows_find(rows, span.to);
    before = oi_rows_find(rows, span.from);
    if (before == 0)
        return;
    rows->count -= before;
    memmove(rows->items, rows->items + before, rows->count * sizeof(*rows->items));
}

void
oi_rows_merge(struct oi_rows *rows, const struct oi_rows *more)
{
    size_t left = rows->count, right = more->count, to = left + right;
    size_t first_wide = rows->wides.count;

    oi_rows_reserve(rows, right);
    for (size_t i = 0; i < more->wides.count; i++)
        oi_vector_push(&rows->wides, more->wides.items[i]);
    rows->count = to;
    /* From the back, so that the usual case, all of `more` newer, moves nothing else. */
    while (right > 0) {
        if (left > 0 && oi_record_compare(&rows->items[left - 1], &more->items[right - 1]) > 0) {
            rows->items[--to] = rows->items[--left];
            continue;
        }
        rows->items[--to] = more->items[--right];
        for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
            if (rows->items[to].exponents[figure] == OI_EXPONENT_WIDE)
                rows->items[to].mantissas[figure] += (int64_t) first_wide;
    }
}

void
oi_rows_append(struct oi_rows *rows, const struct oi_rows *from, size_t first, size_t count)
{
    if (count == 0)
        return;
    oi_rows_reserve(rows, count);
    if (from->wides.count == 0) {
        memcpy(rows->items + rows->count, from->items + first, count * sizeof(*rows->items));
        rows->count += count;
        return;
    }
    for (size_t i = first; i < first + count; i++)
        oi_rows_copy(rows, from, i);
}

bool
oi_rows_same_reading(const struct oi_rows *a, size_t a_index, const struct oi_rows *b,
                     size_t b_index)
{
    const struct oi_record *left = &a->items[a_index], *right = &b->items[b_index];

    if ((left->flags & ~PROVENANCE_FLAGS) != (right->flags & ~PROVENANCE_FLAGS))
        return false;
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (left->exponents[figure] != right->exponents[figure])
            return false;
        if (left->exponents[figure] == OI_EXPONENT_WIDE) {
            struct oi_decimal one = oi_rows_figure(a, a_index, figure);
            struct oi_decimal other = oi_rows_figure(b, b_index, figure);

            if (!oi_decimal_equal(&one, &other))
                return false;
        } else if (left->mantissas[figure] != right->mantissas[figure]) {
            return false;
        }
    }
    return true;
}

void
oi_rows_settle(struct oi_rows *rows, oi_time as_of, bool all_revisions)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].known_time > as_of)
            continue;
        if (!all_revisions && kept > 0 && rows->items[kept - 1].time == rows->items[i].time)
            kept--;
        rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
}

static void
columns_reserve(struct oi_rows_columns *out, size_t count)
{
    size_t capacity = count + 64;

    if (out->capacity >= count && out->memory)
        return;
    oi_rows_columns_release(out);
    out->memory = oi_alloc_zero(capacity * (4 + OI_FIGURE_COUNT), sizeof(*out->memory));
    out->exponents = oi_alloc_zero(capacity * OI_FIGURE_COUNT, sizeof(*out->exponents));
    out->flags = oi_alloc_zero(capacity, sizeof(*out->flags));
    out->capacity = capacity;
}

static void
fill_figure(struct oi_rows_columns *out, const struct oi_rows *rows, size_t from, size_t count,
            unsigned figure, struct oi_decimals *column)
{
    int64_t *mantissas = out->memory + (4 + figure) * out->capacity;
    int8_t *exponents = out->exponents + figure * out->capacity;
    bool is_uniform = true, is_absent = true;

    for (size_t i = 0; i < count; i++) {
        const struct oi_record *record = &rows->items[from + i];

        mantissas[i] = record->mantissas[figure];
        exponents[i] = record->exponents[figure];
        is_uniform &= exponents[i] == exponents[0];
        is_absent &= exponents[i] == OI_EXPONENT_NONE;
    }
    if (is_absent)
        return;
    column->mantissas = mantissas;
    column->wides = rows->wides.items;
    if (is_uniform && exponents[0] != OI_EXPONENT_WIDE)
        column->exponent = exponents[0];
    else
        column->exponents = exponents;
}

void
oi_rows_columns_fill(struct oi_rows_columns *out, const struct oi_rows *rows, size_t from,
                     size_t count, unsigned wanted)
{
    struct oi_columns *columns = &out->columns;
    oi_time *time, *exchange_time, *known_time;
    uint64_t *batch;

    columns_reserve(out, count);
    time = out->memory;
    exchange_time = time + out->capacity;
    known_time = exchange_time + out->capacity;
    batch = (uint64_t *) (known_time + out->capacity);
    for (size_t i = 0; i < count; i++) {
        const struct oi_record *record = &rows->items[from + i];

        time[i] = record->time;
        exchange_time[i] = record->exchange_time;
        known_time[i] = record->known_time;
        batch[i] = record->batch;
        out->flags[i] = record->flags;
    }
    *columns = (struct oi_columns){ .count = count, .time = time };
    columns->exchange_time = wanted & OI_COLUMN_EXCHANGE_TIME ? exchange_time : NULL;
    columns->known_time = wanted & OI_COLUMN_KNOWN_TIME ? known_time : NULL;
    columns->batch = wanted & OI_COLUMN_BATCH ? batch : NULL;
    columns->flags = wanted & OI_COLUMN_FLAGS ? out->flags : NULL;
    struct oi_decimals *const figures[OI_FIGURE_COUNT] = {
        &columns->open_interest, &columns->value_usd,  &columns->mark_price,
        &columns->index_price,   &columns->last_price,
    };
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        if (wanted & figure_columns[figure])
            fill_figure(out, rows, from, count, figure, figures[figure]);
}

void
oi_rows_columns_release(struct oi_rows_columns *out)
{
    oi_free(out->memory);
    oi_free(out->exponents);
    oi_free(out->flags);
    *out = (struct oi_rows_columns){};
}

void
oi_decimal_encode(const struct oi_decimal *value, struct oi_buffer *out)
{
    oi_buffer_add_u8(out, value->form);
    if (value->form == OI_DECIMAL_NONE)
        return;
    oi_buffer_add_u8(out, (uint8_t) (int8_t) value->exponent);
    if (value->form == OI_DECIMAL_PLAIN) {
        oi_buffer_add_u64(out, (uint64_t) value->mantissa);
        return;
    }
    oi_buffer_add_u8(out, value->is_negative);
    for (size_t i = 0; i < 4; i++)
        oi_buffer_add_u64(out, value->limbs[i]);
}

struct oi_decimal
oi_decimal_decode(struct oi_cursor *cursor)
{
    struct oi_decimal value = { .form = oi_cursor_u8(cursor) };

    if (value.form == OI_DECIMAL_NONE)
        return value;
    value.exponent = (int8_t) oi_cursor_u8(cursor);
    if (value.form > OI_DECIMAL_WIDE)
        cursor->failed = true;
    if (value.form == OI_DECIMAL_PLAIN) {
        value.mantissa = (int64_t) oi_cursor_u64(cursor);
    } else {
        uint8_t sign = oi_cursor_u8(cursor);

        if (sign > 1)
            cursor->failed = true;
        value.is_negative = sign != 0;
        for (size_t i = 0; i < 4; i++)
            value.limbs[i] = oi_cursor_u64(cursor);
    }
    if (!cursor->failed && !oi_decimal_is_canonical(&value))
        cursor->failed = true;
    return cursor->failed ? (struct oi_decimal){} : value;
}

void
oi_observation_encode(const struct oi_observation *reading, struct oi_buffer *out)
{
    oi_buffer_add_u64(out, (uint64_t) reading->time);
    oi_buffer_add_u64(out, (uint64_t) reading->exchange_time);
    oi_buffer_add_u64(out, (uint64_t) reading->known_time);
    oi_decimal_encode(&reading->open_interest, out);
    oi_decimal_encode(&reading->value_usd, out);
    oi_decimal_encode(&reading->mark_price, out);
    oi_decimal_encode(&reading->index_price, out);
    oi_decimal_encode(&reading->last_price, out);
    oi_buffer_add_u16(out, reading->flags);
}

struct oi_observation
oi_observation_decode(struct oi_cursor *cursor)
{
    struct oi_observation reading;

    reading.time = (oi_time) oi_cursor_u64(cursor);
    reading.exchange_time = (oi_time) oi_cursor_u64(cursor);
    reading.known_time = (oi_time) oi_cursor_u64(cursor);
    reading.open_interest = oi_decimal_decode(cursor);
    reading.value_usd = oi_decimal_decode(cursor);
    reading.mark_price = oi_decimal_decode(cursor);
    reading.index_price = oi_decimal_decode(cursor);
    reading.last_price = oi_decimal_decode(cursor);
    reading.flags = oi_cursor_u16(cursor);
    return reading;
}
