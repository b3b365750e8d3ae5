/* SPDX-License-Identifier: Apache-2.0 */
/* Hours and days of rows that are being written. */
#include "clickhouse/making.h"

/* More series and buckets than this are read back: they would take a hundred megabytes. */
#define SERIES_MAX 10'000
#define BUCKETS_MAX ((size_t) 200'000)

void
oi_making_release(struct oi_making *making)
{
    for (size_t i = 0; i < making->items.count; i++) {
        oi_vector_release(&making->items.items[i].hours);
        oi_vector_release(&making->items.items[i].days);
    }
    oi_vector_release(&making->items);
    oi_ready_release(&making->hours);
    oi_ready_release(&making->days);
    *making = (struct oi_making){};
}

void
oi_making_spoil(struct oi_making *making, uint32_t series)
{
    if (making->is_spoiled)
        return;
    if (series == 0) {
        oi_making_release(making);
        making->is_spoiled = true;
        return;
    }
    if (series > SERIES_MAX)
        return;
    while (making->items.count < series)
        oi_vector_push(&making->items, (struct oi_making_series){});
    making->items.items[series - 1].is_spoiled = true;
}

/* A row into its bucket; the bucket before it is done. */
static void
add_row(struct oi_ready *ready, struct oi_rollups *open, int64_t interval_ns,
        const struct oi_series *series, const struct oi_observation *reading)
{
    oi_rollups_add(open, interval_ns, reading);
    if (open->count < 2)
        return;
    oi_ready_add(ready, series, &open->items[0]);
    open->items[0] = open->items[1];
    open->count = 1;
}

void
oi_making_add(struct oi_making *making, const struct oi_series *series, oi_time before,
              const struct oi_rows *rows, size_t from, size_t to)
{
    struct oi_making_series *item;
    oi_time day;

    if (making->is_spoiled || series->id > SERIES_MAX || from >= to)
        return;
    while (making->items.count < series->id)
        oi_vector_push(&making->items, (struct oi_making_series){});
    item = &making->items.items[series->id - 1];
    day = oi_interval_floor(OI_DAY, rows->items[from].time);
    if (!item->is_begun) {
        item->is_begun = true;
        item->series = *series;
        item->from = day;
        item->last = before;
        item->is_spoiled |= before != OI_TIME_NONE && before >= day;
    }
    item->is_spoiled |= before != item->last;
    for (size_t i = from; i < to && !item->is_spoiled; i++) {
        const struct oi_observation reading = oi_rows_get(rows, i);

        if (item->last != OI_TIME_NONE && reading.time <= item->last) {
            item->is_spoiled = true;
            break;
        }
        item->last = reading.time;
        add_row(&making->hours, &item->hours, OI_HOUR, series, &reading);
        add_row(&making->days, &item->days, OI_DAY, series, &reading);
    }
    if (making->hours.buckets.count > BUCKETS_MAX)
        oi_making_spoil(making, 0);
}

bool
oi_making_has(const struct oi_making *making, uint32_t series, oi_time from, oi_time last)
{
    const struct oi_making_series *item;

    if (making->is_spoiled || series == 0 || series > making->items.count)
        return false;
    item = &making->items.items[series - 1];
    return item->is_begun && !item->is_spoiled && item->from <= from && item->last == last;
}

void
oi_making_finish(struct oi_making *making)
{
    for (size_t i = 0; i < making->items.count; i++) {
        struct oi_making_series *item = &making->items.items[i];

        if (item->is_spoiled || item->hours.count == 0)
            continue;
        oi_ready_add(&making->hours, &item->series, &item->hours.items[0]);
        oi_ready_add(&making->days, &item->series, &item->days.items[0]);
    }
}
