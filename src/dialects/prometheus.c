/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' HTTP API for queries, as far as Grafana's data source and its editors use it, so that
 * open interest is plotted without anything in between. Read only; samples are texts, so a figure
 * keeps every digit. https://prometheus.io/docs/prometheus/latest/querying/api/
 */
#include "dialects/dialect.h"

#include "base/compiler.h"
#include "dialects/prometheus_internal.h"
#include "dialects/text.h"

#include <string.h>

/* What clients send that changes nothing here is taken and left alone. */
static const struct oi_parameter instant_parameters[] = {
    { "query", OI_PARAMETER_REQUIRED },
    { "time", 0 },
    { "timeout", 0 },
    { "limit", 0 },
    { "lookback_delta", 0 },
    { "stats", 0 },
};
static const struct oi_parameter range_parameters[] = {
    { "query", OI_PARAMETER_REQUIRED },
    { "start", OI_PARAMETER_REQUIRED },
    { "end", OI_PARAMETER_REQUIRED },
    { "step", OI_PARAMETER_REQUIRED },
    { "timeout", 0 },
    { "limit", 0 },
    { "lookback_delta", 0 },
    { "stats", 0 },
};
static const struct oi_parameter series_parameters[] = {
    { "match[]", OI_PARAMETER_REPEATABLE },
    { "start", 0 },
    { "end", 0 },
    { "limit", 0 },
};
static const struct oi_parameter metadata_parameters[] = {
    { "metric", 0 },
    { "limit", 0 },
    { "limit_per_metric", 0 },
};

static enum oi_status
bad(struct oi_problem *problem, const char *parameter, struct oi_slice value, const char *message)
{
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, value, "%s", message);
}

/* The parameters of the target and, of a POST, of its form: Grafana posts by default. */
static enum oi_status
read_form(const struct oi_http_request *request, struct oi_http_request *form,
          struct oi_problem *problem)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer target = {};

    if (request->method == OI_HTTP_POST && request->body.size > 0) {
        oi_buffer_add_text(&target, "/?");
        oi_buffer_add_slice(&target, request->body);
        if (oi_http_parse_target(oi_buffer_slice(&target), form, NULL) != OI_OK)
            return bad(problem, "body", (struct oi_slice){}, "the form is not well encoded");
    }
    for (size_t i = 0; i < request->query.count; i++)
        oi_vector_push(&form->query, request->query.items[i]);
    return OI_OK;
}

/* A number of seconds as nanoseconds, below a nanosecond rounded; false where it does not fit. */
static bool
read_seconds(struct oi_slice text, int64_t *ret_ns)
{
    const struct oi_decimal second = oi_decimal_from(OI_SECOND, 0);
    struct oi_decimal value;

    if (oi_decimal_parse(text, &value, NULL) != OI_OK ||
        oi_decimal_multiply(&value, &second, &value, NULL) != OI_OK ||
        oi_decimal_round_half_even(&value, 0, &value, NULL) != OI_OK ||
        value.form != OI_DECIMAL_PLAIN)
        return false;
    for (*ret_ns = value.mantissa; value.exponent > 0; value.exponent--)
        if (__builtin_mul_overflow(*ret_ns, 10, ret_ns))
            return false;
    return true;
}

/* Is it a number? Then it is seconds, and no date. */
static bool
is_number(struct oi_slice text)
{
    struct oi_decimal value;

    return oi_decimal_parse(text, &value, NULL) == OI_OK;
}

/* Seconds since 1970 with a fraction, or RFC 3339. */
static enum oi_status
read_time(const struct oi_http_request *form, const char *name, oi_time *ret_time,
          struct oi_problem *problem)
{
    struct oi_slice text = oi_text_value(form, name);
    oi_time time;

    if (text.size == 0)
        return OI_OK;
    if (!(is_number(text) ? read_seconds(text, &time) : oi_text_time(text, &time)))
        return bad(problem, name, text, "must be seconds since 1970 or an RFC 3339 time");
    /* Room for what reaches back from it. */
    if (time < OI_TIME_EARLIEST / 2 || time > OI_TIME_LATEST / 2)
        return bad(problem, name, text, "is too far away");
    *ret_time = time;
    return OI_OK;
}

