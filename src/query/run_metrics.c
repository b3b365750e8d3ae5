/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Totals in USD at the instants of a grid. An entity has a row at every instant from its first
 * reading to the last one's end, so which rows a page holds is arithmetic on ranges of instants;
 * only those are computed, market by market: the last reading at or before each instant, carried no
 * further than its staleness limit.
 */
#include "query/run_internal.h"

#include <string.h>

/* Values held at once where rows are ordered by time: 3 MiB. */
#define WINDOW_VALUES 65'536

/* A market that fits a measure, and when it has a figure. */
struct part {
    const struct oi_instrument *instrument;
    unsigned measures;
    bool one_sided; /* as the query wants figures */
    int64_t staleness_ns;
    oi_time first, last; /* inclusive; the last instant that a figure is carried to */
};

/* The rows of an entity: its instants from `first` to `last`, none where first > last. */
struct range {
    oi_time first, last;
    struct part *parts;
    size_t part_count;
};

struct metrics_state {
    struct range *ranges; /* of each entity */
    OI_VECTOR(struct oi_decimal) values;
    OI_VECTOR(struct oi_measured) rows;
    /* By time: the window, and the row in it to go on with. */
    oi_time window, window_end, instant;
    size_t *offsets; /* of each entity's first value in the window */
};

/* What one market is worth, last read. */
struct worth {
    oi_time time; /* OI_TIME_NONE: not read yet */
    struct oi_decimal notional, premium;
};

static int64_t
step_of(const struct run *run)
{
    return run->query->interval_ns;
}

static size_t
row_count(const struct run *run, const struct range *range)
{
    return range->first > range->last ? 0
                                      : (size_t) ((range->last - range->first) / step_of(run)) + 1;
}

static oi_time
ceiling(int64_t step, oi_time time)
{
    oi_time floor = oi_interval_floor(step, time);

    return floor < time ? floor + step : floor;
}

/*
 * Figures.
 */

static bool
has_margin(const struct oi_instrument *instrument, enum oi_margin margin)
{
    switch (margin) {
    case OI_MARGIN_ANY:
        return true;
    case OI_MARGIN_COIN:
        return instrument->margin[0] && strcmp(instrument->margin, instrument->base) == 0;
    case OI_MARGIN_USDT:
        return strcmp(instrument->margin, "USDT") == 0;
    case OI_MARGIN_USDC:
        return strcmp(instrument->margin, "USDC") == 0;
    }
    return false;
}

static unsigned
measures_of(const struct oi_query *query, const struct oi_instrument *instrument)
{
    unsigned measures = 0;

    for (size_t i = 0; i < query->measure_count; i++) {
        const struct oi_measure *measure = &query->measures[i];

        if ((measure->kinds & 1u << instrument->kind) && has_margin(instrument, measure->margin) &&
            (measure->side == OI_OPTION_NONE || measure->side == instrument->option_side))
            measures |= 1u << i;
    }
    return measures;
}

/* Count times contract size times the USD rate of what the size counts. The rate is the index price
 * where the exchange tells it, else the mark; where neither is known, or the size is not fixed
 * (quanto), the exchange's own figure. */
static struct oi_decimal
notional_of(const struct oi_facts *facts, const struct oi_observation *reading, bool one_sided)
{
    bool has_index = !oi_decimal_is_none(&reading->index_price);
    struct oi_conversion conversion = {
        .instrument = &facts->instrument,
        .from = facts->unit,
        .sides = facts->sides,
        .one_sided = one_sided,
        .mark_price = has_index ? reading->index_price : reading->mark_price,
        .index_price = reading->index_price,
    };
    struct oi_decimal value = {};

    if (has_index || oi_asset_is_usd(facts->instrument.quote))
        conversion.quote_usd = oi_decimal_from(1, 0);
    if (oi_convert(&conversion, &reading->open_interest, OI_UNIT_USD, &value, NULL) == OI_OK &&
        !oi_decimal_is_none(&value))
        return value;
    return oi_facts_convert(facts, reading, OI_UNIT_USD, one_sided);
}

