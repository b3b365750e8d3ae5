/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that end anywhere, over random streams: their log is the replay's, event for event. Time,
 * the commits and the ends come from a seed.
 */
#include "alerts/alert_run.h"

#include "alerts/alert_text.h"
#include "base/log.h"
#include "base/random.h"

#include "support/test.h"
#include "support/test_store.h"

#include <string.h>

#define MARKETS 4
#define SETTLE_NS (5 * OI_SECOND)

static const char *const rules_text[] = {
    "level when=level coin=BTC above=1050 rearm=1010 cooldown=4m",
    "held when=level market=example:linear:MARKET1 below=1000 for=3m",
    "change when=change over=10m coin=BTC above=3%",
    "fall when=change over=7m coin=BTC below=-20",
    "score when=zscore over=30m coin=BTC above=2.5",
    "regime when=regime over=5m coin=BTC regime=long_build_up,short_covering moves=0.5%",
    "total when=level total=true coin=BTC above=4100 for=1m",
    "totalchange when=change total=true over=15m coin=BTC above=1%",
    "usd when=level coin=BTC unit=usd above=105000",
    "silent when=freshness longer=4m coin=BTC",
    "share when=share of=example coin=BTC above=99%",
    "gap when=gap coin=BTC",
};

struct bench {
    struct test_store store;
    struct oi_names *names;
    struct oi_convention_book book;
    struct oi_source source;
    struct oi_alert_rules rules;
    struct oi_alert_log *log;
    struct oi_alert_run *run;
    uint32_t series[MARKETS][2]; /* live, stream */
    int64_t values[MARKETS];
    struct oi_random random;
    OI_VECTOR(struct oi_alert_row) heard;
    oi_time began;
};

static void
committed(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct bench *bench = context;

    for (size_t i = 0; i < count; i++)
        oi_vector_push(&bench->heard, ((struct oi_alert_row){ batch, rows[i] }));
}

static void
add_series(struct bench *bench)
{
    static const char *const feeds[] = { "live", "stream" };

    for (size_t f = 0; f < 2; f++) {
        struct oi_feed feed = { .unit = OI_UNIT_COINS, .sides = 1, .cadence_ns = OI_MINUTE };
        uint16_t id = 0;

        (void) snprintf(feed.name, sizeof(feed.name), "%s", feeds[f]);
        assert_ok(oi_store_feed(bench->store.store, &feed, &id, NULL));
        for (size_t i = 0; i < MARKETS; i++)
            assert_ok(oi_store_series(bench->store.store, (uint32_t) i + 1, id,
                                      &bench->series[i][f], NULL));
    }
}

static void
begin(struct bench *bench, const char *folder, const char *name, uint64_t seed)
{
    struct oi_instrument definitions[MARKETS];
    struct oi_error error = {};

    memset(bench, 0, sizeof(*bench));
    oi_random_init(&bench->random, seed);
    oi_virtual_clock_init(&bench->store.clock, TEST_START);
    bench->store.options = (struct oi_store_options){ .clock = &bench->store.clock.clock,
                                                      .map_size = (size_t) 64 << 20,
                                                      .chunk_rows = 50 };
    (void) snprintf(bench->store.path, sizeof(bench->store.path), "%s/%s", folder, name);
    test_store_open(&bench->store);
    for (int i = 0; i < MARKETS; i++) {
        char symbol[16];

        (void) snprintf(symbol, sizeof(symbol), "MARKET%d", i);
        definitions[i] = test_store_instrument(symbol);
        definitions[i].contract_size = oi_decimal_from(1, 0);
        bench->values[i] = 1000;
    }
    assert_ok(oi_store_define(bench->store.store, definitions, MARKETS, NULL, NULL, NULL));
    add_series(bench);
    bench->names = oi_names_new();
    bench->source = (struct oi_source){ .store = bench->store.store,
                                        .conventions = &bench->book,
                                        .clock = &bench->store.clock.clock,
                                        .names = bench->names };
    for (size_t i = 0; i < OI_COUNT(rules_text); i++)
        if (oi_alert_rules_add(&bench->rules, oi_slice_of(rules_text[i]), "here", &error) != OI_OK)
            fail_msg("%s", error.message);
    assert_ok(oi_alert_log_open(bench->store.path, false, &bench->log, NULL));
    oi_store_watch(bench->store.store, &(struct oi_watcher){ committed, bench });
}

static void
end(struct bench *bench)
{
    oi_alert_run_free(&bench->run);
    oi_alert_log_close(&bench->log);
    oi_alert_rules_release(&bench->rules);
    oi_store_unwatch(bench->store.store, &(struct oi_watcher){ committed, bench });
    oi_names_free(&bench->names);
    test_store_close(&bench->store);
    oi_vector_release(&bench->heard);
}

static oi_time
now(const struct bench *bench)
{
    return bench->store.clock.clock.wall_ns(&bench->store.clock.clock);
}

