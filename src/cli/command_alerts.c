/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts from the command line: the rules and how they stand, what they told, what they would have
 * told, and a trial of an action.
 */
/* no unit test: a whole command; tests/system/alerts.test.mjs runs it */
#include "alerts/alert_command.h"
#include "alerts/alert_courier.h"
#include "alerts/alert_run.h"
#include "alerts/alert_text.h"
#include "base/json.h"
#include "base/random.h"
#include "cli/alarm.h"
#include "cli/command.h"
#include "cli/question.h"
#include "cli/table.h"
#include "cli/workspace.h"
#include "net/http_client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct oi_option options_table[] = {
    { .name = "start", .also = "from", .argument = "TIME", .help = "test: from this instant on" },
    { .name = "end",
      .also = "to",
      .argument = "TIME",
      .help = "test: before this instant (default: now)" },
    { .name = "rule", .argument = "NAME", .help = "list, test, log: this rule alone" },
    { .name = "heard",
      .help = "test: only by what was heard as it happened, as a running server judges" },
    OI_OPTION_LIMIT,
    OI_OPTION_FORMAT,
    OI_OPTION_ALERTS,
    OI_OPTION_STORE,
};

struct work {
    const struct oi_options *options;
    const char *folder, *operand, *rule;
    struct oi_alert_rules rules;
    enum oi_table_format format;
    oi_time now;
    struct oi_printer *printer;
    struct oi_table *table;
};

static void
close_work(struct work *work)
{
    oi_table_free(&work->table);
    oi_printer_close(&work->printer);
    oi_alert_rules_release(&work->rules);
}

static enum oi_status
begin_table(struct work *work, const struct oi_table_column *columns, size_t count,
            struct oi_error *error)
{
    OI_TRY(oi_printer_open(NULL, &work->printer, error));
    work->table = oi_table_new(work->format, columns, count, work->printer);
    return OI_OK;
}

static enum oi_status
finish_table(struct work *work, struct oi_error *error)
{
    OI_TRY(oi_table_finish(work->table, error));
    return oi_printer_finish(work->printer, error);
}

/*
 * list
 */

static const struct oi_table_column rule_columns[] = {
    { .name = "rule" },
    { .name = "when" },
    { .name = "severity" },
    { .name = "state" },
    { .name = "firing", .is_number = true },
    { .name = "pending", .is_number = true },
    { .name = "last_fired" },
    { .name = "judged_since" },
    { .name = "to" },
    { .name = "definition", .is_detail = true },
};

static void
add_targets(struct oi_table *table, const struct oi_alert_rule *rule)
{
    struct oi_buffer text = {};

    for (size_t i = 0; i < rule->targets.count; i++)
        oi_buffer_add_format(&text, "%s%s", i > 0 ? "," : "", rule->targets.items[i]);
    oi_buffer_add_char(&text, '\0');
    oi_table_text(table, text.data);
    oi_buffer_release(&text);
}

static enum oi_status
add_rule(struct work *work, const struct oi_alert_rule *rule, const struct oi_alert_memory *memory,
         struct oi_error *error)
{
    oi_time since = OI_TIME_NONE, fired = OI_TIME_NONE;
    int64_t counts[OI_ALERT_FIRING + 1] = {};

    for (size_t i = 0; i < memory->rules.count; i++)
        if (strcmp(memory->rules.items[i].name, rule->name) == 0 &&
            memcmp(memory->rules.items[i].identity, rule->identity, OI_SHA256_SIZE) == 0)
            since = memory->rules.items[i].since;
    for (size_t i = 0; since != OI_TIME_NONE && i < memory->latches.count; i++) {
        const struct oi_alert_saved_latch *saved = &memory->latches.items[i];

        if (strcmp(saved->rule, rule->name) != 0)
            continue;
        counts[saved->latch.state]++;
        if (saved->latch.fired > fired)
            fired = saved->latch.fired;
    }
    oi_table_text(work->table, rule->name);
    oi_table_text(work->table, oi_alert_when_name(rule->when));
    oi_table_text(work->table, oi_alert_severity_name(rule->severity));
    oi_table_text(work->table, since == OI_TIME_NONE          ? "not judged"
                               : counts[OI_ALERT_FIRING] > 0  ? "firing"
                               : counts[OI_ALERT_PENDING] > 0 ? "pending"
                                                              : "idle");
    oi_table_integer(work->table, counts[OI_ALERT_FIRING]);
    oi_table_integer(work->table, counts[OI_ALERT_PENDING]);
    oi_table_time(work->table, fired);
    oi_table_time(work->table, since);
    add_targets(work->table, rule);
    oi_table_text(work->table, rule->text);
    return oi_table_end_row(work->table, error);
}

