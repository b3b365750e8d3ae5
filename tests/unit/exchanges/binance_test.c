/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const binance = &oi_exchange_binance;

#define NOW (1'790'000'000 * OI_SECOND)

static void
counts_1000pepe_in_thousands_and_maps_it_to_pepe(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "usdm" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        binance, &task,
        "{\"symbols\":[{\"symbol\":\"1000PEPEUSDT\",\"contractType\":\"PERPETUAL\","
        "\"deliveryDate\":4133404800000,\"status\":\"TRADING\",\"baseAsset\":\"1000PEPE\","
        "\"quoteAsset\":\"USDT\",\"marginAsset\":\"USDT\"}]}",
        &harvest));
    assert_int_equal(harvest.instruments.count, 1);
    assert_string_equal(harvest.instruments.items[0].base, "PEPE");
    assert_int_equal(harvest.instruments.items[0].base_factor, 1000);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1000");
    assert_true(harvest.instruments.items[0].expiry == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
a_symbol_without_contract_type_is_not_yet_an_instrument(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "usdm" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(binance, &task,
                                 "{\"symbols\":[{\"symbol\":\"SOONUSDT\",\"contractType\":\"\","
                                 "\"status\":\"PENDING_TRADING\"}]}",
                                 &harvest));
    assert_int_equal(harvest.instruments.count + harvest.skips.count, 0);
    oi_harvest_release(&harvest);
}

static void
an_unknown_contract_type_is_skipped_and_never_guessed(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "usdm" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        binance, &task,
        "{\"symbols\":[{\"symbol\":\"XUSDT\",\"contractType\":\"WEEKLY\",\"baseAsset\":\"X\","
        "\"quoteAsset\":\"USDT\",\"marginAsset\":\"USDT\"}]}",
        &harvest));
    assert_int_equal(harvest.instruments.count, 0);
    assert_int_equal(harvest.skips.count, 1);
    assert_string_equal(harvest.skips.items[0].symbol, "XUSDT");
    oi_harvest_release(&harvest);
}

