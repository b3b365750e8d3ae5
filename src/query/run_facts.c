/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/* Questions about how figures came about: their revisions, what changed between two instants and
 * because of whom, how much of what was due is there, and how each exchange counts. */
#include "query/run_internal.h"

/* Revisions: feed after feed, so that what each said stands together. */

struct revisions_state {
    uint32_t series[OI_FEEDS_MAX];
    size_t series_count, series_at;
    struct oi_scan *scan;
    struct oi_facts facts;
    bool is_open;            /* the market's series are known */
    bool is_resumed;         /* the first scan was begun, where the last page ended */
    size_t skipped;          /* rows of its first time that are still to be passed over */
    struct oi_position last; /* the last row that was delivered */
    struct own_figures {
        OI_VECTOR(int64_t) mantissas;
        OI_VECTOR(int8_t) exponents;
        OI_VECTOR(struct oi_decimal) wides;
    } amounts, usd;
    struct oi_columns rows;
};

static void
clear_figures(struct own_figures *figures)
{
    oi_vector_clear(&figures->mantissas);
    oi_vector_clear(&figures->exponents);
    oi_vector_clear(&figures->wides);
}

static void
add_figure(struct own_figures *figures, const struct oi_decimal *value)
{
    bool is_none = oi_decimal_is_none(value);
    bool is_plain = value->form == OI_DECIMAL_PLAIN && value->exponent > OI_EXPONENT_WIDE &&
                    value->exponent <= INT8_MAX;

    if (!is_none && !is_plain)
        oi_vector_push(&figures->wides, *value);
    oi_vector_push(&figures->mantissas, is_none    ? 0
                                        : is_plain ? value->mantissa
                                                   : (int64_t) figures->wides.count - 1);
    oi_vector_push(&figures->exponents, is_none    ? OI_EXPONENT_NONE
                                        : is_plain ? (int8_t) value->exponent
                                                   : OI_EXPONENT_WIDE);
}

static struct oi_decimals
figures_column(const struct own_figures *figures)
{
    return (struct oi_decimals){ .mantissas = figures->mantissas.items,
                                 .exponents = figures->exponents.items,
                                 .wides = figures->wides.items };
}

/* Pass over what the last page gave of the time where it ended. */
static struct oi_columns
behind_the_last_page(struct run *run, struct revisions_state *state, const struct oi_columns *rows)
{
    size_t from = 0;

    while (state->skipped > 0 && from < rows->count && rows->time[from] == run->query->after.time) {
        from++;
        state->skipped--;
    }
    if (from < rows->count)
        state->skipped = 0;
    return oi_columns_slice(rows, from, rows->count);
}

/* Where the next page would begin. */
static void
note_last(struct run *run, struct revisions_state *state, const struct oi_columns *rows)
{
    const struct oi_position before = state->last;
    oi_time time = rows->time[rows->count - 1];
    size_t same = 1;

    while (same < rows->count && rows->time[rows->count - 1 - same] == time)
        same++;
    state->last = (struct oi_position){
        .is_set = true, .market = run->at, .time = time, .feed = state->series_at - 1, .rows = same
    };
    if (same == rows->count && before.is_set && before.market == run->at &&
        before.feed == state->series_at - 1 && before.time == time)
        state->last.rows += before.rows;
}

/* A block of one feed's rows, by the facts at its first one. */
static void
deliver_revisions(struct run *run, struct revisions_state *state, const struct oi_columns *rows)
{
    uint32_t series = state->series[state->series_at - 1];
    size_t count = rows->count < run->left ? rows->count : run->left;

    oi_facts_at(run->source, run->catalog, series, rows->time[0], run->moment.as_of, &state->facts);
    clear_figures(&state->amounts);
    clear_figures(&state->usd);
    for (size_t row = 0; row < count; row++) {
        struct oi_observation reading = oi_columns_get(rows, row);
        struct oi_decimal amount =
            oi_facts_convert(&state->facts, &reading, run->query->unit, run->query->is_canonical);
        struct oi_decimal usd =
            oi_facts_convert(&state->facts, &reading, OI_UNIT_USD, run->query->is_canonical);

        add_figure(&state->amounts, &amount);
        add_figure(&state->usd, &usd);
    }
    state->rows = oi_columns_slice(rows, 0, count);
    run_block_begin(run, run->at, NULL);
    run->block.rows = &state->rows;
    run->block.count = count;
    run->block.amounts = figures_column(&state->amounts);
    run->block.usd = figures_column(&state->usd);
    run->block.feed = state->facts.feed->name;
    run->block.unit = state->facts.unit;
    run->block.sides = state->facts.sides;
    note_last(run, state, &state->rows);
    if (run->left != SIZE_MAX)
        run->left -= count;
    if (count < rows->count)
        run->result.next_position = state->last;
}

