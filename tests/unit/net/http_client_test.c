/* SPDX-License-Identifier: Apache-2.0 */
/* The client against our own server: limits, ends, and where requests go. */
#include "net/http_client.h"

#include "net/http_server.h"

#include "support/test_folder.h"
#include "unit/net/certificate.h"

struct world {
    struct oi_loop *loop;
    struct oi_http_server *server;
    struct oi_http_client *client;
    char url[96];
    unsigned waiting;
    enum oi_status status;
    int http_status;
    struct oi_buffer body;
    struct oi_buffer host; /* as the server saw it */
    struct oi_buffer encoding;
};

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct world *world = context;
    const struct oi_slice *encoding = oi_http_header(request, "accept-encoding");

    oi_buffer_clear(&world->host);
    oi_buffer_add_slice(&world->host, *oi_http_header(request, "host"));
    oi_buffer_clear(&world->encoding);
    if (encoding)
        oi_buffer_add_slice(&world->encoding, *encoding);
    oi_http_reply_type(reply, "text/plain");
    if (oi_slice_is(request->path, "/redirect")) {
        reply->status = 302;
        oi_http_reply_header_text(reply, "Location", "/elsewhere");
    } else if (oi_slice_is(request->path, "/large")) {
        for (int i = 0; i < 100'000; i++)
            oi_buffer_add_char(&reply->body, 'x');
    } else if (oi_slice_is(request->path, "/nonsense")) {
        oi_http_reply_header_text(reply, "Content-Encoding", "gzip");
        oi_buffer_add_text(&reply->body, "this is not gzip");
    } else {
        oi_buffer_add_text(&reply->body, oi_http_method_name(request->method));
        oi_buffer_add_char(&reply->body, ' ');
        oi_buffer_add_slice(&reply->body, request->raw_target);
        oi_buffer_add_char(&reply->body, ' ');
        oi_buffer_add_slice(&reply->body, request->body);
    }
}

static void
open_world(struct world *world, const struct oi_http_server_options *options,
           const char *redirect_to)
{
    struct oi_http_handler handler = { .handle = handle, .context = world };
    struct oi_http_client_options client_options = {};

    *world = (struct world){};
    assert_ok(oi_loop_new(&world->loop, NULL));
    assert_ok(oi_http_server_open(world->loop, options, &handler, &world->server, NULL));
    (void) snprintf(world->url, sizeof(world->url), "http%s://127.0.0.1:%u",
                    options->certificate ? "s" : "", oi_http_server_port(world->server));
    if (redirect_to)
        client_options.redirect_to = world->url;
    assert_ok(oi_http_client_new(world->loop, &client_options, &world->client, NULL));
}

static void
close_world(struct world *world)
{
    oi_http_client_free(&world->client);
    oi_http_server_close(&world->server);
    oi_loop_free(&world->loop);
    oi_buffer_release(&world->body);
    oi_buffer_release(&world->host);
    oi_buffer_release(&world->encoding);
}

static void
on_done(void *context, enum oi_status status, const struct oi_http_response *response,
        const struct oi_error *error)
{
    struct world *world = context;

    assert_true(status == OI_OK || (response->status == 0 && error->message[0] != '\0'));
    world->status = status;
    world->http_status = response->status;
    oi_buffer_clear(&world->body);
    oi_buffer_add_slice(&world->body, response->body);
    if (--world->waiting == 0)
        oi_loop_stop(world->loop);
}

static void
send(struct world *world, struct oi_http_request *request, const struct oi_http_limits *limits)
{
    world->waiting++;
    oi_http_client_send(world->client, request, limits, on_done, world);
    oi_http_request_release(request);
}

static void
get(struct world *world, const char *path, const struct oi_http_limits *limits)
{
    struct oi_http_request request = {};
    char url[256];

    (void) snprintf(url, sizeof(url), "%s%s", world->url, path);
    assert_ok(oi_http_get(&request, url, NULL));
    send(world, &request, limits);
    oi_loop_run(world->loop);
}

static void
gets_and_posts(void **)
{
    const struct oi_http_server_options options = {};
    struct oi_http_request request = {};
    struct world world;

    open_world(&world, &options, NULL);
    get(&world, "/a%20b?x=1&y=%26", NULL);
    assert_ok(world.status);
    assert_true(oi_slice_is(oi_buffer_slice(&world.body), "GET /a%20b?x=1&y=%26 "));
    assert_ok(oi_http_post(&request, world.url, "application/json", OI_SLICE("{}"), NULL));
    send(&world, &request, NULL);
    oi_loop_run(world.loop);
    assert_true(oi_slice_is(oi_buffer_slice(&world.body), "POST / {}"));
    close_world(&world);
}

