/* SPDX-License-Identifier: Apache-2.0 */
/* The line of progress as a text, and that a meter without a terminal says nothing. */
#include "cli/meter.h"

#include "base/compiler.h"

#include "support/test.h"

#define SECOND INT64_C(1'000'000'000)

static void
expect(const struct oi_progress *progress, const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    oi_progress_write(progress, &text);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void
tells_part_rate_and_time_left(void **)
{
    struct oi_progress progress = { .label = "a.csv",
                                    .done = 25,
                                    .total = 100,
                                    .count = 5000,
                                    .unit = "rows",
                                    .elapsed_ns = 10 * SECOND - 1'000'000,
                                    .left_ns = -1 };

    expect(&progress,
           "a.csv [#######                       ]  25%  5000 rows  500 rows/s  30 s left");
    progress.left_ns = 600 * SECOND;
    progress.unit = "bytes";
    progress.count = 25'000'000;
    expect(&progress, "a.csv [#######                       ]  25%  2.5 MB/s  10 min left");
    progress.left_ns = 3 * 3600 * SECOND;
    progress.done = 200; /* more than was thought */
    expect(&progress, "a.csv [##############################] 100%  2.5 MB/s  3 h left");
    progress.total = 0;
    progress.left_ns = -1;
    expect(&progress, "a.csv  2.5 MB/s  9 s so far");
}

static void
nothing_is_divided_by_nothing(void **)
{
    expect(&(struct oi_progress){ .label = "x", .unit = "rows", .total = 5, .left_ns = -1 },
           "x [                              ]   0%  0 rows  0 rows/s  0 s so far");
}

static void
is_silent_without_a_terminal(void **)
{
    struct oi_meter *meter = oi_meter_new("x", "rows");

    oi_meter_show(meter, 1, 2, 1, -1);
    oi_meter_watch(meter, "/dev/null", 5);
    oi_meter_clear(meter);
    oi_meter_free(&meter);
    oi_meter_free(&meter);
    assert_null(meter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_part_rate_and_time_left),
        cmocka_unit_test(nothing_is_divided_by_nothing),
        cmocka_unit_test(is_silent_without_a_terminal),
    };

    return cmocka_run_group_tests_name("cli/meter", tests, NULL, NULL);
}