/* Count times contract size times mark price times the USD rate of the margin asset, in which the
 * mark is quoted. */
static struct oi_decimal
premium_of(const struct oi_facts *facts, const struct oi_observation *reading, bool one_sided)
{
    const struct oi_instrument *instrument = &facts->instrument;
    struct oi_decimal value = oi_facts_convert(facts, reading, OI_UNIT_COINS, one_sided), rate = {};

    if (instrument->kind != OI_KIND_OPTION)
        return (struct oi_decimal){};
    if (oi_asset_is_usd(instrument->margin))
        rate = oi_decimal_from(1, 0);
    else if (strcmp(instrument->margin, instrument->base) == 0)
        rate = reading->index_price;
    if (oi_decimal_multiply(&value, &reading->mark_price, &value, NULL) != OI_OK ||
        oi_decimal_multiply(&value, &rate, &value, NULL) != OI_OK)
        return (struct oi_decimal){};
    return value;
}

/* The newest row up to `row` that can be turned into USD; what is there stays where none can that
 * is young enough to be carried on. */
static void
read_worth(const struct part *part, const struct oi_facts *facts, const struct oi_columns *columns,
           size_t row, struct worth *worth)
{
    oi_time oldest = columns->time[row] - part->staleness_ns;

    for (size_t at = row + 1; at-- > 0 && columns->time[at] >= oldest;) {
        struct oi_observation reading = oi_columns_get(columns, at);
        struct worth found = { .time = reading.time };

        if (oi_decimal_is_none(&reading.open_interest))
            continue;
        found.notional = notional_of(facts, &reading, part->one_sided);
        found.premium = premium_of(facts, &reading, part->one_sided);
        if (oi_decimal_is_none(&found.notional) && oi_decimal_is_none(&found.premium))
            continue;
        *worth = found;
        return;
    }
}

