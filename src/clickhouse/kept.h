/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ClickHouse answered, kept for questions that come again: rows, ready made hours, sums, each
 * as bytes of whoever asks, over a span of time and as of a batch. What is known as of a batch
 * never changes by itself, so nothing is dropped for being old: an answer is right up to where a
 * later batch touched one of its series (changed.h), and only what lies behind that is asked anew.
 * A withdrawal forgets everything.
 *
 * A limited number of bytes is kept, of what was asked for last. Any thread may call.
 */
#pragma once

#include "base/slice.h"
#include "core/time.h"
#include "store/remote.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_kept;

enum oi_kept_kind {
    OI_KEPT_ROWS,
    OI_KEPT_HOURS,
    OI_KEPT_DAYS,
    OI_KEPT_SUMS,
};

/* What was asked, but for the span. */
struct oi_kept_question {
    enum oi_kept_kind kind;
    uint64_t detail; /* what else tells answers of a kind apart */
    const uint32_t *series;
    size_t count;
    uint64_t batch_limit; /* the last batch that has a say; UINT64_MAX: nothing is kept */
};

/* A part of an answer at hand. */
struct oi_kept_piece {
    struct oi_span span; /* for which it is right; never empty */
    struct oi_slice bytes;
    void *held; /* private */
};

/* `keeps_at_once`: everything is worth keeping, for tests. */
struct oi_kept *oi_kept_new(size_t bytes_max, bool keeps_at_once);
void oi_kept_free(struct oi_kept **kept);

/* The answer at a time. False, and nothing to release, where there is none. */
bool oi_kept_find(struct oi_kept *kept, const struct oi_kept_question *question, oi_time at,
                  struct oi_kept_piece *ret_piece);
void oi_kept_release(struct oi_kept *kept, struct oi_kept_piece *piece);
/* Is it worth keeping? The second time that about this span is asked for, so that who reads
 * everything once pushes nothing out. */
bool oi_kept_wants(struct oi_kept *kept, const struct oi_kept_question *question,
                   struct oi_span span);
/* Taken before a question that is to be kept. */
uint64_t oi_kept_epoch(struct oi_kept *kept);
/* Keep a copy, in place of what there was of the span; unless something was forgotten since, or
 * what is there is as of a later batch. */
void oi_kept_put(struct oi_kept *kept, const struct oi_kept_question *question, uint64_t epoch,
                 struct oi_span span, struct oi_slice bytes);

/*
 * Changes, in their order and before a reader can know of them.
 */

/* Up to this batch nobody knows what was touched when: nothing older is kept. */
void oi_kept_note_all(struct oi_kept *kept, uint64_t batch);
/* Rows in order of series, then time. */
void oi_kept_note_rows(struct oi_kept *kept, uint64_t batch, const struct oi_batch_rows *rows);
/* Any change; rows of an append as they are told, if they are. CORRUPT when those are none. */
enum oi_status oi_kept_note(struct oi_kept *kept, const struct oi_change *change,
                            struct oi_error *error);
void oi_kept_forget(struct oi_kept *kept);
