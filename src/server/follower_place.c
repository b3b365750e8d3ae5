/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it acts through a store and a server; tests/system/follow.test.mjs follows */
/*
 * From a collector's numbers to ours, and from there into the store or to live subscribers. A row
 * comes once here for each collector that has it, and again after interruptions: the store drops
 * what it has; without it, the newest instants of each series are remembered.
 */
#include "server/follower_internal.h"

#include "base/log.h"
#include "server/server_internal.h"

#include <string.h>

static struct named_feed *
find_feed(struct dictionary *dictionary, const char *name)
{
    for (size_t i = 0; i < dictionary->feeds.count; i++)
        if (strcmp(dictionary->feeds.items[i].facts.name, name) == 0)
            return &dictionary->feeds.items[i];
    return NULL;
}

static void
take_definition(struct dictionary *dictionary, const struct oi_instrument *definition)
{
    struct named_market *market;

    while (dictionary->markets.count <= definition->id)
        (void) oi_vector_add(&dictionary->markets);
    market = &dictionary->markets.items[definition->id];
    if (market->id != 0 || market->definition.id == 0)
        dictionary->undefined++;
    market->definition = *definition;
    market->id = 0;
    for (size_t i = 0; i < dictionary->feeds.count; i++)
        if (definition->id < dictionary->feeds.items[i].series.count)
            dictionary->feeds.items[i].series.items[definition->id] = 0;
}

static enum oi_status
take_row(struct dictionary *dictionary, const struct oi_native_message *message,
         struct oi_error *error)
{
    const struct named_feed *feed = find_feed(dictionary, message->feed.name);

    if (!feed || message->market >= dictionary->markets.count ||
        dictionary->markets.items[message->market].definition.id == 0)
        return oi_fail(error, OI_E_UPSTREAM, "a row of a market or feed that was not told");
    oi_vector_push(&dictionary->pending,
                   ((struct pending){ message->market, (size_t) (feed - dictionary->feeds.items),
                                      message->reading }));
    return OI_OK;
}

/* More markets than a collector can have: somebody else's numbers. */
#define MARKETS_MAX 10'000'000

enum oi_status
dictionary_take(struct dictionary *dictionary, const struct oi_native_message *message,
                struct oi_error *error)
{
    struct named_feed *feed;

    switch (message->kind) {
    case OI_NATIVE_DEFINITION:
        if (message->instrument.id >= MARKETS_MAX)
            return oi_fail(error, OI_E_UPSTREAM, "a market with the number %u",
                           message->instrument.id);
        take_definition(dictionary, &message->instrument);
        return OI_OK;
    case OI_NATIVE_FEED:
        feed = find_feed(dictionary, message->feed.name);
        if (!feed)
            feed = oi_vector_add(&dictionary->feeds);
        feed->facts = message->feed;
        return OI_OK;
    case OI_NATIVE_ROW:
        return take_row(dictionary, message, error);
    case OI_NATIVE_POSITION:
        return OI_OK;
    }
    return OI_OK;
}

void
dictionary_release(struct dictionary *dictionary)
{
    for (size_t i = 0; i < dictionary->feeds.count; i++)
        oi_vector_release(&dictionary->feeds.items[i].series);
    oi_vector_release(&dictionary->feeds);
    oi_vector_release(&dictionary->markets);
    oi_vector_release(&dictionary->pending);
    *dictionary = (struct dictionary){};
}

/*
 * A store of our own: markets, feeds and series are made as they are told.
 */

static enum oi_status
define_all(struct placement *placement, struct dictionary *dictionary, struct oi_error *error)
{
    OI_VECTOR(struct oi_instrument) definitions = {};
    OI_VECTOR(size_t) places = {};
    uint32_t *ids;
    enum oi_status status;

    if (dictionary->undefined == 0)
        return OI_OK;
    for (size_t i = 0; i < dictionary->markets.count; i++) {
        const struct named_market *market = &dictionary->markets.items[i];

        if (market->definition.id == 0 || market->id != 0)
            continue;
        oi_vector_push(&definitions, market->definition);
        definitions.items[definitions.count - 1].id = 0;
        oi_vector_push(&places, i);
    }
    ids = oi_alloc_zero(definitions.count + 1, sizeof(*ids));
    status =
        oi_store_define(placement->store, definitions.items, definitions.count, ids, NULL, error);
    for (size_t i = 0; status == OI_OK && i < places.count; i++)
        dictionary->markets.items[places.items[i]].id = ids[i];
    if (status == OI_OK)
        dictionary->undefined = 0;
    oi_free(ids);
    oi_vector_release(&definitions);
    oi_vector_release(&places);
    return status;
}

