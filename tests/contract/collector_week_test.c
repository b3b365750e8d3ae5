/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector over a week of the simulated world in which every exchange has its moods, drawn
 * from a seed: refusals, bans, blocks, silence, broken pages, rows out of order, wrong clocks,
 * markets that vanish, are renamed or change their size. Whatever came and was sound is in the
 * store exactly once and to the digit, whatever did not come is a hole with the cause that it had,
 * and no published limit was passed.
 *
 * OI_TEST_MINUTES makes it longer (10080: a week) or shorter, OI_TEST_SEED another one. With
 * OI_SOAK_SECONDS it takes at least so long, keeps its store on disk as a server does, and watches
 * its own memory and descriptors, which must not grow.
 */
#include "base/log.h"
#include "base/random.h"
#include "collector/collector.h"
#include "exchanges/exchange.h"
#include "simulator/simulator.h"
#include "support/test_store.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

/* A slice of a day; the week is asked for. */
#define MINUTES_DEFAULT 240
#define SEED_DEFAULT UINT64_C(20'261'126)
#define WORLD_SEED UINT64_C(7)
/* An exchange is out of sorts at most once in so many minutes, and for so many at the most. The
 * longest pause that follows, of one that refuses us, is over before the next. */
#define BLOCK_MINUTES 60
#define MOOD_MINUTES_MAX 8
#define PAUSE_MINUTES 45
#define EXCHANGES_MAX 32
/* The store is tidied so often, in minutes. */
#define TIDY_MINUTES 10

/* What may befall an exchange, and what its holes are then called. */
static const struct mood {
    const char *text;
    enum oi_hole_cause cause;
    unsigned weight; /* how often it is drawn */
    bool is_sound;   /* everything is there, in another form */
} moods[] = {
    { "", OI_HOLE_NONE, 10, true },
    { "429", OI_HOLE_RATE_LIMITED, 2, false },
    { "429:40", OI_HOLE_RATE_LIMITED, 2, false },
    { "418:150", OI_HOLE_RATE_LIMITED, 2, false },
    { "503", OI_HOLE_RATE_LIMITED, 2, false },
    { "403", OI_HOLE_BLOCKED, 1, false },
    { "451", OI_HOLE_BLOCKED, 1, false },
    { "500", OI_HOLE_UNREACHABLE, 2, false },
    { "html", OI_HOLE_UNREACHABLE, 2, false },
    { "truncate", OI_HOLE_UNREACHABLE, 2, false },
    { "hang", OI_HOLE_UNREACHABLE, 1, false },
    { "502@2..9", OI_HOLE_UNREACHABLE, 2, false },
    { "shuffle", OI_HOLE_NONE, 4, true },
    { "digits", OI_HOLE_NONE, 4, true },
    { "skew:40", OI_HOLE_NONE, 2, true },
    { "skew:-40", OI_HOLE_NONE, 2, true },
};

/* What befalls a market for a block. Of them nothing is compared but that they are told of. */
static const struct change {
    const char *exchange, *symbol, *text;
} changes[] = {
    { "bybit", "DOGEUSDT", "drop:DOGEUSDT" },
    { "okx", "XRP-USDT-SWAP", "delist:XRP-USDT-SWAP" },
    { "binance", "ADAUSDT", "delist:ADAUSDT" },
    { "binance", "LTCUSDT", "rename:LTCUSDT>LITEUSDT" },
    { "okx", "SOL-USDT-SWAP", "resize:SOL-USDT-SWAP>10" },
    { "hyperliquid", "DOGE", "rename:DOGE>DOGGE" },
    { "gate", "BTC_USDT", "resize:BTC_USDT>100" },
    { "kucoin", "ETHUSDTM", "delist:ETHUSDTM" },
    { "deribit", "BTC-PERPETUAL", "drop:BTC-PERPETUAL" },
};

/* A minute of an exchange. */
struct record {
    uint8_t mood;    /* in force */
    uint8_t pending; /* the last unsound one, while a pause may still hold; 0: none */
    bool was_asked;
};

struct exchange {
    const struct oi_exchange *descriptor;
    unsigned from, to; /* minutes of the block that its mood holds */
    uint8_t mood;
    OI_VECTOR(struct record) records;
};

struct week {
    char *folder;
    struct test_store store;
    struct oi_simulator *simulator;
    struct oi_simulator_world *world;
    struct oi_collector *collector;
    struct oi_random random;
    struct exchange exchanges[EXCHANGES_MAX];
    size_t exchange_count;
    uint16_t live;
    long minutes, soak_seconds;
    size_t change; /* of the block */
    size_t rows, holes;
};

