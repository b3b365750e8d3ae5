/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all markets are worth together: in all, and by exchange, coin, quote, kind or settlement, at
 * a few instants before now or at the ends of intervals. A market's figure at an instant is its
 * last reading before it, no older than its staleness limit. Ends of whole hours are read from the
 * rollups, whose last reading that is; so a week of ten thousand markets costs no row.
 */
#include "query/run_internal.h"

#include <stdlib.h>
#include <string.h>

/* Accumulators of one answer at most: 64 MiB. */
#define SUMS_MAX 600'000
/* What a figure in USD is made of. */
#define READ_COLUMNS                                                                               \
    (OI_COLUMN_OPEN_INTEREST | OI_COLUMN_VALUE_USD | OI_COLUMN_MARK_PRICE |                        \
     OI_COLUMN_INDEX_PRICE | OI_COLUMN_LAST_PRICE | OI_COLUMN_FLAGS)
/* Index of the instant by which markets are ranked: a day ago. */
#define RANKED_BY 2

static const int64_t ago[] = { 0, OI_HOUR, OI_DAY, OI_WEEK };

/* A market's figure at an instant. */
struct point {
    oi_time time; /* of the reading; OI_TIME_NONE: there is none */
    bool is_stale;
    struct oi_decimal usd;
    bool is_lost; /* it may be in a damaged chunk */
};

struct sum {
    struct oi_decimal usd;
    uint32_t markets, stale, unpriced;
    oi_time oldest; /* OI_TIME_NONE: there is none */
    bool is_lost;   /* a part of it is: there is no sum */
};

struct group {
    const char *name; /* NULL: all */
    struct sum *sums; /* for each instant */
    struct oi_decimal rank;
    size_t place; /* among the groups of its division, before they were ranked */
};

/* The markets divided by one property. */
struct division {
    enum oi_split split;
    const char *by;
    uint32_t *group_of; /* each market's */
    struct group *groups;
    size_t count;
};

/* A market among those that changed most. */
struct mover {
    size_t market;
    struct oi_decimal rank; /* how much, without sign */
    char name[OI_MARKET_NAME_SIZE];
    struct point points[OI_COUNT(ago)];
};

struct overview_state {
    struct division divisions[OI_SPLIT_SETTLEMENT + 1];
    size_t division_count;
    oi_time *instants;
    size_t instant_count;
    size_t now; /* index of that instant */
    struct mover *movers;
    size_t mover_count;
    struct point *points;          /* one market's, while it is read */
    size_t division, group, mover; /* to be delivered next */
    OI_VECTOR(struct oi_aggregate) rows;
};

/*
 * One market.
 */

static bool
is_over(const struct oi_instrument *instrument, oi_time time)
{
    return instrument->expiry != OI_TIME_NONE && instrument->expiry <= time;
}

/* Carry a reading to an instant. */
static struct point
carried(const struct run *run, const struct oi_facts *facts, const struct oi_observation *reading,
        oi_time instant)
{
    struct point point = { .time = reading->time };

    if (instant - reading->time > facts->staleness_ns)
        point.is_stale = true;
    else
        point.usd = oi_facts_convert(facts, reading, OI_UNIT_USD, run->query->is_canonical);
    return point;
}

static struct point
point_of(const struct run *run, const struct run_reading *reading, oi_time instant)
{
    if (reading->series == 0)
        return (struct point){ .time = OI_TIME_NONE, .is_lost = reading->is_lost };
    return carried(run, &reading->facts, &reading->reading, instant);
}

static struct point
point_at(struct run *run, const struct oi_instrument *instrument, oi_time time, oi_time instant)
{
    struct run_reading reading;

    run_reading_at(run, instrument, time, &reading);
    return point_of(run, &reading, instant);
}

/* The walk through one series' rollups. */
struct rollup_walk {
    struct run *run;
    const struct overview_state *state;
    uint32_t series;
    int64_t width;
    size_t next; /* instant */
    bool has_last;
    struct oi_observation last;
    bool has_facts; /* one set for all instants */
    struct oi_facts facts;
};