static void
start_run(struct bench *bench)
{
    struct oi_error error = {};

    if (oi_alert_run_new(&bench->source, &bench->rules, bench->log, now(bench), &bench->run,
                         &error) != OI_OK)
        fail_msg("%s", error.message);
    if (bench->began == 0)
        bench->began = now(bench);
}

/* Some rows of some markets in one commit: mostly of now, some late, some twice. */
static void
append(struct bench *bench)
{
    struct oi_row rows[MARKETS * 2];
    size_t count = 0;

    for (size_t i = 0; i < MARKETS; i++) {
        uint64_t what = oi_random_below(&bench->random, 10);
        oi_time time = what < 6 ? oi_interval_floor(OI_MINUTE, now(bench))
                                : now(bench) - (int64_t) oi_random_below(&bench->random, 30) *
                                                   (what == 9 ? OI_MINUTE : OI_SECOND);
        struct oi_row row;

        if (oi_random_below(&bench->random, 3) == 0)
            continue;
        bench->values[i] += (int64_t) oi_random_below(&bench->random, 31) - 15;
        row = test_store_row(bench->series[i][what >= 6], time, bench->values[i]);
        row.reading.mark_price =
            oi_decimal_from(95 + (int64_t) oi_random_below(&bench->random, 10), 0);
        rows[count++] = row;
    }
    if (count > 0)
        (void) test_store_append(&bench->store, rows, count);
}

static void
judge(struct bench *bench)
{
    assert_ok(oi_alert_run_hear(bench->run, bench->heard.items, bench->heard.count, NULL));
    oi_vector_clear(&bench->heard);
    assert_ok(oi_alert_run_advance(bench->run, now(bench) - SETTLE_NS, NULL));
    if (oi_random_below(&bench->random, 3) == 0)
        assert_ok(oi_alert_run_commit(bench->run, NULL));
}

/* An end without a farewell, or with one; then a while with nobody there. */
static void
restart(struct bench *bench)
{
    if (oi_random_below(&bench->random, 2) == 0)
        assert_ok(oi_alert_run_commit(bench->run, NULL));
    oi_alert_run_free(&bench->run);
    for (uint64_t i = oi_random_below(&bench->random, 20); i > 0; i--) {
        oi_virtual_clock_advance(&bench->store.clock,
                                 (int64_t) oi_random_below(&bench->random, 60) * OI_SECOND);
        append(bench);
    }
    if (oi_random_below(&bench->random, 2) == 0)
        test_store_checkpoint(&bench->store);
    oi_vector_clear(&bench->heard);
    start_run(bench);
}

static void
note(void *context, const struct oi_alert_event *event)
{
    struct oi_buffer *text = context;

    oi_alert_write(event, text);
    oi_buffer_add_char(text, '\n');
}

/* Every event of the log, as text. */
static void
write_log(struct bench *bench, struct oi_buffer *out)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_result *result = NULL;
    const struct oi_block *block = NULL;

    query.kind = OI_QUERY_ALERTS;
    assert_ok(oi_alert_log_ask(bench->log, &query, &result, NULL));
    assert_ok(oi_result_next(result, &block, NULL));
    for (size_t i = 0; block && i < block->count; i++) {
        const struct oi_alert *alert = &block->alerts[i];

        assert_int_equal(alert->sequence, i + 1);
        oi_buffer_add_format(out, "%s %s %s %s %lld\n", alert->id, alert->rule, alert->market,
                             alert->is_resolved ? "-" : "+", (long long) alert->at);
    }
    oi_result_close(&result);
}

static void
note_short(void *context, const struct oi_alert_event *event)
{
    oi_buffer_add_format(context, "%s %s %s %s %lld\n", event->id, event->rule->name, event->market,
                         event->is_resolved ? "-" : "+", (long long) event->at);
}

static void
replay(struct bench *bench, oi_time to, bool has_past,
       void (*emit)(void *context, const struct oi_alert_event *event), struct oi_buffer *out)
{
    const struct oi_alert_history history = { .source = &bench->source,
                                              .rules = &bench->rules,
                                              .from = bench->began,
                                              .to = to,
                                              .has_past = has_past,
                                              .emit = emit,
                                              .context = out };

    assert_ok(oi_alert_history_run(&history, NULL));
    oi_buffer_add_char(out, '\0');
}

static void
play(struct bench *bench, int steps)
{
    for (int i = 0; i < steps; i++) {
        bool is_long = oi_random_below(&bench->random, 40) == 0;

        oi_virtual_clock_advance(&bench->store.clock,
                                 (int64_t) (1 + oi_random_below(&bench->random, 40)) *
                                     (is_long ? OI_MINUTE / 2 : OI_SECOND));
        append(bench);
        if (!bench->run)
            continue;
        judge(bench);
        if (oi_random_below(&bench->random, 60) == 0)
            restart(bench);
    }
}

