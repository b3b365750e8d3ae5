/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aperiodic: links to monthly Parquet files of bars or of raw readings, the files themselves, and
 * the lists that describe them. https://aperiodic.io/api-docs; names are in Atlas notation.
 *
 * A link is opened by its signature, never by the key, because clients do not send the key there.
 * Where the vendor is silent, docs/dialects/aperiodic.md says what is done.
 */
#include "dialects/dialect.h"

#include "core/symbology.h"
#include "dialects/aperiodic_internal.h"
#include "dialects/text.h"

#include <stdio.h>
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
/* oi_query.number: what the links lead to. */
enum links {
    LINKS_BARS = 0,
    LINKS_RAW,
    LINKS_RAW_PREVIEW, /* the newest one alone */
};

/* A call for raw readings may span so many days. */
#define RAW_DAYS_MAX 366

/* What previews show. */
#define PREVIEW_EXCHANGE "binance-futures"
#define PREVIEW_SYMBOL "perpetual-BTC-USDT:USDT"
#define PREVIEW_INTERVAL "5m"

static const struct oi_parameter data_parameters[] = {
    { "timestamp", OI_PARAMETER_REQUIRED },  { "interval", OI_PARAMETER_REQUIRED },
    { "exchange", OI_PARAMETER_REQUIRED },   { "symbol", OI_PARAMETER_REQUIRED },
    { "start_date", OI_PARAMETER_REQUIRED }, { "end_date", OI_PARAMETER_REQUIRED },
};
static const struct oi_parameter raw_parameters[] = {
    { "exchange", OI_PARAMETER_REQUIRED },
    { "symbol", OI_PARAMETER_REQUIRED },
    { "start_date", OI_PARAMETER_REQUIRED },
    { "end_date", OI_PARAMETER_REQUIRED },
};
static const struct oi_parameter raw_preview_parameters[] = {
    { "exchange", OI_PARAMETER_REQUIRED },
    { "symbol", OI_PARAMETER_REQUIRED },
};
static const struct oi_parameter symbol_parameters[] = {
    { "exchange", OI_PARAMETER_REQUIRED },
};

static enum oi_status
read_exchange(struct oi_slice value, struct oi_query *query, struct oi_selector *selector,
              struct oi_problem *problem)
{
    if (!oi_atlas_exchange_is_known(value))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "exchange", value,
                              "Unknown exchange.");
    query->echo_source = oi_arena_copy(&query->arena, value);
    oi_vector_push(&selector->exchanges, query->echo_source);
    return OI_OK;
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

bool
aperiodic_interval(struct oi_slice word, int64_t *ret_ns)
{
    for (size_t i = 0; i < OI_COUNT(intervals); i++) {
        if (oi_slice_is(word, intervals[i].word)) {
            *ret_ns = intervals[i].value;
            return true;
        }
    }
    return false;
}

const char *
aperiodic_interval_word(int64_t interval_ns)
{
    for (size_t i = 0; i < OI_COUNT(intervals); i++)
        if (intervals[i].value == interval_ns)
            return intervals[i].word;
    return "";
}

static enum oi_status
read_interval(struct oi_slice value, struct oi_query *query, struct oi_problem *problem)
{
    if (!aperiodic_interval(value, &query->interval_ns))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "interval", value,
                              "Must be one of 1m, 5m, 15m, 30m, 1h, 4h, 1d.");
    query->echo_interval = aperiodic_interval_word(query->interval_ns);
    return OI_OK;
}

/* The market behind links and files alike. */
static enum oi_status
read_market(struct oi_slice exchange, struct oi_slice symbol, struct oi_query *query,
            struct oi_problem *problem)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_ATLAS);

    query->unit = OI_UNIT_COINS;
    query->echo = oi_arena_copy(&query->arena, symbol);
    selector->market = query->echo;
    selector->parameter = "symbol";
    return read_exchange(exchange, query, selector, problem);
}

/* The question behind links and files alike, without its span. */
static enum oi_status
begin_query(struct oi_slice exchange, struct oi_slice interval, struct oi_slice symbol,
            struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(read_interval(interval, query, problem));
    return read_market(exchange, symbol, query, problem);
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
read_dates(const struct oi_http_request *request, struct oi_query *query,
           struct oi_problem *problem)
{
    oi_time end = OI_TIME_NONE;

    OI_TRY(read_date(request, "start_date", &query->span.from, problem));
    OI_TRY(read_date(request, "end_date", &end, problem));
    if (end < query->span.from)
        return oi_problem_set(problem, OI_PROBLEM_RANGE, "end_date",
                              oi_text_value(request, "end_date"),
                              "end_date must not be before start_date.");
    query->span.to = end + OI_DAY;
    return OI_OK;
}

static enum oi_status
parse_links(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, data_parameters, problem));
    query->kind = OI_QUERY_MONTHS;
    query->number = LINKS_BARS;
    OI_TRY(read_clock(request, query, problem));
    OI_TRY(begin_query(oi_text_value(request, "exchange"), oi_text_value(request, "interval"),
                       oi_text_value(request, "symbol"), query, problem));
    return read_dates(request, query, problem);
}