/* What holds at both ends of the instants holds between. */
static void
find_facts(struct rollup_walk *walk, oi_time first)
{
    struct run *run = walk->run;
    struct oi_facts last;

    oi_facts_at(run->source, run->catalog, walk->series, first, OI_TIME_LATEST, &walk->facts);
    oi_facts_at(run->source, run->catalog, walk->series,
                walk->state->instants[walk->state->now - 1], OI_TIME_LATEST, &last);
    walk->has_facts = oi_facts_same(&walk->facts, &last);
}

/* A reading to the next instant, unless another feed has a later one. */
static void
put(struct rollup_walk *walk, const struct oi_observation *reading)
{
    struct point *point = &walk->state->points[walk->next];

    if (point->time != OI_TIME_NONE && point->time >= reading->time)
        return;
    if (!walk->has_facts)
        oi_facts_at(walk->run->source, walk->run->catalog, walk->series, reading->time,
                    OI_TIME_LATEST, &walk->facts);
    *point = carried(walk->run, &walk->facts, reading, walk->state->instants[walk->next]);
}

/* The last reading to all instants up to the start of the next hour or day; where that begins with
 * one at an instant, it is `first`. */
static void
put_until(struct rollup_walk *walk, oi_time start, const struct oi_observation *first)
{
    for (; walk->next < walk->state->now && walk->state->instants[walk->next] <= start;
         walk->next++) {
        if (first && first->time == walk->state->instants[walk->next])
            put(walk, first);
        else if (walk->has_last)
            put(walk, &walk->last);
    }
}

static void
set_last(struct rollup_walk *walk, const struct oi_observation *last)
{
    walk->last = *last;
    walk->has_last = true;
}

static enum oi_status
walk_columns(void *context, const struct oi_rollup_columns *columns)
{
    struct rollup_walk *walk = context;

    for (size_t i = 0; i < columns->count; i++) {
        struct oi_observation first, last;
        bool is_at_start;

        if (walk->next >= walk->state->now ||
            walk->state->instants[walk->next] > columns->starts[i])
            continue;
        if (i > 0) {
            last = oi_columns_get(&columns->last, i - 1);
            set_last(walk, &last);
        }
        /* The first reading counts where it is of the very instant. */
        is_at_start = columns->first.time[i] == columns->starts[i];
        if (is_at_start)
            first = oi_columns_get(&columns->first, i);
        put_until(walk, columns->starts[i], is_at_start ? &first : NULL);
    }
    if (columns->count > 0) {
        struct oi_observation last = oi_columns_get(&columns->last, columns->count - 1);

        set_last(walk, &last);
    }
    return OI_OK;
}

static enum oi_status
walk_rollup(void *context, const struct oi_rollup *rollup)
{
    struct rollup_walk *walk = context;

    put_until(walk, rollup->start, &rollup->first);
    set_last(walk, &rollup->last);
    return OI_OK;
}

/* May rollups say it? Not what was known then, and not where rows were called bad since. */
static bool
rollups_say(struct run *run, const uint32_t *series, size_t count)
{
    if (run->query->interval_ns % OI_HOUR != 0 || run->moment.as_of != OI_TIME_LATEST ||
        run->moment.as_stored != OI_TIME_LATEST)
        return false;
    for (size_t i = 0; i < count; i++)
        if (oi_store_is_flagged(run->source->store, series[i], OI_SPAN_ALL, OI_TIME_LATEST))
            return false;
    return true;
}

static enum oi_status
read_ends_from_rows(struct run *run, struct overview_state *state,
                    const struct oi_instrument *instrument)
{
    for (size_t i = 0; i < state->now; i++)
        state->points[i] = point_at(run, instrument, state->instants[i], state->instants[i]);
    return OI_OK;
}

