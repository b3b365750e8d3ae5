/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: the tails of some series become chunks, their rollups are made anew, and the log is
 * cut behind the oldest row that is still only there; all in one transaction, so a row is never
 * lost and never doubled. Series whose rows wait longest come first, whole: a series is in chunks
 * up to one batch, in the log from there on. A series that was moved waits behind all others, so a
 * share of them at a time goes round.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "base/log.h"
#include "store/chunk.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NAME "checkpoint.lock"
/* An append that comes meanwhile waits so long, and for one series more and the disk: what is left
 * is moved in another transaction. */
#define HOLD_NS INT64_C(25'000'000)
/* Who waits for the writer takes so long to wake up; the same thread would be there first. */
#define YIELD_NS INT64_C(1'000'000)

/* A series with rows in the log. */
struct candidate {
    uint64_t first_batch;
    uint32_t series;
    size_t rows;
    struct oi_position position; /* what it became */
};

/* What is to be moved, and what of it is left when a transaction has taken long enough. */
struct rest {
    const struct oi_checkpoint_plan *plan;
    bool is_begun, is_left;
    size_t rows_max;
    size_t turn; /* series that are due because it is their turn */
    size_t due_rows;
};

struct checkpoint {
    struct oi_store *store;
    struct oi_access access;
    struct oi_state state;
    OI_VECTOR(struct candidate) candidates;
    size_t chosen;      /* the first so many of them */
    size_t due_rows;    /* of those that should have been, but for the size of a transaction */
    uint64_t log_start; /* the oldest batch with rows of one that was not */
    int64_t begun_ns;   /* to hold up appends */
    /* Reused from series to series. */
    struct oi_chunk chunk;
    struct oi_rows merged;
};

static int
compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->first_batch != b->first_batch)
        return a->first_batch < b->first_batch ? -1 : 1;
    return a->series < b->series ? -1 : a->series > b->series;
}

static void
find_candidates(struct checkpoint *checkpoint)
{
    struct oi_store *store = checkpoint->store;

    for (size_t i = 0; i < store->tracks.count; i++) {
        const struct oi_track *track = &store->tracks.items[i];
        const struct candidate candidate = { .first_batch = track->first_batch,
                                             .series = (uint32_t) i + 1,
                                             .rows = track->tail.count,
                                             .position = *track->position };

        if (track->tail.count > 0)
            oi_vector_push(&checkpoint->candidates, candidate);
    }
    if (checkpoint->candidates.count > 0)
        qsort(checkpoint->candidates.items, checkpoint->candidates.count, sizeof(struct candidate),
              compare_candidates);
}

/* Where the log has to start if it is to have no more than so many rows. */
static uint64_t
find_log_floor(const struct oi_store *store, size_t rows_max)
{
    size_t rows = 0;

    for (size_t i = store->log.count; i-- > 0;) {
        rows += store->log.items[i].rows;
        if (rows > rows_max)
            return store->log.items[i].batch + 1;
    }
    return 0;
}

static void
choose_series(struct checkpoint *checkpoint, struct rest *rest)
{
    struct oi_store *store = checkpoint->store;
    const struct oi_checkpoint_plan *plan = rest->plan;
    size_t rows = 0;
    uint64_t floor;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    checkpoint->state = store->state;
    find_candidates(checkpoint);
    floor = find_log_floor(store, plan->log_max);
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (plan->share > 0 && !rest->is_begun)
        rest->turn = (checkpoint->candidates.count + plan->share - 1) / plan->share;
    checkpoint->log_start = checkpoint->state.last_batch + 1;
    for (size_t i = 0; i < checkpoint->candidates.count; i++) {
        const struct candidate candidate = checkpoint->candidates.items[i];
        bool is_due =
            i < rest->turn || candidate.rows >= plan->crowd || candidate.first_batch < floor;

        if (is_due && rows < rest->rows_max) {
            rows += candidate.rows;
            checkpoint->candidates.items[checkpoint->chosen++] = candidate;
            continue;
        }
        if (is_due)
            checkpoint->due_rows += candidate.rows;
        if (candidate.first_batch < checkpoint->log_start)
            checkpoint->log_start = candidate.first_batch;
    }
}

/* Take a chunk's rows into those that are to be written in its place. */
static enum oi_status
absorb_chunk(struct checkpoint *checkpoint, const struct oi_chunk_place *place,
             struct candidate *candidate, struct oi_error *error)
{
    const struct oi_kv_engine *engine = checkpoint->store->engine;
    const struct oi_key key = oi_key_of_chunk(candidate->series, place->first);
    struct oi_rows old = {};

