/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: alert_run_test.c replays through it */
/*
 * Commit times never go back, so the order of commits is the order of the times at which rows were
 * known; within a commit rows are ordered by time and market. A row that was too old to be news
 * when it was heard is left out, so each slice needs no more than a staleness limit before it.
 */
#include "alerts/alert_replay.h"

#include <stdlib.h>

/* Rows of a slice, about, where each series has one a minute. */
#define SLICE_ROWS 100'000
/* Clocks of exchanges that are ahead of ours. */
#define AHEAD_NS OI_MINUTE

struct slice {
    const struct oi_alert_replay *replay;
    struct oi_span span;
    OI_VECTOR(struct oi_alert_heard) readings;
};

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int
compare_heard(const void *left, const void *right)
{
    const struct oi_alert_heard *a = left, *b = right;
    int order = ORDER(a->reading.heard, b->reading.heard);

    if (order == 0)
        order = ORDER(a->reading.batch, b->reading.batch);
    if (order == 0)
        order = ORDER(a->reading.time, b->reading.time);
    if (order == 0)
        order = ORDER(a->reading.instrument, b->reading.instrument);
    return order != 0 ? order : ORDER(a->series, b->series);
}

void
oi_alert_replay_sort(struct oi_alert_heard *readings, size_t count)
{
    if (count > 1)
        qsort(readings, count, sizeof(*readings), compare_heard);
}

static void
take_rows(struct slice *slice, const struct oi_alert_series *series,
          const struct oi_columns *columns)
{
    for (size_t row = 0; row < columns->count; row++) {
        struct oi_alert_heard heard = { .series = series->series };
        struct oi_observation reading;

        if (columns->batch[row] > slice->replay->batch_max)
            continue;
        reading = oi_columns_get(columns, row);
        if (oi_alert_scope_word(slice->replay->scope, series, &reading, columns->batch[row],
                                &heard.reading) &&
            oi_span_contains(slice->span, heard.reading.heard))
            oi_vector_push(&slice->readings, heard);
    }
}

static enum oi_status
scan(struct slice *slice, const struct oi_alert_series *series, struct oi_error *error)
{
    struct oi_scan_request request = {
        .series = series->series,
        .span = slice->span,
        .moment = OI_MOMENT_LATEST,
        .columns = OI_COLUMN_KNOWN_TIME | OI_COLUMN_BATCH | OI_COLUMN_OPEN_INTEREST |
                   OI_COLUMN_VALUE_USD | OI_COLUMN_MARK_PRICE | OI_COLUMN_INDEX_PRICE |
                   OI_COLUMN_LAST_PRICE,
        .all_revisions = series->is_heard,
    };
    OI_CLEANUP(oi_scan_close) struct oi_scan *rows = NULL;
    const struct oi_columns *columns = NULL;

    if (series->is_heard) {
        request.span.from -= series->staleness_ns;
        request.span.to += AHEAD_NS;
    }
    OI_TRY(oi_store_scan(slice->replay->scope->source->store, &request, &rows, error));
    for (;;) {
        enum oi_status status = oi_scan_next(rows, &columns, error);

        if (status == OI_E_CORRUPT)
            continue; /* told once; the scan goes on behind the damage, and so do the rules */
        OI_TRY(status);
        if (!columns)
            return OI_OK;
        take_rows(slice, series, columns);
    }
}

/* A market's readings of the slice: those of the feeds that told as it happened, else of the most
 * preferred feed that has any. Its series stand together, in their order. */
static enum oi_status
scan_market(struct slice *slice, size_t from, size_t to, struct oi_error *error)
{
    const struct oi_alert_series *series = slice->replay->scope->series.items;
    size_t before = slice->readings.count;

    for (size_t i = from; i < to; i++)
        if (series[i].is_heard)
            OI_TRY(scan(slice, &series[i], error));
    for (size_t i = from; i < to && slice->readings.count == before; i++)
        if (!series[i].is_heard)
            OI_TRY(scan(slice, &series[i], error));
    return OI_OK;
}

