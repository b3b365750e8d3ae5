/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours and days ready made. A block of them (a week of hours, 256 days of days) is one value: four
 * chunks, of the first, highest, lowest and last rows. They are made anew from rows wherever a
 * checkpoint changed rows, and what the log still holds is added when they are read; so they always
 * equal what the rows say. Where a block would cost more than the rows that it is made of, or where
 * some of those cannot be read, none is stored, and its rollups are made when they are asked for.
 */
#include "store/rollup.h"
#include "codec/column.h"
#include "store/chunk.h"
#include "store/store_internal.h"

#define PARTS 4
#define BLOCK_ROLLUPS_MAX 256
/* The decoder may write up to the next multiple of 512. */
#define COLUMN_ROOM 512
/* Four rows a rollup are stored: with fewer rows than that, the rows themselves are as quick. */
#define ROWS_PER_ROLLUP_MIN 4

struct kind {
    uint8_t number; /* on disk */
    int64_t interval_ns, block_ns;
};
static const struct kind kinds[] = {
    { 1, OI_HOUR, 7 * OI_DAY },
    { 2, OI_DAY, BLOCK_ROLLUPS_MAX *OI_DAY },
};

static oi_time
floor_to(int64_t width, oi_time time)
{
    int64_t rest = time % width;

    return rest < 0 ? time - rest - width : time - rest;
}

void
oi_rollup_add(struct oi_rollup *rollup, const struct oi_observation *reading)
{
    if (rollup->count++ == 0) {
        rollup->first = rollup->high = rollup->low = rollup->last = *reading;
        return;
    }
    if (oi_decimal_compare(&reading->open_interest, &rollup->high.open_interest) > 0)
        rollup->high = *reading;
    if (oi_decimal_compare(&reading->open_interest, &rollup->low.open_interest) < 0)
        rollup->low = *reading;
    rollup->last = *reading;
}

void
oi_rollups_add(struct oi_rollups *rollups, int64_t interval_ns,
               const struct oi_observation *reading)
{
    oi_time start = floor_to(interval_ns, reading->time);

    if (rollups->count == 0 || rollups->items[rollups->count - 1].start != start) {
        struct oi_rollup *rollup = oi_vector_add(rollups);

        rollup->start = start;
    }
    oi_rollup_add(&rollups->items[rollups->count - 1], reading);
}

static struct oi_observation *
part_of(struct oi_rollup *rollup, unsigned part)
{
    struct oi_observation *const parts[PARTS] = { &rollup->first, &rollup->high, &rollup->low,
                                                  &rollup->last };

    return parts[part];
}

static void
block_encode(struct oi_slice key, struct oi_rollups *rollups, struct oi_buffer *out)
{
    int64_t column[BLOCK_ROLLUPS_MAX];
    struct oi_rows_columns columns = {};
    struct oi_buffer chunk = {};
    struct oi_rows rows = {};

    oi_buffer_add_u16(out, (uint16_t) rollups->count);
    for (size_t i = 0; i < rollups->count; i++)
        column[i] = rollups->items[i].start;
    oi_column_encode(column, rollups->count, out);
    for (size_t i = 0; i < rollups->count; i++)
        column[i] = rollups->items[i].count;
    oi_column_encode(column, rollups->count, out);
    for (unsigned part = 0; part < PARTS; part++) {
        oi_rows_clear(&rows);
        oi_buffer_clear(&chunk);
        for (size_t i = 0; i < rollups->count; i++)
            oi_rows_add(&rows, part_of(&rollups->items[i], part), 0);
        oi_rows_columns_fill(&columns, &rows, 0, rows.count, OI_COLUMNS_ALL);
        oi_chunk_encode(key, &columns.columns, NULL, &chunk);
        oi_buffer_add_u32(out, (uint32_t) chunk.size);
        oi_buffer_add_slice(out, oi_buffer_slice(&chunk));
    }
    oi_rows_columns_release(&columns);
    oi_buffer_release(&chunk);
    oi_rows_release(&rows);
}

static enum oi_status
decode_part(struct oi_cursor *cursor, struct oi_slice key, unsigned part, struct oi_chunk *chunk,
            struct oi_rollups *rollups, size_t from, struct oi_error *error)
{
    struct oi_slice bytes = oi_cursor_bytes(cursor, oi_cursor_u32(cursor));

