/* SPDX-License-Identifier: Apache-2.0 */
/* Kiyotaka: series of candles, sums, lists and weights. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define ASK                                                                                        \
    "/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT&interval=HOUR&"  \
    "from=1774800000&period=3600"

static struct oi_candle
candle(oi_time start, const char *open, const char *high, const char *low, const char *close)
{
    return (struct oi_candle){ .start = start,
                               .open = test_decimal(open),
                               .high = test_decimal(high),
                               .low = test_decimal(low),
                               .close = test_decimal(close),
                               .count = 1 };
}

static void
answers_the_vendors_sample(void **)
{
    struct oi_json *expected = test_example("kiyotaka_points-single.json"), *actual;
    const struct oi_instrument instrument =
        test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    const struct oi_market market = { .instrument = &instrument };
    const struct oi_candle candles[] = { candle(1'774'800'000 * OI_SECOND, "95444.539", "95612.984",
                                                "95443.774", "95539.108") };
    const struct oi_block block = { .market = &market, .count = 1, .candles = candles };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "{\"series\":[{\"id\":{\"type\":\"OPEN_INTEREST_AGG\",\"exchange\":\"BINANCE_"
                 "FUTURES\",\"rawSymbol\":\"BTCUSDT\",\"normalizedSymbol\":\"BTC-USDT\","
                 "\"category\":\"PERPETUAL\",\"interval\":\"HOUR\",\"coin\":\"BTC\"},\"points\":[{"
                 "\"Point\":{\"open\":95444.539,\"high\":95612.984,\"low\":95443.774,\"close\":"
                 "95539.108,\"timestamp\":{\"s\":1774800000}}}]}]}");
    assert_string_equal(test_header(&exchange, "X-RateLimit-Weight"), "1");
    if (expected) {
        actual = test_body_json(&exchange);
        assert_true(test_nodes_equal(oi_json_root(expected), oi_json_root(actual)));
        oi_json_close(&actual);
        oi_json_close(&expected);
    }
    test_close(&exchange);
}

static void
opens_a_series_for_each_market_and_leaves_unknown_values_out(void **)
{
    const struct oi_instrument instruments[] = {
        test_perpetual("bybit", "linear", "BTCUSDT", "BTC", "USDT"),
        test_perpetual("hyperliquid", "perp", "BTC", "BTC", "USDC"),
    };
    const struct oi_market markets[] = {
        { .instrument = &instruments[0] },
        { .instrument = &instruments[1], .index = 1 },
    };
    struct oi_candle candles[] = { candle(0, "1", "2", "1", "2"),
                                   candle(OI_HOUR, "2", "2", "2", "2") };
    const struct oi_block blocks[] = {
        { .market = &markets[0], .count = 1, .candles = candles },
        { .market = &markets[0], .count = 1, .candles = candles + 1 },
        { .market = &markets[1], .count = 0 },
        { .market = &markets[1], .count = 2, .candles = candles },
    };
    struct test_exchange exchange;
    struct oi_json *json;
    const struct oi_json_node *series;

    candles[1].open = (struct oi_decimal){};
    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 4, markets, 2)));
    json = test_body_json(&exchange);
    series = oi_json_member(oi_json_root(json), "series");
    assert_int_equal(oi_json_count(series), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct oi_json_node *points = oi_json_member(oi_json_item(series, i), "points");

        assert_int_equal(oi_json_count(points), 2);
        assert_null(oi_json_member(oi_json_member(oi_json_item(points, 1), "Point"), "open"));
    }
    oi_json_close(&json);
    test_close(&exchange);
}

static void
names_a_sum_by_what_was_asked_alone(void **)
{
    const struct oi_market market = {};
    const struct oi_candle candles[] = { candle(0, "1", "2", "1", "2") };
    const struct oi_block block = { .market = &market, .count = 1, .candles = candles };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange,
                       "/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&exchange=BYBIT&"
                       "exchange=OKEX_SWAP&coin=BTC&category=PERPETUAL&interval=MINUTE&from=0&"
                       "period=6000000&transform.groupBy.type=GROUP_BY_TYPE_SUM",
                       NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "{\"series\":[{\"id\":{\"type\":\"OPEN_INTEREST_AGG\",\"category\":\"PERPETUAL\","
                 "\"interval\":\"MINUTE\",\"coin\":\"BTC\"},\"points\":[{\"Point\":{\"open\":1,"
                 "\"high\":2,\"low\":1,\"close\":2,\"timestamp\":{\"s\":0}}}]}]}");
    /* 100,000 points, summed over three exchanges. */
    assert_string_equal(test_header(&exchange, "X-RateLimit-Weight"), "160");
    assert_int_equal(exchange.credits, 160);
    test_close(&exchange);
}

