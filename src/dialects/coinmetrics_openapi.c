/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A description of the Coin Metrics API as it is served here, in the form of the vendor's: OpenAPI
 * 3.0.2, version 4.0.0. Its paths are the dialect's routes themselves, so none is missing; names
 * that an endpoint takes without effect are left out.
 */
#include "dialects/coinmetrics_internal.h"

#include <string.h>

/* What can be asked; each name is that of a parameter everywhere the same. */
static const struct described {
    const char *name, *type, *example, *description;
} parameters[] = {
    { "api_key", "string", "key", "Your key, where the server wants one." },
    { "assets", "string", "btc", "Assets, separated by commas; * stands for any text." },
    { "exchanges", "string", "binance", "Exchanges, separated by commas." },
    { "exchange_assets", "string", "binance-btc", "Assets of exchanges, separated by commas." },
    { "exchange_pairs", "string", "binance-btc-usdt", "Pairs of exchanges, separated by commas." },
    { "pairs", "string", "btc-usdt", "Pairs, separated by commas." },
    { "markets", "string", "binance-BTCUSDT-future",
      "Markets, separated by commas; * stands for any text." },
    { "metrics", "string", "open_interest_reported_future_usd", "Metrics, separated by commas." },
    { "frequency", "string", "1h", "1d or 1h; of markets 1m too." },
    { "exchange", "string", "binance", "Only markets of this exchange." },
    { "type", "string", "future", "Only markets of this kind: future or option." },
    { "base", "string", "btc", "Only markets of this base." },
    { "quote", "string", "usdt", "Only markets of this quote." },
    { "asset", "string", "btc", "Only markets with this base or quote." },
    { "symbol", "string", "BTCUSDT", "Only markets of this symbol of their exchange." },
    { "include", "string", "openinterest", "Only these kinds of data." },
    { "exclude", "string", "quotes", "All but these kinds of data." },
    { "limit", "string", "none", "Markets at most, or none." },
    { "start_time", "string", "2026-03-07", "The beginning of the span." },
    { "end_time", "string", "2026-03-08", "The end of the span." },
    { "start_inclusive", "boolean", "true", "Does the beginning belong to it?" },
    { "end_inclusive", "boolean", "true", "Does the end?" },
    { "timezone", "string", "UTC", "Of times without an offset." },
    { "granularity", "string", "1h", "raw, 1m, 1h or 1d: the first row of each." },
    { "sort", "string", "time", "The order of rows." },
    { "limit_per_asset", "integer", "10", "Rows of each at most." },
    { "limit_per_exchange", "integer", "10", "Rows of each at most." },
    { "limit_per_exchange_asset", "integer", "10", "Rows of each at most." },
    { "limit_per_exchange_pair", "integer", "10", "Rows of each at most." },
    { "limit_per_pair", "integer", "10", "Rows of each at most." },
    { "limit_per_market", "integer", "10", "Rows of each at most." },
    { "ignore_unsupported_errors", "boolean", "false", "Leave out what is not known." },
    { "ignore_forbidden_errors", "boolean", "false", "Leave out what the plan does not give." },
    { "null_as_zero", "boolean", "false", "Zero where there is no figure." },
    { "reviewable", "boolean", "true", "Taken, without effect." },
    { "page_size", "integer", "100", "Rows of a page, 1 to 10000." },
    { "paging_from", "string", "start", "start or end." },
    { "pretty", "boolean", "false", "Indented JSON." },
    { "format", "string", "json", "json, json_stream, or csv for time series." },
    { "next_page_token", "string", NULL, "Of the page before." },
};

#define FORM "page_size paging_from pretty format next_page_token"
#define SPAN "start_time end_time start_inclusive end_inclusive timezone "
#define FILTERS "markets exchange type base quote asset symbol "