static long
number_of(const char *variable, long otherwise)
{
    const char *text = getenv(variable);

    return text ? strtol(text, NULL, 10) : otherwise;
}

static int
set_up(void **state)
{
    struct week *week = oi_alloc_zero(1, sizeof(*week));
    const struct oi_feed live = { .name = "live" };
    struct oi_simulator_options world = { .seed = WORLD_SEED };
    struct oi_collector_options options = { .seed = 1, .timeout_ms = 400 };
    char origin[64];

    oi_log_set_level(OI_LOG_ERROR);
    if (test_folder_setup((void **) &week->folder) != 0)
        return -1;
    week->minutes = number_of("OI_TEST_MINUTES", MINUTES_DEFAULT);
    week->soak_seconds = number_of("OI_SOAK_SECONDS", 0);
    oi_random_init(&week->random, (uint64_t) number_of("OI_TEST_SEED", SEED_DEFAULT));
    oi_virtual_clock_init(&week->store.clock, TEST_START);
    week->store.options = (struct oi_store_options){
        .clock = &week->store.clock.clock,
        .engine = week->soak_seconds > 0 ? NULL : &oi_kv_memory,
        .map_size = (size_t) 1 << 30,
    };
    (void) snprintf(week->store.path, sizeof(week->store.path), "%s/store", week->folder);
    test_store_open(&week->store);
    assert_ok(oi_store_feed(week->store.store, &live, &week->live, NULL));
    world.clock = &week->store.clock.clock;
    assert_ok(oi_simulator_open(&world, &week->simulator, NULL));
    week->world = oi_simulator_world_of(week->simulator);
    (void) snprintf(origin, sizeof(origin), "http://127.0.0.1:%u",
                    oi_simulator_port(week->simulator));
    options.virtual_clock = &week->store.clock;
    options.redirect_to = origin;
    assert_ok(oi_collector_open_stepped(&options, week->store.store, &week->collector, NULL));
    for (size_t i = 0; oi_exchanges[i]; i++)
        if (oi_exchanges[i]->endpoint_count > 0) {
            struct exchange *exchange = &week->exchanges[week->exchange_count++];

            exchange->descriptor = oi_exchanges[i];
            /* Now, so that a soak does not take it for growth. */
            oi_vector_reserve(&exchange->records, (size_t) week->minutes);
        }
    *state = week;
    return 0;
}

static int
tear_down(void **state)
{
    struct week *week = *state;

    oi_collector_close(&week->collector);
    oi_simulator_close(&week->simulator);
    test_store_close(&week->store);
    for (size_t i = 0; i < week->exchange_count; i++)
        oi_vector_release(&week->exchanges[i].records);
    (void) test_folder_teardown((void **) &week->folder);
    oi_free(week);
    return 0;
}

static uint8_t
draw_mood(struct week *week)
{
    uint64_t sum = 0, drawn;

    for (size_t i = 0; i < OI_COUNT(moods); i++)
        sum += moods[i].weight;
    drawn = oi_random_below(&week->random, sum);
    for (size_t i = 0; i < OI_COUNT(moods); i++) {
        if (drawn < moods[i].weight)
            return (uint8_t) i;
        drawn -= moods[i].weight;
    }
    return 0;
}

/* The first minutes are calm, so that everything is known. */
static void
begin_block(struct week *week, long minute)
{
    week->change = oi_random_below(&week->random, OI_COUNT(changes) + 1);
    for (size_t i = 0; i < week->exchange_count; i++) {
        struct exchange *exchange = &week->exchanges[i];

        exchange->mood = draw_mood(week);
        exchange->from = (minute == 0 ? 3 : 1) + (unsigned) oi_random_below(&week->random, 4);
        exchange->to =
            exchange->from + 1 + (unsigned) oi_random_below(&week->random, MOOD_MINUTES_MAX);
    }
}

/* Tell the world what holds in this minute of the block. */
static void
set_moods(struct week *week, unsigned place)
{
    struct oi_buffer script = {};

    if (week->change < OI_COUNT(changes))
        oi_buffer_add_format(&script, "%s=%s", changes[week->change].exchange,
                             changes[week->change].text);
    for (size_t i = 0; i < week->exchange_count; i++) {
        const struct exchange *exchange = &week->exchanges[i];

        if (exchange->mood == 0 || place < exchange->from || place >= exchange->to)
            continue;
        oi_buffer_add_format(&script, "%s%s=%s", script.size > 0 ? "," : "",
                             exchange->descriptor->name, moods[exchange->mood].text);
    }
    assert_ok(oi_simulator_set_moods(week->world, oi_buffer_slice(&script), NULL));
    oi_buffer_release(&script);
}

