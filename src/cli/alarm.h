/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts of a command: rules and actions from its options, the log beside the store, and, for those
 * that run on, the thread that judges.
 */
#pragma once

#include "alerts/alert_engine.h"
#include "cli/options.h"

#include <pthread.h>

#define OI_OPTION_ALERTS                                                                           \
    { .name = "alert",                                                                             \
      .argument = "RULE",                                                                          \
      .help = "tell when this is so (docs/alerts.md; better kept in oi.conf)",                     \
      .setting = "alert",                                                                          \
      .is_repeatable = true,                                                                       \
      .is_line = true },                                                                           \
    {                                                                                              \
        .name = "alert-action", .argument = "ACTION",                                              \
        .help = "where rules send alerts: NAME url=URL, or NAME command=PATH",                     \
        .setting = "alert_action", .is_repeatable = true, .is_line = true                          \
    }

struct oi_alarm {
    struct oi_alert_rules rules;
    const struct oi_source *source;
    char *folder;
    pthread_mutex_t lock;     /* over what follows: answers and /metrics ask on other threads */
    struct oi_alert_log *log; /* NULL: nothing was ever judged, and nothing is */
    struct oi_alert_engine *engine;
};

/* Rules and actions alone; INVALID with the line that is wrong. */
enum oi_status oi_alarm_read(const struct oi_options *options, struct oi_alert_rules *rules,
                             struct oi_error *error);
/* Rules, log and thread; the source answers questions about alerts from then on. */
enum oi_status oi_alarm_open(const struct oi_options *options, const char *folder,
                             struct oi_source *source, struct oi_alarm *alarm,
                             struct oi_error *error);
/* Could they be judged by? Rules, actions and their secrets are read, and nothing is done. */
enum oi_status oi_alarm_check(const struct oi_options *options, struct oi_error *error);
/* Judge by the rules of these options from now on. A rule that means the same goes on where it
 * stands. On failure the old ones stay. One thread, the one that closes. */
enum oi_status oi_alarm_reload(const struct oi_options *options, struct oi_alarm *alarm,
                               struct oi_error *error);
/* Lines for /metrics (oi_server_add_metrics); nothing while nothing is judged. Any thread. */
void oi_alarm_write_metrics(void *alarm, struct oi_buffer *out);
/* The thread ends; the log stays until oi_alarm_close, since answers may be under way. */
void oi_alarm_stop(struct oi_alarm *alarm);
/* NULL-safe inside: what was not opened is not closed. */
void oi_alarm_close(struct oi_alarm *alarm);
