/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory follows the disk: the tails, the newest rows and the catalogue are brought up to what a
 * transaction sees, whether this process or another one committed it.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <string.h>

void
oi_tracks_reserve(struct oi_store *store, size_t count)
{
    while (store->tracks.count < count)
        oi_vector_add(&store->tracks)->position = oi_alloc_zero(1, sizeof(struct oi_position));
}

bool
oi_track_newest(const struct oi_track *track, const struct oi_hidden *hidden,
                struct oi_observation *ret_newest)
{
    const struct oi_position *position = track->position;
    const struct oi_record chunked = { .time = position->newest.time,
                                       .known_time = position->newest.known_time,
                                       .batch = position->newest_batch };
    size_t row = track->tail.count;

    while (row > 0 && oi_hidden_has(hidden, track->tail.items[row - 1].batch))
        row--;
    if (row > 0 &&
        (!position->has_newest || oi_record_compare(&track->tail.items[row - 1], &chunked) > 0)) {
        *ret_newest = oi_rows_get(&track->tail, row - 1);
        return true;
    }
    if (position->has_newest)
        *ret_newest = position->newest;
    return position->has_newest;
}

/* Memory is asked for this many rows ahead of its use. */
#define PREFETCH_ROWS 24
#define CACHE_LINE 64

static void
prefetch(const void *memory, size_t size)
{
    for (size_t at = 0; at < size; at += CACHE_LINE)
        __builtin_prefetch((const char *) memory + at, 1);
}

/* A batch has a row or two of thousands of series, each somewhere else in memory: its track first,
 * then where that says its next row will be. */
static void
prefetch_track(const struct oi_store *store, const uint32_t *series, size_t left)
{
    const struct oi_track *track;

    if (left > PREFETCH_ROWS && series[PREFETCH_ROWS] <= store->tracks.count) {
        track = &store->tracks.items[series[PREFETCH_ROWS] - 1];
        prefetch(track, 2 * CACHE_LINE);
    }
    if (left > PREFETCH_ROWS / 2 && series[PREFETCH_ROWS / 2] <= store->tracks.count) {
        track = &store->tracks.items[series[PREFETCH_ROWS / 2] - 1];
        __builtin_prefetch(track->position);
        if (track->tail.items)
            prefetch(track->tail.items + track->tail.count, sizeof(*track->tail.items));
    }
}

/* Rows that come before some of the tail's. */
static void
weave_rows(struct oi_track *track, const struct oi_rows *rows, size_t first, size_t count)
{
    struct oi_rows more = {};

    oi_rows_append(&more, rows, first, count);
    oi_rows_merge(&track->tail, &more);
    oi_rows_release(&more);
}

/* Rows that are kept elsewhere leave no more than the position of their series and its newest
 * row. */
static void
place_rows(struct oi_track *track, uint64_t batch, const struct oi_rows *rows, size_t first,
           size_t end)
{
    struct oi_position *position = track->position;
    const struct oi_record *last = &rows->items[end - 1];
    const struct oi_record newest = { .time = position->newest.time,
                                      .known_time = position->newest.known_time,
                                      .batch = position->newest_batch };
    oi_time from = rows->items[first].time;
    unsigned absent = position->rows == 0 ? OI_ABSENT_ALL : position->absent;

    for (size_t i = first; i < end; i++)
        for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
            if (rows->items[i].exponents[figure] != OI_EXPONENT_NONE)
                absent &= ~(1u << figure);
            if (rows->items[i].exponents[figure] == OI_EXPONENT_WIDE)
                absent &= ~OI_ABSENT_WIDES;
        }
    position->absent = absent;

    position->first = position->rows == 0 || from < position->first ? from : position->first;
    position->last =
        position->rows == 0 || last->time > position->last ? last->time : position->last;
    position->rows += end - first;
    position->last_batch = position->chunked_batch = track->last_batch = batch;
    if (position->has_newest && oi_record_compare(last, &newest) < 0)
        return;
    position->has_newest = true;
    position->newest = oi_rows_get(rows, end - 1);
    position->newest_batch = batch;
}

/* One batch into the tails. Rows come in order of series; those that are in chunks already (the
 * batch stays in the log for the sake of others) are only looked at. */
