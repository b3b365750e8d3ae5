/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coverage: why a minute has no row. Holes are stored as they are told; what was asked for is
 * remembered minute by minute, so that a missing row is told from a missing collector. A question
 * walks over the stretches between rows and names the cause of each piece.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Short holes are found by their start; the few long ones are all looked at. */
#define SHORT_HOLE_NS OI_DAY
enum hole_reach { REACH_SHORT = 0, REACH_LONG = 1 };

const char *
oi_hole_cause_name(enum oi_hole_cause cause)
{
    switch (cause) {
    case OI_HOLE_NONE:
        return "none";
    case OI_HOLE_SILENT:
        return "silent";
    case OI_HOLE_UNREACHABLE:
        return "unreachable";
    case OI_HOLE_BLOCKED:
        return "blocked";
    case OI_HOLE_RATE_LIMITED:
        return "rate_limited";
    case OI_HOLE_COLLECTOR_DOWN:
        return "collector_down";
    case OI_HOLE_NOT_LISTED:
        return "not_listed";
    case OI_HOLE_DELISTED:
        return "delisted";
    case OI_HOLE_DAMAGED:
        return "damaged";
    }
    return "none";
}

/* Holes of one instrument are under its id alone. */
static struct oi_key
hole_prefix(const char *exchange, const char *product, uint32_t instrument)
{
    struct oi_key key = {};

    oi_key_add_text(&key, instrument ? "" : exchange);
    oi_key_add_text(&key, instrument ? "" : product);
    oi_key_add_u32(&key, instrument);
    return key;
}

static enum oi_status
save_hole(struct oi_access *access, const struct oi_hole *hole, uint64_t batch, uint32_t index,
          struct oi_error *error)
{
    struct oi_key key = hole_prefix(hole->exchange, hole->product, hole->instrument);
    uint64_t width_ns = (uint64_t) hole->span.to - (uint64_t) hole->span.from;
    bool is_long = width_ns > SHORT_HOLE_NS;
    struct oi_buffer value = {};
    enum oi_status status;

    oi_key_add_u8(&key, is_long ? REACH_LONG : REACH_SHORT);
    oi_key_add_time(&key, hole->span.from);
    oi_key_add_u64(&key, batch);
    oi_key_add_u32(&key, index);
    oi_seal_begin(&value);
    oi_buffer_add_u64(&value, (uint64_t) hole->span.to);
    oi_buffer_add_u8(&value, (uint8_t) hole->cause);
    status = oi_access_put(access, OI_TABLE_HOLE, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

/* The minutes of one hour that somebody asked for, and in which batch each was told. */
struct watch_hour {
    size_t count;
    struct {
        uint8_t minute;
        uint64_t batch;
    } asked[60];
};

static enum oi_status
watch_decode(struct oi_slice body, struct watch_hour *hour, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);

    hour->count = 0;
    while (oi_cursor_left(&cursor) > 0 && !cursor.failed && hour->count < 60) {
        hour->asked[hour->count].minute = oi_cursor_u8(&cursor);
        hour->asked[hour->count].batch = oi_cursor_u64(&cursor);
        if (hour->asked[hour->count++].minute > 59)
            cursor.failed = true;
    }
    if (cursor.failed || oi_cursor_left(&cursor) > 0)
        return oi_fail(error, OI_E_CORRUPT, "an hour of watch marks is damaged");
    return OI_OK;
}

static struct oi_key
watch_key(const char *exchange, const char *product, oi_time hour)
{
    struct oi_key key = {};

    oi_key_add_text(&key, exchange);
    oi_key_add_text(&key, product);
    oi_key_add_time(&key, hour);
    return key;
}

static enum oi_status
save_mark(struct oi_access *access, const struct oi_watch_mark *mark, uint64_t batch,
          struct oi_error *error)
{
    oi_time hour = oi_interval_floor(OI_HOUR, mark->minute);
    const struct oi_key key = watch_key(mark->exchange, mark->product, hour);
    uint8_t minute = (uint8_t) ((mark->minute - hour) / OI_MINUTE);
    struct watch_hour known = {};
    struct oi_buffer value = {};
    struct oi_slice body;
    enum oi_status status = oi_access_get(access, OI_TABLE_WATCH, oi_key_slice(&key), &body, error);

