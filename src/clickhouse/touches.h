/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Up to where the stored hours and days of each series are what the rows say: everything that an
 * event up to `filled` touched is in them, and of what came later the earliest time is known. Two
 * such times a series: when a newer `filled` becomes known, the touches before it can be forgotten
 * without knowing each. Pure.
 */
#pragma once

#include "base/vector.h"
#include "core/time.h"

#include <stdint.h>

struct oi_touch {
    oi_time before, later; /* earliest time touched up to `turned`, and behind; LATEST: none */
};

/* {} knows of nothing stored. */
struct oi_touches {
    OI_VECTOR(struct oi_touch) items; /* [series - 1] */
    uint64_t filled;                  /* 0: nothing is stored */
    uint64_t turned;
};

void oi_touches_release(struct oi_touches *touches);
/* Rows of a series from `time` on became others, by an event behind `turned`. */
void oi_touches_add(struct oi_touches *touches, uint32_t series, oi_time time);
/* From here on the stored ones may be wrong; LATEST: nowhere. */
oi_time oi_touches_from(const struct oi_touches *touches, uint32_t series);
/* What is touched from now on is behind this event. */
void oi_touches_turn(struct oi_touches *touches, uint64_t sequence);
/* Somebody stored what events up to `filled` say; `sequence` is the last one that is known here,
 * and what is not known here yet is not believed. */
void oi_touches_fill(struct oi_touches *touches, uint64_t filled, uint64_t sequence);