    OI_TRY(oi_chunk_decode(key, bytes, OI_COLUMNS_ALL & ~(unsigned) OI_COLUMN_BATCH, chunk, error));
    if (chunk->columns.count != rollups->count - from)
        return oi_fail(error, OI_E_CORRUPT, "a block of rollups with parts of different length");
    for (size_t i = 0; i < chunk->columns.count; i++)
        *part_of(&rollups->items[from + i], part) = oi_columns_get(&chunk->columns, i);
    return OI_OK;
}

/* The columns before the parts. */
static enum oi_status
decode_head(struct oi_cursor *cursor, int64_t starts[COLUMN_ROOM], int64_t counts[COLUMN_ROOM],
            size_t *ret_count, struct oi_error *error)
{
    size_t count = oi_cursor_u16(cursor), used = 0;

    if (cursor->failed || count == 0 || count > BLOCK_ROLLUPS_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a block of rollups is damaged");
    for (unsigned column = 0; column < 2; column++) {
        struct oi_slice rest = { (const char *) cursor->at, oi_cursor_left(cursor) };

        OI_TRY(oi_column_decode(rest, count, column ? counts : starts, &used, error));
        (void) oi_cursor_bytes(cursor, used);
    }
    *ret_count = count;
    return OI_OK;
}

/* Append the rollups of a block. */
static enum oi_status
block_decode(struct oi_slice key, struct oi_slice body, struct oi_rollups *rollups,
             struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    int64_t starts[COLUMN_ROOM], counts[COLUMN_ROOM];
    size_t count, from = rollups->count;
    struct oi_chunk chunk = {};
    enum oi_status status = OI_OK;

    OI_TRY(decode_head(&cursor, starts, counts, &count, error));
    for (size_t i = 0; i < count; i++) {
        struct oi_rollup *rollup = oi_vector_add(rollups);

        rollup->start = starts[i];
        rollup->count = (uint32_t) counts[i];
    }
    for (unsigned part = 0; status == OI_OK && part < PARTS; part++)
        status = decode_part(&cursor, key, part, &chunk, rollups, from, error);
    oi_chunk_release(&chunk);
    if (status == OI_OK && (cursor.failed || oi_cursor_left(&cursor) != 0))
        status = oi_fail(error, OI_E_CORRUPT, "a block of rollups is damaged");
    return status;
}

oi_time
oi_rollup_block(int64_t interval_ns, oi_time time)
{
    return floor_to(interval_ns == OI_DAY ? kinds[1].block_ns : kinds[0].block_ns, time);
}

bool
oi_rollups_pay(const struct oi_rollups *rollups)
{
    uint64_t rows = 0;

    for (size_t i = 0; i < rollups->count; i++)
        rows += rollups->items[i].count;
    return rows >= (uint64_t) rollups->count * ROWS_PER_ROLLUP_MIN;
}

enum oi_status
oi_rollups_load_stored(struct oi_access *access, uint32_t series, int64_t interval_ns, oi_time time,
                       struct oi_rollups *rollups, struct oi_error *error)
{
    const struct kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    const struct oi_key key =
        oi_key_of_rollup(series, kind->number, floor_to(kind->block_ns, time));
    struct oi_slice body;

    OI_TRY(oi_access_get(access, OI_TABLE_ROLLUP, oi_key_slice(&key), &body, error));
    return block_decode(oi_key_slice(&key), body, rollups, error);
}

/* Rollups of one kind on their way from rows. */
struct making_one {
    int64_t interval_ns;
    struct oi_rollups *rollups;
};

static enum oi_status
make_one_from_columns(void *context, const struct oi_columns *columns, struct oi_error *error)
{
    const struct making_one *making = context;

    (void) error;
    for (size_t row = 0; row < columns->count; row++) {
        const struct oi_observation reading = oi_columns_get(columns, row);

        oi_rollups_add(making->rollups, making->interval_ns, &reading);
    }
    return OI_OK;
}

/* Append what the chunks say of a stretch of whole buckets. */
static enum oi_status
make_from_rows(struct oi_access *access, uint32_t series, const struct kind *kind,
               struct oi_span span, const struct oi_hidden *hidden, struct oi_rollups *rollups,
               struct oi_error *error)
{
    struct making_one making = { kind->interval_ns, rollups };

    if (span.from >= span.to)
        return OI_OK;
    return oi_chunks_walk(access, series, span, hidden, make_one_from_columns, &making, error);
}

static enum oi_status
load_or_make(struct oi_access *access, uint32_t series, int64_t interval_ns, struct oi_span span,
             struct oi_rollups *rollups, struct oi_error *error)
{
    const struct kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    struct oi_store *store = access->store;
    struct oi_hidden hidden;
    enum oi_status status =
        oi_rollups_load_stored(access, series, interval_ns, span.from, rollups, error);

    if (status != OI_E_NOT_FOUND)
        return status;
    (void) pthread_rwlock_rdlock(&store->state_lock);
    hidden = oi_hidden_copy(&store->hidden);
    (void) pthread_rwlock_unlock(&store->state_lock);
    status = make_from_rows(access, series, kind, span, &hidden, rollups, error);
    oi_free(hidden.batches);
    return status;
}

enum oi_status
oi_rollups_load(struct oi_access *access, uint32_t series, int64_t interval_ns, oi_time time,
                struct oi_rollups *rollups, struct oi_error *error)
{
    const struct kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    oi_time start = floor_to(kind->block_ns, time);

    return load_or_make(access, series, interval_ns,
                        (struct oi_span){ start, start + kind->block_ns }, rollups, error);
}

static enum oi_status
save_block(struct oi_access *access, const struct oi_key *key, struct oi_rollups *all,
           struct oi_error *error)
{
    struct oi_buffer value = {};
    enum oi_status status;

    if (all->count == 0 || !oi_rollups_pay(all))
        return access->store->engine->remove(access->txn, OI_TABLE_ROLLUP, oi_key_slice(key),
                                             error);
    oi_seal_begin(&value);
    block_encode(oi_key_slice(key), all, &value);
    status = oi_access_put(access, OI_TABLE_ROLLUP, oi_key_slice(key), &value, error);
    oi_buffer_release(&value);
    return status;
}

void
oi_rollups_seal(uint32_t series, int64_t interval_ns, const struct oi_rollups *rollups,
                void (*each)(void *context, const struct oi_key *key, struct oi_slice value),
                void *context)
{
    const struct kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    OI_CLEANUP(oi_buffer_release) struct oi_buffer value = {};

    for (size_t from = 0, to; from < rollups->count; from = to) {
        oi_time start = floor_to(kind->block_ns, rollups->items[from].start);
        const struct oi_key key = oi_key_of_rollup(series, kind->number, start);
        struct oi_rollups block = { .items = rollups->items + from };

        for (to = from; to < rollups->count && rollups->items[to].start < start + kind->block_ns;)
            to++;
        block.count = to - from;
        oi_buffer_clear(&value);
        if (oi_rollups_pay(&block)) {
            oi_seal_begin(&value);
            block_encode(oi_key_slice(&key), &block, &value);
            oi_seal_end(OI_TABLE_ROLLUP, oi_key_slice(&key), &value);
        }
        each(context, &key, oi_buffer_slice(&value));
    }
}

/* Put `new` (in order, all in the block and in the span) in the place of what the block holds of
 * the span. What is not stored is made. */
static enum oi_status
replace_in_block(struct oi_access *access, uint32_t series, const struct kind *kind,
                 oi_time block_start, struct oi_span span, const struct oi_rollups *new,
                 const struct oi_hidden *hidden, struct oi_error *error)
{
    const struct oi_key key = oi_key_of_rollup(series, kind->number, block_start);
    struct oi_rollups old = {}, all = {};
    enum oi_status status =
        oi_rollups_load_stored(access, series, kind->interval_ns, block_start, &old, error);

    if (status == OI_E_NOT_FOUND) {
        status = make_from_rows(access, series, kind, (struct oi_span){ block_start, span.from },
                                hidden, &old, error);
        if (status == OI_OK)
            status = make_from_rows(access, series, kind,
                                    (struct oi_span){ span.to, block_start + kind->block_ns },
                                    hidden, &old, error);
    }
    for (size_t i = 0; i < old.count && old.items[i].start < span.from; i++)
        oi_vector_push(&all, old.items[i]);
    for (size_t i = 0; i < new->count; i++)
        if (floor_to(kind->block_ns, new->items[i].start) == block_start)
            oi_vector_push(&all, new->items[i]);
    for (size_t i = 0; i < old.count; i++)
        if (old.items[i].start >= span.to)
            oi_vector_push(&all, old.items[i]);
    if (status == OI_OK)
        status = save_block(access, &key, &all, error);
    oi_vector_release(&old);
    oi_vector_release(&all);
    return status;
}

/* Hours and days of one stretch of whole days. */
struct making {
    struct oi_rollups made[OI_COUNT(kinds)];
};

static enum oi_status
make_from_columns(void *context, const struct oi_columns *columns, struct oi_error *error)
{
    struct making *making = context;

    (void) error;
    for (size_t row = 0; row < columns->count; row++) {
        const struct oi_observation reading = oi_columns_get(columns, row);

        for (size_t i = 0; i < OI_COUNT(kinds); i++)
            oi_rollups_add(&making->made[i], kinds[i].interval_ns, &reading);
    }
    return OI_OK;
}

/* A block that some of its rows cannot be read for must not say less than they did: it goes, and
 * whoever asks hears of the damage from the rows. */
static enum oi_status
drop_block(struct oi_access *access, uint32_t series, const struct kind *kind, oi_time block_start,
           struct oi_error *error)
{
    const struct oi_key key = oi_key_of_rollup(series, kind->number, block_start);

    return access->store->engine->remove(access->txn, OI_TABLE_ROLLUP, oi_key_slice(&key), error);
}

static enum oi_status
renew_span(struct oi_access *access, uint32_t series, struct oi_span days,
           const struct oi_hidden *hidden, struct oi_error *error)
{
    struct making making = {};
    enum oi_status status =
        oi_chunks_walk(access, series, days, hidden, make_from_columns, &making, error);
    bool is_damaged = status == OI_E_CORRUPT;

    status = is_damaged ? OI_OK : status;
    for (size_t i = 0; i < OI_COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];

        for (oi_time block = floor_to(kind->block_ns, days.from);
             status == OI_OK && block < days.to; block += kind->block_ns) {
            enum oi_status replaced = OI_E_CORRUPT;

            if (!is_damaged)
                replaced = replace_in_block(access, series, kind, block, days, &making.made[i],
                                            hidden, error);
            status = replaced == OI_E_CORRUPT ? drop_block(access, series, kind, block, error)
                                              : replaced;
        }
        oi_vector_release(&making.made[i]);
    }
    return status;
}