/* The points of a market at the ends of intervals, all but now's. */
static enum oi_status
read_ends(struct run *run, struct overview_state *state, const struct oi_instrument *instrument,
          struct oi_error *error)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);
    int64_t width = run->query->interval_ns % OI_DAY == 0 ? OI_DAY : OI_HOUR;

    if (state->now == 0)
        return OI_OK;
    if (!rollups_say(run, series, count))
        return read_ends_from_rows(run, state, instrument);
    for (size_t i = 0; i < count; i++) {
        struct rollup_walk walk = {
            .run = run, .state = state, .series = series[i], .width = width
        };
        int64_t back = oi_interval_ceil(width, run_staleness(run, instrument)) + width;
        oi_time oldest = state->instants[0] - back;
        const struct oi_rollup_request request = {
            .series = series[i],
            .interval_ns = width,
            .span = { oldest, state->instants[state->now - 1] + 1 },
            .columns = { [0] = READ_COLUMNS, [3] = READ_COLUMNS },
            .parts = OI_ROLLUP_FIRST | OI_ROLLUP_LAST,
            .each_columns = walk_columns,
            .each = walk_rollup,
            .context = &walk,
        };
        enum oi_status status;

        find_facts(&walk, oldest);
        status = oi_store_rollup_columns(run->source->store, &request, error);

        /* The rows say the same, and which of them are lost. */
        if (status == OI_E_CORRUPT)
            return read_ends_from_rows(run, state, instrument);
        OI_TRY(status);
        put_until(&walk, OI_TIME_LATEST, NULL);
    }
    return OI_OK;
}

/* The points of a market at the instants before now that are not before its first reading. */
static void
read_instants(struct run *run, struct overview_state *state, const struct oi_instrument *instrument,
              oi_time first)
{
    struct run_reading readings[OI_COUNT(ago) - 1];
    size_t count = 0;

    while (count < OI_COUNT(readings) && first <= state->instants[1 + count])
        count++;
    run_readings_at(run, instrument, &state->instants[1], count, readings);
    for (size_t i = 0; i < count; i++)
        state->points[1 + i] = point_of(run, &readings[i], state->instants[1 + i]);
}

/* All points of a market but now's, which is there. */
static enum oi_status
read_points(struct run *run, struct overview_state *state, const struct oi_instrument *instrument,
            struct oi_error *error)
{
    oi_time first, last;
    uint64_t rows;

    for (size_t i = 0; i < state->instant_count; i++)
        if (i != state->now)
            state->points[i] = (struct point){ .time = OI_TIME_NONE };
    if (!run_extent(run, instrument, &first, &last, &rows))
        return OI_OK;
    if (run->query->interval_ns > 0) {
        if (state->now == 0 || last < state->instants[0] - 2 * OI_DAY)
            return OI_OK;
        return read_ends(run, state, instrument, error);
    }
    read_instants(run, state, instrument, first);
    return OI_OK;
}

/*
 * Groups.
 */

static void
add_to(struct oi_decimal *sum, const struct oi_decimal *value)
{
    struct oi_decimal result;

    if (oi_decimal_is_none(sum))
        *sum = *value;
    else if (oi_decimal_add(sum, value, &result, NULL) == OI_OK)
        *sum = result;
}

static void
add_point(struct sum *sum, const struct oi_instrument *instrument, const struct point *point,
          oi_time instant)
{
    if (point->is_lost && !is_over(instrument, instant)) {
        sum->is_lost = true;
        sum->usd = (struct oi_decimal){};
    }
    if (point->time == OI_TIME_NONE || is_over(instrument, instant))
        return;
    if (point->is_stale) {
        sum->stale += !instrument->is_delisted;
        return;
    }
    if (oi_decimal_is_none(&point->usd)) {
        sum->unpriced++;
        return;
    }
    if (!sum->is_lost)
        add_to(&sum->usd, &point->usd);
    sum->markets++;
    if (sum->oldest == OI_TIME_NONE || point->time < sum->oldest)
        sum->oldest = point->time;
}