static const struct family {
    const char *before, *last; /* the path's parts before the last one, and that; NULL: any */
    const char *summary, *required, *names;
} families[] = {
    { "/v4/timeseries/", "market-openinterest", "Open interest of markets over time", "markets",
      "markets " SPAN "granularity limit_per_market " FORM },
    { "/v4/timeseries/", "market-metrics", "Metrics of markets", "markets metrics",
      "markets metrics frequency " SPAN "sort limit_per_market ignore_unsupported_errors "
      "ignore_forbidden_errors null_as_zero " FORM },
    { "/v4/timeseries/", "asset-metrics", "Metrics of assets", "assets metrics",
      "assets metrics frequency " SPAN "sort limit_per_asset ignore_unsupported_errors "
      "ignore_forbidden_errors null_as_zero " FORM },
    { "/v4/timeseries/", "exchange-metrics", "Metrics of exchanges", "exchanges metrics",
      "exchanges metrics frequency " SPAN "sort limit_per_exchange ignore_unsupported_errors "
      "ignore_forbidden_errors null_as_zero " FORM },
    { "/v4/timeseries/", "exchange-asset-metrics", "Metrics of exchanges' assets",
      "exchange_assets metrics",
      "exchange_assets metrics frequency " SPAN "sort limit_per_exchange_asset "
      "ignore_unsupported_errors ignore_forbidden_errors null_as_zero " FORM },
    { "/v4/timeseries/", "exchange-pair-metrics", "Metrics of exchanges' pairs",
      "exchange_pairs metrics",
      "exchange_pairs metrics frequency " SPAN "sort limit_per_exchange_pair "
      "ignore_unsupported_errors ignore_forbidden_errors null_as_zero " FORM },
    { "/v4/timeseries/", "pair-metrics", "Metrics of pairs", "pairs metrics",
      "pairs metrics frequency " SPAN "sort limit_per_pair ignore_unsupported_errors "
      "ignore_forbidden_errors null_as_zero " FORM },
    { "/v4/catalog-v2/", "market-openinterest", "Markets with open interest", "",
      FILTERS SPAN FORM },
    { "/v4/catalog-all-v2/", "market-openinterest", "Markets with open interest", "",
      FILTERS SPAN FORM },
    { "/v4/catalog/", "market-openinterest", "Markets with open interest", "", FILTERS },
    { "/v4/catalog-all/", "market-openinterest", "Markets with open interest", "", FILTERS },
    { "/v4/catalog/", "markets", "Markets and what there is of them", "",
      FILTERS "include exclude limit" },
    { "/v4/catalog-all/", "markets", "Markets and what there is of them", "",
      FILTERS "include exclude limit" },
    { "/v4/catalog-v2/", NULL, "What there is of each metric", "", "metrics reviewable " FORM },
    { "/v4/catalog-all-v2/", NULL, "What there is of each metric", "", "metrics reviewable " FORM },
    { "/v4/reference-data/", "markets", "Markets", "", FILTERS FORM },
    { "/v4/reference-data/", "exchanges", "Exchanges", "", "exchanges " FORM },
    { "/v4/reference-data/", "assets", "Assets", "", "assets " FORM },
    { "/v4/reference-data/", "pairs", "Pairs", "", "pairs " FORM },
    { "/v4/reference-data/", NULL, "Metrics", "", "metrics " FORM },
};

static const struct family *
family_of(const char *path)
{
    for (size_t i = 0; i < OI_COUNT(families); i++) {
        size_t size = strlen(families[i].before);

        if (strncmp(path, families[i].before, size) == 0 &&
            (!families[i].last || strcmp(path + size, families[i].last) == 0))
            return &families[i];
    }
    return NULL;
}

/* The catalogues of metrics choose among the entities of their level. */
static const char *
entities_of(const char *path, const struct family *family)
{
    if (family->last || strncmp(family->before, "/v4/catalog", 11) != 0)
        return "";
    return coinmetrics_find_level(oi_slice_of(path))->entities;
}

static bool
is_among(const char *words, const char *word)
{
    struct oi_slice rest = oi_slice_of(words), part;

    while (rest.size > 0 && oi_slice_next_part(&rest, ' ', &part))
        if (oi_slice_is(part, word))
            return true;
    return false;
}

static void
add_schema(const char *type, struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "schema");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "type", type);
    oi_json_end_object(writer);
}

