/* SPDX-License-Identifier: Apache-2.0 */
/* What each exchange's list of markets is written with. */
#pragma once

#include "simulator/market.h"

/* The nearest quarter, the next, and the month in between where there is one. */
struct expiries {
    oi_time times[3];
    unsigned count;
};

/* Everything that is the same for the markets of one line. */
struct line {
    struct oi_catalogue *catalogue;
    const struct expiries *expiries;
    enum oi_venue venue;
    const char *product;
    double share;
};

/* List an exchange's markets of one coin; called for each coin. */
#define OI_VENUE(upper, name)                                                                      \
    void catalogue_add_##name(struct line line, const struct oi_coin *coin);
#include "simulator/venues.def"
#undef OI_VENUE

/* A coin's row of the table; behind its end for any other. */
size_t catalogue_place(const struct oi_coin *coin);

/* A perpetual of the line, listed and without settlement or symbol. Valid until the next one. */
struct oi_market *catalogue_add(const struct line *line, const struct oi_coin *coin,
                                int64_t factor);
/* It settles in the coin and a contract is worth so many USD. */
void catalogue_invert(struct oi_market *market, int64_t contract_usd);
/* It settles in what it is quoted in. */
void catalogue_settle(struct oi_market *market, const char *quote);
/* It ends at the rank's date. */
void catalogue_date(struct oi_market *market, const struct expiries *expiries, unsigned rank);
/* A contract is worth about ten dollars, as a power of ten of coins. */
void catalogue_size_contract(struct oi_market *market);
/* "261225" and "25DEC26", into `text`. */
const char *catalogue_short_date(oi_time time, char text[16]);
const char *catalogue_spoken_date(oi_time time, char text[16]);
