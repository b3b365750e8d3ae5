/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection: requests are taken up one after another, each when the one before is
 * answered and the client has taken most of what waits. So a pipeline is answered in order and a
 * reader that stops costs one low-water mark and one piece.
 */
#include "net/http_connection_internal.h"

/* Input read ahead of the request that is being answered. */
#define INPUT_SIZE_MAX ((size_t) 64 << 10)
/* Buffers smaller than this stay with an idle connection. */
#define INPUT_KEPT_MAX ((size_t) 1 << 10)
/* After the last answer the client gets this long to take it and to end; closing at once would
 * reset the connection and could destroy what is on the way. */
#define LINGER_MS 2000
/* A stopping server waits this long on idle connections, for requests that are on the way; longer
 * on those that have not had their first one, because nobody connects without wanting something. */
#define STOP_IDLE_MS 200
#define STOP_FRESH_MS 2000

void
oi_http_server_options_fill(struct oi_http_server_options *options)
{
    if (!options->address)
        options->address = "127.0.0.1";
    if (!options->clock)
        options->clock = &oi_clock_system;
    if (options->head_size_max == 0)
        options->head_size_max = (size_t) 16 << 10;
    if (options->target_size_max == 0)
        options->target_size_max = 10'240;
    if (options->body_size_max == 0)
        options->body_size_max = (size_t) 1 << 20;
    if (options->connections_max == 0)
        options->connections_max = 10'000;
    if (options->head_deadline_ms == 0)
        options->head_deadline_ms = 10'000;
    if (options->body_deadline_ms == 0)
        options->body_deadline_ms = 30'000;
    if (options->idle_deadline_ms == 0)
        options->idle_deadline_ms = 75'000;
    if (options->write_deadline_ms == 0)
        options->write_deadline_ms = 30'000;
    if (options->grace_ms == 0)
        options->grace_ms = 10'000;
}

struct oi_http_connection *
oi_http_connection_new(struct oi_http_host *host, void *owner, const char *peer)
{
    struct oi_http_connection *connection = oi_alloc_zero(1, sizeof(*connection));

    connection->host = host;
    connection->owner = owner;
    connection->peer = oi_copy_text(oi_slice_of(peer));
    connection->parser.limits = (struct oi_http_parse_limits){
        .head_size_max = host->options->head_size_max,
        .target_size_max = host->options->target_size_max,
        .body_size_max = host->options->body_size_max,
    };
    connection->websocket.connection = connection;
    connection->input_ms = host->now_ms;
    host->stats.connections++;
    return connection;
}

void
oi_http_connection_free(struct oi_http_connection **connection)
{
    struct oi_http_connection *dead = *connection;
    struct oi_websocket *websocket;

    if (!dead)
        return;
    websocket = &dead->websocket;
    dead->phase = OI_HTTP_PHASE_DONE;
    if (websocket->engine && websocket->is_attached && websocket->handler.closed)
        websocket->handler.closed(websocket->handler.context);
    oi_websocket_engine_free(&websocket->engine);
    oi_http_connection_finish_reply(dead);
    oi_http_parser_release(&dead->parser);
    oi_buffer_release(&dead->input);
    oi_output_release(&dead->output);
    oi_free(dead->peer);
    oi_free(dead);
    *connection = NULL;
}

void
oi_http_connection_linger(struct oi_http_connection *connection)
{
    connection->phase = OI_HTTP_PHASE_LINGER;
    connection->linger_ms = connection->host->now_ms;
    connection->pending = (struct oi_slice){};
    oi_buffer_release(&connection->input);
}

void
oi_http_connection_notify(struct oi_http_connection *connection)
{
    if (!connection->is_inside)
        connection->host->wake(connection->owner);
}

/* Every server answers this one alike, whatever it serves. */
static void
answer_options(struct oi_http_connection *connection)
{
    connection->reply.status = 204;
    oi_http_reply_header_text(&connection->reply, "Allow", "GET, HEAD, POST, OPTIONS");
    oi_http_connection_answer(connection);
}

/* The reply's `resume`. */
static void
resume(void *resumer)
{
    struct oi_http_connection *connection = resumer;

    if (connection->reply_state != OI_HTTP_REPLY_WAITING)
        return;
    connection->reply_state = OI_HTTP_REPLY_STREAMING;
    oi_http_connection_notify(connection);
}

/* Scheme and authority: without printf, since every request has one. */
static struct oi_slice
origin_of(const struct oi_http_host *host, struct oi_http_request *request)
{
    size_t size = strlen(host->scheme);
    char *text = oi_arena_alloc(&request->arena, size + 3 + request->origin.size);

    memcpy(text, host->scheme, size);
    memcpy(text + size, "://", 3);
    size += 3;
    if (request->origin.size > 0)
        memcpy(text + size, request->origin.data, request->origin.size);
    return (struct oi_slice){ text, size + request->origin.size };
}

