/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oanor's Crypto Open Interest API, which shows Bybit's USDT perpetuals: the newest value with its
 * change, history, symbols, and what it is. https://www.oanor.com/api/openinterest-api
 *
 * The envelope carries everything, errors too, so every answer is written whole. Where the vendor
 * is silent, docs/dialects/oanor.md says what is done.
 */
#include "dialects/dialect.h"

#include "dialects/oanor_internal.h"
#include "dialects/text.h"

#include <string.h>

enum variant {
    VARIANT_OI = 0,
    VARIANT_HISTORY,
    VARIANT_SYMBOLS,
    VARIANT_META,
};

static const struct oi_word periods[] = {
    { "5m", 5 * OI_MINUTE }, { "15m", 15 * OI_MINUTE }, { "30m", 30 * OI_MINUTE },
    { "1h", OI_HOUR },       { "4h", 4 * OI_HOUR },     { "1d", OI_DAY },
};

static const struct oi_parameter oi_parameters[] = {
    { "symbol", 0 },
    { "base", 0 },
    { "period", 0 },
    { "lookback", 0 },
};
static const struct oi_parameter history_parameters[] = {
    { "symbol", 0 },
    { "base", 0 },
    { "period", 0 },
    { "limit", 0 },
};
static const struct oi_parameter symbol_parameters[] = {
    { "q", 0 },
    { "limit", 0 },
};

/* A number out of range is clamped; what is no number is a mistake. */
static enum oi_status
read_clamped(const struct oi_http_request *request, const char *name, int64_t low, int64_t high,
             int64_t *value, struct oi_problem *problem)
{
    struct oi_slice text = oi_text_value(request, name);
    struct oi_slice digits = text;

    if (text.size == 0)
        return OI_OK;
    if (digits.data[0] == '-') {
        digits.data++;
        digits.size--;
    }
    for (size_t i = 0; i < digits.size || digits.size == 0; i++) {
        if (digits.size == 0 || digits.data[i] < '0' || digits.data[i] > '9')
            return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, text,
                                  "must be a whole number");
    }
    if (!oi_text_integer(text, value)) /* whole, but beyond 64 bits */
        *value = text.data[0] == '-' ? low : high;
    if (*value < low)
        *value = low;
    if (*value > high)
        *value = high;
    return OI_OK;
}

/* All of Bybit's linear USDT perpetuals, or one of them. */
static void
add_selector(struct oi_query *query, const char *symbol)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);

    oi_vector_push(&selector->exchanges, "bybit");
    oi_vector_push(&selector->kinds, OI_KIND_PERPETUAL);
    selector->product = "linear";
    selector->quote = "USDT";
    selector->parameter = "symbol";
    if (symbol) {
        selector->market = oi_arena_format(&query->arena, "bybit:linear:%s", symbol);
        selector->must_match = true;
    } else {
        selector->live_only = true;
    }
}

/* The symbol wins over the base. */
static enum oi_status
read_symbol(const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    struct oi_slice symbol = oi_text_value(request, "symbol");
    struct oi_slice base = oi_text_value(request, "base");

    if (symbol.size == 0 && base.size == 0)
        return oi_problem_set(problem, OI_PROBLEM_MISSING, "symbol", symbol,
                              "symbol or base is required");
    if (symbol.size > 0) {
        query->echo = oi_text_upper(&query->arena, symbol);
    } else {
        const char *upper = oi_text_upper(&query->arena, base);

        query->echo = oi_arena_format(&query->arena, "%sUSDT", upper);
    }
    add_selector(query, query->echo);
    return OI_OK;
}

static enum oi_status
read_snapshots(const struct oi_http_request *request, struct oi_query *query,
               struct oi_problem *problem)
{
    query->kind = OI_QUERY_SNAPSHOTS;
    /* A contract is what Bybit counts: 1000 coins of 1000PEPEUSDT. */
    query->unit = OI_UNIT_CONTRACTS;
    query->from_end = true;
    query->interval_ns = OI_HOUR;
    OI_TRY(read_symbol(request, query, problem));
    OI_TRY(OI_TEXT_WORD(request, "period", periods, &query->interval_ns, problem));
    query->echo_interval = oi_word_of(periods, OI_COUNT(periods), query->interval_ns);
    return OI_OK;
}

