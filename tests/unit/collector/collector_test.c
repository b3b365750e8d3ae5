/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector against a small server of our own: three exchanges in one wire format, one of which
 * answers whatever it is told to. What comes is stored, what does not come is a typed hole, and one
 * exchange's trouble is not the others'.
 */
#include "collector/collector.h"

#include "base/log.h"
#include "collector/pace.h"
#include "exchanges/reply.h"
#include "net/http_server.h"
#include "support/test_store.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALPHA_COUNT 12
#define BETA_COUNT 8
#define SENT_MAX 4096

enum trouble {
    TROUBLE_NONE,
    TROUBLE_BANNED,
    TROUBLE_BUSY,
    TROUBLE_BLOCKED,
    TROUBLE_DOWN,
    TROUBLE_HTML,
    TROUBLE_TRUNCATED,
    TROUBLE_HANG,
    TROUBLE_REFUSED,
};

/* Functions of an exchange have no context: what the test and its server share is here. */
static struct {
    pthread_t thread;
    struct oi_loop *loop;
    uint16_t port, silent_port, closed_port;
    int silent_socket;
    const struct oi_clock *clock;
    atomic_int gamma_trouble, alpha_count, unlisted;
    atomic_int requests_of_gamma;
    int64_t beta_at_ns[SENT_MAX];
    atomic_size_t beta_count;
} world;

static void
write_rows(struct oi_buffer *out, char letter, int count, bool is_price)
{
    oi_buffer_add_text(out, "{\"rows\":[");
    for (int i = 0; i < count; i++)
        oi_buffer_add_format(out, "%s{\"symbol\":\"%c%d\",\"%s\":\"%d.5\"}", i ? "," : "", letter,
                             i, is_price ? "mark" : "oi", is_price ? 100 + i : 10 + i);
    oi_buffer_add_text(out, "]}");
}

static void
answer_gamma(struct oi_http_reply *reply)
{
    atomic_fetch_add(&world.requests_of_gamma, 1);
    switch ((enum trouble) atomic_load(&world.gamma_trouble)) {
    case TROUBLE_NONE:
    case TROUBLE_HANG:
    case TROUBLE_REFUSED:
        write_rows(&reply->body, 'G', 2, false);
        break;
    case TROUBLE_BANNED:
        reply->status = 418;
        oi_http_reply_header_text(reply, "Retry-After", "90");
        break;
    case TROUBLE_BUSY:
        reply->status = 429;
        break;
    case TROUBLE_BLOCKED:
        reply->status = 451;
        break;
    case TROUBLE_DOWN:
        reply->status = 503;
        oi_buffer_add_text(&reply->body, "<html>down</html>");
        break;
    case TROUBLE_HTML:
        oi_buffer_add_text(&reply->body, "<!DOCTYPE html><title>Sorry</title>");
        break;
    case TROUBLE_TRUNCATED:
        oi_buffer_add_text(&reply->body, "{\"rows\":[{\"symbol\":\"G0\",\"oi\":\"1");
        break;
    }
}

static void
handle(void *, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct oi_slice path = request->path;
    int count = atomic_load(&world.alpha_count);

    if (oi_slice_is(path, "/gamma/current")) {
        answer_gamma(reply);
    } else if (oi_slice_ends_with(path, "/instruments")) {
        char letter = path.data[1] == 'a' ? 'A' : path.data[1] == 'b' ? 'B' : 'G';

        count = letter == 'A' ? count : letter == 'B' ? BETA_COUNT : 2;
        write_rows(&reply->body, letter, count, false);
    } else if (oi_slice_is(path, "/alpha/prices")) {
        write_rows(&reply->body, 'A', count, true);
    } else if (oi_slice_is(path, "/alpha/current")) {
        /* The last market is listed and silent, unless it is one that is not listed yet. */
        write_rows(&reply->body, 'A', count - 1 + atomic_load(&world.unlisted), false);
    } else {
        const struct oi_slice *symbol = oi_http_parameter(request, "symbol");
        size_t place = atomic_fetch_add(&world.beta_count, 1);

        if (place < SENT_MAX)
            world.beta_at_ns[place] = world.clock->monotonic_ns(world.clock);
        oi_buffer_add_format(&reply->body, "{\"rows\":[{\"symbol\":\"%.*s\",\"oi\":\"7\"}]}",
                             OI_SLICE_ARGS(symbol ? *symbol : OI_SLICE("")));
    }
    oi_http_reply_type(reply, "application/json");
}

