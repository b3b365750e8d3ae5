/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Model Context Protocol for assistants, over streamable HTTP without sessions: one message in,
 * at most one out. A tool is a question of the native API in other clothes, so an assistant and a
 * script cannot be told different figures. docs/dialects/mcp.md is its manual.
 */
#include "dialects/mcp_internal.h"

#include <string.h>

#define MESSAGE_SIZE_MAX ((size_t) 256 << 10)

static enum oi_status
refuse(struct oi_problem *problem, const char *code, const char *sentence)
{
    (void) oi_problem_set(problem, OI_PROBLEM_SYNTAX, "", (struct oi_slice){}, "%s", sentence);
    problem->code = code;
    problem->http_status = 400;
    return OI_E_INVALID;
}

void
mcp_release(struct mcp_message *message)
{
    oi_json_close(&message->json);
}

static bool
is_id(const struct oi_json_node *id)
{
    return oi_json_kind(id) == OI_JSON_STRING || oi_json_kind(id) == OI_JSON_NUMBER;
}

static enum oi_status
choose_kind(struct mcp_message *message, const struct oi_json_node *method,
            struct oi_problem *problem)
{
    static const struct oi_word methods[] = {
        { "initialize", MCP_INITIALIZE },
        { "ping", MCP_PING },
        { "tools/list", MCP_LIST },
        { "tools/call", MCP_CALL },
    };
    struct oi_slice name = oi_json_text(method);

    if (!message->id)
        return OI_OK;
    for (size_t i = 0; i < OI_COUNT(methods); i++)
        if (oi_slice_is(name, methods[i].word))
            message->kind = (enum mcp_kind) methods[i].value;
    if (message->kind == MCP_NOTHING)
        return refuse(problem, MCP_NO_METHOD,
                      "There is no such method: initialize, ping, tools/list, tools/call.");
    return OI_OK;
}

enum oi_status
mcp_read(const struct oi_http_request *request, struct mcp_message *message,
         struct oi_problem *problem)
{
    const struct oi_json_node *root, *method;

    *message = (struct mcp_message){};
    if (request->body.size == 0 || request->body.size > MESSAGE_SIZE_MAX ||
        oi_json_open(request->body, &message->json, NULL) != OI_OK)
        return refuse(problem, MCP_PARSE_ERROR, "The body is not one JSON value.");
    root = oi_json_root(message->json);
    if (oi_json_kind(root) == OI_JSON_ARRAY)
        return refuse(problem, MCP_INVALID_REQUEST,
                      "Batches are not taken: one message a request.");
    method = oi_json_member(root, "method");
    message->id = oi_json_member(root, "id");
    message->params = oi_json_member(root, "params");
    if (!oi_slice_is(oi_json_text(oi_json_member(root, "jsonrpc")), "2.0"))
        return refuse(problem, MCP_INVALID_REQUEST, "Not a message of JSON-RPC 2.0.");
    if (message->id && !is_id(message->id)) {
        message->id = NULL;
        return refuse(problem, MCP_INVALID_REQUEST, "An id is a string or a number.");
    }
    /* Answers to requests that we never send are taken like notifications. */
    if (!method && (oi_json_member(root, "result") || oi_json_member(root, "error")))
        return OI_OK;
    if (oi_json_kind(method) != OI_JSON_STRING)
        return refuse(problem, MCP_INVALID_REQUEST, "The method is missing.");
    if (message->params && oi_json_kind(message->params) != OI_JSON_OBJECT)
        return refuse(problem, MCP_INVALID_PARAMS, "The params are not an object.");
    return choose_kind(message, method, problem);
}

static enum oi_status
check_version(const struct oi_http_request *request, struct oi_problem *problem)
{
    struct oi_slice version = oi_text_header(request, "MCP-Protocol-Version");

    if (version.size == 0 || oi_slice_is(version, MCP_VERSION_NEWEST) ||
        oi_slice_is(version, MCP_VERSION_BEFORE))
        return OI_OK;
    return refuse(problem, MCP_INVALID_REQUEST,
                  "MCP-Protocol-Version must be " MCP_VERSION_NEWEST " or " MCP_VERSION_BEFORE ".");
}

static enum oi_status
parse(const struct oi_call *call, const struct oi_http_request *request, struct oi_query *query,
      struct oi_problem *problem)
{
    OI_CLEANUP(mcp_release) struct mcp_message message = {};

    if (request->query.count > 0)
        return oi_problem_set(problem, OI_PROBLEM_UNKNOWN, "", request->query.items[0].name,
                              "No parameters here: the question is in the body.");
    OI_TRY(check_version(request, problem));
    OI_TRY(mcp_read(request, &message, problem));
    if (message.kind == MCP_CALL)
        OI_TRY(mcp_parse_call(call, &message, query, problem));
    query->variant = message.kind;
    return OI_OK;
}

/*
 * Problems.
 */

