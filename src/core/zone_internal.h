/* SPDX-License-Identifier: Apache-2.0 */
/* The rule at the end of a TZif file: a POSIX TZ string, which says how clocks change for ever. */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* A day of the year and a time of that day at which clocks change. */
struct oi_zone_change {
    enum oi_zone_change_kind {
        OI_CHANGE_JULIAN,  /* day 1 to 365, February 29 is not counted */
        OI_CHANGE_ORDINAL, /* day 0 to 365, February 29 is counted */
        OI_CHANGE_WEEKDAY, /* the nth weekday of a month, 5: the last */
    } kind;
    int day;        /* of the year, or of the week from 0, Sunday */
    int week;       /* 1 to 5 */
    int month;      /* 1 to 12 */
    int32_t time_s; /* may be negative or past a day: -167 to 167 hours */
};

struct oi_zone_rule {
    int32_t standard_offset_s, summer_offset_s; /* east of UTC */
    struct oi_zone_change to_summer, to_standard;
    bool has_summer;
};

/* "EST5EDT,M3.2.0,M11.1.0", "<+01>-1"; false when it is malformed. */
bool oi_zone_rule_parse(struct oi_slice text, struct oi_zone_rule *ret_rule);
/* Seconds east of UTC at a second since 1970. */
int32_t oi_zone_rule_offset_s(const struct oi_zone_rule *rule, int64_t second);
