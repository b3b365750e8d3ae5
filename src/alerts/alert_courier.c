/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/system/alerts.test.mjs receives what it sends */
/*
 * One delivery of each action at a time, so that "resolved" does not overtake "fired" on the way;
 * an action that does not answer holds up no other. Nothing is followed elsewhere: a redirect is a
 * failure, since the owner named the address.
 */
#include "alerts/alert_courier.h"

#include "alerts/alert_command.h"
#include "base/json.h"
#include "base/log.h"
#include "net/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY_MAX 16
#define COMMANDS_MAX 4
/* How often ends of programs are looked for. */
#define LOOK_MS 50
#define BACKOFF_MAX (10 * OI_MINUTE)
/* A receiver's answer is of no interest. */
#define ANSWER_SIZE_MAX ((size_t) 1 << 20)

struct parcel {
    struct oi_alert_courier *courier;
    const struct oi_alert_target *target;
    struct oi_alert_delivery delivery;
    char id[OI_ALERT_ID_SIZE];
    pid_t process; /* 0: a webhook */
    int64_t started_ns;
};

struct oi_alert_courier {
    struct oi_loop *loop;
    struct oi_alert_log *log;
    const struct oi_alert_rules *rules;
    const struct oi_clock *clock;
    struct oi_http_client **clients; /* by action */
    struct oi_timer *timer;
    struct parcel *under_way[UNDER_WAY_MAX];
    size_t count, commands;
    struct oi_alert_courier_counts counts;
};

int64_t
oi_alert_backoff_ns(uint32_t attempts)
{
    int64_t wait_ns = OI_SECOND;

    for (uint32_t i = 1; i < attempts && wait_ns < BACKOFF_MAX; i++)
        wait_ns *= 2;
    return wait_ns < BACKOFF_MAX ? wait_ns : BACKOFF_MAX;
}

static void
add_signature(const struct oi_alert_target *target, const char *timestamp, struct oi_slice json,
              struct oi_http_request *request)
{
    uint8_t digest[OI_SHA256_SIZE];
    struct oi_buffer message = {}, header = {};

    oi_buffer_add_text(&message, timestamp);
    oi_buffer_add_char(&message, '.');
    oi_buffer_add_slice(&message, json);
    oi_hmac_sha256(oi_slice_of(target->secret), oi_buffer_slice(&message), digest);
    oi_buffer_add_text(&header, "sha256=");
    oi_hex((struct oi_slice){ (const char *) digest, sizeof(digest) }, &header);
    oi_http_add_header(request, "OI-Signature", oi_buffer_slice(&header));
    oi_buffer_release(&message);
    oi_buffer_release(&header);
}

enum oi_status
oi_alert_webhook(const struct oi_alert_target *target, const char *id, struct oi_slice json,
                 oi_time now, struct oi_http_request *request, struct oi_error *error)
{
    char timestamp[24];

    OI_TRY(oi_http_post(request, target->url, "application/json", json, error));
    (void) snprintf(timestamp, sizeof(timestamp), "%lld", (long long) oi_time_to_s(now));
    oi_http_add_header(request, "OI-Alert-Id", oi_slice_of(id));
    oi_http_add_header(request, "OI-Timestamp", oi_slice_of(timestamp));
    if (target->secret)
        add_signature(target, timestamp, json, request);
    return OI_OK;
}

static void look(void *context);

struct oi_alert_courier *
oi_alert_courier_new(struct oi_loop *loop, struct oi_alert_log *log,
                     const struct oi_alert_rules *rules, const struct oi_clock *clock)
{
    struct oi_alert_courier *courier = oi_alloc_zero(1, sizeof(*courier));

    *courier =
        (struct oi_alert_courier){ .loop = loop, .log = log, .rules = rules, .clock = clock };
    courier->clients = oi_alloc_zero(rules->targets.count, sizeof(struct oi_http_client *));
    courier->timer = oi_timer_new(loop, look, courier);
    return courier;
}

static void
forget(struct parcel *parcel)
{
    struct oi_alert_courier *courier = parcel->courier;

    for (size_t i = 0; i < courier->count; i++)
        if (courier->under_way[i] == parcel) {
            courier->under_way[i] = courier->under_way[--courier->count];
            break;
        }
    if (parcel->target && parcel->target->arguments && parcel->process > 0)
        courier->commands--;
    oi_alert_delivery_release(&parcel->delivery);
    oi_free(parcel);
}

