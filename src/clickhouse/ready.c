/* SPDX-License-Identifier: Apache-2.0 */
/* Ready made hours and days as blocks and back. */
#include "clickhouse/ready.h"

#include "base/alloc.h"
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

#define PARTS 4
#define COLUMN_COUNT 6
/* A wide figure's text is no longer than this. */
#define WIDE_MAX UINT8_MAX

static struct oi_observation *
part_of(struct oi_rollup *rollup, unsigned part)
{
    struct oi_observation *const parts[PARTS] = { &rollup->first, &rollup->high, &rollup->low,
                                                  &rollup->last };

    return parts[part];
}

static struct oi_decimal *
figure_of(struct oi_observation *reading, unsigned figure)
{
    struct oi_decimal *const figures[OI_FIGURE_COUNT] = { &reading->open_interest,
                                                          &reading->value_usd, &reading->mark_price,
                                                          &reading->index_price,
                                                          &reading->last_price };

    return figures[figure];
}

void
oi_ready_release(struct oi_ready *ready)
{
    oi_vector_release(&ready->buckets);
    oi_buffer_release(&ready->rows);
}

void
oi_ready_clear(struct oi_ready *ready)
{
    oi_vector_clear(&ready->buckets);
    oi_buffer_clear(&ready->rows);
}

/*
 * Writing.
 */

#define ADD_NUMBERS(name, type, width, value)                                                      \
    do {                                                                                           \
        oi_native_head(out, name, type);                                                           \
        for (size_t i = 0; i < count; i++)                                                         \
            oi_buffer_add_u##width(out, (uint##width##_t)(value));                                 \
    } while (0)

void
oi_ready_make(struct oi_rows *rows, const struct oi_hidden *hidden, struct oi_rollups *hours,
              struct oi_rollups *days)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++)
        if (!oi_hidden_has(hidden, rows->items[i].batch))
            rows->items[kept++] = rows->items[i];
    rows->count = kept;
    oi_rows_settle(rows, OI_TIME_LATEST, false);
    for (size_t i = 0; i < rows->count; i++) {
        const struct oi_observation reading = oi_rows_get(rows, i);

        oi_rollups_add(hours, OI_HOUR, &reading);
        oi_rollups_add(days, OI_DAY, &reading);
    }
}

/* An exponent as in `readings`; behind it the mantissa, or the text of a wide one. */
static void
add_figure(const struct oi_decimal *value, struct oi_buffer *out)
{
    int8_t exponent = oi_decimals_exponent(value);
    size_t at;

    oi_buffer_add_u8(out, (uint8_t) exponent);
    if (exponent == OI_EXPONENT_NONE)
        return;
    if (exponent != OI_EXPONENT_WIDE) {
        oi_buffer_add_u64(out, (uint64_t) value->mantissa);
        return;
    }
    at = out->size;
    oi_buffer_add_u8(out, 0);
    oi_decimal_write(value, out);
    oi_assert(out->overflowed || out->size - at - 1 <= WIDE_MAX);
    if (!out->overflowed)
        out->data[at] = (char) (out->size - at - 1);
}

static void
add_reading(const struct oi_observation *reading, struct oi_buffer *out)
{
    const struct oi_decimal *const figures[OI_FIGURE_COUNT] = {
        &reading->open_interest, &reading->value_usd, &reading->mark_price, &reading->index_price,
        &reading->last_price
    };

    oi_buffer_add_u64(out, (uint64_t) reading->time);
    oi_buffer_add_u64(out, (uint64_t) reading->known_time);
    oi_buffer_add_u64(out, (uint64_t) reading->exchange_time);
    oi_buffer_add_u16(out, reading->flags);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        add_figure(figures[figure], out);
}

void
oi_ready_add(struct oi_ready *ready, const struct oi_series *series, const struct oi_rollup *rollup)
{
    struct oi_ready_bucket bucket = {
        .series = *series, .start = rollup->start, .count = rollup->count, .from = ready->rows.size
    };

    if (rollup->count > 0) {
        add_reading(&rollup->first, &ready->rows);
        add_reading(&rollup->high, &ready->rows);
        add_reading(&rollup->low, &ready->rows);
        add_reading(&rollup->last, &ready->rows);
    }
    bucket.size = ready->rows.size - bucket.from;
    oi_vector_push(&ready->buckets, bucket);
}

/* Of an empty set there are no bytes to point into. */
struct oi_slice
oi_ready_rows(const struct oi_ready *ready, size_t index)
{
    const struct oi_ready_bucket *bucket = &ready->buckets.items[index];

    if (bucket->size == 0)
        return (struct oi_slice){};
    return (struct oi_slice){ ready->rows.data + bucket->from, bucket->size };
}

void
oi_ready_copy(struct oi_ready *ready, const struct oi_ready *from, size_t index)
{
    struct oi_ready_bucket bucket = from->buckets.items[index];
    const struct oi_slice rows = oi_ready_rows(from, index);

    bucket.from = ready->rows.size;
    oi_buffer_add_slice(&ready->rows, rows);
    oi_vector_push(&ready->buckets, bucket);
}

void
oi_ready_encode(const struct oi_ready *ready, uint64_t version, struct oi_buffer *out)
{
    const struct oi_ready_bucket *items = ready->buckets.items;
    size_t count = ready->buckets.count;

    oi_native_begin(out, COLUMN_COUNT, count);
    ADD_NUMBERS("instrument", OI_NATIVE_UINT32, 32, items[i].series.instrument);
    ADD_NUMBERS("feed", OI_NATIVE_UINT16, 16, items[i].series.feed);
    ADD_NUMBERS("start", OI_NATIVE_INT64, 64, items[i].start);
    ADD_NUMBERS("version", OI_NATIVE_UINT64, 64, version);
    ADD_NUMBERS("count", OI_NATIVE_UINT32, 32, items[i].count);
    oi_native_head(out, "rows", OI_NATIVE_STRING);
    for (size_t i = 0; i < count; i++)
        oi_native_text(out, oi_ready_rows(ready, i));
}

