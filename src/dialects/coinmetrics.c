/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coin Metrics API v4: market open interest and the catalogue that describes it.
 * https://docs.coinmetrics.io/api/v4
 *
 * Rows of a page always ascend, whichever end the pages are counted from. Where the vendor is
 * silent, docs/dialects/coinmetrics.md says what is done.
 */
#include "dialects/dialect.h"

#include "base/crypto.h"
#include "dialects/coinmetrics_internal.h"
#include "dialects/text.h"

#include <string.h>

#define PAGE_SIZE 100
#define PAGE_SIZE_MAX 10'000

static const struct oi_parameter row_parameters[] = {
    { "api_key", 0 },
    { "markets", OI_PARAMETER_REQUIRED },
    { "start_time", 0 },
    { "end_time", 0 },
    { "start_inclusive", 0 },
    { "end_inclusive", 0 },
    { "timezone", 0 },
    { "granularity", 0 },
    { "page_size", 0 },
    { "paging_from", 0 },
    { "limit_per_market", 0 },
    { "pretty", 0 },
    { "format", 0 },
    { "next_page_token", 0 },
    COINMETRICS_PARAMETERS_OF_ALL,
};

static const struct oi_parameter catalog_parameters[] = {
    { "api_key", 0 },
    { "markets", 0 },
    { "exchange", 0 },
    { "type", 0 },
    { "base", 0 },
    { "quote", 0 },
    { "asset", 0 },
    { "symbol", 0 },
    { "start_time", 0 },
    { "end_time", 0 },
    { "start_inclusive", 0 },
    { "end_inclusive", 0 },
    { "timezone", 0 },
    { "page_size", 0 },
    { "paging_from", 0 },
    { "pretty", 0 },
    { "format", 0 },
    { "next_page_token", 0 },
    { "limit", 0 },
    COINMETRICS_PARAMETERS_OF_ALL,
};

enum oi_status
coinmetrics_not_supported(struct oi_problem *problem, const char *parameter, struct oi_slice value)
{
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, value,
                          "Value '%.*s' is not supported.", OI_SLICE_ARGS(value));
}

enum oi_status
coinmetrics_read_choice(const struct oi_http_request *request, const char *name,
                        const struct oi_word *words, size_t count, int64_t *ret_value,
                        struct oi_problem *problem)
{
    if (oi_text_word(request, name, words, count, ret_value, problem) != OI_OK)
        return coinmetrics_not_supported(problem, name, oi_text_value(request, name));
    return OI_OK;
}

enum oi_status
coinmetrics_read_count(const struct oi_http_request *request, const char *name, int64_t max,
                       size_t *ret_count, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);
    int64_t number;

    if (value.size == 0)
        return OI_OK;
    if (!oi_text_integer(value, &number))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Must be an integer.");
    if (number < 1)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Must be at least 1.");
    if (number > max)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Must be at most %lld.",
                              (long long) max);
    *ret_count = (size_t) number;
    return OI_OK;
}

enum oi_status
coinmetrics_read_boolean(const struct oi_http_request *request, const char *name, bool *ret_value,
                         struct oi_problem *problem)
{
    if (oi_text_boolean(request, name, ret_value, problem) != OI_OK)
        return coinmetrics_not_supported(problem, name, oi_text_value(request, name));
    return OI_OK;
}

/* Does the text have the shape, where `d` is any digit? */
static bool
has_shape(struct oi_slice text, const char *shape)
{
    if (text.size != strlen(shape))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';

        if (shape[i] == 'd' ? !is_digit : text.data[i] != shape[i])
            return false;
    }
    return true;
}

/* Narrower than oi_time_parse: no offsets, no blank, no time without seconds. */
static bool
is_time(struct oi_slice text)
{
    const char *point = memchr(text.data, '.', text.size);
    struct oi_slice whole = { text.data, point ? (size_t) (point - text.data) : text.size };

    if (!point && (has_shape(text, "dddd-dd-dd") || has_shape(text, "dddddddd")))
        return true;
    if (point) {
        size_t digits = text.size - whole.size - 1;

        if (digits < 1 || digits > 9)
            return false;
        for (size_t i = 1; i <= digits; i++) {
            if (point[i] < '0' || point[i] > '9')
                return false;
        }
    }
    return has_shape(whole, "dddd-dd-ddTdd:dd:dd") || has_shape(whole, "dddd-dd-ddTdddddd");
}

