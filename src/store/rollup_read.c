/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours and days as they are asked for: stored blocks, with what the log still holds of their
 * buckets. A block that the log has no say in is handed out by columns, and kept as it was decoded
 * (rollup_cache.h).
 */
/* no unit test: store/rollup_test.c asks through store.h, as tests/contract/store_*_test.c do */
#include "store/chunk.h"
#include "store/rollup_cache.h"
#include "store/rollup_internal.h"
#include "store/store_internal.h"

/* Blocks that are used in one transaction where they were decoded before. */
#define KEPT_MAX 16

struct by_columns {
    const struct oi_rollup_request *request;
    struct oi_kept_rollups *kept[KEPT_MAX];
    struct oi_span kept_spans[KEPT_MAX];
    size_t kept_count;
    int64_t starts[ROLLUP_COLUMN_ROOM], counts[ROLLUP_COLUMN_ROOM];
    struct oi_chunk chunks[ROLLUP_PARTS];
    struct oi_rollup_columns columns;
    struct oi_rollup_unread unread; /* of the block that was decoded last */
};

struct reading_call {
    struct oi_store *store;
    uint32_t series;
    const struct rollup_kind *kind;
    struct oi_span times; /* of rows: whole buckets */
    struct oi_rows tail;  /* visible rows of the log in it */
    struct oi_rows rows;  /* of one bucket */
    struct oi_rollups stored, merged;
    struct oi_flags flags;         /* that its rows may need */
    struct by_columns *by_columns; /* NULL: one by one */
};

static enum oi_status
add_columns(void *context, const struct oi_columns *columns, struct oi_error *error)
{
    struct reading_call *call = context;

    (void) error;
    oi_rows_add_columns(&call->rows, columns, 0, columns->count);
    return OI_OK;
}

/* One bucket that the log has rows of. They are usually newer than every chunk, and then simply
 * added to what is stored. */
static enum oi_status
merge_bucket(struct reading_call *call, struct oi_access *access,
             const struct oi_position *position, const struct oi_rollup *stored,
             const struct oi_rows *more, struct oi_error *error)
{
    oi_time start = rollup_floor(call->kind->interval_ns, more->items[0].time);
    const struct oi_hidden none = {};
    struct oi_rollup *merged;

    oi_rows_clear(&call->rows);
    if (stored && more->items[0].time <= position->last) {
        struct oi_hidden hidden;
        enum oi_status status;

        (void) pthread_rwlock_rdlock(&call->store->state_lock);
        hidden = oi_hidden_copy(&call->store->hidden);
        (void) pthread_rwlock_unlock(&call->store->state_lock);
        status = oi_chunks_walk(access, call->series,
                                (struct oi_span){ start, start + call->kind->interval_ns },
                                hidden.count ? &hidden : &none, add_columns, call, error);
        oi_free(hidden.batches);
        OI_TRY(status);
        stored = NULL;
    }
    oi_rows_merge(&call->rows, more);
    oi_rows_settle(&call->rows, OI_TIME_LATEST, false);
    merged = oi_vector_add(&call->merged);
    if (stored)
        *merged = *stored;
    merged->start = start;
    for (size_t i = 0; i < call->rows.count; i++) {
        const struct oi_observation reading = oi_rows_get(&call->rows, i);

        oi_rollup_add(merged, &reading);
    }
    return OI_OK;
}

/* The stored rollups of a block with the tail's rows of it. */
static enum oi_status
merge_block(struct reading_call *call, struct oi_access *access, struct oi_span span,
            struct oi_error *error)
{
    struct oi_position position;
    struct oi_rows more = {};
    size_t next = 0, row = oi_rows_find(&call->tail, span.from);
    size_t end = oi_rows_find(&call->tail, span.to);
    enum oi_status status = OI_OK;

    OI_TRY(oi_position_load(access, call->series, &position, error));
    OI_TRY(rollup_load_span(access, call->series, call->kind->interval_ns, span, &call->stored,
                            error));
    while (next < call->stored.count && call->stored.items[next].start < span.from)
        next++;
    while (status == OI_OK) {
        const struct oi_rollup *stored = NULL;
        oi_time bucket;

        while (row < end && call->tail.items[row].batch <= position.chunked_batch)
            row++;
        if (row == end)
            break;
        bucket = rollup_floor(call->kind->interval_ns, call->tail.items[row].time);
        for (; next < call->stored.count && call->stored.items[next].start < bucket; next++)
            oi_vector_push(&call->merged, call->stored.items[next]);
        if (next < call->stored.count && call->stored.items[next].start == bucket)
            stored = &call->stored.items[next++];
        oi_rows_clear(&more);
        for (; row < end && call->tail.items[row].time < bucket + call->kind->interval_ns; row++)
            if (call->tail.items[row].batch > position.chunked_batch)
                oi_rows_copy(&more, &call->tail, row);
        status = merge_bucket(call, access, &position, stored, &more, error);
    }
    for (; next < call->stored.count && call->stored.items[next].start < span.to; next++)
        oi_vector_push(&call->merged, call->stored.items[next]);
    oi_rows_release(&more);
    return status;
}