static void
poll_minute(struct week *week, long minute)
{
    unsigned place = (unsigned) (minute % BLOCK_MINUTES);
    uint64_t before[EXCHANGES_MAX] = {};
    struct oi_error error = {};

    if (place == 0)
        begin_block(week, minute);
    if (minute == 0)
        week->change = OI_COUNT(changes);
    set_moods(week, place);
    for (size_t i = 0; i < week->exchange_count; i++)
        before[i] = oi_simulator_requests(week->world, week->exchanges[i].descriptor->name);
    if (oi_collector_poll_minute(week->collector, TEST_START + minute * OI_MINUTE, NULL, &error) !=
        OI_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < week->exchange_count; i++) {
        struct exchange *exchange = &week->exchanges[i];

        if (oi_simulator_violations(week->world, exchange->descriptor->name) > 0)
            fail_msg(
                "%s has its limits broken in minute %ld, %u of its block, with mood %s from %u "
                "to %u",
                exchange->descriptor->name, minute, place, moods[exchange->mood].text,
                exchange->from, exchange->to);
    }
    for (size_t i = 0; i < week->exchange_count; i++) {
        struct exchange *exchange = &week->exchanges[i];
        bool is_moody = place >= exchange->from && place < exchange->to;
        bool is_unsound = !moods[exchange->mood].is_sound && place >= exchange->from &&
                          place < exchange->to + PAUSE_MINUTES;
        struct record record = {
            .mood = is_moody ? exchange->mood : 0,
            .pending = is_unsound ? exchange->mood : 0,
            .was_asked = oi_simulator_requests(week->world, exchange->descriptor->name) > before[i],
        };

        oi_vector_push(&exchange->records, record);
    }
}

/* What one instrument's minutes hold: a row, or a hole by its cause. */
#define HAS_ROW 0x80
#define HAS_NOTHING 0
struct minutes {
    uint8_t *items;
    size_t count;
};

static enum oi_status
note_gap(void *context, const struct oi_hole *hole)
{
    struct minutes *minutes = context;

    for (oi_time time = hole->span.from; time < hole->span.to; time += OI_MINUTE) {
        size_t place = (size_t) ((time - TEST_START) / OI_MINUTE);

        assert_true(place < minutes->count);
        assert_int_equal(minutes->items[place] & HAS_ROW, 0);
        minutes->items[place] = (uint8_t) hole->cause;
    }
    return OI_OK;
}

static int64_t
cadence_of(const struct oi_exchange *exchange, const char *product)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++)
        if (exchange->endpoints[i].kind == OI_TASK_CURRENT && exchange->endpoints[i].every_ns > 0 &&
            (!exchange->endpoints[i].product ||
             strcmp(exchange->endpoints[i].product, product) == 0))
            return exchange->endpoints[i].every_ns;
    return OI_MINUTE;
}

static bool
is_altered(const struct oi_instrument *instrument)
{
    for (size_t i = 0; i < OI_COUNT(changes); i++)
        if (strcmp(changes[i].exchange, instrument->exchange) == 0 &&
            (strcmp(changes[i].symbol, instrument->symbol) == 0 ||
             oi_slice_ends_with(oi_slice_of(changes[i].text), instrument->symbol)))
            return true;
    return false;
}

struct comparison {
    const struct oi_columns *columns;
    size_t next;
};

/* The model has a reading for each minute, the store for those that came. */
static enum oi_status
compare(void *context, const struct oi_observation *reading, struct oi_error *)
{
    struct comparison *comparison = context;
    const struct oi_columns *columns = comparison->columns;
    struct oi_observation row;

    if (comparison->next >= columns->count || columns->time[comparison->next] != reading->time)
        return OI_OK;
    row = oi_columns_get(columns, comparison->next++);
    if (!oi_decimal_equal(&row.open_interest, &reading->open_interest) ||
        (!oi_decimal_is_none(&row.mark_price) &&
         !oi_decimal_equal(&row.mark_price, &reading->mark_price)))
        return OI_E_CORRUPT;
    return OI_OK;
}

static void
note_rows(struct week *week, uint32_t id, const struct oi_instrument *instrument,
          struct minutes *minutes)
{
    struct oi_scan_request request = {
        .span = { TEST_START, TEST_START + week->minutes * OI_MINUTE },
        .moment = OI_MOMENT_LATEST,
        .columns = OI_COLUMNS_ALL,
    };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    struct comparison comparison = {};

