/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/kept.h"

#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>

static const uint32_t one = 1, two = 2, both[] = { 1, 2 };

static struct oi_kept_question
about(const uint32_t *series, size_t count, uint64_t batch_limit)
{
    return (struct oi_kept_question){ .kind = OI_KEPT_SUMS,
                                      .detail = 7,
                                      .series = series,
                                      .count = count,
                                      .batch_limit = batch_limit };
}

static void
put(struct oi_kept *kept, const struct oi_kept_question *question, oi_time from, oi_time to,
    const char *text)
{
    oi_kept_put(kept, question, oi_kept_epoch(kept), (struct oi_span){ from, to },
                oi_slice_of(text));
}

/* What is found at a time; "-" for nothing. */
static void
assert_found(struct oi_kept *kept, const struct oi_kept_question *question, oi_time at,
             const char *text, oi_time from, oi_time to)
{
    struct oi_kept_piece piece;

    if (!oi_kept_find(kept, question, at, &piece)) {
        assert_string_equal(text, "-");
        return;
    }
    assert_true(oi_slice_equal(piece.bytes, oi_slice_of(text)));
    assert_int_equal(piece.span.from, from);
    assert_int_equal(piece.span.to, to);
    oi_kept_release(kept, &piece);
}

static void
assert_nothing(struct oi_kept *kept, const struct oi_kept_question *question, oi_time at)
{
    assert_found(kept, question, at, "-", 0, 0);
}

static void
touch(struct oi_kept *kept, uint32_t series, uint64_t batch, oi_time time)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_batch_rows rows = {};

    reading.time = time;
    oi_batch_rows_add(&rows, series, &reading, batch);
    oi_kept_note_rows(kept, batch, &rows);
    oi_batch_rows_release(&rows);
}

static void
what_was_put_is_found_in_its_span(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 5);

    put(kept, &question, 100, 200, "a");
    assert_found(kept, &question, 100, "a", 100, 200);
    assert_found(kept, &question, 199, "a", 100, 200);
    assert_nothing(kept, &question, 99);
    assert_nothing(kept, &question, 200);
    oi_kept_free(&kept);
}

static void
questions_are_told_apart(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 5);
    struct oi_kept_question other = question;

    put(kept, &question, 100, 200, "a");
    other.kind = OI_KEPT_ROWS;
    assert_nothing(kept, &other, 100);
    other = question;
    other.detail = 8;
    assert_nothing(kept, &other, 100);
    other = about(&two, 1, 5);
    assert_nothing(kept, &other, 100);
    other = about(both, 2, 5);
    assert_nothing(kept, &other, 100);
    oi_kept_free(&kept);
}

static void
a_later_batch_ends_it_where_it_touched_a_series(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(both, 2, 5), later = about(both, 2, 6);

    put(kept, &question, 100, 200, "a");
    touch(kept, 3, 6, 120);
    assert_found(kept, &later, 100, "a", 100, 200);
    touch(kept, 2, 6, 150);
    assert_found(kept, &later, 100, "a", 100, 150);
    assert_nothing(kept, &later, 150);
    put(kept, &later, 150, 200, "b");
    assert_found(kept, &later, 149, "a", 100, 150);
    assert_found(kept, &later, 150, "b", 150, 200);
    touch(kept, 1, 7, 100);
    assert_nothing(kept, &later, 100);
    assert_nothing(kept, &later, 150);
    oi_kept_free(&kept);
}

static void
who_asks_as_of_an_earlier_batch_finds_nothing_newer(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    struct oi_kept_question question = about(&one, 1, 5);

    put(kept, &question, 100, 200, "a");
    question.batch_limit = 4;
    assert_nothing(kept, &question, 100);
    question.batch_limit = UINT64_MAX;
    assert_nothing(kept, &question, 100);
    oi_kept_free(&kept);
}

static void
a_new_piece_takes_the_place_of_what_it_covers(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 5);

    put(kept, &question, 100, 200, "a");
    put(kept, &question, 200, 300, "b");
    put(kept, &question, 300, 400, "c");
    put(kept, &question, 150, 300, "d");
    assert_found(kept, &question, 100, "a", 100, 150);
    assert_found(kept, &question, 150, "d", 150, 300);
    assert_found(kept, &question, 300, "c", 300, 400);
    /* Within another one: what was behind it is no longer told apart. */
    put(kept, &question, 200, 250, "e");
    assert_found(kept, &question, 199, "d", 150, 200);
    assert_found(kept, &question, 200, "e", 200, 250);
    assert_nothing(kept, &question, 250);
    put(kept, &question, 0, 1000, "f");
    assert_found(kept, &question, 250, "f", 0, 1000);
    oi_kept_free(&kept);
}

