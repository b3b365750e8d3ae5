/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/server.test.mjs asks over real sockets */
/*
 * From a request to an answer: whose path it is, may the caller ask, what is asked, run it, render
 * it. The first piece is rendered before anything is sent, so that every error that can be found is
 * found while the status is still free; the rest is pulled as the client takes it.
 */
#include "server/answer_internal.h"

#include "base/log.h"
#include "lake/arrow.h"
#include "lake/export.h"
#include "server/range.h"

#include <stdio.h>
#include <string.h>

/* So much is made before the head is sent, in the hope that it is all. */
#define KEEP_SIZE_MAX ((size_t) 64 << 10)

static void
answer_free(struct answer *answer)
{
    oi_result_close(&answer->result);
    oi_cells_release(&answer->cells);
    oi_buffer_release(&answer->key);
    oi_query_release(&answer->query);
    oi_free(answer->public_url);
    oi_free(answer);
}

static void
sign(const struct oi_call *call, struct oi_slice path_and_query, struct oi_buffer *out)
{
    const struct oi_server *server = call->signer;

    if (server->bucket && oi_bucket_link(server->bucket, call, path_and_query, out))
        return;
    oi_buffer_add_slice(out, call->public_url);
    oi_links_sign(&server->links, path_and_query, call->now, call->link_life_s, out);
}

static struct answer *
answer_new(struct oi_server *server, const struct oi_http_request *request,
           const struct oi_dialect *dialect, struct oi_slice mount)
{
    struct answer *answer = oi_alloc_zero(1, sizeof(*answer));

    answer->server = server;
    answer->dialect = dialect;
    answer->tally = server_tally(server, dialect);
    answer->query = OI_QUERY_EMPTY;
    oi_random_uuid(answer->request_id);
    answer->public_url = server_public_url(server, request);
    answer->call = (struct oi_call){
        .request_id = answer->request_id,
        .now = server->source->clock->wall_ns(server->source->clock),
        .public_url = oi_slice_of(answer->public_url),
        .mount = mount,
        .zones = server->options.zones,
        .sign = sign,
        .signer = server,
        .link_life_s = 300,
        .manners = server_manners(server, dialect),
    };
    return answer;
}

void
router_refuse_plainly(struct oi_http_reply *reply, int status, const char *sentence)
{
    reply->status = status;
    oi_http_reply_type(reply, "text/plain; charset=utf-8");
    oi_buffer_clear(&reply->body);
    oi_buffer_add_text(&reply->body, sentence);
    oi_buffer_add_char(&reply->body, '\n');
}

static void
count_status(struct tally *tally, int status)
{
    if (status >= 500)
        atomic_fetch_add(&tally->failed, 1);
    else if (status >= 400)
        atomic_fetch_add(&tally->refused, 1);
}

static void
refuse(struct answer *answer, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    oi_buffer_clear(&reply->body);
    answer->dialect->render_problem(&answer->call, request, &answer->problem, reply);
    count_status(answer->tally, reply->status);
}

/* A failure of ours: the operator gets the reason, the caller an envelope without it. */
static void
fail(struct answer *answer, enum oi_status status, const struct oi_error *error)
{
    bool is_damage = status == OI_E_CORRUPT || status == OI_E_BUSY || status == OI_E_FULL;

    if (status == OI_E_INVALID && answer->problem.kind == OI_PROBLEM_NONE) {
        (void) oi_problem_set(&answer->problem, OI_PROBLEM_TOO_MANY, "", OI_SLICE(""), "%s",
                              error->message);
        return;
    }
    if (answer->problem.kind != OI_PROBLEM_NONE)
        return;
    oi_log_throttled(OI_LOG_ERROR, "answer.failed", answer->dialect->name,
                     "dialect=%s code=%s reason=\"%s\"", answer->dialect->name,
                     oi_status_name(status), error->message);
    (void) oi_problem_set(&answer->problem,
                          is_damage ? OI_PROBLEM_UNAVAILABLE : OI_PROBLEM_INTERNAL, "",
                          OI_SLICE(""), "the server could not answer");
}

