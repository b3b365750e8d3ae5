/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator against the adapters, without a socket: every endpoint of every registered
 * exchange is asked as the collector would, the reply is read by the adapter, and each figure is
 * the model's.
 */
#include "simulator/market.h"
#include "simulator/simulator.h"

#include <stdio.h>

#include "support/test.h"
#include "support/test_exchange.h"

#define SEED 42
/* 26 November 2026, 00:00:20. */
#define NOW (INT64_C(1'795'651'220) * OI_SECOND)

struct fixture {
    struct oi_virtual_clock clock;
    struct oi_simulator_world *world;
    struct oi_catalogue catalogue;
    size_t rows;
    size_t instruments;
};

static int
set_up(void **state)
{
    struct fixture *fixture = oi_alloc_zero(1, sizeof(*fixture));

    oi_virtual_clock_init(&fixture->clock, NOW);
    fixture->world = oi_simulator_world_new(SEED, &fixture->clock.clock);
    oi_catalogue_build(&fixture->catalogue, NOW);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    oi_simulator_world_free(&fixture->world);
    oi_catalogue_release(&fixture->catalogue);
    oi_free(fixture);
    return 0;
}

static oi_time
now_of(const struct fixture *fixture)
{
    return fixture->clock.clock.wall_ns(&fixture->clock.clock);
}

static enum oi_venue
venue_of(const struct oi_exchange *exchange)
{
    enum oi_venue venue;

    if (!oi_venue_find(oi_slice_of(exchange->name), &venue))
        fail_msg("%s is not simulated", exchange->name);
    return venue;
}

/* Ask, answer, judge; the body is in `reply`. */
static struct oi_verdict
ask(struct fixture *fixture, const struct oi_exchange *exchange, const struct oi_endpoint *endpoint,
    const struct oi_task *task, struct oi_http_reply *reply)
{
    struct oi_http_request request = {};
    struct oi_reply_head head;
    struct oi_verdict verdict;
    struct oi_buffer url = {};

    assert_ok(endpoint->ask(task, &request, NULL));
    /* Over the wire and back: what is percent-encoded is decoded by the server. */
    oi_http_write_url(&request, &url);
    if (request.method == OI_HTTP_GET) {
        struct oi_http_request received = {};
        const char *target = memchr(url.data + strlen("https://"), '/', url.size - 8);
        struct oi_slice rest = { target, url.size - (size_t) (target - url.data) };

        assert_ok(oi_http_parse_target(rest, &received, NULL));
        received.origin = request.origin;
        oi_simulator_answer(fixture->world, &received, reply);
        oi_http_request_release(&received);
    } else {
        oi_simulator_answer(fixture->world, &request, reply);
    }
    head = (struct oi_reply_head){ .status = reply->status,
                                   .body = oi_buffer_slice(&reply->body),
                                   .headers = reply->headers.items,
                                   .header_count = reply->headers.count,
                                   .now = NOW };
    exchange->judge(&head, &verdict);
    oi_buffer_release(&url);
    oi_http_request_release(&request);
    return verdict;
}

static void
assert_equal_or_none(const struct oi_decimal *value, const struct oi_decimal *expected)
{
    if (!oi_decimal_is_none(value))
        assert_true(oi_decimal_equal(value, expected));
}

/* The instant a figure is of: a label of the past may name the start of its interval. */
static oi_time
instant_of(const struct oi_exchange *exchange, const struct oi_endpoint *endpoint,
           const struct oi_harvest_row *row)
{
    struct oi_convention_page page = { exchange->name, exchange->conventions,
                                       exchange->convention_count };
    const struct oi_convention_book book = { &page, 1 };
    const struct oi_convention *convention =
        oi_convention_find(&book, exchange->name, endpoint->product, "history", row->reading.time);

    if (endpoint->kind != OI_TASK_HISTORY || !convention || convention->label != OI_LABEL_START)
        return row->reading.time;
    return row->reading.time + endpoint->window->period_ns;
}

