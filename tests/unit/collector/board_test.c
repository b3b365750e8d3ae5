/* SPDX-License-Identifier: Apache-2.0 */
/* One minute's board: merging by symbol, waiting for prices, holes and marks, ranking. */
#include "collector/board.h"

#include "support/test_board.h"

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_CURRENT, .product = "linear", .scope = OI_SCOPE_SYMBOL },
    { .kind = OI_TASK_CURRENT, .product = "inverse" },
};
static const struct oi_exchange exchange = {
    .name = "example", .products = test_board_products, .endpoints = endpoints, .endpoint_count = 2
};

struct fixture {
    struct test_board world;
    struct oi_board board;
    struct oi_board_yield yield;
};

static void
begin(struct fixture *fixture, void **state)
{
    memset(fixture, 0, sizeof(*fixture));
    test_board_begin(&fixture->world, *state);
    oi_board_init(&fixture->board, &exchange);
    assert_ok(oi_board_begin(&fixture->board, fixture->world.store.store, fixture->world.feed,
                             TEST_START, NULL));
}

static void
end(struct fixture *fixture)
{
    oi_board_release(&fixture->board);
    oi_board_yield_release(&fixture->yield);
    test_store_close(&fixture->world.store);
}

static bool
put(struct fixture *fixture, const char *product, struct oi_harvest_row row)
{
    return oi_board_put(&fixture->board, &row, product);
}

/* The cause of the hole of an instrument (0: of the product), or NONE. */
static enum oi_hole_cause
find_hole(const struct fixture *fixture, uint32_t instrument, const char *product)
{
    for (size_t i = 0; i < fixture->yield.holes.count; i++) {
        const struct oi_hole *hole = &fixture->yield.holes.items[i];

        if (hole->instrument == instrument && strcmp(hole->product, product) == 0)
            return hole->cause;
    }
    return OI_HOLE_NONE;
}

static void
a_figure_and_a_price_of_one_symbol_become_one_row(void **state)
{
    const struct oi_decimal interest = oi_decimal_from(5, 0), mark = oi_decimal_from(100, 0);
    struct fixture fixture;

    begin(&fixture, state);
    oi_board_prices(&fixture.board, "linear", 1);
    assert_true(put(&fixture, "linear", test_board_row("L0", 5, -1)));
    assert_true(put(&fixture, "inverse", test_board_row("I0", 7, -1)));
    oi_board_take_rows(&fixture.board, false, &fixture.yield);
    /* The linear one waits for its price. */
    assert_int_equal(fixture.yield.rows.count, 1);
    assert_true(put(&fixture, "linear", test_board_row("L0", -1, 100)));
    assert_true(put(&fixture, "linear", test_board_row("L1", -1, 100)));
    oi_board_prices(&fixture.board, "linear", -1);
    oi_board_take_rows(&fixture.board, false, &fixture.yield);
    assert_int_equal(fixture.yield.rows.count, 2);
    assert_true(oi_decimal_equal(&fixture.yield.rows.items[1].reading.open_interest, &interest));
    assert_true(oi_decimal_equal(&fixture.yield.rows.items[1].reading.mark_price, &mark));
    assert_int_equal(fixture.yield.rows.items[1].reading.time, TEST_START);
    end(&fixture);
}

static void
a_row_is_taken_once_and_at_the_end_without_its_price(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    oi_board_prices(&fixture.board, NULL, 1);
    assert_true(put(&fixture, "linear", test_board_row("L0", 5, -1)));
    oi_board_take_rows(&fixture.board, false, &fixture.yield);
    assert_int_equal(fixture.yield.rows.count, 0);
    oi_board_take_rows(&fixture.board, true, &fixture.yield);
    assert_int_equal(fixture.yield.rows.count, 1);
    assert_true(put(&fixture, "linear", test_board_row("L0", 6, -1)));
    oi_board_take_rows(&fixture.board, true, &fixture.yield);
    assert_int_equal(fixture.yield.rows.count, 1);
    end(&fixture);
}

static void
what_nobody_knows_is_told_and_a_row_names_its_own_product(void **state)
{
    struct oi_harvest_row row = test_board_row("I1", 3, -1);
    struct fixture fixture;

    begin(&fixture, state);
    assert_false(put(&fixture, "linear", test_board_row("L9", 1, -1)));
    assert_false(put(&fixture, "spot", test_board_row("L0", 1, -1)));
    assert_false(put(&fixture, NULL, test_board_row("L0", 1, -1)));
    assert_false(put(&fixture, "linear", row));
    row.product = "inverse";
    assert_true(put(&fixture, "linear", row));
    end(&fixture);
}

static void
holes_have_the_cause_of_their_own_ask_or_of_the_product(void **state)
{
    size_t expected, missing;
    struct fixture fixture;

    begin(&fixture, state);
    assert_true(put(&fixture, "linear", test_board_row("L0", 5, -1)));
    oi_board_fail_symbol(&fixture.board, "linear", "L1", OI_HOLE_UNREACHABLE);
    oi_board_fail_symbol(&fixture.board, "linear", "L8", OI_HOLE_UNREACHABLE);
    oi_board_fail_product(&fixture.board, "inverse", OI_HOLE_BLOCKED);
    oi_board_take_coverage(&fixture.board, &fixture.yield);
    assert_int_equal(fixture.yield.marks.count, 2);
    assert_int_equal(fixture.yield.marks.items[0].minute, TEST_START);
    assert_int_equal(fixture.yield.holes.count, 2);
    assert_int_equal(find_hole(&fixture, fixture.world.ids[1], "linear"), OI_HOLE_UNREACHABLE);
    /* L2 was silent: the mark says so. Nothing came of the other product: one hole for all. */
    assert_int_equal(find_hole(&fixture, 0, "inverse"), OI_HOLE_BLOCKED);
    oi_board_count(&fixture.board, &expected, &missing);
    assert_int_equal(expected, 5);
    assert_int_equal(missing, 4);
    end(&fixture);
}

