/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kwery's Kalshi, from the question to the answer: an asset is the sum over its open contracts, a
 * ticker is one of them. Over a store with three contracts on BTC, of which one ends, and one on
 * something else.
 */
#include "exchanges/exchange.h"
#include "query/run.h"
#include "support/test_dialect.h"
#include "support/test_store.h"

#define T0 (INT64_C(1'780'963'200) * OI_SECOND) /* 2026-06-09T00:00:00Z, an hour of its own */
#define STEP (10 * OI_MINUTE)
#define MARKETS 4

struct world {
    struct test_store store;
    struct oi_convention_page page;
    struct oi_convention_book book;
    struct oi_source source;
    char *folder;
};

static const struct {
    const char *ticker, *base;
    int64_t figure; /* in hundredths of a contract */
    int steps;      /* for how many steps from T0 it is open */
} markets[MARKETS] = {
    { "KXBTC-26JUN30-80000", "BTC", 1'025, 24 },
    { "KXBTC-26JUN30-90000", "BTC", 250, 24 },
    { "KXBTC15M-26JUN090030-30", "BTC", 700, 3 },
    { "KXBTCRESERVE-27", "KXBTCRESERVE", 9'900, 24 },
};

static struct oi_instrument
instrument_of(size_t market)
{
    struct oi_instrument instrument =
        test_perpetual("kalshi", "event", markets[market].ticker, markets[market].base, "USD");

    instrument.id = 0;
    instrument.kind = OI_KIND_EVENT;
    instrument.expiry = T0 + markets[market].steps * STEP;
    return instrument;
}

static void
fill(struct world *world)
{
    struct oi_instrument definitions[MARKETS];
    uint32_t ids[MARKETS];
    uint32_t series[MARKETS];
    const struct oi_feed live = { .name = "live" };
    uint16_t feed;

    for (size_t i = 0; i < MARKETS; i++)
        definitions[i] = instrument_of(i);
    assert_ok(oi_store_define(world->store.store, definitions, MARKETS, ids, NULL, NULL));
    assert_ok(oi_store_feed(world->store.store, &live, &feed, NULL));
    for (size_t i = 0; i < MARKETS; i++)
        assert_ok(oi_store_series(world->store.store, ids[i], feed, &series[i], NULL));
    for (int step = 0; step < 24; step++) {
        struct oi_row rows[MARKETS];
        size_t count = 0;

        for (size_t i = 0; i < MARKETS; i++) {
            if (step >= markets[i].steps)
                continue;
            rows[count] = (struct oi_row){ .series = series[i], .reading = OI_OBSERVATION_NONE };
            rows[count].reading.time = T0 + step * STEP;
            rows[count++].reading.open_interest = oi_decimal_from(markets[i].figure, -2);
        }
        assert_int_equal(test_store_append(&world->store, rows, count).stored, count);
    }
}

static int
set_up(void **state)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));

    if (test_folder_setup((void **) &world->folder) != 0)
        return -1;
    oi_virtual_clock_init(&world->store.clock, T0 + OI_DAY);
    world->store.options =
        (struct oi_store_options){ .clock = &world->store.clock.clock, .engine = &oi_kv_memory };
    (void) snprintf(world->store.path, sizeof(world->store.path), "%s/store", world->folder);
    test_store_open(&world->store);
    fill(world);
    world->page = (struct oi_convention_page){ "kalshi", oi_exchange_kalshi.conventions,
                                               oi_exchange_kalshi.convention_count };
    world->book = (struct oi_convention_book){ &world->page, 1 };
    world->source = (struct oi_source){ .store = world->store.store,
                                        .conventions = &world->book,
                                        .clock = &world->store.clock.clock,
                                        .names = oi_names_new() };
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    oi_names_free(&world->source.names);
    test_store_close(&world->store);
    (void) test_folder_teardown((void **) &world->folder);
    oi_free(world);
    return 0;
}

/* Ask and compare the figures of the rows, in contracts and dollars, one pair a row. */
static void
assert_answer(struct world *world, const char *target, const char *const *figures)
{
    const struct oi_json_node *row;
    struct test_exchange exchange;
    struct oi_result *result = NULL;
    struct oi_json *json;

    assert_ok(test_ask(&exchange, target, NULL));
    assert_ok(oi_query_run(&world->source, &exchange.query, &result, &exchange.problem, NULL));
    assert_ok(test_render(&exchange, result));
    json = test_body_json(&exchange);
    row = oi_json_first(oi_json_member(oi_json_root(json), "data"));
    for (; *figures; figures++, row = oi_json_next(row)) {
        if (!row)
            fail_msg("%s: a row is missing: %.*s", target,
                     OI_SLICE_ARGS(oi_buffer_slice(&exchange.reply.body)));
        assert_true(oi_slice_is(oi_json_text(oi_json_member(row, "source")), "kalshi"));
        if (!oi_slice_is(oi_json_text(oi_json_member(row, "open_interest")), *figures) ||
            !oi_slice_is(oi_json_text(oi_json_member(row, "open_interest_usd")), *figures))
            fail_msg("%s: not %s: %.*s", target, *figures,
                     OI_SLICE_ARGS(oi_buffer_slice(&exchange.reply.body)));
    }
    assert_null(row);
    oi_json_close(&json);
    test_close(&exchange);
}

#define ASK "/v1/open-interest?start=2026-06-09T00:00:00Z&end=2026-06-09T04:00:00Z&symbol="

static void
an_asset_is_the_sum_over_its_open_contracts(void **state)
{
    static const char *const figures[] = { "19.75", "12.75", "12.75", "12.75", NULL };

    assert_answer(*state, ASK "BTC&source=kalshi", figures);
    /* The other sources have no BTC here. */
    assert_answer(*state, ASK "BTC", figures);
}

static void
a_contract_that_ended_is_no_part_of_the_sum_from_then_on(void **state)
{
    /* First readings of 00:00, 00:15, 00:30, 00:45. */
    static const char *const figures[] = { "19.75", "19.75", "12.75", "12.75", NULL };

    assert_answer(*state,
                  "/v1/open-interest?symbol=BTC&source=kalshi&interval=15m&limit=4&"
                  "start=2026-06-09T00:00:00Z",
                  figures);
}

static void
a_ticker_is_one_contract(void **state)
{
    static const char *const figures[] = { "2.5", "2.5", "2.5", "2.5", NULL };
    static const char *const ended[] = { "7", NULL };

    assert_answer(*state, ASK "KXBTC-26JUN30-90000&source=kalshi", figures);
    assert_answer(*state, ASK "KXBTC-26JUN30-90000", figures);
    assert_answer(*state, ASK "KXBTC15M-26JUN090030-30&source=kalshi", ended);
}

static void
a_series_about_something_else_is_no_part_of_the_asset(void **state)
{
    static const char *const figures[] = { "99", "99", "99", "99", NULL };

    assert_answer(*state, ASK "KXBTCRESERVE&source=kalshi", figures);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_asset_is_the_sum_over_its_open_contracts),
        TEST(a_contract_that_ended_is_no_part_of_the_sum_from_then_on),
        TEST(a_ticker_is_one_contract),
        TEST(a_series_about_something_else_is_no_part_of_the_asset),
    };

    return cmocka_run_group_tests_name("contract/kwery_events", tests, NULL, NULL);
}
