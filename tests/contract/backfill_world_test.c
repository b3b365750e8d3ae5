/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backfill over the simulated world: real adapters, real sockets, a virtual clock. After an outage
 * every instant that the exchanges' histories can tell is in the store, exactly; no published limit
 * is passed; a run that was cut short is gone on with, and another one finds nothing to do.
 */
#include "base/log.h"
#include "collector/backfill.h"
#include "collector/collector.h"
#include "simulator/simulator.h"
#include "support/test_store.h"

#define SEED UINT64_C(7)

/* Nothing here is silent: a machine that is busy for seconds must not look like that, because what
 * is asked again is counted again. */
#define TIMEOUT_MS 60'000

struct world {
    char *folder;
    struct test_store store;
    struct oi_simulator *simulator;
    struct oi_collector *collector;
    char origin[64];
    char files[600];
    oi_time minute;
};

static int
set_up(void **state)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    struct oi_simulator_options simulator = { .seed = SEED };
    struct oi_collector_options options = { .seed = 1 };

    oi_log_set_level(OI_LOG_ERROR);
    if (test_folder_setup((void **) &world->folder) != 0)
        return -1;
    oi_virtual_clock_init(&world->store.clock, TEST_START);
    world->minute = TEST_START;
    world->store.options = (struct oi_store_options){ .clock = &world->store.clock.clock,
                                                      .engine = &oi_kv_memory,
                                                      .map_size = (size_t) 256 << 20 };
    (void) snprintf(world->store.path, sizeof(world->store.path), "%s/store", world->folder);
    (void) snprintf(world->files, sizeof(world->files), "%s/files", world->folder);
    test_store_open(&world->store);
    simulator.clock = &world->store.clock.clock;
    assert_ok(oi_simulator_open(&simulator, &world->simulator, NULL));
    (void) snprintf(world->origin, sizeof(world->origin), "http://127.0.0.1:%u",
                    oi_simulator_port(world->simulator));
    options.virtual_clock = &world->store.clock;
    options.redirect_to = world->origin;
    options.timeout_ms = TIMEOUT_MS;
    assert_ok(oi_collector_open_stepped(&options, world->store.store, &world->collector, NULL));
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    oi_collector_close(&world->collector);
    oi_simulator_close(&world->simulator);
    test_store_close(&world->store);
    (void) test_folder_teardown((void **) &world->folder);
    oi_free(world);
    return 0;
}

static void
poll_next(struct world *world)
{
    struct oi_error error = {};

    if (oi_collector_poll_minute(world->collector, world->minute, NULL, &error) != OI_OK)
        fail_msg("%s", error.message);
    world->minute += OI_MINUTE;
}

static struct oi_backfill_options
options_of(struct world *world, struct oi_span span)
{
    return (struct oi_backfill_options){ .virtual_clock = &world->store.clock,
                                         .redirect_to = world->origin,
                                         .timeout_ms = TIMEOUT_MS,
                                         .folder = world->files,
                                         .span = span };
}

static struct oi_backfill_report
run(struct world *world, const struct oi_backfill_options *options, uint64_t *ret_requests)
{
    OI_CLEANUP(oi_backfill_close) struct oi_backfill *backfill = NULL;
    const struct oi_backfill_share *shares;
    struct oi_backfill_report report = {};
    struct oi_error error = {};
    uint64_t requests = 0;
    size_t count;

    if (oi_backfill_open(options, world->store.store, &backfill, &error) != OI_OK)
        fail_msg("%s", error.message);
    count = oi_backfill_plan(backfill, &shares);
    for (size_t i = 0; i < count; i++) {
        requests += shares[i].requests;
        assert_true(shares[i].rows >= shares[i].lots);
    }
    if (oi_backfill_run(backfill, &report, &error) != OI_OK)
        fail_msg("%s", error.message);
    if (ret_requests)
        *ret_requests = requests;
    return report;
}

/* Whatever of the minutes since `from` the history has: a multiple of its period. */
struct check {
    struct world *world;
    const struct oi_columns *columns;
    size_t next, found;
};

static enum oi_status
check_reading(void *context, const struct oi_observation *reading, struct oi_error *error)
{
    struct check *check = context;
    const struct oi_columns *columns = check->columns;
    struct oi_observation row;

    if (!columns || check->next >= columns->count)
        return oi_fail(error, OI_E_NOT_FOUND, "the row of %lld is missing",
                       (long long) (reading->time / OI_SECOND));
    row = oi_columns_get(columns, check->next++);
    if (row.time != reading->time)
        return oi_fail(error, OI_E_NOT_FOUND, "%lld, not %lld", (long long) (row.time / OI_SECOND),
                       (long long) (reading->time / OI_SECOND));
    if (!oi_decimal_equal(&row.open_interest, &reading->open_interest))
        return oi_fail(error, OI_E_CORRUPT, "another figure at %lld",
                       (long long) (reading->time / OI_SECOND));
    check->found++;
    return OI_OK;
}

