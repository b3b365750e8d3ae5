/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usual column has one exponent for all rows, so that comparing readings is comparing integers:
 * a run of rows within one bucket is reduced in a loop that the compiler vectorises, and decimals
 * are built once a bucket, not once a row.
 */
#include "series/candle.h"

#include "core/time.h"
#include "series/series_internal.h"

static struct oi_candle *
candle_from(struct oi_candles *candles, oi_time start)
{
    struct oi_candle *candle;

    if (candles->items.count > 0 && candles->items.items[candles->items.count - 1].start == start)
        return &candles->items.items[candles->items.count - 1];
    candle = oi_vector_add(&candles->items);
    candle->start = start;
    return candle;
}

static struct oi_candle *
candle_at(struct oi_candles *candles, oi_time time)
{
    return candle_from(candles, oi_interval_floor(candles->interval_ns, time));
}

static void
widen(struct oi_decimal *high, struct oi_decimal *low, const struct oi_decimal *value)
{
    if (oi_decimal_is_none(high) || oi_decimal_compare(value, high) > 0)
        *high = *value;
    if (oi_decimal_is_none(low) || oi_decimal_compare(value, low) < 0)
        *low = *value;
}

static void
add_price(struct oi_candle *candle, const struct oi_decimal *price)
{
    if (!price || oi_decimal_is_none(price))
        return;
    if (oi_decimal_is_none(&candle->price_open))
        candle->price_open = *price;
    candle->price_close = *price;
}

void
oi_candles_add_one(struct oi_candles *candles, oi_time time, const struct oi_decimal *amount,
                   const struct oi_decimal *price)
{
    struct oi_candle *candle;

    if (oi_decimal_is_none(amount))
        return;
    candle = candle_at(candles, time);
    if (candle->count == 0) {
        candle->open = *amount;
        candle->first = time;
    }
    widen(&candle->high, &candle->low, amount);
    add_price(candle, price);
    candle->close = *amount;
    candle->last = time;
    candle->count++;
}

/* The first row at or after `end` in times[from, count). */
static size_t
run_end(const oi_time *times, size_t from, size_t count, oi_time end)
{
    size_t low = from, step = 1;

    while (low + step < count && times[low + step] < end) {
        low += step;
        step *= 2;
    }
    for (; step > 0; step /= 2)
        if (low + step < count && times[low + step] < end)
            low += step;
    return low + 1;
}

static void
reduce(const int64_t *mantissas, size_t from, size_t to, int64_t *ret_high, int64_t *ret_low)
{
    int64_t high = mantissas[from], low = mantissas[from];

    for (size_t row = from + 1; row < to; row++) {
        high = mantissas[row] > high ? mantissas[row] : high;
        low = mantissas[row] < low ? mantissas[row] : low;
    }
    *ret_high = high;
    *ret_low = low;
}

/* A mantissa as a decimal, made where it is to stand. */
static inline void
put_value(const struct oi_decimals *column, int64_t mantissa, struct oi_decimal *ret_value)
{
    const struct oi_decimals one = { .mantissas = &mantissa, .exponent = column->exponent };

    oi_decimals_put(&one, 0, ret_value);
}

static bool
is_even(const struct oi_decimals *column)
{
    return column->mantissas && !column->exponents;
}

/* Rows [from, to) of columns with one exponent, all of one candle: which has some already, or is
 * new, and then is made whole without being cleared before. */
static void
add_run(struct oi_candle *candle, bool is_new, const struct oi_readings *readings, size_t from,
        size_t to)
{
    const struct oi_decimals *amounts = readings->amounts, *prices = readings->prices;
    int64_t high, low;

    reduce(amounts->mantissas, from, to, &high, &low);
    oi_decimals_put(amounts, to - 1, &candle->close);
    candle->last = readings->time[to - 1];
    if (is_new) {
        oi_decimals_put(amounts, from, &candle->open);
        put_value(amounts, high, &candle->high);
        put_value(amounts, low, &candle->low);
        candle->first = readings->time[from];
        candle->count = 0;
        candle->is_incomplete = false;
        candle->price_open = candle->price_close = (struct oi_decimal){};
    } else {
        struct oi_decimal run_high, run_low;

        put_value(amounts, high, &run_high);
        put_value(amounts, low, &run_low);
        widen(&candle->high, &candle->low, &run_high);
        widen(&candle->high, &candle->low, &run_low);
    }
    candle->count += (uint32_t) (to - from);
    if (!prices || !prices->mantissas)
        return;
    oi_decimals_put(prices, to - 1, &candle->price_close);
    if (oi_decimal_is_none(&candle->price_open))
        oi_decimals_put(prices, from, &candle->price_open);
}

/* Candles that readings can be of, so that memory need not grow candle by candle. */
static size_t
candles_at_most(const struct oi_candles *candles, const struct oi_readings *readings)
{
    uint64_t width;

    if (readings->count == 0)
        return 0;
    width = (uint64_t) readings->time[readings->count - 1] - (uint64_t) readings->time[0];
    width = width / (uint64_t) candles->interval_ns + 2;
    return width < readings->count ? (size_t) width : readings->count;
}

static void
add_runs(struct oi_candles *candles, const struct oi_readings *readings)
{
    oi_time start = oi_interval_floor(candles->interval_ns, readings->time[0]);

    oi_vector_reserve(&candles->items, candles_at_most(candles, readings));
    for (size_t from = 0, to; from < readings->count; from = to) {
        bool is_new = candles->items.count == 0 ||
                      candles->items.items[candles->items.count - 1].start != start;
        struct oi_candle *candle;

        to = run_end(readings->time, from, readings->count, start + candles->interval_ns);
        candle = &candles->items.items[is_new ? candles->items.count++ : candles->items.count - 1];
        candle->start = start;
        add_run(candle, is_new, readings, from, to);
        if (to < readings->count)
            start = series_next_start(candles->interval_ns, start, readings->time[to]);
    }
}

void
oi_candles_add(struct oi_candles *candles, const struct oi_readings *readings)
{
    bool priced = readings->prices && readings->prices->mantissas;

    if (!readings->amounts->mantissas || readings->count == 0)
        return;
    if (is_even(readings->amounts) && (!priced || is_even(readings->prices))) {
        add_runs(candles, readings);
        return;
    }
    for (size_t row = 0; row < readings->count; row++) {
        struct oi_decimal amount = oi_decimals_get(readings->amounts, row), price = {};

        if (priced)
            price = oi_decimals_get(readings->prices, row);
        oi_candles_add_one(candles, readings->time[row], &amount, &price);
    }
}

void
oi_candles_add_part(struct oi_candles *candles, const struct oi_candle *part)
{
    struct oi_candle *candle = candle_at(candles, part->start);

    if (candle->count == 0) {
        candle->open = part->open;
        candle->first = part->first;
    }
    widen(&candle->high, &candle->low, &part->high);
    widen(&candle->high, &candle->low, &part->low);
    add_price(candle, &part->price_open);
    add_price(candle, &part->price_close);
    candle->close = part->close;
    candle->last = part->last;
    candle->count += part->count;
}

void
oi_candles_keep(struct oi_candles *candles, size_t kept)
{
    size_t dropped = candles->items.count > kept ? candles->items.count - kept : 0;

    if (dropped == 0)
        return;
    memmove(candles->items.items, candles->items.items + dropped,
            kept * sizeof(*candles->items.items));
    candles->items.count = kept;
}

void
oi_candles_release(struct oi_candles *candles)
{
    oi_vector_release(&candles->items);
}