static enum oi_status
make_feed(struct placement *placement, struct named_feed *feed, struct oi_error *error)
{
    struct oi_feed facts = { .sides = feed->facts.sides,
                             .cadence_ns = feed->facts.cadence_ns,
                             .restates = feed->facts.restates,
                             .is_daily = feed->facts.is_daily };

    if (feed->id != 0)
        return OI_OK;
    OI_TRY(OI_NAME_SET(facts.name, oi_slice_of(feed->facts.name), error));
    if (feed->facts.unit[0])
        OI_TRY(oi_unit_parse(oi_slice_of(feed->facts.unit), &facts.unit, error));
    return oi_store_feed(placement->store, &facts, &feed->id, error);
}

/* The series of pending rows of one feed that are not known yet, in one commit. */
static enum oi_status
make_series(struct placement *placement, struct dictionary *dictionary, size_t at,
            struct oi_error *error)
{
    struct named_feed *feed = &dictionary->feeds.items[at];
    OI_VECTOR(uint32_t) markets = {}, ids = {};
    uint32_t *series;
    enum oi_status status = OI_OK;

    while (feed->series.count < dictionary->markets.count)
        oi_vector_push(&feed->series, 0);
    for (size_t i = 0; i < dictionary->pending.count; i++) {
        const struct pending *row = &dictionary->pending.items[i];

        if (row->feed != at || feed->series.items[row->market] != 0)
            continue;
        feed->series.items[row->market] = UINT32_MAX; /* once */
        oi_vector_push(&markets, row->market);
        oi_vector_push(&ids, dictionary->markets.items[row->market].id);
    }
    series = oi_alloc_zero(ids.count + 1, sizeof(*series));
    if (ids.count > 0)
        status = make_feed(placement, feed, error);
    if (status == OI_OK && ids.count > 0)
        status =
            oi_store_series_all(placement->store, ids.items, ids.count, feed->id, series, error);
    for (size_t i = 0; i < markets.count; i++)
        feed->series.items[markets.items[i]] = status == OI_OK ? series[i] : 0;
    oi_free(series);
    oi_vector_release(&markets);
    oi_vector_release(&ids);
    return status;
}

static void
refuse(void *, size_t, const char *reason)
{
    oi_log_throttled(OI_LOG_WARN, "follow.refused", reason, "reason=\"%s\" next=\"left out\"",
                     reason);
}

/* Flags of the operator's ledger are that operator's; clocks of two machines may differ, and a row
 * is not known before it was. */
static struct oi_observation
as_kept(const struct placement *placement, const struct oi_observation *reading)
{
    struct oi_observation kept = *reading;
    const struct oi_clock *clock = placement->server->source->clock;

    kept.flags &= (uint16_t) ~OI_FLAG_BAD;
    if (kept.known_time > clock->wall_ns(clock))
        kept.known_time = OI_TIME_NONE;
    return kept;
}

static enum oi_status
keep(struct placement *placement, struct dictionary *dictionary, struct placed *placed,
     struct oi_error *error)
{
    OI_VECTOR(struct oi_row) rows = {};
    struct oi_append_result result = {};
    struct oi_batch batch = { .first_wins = true, .refuse = refuse };
    enum oi_status status;

    OI_TRY(define_all(placement, dictionary, error));
    for (size_t i = 0; i < dictionary->feeds.count; i++)
        OI_TRY(make_series(placement, dictionary, i, error));
    for (size_t i = 0; i < dictionary->pending.count; i++) {
        const struct pending *row = &dictionary->pending.items[i];

        oi_vector_push(
            &rows, ((struct oi_row){ dictionary->feeds.items[row->feed].series.items[row->market],
                                     as_kept(placement, &row->reading) }));
    }
    batch.rows = rows.items;
    batch.row_count = rows.count;
    status = rows.count > 0 ? oi_store_append(placement->store, &batch, &result, error) : OI_OK;
    oi_vector_release(&rows);
    OI_TRY(status);
    placed->stored += result.stored;
    placed->duplicate += result.duplicate;
    placed->refused += result.refused;
    oi_vector_clear(&dictionary->pending);
    return OI_OK;
}

/*
 * A store that others write: markets are looked up, and rows passed on.
 */

