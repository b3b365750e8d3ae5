/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server promises whoever opens it: ports, dates, ends. How it behaves on the wire is
 * tested from outside, in tests/system/http_conformance.test.mjs.
 */
#include "net/http_server.h"

#include "net/http_client.h"

#include "support/test.h"

#include <stdio.h>

struct world {
    struct oi_loop *loop;
    struct oi_http_server *server;
    struct oi_http_client *client;
    char date[64];
    unsigned answered, stopped;
};

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    (void) context;
    oi_buffer_add_slice(&reply->body, request->peer);
}

static const struct oi_http_handler handler = { .handle = handle };

static void
open_world(struct world *world, const struct oi_http_server_options *options)
{
    struct oi_http_client_options client_options = {};

    *world = (struct world){};
    assert_ok(oi_loop_new(&world->loop, NULL));
    assert_ok(oi_http_server_open(world->loop, options, &handler, &world->server, NULL));
    assert_ok(oi_http_client_new(world->loop, &client_options, &world->client, NULL));
}

static void
close_world(struct world *world)
{
    oi_http_client_free(&world->client);
    oi_http_server_close(&world->server);
    oi_loop_free(&world->loop);
}

static void
on_answer(void *context, enum oi_status status, const struct oi_http_response *response,
          const struct oi_error *error)
{
    struct world *world = context;
    const struct oi_slice *date = oi_http_response_header(response, "date");

    (void) error;
    assert_ok(status);
    assert_true(oi_slice_is(response->body, "127.0.0.1"));
    (void) snprintf(world->date, sizeof(world->date), "%.*s", OI_SLICE_ARGS(*date));
    world->answered++;
    oi_loop_stop(world->loop);
}

static void
ask(struct world *world)
{
    struct oi_http_request request = {};
    char url[64];

    (void) snprintf(url, sizeof(url), "http://127.0.0.1:%u/", oi_http_server_port(world->server));
    assert_ok(oi_http_get(&request, url, NULL));
    oi_http_client_send(world->client, &request, NULL, on_answer, world);
    oi_http_request_release(&request);
    oi_loop_run(world->loop);
}

static void
writes_the_date_of_its_clock(void **)
{
    static const struct {
        int64_t second;
        const char *date;
    } dates[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT" },
        { 951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 1'772'841'600, "Sat, 07 Mar 2026 00:00:00 GMT" },
        { 4'102'444'799, "Thu, 31 Dec 2099 23:59:59 GMT" },
        { 4'107'542'400, "Mon, 01 Mar 2100 00:00:00 GMT" },
    };
    struct oi_virtual_clock clock;
    struct oi_http_server_options options = { .clock = &clock.clock };
    struct world world;

    oi_virtual_clock_init(&clock, 0);
    open_world(&world, &options);
    for (size_t i = 0; i < OI_COUNT(dates); i++) {
        int64_t now = clock.clock.wall_ns(&clock.clock);

        oi_virtual_clock_advance(&clock, dates[i].second * INT64_C(1'000'000'000) - now);
        ask(&world);
        assert_string_equal(world.date, dates[i].date);
    }
    close_world(&world);
}

static void
shares_its_port_only_when_asked_to(void **)
{
    struct oi_http_server_options options = {};
    struct oi_http_server *second = NULL;
    struct world world;

    open_world(&world, &options);
    options.port = oi_http_server_port(world.server);
    assert_true(options.port > 0);
    assert_status(oi_http_server_open(world.loop, &options, &handler, &second, NULL), OI_E_BUSY);
    assert_null(second);
    options.is_joining = true;
    assert_ok(oi_http_server_open(world.loop, &options, &handler, &second, NULL));
    assert_int_equal(oi_http_server_port(second), options.port);
    oi_http_server_close(&second);
    ask(&world);
    assert_int_equal(world.answered, 1);
    close_world(&world);
}

static void
refuses_an_address_that_is_none(void **)
{
    struct oi_http_server_options options = { .address = "localhost:80" };
    struct oi_http_server *server = NULL;
    struct oi_loop *loop = NULL;

    assert_ok(oi_loop_new(&loop, NULL));
    assert_status(oi_http_server_open(loop, &options, &handler, &server, NULL), OI_E_INVALID);
    options.address = "not an address";
    assert_status(oi_http_server_open(loop, &options, &handler, &server, NULL), OI_E_INVALID);
    options.address = NULL;
    options.certificate = "/nowhere/chain.pem";
    options.private_key = "/nowhere/key.pem";
    assert_status(oi_http_server_open(loop, &options, &handler, &server, NULL), OI_E_INVALID);
    assert_null(server);
    oi_loop_free(&loop);
}

static void
on_stopped(void *context)
{
    struct world *world = context;

    world->stopped++;
    oi_loop_stop(world->loop);
}

static void
stops_once_and_counts_what_it_did(void **)
{
    struct oi_http_server_options options = {};
    struct oi_http_server_stats stats;
    struct world world;

    open_world(&world, &options);
    ask(&world);
    ask(&world);
    oi_http_server_stats(world.server, &stats);
    assert_int_equal(stats.requests, 2);
    assert_int_equal(stats.connections, 1); /* kept */
    assert_true(stats.bytes_out > 0);
    oi_http_server_stop(world.server, on_stopped, &world);
    oi_loop_run(world.loop);
    assert_int_equal(world.stopped, 1);
    close_world(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_date_of_its_clock),
        cmocka_unit_test(shares_its_port_only_when_asked_to),
        cmocka_unit_test(refuses_an_address_that_is_none),
        cmocka_unit_test(stops_once_and_counts_what_it_did),
    };
    return cmocka_run_group_tests_name("net/http_server", tests, NULL, NULL);
}
