/* SPDX-License-Identifier: Apache-2.0 */
/* oanor: parameters, the change over a window, envelopes and refusals. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define MOUNT "/openinterest-api"
#define OI MOUNT "/v1/oi"

static void
lets_the_symbol_win_over_the_base(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange, MOUNT "/v1/history?symbol=btcusdt&base=ETH&period=1d", NULL));
    assert_string_equal(query->echo, "BTCUSDT");
    assert_string_equal(query->selectors.items[0].market, "bybit:linear:BTCUSDT");
    assert_int_equal(query->limit, 50);
    assert_true(query->interval_ns == OI_DAY);
    assert_true(query->from_end);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/oanor" OI "?base=eth", NULL));
    assert_string_equal(query->echo, "ETHUSDT");
    assert_int_equal(query->limit, 25);
    assert_true(query->interval_ns == OI_HOUR);
    assert_true(query->wants_latest);
    test_close(&exchange);
}

static void
clamps_numbers_and_refuses_text(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, OI "?symbol=BTCUSDT&lookback=1", NULL));
    assert_int_equal(exchange.query.number, 2);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, OI "?symbol=BTCUSDT&lookback=99999999999999999999", NULL));
    assert_int_equal(exchange.query.number, 200);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, MOUNT "/v1/symbols?limit=-5", NULL));
    assert_int_equal(exchange.query.limit, 1);
    test_close(&exchange);
    test_refused(OI "?symbol=BTCUSDT&lookback=many", NULL, 400,
                 "{\"data\":null,\"meta\":{\"timestamp\":\"2026-06-09T03:02:49.022Z\",\"request_"
                 "id\":\"11111111-2222-4333-8444-555555555555\"},\"status\":\"error\",\"message\":"
                 "\"lookback: must be a whole number\",\"success\":false,\"error\":{\"code\":"
                 "\"invalid_parameter\"}}");
    test_refused_with(MOUNT "/v1/history?symbol=BTCUSDT&limit=-", 400, "invalid_parameter");
    test_refused_with(OI "?symbol=BTCUSDT&period=2h", 400, "invalid_parameter");
    test_refused_with(OI, 400, "missing_parameter");
    test_refused_with(OI "?symbol=BTCUSDT&colour=red", 400, "unknown_parameter");
    test_refused_with(OI "?symbol=BTCUSDT&symbol=ETHUSDT", 400, "repeated_parameter");
    test_refused_with(MOUNT "/v1/meta?x=1", 400, "unknown_parameter");
}

/* Snapshots of some hours before 2026-06-09T03:00, newest last, and the newest reading. */
struct fixture {
    struct oi_instrument instrument;
    struct oi_market market;
    struct oi_snapshot snapshots[4];
    struct oi_latest latest;
    struct oi_block block;
};

static void
fill(struct fixture *fixture, size_t count, const int64_t *hours, const char *const *amounts)
{
    *fixture = (struct fixture){
        .instrument = test_perpetual("bybit", "linear", "BTCUSDT", "BTC", "USDT"),
        .latest = { .reading = OI_OBSERVATION_NONE, .usd = test_decimal("3437587201.86") },
    };
    fixture->market.instrument = &fixture->instrument;
    fixture->latest.reading.last_price = test_decimal("62807.5");
    for (size_t i = 0; i < count; i++)
        fixture->snapshots[i] = (struct oi_snapshot){
            .start = test_time("2026-06-09T03:00:00Z") - hours[i] * OI_HOUR,
            .amount = test_decimal(amounts[i]),
        };
    fixture->block = (struct oi_block){
        .market = &fixture->market,
        .count = count,
        .snapshots = fixture->snapshots,
        .latest = &fixture->latest,
    };
}

static void
render_fixture(struct test_exchange *exchange, const struct fixture *fixture, const char *target)
{
    assert_ok(test_ask(exchange, target, NULL));
    assert_ok(test_render(exchange, oi_result_of_blocks(&fixture->block, 1, &fixture->market, 1)));
}

static void
same_data(const char *example, struct test_exchange *exchange)
{
    struct oi_json *expected = test_example(example), *actual;

    if (!expected)
        return;
    actual = test_body_json(exchange);
    assert_true(test_nodes_equal(oi_json_member(oi_json_root(expected), "data"),
                                 oi_json_member(oi_json_root(actual), "data")));
    assert_true(test_nodes_equal(oi_json_member(oi_json_root(expected), "message"),
                                 oi_json_member(oi_json_root(actual), "message")));
    oi_json_close(&actual);
    oi_json_close(&expected);
}

