/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kwery: open interest of Binance futures, Hyperliquid and Kalshi as snapshots at the start of each
 * interval. https://www.kwery.xyz/docs
 *
 * Answers have at most some thousand rows and their price is in a header, so they are written
 * whole. Where the vendor is silent, docs/dialects/kwery.md says what is done.
 */
#include "dialects/kwery_internal.h"

#include "base/crypto.h"
#include "base/map.h"
#include "core/symbology.h"
#include "dialects/text.h"

#include <string.h>

#define ROWS 100
#define ROWS_MAX 1000
#define CREDITS_BASE 50
#define CREDITS_ROW 3

enum variant {
    VARIANT_ROWS = 0,
    VARIANT_SYMBOLS,
    VARIANT_SOURCES,
    VARIANT_STATUS,
    VARIANT_LIMITS,
};

const char *const oi_kwery_sources[] = { "binance_futures", "hyperliquid", "kalshi" };
static const char *const source_labels[] = { "Binance Futures", "Hyperliquid", "Kalshi" };
#define KALSHI 2

static const struct oi_word intervals[] = {
    { "5m", 5 * OI_MINUTE }, { "15m", 15 * OI_MINUTE }, { "1h", OI_HOUR },
    { "4h", 4 * OI_HOUR },   { "1d", OI_DAY },          { "24h", OI_DAY },
};
#define INTERVALS_OFFERED 5 /* 24h is another word for 1d, and not offered */

static const struct oi_parameter row_parameters[] = {
    { "api-key", 0 }, { "api_key", 0 },  { "symbol", OI_PARAMETER_REQUIRED },
    { "source", 0 },  { "interval", 0 }, { "start", 0 },
    { "end", 0 },     { "limit", 0 },    { "after", 0 },
    { "cursor", 0 },
};
static const struct oi_parameter list_parameters[] = {
    { "api-key", 0 },
    { "api_key", 0 },
    { "limit", 0 },
};

static enum oi_status
bad(struct oi_problem *problem, const char *code, const char *parameter, struct oi_slice value,
    const char *message)
{
    (void) oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, value, "%s", message);
    problem->code = code;
    return OI_E_INVALID;
}

/* "BTCUSDT" means BTC, the asset; a ticker (with a dash) is one contract. */
static enum oi_status
read_symbol(const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "symbol");

    if (value.size > 64)
        return bad(problem, "invalid_symbol", "symbol", value, "Unknown symbol.");
    for (size_t i = 0; i < value.size; i++) {
        if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:",
                    value.data[i], 66))
            return bad(problem, "invalid_symbol", "symbol", value, "Unknown symbol.");
    }
    query->echo = oi_arena_copy(&query->arena, value);
    return OI_OK;
}

/* The source asked for, or -1 for all. The alias route is one source by itself. */
static enum oi_status
read_source(const struct oi_http_request *request, bool is_hyperliquid, struct oi_query *query,
            int *ret_source, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "source");
    int source = -1;

    for (size_t i = 0; i < OI_KWERY_SOURCES; i++) {
        if (oi_slice_is(value, oi_kwery_sources[i]))
            source = (int) i;
    }
    if (is_hyperliquid && value.size == 0)
        source = 1;
    if ((value.size > 0 && source < 0) || (is_hyperliquid && source != 1))
        return bad(problem, "invalid_source", "source", value,
                   "Must be binance_futures, hyperliquid or kalshi.");
    query->echo_source = source < 0 ? NULL : oi_kwery_sources[source];
    *ret_source = source;
    return OI_OK;
}

static void
add_selector(struct oi_query *query, int source, struct oi_slice symbol)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_KWERY);
    bool is_contract = memchr(symbol.data, '-', symbol.size);

    if (!is_contract && symbol.size > 4 && oi_slice_ends_with(symbol, "USDT"))
        symbol.size -= 4;
    oi_vector_push(&selector->exchanges, oi_kwery_sources[source]);
    selector->market = oi_arena_copy(&query->arena, symbol);
    selector->main_only = source != KALSHI;
    selector->parameter = "symbol";
    if (source == KALSHI && !is_contract) {
        selector->coin = selector->market;
        selector->market = NULL;
        selector->is_total = true;
    }
}

