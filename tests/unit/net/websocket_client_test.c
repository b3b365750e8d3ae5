/* SPDX-License-Identifier: Apache-2.0 */
/* The client against our own server, plain and over TLS: messages, ends, refusals, time. */
/* http_wire.c is below it and has no test of its own. */
#include "net/websocket_client.h"

#include "net/http_server.h"

#include "support/test_folder.h"
#include "unit/net/certificate.h"

struct world {
    struct oi_loop *loop;
    struct oi_http_server *server;
    struct oi_http_client *client;
    struct oi_websocket_client *socket;
    struct oi_websocket *other; /* the server's end */
    struct oi_random random;
    struct oi_timer *guard;
    char url[96];
    struct oi_buffer heard; /* what the client heard, each message behind a | */
    struct oi_buffer host;
    bool is_open, is_ended;
    enum oi_status status;
    int http_status;
    unsigned closes; /* at the server */
};

static void
on_server_message(void *context, struct oi_slice message, bool)
{
    struct world *world = context;
    struct oi_buffer answer = {};

    if (oi_slice_is(message, "close")) {
        oi_websocket_close(world->other, 4001, "enough");
        return;
    }
    oi_buffer_add_text(&answer, "echo ");
    oi_buffer_add_slice(&answer, message);
    oi_websocket_send(world->other, oi_buffer_slice(&answer));
    oi_buffer_release(&answer);
}

static void
on_server_closed(void *context)
{
    struct world *world = context;

    world->closes++;
    if (world->is_ended || !world->socket)
        oi_loop_stop(world->loop);
}

static bool
upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
        struct oi_http_reply *reply)
{
    struct world *world = context;
    const struct oi_websocket_handler handler = { .message = on_server_message,
                                                  .closed = on_server_closed,
                                                  .context = world };

    oi_buffer_clear(&world->host);
    oi_buffer_add_slice(&world->host, *oi_http_header(request, "host"));
    if (oi_slice_is(request->path, "/busy")) {
        reply->status = 429;
        return false;
    }
    if (oi_slice_is(request->path, "/mute")) {
        reply->is_withheld = true;
        return false;
    }
    world->other = websocket;
    oi_websocket_attach(websocket, &handler);
    return true;
}

static void
handle(void *, const struct oi_http_request *, struct oi_http_reply *reply)
{
    reply->status = 404;
}

static void
on_guard(void *context)
{
    struct world *world = context;

    world->status = OI_E_CANCELLED;
    oi_loop_stop(world->loop);
}

static void
on_opened(void *context)
{
    struct world *world = context;

    world->is_open = true;
    oi_websocket_client_send(world->socket, OI_SLICE("hello"));
}

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct world *world = context;

    assert_true(is_text);
    oi_buffer_add_slice(&world->heard, message);
    oi_buffer_add_char(&world->heard, '|');
    oi_loop_stop(world->loop);
}

static void
on_closed(void *context, const struct oi_websocket_end *end)
{
    struct world *world = context;

    world->socket = NULL;
    world->is_ended = true;
    world->status = end->status;
    world->http_status = end->http_status;
    assert_true(end->error->message[0] != '\0');
    oi_loop_stop(world->loop);
}

static const struct oi_websocket_client_handler handler = { on_opened, on_message, on_closed,
                                                            NULL };

static void
open_world(struct world *world, struct oi_http_server_options *options,
           const struct oi_http_client_options *client)
{
    struct oi_http_handler server = { .handle = handle, .upgrade = upgrade, .context = world };

    *world = (struct world){};
    oi_random_init(&world->random, 7);
    options->address = "127.0.0.1";
    assert_ok(oi_loop_new(&world->loop, NULL));
    assert_ok(oi_http_server_open(world->loop, options, &server, &world->server, NULL));
    assert_ok(oi_http_client_new(world->loop, client, &world->client, NULL));
    world->guard = oi_timer_new(world->loop, on_guard, world);
    oi_timer_start(world->guard, 5'000, 0);
}

static void
close_world(struct world *world)
{
    oi_websocket_client_close(&world->socket);
    oi_http_client_free(&world->client);
    oi_http_server_close(&world->server);
    oi_timer_free(&world->guard);
    oi_loop_free(&world->loop);
    oi_buffer_release(&world->heard);
    oi_buffer_release(&world->host);
}

static void
dial(struct world *world, const char *scheme, const char *path, uint64_t timeout_ms,
     size_t message_size_max)
{
    struct oi_websocket_client_options options = { .url = world->url,
                                                   .random = &world->random,
                                                   .timeout_ms = timeout_ms,
                                                   .message_size_max = message_size_max };
    struct oi_websocket_client_handler mine = handler;

    mine.context = world;
    (void) snprintf(world->url, sizeof(world->url), "%s://127.0.0.1:%u%s", scheme,
                    oi_http_server_port(world->server), path);
    assert_ok(oi_websocket_client_open(world->client, &options, &mine, &world->socket, NULL));
    oi_loop_run(world->loop);
}

static void
assert_heard(struct world *world, const char *text)
{
    oi_buffer_add_char(&world->heard, '\0');
    assert_string_equal(world->heard.data, text);
    oi_buffer_clear(&world->heard);
}

static void
messages_go_both_ways_and_the_end_is_told(void **)
{
    struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, &(struct oi_http_client_options){});
    dial(&world, "ws", "/", 0, 0);
    assert_heard(&world, "echo hello|");
    oi_websocket_client_ping(world.socket);
    oi_websocket_client_send(world.socket, OI_SLICE("close"));
    oi_loop_run(world.loop);
    assert_true(world.is_ended);
    assert_status(world.status, OI_E_BUSY);
    close_world(&world);
}

