/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a bulk load as records, on all threads: what goes elsewhere in one piece, without being
 * compared with anything. Each thread takes stretches of one series.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

#define BATCH_ROWS_MAX ((size_t) 1 << 20)
/* In a file by time each row of a series is a cache miss: memory is asked this many rows ahead. */
#define PREFETCH_ROWS 16
#define CACHE_LINE 64

struct stretch {
    const struct oi_bulk_load *load;
    size_t from, count; /* of its items */
    size_t at;          /* in the set */
};

struct making {
    const struct oi_bulk_work *work;
    OI_VECTOR(struct stretch) stretches;
    atomic_size_t next;
    struct oi_batch_rows *rows;
    atomic_bool has_wides;
};

static void
make_record(const struct making *making, struct oi_bulk_item item, struct oi_record *record,
            bool *has_wides)
{
    const struct oi_bulk *bulk = making->work->bulk;
    const struct oi_packed *row = oi_bulk_row(bulk, item);

    record->time = row->time;
    record->exchange_time = row->exchange_time;
    record->known_time = row->known_time;
    record->flags = (uint16_t) (row->flags | bulk->parts[item.part].targets[row->target].flags);
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        struct oi_decimal value;

        record->mantissas[figure] = 0;
        record->exponents[figure] = row->exponents[figure];
        if (row->exponents[figure] == OI_EXPONENT_NONE)
            continue;
        if (row->exponents[figure] != OI_EXPONENT_WIDE && row->mantissas[figure] % 10 != 0) {
            record->mantissas[figure] = row->mantissas[figure];
            continue;
        }
        value = oi_packed_figure(row, figure, bulk->parts[item.part].wides);
        *has_wides |= value.form != OI_DECIMAL_PLAIN;
        record->mantissas[figure] = value.mantissa;
        record->exponents[figure] = (int8_t) value.exponent;
    }
}

static void
prefetch(const struct oi_bulk *bulk, struct oi_bulk_item item)
{
    const char *row = (const char *) oi_bulk_row(bulk, item);

    __builtin_prefetch(row);
    __builtin_prefetch(row + CACHE_LINE);
}

static void
make_stretches(void *context)
{
    struct making *making = context;
    bool has_wides = false;
    size_t i;

    while ((i = atomic_fetch_add(&making->next, 1)) < making->stretches.count) {
        const struct stretch *stretch = &making->stretches.items[i];
        const struct oi_bulk_item *items = stretch->load->items + stretch->from;

        for (size_t k = 0; k < stretch->count; k++) {
            if (k + PREFETCH_ROWS < stretch->count)
                prefetch(making->work->bulk, items[k + PREFETCH_ROWS]);
            make_record(making, items[k], &making->rows->rows.items[stretch->at + k], &has_wides);
            making->rows->series.items[stretch->at + k] = stretch->load->series;
        }
    }
    if (has_wides)
        atomic_store(&making->has_wides, true);
}

size_t
oi_bulk_count(const struct oi_bulk_work *work, bool *ret_plain)
{
    size_t count = 0;
    bool is_plain = true;

    for (size_t i = 0; i < work->load_count; i++) {
        is_plain &= !work->loads[i].is_tangled;
        count += work->loads[i].count;
    }
    if (ret_plain)
        *ret_plain = is_plain;
    return count;
}

/* Each batch takes several questions; all are of one size: the rest of a division would be one
 * more. */
size_t
oi_bulk_batch(const struct oi_bulk_work *work)
{
    size_t rows = oi_bulk_count(work, NULL);

    return rows / (rows / BATCH_ROWS_MAX + 1) + 1;
}

static void
swap_spare(struct oi_store *store, struct oi_batch_rows *rows)
{
    const struct oi_batch_rows own = *rows;

    (void) pthread_mutex_lock(&store->append_lock);
    *rows = store->spare_rows;
    store->spare_rows = own;
    (void) pthread_mutex_unlock(&store->append_lock);
}

void
oi_bulk_leave_records(struct oi_store *store, struct oi_batch_rows *rows)
{
    swap_spare(store, rows);
    oi_batch_rows_release(rows);
}

void
oi_bulk_forget_records(struct oi_store *store)
{
    struct oi_batch_rows none = {};

    oi_bulk_leave_records(store, &none);
}

bool
oi_bulk_take_records(struct oi_store *store, struct oi_bulk_work *work, size_t limit,
                     struct oi_batch_rows *rows)
{
    struct making making = { .work = work, .rows = rows };
    size_t count = 0;

    for (size_t i = 0; i < work->load_count && count < limit; i++) {
        struct stretch stretch = { &work->loads[i], 0, work->loads[i].count, count };

        if (stretch.count > limit - count)
            stretch.count = limit - count;
        if (stretch.count > 0)
            oi_vector_push(&making.stretches, stretch);
        count += stretch.count;
    }
    if (rows->rows.capacity == 0)
        swap_spare(store, rows);
    rows->rows.count = rows->series.count = 0;
    oi_batch_rows_reserve(rows, count);
    oi_bulk_on_all_threads(work->bulk, make_stretches, &making);
    rows->rows.count = rows->series.count = count;
    oi_vector_release(&making.stretches);
    return !atomic_load(&making.has_wides);
}

void
oi_bulk_drop_items(struct oi_bulk_work *work, size_t count)
{
    for (size_t i = 0; i < work->load_count && count > 0; i++) {
        struct oi_bulk_load *load = &work->loads[i];
        size_t taken = load->count < count ? load->count : count;

        load->items += taken;
        load->count -= taken;
        count -= taken;
    }
}
