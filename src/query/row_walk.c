/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_test.c */
/*
 * Which rows count, and where the last N of them begin. Answers that count from the end are found
 * by looking at ever wider windows before the end, so that their cost follows N and not the
 * history.
 */
#include "query/run_internal.h"

#include <string.h>

/* Does the row at `time` open an interval of its own? Remembers it if so. */
static bool
counts(struct row_walk *walk, oi_time time)
{
    oi_time bucket;

    if (walk->interval_ns == 0)
        return true;
    bucket = oi_interval_floor(walk->interval_ns, time);
    if (walk->has_bucket && bucket == walk->bucket)
        return false;
    walk->bucket = bucket;
    walk->has_bucket = true;
    /* Was it the first one, if there are lost ones before it? */
    return !oi_damages_touch(&walk->run->damages, walk->instrument,
                             (struct oi_span){ bucket, time }, 0);
}

enum oi_status
row_walk_next(struct row_walk *walk, struct row_run *ret_run, struct oi_error *error)
{
    const oi_time *times;

    for (;;) {
        if (!walk->block || walk->row >= walk->block->columns.count) {
            walk->row = 0;
            OI_TRY(oi_stream_next(walk->stream, &walk->block, error));
            if (!walk->block) {
                *ret_run = (struct row_run){};
                return OI_OK;
            }
        }
        times = walk->block->columns.time;
        while (walk->row < walk->block->columns.count && !counts(walk, times[walk->row]))
            walk->row++;
        if (walk->row < walk->block->columns.count)
            break;
    }
    *ret_run = (struct row_run){ walk->block, walk->row, walk->block->columns.count };
    walk->row++;
    if (walk->interval_ns == 0) {
        walk->row = ret_run->to;
        return OI_OK;
    }
    while (walk->row < walk->block->columns.count && counts(walk, times[walk->row]))
        walk->row++;
    ret_run->to = walk->row;
    /* The row that ended the run was looked at and does not count. */
    if (walk->row < walk->block->columns.count)
        walk->row++;
    return OI_OK;
}

void
row_walk_close(struct row_walk *walk)
{
    oi_stream_close(&walk->stream);
}

/* Pass over the first `skip` rows that count; the time of the next one, or NONE. Counts them all in
 * *ret_count when `skip` is SIZE_MAX. */
static enum oi_status
walk_over(struct run *run, const struct oi_instrument *instrument, struct oi_span span, size_t skip,
          oi_time *ret_time, size_t *ret_count, struct oi_error *error)
{
    struct row_walk walk = { .run = run,
                             .instrument = instrument,
                             .interval_ns = run->query->interval_ns };
    struct row_run rows = {};
    enum oi_status status;

    *ret_count = 0;
    *ret_time = OI_TIME_NONE;
    status = run_stream_open(run, instrument, span, 0, false, &walk.stream, error);
    if (status == OI_OK)
        status = row_walk_next(&walk, &rows, error);
    while (status == OI_OK && rows.block) {
        size_t count = rows.to - rows.from;

        if (*ret_count + count > skip) {
            *ret_time = rows.block->columns.time[rows.from + (skip - *ret_count)];
            break;
        }
        *ret_count += count;
        status = row_walk_next(&walk, &rows, error);
    }
    row_walk_close(&walk);
    return status;
}

enum oi_status
run_count_rows(struct run *run, const struct oi_instrument *instrument, struct oi_span span,
               size_t *ret_count, struct oi_error *error)
{
    oi_time time;

    return walk_over(run, instrument, span, SIZE_MAX, &time, ret_count, error);
}

/* A window that should hold `wanted` rows, from what is known of the market's density. */
static int64_t
first_window(const struct run *run, size_t wanted, oi_time first, oi_time last, uint64_t rows)
{
    int64_t step = run->query->interval_ns;
    int64_t spacing = rows > 1 ? (last - first) / (int64_t) (rows - 1) : OI_MINUTE;
    int64_t window;

    if (spacing > step)
        step = spacing;
    if (step < OI_SECOND)
        step = OI_SECOND;
    if (wanted > (size_t) (INT64_MAX / 4 / step) ||
        __builtin_mul_overflow((int64_t) wanted + 2, step, &window))
        return INT64_MAX / 4;
    return window + window / 4;
}

enum oi_status
run_find_tail(struct run *run, const struct oi_instrument *instrument, struct oi_span span,
              size_t wanted, struct row_tail *ret_tail, struct oi_error *error)
{
    oi_time first, last, from, time;
    uint64_t rows;
    int64_t window;
    size_t count;

    *ret_tail = (struct row_tail){ .from = span.from };
    if (!run_extent(run, instrument, &first, &last, &rows))
        return OI_OK;
    span = oi_span_intersect(span, (struct oi_span){ first, last + 1 });
    if (span.from >= span.to)
        return OI_OK;
    window = first_window(run, wanted, first, last, rows);
    for (;; window = window < INT64_MAX / 8 ? window * 4 : window) {
        from = span.to - span.from <= window ? span.from : span.to - window;
        if (run->query->interval_ns > 0 && from > span.from) {
            from = oi_interval_floor(run->query->interval_ns, from);
            if (from < span.from)
                from = span.from;
        }
        OI_TRY(run_count_rows(run, instrument, (struct oi_span){ from, span.to }, &count, error));
        if (count >= wanted || from == span.from)
            break;
    }
    *ret_tail = (struct row_tail){ .from = from, .count = count };
    if (count <= wanted)
        return OI_OK;
    OI_TRY(walk_over(run, instrument, (struct oi_span){ from, span.to }, count - wanted, &time,
                     &count, error));
    *ret_tail = (struct row_tail){ .from = time, .count = wanted };
    return OI_OK;
}
