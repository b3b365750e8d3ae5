/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aperiodic: links to monthly Parquet files, the files themselves, and the lists that describe
 * them. https://aperiodic.io/api-docs; names are in Atlas notation.
 *
 * A link is opened by its signature, never by the key, because clients do not send the key there.
 * Where the vendor is silent, docs/dialects/aperiodic.md says what is done.
 */
#include "dialects/dialect.h"

#include "core/symbology.h"
#include "dialects/text.h"

#include <string.h>

enum variant {
    VARIANT_EXCHANGE_TIME = 0,
    VARIANT_ARRIVAL_TIME,
};

static const struct oi_word intervals[] = {
    { "1m", OI_MINUTE },       { "5m", 5 * OI_MINUTE }, { "15m", 15 * OI_MINUTE },
    { "30m", 30 * OI_MINUTE }, { "1h", OI_HOUR },       { "4h", 4 * OI_HOUR },
    { "1d", OI_DAY },
};
static const struct oi_word clocks[] = {
    { "exchange", VARIANT_EXCHANGE_TIME },
    { "true", VARIANT_ARRIVAL_TIME },
};
static const char *const exchanges[] = {
    "binance-futures",   "binance-futures-cm", "binance-spot", "bitmex",   "bybit-futures",
    "bybit-perps",       "bybit-spot",         "deribit",      "okx-spot", "okx-futures",
    "hyperliquid-perps", "hyperliquid-spot",   "okx-perps",
};

static const struct oi_parameter data_parameters[] = {
    { "timestamp", OI_PARAMETER_REQUIRED },  { "interval", OI_PARAMETER_REQUIRED },
    { "exchange", OI_PARAMETER_REQUIRED },   { "symbol", OI_PARAMETER_REQUIRED },
    { "start_date", OI_PARAMETER_REQUIRED }, { "end_date", OI_PARAMETER_REQUIRED },
};
static const struct oi_parameter symbol_parameters[] = {
    { "exchange", OI_PARAMETER_REQUIRED },
};

static enum oi_status
read_exchange(struct oi_slice value, struct oi_query *query, struct oi_selector *selector,
              struct oi_problem *problem)
{
    for (size_t i = 0; i < OI_COUNT(exchanges); i++) {
        if (oi_slice_is(value, exchanges[i])) {
            oi_vector_push(&selector->exchanges, exchanges[i]);
            query->echo_source = exchanges[i];
            return OI_OK;
        }
    }
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "exchange", value, "Unknown exchange.");
}

static enum oi_status
read_date(const struct oi_http_request *request, const char *name, oi_time *ret_time,
          struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);

    if (value.size != 10 || value.data[4] != '-' || value.data[7] != '-' ||
        !oi_text_time(value, ret_time))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Must be YYYY-MM-DD.");
    return OI_OK;
}

static enum oi_status
read_interval(struct oi_slice value, struct oi_query *query, struct oi_problem *problem)
{
    for (size_t i = 0; i < OI_COUNT(intervals); i++) {
        if (oi_slice_is(value, intervals[i].word)) {
            query->interval_ns = intervals[i].value;
            query->echo_interval = intervals[i].word;
            return OI_OK;
        }
    }
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "interval", value,
                          "Must be one of 1m, 5m, 15m, 30m, 1h, 4h, 1d.");
}

/* The question behind links and files alike, without its span. */
static enum oi_status
begin_query(struct oi_slice exchange, struct oi_slice interval, struct oi_slice symbol,
            struct oi_query *query, struct oi_problem *problem)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_ATLAS);

    query->unit = OI_UNIT_COINS;
    query->echo = oi_arena_copy(&query->arena, symbol);
    selector->market = query->echo;
    selector->parameter = "symbol";
    OI_TRY(read_interval(interval, query, problem));
    return read_exchange(exchange, query, selector, problem);
}

static enum oi_status
read_clock(const struct oi_http_request *request, struct oi_query *query,
           struct oi_problem *problem)
{
    int64_t clock = VARIANT_EXCHANGE_TIME;