static void *
serve(void *)
{
    oi_loop_run(world.loop);
    return NULL;
}

static enum oi_status
ask(const struct oi_task *task, struct oi_http_request *request, const char *what,
    struct oi_error *error)
{
    bool is_gamma = strcmp(task->product, "gamma") == 0 && task->kind == OI_TASK_CURRENT;
    uint16_t port = world.port;
    char url[128];

    if (is_gamma && atomic_load(&world.gamma_trouble) == TROUBLE_HANG)
        port = world.silent_port;
    if (is_gamma && atomic_load(&world.gamma_trouble) == TROUBLE_REFUSED)
        port = world.closed_port;
    (void) snprintf(url, sizeof(url), "http://127.0.0.1:%u/%s/%s", port, task->product, what);
    OI_TRY(oi_http_get(request, url, error));
    return task->symbol ? oi_http_add_query(request, "symbol", task->symbol, error) : OI_OK;
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask(task, request, "instruments", error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask(task, request, "current", error);
}

static enum oi_status
ask_prices(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask(task, request, "prices", error);
}

static enum oi_status
read_row(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_instrument instrument;

    if (walk->task->kind == OI_TASK_INSTRUMENTS) {
        OI_TRY(oi_reply_instrument(row, "symbol", walk->task->product, walk->task->product,
                                   &instrument, error));
        OI_TRY(OI_NAME_SET(instrument.base, oi_reply_text(row, "symbol"), error));
        OI_TRY(OI_NAME_SET(instrument.quote, OI_SLICE("USDT"), error));
        instrument.kind = OI_KIND_PERPETUAL;
        instrument.settlement = OI_SETTLEMENT_LINEAR;
        oi_vector_push(&walk->harvest->instruments, instrument);
        return OI_OK;
    }
    if (walk->task->kind == OI_TASK_CURRENT)
        OI_TRY(oi_reply_amount(row, "oi", &reading.open_interest, error));
    reading.mark_price = oi_reply_price(row, "mark");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
}

static enum oi_status
read_rows(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
          struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *rows;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_row
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "rows", OI_JSON_ARRAY, &rows, error));
    oi_reply_walk(&walk, rows);
    return OI_OK;
}

