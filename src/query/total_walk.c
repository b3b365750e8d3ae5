/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/*
 * A total instant by instant: the earliest heads of all members are set together, then the sum is
 * read. Members are streams of their own, so a feed's precedence and unit hold inside totals too.
 */
#include "query/run_internal.h"

#include <string.h>

int64_t
run_staleness(struct run *run, const struct oi_instrument *instrument)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);
    int64_t longest = 15 * OI_MINUTE;
    oi_time last = run->query->span.to;

    if (last == OI_TIME_LATEST)
        last = run->result.now;
    for (size_t i = 0; i < count; i++) {
        struct oi_facts facts;

        oi_facts_at(run->source, run->catalog, series[i], last, run->moment.as_of, &facts);
        if (facts.staleness_ns > longest)
            longest = facts.staleness_ns;
    }
    return longest;
}

static struct oi_span
reaching_back(struct oi_span span, int64_t by_ns)
{
    oi_time from;

    if (!__builtin_sub_overflow(span.from, by_ns, &from) && from > OI_TIME_EARLIEST)
        span.from = from;
    return span;
}

/* All members' series, to be read together. */
static struct oi_gather *
gather_members(struct run *run, const struct oi_market *market, struct oi_span span)
{
    OI_VECTOR(uint32_t) all = {};
    struct oi_span widest = span;
    struct oi_gather *gather;

    for (size_t i = 0; i < market->member_count; i++) {
        const struct oi_instrument *instrument = market->members[i].instrument;
        struct oi_span reaching = reaching_back(span, run_staleness(run, instrument));
        uint32_t series[OI_FEEDS_MAX];
        size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);

        widest.from = reaching.from < widest.from ? reaching.from : widest.from;
        for (size_t k = 0; k < count; k++)
            oi_vector_push(&all, series[k]);
    }
    gather = oi_store_gather(run->source->store, all.items, all.count, widest,
                             OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE |
                                 OI_COLUMN_INDEX_PRICE | OI_COLUMN_VALUE_USD);
    oi_vector_release(&all);
    return gather;
}

/* A member's rows from its reach before the span on, or from `after` where that is later. */
static enum oi_status
open_leg(struct total_walk *walk, size_t index, oi_time after, struct oi_error *error)
{
    const struct oi_instrument *instrument = walk->market->members[index].instrument;
    struct total_leg *leg = &walk->legs[index];
    struct oi_span span = reaching_back((struct oi_span){ walk->from, walk->to },
                                        walk->amounts.members[index].staleness_ns);
    struct oi_stream_request request;

    span.from = after > span.from ? after : span.from;
    request = run_stream_request(walk->run, instrument, span, 0, walk->wants_usd);
    request.gather = walk->gather;
    request.is_sum = true;
    leg->row = 0;
    leg->block = NULL;
    OI_TRY(oi_stream_open(&request, &leg->stream, error));
    return oi_stream_next(leg->stream, &leg->block, error);
}

enum oi_status
total_walk_open(struct run *run, size_t market_index, struct oi_span span, bool wants_usd,
                struct total_walk *walk, struct oi_error *error)
{
    struct oi_market *market = run_market(run, market_index);
    enum oi_status status = OI_OK;

    *walk = (struct total_walk){
        .run = run,
        .market = market,
        .legs = oi_alloc_zero(market->member_count, sizeof(*walk->legs)),
        .members = (struct oi_member *) market->members, /* ours, in the run's arena */
        .from = span.from,
        .to = span.to,
        .wants_usd = wants_usd,
        .candles_wanted = SIZE_MAX,
    };
    oi_total_init(&walk->amounts, market->member_count);
    oi_total_init(&walk->usd, market->member_count);
    walk->gather = gather_members(run, market, span);
    for (size_t i = 0; i < market->member_count && status == OI_OK; i++) {
        const struct oi_instrument *instrument = market->members[i].instrument;
        int64_t carried = run_staleness(run, instrument);

        walk->amounts.members[i].staleness_ns = walk->usd.members[i].staleness_ns = carried;
        if (instrument->expiry != OI_TIME_NONE)
            walk->amounts.members[i].ends = walk->usd.members[i].ends = instrument->expiry;
        status = open_leg(walk, i, OI_TIME_EARLIEST, error);
    }
    if (status != OI_OK)
        total_walk_close(walk);
    return status;
}

enum oi_status
total_walk_go_back(struct total_walk *walk, oi_time time, struct oi_error *error)
{
    for (size_t i = 0; i < walk->market->member_count; i++) {
        oi_stream_close(&walk->legs[i].stream);
        OI_TRY(open_leg(walk, i, time, error));
    }
    return OI_OK;
}

void
total_walk_close(struct total_walk *walk)
{
    if (walk->columns)
        total_columns_free(&walk->columns, walk->market->member_count);
    for (size_t i = 0; walk->legs && i < walk->market->member_count; i++)
        oi_stream_close(&walk->legs[i].stream);
    oi_free(walk->legs);
    walk->legs = NULL;
    oi_gather_close(&walk->gather);
    oi_total_release(&walk->amounts);
    oi_total_release(&walk->usd);
}

static oi_time
head(const struct total_leg *leg)
{
    return leg->block ? leg->block->columns.time[leg->row] : OI_TIME_LATEST;
}

/* Take the head of one leg into the sums and move it on. */
static enum oi_status
take(struct total_walk *walk, size_t index, struct oi_error *error)
{
    struct total_leg *leg = &walk->legs[index];
    struct oi_member *member = &walk->members[index];
    oi_time time = head(leg);
    struct oi_decimal amount = oi_decimals_get(&leg->block->amounts, leg->row), usd = {};
    enum oi_status status;

    status = oi_total_set(&walk->amounts, index, time, &amount, NULL);
    if (status == OI_OK && walk->wants_usd) {
        usd = oi_decimals_get(&leg->block->usd, leg->row);
        status = oi_total_set(&walk->usd, index, time, &usd, NULL);
    }
    if (status != OI_OK) {
        member->left_out = "its figure makes the sum too long";
    } else {
        member->last = time;
        member->left_out = NULL;
    }
    if (++leg->row < leg->block->columns.count)
        return OI_OK;
    leg->row = 0;
    return oi_stream_next(leg->stream, &leg->block, error);
}

enum oi_status
total_walk_next(struct total_walk *walk, struct total_point *ret_point, struct oi_error *error)
{
    size_t count = walk->market->member_count;

    for (;;) {
        oi_time time = OI_TIME_LATEST;

        for (size_t i = 0; i < count; i++)
            time = head(&walk->legs[i]) < time ? head(&walk->legs[i]) : time;
        if (time == OI_TIME_LATEST) {
            ret_point->time = OI_TIME_NONE;
            return OI_OK;
        }
        for (size_t i = 0; i < count; i++)
            if (head(&walk->legs[i]) == time)
                OI_TRY(take(walk, i, error));
        if (time < walk->from)
            continue;
        ret_point->time = time;
        ret_point->usd = (struct oi_decimal){};
        OI_TRY(oi_total_at(&walk->amounts, time, &ret_point->amount, error));
        if (walk->wants_usd)
            OI_TRY(oi_total_at(&walk->usd, time, &ret_point->usd, error));
        return OI_OK;
    }
}
