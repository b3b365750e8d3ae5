/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const gate = &oi_exchange_gate;

#define NOW (1'790'000'000 * OI_SECOND)

static void
read_reply(enum oi_task_kind kind, const char *product, const char *reply,
           struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind, .product = product, .symbol = "BTC_USDT" };

    assert_ok(test_exchange_read(gate, &task, reply, harvest));
}

static void
a_contract_is_the_multiplier_in_coins_and_a_dollar_where_inverse(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "usdt",
               "[{\"name\":\"BTC_USDT\",\"type\":\"direct\",\"quanto_multiplier\":\"0.0001\"}]",
               &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "0.0001");
    assert_string_equal(harvest.instruments.items[0].quote, "USDT");
    read_reply(OI_TASK_INSTRUMENTS, "btc",
               "[{\"name\":\"BTC_USD\",\"type\":\"inverse\",\"quanto_multiplier\":\"0\"},"
               "{\"name\":\"ETH_USD\",\"type\":\"direct\",\"quanto_multiplier\":\"0.000001\"}]",
               &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1");
    assert_int_equal(harvest.instruments.items[0].settlement, OI_SETTLEMENT_INVERSE);
    assert_int_equal(harvest.instruments.items[1].settlement, OI_SETTLEMENT_QUANTO);
    test_assert_decimal(&harvest.instruments.items[1].contract_size, "");
    oi_harvest_release(&harvest);
}

static void
parts_of_contracts_keep_their_digits_and_no_time_is_made_up(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "usdt",
               "[{\"contract\":\"BTC_USDT\",\"total_size\":\"754413619.25\",\"mark_price\":"
               "\"29908\",\"index_price\":\"\"}]",
               &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "754413619.25");
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "");
    assert_true(harvest.rows.items[0].reading.exchange_time == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
a_contract_on_its_way_out_is_gone_when_nothing_is_left(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "usdt",
               "[{\"name\":\"A_USDT\",\"type\":\"direct\",\"quanto_multiplier\":\"1\","
               "\"in_delisting\":true,\"position_size\":7},"
               "{\"name\":\"B_USDT\",\"type\":\"direct\",\"quanto_multiplier\":\"1\","
               "\"in_delisting\":true,\"position_size\":0}]",
               &harvest);
    assert_false(harvest.instruments.items[0].is_delisted);
    assert_true(harvest.instruments.items[1].is_delisted);
    oi_harvest_release(&harvest);
}

static void
a_full_page_has_another_behind_it(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "usdt", .page = "1000" };
    struct oi_harvest harvest = {};
    struct oi_buffer reply = {};
    struct oi_http_request request = {};

    for (int i = 0; i < 1'000; i++)
        oi_buffer_add_format(&reply,
                             "%c{\"name\":\"C%d_USDT\",\"type\":\"direct\","
                             "\"quanto_multiplier\":\"1\"}",
                             i == 0 ? '[' : ',', i);
    oi_buffer_add_text(&reply, "]");
    oi_buffer_add_char(&reply, '\0');
    assert_ok(test_exchange_read(gate, &task, reply.data, &harvest));
    assert_string_equal(harvest.next_page, "2000");
    assert_ok(test_exchange_endpoint(gate, &task)->ask(&task, &request, NULL));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "offset"), "1000"));
    assert_ok(test_exchange_read(gate, &task, "[]", &harvest));
    assert_null(harvest.next_page);
    oi_http_request_release(&request);
    oi_buffer_release(&reply);
    oi_harvest_release(&harvest);
}

static void
the_times_of_a_history_are_seconds(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_HISTORY, "usdt",
               "[{\"time\":1654335300,\"open_interest\":749773515,\"open_interest_usd\":"
               "2226295750.1279,\"mark_price\":29692.91}]",
               &harvest);
    assert_true(harvest.rows.items[0].reading.time == 1'654'335'300 * OI_SECOND);
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "2226295750.1279");
    oi_harvest_release(&harvest);
}

static void
errors_are_told_by_label(void **)
{
    assert_status(test_exchange_judge(gate, 429, "{\"label\":\"TOO_MANY_REQUESTS\"}", NOW).status,
                  OI_E_BUSY);
    assert_status(test_exchange_judge(gate, 400, "{\"label\":\"CONTRACT_NOT_FOUND\"}", NOW).status,
                  OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(gate, 500, "{\"label\":\"SERVER_ERROR\"}", NOW).status,
                  OI_E_UPSTREAM);
    assert_status(test_exchange_judge(gate, 200, "[]", NOW).status, OI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contract_is_the_multiplier_in_coins_and_a_dollar_where_inverse),
        cmocka_unit_test(parts_of_contracts_keep_their_digits_and_no_time_is_made_up),
        cmocka_unit_test(a_contract_on_its_way_out_is_gone_when_nothing_is_left),
        cmocka_unit_test(a_full_page_has_another_behind_it),
        cmocka_unit_test(the_times_of_a_history_are_seconds),
        cmocka_unit_test(errors_are_told_by_label),
    };
    return cmocka_run_group_tests_name("exchanges/gate", tests, NULL, NULL);
}
