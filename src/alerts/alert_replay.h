/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored readings in the order in which they were heard, handed to a scope's evaluator: what a run
 * goes on from, and what would have fired on history. A slice of time is held in memory at once.
 */
#pragma once

#include "alerts/alert_scope.h"

struct oi_alert_replay {
    struct oi_alert_scope *scope;
    oi_time from, to;   /* by when they were heard, [from, to) */
    uint64_t batch_max; /* later commits are left out */
    /* Called after each slice; may be NULL. A failure ends the replay. */
    enum oi_status (*step)(void *context, struct oi_error *error);
    void *context;
};

/* The scope must have been refreshed. What is due before `from` is taken as it was: markets of
 * rules on freshness begin with their last reading before. */
enum oi_status oi_alert_replay_run(const struct oi_alert_replay *replay, struct oi_error *error);

/* Order readings as they were heard. */
struct oi_alert_heard {
    struct oi_alert_reading reading;
    uint32_t series;
};
void oi_alert_replay_sort(struct oi_alert_heard *readings, size_t count);
