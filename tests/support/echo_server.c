/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest server over net/http_server.h, so that its conduct can be tested from outside:
 * "echo_server [name=value …]" with the names of the options, prints "listening PORT" and serves
 * until SIGTERM. What it serves is in `routes` below.
 */
#include "base/log.h"
#include "net/http_server.h"

#include <stdio.h>
#include <stdlib.h>

#define LARGE_SIZE ((size_t) 8 << 20)
#define PIECE_SIZE ((size_t) 64 << 10)
#define SOCKETS_MAX 1024

struct world {
    struct oi_loop *loop;
    struct oi_http_server *server;
    struct oi_timer *pusher;
    OI_VECTOR(struct socket *) sockets;
    unsigned streams; /* replies whose finish has not been called */
};

struct socket {
    struct world *world;
    struct oi_websocket *websocket;
};

struct stream {
    struct world *world;
    size_t left;
    bool is_failing;
};

static void
fill(struct oi_buffer *out, size_t size)
{
    static const char line[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";

    for (size_t at = 0; at < size; at += 64)
        oi_buffer_add(out, line, size - at < 64 ? size - at : 64);
}

static enum oi_status
more(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *error)
{
    struct stream *stream = context;
    size_t size = stream->left < PIECE_SIZE ? stream->left : PIECE_SIZE;

    if (stream->is_failing && stream->left < LARGE_SIZE / 2)
        return oi_fail(error, OI_E_CORRUPT, "on purpose");
    fill(out, size);
    stream->left -= size;
    *ret_is_last = stream->left == 0;
    return OI_OK;
}

static void
finish(void *context)
{
    struct stream *stream = context;

    stream->world->streams--;
    oi_free(stream);
}

static void
serve_stream(struct world *world, size_t size, bool is_failing, struct oi_http_reply *reply)
{
    struct stream *stream = oi_alloc_zero(1, sizeof(*stream));

    stream->world = world;
    stream->left = size;
    stream->is_failing = is_failing;
    world->streams++;
    reply->more = more;
    reply->finish = finish;
    reply->context = stream;
}

static void
serve_stats(struct world *world, struct oi_http_reply *reply)
{
    struct oi_http_server_stats stats;

    oi_http_server_stats(world->server, &stats);
    oi_http_reply_type(reply, "application/json");
    oi_buffer_add_format(&reply->body,
                         "{\"connections\":%llu,\"requests\":%llu,\"refused\":%llu,"
                         "\"websockets\":%llu,\"streams\":%u,\"sockets\":%zu}",
                         (unsigned long long) stats.connections,
                         (unsigned long long) stats.requests, (unsigned long long) stats.refused,
                         (unsigned long long) stats.websockets, world->streams,
                         world->sockets.count);
}

static void
serve_echo(const struct oi_http_request *request, struct oi_http_reply *reply)
{
    oi_http_reply_header_text(reply, "Content-Type", "application/octet-stream");
    oi_http_reply_header(reply, "X-Path", request->path);
    for (size_t i = 0; i < request->query.count; i++)
        oi_http_reply_header(reply, "X-Parameter", request->query.items[i].value);
    oi_http_reply_header(reply, "X-Origin", request->origin);
    oi_buffer_add_slice(&reply->body, request->body);
}

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct world *world = context;
    bool is_get = request->method == OI_HTTP_GET || request->method == OI_HTTP_HEAD;

    if (oi_slice_starts_with(request->path, "/echo")) {
        serve_echo(request, reply);
    } else if (!is_get) {
        reply->status = 405;
        oi_http_reply_header_text(reply, "Allow", "GET, HEAD");
    } else if (oi_slice_is(request->path, "/")) {
        oi_http_reply_type(reply, "text/plain");
        oi_buffer_add_text(&reply->body, "hello\n");
    } else if (oi_slice_is(request->path, "/20k")) {
        oi_http_reply_type(reply, "text/plain");
        fill(&reply->body, 20'000);
    } else if (oi_slice_is(request->path, "/500k")) {
        oi_http_reply_type(reply, "text/plain");
        fill(&reply->body, 500'000);
    } else if (oi_slice_is(request->path, "/large")) {
        oi_http_reply_header_text(reply, "Content-Type", "application/octet-stream");
        serve_stream(world, LARGE_SIZE, false, reply);
    } else if (oi_slice_is(request->path, "/large.txt")) {
        oi_http_reply_type(reply, "text/plain");
        serve_stream(world, LARGE_SIZE, false, reply);
    } else if (oi_slice_is(request->path, "/broken")) {
        serve_stream(world, LARGE_SIZE, true, reply);
    } else if (oi_slice_is(request->path, "/unmade")) {
        serve_stream(world, PIECE_SIZE, true, reply);
    } else if (oi_slice_is(request->path, "/empty")) {
        reply->status = 204;
    } else if (oi_slice_is(request->path, "/stats")) {
        serve_stats(world, reply);
    } else {
        reply->status = 404;
    }
}

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct socket *socket = context;

    (void) is_text;
    if (oi_slice_is(message, "close"))
        oi_websocket_close(socket->websocket, 4000, "as asked");
    else
        oi_websocket_send(socket->websocket, message);
}

static void
on_closed(void *context)
{
    struct socket *socket = context;
    struct world *world = socket->world;

    for (size_t i = 0; i < world->sockets.count; i++) {
        if (world->sockets.items[i] == socket) {
            world->sockets.items[i] = world->sockets.items[--world->sockets.count];
            break;
        }
    }
    oi_free(socket);
}

/* "/ws" echoes; "/push" also gets every broadcast; whoever does not read is told off and ended. */
static bool
upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
        struct oi_http_reply *reply)
{
    struct world *world = context;
    struct socket *socket;
    struct oi_websocket_handler handler = { .message = on_message, .closed = on_closed };

