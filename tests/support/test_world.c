/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_world.h"

#include "support/test_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const test_world_names[WORLD_MARKETS] = { "example:linear:1000BTCUSDT",
                                                      "example:linear:BTCUSDT",
                                                      "example:inverse:BTCUSD" };

static const struct oi_convention conventions[] = {
    { .product = "linear", .sides = 1, .unit = OI_UNIT_COINS, .evidence = "https://example.com/1" },
    { .product = "inverse", .sides = 2, .unit = OI_UNIT_USD, .evidence = "https://example.com/2" },
};
static struct oi_convention_page pages[] = {
    { .exchange = "example", .conventions = conventions, .count = OI_COUNT(conventions) },
};

static struct oi_instrument
instrument_of(size_t market)
{
    static const char *const products[] = { "linear", "linear", "inverse" };
    static const char *const symbols[] = { "1000BTCUSDT", "BTCUSDT", "BTCUSD" };
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("example"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, oi_slice_of(products[market]), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, oi_slice_of(symbols[market]), NULL));
    assert_ok(OI_NAME_SET(instrument.base, OI_SLICE("BTC"), NULL));
    assert_ok(OI_NAME_SET(instrument.quote, oi_slice_of(market == 2 ? "USD" : "USDT"), NULL));
    assert_ok(OI_NAME_SET(instrument.margin, oi_slice_of(market == 2 ? "BTC" : "USDT"), NULL));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = market == 2 ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    instrument.base_factor = market == 0 ? 1000 : 1;
    instrument.contract_size = oi_decimal_from(market == 0 ? 1000 : 1, 0);
    return instrument;
}

void
test_world_open(struct test_world *world, const char *folder)
{
    static const char *const feeds[] = { "live", "history" };
    struct oi_store_options options = { .engine = &oi_kv_memory, .chunk_rows = 64 };
    struct oi_instrument definitions[WORLD_MARKETS];

    *world = (struct test_world){};
    assert_true(snprintf(world->path, sizeof(world->path), "%s/world", folder) > 0);
    oi_virtual_clock_init(&world->clock, WORLD_START);
    options.clock = &world->clock.clock;
    assert_ok(oi_store_open(world->path, &options, &world->source.store, NULL));
    world->book = (struct oi_convention_book){ pages, OI_COUNT(pages) };
    world->source.conventions = &world->book;
    world->source.clock = &world->clock.clock;
    world->source.names = oi_names_new();
    for (size_t i = 0; i < WORLD_MARKETS; i++)
        definitions[i] = instrument_of(i);
    assert_ok(oi_store_define(world->source.store, definitions, WORLD_MARKETS, world->instruments,
                              NULL, NULL));
    for (size_t feed = 0; feed < 2; feed++) {
        struct oi_feed facts = {};
        uint16_t id;

        assert_true(snprintf(facts.name, sizeof(facts.name), "%s", feeds[feed]) > 0);
        assert_ok(oi_store_feed(world->source.store, &facts, &id, NULL));
        for (size_t i = 0; i < WORLD_MARKETS; i++)
            assert_ok(oi_store_series(world->source.store, world->instruments[i], id,
                                      &world->series[i][feed], NULL));
    }
}

static int
compare_rows(const void *left, const void *right)
{
    const struct world_row *a = left, *b = right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->feed < b->feed ? -1 : a->feed > b->feed;
}

/* The plain copy of one market: by time, the preferred feed where two have one instant. */
static void
merge(struct test_world *world, size_t market)
{
    OI_VECTOR(struct world_row) all = {};

    for (size_t i = 0; i < world->rows.count; i++)
        if (world->rows.items[i].market == market)
            oi_vector_push(&all, world->rows.items[i]);
    qsort(all.items, all.count, sizeof(struct world_row), compare_rows);
    for (size_t i = 0; i < all.count; i++)
        if (i == 0 || all.items[i].time != all.items[i - 1].time)
            oi_vector_push(&world->merged[market], all.items[i]);
    oi_vector_release(&all);
}