static void
key_of(const struct oi_instrument *instrument, struct oi_buffer *key)
{
    oi_buffer_clear(key);
    oi_buffer_add_format(key, "%s/%s/%s/%lld", instrument->exchange, instrument->product,
                         instrument->symbol, (long long) instrument->listed);
}

static void
index_markets(struct placement *placement)
{
    const struct oi_catalog *catalog;
    struct oi_buffer key = {};

    (void) oi_store_follow(placement->store, NULL);
    catalog = oi_store_catalog(placement->store);
    if (placement->catalog && placement->catalog->version == catalog->version) {
        oi_catalog_unref(&catalog);
        return;
    }
    oi_catalog_unref(&placement->catalog);
    oi_map_free(&placement->markets);
    placement->catalog = catalog;
    placement->markets = oi_map_new();
    for (size_t i = 0; i < catalog->instrument_count; i++) {
        key_of(&catalog->instruments[i], &key);
        oi_map_put(placement->markets, oi_buffer_slice(&key), i + 1);
    }
    oi_buffer_release(&key);
}

static uint32_t
find_series(const struct placement *placement, const struct named_market *market,
            const struct named_feed *feed)
{
    const struct oi_catalog *catalog = placement->catalog;
    struct oi_buffer key = {};
    uint64_t id = 0;

    key_of(&market->definition, &key);
    if (!oi_map_get(placement->markets, oi_buffer_slice(&key), &id))
        id = 0;
    oi_buffer_release(&key);
    for (uint32_t i = id > 0 ? catalog->first_series[id - 1] : 0;
         id > 0 && i < catalog->first_series[id]; i++) {
        const struct oi_series *series = &catalog->series[catalog->series_of[i] - 1];

        if (strcmp(catalog->feeds[series->feed - 1].name, feed->facts.name) == 0)
            return series->id;
    }
    return 0;
}

/* Is the instant new, and not older than those remembered? It is remembered then. */
static bool
is_news(struct placement *placement, uint32_t series, oi_time time)
{
    struct passed *passed;
    oi_time oldest = OI_TIME_LATEST;

    while (placement->passed.count <= series)
        (void) oi_vector_add(&placement->passed);
    passed = &placement->passed.items[series];
    for (size_t i = 0; i < passed->count; i++) {
        if (passed->times[i] == time)
            return false;
        oldest = passed->times[i] < oldest ? passed->times[i] : oldest;
    }
    if (passed->count == OI_COUNT(passed->times) && time < oldest)
        return false;
    if (passed->count < OI_COUNT(passed->times)) {
        passed->times[passed->count++] = time;
        return true;
    }
    for (size_t i = 0; i < passed->count; i++) /* the oldest makes room */
        if (passed->times[i] == oldest)
            passed->times[i] = time;
    return true;
}

static void
pass_on(struct placement *placement, struct dictionary *dictionary, struct placed *placed)
{
    OI_VECTOR(struct oi_row) rows = {};
    bool is_fresh = false;

    if (!placement->catalog)
        index_markets(placement);
    for (size_t i = 0; i < dictionary->pending.count; i++) {
        const struct pending *row = &dictionary->pending.items[i];
        struct named_feed *feed = &dictionary->feeds.items[row->feed];
        const struct named_market *market = &dictionary->markets.items[row->market];

        while (feed->series.count <= row->market)
            oi_vector_push(&feed->series, 0);
        if (feed->series.items[row->market] == 0)
            feed->series.items[row->market] = find_series(placement, market, feed);
        if (feed->series.items[row->market] == 0 && !is_fresh) {
            is_fresh = true;
            index_markets(placement);
            feed->series.items[row->market] = find_series(placement, market, feed);
        }
        if (feed->series.items[row->market] == 0)
            placed->unknown++;
        else if (!is_news(placement, feed->series.items[row->market], row->reading.time))
            placed->duplicate++;
        else
            oi_vector_push(&rows,
                           ((struct oi_row){ feed->series.items[row->market], row->reading }));
    }
    placed->stored += rows.count;
    server_relay(placement->server, rows.items, rows.count);
    oi_vector_release(&rows);
    oi_vector_clear(&dictionary->pending);
}

enum oi_status
placement_flush(struct placement *placement, struct dictionary *dictionary, struct placed *placed,
                struct oi_error *error)
{
    if (placement->keeps)
        return keep(placement, dictionary, placed, error);
    pass_on(placement, dictionary, placed);
    return OI_OK;
}

void
placement_release(struct placement *placement)
{
    oi_catalog_unref(&placement->catalog);
    oi_map_free(&placement->markets);
    oi_vector_release(&placement->passed);
}
