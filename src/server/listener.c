/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what sockets see; tests/system/streams.test.mjs listens over real ones */
/*
 * One listener of a stream: which markets it hears, the newest reading of each to begin with, its
 * messages, and its patience. What waits for a reader that stops is bounded: newest readings are
 * sent as the socket takes them, and live rows end it with the words of its vendor.
 */
#include "server/live_internal.h"

#include <stdlib.h>
#include <string.h>

/* Newest readings are sent while less than this is queued. */
#define NEWEST_QUEUE_MAX ((size_t) 256 << 10)

static int
compare_interests(const void *left, const void *right)
{
    const struct interest *a = left, *b = right;

    return a->instrument < b->instrument ? -1 : a->instrument > b->instrument;
}

struct interest *
listener_find(struct listener *listener, uint32_t instrument)
{
    const struct interest wanted = { .instrument = instrument };

    if (listener->interests.count == 0)
        return NULL;
    return bsearch(&wanted, listener->interests.items, listener->interests.count, sizeof(wanted),
                   compare_interests);
}

/* Each market once, and new ones into the hub's index. */
static void
index_interests(struct listener *listener)
{
    size_t kept = 0;

    for (size_t i = 0; i < listener->interests.count; i++) {
        struct interest *interest = &listener->interests.items[i];

        if (kept > 0 && listener->interests.items[kept - 1].instrument == interest->instrument)
            continue; /* two selectors chose it; neither is in the index before */
        listener->interests.items[kept++] = *interest;
    }
    listener->interests.count = kept;
    for (size_t i = 0; i < kept; i++) {
        struct interest *interest = &listener->interests.items[i];

        if (interest->place == SIZE_MAX)
            interest->place = live_index_add(listener->live, interest->instrument, listener);
    }
}

static void
add_choices(struct listener *listener, const struct oi_choices *choices, unsigned wants,
            bool needs_newest)
{
    size_t before = listener->interests.count;

    for (size_t i = 0; i < choices->items.count; i++) {
        const struct interest wanted = { .instrument = choices->items.items[i].instrument };
        struct interest *found = NULL;

        if (before > 0)
            found = bsearch(&wanted, listener->interests.items, before, sizeof(wanted),
                            compare_interests);
        if (found)
            found->wants |= wants;
        else
            oi_vector_push(&listener->interests,
                           ((struct interest){ .instrument = wanted.instrument,
                                               .wants = wants,
                                               .time = OI_TIME_NONE,
                                               .needs_newest = needs_newest,
                                               .place = SIZE_MAX }));
    }
    if (listener->interests.count > 1)
        qsort(listener->interests.items, listener->interests.count, sizeof(struct interest),
              compare_interests);
    index_interests(listener);
    listener->newest_at = 0;
}

static void
remove_choices(struct listener *listener, const struct oi_choices *choices, unsigned wants)
{
    size_t kept = 0;

    for (size_t i = 0; i < choices->items.count; i++) {
        struct interest *found = listener_find(listener, choices->items.items[i].instrument);

        if (found)
            found->wants &= ~wants;
    }
    for (size_t i = 0; i < listener->interests.count; i++) {
        const struct interest *interest = &listener->interests.items[i];

        if (interest->wants)
            listener->interests.items[kept++] = *interest;
        else
            live_index_remove(listener->live, interest->instrument, interest->place);
    }
    listener->interests.count = kept;
    listener->newest_at = 0;
}

/* As oi_names_choose, of those selectors that are of one interval: a market may be heard in
 * several. */
static enum oi_status
choose_interval(struct listener *listener, const struct oi_name_index *index,
                const struct oi_query *query, size_t first, bool is_adding,
                struct oi_problem *problem)
{
    int64_t interval_ns = query->selectors.items[first].interval_ns;
    struct oi_query part = { .needs_a_market = query->needs_a_market };
    struct oi_choices choices = {};
    unsigned wants = 1;
    enum oi_status status;

