/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the table of readings: where every series stands, what is there of some keys, a stretch of
 * one series. A stretch is asked for by a window of time that holds about as many rows as are
 * wanted, so that ClickHouse sorts and sends no more, and nothing is held between two of them.
 */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "base/alloc.h"
#include "clickhouse/engine.h"
#include "clickhouse/kept_rows.h"

#include <stdlib.h>

/* A statement's text may not be longer than 256 KiB. */
#define STATEMENT_MAX ((size_t) 150 << 10)
/* More instants of one series than this are asked for as a span. */
#define INSTANTS_MAX 2000
/* Fewer rows than this are not worth a window of their own. */
#define WINDOW_ROWS_MIN 64
/* What a window may have more than was guessed before it is made smaller. */
#define WINDOW_SLACK 10'000

enum oi_status
oi_clickhouse_select(struct oi_clickhouse *engine, struct oi_buffer *statement,
                     struct oi_buffer *out, struct oi_error *error)
{
    struct oi_clickhouse_call call = { .is_repeatable = true, .is_native = true };

    oi_buffer_add_text(statement, " FORMAT Native");
    oi_buffer_add_char(statement, 0);
    call.statement = statement->data;
    return oi_clickhouse_run(engine->client, &call, out, error);
}

/*
 * Where series stand.
 */

struct positions {
    OI_VECTOR(struct oi_remote_position) items;
};

static enum oi_status
take_positions(struct oi_clickhouse *engine, struct oi_slice body, struct positions *positions,
               struct oi_error *error)
{
    static const char *const names[] = { "instrument", "feed",      "row_count", "last_batch",
                                         "first_time", "last_time", "present_0", "present_1",
                                         "present_2",  "present_3", "present_4", "has_wides",
                                         "finest" };
    struct oi_native_block block;
    enum oi_status status;

