/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candles of each market or total. Where one feed alone answers, as known now and in the unit it
 * was stored in, whole hours and days come from the store's rollups; everything else is made from
 * rows, and the answer is the same.
 */
#include "query/run_internal.h"

#include <string.h>

struct candles_state {
    struct oi_candles candles;
    struct oi_stream *stream;
    struct total_walk total;
    bool is_total_open;
    struct total_half *half; /* the later one, or NULL */
    struct total_sums *sums; /* in place of both, or NULL */
    bool is_open;
    bool has_facts; /* of the first block used, for the answer */
    struct oi_stream_block facts;
    struct oi_candle last; /* for filling */
    bool has_last;
    int64_t rollup_ns;
    OI_VECTOR(struct oi_candle) out;
    struct oi_position delivered; /* the last candle that was, in the direction of paging */
};

/* Do limits and pages count from the newest? Markets come in their order all the same: page after
 * page, the first one's candles back to its oldest, then the next one's. */
static bool
is_backwards(const struct run *run)
{
    return run->query->from_end || run->query->is_descending;
}

/* What of a market is behind the page before. What an empty interval is filled with may be far in
 * front of it: then all is read, and drop_delivered takes away what was there. */
static struct oi_span
span_behind(const struct run *run)
{
    const struct oi_position *after = &run->query->after;
    struct oi_span span = run->query->span;

    if (!after->is_set || after->market != run->at || run->query->fills_gaps)
        return span;
    if (is_backwards(run) && after->time < span.to)
        span.to = after->time;
    else if (!is_backwards(run) && after->time > span.from)
        span.from = after->time;
    return span;
}

static void
remember_facts(struct candles_state *state, const struct oi_stream_block *block)
{
    if (state->has_facts)
        return;
    state->facts = *block;
    state->has_facts = true;
}

bool
run_is_as_stored(const struct run *run, const struct oi_instrument *instrument,
                 struct oi_facts *ret_facts, uint32_t *ret_series)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);
    size_t filled = 0;
    struct oi_extent extent;
    struct oi_facts first;

    if (run->moment.as_of != OI_TIME_LATEST || run->moment.as_stored != OI_TIME_LATEST)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (oi_store_extent(run->source->store, series[i], &extent, NULL) != OI_OK)
            continue;
        filled++;
        *ret_series = series[i];
    }
    /* Rollups were made before anybody called their rows bad. */
    if (filled == 1 && !run->query->shows_bad &&
        oi_store_is_flagged(run->source->store, *ret_series, run->query->span, OI_TIME_LATEST))
        return false;
    if (filled != 1 || oi_store_extent(run->source->store, *ret_series, &extent, NULL) != OI_OK)
        return false;
    oi_facts_at(run->source, run->catalog, *ret_series, extent.first, OI_TIME_LATEST, &first);
    oi_facts_at(run->source, run->catalog, *ret_series, extent.last, OI_TIME_LATEST, ret_facts);
    if (first.convention != ret_facts->convention ||
        !oi_instrument_same_definition(&first.instrument, &ret_facts->instrument))
        return false;
    if (run->query->is_canonical && ret_facts->sides == 2)
        return false;
    return run->query->unit == OI_UNIT_UNKNOWN ||
           (run->query->unit == ret_facts->unit &&
            (ret_facts->unit != OI_UNIT_COINS || ret_facts->instrument.base_factor == 1));
}

/* Hours and days by rollup: only then is nothing in the answer different from rows. */
static bool
rollups_answer(const struct run *run, const struct oi_market *market, struct oi_facts *ret_facts,
               uint32_t *ret_series)
{
    return run->query->interval_ns % OI_HOUR == 0 &&
           run_is_as_stored(run, market->instrument, ret_facts, ret_series);
}

static enum oi_status
add_rollup(void *context, const struct oi_rollup *rollup)
{
    struct candles_state *state = context;
    struct oi_candle part = {
        .start = rollup->start,
        .open = rollup->first.open_interest,
        .high = rollup->high.open_interest,
        .low = rollup->low.open_interest,
        .close = rollup->last.open_interest,
        .price_open = rollup->first.mark_price,
        .price_close = rollup->last.mark_price,
        .first = rollup->first.time,
        .last = rollup->last.time,
        .count = rollup->count,
    };

    oi_candles_add_part(&state->candles, &part);
    return OI_OK;
}

