/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every exchange's streams, from the simulated exchange over real WebSockets into a store: each
 * change that was pushed is stored exactly once, at its instant; and when an exchange repeats
 * itself, mixes up its messages, sends nonsense, falls silent or cuts the line, what is stored is
 * still nothing but what was pushed.
 */
#include "collector/replay.h"
#include "collector/streams.h"
#include "simulator/market.h"
#include "simulator/simulator.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "support/test_folder.h"

#define SEED 20261126
#define PULSE_NS (500 * OI_MILLISECOND)
/* One world's exchanges lose their temper at CUT_MS and some find it again at HEAL_MS. */
#define CUT_MS 1'200
#define HEAL_MS 1'400
#define RUN_MS 2'800
#define RUN_MS_MAX 12'000
/* Of each product: enough for several messages of subscriptions at most exchanges. */
#define MARKETS_MAX 12

#define MOODS "bybit=stream-repeat,okx=stream-swap,bitget=stream-garble"
static const char *const scripts[] = { MOODS, MOODS ",gate=stream-cut,kraken_futures=stream-mute",
                                       MOODS ",kraken_futures=stream-mute" };

/* A world and what was collected from it. */
struct run {
    struct oi_simulator *simulator;
    struct oi_http_client *client;
    struct oi_store *store;
    struct oi_streams *streams;
    struct oi_raw *raw;
    struct oi_store *replayed; /* made again from the raw files */
    struct oi_replay_report report;
    struct oi_streams_stats stats[32];
    OI_VECTOR(struct oi_instrument) markets;
    size_t of_product;
    char product[OI_NAME_SIZE];
};

struct world {
    struct oi_loop *loop;
    struct oi_timer *timer;
    int64_t begun_ns;
    size_t script;
    struct oi_virtual_clock clocks[2]; /* of the replays */
    struct run runs[2];                /* one in good mood, one in many */
    struct oi_catalogue catalogue;
};

static enum oi_status
add_market(void *context, const struct oi_instrument *found, struct oi_error *)
{
    struct run *run = context;

    if (strcmp(run->product, found->product) != 0) {
        memcpy(run->product, found->product, OI_NAME_SIZE);
        run->of_product = 0;
    }
    if (run->of_product++ < MARKETS_MAX)
        oi_vector_push(&run->markets, *found);
    return OI_OK;
}

static void
open_run(struct world *world, struct run *run, const char *folder, const char *script)
{
    const struct oi_simulator_options simulator = { .seed = SEED,
                                                    .moods = script,
                                                    .pulse_ns = PULSE_NS };
    const struct oi_store_options store = { .engine = &oi_kv_memory };
    struct oi_streams_options streams = { .clock = &oi_clock_system,
                                          .loop = world->loop,
                                          .seed = SEED,
                                          .interval_ms = PULSE_NS / OI_MILLISECOND };
    struct oi_http_client_options client = {};
    char origin[64], raw_folder[600];
    const struct oi_raw_options raw = { .folder = raw_folder, .clock = &oi_clock_system };

    assert_ok(oi_simulator_open(&simulator, &run->simulator, NULL));
    (void) snprintf(origin, sizeof(origin), "http://127.0.0.1:%u",
                    oi_simulator_port(run->simulator));
    client.redirect_to = origin;
    client.connections_max = 100;
    assert_ok(oi_http_client_new(world->loop, &client, &run->client, NULL));
    assert_ok(oi_store_open(folder, &store, &run->store, NULL));
    streams.store = run->store;
    for (size_t i = 0; oi_exchanges[i]; i++)
        if (oi_exchanges[i]->stream_count > 0)
            assert_ok(oi_simulator_instruments(SEED, oi_exchanges[i]->name,
                                               oi_clock_system.wall_ns(&oi_clock_system),
                                               add_market, run, NULL));
    assert_ok(
        oi_store_define(run->store, run->markets.items, run->markets.count, NULL, NULL, NULL));
    (void) snprintf(raw_folder, sizeof(raw_folder), "%s-raw", folder);
    assert_ok(oi_raw_open(&raw, &run->raw, NULL));
    streams.raw = run->raw;
    assert_ok(oi_streams_open(&streams, &run->streams, NULL));
    for (size_t i = 0; oi_exchanges[i]; i++)
        oi_streams_add(run->streams, oi_exchanges[i], run->client);
}

static const struct oi_streams_stats *
stats_of(struct run *run, const struct oi_exchange *exchange)
{
    for (size_t i = 0; oi_exchanges[i]; i++) {
        if (oi_exchanges[i] != exchange)
            continue;
        if (run->streams)
            oi_streams_stats(run->streams, exchange, &run->stats[i]);
        return &run->stats[i];
    }
    return NULL;
}