static void
unpacks_what_was_compressed(void **)
{
    const struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, NULL);
    get(&world, "/large", NULL);
    assert_ok(world.status);
    assert_int_equal(world.body.size, 100'000);
    assert_true(oi_slice_is(oi_buffer_slice(&world.encoding), "gzip, deflate"));
    get(&world, "/nonsense", NULL);
    assert_status(world.status, OI_E_UPSTREAM);
    close_world(&world);
}

static void
stops_at_the_size_limit_of_the_unpacked_body(void **)
{
    const struct oi_http_server_options options = {};
    struct oi_http_limits limits = { .size_max = 99'999 };
    struct world world;

    open_world(&world, &options, NULL);
    get(&world, "/large", &limits);
    assert_status(world.status, OI_E_UPSTREAM);
    limits.size_max = 100'000;
    get(&world, "/large", &limits);
    assert_ok(world.status);
    close_world(&world);
}

static void
follows_no_redirect(void **)
{
    const struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, NULL);
    get(&world, "/redirect", NULL);
    assert_ok(world.status);
    assert_int_equal(world.http_status, 302);
    close_world(&world);
}

static void
sends_everything_to_the_origin_that_stands_in(void **)
{
    const struct oi_http_server_options options = {};
    struct oi_http_request request = {};
    struct world world;

    open_world(&world, &options, "yes");
    assert_ok(oi_http_get(&request, "https://fapi.example.com/fapi/v1/x?a=1", NULL));
    send(&world, &request, NULL);
    oi_loop_run(world.loop);
    assert_ok(world.status);
    assert_true(oi_slice_is(oi_buffer_slice(&world.host), "fapi.example.com"));
    assert_true(oi_slice_is(oi_buffer_slice(&world.body), "GET /fapi/v1/x?a=1 "));
    close_world(&world);
}

static void
says_busy_when_nobody_answers(void **)
{
    const struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, NULL);
    oi_http_server_close(&world.server); /* the port is free again */
    get(&world, "/", NULL);
    assert_status(world.status, OI_E_BUSY);
    close_world(&world);
}

static void
says_denied_for_a_certificate_that_nobody_vouches_for(void **state)
{
    struct oi_http_server_options options = {};
    struct certificate certificate;
    struct world world;

    certificate_make(*state, &certificate);
    options.certificate = certificate.chain;
    options.private_key = certificate.key;
    open_world(&world, &options, NULL);
    get(&world, "/", NULL);
    assert_status(world.status, OI_E_DENIED);
    close_world(&world);
}

static void
has_many_under_way_at_once(void **)
{
    const struct oi_http_server_options options = {};
    struct world world;

    open_world(&world, &options, NULL);
    for (int i = 0; i < 100; i++) {
        struct oi_http_request request = {};

        assert_ok(oi_http_get(&request, world.url, NULL));
        send(&world, &request, NULL);
    }
    oi_loop_run(world.loop);
    assert_int_equal(world.waiting, 0);
    assert_ok(world.status);
    close_world(&world);
}

static void
cancels_what_is_under_way_when_it_is_freed(void **)
{
    const struct oi_http_server_options options = {};
    struct oi_http_request request = {};
    struct world world;

    open_world(&world, &options, NULL);
    assert_ok(oi_http_get(&request, world.url, NULL));
    send(&world, &request, NULL);
    oi_http_client_free(&world.client);
    assert_int_equal(world.waiting, 0);
    assert_status(world.status, OI_E_CANCELLED);
    close_world(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_and_posts),
        cmocka_unit_test(unpacks_what_was_compressed),
        cmocka_unit_test(stops_at_the_size_limit_of_the_unpacked_body),
        cmocka_unit_test(follows_no_redirect),
        cmocka_unit_test(sends_everything_to_the_origin_that_stands_in),
        cmocka_unit_test(says_busy_when_nobody_answers),
        cmocka_unit_test_setup_teardown(says_denied_for_a_certificate_that_nobody_vouches_for,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test(has_many_under_way_at_once),
        cmocka_unit_test(cancels_what_is_under_way_when_it_is_freed),
    };
    return cmocka_run_group_tests_name("net/http_client", tests, NULL, NULL);
}
