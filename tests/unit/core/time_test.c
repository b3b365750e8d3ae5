/* SPDX-License-Identifier: Apache-2.0 */
/* What times promise of units, calendars, text and buckets. */
#include "core/time.h"

#include "support/test.h"

#include "base/random.h"

#include <string.h>

static oi_time
instant(const char *text)
{
    oi_time time;

    assert_ok(oi_time_parse_utc(oi_slice_of(text), &time, NULL));
    return time;
}

static void
assert_writes(oi_time time, int fraction_digits, const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_time_write(time, fraction_digits, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data, expected);
}

static void
refuses_units_that_do_not_fit(void **)
{
    oi_time time = 7;

    assert_ok(oi_time_from_ms(1'772'841'600'123, &time, NULL));
    assert_int_equal(time, 1'772'841'600'123'000'000);
    time = 7;
    assert_status(oi_time_from_s(INT64_MAX / OI_SECOND + 1, &time, NULL), OI_E_INVALID);
    assert_status(oi_time_from_ms(INT64_MIN, &time, NULL), OI_E_INVALID);
    assert_status(oi_time_from_us(INT64_MAX, &time, NULL), OI_E_INVALID);
    assert_int_equal(time, 7);
}

static void
rounds_down_also_before_1970(void **)
{
    assert_int_equal(oi_time_to_s(-1), -1);
    assert_int_equal(oi_time_to_ms(-1'000'001), -2);
    assert_int_equal(oi_time_to_us(1'999), 1);
    assert_int_equal(oi_time_to_s(-OI_SECOND), -1);
}

static void
reads_every_form_of_iso_8601_on_our_wires(void **)
{
    static const struct {
        const char *text, *written;
    } forms[] = {
        { "2026-03-07", "2026-03-07T00:00:00.000000000Z" },
        { "20260307", "2026-03-07T00:00:00.000000000Z" },
        { "2026-03-07Z", "2026-03-07T00:00:00.000000000Z" },
        { "2026-03-07T12:34", "2026-03-07T12:34:00.000000000Z" },
        { "2026-03-07 12:34:56", "2026-03-07T12:34:56.000000000Z" },
        { "2026-03-07T123456", "2026-03-07T12:34:56.000000000Z" },
        { "2026-03-07T12:34:56.7", "2026-03-07T12:34:56.700000000Z" },
        { "2026-03-07T12:34:56.123456789Z", "2026-03-07T12:34:56.123456789Z" },
        { "2026-03-07T123456.12345678Z", "2026-03-07T12:34:56.123456780Z" },
        { "2026-03-07T12:34:56+02", "2026-03-07T10:34:56.000000000Z" },
        { "2026-03-07T12:34:56-0530", "2026-03-07T18:04:56.000000000Z" },
        { "2026-03-07T12:34:56.5+00:00", "2026-03-07T12:34:56.500000000Z" },
        { "2019-10-19 01:00:00 UTC", "2019-10-19T01:00:00.000000000Z" },
        { "2024-02-29", "2024-02-29T00:00:00.000000000Z" },
        { "1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z" },
        { "1677-09-21T00:12:43.145224193Z", "1677-09-21T00:12:43.145224193Z" },
        { "2262-04-11T23:47:16.854775806Z", "2262-04-11T23:47:16.854775806Z" },
    };

    for (size_t i = 0; i < OI_COUNT(forms); i++)
        assert_writes(instant(forms[i].text), 9, forms[i].written);
}

static void
refuses_what_is_no_time(void **)
{
    static const char *const texts[] = {
        "",
        "now",
        "1772841600",
        "2026-3-7",
        "2026-0307",
        "202603-07",
        "2026-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-04-31",
        "2026-03-07T",
        "2026-03-07T24:00:00",
        "2026-03-07T12:60:00",
        "2026-03-07T12:00:60",
        "2026-03-07T12",
        "2026-03-07T1234",
        "2026-03-07T12:34.5",
        "2026-03-07T12:34:56.",
        "2026-03-07T12:34:56.1234567890",
        "2026-03-07T12:34:56,5",
        "2026-03-07T12:34:56z",
        "2026-03-07T12:34:56ZZ",
        "2026-03-07T12:34:56+",
        "2026-03-07T12:34:56+2",
        "2026-03-07T12:34:56+02:0",
        "2026-03-07T12:34:56+24:00",
        "2026-03-07t12:34:56",
        "2026-03-07  12:34:56",
        " 2026-03-07",
        "1677-09-21T00:12:43.145224192Z", /* OI_TIME_NONE */
        "2262-04-11T23:47:16.854775807Z", /* OI_TIME_LATEST */
        "1500-01-01",
        "9999-12-31",
        "2262-04-11T23:47:16-01:00",
    };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        oi_time time = 7;

        if (oi_time_parse_utc(oi_slice_of(texts[i]), &time, NULL) != OI_E_INVALID)
            fail_msg("\"%s\" was taken", texts[i]);
        assert_int_equal(time, 7);
    }
}

static void
tells_what_a_text_says_of_its_zone(void **)
{
    struct oi_time_text time;

    assert_ok(oi_time_parse(OI_SLICE("2026-03-07"), &time, NULL));
    assert_true(time.is_date_only);
    assert_int_equal(time.zone, OI_ZONE_ABSENT);
    assert_ok(oi_time_parse(OI_SLICE("2026-03-07T00:00:00"), &time, NULL));
    assert_false(time.is_date_only);
    assert_int_equal(time.zone, OI_ZONE_ABSENT);
    assert_ok(oi_time_parse(OI_SLICE("2026-03-07T05:00:00-05:30"), &time, NULL));
    assert_int_equal(time.zone, OI_ZONE_UTC);
    assert_true(time.offset_ns == -(5 * OI_HOUR + 30 * OI_MINUTE));
    assert_int_equal(time.civil.hour, 5);
}

static void
cuts_fractions_without_rounding(void **)
{
    oi_time time = instant("2026-03-07T12:34:56.999999999Z");

    assert_writes(time, 0, "2026-03-07T12:34:56Z");
    assert_writes(time, 3, "2026-03-07T12:34:56.999Z");
    assert_writes(time, 6, "2026-03-07T12:34:56.999999Z");
}

static void
counts_the_digits_that_a_time_needs(void **)
{
    assert_int_equal(oi_time_fraction_digits(instant("2026-03-07T12:34:56Z")), 0);
    assert_int_equal(oi_time_fraction_digits(instant("2026-03-07T12:34:56.1Z")), 3);
    assert_int_equal(oi_time_fraction_digits(instant("2026-03-07T12:34:56.0009Z")), 6);
    assert_int_equal(oi_time_fraction_digits(instant("2026-03-07T12:34:56.000000001Z")), 9);
    assert_int_equal(oi_time_fraction_digits(instant("1969-12-31T23:59:59.999Z")), 3);
}

static void
writes_dates(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_time_write_date(instant("2026-03-07T23:59:59Z"), &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data, "2026-03-07");
}

static void
reads_back_what_it_writes(void **)
{
    const uint64_t seed = 20260310;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int i = 0; i < 100'000; i++) {
        oi_time time = (oi_time) oi_random_next(&random);
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        struct oi_civil civil;
        oi_time again;

        if (time == OI_TIME_NONE || time == OI_TIME_LATEST)
            continue;
        oi_time_write(time, 9, &out);
        assert_ok(oi_time_parse_utc(oi_buffer_slice(&out), &again, NULL));
        assert_true(again == time);
        civil = oi_time_to_civil(time);
        assert_ok(oi_time_from_civil(&civil, &again, NULL));
        assert_true(again == time);
    }
}

