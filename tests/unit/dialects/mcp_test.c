/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the Model Context Protocol and what becomes of them; whole answers are fixtures of
 * the contract suite. */
#include "dialects/mcp_internal.h"

#include "support/test_dialect.h"

/* Send one body to /mcp; the status of reading it. */
static enum oi_status
post(struct test_exchange *exchange, const char *body)
{
    return test_send(exchange, "/mcp", NULL, oi_slice_of(body));
}

/* What is answered to a body that asks for no data. */
static struct oi_json *
answer_to(struct test_exchange *exchange, const char *body)
{
    struct oi_json *json = NULL;

    if (post(exchange, body) == OI_OK)
        assert_ok(test_render(exchange, NULL));
    else
        test_refuse(exchange);
    assert_ok(oi_json_open(oi_buffer_slice(&exchange->reply.body), &json, NULL));
    return json;
}

static void
expect_error(const char *body, int status, const char *code)
{
    struct test_exchange exchange;
    OI_CLEANUP(oi_json_close) struct oi_json *json = answer_to(&exchange, body);
    const struct oi_json_node *error = oi_json_member(oi_json_root(json), "error");

    assert_int_equal(exchange.reply.status, status);
    assert_true(oi_slice_is(oi_json_text(oi_json_member(error, "code")), code));
    assert_true(oi_json_text(oi_json_member(error, "message")).size > 5);
    test_close(&exchange);
}

static void
refuses_what_is_no_message(void **)
{
    expect_error("{", 400, MCP_PARSE_ERROR);
    expect_error("[]", 400, MCP_INVALID_REQUEST);
    expect_error("3", 400, MCP_INVALID_REQUEST);
    expect_error("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", 400, MCP_INVALID_REQUEST);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400, MCP_INVALID_REQUEST);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", 400, MCP_INVALID_REQUEST);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1}", 400, MCP_INVALID_REQUEST);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", 400, MCP_INVALID_REQUEST);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", 200,
                 MCP_INVALID_PARAMS);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/list\"}", 200, MCP_NO_METHOD);
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", 200,
                 MCP_INVALID_PARAMS);
}

static void
takes_what_needs_no_answer_without_a_word(void **)
{
    static const char *const bodies[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/of/tomorrow\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":\"no\"}}",
    };

    for (size_t i = 0; i < OI_COUNT(bodies); i++) {
        struct test_exchange exchange;

        assert_ok(post(&exchange, bodies[i]));
        assert_ok(test_render(&exchange, NULL));
        assert_int_equal(exchange.reply.status, 202);
        assert_int_equal(exchange.reply.body.size, 0);
        test_close(&exchange);
    }
}

static void
greets_in_the_version_that_was_asked_for(void **)
{
    static const struct {
        const char *asked, *answered;
    } rows[] = {
        { "2025-06-18", "2025-06-18" },
        { "2025-03-26", "2025-03-26" },
        { "2031-01-01", "2025-06-18" },
    };

    for (size_t i = 0; i < OI_COUNT(rows); i++) {
        struct test_exchange exchange;
        char body[200];
        struct oi_json *json;
        const struct oi_json_node *result;

        (void) snprintf(body, sizeof(body),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                        "\"protocolVersion\":\"%s\"}}",
                        rows[i].asked);
        json = answer_to(&exchange, body);
        result = oi_json_member(oi_json_root(json), "result");
        assert_true(
            oi_slice_is(oi_json_text(oi_json_member(result, "protocolVersion")), rows[i].answered));
        oi_json_close(&json);
        test_close(&exchange);
    }
}

static void
lists_each_tool_with_its_schemas(void **)
{
    struct test_exchange exchange;
    OI_CLEANUP(oi_json_close)
    struct oi_json *json =
        answer_to(&exchange, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/list\"}");
    const struct oi_json_node *root = oi_json_root(json);
    const struct oi_json_node *tools = oi_json_member(oi_json_member(root, "result"), "tools");
    size_t count = 0;

    assert_true(oi_slice_is(oi_json_text(oi_json_member(root, "id")), "x"));
    for (; mcp_tool_name(count); count++) {
        const struct oi_json_node *tool = oi_json_item(tools, count);
        const struct oi_json_node *input = oi_json_member(tool, "inputSchema");
        const struct oi_json_node *output = oi_json_member(tool, "outputSchema");

        assert_true(oi_slice_is(oi_json_text(oi_json_member(tool, "name")), mcp_tool_name(count)));
        assert_true(oi_json_count(oi_json_member(input, "properties")) >= 2);
        assert_int_equal(oi_json_kind(oi_json_member(input, "required")), OI_JSON_ARRAY);
        assert_true(oi_json_count(oi_json_member(output, "properties")) >= 8);
    }
    assert_int_equal(oi_json_count(tools), count);
    assert_true(count >= 8);
    test_close(&exchange);
}

