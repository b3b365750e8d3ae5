/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake over a wire, then the engine: bytes between the two, and the order of the ends. */
#include "net/websocket_client.h"

#include "net/http_wire.h"
#include "net/websocket.h"
#include "net/websocket_handshake.h"

#define TIMEOUT_MS_DEFAULT 10'000
#define MESSAGE_SIZE_MAX_DEFAULT ((size_t) 16 << 20)
#define USER_AGENT "oi/" OI_VERSION

struct oi_websocket_client {
    struct oi_websocket_client_handler handler;
    struct oi_http_wire *wire;
    struct oi_websocket_engine *engine; /* NULL: not open yet */
    struct oi_websocket_place place;
    char *url;    /* what the place borrows from */
    char *bearer; /* or NULL */
    char key[OI_WEBSOCKET_KEY_SIZE];
    size_t message_size_max;
    struct oi_buffer head; /* what came of the handshake's answer */
    struct oi_buffer out;
    struct oi_timer *timer; /* of the handshake */
    bool is_busy;           /* in a callback: freed behind it */
    bool is_closed;
};

static void
free_socket(struct oi_websocket_client *socket)
{
    oi_http_wire_close(&socket->wire);
    oi_websocket_engine_free(&socket->engine);
    oi_timer_free(&socket->timer);
    oi_buffer_release(&socket->head);
    oi_buffer_release(&socket->out);
    oi_free(socket->url);
    oi_free(socket->bearer);
    oi_free(socket);
}

static void
end_socket(struct oi_websocket_client *socket, enum oi_status status, int http_status,
           const struct oi_error *error)
{
    const struct oi_websocket_end end = { status, http_status, error };

    if (socket->is_closed)
        return;
    socket->is_closed = true;
    socket->handler.closed(socket->handler.context, &end);
    if (!socket->is_busy)
        free_socket(socket);
}

/* Hand what the engine wrote to the wire. */
static void
flush(struct oi_websocket_client *socket)
{
    if (socket->out.size > 0 && socket->wire)
        oi_http_wire_send(socket->wire, oi_buffer_slice(&socket->out));
    oi_buffer_clear(&socket->out);
}

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct oi_websocket_client *socket = context;

    if (!socket->is_closed)
        socket->handler.message(socket->handler.context, message, is_text);
}

static void
take_frames(struct oi_websocket_client *socket, struct oi_slice bytes)
{
    struct oi_error error = {};

    oi_websocket_engine_receive(socket->engine, bytes, &socket->out);
    flush(socket);
    if (!socket->is_closed && oi_websocket_engine_is_done(socket->engine)) {
        (void) oi_fail(&error, OI_E_BUSY, "the WebSocket was closed");
        end_socket(socket, OI_E_BUSY, 0, &error);
    }
}

/* The handshake was answered: the engine takes over. */
static void
open_socket(struct oi_websocket_client *socket)
{
    const struct oi_websocket_engine_options options = {
        .is_client = true,
        .message_size_max = socket->message_size_max,
        .message = on_message,
        .context = socket,
    };

    oi_timer_stop(socket->timer);
    socket->engine = oi_websocket_engine_new(&options);
    socket->handler.opened(socket->handler.context);
}

static void
take_head(struct oi_websocket_client *socket, struct oi_slice bytes)
{
    struct oi_error error = {};
    struct oi_slice rest;
    int http_status;
    enum oi_status status;
    size_t size;

    oi_buffer_add_slice(&socket->head, bytes);
    status = oi_websocket_response(oi_buffer_slice(&socket->head), socket->key, &size, &http_status,
                                   &error);
    if (status != OI_OK) {
        end_socket(socket, status, http_status, &error);
        return;
    }
    if (size == 0)
        return;
    open_socket(socket);
    rest = oi_buffer_slice(&socket->head);
    rest.data += size;
    rest.size -= size;
    if (rest.size > 0 && !socket->is_closed)
        take_frames(socket, rest);
    oi_buffer_release(&socket->head);
}

static void
on_received(void *context, struct oi_slice bytes)
{
    struct oi_websocket_client *socket = context;

    socket->is_busy = true;
    if (socket->engine)
        take_frames(socket, bytes);
    else
        take_head(socket, bytes);
    socket->is_busy = false;
    if (socket->is_closed)
        free_socket(socket);
    else
        flush(socket);
}

static void
on_opened(void *context)
{
    struct oi_websocket_client *socket = context;

    oi_websocket_request(&socket->place, USER_AGENT, socket->key, socket->bearer, &socket->out);
    flush(socket);
}

static void
on_closed(void *context, enum oi_status status, const struct oi_error *error)
{
    struct oi_websocket_client *socket = context;

    socket->wire = NULL;
    end_socket(socket, status, 0, error);
}

static void
on_late(void *context)
{
    struct oi_websocket_client *socket = context;
    struct oi_error error = {};

    (void) oi_fail(&error, OI_E_BUSY, "the handshake was not answered in time");
    end_socket(socket, OI_E_BUSY, 0, &error);
}

enum oi_status
oi_websocket_client_open(struct oi_http_client *client,
                         const struct oi_websocket_client_options *options,
                         const struct oi_websocket_client_handler *handler,
                         struct oi_websocket_client **ret_socket, struct oi_error *error)
{
    uint64_t timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS_DEFAULT;
    struct oi_http_wire_handler wire = { on_opened, on_received, on_closed, NULL };
    struct oi_websocket_place place;
    struct oi_websocket_client *socket;
    uint8_t bytes[16];

    OI_TRY(oi_websocket_place(oi_slice_of(options->url), &place, error));
    socket = oi_alloc_zero(1, sizeof(*socket));
    socket->handler = *handler;
    socket->url = oi_copy_text(oi_slice_of(options->url));
    socket->bearer = options->bearer ? oi_copy_text(oi_slice_of(options->bearer)) : NULL;
    (void) oi_websocket_place(oi_slice_of(socket->url), &socket->place, NULL);
    socket->message_size_max =
        options->message_size_max ? options->message_size_max : MESSAGE_SIZE_MAX_DEFAULT;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t) oi_random_below(options->random, 256);
    oi_websocket_key(bytes, socket->key);
    wire.context = socket;
    socket->timer = oi_timer_new(oi_http_client_loop(client), on_late, socket);
    oi_timer_start(socket->timer, timeout_ms, 0);
    socket->wire = oi_http_wire_open(client, socket->place.origin, timeout_ms, &wire);
    *ret_socket = socket;
    return OI_OK;
}

void
oi_websocket_client_send(struct oi_websocket_client *socket, struct oi_slice text)
{
    oi_websocket_engine_send(socket->engine, text, true, &socket->out);
    if (!socket->is_busy)
        flush(socket);
}

void
oi_websocket_client_ping(struct oi_websocket_client *socket)
{
    oi_websocket_engine_ping(socket->engine, &socket->out);
    if (!socket->is_busy)
        flush(socket);
}

void
oi_websocket_client_close(struct oi_websocket_client **socket)
{
    struct oi_websocket_client *closing = *socket;

    if (!closing)
        return;
    *socket = NULL;
    closing->is_closed = true;
    if (closing->is_busy)
        return;
    if (closing->engine && !oi_websocket_engine_is_closing(closing->engine)) {
        oi_websocket_engine_close(closing->engine, 1000, "", &closing->out);
        flush(closing);
    }
    free_socket(closing);
}