static enum oi_status
read_bound(const struct oi_http_request *request, const char *name, oi_time *ret_time,
           struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);

    if (value.size > 0 && !oi_text_time(value, ret_time))
        return bad(problem, "invalid_time_range", name, value, "Must be an ISO 8601 time.");
    return OI_OK;
}

static enum oi_status
read_span(const struct oi_call *call, const struct oi_http_request *request, struct oi_query *query,
          struct oi_problem *problem)
{
    bool has_start = oi_text_value(request, "start").size > 0;
    int64_t history_ns = call->allowance.history_ns;
    oi_time earliest = history_ns > 0 ? call->now - history_ns : OI_TIME_EARLIEST;

    OI_TRY(read_bound(request, "start", &query->span.from, problem));
    OI_TRY(read_bound(request, "end", &query->span.to, problem));
    if (query->span.from > query->span.to)
        return bad(problem, "invalid_time_range", "start", oi_text_value(request, "start"),
                   "start must not be after end.");
    if (has_start && query->span.from < earliest && !call->manners.cuts_history) {
        (void) oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "start",
                              oi_text_value(request, "start"),
                              "The range reaches beyond the history of your plan.");
        problem->code = "tier_restricted";
        return OI_E_INVALID;
    }
    if (query->span.from < earliest)
        query->span.from = earliest < query->span.to ? earliest : query->span.to;
    query->from_end = !has_start;
    return OI_OK;
}

/* A limit above what the plan gives is cut, and remembered in `number`. */
static enum oi_status
read_limit(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "limit");
    size_t cap = call->allowance.rows_max > 0 ? call->allowance.rows_max : ROWS_MAX;
    int64_t limit = ROWS;

    if (value.size > 0 && (!oi_text_integer(value, &limit) || limit < 1))
        return bad(problem, "invalid_param", "limit", value, "Must be a whole number from 1.");
    query->number = (uint64_t) limit > cap;
    query->limit = query->number ? cap : (size_t) limit;
    return OI_OK;
}

/* A cursor names the last row given: its time and the place of its market. */
static enum oi_status
read_cursor(const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    struct oi_slice after = oi_text_value(request, "after");
    struct oi_slice value = after.size > 0 ? after : oi_text_value(request, "cursor");
    struct oi_buffer text = { .size_max = 64 };
    struct oi_slice rest, part;
    int64_t market = -1, time;
    bool is_good;

    if (value.size == 0)
        return OI_OK;
    is_good = value.size < 80 && oi_unbase64(value, &text, NULL) == OI_OK;
    rest = oi_buffer_slice(&text);
    is_good = is_good && oi_slice_next_part(&rest, '/', &part) && oi_text_integer(part, &time) &&
              time > OI_TIME_NONE && oi_text_integer(rest, &market) && market >= 0;
    oi_buffer_release(&text);
    if (!is_good)
        return bad(problem, "invalid_param", after.size > 0 ? "after" : "cursor", value,
                   "Not a cursor of ours.");
    query->after = (struct oi_position){ .is_set = true, .market = (size_t) market, .time = time };
    return OI_OK;
}

static enum oi_status
parse_rows_of(const struct oi_call *call, const struct oi_http_request *request,
              bool is_hyperliquid, struct oi_query *query, struct oi_problem *problem)
{
    int source;

    OI_TRY(OI_TEXT_PARAMETERS(request, row_parameters, problem));
    query->kind = OI_QUERY_SNAPSHOTS;
    query->unit = OI_UNIT_COINS;
    query->counts_events = true;
    query->order_by_time = true;
    query->needs_a_market = true;
    query->interval_ns = OI_HOUR;
    OI_TRY(read_symbol(request, query, problem));
    OI_TRY(read_source(request, is_hyperliquid, query, &source, problem));
    if (OI_TEXT_WORD(request, "interval", intervals, &query->interval_ns, problem) != OI_OK)
        return bad(problem, "invalid_interval", "interval", oi_text_value(request, "interval"),
                   "Must be 5m, 15m, 1h, 4h or 1d.");
    query->echo_interval = oi_word_of(intervals, OI_COUNT(intervals), query->interval_ns);
    OI_TRY(read_span(call, request, query, problem));
    OI_TRY(read_limit(call, request, query, problem));
    OI_TRY(read_cursor(request, query, problem));
    for (int i = 0; i < (int) OI_KWERY_SOURCES; i++) {
        if (source < 0 || source == i)
            add_selector(query, i, oi_slice_of(query->echo));
    }
    return OI_OK;
}

