/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const kalshi = &oi_exchange_kalshi;

#define NOW (1'790'000'000 * OI_SECOND)

static void
contracts_come_in_hundredths(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "event" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(kalshi, &task,
                                 "{\"cursor\":\"\",\"markets\":[{\"ticker\":\"KXELONMARS-99\","
                                 "\"open_interest_fp\":\"32746.17\",\"last_price_dollars\":"
                                 "\"0.1000\",\"updated_time\":\"2026-04-09T09:31:16.616867Z\"}]}",
                                 &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "32746.17");
    assert_null(harvest.next_page);
    oi_harvest_release(&harvest);
}

static void
the_time_a_description_was_edited_is_no_time_of_the_figure(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "event" };
    struct oi_harvest harvest = {};

    assert_ok(
        test_exchange_read(kalshi, &task,
                           "{\"markets\":[{\"ticker\":\"KXA-1\",\"open_interest_fp\":\"1.00\","
                           "\"updated_time\":\"2026-04-09T09:31:16.616867Z\"}],\"cursor\":\"\"}",
                           &harvest));
    assert_true(harvest.rows.items[0].reading.exchange_time == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
pages_are_followed_until_the_cursor_is_empty(void **)
{
    struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "event" };
    struct oi_harvest harvest = {};
    struct oi_http_request request = {};

    assert_ok(
        test_exchange_read(kalshi, &task, "{\"markets\":[],\"cursor\":\"Cg+/==\"}", &harvest));
    assert_string_equal(harvest.next_page, "Cg+/==");
    task.page = "Cg+/==";
    assert_ok(test_exchange_endpoint(kalshi, &task)->ask(&task, &request, NULL));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "cursor"), "Cg+/=="));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "mve_filter"), "exclude"));
    assert_status(
        test_exchange_read(kalshi, &task, "{\"markets\":[],\"cursor\":\"Cg+/==\"}", &harvest),
        OI_E_UPSTREAM);
    oi_http_request_release(&request);
    oi_harvest_release(&harvest);
}

/* The base of a market with this ticker. */
static void
assert_base(const char *ticker, const char *base)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "event" };
    struct oi_harvest harvest = {};
    struct oi_buffer reply = {};

    oi_buffer_add_format(&reply,
                         "{\"cursor\":\"\",\"markets\":[{\"ticker\":\"%s\",\"market_type\":"
                         "\"binary\",\"notional_value_dollars\":\"1.0000\",\"close_time\":"
                         "\"2026-12-31T22:00:00Z\"}]}",
                         ticker);
    oi_buffer_add_char(&reply, '\0');
    assert_ok(test_exchange_read(kalshi, &task, reply.data, &harvest));
    assert_int_equal(harvest.instruments.count, 1);
    assert_string_equal(harvest.instruments.items[0].base, base);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1");
    oi_buffer_release(&reply);
    oi_harvest_release(&harvest);
}

static void
crypto_series_are_their_coin_and_others_are_themselves(void **)
{
    assert_base("KXBTC-26MAR31-80000", "BTC");
    assert_base("KXBTC15M-26MAR220945-45", "BTC");
    assert_base("KXETHD-26DEC3117-T3999.99", "ETH");
    assert_base("KXBTCRESERVE-27", "KXBTCRESERVE");
    assert_base("KXELONMARS-99", "KXELONMARS");
}

static void
a_candle_without_trades_has_a_figure_all_the_same(void **)
{
    const struct oi_task task = {
        .kind = OI_TASK_HISTORY, .product = "event", .symbol = "KXA-1", .now = NOW
    };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(kalshi, &task,
                                 "{\"ticker\":\"KXA-1\",\"candlesticks\":[{\"end_period_ts\":"
                                 "1778710380,\"open_interest_fp\":\"7.50\",\"price\":{}}]}",
                                 &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "7.5");
    assert_true(harvest.rows.items[0].reading.time == 1'778'710'380 * OI_SECOND);
    test_assert_decimal(&harvest.rows.items[0].reading.last_price, "");
    oi_harvest_release(&harvest);
}

static void
candles_of_another_market_are_refused(void **)
{
    const struct oi_task task = {
        .kind = OI_TASK_HISTORY, .product = "event", .symbol = "KXA-1", .now = NOW
    };
    struct oi_harvest harvest = {};

    assert_status(
        test_exchange_read(kalshi, &task, "{\"ticker\":\"KXB-1\",\"candlesticks\":[]}", &harvest),
        OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

static void
a_history_names_series_and_market_in_its_path(void **)
{
    struct oi_task task = { .kind = OI_TASK_HISTORY,
                            .product = "event",
                            .symbol = "KXBTC-26MAR31-80000",
                            .span = { NOW, NOW + OI_HOUR },
                            .now = NOW + OI_DAY };
    struct oi_http_request request = {};

    assert_ok(test_exchange_endpoint(kalshi, &task)->ask(&task, &request, NULL));
    assert_true(oi_slice_is(request.path, "/trade-api/v2/series/KXBTC/markets/KXBTC-26MAR31-80000/"
                                          "candlesticks"));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "end_ts"), "1790003599"));
    oi_http_request_release(&request);
    task.symbol = "../orders";
    assert_status(test_exchange_endpoint(kalshi, &task)->ask(&task, &request, NULL), OI_E_INVALID);
    oi_http_request_release(&request);
}

static void
too_many_requests_mean_wait(void **)
{
    assert_status(test_exchange_judge(kalshi, 429, "{\"error\":\"too many requests\"}", NOW).status,
                  OI_E_BUSY);
    assert_status(
        test_exchange_judge(kalshi, 404, "{\"error\":{\"code\":\"not_found\"}}", NOW).status,
        OI_E_NOT_FOUND);
    assert_ok(test_exchange_judge(kalshi, 200, "{\"markets\":[],\"cursor\":\"\"}", NOW).status);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contracts_come_in_hundredths),
        cmocka_unit_test(the_time_a_description_was_edited_is_no_time_of_the_figure),
        cmocka_unit_test(pages_are_followed_until_the_cursor_is_empty),
        cmocka_unit_test(crypto_series_are_their_coin_and_others_are_themselves),
        cmocka_unit_test(a_candle_without_trades_has_a_figure_all_the_same),
        cmocka_unit_test(candles_of_another_market_are_refused),
        cmocka_unit_test(a_history_names_series_and_market_in_its_path),
        cmocka_unit_test(too_many_requests_mean_wait),
    };
    return cmocka_run_group_tests_name("exchanges/kalshi", tests, NULL, NULL);
}