struct named {
    const char *name;
    uint32_t market;
};

static int
compare_names(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : a->market < b->market ? -1 : a->market > b->market;
}

/* Largest first; the order of names among equals, and those without a figure last. */
static int
compare_groups(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    int order = oi_decimal_compare(&b->rank, &a->rank);

    return order != 0 ? order : a->place < b->place ? -1 : a->place > b->place;
}

/* Tell the markets apart by one property: groups in the order of their names. */
static void
divide(struct run *run, struct division *division)
{
    size_t count = run->market_count;
    struct named *named = oi_alloc_zero(count, sizeof(*named));

    division->group_of = oi_arena_alloc_zero(&run->arena, count, sizeof(uint32_t));
    for (size_t i = 0; i < count; i++) {
        const char *value = run_split_value(run->markets[i].instrument, division->split);

        named[i] = (struct named){ value ? value : "", (uint32_t) i };
    }
    if (count > 1)
        qsort(named, count, sizeof(*named), compare_names);
    for (size_t i = 0; i < count; i++)
        division->count += i == 0 || strcmp(named[i].name, named[i - 1].name) != 0;
    division->groups = oi_arena_alloc_zero(&run->arena, division->count, sizeof(struct group));
    for (size_t i = 0, group = 0; i < count; i++) {
        group += i > 0 && strcmp(named[i].name, named[i - 1].name) != 0;
        division->group_of[named[i].market] = (uint32_t) group;
        division->groups[group].place = group;
        division->groups[group].name = division->split == OI_SPLIT_NONE ? NULL : named[i].name;
    }
    oi_free(named);
}

/* Order the groups by what they are worth now, and make one of those beyond the largest. */
static void
rank(struct run *run, struct division *division, const struct point *now)
{
    size_t top = run->query->top, kept;
    uint32_t *moved;

    for (size_t i = 0; i < run->market_count; i++)
        if (now[i].time != OI_TIME_NONE && !oi_decimal_is_none(&now[i].usd) && !now[i].is_stale)
            add_to(&division->groups[division->group_of[i]].rank, &now[i].usd);
    if (division->count > 1)
        qsort(division->groups, division->count, sizeof(struct group), compare_groups);
    kept = top > 0 && division->count > top ? top + 1 : division->count;
    moved = oi_alloc_zero(division->count, sizeof(*moved));
    for (size_t i = 0; i < division->count; i++)
        moved[division->groups[i].place] = (uint32_t) (i < kept ? i : kept - 1);
    for (size_t i = 0; i < run->market_count; i++)
        division->group_of[i] = moved[division->group_of[i]];
    if (kept < division->count)
        division->groups[kept - 1].name = "other";
    division->count = kept;
    oi_free(moved);
}

/*
 * Movers.
 */

static int
compare_movers(const void *left, const void *right)
{
    const struct mover *a = left, *b = right;
    int order = oi_decimal_compare(&b->rank, &a->rank);

    return order != 0 ? order : a->market < b->market ? -1 : a->market > b->market;
}

/* Keep a market that changed more than one of those kept. */
static void
consider(struct run *run, struct overview_state *state, size_t market)
{
    const struct point *now = &state->points[state->now], *then = &state->points[RANKED_BY];
    struct mover mover = { .market = market };
    size_t top = run->query->top;

    if (oi_decimal_is_none(&now->usd) || oi_decimal_is_none(&then->usd) ||
        (oi_decimal_compare(&now->usd, &then->usd) >= 0
             ? oi_decimal_subtract(&now->usd, &then->usd, &mover.rank, NULL)
             : oi_decimal_subtract(&then->usd, &now->usd, &mover.rank, NULL)) != OI_OK)
        return;
    if (state->mover_count == top && compare_movers(&mover, &state->movers[top - 1]) >= 0)
        return;
    (void) oi_native_name(run->markets[market].instrument, mover.name);
    memcpy(mover.points, state->points, sizeof(mover.points));
    if (state->mover_count < top)
        state->mover_count++;
    state->movers[state->mover_count - 1] = mover;
    for (size_t i = state->mover_count - 1;
         i > 0 && compare_movers(&state->movers[i], &state->movers[i - 1]) < 0; i--) {
        struct mover other = state->movers[i - 1];

        state->movers[i - 1] = state->movers[i];
        state->movers[i] = other;
    }
}

