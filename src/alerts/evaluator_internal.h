/* SPDX-License-Identifier: Apache-2.0 */
/* What the evaluator's two files share: evaluator.c keeps states, alert_judge.c judges figures. */
#pragma once

#include "alerts/alert_window.h"
#include "alerts/evaluator.h"

/* A market that any rule watches. */
struct place {
    struct oi_alert_market market;
    char name[OI_MARKET_NAME_SIZE], exchange[OI_NAME_SIZE];
    bool is_heard;
    struct oi_alert_reading newest;
    enum oi_hole_cause gap;
    OI_VECTOR(struct subject *) subjects; /* of rules that judge single markets */
};

/* A rule and one market, or its total. */
struct subject {
    struct watch *watch;
    struct place *place; /* NULL: the total */
    struct oi_alert_window values, prices;
    struct oi_alert_latch latch;
    bool is_changed;
};

/* A rule at work. */
struct watch {
    const struct oi_alert_rule *rule;
    size_t index;
    oi_time from;
    OI_VECTOR(struct subject *) subjects;
    OI_VECTOR(struct place *) members;
    size_t busy; /* subjects that are pending or firing */
};

enum truth {
    TRUTH_UNKNOWN = 0, /* nothing to judge by */
    TRUTH_FALSE,
    TRUTH_BETWEEN, /* past the re-arm, not past the threshold */
    TRUTH_TRUE,
};

struct verdict {
    enum truth truth;
    oi_time time;
    struct oi_decimal value, amount;
    enum oi_alert_regime regime;
    enum oi_hole_cause cause;
};

/* Put the newest reading, or a total's sum, into the subject's windows. */
void judge_remember(struct subject *subject, const struct oi_alert_reading *reading);
/* Judge a market by its newest reading. */
struct verdict judge_market(const struct subject *subject);
/* Sum up a watch's members at a minute (its window remembers), and judge the total or a share. */
struct verdict judge_total(struct subject *subject, oi_time minute);
/* Freshness or gap, at a minute. */
struct verdict judge_silence(const struct subject *subject, oi_time minute);