static void
dispatch(struct oi_http_connection *connection)
{
    struct oi_http_host *host = connection->host;
    struct oi_http_request *request = &connection->request;

    host->stats.requests++;
    connection->has_asked = true;
    request->peer = oi_slice_of(connection->peer);
    request->origin = origin_of(host, request);
    connection->is_head = request->method == OI_HTTP_HEAD;
    connection->ends_after = !connection->parser.keeps_alive;
    connection->reply =
        (struct oi_http_reply){ .status = 200, .resume = resume, .resumer = connection };
    if (oi_slice_is(request->path, "*")) {
        answer_options(connection);
        return;
    }
    if (connection->parser.is_upgrade && oi_http_connection_upgrade(connection))
        return;
    host->handler->handle(host->handler->context, request, &connection->reply);
    oi_http_connection_answer(connection);
}

/* Take up what is pending; false when there is nothing to do before more comes. */
static bool
read_request(struct oi_http_connection *connection)
{
    struct oi_http_parser *parser = &connection->parser;
    bool was_busy = oi_http_parser_is_busy(parser);
    size_t taken = oi_http_parser_read(parser, connection->pending, &connection->request);

    connection->pending.data += taken;
    connection->pending.size -= taken;
    if (!was_busy)
        connection->head_ms = connection->host->now_ms;
    switch (parser->state) {
    case OI_HTTP_PARSE_HEAD:
        return taken > 0;
    case OI_HTTP_PARSE_BODY:
        if (parser->expects_continue && connection->pending.size == 0)
            oi_output_add(&connection->output, OI_SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
        parser->expects_continue = false;
        return taken > 0;
    case OI_HTTP_PARSE_DONE:
        dispatch(connection);
        return true;
    case OI_HTTP_PARSE_REFUSED:
        oi_http_connection_refuse(connection, parser->status, parser->reason);
        return true;
    }
    return false;
}

/* One step ahead; false when it is the turn of the client or of the host. */
static bool
step(struct oi_http_connection *connection)
{
    bool has_room = connection->output.size < OI_HTTP_QUEUE_LOW;

    switch (connection->phase) {
    case OI_HTTP_PHASE_REQUESTS:
        if (connection->reply_state == OI_HTTP_REPLY_STREAMING && has_room) {
            oi_http_connection_pull(connection);
            return true;
        }
        if (connection->reply_state != OI_HTTP_REPLY_NONE)
            return false;
        if (connection->ends_after) {
            oi_http_connection_linger(connection);
            return true;
        }
        return has_room && connection->pending.size > 0 && read_request(connection);
    case OI_HTTP_PHASE_WEBSOCKET:
        oi_http_connection_receive_frames(connection);
        return false;
    case OI_HTTP_PHASE_LINGER:
        connection->pending.size = 0;
        return false;
    case OI_HTTP_PHASE_DONE:
        return false;
    }
    return false;
}

/* After the client's end, when everything it asked for has been sent. */
static void
settle(struct oi_http_connection *connection)
{
    bool is_waiting = connection->phase == OI_HTTP_PHASE_REQUESTS &&
                      connection->reply_state != OI_HTTP_REPLY_WITHHELD &&
                      connection->reply_state != OI_HTTP_REPLY_WAITING &&
                      (connection->reply_state != OI_HTTP_REPLY_NONE || connection->input.size > 0);

    if (connection->has_ended && connection->output.size == 0 && !is_waiting)
        connection->phase = OI_HTTP_PHASE_DONE;
}

/* Go as far as it goes, with these bytes behind those that wait already. */
static void
advance(struct oi_http_connection *connection, struct oi_slice bytes)
{
    size_t queued = connection->output.size;
    bool is_buffered = connection->input.size > 0;

    if (!is_buffered && bytes.size > 0 && oi_http_connection_repeat(connection, bytes)) {
        if (queued == 0)
            connection->output_ms = connection->host->now_ms;
        return;
    }
    if (is_buffered) {
        oi_buffer_add_slice(&connection->input, bytes);
        bytes = oi_buffer_slice(&connection->input);
    }
    connection->is_inside = true;
    connection->pending = bytes;
    while (step(connection))
        ;
    if (connection->phase >= OI_HTTP_PHASE_LINGER)
        oi_buffer_release(&connection->input);
    else if (is_buffered)
        oi_buffer_consume(&connection->input, connection->input.size - connection->pending.size);
    else
        oi_buffer_add_slice(&connection->input, connection->pending);
    connection->pending = (struct oi_slice){};
    connection->is_inside = false;
    if (queued == 0 && connection->output.size > 0)
        connection->output_ms = connection->host->now_ms;
    settle(connection);
}

void
oi_http_connection_receive(struct oi_http_connection *connection, struct oi_slice bytes)
{
    connection->input_ms = connection->host->now_ms;
    connection->websocket.is_pinged = false;
    advance(connection, bytes);
}

void
oi_http_connection_end(struct oi_http_connection *connection)
{
    connection->has_ended = true;
    if (connection->phase == OI_HTTP_PHASE_WEBSOCKET)
        connection->phase = OI_HTTP_PHASE_DONE; /* nobody reads on after his own end */
    advance(connection, (struct oi_slice){});
}

struct oi_output *
oi_http_connection_output(struct oi_http_connection *connection)
{
    return &connection->output;
}

void
oi_http_connection_sent(struct oi_http_connection *connection, size_t size)
{
    struct oi_websocket *websocket = &connection->websocket;

    oi_output_consume(&connection->output, size);
    connection->host->stats.bytes_out += size;
    connection->output_ms = connection->host->now_ms;
    if (connection->output.size == 0)
        connection->input_ms = connection->host->now_ms; /* idle from here on */
    if (connection->output.size < OI_HTTP_QUEUE_LOW) {
        advance(connection, (struct oi_slice){});
        if (websocket->was_above_low && connection->phase == OI_HTTP_PHASE_WEBSOCKET) {
            websocket->was_above_low = false;
            if (websocket->handler.drained)
                websocket->handler.drained(websocket->handler.context);
        }
    }
}

void
oi_http_connection_sending(struct oi_http_connection *connection)
{
    connection->output_ms = connection->host->now_ms;
}

void
oi_http_connection_compressed(struct oi_http_connection *connection, struct oi_buffer *plain,
                              struct oi_buffer *packed)
{
    bool is_smaller = packed->size < plain->size;

    oi_assert(connection->reply_state == OI_HTTP_REPLY_COMPRESSING);
    connection->reply.body = is_smaller ? *packed : *plain;
    oi_buffer_release(is_smaller ? plain : packed);
    *plain = *packed = (struct oi_buffer){};
    if (is_smaller)
        oi_http_reply_header_text(&connection->reply, "Content-Encoding", "gzip");
    connection->reply.is_compressible = false;
    oi_http_connection_answer(connection);
    advance(connection, (struct oi_slice){});
}

void
oi_http_connection_go_on(struct oi_http_connection *connection)
{
    if (connection->reply_state == OI_HTTP_REPLY_STREAMING)
        advance(connection, (struct oi_slice){});
}

static void
tick_requests(struct oi_http_connection *connection)
{
    const struct oi_http_server_options *options = connection->host->options;
    uint64_t now = connection->host->now_ms;

    if (connection->reply_state != OI_HTTP_REPLY_NONE)
        return;
    if (connection->parser.state == OI_HTTP_PARSE_BODY) {
        if (now - connection->input_ms >= options->body_deadline_ms)
            oi_http_connection_refuse(connection, 408, "the body did not come in time");
    } else if (oi_http_parser_is_busy(&connection->parser)) {
        if (now - connection->head_ms >= options->head_deadline_ms)
            oi_http_connection_refuse(connection, 408, "the head did not come in time");
    } else {
        uint64_t deadline_ms = !connection->host->is_stopping ? options->idle_deadline_ms
                               : connection->has_asked        ? STOP_IDLE_MS
                                                              : STOP_FRESH_MS;

        if (now - connection->input_ms >= deadline_ms)
            oi_http_connection_linger(connection);
        else if (connection->parser.head.capacity + connection->parser.body.capacity >
                 INPUT_KEPT_MAX)
            oi_http_parser_release(&connection->parser);
    }
}

void
oi_http_connection_tick(struct oi_http_connection *connection)
{
    uint64_t now = connection->host->now_ms;

    if (connection->phase == OI_HTTP_PHASE_DONE)
        return;
    if (connection->output.size > 0) {
        if (now - connection->output_ms >= connection->host->options->write_deadline_ms)
            connection->phase = OI_HTTP_PHASE_DONE;
        return;
    }
    if (connection->phase == OI_HTTP_PHASE_LINGER) {
        if (now - connection->linger_ms >= LINGER_MS)
            connection->phase = OI_HTTP_PHASE_DONE;
        return;
    }
    if (connection->phase == OI_HTTP_PHASE_WEBSOCKET)
        oi_http_connection_tick_websocket(connection);
    else
        tick_requests(connection);
    advance(connection, (struct oi_slice){});
}

void
oi_http_connection_stop(struct oi_http_connection *connection)
{
    if (connection->phase == OI_HTTP_PHASE_WEBSOCKET)
        oi_websocket_close(&connection->websocket, 1001, "the server is stopping");
    else if (connection->reply_state == OI_HTTP_REPLY_NONE)
        connection->input_ms = connection->host->now_ms;
    else if (connection->reply_state == OI_HTTP_REPLY_WAITING)
        oi_http_connection_end_waiting(connection);
    else
        return;
    if (connection->phase == OI_HTTP_PHASE_REQUESTS)
        advance(connection, (struct oi_slice){});
}

bool
oi_http_connection_wants_input(const struct oi_http_connection *connection)
{
    return connection->phase != OI_HTTP_PHASE_DONE && !connection->has_ended &&
           connection->input.size < INPUT_SIZE_MAX;
}

bool
oi_http_connection_wants_shutdown(const struct oi_http_connection *connection)
{
    return connection->phase == OI_HTTP_PHASE_LINGER && connection->output.size == 0;
}

bool
oi_http_connection_is_done(const struct oi_http_connection *connection)
{
    return connection->phase == OI_HTTP_PHASE_DONE;
}
