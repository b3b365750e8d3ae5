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
#include "store/rollup_internal.h"
#include "store/store_internal.h"

#define BLOCK_ROLLUPS_MAX 256
/* Four rows a rollup are stored: with fewer rows than that, the rows themselves are as quick. */
#define ROWS_PER_ROLLUP_MIN 4

static const struct rollup_kind kinds[] = {
    { 1, OI_HOUR, 7 * OI_DAY },
    { 2, OI_DAY, BLOCK_ROLLUPS_MAX *OI_DAY },
};

const unsigned rollup_kept[ROLLUP_PARTS] = {
    OI_ROLLUP_END_COLUMNS,
    OI_ROLLUP_EXTREME_COLUMNS,
    OI_ROLLUP_EXTREME_COLUMNS,
    OI_ROLLUP_END_COLUMNS,
};

const struct rollup_kind *
rollup_kind_find(int64_t interval_ns)
{
    for (size_t i = 0; i < OI_COUNT(kinds); i++)
        if (kinds[i].interval_ns == interval_ns)
            return &kinds[i];
    return NULL;
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
    oi_time start = rollup_floor(interval_ns, reading->time);

    if (rollups->count == 0 || rollups->items[rollups->count - 1].start != start) {
        struct oi_rollup *rollup = oi_vector_add(rollups);

        rollup->start = start;
    }
    oi_rollup_add(&rollups->items[rollups->count - 1], reading);
}

struct oi_observation *
rollup_part(struct oi_rollup *rollup, unsigned part)
{
    struct oi_observation *const parts[ROLLUP_PARTS] = { &rollup->first, &rollup->high,
                                                         &rollup->low, &rollup->last };

    return parts[part];
}

/* What is not kept costs nothing: known times are said to be those of the commit, and times that
 * nobody is told are the starts of the buckets. */
static void
encode_part(struct oi_slice key, struct oi_rollups *rollups, unsigned part, struct oi_rows *rows,
            struct oi_rows_columns *columns, struct oi_buffer *out)
{
    bool is_extreme = rollup_kept[part] == OI_ROLLUP_EXTREME_COLUMNS;

    oi_rows_clear(rows);
    for (size_t i = 0; i < rollups->count; i++) {
        struct oi_observation reading = *rollup_part(&rollups->items[i], part);

        if (is_extreme)
            reading.time = rollups->items[i].start;
        reading.known_time = reading.time;
        oi_rows_add(rows, &reading, 0);
    }
    oi_rows_columns_fill(columns, rows, 0, rows->count,
                         rollup_kept[part] | OI_COLUMN_KNOWN_TIME | OI_COLUMN_BATCH);
    oi_chunk_encode(key, &columns->columns, columns->columns.time, out);
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
    for (unsigned part = 0; part < ROLLUP_PARTS; part++) {
        oi_buffer_clear(&chunk);
        encode_part(key, rollups, part, &rows, &columns, &chunk);
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

    OI_TRY(oi_chunk_decode(key, bytes, rollup_kept[part], chunk, error));
    if (chunk->columns.count != rollups->count - from)
        return oi_fail(error, OI_E_CORRUPT, "a block of rollups with parts of different length");
    for (size_t i = 0; i < chunk->columns.count; i++)
        *rollup_part(&rollups->items[from + i], part) = oi_columns_get(&chunk->columns, i);
    return OI_OK;
}

enum oi_status
rollup_decode_head(struct oi_cursor *cursor, int64_t starts[ROLLUP_COLUMN_ROOM],
                   int64_t counts[ROLLUP_COLUMN_ROOM], size_t *ret_count, struct oi_error *error)
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
    int64_t starts[ROLLUP_COLUMN_ROOM], counts[ROLLUP_COLUMN_ROOM];
    size_t count, from = rollups->count;
    struct oi_chunk chunk = {};
    enum oi_status status = OI_OK;

