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

    assert_ok(test_exchange_read(&oi_exchange_cryptocom, &task, reply, harvest));
}

static void
spot_pairs_are_left_out_and_told_by_their_underscore(void **)
{
    struct oi_harvest harvest = {};

    read_reply(
        OI_TASK_CURRENT, NULL, NULL,
        "{\"result\":{\"data\":[{\"i\":\"BTC_USD\",\"oi\":\"0\",\"a\":\"1\",\"t\":1667320303754},{"
        "\"i\":\"APEUSD-PERP\",\"oi\":\"55851\",\"a\":\"4.6121\",\"t\":1667320303754}]}}",
        &harvest);
    assert_int_equal(harvest.rows.count, 1);
    assert_int_equal(harvest.skips.count, 0);
    assert_string_equal(harvest.rows.items[0].product, "perpetual");
    test_assert_decimal(&harvest.rows.items[0].reading.last_price, "4.6121");
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "");
    assert_true(harvest.rows.items[0].reading.exchange_time == 1'667'320'303'754 * OI_MILLISECOND);
    oi_harvest_release(&harvest);
}

static void
a_name_of_another_kind_is_a_skip(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, NULL, NULL,
               "{\"result\":{\"data\":[{\"i\":\"BTCUSD-260C\",\"oi\":\"1\"},{\"i\":\"BTCUSD-"
               "260925\",\"oi\":\"1\"}]}}",
               &harvest);
    assert_int_equal(harvest.skips.count, 1);
    assert_string_equal(harvest.rows.items[0].product, "futures");
    oi_harvest_release(&harvest);
}

static void
the_expiry_of_a_perpetual_means_nothing(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS, NULL, NULL,
               "{\"code\":0,\"result\":{\"data\":[{\"symbol\":\"BTCUSD-PERP\",\"inst_type\":"
               "\"PERPETUAL_SWAP\",\"base_ccy\":\"BTC\",\"quote_ccy\":\"USD\",\"expiry_timestamp_"
               "ms\":1624012801123}]}}",
               &harvest);
    assert_true(harvest.instruments.items[0].expiry == OI_TIME_NONE);
    test_assert_decimal(&harvest.instruments.items[0].contract_size, "1");
    oi_harvest_release(&harvest);
}

static void
the_newest_mark_counts_wherever_it_stands(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_PRICES, "perpetual", "BTCUSD-PERP",
               "{\"code\":0,\"result\":{\"instrument_name\":\"BTCUSD-PERP\",\"data\":[{\"v\":\"1."
               "5\",\"t\":1000},{\"v\":\"2.5\",\"t\":3000},{\"v\":\"3.5\",\"t\":2000}]}}",
               &harvest);
    assert_int_equal(harvest.rows.count, 1);
    test_assert_decimal(&harvest.rows.items[0].reading.mark_price, "2.5");
    assert_true(harvest.rows.items[0].reading.exchange_time == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
no_mark_at_all_is_no_row(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_PRICES, "perpetual", "BTCUSD-PERP",
               "{\"code\":0,\"result\":{\"instrument_name\":\"BTCUSD-PERP\",\"data\":[]}}",
               &harvest);
    assert_int_equal(harvest.rows.count + harvest.skips.count, 0);
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spot_pairs_are_left_out_and_told_by_their_underscore),
        cmocka_unit_test(a_name_of_another_kind_is_a_skip),
        cmocka_unit_test(the_expiry_of_a_perpetual_means_nothing),
        cmocka_unit_test(the_newest_mark_counts_wherever_it_stands),
        cmocka_unit_test(no_mark_at_all_is_no_row),
    };
    return cmocka_run_group_tests_name("exchanges/cryptocom", tests, NULL, NULL);
}
