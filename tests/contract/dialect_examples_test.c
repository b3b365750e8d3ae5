/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of the vendors' own pages, asked of a real store that holds the same values: request,
 * query, arithmetic and answer in one go, compared by value and key. Where a sample tells only a
 * part (a page cut short, an address, a time of asking) that part is compared. The samples are read
 * in place and skipped where they are not there. Then what no sample shows: pages, put together,
 * are the whole, in every dialect that pages.
 */
#include "kv/memory.h"
#include "query/run.h"

#include <stdio.h>

#include "support/test_dialect.h"
#include "support/test_folder.h"

enum market { BINANCE_BTC, BYBIT_BTC, BYBIT_PEPE, HYPERLIQUID_BTC, MARKET_COUNT };

static const struct oi_convention conventions[] = {
    { .sides = 1, .unit = OI_UNIT_COINS, .cadence_ns = OI_MINUTE, .evidence = "the test" },
};

/* A store with what the samples are made of. */
struct shop {
    struct oi_virtual_clock clock;
    struct oi_store *store;
    struct oi_names *names;
    struct oi_convention_page pages[1];
    struct oi_convention_book book;
    struct oi_source source;
    uint32_t series[MARKET_COUNT];
};

struct sample {
    enum market market;
    const char *time, *amount, *usd, *last_price;
};

static const struct sample samples[] = {
    { BINANCE_BTC, "2020-08-05T23:05:00Z", "35074.075", "408810440.79225", NULL },
    { BINANCE_BTC, "2020-08-05T23:06:00Z", "35061.142", "409113039.09552", NULL },
    { BINANCE_BTC, "2024-01-15T00:00:00Z", "80000", "1", NULL },
    { BINANCE_BTC, "2024-02-15T00:00:00Z", "80000", "1", NULL },
    { BINANCE_BTC, "2026-03-07T00:00:00Z", "52340.80", "4938475200.00", NULL },
    { BINANCE_BTC, "2026-03-07T00:01:00Z", "1", "1", NULL },
    { BINANCE_BTC, "2026-03-07T04:00:00Z", "53100.20", "5015118900.00", NULL },
    { BINANCE_BTC, "2026-03-07T08:03:00Z", "51890.45", "4896523050.00", NULL },
    { BINANCE_BTC, "2026-03-07T12:00:00Z", "4", "1", NULL },
    { BINANCE_BTC, "2026-03-07T16:00:00Z", "5", "1", NULL },
    { BINANCE_BTC, "2026-03-07T20:00:00Z", "6", "1", NULL },
    { BINANCE_BTC, "2026-03-08T00:00:00Z", "7", "1", NULL },
    { BINANCE_BTC, "2026-03-29T16:00:00Z", "95444.539", "1", NULL },
    { BINANCE_BTC, "2026-03-29T16:10:00Z", "95612.984", "1", NULL },
    { BINANCE_BTC, "2026-03-29T16:20:00Z", "95443.774", "1", NULL },
    { BINANCE_BTC, "2026-03-29T16:59:00Z", "95539.108", "1", NULL },
    { BINANCE_BTC, "2026-03-29T17:00:00Z", "95540", "1", NULL },
    { HYPERLIQUID_BTC, "2026-03-07T04:00:00Z", "30000", "1", NULL },
    { HYPERLIQUID_BTC, "2026-03-07T08:00:00Z", "30001", "1", NULL },
    { HYPERLIQUID_BTC, "2026-03-07T09:00:00Z", "30002", "1", NULL },
    { BYBIT_BTC, "2026-06-08T03:00:00Z", "53446.06", "1", "62000" },
    { BYBIT_BTC, "2026-06-08T03:01:00Z", "53000", "1", "62000" },
    { BYBIT_BTC, "2026-06-09T03:00:00Z", "54894.318", "1", "62800" },
    { BYBIT_BTC, "2026-06-09T03:02:00Z", "54732", "3437587201.86", "62807.5" },
};

static void
add_rows(struct shop *shop, const struct oi_row *rows, size_t count)
{
    const struct oi_batch batch = { .rows = rows, .row_count = count };
    struct oi_append_result result;

    assert_ok(oi_store_append(shop->store, &batch, &result, NULL));
    assert_int_equal(result.stored, count);
}

