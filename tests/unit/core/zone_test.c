/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What zones promise where clocks change: against the system's tzdata where it is installed, and
 * against files written here byte by byte.
 */
#include "core/zone.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* The largest file of tzdata has 3.5 KB. */
#define TZIF_SIZE_MAX 65536

/* A zone of the system, or a visible skip. */
static struct oi_zone *
system_zone(const char *name)
{
    char path[256];
    char bytes[TZIF_SIZE_MAX];
    struct oi_zone *zone;
    FILE *file;
    size_t size;

    (void) snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    file = fopen(path, "rb");
    if (!file) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    size = fread(bytes, 1, sizeof(bytes), file);
    (void) fclose(file);
    assert_ok(oi_zone_open((struct oi_slice){ bytes, size }, &zone, NULL));
    return zone;
}

static struct oi_civil
civil(const char *text)
{
    struct oi_time_text time;

    assert_ok(oi_time_parse(oi_slice_of(text), &time, NULL));
    return time.civil;
}

static void
assert_instant(const struct oi_zone *zone, const char *there, const char *utc)
{
    struct oi_civil local = civil(there);
    oi_time time, expected;

    assert_ok(oi_zone_to_time(zone, &local, &time, NULL));
    assert_ok(oi_time_parse_utc(oi_slice_of(utc), &expected, NULL));
    assert_true(time == expected);
}

static void
assert_no_instant(const struct oi_zone *zone, const char *there)
{
    struct oi_civil local = civil(there);
    oi_time time = 7;

    assert_status(oi_zone_to_time(zone, &local, &time, NULL), OI_E_INVALID);
    assert_int_equal(time, 7);
}

static void
assert_day_start(const struct oi_zone *zone, const char *day, const char *utc)
{
    struct oi_civil local = civil(day);
    oi_time time, expected;

    assert_ok(oi_zone_day_start(zone, &local, &time, NULL));
    assert_ok(oi_time_parse_utc(oi_slice_of(utc), &expected, NULL));
    assert_true(time == expected);
}

static void
knows_when_new_york_changes_its_clocks(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("America/New_York");

    assert_instant(zone, "2026-01-15T12:00:00", "2026-01-15T17:00:00Z");
    assert_instant(zone, "2026-07-15T12:00:00.123456789", "2026-07-15T16:00:00.123456789Z");
    /* Forward on March 8, 2026, at 2:00. */
    assert_instant(zone, "2026-03-08T01:59:59", "2026-03-08T06:59:59Z");
    assert_no_instant(zone, "2026-03-08T02:00:00");
    assert_no_instant(zone, "2026-03-08T02:59:59");
    assert_instant(zone, "2026-03-08T03:00:00", "2026-03-08T07:00:00Z");
    /* Back on November 1, 2026, at 2:00: the first of two. */
    assert_instant(zone, "2026-11-01T01:30:00", "2026-11-01T05:30:00Z");
    assert_instant(zone, "2026-11-01T02:00:00", "2026-11-01T07:00:00Z");
    /* Transitions of the file, not of today's rule: 1975 began summer in February. */
    assert_instant(zone, "1975-03-01T12:00:00", "1975-03-01T16:00:00Z");
    /* By the rule, past the file. */
    assert_instant(zone, "2150-07-15T12:00:00", "2150-07-15T16:00:00Z");
    assert_no_instant(zone, "2150-03-08T02:30:00");
    assert_int_equal(oi_zone_offset_s(zone, 0), -5 * 3600);
}

static void
knows_when_berlin_changes_its_clocks(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("Europe/Berlin");

    assert_instant(zone, "2026-01-15T12:00:00", "2026-01-15T11:00:00Z");
    assert_no_instant(zone, "2026-03-29T02:30:00");
    assert_instant(zone, "2026-10-25T02:30:00", "2026-10-25T00:30:00Z");
    assert_day_start(zone, "2026-03-29", "2026-03-28T23:00:00Z");
    assert_day_start(zone, "2026-10-26", "2026-10-25T23:00:00Z");
}

static void
knows_zones_south_of_the_equator(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("Australia/Sydney");

    assert_instant(zone, "2050-01-01T00:00:00", "2049-12-31T13:00:00Z");
    assert_instant(zone, "2050-07-01T00:00:00", "2050-06-30T14:00:00Z");
}

static void
starts_a_day_without_midnight_when_the_clocks_jumped(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("America/Sao_Paulo");

    /* Forward at midnight on November 4, 2018. */
    assert_no_instant(zone, "2018-11-04T00:00:00");
    assert_day_start(zone, "2018-11-04T15:00:00", "2018-11-04T03:00:00Z");
}

static void
starts_a_day_with_two_midnights_at_the_first(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("America/Havana");

    /* Back from 1:00 to midnight on November 1, 2026. */
    assert_day_start(zone, "2026-11-01", "2026-11-01T04:00:00Z");
}

static void
skips_the_day_that_samoa_skipped(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("Pacific/Apia");

    assert_no_instant(zone, "2011-12-30T12:00:00");
    assert_day_start(zone, "2011-12-30", "2011-12-30T10:00:00Z");
    assert_day_start(zone, "2011-12-31", "2011-12-30T10:00:00Z");
}

static void
agrees_with_itself_every_hour_of_a_century(void **)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = system_zone("America/New_York");
    oi_time start, end;

    assert_ok(oi_time_parse_utc(OI_SLICE("1950-01-01"), &start, NULL));
    assert_ok(oi_time_parse_utc(OI_SLICE("2050-01-01"), &end, NULL));
    for (oi_time time = start; time < end; time += OI_HOUR) {
        struct oi_civil local = oi_time_to_civil(time + oi_zone_offset_s(zone, time) * OI_SECOND);
        oi_time again;

        assert_ok(oi_zone_to_time(zone, &local, &again, NULL));
        /* The second of two equal clock times finds the first. */
        assert_true(again == time || again == time - OI_HOUR);
    }
}