    OI_TRY(oi_chunk_load(&checkpoint->access, place->key, place->value, OI_COLUMNS_ALL,
                         &checkpoint->chunk, error));
    oi_rows_add_columns(&old, &checkpoint->chunk.columns, 0, checkpoint->chunk.columns.count);
    /* The tail is usually all newer: into the old rows it is appended, not woven. */
    oi_rows_merge(&old, &checkpoint->merged);
    oi_rows_release(&checkpoint->merged);
    checkpoint->merged = old;
    candidate->position.chunks--;
    return engine->remove(checkpoint->access.txn, OI_TABLE_CHUNK, oi_key_slice(&key), error);
}

/* A damaged chunk stays as it is: verify names it, a backup may replace it. Only where the new rows
 * would begin at the very same time, and so be stored in its place, it gives way: its bytes move to
 * the next key before that is free. */
static enum oi_status
leave_damaged(struct checkpoint *checkpoint, uint32_t series, oi_time damaged,
              struct oi_error *error)
{
    struct oi_access *access = &checkpoint->access;
    const struct oi_kv_engine *engine = checkpoint->store->engine;
    const struct oi_key key = oi_key_of_chunk(series, damaged);
    OI_CLEANUP(oi_buffer_release) struct oi_buffer copy = {};
    struct oi_slice value;
    struct oi_key aside;

    oi_log_throttled(OI_LOG_ERROR, "store.damage", "chunk",
                     "series %u: the chunk from %lld is damaged; new rows go to another one",
                     series, (long long) damaged);
    if (checkpoint->merged.items[0].time != damaged)
        return OI_OK;
    OI_TRY(engine->get(access->txn, OI_TABLE_CHUNK, oi_key_slice(&key), &value, error));
    oi_buffer_add_slice(&copy, value);
    do {
        aside = oi_key_of_chunk(series, --damaged);
    } while (engine->get(access->txn, OI_TABLE_CHUNK, oi_key_slice(&aside), &value, NULL) == OI_OK);
    return engine->put(access->txn, OI_TABLE_CHUNK, oi_key_slice(&aside), oi_buffer_slice(&copy),
                       error);
}

/* Read the header of a neighbour; false when that cannot be read. */
static enum oi_status
read_neighbour(const struct oi_chunk_place *place, struct oi_chunk_header *header,
               bool *ret_is_whole, struct oi_error *error)
{
    enum oi_status status = oi_chunk_header_read(place->key, place->value, header, error);

    *ret_is_whole = status == OI_OK;
    return status == OI_E_CORRUPT ? OI_OK : status;
}

/* Which chunk the rows from `row` on should be merged into, and up to which time they belong to it.
 * A full chunk that they lie wholly behind is left alone. */
static enum oi_status
choose_chunk(struct checkpoint *checkpoint, uint32_t series, const struct oi_rows *tail, size_t row,
             bool *ret_absorb, struct oi_chunk_place *ret_place, oi_time *ret_to,
             struct oi_error *error)
{
    struct oi_access *access = &checkpoint->access;
    struct oi_chunk_place before, after;
    struct oi_chunk_header header;
    size_t chunk_rows = checkpoint->store->chunk_rows;
    oi_time time = tail->items[row].time;
    enum oi_status status = oi_chunk_find(access, series, time, &before, error);
    bool has_before = status == OI_OK, has_after, is_whole;

    if (status != OI_OK && status != OI_E_NOT_FOUND)
        return status;
    status = oi_chunk_find_after(access, series, time + 1, &after, error);
    has_after = status == OI_OK;
    if (status != OI_OK && status != OI_E_NOT_FOUND)
        return status;
    *ret_to = has_after ? after.first : OI_TIME_LATEST;
    *ret_absorb = false;
    if (has_before) {
        OI_TRY(read_neighbour(&before, &header, &is_whole, error));
        *ret_absorb = !is_whole || time <= header.last_time || header.count < chunk_rows;
        *ret_place = before;
    } else if (has_after) {
        /* A few rows before the first chunk: join it rather than leave a crumb. */
        OI_TRY(read_neighbour(&after, &header, &is_whole, error));
        *ret_absorb = is_whole && header.count < chunk_rows &&
                      oi_rows_find(tail, after.first) - row < chunk_rows / 2;
        *ret_place = after;
    }
    return OI_OK;
}

static enum oi_status
merge_tail(struct checkpoint *checkpoint, struct candidate *candidate, const struct oi_rows *tail,
           struct oi_error *error)
{
    uint32_t series = candidate->series;