/* One bound of the range: what was written, and the instants it names. */
struct bound {
    bool is_given, is_date;
    oi_time time;     /* the instant, or the start of the day */
    oi_time next_day; /* of a date: the start of the day after */
};

static enum oi_status
day_start(const struct oi_zone *zone, struct oi_civil civil, int days, oi_time *ret_time)
{
    oi_time utc;

    OI_TRY(oi_time_from_civil(&civil, &utc, NULL));
    if (__builtin_add_overflow(utc, days * OI_DAY, &utc))
        return OI_E_INVALID;
    if (!zone) {
        *ret_time = utc;
        return OI_OK;
    }
    civil = oi_time_to_civil(utc);
    return oi_zone_day_start(zone, &civil, ret_time, NULL);
}

static enum oi_status
read_bound(const struct oi_http_request *request, const char *name, const struct oi_zone *zone,
           struct bound *ret_bound, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name), text = value;
    struct bound bound = { .is_given = true };
    struct oi_time_text parsed = {};
    enum oi_status status;

    if (value.size == 0)
        return OI_OK;
    if (text.data[text.size - 1] == 'Z')
        text.size--;
    status = text.size > 0 && is_time(text) ? oi_time_parse(text, &parsed, NULL) : OI_E_INVALID;
    bound.is_date = parsed.is_date_only;
    if (status == OI_OK && bound.is_date) {
        status = day_start(zone, parsed.civil, 0, &bound.time);
        if (status == OI_OK)
            status = day_start(zone, parsed.civil, 1, &bound.next_day);
    } else if (status == OI_OK && zone) {
        status = oi_zone_to_time(zone, &parsed.civil, &bound.time, NULL);
    } else if (status == OI_OK) {
        status = oi_time_from_civil(&parsed.civil, &bound.time, NULL);
    }
    if (status != OI_OK) {
        (void) oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Incorrect time format.");
        problem->code = "time_format";
        return OI_E_INVALID;
    }
    *ret_bound = bound;
    return OI_OK;
}

static enum oi_status
read_zone(const struct oi_call *call, const struct oi_http_request *request,
          const struct oi_zone **ret_zone, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "timezone");

    if (value.size == 0 || oi_slice_is(value, "UTC"))
        return OI_OK;
    if (!oi_zone_name_is_valid(value) || !call->zones ||
        call->zones->load(call->zones, value, ret_zone, NULL) != OI_OK)
        return coinmetrics_not_supported(problem, "timezone", value);
    return OI_OK;
}

enum oi_status
coinmetrics_read_span(const struct oi_call *call, const struct oi_http_request *request,
                      struct oi_query *query, struct oi_problem *problem)
{
    bool start_inclusive = true, end_inclusive = true;
    const struct oi_zone *zone = NULL;
    struct bound start = {}, end = {};

    OI_TRY(read_zone(call, request, &zone, problem));
    OI_TRY(read_bound(request, "start_time", zone, &start, problem));
    OI_TRY(read_bound(request, "end_time", zone, &end, problem));
    OI_TRY(coinmetrics_read_boolean(request, "start_inclusive", &start_inclusive, problem));
    OI_TRY(coinmetrics_read_boolean(request, "end_inclusive", &end_inclusive, problem));
    if (start.is_given && end.is_given && start.time > end.time)
        return oi_problem_set(problem, OI_PROBLEM_RANGE, "end_time",
                              oi_text_value(request, "end_time"),
                              "Must not be before 'start_time'.");
    if (start.is_given)
        query->span.from = start_inclusive ? start.time
                           : start.is_date ? start.next_day
                                           : start.time + OI_NANOSECOND;
    if (end.is_given)
        query->span.to = !end_inclusive ? end.time
                         : end.is_date  ? end.next_day
                                        : end.time + OI_NANOSECOND;
    if (query->span.to < query->span.from)
        query->span.to = query->span.from;
    return OI_OK;
}

