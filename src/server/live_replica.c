/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what sockets see; tests/system/follow.test.mjs follows over real ones */
/*
 * Listeners that are other servers: each hears of every row with all it has, first those committed
 * after the commit it names, and learns up to which commit it has heard everything. What the hub
 * was not told (rows loaded in bulk, or dropped in a flood) is found in the store and sent after
 * all. A row may be sent twice, so that none is missed: who keeps rows knows them by their key.
 */
#include "server/live_internal.h"

#include "base/log.h"
#include "dialects/native_rows.h"

#include <string.h>

/* The store is read while less than this is queued. */
#define PASS_QUEUE_MAX ((size_t) 256 << 10)
/* Series looked at and blocks sent in one turn of the loop. */
#define PASS_TURN_SERIES 20'000
#define PASS_TURN_BLOCKS 16

static void
send_text(struct listener *listener, struct oi_buffer *text)
{
    listener_send_text(listener, oi_buffer_slice(text));
    oi_buffer_release(text);
}

static void
tell_definition(struct listener *listener, const struct oi_instrument *instrument)
{
    struct replica *replica = listener->replica;
    struct oi_buffer text = {};

    while (replica->known_from.count <= instrument->id)
        oi_vector_push(&replica->known_from, OI_TIME_LATEST);
    if (replica->known_from.items[instrument->id] == instrument->known_from)
        return;
    replica->known_from.items[instrument->id] = instrument->known_from;
    oi_native_write_definition(instrument, &text);
    send_text(listener, &text);
}

static void
tell_feed(struct listener *listener, const struct oi_feed *feed)
{
    struct replica *replica = listener->replica;
    struct oi_native_feed facts = { .sides = feed->sides,
                                    .cadence_ns = feed->cadence_ns,
                                    .restates = feed->restates,
                                    .is_daily = feed->is_daily };
    struct oi_buffer text = {};

    while (replica->feeds.count <= feed->id)
        oi_vector_push(&replica->feeds, false);
    if (replica->feeds.items[feed->id])
        return;
    replica->feeds.items[feed->id] = true;
    (void) OI_NAME_SET(facts.name, oi_slice_of(feed->name), NULL);
    if (feed->unit != OI_UNIT_UNKNOWN)
        (void) OI_NAME_SET(facts.unit, oi_slice_of(oi_unit_name(feed->unit)), NULL);
    oi_native_write_feed(&facts, &text);
    send_text(listener, &text);
}

void
live_replica_introduce(struct listener *listener, const struct oi_catalog *catalog, uint32_t series)
{
    const struct oi_series *of = &catalog->series[series - 1];

    if (!listener->replica)
        return;
    tell_definition(listener, &catalog->instruments[of->instrument - 1]);
    tell_feed(listener, &catalog->feeds[of->feed - 1]);
}

static void
tell_position(struct listener *listener, uint64_t position)
{
    struct oi_buffer text = {};

    listener->replica->position = position;
    oi_native_write_position(position, &text);
    send_text(listener, &text);
}

static void
begin_pass(struct listener *listener, uint64_t from, uint64_t to)
{
    struct pass *pass = &listener->replica->pass;

    oi_scan_close(&pass->scan);
    *pass = (struct pass){ .is_on = true, .from = from, .to = to };
    oi_loop_wake(listener->live->worker->loop);
}

void
live_replica_begin(struct listener *listener)
{
    uint64_t last = oi_store_last_batch(listener->live->worker->server->source->store);
    uint64_t since = listener->query.since;

    listener->replica = oi_alloc_zero(1, sizeof(*listener->replica));
    if (since == UINT64_MAX) /* from now on */
        since = last;
    /* A commit that never was: its store is gone, and this is another one. */
    listener->replica->position = since > last ? 0 : since;
    begin_pass(listener, listener->replica->position, last);
}

void
live_replica_free(struct listener *listener)
{
    if (!listener->replica)
        return;
    oi_scan_close(&listener->replica->pass.scan);
    oi_vector_release(&listener->replica->known_from);
    oi_vector_release(&listener->replica->feeds);
    oi_free(listener->replica);
}

/* The first instant of rows after the pass's beginning, where rows come in order of time and only
 * the newest have to be looked at. */
static enum oi_status
find_start(struct oi_store *store, const struct pass *pass, oi_time *ret_start,
           struct oi_error *error)
{
    const struct oi_scan_request request = { .series = pass->series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMN_BATCH,
                                             .all_revisions = true,
                                             .is_backwards = true };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    bool is_new = true;

    OI_TRY(oi_store_scan(store, &request, &scan, error));
    while (is_new) {
        const struct oi_columns *columns;

        OI_TRY(oi_scan_next(scan, &columns, error));
        is_new = false;
        for (size_t i = 0; columns && !is_new && i < columns->count; i++) {
            is_new = columns->batch[i] > pass->from;
            if (is_new)
                *ret_start = columns->time[i];
        }
    }
    return OI_OK;
}

static enum oi_status
open_scan(struct listener *listener, const struct oi_catalog *catalog, struct oi_error *error)
{
    struct oi_store *store = listener->live->worker->server->source->store;
    struct pass *pass = &listener->replica->pass;
    const char *feed = catalog->feeds[catalog->series[pass->series - 1].feed - 1].name;
    struct oi_scan_request request = { .series = pass->series,
                                       .span = OI_SPAN_ALL,
                                       .moment = OI_MOMENT_LATEST,
                                       .columns = OI_COLUMNS_ALL,
                                       .all_revisions = true };

    if (pass->from > 0 && (strcmp(feed, "live") == 0 || strcmp(feed, "stream") == 0)) {
        request.span.from = OI_TIME_LATEST;
        OI_TRY(find_start(store, pass, &request.span.from, error));
        if (request.span.from == OI_TIME_LATEST)
            return OI_OK;
    }
    return oi_store_scan(store, &request, &pass->scan, error);
}

