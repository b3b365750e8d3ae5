/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of the native API: its handshake, its key, its rows. */
#include "dialects/native_internal.h"

#include "support/test_dialect.h"

static void
reads_markets_and_a_key_in_the_address(void **)
{
    struct oi_http_request request = {};
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_call call = { .now = TEST_NOW };

    assert_ok(oi_http_parse_target(OI_SLICE("/x?market=a:b:c&market=d:e:f&key=K&backfill=latest"),
                                   &request, NULL));
    assert_ok(native_stream.parse(&call, &request, &query, &problem));
    assert_int_equal(query.selectors.count, 2);
    assert_string_equal(query.selectors.items[1].market, "d:e:f");
    assert_true(query.wants_latest);
    assert_true(oi_slice_is(native_stream.key(&request), "K"));
    oi_http_add_header(&request, "Authorization", OI_SLICE("Bearer L"));
    assert_true(oi_slice_is(native_stream.key(&request), "L"));
    oi_query_release(&query);
    oi_http_request_release(&request);
}

static void
hears_all_markets_by_default(void **)
{
    struct oi_http_request request = {};
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_call call = { .now = TEST_NOW };

    assert_ok(native_stream.parse(&call, &request, &query, &problem));
    assert_int_equal(query.selectors.count, 0);
    oi_query_release(&query);
    assert_ok(oi_http_parse_target(OI_SLICE("/x?backfill=latest"), &request, NULL));
    assert_ok(native_stream.parse(&call, &request, &query, &problem));
    assert_int_equal(query.selectors.count, 1);
    assert_true(query.selectors.items[0].is_pattern);
    oi_query_release(&query);
    oi_http_request_release(&request);
}

static void
words_a_row_as_it_is_stored(void **)
{
    struct oi_instrument instrument = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_stream_row row = { &instrument, &reading, "live", 0, false, {}, {} };
    struct oi_buffer out = {};

    reading.time = test_time("2026-06-09T03:02:00.5Z");
    reading.open_interest = test_decimal("81234.567");
    native_stream.render_row(&row, false, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(
        out.data, "{\"market\":\"binance:usdm:BTCUSDT\",\"time\":\"2026-06-09T03:02:00.500Z\","
                  "\"open_interest\":\"81234.567\",\"value_usd\":null,\"mark_price\":null,"
                  "\"feed\":\"live\"}");
    oi_buffer_release(&out);
}

static void
expect_refused(const char *target)
{
    struct oi_http_request request = {};
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_call call = { .now = TEST_NOW };

    assert_ok(oi_http_parse_target(oi_slice_of(target), &request, NULL));
    assert_status(native_stream.parse(&call, &request, &query, &problem), OI_E_INVALID);
    oi_query_release(&query);
    oi_http_request_release(&request);
}

static void
hears_closed_candles_of_a_choice(void **)
{
    struct oi_http_request request = {};
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_call call = { .now = TEST_NOW };

    assert_ok(oi_http_parse_target(OI_SLICE("/x?coin=btc&interval=5m&unit=usd"), &request, NULL));
    assert_ok(native_stream.parse(&call, &request, &query, &problem));
    assert_int_equal(query.interval_ns, 5 * OI_MINUTE);
    assert_int_equal(query.unit, OI_UNIT_USD);
    assert_int_equal(query.selectors.count, 1);
    assert_string_equal(query.selectors.items[0].coin, "BTC");
    oi_query_release(&query);
    oi_http_request_release(&request);
    expect_refused("/x?interval=5x");
    expect_refused("/x?interval=5m&backfill=latest");
    expect_refused("/x?unit=usd");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_markets_and_a_key_in_the_address),
        cmocka_unit_test(hears_all_markets_by_default),
        cmocka_unit_test(words_a_row_as_it_is_stored),
        cmocka_unit_test(hears_closed_candles_of_a_choice),
    };
    return cmocka_run_group_tests_name("dialects/native_stream", tests, NULL, NULL);
}