/* The row of a block that holds at an instant not before its first. */
static size_t
row_at(const struct oi_columns *columns, oi_time instant)
{
    size_t low = 0, high = columns->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (columns->time[middle] <= instant)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Add a market's figure at an instant to every measure that it fits. A sum that grows longer than
 * a decimal can be goes without it. */
static void
add_worth(const struct run *run, const struct part *part, const struct worth *worth,
          oi_time instant, struct oi_decimal *values)
{
    if (worth->time == OI_TIME_NONE || instant > part->last ||
        instant - worth->time > part->staleness_ns)
        return;
    for (size_t i = 0; i < run->query->measure_count; i++) {
        const struct oi_decimal *value =
            run->query->measures[i].by_mark_price ? &worth->premium : &worth->notional;

        if (!(part->measures & 1u << i) || oi_decimal_is_none(value))
            continue;
        if (oi_decimal_is_none(&values[i]))
            values[i] = *value;
        else
            (void) oi_decimal_add(&values[i], value, &values[i], NULL);
    }
}

/* Add one market's figures at `count` instants from `first` on. */
static enum oi_status
add_part(struct run *run, const struct part *part, oi_time first, size_t count,
         struct oi_decimal *values, struct oi_error *error)
{
    OI_CLEANUP(oi_stream_close) struct oi_stream *stream = NULL;
    int64_t step = step_of(run);
    oi_time end = first + (oi_time) count * step;
    struct oi_stream_request request = {
        .source = run->source,
        .catalog = run->catalog,
        .instrument = part->instrument->id,
        .span = { first - part->staleness_ns, end - step + 1 },
        .moment = run->moment,
        .columns = OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE | OI_COLUMN_INDEX_PRICE |
                   OI_COLUMN_VALUE_USD,
        .damages = &run->damages,
    };
    struct worth last = { .time = OI_TIME_NONE };
    const struct oi_stream_block *block;
    oi_time instant = first;

    OI_TRY(oi_stream_open(&request, &stream, error));
    do {
        OI_TRY(oi_stream_next(stream, &block, error));
        for (; instant < end && (!block || instant < block->columns.time[0]); instant += step)
            add_worth(run, part, &last, instant,
                      &values[(size_t) ((instant - first) / step) * run->query->measure_count]);
        if (!block)
            break;
        for (; instant < end && instant < block->columns.time[block->columns.count - 1];
             instant += step) {
            struct worth worth = last;

            read_worth(part, oi_stream_facts(stream), &block->columns,
                       row_at(&block->columns, instant), &worth);
            add_worth(run, part, &worth, instant,
                      &values[(size_t) ((instant - first) / step) * run->query->measure_count]);
        }
        read_worth(part, oi_stream_facts(stream), &block->columns, block->columns.count - 1, &last);
    } while (instant < end);
    return OI_OK;
}

/* No sum where a market's share may be in a damaged chunk. */
static void
drop_lost(struct run *run, const struct part *part, oi_time first, size_t count,
          struct oi_decimal *values)
{
    for (size_t at = 0; at < count; at++) {
        oi_time instant = first + (oi_time) at * step_of(run);

        if (!oi_damages_touch(&run->damages, part->instrument,
                              (struct oi_span){ instant, instant + 1 }, part->staleness_ns))
            continue;
        for (size_t i = 0; i < run->query->measure_count; i++)
            if (part->measures & 1u << i)
                values[at * run->query->measure_count + i] = (struct oi_decimal){};
    }
}

/* An entity's figures at `count` instants, appended to the state's values. */
static enum oi_status
measure(struct run *run, const struct range *range, oi_time first, size_t count,
        struct oi_error *error)
{
    struct metrics_state *state = run->state;
    size_t from = state->values.count;
    oi_time last = first + (oi_time) (count - 1) * step_of(run);

    for (size_t i = 0; i < count * run->query->measure_count; i++)
        oi_vector_push(&state->values, (struct oi_decimal){});
    for (size_t i = 0; i < range->part_count; i++) {
        const struct part *part = &range->parts[i];

        if (part->first <= last && part->last >= first)
            OI_TRY(add_part(run, part, first, count, &state->values.items[from], error));
    }
    for (size_t i = 0; i < range->part_count && atomic_load(&run->damages.count) > 0; i++)
        drop_lost(run, &range->parts[i], first, count, &state->values.items[from]);
    return OI_OK;
}

/*
 * Which rows.
 */

/* What a market has a share in, and from when until when; false: in nothing. */
static bool
find_part(struct run *run, const struct oi_instrument *instrument, struct part *ret_part)
{
    struct part part = { .instrument = instrument,
                         .measures = measures_of(run->query, instrument),
                         .one_sided = run->query->is_canonical,
                         .staleness_ns = run_staleness(run, instrument) };
    uint64_t rows;

    if (part.measures == 0 || !run_extent(run, instrument, &part.first, &part.last, &rows))
        return false;
    if (__builtin_add_overflow(part.last, part.staleness_ns, &part.last) ||
        part.last > run->result.now)
        part.last = run->result.now;
    if (instrument->expiry != OI_TIME_NONE && part.last >= instrument->expiry)
        part.last = instrument->expiry - 1;
    *ret_part = part;
    return part.first <= part.last;
}

/* The markets of an entity that count, and the instants at which any of them has a figure. */
static void
find_range(struct run *run, size_t entity, struct range *range)
{
    struct oi_market *market = run_market(run, entity);
    oi_time first = OI_TIME_LATEST, last = OI_TIME_NONE;

    *range = (struct range){
        .first = 1, /* none yet */
        .parts = oi_arena_alloc_zero(&run->arena, market->member_count, sizeof(struct part)),
    };
    for (size_t i = 0; i < market->member_count; i++) {
        const struct oi_instrument *instrument = market->members[i].instrument;
        struct part part;

        market->measures |= measures_of(run->query, instrument);
        if (!find_part(run, instrument, &part))
            continue;
        first = part.first < first ? part.first : first;
        last = part.last > last ? part.last : last;
        range->parts[range->part_count++] = part;
    }
    if (range->part_count == 0)
        return;
    first = first > run->query->span.from ? first : run->query->span.from;
    last = last < run->query->span.to ? last : run->query->span.to - 1;
    if (first > last)
        return;
    range->first = ceiling(step_of(run), first);
    range->last = oi_interval_floor(step_of(run), last);
}

/* Only so many rows of each entity, from the side of paging. */
static void
cut_each(struct run *run, struct range *range)
{
    size_t limit = run->query->limit_per_market;

    if (limit == 0 || row_count(run, range) <= limit)
        return;
    if (run->query->from_end)
        range->first = range->last - (oi_time) (limit - 1) * step_of(run);
    else
        range->last = range->first + (oi_time) (limit - 1) * step_of(run);
}

/* Drop what is not behind the place where the last page ended, in the direction of paging. */
static void
cut_before(struct run *run, size_t entity, struct range *range)
{
    const struct oi_position *after = &run->query->after;
    int64_t step = step_of(run);
    bool from_end = run->query->from_end;
    bool is_done = from_end ? entity > after->market : entity < after->market;
    oi_time place = after->time;

    if (!after->is_set || row_count(run, range) == 0)
        return;
    /* A token may name any time; what is beyond the rows is one step beyond. */
    place = place > range->last ? range->last + step : place;
    place = place < range->first ? range->first - step : place;
    place = from_end ? oi_interval_floor(step, place) : ceiling(step, place);
    if (run->query->order_by_time) {
        /* Of the place's own instant the entities on the near side are done, itself included. */
        bool has_instant = !is_done && entity != after->market;

        if (from_end && range->last > place - (has_instant ? 0 : step))
            range->last = place - (has_instant ? 0 : step);
        if (!from_end && range->first < place + (has_instant ? 0 : step))
            range->first = place + (has_instant ? 0 : step);
        return;
    }
    if (is_done)
        range->first = range->last + step;
    else if (entity == after->market && from_end && range->last >= place)
        range->last = place - step;
    else if (entity == after->market && !from_end && range->first <= place)
        range->first = place + step;
}

/* Leave `limit` rows in the order of entities. */
static void
cut_by_entity(struct run *run, struct range *ranges)
{
    bool from_end = run->query->from_end;
    size_t left = run->left;

    for (size_t i = 0; i < run->market_count; i++) {
        size_t entity = from_end ? run->market_count - 1 - i : i;
        struct range *range = &ranges[entity];
        size_t count = row_count(run, range);

        if (count > left && left > 0) {
            oi_time *edge = from_end ? &range->first : &range->last;

            *edge = from_end ? range->last - (oi_time) (left - 1) * step_of(run)
                             : range->first + (oi_time) (left - 1) * step_of(run);
            run->result.next_position =
                (struct oi_position){ .is_set = true, .market = entity, .time = *edge };
            left = 0;
            continue;
        }
        if (left == 0)
            range->first = range->last + step_of(run);
        left -= left > 0 ? count : 0;
        if (left == 0 && count > 0 && !run->result.next_position.is_set && row_count(run, range))
            run->result.next_position = (struct oi_position){
                .is_set = true, .market = entity, .time = from_end ? range->first : range->last
            };
    }
}

/* How many rows lie at or before an instant (from the end: at or after it). */
static size_t
rows_through(struct run *run, const struct range *ranges, oi_time instant)
{
    size_t count = 0;

    for (size_t i = 0; i < run->market_count; i++) {
        struct range range = ranges[i];

        if (run->query->from_end)
            range.first = range.first > instant ? range.first : instant;
        else
            range.last = range.last < instant ? range.last : instant;
        count += row_count(run, &range);
    }
    return count;
}

/* The instant, in the direction of paging, at which the limit is reached. */
static oi_time
find_edge(struct run *run, const struct range *ranges)
{
    int64_t step = step_of(run), low = INT64_MAX, high = INT64_MIN;

    for (size_t i = 0; i < run->market_count; i++) {
        if (row_count(run, &ranges[i]) == 0)
            continue;
        low = ranges[i].first / step < low ? ranges[i].first / step : low;
        high = ranges[i].last / step > high ? ranges[i].last / step : high;
    }
    while (low < high) {
        int64_t middle = low + (high - low + (run->query->from_end ? 1 : 0)) / 2;
        bool is_enough = rows_through(run, ranges, middle * step) >= run->left;

        if (run->query->from_end) {
            low = is_enough ? middle : low;
            high = is_enough ? high : middle - 1;
        } else {
            low = is_enough ? low : middle + 1;
            high = is_enough ? middle : high;
        }
    }
    return low * step;
}

/* Leave `limit` rows in the order of time, then entities. */
static void
cut_by_time(struct run *run, struct range *ranges)
{
    bool from_end = run->query->from_end;
    int64_t step = step_of(run);
    oi_time edge = find_edge(run, ranges);
    size_t left = run->left - rows_through(run, ranges, from_end ? edge + step : edge - step);

    for (size_t i = 0; i < run->market_count; i++) {
        size_t entity = from_end ? run->market_count - 1 - i : i;
        struct range *range = &ranges[entity];
        bool is_at_edge = range->first <= edge && range->last >= edge;

        if (is_at_edge && left > 0) {
            left--;
            run->result.next_position =
                (struct oi_position){ .is_set = true, .market = entity, .time = edge };
        } else if (is_at_edge && from_end) {
            range->first = edge + step;
        } else if (is_at_edge) {
            range->last = edge - step;
        }
        if (from_end && range->first < edge)
            range->first = edge;
        if (!from_end && range->last > edge)
            range->last = edge;
    }
}

/*
 * Blocks.
 */

static void
set_block(struct run *run, size_t entity, const struct oi_measured *rows, size_t count)
{
    run_block_begin(run, entity, NULL);
    run->block.measured = rows;
    run->block.count = count;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum oi_status
step_by_entity(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct metrics_state *state = run->state;
    size_t measures = run->query->measure_count;

    while (run->at < run->market_count) {
        struct range *range = &state->ranges[run->at];
        size_t left = row_count(run, range), count = least(left, RUN_BLOCK_ITEMS);

        if (left == 0) {
            run->at++;
            continue;
        }
        oi_vector_clear(&state->values);
        oi_vector_clear(&state->rows);
        OI_TRY(measure(run, range, range->first, count, error));
        for (size_t i = 0; i < count; i++)
            oi_vector_push(&state->rows,
                           ((struct oi_measured){ range->first + (oi_time) i * step_of(run),
                                                  &state->values.items[i * measures] }));
        range->first += (oi_time) count * step_of(run);
        set_block(run, run->at, state->rows.items, count);
        run->block.is_last_of_market = count == left;
        *ret_has_block = true;
        return OI_OK;
    }
    return OI_OK;
}

/* The part of a range that lies in the window. */
static struct range
in_window(const struct metrics_state *state, size_t entity)
{
    struct range range = state->ranges[entity];

    range.first = range.first > state->window ? range.first : state->window;
    range.last = range.last < state->window_end ? range.last : state->window_end;
    return range;
}

/* Compute the next window of instants for all entities; false at the end. */
static enum oi_status
fill_window(struct run *run, bool *ret_has_window, struct oi_error *error)
{
    struct metrics_state *state = run->state;
    size_t instants = WINDOW_VALUES / (run->market_count * run->query->measure_count + 1);
    oi_time next = OI_TIME_LATEST;

    for (size_t i = 0; i < run->market_count; i++) {
        struct range range = state->ranges[i];

        range.first = range.first > state->instant ? range.first : state->instant;
        if (row_count(run, &range) > 0 && range.first < next)
            next = range.first;
    }
    *ret_has_window = next != OI_TIME_LATEST;
    if (!*ret_has_window)
        return OI_OK;
    instants = least(instants > 0 ? instants : 1, RUN_BLOCK_ITEMS);
    state->window = state->instant = next;
    state->window_end = next + (oi_time) (instants - 1) * step_of(run);
    oi_vector_clear(&state->values);
    for (size_t i = 0; i < run->market_count; i++) {
        struct range range = in_window(state, i);
        size_t count = row_count(run, &range);

        state->offsets[i] = state->values.count;
        if (count > 0)
            OI_TRY(measure(run, &range, range.first, count, error));
    }
    return OI_OK;
}

static enum oi_status
step_by_time(struct run *run, bool *ret_has_block, struct oi_error *error)
{
    struct metrics_state *state = run->state;
    bool has_window = true;

    for (;;) {
        if (state->instant > state->window_end)
            OI_TRY(fill_window(run, &has_window, error));
        if (!has_window)
            return OI_OK;
        for (; run->at < run->market_count; run->at++) {
            struct range range = in_window(state, run->at);
            size_t row;

            if (state->instant < range.first || state->instant > range.last)
                continue;
            row = (size_t) ((state->instant - range.first) / step_of(run));
            oi_vector_clear(&state->rows);
            oi_vector_push(
                &state->rows,
                ((struct oi_measured){ state->instant,
                                       &state->values.items[state->offsets[run->at] +
                                                            row * run->query->measure_count] }));
            set_block(run, run->at++, state->rows.items, 1);
            *ret_has_block = true;
            return OI_OK;
        }
        run->at = 0;
        state->instant += step_of(run);
    }
}

/*
 * When there are figures, without any.
 */

/* Fill in the extents of an entity's measures; false when there is nothing of it. */
static bool
find_extents(struct run *run, size_t entity)
{
    const struct oi_market *market = &run->markets[entity];
    struct oi_span *extents = run->state;
    bool has_any = false;

    memset(extents, 0, run->query->measure_count * sizeof(*extents));
    for (size_t i = 0; i < market->member_count; i++) {
        struct part part;

        if (!find_part(run, market->members[i].instrument, &part))
            continue;
        has_any = true;
        for (size_t k = 0; k < run->query->measure_count; k++) {
            struct oi_span *extent = &extents[k];

            if (!(part.measures & 1u << k))
                continue;
            if (extent->from == extent->to)
                *extent = (struct oi_span){ part.first, part.last + 1 };
            extent->from = part.first < extent->from ? part.first : extent->from;
            extent->to = part.last >= extent->to ? part.last + 1 : extent->to;
        }
    }
    return has_any;
}

static enum oi_status
step_extents(struct run *run, bool *ret_has_block, struct oi_error *)
{
    size_t entity;

    if (!run_next_market(run, find_extents, &entity))
        return OI_OK;
    run_block_begin(run, entity, NULL);
    run->block.extents = run->state;
    run->block.count = 1;
    run->block.is_last_of_market = true;
    *ret_has_block = true;
    return OI_OK;
}

static enum oi_status
run_extents(struct run *run)
{
    run->state =
        oi_arena_alloc_zero(&run->arena, run->query->measure_count, sizeof(struct oi_span));
    run->step = step_extents;
    run_first_market(run, find_extents);
    return OI_OK;
}

static void
release(struct run *run)
{
    struct metrics_state *state = run->state;

    oi_vector_release(&state->values);
    oi_vector_release(&state->rows);
}

enum oi_status
run_metrics(struct run *run, struct oi_error *error)
{
    struct metrics_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));
    size_t total = 0;

    if ((run->query->interval_ns <= 0 && !run->query->wants_extents) ||
        run->query->measure_count == 0 || run->query->measure_count > OI_MEASURES_MAX)
        return oi_fail(error, OI_E_INVALID, "metrics need an interval and 1 to %d measures",
                       OI_MEASURES_MAX);
    if (run->query->wants_extents)
        return run_extents(run);
    state->ranges = oi_arena_alloc_zero(&run->arena, run->market_count, sizeof(struct range));
    state->offsets = oi_arena_alloc_zero(&run->arena, run->market_count, sizeof(size_t));
    state->instant = INT64_MIN + 1;
    state->window_end = INT64_MIN;
    run->state = state;
    run->step = run->query->order_by_time ? step_by_time : step_by_entity;
    run->release = release;
    for (size_t i = 0; i < run->market_count; i++) {
        find_range(run, i, &state->ranges[i]);
        cut_each(run, &state->ranges[i]);
        cut_before(run, i, &state->ranges[i]);
        total += row_count(run, &state->ranges[i]);
    }
    if (total <= run->left)
        return OI_OK;
    if (run->query->order_by_time)
        cut_by_time(run, state->ranges);
    else
        cut_by_entity(run, state->ranges);
    return OI_OK;
}
