/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of the Coin Metrics dialect: reported open interest of assets, exchanges, exchanges'
 * assets, pairs and markets at 1m, 1h or 1d. A value is a snapshot at its row's time.
 */
#include "dialects/coinmetrics_internal.h"

#include <string.h>

/* The vendor's metrics leave with about 15 significant digits. */
#define VALUE_DIGITS 15

/* oi_query.variant */
enum { NULL_AS_ZERO = 1 };

static const struct coinmetrics_level levels[] = {
    { "exchange-asset-metrics", "exchange_assets", "exchange_asset", "exchange asset",
      "limit_per_exchange_asset", OI_LEVEL_EXCHANGE_ASSET, false },
    { "exchange-pair-metrics", "exchange_pairs", "exchange_pair", "exchange pair",
      "limit_per_exchange_pair", OI_LEVEL_EXCHANGE_PAIR, false },
    { "asset-metrics", "assets", "asset", "asset", "limit_per_asset", OI_LEVEL_ASSET, true },
    { "exchange-metrics", "exchanges", "exchange", "exchange", "limit_per_exchange",
      OI_LEVEL_EXCHANGE, false },
    { "pair-metrics", "pairs", "pair", "pair", "limit_per_pair", OI_LEVEL_PAIR, false },
    { "market-metrics", "markets", "market", "market", "limit_per_market", OI_LEVEL_MARKET, true },
};

static const struct oi_parameter parameters[] = {
    { "api_key", 0 },
    { "assets", 0 },
    { "exchanges", 0 },
    { "exchange_assets", 0 },
    { "exchange_pairs", 0 },
    { "pairs", 0 },
    { "markets", 0 },
    { "metrics", OI_PARAMETER_REQUIRED },
    { "frequency", 0 },
    { "start_time", 0 },
    { "end_time", 0 },
    { "start_inclusive", 0 },
    { "end_inclusive", 0 },
    { "timezone", 0 },
    { "page_size", 0 },
    { "paging_from", 0 },
    { "sort", 0 },
    { "limit_per_asset", 0 },
    { "limit_per_exchange", 0 },
    { "limit_per_exchange_asset", 0 },
    { "limit_per_exchange_pair", 0 },
    { "limit_per_pair", 0 },
    { "limit_per_market", 0 },
    { "ignore_unsupported_errors", 0 },
    { "ignore_forbidden_errors", 0 },
    { "null_as_zero", 0 },
    { "status", 0 },
    { "pretty", 0 },
    { "format", 0 },
    { "next_page_token", 0 },
    COINMETRICS_PARAMETERS_OF_ALL,
};

const struct coinmetrics_level *
coinmetrics_find_level(struct oi_slice path)
{
    for (size_t i = 0; i < OI_COUNT(levels); i++)
        if (oi_slice_ends_with(path, levels[i].path))
            return &levels[i];
    return &levels[0];
}

enum oi_status
coinmetrics_read_entities(const struct oi_http_request *request,
                          const struct coinmetrics_level *level, struct oi_query *query,
                          struct oi_problem *problem)
{
    struct oi_slice rest = oi_text_value(request, level->entities), part;

    query->level = level->level;
    query->entity_parameter = level->entities;
    while (rest.size > 0 && oi_slice_next_part(&rest, ',', &part)) {
        if (part.size == 0)
            return coinmetrics_not_supported(problem, level->entities, part);
        if (query->entities.count >= OI_PARAMETER_VALUES_MAX)
            return oi_problem_set(problem, OI_PROBLEM_PARAMETER, level->entities,
                                  (struct oi_slice){}, "Must be at most %d.",
                                  OI_PARAMETER_VALUES_MAX);
        oi_vector_push(&query->entities, oi_arena_copy(&query->arena, part));
    }
    return OI_OK;
}

static const struct coinmetrics_metric *
find_metric(const struct coinmetrics_level *level, struct oi_slice name)
{
    for (size_t i = 0; i < COINMETRICS_METRIC_COUNT; i++)
        if (oi_slice_is(name, coinmetrics_metrics[i].name) &&
            (level->level != OI_LEVEL_MARKET || coinmetrics_metrics[i].is_of_markets))
            return &coinmetrics_metrics[i];
    return NULL;
}

