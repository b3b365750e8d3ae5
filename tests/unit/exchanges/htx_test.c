/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const htx = &oi_exchange_htx;

#define NOW (1'790'000'000 * OI_SECOND)

static void
read_reply(enum oi_task_kind kind, const char *product, const char *reply,
           struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind, .product = product, .symbol = "BTC-USDT" };

    assert_ok(test_exchange_read(htx, &task, reply, harvest));
}

static void
forty_digits_and_a_zero_with_eighteen_decimals_are_kept(void **)
{
    struct oi_harvest harvest = {};

    read_reply(
        OI_TASK_CURRENT, "linear",
        "{\"status\":\"ok\",\"data\":["
        "{\"contract_code\":\"A-USDT\",\"volume\":6024.809855090449174997774141172323490409},"
        "{\"contract_code\":\"B-USDT\",\"volume\":0E-18,\"value\":0E-18}],\"ts\":1654346577824}",
        &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest,
                        "6024.809855090449174997774141172323490409");
    assert_true(oi_decimal_is_zero(&harvest.rows.items[1].reading.open_interest));
    assert_true(harvest.rows.items[0].reading.exchange_time == 1'654'346'577'824 * OI_MILLISECOND);
    oi_harvest_release(&harvest);
}

static void
linear_lists_are_asked_for_all_of_their_business(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "linear" };
    struct oi_http_request request = {};

    assert_ok(test_exchange_endpoint(htx, &task)->ask(&task, &request, NULL));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "business_type"), "all"));
    oi_http_request_release(&request);
}

static int
sides_of(const char *product)
{
    const struct oi_convention_page page = { "htx", htx->conventions, htx->convention_count };
    const struct oi_convention_book book = { (struct oi_convention_page *) &page, 1 };

    return oi_convention_find(&book, "htx", product, "live", NOW)->sides;
}

static void
each_product_counts_the_sides_that_its_page_says(void **)
{
    assert_int_equal(sides_of("linear"), 2);
    assert_int_equal(sides_of("coin_swap"), 1);
    assert_int_equal(sides_of("coin_futures"), 2);
}

static void
a_value_is_dollars_where_linear_and_no_amount_of_coins_is_taken_for_one(void **)
{
    static const char reply[] = "{\"status\":\"ok\",\"data\":[{\"contract_code\":\"X\",\"volume\":"
                                "1,\"amount\":2,\"value\":3}],"
                                "\"ts\":1654346577824}";
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "linear", reply, &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "3");
    read_reply(OI_TASK_CURRENT, "coin_swap", reply, &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    oi_harvest_release(&harvest);
}

static void
a_size_is_coins_where_linear_and_dollars_where_inverse(void **)
{
    struct oi_harvest harvest = {};

    read_reply(
        OI_TASK_INSTRUMENTS, "linear",
        "{\"status\":\"ok\",\"data\":[{\"symbol\":\"BTC\",\"contract_code\":\"BTC-USDT-211210\","
        "\"contract_size\":0.001000000000000000,\"contract_type\":\"this_week\","
        "\"delivery_time\":\"1639123200000\",\"create_date\":\"20211126\","
        "\"contract_status\":1}]}",
        &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "0.001");
    assert_string_equal(harvest.instruments.items[0].quote, "USDT");
    assert_int_equal(harvest.instruments.items[0].kind, OI_KIND_FUTURE);
    assert_true(harvest.instruments.items[0].listed == 1'637'884'800 * OI_SECOND);
    read_reply(OI_TASK_INSTRUMENTS, "coin_futures",
               "{\"status\":\"ok\",\"data\":[{\"symbol\":\"BTC\",\"contract_code\":\"BTC220624\","
               "\"contract_size\":100.0,\"contract_type\":\"quarter\",\"delivery_time\":"
               "\"1656057600000\",\"contract_status\":1}]}",
               &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "100");
    assert_string_equal(harvest.instruments.items[0].quote, "USD");
    assert_string_equal(harvest.instruments.items[0].margin, "BTC");
    oi_harvest_release(&harvest);
}

static void
a_history_in_coins_is_not_taken_for_contracts(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_HISTORY, "linear",
               "{\"status\":\"ok\",\"data\":{\"tick\":["
               "{\"volume\":27112,\"amount_type\":1,\"value\":7,\"ts\":1638720000000},"
               "{\"volume\":27.1,\"amount_type\":2,\"ts\":1638716400000}]}}",
               &harvest);
    assert_int_equal(harvest.rows.count, 1);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
errors_come_with_status_200_under_two_names(void **)
{
    assert_status(test_exchange_judge(
                      htx, 200, "{\"status\":\"error\",\"err_code\":1014,\"err_msg\":\"x\"}", NOW)
                      .status,
                  OI_E_NOT_FOUND);
    assert_string_equal(
        test_exchange_judge(htx, 200,
                            "{\"status\":\"error\",\"err-code\":\"bad\",\"err-msg\":\"size\"}", NOW)
            .reason,
        "bad: size");
    assert_status(test_exchange_judge(htx, 200, "{\"status\":\"ok\"}", NOW).status, OI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forty_digits_and_a_zero_with_eighteen_decimals_are_kept),
        cmocka_unit_test(linear_lists_are_asked_for_all_of_their_business),
        cmocka_unit_test(each_product_counts_the_sides_that_its_page_says),
        cmocka_unit_test(a_value_is_dollars_where_linear_and_no_amount_of_coins_is_taken_for_one),
        cmocka_unit_test(a_size_is_coins_where_linear_and_dollars_where_inverse),
        cmocka_unit_test(a_history_in_coins_is_not_taken_for_contracts),
        cmocka_unit_test(errors_come_with_status_200_under_two_names),
    };
    return cmocka_run_group_tests_name("exchanges/htx", tests, NULL, NULL);
}