static void
on_time(void *context)
{
    struct world *world = context;
    struct run *moody = &world->runs[1];
    const struct oi_streams_stats *gate = stats_of(moody, &oi_exchange_gate);
    int64_t ms =
        (oi_clock_system.monotonic_ns(&oi_clock_system) - world->begun_ns) / OI_MILLISECOND;
    size_t script = ms < CUT_MS ? 0 : ms < HEAL_MS ? 1 : 2;

    /* The cut lasts until it was felt. */
    if (script == 2 && gate->ends == 0)
        script = 1;
    if (script != world->script)
        assert_ok(oi_simulator_set_moods(oi_simulator_world_of(moody->simulator),
                                         oi_slice_of(scripts[script]), NULL));
    world->script = script;
    if ((ms >= RUN_MS && gate->ends > 0 && gate->open == gate->links) || ms >= RUN_MS_MAX)
        oi_loop_stop(world->loop);
}

/* Both worlds at once, for a few seconds; what is left are the stores. */
/* What was kept of a run, into a store of its own that knows the same markets. */
static void
replay_run(struct run *run, const char *folder, struct oi_virtual_clock *clock)
{
    const struct oi_replay_options options = { .clock = clock };
    const struct oi_store_options store = { .engine = &oi_kv_memory, .clock = &clock->clock };
    struct oi_replay *replay = NULL;
    struct oi_buffer bytes = {};
    char path[1300];
    struct dirent **names;
    int count;

    oi_raw_close(&run->raw);
    (void) snprintf(path, sizeof(path), "%s-replayed", folder);
    assert_ok(oi_store_open(path, &store, &run->replayed, NULL));
    assert_ok(
        oi_store_define(run->replayed, run->markets.items, run->markets.count, NULL, NULL, NULL));
    oi_vector_release(&run->markets);
    assert_ok(oi_replay_open(&options, run->replayed, &replay, NULL));
    (void) snprintf(path, sizeof(path), "%s-raw", folder);
    count = scandir(path, &names, NULL, alphasort);
    assert_true(count > 2);
    for (int i = 0; i < count; i++) {
        FILE *file;
        size_t size;

        (void) snprintf(path, sizeof(path), "%s-raw/%s", folder, names[i]->d_name);
        free(names[i]);
        file = path[strlen(path) - 1] == '.' ? NULL : fopen(path, "rbe");
        if (!file)
            continue;
        oi_buffer_clear(&bytes);
        do {
            size = fread(oi_buffer_reserve(&bytes, 65'536), 1, 65'536, file);
            bytes.size += size;
        } while (size > 0);
        assert_int_equal(fclose(file), 0);
        assert_ok(oi_replay_file(replay, oi_buffer_slice(&bytes), NULL));
    }
    free(names);
    oi_buffer_release(&bytes);
    oi_replay_close(&replay, &run->report);
}

static int
set_up(void **state)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    char path[2][512];
    void *folder = NULL;

    assert_int_equal(test_folder_setup(&folder), 0);
    assert_ok(oi_loop_new(&world->loop, NULL));
    for (size_t i = 0; i < 2; i++) {
        (void) snprintf(path[i], sizeof(path[i]), "%s/%zu", (const char *) folder, i);
        oi_virtual_clock_init(&world->clocks[i], oi_clock_system.wall_ns(&oi_clock_system));
        open_run(world, &world->runs[i], path[i], i == 0 ? "" : scripts[0]);
    }
    world->timer = oi_timer_new(world->loop, on_time, world);
    world->begun_ns = oi_clock_system.monotonic_ns(&oi_clock_system);
    oi_timer_start(world->timer, 50, 50);
    oi_loop_run(world->loop);
    for (size_t i = 0; i < 2; i++) {
        struct run *run = &world->runs[i];

        for (size_t j = 0; oi_exchanges[j]; j++)
            oi_streams_stats(run->streams, oi_exchanges[j], &run->stats[j]);
        oi_streams_close(&run->streams);
        oi_http_client_free(&run->client);
        replay_run(run, path[i], &world->clocks[i]);
    }
    oi_timer_free(&world->timer);
    oi_loop_free(&world->loop);
    oi_catalogue_build(&world->catalogue, oi_clock_system.wall_ns(&oi_clock_system));
    assert_int_equal(test_folder_teardown(&folder), 0);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < 2; i++) {
        oi_simulator_close(&world->runs[i].simulator);
        oi_store_close(&world->runs[i].store);
        oi_store_close(&world->runs[i].replayed);
    }
    oi_catalogue_release(&world->catalogue);
    oi_free(world);
    return 0;
}

/* What was stored of a market, against what its exchange showed. */
struct check {
    const struct oi_market *market;
    bool has_times; /* the exchange stamps its messages */
    bool is_whole;  /* every change must be there */
    oi_time last;   /* the last row's */
    struct oi_decimal figure;
    size_t rows;
};

