/* SPDX-License-Identifier: Apache-2.0 */
/* The store's half does what the server's router does, without sockets, keys and caches. */
/* no unit test: a store or a server; tests/system/top.test.mjs asks both */
#include "cli/asker.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/workspace.h"
#include "cli/zones.h"
#include "dialects/dialect.h"
#include "net/http_client.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 60'000

struct oi_asker {
    struct oi_workspace *workspace; /* or */
    struct oi_zones *zones;
    struct oi_loop *loop;
    struct oi_http_client *client;
    char *url, *key;
};

/*
 * Of a store.
 */

enum oi_status
oi_asker_open_store(const struct oi_options *options, struct oi_asker **ret_asker,
                    struct oi_error *error)
{
    struct oi_asker *asker = oi_alloc_zero(1, sizeof(*asker));
    enum oi_status status = oi_workspace_open(options, oi_options_text(options, "data"),
                                              OI_STORE_READ, &asker->workspace, error);

    if (status != OI_OK) {
        oi_free(asker);
        return status;
    }
    asker->zones = oi_zones_new(NULL);
    *ret_asker = asker;
    return OI_OK;
}

/* One question on its way through a dialect. */
struct passage {
    struct oi_http_request request;
    struct oi_http_reply reply;
    struct oi_query query;
    struct oi_problem problem;
    struct oi_result *result;
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    struct oi_call call;
};

static void
release_passage(struct passage *passage)
{
    oi_result_close(&passage->result);
    oi_query_release(&passage->query);
    oi_http_reply_release(&passage->reply);
    oi_http_request_release(&passage->request);
}

static enum oi_status
render(struct passage *passage, struct oi_error *error)
{
    struct oi_rendering rendering = { .call = &passage->call,
                                      .request = &passage->request,
                                      .query = &passage->query,
                                      .result = passage->result,
                                      .reply = &passage->reply,
                                      .problem = &passage->problem };
    bool is_last = false;

    while (!is_last) {
        OI_TRY(passage->route->render(&rendering, &passage->reply.body, &is_last, error));
        rendering.step++;
    }
    return OI_OK;
}

static enum oi_status
pass(struct oi_asker *asker, struct passage *passage, struct oi_error *error)
{
    struct oi_problem *problem = &passage->problem;

    passage->route = oi_dialects_route(&passage->request, &passage->dialect, &passage->call.mount);
    if (!passage->dialect)
        return oi_fail(error, OI_E_NOT_FOUND, "there is no such path");
    if (!passage->route)
        return oi_problem_set(problem, OI_PROBLEM_PATH, "", passage->request.path,
                              "There is no such path.");
    if ((passage->route->methods & (1u << passage->request.method)) == 0)
        return oi_problem_set(problem, OI_PROBLEM_METHOD, "", (struct oi_slice){},
                              "Not with this method.");
    OI_TRY(passage->route->parse(&passage->call, &passage->request, &passage->query, problem));
    if (passage->query.kind != OI_QUERY_NONE)
        OI_TRY(oi_query_run(&asker->workspace->source, &passage->query, &passage->result, problem,
                            error));
    return render(passage, error);
}

static enum oi_status
ask_store(struct oi_asker *asker, const struct oi_question_bytes *question,
          struct oi_buffer *answer, int *ret_status, struct oi_error *error)
{
    const struct oi_clock *clock = &oi_clock_system;
    OI_CLEANUP(release_passage)
    struct passage passage = { .query = OI_QUERY_EMPTY, .reply = { .status = 200 } };
    enum oi_status status;

    OI_TRY(oi_http_parse_target(oi_slice_of(question->target), &passage.request, error));
    passage.request.raw_target = oi_slice_of(question->target);
    if (question->body.size > 0) {
        passage.request.method = OI_HTTP_POST;
        passage.request.body = question->body;
        oi_http_add_header(&passage.request, "Content-Type", OI_SLICE("application/json"));
        oi_http_add_header(&passage.request, "Accept",
                           OI_SLICE("application/json, text/event-stream"));
    }
    passage.call = (struct oi_call){ .request_id = "00000000-0000-4000-8000-000000000000",
                                     .now = clock->wall_ns(clock),
                                     .zones = oi_zones_loader(asker->zones) };
    status = pass(asker, &passage, error);
    if (status == OI_E_INVALID && passage.problem.kind != OI_PROBLEM_NONE) {
        oi_buffer_clear(&passage.reply.body);
        passage.dialect->render_problem(&passage.call, &passage.request, &passage.problem,
                                        &passage.reply);
        status = OI_OK;
    }
    OI_TRY(status);
    oi_buffer_add_slice(answer, oi_buffer_slice(&passage.reply.body));
    *ret_status = passage.reply.status;
    return OI_OK;
}

/*
 * Of a server.
 */

enum oi_status
oi_asker_open_url(const char *url, const char *key, struct oi_asker **ret_asker,
                  struct oi_error *error)
{
    OI_CLEANUP(oi_asker_close) struct oi_asker *asker = oi_alloc_zero(1, sizeof(*asker));
    struct oi_slice text = oi_slice_of(url);