static enum oi_status
parse_rows(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    return parse_rows_of(call, request, false, query, problem);
}

static enum oi_status
parse_hyperliquid_rows(const struct oi_call *call, const struct oi_http_request *request,
                       struct oi_query *query, struct oi_problem *problem)
{
    return parse_rows_of(call, request, true, query, problem);
}

void
oi_kwery_select_recorded(struct oi_query *query, bool main_only)
{
    query->kind = OI_QUERY_MARKETS;
    query->wants_extents = true;
    query->recorded_only = true;
    for (size_t i = 0; i < OI_KWERY_SOURCES; i++) {
        struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_KWERY);

        oi_vector_push(&selector->exchanges, oi_kwery_sources[i]);
        selector->main_only = main_only && i != KALSHI;
    }
}

static enum oi_status
parse_list(const struct oi_http_request *request, enum variant variant, struct oi_query *query,
           struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "limit");
    int64_t limit = OI_KWERY_SOURCES;

    OI_TRY(OI_TEXT_PARAMETERS(request, list_parameters, problem));
    if (value.size > 0 && (!oi_text_integer(value, &limit) || limit < 1))
        return bad(problem, "invalid_param", "limit", value, "Must be a whole number from 1.");
    query->number = limit; /* of the status alone */
    query->variant = variant;
    if (variant == VARIANT_LIMITS)
        return OI_OK;
    oi_kwery_select_recorded(query, true);
    return OI_OK;
}

#define PARSE_LIST(function, variant)                                                              \
    static enum oi_status function(const struct oi_call *, const struct oi_http_request *request,  \
                                   struct oi_query *query, struct oi_problem *problem)             \
    {                                                                                              \
        return parse_list(request, variant, query, problem);                                       \
    }
PARSE_LIST(parse_symbols, VARIANT_SYMBOLS)
PARSE_LIST(parse_sources, VARIANT_SOURCES)
PARSE_LIST(parse_status, VARIANT_STATUS)
PARSE_LIST(parse_limits, VARIANT_LIMITS)

/*
 * Answers.
 */

static void
set_credits(struct oi_rendering *rendering, uint64_t credits)
{
    const struct oi_allowance *allowance = &rendering->call->allowance;
    struct oi_http_reply *reply = rendering->reply;
    uint64_t left = allowance->credits_left > credits ? allowance->credits_left - credits : 0;

    rendering->credits = credits;
    oi_http_reply_header_int(reply, "X-Credits-Used", (int64_t) credits);
    if (allowance->credits_limit > 0)
        oi_http_reply_header_int(reply, "X-Credits-Remaining", (int64_t) left);
}

static void
add_row(const struct oi_snapshot *snapshot, struct oi_slice facts, struct oi_time_writer *times,
        struct oi_buffer *out)
{
    OI_ADD(out, "{\"timestamp\":\"");
    oi_text_add_time(times, snapshot->start, 0, out);
    oi_buffer_add_slice(out, facts);
    if (oi_decimal_is_none(&snapshot->amount))
        OI_ADD(out, "null");
    else
        oi_decimal_write(&snapshot->amount, out);
    OI_ADD(out, ",\"open_interest_usd\":");
    if (oi_decimal_is_none(&snapshot->usd))
        OI_ADD(out, "null");
    else
        oi_decimal_write(&snapshot->usd, out);
    oi_buffer_add_char(out, '}');
}

/* The source of a block: an instrument's own, or that of the group a total is of. */
static const char *
source_of(const struct oi_query *query, const struct oi_market *market,
          char name[OI_MARKET_NAME_SIZE])
{
    if (market->instrument && oi_kwery_source(market->instrument, name))
        return name;
    if (market->selector < query->selectors.count)
        return query->selectors.items[market->selector].exchanges.items[0];
    return "";
}

