/* SPDX-License-Identifier: Apache-2.0 */
/* Ready made hours and days as blocks and back. */
#include "clickhouse/ready.h"

#include "base/alloc.h"
#include "clickhouse/readings.h"
#include "store/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_COUNT (5 + OI_READY_PARTS * (5 + 2 * OI_FIGURE_COUNT))
/* Of one part. */
#define NAME_SIZE 64

const char *const oi_ready_parts[OI_READY_PARTS] = { "first", "high", "low", "last" };

static const unsigned figure_columns[OI_FIGURE_COUNT] = {
    OI_COLUMN_OPEN_INTEREST, OI_COLUMN_VALUE_USD,  OI_COLUMN_MARK_PRICE,
    OI_COLUMN_INDEX_PRICE,   OI_COLUMN_LAST_PRICE,
};

static struct oi_observation *
part_of(struct oi_rollup *rollup, unsigned part)
{
    struct oi_observation *const parts[OI_READY_PARTS] = { &rollup->first, &rollup->high,
                                                           &rollup->low, &rollup->last };

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
    oi_vector_release(&ready->rollups);
    oi_vector_release(&ready->series);
}

void
oi_ready_clear(struct oi_ready *ready)
{
    oi_vector_clear(&ready->rollups);
    oi_vector_clear(&ready->series);
}