static enum oi_status
parse_oi(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
         struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, oi_parameters, problem));
    query->variant = VARIANT_OI;
    query->number = 24;
    OI_TRY(read_clamped(request, "lookback", 2, 200, &query->number, problem));
    OI_TRY(read_snapshots(request, query, problem));
    query->wants_latest = true;
    /* Of the newest lookback + 1 buckets the first is at or before the one to compare with, however
     * many are missing between. */
    query->limit = (size_t) query->number + 1;
    return OI_OK;
}

static enum oi_status
parse_history(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
              struct oi_problem *problem)
{
    int64_t limit = 50;

    OI_TRY(OI_TEXT_PARAMETERS(request, history_parameters, problem));
    query->variant = VARIANT_HISTORY;
    OI_TRY(read_clamped(request, "limit", 1, 200, &limit, problem));
    OI_TRY(read_snapshots(request, query, problem));
    query->limit = (size_t) limit;
    return OI_OK;
}

static enum oi_status
parse_symbols(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
              struct oi_problem *problem)
{
    int64_t limit = 100;

    OI_TRY(OI_TEXT_PARAMETERS(request, symbol_parameters, problem));
    OI_TRY(read_clamped(request, "limit", 1, 2000, &limit, problem));
    query->kind = OI_QUERY_MARKETS;
    query->variant = VARIANT_SYMBOLS;
    query->text_filter = oi_text_copy(request, "q", query);
    query->limit = (size_t) limit;
    add_selector(query, NULL);
    return OI_OK;
}

static enum oi_status
parse_meta(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
           struct oi_problem *problem)
{
    OI_TRY(oi_text_parameters(request, NULL, 0, problem));
    query->kind = OI_QUERY_MARKETS;
    query->variant = VARIANT_META;
    add_selector(query, NULL);
    return OI_OK;
}

static enum oi_status
parse_openapi(const struct oi_call *, const struct oi_http_request *request, struct oi_query *,
              struct oi_problem *problem)
{
    return oi_text_parameters(request, NULL, 0, problem);
}

/*
 * Answers.
 */

static void
add_headers(const struct oi_call *call, struct oi_http_reply *reply)
{
    const struct oi_allowance *allowance = &call->allowance;

    if (call->request_id)
        oi_http_reply_header_text(reply, "x-request-id", call->request_id);
    if (allowance->credits_limit > 0) {
        oi_http_reply_header_int(reply, "x-quota-limit", (int64_t) allowance->credits_limit);
        oi_http_reply_header_int(reply, "x-quota-remaining", (int64_t) allowance->credits_left);
    }
    if (allowance->rate_limit > 0) {
        oi_http_reply_header_int(reply, "x-ratelimit-limit", allowance->rate_limit);
        oi_http_reply_header_int(reply, "x-ratelimit-remaining", allowance->rate_left);
    }
}

/* Everything of the envelope behind `data`. */
static void
end_envelope(const struct oi_call *call, const char *message, struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "meta");
    oi_json_begin_object(writer);
    oi_text_json_time(writer, "timestamp", call->now, 3);
    oi_text_json_text(writer, "request_id", call->request_id ? call->request_id : "");
    oi_json_end_object(writer);
    oi_text_json_text(writer, "status", "ok");
    oi_text_json_text(writer, "message", message);
    oi_json_add_name(writer, "success");
    oi_json_add_bool(writer, true);
    oi_json_end_object(writer);
}

static enum oi_status
no_bucket(const struct oi_rendering *rendering)
{
    return oi_problem_set(rendering->problem, OI_PROBLEM_MARKET, "symbol",
                          oi_slice_of(rendering->query->echo), "no open interest is recorded");
}

/* What the newest value and its change are made of. */
struct change {
    struct oi_snapshot newest, ago; /* ago.amount is none where there is nothing to compare with */
    struct oi_latest latest;
    bool has_newest, has_latest;
    oi_time from;
};