static enum oi_status
check_preview(const struct oi_http_request *request, const char *name, const char *only,
              struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);

    if (oi_slice_is(value, only))
        return OI_OK;
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "A preview has %s alone.",
                          only);
}

static enum oi_status
parse_preview(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(parse_links(call, request, query, problem));
    OI_TRY(check_preview(request, "exchange", PREVIEW_EXCHANGE, problem));
    OI_TRY(check_preview(request, "symbol", PREVIEW_SYMBOL, problem));
    return check_preview(request, "interval", PREVIEW_INTERVAL, problem);
}

static enum oi_status
parse_raw(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
          struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, raw_parameters, problem));
    query->kind = OI_QUERY_MONTHS;
    query->number = LINKS_RAW;
    OI_TRY(read_market(oi_text_value(request, "exchange"), oi_text_value(request, "symbol"), query,
                       problem));
    OI_TRY(read_dates(request, query, problem));
    if (query->span.to - query->span.from > RAW_DAYS_MAX * OI_DAY)
        return oi_problem_set(problem, OI_PROBLEM_TOO_MANY, "end_date",
                              oi_text_value(request, "end_date"), "At most %d days a call.",
                              RAW_DAYS_MAX);
    return OI_OK;
}

static enum oi_status
parse_raw_preview(const struct oi_call *, const struct oi_http_request *request,
                  struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, raw_preview_parameters, problem));
    query->kind = OI_QUERY_MONTHS;
    query->number = LINKS_RAW_PREVIEW;
    OI_TRY(read_market(oi_text_value(request, "exchange"), oi_text_value(request, "symbol"), query,
                       problem));
    OI_TRY(check_preview(request, "exchange", PREVIEW_EXCHANGE, problem));
    return check_preview(request, "symbol", PREVIEW_SYMBOL, problem);
}

static bool
read_month(struct oi_slice year, struct oi_slice month, struct oi_span *ret_span)
{
    int64_t year_number, month_number;

    if (year.size != 4 || month.size != 2 || !oi_text_integer(year, &year_number) ||
        !oi_text_integer(month, &month_number) || year_number < 1970 || year_number > 2200 ||
        month_number < 1 || month_number > 12)
        return false;
    ret_span->from = oi_month_start((int) year_number, (int) month_number);
    ret_span->to = oi_month_next(ret_span->from);
    return true;
}

/* "2025-05.parquet" */
static bool
read_file_name(struct oi_slice file, struct oi_span *ret_span)
{
    return file.size == 15 && oi_slice_ends_with(file, ".parquet") && file.data[4] == '-' &&
           read_month((struct oi_slice){ file.data, 4 }, (struct oi_slice){ file.data + 5, 2 },
                      ret_span);
}

static const struct oi_route file_route, raw_file_route;

/* The signature was checked before; what it signed is ours, so what is wrong here is a path that we
 * never gave out. */
static enum oi_status
parse_file(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice file = oi_route_capture(&file_route, call->mount, request->path, "file");

    OI_TRY(read_clock(request, query, problem));
    query->kind = OI_QUERY_BARS;
    if (!read_file_name(file, &query->span))
        return oi_problem_set(problem, OI_PROBLEM_PATH, "file", file, "No such file.");
    return begin_query(oi_route_capture(&file_route, call->mount, request->path, "exchange"),
                       oi_route_capture(&file_route, call->mount, request->path, "interval"),
                       oi_route_capture(&file_route, call->mount, request->path, "symbol"), query,
                       problem);
}

/* A part of a path in Hive's form: "year=2025". */
static struct oi_slice
hive_part(const struct oi_call *call, const struct oi_http_request *request, const char *name)
{
    struct oi_slice part = oi_route_capture(&raw_file_route, call->mount, request->path, name);
    size_t size = strlen(name);

    if (part.size <= size || memcmp(part.data, name, size) != 0 || part.data[size] != '=')
        return (struct oi_slice){};
    return (struct oi_slice){ part.data + size + 1, part.size - size - 1 };
}

