/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to a WebSocket, and the handle that a server pushes through. Sending only queues:
 * whoever sends to many sockets in one turn never meets a callback, let alone a freed handle.
 */
#include "net/http_connection_internal.h"

/* A reader that has this much waiting is beyond any vendor's patience; the server's own rules end
 * it long before. */
#define QUEUE_SIZE_MAX ((size_t) 64 << 20)
/* Answers to a client's messages may pile up so far before its next ones are read. */
#define ANSWERS_SIZE_MAX ((size_t) 1 << 20)
/* For the other end's part of the closing handshake. */
#define CLOSE_MS 2000

/* Is this token in a list header, in any case? */
static bool
has_token(const struct oi_http_request *request, const char *name, const char *token)
{
    for (size_t i = 0; i < request->headers.count; i++) {
        const struct oi_http_field *header = &request->headers.items[i];
        struct oi_slice rest = header->value, part;

        if (!oi_slice_equal_ignoring_case(header->name, oi_slice_of(name)))
            continue;
        while (oi_slice_next_part(&rest, ',', &part))
            if (oi_slice_equal_ignoring_case(oi_slice_trim(part), oi_slice_of(token)))
                return true;
    }
    return false;
}

static void
refuse(struct oi_http_connection *connection, int status, const char *reason)
{
    oi_http_reply_release(&connection->reply);
    oi_http_connection_refuse(connection, status, reason);
}

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct oi_websocket *websocket = context;

    if (websocket->is_attached && websocket->handler.message && !websocket->is_closing)
        websocket->handler.message(websocket->handler.context, message, is_text);
}

static void
write_accept(struct oi_http_connection *connection, struct oi_slice key)
{
    struct oi_buffer value = {}, head = {};

    oi_websocket_accept(key, &value);
    connection->reply.status = 101;
    oi_http_reply_header_text(&connection->reply, "Upgrade", "websocket");
    oi_http_reply_header(&connection->reply, "Sec-WebSocket-Accept", oi_buffer_slice(&value));
    oi_buffer_release(&value);
    oi_http_write_head(connection, &head);
    oi_output_move(&connection->output, &head);
}

/* Ask the handler, whose first messages wait until the handshake's answer stands before them. */
static bool
accept(struct oi_http_connection *connection, struct oi_slice key)
{
    const struct oi_http_handler *handler = connection->host->handler;
    struct oi_websocket *websocket = &connection->websocket;
    const struct oi_websocket_engine_options options = {
        .message_size_max = connection->host->options->body_size_max,
        .message = on_message,
        .context = websocket,
    };
    struct oi_output before = connection->output, first = {};

    if (!handler->upgrade)
        return false;
    connection->output = (struct oi_output){};
    connection->phase = OI_HTTP_PHASE_WEBSOCKET;
    websocket->engine = oi_websocket_engine_new(&options);
    if (!handler->upgrade(handler->context, &connection->request, websocket, &connection->reply)) {
        oi_output_release(&connection->output);
        connection->output = before;
        connection->phase = OI_HTTP_PHASE_REQUESTS;
        websocket->is_attached = false;
        oi_websocket_engine_free(&websocket->engine);
        return false;
    }
    first = connection->output;
    connection->output = before;
    write_accept(connection, key);
    oi_output_append(&connection->output, &first);
    oi_http_connection_finish_reply(connection);
    oi_http_parser_release(&connection->parser);
    connection->host->stats.websockets++;
    return true;
}

bool
oi_http_connection_upgrade(struct oi_http_connection *connection)
{
    const struct oi_http_request *request = &connection->request;
    const struct oi_slice *version = oi_http_header(request, "sec-websocket-version");
    const struct oi_slice *key = oi_http_header(request, "sec-websocket-key");

    if (!has_token(request, "upgrade", "websocket") || request->is_http10)
        return false; /* another protocol: the request is answered as it stands */
    if (request->method != OI_HTTP_GET || request->body.size > 0) {
        refuse(connection, 400, "a WebSocket begins with a GET");
    } else if (!version || !oi_slice_is(*version, "13")) {
        oi_http_reply_header_text(&connection->reply, "Sec-WebSocket-Version", "13");
        oi_http_reply_header_text(&connection->reply, "Upgrade", "websocket");
        oi_http_reply_type(&connection->reply, "text/plain; charset=utf-8");
        oi_buffer_add_text(&connection->reply.body, "WebSocket version 13 is spoken here\n");
        connection->reply.status = 426;
        connection->ends_after = true;
        connection->host->stats.refused++;
        oi_http_connection_answer(connection);
    } else if (!key || !oi_websocket_is_key(*key)) {
        refuse(connection, 400, "the WebSocket's key is malformed");
    } else if (!accept(connection, *key)) {
        if (!connection->host->handler->upgrade)
            connection->reply.status = 404;
        connection->ends_after = true; /* the client may have sent frames already */
        oi_http_connection_answer(connection);
    }
    return true;
}