    if (interval_ns > 0) {
        size_t at = live_candles_join(listener, query, interval_ns);

        if (at >= LIVE_CANDLES_MAX)
            return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "interval", (struct oi_slice){},
                                  "too many intervals on one connection");
        wants = 2u << at;
    }
    for (size_t i = first; i < query->selectors.count; i++)
        if (query->selectors.items[i].interval_ns == interval_ns)
            oi_vector_push(&part.selectors, query->selectors.items[i]);
    status = oi_names_choose(index, &part, &choices, problem);
    if (status == OI_OK && is_adding && !listener->hears_all)
        add_choices(listener, &choices, wants, query->wants_latest);
    else if (status == OI_OK)
        remove_choices(listener, &choices, wants);
    oi_vector_release(&choices.items);
    oi_vector_release(&part.selectors);
    return status;
}

static bool
is_first_of_interval(const struct oi_query *query, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (query->selectors.items[i].interval_ns == query->selectors.items[at].interval_ns)
            return false;
    return true;
}

enum oi_status
listener_choose(struct listener *listener, const struct oi_query *query, bool is_adding,
                struct oi_problem *problem)
{
    const struct oi_source *source = listener->live->worker->server->source;
    /* What comes while they are chosen is looked for again. */
    uint64_t market_version = oi_store_market_version(source->store);
    const struct oi_name_index *index = oi_names_current(source->names, source->store);
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < query->selectors.count && status == OI_OK; i++)
        if (is_first_of_interval(query, i))
            status = choose_interval(listener, index, query, i, is_adding, problem);
    listener->market_version = market_version;
    oi_name_index_unref(&index);
    return status;
}

/* Note which whole exchanges a message asked for, or no longer. */
static void
note_channels(struct listener *listener, const struct oi_query *query, bool is_adding)
{
    for (size_t i = 0; i < query->selectors.count; i++) {
        const struct oi_selector *selector = &query->selectors.items[i];
        struct channel channel = { selector->symbology, "", selector->interval_ns };
        size_t at = 0;

        if (selector->market || selector->exchanges.count != 1 ||
            OI_NAME_SET(channel.exchange, oi_slice_of(selector->exchanges.items[0]), NULL) != OI_OK)
            continue;
        while (at < listener->channels.count &&
               (listener->channels.items[at].interval_ns != channel.interval_ns ||
                strcmp(listener->channels.items[at].exchange, channel.exchange) != 0))
            at++;
        if (is_adding && at == listener->channels.count)
            oi_vector_push(&listener->channels, channel);
        else if (!is_adding && at < listener->channels.count)
            listener->channels.items[at] = listener->channels.items[--listener->channels.count];
    }
}

/* The channels as a question again. */
static void
choose_channels(struct listener *listener, struct oi_problem *problem)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    query.unit = listener->route->unit;
    query.is_canonical = live_is_canonical(listener->live->worker->server, listener->route);
    for (size_t i = 0; i < listener->channels.count; i++) {
        const struct channel *channel = &listener->channels.items[i];
        struct oi_selector *selector = oi_query_select(&query, channel->symbology);

        oi_vector_push(&selector->exchanges, channel->exchange);
        selector->interval_ns = channel->interval_ns;
    }
    (void) listener_choose(listener, &query, true, problem);
}

void
listener_refresh(struct listener *listener, uint64_t market_version)
{
    struct oi_problem problem = {};

    if (listener->market_version == market_version)
        return;
    if (listener->has_pattern)
        (void) listener_choose(listener, &listener->query, true, &problem);
    if (listener->channels.count > 0)
        choose_channels(listener, &problem);
}

size_t
listener_queued(const struct listener *listener)
{
    return listener->websocket ? oi_websocket_queued(listener->websocket) : listener->events.size;
}

void
listener_send_text(struct listener *listener, struct oi_slice text)
{
    if (listener->websocket) {
        oi_websocket_send(listener->websocket, text);
        return;
    }
    oi_buffer_add_text(&listener->events, "data: ");
    oi_buffer_add_slice(&listener->events, text);
    oi_buffer_add_text(&listener->events, "\n\n");
    oi_http_reply_resume(listener->reply);
}

void
listener_close(struct listener *listener, uint16_t code, const char *reason)
{
    listener->is_closing = true;
    if (listener->websocket)
        oi_websocket_close(listener->websocket, code, reason);
    else
        oi_http_reply_resume(listener->reply);
}

void
listener_beat(struct listener *listener)
{
    if (listener->websocket || listener->events.size > 0)
        return;
    oi_buffer_add_text(&listener->events, ":\n\n");
    oi_http_reply_resume(listener->reply);
}

