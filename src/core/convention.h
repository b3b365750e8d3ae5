/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an exchange counts: one side or both, in which unit, and which end of the interval a label
 * names. A dated fact with its evidence, kept as a table beside each adapter: our newest reading of
 * the world, so it stands outside point-in-time questions and is named in every answer.
 */
#pragma once

#include "core/instrument.h"
#include "core/observation.h"

#include <stddef.h>

enum oi_unit {
    OI_UNIT_UNKNOWN = 0,
    OI_UNIT_CONTRACTS,
    OI_UNIT_COINS, /* the symbol's own base unit: for 1000PEPEUSDT thousands of PEPE */
    OI_UNIT_USD,
};

enum oi_label {
    OI_LABEL_INSTANT = 0, /* the figure is of the label's instant */
    OI_LABEL_START,       /* the label names the start of the interval it was taken at the end of */
    OI_LABEL_END,
};

struct oi_convention {
    const char *product; /* NULL: every product of the exchange */
    const char *feed;    /* "live", "history", "archive:binance-vision"; NULL: every feed */
    oi_time since;       /* holds from here until a later row; 0 or earlier: always */
    int sides;           /* 1 or 2; 0: not known, served as 1 and said so */
    enum oi_unit unit;
    enum oi_label label;
    int64_t cadence_ns;   /* how often a figure is due; 0: one minute */
    bool restates;        /* may this feed revise what it said? */
    bool is_daily;        /* one figure a trade date: carried until the next is due plus 12 hours */
    const char *evidence; /* the page or measurement that says so */
};

/* Every exchange's table, gathered once at start-up by whoever knows them all. Borrows. */
struct oi_convention_book {
    struct oi_convention_page {
        const char *exchange; /* NULL: whatever exchange (import formats) */
        const struct oi_convention *conventions;
        size_t count;
    } * pages;
    size_t count;
};

/* The one in force for a feed of a product at an instant, or NULL: nothing is known. The most
 * specific row wins (feed named before any feed, then product named before any, then exchange named
 * before any), of those the newest. */
const struct oi_convention *oi_convention_find(const struct oi_convention_book *book,
                                               const char *exchange, const char *product,
                                               const char *feed, oi_time time);

/* How long a figure may be carried forward: three times the cadence, at least 15 minutes; daily
 * ones 5 days. NULL: 15 minutes. */
int64_t oi_convention_staleness_ns(const struct oi_convention *convention);

const char *oi_unit_name(enum oi_unit unit);
/* "contracts", "coins", "usd"; INVALID otherwise. */
enum oi_status oi_unit_parse(struct oi_slice text, enum oi_unit *ret_unit, struct oi_error *error);

/* What a conversion needs beside the figure. */
struct oi_conversion {
    const struct oi_instrument *instrument;
    enum oi_unit from; /* unit of the figure */
    int sides;         /* of the figure; 2 is halved when one_sided is asked for */
    bool one_sided;
    struct oi_decimal mark_price;  /* or none */
    struct oi_decimal index_price; /* in USD, or none */
    struct oi_decimal value_usd;   /* the venue's own, on the same sides, or none */
    /* USD per unit of quote, or none; not looked at where the quote is pegged to USD. */
    struct oi_decimal quote_usd;
};

/* A figure in the unit asked for, in coins of `base` (not of the symbol's multiple) where coins are
 * asked for. USD is the venue's own figure where there is one; else the price is the mark, or the
 * index price for options and where there is no mark. A count of contracts comes from the contract
 * size alone, never by way of a price. Of a provisional instrument only the unit itself and the
 * venue's USD are known. None in *ret_value where the facts are missing (no contract size, no
 * price): a row that cannot be turned is left out and counted by the caller. Exact but for a
 * division by price, which is half-even to 18 digits. INVALID when the result is too long. */
enum oi_status oi_convert(const struct oi_conversion *conversion,
                          const struct oi_decimal *open_interest, enum oi_unit to,
                          struct oi_decimal *ret_value, struct oi_error *error);

/* USD, USDT, USDC and other coins pegged to it count as 1 USD, and answers say so. */
bool oi_asset_is_usd(const char *asset);