/* Tokens look like the vendor's: "0." and the time in base64url, cut from the ordered list. */
enum oi_status
coinmetrics_read_token(const struct oi_http_request *request, struct oi_query *query,
                       struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "next_page_token"), rest = value, part;
    struct oi_buffer text = { .size_max = 64 };
    int64_t market = -1;
    oi_time time;
    bool is_good;

    if (value.size == 0)
        return OI_OK;
    is_good = value.size < 80 && oi_slice_next_part(&rest, '.', &part) &&
              oi_text_integer(part, &market) && market >= 0 && rest.data &&
              oi_unbase64(rest, &text, NULL) == OI_OK &&
              oi_time_parse_utc(oi_buffer_slice(&text), &time, NULL) == OI_OK;
    oi_buffer_release(&text);
    if (!is_good)
        return coinmetrics_not_supported(problem, "next_page_token", value);
    /* A stream of lines has no pages. */
    query->after = (struct oi_position){ .is_set = query->format != COINMETRICS_FORMAT_JSON_STREAM,
                                         .market = (size_t) market,
                                         .time = time };
    return OI_OK;
}

/* Everything about the form of the answer. */
enum oi_status
coinmetrics_read_form(const struct oi_http_request *request, bool has_csv, bool from_end,
                      struct oi_query *query, struct oi_problem *problem)
{
    static const struct oi_word formats[] = {
        { "json", COINMETRICS_FORMAT_JSON },
        { "json_stream", COINMETRICS_FORMAT_JSON_STREAM },
        { "csv", COINMETRICS_FORMAT_CSV },
    };
    static const struct oi_word ends[] = { { "start", false }, { "end", true } };
    int64_t format = COINMETRICS_FORMAT_JSON, is_from_end = from_end;
    size_t page_size = PAGE_SIZE;

    OI_TRY(coinmetrics_read_choice(request, "format", formats, has_csv ? 3 : 2, &format, problem));
    OI_TRY(coinmetrics_read_choice(request, "paging_from", ends, OI_COUNT(ends), &is_from_end,
                                   problem));
    OI_TRY(coinmetrics_read_count(request, "page_size", PAGE_SIZE_MAX, &page_size, problem));
    OI_TRY(coinmetrics_read_boolean(request, "pretty", &query->is_pretty, problem));
    query->format = (unsigned) format;
    query->from_end = is_from_end;
    query->limit = page_size;
    if (query->format == COINMETRICS_FORMAT_JSON_STREAM) {
        query->limit = 0;
        query->is_pretty = false;
    }
    return OI_OK;
}

/* A selector for each id or pattern of the list. */
enum oi_status
coinmetrics_read_markets(const struct oi_http_request *request, struct oi_query *query,
                         struct oi_problem *problem)
{
    struct oi_slice rest = oi_text_value(request, "markets"), part;
    size_t count = 0;

    query->is_one_list = true;
    while (rest.size > 0 && oi_slice_next_part(&rest, ',', &part)) {
        struct oi_selector *selector;
        bool is_pattern = part.size > 0 && memchr(part.data, '*', part.size);

        if (part.size == 0 || (!is_pattern && oi_slice_ends_with(part, "-spot")))
            return oi_problem_set(problem, OI_PROBLEM_MARKET, "markets", part, "No such market.");
        if (++count > OI_PARAMETER_VALUES_MAX)
            return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "markets", (struct oi_slice){},
                                  "Must be at most %d.", OI_PARAMETER_VALUES_MAX);
        selector = oi_query_select(query, OI_SYMBOLOGY_COINMETRICS);
        selector->market = oi_arena_copy(&query->arena, part);
        selector->is_pattern = is_pattern;
        selector->must_match = true;
        selector->parameter = "markets";
    }
    return OI_OK;
}

static enum oi_status
parse_rows(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    static const struct oi_word granularities[] = {
        { "raw", 0 },
        { "1m", OI_MINUTE },
        { "1h", OI_HOUR },
        { "1d", OI_DAY },
    };

    OI_TRY(OI_TEXT_PARAMETERS(request, row_parameters, problem));
    query->kind = OI_QUERY_ROWS;
    query->unit = OI_UNIT_CONTRACTS;
    OI_TRY(coinmetrics_read_markets(request, query, problem));
    OI_TRY(coinmetrics_read_span(call, request, query, problem));
    OI_TRY(coinmetrics_read_choice(request, "granularity", granularities, OI_COUNT(granularities),
                                   &query->interval_ns, problem));
    OI_TRY(coinmetrics_read_count(request, "limit_per_market", INT32_MAX, &query->limit_per_market,
                                  problem));
    OI_TRY(coinmetrics_read_form(request, true, true, query, problem));
    return coinmetrics_read_token(request, query, problem);
}