static void
send_row(struct listener *listener, const struct oi_catalog *catalog, const struct oi_row *row,
         uint64_t batch)
{
    struct wording wording = { .route = listener->route };
    struct oi_facts facts;

    live_set_row(listener->live, catalog, row, &wording, &facts);
    wording.row.batch = batch;
    live_replica_introduce(listener, catalog, row->series);
    listener_send(listener, &wording);
    live_word_release(&wording);
}

/* One block; the scan is closed at its end. */
static enum oi_status
send_block(struct listener *listener, const struct oi_catalog *catalog, struct oi_error *error)
{
    struct pass *pass = &listener->replica->pass;
    const struct oi_columns *columns;

    OI_TRY(oi_scan_next(pass->scan, &columns, error));
    if (!columns) {
        oi_scan_close(&pass->scan);
        return OI_OK;
    }
    for (size_t i = 0; i < columns->count && !listener->is_closing; i++) {
        const struct oi_row row = { pass->series, oi_columns_get(columns, i) };

        if (columns->batch[i] > pass->from)
            send_row(listener, catalog, &row, columns->batch[i]);
    }
    return OI_OK;
}

/* The next series with something new; false at the end. */
static bool
next_series(struct listener *listener, const struct oi_catalog *catalog, size_t *looked)
{
    struct oi_store *store = listener->live->worker->server->source->store;
    struct pass *pass = &listener->replica->pass;

    while (pass->series < catalog->series_count && *looked < PASS_TURN_SERIES) {
        uint32_t instrument = catalog->series[pass->series++].instrument;

        ++*looked;
        if ((listener->hears_all || listener_find(listener, instrument)) &&
            oi_store_series_batch(store, pass->series) > pass->from)
            return true;
    }
    return false;
}

static void
end_pass(struct listener *listener)
{
    struct replica *replica = listener->replica;

    replica->pass.is_on = false;
    tell_position(listener, replica->pass.to);
    if (replica->is_behind)
        begin_pass(listener, replica->position,
                   oi_store_last_batch(listener->live->worker->server->source->store));
    replica->is_behind = false;
}

static void
go_on(struct listener *listener, const struct oi_catalog *catalog)
{
    struct pass *pass = &listener->replica->pass;
    struct oi_error error = {};
    enum oi_status status = OI_OK;
    size_t looked = 0, blocks = 0;

    while (pass->is_on && !listener->is_closing && looked < PASS_TURN_SERIES &&
           blocks < PASS_TURN_BLOCKS) {
        if (listener_queued(listener) > PASS_QUEUE_MAX)
            return; /* drained calls again */
        if (pass->scan) {
            blocks++;
            status = send_block(listener, catalog, &error);
        } else if (next_series(listener, catalog, &looked)) {
            status = open_scan(listener, catalog, &error);
        } else if (pass->series >= catalog->series_count) {
            end_pass(listener);
        }
        if (status == OI_OK)
            continue;
        oi_log_throttled(OI_LOG_ERROR, "replica.unreadable", oi_status_name(status),
                         "reason=\"%s\" next=\"the follower is let go and comes again\"",
                         error.message);
        listener_close(listener, 1013, "the store cannot be read");
    }
    if (pass->is_on && !listener->is_closing)
        oi_loop_wake(listener->live->worker->loop);
}

void
live_replicas_go_on(struct live *live)
{
    struct oi_store *store = live->worker->server->source->store;
    const struct oi_catalog *catalog = NULL;
    uint64_t market_version = oi_store_market_version(store);

    for (size_t i = live->listeners.count; i-- > 0;) {
        struct listener *listener = live->listeners.items[i];

        if (!listener->replica || !listener->replica->pass.is_on || listener->is_closing)
            continue;
        if (!catalog)
            catalog = oi_store_catalog(store);
        listener_refresh(listener, market_version);
        go_on(listener, catalog);
    }
    oi_catalog_unref(&catalog);
}

void
live_replicas_look(struct live *live)
{
    uint64_t last = oi_store_last_batch(live->worker->server->source->store);
    bool has_hole, is_idle;

    pthread_mutex_lock(&live->lock);
    has_hole = live->has_hole || last > live->told;
    live->has_hole = false;
    live->told = last > live->told ? last : live->told;
    last = live->told;
    is_idle = live->waiting.count == 0 && live->pushed >= live->pushing.count;
    pthread_mutex_unlock(&live->lock);
    for (size_t i = 0; i < live->listeners.count; i++) {
        struct listener *listener = live->listeners.items[i];
        struct replica *replica = listener->replica;

        if (!replica || listener->is_closing)
            continue;
        if (has_hole && replica->pass.is_on)
            replica->is_behind = true;
        else if (has_hole)
            begin_pass(listener, replica->position, last);
        else if (is_idle && !replica->pass.is_on && replica->position < last)
            tell_position(listener, last);
    }
}

void
live_replica_beat(struct listener *listener)
{
    if (!listener->replica->pass.is_on && !listener->is_closing)
        tell_position(listener, listener->replica->position);
}