/* What stands between the time and the figures of every row of a source. */
static void
add_facts(const struct oi_query *query, const char *source, struct oi_buffer *facts)
{
    OI_ADD(facts, "\",\"symbol\":");
    oi_json_quote(facts, oi_slice_of(query->echo));
    OI_ADD(facts, ",\"source\":");
    oi_json_quote(facts, oi_slice_of(source));
    OI_ADD(facts, ",\"interval\":");
    oi_json_quote(facts, oi_slice_of(query->echo_interval));
    OI_ADD(facts, ",\"open_interest\":");
}

static enum oi_status
add_rows(struct oi_rendering *rendering, struct oi_buffer *out, struct oi_error *error)
{
    const struct oi_query *query = rendering->query;
    struct oi_time_writer times = {};
    const struct oi_block *block;
    struct oi_buffer facts = {};
    size_t facts_of = SIZE_MAX;
    enum oi_status status;

    for (;;) {
        char name[OI_MARKET_NAME_SIZE];

        status = oi_result_next(rendering->result, &block, error);
        if (status != OI_OK || !block)
            break;
        if (block->market->index != facts_of) {
            oi_buffer_clear(&facts);
            add_facts(query, source_of(query, block->market, name), &facts);
            facts_of = block->market->index;
        }
        for (size_t i = 0; i < block->count; i++) {
            if (rendering->row_count++ > 0)
                oi_buffer_add_char(out, ',');
            add_row(&block->snapshots[i], oi_buffer_slice(&facts), &times, out);
        }
    }
    oi_buffer_release(&facts);
    return status;
}

static void
add_cursor(const struct oi_position *position, struct oi_json_writer *writer)
{
    struct oi_buffer text = {}, cursor = {};

    if (!position->is_set) {
        oi_json_add_null(writer);
        return;
    }
    oi_buffer_add_int(&text, position->time);
    oi_buffer_add_char(&text, '/');
    oi_buffer_add_int(&text, (int64_t) position->market);
    oi_base64url(oi_buffer_slice(&text), &cursor);
    oi_json_add_string(writer, oi_buffer_slice(&cursor));
    oi_buffer_release(&text);
    oi_buffer_release(&cursor);
}

static void
add_meta(const struct oi_rendering *rendering, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;
    const struct oi_position *next = &rendering->result->next_position;
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "symbol", query->echo);
    oi_text_json_text(&writer, "source", query->echo_source);
    oi_text_json_text(&writer, "interval", query->echo_interval);
    oi_json_add_name(&writer, "count");
    oi_json_add_int(&writer, (int64_t) rendering->row_count);
    oi_json_add_name(&writer, "returned");
    oi_json_add_int(&writer, (int64_t) rendering->row_count);
    oi_json_add_name(&writer, "next_cursor");
    add_cursor(next, &writer);
    oi_json_add_name(&writer, "has_more");
    oi_json_add_bool(&writer, next->is_set);
    oi_json_end_object(&writer);
}

static enum oi_status
render_rows(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
            struct oi_error *error)
{
    struct oi_http_reply *reply = rendering->reply;
    bool is_capped;

    OI_ADD(out, "{\"data\":[");
    OI_TRY(add_rows(rendering, out, error));
    OI_ADD(out, "],\"meta\":");
    add_meta(rendering, out);
    oi_buffer_add_char(out, '}');
    is_capped = rendering->query->number && rendering->result->next_position.is_set;
    oi_http_reply_type(reply, "application/json");
    set_credits(rendering, CREDITS_BASE + CREDITS_ROW * (uint64_t) rendering->row_count);
    oi_http_reply_header_int(reply, "X-Rows-Returned", (int64_t) rendering->row_count);
    oi_http_reply_header_text(reply, "X-Rows-Capped", is_capped ? "true" : "false");
    *ret_is_last = true;
    return OI_OK;
}

/* One asset over the sources that have it. */
struct asset {
    const char *symbol;
    unsigned sources; /* bits */
    oi_time earliest;
};
struct summary {
    OI_VECTOR(struct asset) assets;
    struct oi_map *places;
    oi_time latest[OI_KWERY_SOURCES];
};