/* The conditions that hold for every market of a catalogue. */
enum oi_status
coinmetrics_read_filters(const struct oi_http_request *request, struct oi_query *query,
                         struct oi_problem *problem)
{
    enum { TYPE_ANY, TYPE_SPOT, TYPE_FUTURE, TYPE_OPTION };
    static const struct oi_word types[] = {
        { "spot", TYPE_SPOT },
        { "future", TYPE_FUTURE },
        { "option", TYPE_OPTION },
    };
    const char *exchange = oi_text_copy(request, "exchange", query);
    struct oi_slice base = oi_text_value(request, "base");
    struct oi_slice quote = oi_text_value(request, "quote");
    const char *symbol = oi_text_copy(request, "symbol", query);
    int64_t type = TYPE_ANY;

    OI_TRY(coinmetrics_read_choice(request, "type", types, OI_COUNT(types), &type, problem));
    if (type == TYPE_SPOT)
        query->variant = COINMETRICS_VARIANT_NOTHING;
    for (size_t i = 0; i < query->selectors.count; i++) {
        struct oi_selector *selector = &query->selectors.items[i];

        if (exchange)
            oi_vector_push(&selector->exchanges, exchange);
        if (base.size > 0)
            selector->coin = oi_text_upper(&query->arena, base);
        if (quote.size > 0)
            selector->quote = oi_text_upper(&query->arena, quote);
        if (symbol && !selector->market) {
            selector->market = oi_arena_format(&query->arena, "*-%s-*", symbol);
            selector->is_pattern = true;
        }
        if (type == TYPE_FUTURE) {
            oi_vector_push(&selector->kinds, OI_KIND_PERPETUAL);
            oi_vector_push(&selector->kinds, OI_KIND_FUTURE);
        } else if (type == TYPE_OPTION) {
            oi_vector_push(&selector->kinds, OI_KIND_OPTION);
        }
    }
    return OI_OK;
}

/* Without a list of markets: all, or all whose base or quote is the asset. */
void
coinmetrics_select_all(const struct oi_http_request *request, struct oi_query *query)
{
    struct oi_slice asset = oi_text_value(request, "asset");
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_COINMETRICS);

    if (asset.size == 0)
        return;
    selector->coin = oi_text_upper(&query->arena, asset);
    selector = oi_query_select(query, OI_SYMBOLOGY_COINMETRICS);
    selector->quote = oi_text_upper(&query->arena, asset);
}

static enum oi_status
parse_catalog(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, catalog_parameters, problem));
    query->kind = OI_QUERY_MARKETS;
    query->wants_extents = true;
    query->recorded_only = true;
    OI_TRY(coinmetrics_read_markets(request, query, problem));
    if (query->selectors.count == 0)
        coinmetrics_select_all(request, query);
    OI_TRY(coinmetrics_read_filters(request, query, problem));
    OI_TRY(coinmetrics_read_span(call, request, query, problem));
    OI_TRY(coinmetrics_read_form(request, false, false, query, problem));
    OI_TRY(coinmetrics_read_token(request, query, problem));
    if (query->variant == COINMETRICS_VARIANT_NOTHING)
        query->kind = OI_QUERY_NONE;
    return OI_OK;
}

/* The first catalogue: no pages, a limit of markets. */
static enum oi_status
parse_old_catalog(const struct oi_call *call, const struct oi_http_request *request,
                  struct oi_query *query, struct oi_problem *problem)
{
    size_t limit = 0;

    OI_TRY(parse_catalog(call, request, query, problem));
    if (!oi_slice_is(oi_text_value(request, "limit"), "none"))
        OI_TRY(coinmetrics_read_count(request, "limit", 100, &limit, problem));
    if (query->variant == COINMETRICS_VARIANT_PAGED)
        query->variant = COINMETRICS_VARIANT_UNPAGED;
    query->limit = limit;
    query->from_end = false;
    query->after.is_set = false;
    return OI_OK;
}