static bool
takes_method(const struct oi_route *route, enum oi_http_method method)
{
    if (method == OI_HTTP_HEAD)
        method = OI_HTTP_GET;
    return (route->methods & (1u << method)) != 0;
}

/* Which methods a route takes, for Allow. */
static void
allow(const struct oi_route *route, struct oi_http_reply *reply)
{
    bool posts = (route->methods & OI_METHOD_POST) != 0;
    bool gets = (route->methods & OI_METHOD_GET) != 0;

    oi_http_reply_header_text(reply, "Allow",
                              posts && gets ? "GET, HEAD, POST, OPTIONS"
                              : posts       ? "POST, OPTIONS"
                                            : "GET, HEAD, OPTIONS");
}

static enum oi_status
judge(struct answer *answer, enum oi_key_verdict verdict, unsigned retry_after_s)
{
    answer->problem.retry_after_s = 0;
    switch (verdict) {
    case OI_KEY_FINE:
        return OI_OK;
    case OI_KEY_TOO_FAST:
        (void) oi_problem_set(&answer->problem, OI_PROBLEM_RATE, "", OI_SLICE(""),
                              "too many requests; the plan allows the next one in %u s",
                              retry_after_s);
        answer->problem.retry_after_s = retry_after_s;
        return OI_E_INVALID;
    case OI_KEY_USED_UP:
        (void) oi_problem_set(&answer->problem, OI_PROBLEM_CREDITS, "", OI_SLICE(""),
                              "the plan's month is used up");
        answer->problem.retry_after_s = retry_after_s;
        return OI_E_INVALID;
    case OI_KEY_DENIED:
        return oi_problem_set(&answer->problem, OI_PROBLEM_FORBIDDEN, "", OI_SLICE(""),
                              "the plan does not cover it");
    case OI_KEY_UNKNOWABLE:
        return oi_problem_set(&answer->problem, OI_PROBLEM_UNAVAILABLE, "", OI_SLICE(""),
                              "the server could not answer");
    case OI_KEY_MISSING:
        return oi_problem_set(&answer->problem, OI_PROBLEM_KEY_MISSING, "", OI_SLICE(""),
                              "a key is required");
    case OI_KEY_WRONG:
        return oi_problem_set(&answer->problem, OI_PROBLEM_KEY_WRONG, "", OI_SLICE(""),
                              "the key is not valid");
    }
    return OI_E_DENIED;
}

static enum oi_status
check_key(struct answer *answer, const struct oi_http_request *request)
{
    const struct oi_clock *clock = answer->server->source->clock;
    enum oi_key_verdict verdict;
    unsigned retry_after_s = 0;

    answer->visit = (struct oi_visit){
        .key = answer->dialect->key(request),
        .peer = request->peer,
        .cost = answer->dialect->cost,
        .now = answer->call.now,
        .monotonic_ns = clock->monotonic_ns(clock),
    };
    if (answer->visit.key.size == 0 && answer->dialect == &oi_dialect_native &&
        session_find(answer->server, request, answer->session))
        answer->visit.hash = answer->session;
    verdict = oi_access_admit(answer->server->access, &answer->visit, &answer->grant,
                              &answer->call.allowance, &retry_after_s);
    return judge(answer, verdict, retry_after_s);
}

/* The plan's history, for the dialects that have no words for it: an open start begins there, an
 * earlier one is refused. */
static enum oi_status
check_history(struct answer *answer)
{
    int64_t history_ns = answer->call.allowance.history_ns;
    oi_time from = answer->call.now - history_ns;
    struct oi_query *query = &answer->query;
    bool has_rows = query->kind == OI_QUERY_ROWS || query->kind == OI_QUERY_CANDLES ||
                    query->kind == OI_QUERY_SNAPSHOTS || query->kind == OI_QUERY_BARS;

    /* A day's grace: intervals begin before the instant that was asked for. */
    if (history_ns <= 0 || !has_rows || query->span.from >= from - OI_DAY)
        return OI_OK;
    if (query->span.from > OI_TIME_EARLIEST)
        return oi_problem_set(&answer->problem, OI_PROBLEM_FORBIDDEN, "", OI_SLICE(""),
                              "the plan's history begins later");
    query->span.from = from;
    if (query->span.to < from)
        query->span.to = from;
    return OI_OK;
}

