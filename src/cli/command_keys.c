/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that let callers in: made, listed, revoked, and what each has used of its month. A key
 * is printed once, when it is made; what is kept is its hash. A running server notices by itself.
 */
/* no unit test: a whole command; tests/system/keys.test.mjs runs it */
#include "base/clock.h"
#include "cli/command.h"
#include "cli/table.h"
#include "server/plans.h"
#include "server/usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct oi_option options_table[] = {
    OI_OPTION_FOLDER,
    { .name = "name", .argument = "TEXT", .help = "add: whose it is, for the list" },
    { .name = "plan",
      .argument = "PLAN",
      .help = "add: what it may do (`oi keys plans` lists them)",
      .fallback = "unlimited" },
    { .name = "prefix",
      .argument = "TEXT",
      .help = "add: what it begins with, for clients that look (kwery_live_)",
      .fallback = "oi_" },
    { .name = "operator", .help = "add: may read /metrics" },
    OI_OPTION_PLANS,
    OI_OPTION_FORMAT,
};

struct work {
    const struct oi_options *options;
    struct oi_usage *usage;
    struct oi_plans *plans;
    struct oi_key_records records;
    const char *operand; /* a key's id or name */
    enum oi_table_format format;
    oi_time now;
};

static void
close_work(struct work *work)
{
    oi_vector_release(&work->records.items);
    oi_plans_free(&work->plans);
    oi_usage_close(&work->usage);
}

static enum oi_status
add(struct work *work, struct oi_error *error)
{
    struct oi_key_record record = { .created = work->now, .revoked = OI_TIME_NONE };
    const char *name = oi_options_text(work->options, "name");
    const char *plan = oi_options_text(work->options, "plan");
    char key[OI_KEY_TEXT_SIZE], id[OI_KEY_ID_SIZE];
    bool is_written;

    if (!oi_plan_find(work->plans, plan))
        return oi_fail(error, OI_E_INVALID, "there is no plan \"%s\": `oi keys plans` lists them",
                       plan);
    if (name && (strlen(name) >= OI_KEY_NAME_SIZE || strpbrk(name, "\r\n\t\"")))
        return oi_fail(error, OI_E_INVALID, "--name must be one line of at most %d characters",
                       OI_KEY_NAME_SIZE - 1);
    (void) snprintf(record.name, sizeof(record.name), "%s", name ? name : "");
    (void) snprintf(record.plan, sizeof(record.plan), "%s", plan);
    record.is_operator = oi_options_switch(work->options, "operator");
    OI_TRY(oi_usage_add_key(work->usage, oi_options_text(work->options, "prefix"), &record, key,
                            error));
    oi_key_id(record.hash, id);
    is_written = printf("%s\n", key) > 0 && fflush(stdout) == 0;
    explicit_bzero(key, sizeof(key));
    if (!is_written)
        return oi_fail(error, OI_E_IO, "cannot write to stdout: revoke %s and make another", id);
    (void) fprintf(stderr,
                   "oi: this is the only time that the key is shown; its id is %s, its plan %s\n",
                   id, plan);
    return OI_OK;
}

/* The one record whose id begins so or whose name is that. */
static enum oi_status
choose(struct work *work, struct oi_key_record **ret_record, struct oi_error *error)
{
    struct oi_key_record *found = NULL;

    for (size_t i = 0; i < work->records.items.count; i++) {
        struct oi_key_record *record = &work->records.items.items[i];
        char id[OI_KEY_ID_SIZE];

        oi_key_id(record->hash, id);
        if (strcmp(record->name, work->operand) != 0 &&
            (strlen(work->operand) < 4 || strncmp(id, work->operand, strlen(work->operand)) != 0))
            continue;
        if (found)
            return oi_fail(error, OI_E_INVALID, "more than one key is called \"%s\": give its id",
                           work->operand);
        found = record;
    }
    if (!found)
        return oi_fail(error, OI_E_INVALID,
                       "no key has this id or name: `oi keys list` lists them");
    *ret_record = found;
    return OI_OK;
}

static enum oi_status
revoke(struct work *work, struct oi_error *error)
{
    struct oi_key_record *record;

    OI_TRY(choose(work, &record, error));
    if (record->revoked == OI_TIME_NONE)
        record->revoked = work->now;
    return oi_usage_put_key(work->usage, record, error);
}

static enum oi_status
forget(struct work *work, struct oi_error *error)
{
    struct oi_key_record *record;

    OI_TRY(choose(work, &record, error));
    return oi_usage_forget_key(work->usage, record, error);
}

static enum oi_status
finish(struct oi_table *table, struct oi_printer *printer, struct oi_error *error)
{
    OI_TRY(oi_table_finish(table, error));
    return oi_printer_finish(printer, error);
}

static enum oi_status
list(struct work *work, struct oi_error *error)
{
    static const struct oi_table_column columns[] = {
        { .name = "id" },       { .name = "name" },    { .name = "plan" },
        { .name = "operator" }, { .name = "created" }, { .name = "revoked" },
    };
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(work->format, columns, OI_COUNT(columns), printer);
    for (size_t i = 0; i < work->records.items.count; i++) {
        const struct oi_key_record *record = &work->records.items.items[i];
        char id[OI_KEY_ID_SIZE];

        oi_key_id(record->hash, id);
        oi_table_text(table, id);
        oi_table_text(table, record->name);
        oi_table_text(table, record->plan);
        oi_table_bool(table, record->is_operator);
        oi_table_time(table, oi_interval_floor(OI_SECOND, record->created));
        if (record->revoked == OI_TIME_NONE)
            oi_table_none(table);
        else
            oi_table_time(table, oi_interval_floor(OI_SECOND, record->revoked));
        OI_TRY(oi_table_end_row(table, error));
    }
    return finish(table, printer, error);
}

