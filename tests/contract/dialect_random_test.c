/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions at random over every dialect, from the target's bytes through routing, parsing, the
 * query over a real store and the rendering: each is answered in a form that reads, or refused in
 * the vendor's envelope. OI_RANDOM_REQUESTS says how many (5000), OI_RANDOM_SEED which. With
 * OI_RANDOM_PORT they go to the server that listens there, over sockets from four threads.
 */
#include "base/random.h"
#include "cli/zones.h"
#include "lake/export.h"
#include "query/run.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test_dialect.h"
#include "support/test_folder.h"
#include "support/test_questions.h"

#define REQUESTS 5000
#define THREADS 4
#define ROWS 300

/*
 * The store: perpetuals of several exchanges, one inverse, an option, an event contract.
 */
struct world {
    struct oi_virtual_clock clock;
    struct oi_source source;
    struct oi_zones *zones;
};

static const struct listed {
    const char *exchange, *product, *symbol, *base, *quote, *margin;
    enum oi_kind kind;
    enum oi_settlement settlement;
} listed[] = {
    { "binance", "usdm", "BTCUSDT", "BTC", "USDT", "USDT", OI_KIND_PERPETUAL,
      OI_SETTLEMENT_LINEAR },
    { "binance", "usdm", "ETHUSDT", "ETH", "USDT", "USDT", OI_KIND_PERPETUAL,
      OI_SETTLEMENT_LINEAR },
    { "binance", "coinm", "BTCUSD_PERP", "BTC", "USD", "BTC", OI_KIND_PERPETUAL,
      OI_SETTLEMENT_INVERSE },
    { "bybit", "linear", "BTCUSDT", "BTC", "USDT", "USDT", OI_KIND_PERPETUAL,
      OI_SETTLEMENT_LINEAR },
    { "hyperliquid", "perp", "BTC", "BTC", "USDC", "USDC", OI_KIND_PERPETUAL,
      OI_SETTLEMENT_LINEAR },
    { "deribit", "option", "BTC-31JUL26-70000-C", "BTC", "USD", "BTC", OI_KIND_OPTION,
      OI_SETTLEMENT_INVERSE },
    { "kalshi", "event", "KXBTC-26MAR31-80000", "BTC", "USD", "USD", OI_KIND_EVENT,
      OI_SETTLEMENT_LINEAR },
};

