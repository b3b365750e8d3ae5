/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was asked. Every dialect, the page and the command line turn their question into one of
 * these, so that an answer can be computed, limited, cached and tested in one place. A query is a
 * value of texts borrowed from its arena; it knows nothing of any store.
 */
#pragma once

#include "base/alloc.h"
#include "base/vector.h"
#include "core/convention.h"
#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oi_query_kind {
    OI_QUERY_NONE = 0,  /* the request alone has the answer (a description of the API) */
    OI_QUERY_MARKETS,   /* which markets there are, with their extents */
    OI_QUERY_ROWS,      /* readings as stored, market by market */
    OI_QUERY_CANDLES,   /* open, high, low, close of each interval */
    OI_QUERY_SNAPSHOTS, /* the first reading of each interval */
    OI_QUERY_BARS,      /* last value and three statistics of each interval (Aperiodic's metrics) */
    OI_QUERY_MONTHS,    /* the months in which there is anything */
    OI_QUERY_LATEST,    /* the newest reading of each market, with its changes */
    OI_QUERY_GAPS,      /* typed holes */
    OI_QUERY_FROZEN,    /* figures that stood for lasting_ns while the price moved; of the last day
                           where the span has no start */
    OI_QUERY_REVISIONS, /* every reading that was ever known, feed by feed */
    OI_QUERY_CHANGES,   /* what changed between two instants, market by market and in all */
    OI_QUERY_COVERAGE,  /* how much of what was due is there */
    OI_QUERY_CALENDAR,  /* the same of each exchange and day; the span has a start */
    OI_QUERY_CONVENTIONS, /* how each exchange counts; `text_filter`: of one */
    OI_QUERY_ALERTS, /* what fired; `text_filter`: of one rule; a position's time is a number of the
                        log */
    OI_QUERY_OPTIONS,  /* options that live at the span's end, each with its figures */
    OI_QUERY_EXPIRIES, /* the same summed by exchange, coin and expiry */
    OI_QUERY_METRICS,  /* totals in USD of entities at instants of a grid (Coin Metrics) */
    OI_QUERY_OVERVIEW, /* what all markets are worth, by their properties; none is a total */
};

/* In whose words a selector speaks. */
enum oi_symbology {
    OI_SYMBOLOGY_NATIVE = 0, /* "binance:usdm:BTCUSDT"; exchange "binance" */
    OI_SYMBOLOGY_COINMETRICS,
    OI_SYMBOLOGY_ATLAS,
    OI_SYMBOLOGY_KIYOTAKA,
    OI_SYMBOLOGY_KWERY,
};

/* By what the markets of a total are told apart: a total for each value there is. */
enum oi_split {
    OI_SPLIT_NONE = 0, /* one total of all */
    OI_SPLIT_EXCHANGE,
    OI_SPLIT_COIN,
    OI_SPLIT_QUOTE,
    OI_SPLIT_KIND,       /* "perpetual", "future", "option", "event" */
    OI_SPLIT_SETTLEMENT, /* "linear", "inverse", "quanto" */
};

/*
 * A choice of markets: all conditions that are set must hold. The markets of one selector form a
 * group, ordered by exchange as listed, then by name bytewise; groups stand in the order asked.
 */
struct oi_selector {
    enum oi_symbology symbology;
    OI_VECTOR(const char *) exchanges; /* in that symbology; empty: any */
    /* The whole market name (native, Coin Metrics); the vendor's or else the native symbol (Atlas,
     * Kiyotaka); for Kwery an asset with main_only, a native symbol or ticker without; letters in
     * that case; NULL: any. */
    const char *market;
    bool is_pattern;               /* `*` in market stands for any text */
    const char *normalized;        /* Kiyotaka "BTC-USDT"; NULL: any */
    const char *coin;              /* base asset, upper case; NULL: any */
    const char *quote;             /* upper case; NULL: any */
    const char *product;           /* ours; NULL: any */
    OI_VECTOR(enum oi_kind) kinds; /* empty: any */
    bool main_only;                /* only the perpetual that stands for its asset (Kwery) */
    bool live_only;                /* without delisted ones */
    bool must_match;               /* nothing found is a problem, not an empty answer */
    bool is_total;                 /* the group's total as one series */
    enum oi_split split;           /* of a total: as one for each value, ordered by it bytewise */
    int64_t interval_ns;           /* streams: their closed candles; 0: their readings */
    const char *parameter;         /* which parameter to name in a problem: "markets" */
};

