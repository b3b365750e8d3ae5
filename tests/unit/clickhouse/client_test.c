/* SPDX-License-Identifier: Apache-2.0 */
/* What ClickHouse says when it refuses, wherever in an answer it stands. */
#include "clickhouse/client.h"

#include "support/test.h"

static void
an_exception_is_found_behind_half_an_answer(void **state)
{
    struct oi_slice text;

    (void) state;
    assert_int_equal(
        oi_clickhouse_exception(
            OI_SLICE("Code: 81, e.displayText() = DB::Exception: Database nope doesn't exist, "
                     "e.what() = DB::Exception\n"),
            &text),
        81);
    assert_true(oi_slice_is(text, "Database nope doesn't exist"));
    assert_int_equal(oi_clickhouse_exception(
                         OI_SLICE("\1\2rowsrowsCode: 241. DB::Exception: Memory limit exceeded. "
                                  "(MEMORY_LIMIT_EXCEEDED) (version 24.8)"),
                         &text),
                     241);
    assert_int_equal(
        oi_clickhouse_exception(OI_SLICE("Code: 999, e.displayText() = Coordination::Exception: "
                                         "Session expired, e.what() = Coordination::Exception"),
                                &text),
        999);
    assert_true(oi_slice_is(text, "Session expired"));
    assert_int_equal(oi_clickhouse_exception(OI_SLICE("\1\2rows and no more"), &text), 0);
    assert_int_equal(oi_clickhouse_exception(OI_SLICE(""), &text), 0);
    assert_int_equal(
        oi_clickhouse_exception(
            OI_SLICE("Code: 75, e.displayText() = DB::ErrnoException: Cannot write to file a, "
                     "errno: 28, strerror: No space left on device, e.what() = "
                     "DB::ErrnoException"),
            &text),
        75);
    assert_true(
        oi_slice_is(text, "Cannot write to file a, errno: 28, strerror: No space left on device"));
    assert_int_equal(
        oi_clickhouse_exception(OI_SLICE("Poco::Exception. Code: 1000, e.code() = 28, "
                                         "e.displayText() = File exception: no space left on "
                                         "device: a, e.what() = File exception"),
                                &text),
        1000);
    assert_true(oi_slice_is(text, "File exception: no space left on device: a"));
    assert_int_equal(oi_clickhouse_exception(OI_SLICE("DB::Exception without a code"), &text), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exception_is_found_behind_half_an_answer),
    };

    return cmocka_run_group_tests_name("clickhouse/client", tests, NULL, NULL);
}