/* The first piece is there, so its price is known; nothing has been sent yet. */
static enum oi_status
settle(struct answer *answer)
{
    enum oi_key_verdict verdict;
    unsigned retry_after_s = 0;

    if (answer->route->is_link || answer->route->is_public)
        return OI_OK;
    verdict = oi_access_settle(answer->server->access, &answer->visit, &answer->grant,
                               answer->rendering.credits, &retry_after_s);
    OI_TRY(judge(answer, verdict, retry_after_s));
    answer->is_settled = true;
    return OI_OK;
}

static enum oi_status
check_link(struct answer *answer, const struct oi_http_request *request)
{
    switch (oi_links_check(&answer->server->links, request->raw_target, answer->call.now)) {
    case OI_LINK_FINE:
        return OI_OK;
    case OI_LINK_EXPIRED:
        return oi_problem_set(&answer->problem, OI_PROBLEM_FORBIDDEN, "", OI_SLICE(""),
                              "the link has expired");
    case OI_LINK_WRONG:
        return oi_problem_set(&answer->problem, OI_PROBLEM_FORBIDDEN, "", OI_SLICE(""),
                              "the link's signature is not valid");
    }
    return OI_E_DENIED;
}

static enum oi_status
check(struct answer *answer, const struct oi_http_request *request)
{
    if (!takes_method(answer->route, request->method))
        return oi_problem_set(&answer->problem, OI_PROBLEM_METHOD, "",
                              oi_slice_of(oi_http_method_name(request->method)),
                              "this path does not take that method");
    if (answer->route->is_link)
        return check_link(answer, request);
    if (answer->route->is_public)
        return OI_OK;
    return check_key(answer, request);
}

/* What nobody knew to be damaged when the head was sent, the head did not tell. Asked again, it
 * will. */
static enum oi_status
check_damage(const struct answer *answer, struct oi_error *error)
{
    const struct oi_result *result = answer->result;

    if (!answer->is_head_sent || !result || answer->rendering.says_damage ||
        result->damage_count <= answer->damage_told)
        return OI_OK;
    return oi_fail(error, OI_E_CORRUPT, "met after the answer had begun: %s",
                   result->damages[result->damage_count - 1].reason);
}

/* Pull the next piece: the HTTP server's `more`. */
static enum oi_status
more(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *error)
{
    struct answer *answer = context;
    enum oi_status status;

    answer->rendering.step++;
    status = answer->route->render(&answer->rendering, out, ret_is_last, error);
    if (status == OI_OK)
        status = check_damage(answer, error);
    if (status != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "answer.cut", answer->dialect->name,
                         "dialect=%s code=%s reason=\"%s\"", answer->dialect->name,
                         oi_status_name(status), error ? error->message : "");
    return status;
}

static void
finish(void *context)
{
    struct answer *answer = context;

    if (answer->counts[1] > 0) {
        atomic_fetch_add(&answer->tally->rows, answer->counts[1]);
        oi_access_charge_rows(answer->server->access, &answer->grant, answer->counts[1]);
    } else if (answer->result) {
        atomic_fetch_add(&answer->tally->rows, answer->result->row_count);
        oi_access_charge_rows(answer->server->access, &answer->grant, answer->result->row_count);
    }
    answer_free(answer);
}

/* One part of a body as `Range: bytes=` asks: readers of Parquet fetch the footer first. */
static void
cut_to_range(const struct oi_http_request *request, struct oi_http_reply *reply)
{
    const struct oi_slice *range = oi_http_header(request, "range");
    size_t size = oi_http_reply_body(reply).size;
    struct oi_byte_range part;
    char text[80];

    oi_http_reply_header_text(reply, "Accept-Ranges", "bytes");
    if (!range || reply->status != 200 || !oi_range_parse(*range, size, &part))
        return;
    if (part.from >= part.to) {
        reply->status = 416;
        (void) snprintf(text, sizeof(text), "bytes */%zu", size);
        oi_http_reply_header_text(reply, "Content-Range", text);
        oi_http_reply_cut(reply, 0, 0);
        return;
    }
    reply->status = 206;
    (void) snprintf(text, sizeof(text), "bytes %zu-%zu/%zu", part.from, part.to - 1, size);
    oi_http_reply_header_text(reply, "Content-Range", text);
    oi_http_reply_cut(reply, part.from, part.to);
}

