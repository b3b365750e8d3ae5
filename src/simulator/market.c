/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model. A price is its middle times e to the sum of octaves of value noise: each octave has a
 * quarter of the period and half the height of the one before, as a random walk would, but any
 * minute is found without walking there. Open interest moves the same way by itself.
 */
#include "simulator/market.h"

#include <math.h>

/* Minutes between two values of an octave: 64 days down to one minute. */
static const int64_t periods[] = { 92'160, 23'040, 5'760, 1'440, 360, 90, 22, 5, 1 };

/* How far a market's open interest moves, as a logarithm, and its mark from the index. */
#define INTEREST_SWING 0.22
#define BASIS_SWING 0.0006
#define LAST_SWING 0.0002
/* What dated contracts cost more than the index, a year. */
#define CARRY 0.055
/* Of options, a year. */
#define VOLATILITY 0.55
#define YEAR_NS (365.25 * (double) OI_DAY)

static const char *const venue_names[] = {
#define OI_VENUE(upper, name) [OI_VENUE_##upper] = #name,
#include "simulator/venues.def"
#undef OI_VENUE
};

const char *
oi_venue_name(enum oi_venue venue)
{
    return venue_names[venue];
}

bool
oi_venue_find(struct oi_slice name, enum oi_venue *ret_venue)
{
    for (size_t i = 0; i < OI_VENUE_COUNT; i++) {
        if (!oi_slice_is(name, venue_names[i]))
            continue;
        *ret_venue = (enum oi_venue) i;
        return true;
    }
    return false;
}

/* splitmix64's finisher. */
static uint64_t
mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t
mix_text(uint64_t key, const char *text)
{
    for (; *text; text++)
        key = mix(key + UINT64_C(0x9e3779b97f4a7c15) + (unsigned char) *text);
    return key;
}

/* In [-1, 1). */
static double
lattice(uint64_t key, int64_t place)
{
    uint64_t bits = mix(key ^ mix((uint64_t) place + UINT64_C(0x632be59bd9b4e019)));

    return (double) (bits >> 11) * 0x1p-52 - 1;
}

/* About in [-1, 1], walking with the minutes. */
static double
noise(uint64_t key, int64_t minute)
{
    double sum = 0;
    double height = 0.5;

    for (size_t i = 0; i < OI_COUNT(periods); i++, height /= 2) {
        int64_t place = minute / periods[i] - (minute % periods[i] < 0);
        double part = (double) (minute - place * periods[i]) / (double) periods[i];
        double weight = part * part * (3 - 2 * part);
        double from = lattice(key + i, place);

        sum += height * (from + weight * (lattice(key + i, place + 1) - from));
    }
    return sum;
}

static double
price_of(uint64_t seed, const struct oi_coin *coin, int64_t minute)
{
    uint64_t key = mix_text(mix(seed), coin->name);

    /* Coins move with the market, and by themselves. */
    return coin->price *
           exp(coin->swing * (1.2 * noise(key, minute) + 0.8 * noise(mix(seed), minute)));
}

/* To `places`, half away from zero. None of the model's figures reaches 2^63 there. */
static struct oi_decimal
rounded(double value, int places)
{
    double scaled = value * pow(10, places);

    oi_assert(scaled >= 0 && scaled < 9e18);
    return oi_decimal_from(llround(scaled), -places);
}

/* Options by a rule of thumb: what they would pay now, and a bell of what may come; in coins. */
static double
premium_of(const struct oi_market *market, double index, oi_time time)
{
    double years = (double) (market->expiry - time) / YEAR_NS;
    double width = VOLATILITY * sqrt(years > 0 ? years : 0);
    double distance = log((double) market->strike / index);
    double now = market->side == OI_OPTION_CALL ? index - (double) market->strike
                                                : (double) market->strike - index;
    double later = width > 0 ? 0.4 * width * exp(-distance * distance / (2 * width * width)) : 0;

    return (now > 0 ? now / index : 0) + later;
}

static void
set_prices(uint64_t seed, const struct oi_market *market, oi_time time, int64_t minute,
           struct oi_figures *figures)
{
    uint64_t key = mix_text(mix(seed + 2 + (uint64_t) market->venue), market->symbol);
    double index = price_of(seed, market->coin, minute) * (double) market->factor;
    double mark = index * (1 + BASIS_SWING * noise(key, minute));

    if (market->kind == OI_KIND_FUTURE)
        mark *= 1 + CARRY * (double) (market->expiry - time) / YEAR_NS;
    if (market->kind == OI_KIND_OPTION)
        mark = premium_of(market, index, time) * (market->is_quoted_in_coins ? 1 : index);
    if (market->kind == OI_KIND_EVENT) /* what a dollar on YES costs */
        mark = 0.5 + 0.45 * noise(key, minute);
    figures->index = rounded(index, market->price_places);
    figures->mark = rounded(mark, market->kind == OI_KIND_OPTION  ? 4
                                  : market->kind == OI_KIND_EVENT ? 2
                                                                  : market->price_places);
    if (market->kind == OI_KIND_EVENT)
        figures->last = figures->mark;
    else if (market->kind != OI_KIND_OPTION)
        figures->last =
            rounded(mark * (1 + LAST_SWING * noise(mix(key), minute)), market->price_places);
}

