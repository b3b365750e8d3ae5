/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/answer.h"

#include "support/test_store.h"

/* A store with two readings of one market, and a source over it. */
struct world {
    struct test_store store;
    struct oi_convention convention;
    struct oi_convention_page page;
    struct oi_convention_book book;
    struct oi_source source;
    struct oi_printer *printer;
    char *folder;
};

static int
setup(void **state)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    struct oi_row rows[2];
    void *folder;

    if (test_folder_setup(&folder) != 0)
        return -1;
    world->folder = folder;
    test_store_begin(&world->store, world->folder, "store", NULL);
    for (int i = 0; i < 2; i++) {
        rows[i] = test_store_row(world->store.series[0], TEST_START - (2 - i) * OI_MINUTE, 1);
        assert_ok(oi_decimal_parse(i == 0 ? OI_SLICE("12.50") : OI_SLICE("13.000000000000000001"),
                                   &rows[i].reading.open_interest, NULL));
    }
    assert_int_equal(test_store_append(&world->store, rows, 2).stored, 2);
    world->convention = (struct oi_convention){ .sides = 1, .unit = OI_UNIT_COINS };
    world->page = (struct oi_convention_page){ "example", &world->convention, 1 };
    world->book = (struct oi_convention_book){ &world->page, 1 };
    world->source = (struct oi_source){ .store = world->store.store,
                                        .conventions = &world->book,
                                        .clock = &world->store.clock.clock,
                                        .names = oi_names_new() };
    assert_ok(oi_printer_open(NULL, &world->printer, NULL));
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    struct world *world = *state;
    void *folder = world->folder;

    oi_buffer_clear(oi_printer_buffer(world->printer));
    oi_printer_close(&world->printer);
    oi_names_free(&world->source.names);
    test_store_close(&world->store);
    oi_free(world);
    return test_folder_teardown(&folder);
}

static enum oi_status
ask(struct world *world, enum oi_query_kind kind, const char *market, enum oi_table_format format,
    struct oi_error *error)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_selector *selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
    enum oi_status status;

    query.kind = kind;
    query.unit = OI_UNIT_COINS;
    query.is_canonical = true;
    query.interval_ns = kind == OI_QUERY_CANDLES ? OI_HOUR : 0;
    query.wants_extents = true;
    query.is_one_list = kind == OI_QUERY_MARKETS;
    selector->market = market;
    selector->must_match = market != NULL;
    selector->parameter = "market";
    status = oi_answer_write(&world->source, &query, format, world->printer, NULL, error);
    oi_buffer_add_char(oi_printer_buffer(world->printer), '\0');
    return status;
}

static const char *
written(struct world *world)
{
    return oi_printer_buffer(world->printer)->data;
}

static void
writes_readings_with_every_digit(void **state)
{
    assert_ok(ask(*state, OI_QUERY_ROWS, "example:linear:MARKET0", OI_TABLE_CSV, NULL));
    assert_string_equal(
        written(*state),
        "market,feed,unit,sides,time,open_interest,value_usd,mark_price,exchange_time,known_time,"
        "flags\n"
        "example:linear:MARKET0,live,coins,1,2025-12-31T23:58:00Z,12.5,,,,2026-01-01T00:00:00Z,0\n"
        "example:linear:MARKET0,live,coins,1,2025-12-31T23:59:00Z,13.000000000000000001,,,,"
        "2026-01-01T00:00:00Z,0\n");
}

static void
writes_candles(void **state)
{
    assert_ok(ask(*state, OI_QUERY_CANDLES, "example:linear:MARKET0", OI_TABLE_NDJSON, NULL));
    assert_string_equal(
        written(*state),
        "{\"market\":\"example:linear:MARKET0\",\"feed\":\"live\",\"unit\":\"coins\",\"sides\":1,"
        "\"start\":\"2025-12-31T23:00:00Z\",\"open\":\"12.5\",\"high\":\"13.000000000000000001\","
        "\"low\":\"12.5\",\"close\":\"13.000000000000000001\",\"price_open\":null,"
        "\"price_close\":null,\"count\":2}\n");
}

static void
lists_markets_with_what_is_stored(void **state)
{
    const char *text;

    assert_ok(ask(*state, OI_QUERY_MARKETS, NULL, OI_TABLE_ALIGNED, NULL));
    text = written(*state);
    assert_non_null(strstr(text, "example:linear:MARKET0"));
    assert_non_null(strstr(text, "2025-12-31T23:59:00Z     2\n"));
    assert_non_null(strstr(text, "example:linear:MARKET3"));
}

static void
says_that_a_market_is_not_there(void **state)
{
    struct oi_error error = {};

    assert_status(ask(*state, OI_QUERY_ROWS, "no:such:MARKET", OI_TABLE_CSV, &error),
                  OI_E_NOT_FOUND);
    assert_string_equal(
        error.message, "there is no market \"no:such:MARKET\": `oi markets` lists those there are");
}

static void
refuses_candles_as_parquet(void **state)
{
    struct world *world = *state;
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    query.kind = OI_QUERY_CANDLES;
    assert_status(oi_answer_write_parquet(&world->source, &query, world->printer, NULL),
                  OI_E_INVALID);
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(writes_readings_with_every_digit),  PROMISE(writes_candles),
        PROMISE(lists_markets_with_what_is_stored), PROMISE(says_that_a_market_is_not_there),
        PROMISE(refuses_candles_as_parquet),
    };
    return cmocka_run_group_tests_name("cli/answer", tests, NULL, NULL);
}
