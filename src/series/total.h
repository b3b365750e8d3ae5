/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A total over markets, on the union of their instants: each member's last reading is carried
 * forward for at most its staleness limit, then the sum is what it is. So the high of a total is
 * the highest sum that was, not the sum of highs.
 */
#pragma once

#include "base/status.h"
#include "base/vector.h"
#include "core/decimal.h"
#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>

struct oi_total_member {
    int64_t staleness_ns;
    oi_time ends;             /* nothing is carried to here: its market is over; LATEST: never */
    struct oi_decimal amount; /* last reading, or none before the first */
    oi_time time;             /* of it */
    bool is_counted;          /* in the sum now */
};

struct oi_total {
    struct oi_total_member *members;
    size_t member_count;
    struct oi_decimal sum;
    size_t counted;      /* members in the sum */
    oi_time next_expiry; /* no member drops out before this */
};

void oi_total_init(struct oi_total *total, size_t member_count);
void oi_total_release(struct oi_total *total);
/* A member's new reading. Readings of one instant may come in any order; instants ascend. INVALID
 * when the sum is longer than a decimal can be: the member is then left out of it. */
enum oi_status oi_total_set(struct oi_total *total, size_t member, oi_time time,
                            const struct oi_decimal *amount, struct oi_error *error);
/* The last instant at which a counted member's reading is still carried. */
oi_time oi_total_expiry(const struct oi_total_member *member);
/* The sum at an instant, after every reading of it was set: members whose reading is older than
 * their limit have dropped out. None when nobody is in it. */
enum oi_status oi_total_at(struct oi_total *total, oi_time time, struct oi_decimal *ret_sum,
                           struct oi_error *error);
