/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/*
 * Readings as stored, market by market, ascending in (market, time), with paging from either side.
 *
 * An answer from the start walks forward and stops. One from the end first finds, market by market
 * backwards, where its rows begin, and then walks forward just the same: rows of a page ascend
 * whichever way one pages.
 */
#include "query/run_internal.h"

#include <string.h>

/* What is to be delivered of one market. */
struct plan {
    struct oi_span span;
    size_t count; /* at most so many rows; SIZE_MAX: all in the span */
};

struct rows_state {
    struct plan *plans; /* from the end: one a market, made before the walk */
    size_t first, end;  /* markets to walk: [first, end) */
    struct row_walk walk;
    size_t left_of_market;
    bool is_open;
    /* A run that was cut by a limit: nothing of it may be lost when there is more room. */
    struct oi_position last; /* the last row delivered */
};

static struct oi_span
span_behind(const struct run *run, size_t market)
{
    struct oi_span span = run->query->span;
    const struct oi_position *after = &run->query->after;

    if (!after->is_set || market != after->market)
        return span;
    if (run->query->from_end)
        span.to = after->time < span.to ? after->time : span.to;
    else
        span.from = after->time >= span.from ? after->time + 1 : span.from;
    return span;
}

/* Rows of this market that earlier pages delivered. */
static enum oi_status
delivered_before(struct run *run, size_t market, size_t *ret_count, struct oi_error *error)
{
    const struct oi_position *after = &run->query->after;
    struct oi_span span = run->query->span;

    *ret_count = 0;
    if (!after->is_set || market != after->market || run->query->limit_per_market == 0)
        return OI_OK;
    if (run->query->from_end)
        span.from = after->time;
    else
        span.to = after->time + 1;
    return run_count_rows(run, run->markets[market].instrument, span, ret_count, error);
}

static enum oi_status
market_allowance(struct run *run, size_t market, size_t *ret_count, struct oi_error *error)
{
    size_t before, limit = run->query->limit_per_market;

    if (limit == 0) {
        *ret_count = SIZE_MAX;
        return OI_OK;
    }
    OI_TRY(delivered_before(run, market, &before, error));
    *ret_count = limit > before ? limit - before : 0;
    return OI_OK;
}

/* The plan of one market when counting from the end: its last `wanted` rows. */
static enum oi_status
plan_tail(struct run *run, size_t market, size_t wanted, struct plan *ret_plan,
          struct oi_error *error)
{
    struct oi_span span = span_behind(run, market);
    struct row_tail tail;

    if (wanted == SIZE_MAX) {
        *ret_plan = (struct plan){ span, SIZE_MAX };
        return OI_OK;
    }
    OI_TRY(run_find_tail(run, run->markets[market].instrument, span, wanted, &tail, error));
    span.from = tail.from;
    *ret_plan = (struct plan){ span, tail.count };
    return OI_OK;
}

/* Is there a row before `end` of market `market`, or in any market before it? */
static enum oi_status
has_row_before(struct run *run, size_t market, bool *ret_has, struct oi_error *error)
{
    for (size_t i = market; i-- > 0;) {
        size_t allowed;
        struct plan plan;

        OI_TRY(market_allowance(run, i, &allowed, error));
        OI_TRY(plan_tail(run, i, allowed > 0 ? 1 : 0, &plan, error));
        if (plan.count > 0) {
            *ret_has = true;
            return OI_OK;
        }
    }
    *ret_has = false;
    return OI_OK;
}

/* Page backwards: fill the plans from the last market towards the first until the page is full. */
static enum oi_status
plan_from_end(struct run *run, struct rows_state *state, struct oi_error *error)
{
    const struct oi_position *after = &run->query->after;
    size_t market = after->is_set ? after->market + 1 : run->market_count;
    size_t left = run->left;

    if (market > run->market_count)
        market = run->market_count;
    state->end = market;
    while (market > 0 && left > 0) {
        size_t allowed, wanted;
        struct plan *plan = &state->plans[--market];

        OI_TRY(market_allowance(run, market, &allowed, error));
        wanted = allowed < left ? allowed : left + 1;
        OI_TRY(plan_tail(run, market, wanted, plan, error));
        if (plan->count <= left) {
            left -= plan->count;
            continue;
        }
        /* One row more than fits: there is a next page, and it ends before what is kept. */
        OI_TRY(plan_tail(run, market, left, plan, error));
        run->result.next_position =
            (struct oi_position){ .is_set = true, .market = market, .time = plan->span.from };
        state->first = market;
        return OI_OK;
    }
    state->first = market;
    if (left == 0 && market > 0) {
        bool has_more;

        OI_TRY(has_row_before(run, market, &has_more, error));
        if (has_more)
            run->result.next_position = (struct oi_position){
                .is_set = true, .market = market, .time = state->plans[market].span.from
            };
    }
    return OI_OK;
}