static const struct oi_limit wide[] = { { "wide", 1000, 1'000 } };
static const struct oi_limit narrow[] = { { "narrow", 3, 10'000 } };

#define LIST(name)                                                                                 \
    {                                                                                              \
        .kind = OI_TASK_INSTRUMENTS, .product = name, .every_ns = OI_HOUR, .weight = 1,            \
        .ask = ask_instruments, .read = read_rows                                                  \
    }
#define CURRENT(name, by)                                                                          \
    {                                                                                              \
        .kind = OI_TASK_CURRENT, .product = name, .scope = by, .weight = 1, .ask = ask_current,    \
        .read = read_rows                                                                          \
    }

static const struct oi_endpoint alpha_endpoints[] = {
    LIST("alpha"),
    CURRENT("alpha", OI_SCOPE_PRODUCT),
    { .kind = OI_TASK_PRICES,
      .product = "alpha",
      .weight = 1,
      .ask = ask_prices,
      .read = read_rows },
};
static const struct oi_endpoint beta_endpoints[] = {
    LIST("beta"),
    CURRENT("beta", OI_SCOPE_SYMBOL),
};
static const struct oi_endpoint gamma_endpoints[] = {
    LIST("gamma"),
    CURRENT("gamma", OI_SCOPE_PRODUCT),
};
static const char *const alpha_products[] = { "alpha", NULL };
static const char *const beta_products[] = { "beta", NULL };
static const char *const gamma_products[] = { "gamma", NULL };

#define EXCHANGE(which, published)                                                                 \
    {                                                                                              \
        .name = #which, .products = which##_products, .limits = published, .limit_count = 1,       \
        .endpoints = which##_endpoints, .endpoint_count = OI_COUNT(which##_endpoints)              \
    }
static const struct oi_exchange alpha = EXCHANGE(alpha, wide);
static const struct oi_exchange beta = EXCHANGE(beta, narrow);
static const struct oi_exchange gamma_exchange = EXCHANGE(gamma, wide);
static const struct oi_exchange *const registry[] = { &alpha, &beta, &gamma_exchange, NULL };

/* A port that takes connections and never says a word. */
static uint16_t
listen_in_silence(int *ret_socket)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    *ret_socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*ret_socket, (struct sockaddr *) &address, size), 0);
    assert_int_equal(listen(*ret_socket, 16), 0);
    assert_int_equal(getsockname(*ret_socket, (struct sockaddr *) &address, &size), 0);
    return ntohs(address.sin_port);
}

struct fixture {
    char *folder;
    struct oi_http_server *server;
    struct test_store store;
    uint16_t live;
    struct oi_collector *collector;
    oi_time minute;
};

static int
set_up(void **state)
{
    const struct oi_http_server_options options = { .address = "127.0.0.1" };
    const struct oi_http_handler handler = { .handle = handle };
    struct fixture *fixture = oi_alloc_zero(1, sizeof(*fixture));
    const struct oi_feed live = { .name = "live" };
    int closed;

    oi_log_set_level(OI_LOG_ERROR);
    if (test_folder_setup((void **) &fixture->folder) != 0)
        return -1;
    oi_virtual_clock_init(&fixture->store.clock, TEST_START);
    fixture->store.options = (struct oi_store_options){ .clock = &fixture->store.clock.clock,
                                                        .engine = &oi_kv_memory,
                                                        .map_size = (size_t) 64 << 20 };
    (void) snprintf(fixture->store.path, sizeof(fixture->store.path), "%s/store", fixture->folder);
    test_store_open(&fixture->store);
    assert_ok(oi_store_feed(fixture->store.store, &live, &fixture->live, NULL));
    fixture->minute = TEST_START;
    memset(&world, 0, sizeof(world));
    world.clock = &fixture->store.clock.clock;
    atomic_store(&world.alpha_count, ALPHA_COUNT);
    world.silent_port = listen_in_silence(&world.silent_socket);
    world.closed_port = listen_in_silence(&closed);
    (void) close(closed);
    assert_ok(oi_loop_new(&world.loop, NULL));
    assert_ok(oi_http_server_open(world.loop, &options, &handler, &fixture->server, NULL));
    world.port = oi_http_server_port(fixture->server);
    assert_int_equal(pthread_create(&world.thread, NULL, serve, NULL), 0);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    oi_collector_close(&fixture->collector);
    oi_loop_stop(world.loop);
    (void) pthread_join(world.thread, NULL);
    oi_http_server_close(&fixture->server);
    oi_loop_free(&world.loop);
    (void) close(world.silent_socket);
    test_store_close(&fixture->store);
    (void) test_folder_teardown((void **) &fixture->folder);
    oi_free(fixture);
    return 0;
}

static void
open_stepped(struct fixture *fixture)
{
    const struct oi_collector_options options = { .virtual_clock = &fixture->store.clock,
                                                  .registry = registry,
                                                  .spread_ms = 1,
                                                  .timeout_ms = 300,
                                                  .seed = 1 };

    assert_ok(oi_collector_open_stepped(&options, fixture->store.store, &fixture->collector, NULL));
}

static struct oi_collector_report
poll_next(struct fixture *fixture)
{
    struct oi_collector_report report = {};
    struct oi_error error = {};

    if (oi_collector_poll_minute(fixture->collector, fixture->minute, &report, &error) != OI_OK)
        fail_msg("%s", error.message);
    fixture->minute += OI_MINUTE;
    return report;
}

static uint32_t
find(const struct fixture *fixture, const char *symbol, struct oi_instrument *ret_instrument)
{
    const struct oi_catalog *catalog = oi_store_catalog(fixture->store.store);
    uint32_t id = 0;

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        if (strcmp(catalog->instruments[i].symbol, symbol) == 0) {
            id = catalog->instruments[i].id;
            *ret_instrument = catalog->instruments[i];
        }
    }
    oi_catalog_unref(&catalog);
    assert_true(id > 0);
    return id;
}

/* The reading of the minute that was polled last, or none. */
static bool
read_last(const struct fixture *fixture, const char *symbol, struct oi_observation *ret_reading)
{
    struct oi_instrument instrument;
    uint32_t series;

    assert_ok(oi_store_series(fixture->store.store, find(fixture, symbol, &instrument),
                              fixture->live, &series, NULL));
    return oi_store_latest(fixture->store.store, series, ret_reading, NULL) == OI_OK &&
           ret_reading->time == fixture->minute - OI_MINUTE;
}

static enum oi_status
note_cause(void *context, const struct oi_hole *hole)
{
    *(enum oi_hole_cause *) context = hole->cause;
    return OI_OK;
}