void
oi_alert_courier_free(struct oi_alert_courier **courier)
{
    if (!courier || !*courier)
        return;
    for (size_t i = 0; i < (*courier)->rules->targets.count; i++)
        oi_http_client_free(&(*courier)->clients[i]); /* their parcels are forgotten */
    while ((*courier)->count > 0) {
        if ((*courier)->under_way[0]->process > 0)
            oi_alert_command_kill((*courier)->under_way[0]->process);
        forget((*courier)->under_way[0]);
    }
    oi_timer_free(&(*courier)->timer);
    oi_free((*courier)->clients);
    oi_free(*courier);
    *courier = NULL;
}

struct oi_alert_courier_counts
oi_alert_courier_counts(const struct oi_alert_courier *courier)
{
    return courier->counts;
}

/* It arrived, or is given up. */
static void
settle(struct parcel *parcel)
{
    struct oi_error error = {};

    if (oi_alert_log_settle(parcel->courier->log, &parcel->delivery, &error) != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "alert.settle_failed", parcel->delivery.target,
                         "reason=\"%s\" next=\"it is sent once more\"", error.message);
    forget(parcel);
}

static void
succeed(struct parcel *parcel)
{
    parcel->courier->counts.delivered++;
    oi_log(OI_LOG_INFO, "alert.delivered", "id=%s action=%s attempt=%u", parcel->id,
           parcel->delivery.target, parcel->delivery.attempts + 1);
    settle(parcel);
}

/* Try again, unless its time is up or the receiver wants no more. */
static void
fail(struct parcel *parcel, const char *reason, bool is_final)
{
    struct oi_alert_courier *courier = parcel->courier;
    struct oi_alert_delivery *delivery = &parcel->delivery;
    oi_time now = courier->clock->wall_ns(courier->clock);
    struct oi_error error = {};

    courier->counts.failed++;
    delivery->attempts++;
    if (is_final || now - delivery->at > parcel->target->give_up_ns) {
        courier->counts.given_up++;
        oi_log(OI_LOG_ERROR, "alert.given_up", "id=%s action=%s attempts=%u reason=\"%s\"",
               parcel->id, delivery->target, delivery->attempts, reason);
        settle(parcel);
        return;
    }
    delivery->due = now + oi_alert_backoff_ns(delivery->attempts);
    oi_log_throttled(OI_LOG_WARN, "alert.not_delivered", delivery->target,
                     "id=%s action=%s attempts=%u reason=\"%s\" next=\"again in %lld s\"",
                     parcel->id, delivery->target, delivery->attempts, reason,
                     (long long) ((delivery->due - now) / OI_SECOND));
    if (oi_alert_log_postpone(courier->log, delivery, &error) != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "alert.postpone_failed", delivery->target, "reason=\"%s\"",
                         error.message);
    forget(parcel);
}

static void
answered(void *context, enum oi_status status, const struct oi_http_response *response,
         const struct oi_error *error)
{
    struct parcel *parcel = context;
    struct oi_alert_courier *courier = parcel->courier;
    char reason[64];

    if (status == OI_E_CANCELLED) {
        forget(parcel);
        return;
    }
    if (status != OI_OK) {
        fail(parcel, error ? error->message : oi_status_text(status), false);
    } else if (response->status >= 200 && response->status < 300) {
        succeed(parcel);
    } else {
        (void) snprintf(reason, sizeof(reason), "status %d", response->status);
        fail(parcel, reason, response->status == 410);
    }
    oi_alert_courier_go_on(courier);
}

static enum oi_status
send_webhook(struct parcel *parcel, struct oi_error *error)
{
    struct oi_alert_courier *courier = parcel->courier;
    size_t at = (size_t) (parcel->target - courier->rules->targets.items);
    const struct oi_http_client_options options = { .authority = parcel->target->authority };
    const struct oi_http_limits limits = {
        .timeout_ms = (uint64_t) (parcel->target->timeout_ns / OI_MILLISECOND),
        .size_max = ANSWER_SIZE_MAX,
    };
    struct oi_http_request request = {};
    enum oi_status status;

    if (!courier->clients[at])
        OI_TRY(oi_http_client_new(courier->loop, &options, &courier->clients[at], error));
    status = oi_alert_webhook(parcel->target, parcel->id, oi_slice_of(parcel->delivery.json),
                              courier->clock->wall_ns(courier->clock), &request, error);
    if (status == OI_OK)
        oi_http_client_send(courier->clients[at], &request, &limits, answered, parcel);
    oi_http_request_release(&request);
    return status;
}

