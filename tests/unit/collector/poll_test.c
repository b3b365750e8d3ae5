/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange's minute without a socket: the test is the world, answers what it likes when it
 * likes, and reads what was committed.
 */
#include "collector/poll.h"

#include "base/log.h"
#include "support/test_board.h"

/* Replies are words: "L0=5 L1=6" are figures, "+NEXT" a further page, "!" is nonsense. */
static enum oi_status
read_words(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
           struct oi_error *error)
{
    struct oi_slice word;

    if (oi_slice_is(reply, "!"))
        return oi_fail(error, OI_E_UPSTREAM, "nonsense");
    while (oi_slice_next_part(&reply, ' ', &word)) {
        struct oi_observation reading = OI_OBSERVATION_NONE;
        struct oi_slice symbol;

        if (word.size > 0 && word.data[0] == '+') {
            word.data++;
            word.size--;
            harvest->next_page = oi_arena_copy(&harvest->arena, word);
            continue;
        }
        (void) oi_slice_next_part(&word, '=', &symbol);
        if (symbol.size == 0)
            continue;
        if (task->kind == OI_TASK_INSTRUMENTS) {
            char name[OI_SYMBOL_SIZE];

            (void) snprintf(name, sizeof(name), "%.*s", OI_SLICE_ARGS(symbol));
            oi_vector_push(&harvest->instruments, test_board_instrument("linear", name));
            continue;
        }
        OI_TRY(oi_decimal_parse(word, &reading.open_interest, error));
        OI_TRY(oi_harvest_add(harvest, symbol, &reading, error));
    }
    return OI_OK;
}

static enum oi_status
ask_nothing(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, "http://exchange.test/", error);
}

static const struct oi_limit limits[] = { { "requests", 100, 1'000 } };
static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_CURRENT,
      .product = "linear",
      .weight = 1,
      .ask = ask_nothing,
      .read = read_words },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "linear",
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_nothing,
      .read = read_words },
};
static const struct oi_exchange exchange = { .name = "example",
                                             .products = test_board_products,
                                             .limits = limits,
                                             .limit_count = 1,
                                             .endpoints = endpoints,
                                             .endpoint_count = OI_COUNT(endpoints) };

struct fixture {
    struct test_board world;
    struct oi_poll poll;
    struct oi_poll_now now;
};

static void
begin_minute(struct fixture *fixture, oi_time minute, int64_t after_ns)
{
    int64_t ahead_ns = minute + after_ns - fixture->world.store.clock.now_ns;

    oi_virtual_clock_advance(&fixture->world.store.clock, ahead_ns > 0 ? ahead_ns : 0);
    fixture->now = (struct oi_poll_now){ minute + after_ns, minute + after_ns };
    assert_ok(oi_poll_begin(&fixture->poll, minute, fixture->now, NULL));
}

static void
begin(struct fixture *fixture, void **state)
{
    struct oi_poll_options options = { .exchange = &exchange, .seed = 1 };

    memset(fixture, 0, sizeof(*fixture));
    oi_log_set_level(OI_LOG_ERROR);
    test_board_begin(&fixture->world, *state);
    options.store = fixture->world.store.store;
    options.feed = fixture->world.feed;
    oi_poll_init(&fixture->poll, &options);
}

static void
end(struct fixture *fixture)
{
    oi_poll_close(&fixture->poll, fixture->now, true);
    oi_poll_release(&fixture->poll);
    test_store_close(&fixture->world.store);
}

/* The next ask, after waiting for it if need be; its kind. */
static enum oi_task_kind
next(struct fixture *fixture, struct oi_ask *ret_ask)
{
    int64_t wake_ns;

    if (!oi_poll_next(&fixture->poll, fixture->now, ret_ask, &wake_ns)) {
        assert_true(wake_ns != INT64_MAX);
        fixture->now.wall += wake_ns - fixture->now.mono_ns;
        fixture->now.mono_ns = wake_ns;
        assert_true(oi_poll_next(&fixture->poll, fixture->now, ret_ask, &wake_ns));
    }
    return endpoints[ret_ask->endpoint].kind;
}

static bool
has_next(struct fixture *fixture)
{
    struct oi_ask ask;
    int64_t wake_ns;

    assert_false(oi_poll_next(&fixture->poll, fixture->now, &ask, &wake_ns));
    return wake_ns != INT64_MAX;
}

static void
answer(struct fixture *fixture, struct oi_ask *ask, int status, const char *body)
{
    const struct oi_http_response response = { .status = status, .body = oi_slice_of(body) };
    const struct oi_poll_answer answer = { .status = OI_OK, .response = &response };

    oi_poll_answer(&fixture->poll, ask, &answer, fixture->now);
}