/* The same of many, by columns. */
static enum oi_status
add_rollup_columns(void *context, const struct oi_rollup_columns *columns)
{
    struct candles_state *state = context;
    bool is_candle = state->candles.interval_ns == state->rollup_ns;

    oi_vector_reserve(&state->candles.items, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        struct oi_candle made, *candle = &made;

        if (is_candle)
            candle = &state->candles.items.items[state->candles.items.count++];
        oi_decimals_put(&columns->first.open_interest, i, &candle->open);
        oi_decimals_put(&columns->high.open_interest, i, &candle->high);
        oi_decimals_put(&columns->low.open_interest, i, &candle->low);
        oi_decimals_put(&columns->last.open_interest, i, &candle->close);
        oi_decimals_put(&columns->first.mark_price, i, &candle->price_open);
        oi_decimals_put(&columns->last.mark_price, i, &candle->price_close);
        candle->start = columns->starts[i];
        candle->first = columns->first.time[i];
        candle->last = columns->last.time[i];
        candle->count = (uint32_t) columns->counts[i];
        candle->is_incomplete = false;
        if (!is_candle)
            oi_candles_add_part(&state->candles, candle);
    }
    return OI_OK;
}

static enum oi_status
add_rows(struct run *run, struct candles_state *state, const struct oi_instrument *instrument,
         struct oi_span span, struct oi_error *error)
{
    OI_CLEANUP(oi_stream_close) struct oi_stream *stream = NULL;
    const struct oi_stream_block *block;

    if (span.from >= span.to)
        return OI_OK;
    OI_TRY(run_stream_open(run, instrument, span, OI_COLUMN_MARK_PRICE, false, &stream, error));
    for (;;) {
        struct oi_readings readings;

        OI_TRY(oi_stream_next(stream, &block, error));
        if (!block)
            return OI_OK;
        readings = (struct oi_readings){ .time = block->columns.time,
                                         .amounts = &block->amounts,
                                         .prices = &block->columns.mark_price,
                                         .count = block->columns.count };
        oi_candles_add(&state->candles, &readings);
    }
}

/* Rows up to the first whole hour, rollups, rows behind the last whole hour. */
static enum oi_status
add_by_rollups(struct run *run, struct candles_state *state, const struct oi_market *market,
               const struct oi_facts *facts, uint32_t series, struct oi_error *error)
{
    int64_t width = run->query->interval_ns % OI_DAY == 0 ? OI_DAY : OI_HOUR;
    struct oi_span span = span_behind(run), edge = span;
    struct oi_span middle = { OI_TIME_EARLIEST, OI_TIME_LATEST };
    struct oi_rollup_request request;

    if (span.from != OI_TIME_EARLIEST)
        middle.from = oi_interval_ceil(width, span.from);
    if (span.to != OI_TIME_LATEST)
        middle.to = oi_interval_floor(width, span.to);
    state->facts = (struct oi_stream_block){ .feed = facts->feed,
                                             .convention = facts->convention,
                                             .unit = facts->unit,
                                             .sides = facts->sides };
    state->has_facts = true;
    if (middle.from >= middle.to)
        return add_rows(run, state, market->instrument, span, error);
    edge.to = middle.from;
    if (span.from != OI_TIME_EARLIEST)
        OI_TRY(add_rows(run, state, market->instrument, edge, error));
    state->rollup_ns = width;
    request = (struct oi_rollup_request){
        .series = series,
        .interval_ns = width,
        .span = middle,
        .parts = OI_ROLLUP_FIRST | OI_ROLLUP_HIGH | OI_ROLLUP_LOW | OI_ROLLUP_LAST,
        .columns = { OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE, OI_COLUMN_OPEN_INTEREST,
                     OI_COLUMN_OPEN_INTEREST, OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE },
        .each_columns = add_rollup_columns,
        .each = add_rollup,
        .context = state,
    };
    OI_TRY(oi_store_rollup_columns(run->source->store, &request, error));
    edge = (struct oi_span){ middle.to, span.to };
    if (span.to != OI_TIME_LATEST)
        OI_TRY(add_rows(run, state, market->instrument, edge, error));
    return OI_OK;
}

static enum oi_status
open_market(struct run *run, struct candles_state *state, struct oi_error *error)
{
    struct oi_market *market = run_market(run, run->at);
    struct oi_span span = span_behind(run);
    struct oi_facts facts;
    uint32_t series = 0;

    oi_vector_clear(&state->candles.items);
    state->has_facts = state->has_last = false;
    state->is_open = true;
    if (!market->instrument) {
        state->sums = total_sums_new(run, run->at, span, is_backwards(run));
        if (state->sums)
            return OI_OK;
        state->half = total_half_start(run, run->at, &span, run->query->interval_ns);
        state->is_total_open = true;
        OI_TRY(total_walk_open(run, run->at, span, false, &state->total, error));
        if (!is_backwards(run))
            state->total.candles_wanted = run->left;
        state->total.columns = total_columns_new(run, market->member_count);
        return OI_OK;
    }
    if (rollups_answer(run, market, &facts, &series)) {
        enum oi_status status = add_by_rollups(run, state, market, &facts, series, error);

        if (status != OI_E_CORRUPT)
            return status;
        /* The rows say the same, and which of them are lost. */
        oi_vector_clear(&state->candles.items);
        state->has_facts = false;
    }
    if (run->query->from_end && run->query->limit > 0 &&
        !(run->query->fills_gaps && run->query->after.is_set)) {
        struct row_tail tail;

        /* One more than fits tells whether there is another page. */
        OI_TRY(run_find_tail(run, market->instrument, span, run->left + 1, &tail, error));
        span.from = oi_interval_floor(run->query->interval_ns, tail.from);
        if (span.from < run->query->span.from)
            span.from = run->query->span.from;
    }
    return run_stream_open(run, market->instrument, span, OI_COLUMN_MARK_PRICE, false,
                           &state->stream, error);
}

