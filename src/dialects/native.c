/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own API, /oi/v1: readings, candles and totals with everything that is known of them. Figures
 * are one-sided and in coins unless asked otherwise; every row names its feed, unit and sides.
 * docs/dialects/native.md is its manual.
 */
#include "dialects/dialect.h"

#include "base/crypto.h"
#include "dialects/native_internal.h"
#include "dialects/text.h"

#include <string.h>

#define ROWS 1000
#define ROWS_MAX 1'000'000
#define LATEST_ROWS 100
#define OPTION_ROWS 10'000
#define CALENDAR_ROWS 10'000
#define CALENDAR_DAYS INT64_C(31)
#define CALENDAR_DAYS_MAX INT64_C(3'653)
#define OVERVIEW_TOP 100
#define OVERVIEW_INSTANTS 1000
#define PARQUET_ROWS_MAX 100'000

/* Parameters that choose markets, and those of form, are the same everywhere. */
#define SELECTION                                                                                  \
    { "market", OI_PARAMETER_REPEATABLE }, { "exchange", OI_PARAMETER_REPEATABLE }, { "coin", 0 }, \
        { "quote", 0 }, { "kind", OI_PARAMETER_REPEATABLE },                                       \
    {                                                                                              \
        "product", 0                                                                               \
    }
#define FORM                                                                                       \
    { "format", 0 }, { "limit", 0 },                                                               \
    {                                                                                              \
        "after", 0                                                                                 \
    }
#define MOMENT                                                                                     \
    { "as_of", 0 },                                                                                \
    {                                                                                              \
        "as_stored", 0                                                                             \
    }

static const struct oi_parameter market_parameters[] = {
    SELECTION, FORM, MOMENT, { "q", 0 }, { "live", 0 },
};
static const struct oi_parameter row_parameters[] = {
    SELECTION,      FORM,
    MOMENT,         { "start", 0 },
    { "end", 0 },   { "interval", 0 },
    { "unit", 0 },  { "convention", 0 },
    { "order", 0 }, { "total", 0 },
    { "fill", 0 },
};
static const struct oi_parameter latest_parameters[] = {
    SELECTION, { "format", 0 }, { "limit", 0 }, MOMENT, { "unit", 0 }, { "convention", 0 },
};
static const struct oi_parameter revision_parameters[] = {
    SELECTION,      { "format", 0 }, { "limit", 0 }, { "after", 0 },      MOMENT,
    { "start", 0 }, { "end", 0 },    { "unit", 0 },  { "convention", 0 },
};
static const struct oi_parameter change_parameters[] = {
    SELECTION,      { "format", 0 }, { "limit", 0 }, { "after", 0 },      MOMENT,
    { "start", 0 }, { "end", 0 },    { "unit", 0 },  { "convention", 0 },
};
static const struct oi_parameter overview_parameters[] = {
    SELECTION,
    { "format", 0 },
    MOMENT,
    { "start", 0 },
    { "end", 0 },
    { "interval", 0 },
    { "by", OI_PARAMETER_REPEATABLE },
    { "top", 0 },
};
static const struct oi_parameter convention_parameters[] = {
    { "exchange", 0 },
    { "format", 0 },
    { "limit", 0 },
};
#define CHAIN                                                                                      \
    { "market", OI_PARAMETER_REPEATABLE }, { "exchange", OI_PARAMETER_REPEATABLE }, { "coin", 0 }, \
        { "quote", 0 }, { "product", 0 }, { "format", 0 },                                         \
    {                                                                                              \
        "limit", 0                                                                                 \
    }
static const struct oi_parameter calendar_parameters[] = {
    SELECTION, { "format", 0 }, { "limit", 0 }, MOMENT, { "start", 0 }, { "end", 0 },
};
static const struct oi_parameter option_parameters[] = {
    CHAIN,
    { "after", 0 },
    MOMENT,
    { "end", 0 },
};
static const struct oi_parameter expiry_parameters[] = { CHAIN, MOMENT, { "end", 0 } };
static const struct oi_parameter alert_parameters[] = { FORM, { "rule", 0 } };
static const struct oi_parameter gap_parameters[] = {
    SELECTION, FORM, MOMENT, { "start", 0 }, { "end", 0 },
};
static const struct oi_parameter frozen_parameters[] = {
    SELECTION, FORM, MOMENT, { "start", 0 }, { "end", 0 }, { "lasting", 0 },
};

