/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published limits, counted as the exchanges count them: weight in a window, what happens past it,
 * and the ban of who goes on. A request past a limit is a violation, whatever is answered.
 */
#pragma once

#include "base/vector.h"
#include "core/time.h"

#include <stdbool.h>
#include <stdint.h>

struct oi_meter_rule {
    unsigned weight_max;
    int64_t window_ns;
    bool is_aligned;   /* counted by the clock's minutes; else in any window of that length */
    int64_t ban_ns;    /* past it everything is refused for so long; 0: no ban */
    unsigned patience; /* refusals in a row before the ban */
};

struct oi_meter_entry {
    oi_time time;
    unsigned weight;
};

/* `struct oi_meter meter = { .rule = … };` */
struct oi_meter {
    struct oi_meter_rule rule;
    OI_VECTOR(struct oi_meter_entry) entries; /* oldest first, from `first` on */
    size_t first;
    unsigned used; /* weight in the window; what was refused does not count */
    unsigned refused;
    oi_time banned_until;
};

enum oi_meter_verdict {
    OI_METER_FINE,
    OI_METER_OVER,   /* this request passed the limit */
    OI_METER_BANNED, /* and this one came during the ban */
};

struct oi_meter_answer {
    enum oi_meter_verdict verdict;
    unsigned used;         /* in the window, this request included */
    int64_t retry_after_s; /* when it will be fine again, rounded up; 0 when it is */
};

/* Count a request. Times must not go back; if they do, it counts at the latest. */
struct oi_meter_answer oi_meter_count(struct oi_meter *meter, unsigned weight, oi_time now);
void oi_meter_release(struct oi_meter *meter);
