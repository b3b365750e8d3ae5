/* SPDX-License-Identifier: Apache-2.0 */
/* A store's folder, its opening and closing, and the small records about itself. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk_cache.h"
#include "store/ledger.h"
#include "store/rollup_cache.h"
#include "store/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1
#define META_FORMAT OI_SLICE("format")
#define META_STATE OI_SLICE("state")

/* What may lie in a data folder before the store does. */
static bool
is_ours(const char *name)
{
    static const char *const known[] = {
        "oi.conf", "usage", "lake", "raw", "waiting", "lost+found"
    };

    for (size_t i = 0; i < OI_COUNT(known); i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return name[0] == '.';
}

static enum oi_status
check_foreign(const char *path, struct oi_error *error)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    enum oi_status status = OI_OK;

    if (!folder)
        return oi_fail(error, OI_E_IO, "cannot read the folder %s: %s", path, strerror(errno));
    while (status == OI_OK && (entry = readdir(folder)))
        if (!is_ours(entry->d_name))
            status = oi_fail(error, OI_E_INVALID,
                             "the folder %s holds something else (%s): name an empty one", path,
                             entry->d_name);
    (void) closedir(folder);
    return status;
}

enum oi_status
oi_store_mark_folder(const char *folder, struct oi_error *error)
{
    static const char text[] = "This folder is an oi store. Back it up with `oi backup`.\n";
    char path[4096];
    bool is_written;
    int file;

    if (snprintf(path, sizeof(path), "%s/" OI_STORE_MARKER, folder) >= (int) sizeof(path))
        return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    is_written = write(file, text, sizeof(text) - 1) == (ssize_t) sizeof(text) - 1;
    is_written &= fsync(file) == 0;
    if (close(file) != 0 || !is_written)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    return OI_OK;
}

static enum oi_status
prepare_folder(const char *path, bool is_read_only, struct oi_error *error)
{
    char marker[4096];
    struct stat found;
    enum oi_status status;

    if (snprintf(marker, sizeof(marker), "%s/" OI_STORE_MARKER, path) >= (int) sizeof(marker))
        return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
    if (stat(marker, &found) == 0)
        return OI_OK;
    if (is_read_only)
        return oi_fail(error, OI_E_NOT_FOUND, "there is no store in %s", path);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return oi_fail(error, OI_E_IO, "cannot make the folder %s: %s", path, strerror(errno));
    status = check_foreign(path, error);
    /* What was found may be another process's store, begun since: its mark comes first. */
    if (status != OI_OK)
        return stat(marker, &found) == 0 ? OI_OK : status;
    return oi_store_mark_folder(path, error);
}

