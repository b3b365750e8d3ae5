/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series' last rows at a few instants of its past. They are often in one chunk, so what a scan
 * decoded for the latest of them is looked through for the older ones before another is begun. And
 * who asks for "a day ago" asks again soon: a found row is remembered with the instants up to the
 * next one, as long as nothing of that stretch was changed.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_test.c asks. */
#include "store/store_internal.h"

/* Instants of a series that are remembered, and series that are: 20 MiB at most. */
#define REMEMBERED_MAX 3
#define PASTS_MAX 32'768
/* How far behind an instant the next row is looked for. */
#define AHEAD (15 * OI_MINUTE)
/* All but the times that nobody asks of a figure. */
#define COLUMNS                                                                                    \
    (OI_COLUMN_OPEN_INTEREST | OI_COLUMN_VALUE_USD | OI_COLUMN_MARK_PRICE |                        \
     OI_COLUMN_INDEX_PRICE | OI_COLUMN_LAST_PRICE | OI_COLUMN_FLAGS)

struct remembered {
    struct oi_span instants; /* at which this is the last row */
    struct oi_observation reading;
};

/* What was found of one series, by a batch and with the chunks of then. */
struct oi_past {
    uint64_t batch, hidden_version, chunked_batch, rows, chunks;
    oi_time first;
    struct remembered items[REMEMBERED_MAX];
    size_t count, oldest; /* oldest: the next to be replaced */
};

/* One series, looked at from the latest instant to the oldest. */
struct look {
    struct oi_store *store;
    uint32_t series;
    struct oi_observation newest;
    struct oi_past past; /* a copy */
    struct oi_scan *scan;
    const struct oi_columns *rows; /* of the scan, the last block; NULL: none */
    oi_time rows_end;              /* no row that is not in the block is between it and this */
};

/* Forget what is not so any more: all where chunks changed, else from the first newer row on. */
static void
renew(struct oi_past *past, const struct oi_store *store, const struct oi_track *track)
{
    const struct oi_position *position = track->position;
    oi_time changed = OI_TIME_LATEST;
    size_t kept = 0;

    if (past->hidden_version != store->state.hidden_version ||
        past->chunked_batch != position->chunked_batch || past->rows != position->rows ||
        past->chunks != position->chunks || past->first != position->first)
        past->count = 0;
    if (track->last_batch > past->batch && past->count > 0)
        for (size_t i = 0; i < track->tail.count; i++)
            if (track->tail.items[i].batch > past->batch && track->tail.items[i].time < changed)
                changed = track->tail.items[i].time;
    for (size_t i = 0; i < past->count; i++) {
        if (past->items[i].instants.from >= changed)
            continue;
        past->items[kept] = past->items[i];
        if (past->items[kept].instants.to > changed)
            past->items[kept].instants.to = changed;
        kept++;
    }
    past->count = kept;
    past->batch = store->state.last_batch;
    past->hidden_version = store->state.hidden_version;
    past->chunked_batch = position->chunked_batch;
    past->rows = position->rows;
    past->chunks = position->chunks;
    past->first = position->first;
}

/* False when there is no such series. */
static bool
look_begin(struct look *look)
{
    struct oi_store *store = look->store;
    bool is_there;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    is_there = look->series > 0 && look->series <= store->tracks.count;
    if (is_there) {
        (void) pthread_mutex_lock(&store->past_lock);
        if (look->series <= store->pasts.count && store->pasts.items[look->series - 1])
            look->past = *store->pasts.items[look->series - 1];
        (void) pthread_mutex_unlock(&store->past_lock);
        renew(&look->past, store, &store->tracks.items[look->series - 1]);
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_there;
}

static void
look_end(struct look *look)
{
    struct oi_store *store = look->store;

    oi_scan_close(&look->scan);
    if (look->series > PASTS_MAX || look->past.count == 0)
        return;
    (void) pthread_mutex_lock(&store->past_lock);
    while (store->pasts.count < look->series)
        oi_vector_push(&store->pasts, NULL);
    if (!store->pasts.items[look->series - 1])
        store->pasts.items[look->series - 1] = oi_alloc(sizeof(look->past));
    *store->pasts.items[look->series - 1] = look->past;
    (void) pthread_mutex_unlock(&store->past_lock);
}

/* The block with the last row at or before an instant. */
static enum oi_status
read_back(struct look *look, oi_time time)
{
    const struct oi_scan_request request = {
        .series = look->series,
        .span = { OI_TIME_EARLIEST, time + 1 + AHEAD },
        .moment = OI_MOMENT_LATEST,
        .columns = COLUMNS,
        .is_backwards = true,
    };

    look->rows = NULL;
    look->rows_end = request.span.to;
    oi_scan_close(&look->scan);
    OI_TRY(oi_store_scan(look->store, &request, &look->scan, NULL));
    for (;;) {
        enum oi_status status = oi_scan_next(look->scan, &look->rows, NULL);

        if (status != OI_OK)
            look->rows = NULL;
        OI_TRY(status);
        if (!look->rows)
            return OI_E_NOT_FOUND;
        if (look->rows->count == 0)
            continue;
        if (look->rows->time[0] <= time)
            return OI_OK;
        look->rows_end = look->rows->time[0];
    }
}

/* The row that came before at this instant's place gives way, or the one that is longest there. */
static void
remember(struct oi_past *past, const struct remembered *found)
{
    size_t at = past->count;

    for (size_t i = 0; i < past->count; i++)
        if (past->items[i].instants.to == found->instants.from ||
            past->items[i].instants.from == found->instants.from)
            at = i;
    if (at == REMEMBERED_MAX)
        at = past->oldest++ % REMEMBERED_MAX;
    else if (at == past->count)
        past->count++;
    past->items[at] = *found;
}

static enum oi_status
look_at(struct look *look, oi_time time, struct oi_observation *ret_reading)
{
    const struct oi_past *past = &look->past;
    struct remembered found;
    size_t count;

    if (look->newest.time <= time) {
        *ret_reading = look->newest;
        return OI_OK;
    }
    for (size_t i = 0; i < past->count; i++)
        if (past->items[i].instants.from <= time && time < past->items[i].instants.to) {
            *ret_reading = past->items[i].reading;
            return OI_OK;
        }
    if (!look->rows || look->rows->time[0] > time)
        OI_TRY(read_back(look, time));
    /* Rows at or before it: there is a newer one, so it is not the last instant of all. */
    count = oi_times_find(look->rows->time, look->rows->count, time + 1);
    found.reading = oi_columns_get(look->rows, count - 1);
    found.instants.from = found.reading.time;
    found.instants.to = count < look->rows->count ? look->rows->time[count] : look->rows_end;
    remember(&look->past, &found);
    *ret_reading = found.reading;
    return OI_OK;
}

void
oi_store_at_instants(struct oi_store *store, uint32_t series, struct oi_instant *instants,
                     size_t count)
{
    struct look look = { .store = store, .series = series };
    enum oi_status status = oi_store_latest(store, series, &look.newest, NULL);

    if (status == OI_OK && !look_begin(&look))
        status = OI_E_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        instants[i].status = status;
        if (status == OI_OK)
            instants[i].status = look_at(&look, instants[i].time, &instants[i].reading);
    }
    look_end(&look);
}

void
oi_pasts_release(struct oi_store *store)
{
    for (size_t i = 0; i < store->pasts.count; i++)
        oi_free(store->pasts.items[i]);
    oi_vector_release(&store->pasts);
}
