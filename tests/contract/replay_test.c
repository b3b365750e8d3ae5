/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stormy quarter of an hour of the simulated world is kept as raw replies and played again into a
 * new store: every row with every revision and instant, every gap, every instrument is the same.
 */
#include "base/log.h"
#include "collector/collector.h"
#include "collector/replay.h"
#include "simulator/simulator.h"
#include "support/test_store.h"

#include <dirent.h>
#include <stdlib.h>

#define SEED UINT64_C(7)
#define MINUTES 16

struct world {
    char *folder;
    struct test_store first, second;
    struct oi_simulator *simulator;
    char origin[64], raw[600];
    oi_time minute;
};

static void
open_store(struct world *world, struct test_store *store, const char *name)
{
    oi_virtual_clock_init(&store->clock, TEST_START + 50 * OI_MINUTE);
    store->options = (struct oi_store_options){ .clock = &store->clock.clock,
                                                .engine = &oi_kv_memory,
                                                .map_size = (size_t) 256 << 20 };
    (void) snprintf(store->path, sizeof(store->path), "%s/%s", world->folder, name);
    test_store_open(store);
}

static int
set_up(void **state)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    struct oi_simulator_options simulator = { .seed = SEED };

    oi_log_set_level(OI_LOG_ERROR);
    if (test_folder_setup((void **) &world->folder) != 0)
        return -1;
    open_store(world, &world->first, "first");
    open_store(world, &world->second, "second");
    world->minute = world->first.clock.now_ns;
    (void) snprintf(world->raw, sizeof(world->raw), "%s/raw", world->folder);
    simulator.clock = &world->first.clock.clock;
    assert_ok(oi_simulator_open(&simulator, &world->simulator, NULL));
    (void) snprintf(world->origin, sizeof(world->origin), "http://127.0.0.1:%u",
                    oi_simulator_port(world->simulator));
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    oi_simulator_close(&world->simulator);
    test_store_close(&world->first);
    test_store_close(&world->second);
    (void) test_folder_teardown((void **) &world->folder);
    oi_free(world);
    return 0;
}

/* A restart in the middle, an hour's border, and moods that make holes of every kind. */
static void
record(struct world *world)
{
    static const char *const storms[] = { "",
                                          "okx=418:120,bybit=html",
                                          "hyperliquid=truncate",
                                          "binance=503@5..40",
                                          "deribit=hang,bybit=429",
                                          "bybit=drop:BTCUSDT",
                                          "okx=451",
                                          "" };
    struct oi_collector_options options = { .seed = 1,
                                            .virtual_clock = &world->first.clock,
                                            .redirect_to = world->origin,
                                            .timeout_ms = 400,
                                            .raw_folder = world->raw };
    struct oi_collector *collector = NULL;

    for (int i = 0; i < MINUTES; i++) {
        if (i % 8 == 0) {
            oi_collector_close(&collector);
            assert_ok(oi_collector_open_stepped(&options, world->first.store, &collector, NULL));
        }
        assert_ok(oi_simulator_set_moods(oi_simulator_world_of(world->simulator),
                                         oi_slice_of(storms[i / 2 % 8]), NULL));
        assert_ok(oi_collector_poll_minute(collector, world->minute, NULL, NULL));
        world->minute += OI_MINUTE;
    }
    oi_collector_close(&collector);
}

static int
by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *) left, *(char *const *) right);
}

static struct oi_replay_report
replay(struct world *world)
{
    const struct oi_replay_options options = { .clock = &world->second.clock };
    struct oi_replay_report report = {};
    struct oi_replay *replay = NULL;
    OI_VECTOR(char *) names = {};
    DIR *folder = opendir(world->raw);
    const struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            oi_vector_push(&names, oi_copy_text(oi_slice_of(entry->d_name)));
    assert_int_equal(closedir(folder), 0);
    assert_true(names.count >= 3);
    qsort(names.items, names.count, sizeof(*names.items), by_name);
    assert_ok(oi_replay_open(&options, world->second.store, &replay, NULL));
    for (size_t i = 0; i < names.count; i++) {
        struct oi_buffer bytes = {};
        struct oi_error error = {};
        char path[1200], piece[4096];
        size_t size;
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/%s", world->raw, names.items[i]);
        file = fopen(path, "rbe");
        assert_non_null(file);
        while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
            oi_buffer_add(&bytes, piece, size);
        assert_int_equal(fclose(file), 0);
        if (oi_replay_file(replay, oi_buffer_slice(&bytes), &error) != OI_OK)
            fail_msg("%s", error.message);
        oi_buffer_release(&bytes);
        oi_free(names.items[i]);
    }
    oi_vector_release(&names);
    oi_replay_close(&replay, &report);
    return report;
}

