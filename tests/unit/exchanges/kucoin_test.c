/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

#define NOW (1'790'000'000 * OI_SECOND)

/* The reply to a task of this kind, read by the adapter. */
static void
read_reply(enum oi_task_kind kind, const char *product, const char *symbol, const char *reply,
           struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind, .product = product, .symbol = symbol, .now = NOW };

    assert_ok(test_exchange_read(&oi_exchange_kucoin, &task, reply, harvest));
}

static void
a_negative_multiplier_is_a_size_without_its_sign(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, NULL, NULL,
               "{\"code\":\"200000\",\"data\":[{\"symbol\":\"XBTUSDM\",\"type\":\"FFWCSX\","
               "\"expireDate\":null,\"baseCurrency\":\"XBT\",\"quoteCurrency\":\"USD\","
               "\"settleCurrency\":\"XBT\",\"multiplier\":-1.0,\"isQuanto\":false,\"isInverse\":"
               "true,\"status\":\"Open\",\"openInterest\":\"1\",\"markPrice\":29538.28}]}",
               &harvest);
    assert_string_equal(harvest.instruments.items[0].product, "inverse");
    assert_int_equal(harvest.instruments.items[0].settlement, OI_SETTLEMENT_INVERSE);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1");
    oi_harvest_release(&harvest);
}

static void
linear_contracts_say_that_they_are_quanto_and_are_not(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, NULL, NULL,
               "{\"code\":\"200000\",\"data\":[{\"symbol\":\"XBTUSDTM\",\"type\":\"FFWCSX\","
               "\"expireDate\":null,\"baseCurrency\":\"XBT\",\"quoteCurrency\":\"USDT\","
               "\"settleCurrency\":\"USDT\",\"multiplier\":0.001,\"isQuanto\":true,\"isInverse\":"
               "false,\"status\":\"Open\",\"openInterest\":\"1\",\"markPrice\":29538.28}]}",
               &harvest);
    assert_string_equal(harvest.instruments.items[0].product, "linear");
    assert_int_equal(harvest.instruments.items[0].settlement, OI_SETTLEMENT_LINEAR);
    assert_string_equal(harvest.instruments.items[0].base, "BTC");
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "0.001");
    oi_harvest_release(&harvest);
}

static void
a_multiplier_that_does_not_fit_is_a_skip(void **)
{
    struct oi_harvest harvest = {};

    read_reply(
        OI_TASK_INSTRUMENTS, NULL, NULL,
        "{\"code\":\"200000\",\"data\":[{\"symbol\":\"XBTUSDTM\",\"type\":\"FFWCSX\","
        "\"expireDate\":null,\"baseCurrency\":\"XBT\",\"quoteCurrency\":\"USDT\","
        "\"settleCurrency\":\"USDT\",\"multiplier\":-0.001,\"isQuanto\":true,\"isInverse\":false,"
        "\"status\":\"Open\",\"openInterest\":\"1\",\"markPrice\":29538.28},{\"symbol\":"
        "\"XBTUSDM\",\"type\":\"FFWCSX\",\"expireDate\":null,\"baseCurrency\":\"XBT\","
        "\"quoteCurrency\":\"USD\",\"settleCurrency\":\"XBT\",\"multiplier\":1,\"isQuanto\":false,"
        "\"isInverse\":true,\"status\":\"Open\",\"openInterest\":\"1\",\"markPrice\":29538.28}]}",
        &harvest);
    assert_int_equal(harvest.instruments.count, 0);
    assert_int_equal(harvest.skips.count, 2);
    oi_harvest_release(&harvest);
}

static void
the_figure_is_a_text_among_numbers_and_in_lots(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, NULL, NULL,
               "{\"code\":\"200000\",\"data\":[{\"symbol\":\"XBTUSDTM\",\"type\":\"FFWCSX\","
               "\"expireDate\":null,\"baseCurrency\":\"XBT\",\"quoteCurrency\":\"USDT\","
               "\"settleCurrency\":\"USDT\",\"multiplier\":0.001,\"isQuanto\":true,\"isInverse\":"
               "false,\"status\":\"Open\",\"openInterest\":\"9876432\",\"markPrice\":29538.28}]}",
               &harvest);
    assert_string_equal(harvest.rows.items[0].product, "linear");
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "9876432");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "29538.28");
    assert_true(harvest.rows.items[0].reading.exchange_time == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
a_price_does_not_cost_the_figure_and_a_missing_figure_costs_the_row(void **)
{
    struct oi_harvest harvest = {};

    read_reply(
        OI_TASK_CURRENT, NULL, NULL,
        "{\"code\":\"200000\",\"data\":[{\"symbol\":\"A\",\"isInverse\":false,\"openInterest\":"
        "\"5\",\"markPrice\":\"x\"},{\"symbol\":\"B\",\"isInverse\":false,\"openInterest\":null}]}",
        &harvest);
    assert_int_equal(harvest.rows.count, 1);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
too_many_requests_say_when_the_window_ends(void **)
{
    const struct oi_http_field headers[] = {
        { OI_SLICE("GW-RateLimit-Limit"), OI_SLICE("2000") },
        { OI_SLICE("gw-ratelimit-remaining"), OI_SLICE("3") },
        { OI_SLICE("gw-ratelimit-reset"), OI_SLICE("1500") },
    };
    const struct oi_reply_head head = { .status = 429,
                                        .body = OI_SLICE("{\"code\":\"429000\"}"),
                                        .headers = headers,
                                        .header_count = 3,
                                        .now = NOW };
    struct oi_verdict verdict;

    oi_exchange_kucoin.judge(&head, &verdict);
    assert_status(verdict.status, OI_E_BUSY);
    assert_int_equal(verdict.pause_ms, 1500);
    assert_int_equal(verdict.weight_used, 1997);
    assert_status(
        test_exchange_judge(&oi_exchange_kucoin, 200, "{\"code\":\"400100\"}", NOW).status,
        OI_E_UPSTREAM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_negative_multiplier_is_a_size_without_its_sign),
        cmocka_unit_test(linear_contracts_say_that_they_are_quanto_and_are_not),
        cmocka_unit_test(a_multiplier_that_does_not_fit_is_a_skip),
        cmocka_unit_test(the_figure_is_a_text_among_numbers_and_in_lots),
        cmocka_unit_test(a_price_does_not_cost_the_figure_and_a_missing_figure_costs_the_row),
        cmocka_unit_test(too_many_requests_say_when_the_window_ends),
    };
    return cmocka_run_group_tests_name("exchanges/kucoin", tests, NULL, NULL);
}
