/* SPDX-License-Identifier: Apache-2.0 */
/* Names to markets, then the kind's own walk; blocks are pulled one by one. */
#include "query/run.h"

#include "query/run_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oi_stream_request
run_stream_request(struct run *run, const struct oi_instrument *instrument, struct oi_span span,
                   unsigned columns, bool wants_usd)
{
    return (struct oi_stream_request){
        .source = run->source,
        .catalog = run->catalog,
        .instrument = instrument->id,
        .span = span,
        .moment = run->moment,
        .columns = columns,
        .unit = run->query->counts_events && instrument->kind == OI_KIND_EVENT &&
                        run->query->unit == OI_UNIT_COINS
                    ? OI_UNIT_CONTRACTS
                    : run->query->unit,
        .one_sided = run->query->is_canonical,
        .wants_amounts = true,
        .wants_usd = wants_usd,
        .shows_bad = run->query->shows_bad,
        .damages = &run->damages,
    };
}

enum oi_status
run_stream_open(struct run *run, const struct oi_instrument *instrument, struct oi_span span,
                unsigned columns, bool wants_usd, struct oi_stream **ret_stream,
                struct oi_error *error)
{
    const struct oi_stream_request request =
        run_stream_request(run, instrument, span, columns, wants_usd);

    return oi_stream_open(&request, ret_stream, error);
}

bool
run_is_damaged(struct run *run, const struct oi_market *market, struct oi_span span)
{
    if (atomic_load(&run->damages.count) == 0)
        return false;
    if (market->instrument)
        return oi_damages_touch(&run->damages, market->instrument, span, 0);
    for (size_t i = 0; i < market->member_count; i++) {
        const struct oi_instrument *instrument = market->members[i].instrument;

        if (oi_damages_touch(&run->damages, instrument, span, run_staleness(run, instrument)))
            return true;
    }
    return false;
}

enum oi_status
run_note_damage(struct run *run, const struct oi_instrument *instrument, struct oi_span span,
                struct oi_error *error)
{
    uint32_t series[OI_FEEDS_MAX];
    struct oi_damaged_chunk chunks[16];
    size_t count;

    if (oi_store_damaged_count(run->source->store) == 0)
        return OI_OK;
    count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t found =
            oi_store_damaged(run->source->store, series[i], span, chunks, OI_COUNT(chunks));

        for (size_t k = 0; k < found && k < OI_COUNT(chunks); k++)
            OI_TRY(oi_damages_note(&run->damages, run->catalog, &chunks[k], error));
    }
    return OI_OK;
}

void
run_block_begin(struct run *run, size_t market, const struct oi_stream_block *facts)
{
    run->block = (struct oi_block){ .market = &run->markets[market] };
    if (!facts)
        return;
    run->block.feed = facts->feed->name;
    run->block.unit = facts->unit;
    run->block.sides = facts->sides;
    run->block.evidence = facts->convention ? facts->convention->evidence : NULL;
}

bool
run_extent(struct run *run, const struct oi_instrument *instrument, oi_time *ret_first,
           oi_time *ret_last, uint64_t *ret_rows)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);
    bool has_any = false;

    *ret_rows = 0;
    for (size_t i = 0; i < count; i++) {
        struct oi_extent extent;

        if (oi_store_extent(run->source->store, series[i], &extent, NULL) != OI_OK)
            continue;
        if (!has_any || extent.first < *ret_first)
            *ret_first = extent.first;
        if (!has_any || extent.last > *ret_last)
            *ret_last = extent.last;
        *ret_rows += extent.rows;
        has_any = true;
    }
    return has_any;
}

/* One series' last reading at or before an instant; memory has the newest of all. */
static enum oi_status
any_at(struct run *run, uint32_t series, oi_time time, struct oi_observation *ret_reading)
{
    if (time == OI_TIME_LATEST && run->moment.as_of == OI_TIME_LATEST &&
        run->moment.as_stored == OI_TIME_LATEST)
        return oi_store_latest(run->source->store, series, ret_reading, NULL);
    if (time == OI_TIME_LATEST)
        time--;
    return oi_store_at(run->source->store, series, time, run->moment, ret_reading, NULL);
}

