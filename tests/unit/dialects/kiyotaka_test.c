/* SPDX-License-Identifier: Apache-2.0 */
/* Kiyotaka: what is asked for, and how a refusal reads. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define ASK                                                                                        \
    "/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT&interval=HOUR"
#define RANGE "&from=1774800000&period=3600"

static void
asks_for_the_candles_of_one_market(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange, ASK RANGE, NULL));
    assert_string_equal(exchange.dialect->name, "kiyotaka");
    assert_int_equal(query->kind, OI_QUERY_CANDLES);
    assert_int_equal(query->unit, OI_UNIT_COINS);
    assert_true(query->interval_ns == OI_HOUR);
    assert_true(query->span.from == 1'774'800'000 * OI_SECOND);
    assert_true(query->span.to == query->span.from + OI_HOUR);
    assert_int_equal(query->selectors.count, 1);
    assert_string_equal(query->selectors.items[0].market, "BTCUSDT");
    assert_string_equal(query->selectors.items[0].exchanges.items[0], "BINANCE_FUTURES");
    assert_false(query->is_descending);
    test_close(&exchange);
}

static void
cuts_the_start_to_the_grid(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&from=1774801234&period=5000", NULL));
    assert_true(exchange.query.span.from == 1'774'800'000 * OI_SECOND);
    assert_true(exchange.query.span.to == (1'774'800'000 + 7200) * OI_SECOND);
    test_close(&exchange);
    assert_ok(test_ask(&exchange,
                       "/v1/points?type=OPEN_INTEREST_AGG&coin=BTC&interval=WEEK&from=1774800000&"
                       "period=604800",
                       NULL));
    assert_true(exchange.query.span.from == test_time("2026-03-23")); /* a Monday */
    test_close(&exchange);
}

static void
counts_back_from_now_without_a_start(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&period=86400", NULL));
    assert_true(exchange.query.span.from == test_time("2026-06-08T03:00:00Z"));
    assert_true(exchange.query.span.to == test_time("2026-06-09T03:00:00Z"));
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&from=1774800000", NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_NONE);
    test_close(&exchange);
    test_refused_with(ASK, 400, "INVALID_PARAMS");
}

static void
keeps_repeated_values_apart_and_in_order(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange,
                       "/v1/points?type=OPEN_INTEREST_AGG&type=OPEN_INTEREST_AGG&exchange=OKEX_SWAP"
                       "&exchange=BYBIT&exchange=OKEX_SWAP&rawSymbol=ETHUSDT&rawSymbol=BTCUSDT&"
                       "interval=DAY&category=PERPETUAL&category=FUTURE" RANGE,
                       NULL));
    assert_int_equal(query->selectors.count, 4);
    assert_string_equal(query->selectors.items[0].exchanges.items[0], "OKEX_SWAP");
    assert_string_equal(query->selectors.items[0].market, "BTCUSDT");
    assert_string_equal(query->selectors.items[1].market, "ETHUSDT");
    assert_string_equal(query->selectors.items[2].exchanges.items[0], "BYBIT");
    assert_int_equal(query->selectors.items[0].kinds.count, 2);
    test_close(&exchange);
}

static void
sums_over_exchanges_in_dollars(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange,
                       "/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&exchange=BYBIT&"
                       "exchange=OKEX_SWAP&coin=BTC&interval=HOUR" RANGE
                       "&transform.groupBy.type=GROUP_BY_TYPE_SUM&transform.normalize.quote=USD",
                       NULL));
    assert_int_equal(query->unit, OI_UNIT_USD);
    assert_int_equal(query->selectors.count, 1);
    assert_true(query->selectors.items[0].is_total);
    assert_int_equal(query->selectors.items[0].exchanges.count, 3);
    test_close(&exchange);
    test_refused_with(ASK RANGE "&transform.groupBy.type=GROUP_BY_TYPE_SUM", 400, "coin");
    test_refused_with(ASK RANGE "&transform.groupBy.type=AVERAGE", 400, "INVALID_PARAMS");
    test_refused_with(ASK RANGE "&transform.normalize.quote=EUR", 400, "INVALID_PARAMS");
}

static void
refuses_more_points_than_a_request_may_have(void **)
{
    test_accepted(ASK "&from=0&period=360000000");
    test_refused(ASK "&from=0&period=360000001", NULL, 403,
                 "{\"error\":\"POINT_COUNT_EXCEEDED\",\"message\":\"period: At most 100000 points "
                 "per request. Given: '360000001'.\"}");
    test_refused_with(ASK "&from=0&period=9223372036854775807", 400, "INVALID_PARAMS");
}