    while ((status = oi_native_next(&body, &block, error)) == OI_OK) {
        const struct oi_native_column *columns[OI_COUNT(names)] = {};

        for (size_t i = 0; status == OI_OK && i < OI_COUNT(names); i++)
            status = oi_native_find(&block, names[i], false, &columns[i], error);
        for (size_t row = 0; status == OI_OK && row < block.rows; row++) {
            struct oi_remote_position position = {
                .instrument = (uint32_t) oi_native_int(columns[0], row),
                .feed = (uint16_t) oi_native_int(columns[1], row),
                .rows = (uint64_t) oi_native_int(columns[2], row),
                .last_batch = (uint64_t) oi_native_int(columns[3], row),
                .first = oi_native_int(columns[4], row),
                .last = oi_native_int(columns[5], row),
            };

            for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
                if (oi_native_int(columns[6 + figure], row) == OI_EXPONENT_NONE)
                    position.absent |= 1u << figure;
            if (oi_native_int(columns[6 + OI_FIGURE_COUNT], row) == 0)
                position.absent |= 1u << OI_FIGURE_COUNT;
            oi_clickhouse_note_digits(
                engine, oi_remote_find_series(engine->store, position.instrument, position.feed),
                (int) oi_native_int(columns[7 + OI_FIGURE_COUNT], row));
            oi_vector_push(&positions->items, position);
        }
        oi_native_block_release(&block);
        OI_TRY(status);
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

void
oi_clickhouse_write_batches(const struct oi_hidden *hidden, uint64_t batch_limit,
                            struct oi_buffer *out)
{
    oi_buffer_add_format(out, "batch <= %llu", (unsigned long long) batch_limit);
    for (size_t i = 0; i < hidden->count; i++)
        oi_buffer_add_format(out, "%s%llu", i ? "," : " AND batch NOT IN (",
                             (unsigned long long) hidden->batches[i]);
    if (hidden->count > 0)
        oi_buffer_add_char(out, ')');
}

static enum oi_status
ask_newest(struct oi_clickhouse *engine, uint64_t batch_limit, struct oi_rows *rows,
           struct oi_reading_pairs *pairs, struct oi_error *error)
{
    struct oi_buffer statement = {}, visible = {}, out = {};
    struct oi_hidden hidden = oi_remote_hidden(engine->store);
    enum oi_status status;

    oi_clickhouse_write_batches(&hidden, batch_limit, &visible);
    oi_free(hidden.batches);
    oi_buffer_add_text(&statement, "SELECT ");
    oi_readings_select(OI_COLUMNS_ALL, true, &statement);
    oi_buffer_add_format(&statement,
                         " FROM readings WHERE %.*s AND (instrument, feed, time) %s (SELECT "
                         "instrument, feed, max(time) FROM readings WHERE %.*s GROUP BY "
                         "instrument, feed) ORDER BY instrument, feed, time, known_time, batch",
                         (int) visible.size, visible.data,
                         engine->server.is_cluster ? "GLOBAL IN" : "IN", (int) visible.size,
                         visible.data);
    status = oi_clickhouse_select(engine, &statement, &out, error);
    if (status == OI_OK)
        status =
            oi_readings_decode(oi_buffer_slice(&out), OI_COLUMNS_ALL, rows, pairs, NULL, error);
    oi_buffer_release(&statement);
    oi_buffer_release(&visible);
    oi_buffer_release(&out);
    return status;
}

/* Both are in order of instrument and feed. */
static void
add_newest(struct positions *positions, const struct oi_rows *rows,
           const struct oi_reading_pairs *pairs)
{
    size_t at = 0;

    for (size_t i = 0; i < positions->items.count; i++) {
        struct oi_remote_position *position = &positions->items.items[i];

        for (; at < rows->count; at++) {
            const struct oi_series *pair = &pairs->items.items[at];

            if (pair->instrument > position->instrument ||
                (pair->instrument == position->instrument && pair->feed > position->feed))
                break;
            if (pair->instrument != position->instrument || pair->feed != position->feed)
                continue;
            position->has_newest = true;
            position->newest = oi_rows_get(rows, at);
            position->newest_batch = rows->items[at].batch;
        }
    }
}

enum oi_status
oi_clickhouse_place_all(struct oi_clickhouse *engine, uint64_t batch_limit, struct oi_error *error)
{
    struct oi_buffer statement = {}, out = {};
    struct positions positions = {};
    struct oi_reading_pairs pairs = {};
    struct oi_rows rows = {};
    enum oi_status status;

    if (batch_limit == 0)
        return OI_OK;
    oi_buffer_add_text(&statement, "SELECT instrument, feed, count() AS row_count, max(batch) AS "
                                   "last_batch, min(time) AS first_time, max(time) AS last_time, "
                                   "max(notEmpty(wides)) AS has_wides, "
                                   "min(if(open_interest_exponent > -127, "
                                   "open_interest_exponent, toInt8(0))) AS finest");
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        oi_buffer_add_format(&statement, ", max(%s_exponent) AS present_%u",
                             oi_reading_figures[figure], figure);
    oi_buffer_add_format(&statement,
                         " FROM readings WHERE "
                         "batch <= %llu GROUP BY instrument, feed ORDER BY instrument, feed",
                         (unsigned long long) batch_limit);
    status = oi_clickhouse_select(engine, &statement, &out, error);
    if (status == OI_OK)
        status = take_positions(engine, oi_buffer_slice(&out), &positions, error);
    if (status == OI_OK)
        status = ask_newest(engine, batch_limit, &rows, &pairs, error);
    if (status == OI_OK) {
        add_newest(&positions, &rows, &pairs);
        for (size_t i = 0; i < positions.items.count; i++)
            oi_remote_place(engine->store, &positions.items.items[i]);
        engine->placed = batch_limit;
    }
    oi_buffer_release(&statement);
    oi_buffer_release(&out);
    oi_vector_release(&positions.items);
    oi_vector_release(&pairs.items);
    oi_rows_release(&rows);
    return status;
}

/*
 * What is there of some keys.
 */

/* The condition for keys [from, to), all of one series. */
static void
write_instants(const struct oi_series *series, const struct oi_row_key *keys, size_t from,
               size_t to, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "(instrument = %u AND feed = %u AND time ", series->instrument,
                         series->feed);
    if (to - from > INSTANTS_MAX) {
        oi_buffer_add_format(out, "BETWEEN %lld AND %lld)", (long long) keys[from].time,
                             (long long) keys[to - 1].time);
        return;
    }
    for (size_t i = from; i < to; i++)
        oi_buffer_add_format(out, "%s%lld", i == from ? "IN (" : ",", (long long) keys[i].time);
    oi_buffer_add_text(out, "))");
}

struct found {
    struct oi_rows rows;
    struct oi_reading_pairs pairs;
};

static enum oi_status
ask_keys(struct oi_clickhouse *engine, const struct oi_buffer *condition, struct found *found,
         struct oi_error *error)
{
    struct oi_buffer statement = {}, out = {};
    enum oi_status status;

