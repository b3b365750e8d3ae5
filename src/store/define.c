/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the catalogue: instruments and their versions, feeds, series. What is there already is
 * answered from memory; a change works on a copy read inside its transaction, which becomes the
 * catalogue in memory once it is on disk.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <string.h>

struct change {
    struct oi_store *store;
    struct oi_access access;
    struct oi_names names;
    oi_time now;
    size_t changed;
};

static enum oi_status
change_open(struct change *change, struct oi_error *error)
{
    struct oi_store *store = change->store;
    struct oi_state state;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    OI_TRY(oi_access_begin(&change->access, store, OI_KV_WRITE, error));
    OI_TRY(oi_state_load(&change->access, &state, error));
    change->now = oi_store_now(store, &state);
    return oi_names_load(&change->access, &change->names, error);
}

static enum oi_status
change_commit(struct change *change, struct oi_error *error)
{
    struct oi_store *store = change->store;
    struct oi_state state;

    if (change->changed == 0)
        return OI_OK;
    OI_TRY(oi_state_load(&change->access, &state, error));
    state.catalog_version++;
    OI_TRY(oi_state_save(&change->access, &state, error));
    OI_TRY(oi_access_commit(&change->access, error));
    (void) pthread_mutex_lock(&store->follow_lock);
    (void) pthread_rwlock_wrlock(&store->state_lock);
    if (store->state.catalog_version < state.catalog_version) {
        oi_names_install(store, &change->names);
        store->state.catalog_version = state.catalog_version;
        oi_snapshot_drop(store);
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    (void) pthread_mutex_unlock(&store->follow_lock);
    return OI_OK;
}

/* Run `work` in a transaction, again when the engine had to grow. The append lock is held. */
static enum oi_status
change_run_locked(struct oi_store *store,
                  enum oi_status (*work)(struct change *, void *, struct oi_error *), void *context,
                  size_t *ret_changed, struct oi_error *error)
{
    enum oi_status status = OI_E_FULL;

    for (int attempt = 0; attempt < 3 && status == OI_E_FULL; attempt++) {
        struct change change = { .store = store };

        status = change_open(&change, error);
        if (status == OI_OK)
            status = work(&change, context, error);
        if (status == OI_OK)
            status = change_commit(&change, error);
        oi_access_end(&change.access);
        oi_names_release(&change.names);
        if (status == OI_OK && ret_changed)
            *ret_changed = change.changed;
    }
    return status;
}

static enum oi_status
change_run(struct oi_store *store,
           enum oi_status (*work)(struct change *, void *, struct oi_error *), void *context,
           size_t *ret_changed, struct oi_error *error)
{
    enum oi_status status;

    (void) pthread_mutex_lock(&store->append_lock);
    status = change_run_locked(store, work, context, ret_changed, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

/* Does the definition say what is known already? */
static bool
is_known(const struct oi_instrument *current, const struct oi_instrument *definition)
{
    struct oi_instrument same = *definition;

    if (definition->is_provisional && !current->is_provisional)
        return true;
    same.id = current->id;
    same.is_assumed = current->is_assumed;
    same.valid_from = current->valid_from;
    same.known_from = current->known_from;
    if (same.listed == OI_TIME_NONE)
        same.listed = current->listed;
    return oi_instrument_same_definition(current, &same);
}

static enum oi_status
put_instrument(struct change *change, const struct oi_instrument *instrument, uint32_t version,
               struct oi_error *error)
{
    struct oi_key key = oi_key_of_u32(instrument->id);
    struct oi_buffer value = {};
    enum oi_status status;

    oi_key_add_u32(&key, version);
    oi_seal_begin(&value);
    oi_instrument_encode(instrument, &value);
    status = oi_access_put(&change->access, OI_TABLE_INSTRUMENT, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    change->changed++;
    return status;
}

static enum oi_status
define_one(struct change *change, const struct oi_instrument *definition, uint32_t *ret_id,
           struct oi_error *error)
{
    struct oi_names *names = &change->names;
    struct oi_instrument new = *definition;
    uint32_t id = oi_names_find(names, definition);
    const struct oi_instrument *current = id ? &names->instruments.items[id - 1] : NULL;

    *ret_id = id;
    if (current && is_known(current, definition))
        return OI_OK;
    if (new.known_from == OI_TIME_NONE || new.known_from > change->now)
        new.known_from = change->now;
    if (current && new.listed == OI_TIME_NONE)
        new.listed = current->listed;
    /* A first known version reaches back to the listing, and says that this is assumed. */
    if (new.valid_from == OI_TIME_NONE && (!current || current->is_provisional)) {
        new.is_assumed = true;
        new.valid_from = new.listed == OI_TIME_NONE ? OI_TIME_EARLIEST : new.listed;
    } else if (new.valid_from == OI_TIME_NONE) {
        new.is_assumed = false;
        new.valid_from = change->now;
    }
    if (!current) {
        new.id = (uint32_t) names->instruments.count + 1;
        oi_vector_push(&names->instruments, new);
        oi_vector_push(&names->versions, 1);
    } else {
        new.id = id;
        names->instruments.items[id - 1] = new;
        names->versions.items[id - 1]++;
    }
    *ret_id = new.id;
    oi_names_index(names, &new);
    return put_instrument(change, &new, names->versions.items[new.id - 1], error);
}

struct define_call {
    const struct oi_instrument *definitions;
    size_t count;
    uint32_t *ids;
};

static enum oi_status
define_all(struct change *change, void *context, struct oi_error *error)
{
    const struct define_call *call = context;

    for (size_t i = 0; i < call->count; i++) {
        const struct oi_instrument *definition = &call->definitions[i];
        uint32_t id;

        if (definition->exchange[0] == 0 || definition->symbol[0] == 0)
            return oi_fail(error, OI_E_INVALID, "an instrument without exchange or symbol");
        OI_TRY(define_one(change, definition, &id, error));
        if (call->ids)
            call->ids[i] = id;
    }
    return OI_OK;
}

static bool
all_known(struct oi_store *store, const struct define_call *call)
{
    bool is_all = true;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    for (size_t i = 0; is_all && i < call->count; i++) {
        uint32_t id =
            store->names.by_symbol ? oi_names_find(&store->names, &call->definitions[i]) : 0;

        is_all = id && is_known(&store->names.instruments.items[id - 1], &call->definitions[i]);
        if (is_all && call->ids)
            call->ids[i] = id;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_all;
}

static enum oi_status
define_remote(struct oi_store *store, const struct define_call *call, size_t *ret_changed,
              struct oi_error *error)
{
    struct oi_buffer body = {}, one = {};
    enum oi_status status;

    for (size_t i = 0; i < call->count; i++) {
        oi_buffer_clear(&one);
        oi_instrument_encode(&call->definitions[i], &one);
        oi_buffer_add_u32(&body, (uint32_t) one.size);
        oi_buffer_add(&body, one.data, one.size);
    }
    status = oi_remote_change(store, OI_CHANGE_DEFINE, oi_buffer_slice(&body), ret_changed, error);
    oi_buffer_release(&body);
    oi_buffer_release(&one);
    return status;
}

enum oi_status
oi_store_define(struct oi_store *store, const struct oi_instrument *definitions, size_t count,
                uint32_t *ret_ids, size_t *ret_changed, struct oi_error *error)
{
    struct define_call call = { definitions, count, ret_ids };

    OI_TRY(oi_store_refresh(store, error));
    if (all_known(store, &call)) {
        if (ret_changed)
            *ret_changed = 0;
        return OI_OK;
    }
    if (store->remote) {
        OI_TRY(define_remote(store, &call, ret_changed, error));
        return all_known(store, &call)
                   ? OI_OK
                   : oi_fail(error, OI_E_CORRUPT, "a definition that did not take");
    }
    return change_run(store, define_all, &call, ret_changed, error);
}

enum oi_status
oi_define_apply(struct oi_store *store, struct oi_slice body, size_t *ret_changed,
                struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    OI_VECTOR(struct oi_instrument) definitions = {};
    struct define_call call = {};
    enum oi_status status = OI_OK;

    while (status == OI_OK && oi_cursor_left(&cursor) > 0) {
        struct oi_slice bytes = oi_cursor_bytes(&cursor, oi_cursor_u32(&cursor));
        struct oi_instrument definition;

        status = cursor.failed ? oi_fail(error, OI_E_CORRUPT, "a definition is damaged")
                               : oi_instrument_decode(bytes, &definition, error);
        if (status == OI_OK)
            oi_vector_push(&definitions, definition);
    }
    call.definitions = definitions.items;
    call.count = definitions.count;
    if (status == OI_OK)
        status = change_run_locked(store, define_all, &call, ret_changed, error);
    oi_vector_release(&definitions);
    return status;
}

/* The version that was known last among those that hold at the time; before all of them, the first
 * one. */
struct version_search {
    oi_time time, as_of;
    bool is_found;
    struct oi_instrument best;
};

static enum oi_status
consider_version(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct version_search *search = context;
    struct oi_instrument version;

    OI_TRY(oi_instrument_decode(body, &version, error));
    version.id = oi_key_take_u32(&key);
    if (version.known_from > search->as_of ||
        (search->is_found && version.valid_from > search->time))
        return OI_OK;
    search->is_found = true;
    search->best = version;
    return OI_OK;
}

enum oi_status
oi_store_instrument(struct oi_store *store, uint32_t id, oi_time time, oi_time as_of,
                    struct oi_instrument *ret_instrument, struct oi_error *error)
{
    struct version_search search = { .time = time, .as_of = as_of };
    struct oi_key key = oi_key_of_u32(id);
    struct oi_access access;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status =
        oi_access_walk(&access, OI_TABLE_INSTRUMENT, &key, &key, consider_version, &search, error);
    oi_access_end(&access);
    OI_TRY(status);
    if (!search.is_found)
        return oi_fail(error, OI_E_NOT_FOUND, "no instrument %u was known", id);
    *ret_instrument = search.best;
    return OI_OK;
}

struct feed_call {
    const struct oi_feed *facts;
    uint16_t id;
};

static enum oi_status
find_feed(const struct oi_names *names, struct feed_call *call, struct oi_error *error)
{
    const struct oi_feed *facts = call->facts, *known;

    call->id = oi_names_find_feed(names, facts->name);
    if (call->id == 0)
        return OI_E_NOT_FOUND;
    known = &names->feeds.items[call->id - 1];
    if (known->unit != facts->unit || known->sides != facts->sides ||
        known->cadence_ns != facts->cadence_ns || known->restates != facts->restates ||
        known->is_daily != facts->is_daily)
        return oi_fail(error, OI_E_INVALID, "the feed %s exists with other facts", facts->name);
    return OI_OK;
}

static void
encode_facts(const struct oi_feed *feed, struct oi_buffer *out)
{
    oi_buffer_add_u8(out, (uint8_t) strlen(feed->name));
    oi_buffer_add_text(out, feed->name);
    oi_buffer_add_u8(out, (uint8_t) feed->unit);
    oi_buffer_add_u8(out, (uint8_t) feed->sides);
    oi_buffer_add_u64(out, (uint64_t) feed->cadence_ns);
    oi_buffer_add_u8(out, feed->restates);
    oi_buffer_add_u8(out, feed->is_daily);
}

static enum oi_status
make_feed(struct change *change, void *context, struct oi_error *error)
{
    struct feed_call *call = context;
    struct oi_feed feed = *call->facts;
    struct oi_buffer value = {};
    struct oi_key key = {};
    enum oi_status status = find_feed(&change->names, call, error);

    if (status != OI_E_NOT_FOUND)
        return status;
    if (change->names.feeds.count == UINT16_MAX)
        return oi_fail(error, OI_E_INVALID, "more than %d feeds", UINT16_MAX);
    feed.id = (uint16_t) (change->names.feeds.count + 1);
    oi_key_add_u16(&key, feed.id);
    oi_seal_begin(&value);
    encode_facts(&feed, &value);
    status = oi_access_put(&change->access, OI_TABLE_FEED, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    oi_vector_push(&change->names.feeds, feed);
    change->changed++;
    call->id = feed.id;
    return status;
}

static enum oi_status
feed_remote(struct oi_store *store, struct feed_call *call, struct oi_error *error)
{
    struct oi_buffer body = {};
    enum oi_status status;

    encode_facts(call->facts, &body);
    status = oi_remote_change(store, OI_CHANGE_FEED, oi_buffer_slice(&body), NULL, error);
    oi_buffer_release(&body);
    OI_TRY(status);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    status = find_feed(&store->names, call, error);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return status;
}

enum oi_status
oi_store_feed(struct oi_store *store, const struct oi_feed *facts, uint16_t *ret_feed,
              struct oi_error *error)
{
    struct feed_call call = { .facts = facts };
    enum oi_status status;

    if (facts->name[0] == 0 || !memchr(facts->name, 0, sizeof(facts->name)))
        return oi_fail(error, OI_E_INVALID, "a feed's name is empty or too long");
    if (facts->sides < 0 || facts->sides > 2)
        return oi_fail(error, OI_E_INVALID, "a feed counts one side or two");
    OI_TRY(oi_store_refresh(store, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    status = find_feed(&store->names, &call, error);
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (status == OI_E_NOT_FOUND && store->remote)
        status = feed_remote(store, &call, error);
    else if (status == OI_E_NOT_FOUND)
        status = change_run(store, make_feed, &call, NULL, error);
    if (status == OI_OK)
        *ret_feed = call.id;
    return status;
}

enum oi_status
oi_feed_apply(struct oi_store *store, struct oi_slice body, size_t *ret_changed,
              struct oi_error *error)
{
    struct oi_key key = {};
    struct oi_feed feed;
    struct feed_call call = { .facts = &feed };

    oi_key_add_u16(&key, 0);
    OI_TRY(oi_feed_decode(oi_key_slice(&key), body, &feed, error));
    return change_run_locked(store, make_feed, &call, ret_changed, error);
}

struct series_call {
    const uint32_t *instruments;
    size_t count;
    uint16_t feed;
    uint32_t *series;
};

static bool
all_found(const struct oi_names *names, const struct series_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        call->series[i] =
            names->by_pair ? oi_names_find_series(names, call->instruments[i], call->feed) : 0;
        if (call->series[i] == 0)
            return false;
    }
    return true;
}

static enum oi_status
make_series(struct change *change, void *context, struct oi_error *error)
{
    const struct series_call *call = context;
    struct oi_names *names = &change->names;
    struct oi_buffer value = {};
    enum oi_status status = OI_OK;

    if (call->feed == 0 || call->feed > names->feeds.count)
        return oi_fail(error, OI_E_NOT_FOUND, "there is no feed %u", call->feed);
    for (size_t i = 0; status == OI_OK && i < call->count; i++) {
        struct oi_series series = { .id = (uint32_t) names->series.count + 1,
                                    .instrument = call->instruments[i],
                                    .feed = call->feed };
        struct oi_key key = oi_key_of_u32(series.id);

        call->series[i] = oi_names_find_series(names, series.instrument, series.feed);
        if (call->series[i] != 0)
            continue;
        if (series.instrument == 0 || series.instrument > names->instruments.count) {
            status = oi_fail(error, OI_E_NOT_FOUND, "there is no instrument %u", series.instrument);
            break;
        }
        oi_seal_begin(&value);
        oi_buffer_add_u32(&value, series.instrument);
        oi_buffer_add_u16(&value, series.feed);
        status = oi_access_put(&change->access, OI_TABLE_SERIES, oi_key_slice(&key), &value, error);
        oi_names_add_series(names, &series);
        call->series[i] = series.id;
        change->changed++;
    }
    oi_buffer_release(&value);
    return status;
}

static enum oi_status
series_remote(struct oi_store *store, const struct series_call *call, struct oi_error *error)
{
    struct oi_buffer body = {};
    enum oi_status status;

    oi_buffer_add_u16(&body, call->feed);
    for (size_t i = 0; i < call->count; i++)
        oi_buffer_add_u32(&body, call->instruments[i]);
    status = oi_remote_change(store, OI_CHANGE_SERIES, oi_buffer_slice(&body), NULL, error);
    oi_buffer_release(&body);
    OI_TRY(status);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (!all_found(&store->names, call))
        status = oi_fail(error, OI_E_CORRUPT, "a series that was made is not there");
    (void) pthread_rwlock_unlock(&store->state_lock);
    return status;
}

enum oi_status
oi_series_apply(struct oi_store *store, struct oi_slice body, size_t *ret_changed,
                struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    size_t count = body.size < 2 ? 0 : (body.size - 2) / 4;
    uint32_t *ids = oi_alloc_zero(2 * count + 1, sizeof(*ids));
    const struct series_call call = {
        .instruments = ids, .count = count, .feed = oi_cursor_u16(&cursor), .series = ids + count
    };
    enum oi_status status;

    for (size_t i = 0; i < count; i++)
        ids[i] = oi_cursor_u32(&cursor);
    if (cursor.failed || oi_cursor_left(&cursor) > 0)
        status = oi_fail(error, OI_E_CORRUPT, "a change of the series is damaged");
    else
        status =
            change_run_locked(store, make_series, (void *) (uintptr_t) &call, ret_changed, error);
    oi_free(ids);
    return status;
}

enum oi_status
oi_store_series_all(struct oi_store *store, const uint32_t *instruments, size_t count,
                    uint16_t feed, uint32_t *ret_series, struct oi_error *error)
{
    struct series_call call = { .instruments = instruments, .count = count, .feed = feed };
    enum oi_status status = OI_OK;
    bool is_all;

    OI_TRY(oi_store_refresh(store, error));
    call.series = oi_alloc_zero(count + 1, sizeof(*call.series));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    is_all = all_found(&store->names, &call);
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (!is_all && store->remote)
        status = series_remote(store, &call, error);
    else if (!is_all)
        status = change_run(store, make_series, &call, NULL, error);
    if (status == OI_OK && count > 0)
        memcpy(ret_series, call.series, count * sizeof(*ret_series));
    oi_free(call.series);
    return status;
}

enum oi_status
oi_store_series(struct oi_store *store, uint32_t instrument, uint16_t feed, uint32_t *ret_series,
                struct oi_error *error)
{
    return oi_store_series_all(store, &instrument, 1, feed, ret_series, error);
}
