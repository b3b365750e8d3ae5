/* SPDX-License-Identifier: Apache-2.0 */
/* Hours and days made ready of the rows, known to be right or not read. */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "clickhouse/filling.h"

#include "base/alloc.h"
#include "base/log.h"
#include "clickhouse/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A process that wrote so many rows, or has written for so long, makes their hours ready; and one
 * that ends and wrote so many. */
#define ROWS_DUE 2'000'000
#define ROWS_FINISH 5'000
#define FILL_FIRST_NS (600 * OI_SECOND)
#define FILL_NS (6 * OI_HOUR)
#define RETRY_NS (60 * OI_SECOND)
/* How often is looked whether somebody else did. */
#define ASK_NS (60 * OI_SECOND)
/* Rows that are read together, and buckets that are sent together. */
#define PART_ROWS 50'000
#define SEND_BUCKETS 20'000
#define STEP_PARTS 4

void
oi_filling_release(struct oi_filling *filling)
{
    oi_touches_release(&filling->touches);
    oi_making_release(&filling->making);
    oi_vector_release(&filling->has_made);
    oi_ready_release(&filling->hours);
    oi_ready_release(&filling->days);
    oi_free(filling->hidden.batches);
    (void) pthread_mutex_destroy(&filling->lock);
}

static int64_t
now_of(void)
{
    return oi_clock_system.monotonic_ns(&oi_clock_system);
}

static void
set_unsure(struct oi_filling *filling, bool is_unsure)
{
    (void) pthread_mutex_lock(&filling->lock);
    filling->is_unsure = is_unsure;
    (void) pthread_mutex_unlock(&filling->lock);
}

/* In a table of its own it would be one more: bucket 0 of no instrument tells by its version. */
enum oi_status
oi_filling_ask(struct oi_clickhouse *engine, struct oi_error *error)
{
    struct oi_filling *filling = &engine->filling;
    char found[32];

    if (!engine->server.has_rollups)
        return OI_OK;
    OI_TRY(oi_clickhouse_ask(engine->client,
                             "SELECT max(version) FROM rollup_hour WHERE instrument = 0 AND feed = "
                             "0 AND start = 0",
                             found, sizeof(found), error));
    (void) pthread_mutex_lock(&filling->lock);
    if (engine->is_begun)
        oi_touches_fill(&filling->touches, strtoull(found, NULL, 10), engine->sequence);
    else
        filling->touches.filled = strtoull(found, NULL, 10);
    (void) pthread_mutex_unlock(&filling->lock);
    filling->ask_at = now_of() + ASK_NS;
    return OI_OK;
}

/*
 * What was touched.
 */

static void
take_hidden(struct oi_clickhouse *engine)
{
    struct oi_filling *filling = &engine->filling;

    oi_free(filling->hidden.batches);
    filling->hidden = oi_remote_hidden(engine->store);
    filling->has_hidden = true;
}

static void
add_rows(struct oi_filling *filling, const struct oi_batch_rows *rows)
{
    (void) pthread_mutex_lock(&filling->lock);
    for (size_t i = 0; i < rows->rows.count; i++)
        if (i == 0 || rows->series.items[i] != rows->series.items[i - 1])
            oi_touches_add(&filling->touches, rows->series.items[i], rows->rows.items[i].time);
    (void) pthread_mutex_unlock(&filling->lock);
}

enum oi_status
oi_filling_note(struct oi_clickhouse *engine, uint64_t sequence, const struct oi_change *change,
                struct oi_error *error)
{
    struct oi_filling *filling = &engine->filling;
    struct oi_batch_header header;
    struct oi_batch_rows rows = {};