static const struct oi_endpoint *
history_of(const struct oi_instrument *instrument)
{
    const struct oi_exchange *exchange = oi_exchange_find(oi_slice_of(instrument->exchange));

    for (size_t i = 0; i < exchange->endpoint_count; i++)
        if (exchange->endpoints[i].kind == OI_TASK_HISTORY &&
            (!exchange->endpoints[i].product ||
             strcmp(exchange->endpoints[i].product, instrument->product) == 0))
            return &exchange->endpoints[i];
    return NULL;
}

/* The rows of a market's feed are the world's at each multiple of the step, none more, none less.
 */
static size_t
assert_rows(struct world *world, const struct oi_instrument *instrument, const char *feed,
            struct oi_span span, int64_t step_ns)
{
    const struct oi_catalog *catalog = oi_store_catalog(world->store.store);
    struct oi_scan_request request = { .span = span,
                                       .moment = OI_MOMENT_LATEST,
                                       .columns = OI_COLUMNS_ALL };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    struct check check = { .world = world };
    struct oi_error error = {};

    for (uint32_t id = 1; id <= catalog->series_count; id++)
        if (catalog->series[id - 1].instrument == instrument->id &&
            strcmp(catalog->feeds[catalog->series[id - 1].feed - 1].name, feed) == 0)
            request.series = id;
    oi_catalog_unref(&catalog);
    assert_true(request.series > 0);
    assert_ok(oi_store_scan(world->store.store, &request, &scan, NULL));
    assert_ok(oi_scan_next(scan, &check.columns, NULL));
    if (oi_simulator_history(SEED, instrument->exchange, instrument->symbol, span, step_ns,
                             check_reading, &check, &error) != OI_OK)
        fail_msg("%s %s: %s", instrument->exchange, instrument->symbol, error.message);
    assert_int_equal(check.next, check.columns ? check.columns->count : 0);
    return check.found;
}

/* Every market with a history that was listed all the while. */
static size_t
assert_histories(struct world *world, struct oi_span span)
{
    const struct oi_catalog *catalog = oi_store_catalog(world->store.store);
    size_t found = 0;

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        const struct oi_instrument *instrument = &catalog->instruments[i];
        const struct oi_endpoint *endpoint = history_of(instrument);

        if (!endpoint || instrument->is_delisted || instrument->kind != OI_KIND_PERPETUAL)
            continue;
        found += assert_rows(world, instrument, "history", span, endpoint->window->period_ns);
    }
    oi_catalog_unref(&catalog);
    return found;
}

static void
holes_of_an_outage_are_closed_as_far_as_the_histories_go(void **state)
{
    struct world *world = *state;
    const struct oi_span outage = { TEST_START + 3 * OI_MINUTE,
                                    TEST_START + 3 * OI_MINUTE + 5 * OI_HOUR };
    struct oi_backfill_options options =
        options_of(world, (struct oi_span){ TEST_START, outage.to });
    struct oi_backfill_report report;
    uint64_t requests = 0;

    for (int i = 0; i < 3; i++)
        poll_next(world);
    world->minute = outage.to;
    for (int i = 0; i < 3; i++)
        poll_next(world);
    options.holes_only = true;
    report = run(world, &options, &requests);
    print_message("%llu requests, %llu rows\n", (unsigned long long) report.requests,
                  (unsigned long long) report.rows);
    assert_int_equal(report.failed, 0);
    assert_int_equal(report.requests, requests);
    assert_int_equal(oi_simulator_violations(oi_simulator_world_of(world->simulator), NULL), 0);
    assert_true(report.rows > 0);
    assert_int_equal(report.duplicates + report.refused, 0);
    assert_true(assert_histories(world, outage) > 0);
    /* What is there is not asked for again. */
    report = run(world, &options, &requests);
    assert_int_equal(requests, 0);
    assert_int_equal(report.requests, 0);
}

/* One market's series of an archive, at five minutes. */
static const struct oi_instrument *
find(const struct oi_catalog *catalog, const char *product, const char *symbol)
{
    for (size_t i = 0; i < catalog->instrument_count; i++)
        if (strcmp(catalog->instruments[i].product, product) == 0 &&
            strcmp(catalog->instruments[i].symbol, symbol) == 0)
            return &catalog->instruments[i];
    fail_msg("there is no %s", symbol);
    return NULL;
}

/* The simulated archive's oddities, by the day's number. */
static bool
is_every(oi_time day, int64_t nth, int64_t rest)
{
    return day / OI_DAY % nth == rest;
}

