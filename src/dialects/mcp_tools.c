/* SPDX-License-Identifier: Apache-2.0 */
/* The tools: which route of the native API each one asks, and the schemas of what goes in and comes
 * out. The words of the arguments are the native API's parameters. */
/* no unit test: mcp_test.c reads what it asks and lists */
#include "dialects/mcp_internal.h"

#include <string.h>

#define ROWS_DEFAULT 100
#define ROWS_MAX 1000

static const struct argument {
    const char *name, *schema; /* JSON */
} arguments[] = {
    { "market", "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"Names as "
                "find_markets gives them, such as binance:usdm:BTCUSDT\"}" },
    { "exchange",
      "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"Only these "
      "exchanges, such as binance\"}" },
    { "coin",
      "{\"type\":\"string\",\"description\":\"Only markets about this coin, such as BTC\"}" },
    { "quote", "{\"type\":\"string\",\"description\":\"Only markets quoted in this coin\"}" },
    { "product", "{\"type\":\"string\",\"description\":\"Only this product line, such as usdm\"}" },
    { "kind", "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"perpetual\","
              "\"future\",\"option\",\"event\"]}}" },
    { "q", "{\"type\":\"string\",\"description\":\"A part of the symbol\"}" },
    { "live", "{\"type\":\"boolean\",\"description\":\"Without delisted markets\"}" },
    { "start", "{\"type\":\"string\",\"description\":\"From this instant on, ISO 8601 in UTC\"}" },
    { "end", "{\"type\":\"string\",\"description\":\"Before this instant, ISO 8601 in UTC\"}" },
    { "interval", "{\"type\":\"string\",\"description\":\"Candles of this width (1h, 1d) instead "
                  "of readings\"}" },
    { "total", "{\"type\":\"boolean\",\"description\":\"One total of the markets chosen, as "
               "candles; needs interval\"}" },
    { "fill", "{\"type\":\"boolean\",\"description\":\"Carry the last candle over empty "
              "intervals\"}" },
    { "unit", "{\"type\":\"string\",\"enum\":[\"coins\",\"contracts\",\"usd\",\"reported\"],"
              "\"description\":\"Of open_interest and of candles (default coins)\"}" },
    { "convention", "{\"type\":\"string\",\"enum\":[\"canonical\",\"as_reported\"],\"description\":"
                    "\"canonical counts one side of every contract (default)\"}" },
    { "as_of", "{\"type\":\"string\",\"description\":\"As was known at this instant\"}" },
    { "by", "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"total\",\"exchange\","
            "\"coin\",\"quote\",\"kind\",\"settlement\",\"market\"]},\"description\":\"How the "
            "total is told apart\"}" },
    { "limit",
      "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"description\":\"Rows at most "
      "(default 100); without start they are the newest\"}" },
};

static const struct tool {
    const char *name, *title, *description, *path;
    const char *takes;    /* arguments, apart by blanks */
    const char *requires; /* of them, as JSON */
} tools[] = {
    { "find_markets", "Find markets",
      "Which markets there are, with contract size, listing, and from when to when readings of "
      "each are stored. Their names are what the other tools take.",
      "/oi/v1/markets", "market exchange coin quote product kind q live limit", "[]" },
    { "latest_open_interest", "Newest open interest",
      "The newest reading of each market, largest in USD first, with USD value, price and the "
      "change in percent over 1 hour, 24 hours and 7 days.",
      "/oi/v1/latest", "market exchange coin quote product kind unit convention as_of limit",
      "[]" },
    { "open_interest_history", "Open interest over time",
      "Readings of markets in a span of time or, with interval, candles (open, high, low, close). "
      "Name a market, an exchange or a coin.",
      "/oi/v1/open-interest",
      "market exchange coin quote product kind start end interval total fill unit convention "
      "as_of limit",
      "[]" },
    { "total_open_interest", "Totals by split",
      "What open interest is worth in USD now, an hour, a day and a week ago: in all, and by "
      "exchange, coin, quote, kind, settlement or market; with how many markets are in it and how "
      "many are stale.",
      "/oi/v1/overview", "market exchange coin quote product kind by limit", "[]" },
    { "open_interest_changes", "Changes and movers",
      "Who made a change between start and end: each market's amounts and USD, and how much of "
      "the USD change came from the amount and how much from the price. Name a market, an "
      "exchange or a coin.",
      "/oi/v1/changes",
      "market exchange coin quote product kind start end unit convention as_of limit",
      "[\"start\"]" },
    { "gaps", "Missing readings", "Which minutes are missing in a span, market by market, and why.",
      "/oi/v1/gaps", "market exchange coin quote product kind start end as_of limit", "[]" },
    { "coverage", "Coverage",
      "How much of what was due in a span is stored, market by market, with the cause of the "
      "longest gap.",
      "/oi/v1/coverage", "market exchange coin quote product kind start end as_of limit", "[]" },
    { "conventions", "How exchanges count",
      "How each exchange counts open interest: its unit, one side or both, and the evidence.",
      "/oi/v1/conventions", "exchange limit", "[]" },
};