    if (status == OI_OK)
        status = watch_decode(body, &known, error);
    else if (status == OI_E_NOT_FOUND)
        status = OI_OK;
    OI_TRY(status);
    oi_seal_begin(&value);
    for (size_t i = 0; i < known.count; i++) {
        if (known.asked[i].minute == minute) {
            oi_buffer_release(&value);
            return OI_OK;
        }
        oi_buffer_add_u8(&value, known.asked[i].minute);
        oi_buffer_add_u64(&value, known.asked[i].batch);
    }
    oi_buffer_add_u8(&value, minute);
    oi_buffer_add_u64(&value, batch);
    status = oi_access_put(access, OI_TABLE_WATCH, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

static bool
is_name(const char *name)
{
    return memchr(name, 0, OI_NAME_SIZE) != NULL;
}

enum oi_status
oi_coverage_save(struct oi_access *access, const struct oi_batch *batch, uint64_t number,
                 struct oi_error *error)
{
    for (size_t i = 0; i < batch->hole_count; i++) {
        const struct oi_hole *hole = &batch->holes[i];

        if (!is_name(hole->exchange) || !is_name(hole->product) ||
            hole->span.from >= hole->span.to || hole->span.from == OI_TIME_NONE)
            return oi_fail(error, OI_E_INVALID, "a hole without a name or a span");
        OI_TRY(save_hole(access, hole, number, (uint32_t) i, error));
    }
    for (size_t i = 0; i < batch->mark_count; i++) {
        const struct oi_watch_mark *mark = &batch->marks[i];

        if (!is_name(mark->exchange) || !is_name(mark->product) || mark->minute == OI_TIME_NONE)
            return oi_fail(error, OI_E_INVALID, "a watch mark without a name or a minute");
        OI_TRY(save_mark(access, mark, number, error));
    }
    return OI_OK;
}

/*
 * Asking.
 */

/* A piece of time with a cause; the later told one wins where two meet. */
struct piece {
    struct oi_span span;
    enum oi_hole_cause cause;
    uint64_t batch;
};

struct question {
    struct oi_store *store;
    struct oi_access access;
    struct oi_span span;
    int64_t cadence_ns;
    uint64_t batch_limit;
    bool is_stream;                  /* who was there and tells nothing says that nothing changed */
    OI_VECTOR(struct piece) told;    /* holes that meet the span, in order of their start */
    size_t told_done;                /* so many of them end before where we are */
    OI_VECTOR(struct oi_span) asked; /* slots that somebody asked for, ascending, merged */
    enum oi_status (*each)(void *context, const struct oi_hole *hole);
    void *context;
    struct oi_hole pending; /* grows while the cause stays the same */
};

static enum oi_status
collect_hole(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct question *question = context;
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_slice rest = { key.data + key.size - 20, 20 };
    struct piece piece;
    uint8_t cause;

    piece.span.from = oi_key_take_time(&rest);
    piece.batch = oi_key_take_u64(&rest);
    piece.span.to = (oi_time) oi_cursor_u64(&cursor);
    cause = oi_cursor_u8(&cursor);
    if (cursor.failed || oi_cursor_left(&cursor) != 0 || cause > OI_HOLE_DELISTED)
        return oi_fail(error, OI_E_CORRUPT, "a hole is damaged");
    if (piece.span.from >= question->span.to)
        return OI_E_NOT_FOUND; /* enough: they are in order of their start */
    piece.cause = (enum oi_hole_cause) cause;
    if (piece.span.to > question->span.from && piece.batch <= question->batch_limit)
        oi_vector_push(&question->told, piece);
    return OI_OK;
}

static enum oi_status
collect_holes(struct question *question, const char *exchange, const char *product,
              uint32_t instrument, struct oi_error *error)
{
    for (unsigned reach = REACH_SHORT; reach <= REACH_LONG; reach++) {
        struct oi_key prefix = hole_prefix(exchange, product, instrument), from;

        oi_key_add_u8(&prefix, (uint8_t) reach);
        from = prefix;
        if (reach == REACH_SHORT && question->span.from > OI_TIME_EARLIEST + SHORT_HOLE_NS)
            oi_key_add_time(&from, question->span.from - SHORT_HOLE_NS);
        OI_TRY(oi_access_walk(&question->access, OI_TABLE_HOLE, &prefix, &from, collect_hole,
                              question, error));
    }
    return OI_OK;
}

static enum oi_status
collect_watch(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct question *question = context;
    struct oi_slice rest = { key.data + key.size - 8, 8 };
    oi_time start = oi_key_take_time(&rest);
    struct watch_hour hour;

    if (start >= question->span.to)
        return OI_E_NOT_FOUND;
    OI_TRY(watch_decode(body, &hour, error));
    for (size_t i = 0; i < hour.count; i++) {
        oi_time slot =
            oi_interval_floor(question->cadence_ns, start + hour.asked[i].minute * OI_MINUTE);
        const struct oi_span asked = { slot, slot + question->cadence_ns };

        if (hour.asked[i].batch <= question->batch_limit)
            oi_vector_push(&question->asked, asked);
    }
    return OI_OK;
}

static enum oi_status
collect_watches(struct question *question, const char *exchange, const char *product,
                struct oi_error *error)
{
    struct oi_key prefix = {}, from;

    oi_key_add_text(&prefix, exchange);
    oi_key_add_text(&prefix, product);
    from = prefix;
    oi_key_add_time(&from, oi_interval_floor(OI_HOUR, question->span.from));
    return oi_access_walk(&question->access, OI_TABLE_WATCH, &prefix, &from, collect_watch,
                          question, error);
}

static int
compare_spans(const void *left, const void *right)
{
    const struct oi_span *a = left, *b = right;

    return a->from < b->from ? -1 : a->from > b->from;
}

static int
compare_pieces(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;

    if (a->span.from != b->span.from)
        return a->span.from < b->span.from ? -1 : 1;
    return a->batch < b->batch ? -1 : a->batch > b->batch;
}

static void
merge_asked(struct question *question)
{
    size_t kept = 0;

    if (question->asked.count == 0)
        return;
    qsort(question->asked.items, question->asked.count, sizeof(struct oi_span), compare_spans);
    for (size_t i = 1; i < question->asked.count; i++) {
        if (question->asked.items[i].from > question->asked.items[kept].to)
            question->asked.items[++kept] = question->asked.items[i];
        else if (question->asked.items[i].to > question->asked.items[kept].to)
            question->asked.items[kept].to = question->asked.items[i].to;
    }
    question->asked.count = kept + 1;
}

static enum oi_status
flush(struct question *question)
{
    const struct oi_hole done = question->pending;

    question->pending.cause = OI_HOLE_NONE;
    return done.cause == OI_HOLE_NONE ? OI_OK : question->each(question->context, &done);
}

static enum oi_status
tell(struct question *question, struct oi_span span, enum oi_hole_cause cause)
{
    struct oi_hole *pending = &question->pending;

    if (span.from >= span.to)
        return OI_OK;
    if (pending->cause == cause && pending->span.to == span.from) {
        pending->span.to = span.to;
        return OI_OK;
    }
    OI_TRY(flush(question));
    pending->span = span;
    pending->cause = cause;
    return OI_OK;
}

/* No hole was told here: was anybody there? */
static enum oi_status
tell_by_watch(struct question *question, struct oi_span span)
{
    size_t low = 0, high = question->asked.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (question->asked.items[middle].to <= span.from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < question->asked.count && question->asked.items[low].from < span.to; low++) {
        struct oi_span asked = oi_span_intersect(question->asked.items[low], span);

        OI_TRY(tell(question, (struct oi_span){ span.from, asked.from }, OI_HOLE_COLLECTOR_DOWN));
        if (!question->is_stream)
            OI_TRY(tell(question, asked, OI_HOLE_SILENT));
        span.from = asked.to;
    }
    return tell(question, span, OI_HOLE_COLLECTOR_DOWN);
}

/* A stretch without rows. Each piece takes the cause told last for it. */
static enum oi_status
tell_missing(struct question *question, struct oi_span span)
{
    while (span.from < span.to) {
        const struct piece *best = NULL;
        oi_time next = span.to;

        while (question->told_done < question->told.count &&
               question->told.items[question->told_done].span.to <= span.from)
            question->told_done++;
        for (size_t i = question->told_done; i < question->told.count; i++) {
            const struct piece *piece = &question->told.items[i];

            if (piece->span.from >= span.to)
                break;
            if (piece->span.to <= span.from)
                continue;
            if (piece->span.from > span.from) {
                next = piece->span.from < next ? piece->span.from : next;
                continue;
            }
            if (!best || piece->batch >= best->batch)
                best = piece;
            next = piece->span.to < next ? piece->span.to : next;
        }
        if (best)
            OI_TRY(tell(question, (struct oi_span){ span.from, next }, best->cause));
        else
            OI_TRY(tell_by_watch(question, (struct oi_span){ span.from, next }));
        span.from = next;
    }
    return OI_OK;
}

/* The next rows. Those of a chunk that cannot be read are no hole of the exchange's making: told
 * as what they are, with what is missing in front of them. */
static enum oi_status
next_rows(struct question *question, struct oi_scan *scan, oi_time *done,
          const struct oi_columns **ret_columns, struct oi_error *error)
{
    for (;;) {
        struct oi_error reason = {};
        enum oi_status status = oi_scan_next(scan, ret_columns, &reason);
        struct oi_span lost;

        if (status == OI_OK)
            return OI_OK;
        if (status != OI_E_CORRUPT || !oi_scan_skipped(scan, &lost))
            return oi_fail(error, status, "%s", reason.message);
        lost.from = oi_interval_floor(question->cadence_ns, lost.from);
        lost.to = oi_interval_floor(question->cadence_ns, lost.to - 1) + question->cadence_ns;
        lost = oi_span_intersect(lost, question->span);
        if (lost.from < *done)
            lost.from = *done;
        if (lost.from >= lost.to)
            continue;
        OI_TRY(tell_missing(question, (struct oi_span){ *done, lost.from }));
        OI_TRY(tell(question, lost, OI_HOLE_DAMAGED));
        *done = lost.to;
    }
}

/* Walk the rows; what lies between them is missing. Slots are cadence wide. */
static enum oi_status
walk_rows(struct question *question, uint32_t series, struct oi_moment moment,
          struct oi_error *error)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = question->span,
                                             .moment = moment };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns = NULL;
    oi_time done = question->span.from;

