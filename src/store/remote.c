/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mirror of a store whose rows are elsewhere: changes are made known to all before they are
 * applied, and those of others are applied as they were made.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/remote.h"

#include "store/store_internal.h"

#include <string.h>

enum oi_status
oi_remote_open(const char *path, const struct oi_store_options *options,
               const struct oi_remote_calls *calls, void *context, struct oi_store **ret_store,
               struct oi_error *error)
{
    struct oi_store_options own = *options;
    struct oi_store *store = NULL;

    own.engine = &oi_kv_memory;
    own.is_read_only = false;
    OI_TRY(oi_store_open(path, &own, &store, error));
    store->is_read_only = options->is_read_only;
    store->remote = calls;
    store->remote_context = context;
    *ret_store = store;
    return OI_OK;
}

void *
oi_remote_context(struct oi_store *store, const struct oi_remote_calls *calls)
{
    return store->remote == calls ? store->remote_context : NULL;
}

enum oi_status
oi_remote_follow(struct oi_store *store, struct oi_error *error)
{
    enum oi_status status;

    (void) pthread_mutex_lock(&store->append_lock);
    status = store->remote->follow(store->remote_context, true, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

void
oi_remote_verified(struct oi_store *store, uint32_t series)
{
    if (store->verified)
        store->verified(store->verified_context, series);
}

enum oi_status
oi_remote_look(struct oi_store *store, struct oi_error *error)
{
    enum oi_status status;

    if (pthread_mutex_trylock(&store->append_lock) != 0)
        return OI_OK;
    status = store->remote->follow(store->remote_context, false, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

enum oi_status
oi_remote_change(struct oi_store *store, enum oi_change_kind kind, struct oi_slice body,
                 size_t *ret_changed, struct oi_error *error)
{
    const struct oi_remote_calls *remote = store->remote;
    struct oi_change change = { .kind = kind, .body = body };
    bool is_overtaken = true;
    enum oi_status status = OI_OK;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    (void) pthread_mutex_lock(&store->append_lock);
    while (status == OI_OK && is_overtaken) {
        status = remote->follow(store->remote_context, true, error);
        change.time = oi_store_now(store, &store->state);
        is_overtaken = false;
        if (status == OI_OK)
            status = remote->commit(store->remote_context, &change, NULL, &is_overtaken, error);
    }
    if (status == OI_OK)
        status = oi_remote_apply(store, &change, ret_changed, error);
    /* What is the newest row now? */
    if (status == OI_OK && kind == OI_CHANGE_WITHDRAW)
        status = remote->follow(store->remote_context, true, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

/*
 * The body of an append.
 */

void
oi_remote_encode_batch(const struct oi_batch *batch, const struct oi_import_mark *mark,
                       struct oi_buffer *out)
{
    oi_buffer_add_u8(out, mark != NULL);
    if (mark) {
        oi_buffer_add(out, mark->fingerprint, sizeof(mark->fingerprint));
        oi_name_encode(out, mark->name);
        oi_name_encode(out, mark->format);
        oi_buffer_add_u64(out, mark->rows_done);
        oi_buffer_add_u64(out, mark->stored);
        oi_buffer_add_u64(out, mark->duplicate);
        oi_buffer_add_u64(out, mark->refused);
        oi_buffer_add_u8(out, mark->is_complete);
    }
    oi_buffer_add_u32(out, (uint32_t) batch->hole_count);
    for (size_t i = 0; i < batch->hole_count; i++) {
        const struct oi_hole *hole = &batch->holes[i];

        oi_buffer_add_u32(out, hole->instrument);
        oi_name_encode(out, hole->exchange);
        oi_name_encode(out, hole->product);
        oi_buffer_add_u64(out, (uint64_t) hole->span.from);
        oi_buffer_add_u64(out, (uint64_t) hole->span.to);
        oi_buffer_add_u8(out, (uint8_t) hole->cause);
    }
    oi_buffer_add_u32(out, (uint32_t) batch->mark_count);
    for (size_t i = 0; i < batch->mark_count; i++) {
        oi_name_encode(out, batch->marks[i].exchange);
        oi_name_encode(out, batch->marks[i].product);
        oi_buffer_add_u64(out, (uint64_t) batch->marks[i].minute);
    }
}

void
oi_told_release(struct oi_told_batch *told)
{
    oi_vector_release(&told->holes);
    oi_vector_release(&told->marks);
}

static void
decode_mark(struct oi_cursor *cursor, struct oi_import_mark *mark)
{
    struct oi_slice hash = oi_cursor_bytes(cursor, sizeof(mark->fingerprint));

    if (!cursor->failed)
        memcpy(mark->fingerprint, hash.data, sizeof(mark->fingerprint));
    oi_name_decode(cursor, mark->name, sizeof(mark->name));
    oi_name_decode(cursor, mark->format, sizeof(mark->format));
    mark->rows_done = oi_cursor_u64(cursor);
    mark->stored = oi_cursor_u64(cursor);
    mark->duplicate = oi_cursor_u64(cursor);
    mark->refused = oi_cursor_u64(cursor);
    mark->is_complete = oi_cursor_u8(cursor) != 0;
}

static void
decode_hole(struct oi_cursor *cursor, struct oi_hole *hole)
{
    uint8_t cause;

    hole->instrument = oi_cursor_u32(cursor);
    oi_name_decode(cursor, hole->exchange, sizeof(hole->exchange));
    oi_name_decode(cursor, hole->product, sizeof(hole->product));
    hole->span.from = (oi_time) oi_cursor_u64(cursor);
    hole->span.to = (oi_time) oi_cursor_u64(cursor);
    cause = oi_cursor_u8(cursor);
    if (cause > OI_HOLE_DELISTED)
        cursor->failed = true;
    else
        hole->cause = (enum oi_hole_cause) cause;
}

enum oi_status
oi_told_decode(struct oi_slice body, struct oi_told_batch *told, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    uint32_t count;

    *told = (struct oi_told_batch){ .has_mark = oi_cursor_u8(&cursor) != 0 };
    if (told->has_mark)
        decode_mark(&cursor, &told->mark);
    count = oi_cursor_u32(&cursor);
    for (uint32_t i = 0; i < count && !cursor.failed; i++) {
        struct oi_hole hole = {};

        decode_hole(&cursor, &hole);
        oi_vector_push(&told->holes, hole);
    }
    count = oi_cursor_u32(&cursor);
    for (uint32_t i = 0; i < count && !cursor.failed; i++) {
        struct oi_watch_mark mark = {};

        oi_name_decode(&cursor, mark.exchange, sizeof(mark.exchange));
        oi_name_decode(&cursor, mark.product, sizeof(mark.product));
        mark.minute = (oi_time) oi_cursor_u64(&cursor);
        oi_vector_push(&told->marks, mark);
    }
    if (!cursor.failed && oi_cursor_left(&cursor) == 0)
        return OI_OK;
    oi_told_release(told);
    return oi_fail(error, OI_E_CORRUPT, "what a batch tells is damaged");
}

/*
 * Applying.
 */

static enum oi_status
record(struct oi_access *access, const struct oi_change *change, struct oi_state *state,
       struct oi_batch_header *header, struct oi_error *error)
{
    struct oi_told_batch told;
    struct oi_batch batch = {};
    enum oi_status status;

    if (change->batch != state->last_batch + 1)
        return oi_fail(error, OI_E_CORRUPT, "batch %llu comes after batch %llu",
                       (unsigned long long) change->batch, (unsigned long long) state->last_batch);
    OI_TRY(oi_told_decode(change->body, &told, error));
    batch.holes = told.holes.items;
    batch.hole_count = told.holes.count;
    batch.marks = told.marks.items;
    batch.mark_count = told.marks.count;
    batch.import = told.has_mark ? &told.mark : NULL;
    header->commit_time = change->time;
    header->row_count = (size_t) change->row_count;
    status = oi_append_record(access, &batch, state, header, error);
    oi_told_release(&told);
    return status;
}

enum oi_status
oi_remote_apply_all(struct oi_store *store, const struct oi_change *changes, size_t count,
                    struct oi_error *error)
{
    struct oi_batch_header header = {};
    const struct oi_batch_rows none = {};
    struct oi_state state = store->state;
    struct oi_access access;
    enum oi_status status = OI_OK;

    OI_TRY(oi_access_begin(&access, store, OI_KV_WRITE, error));
    for (size_t i = 0; status == OI_OK && i < count; i++) {
        header = (struct oi_batch_header){};
        status = record(&access, &changes[i], &state, &header, error);
    }
    if (status == OI_OK)
        status = oi_access_commit(&access, error);
    oi_access_end(&access);
    header.row_count = 0;
    if (status == OI_OK && count > 0)
        oi_store_publish(store, &state, &header, &none, false);
    return status;
}

/* One that was told with its rows: those who watch hear of them. */
static enum oi_status
apply_append(struct oi_store *store, const struct oi_change *change, struct oi_error *error)
{
    struct oi_state state = store->state;
    struct oi_batch_header header = {}, told = {};
    struct oi_batch_rows rows = {};
    struct oi_access access;
    enum oi_status status;

    if (change->rows.size == 0)
        return oi_remote_apply_all(store, change, 1, error);
    OI_TRY(oi_batch_decode(change->rows, &told, &rows, error));
    for (size_t i = 0; i < rows.rows.count; i++)
        rows.rows.items[i].batch = change->batch;
    status = oi_access_begin(&access, store, OI_KV_WRITE, error);
    if (status == OI_OK)
        status = record(&access, change, &state, &header, error);
    if (status == OI_OK)
        status = oi_access_commit(&access, error);
    oi_access_end(&access);
    header.row_count = rows.rows.count;
    if (status == OI_OK)
        oi_store_publish(store, &state, &header, &rows, false);
    oi_batch_rows_release(&rows);
    return status;
}

static enum oi_status
apply_flag(struct oi_store *store, struct oi_slice body, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_bad_span flag = { .instrument = oi_cursor_u32(&cursor) };
    struct oi_slice reason;

    flag.span.from = (oi_time) oi_cursor_u64(&cursor);
    flag.span.to = (oi_time) oi_cursor_u64(&cursor);
    reason = oi_cursor_bytes(&cursor, oi_cursor_left(&cursor));
    if (cursor.failed || reason.size == 0 || reason.size >= sizeof(flag.reason))
        return oi_fail(error, OI_E_CORRUPT, "a mark of bad rows is damaged");
    memcpy(flag.reason, reason.data, reason.size);
    return oi_flag_apply(store, &flag, error);
}

static enum oi_status
apply(struct oi_store *store, const struct oi_change *change, size_t *ret_changed,
      struct oi_error *error)
{
    uint64_t batch;

    switch (change->kind) {
    case OI_CHANGE_APPEND:
        return apply_append(store, change, error);
    case OI_CHANGE_DEFINE:
        return oi_define_apply(store, change->body, ret_changed, error);
    case OI_CHANGE_FEED:
        return oi_feed_apply(store, change->body, ret_changed, error);
    case OI_CHANGE_SERIES:
        return oi_series_apply(store, change->body, ret_changed, error);
    case OI_CHANGE_WITHDRAW:
        if (change->body.size != sizeof(batch))
            return oi_fail(error, OI_E_CORRUPT, "a withdrawal is damaged");
        memcpy(&batch, change->body.data, sizeof(batch));
        return oi_withdraw_apply(store, batch, error);
    case OI_CHANGE_FLAG:
        return apply_flag(store, change->body, error);
    }
    return oi_fail(error, OI_E_CORRUPT, "a change of kind %u", (unsigned) change->kind);
}

enum oi_status
oi_remote_apply(struct oi_store *store, const struct oi_change *change, size_t *ret_changed,
                struct oi_error *error)
{
    size_t changed = 0;
    bool is_read_only = store->is_read_only;
    enum oi_status status;

    store->change_time = change->time;
    store->is_read_only = false;
    status = apply(store, change, ret_changed ? ret_changed : &changed, error);
    store->is_read_only = is_read_only;
    store->change_time = OI_TIME_NONE;
    OI_TRY(status);
    /* Ledgers are read again by whoever follows the engine. */
    return oi_store_refresh_engine(store, error);
}

void
oi_remote_place(struct oi_store *store, const struct oi_remote_position *from)
{
    uint32_t series;

    (void) pthread_rwlock_wrlock(&store->state_lock);
    series = oi_names_find_series(&store->names, from->instrument, from->feed);
    if (series > 0) {
        const struct oi_position position = {
            .chunked_batch = from->last_batch,
            .rows = from->rows,
            .last_batch = from->last_batch,
            .first = from->first,
            .last = from->last,
            .absent = from->absent,
            .has_newest = from->has_newest,
            .newest_batch = from->newest_batch,
            .newest = from->newest,
        };

        oi_track_settle(store, series, &position);
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
}

struct oi_hidden
oi_remote_hidden(struct oi_store *store)
{
    struct oi_hidden copy;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    copy = oi_hidden_copy(&store->hidden);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return copy;
}

bool
oi_remote_series(struct oi_store *store, uint32_t series, struct oi_series *ret_series)
{
    bool is_found;

    /* Asked from within an append too, which holds the lock for reading: that is a second time. */
    (void) pthread_rwlock_rdlock(&store->state_lock);
    is_found = series > 0 && series <= store->names.series.count;
    if (is_found)
        *ret_series = store->names.series.items[series - 1];
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_found;
}

bool
oi_remote_extent(struct oi_store *store, uint32_t series, struct oi_remote_extent *ret_extent)
{
    bool has_rows = false;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (series > 0 && series <= store->tracks.count) {
        const struct oi_position *position = store->tracks.items[series - 1].position;

        has_rows = position->rows > 0;
        *ret_extent = (struct oi_remote_extent){ position->rows, position->first, position->last,
                                                 position->absent & OI_ABSENT_WIDES };
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    return has_rows;
}

uint32_t
oi_remote_find_series(struct oi_store *store, uint32_t instrument, uint16_t feed)
{
    uint32_t series;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    series = store->names.by_pair ? oi_names_find_series(&store->names, instrument, feed) : 0;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return series;
}

oi_time
oi_remote_now(struct oi_store *store)
{
    return oi_store_now(store, &store->state);
}

uint64_t
oi_remote_last_batch(struct oi_store *store)
{
    uint64_t batch;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    batch = store->state.last_batch;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return batch;
}

enum oi_status
oi_remote_append(struct oi_store *store, const struct oi_batch *batch, struct oi_error *error)
{
    struct oi_append_part part = { .batch = batch };

    return oi_append_commit(store, batch, &part, 1, error);
}
