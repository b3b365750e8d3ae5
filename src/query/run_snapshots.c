/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/*
 * The first reading of each interval (a total: its first instant there). Markets are walked one
 * after the other, or, where the answer is one list by time, gathered and merged: such answers are
 * pages of bounded size.
 */
#include "query/run_internal.h"

#include <stdlib.h>
#include <string.h>

/* A snapshot and whose it is, while several markets are merged. */
struct placed {
    struct oi_snapshot snapshot;
    size_t market;
};

struct snapshots_state {
    OI_VECTOR(struct oi_snapshot) out;
    OI_VECTOR(struct placed) placed;
    OI_VECTOR(struct oi_stream_block) facts; /* of each market, the first used */
    struct oi_latest latest;
    size_t next; /* of placed */
    bool is_gathered;
};

static struct oi_snapshot
snapshot_of(const struct run *run, const struct oi_stream_block *block, size_t row)
{
    oi_time time = block->columns.time[row];

    return (struct oi_snapshot){ .start = oi_interval_floor(run->query->interval_ns, time),
                                 .time = time,
                                 .amount = oi_decimals_get(&block->amounts, row),
                                 .usd = oi_decimals_get(&block->usd, row) };
}

static enum oi_status
too_many(struct oi_error *error)
{
    return oi_fail(error, OI_E_INVALID, "more than %d snapshots: ask for less", RUN_POINTS_MAX);
}

static enum oi_status
read_market(struct run *run, struct snapshots_state *state, size_t market, struct oi_span span,
            size_t wanted, struct oi_error *error)
{
    OI_CLEANUP(row_walk_close)
    struct row_walk walk = { .run = run,
                             .instrument = run->markets[market].instrument,
                             .interval_ns = run->query->interval_ns };
    struct row_run rows;

    OI_TRY(
        run_stream_open(run, run->markets[market].instrument, span, 0, true, &walk.stream, error));
    for (;;) {
        OI_TRY(row_walk_next(&walk, &rows, error));
        run->markets[market].left_out_rows = oi_stream_left_out(walk.stream);
        if (!rows.block)
            return OI_OK;
        if (!state->facts.items[market].feed)
            state->facts.items[market] = *rows.block;
        for (size_t row = rows.from; row < rows.to; row++) {
            if (state->out.count >= wanted)
                return OI_OK;
            if (state->out.count >= RUN_POINTS_MAX)
                return too_many(error);
            oi_vector_push(&state->out, snapshot_of(run, rows.block, row));
        }
    }
}

static enum oi_status
read_total(struct run *run, struct snapshots_state *state, size_t market, struct oi_span span,
           size_t wanted, struct oi_error *error)
{
    OI_CLEANUP(total_walk_close) struct total_walk walk = {};
    struct total_point point;

    OI_TRY(total_walk_open(run, market, span, true, &walk, error));
    for (;;) {
        oi_time start;

        OI_TRY(total_walk_next(&walk, &point, error));
        if (point.time == OI_TIME_NONE)
            return OI_OK;
        start = oi_interval_floor(run->query->interval_ns, point.time);
        if (oi_decimal_is_none(&point.amount) ||
            (state->out.count > 0 && state->out.items[state->out.count - 1].start == start) ||
            run_is_damaged(run, &run->markets[market], (struct oi_span){ start, point.time + 1 }))
            continue;
        if (state->out.count >= wanted)
            return OI_OK;
        if (state->out.count >= RUN_POINTS_MAX)
            return too_many(error);
        oi_vector_push(&state->out,
                       ((struct oi_snapshot){ start, point.time, point.amount, point.usd }));
    }
}

/* The snapshots of one market into `out`: at most `wanted`, from the side asked for. */
static enum oi_status
read_one(struct run *run, struct snapshots_state *state, size_t market, struct oi_span span,
         size_t wanted, struct oi_error *error)
{
    bool from_end = run->query->from_end && wanted != SIZE_MAX;
    size_t count;

    oi_vector_clear(&state->out);
    if (run->markets[market].instrument) {
        if (from_end) {
            struct row_tail tail;

            OI_TRY(run_find_tail(run, run->markets[market].instrument, span, wanted, &tail, error));
            span.from = tail.from > span.from ? tail.from : span.from;
        }
        return read_market(run, state, market, span, wanted, error);
    }
    OI_TRY(read_total(run, state, market, span, from_end ? SIZE_MAX : wanted, error));
    count = state->out.count;
    if (count > wanted) {
        memmove(state->out.items, state->out.items + (count - wanted),
                wanted * sizeof(*state->out.items));
        state->out.count = wanted;
    }
    return OI_OK;
}

