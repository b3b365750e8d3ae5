/* SPDX-License-Identifier: Apache-2.0 */
/* One thread does both: a checkpoint of this size takes a fraction of a second. */
/* no unit test: a loop until a signal; tests/system/cli.test.mjs runs it */
#include "cli/upkeep.h"

#include "base/log.h"
#include "cli/stop.h"

/* Live streams lag behind another process by this at most. */
#define FOLLOW_NS INT64_C(1'000'000'000)
/* How often a share of the series is moved into chunks: each has its turn once an hour. */
#define CHECKPOINT_NS INT64_C(10'000'000'000)
/* How often a watched folder is looked into. */
#define LOOK_NS INT64_C(10'000'000'000)
#define CHECKPOINT_SHARE 360
/* So many rows are moved before a signal is heard; appends come in between. */
#define CHECKPOINT_ROWS 100'000
/* At the end, smaller: somebody waits. */
#define FINISH_ROWS 10'000
/* What comes by the minute has its turn before it has so many rows; an import goes at once. */
#define CHECKPOINT_CROWD 100
/* More than an hour of 12,000 markets. It is read when a store is opened, and held in memory. */
#define CHECKPOINT_LOG_MAX 1'000'000
/* How often rules of retention are gone through, and for how long before a signal is heard. */
#define RETENTION_NS OI_HOUR
#define RETENTION_STEP_NS INT64_C(50'000'000)
/* Whoever stops a program waits this long without wondering. */
#define FINISH_NS INT64_C(2'000'000'000)

static int64_t
now(const struct oi_upkeep *upkeep)
{
    return upkeep->clock->monotonic_ns(upkeep->clock);
}

/* One transaction; false when there is nothing more to do now. */
static bool
checkpoint(struct oi_upkeep *upkeep, size_t rows, size_t share)
{
    const struct oi_checkpoint_plan plan = {
        .rows_max = rows, .share = share, .crowd = CHECKPOINT_CROWD, .log_max = CHECKPOINT_LOG_MAX
    };
    struct oi_error error = {};
    size_t due = 0;
    enum oi_status status = oi_store_checkpoint_share(upkeep->store, &plan, &due, &error);

    if (status == OI_OK)
        return due > 0;
    if (status != OI_E_BUSY) /* then another process does it */
        oi_log_throttled(status == OI_E_FULL ? OI_LOG_WARN : OI_LOG_ERROR, "checkpoint.failed",
                         oi_status_name(status), "reason=\"%s\" next=\"again in 10 s\"",
                         error.message);
    return false;
}

/* A part of a pass; false when there is nothing more to do now. */
static bool
retain(struct oi_upkeep *upkeep)
{
    struct oi_error error = {};
    bool is_done = true;
    enum oi_status status;

    if (upkeep->retention.count == 0 ||
        (upkeep->retained_ns != 0 && now(upkeep) - upkeep->retained_ns < RETENTION_NS))
        return false;
    status = oi_retention_step(&upkeep->retention, upkeep->store, upkeep->clock, RETENTION_STEP_NS,
                               &is_done, &error);
    if (status != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "retention.failed", oi_status_name(status),
                         "reason=\"%s\" next=\"again in an hour\"", error.message);
    else if (is_done && upkeep->retention.removed > 0)
        oi_log(OI_LOG_INFO, "retention.removed", "rows=%llu",
               (unsigned long long) upkeep->retention.removed);
    if (status != OI_OK || is_done)
        upkeep->retained_ns = now(upkeep);
    return status == OI_OK && !is_done;
}

static void
look(struct oi_upkeep *upkeep)
{
    struct oi_error error = {};

    if (!upkeep->inbox || (upkeep->looked_ns != 0 && now(upkeep) - upkeep->looked_ns < LOOK_NS))
        return;
    if (oi_inbox_look(upkeep->inbox, upkeep->store, NULL, &error) != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "inbox.store_refused", "inbox",
                         "reason=\"%s\" next=\"again in 10 s\"", error.message);
    upkeep->looked_ns = now(upkeep);
}

void
oi_upkeep_run(struct oi_upkeep *upkeep)
{
    int64_t wait_ns = FOLLOW_NS;
    size_t share = CHECKPOINT_SHARE;

    upkeep->checkpointed_ns = now(upkeep);
    for (;;) {
        struct oi_error error = {};
        enum oi_stop stop = oi_stop_next(wait_ns);
        enum oi_status status;

        if (stop == OI_STOP_ASKED)
            return;
        if (stop == OI_STOP_RELOAD && upkeep->reload)
            upkeep->reload(upkeep->context);
        status = oi_store_follow(upkeep->store, &error);

        if (status != OI_OK)
            oi_log_throttled(OI_LOG_ERROR, "follow.failed", oi_status_name(status),
                             "reason=\"%s\" next=\"again in 1 s\"", error.message);
        look(upkeep);
        wait_ns = retain(upkeep) ? 0 : FOLLOW_NS;
        if (now(upkeep) - upkeep->checkpointed_ns < CHECKPOINT_NS)
            continue;
        if (checkpoint(upkeep, CHECKPOINT_ROWS, share)) {
            wait_ns = 0; /* a backlog: go on, but hear a signal in between */
            share = 0;
        } else {
            upkeep->checkpointed_ns = now(upkeep);
            share = CHECKPOINT_SHARE;
        }
    }
}

void
oi_upkeep_finish(struct oi_upkeep *upkeep)
{
    int64_t until = now(upkeep) + FINISH_NS;

    while (checkpoint(upkeep, FINISH_ROWS, 0) && now(upkeep) < until)
        ;
}
