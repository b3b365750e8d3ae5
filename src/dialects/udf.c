/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TradingView's UDF, by which its charting library asks a server of one's own for bars: open
 * interest as candles, in coins under /udf and in USD under /udf/usd.
 * https://www.tradingview.com/charting-library-docs/latest/connecting_data/UDF
 */
#include "dialects/dialect.h"

#include "base/compiler.h"
#include "core/symbology.h"
#include "dialects/text.h"

#include <string.h>

/* More bars in one answer are refused; the library asks for some hundreds at a time. */
#define BARS_MAX 20'000
#define SYMBOLS 30
#define SYMBOLS_MAX 1000

static const struct oi_word resolutions[] = {
    { "1", OI_MINUTE },       { "3", 3 * OI_MINUTE },   { "5", 5 * OI_MINUTE },
    { "15", 15 * OI_MINUTE }, { "30", 30 * OI_MINUTE }, { "60", OI_HOUR },
    { "120", 2 * OI_HOUR },   { "240", 4 * OI_HOUR },   { "360", 6 * OI_HOUR },
    { "720", 12 * OI_HOUR },  { "1D", OI_DAY },         { "D", OI_DAY },
    { "1W", OI_WEEK },        { "W", OI_WEEK },
};

/* In the library's words: its filter of types, and the type of a symbol. */
static const struct oi_word types[] = {
    { "perpetual", OI_KIND_PERPETUAL },
    { "future", OI_KIND_FUTURE },
    { "option", OI_KIND_OPTION },
    { "event", OI_KIND_EVENT },
};

static const struct oi_parameter symbol_parameters[] = {
    { "symbol", OI_PARAMETER_REQUIRED },
    { "currencyCode", 0 },
    { "unitId", 0 },
};
static const struct oi_parameter search_parameters[] = {
    { "query", 0 },
    { "type", 0 },
    { "exchange", 0 },
    { "limit", 0 },
};
static const struct oi_parameter history_parameters[] = {
    { "symbol", OI_PARAMETER_REQUIRED },
    { "resolution", OI_PARAMETER_REQUIRED },
    { "from", 0 },
    { "to", OI_PARAMETER_REQUIRED },
    { "countback", 0 },
    { "currencyCode", 0 },
    { "unitId", 0 },
};

static bool
is_usd(const struct oi_call *call)
{
    return oi_slice_ends_with(call->mount, "/usd");
}

static enum oi_status
bad(struct oi_problem *problem, const char *parameter, struct oi_slice value, const char *message)
{
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, value, "%s", message);
}

static void
select_symbol(const struct oi_http_request *request, struct oi_query *query)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);

    selector->market = oi_text_copy(request, "symbol", query);
    selector->must_match = true;
    selector->parameter = "symbol";
    query->echo = selector->market;
}

static enum oi_status
parse_nothing(const struct oi_call *, const struct oi_http_request *request, struct oi_query *,
              struct oi_problem *problem)
{
    return oi_text_parameters(request, NULL, 0, problem);
}

static enum oi_status
parse_symbol(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, symbol_parameters, problem));
    query->kind = OI_QUERY_MARKETS;
    select_symbol(request, query);
    return OI_OK;
}

static enum oi_status
parse_search(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    struct oi_slice wanted = oi_text_value(request, "limit");
    const char *exchange = oi_text_copy(request, "exchange", query);
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);
    int64_t limit = SYMBOLS, kind = OI_KIND_UNKNOWN;

    OI_TRY(OI_TEXT_PARAMETERS(request, search_parameters, problem));
    OI_TRY(OI_TEXT_WORD(request, "type", types, &kind, problem));
    if (wanted.size > 0 && (!oi_text_integer(wanted, &limit) || limit < 1))
        return bad(problem, "limit", wanted, "must be a whole number above 0");
    if (kind != OI_KIND_UNKNOWN)
        oi_vector_push(&selector->kinds, (enum oi_kind) kind);
    if (exchange)
        oi_vector_push(&selector->exchanges, exchange);
    selector->live_only = true;
    query->kind = OI_QUERY_MARKETS;
    query->text_filter = oi_text_copy(request, "query", query);
    query->limit = (size_t) (limit < SYMBOLS_MAX ? limit : SYMBOLS_MAX);
    return OI_OK;
}

