/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candles of totals over random readings, beside the same totals walked instant by instant in
 * decimals: figures of one exponent and of many, too long ones at any place, silences, markets that
 * end, instants shared and not.
 */
#include "query/run.h"

#include "base/alloc.h"
#include "series/total.h"
#include "support/test_world.h"

#include "support/test_folder.h"

#include <stdio.h>
#include <sys/stat.h>

#define MARKETS 5
#define ROUNDS 24

struct reading {
    oi_time time;
    struct oi_decimal amount;
};

struct plain {
    struct reading *items;
    size_t count, capacity;
};

/* What a round makes likely. */
struct habits {
    unsigned exponents; /* different ones */
    unsigned wides;     /* one in so many; 0: none */
    unsigned silences;
    bool is_fine; /* instants between the seconds */
    bool is_long; /* days without a reading */
    bool is_large;
    bool is_negative;
};

static struct habits
habits_of(int round)
{
    return (struct habits){
        .exponents = round % 3 == 0 ? 1 : 7,
        .wides = round % 4 == 3 ? 150 : 0,
        .silences = round % 2 ? 30 : 0,
        .is_fine = round % 5 < 2,
        .is_long = round % 8 == 1,
        .is_large = round % 6 == 5,
        .is_negative = round % 7 == 6,
    };
}

static struct oi_decimal
amount_of(struct oi_random *random, const struct habits *habits)
{
    int64_t mantissa = (int64_t) oi_random_below(random, habits->is_large ? INT64_MAX : 1'000'000);
    int exponent = 2 - (int) oi_random_below(random, habits->exponents);

    if (habits->wides && oi_random_below(random, habits->wides) == 0) {
        struct oi_decimal wide;

        assert_ok(oi_decimal_parse(OI_SLICE("123456789012345678901234567890.125"), &wide, NULL));
        return wide;
    }
    if (habits->is_negative && oi_random_below(random, 3) == 0)
        mantissa = -mantissa;
    return oi_decimal_from(mantissa, exponent);
}

static void
make_readings(struct oi_random *random, const struct habits *habits, struct plain *plain)
{
    oi_time time = WORLD_START + (int64_t) oi_random_below(random, 3) * OI_MINUTE;

    for (int i = 0; i < 400; i++) {
        time += (int64_t) (1 + oi_random_below(random, 2)) * OI_MINUTE;
        if (habits->silences && oi_random_below(random, habits->silences) == 0)
            time += (int64_t) oi_random_below(random, 40) * OI_MINUTE;
        if (habits->is_long && oi_random_below(random, 40) == 0)
            time += (int64_t) oi_random_below(random, 4) * OI_DAY;
        if (habits->is_fine)
            time += (int64_t) oi_random_below(random, 3) * (OI_SECOND / 4 + 1);
        oi_vector_push(plain, ((struct reading){ time, amount_of(random, habits) }));
    }
}

/* A world's worth of one coin's markets; the last one ends in the middle. */
struct place {
    struct oi_store *store;
    struct oi_source source;
    struct oi_virtual_clock clock;
    struct oi_convention_book book;
    struct plain plain[MARKETS];
    oi_time ends[MARKETS];
};

static const struct oi_convention conventions[] = {
    { .sides = 1, .unit = OI_UNIT_COINS, .evidence = "https://example.com/1" },
};
static struct oi_convention_page pages[] = {
    { .exchange = "example", .conventions = conventions, .count = 1 },
};

static void
define(struct place *place, uint32_t series[MARKETS])
{
    struct oi_instrument instruments[MARKETS];
    struct oi_feed facts = { .name = "live" };
    uint32_t ids[MARKETS];
    uint16_t feed;

    for (int i = 0; i < MARKETS; i++) {
        struct oi_instrument *instrument = &instruments[i];
        char symbol[8];

        *instrument = OI_INSTRUMENT_NONE;
        assert_true(snprintf(symbol, sizeof(symbol), "M%d", i) > 0);
        assert_ok(OI_NAME_SET(instrument->exchange, OI_SLICE("example"), NULL));
        assert_ok(OI_NAME_SET(instrument->product, OI_SLICE("linear"), NULL));
        assert_ok(OI_NAME_SET(instrument->symbol, oi_slice_of(symbol), NULL));
        assert_ok(OI_NAME_SET(instrument->base, OI_SLICE("BTC"), NULL));
        assert_ok(OI_NAME_SET(instrument->quote, OI_SLICE("USDT"), NULL));
        instrument->kind = i == MARKETS - 1 ? OI_KIND_FUTURE : OI_KIND_PERPETUAL;
        instrument->settlement = OI_SETTLEMENT_LINEAR;
        instrument->contract_size = oi_decimal_from(1, 0);
        if (i == MARKETS - 1)
            instrument->expiry = WORLD_START + 7 * OI_HOUR + 1;
        place->ends[i] = instrument->expiry == OI_TIME_NONE ? OI_TIME_LATEST : instrument->expiry;
    }
    assert_ok(oi_store_define(place->store, instruments, MARKETS, ids, NULL, NULL));
    assert_ok(oi_store_feed(place->store, &facts, &feed, NULL));
    assert_ok(oi_store_series_all(place->store, ids, MARKETS, feed, series, NULL));
}

