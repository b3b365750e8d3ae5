/* SPDX-License-Identifier: Apache-2.0 */
/* Kwery: parameters, rows, cursors, credits and refusals. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define ASK "/v1/open-interest?symbol=BTC"

static void
asks_for_the_latest_hundred_hours_of_every_source_by_default(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_string_equal(exchange.dialect->name, "kwery");
    assert_int_equal(query->kind, OI_QUERY_SNAPSHOTS);
    assert_true(query->interval_ns == OI_HOUR);
    assert_int_equal(query->limit, 100);
    assert_true(query->from_end && query->order_by_time && query->needs_a_market);
    assert_int_equal(query->selectors.count, 3);
    assert_string_equal(query->selectors.items[0].exchanges.items[0], "binance_futures");
    assert_string_equal(query->selectors.items[0].market, "BTC");
    assert_true(query->selectors.items[0].main_only);
    assert_string_equal(query->selectors.items[2].coin, "BTC");
    assert_true(query->selectors.items[2].is_total);
    test_close(&exchange);
}

static void
ascends_from_the_start_that_is_given(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange,
                       ASK "&source=binance_futures&interval=4h&start=2026-03-07T00%3A00%3A00Z&"
                           "end=2026-03-08",
                       NULL));
    assert_false(exchange.query.from_end);
    assert_true(exchange.query.span.from == test_time("2026-03-07"));
    assert_true(exchange.query.span.to == test_time("2026-03-08"));
    assert_int_equal(exchange.query.selectors.count, 1);
    test_close(&exchange);
}

static void
takes_the_names_that_its_clients_use(void **)
{
    struct test_exchange exchange;

    assert_ok(
        test_ask(&exchange, "/v1/hyperliquid/open-interest?symbol=BTCUSDT&interval=24h", NULL));
    assert_string_equal(exchange.query.echo_source, "hyperliquid");
    assert_string_equal(exchange.query.echo_interval, "1d");
    assert_string_equal(exchange.query.echo, "BTCUSDT");
    assert_string_equal(exchange.query.selectors.items[0].market, "BTC");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v1/open-interest?symbol=BTCUSDT&source=kalshi", NULL));
    assert_string_equal(exchange.query.selectors.items[0].coin, "BTC");
    test_close(&exchange);
    assert_ok(
        test_ask(&exchange, "/v1/open-interest?symbol=KXBTC-26MAR31-80000&source=kalshi", NULL));
    assert_string_equal(exchange.query.selectors.items[0].market, "KXBTC-26MAR31-80000");
    assert_false(exchange.query.selectors.items[0].is_total);
    test_close(&exchange);
    test_refused_with("/v1/hyperliquid/open-interest?symbol=BTC&source=kalshi", 400,
                      "invalid_source");
}

static void
refuses_in_the_codes_of_its_page(void **)
{
    test_refused("/v1/open-interest", NULL, 400,
                 "{\"error\":\"invalid_symbol\",\"message\":\"symbol: Missing required "
                 "parameter.\"}");
    test_refused_with("/v1/open-interest?symbol=B%20TC", 400, "invalid_symbol");
    test_refused_with(ASK "&source=mtgox", 400, "invalid_source");
    test_refused_with(ASK "&interval=1s", 400, "invalid_interval");
    test_refused_with(ASK "&start=2026-03-08&end=2026-03-07", 400, "invalid_time_range");
    test_refused_with(ASK "&start=soon", 400, "invalid_time_range");
    test_refused_with(ASK "&limit=0", 400, "invalid_param");
    test_refused_with(ASK "&limit=ten", 400, "invalid_param");
    test_refused_with(ASK "&colour=red", 400, "invalid_param");
    test_refused_with(ASK "&symbol=ETH", 400, "invalid_param");
    test_refused_with(ASK "&after=%21", 400, "invalid_param");
    test_refused_with(ASK "&cursor=eyJvZmZzZXQiOiAxfQ%3D%3D", 400, "invalid_param");
    test_accepted(ASK "&start=2026-03-08&end=2026-03-08");
}

static void
cuts_a_limit_above_the_plan(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&limit=5000", NULL));
    assert_int_equal(exchange.query.limit, 1000);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&limit=200", NULL));
    exchange.call.allowance.rows_max = 100;
    assert_ok(test_ask_again(&exchange));
    assert_int_equal(exchange.query.limit, 100);
    test_close(&exchange);
}

static void
keeps_to_the_history_of_the_plan(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&start=2026-01-01", NULL));
    exchange.call.allowance.history_ns = 7 * OI_DAY;
    assert_status(test_ask_again(&exchange), OI_E_INVALID);
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 403);
    assert_string_equal(exchange.problem.code, "tier_restricted");
    /* Where the operator rather has it cut. */
    exchange.call.manners.cuts_history = true;
    assert_ok(test_ask_again(&exchange));
    assert_true(exchange.query.span.from == TEST_NOW - 7 * OI_DAY);
    assert_false(exchange.query.from_end);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK, NULL));
    exchange.call.allowance.history_ns = 7 * OI_DAY;
    assert_ok(test_ask_again(&exchange));
    assert_true(exchange.query.span.from == TEST_NOW - 7 * OI_DAY);
    test_close(&exchange);
    /* An end before all of it is an empty answer. */
    assert_ok(test_ask(&exchange, ASK "&end=2026-01-01", NULL));
    exchange.call.allowance.history_ns = 7 * OI_DAY;
    assert_ok(test_ask_again(&exchange));
    assert_true(exchange.query.span.from == exchange.query.span.to);
    test_close(&exchange);
}

