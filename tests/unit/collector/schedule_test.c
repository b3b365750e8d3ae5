/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked next: minutes under clocks that jump, expansion, order, limits beside each other.
 */
#include "collector/schedule.h"

#include "support/test.h"

static const struct oi_limit limits[] = {
    { .name = "a", .weight_max = 2, .window_ms = 10'000 },
    { .name = "b", .weight_max = 2, .window_ms = 10'000 },
};
static const char *const fixed[] = { "BTC", "ETH", NULL };
static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_CURRENT, .product = "linear", .scope = OI_SCOPE_SYMBOL, .weight = 1 },
    { .kind = OI_TASK_CURRENT, .scope = OI_SCOPE_FAMILY, .families = fixed, .weight = 1 },
    { .kind = OI_TASK_CURRENT, .product = "dex", .scope = OI_SCOPE_FAMILY, .weight = 1 },
    { .kind = OI_TASK_PRICES, .product = "linear", .limit = 1, .weight = 1 },
    { .kind = OI_TASK_INSTRUMENTS, .every_ns = OI_HOUR, .weight = 1 },
};
static const struct oi_exchange exchange = { .name = "example",
                                             .limits = limits,
                                             .limit_count = OI_COUNT(limits),
                                             .endpoints = endpoints,
                                             .endpoint_count = OI_COUNT(endpoints) };
static const struct oi_slot slot = { .minute = OI_HOUR, .from_ns = 100, .spread_ns = 1000 };

static void
a_minute_is_begun_once_and_a_jumping_clock_is_followed(void **)
{
    oi_time noon = 12 * OI_HOUR;

    assert_int_equal(oi_schedule_minute(OI_TIME_NONE, noon + 7 * OI_SECOND), noon);
    assert_int_equal(oi_schedule_minute(noon, noon + 59 * OI_SECOND), OI_TIME_NONE);
    assert_int_equal(oi_schedule_minute(noon, noon + OI_MINUTE), noon + OI_MINUTE);
    assert_int_equal(oi_schedule_minute(noon, noon + OI_HOUR + 1), noon + OI_HOUR);
    assert_int_equal(oi_schedule_minute(noon, noon - OI_SECOND), OI_TIME_NONE);
    assert_int_equal(oi_schedule_minute(noon, noon - OI_DAY), noon - OI_DAY);
}

static void
endpoints_are_due_by_their_own_time(void **)
{
    assert_true(oi_schedule_is_due(&endpoints[0], OI_HOUR, OI_HOUR));
    assert_true(oi_schedule_is_due(&endpoints[4], OI_TIME_NONE, OI_HOUR));
    assert_false(oi_schedule_is_due(&endpoints[4], OI_HOUR, OI_HOUR + 59 * OI_MINUTE));
    assert_true(oi_schedule_is_due(&endpoints[4], OI_HOUR, 2 * OI_HOUR));
    assert_true(oi_schedule_is_due(&endpoints[4], OI_HOUR, 0));
}

static void
markets_are_ranked_by_worth_and_the_unknown_come_last(void **)
{
    struct oi_market markets[] = {
        { .symbol = "NEW", .entry = 0 },
        { .symbol = "SMALL", .entry = 1, .worth = oi_decimal_from(5, 0) },
        { .symbol = "LARGE", .entry = 2, .worth = oi_decimal_from(1, 9) },
        { .symbol = "NEWER", .entry = 3 },
    };

    oi_schedule_rank(markets, OI_COUNT(markets));
    assert_string_equal(markets[0].symbol, "LARGE");
    assert_string_equal(markets[1].symbol, "SMALL");
    assert_string_equal(markets[2].symbol, "NEW");
    assert_string_equal(markets[3].symbol, "NEWER");
}

static void
endpoints_expand_by_their_scope_and_spread(void **)
{
    const struct oi_market markets[] = {
        { .product = "linear", .symbol = "A", .entry = 7 },
        { .product = "inverse", .symbol = "B", .entry = 8 },
        { .product = "linear", .symbol = "C", .entry = 9 },
    };
    const struct oi_roster_family families[] = { { "dex", "xyz" }, { "other", "abc" } };
    const struct oi_roster roster = { &exchange, markets, OI_COUNT(markets), families,
                                      OI_COUNT(families) };
    struct oi_agenda agenda = {};

    for (size_t i = 0; i < 4; i++)
        oi_schedule_expand(&agenda, &roster, i, &slot);
    assert_int_equal(agenda.asks.count, 2 + 2 + 1 + 1);
    assert_string_equal(agenda.asks.items[0].symbol, "A");
    assert_int_equal(agenda.asks.items[0].due_ns, 100);
    assert_string_equal(agenda.asks.items[1].symbol, "C");
    assert_int_equal(agenda.asks.items[1].entry, 9);
    assert_int_equal(agenda.asks.items[1].due_ns, 600);
    assert_string_equal(agenda.asks.items[2].family, "BTC");
    assert_string_equal(agenda.asks.items[4].family, "xyz");
    assert_null(agenda.asks.items[5].family);
    assert_int_equal(agenda.asks.items[5].minute, OI_HOUR);
    oi_agenda_release(&agenda);
}

static void
a_full_limit_holds_up_its_own_asks_alone(void **)
{
    const struct oi_market markets[] = {
        { .product = "linear", .symbol = "A" },
        { .product = "linear", .symbol = "B" },
        { .product = "linear", .symbol = "C" },
    };
    const struct oi_roster roster = { .exchange = &exchange,
                                      .markets = markets,
                                      .market_count = 3 };
    const struct oi_slot at_once = { .minute = 0, .from_ns = 0 };
    struct oi_agenda agenda = {};
    struct oi_pace pace;
    struct oi_ask ask;
    int64_t wake;

    oi_pace_init(&pace, &exchange);
    oi_schedule_expand(&agenda, &roster, 0, &at_once);
    oi_schedule_expand(&agenda, &roster, 3, &at_once);
    for (int i = 0; i < 3; i++) {
        assert_true(oi_schedule_next(&agenda, &exchange, &pace, 0, &ask, &wake));
        oi_pace_spend(&pace, endpoints[ask.endpoint].limit, 1, 0);
    }
    assert_int_equal(ask.endpoint, 3);
    assert_false(oi_schedule_next(&agenda, &exchange, &pace, 0, &ask, &wake));
    assert_int_equal(wake, 10 * OI_SECOND + OI_PACE_SLACK_NS);
    assert_true(oi_schedule_next(&agenda, &exchange, &pace, wake, &ask, &wake));
    assert_string_equal(ask.symbol, "C");
    assert_false(oi_schedule_next(&agenda, &exchange, &pace, 0, &ask, &wake));
    assert_int_equal(wake, INT64_MAX);
    oi_pace_release(&pace);
    oi_agenda_release(&agenda);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_is_begun_once_and_a_jumping_clock_is_followed),
        cmocka_unit_test(endpoints_are_due_by_their_own_time),
        cmocka_unit_test(markets_are_ranked_by_worth_and_the_unknown_come_last),
        cmocka_unit_test(endpoints_expand_by_their_scope_and_spread),
        cmocka_unit_test(a_full_limit_holds_up_its_own_asks_alone),
    };

    return cmocka_run_group_tests_name("collector/schedule", tests, NULL, NULL);
}
