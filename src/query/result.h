/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found: a stream of blocks, each of one market or one total, pulled by whoever renders
 * them. A result holds no transaction between blocks, so a slow client pins nothing.
 */
#pragma once

#include "core/columns.h"
#include "core/convention.h"
#include "core/instrument.h"
#include "query/query.h"
#include "series/bar.h"
#include "series/candle.h"
#include "series/standstill.h"

struct oi_snapshot {
    oi_time start; /* of the interval */
    oi_time time;  /* of the reading */
    struct oi_decimal amount;
    struct oi_decimal usd; /* or none */
};

struct oi_latest {
    struct oi_observation reading;
    struct oi_decimal amount, usd; /* converted; or none */
    /* The amount so many hours before, as last known then; none where there was nothing. */
    struct oi_decimal amount_1h, amount_24h, amount_7d;
};

struct oi_gap {
    struct oi_span span;
    const char *cause; /* "silent", "collector down" */
};

/* CHANGES: a market, or all of them, between two instants. A figure that is too old at an instant,
 * or not there, is none and counts as nothing. */
struct oi_change {
    oi_time from_time, to_time; /* of the readings; OI_TIME_NONE: there is none */
    struct oi_decimal from, to, change;
    struct oi_decimal usd_from, usd_to, usd_change;
    /* usd_change is their sum: at the first instant's price, and what the price did to the
     * amount of the second. A market that is only at one instant is all amount. */
    struct oi_decimal usd_by_amount, usd_by_price;
};

/* COVERAGE */
struct oi_coverage {
    struct oi_span span; /* in which readings were due */
    int64_t cadence_ns;
    int64_t missing_ns;
    size_t gaps;
    const char *cause; /* of the longest gap, or NULL */
};

/* OPTIONS: one-sided; what cannot be turned into a unit is none. */
struct oi_option_figures {
    oi_time time;
    struct oi_decimal contracts, coins, usd;
    struct oi_decimal index_price, mark_price;
};

/* EXPIRIES: the options of one coin on one exchange that expire at one instant. */
struct oi_expiry {
    const char *exchange, *coin;
    oi_time expiry;
    oi_time time; /* of the newest reading among them */
    size_t call_count, put_count;
    struct oi_decimal calls, puts; /* in coins */
    struct oi_decimal calls_usd, puts_usd;
    struct oi_decimal put_call_ratio; /* of the coins, to four places; none without calls */
    /* The strike at which, were it the underlying's last price, holders would be paid least. */
    struct oi_decimal max_pain;
};

/* CALENDAR: the markets of an exchange on one day in UTC. */
struct oi_calendar_day {
    oi_time day;
    size_t markets; /* of which readings were due */
    int64_t due_ns; /* of all of them together */
    /* What is missing of it, by cause. */
    int64_t silent_ns, unreachable_ns, blocked_ns, rate_limited_ns, collector_down_ns;
};

/* ALERTS: what fired, or is over. Texts live as long as the block. */
struct oi_alert {
    uint64_t sequence; /* in the log, from 1 */
    bool is_resolved;
    const char *id;    /* of this event */
    const char *alert; /* of the firing that it belongs to */
    const char *rule, *when, *severity, *market, *unit;
    const char *detail;  /* a regime, a cause; or "" */
    const char *message; /* for people */
    oi_time at, time, since;
    struct oi_decimal value, amount; /* or none */
};

/* METRICS: an entity's figures at one instant of the grid. */
struct oi_measured {
    oi_time time;
    const struct oi_decimal *values; /* one for each measure of the query; none: no data then */
};

/* OVERVIEW: what a group of markets is worth at an instant, and what it changed until now. Markets
 * that would have a figure but for its age are `stale`, those without USD `unpriced`. */
struct oi_aggregate {
    const char *by, *name; /* "exchange", "binance"; "total", NULL; "market" and its name */
    oi_time time;
    struct oi_decimal usd, change, change_percent; /* or none */
    size_t markets, stale, unpriced;
    oi_time oldest; /* reading in it; OI_TIME_NONE: there is none */
};