    oi_buffer_add_text(&statement, "SELECT ");
    oi_readings_select(OI_COLUMNS_ALL, true, &statement);
    oi_buffer_add_format(&statement,
                         " FROM readings WHERE batch <= %llu AND (%.*s) ORDER BY instrument, feed, "
                         "time, known_time, batch",
                         (unsigned long long) oi_remote_last_batch(engine->store),
                         (int) condition->size, condition->data);
    status = oi_clickhouse_select(engine, &statement, &out, error);
    if (status == OI_OK)
        status = oi_readings_decode(oi_buffer_slice(&out), OI_COLUMNS_ALL, &found->rows,
                                    &found->pairs, NULL, error);
    oi_buffer_release(&statement);
    oi_buffer_release(&out);
    return status;
}

struct place {
    uint32_t series;
    size_t row;
};

static int
compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Rows come in order of instrument and feed; they are wanted in order of series. */
static void
hand_over(struct oi_clickhouse *engine, const struct found *found, struct oi_batch_rows *rows)
{
    struct place *places = oi_alloc_zero(found->rows.count + 1, sizeof(*places));

    for (size_t i = 0; i < found->rows.count; i++) {
        const struct oi_series *pair = &found->pairs.items.items[i];

        places[i] =
            (struct place){ oi_remote_find_series(engine->store, pair->instrument, pair->feed), i };
    }
    qsort(places, found->rows.count, sizeof(*places), compare_places);
    for (size_t i = 0; i < found->rows.count; i++) {
        oi_rows_copy(&rows->rows, &found->rows, places[i].row);
        oi_vector_push(&rows->series, places[i].series);
    }
    oi_free(places);
}

enum oi_status
oi_clickhouse_present(void *context, const struct oi_row_key *keys, size_t count,
                      struct oi_batch_rows *rows, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    struct oi_buffer condition = {};
    struct found found = {};
    enum oi_status status = OI_OK;

    for (size_t from = 0, to; status == OI_OK && from < count; from = to) {
        struct oi_series series;

        for (to = from; to < count && keys[to].series == keys[from].series;)
            to++;
        if (!oi_remote_series(engine->store, keys[from].series, &series))
            continue;
        if (condition.size > 0)
            oi_buffer_add_text(&condition, " OR ");
        write_instants(&series, keys, from, to, &condition);
        if (to < count && condition.size < STATEMENT_MAX)
            continue;
        status = ask_keys(engine, &condition, &found, error);
        oi_buffer_clear(&condition);
    }
    if (status == OI_OK)
        hand_over(engine, &found, rows);
    oi_buffer_release(&condition);
    oi_rows_release(&found.rows);
    oi_vector_release(&found.pairs.items);
    return status;
}

/*
 * A stretch.
 */

struct window {
    struct oi_series series;
    struct oi_span span;
    size_t limit; /* 0: none */
};

static enum oi_status
ask_window(struct oi_clickhouse *engine, const struct oi_stretch *stretch,
           const struct window *window, struct oi_rows *rows, size_t *ret_seen,
           struct oi_error *error)
{
    unsigned columns = stretch->columns | (stretch->lacks_wides ? OI_READINGS_NO_WIDES : 0);
    struct oi_buffer statement = {}, out = {};
    enum oi_status status;

    oi_buffer_add_text(&statement, "SELECT ");
    oi_readings_select(columns, false, &statement);
    oi_buffer_add_format(&statement, " FROM readings WHERE instrument = %u AND feed = %u",
                         window->series.instrument, window->series.feed);
    /* What holds of every row is not asked of each. */
    if (window->span.from > stretch->extent.from)
        oi_buffer_add_format(&statement, " AND time >= %lld", (long long) window->span.from);
    if (window->span.to < stretch->extent.to)
        oi_buffer_add_format(&statement, " AND time < %lld", (long long) window->span.to);
    if (stretch->batch_limit != UINT64_MAX)
        oi_buffer_add_format(&statement, " AND batch <= %llu",
                             (unsigned long long) stretch->batch_limit);
    if (window->limit > 0)
        oi_buffer_add_format(&statement, " LIMIT %zu", window->limit);
    /* A part is in order already: sorting is left to whoever finds that parts overlap. */
    oi_buffer_add_text(&statement, " SETTINGS max_threads = 1");
    status = oi_clickhouse_select(engine, &statement, &out, error);
    if (status == OI_OK)
        status = oi_readings_decode(oi_buffer_slice(&out), columns, rows, NULL, ret_seen, error);
    if (status == OI_OK)
        oi_readings_sort(rows);
    oi_buffer_release(&statement);
    oi_buffer_release(&out);
    return status;
}

/* How much time holds about so many rows, if they were spread evenly. */
static uint64_t
guess_width(const struct oi_stretch *stretch, size_t rows)
{
    uint64_t width = (uint64_t) stretch->extent.to - (uint64_t) stretch->extent.from;

    if (stretch->series_rows <= rows)
        return width;
    width = width / stretch->series_rows * rows;
    return width > 0 ? width : 1;
}

/* As oi_clickhouse_read, of what has to be asked for. */
static enum oi_status
ask_stretch(struct oi_clickhouse *engine, const struct oi_stretch *stretch, struct oi_rows *rows,
            struct oi_span *ret_done, struct oi_error *error)
{
    struct oi_span left = stretch->span;
    size_t wanted = stretch->block_rows, limit, seen = 0;
    struct window window;
    uint64_t width;

