/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const bybit = &oi_exchange_bybit;

#define NOW (1'790'000'000 * OI_SECOND)
#define ENVELOPE(category, list)                                                                   \
    "{\"retCode\":0,\"retMsg\":\"OK\",\"result\":{\"category\":\"" category "\",\"list\":[" list   \
    "],\"nextPageCursor\":\"\"},\"time\":1790000000123}"

static void
stores_the_both_sided_figure_and_leaves_the_single_one(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "linear" };
    struct oi_harvest harvest = {};
    const struct oi_observation *reading;

    assert_ok(test_exchange_read(
        bybit, &task,
        ENVELOPE("linear", "{\"symbol\":\"BTCUSDT\",\"openInterest\":\"59972.256\","
                           "\"openInterestValue\":\"3811884569.16\",\"markPrice\":\"63560.80\","
                           "\"singleOpenInterest\":\"29986.128\"}"),
        &harvest));
    reading = &harvest.rows.items[0].reading;
    test_assert_decimal(&reading->open_interest, "59972.256");
    test_assert_decimal(&reading->value_usd, "3811884569.16");
    test_assert_decimal(&reading->mark_price, "63560.8");
    assert_true(reading->exchange_time == 1'790'000'000'123 * OI_MILLISECOND);
    assert_true(reading->time == OI_TIME_NONE);
    for (size_t i = 0; i < bybit->convention_count; i++)
        assert_int_equal(bybit->conventions[i].sides,
                         strcmp(bybit->conventions[i].product, "option") == 0 ? 0 : 2);
    oi_harvest_release(&harvest);
}

static void
the_inverse_value_is_in_coins_and_left_out(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "inverse" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(bybit, &task,
                                 ENVELOPE("inverse",
                                          "{\"symbol\":\"BTCUSD\",\"openInterest\":\"468908504\","
                                          "\"openInterestValue\":\"5553.19\"}"),
                                 &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "468908504");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    oi_harvest_release(&harvest);
}

static void
an_answer_of_the_other_category_is_upstream(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "linear" };
    struct oi_harvest harvest = {};

    assert_status(test_exchange_read(bybit, &task, ENVELOPE("inverse", ""), &harvest),
                  OI_E_UPSTREAM);
    assert_ok(test_exchange_read(bybit, &task, ENVELOPE("linear", ""), &harvest));
    assert_int_equal(harvest.rows.count, 0);
    oi_harvest_release(&harvest);
}

static void
a_cursor_goes_back_exactly_as_it_came(void **)
{
    static const char cursor[] = "first%3D0GUSDT%26last%3DNIGHTUSDT";
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS,
                                  .product = "linear",
                                  .page = cursor };
    struct oi_http_request request = {};
    struct oi_buffer url = {};
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_endpoint(bybit, &task)->ask(&task, &request, NULL));
    oi_http_write_url(&request, &url);
    assert_true(oi_slice_ends_with(oi_buffer_slice(&url), cursor));
    /* One that leads back to its own page would never end. */
    assert_status(test_exchange_read(bybit, &task,
                                     "{\"retCode\":0,\"result\":{\"list\":[],\"nextPageCursor\":"
                                     "\"first%3D0GUSDT%26last%3DNIGHTUSDT\"}}",
                                     &harvest),
                  OI_E_UPSTREAM);
    oi_buffer_release(&url);
    oi_http_request_release(&request);
    oi_harvest_release(&harvest);
}

static void
a_null_cursor_is_the_end(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "linear" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(bybit, &task,
                                 "{\"retCode\":0,\"result\":{\"list\":[],\"nextPageCursor\":null}}",
                                 &harvest));
    assert_null(harvest.next_page);
    oi_harvest_release(&harvest);
}

static void
shib1000_counts_thousands_of_shib(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "linear" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        bybit, &task,
        ENVELOPE("linear", "{\"symbol\":\"SHIB1000USDT\",\"contractType\":\"LinearPerpetual\","
                           "\"baseCoin\":\"SHIB1000\",\"quoteCoin\":\"USDT\","
                           "\"settleCoin\":\"USDT\",\"deliveryTime\":\"0\"}"),
        &harvest));
    assert_string_equal(harvest.instruments.items[0].base, "SHIB");
    assert_int_equal(harvest.instruments.items[0].base_factor, 1000);
    oi_harvest_release(&harvest);
}

