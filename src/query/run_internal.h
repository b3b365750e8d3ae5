/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that run a query share: one open answer and its place in the list of markets. */
#pragma once

#include "query/names.h"
#include "query/run.h"
#include "query/stream.h"
#include "series/total.h"

/* Items of one block: enough to spread the cost of a call, little enough to stay in the cache. */
#define RUN_BLOCK_ITEMS 1024
/* Candles, snapshots or bars of one answer at most, where the dialect sets no bound of its own. */
#define RUN_POINTS_MAX 2'000'000

struct run;

/* How one kind of question is answered: called until it sets no block. */
typedef enum oi_status (*run_step)(struct run *run, bool *ret_has_block, struct oi_error *error);

struct run {
    struct oi_result result; /* first: the result's address is the run's */
    const struct oi_source *source;
    const struct oi_query *query;
    const struct oi_name_index *index;
    const struct oi_catalog *catalog;
    struct oi_arena arena;
    struct oi_market *markets;
    size_t market_count;
    struct oi_moment moment;
    run_step step;
    void (*release)(struct run *run); /* the kind's own state; NULL: none */
    void *state;                      /* in the arena */
    size_t at;                        /* the market being walked */
    size_t left;                      /* rows that may still be delivered; SIZE_MAX: all */
    struct oi_block block;
    struct oi_damages damages;
};

/* The market being walked, writable: its counts grow as it is read. */
static inline struct oi_market *
run_market(struct run *run, size_t index)
{
    return &run->markets[index];
}

/* The readings of one market of the answer over a span, in the query's unit. */
struct oi_stream_request run_stream_request(struct run *run, const struct oi_instrument *instrument,
                                            struct oi_span span, unsigned columns, bool wants_usd);
enum oi_status run_stream_open(struct run *run, const struct oi_instrument *instrument,
                               struct oi_span span, unsigned columns, bool wants_usd,
                               struct oi_stream **ret_stream, struct oi_error *error);
/* Does a market, or any member of a total, lack rows in a span because a chunk is damaged? */
bool run_is_damaged(struct run *run, const struct oi_market *market, struct oi_span span);
/* Note what the store knows to be damaged of a market's feeds in a span. */
enum oi_status run_note_damage(struct run *run, const struct oi_instrument *instrument,
                               struct oi_span span, struct oi_error *error);
/* Empty the block and set it about a market, with the facts of a stream's block (or NULL). */
void run_block_begin(struct run *run, size_t market, const struct oi_stream_block *facts);

/* Each prepares its kind: sets step, state, release. */
enum oi_status run_markets(struct run *run, struct oi_error *error);
enum oi_status run_months(struct run *run, struct oi_error *error);
enum oi_status run_gaps(struct run *run, struct oi_error *error);
enum oi_status run_frozen(struct run *run, struct oi_error *error);
enum oi_status run_latest(struct run *run, struct oi_error *error);
enum oi_status run_rows(struct run *run, struct oi_error *error);
enum oi_status run_candles(struct run *run, struct oi_error *error);
enum oi_status run_snapshots(struct run *run, struct oi_error *error);
enum oi_status run_bars(struct run *run, struct oi_error *error);
enum oi_status run_revisions(struct run *run, struct oi_error *error);
enum oi_status run_changes(struct run *run, struct oi_error *error);
enum oi_status run_coverage(struct run *run, struct oi_error *error);
enum oi_status run_conventions(struct run *run, struct oi_error *error);
enum oi_status run_calendar(struct run *run, struct oi_error *error);
enum oi_status run_options(struct run *run, struct oi_error *error);
enum oi_status run_expiries(struct run *run, struct oi_error *error);
enum oi_status run_metrics(struct run *run, struct oi_error *error);
enum oi_status run_overview(struct run *run, struct oi_error *error);
/* What tells an instrument's group from others; NULL where there is one. */
const char *run_split_value(const struct oi_instrument *instrument, enum oi_split split);
/*
 * Pages of a list of markets, of those alone that `counts` lets in (it may fill in what it finds).
 * From the end a page holds the last ones, ascending. next_position is the last of the page in the
 * direction of paging, set where more that count are beyond.
 */
typedef bool (*run_counts)(struct run *run, size_t market);
/* Where the page begins: once, before the first step. */
void run_first_market(struct run *run, run_counts counts);
/* The next one of the page; false at its end. */
bool run_next_market(struct run *run, run_counts counts, size_t *ret_market);

/*
 * Pages of what is told of markets by time: gaps, standstills. Of `count` > 0 items of a market,
 * whose ascending times begin at `times` and are `stride` bytes apart, those of this page. *last is
 * the last one that any market gave, at first unset; next_position is it, set where more are
 * beyond.
 */
struct run_page {
    size_t from, count;
};
struct run_page run_cut_page(struct run *run, size_t market, const oi_time *times, size_t stride,
                             size_t count, struct oi_position *last);

/* METRICS: the entities asked for in place of the markets, of the chosen ones alone where there are
 * selectors. INVALID with `problem` when one is not there. */
enum oi_status run_entities(struct run *run, const struct oi_choices *choices,
                            struct oi_problem *problem);

/*
 * Rows of a market that count: all of them, or the first of each interval.
 */
struct row_walk {
    struct run *run;
    const struct oi_instrument *instrument;
    struct oi_stream *stream;
    const struct oi_stream_block *block;
    size_t row;
    int64_t interval_ns; /* 0: every row counts */
    oi_time bucket;      /* of the last row passed on */
    bool has_bucket;
};