/* Which chunk was it that has the reading, and cannot be read? */
static void
note_lost(struct run *run, uint32_t series, oi_time time)
{
    const struct oi_scan_request request = {
        .series = series,
        .span = { OI_TIME_EARLIEST, time == OI_TIME_LATEST ? time : time + 1 },
        .moment = run->moment,
        .columns = OI_COLUMNS_ALL,
        .is_backwards = true,
        .limit = 1,
    };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns;

    if (oi_store_scan(run->source->store, &request, &scan, NULL) == OI_OK)
        (void) oi_damages_next(&run->damages, run->catalog, series, scan, &columns, NULL);
}

/* The same without those that are held to be bad. */
static enum oi_status
series_at(struct run *run, uint32_t series, oi_time time, struct oi_observation *ret_reading)
{
    for (;;) {
        struct oi_observation reading;
        oi_time good;

        enum oi_status status = any_at(run, series, time, &reading);

        if (status == OI_E_CORRUPT)
            note_lost(run, series, time);
        OI_TRY(status);
        if (run->query->shows_bad || !(reading.flags & OI_FLAG_BAD)) {
            *ret_reading = reading;
            return OI_OK;
        }
        good =
            oi_store_good_before(run->source->store, series, reading.time, run->moment.as_stored);
        time = good < reading.time ? good : reading.time - 1;
        if (time <= OI_TIME_EARLIEST)
            return OI_E_NOT_FOUND;
    }
}

void
run_reading_at(struct run *run, const struct oi_instrument *instrument, oi_time time,
               struct run_reading *ret_reading)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);

    ret_reading->series = 0;
    ret_reading->is_lost = false;
    for (size_t i = 0; i < count; i++) {
        struct oi_observation reading;
        enum oi_status status = series_at(run, series[i], time, &reading);

        ret_reading->is_lost |= status == OI_E_CORRUPT;
        if (status != OI_OK ||
            (ret_reading->series != 0 && reading.time <= ret_reading->reading.time))
            continue;
        ret_reading->series = series[i];
        ret_reading->reading = reading;
    }
    /* Which of them is the last one, nobody can say. */
    if (ret_reading->is_lost)
        ret_reading->series = 0;
    if (ret_reading->series != 0)
        oi_facts_at(run->source, run->catalog, ret_reading->series, ret_reading->reading.time,
                    run->moment.as_of, &ret_reading->facts);
}

struct oi_decimal
run_amount(const struct run *run, const struct run_reading *reading)
{
    return oi_facts_convert(&reading->facts, &reading->reading, run->query->unit,
                            run->query->is_canonical);
}

struct oi_decimal
run_usd(const struct run *run, const struct run_reading *reading)
{
    return oi_facts_convert(&reading->facts, &reading->reading, OI_UNIT_USD,
                            run->query->is_canonical);
}

static uint32_t
first_series(struct run *run, uint32_t instrument)
{
    uint32_t series[OI_FEEDS_MAX];

    return oi_series_by_precedence(run->catalog, instrument, series, OI_FEEDS_MAX) > 0 ? series[0]
                                                                                       : 0;
}

static void
add_market(struct run *run, const struct oi_choice *choice)
{
    struct oi_market *market = &run->markets[run->market_count];

    market->instrument = &run->catalog->instruments[choice->instrument - 1];
    market->index = run->market_count++;
    market->selector = choice->selector;
    market->series = first_series(run, choice->instrument);
    market->first = market->last = OI_TIME_NONE;
}