static struct oi_slice
key(const struct oi_http_request *request)
{
    return oi_text_value(request, "api_key");
}

/*
 * Problems.
 */

static const char time_formats[] =
    "Supported formats are 'yyyy-MM-dd', 'yyyyMMdd', 'yyyy-MM-ddTHH:mm:ss', 'yyyy-MM-ddTHHmmss', "
    "'yyyy-MM-ddTHH:mm:ss.SSS', 'yyyy-MM-ddTHHmmss.SSS', 'yyyy-MM-ddTHH:mm:ss.SSSSSS', "
    "'yyyy-MM-ddTHHmmss.SSSSSS', 'yyyy-MM-ddTHH:mm:ss.SSSSSSSSS', "
    "'yyyy-MM-ddTHHmmss.SSSSSSSSS'.";

/* The status, type and fixed message of each kind; a message of NULL is composed. */
static const struct outcome {
    int status;
    const char *type;
    const char *message;
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "internal_error", "Internal server error." },
    [OI_PROBLEM_PARAMETER] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_MISSING] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_UNKNOWN] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_REPEATED] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_MARKET] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_RANGE] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_TOO_MANY] = { 400, "bad_parameter", NULL },
    [OI_PROBLEM_PATH] = { 404, "not_found", "Requested resource is not found." },
    [OI_PROBLEM_METHOD] = { 405, "method_not_allowed", "Requested method is not supported." },
    [OI_PROBLEM_KEY_MISSING] = { 401, "unauthorized",
                                 "Requested resource requires authorization." },
    [OI_PROBLEM_KEY_WRONG] = { 401, "wrong_credentials", "Supplied credentials are not valid." },
    [OI_PROBLEM_FORBIDDEN] = { 403, "forbidden",
                               "Requested resource is not available with supplied credentials." },
    [OI_PROBLEM_CREDITS] = { 403, "forbidden",
                             "Requested resource is not available with supplied credentials." },
    [OI_PROBLEM_RATE] = { 429, "too_many_requests", "Too many requests." },
    [OI_PROBLEM_SYNTAX] = { 400, "bad_request", "Malformed request." },
    [OI_PROBLEM_INTERNAL] = { 500, "internal_error", "Internal server error." },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "unavailable", "Service is temporarily unavailable." },
};

static void
add_message(const struct oi_problem *problem, const char *fixed, struct oi_buffer *message)
{
    if (fixed) {
        oi_buffer_add_text(message, fixed);
        return;
    }
    if (problem->parameter[0])
        oi_buffer_add_format(message, "Bad parameter '%s'. ", problem->parameter);
    if (problem->kind == OI_PROBLEM_MARKET)
        oi_buffer_add_format(message, "%s '%s' is not supported.",
                             strcmp(problem->parameter, "markets") == 0 ? "Market" : "Value",
                             problem->value);
    else if (problem->code && strcmp(problem->code, "time_format") == 0)
        oi_buffer_add_format(message, "Incorrect time format '%s'. %s", problem->value,
                             time_formats);
    else
        oi_buffer_add_text(message, problem->message);
}

static void
render_problem(const struct oi_call *call, const struct oi_http_request *,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    struct outcome outcome = outcomes[problem->kind];
    struct oi_buffer message = {};
    struct oi_json_writer writer;

    if (problem->kind == OI_PROBLEM_SYNTAX && problem->http_status)
        outcome.status = problem->http_status;
    if (outcome.status == 414)
        outcome = (struct outcome){ 414, "uri_too_long", "Request URI is too long." };
    writer = oi_text_begin_json(reply, outcome.status, "application/json");
    add_message(problem, outcome.message, &message);
    if (outcome.status == 429) {
        oi_http_reply_header_int(reply, "X-RateLimit-Limit", call->allowance.rate_limit);
        oi_http_reply_header_int(reply, "X-RateLimit-Remaining", 0);
        oi_http_reply_header_int(reply, "X-RateLimit-Reset", problem->retry_after_s);
        oi_http_reply_header_text(reply, "X-RateLimit-Plan",
                                  call->allowance.plan ? call->allowance.plan : "default");
        oi_http_reply_header_int(reply, "Retry-After", problem->retry_after_s);
    }
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "error");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "type", outcome.type);
    oi_json_add_name(&writer, "message");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
    oi_buffer_release(&message);
}