/* Facts of the market or total that a block is about. */
struct oi_market {
    const struct oi_instrument *instrument; /* NULL: a total */
    size_t index;                           /* in the ordered list of all markets of the answer */
    size_t selector;                        /* which group */
    uint32_t series;                        /* the series that answers mostly; 0: none */
    /* How the feed counts: from the convention in force at the end of the span, or the import's own
     * word. */
    enum oi_unit unit;
    int sides; /* 0: not known */
    const char *feed;
    const char *evidence; /* or NULL */
    /* A total's members and those left out, with the reason. */
    size_t member_count;
    const struct oi_member {
        const struct oi_instrument *instrument;
        oi_time last;         /* of its newest reading used; OI_TIME_NONE: left out */
        const char *left_out; /* reason, or NULL */
    } * members;
    const char *name; /* METRICS: the entity; a total by value: the value; NULL: neither */
    /* METRICS: which measures (bits `1u << index`) any of the entity's markets fits. */
    unsigned measures;
    /* MARKETS: extents where asked for. OI_TIME_NONE: nothing stored. */
    oi_time first, last;
    uint64_t rows;
    uint64_t left_out_rows; /* so far: rows whose unit could not be turned into the one asked */
};

/* A span of a market's feed whose rows are in a chunk that cannot be read: they are left out. */
#define OI_DAMAGE_REASON_SIZE 256
struct oi_damage {
    const struct oi_instrument *instrument;
    const char *feed;
    uint32_t series; /* the store's */
    struct oi_span span;
    char reason[OI_DAMAGE_REASON_SIZE]; /* names the chunk */
};
/* An answer that lacks more than so many spans fails instead. */
#define OI_DAMAGES_MAX 1000

struct oi_block {
    const struct oi_market *market; /* NULL: ALERTS, CALENDAR, CONVENTIONS, EXPIRIES, OVERVIEW */
    size_t count;                   /* of whichever below is set */
    /* Where the readings come from and how that feed counts, by the convention in force or the
     * import's own word. A block of rows is of one feed; other blocks name the first one used. */
    const char *feed;     /* or NULL */
    enum oi_unit unit;    /* of the readings as stored */
    int sides;            /* 0: not known */
    const char *evidence; /* or NULL */
    /* ROWS */
    const struct oi_columns *rows;
    struct oi_decimals amounts; /* in the query's unit */
    struct oi_decimals usd;     /* the venue's own, else computed; or none */
    /* the others */
    const struct oi_candle *candles;
    const struct oi_snapshot *snapshots;
    const struct oi_bar *bars;
    const oi_time *months;          /* first instants */
    const struct oi_latest *latest; /* SNAPSHOTS: one, beside them, where wants_latest */
    const struct oi_gap *gaps;
    const struct oi_standstill *standstills;
    const struct oi_change *changes;
    const struct oi_coverage *coverage;
    const struct oi_alert *alerts;          /* ALERTS; `market` is NULL then */
    const struct oi_convention *convention; /* CONVENTIONS; `market` is NULL then */
    const char *exchange;                   /* of that; NULL: of any; CALENDAR: whose days */
    const struct oi_calendar_day *days;
    const struct oi_option_figures *options;
    const struct oi_expiry *expiries;
    const struct oi_measured *measured;
    const struct oi_aggregate *aggregates;
    /* METRICS with wants_extents, count 1: for each measure the instants at which there is a figure
     * or one is carried; empty where there are none. */
    const struct oi_span *extents;
    bool is_last_of_market;
};

/* MARKETS: one block a market, count 0, after the limit; market_count below is before it. A market
 * of which an answer has nothing gives no block. */

/* An open answer. The runner fills in the functions; tests make their own. */
struct oi_result {
    /* The next block, NULL at the end; valid until the next call. */
    enum oi_status (*next)(struct oi_result *result, const struct oi_block **ret_block,
                           struct oi_error *error);
    void (*close)(struct oi_result *result);
    void *context;

    /* Known when the result is opened. */
    size_t market_count;             /* matched, before limits */
    const struct oi_market *markets; /* market_count of them */
    oi_time now;                     /* when it was asked, by the store's clock */
    uint64_t data_version;           /* changes when the answer may */
    /* What the answer lacks, as far as it has been pulled; by market, feed and time. Whatever a
     * reading lost may have made another (an interval, a total, a change) is left out too, or
     * marked where the query marks_incomplete and the damage was known when the result was opened:
     * it is when anybody has met it before. */
    const struct oi_damage *damages;
    size_t damage_count;
    bool is_damage_known; /* damages are all there will be, but for new ones */
    /* Known when the last block has been pulled. */
    struct oi_position next_position; /* is_set: there is at least one more row */
    size_t row_count;                 /* delivered */
};

enum oi_status oi_result_next(struct oi_result *result, const struct oi_block **ret_block,
                              struct oi_error *error);
/* NULL-safe, for OI_CLEANUP on a `struct oi_result *`. */
void oi_result_close(struct oi_result **result);

/* A result over ready blocks, borrowed: for tests of renderers. */
struct oi_result *oi_result_of_blocks(const struct oi_block *blocks, size_t count,
                                      const struct oi_market *markets, size_t market_count);
