/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading in bulk: rows are sorted into series; what follows everything a series has is encoded on
 * several threads and put into chunks and rollups in one transaction, with the import's mark; the
 * rest is appended before it. The batch gets its number, its commit time and an empty entry in the
 * log, so every question about moments is answered as if it had been appended.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

#include <stdlib.h>
#include <string.h>

/* The engine grows its map when it is full; then the whole transaction is done again. */
#define ATTEMPTS 3
/* So many rows are appended at once. */
#define APPEND_ROWS ((size_t) 32'768)
/* Where series have fewer rows than this part of a chunk they are appended: chunks of their own
 * would be crumbs, and the log gathers them. */
#define CRUMB_PART 8
/* More rows of one instant are for the append, which knows how to refuse them. */
#define REPEATS_MAX 1000
/* Flags that say how we came to know, not what was said. */
#define PROVENANCE_FLAGS (OI_FLAG_KNOWN_ASSUMED | OI_FLAG_DEFINITION_ASSUMED)

struct refusal {
    struct oi_bulk_item item;
    const char *reason;
};

struct oi_bulk_prepared {
    struct oi_store *store;
    const struct oi_bulk *bulk;
    struct oi_bulk_work work;
    struct oi_bulk_item *items; /* of all series */
    struct oi_import_mark mark; /* `is_marked` */
    bool is_marked;
    bool is_whole;     /* all rows were appended as they are */
    bool is_flipped;   /* some series must be appended after all */
    oi_time sorted_at; /* no row was known later */
    /* Some loads are encoded already, for this batch. */
    bool is_planned;
    uint64_t planned_batch;
    bool is_settled; /* its commit is in the store's state, under whose lock this is */
    pthread_mutex_t lock;
    OI_VECTOR(struct refusal) refusals; /* under the lock, as is what follows */
    size_t duplicate;
    struct oi_append_result result;
    const struct oi_bulk_item *appended; /* the rows of the batch being appended */
};

static void
refuse(void *context, struct oi_bulk_item item, const char *reason)
{
    struct oi_bulk_prepared *loading = context;
    const struct refusal refusal = { item, reason };

    (void) pthread_mutex_lock(&loading->lock);
    oi_vector_push(&loading->refusals, refusal);
    (void) pthread_mutex_unlock(&loading->lock);
}

static void
sort_into_series(struct oi_bulk_prepared *loading)
{
    struct oi_store *store = loading->store;
    struct oi_bulk_sort sort = { .bulk = loading->bulk,
                                 .now = loading->sorted_at = store->clock->wall_ns(store->clock),
                                 .refuse = refuse,
                                 .context = loading };

    (void) pthread_rwlock_rdlock(&store->state_lock);
    sort.series_count = store->names.series.count;
    (void) pthread_rwlock_unlock(&store->state_lock);
    loading->items = oi_bulk_sort(&sort, &loading->work);
}

/*
 * Preparing one series: order, and rows of one instant.
 */

static oi_time
known_of(const struct oi_packed *row)
{
    return row->known_time == OI_TIME_NONE ? OI_TIME_LATEST : row->known_time;
}

static int
compare_keys(const struct oi_packed *a, const struct oi_packed *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (known_of(a) > known_of(b)) - (known_of(a) < known_of(b));
}

static int
compare_items(const void *left, const void *right, void *context)
{
    const struct oi_bulk_item *a = left, *b = right;
    const struct oi_bulk *bulk = context;
    int order = compare_keys(oi_bulk_row(bulk, *a), oi_bulk_row(bulk, *b));

    if (order != 0)
        return order;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static bool
same_reading(const struct oi_bulk *bulk, struct oi_bulk_item left, struct oi_bulk_item right)
{
    const struct oi_packed *a = oi_bulk_row(bulk, left), *b = oi_bulk_row(bulk, right);

    if ((a->flags & ~PROVENANCE_FLAGS) != (b->flags & ~PROVENANCE_FLAGS))
        return false;
    for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++) {
        struct oi_decimal one = oi_packed_figure(a, figure, bulk->parts[left.part].wides);
        struct oi_decimal other = oi_packed_figure(b, figure, bulk->parts[right.part].wides);

        if (!oi_decimal_equal(&one, &other))
            return false;
    }
    return true;
}