enum oi_status
coinmetrics_read_metrics(const struct oi_http_request *request,
                         const struct coinmetrics_level *level, struct oi_query *query,
                         struct oi_problem *problem)
{
    struct oi_slice rest = oi_text_value(request, "metrics"), part;
    struct oi_measure *measures =
        oi_arena_alloc_zero(&query->arena, COINMETRICS_METRIC_COUNT, sizeof(*measures));

    for (size_t i = 0; rest.size == 0 && i < COINMETRICS_METRIC_COUNT; i++)
        if (level->level != OI_LEVEL_MARKET || coinmetrics_metrics[i].is_of_markets)
            query->number |= INT64_C(1) << i;
    while (rest.size > 0 && oi_slice_next_part(&rest, ',', &part)) {
        const struct coinmetrics_metric *metric = find_metric(level, part);

        if (metric)
            query->number |= INT64_C(1) << (metric - coinmetrics_metrics);
        else if (!query->ignores_unknown)
            return coinmetrics_not_supported(problem, "metrics", part);
    }
    for (size_t i = 0; i < COINMETRICS_METRIC_COUNT; i++)
        if (query->number & INT64_C(1) << i)
            measures[query->measure_count++] = coinmetrics_metrics[i].measure;
    query->measures = measures;
    return OI_OK;
}

const struct coinmetrics_metric *
coinmetrics_metric_of(const struct oi_query *query, size_t measure)
{
    for (size_t i = 0; i < COINMETRICS_METRIC_COUNT; i++)
        if ((query->number & INT64_C(1) << i) && measure-- == 0)
            return &coinmetrics_metrics[i];
    return &coinmetrics_metrics[0];
}

static enum oi_status
read_frequency(const struct oi_http_request *request, const struct coinmetrics_level *level,
               struct oi_query *query, struct oi_problem *problem)
{
    /* Those of other metrics are words of the API too. */
    static const struct oi_word frequencies[] = {
        { "1m", OI_MINUTE }, { "1h", OI_HOUR }, { "1d", OI_DAY }, { "1b", 0 },
        { "1s", 0 },         { "5m", 0 },       { "10m", 0 },     { "1d-ny-close", 0 },
    };
    struct oi_slice value = oi_text_value(request, "frequency");

    query->interval_ns = OI_DAY;
    OI_TRY(coinmetrics_read_choice(request, "frequency", frequencies, OI_COUNT(frequencies),
                                   &query->interval_ns, problem));
    query->echo_interval = value.size > 0 ? oi_arena_copy(&query->arena, value) : "1d";
    if (query->measure_count == 0 || (query->interval_ns > 0 && (query->interval_ns != OI_MINUTE ||
                                                                 level->level == OI_LEVEL_MARKET)))
        return OI_OK;
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "frequency", value,
                          "Requested metric '%s' with frequency '%s' is not supported.",
                          coinmetrics_metric_of(query, 0)->name, query->echo_interval);
}

enum oi_status
coinmetrics_parse_metrics(const struct oi_call *call, const struct oi_http_request *request,
                          struct oi_query *query, struct oi_problem *problem)
{
    const struct coinmetrics_level *level = coinmetrics_find_level(request->path);
    const struct oi_word sorts[] = { { level->key, false }, { "time", true } };
    bool ignores_unknown = false, null_as_zero = false;
    int64_t by_time = false;

