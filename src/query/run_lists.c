/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/* Questions about markets rather than readings: which there are, their months, newest figures and
 * holes. */
#include "query/run_internal.h"

#include <stdlib.h>
#include <string.h>

/* The catalogue. */

static bool
has_more(struct run *run, run_counts counts)
{
    size_t at = run->at;
    bool found = false;

    while (!found && (run->query->from_end ? at > 0 : at < run->market_count))
        found = counts(run, run->query->from_end ? --at : at++);
    return found;
}

void
run_first_market(struct run *run, run_counts counts)
{
    const struct oi_position *after = &run->query->after;
    size_t wanted = run->left;

    if (!run->query->from_end) {
        run->at = after->is_set ? after->market + 1 : 0;
        return;
    }
    run->at =
        after->is_set && after->market < run->market_count ? after->market : run->market_count;
    run->left = 0;
    for (size_t at = run->at; at > 0 && run->left < wanted;) {
        if (!counts(run, --at))
            continue;
        run->at = at;
        run->left++;
    }
    if (run->left == wanted && has_more(run, counts))
        run->result.next_position = (struct oi_position){ .is_set = true, .market = run->at };
}

bool
run_next_market(struct run *run, run_counts counts, size_t *ret_market)
{
    if (run->left == 0)
        return false;
    while (run->at < run->market_count && !counts(run, run->at))
        run->at++;
    if (run->at >= run->market_count)
        return false;
    *ret_market = run->at++;
    if (run->left == SIZE_MAX || --run->left > 0 || run->query->from_end)
        return true;
    if (has_more(run, counts))
        run->result.next_position = (struct oi_position){ .is_set = true, .market = *ret_market };
    /* What was found of it has been written over. */
    return counts(run, *ret_market);
}

static bool
market_counts(struct run *run, size_t at)
{
    struct oi_market *market = run_market(run, at);
    const struct oi_span *span = &run->query->span;

    if (run->query->wants_extents && market->instrument)
        (void) run_extent(run, market->instrument, &market->first, &market->last, &market->rows);
    if (market->first != OI_TIME_NONE && (market->last < span->from || market->first >= span->to))
        return false;
    return !run->query->recorded_only || market->first != OI_TIME_NONE;
}

static enum oi_status
step_markets(struct run *run, bool *ret_has_block, struct oi_error *)
{
    size_t market;

    if (!run_next_market(run, market_counts, &market))
        return OI_OK;
    run_block_begin(run, market, NULL);
    run->block.is_last_of_market = true;
    *ret_has_block = true;
    return OI_OK;
}

enum oi_status
run_markets(struct run *run, struct oi_error *)
{
    run_first_market(run, market_counts);
    run->step = step_markets;
    return OI_OK;
}

/* Months with readings. */

struct months_state {
    OI_VECTOR(oi_time) months;
};

static enum oi_status
has_rows(struct run *run, const struct oi_instrument *instrument, struct oi_span span,
         bool *ret_has, struct oi_error *error)
{
    OI_CLEANUP(oi_stream_close) struct oi_stream *stream = NULL;
    const struct oi_stream_block *block;

    OI_TRY(run_stream_open(run, instrument, span, 0, false, &stream, error));
    OI_TRY(oi_stream_next(stream, &block, error));
    *ret_has = block != NULL;
    return OI_OK;
}

static enum oi_status
find_months(struct run *run, struct months_state *state, const struct oi_instrument *instrument,
            struct oi_error *error)
{
    struct oi_span span = run->query->span;
    struct oi_civil civil;
    oi_time first, last;
    uint64_t rows;

    oi_vector_clear(&state->months);
    if (!run_extent(run, instrument, &first, &last, &rows))
        return OI_OK;
    span = oi_span_intersect(span, (struct oi_span){ first, last + 1 });
    if (span.from >= span.to)
        return OI_OK;
    civil = oi_time_to_civil(span.from);
    for (oi_time month = oi_month_start(civil.year, civil.month); month < span.to;
         month = oi_month_next(month)) {
        bool has_any;

        OI_TRY(has_rows(run, instrument, (struct oi_span){ month, oi_month_next(month) }, &has_any,
                        error));
        if (has_any)
            oi_vector_push(&state->months, month);
    }
    return OI_OK;
}