static void
append(struct test_world *world, size_t from, size_t to)
{
    OI_VECTOR(struct oi_row) rows = {};
    struct oi_append_result result;

    for (size_t i = from; i < to; i++) {
        const struct world_row *row = &world->rows.items[i];
        struct oi_observation reading = OI_OBSERVATION_NONE;

        reading.time = row->time;
        reading.open_interest = row->amount;
        reading.mark_price = row->mark;
        oi_vector_push(&rows, ((struct oi_row){ world->series[row->market][row->feed], reading }));
    }
    oi_virtual_clock_advance(&world->clock, OI_HOUR);
    assert_ok(oi_store_append(world->source.store,
                              &(struct oi_batch){ .rows = rows.items, .row_count = rows.count },
                              &result, NULL));
    assert_int_equal(result.stored, rows.count);
    oi_vector_release(&rows);
}

void
test_world_fill(struct test_world *world, uint64_t seed, size_t rows_a_market)
{
    struct oi_random random;
    size_t from = 0, left;

    printf("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (size_t market = 0; market < WORLD_MARKETS; market++) {
        oi_time times[2] = { WORLD_START, WORLD_START + 17 * OI_MINUTE };

        for (size_t i = 0; i < rows_a_market; i++) {
            size_t feed = oi_random_below(&random, 4) == 0;
            struct world_row row = { .market = market, .feed = feed };

            times[feed] += (oi_time) (1 + oi_random_below(&random, feed ? 40 : 9)) * OI_MINUTE;
            row.time = times[feed];
            row.amount = oi_decimal_from(1000 + (int64_t) oi_random_below(&random, 90'000), -2);
            row.mark = oi_random_below(&random, 20) == 0
                           ? (struct oi_decimal){}
                           : oi_decimal_from(500 + (int64_t) oi_random_below(&random, 500), -1);
            oi_vector_push(&world->rows, row);
        }
    }
    /* The clock has to be behind every reading, as no row may be known before it is. */
    oi_virtual_clock_advance(&world->clock, 365 * OI_DAY);
    while (from < world->rows.count) {
        size_t to = from + 1 + oi_random_below(&random, 200);

        to = to < world->rows.count ? to : world->rows.count;
        append(world, from, to);
        if (oi_random_below(&random, 3) == 0)
            assert_ok(oi_store_checkpoint(world->source.store, 100, &left, NULL));
        from = to;
    }
    for (size_t market = 0; market < WORLD_MARKETS; market++)
        merge(world, market);
}

void
test_world_close(struct test_world *world)
{
    oi_names_free(&world->source.names);
    oi_store_close(&world->source.store);
    oi_vector_release(&world->rows);
    for (size_t i = 0; i < WORLD_MARKETS; i++)
        oi_vector_release(&world->merged[i]);
}

int
test_world_set_up(struct test_world *world, void **folder, uint64_t seed, size_t rows_a_market)
{
    assert_int_equal(test_folder_setup(folder), 0);
    test_world_open(world, *folder);
    test_world_fill(world, seed, rows_a_market);
    return 0;
}

int
test_world_tear_down(struct test_world *world, void **folder)
{
    test_world_close(world);
    return test_folder_teardown(folder);
}

struct oi_decimal
test_world_amount(const struct world_row *row, enum oi_unit unit, bool one_sided)
{
    struct oi_decimal amount = row->amount, thousand = oi_decimal_from(1000, 0);

    if (row->market == 2 && one_sided)
        assert_ok(oi_decimal_halve(&amount, &amount, NULL));
    if (unit == OI_UNIT_UNKNOWN || unit == OI_UNIT_CONTRACTS)
        return amount;
    if (row->market == 2) {
        if (unit == OI_UNIT_USD)
            return amount;
        assert_ok(oi_decimal_divide_half_even(&amount, &row->mark, 18, &amount, NULL));
        return amount;
    }
    if (unit == OI_UNIT_USD) {
        assert_ok(oi_decimal_multiply(&amount, &row->mark, &amount, NULL));
        return amount;
    }
    if (row->market == 0)
        assert_ok(oi_decimal_multiply(&amount, &thousand, &amount, NULL));
    return amount;
}

void
test_world_select(struct oi_query *query, const char *market)
{
    oi_query_select(query, OI_SYMBOLOGY_NATIVE)->market = market;
}

struct oi_result *
test_world_run(struct test_world *world, const struct oi_query *query)
{
    struct oi_result *result = NULL;
    struct oi_problem problem = {};
    struct oi_error error = {};

    if (oi_query_run(&world->source, query, &result, &problem, &error) != OI_OK)
        fail_msg("the query did not run: %s %s", problem.message, error.message);
    return result;
}