static void
add_batch(struct oi_store *store, uint64_t batch, const struct oi_batch_header *header,
          const struct oi_batch_rows *rows)
{
    const struct oi_log_entry entry = { .batch = batch,
                                        .commit_time = header->commit_time,
                                        .import = header->import,
                                        .rows = header->row_count };
    const uint32_t *series = header->row_count > 0 ? rows->series.items : NULL;

    for (size_t i = 0, end; i < header->row_count; i = end) {
        struct oi_track *track;

        prefetch_track(store, series + i, header->row_count - i);
        for (end = i + 1; end < header->row_count && series[end] == series[i];)
            end++;
        oi_tracks_reserve(store, series[i]);
        track = &store->tracks.items[series[i] - 1];
        if (track->last_batch == 0)
            atomic_fetch_add(&store->begun_count, 1);
        if (store->remote) {
            place_rows(track, batch, &rows->rows, i, end);
            continue;
        }
        if (track->tail.count == 0)
            track->first_batch = batch;
        track->last_batch = batch;
        if (batch <= track->position->chunked_batch)
            continue;
        store->tail_rows += end - i;
        if (track->tail.count == 0 || rows->rows.items[i].time > track->tail_last)
            oi_rows_append(&track->tail, &rows->rows, i, end - i);
        else
            weave_rows(track, &rows->rows, i, end - i);
        track->tail_last = track->tail.items[track->tail.count - 1].time;
        if (track->tail_last > track->latest)
            track->latest = track->tail_last;
    }
    if (!store->remote)
        oi_vector_push(&store->log, entry);
}

/* The same of rows that are behind their tails already. */
static void
count_staged(struct oi_store *store, uint64_t batch, const struct oi_batch_header *header,
             const struct oi_batch_rows *rows)
{
    const struct oi_log_entry entry = { .batch = batch,
                                        .commit_time = header->commit_time,
                                        .import = header->import,
                                        .rows = header->row_count };

    oi_plain_count(store, batch, rows);
    oi_vector_push(&store->log, entry);
}

static void
call_watchers(const struct oi_watcher *watchers, size_t watcher_count, uint64_t batch,
              const struct oi_batch_rows *rows)
{
    size_t count = rows->rows.count;
    struct oi_row *told = oi_alloc(count * sizeof(*told));

    for (size_t i = 0; i < count; i++)
        told[i] = (struct oi_row){ rows->series.items[i], oi_rows_get(&rows->rows, i) };
    for (size_t i = 0; i < watcher_count; i++)
        watchers[i].committed(watchers[i].context, batch, told, count);
    oi_free(told);
}

