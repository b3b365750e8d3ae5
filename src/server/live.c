/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/server.test.mjs asks over real sockets */
/*
 * Live rows over WebSocket, at /oi/v1/stream?market=binance:usdm:BTCUSDT (repeated for several,
 * absent for all). The store tells every hub of a commit on the committing thread; the hub copies
 * what somebody listens to and wakes its loop, where one shared frame a row is queued on each
 * listener. A listener that reads too slowly is closed rather than remembered.
 */
#include "server/server_internal.h"

#include "base/json.h"
#include "base/log.h"
#include "core/symbology.h"

#include <stdlib.h>
#include <string.h>

/* Bytes a listener may leave unread: some minutes of all markets. */
#define LIVE_QUEUE_MAX ((size_t) 4 << 20)
/* Rows waiting for the loop: a minute of the whole world several times over. */
#define LIVE_ROWS_MAX 100'000
#define LIVE_MARKETS_MAX 1000

struct listener {
    struct live *live;
    struct oi_websocket *websocket;
    OI_VECTOR(uint32_t) instruments; /* sorted; empty: all */
    size_t slot;                     /* in live->listeners */
};

struct live {
    struct worker *worker;
    struct oi_watcher watcher;
    OI_VECTOR(struct listener *) listeners; /* the loop's thread alone */
    atomic_size_t listener_count;
    pthread_mutex_t lock;
    OI_VECTOR(struct oi_row) waiting; /* under the lock */
    uint64_t dropped;
};

static void
committed(void *context, uint64_t, const struct oi_row *rows, size_t count)
{
    struct live *live = context;

    if (atomic_load(&live->listener_count) == 0)
        return;
    pthread_mutex_lock(&live->lock);
    for (size_t i = 0; i < count; i++) {
        if (live->waiting.count >= LIVE_ROWS_MAX) {
            live->dropped += count - i;
            break;
        }
        oi_vector_push(&live->waiting, rows[i]);
    }
    pthread_mutex_unlock(&live->lock);
    oi_loop_wake(live->worker->loop);
}

static void
add_decimal(struct oi_json_writer *writer, const char *name, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    oi_json_add_name(writer, name);
    if (oi_decimal_is_none(value)) {
        oi_json_add_null(writer);
        return;
    }
    oi_json_add_string(writer, (struct oi_slice){ text, oi_decimal_print(value, text) });
}

static void
write_row(const struct oi_catalog *catalog, const struct oi_row *row, struct oi_buffer *out)
{
    const struct oi_series *series = &catalog->series[row->series - 1];
    struct oi_json_writer writer = { .out = out };
    char name[OI_MARKET_NAME_SIZE];
    struct oi_buffer time = {};

    oi_native_name(&catalog->instruments[series->instrument - 1], name);
    oi_time_write(row->reading.time, oi_time_fraction_digits(row->reading.time), &time);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "market");
    oi_json_add_text(&writer, name);
    oi_json_add_name(&writer, "time");
    oi_json_add_string(&writer, oi_buffer_slice(&time));
    add_decimal(&writer, "open_interest", &row->reading.open_interest);
    add_decimal(&writer, "value_usd", &row->reading.value_usd);
    add_decimal(&writer, "mark_price", &row->reading.mark_price);
    oi_json_add_name(&writer, "feed");
    oi_json_add_text(&writer, catalog->feeds[series->feed - 1].name);
    oi_json_end_object(&writer);
    oi_buffer_release(&time);
}

static int
compare_ids(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *) left, b = *(const uint32_t *) right;

    return a < b ? -1 : a > b;
}

static bool
wants(const struct listener *listener, uint32_t instrument)
{
    return listener->instruments.count == 0 ||
           bsearch(&instrument, listener->instruments.items, listener->instruments.count,
                   sizeof(uint32_t), compare_ids) != NULL;
}

static void
push_row(struct live *live, const struct oi_catalog *catalog, const struct oi_row *row)
{
    struct oi_websocket_frame *frame = NULL;
    uint32_t instrument;

    if (row->series == 0 || row->series > catalog->series_count)
        return;
    instrument = catalog->series[row->series - 1].instrument;
    for (size_t i = live->listeners.count; i-- > 0;) {
        struct listener *listener = live->listeners.items[i];

        if (!wants(listener, instrument))
            continue;
        if (oi_websocket_queued(listener->websocket) > LIVE_QUEUE_MAX) {
            oi_websocket_close(listener->websocket, 1013, "reading too slowly");
            continue;
        }
        if (!frame) {
            struct oi_buffer text = {};

            write_row(catalog, row, &text);
            frame = oi_websocket_frame_new(oi_buffer_slice(&text));
            oi_buffer_release(&text);
        }
        oi_websocket_send_frame(listener->websocket, frame);
    }
    oi_websocket_frame_unref(&frame);
}