static void
open_place(struct place *place, const char *path, struct oi_random *random,
           const struct habits *habits)
{
    struct oi_store_options options = { .engine = &oi_kv_memory, .chunk_rows = 64 };
    uint32_t series[MARKETS];

    *place = (struct place){};
    oi_virtual_clock_init(&place->clock, WORLD_START + OI_WEEK);
    options.clock = &place->clock.clock;
    assert_ok(oi_store_open(path, &options, &place->store, NULL));
    place->book = (struct oi_convention_book){ pages, OI_COUNT(pages) };
    place->source = (struct oi_source){ .store = place->store,
                                        .conventions = &place->book,
                                        .clock = &place->clock.clock,
                                        .names = oi_names_new() };
    define(place, series);
    for (int i = 0; i < MARKETS; i++) {
        OI_VECTOR(struct oi_row) rows = {};
        struct oi_append_result result;
        size_t left;

        make_readings(random, habits, &place->plain[i]);
        for (size_t k = 0; k < place->plain[i].count; k++) {
            struct oi_observation reading = OI_OBSERVATION_NONE;

            reading.time = place->plain[i].items[k].time;
            reading.open_interest = place->plain[i].items[k].amount;
            oi_vector_push(&rows, ((struct oi_row){ series[i], reading }));
        }
        assert_ok(oi_store_append(place->store,
                                  &(struct oi_batch){ .rows = rows.items, .row_count = rows.count },
                                  &result, NULL));
        assert_ok(oi_store_checkpoint(place->store, 300, &left, NULL));
        oi_vector_release(&rows);
    }
}

static void
close_place(struct place *place)
{
    oi_names_free(&place->source.names);
    oi_store_close(&place->store);
    for (int i = 0; i < MARKETS; i++)
        oi_vector_release(&place->plain[i]);
}

/* Instant by instant. */
static void
walk_straight(const struct place *place, struct oi_span span, struct oi_candles *candles)
{
    size_t next[MARKETS] = {};
    struct oi_total total;

    oi_total_init(&total, MARKETS);
    for (int i = 0; i < MARKETS; i++) {
        total.members[i].staleness_ns = 15 * OI_MINUTE;
        total.members[i].ends = place->ends[i];
        while (next[i] < place->plain[i].count &&
               place->plain[i].items[next[i]].time < span.from - 15 * OI_MINUTE)
            next[i]++;
    }
    for (;;) {
        oi_time time = OI_TIME_LATEST;
        struct oi_decimal sum;

        for (int i = 0; i < MARKETS; i++)
            if (next[i] < place->plain[i].count && place->plain[i].items[next[i]].time < time)
                time = place->plain[i].items[next[i]].time;
        if (time >= span.to)
            break;
        for (size_t i = 0; i < MARKETS; i++) {
            const struct reading *reading = &place->plain[i].items[next[i]];

            if (next[i] < place->plain[i].count && reading->time == time) {
                assert_ok(oi_total_set(&total, i, time, &reading->amount, NULL));
                next[i]++;
            }
        }
        assert_ok(oi_total_at(&total, time, &sum, NULL));
        if (time >= span.from)
            oi_candles_add_one(candles, time, &sum, NULL);
    }
    oi_total_release(&total);
}

static void
assert_same_candle(const struct oi_candle *a, const struct oi_candle *b)
{
    assert_int_equal(a->start, b->start);
    assert_true(oi_decimal_equal(&a->open, &b->open));
    assert_true(oi_decimal_equal(&a->high, &b->high));
    assert_true(oi_decimal_equal(&a->low, &b->low));
    assert_true(oi_decimal_equal(&a->close, &b->close));
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->last, b->last);
    assert_int_equal(a->count, b->count);
}

static void
compare(struct place *place, struct oi_span span, int64_t interval_ns)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    struct oi_candles wanted = { .interval_ns = interval_ns };
    struct oi_selector *selector;
    const struct oi_block *block;
    struct oi_problem problem = {};
    size_t at = 0;

    walk_straight(place, span, &wanted);
    query.kind = OI_QUERY_CANDLES;
    query.interval_ns = interval_ns;
    query.unit = OI_UNIT_COINS;
    query.span = span;
    selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
    selector->coin = "BTC";
    selector->is_total = true;
    assert_ok(oi_query_run(&place->source, &query, &result, &problem, NULL));
    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++, at++) {
            assert_true(at < wanted.items.count);
            assert_same_candle(&block->candles[i], &wanted.items.items[at]);
        }
    }
    assert_int_equal(at, wanted.items.count);
    for (int i = 0; i < MARKETS; i++) {
        const struct plain *plain = &place->plain[i];

        assert_int_equal(result->markets[0].members[i].last, plain->items[plain->count - 1].time);
        assert_null(result->markets[0].members[i].left_out);
    }
    oi_candles_release(&wanted);
}

static void
columns_and_instants_say_the_same(void **state)
{
    static const int64_t intervals[] = { 7 * OI_MINUTE, OI_HOUR, OI_DAY };
    const char *folder = *state;
    struct oi_random random;
    uint64_t seed = 20'261'126;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < ROUNDS; round++) {
        const struct habits habits = habits_of(round);
        struct place place;
        char path[512];

        assert_true(snprintf(path, sizeof(path), "%s/%d", folder, round) > 0);
        assert_int_equal(mkdir(path, 0700), 0);
        open_place(&place, path, &random, &habits);
        for (size_t i = 0; i < OI_COUNT(intervals); i++) {
            struct oi_span span = { WORLD_START +
                                        (int64_t) oi_random_below(&random, 7200) * OI_SECOND,
                                    WORLD_START + OI_DAY * 100 };

            compare(&place, span, intervals[i]);
            place.source.window_events = 1 + oi_random_below(&random, 40);
            compare(&place, span, intervals[i]);
            place.source.halved_from = 1;
            compare(&place, span, intervals[i]);
            place.source.halved_from = place.source.window_events = 0;
        }
        close_place(&place);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_and_instants_say_the_same, test_folder_setup,
                                        test_folder_teardown),
    };

    return cmocka_run_group_tests_name("query/total_columns", tests, NULL, NULL);
}
