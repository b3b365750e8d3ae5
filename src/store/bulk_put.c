/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commit of a bulk load: what was not encoded ahead is encoded on all threads, then chunks,
 * rollups and positions are put in one transaction with the import's mark, the batch's time and its
 * empty entry in the log.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

/* The engine grows its map when it is full; then the whole transaction is done again. */
#define ATTEMPTS 3

static void
encode_loads(void *context)
{
    struct oi_bulk_work *work = context;
    size_t i;

    while ((i = atomic_fetch_add(&work->next, 1)) < work->load_count)
        if (work->loads[i].count > 0 && !work->loads[i].is_encoded)
            oi_bulk_encode(work, &work->loads[i]);
}

/* The blocks of rollups that the rows add to. Where some of their rows are damaged, an append knows
 * what to do. */
static enum oi_status
take_rollups(struct oi_bulk_prepared *loading, struct oi_access *access, struct oi_bulk_load *load,
             struct oi_error *error)
{
    static const int64_t intervals[2] = { OI_HOUR, OI_DAY };

    for (unsigned kind = 0; kind < OI_COUNT(intervals); kind++) {
        enum oi_status status = oi_rollups_load(access, load->series, intervals[kind], load->first,
                                                &load->rollups[kind], error);

        if (status == OI_E_CORRUPT)
            load->is_appended = loading->is_flipped = true;
        else
            OI_TRY(status);
    }
    return OI_OK;
}

/* What the store has of the series, and whether some cannot be loaded any more. What was encoded
 * ahead stands where the plan does and still nothing is there of the series. */
static enum oi_status
take_positions(struct oi_bulk_prepared *loading, struct oi_access *access, bool is_as_planned,
               struct oi_error *error)
{
    struct oi_store *store = loading->store;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];

        if (load->count == 0)
            continue;
        load->is_appended = !oi_bulk_is_ahead(store, load);
        loading->is_flipped |= load->is_appended;
        load->is_encoded = load->is_encoded && is_as_planned &&
                           store->tracks.items[load->series - 1].position->rows == 0;
        if (load->is_encoded)
            continue;
        load->position = *store->tracks.items[load->series - 1].position;
        load->chunk_count = 0;
        oi_buffer_clear(&load->bytes);
        oi_vector_clear(&load->values);
        oi_vector_clear(&load->rollups[0]);
        oi_vector_clear(&load->rollups[1]);
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    for (size_t i = 0; i < loading->work.load_count; i++)
        if (loading->work.loads[i].count > 0 && !loading->work.loads[i].is_encoded &&
            loading->work.loads[i].position.rows > 0)
            OI_TRY(take_rollups(loading, access, &loading->work.loads[i], error));
    return OI_OK;
}

static enum oi_status
put_value(struct oi_access *access, const struct oi_bulk_load *load,
          const struct oi_bulk_value *value, oi_time commit_time, struct oi_error *error)
{
    const struct oi_kv_engine *engine = access->store->engine;
    const struct oi_slice key = oi_key_slice(&value->key);
    struct oi_slice bytes = { load->bytes.data + value->from, value->size };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer stamped = {};

    /* A block of rollups that does not pay is empty. */
    if (value->size == 0)
        return engine->remove(access->txn, value->table, key, error);
    if (value->table == OI_TABLE_CHUNK) {
        oi_chunk_stamp(key, bytes, commit_time, &stamped);
        bytes = oi_buffer_slice(&stamped);
    }
    return engine->put(access->txn, value->table, key, bytes, error);
}

static enum oi_status
put_loads(struct oi_bulk_prepared *loading, struct oi_access *access, oi_time commit_time,
          struct oi_error *error)
{
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];

        if (load->count == 0)
            continue;
        for (size_t k = 0; k < load->values.count; k++)
            OI_TRY(put_value(access, load, &load->values.items[k], commit_time, error));
        if (oi_bulk_row(loading->bulk, load->items[load->count - 1])->known_time == OI_TIME_NONE)
            load->position.newest.known_time = commit_time;
        OI_TRY(oi_position_save(access, load->series, &load->position, error));
    }
    return OI_OK;
}

