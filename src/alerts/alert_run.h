/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the rules over what is committed: begun from what the log holds, handed rows and the
 * clock, and committed to the log. Without threads or sockets: a test can kill it anywhere and
 * begin another.
 */
#pragma once

#include "alerts/alert_log.h"
#include "query/run.h"

struct oi_alert_run;

/* A row as it was committed. */
struct oi_alert_row {
    uint64_t batch;
    struct oi_row row;
};

/* Begin from the log: windows are filled, and what was committed since is judged. Rules that are
 * new are judged from `now` on. All borrowed. */
enum oi_status oi_alert_run_new(const struct oi_source *source, const struct oi_alert_rules *rules,
                                struct oi_alert_log *log, oi_time now,
                                struct oi_alert_run **ret_run, struct oi_error *error);
void oi_alert_run_free(struct oi_alert_run **run);

/* Whole commits, in their order; those that the run has read already are passed over. */
enum oi_status oi_alert_run_hear(struct oi_alert_run *run, const struct oi_alert_row *rows,
                                 size_t count, struct oi_error *error);
/* Is a minute up to this one still to be judged? */
bool oi_alert_run_is_due(const struct oi_alert_run *run, oi_time until);
/* Everything committed before `until` has been heard: judge the minutes up to it. */
enum oi_status oi_alert_run_advance(struct oi_alert_run *run, oi_time until,
                                    struct oi_error *error);

/* Events that are not yet committed. */
size_t oi_alert_run_waiting(const struct oi_alert_run *run);
/* Write down events, states and how far it is. On failure it may be tried again. */
enum oi_status oi_alert_run_commit(struct oi_alert_run *run, struct oi_error *error);

/* What would have fired from `from` to `to`: events as documents, in their order. `has_past`: also
 * by what was imported or filled in later, as if it had been heard at its own time. */
struct oi_alert_history {
    const struct oi_source *source;
    const struct oi_alert_rules *rules;
    oi_time from, to;
    bool has_past;
    void (*emit)(void *context, const struct oi_alert_event *event);
    void *context;
};
enum oi_status oi_alert_history_run(const struct oi_alert_history *history, struct oi_error *error);