/* A table as Parquet is a file to its readers too, whether it was made or kept. */
static void
cut_table(const struct oi_http_request *request, struct oi_http_reply *reply)
{
    const struct oi_slice *type = oi_http_reply_find(reply, "content-type");

    if (type && oi_slice_is(*type, "application/vnd.apache.parquet") &&
        !oi_http_reply_find(reply, "accept-ranges"))
        cut_to_range(request, reply);
}

static enum oi_status
render_file(struct answer *answer, const struct oi_http_request *request,
            struct oi_http_reply *reply, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    OI_CLEANUP(oi_shared_unref) struct oi_shared *file = NULL;
    struct oi_buffer name = {};
    enum oi_status status;
    bool is_last;

    answer->rendering = (struct oi_rendering){ .call = &answer->call,
                                               .request = request,
                                               .query = &answer->query,
                                               .reply = reply,
                                               .problem = &answer->problem };
    OI_TRY(answer->route->render(&answer->rendering, &reply->body, &is_last, error));
    /* The path without its mount names the file; which clock it goes by stands behind it. */
    oi_buffer_add(&name, request->path.data + answer->call.mount.size,
                  request->path.size - answer->call.mount.size);
    oi_buffer_add_format(&name, "?%u", answer->query.variant);
    status = oi_query_run(answer->server->source, &answer->query, &result, &answer->problem, error);
    if (status == OI_OK)
        status = oi_export_file(answer->server->files, oi_buffer_slice(&name), &answer->query,
                                result, &file, error);
    oi_buffer_release(&name);
    OI_TRY(status);
    oi_http_reply_share(reply, file);
    damaged_tell(answer->tally, answer->dialect->name, result, reply);
    cut_to_range(request, reply);
    return OI_OK;
}

/* Rows of one batch of a stream. */
#define BATCH_ROWS 10'240

/* The next rows as typed columns, and what the file begins and ends with. A file that has its index
 * at the end is made whole, and so is one whose headers tell of its end. */
static enum oi_status
more_of_table(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *error)
{
    struct answer *answer = context;
    bool is_whole = answer->query.file == OI_FILE_PARQUET;

    oi_cells_clear(&answer->cells);
    do {
        OI_TRY(answer->route->tabulate(&answer->rendering, &answer->cells, ret_is_last, error));
        OI_TRY(check_damage(answer, error));
    } while (!*ret_is_last && (is_whole || answer->cells.row_count < BATCH_ROWS));
    if (is_whole)
        return oi_export_table(&answer->cells, out, error);
    if (answer->rendering.step++ == 0)
        oi_arrow_write_schema(&answer->cells, out);
    if (answer->cells.row_count > 0)
        OI_TRY(oi_arrow_write_batch(&answer->cells, out, error));
    if (*ret_is_last)
        oi_arrow_write_end(out);
    return OI_OK;
}

static bool
is_file(const struct answer *answer)
{
    return answer->query.file != OI_FILE_NONE && answer->route->tabulate;
}

/* Run the query and render the first piece, and more where that may turn out to be all.
 * *ret_is_same: the answer was there, here or with the client. */
static enum oi_status
run_and_render(struct answer *answer, const struct oi_http_request *request,
               struct oi_http_reply *reply, bool *ret_is_same, bool *ret_is_last,
               struct oi_error *error)
{
    *ret_is_same = false;
    if (answer->query.kind != OI_QUERY_NONE)
        OI_TRY(oi_query_run(answer->server->source, &answer->query, &answer->result,
                            &answer->problem, error));
    answer->rendering = (struct oi_rendering){ .call = &answer->call,
                                               .request = request,
                                               .query = &answer->query,
                                               .result = answer->result,
                                               .reply = reply,
                                               .problem = &answer->problem };
    *ret_is_same = !answer_is_damaged(answer) && answer_find_same(answer, request, reply);
    if (*ret_is_same)
        return OI_OK;
    if (is_file(answer))
        return more_of_table(answer, &reply->body, ret_is_last, error);
    OI_TRY(answer->route->render(&answer->rendering, &reply->body, ret_is_last, error));
    while (!*ret_is_last && answer->key.size > 0 && reply->status == 200 &&
           reply->body.size < KEEP_SIZE_MAX)
        OI_TRY(more(answer, &reply->body, ret_is_last, error));
    return OI_OK;
}