    while (oi_slice_ends_with(text, "/"))
        text.size--;
    if (!oi_slice_starts_with(text, "http://") && !oi_slice_starts_with(text, "https://"))
        return oi_fail(error, OI_E_INVALID, "--url must be like http://127.0.0.1:8080, not %s",
                       url);
    asker->url = oi_copy_text(text);
    asker->key = key ? oi_copy_text(oi_slice_of(key)) : NULL;
    OI_TRY(oi_loop_new(&asker->loop, error));
    OI_TRY(
        oi_http_client_new(asker->loop, &(struct oi_http_client_options){}, &asker->client, error));
    *ret_asker = asker;
    asker = NULL;
    return OI_OK;
}

struct waiting {
    struct oi_asker *asker;
    struct oi_buffer *answer;
    int http_status;
    bool is_done;
    enum oi_status status;
    struct oi_error *error;
};

static void
take(void *context, enum oi_status status, const struct oi_http_response *response,
     const struct oi_error *error)
{
    struct waiting *waiting = context;

    waiting->is_done = true;
    waiting->status = status;
    if (status == OI_OK) {
        waiting->http_status = response->status;
        oi_buffer_add_slice(waiting->answer, response->body);
    } else {
        waiting->status = oi_fail(waiting->error, status, "%s does not answer: %s",
                                  waiting->asker->url, error->message);
    }
    oi_loop_stop(waiting->asker->loop);
}

static enum oi_status
make_request(const struct oi_asker *asker, const struct oi_question_bytes *question,
             struct oi_http_request *request, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    oi_buffer_add_format(&text, "%s%s", asker->url, question->target);
    oi_buffer_add_char(&text, '\0');
    if (question->body.size > 0)
        OI_TRY(oi_http_post(request, text.data, "application/json", question->body, error));
    else
        OI_TRY(oi_http_get(request, text.data, error));
    if (question->body.size > 0)
        oi_http_add_header(request, "Accept", OI_SLICE("application/json, text/event-stream"));
    oi_buffer_clear(&text);
    oi_buffer_add_format(&text, "Bearer %s", asker->key ? asker->key : "");
    if (asker->key)
        oi_http_add_header(request, "Authorization", oi_buffer_slice(&text));
    return OI_OK;
}

static enum oi_status
ask_server(struct oi_asker *asker, const struct oi_question_bytes *question,
           struct oi_buffer *answer, int *ret_status, struct oi_error *error)
{
    static const struct oi_http_limits limits = { .timeout_ms = TIMEOUT_MS };
    struct waiting waiting = { .asker = asker, .answer = answer, .error = error };
    struct oi_http_request request = {};
    enum oi_status status = make_request(asker, question, &request, error);

    if (status == OI_OK) {
        oi_http_client_send(asker->client, &request, &limits, take, &waiting);
        while (!waiting.is_done) /* the last answer's stop may end the first turn */
            oi_loop_run(asker->loop);
        status = waiting.status;
    }
    oi_http_request_release(&request);
    OI_TRY(status);
    *ret_status = waiting.http_status;
    return OI_OK;
}

/*
 * Both.
 */

void
oi_asker_close(struct oi_asker **asker)
{
    if (!asker || !*asker)
        return;
    oi_http_client_free(&(*asker)->client);
    oi_loop_free(&(*asker)->loop);
    oi_zones_free(&(*asker)->zones);
    oi_workspace_close(&(*asker)->workspace);
    oi_free((*asker)->url);
    oi_free((*asker)->key);
    oi_free(*asker);
    *asker = NULL;
}

static enum oi_status
fail_of(int status, struct oi_slice body, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice text = {};

    if (oi_json_open(body, &json, NULL) == OI_OK)
        text = oi_json_text(oi_json_member(oi_json_member(oi_json_root(json), "error"), "message"));
    if (status == 401 || status == 403)
        return oi_fail(error, OI_E_DENIED, "the server answers %d: %.*s", status,
                       OI_SLICE_ARGS(text));
    return oi_fail(error, status == 404 ? OI_E_NOT_FOUND : OI_E_INVALID, "%.*s (HTTP %d)",
                   OI_SLICE_ARGS(text), status);
}

enum oi_status
oi_asker_ask(struct oi_asker *asker, const struct oi_question_bytes *question,
             struct oi_buffer *answer, int *ret_status, struct oi_error *error)
{
    size_t before = answer->size;
    int status = 0;

    if (asker->workspace)
        OI_TRY(ask_store(asker, question, answer, &status, error));
    else
        OI_TRY(ask_server(asker, question, answer, &status, error));
    if (ret_status)
        *ret_status = status;
    else if (status < 200 || status > 299)
        return fail_of(status, (struct oi_slice){ answer->data + before, answer->size - before },
                       error);
    return OI_OK;
}