static enum oi_status
bad(struct oi_problem *problem, const char *parameter, struct oi_slice value, const char *message)
{
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, value, "%s", message);
}

static enum oi_status
read_time(const struct oi_http_request *request, const char *name, oi_time *ret_time,
          struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);

    if (value.size > 0 && !oi_text_time(value, ret_time))
        return bad(problem, name, value,
                   "Must be an ISO 8601 time, in UTC where no zone is named.");
    return OI_OK;
}

static enum oi_status
read_form(const struct oi_call *call, const struct oi_http_request *request, int64_t limit,
          struct oi_query *query, struct oi_problem *problem)
{
    static const struct oi_word formats[] = {
        { "json", NATIVE_JSON },       { "ndjson", NATIVE_NDJSON }, { "csv", NATIVE_CSV },
        { "parquet", NATIVE_PARQUET }, { "arrow", NATIVE_ARROW },
    };
    struct oi_slice wanted = oi_text_value(request, "limit");
    struct oi_slice after = oi_text_value(request, "after");
    int64_t format = NATIVE_JSON;
    int64_t most = call->allowance.rows_max > 0 ? (int64_t) call->allowance.rows_max : ROWS_MAX;

    OI_TRY(OI_TEXT_WORD(request, "format", formats, &format, problem));
    query->format = (unsigned) format;
    query->file = format == NATIVE_PARQUET ? OI_FILE_PARQUET
                  : format == NATIVE_ARROW ? OI_FILE_ARROW
                                           : OI_FILE_NONE;
    if (format == NATIVE_PARQUET && most > PARQUET_ROWS_MAX)
        most = PARQUET_ROWS_MAX; /* a file is made in memory */
    if (wanted.size > 0 && (!oi_text_integer(wanted, &limit) || limit < 1 || limit > most))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "limit", wanted,
                              "Must be a whole number from 1 to %lld.", (long long) most);
    query->limit = (size_t) (limit < most ? limit : most);
    if (after.size > 0 && !native_read_cursor(after, &query->after))
        return bad(problem, "after", after, "Must be the `next` of an earlier answer.");
    OI_TRY(read_time(request, "as_of", &query->as_of, problem));
    return read_time(request, "as_stored", &query->as_stored, problem);
}

static enum oi_status
add_kinds(const struct oi_http_request *request, struct oi_selector *selector,
          struct oi_problem *problem)
{
    static const struct oi_word kinds[] = {
        { "perpetual", OI_KIND_PERPETUAL },
        { "future", OI_KIND_FUTURE },
        { "option", OI_KIND_OPTION },
        { "event", OI_KIND_EVENT },
    };

    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];
        bool is_known = false;

        if (!oi_slice_is(field->name, "kind"))
            continue;
        for (size_t k = 0; k < OI_COUNT(kinds); k++) {
            if (oi_slice_equal_ignoring_case(field->value, oi_slice_of(kinds[k].word))) {
                oi_vector_push(&selector->kinds, (enum oi_kind) kinds[k].value);
                is_known = true;
            }
        }
        if (!is_known)
            return bad(problem, "kind", field->value,
                       "Must be perpetual, future, option or event.");
    }
    return OI_OK;
}

/* One selector with every condition but the market. */
static enum oi_status
add_selector(const struct oi_http_request *request, struct oi_query *query, const char *market,
             struct oi_problem *problem)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);
    struct oi_slice coin = oi_text_value(request, "coin");
    struct oi_slice quote = oi_text_value(request, "quote");

    selector->market = market;
    selector->must_match = market != NULL;
    selector->parameter = "market";
    if (coin.size > 0)
        selector->coin = oi_text_upper(&query->arena, coin);
    if (quote.size > 0)
        selector->quote = oi_text_upper(&query->arena, quote);
    selector->product = oi_text_copy(request, "product", query);
    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];

        if (oi_slice_is(field->name, "exchange"))
            oi_vector_push(&selector->exchanges, oi_arena_copy(&query->arena, field->value));
    }
    return add_kinds(request, selector, problem);
}