/* More candles from rows or instants; *ret_is_done when there are no more. */
static enum oi_status
pull(struct run *run, struct candles_state *state, bool *ret_is_done, struct oi_error *error)
{
    const struct oi_stream_block *block = NULL;

    *ret_is_done = true;
    if (state->sums)
        return total_sums_next(state->sums, &state->candles, ret_is_done, error);
    if (state->is_total_open) {
        OI_TRY(total_walk_candles(&state->total, &state->candles, ret_is_done, error));
        if (*ret_is_done && state->half)
            return total_half_finish(&state->half, &state->candles, error);
        return OI_OK;
    }
    if (!state->stream)
        return OI_OK;
    OI_TRY(oi_stream_next(state->stream, &block, error));
    run->markets[run->at].left_out_rows = oi_stream_left_out(state->stream);
    if (!block)
        return OI_OK;
    remember_facts(state, block);
    *ret_is_done = false;
    oi_candles_add(&state->candles, &(struct oi_readings){ .time = block->columns.time,
                                                           .amounts = &block->amounts,
                                                           .prices = &block->columns.mark_price,
                                                           .count = block->columns.count });
    return OI_OK;
}

/* Take a candle that lacks rows of a damaged chunk: marked where that can still be told. */
static void
push_candle(struct run *run, struct candles_state *state, const struct oi_candle *candle,
            struct oi_span span)
{
    struct oi_candle *taken;

    if (!run_is_damaged(run, &run->markets[run->at], span)) {
        oi_vector_push(&state->out, *candle);
        return;
    }
    if (!run->query->marks_incomplete || !run->result.is_damage_known)
        return;
    taken = oi_vector_add(&state->out);
    *taken = *candle;
    taken->is_incomplete = true;
}

/* All that is ready as it is: where nothing is filled or marked, the array changes hands. */
static bool
emit_whole(struct run *run, struct candles_state *state, size_t ready)
{
    struct oi_candle *emptied = state->out.items;
    size_t capacity = state->out.capacity, left = state->candles.items.count - ready;

    if (state->out.count > 0 || run->query->fills_gaps || atomic_load(&run->damages.count) > 0)
        return false;
    state->out.items = state->candles.items.items;
    state->out.count = ready;
    state->out.capacity = state->candles.items.capacity;
    state->candles.items.items = emptied;
    state->candles.items.count = 0;
    state->candles.items.capacity = capacity;
    oi_vector_reserve(&state->candles.items, left);
    for (size_t i = 0; i < left; i++)
        state->candles.items.items[state->candles.items.count++] = state->out.items[ready + i];
    return true;
}

/* Append candles to `out`, with the last close carried over empty intervals where asked for. */
static enum oi_status
emit(struct run *run, struct candles_state *state, const struct oi_candle *candles, size_t count,
     struct oi_error *error)
{
    int64_t interval_ns = run->query->interval_ns;

    if (count == 0)
        return OI_OK;
    oi_vector_reserve(&state->out, count);
    if (!run->query->fills_gaps && atomic_load(&run->damages.count) > 0) {
        for (size_t i = 0; i < count; i++)
            push_candle(run, state, &candles[i],
                        (struct oi_span){ candles[i].start, candles[i].start + interval_ns });
        return OI_OK;
    }
    if (!run->query->fills_gaps) {
        memcpy(state->out.items + state->out.count, candles, count * sizeof(*candles));
        state->out.count += count;
        return OI_OK;
    }
    for (size_t i = 0; i < count; i++) {
        oi_time real = state->last.start;

        while (state->has_last && state->last.start + interval_ns < candles[i].start) {
            state->last.start += interval_ns;
            state->last.open = state->last.high = state->last.low = state->last.close;
            state->last.count = 0;
            if (state->out.count >= RUN_POINTS_MAX)
                return oi_fail(error, OI_E_INVALID, "more than %d intervals to fill",
                               RUN_POINTS_MAX);
            /* What is carried on was lost with the first row that came after it. */
            push_candle(run, state, &state->last,
                        (struct oi_span){ real + interval_ns, state->last.start + interval_ns });
        }
        push_candle(run, state, &candles[i],
                    (struct oi_span){ candles[i].start, candles[i].start + interval_ns });
        state->last = candles[i];
        state->has_last = true;
    }
    return OI_OK;
}

