/* SPDX-License-Identifier: Apache-2.0 */
/* The native API: what is asked for, and how a refusal reads. */
#include "dialects/dialect.h"

#include "support/test_data.h"
#include "support/test_dialect.h"

#include <string.h>

#define ASK "/oi/v1/open-interest?market=binance:usdm:BTCUSDT"

static void
asks_for_canonical_coins_from_the_newest(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_string_equal(exchange.dialect->name, "native");
    assert_int_equal(query->kind, OI_QUERY_ROWS);
    assert_int_equal(query->unit, OI_UNIT_COINS);
    assert_true(query->is_canonical && query->from_end);
    assert_int_equal(query->limit, 1000);
    assert_string_equal(query->selectors.items[0].market, "binance:usdm:BTCUSDT");
    assert_true(query->selectors.items[0].must_match);
    assert_true(query->as_of == OI_TIME_LATEST && query->as_stored == OI_TIME_LATEST);
    test_close(&exchange);
}

static void
reads_every_choice(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange,
                       "/oi/v1/open-interest?coin=btc&exchange=okx&exchange=bybit&kind=perpetual&"
                       "kind=FUTURE&product=swap&quote=usdt&interval=4h&unit=usd&convention=as_"
                       "reported&as_of=2026-01-01&as_stored=2026-01-02T00:00:00Z&start=2025-12-01&"
                       "end=2026-01-01&limit=10&order=desc&total=true&fill=true&format=ndjson",
                       NULL));
    assert_int_equal(query->kind, OI_QUERY_CANDLES);
    assert_true(query->interval_ns == 4 * OI_HOUR);
    assert_int_equal(query->unit, OI_UNIT_USD);
    assert_false(query->is_canonical);
    assert_false(query->from_end);
    assert_true(query->is_descending && query->fills_gaps);
    assert_int_equal(query->limit, 10);
    assert_true(query->as_of == test_time("2026-01-01"));
    assert_true(query->as_stored == test_time("2026-01-02"));
    assert_true(query->span.to == test_time("2026-01-01"));
    assert_int_equal(query->selectors.count, 1);
    assert_string_equal(query->selectors.items[0].coin, "BTC");
    assert_int_equal(query->selectors.items[0].exchanges.count, 2);
    assert_int_equal(query->selectors.items[0].kinds.count, 2);
    assert_true(query->is_one_total);
    assert_false(query->selectors.items[0].must_match);
    assert_true(query->needs_a_market);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&market=okx:swap:BTC-USDT-SWAP&unit=reported", NULL));
    assert_int_equal(query->selectors.count, 2);
    assert_int_equal(query->unit, OI_UNIT_UNKNOWN);
    test_close(&exchange);
}

static void
refuses_what_it_does_not_understand(void **)
{
    test_refused(ASK "&unit=apples", NULL, 400,
                 "{\"error\":{\"code\":\"invalid_parameter\",\"message\":\"Must be one of coins, "
                 "contracts, usd, reported.\",\"parameter\":\"unit\",\"value\":\"apples\"}}");
    test_refused_with("/oi/v1/open-interest", 400, "missing_parameter");
    test_refused_with(ASK "&colour=red", 400, "unknown_parameter");
    test_refused_with(ASK "&unit=usd&unit=usd", 400, "repeated_parameter");
    test_refused_with(ASK "&interval=soon", 400, "interval");
    test_refused_with(ASK "&interval=0h", 400, "interval");
    test_refused_with(ASK "&start=2026-01-02&end=2026-01-01", 400, "invalid_range");
    test_refused_with(ASK "&start=soon", 400, "start");
    test_refused_with(ASK "&limit=0", 400, "limit");
    test_refused_with(ASK "&limit=1000001", 400, "limit");
    test_refused_with(ASK "&after=x", 400, "after");
    test_refused_with(ASK "&kind=swap", 400, "kind");
    test_refused_with(ASK "&total=true", 400, "total");
    test_refused_with(ASK "&fill=true", 400, "fill");
    test_refused_with(ASK "&order=desc", 400, "order");
    test_refused_with(ASK "&format=xml", 400, "format");
    test_refused_with(ASK "&convention=mine", 400, "convention");
    test_refused_with("/oi/v1/latest?after=x", 400, "unknown_parameter");
}

static void
lists_markets_the_largest_and_the_gaps(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, "/oi/v1/markets?exchange=bybit&q=pepe&live=true", NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_MARKETS);
    assert_true(exchange.query.wants_extents);
    assert_string_equal(exchange.query.text_filter, "pepe");
    assert_true(exchange.query.selectors.items[0].live_only);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/oi/v1/latest?limit=20", NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_LATEST);
    assert_true(exchange.query.order_by_usd);
    assert_int_equal(exchange.query.limit, 20);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/oi/v1/gaps?market=a:b:c", NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_GAPS);
    test_close(&exchange);
}

static void
takes_a_bearer_key(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK, "Authorization: bearer  secret "));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "secret"));
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK, "Authorization: Basic secret"));
    assert_int_equal(exchange.dialect->key(&exchange.request).size, 0);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK, NULL));
    exchange.problem = (struct oi_problem){ .kind = OI_PROBLEM_KEY_MISSING };
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 401);
    assert_string_equal(test_header(&exchange, "WWW-Authenticate"), "Bearer");
    test_close(&exchange);
}

static void
keeps_to_the_plan(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&start=2026-01-01", NULL));
    exchange.call.allowance.history_ns = 30 * OI_DAY;
    assert_status(test_ask_again(&exchange), OI_E_INVALID);
    assert_int_equal(exchange.problem.kind, OI_PROBLEM_FORBIDDEN);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK, NULL));
    exchange.call.allowance.rows_max = 10;
    assert_ok(test_ask_again(&exchange));
    assert_int_equal(exchange.query.limit, 10);
    test_close(&exchange);
}

/* The API's own description names every route, and nothing that is none. */
static void
is_described_route_by_route(void **)
{
    struct oi_buffer text = {}, name = {};
    size_t count = 0;

    test_file_read("web/openapi.json", &text);
    oi_buffer_add_char(&text, '\0');
    for (size_t i = 0; i < oi_dialect_native.route_count; i++) {
        oi_buffer_clear(&name);
        oi_buffer_add_format(&name, "\n  \"%s\": {", oi_dialect_native.routes[i].path);
        oi_buffer_add_char(&name, '\0');
        if (!strstr(text.data, name.data))
            fail_msg("%s is not described", oi_dialect_native.routes[i].path);
    }
    for (const char *at = text.data; (at = strstr(at, "\n  \"/")); at++)
        count++;
    /* The stream, and the server's status. */
    assert_int_equal(count, oi_dialect_native.route_count + oi_dialect_native.stream_count + 1);
    oi_buffer_release(&name);
    oi_buffer_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_canonical_coins_from_the_newest),
        cmocka_unit_test(reads_every_choice),
        cmocka_unit_test(refuses_what_it_does_not_understand),
        cmocka_unit_test(lists_markets_the_largest_and_the_gaps),
        cmocka_unit_test(takes_a_bearer_key),
        cmocka_unit_test(keeps_to_the_plan),
        cmocka_unit_test(is_described_route_by_route),
    };
    return cmocka_run_group_tests_name("dialects/native", tests, NULL, NULL);
}
