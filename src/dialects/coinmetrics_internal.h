/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Coin Metrics dialect share: reading questions and writing answers. */
#pragma once

#include "dialects/dialect.h"
#include "dialects/text.h"

/* oi_query.format and oi_query.variant */
enum coinmetrics_format {
    COINMETRICS_FORMAT_JSON = 0,
    COINMETRICS_FORMAT_JSON_STREAM,
    COINMETRICS_FORMAT_CSV,
};

enum coinmetrics_variant {
    COINMETRICS_VARIANT_PAGED = 0,
    COINMETRICS_VARIANT_UNPAGED,  /* the deprecated first catalogue */
    COINMETRICS_VARIANT_RECORDED, /* the first catalogue of markets: with their extents */
    COINMETRICS_VARIANT_NOTHING,  /* only what we do not have was asked for (spot markets) */
};

/* Every name that some endpoint of this API knows. Behind an endpoint's own names in its table they
 * are accepted without effect, as the vendor's clients send some of them everywhere. */
#define COINMETRICS_OTHER(name)                                                                    \
    {                                                                                              \
        name, OI_PARAMETER_REPEATABLE                                                              \
    }
#define COINMETRICS_PARAMETERS_OF_ALL                                                              \
    COINMETRICS_OTHER("api_key"), COINMETRICS_OTHER("asset"), COINMETRICS_OTHER("asset_class"),    \
        COINMETRICS_OTHER("assets"), COINMETRICS_OTHER("backfill"), COINMETRICS_OTHER("base"),     \
        COINMETRICS_OTHER("chains"), COINMETRICS_OTHER("cusip"), COINMETRICS_OTHER("depth_limit"), \
        COINMETRICS_OTHER("end_height"), COINMETRICS_OTHER("end_inclusive"),                       \
        COINMETRICS_OTHER("end_time"), COINMETRICS_OTHER("exchange"),                              \
        COINMETRICS_OTHER("exchange_assets"), COINMETRICS_OTHER("exchange_pairs"),                 \
        COINMETRICS_OTHER("exchanges"), COINMETRICS_OTHER("exclude"), COINMETRICS_OTHER("figi"),   \
        COINMETRICS_OTHER("format"), COINMETRICS_OTHER("frequency"),                               \
        COINMETRICS_OTHER("granularity"), COINMETRICS_OTHER("height_inclusive"),                   \
        COINMETRICS_OTHER("id"), COINMETRICS_OTHER("ids"),                                         \
        COINMETRICS_OTHER("ignore_forbidden_errors"),                                              \
        COINMETRICS_OTHER("ignore_unsupported_errors"), COINMETRICS_OTHER("include"),              \
        COINMETRICS_OTHER("include_heartbeats"), COINMETRICS_OTHER("indexes"),                     \
        COINMETRICS_OTHER("institutions"), COINMETRICS_OTHER("isin"), COINMETRICS_OTHER("limit"),  \
        COINMETRICS_OTHER("limit_per_asset"), COINMETRICS_OTHER("limit_per_exchange"),             \
        COINMETRICS_OTHER("limit_per_exchange_asset"),                                             \
        COINMETRICS_OTHER("limit_per_exchange_pair"), COINMETRICS_OTHER("limit_per_market"),       \
        COINMETRICS_OTHER("limit_per_pair"), COINMETRICS_OTHER("markets"),                         \
        COINMETRICS_OTHER("metrics"), COINMETRICS_OTHER("min_confirmations"),                      \
        COINMETRICS_OTHER("next_page_token"), COINMETRICS_OTHER("null_as_zero"),                   \
        COINMETRICS_OTHER("page_size"), COINMETRICS_OTHER("pairs"),                                \
        COINMETRICS_OTHER("paging_from"), COINMETRICS_OTHER("pretty"), COINMETRICS_OTHER("quote"), \
        COINMETRICS_OTHER("reviewable"), COINMETRICS_OTHER("sort"),                                \
        COINMETRICS_OTHER("source_type"), COINMETRICS_OTHER("start_height"),                       \
        COINMETRICS_OTHER("start_inclusive"), COINMETRICS_OTHER("start_time"),                     \
        COINMETRICS_OTHER("status"), COINMETRICS_OTHER("symbol"), COINMETRICS_OTHER("timezone"),   \
        COINMETRICS_OTHER("type")

/* Readers of parameters; an absent one leaves what stands there. */
enum oi_status coinmetrics_not_supported(struct oi_problem *problem, const char *parameter,
                                         struct oi_slice value);
enum oi_status coinmetrics_read_choice(const struct oi_http_request *request, const char *name,
                                       const struct oi_word *words, size_t count,
                                       int64_t *ret_value, struct oi_problem *problem);
enum oi_status coinmetrics_read_count(const struct oi_http_request *request, const char *name,
                                      int64_t max, size_t *ret_count, struct oi_problem *problem);
enum oi_status coinmetrics_read_boolean(const struct oi_http_request *request, const char *name,
                                        bool *ret_value, struct oi_problem *problem);
/* start_time, end_time, their inclusivities, timezone. */
enum oi_status coinmetrics_read_span(const struct oi_call *call,
                                     const struct oi_http_request *request, struct oi_query *query,
                                     struct oi_problem *problem);
