/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed rows into columns. Where rows lie one behind the other, as in a file that has a market
 * whole, they are taken column after column, some at a time that stay in the cache. Figures are
 * brought to one exponent, which is quicker than what the chunk does for rows that each have their
 * own; the bytes are the same.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_columns.h"

#include "base/compiler.h"
#include "store/chunk.h"

/* Memory is asked for this many rows ahead of its use: in a file by time each is somewhere else. */
#define PREFETCH_ROWS 12
#define CACHE_LINE 64
/* So many rows are taken column after column. */
#define BLOCK_ROWS ((size_t) 128)
/* Shorter stretches of rows one behind the other are taken row by row. */
#define STRETCH_ROWS 16

/* What all rows of the load have alike is put there once. */
static void
make_room(const struct oi_bulk_work *work, struct oi_bulk_columns *columns, size_t count)
{
    size_t words = 5 + OI_PACKED_FIGURES;
    char *at;

    if (count <= columns->capacity)
        return;
    oi_free(columns->memory);
    columns->memory = at =
        oi_alloc(count * (words * sizeof(int64_t) + sizeof(uint16_t) + OI_PACKED_FIGURES));
    columns->capacity = count;
    columns->time = (void *) at;
    columns->exchange_time = columns->time + count;
    columns->known_time = columns->exchange_time + count;
    columns->commit_time = columns->known_time + count;
    columns->batch = (void *) (columns->commit_time + count);
    for (unsigned i = 0; i < OI_PACKED_FIGURES; i++)
        columns->mantissas[i] = columns->commit_time + count * (2 + i);
    columns->flags = (void *) (columns->commit_time + count * (2 + OI_PACKED_FIGURES));
    columns->exponents[0] = (void *) (columns->flags + count);
    for (unsigned i = 1; i < OI_PACKED_FIGURES; i++)
        columns->exponents[i] = columns->exponents[i - 1] + count;
    for (size_t i = 0; i < count; i++) {
        columns->commit_time[i] = OI_CHUNK_UNCOMMITTED;
        columns->batch[i] = work->batch;
    }
}

void
oi_bulk_columns_release(struct oi_bulk_columns *columns)
{
    oi_free(columns->memory);
    oi_vector_release(&columns->wides);
    oi_vector_release(&columns->items);
    *columns = (struct oi_bulk_columns){};
}

/*
 * Gathering.
 */

/* Wide figures are numbered anew: those of a chunk may be of several parts. */
static int64_t
take_wide(struct oi_bulk_columns *columns, const struct oi_decimal *wide)
{
    oi_vector_push(&columns->wides, *wide);
    return (int64_t) columns->wides.count - 1;
}

static void
gather_scattered(const struct oi_bulk_work *work, const struct oi_bulk_item *items, size_t count,
                 struct oi_bulk_columns *columns)
{
    for (size_t i = 0; i < count; i++) {
        const struct oi_bulk_part *part = &work->bulk->parts[items[i].part];
        const struct oi_packed *row = &part->rows[items[i].row];

        if (i + PREFETCH_ROWS < count) {
            const char *ahead = (const char *) oi_bulk_row(work->bulk, items[i + PREFETCH_ROWS]);

            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + CACHE_LINE);
        }
        columns->time[i] = row->time;
        columns->exchange_time[i] = row->exchange_time;
        columns->known_time[i] = oi_bulk_known_time(row);
        columns->flags[i] = row->flags | part->targets[row->target].flags;
        for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++) {
            if (!work->has_figure[figure])
                continue;
            columns->mantissas[figure][i] = row->mantissas[figure];
            columns->exponents[figure][i] = row->exponents[figure];
            if (row->exponents[figure] == OI_EXPONENT_WIDE)
                columns->mantissas[figure][i] =
                    take_wide(columns, &part->wides[row->mantissas[figure]]);
        }
    }
}

/* One figure of rows one behind the other. */
static void
gather_figure(const struct oi_bulk_part *part, const struct oi_packed *rows, size_t count,
              unsigned figure, size_t at, struct oi_bulk_columns *columns)
{
    int64_t *mantissas = columns->mantissas[figure] + at;
    int8_t *exponents = columns->exponents[figure] + at;
    bool has_wides = false;

    for (size_t i = 0; i < count; i++) {
        mantissas[i] = rows[i].mantissas[figure];
        exponents[i] = rows[i].exponents[figure];
        has_wides |= exponents[i] == OI_EXPONENT_WIDE;
    }
    for (size_t i = 0; has_wides && i < count; i++)
        if (exponents[i] == OI_EXPONENT_WIDE)
            mantissas[i] = take_wide(columns, &part->wides[mantissas[i]]);
}

/* Rows one behind the other, a block of them. */
static void
gather_block(const struct oi_bulk_work *work, const struct oi_bulk_part *part,
             const struct oi_packed *rows, size_t count, size_t at, struct oi_bulk_columns *columns)
{
    oi_time *time = columns->time + at, *exchange_time = columns->exchange_time + at;
    oi_time *known_time = columns->known_time + at;
    uint16_t *flags = columns->flags + at;

    for (size_t i = 0; i < count; i++) {
        const char *ahead = (const char *) ((uintptr_t) &rows[i] + BLOCK_ROWS * sizeof(*rows));

        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + CACHE_LINE);
        time[i] = rows[i].time;
        exchange_time[i] = rows[i].exchange_time;
        known_time[i] = oi_bulk_known_time(&rows[i]);
        flags[i] = rows[i].flags | part->targets[rows[i].target].flags;
    }
    for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++)
        if (work->has_figure[figure])
            gather_figure(part, rows, count, figure, at, columns);
}

