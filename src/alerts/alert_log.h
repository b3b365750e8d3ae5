/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fired, durably: the log of events, what is still to be delivered, and the state that the
 * rules were in, in a small environment of its own beside the readings (`alerts/` in the data
 * folder). One commit holds events, deliveries, states and how far readings have been judged, so a
 * crash loses none of them and doubles none. One process writes (alert_engine.h), any may read.
 */
#pragma once

#include "alerts/evaluator.h"
#include "query/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Older events are removed beyond so many. */
#define OI_ALERT_EVENTS_MAX 100'000
/* Deliveries that wait; beyond, the oldest are given up. */
#define OI_ALERT_DELIVERIES_MAX 10'000

struct oi_alert_log;

/* Open alerts/ in the data folder, made where it may be written. NOT_FOUND: read only, and there is
 * none. A process opens it once. */
enum oi_status oi_alert_log_open(const char *data_folder, bool is_read_only,
                                 struct oi_alert_log **ret_log, struct oi_error *error);
void oi_alert_log_close(struct oi_alert_log **log);

/* How far readings have been judged: whole commits, and whole minutes. */
struct oi_alert_position {
    uint64_t batch;
    oi_time minute;
};

/* A rule as it was known, and from when on it has been judged. */
struct oi_alert_since {
    char name[48]; /* OI_ALERT_NAME_SIZE */
    uint8_t identity[OI_SHA256_SIZE];
    oi_time since;
};

struct oi_alert_saved_latch {
    char rule[48];
    uint32_t instrument;
    struct oi_alert_latch latch;
};

struct oi_alert_memory {
    bool has_position;
    struct oi_alert_position position;
    OI_VECTOR(struct oi_alert_since) rules;
    OI_VECTOR(struct oi_alert_saved_latch) latches;
};
/* What was committed last. */
enum oi_status oi_alert_log_load(struct oi_alert_log *log, struct oi_alert_memory *ret_memory,
                                 struct oi_error *error);
void oi_alert_memory_release(struct oi_alert_memory *memory);

/* What becomes durable together. Texts are borrowed for the call. */
struct oi_alert_commit {
    struct oi_alert_position position;
    struct oi_alert_commit_event {
        oi_time at;
        const struct oi_alert_rule *rule; /* its actions get the event */
        struct oi_slice json;
    } * events;
    size_t event_count;
    const struct oi_alert_saved_latch *latches;
    size_t latch_count;
    /* All rules there are: states of others, and of those that mean something else, are removed.
     * NULL: they stay as they are. */
    const struct oi_alert_since *rules;
    size_t rule_count;
};
/* FULL: no room on the disk; nothing of it is there, try again later. */
enum oi_status oi_alert_log_commit(struct oi_alert_log *log, const struct oi_alert_commit *commit,
                                   struct oi_error *error);

/* A delivery that waits. */
struct oi_alert_delivery {
    uint64_t sequence;
    char target[48];
    uint32_t attempts; /* that failed */
    oi_time due;       /* not before */
    oi_time at;        /* of the event */
    char *json;        /* the event; freed by oi_alert_delivery_release */
};
void oi_alert_delivery_release(struct oi_alert_delivery *delivery);
/* The first `room` that are due and for which `takes` is true, oldest event first. */
enum oi_status oi_alert_log_due(struct oi_alert_log *log, oi_time now,
                                bool (*takes)(void *context, uint64_t sequence, const char *target),
                                void *context, struct oi_alert_delivery *deliveries, size_t room,
                                size_t *ret_count, struct oi_error *error);
/* It is done with (delivered, or given up). */
enum oi_status oi_alert_log_settle(struct oi_alert_log *log,
                                   const struct oi_alert_delivery *delivery,
                                   struct oi_error *error);
/* It failed: remember its attempts and when it is due again. */
enum oi_status oi_alert_log_postpone(struct oi_alert_log *log,
                                     const struct oi_alert_delivery *delivery,
                                     struct oi_error *error);
/* How many wait, and the number of the last event (0: none). */
enum oi_status oi_alert_log_count(struct oi_alert_log *log, uint64_t *ret_waiting,
                                  uint64_t *ret_last, struct oi_error *error);

/* Answers OI_QUERY_ALERTS: oi_source.ask_alerts with the log as its context. Any thread. */
enum oi_status oi_alert_log_ask(void *log, const struct oi_query *query,
                                struct oi_result **ret_result, struct oi_error *error);