static void
end_if_done(struct oi_http_connection *connection)
{
    if (connection->phase == OI_HTTP_PHASE_WEBSOCKET &&
        oi_websocket_engine_is_done(connection->websocket.engine))
        oi_http_connection_linger(connection);
}

static void
queue_answers(struct oi_http_connection *connection, struct oi_buffer *out)
{
    oi_output_add(&connection->output, oi_buffer_slice(out));
    oi_buffer_release(out);
    end_if_done(connection);
}

void
oi_http_connection_receive_frames(struct oi_http_connection *connection)
{
    struct oi_buffer out = {};

    if (connection->pending.size == 0 || connection->output.size > ANSWERS_SIZE_MAX)
        return;
    oi_websocket_engine_receive(connection->websocket.engine, connection->pending, &out);
    connection->pending.size = 0;
    queue_answers(connection, &out);
}

void
oi_http_connection_tick_websocket(struct oi_http_connection *connection)
{
    struct oi_websocket *websocket = &connection->websocket;
    uint64_t now = connection->host->now_ms;
    struct oi_buffer out = {};

    if (websocket->is_closing) {
        if (now - connection->linger_ms >= CLOSE_MS)
            oi_http_connection_linger(connection);
        return;
    }
    if (now - connection->input_ms < connection->host->options->idle_deadline_ms)
        return;
    if (websocket->is_pinged) {
        connection->phase = OI_HTTP_PHASE_DONE; /* not even a pong: the other end is gone */
        return;
    }
    websocket->is_pinged = true;
    connection->input_ms = now;
    oi_websocket_engine_ping(websocket->engine, &out);
    queue_answers(connection, &out);
}

void
oi_websocket_attach(struct oi_websocket *websocket, const struct oi_websocket_handler *handler)
{
    websocket->handler = *handler;
    websocket->is_attached = true;
}

/* Can anything still be sent? */
static bool
is_open(const struct oi_websocket *websocket)
{
    const struct oi_http_connection *connection = websocket->connection;

    return !websocket->is_closing && websocket->engine &&
           connection->phase == OI_HTTP_PHASE_WEBSOCKET &&
           !oi_websocket_engine_is_closing(websocket->engine);
}

static void
note_output(struct oi_websocket *websocket, size_t queued_before)
{
    struct oi_http_connection *connection = websocket->connection;

    if (queued_before == 0)
        connection->output_ms = connection->host->now_ms;
    if (connection->output.size >= OI_HTTP_QUEUE_LOW)
        websocket->was_above_low = true;
    if (connection->output.size > QUEUE_SIZE_MAX)
        connection->phase = OI_HTTP_PHASE_DONE;
    oi_http_connection_notify(connection);
}

struct oi_shared *
oi_websocket_frame_new(struct oi_slice text)
{
    char header[OI_WEBSOCKET_HEADER_SIZE_MAX];
    struct oi_buffer frame = {};

    oi_buffer_add(&frame, header, oi_websocket_header(text.size, true, header));
    oi_buffer_add_slice(&frame, text);
    return oi_shared_take(&frame);
}

void
oi_websocket_send(struct oi_websocket *websocket, struct oi_slice text)
{
    struct oi_shared *frame = oi_websocket_frame_new(text);

    oi_websocket_send_frame(websocket, frame);
    oi_shared_unref(&frame);
}

void
oi_websocket_send_frame(struct oi_websocket *websocket, struct oi_shared *frame)
{
    size_t queued = websocket->connection->output.size;

    if (!is_open(websocket))
        return;
    oi_output_share(&websocket->connection->output, frame, oi_shared_bytes(frame));
    note_output(websocket, queued);
}

size_t
oi_websocket_queued(const struct oi_websocket *websocket)
{
    return websocket->connection->output.size;
}

void
oi_websocket_close(struct oi_websocket *websocket, uint16_t code, const char *reason)
{
    struct oi_http_connection *connection = websocket->connection;
    size_t queued = connection->output.size;
    struct oi_buffer out = {};

    if (!is_open(websocket))
        return;
    websocket->is_closing = true;
    connection->linger_ms = connection->host->now_ms;
    oi_websocket_engine_close(websocket->engine, code, reason, &out);
    oi_output_add(&connection->output, oi_buffer_slice(&out));
    oi_buffer_release(&out);
    note_output(websocket, queued);
}