static const char *const mounts[] = { "", "/coinmetrics", NULL };

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = (render_)          \
    }
#define METRICS(path_) ROUTE(path_, coinmetrics_parse_metrics, coinmetrics_render_metrics)
#define METRIC_CATALOG(path_)                                                                      \
    ROUTE(path_, coinmetrics_parse_metric_catalog, coinmetrics_render_metric_catalog)
#define REFERENCE(path_) ROUTE(path_, coinmetrics_parse_reference, coinmetrics_render_reference)
#define OLD_MARKETS(path_) ROUTE(path_, coinmetrics_parse_old_markets, coinmetrics_render_reference)

static const struct oi_route routes[] = {
    ROUTE("/v4/timeseries/market-openinterest", parse_rows, coinmetrics_render),
    ROUTE("/v4/catalog-v2/market-openinterest", parse_catalog, coinmetrics_render),
    ROUTE("/v4/catalog-all-v2/market-openinterest", parse_catalog, coinmetrics_render),
    ROUTE("/v4/catalog/market-openinterest", parse_old_catalog, coinmetrics_render),
    ROUTE("/v4/catalog-all/market-openinterest", parse_old_catalog, coinmetrics_render),
    OLD_MARKETS("/v4/catalog/markets"),
    OLD_MARKETS("/v4/catalog-all/markets"),
    METRICS("/v4/timeseries/asset-metrics"),
    METRICS("/v4/timeseries/exchange-metrics"),
    METRICS("/v4/timeseries/exchange-asset-metrics"),
    METRICS("/v4/timeseries/exchange-pair-metrics"),
    METRICS("/v4/timeseries/pair-metrics"),
    METRICS("/v4/timeseries/market-metrics"),
    METRIC_CATALOG("/v4/catalog-v2/asset-metrics"),
    METRIC_CATALOG("/v4/catalog-v2/exchange-metrics"),
    METRIC_CATALOG("/v4/catalog-v2/exchange-asset-metrics"),
    METRIC_CATALOG("/v4/catalog-v2/exchange-pair-metrics"),
    METRIC_CATALOG("/v4/catalog-v2/pair-metrics"),
    METRIC_CATALOG("/v4/catalog-v2/market-metrics"),
    METRIC_CATALOG("/v4/catalog-all-v2/asset-metrics"),
    METRIC_CATALOG("/v4/catalog-all-v2/exchange-metrics"),
    METRIC_CATALOG("/v4/catalog-all-v2/exchange-asset-metrics"),
    METRIC_CATALOG("/v4/catalog-all-v2/exchange-pair-metrics"),
    METRIC_CATALOG("/v4/catalog-all-v2/pair-metrics"),
    METRIC_CATALOG("/v4/catalog-all-v2/market-metrics"),
    REFERENCE("/v4/reference-data/markets"),
    REFERENCE("/v4/reference-data/exchanges"),
    REFERENCE("/v4/reference-data/assets"),
    REFERENCE("/v4/reference-data/pairs"),
    REFERENCE("/v4/reference-data/asset-metrics"),
    REFERENCE("/v4/reference-data/exchange-metrics"),
    REFERENCE("/v4/reference-data/exchange-asset-metrics"),
    REFERENCE("/v4/reference-data/exchange-pair-metrics"),
    REFERENCE("/v4/reference-data/pair-metrics"),
    REFERENCE("/v4/reference-data/institution-metrics"),
    REFERENCE("/v4/reference-data/market-metrics"),
    { .path = "/v4/openapi.json",
      .methods = OI_METHOD_GET,
      .is_public = true,
      .parse = coinmetrics_parse_openapi,
      .render = coinmetrics_render_openapi },
};

const struct oi_dialect oi_dialect_coinmetrics = {
    .name = "coinmetrics",
    .full_name = "Coin Metrics API v4",
    .mounts = mounts,
    .prefix = "/v4/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .streams = &coinmetrics_stream,
    .stream_count = 1,
    .target_size_max = 10'000,
    .key = key,
    .render_problem = render_problem,
};
