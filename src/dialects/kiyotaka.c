/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kiyotaka: /v1/points for OPEN_INTEREST_AGG, candles of one market, of several, or of their sum,
 * and the lists that describe them. https://docs.kiyotaka.ai/for-developers/api
 *
 * A value that is not known is a key that is not there, never null. Where the vendor is silent,
 * docs/dialects/kiyotaka.md says what is done.
 */
#include "dialects/dialect.h"

#include "dialects/kiyotaka_internal.h"
#include "dialects/text.h"

#include <stdlib.h>
#include <string.h>

#define POINTS_MAX 100'000
#define PAGE_SIZE 1000

static const struct oi_parameter point_parameters[] = {
    { "type", OI_PARAMETER_REQUIRED | OI_PARAMETER_REPEATABLE },
    { "exchange", OI_PARAMETER_REPEATABLE },
    { "rawSymbol", OI_PARAMETER_REPEATABLE },
    { "coin", OI_PARAMETER_REPEATABLE },
    { "normalizedSymbol", OI_PARAMETER_REPEATABLE },
    { "category", OI_PARAMETER_REPEATABLE },
    { "interval", OI_PARAMETER_REQUIRED },
    { "from", 0 },
    { "period", 0 },
    { "sortDirection", 0 },
    { "transform.groupBy.type", 0 },
    { "transform.normalize.quote", 0 },
    { "gapfill", 0 },
    { "side", OI_PARAMETER_REPEATABLE },
};

/* The vendor writes the repeated ones with brackets in one place and without in others. */
static const struct oi_parameter list_parameters[] = {
    { "type", OI_PARAMETER_REPEATABLE },
    { "type[]", OI_PARAMETER_REPEATABLE },
    { "exchange", OI_PARAMETER_REPEATABLE },
    { "exchange[]", OI_PARAMETER_REPEATABLE },
    { "category", OI_PARAMETER_REPEATABLE },
    { "category[]", OI_PARAMETER_REPEATABLE },
    { "coin", OI_PARAMETER_REPEATABLE },
    { "coin[]", OI_PARAMETER_REPEATABLE },
    { "rawSymbol", OI_PARAMETER_REPEATABLE },
    { "rawSymbol[]", OI_PARAMETER_REPEATABLE },
    { "normalizedSymbol", OI_PARAMETER_REPEATABLE },
    { "normalizedSymbol[]", OI_PARAMETER_REPEATABLE },
    { "from", 0 },
    { "to", 0 },
    { "pageSize", 0 },
    { "pageToken", 0 },
};

static enum oi_status
bad(struct oi_problem *problem, const char *code, const char *parameter, struct oi_slice value,
    const char *message)
{
    (void) oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, value, "%s", message);
    problem->code = code;
    return OI_E_INVALID;
}

/* The distinct values of a repeated parameter, in order, `name` and `name[]` alike. */
struct values {
    OI_VECTOR(const char *) texts;
};

static void
read_values(const struct oi_http_request *request, const char *name, struct oi_query *query,
            struct values *values)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];
        bool is_ours =
            field->name.size >= size && memcmp(field->name.data, name, size) == 0 &&
            (field->name.size == size ||
             oi_slice_is((struct oi_slice){ field->name.data + size, field->name.size - size },
                         "[]"));
        bool is_new = field->value.size > 0;

        for (size_t k = 0; is_ours && is_new && k < values->texts.count; k++)
            is_new = !oi_slice_is(field->value, values->texts.items[k]);
        if (is_ours && is_new)
            oi_vector_push(&values->texts, oi_arena_copy(&query->arena, field->value));
    }
}

/* Everything that chooses markets. */
struct choice {
    struct values exchanges, symbols, coins, normalized, categories;
};

static void
release_choice(struct choice *choice)
{
    oi_vector_release(&choice->exchanges.texts);
    oi_vector_release(&choice->symbols.texts);
    oi_vector_release(&choice->coins.texts);
    oi_vector_release(&choice->normalized.texts);
    oi_vector_release(&choice->categories.texts);
}