/* Keep the ascending snapshots, then find the nearest at or before the one to compare with. */
static enum oi_status
read_change(struct oi_rendering *rendering, struct change *change, struct oi_error *error)
{
    const struct oi_query *query = rendering->query;
    OI_VECTOR(struct oi_snapshot) snapshots = {};
    const struct oi_block *block;
    enum oi_status status;

    for (;;) {
        status = oi_result_next(rendering->result, &block, error);
        if (status != OI_OK || !block)
            break;
        if (block->latest) {
            change->latest = *block->latest;
            change->has_latest = true;
        }
        for (size_t i = 0; i < block->count; i++)
            oi_vector_push(&snapshots, block->snapshots[i]);
    }
    if (status == OI_OK && snapshots.count > 0) {
        change->newest = snapshots.items[snapshots.count - 1];
        change->has_newest = true;
        change->from = change->newest.start - query->number * query->interval_ns;
        for (size_t i = 0; i < snapshots.count && snapshots.items[i].start <= change->from; i++)
            change->ago = snapshots.items[i];
    }
    oi_vector_release(&snapshots);
    return status;
}

/* (newest - ago) / ago x 100, to two places; none where ago is none or zero. */
static enum oi_status
change_percent(const struct change *change, struct oi_decimal *ret_percent, struct oi_error *error)
{
    const struct oi_decimal hundred = oi_decimal_from(100, 0);
    struct oi_decimal difference, ratio;

    OI_TRY(oi_decimal_subtract(&change->newest.amount, &change->ago.amount, &difference, error));
    OI_TRY(oi_decimal_multiply(&difference, &hundred, &difference, error));
    OI_TRY(oi_decimal_divide_half_even(&difference, &change->ago.amount, 18, &ratio, error));
    return oi_decimal_round_half_up(&ratio, 2, ret_percent, error);
}

/* `band`, or none: so much either way is no trend. */
static const char *
trend_of(const struct oi_decimal *percent, const struct oi_decimal *band)
{
    const struct oi_decimal zero = oi_decimal_from(0, 0);
    struct oi_decimal size = *percent;
    bool is_falling;

    if (oi_decimal_is_none(percent))
        return NULL;
    is_falling = oi_decimal_sign(percent) < 0;
    if (is_falling && oi_decimal_subtract(&zero, percent, &size, NULL) != OI_OK)
        return "falling";
    if (oi_decimal_is_none(band))
        band = &zero;
    if (oi_decimal_compare(&size, band) <= 0)
        return "flat";
    return is_falling ? "falling" : "rising";
}

static void
add_decimal(struct oi_json_writer *writer, const char *name, const struct oi_decimal *value)
{
    oi_json_add_name(writer, name);
    oi_text_json_decimal(writer, value);
}

static enum oi_status
render_oi(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
          struct oi_error *error)
{
    const struct oi_query *query = rendering->query;
    struct oi_json_writer writer = { .out = out };
    struct oi_decimal percent = {};
    struct change change = {};
    const struct oi_observation *reading = &change.latest.reading;

    OI_TRY(read_change(rendering, &change, error));
    if (!change.has_newest)
        return no_bucket(rendering);
    OI_TRY(change_percent(&change, &percent, error));
    oi_http_reply_type(rendering->reply, "application/json");
    add_headers(rendering->call, rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "data");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "symbol", query->echo);
    oi_text_json_text(&writer, "period", query->echo_interval);
    add_decimal(&writer, "open_interest", &change.newest.amount);
    add_decimal(&writer, "open_interest_value_usd",
                change.has_latest ? &change.latest.usd : &change.newest.usd);
    add_decimal(&writer, "open_interest_ago", &change.ago.amount);
    add_decimal(&writer, "change_pct", &percent);
    oi_text_json_text(&writer, "trend", trend_of(&percent, &rendering->call->manners.trend_band));
    oi_json_add_name(&writer, "lookback_buckets");
    oi_json_add_int(&writer, query->number);
    oi_text_json_time(&writer, "from", change.from, 3);
    oi_text_json_time(&writer, "as_of", change.newest.start, 3);
    add_decimal(&writer, "last_price",
                oi_decimal_is_none(&reading->last_price) ? &reading->mark_price
                                                         : &reading->last_price);
    oi_json_end_object(&writer);
    end_envelope(rendering->call, "Open interest retrieved successfully", &writer);
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
add_history(struct oi_rendering *rendering, struct oi_json_writer *writer, struct oi_error *error)
{
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            return OI_OK;
        for (size_t i = 0; i < block->count; i++) {
            oi_json_begin_object(writer);
            oi_text_json_time(writer, "timestamp", block->snapshots[i].start, 3);
            add_decimal(writer, "open_interest", &block->snapshots[i].amount);
            oi_json_end_object(writer);
            rendering->row_count++;
        }
    }
}