/* Why the minute that was polled last has no row; NONE when it has one. */
static enum oi_hole_cause
cause_of(const struct fixture *fixture, const char *symbol)
{
    const struct oi_span span = { fixture->minute - OI_MINUTE, fixture->minute };
    struct oi_instrument instrument;
    enum oi_hole_cause cause = OI_HOLE_NONE;
    int64_t ahead = fixture->minute - fixture->store.clock.now_ns;

    /* Nothing is expected of a minute that is not over. */
    if (ahead > 0)
        oi_virtual_clock_advance((struct oi_virtual_clock *) &fixture->store.clock, ahead);
    assert_ok(oi_store_gaps(fixture->store.store, find(fixture, symbol, &instrument), fixture->live,
                            OI_MINUTE, span, OI_MOMENT_LATEST, note_cause, &cause, NULL));
    return cause;
}

static void
every_market_gets_its_row_with_figure_and_price_merged(void **state)
{
    struct fixture *fixture = *state;
    struct oi_collector_report report;
    struct oi_observation reading;
    const struct oi_decimal interest = oi_decimal_from(115, -1), mark = oi_decimal_from(1015, -1);

    open_stepped(fixture);
    report = poll_next(fixture);
    assert_int_equal(report.expected, ALPHA_COUNT + BETA_COUNT + 2);
    assert_int_equal(report.missing, 1);
    assert_int_equal(report.stored, report.expected - 1);
    assert_true(read_last(fixture, "A1", &reading));
    assert_true(oi_decimal_equal(&reading.open_interest, &interest));
    assert_true(oi_decimal_equal(&reading.mark_price, &mark));
    assert_true(read_last(fixture, "B7", &reading));
    assert_true(read_last(fixture, "G1", &reading));
    assert_false(read_last(fixture, "A11", &reading));
    assert_int_equal(cause_of(fixture, "A1"), OI_HOLE_NONE);
    assert_int_equal(cause_of(fixture, "A11"), OI_HOLE_SILENT);
}

static void
a_minute_is_stored_once(void **state)
{
    struct fixture *fixture = *state;

    open_stepped(fixture);
    (void) poll_next(fixture);
    fixture->minute -= OI_MINUTE;
    assert_int_equal(poll_next(fixture).stored, 0);
}

static void
hostile_answers_become_typed_holes_and_leave_others_alone(void **state)
{
    static const struct {
        enum trouble trouble;
        enum oi_hole_cause cause;
        int pause_minutes; /* until it is asked again */
    } cases[] = {
        { TROUBLE_BANNED, OI_HOLE_RATE_LIMITED, 2 }, { TROUBLE_BUSY, OI_HOLE_RATE_LIMITED, 6 },
        { TROUBLE_BLOCKED, OI_HOLE_BLOCKED, 61 },    { TROUBLE_DOWN, OI_HOLE_RATE_LIMITED, 6 },
        { TROUBLE_HTML, OI_HOLE_UNREACHABLE, 1 },    { TROUBLE_TRUNCATED, OI_HOLE_UNREACHABLE, 1 },
        { TROUBLE_HANG, OI_HOLE_UNREACHABLE, 1 },    { TROUBLE_REFUSED, OI_HOLE_UNREACHABLE, 1 },
    };
    struct fixture *fixture = *state;
    struct oi_observation reading;

    open_stepped(fixture);
    (void) poll_next(fixture);
    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        atomic_store(&world.gamma_trouble, (int) cases[i].trouble);
        (void) poll_next(fixture);
        assert_true(read_last(fixture, "A0", &reading));
        assert_true(read_last(fixture, "B0", &reading));
        assert_false(read_last(fixture, "G0", &reading));
        assert_int_equal(cause_of(fixture, "G0"), cases[i].cause);
        atomic_store(&world.gamma_trouble, TROUBLE_NONE);
        for (int minute = 0; minute < cases[i].pause_minutes; minute++)
            (void) poll_next(fixture);
        assert_true(read_last(fixture, "G0", &reading));
    }
}

static void
a_ban_is_not_asked_into(void **state)
{
    struct fixture *fixture = *state;
    int before;

    open_stepped(fixture);
    (void) poll_next(fixture);
    atomic_store(&world.gamma_trouble, TROUBLE_BLOCKED);
    (void) poll_next(fixture);
    before = atomic_load(&world.requests_of_gamma);
    for (int i = 0; i < 5; i++) {
        (void) poll_next(fixture);
        assert_int_equal(cause_of(fixture, "G1"), OI_HOLE_BLOCKED);
    }
    assert_int_equal(atomic_load(&world.requests_of_gamma), before);
}

