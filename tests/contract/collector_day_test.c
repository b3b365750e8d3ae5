/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector over a day of the simulated world: real adapters, real sockets, a clock that is
 * moved on instead of waited for. Every instrument has every minute or a typed gap, every figure is
 * the world's, no published limit is passed, and trouble at one exchange costs that exchange alone.
 */
#include "base/log.h"
#include "collector/collector.h"
#include "exchanges/exchange.h"
#include "simulator/simulator.h"
#include "support/test_store.h"

#include <stdlib.h>

#define SEED UINT64_C(7)
/* OI_TEST_MINUTES makes it shorter or longer (1440: the whole day). */
#define MINUTES_DEFAULT 600

struct day {
    char *folder;
    struct test_store store;
    struct oi_simulator *simulator;
    struct oi_collector *collector;
    uint16_t live;
    oi_time minute;
};

static int
set_up(void **state)
{
    struct day *day = oi_alloc_zero(1, sizeof(*day));
    const struct oi_feed live = { .name = "live" };
    struct oi_simulator_options world = { .seed = SEED };
    struct oi_collector_options options = { .seed = 1 };
    char origin[64];

    oi_log_set_level(OI_LOG_ERROR);
    if (test_folder_setup((void **) &day->folder) != 0)
        return -1;
    oi_virtual_clock_init(&day->store.clock, TEST_START);
    day->minute = TEST_START;
    day->store.options = (struct oi_store_options){ .clock = &day->store.clock.clock,
                                                    .engine = &oi_kv_memory,
                                                    .map_size = (size_t) 256 << 20 };
    (void) snprintf(day->store.path, sizeof(day->store.path), "%s/store", day->folder);
    test_store_open(&day->store);
    assert_ok(oi_store_feed(day->store.store, &live, &day->live, NULL));
    world.clock = &day->store.clock.clock;
    assert_ok(oi_simulator_open(&world, &day->simulator, NULL));
    (void) snprintf(origin, sizeof(origin), "http://127.0.0.1:%u",
                    oi_simulator_port(day->simulator));
    options.virtual_clock = &day->store.clock;
    options.redirect_to = origin;
    options.timeout_ms = 2'000;
    assert_ok(oi_collector_open_stepped(&options, day->store.store, &day->collector, NULL));
    *state = day;
    return 0;
}

static int
tear_down(void **state)
{
    struct day *day = *state;

    oi_collector_close(&day->collector);
    oi_simulator_close(&day->simulator);
    test_store_close(&day->store);
    (void) test_folder_teardown((void **) &day->folder);
    oi_free(day);
    return 0;
}

static struct oi_collector_report
poll_next(struct day *day)
{
    struct oi_collector_report report = {};
    struct oi_error error = {};

    if (oi_collector_poll_minute(day->collector, day->minute, &report, &error) != OI_OK)
        fail_msg("%s", error.message);
    day->minute += OI_MINUTE;
    return report;
}

static void
set_moods(struct day *day, const char *moods)
{
    assert_ok(
        oi_simulator_set_moods(oi_simulator_world_of(day->simulator), oi_slice_of(moods), NULL));
}

/* What one instrument's day comes to. */
struct tally {
    int64_t cadence;
    size_t rows, gaps[OI_HOLE_DELISTED + 1];
};

static enum oi_status
count_gap(void *context, const struct oi_hole *hole)
{
    struct tally *tally = context;

    tally->gaps[hole->cause] += (size_t) ((hole->span.to - hole->span.from) / tally->cadence);
    return OI_OK;
}

/* How often the market's exchange is asked. */
static int64_t
cadence_of(const struct oi_instrument *instrument)
{
    const struct oi_exchange *exchange = oi_exchange_find(oi_slice_of(instrument->exchange));

    assert_non_null(exchange);
    for (size_t i = 0; i < exchange->endpoint_count; i++)
        if (exchange->endpoints[i].kind == OI_TASK_CURRENT && exchange->endpoints[i].every_ns > 0 &&
            (!exchange->endpoints[i].product ||
             strcmp(exchange->endpoints[i].product, instrument->product) == 0))
            return exchange->endpoints[i].every_ns;
    return OI_MINUTE;
}

