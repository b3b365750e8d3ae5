/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times in and out of units, civil dates and text, and the grid of intervals. The calendar is the
 * proleptic Gregorian one; its arithmetic is Howard Hinnant's,
 * https://howardhinnant.github.io/date_algorithms.html, which needs no tables and no C library.
 */
#include "core/time.h"

#include <string.h>

#define OUTSIDE "a time outside the years 1677 to 2262"
/* Years that fit with room to spare on either side; the product with nanoseconds is checked. */
#define YEAR_MIN 1600
#define YEAR_MAX 2300

static int64_t
floor_divide(int64_t value, int64_t by)
{
    int64_t quotient = value / by;

    return quotient - (value % by < 0);
}

struct oi_span
oi_span_intersect(struct oi_span a, struct oi_span b)
{
    struct oi_span both = { .from = a.from > b.from ? a.from : b.from,
                            .to = a.to < b.to ? a.to : b.to };

    /* Without a common instant it is empty, not inside out. */
    if (both.to < both.from)
        both.to = both.from;
    return both;
}

static enum oi_status
from_unit(int64_t count, int64_t unit_ns, oi_time *ret_time, struct oi_error *error)
{
    oi_time time;

    if (__builtin_mul_overflow(count, unit_ns, &time))
        return oi_fail(error, OI_E_INVALID, OUTSIDE);
    *ret_time = time;
    return OI_OK;
}

enum oi_status
oi_time_from_s(int64_t s, oi_time *ret_time, struct oi_error *error)
{
    return from_unit(s, OI_SECOND, ret_time, error);
}

enum oi_status
oi_time_from_ms(int64_t ms, oi_time *ret_time, struct oi_error *error)
{
    return from_unit(ms, OI_MILLISECOND, ret_time, error);
}

enum oi_status
oi_time_from_us(int64_t us, oi_time *ret_time, struct oi_error *error)
{
    return from_unit(us, OI_MICROSECOND, ret_time, error);
}

int64_t
oi_time_to_s(oi_time time)
{
    return floor_divide(time, OI_SECOND);
}

int64_t
oi_time_to_ms(oi_time time)
{
    return floor_divide(time, OI_MILLISECOND);
}

int64_t
oi_time_to_us(oi_time time)
{
    return floor_divide(time, OI_MICROSECOND);
}

/* Days from 1970-01-01 to a date; years begin in March, so that the leap day is their last. */
static int64_t
days_from_date(int64_t year, int month, int day)
{
    int64_t shifted = year - (month <= 2);
    int64_t era = floor_divide(shifted, 400);
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146'097 + day_of_era - 719'468;
}