static void
a_large_message_comes_whole_and_one_too_large_ends_it(void **)
{
    struct oi_http_server_options options = { .body_size_max = 4 << 20 };
    struct oi_buffer large = {};
    struct world world;

    for (size_t i = 0; i < 300'000; i++)
        oi_buffer_add_char(&large, (char) ('a' + i % 26));
    open_world(&world, &options, &(struct oi_http_client_options){});
    dial(&world, "ws", "/", 0, 400'000);
    oi_buffer_clear(&world.heard);
    oi_websocket_send(world.other, oi_buffer_slice(&large));
    oi_loop_run(world.loop);
    assert_int_equal(world.heard.size, large.size + 1);
    assert_memory_equal(world.heard.data, large.data, large.size);
    while (large.size < 500'000)
        oi_buffer_add_char(&large, 'x');
    oi_websocket_send(world.other, oi_buffer_slice(&large));
    oi_loop_run(world.loop);
    assert_true(world.is_ended);
    oi_buffer_release(&large);
    close_world(&world);
}

static void
its_owner_closes_it_politely_and_hears_nothing(void **)
{
    struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, &(struct oi_http_client_options){});
    dial(&world, "ws", "/", 0, 0);
    oi_websocket_client_close(&world.socket);
    oi_loop_run(world.loop);
    assert_int_equal(world.closes, 1);
    assert_false(world.is_ended);
    close_world(&world);
}

static void
a_refusal_is_told_with_its_status(void **)
{
    struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, &(struct oi_http_client_options){});
    dial(&world, "ws", "/busy", 0, 0);
    assert_status(world.status, OI_E_BUSY);
    assert_int_equal(world.http_status, 429);
    assert_false(world.is_open);
    close_world(&world);
}

static void
a_server_that_says_nothing_is_not_waited_for(void **)
{
    struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, &(struct oi_http_client_options){});
    dial(&world, "ws", "/mute", 50, 0);
    assert_true(world.is_ended);
    assert_status(world.status, OI_E_BUSY);
    assert_int_equal(world.http_status, 0);
    close_world(&world);
}

static void
nobody_there_is_busy(void **)
{
    struct oi_http_server_options options = {};
    struct world world;
    struct oi_websocket_client_handler mine = handler;
    struct oi_websocket_client_options dialled = { .url = "ws://127.0.0.1:1/" };

    open_world(&world, &options, &(struct oi_http_client_options){});
    mine.context = &world;
    dialled.random = &world.random;
    assert_ok(oi_websocket_client_open(world.client, &dialled, &mine, &world.socket, NULL));
    oi_loop_run(world.loop);
    assert_true(world.is_ended);
    assert_status(world.status, OI_E_BUSY);
    dialled.url = "http://127.0.0.1/";
    assert_status(oi_websocket_client_open(world.client, &dialled, &mine, &world.socket, NULL),
                  OI_E_INVALID);
    close_world(&world);
}

static void
over_tls_it_goes_to_whom_it_trusts_alone(void **state)
{
    struct oi_http_server_options options = {};
    struct oi_http_client_options client = {};
    struct certificate certificate;
    struct world world;

    certificate_make(*state, &certificate);
    options.certificate = certificate.chain;
    options.private_key = certificate.key;
    open_world(&world, &options, &client);
    dial(&world, "wss", "/", 0, 0);
    assert_true(world.is_ended);
    assert_status(world.status, OI_E_DENIED);
    close_world(&world);
    client.authority = certificate.chain;
    open_world(&world, &options, &client);
    dial(&world, "wss", "/", 0, 0);
    assert_heard(&world, "echo hello|");
    close_world(&world);
}

static void
redirected_it_keeps_the_host_that_was_meant(void **)
{
    struct oi_http_server_options options = {};
    struct oi_http_client_options client = {};
    struct oi_websocket_client_handler mine = handler;
    struct oi_websocket_client_options dialled = { .url = "wss://ws.example.com/v5" };
    char origin[64];
    struct world world;

    open_world(&world, &options, &client);
    oi_http_client_free(&world.client);
    (void) snprintf(origin, sizeof(origin), "http://127.0.0.1:%u",
                    oi_http_server_port(world.server));
    client.redirect_to = origin;
    assert_ok(oi_http_client_new(world.loop, &client, &world.client, NULL));
    mine.context = &world;
    dialled.random = &world.random;
    assert_ok(oi_websocket_client_open(world.client, &dialled, &mine, &world.socket, NULL));
    oi_loop_run(world.loop);
    assert_heard(&world, "echo hello|");
    assert_true(oi_slice_is(oi_buffer_slice(&world.host), "ws.example.com"));
    close_world(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_both_ways_and_the_end_is_told),
        cmocka_unit_test(a_large_message_comes_whole_and_one_too_large_ends_it),
        cmocka_unit_test(its_owner_closes_it_politely_and_hears_nothing),
        cmocka_unit_test(a_refusal_is_told_with_its_status),
        cmocka_unit_test(a_server_that_says_nothing_is_not_waited_for),
        cmocka_unit_test(nobody_there_is_busy),
        cmocka_unit_test_setup_teardown(over_tls_it_goes_to_whom_it_trusts_alone, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test(redirected_it_keeps_the_host_that_was_meant),
    };
    return cmocka_run_group_tests_name("net/websocket_client", tests, NULL, NULL);
}
