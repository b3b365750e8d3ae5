/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated market: what is listed at an instant, and each market's figures in each minute.
 * Pure: nothing here has a state, so a test works out any figure again and compares. Figures hold
 * for a whole minute and leave as decimals of the length that the exchange would have used.
 */
#pragma once

#include "base/vector.h"
#include "core/instrument.h"

enum oi_venue {
#define OI_VENUE(upper, name) OI_VENUE_##upper,
#include "simulator/venues.def"
#undef OI_VENUE
    OI_VENUE_COUNT,
};

/* "binance" and so on: the name its adapter has. */
const char *oi_venue_name(enum oi_venue venue);
/* False when there is none of that name. */
bool oi_venue_find(struct oi_slice name, enum oi_venue *ret_venue);

/* What is traded: one price for all markets, which is what they are all about. */
struct oi_coin {
    const char *name;
    double price;        /* USD, in the middle of its range */
    double swing;        /* how far the logarithm of the price moves from there */
    double interest_usd; /* usual open interest of its largest market */
    const char *venues;  /* the letters of coins.c */
};

/* Every coin, for the catalogue and for tests. */
extern const struct oi_coin oi_coins[];
extern const size_t oi_coin_count;
/* Is the coin traded under this letter? */
bool oi_coin_trades(const struct oi_coin *coin, char letter);

enum oi_market_state {
    OI_MARKET_LISTED,
    OI_MARKET_DELISTED, /* defined, but without figures */
    OI_MARKET_PENDING,  /* announced */
    OI_MARKET_TEST,     /* the exchange's own test market */
};

struct oi_market {
    enum oi_venue venue;
    enum oi_market_state state;
    const char *product;
    char symbol[OI_SYMBOL_SIZE];
    const struct oi_coin *coin;
    char base[OI_NAME_SIZE]; /* as the exchange writes it: "1000PEPE" */
    const char *quote;
    const char *margin;
    const char *family; /* Deribit's currency, Hyperliquid's dex ("" the main one), else "" */
    enum oi_kind kind;
    bool is_inverse;
    bool is_quoted_in_coins; /* options: the premium is in coins */
    bool is_zero;            /* nobody holds any: its figure is 0 */
    int64_t factor;          /* coins in the symbol's unit: 1000 for 1000PEPE */
    oi_time listed;
    oi_time expiry; /* OI_TIME_NONE: perpetual */
    unsigned rank;  /* dated: 0 the nearest quarter, 1 the next, 2 a month in between */
    int64_t strike;
    enum oi_option_side side;
    struct oi_decimal contract; /* worth of a contract: units of the symbol's base, inverse: USD */
    int interest_places;        /* digits after the point */
    int price_places;
    double share; /* of the coin's usual open interest */
};

struct oi_catalogue {
    OI_VECTOR(struct oi_market) markets;
    struct oi_span valid; /* the same markets are listed throughout */
};

/* `struct oi_catalogue catalogue = {};` is an empty one; building replaces what is in it. */
void oi_catalogue_build(struct oi_catalogue *catalogue, oi_time now);
/* The markets of further coins, which must outlive it. */
void oi_catalogue_add(struct oi_catalogue *catalogue, const struct oi_coin *coins, size_t count,
                      oi_time now);
void oi_catalogue_release(struct oi_catalogue *catalogue);
/* Borrowed from the catalogue, or NULL. */
const struct oi_market *oi_catalogue_find(const struct oi_catalogue *catalogue, enum oi_venue venue,
                                          struct oi_slice symbol);

/* Dated contracts end at 08:00 UTC of the last Friday of a month: the nearest after `now`, of every
 * month or of every third. */
oi_time oi_expiry_after(oi_time now, bool quarterly);

struct oi_figures {
    struct oi_decimal open_interest; /* the exchange's main figure, in its unit, on its sides */
    struct oi_decimal single;        /* Bybit: the same on one side */
    struct oi_decimal coins;         /* OKX: the same in coins */
    /* The exchange's own value: USD, and coins where Bybit and COIN-M are inverse. */
    struct oi_decimal value;
    struct oi_decimal mark;  /* options: the premium, in coins */
    struct oi_decimal index; /* of the symbol's unit, in USD */
    struct oi_decimal last;
};

/* What the market showed in the minute that holds `time`. */
void oi_market_figures(uint64_t seed, const struct oi_market *market, oi_time time,
                       struct oi_figures *ret_figures);
/* The same in the step of `pulse_ns` that holds `time`: within a minute open interest moves a
 * little with every step, and is that of the minute in its first. Values in money are none in the
 * others. `pulse_ns` divides a minute. */
void oi_market_pulse(uint64_t seed, const struct oi_market *market, oi_time time, int64_t pulse_ns,
                     struct oi_figures *ret_figures);
/* A figure as the exchange writes it, with zeros up to `places`, appended. */
void oi_figure_write(const struct oi_decimal *figure, int places, struct oi_buffer *out);
