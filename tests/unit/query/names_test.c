/* SPDX-License-Identifier: Apache-2.0 */
#include "query/names.h"

#include "support/test_folder.h"
#include "support/test_world.h"

static struct test_world shared;

static size_t
choose(const struct oi_query *query, struct oi_choices *choices)
{
    const struct oi_name_index *index = oi_names_current(shared.source.names, shared.source.store);
    struct oi_problem problem = {};

    choices->items.count = 0;
    assert_ok(oi_names_choose(index, query, choices, &problem));
    oi_name_index_unref(&index);
    return choices->items.count;
}

static void
matches_patterns(void **)
{
    assert_true(oi_pattern_matches("*", ""));
    assert_true(oi_pattern_matches("binance-*", "binance-BTCUSDT-future"));
    assert_true(oi_pattern_matches("*USDT-future", "binance-BTCUSDT-future"));
    assert_true(oi_pattern_matches("b*-*-f*e", "binance-BTC-1-future"));
    assert_true(oi_pattern_matches("a*b*c", "a-b-b-c"));
    assert_false(oi_pattern_matches("binance-*", "bybit-BTCUSDT-future"));
    assert_false(oi_pattern_matches("*USDT", "BTCUSDT-future"));
    assert_false(oi_pattern_matches("", "a"));
    assert_true(oi_pattern_matches("", ""));
}

static void
finds_a_market_by_its_name(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};

    test_world_select(&query, test_world_names[1]);
    assert_int_equal(choose(&query, &choices), 1);
    assert_int_equal(choices.items.items[0].instrument, shared.instruments[1]);
    oi_vector_release(&choices.items);
}

static void
chooses_by_all_conditions_together(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};
    struct oi_selector *selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);

    selector->coin = "BTC";
    assert_int_equal(choose(&query, &choices), WORLD_MARKETS);
    selector->quote = "USDT";
    assert_int_equal(choose(&query, &choices), 2);
    selector->product = "inverse";
    assert_int_equal(choose(&query, &choices), 0);
    selector->quote = NULL;
    assert_int_equal(choose(&query, &choices), 1);
    oi_vector_push(&selector->exchanges, "nowhere");
    assert_int_equal(choose(&query, &choices), 0);
    oi_vector_push(&selector->exchanges, "example");
    assert_int_equal(choose(&query, &choices), 1);
    oi_vector_push(&selector->kinds, OI_KIND_OPTION);
    assert_int_equal(choose(&query, &choices), 0);
    oi_vector_release(&choices.items);
}

static void
takes_a_market_once_however_often_it_is_named(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};

    test_world_select(&query, test_world_names[1]);
    test_world_select(&query, test_world_names[1]);
    test_world_select(&query, "example:*");
    query.selectors.items[2].is_pattern = true;
    assert_int_equal(choose(&query, &choices), WORLD_MARKETS);
    oi_vector_release(&choices.items);
}

static void
orders_one_list_bytewise(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};

    test_world_select(&query, test_world_names[1]);
    test_world_select(&query, test_world_names[0]);
    test_world_select(&query, test_world_names[2]);
    query.is_one_list = true;
    assert_int_equal(choose(&query, &choices), WORLD_MARKETS);
    assert_int_equal(choices.items.items[0].instrument, shared.instruments[2]);
    assert_int_equal(choices.items.items[1].instrument, shared.instruments[0]);
    assert_int_equal(choices.items.items[2].instrument, shared.instruments[1]);
    oi_vector_release(&choices.items);
}

static void
sees_a_market_that_was_defined_since(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    test_world_select(&query, "example:linear:ETHUSDT");
    assert_int_equal(choose(&query, &choices), 0);
    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("example"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, OI_SLICE("linear"), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, OI_SLICE("ETHUSDT"), NULL));
    assert_ok(oi_store_define(shared.source.store, &instrument, 1, NULL, NULL, NULL));
    assert_int_equal(choose(&query, &choices), 1);
    oi_vector_release(&choices.items);
}

/* As an import leaves it that was stopped before its rows came. */
static void
finds_a_market_of_a_file_once_it_has_a_reading(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_choices choices = {};
    struct oi_store *store = shared.source.store;
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    const struct oi_feed facts = { .name = "import:stopped" };
    struct oi_row row = { .reading = OI_OBSERVATION_NONE };
    const struct oi_batch batch = { .rows = &row, .row_count = 1 };
    const struct oi_catalog *catalog;
    struct oi_append_result result;
    uint32_t id;
    uint16_t feed;
    uint64_t version;
    size_t count;

    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("stopped"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, OI_SLICE("linear"), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, OI_SLICE("SOLUSDT"), NULL));
    instrument.is_provisional = true;
    assert_ok(oi_store_define(store, &instrument, 1, &id, NULL, NULL));
    assert_ok(oi_store_feed(store, &facts, &feed, NULL));
    assert_ok(oi_store_series(store, id, feed, &row.series, NULL));
    oi_query_select(&query, OI_SYMBOLOGY_NATIVE)->product = "linear";
    catalog = oi_store_catalog(store);
    count = oi_store_market_count(store, catalog);
    assert_int_equal(count, catalog->instrument_count - 1);
    assert_true(oi_store_is_bare(store, catalog, id));
    (void) choose(&query, &choices);
    for (size_t i = 0; i < choices.items.count; i++)
        assert_int_not_equal(choices.items.items[i].instrument, id);
    version = oi_store_market_version(store);
    row.reading.time = OI_HOUR;
    row.reading.open_interest = oi_decimal_from(5, 0);
    assert_ok(oi_store_append(store, &batch, &result, NULL));
    assert_int_equal(result.stored, 1);
    assert_int_equal(oi_store_market_version(store), version + 1);
    row.reading.time = 2 * OI_HOUR;
    assert_ok(oi_store_append(store, &batch, &result, NULL));
    assert_int_equal(result.stored, 1);
    assert_int_equal(oi_store_market_version(store), version + 1);
    count = choices.items.count;
    assert_int_equal(choose(&query, &choices), count + 1);
    assert_false(oi_store_is_bare(store, catalog, id));
    assert_int_equal(oi_store_market_count(store, catalog), catalog->instrument_count);
    oi_catalog_unref(&catalog);
    oi_vector_release(&choices.items);
}

static int
set_up(void **folder)
{
    assert_int_equal(test_folder_setup(folder), 0);
    test_world_open(&shared, *folder);
    return 0;
}

static int
tear_down(void **folder)
{
    return test_world_tear_down(&shared, folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(finds_a_market_by_its_name),
        cmocka_unit_test(chooses_by_all_conditions_together),
        cmocka_unit_test(finds_a_market_of_a_file_once_it_has_a_reading),
        cmocka_unit_test(takes_a_market_once_however_often_it_is_named),
        cmocka_unit_test(orders_one_list_bytewise),
        cmocka_unit_test(sees_a_market_that_was_defined_since),
    };
    return cmocka_run_group_tests_name("query/names", tests, set_up, tear_down);
}