static void
figure_at(const struct oi_market *market, oi_time time, struct oi_decimal *ret_figure)
{
    struct oi_figures figures;

    oi_market_pulse(SEED, market, time, PULSE_NS, &figures);
    *ret_figure = figures.open_interest;
}

/* Between two rows nothing else was to be had. */
static void
check_between(const struct check *check, oi_time time)
{
    for (oi_time at = check->last + PULSE_NS; at < time; at += PULSE_NS) {
        struct oi_decimal figure;

        figure_at(check->market, at, &figure);
        if (oi_decimal_compare(&figure, &check->figure) != 0)
            fail_msg("%s %s: a change %lld ms behind a row was lost",
                     oi_venue_name(check->market->venue), check->market->symbol,
                     (long long) ((at - check->last) / OI_MILLISECOND));
    }
}

static void
check_row(struct check *check, oi_time time, const struct oi_decimal *stored)
{
    struct oi_decimal shown;
    oi_time at = check->has_times ? time : oi_interval_floor(PULSE_NS, time);
    bool is_right = false;

    if (check->has_times)
        assert_int_equal(time % PULSE_NS, 0);
    if (check->rows > 0)
        assert_true(time > check->last);
    /* Without a stamp it may have come a little later than it was shown. */
    for (int back = 0; back < (check->has_times ? 1 : 6) && !is_right; back++) {
        figure_at(check->market, at - back * PULSE_NS, &shown);
        is_right = oi_decimal_compare(&shown, stored) == 0;
    }
    if (!is_right)
        fail_msg("%s %s: a figure that was never shown", oi_venue_name(check->market->venue),
                 check->market->symbol);
    if (check->rows > 0) {
        assert_int_not_equal(oi_decimal_compare(stored, &check->figure), 0);
        if (check->is_whole && check->has_times)
            check_between(check, time);
    }
    check->last = time;
    check->figure = *stored;
    check->rows++;
}

static size_t
check_market(struct run *run, const struct oi_catalog *catalog, uint32_t instrument,
             struct check *check)
{
    for (uint32_t i = catalog->first_series[instrument - 1]; i < catalog->first_series[instrument];
         i++) {
        const struct oi_scan_request request = { .series = catalog->series_of[i],
                                                 .span = OI_SPAN_ALL,
                                                 .moment = OI_MOMENT_LATEST,
                                                 .columns = OI_COLUMN_OPEN_INTEREST };
        struct oi_scan *scan = NULL;
        const struct oi_columns *columns;

        assert_ok(oi_store_scan(run->store, &request, &scan, NULL));
        for (;;) {
            assert_ok(oi_scan_next(scan, &columns, NULL));
            if (!columns)
                break;
            for (size_t row = 0; row < columns->count; row++) {
                const struct oi_observation reading = oi_columns_get(columns, row);

                check_row(check, reading.time, &reading.open_interest);
            }
        }
        oi_scan_close(&scan);
    }
    return check->rows;
}

/* Check all markets of an exchange; the rows of its liveliest one and the latest row of all. */
static size_t
check_exchange(struct world *world, size_t number, const struct oi_exchange *exchange,
               bool is_whole, oi_time *ret_last)
{
    struct run *run = &world->runs[number];
    const struct oi_catalog *catalog = oi_store_catalog(run->store);
    size_t most = 0;
    enum oi_venue venue;

    *ret_last = OI_TIME_NONE;
    assert_true(oi_venue_find(oi_slice_of(exchange->name), &venue));
    for (size_t i = 0; i < catalog->instrument_count; i++) {
        struct check check = { .has_times = exchange != &oi_exchange_hyperliquid,
                               .is_whole = is_whole };
        size_t rows;

        if (strcmp(catalog->instruments[i].exchange, exchange->name) != 0)
            continue;
        check.market = oi_catalogue_find(&world->catalogue, venue,
                                         oi_slice_of(catalog->instruments[i].symbol));
        if (!check.market)
            continue;
        rows = check_market(run, catalog, catalog->instruments[i].id, &check);
        most = rows > most ? rows : most;
        if (rows > 0 && check.last > *ret_last)
            *ret_last = check.last;
    }
    oi_catalog_unref(&catalog);
    return most;
}