enum oi_status
native_select(const struct oi_http_request *request, struct oi_query *query,
              struct oi_problem *problem)
{
    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];

        if (oi_slice_is(field->name, "market")) {
            OI_TRY(
                add_selector(request, query, oi_arena_copy(&query->arena, field->value), problem));
        }
    }
    if (query->selectors.count == 0)
        OI_TRY(add_selector(request, query, NULL, problem));
    return OI_OK;
}

static enum oi_status
parse_markets(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    bool is_live = false;

    OI_TRY(OI_TEXT_PARAMETERS(request, market_parameters, problem));
    query->kind = OI_QUERY_MARKETS;
    query->is_one_list = true;
    query->wants_extents = true;
    query->text_filter = oi_text_copy(request, "q", query);
    OI_TRY(oi_text_boolean(request, "live", &is_live, problem));
    OI_TRY(native_select(request, query, problem));
    for (size_t i = 0; i < query->selectors.count; i++)
        query->selectors.items[i].live_only = is_live;
    return read_form(call, request, ROWS, query, problem);
}

enum oi_status
native_read_unit(const struct oi_http_request *request, struct oi_query *query,
                 struct oi_problem *problem)
{
    static const struct oi_word units[] = {
        { "coins", OI_UNIT_COINS },
        { "contracts", OI_UNIT_CONTRACTS },
        { "usd", OI_UNIT_USD },
        { "reported", OI_UNIT_UNKNOWN },
    };
    static const struct oi_word conventions[] = {
        { "canonical", true },
        { "as_reported", false },
    };
    int64_t unit = OI_UNIT_COINS, is_canonical = true;

    OI_TRY(OI_TEXT_WORD(request, "unit", units, &unit, problem));
    OI_TRY(OI_TEXT_WORD(request, "convention", conventions, &is_canonical, problem));
    query->unit = (enum oi_unit) unit;
    query->is_canonical = is_canonical;
    return OI_OK;
}

static enum oi_status
read_span(const struct oi_call *call, const struct oi_http_request *request, struct oi_query *query,
          struct oi_problem *problem)
{
    struct oi_slice start = oi_text_value(request, "start");
    int64_t history_ns = call->allowance.history_ns;
    oi_time earliest = history_ns > 0 ? call->now - history_ns : OI_TIME_EARLIEST;

    OI_TRY(read_time(request, "start", &query->span.from, problem));
    OI_TRY(read_time(request, "end", &query->span.to, problem));
    if (query->span.from > query->span.to)
        return oi_problem_set(problem, OI_PROBLEM_RANGE, "end", oi_text_value(request, "end"),
                              "Must not be before start.");
    if (start.size > 0 && query->span.from < earliest)
        return oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "start", start,
                              "Beyond the history of your plan.");
    if (query->span.from < earliest)
        query->span.from = earliest < query->span.to ? earliest : query->span.to;
    query->from_end = start.size == 0;
    return OI_OK;
}

enum oi_status
native_read_interval(const struct oi_http_request *request, struct oi_query *query,
                     struct oi_problem *problem)
{
    struct oi_slice interval = oi_text_value(request, "interval");

    if (interval.size > 0 && oi_interval_parse(interval, &query->interval_ns, NULL) != OI_OK)
        return bad(problem, "interval", interval, "Must be a count and one of s m h d w: 1h.");
    return OI_OK;
}

/* Candles where an interval is given; a total is made of candles. */
static enum oi_status
read_shape(const struct oi_http_request *request, struct oi_query *query,
           struct oi_problem *problem)
{
    static const struct oi_word orders[] = { { "asc", false }, { "desc", true } };
    struct oi_slice interval = oi_text_value(request, "interval");
    int64_t is_descending = false;
    bool is_total = false;