static void
what_was_asked_before_something_was_forgotten_is_not_kept(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 5);
    const struct oi_change withdrawal = { .kind = OI_CHANGE_WITHDRAW };
    uint64_t epoch = oi_kept_epoch(kept);

    put(kept, &question, 100, 200, "a");
    assert_ok(oi_kept_note(kept, &withdrawal, NULL));
    assert_nothing(kept, &question, 100);
    oi_kept_put(kept, &question, epoch, (struct oi_span){ 100, 200 }, oi_slice_of("b"));
    assert_nothing(kept, &question, 100);
    put(kept, &question, 100, 200, "c");
    assert_found(kept, &question, 100, "c", 100, 200);
    oi_kept_free(&kept);
}

static void
a_batch_that_is_not_told_with_its_rows_ends_everything(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 5), later = about(&one, 1, 6);
    const struct oi_change change = { .kind = OI_CHANGE_APPEND, .batch = 6, .row_count = 200'000 };

    put(kept, &question, 100, 200, "a");
    assert_ok(oi_kept_note(kept, &change, NULL));
    assert_nothing(kept, &later, 100);
    put(kept, &later, 100, 200, "b");
    assert_found(kept, &later, 100, "b", 100, 200);
    oi_kept_free(&kept);
}

static void
what_was_once_does_not_push_out_what_is(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 9), once = about(&one, 1, 5);

    oi_kept_note_all(kept, 4);
    put(kept, &question, 100, 200, "now");
    put(kept, &once, 150, 300, "once");
    assert_found(kept, &question, 150, "now", 100, 200);
    assert_nothing(kept, &once, 200);
    put(kept, &once, 200, 300, "once");
    assert_found(kept, &once, 200, "once", 200, 300);
    oi_kept_free(&kept);
}

static void
what_is_older_than_all_that_is_known_is_not_kept(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 9), once = about(&one, 1, 5);

    oi_kept_note_all(kept, 7);
    put(kept, &once, 100, 200, "once");
    assert_nothing(kept, &once, 100);
    assert_nothing(kept, &question, 100);
    oi_kept_free(&kept);
}

static void
what_is_at_hand_outlives_what_is_kept(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false);
    const struct oi_kept_question question = about(&one, 1, 5);
    struct oi_kept_piece piece;

    put(kept, &question, 100, 200, "bytes");
    assert_true(oi_kept_find(kept, &question, 100, &piece));
    oi_kept_forget(kept);
    assert_true(oi_slice_equal(piece.bytes, oi_slice_of("bytes")));
    oi_kept_release(kept, &piece);
    oi_kept_free(&kept);
}