static void
answers_the_vendors_sample(void **)
{
    static const int64_t hours[] = { 24, 3, 0 };
    static const char *const amounts[] = { "53446.06", "54000", "54894.318" };
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture, 3, hours, amounts);
    render_fixture(&exchange, &fixture, OI "?symbol=BTCUSDT&base=BTC&period=1h&lookback=24");
    test_body_is(&exchange,
                 "{\"data\":{\"symbol\":\"BTCUSDT\",\"period\":\"1h\",\"open_interest\":54894.318,"
                 "\"open_interest_value_usd\":3437587201.86,\"open_interest_ago\":53446.06,"
                 "\"change_pct\":2.71,\"trend\":\"rising\",\"lookback_buckets\":24,\"from\":\"2026-"
                 "06-08T03:00:00.000Z\",\"as_of\":\"2026-06-09T03:00:00.000Z\",\"last_price\":"
                 "62807.5},\"meta\":{\"timestamp\":\"2026-06-09T03:02:49.022Z\",\"request_id\":"
                 "\"11111111-2222-4333-8444-555555555555\"},\"status\":\"ok\",\"message\":\"Open "
                 "interest retrieved successfully\",\"success\":true}");
    assert_string_equal(test_header(&exchange, "x-request-id"),
                        "11111111-2222-4333-8444-555555555555");
    same_data("oanor_oi.json", &exchange);
    test_close(&exchange);
}

/* The trend and change that the data of an answer holds. */
static void
change_is(const struct fixture *fixture, const char *trend, const char *percent)
{
    struct test_exchange exchange;
    const struct oi_json_node *data;
    struct oi_json *json;

    render_fixture(&exchange, fixture, OI "?symbol=BTCUSDT&lookback=2");
    json = test_body_json(&exchange);
    data = oi_json_member(oi_json_root(json), "data");
    assert_true(oi_slice_is(oi_json_text(oi_json_member(data, "trend")), trend));
    assert_true(oi_slice_is(oi_json_text(oi_json_member(data, "change_pct")), percent));
    oi_json_close(&json);
    test_close(&exchange);
}

static void
takes_the_nearest_older_bucket_where_one_is_missing(void **)
{
    static const int64_t hours[] = { 7, 5, 1, 0 };
    static const char *const amounts[] = { "10", "100", "30", "50" };
    struct fixture fixture;

    fill(&fixture, 4, hours, amounts);
    change_is(&fixture, "falling", "-50");
}

static void
calls_a_change_within_the_band_flat(void **)
{
    static const int64_t hours[] = { 2, 0 };
    static const struct {
        const char *newest, *band, *trend;
    } cases[] = {
        { "102.5", "2.5", "flat" },    { "102.51", "2.5", "rising" }, { "97.5", "2.5", "flat" },
        { "97.49", "2.5", "falling" }, { "100.001", NULL, "flat" },   { "100.01", NULL, "rising" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        const char *const amounts[] = { "100", cases[i].newest };
        struct test_exchange exchange;
        struct fixture fixture;

        fill(&fixture, 2, hours, amounts);
        assert_ok(test_ask(&exchange, OI "?symbol=BTCUSDT&lookback=2", NULL));
        if (cases[i].band)
            exchange.call.manners.trend_band = test_decimal(cases[i].band);
        assert_ok(
            test_render(&exchange, oi_result_of_blocks(&fixture.block, 1, &fixture.market, 1)));
        oi_buffer_add_char(&exchange.reply.body, '\0');
        if (!strstr(exchange.reply.body.data, cases[i].trend))
            fail_msg("%s: %s", cases[i].trend, exchange.reply.body.data);
        test_close(&exchange);
    }
}

static void
knows_no_change_without_an_older_bucket(void **)
{
    static const int64_t hours[] = { 1, 0 };
    static const char *const amounts[] = { "30", "50" };
    struct fixture fixture;

    fill(&fixture, 2, hours, amounts);
    change_is(&fixture, "", "");
}

static void
calls_it_flat_when_it_rounds_to_nothing(void **)
{
    static const int64_t hours[] = { 2, 0 };
    static const char *const amounts[] = { "100000", "100001" };
    static const char *const half[] = { "20000", "20001" };
    static const char *const zero[] = { "0", "20001" };
    struct fixture fixture;

    fill(&fixture, 2, hours, amounts);
    change_is(&fixture, "flat", "0");
    fill(&fixture, 2, hours, half);
    change_is(&fixture, "rising", "0.01"); /* 0.005 is rounded up */
    fill(&fixture, 2, hours, zero);
    change_is(&fixture, "", ""); /* nothing can be a share of zero */
}

static void
refuses_a_symbol_of_which_there_is_nothing(void **)
{
    struct fixture fixture;
    struct test_exchange exchange;
    static const char *const targets[] = { OI "?symbol=BTCUSDT",
                                           MOUNT "/v1/history?symbol=BTCUSDT" };

    fill(&fixture, 0, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(test_ask(&exchange, targets[i], NULL));
        assert_status(
            test_render(&exchange, oi_result_of_blocks(&fixture.block, 1, &fixture.market, 1)),
            OI_E_INVALID);
        test_refuse(&exchange);
        assert_int_equal(exchange.reply.status, 404);
        test_close(&exchange);
    }
}

static void
writes_history_in_bucket_starts(void **)
{
    static const int64_t hours[] = { 1, 0 };
    static const char *const amounts[] = { "30", "50.5" };
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture, 2, hours, amounts);
    render_fixture(&exchange, &fixture, MOUNT "/v1/history?symbol=BTCUSDT&limit=2");
    test_body_is(&exchange,
                 "{\"data\":{\"symbol\":\"BTCUSDT\",\"period\":\"1h\",\"history\":[{\"timestamp\":"
                 "\"2026-06-09T02:00:00.000Z\",\"open_interest\":30},{\"timestamp\":\"2026-06-"
                 "09T03:00:00.000Z\",\"open_interest\":50.5}],\"count\":2},\"meta\":{\"timestamp\":"
                 "\"2026-06-09T03:02:49.022Z\",\"request_id\":\"11111111-2222-4333-8444-"
                 "555555555555\"},\"status\":\"ok\",\"message\":\"Open interest history retrieved "
                 "successfully\",\"success\":true}");
    test_close(&exchange);
}