    OI_TRY(OI_TEXT_WORD(request, "order", orders, &is_descending, problem));
    OI_TRY(oi_text_boolean(request, "total", &is_total, problem));
    OI_TRY(oi_text_boolean(request, "fill", &query->fills_gaps, problem));
    OI_TRY(native_read_interval(request, query, problem));
    query->is_descending = is_descending;
    query->marks_incomplete = true;
    query->kind = interval.size > 0 ? OI_QUERY_CANDLES : OI_QUERY_ROWS;
    query->shows_bad = query->kind == OI_QUERY_ROWS; /* their flags are in the answer */
    if (interval.size > 0) {
        query->is_one_total = is_total;
        return OI_OK;
    }
    if (is_total)
        return bad(problem, "total", OI_SLICE("true"), "A total needs an interval.");
    if (query->fills_gaps)
        return bad(problem, "fill", OI_SLICE("true"), "Filling needs an interval.");
    if (query->is_descending)
        return bad(problem, "order", OI_SLICE("desc"), "Readings ascend; candles may descend.");
    return OI_OK;
}

static enum oi_status
needs_choice(const struct oi_http_request *request, struct oi_problem *problem)
{
    if (oi_text_value(request, "market").size > 0 || oi_text_value(request, "exchange").size > 0 ||
        oi_text_value(request, "coin").size > 0)
        return OI_OK;
    return oi_problem_set(problem, OI_PROBLEM_MISSING, "market", (struct oi_slice){},
                          "One of market, exchange and coin is required.");
}

static enum oi_status
parse_rows(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, row_parameters, problem));
    OI_TRY(needs_choice(request, problem));
    OI_TRY(native_select(request, query, problem));
    query->needs_a_market = true;
    OI_TRY(native_read_unit(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    OI_TRY(read_shape(request, query, problem));
    return read_form(call, request, ROWS, query, problem);
}

static enum oi_status
parse_latest(const struct oi_call *call, const struct oi_http_request *request,
             struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, latest_parameters, problem));
    query->kind = OI_QUERY_LATEST;
    query->order_by_usd = true;
    OI_TRY(native_select(request, query, problem));
    for (size_t i = 0; i < query->selectors.count; i++)
        query->selectors.items[i].live_only = query->selectors.items[i].market == NULL;
    OI_TRY(native_read_unit(request, query, problem));
    return read_form(call, request, LATEST_ROWS, query, problem);
}

static enum oi_status
parse_revisions(const struct oi_call *call, const struct oi_http_request *request,
                struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, revision_parameters, problem));
    query->kind = OI_QUERY_REVISIONS;
    OI_TRY(needs_choice(request, problem));
    OI_TRY(native_select(request, query, problem));
    query->needs_a_market = true;
    OI_TRY(native_read_unit(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    query->from_end = false;
    return read_form(call, request, ROWS, query, problem);
}

static enum oi_status
parse_changes(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, change_parameters, problem));
    query->kind = OI_QUERY_CHANGES;
    OI_TRY(needs_choice(request, problem));
    if (oi_text_value(request, "start").size == 0)
        return oi_problem_set(problem, OI_PROBLEM_MISSING, "start", (struct oi_slice){},
                              "From when on? Without end the change is until now.");
    OI_TRY(native_select(request, query, problem));
    query->needs_a_market = true;
    OI_TRY(native_read_unit(request, query, problem));
    if (query->unit == OI_UNIT_UNKNOWN)
        return bad(problem, "unit", oi_text_value(request, "unit"),
                   "Amounts that are added up need one unit: coins, contracts or usd.");
    OI_TRY(read_span(call, request, query, problem));
    return read_form(call, request, ROWS, query, problem);
}