static void
a_live_log_is_the_replay_whatever_ends_in_between(void **state)
{
    const uint64_t seed = 20261127;

    print_message("seed %llu\n", (unsigned long long) seed);
    for (uint64_t round = 0; round < 4; round++) {
        struct oi_buffer live = {}, again = {};
        struct bench bench;
        char name[16];
        size_t events = 0;

        (void) snprintf(name, sizeof(name), "round%llu", (unsigned long long) round);
        begin(&bench, *state, name, seed + round);
        play(&bench, 100); /* a past, unjudged */
        oi_vector_clear(&bench.heard);
        start_run(&bench);
        play(&bench, 400);
        /* To a minute that is settled. */
        oi_virtual_clock_advance(&bench.store.clock, OI_MINUTE);
        judge(&bench);
        assert_ok(oi_alert_run_commit(bench.run, NULL));
        write_log(&bench, &live);
        oi_buffer_add_char(&live, '\0');
        replay(&bench, now(&bench) - SETTLE_NS + 1, false, note_short, &again);
        for (size_t i = 0; i < live.size; i++)
            events += live.data[i] == '\n';
        print_message("round %llu: %zu events\n", (unsigned long long) round, events);
        assert_true(events > 50);
        assert_string_equal(live.data, again.data);
        oi_buffer_release(&live);
        oi_buffer_release(&again);
        end(&bench);
    }
}

/* Its definition was there before the run, which did not know of it then. */
static void
a_market_is_watched_from_its_first_reading_on(void **state)
{
    struct oi_instrument definition = test_store_instrument("LATE");
    const struct oi_feed live = {
        .name = "live", .unit = OI_UNIT_COINS, .sides = 1, .cadence_ns = OI_MINUTE
    };
    struct oi_buffer told = {};
    struct bench bench;
    struct oi_row row;
    uint32_t id, series;
    uint16_t feed;

    begin(&bench, *state, "late", 1);
    definition.is_provisional = true;
    assert_ok(oi_store_define(bench.store.store, &definition, 1, &id, NULL, NULL));
    assert_ok(oi_store_feed(bench.store.store, &live, &feed, NULL));
    assert_ok(oi_store_series(bench.store.store, id, feed, &series, NULL));
    start_run(&bench);
    oi_virtual_clock_advance(&bench.store.clock, OI_MINUTE);
    row = test_store_row(series, now(&bench), 2000);
    (void) test_store_append(&bench.store, &row, 1);
    judge(&bench);
    assert_ok(oi_alert_run_commit(bench.run, NULL));
    write_log(&bench, &told);
    oi_buffer_add_char(&told, '\0');
    assert_non_null(strstr(told.data, "LATE"));
    oi_buffer_release(&told);
    end(&bench);
}

static void
every_kind_of_rule_fires_in_such_a_stream(void **state)
{
    struct oi_buffer told = {};
    struct bench bench;

    begin(&bench, *state, "kinds", 7);
    play(&bench, 1500);
    bench.began = TEST_START;
    replay(&bench, now(&bench), true, note, &told);
    for (size_t i = 0; i < OI_COUNT(rules_text); i++) {
        char name[32];
        struct oi_slice rest = oi_slice_of(rules_text[i]), word;

        (void) oi_slice_next_part(&rest, ' ', &word);
        (void) snprintf(name, sizeof(name), "\"rule\":\"%.*s\"", OI_SLICE_ARGS(word));
        if (!strstr(told.data, name))
            fail_msg("never: %s", name);
    }
    oi_buffer_release(&told);
    end(&bench);
}

static void
a_rule_that_means_something_else_begins_anew(void **state)
{
    struct oi_alert_memory memory = {};
    struct bench bench;

    begin(&bench, *state, "changed", 11);
    start_run(&bench);
    play(&bench, 100);
    assert_ok(oi_alert_run_commit(bench.run, NULL));
    oi_alert_run_free(&bench.run);
    bench.rules.items.items[0].identity[0] ^= 1;
    oi_virtual_clock_advance(&bench.store.clock, OI_HOUR);
    start_run(&bench);
    assert_ok(oi_alert_log_load(bench.log, &memory, NULL));
    assert_int_equal(memory.rules.count, OI_COUNT(rules_text));
    for (size_t i = 0; i < memory.rules.count; i++)
        assert_int_equal(memory.rules.items[i].since,
                         strcmp(memory.rules.items[i].name, "level") == 0 ? now(&bench)
                                                                          : bench.began);
    oi_alert_memory_release(&memory);
    end(&bench);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_live_log_is_the_replay_whatever_ends_in_between),
        TEST(a_market_is_watched_from_its_first_reading_on),
        TEST(every_kind_of_rule_fires_in_such_a_stream),
        TEST(a_rule_that_means_something_else_begins_anew),
    };

    oi_log_set_level(OI_LOG_ERROR);
    return cmocka_run_group_tests_name("alerts/alert_run", tests, NULL, NULL);
}