static void
what_leaves_the_list_is_delisted_and_what_enters_it_is_collected(void **state)
{
    struct fixture *fixture = *state;
    struct oi_instrument instrument;
    struct oi_observation reading;

    open_stepped(fixture);
    (void) poll_next(fixture);
    atomic_store(&world.alpha_count, ALPHA_COUNT - 3);
    for (int i = 0; i < 62; i++)
        (void) poll_next(fixture);
    (void) find(fixture, "A10", &instrument);
    assert_true(instrument.is_delisted);
    assert_int_equal(cause_of(fixture, "A10"), OI_HOLE_DELISTED);
    (void) find(fixture, "A8", &instrument);
    assert_false(instrument.is_delisted);
    /* A market of the reply that nobody knows makes the lists be asked for at once. */
    atomic_store(&world.alpha_count, ALPHA_COUNT + 2);
    (void) poll_next(fixture);
    (void) poll_next(fixture);
    (void) poll_next(fixture);
    assert_true(read_last(fixture, "A12", &reading));
    assert_true(read_last(fixture, "A10", &reading));
}

static void
half_a_list_delists_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct oi_instrument instrument;

    open_stepped(fixture);
    (void) poll_next(fixture);
    atomic_store(&world.alpha_count, 3);
    for (int i = 0; i < 62; i++)
        (void) poll_next(fixture);
    (void) find(fixture, "A9", &instrument);
    assert_false(instrument.is_delisted);
}

static void
published_limits_hold_over_sockets(void **state)
{
    struct fixture *fixture = *state;
    size_t count;

    open_stepped(fixture);
    for (int i = 0; i < 30; i++)
        (void) poll_next(fixture);
    count = atomic_load(&world.beta_count);
    assert_true(count >= 30 * BETA_COUNT);
    for (size_t i = 3; i < count; i++)
        assert_true(world.beta_at_ns[i] - world.beta_at_ns[i - 3] > 10 * OI_SECOND);
}

static void
a_live_collector_collects_and_stops_cleanly(void **state)
{
    struct fixture *fixture = *state;
    const char *const chosen[] = { "alpha", "beta", NULL };
    const struct oi_collector_options options = { .registry = registry,
                                                  .exchanges = chosen,
                                                  .spread_ms = 1 };
    struct oi_buffer metrics = {};
    bool is_stored = false;

    test_store_close(&fixture->store);
    fixture->store.options.clock = NULL;
    test_store_open(&fixture->store);
    assert_ok(oi_collector_open(&options, fixture->store.store, &fixture->collector, NULL));
    for (int i = 0; i < 200 && !is_stored; i++) {
        (void) usleep(100'000);
        oi_buffer_clear(&metrics);
        oi_collector_write_metrics(fixture->collector, &metrics);
        oi_buffer_add_char(&metrics, '\0');
        is_stored = strstr(metrics.data, "oi_collector_rows_total{exchange=\"alpha\"} 0\n") == NULL;
    }
    assert_true(is_stored);
    assert_null(strstr(metrics.data, "gamma"));
    assert_non_null(
        strstr(metrics.data, "oi_collector_errors_total{exchange=\"beta\",kind=\"busy\"} 0"));
    oi_buffer_release(&metrics);
    oi_collector_close(&fixture->collector);
    assert_null(fixture->collector);
}

static void
an_unknown_exchange_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *const chosen[] = { "alpha", "delta", NULL };
    const struct oi_collector_options options = { .registry = registry, .exchanges = chosen };
    struct oi_error error = {};

    assert_status(oi_collector_open(&options, fixture->store.store, &fixture->collector, &error),
                  OI_E_INVALID);
    assert_string_equal(error.message, "no exchange is called delta");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_market_gets_its_row_with_figure_and_price_merged),
        TEST(a_minute_is_stored_once),
        TEST(hostile_answers_become_typed_holes_and_leave_others_alone),
        TEST(a_ban_is_not_asked_into),
        TEST(what_leaves_the_list_is_delisted_and_what_enters_it_is_collected),
        TEST(half_a_list_delists_nobody),
        TEST(published_limits_hold_over_sockets),
        TEST(a_live_collector_collects_and_stops_cleanly),
        TEST(an_unknown_exchange_is_refused),
    };

    return cmocka_run_group_tests_name("collector/collector", tests, NULL, NULL);
}