/* Seconds, or a duration such as 5m. */
static enum oi_status
read_step(const struct oi_http_request *form, int64_t *ret_step_ns, struct oi_problem *problem)
{
    struct oi_slice text = oi_text_value(form, "step");
    int64_t step = 0;
    bool is_good =
        is_number(text) ? read_seconds(text, &step) : oi_interval_parse(text, &step, NULL) == OI_OK;

    if (!is_good || step < OI_SECOND || step % OI_SECOND != 0 || step > 366 * OI_DAY)
        return bad(problem, "step", text, "must be whole seconds, or a duration such as 5m");
    *ret_step_ns = step;
    return OI_OK;
}

static enum oi_status
parse_instant(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    OI_CLEANUP(oi_http_request_release) struct oi_http_request form = {};
    oi_time time = call->now;

    OI_TRY(read_form(request, &form, problem));
    OI_TRY(OI_TEXT_PARAMETERS(&form, instant_parameters, problem));
    OI_TRY(read_time(&form, "time", &time, problem));
    OI_TRY(prometheus_read_expression(oi_text_value(&form, "query"), query, problem));
    query->variant = PROMETHEUS_INSTANT;
    query->number = time;
    query->interval_ns = OI_MINUTE;
    query->span = (struct oi_span){ time - PROMETHEUS_LOOKBACK + 1, time + 1 };
    return OI_OK;
}

/* A grid of multiples of the step, as VictoriaMetrics answers too: then every zoom and refresh of a
 * graph asks for the same intervals. */
static enum oi_status
parse_range(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    OI_CLEANUP(oi_http_request_release) struct oi_http_request form = {};
    oi_time start = 0, end = 0;
    int64_t step = OI_MINUTE, reach;

    OI_TRY(read_form(request, &form, problem));
    OI_TRY(OI_TEXT_PARAMETERS(&form, range_parameters, problem));
    OI_TRY(read_time(&form, "start", &start, problem));
    OI_TRY(read_time(&form, "end", &end, problem));
    OI_TRY(read_step(&form, &step, problem));
    if (end < start)
        return bad(problem, "end", oi_text_value(&form, "end"), "is before the start");
    if ((end - start) / step > PROMETHEUS_POINTS_MAX)
        return bad(problem, "step", oi_text_value(&form, "step"),
                   "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing "
                   "the query resolution (?step=XX)");
    OI_TRY(prometheus_read_expression(oi_text_value(&form, "query"), query, problem));
    start = oi_interval_floor(step, start);
    end = oi_interval_floor(step, end);
    reach = step > PROMETHEUS_LOOKBACK ? step : oi_interval_ceil(step, PROMETHEUS_LOOKBACK);
    query->variant = PROMETHEUS_RANGE;
    query->number = start;
    query->interval_ns = step;
    query->span = (struct oi_span){ start - reach, end };
    return OI_OK;
}

/* Series by matchers; the metric's name may be left out, since every series has all of them. */
static enum oi_status
parse_matches(const struct oi_http_request *request, struct oi_query *query,
              struct oi_problem *problem)
{
    OI_CLEANUP(oi_http_request_release) struct oi_http_request form = {};

    OI_TRY(read_form(request, &form, problem));
    OI_TRY(OI_TEXT_PARAMETERS(&form, series_parameters, problem));
    query->format = PROMETHEUS_METRIC_COUNT;
    for (size_t i = 0; i < form.query.count; i++) {
        const struct oi_http_field *field = &form.query.items[i];

        if (oi_slice_is(field->name, "match[]") && field->value.size > 0)
            OI_TRY(prometheus_read_matchers(field->value, query, problem));
    }
    if (query->selectors.count == 0 && query->variant == PROMETHEUS_SERIES)
        return oi_problem_set(problem, OI_PROBLEM_MISSING, "match[]", (struct oi_slice){},
                              "no match[] parameter provided");
    if (query->selectors.count == 0)
        (void) oi_query_select(query, OI_SYMBOLOGY_NATIVE);
    query->kind = OI_QUERY_MARKETS;
    return OI_OK;
}

static enum oi_status
parse_series(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    query->variant = PROMETHEUS_SERIES;
    return parse_matches(request, query, problem);
}

static enum oi_status
parse_label_values(const struct oi_call *call, const struct oi_http_request *request,
                   struct oi_query *query, struct oi_problem *problem)
{
    static const struct oi_route route = { .path = "/api/v1/label/{name}/values" };
    struct oi_slice name = oi_route_capture(&route, call->mount, request->path, "name");

