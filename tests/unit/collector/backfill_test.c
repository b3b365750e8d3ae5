/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: what is asked for and what is left out, and that one keeps to a part of the limits. What a
 * run brings is in tests/contract/backfill_world_test.c.
 */
#include "collector/backfill_internal.h"

#include "support/test_store.h"

static enum oi_status
ask(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    if (strcmp(task->symbol, "MARKET3") == 0)
        return oi_fail(error, OI_E_NOT_FOUND, "of this one nothing is kept");
    return oi_http_get(request, "https://example.com/history", error);
}

/* Lines "MINUTE FIGURE", the minute counted from the span's start; as an exchange labels them. */
static enum oi_status
read(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
     struct oi_error *error)
{
    struct oi_slice line;

    while (oi_slice_next_part(&reply, '\n', &line)) {
        struct oi_observation reading = OI_OBSERVATION_NONE;
        int minute, figure;

        if (line.size == 0)
            continue;
        assert_int_equal(sscanf(line.data, "%d %d", &minute, &figure), 2);
        reading.time = task->span.from + minute * OI_MINUTE;
        reading.open_interest = oi_decimal_from(figure, 0);
        OI_TRY(oi_harvest_add(harvest, oi_slice_of(task->symbol), &reading, error));
    }
    return OI_OK;
}

static const struct oi_history_window window = { .width_ns = 100 * 5 * OI_MINUTE,
                                                 .keeps_ns = 2 * OI_DAY,
                                                 .period_ns = 5 * OI_MINUTE };
static const char *const products[] = { "linear", NULL };
static const struct oi_limit limits[] = {
    { .name = "all", .weight_max = 20, .window_ms = 60'000 },
};
static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_CURRENT,
      .product = "linear",
      .scope = OI_SCOPE_SYMBOL,
      .weight = 1,
      .ask = ask,
      .read = read },
    { .kind = OI_TASK_HISTORY,
      .product = "linear",
      .scope = OI_SCOPE_SYMBOL,
      .weight = 2,
      .window = &window,
      .ask = ask,
      .read = read },
};
static const struct oi_exchange example = { .name = "example",
                                            .products = products,
                                            .limits = limits,
                                            .limit_count = 1,
                                            .endpoints = endpoints,
                                            .endpoint_count = OI_COUNT(endpoints) };
static const struct oi_exchange *const registry[] = { &example, NULL };

/* As the collector makes them: without facts of their own. */
static void
begin(struct test_store *store, const char *folder)
{
    struct oi_instrument definitions[4];

    memset(store, 0, sizeof(*store));
    oi_virtual_clock_init(&store->clock, TEST_START);
    store->options = (struct oi_store_options){ .clock = &store->clock.clock,
                                                .engine = &oi_kv_memory,
                                                .map_size = (size_t) 64 << 20 };
    (void) snprintf(store->path, sizeof(store->path), "%s/store", folder);
    test_store_open(store);
    for (int i = 0; i < 4; i++) {
        char symbol[16];

        (void) snprintf(symbol, sizeof(symbol), "MARKET%d", i);
        definitions[i] = test_store_instrument(symbol);
    }
    assert_ok(oi_store_define(store->store, definitions, 4, store->instruments, NULL, NULL));
}

static struct oi_backfill_share
plan(struct test_store *store, struct oi_backfill_options options)
{
    OI_CLEANUP(oi_backfill_close) struct oi_backfill *backfill = NULL;
    const struct oi_backfill_share *shares;

    options.registry = registry;
    options.virtual_clock = &store->clock;
    assert_ok(oi_backfill_open(&options, store->store, &backfill, NULL));
    assert_int_equal(oi_backfill_plan(backfill, &shares), 1);
    return shares[0];
}

static void
a_span_is_cut_into_pages_behind_the_wall_of_what_is_kept(void **state)
{
    struct test_store store;
    struct oi_backfill_options options = { .span = { TEST_START - 30 * OI_DAY, TEST_START } };
    struct oi_backfill_share share;

    begin(&store, *state);
    share = plan(&store, options);
    assert_int_equal(share.markets, 3); /* one of the four has no history */
    assert_int_equal(share.rows, 3 * 576);
    assert_int_equal(share.kept_from, TEST_START - 2 * OI_DAY);
    assert_true(share.requests >= 18 && share.requests <= 21);
    /* 4 markets may need 8 of 20 a minute: 12 are left, 6 pages. */
    assert_true(share.time_ns >= 2 * OI_MINUTE && share.time_ns <= 4 * OI_MINUTE);
    test_store_close(&store);
}

static void
what_is_there_is_left_out(void **state)
{
    struct test_store store;
    struct oi_backfill_options options = { .span = { TEST_START - OI_HOUR, TEST_START } };
    const struct oi_feed history = { .name = "history", .restates = true };
    struct oi_append_result result;
    struct oi_row rows[3];
    uint32_t series;
    uint16_t feed;

    begin(&store, *state);
    assert_ok(oi_store_feed(store.store, &history, &feed, NULL));
    assert_ok(oi_store_series(store.store, store.instruments[1], feed, &series, NULL));
    for (int i = 0; i < 3; i++)
        rows[i] = test_store_row(series, TEST_START - (i + 1) * 15 * OI_MINUTE, 5);
    assert_ok(oi_store_append(store.store, &(struct oi_batch){ .rows = rows, .row_count = 3 },
                              &result, NULL));
    options.instruments = &store.instruments[1];
    options.instrument_count = 1;
    assert_int_equal(plan(&store, options).rows, 12 - 3);
    assert_int_equal(plan(&store, options).present, 3);
    test_store_close(&store);
}