/* What is reserved counts as used: at most one block more than was. */
static enum oi_status
show_usage(struct work *work, struct oi_error *error)
{
    static const char *const units[] = { "calls", "credits", "weight" };
    static const struct oi_table_column columns[] = {
        { .name = "id" },
        { .name = "name" },
        { .name = "plan" },
        { .name = "month" },
        { .name = "used", .is_number = true },
        { .name = "limit", .is_number = true },
        { .name = "unit" },
    };
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(work->format, columns, OI_COUNT(columns), printer);
    for (size_t i = 0; i < work->records.items.count; i++) {
        const struct oi_key_record *record = &work->records.items.items[i];
        const struct oi_plan *plan = oi_plan_find(work->plans, record->plan);
        struct oi_usage_account account = { .month = oi_usage_month(work->now) };
        char id[OI_KEY_ID_SIZE], month[16];
        uint64_t used;

        memcpy(account.hash, record->hash, sizeof(account.hash));
        OI_TRY(oi_usage_reserved(work->usage, &account, &used, error));
        oi_key_id(record->hash, id);
        (void) snprintf(month, sizeof(month), "%04u-%02u", account.month / 100,
                        account.month % 100);
        oi_table_text(table, id);
        oi_table_text(table, record->name);
        oi_table_text(table, record->plan);
        oi_table_text(table, month);
        oi_table_integer(table, (int64_t) used);
        if (plan && plan->monthly > 0)
            oi_table_integer(table, (int64_t) plan->monthly);
        else
            oi_table_none(table);
        oi_table_text(table, units[plan ? plan->cost : OI_COST_CALLS]);
        OI_TRY(oi_table_end_row(table, error));
    }
    return finish(table, printer, error);
}

static enum oi_status
list_plans(struct work *work, struct oi_error *error)
{
    static const struct oi_table_column columns[] = { { .name = "plan" }, { .name = "rules" } };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer rules = {};
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(work->format, columns, OI_COUNT(columns), printer);
    for (size_t i = 0; i < work->plans->count; i++) {
        oi_buffer_clear(&rules);
        oi_plan_write(&work->plans->items[i], &rules);
        oi_buffer_add_char(&rules, '\0');
        oi_table_text(table, work->plans->items[i].name);
        oi_table_text(table, rules.data);
        OI_TRY(oi_table_end_row(table, error));
    }
    return finish(table, printer, error);
}

static const struct action {
    const char *name;
    enum oi_status (*run)(struct work *work, struct oi_error *error);
    bool wants_key;
} actions[] = {
    { .name = "add", .run = add },
    { .name = "list", .run = list },
    { .name = "revoke", .run = revoke, .wants_key = true },
    { .name = "forget", .run = forget, .wants_key = true },
    { .name = "usage", .run = show_usage },
    { .name = "plans", .run = list_plans },
};

static enum oi_status
find_action(const struct oi_options *options, const struct action **ret_action,
            const char **ret_operand, struct oi_error *error)
{
    const char *const *operands;
    size_t count = oi_options_operands(options, &operands);

    for (size_t i = 0; i < OI_COUNT(actions); i++) {
        if (strcmp(operands[0], actions[i].name) != 0)
            continue;
        if (actions[i].wants_key != (count == 2))
            return oi_fail(error, OI_E_INVALID, "`oi keys %s` takes %s", operands[0],
                           actions[i].wants_key ? "a key's id or name" : "nothing more");
        *ret_action = &actions[i];
        *ret_operand = count == 2 ? operands[1] : NULL;
        return OI_OK;
    }
    return oi_fail(error, OI_E_INVALID,
                   "there is no `oi keys %s`: it is add, list, revoke, forget, usage or plans",
                   operands[0]);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *folder = oi_options_text(options, "data");
    OI_CLEANUP(close_work) struct work work = { .options = options };
    const struct action *action = NULL;
    const char *const *plans;
    size_t plan_count = oi_options_values(options, "plan-rules", &plans), format = 0;

    OI_TRY(find_action(options, &action, &work.operand, error));
    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    work.format = (enum oi_table_format) format;
    work.now = oi_clock_system.wall_ns(&oi_clock_system);
    OI_TRY(oi_plans_new(plans, plan_count, &work.plans, error));
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) /* keys may be made before there is a store */
        return oi_fail(error, OI_E_IO, "cannot make %s: %s", folder, strerror(errno));
    OI_TRY(oi_usage_open(folder, &work.usage, error));
    OI_TRY(oi_usage_list_keys(work.usage, &work.records, error));
    return action->run(&work, error);
}

const struct oi_command oi_command_keys = {
    .name = "keys",
    .summary = "Make, list and revoke the keys that let callers in",
    .operands = "add | list | revoke KEY | forget KEY | usage | plans",
    .operands_min = 1,
    .operands_max = 2,
    .description =
        "A key is printed once, when it is made; only its hash is kept. A running server\n"
        "notices within a second. KEY is an id of the list, its first letters, or a name.\n"
        "A revoked key stays in the list and keeps the door locked; a forgotten one is gone.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