static enum oi_status
step_months(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct months_state *state = run->state;

    while (run->at < run->market_count) {
        size_t market = run->at++;

        if (!run->markets[market].instrument)
            continue;
        OI_TRY(find_months(run, state, run->markets[market].instrument, error));
        if (state->months.count == 0)
            continue;
        run_block_begin(run, market, NULL);
        run->block.months = state->months.items;
        run->block.count = state->months.count;
        run->block.is_last_of_market = true;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release_months(struct run *run)
{
    oi_vector_release(&((struct months_state *) run->state)->months);
}

enum oi_status
run_months(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(struct months_state));
    run->step = step_months;
    run->release = release_months;
    return OI_OK;
}

/* Pages by time. */

static oi_time
time_at(const oi_time *times, size_t stride, size_t index)
{
    return *(const oi_time *) (const void *) ((const char *) times + index * stride);
}

struct run_page
run_cut_page(struct run *run, size_t market, const oi_time *times, size_t stride, size_t count,
             struct oi_position *last)
{
    const struct oi_position *after = &run->query->after;
    struct run_page page = {};
    bool is_cut;

    while (after->is_set && after->market == market && page.from < count &&
           time_at(times, stride, page.from) <= after->time)
        page.from++;
    page.count = count - page.from;
    is_cut = page.count > run->left;
    if (is_cut)
        page.count = run->left;
    if (page.count > 0)
        *last = (struct oi_position){ .is_set = true,
                                      .market = market,
                                      .time = time_at(times, stride, page.from + page.count - 1) };
    if (is_cut)
        run->result.next_position = *last;
    if (run->left != SIZE_MAX)
        run->left -= page.count;
    return page;
}

/* Holes. */

struct gaps_state {
    OI_VECTOR(struct oi_gap) gaps;
    OI_VECTOR(struct oi_gap) filled; /* what is left of them, while another feed is read */
    struct oi_position last;         /* the last hole delivered */
};

static enum oi_status
add_gap(void *context, const struct oi_hole *hole)
{
    struct gaps_state *state = context;

    oi_vector_push(&state->gaps, ((struct oi_gap){ hole->span, oi_hole_cause_name(hole->cause) }));
    return OI_OK;
}

static void
push_gap(struct gaps_state *state, const struct oi_gap *gap, oi_time from, oi_time to)
{
    if (from < to)
        oi_vector_push(&state->filled, ((struct oi_gap){ { from, to }, gap->cause }));
}

static enum oi_status
fill_gaps_from(struct run *run, uint32_t series, int64_t slot_ns, struct gaps_state *state,
               struct oi_error *error)
{
    const struct oi_scan_request request = {
        .series = series,
        .span = { state->gaps.items[0].span.from,
                  state->gaps.items[state->gaps.count - 1].span.to },
        .moment = run->moment,
    };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns = NULL;
    oi_time from = state->gaps.items[0].span.from;
    size_t at = 0;

    oi_vector_clear(&state->filled);
    OI_TRY(oi_store_scan(run->source->store, &request, &scan, error));
    do {
        OI_TRY(oi_damages_next(&run->damages, run->catalog, series, scan, &columns, error));
        for (size_t row = 0; columns && row < columns->count; row++) {
            oi_time slot = oi_interval_floor(slot_ns, columns->time[row]);

            while (at < state->gaps.count && state->gaps.items[at].span.to <= slot) {
                push_gap(state, &state->gaps.items[at], from, state->gaps.items[at].span.to);
                from = ++at < state->gaps.count ? state->gaps.items[at].span.from : from;
            }
            if (at == state->gaps.count || slot < from)
                continue;
            push_gap(state, &state->gaps.items[at], from, slot);
            from = slot + slot_ns;
        }
    } while (columns);
    for (; at < state->gaps.count; at++) {
        if (from < state->gaps.items[at].span.from)
            from = state->gaps.items[at].span.from;
        push_gap(state, &state->gaps.items[at], from, state->gaps.items[at].span.to);
    }
    oi_vector_clear(&state->gaps);
    for (size_t i = 0; i < state->filled.count; i++)
        oi_vector_push(&state->gaps, state->filled.items[i]);
    return OI_OK;
}

/* Take out of the holes what another feed of the market tells: a history that was filled in later,
 * an archive. `slot_ns` wide, and only from the holes' own slots. */
static enum oi_status
fill_gaps(struct run *run, const struct oi_market *market, int64_t slot_ns,
          struct gaps_state *state, struct oi_error *error)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count =
        oi_series_by_precedence(run->catalog, market->instrument->id, series, OI_FEEDS_MAX);

    for (size_t i = 0; i < count && state->gaps.count > 0; i++)
        if (series[i] != market->series)
            OI_TRY(fill_gaps_from(run, series[i], slot_ns, state, error));
    return OI_OK;
}

