/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what sockets see; tests/system/streams.test.mjs listens over real ones */
/*
 * Live rows over WebSocket, in every dialect that has a stream. The store tells every hub of a
 * commit on the committing thread; the hub copies what somebody listens to and wakes its loop,
 * where a row is worded once for each stream and queued on its listeners.
 */
#include "server/live_internal.h"

#include "base/log.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* Rows waiting for the loop: a minute of the whole world several times over. */
#define LIVE_ROWS_MAX 100'000
/* Rows pushed in one turn of the loop, so that sockets are written to in between. */
#define LIVE_TURN_ROWS 1000
/* Streams of all dialects. */
#define LIVE_ROUTES_MAX 8
/* Server-sent events say that they are alive: proxies end what is silent for a minute. */
#define BEAT_S 20
#define KEY_WAIT_S 10

/* Rows for the loop. The lock is held. */
static void
wait_for_loop(struct live *live, uint64_t batch, const struct oi_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (live->waiting.count >= LIVE_ROWS_MAX) {
            live->dropped += count - i;
            live->has_hole = true;
            break;
        }
        oi_vector_push(&live->waiting, ((struct live_row){ batch, rows[i] }));
    }
}

static void
committed(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct live *live = context;

    if (atomic_load(&live->listener_count) == 0 || atomic_load(&live->worker->server->is_relaying))
        count = 0;
    pthread_mutex_lock(&live->lock);
    live->has_hole |= batch > live->told + 1;
    live->told = batch > live->told ? batch : live->told;
    wait_for_loop(live, batch, rows, count);
    pthread_mutex_unlock(&live->lock);
    if (count > 0)
        oi_loop_wake(live->worker->loop);
}

void
live_relay(struct live *live, const struct oi_row *rows, size_t count)
{
    if (atomic_load(&live->listener_count) == 0)
        return;
    pthread_mutex_lock(&live->lock);
    wait_for_loop(live, 0, rows, count);
    pthread_mutex_unlock(&live->lock);
    oi_loop_wake(live->worker->loop);
}

static struct recall *
find_recall(struct live *live, const struct oi_stream_route *route, const char *exchange)
{
    struct recall *recall;

    for (size_t i = 0; i < live->recalls.count; i++) {
        recall = &live->recalls.items[i];
        if (recall->route == route && strcmp(recall->exchange, exchange) == 0)
            return recall;
    }
    oi_vector_push(&live->recalls, ((struct recall){ .route = route }));
    recall = &live->recalls.items[live->recalls.count - 1];
    (void) OI_NAME_SET(recall->exchange, oi_slice_of(exchange), NULL);
    recall->ring = oi_alloc_zero(route->memory, sizeof(*recall->ring));
    return recall;
}

/* Was a row of this market and microsecond sent on this stream? If not, it is from now on. */
static bool
was_sent(struct live *live, const struct oi_stream_route *route, uint32_t instrument,
         const struct oi_stream_row *row)
{
    struct recall *recall;
    const struct sent sent = { instrument, row->reading->time / OI_MICROSECOND };

    if (route->memory == 0)
        return false;
    recall = find_recall(live, route, row->instrument->exchange);
    for (size_t i = 0; i < recall->count; i++) {
        if (recall->ring[i].instrument == sent.instrument &&
            recall->ring[i].time_us == sent.time_us)
            return true;
    }
    recall->ring[recall->next] = sent;
    recall->next = (recall->next + 1) % route->memory;
    if (recall->count < route->memory)
        recall->count++;
    return false;
}

bool
live_is_canonical(const struct oi_server *server, const struct oi_stream_route *route)
{
    for (size_t i = 0; server->canonical != 0 && oi_dialects[i]; i++)
        for (size_t k = 0; k < oi_dialects[i]->stream_count; k++)
            if (&oi_dialects[i]->streams[k] == route)
                return server_manners(server, oi_dialects[i]).is_canonical;
    return false;
}

void
live_set_row(struct live *live, const struct oi_catalog *catalog, const struct oi_row *row,
             struct wording *wording, struct oi_facts *facts)
{
    const struct oi_source *source = live->worker->server->source;
    const struct oi_series *series = &catalog->series[row->series - 1];
    const struct oi_feed *feed = &catalog->feeds[series->feed - 1];
    enum oi_unit unit = wording->route->unit;
    bool one_sided;

