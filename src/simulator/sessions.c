/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: who subscribed to what, and what has moved since. */
/* no unit test: tests/contract/collector_stream_test.c drives every exchange's */
#include "simulator/sessions.h"

#include "base/map.h"
#include "simulator/world_state.h"

/* A thread that was late pushes what it missed, but no more than this. */
#define PULSES_MAX 1000

struct subscription {
    char symbol[OI_SYMBOL_SIZE];
    bool has_sent;
    struct oi_decimal sent; /* the last figure */
};

struct session {
    struct oi_simulator_world *world;
    enum oi_venue venue;
    const struct venue_stream *stream;
    char *path;
    OI_VECTOR(struct subscription) subscriptions;
    struct oi_map *index; /* symbol -> subscription */
    struct oi_meter meter;
    oi_time pulse; /* the last one pushed, or OI_TIME_NONE */
    const struct oi_mood *mood;
    void (*send)(void *context, struct oi_slice text);
    void *context;
};

void
oi_sessions_set_pulse(struct oi_simulator_world *world, int64_t pulse_ns)
{
    oi_assert(pulse_ns > 0 && OI_MINUTE % pulse_ns == 0);
    world->pulse_ns = pulse_ns;
}

struct session *
oi_session_open(struct oi_simulator_world *world, const struct oi_http_request *request,
                struct oi_http_reply *reply, void (*send)(void *context, struct oi_slice text),
                void *context)
{
    struct session *session = NULL;
    enum oi_venue venue;
    const struct oi_mood *mood;

    if (!oi_world_find(oi_world_host(request), true, &venue)) {
        reply->status = 404;
        return NULL;
    }
    (void) pthread_mutex_lock(&world->mutex);
    mood = oi_moods_find_stream(&world->moods, venue, oi_world_now(world) - world->moods_since);
    if (mood && mood->kind == OI_MOOD_CUT) {
        reply->status = 503;
    } else if (world->venues[venue].sessions >= venues[venue]->stream->connections_max) {
        world->venues[venue].violations++;
        reply->status = 429;
    } else {
        world->venues[venue].sessions++;
        session = oi_alloc_zero(1, sizeof(*session));
        session->world = world;
        session->venue = venue;
        session->stream = venues[venue]->stream;
        session->path = oi_copy_text(request->path);
        session->index = oi_map_new();
        session->meter.rule = session->stream->messages;
        session->pulse = OI_TIME_NONE;
        session->send = send;
        session->context = context;
    }
    (void) pthread_mutex_unlock(&world->mutex);
    return session;
}

void
oi_session_close(struct session **session)
{
    struct session *closing = *session;

    if (!closing)
        return;
    *session = NULL;
    (void) pthread_mutex_lock(&closing->world->mutex);
    closing->world->venues[closing->venue].sessions--;
    (void) pthread_mutex_unlock(&closing->world->mutex);
    oi_vector_release(&closing->subscriptions);
    oi_map_free(&closing->index);
    oi_meter_release(&closing->meter);
    oi_free(closing->path);
    oi_free(closing);
}

struct oi_slice
session_path(const struct session *session)
{
    return oi_slice_of(session->path);
}

void
session_send_text(struct session *session, const char *text)
{
    session->send(session->context, oi_slice_of(text));
}

void
session_send(struct session *session, const struct call *call)
{
    session->send(session->context, oi_buffer_slice(call->writer->out));
    oi_buffer_clear(call->writer->out);
    *call->writer = (struct oi_json_writer){ .out = call->writer->out };
}

bool
session_subscribe(struct session *session, const struct call *call, struct oi_slice symbol,
                  const char *product)
{
    const struct oi_market *market = call_market(call, symbol);
    struct subscription *subscription;
    uint64_t place;

    if (!market || (product && strcmp(market->product, product) != 0))
        return false;
    if (oi_map_get(session->index, symbol, &place))
        return true;
    if (session->subscriptions.count >= session->stream->subscriptions_max) {
        session->world->venues[session->venue].violations++;
        return false;
    }
    oi_map_put(session->index, symbol, session->subscriptions.count);
    subscription = oi_vector_add(&session->subscriptions);
    memcpy(subscription->symbol, market->symbol, OI_SYMBOL_SIZE);
    return true;
}

void
session_subscribe_all(struct session *session, const struct call *call)
{
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market))
        (void) session_subscribe(session, call, oi_slice_of(market->symbol), NULL);
}