/* A version 2 file without transitions, whose footer says everything. */
static size_t
write_tzif(char *bytes, const char *rule)
{
    static const char header[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
                                 "\0\0\0\0\0\0UTC";
    const size_t block = 44 + 6 + 4;

    memcpy(bytes, header, block);
    memcpy(bytes + block, header, block);
    return 2 * block + (size_t) snprintf(bytes + 2 * block, 128, "\n%s\n", rule);
}

static int32_t
offset_by_rule(const char *rule, const char *utc)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = NULL;
    char bytes[512];
    size_t size = write_tzif(bytes, rule);
    oi_time time;

    assert_ok(oi_time_parse_utc(oi_slice_of(utc), &time, NULL));
    assert_ok(oi_zone_open((struct oi_slice){ bytes, size }, &zone, NULL));
    return oi_zone_offset_s(zone, time);
}

static void
reads_every_form_of_rule(void **)
{
    assert_int_equal(offset_by_rule("UTC0", "2026-01-01"), 0);
    assert_int_equal(offset_by_rule("<+0530>-5:30", "2026-01-01"), 19'800);
    assert_int_equal(offset_by_rule("<-03>3", "2026-01-01"), -10'800);
    assert_int_equal(offset_by_rule("", "2026-01-01"), 0);
    /* Day 60 is March 1 in every year for J, only in common ones without. */
    assert_int_equal(offset_by_rule("AAA0BBB,J60/0,J300", "2024-03-01T00:00:00"), 3600);
    assert_int_equal(offset_by_rule("AAA0BBB,J60/0,J300", "2024-02-29T23:59:59"), 0);
    assert_int_equal(offset_by_rule("AAA0BBB,59/0,300", "2024-02-29T00:00:00"), 3600);
    assert_int_equal(offset_by_rule("AAA0BBB,59/0,300", "2025-03-01T00:00:00"), 3600);
    assert_int_equal(offset_by_rule("AAA0BBB,59/0,300", "2025-02-28T23:59:59"), 0);
    /* Times before the day and past it, as Nuuk and Gaza have them. */
    assert_int_equal(offset_by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59"),
                     -7200);
    assert_int_equal(offset_by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00"),
                     -3600);
    assert_int_equal(offset_by_rule("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00"),
                     3 * 3600);
    /* Summer all year. */
    assert_int_equal(offset_by_rule("EST5EDT,0/0,J365/25", "2026-12-31T23:59:59"), -4 * 3600);
    assert_int_equal(offset_by_rule("EST5EDT,0/0,J365/25", "2026-01-01T05:00:00"), -4 * 3600);
    /* Dublin's winter is the exception, not its summer. */
    assert_int_equal(offset_by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-15"), 0);
    assert_int_equal(offset_by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-15"), 3600);
}

static void
refuses_malformed_files(void **)
{
    static const char *const rules[] = {
        "UT0",
        "UTC",
        "UTC25",
        "EST5EDT",
        "EST5EDT,M3.2.0",
        "EST5EDT,M0.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,J0,J300",
        "EST5EDT,366,1",
        "<+01-1",
        "UTC0 ",
        "EST5EDT,M3.2.0/168,M11.1.0",
    };
    struct oi_zone *zone = NULL;
    char bytes[512];
    size_t size;

    for (size_t i = 0; i < OI_COUNT(rules); i++) {
        size = write_tzif(bytes, rules[i]);
        assert_status(oi_zone_open((struct oi_slice){ bytes, size }, &zone, NULL), OI_E_CORRUPT);
    }
    /* Cut anywhere. */
    size = write_tzif(bytes, "UTC0");
    for (size_t cut = 0; cut < size; cut++)
        assert_status(oi_zone_open((struct oi_slice){ bytes, cut }, &zone, NULL), OI_E_CORRUPT);
    assert_null(zone);
}

static void
tells_names_from_paths(void **)
{
    static const char *const good[] = { "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires",
                                        "Etc/GMT+5", "America/Port-au-Prince" };
    static const char *const bad[] = {
        "",    "/etc/passwd", "../etc/passwd", "Europe/../UTC", "Europe/", "Europe//Berlin",
        "a b", "posix.rules", "Zürich"
    };

    for (size_t i = 0; i < OI_COUNT(good); i++)
        assert_true(oi_zone_name_is_valid(oi_slice_of(good[i])));
    for (size_t i = 0; i < OI_COUNT(bad); i++)
        assert_false(oi_zone_name_is_valid(oi_slice_of(bad[i])));
    assert_false(oi_zone_name_is_valid((struct oi_slice){ "UTC\0x", 5 }));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_when_new_york_changes_its_clocks),
        cmocka_unit_test(knows_when_berlin_changes_its_clocks),
        cmocka_unit_test(knows_zones_south_of_the_equator),
        cmocka_unit_test(starts_a_day_without_midnight_when_the_clocks_jumped),
        cmocka_unit_test(starts_a_day_with_two_midnights_at_the_first),
        cmocka_unit_test(skips_the_day_that_samoa_skipped),
        cmocka_unit_test(agrees_with_itself_every_hour_of_a_century),
        cmocka_unit_test(reads_every_form_of_rule),
        cmocka_unit_test(refuses_malformed_files),
        cmocka_unit_test(tells_names_from_paths),
    };

    return cmocka_run_group_tests_name("core/zone", tests, NULL, NULL);
}