/* The next series that may have rows; false when there is no further market. */
static bool
open_revisions(struct run *run, struct revisions_state *state)
{
    while (run->at < run->market_count) {
        const struct oi_instrument *instrument = run->markets[run->at].instrument;

        if (!state->is_open && instrument)
            state->series_count =
                oi_series_by_precedence(run->catalog, instrument->id, state->series, OI_FEEDS_MAX);
        if (!state->is_open)
            state->series_at = 0;
        state->is_open = true;
        if (instrument && state->series_at < state->series_count)
            return true;
        state->is_open = false;
        run->at++;
    }
    return false;
}

/* Scan the series at hand; the first one of a further page from where the last page ended. */
static enum oi_status
scan_revisions(struct run *run, struct revisions_state *state, struct oi_error *error)
{
    const struct oi_position *after = &run->query->after;
    struct oi_scan_request request = { .span = run->query->span,
                                       .moment = run->moment,
                                       .columns = OI_COLUMNS_ALL,
                                       .all_revisions = true };

    if (after->is_set && !state->is_resumed && run->at == after->market) {
        state->series_at =
            after->feed < state->series_count ? after->feed : state->series_count - 1;
        request.span.from = after->time > request.span.from ? after->time : request.span.from;
        state->skipped = after->rows;
        state->last = *after;
        state->last.feed = state->series_at;
    }
    state->is_resumed = true;
    request.series = state->series[state->series_at++];
    return oi_store_scan(run->source->store, &request, &state->scan, error);
}