    wording->row = (struct oi_stream_row){
        .instrument = &catalog->instruments[series->instrument - 1],
        .reading = &row->reading,
        .feed = feed->name,
        .is_daily = feed->is_daily,
    };
    if (unit == OI_UNIT_UNKNOWN)
        return;
    oi_facts_at(source, catalog, row->series, row->reading.time, OI_TIME_LATEST, facts);
    if (facts->convention)
        wording->row.is_daily = facts->convention->is_daily;
    wording->row.instrument = &facts->instrument;
    one_sided = live_is_canonical(live->worker->server, wording->route);
    wording->row.amount = oi_facts_convert(facts, &row->reading, unit, one_sided);
    wording->row.usd = oi_facts_convert(facts, &row->reading, OI_UNIT_USD, one_sided);
}

void
live_word_release(struct wording *wording)
{
    for (size_t i = 0; i < OI_COUNT(wording->forms); i++) {
        oi_shared_unref(&wording->forms[i].frame);
        oi_buffer_release(&wording->forms[i].text);
    }
}

/* One row on its way out: its wordings, made as listeners ask for them. */
struct push {
    struct live *live;
    const struct oi_catalog *catalog;
    const struct oi_row *row;
    uint64_t batch;
    uint32_t instrument;
    bool is_bad; /* in the operator's ledger: only for those who keep whole rows */
    oi_time now;
    struct wording wordings[LIVE_ROUTES_MAX];
    struct oi_facts facts[LIVE_ROUTES_MAX];
    size_t count;
};

static struct wording *
word(struct push *push, const struct oi_stream_route *route)
{
    struct wording *wording;

    for (size_t i = 0; i < push->count; i++) {
        if (push->wordings[i].route == route)
            return &push->wordings[i];
    }
    oi_assert(push->count < LIVE_ROUTES_MAX);
    wording = &push->wordings[push->count];
    *wording = (struct wording){ .route = route };
    live_set_row(push->live, push->catalog, push->row, wording, &push->facts[push->count++]);
    wording->row.batch = push->batch;
    wording->is_taken = (!route->takes || route->takes(&wording->row, push->now, false)) &&
                        !was_sent(push->live, route, push->instrument, &wording->row);
    return wording;
}

static void
push_to(void *context, struct listener *listener)
{
    struct push *push = context;
    const struct oi_observation *reading = &push->row->reading;
    struct interest *interest = NULL;
    struct wording *wording;

    if (listener->hears_alerts || (listener->hears_all && listener->candles_count > 0) ||
        (push->is_bad && !listener->replica))
        return;
    if (!listener->hears_all) {
        interest = listener_find(listener, push->instrument);
        if (!interest || !(interest->wants & 1))
            return;
    }
    wording = word(push, listener->route);
    if (!wording->is_taken)
        return;
    if (interest) {
        listener_send_newest(listener, push->catalog, interest);
        if (interest->time == reading->time &&
            (listener->route->memory > 0 || interest->series == push->row->series))
            return;
    }
    live_replica_introduce(listener, push->catalog, push->row->series);
    listener_send(listener, wording);
}

/* Rows are told as they were committed, without what the ledger says of them. */
static bool
is_bad(struct oi_store *store, const struct oi_row *row)
{
    oi_time time = row->reading.time;

    return (row->reading.flags & OI_FLAG_BAD) ||
           oi_store_is_flagged(store, row->series, (struct oi_span){ time, time + 1 },
                               OI_TIME_LATEST);
}

static void
push_row(struct push *push, const struct live_row *told)
{
    const struct oi_row *row = &told->row;
    struct live *live = push->live;

    if (row->series == 0 || row->series > push->catalog->series_count)
        return;
    push->row = row;
    push->batch = told->batch;
    push->count = 0;
    push->instrument = push->catalog->series[row->series - 1].instrument;
    push->is_bad = is_bad(live->worker->server->source->store, row);
    live_candles_note(live, push->instrument, row->reading.time);
    live_index_push(live, 0, push_to, push);
    live_index_push(live, push->instrument, push_to, push);
    for (size_t i = 0; i < push->count; i++)
        live_word_release(&push->wordings[i]);
}