static void
a_product_that_came_in_part_has_a_hole_for_each_missing_market(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    assert_true(put(&fixture, "inverse", test_board_row("I0", 5, -1)));
    oi_board_fail_product(&fixture.board, "inverse", OI_HOLE_RATE_LIMITED);
    oi_board_take_coverage(&fixture.board, &fixture.yield);
    assert_int_equal(fixture.yield.holes.count, 1);
    assert_int_equal(find_hole(&fixture, fixture.world.ids[4], "inverse"), OI_HOLE_RATE_LIMITED);
    end(&fixture);
}

static void
what_is_expired_delisted_or_not_yet_listed_is_not_due(void **state)
{
    struct oi_instrument changed[] = {
        test_board_instrument("linear", "L0"),
        test_board_instrument("linear", "L1"),
        test_board_instrument("linear", "NEW"),
    };
    size_t expected, missing, count;
    struct oi_market *markets;
    struct fixture fixture;

    begin(&fixture, state);
    changed[0].is_delisted = true;
    changed[1].kind = OI_KIND_FUTURE;
    changed[1].expiry = TEST_START + OI_MINUTE;
    changed[2].listed = TEST_START + OI_HOUR;
    assert_ok(oi_store_define(fixture.world.store.store, changed, 3, NULL, NULL, NULL));
    assert_ok(oi_board_begin(&fixture.board, fixture.world.store.store, fixture.world.feed,
                             TEST_START + OI_MINUTE, NULL));
    oi_board_count(&fixture.board, &expected, &missing);
    assert_int_equal(expected, 3);
    markets = oi_board_markets(&fixture.board, &count);
    assert_int_equal(count, 3);
    assert_string_equal(markets[0].symbol, "L2");
    oi_free(markets);
    end(&fixture);
}

static void
what_is_asked_each_ten_minutes_is_due_then_and_its_hole_is_as_long(void **state)
{
    static const struct oi_endpoint seldom[] = {
        { .kind = OI_TASK_CURRENT, .product = "linear", .every_ns = 10 * OI_MINUTE },
    };
    static const struct oi_exchange slow = {
        .name = "example", .products = test_board_products, .endpoints = seldom, .endpoint_count = 1
    };
    const oi_time due = oi_interval_ceil(10 * OI_MINUTE, TEST_START);
    size_t expected, missing;
    struct fixture fixture;

    begin(&fixture, state);
    oi_board_release(&fixture.board);
    oi_board_init(&fixture.board, &slow);
    assert_ok(oi_board_begin(&fixture.board, fixture.world.store.store, fixture.world.feed,
                             due + OI_MINUTE, NULL));
    oi_board_count(&fixture.board, &expected, &missing);
    assert_int_equal(expected, 0);
    oi_board_take_coverage(&fixture.board, &fixture.yield);
    assert_int_equal(fixture.yield.marks.count + fixture.yield.holes.count, 0);
    assert_ok(
        oi_board_begin(&fixture.board, fixture.world.store.store, fixture.world.feed, due, NULL));
    oi_board_count(&fixture.board, &expected, &missing);
    assert_int_equal(expected, 3); /* nobody is asked for the inverse ones */
    oi_board_fail_product(&fixture.board, "linear", OI_HOLE_BLOCKED);
    oi_board_take_coverage(&fixture.board, &fixture.yield);
    assert_int_equal(fixture.yield.marks.count, 1);
    assert_int_equal(fixture.yield.holes.count, 1);
    assert_true(fixture.yield.holes.items[0].span.to ==
                fixture.yield.holes.items[0].span.from + 10 * OI_MINUTE);
    end(&fixture);
}

static void
the_largest_market_by_its_last_row_is_asked_first(void **state)
{
    struct oi_row rows[3] = {};
    struct oi_market *markets;
    struct fixture fixture;
    size_t count;

    begin(&fixture, state);
    assert_true(put(&fixture, "linear", test_board_row("L0", 900, 1)));
    assert_true(put(&fixture, "linear", test_board_row("L2", 10, 1000)));
    oi_board_take_rows(&fixture.board, true, &fixture.yield);
    assert_int_equal(fixture.yield.rows.count, 2);
    memcpy(rows, fixture.yield.rows.items, 2 * sizeof(*rows));
    assert_int_equal(test_store_append(&fixture.world.store, rows, 2).stored, 2);
    assert_ok(oi_board_begin(&fixture.board, fixture.world.store.store, fixture.world.feed,
                             TEST_START + OI_MINUTE, NULL));
    markets = oi_board_markets(&fixture.board, &count);
    assert_string_equal(markets[0].symbol, "L2");
    assert_string_equal(markets[1].symbol, "L0");
    assert_string_equal(markets[2].symbol, "L1");
    oi_free(markets);
    end(&fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_figure_and_a_price_of_one_symbol_become_one_row),
        TEST(a_row_is_taken_once_and_at_the_end_without_its_price),
        TEST(what_nobody_knows_is_told_and_a_row_names_its_own_product),
        TEST(holes_have_the_cause_of_their_own_ask_or_of_the_product),
        TEST(a_product_that_came_in_part_has_a_hole_for_each_missing_market),
        TEST(what_is_expired_delisted_or_not_yet_listed_is_not_due),
        TEST(what_is_asked_each_ten_minutes_is_due_then_and_its_hole_is_as_long),
        TEST(the_largest_market_by_its_last_row_is_asked_first),
    };

    return cmocka_run_group_tests_name("collector/board", tests, NULL, NULL);
}