    if (series)
        OI_TRY(oi_store_scan(question->store, &request, &scan, error));
    for (;;) {
        if (scan)
            OI_TRY(next_rows(question, scan, &done, &columns, error));
        if (!columns)
            break;
        for (size_t row = 0; row < columns->count; row++) {
            oi_time slot = oi_interval_floor(question->cadence_ns, columns->time[row]);

            if (slot > done)
                OI_TRY(tell_missing(question, (struct oi_span){ done, slot }));
            if (slot + question->cadence_ns > done)
                done = slot + question->cadence_ns;
        }
    }
    return tell_missing(question, (struct oi_span){ done, question->span.to });
}

/* Before the listing and after the end nothing is expected; that is said, not guessed. */
static void
add_lifetime(struct question *question, const struct oi_instrument *instrument)
{
    const struct piece before = { { OI_TIME_EARLIEST, instrument->listed },
                                  OI_HOLE_NOT_LISTED,
                                  UINT64_MAX };
    oi_time end = instrument->expiry;

    if (instrument->listed != OI_TIME_NONE)
        oi_vector_push(&question->told, before);
    if (instrument->is_delisted &&
        (end == OI_TIME_NONE || (instrument->valid_from < end && !instrument->is_assumed)))
        end = instrument->valid_from;
    if (end != OI_TIME_NONE) {
        const struct piece after = { { end, OI_TIME_LATEST }, OI_HOLE_DELISTED, UINT64_MAX };

        oi_vector_push(&question->told, after);
    }
}

void
oi_stream_product(const char *product, char ret_product[OI_NAME_SIZE])
{
    (void) snprintf(ret_product, OI_NAME_SIZE, "%.24s/stream", product);
}

static enum oi_status
collect(struct question *question, const struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_store *store = question->store;
    const char *exchange = instrument->exchange, *product = instrument->product;
    char stream[OI_NAME_SIZE];
    enum oi_status status = OI_OK;

    if (question->is_stream) {
        oi_stream_product(product, stream);
        product = stream;
    }
    OI_TRY(oi_access_begin(&question->access, store, OI_KV_READ, error));
    if (!question->is_stream)
        status = collect_holes(question, "", "", instrument->id, error);
    if (status == OI_OK)
        status = collect_holes(question, exchange, product, 0, error);
    if (status == OI_OK && product[0] != 0 && !question->is_stream)
        status = collect_holes(question, exchange, "", 0, error);
    if (status == OI_OK)
        status = collect_watches(question, exchange, product, error);
    if (status == OI_OK && product[0] != 0 && !question->is_stream)
        status = collect_watches(question, exchange, "", error);
    oi_access_end(&question->access);
    add_lifetime(question, instrument);
    if (question->told.count > 0)
        qsort(question->told.items, question->told.count, sizeof(struct piece), compare_pieces);
    merge_asked(question);
    return status;
}

/* Both moments are commits of ours: coverage is known when it is stored. */
static enum oi_status
limit_batches(struct question *question, struct oi_moment moment, struct oi_error *error)
{
    oi_time known = moment.as_of < moment.as_stored ? moment.as_of : moment.as_stored;

    question->batch_limit = UINT64_MAX;
    if (known == OI_TIME_LATEST)
        return OI_OK;
    return oi_commits_limit(question->store, known, &question->batch_limit, error);
}

/* Nothing is expected of the future, nor of the time before anything is known of the market. */
static void
cut_span(struct question *question, const struct oi_instrument *instrument, uint32_t series,
         struct oi_moment moment)
{
    oi_time now = question->store->clock->wall_ns(question->store->clock);
    struct oi_extent extent;
    oi_time start = instrument->listed;