enum oi_status
oi_state_load(struct oi_access *access, struct oi_state *ret_state, struct oi_error *error)
{
    struct oi_state state;
    struct oi_cursor cursor;
    struct oi_slice body;

    OI_TRY(oi_access_get(access, OI_TABLE_META, META_STATE, &body, error));
    cursor = oi_cursor_over(body);
    state.last_batch = oi_cursor_u64(&cursor);
    state.last_commit_time = (oi_time) oi_cursor_u64(&cursor);
    state.catalog_version = oi_cursor_u64(&cursor);
    state.checkpoint_version = oi_cursor_u64(&cursor);
    state.hidden_version = oi_cursor_u64(&cursor);
    state.log_start = oi_cursor_u64(&cursor);
    state.next_import = oi_cursor_u32(&cursor);
    if (cursor.failed || oi_cursor_left(&cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "the store's own state is damaged");
    *ret_state = state;
    return OI_OK;
}

enum oi_status
oi_state_save(struct oi_access *access, const struct oi_state *state, struct oi_error *error)
{
    struct oi_buffer value = {};
    enum oi_status status;

    oi_seal_begin(&value);
    oi_buffer_add_u64(&value, state->last_batch);
    oi_buffer_add_u64(&value, (uint64_t) state->last_commit_time);
    oi_buffer_add_u64(&value, state->catalog_version);
    oi_buffer_add_u64(&value, state->checkpoint_version);
    oi_buffer_add_u64(&value, state->hidden_version);
    oi_buffer_add_u64(&value, state->log_start);
    oi_buffer_add_u32(&value, state->next_import);
    status = oi_access_put(access, OI_TABLE_META, META_STATE, &value, error);
    oi_buffer_release(&value);
    return status;
}

enum oi_status
oi_position_decode(struct oi_slice body, struct oi_position *ret_position, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_position position = {};

    position.chunked_batch = oi_cursor_u64(&cursor);
    position.rows = oi_cursor_u64(&cursor);
    position.chunks = oi_cursor_u64(&cursor);
    position.last_batch = oi_cursor_u64(&cursor);
    position.first = (oi_time) oi_cursor_u64(&cursor);
    position.last = (oi_time) oi_cursor_u64(&cursor);
    position.has_newest = oi_cursor_u8(&cursor) != 0;
    if (position.has_newest) {
        position.newest_batch = oi_cursor_u64(&cursor);
        position.newest = oi_observation_decode(&cursor);
    }
    if (cursor.failed || oi_cursor_left(&cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "the position of a series is damaged");
    *ret_position = position;
    return OI_OK;
}

enum oi_status
oi_position_load(struct oi_access *access, uint32_t series, struct oi_position *ret_position,
                 struct oi_error *error)
{
    struct oi_key key = oi_key_of_u32(series);
    struct oi_slice body;
    enum oi_status status =
        oi_access_get(access, OI_TABLE_POSITION, oi_key_slice(&key), &body, error);

    if (status == OI_E_NOT_FOUND) {
        *ret_position = (struct oi_position){};
        return OI_OK;
    }
    OI_TRY(status);
    return oi_position_decode(body, ret_position, error);
}

enum oi_status
oi_position_save(struct oi_access *access, uint32_t series, const struct oi_position *position,
                 struct oi_error *error)
{
    struct oi_key key = oi_key_of_u32(series);
    struct oi_buffer value = {};
    enum oi_status status;

    oi_seal_begin(&value);
    oi_buffer_add_u64(&value, position->chunked_batch);
    oi_buffer_add_u64(&value, position->rows);
    oi_buffer_add_u64(&value, position->chunks);
    oi_buffer_add_u64(&value, position->last_batch);
    oi_buffer_add_u64(&value, (uint64_t) position->first);
    oi_buffer_add_u64(&value, (uint64_t) position->last);
    oi_buffer_add_u8(&value, position->has_newest);
    if (position->has_newest) {
        oi_buffer_add_u64(&value, position->newest_batch);
        oi_observation_encode(&position->newest, &value);
    }
    status = oi_access_put(access, OI_TABLE_POSITION, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

oi_time
oi_store_now(const struct oi_store *store, const struct oi_state *state)
{
    oi_time now = store->change_time != OI_TIME_NONE ? store->change_time
                                                     : store->clock->wall_ns(store->clock);

    return now < state->last_commit_time ? state->last_commit_time : now;
}

static enum oi_status
check_format(struct oi_slice body, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    uint32_t format = oi_cursor_u32(&cursor);

    if (cursor.failed || format == 0)
        return oi_fail(error, OI_E_CORRUPT, "the store's format number is damaged");
    if (format > FORMAT)
        return oi_fail(error, OI_E_INVALID,
                       "the store has format %u, this program knows up to %d: use a newer oi",
                       format, FORMAT);
    return OI_OK;
}

static enum oi_status
write_format(struct oi_access *access, struct oi_error *error)
{
    const struct oi_state state = { .last_commit_time = OI_TIME_EARLIEST,
                                    .log_start = 1,
                                    .next_import = 1 };
    struct oi_buffer value = {};
    enum oi_status status;

    oi_seal_begin(&value);
    oi_buffer_add_u32(&value, FORMAT);
    status = oi_access_put(access, OI_TABLE_META, META_FORMAT, &value, error);
    oi_buffer_release(&value);
    OI_TRY(status);
    return oi_state_save(access, &state, error);
}

/* The first commit makes the tables, the second writes the format. */
#define COMMITS_WITHOUT_FORMAT_MAX 2

/* Read the format, or write it into an empty environment; another process may do so first. */
static enum oi_status
ensure_format(struct oi_store *store, struct oi_error *error)
{
    struct oi_access access;
    struct oi_slice body;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status = oi_access_get(&access, OI_TABLE_META, META_FORMAT, &body, error);
    if (status == OI_OK)
        status = check_format(body, error);
    oi_access_end(&access);
    if (status == OI_E_NOT_FOUND &&
        store->engine->last_commit(store->kv) > COMMITS_WITHOUT_FORMAT_MAX)
        return oi_fail(error, OI_E_CORRUPT, "the store's format number is lost: it is damaged");
    if (status == OI_E_NOT_FOUND && store->is_read_only)
        return oi_fail(error, status, "there is no store in it yet: its making was cut short");
    if (status != OI_E_NOT_FOUND)
        return status;
    OI_TRY(oi_access_begin(&access, store, OI_KV_WRITE, error));
    status = oi_access_get(&access, OI_TABLE_META, META_FORMAT, &body, error);
    if (status == OI_E_NOT_FOUND) {
        status = write_format(&access, error);
        if (status == OI_OK)
            return oi_access_commit(&access, error);
    }
    oi_access_end(&access);
    return status;
}

static enum oi_status
open_engine(struct oi_store *store, size_t map_size, struct oi_error *error)
{
    const struct oi_kv_options options = {
        .map_size = map_size,
        .is_read_only = store->is_read_only,
        .table_count = OI_TABLE_COUNT,
        .tables = oi_table_names,
    };

    OI_TRY(prepare_folder(store->path, store->is_read_only, error));
    OI_TRY(oi_store_guard(store->path, false, &store->guard, error));
    OI_TRY(store->engine->open(store->path, &options, &store->kv, error));
    OI_TRY(ensure_format(store, error));
    return oi_store_follow(store, error);
}

enum oi_status
oi_store_open(const char *path, const struct oi_store_options *options, struct oi_store **ret_store,
              struct oi_error *error)
{
    static const struct oi_store_options defaults = {};
    struct oi_store *store = oi_alloc_zero(1, sizeof(*store));
    enum oi_status status;

    if (!options)
        options = &defaults;
    store->engine = options->engine ? options->engine : &oi_kv_lmdb;
    store->clock = options->clock ? options->clock : &oi_clock_system;
    store->is_read_only = options->is_read_only;
    store->chunk_rows = options->chunk_rows ? options->chunk_rows : OI_CHUNK_ROWS;
    store->kept_rollups = oi_shelf_new(OI_KEPT_ROLLUPS);
    store->kept_chunks = oi_shelf_new(OI_KEPT_CHUNKS);
    store->ledger = oi_ledger_new();
    store->crew = oi_crew_new();
    store->path = oi_copy_text(oi_slice_of(path));
    store->guard = -1;
    store->change_time = OI_TIME_NONE;
    oi_assert(pthread_mutex_init(&store->queue_lock, NULL) == 0);
    oi_assert(pthread_mutex_init(&store->append_lock, NULL) == 0);
    oi_assert(pthread_mutex_init(&store->follow_lock, NULL) == 0);
    oi_assert(pthread_rwlock_init(&store->state_lock, NULL) == 0);
    oi_assert(pthread_mutex_init(&store->damage_lock, NULL) == 0);
    oi_assert(pthread_mutex_init(&store->past_lock, NULL) == 0);
    status = open_engine(store, options->map_size, error);
    if (status != OI_OK) {
        oi_store_close(&store);
        return oi_fail_in(error, status, "%s: ", path);
    }
    *ret_store = store;
    return OI_OK;
}

void
oi_store_close(struct oi_store **store)
{
    struct oi_store *closing = *store;

    if (!closing)
        return;
    *store = NULL;
    if (closing->remote)
        closing->remote->stop(closing->remote_context);
    if (closing->kv)
        closing->engine->close(&closing->kv);
    if (closing->guard >= 0)
        (void) close(closing->guard);
    for (size_t i = 0; i < closing->tracks.count; i++) {
        oi_rows_release(&closing->tracks.items[i].tail);
        oi_free(closing->tracks.items[i].position);
    }
    oi_vector_release(&closing->tracks);
    oi_batch_rows_release(&closing->spare_rows);
    oi_vector_release(&closing->log);
    oi_vector_release(&closing->watchers);
    oi_free(closing->hidden.batches);
    oi_vector_release(&closing->flags);
    oi_snapshot_drop(closing);
    oi_names_release(&closing->names);
    (void) pthread_mutex_destroy(&closing->queue_lock);
    (void) pthread_mutex_destroy(&closing->append_lock);
    (void) pthread_mutex_destroy(&closing->follow_lock);
    (void) pthread_rwlock_destroy(&closing->state_lock);
    if (closing->remote)
        closing->remote->close(closing->remote_context);
    (void) pthread_mutex_destroy(&closing->damage_lock);
    oi_pasts_release(closing);
    (void) pthread_mutex_destroy(&closing->past_lock);
    oi_vector_release(&closing->damaged);
    oi_shelf_free(&closing->kept_rollups);
    oi_shelf_free(&closing->kept_chunks);
    oi_ledger_free(&closing->ledger);
    oi_crew_free(&closing->crew);
    oi_free(closing->path);
    oi_free(closing);
}

uint64_t
oi_store_last_batch(struct oi_store *store)
{
    uint64_t batch;

    (void) oi_store_refresh(store, NULL);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    batch = store->state.last_batch;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return batch;
}

void
oi_store_stats(struct oi_store *store, struct oi_store_stats *ret_stats)
{
    const struct oi_kv_sizes sizes = store->engine->sizes(store->kv);
    struct oi_store_stats stats = {
        .file_bytes = sizes.file_bytes,
        .used_bytes = sizes.used_bytes,
        .oldest_reader_lag = sizes.oldest_reader_lag,
        .is_paused = atomic_load(&store->is_paused),
    };

    (void) pthread_rwlock_rdlock(&store->state_lock);
    stats.log_rows = store->tail_rows;
    stats.log_batches = store->log.count;
    for (size_t i = 0; i < store->tracks.count; i++) {
        stats.chunk_rows += store->tracks.items[i].position->rows;
        stats.chunks += store->tracks.items[i].position->chunks;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    stats.is_elsewhere = store->remote != NULL;
    if (store->remote)
        store->remote->stats(store->remote_context, &stats);
    *ret_stats = stats;
}