static void
count_day(struct day *day, uint32_t instrument, struct tally *tally)
{
    /* An interval that is not over is not judged. */
    const struct oi_span span = { TEST_START, oi_interval_floor(tally->cadence, day->minute) };
    const struct oi_columns *columns = NULL;
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    struct oi_scan_request request = { .span = span, .moment = OI_MOMENT_LATEST };

    assert_ok(oi_store_series(day->store.store, instrument, day->live, &request.series, NULL));
    assert_ok(oi_store_scan(day->store.store, &request, &scan, NULL));
    do {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        tally->rows += columns ? columns->count : 0;
    } while (columns);
    assert_ok(oi_store_gaps(day->store.store, instrument, day->live, tally->cadence, span,
                            OI_MOMENT_LATEST, count_gap, tally, NULL));
}

/* Rows and typed gaps together are every minute in which an instrument's figure is due. */
static void
assert_day_is_whole(struct day *day, struct tally *ret_total)
{
    const struct oi_catalog *catalog = oi_store_catalog(day->store.store);

    /* A minute that is not over is not judged. */
    if (day->minute > day->store.clock.now_ns)
        oi_virtual_clock_advance(&day->store.clock, day->minute - day->store.clock.now_ns);
    memset(ret_total, 0, sizeof(*ret_total));
    assert_true(catalog->instrument_count > 100);
    for (uint32_t id = 1; id <= catalog->instrument_count; id++) {
        struct tally tally = { .cadence = cadence_of(&catalog->instruments[id - 1]) };
        size_t minutes = (size_t) ((day->minute - TEST_START) / tally.cadence);
        size_t sum;

        count_day(day, id, &tally);
        sum = tally.rows;
        for (size_t cause = 0; cause < OI_COUNT(tally.gaps); cause++) {
            sum += tally.gaps[cause];
            ret_total->gaps[cause] += tally.gaps[cause];
        }
        ret_total->rows += tally.rows;
        if (sum != minutes)
            fail_msg("%s %s: %zu rows, %zu intervals told, of %zu",
                     catalog->instruments[id - 1].exchange, catalog->instruments[id - 1].symbol,
                     tally.rows, sum, minutes);
    }
    oi_catalog_unref(&catalog);
}

/* One market of each exchange, minute by minute against the model. */
struct comparison {
    const struct oi_columns *columns;
    size_t next, equal;
    bool prices_may_lack; /* a storm took the reply that had them */
};

static bool
is_price(const struct comparison *comparison, const struct oi_decimal *stored,
         const struct oi_decimal *expected)
{
    return (comparison->prices_may_lack && oi_decimal_is_none(stored)) ||
           oi_decimal_equal(stored, expected);
}

static enum oi_status
compare_reading(void *context, const struct oi_observation *reading, struct oi_error *)
{
    struct comparison *comparison = context;
    const struct oi_columns *columns = comparison->columns;
    struct oi_observation row;

    if (comparison->next >= columns->count || columns->time[comparison->next] != reading->time)
        return OI_OK; /* a gap */
    row = oi_columns_get(columns, comparison->next++);
    if (!oi_decimal_equal(&row.open_interest, &reading->open_interest) ||
        !is_price(comparison, &row.mark_price, &reading->mark_price) ||
        !is_price(comparison, &row.index_price, &reading->index_price))
        return OI_E_CORRUPT;
    comparison->equal++;
    return OI_OK;
}

static void
assert_rows_are_the_worlds(struct day *day, uint32_t id, const struct oi_instrument *instrument,
                           bool prices_may_lack)
{
    const struct oi_span span = { TEST_START, day->minute };
    struct oi_scan_request request = { .span = span,
                                       .moment = OI_MOMENT_LATEST,
                                       .columns = OI_COLUMNS_ALL };
    struct comparison comparison = { .prices_may_lack = prices_may_lack };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;

    assert_ok(oi_store_series(day->store.store, id, day->live, &request.series, NULL));
    assert_ok(oi_store_scan(day->store.store, &request, &scan, NULL));
    while (oi_scan_next(scan, &comparison.columns, NULL) == OI_OK && comparison.columns) {
        const struct oi_span block = {
            comparison.columns->time[0],
            comparison.columns->time[comparison.columns->count - 1] + 1,
        };

        comparison.next = 0;
        if (oi_simulator_history(SEED, instrument->exchange, instrument->symbol, block, OI_MINUTE,
                                 compare_reading, &comparison, NULL) != OI_OK)
            fail_msg("%s %s: a row is not the world's", instrument->exchange, instrument->symbol);
        assert_int_equal(comparison.next, comparison.columns->count);
    }
    assert_true(comparison.equal > 0);
}

