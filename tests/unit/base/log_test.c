/* SPDX-License-Identifier: Apache-2.0 */
/* The log, read back from a stderr that is a file for the while. */
#include "base/log.h"

#include "base/clock.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NS_A_SECOND INT64_C(1'000'000'000)

static struct oi_virtual_clock test_clock;
static FILE *captured;
static int real_stderr;

static int
capture(void **)
{
    captured = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    if (!captured || real_stderr < 0 || dup2(fileno(captured), STDERR_FILENO) < 0)
        return -1;
    /* 2026-03-07T00:00:00.007Z */
    oi_virtual_clock_init(&test_clock, INT64_C(1'772'841'600'007'999'999));
    oi_log_set_clock(&test_clock.clock);
    oi_log_set_level(OI_LOG_INFO);
    return 0;
}

static int
release(void **)
{
    oi_log_set_clock(NULL);
    (void) dup2(real_stderr, STDERR_FILENO);
    (void) close(real_stderr);
    return fclose(captured);
}

/* What was logged since the test began. */
static const char *
logged(void)
{
    static char text[8192];
    ssize_t size = pread(fileno(captured), text, sizeof(text) - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void
a_line_has_time_level_event_and_keys(void **)
{
    oi_log(OI_LOG_WARN, "exchange.refused", "exchange=%s retry_ms=%d", "binance", 500);
    assert_string_equal(logged(), "2026-03-07T00:00:00.007Z warn exchange.refused "
                                  "exchange=binance retry_ms=500\n");
}

static void
times_are_right_at_the_ends_of_years(void **)
{
    oi_virtual_clock_init(&test_clock, INT64_C(951'868'799) * NS_A_SECOND);
    oi_log(OI_LOG_INFO, "a", "%s", "");
    oi_virtual_clock_init(&test_clock, -1);
    oi_log(OI_LOG_INFO, "b", "%s", "");
    assert_string_equal(logged(), "2000-02-29T23:59:59.000Z info a\n"
                                  "1969-12-31T23:59:59.999Z info b\n");
}

static void
less_urgent_levels_are_silent(void **)
{
    oi_log(OI_LOG_DEBUG, "quiet", "n=%d", 1);
    assert_string_equal(logged(), "");
    oi_log_set_level(OI_LOG_DEBUG);
    assert_int_equal(oi_log_level(), OI_LOG_DEBUG);
    oi_log(OI_LOG_DEBUG, "loud", "n=%d", 1);
    assert_non_null(strstr(logged(), "debug loud n=1\n"));
}

static void
a_message_cannot_forge_a_line(void **)
{
    oi_log(OI_LOG_ERROR, "server.odd", "path=%s", "a\n2026 error b\x1B[2J");
    assert_non_null(strstr(logged(), "path=a?2026 error b?[2J\n"));
    assert_ptr_equal(strchr(logged(), '\n'), strrchr(logged(), '\n'));
}

static void
a_long_line_is_cut(void **)
{
    oi_log(OI_LOG_INFO, "long", "text=%05000d", 1);
    assert_in_range(strlen(logged()), 1000, 1025);
    assert_int_equal(logged()[strlen(logged()) - 1], '\n');
}

static void
what_repeats_is_counted_and_told_after_a_minute(void **)
{
    for (int i = 0; i < 5; i++)
        oi_log_throttled(OI_LOG_WARN, "exchange.slow", "okx", "exchange=%s", "okx");
    oi_log_throttled(OI_LOG_WARN, "exchange.slow", "bybit", "exchange=%s", "bybit");
    oi_virtual_clock_advance(&test_clock, 59 * NS_A_SECOND);
    oi_log_throttled(OI_LOG_WARN, "exchange.slow", "okx", "exchange=%s", "okx");
    oi_virtual_clock_advance(&test_clock, 1 * NS_A_SECOND);
    oi_log_throttled(OI_LOG_WARN, "exchange.slow", "okx", "exchange=%s", "okx");
    oi_log_throttled(OI_LOG_WARN, "exchange.slow", "okx", "exchange=%s", "okx");
    assert_string_equal(logged(),
                        "2026-03-07T00:00:00.007Z warn exchange.slow exchange=okx\n"
                        "2026-03-07T00:00:00.007Z warn exchange.slow exchange=bybit\n"
                        "2026-03-07T00:01:00.007Z warn exchange.slow exchange=okx repeated=5\n");
}

static void
many_different_keys_keep_working(void **)
{
    char key[32];

    oi_log_set_level(OI_LOG_ERROR);
    for (int i = 0; i < 10'000; i++) {
        (void) snprintf(key, sizeof(key), "k%d", i);
        oi_log_throttled(OI_LOG_WARN, "noise", key, "n=%d", i);
    }
    assert_string_equal(logged(), "");
    oi_log_set_level(OI_LOG_WARN);
    for (int i = 0; i < 5'000; i++) {
        (void) snprintf(key, sizeof(key), "k%d", i);
        oi_log_throttled(OI_LOG_WARN, "noise", key, "n=%d", i);
    }
    assert_non_null(strstr(logged(), "noise n=0\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_event_and_keys, capture, release),
        cmocka_unit_test_setup_teardown(times_are_right_at_the_ends_of_years, capture, release),
        cmocka_unit_test_setup_teardown(less_urgent_levels_are_silent, capture, release),
        cmocka_unit_test_setup_teardown(a_message_cannot_forge_a_line, capture, release),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut, capture, release),
        cmocka_unit_test_setup_teardown(what_repeats_is_counted_and_told_after_a_minute, capture,
                                        release),
        cmocka_unit_test_setup_teardown(many_different_keys_keep_working, capture, release),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