/* Headers of an answer that became another say nothing true. */
static void
drop_headers(struct oi_http_reply *reply)
{
    oi_vector_clear(&reply->headers);
    reply->recipe = (struct oi_slice){};
    reply->is_compressible = false;
}

/* A damaged chunk was met that nobody knew of, and nothing is sent yet: now that it is known, the
 * answer can say what it lacks from its first byte on. */
static enum oi_status
begin_again(struct answer *answer, const struct oi_http_request *request,
            struct oi_http_reply *reply, bool *ret_is_last, struct oi_error *error)
{
    bool is_same;

    oi_result_close(&answer->result);
    oi_cells_release(&answer->cells);
    answer->cells = (struct oi_cells){};
    oi_buffer_clear(&reply->body);
    oi_buffer_clear(&answer->key);
    drop_headers(reply);
    reply->status = 200;
    return run_and_render(answer, request, reply, &is_same, ret_is_last, error);
}

/* Run the query and render the first piece; *ret_is_last false: there is more to pull. */
static enum oi_status
begin(struct answer *answer, const struct oi_http_request *request, struct oi_http_reply *reply,
      bool *ret_is_last, struct oi_error *error)
{
    bool is_same;

    *ret_is_last = true;
    answer->generation = oi_access_generation(answer->server->access);
    OI_TRY(check(answer, request));
    if (answer_may_keep(answer, request)) {
        answer_make_key(answer, request);
        if (answer_find_kept(answer, request, reply))
            return settle(answer);
    }
    OI_TRY(answer->route->parse(&answer->call, request, &answer->query, &answer->problem));
    if (answer->call.manners.is_canonical)
        answer->query.is_canonical = true;
    OI_TRY(check_history(answer));
    if (answer->route->is_file)
        return render_file(answer, request, reply, error);
    OI_TRY(run_and_render(answer, request, reply, &is_same, ret_is_last, error));
    if (answer_is_damaged(answer) && !answer->result->is_damage_known)
        OI_TRY(begin_again(answer, request, reply, ret_is_last, error));
    OI_TRY(settle(answer));
    if (is_same)
        return OI_OK;
    if (answer_is_damaged(answer)) {
        damaged_tell(answer->tally, answer->dialect->name, answer->result, reply);
        answer->damage_told = answer->result->damage_count;
    }
    answer->is_head_sent = true;
    if (*ret_is_last)
        answer_keep(answer, reply);
    return OI_OK;
}

static void
answer_route(struct answer *answer, const struct oi_http_request *request,
             struct oi_http_reply *reply)
{
    const struct oi_clock *clock = answer->server->source->clock;
    int64_t started = clock->monotonic_ns(clock);
    struct oi_error error = {};
    bool is_last = true;
    enum oi_status status = begin(answer, request, reply, &is_last, &error);

    atomic_fetch_add(&answer->tally->requests, 1);
    atomic_fetch_add(&answer->tally->busy_ns,
                     (unsigned long long) (clock->monotonic_ns(clock) - started));
    if (status != OI_OK) {
        fail(answer, status, &error);
        oi_access_refund(answer->server->access, &answer->grant);
        drop_headers(reply);
        if (answer->problem.kind == OI_PROBLEM_METHOD)
            allow(answer->route, reply);
        refuse(answer, request, reply);
        answer_free(answer);
        return;
    }
    if (is_last)
        cut_table(request, reply);
    count_status(answer->tally, reply->status);
    if (is_last) {
        finish(answer);
        return;
    }
    reply->more = is_file(answer) ? more_of_table : more;
    reply->finish = finish;
    reply->context = answer;
}

