/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From which time on the rows of a series became others behind a batch: what was read as of a batch
 * is right up to there for ever. Of each series so many steps are kept; older ones lie further
 * apart, so that a minute is told from a minute and a month from a month. What is no longer told
 * apart counts as changed. Pure.
 */
#pragma once

#include "base/vector.h"
#include "core/time.h"

#include <stdint.h>

#define OI_CHANGED_STEPS 16

struct oi_changed_series {
    /* Batches and times ascend: batches behind the step before touched no earlier time. */
    struct oi_changed_step {
        uint64_t batch;
        oi_time time;
    } steps[OI_CHANGED_STEPS];
    unsigned count;
};

/* {} knows of no change. */
struct oi_changed {
    OI_VECTOR(struct oi_changed_series) items; /* [series - 1] */
    uint64_t all; /* this batch and earlier ones may have touched anything */
};

void oi_changed_release(struct oi_changed *changed);
/* A batch, not below any other, touched rows of a series from `time` on; or nobody knows what. */
void oi_changed_add(struct oi_changed *changed, uint32_t series, uint64_t batch, oi_time time);
void oi_changed_add_all(struct oi_changed *changed, uint64_t batch);
/* The earliest time that batches behind `batch` touched; LATEST: none did. */
oi_time oi_changed_from(const struct oi_changed *changed, uint32_t series, uint64_t batch);