static void
answer_next(struct fixture *fixture, enum oi_task_kind kind, int status, const char *body)
{
    struct oi_ask ask;

    assert_int_equal(next(fixture, &ask), kind);
    answer(fixture, &ask, status, body);
}

static void
close_minute(struct fixture *fixture)
{
    assert_true(oi_poll_is_done(&fixture->poll, fixture->now));
    oi_poll_close(&fixture->poll, fixture->now, false);
}

static enum oi_status
note_cause(void *context, const struct oi_hole *hole)
{
    *(enum oi_hole_cause *) context = hole->cause;
    return OI_OK;
}

/* Why a market (0: L0, 1: L1 …) has no row in the minute; NONE when it has. */
static enum oi_hole_cause
cause_of(struct fixture *fixture, size_t market, oi_time minute)
{
    enum oi_hole_cause cause = OI_HOLE_NONE;
    const struct oi_span span = { minute, minute + OI_MINUTE };
    int64_t ahead_ns = span.to - fixture->world.store.clock.now_ns;

    oi_virtual_clock_advance(&fixture->world.store.clock, ahead_ns > 0 ? ahead_ns : 0);
    assert_ok(oi_store_gaps(fixture->world.store.store, fixture->world.ids[market],
                            fixture->world.feed, OI_MINUTE, span, OI_MOMENT_LATEST, note_cause,
                            &cause, NULL));
    return cause;
}

static void
lists_come_first_and_figures_follow(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 2);
    assert_int_equal(cause_of(&fixture, 0, TEST_START), OI_HOLE_NONE);
    assert_int_equal(cause_of(&fixture, 2, TEST_START), OI_HOLE_SILENT);
    begin_minute(&fixture, TEST_START + OI_MINUTE, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6 L2=7");
    assert_false(has_next(&fixture));
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 5);
    end(&fixture);
}

static void
lists_that_fail_do_not_keep_figures_of_known_markets_away(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 500, "");
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 500, "");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 1);
    end(&fixture);
}

static void
nonsense_is_asked_again_once_and_then_a_hole(void **state)
{
    struct fixture fixture;
    int64_t asked_ns;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "!");
    asked_ns = fixture.now.mono_ns;
    answer_next(&fixture, OI_TASK_CURRENT, 200, "<html>");
    assert_true(fixture.now.mono_ns - asked_ns >= OI_SECOND);
    assert_false(has_next(&fixture));
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.errors[OI_E_UPSTREAM], 2);
    assert_int_equal(cause_of(&fixture, 0, TEST_START), OI_HOLE_UNREACHABLE);
    end(&fixture);
}

static void
pages_are_followed_to_the_end_but_not_in_circles(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 +2");
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=1 +a");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L1=2 +b");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L1=2 +b");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L1=2 +b");
    assert_false(has_next(&fixture));
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 2);
    assert_int_equal(cause_of(&fixture, 2, TEST_START), OI_HOLE_UNREACHABLE);
    end(&fixture);
}