    for (size_t row = 0; row < tail->count;) {
        struct oi_chunk_place place = {};
        oi_time to;
        bool absorb;

        OI_TRY(choose_chunk(checkpoint, series, tail, row, &absorb, &place, &to, error));
        oi_rows_clear(&checkpoint->merged);
        for (; row < tail->count && tail->items[row].time < to; row++)
            oi_rows_copy(&checkpoint->merged, tail, row);
        if (absorb) {
            enum oi_status status = absorb_chunk(checkpoint, &place, candidate, error);

            if (status == OI_E_CORRUPT)
                status = leave_damaged(checkpoint, series, place.first, error);
            OI_TRY(status);
        }
        OI_TRY(oi_chunks_put(&checkpoint->access, series, &checkpoint->merged,
                             &candidate->position.chunks, error));
    }
    return OI_OK;
}

static void
advance_position(struct checkpoint *checkpoint, struct oi_position *position,
                 const struct oi_rows *tail)
{
    const struct oi_hidden *hidden = &checkpoint->store->hidden;
    const struct oi_record old = { .time = position->newest.time,
                                   .known_time = position->newest.known_time,
                                   .batch = position->newest_batch };

    if (position->rows == 0 || tail->items[0].time < position->first)
        position->first = tail->items[0].time;
    if (position->rows == 0 || tail->items[tail->count - 1].time > position->last)
        position->last = tail->items[tail->count - 1].time;
    position->rows += tail->count;
    position->chunked_batch = checkpoint->state.last_batch;
    for (size_t i = 0; i < tail->count; i++)
        if (tail->items[i].batch > position->last_batch)
            position->last_batch = tail->items[i].batch;
    for (size_t i = tail->count; i-- > 0;) {
        if (oi_hidden_has(hidden, tail->items[i].batch))
            continue;
        if (position->has_newest && oi_record_compare(&tail->items[i], &old) < 0)
            return;
        position->has_newest = true;
        position->newest = oi_rows_get(tail, i);
        position->newest_batch = tail->items[i].batch;
        return;
    }
}

/* The engine's writer is ours and memory is the disk's: the tail cannot change under us. */
static enum oi_status
move_series(struct checkpoint *checkpoint, struct candidate *candidate, struct oi_error *error)
{
    struct oi_store *store = checkpoint->store;
    const struct oi_rows *tail = &store->tracks.items[candidate->series - 1].tail;

    OI_TRY(merge_tail(checkpoint, candidate, tail, error));
    advance_position(checkpoint, &candidate->position, tail);
    OI_TRY(oi_position_save(&checkpoint->access, candidate->series, &candidate->position, error));
    return oi_rollups_renew(&checkpoint->access, candidate->series, tail, &store->hidden, error);
}

/* Drop the batches whose rows are all in chunks. */
static enum oi_status
cut_log(struct checkpoint *checkpoint, struct oi_error *error)
{
    struct oi_store *store = checkpoint->store;
    const struct oi_kv_engine *engine = store->engine;
    uint64_t start = checkpoint->log_start;

    for (size_t i = 0; i < store->log.count && store->log.items[i].batch < start; i++) {
        const struct oi_key key = oi_key_of_u64(store->log.items[i].batch);

        OI_TRY(engine->remove(checkpoint->access.txn, OI_TABLE_LOG, oi_key_slice(&key), error));
    }
    if (checkpoint->state.log_start < start)
        checkpoint->state.log_start = start;
    return OI_OK;
}

/* The first so many that were chosen were moved, and there is no more time. */
static void
put_off(struct checkpoint *checkpoint, struct rest *rest, size_t moved)
{
    for (size_t i = 0; i < moved; i++)
        rest->rows_max -= checkpoint->candidates.items[i].rows;
    rest->turn -= rest->turn < moved ? rest->turn : moved;
    rest->is_left = true;
    for (size_t i = moved; i < checkpoint->chosen; i++) {
        const struct candidate *candidate = &checkpoint->candidates.items[i];

        checkpoint->due_rows += candidate->rows;
        if (candidate->first_batch < checkpoint->log_start)
            checkpoint->log_start = candidate->first_batch;
    }
    checkpoint->chosen = moved;
}

static int64_t
held_ns(const struct checkpoint *checkpoint)
{
    const struct oi_clock *clock = checkpoint->store->clock;

    return clock->monotonic_ns(clock) - checkpoint->begun_ns;
}

/* At least one, and then as many as there is time for. */
static enum oi_status
move_chosen(struct checkpoint *checkpoint, struct rest *rest, struct oi_error *error)
{
    for (size_t i = 0; i < checkpoint->chosen; i++) {
        if (i > 0 && held_ns(checkpoint) >= HOLD_NS)
            put_off(checkpoint, rest, i);
        else
            OI_TRY(move_series(checkpoint, &checkpoint->candidates.items[i], error));
    }
    return cut_log(checkpoint, error);
}

