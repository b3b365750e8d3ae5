/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rollup.h"

#include "support/test_store.h"

static struct oi_observation
reading_at(oi_time time, int64_t value)
{
    return test_store_row(1, time, value).reading;
}

static void
a_bucket_keeps_its_four_rows(void **)
{
    const int64_t values[] = { 5, 9, 2, 9, 2, 4 };
    struct oi_rollups rollups = {};

    for (size_t i = 0; i < OI_COUNT(values); i++) {
        const struct oi_observation reading = reading_at((oi_time) i * OI_MINUTE, values[i]);

        oi_rollups_add(&rollups, OI_HOUR, &reading);
    }
    assert_int_equal(rollups.count, 1);
    assert_int_equal(rollups.items[0].count, 6);
    assert_int_equal(rollups.items[0].first.time, 0);
    assert_int_equal(rollups.items[0].high.time, OI_MINUTE);    /* the first of equals */
    assert_int_equal(rollups.items[0].low.time, 2 * OI_MINUTE); /* too */
    assert_int_equal(rollups.items[0].last.time, 5 * OI_MINUTE);
    oi_vector_release(&rollups);
}

static void
buckets_before_1970_start_on_whole_hours_too(void **)
{
    const struct oi_observation one = reading_at(-1, 1), other = reading_at(0, 1);
    struct oi_rollups rollups = {};

    oi_rollups_add(&rollups, OI_HOUR, &one);
    oi_rollups_add(&rollups, OI_HOUR, &other);
    assert_int_equal(rollups.count, 2);
    assert_int_equal(rollups.items[0].start, -OI_HOUR);
    assert_int_equal(rollups.items[1].start, 0);
    oi_vector_release(&rollups);
}

struct seen {
    size_t count;
    uint64_t rows;
    oi_time last;
};

static enum oi_status
see(void *context, const struct oi_rollup *rollup)
{
    struct seen *seen = context;

    assert_true(seen->count == 0 || rollup->start > seen->last);
    seen->last = rollup->start;
    seen->rows += rollup->count;
    return ++seen->count == 40 ? OI_E_CANCELLED : OI_OK;
}

static void
the_walk_crosses_blocks_and_ends_when_told(void **state)
{
    struct test_store test;
    struct seen seen = {};

    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int day = 0; day < 30; day++) {
        struct oi_row row = test_store_row(test.series[2], TEST_START - day * OI_DAY, day);

        (void) test_store_append(&test, &row, 1);
        if (day == 20)
            test_store_checkpoint(&test);
    }
    assert_ok(oi_store_rollups(test.store, test.series[2], OI_HOUR, OI_SPAN_ALL, see, &seen, NULL));
    assert_int_equal(seen.count, 30);
    assert_int_equal(seen.rows, 30);
    seen = (struct seen){ .count = 39 - 4 };
    assert_status(
        oi_store_rollups(test.store, test.series[2], OI_DAY, OI_SPAN_ALL, see, &seen, NULL),
        OI_E_CANCELLED);
    assert_int_equal(seen.rows, 5);
    assert_status(
        oi_store_rollups(test.store, test.series[2], OI_MINUTE, OI_SPAN_ALL, see, &seen, NULL),
        OI_E_INVALID);
    test_store_close(&test);
}

/* Hours of hourly rows would cost more than the rows: they are made when asked for. */
static void
hours_of_hourly_rows_are_not_stored(void **state)
{
    struct oi_verify_report report = {};
    struct test_store test;
    struct seen seen;

    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int hour = 0; hour < 24 * 20; hour++) {
        struct oi_row row = test_store_row(test.series[2], TEST_START + hour * OI_HOUR, hour);

        (void) test_store_append(&test, &row, 1);
        if (hour % 50 == 0)
            test_store_checkpoint(&test);
    }
    test_store_checkpoint(&test);
    assert_ok(oi_store_verify(test.store, NULL, NULL, &report, NULL));
    assert_int_equal(report.rollups, 20); /* the days */
    seen = (struct seen){ .count = 100, .last = OI_TIME_NONE };
    assert_ok(oi_store_rollups(test.store, test.series[2], OI_HOUR, OI_SPAN_ALL, see, &seen, NULL));
    assert_int_equal(seen.rows, 24 * 20);
    assert_int_equal(seen.count, 100 + 24 * 20);
    test_store_close(&test);
}

/* A block that was not stored while it had few rows holds them all once it pays. */
static void
a_block_is_stored_whole_once_it_pays(void **state)
{
    struct oi_verify_report report = {};
    struct test_store test;
    struct seen seen = { .count = 100, .last = OI_TIME_NONE };

    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int hour = 0; hour < 24; hour++) {
        struct oi_row row = test_store_row(test.series[2], TEST_START + hour * OI_HOUR, hour);

        (void) test_store_append(&test, &row, 1);
    }
    test_store_checkpoint(&test);
    for (int minute = 0; minute < 300; minute++) {
        struct oi_row row =
            test_store_row(test.series[2], TEST_START + OI_DAY + minute * OI_MINUTE, minute);

        (void) test_store_append(&test, &row, 1);
    }
    test_store_checkpoint(&test);
    assert_ok(oi_store_verify(test.store, NULL, NULL, &report, NULL));
    assert_int_equal(report.rollups, 24 + 5 + 2);
    assert_ok(oi_store_rollups(test.store, test.series[2], OI_HOUR, OI_SPAN_ALL, see, &seen, NULL));
    assert_int_equal(seen.rows, 324);
    test_store_close(&test);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_keeps_its_four_rows),
        cmocka_unit_test(buckets_before_1970_start_on_whole_hours_too),
        cmocka_unit_test_setup_teardown(the_walk_crosses_blocks_and_ends_when_told,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(hours_of_hourly_rows_are_not_stored, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test_setup_teardown(a_block_is_stored_whole_once_it_pays, test_folder_setup,
                                        test_folder_teardown),
    };
    return cmocka_run_group_tests_name("store/rollup", tests, NULL, NULL);
}
