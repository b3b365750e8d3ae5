/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX TZ strings with the extensions of RFC 8536, 3.3.1: read and applied. */
/* no unit test: internal; zone_test reads every form of rule through a zone */
#include "core/time.h"
#include "core/zone_internal.h"

static bool
take(struct oi_slice *rest, char character)
{
    if (rest->size == 0 || *rest->data != character)
        return false;
    rest->data++;
    rest->size--;
    return true;
}

/* A number of at most 3 digits, no more than `limit`. */
static bool
take_number(struct oi_slice *rest, int limit, int *ret_number)
{
    int number = 0;
    int digits = 0;

    while (rest->size > 0 && *rest->data >= '0' && *rest->data <= '9' && digits < 4) {
        number = number * 10 + (*rest->data - '0');
        digits++;
        rest->data++;
        rest->size--;
    }
    if (digits == 0 || digits > 3 || number > limit)
        return false;
    *ret_number = number;
    return true;
}

/* Letters, or anything between angle brackets. */
static bool
take_name(struct oi_slice *rest)
{
    size_t size = 0;

    if (take(rest, '<')) {
        while (rest->size > 0 && *rest->data != '>') {
            rest->data++;
            rest->size--;
        }
        return take(rest, '>');
    }
    while (rest->size > 0 && ((*rest->data >= 'A' && *rest->data <= 'Z') ||
                              (*rest->data >= 'a' && *rest->data <= 'z'))) {
        rest->data++;
        rest->size--;
        size++;
    }
    return size >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_clock(struct oi_slice *rest, int hours_max, int32_t *ret_seconds)
{
    bool is_negative = take(rest, '-');
    int hours;
    int minutes = 0;
    int seconds = 0;

    if (!is_negative)
        (void) take(rest, '+');
    if (!take_number(rest, hours_max, &hours))
        return false;
    if (take(rest, ':')) {
        if (!take_number(rest, 59, &minutes))
            return false;
        if (take(rest, ':') && !take_number(rest, 59, &seconds))
            return false;
    }
    *ret_seconds = hours * 3600 + minutes * 60 + seconds;
    if (is_negative)
        *ret_seconds = -*ret_seconds;
    return true;
}

static bool
take_change(struct oi_slice *rest, struct oi_zone_change *change)
{
    change->time_s = 2 * 3600;
    if (take(rest, 'M')) {
        change->kind = OI_CHANGE_WEEKDAY;
        if (!take_number(rest, 12, &change->month) || change->month == 0 || !take(rest, '.') ||
            !take_number(rest, 5, &change->week) || change->week == 0 || !take(rest, '.') ||
            !take_number(rest, 6, &change->day))
            return false;
    } else if (take(rest, 'J')) {
        change->kind = OI_CHANGE_JULIAN;
        if (!take_number(rest, 365, &change->day) || change->day == 0)
            return false;
    } else {
        change->kind = OI_CHANGE_ORDINAL;
        if (!take_number(rest, 365, &change->day))
            return false;
    }
    return !take(rest, '/') || take_clock(rest, 167, &change->time_s);
}

bool
oi_zone_rule_parse(struct oi_slice text, struct oi_zone_rule *ret_rule)
{
    struct oi_zone_rule rule = {};
    struct oi_slice rest = text;
    int32_t west;

    if (!take_name(&rest) || !take_clock(&rest, 24, &west))
        return false;
    /* POSIX counts offsets westward. */
    rule.standard_offset_s = -west;
    if (rest.size > 0) {
        rule.has_summer = true;
        if (!take_name(&rest))
            return false;
        rule.summer_offset_s = rule.standard_offset_s + 3600;
        if (rest.size > 0 && *rest.data != ',') {
            if (!take_clock(&rest, 24, &west))
                return false;
            rule.summer_offset_s = -west;
        }
        if (!take(&rest, ',') || !take_change(&rest, &rule.to_summer) || !take(&rest, ',') ||
            !take_change(&rest, &rule.to_standard))
            return false;
    }
    if (rest.size > 0)
        return false;
    *ret_rule = rule;
    return true;
}

/* Days since 1970 of the first of a month. The calendar of core/time.h ends at 2262; rules repeat
 * every 400 years, so later years are looked up earlier. */
static int64_t
month_day(int year, int month)
{
    return oi_month_start(year, month) / OI_DAY;
}

/* The second of a year's change as the clocks show it before they change. */
static int64_t
change_local_s(const struct oi_zone_change *change, int year)
{
    int64_t day = month_day(year, 1);
    bool is_leap = month_day(year, 3) - day == 60;
    int64_t first, length, weekday;

    switch (change->kind) {
    case OI_CHANGE_JULIAN:
        day += change->day - 1 + (is_leap && change->day >= 60);
        break;
    case OI_CHANGE_ORDINAL:
        day += change->day;
        break;
    case OI_CHANGE_WEEKDAY:
        first = month_day(year, change->month);
        length =
            (change->month == 12 ? month_day(year + 1, 1) : month_day(year, change->month + 1)) -
            first;
        /* 1970-01-01 was a Thursday, day 4. */
        weekday = ((first + 4) % 7 + 7) % 7;
        day = (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
        day = first + (day >= length ? day - 7 : day);
        break;
    }
    return day * 86'400 + change->time_s;
}

/* Seconds of 400 Gregorian years. */
#define CYCLE_S (INT64_C(146'097) * 86'400)

int32_t
oi_zone_rule_offset_s(const struct oi_zone_rule *rule, int64_t second)
{
    /* Looked up in a cycle of years that oi_time holds whole: 1850 to 2249. */
    const int64_t cycle_start = month_day(1850, 1) * 86'400;
    int64_t into, start, end;
    struct oi_civil civil;

    if (!rule->has_summer)
        return rule->standard_offset_s;
    into = ((second - cycle_start) % CYCLE_S + CYCLE_S) % CYCLE_S;
    second = cycle_start + into;
    civil = oi_time_to_civil((second + rule->standard_offset_s) * OI_SECOND);
    start = change_local_s(&rule->to_summer, civil.year) - rule->standard_offset_s;
    end = change_local_s(&rule->to_standard, civil.year) - rule->summer_offset_s;
    /* South of the equator summer lies around New Year. */
    if (start < end)
        return second >= start && second < end ? rule->summer_offset_s : rule->standard_offset_s;
    return second >= end && second < start ? rule->standard_offset_s : rule->summer_offset_s;
}
