/* SPDX-License-Identifier: Apache-2.0 */
/* Without rules nothing is made, and what earlier rules told can still be read. */
/* no unit test: tests/system/alerts.test.mjs runs it */
#include "cli/alarm.h"

enum oi_status
oi_alarm_read(const struct oi_options *options, struct oi_alert_rules *rules,
              struct oi_error *error)
{
    const char *const *values;
    size_t count = oi_options_values(options, "alert-action", &values);

    for (size_t i = 0; i < count; i++)
        OI_TRY(oi_alert_rules_add_target(rules, oi_slice_of(values[i]),
                                         oi_options_value_place(options, "alert-action", i),
                                         error));
    count = oi_options_values(options, "alert", &values);
    for (size_t i = 0; i < count; i++)
        OI_TRY(oi_alert_rules_add(rules, oi_slice_of(values[i]),
                                  oi_options_value_place(options, "alert", i), error));
    return oi_alert_rules_check(rules, error);
}

/* Answers about what was told; there may be nothing yet. */
static enum oi_status
ask(void *context, const struct oi_query *query, struct oi_result **ret_result,
    struct oi_error *error)
{
    struct oi_alarm *alarm = context;
    struct oi_alert_log *log;

    (void) pthread_mutex_lock(&alarm->lock);
    log = alarm->log;
    (void) pthread_mutex_unlock(&alarm->lock);
    if (log)
        return oi_alert_log_ask(log, query, ret_result, error);
    *ret_result = oi_result_of_blocks(NULL, 0, NULL, 0);
    return OI_OK;
}

static void
set_engine(struct oi_alarm *alarm, struct oi_alert_engine *engine)
{
    (void) pthread_mutex_lock(&alarm->lock);
    alarm->engine = engine;
    (void) pthread_mutex_unlock(&alarm->lock);
}

/* Without rules a log is opened where there is one, so that it can be written once there are any;
 * where that is not allowed, to be read. */
static enum oi_status
open_log(struct oi_alarm *alarm, struct oi_error *error)
{
    bool has_rules = alarm->rules.items.count > 0;
    struct oi_alert_log *log = NULL;
    enum oi_status status = OI_OK;

    if (alarm->log)
        return OI_OK;
    if (!has_rules) {
        status = oi_alert_log_open(alarm->folder, true, &log, error);
        if (status == OI_E_NOT_FOUND)
            return OI_OK;
        OI_TRY(status);
        oi_alert_log_close(&log);
    }
    status = oi_alert_log_open(alarm->folder, false, &log, error);
    if (status != OI_OK && !has_rules)
        status = oi_alert_log_open(alarm->folder, true, &log, error);
    OI_TRY(status);
    (void) pthread_mutex_lock(&alarm->lock);
    alarm->log = log;
    (void) pthread_mutex_unlock(&alarm->lock);
    return OI_OK;
}

static enum oi_status
open_engine(struct oi_alarm *alarm, struct oi_error *error)
{
    const struct oi_alert_engine_options options = { .source = alarm->source,
                                                     .rules = &alarm->rules,
                                                     .log = alarm->log,
                                                     .data_folder = alarm->folder };
    struct oi_alert_engine *engine = NULL;

    if (alarm->rules.items.count == 0)
        return OI_OK;
    OI_TRY(oi_alert_engine_open(&options, &engine, error));
    set_engine(alarm, engine);
    return OI_OK;
}

enum oi_status
oi_alarm_open(const struct oi_options *options, const char *folder, struct oi_source *source,
              struct oi_alarm *alarm, struct oi_error *error)
{
    OI_TRY(oi_alarm_read(options, &alarm->rules, error));
    OI_TRY(oi_alert_rules_load_secrets(&alarm->rules, error));
    oi_assert(pthread_mutex_init(&alarm->lock, NULL) == 0);
    alarm->source = source;
    alarm->folder = oi_copy_text(oi_slice_of(folder));
    source->ask_alerts = ask;
    source->alerts = alarm;
    OI_TRY(open_log(alarm, error));
    return open_engine(alarm, error);
}

enum oi_status
oi_alarm_check(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_alert_rules_release) struct oi_alert_rules rules = {};

    OI_TRY(oi_alarm_read(options, &rules, error));
    return oi_alert_rules_load_secrets(&rules, error);
}

enum oi_status
oi_alarm_reload(const struct oi_options *options, struct oi_alarm *alarm, struct oi_error *error)
{
    OI_CLEANUP(oi_alert_rules_release) struct oi_alert_rules rules = {};
    struct oi_alert_rules old;

    OI_TRY(oi_alarm_read(options, &rules, error));
    OI_TRY(oi_alert_rules_load_secrets(&rules, error));
    /* The engine writes down how its rules stand, and the next one goes on from there. */
    oi_alarm_stop(alarm);
    old = alarm->rules;
    alarm->rules = rules;
    rules = old;
    OI_TRY(open_log(alarm, error));
    return open_engine(alarm, error);
}

void
oi_alarm_write_metrics(void *context, struct oi_buffer *out)
{
    struct oi_alarm *alarm = context;

    (void) pthread_mutex_lock(&alarm->lock);
    if (alarm->engine)
        oi_alert_engine_write_metrics(alarm->engine, out);
    (void) pthread_mutex_unlock(&alarm->lock);
}

void
oi_alarm_stop(struct oi_alarm *alarm)
{
    struct oi_alert_engine *engine = alarm->engine;

    if (!engine)
        return;
    set_engine(alarm, NULL);
    oi_alert_engine_close(&engine);
}

void
oi_alarm_close(struct oi_alarm *alarm)
{
    oi_alarm_stop(alarm);
    oi_alert_log_close(&alarm->log);
    oi_alert_rules_release(&alarm->rules);
    oi_free(alarm->folder);
    alarm->folder = NULL;
}