    if (!engine->server.has_rollups || (!engine->is_begun && (filling->touches.filled == 0 ||
                                                              sequence <= filling->touches.filled)))
        return OI_OK;
    if (!filling->has_hidden)
        take_hidden(engine);
    if (change->kind == OI_CHANGE_WITHDRAW)
        set_unsure(filling, true);
    if (change->kind == OI_CHANGE_WITHDRAW || (change->row_count > 0 && change->rows.size == 0))
        oi_making_spoil(&filling->making, 0);
    if (change->kind != OI_CHANGE_APPEND || change->row_count == 0)
        return OI_OK;
    if (change->rows.size > 0) {
        OI_TRY(oi_batch_decode(change->rows, &header, &rows, error));
        add_rows(filling, &rows);
        oi_clickhouse_note_rows(engine, &rows);
        for (size_t i = 0; i < rows.series.count; i++)
            oi_making_spoil(&filling->making, rows.series.items[i]);
        oi_batch_rows_release(&rows);
        return OI_OK;
    }
    set_unsure(filling, true);
    if (filling->untold_to == 0)
        filling->untold_from = change->batch;
    filling->untold_to = change->batch;
    return OI_OK;
}

/* They come in order of series. */
void
oi_filling_make(struct oi_clickhouse *engine, const struct oi_batch_rows *rows)
{
    const uint32_t *series = rows->series.items;

    if (!engine->server.has_rollups)
        return;
    for (size_t from = 0, to; from < rows->rows.count; from = to) {
        struct oi_remote_extent extent;
        struct oi_series pair;
        bool has_rows = oi_remote_extent(engine->store, series[from], &extent);

        for (to = from + 1; to < rows->rows.count && series[to] == series[from];)
            to++;
        if (oi_remote_series(engine->store, series[from], &pair))
            oi_making_add(&engine->filling.making, &pair, has_rows ? extent.last : OI_TIME_NONE,
                          &rows->rows, from, to);
    }
}

void
oi_filling_note_own(struct oi_clickhouse *engine, const struct oi_change *change,
                    const struct oi_batch_rows *rows)
{
    struct oi_filling *filling = &engine->filling;

    if (!engine->server.has_rollups)
        return;
    if (change->kind == OI_CHANGE_WITHDRAW) {
        set_unsure(filling, true);
        oi_making_spoil(&filling->making, 0);
    }
    if (rows) {
        add_rows(filling, rows);
        oi_clickhouse_note_rows(engine, rows);
        filling->rows += rows->rows.count;
    }
    (void) pthread_mutex_lock(&filling->lock);
    filling->seen = engine->sequence;
    (void) pthread_mutex_unlock(&filling->lock);
}

