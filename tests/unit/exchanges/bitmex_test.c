/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const bitmex = &oi_exchange_bitmex;

#define NOW (1'790'000'000 * OI_SECOND)
#define BITCOIN                                                                                    \
    "{\"symbol\":\"XBTUSD\",\"typ\":\"FFWCSX\",\"state\":\"Open\",\"underlying\":\"XBT\","         \
    "\"quoteCurrency\":\"USD\",\"settlCurrency\":\"XBt\",\"multiplier\":-100000000,"               \
    "\"isInverse\":true,\"isQuanto\":false,\"openInterest\":574264600,"                            \
    "\"openValue\":1784268825430,\"indicativeSettlePrice\":32000,"                                 \
    "\"timestamp\":\"2021-07-22T22:36:05.000Z\"}"

static void
read_list(enum oi_task_kind kind, const char *reply, struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind };

    assert_ok(test_exchange_read(bitmex, &task, reply, harvest));
}

static void
an_inverse_contract_is_a_dollar_and_its_value_in_satoshi_is_no_dollars(void **)
{
    struct oi_harvest harvest = {};

    read_list(OI_TASK_CURRENT, "[" BITCOIN "]", &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "574264600");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    assert_true(harvest.rows.items[0].reading.exchange_time == 1'626'993'365 * OI_SECOND);
    assert_string_equal(harvest.rows.items[0].product, "perpetual");
    read_list(OI_TASK_INSTRUMENTS, "[" BITCOIN "]", &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1");
    assert_string_equal(harvest.instruments.items[0].base, "BTC");
    assert_string_equal(harvest.instruments.items[0].margin, "BTC");
    oi_harvest_release(&harvest);
}

static void
a_quanto_contract_is_worth_its_value_in_bitcoin_at_the_index_of_the_same_list(void **)
{
    static const char quanto[] =
        "{\"symbol\":\"ETHUSD\",\"typ\":\"FFWCSX\",\"underlying\":\"ETH\",\"quoteCurrency\":"
        "\"USD\","
        "\"settlCurrency\":\"XBt\",\"multiplier\":100,\"isInverse\":false,\"isQuanto\":true,"
        "\"openInterest\":1403475,\"openValue\":281246565675,\"markPrice\":2003.93}";
    struct oi_harvest harvest = {};
    struct oi_buffer reply = {};

    oi_buffer_add_format(&reply, "[%s," BITCOIN "]", quanto);
    oi_buffer_add_char(&reply, '\0');
    read_list(OI_TASK_CURRENT, reply.data, &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "89998901.016");
    read_list(OI_TASK_INSTRUMENTS, reply.data, &harvest);
    assert_int_equal(harvest.instruments.items[0].settlement, OI_SETTLEMENT_QUANTO);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "");
    oi_buffer_clear(&reply);
    oi_buffer_add_format(&reply, "[%s]", quanto);
    oi_buffer_add_char(&reply, '\0');
    read_list(OI_TASK_CURRENT, reply.data, &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    oi_buffer_release(&reply);
    oi_harvest_release(&harvest);
}

static void
a_linear_contract_is_a_millionth_of_a_coin_and_worth_its_value_in_tether(void **)
{
    static const char reply[] =
        "[{\"symbol\":\"XBTUSDT\",\"typ\":\"FFWCSX\",\"underlying\":\"XBT\",\"quoteCurrency\":"
        "\"USDT\",\"settlCurrency\":\"USDt\",\"multiplier\":1,\"isInverse\":false,\"isQuanto\":"
        "false,\"openInterest\":7000000,\"openValue\":560000000000}]";
    struct oi_harvest harvest = {};

    read_list(OI_TASK_CURRENT, reply, &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "560000");
    read_list(OI_TASK_INSTRUMENTS, reply, &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "0.000001");
    assert_string_equal(harvest.instruments.items[0].quote, "USDT");
    oi_harvest_release(&harvest);
}

static void
a_contract_of_one_euro_is_never_taken_for_one_dollar(void **)
{
    struct oi_harvest harvest = {};

    read_list(OI_TASK_INSTRUMENTS,
              "[{\"symbol\":\"XBTEUR\",\"typ\":\"FFWCSX\",\"underlying\":\"XBT\",\"quoteCurrency\":"
              "\"EUR\",\"settlCurrency\":\"XBt\",\"multiplier\":-100000000,\"isInverse\":true,"
              "\"isQuanto\":false}]",
              &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "");
    assert_string_equal(harvest.instruments.items[0].quote, "EUR");
    oi_harvest_release(&harvest);
}

static void
a_row_without_open_interest_is_a_skip_and_no_zero(void **)
{
    struct oi_harvest harvest = {};

    read_list(OI_TASK_CURRENT,
              "[{\"symbol\":\"XBTUSD\",\"typ\":\"FFWCSX\",\"markPrice\":1},"
              "{\"symbol\":\"NEWUSD\",\"typ\":\"FFXYZ\",\"openInterest\":1},"
              "{\"symbol\":\".BXBT\",\"typ\":\"MRCXXX\"}]",
              &harvest);
    assert_int_equal(harvest.rows.count, 0);
    assert_int_equal(harvest.skips.count, 2);
    oi_harvest_release(&harvest);
}

static void
errors_are_told_by_status_and_named_by_the_body(void **)
{
    static const char busy[] = "{\"error\":{\"message\":\"overloaded\",\"name\":\"HTTPError\"}}";

    assert_status(test_exchange_judge(bitmex, 429, busy, NOW).status, OI_E_BUSY);
    assert_status(test_exchange_judge(bitmex, 503, busy, NOW).status, OI_E_BUSY);
    assert_status(test_exchange_judge(bitmex, 403, busy, NOW).status, OI_E_DENIED);
    assert_status(test_exchange_judge(bitmex, 200, busy, NOW).status, OI_E_UPSTREAM);
    assert_string_equal(test_exchange_judge(bitmex, 503, busy, NOW).reason,
                        "HTTPError: overloaded");
    assert_status(test_exchange_judge(bitmex, 200, "[]", NOW).status, OI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inverse_contract_is_a_dollar_and_its_value_in_satoshi_is_no_dollars),
        cmocka_unit_test(
            a_quanto_contract_is_worth_its_value_in_bitcoin_at_the_index_of_the_same_list),
        cmocka_unit_test(a_linear_contract_is_a_millionth_of_a_coin_and_worth_its_value_in_tether),
        cmocka_unit_test(a_contract_of_one_euro_is_never_taken_for_one_dollar),
        cmocka_unit_test(a_row_without_open_interest_is_a_skip_and_no_zero),
        cmocka_unit_test(errors_are_told_by_status_and_named_by_the_body),
    };
    return cmocka_run_group_tests_name("exchanges/bitmex", tests, NULL, NULL);
}
