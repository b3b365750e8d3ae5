/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be told, of which markets, and to whom: rules and actions as the configuration has
 * them. A rule is a value; nothing here knows of readings.
 */
#pragma once

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/vector.h"
#include "core/convention.h"
#include "query/query.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More rules or actions than this are a mistake. */
#define OI_ALERT_RULES_MAX 1000

enum oi_alert_when {
    OI_ALERT_LEVEL = 0, /* the open interest itself */
    OI_ALERT_CHANGE,    /* against the figure so long ago */
    OI_ALERT_ZSCORE,    /* how many standard deviations from the mean of a trailing window */
    OI_ALERT_REGIME,    /* which way open interest and price went over a window */
    OI_ALERT_SHARE,     /* of one exchange in the total */
    OI_ALERT_FRESHNESS, /* no reading for so long */
    OI_ALERT_GAP,       /* a typed hole */
};
#define OI_ALERT_WHENS 7
const char *oi_alert_when_name(enum oi_alert_when when);

/* The regimes of a window, by what open interest and price did. */
enum oi_alert_regime {
    OI_REGIME_NONE = 0,       /* one of them did not move enough */
    OI_REGIME_LONG_BUILD_UP,  /* up, price up */
    OI_REGIME_SHORT_BUILD_UP, /* up, price down */
    OI_REGIME_LONG_UNWINDING, /* down, price down */
    OI_REGIME_SHORT_COVERING, /* down, price up */
};
#define OI_REGIMES 5
const char *oi_alert_regime_name(enum oi_alert_regime regime);

enum oi_alert_severity { OI_ALERT_INFO = 0, OI_ALERT_WARNING, OI_ALERT_CRITICAL };
const char *oi_alert_severity_name(enum oi_alert_severity severity);

struct oi_alert_rule {
    const char *name;
    const char *text;                 /* the whole line */
    uint8_t identity[OI_SHA256_SIZE]; /* of what it means: state of another one is not its own */

    /* Which markets: as in a query. */
    OI_VECTOR(const char *) markets, exchanges;
    OI_VECTOR(enum oi_kind) kinds;
    const char *coin, *quote, *product; /* or NULL */
    bool is_total;                      /* all of them as one */

    enum oi_alert_when when;
    enum oi_unit unit;
    /* LEVEL, CHANGE, ZSCORE, SHARE: past `threshold` it is true, back past `rearm` it is over. */
    bool is_below;
    bool is_percent; /* CHANGE */
    struct oi_decimal threshold, rearm;
    int64_t over_ns;                      /* CHANGE, ZSCORE, REGIME: the window */
    unsigned regimes;                     /* REGIME: bits 1u << enum oi_alert_regime */
    struct oi_decimal moves, price_moves; /* REGIME: percent that each must have moved */
    const char *of;                       /* SHARE: whose */
    int64_t longer_ns;                    /* FRESHNESS */
    unsigned causes;                      /* GAP: bits 1u << enum oi_hole_cause */
    int64_t hold_ns;                      /* true for so long without a break before it fires */
    int64_t cooldown_ns;                  /* from one firing to the next */

    enum oi_alert_severity severity;
    const char *message;             /* a template (alert_text.h) */
    OI_VECTOR(const char *) targets; /* names of actions */
};

/* Where an alert goes. */
struct oi_alert_target {
    const char *name;
    const char *url;                           /* a webhook; NULL: a command */
    const char *secret_file, *secret_variable; /* where the secret is, or NULL */
    const char *secret;                        /* signs; NULL: unsigned. Never logged */
    const char *authority;        /* a PEM file of whom to trust, or NULL: whom the system trusts */
    const char *const *arguments; /* a command, NULL-terminated; arguments[0] is an absolute path */
    int64_t timeout_ns;
    int64_t give_up_ns; /* after so long it is not tried again */
};

struct oi_alert_rules {
    OI_VECTOR(struct oi_alert_rule) items;
    OI_VECTOR(struct oi_alert_target) targets;
    struct oi_arena arena;
};

/* Append the rule or action of one line. INVALID with `place`, name and key in the message. */
enum oi_status oi_alert_rules_add(struct oi_alert_rules *rules, struct oi_slice line,
                                  const char *place, struct oi_error *error);
enum oi_status oi_alert_rules_add_target(struct oi_alert_rules *rules, struct oi_slice line,
                                         const char *place, struct oi_error *error);
/* When all are there: does every rule's action exist? */
enum oi_status oi_alert_rules_check(const struct oi_alert_rules *rules, struct oi_error *error);
/* Read the secrets that sign, from their files and the environment. INVALID, never with a secret in
 * the message, for one that is not there or empty. */
enum oi_status oi_alert_rules_load_secrets(struct oi_alert_rules *rules, struct oi_error *error);
void oi_alert_rules_release(struct oi_alert_rules *rules);

const struct oi_alert_rule *oi_alert_rules_find(const struct oi_alert_rules *rules,
                                                const char *name);
const struct oi_alert_target *oi_alert_rules_target(const struct oi_alert_rules *rules,
                                                    const char *name);

/* The rule's choice of markets as a query's selectors; the texts are the rule's. */
void oi_alert_rule_select(const struct oi_alert_rule *rule, struct oi_query *query);
