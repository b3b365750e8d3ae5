/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definitions follow the vendor's public engine: a change is counted only between consecutive
 * ticks that differ, the first tick of a bar has no predecessor, the deviation is the sample one
 * and null below two changes. Zero denominators give a null, never infinity.
 */
#include "series/bar.h"

#include "core/time.h"

#include <math.h>

void
oi_bars_finish(struct oi_bars *bars)
{
    struct oi_bar bar = { .start = bars->start, .last = bars->last };
    double change, price_change;

    if (!bars->is_filling || !bars->has_value) {
        bars->is_filling = false;
        return;
    }
    change = (bars->last_value - bars->first_value) / bars->first_value;
    bar.has_change = true;
    bar.change_percent = change * 100;
    if (bars->change_count >= 2) {
        bar.has_volatility = true;
        bar.volatility = sqrt(bars->squares / (bars->change_count - 1));
    }
    if (bars->has_price) {
        price_change = (bars->last_price - bars->first_price) / bars->first_price;
        if (price_change > 0 || price_change < 0) {
            bar.has_ratio = true;
            bar.price_ratio = change / price_change;
        }
    }
    oi_vector_push(&bars->items, bar);
    bars->is_filling = false;
}

static void
begin_bar(struct oi_bars *bars, oi_time start)
{
    oi_bars_finish(bars);
    bars->is_filling = true;
    bars->start = start;
    bars->last = (struct oi_decimal){};
    bars->mean = bars->squares = 0;
    bars->change_count = 0;
    bars->has_previous = bars->has_price = bars->has_value = false;
}

static void
add_change(struct oi_bars *bars, double value)
{
    double change = (value - bars->previous_value) / bars->previous_value;
    double before = change - bars->mean;

    bars->change_count++;
    bars->mean += before / bars->change_count;
    bars->squares += before * (change - bars->mean);
}

/* A tick that is not zero. */
static void
add_value(struct oi_bars *bars, double value)
{
    if (!bars->has_value)
        bars->first_value = value;
    if (bars->has_previous && (value > bars->previous_value || value < bars->previous_value))
        add_change(bars, value);
    bars->previous_value = bars->last_value = value;
    bars->has_previous = bars->has_value = true;
}

static void
add_price(struct oi_bars *bars, double price)
{
    bars->last_price = price;
    if (!bars->has_price)
        bars->first_price = price;
    bars->has_price = true;
}

void
oi_bars_add(struct oi_bars *bars, oi_time time, const struct oi_decimal *amount,
            const struct oi_decimal *price)
{
    oi_time start = oi_interval_floor(bars->interval_ns, time);

    if (!bars->is_filling || bars->start != start)
        begin_bar(bars, start);
    if (oi_decimal_is_none(amount) || oi_decimal_is_zero(amount)) {
        bars->has_previous = false;
        return;
    }
    add_value(bars, oi_decimal_to_double(amount));
    bars->last = *amount;
    if (price && oi_decimal_sign(price) > 0)
        add_price(bars, oi_decimal_to_double(price));
}

/* A column of one exponent in which mantissas and the power of ten are doubles exactly: then one
 * operation rounds once, as oi_decimal_to_double does. */
struct plain_column {
    const int64_t *mantissas;
    double power;
    bool divides;
};

static bool
take_plain(const struct oi_decimals *column, size_t count, struct plain_column *ret_plain)
{
    int exponent = column->exponent;
    uint64_t large = 0;
    double power = 1;

    if (!column->mantissas || column->exponents || exponent < -22 || exponent > 22)
        return false;
    for (size_t row = 0; row < count; row++)
        large |= (uint64_t) (column->mantissas[row] < 0 ? -(uint64_t) column->mantissas[row]
                                                        : (uint64_t) column->mantissas[row]);
    if (large >> 53 != 0)
        return false;
    for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
        power *= 10; /* exact up to 10^22 */
    *ret_plain = (struct plain_column){ column->mantissas, power, exponent < 0 };
    return true;
}

static double
plain_value(const struct plain_column *column, size_t row)
{
    double mantissa = (double) column->mantissas[row];

    return column->divides ? mantissa / column->power : mantissa * column->power;
}

/* Rows [from, to), all of the bar being filled. */
static void
add_run(struct oi_bars *bars, const struct oi_readings *readings,
        const struct plain_column *amounts, const struct plain_column *prices, size_t from,
        size_t to)
{
    size_t last = to;

    for (size_t row = from; row < to; row++) {
        if (amounts->mantissas[row] == 0) {
            bars->has_previous = false;
            continue;
        }
        add_value(bars, plain_value(amounts, row));
        last = row;
        if (prices->mantissas && prices->mantissas[row] > 0)
            add_price(bars, plain_value(prices, row));
    }
    if (last < to)
        bars->last = oi_decimals_get(readings->amounts, last);
}

void
oi_bars_add_readings(struct oi_bars *bars, const struct oi_readings *readings)
{
    struct plain_column amounts = {}, prices = {};
    bool is_priced = readings->prices && readings->prices->mantissas;

    if (take_plain(readings->amounts, readings->count, &amounts) &&
        (!is_priced || take_plain(readings->prices, readings->count, &prices))) {
        for (size_t from = 0, to; from < readings->count; from = to) {
            oi_time start = oi_interval_floor(bars->interval_ns, readings->time[from]);

            for (to = from + 1;
                 to < readings->count &&
                 (uint64_t) readings->time[to] - (uint64_t) start < (uint64_t) bars->interval_ns;)
                to++;
            if (!bars->is_filling || bars->start != start)
                begin_bar(bars, start);
            add_run(bars, readings, &amounts, &prices, from, to);
        }
        return;
    }
    for (size_t row = 0; row < readings->count; row++) {
        struct oi_decimal amount = oi_decimals_get(readings->amounts, row), price = {};

        if (is_priced)
            price = oi_decimals_get(readings->prices, row);
        oi_bars_add(bars, readings->time[row], &amount, &price);
    }
}

void
oi_bars_release(struct oi_bars *bars)
{
    oi_vector_release(&bars->items);
}