static void
what_was_asked_for_longest_ago_goes_first(void **state)
{
    (void) state;
    static char large[4000];
    const struct oi_slice bytes = { large, sizeof(large) };
    struct oi_kept *kept = oi_kept_new(20'000, false);
    uint32_t series[10];

    for (uint32_t i = 0; i < OI_COUNT(series); i++) {
        series[i] = i + 1;
        const struct oi_kept_question question = about(&series[i], 1, 5),
                                      first = about(series, 1, 5);
        struct oi_kept_piece piece;

        oi_kept_put(kept, &question, 0, (struct oi_span){ 0, 10 }, bytes);
        /* The first one is of use all the time. */
        assert_true(oi_kept_find(kept, &first, 0, &piece));
        oi_kept_release(kept, &piece);
    }
    {
        const struct oi_kept_question gone = about(&series[2], 1, 5),
                                      there = about(&series[9], 1, 5);
        struct oi_kept_piece piece;

        assert_nothing(kept, &gone, 0);
        assert_true(oi_kept_find(kept, &there, 0, &piece));
        oi_kept_release(kept, &piece);
    }
    oi_kept_free(&kept);
}

/* One that is asked on and on is not the one that goes, though it is never found. */
static void
what_grows_pushes_out_the_others(void **state)
{
    (void) state;
    static char large[4000];
    const struct oi_slice bytes = { large, sizeof(large) };
    struct oi_kept *kept = oi_kept_new(20'000, false);
    const struct oi_kept_question question = about(&one, 1, 5), other = about(&two, 1, 5);

    oi_kept_put(kept, &question, 0, (struct oi_span){ 0, 10 }, bytes);
    oi_kept_put(kept, &other, 0, (struct oi_span){ 0, 10 }, bytes);
    for (oi_time from = 10; from < 40; from += 10)
        oi_kept_put(kept, &question, 0, (struct oi_span){ from, from + 10 }, bytes);
    assert_nothing(kept, &other, 0);
    for (oi_time from = 0; from < 40; from += 10) {
        struct oi_kept_piece piece;

        assert_true(oi_kept_find(kept, &question, from, &piece));
        oi_kept_release(kept, &piece);
    }
    oi_kept_free(&kept);
}

static void
one_long_answer_keeps_what_fits(void **state)
{
    (void) state;
    static char large[4000];
    const struct oi_slice bytes = { large, sizeof(large) };
    struct oi_kept *kept = oi_kept_new(20'000, false);
    const struct oi_kept_question question = about(&one, 1, 5);
    size_t found = 0;

    for (oi_time from = 0; from < 100; from += 10)
        oi_kept_put(kept, &question, 0, (struct oi_span){ from, from + 10 }, bytes);
    for (oi_time from = 0; from < 100; from += 10) {
        struct oi_kept_piece piece;

        if (!oi_kept_find(kept, &question, from, &piece))
            continue;
        found++;
        oi_kept_release(kept, &piece);
    }
    assert_int_equal(found, 4);
    /* What is larger than a quarter of the room is not kept at all. */
    put(kept, &question, 0, 1, "small");
    oi_kept_put(kept, &question, 0, (struct oi_span){ 0, 1 },
                (struct oi_slice){ large, sizeof(large) + 2000 });
    assert_found(kept, &question, 0, "small", 0, 1);
    oi_kept_free(&kept);
}

static void
what_comes_once_is_not_wanted(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(1 << 20, false), *eager = oi_kept_new(1 << 20, true);
    const struct oi_kept_question question = about(&one, 1, 5), other = about(&two, 1, 5);
    const struct oi_span span = { 1 << 20, (1 << 20) + 1000 },
                         near = { span.from + 3, span.to + 3 };

    assert_false(oi_kept_wants(kept, &question, span));
    assert_false(oi_kept_wants(kept, &other, span));
    /* Who asks again asks a moment later. */
    assert_true(oi_kept_wants(kept, &question, near));
    assert_true(oi_kept_wants(eager, &question, span));
    oi_kept_free(&kept);
    oi_kept_free(&eager);
}

/* One thread puts and finds, one notes changes. */
static void *
use(void *context)
{
    struct oi_kept *kept = context;
    const struct oi_kept_question question = about(both, 2, 1'000'000);

    for (oi_time at = 0; at < 3000; at++) {
        struct oi_kept_piece piece;

        put(kept, &question, at % 100, at % 100 + 10, "text");
        if (!oi_kept_find(kept, &question, at % 90, &piece))
            continue;
        if (!oi_slice_equal(piece.bytes, oi_slice_of("text")))
            abort();
        oi_kept_release(kept, &piece);
    }
    return NULL;
}

static void
threads_may_use_it_together(void **state)
{
    (void) state;
    struct oi_kept *kept = oi_kept_new(4'000, false);
    pthread_t threads[3];

    for (size_t i = 0; i < OI_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, kept), 0);
    for (uint64_t batch = 1; batch < 500; batch++) {
        touch(kept, 1 + (uint32_t) (batch % 3), batch, (oi_time) (batch * 7 % 100));
        if (batch % 50 == 0)
            oi_kept_forget(kept);
    }
    for (size_t i = 0; i < OI_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    oi_kept_free(&kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_in_its_span),
        cmocka_unit_test(questions_are_told_apart),
        cmocka_unit_test(a_later_batch_ends_it_where_it_touched_a_series),
        cmocka_unit_test(who_asks_as_of_an_earlier_batch_finds_nothing_newer),
        cmocka_unit_test(a_new_piece_takes_the_place_of_what_it_covers),
        cmocka_unit_test(what_was_asked_before_something_was_forgotten_is_not_kept),
        cmocka_unit_test(a_batch_that_is_not_told_with_its_rows_ends_everything),
        cmocka_unit_test(what_was_once_does_not_push_out_what_is),
        cmocka_unit_test(what_is_older_than_all_that_is_known_is_not_kept),
        cmocka_unit_test(what_is_at_hand_outlives_what_is_kept),
        cmocka_unit_test(what_was_asked_for_longest_ago_goes_first),
        cmocka_unit_test(what_grows_pushes_out_the_others),
        cmocka_unit_test(one_long_answer_keeps_what_fits),
        cmocka_unit_test(what_comes_once_is_not_wanted),
        cmocka_unit_test(threads_may_use_it_together),
    };

    return cmocka_run_group_tests_name("clickhouse/kept", tests, NULL, NULL);
}
