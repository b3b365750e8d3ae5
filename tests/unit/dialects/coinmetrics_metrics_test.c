/* SPDX-License-Identifier: Apache-2.0 */
/* Coin Metrics metrics: what is asked, every layout of a row, rounding, and what is refused. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define PATH "/v4/timeseries/"
#define FUTURE "open_interest_reported_future_usd"
#define COIN "open_interest_reported_future_coin_margined_usd"
#define OPTION "open_interest_reported_option_notional_usd"

/* Two rows of one entity that has the first two of three measures. */
struct fixture {
    struct oi_market market;
    struct oi_decimal values[2][3];
    struct oi_measured rows[2];
    struct oi_block block;
};

static void
fill(struct fixture *fixture, const char *name, unsigned measures)
{
    *fixture = (struct fixture){
        .market = { .name = name, .measures = measures },
        .values = { { test_decimal("36058939262.60215"), test_decimal("0.1234567890123456789") },
                    { test_decimal("1234567"), {} } },
        .rows = { { test_time("2026-03-07T00:00:00Z"), fixture->values[0] },
                  { test_time("2026-03-08T00:00:00Z"), fixture->values[1] } },
    };
    fixture->block =
        (struct oi_block){ .market = &fixture->market, .count = 2, .measured = fixture->rows };
}

static void
answers(const char *target, struct oi_position next, const char *body)
{
    struct test_exchange exchange;
    struct fixture fixture;
    struct oi_result *result;

    fill(&fixture, "btc", 3);
    assert_ok(test_ask(&exchange, target, NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_METRICS);
    result = oi_result_of_blocks(&fixture.block, 1, &fixture.market, 1);
    result->next_position = next;
    assert_ok(test_render(&exchange, result));
    test_body_is(&exchange, body);
    if (next.is_set && exchange.query.format == 2)
        assert_string_equal(
            test_header(&exchange, "x-next-page-url"),
            "http://oi.test/v4/timeseries/asset-metrics?assets=btc&metrics=" FUTURE
            "&format=csv&next_page_token=0.MjAyNi0wMy0wN1QwMDowMDowMC4wMDAwMDAwMDBa");
    test_close(&exchange);
}

static const struct oi_position nowhere;

static void
writes_metrics_in_alphabetical_order_and_null_where_there_is_no_data(void **)
{
    answers(PATH "asset-metrics?assets=btc&metrics=" OPTION "," FUTURE "%2C" COIN, nowhere,
            "{\"data\":[{\"asset\":\"btc\",\"time\":\"2026-03-07T00:00:00.000000000Z\",\"" COIN
            "\":\"36058939262.6022\",\"" FUTURE "\":\"0.123456789012346\"},"
            "{\"asset\":\"btc\",\"time\":\"2026-03-08T00:00:00.000000000Z\",\"" COIN
            "\":\"1234567\",\"" FUTURE "\":null}]}");
    answers(PATH "asset-metrics?assets=btc&null_as_zero=true&format=json_stream&metrics=" OPTION
                 "," FUTURE "%2C" COIN,
            nowhere,
            "{\"asset\":\"btc\",\"time\":\"2026-03-07T00:00:00.000000000Z\",\"" COIN
            "\":\"36058939262.6022\",\"" FUTURE "\":\"0.123456789012346\"}\n"
            "{\"asset\":\"btc\",\"time\":\"2026-03-08T00:00:00.000000000Z\",\"" COIN
            "\":\"1234567\",\"" FUTURE "\":\"0\"}\n");
    answers(PATH "exchange-asset-metrics?exchange_assets=binance-btc&pretty=true&metrics=" FUTURE,
            nowhere,
            "{\n  \"data\": [\n    {\n      \"exchange_asset\": \"btc\",\n      \"time\": "
            "\"2026-03-07T00:00:00.000000000Z\",\n      \"" FUTURE
            "\": \"36058939262.6022\"\n    },\n    {\n      \"exchange_asset\": \"btc\",\n      "
            "\"time\": \"2026-03-08T00:00:00.000000000Z\",\n      \"" FUTURE
            "\": \"1234567\"\n    }\n  ]\n}\n");
}

static void
tells_where_the_next_page_is(void **)
{
    const struct oi_position next = { .is_set = true, .time = test_time("2026-03-07T00:00:00Z") };

    answers(
        PATH "pair-metrics?pairs=btc&metrics=" FUTURE "&sort=time&page_size=2", next,
        "{\"data\":[{\"pair\":\"btc\",\"time\":\"2026-03-07T00:00:00.000000000Z\",\"" FUTURE
        "\":\"36058939262.6022\"},{\"pair\":\"btc\",\"time\":\"2026-03-08T00:00:00.000000000Z\","
        "\"" FUTURE "\":\"1234567\"}],"
        "\"next_page_token\":\"0.MjAyNi0wMy0wN1QwMDowMDowMC4wMDAwMDAwMDBa\","
        "\"next_page_url\":\"http://oi.test/v4/timeseries/pair-metrics?pairs=btc&metrics=" FUTURE
        "&sort=time&page_size=2&next_page_token=0."
        "MjAyNi0wMy0wN1QwMDowMDowMC4wMDAwMDAwMDBa\"}");
    answers(PATH "asset-metrics?assets=btc&metrics=" FUTURE "&format=csv", next,
            "asset,time," FUTURE "\nbtc,2026-03-07T00:00:00.000000000Z,36058939262.6022\n"
            "btc,2026-03-08T00:00:00.000000000Z,1234567\n");
}

static void
asks_for_instants_of_entities(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange,
                       PATH "market-metrics?markets=binance-%2A&metrics=" FUTURE "," OPTION
                            "&frequency=1m&sort=time&limit_per_market=5&paging_from=start"
                            "&start_time=2026-03-07&end_time=2026-03-07",
                       NULL));
    assert_int_equal(exchange.query.level, OI_LEVEL_MARKET);
    assert_int_equal(exchange.query.interval_ns, OI_MINUTE);
    assert_int_equal(exchange.query.measure_count, 2);
    assert_int_equal(exchange.query.measures[1].kinds, 1u << OI_KIND_OPTION);
    assert_int_equal(exchange.query.limit_per_market, 5);
    assert_true(exchange.query.order_by_time);
    assert_false(exchange.query.from_end);
    assert_int_equal(exchange.query.span.to - exchange.query.span.from, OI_DAY);
    assert_string_equal(exchange.query.entities.items[0], "binance-*");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, PATH "exchange-metrics?exchanges=%2A&metrics=" COIN, NULL));
    assert_int_equal(exchange.query.level, OI_LEVEL_EXCHANGE);
    assert_int_equal(exchange.query.interval_ns, OI_DAY);
    assert_int_equal(exchange.query.measures[0].margin, OI_MARGIN_COIN);
    assert_true(exchange.query.from_end);
    test_close(&exchange);
    test_accepted(PATH "asset-metrics?assets=btc&metrics=PriceUSD&ignore_unsupported_errors=true");
    test_accepted(PATH "asset-metrics?assets=btc&metrics=" FUTURE "&status=all&markets=x");
}