static void
walks_every_day_from_1678_to_2261(void **)
{
    struct oi_civil before = { .year = 1677, .month = 12, .day = 31 };
    oi_time day = instant("1678-01-01");

    for (; before.year < 2262; day += OI_DAY) {
        struct oi_civil civil = oi_time_to_civil(day);
        bool is_new_month = civil.day == 1;

        assert_true(is_new_month || civil.day == before.day + 1);
        assert_true(!is_new_month || before.day >= 28);
        assert_true(!is_new_month || civil.month == before.month % 12 + 1);
        assert_int_equal(civil.year, before.year + (is_new_month && civil.month == 1));
        if (is_new_month)
            assert_true(oi_month_start(civil.year, civil.month) == day);
        before = civil;
    }
}

static void
reads_intervals(void **)
{
    static const struct {
        const char *text;
        int64_t width_ns;
        const char *written;
    } cases[] = {
        { "1m", OI_MINUTE, "1m" },
        { "60m", OI_HOUR, "1h" },
        { "90s", 90 * OI_SECOND, "90s" },
        { "24h", OI_DAY, "1d" },
        { "7d", OI_WEEK, "1w" },
        { "366d", 366 * OI_DAY, "366d" },
        { "31622400s", 366 * OI_DAY, "366d" },
    };
    static const char *const refused[] = { "",    "m",   "0m",   "1",
                                           "1M",  "-1m", "1.5h", "367d",
                                           "53w", "1 m", "1mm",  "99999999999999999999s" };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        int64_t width_ns;

        assert_ok(oi_interval_parse(oi_slice_of(cases[i].text), &width_ns, NULL));
        assert_true(width_ns == cases[i].width_ns);
        oi_interval_write(width_ns, &out);
        oi_buffer_add_char(&out, '\0');
        assert_string_equal(out.data, cases[i].written);
    }
    for (size_t i = 0; i < OI_COUNT(refused); i++) {
        int64_t width_ns = 7;

        assert_status(oi_interval_parse(oi_slice_of(refused[i]), &width_ns, NULL), OI_E_INVALID);
        assert_int_equal(width_ns, 7);
    }
}

