/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/making.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_those_of_the_rows),
        cmocka_unit_test(what_is_not_whole_is_not_in_hand),
        cmocka_unit_test(what_others_touched_is_not_in_hand),
    };

    return cmocka_run_group_tests_name("clickhouse/making", tests, NULL, NULL);
}