/* Everything else that a commit writes. */
static enum oi_status
put_batch(struct oi_bulk_prepared *loading, struct oi_access *access, struct oi_state *state,
          struct oi_batch_header *header, struct oi_error *error)
{
    const struct oi_key key = oi_key_of_u64(state->last_batch);
    struct oi_buffer value = {};
    enum oi_status status;

    if (loading->is_marked) {
        struct oi_import_mark mark = loading->mark;

        mark.rows_done = loading->bulk->import->rows_done;
        mark.is_complete = loading->bulk->import->is_complete;
        mark.duplicate += loading->duplicate;
        mark.refused += loading->refusals.count;
        for (size_t i = 0; i < loading->work.load_count; i++)
            mark.stored += loading->work.loads[i].count;
        OI_TRY(oi_import_save(access, &mark, state->last_batch, &state->next_import,
                              &header->import, error));
    }
    OI_TRY(oi_commits_add(access, state->last_batch, header, error));
    oi_seal_begin(&value);
    oi_batch_encode(header, NULL, &value);
    status = oi_access_put(access, OI_TABLE_LOG, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    OI_TRY(status);
    return oi_state_save(access, state, error);
}

/* After the commit, unless a reader has followed already. */
static void
settle_memory(struct oi_bulk_prepared *loading, const struct oi_state *state,
              const struct oi_batch_header *header)
{
    struct oi_store *store = loading->store;
    const struct oi_log_entry entry = { .batch = state->last_batch,
                                        .commit_time = header->commit_time,
                                        .import = header->import };

    (void) pthread_mutex_lock(&store->follow_lock);
    (void) pthread_rwlock_wrlock(&store->state_lock);
    if (store->state.last_batch < state->last_batch) {
        for (size_t i = 0; i < loading->work.load_count; i++)
            if (loading->work.loads[i].count > 0)
                oi_track_settle(store, loading->work.loads[i].series,
                                &loading->work.loads[i].position);
        oi_vector_push(&store->log, entry);
        store->state = *state;
    }
    loading->is_settled = true;
    (void) pthread_rwlock_unlock(&store->state_lock);
    (void) pthread_mutex_unlock(&store->follow_lock);
}

/* Taken when nothing is left to compute: until the commit is there, a question about moments from
 * this one on is answered without it. */
static oi_time
commit_time_of(const struct oi_bulk_prepared *loading, const struct oi_state *state)
{
    oi_time now = oi_store_now(loading->store, state);

    return now < loading->sorted_at ? loading->sorted_at : now;
}

static enum oi_status
load_in(struct oi_bulk_prepared *loading, struct oi_access *access, struct oi_error *error)
{
    struct oi_store *store = loading->store;
    struct oi_batch_header header = {};
    struct oi_state state;
    bool is_as_planned;

    loading->is_flipped = false;
    OI_TRY(oi_store_catch_up(store, access, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    state = store->state;
    (void) pthread_rwlock_unlock(&store->state_lock);
    is_as_planned = loading->is_planned && loading->planned_batch == state.last_batch + 1;
    OI_TRY(take_positions(loading, access, is_as_planned, error));
    if (loading->is_flipped)
        return OI_OK;
    loading->work.batch = ++state.last_batch;
    atomic_store(&loading->work.next, 0);
    oi_bulk_on_all_threads(loading->bulk, encode_loads, &loading->work);
    header.commit_time = state.last_commit_time = commit_time_of(loading, &state);
    state.checkpoint_version++;
    OI_TRY(put_loads(loading, access, header.commit_time, error));
    OI_TRY(put_batch(loading, access, &state, &header, error));
    OI_TRY(oi_access_commit(access, error));
    settle_memory(loading, &state, &header);
    loading->result.batch = state.last_batch;
    return OI_OK;
}

enum oi_status
oi_bulk_put(struct oi_bulk_prepared *loading, struct oi_error *error)
{
    struct oi_store *store = loading->store;
    enum oi_status status = OI_E_FULL;

    (void) pthread_mutex_lock(&store->append_lock);
    for (int attempt = 0; attempt < ATTEMPTS && status == OI_E_FULL; attempt++) {
        struct oi_access access;

        status = oi_access_begin(&access, store, OI_KV_WRITE, error);
        if (status == OI_OK) {
            status = load_in(loading, &access, error);
            oi_access_end(&access);
        }
    }
    atomic_store(&store->is_paused, status == OI_E_FULL);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}
