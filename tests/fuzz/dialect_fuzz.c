/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request target from a stranger, and behind a line's end the body of a POST, through routing and
 * the parser of whatever dialect has the path: it becomes a query or a problem that renders, never
 * anything else. The first byte chooses the plan of the caller.
 */
#include "base/json.h"
#include "dialects/dialect.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum oi_status
load_no_zone(const struct oi_zone_loader *, struct oi_slice, const struct oi_zone **,
             struct oi_error *error)
{
    return oi_fail(error, OI_E_NOT_FOUND, "no zones here");
}

static void
refuse(const struct oi_call *call, const struct oi_http_request *request,
       const struct oi_dialect *dialect, const struct oi_problem *problem)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    OI_CLEANUP(oi_http_reply_release) struct oi_http_reply reply = { .status = 200 };

    oi_assert(problem->kind != OI_PROBLEM_NONE);
    dialect->render_problem(call, request, problem, &reply);
    /* A message that was understood is answered, whatever it asks (JSON-RPC). */
    oi_assert((reply.status >= 400 && reply.status < 600) ||
              (request->body.size > 0 && reply.status == 200));
    if (oi_json_open(oi_buffer_slice(&reply.body), &json, NULL) != OI_OK)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct oi_zone_loader zones = { .load = load_no_zone };
    OI_CLEANUP(oi_http_request_release) struct oi_http_request request = {};
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_call call = { .request_id = "id", .now = 1'780'974'169'022'000'000, .zones = &zones };
    struct oi_problem problem = {};
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    struct oi_slice rest, target;

    if (size < 2)
        return 0;
    if (data[0] & 1)
        call.allowance.history_ns = 7 * OI_DAY;
    if (data[0] & 2)
        call.allowance.rows_max = 100;
    rest = (struct oi_slice){ (const char *) data + 1, size - 1 };
    if (!oi_slice_next_part(&rest, '\n', &target) ||
        oi_http_parse_target(target, &request, NULL) != OI_OK)
        return 0;
    request.body = rest;
    request.method = rest.size > 0 ? OI_HTTP_POST : OI_HTTP_GET;
    route = oi_dialects_route(&request, &dialect, &call.mount);
    if (!route)
        return 0;
    (void) dialect->key(&request);
    if (route->parse(&call, &request, &query, &problem) != OI_OK) {
        refuse(&call, &request, dialect, &problem);
        return 0;
    }
    oi_assert(query.span.from <= query.span.to);
    for (size_t i = 0; i < query.selectors.count; i++)
        oi_assert(!query.selectors.items[i].must_match || query.selectors.items[i].parameter);
    return 0;
}