/* `by`: how the markets are told apart; unless named, in every way but by their quotes. */
static enum oi_status
read_splits(const struct oi_http_request *request, struct oi_query *query,
            struct oi_problem *problem)
{
    static const struct oi_word words[] = {
        { "total", OI_SPLIT_NONE }, { "exchange", OI_SPLIT_EXCHANGE },
        { "coin", OI_SPLIT_COIN },  { "quote", OI_SPLIT_QUOTE },
        { "kind", OI_SPLIT_KIND },  { "settlement", OI_SPLIT_SETTLEMENT },
        { "market", -1 },
    };
    bool is_named = false;

    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];
        size_t word = 0;

        if (!oi_slice_is(field->name, "by"))
            continue;
        while (word < OI_COUNT(words) && !oi_slice_is(field->value, words[word].word))
            word++;
        if (word == OI_COUNT(words))
            return bad(problem, "by", field->value,
                       "Must be total, exchange, coin, quote, kind, settlement or market.");
        if (words[word].value < 0)
            query->ranks_markets = true;
        else
            query->splits |= 1u << words[word].value;
        is_named = true;
    }
    if (is_named)
        return OI_OK;
    query->splits = 1u << OI_SPLIT_NONE | 1u << OI_SPLIT_EXCHANGE | 1u << OI_SPLIT_COIN |
                    1u << OI_SPLIT_KIND | 1u << OI_SPLIT_SETTLEMENT;
    query->ranks_markets = query->interval_ns == 0;
    return OI_OK;
}

static enum oi_status
parse_overview(const struct oi_call *call, const struct oi_http_request *request,
               struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice wanted = oi_text_value(request, "top");
    int64_t top = OVERVIEW_TOP;

    OI_TRY(OI_TEXT_PARAMETERS(request, overview_parameters, problem));
    query->kind = OI_QUERY_OVERVIEW;
    query->is_canonical = true;
    query->unit = OI_UNIT_USD;
    query->is_one_list = true; /* a market named twice counts once */
    OI_TRY(native_select(request, query, problem));
    OI_TRY(native_read_interval(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    if (query->interval_ns > 0 && oi_text_value(request, "start").size == 0)
        return oi_problem_set(problem, OI_PROBLEM_MISSING, "start", (struct oi_slice){},
                              "Ends of intervals from when on?");
    if (query->interval_ns > 0 &&
        (query->span.to != OI_TIME_LATEST ? query->span.to : call->now) - query->span.from >
            OVERVIEW_INSTANTS * query->interval_ns)
        return oi_problem_set(problem, OI_PROBLEM_TOO_MANY, "interval",
                              oi_text_value(request, "interval"), "More than %d instants.",
                              OVERVIEW_INSTANTS);
    OI_TRY(read_splits(request, query, problem));
    if (query->ranks_markets && query->interval_ns > 0)
        return bad(problem, "by", OI_SLICE("market"), "Markets are not told apart by intervals.");
    if (wanted.size > 0 && (!oi_text_integer(wanted, &top) || top < 1 || top > OVERVIEW_TOP))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "top", wanted,
                              "Must be a whole number from 1 to %d.", OVERVIEW_TOP);
    query->top = (size_t) top;
    return read_form(call, request, ROWS_MAX, query, problem);
}

static enum oi_status
parse_coverage(const struct oi_call *call, const struct oi_http_request *request,
               struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, gap_parameters, problem));
    query->kind = OI_QUERY_COVERAGE;
    OI_TRY(native_select(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    query->from_end = false;
    return read_form(call, request, ROWS, query, problem);
}

static enum oi_status
parse_conventions(const struct oi_call *call, const struct oi_http_request *request,
                  struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, convention_parameters, problem));
    query->kind = OI_QUERY_CONVENTIONS;
    query->text_filter = oi_text_copy(request, "exchange", query);
    return read_form(call, request, ROWS, query, problem);
}

