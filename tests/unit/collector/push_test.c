/* SPDX-License-Identifier: Apache-2.0 */
/* Bybit's stream as a table: deltas merged, changes thinned, nothing stored twice. */
#include "collector/push.h"

#include "support/test_exchange.h"
#include "support/test_store.h"

struct world {
    struct test_store store;
    struct oi_push push;
    struct oi_push_rows out;
    uint16_t feed;
    uint32_t market;
};

static struct oi_instrument
make_instrument(const char *symbol)
{
    struct oi_instrument instrument = test_store_instrument(symbol);

    (void) snprintf(instrument.exchange, sizeof(instrument.exchange), "bybit");
    return instrument;
}

static void
open_push(struct world *world)
{
    bool is_changed;

    oi_push_init(&world->push, &oi_exchange_bybit, &oi_exchange_bybit.streams[0], OI_SECOND);
    assert_ok(oi_push_refresh(&world->push, world->store.store, world->feed, TEST_START,
                              &is_changed, NULL));
    assert_true(is_changed);
}

static void
begin(struct world *world, void **state, const char *name)
{
    struct oi_instrument market = make_instrument("BTCUSDT");

    memset(world, 0, sizeof(*world));
    test_store_begin(&world->store, *state, name, NULL);
    assert_ok(oi_store_define(world->store.store, &market, 1, &world->market, NULL, NULL));
    world->feed = test_store_feed(&world->store, "stream", false);
    open_push(world);
}

static void
end(struct world *world)
{
    oi_push_release(&world->push);
    oi_vector_release(&world->out.rows);
    test_store_close(&world->store);
}

/* A message of BTCUSDT, stamped and arriving so many ms after the start. */
static enum oi_status
hear_late(struct world *world, int64_t ms, int64_t arrives_ms, const char *fields)
{
    struct oi_stream_event event;
    struct oi_buffer message = {};
    enum oi_status status;
    size_t told;

    oi_buffer_add_format(&message,
                         "{\"topic\":\"tickers.BTCUSDT\",\"ts\":%lld,\"data\":{\"symbol\":"
                         "\"BTCUSDT\",%s}}",
                         (long long) (oi_time_to_ms(TEST_START) + ms), fields);
    status =
        oi_push_message(&world->push, oi_buffer_slice(&message),
                        TEST_START + arrives_ms * OI_MILLISECOND, &world->out, &event, &told, NULL);
    oi_buffer_release(&message);
    return status;
}

static void
hear(struct world *world, int64_t ms, const char *fields)
{
    assert_ok(hear_late(world, ms, ms, fields));
}

static void
assert_row(const struct world *world, size_t row, int64_t ms, const char *figure)
{
    assert_true(row < world->out.rows.count);
    assert_int_equal(world->out.rows.items[row].reading.time, TEST_START + ms * OI_MILLISECOND);
    test_assert_decimal(&world->out.rows.items[row].reading.open_interest, figure);
}