static void
check_row(struct fixture *fixture, const struct oi_exchange *exchange,
          const struct oi_endpoint *endpoint, const struct oi_task *task,
          const struct oi_harvest_row *row)
{
    const struct oi_market *market =
        oi_catalogue_find(&fixture->catalogue, venue_of(exchange), oi_slice_of(row->symbol));
    const struct oi_observation *reading = &row->reading;
    struct oi_figures figures;

    assert_non_null(market);
    assert_string_equal(row->product ? row->product : task->product, market->product);
    oi_market_figures(SEED, market,
                      reading->time == OI_TIME_NONE ? now_of(fixture)
                                                    : instant_of(exchange, endpoint, row),
                      &figures);
    assert_equal_or_none(&reading->open_interest, &figures.open_interest);
    assert_equal_or_none(&reading->value_usd, &figures.value);
    assert_equal_or_none(&reading->mark_price, &figures.mark);
    assert_equal_or_none(&reading->index_price, &figures.index);
    assert_equal_or_none(&reading->last_price, &figures.last);
    fixture->rows++;
}

static void
check_instrument(struct fixture *fixture, const struct oi_exchange *exchange,
                 const struct oi_instrument *instrument)
{
    const struct oi_market *market =
        oi_catalogue_find(&fixture->catalogue, venue_of(exchange), oi_slice_of(instrument->symbol));

    assert_non_null(market);
    assert_string_equal(instrument->product, market->product);
    /* An event of Polymarket is about no coin. */
    if (market->state == OI_MARKET_LISTED && strcmp(instrument->exchange, "polymarket") != 0)
        assert_string_equal(instrument->base, market->coin->name);
    assert_int_equal(instrument->kind, market->kind);
    assert_int_equal(instrument->base_factor, market->factor);
    assert_int_equal(instrument->expiry, market->expiry);
    assert_int_equal(instrument->is_delisted, market->state == OI_MARKET_DELISTED);
    assert_int_equal(instrument->settlement == OI_SETTLEMENT_INVERSE,
                     market->is_inverse || (market->kind == OI_KIND_OPTION &&
                                            strcmp(market->margin, market->coin->name) == 0));
    fixture->instruments++;
}

/* One task and all its pages; how many rows, instruments and families came. */
static size_t
run(struct fixture *fixture, const struct oi_exchange *exchange, const struct oi_endpoint *endpoint,
    struct oi_task task)
{
    struct oi_harvest harvest = {};
    char page[128];
    size_t found = 0;

    for (;;) {
        struct oi_http_reply reply = {};
        struct oi_verdict verdict = ask(fixture, exchange, endpoint, &task, &reply);

        assert_status(verdict.status, OI_OK);
        oi_harvest_reset(&harvest);
        assert_ok(endpoint->read(&task, oi_buffer_slice(&reply.body), &harvest, NULL));
        test_exchange_assert_sane(exchange, &task, endpoint, &harvest);
        assert_int_equal(harvest.skips.count, 0);
        for (size_t i = 0; i < harvest.rows.count; i++)
            check_row(fixture, exchange, endpoint, &task, &harvest.rows.items[i]);
        for (size_t i = 0; i < harvest.instruments.count; i++)
            check_instrument(fixture, exchange, &harvest.instruments.items[i]);
        found += harvest.rows.count + harvest.instruments.count + harvest.families.count;
        oi_http_reply_release(&reply);
        if (!harvest.next_page)
            break;
        (void) snprintf(page, sizeof(page), "%s", harvest.next_page);
        task.page = page;
    }
    oi_harvest_release(&harvest);
    return found;
}

