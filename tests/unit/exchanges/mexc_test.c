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

    assert_ok(test_exchange_read(&oi_exchange_mexc, &task, reply, harvest));
}

static void
the_symbol_tells_inverse_from_linear(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, NULL, NULL,
               "{\"success\":true,\"code\":0,\"data\":[{\"symbol\":\"BTC_USD\",\"holdVol\":7,"
               "\"timestamp\":1654165943014},{\"symbol\":\"BTC_USDT\",\"holdVol\":12357864,"
               "\"fairPrice\":29911.1,\"timestamp\":1654165943014}]}",
               &harvest);
    assert_string_equal(harvest.rows.items[0].product, "inverse");
    assert_string_equal(harvest.rows.items[1].product, "linear");
    test_assert_decimal(&harvest.rows.items[1].reading.open_interest, "12357864");
    test_assert_decimal(&harvest.rows.items[1].reading.mark_price, "29911.1");
    assert_true(harvest.rows.items[1].reading.exchange_time == 1'654'165'943'014 * OI_MILLISECOND);
    oi_harvest_release(&harvest);
}

static void
sizes_are_coins_where_linear_and_dollars_where_inverse(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, NULL, NULL,
               "{\"success\":true,\"code\":0,\"data\":[{\"symbol\":\"BTC_USDT\",\"baseCoin\":"
               "\"BTC\",\"quoteCoin\":\"USDT\",\"settleCoin\":\"USDT\",\"contractSize\":0.0001,"
               "\"state\":0},{\"symbol\":\"BTC_USD\",\"baseCoin\":\"BTC\",\"quoteCoin\":\"USD\","
               "\"settleCoin\":\"BTC\",\"contractSize\":100,\"state\":0}]}",
               &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "0.0001");
    assert_int_equal(harvest.instruments.items[1].settlement, OI_SETTLEMENT_INVERSE);
    test_assert_decimal(&harvest.instruments.items[1].contract_size, "100");
    oi_harvest_release(&harvest);
}

static void
what_settles_in_a_third_coin_is_a_skip(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, NULL, NULL,
               "{\"success\":true,\"code\":0,\"data\":[{\"symbol\":\"A_USDT\",\"baseCoin\":\"A\","
               "\"quoteCoin\":\"USDT\",\"settleCoin\":\"BTC\",\"contractSize\":1,\"state\":0}]}",
               &harvest);
    assert_int_equal(harvest.instruments.count, 0);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
a_contract_that_is_offline_is_delisted(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, NULL, NULL,
               "{\"success\":true,\"code\":0,\"data\":[{\"symbol\":\"A_USDT\",\"baseCoin\":\"A\","
               "\"quoteCoin\":\"USDT\",\"settleCoin\":\"USDT\",\"contractSize\":1,\"state\":3},{"
               "\"symbol\":\"B_USDT\",\"baseCoin\":\"B\",\"quoteCoin\":\"USDT\",\"settleCoin\":"
               "\"USDT\",\"contractSize\":1,\"state\":4}]}",
               &harvest);
    assert_true(harvest.instruments.items[0].is_delisted);
    assert_false(harvest.instruments.items[1].is_delisted); /* paused */
    oi_harvest_release(&harvest);
}

static void
the_list_of_sizes_has_a_limit_of_its_own(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS };
    const struct oi_endpoint *endpoint = test_exchange_endpoint(&oi_exchange_mexc, &task);
    const struct oi_limit *limit = &oi_exchange_mexc.limits[endpoint->limit];

    assert_int_equal(limit->weight_max, 1);
    assert_int_equal(limit->window_ms, 5'000);
}

static void
excessive_frequency_comes_with_200(void **)
{
    assert_status(
        test_exchange_judge(&oi_exchange_mexc, 200, "{\"success\":false,\"code\":510}", NOW).status,
        OI_E_BUSY);
    assert_int_equal(test_exchange_judge(&oi_exchange_mexc, 418, "", NOW).pause_ms, 120'000);
    assert_ok(test_exchange_judge(&oi_exchange_mexc, 200, "{\"code\":0,\"data\":[]}", NOW).status);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_symbol_tells_inverse_from_linear),
        cmocka_unit_test(sizes_are_coins_where_linear_and_dollars_where_inverse),
        cmocka_unit_test(what_settles_in_a_third_coin_is_a_skip),
        cmocka_unit_test(a_contract_that_is_offline_is_delisted),
        cmocka_unit_test(the_list_of_sizes_has_a_limit_of_its_own),
        cmocka_unit_test(excessive_frequency_comes_with_200),
    };
    return cmocka_run_group_tests_name("exchanges/mexc", tests, NULL, NULL);
}
