/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: its answers are fixtures of contract/dialect_contract_test.c */
/*
 * The catalogue of the Coin Metrics dialect's metrics: for each asset, exchange, pair or market
 * which metrics there are, at which frequencies, from when until when.
 */
#include "dialects/coinmetrics_internal.h"

static const struct oi_parameter parameters[] = {
    { "api_key", 0 },
    { "assets", 0 },
    { "exchanges", 0 },
    { "exchange_assets", 0 },
    { "exchange_pairs", 0 },
    { "pairs", 0 },
    { "markets", 0 },
    { "metrics", 0 },
    { "exchange", 0 },
    { "type", 0 },
    { "base", 0 },
    { "quote", 0 },
    { "asset", 0 },
    { "symbol", 0 },
    { "reviewable", 0 },
    { "page_size", 0 },
    { "paging_from", 0 },
    { "pretty", 0 },
    { "format", 0 },
    { "next_page_token", 0 },
    COINMETRICS_PARAMETERS_OF_ALL,
};

/* In the order in which they stand; only markets have the last. */
static const struct oi_word frequencies[] = {
    { "1d", OI_DAY },
    { "1h", OI_HOUR },
    { "1m", OI_MINUTE },
};

static size_t
frequency_count(const struct oi_query *query)
{
    return query->level == OI_LEVEL_MARKET ? OI_COUNT(frequencies) : OI_COUNT(frequencies) - 1;
}

/* The conditions on markets are those of the catalogue of markets. */
static enum oi_status
read_filters(const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    static const char *const names[] = { "exchange", "type", "base", "quote", "asset", "symbol" };
    bool has_any = false;

    for (size_t i = 0; i < OI_COUNT(names); i++)
        has_any = has_any || oi_text_value(request, names[i]).size > 0;
    if (query->level != OI_LEVEL_MARKET || !has_any)
        return OI_OK;
    coinmetrics_select_all(request, query);
    return coinmetrics_read_filters(request, query, problem);
}

enum oi_status
coinmetrics_parse_metric_catalog(const struct oi_call *, const struct oi_http_request *request,
                                 struct oi_query *query, struct oi_problem *problem)
{
    const struct coinmetrics_level *level = coinmetrics_find_level(request->path);

    OI_TRY(OI_TEXT_PARAMETERS(request, parameters, problem));
    query->kind = OI_QUERY_METRICS;
    query->wants_extents = true;
    OI_TRY(coinmetrics_read_entities(request, level, query, problem));
    if (query->entities.count == 0)
        oi_vector_push(&query->entities, "*");
    OI_TRY(coinmetrics_read_metrics(request, level, query, problem));
    OI_TRY(read_filters(request, query, problem));
    OI_TRY(coinmetrics_read_form(request, false, false, query, problem));
    OI_TRY(coinmetrics_read_token(request, query, problem));
    if (query->variant == COINMETRICS_VARIANT_NOTHING)
        query->kind = OI_QUERY_NONE;
    return OI_OK;
}

/* One row being written, and the line ends of its layout. */
struct row {
    const struct oi_query *query;
    struct oi_buffer *out;
    struct oi_time_writer *time;
};

static void
add_break(const struct row *row, const char *indent)
{
    if (!row->query->is_pretty)
        return;
    oi_buffer_add_char(row->out, '\n');
    oi_buffer_add_text(row->out, indent);
}

static void
add_name(const struct row *row, const char *name)
{
    oi_buffer_add_format(row->out, row->query->is_pretty ? "\"%s\": " : "\"%s\":", name);
}

static void
add_time(const struct row *row, const char *name, oi_time time)
{
    add_name(row, name);
    oi_buffer_add_char(row->out, '"');
    oi_text_add_time(row->time, time, 9, row->out);
    oi_buffer_add_char(row->out, '"');
}

