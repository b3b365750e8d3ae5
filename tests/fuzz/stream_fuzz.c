/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger sends to a stream: the target of a handshake, which begins with a slash, or
 * else, behind any first byte, a message. A handshake becomes a query or a problem that renders; a
 * message always gets a reply that is JSON.
 */
#include "base/json.h"
#include "dialects/dialect.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_json(const struct oi_buffer *text)
{
    struct oi_json *json = NULL;

    if (oi_json_open(oi_buffer_slice(text), &json, NULL) != OI_OK)
        abort();
    oi_json_close(&json);
}

static void
shake(struct oi_slice target)
{
    OI_CLEANUP(oi_http_request_release) struct oi_http_request request = {};
    OI_CLEANUP(oi_http_reply_release) struct oi_http_reply reply = { .status = 200 };
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_call call = { .request_id = "id", .now = 1'780'974'169'022'000'000 };
    struct oi_problem problem = {};
    const struct oi_dialect *dialect = NULL;
    const struct oi_stream_route *stream;

    if (oi_http_parse_target(target, &request, NULL) != OI_OK)
        return;
    stream = oi_dialects_stream(&request, &dialect, &call.mount);
    if (!stream)
        return;
    if (stream->parse(&call, &request, &query, &problem) == OI_OK)
        return;
    oi_assert(problem.kind != OI_PROBLEM_NONE);
    dialect->render_problem(&call, &request, &problem, &reply);
    oi_assert(reply.status >= 400 && reply.status < 500);
    check_json(&reply.body);
}

static void
say(const struct oi_stream_route *stream, struct oi_slice text)
{
    struct oi_stream_message message = { .query = OI_QUERY_EMPTY };
    struct oi_buffer reply = {};

    stream->read_message(text, &message);
    oi_assert(message.problem.kind == OI_PROBLEM_NONE || message.action == OI_STREAM_NOTHING);
    stream->render_reply(&message, &reply);
    check_json(&reply);
    oi_buffer_release(&reply);
    oi_query_release(&message.query);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice rest;

    if (size < 1)
        return 0;
    rest = (struct oi_slice){ (const char *) data + 1, size - 1 };
    if (data[0] == '/') {
        shake((struct oi_slice){ (const char *) data, size });
        return 0;
    }
    for (size_t i = 0; oi_dialects[i]; i++) {
        for (size_t k = 0; k < oi_dialects[i]->stream_count; k++) {
            if (oi_dialects[i]->streams[k].read_message)
                say(&oi_dialects[i]->streams[k], rest);
        }
    }
    return 0;
}
