/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const bitget = &oi_exchange_bitget;

#define NOW (1'790'000'000 * OI_SECOND)
#define OPEN "{\"code\":\"00000\",\"data\":["
#define CLOSE "]}"

static void
read_reply(enum oi_task_kind kind, const char *product, const char *reply,
           struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind, .product = product };

    assert_ok(test_exchange_read(bitget, &task, reply, harvest));
}

static void
a_step_of_orders_is_no_size_of_a_contract(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "usdt_futures",
               OPEN "{\"symbol\":\"1000BONKUSDT\",\"baseCoin\":\"1000BONK\",\"quoteCoin\":\"USDT\","
                    "\"sizeMultiplier\":\"10\",\"symbolType\":\"perpetual\"}" CLOSE,
               &harvest);
    assert_string_equal(harvest.instruments.items[0].base, "BONK");
    assert_int_equal(harvest.instruments.items[0].base_factor, 1'000);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1000");
    oi_harvest_release(&harvest);
}

static void
what_settles_in_coins_is_counted_in_coins_too(void **)
{
    struct oi_harvest harvest = {};
    const struct oi_convention_page page = { "bitget", bitget->conventions,
                                             bitget->convention_count };
    const struct oi_convention_book book = { (struct oi_convention_page *) &page, 1 };

    read_reply(OI_TASK_INSTRUMENTS, "coin_futures",
               OPEN "{\"symbol\":\"BTCUSDZ26\",\"baseCoin\":\"BTC\",\"quoteCoin\":\"USD\","
                    "\"symbolType\":\"delivery\",\"deliveryTime\":\"1798185600000\"}" CLOSE,
               &harvest);
    assert_int_equal(harvest.instruments.items[0].settlement, OI_SETTLEMENT_INVERSE);
    assert_string_equal(harvest.instruments.items[0].margin, "BTC");
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "");
    assert_int_equal(oi_convention_find(&book, "bitget", "coin_futures", "live", NOW)->unit,
                     OI_UNIT_COINS);
    oi_harvest_release(&harvest);
}

static void
one_figure_has_a_name_in_each_version(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "usdt_futures",
               OPEN "{\"symbol\":\"A\",\"holdingAmount\":\"8572031.1\",\"ts\":\"1730332823155\"},"
                    "{\"symbol\":\"B\",\"openInterest\":\"2243.019\",\"lastPrice\":\"7\"},"
                    "{\"symbol\":\"C\",\"holdingAmount\":\"\"}" CLOSE,
               &harvest);
    assert_int_equal(harvest.rows.count, 2);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "8572031.1");
    test_assert_decimal(&harvest.rows.items[1].reading.open_interest, "2243.019");
    test_assert_decimal(&harvest.rows.items[1].reading.last_price, "7");
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
a_kind_that_is_not_known_is_skipped(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "usdt_futures",
               OPEN "{\"symbol\":\"AUSDT\",\"baseCoin\":\"A\",\"quoteCoin\":\"USDT\"},"
                    "{\"symbol\":\"BUSDT_UMCBL\",\"baseCoin\":\"B\",\"quoteCoin\":\"USDT\"}" CLOSE,
               &harvest);
    assert_int_equal(harvest.instruments.count, 1);
    assert_string_equal(harvest.instruments.items[0].symbol, "BUSDT_UMCBL");
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
errors_are_told_by_code(void **)
{
    assert_status(test_exchange_judge(bitget, 400, "{\"code\":\"40034\"}", NOW).status,
                  OI_E_UPSTREAM);
    assert_status(test_exchange_judge(bitget, 200, "{\"code\":\"429\"}", NOW).status, OI_E_BUSY);
    assert_status(test_exchange_judge(bitget, 403, "{\"code\":\"40012\"}", NOW).status,
                  OI_E_DENIED);
    assert_status(test_exchange_judge(bitget, 200, "{\"code\":\"00000\"}", NOW).status, OI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_of_orders_is_no_size_of_a_contract),
        cmocka_unit_test(what_settles_in_coins_is_counted_in_coins_too),
        cmocka_unit_test(one_figure_has_a_name_in_each_version),
        cmocka_unit_test(a_kind_that_is_not_known_is_skipped),
        cmocka_unit_test(errors_are_told_by_code),
    };
    return cmocka_run_group_tests_name("exchanges/bitget", tests, NULL, NULL);
}