static void
coin_m_value_is_in_coins_and_never_taken_for_dollars(void **)
{
    const struct oi_task task = { .kind = OI_TASK_HISTORY,
                                  .product = "coinm",
                                  .symbol = "BTCUSD_PERP" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(binance, &task,
                                 "[{\"sumOpenInterest\":\"284391.0\",\"timestamp\":1602984600000,"
                                 "\"sumOpenInterestValue\":\"2451.46068891\"}]",
                                 &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "284391");
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    oi_harvest_release(&harvest);
}

static void
a_value_quoted_in_bitcoin_is_not_dollars_either(void **)
{
    static const char reply[] = "[{\"sumOpenInterest\":\"5\",\"sumOpenInterestValue\":\"2\","
                                "\"timestamp\":\"1602984600000\"}]";
    struct oi_task task = { .kind = OI_TASK_HISTORY, .product = "usdm", .symbol = "ETHBTC" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(binance, &task, reply, &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "");
    task.symbol = "ETHUSDT_261225";
    assert_ok(test_exchange_read(binance, &task, reply, &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.value_usd, "2");
    assert_true(harvest.rows.items[0].reading.time == 1'602'984'600 * OI_SECOND);
    oi_harvest_release(&harvest);
}

static void
an_answer_about_another_symbol_is_upstream(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "usdm", .symbol = "ETHUSDT" };
    struct oi_harvest harvest = {};

    assert_status(test_exchange_read(binance, &task,
                                     "{\"symbol\":\"BTCUSDT\",\"openInterest\":\"1\"}", &harvest),
                  OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

static void
an_empty_funding_rate_does_not_cost_a_dated_symbol_its_price(void **)
{
    const struct oi_task task = { .kind = OI_TASK_PRICES, .product = "usdm" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(binance, &task,
                                 "[{\"symbol\":\"BTCUSDT_261225\",\"markPrice\":\"65000.10\","
                                 "\"indexPrice\":\"64000\",\"lastFundingRate\":\"\","
                                 "\"nextFundingTime\":0}]",
                                 &harvest));
    assert_int_equal(harvest.rows.count, 1);
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "65000.1");
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "");
    oi_harvest_release(&harvest);
}

static void
a_ban_ends_when_its_text_says(void **)
{
    static const char body[] = "{\"code\":-1003,\"msg\":\"Way too many requests; IP banned until "
                               "1790000060000. Please use the websocket.\"}";
    struct oi_verdict verdict = test_exchange_judge(binance, 418, body, NOW);

    assert_status(verdict.status, OI_E_BUSY);
    assert_int_equal(verdict.pause_ms, 60'001);
    /* Without a clock, or past the end, the driver's default holds. */
    assert_int_equal(test_exchange_judge(binance, 418, body, 0).pause_ms, 0);
    assert_int_equal(test_exchange_judge(binance, 418, body, NOW + OI_HOUR).pause_ms, 0);
    assert_int_equal(test_exchange_judge(binance, 418, body, NOW - 9 * OI_DAY).pause_ms, 0);
}

static void
a_symbol_that_went_is_not_found_by_any_of_its_codes(void **)
{
    assert_status(test_exchange_judge(binance, 400, "{\"code\":-1121,\"msg\":\"\"}", NOW).status,
                  OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(binance, 400, "{\"code\":-4140}", NOW).status,
                  OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(binance, 400, "{\"code\":-1102}", NOW).status, OI_E_UPSTREAM);
    assert_status(test_exchange_judge(binance, 451, "{\"code\":0}", NOW).status, OI_E_DENIED);
}

static void
reads_the_weight_that_was_used(void **)
{
    const struct oi_http_field header = { OI_SLICE("x-mbx-used-weight-1m"), OI_SLICE("1234") };
    const struct oi_reply_head head = {
        .status = 200, .body = OI_SLICE("[]"), .headers = &header, .header_count = 1
    };
    struct oi_verdict verdict;

    binance->judge(&head, &verdict);
    assert_ok(verdict.status);
    assert_int_equal(verdict.weight_used, 1234);
}

static void
history_of_dated_coin_m_contracts_is_not_asked_for(void **)
{
    const struct oi_task task = { .kind = OI_TASK_HISTORY,
                                  .product = "coinm",
                                  .symbol = "BTCUSD_261225",
                                  .span = { NOW - OI_DAY, NOW },
                                  .now = NOW };
    struct oi_http_request request = {};

    assert_status(test_exchange_endpoint(binance, &task)->ask(&task, &request, NULL),
                  OI_E_NOT_FOUND);
    oi_http_request_release(&request);
}

static void
an_option_is_a_coin_and_its_family_underlying_and_expiry(void **)
{
    static const char reply[] =
        "{\"optionSymbols\":[{\"expiryDate\":1798185600000,\"symbol\":\"ETH-261225-2600-P\","
        "\"side\":\"PUT\",\"strikePrice\":\"2600\",\"unit\":1,\"quoteAsset\":\"USDT\"},"
        "{\"symbol\":\"ETH-261225-2700-P\"}]}";
    struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "option" };
    struct oi_harvest harvest = {};
    struct oi_http_request request = {};
    struct oi_buffer url = {};

    assert_ok(test_exchange_read(binance, &task, reply, &harvest));
    assert_int_equal(harvest.instruments.count, 1);
    assert_int_equal(harvest.instruments.items[0].option_side, OI_OPTION_PUT);
    test_assert_decimal(&harvest.instruments.items[0].strike, "2600");
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1");
    task.kind = OI_TASK_FAMILIES;
    assert_ok(test_exchange_read(binance, &task, reply, &harvest));
    assert_int_equal(harvest.families.count, 1);
    assert_string_equal(harvest.families.items[0], "ETH-261225");
    task = (struct oi_task){ .kind = OI_TASK_CURRENT, .product = "option", .family = "ETH-261225" };
    assert_ok(test_exchange_endpoint(binance, &task)->ask(&task, &request, NULL));
    oi_http_write_url(&request, &url);
    assert_true(oi_slice_is(oi_buffer_slice(&url),
                            "https://eapi.binance.com/eapi/v1/openInterest?underlyingAsset=ETH"
                            "&expiration=261225"));
    oi_http_request_release(&request);
    oi_buffer_release(&url);
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_is_a_coin_and_its_family_underlying_and_expiry),
        cmocka_unit_test(counts_1000pepe_in_thousands_and_maps_it_to_pepe),
        cmocka_unit_test(a_symbol_without_contract_type_is_not_yet_an_instrument),
        cmocka_unit_test(an_unknown_contract_type_is_skipped_and_never_guessed),
        cmocka_unit_test(coin_m_value_is_in_coins_and_never_taken_for_dollars),
        cmocka_unit_test(a_value_quoted_in_bitcoin_is_not_dollars_either),
        cmocka_unit_test(an_answer_about_another_symbol_is_upstream),
        cmocka_unit_test(an_empty_funding_rate_does_not_cost_a_dated_symbol_its_price),
        cmocka_unit_test(a_ban_ends_when_its_text_says),
        cmocka_unit_test(a_symbol_that_went_is_not_found_by_any_of_its_codes),
        cmocka_unit_test(reads_the_weight_that_was_used),
        cmocka_unit_test(history_of_dated_coin_m_contracts_is_not_asked_for),
    };
    return cmocka_run_group_tests_name("exchanges/binance", tests, NULL, NULL);
}
