/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: alert_log_test.c and alert_rule_test.c read what it writes */
/* Figures stand as strings with all their digits, as in every answer of ours. */
#include "alerts/alert_text.h"

#include "base/utf8.h"

static void
add_decimal(struct oi_buffer *out, const struct oi_decimal *value)
{
    if (oi_decimal_is_none(value))
        oi_buffer_add_text(out, "-");
    else
        oi_decimal_write(value, out);
}

static void
add_time(struct oi_buffer *out, oi_time time)
{
    oi_time_write(time, oi_time_fraction_digits(time), out);
}

static void
add_threshold(struct oi_buffer *out, const struct oi_alert_rule *rule)
{
    add_decimal(out, &rule->threshold);
    if (rule->is_percent)
        oi_buffer_add_char(out, '%');
}

static const char *
detail_of(const struct oi_alert_event *event)
{
    if (event->rule->when == OI_ALERT_REGIME)
        return oi_alert_regime_name(event->regime);
    if (event->rule->when == OI_ALERT_GAP)
        return oi_hole_cause_name(event->cause);
    return event->rule->of ? event->rule->of : "";
}

/* ", above 40%" */
static void
add_limit(struct oi_buffer *out, const struct oi_alert_event *event)
{
    if (event->is_resolved)
        return;
    oi_buffer_add_text(out, event->rule->is_below ? ", below " : ", above ");
    add_threshold(out, event->rule);
}

static void
add_what(struct oi_buffer *out, const struct oi_alert_event *event)
{
    const struct oi_alert_rule *rule = event->rule;

    if (event->is_resolved)
        oi_buffer_add_text(out, "(over) ");
    switch (rule->when) {
    case OI_ALERT_LEVEL:
        oi_buffer_add_text(out, "has ");
        add_decimal(out, &event->value);
        oi_buffer_add_format(out, " %s", oi_unit_name(rule->unit));
        add_limit(out, event);
        return;
    case OI_ALERT_CHANGE:
        oi_buffer_add_text(out, "changed by ");
        add_decimal(out, &event->value);
        oi_buffer_add_format(out, "%s over ", rule->is_percent ? "%" : "");
        oi_interval_write(rule->over_ns, out);
        add_limit(out, event);
        return;
    case OI_ALERT_ZSCORE:
        oi_buffer_add_text(out, "is ");
        add_decimal(out, &event->value);
        oi_buffer_add_text(out, " standard deviations from the mean of ");
        oi_interval_write(rule->over_ns, out);
        add_limit(out, event);
        return;
    case OI_ALERT_REGIME:
        oi_buffer_add_format(out, "is in %s over ", detail_of(event));
        oi_interval_write(rule->over_ns, out);
        return;
    case OI_ALERT_SHARE:
        oi_buffer_add_format(out, "is held by %s to ", rule->of);
        add_decimal(out, &event->value);
        oi_buffer_add_char(out, '%');
        add_limit(out, event);
        return;
    case OI_ALERT_FRESHNESS:
        oi_buffer_add_text(out, "last had a reading ");
        add_decimal(out, &event->value);
        oi_buffer_add_text(out, " s ago");
        return;
    case OI_ALERT_GAP:
        oi_buffer_add_format(out, "has a hole: %s", detail_of(event));
        return;
    }
}

static void
add_rule(struct oi_buffer *out, const struct oi_alert_event *event)
{
    oi_buffer_add_text(out, event->rule->name);
}

static void
add_market(struct oi_buffer *out, const struct oi_alert_event *event)
{
    oi_buffer_add_text(out, event->market);
}

static const char *
state_of(bool is_resolved)
{
    return is_resolved ? "resolved" : "fired";
}

static void
add_state(struct oi_buffer *out, const struct oi_alert_event *event)
{
    oi_buffer_add_text(out, state_of(event->is_resolved));
}

static void
add_value(struct oi_buffer *out, const struct oi_alert_event *event)
{
    add_decimal(out, &event->value);
}

static void
add_amount(struct oi_buffer *out, const struct oi_alert_event *event)
{
    add_decimal(out, &event->amount);
}

static void
add_unit(struct oi_buffer *out, const struct oi_alert_event *event)
{
    oi_buffer_add_text(out, oi_unit_name(event->rule->unit));
}

static void
add_limit_alone(struct oi_buffer *out, const struct oi_alert_event *event)
{
    add_threshold(out, event->rule);
}

static void
add_over(struct oi_buffer *out, const struct oi_alert_event *event)
{
    if (event->rule->over_ns > 0)
        oi_interval_write(event->rule->over_ns, out);
}

static void
add_severity(struct oi_buffer *out, const struct oi_alert_event *event)
{
    oi_buffer_add_text(out, oi_alert_severity_name(event->rule->severity));
}

static void
add_detail(struct oi_buffer *out, const struct oi_alert_event *event)
{
    oi_buffer_add_text(out, detail_of(event));
}

static void
add_reading_time(struct oi_buffer *out, const struct oi_alert_event *event)
{
    add_time(out, event->time);
}

static void
add_since(struct oi_buffer *out, const struct oi_alert_event *event)
{
    add_time(out, event->since);
}

static const struct placeholder {
    const char *name;
    void (*add)(struct oi_buffer *out, const struct oi_alert_event *event);
} placeholders[] = {
    { "rule", add_rule },         { "market", add_market },         { "state", add_state },
    { "what", add_what },         { "value", add_value },           { "amount", add_amount },
    { "unit", add_unit },         { "threshold", add_limit_alone }, { "over", add_over },
    { "severity", add_severity }, { "detail", add_detail },         { "time", add_reading_time },
    { "since", add_since },
};