/* Whole seconds since 1970. */
static enum oi_status
read_seconds(const struct oi_http_request *request, const char *name, oi_time *ret_time,
             struct oi_problem *problem)
{
    struct oi_slice text = oi_text_value(request, name);
    int64_t seconds;

    if (text.size == 0)
        return OI_OK;
    if (!oi_text_integer(text, &seconds) || seconds < 0 ||
        __builtin_mul_overflow(seconds, OI_SECOND, ret_time))
        return bad(problem, name, text, "must be whole seconds since 1970");
    return OI_OK;
}

/* [from, to), or the last `countback` bars before `to`, which is what counts where both are given.
 */
static enum oi_status
parse_history(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice countback = oi_text_value(request, "countback");
    int64_t count = 0;

    OI_TRY(OI_TEXT_PARAMETERS(request, history_parameters, problem));
    OI_TRY(OI_TEXT_WORD(request, "resolution", resolutions, &query->interval_ns, problem));
    OI_TRY(read_seconds(request, "from", &query->span.from, problem));
    OI_TRY(read_seconds(request, "to", &query->span.to, problem));
    if (countback.size > 0 && (!oi_text_integer(countback, &count) || count < 1))
        return bad(problem, "countback", countback, "must be a whole number above 0");
    if (count == 0 && oi_text_value(request, "from").size == 0)
        return oi_problem_set(problem, OI_PROBLEM_MISSING, "from", (struct oi_slice){},
                              "from or countback is needed");
    if (count > 0)
        query->span.from = OI_TIME_EARLIEST;
    else if (query->span.from > query->span.to)
        return bad(problem, "from", oi_text_value(request, "from"), "is after to");
    if (count > BARS_MAX ||
        (count == 0 && (query->span.to - query->span.from) / query->interval_ns > BARS_MAX))
        return oi_problem_set(problem, OI_PROBLEM_TOO_MANY, "resolution",
                              oi_text_value(request, "resolution"),
                              "more than 20,000 bars: ask for fewer or wider ones");
    query->kind = OI_QUERY_CANDLES;
    query->unit = is_usd(call) ? OI_UNIT_USD : OI_UNIT_COINS;
    query->is_canonical = true;
    query->from_end = count > 0;
    query->limit = (size_t) count;
    select_symbol(request, query);
    return OI_OK;
}

/*
 * Answers
 */

static void
add_resolutions(struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "supported_resolutions");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < OI_COUNT(resolutions); i++)
        if (i == 0 || resolutions[i].value != resolutions[i - 1].value)
            oi_json_add_text(writer, resolutions[i].word);
    oi_json_end_array(writer);
}

static void
add_flag(struct oi_json_writer *writer, const char *name, bool value)
{
    oi_json_add_name(writer, name);
    oi_json_add_bool(writer, value);
}

static enum oi_status
render_config(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
              struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_http_reply_type(rendering->reply, "application/json");
    oi_json_begin_object(&writer);
    add_flag(&writer, "supports_search", true);
    add_flag(&writer, "supports_group_request", false);
    add_flag(&writer, "supports_marks", false);
    add_flag(&writer, "supports_timescale_marks", false);
    add_flag(&writer, "supports_time", true);
    add_resolutions(&writer);
    oi_json_add_name(&writer, "symbols_types");
    oi_json_begin_array(&writer);
    for (size_t i = 0; i < OI_COUNT(types); i++) {
        oi_json_begin_object(&writer);
        oi_text_json_text(&writer, "name", types[i].word);
        oi_text_json_text(&writer, "value", types[i].word);
        oi_json_end_object(&writer);
    }
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
render_time(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
            struct oi_error *)
{
    oi_http_reply_type(rendering->reply, "text/plain; charset=utf-8");
    oi_buffer_add_int(out, rendering->call->now / OI_SECOND);
    *ret_is_last = true;
    return OI_OK;
}

/* "BTC/USDT perpetual, open interest in coins" */
static void
add_description(struct oi_json_writer *writer, const struct oi_instrument *instrument, bool usd)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    const char *type = oi_word_of(types, OI_COUNT(types), instrument->kind);

    oi_buffer_add_format(&text, "%s/%s %s, open interest in %s", instrument->base,
                         instrument->quote, type ? type : "market", usd ? "USD" : "coins");
    oi_json_add_name(writer, "description");
    oi_json_add_string(writer, oi_buffer_slice(&text));
}

