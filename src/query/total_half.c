/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: query/total_columns_test.c asks with it and without */
/*
 * The later half of a long total on a thread of its own. A total at an instant depends on nothing
 * older than figures are carried, so a walk that begins in the middle of the span, reading back as
 * far, says the same as one that came all the way.
 */
#include "base/alloc.h"
#include "query/run_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* Readings that are worth a thread. */
#define READINGS_MIN 400'000

struct total_half {
    struct run *run;
    size_t market;
    struct oi_span span;
    struct oi_member *members; /* a copy: the market's are the first half's */
    struct oi_candles candles;
    enum oi_status status;
    struct oi_error error;
    atomic_bool is_cancelled;
    pthread_t thread;
};

static void *
walk_half(void *context)
{
    struct total_half *half = context;
    struct total_walk walk;
    bool is_done = false;

    half->status = total_walk_open(half->run, half->market, half->span, false, &walk, &half->error);
    if (half->status != OI_OK)
        return NULL;
    walk.members = half->members;
    walk.columns = total_columns_new(half->run, walk.market->member_count);
    while (half->status == OI_OK && !is_done && !atomic_load(&half->is_cancelled)) {
        half->status = total_walk_candles(&walk, &half->candles, &is_done, &half->error);
        if (half->status == OI_OK && half->candles.items.count > RUN_POINTS_MAX)
            half->status =
                oi_fail(&half->error, OI_E_INVALID,
                        "more than %d candles of one market: ask for less", RUN_POINTS_MAX);
    }
    total_walk_close(&walk);
    return NULL;
}

/* The part of the span in which there can be readings, and about how many there are in it. */
static struct oi_span
filled_part(struct run *run, const struct oi_market *market, struct oi_span span,
            uint64_t *ret_readings)
{
    struct oi_span filled = { OI_TIME_LATEST, OI_TIME_EARLIEST };
    uint64_t readings = 0;

    for (size_t i = 0; i < market->member_count; i++) {
        oi_time first, last;
        uint64_t rows;
        struct oi_span part;

        if (!run_extent(run, market->members[i].instrument, &first, &last, &rows) || last <= first)
            continue;
        part = oi_span_intersect(span, (struct oi_span){ first, last });
        if (part.from >= part.to)
            continue;
        readings += (uint64_t) ((unsigned __int128) rows * (uint64_t) (part.to - part.from) /
                                (uint64_t) (last - first));
        filled.from = part.from < filled.from ? part.from : filled.from;
        filled.to = part.to > filled.to ? part.to : filled.to;
    }
    *ret_readings = readings;
    return filled;
}

/* Is all of the answer asked for? Else the later half may be for nothing. */
static bool
wants_all(const struct run *run, struct oi_span filled, int64_t interval_ns)
{
    return run->left == SIZE_MAX || run->query->from_end || run->query->is_descending ||
           (uint64_t) (filled.to - filled.from) / (uint64_t) interval_ns < run->left;
}

struct total_half *
total_half_start(struct run *run, size_t market_index, struct oi_span *span, int64_t interval_ns)
{
    const struct oi_market *market = run_market(run, market_index);
    size_t size = market->member_count * sizeof(*market->members);
    struct total_half *half;
    struct oi_span filled;
    uint64_t readings;
    oi_time middle;

    filled = filled_part(run, market, *span, &readings);
    if (readings < (run->source->halved_from ? run->source->halved_from : READINGS_MIN) ||
        !wants_all(run, filled, interval_ns))
        return NULL;
    middle = oi_interval_floor(interval_ns, filled.from + (filled.to - filled.from) / 2);
    if (middle <= filled.from)
        return NULL;
    half = oi_alloc_zero(1, sizeof(*half));
    half->run = run;
    half->market = market_index;
    half->span = (struct oi_span){ middle, span->to };
    half->candles.interval_ns = interval_ns;
    half->members = oi_alloc(size);
    memcpy(half->members, market->members, size);
    if (pthread_create(&half->thread, NULL, walk_half, half) != 0) {
        oi_free(half->members);
        oi_free(half);
        return NULL;
    }
    span->to = middle;
    return half;
}

enum oi_status
total_half_finish(struct total_half **half, struct oi_candles *candles, struct oi_error *error)
{
    const struct oi_candles *more = &(*half)->candles;
    struct oi_market *market = run_market((*half)->run, (*half)->market);
    struct oi_member *members = (struct oi_member *) market->members; /* ours, in the arena */
    enum oi_status status;

    (void) pthread_join((*half)->thread, NULL);
    status = (*half)->status;
    if (status == OI_OK && more->items.count > 0) {
        oi_vector_reserve(&candles->items, more->items.count);
        memcpy(candles->items.items + candles->items.count, more->items.items,
               more->items.count * sizeof(*more->items.items));
        candles->items.count += more->items.count;
    }
    /* What was read last of a member is what the later half read, if it read any. */
    for (size_t i = 0; i < market->member_count; i++)
        if ((*half)->members[i].last != OI_TIME_NONE)
            members[i] = (*half)->members[i];
    if (status != OI_OK && error)
        *error = (*half)->error;
    oi_candles_release(&(*half)->candles);
    oi_free((*half)->members);
    oi_free(*half);
    *half = NULL;
    return status;
}

void
total_half_cancel(struct total_half **half)
{
    struct oi_candles dropped = {};

    if (!*half)
        return;
    atomic_store(&(*half)->is_cancelled, true);
    (void) total_half_finish(half, &dropped, NULL);
    oi_candles_release(&dropped);
}