const char *
mcp_tool_name(size_t index)
{
    return index < OI_COUNT(tools) ? tools[index].name : NULL;
}

/* Is the word among words that blanks part? */
static bool
takes(const struct tool *tool, struct oi_slice name)
{
    struct oi_slice rest = oi_slice_of(tool->takes), word;

    while (oi_slice_next_part(&rest, ' ', &word))
        if (oi_slice_equal(word, name))
            return true;
    return false;
}

/*
 * In.
 */

static enum oi_status
bad(struct oi_problem *problem, struct oi_slice name, const char *sentence)
{
    char parameter[64] = "";

    memcpy(parameter, name.data, name.size < sizeof(parameter) ? name.size : sizeof(parameter) - 1);
    return oi_problem_set(problem, OI_PROBLEM_PARAMETER, parameter, (struct oi_slice){}, "%s",
                          sentence);
}

/* One value as the native API's parameter has it. */
static enum oi_status
add_value(struct oi_http_request *question, struct oi_slice name, const struct oi_json_node *value,
          struct oi_problem *problem)
{
    enum oi_json_kind kind = oi_json_kind(value);
    const char *text = kind == OI_JSON_TRUE ? "true" : kind == OI_JSON_FALSE ? "false" : NULL;

    if (kind == OI_JSON_STRING || kind == OI_JSON_NUMBER)
        text = oi_arena_copy(&question->arena, oi_json_text(value));
    if (!text || strlen(text) > OI_PARAMETER_SIZE_MAX)
        return bad(problem, name, "Must be a text, a number, true or false, or a list of texts.");
    if (oi_http_add_query(question, oi_arena_copy(&question->arena, name), text, NULL) != OI_OK)
        return bad(problem, name, "Is not a text that a question may have.");
    return OI_OK;
}

static enum oi_status
add_argument(const struct tool *tool, struct oi_http_request *question,
             const struct oi_json_node *argument, struct oi_problem *problem)
{
    struct oi_slice name = oi_json_name(argument);

    if (!takes(tool, name))
        return bad(problem, name, "This tool has no such argument.");
    if (oi_json_kind(argument) == OI_JSON_NULL)
        return OI_OK;
    if (oi_json_kind(argument) != OI_JSON_ARRAY)
        return add_value(question, name, argument, problem);
    for (const struct oi_json_node *item = oi_json_first(argument); item; item = oi_json_next(item))
        OI_TRY(add_value(question, name, item, problem));
    return OI_OK;
}

static enum oi_status
ask_native(const struct oi_call *call, const struct oi_http_request *question,
           struct oi_query *query, struct oi_problem *problem)
{
    const struct oi_dialect *dialect = NULL;
    struct oi_slice mount;
    const struct oi_route *route = oi_dialects_route(question, &dialect, &mount);
    int64_t limit = 0;

    oi_assert(route && dialect == &oi_dialect_native);
    OI_TRY(route->parse(call, question, query, problem));
    if (!oi_text_integer(oi_text_value(question, "limit"), &limit))
        query->limit = query->limit < ROWS_DEFAULT ? query->limit : ROWS_DEFAULT;
    else if (limit > ROWS_MAX)
        return bad(problem, OI_SLICE("limit"), "Must be a whole number from 1 to 1000.");
    return OI_OK;
}

enum oi_status
mcp_parse_call(const struct oi_call *call, const struct mcp_message *message,
               struct oi_query *query, struct oi_problem *problem)
{
    const struct oi_json_node *given = oi_json_member(message->params, "arguments");
    struct oi_slice name = oi_json_text(oi_json_member(message->params, "name"));
    OI_CLEANUP(oi_http_request_release) struct oi_http_request question = {};
    const struct tool *tool = NULL;

