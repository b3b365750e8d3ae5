/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that cut readings into buckets share. */
#pragma once

#include "core/time.h"

/* Where the bucket of `time` begins; most often it is the one behind the bucket before. */
static inline oi_time
series_next_start(int64_t interval_ns, oi_time before, oi_time time)
{
    uint64_t past = (uint64_t) time - (uint64_t) before - (uint64_t) interval_ns;

    return past < (uint64_t) interval_ns ? before + interval_ns
                                         : oi_interval_floor(interval_ns, time);
}