/* Every symbol of the endpoint's product that has figures. */
static void
run_symbols(struct fixture *fixture, const struct oi_exchange *exchange,
            const struct oi_endpoint *endpoint, struct oi_task task)
{
    size_t asked = 0;

    for (size_t i = 0; i < fixture->catalogue.markets.count; i++) {
        const struct oi_market *market = &fixture->catalogue.markets.items[i];

        if (market->venue != venue_of(exchange) || market->state != OI_MARKET_LISTED ||
            strcmp(market->product, endpoint->product) != 0)
            continue;
        /* COIN-M keeps a history of perpetuals alone. */
        if (task.kind == OI_TASK_HISTORY &&
            (asked >= 4 || (strcmp(market->product, "coinm") == 0 && market->rank > 0) ||
             (strcmp(market->product, "coinm") == 0 && market->kind != OI_KIND_PERPETUAL)))
            continue;
        task.symbol = market->symbol;
        assert_true(run(fixture, exchange, endpoint, task) > 0);
        asked++;
    }
    assert_true(asked > 0);
}

/* Families as the exchange names them: those that are fixed, or of every page of its list. */
static void
list_families(struct fixture *fixture, const struct oi_exchange *exchange,
              const struct oi_endpoint *endpoint, struct oi_harvest *harvest)
{
    struct oi_task task = { .kind = OI_TASK_FAMILIES, .now = NOW };

    for (const char *const *family = endpoint->families; family && *family; family++)
        oi_harvest_add_family(harvest, oi_slice_of(*family));
    for (size_t i = 0; !endpoint->families && i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *lister = &exchange->endpoints[i];

        if (lister->kind != OI_TASK_FAMILIES || strcmp(lister->product, endpoint->product) != 0)
            continue;
        task.product = lister->product;
        do {
            struct oi_http_reply reply = {};

            harvest->next_page = NULL;
            assert_status(ask(fixture, exchange, lister, &task, &reply).status, OI_OK);
            assert_ok(lister->read(&task, oi_buffer_slice(&reply.body), harvest, NULL));
            oi_http_reply_release(&reply);
            task.page = harvest->next_page;
        } while (task.page);
    }
    assert_true(harvest->families.count > 0);
}

static void
run_families(struct fixture *fixture, const struct oi_exchange *exchange,
             const struct oi_endpoint *endpoint, struct oi_task task)
{
    struct oi_harvest families = {};

    list_families(fixture, exchange, endpoint, &families);
    for (size_t i = 0; i < families.families.count; i++) {
        const char *family = families.families.items[i];
        /* Currencies that have spot pairs alone, and a coin with futures and no options. */
        bool is_empty = strcmp(family, "USDT") == 0 || strcmp(family, "EURR") == 0 ||
                        strcmp(family, "XRP") == 0;

        task.family = family;
        assert_int_equal(run(fixture, exchange, endpoint, task) > 0, !is_empty);
    }
    oi_harvest_release(&families);
}

static void
every_endpoint_answers_with_the_models_figures(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; oi_exchanges[i]; i++) {
        const struct oi_exchange *exchange = oi_exchanges[i];

        for (size_t row = 0; row < exchange->endpoint_count; row++) {
            const struct oi_endpoint *endpoint = &exchange->endpoints[row];
            struct oi_task task = { .kind = endpoint->kind,
                                    .product = endpoint->product,
                                    .now = NOW,
                                    .span = { NOW - 10 * OI_HOUR, NOW } };

            switch (endpoint->scope) {
            case OI_SCOPE_PRODUCT:
                assert_true(run(fixture, exchange, endpoint, task) > 0);
                break;
            case OI_SCOPE_FAMILY:
                run_families(fixture, exchange, endpoint, task);
                break;
            case OI_SCOPE_SYMBOL:
                run_symbols(fixture, exchange, endpoint, task);
                break;
            }
            oi_virtual_clock_advance(&fixture->clock, 2 * OI_SECOND);
        }
    }
    assert_true(fixture->instruments > 300);
    assert_true(fixture->rows > 1'000);
    assert_int_equal(oi_simulator_violations(fixture->world, NULL), 0);
    print_message("%zu instruments, %zu rows, %llu requests\n", fixture->instruments, fixture->rows,
                  (unsigned long long) oi_simulator_requests(fixture->world, NULL));
}