/* Does an instant's repetition need the append's care? They are in key order here; there they come
 * in the order of the file. */
static bool
has_odd_repeats(const struct oi_bulk *bulk, const struct oi_bulk_load *load)
{
    size_t repeats = 0;

    for (size_t i = 1; i < load->count; i++) {
        struct oi_bulk_item a = load->items[i - 1], b = load->items[i];

        if (oi_bulk_row(bulk, a)->time != oi_bulk_row(bulk, b)->time) {
            repeats = 0;
            continue;
        }
        if (a.part > b.part || (a.part == b.part && a.row > b.row) || ++repeats > REPEATS_MAX)
            return true;
    }
    return false;
}

/* What an append would say to the rows of one instant. */
static void
drop_repeats(struct oi_bulk_prepared *loading, struct oi_bulk_load *load, bool restates)
{
    const struct oi_bulk *bulk = loading->bulk;
    size_t kept = 1, duplicate = 0;

    for (size_t i = 1; i < load->count; i++) {
        struct oi_bulk_item before = load->items[kept - 1], item = load->items[i];

        if (oi_bulk_row(bulk, before)->time != oi_bulk_row(bulk, item)->time)
            load->items[kept++] = item;
        else if (same_reading(bulk, before, item))
            duplicate++;
        else if (compare_keys(oi_bulk_row(bulk, before), oi_bulk_row(bulk, item)) == 0)
            refuse(loading, item, "two different readings of one instant in one batch");
        else if (!restates)
            refuse(loading, item, "a second, different reading: the feed does not restate");
        else
            load->items[kept++] = item;
    }
    load->count = kept;
    (void) pthread_mutex_lock(&loading->lock);
    loading->duplicate += duplicate;
    (void) pthread_mutex_unlock(&loading->lock);
}

static void
order_rows(struct oi_bulk_prepared *loading, struct oi_bulk_load *load)
{
    const struct oi_bulk *bulk = loading->bulk;

    if (load->is_tangled)
        qsort_r(load->items, load->count, sizeof(*load->items), compare_items, (void *) bulk);
    load->first = oi_bulk_row(bulk, load->items[0])->time;
    load->last = oi_bulk_row(bulk, load->items[load->count - 1])->time;
    load->is_odd = load->is_tangled && has_odd_repeats(bulk, load);
}

/* May it go into chunks? The state lock is held. */
static bool
is_ahead(const struct oi_store *store, const struct oi_bulk_load *load)
{
    const struct oi_track *track = &store->tracks.items[load->series - 1];
    const struct oi_names *names = &store->names;
    const struct oi_feed *feed =
        &names->feeds.items[names->series.items[load->series - 1].feed - 1];

    return !store->remote && track->tail.count == 0 && strcmp(feed->name, "live") != 0 &&
           (track->position->rows == 0 || load->first > track->position->last);
}

static void
prepare(struct oi_bulk_prepared *loading)
{
    struct oi_store *store = loading->store;
    size_t least = store->chunk_rows / CRUMB_PART, rows = 0;

    for (size_t i = 0; i < loading->work.load_count; i++)
        rows += loading->work.loads[i].count;
    /* Among large ones a crumb is where the part begins or ends within a series. */
    if (rows >= least * loading->work.load_count)
        least = 0;
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];
        bool restates;

        load->is_appended = load->count < least;
        if (load->is_appended)
            continue;
        order_rows(loading, load);
        (void) pthread_rwlock_rdlock(&store->state_lock);
        load->is_appended = load->is_odd || !is_ahead(store, load);
        restates =
            store->names.feeds.items[store->names.series.items[load->series - 1].feed - 1].restates;
        (void) pthread_rwlock_unlock(&store->state_lock);
        if (!load->is_appended && load->is_tangled)
            drop_repeats(loading, load, restates);
    }
}