static void
release_summary(struct summary *summary)
{
    oi_vector_release(&summary->assets);
    oi_map_free(&summary->places);
}

/* Gather the assets, in the order met. */
static enum oi_status
summarise(struct oi_rendering *rendering, struct summary *summary, struct oi_error *error)
{
    const struct oi_block *block;

    summary->places = oi_map_new();
    for (size_t i = 0; i < OI_KWERY_SOURCES; i++)
        summary->latest[i] = OI_TIME_NONE;
    for (;;) {
        const struct oi_market *market;
        struct asset *asset;
        uint64_t place;

        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            return OI_OK;
        market = block->market;
        if (!market->instrument || !market->instrument->base[0] ||
            market->selector >= OI_KWERY_SOURCES || market->first == OI_TIME_NONE)
            continue;
        if (!oi_map_get(summary->places, oi_slice_of(market->instrument->base), &place)) {
            place = summary->assets.count;
            oi_map_put(summary->places, oi_slice_of(market->instrument->base), place);
            oi_vector_push(&summary->assets,
                           ((struct asset){ market->instrument->base, 0, market->first }));
        }
        oi_assert(summary->assets.items);
        oi_assert(place < summary->assets.count);
        asset = &summary->assets.items[place];
        asset->sources |= 1u << market->selector;
        if (market->first < asset->earliest)
            asset->earliest = market->first;
        if (market->last > summary->latest[market->selector])
            summary->latest[market->selector] = market->last;
    }
}

static void
add_intervals(struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "intervals");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < INTERVALS_OFFERED; i++)
        oi_json_add_text(writer, intervals[i].word);
    oi_json_end_array(writer);
}

static void
add_symbols(const struct summary *summary, struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "symbols");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < summary->assets.count; i++) {
        const struct asset *asset = &summary->assets.items[i];

        oi_json_begin_object(writer);
        oi_text_json_text(writer, "symbol", asset->symbol);
        oi_text_json_text(writer, "name", asset->symbol);
        oi_json_add_name(writer, "sources");
        oi_json_begin_array(writer);
        for (size_t k = 0; k < OI_KWERY_SOURCES; k++) {
            if (asset->sources & (1u << k))
                oi_json_add_text(writer, oi_kwery_sources[k]);
        }
        oi_json_end_array(writer);
        add_intervals(writer);
        oi_text_json_time(writer, "earliest_data", asset->earliest, 0);
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
}

static void
add_source(const struct summary *summary, size_t source, struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "source", oi_kwery_sources[source]);
    oi_text_json_text(writer, "label", source_labels[source]);
    oi_json_add_name(writer, "symbols");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < summary->assets.count; i++) {
        if (summary->assets.items[i].sources & (1u << source))
            oi_json_add_text(writer, summary->assets.items[i].symbol);
    }
    oi_json_end_array(writer);
    add_intervals(writer);
    oi_json_add_name(writer, "endpoints");
    oi_json_begin_array(writer);
    oi_json_add_text(writer, "open-interest");
    oi_json_end_array(writer);
    oi_json_add_name(writer, "tier_requirements");
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "open-interest");
    oi_json_begin_object(writer);
    for (size_t i = 0; i < 3; i++) {
        static const char *const tiers[] = { "free", "pro", "business" };

        oi_json_add_name(writer, tiers[i]);
        oi_json_add_bool(writer, true);
    }
    oi_json_end_object(writer);
    oi_json_end_object(writer);
    oi_json_end_object(writer);
}

static void
add_status(const struct summary *summary, int64_t limit, struct oi_json_writer *writer)
{
    oi_text_json_text(writer, "status", "ok");
    oi_json_add_name(writer, "ingestion");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < OI_KWERY_SOURCES && limit > 0; i++) {
        if (summary->latest[i] == OI_TIME_NONE)
            continue;
        limit--;
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "source", oi_kwery_sources[i]);
        oi_text_json_time(writer, "last_timestamp", summary->latest[i], 0);
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
}

static enum oi_status
render_list(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
            struct oi_error *error)
{
    OI_CLEANUP(release_summary) struct summary summary = {};
    struct oi_json_writer writer = { .out = out };
    unsigned variant = rendering->query->variant;