static enum oi_status
step_revisions(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct revisions_state *state = run->state;

    while (!run->result.next_position.is_set) {
        const struct oi_columns *rows;
        struct oi_columns fresh = {};

        if (!state->scan) {
            if (!open_revisions(run, state))
                return OI_OK;
            OI_TRY(scan_revisions(run, state, error));
        }
        OI_TRY(oi_damages_next(&run->damages, run->catalog, state->series[state->series_at - 1],
                               state->scan, &rows, error));
        if (!rows)
            oi_scan_close(&state->scan);
        else if (rows->count > 0)
            fresh = behind_the_last_page(run, state, rows);
        if (fresh.count == 0)
            continue;
        /* The page is full, and this is the word that there is more. */
        if (run->left == 0) {
            run->result.next_position = state->last;
            return OI_OK;
        }
        deliver_revisions(run, state, &fresh);
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

static void
release_figures(struct own_figures *figures)
{
    oi_vector_release(&figures->mantissas);
    oi_vector_release(&figures->exponents);
    oi_vector_release(&figures->wides);
}

static void
release_revisions(struct run *run)
{
    struct revisions_state *state = run->state;

    oi_scan_close(&state->scan);
    release_figures(&state->amounts);
    release_figures(&state->usd);
}

enum oi_status
run_revisions(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(struct revisions_state));
    run->at = run->query->after.is_set ? run->query->after.market : 0;
    run->step = step_revisions;
    run->release = release_revisions;
    return OI_OK;
}

/* Changes. */

struct changes_state {
    struct oi_change change, total;
    struct oi_market all;
    bool is_total_sent;
    size_t last; /* market that was delivered */
};

static bool
is_some(const struct oi_decimal *value)
{
    return !oi_decimal_is_none(value);
}

/* What is none counts as nothing. */
static struct oi_decimal
difference(const struct oi_decimal *to, const struct oi_decimal *from)
{
    struct oi_decimal zero = oi_decimal_from(0, 0), result = {};

    if (!is_some(to) && !is_some(from))
        return result;
    if (oi_decimal_subtract(is_some(to) ? to : &zero, is_some(from) ? from : &zero, &result,
                            NULL) != OI_OK)
        result = (struct oi_decimal){};
    return result;
}

static void
add_up(struct oi_decimal *sum, const struct oi_decimal *value)
{
    struct oi_decimal result;

    if (!is_some(value))
        return;
    if (!is_some(sum))
        *sum = *value;
    else if (oi_decimal_add(sum, value, &result, NULL) == OI_OK)
        *sum = result;
}

/* The part of the change in USD that is the amount's, at the price of the first instant: what the
 * later amount would be worth at that price, less what was. */
static struct oi_decimal
amount_part(const struct oi_change *change)
{
    const struct oi_decimal *before = &change->from, *after = &change->to;
    struct oi_decimal worth;

    if (!is_some(&change->usd_from) || !is_some(&change->usd_to))
        return change->usd_change;
    if (!is_some(before) || !is_some(after) ||
        oi_decimal_multiply(&change->usd_from, after, &worth, NULL) != OI_OK ||
        oi_decimal_divide_half_even(&worth, before, 18, &worth, NULL) != OI_OK)
        return (struct oi_decimal){};
    return difference(&worth, &change->usd_from);
}

/* A market's figures at an instant, none where they are too old. */
static oi_time
figures_at(struct run *run, const struct oi_instrument *instrument, oi_time time,
           struct oi_decimal *ret_amount, struct oi_decimal *ret_usd, bool *is_lost)
{
    struct run_reading reading;
    oi_time at = time == OI_TIME_LATEST ? run->result.now : time;

    run_reading_at(run, instrument, time, &reading);
    *is_lost |= reading.is_lost;
    if (reading.series == 0 || at - reading.reading.time > reading.facts.staleness_ns)
        return OI_TIME_NONE;
    *ret_amount = run_amount(run, &reading);
    *ret_usd = run_usd(run, &reading);
    return reading.reading.time;
}

/* False: one of its figures is in a damaged chunk, so there is no saying. */
static bool
measure_change(struct run *run, const struct oi_instrument *instrument, struct oi_change *change)
{
    bool is_lost = false;

    *change = (struct oi_change){};
    change->from_time = figures_at(run, instrument, run->query->span.from, &change->from,
                                   &change->usd_from, &is_lost);
    change->to_time =
        figures_at(run, instrument, run->query->span.to, &change->to, &change->usd_to, &is_lost);
    if (is_lost)
        return false;
    change->change = difference(&change->to, &change->from);
    change->usd_change = difference(&change->usd_to, &change->usd_from);
    change->usd_by_amount = amount_part(change);
    if (is_some(&change->usd_by_amount))
        change->usd_by_price = difference(&change->usd_change, &change->usd_by_amount);
    return true;
}

static void
add_to_total(struct oi_change *total, const struct oi_change *change)
{
    add_up(&total->from, &change->from);
    add_up(&total->to, &change->to);
    add_up(&total->change, &change->change);
    add_up(&total->usd_from, &change->usd_from);
    add_up(&total->usd_to, &change->usd_to);
    add_up(&total->usd_change, &change->usd_change);
    add_up(&total->usd_by_amount, &change->usd_by_amount);
    add_up(&total->usd_by_price, &change->usd_by_price);
    if (change->from_time != OI_TIME_NONE && change->from_time > total->from_time)
        total->from_time = change->from_time;
    if (change->to_time != OI_TIME_NONE && change->to_time > total->to_time)
        total->to_time = change->to_time;
}

static enum oi_status
step_changes(struct run *run, bool *ret_has_block, struct oi_error *)
{
    struct changes_state *state = run->state;

    run->block = (struct oi_block){ .count = 1, .is_last_of_market = true };
    while (run->at < run->market_count && !run->result.next_position.is_set) {
        size_t market = run->at++;

        if (!run->markets[market].instrument)
            continue;
        if (!measure_change(run, run->markets[market].instrument, &state->change) ||
            (state->change.from_time == OI_TIME_NONE && state->change.to_time == OI_TIME_NONE))
            continue;
        add_to_total(&state->total, &state->change);
        /* Pages before this one gave it; the total at the end is of all of them. */
        if (run->query->after.is_set && market <= run->query->after.market)
            continue;
        if (run->left == 0) {
            run->result.next_position =
                (struct oi_position){ .is_set = true, .market = state->last };
            return OI_OK;
        }
        if (run->left != SIZE_MAX)
            run->left--;
        state->last = market;
        run->block.market = &run->markets[market];
        run->block.changes = &state->change;
        *ret_has_block = true;
        return OI_OK;
    }
    if (run->result.next_position.is_set)
        return OI_OK;
    *ret_has_block = !state->is_total_sent;
    state->is_total_sent = true;
    run->block.market = &state->all;
    run->block.changes = &state->total;
    return OI_OK;
}

enum oi_status
run_changes(struct run *run, struct oi_error *)
{
    struct changes_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));

    state->total.from_time = state->total.to_time = OI_TIME_NONE;
    run->state = state;
    run->step = step_changes;
    return OI_OK;
}