/* The newest reading of a market, in the query's unit. */
static void
set_latest(struct run *run, struct snapshots_state *state, size_t market)
{
    struct run_reading newest;

    if (!run->markets[market].instrument)
        return;
    run_reading_at(run, run->markets[market].instrument, run->query->span.to, &newest);
    if (newest.series == 0)
        return;
    state->latest = (struct oi_latest){ .reading = newest.reading,
                                        .amount = run_amount(run, &newest),
                                        .usd = run_usd(run, &newest) };
    run->block.latest = &state->latest;
}

static void
set_block(struct run *run, struct snapshots_state *state, size_t market, size_t count)
{
    const struct oi_stream_block *facts = &state->facts.items[market];

    run_block_begin(run, market, facts->feed ? facts : NULL);
    run->block.snapshots = state->out.items;
    run->block.count = count;
    run->block.is_last_of_market = true;
}

static enum oi_status
step_by_market(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct snapshots_state *state = run->state;

    while (run->at < run->market_count && run->left > 0) {
        size_t market = run->at++;

        OI_TRY(read_one(run, state, market, run->query->span, run->left, error));
        if (state->out.count == 0 && !run->query->wants_latest)
            continue;
        set_block(run, state, market, state->out.count);
        if (run->query->wants_latest)
            set_latest(run, state, market);
        if (run->left != SIZE_MAX)
            run->left -= state->out.count;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static int
compare_placed(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;

    if (a->snapshot.start != b->snapshot.start)
        return a->snapshot.start < b->snapshot.start ? -1 : 1;
    return a->market < b->market ? -1 : a->market > b->market;
}

/* Is it behind the place where the last page ended, in the direction of paging? */
static bool
is_behind(const struct run *run, const struct placed *placed)
{
    const struct oi_position *after = &run->query->after;
    struct placed place = { .snapshot.start = after->time, .market = after->market };
    int order;

    if (!after->is_set)
        return true;
    order = compare_placed(placed, &place);
    return run->query->from_end ? order < 0 : order > 0;
}

static enum oi_status
gather(struct run *run, struct snapshots_state *state, struct oi_error *error)
{
    const struct oi_position *after = &run->query->after;
    /* One more than asked for tells whether there is a next page; one more for each market because
     * the place where the last page ended may be inside an instant. */
    size_t wanted = run->left == SIZE_MAX ? SIZE_MAX : run->left + 2;
    struct oi_span span = run->query->span;

    if (after->is_set && run->query->from_end)
        span.to = after->time + run->query->interval_ns < span.to
                      ? after->time + run->query->interval_ns
                      : span.to;
    else if (after->is_set && after->time > span.from)
        span.from = after->time;
    for (size_t market = 0; market < run->market_count; market++) {
        OI_TRY(read_one(run, state, market, span, wanted, error));
        for (size_t i = 0; i < state->out.count; i++) {
            struct placed placed = { state->out.items[i], market };

            if (is_behind(run, &placed))
                oi_vector_push(&state->placed, placed);
        }
    }
    if (state->placed.count > 1)
        qsort(state->placed.items, state->placed.count, sizeof(struct placed), compare_placed);
    state->is_gathered = true;
    if (state->placed.count <= run->left)
        return OI_OK;
    if (run->query->from_end) {
        state->next = state->placed.count - run->left;
        run->result.next_position =
            (struct oi_position){ .is_set = true,
                                  .market = state->placed.items[state->next].market,
                                  .time = state->placed.items[state->next].snapshot.start };
        return OI_OK;
    }
    state->placed.count = run->left;
    run->result.next_position =
        (struct oi_position){ .is_set = true,
                              .market = state->placed.items[run->left - 1].market,
                              .time = state->placed.items[run->left - 1].snapshot.start };
    return OI_OK;
}

static enum oi_status
step_by_time(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct snapshots_state *state = run->state;
    size_t market;

    if (!state->is_gathered)
        OI_TRY(gather(run, state, error));
    if (state->next >= state->placed.count)
        return OI_OK;
    market = state->placed.items[state->next].market;
    oi_vector_clear(&state->out);
    while (state->next < state->placed.count && state->placed.items[state->next].market == market)
        oi_vector_push(&state->out, state->placed.items[state->next++].snapshot);
    set_block(run, state, market, state->out.count);
    *ret_has_block = true;
    return OI_OK;
}

static void
release(struct run *run)
{
    struct snapshots_state *state = run->state;

    oi_vector_release(&state->out);
    oi_vector_release(&state->placed);
    oi_vector_release(&state->facts);
}

enum oi_status
run_snapshots(struct run *run, struct oi_error *error)
{
    struct snapshots_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));

    if (run->query->interval_ns <= 0)
        return oi_fail(error, OI_E_INVALID, "snapshots need an interval");
    for (size_t i = 0; i < run->market_count; i++)
        oi_vector_push(&state->facts, ((struct oi_stream_block){}));
    run->state = state;
    run->step = run->query->order_by_time ? step_by_time : step_by_market;
    run->release = release;
    return OI_OK;
}