static enum oi_status
step_gaps(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct gaps_state *state = run->state;

    while (run->at < run->market_count && !run->result.next_position.is_set) {
        size_t at = run->at++;
        const struct oi_market *market = &run->markets[at];
        struct oi_span span = run->query->span;
        struct oi_facts facts;
        struct run_page page;
        int64_t cadence_ns;

        if (!market->instrument || market->series == 0)
            continue;
        if (span.to == OI_TIME_LATEST)
            span.to = run->result.now;
        oi_facts_at(run->source, run->catalog, market->series, span.to, run->moment.as_of, &facts);
        cadence_ns = facts.convention ? facts.convention->cadence_ns : facts.feed->cadence_ns;
        oi_vector_clear(&state->gaps);
        OI_TRY(oi_store_gaps(run->source->store, market->instrument->id, facts.feed->id,
                             cadence_ns > 0 ? cadence_ns : OI_MINUTE, span, run->moment, add_gap,
                             state, error));
        OI_TRY(fill_gaps(run, market, cadence_ns > 0 ? cadence_ns : OI_MINUTE, state, error));
        OI_TRY(run_note_damage(run, market->instrument, span, error));
        if (state->gaps.count == 0)
            continue;
        page = run_cut_page(run, at, &state->gaps.items->span.from, sizeof(*state->gaps.items),
                            state->gaps.count, &state->last);
        if (page.count == 0)
            continue;
        run_block_begin(run, at, NULL);
        run->block.gaps = state->gaps.items + page.from;
        run->block.count = page.count;
        run->block.feed = facts.feed->name;
        run->block.is_last_of_market = true;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release_gaps(struct run *run)
{
    struct gaps_state *state = run->state;

    oi_vector_release(&state->gaps);
    oi_vector_release(&state->filled);
}

enum oi_status
run_gaps(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(struct gaps_state));
    run->step = step_gaps;
    run->release = release_gaps;
    if (run->query->after.is_set)
        run->at = run->query->after.market;
    return OI_OK;
}

/* Newest figures. */

struct ranked {
    size_t market;
    struct run_reading newest;
    struct oi_latest latest;
};

struct latest_state {
    OI_VECTOR(struct ranked) ranked;
};

/* The amount so long before the newest reading; none where nothing was known then. */
static struct oi_decimal
amount_before(struct run *run, const struct ranked *ranked, int64_t by_ns)
{
    oi_time time = ranked->latest.reading.time - by_ns;
    struct run_reading before;

    run_reading_at(run, run->markets[ranked->market].instrument, time, &before);
    /* A figure far older than asked for is not a change over that time. */
    if (before.series == 0 || time - before.reading.time > before.facts.staleness_ns)
        return (struct oi_decimal){};
    return run_amount(run, &before);
}

static int
by_usd(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    int order = oi_decimal_compare(&b->latest.usd, &a->latest.usd);

    if (order != 0)
        return order;
    return a->market < b->market ? -1 : a->market > b->market;
}

static enum oi_status
step_latest(struct run *run, bool *ret_has_block, struct oi_error *)
{
    struct latest_state *state = run->state;
    struct oi_stream_block block;
    struct ranked *ranked;

    if (run->at >= state->ranked.count)
        return OI_OK;
    ranked = &state->ranked.items[run->at++];
    ranked->latest.amount_1h = amount_before(run, ranked, OI_HOUR);
    ranked->latest.amount_24h = amount_before(run, ranked, OI_DAY);
    ranked->latest.amount_7d = amount_before(run, ranked, OI_WEEK);
    block = (struct oi_stream_block){ .feed = ranked->newest.facts.feed,
                                      .convention = ranked->newest.facts.convention,
                                      .unit = ranked->newest.facts.unit,
                                      .sides = ranked->newest.facts.sides };
    run_block_begin(run, ranked->market, &block);
    run->block.latest = &ranked->latest;
    run->block.count = 1;
    run->block.is_last_of_market = true;
    *ret_has_block = true;
    return OI_OK;
}

static void
release_latest(struct run *run)
{
    oi_vector_release(&((struct latest_state *) run->state)->ranked);
}

enum oi_status
run_latest(struct run *run, struct oi_error *)
{
    struct latest_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));

    run->state = state;
    run->step = step_latest;
    run->release = release_latest;
    for (size_t i = 0; i < run->market_count; i++) {
        struct ranked ranked = { .market = i };

        if (!run->markets[i].instrument)
            continue;
        run_reading_at(run, run->markets[i].instrument, OI_TIME_LATEST, &ranked.newest);
        if (ranked.newest.series == 0)
            continue;
        ranked.latest.reading = ranked.newest.reading;
        ranked.latest.amount = run_amount(run, &ranked.newest);
        ranked.latest.usd = run_usd(run, &ranked.newest);
        oi_vector_push(&state->ranked, ranked);
    }
    if (run->query->order_by_usd && state->ranked.count > 1)
        qsort(state->ranked.items, state->ranked.count, sizeof(struct ranked), by_usd);
    if (state->ranked.count > run->left)
        state->ranked.count = run->left;
    return OI_OK;
}
