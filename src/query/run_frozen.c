/* SPDX-License-Identifier: Apache-2.0 */
/* Figures that stood still while the price of their market moved, market by market, by the rule
 * that the collector goes by (series/standstill.h). Each is told from its first reading to its
 * last. */
#include "query/run_internal.h"

/* Without a start it is the last day, for every reading of the span is looked at. */
#define SPAN_DEFAULT OI_DAY

struct frozen_state {
    OI_VECTOR(struct oi_standstill) found; /* of the market at hand */
    struct oi_position last;               /* the last one delivered */
};

static void
keep_if_frozen(const struct run *run, struct frozen_state *state,
               const struct oi_standstill *standstill)
{
    if (oi_standstill_is_frozen(standstill, run->query->lasting_ns))
        oi_vector_push(&state->found, *standstill);
}

static void
note_block(const struct run *run, struct frozen_state *state, const struct oi_stream_block *block,
           struct oi_standstill *standstill)
{
    for (size_t row = 0; row < block->columns.count; row++) {
        const struct oi_observation reading = oi_columns_get(&block->columns, row);
        const struct oi_standstill before = *standstill;

        if (oi_standstill_price(&reading) && oi_standstill_note(standstill, &reading))
            keep_if_frozen(run, state, &before);
    }
}

static enum oi_status
find_frozen(struct run *run, const struct oi_instrument *instrument, struct frozen_state *state,
            struct oi_error *error)
{
    const unsigned columns = OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE | OI_COLUMN_INDEX_PRICE;
    OI_CLEANUP(oi_stream_close) struct oi_stream *stream = NULL;
    const struct oi_stream_block *block;
    struct oi_standstill standstill = {};
    struct oi_span span = run->query->span;

    if (span.to == OI_TIME_LATEST)
        span.to = run->result.now;
    if (span.from == OI_SPAN_ALL.from)
        span.from = span.to - SPAN_DEFAULT;
    oi_vector_clear(&state->found);
    OI_TRY(run_stream_open(run, instrument, span, columns, false, &stream, error));
    for (;;) {
        OI_TRY(oi_stream_next(stream, &block, error));
        if (!block)
            break;
        run->block.feed = block->feed->name;
        note_block(run, state, block, &standstill);
    }
    keep_if_frozen(run, state, &standstill);
    return OI_OK;
}

static enum oi_status
step_frozen(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct frozen_state *state = run->state;

    while (run->at < run->market_count && !run->result.next_position.is_set) {
        size_t at = run->at++;
        struct run_page page;

        if (!run->markets[at].instrument || run->markets[at].series == 0)
            continue;
        run_block_begin(run, at, NULL);
        OI_TRY(find_frozen(run, run->markets[at].instrument, state, error));
        if (state->found.count == 0)
            continue;
        page = run_cut_page(run, at, &state->found.items->since, sizeof(*state->found.items),
                            state->found.count, &state->last);
        if (page.count == 0)
            continue;
        run->block.standstills = state->found.items + page.from;
        run->block.count = page.count;
        run->block.is_last_of_market = true;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release_frozen(struct run *run)
{
    struct frozen_state *state = run->state;

    oi_vector_release(&state->found);
}

enum oi_status
run_frozen(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(struct frozen_state));
    run->step = step_frozen;
    run->release = release_frozen;
    if (run->query->after.is_set)
        run->at = run->query->after.market;
    return OI_OK;
}
