/* SPDX-License-Identifier: Apache-2.0 */
/* What the halves of the MCP endpoint share: messages (mcp.c), tools (mcp_tools.c), answers
 * (mcp_render.c). */
#pragma once

#include "base/json.h"
#include "dialects/dialect.h"
#include "dialects/text.h"

#define MCP_VERSION_NEWEST "2025-06-18"
#define MCP_VERSION_BEFORE "2025-03-26"

/* JSON-RPC's codes. */
#define MCP_PARSE_ERROR "-32700"
#define MCP_INVALID_REQUEST "-32600"
#define MCP_NO_METHOD "-32601"
#define MCP_INVALID_PARAMS "-32602"
#define MCP_INTERNAL "-32603"
#define MCP_REFUSED "-32000" /* by the server's own rules: keys, plans */

/* What a message asks; oi_query.variant. */
enum mcp_kind {
    MCP_NOTHING = 0, /* a notification or an answer: taken, and nothing is said */
    MCP_INITIALIZE,
    MCP_PING,
    MCP_LIST,
    MCP_CALL,
};

struct mcp_message {
    struct oi_json *json;
    enum mcp_kind kind;
    const struct oi_json_node *id; /* NULL: a notification */
    const struct oi_json_node *params;
};

/* Read a request's body. INVALID with a problem whose code is JSON-RPC's. The message is released
 * in any case. */
enum oi_status mcp_read(const struct oi_http_request *request, struct mcp_message *message,
                        struct oi_problem *problem);
void mcp_release(struct mcp_message *message);

/* Turn a call's arguments into the question that the native API would have. */
enum oi_status mcp_parse_call(const struct oi_call *call, const struct mcp_message *message,
                              struct oi_query *query, struct oi_problem *problem);
/* The tools with their schemas, as the member "tools". */
void mcp_write_tools(struct oi_json_writer *writer);
/* The name of the tool that answers, for tests over all of them; NULL behind the last. */
const char *mcp_tool_name(size_t index);

enum oi_status mcp_render(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                          struct oi_error *error);
/* Begin {"jsonrpc":"2.0","id":…, with null for no id. */
void mcp_begin(struct oi_json_writer *writer, const struct oi_json_node *id);
/* A tool's answer that says what is wrong, for the assistant to mend its call. */
void mcp_write_tool_error(struct oi_json_writer *writer, const struct oi_problem *problem);