    assert_ok(oi_store_series(week->store.store, id, week->live, &request.series, NULL));
    assert_ok(oi_store_scan(week->store.store, &request, &scan, NULL));
    while (oi_scan_next(scan, &comparison.columns, NULL) == OI_OK && comparison.columns) {
        const struct oi_columns *columns = comparison.columns;
        const struct oi_span block = { columns->time[0], columns->time[columns->count - 1] + 1 };

        for (size_t i = 0; i < columns->count; i++) {
            size_t place = (size_t) ((columns->time[i] - TEST_START) / OI_MINUTE);

            /* Exactly once, and of a whole minute. */
            assert_true(place < minutes->count);
            assert_int_equal(columns->time[i] % OI_MINUTE, 0);
            assert_int_equal(minutes->items[place], HAS_NOTHING);
            minutes->items[place] = HAS_ROW;
            week->rows++;
        }
        comparison.next = 0;
        if (is_altered(instrument))
            continue;
        if (oi_simulator_history(WORLD_SEED, instrument->exchange, instrument->symbol, block,
                                 OI_MINUTE, compare, &comparison, NULL) != OI_OK)
            fail_msg("%s %s: a row is not the world's", instrument->exchange, instrument->symbol);
        assert_int_equal(comparison.next, columns->count);
    }
}

static bool
is_asked_by_symbol(const struct oi_exchange *exchange, const char *product)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++)
        if (exchange->endpoints[i].kind == OI_TASK_CURRENT &&
            exchange->endpoints[i].scope == OI_SCOPE_SYMBOL &&
            strcmp(exchange->endpoints[i].product, product) == 0)
            return true;
    return false;
}

/* Is a row, or a hole of this cause, what must be there? */
static bool
is_right(const struct exchange *exchange, const struct oi_instrument *instrument, size_t place,
         uint8_t found)
{
    const struct record *record = &exchange->records.items[place];
    oi_time time = TEST_START + (oi_time) place * OI_MINUTE;

    if (found == HAS_ROW)
        return true;
    if (instrument->is_delisted ||
        (instrument->expiry != OI_TIME_NONE && time >= instrument->expiry))
        return found == OI_HOLE_DELISTED;
    if (instrument->listed != OI_TIME_NONE && time < instrument->listed)
        return found == OI_HOLE_NOT_LISTED;
    /* Told to be calm and asked: every figure came. A pause may end within a minute. */
    if (record->was_asked && moods[record->mood].is_sound &&
        !(record->pending && is_asked_by_symbol(exchange->descriptor, instrument->product)))
        return false;
    return record->pending != 0 && found == moods[record->pending].cause;
}

static void
check_instrument(struct week *week, uint32_t id, const struct oi_instrument *instrument,
                 struct minutes *minutes)
{
    const struct exchange *exchange = week->exchanges;
    const struct oi_span span = { TEST_START, TEST_START + week->minutes * OI_MINUTE };
    int64_t cadence;

    while (strcmp(exchange->descriptor->name, instrument->exchange) != 0)
        exchange++;
    cadence = cadence_of(exchange->descriptor, instrument->product);
    memset(minutes->items, HAS_NOTHING, minutes->count);
    note_rows(week, id, instrument, minutes);
    assert_ok(oi_store_gaps(week->store.store, id, week->live, cadence, span, OI_MOMENT_LATEST,
                            note_gap, minutes, NULL));
    for (size_t place = 0; place < minutes->count; place += (size_t) (cadence / OI_MINUTE)) {
        uint8_t found = minutes->items[place];

        /* An interval that is not over is not judged. */
        if (place + (size_t) (cadence / OI_MINUTE) > minutes->count)
            break;
        if (found == HAS_NOTHING)
            fail_msg("%s %s minute %zu: neither a row nor a hole", instrument->exchange,
                     instrument->symbol, place);
        week->holes += found != HAS_ROW;
        if (!is_altered(instrument) && !is_right(exchange, instrument, place, found))
            fail_msg("%s %s minute %zu: %s while \"%s\" (pending \"%s\"), %s", instrument->exchange,
                     instrument->symbol, place, oi_hole_cause_name((enum oi_hole_cause) found),
                     moods[exchange->records.items[place].mood].text,
                     moods[exchange->records.items[place].pending].text,
                     exchange->records.items[place].was_asked ? "asked" : "not asked");
    }
}

