/* SPDX-License-Identifier: Apache-2.0 */
/* Hours and days made from rows. Pure but for the loading of a stored block. */
#pragma once

#include "base/vector.h"
#include "store/store.h"

struct oi_access;

/* In order of their start. {} is empty. */
struct oi_rollups {
    struct oi_rollup *items;
    size_t count, capacity;
};

/* A later row into a bucket; of equal heights the first one stays. */
void oi_rollup_add(struct oi_rollup *rollup, const struct oi_observation *reading);
/* A row into the last bucket, or a new one; rows come in order of time. */
void oi_rollups_add(struct oi_rollups *rollups, int64_t interval_ns,
                    const struct oi_observation *reading);
/* Append the stored block that holds `time`; none where nothing is stored. */
enum oi_status oi_rollups_load(struct oi_access *access, uint32_t series, int64_t interval_ns,
                               oi_time time, struct oi_rollups *rollups, struct oi_error *error);
