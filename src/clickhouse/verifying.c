/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying: does every batch have the rows that its event tells of, and do the hours and days that
 * are ready made say what their rows say? These are made anew, a part of the series and of their
 * time at a time, as far as a reader would use them: up to what was touched since they were filled.
 *
 * Others may write and fill meanwhile. Rows are taken as of the last event that is known here; a
 * stored bucket that is newer belongs to an event that is not, so the part is looked at again after
 * following.
 */
/* no unit test: needs a server; tests/contract/store_ready_test.c runs over one. */
#include "base/alloc.h"
#include "clickhouse/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody fills so often that more would help: what is newer still is as of no event at all. */
#define TRIES_MAX 3
/* ClickHouse keeps some fifty bytes of each row whose batch is counted, and so it does for those of
 * some batches at a time; hours and days are made here, of fewer rows. */
#define COUNTED_ROWS 20'000'000
#define PART_ROWS 50'000
/* Into so many groups batches are put, to see how many rows each has. */
#define GROUPS 4096

struct verifying {
    struct oi_clickhouse *engine;
    void (*fault)(void *context, const char *what);
    void *listener;
    struct oi_verify_report *report;
    uint64_t batches, buckets; /* that are wrong */
    /* Of a part, as of the event `seen`. */
    uint64_t seen, batch;
    struct oi_hidden hidden;
};

/* A part's hours or days: as its rows make them, series after series. */
struct side {
    const struct oi_part *part;
    int64_t width;
    struct oi_ready made;
    size_t *next, *end;   /* of each series, in `made` */
    struct oi_span *used; /* starts of its buckets that a reader would use */
    struct oi_buffer stored;
};

static void report(struct verifying *verifying, const char *format, ...) OI_PRINTF(2, 3);

static void
report(struct verifying *verifying, const char *format, ...)
{
    char text[OI_ERROR_SIZE];
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is the line above */
    (void) vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    verifying->report->faults++;
    if (verifying->fault)
        verifying->fault(verifying->listener, text);
}

