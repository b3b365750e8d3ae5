/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch of so many rows that it is told without them, as another process over ClickHouse hears of
 * it: for a moment that one does not know where its series stand. Skipped where there is no
 * clickhouse-server.
 */
#include "store/remote.h"

#include "support/test_clickhouse.h"
#include "support/test_store.h"

#define UNTOLD_ROWS (OI_REMOTE_ROWS_TOLD + 1)
#define BOTH_ROWS 100

static void
append_untold(struct test_store *test)
{
    struct oi_row *rows = oi_alloc_zero(UNTOLD_ROWS + BOTH_ROWS, sizeof(*rows));
    struct oi_row ends[2];

    for (int i = 0; i < 2; i++)
        ends[i] = test_store_row(
            test->series[1], TEST_START - 3 * OI_DAY + (i * UNTOLD_ROWS * 2 - 1) * OI_SECOND, 1);
    (void) test_store_append(test, ends, 2);
    for (int i = 0; i < UNTOLD_ROWS + BOTH_ROWS; i++)
        rows[i] = test_store_row(test->series[i < UNTOLD_ROWS ? 1 : 0],
                                 TEST_START - 3 * OI_DAY + i % UNTOLD_ROWS * OI_SECOND, 7);
    (void) test_store_append(test, rows, UNTOLD_ROWS + BOTH_ROWS);
    oi_free(rows);
}

/* A store with such a batch, of which another process has not heard yet; its last batch. */
static uint64_t
begin_untold(struct test_store *test, const char *folder, struct oi_store **ret_other)
{
    test_store_begin(test, folder, "store", &test_clickhouse_engine);
    assert_ok(
        oi_store_series(test->store, test->instruments[1], test->history, &test->series[0], NULL));
    assert_ok(test_clickhouse_open(test->path, &test->options, ret_other, NULL));
    append_untold(test);
    return oi_store_last_batch(test->store);
}

/* They would be for ever, as nothing may touch that series any more. */
static void
sums_that_lack_a_series_are_not_kept(void **state)
{
    const struct oi_span span = { TEST_START - 3 * OI_DAY,
                                  TEST_START - 3 * OI_DAY + BOTH_ROWS * OI_SECOND };
    struct oi_store *other = NULL;
    struct test_store test;
    struct oi_sums sums = {};
    uint64_t last;
    int64_t until;

    last = begin_untold(&test, *state, &other);
    until = oi_clock_system.monotonic_ns(&oi_clock_system) + OI_MINUTE;
    for (unsigned more = 0; more < 3;) {
        assert_true(oi_clock_system.monotonic_ns(&oi_clock_system) < until);
        if (oi_store_sums(other, (const uint32_t[]){ test.series[0], test.series[1] }, 2, span,
                          &sums, NULL) == OI_OK)
            oi_sums_release(&sums);
        more += oi_store_last_batch(other) == last;
    }
    assert_ok(oi_store_follow(other, NULL));
    assert_ok(oi_store_sums(other, (const uint32_t[]){ test.series[0], test.series[1] }, 2, span,
                            &sums, NULL));
    assert_int_equal(sums.times.count, BOTH_ROWS);
    for (size_t i = 0; i < BOTH_ROWS; i++)
        assert_true(sums.is_whole.items[i] && sums.mantissas.items[i] == 14);
    oi_sums_release(&sums);
    oi_store_close(&other);
    test_store_close(&test);
}

static size_t
count_rows(struct oi_store *store, uint32_t series, struct oi_span span)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = span,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMN_OPEN_INTEREST };

    return test_store_count_of(store, &request);
}

/* Series 1 had rows before and behind, so that its new ones are found without knowing of them;
 * series 0 had none. Who has met the one meets the other. */
static void
rows_of_a_batch_are_seen_of_all_series_or_of_none(void **state)
{
    const struct oi_span span = { TEST_START - 3 * OI_DAY,
                                  TEST_START - 3 * OI_DAY + BOTH_ROWS * OI_SECOND };
    struct oi_store *other = NULL;
    struct test_store test;
    uint64_t last;
    int64_t until;
    size_t rows = 0, seen = 0;

    last = begin_untold(&test, *state, &other);
    until = oi_clock_system.monotonic_ns(&oi_clock_system) + OI_MINUTE;
    do {
        assert_true(oi_clock_system.monotonic_ns(&oi_clock_system) < until);
        rows = count_rows(other, test.series[1], span);
        assert_true(rows == 0 || rows == BOTH_ROWS);
        seen += rows > 0;
        if (rows > 0)
            assert_int_equal(count_rows(other, test.series[0], span), BOTH_ROWS);
    } while (seen < 5);
    assert_true(oi_store_last_batch(other) == last);
    oi_store_close(&other);
    test_store_close(&test);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_of_a_batch_are_seen_of_all_series_or_of_none,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(sums_that_lack_a_series_are_not_kept, test_folder_setup,
                                        test_folder_teardown),
    };
    int failed;

    if (!test_clickhouse_start())
        return 0;
    test_store_opener = test_clickhouse_open;
    failed = cmocka_run_group_tests_name("contract/store_untold", tests, NULL, NULL);
    test_clickhouse_stop();
    return failed;
}
