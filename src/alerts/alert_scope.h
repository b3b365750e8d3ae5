/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the rules are about: the catalogue's markets that they choose, the series that tell of them,
 * and how a stored row becomes a reading for the evaluator. Live and replay both go through here,
 * so both see the same.
 */
#pragma once

#include "alerts/evaluator.h"
#include "query/run.h"

/* A series that somebody watches. */
struct oi_alert_series {
    uint32_t series, instrument;
    bool is_heard; /* of a feed that tells as it happens (live, stream) */
    unsigned rank; /* among the feeds of its market: the lower one is preferred */
    int64_t staleness_ns;
};

struct oi_alert_scope {
    const struct oi_source *source;
    const struct oi_alert_rules *rules;
    struct oi_evaluator *evaluator;
    bool has_past; /* feeds of the past too: histories, archives, imports */
    unsigned units;
    const struct oi_catalog *catalog; /* a reference of its own */
    uint64_t market_version;          /* at which markets were chosen */
    OI_VECTOR(struct oi_alert_series) series;
    OI_VECTOR(uint32_t) by_series;   /* by id: place in `series` + 1 */
    OI_VECTOR(uint32_t) gap_markets; /* of rules on gaps */
    OI_VECTOR(uint32_t) freshness_markets;
    int64_t staleness_max_ns;
    oi_time next_minute;  /* to be ticked */
    oi_time silent_until; /* minutes up to it only fill windows */
};

/* The source, rules and evaluator are borrowed. */
void oi_alert_scope_init(struct oi_alert_scope *scope, const struct oi_source *source,
                         const struct oi_alert_rules *rules, struct oi_evaluator *evaluator,
                         bool has_past);
void oi_alert_scope_release(struct oi_alert_scope *scope);
/* Choose again where markets have come since. */
enum oi_status oi_alert_scope_refresh(struct oi_alert_scope *scope, struct oi_error *error);
/* The watched series of that id, or NULL. */
const struct oi_alert_series *oi_alert_scope_find(const struct oi_alert_scope *scope,
                                                  uint32_t series);
/* How far before an instant readings are needed to judge from it on. */
int64_t oi_alert_scope_reach_ns(const struct oi_alert_scope *scope);

/* A row as a reading. False: when it was heard it was too old to be news. With a past such a row is
 * one of those that are taken as if they had been heard at their own time. */
bool oi_alert_scope_word(const struct oi_alert_scope *scope, const struct oi_alert_series *series,
                         const struct oi_observation *row, uint64_t batch,
                         struct oi_alert_reading *ret_reading);
/* Hand a reading on, after the minutes that are over before it. */
enum oi_status oi_alert_scope_read(struct oi_alert_scope *scope,
                                   const struct oi_alert_reading *reading, struct oi_error *error);
/* Tick the minutes up to and with `until`. */
enum oi_status oi_alert_scope_advance(struct oi_alert_scope *scope, oi_time until,
                                      struct oi_error *error);
