/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time is int64 nanoseconds since 1970-01-01 UTC (years 1677 to 2262); the type is the unit.
 * Other units are converted here, at the edge, by name and checked. Spans are half-open.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef int64_t oi_time;

/* "The exchange gave none". Never printed as a date. */
#define OI_TIME_NONE INT64_MIN
/* "As known now", the end of an open span. Never printed as a date. */
#define OI_TIME_LATEST INT64_MAX
/* The earliest time that is a time. */
#define OI_TIME_EARLIEST (INT64_MIN + 1)

#define OI_NANOSECOND INT64_C(1)
#define OI_MICROSECOND INT64_C(1'000)
#define OI_MILLISECOND INT64_C(1'000'000)
#define OI_SECOND INT64_C(1'000'000'000)
#define OI_MINUTE (60 * OI_SECOND)
#define OI_HOUR (60 * OI_MINUTE)
#define OI_DAY (24 * OI_HOUR)
#define OI_WEEK (7 * OI_DAY)

struct oi_span {
    oi_time from; /* inclusive */
    oi_time to;   /* exclusive; OI_TIME_LATEST: open */
};

#define OI_SPAN_ALL ((struct oi_span){ OI_TIME_EARLIEST, OI_TIME_LATEST })

static inline bool
oi_span_contains(struct oi_span span, oi_time time)
{
    return time >= span.from && time < span.to;
}

/* Empty (from == to) where they have nothing in common. */
struct oi_span oi_span_intersect(struct oi_span a, struct oi_span b);

/* INVALID with "a time outside the years 1677 to 2262" where it does not fit; never wraps. */
enum oi_status oi_time_from_s(int64_t s, oi_time *ret_time, struct oi_error *error);
enum oi_status oi_time_from_ms(int64_t ms, oi_time *ret_time, struct oi_error *error);
enum oi_status oi_time_from_us(int64_t us, oi_time *ret_time, struct oi_error *error);
/* Rounded down, also before 1970. */
int64_t oi_time_to_s(oi_time time);
int64_t oi_time_to_ms(oi_time time);
int64_t oi_time_to_us(oi_time time);

/* A date and a time of day in some zone, not yet an instant. */
struct oi_civil {
    int32_t year;
    int8_t month, day;           /* from 1 */
    int8_t hour, minute, second; /* second 60 is refused on reading */
    int32_t nanosecond;
};

/* As if the civil time were UTC. INVALID for a date that does not exist. */
enum oi_status oi_time_from_civil(const struct oi_civil *civil, oi_time *ret_time,
                                  struct oi_error *error);
struct oi_civil oi_time_to_civil(oi_time time);

/* What a text said of its zone. */
enum oi_zone_mark {
    OI_ZONE_ABSENT, /* a naive time: its zone must come from elsewhere */
    OI_ZONE_UTC,    /* Z, or an offset that was applied */
};

struct oi_time_text {
    struct oi_civil civil;
    int64_t offset_ns; /* of a written offset; instant = civil - offset */
    enum oi_zone_mark zone;
    bool is_date_only;
};

/* Parse ISO 8601 as files and wires have it: `yyyy-MM-dd` or `yyyyMMdd`, then optionally `T` or a
 * blank, `HH:mm`, `HH:mm:ss` or `HHmmss`, 1 to 9 fraction digits, then nothing, `Z`, `UTC`,
 * `+HH`, `+HHmm` or `+HH:mm`. INVALID otherwise. Narrower wires check the shape on top. */
enum oi_status oi_time_parse(struct oi_slice text, struct oi_time_text *ret_time,
                             struct oi_error *error);
/* A full instant: as above, a naive time is taken as UTC. */
enum oi_status oi_time_parse_utc(struct oi_slice text, oi_time *ret_time, struct oi_error *error);

/* Appended as `2026-03-07T00:00:00.000000000Z` with 0, 3, 6 or 9 fraction digits, cut not
 * rounded. Asserts on NONE and LATEST. */
void oi_time_write(oi_time time, int fraction_digits, struct oi_buffer *out);
/* How many of these digits the time needs, so that nothing is cut. */
int oi_time_fraction_digits(oi_time time);
/* `2026-03-07` */
void oi_time_write_date(oi_time time, struct oi_buffer *out);

/*
 * Intervals: a width in nanoseconds. Buckets are aligned to 1970-01-01 UTC, whole weeks to Monday.
 */

/* "1m", "5m", "1h", "4h", "1d", "1w", "90s": a count and one of s m h d w, above 0 and at most 366
 * days. INVALID otherwise. */
enum oi_status oi_interval_parse(struct oi_slice text, int64_t *ret_interval_ns,
                                 struct oi_error *error);
/* Appended in the largest unit that divides it. */
void oi_interval_write(int64_t interval_ns, struct oi_buffer *out);
/* The start of the bucket that holds `time`, not before OI_TIME_EARLIEST. NONE and LATEST stay. */
oi_time oi_interval_floor(int64_t interval_ns, oi_time time);
/* The first bucket start at or after `time`, or LATEST where there is none. */
oi_time oi_interval_ceil(int64_t interval_ns, oi_time time);

/* The first instant of a month, and of the next; EARLIEST or LATEST outside 1677 to 2262. Month 1
 * to 12. */
oi_time oi_month_start(int year, int month);
oi_time oi_month_next(oi_time month_start);
