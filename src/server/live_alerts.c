/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what sockets see; tests/system/alerts.test.mjs listens over real ones */
/*
 * What fired, to listeners of the channel `alerts`. The process that judges may be another one, so
 * the log is looked into once a second, from where each listener is.
 */
#include "server/live_internal.h"

/* Events in one look, so that other sockets are written to in between. */
#define LOOK_EVENTS 500

/* Ask the log; NULL in *ret_result where there is none. */
static enum oi_status
ask(const struct live *live, struct oi_query *query, struct oi_result **ret_result)
{
    struct oi_problem problem = {};

    query->kind = OI_QUERY_ALERTS;
    return oi_query_run(live->worker->server->source, query, ret_result, &problem, NULL);
}

void
live_alerts_begin(struct listener *listener)
{
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_result *result = NULL;
    const struct oi_block *block = NULL;

    listener->hears_alerts = true;
    listener->alert_at = (uint64_t) listener->query.number;
    if (listener->query.number >= 0)
        return; /* from the number that was asked for */
    listener->alert_at = 0;
    query.limit = 1;
    query.from_end = true;
    if (ask(listener->live, &query, &result) != OI_OK)
        return;
    if (oi_result_next(result, &block, NULL) == OI_OK && block && block->count > 0)
        listener->alert_at = block->alerts[block->count - 1].sequence;
    oi_result_close(&result);
}

static void
send_block(struct listener *listener, const struct oi_block *block)
{
    struct oi_buffer text = {};

    for (size_t i = 0; i < block->count; i++) {
        oi_buffer_clear(&text);
        listener->route->render_alert(&block->alerts[i], &text);
        listener_send_text(listener, oi_buffer_slice(&text));
        listener->alert_at = block->alerts[i].sequence;
    }
    oi_buffer_release(&text);
}

static void
send_new(struct listener *listener)
{
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_result *result = NULL;
    const struct oi_block *block = NULL;

    if (listener->is_closing || listener_queued(listener) > LIVE_QUEUE_MAX / 2)
        return; /* it is told when it has read */
    query.limit = LOOK_EVENTS;
    query.text_filter = listener->query.text_filter;
    query.after = (struct oi_position){ .is_set = true, .time = (oi_time) listener->alert_at };
    if (ask(listener->live, &query, &result) != OI_OK)
        return;
    if (oi_result_next(result, &block, NULL) == OI_OK && block)
        send_block(listener, block);
    oi_result_close(&result);
}

void
live_alerts_send(struct live *live)
{
    for (size_t i = live->listeners.count; i-- > 0;)
        if (live->listeners.items[i]->hears_alerts)
            send_new(live->listeners.items[i]);
}