static void
refuses_with_the_words_of_the_vendor(void **)
{
    static const struct {
        const char *query, *message;
    } cases[] = {
        { "asset-metrics?metrics=" FUTURE, "Bad parameter 'assets'. Missing required parameter." },
        { "asset-metrics?assets=btc", "Bad parameter 'metrics'. Missing required parameter." },
        { "asset-metrics?assets=btc&metrics=PriceUSD",
          "Bad parameter 'metrics'. Value 'PriceUSD' is not supported." },
        { "market-metrics?markets=a&metrics=" COIN,
          "Bad parameter 'metrics'. Value '" COIN "' is not supported." },
        { "exchange-metrics?exchanges=a&ignore_unsupported_errors=true&metrics=x",
          "Bad parameter 'metrics'. Value 'x' is not supported." },
        { "asset-metrics?assets=btc&frequency=1m&metrics=" FUTURE,
          "Bad parameter 'frequency'. Requested metric '" FUTURE
          "' with frequency '1m' is not supported." },
        { "market-metrics?markets=a&frequency=5m&metrics=" FUTURE,
          "Bad parameter 'frequency'. Requested metric '" FUTURE
          "' with frequency '5m' is not supported." },
        { "asset-metrics?assets=btc&frequency=daily&metrics=" FUTURE,
          "Bad parameter 'frequency'. Value 'daily' is not supported." },
        { "asset-metrics?assets=btc&sort=exchange&metrics=" FUTURE,
          "Bad parameter 'sort'. Value 'exchange' is not supported." },
        { "pair-metrics?pairs=btc-usd&limit_per_pair=0&metrics=" FUTURE,
          "Bad parameter 'limit_per_pair'. Must be at least 1." },
        { "asset-metrics?assets=btc&page_size=10001&metrics=" FUTURE,
          "Bad parameter 'page_size'. Must be at most 10000." },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        char target[512];

        (void) snprintf(target, sizeof(target), PATH "%s", cases[i].query);
        test_refused_with(target, 400, cases[i].message);
    }
}

static void
refuses_a_named_entity_that_has_none_of_the_metrics(void **)
{
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture, "binance-btc", 0);
    assert_ok(test_ask(&exchange,
                       PATH "exchange-asset-metrics?exchange_assets=binance-btc&metrics=" OPTION
                            "&frequency=1h",
                       NULL));
    assert_status(
        test_render(&exchange, oi_result_of_blocks(&fixture.block, 0, &fixture.market, 1)),
        OI_E_INVALID);
    test_refuse(&exchange);
    test_body_is(&exchange, "{\"error\":{\"type\":\"bad_parameter\",\"message\":\"Bad parameter "
                            "'metrics'. Requested metric '" OPTION
                            "' with frequency '1h' for exchange asset 'binance-btc' is not "
                            "supported.\"}}");
    test_close(&exchange);
    /* A pattern leaves it out in silence. */
    assert_ok(test_ask(&exchange,
                       PATH "exchange-asset-metrics?exchange_assets=*-btc&metrics=" OPTION, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&fixture.block, 0, &fixture.market, 1)));
    test_body_is(&exchange, "{\"data\":[]}");
    test_close(&exchange);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_metrics_in_alphabetical_order_and_null_where_there_is_no_data),
        cmocka_unit_test(tells_where_the_next_page_is),
        cmocka_unit_test(asks_for_instants_of_entities),
        cmocka_unit_test(refuses_with_the_words_of_the_vendor),
        cmocka_unit_test(refuses_a_named_entity_that_has_none_of_the_metrics),
    };

    return cmocka_run_group_tests_name("dialects/coinmetrics_metrics", tests, NULL, NULL);
}