static void
lets_the_header_win_and_refuses_keys_of_other_lengths(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&api-key=kwery_live_2", "x-api-key: kwery_live_1"));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "kwery_live_1"));
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&api_key=kwery_live_3", NULL));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "kwery_live_3"));
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&api-key=short", NULL));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "-"));
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_int_equal(exchange.dialect->key(&exchange.request).size, 0);
    test_close(&exchange);
}

/* Three snapshots of Binance's BTC in the vendor's sample, and the answer over them. */
static void
render_rows(struct test_exchange *exchange, const char *target, struct oi_position next)
{
    static struct oi_instrument instrument;
    static struct oi_market market;
    static struct oi_snapshot snapshots[3];
    static struct oi_block block;
    static const char *const figures[][3] = {
        { "2026-03-07T00:00:00Z", "52340.80", "4938475200.00" },
        { "2026-03-07T04:00:00Z", "53100.20", "5015118900.00" },
        { "2026-03-07T08:00:00Z", "51890.45", "4896523050.00" },
    };
    struct oi_result *result;

    instrument = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    market = (struct oi_market){ .instrument = &instrument };
    for (size_t i = 0; i < 3; i++)
        snapshots[i] = (struct oi_snapshot){
            .start = test_time(figures[i][0]),
            .time = test_time(figures[i][0]) + OI_MINUTE,
            .amount = test_decimal(figures[i][1]),
            .usd = test_decimal(figures[i][2]),
        };
    block = (struct oi_block){ .market = &market, .count = 3, .snapshots = snapshots };
    result = oi_result_of_blocks(&block, 1, &market, 1);
    result->next_position = next;
    assert_ok(test_ask(exchange, target, NULL));
    assert_ok(test_render(exchange, result));
}

static void
answers_the_vendors_sample(void **)
{
    struct oi_json *expected = test_example("kwery_open-interest.json"), *actual;
    struct test_exchange exchange;

    if (!expected)
        return;
    render_rows(&exchange,
                ASK "&source=binance_futures&interval=4h&start=2026-03-07T00:00:00Z&end=2026-03-"
                    "08T00:00:00Z",
                (struct oi_position){});
    actual = test_body_json(&exchange);
    /* The page prints three rows of six, and no `count`. */
    assert_true(test_nodes_equal(oi_json_member(oi_json_root(expected), "data"),
                                 oi_json_member(oi_json_root(actual), "data")));
    oi_json_close(&actual);
    oi_json_close(&expected);
    test_close(&exchange);
}