/*
 * Appending what cannot be loaded.
 */

static void
refuse_appended(void *context, size_t row, const char *reason)
{
    struct oi_bulk_prepared *loading = context;
    struct oi_bulk_item item = loading->appended[row];

    if (loading->bulk->refuse)
        loading->bulk->refuse(loading->bulk->context, item.part, item.row, reason);
}

static void
count_result(struct oi_bulk_prepared *loading, const struct oi_append_result *result)
{
    loading->result.batch = result->batch ? result->batch : loading->result.batch;
    loading->result.stored += result->stored;
    loading->result.duplicate += result->duplicate;
    loading->result.refused += result->refused;
    loading->mark.stored += result->stored;
    loading->mark.duplicate += result->duplicate;
    loading->mark.refused += result->refused;
}

static enum oi_status
append_items(struct oi_bulk_prepared *loading, const struct oi_bulk_item *items,
             const struct oi_row *rows, size_t count, struct oi_error *error)
{
    struct oi_append_result result = {};
    const struct oi_batch batch = { .rows = rows,
                                    .row_count = count,
                                    .import = loading->is_marked ? &loading->mark : NULL,
                                    .refuse = refuse_appended,
                                    .context = loading };

    loading->appended = items;
    OI_TRY(oi_store_append(loading->store, &batch, &result, error));
    count_result(loading, &result);
    return OI_OK;
}

/* Where rows are elsewhere nothing is loaded, and the last append tells how far the file is. */
static void
finish_mark(struct oi_bulk_prepared *loading)
{
    if (!loading->is_marked)
        return;
    loading->mark.rows_done = loading->bulk->import->rows_done;
    loading->mark.is_complete = loading->bulk->import->is_complete;
}

/* Where rows are elsewhere, and all in order behind what is there: batches as they are, while that
 * holds. */
static enum oi_status
append_as_they_are(struct oi_bulk_prepared *loading, struct oi_error *error)
{
    struct oi_bulk_work *work = &loading->work;
    bool is_taken;
    size_t together = oi_bulk_batch(work), left = oi_bulk_count(work, &is_taken);
    struct oi_batch_rows rows = {};
    enum oi_status status = OI_OK;

    if (left == 0)
        return OI_OK;
    while (status == OI_OK && is_taken && left > 0) {
        const struct oi_import_mark mark = loading->mark;
        const struct oi_batch batch = { .import = loading->is_marked ? &loading->mark : NULL };
        struct oi_append_result result = {};
        size_t count = together < left ? together : left;

        if (count == left)
            finish_mark(loading);
        is_taken = oi_bulk_take_records(loading->store, work, count, &rows);
        if (is_taken)
            status = oi_append_ahead(loading->store, &batch, &rows, &result, &is_taken, error);
        if (status != OI_OK || !is_taken) {
            loading->mark = mark;
            break;
        }
        count_result(loading, &result);
        oi_bulk_drop_items(work, count);
        left -= count;
    }
    loading->is_whole = status == OI_OK && left == 0;
    oi_bulk_leave_records(loading->store, loading->is_marked && !loading->mark.is_complete, &rows);
    return status;
}

