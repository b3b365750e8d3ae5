/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

static const struct oi_exchange *const hyperliquid = &oi_exchange_hyperliquid;

static const struct oi_task main_dex = { .kind = OI_TASK_CURRENT, .product = "perp" };

static void
joins_names_and_figures_by_position_over_delisted_slots(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(
        hyperliquid, &main_dex,
        "[{\"universe\":[{\"name\":\"BTC\"},{\"name\":\"MATIC\",\"isDelisted\":true},{\"name\":"
        "\"ETH\"}]},"
        "[{\"openInterest\":\"1\",\"markPx\":\"10\",\"oraclePx\":\"11\"},{\"openInterest\":\"0.0\"}"
        ","
        "{\"openInterest\":\"605822.2557999999\",\"markPx\":\"20\",\"midPx\":null}]]",
        &harvest));
    assert_int_equal(harvest.rows.count, 2);
    assert_string_equal(harvest.rows.items[1].symbol, "ETH");
    test_assert_decimal(&harvest.rows.items[1].reading.open_interest, "605822.2557999999");
    test_assert_decimal(&harvest.rows.items[0].reading.index_price, "11");
    assert_true(harvest.rows.items[0].reading.exchange_time == OI_TIME_NONE);
    oi_harvest_release(&harvest);
}

static void
a_length_that_differs_fails_the_reply(void **)
{
    struct oi_harvest harvest = {};

    assert_status(
        test_exchange_read(
            hyperliquid, &main_dex,
            "[{\"universe\":[{\"name\":\"BTC\"},{\"name\":\"ETH\"}]},[{\"openInterest\":\"1\"}]]",
            &harvest),
        OI_E_UPSTREAM);
    assert_int_equal(harvest.rows.count, 0);
    oi_harvest_release(&harvest);
}

static void
a_zero_of_a_living_market_is_a_zero(void **)
{
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(hyperliquid, &main_dex,
                                 "[{\"universe\":[{\"name\":\"NEW\"}]},[{\"openInterest\":\"0.0\","
                                 "\"markPx\":\"1\",\"impactPxs\":null}]]",
                                 &harvest));
    assert_int_equal(harvest.rows.count, 1);
    test_assert_decimal(&harvest.rows.items[0].reading.open_interest, "0");
    oi_harvest_release(&harvest);
}

static void
null_is_a_dex_that_is_not_there(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "hip3", .family = "gone" };
    struct oi_harvest harvest = {};

    assert_status(test_exchange_read(hyperliquid, &task, "null", &harvest), OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(hyperliquid, 200, " null\n", 0).status, OI_E_NOT_FOUND);
    assert_status(test_exchange_judge(hyperliquid, 422, "Failed to deserialize", 0).status,
                  OI_E_UPSTREAM);
    assert_status(test_exchange_judge(hyperliquid, 429, "null", 0).status, OI_E_BUSY);
    oi_harvest_release(&harvest);
}

static void
a_leading_k_counts_thousands(void **)
{
    const struct oi_task task = { .kind = OI_TASK_INSTRUMENTS };
    struct oi_harvest harvest = {};

    assert_ok(
        test_exchange_read(hyperliquid, &task,
                           "[{\"universe\":[{\"name\":\"kPEPE\"}],\"collateralToken\":0},"
                           "{\"universe\":[{\"name\":\"km:US500\"}],\"collateralToken\":360}]",
                           &harvest));
    assert_int_equal(harvest.instruments.count, 2);
    assert_string_equal(harvest.instruments.items[0].symbol, "kPEPE");
    assert_string_equal(harvest.instruments.items[0].base, "PEPE");
    assert_int_equal(harvest.instruments.items[0].base_factor, 1000);
    assert_string_equal(harvest.instruments.items[0].quote, "USDC");
    /* A dex is no multiplier: the k of "km" stands before the colon. */
    assert_string_equal(harvest.instruments.items[1].base, "US500");
    assert_int_equal(harvest.instruments.items[1].base_factor, 1);
    assert_string_equal(harvest.instruments.items[1].product, "hip3");
    assert_string_equal(harvest.instruments.items[1].margin, "USDH");
    oi_harvest_release(&harvest);
}

static void
the_main_dex_is_no_family(void **)
{
    const struct oi_task task = { .kind = OI_TASK_FAMILIES, .product = "hip3" };
    struct oi_harvest harvest = {};

    assert_ok(test_exchange_read(hyperliquid, &task, "[null,{\"name\":\"xyz\"},{\"name\":\"\"},3]",
                                 &harvest));
    assert_int_equal(harvest.families.count, 1);
    assert_string_equal(harvest.families.items[0], "xyz");
    assert_int_equal(harvest.skips.count, 2);
    oi_harvest_release(&harvest);
}

static void
asks_with_the_dex_in_the_body(void **)
{
    const struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "hip3", .family = "a\"b" };
    struct oi_http_request request = {};

    assert_ok(test_exchange_endpoint(hyperliquid, &task)->ask(&task, &request, NULL));
    assert_int_equal(request.method, OI_HTTP_POST);
    assert_true(oi_slice_is(request.body, "{\"type\":\"metaAndAssetCtxs\",\"dex\":\"a\\\"b\"}"));
    oi_http_request_release(&request);
}

static void
counts_both_sides(void **)
{
    assert_int_equal(hyperliquid->conventions[0].sides, 2);
    assert_int_equal(hyperliquid->conventions[0].unit, OI_UNIT_COINS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_names_and_figures_by_position_over_delisted_slots),
        cmocka_unit_test(a_length_that_differs_fails_the_reply),
        cmocka_unit_test(a_zero_of_a_living_market_is_a_zero),
        cmocka_unit_test(null_is_a_dex_that_is_not_there),
        cmocka_unit_test(a_leading_k_counts_thousands),
        cmocka_unit_test(the_main_dex_is_no_family),
        cmocka_unit_test(asks_with_the_dex_in_the_body),
        cmocka_unit_test(counts_both_sides),
    };
    return cmocka_run_group_tests_name("exchanges/hyperliquid", tests, NULL, NULL);
}
