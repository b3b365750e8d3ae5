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

void
oi_bars_add(struct oi_bars *bars, oi_time time, const struct oi_decimal *amount,
            const struct oi_decimal *price)
{
    oi_time start = oi_interval_floor(bars->interval_ns, time);
    double value;

    if (!bars->is_filling || bars->start != start)
        begin_bar(bars, start);
    if (oi_decimal_is_none(amount) || oi_decimal_is_zero(amount)) {
        bars->has_previous = false;
        return;
    }
    value = oi_decimal_to_double(amount);
    if (!bars->has_value)
        bars->first_value = value;
    if (bars->has_previous && (value > bars->previous_value || value < bars->previous_value))
        add_change(bars, value);
    bars->previous_value = bars->last_value = value;
    bars->has_previous = bars->has_value = true;
    bars->last = *amount;
    if (!price || oi_decimal_sign(price) <= 0)
        return;
    bars->last_price = oi_decimal_to_double(price);
    if (!bars->has_price)
        bars->first_price = bars->last_price;
    bars->has_price = true;
}

void
oi_bars_release(struct oi_bars *bars)
{
    oi_vector_release(&bars->items);
}
