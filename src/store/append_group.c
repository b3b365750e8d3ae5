/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: appends that come while another one is being synced are written together in the
 * next transaction, as one batch. A sync costs milliseconds and a row nanoseconds, so streams that
 * append a few rows each would otherwise wait for one another's syncs. Nobody waits on purpose.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

/* An append leaves at most about this many rows in memory: then it moves some into chunks itself,
 * whoever else should have. */
#define TAIL_ROWS_MAX ((size_t) 1 << 21)
/* The engine grows its map when it is full; then the whole transaction is done again. */
#define ATTEMPTS 3
/* So many rows are put together at most: copying them should stay far below a sync. */
#define GROUP_ROWS_MAX 16384
#define GROUP_PARTS_MAX 64

/* One caller, waiting for its turn on its own stack. */
struct oi_append_turn {
    struct oi_append_turn *next;
    const struct oi_batch *batch;
    struct oi_append_result result;
    enum oi_status status;
    struct oi_error error;
    bool is_done;
};

struct group {
    struct oi_append_turn *turns[GROUP_PARTS_MAX];
    struct oi_append_part parts[GROUP_PARTS_MAX];
    size_t count;
    struct oi_batch batch;
};

bool
oi_append_is_idle(const struct oi_append_part *part)
{
    return part->result.stored == 0 && part->batch->hole_count == 0 &&
           part->batch->mark_count == 0 && !part->batch->import;
}

static void
join_queue(struct oi_store *store, struct oi_append_turn *turn)
{
    (void) pthread_mutex_lock(&store->queue_lock);
    if (store->queue_last)
        store->queue_last->next = turn;
    else
        store->queue_first = turn;
    store->queue_last = turn;
    (void) pthread_mutex_unlock(&store->queue_lock);
}

/* An import says how far a file is: it has a commit of its own. */
static bool
fits_group(const struct group *group, const struct oi_append_turn *turn)
{
    if (group->count == 0)
        return true;
    return group->count < GROUP_PARTS_MAX && !turn->batch->import &&
           !group->turns[0]->batch->import &&
           group->batch.row_count + turn->batch->row_count <= GROUP_ROWS_MAX;
}

/* Those who came first, as many as go together. */
static void
leave_queue(struct oi_store *store, struct group *group)
{
    (void) pthread_mutex_lock(&store->queue_lock);
    while (store->queue_first && fits_group(group, store->queue_first)) {
        struct oi_append_turn *turn = store->queue_first;

        store->queue_first = turn->next;
        if (!store->queue_first)
            store->queue_last = NULL;
        group->parts[group->count] =
            (struct oi_append_part){ .batch = turn->batch, .first = group->batch.row_count };
        group->turns[group->count++] = turn;
        group->batch.row_count += turn->batch->row_count;
        group->batch.hole_count += turn->batch->hole_count;
        group->batch.mark_count += turn->batch->mark_count;
    }
    (void) pthread_mutex_unlock(&store->queue_lock);
}

/* An instant of a series, and whose. */
struct claim {
    uint32_t series, part;
    oi_time time;
};

static int
compare_claims(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;

    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->part < b->part ? -1 : a->part > b->part;
}

/* Does one instant come from two callers? Then who came second must see what the first one left. */
static bool
has_conflict(const struct group *group)
{
    struct claim *claims = oi_alloc((group->batch.row_count + 1) * sizeof(*claims));
    size_t count = 0;
    bool is_found = false;

    for (uint32_t part = 0; part < group->count; part++)
        for (size_t i = 0; i < group->parts[part].batch->row_count; i++) {
            const struct oi_row *row = &group->parts[part].batch->rows[i];

            claims[count++] = (struct claim){ row->series, part, row->reading.time };
        }
    qsort(claims, count, sizeof(*claims), compare_claims);
    for (size_t i = 1; i < count && !is_found; i++)
        is_found = claims[i].series == claims[i - 1].series &&
                   claims[i].time == claims[i - 1].time && claims[i].part != claims[i - 1].part;
    oi_free(claims);
    return is_found;
}

static enum oi_status
commit(struct oi_store *store, const struct oi_batch *batch, struct oi_append_part *parts,
       size_t count, struct oi_error *error)
{
    enum oi_status status = OI_E_FULL;

    for (int attempt = 0; attempt < ATTEMPTS && status == OI_E_FULL; attempt++)
        status = oi_append_commit(store, batch, parts, count, error);
    atomic_store(&store->is_paused, status == OI_E_FULL);
    return status;
}

