/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what there is: gathered over pages, told at once, trusted only when whole. */
#include "collector/discover.h"

#include "base/log.h"
#include "support/test_board.h"

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS, .product = "linear", .every_ns = OI_HOUR },
    { .kind = OI_TASK_FAMILIES, .product = "inverse", .every_ns = 10 * OI_MINUTE },
    { .kind = OI_TASK_CURRENT, .product = "linear" },
};
static const struct oi_exchange exchange = { .name = "example",
                                             .products = test_board_products,
                                             .endpoints = endpoints,
                                             .endpoint_count = OI_COUNT(endpoints) };
static const struct oi_ask instruments = { .endpoint = 0, .minute = TEST_START };
static const struct oi_ask families = { .endpoint = 1, .minute = TEST_START };

struct fixture {
    struct test_board world;
    struct oi_discover discover;
    struct oi_agenda agenda;
};

static size_t
schedule(struct fixture *fixture, oi_time minute)
{
    const struct oi_slot slot = { .minute = minute };

    oi_agenda_release(&fixture->agenda);
    oi_discover_schedule(&fixture->discover, &fixture->agenda, &slot);
    return fixture->agenda.asks.count;
}

static void
begin(struct fixture *fixture, void **state)
{
    memset(fixture, 0, sizeof(*fixture));
    oi_log_set_level(OI_LOG_ERROR);
    test_board_begin(&fixture->world, *state);
    oi_discover_init(&fixture->discover, &exchange);
    assert_int_equal(schedule(fixture, TEST_START), 2);
}

static void
end(struct fixture *fixture)
{
    oi_agenda_release(&fixture->agenda);
    oi_discover_release(&fixture->discover);
    test_store_close(&fixture->world.store);
}

static void
add_page(struct fixture *fixture, const char *const *symbols, const char *skip)
{
    struct oi_harvest harvest = {};

    for (size_t i = 0; symbols[i]; i++)
        oi_vector_push(&harvest.instruments, test_board_instrument("linear", symbols[i]));
    if (skip) /* "" says not whose */
        oi_harvest_skip(&harvest, oi_slice_of(skip), "not understood");
    oi_discover_page(&fixture->discover, 0, &harvest);
    oi_harvest_release(&harvest);
}

static void
finish(struct fixture *fixture, const struct oi_ask *ask, bool is_good)
{
    assert_ok(oi_discover_end(&fixture->discover, ask, is_good, fixture->world.store.store, NULL));
}

static bool
is_delisted(const struct fixture *fixture, const char *symbol)
{
    const struct oi_catalog *catalog = oi_store_catalog(fixture->world.store.store);
    bool is_found = false, is_gone = false;

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        if (strcmp(catalog->instruments[i].symbol, symbol) == 0) {
            is_found = true;
            is_gone = catalog->instruments[i].is_delisted;
        }
    }
    oi_catalog_unref(&catalog);
    assert_true(is_found);
    return is_gone;
}

static void
pages_are_one_list_and_what_it_lacks_is_delisted(void **state)
{
    static const char *const first[] = { "L0", NULL }, *const second[] = { "L2", "L3", NULL };
    struct fixture fixture;

    begin(&fixture, state);
    add_page(&fixture, first, NULL);
    add_page(&fixture, second, NULL);
    finish(&fixture, &instruments, true);
    assert_false(is_delisted(&fixture, "L0"));
    assert_true(is_delisted(&fixture, "L1"));
    assert_false(is_delisted(&fixture, "L3"));
    assert_false(is_delisted(&fixture, "I0")); /* another product's */
    assert_int_equal(fixture.discover.delisted, 1);
    end(&fixture);
}

static void
a_list_that_failed_or_was_not_understood_delists_nobody(void **state)
{
    static const char *const page[] = { "L0", "L4", NULL }, *const nothing[] = { NULL };
    struct fixture fixture;

    begin(&fixture, state);
    add_page(&fixture, page, "");
    finish(&fixture, &instruments, true);
    assert_false(is_delisted(&fixture, "L1"));
    assert_false(is_delisted(&fixture, "L4"));
    assert_int_equal(schedule(&fixture, TEST_START + OI_HOUR), 2);
    add_page(&fixture, page, NULL);
    finish(&fixture, &instruments, false);
    assert_false(is_delisted(&fixture, "L1"));
    assert_int_equal(schedule(&fixture, TEST_START + OI_HOUR), 2);
    add_page(&fixture, nothing, NULL);
    finish(&fixture, &instruments, true);
    assert_false(is_delisted(&fixture, "L1"));
    end(&fixture);
}

