/* SPDX-License-Identifier: Apache-2.0 */
/* Single rows: the newest one from memory, the last one at a time, the ends of a series. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

enum oi_status
oi_store_latest(struct oi_store *store, uint32_t series, struct oi_observation *ret_reading,
                struct oi_error *error)
{
    bool is_found = false;

    OI_TRY(oi_store_refresh(store, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (series > 0 && series <= store->tracks.count)
        is_found = oi_track_newest(&store->tracks.items[series - 1], &store->hidden, ret_reading);
    if (is_found && store->flags.count > 0) {
        struct oi_flags flags = {};

        oi_flags_choose(store, series, (struct oi_span){ ret_reading->time, ret_reading->time + 1 },
                        OI_TIME_LATEST, &flags);
        ret_reading->flags |= oi_flags_of(&flags, ret_reading->time);
        oi_vector_release(&flags);
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (!is_found)
        return oi_fail(error, OI_E_NOT_FOUND, "series %u has no row", series);
    return OI_OK;
}

/* The first or last row of a span; NOT_FOUND. */
static enum oi_status
end_row(struct oi_store *store, uint32_t series, struct oi_span span, struct oi_moment moment,
        bool is_backwards, struct oi_observation *ret_reading, struct oi_error *error)
{
    const struct oi_scan_request request = {
        .series = series,
        .span = span,
        .moment = moment,
        .columns = OI_COLUMNS_ALL,
        .is_backwards = is_backwards,
        .limit = 1,
    };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns;

    OI_TRY(oi_store_scan(store, &request, &scan, error));
    OI_TRY(oi_scan_next(scan, &columns, error));
    if (!columns)
        return oi_fail(error, OI_E_NOT_FOUND, "series %u has no row there", series);
    *ret_reading = oi_columns_get(columns, 0);
    return OI_OK;
}

enum oi_status
oi_store_at(struct oi_store *store, uint32_t series, oi_time time, struct oi_moment moment,
            struct oi_observation *ret_reading, struct oi_error *error)
{
    struct oi_span span = { OI_TIME_EARLIEST, time == OI_TIME_LATEST ? time : time + 1 };
    struct oi_observation newest;

    if (moment.as_of == OI_TIME_LATEST && moment.as_stored == OI_TIME_LATEST) {
        OI_TRY(oi_store_latest(store, series, &newest, error));
        if (newest.time <= time) {
            *ret_reading = newest;
            return OI_OK;
        }
    }
    return end_row(store, series, span, moment, true, ret_reading, error);
}

enum oi_status
oi_store_extent(struct oi_store *store, uint32_t series, struct oi_extent *ret_extent,
                struct oi_error *error)
{
    struct oi_extent extent = { .first = OI_TIME_LATEST, .last = OI_TIME_NONE };
    bool has_hidden = false;

    OI_TRY(oi_store_refresh(store, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (series > 0 && series <= store->tracks.count) {
        const struct oi_track *track = &store->tracks.items[series - 1];
        const struct oi_rows *tail = &track->tail;

        has_hidden = store->hidden.count > 0;
        extent.rows = track->position->rows + tail->count;
        if (track->position->rows > 0)
            extent =
                (struct oi_extent){ track->position->first, track->position->last, extent.rows };
        if (tail->count > 0 && tail->items[0].time < extent.first)
            extent.first = tail->items[0].time;
        if (tail->count > 0 && tail->items[tail->count - 1].time > extent.last)
            extent.last = tail->items[tail->count - 1].time;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (extent.rows == 0)
        return oi_fail(error, OI_E_NOT_FOUND, "series %u has no row", series);
    if (has_hidden) {
        struct oi_observation first, last;

        enum oi_status status =
            end_row(store, series, OI_SPAN_ALL, OI_MOMENT_LATEST, false, &first, error);

        if (status == OI_OK)
            status = end_row(store, series, OI_SPAN_ALL, OI_MOMENT_LATEST, true, &last, error);
        /* Where an end is damaged, the hidden rows' ends are the best there is to say. */
        if (status != OI_OK && status != OI_E_CORRUPT)
            return status;
        if (status == OI_OK) {
            extent.first = first.time;
            extent.last = last.time;
        }
    }
    *ret_extent = extent;
    return OI_OK;
}

uint64_t
oi_store_data_version(struct oi_store *store, uint32_t series)
{
    uint64_t version = 0;

    (void) oi_store_refresh(store, NULL);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (series > 0 && series <= store->tracks.count)
        version = store->tracks.items[series - 1].last_batch;
    /* Withdrawals and definitions change answers too, rarely: in bits that batches do not reach. */
    version ^= store->state.hidden_version << 56 ^ store->state.catalog_version << 40;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return version;
}

uint64_t
oi_store_series_batch(struct oi_store *store, uint32_t series)
{
    uint64_t batch = 0;

    (void) oi_store_refresh(store, NULL);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (series > 0 && series <= store->tracks.count)
        batch = store->tracks.items[series - 1].last_batch;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return batch;
}

/* The state lock is held. */
static bool
is_bare(const struct oi_store *store, const struct oi_catalog *catalog, uint32_t instrument)
{
    if (!catalog->instruments[instrument - 1].is_provisional)
        return false;
    for (uint32_t i = catalog->first_series[instrument - 1]; i < catalog->first_series[instrument];
         i++)
        if (store->tracks.items[catalog->series_of[i] - 1].last_batch > 0)
            return false;
    return true;
}

bool
oi_store_is_bare(struct oi_store *store, const struct oi_catalog *catalog, uint32_t instrument)
{
    bool is_it;

    if (!catalog->instruments[instrument - 1].is_provisional)
        return false;
    (void) pthread_rwlock_rdlock(&store->state_lock);
    is_it = is_bare(store, catalog, instrument);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_it;
}

uint64_t
oi_store_market_version(struct oi_store *store)
{
    uint64_t version;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    version = store->state.catalog_version + atomic_load(&store->begun_count);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return version;
}

size_t
oi_store_market_count(struct oi_store *store, const struct oi_catalog *catalog)
{
    size_t count = 0;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    for (uint32_t id = 1; id <= catalog->instrument_count; id++)
        count += !is_bare(store, catalog, id);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return count;
}
