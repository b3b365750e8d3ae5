/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ready made hours and days as blocks of the tables `rollup_hour` and `rollup_day` and back: the
 * first, highest, lowest and last row of a bucket are the bytes of one column, because what a
 * statement costs grows with the columns of its table. Pure.
 */
#pragma once

#include "clickhouse/blocks.h"
#include "store/remote.h"
#include "store/rollup.h"

/* A bucket, and whose it is. */
struct oi_ready_bucket {
    struct oi_series series;
    oi_time start;
    uint32_t count;
    size_t from, size; /* its rows, in the set's bytes */
};

/* {} is empty. */
struct oi_ready {
    OI_VECTOR(struct oi_ready_bucket) buckets;
    struct oi_buffer rows;
};
void oi_ready_release(struct oi_ready *ready);
void oi_ready_clear(struct oi_ready *ready);
/* A bucket whose count is 0 says that no row is left in it. */
void oi_ready_add(struct oi_ready *ready, const struct oi_series *series,
                  const struct oi_rollup *rollup);
/* Bucket `index` of another set. */
void oi_ready_copy(struct oi_ready *ready, const struct oi_ready *from, size_t index);

/* Hours and days of rows in key order, as far as batches are not hidden; changes `rows`. */
void oi_ready_make(struct oi_rows *rows, const struct oi_hidden *hidden, struct oi_rollups *hours,
                   struct oi_rollups *days);
/* Do the bytes of the column `rows` tell the same? False where they are damaged. */
bool oi_ready_same(struct oi_slice a, struct oi_slice b);

/* One block with all columns, each bucket as of event `version`. */
void oi_ready_encode(const struct oi_ready *ready, uint64_t version, struct oi_buffer *out);

/* The bytes of a bucket's column `rows`, valid until the set changes. */
struct oi_slice oi_ready_rows(const struct oi_ready *ready, size_t index);

/* What to select. */
#define OI_READY_COLUMNS "start,version,count,rows"
/* The newest version of each bucket of an answer, ascending, without empty ones. *ret_version is
 * the highest one met. UPSTREAM or CORRUPT when the bytes are none. */
enum oi_status oi_ready_decode(struct oi_slice body, struct oi_rollups *rollups,
                               uint64_t *ret_version, struct oi_error *error);
