/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts of a running process: a thread that hears every commit, judges it, writes down what fired
 * and delivers it. Of all processes on one data folder one does this at a time, whoever holds the
 * folder's lock; another takes over when it ends, from where it had written.
 */
#pragma once

#include "alerts/alert_log.h"
#include "query/run.h"

struct oi_alert_engine;

struct oi_alert_engine_options {
    const struct oi_source *source; /* its store's follower is somebody else (cli/upkeep.h) */
    const struct oi_alert_rules *rules;
    struct oi_alert_log *log;
    const char *data_folder;
};

/* All borrowed, until it is closed. */
enum oi_status oi_alert_engine_open(const struct oi_alert_engine_options *options,
                                    struct oi_alert_engine **ret_engine, struct oi_error *error);
/* What was judged is committed; deliveries under way are tried again by who comes next. */
void oi_alert_engine_close(struct oi_alert_engine **engine);
/* Lines for /metrics (oi_server_add_metrics). Any thread. */
void oi_alert_engine_write_metrics(void *engine, struct oi_buffer *out);
