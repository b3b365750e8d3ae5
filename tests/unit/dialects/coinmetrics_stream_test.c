/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of the Coin Metrics dialect: its handshake, its rows byte for byte, what it carries.
 */
#include "dialects/coinmetrics_internal.h"

#include "support/test_dialect.h"

static enum oi_status
shake(const char *target, struct oi_query *query, struct oi_problem *problem)
{
    struct oi_http_request request = {};
    struct oi_call call = { .now = TEST_NOW };
    enum oi_status status;

    *query = OI_QUERY_EMPTY;
    *problem = (struct oi_problem){};
    assert_ok(oi_http_parse_target(oi_slice_of(target), &request, NULL));
    status = coinmetrics_stream.parse(&call, &request, query, problem);
    oi_http_request_release(&request);
    return status;
}

static void
sends_the_newest_first_unless_told_not_to(void **)
{
    struct oi_query query;
    struct oi_problem problem;

    assert_ok(shake("/x?markets=binance-*,okex-BTC-USD-SWAP-future", &query, &problem));
    assert_true(query.wants_latest && !query.is_pretty);
    assert_int_equal(query.selectors.count, 2);
    assert_true(query.selectors.items[0].is_pattern && query.selectors.items[0].must_match);
    oi_query_release(&query);
    assert_ok(shake("/x?markets=a&backfill=none&pretty=TRUE&start_time=x", &query, &problem));
    assert_true(!query.wants_latest && query.is_pretty);
    oi_query_release(&query);
}

static void
refuses_what_it_cannot_mean(void **)
{
    static const struct {
        const char *target, *parameter;
    } cases[] = {
        { "/x", "markets" },
        { "/x?markets=binance-btc-usdt-spot", "markets" },
        { "/x?markets=a&backfill=all", "backfill" },
        { "/x?markets=a&pretty=1", "pretty" },
        { "/x?markets=a&markets=b", "markets" },
        { "/x?markets=a&no_such=1", "no_such" },
    };
    struct oi_query query;
    struct oi_problem problem;

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        assert_status(shake(cases[i].target, &query, &problem), OI_E_INVALID);
        assert_string_equal(problem.parameter, cases[i].parameter);
        oi_query_release(&query);
    }
}

static void
words_a_row_as_the_vendor_does(void **)
{
    struct oi_instrument instrument = test_perpetual("okx", "swap", "BTC-USD-SWAP", "BTC", "USD");
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_stream_row row = { &instrument, &reading, "live", 0, false, test_decimal("35074.075"),
                                 {} };
    struct oi_buffer out = {};

    reading.time = test_time("2026-06-09T03:02:00Z");
    row.usd = test_decimal("408810440.79225");
    coinmetrics_stream.render_row(&row, false, &out);
    coinmetrics_stream.render_end(0, false, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(
        out.data,
        "{\"market\":\"okex-BTC-USD-SWAP-future\",\"time\":\"2026-06-09T03:02:00.000000000Z\","
        "\"contract_count\":\"35074.075\",\"value_usd\":\"408810440.79225\","
        "\"exchange_time\":\"2026-06-09T03:02:00.000000000Z\",\"cm_sequence_id\":\"0\"}");
    oi_buffer_clear(&out);
    row.usd = (struct oi_decimal){};
    coinmetrics_stream.render_row(&row, true, &out);
    coinmetrics_stream.render_end(17, true, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data, "{\n  \"market\": \"okex-BTC-USD-SWAP-future\",\n  \"time\": "
                                  "\"2026-06-09T03:02:00.000000000Z\",\n"
                                  "  \"contract_count\": \"35074.075\",\n  \"value_usd\": null,\n"
                                  "  \"exchange_time\": \"2026-06-09T03:02:00.000000000Z\",\n  "
                                  "\"cm_sequence_id\": \"17\"\n}");
    oi_buffer_release(&out);
}

static void
carries_half_an_hour_and_no_daily_feeds(void **)
{
    struct oi_instrument instrument = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_stream_row row = { &instrument, &reading, "live", 0, false, test_decimal("1"), {} };

    reading.time = TEST_NOW - 30 * OI_MINUTE;
    assert_true(coinmetrics_stream.takes(&row, TEST_NOW, false));
    reading.time--;
    assert_false(coinmetrics_stream.takes(&row, TEST_NOW, false));
    assert_true(coinmetrics_stream.takes(&row, TEST_NOW, true));
    row.is_daily = true;
    assert_false(coinmetrics_stream.takes(&row, TEST_NOW, true));
    row.is_daily = false;
    row.amount = (struct oi_decimal){};
    assert_false(coinmetrics_stream.takes(&row, TEST_NOW, true));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_the_newest_first_unless_told_not_to),
        cmocka_unit_test(refuses_what_it_cannot_mean),
        cmocka_unit_test(words_a_row_as_the_vendor_does),
        cmocka_unit_test(carries_half_an_hour_and_no_daily_feeds),
    };
    return cmocka_run_group_tests_name("dialects/coinmetrics_stream", tests, NULL, NULL);
}