    OI_TRY(rollup_decode_head(&cursor, starts, counts, &count, error));
    for (size_t i = 0; i < count; i++) {
        struct oi_rollup *rollup = oi_vector_add(rollups);

        rollup->start = starts[i];
        rollup->count = (uint32_t) counts[i];
    }
    for (unsigned part = 0; status == OI_OK && part < ROLLUP_PARTS; part++)
        status = decode_part(&cursor, key, part, &chunk, rollups, from, error);
    oi_chunk_release(&chunk);
    if (status == OI_OK && (cursor.failed || oi_cursor_left(&cursor) != 0))
        status = oi_fail(error, OI_E_CORRUPT, "a block of rollups is damaged");
    return status;
}

oi_time
oi_rollup_block(int64_t interval_ns, oi_time time)
{
    return rollup_floor(interval_ns == OI_DAY ? kinds[1].block_ns : kinds[0].block_ns, time);
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
    const struct rollup_kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    const struct oi_key key =
        oi_key_of_rollup(series, kind->number, rollup_floor(kind->block_ns, time));
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
make_from_rows(struct oi_access *access, uint32_t series, const struct rollup_kind *kind,
               struct oi_span span, const struct oi_hidden *hidden, struct oi_rollups *rollups,
               struct oi_error *error)
{
    struct making_one making = { kind->interval_ns, rollups };

    if (span.from >= span.to)
        return OI_OK;
    return oi_chunks_walk(access, series, span, hidden, make_one_from_columns, &making, error);
}

enum oi_status
rollup_load_span(struct oi_access *access, uint32_t series, int64_t interval_ns,
                 struct oi_span span, struct oi_rollups *rollups, struct oi_error *error)
{
    const struct rollup_kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
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
    const struct rollup_kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    oi_time start = rollup_floor(kind->block_ns, time);

    return rollup_load_span(access, series, interval_ns,
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
    oi_seal_begin_newest(OI_TABLE_ROLLUP, &value);
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
    const struct rollup_kind *kind = interval_ns == OI_DAY ? &kinds[1] : &kinds[0];
    OI_CLEANUP(oi_buffer_release) struct oi_buffer value = {};

    for (size_t from = 0, to; from < rollups->count; from = to) {
        oi_time start = rollup_floor(kind->block_ns, rollups->items[from].start);
        const struct oi_key key = oi_key_of_rollup(series, kind->number, start);
        struct oi_rollups block = { .items = rollups->items + from };

        for (to = from; to < rollups->count && rollups->items[to].start < start + kind->block_ns;)
            to++;
        block.count = to - from;
        oi_buffer_clear(&value);
        if (oi_rollups_pay(&block)) {
            oi_seal_begin_newest(OI_TABLE_ROLLUP, &value);
            block_encode(oi_key_slice(&key), &block, &value);
            oi_seal_end(OI_TABLE_ROLLUP, oi_key_slice(&key), &value);
        }
        each(context, &key, oi_buffer_slice(&value));
    }
}

/* Put `new` (in order, all in the block and in the span) in the place of what the block holds of
 * the span. What is not stored is made. */
static enum oi_status
replace_in_block(struct oi_access *access, uint32_t series, const struct rollup_kind *kind,
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
        if (rollup_floor(kind->block_ns, new->items[i].start) == block_start)
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
drop_block(struct oi_access *access, uint32_t series, const struct rollup_kind *kind,
           oi_time block_start, struct oi_error *error)
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
        const struct rollup_kind *kind = &kinds[i];

        for (oi_time block = rollup_floor(kind->block_ns, days.from);
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
        oi_time from = rollup_floor(OI_DAY, touched->items[row].time);
        struct oi_span days = { from, from + OI_DAY };

        /* Days that follow one another are made in one go. */
        for (; row < touched->count && touched->items[row].time < days.to + OI_DAY; row++)
            if (touched->items[row].time >= days.to)
                days.to += OI_DAY;
        OI_TRY(renew_span(access, series, days, hidden, error));
    }
    return OI_OK;
}
