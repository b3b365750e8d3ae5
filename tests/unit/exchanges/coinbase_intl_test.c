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

    assert_ok(test_exchange_read(&oi_exchange_coinbase_intl, &task, reply, harvest));
}

static void
the_time_is_that_of_the_quote(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "perpetual", NULL,
               "[{\"symbol\":\"ADA-PERP\",\"type\":\"PERP\",\"open_interest\":\"84998\",\"quote\":{"
               "\"mark_price\":\"0.739\",\"index_price\":\"0.7383\",\"trade_price\":\"0.74\","
               "\"timestamp\":\"2024-03-07T16:53:06.244Z\"}}]",
               &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "84998");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "0.739");
    assert_true(harvest.rows.items[0].reading.exchange_time == 1'709'830'386'244 * OI_MILLISECOND);
    oi_harvest_release(&harvest);
}

static void
spot_is_left_out_and_an_unknown_type_is_a_skip(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "perpetual", NULL,
               "[{\"symbol\":\"BTC-USDC\",\"type\":\"SPOT\",\"open_interest\":\"0\"},{\"symbol\":"
               "\"BTC-X\",\"type\":\"FUTURE\",\"open_interest\":\"5\"}]",
               &harvest);
    assert_int_equal(harvest.rows.count, 0);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
a_row_without_a_quote_has_a_figure_all_the_same(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "perpetual", NULL,
               "[{\"symbol\":\"A-PERP\",\"type\":\"PERP\",\"open_interest\":\"5\"},{\"symbol\":\"B-"
               "PERP\",\"type\":\"PERP\",\"open_interest\":\"6\",\"quote\":null}]",
               &harvest);
    assert_int_equal(harvest.rows.count, 2);
    assert_true(harvest.rows.items[0].reading.exchange_time == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
a_multiple_is_a_size(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "perpetual", NULL,
               "[{\"symbol\":\"1000PEPE-PERP\",\"type\":\"PERP\",\"base_asset_name\":\"1000PEPE\","
               "\"quote_asset_name\":\"USDC\",\"trading_state\":\"TRADING\"}]",
               &harvest);
    assert_string_equal(harvest.instruments.items[0].base, "PEPE");
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1000");
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_is_that_of_the_quote),
        cmocka_unit_test(spot_is_left_out_and_an_unknown_type_is_a_skip),
        cmocka_unit_test(a_row_without_a_quote_has_a_figure_all_the_same),
        cmocka_unit_test(a_multiple_is_a_size),
    };
    return cmocka_run_group_tests_name("exchanges/coinbase_intl", tests, NULL, NULL);
}
