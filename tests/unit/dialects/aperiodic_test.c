/* SPDX-License-Identifier: Apache-2.0 */
/* Aperiodic: links, the files behind them, lists and refusals. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define DATA "/api/v1/data/open_interest"
#define ASK                                                                                        \
    DATA "?timestamp=exchange&interval=1h&exchange=binance-futures&symbol=perpetual-BTC-"          \
         "USDT%3AUSDT"
#define RANGE "&start_date=2024-01-01&end_date=2024-02-29"

static void
asks_for_months_of_whole_days(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange, ASK RANGE, NULL));
    assert_string_equal(exchange.dialect->name, "aperiodic");
    assert_int_equal(query->kind, OI_QUERY_MONTHS);
    assert_true(query->span.from == test_time("2024-01-01"));
    assert_true(query->span.to == test_time("2024-03-01"));
    assert_int_equal(query->selectors.items[0].symbology, OI_SYMBOLOGY_ATLAS);
    assert_string_equal(query->selectors.items[0].market, "perpetual-BTC-USDT:USDT");
    assert_string_equal(query->selectors.items[0].exchanges.items[0], "binance-futures");
    assert_false(query->by_known_time);
    test_close(&exchange);
}

static void
gives_a_signed_link_for_each_month(void **)
{
    const struct oi_market market = {};
    const oi_time months[] = { test_time("2024-01-01"), test_time("2024-02-01") };
    const struct oi_block block = { .market = &market, .count = 2, .months = months };
    struct oi_json *expected = test_example("aperiodic_open_interest.json"), *actual;
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, "/aperiodic" ASK RANGE, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "{\"files\":[{\"year\":2024,\"month\":1,\"url\":\"http://oi.test/aperiodic/files/"
                 "aperiodic/binance-futures/1h/"
                 "perpetual-BTC-USDT%3AUSDT/2024-01.parquet?timestamp=exchange&signature=s\"},{"
                 "\"year\":2024,\"month\":2,\"url\":\"http://oi.test/aperiodic/files/aperiodic/"
                 "binance-futures/1h/"
                 "perpetual-BTC-USDT%3AUSDT/2024-02.parquet?timestamp=exchange&signature=s\"}]}");
    assert_string_equal(test_header(&exchange, "Access-Control-Allow-Origin"), "*");
    actual = test_body_json(&exchange);
    for (size_t i = 0; expected && i < 2; i++) {
        const struct oi_json_node *a =
            oi_json_item(oi_json_member(oi_json_root(expected), "files"), i);
        const struct oi_json_node *b =
            oi_json_item(oi_json_member(oi_json_root(actual), "files"), i);

        assert_int_equal(oi_json_count(a), oi_json_count(b));
        assert_true(test_nodes_equal(oi_json_member(a, "year"), oi_json_member(b, "year")));
        assert_true(test_nodes_equal(oi_json_member(a, "month"), oi_json_member(b, "month")));
    }
    oi_json_close(&actual);
    oi_json_close(&expected);
    test_close(&exchange);
}

static void
gives_no_link_where_there_is_nothing(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK RANGE, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(NULL, 0, NULL, 0)));
    test_body_is(&exchange, "{\"files\":[]}");
    test_close(&exchange);
}

static void
opens_the_file_that_a_link_names(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange,
                       "/aperiodic/files/aperiodic/okx-perps/5m/perpetual-BTC-USDT%3AUSDT/"
                       "2025-12.parquet?timestamp=true&X-Amz-Expires=300&X-Amz-Signature=s",
                       NULL));
    assert_true(exchange.route->is_file && exchange.route->is_link);
    assert_int_equal(query->kind, OI_QUERY_BARS);
    assert_int_equal(query->unit, OI_UNIT_COINS);
    assert_true(query->by_known_time);
    assert_true(query->interval_ns == 5 * OI_MINUTE);
    assert_true(query->span.from == test_time("2025-12-01"));
    assert_true(query->span.to == test_time("2026-01-01"));
    assert_string_equal(query->selectors.items[0].market, "perpetual-BTC-USDT:USDT");
    assert_ok(test_render(&exchange, NULL));
    assert_string_equal(test_header(&exchange, "Access-Control-Allow-Origin"), "*");
    assert_false(exchange.reply.is_compressible);
    test_close(&exchange);
}

static void
knows_no_file_that_it_never_named(void **)
{
    static const char *const files[] = {
        "/files/aperiodic/okx-perps/5m/BTC/2025-13.parquet",
        "/files/aperiodic/okx-perps/5m/BTC/2025-1.parquet",
        "/files/aperiodic/okx-perps/5m/BTC/2025-01.csv",
        "/files/aperiodic/okx-perps/5m/BTC/-025-01.parquet",
    };

    for (size_t i = 0; i < OI_COUNT(files); i++)
        test_refused_with(files[i], 404, "not_found");
    test_refused_with("/files/aperiodic/mtgox/5m/BTC/2025-01.parquet", 400, "invalid_parameter");
    test_refused_with("/files/aperiodic/okx-perps/1s/BTC/2025-01.parquet", 400, "interval");
}

static void
refuses_each_bad_parameter(void **)
{
    test_refused(DATA "?interval=1h&exchange=okx-perps&symbol=BTC" RANGE, NULL, 400,
                 "{\"error\":\"Missing parameter\",\"details\":[\"timestamp: Missing required "
                 "parameter.\"],\"code\":\"missing_parameter\"}");
    test_refused_with(ASK "&start_date=2024-02-01&end_date=2024-01-31", 400, "invalid_range");
    test_refused_with(ASK "&start_date=2024-02-1&end_date=2024-03-01", 400, "start_date");
    test_refused_with(ASK "&start_date=20240201&end_date=2024-03-01", 400, "start_date");
    test_refused_with(ASK "&start_date=2024-02-30&end_date=2024-03-01", 400, "start_date");
    test_refused_with(ASK RANGE "&colour=red", 400, "unknown_parameter");
    test_refused_with(ASK RANGE "&symbol=x", 400, "repeated_parameter");
    test_refused_with(DATA "?timestamp=exchange&interval=1s&exchange=okx-perps&symbol=BTC" RANGE,
                      400, "interval");
    test_refused_with(DATA "?timestamp=arrival&interval=1m&exchange=okx-perps&symbol=BTC" RANGE,
                      400, "timestamp");
    test_refused_with(DATA "?timestamp=true&interval=1m&exchange=mtgox&symbol=BTC" RANGE, 400,
                      "exchange");
    test_accepted(ASK "&start_date=2024-02-01&end_date=2024-02-01");
}

static void
lists_symbols_in_atlas_notation(void **)
{
    const struct oi_instrument instrument =
        test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    const struct oi_market market = { .instrument = &instrument };
    const struct oi_block block = { .market = &market };
    struct test_exchange exchange;

    assert_ok(
        test_ask(&exchange, "/api/v1/metadata/symbols?exchange=binance-futures", "X-Api-Key: k"));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "k"));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange, "{\"symbols\":[\"perpetual-BTC-USDT:USDT\"],\"exchange\":\"binance-"
                            "futures\"}");
    test_close(&exchange);
    test_refused_with("/api/v1/metadata/symbols", 400, "exchange");
}

static void
describes_its_metric(void **)
{
    struct test_exchange exchange;
    struct oi_json *json;
    const struct oi_json_node *metric;

    assert_ok(test_ask(&exchange, "/api/v1/metadata/catalog", NULL));
    assert_ok(test_render(&exchange, NULL));
    json = test_body_json(&exchange);
    metric = oi_json_item(oi_json_member(oi_json_root(json), "metrics"), 0);
    assert_true(oi_slice_is(oi_json_text(oi_json_member(metric, "id")), "open_interest"));
    assert_int_equal(oi_json_count(oi_json_member(metric, "fields")), 5);
    oi_json_close(&json);
    test_close(&exchange);
}

static void
says_forbidden_for_a_link_that_expired(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK RANGE, NULL));
    exchange.problem = (struct oi_problem){ .kind = OI_PROBLEM_FORBIDDEN };
    test_refuse(&exchange);
    test_body_is(&exchange, "{\"error\":\"Forbidden\",\"code\":\"forbidden\"}");
    assert_int_equal(exchange.reply.status, 403);
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_months_of_whole_days),
        cmocka_unit_test(gives_a_signed_link_for_each_month),
        cmocka_unit_test(gives_no_link_where_there_is_nothing),
        cmocka_unit_test(opens_the_file_that_a_link_names),
        cmocka_unit_test(knows_no_file_that_it_never_named),
        cmocka_unit_test(refuses_each_bad_parameter),
        cmocka_unit_test(lists_symbols_in_atlas_notation),
        cmocka_unit_test(describes_its_metric),
        cmocka_unit_test(says_forbidden_for_a_link_that_expired),
    };
    return cmocka_run_group_tests_name("dialects/aperiodic", tests, NULL, NULL);
}