static void
fill_shop(struct shop *shop)
{
    struct oi_row rows[OI_COUNT(samples)];

    for (size_t i = 0; i < OI_COUNT(samples); i++) {
        struct oi_observation *reading = &rows[i].reading;

        rows[i] = (struct oi_row){ shop->series[samples[i].market], OI_OBSERVATION_NONE };
        reading->time = test_time(samples[i].time);
        reading->known_time = reading->time;
        reading->open_interest = test_decimal(samples[i].amount);
        reading->value_usd = test_decimal(samples[i].usd);
        if (samples[i].last_price)
            reading->last_price = test_decimal(samples[i].last_price);
    }
    add_rows(shop, rows, OI_COUNT(samples));
}

/* The ten whole points of oanor's history, then a figure of ours a day, up to the 9th of June. */
static void
fill_history(struct shop *shop)
{
    struct oi_json *json = test_example("oanor_history.json");
    const struct oi_json_node *points =
        json ? oi_json_member(oi_json_member(oi_json_root(json), "data"), "history") : NULL;
    struct oi_row rows[48];
    size_t count = oi_json_count(points);

    for (size_t i = 0; i < 48; i++) {
        const struct oi_json_node *point = oi_json_item(points, i);

        rows[i] = (struct oi_row){ shop->series[BYBIT_BTC], OI_OBSERVATION_NONE };
        rows[i].reading.time = test_time("2026-04-21") + (oi_time) i * OI_DAY;
        rows[i].reading.known_time = rows[i].reading.time;
        rows[i].reading.open_interest = oi_decimal_from(50'000 + (int64_t) i, 0);
        if (i < count)
            assert_ok(oi_decimal_parse(oi_json_text(oi_json_member(point, "open_interest")),
                                       &rows[i].reading.open_interest, NULL));
    }
    add_rows(shop, rows, 48);
    oi_json_close(&json);
}

static struct shop the_shop;
static void *the_folder;

static void
define_markets(struct shop *shop)
{
    const struct oi_feed live = { .name = "live", .cadence_ns = OI_MINUTE };
    struct oi_instrument instruments[MARKET_COUNT];
    uint32_t ids[MARKET_COUNT];
    uint16_t feed;

    instruments[BINANCE_BTC] = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    instruments[BYBIT_BTC] = test_perpetual("bybit", "linear", "BTCUSDT", "BTC", "USDT");
    instruments[BYBIT_PEPE] = test_perpetual("bybit", "linear", "1000PEPEUSDT", "PEPE", "USDT");
    instruments[BYBIT_PEPE].base_factor = 1000;
    instruments[HYPERLIQUID_BTC] = test_perpetual("hyperliquid", "perp", "BTC", "BTC", "USDC");
    assert_ok(oi_store_define(shop->store, instruments, MARKET_COUNT, ids, NULL, NULL));
    assert_ok(oi_store_feed(shop->store, &live, &feed, NULL));
    for (size_t i = 0; i < MARKET_COUNT; i++)
        assert_ok(oi_store_series(shop->store, ids[i], feed, &shop->series[i], NULL));
}

static int
open_shop(void **)
{
    struct shop *shop = &the_shop;

    if (test_folder_setup(&the_folder) != 0)
        return -1;
    oi_virtual_clock_init(&shop->clock, TEST_NOW);
    assert_ok(oi_store_open(
        the_folder,
        &(struct oi_store_options){ .clock = &shop->clock.clock, .engine = &oi_kv_memory },
        &shop->store, NULL));
    define_markets(shop);
    shop->names = oi_names_new();
    shop->pages[0] = (struct oi_convention_page){ NULL, conventions, OI_COUNT(conventions) };
    shop->book = (struct oi_convention_book){ shop->pages, 1 };
    shop->source = (struct oi_source){ .store = shop->store,
                                       .conventions = &shop->book,
                                       .clock = &shop->clock.clock,
                                       .names = shop->names };
    fill_shop(shop);
    fill_history(shop);
    return 0;
}

static int
close_shop(void **)
{
    oi_names_free(&the_shop.names);
    oi_store_close(&the_shop.store);
    return test_folder_teardown(&the_folder);
}

/* The sample; without it the test is skipped, and counted so. */
static struct oi_json *
sample_of(const char *name)
{
    struct oi_json *json = test_example(name);

    if (!json)
        skip();
    return json;
}

/* Ask the shop and render; the body is JSON. */
static struct oi_json *
ask(struct test_exchange *exchange, const char *target)
{
    struct oi_result *result = NULL;

    assert_ok(test_ask(exchange, target, NULL));
    if (exchange->query.kind != OI_QUERY_NONE &&
        oi_query_run(&the_shop.source, &exchange->query, &result, &exchange->problem, NULL) !=
            OI_OK)
        fail_msg("%s: %s %s", target, exchange->problem.message, exchange->problem.value);
    assert_ok(test_render(exchange, result));
    return test_body_json(exchange);
}

static const struct oi_json_node *
part(struct oi_json *json, const char *name)
{
    const struct oi_json_node *root = oi_json_root(json);

    return name ? oi_json_member(root, name) : root;
}

/* The same part (NULL: the whole) of the answer and of the sample. */
static void
same(const char *target, const char *example, const char *name)
{
    struct oi_json *expected = sample_of(example), *actual;
    struct test_exchange exchange;

    actual = ask(&exchange, target);
    if (!test_nodes_equal(part(expected, name), part(actual, name)))
        fail_msg("%s answers %.*s", target, OI_SLICE_ARGS(oi_buffer_slice(&exchange.reply.body)));
    oi_json_close(&expected);
    oi_json_close(&actual);
    test_close(&exchange);
}

static void
answers_as_coin_metrics(void **)
{
    same("/v4/timeseries/market-openinterest?markets=binance-BTCUSDT-future&start_time=2020-08-"
         "05T23:05:00&end_time=2020-08-05T23:06:00&api_key=k",
         "coinmetrics_market-openinterest.json", NULL);
}

static void
answers_as_kiyotaka(void **)
{
    same("/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT&interval="
         "HOUR&from=1774800000&period=3600",
         "kiyotaka_points-single.json", NULL);
}

/* The page prints three rows of the six that it counts. */
static void
answers_as_kwery(void **)
{
    struct oi_json *expected = sample_of("kwery_open-interest.json"), *actual;
    const struct oi_json_node *rows, *wanted = part(expected, "data"), *meta;
    struct test_exchange exchange;

    actual = ask(&exchange,
                 "/v1/open-interest?api-key=kwery_test_1&symbol=BTC&source=binance_futures&interval"
                 "=4h&start=2026-03-07T00:00:00Z&end=2026-03-08T00:00:00Z");
    rows = part(actual, "data");
    assert_int_equal(oi_json_count(rows), 6);
    for (size_t i = 0; i < oi_json_count(wanted); i++)
        assert_true(test_nodes_equal(oi_json_item(rows, i), oi_json_item(wanted, i)));
    for (meta = oi_json_first(part(expected, "meta")); meta; meta = oi_json_next(meta)) {
        char name[32];

        (void) snprintf(name, sizeof(name), "%.*s", OI_SLICE_ARGS(oi_json_name(meta)));
        assert_true(test_nodes_equal(meta, oi_json_member(part(actual, "meta"), name)));
    }
    oi_json_close(&expected);
    oi_json_close(&actual);
    test_close(&exchange);
}

static void
answers_as_oanor(void **)
{
    same("/openinterest-api/v1/oi?symbol=BTCUSDT&base=BTC&period=1h&lookback=24", "oanor_oi.json",
         "data");
    same("/openinterest-api/v1/symbols?q=PEPE&limit=100", "oanor_symbols.json", "data");
}

/* The page breaks off behind the tenth of fifty points. */
static void
answers_as_oanor_over_time(void **)
{
    struct oi_json *expected = sample_of("oanor_history.json"), *actual;
    const struct oi_json_node *points, *wanted;
    struct test_exchange exchange;

    actual =
        ask(&exchange, "/openinterest-api/v1/history?symbol=BTCUSDT&base=ETH&period=1d&limit=50");
    points = oi_json_member(part(actual, "data"), "history");
    wanted = oi_json_member(part(expected, "data"), "history");
    assert_true(test_nodes_equal(oi_json_member(part(actual, "data"), "count"),
                                 oi_json_member(part(expected, "data"), "count")));
    assert_int_equal(oi_json_count(points), 50);
    for (size_t i = 0; i < oi_json_count(wanted); i++)
        assert_true(test_nodes_equal(oi_json_item(points, i), oi_json_item(wanted, i)));
    assert_true(oi_slice_is(oi_json_text(oi_json_member(oi_json_item(points, 49), "timestamp")),
                            "2026-06-09T00:00:00.000Z"));
    oi_json_close(&expected);
    oi_json_close(&actual);
    test_close(&exchange);
}

/* Year and month are the sample's; the addresses are ours. */
static void
answers_as_aperiodic(void **)
{
    struct oi_json *expected = sample_of("aperiodic_open_interest.json"), *actual;
    struct test_exchange exchange;

    actual = ask(&exchange, "/api/v1/data/open_interest?timestamp=exchange&interval=1h&exchange="
                            "binance-futures&symbol=perpetual-BTC-USDT%3AUSDT&start_date=2024-01-"
                            "01&end_date=2024-02-29");
    assert_int_equal(oi_json_count(part(actual, "files")), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct oi_json_node *a = oi_json_item(part(expected, "files"), i);
        const struct oi_json_node *b = oi_json_item(part(actual, "files"), i);

        assert_true(test_nodes_equal(oi_json_member(a, "year"), oi_json_member(b, "year")));
        assert_true(test_nodes_equal(oi_json_member(a, "month"), oi_json_member(b, "month")));
    }
    oi_json_close(&expected);
    oi_json_close(&actual);
    test_close(&exchange);
}

/* Rows of a page, as text, one a line; in front of what is there or behind it. */
static void
join_rows(const struct oi_json_node *rows, const char *figure, bool in_front, struct oi_buffer *all)
{
    struct oi_buffer page = {};

    for (const struct oi_json_node *row = oi_json_first(rows); row; row = oi_json_next(row)) {
        for (const struct oi_json_node *cell = oi_json_first(row); cell; cell = oi_json_next(cell))
            oi_buffer_add_format(&page, "%.*s ", OI_SLICE_ARGS(oi_json_text(cell)));
        assert_non_null(oi_json_member(row, figure));
        oi_buffer_add_char(&page, '\n');
    }
    if (in_front) {
        oi_buffer_add_slice(&page, oi_buffer_slice(all));
        oi_buffer_clear(all);
    }
    oi_buffer_add_slice(all, oi_buffer_slice(&page));
    oi_buffer_release(&page);
}

/* How a dialect pages: the rest of the address that a page gives. */
struct paging {
    const char *figure; /* a member of every row */
    const char *parent; /* of the token, or NULL: the root */
    const char *token;  /* its name in the answer */
    const char *parameter;
    bool goes_back; /* later pages stand in front */
};

/* Follow the pages of `target` to the end; the number of pages. */
static size_t
walk_pages(const char *target, const struct paging *paging, struct oi_buffer *all)
{
    char address[1024];
    size_t pages = 0;

    (void) snprintf(address, sizeof(address), "%s", target);
    for (;;) {
        struct test_exchange exchange;
        struct oi_json *json = ask(&exchange, address);
        const struct oi_json_node *root = part(json, paging->parent);
        const struct oi_json_node *token = oi_json_member(root, paging->token);
        struct oi_slice text = oi_json_text(token);

        join_rows(part(json, "data"), paging->figure, paging->goes_back, all);
        assert_true(++pages < 100);
        (void) snprintf(address, sizeof(address), "%s&%s=%.*s", target, paging->parameter,
                        OI_SLICE_ARGS(text));
        if (text.size > 0)
            assert_true(oi_json_count(part(json, "data")) > 0);
        oi_json_close(&json);
        test_close(&exchange);
        if (text.size == 0)
            return pages;
    }
}

static void
pages_make_the_whole(const char *whole, const char *paged, const struct paging *paging)
{
    struct oi_buffer all = {}, together = {};

    assert_int_equal(walk_pages(whole, paging, &all), 1);
    assert_true(walk_pages(paged, paging, &together) > 1);
    if (!oi_slice_equal(oi_buffer_slice(&all), oi_buffer_slice(&together)))
        fail_msg("%s: pages\n%.*sare not the whole\n%.*s", paged,
                 OI_SLICE_ARGS(oi_buffer_slice(&together)), OI_SLICE_ARGS(oi_buffer_slice(&all)));
    oi_buffer_release(&all);
    oi_buffer_release(&together);
}

static void
pages_of_coin_metrics_make_the_whole_from_both_ends(void **)
{
#define COINMETRICS "/v4/timeseries/market-openinterest?markets=*BTC*-future"
    const struct paging forward = { "contract_count", NULL, "next_page_token", "next_page_token",
                                    false };
    struct paging backward = forward;

    backward.goes_back = true;
    pages_make_the_whole(COINMETRICS "&paging_from=start&page_size=10000",
                         COINMETRICS "&paging_from=start&page_size=7", &forward);
    pages_make_the_whole(COINMETRICS "&page_size=10000", COINMETRICS "&page_size=7", &backward);
    pages_make_the_whole(COINMETRICS "&page_size=10000&limit_per_market=3",
                         COINMETRICS "&page_size=2&limit_per_market=3", &backward);
    pages_make_the_whole(COINMETRICS "&page_size=10000&limit_per_market=3&paging_from=start",
                         COINMETRICS "&page_size=1&limit_per_market=3&paging_from=start", &forward);
    pages_make_the_whole(COINMETRICS "&page_size=10000&granularity=1d",
                         COINMETRICS "&page_size=5&granularity=1d", &backward);
}

static void
pages_of_a_catalogue_make_the_whole(void **)
{
    const struct paging paging = { "min_time", NULL, "next_page_token", "next_page_token", false };

    pages_make_the_whole("/v4/catalog-v2/market-openinterest?type=future",
                         "/v4/catalog-v2/market-openinterest?type=future&page_size=1", &paging);
}

static void
pages_of_kwery_make_the_whole_over_all_sources(void **)
{
#define KWERY "/v1/open-interest?symbol=BTC&interval=4h"
    const struct paging forward = { "open_interest", "meta", "next_cursor", "after", false };
    struct paging backward = forward;

    backward.goes_back = true;
    for (int limit = 1; limit < 5; limit++) {
        char paged[256];

        (void) snprintf(paged, sizeof(paged), KWERY "&start=2026-03-07&end=2026-03-08&limit=%d",
                        limit);
        pages_make_the_whole(KWERY "&start=2026-03-07&end=2026-03-08&limit=1000", paged, &forward);
        (void) snprintf(paged, sizeof(paged), KWERY "&end=2026-03-08&limit=%d", limit);
        pages_make_the_whole(KWERY "&end=2026-03-08&limit=1000", paged, &backward);
    }
}

static void
pages_of_the_native_api_make_the_whole(void **)
{
#define NATIVE "/oi/v1/open-interest?coin=BTC&exchange=binance&exchange=bybit"
    const struct paging forward = { "open_interest", NULL, "next", "after", false };
    struct paging backward = forward;
    const struct paging markets = { "symbol", NULL, "next", "after", false };

    backward.goes_back = true;
    pages_make_the_whole(NATIVE "&start=2020-01-01", NATIVE "&start=2020-01-01&limit=7", &forward);
    pages_make_the_whole(NATIVE, NATIVE "&limit=7", &backward);
    pages_make_the_whole("/oi/v1/markets?q=u", "/oi/v1/markets?q=u&limit=1", &markets);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_coin_metrics),
        cmocka_unit_test(answers_as_kiyotaka),
        cmocka_unit_test(answers_as_kwery),
        cmocka_unit_test(answers_as_oanor),
        cmocka_unit_test(answers_as_oanor_over_time),
        cmocka_unit_test(answers_as_aperiodic),
        cmocka_unit_test(pages_of_coin_metrics_make_the_whole_from_both_ends),
        cmocka_unit_test(pages_of_a_catalogue_make_the_whole),
        cmocka_unit_test(pages_of_kwery_make_the_whole_over_all_sources),
        cmocka_unit_test(pages_of_the_native_api_make_the_whole),
    };
    return cmocka_run_group_tests_name("contract/dialect_examples", tests, open_shop, close_shop);
}