/* METRICS: what an entity of the answer is. An asset's markets are those whose base or quote it is;
 * a pair's have exactly this base and quote, whatever the exchange. */
enum oi_level {
    OI_LEVEL_MARKET = 0,     /* "binance-BTCUSDT-future" */
    OI_LEVEL_ASSET,          /* "btc" */
    OI_LEVEL_EXCHANGE,       /* "binance" */
    OI_LEVEL_EXCHANGE_ASSET, /* "binance-btc" */
    OI_LEVEL_PAIR,           /* "btc-usdt" */
    OI_LEVEL_EXCHANGE_PAIR,  /* "binance-btc-usdt" */
};

/* METRICS: one figure of an entity, the sum over those of its markets that fit. */
enum oi_margin {
    OI_MARGIN_ANY = 0,
    OI_MARGIN_COIN, /* the base itself */
    OI_MARGIN_USDT,
    OI_MARGIN_USDC,
};
struct oi_measure {
    unsigned kinds; /* bits `1u << enum oi_kind` */
    enum oi_margin margin;
    enum oi_option_side side; /* NONE: any */
    bool by_mark_price;       /* an option's premium rather than its notional */
};

/* A place between two rows of an answer, for paging. */
struct oi_position {
    bool is_set;
    size_t market; /* index in the ordered list of markets */
    oi_time time;  /* go on strictly behind this row, in the direction of paging */
    size_t feed;   /* revisions: of the market's feeds, by precedence */
    size_t rows;   /* revisions: rows of this feed and time that were given */
};

#define OI_MEASURES_MAX 32

struct oi_query {
    enum oi_query_kind kind;
    OI_VECTOR(struct oi_selector) selectors;
    /* One list of the markets of all groups, each once, ordered by their name in the first
     * selector's symbology, bytewise; else group after group. */
    bool is_one_list;
    bool is_one_total;   /* the markets of all groups as one total */
    bool needs_a_market; /* no market in any group is a problem of the first selector */
    struct oi_span span;
    oi_time as_of; /* OI_TIME_LATEST: as known now */
    oi_time as_stored;
    int64_t interval_ns;     /* candles, snapshots, bars; ROWS: first row of each, 0 all rows */
    enum oi_unit unit;       /* of the amounts in the answer; UNKNOWN: each feed's own */
    bool counts_events;      /* event contracts, of which there are no coins, by number instead */
    bool is_canonical;       /* one-sided; else as each venue reports it */
    bool is_descending;      /* candles newest first */
    bool order_by_time;      /* snapshots of all markets merged by time, then by market index */
    bool order_by_usd;       /* latest: the largest first, those without USD last; then the limit */
    bool by_known_time;      /* bars: bucketed by arrival instead of the reference instant */
    bool shows_bad;          /* rows the operator holds to be bad stay, told by their flags; else
                                they are left out of every answer */
    bool fills_gaps;         /* candles: carry the last close over empty buckets, marked */
    bool marks_incomplete;   /* candles that lack rows of a damaged chunk stay, marked, where the
                                answer's columns can still tell: else they are left out */
    size_t limit;            /* rows (or buckets, or markets) in all; 0: no limit */
    size_t limit_per_market; /* 0: no limit */
    bool from_end;           /* limits and pages count from the newest; rows still ascend */
    struct oi_position after; /* paging */
    bool wants_latest;        /* snapshots: the newest reading of each market in its first block */
    bool wants_extents;       /* markets: first and last time, only those with one in the span;
                                 METRICS: no rows, but when each measure has figures */
    bool recorded_only;       /* markets: only those with a reading; needs wants_extents */
    /* METRICS, at the instants of interval_ns, epoch-aligned. Entities in Coin Metrics' words, `*`
     * stands for any text; ordered bytewise. order_by_time and limit_per_market as for others.
     * Selectors, where there are any, leave only the markets that they choose. */
    enum oi_level level;
    const char *entity_parameter;      /* which parameter to name in a problem: "assets" */
    OI_VECTOR(const char *) entities;  /* all must be there */
    bool ignores_unknown;              /* leave entities out that are not there */
    const struct oi_measure *measures; /* at most OI_MEASURES_MAX, borrowed */
    size_t measure_count;
    bool is_replica; /* streams: all that a row has, from the commit after `since` on */
    uint64_t since;
    /* OVERVIEW, in USD: now, an hour, a day and a week ago, or at the ends of intervals in the span
     * and now. */
    unsigned splits;    /* bits `1u << enum oi_split`; of NONE: all of them together */
    size_t top;         /* groups of each split, the largest now; the rest as "other"; 0: all */
    bool ranks_markets; /* also the `top` markets that changed most in a day; not of intervals */
    int64_t lasting_ns; /* FROZEN */
    const char *text_filter; /* markets: substring of the symbol, in any case; NULL: none */