static enum oi_status
list(struct work *work, struct oi_error *error)
{
    struct oi_alert_memory memory = {};
    struct oi_alert_log *log = NULL;
    enum oi_status status = oi_alert_log_open(work->folder, true, &log, error);

    if (status == OI_OK)
        status = oi_alert_log_load(log, &memory, error);
    oi_alert_log_close(&log);
    if (status != OI_OK && status != OI_E_NOT_FOUND)
        return status;
    status = begin_table(work, rule_columns, OI_COUNT(rule_columns), error);
    for (size_t i = 0; status == OI_OK && i < work->rules.items.count; i++)
        if (!work->rule || strcmp(work->rules.items.items[i].name, work->rule) == 0)
            status = add_rule(work, &work->rules.items.items[i], &memory, error);
    oi_alert_memory_release(&memory);
    return status == OI_OK ? finish_table(work, error) : status;
}

/*
 * log and test
 */

static const struct oi_table_column event_columns[] = {
    { .name = "sequence", .is_number = true, .is_detail = true },
    { .name = "at" },
    { .name = "state" },
    { .name = "rule" },
    { .name = "severity" },
    { .name = "market" },
    { .name = "value", .is_number = true },
    { .name = "amount", .is_number = true, .is_detail = true },
    { .name = "unit", .is_detail = true },
    { .name = "detail", .is_detail = true },
    { .name = "message" },
    { .name = "when", .is_detail = true },
    { .name = "time", .is_detail = true },
    { .name = "since", .is_detail = true },
    { .name = "id", .is_detail = true },
    { .name = "alert", .is_detail = true },
};

static enum oi_status
add_event(struct work *work, const struct oi_alert *alert, struct oi_error *error)
{
    struct oi_table *table = work->table;

    if (alert->sequence > 0)
        oi_table_integer(table, (int64_t) alert->sequence);
    else
        oi_table_none(table);
    oi_table_time(table, alert->at);
    oi_table_text(table, alert->is_resolved ? "resolved" : "fired");
    oi_table_text(table, alert->rule);
    oi_table_text(table, alert->severity);
    oi_table_text(table, alert->market);
    oi_table_decimal(table, &alert->value);
    oi_table_decimal(table, &alert->amount);
    oi_table_text(table, alert->unit);
    oi_table_text(table, alert->detail);
    oi_table_text(table, alert->message);
    oi_table_text(table, alert->when);
    oi_table_time(table, alert->time);
    oi_table_time(table, alert->since);
    oi_table_text(table, alert->id);
    oi_table_text(table, alert->alert);
    OI_TRY(oi_table_end_row(table, error));
    return oi_printer_flush(work->printer, error);
}

static enum oi_status
show_log(struct work *work, struct oi_error *error)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_alert_log *log = NULL;
    struct oi_result *result = NULL;
    const struct oi_block *block = NULL;
    enum oi_status status;

    query.kind = OI_QUERY_ALERTS;
    query.from_end = true;
    query.text_filter = work->rule;
    OI_TRY(oi_question_limit(work->options, &query, error));
    OI_TRY(begin_table(work, event_columns, OI_COUNT(event_columns), error));
    status = oi_alert_log_open(work->folder, true, &log, error);
    if (status == OI_E_NOT_FOUND)
        return finish_table(work, error);
    if (status == OI_OK)
        status = oi_alert_log_ask(log, &query, &result, error);
    if (status == OI_OK)
        status = oi_result_next(result, &block, error);
    for (size_t i = 0; status == OI_OK && block && i < block->count; i++)
        status = add_event(work, &block->alerts[i], error);
    oi_result_close(&result);
    oi_alert_log_close(&log);
    return status == OI_OK ? finish_table(work, error) : status;
}

/* The events of a replay; the first failure is kept. */
struct replayed {
    struct work *work;
    enum oi_status status;
    struct oi_error *error;
};

static void
show_event(void *context, const struct oi_alert_event *event)
{
    struct replayed *replayed = context;
    struct oi_buffer json = {};
    struct oi_arena arena = {};
    struct oi_alert alert;

    if (replayed->status != OI_OK ||
        (replayed->work->rule && strcmp(event->rule->name, replayed->work->rule) != 0))
        return;
    oi_alert_write(event, &json);
    replayed->status = oi_alert_read(oi_buffer_slice(&json), &arena, &alert, replayed->error);
    if (replayed->status == OI_OK)
        replayed->status = add_event(replayed->work, &alert, replayed->error);
    oi_arena_release(&arena);
    oi_buffer_release(&json);
}