/* Everything about the form of the answer, the token of a place among rows excluded. */
enum oi_status coinmetrics_read_form(const struct oi_http_request *request, bool has_csv,
                                     bool from_end, struct oi_query *query,
                                     struct oi_problem *problem);
/* The token of a place among rows. */
enum oi_status coinmetrics_read_token(const struct oi_http_request *request, struct oi_query *query,
                                      struct oi_problem *problem);
/* A selector for each id or pattern of `markets`. */
enum oi_status coinmetrics_read_markets(const struct oi_http_request *request,
                                        struct oi_query *query, struct oi_problem *problem);
/* Without a list of markets: all, or all whose base or quote is the asset. */
void coinmetrics_select_all(const struct oi_http_request *request, struct oi_query *query);
/* The conditions that hold for every selector: exchange, type, base, quote, symbol. */
enum oi_status coinmetrics_read_filters(const struct oi_http_request *request,
                                        struct oi_query *query, struct oi_problem *problem);

/* What the timeseries and the catalogue answer. */
enum oi_status coinmetrics_render(struct oi_rendering *rendering, struct oi_buffer *out,
                                  bool *ret_is_last, struct oi_error *error);
/* Type and headers of an answer. */
void coinmetrics_begin_answer(struct oi_rendering *rendering);
void coinmetrics_write_token(const struct oi_position *position, struct oi_buffer *out);
/* The address of the next page: the same question with its token. */
void coinmetrics_write_next_url(const struct oi_rendering *rendering, struct oi_slice token,
                                struct oi_buffer *out);

/* What closes a list of rows: in JSON its brackets and, with a token, where the next page is. */
void coinmetrics_end_list(const struct oi_rendering *rendering, struct oi_slice token,
                          struct oi_buffer *out);
/* The same with the place of the result's next row as the token. */
void coinmetrics_end_rows(const struct oi_rendering *rendering, struct oi_buffer *out);

/* Reference data: /v4/reference-data/… */
enum oi_status coinmetrics_parse_reference(const struct oi_call *call,
                                           const struct oi_http_request *request,
                                           struct oi_query *query, struct oi_problem *problem);
/* The first catalogue of markets: /v4/catalog/markets */
enum oi_status coinmetrics_parse_old_markets(const struct oi_call *call,
                                             const struct oi_http_request *request,
                                             struct oi_query *query, struct oi_problem *problem);
enum oi_status coinmetrics_render_reference(struct oi_rendering *rendering, struct oi_buffer *out,
                                            bool *ret_is_last, struct oi_error *error);

/* Metrics: /v4/timeseries/asset-metrics and its likes. */
enum oi_status coinmetrics_parse_metrics(const struct oi_call *call,
                                         const struct oi_http_request *request,
                                         struct oi_query *query, struct oi_problem *problem);
enum oi_status coinmetrics_render_metrics(struct oi_rendering *rendering, struct oi_buffer *out,
                                          bool *ret_is_last, struct oi_error *error);

/* One of the 17 metrics, as a sum over a choice of markets. */
struct coinmetrics_metric {
    const char *name;
    const char *full_name;
    bool is_of_markets; /* served for single markets too */
    struct oi_measure measure;
};
#define COINMETRICS_METRIC_COUNT 17
/* In alphabetical order. */
extern const struct coinmetrics_metric coinmetrics_metrics[COINMETRICS_METRIC_COUNT];

/* What metrics are of: a row for each of the vendor's paths. */
struct coinmetrics_level {
    const char *path;     /* its last part: "asset-metrics" */
    const char *entities; /* the parameter that names them */
    const char *key;      /* of the rows, and the word to sort by */
    const char *word;     /* in messages */
    const char *limit;
    enum oi_level level;
    bool may_ignore; /* knows ignore_unsupported_errors */
};
const struct coinmetrics_level *coinmetrics_find_level(struct oi_slice path);
/* The list of entities, as it stands in the request. */
enum oi_status coinmetrics_read_entities(const struct oi_http_request *request,
                                         const struct coinmetrics_level *level,
                                         struct oi_query *query, struct oi_problem *problem);
/* The metrics asked for, all without a word, in alphabetical order: their bits in `number`, their
 * measures. */
enum oi_status coinmetrics_read_metrics(const struct oi_http_request *request,
                                        const struct coinmetrics_level *level,
                                        struct oi_query *query, struct oi_problem *problem);
/* The metric behind a measure of the query. */
const struct coinmetrics_metric *coinmetrics_metric_of(const struct oi_query *query,
                                                       size_t measure);

/* The catalogue of metrics: /v4/catalog-v2/asset-metrics and its likes. */
enum oi_status coinmetrics_parse_metric_catalog(const struct oi_call *call,
                                                const struct oi_http_request *request,
                                                struct oi_query *query, struct oi_problem *problem);
enum oi_status coinmetrics_render_metric_catalog(struct oi_rendering *rendering,
                                                 struct oi_buffer *out, bool *ret_is_last,
                                                 struct oi_error *error);

/* The WebSocket. */
extern const struct oi_stream_route coinmetrics_stream;

/* The description of all this, coinmetrics_openapi.c */
enum oi_status coinmetrics_parse_openapi(const struct oi_call *call,
                                         const struct oi_http_request *request,
                                         struct oi_query *query, struct oi_problem *problem);
enum oi_status coinmetrics_render_openapi(struct oi_rendering *rendering, struct oi_buffer *out,
                                          bool *ret_is_last, struct oi_error *error);