static void
answers_with_no_series_where_there_is_nothing(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(NULL, 0, NULL, 0)));
    test_body_is(&exchange, "{\"series\":[]}");
    test_close(&exchange);
}

static void
list_is(const char *target, const char *body)
{
    const struct oi_instrument instruments[] = {
        test_perpetual("bybit", "linear", "BTCUSDT", "BTC", "USDT"),
        test_perpetual("bybit", "linear", "ETHUSDT", "ETH", "USDT"),
    };
    const struct oi_market markets[] = {
        { .instrument = &instruments[0] },
        { .instrument = &instruments[1], .index = 1 },
    };
    const struct oi_block blocks[] = { { .market = &markets[0] }, { .market = &markets[1] } };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, target, "X-Kiyotaka-Key: k"));
    assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 2, markets, 2)));
    test_body_is(&exchange, body);
    assert_int_equal(exchange.credits, 0);
    test_close(&exchange);
}

static void
lists_each_word_once(void **)
{
    list_is("/v1/types", "{\"types\":[\"OPEN_INTEREST_AGG\"]}");
    list_is("/v1/exchanges", "{\"exchanges\":[\"BYBIT\"]}");
    list_is("/v1/categories", "{\"categories\":[\"PERPETUAL\"]}");
    list_is("/v1/coins", "{\"coins\":[\"BTC\",\"ETH\"]}");
    list_is("/v1/symbols", "{\"rawSymbols\":[\"BTCUSDT\",\"ETHUSDT\"]}");
    list_is("/v1/normalized-symbols", "{\"normalizedSymbols\":[\"BTC-USDT\",\"ETH-USDT\"]}");
    list_is("/v1/markets",
            "{\"markets\":[{\"exchange\":\"BYBIT\",\"rawSymbol\":\"BTCUSDT\",\"normalizedSymbol\":"
            "\"BTC-USDT\",\"category\":\"PERPETUAL\",\"coin\":\"BTC\",\"types\":[\"OPEN_INTEREST_"
            "AGG\"]},{\"exchange\":\"BYBIT\",\"rawSymbol\":\"ETHUSDT\",\"normalizedSymbol\":\"ETH-"
            "USDT\",\"category\":\"PERPETUAL\",\"coin\":\"ETH\",\"types\":[\"OPEN_INTEREST_AGG\"]}]"
            ",\"nextPageToken\":\"\"}");
}

static void
tells_what_the_plan_has_left(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, "/v1/usage", NULL));
    exchange.call.allowance = (struct oi_allowance){ .rate_limit = 100,
                                                     .rate_burst = 200,
                                                     .rate_left = 170,
                                                     .rate_reset_s = 18,
                                                     .plan = "Standard" };
    assert_ok(test_render(&exchange, NULL));
    test_body_is(&exchange, "{\"tier\":\"Standard\",\"weightPerMinute\":100,\"weightUsed\":30,"
                            "\"weightRemaining\":170,\"burstCapacity\":200,\"resetSeconds\":18}");
    assert_string_equal(test_header(&exchange, "X-RateLimit-Remaining"), "170");
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_the_vendors_sample),
        cmocka_unit_test(opens_a_series_for_each_market_and_leaves_unknown_values_out),
        cmocka_unit_test(names_a_sum_by_what_was_asked_alone),
        cmocka_unit_test(answers_with_no_series_where_there_is_nothing),
        cmocka_unit_test(lists_each_word_once),
        cmocka_unit_test(tells_what_the_plan_has_left),
    };
    return cmocka_run_group_tests_name("dialects/kiyotaka_render", tests, NULL, NULL);
}