/* A run of consecutive rows [from, to) of `block` that count; block NULL at the end. */
struct row_run {
    const struct oi_stream_block *block;
    size_t from, to;
};

enum oi_status row_walk_next(struct row_walk *walk, struct row_run *ret_run,
                             struct oi_error *error);
void row_walk_close(struct row_walk *walk);

/* Where the last `wanted` rows that count begin, in a market's span: the time of the first of them
 * and how many there are (fewer than wanted where there are no more). */
struct row_tail {
    oi_time from;
    size_t count;
};
enum oi_status run_find_tail(struct run *run, const struct oi_instrument *instrument,
                             struct oi_span span, size_t wanted, struct row_tail *ret_tail,
                             struct oi_error *error);
/* How many rows that count lie in a span. */
enum oi_status run_count_rows(struct run *run, const struct oi_instrument *instrument,
                              struct oi_span span, size_t *ret_count, struct oi_error *error);
/* First and last instant of an instrument over all its feeds; false when nothing is stored. */
bool run_extent(struct run *run, const struct oi_instrument *instrument, oi_time *ret_first,
                oi_time *ret_last, uint64_t *ret_rows);

/* The last reading of an instrument at or before an instant, over all its feeds: the latest one, of
 * the preferred feed where two have one instant. */
struct run_reading {
    uint32_t series; /* 0: there is none */
    bool is_lost;    /* for it may be in a damaged chunk, which is noted */
    struct oi_observation reading;
    struct oi_facts facts;
};
/* `time` OI_TIME_LATEST: the newest there is. */
void run_reading_at(struct run *run, const struct oi_instrument *instrument, oi_time time,
                    struct run_reading *ret_reading);
/* The same at several instants, the latest first; without exchange_time and known_time. */
#define RUN_INSTANTS_MAX 8
void run_readings_at(struct run *run, const struct oi_instrument *instrument, const oi_time *times,
                     size_t count, struct run_reading *ret_readings);
/* It in the query's unit, and in USD. */
struct oi_decimal run_amount(const struct run *run, const struct run_reading *reading);
struct oi_decimal run_usd(const struct run *run, const struct run_reading *reading);

/* How far a figure of an instrument is carried forward. */
int64_t run_staleness(struct run *run, const struct oi_instrument *instrument);

/*
 * A total walked instant by instant.
 */
struct total_walk {
    struct run *run;
    const struct oi_market *market;
    struct total_leg {
        struct oi_stream *stream;
        const struct oi_stream_block *block;
        size_t row;
    } * legs;
    struct oi_gather *gather;  /* that the legs read from, or NULL */
    struct oi_member *members; /* the market's, writable */
    struct oi_total amounts, usd;
    oi_time from, to;
    bool wants_usd;
    size_t candles_wanted;         /* the first so many, if that is known */
    struct total_columns *columns; /* NULL: instant by instant */
};

struct total_point {
    oi_time time; /* OI_TIME_NONE: the end */
    struct oi_decimal amount, usd;
};

/* Open over the market's members from `span`, reading back as far as figures are carried. */
enum oi_status total_walk_open(struct run *run, size_t market, struct oi_span span, bool wants_usd,
                               struct total_walk *walk, struct oi_error *error);
enum oi_status total_walk_next(struct total_walk *walk, struct total_point *ret_point,
                               struct oi_error *error);
/* Read all members' rows anew, from `time` on. */
enum oi_status total_walk_go_back(struct total_walk *walk, oi_time time, struct oi_error *error);
void total_walk_close(struct total_walk *walk);

/* Candles of a total by columns; a part of the walk that then is done. Where that ends because a
 * figure does not fit, walk->columns is NULL and the walk goes on instant by instant. */
struct total_columns *total_columns_new(const struct run *run, size_t member_count);
void total_columns_free(struct total_columns **columns, size_t member_count);
enum oi_status total_columns_next(struct total_walk *walk, struct oi_candles *candles,
                                  bool *ret_is_done, struct oi_error *error);
/* The next candles of a total, by columns or instant by instant, whichever the walk is at. */
enum oi_status total_walk_candles(struct total_walk *walk, struct oi_candles *candles,
                                  bool *ret_is_done, struct oi_error *error);

/* Is what an instrument has, as now known, from one feed alone and in the query's unit as it was
 * stored, with nothing that is left out? Facts and series of that feed. */
bool run_is_as_stored(const struct run *run, const struct oi_instrument *instrument,
                      struct oi_facts *ret_facts, uint32_t *ret_series);

/* Candles of a total by sums of readings that are elsewhere; NULL where there are none, or they are
 * not the total's. */
struct total_sums;
struct total_sums *total_sums_new(struct run *run, size_t market, struct oi_span span,
                                  bool is_backwards);
void total_sums_free(struct total_sums **sums);
/* More candles; *ret_is_done when there are no more. */
enum oi_status total_sums_next(struct total_sums *sums, struct oi_candles *candles,
                               bool *ret_is_done, struct oi_error *error);

/* The later half of a long total's candles on a thread of its own: NULL where it is not worth one,
 * else *span is cut to the first half. What was found is appended when the first half is done;
 * whoever does not come to that cancels. Cancelling NULL is fine. */
struct total_half;
struct total_half *total_half_start(struct run *run, size_t market, struct oi_span *span,
                                    int64_t interval_ns);
enum oi_status total_half_finish(struct total_half **half, struct oi_candles *candles,
                                 struct oi_error *error);
void total_half_cancel(struct total_half **half);