static enum oi_status
render_history(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
               struct oi_error *error)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "data");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "symbol", rendering->query->echo);
    oi_text_json_text(&writer, "period", rendering->query->echo_interval);
    oi_json_add_name(&writer, "history");
    oi_json_begin_array(&writer);
    OI_TRY(add_history(rendering, &writer, error));
    oi_json_end_array(&writer);
    oi_json_add_name(&writer, "count");
    oi_json_add_int(&writer, (int64_t) rendering->row_count);
    oi_json_end_object(&writer);
    if (rendering->row_count == 0)
        return no_bucket(rendering);
    oi_http_reply_type(rendering->reply, "application/json");
    add_headers(rendering->call, rendering->reply);
    end_envelope(rendering->call, "Open interest history retrieved successfully", &writer);
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
render_symbols(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
               struct oi_error *error)
{
    struct oi_json_writer writer = { .out = out };
    const struct oi_block *block;
    int64_t count = 0;

    oi_http_reply_type(rendering->reply, "application/json");
    add_headers(rendering->call, rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "data");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "symbols");
    oi_json_begin_array(&writer);
    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        if (!block->market->instrument)
            continue;
        oi_json_add_text(&writer, block->market->instrument->symbol);
        count++;
    }
    oi_json_end_array(&writer);
    oi_json_add_name(&writer, "count");
    oi_json_add_int(&writer, count);
    oi_json_add_name(&writer, "total");
    oi_json_add_int(&writer, (int64_t) rendering->result->market_count);
    oi_json_end_object(&writer);
    end_envelope(rendering->call, "Symbols retrieved successfully", &writer);
    *ret_is_last = true;
    return OI_OK;
}

/* The four endpoints in our own words. */
static void
add_endpoints(struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "endpoints");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "GET /v1/oi",
                      "Newest open interest with its change and trend (symbol or base, period, "
                      "lookback 2 to 200).");
    oi_text_json_text(writer, "GET /v1/history",
                      "Open interest over time (symbol or base, period, limit up to 200).");
    oi_text_json_text(writer, "GET /v1/symbols", "Symbols of the perpetuals (q filters, limit).");
    oi_text_json_text(writer, "GET /v1/meta", "This document.");
    oi_json_end_object(writer);
}

static enum oi_status
render_meta(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
            struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_http_reply_type(rendering->reply, "application/json");
    add_headers(rendering->call, rendering->reply);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "data");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "service", "openinterest-api");
    oi_text_json_text(
        &writer, "description",
        "Open interest of Bybit's USDT perpetuals: the newest value in coins and USD, "
        "its change over a window, its trend, and its history.");
    oi_text_json_text(&writer, "source", "Readings of Bybit v5 kept by this server");
    oi_json_add_name(&writer, "periods");
    oi_json_begin_array(&writer);
    for (size_t i = 0; i < OI_COUNT(periods); i++)
        oi_json_add_text(&writer, periods[i].word);
    oi_json_end_array(&writer);
    add_endpoints(&writer);
    oi_json_add_name(&writer, "symbols_live");
    oi_json_add_int(&writer, (int64_t) rendering->result->market_count);
    oi_json_end_object(&writer);
    end_envelope(rendering->call, "Meta", &writer);
    *ret_is_last = true;
    return OI_OK;
}

static struct oi_slice
key(const struct oi_http_request *request)
{
    return oi_text_header(request, "x-oanor-key");
}

/*
 * Problems.
 */

