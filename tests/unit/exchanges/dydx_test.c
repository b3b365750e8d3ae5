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

    assert_ok(test_exchange_read(&oi_exchange_dydx, &task, reply, harvest));
}

static void
open_interest_is_taken_and_the_other_figure_beside_it_is_not(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "perpetual", NULL,
               "{\"markets\":{\"BTC-USD\":{\"ticker\":\"BTC-USD\",\"openInterest\":\"381.7348\","
               "\"baseOpenInterest\":\"782.0931\",\"oraclePrice\":\"89919.2\"}}}",
               &harvest);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "381.7348");
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "89919.2");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "");
    oi_harvest_release(&harvest);
}

static void
the_quote_is_behind_the_last_dash_and_the_coin_before_a_comma(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "perpetual", NULL,
               "{\"markets\":{\"a\":{\"ticker\":\"AAA,RAYDIUM,9XYZ-USD\",\"status\":\"ACTIVE\"},"
               "\"b\":{\"ticker\":\"BTC-USD\",\"status\":\"ACTIVE\"},\"c\":{\"ticker\":\"A-B-USD\","
               "\"status\":\"ACTIVE\"}}}",
               &harvest);
    assert_string_equal(harvest.instruments.items[0].base, "AAA");
    assert_string_equal(harvest.instruments.items[0].quote, "USD");
    assert_string_equal(harvest.instruments.items[1].base, "BTC");
    assert_string_equal(harvest.instruments.items[1].margin, "USDC");
    assert_string_equal(harvest.instruments.items[2].base, "A-B");
    oi_harvest_release(&harvest);
}

static void
a_market_in_final_settlement_is_delisted(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, "perpetual", NULL,
               "{\"markets\":{\"a\":{\"ticker\":\"LUNA-USD\",\"status\":\"FINAL_SETTLEMENT\"},"
               "\"b\":{\"ticker\":\"X-USD\",\"status\":\"PAUSED\"}}}",
               &harvest);
    assert_true(harvest.instruments.items[0].is_delisted);
    assert_false(harvest.instruments.items[1].is_delisted);
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_interest_is_taken_and_the_other_figure_beside_it_is_not),
        cmocka_unit_test(the_quote_is_behind_the_last_dash_and_the_coin_before_a_comma),
        cmocka_unit_test(a_market_in_final_settlement_is_delisted),
    };
    return cmocka_run_group_tests_name("exchanges/dydx", tests, NULL, NULL);
}