static void
add_parameter(const struct described *parameter, bool is_required, struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "name", parameter->name);
    oi_text_json_text(writer, "in", "query");
    oi_json_add_name(writer, "required");
    oi_json_add_bool(writer, is_required);
    oi_text_json_text(writer, "description", parameter->description);
    add_schema(parameter->type, writer);
    if (parameter->example) {
        bool is_text = strcmp(parameter->type, "string") == 0;

        oi_json_add_name(writer, "example");
        if (is_text)
            oi_json_add_text(writer, parameter->example);
        else
            oi_json_add_raw(writer, oi_slice_of(parameter->example));
    }
    oi_json_end_object(writer);
}

static void
add_path(const char *path, const struct family *family, struct oi_json_writer *writer)
{
    const char *entities = entities_of(path, family);

    oi_json_add_name(writer, path);
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "get");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "summary", family->summary);
    oi_json_add_name(writer, "parameters");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < OI_COUNT(parameters); i++)
        if (i == 0 || is_among(family->names, parameters[i].name) ||
            strcmp(entities, parameters[i].name) == 0)
            add_parameter(&parameters[i], is_among(family->required, parameters[i].name), writer);
    oi_json_end_array(writer);
    oi_json_add_name(writer, "responses");
    oi_json_add_raw(
        writer,
        OI_SLICE("{\"200\":{\"description\":\"Rows, a page of them.\",\"content\":{"
                 "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Page\"}}}},"
                 "\"default\":{\"description\":\"What is wrong.\",\"content\":{"
                 "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}}"));
    oi_json_end_object(writer);
    oi_json_end_object(writer);
}

static const char components[] =
    "{\"securitySchemes\":{\"api_key\":{\"type\":\"apiKey\",\"in\":\"query\",\"name\":\"api_key\"}}"
    ",\"schemas\":{\"Page\":{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":"
    "{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"next_page_token\":{\"type\":\"string\"}"
    ",\"next_page_url\":{\"type\":\"string\"}}},\"Error\":{\"type\":\"object\",\"required\":"
    "[\"error\"],\"properties\":{\"error\":{\"type\":\"object\",\"required\":[\"type\","
    "\"message\"],\"properties\":{\"type\":{\"type\":\"string\"},\"message\":{\"type\":"
    "\"string\"}}}}}}}";

static void
add_info(const struct oi_call *call, struct oi_json_writer *writer)
{
    struct oi_buffer url = {};

    oi_buffer_add_slice(&url, call->public_url);
    oi_buffer_add_slice(&url, call->mount);
    oi_text_json_text(writer, "openapi", "3.0.2");
    oi_json_add_name(writer, "info");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "title", "Coin Metrics API v4: open interest");
    oi_text_json_text(writer, "version", "4.0.0");
    oi_json_end_object(writer);
    oi_json_add_name(writer, "servers");
    oi_json_begin_array(writer);
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "url");
    oi_json_add_string(writer, oi_buffer_slice(&url));
    oi_json_end_object(writer);
    oi_json_end_array(writer);
    oi_json_add_name(writer, "security");
    oi_json_add_raw(writer, OI_SLICE("[{\"api_key\":[]}]"));
    oi_buffer_release(&url);
}

enum oi_status
coinmetrics_parse_openapi(const struct oi_call *, const struct oi_http_request *request,
                          struct oi_query *, struct oi_problem *problem)
{
    return oi_text_parameters(request, NULL, 0, problem);
}

enum oi_status
coinmetrics_render_openapi(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                           struct oi_error *)
{
    const struct oi_dialect *dialect = &oi_dialect_coinmetrics;
    struct oi_json_writer writer = { .out = out };

    oi_http_reply_type(rendering->reply, "application/json");
    rendering->reply->is_compressible = true;
    oi_json_begin_object(&writer);
    add_info(rendering->call, &writer);
    oi_json_add_name(&writer, "paths");
    oi_json_begin_object(&writer);
    for (size_t i = 0; i < dialect->route_count; i++) {
        const struct family *family = family_of(dialect->routes[i].path);

        if (family)
            add_path(dialect->routes[i].path, family, &writer);
    }
    oi_json_end_object(&writer);
    oi_json_add_name(&writer, "components");
    oi_json_add_raw(&writer, oi_slice_of(components));
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}