/* OKX sums floats: now and then a figure has a tail that nobody meant. */
static void
add_tail(uint64_t key, int64_t minute, struct oi_decimal *figure)
{
    uint64_t bits = mix(key ^ mix((uint64_t) minute));
    struct oi_decimal tail = oi_decimal_from((int64_t) (1 + bits % 999), -10);

    if (bits % 3 == 0 && !oi_decimal_is_zero(figure))
        oi_assert(oi_decimal_add(figure, &tail, figure, NULL) == OI_OK);
}

static void
set_interest(uint64_t seed, const struct oi_market *market, int64_t minute,
             struct oi_figures *figures)
{
    uint64_t key = mix_text(mix(seed + 100 + (uint64_t) market->venue), market->symbol);
    double contract = oi_decimal_to_double(&market->contract);
    double unit = market->coin->price * (double) market->factor;
    double mark =
        oi_decimal_to_double(market->kind == OI_KIND_OPTION ? &figures->index : &figures->mark);
    double usd = market->coin->interest_usd * market->share;
    /* Bitget counts coins wherever it settles. */
    bool is_inverse = market->is_inverse && market->venue != OI_VENUE_BITGET;
    bool is_in_usd = is_inverse || market->kind == OI_KIND_EVENT;
    double contracts = usd / (is_in_usd ? contract : contract * unit);
    double amount;

    contracts *= exp(INTEREST_SWING * noise(key, minute));
    if (market->is_zero || market->state != OI_MARKET_LISTED)
        contracts = 0;
    figures->open_interest = rounded(contracts, market->interest_places);
    if (market->venue == OI_VENUE_OKX)
        add_tail(key, minute, &figures->open_interest);
    contracts = oi_decimal_to_double(&figures->open_interest);
    amount = is_inverse ? contracts * contract / mark : contracts * contract;
    if (market->venue == OI_VENUE_OKX)
        figures->coins = rounded(amount, 3);
    figures->value = rounded(is_inverse ? contracts * contract : amount * mark, 2);
    if (market->venue == OI_VENUE_DERIBIT) /* not contracts, but what they are worth */
        oi_assert(oi_decimal_multiply(&figures->open_interest, &market->contract,
                                      &figures->open_interest, NULL) == OI_OK);
    /* The others say what it is worth in what it settles in. */
    if (market->is_inverse && market->venue != OI_VENUE_OKX)
        figures->value = rounded(amount, 8);
    if (market->venue == OI_VENUE_BYBIT &&
        market->kind != OI_KIND_OPTION) { /* both sides, with one side beside it */
        figures->single = figures->open_interest;
        oi_assert(oi_decimal_add(&figures->single, &figures->single, &figures->open_interest,
                                 NULL) == OI_OK);
        oi_assert(oi_decimal_add(&figures->value, &figures->value, &figures->value, NULL) == OI_OK);
    }
}

void
oi_market_figures(uint64_t seed, const struct oi_market *market, oi_time time,
                  struct oi_figures *ret_figures)
{
    oi_time start = oi_interval_floor(OI_MINUTE, time);
    int64_t minute = start / OI_MINUTE;

    *ret_figures = (struct oi_figures){};
    set_prices(seed, market, start, minute, ret_figures);
    set_interest(seed, market, minute, ret_figures);
}

void
oi_market_pulse(uint64_t seed, const struct oi_market *market, oi_time time, int64_t pulse_ns,
                struct oi_figures *ret_figures)
{
    int64_t step = (time - oi_interval_floor(OI_MINUTE, time)) / pulse_ns;
    struct oi_decimal change;

    oi_market_figures(seed, market, time, ret_figures);
    if (step == 0 || market->is_zero)
        return;
    change = oi_decimal_from(step * 7 % 61 + step % 2, -market->interest_places);
    oi_assert(oi_decimal_add(&ret_figures->open_interest, &change, &ret_figures->open_interest,
                             NULL) == OI_OK);
    ret_figures->value = ret_figures->coins = ret_figures->single = (struct oi_decimal){};
}

void
oi_figure_write(const struct oi_decimal *figure, int places, struct oi_buffer *out)
{
    char text[OI_DECIMAL_TEXT_SIZE];
    size_t size = oi_decimal_print(figure, text);
    const char *point = strchr(text, '.');
    int written = point ? (int) (size - (size_t) (point + 1 - text)) : 0;

    oi_buffer_add(out, text, size);
    if (!point && places > 0)
        oi_buffer_add_char(out, '.');
    for (; written < places; written++)
        oi_buffer_add_char(out, '0');
}