/* Without a start the last month. */
static enum oi_status
parse_calendar(const struct oi_call *call, const struct oi_http_request *request,
               struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, calendar_parameters, problem));
    query->kind = OI_QUERY_CALENDAR;
    OI_TRY(native_select(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    if (query->from_end) {
        oi_time end = query->span.to < call->now ? query->span.to : call->now;

        if (query->span.from < end - CALENDAR_DAYS * OI_DAY)
            query->span.from = end - CALENDAR_DAYS * OI_DAY;
    }
    if (query->span.from < call->now - CALENDAR_DAYS_MAX * OI_DAY)
        return bad(problem, "start", oi_text_value(request, "start"),
                   "The calendar goes back ten years.");
    query->from_end = false;
    return read_form(call, request, CALENDAR_ROWS, query, problem);
}

/* Options, one by one or by expiry. */
static enum oi_status
read_options(const struct oi_call *call, const struct oi_http_request *request,
             struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(native_select(request, query, problem));
    for (size_t i = 0; i < query->selectors.count; i++)
        if (!query->selectors.items[i].market)
            oi_vector_push(&query->selectors.items[i].kinds, OI_KIND_OPTION);
    OI_TRY(read_span(call, request, query, problem));
    query->from_end = false;
    return read_form(call, request, OPTION_ROWS, query, problem);
}

static enum oi_status
parse_options(const struct oi_call *call, const struct oi_http_request *request,
              struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, option_parameters, problem));
    query->kind = OI_QUERY_OPTIONS;
    return read_options(call, request, query, problem);
}

static enum oi_status
parse_expiries(const struct oi_call *call, const struct oi_http_request *request,
               struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, expiry_parameters, problem));
    query->kind = OI_QUERY_EXPIRIES;
    return read_options(call, request, query, problem);
}

static enum oi_status
parse_gaps(const struct oi_call *call, const struct oi_http_request *request,
           struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, gap_parameters, problem));
    query->kind = OI_QUERY_GAPS;
    OI_TRY(native_select(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    query->from_end = false;
    return read_form(call, request, ROWS, query, problem);
}

static enum oi_status
parse_frozen(const struct oi_call *call, const struct oi_http_request *request,
             struct oi_query *query, struct oi_problem *problem)
{
    struct oi_slice lasting = oi_text_value(request, "lasting");

    OI_TRY(OI_TEXT_PARAMETERS(request, frozen_parameters, problem));
    query->kind = OI_QUERY_FROZEN;
    query->lasting_ns = OI_HOUR;
    if (lasting.size > 0 && oi_interval_parse(lasting, &query->lasting_ns, NULL) != OI_OK)
        return bad(problem, "lasting", lasting, "Must be a count and one of s m h d w: 1h.");
    OI_TRY(native_select(request, query, problem));
    OI_TRY(read_span(call, request, query, problem));
    query->from_end = false;
    return read_form(call, request, ROWS, query, problem);
}

static enum oi_status
parse_alerts(const struct oi_call *call, const struct oi_http_request *request,
             struct oi_query *query, struct oi_problem *problem)
{
    OI_TRY(OI_TEXT_PARAMETERS(request, alert_parameters, problem));
    query->kind = OI_QUERY_ALERTS;
    query->from_end = true;
    query->text_filter = oi_text_copy(request, "rule", query);
    return read_form(call, request, LATEST_ROWS, query, problem);
}

void
native_write_cursor(const struct oi_position *position, struct oi_buffer *out)
{
    struct oi_buffer text = {};

    oi_buffer_add_int(&text, (int64_t) position->market);
    oi_buffer_add_char(&text, '/');
    oi_buffer_add_int(&text, position->time);
    if (position->rows > 0)
        oi_buffer_add_format(&text, "/%zu/%zu", position->feed, position->rows);
    oi_base64url(oi_buffer_slice(&text), out);
    oi_buffer_release(&text);
}

bool
native_read_cursor(struct oi_slice text, struct oi_position *ret_position)
{
    struct oi_buffer bytes = { .size_max = 64 };
    struct oi_slice rest, part;
    int64_t numbers[] = { -1, 0, 0, 0 }; /* market, time; of revisions, feed and rows */
    bool is_good = text.size < 80 && oi_unbase64(text, &bytes, NULL) == OI_OK;
    size_t count = 0;

    rest = oi_buffer_slice(&bytes);
    while (is_good && count < OI_COUNT(numbers) && oi_slice_next_part(&rest, '/', &part))
        is_good = oi_text_integer(part, &numbers[count++]);
    is_good = is_good && rest.size == 0 && (count == 2 || count == 4) && numbers[0] >= 0 &&
              numbers[1] != OI_TIME_NONE && numbers[2] >= 0 && numbers[3] >= 0;
    oi_buffer_release(&bytes);
    if (is_good)
        *ret_position = (struct oi_position){ .is_set = true,
                                              .market = (size_t) numbers[0],
                                              .time = numbers[1],
                                              .feed = (size_t) numbers[2],
                                              .rows = (size_t) numbers[3] };
    return is_good;
}

/*
 * Problems.
 */

static const struct outcome {
    int status;
    const char *code, *message; /* message NULL: the problem's own */
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, "internal", "Internal error." },
    [OI_PROBLEM_PARAMETER] = { 400, "invalid_parameter", NULL },
    [OI_PROBLEM_MISSING] = { 400, "missing_parameter", NULL },
    [OI_PROBLEM_UNKNOWN] = { 400, "unknown_parameter", NULL },
    [OI_PROBLEM_REPEATED] = { 400, "repeated_parameter", NULL },
    [OI_PROBLEM_MARKET] = { 404, "unknown_market", NULL },
    [OI_PROBLEM_RANGE] = { 400, "invalid_range", NULL },
    [OI_PROBLEM_TOO_MANY] = { 400, "too_many_points", NULL },
    [OI_PROBLEM_PATH] = { 404, "not_found", "No such endpoint." },
    [OI_PROBLEM_METHOD] = { 405, "method_not_allowed", "Method not allowed." },
    [OI_PROBLEM_KEY_MISSING] = { 401, "missing_key", "This server asks for a key." },
    [OI_PROBLEM_KEY_WRONG] = { 401, "wrong_key", "This key is not valid here." },
    [OI_PROBLEM_FORBIDDEN] = { 403, "forbidden", NULL },
    [OI_PROBLEM_CREDITS] = { 402, "credits_exhausted", "Your credits are used up." },
    [OI_PROBLEM_RATE] = { 429, "too_many_requests", "Too many requests." },
    [OI_PROBLEM_SYNTAX] = { 400, "malformed_request", "Malformed request." },
    [OI_PROBLEM_INTERNAL] = { 500, "internal", "Internal error." },
    [OI_PROBLEM_UNAVAILABLE] = { 503, "unavailable", "Temporarily unavailable." },
};