static void
prices_an_answer_and_says_what_is_left(void **)
{
    struct test_exchange exchange;

    render_rows(&exchange, ASK "&source=binance_futures&interval=4h", (struct oi_position){});
    assert_int_equal(exchange.credits, 59);
    assert_string_equal(test_header(&exchange, "X-Credits-Used"), "59");
    assert_string_equal(test_header(&exchange, "X-Rows-Returned"), "3");
    assert_string_equal(test_header(&exchange, "X-Rows-Capped"), "false");
    test_close(&exchange);
    render_rows(&exchange, ASK "&limit=5000", (struct oi_position){ .is_set = true });
    assert_string_equal(test_header(&exchange, "X-Rows-Capped"), "true");
    test_close(&exchange);
}

static void
goes_on_behind_the_cursor_it_gave(void **)
{
    const struct oi_position next = { .is_set = true, .market = 1, .time = TEST_NOW };
    struct test_exchange exchange, again;
    const struct oi_json_node *meta;
    struct oi_json *json;
    char target[256];

    render_rows(&exchange, ASK, next);
    json = test_body_json(&exchange);
    meta = oi_json_member(oi_json_root(json), "meta");
    assert_int_equal(oi_json_kind(oi_json_member(meta, "has_more")), OI_JSON_TRUE);
    assert_int_equal(oi_json_kind(oi_json_member(meta, "source")), OI_JSON_NULL);
    (void) snprintf(target, sizeof(target), ASK "&cursor=%.*s",
                    OI_SLICE_ARGS(oi_json_text(oi_json_member(meta, "next_cursor"))));
    assert_ok(test_ask(&again, target, NULL));
    assert_true(again.query.after.is_set);
    assert_int_equal(again.query.after.market, 1);
    assert_true(again.query.after.time == TEST_NOW);
    test_close(&again);
    oi_json_close(&json);
    test_close(&exchange);
}

static void
describes_symbols_sources_status_and_limits(void **)
{
    struct oi_instrument instruments[] = {
        test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT"),
        test_perpetual("hyperliquid", "perp", "BTC", "BTC", "USDC"),
    };
    const struct oi_market markets[] = {
        { .instrument = &instruments[0], .first = OI_DAY, .last = 2 * OI_DAY },
        { .instrument = &instruments[1],
          .index = 1,
          .selector = 1,
          .first = 0,
          .last = 3 * OI_DAY },
    };
    const struct oi_block blocks[] = { { .market = &markets[0] }, { .market = &markets[1] } };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, "/v1/symbols", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 2, markets, 2)));
    test_body_is(&exchange,
                 "{\"symbols\":[{\"symbol\":\"BTC\",\"name\":\"BTC\",\"sources\":[\"binance_"
                 "futures\",\"hyperliquid\"],\"intervals\":[\"5m\",\"15m\",\"1h\",\"4h\",\"1d\"],"
                 "\"earliest_data\":\"1970-01-01T00:00:00Z\"}]}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v1/status", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 2, markets, 2)));
    test_body_is(&exchange,
                 "{\"status\":\"ok\",\"ingestion\":[{\"source\":\"binance_futures\",\"last_"
                 "timestamp\":\"1970-01-03T00:00:00Z\"},{\"source\":\"hyperliquid\",\"last_"
                 "timestamp\":\"1970-01-04T00:00:00Z\"}]}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v1/sources", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 2, markets, 2)));
    assert_int_equal(exchange.credits, 25);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v1/limits", NULL));
    assert_ok(test_render(&exchange, NULL));
    test_body_is(&exchange,
                 "{\"plan\":\"unlimited\",\"max_rows_per_request\":1000,\"max_history_"
                 "days\":null,\"credits\":{\"used\":0,\"limit\":null,\"remaining\":"
                 "null},\"rate_limits\":{\"requests_per_minute\":null},\"snapshot_"
                 "history\":{\"s500ms\":null,\"s1\":null,\"m5\":null,\"m15\":null,\"h1\":"
                 "null,\"h4\":null,\"h24\":null},\"features\":{\"open_interest\":true}}");
    test_close(&exchange);
}

