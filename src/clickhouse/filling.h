/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables `rollup_hour` and `rollup_day`: hours and days are made ready of the rows now and then
 * by whoever writes, as of an event, and read as far as no later event touched them. They are never
 * part of an append: one that breaks off leaves them as they were, and what they lack is read from
 * the rows. Why that cannot answer wrongly is in README.md.
 *
 * All but `oi_filling_ready` under the store's append lock.
 */
#pragma once

#include "clickhouse/making.h"
#include "clickhouse/parts.h"
#include "clickhouse/ready.h"
#include "clickhouse/touches.h"
#include "store/remote.h"

#include <pthread.h>

struct oi_clickhouse;

struct oi_filling {
    pthread_mutex_t lock; /* guards `touches`, `is_unsure`, `seen`; nothing is locked inside it */
    struct oi_touches touches;
    bool is_unsure; /* rows were touched that nobody has told of: nothing ready made is read */
    uint64_t seen;  /* the last event that readers may have met */
    /* What is not told with its rows: batches, and those that were withdrawn. */
    uint64_t untold_from, untold_to; /* 0: none */
    struct oi_hidden hidden;         /* as far as `touches` knows */
    bool has_hidden;
    bool has_withdrawn; /* since `filled`: buckets may have become empty */
    uint64_t rows_due;
    uint64_t rows; /* written by this process since it filled */
    int64_t fill_at, retry_at, ask_at;
    struct oi_making making; /* of rows that this process wrote since the last pass */
    /* A pass over all series. */
    bool is_passing, clears_empty;
    uint64_t sequence, batch; /* as of */
    struct oi_part_walk walk;
    OI_VECTOR(bool) has_made;    /* [series - 1]: what is stored of it was made before */
    struct oi_ready hours, days; /* made and not yet sent */
};

void oi_filling_release(struct oi_filling *filling);
/* Ask up to where hours and days are ready, before the first event is followed. */
enum oi_status oi_filling_ask(struct oi_clickhouse *engine, struct oi_error *error);
/* An event that is about to be applied; one of ours that was told. */
enum oi_status oi_filling_note(struct oi_clickhouse *engine, uint64_t sequence,
                               const struct oi_change *change, struct oi_error *error);
/* Hours and days of rows of ours, which are about to be told or just were; the mirror does not have
 * them yet. Nobody else touches `making` meanwhile. */
void oi_filling_make(struct oi_clickhouse *engine, const struct oi_batch_rows *rows);
void oi_filling_note_own(struct oi_clickhouse *engine, const struct oi_change *change,
                         const struct oi_batch_rows *rows);
/* After events were applied. */
enum oi_status oi_filling_follow(struct oi_clickhouse *engine, struct oi_error *error);
/* Make a part of the hours and days ready when it is time. What goes wrong is logged. */
void oi_filling_step(struct oi_clickhouse *engine);
/* The same to the end, when a process that wrote many rows ends. */
void oi_filling_finish(struct oi_clickhouse *engine);
/* hours.c: as the remote's `ready`. On any thread. */
enum oi_status oi_filling_ready(void *context, const struct oi_rollup_request *request,
                                struct oi_rollups *rollups, oi_time *ret_until,
                                struct oi_error *error);