/* What was committed since becomes what is pushed. */
static void
take_waiting(struct live *live)
{
    uint64_t dropped;

    oi_vector_release(&live->pushing);
    live->pushed = 0;
    pthread_mutex_lock(&live->lock);
    live->pushing.items = live->waiting.items;
    live->pushing.count = live->waiting.count;
    live->pushing.capacity = live->waiting.capacity;
    memset(&live->waiting, 0, sizeof(live->waiting));
    dropped = live->dropped;
    live->dropped = 0;
    pthread_mutex_unlock(&live->lock);
    if (dropped > 0)
        oi_log_throttled(OI_LOG_WARN, "live.dropped", "rows", "rows=%llu",
                         (unsigned long long) dropped);
}

void
live_push(struct live *live)
{
    const struct oi_source *source = live->worker->server->source;
    struct push push = { .live = live, .now = source->clock->wall_ns(source->clock) };
    uint64_t market_version;
    size_t to;

    live_replicas_go_on(live);
    if (live->pushed >= live->pushing.count)
        take_waiting(live);
    if (live->pushing.count == 0 && live->due.count == 0)
        return;
    to = live->pushing.count - live->pushed > LIVE_TURN_ROWS ? live->pushed + LIVE_TURN_ROWS
                                                             : live->pushing.count;
    market_version = oi_store_market_version(source->store);
    push.catalog = oi_store_catalog(source->store);
    for (size_t i = 0; live->market_version != market_version && i < live->listeners.count; i++)
        listener_refresh(live->listeners.items[i], market_version);
    live->market_version = market_version;
    for (; live->pushed < to; live->pushed++)
        push_row(&push, &live->pushing.items[live->pushed]);
    (void) live_candles_send(live, push.catalog);
    oi_catalog_unref(&push.catalog);
    /* Once more even if all is sent: more may have been committed meanwhile. */
    oi_loop_wake(live->worker->loop);
}

static void
listener_free(struct listener *listener)
{
    live_candles_leave(listener);
    oi_access_close_stream(&listener->account);
    live_replica_free(listener);
    if (listener->hears_all)
        live_index_remove(listener->live, 0, listener->place);
    for (size_t i = 0; i < listener->interests.count; i++)
        live_index_remove(listener->live, listener->interests.items[i].instrument,
                          listener->interests.items[i].place);
    oi_buffer_release(&listener->events);
    oi_vector_release(&listener->interests);
    oi_vector_release(&listener->channels);
    oi_query_release(&listener->query);
    oi_free(listener);
}

void
listener_remove(struct listener *listener)
{
    struct live *live = listener->live;
    struct listener *last = live->listeners.items[live->listeners.count - 1];

    live->listeners.items[listener->slot] = last;
    last->slot = listener->slot;
    live->listeners.count--;
    atomic_fetch_sub(&live->listener_count, 1);
    listener_free(listener);
}

/* Whose keys are no longer in force, hears no more. */
static void
check_keys(struct live *live)
{
    const struct oi_access *access = live->worker->server->access;
    uint64_t generation = oi_access_generation(access);

    if (generation == live->access_generation)
        return;
    live->access_generation = generation;
    for (size_t i = live->listeners.count; i-- > 0;) {
        struct listener *listener = live->listeners.items[i];
        bool holds = !oi_access_has_keys(access) || !listener->has_key ||
                     (listener->has_key_hash && oi_access_knows(access, listener->key_hash));

        if (!holds && !listener->is_closing)
            listener_close(listener, 1008, "the key is no longer in force");
    }
}

/* A connection that may show its key by message holds a place meanwhile, so not for ever. */
static void
close_strangers(struct live *live)
{
    if (!oi_access_has_keys(live->worker->server->access))
        return;
    for (size_t i = live->listeners.count; i-- > 0;) {
        struct listener *listener = live->listeners.items[i];

        if (listener->has_key || listener->is_closing)
            continue;
        if (++listener->seconds_without_key > KEY_WAIT_S)
            listener_close(listener, 1008, "no key was shown");
    }
}

static void
look_after(void *context)
{
    struct live *live = context;
    const struct oi_clock *clock = live->worker->server->source->clock;

    check_keys(live);
    close_strangers(live);
    live_replicas_look(live);
    live_candles_expire(live, clock->wall_ns(clock));
    live_alerts_send(live);
    if (live->due.count > 0)
        oi_loop_wake(live->worker->loop);
    if (++live->beats % BEAT_S != 0)
        return;
    for (size_t i = 0; i < live->listeners.count; i++)
        if (live->listeners.items[i]->replica)
            live_replica_beat(live->listeners.items[i]);
        else
            listener_beat(live->listeners.items[i]);
}

