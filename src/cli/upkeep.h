/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process that keeps a store open owes it: following what other processes commit, so that
 * live streams see an import, and moving the log into chunks.
 */
#pragma once

#include "base/clock.h"
#include "store/store.h"

struct oi_upkeep {
    struct oi_store *store;
    const struct oi_clock *clock;
    int64_t checkpointed_ns; /* monotonic; 0: never */
    /* SIGHUP asks for it; NULL: it is passed over. */
    void (*reload)(void *context);
    void *context;
};

/* Do these things until asked to stop (stop.h). */
void oi_upkeep_run(struct oi_upkeep *upkeep);
/* What an import left to do, bounded in time: the rest stays safely in the log. */
void oi_upkeep_finish(struct oi_upkeep *upkeep);