void
oi_ready_add(struct oi_ready *ready, const struct oi_series *series, const struct oi_rollup *rollup)
{
    oi_vector_push(&ready->rollups, *rollup);
    oi_vector_push(&ready->series, *series);
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

static const char *
name_of(unsigned part, const char *what, char name[NAME_SIZE])
{
    (void) snprintf(name, NAME_SIZE, "%s_%s", oi_ready_parts[part], what);
    return name;
}

static const char *
figure_name(unsigned part, unsigned figure, const char *what, char name[NAME_SIZE])
{
    (void) snprintf(name, NAME_SIZE, "%s_%s_%s", oi_ready_parts[part], oi_reading_figures[figure],
                    what);
    return name;
}

/* As in `readings`: the mantissa of a wide figure counts those before it. */
static int64_t
mantissa_of(struct oi_observation *reading, unsigned figure)
{
    const struct oi_decimal *value = figure_of(reading, figure);
    int64_t before = 0;

    if (value->form == OI_DECIMAL_NONE)
        return 0;
    if (value->form == OI_DECIMAL_PLAIN)
        return value->mantissa;
    for (unsigned i = 0; i < figure; i++)
        before += oi_decimals_exponent(figure_of(reading, i)) == OI_EXPONENT_WIDE;
    return before;
}

static void
add_wides(struct oi_observation *reading, struct oi_buffer *out)
{
    struct oi_buffer text = {};

    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (oi_decimals_exponent(figure_of(reading, figure)) != OI_EXPONENT_WIDE)
            continue;
        if (text.size > 0)
            oi_buffer_add_char(&text, ' ');
        oi_decimal_write(figure_of(reading, figure), &text);
    }
    oi_native_text(out, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

static void
encode_part(struct oi_rollup *items, size_t count, unsigned part, struct oi_buffer *out)
{
    char name[NAME_SIZE];

    ADD_NUMBERS(name_of(part, "time", name), OI_NATIVE_INT64, 64, part_of(&items[i], part)->time);
    ADD_NUMBERS(name_of(part, "known_time", name), OI_NATIVE_INT64, 64,
                part_of(&items[i], part)->known_time);
    ADD_NUMBERS(name_of(part, "exchange_time", name), OI_NATIVE_INT64, 64,
                part_of(&items[i], part)->exchange_time);
    ADD_NUMBERS(name_of(part, "flags", name), OI_NATIVE_UINT16, 16,
                part_of(&items[i], part)->flags);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        ADD_NUMBERS(figure_name(part, figure, "mantissa", name), OI_NATIVE_INT64, 64,
                    mantissa_of(part_of(&items[i], part), figure));
        ADD_NUMBERS(figure_name(part, figure, "exponent", name), OI_NATIVE_INT8, 8,
                    oi_decimals_exponent(figure_of(part_of(&items[i], part), figure)));
    }
    oi_native_head(out, name_of(part, "wides", name), OI_NATIVE_STRING);
    for (size_t i = 0; i < count; i++)
        add_wides(part_of(&items[i], part), out);
}

void
oi_ready_encode(const struct oi_ready *ready, uint64_t version, struct oi_buffer *out)
{
    struct oi_rollup *items = ready->rollups.items;
    const struct oi_series *series = ready->series.items;
    size_t count = ready->rollups.count;

    oi_native_begin(out, COLUMN_COUNT, count);
    ADD_NUMBERS("instrument", OI_NATIVE_UINT32, 32, series[i].instrument);
    ADD_NUMBERS("feed", OI_NATIVE_UINT16, 16, series[i].feed);
    ADD_NUMBERS("start", OI_NATIVE_INT64, 64, items[i].start);
    ADD_NUMBERS("version", OI_NATIVE_UINT64, 64, version);
    ADD_NUMBERS("count", OI_NATIVE_UINT32, 32, items[i].count);
    for (unsigned part = 0; part < OI_READY_PARTS; part++)
        encode_part(items, count, part, out);
}

/*
 * Reading.
 */

static bool
has_figures(unsigned columns)
{
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        if (columns & figure_columns[figure])
            return true;
    return false;
}

void
oi_ready_select(const struct oi_rollup_request *request, bool lacks_wides, struct oi_buffer *out)
{
    oi_buffer_add_text(out, "start,version,count");
    for (unsigned part = 0; part < OI_READY_PARTS; part++) {
        const char *name = oi_ready_parts[part];
        unsigned columns = request->columns[part];

        if (!(request->parts & 1u << part))
            continue;
        oi_buffer_add_format(out, ",%s_time,%s_flags", name, name);
        if (columns & OI_COLUMN_KNOWN_TIME)
            oi_buffer_add_format(out, ",%s_known_time", name);
        if (columns & OI_COLUMN_EXCHANGE_TIME)
            oi_buffer_add_format(out, ",%s_exchange_time", name);
        for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
            if (columns & figure_columns[figure])
                oi_buffer_add_format(out, ",%s_%s_mantissa,%s_%s_exponent", name,
                                     oi_reading_figures[figure], name, oi_reading_figures[figure]);
        if (has_figures(columns) && !lacks_wides)
            oi_buffer_add_format(out, ",%s_wides", name);
    }
}

struct figure_view {
    const struct oi_native_column *mantissa, *exponent, *wides;
};

static enum oi_status
take_figure(const struct figure_view *view, size_t row, struct oi_decimal *ret_value,
            struct oi_error *error)
{
    int64_t mantissa = oi_native_int(view->mantissa, row);
    int64_t exponent = oi_native_int(view->exponent, row);
    struct oi_slice texts, text = {};

    *ret_value = (struct oi_decimal){};
    if (exponent == OI_EXPONENT_NONE)
        return OI_OK;
    if (exponent != OI_EXPONENT_WIDE) {
        if (exponent < INT8_MIN || exponent > INT8_MAX ||
            !oi_decimal_fits(mantissa, (int) exponent))
            return oi_fail(error, OI_E_CORRUPT, "a figure in ClickHouse is no number of ours");
        *ret_value = oi_decimal_from(mantissa, (int) exponent);
        return OI_OK;
    }
    if (!view->wides || mantissa < 0 || mantissa >= OI_FIGURE_COUNT)
        return oi_fail(error, OI_E_CORRUPT, "an hour in ClickHouse lacks a wide figure");
    texts = view->wides->strings[row];
    for (int64_t i = 0; i <= mantissa; i++)
        if (!oi_slice_next_part(&texts, ' ', &text))
            return oi_fail(error, OI_E_CORRUPT, "an hour in ClickHouse lacks a wide figure");
    if (oi_decimal_parse(text, ret_value, NULL) != OI_OK)
        return oi_fail(error, OI_E_CORRUPT, "a wide figure in ClickHouse is no number");
    return OI_OK;
}

static enum oi_status
take_figures(const struct oi_native_block *block, unsigned part, unsigned columns, bool lacks_wides,
             struct oi_rollup *items, struct oi_error *error)
{
    struct figure_view view = {};
    char name[NAME_SIZE];

    if (has_figures(columns) && !lacks_wides)
        OI_TRY(oi_native_find(block, name_of(part, "wides", name), true, &view.wides, error));
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        if (!(columns & figure_columns[figure]))
            continue;
        OI_TRY(oi_native_find(block, figure_name(part, figure, "mantissa", name), false,
                              &view.mantissa, error));
        OI_TRY(oi_native_find(block, figure_name(part, figure, "exponent", name), false,
                              &view.exponent, error));
        for (size_t row = 0; row < block->rows; row++)
            OI_TRY(take_figure(&view, row, figure_of(part_of(&items[row], part), figure), error));
    }
    return OI_OK;
}

