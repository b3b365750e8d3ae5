/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer lacks because chunks cannot be read: noted where rows are pulled, asked where
 * figures are made of them. The halves of a long total note from two threads.
 */
#pragma once

#include "base/vector.h"
#include "query/result.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct oi_damages {
    pthread_mutex_t lock;
    OI_VECTOR(struct oi_damage) items; /* by instrument, feed and time */
    atomic_size_t count;
};

void oi_damages_init(struct oi_damages *damages);
void oi_damages_release(struct oi_damages *damages);

/* The next rows of a scan. A chunk that cannot be read is noted and passed over; without `damages`
 * it is CORRUPT. CORRUPT too when there are too many, or when what is damaged is no chunk. */
enum oi_status oi_damages_next(struct oi_damages *damages, const struct oi_catalog *catalog,
                               uint32_t series, struct oi_scan *scan,
                               const struct oi_columns **ret_columns, struct oi_error *error);
/* Note one that was met elsewhere. */
enum oi_status oi_damages_note(struct oi_damages *damages, const struct oi_catalog *catalog,
                               const struct oi_damaged_chunk *chunk, struct oi_error *error);

/* Is any row of an instrument lost in a span? With `carried_ns` a lost row counts so long behind
 * its span, for figures that are carried on. */
bool oi_damages_touch(struct oi_damages *damages, const struct oi_instrument *instrument,
                      struct oi_span span, int64_t carried_ns);
/* A copy of what is there, in an arena. */
const struct oi_damage *oi_damages_copy(struct oi_damages *damages, struct oi_arena *arena,
                                        size_t *ret_count);