static void
date_from_days(int64_t days, struct oi_civil *civil)
{
    int64_t shifted = days + 719'468;
    int64_t era = floor_divide(shifted, 146'097);
    int64_t day_of_era = shifted - era * 146'097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    civil->day = (int8_t) (day_of_year - (153 * month + 2) / 5 + 1);
    civil->month = (int8_t) (month < 10 ? month + 3 : month - 9);
    civil->year = (int32_t) (year_of_era + era * 400 + (civil->month <= 2));
}

static int
days_in_month(int year, int month)
{
    static const int8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

enum oi_status
oi_time_from_civil(const struct oi_civil *civil, oi_time *ret_time, struct oi_error *error)
{
    int64_t seconds;
    oi_time time;

    if (civil->month < 1 || civil->month > 12 || civil->day < 1 ||
        civil->day > days_in_month(civil->year, civil->month))
        return oi_fail(error, OI_E_INVALID, "a date that does not exist");
    if (civil->hour < 0 || civil->hour > 23 || civil->minute < 0 || civil->minute > 59 ||
        civil->second < 0 || civil->second > 59 || civil->nanosecond < 0 ||
        civil->nanosecond >= OI_SECOND)
        return oi_fail(error, OI_E_INVALID, "a time of day that does not exist");
    if (civil->year < YEAR_MIN || civil->year > YEAR_MAX)
        return oi_fail(error, OI_E_INVALID, OUTSIDE);
    seconds = days_from_date(civil->year, civil->month, civil->day) * 86'400 + civil->hour * 3600 +
              civil->minute * 60 + civil->second;
    /* The first second of the range begins before it: add the fraction while going up. */
    if (seconds < 0 && civil->nanosecond > 0) {
        if (__builtin_mul_overflow(seconds + 1, OI_SECOND, &time) ||
            __builtin_sub_overflow(time, OI_SECOND - civil->nanosecond, &time))
            return oi_fail(error, OI_E_INVALID, OUTSIDE);
    } else if (__builtin_mul_overflow(seconds, OI_SECOND, &time) ||
               __builtin_add_overflow(time, civil->nanosecond, &time)) {
        return oi_fail(error, OI_E_INVALID, OUTSIDE);
    }
    if (time == OI_TIME_NONE || time == OI_TIME_LATEST)
        return oi_fail(error, OI_E_INVALID, OUTSIDE);
    *ret_time = time;
    return OI_OK;
}

struct oi_civil
oi_time_to_civil(oi_time time)
{
    int64_t days = floor_divide(time, OI_DAY);
    int64_t fraction = (time % OI_SECOND + OI_SECOND) % OI_SECOND;
    int64_t second = floor_divide(time, OI_SECOND) - days * 86'400;
    struct oi_civil civil = { .hour = (int8_t) (second / 3600),
                              .minute = (int8_t) (second / 60 % 60),
                              .second = (int8_t) (second % 60),
                              .nanosecond = (int32_t) fraction };

    date_from_days(days, &civil);
    return civil;
}

/* Take exactly `count` digits off the front. */
static bool
take_digits(struct oi_slice *rest, size_t count, int *ret_value)
{
    int value = 0;

    if (rest->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9')
            return false;
        value = value * 10 + (rest->data[i] - '0');
    }
    rest->data += count;
    rest->size -= count;
    *ret_value = value;
    return true;
}

static bool
take_char(struct oi_slice *rest, char character)
{
    if (rest->size == 0 || *rest->data != character)
        return false;
    rest->data++;
    rest->size--;
    return true;
}

static bool
take_date(struct oi_slice *rest, struct oi_civil *civil)
{
    int year, month, day;
    bool has_dashes;

    if (!take_digits(rest, 4, &year))
        return false;
    has_dashes = take_char(rest, '-');
    if (!take_digits(rest, 2, &month) || (has_dashes && !take_char(rest, '-')) ||
        !take_digits(rest, 2, &day))
        return false;
    civil->year = year;
    civil->month = (int8_t) month;
    civil->day = (int8_t) day;
    return true;
}

static bool
take_fraction(struct oi_slice *rest, struct oi_civil *civil)
{
    int digits = 0;
    int digit;

    while (take_digits(rest, 1, &digit)) {
        if (++digits > 9)
            return false;
        civil->nanosecond = civil->nanosecond * 10 + digit;
    }
    if (digits == 0)
        return false;
    for (; digits < 9; digits++)
        civil->nanosecond *= 10;
    return true;
}

static bool
take_time_of_day(struct oi_slice *rest, struct oi_civil *civil)
{
    int hour, minute;
    int second = 0;
    bool has_seconds;

    if (!take_digits(rest, 2, &hour))
        return false;
    if (take_char(rest, ':')) {
        if (!take_digits(rest, 2, &minute))
            return false;
        has_seconds = take_char(rest, ':');
    } else {
        if (!take_digits(rest, 2, &minute))
            return false;
        has_seconds = true;
    }
    if (has_seconds && !take_digits(rest, 2, &second))
        return false;
    civil->hour = (int8_t) hour;
    civil->minute = (int8_t) minute;
    civil->second = (int8_t) second;
    if (has_seconds && take_char(rest, '.'))
        return take_fraction(rest, civil);
    return true;
}

static bool
take_zone(struct oi_slice *rest, struct oi_time_text *time)
{
    bool is_west = rest->size > 0 && *rest->data == '-';
    int hours;
    int minutes = 0;

    if (rest->size == 0)
        return true;
    time->zone = OI_ZONE_UTC;
    if (oi_slice_is(*rest, "Z") || oi_slice_is(*rest, "UTC") || oi_slice_is(*rest, " UTC")) {
        *rest = (struct oi_slice){};
        return true;
    }
    if (!take_char(rest, '+') && !take_char(rest, '-'))
        return false;
    if (!take_digits(rest, 2, &hours))
        return false;
    if (rest->size > 0) {
        (void) take_char(rest, ':');
        if (!take_digits(rest, 2, &minutes))
            return false;
    }
    if (hours > 23 || minutes > 59)
        return false;
    time->offset_ns = hours * OI_HOUR + minutes * OI_MINUTE;
    if (is_west)
        time->offset_ns = -time->offset_ns;
    return rest->size == 0;
}

enum oi_status
oi_time_parse(struct oi_slice text, struct oi_time_text *ret_time, struct oi_error *error)
{
    struct oi_time_text time = { .is_date_only = true };
    struct oi_slice rest = text;
    oi_time checked;

    if (!take_date(&rest, &time.civil))
        return oi_fail(error, OI_E_INVALID, "a time that does not begin with a date");
    if (rest.size > 0 && (*rest.data == 'T' || (*rest.data == ' ' && !oi_slice_is(rest, " UTC")))) {
        time.is_date_only = false;
        rest.data++;
        rest.size--;
        if (!take_time_of_day(&rest, &time.civil))
            return oi_fail(error, OI_E_INVALID, "a malformed time of day");
    }
    if (!take_zone(&rest, &time))
        return oi_fail(error, OI_E_INVALID, "a malformed time zone after a time");
    OI_TRY(oi_time_from_civil(&time.civil, &checked, error));
    *ret_time = time;
    return OI_OK;
}

enum oi_status
oi_time_parse_utc(struct oi_slice text, oi_time *ret_time, struct oi_error *error)
{
    struct oi_time_text parsed;
    oi_time time;

    OI_TRY(oi_time_parse(text, &parsed, error));
    OI_TRY(oi_time_from_civil(&parsed.civil, &time, error));
    if (__builtin_sub_overflow(time, parsed.offset_ns, &time) || time == OI_TIME_NONE ||
        time == OI_TIME_LATEST)
        return oi_fail(error, OI_E_INVALID, OUTSIDE);
    *ret_time = time;
    return OI_OK;
}

/* `value` as exactly `count` digits. */
static char *
put_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char) ('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

static char *
put_date(char *at, const struct oi_civil *civil)
{
    at = put_digits(at, civil->year, 4);
    *at++ = '-';
    at = put_digits(at, civil->month, 2);
    *at++ = '-';
    return put_digits(at, civil->day, 2);
}

void
oi_time_write(oi_time time, int fraction_digits, struct oi_buffer *out)
{
    struct oi_civil civil = oi_time_to_civil(time);
    char text[sizeof("2026-03-07T00:00:00.000000000Z")];
    char *at = put_date(text, &civil);

    oi_assert(time != OI_TIME_NONE && time != OI_TIME_LATEST);
    oi_assert(fraction_digits == 0 || fraction_digits == 3 || fraction_digits == 6 ||
              fraction_digits == 9);
    *at++ = 'T';
    at = put_digits(at, civil.hour, 2);
    *at++ = ':';
    at = put_digits(at, civil.minute, 2);
    *at++ = ':';
    at = put_digits(at, civil.second, 2);
    if (fraction_digits > 0) {
        *at++ = '.';
        (void) put_digits(at, civil.nanosecond, 9);
        at += fraction_digits;
    }
    *at++ = 'Z';
    oi_buffer_add(out, text, (size_t) (at - text));
}

int
oi_time_fraction_digits(oi_time time)
{
    return time % OI_SECOND == 0        ? 0
           : time % OI_MILLISECOND == 0 ? 3
           : time % OI_MICROSECOND == 0 ? 6
                                        : 9;
}

void
oi_time_write_date(oi_time time, struct oi_buffer *out)
{
    struct oi_civil civil = oi_time_to_civil(time);
    char text[sizeof("2026-03-07")];

    oi_assert(time != OI_TIME_NONE && time != OI_TIME_LATEST);
    oi_buffer_add(out, text, (size_t) (put_date(text, &civil) - text));
}

/* Ascending, so that the largest that divides is found from the end. */
static const struct interval_unit {
    int64_t width_ns;
    char letter;
} interval_units[] = {
    { OI_SECOND, 's' }, { OI_MINUTE, 'm' }, { OI_HOUR, 'h' }, { OI_DAY, 'd' }, { OI_WEEK, 'w' },
};

#define INTERVAL_MAX (366 * OI_DAY)

enum oi_status
oi_interval_parse(struct oi_slice text, int64_t *ret_interval_ns, struct oi_error *error)
{
    int64_t count = 0;

    /* 366 days are 31,622,400 seconds: no count has more than 8 digits. */
    if (text.size < 2 || text.size > 9)
        return oi_fail(error, OI_E_INVALID, "an interval is a count and one of s m h d w");
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return oi_fail(error, OI_E_INVALID, "an interval is a count and one of s m h d w");
        count = count * 10 + (text.data[i] - '0');
    }
    for (size_t i = 0; i < OI_COUNT(interval_units); i++) {
        if (interval_units[i].letter != text.data[text.size - 1])
            continue;
        if (count == 0 || count > INTERVAL_MAX / interval_units[i].width_ns)
            return oi_fail(error, OI_E_INVALID, "an interval is above 0 and at most 366 days");
        *ret_interval_ns = count * interval_units[i].width_ns;
        return OI_OK;
    }
    return oi_fail(error, OI_E_INVALID, "an interval is a count and one of s m h d w");
}

void
oi_interval_write(int64_t interval_ns, struct oi_buffer *out)
{
    size_t i = OI_COUNT(interval_units) - 1;

    oi_assert(interval_ns > 0 && interval_ns % OI_SECOND == 0);
    while (interval_ns % interval_units[i].width_ns != 0)
        i--;
    oi_buffer_add_int(out, interval_ns / interval_units[i].width_ns);
    oi_buffer_add_char(out, interval_units[i].letter);
}

/* 1970-01-05 is the first Monday. */
static int64_t
interval_origin(int64_t interval_ns)
{
    return interval_ns % OI_WEEK == 0 ? 4 * OI_DAY : 0;
}

/* How far into its bucket a time is, by remainders: nothing overflows at either end of time. */
static int64_t
into_bucket(int64_t interval_ns, oi_time time)
{
    int64_t into;

    oi_assert(interval_ns > 0);
    into = time % interval_ns;
    if (interval_origin(interval_ns) > 0)
        into = (into - interval_origin(interval_ns) % interval_ns) % interval_ns;
    return into < 0 ? into + interval_ns : into;
}

oi_time
oi_interval_floor(int64_t interval_ns, oi_time time)
{
    int64_t into = into_bucket(interval_ns, time);

    if (time == OI_TIME_NONE || time == OI_TIME_LATEST)
        return time;
    return time < OI_TIME_EARLIEST + into ? OI_TIME_EARLIEST : time - into;
}

oi_time
oi_interval_ceil(int64_t interval_ns, oi_time time)
{
    int64_t into = into_bucket(interval_ns, time);

    if (into == 0 || time == OI_TIME_NONE)
        return time;
    return time > OI_TIME_LATEST - (interval_ns - into) ? OI_TIME_LATEST
                                                        : time + (interval_ns - into);
}

oi_time
oi_month_start(int year, int month)
{
    struct oi_civil civil = { .year = year, .month = (int8_t) month, .day = 1 };
    oi_time time;

    oi_assert(month >= 1 && month <= 12);
    if (oi_time_from_civil(&civil, &time, NULL) != OI_OK)
        return year < 1970 ? OI_TIME_EARLIEST : OI_TIME_LATEST;
    return time;
}

oi_time
oi_month_next(oi_time month_start)
{
    struct oi_civil civil = oi_time_to_civil(month_start);

    if (civil.month == 12)
        return oi_month_start(civil.year + 1, 1);
    return oi_month_start(civil.year, civil.month + 1);
}