enum oi_key_verdict
listener_take_key(struct listener *listener, const uint8_t hash[OI_SHA256_SIZE])
{
    struct oi_access *access = listener->live->worker->server->access;
    struct oi_account *account = NULL;
    enum oi_key_verdict verdict;

    if (!oi_access_has_keys(access)) {
        listener->has_key = true;
        return OI_KEY_FINE;
    }
    verdict = oi_access_open_stream(access, hash, &account);
    if (verdict != OI_KEY_FINE)
        return verdict;
    oi_access_close_stream(&listener->account);
    listener->account = account;
    memcpy(listener->key_hash, hash, OI_SHA256_SIZE);
    listener->has_key = listener->has_key_hash = true;
    return OI_KEY_FINE;
}

static void
close_slow(struct listener *listener)
{
    const struct oi_stream_route *route = listener->route;

    if (route->stall)
        listener_send_text(listener, oi_slice_of(route->stall));
    listener_close(listener, route->stall_code, "reading too slowly");
}

void
listener_send(struct listener *listener, struct wording *wording)
{
    const struct oi_stream_route *route = listener->route;
    size_t form = listener->query.is_pretty || listener->replica,
           queued = listener_queued(listener);
    struct oi_buffer *text = &wording->forms[form].text;

    if (listener->is_closing)
        return;
    if (queued > LIVE_QUEUE_MAX) {
        close_slow(listener);
        return;
    }
    if (route->warning && !listener->is_warned &&
        queued > LIVE_QUEUE_MAX / 100 * route->warning_percent) {
        listener->is_warned = true;
        listener_send_text(listener, oi_slice_of(route->warning));
    }
    if (!wording->forms[form].is_made) {
        wording->forms[form].is_made = true;
        route->render_row(&wording->row, form > 0, text);
    }
    if (route->render_end) {
        size_t size = text->size;

        route->render_end(listener->sequence, listener->query.is_pretty, text);
        listener_send_text(listener, oi_buffer_slice(text));
        text->size = size;
    } else if (!listener->websocket) {
        listener_send_text(listener, oi_buffer_slice(text));
    } else {
        if (!wording->forms[form].frame)
            wording->forms[form].frame = oi_websocket_frame_new(oi_buffer_slice(text));
        oi_websocket_send_frame(listener->websocket, wording->forms[form].frame);
    }
    listener->sequence++;
}

/* A series' newest reading that nobody called bad. */
static enum oi_status
newest_good(struct oi_store *store, uint32_t series, struct oi_observation *ret_reading)
{
    struct oi_observation reading;

    OI_TRY(oi_store_latest(store, series, &reading, NULL));
    while (reading.flags & OI_FLAG_BAD) {
        oi_time good = oi_store_good_before(store, series, reading.time, OI_TIME_LATEST);
        oi_time before = good < reading.time ? good : reading.time - 1;

        if (before <= OI_TIME_EARLIEST)
            return OI_E_NOT_FOUND;
        OI_TRY(oi_store_at(store, series, before, OI_MOMENT_LATEST, &reading, NULL));
    }
    *ret_reading = reading;
    return OI_OK;
}

/* The newest reading of an instrument over all its feeds, the preferred one where two are of one
 * instant. */
static bool
find_newest(const struct oi_source *source, const struct oi_catalog *catalog, uint32_t instrument,
            struct oi_row *ret_row)
{
    uint32_t series[OI_FEEDS_MAX] = {};
    size_t count;
    bool is_found = false;

    if (instrument > catalog->instrument_count)
        return false;
    count = oi_series_by_precedence(catalog, instrument, series, OI_FEEDS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct oi_observation reading;

        if (newest_good(source->store, series[i], &reading) != OI_OK ||
            (is_found && reading.time <= ret_row->reading.time))
            continue;
        *ret_row = (struct oi_row){ series[i], reading };
        is_found = true;
    }
    return is_found;
}

void
listener_send_newest(struct listener *listener, const struct oi_catalog *catalog,
                     struct interest *interest)
{
    struct live *live = listener->live;
    const struct oi_source *source = live->worker->server->source;
    struct wording wording = { .route = listener->route };
    struct oi_facts facts;
    struct oi_row row;