static void
an_answer_after_its_minute_is_dropped(void **state)
{
    struct oi_ask late;
    struct fixture fixture;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    assert_int_equal(next(&fixture, &late), OI_TASK_CURRENT);
    begin_minute(&fixture, TEST_START + OI_MINUTE, 0);
    answer(&fixture, &late, 200, "L0=5");
    assert_int_equal(fixture.poll.in_flight, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L1=5");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 1);
    assert_int_equal(cause_of(&fixture, 0, TEST_START), OI_HOLE_UNREACHABLE);
    assert_int_equal(cause_of(&fixture, 0, TEST_START + OI_MINUTE), OI_HOLE_SILENT);
    end(&fixture);
}

static void
a_short_pause_is_waited_for_and_a_long_one_ends_the_minute(void **state)
{
    static const struct oi_http_field retry_after[] = { { OI_SLICE("Retry-After"),
                                                          OI_SLICE("20") } };
    struct oi_http_response response = { .status = 429, .headers = retry_after, .header_count = 1 };
    const struct oi_poll_answer busy = { .status = OI_OK, .response = &response };
    struct fixture fixture;
    struct oi_ask ask;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    (void) next(&fixture, &ask);
    oi_poll_answer(&fixture.poll, &ask, &busy, fixture.now);
    (void) next(&fixture, &ask);
    assert_int_equal(fixture.now.mono_ns, TEST_START + 20 * OI_SECOND);
    answer(&fixture, &ask, 451, "");
    close_minute(&fixture);
    assert_int_equal(cause_of(&fixture, 0, TEST_START), OI_HOLE_BLOCKED);
    assert_int_equal(fixture.poll.stats.shut, OI_E_DENIED);
    end(&fixture);
}

/* We were refused for a time that ends shortly before the minute does: what was asked then and is
 * under way when it ends is missing for the refusal, not for the exchange's silence. */
static void
a_pause_that_ends_within_the_minute_is_still_its_cause(void **state)
{
    struct fixture fixture;
    struct oi_ask ask;
    oi_time minute;
    int64_t until_ns;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    fixture.now.wall += 48 * OI_SECOND;
    fixture.now.mono_ns += 48 * OI_SECOND;
    answer_next(&fixture, OI_TASK_CURRENT, 403, "");
    until_ns = fixture.poll.paces[0].shut_until_ns;
    minute = until_ns / OI_MINUTE * OI_MINUTE;
    begin_minute(&fixture, minute, 0);
    assert_int_equal(next(&fixture, &ask), OI_TASK_CURRENT);
    assert_int_equal(fixture.now.mono_ns, until_ns);
    fixture.now.wall += 9 * OI_SECOND;
    fixture.now.mono_ns += 9 * OI_SECOND;
    oi_poll_close(&fixture.poll, fixture.now, false);
    answer(&fixture, &ask, 200, "L0=5 L1=6 L2=7");
    assert_int_equal(cause_of(&fixture, 0, minute), OI_HOLE_BLOCKED);
    /* And failed, but could not be asked again for a refusal of something else. */
    begin_minute(&fixture, minute + OI_MINUTE, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 500, "");
    oi_pace_hear(&fixture.poll.paces[0], OI_E_DENIED, 0, fixture.now.mono_ns);
    oi_poll_close(&fixture.poll, fixture.now, false);
    assert_int_equal(cause_of(&fixture, 0, minute + OI_MINUTE), OI_HOLE_BLOCKED);
    end(&fixture);
}

static void
a_minute_that_was_begun_late_or_interrupted_blames_nobody(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 40 * OI_SECOND);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5");
    close_minute(&fixture);
    assert_int_equal(cause_of(&fixture, 0, TEST_START), OI_HOLE_NONE);
    assert_int_equal(cause_of(&fixture, 1, TEST_START), OI_HOLE_COLLECTOR_DOWN);
    begin_minute(&fixture, TEST_START + OI_MINUTE, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5");
    oi_poll_close(&fixture.poll, fixture.now, true);
    assert_int_equal(cause_of(&fixture, 0, TEST_START + OI_MINUTE), OI_HOLE_NONE);
    assert_int_equal(cause_of(&fixture, 1, TEST_START + OI_MINUTE), OI_HOLE_COLLECTOR_DOWN);
    end(&fixture);
}

static void
rows_go_to_the_store_every_few_seconds(void **state)
{
    struct fixture fixture;
    struct oi_ask ask;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 +2");
    (void) next(&fixture, &ask);
    oi_poll_flush(&fixture.poll, fixture.now);
    assert_int_equal(fixture.poll.stats.rows, 0);
    fixture.now.mono_ns += 5 * OI_SECOND;
    oi_poll_flush(&fixture.poll, fixture.now);
    assert_int_equal(fixture.poll.stats.rows, 1);
    answer(&fixture, &ask, 200, "L1=5 L2=5");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 3);
    end(&fixture);
}

static void
a_market_that_nobody_knows_is_asked_for_and_collected(void **state)
{
    struct fixture fixture;

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6 L2=7 NEW=8");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.unknown, 1);
    begin_minute(&fixture, TEST_START + OI_MINUTE, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6 L2=7 NEW=8");
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2 NEW");
    close_minute(&fixture);
    begin_minute(&fixture, TEST_START + 2 * OI_MINUTE, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6 L2=7 NEW=8");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 3 + 3 + 4);
    end(&fixture);
}

/* An engine whose disk is full when it is told so. */
static bool is_full;

static enum oi_status
commit_or_refuse(struct oi_kv_txn **txn, struct oi_error *error)
{
    if (!is_full)
        return oi_kv_memory.commit(txn, error);
    oi_kv_memory.abort(txn);
    return oi_fail(error, OI_E_FULL, "no room");
}

static void
what_the_store_refuses_is_offered_again(void **state)
{
    struct oi_kv_engine engine = oi_kv_memory;
    struct fixture fixture;

    engine.commit = commit_or_refuse;
    begin(&fixture, state);
    test_store_close(&fixture.world.store);
    fixture.world.store.options.engine = &engine;
    test_store_open(&fixture.world.store);
    fixture.poll.store = fixture.world.store.store;
    begin_minute(&fixture, TEST_START, 0);
    answer_next(&fixture, OI_TASK_INSTRUMENTS, 200, "L0 L1 L2");
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6");
    is_full = true;
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 0);
    assert_int_equal(fixture.poll.stats.commit_failures, 1);
    begin_minute(&fixture, TEST_START + OI_MINUTE, 0);
    answer_next(&fixture, OI_TASK_CURRENT, 200, "L0=5 L1=6 L2=7");
    is_full = false;
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.rows, 5);
    assert_int_equal(cause_of(&fixture, 0, TEST_START), OI_HOLE_NONE);
    assert_int_equal(cause_of(&fixture, 2, TEST_START), OI_HOLE_SILENT);
    end(&fixture);
}

