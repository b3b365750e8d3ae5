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

enum oi_status
oi_alarm_open(const struct oi_options *options, const char *folder, struct oi_source *source,
              struct oi_alarm *alarm, struct oi_error *error)
{
    struct oi_alert_engine_options engine = { .source = source,
                                              .rules = &alarm->rules,
                                              .data_folder = folder };
    bool has_rules;
    enum oi_status status;

    OI_TRY(oi_alarm_read(options, &alarm->rules, error));
    OI_TRY(oi_alert_rules_load_secrets(&alarm->rules, error));
    has_rules = alarm->rules.items.count > 0;
    status = oi_alert_log_open(folder, !has_rules, &alarm->log, error);
    if (status == OI_E_NOT_FOUND && !has_rules)
        return OI_OK;
    OI_TRY(status);
    source->ask_alerts = oi_alert_log_ask;
    source->alerts = alarm->log;
    engine.log = alarm->log;
    return has_rules ? oi_alert_engine_open(&engine, &alarm->engine, error) : OI_OK;
}

void
oi_alarm_stop(struct oi_alarm *alarm)
{
    oi_alert_engine_close(&alarm->engine);
}

void
oi_alarm_close(struct oi_alarm *alarm)
{
    oi_alarm_stop(alarm);
    oi_alert_log_close(&alarm->log);
    oi_alert_rules_release(&alarm->rules);
}