    /* The answer is a file of the route's table, made by lake/. */
    enum oi_file {
        OI_FILE_NONE = 0,
        OI_FILE_PARQUET,
        OI_FILE_ARROW,
    } file;

    /* How the answer is written; only its dialect reads these. */
    unsigned format;  /* the dialect's own enumeration */
    unsigned variant; /* of the route */
    bool is_pretty;
    const char *echo; /* what the caller wrote, where the answer repeats it */
    const char *echo_source;
    const char *echo_interval;
    int64_t number; /* one more number of the request (lookback, cap) */

    struct oi_arena arena;
};

/* `OI_QUERY_EMPTY` asks nothing yet: whole span, as known now, no limits. */
#define OI_QUERY_EMPTY                                                                             \
    ((struct oi_query){ .span = OI_SPAN_ALL, .as_of = OI_TIME_LATEST, .as_stored = OI_TIME_LATEST })

void oi_query_release(struct oi_query *query);

/* Append an empty selector and return it; valid until the next one is added. */
struct oi_selector *oi_query_select(struct oi_query *query, enum oi_symbology symbology);

/*
 * What is wrong with a question, in terms that every dialect can put into its own envelope.
 */
enum oi_problem_kind {
    OI_PROBLEM_NONE = 0,
    OI_PROBLEM_PARAMETER,   /* a value is wrong: `parameter`, `value`, `message` */
    OI_PROBLEM_MISSING,     /* a required parameter is not there */
    OI_PROBLEM_UNKNOWN,     /* a parameter of that name does not exist */
    OI_PROBLEM_REPEATED,    /* a parameter is there twice */
    OI_PROBLEM_MARKET,      /* no such market: `value` */
    OI_PROBLEM_RANGE,       /* start after end, too long, beyond the plan's history */
    OI_PROBLEM_TOO_MANY,    /* more points than an answer may have */
    OI_PROBLEM_PATH,        /* no such path */
    OI_PROBLEM_METHOD,      /* not with this method */
    OI_PROBLEM_KEY_MISSING, /* this server has keys, the request has none */
    OI_PROBLEM_KEY_WRONG,
    OI_PROBLEM_FORBIDDEN, /* the plan does not cover it; a link that expired */
    OI_PROBLEM_CREDITS,   /* used up */
    OI_PROBLEM_RATE,      /* too fast: retry_after_s */
    OI_PROBLEM_SYNTAX,    /* not HTTP that we take (400, 414, 431 in `http_status`) */
    OI_PROBLEM_INTERNAL,
    OI_PROBLEM_UNAVAILABLE, /* shutting down, or the store is damaged there */
};

struct oi_problem {
    enum oi_problem_kind kind;
    int http_status; /* SYNTAX: which; 0: by kind */
    char parameter[64];
    char value[256];   /* cut, valid UTF-8 */
    char message[256]; /* one sentence for a human, without the dialect's frame */
    const char *code;  /* the dialect's own code where it chose one; static text or NULL */
    unsigned retry_after_s;
};

/* Fill a problem and return OI_E_INVALID, so that a parser reads
 * `return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "limit", value, "must be 1 to 1000");`. */
enum oi_status oi_problem_set(struct oi_problem *problem, enum oi_problem_kind kind,
                              const char *parameter, struct oi_slice value, const char *format, ...)
    OI_PRINTF(5, 6);
