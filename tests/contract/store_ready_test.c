/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours and days that are ready made in ClickHouse, damaged behind the store's back: verifying
 * makes them anew and names each wrong one. Skipped where there is no clickhouse-server.
 */
#include "base/buffer.h"
#include "clickhouse/clickhouse.h"
#include "clickhouse/client.h"

#include "support/test_clickhouse.h"
#include "support/test_store.h"

/* Hours of four rows, from TEST_START - OI_DAY on. */
#define HOURS 40
#define HOUR_ROWS 4
/* The hour with this number has no row. */
#define EMPTY_HOUR 10

struct stage {
    struct test_store test;
    struct oi_clickhouse_client *client;
    struct oi_buffer faults; /* a line each */
    size_t count;
};

static void
keep_fault(void *context, const char *what)
{
    struct stage *stage = context;

    oi_buffer_add_format(&stage->faults, "%s\n", what);
    stage->count++;
}

static void
run(const struct stage *stage, const char *statement)
{
    const struct oi_clickhouse_call call = { .statement = statement };
    struct oi_error error = {};

    if (oi_clickhouse_run(stage->client, &call, NULL, &error) != OI_OK)
        fail_msg("%s: %s", statement, error.message);
}

static void
append_hours(struct stage *stage, uint32_t series, int from, int to)
{
    struct oi_row rows[HOURS * HOUR_ROWS];
    size_t count = 0;

    for (int hour = from; hour < to; hour++)
        for (int i = 0; i < HOUR_ROWS && hour != EMPTY_HOUR; i++)
            rows[count++] = test_store_row(series, test_store_minute(hour * 60 + i * 15),
                                           1000 + (hour * 7 + i * 3) % 17);
    (void) test_store_append(&stage->test, rows, count);
}

/* What is ready made is filled; then one more event makes room for a newer version, and touches a
 * later hour alone. */
static void
begin(struct stage *stage, void **state)
{
    struct oi_clickhouse_address address;
    char text[200];

    memset(stage, 0, sizeof(*stage));
    test_store_begin(&stage->test, *state, "store", &test_clickhouse_engine);
    test_clickhouse_address_of(stage->test.path, text, sizeof(text));
    assert_ok(oi_clickhouse_address_parse(text, &address, NULL));
    assert_ok(oi_clickhouse_client_new(&address, &stage->client, NULL));
    append_hours(stage, stage->test.series[2], 0, HOURS / 2);
    append_hours(stage, stage->test.series[0], 0, HOURS);
    assert_ok(oi_store_follow(stage->test.store, NULL));
    assert_ok(oi_clickhouse_ask(stage->client, "SELECT count() FROM rollup_hour", text,
                                sizeof(text), NULL));
    assert_string_equal(text, "59"); /* 39 and 19, and the one that says that they are there */
    append_hours(stage, stage->test.series[0], HOURS, HOURS + 1);
}

static void
end(struct stage *stage)
{
    oi_buffer_release(&stage->faults);
    oi_clickhouse_client_free(&stage->client);
    test_store_close(&stage->test);
}

/* A fresh process, as `oi verify` is one. */
static struct oi_verify_report
verify(struct stage *stage, enum oi_status expected)
{
    struct oi_verify_report report = {};
    struct oi_error error = {};

    oi_buffer_clear(&stage->faults);
    stage->count = 0;
    oi_store_close(&stage->test.store);
    stage->test.options.is_read_only = true;
    test_store_open(&stage->test);
    assert_status(oi_store_verify(stage->test.store, keep_fault, stage, &report, &error), expected);
    oi_buffer_add_char(&stage->faults, 0);
    if (expected != OI_OK)
        assert_non_null(strstr(error.message, "hours and days are not what their rows say"));
    return report;
}

static void
assert_faults(const struct stage *stage, const char *faults)
{
    assert_string_equal(stage->faults.data, faults);
}

static void
what_is_right_is_compared_and_named_nowhere(void **state)
{
    struct stage stage;
    struct oi_verify_report report;

    begin(&stage, state);
    report = verify(&stage, OI_OK);
    assert_faults(&stage, "");
    /* 39 and 19 hours, and a day of each: the second one was touched since. */
    assert_int_equal(report.rollups, 39 + 19 + 1 + 1);
    end(&stage);
}

static void
figures_that_the_rows_do_not_have_are_named(void **state)
{
    struct stage stage;

    begin(&stage, state);
    /* The figures of the hour after, and one row more. */
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start - 3600000000000, version + "
                "1, count, rows FROM rollup_hour WHERE start = 1767150000000000000 AND feed = 1");
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start, version + 1, count + 1, "
                "rows FROM rollup_hour WHERE start = 1767157200000000000 AND feed = 3");
    (void) verify(&stage, OI_E_CORRUPT);
    assert_faults(&stage,
                  "the hour 2025-12-31T02:00:00Z of example:linear:MARKET0, feed live, is stored "
                  "with other figures than its rows have\n"
                  "the hour 2025-12-31T05:00:00Z of example:linear:MARKET0, feed import:file, is "
                  "stored with 5 rows, though it has 4\n");
    end(&stage);
}