const char *
run_split_value(const struct oi_instrument *instrument, enum oi_split split)
{
    static const char *const kinds[] = {
        [OI_KIND_UNKNOWN] = "unknown", [OI_KIND_PERPETUAL] = "perpetual",
        [OI_KIND_FUTURE] = "future",   [OI_KIND_OPTION] = "option",
        [OI_KIND_EVENT] = "event",
    };
    static const char *const settlements[] = {
        [OI_SETTLEMENT_UNKNOWN] = "unknown",
        [OI_SETTLEMENT_LINEAR] = "linear",
        [OI_SETTLEMENT_INVERSE] = "inverse",
        [OI_SETTLEMENT_QUANTO] = "quanto",
    };

    switch (split) {
    case OI_SPLIT_NONE:
        break;
    case OI_SPLIT_EXCHANGE:
        return instrument->exchange;
    case OI_SPLIT_COIN:
        return instrument->base;
    case OI_SPLIT_QUOTE:
        return instrument->quote;
    case OI_SPLIT_KIND:
        return kinds[instrument->kind];
    case OI_SPLIT_SETTLEMENT:
        return settlements[instrument->settlement];
    }
    return NULL;
}

/* Choices of one selector as one total; of one value of `split`. */
static void
add_total(struct run *run, const struct oi_choice *choices, size_t count, enum oi_split split)
{
    struct oi_market *market = &run->markets[run->market_count];
    struct oi_member *members = oi_arena_alloc_zero(&run->arena, count, sizeof(*members));

    for (size_t i = 0; i < count; i++) {
        members[i].instrument = &run->catalog->instruments[choices[i].instrument - 1];
        members[i].last = OI_TIME_NONE;
        members[i].left_out = "no reading within its staleness limit";
    }
    market->index = run->market_count++;
    market->selector = choices[0].selector;
    market->members = members;
    market->member_count = count;
    market->name = run_split_value(members[0].instrument, split);
    market->first = market->last = OI_TIME_NONE;
}

struct valued_choice {
    struct oi_choice choice;
    const char *value;
    size_t place; /* keeps the order of choices of one value */
};

static int
compare_values(const void *left, const void *right)
{
    const struct valued_choice *a = left, *b = right;
    int order = strcmp(a->value, b->value);

    return order != 0 ? order : a->place < b->place ? -1 : a->place > b->place;
}

/* The choices of one selector as totals, one for each value of its split. */
static void
add_split_totals(struct run *run, struct oi_choice *choices, size_t count, enum oi_split split)
{
    struct valued_choice *valued = oi_alloc_zero(count, sizeof(*valued));

    for (size_t i = 0; i < count; i++)
        valued[i] = (struct valued_choice){
            choices[i],
            run_split_value(&run->catalog->instruments[choices[i].instrument - 1], split),
            i,
        };
    qsort(valued, count, sizeof(*valued), compare_values);
    for (size_t i = 0; i < count; i++)
        choices[i] = valued[i].choice;
    for (size_t i = 0, end; i < count; i = end) {
        end = i + 1;
        while (end < count && strcmp(valued[end].value, valued[i].value) == 0)
            end++;
        add_total(run, &choices[i], end - i, split);
    }
    oi_free(valued);
}

static int
by_instrument(const void *left, const void *right)
{
    const struct oi_choice *a = left, *b = right;

    return a->instrument < b->instrument ? -1 : a->instrument > b->instrument;
}

/* The markets of all groups, each once, as one total. */
static void
lay_out_total(struct run *run, struct oi_choices *choices)
{
    size_t kept = 0;

    qsort(choices->items.items, choices->items.count, sizeof(struct oi_choice), by_instrument);
    for (size_t i = 0; i < choices->items.count; i++) {
        if (kept == 0 ||
            choices->items.items[i].instrument != choices->items.items[kept - 1].instrument)
            choices->items.items[kept++] = choices->items.items[i];
    }
    run->markets = oi_arena_alloc_zero(&run->arena, 1, sizeof(*run->markets));
    if (kept > 0)
        add_total(run, choices->items.items, kept, OI_SPLIT_NONE);
}

static void
lay_out_markets(struct run *run, struct oi_choices *choices)
{
    size_t count = choices->items.count;

    run->markets = oi_arena_alloc_zero(&run->arena, count, sizeof(*run->markets));
    for (size_t i = 0, end; i < count; i = end) {
        struct oi_choice *first = &choices->items.items[i];
        const struct oi_selector *selector = &run->query->selectors.items[first->selector];

        end = i + 1;
        if (!selector->is_total) {
            add_market(run, first);
            continue;
        }
        while (end < count && choices->items.items[end].selector == first->selector)
            end++;
        if (selector->split == OI_SPLIT_NONE)
            add_total(run, first, end - i, OI_SPLIT_NONE);
        else
            add_split_totals(run, first, end - i, selector->split);
    }
}

