/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cheap request to every exchange, by the ways that the collector takes, judged as the
 * collector judges.
 */
/* no unit test: sockets; tests/system/doctor.test.mjs runs it over the simulator */
#include "cli/doctor.h"

#include "base/clock.h"
#include "cli/intake.h"
#include "collector/routes.h"
#include "exchanges/reply.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 15'000
#define SIZE_MAX_BYTES ((size_t) 64 << 20)

struct visit {
    struct round *round;
    struct oi_reach reach;
};

struct round {
    OI_VECTOR(struct visit) visits;
    struct oi_loop *loop;
    size_t open;
};

static bool
is_wanted(const struct oi_options *options, const struct oi_exchange *exchange)
{
    const char *const *names;
    size_t count = oi_options_values(options, "exchange", &names);

    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], exchange->name) == 0)
            return true;
    return count == 0 && exchange->closed == 0;
}

/* The first endpoint that needs no list made before, or NULL (CME hands out files alone). */
static const struct oi_endpoint *
choose(const struct oi_exchange *exchange)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];

        if (endpoint->kind != OI_TASK_HISTORY && endpoint->scope != OI_SCOPE_SYMBOL &&
            (endpoint->scope != OI_SCOPE_FAMILY || endpoint->families))
            return endpoint;
    }
    return NULL;
}

static enum oi_status
ask(const struct oi_exchange *exchange, struct oi_http_request *request, struct oi_error *error)
{
    const struct oi_clock *clock = &oi_clock_system;
    const struct oi_endpoint *endpoint = choose(exchange);
    const struct oi_task task = {
        .kind = endpoint->kind,
        .product = endpoint->product ? endpoint->product : exchange->products[0],
        .family = endpoint->scope == OI_SCOPE_FAMILY ? endpoint->families[0] : NULL,
        .now = clock->wall_ns(clock),
    };

    return endpoint->ask(&task, request, error);
}

static void
judge(struct oi_reach *reach, const struct oi_http_response *response)
{
    const struct oi_clock *clock = &oi_clock_system;
    const struct oi_slice *date = oi_http_response_header(response, "Date");
    int64_t now_ns = clock->wall_ns(clock), second;
    const struct oi_reply_head head = { .status = response->status,
                                        .body = response->body,
                                        .headers = response->headers,
                                        .header_count = response->header_count,
                                        .now = now_ns };
    struct oi_verdict verdict = {};

    (reach->exchange->judge ? reach->exchange->judge : oi_reply_judge)(&head, &verdict);
    reach->http_status = response->status;
    reach->verdict = verdict.status;
    (void) snprintf(reach->reason, sizeof(reach->reason), "%s", verdict.reason);
    reach->has_date = date && oi_http_date_read(*date, &second);
    /* The second began some time before it was written down: half of one, on average. A long body
     * came after its head, so only the way there and back counts when it is short. */
    if (reach->has_date)
        reach->ahead_ns = now_ns - second * OI_SECOND - OI_SECOND / 2 - response->elapsed_ns / 2;
}

static void
take(void *context, enum oi_status status, const struct oi_http_response *response,
     const struct oi_error *error)
{
    struct visit *visit = context;
    struct round *round = visit->round;
    struct oi_reach *reach = &visit->reach;

    reach->is_done = true;
    reach->status = status;
    reach->elapsed_ns = response ? response->elapsed_ns : 0;
    if (status == OI_OK)
        judge(reach, response);
    else
        (void) snprintf(reach->reason, sizeof(reach->reason), "%s", error->message);
    if (--round->open == 0)
        oi_loop_stop(round->loop);
}

static void
send_one(struct oi_routes *routes, struct visit *visit)
{
    static const struct oi_http_limits limits = { .timeout_ms = TIMEOUT_MS,
                                                  .size_max = SIZE_MAX_BYTES };
    struct oi_http_request request = {};
    struct oi_http_client *client = NULL;
    struct oi_error error = {};
    enum oi_status status = ask(visit->reach.exchange, &request, &error);

    if (status == OI_OK)
        status = oi_routes_client(routes, visit->reach.exchange->name, 0, &client, &error);
    if (status == OI_OK) {
        visit->round->open++;
        oi_http_client_send(client, &request, &limits, take, visit);
    } else {
        visit->reach.status = status;
        (void) snprintf(visit->reach.reason, sizeof(visit->reach.reason), "%s", error.message);
    }
    oi_http_request_release(&request);
}

static enum oi_status
run_round(struct round *round, const struct oi_intake_ways *ways, struct oi_findings *findings,
          struct oi_error *error)
{
    const struct oi_routes_options options = { .loop = round->loop,
                                               .redirect_to = ways->redirect_to,
                                               .proxies = ways->proxies,
                                               .addresses = ways->addresses };
    OI_CLEANUP(oi_routes_close) struct oi_routes *routes = NULL;
    OI_VECTOR(struct oi_reach) reaches = {};

    OI_TRY(oi_routes_open(&options, &routes, error));
    for (size_t i = 0; i < round->visits.count; i++) {
        struct visit *visit = &round->visits.items[i];

        visit->round = round;
        visit->reach.proxy = oi_routes_proxy(routes, visit->reach.exchange->name);
        send_one(routes, visit);
    }
    if (round->open > 0)
        oi_loop_run(round->loop);
    for (size_t i = 0; i < round->visits.count; i++)
        oi_vector_push(&reaches, round->visits.items[i].reach);
    oi_doctor_judge_dates(findings, reaches.items, reaches.count);
    for (size_t i = 0; i < reaches.count; i++)
        oi_doctor_judge_reach(findings, &reaches.items[i]);
    oi_vector_release(&reaches);
    return OI_OK;
}

enum oi_status
oi_doctor_look_at_exchanges(struct oi_findings *findings, const struct oi_options *options,
                            struct oi_error *error)
{
    OI_CLEANUP(oi_intake_close) struct oi_intake *intake = NULL;
    OI_CLEANUP(oi_loop_free) struct oi_loop *loop = NULL;
    struct oi_intake_ways ways;
    struct round round = {};
    enum oi_status status;

    OI_TRY(oi_intake_open_idle(options, &intake, error));
    OI_TRY(oi_loop_new(&loop, error));
    ways = oi_intake_ways(intake);
    round.loop = loop;
    for (size_t i = 0; oi_exchanges[i]; i++)
        if (is_wanted(options, oi_exchanges[i]) && choose(oi_exchanges[i]))
            oi_vector_push(&round.visits,
                           ((struct visit){ .reach = { .exchange = oi_exchanges[i] } }));
    status = run_round(&round, &ways, findings, error);
    oi_vector_release(&round.visits);
    return status;
}
