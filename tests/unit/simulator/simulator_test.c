/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator over real sockets, asked by the client that the collector asks with. */
#include "simulator/simulator.h"

#include <stdio.h>

#include "net/http_client.h"
#include "support/test.h"

struct world {
    struct oi_simulator *simulator;
    struct oi_loop *loop;
    struct oi_http_client *client;
    char url[64];
    enum oi_status status;
    int http_status;
    struct oi_buffer body;
    unsigned waiting;
};

static int
set_up(void **state)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    const struct oi_simulator_options options = { .seed = 7, .moods = "okx=503" };
    struct oi_http_client_options client = { .redirect_to = world->url };

    assert_ok(oi_simulator_open(&options, &world->simulator, NULL));
    (void) snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u",
                    oi_simulator_port(world->simulator));
    assert_ok(oi_loop_new(&world->loop, NULL));
    assert_ok(oi_http_client_new(world->loop, &client, &world->client, NULL));
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    oi_http_client_free(&world->client);
    oi_loop_free(&world->loop);
    oi_simulator_close(&world->simulator);
    oi_buffer_release(&world->body);
    oi_free(world);
    return 0;
}

static void
on_done(void *context, enum oi_status status, const struct oi_http_response *response,
        const struct oi_error *)
{
    struct world *world = context;

    world->status = status;
    world->http_status = response->status;
    oi_buffer_clear(&world->body);
    oi_buffer_add_slice(&world->body, response->body);
    oi_buffer_add_char(&world->body, '\0');
    if (--world->waiting == 0)
        oi_loop_stop(world->loop);
}

static void
ask(struct world *world, const char *url, const char *body)
{
    const struct oi_http_limits limits = { .timeout_ms = 500 };
    struct oi_http_request request = {};

    if (body)
        assert_ok(oi_http_post(&request, url, "text/plain", oi_slice_of(body), NULL));
    else
        assert_ok(oi_http_get(&request, url, NULL));
    world->waiting++;
    oi_http_client_send(world->client, &request, &limits, on_done, world);
    oi_http_request_release(&request);
    /* A stop may reach the next run, where the last one ended by itself. */
    while (world->waiting > 0)
        oi_loop_run(world->loop);
}

#define BTC "https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT"
#define OWN "http://simulator.localhost"

static void
exchanges_are_told_apart_by_their_host(void **state)
{
    struct world *world = *state;

    ask(world, BTC, NULL);
    assert_status(world->status, OI_OK);
    assert_int_equal(world->http_status, 200);
    assert_non_null(strstr(world->body.data, "{\"symbol\":\"BTCUSDT\",\"openInterest\":\""));
    ask(world, "https://api.hyperliquid.xyz/info", "{\"type\":\"perpDexs\"}");
    assert_int_equal(world->http_status, 200);
    assert_non_null(strstr(world->body.data, "[null,{\"name\":\"xyz\""));
    ask(world, "https://www.example.com/fapi/v1/openInterest?symbol=BTCUSDT", NULL);
    assert_int_equal(world->http_status, 404);
}

static void
moods_hold_from_the_start_and_can_be_posted(void **state)
{
    struct world *world = *state;
    const char *url = "https://www.okx.com/api/v5/public/open-interest?instType=SWAP";

    ask(world, url, NULL);
    assert_int_equal(world->http_status, 503);
    ask(world, OWN "/simulator/moods", "okx=nonsense");
    assert_int_equal(world->http_status, 400);
    ask(world, OWN "/simulator/moods", "okx=429@1..1");
    assert_int_equal(world->http_status, 200);
    ask(world, url, NULL);
    assert_int_equal(world->http_status, 429);
    ask(world, url, NULL);
    assert_int_equal(world->http_status, 200);
}

static void
a_reply_can_break_off_or_never_come(void **state)
{
    struct world *world = *state;

    ask(world, OWN "/simulator/moods", "binance=truncate@1..1,binance=hang@2..2");
    ask(world, BTC, NULL);
    assert_status(world->status, OI_E_BUSY);
    ask(world, BTC, NULL);
    assert_status(world->status, OI_E_BUSY);
    assert_int_equal(world->http_status, 0);
    ask(world, BTC, NULL);
    assert_status(world->status, OI_OK);
}

static void
requests_and_violations_are_counted(void **state)
{
    struct world *world = *state;
    struct oi_simulator_world *inside = oi_simulator_world_of(world->simulator);

    /* History may be asked for ten times in two seconds. */
    for (int i = 0; i < 11; i++)
        ask(world,
            "https://www.okx.com/api/v5/rubik/stat/contracts/open-interest-history"
            "?instId=BTC-USDT-SWAP&period=5m&limit=1",
            NULL);
    assert_int_equal(world->http_status, 429);
    assert_int_equal(oi_simulator_requests(inside, "okx"), 11);
    assert_int_equal(oi_simulator_violations(inside, "okx"), 1);
    assert_int_equal(oi_simulator_violations(inside, "bybit"), 0);
    ask(world, OWN "/simulator/status", NULL);
    assert_non_null(strstr(world->body.data, "\"okx\":{\"requests\":11,\"violations\":1}"));
}

static void
moods_that_are_none_keep_it_from_opening(void **state)
{
    const struct oi_simulator_options options = { .moods = "binance=sulk" };
    struct oi_simulator *simulator = NULL;

    (void) state;
    assert_status(oi_simulator_open(&options, &simulator, NULL), OI_E_INVALID);
    assert_null(simulator);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exchanges_are_told_apart_by_their_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moods_hold_from_the_start_and_can_be_posted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reply_can_break_off_or_never_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_and_violations_are_counted, set_up, tear_down),
        cmocka_unit_test(moods_that_are_none_keep_it_from_opening),
    };

    return cmocka_run_group_tests_name("simulator/simulator", tests, NULL, NULL);
}