/* A row of any feed of the instrument changes it. */
static uint64_t
version_of(struct run *run, const struct oi_instrument *instrument)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);
    uint64_t version = 0;

    for (size_t i = 0; i < count; i++)
        version += oi_store_data_version(run->source->store, series[i]);
    return version;
}

static uint64_t
data_version(struct run *run)
{
    uint64_t version = run->catalog->version;

    for (size_t i = 0; i < run->market_count; i++) {
        const struct oi_market *market = &run->markets[i];

        if (market->instrument)
            version += version_of(run, market->instrument);
        for (size_t k = 0; k < market->member_count; k++)
            version += version_of(run, market->members[k].instrument);
    }
    return version;
}

/* What has been met so far is copied: a later half may still be adding to it. */
static void
publish_damage(struct run *run)
{
    if (atomic_load(&run->damages.count) > 0)
        run->result.damages =
            oi_damages_copy(&run->damages, &run->arena, &run->result.damage_count);
}

static enum oi_status
next(struct oi_result *result, const struct oi_block **ret_block, struct oi_error *error)
{
    struct run *run = (struct run *) result;
    bool has_block = false;

    OI_TRY(run->step(run, &has_block, error));
    publish_damage(run);
    if (has_block)
        result->row_count += run->block.count;
    *ret_block = has_block ? &run->block : NULL;
    return OI_OK;
}

static void
run_close(struct oi_result *result)
{
    struct run *run = (struct run *) result;

    if (run->release)
        run->release(run);
    oi_name_index_unref(&run->index);
    oi_damages_release(&run->damages);
    oi_arena_release(&run->arena);
    oi_free(run);
}

static enum oi_status
prepare(struct run *run, struct oi_error *error)
{
    switch (run->query->kind) {
    case OI_QUERY_NONE:
        break;
    case OI_QUERY_MARKETS:
        return run_markets(run, error);
    case OI_QUERY_ROWS:
        return run_rows(run, error);
    case OI_QUERY_CANDLES:
        return run_candles(run, error);
    case OI_QUERY_SNAPSHOTS:
        return run_snapshots(run, error);
    case OI_QUERY_BARS:
        return run_bars(run, error);
    case OI_QUERY_MONTHS:
        return run_months(run, error);
    case OI_QUERY_LATEST:
        return run_latest(run, error);
    case OI_QUERY_GAPS:
        return run_gaps(run, error);
    case OI_QUERY_FROZEN:
        return run_frozen(run, error);
    case OI_QUERY_REVISIONS:
        return run_revisions(run, error);
    case OI_QUERY_CHANGES:
        return run_changes(run, error);
    case OI_QUERY_COVERAGE:
        return run_coverage(run, error);
    case OI_QUERY_CONVENTIONS:
        return run_conventions(run, error);
    case OI_QUERY_CALENDAR:
        return run_calendar(run, error);
    case OI_QUERY_OPTIONS:
        return run_options(run, error);
    case OI_QUERY_EXPIRIES:
        return run_expiries(run, error);
    case OI_QUERY_METRICS:
        return run_metrics(run, error);
    case OI_QUERY_OVERVIEW:
        return run_overview(run, error);
    case OI_QUERY_ALERTS: /* never comes here */
        break;
    }
    return oi_fail(error, OI_E_INVALID, "a question without a kind");
}

/* The alerts' log is kept beside the store, by who is above us. */
static enum oi_status
ask_alerts(const struct oi_source *source, const struct oi_query *query,
           struct oi_result **ret_result, struct oi_error *error)
{
    struct oi_result *result = NULL;