    for (size_t i = 0; i < OI_COUNT(tools); i++)
        if (oi_slice_is(name, tools[i].name))
            tool = &tools[i];
    if (!tool) {
        (void) bad(problem, OI_SLICE("name"), "There is no such tool: tools/list has them.");
        problem->code = MCP_INVALID_PARAMS;
        return OI_E_INVALID;
    }
    if (given && oi_json_kind(given) != OI_JSON_OBJECT && oi_json_kind(given) != OI_JSON_NULL)
        return bad(problem, OI_SLICE("arguments"), "Must be an object.");
    question.path = oi_slice_of(tool->path);
    for (const struct oi_json_node *argument = oi_json_first(given); argument;
         argument = oi_json_next(argument))
        OI_TRY(add_argument(tool, &question, argument, problem));
    return ask_native(call, &question, query, problem);
}

/*
 * Out.
 */

static void
write_input(const struct tool *tool, struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "inputSchema");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "type", "object");
    oi_json_add_name(writer, "properties");
    oi_json_begin_object(writer);
    for (size_t i = 0; i < OI_COUNT(arguments); i++) {
        if (!takes(tool, oi_slice_of(arguments[i].name)))
            continue;
        oi_json_add_name(writer, arguments[i].name);
        oi_json_add_raw(writer, oi_slice_of(arguments[i].schema));
    }
    oi_json_end_object(writer);
    oi_json_add_name(writer, "required");
    oi_json_add_raw(writer, oi_slice_of(tool->requires));
    oi_json_add_name(writer, "additionalProperties");
    oi_json_add_bool(writer, false);
    oi_json_end_object(writer);
}

/* The same for all: how the figures count, how old they are, what is in them, and the rows. */
static const char output[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"unit\":{\"type\":\"string\",\"description\":\"coins, contracts, usd; reported: each row's "
    "own; none: no amounts\"},"
    "\"sides\":{\"type\":[\"integer\",\"null\"],\"description\":\"1: one side of every contract is "
    "counted; null: each row tells\"},"
    "\"answered_at\":{\"type\":\"string\"},"
    "\"oldest\":{\"type\":[\"string\",\"null\"]},"
    "\"newest\":{\"type\":[\"string\",\"null\"],\"description\":\"Of the readings in the answer\"},"
    "\"age_seconds\":{\"type\":[\"integer\",\"null\"],\"description\":\"Of the newest reading in "
    "the answer; null: it has none\"},"
    "\"coverage\":{\"type\":\"object\",\"properties\":{\"markets_matched\":{\"type\":\"integer\"},"
    "\"markets_answered\":{\"type\":\"integer\"},\"rows\":{\"type\":\"integer\"},\"is_complete\":{"
    "\"type\":\"boolean\",\"description\":\"false: there are more rows than the limit\"}},"
    "\"required\":[\"markets_matched\",\"markets_answered\",\"rows\",\"is_complete\"]},"
    "\"data\":{\"type\":\"array\",\"items\":{\"type\":\"object\"},\"description\":\"Rows. Figures "
    "are texts: exact decimals\"},"
    "\"next\":{\"type\":[\"string\",\"null\"]},"
    "\"totals\":{\"type\":\"array\",\"items\":{\"type\":\"object\"},\"description\":\"Whom a total "
    "is made of, and who was left out and why\"},"
    "\"left_out_rows\":{\"type\":\"integer\",\"description\":\"Readings whose unit could not be "
    "turned into the one asked for\"}},"
    "\"required\":[\"unit\",\"sides\",\"answered_at\",\"age_seconds\",\"coverage\",\"data\"]}";

void
mcp_write_tools(struct oi_json_writer *writer)
{
    oi_json_add_name(writer, "tools");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < OI_COUNT(tools); i++) {
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "name", tools[i].name);
        oi_text_json_text(writer, "title", tools[i].title);
        oi_text_json_text(writer, "description", tools[i].description);
        write_input(&tools[i], writer);
        oi_json_add_name(writer, "outputSchema");
        oi_json_add_raw(writer, OI_SLICE(output));
        oi_json_add_name(writer, "annotations");
        oi_json_add_raw(writer, OI_SLICE("{\"readOnlyHint\":true,\"openWorldHint\":false}"));
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
}
