/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usual batch, a minute of many markets: one row a series, each later than all there is. It has
 * nothing to compare, so a large one is done by two threads: rows are read and split into columns
 * piece by piece; then one encodes and commits them, and the other one puts the rows behind the
 * tails, where both count them after the commit.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <string.h>

/* Below this many rows another thread costs more than it saves. */
#define SHARED_ROWS_MIN 1000
/* Memory is asked for this many rows ahead of its use. */
#define PREFETCH_ROWS 12
#define CACHE_LINE 64
/* Rows that are counted at once. */
#define COUNT_PIECE ((size_t) 1024)

/* So far inside what a time can hold that every bucket of a row has a start and an end. */
#define TIME_FIRST (OI_TIME_EARLIEST + 1000 * OI_DAY)
#define TIME_LAST (OI_TIME_LATEST - 1000 * OI_DAY)

const char *
oi_row_fault(const struct oi_store *store, oi_time commit_time, const struct oi_row *row)
{
    if (row->series == 0 || row->series > store->names.series.count)
        return "a series that does not exist";
    if (row->reading.time == OI_TIME_NONE || row->reading.time == OI_TIME_LATEST)
        return "no time";
    if (row->reading.time < TIME_FIRST || row->reading.time > TIME_LAST)
        return "a time outside the years 1680 to 2260";
    if (oi_decimal_is_none(&row->reading.open_interest))
        return "no open interest";
    if (row->reading.known_time != OI_TIME_NONE && row->reading.known_time > commit_time)
        return "known later than now";
    return NULL;
}

/* A row further ahead, and what memory knows of the series of one not so far ahead. */
static void
prefetch_row(const struct oi_store *store, const struct oi_row *rows, size_t left)
{
    uint32_t series;

    if (left <= 2 * PREFETCH_ROWS)
        return;
    for (size_t at = 0; at < sizeof(*rows); at += CACHE_LINE)
        __builtin_prefetch((const char *) &rows[2 * PREFETCH_ROWS] + at);
    series = rows[PREFETCH_ROWS].series;
    if (series > 0 && series <= store->tracks.count)
        __builtin_prefetch(&store->tracks.items[series - 1].latest);
}

static bool
take_row(struct oi_plain *plain, size_t index, bool *has_wides)
{
    const struct oi_store *store = plain->store;
    const struct oi_row *row = &plain->batch->rows[index];
    struct oi_record *record = &plain->rows->rows.items[index];

    if (oi_row_fault(store, plain->commit_time, row) ||
        (index > 0 && row->series <= row[-1].series) ||
        row->reading.time <= store->tracks.items[row->series - 1].latest)
        return false;
    *has_wides |= !oi_record_take(record, &row->reading, plain->number);
    if (record->known_time == OI_TIME_NONE)
        record->known_time = plain->commit_time;
    plain->rows->series.items[index] = row->series;
    return true;
}

static void
take_piece(void *context, size_t piece)
{
    struct oi_plain *plain = context;
    size_t count = plain->batch->row_count, first = piece * OI_BATCH_PIECE;
    size_t end = first + OI_BATCH_PIECE < count ? first + OI_BATCH_PIECE : count;
    bool has_wides = false;

    if (atomic_load(&plain->is_odd))
        return;
    for (size_t i = first; i < end; i++) {
        prefetch_row(plain->store, &plain->batch->rows[i], count - i);
        if (!take_row(plain, i, &has_wides)) {
            atomic_store(&plain->is_odd, true);
            return;
        }
    }
    if (has_wides)
        atomic_store(&plain->has_wides, true);
    if (plain->is_shared)
        oi_batch_columns_split(&plain->columns, plain->rows, piece);
}

/* They go into one list, in order. */
static void
take_wides(struct oi_plain *plain)
{
    struct oi_rows *rows = &plain->rows->rows;

    for (size_t i = 0; i < rows->count; i++)
        oi_rows_take_wides(rows, i, &plain->batch->rows[i].reading);
    for (size_t piece = 0; plain->is_shared && piece < plain->columns.piece_count; piece++)
        oi_batch_columns_split(&plain->columns, plain->rows, piece);
}

