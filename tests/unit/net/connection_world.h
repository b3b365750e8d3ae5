/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for one connection without sockets: a handler that a test scripts, a clock that it moves,
 * and everything that was "sent" as text.
 */
#pragma once

#include "base/buffer.h"
#include "net/http_connection.h"

#include "support/test.h"

struct world {
    struct oi_http_server_options options;
    struct oi_http_handler handler;
    struct oi_http_host host;
    struct oi_http_connection *connection;
    struct oi_buffer sent;
    struct oi_buffer compressing;
    struct oi_buffer events;
    struct oi_http_reply *reply; /* to "/events" */
    struct oi_websocket *websocket;
    struct oi_buffer heard; /* messages, with a blank after each */
    size_t body_size;       /* of what "/body" answers */
    size_t pieces;          /* of what "/stream" answers, 32 KiB each */
    size_t pieces_made;
    size_t empty_pieces; /* before the first one with anything in it */
    unsigned woken, finished, closed, drained, handled;
    bool is_failing;
};

#define WORLD_PIECE_SIZE 32'768

static void
world_fill(struct oi_buffer *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        oi_buffer_add_char(out, (char) ('a' + i % 7));
}

static enum oi_status
world_more(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *error)
{
    struct world *world = context;

    if (world->is_failing)
        return oi_fail(error, OI_E_IO, "on purpose");
    if (world->empty_pieces > 0) {
        world->empty_pieces--;
        return OI_OK;
    }
    world_fill(out, WORLD_PIECE_SIZE);
    world->pieces_made++;
    *ret_is_last = world->pieces_made == world->pieces;
    return OI_OK;
}

/* What "/events" answers: what a test says, when it does. */
static enum oi_status
world_more_events(void *context, struct oi_buffer *out, bool *, struct oi_error *)
{
    struct world *world = context;

    oi_buffer_add_slice(out, oi_buffer_slice(&world->events));
    oi_buffer_clear(&world->events);
    world->reply->is_waiting = out->size == 0;
    return OI_OK;
}

static void
world_finish(void *context)
{
    struct world *world = context;

    world->finished++;
}

static void
world_handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct world *world = context;

    world->handled++;
    oi_http_reply_type(reply, "text/plain");
    if (oi_slice_is(request->path, "/body")) {
        world_fill(&reply->body, world->body_size);
    } else if (oi_slice_starts_with(request->path, "/stream")) {
        if (oi_slice_is(request->path, "/stream/begun"))
            oi_buffer_add_text(&reply->body, "begun ");
        reply->more = world_more;
        reply->finish = world_finish;
        reply->context = world;
    } else if (oi_slice_is(request->path, "/events")) {
        world->reply = reply;
        reply->more = world_more_events;
        reply->finish = world_finish;
        reply->context = world;
    } else if (oi_slice_is(request->path, "/withheld")) {
        reply->is_withheld = true;
    } else if (oi_slice_is(request->path, "/empty")) {
        reply->status = 204;
    } else {
        oi_buffer_add_slice(&reply->body, request->path);
        oi_buffer_add_slice(&reply->body, request->body);
    }
}

static void
world_message(void *context, struct oi_slice message, bool is_text)
{
    struct world *world = context;

    (void) is_text;
    oi_buffer_add_slice(&world->heard, message);
    oi_buffer_add_char(&world->heard, ' ');
}

static void
world_drained(void *context)
{
    struct world *world = context;

    world->drained++;
}

static void
world_closed(void *context)
{
    struct world *world = context;

    world->closed++;
    world->websocket = NULL;
}

static bool
world_upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
              struct oi_http_reply *reply)
{
    struct world *world = context;
    const struct oi_websocket_handler handler = {
        .message = world_message,
        .drained = world_drained,
        .closed = world_closed,
        .context = world,
    };

    if (!oi_slice_is(request->path, "/ws")) {
        reply->status = 403;
        return false;
    }
    world->websocket = websocket;
    oi_websocket_attach(websocket, &handler);
    oi_websocket_send(websocket, OI_SLICE("welcome"));
    return true;
}

static void
world_wake(void *owner)
{
    struct world *world = owner;

    world->woken++;
}

static void
world_compress(void *owner, struct oi_buffer *body)
{
    struct world *world = owner;

    world->compressing = *body;
    *body = (struct oi_buffer){};
}

static const char *
world_date(struct oi_http_host *host)
{
    (void) host;
    return "Sun, 06 Nov 1994 08:49:37 GMT";
}

static void
world_open(struct world *world)
{
    *world = (struct world){ .pieces = 100 };
    oi_http_server_options_fill(&world->options);
    world->handler = (struct oi_http_handler){ .handle = world_handle,
                                               .upgrade = world_upgrade,
                                               .context = world };
    world->host = (struct oi_http_host){ .options = &world->options,
                                         .handler = &world->handler,
                                         .now_ms = 1'000'000,
                                         .scheme = "http",
                                         .wake = world_wake,
                                         .compress = world_compress,
                                         .date = world_date };
    world->connection = oi_http_connection_new(&world->host, world, "127.0.0.1");
}

static void
world_close(struct world *world)
{
    oi_http_connection_free(&world->connection);
    oi_buffer_release(&world->sent);
    oi_buffer_release(&world->compressing);
    oi_buffer_release(&world->heard);
    oi_buffer_release(&world->events);
}

/* The client takes up to so many bytes; returns how many there were to take. */
static size_t
world_take(struct world *world, size_t size_max)
{
    size_t taken = 0;

    while (taken < size_max) {
        struct oi_slice slice;
        size_t size;

        if (oi_output_show(oi_http_connection_output(world->connection), &slice, 1) == 0)
            break;
        size = slice.size < size_max - taken ? slice.size : size_max - taken;
        oi_buffer_add(&world->sent, slice.data, size);
        oi_http_connection_sent(world->connection, size);
        taken += size;
    }
    return taken;
}

static void
world_receive(struct world *world, const char *text)
{
    oi_http_connection_receive(world->connection, oi_slice_of(text));
}

/* Everything sent since the last call, as text. */
static const char *
world_sent(struct world *world)
{
    (void) world_take(world, SIZE_MAX);
    oi_buffer_add_char(&world->sent, '\0');
    oi_buffer_clear(&world->sent);
    return world->sent.data;
}

[[maybe_unused]] static void
world_pass(struct world *world, uint64_t ms)
{
    world->host.now_ms += ms;
    oi_http_connection_tick(world->connection);
}

/* How often `part` stands in what was sent. */
[[maybe_unused]] static size_t
world_count(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

#define WORLD_GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
