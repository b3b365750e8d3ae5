/* SPDX-License-Identifier: Apache-2.0 */
/* A bulk load between its two halves: rows sorted by series (bulk.c), and encoded (bulk_encode.c).
 */
#pragma once

#include "store/rollup.h"
#include "store/store_internal.h"

/* A row by its place. */
struct oi_bulk_item {
    uint32_t part, row;
};

/* A value ready to be put: its key, and where its bytes are in the load's buffer. */
struct oi_bulk_value {
    enum oi_table table;
    struct oi_key key;
    size_t from, size;
};

/* The rows of one series. */
struct oi_bulk_load {
    uint32_t series;
    struct oi_bulk_item *items; /* in order of time, then known time, once it is prepared */
    size_t count;
    oi_time first, last;
    bool is_appended; /* not for chunks */
    bool is_tangled;  /* it was not in order of time, or had several rows of one */
    bool is_odd;      /* its repeated instants are for the general way */
    struct oi_position position;
    struct oi_rollups rollups[2]; /* hours, days: stored ones first, then with the rows */
    /* What came out. */
    size_t chunk_count;
    struct oi_buffer bytes;
    OI_VECTOR(struct oi_bulk_value) values;
};

struct oi_bulk_work {
    const struct oi_bulk *bulk;
    struct oi_bulk_load *loads;
    size_t load_count;
    atomic_size_t next; /* load to be taken by a thread */
    size_t chunk_rows;
    uint64_t batch;
    oi_time commit_time;
};

static inline const struct oi_packed *
oi_bulk_row(const struct oi_bulk *bulk, struct oi_bulk_item item)
{
    return &bulk->parts[item.part].rows[item.row];
}

/* What the row says, with its known time and all flags. */
struct oi_observation oi_bulk_observation(const struct oi_bulk_work *work,
                                          struct oi_bulk_item item);
/* Chunks, rollups and position of a series; pure. */
void oi_bulk_encode(const struct oi_bulk_work *work, struct oi_bulk_load *load);