/* The rows of all series that are appended; they are then dealt with. */
static enum oi_status
append_rows(struct oi_bulk_prepared *loading, struct oi_error *error)
{
    OI_VECTOR(struct oi_bulk_item) items = {};
    OI_VECTOR(struct oi_row) rows = {};
    size_t together = loading->store->remote ? oi_bulk_batch(&loading->work) : APPEND_ROWS;
    enum oi_status status = OI_OK;

    if (loading->store->remote) {
        OI_TRY(append_as_they_are(loading, error));
        if (loading->is_whole)
            return OI_OK;
    }
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];

        for (size_t k = 0; load->is_appended && status == OI_OK && k < load->count; k++) {
            struct oi_row row = { .series = load->series,
                                  .reading = oi_bulk_observation(&loading->work, load->items[k]) };

            row.reading.known_time = oi_bulk_row(loading->bulk, load->items[k])->known_time;
            oi_vector_push(&items, load->items[k]);
            oi_vector_push(&rows, row);
            if (rows.count < together)
                continue;
            status = append_items(loading, items.items, rows.items, rows.count, error);
            oi_vector_clear(&items);
            oi_vector_clear(&rows);
        }
        if (load->is_appended)
            load->count = 0;
    }
    if (loading->store->remote)
        finish_mark(loading);
    if (status == OI_OK && (rows.count > 0 || (loading->store->remote && loading->is_marked)))
        status = append_items(loading, items.items, rows.items, rows.count, error);
    oi_vector_release(&items);
    oi_vector_release(&rows);
    return status;
}

/*
 * Loading the rest.
 */

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
        load->is_appended = !is_ahead(store, load);
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

static enum oi_status
load_rows(struct oi_bulk_prepared *loading, struct oi_error *error)
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

static int
compare_refusals(const void *left, const void *right)
{
    const struct refusal *a = left, *b = right;

    if (a->item.part != b->item.part)
        return a->item.part < b->item.part ? -1 : 1;
    return (a->item.row > b->item.row) - (a->item.row < b->item.row);
}

/* Counts, and the refusals that the caller has not heard of yet. */
static void
report(struct oi_bulk_prepared *loading)
{
    const struct oi_bulk *bulk = loading->bulk;

    loading->result.duplicate += loading->duplicate;
    loading->result.refused += loading->refusals.count;
    for (size_t i = 0; i < loading->work.load_count; i++)
        loading->result.stored += loading->work.loads[i].count;
    if (loading->refusals.count == 0 || !bulk->refuse)
        return;
    qsort(loading->refusals.items, loading->refusals.count, sizeof(struct refusal),
          compare_refusals);
    for (size_t i = 0; i < loading->refusals.count; i++) {
        const struct refusal *refusal = &loading->refusals.items[i];

        bulk->refuse(bulk->context, refusal->item.part, refusal->item.row, refusal->reason);
    }
}

/* What was encoded: it may be much, and is of no more use after the commit. */
static void
release_loads(struct oi_bulk_prepared *loading)
{
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];

        oi_buffer_release(&load->bytes);
        oi_vector_release(&load->values);
        oi_vector_release(&load->rollups[0]);
        oi_vector_release(&load->rollups[1]);
    }
}

/*
 * Encoding ahead, while the commit before is still on its way: new series, of which nothing can be
 * there, for the batch that the commit is about to have.
 */

/* Is the series among those of the load before? */
static bool
has_series(const struct oi_bulk_prepared *before, uint32_t series)
{
    size_t from = 0, to = before ? before->work.load_count : 0;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (before->work.loads[middle].series < series)
            from = middle + 1;
        else
            to = middle;
    }
    return before && from < before->work.load_count && before->work.loads[from].series == series;
}

/* Which series, and what for. False when that is not worth it: an append takes a batch of its own.
 */
static bool
plan(struct oi_bulk_prepared *loading, const struct oi_bulk_prepared *before)
{
    struct oi_store *store = loading->store;
    bool is_appended = store->remote, is_any = false;

    for (size_t i = 0; i < loading->work.load_count; i++)
        is_appended |= loading->work.loads[i].is_appended;
    if (is_appended)
        return false;
    (void) pthread_rwlock_rdlock(&store->state_lock);
    loading->planned_batch = store->state.last_batch + 1 + (before && !before->is_settled);
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];
        const struct oi_track *track = &store->tracks.items[load->series - 1];

        load->is_encoded =
            load->count > 0 && track->position->rows == 0 && !has_series(before, load->series);
        if (load->is_encoded)
            load->position = *track->position;
        is_any |= load->is_encoded;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_any;
}

