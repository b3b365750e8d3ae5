/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/making.h"

#include "base/random.h"
#include "support/test.h"

#define START (1000 * OI_DAY)

static const struct oi_series first = { .id = 1, .instrument = 7, .feed = 2 };
static const struct oi_series third = { .id = 3, .instrument = 9, .feed = 2 };

/* Rows every ten minutes. */
static void
add(struct oi_making *making, const struct oi_series *series, oi_time before, oi_time from,
    int64_t count)
{
    struct oi_rows rows = {};

    for (int64_t i = 0; i < count; i++) {
        struct oi_observation reading = OI_OBSERVATION_NONE;

        reading.time = from + i * 10 * OI_MINUTE;
        reading.open_interest = oi_decimal_from(100 + i % 7, 0);
        oi_rows_add(&rows, &reading, 1);
    }
    oi_making_add(making, series, before, &rows, 0, rows.count);
    oi_rows_release(&rows);
}

static void
buckets_are_those_of_the_rows(void **state)
{
    (void) state;
    struct oi_making making = {};
    struct oi_rollups found = {};
    struct oi_buffer block = {};
    uint64_t version;

    add(&making, &first, OI_TIME_NONE, START, 100);
    add(&making, &third, OI_TIME_NONE, START + OI_HOUR, 3);
    add(&making, &first, START + 99 * 10 * OI_MINUTE, START + 100 * 10 * OI_MINUTE, 100);
    assert_true(oi_making_has(&making, 1, START, START + 199 * 10 * OI_MINUTE));
    assert_true(oi_making_has(&making, 3, START, START + OI_HOUR + 20 * OI_MINUTE));
    assert_false(oi_making_has(&making, 2, START, START));
    assert_false(oi_making_has(&making, 1, START - OI_DAY, START + 199 * 10 * OI_MINUTE));
    assert_false(oi_making_has(&making, 1, START, START + 200 * 10 * OI_MINUTE));
    oi_making_finish(&making);
    assert_int_equal(making.hours.buckets.count, 34 + 1);
    assert_int_equal(making.days.buckets.count, 2 + 1);
    oi_ready_encode(&making.days, 4, &block);
    assert_ok(oi_ready_decode(oi_buffer_slice(&block), &found, &version, NULL));
    assert_int_equal(found.items[0].count, 144);
    assert_true(found.items[0].first.time == START);
    assert_true(found.items[0].last.time == START + 143 * 10 * OI_MINUTE);
    oi_vector_release(&found);
    oi_buffer_release(&block);
    oi_making_release(&making);
}

static void
what_is_not_whole_is_not_in_hand(void **state)
{
    (void) state;
    struct oi_making making = {};

    /* Rows of the same day came before. */
    add(&making, &first, START + OI_MINUTE, START + OI_HOUR, 2);
    assert_false(oi_making_has(&making, 1, START, START + OI_HOUR + 10 * OI_MINUTE));
    /* Rows of the days before do not matter. */
    add(&making, &third, START - 1, START + OI_HOUR, 2);
    assert_true(oi_making_has(&making, 3, START, START + OI_HOUR + 10 * OI_MINUTE));
    /* A row that is not later than the last one. */
    add(&making, &third, START + OI_HOUR + 10 * OI_MINUTE, START + OI_HOUR + 10 * OI_MINUTE, 1);
    assert_false(oi_making_has(&making, 3, START, START + OI_HOUR + 10 * OI_MINUTE));
    oi_making_release(&making);
}

static void
what_others_touched_is_not_in_hand(void **state)
{
    (void) state;
    struct oi_making making = {};

    oi_making_spoil(&making, 1);
    add(&making, &first, OI_TIME_NONE, START, 2);
    add(&making, &third, OI_TIME_NONE, START, 2);
    assert_false(oi_making_has(&making, 1, START, START + 10 * OI_MINUTE));
    assert_true(oi_making_has(&making, 3, START, START + 10 * OI_MINUTE));
    /* Nobody told, but the series has another last row. */
    add(&making, &third, START + 15 * OI_MINUTE, START + 20 * OI_MINUTE, 2);
    assert_false(oi_making_has(&making, 3, START, START + 30 * OI_MINUTE));
    oi_making_finish(&making);
    assert_int_equal(making.hours.buckets.count, 0);
    oi_making_spoil(&making, 0);
    add(&making, &third, OI_TIME_NONE, START, 2);
    assert_false(oi_making_has(&making, 3, START, START + 10 * OI_MINUTE));
    oi_making_release(&making);
}