/*
 * The answer.
 */

static struct oi_aggregate
row_of(const struct overview_state *state, const char *by, const char *name, size_t instant,
       const struct sum *sum, const struct sum *now)
{
    const struct oi_decimal hundred = oi_decimal_from(100, 0);
    struct oi_aggregate row = { .by = by,
                                .name = name,
                                .time = state->instants[instant],
                                .usd = sum->usd,
                                .markets = sum->markets,
                                .stale = sum->stale,
                                .unpriced = sum->unpriced,
                                .oldest = sum->oldest };

    if (oi_decimal_is_none(&sum->usd) || oi_decimal_is_none(&now->usd) ||
        oi_decimal_subtract(&now->usd, &sum->usd, &row.change, NULL) != OI_OK)
        return row;
    if (oi_decimal_multiply(&row.change, &hundred, &row.change_percent, NULL) != OI_OK ||
        oi_decimal_divide_half_even(&row.change_percent, &sum->usd, 18, &row.change_percent,
                                    NULL) != OI_OK ||
        oi_decimal_round_half_even(&row.change_percent, 2, &row.change_percent, NULL) != OI_OK)
        row.change_percent = (struct oi_decimal){};
    return row;
}

static void
push_mover(struct run *run, struct overview_state *state, const struct mover *mover)
{
    const struct oi_instrument *instrument = run->markets[mover->market].instrument;
    struct sum sums[OI_COUNT(ago)];

    for (size_t i = 0; i < OI_COUNT(ago); i++) {
        sums[i] = (struct sum){ .oldest = OI_TIME_NONE };
        add_point(&sums[i], instrument, &mover->points[i], state->instants[i]);
    }
    for (size_t i = 0; i < OI_COUNT(ago); i++)
        oi_vector_push(&state->rows, row_of(state, "market", mover->name, i, &sums[i], &sums[0]));
}

/* A block for each group, then one for each mover. */
static enum oi_status
step_overview(struct run *run, bool *ret_has_block, struct oi_error *)
{
    struct overview_state *state = run->state;

    oi_vector_clear(&state->rows);
    while (state->division < state->division_count &&
           state->group == state->divisions[state->division].count) {
        state->division++;
        state->group = 0;
    }
    if (state->division < state->division_count) {
        const struct division *division = &state->divisions[state->division];
        const struct group *group = &division->groups[state->group++];

        for (size_t i = 0; i < state->instant_count; i++)
            oi_vector_push(&state->rows, row_of(state, division->by, group->name, i,
                                                &group->sums[i], &group->sums[state->now]));
    } else if (state->mover < state->mover_count) {
        push_mover(run, state, &state->movers[state->mover++]);
    } else {
        return OI_OK;
    }
    run->block = (struct oi_block){ .aggregates = state->rows.items,
                                    .count = state->rows.count,
                                    .is_last_of_market = true };
    *ret_has_block = true;
    return OI_OK;
}

static void
release_overview(struct run *run)
{
    oi_vector_release(&((struct overview_state *) run->state)->rows);
}