static enum oi_status
parse_raw_file(const struct oi_call *call, const struct oi_http_request *request,
               struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice year = hive_part(call, request, "year");

    query->kind = OI_QUERY_ROWS;
    if (!read_month(year, hive_part(call, request, "month"), &query->span))
        return oi_problem_set(problem, OI_PROBLEM_PATH, "file", year, "No such file.");
    return read_market(hive_part(call, request, "exchange"), hive_part(call, request, "symbol"),
                       query, problem);
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

/* "/aperiodic/files/aperiodic/EXCHANGE/INTERVAL/SYMBOL/2025-05.parquet?timestamp=exchange", or for
 * raw readings folders in Hive's form. */
static void
add_path(const struct oi_rendering *rendering, const struct oi_civil *month, struct oi_buffer *path)
{
    const struct oi_query *query = rendering->query;
    bool is_raw = query->number != LINKS_BARS;

    oi_buffer_add_slice(path, rendering->call->mount);
    if (is_raw)
        oi_buffer_add_format(
            path, "/files/aperiodic/raw/open_interest/exchange=%s/symbol=", query->echo_source);
    else
        oi_buffer_add_format(path, "/files/aperiodic/%s/%s/", query->echo_source,
                             query->echo_interval);
    oi_http_encode(oi_slice_of(query->echo), path);
    if (is_raw)
        oi_buffer_add_format(path, "/year=%04d/month=%02d/data.parquet", (int) month->year,
                             (int) month->month);
    else
        oi_buffer_add_format(path, "/%04d-%02d.parquet?timestamp=%s", (int) month->year,
                             (int) month->month, clocks[query->variant].word);
}

static void
add_link(const struct oi_rendering *rendering, const struct oi_civil *month,
         struct oi_json_writer *writer)
{
    struct oi_buffer path = {}, url = {};

    add_path(rendering, month, &path);
    rendering->call->sign(rendering->call, oi_buffer_slice(&path), &url);
    oi_json_add_name(writer, "url");
    oi_json_add_string(writer, oi_buffer_slice(&url));
    oi_buffer_release(&path);
    oi_buffer_release(&url);
}

static void
add_month(const struct oi_rendering *rendering, oi_time start, struct oi_json_writer *writer)
{
    struct oi_civil month = oi_time_to_civil(start);

    oi_json_begin_object(writer);
    if (rendering->query->number == LINKS_BARS) {
        oi_json_add_name(writer, "year");
        oi_json_add_int(writer, month.year);
        oi_json_add_name(writer, "month");
        oi_json_add_int(writer, month.month);
        add_link(rendering, &month, writer);
    } else {
        char period[16];

        (void) snprintf(period, sizeof(period), "%04d-%02d", (int) month.year % 10000,
                        (int) month.month % 100);
        oi_text_json_text(writer, "period", period);
        add_link(rendering, &month, writer);
        /* A file is written when it is asked for: nobody knows its size before. */
        oi_text_json_text(writer, "size", NULL);
    }
    oi_json_end_object(writer);
}

static enum oi_status
render_links(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
             struct oi_error *error)
{
    struct oi_json_writer writer = { .out = out };
    bool is_preview = rendering->query->number == LINKS_RAW_PREVIEW;
    const struct oi_block *block;

    begin_answer(rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "files");
    oi_json_begin_array(&writer);
    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        for (size_t i = is_preview && block->count > 0 ? block->count - 1 : 0; i < block->count;
             i++)
            add_month(rendering, block->months[i], &writer);
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
#define RAW_FILE_ROUTE                                                                             \
    {                                                                                              \
        .path =                                                                                    \
            "/files/aperiodic/raw/open_interest/{exchange}/{symbol}/{year}/{month}/data.parquet",  \
        .methods = OI_METHOD_GET, .is_link = true, .is_file = true, .parse = parse_raw_file,       \
        .render = render_file                                                                      \
    }
static const struct oi_route raw_file_route = RAW_FILE_ROUTE;

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = (render_)          \
    }
static const struct oi_route routes[] = {
    ROUTE("/api/v1/data/open_interest", parse_links, render_links),
    ROUTE("/api/v1/data/preview/open_interest", parse_preview, render_links),
    ROUTE("/api/v1/data/raw/open_interest", parse_raw, render_links),
    ROUTE("/api/v1/data/raw/preview/open_interest", parse_raw_preview, render_links),
    ROUTE("/api/v1/metadata/symbols", parse_symbols, render_symbols),
    ROUTE("/api/v1/metadata/catalog", parse_catalog, render_catalog),
    FILE_ROUTE,
    RAW_FILE_ROUTE,
};

const struct oi_dialect oi_dialect_aperiodic = {
    .name = "aperiodic",
    .full_name = "Aperiodic API v1",
    .mounts = mounts,
    .prefix = "/api/v1/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .streams = &aperiodic_stream,
    .stream_count = 1,
    .key = key,
    .render_problem = render_problem,
};
