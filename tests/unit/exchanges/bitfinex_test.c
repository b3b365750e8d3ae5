/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const bitfinex = &oi_exchange_bitfinex;

#define NOW (1'790'000'000 * OI_SECOND)
#define PLACES                                                                                     \
    "1786586583000,null,63514.4,63470.5,null,64745826.6,null,1786608000000,0.0001,2362,null,"      \
    "0.0001,null,null,63470.64,null,null,8872.19154966,null,null,null,0.0005,0.0025"

static const struct oi_task current = { .kind = OI_TASK_CURRENT, .product = "perpetual" };

static void
places_are_one_lower_without_a_key(void **)
{
    const struct oi_task history = { .kind = OI_TASK_HISTORY,
                                     .product = "perpetual",
                                     .symbol = "BTCF0:USTF0" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(bitfinex, &current, "[[\"tBTCF0:USTF0\"," PLACES "]]", &harvest));
    assert_string_equal(harvest.rows.items[0].symbol, "BTCF0:USTF0");
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "8872.19154966");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "63470.64");
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "63470.5");
    assert_ok(test_exchange_read(bitfinex, &history, "[[" PLACES "]]", &harvest));
    assert_string_equal(harvest.rows.items[0].symbol, "BTCF0:USTF0");
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "8872.19154966");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "63470.64");
    assert_true(harvest.rows.items[0].reading.time == 1'786'586'583'000 * OI_MILLISECOND);
    oi_harvest_release(&harvest);
}

static void
a_row_of_2019_ends_before_the_open_interest_and_is_skipped(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(bitfinex, &current, "[[\"tBTCF0:USTF0\",1,null,2,3]]", &harvest));
    assert_int_equal(harvest.rows.count, 0);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
pairs_for_practice_are_left_out(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS, .product = "perpetual" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        bitfinex, &task, "[[\"BTCF0:USTF0\",\"LTCF0:BTCF0\",\"TESTBTCF0:TESTUSDTF0\"]]", &harvest));
    assert_int_equal(harvest.instruments.count, 2);
    assert_int_equal(harvest.skips.count, 0);
    assert_string_equal(harvest.instruments.items[0].quote, "USDT");
    assert_string_equal(harvest.instruments.items[1].base, "LTC");
    assert_string_equal(harvest.instruments.items[1].quote, "BTC");
    oi_harvest_release(&harvest);
}

static void
a_price_in_bitcoin_is_no_index_in_dollars(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(bitfinex, &current, "[[\"tLTCF0:BTCF0\"," PLACES "]]", &harvest));
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "63470.64");
    oi_harvest_release(&harvest);
}

static void
an_error_is_a_list_like_any_other_and_never_an_empty_one(void **)
{
    static const char limit[] = "[\"error\",11010,\"ratelimit: error\"]";
    struct oi_harvest harvest = {};

    assert_status(test_exchange_read(bitfinex, &current, limit, &harvest), OI_E_UPSTREAM);
    assert_status(test_exchange_judge(bitfinex, 500, limit, NOW).status, OI_E_BUSY);
    assert_int_equal(test_exchange_judge(bitfinex, 500, limit, NOW).pause_ms, 60'000);
    assert_int_equal(
        test_exchange_judge(bitfinex, 429, "{\"error\":\"ERR_RATE_LIMIT\"}", NOW).pause_ms, 60'000);
    assert_status(
        test_exchange_judge(bitfinex, 500, "[\"error\",10020,\"keys: invalid\"]", NOW).status,
        OI_E_UPSTREAM);
    assert_status(test_exchange_judge(bitfinex, 200, "[]", NOW).status, OI_OK);
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_one_lower_without_a_key),
        cmocka_unit_test(a_row_of_2019_ends_before_the_open_interest_and_is_skipped),
        cmocka_unit_test(pairs_for_practice_are_left_out),
        cmocka_unit_test(a_price_in_bitcoin_is_no_index_in_dollars),
        cmocka_unit_test(an_error_is_a_list_like_any_other_and_never_an_empty_one),
    };
    return cmocka_run_group_tests_name("exchanges/bitfinex", tests, NULL, NULL);
}
