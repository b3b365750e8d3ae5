/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test.h"

static void
keeps_copies_of_symbol_and_reading(void **)
{
    struct oi_harvest harvest = {};
    struct oi_observation reading = OI_OBSERVATION_NONE;
    char symbol[] = "BTCUSDT";

    reading.open_interest = oi_decimal_from(15, -1);
    assert_ok(oi_harvest_add(&harvest, oi_slice_of(symbol), &reading, NULL));
    symbol[0] = 'X';
    reading.open_interest = (struct oi_decimal){};
    assert_int_equal(harvest.rows.count, 1);
    assert_string_equal(harvest.rows.items[0].symbol, "BTCUSDT");
    assert_null(harvest.rows.items[0].product);
    assert_int_equal(harvest.rows.items[0].reading.open_interest.mantissa, 15);
    oi_harvest_release(&harvest);
}

static void
names_the_product_where_one_reply_serves_several(void **)
{
    struct oi_harvest harvest = {};
    const struct oi_observation reading = OI_OBSERVATION_NONE;

    assert_ok(oi_harvest_add_of(&harvest, "option", OI_SLICE("BTC-X"), &reading, NULL));
    assert_string_equal(harvest.rows.items[0].product, "option");
    oi_harvest_release(&harvest);
}

static void
refuses_a_symbol_that_is_no_name(void **)
{
    struct oi_harvest harvest = {};
    const struct oi_observation reading = OI_OBSERVATION_NONE;
    char longest[OI_SYMBOL_SIZE + 1];

    memset(longest, 'A', sizeof(longest));
    assert_status(oi_harvest_add(&harvest, OI_SLICE(""), &reading, NULL), OI_E_INVALID);
    assert_status(oi_harvest_add(&harvest, OI_SLICE("A\nB"), &reading, NULL), OI_E_INVALID);
    assert_status(oi_harvest_add(&harvest, OI_SLICE("\xff"), &reading, NULL), OI_E_INVALID);
    assert_status(
        oi_harvest_add(&harvest, (struct oi_slice){ longest, sizeof(longest) }, &reading, NULL),
        OI_E_INVALID);
    assert_int_equal(harvest.rows.count, 0);
    oi_harvest_release(&harvest);
}

static void
bounds_what_a_skip_quotes(void **)
{
    struct oi_harvest harvest = {};
    char longest[4 * OI_SYMBOL_SIZE];

    memset(longest, 'A', sizeof(longest));
    oi_harvest_skip(&harvest, (struct oi_slice){ longest, sizeof(longest) }, "too long");
    oi_harvest_skip(&harvest, (struct oi_slice){}, "no name");
    assert_int_equal(strlen(harvest.skips.items[0].symbol), OI_SYMBOL_SIZE);
    assert_string_equal(harvest.skips.items[0].reason, "too long");
    assert_string_equal(harvest.skips.items[1].symbol, "");
    oi_harvest_release(&harvest);
}

static void
is_empty_and_usable_after_a_reset(void **)
{
    struct oi_harvest harvest = {};
    const struct oi_observation reading = OI_OBSERVATION_NONE;

    assert_ok(oi_harvest_add(&harvest, OI_SLICE("A"), &reading, NULL));
    oi_harvest_add_family(&harvest, OI_SLICE("xyz"));
    oi_harvest_skip(&harvest, OI_SLICE("B"), "reason");
    harvest.next_page = "2";
    oi_harvest_reset(&harvest);
    assert_int_equal(harvest.rows.count + harvest.families.count + harvest.skips.count, 0);
    assert_null(harvest.next_page);
    oi_harvest_add_family(&harvest, OI_SLICE("km"));
    assert_string_equal(harvest.families.items[0], "km");
    oi_harvest_release(&harvest);
    oi_harvest_release(&harvest); /* an empty one again */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_copies_of_symbol_and_reading),
        cmocka_unit_test(names_the_product_where_one_reply_serves_several),
        cmocka_unit_test(refuses_a_symbol_that_is_no_name),
        cmocka_unit_test(bounds_what_a_skip_quotes),
        cmocka_unit_test(is_empty_and_usable_after_a_reset),
    };
    return cmocka_run_group_tests_name("exchanges/harvest", tests, NULL, NULL);
}