static void
every_change_that_was_pushed_is_stored_exactly_once(void **state)
{
    struct world *world = *state;
    size_t streaming = 0;

    for (size_t i = 0; oi_exchanges[i]; i++) {
        const struct oi_streams_stats *stats = &world->runs[0].stats[i];
        oi_time last;
        size_t most;

        if (oi_exchanges[i]->stream_count == 0)
            continue;
        streaming++;
        most = check_exchange(world, 0, oi_exchanges[i], true, &last);
        print_message("%s: %zu markets, %llu messages, %llu rows\n", oi_exchanges[i]->name,
                      stats->markets, (unsigned long long) stats->of.messages,
                      (unsigned long long) stats->of.rows);
        assert_in_range(most, 3, 100);
        assert_true(stats->links > 0);
        assert_int_equal(stats->open, stats->links);
        assert_int_equal(stats->of.faults + stats->of.skips + stats->of.refused + stats->of.late,
                         0);
        assert_int_equal(stats->ends, 0);
        assert_int_equal(oi_simulator_violations(oi_simulator_world_of(world->runs[0].simulator),
                                                 oi_exchanges[i]->name),
                         0);
    }
    assert_in_range(streaming, 8, 100);
}

static void
whatever_mood_it_is_in_only_what_it_showed_is_stored(void **state)
{
    struct world *world = *state;
    struct run *run = &world->runs[1];
    oi_time last;

    for (size_t i = 0; oi_exchanges[i]; i++) {
        bool is_broken =
            oi_exchanges[i] == &oi_exchange_gate || oi_exchanges[i] == &oi_exchange_kraken_futures;

        if (oi_exchanges[i]->stream_count > 0)
            assert_in_range(check_exchange(world, 1, oi_exchanges[i], !is_broken, &last), 1, 100);
    }
    /* Older messages were seen as such, and nonsense cost nothing but itself. */
    assert_true(stats_of(run, &oi_exchange_okx)->of.late > 0);
    assert_true(stats_of(run, &oi_exchange_bitget)->of.faults > 0);
    assert_int_equal(stats_of(run, &oi_exchange_bitget)->ends, 0);
}

static void
a_connection_that_was_cut_is_made_again(void **state)
{
    struct world *world = *state;
    const struct oi_streams_stats *stats = stats_of(&world->runs[1], &oi_exchange_gate);

    assert_true(stats->ends > 0);
    assert_true(stats->connects > stats->links);
    assert_int_equal(stats->open, stats->links);
}

static const struct oi_columns *
next_block(struct oi_scan *scan)
{
    const struct oi_columns *columns;

    assert_ok(oi_scan_next(scan, &columns, NULL));
    return columns;
}

static void
assert_replayed(struct run *run, uint32_t series, size_t *rows)
{
    const struct oi_scan_request request = {
        .series = series, .span = OI_SPAN_ALL, .moment = OI_MOMENT_LATEST, .columns = OI_COLUMNS_ALL
    };
    const struct oi_columns *first, *second;
    struct oi_scan *scans[2] = {};

    assert_ok(oi_store_scan(run->store, &request, &scans[0], NULL));
    assert_ok(oi_store_scan(run->replayed, &request, &scans[1], NULL));
    do {
        first = next_block(scans[0]);
        second = next_block(scans[1]);
        assert_int_equal(first ? first->count : 0, second ? second->count : 0);
        for (size_t i = 0; first && second && i < first->count; i++, ++*rows) {
            const struct oi_observation a = oi_columns_get(first, i), b = oi_columns_get(second, i);

            assert_int_equal(a.time, b.time);
            assert_int_equal(a.exchange_time, b.exchange_time);
            assert_int_equal(a.known_time, b.known_time);
            assert_int_equal(a.flags, b.flags);
            assert_true(oi_decimal_equal(&a.open_interest, &b.open_interest));
            assert_true(oi_decimal_equal(&a.mark_price, &b.mark_price));
            assert_true(oi_decimal_equal(&a.value_usd, &b.value_usd));
        }
    } while (first || second);
    oi_scan_close(&scans[0]);
    oi_scan_close(&scans[1]);
}

static void
what_was_kept_of_the_messages_makes_the_same_store(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < 2; i++) {
        struct run *run = &world->runs[i];
        const struct oi_catalog *catalog = oi_store_catalog(run->store);
        const struct oi_catalog *again = oi_store_catalog(run->replayed);
        size_t rows = 0;

        assert_int_equal(run->report.unmatched + run->report.damaged + run->report.torn, 0);
        assert_int_equal(catalog->series_count, again->series_count);
        for (uint32_t id = 1; id <= catalog->series_count; id++) {
            assert_int_equal(catalog->series[id - 1].instrument, again->series[id - 1].instrument);
            assert_replayed(run, id, &rows);
        }
        assert_true(rows > 100);
        assert_int_equal(rows, run->report.rows);
        oi_catalog_unref(&catalog);
        oi_catalog_unref(&again);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_that_was_pushed_is_stored_exactly_once),
        cmocka_unit_test(whatever_mood_it_is_in_only_what_it_showed_is_stored),
        cmocka_unit_test(what_was_kept_of_the_messages_makes_the_same_store),
        cmocka_unit_test(a_connection_that_was_cut_is_made_again),
    };
    return cmocka_run_group_tests_name("contract/collector_stream", tests, set_up, tear_down);
}
