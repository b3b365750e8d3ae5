/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const okx = &oi_exchange_okx;

#define NOW (1'790'000'000 * OI_SECOND)

static void
keeps_the_noise_in_the_tail_and_the_dollars_beside_it(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "swap" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        okx, &task,
        "{\"code\":\"0\",\"data\":[{\"instId\":\"BTC-USDT-SWAP\",\"instType\":\"SWAP\","
        "\"oi\":\"2216113.01000000309\",\"oiCcy\":\"22161.1301000000309\","
        "\"oiUsd\":\"1939251795.54769270396321\",\"ts\":\"1743041250440\"}],\"msg\":\"\"}",
        &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "2216113.01000000309");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "1939251795.54769270396321");
    assert_true(harvest.rows.items[0].reading.exchange_time == 1'743'041'250'440 * OI_MILLISECOND);
    oi_harvest_release(&harvest);
}

static void
a_reply_of_2022_without_dollars_is_read(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "futures" };
    struct oi_harvest harvest = {};

    assert_ok(
        test_exchange_read(okx, &task,
                           "{\"code\":\"0\",\"data\":[{\"instId\":\"BTC-USD-220527\",\"oi\":\"0\","
                           "\"oiCcy\":\"0\",\"ts\":\"1654348172899\"}]}",
                           &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "0");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    oi_harvest_release(&harvest);
}

static const char instrument[] =
    "{\"code\":\"0\",\"data\":[{\"instId\":\"BTC-USD-SWAP\",\"instType\":\"SWAP\",\"uly\":\"BTC-"
    "USD\","
    "\"baseCcy\":\"\",\"quoteCcy\":\"\",\"settleCcy\":\"BTC\",\"ctType\":\"inverse\",\"ctVal\":"
    "\"100\","
    "\"ctMult\":\"%s\",\"ctValCcy\":\"%s\",\"state\":\"%s\",\"expTime\":\"\"}]}";

/* The instrument with these fields. */
static void
read_instrument(const char *multiplier, const char *currency, const char *state,
                struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "swap" };
    struct oi_buffer reply = {};

    oi_buffer_add_format(&reply, instrument, multiplier, currency, state);
    oi_buffer_add_char(&reply, '\0');
    assert_ok(test_exchange_read(okx, &task, reply.data, harvest));
    oi_buffer_release(&reply);
}

static void
splits_the_underlying_because_base_and_quote_are_empty(void **)
{
    struct oi_harvest harvest = {};

    read_instrument("1", "USD", "live", &harvest);
    assert_string_equal(harvest.instruments.items[0].base, "BTC");
    assert_string_equal(harvest.instruments.items[0].quote, "USD");
    assert_string_equal(harvest.instruments.items[0].margin, "BTC");
    oi_harvest_release(&harvest);
}

static void
reads_the_multiplier_of_the_contract_size(void **)
{
    struct oi_harvest harvest = {};

    read_instrument("0.1", "USD", "live", &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "10");
    read_instrument("0", "USD", "live", &harvest);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
a_size_in_an_unexpected_currency_stays_unknown(void **)
{
    struct oi_harvest harvest = {};

    read_instrument("1", "BTC", "live", &harvest);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "");
    oi_harvest_release(&harvest);
}

static void
test_instruments_are_left_out(void **)
{
    struct oi_harvest harvest = {};

    read_instrument("1", "USD", "test", &harvest);
    assert_int_equal(harvest.instruments.count + harvest.skips.count, 0);
    oi_harvest_release(&harvest);
}

static void
an_option_is_its_multiplier_in_coins_and_its_premium_may_be_zero(void **)
{
    struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "option", .family = "BTC-USD" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        okx, &task,
        "{\"code\":\"0\",\"data\":[{\"instId\":\"BTC-USD-261225-92000-C\",\"instType\":\"OPTION\","
        "\"uly\":\"BTC-USD\",\"settleCcy\":\"BTC\",\"ctType\":\"\",\"ctVal\":\"1\",\"ctMult\":"
        "\"0.01\",\"ctValCcy\":\"BTC\",\"optType\":\"C\",\"stk\":\"92000\",\"expTime\":"
        "\"1798185600000\",\"state\":\"live\"}]}",
        &harvest));
    assert_int_equal(harvest.instruments.items[0].kind, OI_KIND_OPTION);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "0.01");
    test_assert_decimal(&harvest.instruments.items[0].strike, "92000");
    task.kind = OI_TASK_PRICES;
    assert_ok(test_exchange_read(
        okx, &task, "{\"code\":\"0\",\"data\":[{\"instId\":\"A\",\"markPx\":\"0\"}]}", &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "0");
    oi_harvest_release(&harvest);
}

static void
the_running_bar_of_a_history_is_left_out(void **)
{
    const struct oi_task task = {
        .kind = OI_TASK_HISTORY, .product = "swap", .symbol = "BTC-USDT-SWAP", .now = NOW
    };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(okx, &task,
                                 "{\"code\":\"0\",\"data\":[[\"1789999900000\",\"2\",\"1\",\"3\"],"
                                 "[\"1789999700000\",\"4\",\"1\",\"5\"],[\"x\"],7]}",
                                 &harvest));
    assert_int_equal(harvest.rows.count, 1);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "4");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "5");
    assert_int_equal(harvest.skips.count, 2);
    oi_harvest_release(&harvest);
}

static void
both_ends_of_a_history_request_are_exclusive(void **)
{
    const struct oi_task task = { .kind = OI_TASK_HISTORY,
                                  .product = "swap",
                                  .symbol = "BTC-USDT-SWAP",
                                  .span = { NOW - OI_HOUR, NOW },
                                  .now = NOW };
    struct oi_http_request request = {};

    assert_ok(test_exchange_endpoint(okx, &task)->ask(&task, &request, NULL));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "begin"), "1789996399999"));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "end"), "1790000000000"));
    oi_http_request_release(&request);
}

static void
errors_are_told_by_code_whatever_the_status(void **)
{
    assert_status(
        test_exchange_judge(okx, 200, "{\"code\":\"50011\",\"msg\":\"\",\"data\":[]}", NOW).status,
        OI_E_BUSY);
    assert_status(test_exchange_judge(okx, 200, "{\"code\":\"50013\"}", NOW).status, OI_E_BUSY);
    assert_status(test_exchange_judge(okx, 400, "{\"code\":\"51001\"}", NOW).status,
                  OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(okx, 200, "{\"code\":\"50014\"}", NOW).status, OI_E_UPSTREAM);
    assert_ok(test_exchange_judge(okx, 200, "{\"code\":\"0\",\"data\":[]}", NOW).status);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_noise_in_the_tail_and_the_dollars_beside_it),
        cmocka_unit_test(a_reply_of_2022_without_dollars_is_read),
        cmocka_unit_test(splits_the_underlying_because_base_and_quote_are_empty),
        cmocka_unit_test(reads_the_multiplier_of_the_contract_size),
        cmocka_unit_test(a_size_in_an_unexpected_currency_stays_unknown),
        cmocka_unit_test(test_instruments_are_left_out),
        cmocka_unit_test(an_option_is_its_multiplier_in_coins_and_its_premium_may_be_zero),
        cmocka_unit_test(the_running_bar_of_a_history_is_left_out),
        cmocka_unit_test(both_ends_of_a_history_request_are_exclusive),
        cmocka_unit_test(errors_are_told_by_code_whatever_the_status),
    };
    return cmocka_run_group_tests_name("exchanges/okx", tests, NULL, NULL);
}