static enum oi_status
take_part(const struct oi_native_block *block, unsigned part, unsigned columns,
          struct oi_rollup *items, struct oi_error *error)
{
    const struct oi_native_column *time, *flags, *known = NULL, *exchange = NULL;
    char name[NAME_SIZE];

    OI_TRY(oi_native_find(block, name_of(part, "time", name), false, &time, error));
    OI_TRY(oi_native_find(block, name_of(part, "flags", name), false, &flags, error));
    if (columns & OI_COLUMN_KNOWN_TIME)
        OI_TRY(oi_native_find(block, name_of(part, "known_time", name), false, &known, error));
    if (columns & OI_COLUMN_EXCHANGE_TIME)
        OI_TRY(
            oi_native_find(block, name_of(part, "exchange_time", name), false, &exchange, error));
    for (size_t row = 0; row < block->rows; row++) {
        struct oi_observation *reading = part_of(&items[row], part);

        *reading = OI_OBSERVATION_NONE;
        reading->time = oi_native_int(time, row);
        reading->flags = (uint16_t) oi_native_int(flags, row);
        if (known)
            reading->known_time = oi_native_int(known, row);
        if (exchange)
            reading->exchange_time = oi_native_int(exchange, row);
    }
    return OI_OK;
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
take_block(const struct oi_native_block *block, const struct oi_rollup_request *request,
           bool lacks_wides, struct oi_rollups *all, struct places *places, struct oi_error *error)
{
    const struct oi_native_column *start, *version, *count;
    struct oi_rollup *items;

    OI_TRY(oi_native_find(block, "start", false, &start, error));
    OI_TRY(oi_native_find(block, "version", false, &version, error));
    OI_TRY(oi_native_find(block, "count", false, &count, error));
    for (size_t row = 0; row < block->rows; row++) {
        struct oi_rollup *rollup = oi_vector_add(all);
        const struct place place = { oi_native_int(start, row),
                                     (uint64_t) oi_native_int(version, row), all->count - 1 };

        rollup->start = place.start;
        rollup->count = (uint32_t) oi_native_int(count, row);
        oi_vector_push(&places->items, place);
    }
    items = all->items + (all->count - block->rows);
    for (unsigned part = 0; part < OI_READY_PARTS; part++) {
        unsigned columns = request->columns[part];

        if (!(request->parts & 1u << part))
            continue;
        OI_TRY(take_part(block, part, columns, items, error));
        OI_TRY(take_figures(block, part, columns, lacks_wides, items, error));
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
oi_ready_decode(struct oi_slice body, const struct oi_rollup_request *request, bool lacks_wides,
                struct oi_rollups *rollups, uint64_t *ret_version, struct oi_error *error)
{
    struct oi_rollups all = {};
    struct places places = {};
    struct oi_native_block block;
    enum oi_status status;

    while ((status = oi_native_next(&body, &block, error)) == OI_OK) {
        if (block.rows > 0)
            status = take_block(&block, request, lacks_wides, &all, &places, error);
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