static void
add_rows(struct world *world, uint32_t instrument, uint16_t feed, struct oi_random *random)
{
    OI_VECTOR(struct oi_row) rows = {};
    struct oi_append_result result;
    oi_time time = test_time("2026-06-07T23:00:00Z");
    uint32_t series;

    assert_ok(oi_store_series(world->source.store, instrument, feed, &series, NULL));
    for (size_t i = 0; i < ROWS; i++) {
        struct oi_observation reading = OI_OBSERVATION_NONE;

        time += (oi_time) (1 + oi_random_below(random, 9)) * OI_MINUTE;
        reading.time = time;
        reading.open_interest = oi_decimal_from((int64_t) oi_random_below(random, 90'000), -2);
        reading.mark_price = oi_decimal_from(500 + (int64_t) oi_random_below(random, 500), -1);
        if (oi_random_below(random, 2))
            reading.index_price = reading.mark_price;
        oi_vector_push(&rows, ((struct oi_row){ series, reading }));
    }
    assert_ok(oi_store_append(world->source.store,
                              &(struct oi_batch){ .rows = rows.items, .row_count = rows.count },
                              &result, NULL));
    oi_vector_release(&rows);
}

static void
open_world(struct world *world, const char *folder)
{
    static const struct oi_convention_book book;
    struct oi_store_options options = { .engine = &oi_kv_memory, .chunk_rows = 64 };
    struct oi_instrument instruments[OI_COUNT(listed)];
    uint32_t ids[OI_COUNT(listed)];
    struct oi_feed live = { .name = "live" };
    struct oi_random random;
    uint16_t feed;
    char path[512];

    oi_random_init(&random, 7);
    oi_virtual_clock_init(&world->clock, TEST_NOW);
    options.clock = &world->clock.clock;
    (void) snprintf(path, sizeof(path), "%s/world", folder);
    assert_ok(oi_store_open(path, &options, &world->source.store, NULL));
    world->source.conventions = &book;
    world->source.clock = &world->clock.clock;
    world->source.names = oi_names_new();
    world->zones = oi_zones_new(NULL);
    for (size_t i = 0; i < OI_COUNT(listed); i++) {
        instruments[i] = test_perpetual(listed[i].exchange, listed[i].product, listed[i].symbol,
                                        listed[i].base, listed[i].quote);
        assert_ok(OI_NAME_SET(instruments[i].margin, oi_slice_of(listed[i].margin), NULL));
        instruments[i].kind = listed[i].kind;
        instruments[i].settlement = listed[i].settlement;
        if (listed[i].kind == OI_KIND_OPTION) {
            instruments[i].option_side = OI_OPTION_CALL;
            instruments[i].strike = oi_decimal_from(70'000, 0);
            instruments[i].expiry = test_time("2026-07-31T08:00:00Z");
        }
    }
    assert_ok(oi_store_define(world->source.store, instruments, OI_COUNT(listed), ids, NULL, NULL));
    assert_ok(oi_store_feed(world->source.store, &live, &feed, NULL));
    for (size_t i = 0; i < OI_COUNT(listed); i++)
        add_rows(world, ids[i], feed, &random);
    oi_virtual_clock_advance(&world->clock, OI_MINUTE);
}

static void
close_world(struct world *world)
{
    oi_names_free(&world->source.names);
    oi_store_close(&world->source.store);
    oi_zones_free(&world->zones);
}

/*
 * Questions.
 */

static void
add_noise(struct oi_random *random, struct oi_buffer *out)
{
    static const char *const pieces[] = { "%",         "%4",  "%zz", "%00", "%ff%fe", "%c3%28",
                                          "%ed%a0%80", "+",   "&&",  "=",   ";",      "#",
                                          "%2C%2C",    "%2A", "..",  "/",   "%0d%0a", "\"",
                                          "'",         "{",   "}",   "~" };
    size_t count = 1 + oi_random_below(random, 4);

    for (size_t i = 0; i < count; i++)
        oi_buffer_add_text(out, pieces[oi_random_below(random, OI_COUNT(pieces))]);
}

/* A right value changed a little, and written as it then is. */
static void
add_changed(struct oi_random *random, const char *value, struct oi_buffer *out)
{
    char text[256];
    size_t size = (size_t) snprintf(text, sizeof(text), "%s", value);

    for (size_t i = 1 + oi_random_below(random, 3); i > 0 && size > 0; i--)
        text[oi_random_below(random, size)] = (char) (32 + oi_random_below(random, 95));
    oi_http_encode(oi_slice_of(text), out);
}

static void
add_value(struct oi_random *random, const struct test_parameter *parameter, struct oi_buffer *out)
{
    const char *good = parameter->good ? parameter->good : "1";
    uint64_t way = oi_random_below(random, 100);

    if (way < 50)
        oi_http_encode(oi_slice_of(good), out);
    else if (way < 62)
        oi_http_encode(oi_slice_of(parameter->wrong ? parameter->wrong : good), out);
    else if (way < 72)
        oi_http_encode(oi_slice_of(parameter->beyond ? parameter->beyond : good), out);
    else if (way < 88)
        add_changed(random, good, out);
    else if (way < 92)
        oi_buffer_add_int(out, (int64_t) oi_random_next(random));
    else if (way < 97)
        add_noise(random, out);
    else if (way < 99)
        for (uint64_t i = oi_random_below(random, 200); i > 0; i--)
            oi_buffer_add_text(out, good);
}

static void
add_parameter(struct oi_random *random, const struct test_parameter *parameters,
              struct oi_buffer *out)
{
    size_t count = 0;

    while (parameters[count].name)
        count++;
    if (count == 0)
        return;
    parameters += oi_random_below(random, count);
    oi_buffer_add_char(out, '&');
    oi_http_encode(oi_slice_of(parameters->name), out);
    oi_buffer_add_char(out, '=');
    add_value(random, parameters, out);
}

static void
make_target(struct oi_random *random, struct oi_buffer *out)
{
    const struct test_route *route = &test_routes[oi_random_below(random, OI_COUNT(test_routes))];
    struct oi_slice rest = oi_slice_of(route->base), part;

    oi_buffer_clear(out);
    oi_buffer_add_text(out, route->path);
    if (oi_random_below(random, 50) == 0)
        add_noise(random, out);
    oi_buffer_add_char(out, '?');
    while (rest.size > 0 && oi_slice_next_part(&rest, '&', &part)) {
        if (oi_random_below(random, 12) == 0)
            continue;
        oi_buffer_add_slice(out, part);
        oi_buffer_add_char(out, '&');
    }
    for (uint64_t i = oi_random_below(random, 5); i > 0; i--)
        add_parameter(random, route->parameters, out);
    if (oi_random_below(random, 20) == 0)
        add_parameter(random,
                      test_routes[oi_random_below(random, OI_COUNT(test_routes))].parameters, out);
}

/*
 * Answers.
 */

struct tally {
    size_t asked, answered, refused, malformed, nobodys;
};

static void
check_json(const struct test_exchange *exchange, const struct oi_buffer *target)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;

    if (oi_json_open(oi_buffer_slice(&exchange->reply.body), &json, NULL) != OI_OK)
        fail_msg("%.*s\nno JSON: %.300s", OI_SLICE_ARGS(oi_buffer_slice(target)),
                 exchange->reply.body.data);
}

static enum oi_status
run_query(struct world *world, struct test_exchange *exchange, struct oi_error *error)
{
    struct oi_result *result = NULL;

    if (exchange->route->is_file)
        return oi_export_bars(&world->source, &exchange->query, &exchange->reply.body,
                              &exchange->problem, error);
    if (exchange->query.kind != OI_QUERY_NONE)
        OI_TRY(oi_query_run(&world->source, &exchange->query, &result, &exchange->problem, error));
    return test_render(exchange, result);
}

static void
refuse(struct test_exchange *exchange, enum oi_status status, const struct oi_error *error,
       const struct oi_buffer *target)
{
    if (exchange->problem.kind == OI_PROBLEM_NONE) {
        /* As the server words it; anything else would be a failure of ours. */
        if (status != OI_E_INVALID)
            fail_msg("%.*s: %s %s", OI_SLICE_ARGS(oi_buffer_slice(target)), oi_status_name(status),
                     error->message);
        (void) oi_problem_set(&exchange->problem, OI_PROBLEM_TOO_MANY, "", (struct oi_slice){},
                              "%s", error->message);
    }
    test_refuse(exchange);
    if (exchange->reply.status < 400 || exchange->reply.status >= 500)
        fail_msg("%.*s: %d", OI_SLICE_ARGS(oi_buffer_slice(target)), exchange->reply.status);
    check_json(exchange, target);
}

static void
ask(struct world *world, const struct oi_buffer *target, struct tally *tally)
{
    struct test_exchange exchange = { .query = OI_QUERY_EMPTY, .reply = { .status = 200 } };
    const struct oi_slice *type;
    struct oi_error error = {};
    enum oi_status status;

    tally->asked++;
    exchange.call = (struct oi_call){ .request_id = "11111111-2222-4333-8444-555555555555",
                                      .now = TEST_NOW,
                                      .public_url = OI_SLICE("http://oi.test"),
                                      .sign = test_sign,
                                      .zones = oi_zones_loader(world->zones) };
    if (oi_http_parse_target(oi_buffer_slice(target), &exchange.request, NULL) != OI_OK) {
        tally->malformed++;
        test_close(&exchange);
        return;
    }
    exchange.route = oi_dialects_route(&exchange.request, &exchange.dialect, &exchange.call.mount);
    if (!exchange.route) {
        tally->nobodys++;
        test_close(&exchange);
        return;
    }
    status = exchange.route->parse(&exchange.call, &exchange.request, &exchange.query,
                                   &exchange.problem);
    if (status == OI_OK)
        status = run_query(world, &exchange, &error);
    if (status != OI_OK) {
        tally->refused++;
        refuse(&exchange, status, &error, target);
        test_close(&exchange);
        return;
    }
    tally->answered++;
    type = oi_http_reply_find(&exchange.reply, "content-type");
    assert_non_null(type);
    if (oi_slice_is(*type, "application/json"))
        check_json(&exchange, target);
    test_close(&exchange);
}

static uint64_t
setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : fallback;
}

static void
answers_or_refuses_whatever_is_asked(void **state)
{
    uint64_t seed = setting("OI_RANDOM_SEED", 20'261'126);
    uint64_t count = setting("OI_RANDOM_REQUESTS", REQUESTS);
    struct oi_buffer target = {};
    struct world world = {};
    struct tally tally = {};
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    open_world(&world, *state);
    while (tally.asked < count) {
        make_target(&random, &target);
        ask(&world, &target, &tally);
    }
    print_message("%zu asked: %zu answered, %zu refused, %zu malformed, %zu at no path\n",
                  tally.asked, tally.answered, tally.refused, tally.malformed, tally.nobodys);
    assert_true(tally.answered > count / 10 && tally.refused > count / 10);
    oi_buffer_release(&target);
    close_world(&world);
}

/*
 * The same over sockets.
 */

struct client {
    pthread_t thread;
    uint16_t port;
    uint64_t seed, count;
    size_t answered, refused, failed;
};

/* One request on a connection of its own; the status, or 0 when there was no answer. */
static int
ask_server(uint16_t port, struct oi_slice target)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct oi_buffer request = {};
    char start[16] = "", rest[65536];
    ssize_t got, have = 0;
    int status = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    oi_buffer_add_format(&request,
                         "GET %.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                         OI_SLICE_ARGS(target));
    if (fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0 &&
        send(fd, request.data, request.size, MSG_NOSIGNAL) == (ssize_t) request.size) {
        while (have < 15 && (got = recv(fd, start + have, 15 - (size_t) have, 0)) > 0)
            have += got;
        while (recv(fd, rest, sizeof(rest), 0) > 0)
            continue;
        if (have == 15 && memcmp(start, "HTTP/1.1 ", 9) == 0)
            status = (int) strtol(start + 9, NULL, 10);
    }
    if (fd >= 0)
        (void) close(fd);
    oi_buffer_release(&request);
    return status;
}

static void *
be_client(void *context)
{
    struct client *client = context;
    struct oi_buffer target = {};
    struct oi_random random;

    oi_random_init(&random, client->seed);
    for (uint64_t i = 0; i < client->count; i++) {
        int status;

        make_target(&random, &target);
        /* A blank would end the target. */
        for (size_t at = 0; at < target.size; at++)
            if (target.data[at] == ' ')
                target.data[at] = '+';
        status = ask_server(client->port, oi_buffer_slice(&target));
        if (status == 200)
            client->answered++;
        else if (status >= 400 && status < 500)
            client->refused++;
        else if (client->failed++ < 3)
            print_error("%d: %.*s\n", status, OI_SLICE_ARGS(oi_buffer_slice(&target)));
    }
    oi_buffer_release(&target);
    return NULL;
}

static void
the_server_answers_or_refuses_whatever_is_asked(void **)
{
    uint16_t port = (uint16_t) setting("OI_RANDOM_PORT", 0);
    uint64_t count = setting("OI_RANDOM_REQUESTS", REQUESTS);
    struct client clients[THREADS] = {}, sum = {};

    assert_int_not_equal(port, 0);
    for (size_t i = 0; i < THREADS; i++) {
        clients[i] = (struct client){ .port = port,
                                      .seed = setting("OI_RANDOM_SEED", 20'261'126) + i,
                                      .count = count / THREADS };
        assert_int_equal(pthread_create(&clients[i].thread, NULL, be_client, &clients[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
        sum.answered += clients[i].answered;
        sum.refused += clients[i].refused;
        sum.failed += clients[i].failed;
    }
    print_message("%zu answered, %zu refused, %zu failed\n", sum.answered, sum.refused, sum.failed);
    assert_true(sum.answered > 0);
    assert_int_equal(sum.failed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_or_refuses_whatever_is_asked),
    };
    const struct CMUnitTest over_sockets[] = {
        cmocka_unit_test(the_server_answers_or_refuses_whatever_is_asked),
    };

    if (getenv("OI_RANDOM_PORT"))
        return cmocka_run_group_tests_name("contract/dialect_random", over_sockets, NULL, NULL);
    return cmocka_run_group_tests_name("contract/dialect_random", tests, test_folder_setup,
                                       test_folder_teardown);
}