struct tally {
    size_t count;
    const struct oi_catalogue *catalogue;
    oi_time last;
    struct oi_observation newest;
};

static enum oi_status
count_instrument(void *context, const struct oi_instrument *found, struct oi_error *)
{
    struct tally *tally = context;
    enum oi_venue venue;

    assert_true(oi_venue_find(oi_slice_of(found->exchange), &venue));
    assert_non_null(oi_catalogue_find(tally->catalogue, venue, oi_slice_of(found->symbol)));
    tally->count++;
    return OI_OK;
}

static enum oi_status
count_reading(void *context, const struct oi_observation *reading, struct oi_error *)
{
    struct tally *tally = context;

    assert_true(tally->count == 0 || reading->time == tally->last + OI_HOUR);
    tally->last = reading->time;
    tally->newest = *reading;
    tally->count++;
    return OI_OK;
}

static void
the_past_can_be_had_without_asking(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = { .catalogue = &fixture->catalogue };
    struct oi_figures figures;
    size_t listed = 0;

    for (size_t i = 0; i < fixture->catalogue.markets.count; i++)
        listed += fixture->catalogue.markets.items[i].state == OI_MARKET_LISTED;
    assert_ok(oi_simulator_instruments(SEED, NULL, NOW, count_instrument, &tally, NULL));
    assert_int_equal(tally.count, listed);
    for (size_t i = 0; i < fixture->catalogue.markets.count; i++) {
        const struct oi_market *market = &fixture->catalogue.markets.items[i];

        if (market->state != OI_MARKET_LISTED)
            continue;
        tally = (struct tally){};
        assert_ok(oi_simulator_history(SEED, oi_venue_name(market->venue), market->symbol,
                                       (struct oi_span){ NOW - OI_DAY, NOW }, OI_HOUR,
                                       count_reading, &tally, NULL));
        assert_int_equal(tally.count, 24);
        oi_market_figures(SEED, market, tally.last, &figures);
        assert_true(oi_decimal_equal(&tally.newest.open_interest, &figures.open_interest));
    }
    assert_status(oi_simulator_history(SEED, "binance", "GONEUSDT",
                                       (struct oi_span){ NOW - OI_DAY, NOW }, OI_HOUR,
                                       count_reading, &tally, NULL),
                  OI_E_NOT_FOUND);
}

static size_t
readings_of(const char *symbol, oi_time from, oi_time to)
{
    struct tally tally = {};

    assert_ok(oi_simulator_history(SEED, "okx", symbol, (struct oi_span){ from, to }, OI_HOUR,
                                   count_reading, &tally, NULL));
    return tally.count;
}

static void
contracts_have_a_past_around_their_roll(void **)
{
    oi_time expiry = oi_expiry_after(NOW, true); /* 25 December 2026 */

    assert_int_equal(readings_of("BTC-USD-261225", expiry - OI_DAY, expiry + OI_DAY), 24);
    assert_int_equal(readings_of("BTC-USD-270625", expiry - OI_DAY, expiry - OI_HOUR), 23);
    assert_int_equal(readings_of("BTC-USD-270625", expiry - 30 * OI_DAY, expiry - 29 * OI_DAY), 0);
}

/* The verdict on a bulk reply of this exchange, one second after the last. */
static enum oi_status
verdict_on(struct fixture *fixture, const char *name, struct oi_http_reply *reply)
{
    const struct oi_exchange *exchange = oi_exchange_find(oi_slice_of(name));
    const struct oi_endpoint *endpoint = NULL;
    struct oi_task task = { .now = NOW, .symbol = "BTCUSDT", .family = NULL };

    for (size_t i = 0; !endpoint; i++)
        if (exchange->endpoints[i].kind == OI_TASK_CURRENT)
            endpoint = &exchange->endpoints[i];
    task.kind = OI_TASK_CURRENT;
    task.product = endpoint->product;
    if (endpoint->scope == OI_SCOPE_FAMILY)
        task.family = "BTC";
    oi_virtual_clock_advance(&fixture->clock, OI_SECOND);
    return ask(fixture, exchange, endpoint, &task, reply).status;
}

