/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours and days made of rows as they are written, so that they need not be read back. Of a series
 * they are whole from the day on where the rows in hand begin: none came before on that day, each
 * row is later than the one before, and nobody else touched the series. Otherwise the series is
 * spoiled until the next beginning. Pure.
 */
#pragma once

#include "clickhouse/ready.h"
#include "store/rows.h"

struct oi_making_series {
    struct oi_series series;
    struct oi_making_open *open; /* the last hour and day, which may grow; NULL before the first */
    oi_time from, last;          /* the day where it begins, and the last row */
    bool is_begun, is_spoiled;
};

/* {} is a beginning. */
struct oi_making {
    OI_VECTOR(struct oi_making_series) items; /* [series - 1] */
    struct oi_ready hours, days;              /* each with the series' id */
    bool is_spoiled;                          /* all */
};

/* To the beginning. */
void oi_making_release(struct oi_making *making);
/* Somebody else touched the series; 0: perhaps any. */
void oi_making_spoil(struct oi_making *making, uint32_t series);
/* Rows [from, to) of a set were written; before them the last row of the series was at `before`,
 * OI_TIME_NONE without one. */
void oi_making_add(struct oi_making *making, const struct oi_series *series, oi_time before,
                   const struct oi_rows *rows, size_t from, size_t to);
/* Is all from `from` to `last`, which has the last row, in hand? */
bool oi_making_has(const struct oi_making *making, uint32_t series, oi_time from, oi_time last);
/* The buckets that may grow are put behind the others, as they are now. */
void oi_making_finish(struct oi_making *making);
/* All that is in hand is about to be stored: what may grow goes on growing, so that the next rows
 * of its day need nothing that was stored. What is spoiled begins anew. */
void oi_making_turn(struct oi_making *making);