static void
commit_alone(struct oi_store *store, struct oi_append_turn *turn)
{
    struct oi_append_part part = { .batch = turn->batch };

    turn->status = commit(store, turn->batch, &part, 1, &turn->error);
    turn->result = part.result;
}

/* All of them as one batch. Nothing is settled when that fails: whose fault it is shows when each
 * goes alone. */
static enum oi_status
commit_together(struct oi_store *store, struct group *group)
{
    struct oi_row *rows = oi_alloc((group->batch.row_count + 1) * sizeof(*rows));
    struct oi_hole *holes = oi_alloc((group->batch.hole_count + 1) * sizeof(*holes));
    struct oi_watch_mark *marks = oi_alloc((group->batch.mark_count + 1) * sizeof(*marks));
    size_t row_count = 0, hole_count = 0, mark_count = 0;
    enum oi_status status;

    for (size_t i = 0; i < group->count; i++) {
        const struct oi_batch *batch = group->parts[i].batch;

        for (size_t row = 0; row < batch->row_count; row++)
            rows[row_count++] = batch->rows[row];
        for (size_t hole = 0; hole < batch->hole_count; hole++)
            holes[hole_count++] = batch->holes[hole];
        for (size_t mark = 0; mark < batch->mark_count; mark++)
            marks[mark_count++] = batch->marks[mark];
    }
    group->batch.rows = rows;
    group->batch.holes = holes;
    group->batch.marks = marks;
    status = oi_append_commit(store, &group->batch, group->parts, group->count, NULL);
    oi_free(rows);
    oi_free(holes);
    oi_free(marks);
    return status;
}

/* The append lock is held. */
static void
serve_group(struct oi_store *store, struct group *group)
{
    bool is_settled =
        group->count > 1 && !has_conflict(group) && commit_together(store, group) == OI_OK;

    if (is_settled)
        atomic_store(&store->is_paused, false);
    for (size_t i = 0; i < group->count; i++) {
        struct oi_append_turn *turn = group->turns[i];

        if (is_settled) {
            turn->status = OI_OK;
            turn->result = group->parts[i].result;
        } else {
            commit_alone(store, turn);
        }
        turn->is_done = true;
    }
}

/* Whoever appends faster than checkpoints run pays for one. */
static void
relieve(struct oi_store *store)
{
    size_t rows, left;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    rows = store->tail_rows;
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (rows > TAIL_ROWS_MAX)
        (void) oi_store_checkpoint(store, TAIL_ROWS_MAX / 2, &left, NULL);
}

static enum oi_status
keep_for_later(struct oi_store *store, const struct oi_batch *batch, struct oi_append_turn *turn,
               struct oi_error *error)
{
    enum oi_status status;

    (void) pthread_mutex_lock(&store->append_lock);
    status = store->remote->keep(store->remote_context, batch, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    atomic_store(&store->is_paused, status == OI_E_FULL);
    turn->result = (struct oi_append_result){ .time = OI_TIME_NONE, .stored = batch->row_count };
    return status;
}

enum oi_status
oi_store_append(struct oi_store *store, const struct oi_batch *batch,
                struct oi_append_result *ret_result, struct oi_error *error)
{
    struct oi_append_turn turn = { .batch = batch };

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    if (batch->row_count > OI_BATCH_ROWS_MAX)
        return oi_fail(error, OI_E_INVALID, "a batch of %zu rows, at most %zu are taken at once",
                       batch->row_count, OI_BATCH_ROWS_MAX);
    join_queue(store, &turn);
    (void) pthread_mutex_lock(&store->append_lock);
    /* Who holds the lock serves those who came first, which may not yet be itself. */
    while (!turn.is_done) {
        struct group group = {};

        leave_queue(store, &group);
        serve_group(store, &group);
    }
    (void) pthread_mutex_unlock(&store->append_lock);
    /* Nothing is lost while the rows' place is away: what can wait is kept here. */
    if (turn.status == OI_E_BUSY && store->remote && !batch->import &&
        keep_for_later(store, batch, &turn, error) == OI_OK) {
        *ret_result = turn.result;
        return OI_OK;
    }
    if (turn.status != OI_OK)
        return oi_fail(error, turn.status, "%s", turn.error.message);
    relieve(store);
    *ret_result = turn.result;
    return OI_OK;
}