/* Now and a few instants before it, or the ends of intervals up to now, and now. */
static enum oi_status
lay_out_instants(struct run *run, struct overview_state *state, struct oi_error *error)
{
    int64_t interval = run->query->interval_ns;
    oi_time now = run->query->span.to != OI_TIME_LATEST ? run->query->span.to
                  : run->moment.as_of != OI_TIME_LATEST ? run->moment.as_of
                                                        : run->result.now;
    oi_time from = run->query->span.from;
    size_t count = OI_COUNT(ago);

    if (interval > 0) {
        from = oi_interval_ceil(interval, from > OI_TIME_EARLIEST ? from : now);
        count = from <= now ? (size_t) ((now - from) / interval) + 2 : 1;
        if (count > RUN_BLOCK_ITEMS)
            return oi_fail(error, OI_E_INVALID, "more than %d instants: ask for less",
                           RUN_BLOCK_ITEMS);
        if (from <= now && (now - from) % interval == 0)
            count--;
    }
    state->instants = oi_arena_alloc_zero(&run->arena, count, sizeof(oi_time));
    state->points = oi_arena_alloc_zero(&run->arena, count, sizeof(struct point));
    state->instant_count = count;
    state->now = interval > 0 ? count - 1 : 0;
    for (size_t i = 0; i < count; i++)
        state->instants[i] = interval > 0 ? from + (oi_time) i * interval : now - ago[i];
    state->instants[state->now] = now;
    return OI_OK;
}

static enum oi_status
lay_out_groups(struct run *run, struct overview_state *state, const struct point *now,
               struct oi_error *error)
{
    static const char *const names[] = {
        [OI_SPLIT_NONE] = "total", [OI_SPLIT_EXCHANGE] = "exchange",
        [OI_SPLIT_COIN] = "coin",  [OI_SPLIT_QUOTE] = "quote",
        [OI_SPLIT_KIND] = "kind",  [OI_SPLIT_SETTLEMENT] = "settlement",
    };
    size_t sums = 0;

    for (unsigned split = 0; split < OI_COUNT(names); split++) {
        struct division *division = &state->divisions[state->division_count];

        if (!(run->query->splits & 1u << split))
            continue;
        division->split = (enum oi_split) split;
        division->by = names[split];
        divide(run, division);
        rank(run, division, now);
        sums += division->count * state->instant_count;
        if (sums > SUMS_MAX)
            return oi_fail(error, OI_E_INVALID, "too many figures: ask for fewer instants");
        for (size_t i = 0; i < division->count; i++) {
            division->groups[i].sums =
                oi_arena_alloc_zero(&run->arena, state->instant_count, sizeof(struct sum));
            for (size_t k = 0; k < state->instant_count; k++)
                division->groups[i].sums[k].oldest = OI_TIME_NONE;
        }
        state->division_count++;
    }
    return OI_OK;
}

static enum oi_status
add_up(struct run *run, struct overview_state *state, const struct point *now,
       struct oi_error *error)
{
    bool wants_movers =
        run->query->ranks_markets && run->query->interval_ns == 0 && run->query->top > 0;

    if (wants_movers)
        state->movers = oi_arena_alloc_zero(&run->arena, run->query->top, sizeof(struct mover));
    for (size_t market = 0; market < run->market_count; market++) {
        const struct oi_instrument *instrument = run->markets[market].instrument;

        state->points[state->now] = now[market];
        OI_TRY(read_points(run, state, instrument, error));
        for (size_t i = 0; i < state->division_count; i++) {
            const struct division *division = &state->divisions[i];
            struct sum *sums = division->groups[division->group_of[market]].sums;

            for (size_t k = 0; k < state->instant_count; k++)
                add_point(&sums[k], instrument, &state->points[k], state->instants[k]);
        }
        if (wants_movers)
            consider(run, state, market);
    }
    return OI_OK;
}

enum oi_status
run_overview(struct run *run, struct oi_error *error)
{
    struct overview_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));
    struct point *now = oi_arena_alloc_zero(&run->arena, run->market_count, sizeof(*now));

    run->state = state;
    run->step = step_overview;
    run->release = release_overview;
    OI_TRY(lay_out_instants(run, state, error));
    for (size_t i = 0; i < run->market_count; i++)
        now[i] = point_at(run, run->markets[i].instrument, run->query->span.to,
                          state->instants[state->now]);
    OI_TRY(lay_out_groups(run, state, now, error));
    return add_up(run, state, now, error);
}
