/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue in memory: read from its tables, found by name, handed out as immutable snapshots.
 * A snapshot is cut when somebody asks for one after a change, so that a thousand new series cost
 * one copy and not a thousand.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <assert.h>
#include <string.h>

static struct oi_slice
symbol_key(const struct oi_instrument *instrument, bool with_listing, struct oi_buffer *buffer)
{
    oi_buffer_clear(buffer);
    oi_buffer_add(buffer, instrument->exchange, strlen(instrument->exchange) + 1);
    oi_buffer_add(buffer, instrument->product, strlen(instrument->product) + 1);
    oi_buffer_add(buffer, instrument->symbol, strlen(instrument->symbol) + 1);
    if (with_listing)
        oi_buffer_add_u64(buffer, (uint64_t) instrument->listed);
    return oi_buffer_slice(buffer);
}

void
oi_names_index(struct oi_names *names, const struct oi_instrument *instrument)
{
    struct oi_buffer buffer = {};

    oi_map_put(names->by_symbol, symbol_key(instrument, false, &buffer), instrument->id);
    if (instrument->listed != OI_TIME_NONE)
        oi_map_put(names->by_listing, symbol_key(instrument, true, &buffer), instrument->id);
    oi_buffer_release(&buffer);
}

/* Exchanges that do not say when a listing began mean the current one. */
uint32_t
oi_names_find(const struct oi_names *names, const struct oi_instrument *definition)
{
    struct oi_buffer buffer = {};
    uint64_t id = 0;

    if (definition->listed == OI_TIME_NONE ||
        !oi_map_get(names->by_listing, symbol_key(definition, true, &buffer), &id)) {
        if (!oi_map_get(names->by_symbol, symbol_key(definition, false, &buffer), &id))
            id = 0;
        else if (definition->listed != OI_TIME_NONE &&
                 names->instruments.items[id - 1].listed != OI_TIME_NONE)
            id = 0;
    }
    oi_buffer_release(&buffer);
    return (uint32_t) id;
}

static struct oi_slice
pair_key(uint32_t instrument, uint16_t feed, char bytes[6])
{
    memcpy(bytes, &instrument, 4);
    memcpy(bytes + 4, &feed, 2);
    return (struct oi_slice){ bytes, 6 };
}

void
oi_names_add_series(struct oi_names *names, const struct oi_series *series)
{
    char bytes[6];

    oi_vector_push(&names->series, *series);
    oi_map_put(names->by_pair, pair_key(series->instrument, series->feed, bytes), series->id);
}

uint32_t
oi_names_find_series(const struct oi_names *names, uint32_t instrument, uint16_t feed)
{
    char bytes[6];
    uint64_t id = 0;

    if (!oi_map_get(names->by_pair, pair_key(instrument, feed, bytes), &id))
        return 0;
    return (uint32_t) id;
}

uint16_t
oi_names_find_feed(const struct oi_names *names, const char *name)
{
    for (size_t i = 0; i < names->feeds.count; i++)
        if (strcmp(names->feeds.items[i].name, name) == 0)
            return names->feeds.items[i].id;
    return 0;
}

static enum oi_status
load_instrument(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct oi_names *names = context;
    struct oi_instrument instrument;
    uint32_t id = oi_key_take_u32(&key), version = oi_key_take_u32(&key);

    OI_TRY(oi_instrument_decode(body, &instrument, error));
    instrument.id = id;
    if (id == names->instruments.count + 1 && version == 1) {
        oi_vector_push(&names->instruments, instrument);
        oi_vector_push(&names->versions, version);
    } else if (id == names->instruments.count && version == names->versions.items[id - 1] + 1) {
        names->instruments.items[id - 1] = instrument;
        names->versions.items[id - 1] = version;
    } else {
        return oi_fail(error, OI_E_CORRUPT, "version %u of instrument %u is out of order", version,
                       id);
    }
    oi_names_index(names, &instrument);
    return OI_OK;
}

enum oi_status
oi_feed_decode(struct oi_slice key, struct oi_slice body, struct oi_feed *ret_feed,
               struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_feed feed = { .id = oi_key_take_u16(&key) };
    struct oi_slice name = oi_cursor_bytes(&cursor, oi_cursor_u8(&cursor));
    uint8_t unit = oi_cursor_u8(&cursor);

    feed.sides = oi_cursor_u8(&cursor);
    feed.cadence_ns = (int64_t) oi_cursor_u64(&cursor);
    feed.restates = oi_cursor_u8(&cursor) != 0;
    feed.is_daily = oi_cursor_u8(&cursor) != 0;
    if (cursor.failed || oi_cursor_left(&cursor) != 0 || name.size == 0 ||
        name.size >= sizeof(feed.name) || unit > OI_UNIT_USD)
        return oi_fail(error, OI_E_CORRUPT, "the facts of feed %u are damaged", feed.id);
    feed.unit = (enum oi_unit) unit;
    memcpy(feed.name, name.data, name.size);
    *ret_feed = feed;
    return OI_OK;
}

static enum oi_status
load_feed(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct oi_names *names = context;
    struct oi_feed feed;

    OI_TRY(oi_feed_decode(key, body, &feed, error));
    if (feed.id != names->feeds.count + 1)
        return oi_fail(error, OI_E_CORRUPT, "feed %u is out of order", feed.id);
    oi_vector_push(&names->feeds, feed);
    return OI_OK;
}