static void
read_choice(const struct oi_http_request *request, struct oi_query *query, struct choice *choice)
{
    read_values(request, "exchange", query, &choice->exchanges);
    read_values(request, "rawSymbol", query, &choice->symbols);
    read_values(request, "coin", query, &choice->coins);
    read_values(request, "normalizedSymbol", query, &choice->normalized);
    read_values(request, "category", query, &choice->categories);
}

static enum oi_status
check_types(const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    struct values types = {};
    enum oi_status status = OI_OK;

    read_values(request, "type", query, &types);
    for (size_t i = 0; i < types.texts.count && status == OI_OK; i++) {
        if (strcmp(types.texts.items[i], "OPEN_INTEREST_AGG") != 0)
            status = bad(problem, "INVALID_PARAMS", "type", oi_slice_of(types.texts.items[i]),
                         "This server has the type OPEN_INTEREST_AGG.");
    }
    oi_vector_release(&types.texts);
    return status;
}

/* The vendor's documented ids; which of them we carry is the catalogue's to say. */
static const char *const exchange_ids[] = {
    "BINANCE",
    "BINANCE_DELIVERY",
    "BINANCE_FUTURES",
    "BITFINEX",
    "BITFINEX_DERIVATIVES",
    "BITGET",
    "BITMEX",
    "BITSTAMP",
    "BYBIT",
    "BYBIT_SPOT",
    "CME",
    "COINBASE",
    "DERIBIT",
    "GATE_IO",
    "GATE_IO_FUTURES",
    "HUOBI",
    "HUOBI_DM",
    "HUOBI_DM_LINEAR_SWAP",
    "HUOBI_DM_SWAP",
    "HYPERLIQUID",
    "HYPERLIQUID_FUTURES",
    "HYPERLIQUID_HIP3",
    "OKEX",
    "OKEX_FUTURES",
    "OKEX_SWAP",
    "POLYMARKET",
    "UPBIT",
};

bool
kiyotaka_exchange_is_known(const char *text)
{
    for (size_t i = 0; i < OI_COUNT(exchange_ids); i++) {
        if (strcmp(text, exchange_ids[i]) == 0)
            return true;
    }
    return false;
}

static enum oi_status
check_exchanges(const struct values *exchanges, struct oi_problem *problem)
{
    for (size_t i = 0; i < exchanges->texts.count; i++) {
        const char *text = exchanges->texts.items[i];

        if (!kiyotaka_exchange_is_known(text))
            return bad(problem, "INVALID_EXCHANGE", "exchange", oi_slice_of(text),
                       "Unknown exchange.");
    }
    return OI_OK;
}

static enum oi_status
add_kinds(const struct choice *choice, struct oi_selector *selector, struct oi_problem *problem)
{
    for (size_t i = 0; i < choice->categories.texts.count; i++) {
        const char *text = choice->categories.texts.items[i];
        bool is_known = false;

        for (size_t k = 0; k < KIYOTAKA_CATEGORY_COUNT; k++) {
            if (strcmp(kiyotaka_categories[k].word, text) == 0) {
                is_known = true;
                oi_vector_push(&selector->kinds, (enum oi_kind) kiyotaka_categories[k].value);
            }
        }
        if (!is_known)
            return bad(problem, "INVALID_PARAMS", "category", oi_slice_of(text),
                       "Unknown category.");
    }
    return OI_OK;
}

/* One selector: a symbol, coin or normalized name (or none) on one exchange or on all asked for. */
static enum oi_status
add_selector(struct oi_query *query, const struct choice *choice, const char *exchange,
             const char *symbol, struct oi_problem *problem)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_KIYOTAKA);

    if (exchange)
        oi_vector_push(&selector->exchanges, exchange);
    for (size_t i = 0; !exchange && i < choice->exchanges.texts.count; i++)
        oi_vector_push(&selector->exchanges, choice->exchanges.texts.items[i]);
    if (choice->symbols.texts.count > 0) {
        selector->market = symbol;
        selector->parameter = "rawSymbol";
    } else if (choice->normalized.texts.count > 0) {
        selector->normalized = symbol;
        selector->parameter = "normalizedSymbol";
    } else {
        selector->coin = symbol;
        selector->parameter = "coin";
    }
    return add_kinds(choice, selector, problem);
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Series stand as the exchanges were asked for, then by symbol: with one symbol a selector over all
 * exchanges does that, with several there is one for each pair. A sum has one selector a coin. */