static void
moods_are_what_the_adapters_take_them_for(void **state)
{
    static const struct {
        const char *mood, *exchange;
        enum oi_status status;
    } cases[] = {
        { "binance=418:120", "binance", OI_E_BUSY },
        { "bybit=html", "bybit", OI_E_UPSTREAM },
        { "deribit=451", "deribit", OI_E_DENIED },
        { "bybit=403", "bybit", OI_E_DENIED },
        { "okx=503@1..1", "okx", OI_E_BUSY },
        { "okx=503@2..2", "okx", OI_OK },
        { "hyperliquid=500", "hyperliquid", OI_E_UPSTREAM },
        { "", "okx", OI_OK },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct oi_http_reply reply = {};

        assert_ok(oi_simulator_set_moods(fixture->world, oi_slice_of(cases[i].mood), NULL));
        assert_status(verdict_on(fixture, cases[i].exchange, &reply), cases[i].status);
        oi_http_reply_release(&reply);
    }
}

static bool
has_text(const struct oi_buffer *body, const char *text)
{
    return memmem(body->data, body->size, text, strlen(text)) != NULL;
}

static void
a_dropped_market_is_missing_and_others_are_there(void **state)
{
    struct fixture *fixture = *state;
    struct oi_http_reply reply = {};

    assert_ok(oi_simulator_set_moods(fixture->world, OI_SLICE("bybit=drop:ETHUSDT"), NULL));
    assert_ok(verdict_on(fixture, "bybit", &reply));
    assert_false(has_text(&reply.body, "\"ETHUSDT\""));
    assert_true(has_text(&reply.body, "\"BTCUSDT\""));
    oi_http_reply_release(&reply);
}

static void
too_many_requests_are_refused_and_counted(void **state)
{
    static const struct {
        const char *exchange;
        unsigned fine;
    } cases[] = { { "okx", 20 }, { "bybit", 600 }, { "hyperliquid", 60 }, { "deribit", 200 } };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        for (unsigned request = 0; request <= cases[i].fine; request++) {
            struct oi_http_reply reply = {};
            bool is_last = request == cases[i].fine;

            assert_status(verdict_on(fixture, cases[i].exchange, &reply),
                          is_last ? OI_E_BUSY : OI_OK);
            oi_virtual_clock_advance(&fixture->clock, -OI_SECOND);
            oi_http_reply_release(&reply);
        }
        assert_int_equal(oi_simulator_violations(fixture->world, cases[i].exchange), 1);
    }
}

static void
binance_tells_the_weight_used_and_bans_who_goes_on(void **state)
{
    struct fixture *fixture = *state;
    const struct oi_slice *used;

    for (unsigned request = 1; request <= 2'411; request++) {
        struct oi_http_reply reply = {};
        enum oi_status status = verdict_on(fixture, "binance", &reply);

        oi_virtual_clock_advance(&fixture->clock, -OI_SECOND);
        if (request == 17) {
            used = oi_http_reply_find(&reply, "X-MBX-USED-WEIGHT-1M");
            assert_true(used && oi_slice_is(*used, "17"));
        }
        assert_status(status, request <= 2'400 ? OI_OK : OI_E_BUSY);
        assert_int_equal(reply.status, request <= 2'400 ? 200 : request <= 2'410 ? 429 : 418);
        oi_http_reply_release(&reply);
    }
    assert_int_equal(oi_simulator_violations(fixture->world, "binance"), 11);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_endpoint_answers_with_the_models_figures, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_past_can_be_had_without_asking, set_up, tear_down),
        cmocka_unit_test(contracts_have_a_past_around_their_roll),
        cmocka_unit_test_setup_teardown(moods_are_what_the_adapters_take_them_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_dropped_market_is_missing_and_others_are_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_many_requests_are_refused_and_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(binance_tells_the_weight_used_and_bans_who_goes_on, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("contract/simulator", tests, NULL, NULL);
}
