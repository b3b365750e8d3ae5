/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usual column has one exponent for all rows, so that comparing readings is comparing integers:
 * a run of rows within one bucket is reduced in a loop that the compiler vectorises, and decimals
 * are built once a bucket, not once a row.
 */
#include "series/candle.h"

#include "core/time.h"

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

/* A mantissa as a decimal; what the row at hand has is made already. */
static struct oi_decimal
value_of(const struct oi_decimals *column, int64_t mantissa, size_t row,
         const struct oi_decimal *of_row)
{
    return mantissa == column->mantissas[row] ? *of_row
                                              : oi_decimal_from(mantissa, column->exponent);
}

/* Rows [from, to) of a column with one exponent, whose last value is `close`, as high and low. */
static void
widen_by_run(const struct oi_decimals *column, size_t from, size_t to, struct oi_candle *candle)
{
    int64_t run_high, run_low;
    struct oi_decimal high, low;

    reduce(column->mantissas, from, to, &run_high, &run_low);
    high = value_of(column, run_high, to - 1, &candle->close);
    low = value_of(column, run_low, to - 1, &candle->close);
    if (candle->count == 0) {
        candle->high = high;
        candle->low = low;
        return;
    }
    widen(&candle->high, &candle->low, &high);
    widen(&candle->high, &candle->low, &low);
}

static bool
is_even(const struct oi_decimals *column)
{
    return column->mantissas && !column->exponents;
}

static void
add_run(struct oi_candle *candle, const struct oi_readings *readings, size_t from, size_t to)
{
    const struct oi_decimals *amounts = readings->amounts, *prices = readings->prices;

    candle->close = oi_decimals_get(amounts, to - 1);
    widen_by_run(amounts, from, to, candle);
    if (candle->count == 0) {
        candle->open = value_of(amounts, amounts->mantissas[from], to - 1, &candle->close);
        candle->first = readings->time[from];
    }
    candle->last = readings->time[to - 1];
    candle->count += (uint32_t) (to - from);
    if (!prices || !prices->mantissas)
        return;
    candle->price_close = oi_decimals_get(prices, to - 1);
    if (oi_decimal_is_none(&candle->price_open))
        candle->price_open =
            value_of(prices, prices->mantissas[from], to - 1, &candle->price_close);
}

void
oi_candles_add(struct oi_candles *candles, const struct oi_readings *readings)
{
    bool priced = readings->prices && readings->prices->mantissas;

    if (!readings->amounts->mantissas)
        return;
    if (is_even(readings->amounts) && (!priced || is_even(readings->prices))) {
        for (size_t from = 0, to; from < readings->count; from = to) {
            oi_time start = oi_interval_floor(candles->interval_ns, readings->time[from]);

            to = run_end(readings->time, from, readings->count, start + candles->interval_ns);
            add_run(candle_from(candles, start), readings, from, to);
        }
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