struct live *
live_new(struct worker *worker)
{
    struct live *live = oi_alloc_zero(1, sizeof(*live));

    live->worker = worker;
    pthread_mutex_init(&live->lock, NULL);
    live->told = oi_store_last_batch(worker->server->source->store);
    live->watcher = (struct oi_watcher){ .committed = committed, .context = live };
    oi_store_watch(worker->server->source->store, &live->watcher);
    live->access_generation = oi_access_generation(worker->server->access);
    live->timer = oi_timer_new(worker->loop, look_after, live);
    oi_timer_start(live->timer, 1000, 1000);
    return live;
}

void
live_free(struct live **live)
{
    if (!live || !*live)
        return;
    oi_store_unwatch((*live)->worker->server->source->store, &(*live)->watcher);
    for (size_t i = 0; i < (*live)->recalls.count; i++)
        oi_free((*live)->recalls.items[i].ring);
    oi_timer_free(&(*live)->timer);
    oi_vector_release(&(*live)->due);
    oi_vector_release(&(*live)->candles);
    oi_vector_release(&(*live)->recalls);
    oi_vector_release(&(*live)->pushing);
    oi_vector_release(&(*live)->waiting);
    oi_vector_release(&(*live)->listeners);
    live_index_release(*live);
    pthread_mutex_destroy(&(*live)->lock);
    oi_free(*live);
    *live = NULL;
}

enum oi_status
live_judge(enum oi_key_verdict verdict, struct oi_problem *problem)
{
    switch (verdict) {
    case OI_KEY_FINE:
        return OI_OK;
    case OI_KEY_MISSING:
        return oi_problem_set(problem, OI_PROBLEM_KEY_MISSING, "", (struct oi_slice){},
                              "a key is required");
    case OI_KEY_WRONG:
        return oi_problem_set(problem, OI_PROBLEM_KEY_WRONG, "", (struct oi_slice){},
                              "the key is not valid");
    case OI_KEY_DENIED:
        return oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "", (struct oi_slice){},
                              "the plan has no streams");
    case OI_KEY_TOO_FAST:
    case OI_KEY_USED_UP:
    case OI_KEY_UNKNOWABLE:
        break;
    }
    (void) oi_problem_set(problem, OI_PROBLEM_RATE, "", (struct oi_slice){},
                          "as many streams are open as the plan allows");
    problem->retry_after_s = 1;
    return OI_E_INVALID;
}

static bool
comes_from_elsewhere(const struct oi_server *server, const struct oi_http_request *request)
{
    const struct oi_slice *origin = oi_http_header(request, "origin");

    return !oi_cors_admits(server->cors, request) &&
           !(server->options.public_url && oi_slice_is(*origin, server->options.public_url));
}

/* Browsers let a page of any site open a WebSocket: to what listens on their own machine, and with
 * our page's cookie where they hold the two for one site. A key is what such a page has not. */
static bool
may_be_led(const struct oi_server *server, bool has_session)
{
    return has_session || (!oi_access_has_keys(server->access) && !server->options.is_open);
}

/* May the caller listen, and to what? */
static enum oi_status
begin(struct listener *listener, const struct oi_call *call, const struct oi_http_request *request,
      const struct oi_dialect *dialect, struct oi_problem *problem)
{
    struct oi_server *server = listener->live->worker->server;
    const struct oi_stream_route *route = listener->route;
    struct oi_slice key = route->key ? route->key(request) : dialect->key(request);
    enum oi_key_verdict verdict = oi_access_check_key(server->access, key);
    uint8_t hash[OI_SHA256_SIZE];
    bool has_session = verdict != OI_KEY_FINE && session_find(server, request, hash);

    if (comes_from_elsewhere(server, request) && may_be_led(server, has_session))
        return oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "", (struct oi_slice){},
                              "pages of that site may not listen here");
    if (verdict == OI_KEY_FINE)
        oi_sha256(key, hash);
    if (verdict == OI_KEY_FINE || has_session)
        OI_TRY(live_judge(listener_take_key(listener, hash), problem));
    else if (!route->has_key_in_messages)
        return live_judge(verdict, problem);
    OI_TRY(route->parse(call, request, &listener->query, problem));
    if (listener->query.kind == OI_QUERY_ALERTS) {
        live_alerts_begin(listener);
        return OI_OK;
    }
    if (listener->query.is_replica && oi_access_has_keys(server->access) &&
        !oi_access_is_operator(server->access, key))
        return oi_problem_set(problem, OI_PROBLEM_FORBIDDEN, "", (struct oi_slice){},
                              "whole rows are for the operator's own servers: an operator's key");
    listener->hears_all = listener->query.selectors.count == 0 && !route->read_message;
    if (listener->hears_all)
        listener->place = live_index_add(listener->live, 0, listener);
    for (size_t i = 0; i < listener->query.selectors.count; i++) {
        struct oi_selector *selector = &listener->query.selectors.items[i];

        listener->has_pattern |= selector->is_pattern || !selector->market;
        selector->interval_ns = listener->query.interval_ns;
    }
    if (listener->query.interval_ns > 0)
        (void) live_candles_join(listener, &listener->query, listener->query.interval_ns);
    return listener_choose(listener, &listener->query, true, problem);
}