static enum oi_status
add_selectors(struct oi_query *query, struct choice *choice, struct oi_problem *problem)
{
    struct values *symbols = choice->symbols.texts.count > 0      ? &choice->symbols
                             : choice->normalized.texts.count > 0 ? &choice->normalized
                                                                  : &choice->coins;
    size_t exchange_count = choice->exchanges.texts.count;

    if (symbols->texts.count * (exchange_count + 1) > OI_PARAMETER_VALUES_MAX)
        return bad(problem, "INVALID_PARAMS", "exchange", (struct oi_slice){},
                   "Too many exchanges and symbols in one request.");
    if (symbols->texts.count == 0)
        return add_selector(query, choice, NULL, NULL, problem);
    qsort(symbols->texts.items, symbols->texts.count, sizeof(symbols->texts.items[0]),
          compare_texts);
    if (symbols->texts.count == 1 || exchange_count == 0 || query->variant == KIYOTAKA_SUM) {
        for (size_t i = 0; i < symbols->texts.count; i++)
            OI_TRY(add_selector(query, choice, NULL, symbols->texts.items[i], problem));
        return OI_OK;
    }
    for (size_t k = 0; k < exchange_count; k++) {
        for (size_t i = 0; i < symbols->texts.count; i++)
            OI_TRY(add_selector(query, choice, choice->exchanges.texts.items[k],
                                symbols->texts.items[i], problem));
    }
    return OI_OK;
}

static enum oi_status
read_number(const struct oi_http_request *request, const char *name, int64_t max,
            int64_t *ret_value, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);
    int64_t number;

    if (value.size == 0)
        return OI_OK;
    if (!oi_text_integer(value, &number) || number < 0 || number > max)
        return bad(problem, "INVALID_PARAMS", name, value, "Must be a whole number of seconds.");
    *ret_value = number;
    return OI_OK;
}

/* The range, cut to the grid of the interval, and its weight. */
static enum oi_status
read_range(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    int64_t from_s = -1, period_s = 0, points;
    const int64_t seconds_max = OI_TIME_LATEST / OI_SECOND / 4;
    int64_t interval_s = query->interval_ns / OI_SECOND;

    OI_TRY(read_number(request, "from", seconds_max, &from_s, problem));
    OI_TRY(read_number(request, "period", seconds_max, &period_s, problem));
    if (from_s < 0 && period_s == 0)
        return bad(problem, "INVALID_PARAMS", "from", (struct oi_slice){},
                   "Missing required parameter.");
    if (from_s < 0)
        from_s = oi_time_to_s(call->now) - period_s;
    points = (period_s + interval_s - 1) / interval_s;
    if (points > POINTS_MAX) {
        (void) oi_problem_set(problem, OI_PROBLEM_TOO_MANY, "period",
                              oi_text_value(request, "period"), "At most %d points per request.",
                              POINTS_MAX);
        return OI_E_INVALID;
    }
    query->span.from = oi_interval_floor(query->interval_ns, from_s * OI_SECOND);
    query->span.to = query->span.from + points * query->interval_ns;
    if (call->allowance.history_ns > 0 &&
        query->span.from < call->now - call->allowance.history_ns) {
        (void) oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "from", oi_text_value(request, "from"),
                              "Time range exceeds the history of your plan.");
        problem->code = "TIME_RANGE_EXCEEDED";
        return OI_E_INVALID;
    }
    query->number = points;
    return OI_OK;
}