static void
close_market(struct candles_state *state)
{
    oi_stream_close(&state->stream);
    total_half_cancel(&state->half);
    total_sums_free(&state->sums);
    if (state->is_total_open)
        total_walk_close(&state->total);
    state->is_total_open = state->is_open = false;
}

static void
reverse(struct oi_candle *candles, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct oi_candle swap = candles[i];

        candles[i] = candles[count - 1 - i];
        candles[count - 1 - i] = swap;
    }
}

/* Take away what an earlier page had. */
static void
drop_delivered(const struct run *run, struct candles_state *state)
{
    const struct oi_position *after = &run->query->after;
    size_t kept = 0;

    if (!after->is_set || after->market != run->at)
        return;
    for (size_t i = 0; i < state->out.count; i++) {
        oi_time start = state->out.items[i].start;

        if (is_backwards(run) ? start < after->time : start > after->time)
            state->out.items[kept++] = state->out.items[i];
    }
    state->out.count = kept;
}

/* Cut candles to the limit, from the side asked for; what is cut off is the next page's. */
static void
cut(struct run *run, struct candles_state *state, struct oi_candle **ret_first, size_t *ret_count)
{
    size_t count = state->out.count;
    bool is_cut = count > run->left;

    *ret_first = state->out.items;
    if (is_cut) {
        if (is_backwards(run))
            *ret_first += count - run->left;
        count = run->left;
    }
    *ret_count = count;
    if (count > 0)
        state->delivered = (struct oi_position){
            .is_set = true,
            .market = run->at,
            .time = (*ret_first)[is_backwards(run) ? 0 : count - 1].start,
        };
    if (is_cut)
        run->result.next_position = state->delivered;
}

/* Do all candles of a market have to be there before the first leaves? */
static bool
needs_all(const struct run *run)
{
    return run->query->is_descending || (run->query->from_end && run->query->limit > 0);
}

static enum oi_status
fill_block(struct run *run, struct candles_state *state, bool *ret_is_last, struct oi_error *error)
{
    bool is_done = false;
    size_t ready;

    oi_vector_clear(&state->out);
    while (!is_done && (needs_all(run) || state->candles.items.count <= RUN_BLOCK_ITEMS)) {
        OI_TRY(pull(run, state, &is_done, error));
        if (state->candles.items.count > RUN_POINTS_MAX)
            return oi_fail(error, OI_E_INVALID, "more than %d candles of one market: ask for less",
                           RUN_POINTS_MAX);
    }
    /* The last candle may still grow. */
    ready = is_done ? state->candles.items.count : state->candles.items.count - 1;
    *ret_is_last = is_done;
    if (emit_whole(run, state, ready))
        return OI_OK;
    OI_TRY(emit(run, state, state->candles.items.items, ready, error));
    oi_candles_keep(&state->candles, state->candles.items.count - ready);
    return OI_OK;
}

static enum oi_status
step(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct candles_state *state = run->state;

    while (run->at < run->market_count && !run->result.next_position.is_set) {
        size_t market = run->at, count;
        struct oi_candle *first;
        bool is_last = false;

        if (!state->is_open)
            OI_TRY(open_market(run, state, error));
        OI_TRY(fill_block(run, state, &is_last, error));
        drop_delivered(run, state);
        cut(run, state, &first, &count);
        if (is_last) {
            close_market(state);
            run->at++;
        }
        if (count == 0)
            continue;
        if (run->query->is_descending)
            reverse(first, count);
        run_block_begin(run, market, state->has_facts ? &state->facts : NULL);
        run->block.candles = first;
        run->block.count = count;
        run->block.is_last_of_market = is_last;
        if (run->left != SIZE_MAX)
            run->left -= count;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release(struct run *run)
{
    struct candles_state *state = run->state;

    close_market(state);
    oi_candles_release(&state->candles);
    oi_vector_release(&state->out);
}

enum oi_status
run_candles(struct run *run, struct oi_error *error)
{
    struct candles_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));

    if (run->query->interval_ns <= 0)
        return oi_fail(error, OI_E_INVALID, "candles need an interval");
    state->candles.interval_ns = run->query->interval_ns;
    if (run->query->after.is_set)
        run->at = run->query->after.market;
    run->state = state;
    run->step = step;
    run->release = release;
    return OI_OK;
}