/* What a message or a pulse is answered with. With the lock held. */
static struct call
begin(struct session *session, oi_time now, struct oi_json_writer *writer)
{
    struct oi_simulator_world *world = session->world;

    oi_world_list(world, now);
    session->mood = oi_moods_find_stream(&world->moods, session->venue,
                                         oi_world_now(world) - world->moods_since);
    return (struct call){ .seed = world->seed,
                          .catalogue = &world->catalogue,
                          .moods = &world->moods,
                          .venue = session->venue,
                          .now = now,
                          .elapsed_ns = now - world->moods_since,
                          .writer = writer };
}

static bool
has_mood(const struct session *session, enum oi_mood_kind kind)
{
    return session->mood && session->mood->kind == kind;
}

void
oi_session_hear(struct session *session, struct oi_slice text)
{
    struct oi_simulator_world *world = session->world;
    struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out };
    struct oi_json *json = NULL;
    struct call call;

    (void) pthread_mutex_lock(&world->mutex);
    call = begin(session, oi_world_now(world), &writer);
    if (session->meter.rule.weight_max > 0 &&
        oi_meter_count(&session->meter, 1, call.now).verdict != OI_METER_FINE)
        world->venues[session->venue].violations++;
    if (!has_mood(session, OI_MOOD_MUTE)) {
        if (oi_json_open(text, &json, NULL) != OI_OK)
            json = NULL;
        session->stream->hear(session, &call, json ? oi_json_root(json) : NULL, text);
        oi_json_close(&json);
    }
    (void) pthread_mutex_unlock(&world->mutex);
    oi_buffer_release(&out);
}

/* One message, as the mood has it. */
static void
push(struct session *session, const struct call *call)
{
    struct oi_slice text = oi_buffer_slice(call->writer->out);

    if (has_mood(session, OI_MOOD_GARBLE)) {
        session->send(session->context, OI_SLICE("{\"topic\":\"tickers.\x01\", 1e999, ["));
        session->send(session->context, (struct oi_slice){ text.data, text.size / 2 });
    }
    session->send(session->context, text);
    if (has_mood(session, OI_MOOD_REPEAT))
        session->send(session->context, text);
    oi_buffer_clear(call->writer->out);
    *call->writer = (struct oi_json_writer){ .out = call->writer->out };
}

static void
push_market(struct session *session, const struct call *call, struct subscription *subscription)
{
    const struct oi_market *market = call_market(call, oi_slice_of(subscription->symbol));
    struct oi_figures figures;

    if (!market)
        return; /* gone: its topic is silent from now on */
    oi_market_pulse(call->seed, market, call->now, session->world->pulse_ns, &figures);
    if (subscription->has_sent &&
        oi_decimal_compare(&subscription->sent, &figures.open_interest) == 0)
        return;
    session->stream->push(session, call, market, &figures, !subscription->has_sent);
    push(session, call);
    if (subscription->has_sent && has_mood(session, OI_MOOD_SWAP)) {
        /* What came before comes once more behind it, with its own stamp. */
        struct call older = *call;

        older.now -= session->world->pulse_ns;
        oi_market_pulse(call->seed, market, older.now, session->world->pulse_ns, &figures);
        session->stream->push(session, &older, market, &figures, false);
        push(session, &older);
        oi_market_pulse(call->seed, market, call->now, session->world->pulse_ns, &figures);
    }
    subscription->has_sent = true;
    subscription->sent = figures.open_interest;
}

bool
oi_session_tick(struct session *session)
{
    struct oi_simulator_world *world = session->world;
    struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out };
    oi_time pulse = oi_interval_floor(world->pulse_ns, oi_world_now(world));
    oi_time from = session->pulse == OI_TIME_NONE ? pulse : session->pulse;

    if (from < pulse - PULSES_MAX * world->pulse_ns)
        from = pulse - PULSES_MAX * world->pulse_ns;
    (void) pthread_mutex_lock(&world->mutex);
    /* The last one again: subscriptions that are new since then. */
    for (oi_time at = from; at <= pulse; at += world->pulse_ns) {
        struct call call = begin(session, at, &writer);

        for (size_t i = 0; i < session->subscriptions.count && !has_mood(session, OI_MOOD_MUTE) &&
                           !has_mood(session, OI_MOOD_CUT);
             i++)
            if (at > from || !session->subscriptions.items[i].has_sent)
                push_market(session, &call, &session->subscriptions.items[i]);
    }
    session->pulse = pulse;
    (void) pthread_mutex_unlock(&world->mutex);
    oi_buffer_release(&out);
    return !has_mood(session, OI_MOOD_CUT);
}
