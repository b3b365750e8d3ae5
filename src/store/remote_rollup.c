/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours and days of rows that are elsewhere: ready made ones as far as the remote has them, and the
 * rest made of the rows, of which only the columns that were asked for come, all in one question.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/rollup.h"
#include "store/rollup_internal.h"
#include "store/store_internal.h"

/* Rows into buckets; all but the last one, which may still grow, are handed out. */
static enum oi_status
take_rows(const struct oi_rollup_request *request, const struct oi_columns *columns,
          struct oi_rollups *made)
{
    size_t kept = 0;

    for (size_t row = 0; row < columns->count; row++) {
        const struct oi_observation reading = oi_columns_get(columns, row);

        oi_rollups_add(made, request->interval_ns, &reading);
    }
    for (; kept + 1 < made->count; kept++)
        OI_TRY(request->each(request->context, &made->items[kept]));
    if (kept > 0) {
        made->items[0] = made->items[kept];
        made->count = 1;
    }
    return OI_OK;
}

/* What the remote has ready made, with the marks of bad rows; the span's rest is left. */
static enum oi_status
hand_out_ready(struct oi_store *store, const struct oi_rollup_request *request,
               struct oi_span *span, struct oi_error *error)
{
    struct oi_rollup_request cut = *request;
    struct oi_rollups ready = {};
    struct oi_flags flags = {};
    oi_time until = span->from;
    enum oi_status status;

    OI_TRY(oi_store_refresh(store, error));
    cut.span = *span;
    status = store->remote->ready(store->remote_context, &cut, &ready, &until, error);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (status == OI_OK && ready.count > 0)
        oi_flags_choose(store, request->series, *span, OI_TIME_LATEST, &flags);
    (void) pthread_rwlock_unlock(&store->state_lock);
    for (size_t i = 0; status == OI_OK && i < ready.count; i++) {
        struct oi_rollup *rollup = &ready.items[i];

        for (unsigned part = 0; flags.count > 0 && part < ROLLUP_PARTS; part++)
            if (request->parts & 1u << part)
                rollup_part(rollup, part)->flags |=
                    oi_flags_of(&flags, rollup_part(rollup, part)->time);
        status = request->each(request->context, rollup);
    }
    if (status == OI_OK && until > span->from)
        span->from = until;
    oi_vector_release(&ready);
    oi_vector_release(&flags);
    return status;
}

/* The rest, of rows. */
static enum oi_status
make_rollups(struct oi_store *store, const struct oi_rollup_request *request, struct oi_span span,
             struct oi_error *error)
{
    struct oi_scan_request scan_request = { .series = request->series,
                                            .span = span,
                                            .moment = OI_MOMENT_LATEST,
                                            .columns = OI_COLUMN_FLAGS | OI_COLUMN_OPEN_INTEREST,
                                            .is_whole = true };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns = NULL;
    struct oi_rollups made = {};
    enum oi_status status;

    for (unsigned part = 0; part < OI_COUNT(request->columns); part++)
        scan_request.columns |= request->columns[part];
    status = oi_store_scan(store, &scan_request, &scan, error);
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    do {
        status = oi_scan_next(scan, &columns, error);
        if (status == OI_OK && columns)
            status = take_rows(request, columns, &made);
    } while (status == OI_OK && columns);
    if (status == OI_OK && made.count > 0)
        status = request->each(request->context, &made.items[0]);
    oi_vector_release(&made);
    return status;
}

enum oi_status
oi_remote_rollups(struct oi_store *store, const struct oi_rollup_request *request,
                  struct oi_error *error)
{
    struct oi_span span = request->span;

    if (request->interval_ns != OI_HOUR && request->interval_ns != OI_DAY)
        return oi_fail(error, OI_E_INVALID, "rollups are of one hour or one day");
    /* Buckets that start in the span; the open ends are no buckets. */
    if (span.from > OI_TIME_EARLIEST + OI_WEEK)
        span.from = oi_interval_ceil(request->interval_ns, span.from);
    if (span.to < OI_TIME_LATEST - OI_WEEK && span.to > OI_TIME_EARLIEST + OI_WEEK)
        span.to = oi_interval_ceil(request->interval_ns, span.to);
    OI_TRY(hand_out_ready(store, request, &span, error));
    return span.from < span.to ? make_rollups(store, request, span, error) : OI_OK;
}