static void
a_change_is_a_row_with_all_that_was_told_before(void **state)
{
    struct world world;

    begin(&world, state, "merge");
    hear(&world, 0, "\"openInterest\":\"10\",\"openInterestValue\":\"1000\",\"markPrice\":\"100\"");
    hear(&world, 1'000, "\"markPrice\":\"101\"");
    hear(&world, 2'000, "\"openInterest\":\"11\"");
    assert_int_equal(world.out.rows.count, 2);
    assert_row(&world, 0, 0, "10");
    assert_row(&world, 1, 2'000, "11");
    test_assert_decimal(&world.out.rows.items[0].reading.value_usd, "1000");
    test_assert_decimal(&world.out.rows.items[1].reading.mark_price, "101");
    /* The value belonged to the figure before. */
    test_assert_decimal(&world.out.rows.items[1].reading.value_usd, "");
    end(&world);
}

static void
of_the_changes_in_a_second_the_last_is_kept(void **state)
{
    struct world world;

    begin(&world, state, "thin");
    hear(&world, 0, "\"openInterest\":\"10\"");
    hear(&world, 100, "\"openInterest\":\"11\"");
    hear(&world, 900, "\"openInterest\":\"12\"");
    oi_push_ripen(&world.push, TEST_START + 950 * OI_MILLISECOND, false, &world.out);
    assert_int_equal(world.out.rows.count, 1);
    oi_push_ripen(&world.push, TEST_START + 1'300 * OI_MILLISECOND, false, &world.out);
    assert_int_equal(world.out.rows.count, 2);
    assert_row(&world, 1, 900, "12");
    oi_push_ripen(&world.push, TEST_START + 5'000 * OI_MILLISECOND, false, &world.out);
    assert_int_equal(world.out.rows.count, 2);
    end(&world);
}

static void
changes_a_second_apart_are_all_kept_however_they_arrive(void **state)
{
    struct world world;
    char figure[40];

    begin(&world, state, "all");
    for (int64_t second = 0; second < 60; second++) {
        (void) snprintf(figure, sizeof(figure), "\"openInterest\":\"%lld\"",
                        (long long) (100 + second));
        /* They come up to 0.7 s late, some at once. */
        assert_ok(hear_late(&world, second * 1'000, second * 1'000 + second * 379 % 700, figure));
        oi_push_ripen(&world.push, TEST_START + second * OI_SECOND + 710 * OI_MILLISECOND, false,
                      &world.out);
    }
    assert_int_equal(world.out.rows.count, 60);
    for (int64_t second = 0; second < 60; second++) {
        (void) snprintf(figure, sizeof(figure), "%lld", (long long) (100 + second));
        assert_row(&world, (size_t) second, second * 1'000, figure);
    }
    end(&world);
}

static void
what_waits_becomes_a_row_when_it_ends(void **state)
{
    struct world world;

    begin(&world, state, "end");
    hear(&world, 0, "\"openInterest\":\"10\"");
    hear(&world, 100, "\"openInterest\":\"11\"");
    oi_push_ripen(&world.push, TEST_START + 150 * OI_MILLISECOND, true, &world.out);
    assert_int_equal(world.out.rows.count, 2);
    assert_row(&world, 1, 100, "11");
    end(&world);
}

static void
the_same_again_and_what_is_older_are_no_change(void **state)
{
    struct world world;

    begin(&world, state, "same");
    hear(&world, 5'000, "\"openInterest\":\"10\"");
    hear(&world, 7'000, "\"openInterest\":\"10\"");
    hear(&world, 7'000, "\"openInterest\":\"10.0\"");
    assert_ok(hear_late(&world, 6'000, 7'100, "\"openInterest\":\"9\""));
    assert_int_equal(world.push.stats.late, 1);
    hear(&world, 8'000, "\"openInterest\":\"11\"");
    hear(&world, 8'100, "\"openInterest\":\"12\"");
    hear(&world, 8'200, "\"openInterest\":\"11\""); /* as it was: nothing waits */
    oi_push_ripen(&world.push, TEST_START + 60 * OI_SECOND, false, &world.out);
    assert_int_equal(world.out.rows.count, 2);
    assert_row(&world, 1, 8'000, "11");
    end(&world);
}

static void
a_stamp_that_is_no_time_of_ours_becomes_the_arrival(void **state)
{
    struct world world;

    begin(&world, state, "stamp");
    assert_ok(hear_late(&world, 3'600'000, 1'000, "\"openInterest\":\"10\""));
    assert_row(&world, 0, 1'000, "10");
    hear(&world, 3'000, "\"openInterest\":\"11\"");
    assert_row(&world, 1, 3'000, "11");
    end(&world);
}

static void
what_was_stored_is_no_change_after_a_start(void **state)
{
    struct world world;
    struct oi_append_result result;

    begin(&world, state, "restart");
    hear(&world, 1'000, "\"openInterest\":\"10\"");
    assert_ok(oi_store_append(world.store.store,
                              &(struct oi_batch){ .rows = world.out.rows.items, .row_count = 1 },
                              &result, NULL));
    assert_int_equal(result.stored, 1);
    oi_vector_clear(&world.out.rows);
    oi_push_release(&world.push);
    open_push(&world);
    hear(&world, 2'000, "\"openInterest\":\"10\"");
    assert_int_equal(world.out.rows.count, 0);
    hear(&world, 3'000, "\"openInterest\":\"11\"");
    assert_row(&world, 0, 3'000, "11");
    end(&world);
}

static void
markets_come_and_go_with_the_catalogue(void **state)
{
    struct world world;
    struct oi_instrument more = make_instrument("ETHUSDT"), gone = make_instrument("BTCUSDT");
    bool is_changed;

    begin(&world, state, "catalogue");
    /* Once more: the series that were made are in the catalogue, too. */
    assert_ok(
        oi_push_refresh(&world.push, world.store.store, world.feed, TEST_START, &is_changed, NULL));
    assert_ok(
        oi_push_refresh(&world.push, world.store.store, world.feed, TEST_START, &is_changed, NULL));
    assert_false(is_changed);
    world.push.markets.items[0].link = 0; /* a connection has it */
    gone.is_delisted = true;
    assert_ok(oi_store_define(world.store.store, &more, 1, NULL, NULL, NULL));
    assert_ok(oi_store_define(world.store.store, &gone, 1, NULL, NULL, NULL));
    assert_ok(
        oi_push_refresh(&world.push, world.store.store, world.feed, TEST_START, &is_changed, NULL));
    assert_true(is_changed);
    assert_int_equal(world.push.markets.count, 2);
    assert_true(world.push.markets.items[0].is_gone);
    assert_string_equal(world.push.markets.items[1].symbol, "ETHUSDT");
    hear(&world, 1'000, "\"openInterest\":\"10\"");
    assert_int_equal(world.out.rows.count, 0);
    assert_int_equal(world.push.stats.unknown, 1);
    /* When the connection lets it go, its place is the next one's. */
    world.push.markets.items[0].link = OI_PUSH_NO_LINK;
    more = make_instrument("SOLUSDT");
    assert_ok(oi_store_define(world.store.store, &more, 1, NULL, NULL, NULL));
    assert_ok(
        oi_push_refresh(&world.push, world.store.store, world.feed, TEST_START, &is_changed, NULL));
    assert_int_equal(world.push.markets.count, 2);
    assert_string_equal(world.push.markets.items[0].symbol, "SOLUSDT");
    assert_false(world.push.markets.items[0].is_gone);
    end(&world);
}

static void
a_message_that_is_nonsense_costs_itself_alone(void **state)
{
    struct world world;
    struct oi_stream_event event;
    size_t told;

    begin(&world, state, "nonsense");
    assert_status(oi_push_message(&world.push, OI_SLICE("<html>"), TEST_START, &world.out, &event,
                                  &told, NULL),
                  OI_E_UPSTREAM);
    assert_int_equal(world.push.stats.faults, 1);
    hear(&world, 1'000, "\"openInterest\":\"-1\"");
    assert_int_equal(world.push.stats.skips, 1);
    hear(&world, 2'000, "\"openInterest\":\"1\"");
    assert_int_equal(world.out.rows.count, 1);
    end(&world);
}

struct gaps {
    size_t count;
    struct oi_hole last;
};

static enum oi_status
note_gap(void *context, const struct oi_hole *hole)
{
    struct gaps *gaps = context;

    gaps->count++;
    gaps->last = *hole;
    return OI_OK;
}

static void
a_minute_that_was_listened_to_is_covered_and_an_outage_is_a_hole(void **state)
{
    struct world world;
    struct oi_watch_mark marks[2] = { { .exchange = "bybit", .minute = TEST_START },
                                      { .exchange = "bybit", .minute = TEST_START + OI_MINUTE } };
    struct oi_hole hole = { .exchange = "bybit",
                            .span = { TEST_START + 2 * OI_MINUTE, TEST_START + 3 * OI_MINUTE },
                            .cause = OI_HOLE_BLOCKED };
    struct oi_batch batch = { .marks = marks, .mark_count = 2, .holes = &hole, .hole_count = 1 };
    struct oi_append_result result;
    struct gaps gaps = {};

    begin(&world, state, "coverage");
    oi_stream_product("linear", marks[0].product);
    oi_stream_product("linear", marks[1].product);
    oi_stream_product("linear", hole.product);
    oi_virtual_clock_advance(&world.store.clock, 3 * OI_MINUTE);
    assert_ok(oi_store_append(world.store.store, &batch, &result, NULL));
    assert_ok(oi_store_gaps(world.store.store, world.market, world.feed, OI_MINUTE,
                            (struct oi_span){ TEST_START, TEST_START + 3 * OI_MINUTE },
                            OI_MOMENT_LATEST, note_gap, &gaps, NULL));
    assert_int_equal(gaps.count, 1);
    assert_int_equal(gaps.last.cause, OI_HOLE_BLOCKED);
    assert_int_equal(gaps.last.span.from, hole.span.from);
    /* The polls know nothing of it. */
    gaps = (struct gaps){};
    assert_ok(oi_store_gaps(world.store.store, world.market, world.store.live, OI_MINUTE,
                            (struct oi_span){ TEST_START, TEST_START + 3 * OI_MINUTE },
                            OI_MOMENT_LATEST, note_gap, &gaps, NULL));
    assert_int_equal(gaps.count, 1);
    assert_int_equal(gaps.last.cause, OI_HOLE_COLLECTOR_DOWN);
    end(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_a_row_with_all_that_was_told_before),
        cmocka_unit_test(of_the_changes_in_a_second_the_last_is_kept),
        cmocka_unit_test(changes_a_second_apart_are_all_kept_however_they_arrive),
        cmocka_unit_test(what_waits_becomes_a_row_when_it_ends),
        cmocka_unit_test(the_same_again_and_what_is_older_are_no_change),
        cmocka_unit_test(a_stamp_that_is_no_time_of_ours_becomes_the_arrival),
        cmocka_unit_test(what_was_stored_is_no_change_after_a_start),
        cmocka_unit_test(markets_come_and_go_with_the_catalogue),
        cmocka_unit_test(a_message_that_is_nonsense_costs_itself_alone),
        cmocka_unit_test(a_minute_that_was_listened_to_is_covered_and_an_outage_is_a_hole),
    };
    return cmocka_run_group_tests_name("collector/push", tests, test_folder_setup,
                                       test_folder_teardown);
}