enum oi_status
oi_rollups_renew(struct oi_access *access, uint32_t series, const struct oi_rows *touched,
                 const struct oi_hidden *hidden, struct oi_error *error)
{
    for (size_t row = 0; row < touched->count;) {
        oi_time from = floor_to(OI_DAY, touched->items[row].time);
        struct oi_span days = { from, from + OI_DAY };

        /* Days that follow one another are made in one go. */
        for (; row < touched->count && touched->items[row].time < days.to + OI_DAY; row++)
            if (touched->items[row].time >= days.to)
                days.to += OI_DAY;
        OI_TRY(renew_span(access, series, days, hidden, error));
    }
    return OI_OK;
}

/*
 * Reading.
 */

struct by_columns {
    const struct oi_rollup_request *request;
    int64_t starts[COLUMN_ROOM], counts[COLUMN_ROOM];
    struct oi_chunk chunks[PARTS];
    struct oi_rollup_columns columns;
};

struct reading_call {
    struct oi_store *store;
    uint32_t series;
    const struct kind *kind;
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
    oi_time start = floor_to(call->kind->interval_ns, more->items[0].time);
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
    OI_TRY(load_or_make(access, call->series, call->kind->interval_ns, span, &call->stored, error));
    while (next < call->stored.count && call->stored.items[next].start < span.from)
        next++;
    while (status == OI_OK) {
        const struct oi_rollup *stored = NULL;
        oi_time bucket;

        while (row < end && call->tail.items[row].batch <= position.chunked_batch)
            row++;
        if (row == end)
            break;
        bucket = floor_to(call->kind->interval_ns, call->tail.items[row].time);
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
    if (track->position.rows > 0)
        has = (struct oi_span){ track->position.first, track->position.last };
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
    has.from = floor_to(call->kind->interval_ns, has.from);
    has.to = floor_to(call->kind->interval_ns, has.to) + call->kind->interval_ns;
    call->times = oi_span_intersect(call->times, has);
    return call->times.from < call->times.to;
}

/* The parts of a stored block as they were asked for. */
static enum oi_status
decode_columns(struct by_columns *by, struct oi_slice key, struct oi_slice body,
               struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_columns *const parts[PARTS] = { &by->columns.first, &by->columns.high,
                                              &by->columns.low, &by->columns.last };
    struct oi_chunk_wanted wanted = OI_CHUNK_ALL;

    wanted.is_sealed = true;
    OI_TRY(decode_head(&cursor, by->starts, by->counts, &by->columns.count, error));
    for (unsigned part = 0; part < PARTS; part++) {
        struct oi_slice bytes = oi_cursor_bytes(&cursor, oi_cursor_u32(&cursor));

        *parts[part] = (struct oi_columns){};
        if (!(by->request->parts & 1u << part))
            continue;
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
    struct oi_columns *const parts[PARTS] = { &columns->first, &columns->high, &columns->low,
                                              &columns->last };
    size_t from = 0, to = columns->count;

    while (from < to && columns->starts[from] < span.from)
        from++;
    while (to > from && columns->starts[to - 1] >= span.to)
        to--;
    for (unsigned part = 0; part < PARTS; part++)
        if (parts[part]->time)
            *parts[part] = oi_columns_slice(parts[part], from, to);
    columns->starts += from;
    columns->counts += from;
    columns->count = to - from;
}

/* A block that is stored and that neither the log nor the ledger of bad rows has a say in, by
 * columns; *ret_done is false where it is not that simple. */
static enum oi_status
read_columns(struct reading_call *call, struct oi_access *access, struct oi_span span,
             bool *ret_done, struct oi_error *error)
{
    const struct oi_key key = oi_key_of_rollup(call->series, call->kind->number,
                                               floor_to(call->kind->block_ns, span.from));
    struct oi_slice body;
    enum oi_status status;

    *ret_done = false;
    if (!call->by_columns || call->flags.count > 0 ||
        oi_rows_find(&call->tail, span.from) < oi_rows_find(&call->tail, span.to))
        return OI_OK;
    status = oi_access_get(access, OI_TABLE_ROLLUP, oi_key_slice(&key), &body, error);
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    OI_TRY(decode_columns(call->by_columns, oi_key_slice(&key), body, error));
    cut_columns(&call->by_columns->columns, span);
    *ret_done = true;
    return OI_OK;
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

        for (unsigned part = 0; call->flags.count > 0 && part < PARTS; part++)
            part_of(rollup, part)->flags |= oi_flags_of(&call->flags, part_of(rollup, part)->time);
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
        oi_time to = floor_to(call->kind->block_ns, from) + call->kind->block_ns;
        struct oi_access access;
        bool by_columns = false;
        enum oi_status status;

        if (to > call->times.to)
            to = call->times.to;
        oi_vector_clear(&call->stored);
        oi_vector_clear(&call->merged);
        OI_TRY(oi_access_begin(&access, call->store, OI_KV_READ, error));
        status = read_columns(call, &access, (struct oi_span){ from, to }, &by_columns, error);
        if (status == OI_OK && !by_columns)
            status = merge_block(call, &access, (struct oi_span){ from, to }, error);
        oi_access_end(&access);
        OI_TRY(status);
        OI_TRY(hand_out(call, by_columns, each, context));
        from = to;
    }
    return OI_OK;
}

static enum oi_status
read_rollups(struct reading_call *call, int64_t interval_ns, struct oi_span span,
             enum oi_status (*each)(void *context, const struct oi_rollup *rollup), void *context,
             struct oi_error *error)
{
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < OI_COUNT(kinds); i++)
        if (kinds[i].interval_ns == interval_ns)
            call->kind = &kinds[i];
    if (!call->kind)
        return oi_fail(error, OI_E_INVALID, "rollups are of one hour or one day");
    OI_TRY(oi_store_refresh(call->store, error));
    /* Buckets that start in the span; the open ends are no buckets. */
    call->times = span;
    if (span.from > OI_TIME_EARLIEST + OI_WEEK)
        call->times.from = -floor_to(interval_ns, -span.from);
    if (span.to < OI_TIME_LATEST - OI_WEEK && span.to > OI_TIME_EARLIEST + OI_WEEK)
        call->times.to = -floor_to(interval_ns, -span.to);
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
    struct by_columns *by = oi_alloc(sizeof(*by));
    struct reading_call call = { .store = store, .series = request->series, .by_columns = by };
    enum oi_status status;

    by->request = request;
    by->columns = (struct oi_rollup_columns){};
    memset(by->chunks, 0, sizeof(by->chunks));
    status = read_rollups(&call, request->interval_ns, request->span, request->each,
                          request->context, error);
    for (unsigned part = 0; part < PARTS; part++)
        oi_chunk_release(&by->chunks[part]);
    oi_free(by);
    return status;
}