/* A store as text: instruments, rows with all their revisions, gaps. */
static enum oi_status
write_gap(void *context, const struct oi_hole *hole)
{
    oi_buffer_add_format(context, "gap %lld %lld %s\n", (long long) hole->span.from,
                         (long long) hole->span.to, oi_hole_cause_name(hole->cause));
    return OI_OK;
}

static void
write_decimal(struct oi_buffer *out, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    oi_buffer_add_char(out, ' ');
    oi_buffer_add(out, text, oi_decimal_print(value, text));
}

static void
write_series(struct oi_store *store, uint32_t series, struct oi_buffer *out, size_t *rows)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .all_revisions = true };
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;

    assert_ok(oi_store_scan(store, &request, &scan, NULL));
    do {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        for (size_t i = 0; columns && i < columns->count; i++, ++*rows) {
            const struct oi_observation row = oi_columns_get(columns, i);

            oi_buffer_add_format(out, "row %lld %lld %lld %u", (long long) row.time,
                                 (long long) row.exchange_time, (long long) row.known_time,
                                 row.flags);
            write_decimal(out, &row.open_interest);
            write_decimal(out, &row.value_usd);
            write_decimal(out, &row.mark_price);
            write_decimal(out, &row.index_price);
            write_decimal(out, &row.last_price);
            oi_buffer_add_char(out, '\n');
        }
    } while (columns);
    oi_scan_close(&scan);
}

static void
write_store(struct world *world, struct test_store *test, struct oi_buffer *out, size_t *rows)
{
    const struct oi_catalog *catalog = oi_store_catalog(test->store);
    const struct oi_span span = { TEST_START + 50 * OI_MINUTE, world->minute };

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        oi_instrument_encode(&catalog->instruments[i], out);
        oi_buffer_add_char(out, '\n');
        assert_ok(oi_store_gaps(test->store, catalog->instruments[i].id, 1, OI_MINUTE, span,
                                OI_MOMENT_LATEST, write_gap, out, NULL));
    }
    for (uint32_t id = 1; id <= catalog->series_count; id++) {
        oi_buffer_add_format(out, "series %u of %u\n", id, catalog->series[id - 1].instrument);
        write_series(test->store, id, out, rows);
    }
    oi_catalog_unref(&catalog);
}

static void
a_replay_makes_the_store_that_was(void **state)
{
    struct world *world = *state;
    struct oi_buffer first = {}, second = {};
    size_t first_rows = 0, second_rows = 0, at = 0;
    struct oi_replay_report report;

    record(world);
    report = replay(world);
    assert_int_equal(report.unmatched + report.damaged + report.torn, 0);
    oi_virtual_clock_advance(&world->second.clock,
                             world->first.clock.now_ns - world->second.clock.now_ns);
    write_store(world, &world->first, &first, &first_rows);
    write_store(world, &world->second, &second, &second_rows);
    print_message("%llu records, %zu rows\n", (unsigned long long) report.records, first_rows);
    assert_true(first_rows > 5000);
    assert_int_equal(first_rows, second_rows);
    assert_int_equal(report.rows, first_rows);
    while (at < first.size && at < second.size && first.data[at] == second.data[at])
        at++;
    if (at < first.size || at < second.size)
        fail_msg("they differ at byte %zu of %zu and %zu:\n%.300s\n---\n%.300s", at, first.size,
                 second.size, first.data + (at > 100 ? at - 100 : 0),
                 second.data + (at > 100 ? at - 100 : 0));
    oi_buffer_release(&first);
    oi_buffer_release(&second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_replay_makes_the_store_that_was, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("contract/replay", tests, NULL, NULL);
}