static enum oi_status
take_touches(struct oi_clickhouse *engine, struct oi_slice body, struct oi_error *error)
{
    struct oi_filling *filling = &engine->filling;
    struct oi_native_block block;
    enum oi_status status;

    while ((status = oi_native_next(&body, &block, error)) == OI_OK) {
        const struct oi_native_column *instrument = NULL, *feed = NULL, *time = NULL;

        status = oi_native_find(&block, "instrument", false, &instrument, error);
        if (status == OI_OK)
            status = oi_native_find(&block, "feed", false, &feed, error);
        if (status == OI_OK)
            status = oi_native_find(&block, "first_time", false, &time, error);
        for (size_t row = 0; status == OI_OK && row < block.rows; row++) {
            uint32_t series =
                oi_remote_find_series(engine->store, (uint32_t) oi_native_int(instrument, row),
                                      (uint16_t) oi_native_int(feed, row));

            (void) pthread_mutex_lock(&filling->lock);
            oi_touches_add(&filling->touches, series, oi_native_int(time, row));
            (void) pthread_mutex_unlock(&filling->lock);
        }
        oi_native_block_release(&block);
        OI_TRY(status);
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

/* What batches touched that were not told with their rows, or were withdrawn. */
static enum oi_status
ask_touches(struct oi_clickhouse *engine, struct oi_error *error)
{
    struct oi_filling *filling = &engine->filling;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {}, out = {};
    struct oi_hidden hidden = oi_remote_hidden(engine->store);
    size_t gone = 0;
    enum oi_status status = OI_OK;

    oi_buffer_add_format(&statement,
                         "SELECT instrument, feed, min(time) AS first_time FROM readings WHERE "
                         "(batch >= %llu AND batch <= %llu) OR batch IN (",
                         (unsigned long long) (filling->untold_to ? filling->untold_from : 1),
                         (unsigned long long) filling->untold_to);
    for (size_t i = 0; i < hidden.count; i++)
        if (!oi_hidden_has(&filling->hidden, hidden.batches[i]))
            oi_buffer_add_format(&statement, "%s%llu", gone++ ? "," : "",
                                 (unsigned long long) hidden.batches[i]);
    oi_buffer_add_text(&statement, gone ? ")" : "0)");
    oi_buffer_add_text(&statement, " GROUP BY instrument, feed");
    if (gone > 0 || filling->untold_to > 0) {
        status = oi_clickhouse_select(engine, &statement, &out, error);
        if (status == OI_OK)
            status = take_touches(engine, oi_buffer_slice(&out), error);
    }
    if (status != OI_OK) {
        oi_free(hidden.batches);
        return status;
    }
    filling->has_withdrawn |= gone > 0;
    filling->untold_from = filling->untold_to = 0;
    oi_free(filling->hidden.batches);
    filling->hidden = hidden;
    return OI_OK;
}

enum oi_status
oi_filling_follow(struct oi_clickhouse *engine, struct oi_error *error)
{
    struct oi_filling *filling = &engine->filling;

    if (!engine->server.has_rollups)
        return OI_OK;
    if (!filling->has_hidden)
        take_hidden(engine);
    if (filling->is_unsure)
        OI_TRY(ask_touches(engine, error));
    (void) pthread_mutex_lock(&filling->lock);
    filling->is_unsure = false;
    filling->seen = engine->sequence;
    if (filling->touches.filled == 0 && filling->touches.turned == 0)
        filling->touches.turned = engine->sequence;
    (void) pthread_mutex_unlock(&filling->lock);
    if (filling->fill_at == 0)
        filling->fill_at = now_of() + FILL_FIRST_NS;
    return now_of() < filling->ask_at ? OI_OK : oi_filling_ask(engine, error);
}

/*
 * Making ready.
 */

/* What of a series has to be made anew: whole days. False: nothing. */
static bool
choose_span(struct oi_clickhouse *engine, uint32_t series, const struct oi_remote_extent *extent,
            struct oi_span *ret_span)
{
    struct oi_filling *filling = &engine->filling;
    oi_time from = OI_TIME_EARLIEST;

    if (filling->touches.filled > 0)
        from = series <= filling->touches.items.count
                   ? filling->touches.items.items[series - 1].before
                   : OI_TIME_LATEST;
    if (from < extent->first)
        from = extent->first;
    if (from > extent->last)
        return false;
    *ret_span = (struct oi_span){ oi_interval_floor(OI_DAY, from),
                                  oi_interval_floor(OI_DAY, extent->last) + OI_DAY };
    return true;
}

static bool
has_made(const struct oi_filling *filling, uint32_t series)
{
    return series <= filling->has_made.count && filling->has_made.items[series - 1];
}

static bool
choose_unmade(void *context, uint32_t series, const struct oi_remote_extent *extent,
              struct oi_span *ret_span)
{
    struct oi_clickhouse *engine = context;

    return !has_made(&engine->filling, series) && choose_span(engine, series, extent, ret_span);
}

/* Buckets of a series into those to be sent; among them, where rows were withdrawn, the empty ones.
 */
static void
add_buckets(struct oi_clickhouse *engine, const struct oi_series *pair,
            const struct oi_rollups *rollups, struct oi_span span, bool is_day)
{
    struct oi_filling *filling = &engine->filling;
    struct oi_ready *ready = is_day ? &filling->days : &filling->hours;
    int64_t width = is_day ? OI_DAY : OI_HOUR;
    size_t next = 0;

    if (!filling->clears_empty) {
        for (size_t i = 0; i < rollups->count; i++)
            oi_ready_add(ready, pair, &rollups->items[i]);
        return;
    }
    for (oi_time start = span.from; start < span.to; start += width) {
        const struct oi_rollup empty = { .start = start };
        bool is_there = next < rollups->count && rollups->items[next].start == start;

        oi_ready_add(ready, pair, is_there ? &rollups->items[next] : &empty);
        next += is_there;
    }
}

static void
make_buckets(struct oi_clickhouse *engine, uint32_t series, struct oi_span span,
             struct oi_rows *rows)
{
    struct oi_filling *filling = &engine->filling;
    struct oi_rollups hours = {}, days = {};
    struct oi_series pair;

    if (!oi_remote_series(engine->store, series, &pair))
        return;
    oi_ready_make(rows, &filling->hidden, &hours, &days);
    add_buckets(engine, &pair, &hours, span, false);
    add_buckets(engine, &pair, &days, span, true);
    oi_vector_release(&hours);
    oi_vector_release(&days);
}

static enum oi_status
send_buckets(struct oi_clickhouse *engine, const char *table, struct oi_ready *ready, size_t least,
             struct oi_error *error)
{
    struct oi_buffer block = {};
    enum oi_status status;

    if (ready->buckets.count == 0 || ready->buckets.count < least)
        return OI_OK;
    oi_ready_encode(ready, engine->filling.sequence, &block);
    status = oi_clickhouse_send(engine, table, &block, error);
    oi_buffer_release(&block);
    oi_ready_clear(ready);
    return status;
}

static enum oi_status
fill_part(struct oi_clickhouse *engine, bool *ret_done, struct oi_error *error)
{
    OI_CLEANUP(oi_part_release) struct oi_part part = {};
    struct oi_rows *rows;
    enum oi_status status;

    oi_part_next(&engine->filling.walk, engine->store, &part);
    *ret_done = part.series.count == 0;
    if (*ret_done)
        return OI_OK;
    rows = oi_alloc_zero(part.series.count, sizeof(*rows));
    {
        const struct oi_gather_request request = { .series = part.series.items,
                                                   .count = part.series.count,
                                                   .span = part.span,
                                                   .columns = OI_COLUMNS_ALL,
                                                   .lacks_wides = part.lacks_wides,
                                                   .batch_limit = engine->filling.batch };

        status = oi_clickhouse_gather(engine, &request, rows, error);
    }
    for (size_t i = 0; i < part.series.count; i++) {
        if (status == OI_OK)
            make_buckets(engine, part.series.items[i], part.span, &rows[i]);
        oi_rows_release(&rows[i]);
        if (status == OI_OK)
            status =
                send_buckets(engine, "rollup_hour", &engine->filling.hours, SEND_BUCKETS, error);
        if (status == OI_OK)
            status = send_buckets(engine, "rollup_day", &engine->filling.days, SEND_BUCKETS, error);
    }
    oi_free(rows);
    return status;
}

static void
take_made_of(const struct oi_filling *filling, const struct oi_ready *made, struct oi_ready *ready)
{
    for (size_t i = 0; i < made->buckets.count; i++)
        if (has_made(filling, made->buckets.items[i].series.id))
            oi_ready_copy(ready, made, i);
}

/* Of series that have all they need in hand nothing is read. */
static void
take_made(struct oi_clickhouse *engine)
{
    struct oi_filling *filling = &engine->filling;

    oi_vector_clear(&filling->has_made);
    for (uint32_t series = 1; series <= filling->making.items.count; series++) {
        struct oi_remote_extent extent;
        struct oi_span span;
        bool is_whole = !filling->clears_empty &&
                        oi_remote_extent(engine->store, series, &extent) &&
                        choose_span(engine, series, &extent, &span) &&
                        oi_making_has(&filling->making, series, span.from, extent.last);

        oi_vector_push(&filling->has_made, is_whole);
    }
    oi_making_finish(&filling->making);
    take_made_of(filling, &filling->making.hours, &filling->hours);
    take_made_of(filling, &filling->making.days, &filling->days);
    oi_making_turn(&filling->making);
}

static void
begin_pass(struct oi_clickhouse *engine)
{
    struct oi_filling *filling = &engine->filling;

    filling->is_passing = true;
    filling->sequence = engine->sequence;
    filling->batch = oi_remote_last_batch(engine->store);
    filling->walk = (struct oi_part_walk){ choose_unmade, engine, PART_ROWS, 1, OI_TIME_NONE };
    /* What a first pass that broke off left may have been withdrawn since. */
    filling->clears_empty =
        filling->has_withdrawn || (filling->touches.filled == 0 && filling->hidden.count > 0);
    filling->has_withdrawn = false;
    filling->rows = 0;
    oi_ready_clear(&filling->hours);
    oi_ready_clear(&filling->days);
    (void) pthread_mutex_lock(&filling->lock);
    oi_touches_turn(&filling->touches, filling->sequence);
    (void) pthread_mutex_unlock(&filling->lock);
    take_made(engine);
}

/* All buckets are there: now it is said. */
static enum oi_status
end_pass(struct oi_clickhouse *engine, struct oi_error *error)
{
    struct oi_filling *filling = &engine->filling;
    const struct oi_series nobody = {};
    const struct oi_rollup none = {};

    OI_TRY(send_buckets(engine, "rollup_hour", &filling->hours, 0, error));
    OI_TRY(send_buckets(engine, "rollup_day", &filling->days, 0, error));
    oi_ready_add(&filling->hours, &nobody, &none);
    OI_TRY(send_buckets(engine, "rollup_hour", &filling->hours, 0, error));
    filling->is_passing = false;
    filling->fill_at = now_of() + FILL_NS;
    (void) pthread_mutex_lock(&filling->lock);
    oi_touches_fill(&filling->touches, filling->sequence, engine->sequence);
    (void) pthread_mutex_unlock(&filling->lock);
    return OI_OK;
}

static void
fill(struct oi_clickhouse *engine, size_t parts_max)
{
    struct oi_filling *filling = &engine->filling;
    struct oi_error error = {};
    enum oi_status status = OI_OK;
    bool is_done = false;

    if (!filling->is_passing)
        begin_pass(engine);
    for (size_t i = 0; status == OI_OK && !is_done && i < parts_max; i++)
        status = fill_part(engine, &is_done, &error);
    if (status == OI_OK && is_done)
        status = end_pass(engine, &error);
    if (status == OI_OK)
        return;
    filling->is_passing = false;
    /* What was taken of it is not stored. */
    oi_making_release(&filling->making);
    filling->has_withdrawn |= filling->clears_empty;
    filling->fill_at = filling->retry_at = now_of() + RETRY_NS;
    oi_log(OI_LOG_WARN, "clickhouse.rollups", "hours are not made ready for now: %s",
           error.message);
}

void
oi_filling_step(struct oi_clickhouse *engine)
{
    const struct oi_filling *filling = &engine->filling;
    uint64_t due = filling->rows_due ? filling->rows_due : ROWS_DUE;
    int64_t now = now_of();

    if (engine->is_read_only || !engine->server.has_rollups || filling->is_unsure ||
        engine->sequence == 0)
        return;
    if (!filling->is_passing && (now < filling->retry_at || filling->rows < due) &&
        (now < filling->fill_at || filling->touches.filled == engine->sequence))
        return;
    fill(engine, filling->rows_due ? SIZE_MAX : STEP_PARTS);
}

void
oi_filling_finish(struct oi_clickhouse *engine)
{
    const struct oi_filling *filling = &engine->filling;

    if (engine->is_read_only || !engine->server.has_rollups || filling->is_unsure ||
        !engine->is_begun || atomic_load(&engine->is_away) ||
        (!filling->is_passing && filling->rows < ROWS_FINISH))
        return;
    fill(engine, SIZE_MAX);
}