/* Coverage. */

struct coverage_state {
    struct oi_coverage coverage;
    int64_t longest_ns;
};

static enum oi_status
count_hole(void *context, const struct oi_hole *hole)
{
    struct coverage_state *state = context;
    int64_t size = hole->span.to - hole->span.from;

    state->coverage.gaps++;
    state->coverage.missing_ns += size;
    if (size > state->longest_ns) {
        state->longest_ns = size;
        state->coverage.cause = oi_hole_cause_name(hole->cause);
    }
    return OI_OK;
}

/* What was due of a market: from its first reading on, or as asked. */
static enum oi_status
measure_coverage(struct run *run, struct oi_market *market, struct coverage_state *state,
                 struct oi_error *error)
{
    struct oi_span span = run->query->span;
    struct oi_facts facts;

    *state = (struct coverage_state){};
    if (!run_extent(run, market->instrument, &market->first, &market->last, &market->rows))
        return OI_OK;
    if (span.to == OI_TIME_LATEST)
        span.to = market->instrument->is_delisted ? market->last + 1 : run->result.now;
    if (span.from < market->first)
        span.from = market->first;
    if (span.from >= span.to)
        return OI_OK;
    oi_facts_at(run->source, run->catalog, market->series, span.to, run->moment.as_of, &facts);
    state->coverage.span = span;
    state->coverage.cadence_ns =
        facts.convention ? facts.convention->cadence_ns : facts.feed->cadence_ns;
    if (state->coverage.cadence_ns <= 0)
        state->coverage.cadence_ns = OI_MINUTE;
    run->block.feed = facts.feed->name;
    OI_TRY(oi_store_gaps(run->source->store, market->instrument->id, facts.feed->id,
                         state->coverage.cadence_ns, span, run->moment, count_hole, state, error));
    return run_note_damage(run, market->instrument, span, error);
}

static enum oi_status
step_coverage(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct coverage_state *state = run->state;

    while (run->at < run->market_count && run->left > 0) {
        size_t at = run->at++;

        if (!run->markets[at].instrument || run->markets[at].series == 0)
            continue;
        run_block_begin(run, at, NULL);
        OI_TRY(measure_coverage(run, run_market(run, at), state, error));
        if (state->coverage.cadence_ns == 0)
            continue;
        run->block.coverage = &state->coverage;
        run->block.count = 1;
        run->block.is_last_of_market = true;
        if (run->left != SIZE_MAX && --run->left == 0 && run->at < run->market_count)
            run->result.next_position = (struct oi_position){ .is_set = true, .market = at };
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

enum oi_status
run_coverage(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(struct coverage_state));
    run->step = step_coverage;
    if (run->query->after.is_set)
        run->at = run->query->after.market + 1;
    return OI_OK;
}

/* Conventions. */

static enum oi_status
step_conventions(struct run *run, bool *ret_has_block, struct oi_error *)
{
    const struct oi_convention_book *book = run->source->conventions;
    const char *wanted = run->query->text_filter;
    size_t *row = run->state;

    for (; run->at < book->count; run->at++, *row = 0) {
        const struct oi_convention_page *page = &book->pages[run->at];

        if ((wanted &&
             (!page->exchange ||
              !oi_slice_equal_ignoring_case(oi_slice_of(wanted), oi_slice_of(page->exchange)))) ||
            *row >= page->count)
            continue;
        run->block = (struct oi_block){ .count = 1,
                                        .exchange = page->exchange,
                                        .convention = &page->conventions[(*row)++] };
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

enum oi_status
run_conventions(struct run *run, struct oi_error *)
{
    run->state = oi_arena_alloc_zero(&run->arena, 1, sizeof(size_t));
    run->step = step_conventions;
    return OI_OK;
}