    OI_TRY(OI_TEXT_WORD(request, "timestamp", clocks, &clock, problem));
    query->variant = (unsigned) clock;
    query->by_known_time = clock == VARIANT_ARRIVAL_TIME;
    return OI_OK;
}

static enum oi_status
parse_links(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    oi_time end = OI_TIME_NONE;

    OI_TRY(OI_TEXT_PARAMETERS(request, data_parameters, problem));
    query->kind = OI_QUERY_MONTHS;
    OI_TRY(read_clock(request, query, problem));
    OI_TRY(begin_query(oi_text_value(request, "exchange"), oi_text_value(request, "interval"),
                       oi_text_value(request, "symbol"), query, problem));
    OI_TRY(read_date(request, "start_date", &query->span.from, problem));
    OI_TRY(read_date(request, "end_date", &end, problem));
    if (end < query->span.from)
        return oi_problem_set(problem, OI_PROBLEM_RANGE, "end_date",
                              oi_text_value(request, "end_date"),
                              "end_date must not be before start_date.");
    query->span.to = end + OI_DAY;
    return OI_OK;
}

/* "2025-05.parquet" */
static bool
read_month(struct oi_slice file, struct oi_span *ret_span)
{
    struct oi_slice year, month;
    int64_t year_number, month_number;

    if (file.size != 15 || !oi_slice_ends_with(file, ".parquet") || file.data[4] != '-')
        return false;
    year = (struct oi_slice){ file.data, 4 };
    month = (struct oi_slice){ file.data + 5, 2 };
    if (!oi_text_integer(year, &year_number) || !oi_text_integer(month, &month_number) ||
        year_number < 1970 || year_number > 2200 || month_number < 1 || month_number > 12)
        return false;
    ret_span->from = oi_month_start((int) year_number, (int) month_number);
    ret_span->to = oi_month_next(ret_span->from);
    return true;
}

static const struct oi_route file_route;

/* The signature was checked before; what it signed is ours, so what is wrong here is a path that we
 * never gave out. */
static enum oi_status
parse_file(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice file = oi_route_capture(&file_route, call->mount, request->path, "file");

    OI_TRY(read_clock(request, query, problem));
    query->kind = OI_QUERY_BARS;
    if (!read_month(file, &query->span))
        return oi_problem_set(problem, OI_PROBLEM_PATH, "file", file, "No such file.");
    return begin_query(oi_route_capture(&file_route, call->mount, request->path, "exchange"),
                       oi_route_capture(&file_route, call->mount, request->path, "interval"),
                       oi_route_capture(&file_route, call->mount, request->path, "symbol"), query,
                       problem);
}

static enum oi_status
parse_symbols(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
              struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, symbol_parameters, problem));
    query->kind = OI_QUERY_MARKETS;
    return read_exchange(oi_text_value(request, "exchange"), query,
                         oi_query_select(query, OI_SYMBOLOGY_ATLAS), problem);
}

static enum oi_status
parse_catalog(const struct oi_call *, const struct oi_http_request *request, struct oi_query *,
              struct oi_problem *problem)
{
    return oi_text_parameters(request, NULL, 0, problem);
}

/*
 * Answers.
 */

static void
begin_answer(struct oi_http_reply *reply)
{
    oi_http_reply_type(reply, "application/json");
    oi_http_reply_header_text(reply, "Access-Control-Allow-Origin", "*");
}

/* "/aperiodic/files/aperiodic/EXCHANGE/INTERVAL/SYMBOL/2025-05.parquet?timestamp=exchange", signed.
 */
static void
add_link(const struct oi_rendering *rendering, const struct oi_civil *month,
         struct oi_json_writer *writer)
{
    const struct oi_query *query = rendering->query;
    struct oi_buffer path = {}, url = {};

