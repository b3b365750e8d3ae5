/* SPDX-License-Identifier: Apache-2.0 */
/* Hours and days made from rows. Pure but for the loading of a stored block. */
#pragma once

#include "base/vector.h"
#include "store/keys.h"
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
/* The start of the block that a bucket is stored in. */
oi_time oi_rollup_block(int64_t interval_ns, oi_time time);
/* Are there so many rows that storing these is worth its bytes? */
bool oi_rollups_pay(const struct oi_rollups *rollups);
/* Append the stored block that holds `time`. NOT_FOUND, without a message, where none is. */
enum oi_status oi_rollups_load_stored(struct oi_access *access, uint32_t series,
                                      int64_t interval_ns, oi_time time, struct oi_rollups *rollups,
                                      struct oi_error *error);
/* Append what the chunks say of the block that holds `time`, from the stored one or, where none is,
 * from the rows; CORRUPT names a damaged chunk among them. */
enum oi_status oi_rollups_load(struct oi_access *access, uint32_t series, int64_t interval_ns,
                               oi_time time, struct oi_rollups *rollups, struct oi_error *error);

/* Rollups as the sealed values of their blocks, in order; pure. `each` may keep the key and the
 * bytes no longer than its call; a block that does not pay has none. */
void oi_rollups_seal(uint32_t series, int64_t interval_ns, const struct oi_rollups *rollups,
                     void (*each)(void *context, const struct oi_key *key, struct oi_slice value),
                     void *context);