static void
an_empty_text_means_does_not_apply(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "linear" };
    struct oi_harvest harvest = {};

    assert_ok(
        test_exchange_read(bybit, &task,
                           ENVELOPE("linear", "{\"symbol\":\"PREUSDT\",\"openInterest\":\"\"},"
                                              "{\"symbol\":\"XUSDT\",\"openInterest\":\"1\","
                                              "\"markPrice\":\"\"}"),
                           &harvest));
    assert_int_equal(harvest.skips.count, 1);
    assert_int_equal(harvest.rows.count, 1);
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "");
    oi_harvest_release(&harvest);
}

static void
an_error_arrives_with_a_good_status(void **)
{
    struct oi_verdict verdict = test_exchange_judge(
        bybit, 200, "{\"retCode\":10006,\"retMsg\":\"Too many visits!\",\"result\":{}}", NOW);
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "linear" };
    struct oi_harvest harvest = {};

    assert_status(verdict.status, OI_E_BUSY);
    verdict = test_exchange_judge(bybit, 200, "{\"retCode\":10016,\"retMsg\":\"server\"}", NOW);
    assert_status(verdict.status, OI_E_UPSTREAM);
    /* Should one slip through, it is not read as an empty list. */
    assert_status(
        test_exchange_read(bybit, &task, "{\"retCode\":10016,\"result\":{\"list\":[]}}", &harvest),
        OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

static void
too_frequent_pauses_for_ten_minutes_and_a_country_is_denied(void **)
{
    struct oi_verdict verdict = test_exchange_judge(bybit, 403, "access too frequent", NOW);

    assert_status(verdict.status, OI_E_BUSY);
    assert_int_equal(verdict.pause_ms, 600'000);
    verdict = test_exchange_judge(bybit, 403, "<html>CloudFront: your country</html>", NOW);
    assert_status(verdict.status, OI_E_DENIED);
    assert_int_equal(verdict.pause_ms, 600'000);
}

static void
the_strike_of_an_option_is_in_its_symbol_and_a_premium_is_no_price_of_the_coin(void **)
{
    struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "option", .family = "BTC" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        &oi_exchange_bybit, &task,
        "{\"retCode\":0,\"result\":{\"category\":\"option\",\"list\":[{\"symbol\":"
        "\"BTC-27MAR26-70000-P-USDT\",\"baseCoin\":\"BTC\",\"quoteCoin\":\"USDT\",\"settleCoin\":"
        "\"USDT\",\"optionsType\":\"Put\",\"deliveryTime\":\"1774598400000\"}]}}",
        &harvest));
    test_assert_decimal(&harvest.instruments.items[0].strike, "70000");
    assert_int_equal(harvest.instruments.items[0].option_side, OI_OPTION_PUT);
    assert_int_equal(harvest.instruments.items[0].settlement, OI_SETTLEMENT_LINEAR);
    task.kind = OI_TASK_CURRENT;
    assert_ok(test_exchange_read(
        &oi_exchange_bybit, &task,
        "{\"retCode\":0,\"result\":{\"category\":\"option\",\"list\":[{\"symbol\":\"A\","
        "\"openInterest\":\"6.3\",\"markPrice\":\"0\",\"indexPrice\":\"16600.55\"}]}}",
        &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "0");
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "16600.55");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_strike_of_an_option_is_in_its_symbol_and_a_premium_is_no_price_of_the_coin),
        cmocka_unit_test(stores_the_both_sided_figure_and_leaves_the_single_one),
        cmocka_unit_test(the_inverse_value_is_in_coins_and_left_out),
        cmocka_unit_test(an_answer_of_the_other_category_is_upstream),
        cmocka_unit_test(a_cursor_goes_back_exactly_as_it_came),
        cmocka_unit_test(a_null_cursor_is_the_end),
        cmocka_unit_test(shib1000_counts_thousands_of_shib),
        cmocka_unit_test(an_empty_text_means_does_not_apply),
        cmocka_unit_test(an_error_arrives_with_a_good_status),
        cmocka_unit_test(too_frequent_pauses_for_ten_minutes_and_a_country_is_denied),
    };
    return cmocka_run_group_tests_name("exchanges/bybit", tests, NULL, NULL);
}
