/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definitions follow the vendor's public engine: a change is counted only between consecutive
 * ticks that differ, the first tick of a bar has no predecessor, the deviation is the sample one
 * and null below two changes. Zero denominators give a null, never infinity.
 */
#include "series/bar.h"

#include "base/compiler.h"
#include "core/time.h"
#include "series/series_internal.h"

#include <math.h>
#include <string.h>

void
oi_bars_finish(struct oi_bars *bars)
{
    struct oi_bar bar = { .start = bars->start,
                          .last = bars->last,
                          .last_value = bars->last_value };
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
    double power = 1;

    if (!column->mantissas || column->exponents || exponent < -22 || exponent > 22)
        return false;
    if (oi_mantissas_bits(column->mantissas, count) >> 53 != 0)
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

/* Readings that are added by columns. */
struct rows {
    const struct oi_readings *readings;
    struct plain_column amounts, prices;
};

/* Rows [from, to) of the tile that begins at `first`, all of one bucket. */
struct run {
    size_t first, from, to;
    oi_time start;
    bool is_last; /* the bucket may go on behind the tile */
};

/* Rows that are turned into doubles together. */
#define TILE 512

struct tile {
    double values[TILE];
    double changes[TILE]; /* against the row before; zero: none, or nothing is before */
};

OI_VECTORISED static void
fill_values(const struct plain_column *column, size_t from, size_t count, double *values)
{
    const int64_t *mantissas = column->mantissas + from;

    if (column->divides)
        for (size_t i = 0; i < count; i++)
            values[i] = (double) mantissas[i] / column->power;
    else
        for (size_t i = 0; i < count; i++)
            values[i] = (double) mantissas[i] * column->power;
}

OI_VECTORISED static void
fill_changes(const double *values, size_t count, double *changes)
{
    for (size_t i = 1; i < count; i++)
        changes[i] = (values[i] - values[i - 1]) / values[i - 1];
}

OI_VECTORISED static bool
has_zero(const int64_t *mantissas, size_t count)
{
    uint64_t zeros = 0;

    for (size_t i = 0; i < count; i++)
        zeros |= mantissas[i] == 0;
    return zeros != 0;
}

/* The changes of neighbours that differ, in order: exactly those are not zero. */
static void
add_changes(struct oi_bars *bars, const double *changes, size_t count)
{
    double kept[TILE + 1] = {}, mean = bars->mean, squares = bars->squares;
    uint32_t change_count = bars->change_count;
    size_t kept_count = 0;

    for (size_t i = 0; i < count; i++) {
        kept[kept_count] = changes[i];
        kept_count += changes[i] < 0 || changes[i] > 0;
    }
    for (size_t i = 0; i < kept_count; i++) {
        double before = kept[i] - mean;

        change_count++;
        mean += before / change_count;
        squares += before * (kept[i] - mean);
    }
    bars->mean = mean;
    bars->squares = squares;
    bars->change_count = change_count;
}

/* Cut rows [*from, *to) to the first and the last price above zero; false: there is none. The
 * column is there. */
static inline bool
cut_to_prices(const struct plain_column *prices, size_t *from, size_t *to)
{
    while (*from < *to && prices->mantissas[*from] <= 0)
        ++*from;
    if (*from == *to)
        return false;
    while (prices->mantissas[*to - 1] <= 0)
        --*to;
    return true;
}

/* Only the first and the last price of a bar have a say. */
static void
add_prices(struct oi_bars *bars, const struct plain_column *prices, size_t from, size_t to)
{
    if (!prices->mantissas || !cut_to_prices(prices, &from, &to))
        return;
    if (!bars->has_price)
        add_price(bars, plain_value(prices, from));
    add_price(bars, plain_value(prices, to - 1));
}

/* Rows [from, to), all of the bar being filled; `tile` begins at `first`. */
static void
add_run(struct oi_bars *bars, struct tile *tile, size_t first, size_t from, size_t to)
{
    const double *values = tile->values + (from - first);
    double *changes = tile->changes + (from - first);

    if (!bars->has_value)
        bars->first_value = values[0];
    changes[0] = bars->has_previous ? (values[0] - bars->previous_value) / bars->previous_value : 0;
    add_changes(bars, changes, to - from);
    bars->previous_value = bars->last_value = values[to - from - 1];
    bars->has_previous = bars->has_value = true;
}

/* Bars that begin and end in a tile, each in a lane: every step of one waits for the step before
 * it, but not for the other bars. */
#define LANES 8

struct lanes {
    size_t count;
    oi_time starts[LANES];
    int64_t from[LANES], sizes[LANES]; /* rows, in the tile */
    double first_values[LANES], last_values[LANES];
    double first_prices[LANES], last_prices[LANES]; /* 1 where there is none */
    double counts[LANES], squares[LANES];           /* of changes */
    double changes[LANES], deviations[LANES], ratios[LANES];
};

/* What add_changes does, in all lanes. The first change of each is none: with it, no lane reads
 * past its own. */
OI_VECTORISED static void
step_lanes(struct lanes *lanes, const double *changes, int64_t steps)
{
    double means[LANES] = {}, squares[LANES] = {}, counts[LANES] = {};

    for (int64_t step = 1; step < steps; step++)
        for (size_t lane = 0; lane < LANES; lane++) {
            double change = changes[lanes->from[lane] + (step < lanes->sizes[lane] ? step : 0)];
            bool is_change = (change < 0) | (change > 0);
            double count = counts[lane] + 1, before = change - means[lane];
            double mean = means[lane] + before / count;
            double square = squares[lane] + before * (change - mean);

            counts[lane] = is_change ? count : counts[lane];
            means[lane] = is_change ? mean : means[lane];
            squares[lane] = is_change ? square : squares[lane];
        }
    memcpy(lanes->squares, squares, sizeof(squares));
    memcpy(lanes->counts, counts, sizeof(counts));
}

/* What oi_bars_finish does, in all lanes; a ratio to no change of the price means nothing. */
OI_VECTORISED static void
finish_lanes(struct lanes *lanes)
{
    for (size_t lane = 0; lane < LANES; lane++) {
        double first = lanes->first_values[lane], price = lanes->first_prices[lane];
        double change = (lanes->last_values[lane] - first) / first;
        double price_change = (lanes->last_prices[lane] - price) / price;
        double others = lanes->counts[lane] - 1;

        lanes->changes[lane] = change * 100;
        lanes->deviations[lane] = sqrt(lanes->squares[lane] / (others > 1 ? others : 1));
        lanes->ratios[lane] = change / price_change;
    }
}

/* The first and the last price above zero of a lane's rows. */
static void
take_prices(struct lanes *lanes, size_t lane, const struct plain_column *prices, size_t first)
{
    size_t from = first + (size_t) lanes->from[lane], to = from + (size_t) lanes->sizes[lane];

    lanes->first_prices[lane] = lanes->last_prices[lane] = 1;
    if (!prices->mantissas || !cut_to_prices(prices, &from, &to))
        return;
    lanes->first_prices[lane] = plain_value(prices, from);
    lanes->last_prices[lane] = plain_value(prices, to - 1);
}

/* Append the bars in the lanes, which are empty afterwards. */
static void
flush_lanes(struct oi_bars *bars, struct lanes *lanes, struct tile *tile, const struct rows *rows,
            size_t first)
{
    int64_t steps = 0;

    for (size_t lane = 0; lane < lanes->count; lane++) {
        size_t from = (size_t) lanes->from[lane], to = from + (size_t) lanes->sizes[lane];

        lanes->first_values[lane] = tile->values[from];
        lanes->last_values[lane] = tile->values[to - 1];
        take_prices(lanes, lane, &rows->prices, first);
        steps = lanes->sizes[lane] > steps ? lanes->sizes[lane] : steps;
    }
    step_lanes(lanes, tile->changes, steps);
    finish_lanes(lanes);
    oi_vector_reserve(&bars->items, lanes->count);
    for (size_t lane = 0; lane < lanes->count; lane++) {
        struct oi_bar *bar = &bars->items.items[bars->items.count++];
        size_t end = first + (size_t) (lanes->from[lane] + lanes->sizes[lane]);
        double price = lanes->first_prices[lane], last_price = lanes->last_prices[lane];

        bar->start = lanes->starts[lane];
        oi_decimals_put(rows->readings->amounts, end - 1, &bar->last);
        bar->last_value = lanes->last_values[lane];
        bar->has_change = true;
        bar->change_percent = lanes->changes[lane];
        bar->has_volatility = lanes->counts[lane] > 1;
        bar->volatility = bar->has_volatility ? lanes->deviations[lane] : 0;
        bar->has_ratio = last_price > price || last_price < price;
        bar->price_ratio = bar->has_ratio ? lanes->ratios[lane] : 0;
    }
    lanes->count = 0;
}

/* Rows [from, to) of a tile in which some are zero. */
static void
add_run_with_zeros(struct oi_bars *bars, const struct tile *tile, size_t first, size_t from,
                   size_t to)
{
    for (size_t row = from; row < to; row++) {
        double value = tile->values[row - first];

        if (value > 0 || value < 0)
            add_value(bars, value);
        else
            bars->has_previous = false;
    }
}

/* The price counts with a figure alone. */
static void
add_ends(struct oi_bars *bars, const struct rows *rows, size_t from, size_t to)
{
    const int64_t *mantissas = rows->amounts.mantissas;

    while (to > from && mantissas[to - 1] == 0)
        to--;
    if (from == to)
        return;
    bars->last = oi_decimals_get(rows->readings->amounts, to - 1);
    for (size_t row = from; row < to; row++)
        if (mantissas[row] != 0)
            add_prices(bars, &rows->prices, row, row + 1);
}

/* Rows [from, to) of a tile without zeros, of the bucket from `start` on. */
static void
add_whole_run(struct oi_bars *bars, struct lanes *lanes, struct tile *tile, const struct rows *rows,
              const struct run *run)
{
    bool goes_on = bars->is_filling && bars->start == run->start;

    if (!goes_on && !run->is_last) {
        oi_bars_finish(bars);
        lanes->starts[lanes->count] = run->start;
        lanes->from[lanes->count] = (int64_t) (run->from - run->first);
        lanes->sizes[lanes->count++] = (int64_t) (run->to - run->from);
        if (lanes->count == LANES)
            flush_lanes(bars, lanes, tile, rows, run->first);
        return;
    }
    if (lanes->count > 0)
        flush_lanes(bars, lanes, tile, rows, run->first);
    if (!goes_on)
        begin_bar(bars, run->start);
    add_run(bars, tile, run->first, run->from, run->to);
    bars->last = oi_decimals_get(rows->readings->amounts, run->to - 1);
    add_prices(bars, &rows->prices, run->from, run->to);
}

static void
add_tile(struct oi_bars *bars, const struct rows *rows, size_t first, size_t end)
{
    const oi_time *times = rows->readings->time;
    bool is_whole = !has_zero(rows->amounts.mantissas + first, end - first);
    oi_time start = oi_interval_floor(bars->interval_ns, times[first]);
    struct lanes lanes = {};
    struct tile tile;

    fill_values(&rows->amounts, first, end - first, tile.values);
    if (is_whole)
        fill_changes(tile.values, end - first, tile.changes);
    for (size_t from = first, to; from < end; from = to) {
        for (to = from + 1;
             to < end && (uint64_t) times[to] - (uint64_t) start < (uint64_t) bars->interval_ns;)
            to++;
        if (is_whole) {
            tile.changes[from - first] = 0;
            add_whole_run(bars, &lanes, &tile, rows,
                          &(struct run){ first, from, to, start, to == end });
        } else {
            if (!bars->is_filling || bars->start != start)
                begin_bar(bars, start);
            add_run_with_zeros(bars, &tile, first, from, to);
            add_ends(bars, rows, from, to);
        }
        if (to < end)
            start = series_next_start(bars->interval_ns, start, times[to]);
    }
}

void
oi_bars_add_readings(struct oi_bars *bars, const struct oi_readings *readings)
{
    struct rows rows = { .readings = readings };
    bool is_priced = readings->prices && readings->prices->mantissas;

    if (take_plain(readings->amounts, readings->count, &rows.amounts) &&
        (!is_priced || take_plain(readings->prices, readings->count, &rows.prices))) {
        for (size_t first = 0; first < readings->count; first += TILE)
            add_tile(bars, &rows, first,
                     readings->count - first < TILE ? readings->count : first + TILE);
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