static void
lists_symbols_and_describes_itself(void **)
{
    const struct oi_instrument instrument =
        test_perpetual("bybit", "linear", "1000PEPEUSDT", "PEPE", "USDT");
    const struct oi_market market = { .instrument = &instrument };
    const struct oi_block block = { .market = &market };
    struct test_exchange exchange;
    struct oi_json *json, *expected;

    assert_ok(test_ask(&exchange, MOUNT "/v1/symbols?q=PEPE&limit=100", NULL));
    assert_string_equal(exchange.query.text_filter, "PEPE");
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    same_data("oanor_symbols.json", &exchange);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, MOUNT "/v1/meta", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    json = test_body_json(&exchange);
    expected = test_example("oanor_meta.json");
    if (expected) {
        const struct oi_json_node *a = oi_json_member(oi_json_root(expected), "data");
        const struct oi_json_node *b = oi_json_member(oi_json_root(json), "data");

        assert_int_equal(oi_json_count(a), oi_json_count(b));
        assert_true(test_nodes_equal(oi_json_member(a, "periods"), oi_json_member(b, "periods")));
        assert_true(test_nodes_equal(oi_json_member(a, "service"), oi_json_member(b, "service")));
        oi_json_close(&expected);
    }
    oi_json_close(&json);
    test_close(&exchange);
}

static void
shows_the_quota_and_the_key(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, OI "?symbol=BTCUSDT", "X-Oanor-Key: oanor_live_1"));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "oanor_live_1"));
    exchange.call.allowance = (struct oi_allowance){
        .credits_limit = 5000, .credits_left = 0, .rate_limit = 5, .rate_left = 4
    };
    exchange.problem = (struct oi_problem){ .kind = OI_PROBLEM_CREDITS, .retry_after_s = 60 };
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 429);
    assert_string_equal(test_header(&exchange, "x-quota-remaining"), "0");
    assert_string_equal(test_header(&exchange, "x-ratelimit-limit"), "5");
    assert_string_equal(test_header(&exchange, "Retry-After"), "60");
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_the_symbol_win_over_the_base),
        cmocka_unit_test(clamps_numbers_and_refuses_text),
        cmocka_unit_test(answers_the_vendors_sample),
        cmocka_unit_test(takes_the_nearest_older_bucket_where_one_is_missing),
        cmocka_unit_test(calls_a_change_within_the_band_flat),
        cmocka_unit_test(knows_no_change_without_an_older_bucket),
        cmocka_unit_test(calls_it_flat_when_it_rounds_to_nothing),
        cmocka_unit_test(refuses_a_symbol_of_which_there_is_nothing),
        cmocka_unit_test(writes_history_in_bucket_starts),
        cmocka_unit_test(lists_symbols_and_describes_itself),
        cmocka_unit_test(shows_the_quota_and_the_key),
    };
    return cmocka_run_group_tests_name("dialects/oanor", tests, NULL, NULL);
}