    if (!interest->needs_newest)
        return;
    interest->needs_newest = false;
    if (!find_newest(source, catalog, interest->instrument, &row))
        return;
    live_set_row(live, catalog, &row, &wording, &facts);
    if (listener->route->takes &&
        !listener->route->takes(&wording.row, source->clock->wall_ns(source->clock), true))
        return;
    interest->series = row.series;
    interest->time = row.reading.time;
    listener_send(listener, &wording);
    live_word_release(&wording);
}

/* Send newest readings as far as the socket takes them. */
static void
go_on(struct listener *listener)
{
    const struct oi_catalog *catalog =
        oi_store_catalog(listener->live->worker->server->source->store);

    for (; listener->newest_at < listener->interests.count && !listener->is_closing;
         listener->newest_at++) {
        if (listener_queued(listener) > NEWEST_QUEUE_MAX)
            break;
        listener_send_newest(listener, catalog, &listener->interests.items[listener->newest_at]);
    }
    oi_catalog_unref(&catalog);
}

static void
drained(void *context)
{
    struct listener *listener = context;

    listener->is_warned = false;
    go_on(listener);
    if (listener->replica)
        oi_loop_wake(listener->live->worker->loop);
}

static void
closed(void *context)
{
    listener_remove(context);
}

static void
choose(struct listener *listener, struct oi_stream_message *message)
{
    struct oi_query *query = &message->query;
    bool is_adding = message->action == OI_STREAM_SUBSCRIBE;

    if (!listener->has_key) {
        (void) oi_problem_set(&message->problem, OI_PROBLEM_KEY_MISSING, "", (struct oi_slice){},
                              "a key is required");
        return;
    }
    query->unit = listener->route->unit;
    query->is_canonical = live_is_canonical(listener->live->worker->server, listener->route);
    if (listener_choose(listener, query, is_adding, &message->problem) == OI_OK)
        note_channels(listener, query, is_adding);
}

static void
act(struct listener *listener, struct oi_stream_message *message)
{
    uint8_t hash[OI_SHA256_SIZE];

    switch (message->action) {
    case OI_STREAM_NOTHING:
        return;
    case OI_STREAM_KEY:
        oi_sha256(message->key, hash);
        (void) live_judge(listener_take_key(listener, hash), &message->problem);
        return;
    case OI_STREAM_SUBSCRIBE:
    case OI_STREAM_UNSUBSCRIBE:
        choose(listener, message);
        return;
    }
}

static void
heard(void *context, struct oi_slice text, bool)
{
    struct listener *listener = context;
    struct oi_stream_message message = { .query = OI_QUERY_EMPTY };
    struct oi_buffer reply = {};

    if (!listener->route->read_message || listener->is_closing)
        return;
    listener->route->read_message(text, &message);
    if (message.problem.kind == OI_PROBLEM_NONE)
        act(listener, &message);
    listener->route->render_reply(&message, &reply);
    oi_websocket_send(listener->websocket, oi_buffer_slice(&reply));
    oi_buffer_release(&reply);
    oi_query_release(&message.query);
    go_on(listener);
}

void
listener_attach(struct listener *listener)
{
    oi_websocket_attach(listener->websocket, &(struct oi_websocket_handler){ .message = heard,
                                                                             .drained = drained,
                                                                             .closed = closed,
                                                                             .context = listener });
    go_on(listener);
}

/* The reply's `more`. */
static enum oi_status
pull_events(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *)
{
    struct listener *listener = context;

    go_on(listener);
    oi_buffer_add_slice(out, oi_buffer_slice(&listener->events));
    oi_buffer_release(&listener->events);
    *ret_is_last = listener->is_closing;
    listener->reply->is_waiting = out->size == 0;
    return OI_OK;
}

void
listener_attach_reply(struct listener *listener, struct oi_http_reply *reply)
{
    oi_http_reply_type(reply, "text/event-stream");
    oi_http_reply_header_text(reply, "Cache-Control", "no-store");
    oi_http_reply_header_text(reply, "X-Accel-Buffering", "no"); /* nginx would gather */
    reply->is_compressible = false;
    reply->more = pull_events;
    reply->finish = closed;
    reply->context = listener;
    listener->reply = reply;
    oi_buffer_add_text(&listener->events, ":\n\n"); /* the head leaves at once */
}
