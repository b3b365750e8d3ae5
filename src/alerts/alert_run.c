/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every restart is a replay: the windows are filled from the store, silently up to the position
 * that the log holds, and from there on as if the rows had just come.
 */
#include "alerts/alert_run.h"

#include "alerts/alert_replay.h"
#include "alerts/alert_text.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

struct event {
    oi_time at;
    const struct oi_alert_rule *rule;
    char *json;
};

struct oi_alert_run {
    const struct oi_alert_rules *rules;
    struct oi_alert_log *log;
    struct oi_evaluator *evaluator;
    struct oi_alert_scope scope;
    uint64_t batch;     /* all of it has been read */
    uint64_t caught_up; /* as the run began */
    OI_VECTOR(struct oi_alert_since) sinces;
    bool has_sinces; /* still to be written */
    OI_VECTOR(struct event) events;
    OI_VECTOR(struct oi_alert_saved_latch) latches; /* changed, still to be written */
    OI_VECTOR(struct oi_alert_heard) heard;
};

static void
emit(void *context, const struct oi_alert_event *event)
{
    struct oi_alert_run *run = context;
    struct oi_buffer json = {};

    oi_alert_write(event, &json);
    oi_vector_push(&run->events, ((struct event){ event->at, event->rule,
                                                  oi_copy_text(oi_buffer_slice(&json)) }));
    oi_buffer_release(&json);
    oi_log(OI_LOG_INFO, event->is_resolved ? "alert.resolved" : "alert.fired",
           "rule=%s market=%s id=%s", event->rule->name, event->market, event->id);
}

static void
clear_events(struct oi_alert_run *run)
{
    for (size_t i = 0; i < run->events.count; i++)
        oi_free(run->events.items[i].json);
    oi_vector_clear(&run->events);
}

void
oi_alert_run_free(struct oi_alert_run **run)
{
    if (!run || !*run)
        return;
    clear_events(*run);
    oi_vector_release(&(*run)->events);
    oi_vector_release(&(*run)->sinces);
    oi_vector_release(&(*run)->latches);
    oi_vector_release(&(*run)->heard);
    oi_alert_scope_release(&(*run)->scope);
    oi_evaluator_free(&(*run)->evaluator);
    oi_free(*run);
    *run = NULL;
}

/* From when on each rule is judged: as the log has it, where it means the same. */
static void
restore_sinces(struct oi_alert_run *run, const struct oi_alert_memory *memory, oi_time now)
{
    for (size_t i = 0; i < run->rules->items.count; i++) {
        const struct oi_alert_rule *rule = &run->rules->items.items[i];
        struct oi_alert_since since = { .since = now };

        (void) snprintf(since.name, sizeof(since.name), "%s", rule->name);
        memcpy(since.identity, rule->identity, OI_SHA256_SIZE);
        for (size_t k = 0; k < memory->rules.count; k++)
            if (strcmp(memory->rules.items[k].name, rule->name) == 0 &&
                memcmp(memory->rules.items[k].identity, rule->identity, OI_SHA256_SIZE) == 0)
                since.since = memory->rules.items[k].since;
        oi_vector_push(&run->sinces, since);
        oi_evaluator_begin(run->evaluator, i, since.since);
    }
    run->has_sinces = true;
}

static void
restore_latches(struct oi_alert_run *run, const struct oi_alert_memory *memory)
{
    for (size_t i = 0; i < memory->latches.count; i++) {
        const struct oi_alert_saved_latch *saved = &memory->latches.items[i];

        for (size_t k = 0; k < run->sinces.count; k++) {
            bool is_same = false;

            if (strcmp(run->sinces.items[k].name, saved->rule) != 0)
                continue;
            for (size_t n = 0; n < memory->rules.count; n++)
                is_same |= strcmp(memory->rules.items[n].name, saved->rule) == 0 &&
                           memcmp(memory->rules.items[n].identity, run->sinces.items[k].identity,
                                  OI_SHA256_SIZE) == 0;
            if (is_same)
                oi_evaluator_restore(run->evaluator, k, saved->instrument, &saved->latch);
        }
    }
}

static void
drop_changed(void *, size_t, uint32_t, const struct oi_alert_latch *)
{
}

static enum oi_status
catch_up(struct oi_alert_run *run, const struct oi_alert_memory *memory, oi_time now,
         struct oi_error *error)
{
    struct oi_store *store = run->scope.source->store;
    oi_time from = memory->has_position ? memory->position.minute : now;
    struct oi_alert_replay replay = { .scope = &run->scope, .to = now + OI_HOUR };

    OI_TRY(oi_store_follow(store, error));
    run->caught_up = oi_store_last_batch(store);
    OI_TRY(oi_alert_scope_refresh(&run->scope, error));
    restore_latches(run, memory);
    oi_evaluator_take_changed(run->evaluator, drop_changed, NULL);
    if (memory->has_position)
        oi_evaluator_resume(run->evaluator, memory->position.batch, memory->position.minute);
    run->scope.silent_until = from;
    replay.batch_max = run->caught_up;
    replay.from = from - oi_alert_scope_reach_ns(&run->scope);
    OI_TRY(oi_alert_replay_run(&replay, error));
    run->batch = run->caught_up;
    /* What the position's minute has been judged for is not judged again. */
    return memory->has_position ? oi_alert_scope_advance(&run->scope, from, error) : OI_OK;
}

enum oi_status
oi_alert_run_new(const struct oi_source *source, const struct oi_alert_rules *rules,
                 struct oi_alert_log *log, oi_time now, struct oi_alert_run **ret_run,
                 struct oi_error *error)
{
    struct oi_alert_run *run = oi_alloc_zero(1, sizeof(*run));
    struct oi_alert_memory memory = {};
    enum oi_status status = oi_alert_log_load(log, &memory, error);