    now = moment.as_of < now ? moment.as_of : now;
    now = moment.as_stored < now ? moment.as_stored : now;
    if (question->span.to > now)
        question->span.to = now;
    if (question->span.from <= OI_TIME_EARLIEST) {
        if (start == OI_TIME_NONE && series &&
            oi_store_extent(question->store, series, &extent, NULL) == OI_OK)
            start = extent.first;
        question->span.from = start == OI_TIME_NONE ? question->span.to : start;
    }
    if (question->span.from >= question->span.to)
        return;
    question->span.from = oi_interval_ceil(question->cadence_ns, question->span.from);
    question->span.to = oi_interval_floor(question->cadence_ns, question->span.to);
}

static bool
is_stream_feed(const struct oi_store *store, uint16_t feed)
{
    return feed >= 1 && feed <= store->names.feeds.count &&
           strcmp(store->names.feeds.items[feed - 1].name, "stream") == 0;
}

enum oi_status
/* NOLINTNEXTLINE(readability-function-size): its parameters are the contract's */
oi_store_gaps(struct oi_store *store, uint32_t instrument, uint16_t feed, int64_t cadence_ns,
              struct oi_span span, struct oi_moment moment,
              enum oi_status (*each)(void *context, const struct oi_hole *hole), void *context,
              struct oi_error *error)
{
    struct question question = {
        .store = store,
        .span = span,
        .cadence_ns = cadence_ns > 0 ? cadence_ns : OI_MINUTE,
        .each = each,
        .context = context,
    };
    struct oi_instrument definition;
    uint32_t series;
    enum oi_status status;

    OI_TRY(oi_store_refresh(store, error));
    OI_TRY(
        oi_store_instrument(store, instrument, OI_TIME_LATEST, moment.as_of, &definition, error));
    OI_TRY(limit_batches(&question, moment, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    series = oi_names_find_series(&store->names, instrument, feed);
    question.is_stream = is_stream_feed(store, feed);
    (void) pthread_rwlock_unlock(&store->state_lock);
    cut_span(&question, &definition, series, moment);
    question.pending = (struct oi_hole){ .instrument = instrument };
    memcpy(question.pending.exchange, definition.exchange, OI_NAME_SIZE);
    memcpy(question.pending.product, definition.product, OI_NAME_SIZE);
    if (question.span.from >= question.span.to)
        return OI_OK;
    status = collect(&question, &definition, error);
    if (status == OI_OK)
        status = walk_rows(&question, series, moment, error);
    if (status == OI_OK)
        status = flush(&question);
    oi_vector_release(&question.told);
    oi_vector_release(&question.asked);
    return status;
}