static void
notify(struct oi_store *store, uint64_t batch, const struct oi_batch_rows *rows)
{
    struct oi_watcher *watchers = NULL;
    size_t watcher_count;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    watcher_count = store->watchers.count;
    if (watcher_count > 0 && rows->rows.count > 0) {
        watchers = oi_alloc(watcher_count * sizeof(*watchers));
        memcpy(watchers, store->watchers.items, watcher_count * sizeof(*watchers));
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (watchers)
        call_watchers(watchers, watcher_count, batch, rows);
    oi_free(watchers);
}

void
oi_log_trim(struct oi_store *store, uint64_t log_start)
{
    size_t gone = 0;

    while (gone < store->log.count && store->log.items[gone].batch < log_start)
        gone++;
    if (gone == 0)
        return;
    store->log.count -= gone;
    memmove(store->log.items, store->log.items + gone,
            store->log.count * sizeof(*store->log.items));
}

void
oi_track_settle(struct oi_store *store, uint32_t series, const struct oi_position *position)
{
    struct oi_track *track;
    size_t kept = 0;

    oi_tracks_reserve(store, series);
    track = &store->tracks.items[series - 1];
    *track->position = *position;
    if (track->last_batch == 0 && position->last_batch > 0)
        atomic_fetch_add(&store->begun_count, 1);
    if (track->last_batch < position->last_batch)
        track->last_batch = position->last_batch;
    for (size_t i = 0; i < track->tail.count; i++) {
        if (track->tail.items[i].batch <= position->chunked_batch)
            continue;
        if (kept == 0 || track->tail.items[i].batch < track->first_batch)
            track->first_batch = track->tail.items[i].batch;
        track->tail.items[kept++] = track->tail.items[i];
    }
    store->tail_rows -= track->tail.count - kept;
    track->tail.count = kept;
    if (position->rows > 0 && position->last > track->latest)
        track->latest = position->last;
    if (kept > 0)
        track->tail_last = track->tail.items[kept - 1].time;
    if (kept == 0)
        oi_rows_release(&track->tail);
}

void
oi_store_publish(struct oi_store *store, const struct oi_state *state,
                 const struct oi_batch_header *header, const struct oi_batch_rows *rows,
                 bool is_staged)
{
    (void) pthread_mutex_lock(&store->follow_lock);
    /* A reader may have followed our commit already. */
    if (store->state.last_batch < state->last_batch) {
        (void) pthread_rwlock_wrlock(&store->state_lock);
        if (is_staged)
            count_staged(store, state->last_batch, header, rows);
        else
            add_batch(store, state->last_batch, header, rows);
        store->state = *state;
        (void) pthread_rwlock_unlock(&store->state_lock);
        notify(store, state->last_batch, rows);
    }
    (void) pthread_mutex_unlock(&store->follow_lock);
}

/* Positions that a checkpoint or a withdrawal changed. They are read before the lock is taken: a
 * checkpoint moves a few hundred series, and there may be a hundred thousand. */
struct moves {
    struct oi_store *store;
    bool takes_all;
    OI_VECTOR(struct move {
        uint32_t series;
        struct oi_position position;
    })
    moved;
};

static enum oi_status
collect_move(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct moves *moves = context;
    struct oi_store *store = moves->store;
    struct move move = { .series = oi_key_take_u32(&key) };

    OI_TRY(oi_position_decode(body, &move.position, error));
    if (move.series == 0 || move.series > store->names.series.count)
        return oi_fail(error, OI_E_CORRUPT, "a position of series %u, which does not exist",
                       move.series);
    if (moves->takes_all ||
        store->tracks.items[move.series - 1].position->chunked_batch != move.position.chunked_batch)
        oi_vector_push(&moves->moved, move);
    return OI_OK;
}

static enum oi_status
follow_positions(struct oi_store *store, struct oi_access *access, const struct oi_state *state,
                 struct oi_error *error)
{
    const struct oi_key all = {};
    struct moves moves = { .store = store,
                           .takes_all = state->hidden_version != store->state.hidden_version };
    struct oi_hidden hidden = {};
    struct oi_flags flags = {};
    enum oi_status status =
        oi_access_walk(access, OI_TABLE_POSITION, &all, &all, collect_move, &moves, error);

    if (status == OI_OK && moves.takes_all)
        status = oi_flags_load(access, &flags, error);
    if (status == OI_OK && moves.takes_all)
        status = oi_hidden_load(access, &hidden, error);
    if (status == OI_OK) {
        (void) pthread_rwlock_wrlock(&store->state_lock);
        if (moves.takes_all) {
            oi_free(store->hidden.batches);
            store->hidden = hidden;
            oi_vector_release(&store->flags);
            store->flags = flags;
            flags = (struct oi_flags){};
        }
        for (size_t i = 0; i < moves.moved.count; i++)
            oi_track_settle(store, moves.moved.items[i].series, &moves.moved.items[i].position);
        oi_log_trim(store, state->log_start);
        store->state.hidden_version = state->hidden_version;
        store->state.checkpoint_version = state->checkpoint_version;
        store->state.log_start = state->log_start;
        (void) pthread_rwlock_unlock(&store->state_lock);
    }
    oi_vector_release(&moves.moved);
    oi_vector_release(&flags);
    return status;
}

static enum oi_status
follow_catalog(struct oi_store *store, struct oi_access *access, const struct oi_state *state,
               struct oi_error *error)
{
    struct oi_names names = {};

    OI_TRY(oi_names_load(access, &names, error));
    (void) pthread_rwlock_wrlock(&store->state_lock);
    oi_names_install(store, &names);
    store->state.catalog_version = state->catalog_version;
    oi_snapshot_drop(store);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return OI_OK;
}

static enum oi_status
follow_batch(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct oi_store *store = context;
    struct oi_batch_header header;
    struct oi_batch_rows rows = {};
    uint64_t batch = oi_key_take_u64(&key);
    enum oi_status status = oi_batch_decode(body, &header, &rows, error);

    for (size_t i = 0; status == OI_OK && i < header.row_count; i++) {
        rows.rows.items[i].batch = batch;
        if (rows.series.items[i] > store->names.series.count)
            status = oi_fail(error, OI_E_CORRUPT, "a row of series %u, which does not exist",
                             rows.series.items[i]);
    }
    if (status != OI_OK) {
        oi_batch_rows_release(&rows);
        return oi_fail_in(error, status, "batch %llu: ", (unsigned long long) batch);
    }
    (void) pthread_rwlock_wrlock(&store->state_lock);
    add_batch(store, batch, &header, &rows);
    store->state.last_batch = batch;
    store->state.last_commit_time = header.commit_time;
    (void) pthread_rwlock_unlock(&store->state_lock);
    notify(store, batch, &rows);
    oi_batch_rows_release(&rows);
    return OI_OK;
}

/* The follow lock is held. */
static enum oi_status
follow(struct oi_store *store, struct oi_access *access, struct oi_error *error)
{
    const struct oi_key all = {};
    struct oi_state state;
    struct oi_key from;
    enum oi_status status;

    OI_TRY(oi_state_load(access, &state, error));
    /* Rows that are elsewhere are in no log: whoever commits a batch publishes it, in a moment. */
    if (store->remote) {
        state.last_batch = store->state.last_batch;
        state.last_commit_time = store->state.last_commit_time;
    }
    /* The usual news is our own commit: nobody who reads should wait for a lock because of it. */
    if (state.last_batch == store->state.last_batch &&
        state.catalog_version == store->state.catalog_version &&
        state.checkpoint_version == store->state.checkpoint_version &&
        state.hidden_version == store->state.hidden_version &&
        state.next_import == store->state.next_import) /* differs in a store just opened */
        return OI_OK;
    if (state.catalog_version != store->state.catalog_version)
        OI_TRY(follow_catalog(store, access, &state, error));
    if (state.checkpoint_version != store->state.checkpoint_version ||
        state.hidden_version != store->state.hidden_version)
        OI_TRY(follow_positions(store, access, &state, error));
    if (state.last_batch > store->state.last_batch) {
        from = oi_key_of_u64(store->state.last_batch + 1);
        /* Whoever verifies or rescues a damaged store has to be able to open it. */
        access->steps_over_damage = store->is_read_only;
        status = oi_access_walk(access, OI_TABLE_LOG, &all, &from, follow_batch, store, error);
        access->steps_over_damage = false;
        OI_TRY(status);
    }
    (void) pthread_rwlock_wrlock(&store->state_lock);
    store->state = state;
    store->lacks_rows |= access->met_damage;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return OI_OK;
}

enum oi_status
oi_store_catch_up(struct oi_store *store, struct oi_access *access, struct oi_error *error)
{
    enum oi_status status;

    (void) pthread_mutex_lock(&store->follow_lock);
    status = follow(store, access, error);
    (void) pthread_mutex_unlock(&store->follow_lock);
    return status;
}

static enum oi_status
follow_engine(struct oi_store *store, struct oi_error *error)
{
    uint64_t commit = store->engine->last_commit(store->kv);
    struct oi_access access;
    enum oi_status status;

    (void) pthread_mutex_lock(&store->follow_lock);
    status = oi_access_begin(&access, store, OI_KV_READ, error);
    if (status == OI_OK) {
        status = follow(store, &access, error);
        oi_access_end(&access);
    }
    (void) pthread_mutex_unlock(&store->follow_lock);
    if (status == OI_OK)
        atomic_store(&store->seen_commit, commit);
    return status;
}

enum oi_status
oi_store_follow(struct oi_store *store, struct oi_error *error)
{
    return store->remote ? oi_remote_follow(store, error) : follow_engine(store, error);
}

enum oi_status
oi_store_refresh(struct oi_store *store, struct oi_error *error)
{
    /* Whoever appends at this moment has looked already. */
    if (store->remote && store->remote->is_due(store->remote_context) &&
        pthread_mutex_trylock(&store->append_lock) == 0) {
        enum oi_status status = store->remote->follow(store->remote_context, false, error);

        (void) pthread_mutex_unlock(&store->append_lock);
        OI_TRY(status);
    }
    return oi_store_refresh_engine(store, error);
}

enum oi_status
oi_store_refresh_engine(struct oi_store *store, struct oi_error *error)
{
    if (store->engine->last_commit(store->kv) == atomic_load(&store->seen_commit))
        return OI_OK;
    return follow_engine(store, error);
}