static void
add_names(struct oi_json_writer *writer, const struct oi_instrument *instrument, bool usd)
{
    char name[OI_MARKET_NAME_SIZE];

    (void) oi_native_name(instrument, name);
    oi_text_json_text(writer, "ticker", name);
    add_description(writer, instrument, usd);
    oi_text_json_text(writer, "type", oi_word_of(types, OI_COUNT(types), instrument->kind));
    oi_text_json_text(writer, "exchange", instrument->exchange);
}

static enum oi_status
render_symbol(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
              struct oi_error *error)
{
    const bool usd = is_usd(rendering->call);
    struct oi_json_writer writer = { .out = out };
    const struct oi_instrument *instrument;
    const struct oi_block *block;

    OI_TRY(oi_result_next(rendering->result, &block, error));
    if (!block || !block->market->instrument)
        return oi_problem_set(rendering->problem, OI_PROBLEM_MARKET, "symbol",
                              oi_slice_of(rendering->query->echo), "nothing is known of it");
    instrument = block->market->instrument;
    oi_http_reply_type(rendering->reply, "application/json");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "name", instrument->symbol);
    add_names(&writer, instrument, usd);
    oi_text_json_text(&writer, "listed_exchange", instrument->exchange);
    oi_text_json_text(&writer, "session", "24x7");
    oi_text_json_text(&writer, "timezone", "Etc/UTC");
    oi_json_add_name(&writer, "minmov");
    oi_json_add_int(&writer, 1);
    oi_json_add_name(&writer, "pricescale");
    oi_json_add_int(&writer, usd ? 1 : 1000);
    oi_text_json_text(&writer, "format", "volume");
    add_flag(&writer, "has_intraday", true);
    add_flag(&writer, "has_daily", true);
    add_flag(&writer, "has_weekly_and_monthly", false);
    add_resolutions(&writer);
    oi_text_json_text(&writer, "data_status", "streaming");
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
render_search(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
              struct oi_error *error)
{
    struct oi_json_writer writer = { .out = out };
    const struct oi_block *block;

    oi_http_reply_type(rendering->reply, "application/json");
    oi_json_begin_array(&writer);
    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        if (!block->market->instrument)
            continue;
        oi_json_begin_object(&writer);
        oi_text_json_text(&writer, "symbol", block->market->instrument->symbol);
        add_names(&writer, block->market->instrument, is_usd(rendering->call));
        oi_json_end_object(&writer);
    }
    oi_json_end_array(&writer);
    *ret_is_last = true;
    return OI_OK;
}

struct bars {
    OI_VECTOR(struct oi_candle) items;
};

static enum oi_status
gather(struct oi_rendering *rendering, struct bars *bars, struct oi_error *error)
{
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            return OI_OK;
        for (size_t i = 0; i < block->count; i++)
            if (!oi_decimal_is_none(&block->candles[i].open))
                oi_vector_push(&bars->items, block->candles[i]);
    }
}

