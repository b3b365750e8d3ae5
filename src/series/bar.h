/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interval metrics as Aperiodic defines them: last value, change inside the interval, deviation of
 * tick-to-tick changes, and change against the mark price's. Statistics are doubles, and only they.
 */
#pragma once

#include "base/vector.h"
#include "core/columns.h"
#include "series/candle.h"

#include <stdbool.h>
#include <stdint.h>

struct oi_bar {
    oi_time start;
    struct oi_decimal last;
    double last_value;     /* the same, rounded */
    double change_percent; /* (last - first) / first x 100, inside the interval */
    double volatility;     /* sample deviation of changes between unequal neighbours, a fraction */
    double price_ratio;    /* change of open interest over change of mark price */
    bool has_change, has_volatility, has_ratio; /* false: null */
};

/* A reader of columns that leaves bars behind. `{ .interval_ns = … }` is a fresh one. */
struct oi_bars {
    int64_t interval_ns;
    OI_VECTOR(struct oi_bar) items;
    /* The bar being filled. */
    bool is_filling;
    oi_time start;
    struct oi_decimal last;
    double first_value, previous_value, last_value;
    double first_price, last_price;
    double mean, squares; /* Welford's running mean and sum of squared deviations of the changes */
    uint32_t change_count;
    bool has_previous, has_price, has_value;
};

/* Add one tick behind everything added so far. A zero is a null first, as the vendor's engine has
 * it: it breaks the chain of changes. `price` may be none. */
void oi_bars_add(struct oi_bars *bars, oi_time time, const struct oi_decimal *amount,
                 const struct oi_decimal *price);
/* The same of many: `readings` as candles take them, in order. Columns with one exponent are turned
 * into doubles as they are; the bars do not differ by a bit. */
void oi_bars_add_readings(struct oi_bars *bars, const struct oi_readings *readings);
/* Close the bar being filled. */
void oi_bars_finish(struct oi_bars *bars);
void oi_bars_release(struct oi_bars *bars);