static void
an_hour_that_is_missing_and_one_too_many_are_told_apart(void **state)
{
    struct stage stage;

    begin(&stage, state);
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start + 3600000000000, version, "
                "count, rows FROM rollup_hour WHERE start = 1767171600000000000 AND feed = 1");
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start, version + 1, 0, '' FROM "
                "rollup_hour WHERE start = 1767157200000000000 AND feed = 1");
    run(&stage, "CREATE TABLE other AS rollup_day");
    run(&stage, "INSERT INTO other SELECT * FROM rollup_day WHERE feed != 3");
    run(&stage, "DROP TABLE rollup_day");
    run(&stage, "RENAME TABLE other TO rollup_day");
    (void) verify(&stage, OI_E_CORRUPT);
    assert_faults(&stage,
                  "the hour 2025-12-31T05:00:00Z of example:linear:MARKET0, feed live, is stored "
                  "as empty, though it has 4 rows\n"
                  "the hour 2025-12-31T10:00:00Z of example:linear:MARKET0, feed live, is stored "
                  "with 4 rows, though it has none\n"
                  "the day 2025-12-31T00:00:00Z of example:linear:MARKET0, feed import:file, is "
                  "not stored, though it has 76 rows\n");
    end(&stage);
}

/* Readers make them of rows for ever. */
static void
an_hour_as_of_an_event_that_is_not_there_is_named(void **state)
{
    struct stage stage;

    begin(&stage, state);
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start, 999, count, rows FROM "
                "rollup_hour WHERE start = 1767157200000000000 AND feed = 1");
    (void) verify(&stage, OI_E_CORRUPT);
    assert_faults(&stage,
                  "the hour 2025-12-31T05:00:00Z of example:linear:MARKET0, feed live, is stored "
                  "as of event 999, which is not there\n");
    end(&stage);
}

/* What was touched since they were filled is read from rows, so nothing stored of it counts. */
static void
what_no_reader_uses_is_not_named(void **state)
{
    struct stage stage;

    begin(&stage, state);
    append_hours(&stage, stage.test.series[1], 0, 1);
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start + 36000000000000, version, "
                "count, rows FROM rollup_hour WHERE start = 1767276000000000000 AND feed = 1");
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, 2, start, version, count, rows FROM "
                "rollup_hour WHERE feed = 1");
    (void) verify(&stage, OI_OK);
    assert_faults(&stage, "");
    end(&stage);
}

/* Batches are counted some at a time. */
static void
a_batch_that_lacks_a_row_is_named(void **state)
{
    struct stage stage;
    struct oi_verify_report report = {};
    struct oi_error error = {};

    begin(&stage, state);
    run(&stage, "CREATE TABLE other AS readings");
    run(&stage, "INSERT INTO other SELECT * FROM readings WHERE NOT (batch = 2 AND time = "
                "1767157200000000000)");
    run(&stage, "DROP TABLE readings");
    run(&stage, "RENAME TABLE other TO readings");
    assert_status(oi_store_verify(stage.test.store, keep_fault, &stage, &report, &error),
                  OI_E_CORRUPT);
    oi_buffer_add_char(&stage.faults, 0);
    assert_string_equal(error.message, "1 batches are not whole");
    assert_non_null(strstr(stage.faults.data, "batch 2 has 155 rows in ClickHouse, not 156\n"));
    /* So have its hour and its day. */
    assert_int_equal(stage.count, 3);
    end(&stage);
}

/* As docs/operating-clickhouse.md says. */
static void
what_is_damaged_is_made_anew_once_it_is_emptied(void **state)
{
    struct stage stage;
    struct oi_verify_report report;

    begin(&stage, state);
    run(&stage, "INSERT INTO rollup_hour SELECT instrument, feed, start - 3600000000000, version + "
                "1, count, rows FROM rollup_hour WHERE start = 1767150000000000000 AND feed = 1");
    (void) verify(&stage, OI_E_CORRUPT);
    oi_store_close(&stage.test.store);
    run(&stage, "TRUNCATE TABLE rollup_hour");
    run(&stage, "TRUNCATE TABLE rollup_day");
    stage.test.options.is_read_only = false;
    test_store_open(&stage.test);
    append_hours(&stage, stage.test.series[0], HOURS + 1, 2 * HOURS);
    assert_ok(oi_store_follow(stage.test.store, NULL));
    report = verify(&stage, OI_OK);
    assert_int_equal(report.rollups, 79 + 19 + 4 + 1);
    end(&stage);
}

int
main(void)
{
#define READY_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        READY_TEST(what_is_right_is_compared_and_named_nowhere),
        READY_TEST(figures_that_the_rows_do_not_have_are_named),
        READY_TEST(an_hour_that_is_missing_and_one_too_many_are_told_apart),
        READY_TEST(an_hour_as_of_an_event_that_is_not_there_is_named),
        READY_TEST(what_no_reader_uses_is_not_named),
        READY_TEST(a_batch_that_lacks_a_row_is_named),
        READY_TEST(what_is_damaged_is_made_anew_once_it_is_emptied),
    };
    int failed;

    if (!test_clickhouse_start())
        return 0;
    test_store_opener = test_clickhouse_open;
    failed = cmocka_run_group_tests_name("contract/store_ready", tests, NULL, NULL);
    test_clickhouse_stop();
    return failed;
}