static enum oi_status
read_transform(const struct oi_call *call, const struct oi_http_request *request,
               const struct choice *choice, struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice group = oi_text_value(request, "transform.groupBy.type");
    struct oi_slice quote = oi_text_value(request, "transform.normalize.quote");
    struct oi_slice fill = oi_text_value(request, "gapfill");

    query->unit = OI_UNIT_COINS;
    if (quote.size > 0) {
        if (!oi_slice_is(quote, "USD"))
            return bad(problem, "INVALID_PARAMS", "transform.normalize.quote", quote,
                       "Must be USD.");
        query->unit = OI_UNIT_USD;
    }
    if (fill.size > 0 && !oi_slice_is(fill, "false"))
        return bad(problem, "INVALID_PARAMS", "gapfill", fill,
                   "Not available for OPEN_INTEREST_AGG.");
    if (group.size == 0)
        return OI_OK;
    if (!oi_slice_is(group, "GROUP_BY_TYPE_SUM"))
        return bad(problem, "INVALID_PARAMS", "transform.groupBy.type", group,
                   "Must be GROUP_BY_TYPE_SUM.");
    if (choice->coins.texts.count == 0)
        return bad(problem, "INVALID_PARAMS", "coin", (struct oi_slice){},
                   "GROUP_BY_TYPE_SUM needs a coin.");
    if (call->allowance.denies_totals) {
        (void) oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "transform.groupBy.type", group,
                              "Your plan has no aggregation over exchanges.");
        problem->code = "AGGREGATION_NOT_PERMITTED";
        return OI_E_INVALID;
    }
    query->variant = KIYOTAKA_SUM;
    return OI_OK;
}

/* At most one way to name what is wanted, and at least something. */
static enum oi_status
check_choice(const struct choice *choice, struct oi_problem *problem)
{
    int ways = (choice->symbols.texts.count > 0) + (choice->coins.texts.count > 0) +
               (choice->normalized.texts.count > 0);

    OI_TRY(check_exchanges(&choice->exchanges, problem));
    if (ways > 1)
        return bad(problem, "INVALID_PARAMS", "rawSymbol", (struct oi_slice){},
                   "Only one of rawSymbol, coin and normalizedSymbol.");
    if (ways == 0)
        return bad(problem, "INVALID_PARAMS", "rawSymbol", (struct oi_slice){},
                   "One of rawSymbol, coin and normalizedSymbol is required.");
    return OI_OK;
}

static enum oi_status
parse_choice(const struct oi_call *call, const struct oi_http_request *request,
             struct choice *choice, struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(check_choice(choice, problem));
    OI_TRY(read_transform(call, request, choice, query, problem));
    OI_TRY(read_range(call, request, query, problem));
    OI_TRY(add_selectors(query, choice, problem));
    for (size_t i = 0; i < query->selectors.count; i++)
        query->selectors.items[i].is_total = query->variant == KIYOTAKA_SUM;
    return OI_OK;
}

static enum oi_status
parse_points(const struct oi_call *call, const struct oi_http_request *request,
             struct oi_query *query, struct oi_problem *problem)
{
    static const struct oi_word directions[] = {
        { "SORT_DIRECTION_ASC", false },
        { "SORT_DIRECTION_DESC", true },
    };
    OI_CLEANUP(release_choice) struct choice choice = {};
    int64_t is_descending = false;

    OI_TRY(OI_TEXT_PARAMETERS(request, point_parameters, problem));
    OI_TRY(check_types(request, query, problem));
    query->kind = OI_QUERY_CANDLES;
    query->needs_a_market = true;
    if (oi_text_word(request, "interval", kiyotaka_intervals, KIYOTAKA_INTERVAL_COUNT,
                     &query->interval_ns, problem) != OI_OK) {
        problem->code = "INVALID_TIMEFRAME";
        return OI_E_INVALID;
    }
    OI_TRY(OI_TEXT_WORD(request, "sortDirection", directions, &is_descending, problem));
    query->is_descending = is_descending;
    read_choice(request, query, &choice);
    OI_TRY(parse_choice(call, request, &choice, query, problem));
    if (query->number == 0)
        query->kind = OI_QUERY_NONE; /* a period of 0 has no points */
    return OI_OK;
}

/* `from` and `to`: only of markets that have a reading between them. */
static enum oi_status
read_list_span(const struct oi_http_request *request, struct oi_query *query,
               struct oi_problem *problem)
{
    const int64_t seconds_max = OI_TIME_LATEST / OI_SECOND;
    int64_t from_s = -1, to_s = -1;

    OI_TRY(read_number(request, "from", seconds_max, &from_s, problem));
    OI_TRY(read_number(request, "to", seconds_max, &to_s, problem));
    if (from_s >= 0)
        query->span.from = from_s * OI_SECOND;
    if (to_s >= 0)
        query->span.to = to_s * OI_SECOND;
    if (query->span.from > query->span.to)
        return bad(problem, "INVALID_PARAMS", "to", oi_text_value(request, "to"),
                   "Must not be before from.");
    query->wants_extents = query->recorded_only = from_s >= 0 || to_s >= 0;
    return OI_OK;
}