/*
 * Reading.
 */

static enum oi_status
take_figure(struct oi_cursor *cursor, struct oi_decimal *ret_value, struct oi_error *error)
{
    int8_t exponent = (int8_t) oi_cursor_u8(cursor);

    *ret_value = (struct oi_decimal){};
    if (exponent == OI_EXPONENT_NONE)
        return OI_OK;
    if (exponent != OI_EXPONENT_WIDE) {
        int64_t mantissa = (int64_t) oi_cursor_u64(cursor);

        if (!oi_decimal_fits(mantissa, exponent))
            return oi_fail(error, OI_E_CORRUPT, "a figure in ClickHouse is no number of ours");
        *ret_value = oi_decimal_from(mantissa, exponent);
        return OI_OK;
    }
    if (oi_decimal_parse(oi_cursor_bytes(cursor, oi_cursor_u8(cursor)), ret_value, NULL) != OI_OK)
        return oi_fail(error, OI_E_CORRUPT, "a wide figure in ClickHouse is no number");
    return OI_OK;
}

static enum oi_status
take_rows(struct oi_slice bytes, struct oi_rollup *rollup, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);

    for (unsigned part = 0; part < PARTS; part++) {
        struct oi_observation *reading = part_of(rollup, part);

        reading->time = (oi_time) oi_cursor_u64(&cursor);
        reading->known_time = (oi_time) oi_cursor_u64(&cursor);
        reading->exchange_time = (oi_time) oi_cursor_u64(&cursor);
        reading->flags = oi_cursor_u16(&cursor);
        for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
            OI_TRY(take_figure(&cursor, figure_of(reading, figure), error));
    }
    if (cursor.failed || oi_cursor_left(&cursor) > 0)
        return oi_fail(error, OI_E_CORRUPT, "an hour in ClickHouse is damaged");
    return OI_OK;
}

static bool
same_reading(struct oi_observation *a, struct oi_observation *b)
{
    bool is_same = a->time == b->time && a->known_time == b->known_time &&
                   a->exchange_time == b->exchange_time && a->flags == b->flags;

    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        is_same = is_same && oi_decimal_equal(figure_of(a, figure), figure_of(b, figure));
    return is_same;
}

bool
oi_ready_same(struct oi_slice a, struct oi_slice b)
{
    struct oi_rollup left = {}, right = {};
    bool is_same;

    if (a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0))
        return true;
    is_same = take_rows(a, &left, NULL) == OI_OK && take_rows(b, &right, NULL) == OI_OK;
    for (unsigned part = 0; is_same && part < PARTS; part++)
        is_same = same_reading(part_of(&left, part), part_of(&right, part));
    return is_same;
}

/* Where each bucket of a version stands. */
struct place {
    oi_time start;
    uint64_t version;
    size_t index;
};

struct places {
    OI_VECTOR(struct place) items;
};

static int
compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->version < b->version) - (a->version > b->version);
}

static enum oi_status
take_block(const struct oi_native_block *block, struct oi_rollups *all, struct places *places,
           struct oi_error *error)
{
    const struct oi_native_column *start, *version, *count, *rows;

    OI_TRY(oi_native_find(block, "start", false, &start, error));
    OI_TRY(oi_native_find(block, "version", false, &version, error));
    OI_TRY(oi_native_find(block, "count", false, &count, error));
    OI_TRY(oi_native_find(block, "rows", true, &rows, error));
    for (size_t row = 0; row < block->rows; row++) {
        struct oi_rollup *rollup = oi_vector_add(all);
        const struct place place = { oi_native_int(start, row),
                                     (uint64_t) oi_native_int(version, row), all->count - 1 };

        *rollup = (struct oi_rollup){ .start = place.start,
                                      .count = (uint32_t) oi_native_int(count, row) };
        oi_vector_push(&places->items, place);
        if (rollup->count > 0)
            OI_TRY(take_rows(rows->strings[row], rollup, error));
    }
    return OI_OK;
}

/* Of each bucket the newest version, unless it is empty. */
static void
pick(const struct oi_rollups *all, const struct places *places, struct oi_rollups *rollups,
     uint64_t *ret_version)
{
    const struct place *items = places->items.items;

    *ret_version = 0;
    for (size_t i = 0; i < places->items.count; i++) {
        if (items[i].version > *ret_version)
            *ret_version = items[i].version;
        if (i > 0 && items[i].start == items[i - 1].start)
            continue;
        if (all->items[items[i].index].count > 0)
            oi_vector_push(rollups, all->items[items[i].index]);
    }
}

enum oi_status
oi_ready_decode(struct oi_slice body, struct oi_rollups *rollups, uint64_t *ret_version,
                struct oi_error *error)
{
    struct oi_rollups all = {};
    struct places places = {};
    struct oi_native_block block;
    enum oi_status status;

    while ((status = oi_native_next(&body, &block, error)) == OI_OK) {
        if (block.rows > 0)
            status = take_block(&block, &all, &places, error);
        oi_native_block_release(&block);
        if (status != OI_OK)
            break;
    }
    if (status == OI_E_NOT_FOUND) {
        status = OI_OK;
        if (places.items.count > 1)
            qsort(places.items.items, places.items.count, sizeof(struct place), compare_places);
        pick(&all, &places, rollups, ret_version);
    }
    oi_vector_release(&all);
    oi_vector_release(&places.items);
    return status;
}