/* Read a call; its query is the caller's to look at. */
static enum oi_status
call(struct test_exchange *exchange, const char *tool, const char *arguments)
{
    static char body[1000]; /* borrowed until the exchange is closed */

    (void) snprintf(body, sizeof(body),
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                    "\"%s\",\"arguments\":%s}}",
                    tool, arguments);
    return post(exchange, body);
}

static void
asks_what_the_native_api_would_ask(void **)
{
    struct test_exchange exchange;

    assert_ok(call(&exchange, "open_interest_history",
                   "{\"market\":[\"a:b:C\",\"d:e:F\"],\"interval\":\"1h\",\"unit\":\"usd\","
                   "\"start\":\"2026-06-09\",\"fill\":true,\"limit\":7,\"coin\":null}"));
    assert_int_equal(exchange.query.kind, OI_QUERY_CANDLES);
    assert_int_equal(exchange.query.selectors.count, 2);
    assert_string_equal(exchange.query.selectors.items[1].market, "d:e:F");
    assert_int_equal(exchange.query.interval_ns, OI_HOUR);
    assert_int_equal(exchange.query.unit, OI_UNIT_USD);
    assert_int_equal(exchange.query.limit, 7);
    assert_true(exchange.query.fills_gaps);
    test_close(&exchange);
    assert_ok(call(&exchange, "latest_open_interest", "{}"));
    assert_int_equal(exchange.query.limit, 100);
    test_close(&exchange);
    assert_ok(call(&exchange, "total_open_interest", "{\"by\":[\"coin\",\"market\"]}"));
    assert_int_equal(exchange.query.limit, 100);
    test_close(&exchange);
}

/* The sentence of a call that the assistant can mend. */
static void
expect_tool_error(const char *tool, const char *arguments, const char *words)
{
    struct test_exchange exchange;
    struct oi_json *json = NULL;
    const struct oi_json_node *result, *content;
    struct oi_slice text;

    assert_status(call(&exchange, tool, arguments), OI_E_INVALID);
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 200);
    assert_ok(oi_json_open(oi_buffer_slice(&exchange.reply.body), &json, NULL));
    result = oi_json_member(oi_json_root(json), "result");
    content = oi_json_item(oi_json_member(result, "content"), 0);
    text = oi_json_text(oi_json_member(content, "text"));
    assert_int_equal(oi_json_kind(oi_json_member(result, "isError")), OI_JSON_TRUE);
    if (!memmem(text.data, text.size, words, strlen(words)))
        fail_msg("%s %s: %.*s", tool, arguments, OI_SLICE_ARGS(text));
    oi_json_close(&json);
    test_close(&exchange);
}

static void
tells_the_assistant_what_it_can_mend(void **)
{
    expect_tool_error("latest_open_interest", "{\"limit\":0}", "limit: Must be a whole number");
    expect_tool_error("latest_open_interest", "{\"limit\":1001}", "from 1 to 1000");
    expect_tool_error("latest_open_interest", "{\"limit\":{}}", "limit: Must be a text");
    expect_tool_error("latest_open_interest", "{\"unit\":\"lots\"}", "unit: ");
    expect_tool_error("latest_open_interest", "{\"symbol\":\"BTC\"}", "no such argument");
    expect_tool_error("latest_open_interest", "{\"coin\":[\"A\",\"B\"]}", "coin");
    expect_tool_error("latest_open_interest", "[]", "arguments: Must be an object");
    expect_tool_error("open_interest_history", "{}", "market");
    expect_tool_error("open_interest_changes", "{\"coin\":\"BTC\"}", "start");
    expect_tool_error("gaps", "{\"start\":\"yesterday\"}", "start");
    expect_tool_error("find_markets", "{\"kind\":[\"spot\"]}", "kind");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_message),
        cmocka_unit_test(takes_what_needs_no_answer_without_a_word),
        cmocka_unit_test(greets_in_the_version_that_was_asked_for),
        cmocka_unit_test(lists_each_tool_with_its_schemas),
        cmocka_unit_test(asks_what_the_native_api_would_ask),
        cmocka_unit_test(tells_the_assistant_what_it_can_mend),
    };

    return cmocka_run_group_tests_name("dialects/mcp", tests, NULL, NULL);
}