    if (!oi_remote_series(engine->store, stretch->series, &window.series))
        return oi_fail(error, OI_E_NOT_FOUND, "there is no series %u", stretch->series);
    /* A little more than is wanted: rows are not spread that evenly. */
    if (wanted > stretch->rows_max)
        wanted = stretch->rows_max + stretch->rows_max / 8;
    if (wanted < WINDOW_ROWS_MIN)
        wanted = WINDOW_ROWS_MIN;
    limit = 4 * wanted + WINDOW_SLACK;
    width = guess_width(stretch, wanted);
    for (;;) {
        uint64_t all = (uint64_t) left.to - (uint64_t) left.from;

        window.span = left;
        if (width < all && stretch->is_backwards)
            window.span.from = left.to - (oi_time) width;
        else if (width < all)
            window.span.to = left.from + (oi_time) width;
        window.limit = width > 1 ? limit : 0;
        OI_TRY(ask_window(engine, stretch, &window, rows, &seen, error));
        if (width > 1 && seen >= limit) {
            /* Denser here than on the whole. */
            oi_rows_clear(rows);
            width = (width < all ? width : all) / 4;
            width = width > 0 ? width : 1;
            continue;
        }
        if (stretch->is_backwards)
            left.to = window.span.from;
        else
            left.from = window.span.to;
        if (rows->count > 0 || left.from >= left.to)
            break;
        width = width < UINT64_MAX / 8 ? width * 8 : width;
    }
    *ret_done = stretch->is_backwards ? (struct oi_span){ left.to, stretch->span.to }
                                      : (struct oi_span){ stretch->span.from, left.from };
    return OI_OK;
}

/* What is kept of a stretch's begin, or of its end; *ret_done is empty where nothing is. */
static enum oi_status
take_kept(struct oi_clickhouse *engine, const struct oi_stretch *stretch,
          const struct oi_kept_question *question, struct oi_rows *rows, struct oi_span *ret_done,
          struct oi_error *error)
{
    size_t rows_max =
        stretch->rows_max < stretch->block_rows ? stretch->rows_max : stretch->block_rows;

    *ret_done = stretch->span;
    if (stretch->is_backwards)
        return oi_kept_take_last_rows(engine->kept, question, stretch->span, rows, &ret_done->from,
                                      error);
    return oi_kept_take_rows(engine->kept, question, stretch->span, rows_max, rows, &ret_done->to,
                             error);
}

enum oi_status
oi_clickhouse_read(void *context, const struct oi_stretch *stretch, struct oi_rows *rows,
                   struct oi_span *ret_done, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    const struct oi_kept_question question = oi_kept_rows_question(
        &stretch->series, stretch->columns, stretch->lacks_wides, stretch->batch_limit);
    uint64_t epoch = oi_kept_epoch(engine->kept);

    OI_TRY(take_kept(engine, stretch, &question, rows, ret_done, error));
    if (ret_done->from < ret_done->to)
        return OI_OK;
    OI_TRY(ask_stretch(engine, stretch, rows, ret_done, error));
    if (oi_kept_wants(engine->kept, &question, *ret_done))
        oi_kept_put_rows(engine->kept, &question, epoch, *ret_done, rows);
    /* Rows of a batch that was told without them may lie outside of what is known of the series. */
    oi_rows_cut(rows, *ret_done);
    return OI_OK;
}
