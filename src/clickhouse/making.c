/* SPDX-License-Identifier: Apache-2.0 */
/* Hours and days of rows that are being written. */
#include "clickhouse/making.h"

#include "base/alloc.h"

/* More series and buckets than this are read back: they would take a hundred megabytes. */
#define SERIES_MAX 10'000
#define BUCKETS_MAX ((size_t) 200'000)

/* {} is empty. The day is without the hour. */
struct oi_making_open {
    struct oi_rollup hour, day;
};

void
oi_making_release(struct oi_making *making)
{
    for (size_t i = 0; i < making->items.count; i++)
        oi_free(making->items.items[i].open);
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

/* Has row a more open interest than row b? */
static bool
is_higher(const struct oi_rows *rows, size_t a, size_t b)
{
    const struct oi_record *one = &rows->items[a], *other = &rows->items[b];
    struct oi_decimal left, right;

    if (one->exponents[0] == other->exponents[0] && one->exponents[0] != OI_EXPONENT_WIDE)
        return one->mantissas[0] > other->mantissas[0];
    left = oi_rows_figure(rows, a, 0);
    right = oi_rows_figure(rows, b, 0);
    return oi_decimal_compare(&left, &right) > 0;
}

/* Rows of one hour, in order; of equal heights the first one stays. */
static struct oi_rollup
roll_up(const struct oi_rows *rows, size_t from, size_t to)
{
    size_t high = from, low = from;

    for (size_t i = from + 1; i < to; i++) {
        high = is_higher(rows, i, high) ? i : high;
        low = is_higher(rows, low, i) ? i : low;
    }
    return (struct oi_rollup){ .count = (uint32_t) (to - from),
                               .first = oi_rows_get(rows, from),
                               .high = oi_rows_get(rows, high),
                               .low = oi_rows_get(rows, low),
                               .last = oi_rows_get(rows, to - 1) };
}

/* Later rows into a bucket. */
static void
fold(struct oi_rollup *bucket, const struct oi_rollup *more)
{
    if (bucket->count == 0) {
        oi_time start = bucket->start;

        *bucket = *more;
        bucket->start = start;
        return;
    }
    bucket->count += more->count;
    if (oi_decimal_compare(&more->high.open_interest, &bucket->high.open_interest) > 0)
        bucket->high = more->high;
    if (oi_decimal_compare(&more->low.open_interest, &bucket->low.open_interest) < 0)
        bucket->low = more->low;
    bucket->last = more->last;
}

/* The hour is done, and the day if it is another one now. */
static void
begin_hour(struct oi_making *making, struct oi_making_series *item, oi_time start)
{
    struct oi_making_open *open = item->open;
    oi_time day = oi_interval_floor(OI_DAY, start);

    if (open->hour.count > 0) {
        oi_ready_add(&making->hours, &item->series, &open->hour);
        fold(&open->day, &open->hour);
    }
    if (open->day.start != day) {
        if (open->day.count > 0)
            oi_ready_add(&making->days, &item->series, &open->day);
        open->day = (struct oi_rollup){ .start = day };
    }
    open->hour = (struct oi_rollup){ .start = start };
}

/* False when a row is not later than the one before. */
static bool
add_rows(struct oi_making *making, struct oi_making_series *item, const struct oi_rows *rows,
         size_t from, size_t to)
{
    const struct oi_record *records = rows->items;

    if (item->last != OI_TIME_NONE && records[from].time <= item->last)
        return false;
    for (size_t begin = from, end; begin < to; begin = end) {
        oi_time start = oi_interval_floor(OI_HOUR, records[begin].time);
        struct oi_rollup run;

        for (end = begin + 1; end < to && records[end].time < start + OI_HOUR; end++)
            if (records[end].time <= records[end - 1].time)
                return false;
        run = roll_up(rows, begin, end);
        if (item->open->hour.count == 0 || item->open->hour.start != start)
            begin_hour(making, item, start);
        fold(&item->open->hour, &run);
    }
    item->last = records[to - 1].time;
    return true;
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
        if (!item->open)
            item->open = oi_alloc_zero(1, sizeof(*item->open));
    }
    item->is_spoiled |= before != item->last;
    if (!item->is_spoiled)
        item->is_spoiled = !add_rows(making, item, rows, from, to);
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
        const struct oi_making_series *item = &making->items.items[i];
        struct oi_rollup day;

        if (item->is_spoiled || !item->open || item->open->hour.count == 0)
            continue;
        day = item->open->day;
        fold(&day, &item->open->hour);
        oi_ready_add(&making->hours, &item->series, &item->open->hour);
        oi_ready_add(&making->days, &item->series, &day);
    }
}

void
oi_making_turn(struct oi_making *making)
{
    oi_ready_clear(&making->hours);
    oi_ready_clear(&making->days);
    if (making->is_spoiled)
        oi_making_release(making);
    for (size_t i = 0; i < making->items.count; i++) {
        struct oi_making_series *item = &making->items.items[i];

        if (!item->is_spoiled)
            continue;
        oi_free(item->open);
        *item = (struct oi_making_series){};
    }
}
