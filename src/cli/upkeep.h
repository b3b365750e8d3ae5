/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process that keeps a store open owes it: following what other processes commit, so that
 * live streams see an import, moving the log into chunks, removing what rules let go, and
 * importing what comes into a watched folder.
 */
#pragma once

#include "base/clock.h"
#include "cli/retention.h"
#include "collector/inbox.h"
#include "store/store.h"

struct oi_upkeep {
    struct oi_store *store;
    const struct oi_clock *clock;
    struct oi_retention retention; /* {}: nothing is ever removed */
    struct oi_inbox *inbox;        /* a folder that is watched, or NULL */
    int64_t looked_ns;             /* monotonic; 0: never */
    int64_t checkpointed_ns;       /* the same */
    int64_t retained_ns;           /* the same */
    /* SIGHUP asks for it; NULL: it is passed over. */
    void (*reload)(void *context);
    void *context;
};

/* Do these things until asked to stop (stop.h). */
void oi_upkeep_run(struct oi_upkeep *upkeep);
/* What an import left to do, bounded in time: the rest stays safely in the log. */
void oi_upkeep_finish(struct oi_upkeep *upkeep);