static enum oi_status
test(struct work *work, struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    struct replayed replayed = { .work = work, .error = error };
    struct oi_alert_history history = {
        .rules = &work->rules,
        .from = OI_TIME_EARLIEST,
        .to = work->now,
        .has_past = !oi_options_switch(work->options, "heard"),
        .emit = show_event,
        .context = &replayed,
    };

    OI_TRY(oi_options_time(work->options, "start", &history.from, error));
    OI_TRY(oi_options_time(work->options, "end", &history.to, error));
    if (history.to > work->now)
        history.to = work->now;
    if (history.from > history.to)
        return oi_options_refuse(work->options, "start", "an instant before --end", error);
    OI_TRY(oi_workspace_open(work->options, work->folder, OI_STORE_READ, &workspace, error));
    OI_TRY(begin_table(work, event_columns, OI_COUNT(event_columns), error));
    history.source = &workspace->source;
    OI_TRY(oi_alert_history_run(&history, error));
    OI_TRY(replayed.status);
    return finish_table(work, error);
}

/*
 * send-test
 */

/* A delivery of a document that says what it is. */
struct trial {
    struct oi_loop *loop;
    struct oi_http_client *client;
    enum oi_status status;
    int answer;
    struct oi_error error;
};

static void
close_trial(struct trial *trial)
{
    oi_http_client_free(&trial->client);
    oi_loop_free(&trial->loop);
}

static void
answered(void *context, enum oi_status status, const struct oi_http_response *response,
         const struct oi_error *error)
{
    struct trial *trial = context;

    trial->status = status;
    trial->answer = status == OI_OK ? response->status : 0;
    if (error)
        trial->error = *error;
    oi_loop_stop(trial->loop);
}

static enum oi_status
try_webhook(const struct oi_alert_target *target, const char *id, struct oi_slice json, oi_time now,
            struct oi_error *error)
{
    const struct oi_http_client_options options = { .authority = target->authority };
    const struct oi_http_limits limits = { .timeout_ms =
                                               (uint64_t) (target->timeout_ns / OI_MILLISECOND),
                                           .size_max = 1 << 20 };
    OI_CLEANUP(close_trial) struct trial trial = {};
    OI_CLEANUP(oi_http_request_release) struct oi_http_request request = {};

    OI_TRY(oi_alert_webhook(target, id, json, now, &request, error));
    OI_TRY(oi_loop_new(&trial.loop, error));
    OI_TRY(oi_http_client_new(trial.loop, &options, &trial.client, error));
    oi_http_client_send(trial.client, &request, &limits, answered, &trial);
    oi_loop_run(trial.loop);
    if (trial.status != OI_OK)
        return oi_fail(error, OI_E_UPSTREAM, "%s: %s", target->name, trial.error.message);
    if (trial.answer < 200 || trial.answer >= 300)
        return oi_fail(error, OI_E_UPSTREAM, "%s answered with status %d", target->name,
                       trial.answer);
    return OI_OK;
}

static enum oi_status
try_command(const struct oi_alert_target *target, const char *id, struct oi_slice json,
            struct oi_error *error)
{
    const struct timespec step = { .tv_nsec = 20 * OI_MILLISECOND };
    const struct oi_clock *clock = &oi_clock_system;
    int64_t until_ns = clock->monotonic_ns(clock) + target->timeout_ns;
    pid_t process = 0;
    bool is_good = false;

    OI_TRY(oi_alert_command_start(target->arguments, id, json, &process, error));
    while (!oi_alert_command_ended(process, &is_good)) {
        if (clock->monotonic_ns(clock) > until_ns) {
            oi_alert_command_kill(process);
            return oi_fail(error, OI_E_BUSY, "%s: its time was up", target->name);
        }
        (void) nanosleep(&step, NULL);
    }
    return is_good ? OI_OK : oi_fail(error, OI_E_UPSTREAM, "%s did not end with 0", target->name);
}

