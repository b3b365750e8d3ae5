/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const deribit = &oi_exchange_deribit;

static const struct oi_task current = { .kind = OI_TASK_CURRENT, .family = "BTC" };
static const struct oi_task instruments = { .kind = OI_TASK_INSTRUMENTS };

static void
tells_products_apart_because_the_unit_changes_within_one_reply(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        deribit, &current,
        "{\"result\":["
        "{\"instrument_name\":\"BTC-PERPETUAL\",\"open_interest\":560105870,\"mark_price\":29700."
        "53},"
        "{\"instrument_name\":\"BTC-3JUN27\",\"open_interest\":10},"
        "{\"instrument_name\":\"SOL_USDC-PERPETUAL\",\"open_interest\":12.5},"
        "{\"instrument_name\":\"SOL_USDC-30SEP26\",\"open_interest\":1},"
        "{\"instrument_name\":\"XRP_USDC-30SEP26-0d625-P\",\"open_interest\":2}],"
        "\"usOut\":1654340303741855,\"testnet\":false}",
        &harvest));
    assert_int_equal(harvest.rows.count, 5);
    assert_string_equal(harvest.rows.items[0].product, "inverse");
    assert_string_equal(harvest.rows.items[1].product, "inverse");
    assert_string_equal(harvest.rows.items[2].product, "linear");
    assert_string_equal(harvest.rows.items[3].product, "linear");
    assert_string_equal(harvest.rows.items[4].product, "option");
    assert_true(harvest.rows.items[0].reading.exchange_time ==
                1'654'340'303'741'855 * OI_MICROSECOND);
    oi_harvest_release(&harvest);
}

static void
spot_pairs_and_combinations_are_left_out(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        deribit, &current,
        "{\"result\":[{\"instrument_name\":\"BTC_USDC\",\"open_interest\":1},"
        "{\"instrument_name\":\"BTC-FS-27DEC24_PERP\",\"open_interest\":1},"
        "{\"instrument_name\":\"BTC-STRG-19MAY26-74000_79000\",\"open_interest\":1},"
        "{\"instrument_name\":\"BTC-CDIAG-19MAY26-1-2-C\",\"open_interest\":1},"
        "{\"instrument_name\":\"-\",\"open_interest\":1}]}",
        &harvest));
    assert_int_equal(harvest.rows.count + harvest.skips.count, 0);
    oi_harvest_release(&harvest);
}

static void
an_option_is_valued_by_its_underlying_and_never_by_its_premium(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        deribit, &current,
        "{\"result\":[{\"instrument_name\":\"ETH-24JUN22-1600-P\",\"open_interest\":15009.0,"
        "\"mark_price\":0.0336,\"underlying_price\":1806.5,\"last\":null,\"quote_currency\":"
        "\"ETH\"}]}",
        &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "15009");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "0.0336");
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "1806.5");
    test_assert_decimal(&harvest.rows.items[0].reading.last_price, "");
    oi_harvest_release(&harvest);
}

static void
an_inverse_name_with_another_quote_is_skipped(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(deribit, &current,
                                 "{\"result\":[{\"instrument_name\":\"SOL-PERPETUAL\","
                                 "\"open_interest\":5,\"quote_currency\":\"USDC\"}]}",
                                 &harvest));
    assert_int_equal(harvest.rows.count, 0);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
the_test_system_is_never_taken_for_the_market(void **)
{
    struct oi_harvest harvest = {};

    assert_status(
        test_exchange_read(deribit, &current, "{\"result\":[],\"testnet\":true}", &harvest),
        OI_E_UPSTREAM);
    assert_status(
        test_exchange_read(deribit, &instruments, "{\"result\":[],\"testnet\":true}", &harvest),
        OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

static void
a_reply_of_2021_without_instrument_type_is_read(void **)
{
    struct oi_harvest harvest = {};
    const struct oi_instrument *option;

    assert_ok(test_exchange_read(
        deribit, &instruments,
        "{\"result\":[{\"kind\":\"option\",\"instrument_name\":\"BTC-24SEP21-40000-P\","
        "\"strike\":40000.0,\"option_type\":\"put\",\"quote_currency\":\"BTC\",\"base_currency\":"
        "\"BTC\","
        "\"contract_size\":1.0,\"settlement_period\":\"month\",\"expiration_timestamp\":"
        "1632470400000,"
        "\"creation_timestamp\":1606129458000,\"is_active\":true}]}",
        &harvest));
    option = &harvest.instruments.items[0];
    assert_int_equal(option->settlement, OI_SETTLEMENT_INVERSE);
    assert_string_equal(option->quote, "USD");
    assert_string_equal(option->margin, "BTC");
    assert_int_equal(option->option_side, OI_OPTION_PUT);
    test_assert_decimal(&option->strike, "40000");
    oi_harvest_release(&harvest);
}

static void
the_year_3000_is_a_perpetual(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        deribit, &instruments,
        "{\"result\":[{\"kind\":\"future\",\"instrument_name\":\"BTC-PERPETUAL\","
        "\"instrument_type\":\"reversed\",\"quote_currency\":\"USD\",\"base_currency\":\"BTC\","
        "\"contract_size\":10.0,\"expiration_timestamp\":32503708800000}]}",
        &harvest));
    assert_int_equal(harvest.instruments.items[0].kind, OI_KIND_PERPETUAL);
    assert_true(harvest.instruments.items[0].expiry == OI_TIME_NONE);
    assert_string_equal(harvest.instruments.items[0].product, "inverse");
    oi_harvest_release(&harvest);
}

static void
errors_are_told_by_code_whatever_the_status(void **)
{
    assert_status(
        test_exchange_judge(deribit, 400, "{\"error\":{\"code\":10028,\"message\":\"x\"}}", 0)
            .status,
        OI_E_BUSY);
    assert_status(test_exchange_judge(deribit, 400, "{\"error\":{\"code\":-32602}}", 0).status,
                  OI_E_UPSTREAM);
    assert_status(test_exchange_judge(deribit, 400, "{\"error\":{\"code\":13020}}", 0).status,
                  OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(deribit, 200, "{\"error\":{\"code\":-32602}}", 0).status,
                  OI_E_UPSTREAM);
    assert_ok(test_exchange_judge(deribit, 200, "{\"result\":[]}", 0).status);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_products_apart_because_the_unit_changes_within_one_reply),
        cmocka_unit_test(spot_pairs_and_combinations_are_left_out),
        cmocka_unit_test(an_option_is_valued_by_its_underlying_and_never_by_its_premium),
        cmocka_unit_test(an_inverse_name_with_another_quote_is_skipped),
        cmocka_unit_test(the_test_system_is_never_taken_for_the_market),
        cmocka_unit_test(a_reply_of_2021_without_instrument_type_is_read),
        cmocka_unit_test(the_year_3000_is_a_perpetual),
        cmocka_unit_test(errors_are_told_by_code_whatever_the_status),
    };
    return cmocka_run_group_tests_name("exchanges/deribit", tests, NULL, NULL);
}
