/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retention: the one thing that removes readings, and only where an operator's rule asks for it.
 * Whole chunks go, never the newest one of a series, so what is left begins at a chunk and a series
 * keeps its newest row; the rollups of the days that are touched are made anew.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/store_internal.h"

/* So many chunks a transaction: an append waits for it. */
#define CHUNKS_MAX 64

struct retention {
    struct oi_access access;
    struct oi_position position;
    struct oi_chunk chunk;
    struct oi_rows gone;
    uint64_t chunks;
};

/* Take the oldest chunk away if all of it is before `before`. NOT_FOUND when it is not, or cannot
 * be read: damage is for verify. */
static enum oi_status
take_oldest(struct retention *retention, uint32_t series, oi_time before, struct oi_error *error)
{
    const struct oi_kv_engine *engine = retention->access.store->engine;
    struct oi_chunk_place place, next;
    struct oi_chunk_header header;
    struct oi_key key;

    OI_TRY(oi_chunk_find_after(&retention->access, series, OI_TIME_EARLIEST, &place, error));
    OI_TRY(oi_chunk_find_after(&retention->access, series, place.first + 1, &next, error));
    if (oi_chunk_header_read(place.key, place.value, &header, NULL) != OI_OK ||
        header.last_time >= before ||
        (retention->position.has_newest && header.last_time >= retention->position.newest.time) ||
        oi_chunk_load(&retention->access, place.key, place.value, OI_COLUMNS_ALL, &retention->chunk,
                      NULL) != OI_OK)
        return OI_E_NOT_FOUND;
    oi_rows_add_columns(&retention->gone, &retention->chunk.columns, 0,
                        retention->chunk.columns.count);
    retention->position.first = next.first;
    retention->position.rows -= header.count;
    retention->position.chunks--;
    retention->chunks++;
    key = oi_key_of_chunk(series, place.first);
    return engine->remove(retention->access.txn, OI_TABLE_CHUNK, oi_key_slice(&key), error);
}

static enum oi_status
retain_in(struct retention *retention, uint32_t series, oi_time before, struct oi_error *error)
{
    struct oi_access *access = &retention->access;
    struct oi_store *store = access->store;
    enum oi_status status = OI_OK;
    struct oi_state state;

    OI_TRY(oi_store_catch_up(store, access, error));
    OI_TRY(oi_state_load(access, &state, error));
    OI_TRY(oi_position_load(access, series, &retention->position, error));
    while (status == OI_OK && retention->chunks < CHUNKS_MAX)
        status = take_oldest(retention, series, before, error);
    if (status != OI_OK && status != OI_E_NOT_FOUND)
        return status;
    if (retention->chunks == 0)
        return OI_OK;
    OI_TRY(oi_position_save(access, series, &retention->position, error));
    OI_TRY(oi_rollups_renew(access, series, &retention->gone, &store->hidden, error));
    /* Answers change as they do by a withdrawal: everybody looks again. */
    state.hidden_version++;
    OI_TRY(oi_state_save(access, &state, error));
    return oi_access_commit(access, error);
}

static enum oi_status
retain_once(struct oi_store *store, uint32_t series, oi_time before, uint64_t *ret_rows,
            struct oi_error *error)
{
    struct retention retention = {};
    enum oi_status status;

    (void) pthread_mutex_lock(&store->append_lock);
    status = oi_access_begin(&retention.access, store, OI_KV_WRITE, error);
    if (status == OI_OK)
        status = retain_in(&retention, series, before, error);
    oi_access_end(&retention.access);
    (void) pthread_mutex_unlock(&store->append_lock);
    *ret_rows = status == OI_OK ? retention.gone.count : 0;
    oi_rows_release(&retention.gone);
    oi_chunk_release(&retention.chunk);
    return status == OI_OK ? oi_store_follow(store, error) : status;
}

enum oi_status
oi_store_retain(struct oi_store *store, uint32_t series, oi_time before, uint64_t *ret_rows,
                struct oi_error *error)
{
    uint64_t rows = 0, more = 0;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    if (store->remote)
        return store->remote->retain(store->remote_context, series, before, ret_rows, error);
    do {
        OI_TRY(retain_once(store, series, before, &more, error));
        rows += more;
    } while (more > 0);
    *ret_rows = rows;
    return OI_OK;
}