bool
oi_plain_take(struct oi_plain *plain)
{
    size_t count = plain->batch->row_count;
    struct oi_batch_rows *rows = plain->rows;

    plain->is_shared = count >= SHARED_ROWS_MIN;
    oi_batch_rows_reserve(rows, count);
    if (plain->is_shared)
        oi_batch_columns_begin(&plain->columns, count, plain->commit_time);
    oi_crew_share(plain->is_shared ? plain->store->crew : NULL, take_piece, plain,
                  (count + OI_BATCH_PIECE - 1) / OI_BATCH_PIECE);
    if (atomic_load(&plain->is_odd)) {
        oi_plain_release(plain);
        oi_batch_rows_release(rows);
        return false;
    }
    rows->rows.count = rows->series.count = count;
    if (atomic_load(&plain->has_wides))
        take_wides(plain);
    return true;
}

void
oi_plain_release(struct oi_plain *plain)
{
    oi_batch_columns_release(&plain->columns);
}

/* The track itself is only read: the thread that counts the rows changes it, and should not have to
 * fetch it from another processor. */
static void
prefetch_tail(const struct oi_store *store, const uint32_t *series, size_t left)
{
    const struct oi_rows *tail;

    if (left > 2 * PREFETCH_ROWS)
        __builtin_prefetch(&store->tracks.items[series[2 * PREFETCH_ROWS] - 1].tail);
    if (left <= PREFETCH_ROWS)
        return;
    tail = &store->tracks.items[series[PREFETCH_ROWS] - 1].tail;
    if (!tail->items)
        return;
    for (size_t at = 0; at < sizeof(*tail->items); at += CACHE_LINE)
        __builtin_prefetch((const char *) (tail->items + tail->count) + at, 1);
}

static void
stage(void *context, size_t)
{
    struct oi_plain *plain = context;
    struct oi_store *store = plain->store;
    const uint32_t *series = plain->rows->series.items;
    size_t count = plain->rows->rows.count;

    /* Readers copy tails under this lock, and a tail that grows moves. */
    (void) pthread_rwlock_wrlock(&store->state_lock);
    for (size_t i = 0; i < count; i++) {
        struct oi_rows *tail = &store->tracks.items[series[i] - 1].tail;

        prefetch_tail(store, series + i, count - i);
        oi_rows_reserve(tail, 1);
        tail->items[tail->count] = plain->rows->rows.items[i];
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    plain->is_staged = true;
}

void
oi_plain_stage(struct oi_plain *plain)
{
    if (plain->is_shared && plain->rows->rows.wides.count == 0)
        (void) oi_crew_start(plain->store->crew, stage, plain);
}

bool
oi_plain_finish(struct oi_plain *plain)
{
    if (plain->is_shared)
        oi_crew_finish(plain->store->crew);
    return plain->is_staged;
}

void
oi_plain_encode(struct oi_plain *plain, const struct oi_batch_header *header, struct oi_buffer *out)
{
    if (plain->is_shared)
        oi_batch_columns_encode(&plain->columns, header, plain->rows, out);
    else
        oi_batch_encode(header, plain->rows, out);
}

struct counting {
    struct oi_store *store;
    const struct oi_batch_rows *rows;
    uint64_t batch;
};

static void
count_piece(void *context, size_t piece)
{
    const struct counting *counting = context;
    const struct oi_batch_rows *rows = counting->rows;
    struct oi_track *tracks = counting->store->tracks.items;
    size_t count = rows->rows.count, first = piece * COUNT_PIECE;
    size_t end = first + COUNT_PIECE < count ? first + COUNT_PIECE : count;

    for (size_t i = first; i < end; i++) {
        struct oi_track *track = &tracks[rows->series.items[i] - 1];

        if (i + 2 * PREFETCH_ROWS < count) {
            const char *ahead =
                (const char *) &tracks[rows->series.items[i + 2 * PREFETCH_ROWS] - 1];

            __builtin_prefetch(ahead, 1);
            __builtin_prefetch(ahead + CACHE_LINE, 1);
        }
        if (track->tail.count++ == 0) {
            track->first_batch = counting->batch;
            if (track->last_batch == 0)
                atomic_fetch_add(&counting->store->begun_count, 1);
        }
        track->last_batch = counting->batch;
        track->tail_last = track->latest = rows->rows.items[i].time;
    }
}

void
oi_plain_count(struct oi_store *store, uint64_t batch, const struct oi_batch_rows *rows)
{
    struct counting counting = { .store = store, .rows = rows, .batch = batch };

    oi_crew_share(store->crew, count_piece, &counting,
                  (rows->rows.count + COUNT_PIECE - 1) / COUNT_PIECE);
    store->tail_rows += rows->rows.count;
}