static void
render_problem(const struct oi_call *, const struct oi_http_request *,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    struct outcome outcome = outcomes[problem->kind];
    struct oi_json_writer writer;

    if (!outcome.message)
        outcome.message = problem->message[0] ? problem->message : "Not allowed.";
    writer = oi_text_begin_refusal(reply, outcome.status, problem);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "error");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "code", problem->code ? problem->code : outcome.code);
    oi_text_json_text(&writer, "message", outcome.message);
    if (problem->parameter[0])
        oi_text_json_text(&writer, "parameter", problem->parameter);
    if (problem->value[0])
        oi_text_json_text(&writer, "value", problem->value);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
}

static const char *const mounts[] = { "/oi/v1", NULL };

#define ROUTE(path_, parse_)                                                                       \
    {                                                                                              \
        .path = (path_), .methods = OI_METHOD_GET, .parse = (parse_), .render = native_render,     \
        .tabulate = native_tabulate                                                                \
    }
static const struct oi_route routes[] = {
    ROUTE("/markets", parse_markets),         ROUTE("/open-interest", parse_rows),
    ROUTE("/latest", parse_latest),           ROUTE("/gaps", parse_gaps),
    ROUTE("/frozen", parse_frozen),           ROUTE("/coverage", parse_coverage),
    ROUTE("/revisions", parse_revisions),     ROUTE("/changes", parse_changes),
    ROUTE("/conventions", parse_conventions), ROUTE("/coverage/days", parse_calendar),
    ROUTE("/options", parse_options),         ROUTE("/options/expiries", parse_expiries),
    ROUTE("/overview", parse_overview),       ROUTE("/alerts", parse_alerts),
};

const struct oi_dialect oi_dialect_native = {
    .name = "native",
    .full_name = "oi API v1",
    .mounts = mounts,
    .prefix = "/",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .streams = &native_stream,
    .stream_count = 1,
    .key = oi_text_bearer,
    .render_problem = render_problem,
};