    OI_TRY(OI_TEXT_PARAMETERS(request, parameters, problem));
    query->kind = OI_QUERY_METRICS;
    OI_TRY(
        coinmetrics_read_boolean(request, "ignore_unsupported_errors", &ignores_unknown, problem));
    query->ignores_unknown = ignores_unknown && level->may_ignore;
    if (oi_text_value(request, level->entities).size == 0)
        return oi_problem_set(problem, OI_PROBLEM_MISSING, level->entities, (struct oi_slice){},
                              "Missing required parameter.");
    OI_TRY(coinmetrics_read_entities(request, level, query, problem));
    OI_TRY(coinmetrics_read_metrics(request, level, query, problem));
    OI_TRY(read_frequency(request, level, query, problem));
    OI_TRY(coinmetrics_read_span(call, request, query, problem));
    OI_TRY(coinmetrics_read_choice(request, "sort", sorts, OI_COUNT(sorts), &by_time, problem));
    OI_TRY(coinmetrics_read_count(request, level->limit, INT32_MAX, &query->limit_per_market,
                                  problem));
    OI_TRY(coinmetrics_read_boolean(request, "null_as_zero", &null_as_zero, problem));
    OI_TRY(coinmetrics_read_form(request, true, true, query, problem));
    OI_TRY(coinmetrics_read_token(request, query, problem));
    query->order_by_time = by_time;
    query->variant = null_as_zero && level->level == OI_LEVEL_ASSET ? NULL_AS_ZERO : 0;
    if (query->measure_count == 0)
        query->kind = OI_QUERY_NONE;
    return OI_OK;
}

/*
 * Answers.
 */

/* What surrounds the fields of a row in a layout. */
struct layout {
    const char *begin, *row, *name, *colon, *row_end;
};
static const struct layout layout_compact = { "{\"data\":[", "{", "\"", "\":", "}" };
static const struct layout layout_pretty = { "{\n  \"data\": [", "\n    {", "\n      \"",
                                             "\": ", "\n    }" };
static const struct layout layout_stream = { "", "{", "\"", "\":", "}\n" };

static const struct layout *
layout_of(const struct oi_query *query)
{
    if (query->format == COINMETRICS_FORMAT_JSON_STREAM)
        return &layout_stream;
    return query->is_pretty ? &layout_pretty : &layout_compact;
}

/* One that was named must have one of the metrics at least. */
static enum oi_status
check_supported(struct oi_rendering *rendering, const struct coinmetrics_level *level)
{
    const struct oi_query *query = rendering->query;
    const struct oi_result *result = rendering->result;

    for (size_t i = 0; result && i < result->market_count && !query->ignores_unknown; i++) {
        const struct oi_market *market = &result->markets[i];

        for (size_t at = 0; market->measures == 0 && at < query->entities.count; at++)
            if (strcmp(query->entities.items[at], market->name) == 0)
                return oi_problem_set(rendering->problem, OI_PROBLEM_PARAMETER, "metrics",
                                      oi_slice_of(coinmetrics_metric_of(query, 0)->name),
                                      "Requested metric '%s' with frequency '%s' for %s '%s' is "
                                      "not supported.",
                                      coinmetrics_metric_of(query, 0)->name, query->echo_interval,
                                      level->word, market->name);
    }
    return OI_OK;
}

static void
add_value(const struct oi_query *query, const struct oi_decimal *value, struct oi_buffer *out)
{
    const struct oi_decimal one = oi_decimal_from(1, 0);
    bool is_csv = query->format == COINMETRICS_FORMAT_CSV;
    struct oi_decimal rounded = *value;

    if (oi_decimal_is_none(value) && query->variant == NULL_AS_ZERO)
        rounded = oi_decimal_from(0, 0);
    if (oi_decimal_digits(&rounded) > VALUE_DIGITS &&
        oi_decimal_divide_half_even(value, &one, VALUE_DIGITS, &rounded, NULL) != OI_OK)
        rounded = *value;
    if (oi_decimal_is_none(&rounded)) {
        oi_buffer_add_text(out, is_csv ? "" : "null");
        return;
    }
    oi_buffer_add_text(out, is_csv ? "" : "\"");
    oi_decimal_write(&rounded, out);
    oi_buffer_add_text(out, is_csv ? "" : "\"");
}

static void
add_name(const struct layout *layout, const char *separator, const char *name,
         struct oi_buffer *out)
{
    oi_buffer_add_text(out, separator);
    oi_buffer_add_text(out, layout->name);
    oi_buffer_add_text(out, name);
    oi_buffer_add_text(out, layout->colon);
}

