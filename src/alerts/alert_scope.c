/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: alert_run_test.c plays through it */
/*
 * What a reading is turned into depends on what was known when it was heard, never on what is known
 * now: a corrected contract size must not change what an alert would have said.
 */
#include "alerts/alert_scope.h"

#include "query/stream.h"

#include <stdlib.h>
#include <string.h>

/* Coverage of a minute is asked for so much later: by then it has been told. */
#define COVERAGE_LAG (2 * OI_MINUTE)

void
oi_alert_scope_init(struct oi_alert_scope *scope, const struct oi_source *source,
                    const struct oi_alert_rules *rules, struct oi_evaluator *evaluator,
                    bool has_past)
{
    *scope = (struct oi_alert_scope){ .source = source,
                                      .rules = rules,
                                      .evaluator = evaluator,
                                      .has_past = has_past,
                                      .units = oi_evaluator_units(evaluator),
                                      .next_minute = OI_TIME_NONE,
                                      .silent_until = OI_TIME_EARLIEST };
}

void
oi_alert_scope_release(struct oi_alert_scope *scope)
{
    oi_catalog_unref(&scope->catalog);
    oi_vector_release(&scope->series);
    oi_vector_release(&scope->by_series);
    oi_vector_release(&scope->gap_markets);
    oi_vector_release(&scope->freshness_markets);
}

static int
compare_ids(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* The ids of a rule's markets, ascending and each once. */
struct ids {
    OI_VECTOR(uint32_t) items;
};

static enum oi_status
choose(const struct oi_name_index *index, const struct oi_alert_rule *rule, struct ids *ids,
       struct oi_error *error)
{
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};
    struct oi_problem problem = {};
    enum oi_status status;
    size_t kept = 0;

    oi_alert_rule_select(rule, &query);
    status = oi_names_choose(index, &query, &choices, &problem);
    for (size_t i = 0; status == OI_OK && i < choices.items.count; i++)
        oi_vector_push(&ids->items, choices.items.items[i].instrument);
    oi_vector_release(&choices.items);
    oi_query_release(&query);
    if (status != OI_OK)
        return oi_fail(error, status, "alert %s: %s", rule->name, problem.message);
    if (ids->items.count == 0)
        return OI_OK;
    qsort(ids->items.items, ids->items.count, sizeof(uint32_t), compare_ids);
    for (size_t i = 0; i < ids->items.count; i++)
        if (i == 0 || ids->items.items[i] != ids->items.items[kept - 1])
            ids->items.items[kept++] = ids->items.items[i];
    ids->items.count = kept;
    return OI_OK;
}

static oi_time
end_of(const struct oi_instrument *instrument)
{
    oi_time end = instrument->expiry == OI_TIME_NONE ? OI_TIME_LATEST : instrument->expiry;

    if (instrument->is_delisted && instrument->valid_from < end)
        end = instrument->valid_from;
    return end;
}

static bool
is_heard(const struct oi_feed *feed)
{
    return strcmp(feed->name, "live") == 0 || strcmp(feed->name, "stream") == 0;
}

static void
add_series(struct oi_alert_scope *scope, uint32_t instrument)
{
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(scope->catalog, instrument, series, OI_FEEDS_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct oi_series *of = &scope->catalog->series[series[i] - 1];
        struct oi_alert_series watched = { .series = series[i],
                                           .instrument = instrument,
                                           .is_heard =
                                               is_heard(&scope->catalog->feeds[of->feed - 1]),
                                           .rank = (unsigned) i };
        struct oi_facts facts;

        if (!watched.is_heard && !scope->has_past)
            continue;
        while (scope->by_series.count <= series[i])
            oi_vector_push(&scope->by_series, 0);
        if (scope->by_series.items[series[i]] > 0)
            continue;
        oi_facts_at(scope->source, scope->catalog, series[i], OI_TIME_LATEST - 1, OI_TIME_LATEST,
                    &facts);
        watched.staleness_ns = facts.staleness_ns;
        if (watched.staleness_ns > scope->staleness_max_ns)
            scope->staleness_max_ns = watched.staleness_ns;
        oi_vector_push(&scope->series, watched);
        scope->by_series.items[series[i]] = (uint32_t) scope->series.count;
    }
}

static void
add_markets(struct oi_alert_scope *scope, size_t rule, const struct ids *ids)
{
    enum oi_alert_when when = scope->rules->items.items[rule].when;

    for (size_t i = 0; i < ids->items.count; i++) {
        uint32_t id = ids->items.items[i];
        const struct oi_instrument *instrument = &scope->catalog->instruments[id - 1];
        char name[OI_MARKET_NAME_SIZE];
        const struct oi_alert_market market = { .instrument = id,
                                                .name = name,
                                                .exchange = instrument->exchange,
                                                .over_at = end_of(instrument) };

        (void) oi_native_name(instrument, name);
        oi_evaluator_add(scope->evaluator, rule, &market);
        add_series(scope, id);
        if (when == OI_ALERT_GAP)
            oi_vector_push(&scope->gap_markets, id);
        if (when == OI_ALERT_FRESHNESS)
            oi_vector_push(&scope->freshness_markets, id);
    }
}