static void
floors_to_buckets_and_weeks_to_monday(void **)
{
    oi_time time = instant("2026-03-07T12:34:56Z"); /* a Saturday */

    assert_writes(oi_interval_floor(5 * OI_MINUTE, time), 0, "2026-03-07T12:30:00Z");
    assert_writes(oi_interval_ceil(5 * OI_MINUTE, time), 0, "2026-03-07T12:35:00Z");
    assert_writes(oi_interval_floor(OI_DAY, time), 0, "2026-03-07T00:00:00Z");
    assert_writes(oi_interval_floor(OI_WEEK, time), 0, "2026-03-02T00:00:00Z");
    assert_writes(oi_interval_ceil(OI_WEEK, time), 0, "2026-03-09T00:00:00Z");
    assert_writes(oi_interval_floor(OI_WEEK, instant("2026-03-02")), 0, "2026-03-02T00:00:00Z");
    assert_writes(oi_interval_ceil(OI_WEEK, instant("2026-03-02")), 0, "2026-03-02T00:00:00Z");
    assert_writes(oi_interval_floor(OI_WEEK, instant("1970-01-01")), 0, "1969-12-29T00:00:00Z");
    assert_writes(oi_interval_floor(OI_HOUR, instant("1969-12-31T23:30:00")), 0,
                  "1969-12-31T23:00:00Z");
}

static void
keeps_the_ends_of_time_when_it_floors(void **)
{
    assert_true(oi_interval_floor(OI_DAY, OI_TIME_NONE) == OI_TIME_NONE);
    assert_true(oi_interval_floor(OI_DAY, OI_TIME_LATEST) == OI_TIME_LATEST);
    assert_true(oi_interval_ceil(OI_DAY, OI_TIME_LATEST) == OI_TIME_LATEST);
    assert_true(oi_interval_floor(OI_DAY, OI_TIME_EARLIEST) == OI_TIME_EARLIEST);
    assert_true(oi_interval_ceil(OI_WEEK, OI_TIME_LATEST - 1) == OI_TIME_LATEST);
    assert_writes(oi_interval_ceil(OI_DAY, OI_TIME_EARLIEST), 0, "1677-09-22T00:00:00Z");
}

static void
finds_months(void **)
{
    assert_writes(oi_month_start(2026, 3), 0, "2026-03-01T00:00:00Z");
    assert_writes(oi_month_next(instant("2026-12-01")), 0, "2027-01-01T00:00:00Z");
    assert_true(oi_month_start(1500, 1) == OI_TIME_EARLIEST);
    assert_true(oi_month_start(2300, 1) == OI_TIME_LATEST);
}

static void
intersects_spans(void **)
{
    struct oi_span both = oi_span_intersect((struct oi_span){ 0, 10 }, (struct oi_span){ 5, 20 });
    struct oi_span apart = oi_span_intersect((struct oi_span){ 0, 5 }, (struct oi_span){ 8, 9 });

    assert_true(both.from == 5 && both.to == 10);
    assert_true(apart.from == apart.to);
    assert_true(oi_span_contains(both, 5) && !oi_span_contains(both, 10));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_units_that_do_not_fit),
        cmocka_unit_test(rounds_down_also_before_1970),
        cmocka_unit_test(reads_every_form_of_iso_8601_on_our_wires),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(tells_what_a_text_says_of_its_zone),
        cmocka_unit_test(cuts_fractions_without_rounding),
        cmocka_unit_test(counts_the_digits_that_a_time_needs),
        cmocka_unit_test(writes_dates),
        cmocka_unit_test(reads_back_what_it_writes),
        cmocka_unit_test(walks_every_day_from_1678_to_2261),
        cmocka_unit_test(reads_intervals),
        cmocka_unit_test(floors_to_buckets_and_weeks_to_monday),
        cmocka_unit_test(keeps_the_ends_of_time_when_it_floors),
        cmocka_unit_test(finds_months),
        cmocka_unit_test(intersects_spans),
    };

    return cmocka_run_group_tests_name("core/time", tests, NULL, NULL);
}