static void
a_row_that_was_not_understood_keeps_its_own_market(void **state)
{
    static const char *const page[] = { "L0", NULL };
    struct fixture fixture;

    begin(&fixture, state);
    add_page(&fixture, page, "L1");
    finish(&fixture, &instruments, true);
    assert_false(is_delisted(&fixture, "L1"));
    assert_true(is_delisted(&fixture, "L2"));
    end(&fixture);
}

static void
a_failed_list_is_asked_for_again_and_a_good_one_when_it_is_due(void **state)
{
    static const char *const page[] = { "L0", "L1", "L2", NULL };
    struct fixture fixture;

    begin(&fixture, state);
    assert_true(oi_discover_is_under_way(&fixture.discover));
    finish(&fixture, &instruments, false);
    finish(&fixture, &families, true);
    assert_false(oi_discover_is_under_way(&fixture.discover));
    assert_false(oi_discover_is_ready(&fixture.discover));
    assert_int_equal(schedule(&fixture, TEST_START + OI_MINUTE), 1);
    add_page(&fixture, page, NULL);
    finish(&fixture, &instruments, true);
    assert_true(oi_discover_is_ready(&fixture.discover));
    assert_int_equal(schedule(&fixture, TEST_START + 2 * OI_MINUTE), 0);
    assert_int_equal(schedule(&fixture, TEST_START + 10 * OI_MINUTE), 1);
    assert_int_equal(schedule(&fixture, TEST_START + 60 * OI_MINUTE), 2);
    end(&fixture);
}

static void
an_unknown_market_makes_the_lists_due_but_not_all_the_time(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    finish(&fixture, &instruments, true);
    finish(&fixture, &families, true);
    oi_discover_want(&fixture.discover, TEST_START);
    assert_int_equal(schedule(&fixture, TEST_START + OI_MINUTE), 2);
    oi_discover_abandon(&fixture.discover);
    oi_discover_want(&fixture.discover, TEST_START + OI_MINUTE);
    assert_int_equal(schedule(&fixture, TEST_START + 2 * OI_MINUTE), 0);
    end(&fixture);
}

static void
families_are_replaced_by_the_next_list_and_their_names_stay(void **state)
{
    struct oi_harvest harvest = {};
    struct fixture fixture;
    const char *kept;

    begin(&fixture, state);
    oi_harvest_add_family(&harvest, OI_SLICE("xyz"));
    oi_harvest_add_family(&harvest, OI_SLICE("flx"));
    oi_discover_page(&fixture.discover, 1, &harvest);
    finish(&fixture, &families, true);
    assert_int_equal(fixture.discover.families.count, 2);
    assert_string_equal(fixture.discover.families.items[0].product, "inverse");
    kept = fixture.discover.families.items[0].name;
    assert_int_equal(schedule(&fixture, TEST_START + 10 * OI_MINUTE), 2);
    oi_harvest_reset(&harvest);
    oi_harvest_add_family(&harvest, OI_SLICE("new"));
    oi_discover_page(&fixture.discover, 1, &harvest);
    finish(&fixture, &families, true);
    assert_int_equal(fixture.discover.families.count, 1);
    assert_string_equal(fixture.discover.families.items[0].name, "new");
    assert_string_equal(kept, "xyz");
    oi_harvest_release(&harvest);
    end(&fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_are_one_list_and_what_it_lacks_is_delisted),
        TEST(a_list_that_failed_or_was_not_understood_delists_nobody),
        TEST(a_row_that_was_not_understood_keeps_its_own_market),
        TEST(a_failed_list_is_asked_for_again_and_a_good_one_when_it_is_due),
        TEST(an_unknown_market_makes_the_lists_due_but_not_all_the_time),
        TEST(families_are_replaced_by_the_next_list_and_their_names_stay),
    };

    return cmocka_run_group_tests_name("collector/discover", tests, NULL, NULL);
}