    query->variant = PROMETHEUS_LABEL_VALUES;
    OI_TRY(parse_matches(request, query, problem));
    query->number = -1;
    for (int i = 0; i < PROMETHEUS_LABEL_COUNT; i++)
        if (oi_slice_is(name, prometheus_labels[i]))
            query->number = i;
    if (query->number <= PROMETHEUS_LABEL_NAME)
        query->kind = OI_QUERY_NONE; /* the metrics' names, or nothing */
    return OI_OK;
}

static enum oi_status
parse_labels(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    query->variant = PROMETHEUS_LABELS;
    OI_TRY(parse_matches(request, query, problem));
    query->kind = OI_QUERY_NONE;
    return OI_OK;
}

static enum oi_status
parse_metadata(const struct oi_call *, const struct oi_http_request *request,
               struct oi_query *query, struct oi_problem *problem)
{
    query->variant = PROMETHEUS_METADATA;
    return OI_TEXT_PARAMETERS(request, metadata_parameters, problem);
}

static enum oi_status
parse_build(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    query->variant = PROMETHEUS_BUILD;
    return oi_text_parameters(request, NULL, 0, problem);
}

/*
 * Access and problems
 */

static const struct outcome {
    int status;
    const char *type, *message; /* message NULL: the problem's own */
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "internal", "internal error" },
    [OI_PROBLEM_PARAMETER] = { 400, "bad_data", NULL },
    [OI_PROBLEM_MISSING] = { 400, "bad_data", NULL },
    [OI_PROBLEM_UNKNOWN] = { 400, "bad_data", NULL },
    [OI_PROBLEM_REPEATED] = { 400, "bad_data", NULL },
    [OI_PROBLEM_MARKET] = { 400, "bad_data", NULL },
    [OI_PROBLEM_RANGE] = { 400, "bad_data", NULL },
    [OI_PROBLEM_TOO_MANY] = { 422, "execution", NULL },
    [OI_PROBLEM_PATH] = { 404, "not_found", "no such endpoint" },
    [OI_PROBLEM_METHOD] = { 405, "bad_data", "method not allowed" },
    [OI_PROBLEM_KEY_MISSING] = { 401, "unauthorized",
                                 "a key is needed: Authorization: Bearer KEY" },
    [OI_PROBLEM_KEY_WRONG] = { 401, "unauthorized", "this key is not known" },
    [OI_PROBLEM_FORBIDDEN] = { 403, "forbidden", "the plan of this key does not cover this" },
    [OI_PROBLEM_CREDITS] = { 429, "too_many_requests", "the quota of this key is used up" },
    [OI_PROBLEM_RATE] = { 429, "too_many_requests", "too many requests" },
    [OI_PROBLEM_SYNTAX] = { 400, "bad_data", "malformed request" },
    [OI_PROBLEM_INTERNAL] = { 500, "internal", "internal error" },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "unavailable", "temporarily unavailable" },
};

static void
render_problem(const struct oi_call *, const struct oi_http_request *,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    const struct outcome outcome = outcomes[problem->kind];
    OI_CLEANUP(oi_buffer_release) struct oi_buffer message = {};
    struct oi_json_writer writer = oi_text_begin_refusal(reply, outcome.status, problem);

    if (outcome.message)
        oi_buffer_add_text(&message, outcome.message);
    else
        oi_buffer_add_format(&message, "invalid parameter \"%s\": %s", problem->parameter,
                             problem->message);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "status", "error");
    oi_text_json_text(&writer, "errorType", outcome.type);
    oi_json_add_name(&writer, "error");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    oi_json_end_object(&writer);
}

static const char *const mounts[] = { "/prometheus", NULL };

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET | OI_METHOD_POST, .parse = (parse_),             \
        .render = (render_)                                                                        \
    }
static const struct oi_route routes[] = {
    ROUTE("/api/v1/query", parse_instant, prometheus_render_values),
    ROUTE("/api/v1/query_range", parse_range, prometheus_render_values),
    ROUTE("/api/v1/series", parse_series, prometheus_render_series),
    ROUTE("/api/v1/labels", parse_labels, prometheus_render_names),
    ROUTE("/api/v1/label/{name}/values", parse_label_values, prometheus_render_label_values),
    ROUTE("/api/v1/metadata", parse_metadata, prometheus_render_names),
    ROUTE("/api/v1/status/buildinfo", parse_build, prometheus_render_names),
};

const struct oi_dialect oi_dialect_prometheus = {
    .name = "prometheus",
    .full_name = "Prometheus HTTP API",
    .mounts = mounts,
    .prefix = "/api/v1/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .key = oi_text_key,
    .render_problem = render_problem,
};