static void
add_json_row(struct oi_rendering *rendering, const struct coinmetrics_level *level,
             const struct oi_market *market, const struct oi_measured *row, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;
    const struct layout *layout = layout_of(query);

    if (rendering->row_count++ > 0 && query->format == COINMETRICS_FORMAT_JSON)
        oi_buffer_add_char(out, ',');
    oi_buffer_add_text(out, layout->row);
    add_name(layout, "", level->key, out);
    oi_json_quote(out, oi_slice_of(market->name));
    add_name(layout, ",", "time", out);
    oi_buffer_add_char(out, '"');
    oi_text_add_time(rendering->state, row->time, 9, out);
    oi_buffer_add_char(out, '"');
    /* A metric that the entity has none of is no key; one without data at that time is null. */
    for (size_t i = 0; i < query->measure_count; i++) {
        if (!(market->measures & 1u << i))
            continue;
        add_name(layout, ",", coinmetrics_metric_of(query, i)->name, out);
        add_value(query, &row->values[i], out);
    }
    oi_buffer_add_text(out, layout->row_end);
}

static void
add_csv_row(struct oi_rendering *rendering, const struct oi_market *market,
            const struct oi_measured *row, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;

    oi_buffer_add_text(out, market->name);
    oi_buffer_add_char(out, ',');
    oi_text_add_time(rendering->state, row->time, 9, out);
    for (size_t i = 0; i < query->measure_count; i++) {
        oi_buffer_add_char(out, ',');
        if (market->measures & 1u << i)
            add_value(query, &row->values[i], out);
    }
    oi_buffer_add_char(out, '\n');
}

/* Token and address of the next page, known from the start. */
static bool
next_page(const struct oi_rendering *rendering, struct oi_buffer *token, struct oi_buffer *url)
{
    if (!rendering->result || !rendering->result->next_position.is_set)
        return false;
    coinmetrics_write_token(&rendering->result->next_position, token);
    coinmetrics_write_next_url(rendering, oi_buffer_slice(token), url);
    return true;
}

static void
begin(struct oi_rendering *rendering, const struct coinmetrics_level *level, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;
    struct oi_buffer token = {}, url = {};

    coinmetrics_begin_answer(rendering);
    rendering->state =
        oi_arena_alloc_zero(&rendering->reply->arena, 1, sizeof(struct oi_time_writer));
    if (query->format != COINMETRICS_FORMAT_CSV) {
        oi_buffer_add_text(out, layout_of(query)->begin);
        return;
    }
    oi_buffer_add_text(out, level->key);
    oi_buffer_add_text(out, ",time");
    for (size_t i = 0; i < query->measure_count; i++) {
        oi_buffer_add_char(out, ',');
        oi_buffer_add_text(out, coinmetrics_metric_of(query, i)->name);
    }
    oi_buffer_add_char(out, '\n');
    if (next_page(rendering, &token, &url))
        oi_http_reply_header(rendering->reply, "x-next-page-url", oi_buffer_slice(&url));
    oi_buffer_release(&token);
    oi_buffer_release(&url);
}

enum oi_status
coinmetrics_render_metrics(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                           struct oi_error *error)
{
    const struct coinmetrics_level *level = coinmetrics_find_level(rendering->request->path);
    const struct oi_block *block = NULL;

    if (rendering->step == 0) {
        OI_TRY(check_supported(rendering, level));
        begin(rendering, level, out);
    }
    if (rendering->result)
        OI_TRY(oi_result_next(rendering->result, &block, error));
    for (size_t i = 0; block && block->measured && i < block->count; i++) {
        if (rendering->query->format == COINMETRICS_FORMAT_CSV)
            add_csv_row(rendering, block->market, &block->measured[i], out);
        else
            add_json_row(rendering, level, block->market, &block->measured[i], out);
    }
    if (!block && rendering->query->format == COINMETRICS_FORMAT_JSON)
        coinmetrics_end_rows(rendering, out);
    *ret_is_last = !block;
    return OI_OK;
}