static enum oi_status
load_series(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct oi_names *names = context;
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_series series = { .id = oi_key_take_u32(&key) };

    series.instrument = oi_cursor_u32(&cursor);
    series.feed = oi_cursor_u16(&cursor);
    if (cursor.failed || series.id != names->series.count + 1 || series.instrument == 0 ||
        series.instrument > names->instruments.count || series.feed == 0 ||
        series.feed > names->feeds.count)
        return oi_fail(error, OI_E_CORRUPT, "series %u is out of order or of nothing", series.id);
    oi_names_add_series(names, &series);
    return OI_OK;
}

enum oi_status
oi_names_load(struct oi_access *access, struct oi_names *ret_names, struct oi_error *error)
{
    const struct oi_key all = {};
    struct oi_names names = {
        .by_symbol = oi_map_new(),
        .by_listing = oi_map_new(),
        .by_pair = oi_map_new(),
    };
    enum oi_status status =
        oi_access_walk(access, OI_TABLE_INSTRUMENT, &all, &all, load_instrument, &names, error);

    if (status == OI_OK)
        status = oi_access_walk(access, OI_TABLE_FEED, &all, &all, load_feed, &names, error);
    if (status == OI_OK)
        status = oi_access_walk(access, OI_TABLE_SERIES, &all, &all, load_series, &names, error);
    if (status != OI_OK) {
        oi_names_release(&names);
        return status;
    }
    *ret_names = names;
    return OI_OK;
}

void
oi_names_release(struct oi_names *names)
{
    oi_vector_release(&names->instruments);
    oi_vector_release(&names->versions);
    oi_vector_release(&names->feeds);
    oi_vector_release(&names->series);
    oi_map_free(&names->by_symbol);
    oi_map_free(&names->by_listing);
    oi_map_free(&names->by_pair);
}

void
oi_names_install(struct oi_store *store, struct oi_names *names)
{
    oi_names_release(&store->names);
    store->names = *names;
    *names = (struct oi_names){};
    oi_tracks_reserve(store, store->names.series.count);
}

static void *
copy_items(const void *items, size_t count, size_t size)
{
    void *copy = oi_alloc_zero(count + 1, size);

    if (count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

static struct oi_snapshot *
cut_snapshot(const struct oi_names *names, uint64_t version)
{
    struct oi_snapshot *snapshot = oi_alloc_zero(1, sizeof(*snapshot));
    size_t instruments = names->instruments.count, count = names->series.count;
    uint32_t *series_of = oi_alloc_zero(count + 1, sizeof(*series_of));
    uint32_t *first = oi_alloc_zero(instruments + 2, sizeof(*first));

    /* Counting sort: first[i] becomes the start of instrument i + 1, shifted while filling. */
    for (size_t i = 0; i < count; i++)
        first[names->series.items[i].instrument + 1]++;
    for (size_t i = 1; i < instruments + 2; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < count; i++)
        series_of[first[names->series.items[i].instrument]++] = names->series.items[i].id;
    /* Now first[i] is where instrument i ends, which is where i + 1 starts. */
    snapshot->catalog = (struct oi_catalog){
        .version = version,
        .instruments =
            copy_items(names->instruments.items, instruments, sizeof(struct oi_instrument)),
        .instrument_count = instruments,
        .feeds = copy_items(names->feeds.items, names->feeds.count, sizeof(struct oi_feed)),
        .feed_count = names->feeds.count,
        .series = copy_items(names->series.items, count, sizeof(struct oi_series)),
        .series_count = count,
        .series_of = series_of,
        .first_series = first,
    };
    atomic_init(&snapshot->references, 1);
    return snapshot;
}

const struct oi_catalog *
oi_store_catalog(struct oi_store *store)
{
    struct oi_snapshot *snapshot;

    (void) oi_store_refresh(store, NULL);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (!store->snapshot) {
        (void) pthread_rwlock_unlock(&store->state_lock);
        (void) pthread_rwlock_wrlock(&store->state_lock);
        if (!store->snapshot)
            store->snapshot = cut_snapshot(&store->names, store->state.catalog_version);
    }
    snapshot = store->snapshot;
    atomic_fetch_add(&snapshot->references, 1);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return &snapshot->catalog;
}

static void
unref(struct oi_snapshot *snapshot)
{
    if (atomic_fetch_sub(&snapshot->references, 1) != 1)
        return;
    oi_free((void *) (uintptr_t) snapshot->catalog.instruments);
    oi_free((void *) (uintptr_t) snapshot->catalog.feeds);
    oi_free((void *) (uintptr_t) snapshot->catalog.series);
    oi_free((void *) (uintptr_t) snapshot->catalog.series_of);
    oi_free((void *) (uintptr_t) snapshot->catalog.first_series);
    oi_free(snapshot);
}

void
oi_catalog_unref(const struct oi_catalog **catalog)
{
    static_assert(offsetof(struct oi_snapshot, catalog) == 0, "a catalogue is its snapshot");

    if (*catalog)
        unref((struct oi_snapshot *) (uintptr_t) *catalog);
    *catalog = NULL;
}

void
oi_snapshot_drop(struct oi_store *store)
{
    if (store->snapshot)
        unref(store->snapshot);
    store->snapshot = NULL;
}