static enum oi_status
open_market(struct run *run, struct rows_state *state, struct oi_error *error)
{
    size_t market = run->at;
    struct oi_stream_request request;
    struct plan plan;

    if (state->plans) {
        plan = state->plans[market];
    } else if (run->query->from_end) {
        size_t allowed;

        OI_TRY(market_allowance(run, market, &allowed, error));
        OI_TRY(plan_tail(run, market, allowed, &plan, error));
    } else {
        plan.span = span_behind(run, market);
        OI_TRY(market_allowance(run, market, &plan.count, error));
    }
    state->left_of_market = plan.count;
    state->walk = (struct row_walk){ .run = run,
                                     .instrument = run->markets[market].instrument,
                                     .interval_ns = run->query->interval_ns };
    /* The first row of an interval that began before the page is not this page's. */
    if (!run->query->from_end && run->query->interval_ns > 0 && run->query->after.is_set &&
        market == run->query->after.market) {
        state->walk.has_bucket = true;
        state->walk.bucket = oi_interval_floor(run->query->interval_ns, run->query->after.time);
    }
    request =
        run_stream_request(run, run->markets[market].instrument, plan.span, OI_COLUMNS_ALL, true);
    /* One more tells whether there is a next page. */
    if (run->query->interval_ns == 0 && plan.count < SIZE_MAX && run->left < SIZE_MAX)
        request.likely_rows = (plan.count < run->left ? plan.count : run->left) + 1;
    OI_TRY(oi_stream_open(&request, &state->walk.stream, error));
    state->is_open = true;
    return OI_OK;
}

/* The columns of a run as the block's own. */
static void
set_rows(struct run *run, struct oi_columns *columns, const struct row_run *rows)
{
    const struct oi_stream_block *block = rows->block;

    run_block_begin(run, run->at, block);
    *columns = oi_columns_slice(&block->columns, rows->from, rows->to);
    run->block.rows = columns;
    run->block.count = columns->count;
    run->block.amounts = oi_decimals_from_row(&block->amounts, rows->from);
    run->block.usd = oi_decimals_from_row(&block->usd, rows->from);
}

struct rows_answer {
    struct rows_state state;
    struct oi_columns columns;
};

/* Deliver a run as far as the limits go; false: nothing of it, the page was full already. */
static bool
deliver(struct run *run, struct rows_answer *answer, struct row_run rows)
{
    struct rows_state *state = &answer->state;
    size_t count = rows.to - rows.from;

    if (run->left == 0) {
        run->result.next_position = state->last;
        return false;
    }
    if (count > state->left_of_market)
        count = state->left_of_market;
    if (count > run->left) {
        count = run->left;
        if (!run->query->from_end)
            run->result.next_position =
                (struct oi_position){ .is_set = true,
                                      .market = run->at,
                                      .time = rows.block->columns.time[rows.from + count - 1] };
    }
    rows.to = rows.from + count;
    set_rows(run, &answer->columns, &rows);
    state->left_of_market -= count;
    if (run->left != SIZE_MAX)
        run->left -= count;
    state->last = (struct oi_position){ .is_set = true,
                                        .market = run->at,
                                        .time = answer->columns.time[count - 1] };
    return true;
}

static enum oi_status
step(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct rows_answer *answer = run->state;
    struct rows_state *state = &answer->state;

    while (run->at < state->end && !(run->left == 0 && run->result.next_position.is_set)) {
        struct row_run rows = {};

        if (!state->is_open)
            OI_TRY(open_market(run, state, error));
        if (state->left_of_market > 0)
            OI_TRY(row_walk_next(&state->walk, &rows, error));
        run->markets[run->at].left_out_rows = oi_stream_left_out(state->walk.stream);
        if (rows.block) {
            *ret_has_block = deliver(run, answer, rows);
            return OI_OK;
        }
        row_walk_close(&state->walk);
        state->is_open = false;
        run->at++;
        if (run->left == 0 && run->query->from_end)
            break;
    }
    return OI_OK;
}

static void
release(struct run *run)
{
    row_walk_close(&((struct rows_answer *) run->state)->state.walk);
}

enum oi_status
run_rows(struct run *run, struct oi_error *error)
{
    struct rows_answer *answer = oi_arena_alloc_zero(&run->arena, 1, sizeof(*answer));
    struct rows_state *state = &answer->state;

    run->state = answer;
    run->step = step;
    run->release = release;
    state->end = run->market_count;
    if (run->query->from_end && run->left != SIZE_MAX) {
        state->plans =
            oi_arena_alloc_zero(&run->arena, run->market_count + 1, sizeof(*state->plans));
        OI_TRY(plan_from_end(run, state, error));
    } else if (run->query->after.is_set) {
        state->first = run->query->after.market;
        if (run->query->from_end && run->query->after.market < run->market_count)
            state->first = 0;
    }
    run->at = state->first;
    return OI_OK;
}
