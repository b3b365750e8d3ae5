/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches that wait while ClickHouse is away: a queue on disk in an engine of its own, bounded in
 * bytes, in the order in which they came. What was put is synced when the call returns.
 */
#pragma once

#include "base/clock.h"
#include "store/batch.h"
#include "store/store.h"

struct oi_spool;

/* The folder is made; one process at a time (BUSY). */
enum oi_status oi_spool_open(const char *folder, uint64_t bytes_max, struct oi_spool **ret_spool,
                             struct oi_error *error);
void oi_spool_close(struct oi_spool **spool);
/* Rows without a known time get `now`. FULL when there is no room left. */
enum oi_status oi_spool_put(struct oi_spool *spool, const struct oi_batch *batch, oi_time now,
                            struct oi_error *error);
/* Hand the oldest batch to `take`, and remove it if that returns OK. NOT_FOUND when none waits. */
enum oi_status oi_spool_take(struct oi_spool *spool,
                             enum oi_status (*take)(void *context, const struct oi_batch *batch,
                                                    struct oi_error *error),
                             void *context, struct oi_error *error);
/* Any thread. */
void oi_spool_sizes(struct oi_spool *spool, uint64_t *ret_batches, uint64_t *ret_bytes);