static enum oi_status
run_slice(struct slice *slice, struct oi_error *error)
{
    struct oi_alert_scope *scope = slice->replay->scope;

    oi_vector_clear(&slice->readings);
    for (size_t from = 0, to; from < scope->series.count; from = to) {
        for (to = from + 1; to < scope->series.count && scope->series.items[to].instrument ==
                                                            scope->series.items[from].instrument;)
            to++;
        OI_TRY(scan_market(slice, from, to, error));
    }
    oi_alert_replay_sort(slice->readings.items, slice->readings.count);
    for (size_t i = 0; i < slice->readings.count; i++)
        OI_TRY(oi_alert_scope_read(scope, &slice->readings.items[i].reading, error));
    return slice->replay->step ? slice->replay->step(slice->replay->context, error) : OI_OK;
}

/* The last reading before the replay begins, of markets that may have been silent since. */
static enum oi_status
seed(const struct oi_alert_replay *replay, struct oi_error *error)
{
    struct oi_alert_scope *scope = replay->scope;
    const struct oi_moment moment = { OI_TIME_LATEST, replay->from - 1 };

    for (size_t i = 0; i < scope->series.count; i++) {
        struct oi_alert_series series = scope->series.items[i];
        struct oi_alert_reading reading;
        struct oi_observation row;
        bool is_asked = false;
        enum oi_status status;

        for (size_t k = 0; !is_asked && k < scope->freshness_markets.count; k++)
            is_asked = scope->freshness_markets.items[k] == series.instrument;
        if (!is_asked || !series.is_heard)
            continue;
        status =
            oi_store_at(scope->source->store, series.series, replay->from - 1, moment, &row, error);
        if (status == OI_E_NOT_FOUND)
            continue;
        OI_TRY(status);
        if (oi_alert_scope_word(scope, &series, &row, 0, &reading))
            oi_evaluator_read(scope->evaluator, &reading);
    }
    return OI_OK;
}

/* When the first of them was heard, so that a replay from the beginning of time begins there. */
static enum oi_status
find_start(const struct oi_alert_replay *replay, oi_time *ret_start, struct oi_error *error)
{
    const struct oi_alert_scope *scope = replay->scope;

    *ret_start = OI_TIME_LATEST;
    for (size_t i = 0; i < scope->series.count; i++) {
        struct oi_extent extent;
        enum oi_status status =
            oi_store_extent(scope->source->store, scope->series.items[i].series, &extent, error);

        if (status == OI_E_NOT_FOUND)
            continue;
        OI_TRY(status);
        if (extent.first < *ret_start)
            *ret_start = extent.first;
    }
    if (*ret_start < replay->from)
        *ret_start = replay->from;
    return OI_OK;
}

enum oi_status
oi_alert_replay_run(const struct oi_alert_replay *replay, struct oi_error *error)
{
    size_t count = replay->scope->series.count;
    int64_t width_ns = SLICE_ROWS / (int64_t) (count > 0 ? count : 1) * OI_MINUTE;
    struct slice slice = { .replay = replay };
    enum oi_status status;
    oi_time from;

    width_ns = width_ns < 10 * OI_MINUTE ? 10 * OI_MINUTE : width_ns > OI_DAY ? OI_DAY : width_ns;
    OI_TRY(seed(replay, error));
    OI_TRY(find_start(replay, &from, error));
    if (replay->scope->next_minute == OI_TIME_NONE)
        replay->scope->next_minute =
            oi_interval_ceil(OI_MINUTE, from < replay->to ? from : replay->from);
    status = OI_OK;
    for (; status == OI_OK && from < replay->to; from = slice.span.to) {
        slice.span.from = from;
        slice.span.to = replay->to - from < width_ns ? replay->to : from + width_ns;
        status = run_slice(&slice, error);
    }
    oi_vector_release(&slice.readings);
    return status;
}