/* Every figure of it is none: nobody is to act on it. */
static void
write_trial(struct oi_buffer *out, const char *id, const char *name, oi_time now)
{
    struct oi_json_writer writer = { .out = out };
    struct oi_buffer time = {};

    oi_time_write(now, oi_time_fraction_digits(now), &time);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "id");
    oi_json_add_text(&writer, id);
    oi_json_add_name(&writer, "alert");
    oi_json_add_text(&writer, id);
    oi_json_add_name(&writer, "state");
    oi_json_add_text(&writer, "test");
    oi_json_add_name(&writer, "rule");
    oi_json_add_text(&writer, name);
    oi_json_add_name(&writer, "at");
    oi_json_add_string(&writer, oi_buffer_slice(&time));
    oi_json_add_name(&writer, "message");
    oi_json_add_text(&writer, "This is a test of an action; nothing fired.");
    oi_json_end_object(&writer);
    oi_buffer_release(&time);
}

static enum oi_status
try_target(struct work *work, const struct oi_alert_target *target, struct oi_error *error)
{
    char id[OI_UUID_SIZE];
    struct oi_buffer json = {};
    enum oi_status status;

    oi_random_uuid(id);
    write_trial(&json, id, work->operand, work->now);
    status = target->url ? try_webhook(target, id, oi_buffer_slice(&json), work->now, error)
                         : try_command(target, id, oi_buffer_slice(&json), error);
    oi_buffer_release(&json);
    if (status == OI_OK && printf("%s took the test %s\n", target->name, id) < 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    return status;
}

static enum oi_status
send_test(struct work *work, struct oi_error *error)
{
    const struct oi_alert_rule *rule = oi_alert_rules_find(&work->rules, work->operand);
    const struct oi_alert_target *target = oi_alert_rules_target(&work->rules, work->operand);

    OI_TRY(oi_alert_rules_load_secrets(&work->rules, error));
    if (target)
        return try_target(work, target, error);
    if (!rule)
        return oi_fail(error, OI_E_INVALID, "there is no alert and no alert_action \"%s\"",
                       work->operand);
    if (rule->targets.count == 0)
        return oi_fail(error, OI_E_INVALID, "alert %s sends to nobody: give it to=ACTION",
                       rule->name);
    for (size_t i = 0; i < rule->targets.count; i++)
        OI_TRY(
            try_target(work, oi_alert_rules_target(&work->rules, rule->targets.items[i]), error));
    return OI_OK;
}

/*
 * The command.
 */

static const struct action {
    const char *name;
    bool takes_name;
    enum oi_status (*run)(struct work *work, struct oi_error *error);
} actions[] = {
    { "list", false, list },
    { "log", false, show_log },
    { "test", false, test },
    { "send-test", true, send_test },
};

static enum oi_status
find_action(struct work *work, const struct action **ret_action, struct oi_error *error)
{
    const char *const *operands;
    size_t count = oi_options_operands(work->options, &operands);

    for (size_t i = 0; i < OI_COUNT(actions); i++) {
        if (strcmp(operands[0], actions[i].name) != 0)
            continue;
        if (actions[i].takes_name != (count == 2))
            return oi_fail(error, OI_E_INVALID, "oi alerts %s takes %s", actions[i].name,
                           actions[i].takes_name ? "one name" : "no name: use --rule");
        work->operand = actions[i].takes_name ? operands[1] : NULL;
        *ret_action = &actions[i];
        return OI_OK;
    }
    return oi_fail(error, OI_E_INVALID, "oi alerts takes list, log, test or send-test, not \"%s\"",
                   operands[0]);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(close_work) struct work work = { .options = options };
    const struct action *action = NULL;
    size_t format = 0;

    OI_TRY(find_action(&work, &action, error));
    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    work.format = (enum oi_table_format) format;
    work.folder = oi_options_text(options, "data");
    work.rule = oi_options_text(options, "rule");
    work.now = oi_clock_system.wall_ns(&oi_clock_system);
    OI_TRY(oi_alarm_read(options, &work.rules, error));
    if (work.rule && action->run != show_log && !oi_alert_rules_find(&work.rules, work.rule))
        return oi_fail(error, OI_E_INVALID, "there is no alert \"%s\": `oi alerts list` has them",
                       work.rule);
    return action->run(&work, error);
}

const struct oi_command oi_command_alerts = {
    .name = "alerts",
    .summary = "Show the rules that watch the markets, and what they told",
    .operands = "list | log | test | send-test NAME",
    .operands_min = 1,
    .operands_max = 2,
    .description = "list: the rules and how they stand. log: what fired, the newest last.\n"
                   "test: what would have fired on history, from --start to --end.\n"
                   "send-test: one signed delivery to an action, or to those of a rule.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