    OI_TRY(summarise(rendering, &summary, error));
    oi_http_reply_type(rendering->reply, "application/json");
    set_credits(rendering, variant == VARIANT_SOURCES ? 25 : 0);
    oi_json_begin_object(&writer);
    if (variant == VARIANT_SYMBOLS) {
        add_symbols(&summary, &writer);
    } else if (variant == VARIANT_STATUS) {
        add_status(&summary, rendering->query->number, &writer);
    } else {
        oi_json_add_name(&writer, "sources");
        oi_json_begin_array(&writer);
        for (size_t i = 0; i < OI_KWERY_SOURCES; i++)
            add_source(&summary, i, &writer);
        oi_json_end_array(&writer);
    }
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

/* A number that may be without limit, which is null. */
static void
add_limit(struct oi_json_writer *writer, const char *name, uint64_t value)
{
    oi_json_add_name(writer, name);
    if (value > 0)
        oi_json_add_int(writer, (int64_t) value);
    else
        oi_json_add_null(writer);
}

/* How far back snapshots of order books go at each step: there are none here. */
static void
add_snapshot_history(struct oi_json_writer *writer)
{
    static const char *const steps[] = { "s500ms", "s1", "m5", "m15", "h1", "h4", "h24" };

    oi_json_add_name(writer, "snapshot_history");
    oi_json_begin_object(writer);
    for (size_t i = 0; i < OI_COUNT(steps); i++)
        oi_text_json_text(writer, steps[i], NULL);
    oi_json_end_object(writer);
}

static enum oi_status
render_limits(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
              struct oi_error *)
{
    const struct oi_allowance *allowance = &rendering->call->allowance;
    struct oi_json_writer writer = { .out = out };
    struct oi_buffer reset = {};

    oi_http_reply_type(rendering->reply, "application/json");
    oi_http_reply_header_int(rendering->reply, "X-Credits-Charged", 0);
    if (allowance->rate_limit > 0) {
        oi_time_write(rendering->call->now + allowance->rate_reset_s * OI_SECOND, 0, &reset);
        oi_http_reply_header_int(rendering->reply, "X-RateLimit-Remaining", allowance->rate_left);
        oi_http_reply_header(rendering->reply, "X-RateLimit-Reset", oi_buffer_slice(&reset));
        oi_buffer_release(&reset);
    }
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "plan", allowance->plan ? allowance->plan : "unlimited");
    add_limit(&writer, "max_rows_per_request",
              allowance->rows_max > 0 ? allowance->rows_max : ROWS_MAX);
    add_limit(&writer, "max_history_days", (uint64_t) (allowance->history_ns / OI_DAY));
    oi_json_add_name(&writer, "credits");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "used");
    oi_json_add_int(&writer, (int64_t) (allowance->credits_limit - allowance->credits_left));
    add_limit(&writer, "limit", allowance->credits_limit);
    add_limit(&writer, "remaining", allowance->credits_left);
    oi_json_end_object(&writer);
    oi_json_add_name(&writer, "rate_limits");
    oi_json_begin_object(&writer);
    add_limit(&writer, "requests_per_minute", allowance->rate_limit);
    oi_json_end_object(&writer);
    add_snapshot_history(&writer);
    oi_json_add_name(&writer, "features");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "open_interest");
    oi_json_add_bool(&writer, true);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

/* The header wins over the query. A key of another length than 10 to 256 is none of ours: it is
 * handed on cut to nothing that could match. */
static struct oi_slice
key(const struct oi_http_request *request)
{
    struct oi_slice given = oi_text_header(request, "X-API-Key");

    if (given.size == 0)
        given = oi_text_value(request, "api-key");
    if (given.size == 0)
        given = oi_text_value(request, "api_key");
    if (given.size > 0 && (given.size < 10 || given.size > 256))
        return OI_SLICE("-");
    return given;
}

/*
 * Problems.
 */