static void
holes_alone_are_asked_for(void **state)
{
    struct test_store store;
    struct oi_backfill_options options = { .span = { TEST_START - OI_HOUR, TEST_START },
                                           .holes_only = true };
    const struct oi_feed live = { .name = "live" };
    struct oi_append_result result;
    struct oi_row rows[60];
    size_t count = 0;
    uint32_t series;
    uint16_t feed;

    begin(&store, *state);
    assert_ok(oi_store_feed(store.store, &live, &feed, NULL));
    assert_ok(oi_store_series(store.store, store.instruments[0], feed, &series, NULL));
    /* Minutes 8 to 10 and 31 are missing: 10 alone is a multiple of five. */
    for (int i = 0; i < 60; i++)
        if ((i < 8 || i > 10) && i != 31)
            rows[count++] = test_store_row(series, options.span.from + i * OI_MINUTE, 5);
    assert_ok(oi_store_append(store.store, &(struct oi_batch){ .rows = rows, .row_count = count },
                              &result, NULL));
    options.instruments = &store.instruments[0];
    options.instrument_count = 1;
    assert_int_equal(plan(&store, options).rows, 1);
    assert_int_equal(plan(&store, options).requests, 1);
    test_store_close(&store);
}

static void
where_nothing_is_known_the_plan_says_what_to_do(void **state)
{
    struct test_store store;
    struct oi_backfill_options options = { .registry = registry,
                                           .span = { TEST_START - OI_HOUR, TEST_START },
                                           .instruments = &store.instruments[3],
                                           .instrument_count = 1 };
    struct oi_backfill *backfill = NULL;

    begin(&store, *state);
    options.virtual_clock = &store.clock;
    assert_status(oi_backfill_open(&options, store.store, &backfill, NULL), OI_E_NOT_FOUND);
    options.span.to = options.span.from;
    assert_status(oi_backfill_open(&options, store.store, &backfill, NULL), OI_E_INVALID);
    test_store_close(&store);
}

/* Newest first, one instant twice, more than was asked for on both sides, a zero between figures,
 * and labels that name the start of their five minutes. */
static void
a_page_yields_what_is_wanted_of_it_once(void **state)
{
    struct test_store store;
    struct oi_backfill backfill = { .clock = &oi_clock_system };
    struct oi_backfill_line line = { .backfill = &backfill };
    struct oi_backfill_market market = { .endpoint = &endpoints[1],
                                         .symbol = "MARKET0",
                                         .shift_ns = 5 * OI_MINUTE,
                                         .period_ns = 5 * OI_MINUTE };
    const struct oi_span hour = { TEST_START - OI_HOUR, TEST_START };
    const struct oi_backfill_lot lot = { .span = hour };
    const struct oi_scan_request request = {
        .span = OI_SPAN_ALL, .moment = OI_MOMENT_LATEST, .columns = OI_COLUMNS_ALL, .series = 1
    };
    const oi_time minutes[] = { 0, 5, 20, 55 };
    const int64_t figures[] = { 7, 0, 9, 11 };
    const struct oi_feed history = { .name = "history", .restates = true };
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    uint16_t feed;

    begin(&store, *state);
    assert_ok(oi_store_feed(store.store, &history, &feed, NULL));
    assert_ok(oi_store_series(store.store, store.instruments[0], feed, &market.series, NULL));
    backfill.store = store.store;
    /* Ten minutes of the hour are there already: 10 and 15. */
    oi_vector_push(&market.wanted, ((struct oi_span){ hour.from, hour.from + 10 * OI_MINUTE }));
    oi_vector_push(&market.wanted, ((struct oi_span){ hour.from + 20 * OI_MINUTE, hour.to }));
    oi_vector_push(&line.markets, market);
    assert_int_equal(oi_backfill_take_page(&line, &lot,
                                           OI_SLICE("60 12\n55 11\n20 9\n20 10\n15 8\n10 8\n"
                                                    "5 0\n0 7\n-5 6\n-600 1\n"),
                                           NULL),
                     OI_BACKFILL_DONE);
    assert_int_equal(backfill.report.rows, 4);
    assert_ok(oi_store_scan(store.store, &request, &scan, NULL));
    assert_ok(oi_scan_next(scan, &columns, NULL));
    assert_int_equal(columns->count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct oi_observation row = oi_columns_get(columns, i);
        const struct oi_decimal figure = oi_decimal_from(figures[i], 0);

        assert_int_equal(row.time, hour.from + minutes[i] * OI_MINUTE);
        assert_true(oi_decimal_equal(&row.open_interest, &figure));
        assert_int_equal(row.flags, figures[i] == 0 ? OI_FLAG_SUSPECT_ZERO : 0);
    }
    oi_scan_close(&scan);
    oi_vector_release(&line.markets.items[0].wanted);
    oi_vector_release(&line.markets);
    oi_harvest_release(&line.harvest);
    test_store_close(&store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_span_is_cut_into_pages_behind_the_wall_of_what_is_kept),
        TEST(what_is_there_is_left_out),
        TEST(holes_alone_are_asked_for),
        TEST(where_nothing_is_known_the_plan_says_what_to_do),
        TEST(a_page_yields_what_is_wanted_of_it_once),
    };

    return cmocka_run_group_tests_name("collector/backfill", tests, NULL, NULL);
}