static const struct outcome {
    int status;
    const char *code, *message; /* message NULL: the problem's own */
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "internal_error", "Internal error" },
    [OI_PROBLEM_PARAMETER] = { 400, "invalid_parameter", NULL },
    [OI_PROBLEM_MISSING] = { 400, "missing_parameter", NULL },
    [OI_PROBLEM_UNKNOWN] = { 400, "unknown_parameter", NULL },
    [OI_PROBLEM_REPEATED] = { 400, "repeated_parameter", NULL },
    [OI_PROBLEM_MARKET] = { 404, "unknown_symbol", NULL },
    [OI_PROBLEM_RANGE] = { 400, "invalid_parameter", NULL },
    [OI_PROBLEM_TOO_MANY] = { 400, "invalid_parameter", NULL },
    [OI_PROBLEM_PATH] = { 404, "not_found", "No such endpoint" },
    [OI_PROBLEM_METHOD] = { 405, "method_not_allowed", "Method not allowed" },
    [OI_PROBLEM_KEY_MISSING] = { 401, "missing_key", "Missing API key" },
    [OI_PROBLEM_KEY_WRONG] = { 401, "invalid_key", "Invalid API key" },
    [OI_PROBLEM_FORBIDDEN] = { 402, "not_subscribed", "This key is not subscribed to this API" },
    [OI_PROBLEM_CREDITS] = { 429, "quota_exceeded", "The quota of this key is used up" },
    [OI_PROBLEM_RATE] = { 429, "rate_limited", "Too many requests" },
    [OI_PROBLEM_SYNTAX] = { 400, "bad_request", "Malformed request" },
    [OI_PROBLEM_INTERNAL] = { 500, "internal_error", "Internal error" },
    [OI_PROBLEM_UNAVAILABLE] = { 502, "upstream", "Temporarily unavailable" },
};

/* The symbol alone of a market of ours ("bybit:linear:BTCUSDT"), which is how we asked for it. */
static const char *
symbol_of(const char *market)
{
    const char *colon = strrchr(market, ':');

    return colon ? colon + 1 : market;
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
    writer = oi_text_begin_json(reply, outcome.status, "application/json");
    add_headers(call, reply);
    if (outcome.status == 429)
        oi_http_reply_header_int(reply, "Retry-After", problem->retry_after_s);
    if (outcome.message)
        oi_buffer_add_text(&message, outcome.message);
    else if (problem->kind == OI_PROBLEM_MARKET)
        oi_buffer_add_format(&message, "Unknown symbol '%s'", symbol_of(problem->value));
    else
        oi_buffer_add_format(&message, "%s: %s", problem->parameter, problem->message);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "data");
    oi_json_add_null(&writer);
    oi_json_add_name(&writer, "meta");
    oi_json_begin_object(&writer);
    oi_text_json_time(&writer, "timestamp", call->now, 3);
    oi_text_json_text(&writer, "request_id", call->request_id ? call->request_id : "");
    oi_json_end_object(&writer);
    oi_text_json_text(&writer, "status", "error");
    oi_json_add_name(&writer, "message");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    oi_json_add_name(&writer, "success");
    oi_json_add_bool(&writer, false);
    oi_json_add_name(&writer, "error");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "code", problem->code ? problem->code : outcome.code);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
    oi_buffer_release(&message);
}

/* The last is where the vendor's site keeps the description. */
static const char *const mounts[] = { "/openinterest-api", "/oanor/openinterest-api",
                                      "/api/openinterest-api", NULL };

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = (render_)          \
    }
static const struct oi_route routes[] = {
    ROUTE("/v1/oi", parse_oi, render_oi),
    ROUTE("/v1/history", parse_history, render_history),
    ROUTE("/v1/symbols", parse_symbols, render_symbols),
    ROUTE("/v1/meta", parse_meta, render_meta),
    { .path = "/openapi.json",
      .methods = OI_METHOD_GET,
      .is_public = true,
      .parse = parse_openapi,
      .render = oanor_render_openapi },
};

const struct oi_dialect oi_dialect_oanor = {
    .name = "oanor",
    .full_name = "oanor Crypto Open Interest API",
    .mounts = mounts,
    .prefix = "/v1/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .key = key,
    .render_problem = render_problem,
};