static void
refuses_in_the_codes_of_the_vendor(void **)
{
    test_refused_with(ASK RANGE "&interval=HOUR", 400, "INVALID_PARAMS");
    test_refused_with("/v1/points?type=OPEN_INTEREST_AGG&rawSymbol=X&interval=TWO_HOURS" RANGE, 400,
                      "INVALID_TIMEFRAME");
    test_refused_with(
        "/v1/points?type=OPEN_INTEREST_AGG&exchange=bybit&rawSymbol=X&interval=HOUR" RANGE, 400,
        "INVALID_EXCHANGE");
    test_refused_with("/v1/points?type=FUNDING_RATE_AGG&rawSymbol=X&interval=HOUR" RANGE, 400,
                      "INVALID_PARAMS");
    test_refused_with("/v1/points?rawSymbol=X&interval=HOUR" RANGE, 400, "type");
    test_refused_with("/v1/points?type=OPEN_INTEREST_AGG&interval=HOUR" RANGE, 400, "rawSymbol");
    test_refused_with(ASK RANGE "&coin=BTC", 400, "INVALID_PARAMS");
    test_refused_with(ASK RANGE "&category=SWAP", 400, "INVALID_PARAMS");
    test_refused_with(ASK RANGE "&gapfill=true", 400, "INVALID_PARAMS");
    test_refused_with(ASK RANGE "&sortDirection=DOWN", 400, "INVALID_PARAMS");
    test_refused_with(ASK RANGE "&colour=red", 400, "INVALID_PARAMS");
    test_refused_with(ASK "&from=yesterday&period=3600", 400, "INVALID_PARAMS");
    test_refused_with(ASK "&from=-1&period=3600", 400, "INVALID_PARAMS");
    test_accepted(ASK RANGE "&gapfill=false&side=BUY&sortDirection=SORT_DIRECTION_DESC");
}

static void
keeps_to_the_history_of_the_plan(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK RANGE, NULL));
    exchange.call.allowance.history_ns = 7 * OI_DAY;
    assert_status(test_ask_again(&exchange), OI_E_INVALID);
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 403);
    assert_string_equal(exchange.problem.code, "TIME_RANGE_EXCEEDED");
    test_close(&exchange);
}

static void
says_when_to_come_back(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK RANGE, "x-kiyotaka-key: secret"));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "secret"));
    exchange.problem = (struct oi_problem){ .kind = OI_PROBLEM_RATE, .retry_after_s = 9 };
    test_refuse(&exchange);
    test_body_is(&exchange, "{\"error\":\"RATE_LIMITED\",\"message\":\"Request "
                            "refused.\",\"retry_after\":9}");
    assert_int_equal(exchange.reply.status, 429);
    assert_string_equal(test_header(&exchange, "Retry-After"), "9");
    test_close(&exchange);
}

static void
filters_lists_with_and_without_brackets(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange,
                       "/v1/markets?exchange=BYBIT&exchange%5B%5D=DERIBIT&coin[]=BTC&pageSize=10&"
                       "pageToken=20",
                       NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_MARKETS);
    assert_int_equal(exchange.query.selectors.items[0].exchanges.count, 2);
    assert_string_equal(exchange.query.selectors.items[0].coin, "BTC");
    assert_int_equal(exchange.query.limit, 10);
    assert_int_equal(exchange.query.after.market, 20);
    test_close(&exchange);
    test_accepted("/v1/exchanges?type=OPEN_INTEREST_AGG&from=1&to=2");
    test_refused_with("/v1/coins?pageSize=0", 400, "INVALID_PARAMS");
    test_refused_with("/v1/coins?pageToken=x", 400, "INVALID_PARAMS");
    test_refused_with("/v1/usage?x=1", 400, "INVALID_PARAMS");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_the_candles_of_one_market),
        cmocka_unit_test(cuts_the_start_to_the_grid),
        cmocka_unit_test(counts_back_from_now_without_a_start),
        cmocka_unit_test(keeps_repeated_values_apart_and_in_order),
        cmocka_unit_test(sums_over_exchanges_in_dollars),
        cmocka_unit_test(refuses_more_points_than_a_request_may_have),
        cmocka_unit_test(refuses_in_the_codes_of_the_vendor),
        cmocka_unit_test(keeps_to_the_history_of_the_plan),
        cmocka_unit_test(says_when_to_come_back),
        cmocka_unit_test(filters_lists_with_and_without_brackets),
    };
    return cmocka_run_group_tests_name("dialects/kiyotaka", tests, NULL, NULL);
}