/* The lists: markets, and what is distinct among them. */
static enum oi_status
parse_list(const struct oi_http_request *request, enum kiyotaka_variant variant,
           struct oi_query *query, struct oi_problem *problem)
{
    OI_CLEANUP(release_choice) struct choice choice = {};
    struct oi_slice token = oi_text_value(request, "pageToken");
    int64_t size = variant == KIYOTAKA_MARKETS ? PAGE_SIZE : 0, after;

    OI_TRY(OI_TEXT_PARAMETERS(request, list_parameters, problem));
    OI_TRY(check_types(request, query, problem));
    OI_TRY(read_list_span(request, query, problem));
    if (oi_text_value(request, "pageSize").size > 0 &&
        (!oi_text_integer(oi_text_value(request, "pageSize"), &size) || size < 1 ||
         size > POINTS_MAX))
        return bad(problem, "INVALID_PARAMS", "pageSize", oi_text_value(request, "pageSize"),
                   "Must be 1 to 100000.");
    query->kind = OI_QUERY_MARKETS;
    query->variant = variant;
    query->limit = (size_t) size;
    if (token.size > 0) {
        if (!oi_text_integer(token, &after) || after < 0)
            return bad(problem, "INVALID_PARAMS", "pageToken", token, "Not a token of ours.");
        query->after = (struct oi_position){ .is_set = true, .market = (size_t) after };
    }
    read_choice(request, query, &choice);
    OI_TRY(check_exchanges(&choice.exchanges, problem));
    return add_selectors(query, &choice, problem);
}

#define PARSE_LIST(function, variant)                                                              \
    static enum oi_status function(const struct oi_call *, const struct oi_http_request *request,  \
                                   struct oi_query *query, struct oi_problem *problem)             \
    {                                                                                              \
        return parse_list(request, variant, query, problem);                                       \
    }
PARSE_LIST(parse_exchanges, KIYOTAKA_EXCHANGES)
PARSE_LIST(parse_categories, KIYOTAKA_CATEGORIES)
PARSE_LIST(parse_coins, KIYOTAKA_COINS)
PARSE_LIST(parse_symbols, KIYOTAKA_SYMBOLS)
PARSE_LIST(parse_normalized_symbols, KIYOTAKA_NORMALIZED_SYMBOLS)
PARSE_LIST(parse_markets, KIYOTAKA_MARKETS)

static enum oi_status
parse_types(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    query->variant = KIYOTAKA_TYPES;
    return OI_TEXT_PARAMETERS(request, list_parameters, problem);
}

static enum oi_status
parse_usage(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    query->variant = KIYOTAKA_USAGE;
    return oi_text_parameters(request, NULL, 0, problem);
}

static struct oi_slice
key(const struct oi_http_request *request)
{
    return oi_text_header(request, "X-Kiyotaka-Key");
}

/* Kwery has /v1/symbols too. Ours with our key, or with our parameters and no key at all. */
static bool
claims(const struct oi_http_request *request)
{
    static const char *const names[] = { "type",        "type[]",           "exchange",
                                         "exchange[]",  "category",         "category[]",
                                         "coin",        "coin[]",           "rawSymbol",
                                         "rawSymbol[]", "normalizedSymbol", "normalizedSymbol[]" };

    if (oi_http_header(request, "X-Kiyotaka-Key"))
        return true;
    if (oi_http_header(request, "X-API-Key") || oi_http_parameter(request, "api-key") ||
        oi_http_parameter(request, "api_key"))
        return false;
    for (size_t i = 0; i < OI_COUNT(names); i++) {
        if (oi_http_parameter(request, names[i]))
            return true;
    }
    return false;
}

/*
 * Problems.
 */