void
live_push(struct live *live)
{
    const struct oi_catalog *catalog = oi_store_catalog(live->worker->server->source->store);
    OI_VECTOR(struct oi_row) rows = {};
    uint64_t dropped;

    pthread_mutex_lock(&live->lock);
    rows.items = live->waiting.items;
    rows.count = live->waiting.count;
    rows.capacity = live->waiting.capacity;
    memset(&live->waiting, 0, sizeof(live->waiting));
    dropped = live->dropped;
    live->dropped = 0;
    pthread_mutex_unlock(&live->lock);
    if (dropped > 0)
        oi_log_throttled(OI_LOG_WARN, "live.dropped", "rows", "rows=%llu",
                         (unsigned long long) dropped);
    for (size_t i = 0; i < rows.count; i++)
        push_row(live, catalog, &rows.items[i]);
    oi_vector_release(&rows);
    oi_catalog_unref(&catalog);
}

static void
listener_closed(void *context)
{
    struct listener *listener = context;
    struct live *live = listener->live;
    struct listener *last = live->listeners.items[live->listeners.count - 1];

    live->listeners.items[listener->slot] = last;
    last->slot = listener->slot;
    live->listeners.count--;
    atomic_fetch_sub(&live->listener_count, 1);
    oi_vector_release(&listener->instruments);
    oi_free(listener);
}

static void
listener_message(void *, struct oi_slice, bool)
{
    /* Nothing is asked over the socket: what is wanted stands in its address. */
}

struct live *
live_new(struct worker *worker)
{
    struct live *live = oi_alloc_zero(1, sizeof(*live));

    live->worker = worker;
    pthread_mutex_init(&live->lock, NULL);
    live->watcher = (struct oi_watcher){ .committed = committed, .context = live };
    oi_store_watch(worker->server->source->store, &live->watcher);
    return live;
}

void
live_free(struct live **live)
{
    if (!live || !*live)
        return;
    oi_store_unwatch((*live)->worker->server->source->store, &(*live)->watcher);
    oi_vector_release(&(*live)->waiting);
    oi_vector_release(&(*live)->listeners);
    pthread_mutex_destroy(&(*live)->lock);
    oi_free(*live);
    *live = NULL;
}

static void
refuse(struct oi_http_reply *reply, int status, const char *sentence)
{
    struct oi_json_writer writer = { .out = &reply->body };

    reply->status = status;
    oi_http_reply_type(reply, "application/json");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "error");
    oi_json_add_text(&writer, sentence);
    oi_json_end_object(&writer);
}

/* The instruments of every `market` parameter; false when one is not known. */
static bool
choose(struct live *live, const struct oi_http_request *request, struct listener *listener)
{
    const struct oi_source *source = live->worker->server->source;
    const struct oi_name_index *index = oi_names_current(source->names, source->store);
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};
    struct oi_problem problem = {};
    bool is_known;

    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];
        struct oi_selector *selector;

        if (!oi_slice_is(field->name, "market"))
            continue;
        selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
        selector->market = oi_arena_copy(&query.arena, field->value);
        selector->must_match = true;
    }
    is_known = query.selectors.count <= LIVE_MARKETS_MAX &&
               oi_names_choose(index, &query, &choices, &problem) == OI_OK;
    for (size_t i = 0; is_known && i < choices.items.count; i++)
        oi_vector_push(&listener->instruments, choices.items.items[i].instrument);
    if (listener->instruments.count > 1)
        qsort(listener->instruments.items, listener->instruments.count, sizeof(uint32_t),
              compare_ids);
    oi_vector_release(&choices.items);
    oi_query_release(&query);
    oi_name_index_unref(&index);
    return is_known;
}

bool
live_upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
             struct oi_http_reply *reply)
{
    struct worker *worker = context;
    struct live *live = worker->live;
    const struct oi_slice *parameter = oi_http_parameter(request, "key");
    struct oi_slice key = oi_dialect_native.key(request);
    uint8_t session[OI_SHA256_SIZE];
    struct listener *listener;

    if (!oi_access_check_host(worker->server->access, oi_http_header(request, "host"))) {
        refuse(reply, 421, "this server has no keys, so it answers only to its own names");
        return false;
    }
    if (!oi_slice_is(request->path, "/oi/v1/stream")) {
        refuse(reply, 404, "there is no stream at this path");
        return false;
    }
    if (key.size == 0 && parameter) /* clients that cannot set headers */
        key = *parameter;
    if (oi_access_check_key(worker->server->access, key) != OI_KEY_FINE &&
        !session_find(worker->server, request, session)) {
        refuse(reply, 401, "the stream wants a key: Authorization: Bearer KEY, or ?key=KEY");
        return false;
    }
    listener = oi_alloc_zero(1, sizeof(*listener));
    if (!choose(live, request, listener)) {
        oi_vector_release(&listener->instruments);
        oi_free(listener);
        refuse(reply, 404, "a market of that name is not known");
        return false;
    }
    listener->live = live;
    listener->websocket = websocket;
    listener->slot = live->listeners.count;
    oi_vector_push(&live->listeners, listener);
    atomic_fetch_add(&live->listener_count, 1);
    oi_websocket_attach(websocket, &(struct oi_websocket_handler){ .message = listener_message,
                                                                   .closed = listener_closed,
                                                                   .context = listener });
    return true;
}