static void
assert_days(struct world *world, const struct oi_instrument *instrument, struct oi_span days,
            bool is_republished)
{
    for (oi_time day = days.from; day < days.to; day += OI_DAY) {
        struct oi_span span = { day + 5 * OI_MINUTE, day + OI_DAY + 5 * OI_MINUTE };

        if (is_every(day, 11, 4) || is_every(day, 13, 7))
            continue; /* never published; never whole */
        if (!is_republished && is_every(day, 5, 0) && day == days.to - OI_DAY)
            span.to = day + 13 * OI_HOUR + 35 * OI_MINUTE;
        assert_true(assert_rows(world, instrument, "archive:binance-vision", span, 5 * OI_MINUTE) >
                    0);
    }
}

/* Twenty days to just behind one that is cut short until it is published again. */
static void
days_of_an_archive_are_fetched_checked_and_taken_again_when_they_were_republished(void **state)
{
    struct world *world = *state;
    oi_time last = oi_interval_ceil(5 * OI_DAY, TEST_START + OI_DAY);
    struct oi_backfill_options options = options_of(world, OI_SPAN_ALL);
    const struct oi_instrument *linear, *inverse;
    const struct oi_catalog *catalog;
    struct oi_backfill_report report;
    struct oi_span days = { last - 19 * OI_DAY, last + OI_DAY };
    uint32_t instruments[2];
    uint64_t requests = 0;

    oi_log_set_level(OI_LOG_ERROR);
    poll_next(world);
    oi_virtual_clock_advance(&world->store.clock,
                             days.to + 14 * OI_HOUR - world->store.clock.now_ns);
    catalog = oi_store_catalog(world->store.store);
    linear = find(catalog, "usdm", "BTCUSDT");
    inverse = find(catalog, "coinm", "BTCUSD_PERP");
    instruments[0] = linear->id;
    instruments[1] = inverse->id;
    options.sources = OI_BACKFILL_ARCHIVE;
    options.instruments = instruments;
    options.instrument_count = 2;
    options.span = (struct oi_span){ days.from + 5 * OI_MINUTE, days.to + 5 * OI_MINUTE };
    report = run(world, &options, &requests);
    assert_int_equal(requests, 80);
    assert_true(report.missing > 0);    /* days that were never published */
    assert_true(report.failed > 0);     /* and one whose checksum never matches */
    assert_true(report.duplicates > 0); /* last lines twice */
    assert_int_equal(oi_simulator_violations(oi_simulator_world_of(world->simulator), NULL), 0);
    assert_days(world, linear, days, false);
    assert_days(world, inverse, days, false);
    /* What was cut short is asked for again, and published whole by now. */
    oi_virtual_clock_advance(&world->store.clock, 3 * OI_DAY);
    report = run(world, &options, &requests);
    assert_true(requests < 20);
    assert_true(report.rows > 0);
    assert_int_equal(report.revised, 2);
    assert_days(world, linear, days, true);
    assert_days(world, inverse, days, true);
    oi_catalog_unref(&catalog);
}

static void
a_run_that_is_stopped_is_gone_on_with(void **state)
{
    struct world *world = *state;
    struct oi_backfill_options options =
        options_of(world, (struct oi_span){ TEST_START - 2 * OI_DAY, TEST_START });
    struct oi_backfill_report report;
    uint64_t all = 0, left = 0;
    const struct oi_catalog *catalog;
    uint32_t instrument;

    poll_next(world);
    catalog = oi_store_catalog(world->store.store);
    instrument = find(catalog, "linear", "BTCUSDT")->id;
    options.instruments = &instrument;
    options.instrument_count = 1;
    assert_ok(oi_simulator_set_moods(oi_simulator_world_of(world->simulator),
                                     OI_SLICE("bybit=503@2..1000"), NULL));
    report = run(world, &options, &all);
    assert_true(report.rows > 0);
    assert_true(report.failed > 0);
    assert_ok(oi_simulator_set_moods(oi_simulator_world_of(world->simulator), OI_SLICE(""), NULL));
    report = run(world, &options, &left);
    assert_true(left < all);
    assert_int_equal(report.failed, 0);
    assert_int_equal(report.duplicates, 0);
    assert_int_equal(assert_rows(world, &catalog->instruments[instrument - 1], "history",
                                 options.span, 5 * OI_MINUTE),
                     2 * 288);
    oi_catalog_unref(&catalog);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holes_of_an_outage_are_closed_as_far_as_the_histories_go),
        TEST(days_of_an_archive_are_fetched_checked_and_taken_again_when_they_were_republished),
        TEST(a_run_that_is_stopped_is_gone_on_with),
    };

    return cmocka_run_group_tests_name("contract/backfill_world", tests, NULL, NULL);
}