/* After the commit: memory forgets what is in chunks now, unless a reader has followed already. */
static void
settle_memory(struct checkpoint *checkpoint)
{
    struct oi_store *store = checkpoint->store;

    (void) pthread_mutex_lock(&store->follow_lock);
    (void) pthread_rwlock_wrlock(&store->state_lock);
    if (store->state.checkpoint_version < checkpoint->state.checkpoint_version) {
        for (size_t i = 0; i < checkpoint->chosen; i++)
            oi_track_settle(store, checkpoint->candidates.items[i].series,
                            &checkpoint->candidates.items[i].position);
        oi_log_trim(store, checkpoint->state.log_start);
        store->state.checkpoint_version = checkpoint->state.checkpoint_version;
        store->state.log_start = checkpoint->state.log_start;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    (void) pthread_mutex_unlock(&store->follow_lock);
}

static enum oi_status
checkpoint_in(struct checkpoint *checkpoint, struct rest *rest, struct oi_error *error)
{
    const struct oi_store *store = checkpoint->store;
    enum oi_status status;

    OI_TRY(oi_store_catch_up(checkpoint->store, &checkpoint->access, error));
    choose_series(checkpoint, rest);
    if (checkpoint->chosen == 0 &&
        (store->log.count == 0 || store->log.items[0].batch >= checkpoint->log_start))
        return OI_OK;
    /* Nobody has anything to change in memory now, so this keeps nobody waiting. */
    (void) pthread_rwlock_rdlock(&checkpoint->store->state_lock);
    status = move_chosen(checkpoint, rest, error);
    (void) pthread_rwlock_unlock(&checkpoint->store->state_lock);
    OI_TRY(status);
    checkpoint->state.checkpoint_version++;
    OI_TRY(oi_state_save(&checkpoint->access, &checkpoint->state, error));
    OI_TRY(oi_access_commit(&checkpoint->access, error));
    settle_memory(checkpoint);
    return OI_OK;
}

static enum oi_status
checkpoint_once(struct oi_store *store, struct rest *rest, struct oi_error *error)
{
    struct checkpoint checkpoint = { .store = store };
    struct rest after = *rest;
    enum oi_status status;

    OI_TRY(oi_access_begin(&checkpoint.access, store, OI_KV_WRITE, error));
    checkpoint.begun_ns = store->clock->monotonic_ns(store->clock);
    status = checkpoint_in(&checkpoint, &after, error);
    oi_access_end(&checkpoint.access);
    if (status == OI_OK) {
        after.is_begun = true;
        after.due_rows = checkpoint.due_rows;
        *rest = after;
    }
    oi_vector_release(&checkpoint.candidates);
    oi_chunk_release(&checkpoint.chunk);
    oi_rows_release(&checkpoint.merged);
    return status;
}

/* One process at a time, whichever comes first; the lock goes with the process. */
static enum oi_status
lock_checkpoints(struct oi_store *store, int *ret_file, struct oi_error *error)
{
    char path[4096];
    int file;

    (void) snprintf(path, sizeof(path), "%s/" LOCK_NAME, store->path);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        return oi_fail(error, OI_E_IO, "cannot open %s: %s", path, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        (void) close(file);
        return oi_fail(error, OI_E_BUSY, "another process runs checkpoints");
    }
    *ret_file = file;
    return OI_OK;
}

/* One transaction; the engine grows its map when it is full. */
static enum oi_status
checkpoint_some(struct oi_store *store, struct rest *rest, struct oi_error *error)
{
    enum oi_status status = OI_E_FULL;

    rest->is_left = false;
    (void) pthread_mutex_lock(&store->append_lock);
    for (int attempt = 0; attempt < 3 && status == OI_E_FULL; attempt++)
        status = checkpoint_once(store, rest, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

enum oi_status
oi_store_checkpoint_share(struct oi_store *store, const struct oi_checkpoint_plan *plan,
                          size_t *ret_due, struct oi_error *error)
{
    const struct timespec yield = { .tv_nsec = YIELD_NS };
    struct rest rest = { .plan = plan, .rows_max = plan->rows_max };
    enum oi_status status;
    int file;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    *ret_due = 0;
    if (store->remote)
        return oi_remote_follow(store, error);
    OI_TRY(lock_checkpoints(store, &file, error));
    while ((status = checkpoint_some(store, &rest, error)) == OI_OK && rest.is_left)
        (void) nanosleep(&yield, NULL);
    (void) close(file);
    if (status == OI_OK)
        *ret_due = rest.due_rows;
    return status;
}

enum oi_status
oi_store_checkpoint(struct oi_store *store, size_t rows_max, size_t *ret_left,
                    struct oi_error *error)
{
    const struct oi_checkpoint_plan everything = { .rows_max = rows_max, .share = 1 };
    size_t due;

    OI_TRY(oi_store_checkpoint_share(store, &everything, &due, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    *ret_left = store->tail_rows;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return OI_OK;
}