    if (source->ask_alerts)
        OI_TRY(source->ask_alerts(source->alerts, query, &result, error));
    else
        result = oi_result_of_blocks(NULL, 0, NULL, 0);
    result->now = source->clock->wall_ns(source->clock);
    *ret_result = result;
    return OI_OK;
}

static enum oi_status
note_known(struct run *run, const struct oi_damage *damage, struct oi_error *error)
{
    struct oi_damaged_chunk chunk = { .series = damage->series, .span = damage->span };

    (void) snprintf(chunk.reason, sizeof(chunk.reason), "%s", damage->reason);
    return oi_damages_note(&run->damages, run->catalog, &chunk, error);
}

/* Open the answer; `known` is what an answer to the same question lacked. */
static enum oi_status
open_run(const struct oi_source *source, const struct oi_query *query,
         const struct oi_result *known, struct run **ret_run, struct oi_problem *problem,
         struct oi_error *error)
{
    struct run *run = oi_alloc_zero(1, sizeof(*run));
    struct oi_choices choices = {};
    enum oi_status status = oi_store_refresh(source->store, error);

    run->source = source;
    run->query = query;
    run->moment = (struct oi_moment){ query->as_of, query->as_stored };
    run->left = query->limit > 0 ? query->limit : SIZE_MAX;
    run->result.next = next;
    run->result.close = run_close;
    run->result.now = source->clock->wall_ns(source->clock);
    run->index = oi_names_current(source->names, source->store);
    run->catalog = run->index->catalog;
    oi_damages_init(&run->damages);
    for (size_t i = 0; known && status == OI_OK && i < known->damage_count; i++)
        status = note_known(run, &known->damages[i], error);
    run->result.is_damage_known = run->damages.items.count > 0;
    if (status == OI_OK)
        status = oi_names_choose(run->index, query, &choices, problem);
    if (status == OI_OK && query->kind == OI_QUERY_METRICS)
        status = run_entities(run, &choices, problem);
    else if (status == OI_OK)
        (run->query->is_one_total ? lay_out_total : lay_out_markets)(run, &choices);
    if (status == OI_OK) {
        run->result.markets = run->markets;
        run->result.market_count = run->market_count;
        run->result.data_version = data_version(run);
        status = prepare(run, error);
    }
    oi_vector_release(&choices.items);
    if (status != OI_OK) {
        run_close(&run->result);
        return status;
    }
    publish_damage(run);
    *ret_run = run;
    return OI_OK;
}

static bool
has_damaged_series(struct run *run, const struct oi_instrument *instrument)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);

    for (size_t i = 0; i < count; i++)
        if (oi_store_damaged(run->source->store, series[i], OI_SPAN_ALL, NULL, 0) > 0)
            return true;
    return false;
}

/* Has anybody met a damaged chunk of the answer's markets? */
static bool
is_suspect(struct run *run)
{
    if (oi_store_damaged_count(run->source->store) == 0)
        return false;
    for (size_t i = 0; i < run->market_count; i++) {
        const struct oi_market *market = &run->markets[i];

        if (market->instrument && has_damaged_series(run, market->instrument))
            return true;
        for (size_t k = 0; k < market->member_count; k++)
            if (has_damaged_series(run, market->members[k].instrument))
                return true;
    }
    return false;
}

/* Answers say in their head what they lack. So where there is damage to be feared, which is seldom,
 * the question is answered twice, the first time to nobody. */
enum oi_status
oi_query_run(const struct oi_source *source, const struct oi_query *query,
             struct oi_result **ret_result, struct oi_problem *problem, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *first = NULL;
    const struct oi_block *block;
    struct run *run = NULL;

    if (query->kind == OI_QUERY_ALERTS)
        return ask_alerts(source, query, ret_result, error);
    OI_TRY(open_run(source, query, NULL, &run, problem, error));
    if (!is_suspect(run)) {
        *ret_result = &run->result;
        return OI_OK;
    }
    first = &run->result;
    do {
        OI_TRY(oi_result_next(first, &block, error));
    } while (block);
    OI_TRY(open_run(source, query, first, &run, problem, error));
    *ret_result = &run->result;
    return OI_OK;
}