/* One column of the answer: `"c":[1,2]`. */
static void
add_column(struct oi_buffer *out, const char *name, const struct bars *bars, size_t offset)
{
    oi_buffer_add_format(out, ",\"%s\":[", name);
    for (size_t i = 0; i < bars->items.count; i++) {
        if (i > 0)
            oi_buffer_add_char(out, ',');
        oi_decimal_write(
            (const struct oi_decimal *) ((const char *) &bars->items.items[i] + offset), out);
    }
    oi_buffer_add_char(out, ']');
}

static void
add_bars(struct oi_buffer *out, const struct bars *bars)
{
    if (bars->items.count == 0) {
        OI_ADD(out, "{\"s\":\"no_data\"}");
        return;
    }
    OI_ADD(out, "{\"s\":\"ok\",\"t\":[");
    for (size_t i = 0; i < bars->items.count; i++) {
        if (i > 0)
            oi_buffer_add_char(out, ',');
        oi_buffer_add_int(out, bars->items.items[i].start / OI_SECOND);
    }
    oi_buffer_add_char(out, ']');
    add_column(out, "o", bars, offsetof(struct oi_candle, open));
    add_column(out, "h", bars, offsetof(struct oi_candle, high));
    add_column(out, "l", bars, offsetof(struct oi_candle, low));
    add_column(out, "c", bars, offsetof(struct oi_candle, close));
    oi_buffer_add_char(out, '}');
}

static enum oi_status
render_history(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
               struct oi_error *error)
{
    struct bars bars = {};
    enum oi_status status = gather(rendering, &bars, error);

    if (status == OI_OK) {
        oi_http_reply_type(rendering->reply, "application/json");
        add_bars(out, &bars);
        *ret_is_last = true;
    }
    oi_vector_release(&bars.items);
    return status;
}

/*
 * Access and problems
 */

static const struct outcome {
    int status;
    const char *message; /* NULL: the problem's own */
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "internal error" },
    [OI_PROBLEM_PARAMETER] = { 400, NULL },
    [OI_PROBLEM_MISSING] = { 400, NULL },
    [OI_PROBLEM_UNKNOWN] = { 400, NULL },
    [OI_PROBLEM_REPEATED] = { 400, NULL },
    [OI_PROBLEM_MARKET] = { 404, "unknown_symbol" }, /* the library's own word */
    [OI_PROBLEM_RANGE] = { 400, NULL },
    [OI_PROBLEM_TOO_MANY] = { 400, NULL },
    [OI_PROBLEM_PATH] = { 404, "no such endpoint" },
    [OI_PROBLEM_METHOD] = { 405, "method not allowed" },
    [OI_PROBLEM_KEY_MISSING] = { 401, "a key is needed: Authorization: Bearer KEY" },
    [OI_PROBLEM_KEY_WRONG] = { 401, "this key is not known" },
    [OI_PROBLEM_FORBIDDEN] = { 403, "the plan of this key does not cover this" },
    [OI_PROBLEM_CREDITS] = { 429, "the quota of this key is used up" },
    [OI_PROBLEM_RATE] = { 429, "too many requests" },
    [OI_PROBLEM_SYNTAX] = { 400, "malformed request" },
    [OI_PROBLEM_INTERNAL] = { 500, "internal error" },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "temporarily unavailable" },
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
        oi_buffer_add_format(&message, "%s: %s", problem->parameter, problem->message);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "s", "error");
    oi_json_add_name(&writer, "errmsg");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    oi_json_end_object(&writer);
}

static const char *const mounts[] = { "/udf", "/udf/usd", NULL };

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = (render_)          \
    }
static const struct oi_route routes[] = {
    ROUTE("/config", parse_nothing, render_config),   ROUTE("/time", parse_nothing, render_time),
    ROUTE("/symbols", parse_symbol, render_symbol),   ROUTE("/search", parse_search, render_search),
    ROUTE("/history", parse_history, render_history),
};

const struct oi_dialect oi_dialect_udf = {
    .name = "udf",
    .full_name = "TradingView UDF",
    .mounts = mounts,
    .prefix = "/udf/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .key = oi_text_key,
    .render_problem = render_problem,
};