/* Take the tail's rows, and cut the span to where the series has any. False when it has none. */
static bool
call_begin(struct reading_call *call)
{
    struct oi_store *store = call->store;
    const struct oi_track *track;
    struct oi_span has = { OI_TIME_LATEST, OI_TIME_NONE };

    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (call->series == 0 || call->series > store->tracks.count) {
        (void) pthread_rwlock_unlock(&store->state_lock);
        return false;
    }
    track = &store->tracks.items[call->series - 1];
    oi_flags_choose(store, call->series, call->times, OI_TIME_LATEST, &call->flags);
    if (track->position->rows > 0)
        has = (struct oi_span){ track->position->first, track->position->last };
    for (size_t i = oi_rows_find(&track->tail, call->times.from);
         i < track->tail.count && track->tail.items[i].time < call->times.to; i++) {
        const struct oi_record *record = &track->tail.items[i];

        if (oi_hidden_has(&store->hidden, record->batch))
            continue;
        oi_rows_copy(&call->tail, &track->tail, i);
        has.from = record->time < has.from ? record->time : has.from;
        has.to = record->time > has.to ? record->time : has.to;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (has.from > has.to)
        return false;
    has.from = rollup_floor(call->kind->interval_ns, has.from);
    has.to = rollup_floor(call->kind->interval_ns, has.to) + call->kind->interval_ns;
    call->times = oi_span_intersect(call->times, has);
    return call->times.from < call->times.to;
}

/* The parts of a stored block as they were asked for. */
static enum oi_status
decode_columns(struct by_columns *by, struct oi_slice key, struct oi_slice body,
               struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_columns *const parts[ROLLUP_PARTS] = { &by->columns.first, &by->columns.high,
                                                     &by->columns.low, &by->columns.last };
    struct oi_chunk_wanted wanted = OI_CHUNK_ALL;

    wanted.is_sealed = true;
    by->unread.count = 0;
    OI_TRY(rollup_decode_head(&cursor, by->starts, by->counts, &by->columns.count, error));
    for (unsigned part = 0; part < ROLLUP_PARTS; part++) {
        struct oi_slice bytes = oi_cursor_bytes(&cursor, oi_cursor_u32(&cursor));

        *parts[part] = (struct oi_columns){};
        if (!(by->request->parts & 1u << part)) {
            by->unread.parts[by->unread.count++] = bytes;
            continue;
        }
        OI_TRY(oi_chunk_decode_part(key, bytes, by->request->columns[part], &wanted,
                                    &by->chunks[part], error));
        *parts[part] = by->chunks[part].columns;
        if (parts[part]->count != by->columns.count)
            return oi_fail(error, OI_E_CORRUPT,
                           "a block of rollups with parts of different length");
    }
    if (cursor.failed || oi_cursor_left(&cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "a block of rollups is damaged");
    by->columns.starts = by->starts;
    by->columns.counts = by->counts;
    return OI_OK;
}

/* Leave only the buckets of the span. */
static void
cut_columns(struct oi_rollup_columns *columns, struct oi_span span)
{
    struct oi_columns *const parts[ROLLUP_PARTS] = { &columns->first, &columns->high, &columns->low,
                                                     &columns->last };
    size_t from = 0, to = columns->count;

    while (from < to && columns->starts[from] < span.from)
        from++;
    while (to > from && columns->starts[to - 1] >= span.to)
        to--;
    for (unsigned part = 0; part < ROLLUP_PARTS; part++)
        if (parts[part]->time)
            *parts[part] = oi_columns_slice(parts[part], from, to);
    columns->starts += from;
    columns->counts += from;
    columns->count = to - from;
}

/* Is a block as it is stored the answer, whatever the log and the ledger of bad rows say? */
static bool
is_plain(const struct reading_call *call, struct oi_span span)
{
    return call->by_columns && call->flags.count == 0 &&
           oi_rows_find(&call->tail, span.from) == oi_rows_find(&call->tail, span.to);
}

/* A block that is stored, by columns; *ret_done is false where none is. */
static enum oi_status
read_columns(struct reading_call *call, struct oi_access *access, struct oi_span span,
             bool *ret_done, struct oi_error *error)
{
    struct oi_store *store = call->store;
    oi_time block = rollup_floor(call->kind->block_ns, span.from);
    const struct oi_key key = oi_key_of_rollup(call->series, call->kind->number, block);
    const struct oi_shelf_label choice =
        oi_rollup_choice_make(call->by_columns->request, call->kind->number, block);
    struct oi_slice sealed, body;
    enum oi_status status;

    *ret_done = false;
    status = store->engine->get(access->txn, OI_TABLE_ROLLUP, oi_key_slice(&key), &sealed, error);
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    OI_TRY(oi_seal_open(OI_TABLE_ROLLUP, oi_key_slice(&key), sealed, &body, error));
    OI_TRY(decode_columns(call->by_columns, oi_key_slice(&key), body, error));
    oi_rollup_offer(store->kept_rollups, &choice,
                    &(struct oi_rollup_origin){ sealed, &call->by_columns->unread,
                                                store->engine->snapshot(access->txn) },
                    &call->by_columns->columns);
    cut_columns(&call->by_columns->columns, span);
    *ret_done = true;
    return OI_OK;
}

/* The end of the block that holds a time, or of what is asked for. */
static oi_time
block_end(const struct reading_call *call, oi_time time)
{
    oi_time to = rollup_floor(call->kind->block_ns, time) + call->kind->block_ns;

    return to < call->times.to ? to : call->times.to;
}

/* A block that was decoded before, taken out of the cache: of the bytes that the engine has, which
 * need not be looked at as long as nothing was committed. NULL where there is none. */
static struct oi_kept_rollups *
take_one(struct reading_call *call, struct oi_access *access, oi_time block)
{
    const struct oi_kv_engine *engine = call->store->engine;
    const struct oi_shelf_label choice =
        oi_rollup_choice_make(call->by_columns->request, call->kind->number, block);
    const struct oi_key key = oi_key_of_rollup(call->series, call->kind->number, block);
    struct oi_kept_rollups *kept =
        (struct oi_kept_rollups *) oi_shelf_take(call->store->kept_rollups, &choice);
    uint64_t snapshot = engine->snapshot(access->txn);
    struct oi_slice sealed;

    if (!kept || (kept->snapshot == snapshot && snapshot != 0))
        return kept;
    if (engine->get(access->txn, OI_TABLE_ROLLUP, oi_key_slice(&key), &sealed, NULL) != OI_OK ||
        !oi_kept_rollups_are_of(kept, sealed)) {
        oi_free(kept);
        return NULL;
    }
    kept->snapshot = snapshot;
    return kept;
}

/* Blocks from `from` on that were decoded before, taken out of the cache as long as each next one
 * is there; where the rest begins. */
static oi_time
take_kept(struct reading_call *call, struct oi_access *access, oi_time from)
{
    struct by_columns *by = call->by_columns;

    while (from < call->times.to && by->kept_count < KEPT_MAX) {
        struct oi_span span = { from, block_end(call, from) };
        struct oi_kept_rollups *kept = NULL;

        if (is_plain(call, span))
            kept = take_one(call, access, rollup_floor(call->kind->block_ns, from));
        if (!kept)
            break;
        by->kept_spans[by->kept_count] = span;
        by->kept[by->kept_count++] = kept;
        from = span.to;
    }
    return from;
}

/* Hand out what take_kept took, and put it back. */
static enum oi_status
hand_out_kept(struct reading_call *call)
{
    struct by_columns *by = call->by_columns;
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < by->kept_count; i++) {
        const struct oi_rollup_columns *columns = &by->kept[i]->columns;

        if (columns->count > 0 && (columns->starts[0] < by->kept_spans[i].from ||
                                   columns->starts[columns->count - 1] >= by->kept_spans[i].to)) {
            by->columns = *columns;
            cut_columns(&by->columns, by->kept_spans[i]);
            columns = &by->columns;
        }
        if (status == OI_OK && columns->count > 0)
            status = by->request->each_columns(by->request->context, columns);
        oi_shelf_put(call->store->kept_rollups, &by->kept[i]->item);
    }
    by->kept_count = 0;
    return status;
}

/* What read_columns or merge_block found, handed out. */
static enum oi_status
hand_out(struct reading_call *call, bool by_columns,
         enum oi_status (*each)(void *context, const struct oi_rollup *rollup), void *context)
{
    if (by_columns)
        return call->by_columns->columns.count == 0
                   ? OI_OK
                   : call->by_columns->request->each_columns(context, &call->by_columns->columns);
    for (size_t i = 0; i < call->merged.count; i++) {
        struct oi_rollup *rollup = &call->merged.items[i];

        for (unsigned part = 0; call->flags.count > 0 && part < ROLLUP_PARTS; part++)
            rollup_part(rollup, part)->flags |=
                oi_flags_of(&call->flags, rollup_part(rollup, part)->time);
        OI_TRY(each(context, rollup));
    }
    return OI_OK;
}

static enum oi_status
walk_blocks(struct reading_call *call,
            enum oi_status (*each)(void *context, const struct oi_rollup *rollup), void *context,
            struct oi_error *error)
{
    for (oi_time from = call->times.from; from < call->times.to;) {
        oi_time to = block_end(call, from), kept_to = from;
        struct oi_access access;
        bool by_columns = false;
        enum oi_status status = OI_OK;

        oi_vector_clear(&call->stored);
        oi_vector_clear(&call->merged);
        OI_TRY(oi_access_begin(&access, call->store, OI_KV_READ, error));
        if (call->by_columns)
            kept_to = take_kept(call, &access, from);
        if (kept_to == from && is_plain(call, (struct oi_span){ from, to }))
            status = read_columns(call, &access, (struct oi_span){ from, to }, &by_columns, error);
        if (kept_to == from && status == OI_OK && !by_columns)
            status = merge_block(call, &access, (struct oi_span){ from, to }, error);
        oi_access_end(&access);
        OI_TRY(status);
        if (kept_to > from)
            OI_TRY(hand_out_kept(call));
        else
            OI_TRY(hand_out(call, by_columns, each, context));
        from = kept_to > from ? kept_to : to;
    }
    return OI_OK;
}

static enum oi_status
read_rollups(struct reading_call *call, int64_t interval_ns, struct oi_span span,
             enum oi_status (*each)(void *context, const struct oi_rollup *rollup), void *context,
             struct oi_error *error)
{
    enum oi_status status = OI_OK;

    call->kind = rollup_kind_find(interval_ns);
    if (!call->kind)
        return oi_fail(error, OI_E_INVALID, "rollups are of one hour or one day");
    OI_TRY(oi_store_refresh(call->store, error));
    /* Buckets that start in the span; the open ends are no buckets. */
    call->times = span;
    if (span.from > OI_TIME_EARLIEST + OI_WEEK)
        call->times.from = -rollup_floor(interval_ns, -span.from);
    if (span.to < OI_TIME_LATEST - OI_WEEK && span.to > OI_TIME_EARLIEST + OI_WEEK)
        call->times.to = -rollup_floor(interval_ns, -span.to);
    if (call_begin(call))
        status = walk_blocks(call, each, context, error);
    oi_rows_release(&call->tail);
    oi_rows_release(&call->rows);
    oi_vector_release(&call->stored);
    oi_vector_release(&call->merged);
    oi_vector_release(&call->flags);
    return status == OI_OK ? oi_store_check_whole(call->store, error) : status;
}

enum oi_status
oi_store_rollups(struct oi_store *store, uint32_t series, int64_t interval_ns, struct oi_span span,
                 enum oi_status (*each)(void *context, const struct oi_rollup *rollup),
                 void *context, struct oi_error *error)
{
    struct reading_call call = { .store = store, .series = series };

    return read_rollups(&call, interval_ns, span, each, context, error);
}

enum oi_status
oi_store_rollup_columns(struct oi_store *store, const struct oi_rollup_request *request,
                        struct oi_error *error)
{
    struct by_columns *by;
    struct reading_call call = { .store = store, .series = request->series };
    enum oi_status status;

    if (store->remote)
        return oi_remote_rollups(store, request, error);
    call.by_columns = by = oi_alloc(sizeof(*by));
    by->request = request;
    by->kept_count = 0;
    by->columns = (struct oi_rollup_columns){};
    memset(by->chunks, 0, sizeof(by->chunks));
    status = read_rollups(&call, request->interval_ns, request->span, request->each,
                          request->context, error);
    for (unsigned part = 0; part < ROLLUP_PARTS; part++)
        oi_chunk_release(&by->chunks[part]);
    oi_free(by);
    return status;
}
