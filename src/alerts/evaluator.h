/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules against readings: a pure machine that is handed readings and minutes in their order and
 * tells what fired and what is over. The same readings and minutes in the same order tell the same,
 * whether they come as they are committed or are read again later; that is why a live run's log
 * equals its replay. What it remembers of a rule and a market is bounded.
 */
#pragma once

#include "alerts/alert_rule.h"
#include "core/symbology.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 32 hexadecimal digits and a NUL. */
#define OI_ALERT_ID_SIZE 33

struct oi_alert_market {
    uint32_t instrument;
    const char *name, *exchange; /* copied in */
    oi_time over_at;             /* expiry or delisting: nothing fires from then on; or LATEST */
};

/* What one market says. */
struct oi_alert_reading {
    uint32_t instrument;
    oi_time time;   /* of the reading */
    oi_time heard;  /* of the commit that brought it: never goes back from call to call */
    uint64_t batch; /* of that commit */
    struct oi_decimal amounts[OI_UNIT_USD + 1]; /* one-sided, by unit; none: not asked for, or it
                                                   cannot be turned into that */
    struct oi_decimal price;                    /* or none */
    int64_t staleness_ns;                       /* how long it may stand for what is now */
};

enum oi_alert_state { OI_ALERT_IDLE = 0, OI_ALERT_PENDING, OI_ALERT_FIRING };
const char *oi_alert_state_name(enum oi_alert_state state);

/* What is remembered of a rule and a market from one run to the next. */
struct oi_alert_latch {
    enum oi_alert_state state;
    oi_time since;      /* PENDING, FIRING: when it became true */
    oi_time fired;      /* the last time, or OI_TIME_NONE */
    oi_time fired_time; /* of the reading then */
};

struct oi_alert_event {
    bool is_resolved;
    const struct oi_alert_rule *rule;
    const char *market;      /* "binance:usdm:BTCUSDT"; "total" or "total:BTC" */
    oi_time at;              /* the evaluator's clock: a commit, or a minute */
    oi_time time;            /* of the reading, or the minute */
    oi_time since;           /* when it became true */
    struct oi_decimal value; /* what was judged: amount, change, score, percent, seconds; or none */
    struct oi_decimal amount; /* the open interest then; or none */
    enum oi_alert_regime regime;
    enum oi_hole_cause cause;
    char id[OI_ALERT_ID_SIZE];    /* of this event: the same wherever it is made again */
    char alert[OI_ALERT_ID_SIZE]; /* of the firing that it belongs to */
};

struct oi_evaluator;

/* The rules are borrowed. `emit` is called in the order of events; they are borrowed. */
struct oi_evaluator *
oi_evaluator_new(const struct oi_alert_rules *rules,
                 void (*emit)(void *context, const struct oi_alert_event *event), void *context);
void oi_evaluator_free(struct oi_evaluator **evaluator);

/* Units that readings are asked for: bits 1u << enum oi_unit. */
unsigned oi_evaluator_units(const struct oi_evaluator *evaluator);
/* What is before it fills windows and is not judged. */
void oi_evaluator_begin(struct oi_evaluator *evaluator, size_t rule, oi_time from);
/* The same for all rules: commits up to this one and minutes up to this one are judged already. */
void oi_evaluator_resume(struct oi_evaluator *evaluator, uint64_t batch, oi_time minute);
/* A market is one of a rule's; markets of a rule in the order of their ids. Once more: what is
 * known of its end is brought up to date. */
void oi_evaluator_add(struct oi_evaluator *evaluator, size_t rule,
                      const struct oi_alert_market *market);

/* A reading; older than the market's newest one it is passed over, of the same time it takes its
 * place. */
void oi_evaluator_read(struct oi_evaluator *evaluator, const struct oi_alert_reading *reading);
/* The hole (or NONE) that a market has, for the next minute's rules on gaps. */
void oi_evaluator_tell_gap(struct oi_evaluator *evaluator, uint32_t instrument,
                           enum oi_hole_cause cause);
/* A whole minute: everything heard before it has been read. */
void oi_evaluator_tick(struct oi_evaluator *evaluator, oi_time minute);

/* Latches: instrument 0 is a total's. Restoring is for a new evaluator; markets must be added. */
void oi_evaluator_restore(struct oi_evaluator *evaluator, size_t rule, uint32_t instrument,
                          const struct oi_alert_latch *latch);
/* Those that changed since the last call. */
void oi_evaluator_take_changed(struct oi_evaluator *evaluator,
                               void (*each)(void *context, size_t rule, uint32_t instrument,
                                            const struct oi_alert_latch *latch),
                               void *context);
