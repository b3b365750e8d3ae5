/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics at the instants of a grid, against straight computation from a plain copy; and what the
 * figures of options are. */
#include "query/run.h"

#include "support/test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STALENESS (15 * OI_MINUTE)
#define FUTURES (1u << OI_KIND_PERPETUAL | 1u << OI_KIND_FUTURE)

static struct test_world shared;

/* All, those margined in Tether, those in the coin, and dated ones, of which there are none. */
static const struct oi_measure measures[] = {
    { .kinds = FUTURES },
    { .kinds = FUTURES, .margin = OI_MARGIN_USDT },
    { .kinds = FUTURES, .margin = OI_MARGIN_COIN },
    { .kinds = 1u << OI_KIND_FUTURE },
};
#define MEASURES OI_COUNT(measures)

/* Entities in their order, which of the three markets they are, and at which level. */
static const struct entity {
    const char *name;
    enum oi_level level;
    bool has[WORLD_MARKETS];
} entities[] = {
    { "btc", OI_LEVEL_ASSET, { true, true, true } },
    { "usd", OI_LEVEL_ASSET, { false, false, true } },
    { "usdt", OI_LEVEL_ASSET, { true, true, false } },
    { "example", OI_LEVEL_EXCHANGE, { true, true, true } },
    { "example-btc", OI_LEVEL_EXCHANGE_ASSET, { true, true, true } },
    { "example-usd", OI_LEVEL_EXCHANGE_ASSET, { false, false, true } },
    { "example-usdt", OI_LEVEL_EXCHANGE_ASSET, { true, true, false } },
    { "btc-usd", OI_LEVEL_PAIR, { false, false, true } },
    { "btc-usdt", OI_LEVEL_PAIR, { true, true, false } },
    { "example-btc-usd", OI_LEVEL_EXCHANGE_PAIR, { false, false, true } },
    { "example-btc-usdt", OI_LEVEL_EXCHANGE_PAIR, { true, true, false } },
    { "example-1000BTCUSDT-future", OI_LEVEL_MARKET, { true, false, false } },
    { "example-BTCUSD-future", OI_LEVEL_MARKET, { false, false, true } },
    { "example-BTCUSDT-future", OI_LEVEL_MARKET, { false, true, false } },
};

struct point {
    size_t entity;
    oi_time time;
    struct oi_decimal values[MEASURES];
};

struct points {
    OI_VECTOR(struct point) items;
};

/* What a market is worth at an instant; none where it is not known or too old. */
static struct oi_decimal
worth_at(size_t market, oi_time time)
{
    struct oi_decimal worth = {};

    for (size_t i = 0; i < shared.merged[market].count; i++) {
        const struct world_row *row = &shared.merged[market].items[i];
        struct oi_decimal usd = test_world_amount(row, OI_UNIT_USD, false);

        if (row->time <= time && row->time >= time - STALENESS && !oi_decimal_is_none(&usd))
            worth = usd;
    }
    return worth;
}

static void
add_to(struct oi_decimal *sum, const struct oi_decimal *value)
{
    if (oi_decimal_is_none(value))
        return;
    if (oi_decimal_is_none(sum))
        *sum = *value;
    else
        assert_ok(oi_decimal_add(sum, value, sum, NULL));
}

/* Every row of an entity, by hand. */
static void
compute(const struct entity *entity, size_t index, int64_t step, struct points *points)
{
    oi_time first = OI_TIME_LATEST, last = OI_TIME_NONE;

    for (size_t market = 0; market < WORLD_MARKETS; market++) {
        size_t count = shared.merged[market].count;

        if (!entity->has[market])
            continue;
        if (shared.merged[market].items[0].time < first)
            first = shared.merged[market].items[0].time;
        if (shared.merged[market].items[count - 1].time + STALENESS > last)
            last = shared.merged[market].items[count - 1].time + STALENESS;
    }
    for (oi_time time = oi_interval_floor(step, first); time <= last; time += step) {
        struct point point = { .entity = index, .time = time };

        if (time < first)
            continue;
        for (size_t market = 0; market < WORLD_MARKETS; market++) {
            struct oi_decimal worth = {};

            if (entity->has[market])
                worth = worth_at(market, time);
            add_to(&point.values[0], &worth);
            add_to(&point.values[market == 2 ? 2 : 1], &worth);
        }
        oi_vector_push(&points->items, point);
    }
}