static void
tells_of_one_market_by_ticker_slug_or_number(void **)
{
    static const char *const ids[] = { "BTCUSDT", "btcusdt", "7" };
    struct oi_instrument instruments[] = {
        test_perpetual("binance", "usdm", "ETHUSDT", "ETH", "USDT"),
        test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT"),
    };
    const struct oi_market markets[] = {
        { .instrument = &instruments[0], .first = 0, .last = OI_DAY },
        { .instrument = &instruments[1], .index = 1, .first = OI_DAY, .last = 2 * OI_DAY },
    };
    const struct oi_block blocks[] = { { .market = &markets[0] }, { .market = &markets[1] } };
    struct test_exchange exchange;

    instruments[0].id = 6;
    instruments[1].id = 7;
    for (size_t i = 0; i < OI_COUNT(ids); i++) {
        char target[64];

        (void) snprintf(target, sizeof(target), "/v1/markets/%s", ids[i]);
        assert_ok(test_ask(&exchange, target, NULL));
        assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 2, markets, 2)));
        test_body_is(&exchange,
                     "{\"market\":{\"id\":7,\"slug\":\"btcusdt\",\"ticker\":\"BTCUSDT\","
                     "\"symbol\":\"BTC\",\"source\":\"binance_futures\",\"kind\":\"PERPETUAL\","
                     "\"quote\":\"USDT\",\"status\":\"open\",\"expires_at\":null,"
                     "\"earliest_data\":\"1970-01-02T00:00:00Z\","
                     "\"last_timestamp\":\"1970-01-03T00:00:00Z\"}}");
        test_close(&exchange);
    }
    assert_ok(test_ask(&exchange, "/v1/markets/XRPUSDT", NULL));
    assert_status(test_render(&exchange, oi_result_of_blocks(blocks, 2, markets, 2)), OI_E_INVALID);
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 404);
    test_close(&exchange);
}

/* Refuse with the plan of a caller; what the body then says. */
static void
refuse_plan(const char *plan, const char *start, const char *body)
{
    struct test_exchange exchange;
    char target[128];

    (void) snprintf(target, sizeof(target), ASK "&start=%s", start);
    assert_ok(test_ask(&exchange, target, NULL));
    exchange.call.allowance.history_ns = 7 * OI_DAY;
    exchange.call.allowance.plan = plan;
    exchange.call.manners.upgrade_url = plan ? "https://oi.example/plans" : NULL;
    assert_status(test_ask_again(&exchange), OI_E_INVALID);
    test_refuse(&exchange);
    test_body_is(&exchange, body);
    test_close(&exchange);
}

static void
names_the_tier_that_would_do(void **)
{
#define REFUSED                                                                                    \
    "{\"error\":\"tier_restricted\",\"message\":\"start: The range reaches beyond the history of " \
    "your plan.\""
#define UPGRADE ",\"upgrade_url\":\"https://oi.example/plans\"}"
    refuse_plan("free", "2001-01-01", REFUSED ",\"required_tier\":\"enterprise\"" UPGRADE);
    refuse_plan("business", "2001-01-01", REFUSED ",\"required_tier\":\"enterprise\"" UPGRADE);
    /* A plan of the operator's own has no tier above it that is known. */
    refuse_plan("team", "2001-01-01", REFUSED UPGRADE);
    refuse_plan(NULL, "2001-01-01", REFUSED "}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_the_latest_hundred_hours_of_every_source_by_default),
        cmocka_unit_test(ascends_from_the_start_that_is_given),
        cmocka_unit_test(takes_the_names_that_its_clients_use),
        cmocka_unit_test(refuses_in_the_codes_of_its_page),
        cmocka_unit_test(cuts_a_limit_above_the_plan),
        cmocka_unit_test(keeps_to_the_history_of_the_plan),
        cmocka_unit_test(lets_the_header_win_and_refuses_keys_of_other_lengths),
        cmocka_unit_test(answers_the_vendors_sample),
        cmocka_unit_test(prices_an_answer_and_says_what_is_left),
        cmocka_unit_test(goes_on_behind_the_cursor_it_gave),
        cmocka_unit_test(describes_symbols_sources_status_and_limits),
        cmocka_unit_test(tells_of_one_market_by_ticker_slug_or_number),
        cmocka_unit_test(names_the_tier_that_would_do),
    };
    return cmocka_run_group_tests_name("dialects/kwery", tests, NULL, NULL);
}