    run->rules = rules;
    run->log = log;
    run->evaluator = oi_evaluator_new(rules, emit, run);
    oi_alert_scope_init(&run->scope, source, rules, run->evaluator, false);
    if (status == OI_OK) {
        restore_sinces(run, &memory, now);
        status = catch_up(run, &memory, now, error);
    }
    oi_alert_memory_release(&memory);
    if (status == OI_OK)
        status = oi_alert_run_commit(run, error);
    if (status != OI_OK) {
        oi_alert_run_free(&run);
        return status;
    }
    *ret_run = run;
    return OI_OK;
}

/* Rows of one commit as readings in their order, handed on. */
static enum oi_status
hear_all(struct oi_alert_run *run, const struct oi_alert_row *rows, size_t count,
         struct oi_error *error)
{
    oi_vector_clear(&run->heard);
    for (size_t i = 0; i < count; i++) {
        const struct oi_alert_series *series = oi_alert_scope_find(&run->scope, rows[i].row.series);
        struct oi_alert_heard heard = { .series = rows[i].row.series };

        if (rows[i].batch > run->batch && series && series->is_heard &&
            oi_alert_scope_word(&run->scope, series, &rows[i].row.reading, rows[i].batch,
                                &heard.reading))
            oi_vector_push(&run->heard, heard);
    }
    oi_alert_replay_sort(run->heard.items, run->heard.count);
    for (size_t i = 0; i < run->heard.count; i++)
        OI_TRY(oi_alert_scope_read(&run->scope, &run->heard.items[i].reading, error));
    return OI_OK;
}

enum oi_status
oi_alert_run_hear(struct oi_alert_run *run, const struct oi_alert_row *rows, size_t count,
                  struct oi_error *error)
{
    if (count == 0)
        return OI_OK;
    OI_TRY(oi_alert_scope_refresh(&run->scope, error));
    OI_TRY(hear_all(run, rows, count, error));
    if (rows[count - 1].batch > run->batch)
        run->batch = rows[count - 1].batch;
    return OI_OK;
}

bool
oi_alert_run_is_due(const struct oi_alert_run *run, oi_time until)
{
    return run->scope.next_minute == OI_TIME_NONE || run->scope.next_minute <= until;
}

enum oi_status
oi_alert_run_advance(struct oi_alert_run *run, oi_time until, struct oi_error *error)
{
    if (!oi_alert_run_is_due(run, until))
        return OI_OK;
    OI_TRY(oi_alert_scope_refresh(&run->scope, error));
    return oi_alert_scope_advance(&run->scope, until, error);
}

size_t
oi_alert_run_waiting(const struct oi_alert_run *run)
{
    return run->events.count;
}

static void
add_latch(void *context, size_t rule, uint32_t instrument, const struct oi_alert_latch *latch)
{
    struct oi_alert_run *run = context;
    struct oi_alert_saved_latch saved = { .instrument = instrument, .latch = *latch };

    (void) snprintf(saved.rule, sizeof(saved.rule), "%s", run->rules->items.items[rule].name);
    oi_vector_push(&run->latches, saved);
}

enum oi_status
oi_alert_run_commit(struct oi_alert_run *run, struct oi_error *error)
{
    OI_VECTOR(struct oi_alert_commit_event) events = {};
    struct oi_alert_commit commit = {
        .position = { .batch = run->batch, .minute = run->scope.next_minute - OI_MINUTE },
        .rules = run->has_sinces ? run->sinces.items : NULL,
        .rule_count = run->sinces.count,
    };
    enum oi_status status;

    oi_evaluator_take_changed(run->evaluator, add_latch, run);
    for (size_t i = 0; i < run->events.count; i++)
        oi_vector_push(&events, ((struct oi_alert_commit_event){
                                    run->events.items[i].at, run->events.items[i].rule,
                                    oi_slice_of(run->events.items[i].json) }));
    commit.events = events.items;
    commit.event_count = events.count;
    commit.latches = run->latches.items;
    commit.latch_count = run->latches.count;
    status = oi_alert_log_commit(run->log, &commit, error);
    oi_vector_release(&events);
    if (status != OI_OK)
        return status;
    run->has_sinces = false;
    oi_vector_clear(&run->latches);
    clear_events(run);
    return OI_OK;
}

enum oi_status
oi_alert_history_run(const struct oi_alert_history *history, struct oi_error *error)
{
    struct oi_evaluator *evaluator =
        oi_evaluator_new(history->rules, history->emit, history->context);
    struct oi_alert_scope scope;
    struct oi_alert_replay replay = { .scope = &scope, .to = history->to, .batch_max = UINT64_MAX };
    enum oi_status status;

    oi_alert_scope_init(&scope, history->source, history->rules, evaluator, history->has_past);
    for (size_t i = 0; i < history->rules->items.count; i++)
        oi_evaluator_begin(evaluator, i, history->from);
    status = oi_alert_scope_refresh(&scope, error);
    scope.silent_until = history->from > OI_TIME_EARLIEST ? history->from - 1 : history->from;
    replay.from = history->from > OI_TIME_EARLIEST + oi_alert_scope_reach_ns(&scope)
                      ? history->from - oi_alert_scope_reach_ns(&scope)
                      : OI_TIME_EARLIEST + 1; /* a limit of staleness before it is a time, too */
    if (status == OI_OK)
        status = oi_alert_replay_run(&replay, error);
    if (status == OI_OK)
        status = oi_alert_scope_advance(&scope, history->to - 1, error);
    oi_alert_scope_release(&scope);
    oi_evaluator_free(&evaluator);
    return status;
}