static void
refuse(struct live *live, const struct oi_http_request *request, const struct oi_dialect *dialect,
       const struct oi_call *call, const struct oi_problem *problem, struct oi_http_reply *reply)
{
    struct tally *tally = server_tally(live->worker->server, dialect);

    if (dialect) {
        dialect->render_problem(call, request, problem, reply);
    } else {
        reply->status = 404;
        oi_http_reply_type(reply, "text/plain; charset=utf-8");
        oi_buffer_add_text(&reply->body, "There is no stream at this path.\n");
    }
    atomic_fetch_add(reply->status >= 500 ? &tally->failed : &tally->refused, 1);
}

/* What a handshake and a request for events share: whose stream it is, and may the caller listen.
 * NULL: `reply` says why not. */
static struct listener *
listener_new(struct live *live, const struct oi_http_request *request,
             struct oi_websocket *websocket, struct oi_http_reply *reply)
{
    struct oi_server *server = live->worker->server;
    const struct oi_dialect *dialect = NULL;
    char request_id[OI_UUID_SIZE];
    struct oi_call call = { .request_id = request_id,
                            .now = server->source->clock->wall_ns(server->source->clock),
                            .zones = server->options.zones };
    struct oi_problem problem = {};
    const struct oi_stream_route *route = oi_dialects_stream(request, &dialect, &call.mount);
    struct listener *listener;

    oi_random_uuid(request_id);
    atomic_fetch_add(&server_tally(server, dialect)->requests, 1);
    if (!route) {
        (void) oi_problem_set(&problem, OI_PROBLEM_PATH, "", request->path,
                              "there is no stream at this path");
        refuse(live, request, dialect, &call, &problem, reply);
        return NULL;
    }
    listener = oi_alloc_zero(1, sizeof(*listener));
    *listener = (struct listener){ .live = live,
                                   .websocket = websocket,
                                   .route = route,
                                   .query = OI_QUERY_EMPTY,
                                   .slot = live->listeners.count };
    if (begin(listener, &call, request, dialect, &problem) != OI_OK) {
        refuse(live, request, dialect, &call, &problem, reply);
        listener_free(listener);
        return NULL;
    }
    oi_vector_push(&live->listeners, listener);
    live->market_version = 0; /* its patterns may be of an older one */
    atomic_fetch_add(&live->listener_count, 1);
    if (listener->query.is_replica)
        live_replica_begin(listener);
    return listener;
}

bool
live_upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
             struct oi_http_reply *reply)
{
    struct live *live = ((struct worker *) context)->live;
    struct listener *listener;

    if (!oi_access_check_host(live->worker->server->access, oi_http_header(request, "host"))) {
        reply->status = 421;
        oi_http_reply_type(reply, "text/plain; charset=utf-8");
        oi_buffer_add_text(&reply->body,
                           "This server has no keys, so it answers only to its own names.\n");
        return false;
    }
    listener = listener_new(live, request, websocket, reply);
    if (listener)
        listener_attach(listener);
    return listener != NULL;
}

bool
live_listen(struct live *live, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    const struct oi_dialect *dialect = NULL;
    struct oi_slice mount = {};
    const struct oi_stream_route *route = oi_dialects_stream(request, &dialect, &mount);
    struct listener *listener;

    if (!route || !route->has_events || request->method != OI_HTTP_GET)
        return false;
    listener = listener_new(live, request, NULL, reply);
    if (listener)
        listener_attach_reply(listener, reply);
    return true;
}
