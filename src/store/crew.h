/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second thread for whoever appends: large batches are cut into pieces that both take in turn,
 * and what can be done while the disk is waited for is done by the other one. It is made when first
 * needed and sleeps in between; where there is none, everything is done by the caller.
 *
 * One caller at a time: who holds the append lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct oi_crew;

struct oi_crew *oi_crew_new(void);
/* NULL-safe; ends the thread. */
void oi_crew_free(struct oi_crew **crew);

/* Called for each piece once, by either thread, in any order. */
typedef void oi_crew_work(void *context, size_t piece);

/* Have all pieces done, together; returns when they are. `crew` may be NULL: then alone. */
void oi_crew_share(struct oi_crew *crew, oi_crew_work *work, void *context, size_t count);

/* Have one piece, 0, done by the other thread; false where there is none, and nothing happens.
 * Nothing else may be asked for before it was waited for. */
bool oi_crew_start(struct oi_crew *crew, oi_crew_work *work, void *context);
/* Wait for what was started, if anything was. */
void oi_crew_finish(struct oi_crew *crew);
