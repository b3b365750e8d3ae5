/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const kraken = &oi_exchange_kraken_futures;

#define NOW (1'790'000'000 * OI_SECOND)

static void
read_reply(enum oi_task_kind kind, const char *reply, struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind };

    assert_ok(test_exchange_read(kraken, &task, reply, harvest));
}

static void
the_prefix_tells_dollars_from_coins(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT,
               "{\"result\":\"success\",\"serverTime\":\"2025-11-17T00:34:37.524Z\",\"tickers\":["
               "{\"symbol\":\"PI_XBTUSD\",\"openInterest\":21279580.0},"
               "{\"symbol\":\"FI_XBTUSD_261225\",\"openInterest\":1},"
               "{\"symbol\":\"PF_XBTUSD\",\"openInterest\":2192.1466},"
               "{\"symbol\":\"FF_XBTUSD_261225\",\"openInterest\":1e-3},"
               "{\"symbol\":\"PX_XBTUSD\",\"openInterest\":1}]}",
               &harvest);
    assert_int_equal(harvest.rows.count, 4);
    assert_string_equal(harvest.rows.items[0].product, "inverse");
    assert_string_equal(harvest.rows.items[1].product, "inverse");
    assert_string_equal(harvest.rows.items[2].product, "linear");
    assert_string_equal(harvest.rows.items[3].product, "linear");
    test_assert_decimal(&harvest.rows.items[3].reading.open_interest, "0.001");
    assert_true(harvest.rows.items[0].reading.exchange_time == 1'763'339'677'524 * OI_MILLISECOND);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
an_index_has_no_open_interest_and_is_no_skip(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT,
               "{\"result\":\"success\",\"tickers\":[{\"symbol\":\"in_xbtusd\",\"last\":1},"
               "{\"symbol\":\"rr_xbtusd\",\"last\":1},{\"symbol\":\"PF_XBTUSD\",\"last\":1}]}",
               &harvest);
    assert_int_equal(harvest.rows.count, 0);
    assert_int_equal(harvest.skips.count, 1);
    oi_harvest_release(&harvest);
}

static void
a_symbol_of_2021_tells_its_own_pair(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_INSTRUMENTS,
               "{\"result\":\"success\",\"instruments\":[{\"symbol\":\"fi_xbtusd_210924\",\"type\":"
               "\"futures_inverse\",\"lastTradingTime\":\"2021-09-24T15:00:00.000Z\","
               "\"contractSize\":1,\"tradeable\":true}]}",
               &harvest);
    assert_string_equal(harvest.instruments.items[0].base, "BTC");
    assert_string_equal(harvest.instruments.items[0].quote, "USD");
    assert_string_equal(harvest.instruments.items[0].margin, "BTC");
    assert_int_equal(harvest.instruments.items[0].kind, OI_KIND_FUTURE);
    assert_true(harvest.instruments.items[0].expiry == 1'632'495'600 * OI_SECOND);
    oi_harvest_release(&harvest);
}

static void
a_history_is_the_close_of_its_bars_without_the_one_that_fills(void **)
{
    const struct oi_task task = {
        .kind = OI_TASK_HISTORY, .product = "linear", .symbol = "PF_XBTUSD", .now = NOW
    };
    struct oi_harvest harvest = {};

    assert_ok(
        test_exchange_read(kraken, &task,
                           "{\"result\":{\"timestamp\":[1789999800,1789999980],\"more\":false,"
                           "\"data\":[[\"1\",\"4\",\"1\",\"3\"],[\"3\",\"3\",\"3\",\"3\"]]}}",
                           &harvest));
    assert_int_equal(harvest.rows.count, 1);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "3");
    assert_status(test_exchange_read(kraken, &task,
                                     "{\"result\":{\"timestamp\":[1],\"more\":true,\"data\":"
                                     "[[\"1\",\"4\",\"1\",\"3\"]]}}",
                                     &harvest),
                  OI_E_UPSTREAM);
    assert_status(test_exchange_read(kraken, &task,
                                     "{\"result\":{\"timestamp\":[1,2],\"more\":false,\"data\":"
                                     "[[\"1\",\"4\",\"1\",\"3\"]]}}",
                                     &harvest),
                  OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

static void
an_error_comes_with_status_200(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT };
    struct oi_harvest harvest = {};

    assert_status(
        test_exchange_judge(kraken, 200, "{\"result\":\"error\",\"error\":\"x\"}", NOW).status,
        OI_E_UPSTREAM);
    assert_status(test_exchange_judge(kraken, 200,
                                      "{\"result\":\"error\",\"error\":\"apiLimitExceeded\"}", NOW)
                      .status,
                  OI_E_BUSY);
    assert_status(test_exchange_judge(kraken, 429, "", NOW).status, OI_E_BUSY);
    assert_status(
        test_exchange_read(kraken, &task, "{\"result\":\"error\",\"tickers\":[]}", &harvest),
        OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prefix_tells_dollars_from_coins),
        cmocka_unit_test(an_index_has_no_open_interest_and_is_no_skip),
        cmocka_unit_test(a_symbol_of_2021_tells_its_own_pair),
        cmocka_unit_test(a_history_is_the_close_of_its_bars_without_the_one_that_fills),
        cmocka_unit_test(an_error_comes_with_status_200),
    };
    return cmocka_run_group_tests_name("exchanges/kraken_futures", tests, NULL, NULL);
}