/* What may grow goes on growing behind a turn, and what is spoiled begins anew. */
static void
a_turn_keeps_what_may_grow(void **state)
{
    (void) state;
    struct oi_making making = {};
    struct oi_rollups found = {};
    struct oi_buffer block = {};
    const oi_time middle = START + 20 * OI_HOUR;
    uint64_t version;

    add(&making, &first, OI_TIME_NONE, START, 120);
    add(&making, &third, OI_TIME_NONE, START, 2);
    oi_making_spoil(&making, 3);
    oi_making_finish(&making);
    assert_int_equal(making.hours.buckets.count, 20);
    assert_int_equal(making.days.buckets.count, 1);
    oi_making_turn(&making);
    assert_int_equal(making.hours.buckets.count, 0);
    add(&making, &first, middle - 10 * OI_MINUTE, middle, 30);
    add(&making, &third, START + 10 * OI_MINUTE, START + OI_DAY, 2);
    assert_true(oi_making_has(&making, 1, START, middle + 290 * OI_MINUTE));
    assert_true(oi_making_has(&making, 3, START + OI_DAY, START + OI_DAY + 10 * OI_MINUTE));
    oi_making_finish(&making);
    /* Hour 19 once more, as nothing came behind it until now; 20 to 24; and the other's. */
    assert_int_equal(making.hours.buckets.count, 6 + 1);
    assert_int_equal(making.days.buckets.count, 2 + 1);
    oi_ready_encode(&making.days, 4, &block);
    assert_ok(oi_ready_decode(oi_buffer_slice(&block), &found, &version, NULL));
    assert_int_equal(found.items[0].count, 144);
    assert_true(found.items[0].first.time == START);
    oi_vector_release(&found);
    oi_buffer_release(&block);
    /* Spoiled altogether, all begins anew. */
    oi_making_spoil(&making, 0);
    oi_making_turn(&making);
    add(&making, &first, START + OI_DAY - 1, START + OI_DAY, 2);
    assert_true(oi_making_has(&making, 1, START + OI_DAY, START + OI_DAY + 10 * OI_MINUTE));
    oi_making_release(&making);
}

/* Rows in any order of heights, in batches of any size, against the buckets made row by row. */
static void
batches_make_no_difference(void **state)
{
    struct oi_making making = {};
    struct oi_rollups wanted = {}, found = {};
    struct oi_buffer block = {};
    struct oi_random random;
    oi_time before = OI_TIME_NONE, time = START;
    uint64_t seed, version;

    (void) state;
    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int batch = 0; batch < 50; batch++) {
        struct oi_rows rows = {};

        for (uint64_t i = oi_random_below(&random, 40) + 1; i > 0; i--) {
            struct oi_observation reading = OI_OBSERVATION_NONE;

            time += (int64_t) oi_random_below(&random, 30) * OI_MINUTE + 1;
            reading.time = time;
            reading.open_interest = oi_decimal_from((int64_t) oi_random_below(&random, 50),
                                                    -(int) oi_random_below(&random, 2));
            reading.value_usd = oi_decimal_from((int64_t) i, 0);
            oi_rows_add(&rows, &reading, 1);
            oi_rollups_add(&wanted, OI_HOUR, &reading);
        }
        oi_making_add(&making, &first, before, &rows, 0, rows.count);
        before = time;
        oi_rows_release(&rows);
    }
    oi_making_finish(&making);
    oi_ready_encode(&making.hours, 1, &block);
    assert_ok(oi_ready_decode(oi_buffer_slice(&block), &found, &version, NULL));
    assert_int_equal(found.count, wanted.count);
    for (size_t i = 0; i < wanted.count; i++) {
        assert_true(found.items[i].start == wanted.items[i].start);
        assert_int_equal(found.items[i].count, wanted.items[i].count);
        assert_true(found.items[i].first.time == wanted.items[i].first.time);
        assert_true(found.items[i].high.time == wanted.items[i].high.time);
        assert_true(found.items[i].low.time == wanted.items[i].low.time);
        assert_true(found.items[i].last.time == wanted.items[i].last.time);
    }
    oi_vector_release(&wanted);
    oi_vector_release(&found);
    oi_buffer_release(&block);
    oi_making_release(&making);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_those_of_the_rows),
        cmocka_unit_test(what_is_not_whole_is_not_in_hand),
        cmocka_unit_test(what_others_touched_is_not_in_hand),
        cmocka_unit_test(a_turn_keeps_what_may_grow),
        cmocka_unit_test(batches_make_no_difference),
    };

    return cmocka_run_group_tests_name("clickhouse/making", tests, NULL, NULL);
}
