/* SPDX-License-Identifier: Apache-2.0 */
/* When a figure that stands still is called frozen. */
#include "collector/frozen.h"

#include "support/test.h"

static bool
note(struct oi_frozen *frozen, int minute, int64_t figure, int64_t price)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.time = minute * OI_MINUTE;
    reading.open_interest = oi_decimal_from(figure, 0);
    if (price > 0)
        reading.mark_price = oi_decimal_from(price, 0);
    return oi_frozen_note(frozen, 3, &reading);
}

static void
a_figure_is_frozen_when_the_price_moves_without_it(void **)
{
    struct oi_frozen frozen = { .after_ns = 10 * OI_MINUTE };

    assert_false(note(&frozen, 0, 500, 1'000));
    assert_false(note(&frozen, 5, 500, 1'010));
    assert_int_equal(oi_frozen_count(&frozen, 5 * OI_MINUTE), 0);
    /* Told once, whatever the price does then. */
    assert_true(note(&frozen, 10, 500, 1'000));
    assert_false(note(&frozen, 11, 500, 1'000));
    assert_int_equal(oi_frozen_count(&frozen, 11 * OI_MINUTE), 1);
    assert_false(note(&frozen, 12, 501, 1'000));
    assert_int_equal(oi_frozen_count(&frozen, 12 * OI_MINUTE), 0);
    oi_frozen_release(&frozen);
}

static void
calm_empty_and_unpriced_markets_are_not(void **)
{
    struct oi_frozen frozen = { .after_ns = 10 * OI_MINUTE };
    struct oi_frozen never = {};

    for (int minute = 0; minute < 60; minute++) {
        assert_false(note(&frozen, minute, 500, 1'000 + minute % 5));
        assert_false(note(&never, minute, 500, 1'000 + minute * 10));
    }
    assert_int_equal(oi_frozen_count(&frozen, OI_HOUR), 0);
    oi_frozen_release(&frozen);
    for (int minute = 0; minute < 60; minute++) {
        assert_false(note(&frozen, minute, 0, 1'000 + minute * 10));
        assert_false(note(&frozen, minute, 500, 0));
    }
    oi_frozen_release(&frozen);
    oi_frozen_release(&never);
}

static void
a_market_that_is_gone_is_not_counted(void **)
{
    struct oi_frozen frozen = { .after_ns = 10 * OI_MINUTE };

    (void) note(&frozen, 0, 500, 1'000);
    assert_true(note(&frozen, 10, 500, 1'100));
    assert_int_equal(oi_frozen_count(&frozen, 19 * OI_MINUTE), 1);
    assert_int_equal(oi_frozen_count(&frozen, 20 * OI_MINUTE), 0);
    oi_frozen_release(&frozen);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_figure_is_frozen_when_the_price_moves_without_it),
        cmocka_unit_test(calm_empty_and_unpriced_markets_are_not),
        cmocka_unit_test(a_market_that_is_gone_is_not_counted),
    };

    return cmocka_run_group_tests_name("collector/frozen", tests, NULL, NULL);
}