/* What may be encoded ahead, and until when. */
struct ahead {
    struct oi_bulk_prepared *loading;
    const struct oi_bulk_prepared *before; /* NULL: all of it */
};

static bool
is_settled(struct oi_store *store, const struct oi_bulk_prepared *before)
{
    bool is_settled;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    is_settled = before->is_settled;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_settled;
}

/* Once the commit before is done there is nothing left to wait for: the commit encodes the rest. */
static void
encode_planned(void *context)
{
    const struct ahead *ahead = context;
    struct oi_bulk_work *work = &ahead->loading->work;
    size_t i;

    while ((i = atomic_fetch_add(&work->next, 1)) < work->load_count) {
        struct oi_bulk_load *load = &work->loads[i];

        if (!load->is_encoded)
            continue;
        if (ahead->before && is_settled(ahead->loading->store, ahead->before))
            load->is_encoded = false;
        else
            oi_bulk_encode(work, load);
    }
}

static void
encode_ahead(struct oi_bulk_prepared *loading, const struct oi_bulk_prepared *before)
{
    struct ahead ahead = { loading, before };

    loading->is_planned = plan(loading, before);
    if (!loading->is_planned)
        return;
    loading->work.batch = loading->planned_batch;
    atomic_store(&loading->work.next, 0);
    oi_bulk_on_all_threads(loading->bulk, encode_planned, &ahead);
}

enum oi_status
oi_store_bulk_prepare(struct oi_store *store, const struct oi_bulk *bulk,
                      const struct oi_bulk_prepared *before, struct oi_bulk_prepared **ret_prepared,
                      struct oi_error *error)
{
    struct oi_bulk_prepared *loading;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    OI_TRY(oi_store_refresh(store, error));
    loading = oi_alloc_zero(1, sizeof(*loading));
    loading->store = store;
    loading->bulk = bulk;
    loading->work.bulk = bulk;
    loading->work.chunk_rows = store->chunk_rows;
    (void) pthread_mutex_init(&loading->lock, NULL);
    sort_into_series(loading);
    prepare(loading);
    encode_ahead(loading, before);
    *ret_prepared = loading;
    return OI_OK;
}

enum oi_status
oi_store_bulk_commit(struct oi_bulk_prepared *prepared, struct oi_append_result *ret_result,
                     struct oi_error *error)
{
    const struct oi_bulk *bulk = prepared->bulk;
    enum oi_status status;

    prepared->is_marked = bulk->import != NULL;
    if (bulk->import) {
        prepared->mark = *bulk->import;
        prepared->mark.rows_done = bulk->rows_before;
        prepared->mark.is_complete = false;
    }
    do {
        status = append_rows(prepared, error);
        if (status == OI_OK && !prepared->store->remote)
            status = load_rows(prepared, error);
    } while (status == OI_OK && prepared->is_flipped);
    if (status == OI_OK) {
        report(prepared);
        *ret_result = prepared->result;
    }
    release_loads(prepared);
    return status;
}

void
oi_store_bulk_free(struct oi_bulk_prepared **prepared)
{
    if (!*prepared)
        return;
    release_loads(*prepared);
    oi_free((*prepared)->work.loads);
    oi_free((*prepared)->items);
    oi_vector_release(&(*prepared)->refusals);
    (void) pthread_mutex_destroy(&(*prepared)->lock);
    oi_free(*prepared);
    *prepared = NULL;
}

enum oi_status
oi_store_bulk(struct oi_store *store, const struct oi_bulk *bulk,
              struct oi_append_result *ret_result, struct oi_error *error)
{
    OI_CLEANUP(oi_store_bulk_free) struct oi_bulk_prepared *prepared = NULL;

    OI_TRY(oi_store_bulk_prepare(store, bulk, NULL, &prepared, error));
    return oi_store_bulk_commit(prepared, ret_result, error);
}