    oi_buffer_add_slice(&path, rendering->call->mount);
    oi_buffer_add_format(&path, "/files/aperiodic/%s/%s/", query->echo_source,
                         query->echo_interval);
    oi_http_encode(oi_slice_of(query->echo), &path);
    oi_buffer_add_format(&path, "/%04d-%02d.parquet?timestamp=%s", (int) month->year,
                         (int) month->month, clocks[query->variant].word);
    rendering->call->sign(rendering->call, oi_buffer_slice(&path), &url);
    oi_json_add_name(writer, "url");
    oi_json_add_string(writer, oi_buffer_slice(&url));
    oi_buffer_release(&path);
    oi_buffer_release(&url);
}

static enum oi_status
render_links(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
             struct oi_error *error)
{
    struct oi_json_writer writer = { .out = out };
    const struct oi_block *block;

    begin_answer(rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "files");
    oi_json_begin_array(&writer);
    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++) {
            struct oi_civil month = oi_time_to_civil(block->months[i]);

            oi_json_begin_object(&writer);
            oi_json_add_name(&writer, "year");
            oi_json_add_int(&writer, month.year);
            oi_json_add_name(&writer, "month");
            oi_json_add_int(&writer, month.month);
            add_link(rendering, &month, &writer);
            oi_json_end_object(&writer);
        }
    }
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

/* Only the headers: the bytes are the lake's. */
static enum oi_status
render_file(struct oi_rendering *rendering, struct oi_buffer *, bool *ret_is_last,
            struct oi_error *)
{
    oi_http_reply_type(rendering->reply, "application/vnd.apache.parquet");
    oi_http_reply_header_text(rendering->reply, "Access-Control-Allow-Origin", "*");
    rendering->reply->is_compressible = false;
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
render_symbols(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
               struct oi_error *error)
{
    struct oi_json_writer writer = { .out = out };
    const struct oi_block *block;

    begin_answer(rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "symbols");
    oi_json_begin_array(&writer);
    for (;;) {
        char name[OI_MARKET_NAME_SIZE];

        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        if (block->market->instrument && oi_atlas_symbol(block->market->instrument, name))
            oi_json_add_text(&writer, name);
    }
    oi_json_end_array(&writer);
    oi_text_json_text(&writer, "exchange", rendering->query->echo_source);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
render_catalog(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
               struct oi_error *)
{
    static const char *const fields[][3] = {
        { "time", "Time", "Start of the interval, UTC." },
        { "open_interest", "Open interest", "Last value in the interval, in coins of the base." },
        { "open_interest_pct_change", "Change",
          "Percentage change from the first to the last value in the interval." },
        { "open_interest_volatility", "Volatility",
          "Sample deviation of the relative changes from tick to tick in the interval." },
        { "oi_price_change_ratio", "Ratio to price change",
          "Relative change of open interest divided by that of the mark price." },
    };
    struct oi_json_writer writer = { .out = out };

