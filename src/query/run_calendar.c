/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calendar of coverage: of each exchange and day, how much was due of all its markets, how much
 * of it is missing and why. What was not due (a market not listed yet, or no longer) is not
 * missing.
 */
#include "query/run_internal.h"

#include <string.h>

struct calendar_state {
    OI_VECTOR(struct oi_calendar_day) days; /* of one exchange, consecutive */
    oi_time first;                          /* the first of them */
};

/* Days of the state that a span touches: calls back with the part of each. */
static void
each_day(struct calendar_state *state, struct oi_span span,
         void (*add)(struct oi_calendar_day *day, int64_t part_ns, int cause), int cause)
{
    for (oi_time from = span.from; from < span.to;) {
        oi_time day = oi_interval_floor(OI_DAY, from);
        oi_time to = day + OI_DAY < span.to ? day + OI_DAY : span.to;
        size_t at = (size_t) ((day - state->first) / OI_DAY);

        if (day >= state->first && at < state->days.count)
            add(&state->days.items[at], to - from, cause);
        from = to;
    }
}

static void
add_due(struct oi_calendar_day *day, int64_t part_ns, int)
{
    day->markets++;
    day->due_ns += part_ns;
}

static void
count_part(struct oi_calendar_day *day, int64_t part_ns, int cause)
{
    switch ((enum oi_hole_cause) cause) {
    case OI_HOLE_SILENT:
        day->silent_ns += part_ns;
        break;
    case OI_HOLE_UNREACHABLE:
        day->unreachable_ns += part_ns;
        break;
    case OI_HOLE_BLOCKED:
        day->blocked_ns += part_ns;
        break;
    case OI_HOLE_RATE_LIMITED:
        day->rate_limited_ns += part_ns;
        break;
    case OI_HOLE_NONE:
    case OI_HOLE_COLLECTOR_DOWN:
        day->collector_down_ns += part_ns;
        break;
    case OI_HOLE_NOT_LISTED:
    case OI_HOLE_DELISTED:
    /* Nobody failed to ask for it; the answer's damages say what is lost. */
    case OI_HOLE_DAMAGED:
        day->due_ns -= part_ns;
        break;
    }
}

static enum oi_status
count_hole(void *context, const struct oi_hole *hole)
{
    each_day(context, hole->span, count_part, (int) hole->cause);
    return OI_OK;
}

/* A market's days and holes, from its first reading on; until its last one where it is delisted. */
static enum oi_status
count_market(struct run *run, struct oi_market *market, struct calendar_state *state,
             struct oi_error *error)
{
    struct oi_span span = run->query->span;
    struct oi_facts facts;
    int64_t cadence_ns;

    if (!run_extent(run, market->instrument, &market->first, &market->last, &market->rows))
        return OI_OK;
    if (span.to > run->result.now)
        span.to = run->result.now;
    if (market->instrument->is_delisted && span.to > market->last)
        span.to = market->last + 1;
    if (span.from < market->first)
        span.from = market->first;
    if (span.from >= span.to)
        return OI_OK;
    oi_facts_at(run->source, run->catalog, market->series, span.to, run->moment.as_of, &facts);
    cadence_ns = facts.convention ? facts.convention->cadence_ns : facts.feed->cadence_ns;
    each_day(state, span, add_due, 0);
    OI_TRY(oi_store_gaps(run->source->store, market->instrument->id, facts.feed->id,
                         cadence_ns > 0 ? cadence_ns : OI_MINUTE, span, run->moment, count_hole,
                         state, error));
    return run_note_damage(run, market->instrument, span, error);
}

/* The days asked for, none counted yet. */
static void
clear_days(struct run *run, struct calendar_state *state)
{
    struct oi_span span = run->query->span;

    if (span.to > run->result.now)
        span.to = run->result.now;
    oi_vector_clear(&state->days);
    state->first = oi_interval_floor(OI_DAY, span.from);
    for (oi_time day = state->first; day < span.to; day += OI_DAY)
        oi_vector_push(&state->days, ((struct oi_calendar_day){ .day = day }));
}

/* Leave the days on which anything was due. */
static void
cut_days(struct run *run, struct calendar_state *state)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->days.count; i++)
        if (state->days.items[i].markets > 0 && kept < run->left)
            state->days.items[kept++] = state->days.items[i];
    state->days.count = kept;
    if (run->left != SIZE_MAX)
        run->left -= kept;
}

/* All markets of the next exchange. */
static enum oi_status
step_calendar(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct calendar_state *state = run->state;

    while (run->at < run->market_count && run->left > 0) {
        const char *exchange = NULL;

        clear_days(run, state);
        for (; run->at < run->market_count; run->at++) {
            struct oi_market *market = run_market(run, run->at);

            if (!market->instrument || market->series == 0)
                continue;
            if (exchange && strcmp(exchange, market->instrument->exchange) != 0)
                break;
            exchange = market->instrument->exchange;
            OI_TRY(count_market(run, market, state, error));
        }
        cut_days(run, state);
        if (!exchange || state->days.count == 0)
            continue;
        run->block = (struct oi_block){ .count = state->days.count,
                                        .exchange = exchange,
                                        .days = state->days.items };
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release_calendar(struct run *run)
{
    oi_vector_release(&((struct calendar_state *) run->state)->days);
}

enum oi_status
run_calendar(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(struct calendar_state));
    run->step = step_calendar;
    run->release = release_calendar;
    return OI_OK;
}
