/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole connection from arbitrary bytes. The input is a script: each step's first byte says what
 * happens (bytes come, bytes are taken, time passes, a body is compressed, a push, the end), so
 * that the fuzzer explores orders that no client would send.
 */
#include "net/http_connection.h"

#include "base/compress.h"
#include "net/http_repeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct oi_http_connection *connection;
    struct oi_websocket *websocket;
    struct oi_buffer plain;
    bool is_compressing;
    int streams, repeated;
    size_t pieces_left;
};

static enum oi_status
more(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *error)
{
    struct world *world = context;

    if (world->pieces_left == 13)
        return oi_fail(error, OI_E_IO, "on purpose");
    world->pieces_left--;
    for (int i = 0; i < 4000; i++)
        oi_buffer_add_char(out, 'x');
    *ret_is_last = world->pieces_left == 0;
    return OI_OK;
}

static void
finish(void *context)
{
    struct world *world = context;

    world->streams--;
}

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct world *world = context;

    oi_assert(request->path.size > 0 && request->path.data[0] == '/');
    oi_http_reply_type(reply, "text/plain");
    if (oi_slice_starts_with(request->path, "/s")) {
        world->pieces_left = request->path.size;
        world->streams++;
        reply->more = more;
        reply->finish = finish;
        reply->context = world;
        return;
    }
    if (oi_slice_starts_with(request->path, "/l"))
        for (int i = 0; i < 70'000; i++)
            oi_buffer_add_char(&reply->body, 'y');
    oi_buffer_add_slice(&reply->body, request->body);
    if (oi_slice_starts_with(request->path, "/r")) {
        struct oi_shared *body = oi_shared_take(&reply->body);

        oi_http_reply_share(reply, body);
        oi_shared_unref(&body);
        reply->recipe = (struct oi_slice){ oi_arena_copy(&reply->arena, OI_SLICE("r")), 2 };
    }
}

/* What is kept was vouched for, and holds every other time. */
static bool
again(void *context, const void *recipe)
{
    struct world *world = context;

    oi_assert(strcmp(recipe, "r") == 0);
    return world->repeated++ % 2 == 0;
}

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct world *world = context;

    (void) is_text;
    if (message.size == 1)
        oi_websocket_close(world->websocket, 1000, "bye");
    else
        oi_websocket_send(world->websocket, message);
}

static void
on_closed(void *context)
{
    struct world *world = context;

    oi_assert(world->websocket != NULL);
    world->websocket = NULL;
}

static bool
upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
        struct oi_http_reply *reply)
{
    struct world *world = context;
    const struct oi_websocket_handler handler = { .message = on_message,
                                                  .closed = on_closed,
                                                  .context = world };

    (void) reply;
    if (request->path.size > 1)
        return false;
    world->websocket = websocket;
    oi_websocket_attach(websocket, &handler);
    oi_websocket_send(websocket, OI_SLICE("welcome"));
    return true;
}

static void
compress(void *owner, struct oi_buffer *body)
{
    struct world *world = owner;

    oi_assert(!world->is_compressing);
    world->is_compressing = true;
    world->plain = *body;
    *body = (struct oi_buffer){};
}

static void
wake(void *owner)
{
    (void) owner;
}

static const char *
date(struct oi_http_host *host)
{
    (void) host;
    return "Thu, 01 Jan 1970 00:00:00 GMT";
}

static void
take_output(struct oi_http_connection *connection, size_t size)
{
    struct oi_output *output = oi_http_connection_output(connection);
    struct oi_slice slices[8];
    size_t shown = 0, count = oi_output_show(output, slices, OI_COUNT(slices));

    for (size_t i = 0; i < count; i++)
        shown += slices[i].size;
    oi_assert(shown <= output->size && (shown > 0) == (output->size > 0));
    if (shown > 0)
        oi_http_connection_sent(connection, size < shown ? size : shown);
}

/* One step of the script; returns how many bytes of it were used. */
static size_t
act(struct world *world, struct oi_http_host *host, struct oi_slice script)
{
    unsigned char what = (unsigned char) script.data[0];
    size_t size = script.size > 1 ? (unsigned char) script.data[1] : 0;
    struct oi_buffer packed = {};

    switch (what & 7) {
    case 0:
        take_output(world->connection, size << 8);
        return 2;
    case 1:
        host->now_ms += size << 8;
        oi_http_connection_tick(world->connection);
        return 2;
    case 2:
        if (world->is_compressing) {
            world->is_compressing = false;
            oi_gzip(oi_buffer_slice(&world->plain), 1, &packed);
            oi_http_connection_compressed(world->connection, &world->plain, &packed);
        }
        return 1;
    case 3:
        if (world->websocket)
            oi_websocket_send(world->websocket, script);
        return 1;
    case 4:
        if (what == 4)
            oi_http_connection_end(world->connection);
        return 1;
    case 5:
        if (what == 5) {
            host->is_stopping = true;
            oi_http_connection_stop(world->connection);
        }
        return 1;
    default:
        size = (size_t) what << 2 | 3;
        if (size > script.size - 1)
            size = script.size - 1;
        if (oi_http_connection_wants_input(world->connection))
            oi_http_connection_receive(world->connection,
                                       (struct oi_slice){ script.data + 1, size });
        return size + 1;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {};
    struct oi_http_server_options options = { .head_size_max = 4096, .body_size_max = 4096 };
    const struct oi_http_handler handler = {
        .handle = handle, .upgrade = upgrade, .again = again, .context = &world
    };
    struct oi_http_host host = { .options = &options,
                                 .handler = &handler,
                                 .scheme = "http",
                                 .wake = wake,
                                 .compress = compress,
                                 .date = date,
                                 .repeats = oi_http_repeats_new() };
    struct oi_slice script = { (const char *) data, size };

    oi_http_server_options_fill(&options);
    world.connection = oi_http_connection_new(&host, &world, "127.0.0.1");
    while (script.size > 0 && !oi_http_connection_is_done(world.connection)) {
        size_t used = act(&world, &host, script);

        if (used > script.size)
            used = script.size;
        script.data += used;
        script.size -= used;
    }
    oi_http_connection_free(&world.connection);
    oi_http_repeats_free(&host.repeats);
    oi_assert(world.streams == 0 && !world.websocket);
    oi_buffer_release(&world.plain);
    return 0;
}