static void
gather_stretches(const struct oi_bulk_work *work, const struct oi_bulk_item *items, size_t count,
                 struct oi_bulk_columns *columns)
{
    for (size_t from = 0, to; from < count; from = to) {
        const struct oi_bulk_part *part = &work->bulk->parts[items[from].part];
        size_t end = from + BLOCK_ROWS < count ? from + BLOCK_ROWS : count;

        for (to = from + 1; to < end && items[to].part == items[from].part &&
                            items[to].row == items[to - 1].row + 1;)
            to++;
        gather_block(work, part, &part->rows[items[from].row], to - from, from, columns);
    }
}

/* Do most rows lie one behind the other? */
static bool
is_in_stretches(const struct oi_bulk_item *items, size_t count)
{
    size_t breaks = 0;

    for (size_t i = 1; i < count; i++)
        breaks += (items[i].part != items[i - 1].part) | (items[i].row != items[i - 1].row + 1);
    return breaks * STRETCH_ROWS <= count;
}

/*
 * Figures to one exponent.
 */

OI_VECTORISED static void
bounds_of_bulk_exponents(const int8_t *exponents, size_t count, int8_t *ret_smallest,
                         int8_t *ret_largest)
{
    int8_t smallest = INT8_MAX, largest = INT8_MIN;

    for (size_t i = 0; i < count; i++) {
        smallest = exponents[i] < smallest ? exponents[i] : smallest;
        largest = exponents[i] > largest ? exponents[i] : largest;
    }
    *ret_smallest = smallest;
    *ret_largest = largest;
}

OI_VECTORISED static void
raise_bulk_figure(int64_t *mantissas, const int8_t *exponents, size_t count, int smallest)
{
    for (size_t i = 0; i < count; i++)
        mantissas[i] *= oi_chunk_powers[exponents[i] - smallest];
}

/* Can all of them be multiplied by 10^power? */
static bool
has_room_for(uint64_t bits, int power)
{
    return power <= OI_CHUNK_POWER_MAX &&
           bits <= (uint64_t) (INT64_MAX / oi_chunk_powers[power]) / 2;
}

/* All rows at the smallest exponent; false, and nothing changed, where that cannot be. */
static bool
unite(int64_t *mantissas, const int8_t *exponents, size_t count, int smallest, int largest)
{
    if (has_room_for(oi_mantissas_bits(mantissas, count), largest - smallest)) {
        raise_bulk_figure(mantissas, exponents, count, smallest);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        int power = exponents[i] - smallest;
        int64_t product;

        if (mantissas[i] != 0 &&
            (power > OI_CHUNK_POWER_MAX ||
             __builtin_mul_overflow(mantissas[i], oi_chunk_powers[power], &product)))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (mantissas[i] != 0)
            mantissas[i] *= oi_chunk_powers[exponents[i] - smallest];
    return true;
}

static void
finish_figure(struct oi_bulk_columns *columns, unsigned figure, struct oi_decimals *column)
{
    int64_t *mantissas = columns->mantissas[figure];
    int8_t *exponents = columns->exponents[figure];
    int8_t smallest, largest;

    /* None is the smallest of all, wide the next. */
    bounds_of_bulk_exponents(exponents, columns->count, &smallest, &largest);
    if (largest == OI_EXPONENT_NONE)
        return;
    column->mantissas = mantissas;
    if (smallest > OI_EXPONENT_WIDE &&
        (smallest == largest || unite(mantissas, exponents, columns->count, smallest, largest))) {
        column->exponent = smallest;
        return;
    }
    /* Canonical, as the chunk takes rows that differ. */
    for (size_t i = 0; i < columns->count; i++) {
        if (exponents[i] <= OI_EXPONENT_WIDE)
            continue;
        struct oi_decimal value = oi_decimal_from(mantissas[i], exponents[i]);

        mantissas[i] = value.mantissa;
        exponents[i] = (int8_t) value.exponent;
    }
    column->exponents = exponents;
    column->wides = columns->wides.items;
}

void
oi_bulk_columns_fill(const struct oi_bulk_work *work, const struct oi_bulk_item *items,
                     size_t count, struct oi_bulk_columns *columns)
{
    struct oi_columns *rows = &columns->columns;
    struct oi_decimals *const figures[OI_PACKED_FIGURES] = { &rows->open_interest, &rows->value_usd,
                                                             &rows->mark_price, &rows->index_price,
                                                             &rows->last_price };

    make_room(work, columns, count);
    columns->count = count;
    oi_vector_clear(&columns->wides);
    if (is_in_stretches(items, count))
        gather_stretches(work, items, count, columns);
    else
        gather_scattered(work, items, count, columns);
    *rows = (struct oi_columns){ .count = count,
                                 .time = columns->time,
                                 .exchange_time = columns->exchange_time,
                                 .known_time = columns->known_time,
                                 .batch = columns->batch,
                                 .flags = columns->flags };
    for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++)
        if (work->has_figure[figure])
            finish_figure(columns, figure, figures[figure]);
}