static void
ask_whole(struct oi_query *query, enum oi_level level, int64_t step)
{
    *query = OI_QUERY_EMPTY;
    query->kind = OI_QUERY_METRICS;
    query->level = level;
    query->interval_ns = step;
    query->measures = measures;
    query->measure_count = MEASURES;
    oi_vector_push(&query->entities, "*");
}

/* Append what is answered; *ret_next is where the next page begins. */
static void
gather(const struct oi_query *query, struct points *points, struct oi_position *ret_next)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(&shared, query);
    const struct oi_block *block;

    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++) {
            struct point point = { block->market->index, block->measured[i].time, {} };

            memcpy(point.values, block->measured[i].values, sizeof(point.values));
            oi_vector_push(&points->items, point);
        }
    }
    *ret_next = result->next_position;
}

static void
assert_points(const struct points *found, const struct points *want)
{
    assert_int_equal(found->items.count, want->items.count);
    for (size_t i = 0; i < want->items.count; i++) {
        const struct point *a = &found->items.items[i], *b = &want->items.items[i];

        assert_int_equal(a->entity, b->entity);
        assert_int_equal(a->time, b->time);
        for (size_t at = 0; at < MEASURES; at++)
            assert_true(oi_decimal_equal(&a->values[at], &b->values[at]));
    }
}

static void
sums_what_each_market_was_last_worth_at_every_instant(void **)
{
    const int64_t steps[] = { OI_MINUTE, OI_HOUR, OI_DAY };

    for (enum oi_level level = OI_LEVEL_MARKET; level <= OI_LEVEL_EXCHANGE_PAIR; level++) {
        for (size_t i = 0; i < OI_COUNT(steps); i++) {
            OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
            struct points found = {}, want = {};
            struct oi_position next;
            size_t count = 0;

            if (steps[i] == OI_MINUTE && level != OI_LEVEL_MARKET)
                continue;
            ask_whole(&query, level, steps[i]);
            for (size_t at = 0; at < OI_COUNT(entities); at++)
                if (entities[at].level == level)
                    compute(&entities[at], count++, steps[i], &want);
            gather(&query, &found, &next);
            assert_false(next.is_set);
            assert_true(want.items.count >= count && count > 0);
            assert_points(&found, &want);
            oi_vector_release(&found.items);
            oi_vector_release(&want.items);
        }
    }
}

/* When a measure has figures: the first reading of its markets, and the last one carried on. */
static struct oi_span
extent_of(const struct entity *entity, size_t measure)
{
    struct oi_span extent = {};

    for (size_t market = 0; market < WORLD_MARKETS; market++) {
        size_t count = shared.merged[market].count;
        struct oi_span own;

        if (!entity->has[market] || measure == 3 || (measure == 1 && market == 2) ||
            (measure == 2 && market != 2))
            continue;
        own.from = shared.merged[market].items[0].time;
        own.to = shared.merged[market].items[count - 1].time + STALENESS + 1;
        if (extent.from == extent.to)
            extent = own;
        extent.from = own.from < extent.from ? own.from : extent.from;
        extent.to = own.to > extent.to ? own.to : extent.to;
    }
    return extent;
}

