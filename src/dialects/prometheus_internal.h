/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the Prometheus dialect share. In the query, `format` is the metric, `variant`
 * the kind of answer; of a range, `number` is the first instant, span.to the last and interval_ns
 * the step; of an instant, `number` is it.
 */
#pragma once

#include "dialects/dialect.h"

/* A reading counts for so long after its instant where no newer one is there. Prometheus looks back
 * five minutes; some exchanges publish every ten. */
#define PROMETHEUS_LOOKBACK (15 * OI_MINUTE)
/* More instants of one series than this are refused, as Prometheus does. */
#define PROMETHEUS_POINTS_MAX 11'000

enum prometheus_variant {
    PROMETHEUS_INSTANT = 0,
    PROMETHEUS_RANGE,
    PROMETHEUS_SERIES,
    PROMETHEUS_LABELS,
    PROMETHEUS_LABEL_VALUES,
    PROMETHEUS_METADATA,
    PROMETHEUS_BUILD,
};

/* The metrics there are. */
enum prometheus_metric {
    PROMETHEUS_COINS = 0,
    PROMETHEUS_CONTRACTS,
    PROMETHEUS_USD,
    PROMETHEUS_MARK_PRICE,
    PROMETHEUS_METRIC_COUNT,
};
extern const char *const prometheus_metric_names[PROMETHEUS_METRIC_COUNT];
extern const char *const prometheus_metric_help[PROMETHEUS_METRIC_COUNT];

/* The labels that series have, in the order of their names; the place of one is its number. */
enum prometheus_label {
    PROMETHEUS_LABEL_NAME = 0, /* __name__ */
    PROMETHEUS_LABEL_COIN,
    PROMETHEUS_LABEL_EXCHANGE,
    PROMETHEUS_LABEL_KIND,
    PROMETHEUS_LABEL_MARKET,
    PROMETHEUS_LABEL_PRODUCT,
    PROMETHEUS_LABEL_QUOTE,
    PROMETHEUS_LABEL_SETTLEMENT,
    PROMETHEUS_LABEL_SYMBOL,
    PROMETHEUS_LABEL_COUNT,
};
extern const char *const prometheus_labels[PROMETHEUS_LABEL_COUNT];

/* Read an expression: a number, sums of numbers, a metric with matchers, or `sum` of one, also by a
 * label. A metric becomes the query's selectors and unit; a number becomes
 * OI_QUERY_NONE with its digits in `echo`. What PromQL has beyond that is refused by name. */
enum oi_status prometheus_read_expression(struct oi_slice text, struct oi_query *query,
                                          struct oi_problem *problem);

/* Read the matchers of `match[]`, whose metric may be left out, into selectors. */
enum oi_status prometheus_read_matchers(struct oi_slice text, struct oi_query *query,
                                        struct oi_problem *problem);

/* Samples at an instant or over a range. */
enum oi_status prometheus_render_values(struct oi_rendering *rendering, struct oi_buffer *out,
                                        bool *ret_is_last, struct oi_error *error);
/* The label sets that fit. */
enum oi_status prometheus_render_series(struct oi_rendering *rendering, struct oi_buffer *out,
                                        bool *ret_is_last, struct oi_error *error);
/* The values of one label, each once, in order. */
enum oi_status prometheus_render_label_values(struct oi_rendering *rendering, struct oi_buffer *out,
                                              bool *ret_is_last, struct oi_error *error);
/* What is the same for every store: names of labels, what metrics mean, the build. */
enum oi_status prometheus_render_names(struct oi_rendering *rendering, struct oi_buffer *out,
                                       bool *ret_is_last, struct oi_error *error);