static void
two_addresses_take_turns_and_a_ban_of_one_stops_only_that(void **state)
{
    struct oi_poll_options options = { .exchange = &exchange, .seed = 1, .address_count = 2 };
    struct fixture fixture;
    struct oi_ask asks[2], again;

    begin(&fixture, state);
    oi_poll_release(&fixture.poll);
    options.store = fixture.world.store.store;
    options.feed = fixture.world.feed;
    oi_poll_init(&fixture.poll, &options);
    begin_minute(&fixture, TEST_START, 0);
    (void) next(&fixture, &asks[0]);
    assert_int_equal(asks[0].address, 0);
    answer(&fixture, &asks[0], 429, "");
    /* Asked again at once, from where nobody was told to wait. */
    (void) next(&fixture, &asks[1]);
    assert_int_equal(asks[1].address, 1);
    assert_true(fixture.now.wall == TEST_START);
    answer(&fixture, &asks[1], 200, "L0 L1");
    (void) next(&fixture, &again);
    assert_int_equal(again.address, 1);
    answer(&fixture, &again, 200, "L0=5 L1=6");
    close_minute(&fixture);
    assert_int_equal(fixture.poll.stats.shut, OI_OK);
    end(&fixture);
}

static void
the_date_of_replies_tells_how_far_a_clock_is_ahead(void **state)
{
    struct fixture fixture;
    struct oi_ask ask;
    char date[OI_HTTP_DATE_SIZE];
    struct oi_http_field field = { .name = OI_SLICE("Date") };
    struct oi_http_response response = { .status = 200,
                                         .headers = &field,
                                         .header_count = 1,
                                         .body = OI_SLICE("L0 L1"),
                                         .elapsed_ns = 100 * OI_MILLISECOND };
    const struct oi_poll_answer answer = { .status = OI_OK, .response = &response };

    begin(&fixture, state);
    begin_minute(&fixture, TEST_START, 0);
    (void) next(&fixture, &ask);
    oi_http_date_write(oi_time_to_s(TEST_START) + 30, date);
    field.value = oi_slice_of(date);
    oi_poll_answer(&fixture.poll, &ask, &answer, fixture.now);
    (void) next(&fixture, &ask);
    response.body = OI_SLICE("L0=5 L1=6");
    fixture.now.wall += 400 * OI_MILLISECOND;
    fixture.now.mono_ns += 400 * OI_MILLISECOND;
    oi_poll_answer(&fixture.poll, &ask, &answer, fixture.now);
    close_minute(&fixture);
    /* Between 30 s and 30.7 s. */
    assert_int_equal(fixture.poll.stats.skew_ns, 30'350 * OI_MILLISECOND);
    end(&fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_come_first_and_figures_follow),
        TEST(two_addresses_take_turns_and_a_ban_of_one_stops_only_that),
        TEST(the_date_of_replies_tells_how_far_a_clock_is_ahead),
        TEST(lists_that_fail_do_not_keep_figures_of_known_markets_away),
        TEST(nonsense_is_asked_again_once_and_then_a_hole),
        TEST(pages_are_followed_to_the_end_but_not_in_circles),
        TEST(an_answer_after_its_minute_is_dropped),
        TEST(a_short_pause_is_waited_for_and_a_long_one_ends_the_minute),
        TEST(a_pause_that_ends_within_the_minute_is_still_its_cause),
        TEST(a_minute_that_was_begun_late_or_interrupted_blames_nobody),
        TEST(rows_go_to_the_store_every_few_seconds),
        TEST(what_the_store_refuses_is_offered_again),
        TEST(a_market_that_nobody_knows_is_asked_for_and_collected),
    };

    return cmocka_run_group_tests_name("collector/poll", tests, NULL, NULL);
}