static void
tells_when_each_measure_has_figures_page_by_page(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    const struct oi_block *block;
    bool is_last = false;

    for (int from_end = 0; from_end < 2; from_end++) {
        oi_query_release(&query);
        ask_whole(&query, OI_LEVEL_ASSET, 0);
        query.wants_extents = true;
        query.limit = 1;
        query.from_end = from_end;
        for (size_t page = 0; page < 3; page++) {
            const struct entity *entity = &entities[from_end ? 2 - page : page];
            OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(&shared, &query);

            assert_ok(oi_result_next(result, &block, NULL));
            assert_non_null(block);
            assert_string_equal(block->market->name, entity->name);
            for (size_t i = 0; i < MEASURES; i++) {
                struct oi_span want = extent_of(entity, i);

                assert_int_equal(block->extents[i].from, want.from);
                assert_int_equal(block->extents[i].to, want.to);
            }
            assert_ok(oi_result_next(result, &block, NULL));
            assert_null(block);
            is_last = !result->next_position.is_set;
            query.after = result->next_position;
            assert_int_equal(is_last, page == 2);
        }
    }
}

static void
keeps_to_the_markets_that_a_selector_chooses(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;

    ask_whole(&query, OI_LEVEL_MARKET, 0);
    query.wants_extents = true;
    oi_query_select(&query, OI_SYMBOLOGY_COINMETRICS)->quote = "USD";
    result = test_world_run(&shared, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_string_equal(block->market->name, "example-BTCUSD-future");
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
}

static int
compare_points(const void *left, const void *right)
{
    const struct point *a = left, *b = right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->entity < b->entity ? -1 : a->entity > b->entity;
}

/* All pages, from either end, joined in ascending order. */
static void
gather_pages(struct oi_query *query, struct points *joined)
{
    for (size_t pages = 0;; pages++) {
        struct points page = {}, behind = *joined;
        struct oi_position next;

        assert_true(pages < 500);
        gather(query, &page, &next);
        assert_true(page.items.count == query->limit || !next.is_set);
        assert_true(page.items.count > 0);
        if (query->from_end) {
            *joined = page;
            page = behind;
        }
        for (size_t i = 0; i < page.items.count; i++)
            oi_vector_push(&joined->items, page.items.items[i]);
        oi_vector_release(&page.items);
        if (!next.is_set)
            return;
        query->after = next;
    }
}

static void
pages_hold_every_row_once_in_both_orders_from_both_ends(void **)
{
    static const size_t limits[] = { 1, 7, 100, 131, 1000 };

    for (unsigned way = 0; way < 4 * OI_COUNT(limits); way++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        struct points found = {}, want = {};
        struct oi_position next;

        ask_whole(&query, OI_LEVEL_ASSET, OI_HOUR);
        gather(&query, &want, &next);
        query.order_by_time = way & 1;
        query.from_end = way & 2;
        query.limit = limits[way / 4];
        if (query.order_by_time)
            qsort(want.items.items, want.items.count, sizeof(struct point), compare_points);
        if (query.limit == 1)
            query.span = (struct oi_span){ WORLD_START, WORLD_START + OI_DAY };
        gather_pages(&query, &found);
        if (query.limit == 1) {
            size_t kept = 0;

            for (size_t i = 0; i < want.items.count; i++)
                if (want.items.items[i].time < query.span.to)
                    want.items.items[kept++] = want.items.items[i];
            want.items.count = kept;
        }
        assert_points(&found, &want);
        oi_vector_release(&found.items);
        oi_vector_release(&want.items);
    }
}

static void
limits_each_entity_from_the_side_of_paging(void **)
{
    for (unsigned way = 0; way < 4; way++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        struct points found = {}, all = {}, want = {};
        struct oi_position next;

        ask_whole(&query, OI_LEVEL_ASSET, OI_HOUR);
        gather(&query, &all, &next);
        query.from_end = way & 1;
        query.limit_per_market = 3;
        query.order_by_time = way & 2;
        gather(&query, &found, &next);
        for (size_t i = 0; i < all.items.count; i++) {
            size_t same = 0;

            for (size_t at = 0; at < all.items.count; at++)
                if (all.items.items[at].entity == all.items.items[i].entity)
                    same += query.from_end ? at > i : at < i;
            if (same < 3)
                oi_vector_push(&want.items, all.items.items[i]);
        }
        if (query.order_by_time)
            qsort(want.items.items, want.items.count, sizeof(struct point), compare_points);
        assert_int_equal(want.items.count, 9);
        assert_points(&found, &want);
        oi_vector_release(&found.items);
        oi_vector_release(&all.items);
        oi_vector_release(&want.items);
    }
}

static void
takes_a_place_beyond_all_rows_for_the_side_that_it_is_on(void **)
{
    static const oi_time places[] = { OI_TIME_EARLIEST, OI_TIME_LATEST - 1 };

    for (unsigned way = 0; way < 8; way++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        struct points all = {}, found = {};
        struct oi_position next;
        bool is_late = way & 1;

        ask_whole(&query, OI_LEVEL_EXCHANGE, OI_HOUR);
        gather(&query, &all, &next);
        query.from_end = way & 2;
        query.order_by_time = way & 4;
        query.after = (struct oi_position){ .is_set = true, .time = places[is_late] };
        gather(&query, &found, &next);
        assert_int_equal(found.items.count, is_late == query.from_end ? all.items.count : 0);
        oi_vector_clear(&found.items);
        query.after.is_set = false;
        query.span = (struct oi_span){ places[is_late], places[is_late] };
        gather(&query, &found, &next);
        assert_int_equal(found.items.count, 0);
        oi_vector_release(&all.items);
        oi_vector_release(&found.items);
    }
}

static void
says_which_measures_an_entity_has(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;

    ask_whole(&query, OI_LEVEL_ASSET, OI_DAY);
    result = test_world_run(&shared, &query);
    assert_int_equal(result->market_count, 3);
    assert_string_equal(result->markets[0].name, "btc");
    assert_int_equal(result->markets[0].measures, 7);
    assert_int_equal(result->markets[1].measures, 5);
    assert_int_equal(result->markets[2].measures, 3);
}

static void
names_the_entity_that_is_not_known_unless_told_to_ignore_it(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_result *result = NULL;
    struct points found = {};
    struct oi_position next;

    ask_whole(&query, OI_LEVEL_ASSET, OI_DAY);
    query.entity_parameter = "assets";
    oi_vector_push(&query.entities, "nothing");
    assert_status(oi_query_run(&shared.source, &query, &result, &problem, NULL), OI_E_INVALID);
    assert_int_equal(problem.kind, OI_PROBLEM_MARKET);
    assert_string_equal(problem.parameter, "assets");
    assert_string_equal(problem.value, "nothing");
    query.ignores_unknown = true;
    gather(&query, &found, &next);
    assert_true(found.items.count > 0);
    oi_vector_release(&found.items);
}

static struct oi_decimal
decimal(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

/* An option on BTC settled in `margin`, with one reading a minute past midnight. */
static void
add_option(struct test_world *world, const char *symbol, const char *margin,
           enum oi_option_side side, const char *mark)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_feed feed = { .name = "import:test", .unit = OI_UNIT_CONTRACTS, .sides = 1 };
    struct oi_append_result result;
    struct oi_row row;
    uint16_t feed_id;

    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("example"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, OI_SLICE("option"), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, oi_slice_of(symbol), NULL));
    assert_ok(OI_NAME_SET(instrument.base, OI_SLICE("BTC"), NULL));
    assert_ok(OI_NAME_SET(instrument.quote, OI_SLICE("USD"), NULL));
    assert_ok(OI_NAME_SET(instrument.margin, oi_slice_of(margin), NULL));
    instrument.kind = OI_KIND_OPTION;
    instrument.option_side = side;
    instrument.contract_size = decimal("0.1");
    instrument.expiry = WORLD_START + 5 * OI_MINUTE;
    assert_ok(oi_store_define(world->source.store, &instrument, 1, &instrument.id, NULL, NULL));
    assert_ok(oi_store_feed(world->source.store, &feed, &feed_id, NULL));
    assert_ok(oi_store_series(world->source.store, instrument.id, feed_id, &row.series, NULL));
    reading.time = WORLD_START + OI_MINUTE;
    reading.open_interest = oi_decimal_from(20, 0);
    reading.mark_price = decimal(mark);
    reading.index_price = oi_decimal_from(60'000, 0);
    row.reading = reading;
    assert_ok(oi_store_append(world->source.store,
                              &(struct oi_batch){ .rows = &row, .row_count = 1 }, &result, NULL));
    assert_int_equal(result.stored, 1);
}

static void
values_options_by_notional_and_by_mark_until_they_expire(void **folder)
{
    static const struct oi_measure asked[] = {
        { .kinds = 1u << OI_KIND_OPTION },
        { .kinds = 1u << OI_KIND_OPTION, .by_mark_price = true },
        { .kinds = 1u << OI_KIND_OPTION, .side = OI_OPTION_CALL, .by_mark_price = true },
        { .kinds = 1u << OI_KIND_OPTION, .side = OI_OPTION_PUT },
        { .kinds = 1u << OI_KIND_OPTION, .margin = OI_MARGIN_USDC, .by_mark_price = true },
        { .kinds = 1u << OI_KIND_OPTION, .margin = OI_MARGIN_COIN, .by_mark_price = true },
    };
    /* 20 contracts of 0.1 BTC at 60000; marks of 0.05 BTC and 1000 USDC. */
    static const char *const want[] = { "240000", "8000", "6000", "120000", "2000", "6000" };
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct test_world world;
    struct oi_result *result;
    const struct oi_block *block;
    char path[700];

    assert_true(snprintf(path, sizeof(path), "%s/options", (const char *) *folder) > 0);
    assert_int_equal(mkdir(path, 0700), 0);
    test_world_open(&world, path);
    oi_virtual_clock_advance(&world.clock, OI_HOUR);
    add_option(&world, "BTC-CALL", "BTC", OI_OPTION_CALL, "0.05");
    add_option(&world, "BTC-PUT", "USDC", OI_OPTION_PUT, "1000");
    query.kind = OI_QUERY_METRICS;
    query.level = OI_LEVEL_EXCHANGE_ASSET;
    query.interval_ns = OI_MINUTE;
    query.measures = asked;
    query.measure_count = OI_COUNT(asked);
    oi_vector_push(&query.entities, "*-btc");
    result = test_world_run(&world, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 4);
    assert_string_equal(block->market->name, "example-btc");
    for (size_t row = 0; row < 4; row++) {
        assert_int_equal(block->measured[row].time, WORLD_START + (oi_time) (row + 1) * OI_MINUTE);
        for (size_t i = 0; i < OI_COUNT(want); i++) {
            char text[OI_DECIMAL_TEXT_SIZE];

            (void) oi_decimal_print(&block->measured[row].values[i], text);
            assert_string_equal(text, want[i]);
        }
    }
    oi_result_close(&result);
    test_world_close(&world);
}

static int
set_up(void **folder)
{
    return test_world_set_up(&shared, folder, 20260307, 500);
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
        cmocka_unit_test(tells_when_each_measure_has_figures_page_by_page),
        cmocka_unit_test(keeps_to_the_markets_that_a_selector_chooses),
        cmocka_unit_test(sums_what_each_market_was_last_worth_at_every_instant),
        cmocka_unit_test(pages_hold_every_row_once_in_both_orders_from_both_ends),
        cmocka_unit_test(limits_each_entity_from_the_side_of_paging),
        cmocka_unit_test(takes_a_place_beyond_all_rows_for_the_side_that_it_is_on),
        cmocka_unit_test(says_which_measures_an_entity_has),
        cmocka_unit_test(names_the_entity_that_is_not_known_unless_told_to_ignore_it),
        cmocka_unit_test(values_options_by_notional_and_by_mark_until_they_expire),
    };
    return cmocka_run_group_tests_name("query/run_metrics", tests, set_up, tear_down);
}