    if (!oi_slice_is(request->path, "/ws") && !oi_slice_is(request->path, "/push")) {
        reply->status = 403;
        return false;
    }
    socket = oi_alloc_zero(1, sizeof(*socket));
    socket->world = world;
    socket->websocket = websocket;
    handler.context = socket;
    oi_websocket_attach(websocket, &handler);
    if (oi_slice_is(request->path, "/push")) {
        oi_websocket_send(websocket, OI_SLICE("welcome"));
        oi_vector_push(&world->sockets, socket);
    }
    return true;
}

static void
push(void *context)
{
    struct world *world = context;
    struct oi_buffer text = {};
    struct oi_shared *frame;

    fill(&text, PIECE_SIZE);
    frame = oi_websocket_frame_new(oi_buffer_slice(&text));
    for (size_t i = 0; i < world->sockets.count; i++) {
        struct oi_websocket *websocket = world->sockets.items[i]->websocket;

        if (oi_websocket_queued(websocket) > (size_t) 2 << 20)
            oi_websocket_close(websocket, 1008, "too slow");
        else
            oi_websocket_send_frame(websocket, frame);
    }
    oi_shared_unref(&frame);
    oi_buffer_release(&text);
}

static void
refuse(void *context, int status, const char *reason, struct oi_slice target,
       struct oi_http_reply *reply)
{
    (void) context;
    if (!oi_slice_starts_with(target, "/json"))
        return;
    oi_http_reply_type(reply, "application/json");
    oi_buffer_add_format(&reply->body, "{\"status\":%d,\"reason\":\"%s\"}", status, reason);
}

static void
on_stopped(void *context)
{
    struct world *world = context;

    oi_loop_stop(world->loop);
}

static void
on_signal(void *context, int number)
{
    struct world *world = context;

    (void) number;
    oi_http_server_stop(world->server, on_stopped, world);
}

static void
read_option(struct oi_http_server_options *options, const char *argument)
{
    struct oi_slice rest = oi_slice_of(argument), name;
    unsigned long long value;

    (void) oi_slice_next_part(&rest, '=', &name);
    value = rest.data ? strtoull(rest.data, NULL, 10) : 0;
    if (oi_slice_is(name, "connections"))
        options->connections_max = (unsigned) value;
    else if (oi_slice_is(name, "head"))
        options->head_deadline_ms = value;
    else if (oi_slice_is(name, "body"))
        options->body_deadline_ms = value;
    else if (oi_slice_is(name, "idle"))
        options->idle_deadline_ms = value;
    else if (oi_slice_is(name, "write"))
        options->write_deadline_ms = value;
    else if (oi_slice_is(name, "grace"))
        options->grace_ms = value;
    else if (oi_slice_is(name, "certificate"))
        options->certificate = rest.data;
    else if (oi_slice_is(name, "key"))
        options->private_key = rest.data;
}

int
main(int count, char **arguments)
{
    struct world world = {};
    struct oi_http_server_options options = {};
    struct oi_http_handler handler = {
        .handle = handle, .upgrade = upgrade, .refuse = refuse, .context = &world
    };
    struct oi_error error = {};

    for (int i = 1; i < count; i++)
        read_option(&options, arguments[i]);
    if (oi_loop_new(&world.loop, &error) != OI_OK ||
        oi_http_server_open(world.loop, &options, &handler, &world.server, &error) != OI_OK) {
        (void) fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    world.pusher = oi_timer_new(world.loop, push, &world);
    oi_timer_start(world.pusher, 5, 5);
    oi_loop_on_signal(world.loop, on_signal, &world);
    (void) printf("listening %u\n", oi_http_server_port(world.server));
    (void) fflush(stdout);
    oi_loop_run(world.loop);
    oi_timer_free(&world.pusher);
    oi_http_server_close(&world.server);
    oi_loop_free(&world.loop);
    oi_vector_release(&world.sockets);
    (void) printf("streams left %u\n", world.streams);
    return world.streams == 0 ? 0 : 1;
}
