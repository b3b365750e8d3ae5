/* SPDX-License-Identifier: Apache-2.0 */
/* Hours and days that were made ready, read as far as they are right: see filling.h. */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "clickhouse/engine.h"

#include <string.h>

/* Buckets that are kept in more pieces than this are asked for anew. */
#define PIECES_MAX 8

/* Up to where what is ready may be read, and the last event that the reader has met. */
static oi_time
ready_until(struct oi_filling *filling, const struct oi_rollup_request *request, uint64_t *ret_seen)
{
    oi_time until = request->span.from, from;

    (void) pthread_mutex_lock(&filling->lock);
    if (filling->touches.filled > 0 && !filling->is_unsure) {
        from = oi_touches_from(&filling->touches, request->series);
        until = from == OI_TIME_LATEST ? request->span.to
                                       : oi_interval_floor(request->interval_ns, from);
        until = until < request->span.to ? until : request->span.to;
    }
    *ret_seen = filling->seen;
    (void) pthread_mutex_unlock(&filling->lock);
    return until;
}

/* A bucket may be there whose rows are gone. */
static void
cut_to_span(struct oi_rollups *rollups, struct oi_span span)
{
    size_t before = 0;

    while (before < rollups->count && rollups->items[before].start < span.from)
        before++;
    while (rollups->count > before && rollups->items[rollups->count - 1].start >= span.to)
        rollups->count--;
    rollups->count -= before;
    if (before > 0)
        memmove(rollups->items, rollups->items + before, rollups->count * sizeof(*rollups->items));
}

/* Of a question of ready made buckets. */
struct asking {
    struct oi_clickhouse *engine;
    const struct oi_rollup_request *request;
    struct oi_remote_extent extent;
    struct oi_kept_question question;
    uint64_t epoch;
    uint64_t seen; /* the last event that the reader has met */
    size_t pieces; /* taken so far */
};

/* Buckets that begin in the span, of what ClickHouse answered. False in *ret_usable where they are
 * newer than what the reader knows, or of rows that were removed since. */
static enum oi_status
take_answer(const struct asking *asking, struct oi_slice body, struct oi_span span,
            struct oi_rollups *rollups, bool *ret_usable, struct oi_error *error)
{
    struct oi_rollups found = {};
    uint64_t version = 0;
    enum oi_status status = oi_ready_decode(body, &found, &version, error);

    *ret_usable = false;
    if (status == OI_OK) {
        cut_to_span(&found, span);
        *ret_usable = version <= asking->seen &&
                      (found.count == 0 || !(asking->request->parts & OI_ROLLUP_FIRST) ||
                       found.items[0].first.time >= asking->extent.first);
    }
    for (size_t i = 0; *ret_usable && i < found.count; i++)
        oi_vector_push(rollups, found.items[i]);
    oi_vector_release(&found);
    return status;
}

static enum oi_status
ask_buckets(const struct asking *asking, struct oi_span span, struct oi_buffer *out,
            struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {};
    struct oi_series pair;

    if (!oi_remote_series(asking->engine->store, asking->request->series, &pair))
        return oi_fail(error, OI_E_NOT_FOUND, "there is no series %u", asking->request->series);
    oi_buffer_add_format(&statement,
                         "SELECT " OI_READY_COLUMNS " FROM %s WHERE instrument = %u AND feed = %u",
                         asking->request->interval_ns == OI_DAY ? "rollup_day" : "rollup_hour",
                         pair.instrument, pair.feed);
    /* What holds of every bucket is not asked of each. */
    if (span.from > asking->extent.first)
        oi_buffer_add_format(&statement, " AND start >= %lld", (long long) span.from);
    if (span.to <= asking->extent.last)
        oi_buffer_add_format(&statement, " AND start < %lld", (long long) span.to);
    oi_buffer_add_text(&statement, " SETTINGS max_threads = 1");
    return oi_clickhouse_select(asking->engine, &statement, out, error);
}

/* Buckets of the span's begin, and up to where: as far as they are kept, or all of them. */
static enum oi_status
take_buckets(struct asking *asking, struct oi_span *span, struct oi_rollups *rollups,
             bool *ret_usable, struct oi_error *error)
{
    struct oi_kept *kept = asking->engine->kept;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_span part = *span;
    struct oi_kept_piece piece;
    enum oi_status status;

    if (asking->pieces++ < PIECES_MAX &&
        oi_kept_find(kept, &asking->question, span->from, &piece)) {
        part.to = oi_interval_floor(asking->request->interval_ns, piece.span.to);
        part = oi_span_intersect(part, *span);
        status = part.from < part.to
                     ? take_answer(asking, piece.bytes, part, rollups, ret_usable, error)
                     : OI_OK;
        oi_kept_release(kept, &piece);
        if (status != OI_OK || part.from < part.to) {
            span->from = part.to;
            return status;
        }
        part = *span;
    }
    OI_TRY(ask_buckets(asking, part, &out, error));
    OI_TRY(take_answer(asking, oi_buffer_slice(&out), part, rollups, ret_usable, error));
    if (*ret_usable)
        oi_kept_put(kept, &asking->question, asking->epoch, part, oi_buffer_slice(&out));
    span->from = part.to;
    return OI_OK;
}

enum oi_status
oi_filling_ready(void *context, const struct oi_rollup_request *request, struct oi_rollups *rollups,
                 oi_time *ret_until, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    /* In this order: what changes behind the first two makes what is kept behind them of no use. */
    struct asking asking = {
        .engine = engine,
        .request = request,
        .epoch = oi_kept_epoch(engine->kept),
        .question = { .kind = request->interval_ns == OI_DAY ? OI_KEPT_DAYS : OI_KEPT_HOURS,
                      .series = &request->series,
                      .count = 1,
                      .batch_limit = oi_remote_last_batch(engine->store) },
    };
    oi_time until = ready_until(&engine->filling, request, &asking.seen);
    struct oi_span span = request->span;
    bool is_usable = true;

    *ret_until = span.from;
    if (!engine->server.has_rollups || until <= span.from ||
        !oi_remote_extent(engine->store, request->series, &asking.extent))
        return OI_OK;
    span = oi_span_intersect(
        (struct oi_span){ span.from, until },
        (struct oi_span){ oi_interval_floor(request->interval_ns, asking.extent.first),
                          asking.extent.last < OI_TIME_LATEST ? asking.extent.last + 1
                                                              : asking.extent.last });
    /* Of what is there whole buckets. */
    if (span.to < until && span.to < OI_TIME_LATEST - OI_WEEK)
        span.to = oi_interval_ceil(request->interval_ns, span.to);
    while (is_usable && span.from < span.to)
        OI_TRY(take_buckets(&asking, &span, rollups, &is_usable, error));
    if (is_usable)
        *ret_until = until;
    else
        oi_vector_clear(rollups);
    return OI_OK;
}