/* The placeholder that `*at` begins with; moves behind it. NULL: none that is known. */
static const struct placeholder *
take_placeholder(const char **at)
{
    const char *end = strchr(*at, '}');

    for (size_t i = 0; end && i < OI_COUNT(placeholders); i++) {
        const struct oi_slice name = { *at + 1, (size_t) (end - *at) - 1 };

        if (!oi_slice_is(name, placeholders[i].name))
            continue;
        *at = end + 1;
        return &placeholders[i];
    }
    return NULL;
}

bool
oi_alert_template_check(const char *template)
{
    if (strlen(template) > OI_ALERT_TEMPLATE_SIZE_MAX || !oi_utf8_is_valid(oi_slice_of(template)))
        return false;
    while (*template) {
        if (*template != '{')
            template ++;
        else if (!take_placeholder(&template))
            return false;
    }
    return true;
}

static void
add_message(struct oi_buffer *out, const struct oi_alert_event *event)
{
    const char *at = event->rule->message;

    while (*at) {
        const struct placeholder *placeholder = *at == '{' ? take_placeholder(&at) : NULL;

        if (placeholder)
            placeholder->add(out, event);
        else
            oi_buffer_add_char(out, *at++);
    }
}

static void
add_text_member(struct oi_json_writer *writer, const char *name, const char *text)
{
    oi_json_add_name(writer, name);
    oi_json_add_text(writer, text);
}

static void
add_time_member(struct oi_json_writer *writer, const char *name, oi_time time)
{
    struct oi_buffer text = {};

    add_time(&text, time);
    oi_json_add_name(writer, name);
    oi_json_add_string(writer, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

static void
add_decimal_member(struct oi_json_writer *writer, const char *name, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    oi_json_add_name(writer, name);
    if (oi_decimal_is_none(value))
        oi_json_add_null(writer);
    else
        oi_json_add_string(writer, (struct oi_slice){ text, oi_decimal_print(value, text) });
}

void
oi_alert_write(const struct oi_alert_event *event, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };
    struct oi_buffer message = {};

    add_message(&message, event);
    oi_json_begin_object(&writer);
    add_text_member(&writer, "id", event->id);
    add_text_member(&writer, "alert", event->alert);
    add_text_member(&writer, "state", state_of(event->is_resolved));
    add_text_member(&writer, "rule", event->rule->name);
    add_text_member(&writer, "when", oi_alert_when_name(event->rule->when));
    add_text_member(&writer, "severity", oi_alert_severity_name(event->rule->severity));
    add_text_member(&writer, "market", event->market);
    add_time_member(&writer, "at", event->at);
    add_time_member(&writer, "time", event->time);
    add_time_member(&writer, "since", event->since);
    add_decimal_member(&writer, "value", &event->value);
    add_decimal_member(&writer, "amount", &event->amount);
    add_text_member(&writer, "unit", oi_unit_name(event->rule->unit));
    add_text_member(&writer, "detail", detail_of(event));
    oi_json_add_name(&writer, "message");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    oi_json_end_object(&writer);
    oi_buffer_release(&message);
}

/*
 * Reading it again.
 */

static bool
read_time(const struct oi_json_node *object, const char *name, oi_time *ret_time)
{
    return oi_time_parse_utc(oi_json_text(oi_json_member(object, name)), ret_time, NULL) == OI_OK;
}

static bool
read_decimal(const struct oi_json_node *object, const char *name, struct oi_decimal *ret_value)
{
    const struct oi_json_node *node = oi_json_member(object, name);

    *ret_value = (struct oi_decimal){};
    return oi_json_kind(node) == OI_JSON_NULL ||
           oi_decimal_parse(oi_json_text(node), ret_value, NULL) == OI_OK;
}

static const char *
read_text(const struct oi_json_node *object, const char *name, struct oi_arena *arena)
{
    return oi_arena_copy(arena, oi_json_text(oi_json_member(object, name)));
}

enum oi_status
oi_alert_read(struct oi_slice json, struct oi_arena *arena, struct oi_alert *ret_alert,
              struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *document = NULL;
    const struct oi_json_node *root;
    struct oi_alert alert = {};

    if (oi_json_open(json, &document, NULL) != OI_OK)
        return oi_fail(error, OI_E_CORRUPT, "an entry of the alerts' log is damaged");
    root = oi_json_root(document);
    alert.id = read_text(root, "id", arena);
    alert.alert = read_text(root, "alert", arena);
    alert.is_resolved = oi_slice_is(oi_json_text(oi_json_member(root, "state")), "resolved");
    alert.rule = read_text(root, "rule", arena);
    alert.when = read_text(root, "when", arena);
    alert.severity = read_text(root, "severity", arena);
    alert.market = read_text(root, "market", arena);
    alert.unit = read_text(root, "unit", arena);
    alert.detail = read_text(root, "detail", arena);
    alert.message = read_text(root, "message", arena);
    if (!read_time(root, "at", &alert.at) || !read_time(root, "time", &alert.time) ||
        !read_time(root, "since", &alert.since) || !read_decimal(root, "value", &alert.value) ||
        !read_decimal(root, "amount", &alert.amount))
        return oi_fail(error, OI_E_CORRUPT, "an entry of the alerts' log is damaged");
    *ret_alert = alert;
    return OI_OK;
}
