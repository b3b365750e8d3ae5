/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/*
 * Aperiodic's interval metrics of each market. By arrival, a reading is put where it was first
 * known if that is within an hour of its instant; a reading that was imported long after says
 * nothing of when it arrived, so its only clock serves both.
 */
#include "query/run_internal.h"

#include <stdlib.h>
#include <string.h>

#define ARRIVAL_MAX OI_HOUR

struct tick {
    oi_time time;
    struct oi_decimal amount, price;
};

struct bars_state {
    struct oi_bars bars;
    OI_VECTOR(struct tick) ticks; /* by arrival: in that order */
};

static oi_time
arrival(const struct oi_columns *columns, size_t row)
{
    oi_time time = columns->time[row], known = columns->known_time[row];

    return known >= time && known - time <= ARRIVAL_MAX ? known : time;
}

static int
compare_ticks(const void *left, const void *right)
{
    const struct tick *a = left, *b = right;

    return a->time < b->time ? -1 : a->time > b->time;
}

static void
add_block(struct run *run, struct bars_state *state, const struct oi_stream_block *block)
{
    const struct oi_readings readings = { .time = block->columns.time,
                                          .amounts = &block->amounts,
                                          .prices = &block->columns.mark_price,
                                          .count = block->columns.count };

    if (!run->query->by_known_time) {
        oi_bars_add_readings(&state->bars, &readings);
        return;
    }
    for (size_t row = 0; row < block->columns.count; row++) {
        struct tick tick = { .amount = oi_decimals_get(&block->amounts, row),
                             .price = oi_decimals_get(&block->columns.mark_price, row) };

        tick.time = arrival(&block->columns, row);
        if (oi_span_contains(run->query->span, tick.time))
            oi_vector_push(&state->ticks, tick);
    }
}

static void
add_ticks(struct bars_state *state)
{
    if (state->ticks.count > 1)
        qsort(state->ticks.items, state->ticks.count, sizeof(struct tick), compare_ticks);
    for (size_t i = 0; i < state->ticks.count; i++)
        oi_bars_add(&state->bars, state->ticks.items[i].time, &state->ticks.items[i].amount,
                    &state->ticks.items[i].price);
    oi_vector_clear(&state->ticks);
}

/* Leave out bars that lack rows of a damaged chunk: what is left says something else. */
static void
drop_incomplete(struct run *run, struct bars_state *state)
{
    size_t kept = 0;

    if (atomic_load(&run->damages.count) == 0)
        return;
    for (size_t i = 0; i < state->bars.items.count; i++) {
        oi_time start = state->bars.items.items[i].start;
        struct oi_span span = { start, start + run->query->interval_ns };

        if (run->query->by_known_time)
            span.from -= ARRIVAL_MAX;
        if (!run_is_damaged(run, &run->markets[run->at], span))
            state->bars.items.items[kept++] = state->bars.items.items[i];
    }
    state->bars.items.count = kept;
}

/* Bars that memory is asked for at once. */
#define BARS_AT_ONCE 16'384

/* How many bars a market has where it has all of them, within reason. */
static size_t
bars_expected(const struct oi_query *query)
{
    uint64_t count;

    if (query->span.from == OI_TIME_EARLIEST || query->span.to <= query->span.from)
        return 0;
    count =
        ((uint64_t) query->span.to - (uint64_t) query->span.from) / (uint64_t) query->interval_ns +
        1;
    return count < BARS_AT_ONCE ? (size_t) count : 0;
}

static enum oi_status
read_market(struct run *run, struct bars_state *state, struct oi_stream_block *ret_facts,
            struct oi_error *error)
{
    OI_CLEANUP(oi_stream_close) struct oi_stream *stream = NULL;
    struct oi_span span = run->query->span;
    const struct oi_stream_block *block;

    if (run->query->by_known_time && span.from > OI_TIME_EARLIEST + ARRIVAL_MAX)
        span.from -= ARRIVAL_MAX;
    oi_vector_reserve(&state->bars.items, bars_expected(run->query));
    OI_TRY(run_stream_open(run, run->markets[run->at].instrument, span,
                           OI_COLUMN_MARK_PRICE |
                               (run->query->by_known_time ? OI_COLUMN_KNOWN_TIME : 0),
                           false, &stream, error));
    for (;;) {
        OI_TRY(oi_stream_next(stream, &block, error));
        run->markets[run->at].left_out_rows = oi_stream_left_out(stream);
        if (!block)
            break;
        if (!ret_facts->feed)
            *ret_facts = *block;
        add_block(run, state, block);
        if (state->bars.items.count + state->ticks.count > RUN_POINTS_MAX)
            return oi_fail(error, OI_E_INVALID, "more than %d bars of one market: ask for less",
                           RUN_POINTS_MAX);
    }
    add_ticks(state);
    oi_bars_finish(&state->bars);
    drop_incomplete(run, state);
    return OI_OK;
}

static enum oi_status
step(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct bars_state *state = run->state;

    for (; run->at < run->market_count; run->at++) {
        struct oi_stream_block facts = {};

        if (!run->markets[run->at].instrument)
            continue;
        oi_vector_clear(&state->bars.items);
        OI_TRY(read_market(run, state, &facts, error));
        if (state->bars.items.count == 0)
            continue;
        run_block_begin(run, run->at, facts.feed ? &facts : NULL);
        run->block.bars = state->bars.items.items;
        run->block.count = state->bars.items.count;
        run->block.is_last_of_market = true;
        run->at++;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release(struct run *run)
{
    struct bars_state *state = run->state;

    oi_bars_release(&state->bars);
    oi_vector_release(&state->ticks);
}

enum oi_status
run_bars(struct run *run, struct oi_error *error)
{
    struct bars_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));

    if (run->query->interval_ns <= 0)
        return oi_fail(error, OI_E_INVALID, "bars need an interval");
    state->bars.interval_ns = run->query->interval_ns;
    run->state = state;
    run->step = step;
    run->release = release;
    return OI_OK;
}
