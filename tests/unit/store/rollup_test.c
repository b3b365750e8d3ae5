/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/column.h"
#include "store/chunk.h"
#include "store/rollup.h"
#include "store/store_internal.h"

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

static enum oi_status
collect(void *context, const struct oi_rollup *rollup)
{
    struct oi_rollups *rollups = context;

    oi_vector_push(rollups, *rollup);
    return OI_OK;
}

/* The first block of a series as version 1 has it: of whole rows. */
static void
put_version_1(struct test_store *test, const struct oi_rollups *rollups, int64_t interval_ns)
{
    const struct oi_key key =
        oi_key_of_rollup(test->series[2], interval_ns == OI_DAY ? 2 : 1,
                         oi_rollup_block(interval_ns, rollups->items[0].start));
    struct oi_buffer value = {}, chunk = {};
    struct oi_rows_columns columns = {};
    struct oi_access access;
    int64_t numbers[256];

    oi_seal_begin(&value);
    oi_buffer_add_u16(&value, (uint16_t) rollups->count);
    for (size_t i = 0; i < rollups->count; i++)
        numbers[i] = rollups->items[i].start;
    oi_column_encode(numbers, rollups->count, &value);
    for (size_t i = 0; i < rollups->count; i++)
        numbers[i] = rollups->items[i].count;
    oi_column_encode(numbers, rollups->count, &value);
    for (unsigned part = 0; part < 4; part++) {
        struct oi_rows rows = {};

        for (size_t i = 0; i < rollups->count; i++) {
            const struct oi_rollup *rollup = &rollups->items[i];
            const struct oi_observation *const parts[] = { &rollup->first, &rollup->high,
                                                           &rollup->low, &rollup->last };
            struct oi_observation whole = *parts[part];

            whole.known_time = whole.time + OI_SECOND;
            whole.exchange_time = whole.time - OI_SECOND;
            whole.mark_price = oi_decimal_from(7, 0);
            oi_rows_add(&rows, &whole, 0);
        }
        oi_rows_columns_fill(&columns, &rows, 0, rows.count, OI_COLUMNS_ALL);
        oi_buffer_clear(&chunk);
        oi_chunk_encode(oi_key_slice(&key), &columns.columns, NULL, &chunk);
        oi_buffer_add_u32(&value, (uint32_t) chunk.size);
        oi_buffer_add_slice(&value, oi_buffer_slice(&chunk));
        oi_rows_release(&rows);
    }
    assert_ok(oi_access_begin(&access, test->store, OI_KV_WRITE, NULL));
    assert_ok(oi_access_put(&access, OI_TABLE_ROLLUP, oi_key_slice(&key), &value, NULL));
    assert_ok(oi_access_commit(&access, NULL));
    oi_access_end(&access);
    oi_rows_columns_release(&columns);
    oi_buffer_release(&chunk);
    oi_buffer_release(&value);
}

/* The version byte of each stored block, in the order of keys. */
static size_t
list_versions(struct test_store *test, unsigned char versions[4])
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    struct oi_access access;
    size_t count = 0;

    assert_ok(oi_access_begin(&access, test->store, OI_KV_READ, NULL));
    assert_ok(oi_kv_memory.cursor_open(access.txn, OI_TABLE_ROLLUP, &cursor, NULL));
    for (enum oi_status status = oi_kv_memory.seek(cursor, (struct oi_slice){}, &key, &value, NULL);
         status == OI_OK; status = oi_kv_memory.next(cursor, &key, &value, NULL)) {
        assert_in_range(count, 0, 3);
        versions[count++] = (unsigned char) value.data[0];
    }
    oi_kv_memory.cursor_close(&cursor);
    oi_access_end(&access);
    return count;
}

/* Rows of a minute each, with the mark price that put_version_1 says. */
static void
append_minutes(struct test_store *test, int from, int to)
{
    for (int minute = from; minute < to; minute++) {
        struct oi_row row =
            test_store_row(test->series[2], TEST_START + minute * OI_MINUTE, 100 + minute * 7 % 31);

        row.reading.mark_price = oi_decimal_from(7, 0);
        (void) test_store_append(test, &row, 1);
    }
    test_store_checkpoint(test);
}

static void
blocks_of_whole_rows_are_read_and_replaced(void **state)
{
    struct oi_rollups hours = {}, days = {}, again = {};
    struct oi_verify_report report = {};
    unsigned char versions[4];
    struct test_store test;

    test_store_begin(&test, *state, "store", &oi_kv_memory);
    append_minutes(&test, 0, 200);
    assert_int_equal(list_versions(&test, versions), 2);
    assert_memory_equal(versions, "\x02\x02", 2);
    assert_ok(
        oi_store_rollups(test.store, test.series[2], OI_HOUR, OI_SPAN_ALL, collect, &hours, NULL));
    assert_ok(
        oi_store_rollups(test.store, test.series[2], OI_DAY, OI_SPAN_ALL, collect, &days, NULL));
    put_version_1(&test, &hours, OI_HOUR);
    put_version_1(&test, &days, OI_DAY);
    assert_int_equal(list_versions(&test, versions), 2);
    assert_memory_equal(versions, "\x01\x01", 2);
    assert_ok(oi_store_verify(test.store, NULL, NULL, &report, NULL));
    assert_int_equal(report.faults, 0);
    assert_ok(
        oi_store_rollups(test.store, test.series[2], OI_HOUR, OI_SPAN_ALL, collect, &again, NULL));
    assert_int_equal(again.count, hours.count);
    for (size_t i = 0; i < again.count; i++) {
        assert_int_equal(again.items[i].last.time, hours.items[i].last.time);
        assert_true(oi_decimal_equal(&again.items[i].high.open_interest,
                                     &hours.items[i].high.open_interest));
        assert_true(
            oi_decimal_equal(&again.items[i].last.mark_price, &hours.items[i].last.mark_price));
    }
    append_minutes(&test, 200, 300);
    assert_int_equal(list_versions(&test, versions), 2);
    assert_memory_equal(versions, "\x02\x02", 2);
    assert_ok(oi_store_verify(test.store, NULL, NULL, &report, NULL));
    assert_int_equal(report.faults, 0);
    test_store_close(&test);
    oi_vector_release(&hours);
    oi_vector_release(&days);
    oi_vector_release(&again);
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
        cmocka_unit_test_setup_teardown(blocks_of_whole_rows_are_read_and_replaced,
                                        test_folder_setup, test_folder_teardown),
    };
    return cmocka_run_group_tests_name("store/rollup", tests, NULL, NULL);
}