static void
check_everything(struct week *week)
{
    const struct oi_catalog *catalog = oi_store_catalog(week->store.store);
    struct minutes minutes = { .count = (size_t) week->minutes };
    oi_time end = TEST_START + week->minutes * OI_MINUTE;

    if (end > week->store.clock.now_ns)
        oi_virtual_clock_advance(&week->store.clock, end - week->store.clock.now_ns);
    minutes.items = oi_alloc_zero(minutes.count, 1);
    assert_true(catalog->instrument_count > 900);
    for (uint32_t id = 1; id <= catalog->instrument_count; id++)
        check_instrument(week, id, &catalog->instruments[id - 1], &minutes);
    print_message("%zu instruments, %zu rows, %zu holes\n", (size_t) catalog->instrument_count,
                  week->rows, week->holes);
    oi_free(minutes.items);
    oi_catalog_unref(&catalog);
}

/*
 * Memory and descriptors of this process: the collector's and the simulator's.
 */

static long
anonymous_kib(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    long kib = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    (void) fclose(file);
    return kib;
}

static long
count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    long count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    (void) closedir(folder);
    return count;
}

static int64_t
monotonic_ns(void)
{
    return oi_clock_system.monotonic_ns(&oi_clock_system);
}

/* The soak's watch: samples each six hours, and a pace that makes it last. */
struct soak {
    int64_t begun_ns;
    long first_kib, last_kib, most_kib, first_descriptors, last_descriptors;
};

static void
watch(struct week *week, struct soak *soak, long minute)
{
    int64_t due_ns = soak->begun_ns + week->soak_seconds * OI_SECOND / week->minutes * minute;
    int64_t ahead_ns = due_ns - monotonic_ns();

    if (ahead_ns > 0) {
        const struct timespec pause = { ahead_ns / OI_SECOND, ahead_ns % OI_SECOND };

        (void) nanosleep(&pause, NULL);
    }
    if (minute % 360 != 0)
        return;
    soak->last_kib = anonymous_kib();
    soak->last_descriptors = count_descriptors();
    print_message("%3ld h: RssAnon %ld KiB, %ld descriptors\n", minute / 60, soak->last_kib,
                  soak->last_descriptors);
    (void) fflush(NULL);
    /* After a day everything that is kept has been met. */
    if (minute == 1440) {
        soak->first_kib = soak->last_kib;
        soak->first_descriptors = soak->last_descriptors;
    }
    if (minute >= 1440 && soak->last_kib > soak->most_kib)
        soak->most_kib = soak->last_kib;
}

static void
check_soak(const struct week *week, const struct soak *soak)
{
    if (week->soak_seconds == 0 || week->minutes < 2 * 1440)
        return;
    print_message("RssAnon %ld KiB after a day, %ld at the end, %ld at most\n", soak->first_kib,
                  soak->last_kib, soak->most_kib);
    /* Flat: what differs is the log's hour and the allocator's mood. */
    assert_true(soak->last_kib < soak->first_kib + soak->first_kib / 8);
    assert_true(soak->last_descriptors <= soak->first_descriptors + 16);
}

static void
tidy(struct week *week)
{
    /* As a server does it: an hour of everything stays in the log. */
    const struct oi_checkpoint_plan plan = {
        .rows_max = 100'000, .share = 60 / TIDY_MINUTES, .crowd = 100, .log_max = 200'000
    };
    size_t due = 0;

    do {
        assert_ok(oi_store_checkpoint_share(week->store.store, &plan, &due, NULL));
    } while (due > 200'000);
}

static void
a_week_of_moods_leaves_every_row_once_and_every_hole_with_its_cause(void **state)
{
    struct week *week = *state;
    struct soak soak = { .begun_ns = monotonic_ns() };

    print_message("seed %ld\n", number_of("OI_TEST_SEED", SEED_DEFAULT));
    for (long minute = 0; minute < week->minutes; minute++) {
        poll_minute(week, minute);
        if (minute % TIDY_MINUTES == 0)
            tidy(week);
        if (week->soak_seconds > 0)
            watch(week, &soak, minute);
    }
    print_message("%ld minutes, %llu requests\n", week->minutes,
                  (unsigned long long) oi_simulator_requests(week->world, NULL));
    assert_int_equal(oi_simulator_violations(week->world, NULL), 0);
    check_soak(week, &soak);
    check_everything(week);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_week_of_moods_leaves_every_row_once_and_every_hole_with_its_cause, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("contract/collector_week", tests, NULL, NULL);
}