enum oi_status
oi_alert_scope_refresh(struct oi_alert_scope *scope, struct oi_error *error)
{
    uint64_t market_version = oi_store_market_version(scope->source->store);
    const struct oi_name_index *index;
    enum oi_status status = OI_OK;

    if (scope->catalog && scope->market_version == market_version)
        return OI_OK;
    scope->market_version = market_version;
    index = oi_names_current(scope->source->names, scope->source->store);
    oi_catalog_unref(&scope->catalog);
    scope->catalog = oi_store_catalog(scope->source->store);
    oi_vector_clear(&scope->gap_markets);
    oi_vector_clear(&scope->freshness_markets);
    for (size_t i = 0; status == OI_OK && i < scope->rules->items.count; i++) {
        struct ids ids = {};

        status = choose(index, &scope->rules->items.items[i], &ids, error);
        if (status == OI_OK)
            add_markets(scope, i, &ids);
        oi_vector_release(&ids.items);
    }
    oi_name_index_unref(&index);
    return status;
}

const struct oi_alert_series *
oi_alert_scope_find(const struct oi_alert_scope *scope, uint32_t series)
{
    uint32_t at = series < scope->by_series.count ? scope->by_series.items[series] : 0;

    return at > 0 ? &scope->series.items[at - 1] : NULL;
}

int64_t
oi_alert_scope_reach_ns(const struct oi_alert_scope *scope)
{
    int64_t over_ns = 0;

    for (size_t i = 0; i < scope->rules->items.count; i++)
        if (scope->rules->items.items[i].over_ns > over_ns)
            over_ns = scope->rules->items.items[i].over_ns;
    /* The figure at a window's start may be stale by a limit and a step, and so may a total's
     * members. */
    return over_ns + over_ns / OI_MINUTE + 2 * scope->staleness_max_ns + OI_MINUTE;
}

static struct oi_decimal
price_of(const struct oi_observation *row)
{
    return !oi_decimal_is_none(&row->mark_price)    ? row->mark_price
           : !oi_decimal_is_none(&row->index_price) ? row->index_price
                                                    : row->last_price;
}

bool
oi_alert_scope_word(const struct oi_alert_scope *scope, const struct oi_alert_series *series,
                    const struct oi_observation *row, uint64_t batch,
                    struct oi_alert_reading *ret_reading)
{
    struct oi_alert_reading reading = { .instrument = series->instrument,
                                        .time = row->time,
                                        .heard = series->is_heard ? row->known_time : row->time,
                                        .batch = batch,
                                        .price = price_of(row),
                                        .staleness_ns = series->staleness_ns };
    struct oi_facts facts;

    if (reading.heard - row->time > series->staleness_ns) {
        if (!scope->has_past)
            return false;
        reading.heard = row->time;
    }
    oi_facts_at(scope->source, scope->catalog, series->series, row->time,
                series->is_heard && reading.heard == row->known_time ? reading.heard
                                                                     : OI_TIME_LATEST,
                &facts);
    for (enum oi_unit unit = OI_UNIT_CONTRACTS; unit <= OI_UNIT_USD; unit++)
        if (scope->units & 1u << unit)
            reading.amounts[unit] = oi_facts_convert(&facts, row, unit, true);
    *ret_reading = reading;
    return true;
}

/*
 * Minutes.
 */

static enum oi_status
note_hole(void *context, const struct oi_hole *hole)
{
    enum oi_hole_cause *cause = context;

    *cause = hole->cause;
    return OI_OK;
}

/* What was missing of a market in its last slot, as known at this minute. */
static enum oi_status
ask_coverage(struct oi_alert_scope *scope, uint32_t instrument, oi_time minute,
             struct oi_error *error)
{
    enum oi_hole_cause cause = OI_HOLE_NONE;
    const struct oi_moment moment = { OI_TIME_LATEST, minute };
    struct oi_facts facts;
    struct oi_span slot;
    uint32_t series[OI_FEEDS_MAX];
    size_t count = oi_series_by_precedence(scope->catalog, instrument, series, OI_FEEDS_MAX);
    int64_t cadence_ns;

    if (count == 0)
        return OI_OK;
    oi_facts_at(scope->source, scope->catalog, series[0], minute, minute, &facts);
    cadence_ns = facts.convention && facts.convention->cadence_ns > 0 ? facts.convention->cadence_ns
                                                                      : OI_MINUTE;
    slot.to = oi_interval_floor(cadence_ns, minute - COVERAGE_LAG);
    slot.from = slot.to - cadence_ns;
    OI_TRY(oi_store_gaps(scope->source->store, instrument, facts.feed->id, cadence_ns, slot, moment,
                         note_hole, &cause, error));
    oi_evaluator_tell_gap(scope->evaluator, instrument, cause);
    return OI_OK;
}

static enum oi_status
tick(struct oi_alert_scope *scope, oi_time minute, struct oi_error *error)
{
    for (size_t i = 0; minute > scope->silent_until && i < scope->gap_markets.count; i++)
        OI_TRY(ask_coverage(scope, scope->gap_markets.items[i], minute, error));
    oi_evaluator_tick(scope->evaluator, minute);
    return OI_OK;
}

enum oi_status
oi_alert_scope_advance(struct oi_alert_scope *scope, oi_time until, struct oi_error *error)
{
    if (scope->next_minute == OI_TIME_NONE)
        scope->next_minute = oi_interval_ceil(OI_MINUTE, until);
    for (; scope->next_minute <= until; scope->next_minute += OI_MINUTE)
        OI_TRY(tick(scope, scope->next_minute, error));
    return OI_OK;
}

enum oi_status
oi_alert_scope_read(struct oi_alert_scope *scope, const struct oi_alert_reading *reading,
                    struct oi_error *error)
{
    OI_TRY(oi_alert_scope_advance(scope, reading->heard, error));
    oi_evaluator_read(scope->evaluator, reading);
    return OI_OK;
}
