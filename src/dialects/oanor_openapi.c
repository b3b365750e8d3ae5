/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: its answer is a fixture of contract/dialect_contract_test.c */
/*
 * oanor's description of its API, in the form of the vendor's: OpenAPI 3.1.0, the gateway as the
 * only server, every parameter a string with an example.
 */
#include "dialects/oanor_internal.h"

struct described {
    const char *name, *description, *example;
};

static const struct endpoint {
    const char *path, *operation, *summary, *message;
    struct described parameters[5];
} endpoints[] = {
    { "/v1/oi",
      "get_v1_oi",
      "Newest open interest of a perpetual, with its change and trend",
      "Open interest retrieved successfully",
      { { "symbol", "Perpetual contract", "BTCUSDT" },
        { "base", "Base coin, resolves to <base>USDT", "BTC" },
        { "period", "5m, 15m, 30m, 1h, 4h or 1d", "1h" },
        { "lookback", "Buckets to compare against, 2 to 200", "24" } } },
    { "/v1/history",
      "get_v1_history",
      "Open interest over time",
      "Open interest history retrieved successfully",
      { { "symbol", "Perpetual contract", "BTCUSDT" },
        { "base", "Base coin, resolves to <base>USDT", "ETH" },
        { "period", "5m, 15m, 30m, 1h, 4h or 1d", "1d" },
        { "limit", "Points, 1 to 200", "50" } } },
    { "/v1/symbols",
      "get_v1_symbols",
      "Symbols of the perpetuals",
      "Symbols retrieved successfully",
      { { "q", "Part of the symbol", "PEPE" }, { "limit", "1 to 2000", "100" } } },
    { "/v1/meta", "get_v1_meta", "What this API is", "Meta", {} },
};

static void
add_text_schema(struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "schema");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "type", "string");
    oi_json_end_object(writer);
}

static void
add_parameters(const struct endpoint *endpoint, struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "parameters");
    oi_json_begin_array(writer);
    for (const struct described *parameter = endpoint->parameters; parameter->name; parameter++) {
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "name", parameter->name);
        oi_text_json_text(writer, "in", "query");
        oi_json_add_name(writer, "required");
        oi_json_add_bool(writer, false);
        oi_text_json_text(writer, "description", parameter->description);
        add_text_schema(writer);
        oi_text_json_text(writer, "example", parameter->example);
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
}

static void
add_response(const char *status, const char *description, const char *schema,
             struct oi_json_writer *writer)
{
    oi_json_add_name(writer, status);
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "description", description);
    oi_json_add_name(writer, "content");
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "application/json");
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "schema");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "$ref", schema);
    oi_json_end_object(writer);
    oi_json_end_object(writer);
    oi_json_end_object(writer);
    oi_json_end_object(writer);
}

static void
add_responses(const struct endpoint *endpoint, struct oi_json_writer *writer)
{
    static const struct {
        const char *status, *description;
    } refusals[] = {
        { "400", "A parameter is wrong" },
        { "401", "The key is missing or invalid" },
        { "402", "The key is not subscribed to this API" },
        { "404", "The symbol is not known" },
        { "429", "Too many requests, or the quota is used up" },
        { "502", "Temporarily unavailable" },
    };

    oi_json_add_name(writer, "responses");
    oi_json_begin_object(writer);
    add_response("200", endpoint->message, "#/components/schemas/Envelope", writer);
    for (size_t i = 0; i < OI_COUNT(refusals); i++)
        add_response(refusals[i].status, refusals[i].description, "#/components/schemas/Refusal",
                     writer);
    oi_json_end_object(writer);
}

static void
add_paths(struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "paths");
    oi_json_begin_object(writer);
    for (size_t i = 0; i < OI_COUNT(endpoints); i++) {
        oi_json_add_name(writer, endpoints[i].path);
        oi_json_begin_object(writer);
        oi_json_add_name(writer, "get");
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "operationId", endpoints[i].operation);
        oi_text_json_text(writer, "summary", endpoints[i].summary);
        add_parameters(&endpoints[i], writer);
        add_responses(&endpoints[i], writer);
        oi_json_end_object(writer);
        oi_json_end_object(writer);
    }
    oi_json_end_object(writer);
}

/* What does not depend on the caller: the key, the two envelopes. */
static const char components[] =
    "{\"securitySchemes\":{\"oanorKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":"
    "\"x-oanor-key\"}},\"schemas\":{\"Envelope\":{\"type\":\"object\",\"required\":[\"data\","
    "\"meta\",\"status\",\"message\",\"success\"],\"properties\":{\"data\":{\"type\":\"object\"},"
    "\"meta\":{\"$ref\":\"#/components/schemas/Meta\"},\"status\":{\"const\":\"ok\"},\"message\":"
    "{\"type\":\"string\"},\"success\":{\"const\":true}}},\"Refusal\":{\"type\":\"object\","
    "\"required\":[\"data\",\"meta\",\"status\",\"message\",\"success\",\"error\"],\"properties\":"
    "{\"data\":{\"type\":\"null\"},\"meta\":{\"$ref\":\"#/components/schemas/Meta\"},\"status\":"
    "{\"const\":\"error\"},\"message\":{\"type\":\"string\"},\"success\":{\"const\":false},"
    "\"error\":{\"type\":\"object\",\"required\":[\"code\"],\"properties\":{\"code\":{\"type\":"
    "\"string\"}}}}},\"Meta\":{\"type\":\"object\",\"required\":[\"timestamp\",\"request_id\"],"
    "\"properties\":{\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},\"request_id\":"
    "{\"type\":\"string\",\"format\":\"uuid\"}}}}}";

static void
add_info(const struct oi_call *call, struct oi_json_writer *writer)
{
    struct oi_buffer url = {};

    oi_text_json_text(writer, "openapi", "3.1.0");
    oi_json_add_name(writer, "info");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "title", "Crypto Open Interest API");
    oi_text_json_text(writer, "version", "1.0.0");
    oi_text_json_text(writer, "description", "Open interest of Bybit's USDT perpetuals.");
    oi_json_add_name(writer, "contact");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "name", "PremiumApi");
    oi_json_end_object(writer);
    oi_json_end_object(writer);
    oi_buffer_add_slice(&url, call->public_url);
    oi_buffer_add_slice(&url, call->mount);
    oi_json_add_name(writer, "servers");
    oi_json_begin_array(writer);
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "url");
    oi_json_add_string(writer, oi_buffer_slice(&url));
    oi_text_json_text(writer, "description", "oanor gateway");
    oi_json_end_object(writer);
    oi_json_end_array(writer);
    oi_buffer_release(&url);
}

enum oi_status
oanor_render_openapi(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                     struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_http_reply_type(rendering->reply, "application/json");
    rendering->reply->is_compressible = true;
    oi_json_begin_object(&writer);
    add_info(rendering->call, &writer);
    oi_json_add_name(&writer, "security");
    oi_json_begin_array(&writer);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "oanorKey");
    oi_json_begin_array(&writer);
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    oi_json_end_array(&writer);
    add_paths(&writer);
    oi_json_add_name(&writer, "components");
    oi_json_add_raw(&writer, oi_slice_of(components));
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}