static enum oi_status
run_command(struct parcel *parcel, struct oi_error *error)
{
    struct oi_alert_courier *courier = parcel->courier;

    OI_TRY(oi_alert_command_start(parcel->target->arguments, parcel->id,
                                  oi_slice_of(parcel->delivery.json), &parcel->process, error));
    parcel->started_ns = courier->clock->monotonic_ns(courier->clock);
    if (courier->commands++ == 0)
        oi_timer_start(courier->timer, LOOK_MS, LOOK_MS);
    return OI_OK;
}

static void
look(void *context)
{
    struct oi_alert_courier *courier = context;
    int64_t now_ns = courier->clock->monotonic_ns(courier->clock);

    for (size_t i = courier->count; i-- > 0;) {
        struct parcel *parcel = courier->under_way[i];
        bool is_good = false;

        if (parcel->process == 0)
            continue;
        if (oi_alert_command_ended(parcel->process, &is_good)) {
            if (is_good)
                succeed(parcel);
            else
                fail(parcel, "it did not end with 0", false);
        } else if (now_ns - parcel->started_ns > parcel->target->timeout_ns) {
            oi_alert_command_kill(parcel->process);
            fail(parcel, "its time was up", false);
        }
    }
    if (courier->commands == 0)
        oi_timer_stop(courier->timer);
    oi_alert_courier_go_on(courier);
}

/* One delivery of an action at a time. */
static bool
may_go(void *context, uint64_t, const char *name)
{
    const struct oi_alert_courier *courier = context;
    const struct oi_alert_target *target = oi_alert_rules_target(courier->rules, name);

    for (size_t i = 0; i < courier->count; i++)
        if (strcmp(courier->under_way[i]->delivery.target, name) == 0)
            return false;
    return !target || !target->arguments || courier->commands < COMMANDS_MAX;
}

static void
begin(struct oi_alert_courier *courier, struct oi_alert_delivery *delivery)
{
    struct parcel *parcel;
    struct oi_json *document = NULL;
    struct oi_error error = {};
    enum oi_status status;

    if (courier->count == UNDER_WAY_MAX || !may_go(courier, delivery->sequence, delivery->target)) {
        oi_alert_delivery_release(delivery);
        return;
    }
    parcel = oi_alloc_zero(1, sizeof(*parcel));
    parcel->courier = courier;
    parcel->delivery = *delivery;
    parcel->target = oi_alert_rules_target(courier->rules, delivery->target);
    if (oi_json_open(oi_slice_of(delivery->json), &document, NULL) == OI_OK)
        (void) snprintf(parcel->id, sizeof(parcel->id), "%.*s",
                        OI_SLICE_ARGS(oi_json_text(oi_json_member(oi_json_root(document), "id"))));
    oi_json_close(&document);
    courier->under_way[courier->count++] = parcel;
    if (!parcel->target) {
        oi_log(OI_LOG_WARN, "alert.given_up", "id=%s action=%s reason=\"it is not configured\"",
               parcel->id, parcel->delivery.target);
        settle(parcel);
        return;
    }
    status = parcel->target->url ? send_webhook(parcel, &error) : run_command(parcel, &error);
    if (status != OI_OK)
        fail(parcel, error.message, false);
}

void
oi_alert_courier_go_on(struct oi_alert_courier *courier)
{
    struct oi_alert_delivery due[UNDER_WAY_MAX];
    struct oi_error error = {};
    size_t count = 0;
    enum oi_status status = oi_alert_log_due(courier->log, courier->clock->wall_ns(courier->clock),
                                             may_go, courier, due, OI_COUNT(due), &count, &error);

    if (status != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "alert.queue_failed", oi_status_name(status),
                         "reason=\"%s\"", error.message);
    for (size_t i = 0; i < count; i++)
        begin(courier, &due[i]);
}