/* Every block of an answer. */
static enum oi_status
each_block(struct oi_slice body,
           enum oi_status (*take)(void *context, const struct oi_native_block *block,
                                  struct oi_error *error),
           void *context, struct oi_error *error)
{
    struct oi_native_block block;
    enum oi_status status;

    while ((status = oi_native_next(&body, &block, error)) == OI_OK) {
        if (block.rows > 0)
            status = take(context, &block, error);
        oi_native_block_release(&block);
        OI_TRY(status);
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

/*
 * Batches.
 */

static enum oi_status
take_counts(void *context, const struct oi_native_block *block, struct oi_error *error)
{
    struct verifying *verifying = context;
    const struct oi_native_column *batch, *told, *found;

    OI_TRY(oi_native_find(block, "batch", false, &batch, error));
    OI_TRY(oi_native_find(block, "told", false, &told, error));
    OI_TRY(oi_native_find(block, "found", false, &found, error));
    for (size_t row = 0; row < block->rows; row++) {
        verifying->batches++;
        report(verifying, "batch %lld has %lld rows in ClickHouse, not %lld",
               (long long) oi_native_int(batch, row), (long long) oi_native_int(found, row),
               (long long) oi_native_int(told, row));
    }
    return OI_OK;
}

/* Rows that should be there and are not, by batch; those of batches that others write meanwhile may
 * come between the readings' count and the events'. */
static enum oi_status
verify_batches(struct verifying *verifying, uint64_t first, uint64_t last, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {}, out = {};
    char which[80];

    (void) snprintf(which, sizeof(which), "batch >= %llu AND batch <= %llu",
                    (unsigned long long) first, (unsigned long long) last);
    oi_buffer_add_format(
        &statement,
        "SELECT batch, sum(a) AS told, sum(b) AS found FROM (SELECT batch, max(row_count) AS a, "
        "toUInt64(0) AS b FROM events WHERE row_count > 0 AND %s GROUP BY batch UNION "
        "ALL SELECT batch, toUInt64(0) AS a, uniqExact(instrument, feed, time, known_time) AS b "
        "FROM readings WHERE %s GROUP BY batch) GROUP BY batch HAVING told != found "
        "AND told > 0 ORDER BY batch",
        which, which);
    OI_TRY(oi_clickhouse_select(verifying->engine, &statement, &out, error));
    return each_block(oi_buffer_slice(&out), take_counts, verifying, error);
}

/* Rows of each group of batches. */
struct groups {
    uint64_t width; /* batches of one */
    uint64_t rows[GROUPS];
};

static enum oi_status
take_groups(void *context, const struct oi_native_block *block, struct oi_error *error)
{
    struct groups *groups = context;
    const struct oi_native_column *group, *told;

    OI_TRY(oi_native_find(block, "which", false, &group, error));
    OI_TRY(oi_native_find(block, "told", false, &told, error));
    for (size_t row = 0; row < block->rows; row++)
        if ((uint64_t) oi_native_int(group, row) < GROUPS)
            groups->rows[oi_native_int(group, row)] = (uint64_t) oi_native_int(told, row);
    return OI_OK;
}

static enum oi_status
verify_all_batches(struct verifying *verifying, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {}, out = {};
    uint64_t last = oi_remote_last_batch(verifying->engine->store), first = 0, rows = 0;
    uint64_t most = verifying->engine->verify_rows ? verifying->engine->verify_rows : COUNTED_ROWS;
    struct groups groups = { .width = last / GROUPS + 1 };

    oi_buffer_add_format(&statement,
                         "SELECT intDiv(batch, %llu) AS which, sum(row_count) AS told FROM events "
                         "WHERE row_count > 0 AND batch <= %llu GROUP BY which",
                         (unsigned long long) groups.width, (unsigned long long) last);
    OI_TRY(oi_clickhouse_select(verifying->engine, &statement, &out, error));
    OI_TRY(each_block(oi_buffer_slice(&out), take_groups, &groups, error));
    for (uint64_t i = 0; i < GROUPS && i * groups.width <= last; i++) {
        if (rows > 0 && rows + groups.rows[i] > most) {
            OI_TRY(verify_batches(verifying, first, i * groups.width - 1, error));
            first = i * groups.width;
            rows = 0;
        }
        rows += groups.rows[i];
    }
    return verify_batches(verifying, first, last, error);
}

/*
 * Hours and days.
 */

/* From here on a reader makes the hours of a series of rows. */
static oi_time
until_of(struct verifying *verifying, uint32_t series)
{
    struct oi_filling *filling = &verifying->engine->filling;
    oi_time until;

    (void) pthread_mutex_lock(&filling->lock);
    until = filling->is_unsure ? OI_TIME_EARLIEST : oi_touches_from(&filling->touches, series);
    (void) pthread_mutex_unlock(&filling->lock);
    return until;
}

static oi_time
floor_of(int64_t width, oi_time time)
{
    return time == OI_TIME_EARLIEST || time == OI_TIME_LATEST ? time
                                                              : oi_interval_floor(width, time);
}

static oi_time
earlier(oi_time a, oi_time b)
{
    return a < b ? a : b;
}

static bool
choose_ready(void *context, uint32_t series, const struct oi_remote_extent *extent,
             struct oi_span *ret_span)
{
    oi_time until = floor_of(OI_HOUR, until_of(context, series));

    *ret_span =
        (struct oi_span){ oi_interval_floor(OI_DAY, extent->first),
                          earlier(until, oi_interval_floor(OI_DAY, extent->last) + OI_DAY) };
    return ret_span->from < ret_span->to;
}

/* What comes in with these is compared with what they say. The event first: what is followed in
 * between makes buckets newer than it, or leaves them to readers of rows. */
static void
take_moment(struct verifying *verifying)
{
    struct oi_filling *filling = &verifying->engine->filling;

    (void) pthread_mutex_lock(&filling->lock);
    verifying->seen = filling->seen;
    (void) pthread_mutex_unlock(&filling->lock);
    verifying->batch = oi_remote_last_batch(verifying->engine->store);
    oi_free(verifying->hidden.batches);
    verifying->hidden = oi_remote_hidden(verifying->engine->store);
}

static void
side_begin(struct side *side, const struct oi_part *part, int64_t width)
{
    size_t count = part->series.count;

    *side = (struct side){ .part = part, .width = width };
    side->next = oi_alloc_zero(count, sizeof(*side->next));
    side->end = oi_alloc_zero(count, sizeof(*side->end));
    side->used = oi_alloc_zero(count, sizeof(*side->used));
}

static void
side_release(struct side *side)
{
    oi_ready_release(&side->made);
    oi_buffer_release(&side->stored);
    oi_free(side->next);
    oi_free(side->end);
    oi_free(side->used);
}

static void
find_used(struct verifying *verifying, struct side *side)
{
    const struct oi_part *part = side->part;

    for (size_t i = 0; i < part->series.count; i++) {
        struct oi_span *used = &side->used[i];
        struct oi_remote_extent extent;
        oi_time until = floor_of(side->width, until_of(verifying, part->series.items[i]));

        *used = part->spans.items[i];
        if (!oi_remote_extent(verifying->engine->store, part->series.items[i], &extent)) {
            used->to = used->from;
            continue;
        }
        used->to = earlier(used->to, earlier(until, extent.last + 1));
        if (used->from < oi_interval_floor(side->width, extent.first))
            used->from = oi_interval_floor(side->width, extent.first);
    }
}

static void
add_made(struct side *side, const struct oi_series *pair, size_t place,
         const struct oi_rollups *rollups)
{
    const struct oi_span used = side->used[place];

    side->next[place] = side->made.buckets.count;
    for (size_t i = 0; i < rollups->count; i++)
        if (rollups->items[i].start >= used.from && rollups->items[i].start < used.to)
            oi_ready_add(&side->made, pair, &rollups->items[i]);
    side->end[place] = side->made.buckets.count;
}

/* Both sides of the rows, which are read once. */
static enum oi_status
make_sides(struct verifying *verifying, const struct oi_part *part, struct side *sides,
           struct oi_error *error)
{
    const struct oi_gather_request request = { .series = part->series.items,
                                               .count = part->series.count,
                                               .span = part->span,
                                               .columns = OI_COLUMNS_ALL,
                                               .lacks_wides = part->lacks_wides,
                                               .batch_limit = verifying->batch };
    struct oi_rows *rows = oi_alloc_zero(part->series.count, sizeof(*rows));
    enum oi_status status = oi_clickhouse_gather(verifying->engine, &request, rows, error);

    for (size_t i = 0; i < part->series.count; i++) {
        struct oi_rollups hours = {}, days = {};
        struct oi_series pair;

        if (status == OI_OK &&
            oi_remote_series(verifying->engine->store, part->series.items[i], &pair)) {
            oi_ready_make(&rows[i], &verifying->hidden, &hours, &days);
            add_made(&sides[0], &pair, i, &hours);
            add_made(&sides[1], &pair, i, &days);
        }
        oi_vector_release(&hours);
        oi_vector_release(&days);
        oi_rows_release(&rows[i]);
    }
    oi_free(rows);
    return status;
}

/* The newest version of each stored bucket, in the order of the table. */
static enum oi_status
ask_stored(struct verifying *verifying, struct side *side, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {};
    const struct oi_part *part = side->part;

    oi_buffer_add_format(&statement,
                         "SELECT instrument, feed, " OI_READY_COLUMNS
                         " FROM %s WHERE start >= %lld AND start < %lld AND instrument IN (",
                         side->width == OI_DAY ? "rollup_day" : "rollup_hour",
                         (long long) part->span.from, (long long) part->span.to);
    for (size_t i = 0; i < part->series.count; i++) {
        struct oi_series pair = {};

        (void) oi_remote_series(verifying->engine->store, part->series.items[i], &pair);
        oi_buffer_add_format(&statement, "%s%u", i > 0 ? "," : "", pair.instrument);
    }
    oi_buffer_add_text(&statement, ") ORDER BY instrument, feed, start, version DESC LIMIT 1 BY "
                                   "instrument, feed, start SETTINGS max_threads = 1");
    oi_buffer_clear(&side->stored);
    return oi_clickhouse_select(verifying->engine, &statement, &side->stored, error);
}

static void
describe(struct verifying *verifying, const struct side *side, const struct oi_series *pair,
         oi_time start, struct oi_buffer *out)
{
    const struct oi_catalog *catalog = oi_store_catalog(verifying->engine->store);

    oi_buffer_add_text(out, side->width == OI_DAY ? "the day " : "the hour ");
    oi_time_write(start, 0, out);
    if (pair->instrument > 0 && pair->instrument <= catalog->instrument_count) {
        const struct oi_instrument *market = &catalog->instruments[pair->instrument - 1];

        oi_buffer_add_format(out, " of %s:%s:%s", market->exchange, market->product,
                             market->symbol);
    }
    if (pair->feed > 0 && pair->feed <= catalog->feed_count)
        oi_buffer_add_format(out, ", feed %s,", catalog->feeds[pair->feed - 1].name);
    oi_buffer_add_char(out, 0);
    oi_catalog_unref(&catalog);
}

static void report_bucket(struct verifying *verifying, const struct side *side,
                          const struct oi_series *pair, oi_time start, const char *format, ...)
    OI_PRINTF(5, 6);

static void
report_bucket(struct verifying *verifying, const struct side *side, const struct oi_series *pair,
              oi_time start, const char *format, ...)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is the line above */
    (void) vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    describe(verifying, side, pair, start, &out);
    verifying->buckets++;
    report(verifying, "%s %s", out.data, text);
}

/* Those that rows make before `start`, and that were not met: they are not stored. */
static void
report_missing(struct verifying *verifying, struct side *side, size_t place, oi_time start)
{
    for (; side->next[place] < side->end[place]; side->next[place]++) {
        const struct oi_ready_bucket *due = &side->made.buckets.items[side->next[place]];

        if (due->start >= start)
            return;
        report_bucket(verifying, side, &due->series, due->start,
                      "is not stored, though it has %u rows", due->count);
    }
}

/* What stands in a table. */
struct stored {
    struct oi_series pair;
    size_t place;
    oi_time start;
    uint64_t version;
    uint32_t count;
    struct oi_slice rows;
};

static void
check_bucket(struct verifying *verifying, struct side *side, const struct stored *stored)
{
    const struct oi_ready_bucket *due;
    size_t at;

    if (stored->start < side->used[stored->place].from ||
        stored->start >= side->used[stored->place].to)
        return;
    verifying->report->rollups++;
    report_missing(verifying, side, stored->place, stored->start);
    at = side->next[stored->place];
    due = at < side->end[stored->place] ? &side->made.buckets.items[at] : NULL;
    if (due && due->start == stored->start)
        side->next[stored->place]++;
    else
        due = NULL;
    if (stored->version > verifying->seen)
        report_bucket(verifying, side, &stored->pair, stored->start,
                      "is stored as of event %llu, which is not there",
                      (unsigned long long) stored->version);
    else if (!due && stored->count > 0)
        report_bucket(verifying, side, &stored->pair, stored->start,
                      "is stored with %u rows, though it has none", stored->count);
    else if (due && stored->count == 0)
        report_bucket(verifying, side, &stored->pair, stored->start,
                      "is stored as empty, though it has %u rows", due->count);
    else if (due && stored->count != due->count)
        report_bucket(verifying, side, &stored->pair, stored->start,
                      "is stored with %u rows, though it has %u", stored->count, due->count);
    else if (due && !oi_ready_same(stored->rows, oi_ready_rows(&side->made, at)))
        report_bucket(verifying, side, &stored->pair, stored->start,
                      "is stored with other figures than its rows have");
}

/* Are the buckets of an answer as of events that are known? */
static enum oi_status
take_versions(void *context, const struct oi_native_block *block, struct oi_error *error)
{
    uint64_t *newest = context;
    const struct oi_native_column *version;

    OI_TRY(oi_native_find(block, "version", false, &version, error));
    for (size_t row = 0; row < block->rows; row++)
        if ((uint64_t) oi_native_int(version, row) > *newest)
            *newest = (uint64_t) oi_native_int(version, row);
    return OI_OK;
}

struct comparison {
    struct verifying *verifying;
    struct side *side;
};

static enum oi_status
take_stored(void *context, const struct oi_native_block *block, struct oi_error *error)
{
    const struct comparison *comparison = context;
    const struct oi_part *part = comparison->side->part;
    const struct oi_gather_request request = { .series = part->series.items,
                                               .count = part->series.count };
    const struct oi_native_column *instrument, *feed, *start, *version, *count, *rows;
    struct stored stored = { .place = request.count };

    OI_TRY(oi_native_find(block, "instrument", false, &instrument, error));
    OI_TRY(oi_native_find(block, "feed", false, &feed, error));
    OI_TRY(oi_native_find(block, "start", false, &start, error));
    OI_TRY(oi_native_find(block, "version", false, &version, error));
    OI_TRY(oi_native_find(block, "count", false, &count, error));
    OI_TRY(oi_native_find(block, "rows", true, &rows, error));
    for (size_t row = 0; row < block->rows; row++) {
        struct oi_series pair = { .instrument = (uint32_t) oi_native_int(instrument, row),
                                  .feed = (uint16_t) oi_native_int(feed, row) };

        if (row == 0 || pair.instrument != stored.pair.instrument ||
            pair.feed != stored.pair.feed) {
            pair.id = oi_remote_find_series(comparison->verifying->engine->store, pair.instrument,
                                            pair.feed);
            stored.pair = pair;
            stored.place = oi_gather_place(&request, pair.id);
        }
        stored.start = oi_native_int(start, row);
        stored.version = (uint64_t) oi_native_int(version, row);
        stored.count = (uint32_t) oi_native_int(count, row);
        stored.rows = rows->strings[row];
        if (stored.place < request.count)
            check_bucket(comparison->verifying, comparison->side, &stored);
    }
    return OI_OK;
}

static enum oi_status
compare_side(struct verifying *verifying, struct side *side, struct oi_error *error)
{
    struct comparison comparison = { verifying, side };

    OI_TRY(each_block(oi_buffer_slice(&side->stored), take_stored, &comparison, error));
    for (size_t i = 0; i < side->part->series.count; i++)
        report_missing(verifying, side, i, OI_TIME_LATEST);
    return OI_OK;
}

/* *ret_done false: something stored is newer than what is known here. */
static enum oi_status
try_part(struct verifying *verifying, struct side *sides, bool is_last, bool *ret_done,
         struct oi_error *error)
{
    uint64_t newest = 0;

    take_moment(verifying);
    for (size_t i = 0; i < 2; i++) {
        find_used(verifying, &sides[i]);
        OI_TRY(ask_stored(verifying, &sides[i], error));
        OI_TRY(each_block(oi_buffer_slice(&sides[i].stored), take_versions, &newest, error));
    }
    *ret_done = is_last || newest <= verifying->seen;
    if (!*ret_done)
        return OI_OK;
    OI_TRY(make_sides(verifying, sides[0].part, sides, error));
    for (size_t i = 0; i < 2; i++)
        OI_TRY(compare_side(verifying, &sides[i], error));
    return OI_OK;
}

static enum oi_status
verify_part(struct verifying *verifying, const struct oi_part *part, struct oi_error *error)
{
    struct side sides[2];
    enum oi_status status = OI_OK;
    bool is_done = false;

    side_begin(&sides[0], part, OI_HOUR);
    side_begin(&sides[1], part, OI_DAY);
    for (unsigned i = 1; status == OI_OK && !is_done; i++) {
        status = try_part(verifying, sides, i == TRIES_MAX, &is_done, error);
        if (status == OI_OK && !is_done)
            status = oi_remote_follow(verifying->engine->store, error);
    }
    side_release(&sides[0]);
    side_release(&sides[1]);
    return status;
}

static enum oi_status
verify_ready(struct verifying *verifying, struct oi_error *error)
{
    struct oi_store *store = verifying->engine->store;
    uint64_t rows = verifying->engine->verify_rows ? verifying->engine->verify_rows : PART_ROWS;
    struct oi_part_walk walk = { choose_ready, verifying, rows, 1, OI_TIME_NONE };

    if (!verifying->engine->server.has_rollups)
        return OI_OK;
    for (;;) {
        OI_CLEANUP(oi_part_release) struct oi_part part = {};

        oi_part_next(&walk, store, &part);
        if (part.series.count == 0)
            return OI_OK;
        OI_TRY(verify_part(verifying, &part, error));
        oi_remote_verified(store, walk.series - 1);
    }
}

enum oi_status
oi_clickhouse_verify(void *context, void (*fault)(void *, const char *), void *listener,
                     struct oi_verify_report *ret_report, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    struct verifying verifying = { engine, fault, listener, .report = ret_report };
    char text[64];
    enum oi_status status;

    /* What is there is verified, not what was. */
    oi_kept_forget(engine->kept);
    OI_TRY(oi_clickhouse_check(engine->client, fault, listener, NULL, error));
    ret_report->batches = oi_remote_last_batch(engine->store);
    OI_TRY(oi_clickhouse_ask(engine->client, "SELECT count() FROM readings", text, sizeof(text),
                             error));
    ret_report->rows = strtoull(text, NULL, 10);
    OI_TRY(verify_all_batches(&verifying, error));
    status = verify_ready(&verifying, error);
    oi_free(verifying.hidden.batches);
    OI_TRY(status);
    if (verifying.batches > 0)
        return oi_fail(error, OI_E_CORRUPT, "%llu batches are not whole",
                       (unsigned long long) verifying.batches);
    if (verifying.buckets > 0)
        return oi_fail(error, OI_E_CORRUPT,
                       "%llu hours and days are not what their rows say: empty rollup_hour and "
                       "rollup_day, see docs/operating-clickhouse.md",
                       (unsigned long long) verifying.buckets);
    return OI_OK;
}