static void
assert_figures_are_the_worlds(struct day *day, bool prices_may_lack)
{
    const struct oi_catalog *catalog = oi_store_catalog(day->store.store);
    size_t compared = 0;

    for (uint32_t id = 1; id <= catalog->instrument_count; id += 11) {
        const struct oi_instrument *instrument = &catalog->instruments[id - 1];

        if (instrument->is_delisted || instrument->kind != OI_KIND_PERPETUAL)
            continue;
        assert_rows_are_the_worlds(day, id, instrument, prices_may_lack);
        compared++;
    }
    oi_catalog_unref(&catalog);
    assert_true(compared > 10);
}

static void
a_calm_day_has_every_minute_and_passes_no_limit(void **state)
{
    const char *asked = getenv("OI_TEST_MINUTES");
    long minutes = asked ? strtol(asked, NULL, 10) : MINUTES_DEFAULT;
    struct day *day = *state;
    struct oi_simulator_world *world = oi_simulator_world_of(day->simulator);
    struct oi_collector_report report = {};
    struct tally total;

    for (long i = 0; i < minutes; i++) {
        report = poll_next(day);
        if (report.missing > 0)
            fail_msg("minute %ld: %zu of %zu are missing", i, report.missing, report.expected);
    }
    print_message("%ld minutes, %zu markets, %llu requests\n", minutes, report.expected,
                  (unsigned long long) oi_simulator_requests(world, NULL));
    assert_int_equal(oi_simulator_violations(world, NULL), 0);
    assert_day_is_whole(day, &total);
    assert_figures_are_the_worlds(day, false);
    assert_int_equal(total.gaps[OI_HOLE_UNREACHABLE] + total.gaps[OI_HOLE_BLOCKED] +
                         total.gaps[OI_HOLE_RATE_LIMITED] + total.gaps[OI_HOLE_COLLECTOR_DOWN] +
                         total.gaps[OI_HOLE_SILENT],
                     0);
}

static void
a_stormy_hour_has_a_row_or_a_typed_gap_for_every_minute(void **state)
{
    static const char *const storms[] = {
        "okx=418:120,bybit=html", "", "hyperliquid=truncate",    "binance=503@5..40",
        "deribit=hang,bybit=429", "", "okx=451,binance=418:180", "",
    };
    struct day *day = *state;
    struct tally total;

    for (size_t i = 0; i < OI_COUNT(storms); i++) {
        set_moods(day, storms[i]);
        for (int minute = 0; minute < 4; minute++)
            (void) poll_next(day);
    }
    assert_day_is_whole(day, &total);
    assert_true(total.rows > 0);
    assert_true(total.gaps[OI_HOLE_RATE_LIMITED] > 0);
    assert_true(total.gaps[OI_HOLE_UNREACHABLE] > 0);
    assert_true(total.gaps[OI_HOLE_BLOCKED] > 0);
    assert_int_equal(total.gaps[OI_HOLE_COLLECTOR_DOWN], 0);
    assert_figures_are_the_worlds(day, true);
}

static void
a_market_that_is_missing_from_a_bulk_reply_is_a_silent_hole_and_no_zero(void **state)
{
    struct day *day = *state;
    struct tally total;

    (void) poll_next(day);
    set_moods(day, "bybit=drop:BTCUSDT");
    assert_int_equal(poll_next(day).missing, 1);
    set_moods(day, "");
    assert_int_equal(poll_next(day).missing, 0);
    assert_day_is_whole(day, &total);
    assert_int_equal(total.gaps[OI_HOLE_SILENT], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_calm_day_has_every_minute_and_passes_no_limit),
        TEST(a_stormy_hour_has_a_row_or_a_typed_gap_for_every_minute),
        TEST(a_market_that_is_missing_from_a_bulk_reply_is_a_silent_hole_and_no_zero),
    };

    return cmocka_run_group_tests_name("contract/collector_day", tests, NULL, NULL);
}