static const struct outcome {
    int status;
    const char *code, *message; /* message NULL: the problem's own */
    bool is_tools;              /* the assistant can mend it: told as the tool's answer */
} outcomes[] = {
    [OI_PROBLEM_NONE] = { 500, MCP_INTERNAL, "Internal error.", false },
    [OI_PROBLEM_PARAMETER] = { 400, MCP_INVALID_PARAMS, NULL, true },
    [OI_PROBLEM_MISSING] = { 400, MCP_INVALID_PARAMS, NULL, true },
    [OI_PROBLEM_UNKNOWN] = { 400, MCP_INVALID_PARAMS, NULL, true },
    [OI_PROBLEM_REPEATED] = { 400, MCP_INVALID_PARAMS, NULL, true },
    [OI_PROBLEM_MARKET] = { 404, MCP_INVALID_PARAMS,
                            "No such market is known here: find_markets lists them.", true },
    [OI_PROBLEM_RANGE] = { 400, MCP_INVALID_PARAMS, NULL, true },
    [OI_PROBLEM_TOO_MANY] = { 400, MCP_INVALID_PARAMS, NULL, true },
    [OI_PROBLEM_PATH] = { 404, MCP_INVALID_REQUEST, "There is no such path.", false },
    [OI_PROBLEM_METHOD] = { 405, MCP_INVALID_REQUEST, "Messages are POSTed.", false },
    [OI_PROBLEM_KEY_MISSING] = { 401, MCP_REFUSED, "A key is required: Authorization: Bearer KEY.",
                                 false },
    [OI_PROBLEM_KEY_WRONG] = { 401, MCP_REFUSED, "The key is not valid.", false },
    [OI_PROBLEM_FORBIDDEN] = { 403, MCP_REFUSED, NULL, true },
    [OI_PROBLEM_CREDITS] = { 429, MCP_REFUSED, "The quota of this key is used up.", false },
    [OI_PROBLEM_RATE] = { 429, MCP_REFUSED, "Too many requests.", false },
    [OI_PROBLEM_SYNTAX] = { 400, MCP_INVALID_REQUEST, NULL, false },
    [OI_PROBLEM_INTERNAL] = { 500, MCP_INTERNAL, "Internal error.", false },
    [OI_PROBLEM_UNAVAILABLE] = { 503, MCP_INTERNAL, "Temporarily unavailable.", false },
};

/* Codes of our own are JSON-RPC's numbers; the native API's are words. */
static bool
has_code(const struct oi_problem *problem)
{
    return problem->code && problem->code[0] == '-';
}

/* An answer in full to a message that was read: JSON-RPC's business, none of HTTP's. */
static bool
is_answer(const struct mcp_message *message, const struct oi_problem *problem)
{
    return message->json && message->id && has_code(problem) &&
           (strcmp(problem->code, MCP_NO_METHOD) == 0 ||
            strcmp(problem->code, MCP_INVALID_PARAMS) == 0);
}

static void
render_problem(const struct oi_call *, const struct oi_http_request *request,
               const struct oi_problem *problem, struct oi_http_reply *reply)
{
    OI_CLEANUP(mcp_release) struct mcp_message message = {};
    const struct outcome *outcome = &outcomes[problem->kind];
    struct oi_problem unread = {}, told = *problem;
    bool is_read = mcp_read(request, &message, &unread) == OI_OK;
    struct oi_json_writer writer;

    if (outcome->message)
        (void) oi_problem_set(&told, problem->kind, problem->parameter, (struct oi_slice){}, "%s",
                              outcome->message);
    if (is_read && message.kind == MCP_CALL && outcome->is_tools && !has_code(problem)) {
        writer = oi_text_begin_json(reply, 200, "application/json");
        mcp_begin(&writer, message.id);
        mcp_write_tool_error(&writer, &told);
        oi_json_end_object(&writer);
        return;
    }
    if (is_answer(&message, problem))
        writer = oi_text_begin_json(reply, 200, "application/json");
    else
        writer = oi_text_begin_refusal(reply, outcome->status, problem);
    mcp_begin(&writer, message.json ? message.id : NULL);
    oi_json_add_name(&writer, "error");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "code");
    oi_json_add_raw(&writer, oi_slice_of(has_code(problem) ? problem->code : outcome->code));
    oi_text_json_text(&writer, "message", told.message[0] ? told.message : "Malformed request.");
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
}

static const char *const mounts[] = { "", NULL };

static const struct oi_route routes[] = {
    { .path = "/mcp", .methods = OI_METHOD_POST, .parse = parse, .render = mcp_render },
};

const struct oi_dialect oi_dialect_mcp = {
    .name = "mcp",
    .full_name = "Model Context Protocol",
    .mounts = mounts,
    .prefix = "/mcp",
    .routes = routes,
    .route_count = OI_COUNT(routes),
    .key = oi_text_key,
    .render_problem = render_problem,
};