static void
preflight(struct oi_server *server, const struct oi_http_request *request,
          const struct oi_dialect *dialect, const struct oi_route *route,
          struct oi_http_reply *reply)
{
    reply->status = 204;
    if (route)
        allow(route, reply);
    /* Aperiodic's own clients run in pages. */
    if (dialect == &oi_dialect_aperiodic)
        oi_http_reply_header_text(reply, "Access-Control-Allow-Origin", "*");
    else
        oi_cors_answer(server->cors, request, reply);
    if (!oi_http_reply_find(reply, "Access-Control-Allow-Origin"))
        return;
    oi_http_reply_header_text(reply, "Access-Control-Allow-Methods", "GET, HEAD");
    oi_http_reply_header_text(reply, "Access-Control-Allow-Headers", "*");
    oi_http_reply_header_text(reply, "Access-Control-Max-Age", "86400");
}

static void
route_request(struct worker *worker, const struct oi_http_request *request,
              struct oi_http_reply *reply)
{
    struct oi_server *server = worker->server;
    const struct oi_dialect *dialect = NULL;
    struct oi_slice mount = {};
    const struct oi_route *route;
    struct answer *answer;

    if (!oi_access_check_host(server->access, oi_http_header(request, "host"))) {
        router_refuse_plainly(reply, 421,
                              "This server has no keys, so it answers only to the names of its own "
                              "machine; name this one with --host-name, or make keys.");
        count_status(&server->tallies[SERVER_DIALECTS_MAX], reply->status);
        return;
    }
    if (session_handle(server, request, reply) || health_handle(server, request, reply))
        return;
    route = oi_dialects_route(request, &dialect, &mount);
    if (!route && assets_handle(request, reply))
        return;
    if (request->method == OI_HTTP_OPTIONS && dialect) {
        preflight(server, request, dialect, route, reply);
        return;
    }
    if (!dialect) {
        router_refuse_plainly(reply, 404,
                              "There is nothing at this path; the page at / shows what is.");
        count_status(&server->tallies[SERVER_DIALECTS_MAX], reply->status);
        return;
    }
    if (!route && live_listen(worker->live, request, reply))
        return;
    answer = answer_new(server, request, dialect, mount);
    answer->route = route;
    if (!route) {
        (void) oi_problem_set(&answer->problem, OI_PROBLEM_PATH, "", request->path,
                              "there is nothing at this path");
        atomic_fetch_add(&answer->tally->requests, 1);
        refuse(answer, request, reply);
        answer_free(answer);
        return;
    }
    answer_route(answer, request, reply);
}

void
router_handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct oi_server *server = ((struct worker *) context)->server;

    route_request(context, request, reply);
    if (request->method != OI_HTTP_OPTIONS)
        oi_cors_answer(server->cors, request, reply);
}

void
router_refuse(void *context, int status, const char *reason, struct oi_slice target,
              struct oi_http_reply *reply)
{
    struct oi_server *server = ((struct worker *) context)->server;
    struct oi_http_request request = {};
    const struct oi_dialect *dialect = NULL;
    struct oi_slice mount = {};
    struct oi_slice path = target;
    const char *query = target.size > 0 ? memchr(target.data, '?', target.size) : NULL;
    struct answer *answer;

    /* Only the path matters here, and only if it is a plain one: the rest may be what is wrong. */
    if (query)
        path.size = (size_t) (query - target.data);
    if (path.size > 0 && path.data[0] == '/' && !memchr(path.data, '%', path.size))
        request.path = path;
    if (request.path.size > 0)
        (void) oi_dialects_route(&request, &dialect, &mount);
    if (!dialect) {
        router_refuse_plainly(reply, status, reason);
        count_status(&server->tallies[SERVER_DIALECTS_MAX], reply->status);
        return;
    }
    answer = answer_new(server, &request, dialect, mount);
    (void) oi_problem_set(&answer->problem, OI_PROBLEM_SYNTAX, "", OI_SLICE(""), "%s", reason);
    answer->problem.http_status = status;
    atomic_fetch_add(&answer->tally->requests, 1);
    refuse(answer, &request, reply);
    answer_free(answer);
}