    begin_answer(rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "metrics");
    oi_json_begin_array(&writer);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "id", "open_interest");
    oi_text_json_text(&writer, "name", "Open interest");
    oi_text_json_text(&writer, "description",
                      "Open interest of each interval and three figures about its moves. Where an "
                      "instrument was recorded with one clock alone, that clock answers for both "
                      "timestamps.");
    oi_text_json_text(&writer, "category", "Derivatives");
    oi_json_add_name(&writer, "fields");
    oi_json_begin_array(&writer);
    for (size_t i = 0; i < OI_COUNT(fields); i++) {
        oi_json_begin_object(&writer);
        oi_text_json_text(&writer, "name", fields[i][0]);
        oi_text_json_text(&writer, "label", fields[i][1]);
        oi_text_json_text(&writer, "description", fields[i][2]);
        oi_json_end_object(&writer);
    }
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

static struct oi_slice
key(const struct oi_http_request *request)
{
    return oi_text_header(request, "X-API-KEY");
}

/*
 * Problems.
 */

static const struct outcome {
    int status;
    const char *error, *code;
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "Internal error", "internal_error" },
    [OI_PROBLEM_PARAMETER] = { 400, "Invalid parameter", "invalid_parameter" },
    [OI_PROBLEM_MISSING] = { 400, "Missing parameter", "missing_parameter" },
    [OI_PROBLEM_UNKNOWN] = { 400, "Unknown parameter", "unknown_parameter" },
    [OI_PROBLEM_REPEATED] = { 400, "Repeated parameter", "repeated_parameter" },
    [OI_PROBLEM_MARKET] = { 400, "Unknown symbol", "unknown_symbol" },
    [OI_PROBLEM_RANGE] = { 400, "Invalid date range", "invalid_range" },
    [OI_PROBLEM_TOO_MANY] = { 400, "Range too long", "range_too_long" },
    [OI_PROBLEM_PATH] = { 404, "Not Found", "not_found" },
    [OI_PROBLEM_METHOD] = { 405, "Method Not Allowed", "method_not_allowed" },
    [OI_PROBLEM_KEY_MISSING] = { 401, "Authorization Required", "unauthorized" },
    [OI_PROBLEM_KEY_WRONG] = { 401, "Authorization Required", "unauthorized" },
    [OI_PROBLEM_FORBIDDEN] = { 403, "Forbidden", "forbidden" },
    [OI_PROBLEM_CREDITS] = { 429, "Too Many Requests", "too_many_requests" },
    [OI_PROBLEM_RATE] = { 429, "Too Many Requests", "too_many_requests" },
    [OI_PROBLEM_SYNTAX] = { 400, "Bad Request", "bad_request" },
    [OI_PROBLEM_INTERNAL] = { 500, "Internal error", "internal_error" },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "Service Unavailable", "unavailable" },
};

static void
render_problem(const struct oi_call *, const struct oi_http_request *,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    struct outcome outcome = outcomes[problem->kind];
    struct oi_json_writer writer;

    if (problem->kind == OI_PROBLEM_SYNTAX && problem->http_status)
        outcome.status = problem->http_status;
    writer = oi_text_begin_json(reply, outcome.status, "application/json");
    oi_http_reply_header_text(reply, "Access-Control-Allow-Origin", "*");
    if (outcome.status == 429)
        oi_http_reply_header_int(reply, "Retry-After", problem->retry_after_s);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "error", outcome.error);
    if (problem->parameter[0] || problem->message[0]) {
        struct oi_buffer detail = {};

        if (problem->parameter[0])
            oi_buffer_add_format(&detail, "%s: ", problem->parameter);
        oi_buffer_add_text(&detail, problem->message);
        oi_json_add_name(&writer, "details");
        oi_json_begin_array(&writer);
        oi_json_add_string(&writer, oi_buffer_slice(&detail));
        oi_json_end_array(&writer);
        oi_buffer_release(&detail);
    }
    oi_text_json_text(&writer, "code", problem->code ? problem->code : outcome.code);
    oi_json_end_object(&writer);
}

static const char *const mounts[] = { "", "/aperiodic", NULL };

#define FILE_ROUTE                                                                                 \
    {                                                                                              \
        .path = "/files/aperiodic/{exchange}/{interval}/{symbol}/{file}",                          \
        .methods = OI_METHOD_GET, .is_link = true, .is_file = true, .parse = parse_file,           \
        .render = render_file                                                                      \
    }
static const struct oi_route file_route = FILE_ROUTE;

static const struct oi_route routes[] = {
    { .path = "/api/v1/data/open_interest",
      .methods = OI_METHOD_GET,
      .parse = parse_links,
      .render = render_links },
    { .path = "/api/v1/metadata/symbols",
      .methods = OI_METHOD_GET,
      .parse = parse_symbols,
      .render = render_symbols },
    { .path = "/api/v1/metadata/catalog",
      .methods = OI_METHOD_GET,
      .parse = parse_catalog,
      .render = render_catalog },
    FILE_ROUTE,
};

const struct oi_dialect oi_dialect_aperiodic = {
    .name = "aperiodic",
    .full_name = "Aperiodic API v1",
    .mounts = mounts,
    .prefix = "/api/v1/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .key = key,
    .render_problem = render_problem,
};