static const struct outcome {
    int status;
    const char *code;
    const char *message; /* NULL: the problem's own */
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "internal_error", "Internal error." },
    [OI_PROBLEM_PARAMETER] = { 400, "invalid_param", NULL },
    [OI_PROBLEM_MISSING] = { 400, "invalid_param", NULL },
    [OI_PROBLEM_UNKNOWN] = { 400, "invalid_param", NULL },
    [OI_PROBLEM_REPEATED] = { 400, "invalid_param", NULL },
    [OI_PROBLEM_MARKET] = { 400, "invalid_symbol", "Unknown symbol." },
    [OI_PROBLEM_RANGE] = { 400, "invalid_time_range", NULL },
    [OI_PROBLEM_TOO_MANY] = { 400, "invalid_time_range", NULL },
    [OI_PROBLEM_PATH] = { 404, "not_found", "No such endpoint." },
    [OI_PROBLEM_METHOD] = { 405, "method_not_allowed", "Method not allowed." },
    [OI_PROBLEM_KEY_MISSING] = { 401, "unauthorized", "Missing or invalid API key." },
    [OI_PROBLEM_KEY_WRONG] = { 401, "unauthorized", "Missing or invalid API key." },
    [OI_PROBLEM_FORBIDDEN] = { 403, "tier_restricted", NULL },
    [OI_PROBLEM_CREDITS] = { 402, "credits_exhausted", "Your credits are used up." },
    [OI_PROBLEM_RATE] = { 429, "rate_limited", "Too many requests." },
    [OI_PROBLEM_SYNTAX] = { 400, "invalid_param", "Malformed request." },
    [OI_PROBLEM_INTERNAL] = { 500, "internal_error", "Internal error." },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "unavailable", "Temporarily unavailable." },
};

/* What would help, as far as it is known. */
static void
add_upgrade(const struct oi_call *call, const char *tier, struct oi_json_writer *writer)
{
    if (tier)
        oi_text_json_text(writer, "required_tier", tier);
    if (call->manners.upgrade_url)
        oi_text_json_text(writer, "upgrade_url", call->manners.upgrade_url);
}

static void
render_problem(const struct oi_call *call, const struct oi_http_request *request,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    struct outcome outcome = outcomes[problem->kind];
    struct oi_buffer message = {};
    struct oi_json_writer writer;

    if (problem->kind == OI_PROBLEM_SYNTAX && problem->http_status)
        outcome.status = problem->http_status;
    if (problem->kind == OI_PROBLEM_MISSING && strcmp(problem->parameter, "symbol") == 0)
        outcome.code = "invalid_symbol";
    if (problem->code)
        outcome.code = problem->code;
    writer = oi_text_begin_json(reply, outcome.status, "application/json");
    if (outcome.status == 429)
        oi_http_reply_header_int(reply, "Retry-After", problem->retry_after_s);
    if (!outcome.message && problem->parameter[0])
        oi_buffer_add_format(&message, "%s: ", problem->parameter);
    oi_buffer_add_text(&message, outcome.message       ? outcome.message
                                 : problem->message[0] ? problem->message
                                                       : "Not available on your plan.");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "error", outcome.code);
    oi_json_add_name(&writer, "message");
    oi_json_add_string(&writer, oi_buffer_slice(&message));
    if (outcome.status == 402 || outcome.status == 403)
        add_upgrade(call, oi_kwery_required_tier(call, request, problem), &writer);
    oi_json_end_object(&writer);
    oi_buffer_release(&message);
}

static const char *const mounts[] = { "", "/kwery", NULL };

#define ROUTE(path_, parse_, render_)                                                              \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = (render_)          \
    }
static const struct oi_route routes[] = {
    ROUTE("/v1/open-interest", parse_rows, render_rows),
    ROUTE("/v1/hyperliquid/open-interest", parse_hyperliquid_rows, render_rows),
    ROUTE("/v1/symbols", parse_symbols, render_list),
    ROUTE("/v1/sources", parse_sources, render_list),
    ROUTE("/v1/status", parse_status, render_list),
    ROUTE("/v1/limits", parse_limits, render_limits),
    ROUTE("/v1/markets/{id}", oi_kwery_parse_market, oi_kwery_render_market),
};

const struct oi_dialect oi_dialect_kwery = {
    .name = "kwery",
    .full_name = "Kwery API v1",
    .mounts = mounts,
    .prefix = "/v1/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .cost = OI_COST_CREDITS,
    .key = key,
    .render_problem = render_problem,
};