/* The first and last instant of a frequency's grid in an extent; false: none is in it. */
static bool
grid_of(const struct oi_span *extent, int64_t step, oi_time *ret_first, oi_time *ret_last)
{
    oi_time first = oi_interval_floor(step, extent->from);
    oi_time last = oi_interval_floor(step, extent->to - 1);

    if (first < extent->from)
        first += step;
    *ret_first = first;
    *ret_last = last;
    return extent->from < extent->to && first <= last;
}

static size_t
add_frequencies(const struct row *row, const struct oi_span *extent)
{
    size_t count = 0;

    for (size_t i = 0; i < frequency_count(row->query); i++) {
        oi_time first, last;

        if (!grid_of(extent, frequencies[i].value, &first, &last))
            continue;
        oi_buffer_add_text(row->out, count++ > 0 ? "," : "");
        add_break(row, "            ");
        oi_buffer_add_char(row->out, '{');
        add_name(row, "frequency");
        oi_buffer_add_format(row->out, "\"%s\",", frequencies[i].word);
        add_time(row, "min_time", first);
        oi_buffer_add_char(row->out, ',');
        add_time(row, "max_time", last);
        oi_buffer_add_char(row->out, '}');
    }
    return count;
}

/* A metric with the frequencies it has; nothing and false where it has none. */
static bool
add_metric(const struct row *row, size_t measure, const struct oi_span *extent, bool is_first)
{
    size_t before = row->out->size;

    oi_buffer_add_text(row->out, is_first ? "" : ",");
    add_break(row, "        ");
    oi_buffer_add_char(row->out, '{');
    add_name(row, "metric");
    oi_buffer_add_format(row->out, "\"%s\",", coinmetrics_metric_of(row->query, measure)->name);
    add_name(row, "frequencies");
    oi_buffer_add_char(row->out, '[');
    if (add_frequencies(row, extent) == 0) {
        row->out->size = before;
        return false;
    }
    oi_buffer_add_text(row->out, "]}");
    return true;
}

static void
add_row(struct oi_rendering *rendering, const struct oi_block *block, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;
    const struct row row = { query, out, rendering->state };
    bool is_stream = query->format == COINMETRICS_FORMAT_JSON_STREAM, is_first = true;

    if (rendering->row_count++ > 0 && !is_stream)
        oi_buffer_add_char(out, ',');
    add_break(&row, "    ");
    oi_buffer_add_char(out, '{');
    add_break(&row, "      ");
    add_name(&row, coinmetrics_find_level(rendering->request->path)->key);
    oi_json_quote(out, oi_slice_of(block->market->name));
    oi_buffer_add_char(out, ',');
    add_break(&row, "      ");
    add_name(&row, "metrics");
    oi_buffer_add_char(out, '[');
    for (size_t i = 0; i < query->measure_count; i++)
        is_first = !add_metric(&row, i, &block->extents[i], is_first) && is_first;
    add_break(&row, "      ");
    oi_buffer_add_char(out, ']');
    add_break(&row, "    ");
    oi_buffer_add_text(out, is_stream ? "}\n" : "}");
}

enum oi_status
coinmetrics_render_metric_catalog(struct oi_rendering *rendering, struct oi_buffer *out,
                                  bool *ret_is_last, struct oi_error *error)
{
    const struct oi_block *block = NULL;
    bool is_json = rendering->query->format == COINMETRICS_FORMAT_JSON;

    if (rendering->step == 0) {
        coinmetrics_begin_answer(rendering);
        rendering->state =
            oi_arena_alloc_zero(&rendering->reply->arena, 1, sizeof(struct oi_time_writer));
        if (is_json)
            oi_buffer_add_text(out,
                               rendering->query->is_pretty ? "{\n  \"data\": [" : "{\"data\":[");
    }
    if (rendering->result)
        OI_TRY(oi_result_next(rendering->result, &block, error));
    if (block && block->extents)
        add_row(rendering, block, out);
    if (!block && is_json)
        coinmetrics_end_rows(rendering, out);
    *ret_is_last = !block;
    return OI_OK;
}