static const struct outcome {
    int status;
    const char *code;
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "INTERNAL_ERROR" },
    [OI_PROBLEM_PARAMETER] = { 400, "INVALID_PARAMS" },
    [OI_PROBLEM_MISSING] = { 400, "INVALID_PARAMS" },
    [OI_PROBLEM_UNKNOWN] = { 400, "INVALID_PARAMS" },
    [OI_PROBLEM_REPEATED] = { 400, "INVALID_PARAMS" },
    [OI_PROBLEM_MARKET] = { 400, "INVALID_SYMBOL" },
    [OI_PROBLEM_RANGE] = { 400, "INVALID_PARAMS" },
    [OI_PROBLEM_TOO_MANY] = { 403, "POINT_COUNT_EXCEEDED" },
    [OI_PROBLEM_PATH] = { 404, "NOT_FOUND" },
    [OI_PROBLEM_METHOD] = { 405, "METHOD_NOT_ALLOWED" },
    [OI_PROBLEM_KEY_MISSING] = { 401, "INVALID_API_KEY" },
    [OI_PROBLEM_KEY_WRONG] = { 401, "INVALID_API_KEY" },
    [OI_PROBLEM_FORBIDDEN] = { 403, "TYPE_NOT_PERMITTED" },
    [OI_PROBLEM_CREDITS] = { 429, "RATE_LIMITED" },
    [OI_PROBLEM_RATE] = { 429, "RATE_LIMITED" },
    [OI_PROBLEM_SYNTAX] = { 400, "INVALID_PARAMS" },
    [OI_PROBLEM_INTERNAL] = { 500, "INTERNAL_ERROR" },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "INTERNAL_ERROR" },
};

static void
add_message(const struct oi_problem *problem, struct oi_buffer *message)
{
    if (problem->parameter[0])
        oi_buffer_add_format(message, "%s: ", problem->parameter);
    oi_buffer_add_text(message, problem->message[0] ? problem->message : "Request refused.");
    if (problem->value[0])
        oi_buffer_add_format(message, "%s Given: '%s'.",
                             oi_slice_ends_with(oi_buffer_slice(message), ".") ? "" : ".",
                             problem->value);
}

static void
render_problem(const struct oi_call *, const struct oi_http_request *,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    struct outcome outcome = outcomes[problem->kind];
    struct oi_buffer message = {};
    struct oi_json_writer writer;

    if (problem->kind == OI_PROBLEM_SYNTAX && problem->http_status)
        outcome.status = problem->http_status;
    if (problem->kind == OI_PROBLEM_MARKET && strcmp(problem->parameter, "exchange") == 0)
        outcome.code = "INVALID_EXCHANGE";
    if (problem->code)
        outcome.code = problem->code;
    writer = oi_text_begin_json(reply, outcome.status, "application/json");
    if (outcome.status == 429)
        oi_http_reply_header_int(reply, "Retry-After", problem->retry_after_s);
    add_message(problem, &message);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "error", outcome.code);
    oi_json_add_name(&writer, "message");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    if (outcome.status == 429) {
        oi_json_add_name(&writer, "retry_after");
        oi_json_add_int(&writer, problem->retry_after_s);
    }
    oi_json_end_object(&writer);
    oi_buffer_release(&message);
}

static const char *const mounts[] = { "", "/kiyotaka", NULL };

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = (render_)          \
    }
static const struct oi_route routes[] = {
    ROUTE("/v1/points", parse_points, kiyotaka_render_points),
    ROUTE("/v1/types", parse_types, kiyotaka_render_list),
    ROUTE("/v1/exchanges", parse_exchanges, kiyotaka_render_list),
    ROUTE("/v1/categories", parse_categories, kiyotaka_render_list),
    ROUTE("/v1/coins", parse_coins, kiyotaka_render_list),
    ROUTE("/v1/symbols", parse_symbols, kiyotaka_render_list),
    ROUTE("/v1/normalized-symbols", parse_normalized_symbols, kiyotaka_render_list),
    ROUTE("/v1/markets", parse_markets, kiyotaka_render_list),
    ROUTE("/v1/usage", parse_usage, kiyotaka_render_usage),
};

const struct oi_dialect oi_dialect_kiyotaka = {
    .name = "kiyotaka",
    .full_name = "Kiyotaka API v1",
    .mounts = mounts,
    .prefix = "/v1/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .cost = OI_COST_WEIGHT,
    .streams = &kiyotaka_stream,
    .stream_count = 1,
    .key = key,
    .claims = claims,
    .render_problem = render_problem,
};
