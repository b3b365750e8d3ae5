/* SPDX-License-Identifier: Apache-2.0 */
/* Links: what connects, subscribes and ends. What messages mean is push.c's. */
/* no unit test: tests/contract/collector_stream_test.c drives it over real WebSockets */
#include "collector/streams.h"

#include "base/log.h"
#include "base/random.h"
#include "net/websocket_client.h"

#define TICK_MS 50
/* So long a row waits for others to be committed with. */
#define COMMIT_EVERY_NS (250 * OI_MILLISECOND)
#define REFRESH_EVERY_NS (5 * OI_SECOND)
#define INTERVAL_MS_DEFAULT 1'000
/* Subscriptions are there, and nothing of a market comes: confirmed and not sent. */
#define MUTE_NS (10 * OI_MINUTE)
/* A connection that held for so long was a good one: the next failure is the first again. */
#define GOOD_NS OI_MINUTE
#define RETRY_NS OI_SECOND
#define RETRY_NS_MAX OI_MINUTE
#define BUSY_NS OI_MINUTE
#define DENIED_NS (10 * OI_MINUTE)
/* While the store refuses. */
#define KEPT_ROWS_MAX ((size_t) 1 << 20)

struct stream;

/* One connection. */
struct link {
    struct stream *stream;
    struct oi_websocket_client *socket;
    bool is_open;
    OI_VECTOR(size_t) markets; /* of the push, in the order of subscribing */
    size_t subscribed;         /* so many of them */
    bool is_greeted, is_whole; /* the whole subscription was sent */
    bool is_complete;          /* everything was subscribed once: a new market is no outage */
    uint64_t number;           /* messages sent */
    unsigned failures;
    int64_t opened_ns, retry_ns, send_ns, ping_ns, heard_ns, told_ns; /* monotonic */
    size_t place; /* among the links of its stream */
};

struct stream {
    struct oi_streams *streams;
    struct oi_push push;
    struct oi_http_client *client;
    OI_VECTOR(struct link *) links;
    int64_t connect_ns; /* no handshake before */
    /* For the coverage: since when every link has all it wants, and why not. */
    oi_time up_since;
    enum oi_hole_cause cause;
    uint64_t connects, ends;
    oi_time last_row;
};

/* What a minute's end tells. */
struct coverage {
    OI_VECTOR(struct oi_hole) holes;
    OI_VECTOR(struct oi_watch_mark) marks;
};

struct oi_streams {
    struct oi_streams_options options;
    struct oi_timer *timer;
    struct oi_random random;
    uint16_t feed;
    OI_VECTOR(struct stream *) streams;
    struct oi_push_rows rows;
    int64_t commit_ns, refresh_ns;
    oi_time started, minute; /* the last minute whose coverage was told */
};

static int64_t
mono_of(const struct oi_streams *streams)
{
    return streams->options.clock->monotonic_ns(streams->options.clock);
}

static oi_time
wall_of(const struct oi_streams *streams)
{
    return streams->options.clock->wall_ns(streams->options.clock);
}

static const struct oi_exchange_stream *
facts_of(const struct link *link)
{
    return link->stream->push.stream;
}

static bool
is_subscribed(const struct link *link)
{
    return link->is_open && link->is_complete;
}

/*
 * The end of a connection, and the time to the next.
 */

static enum oi_hole_cause
cause_of(enum oi_status status)
{
    return status == OI_E_DENIED ? OI_HOLE_BLOCKED : OI_HOLE_UNREACHABLE;
}

static int64_t
retry_after(struct link *link, enum oi_status status, bool is_limit)
{
    int64_t wait_ns = RETRY_NS << (link->failures < 7 ? link->failures : 7);

    wait_ns = wait_ns < RETRY_NS_MAX ? wait_ns : RETRY_NS_MAX;
    if (is_limit && wait_ns < BUSY_NS)
        wait_ns = BUSY_NS;
    if (status == OI_E_DENIED)
        wait_ns = DENIED_NS;
    /* Half of it again by chance, so that the links of one outage do not come back at once. */
    return wait_ns / 2 +
           (int64_t) oi_random_below(&link->stream->streams->random, (uint64_t) wait_ns);
}

/* The socket is gone: from the start again, later. */
static void
rest(struct link *link, enum oi_status status, bool is_limit, const char *reason)
{
    struct stream *stream = link->stream;
    int64_t now_ns = mono_of(stream->streams);

    if (link->is_open && now_ns - link->opened_ns >= GOOD_NS)
        link->failures = 0;
    link->is_open = link->is_greeted = link->is_whole = link->is_complete = false;
    link->subscribed = 0;
    link->number = 0;
    link->retry_ns = now_ns + retry_after(link, status, is_limit);
    link->failures++;
    stream->ends++;
    stream->up_since = OI_TIME_NONE;
    stream->cause = is_limit ? OI_HOLE_RATE_LIMITED : cause_of(status);
    oi_log_throttled(OI_LOG_WARN, "stream.ended", stream->push.exchange->name,
                     "exchange=%s url=%s again_in_ms=%lld reason=\"%s\"",
                     stream->push.exchange->name, stream->push.stream->url,
                     (long long) ((link->retry_ns - now_ns) / OI_MILLISECOND), reason);
}

static void
give_up(struct link *link, enum oi_status status, bool is_limit, const char *reason)
{
    oi_websocket_client_close(&link->socket);
    rest(link, status, is_limit, reason);
}

/*
 * What a connection brings.
 */

static void
on_opened(void *context)
{
    struct link *link = context;
    int64_t now_ns = mono_of(link->stream->streams);

    link->is_open = true;
    link->opened_ns = link->heard_ns = link->told_ns = link->send_ns = now_ns;
    link->ping_ns = now_ns + (int64_t) facts_of(link)->ping_ms * OI_MILLISECOND;
}

/* What was done with a stream, into the raw files. */
static void
write_raw(const struct stream *stream, enum oi_raw_kind kind, oi_time now, struct oi_slice body)
{
    const struct oi_streams *streams = stream->streams;
    const struct oi_exchange *exchange = stream->push.exchange;
    const struct oi_raw_record record = {
        .kind = kind,
        .wall = now,
        .mono_ns = mono_of(streams),
        .exchange = oi_slice_of(exchange->name),
        .stream = (size_t) (stream->push.stream - exchange->streams),
        .interval_ns = stream->push.interval_ns,
        .body = body,
    };

    if (streams->options.raw)
        oi_raw_add(streams->options.raw, &record);
}

static void
on_message(void *context, struct oi_slice message, bool)
{
    struct link *link = context;
    struct stream *stream = link->stream;
    struct oi_streams *streams = stream->streams;
    oi_time now = wall_of(streams);
    struct oi_stream_event event;
    struct oi_error error = {};
    enum oi_status status;
    size_t told;

    link->heard_ns = mono_of(streams);
    write_raw(stream, OI_RAW_FRAME, now, message);
    status = oi_push_message(&stream->push, message, now, &streams->rows, &event, &told, &error);
    if (told > 0)
        link->told_ns = link->heard_ns;
    if (status == OI_E_BUSY || status == OI_E_DENIED) {
        give_up(link, status, status == OI_E_BUSY, error.message);
        return;
    }
    if (status != OI_OK)
        oi_log_throttled(OI_LOG_WARN, "stream.message_refused", stream->push.exchange->name,
                         "exchange=%s reason=\"%s\"", stream->push.exchange->name, error.message);
    if (event.answer)
        oi_websocket_client_send(link->socket, oi_slice_of(event.answer));
}

static void
on_closed(void *context, const struct oi_websocket_end *end)
{
    struct link *link = context;

    link->socket = NULL;
    rest(link, end->status, end->http_status == 429 || end->http_status == 418,
         end->error->message);
}

/*
 * What a connection is told.
 */

static void
connect(struct link *link)
{
    struct stream *stream = link->stream;
    const struct oi_exchange_stream *facts = facts_of(link);
    const struct oi_websocket_client_options options = { .url = facts->url,
                                                         .random = &stream->streams->random };
    const struct oi_websocket_client_handler handler = { on_opened, on_message, on_closed, link };
    struct oi_error error = {};

    stream->connects++;
    stream->connect_ns =
        mono_of(stream->streams) + (int64_t) facts->connect_gap_ms * OI_MILLISECOND;
    if (oi_websocket_client_open(stream->client, &options, &handler, &link->socket, &error) !=
        OI_OK)
        rest(link, OI_E_UPSTREAM, false, error.message);
}

/* The next subscribe message; false when there is none. */
static bool
write_subscription(struct link *link, struct oi_buffer *out)
{
    const struct oi_exchange_stream *facts = facts_of(link);
    struct oi_stream_task task = { .stream = facts,
                                   .number = link->number + 1,
                                   .now = wall_of(link->stream->streams) };
    OI_VECTOR(const char *) symbols = {};
    size_t from = link->subscribed;
    struct oi_error error = {};
    bool is_there;

    if (facts->is_whole && link->is_whole)
        return false;
    while (!facts->is_whole && link->subscribed < link->markets.count &&
           symbols.count < facts->symbols_per_message) {
        const struct oi_push_market *market =
            &link->stream->push.markets.items[link->markets.items[link->subscribed++]];

        if (!market->is_gone)
            oi_vector_push(&symbols, market->symbol);
    }
    task.symbols = symbols.items;
    task.symbol_count = symbols.count;
    is_there =
        (facts->is_whole || symbols.count > 0) && facts->subscribe(&task, out, &error) == OI_OK;
    if (!is_there && link->subscribed > from && error.message[0])
        oi_log_throttled(OI_LOG_WARN, "stream.not_subscribed", facts->url, "url=%s reason=\"%s\"",
                         facts->url, error.message);
    link->is_whole = facts->is_whole;
    oi_vector_release(&symbols);
    return is_there;
}

static void
send_text(struct link *link, struct oi_slice text, int64_t now_ns)
{
    oi_websocket_client_send(link->socket, text);
    link->number++;
    link->send_ns = now_ns + (int64_t) facts_of(link)->message_gap_ms * OI_MILLISECOND;
}

/* Greeting, then subscriptions, then pings, in the pace that is allowed. */
static void
talk(struct link *link, int64_t now_ns)
{
    const struct oi_exchange_stream *facts = facts_of(link);
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    if (facts->greeting && !link->is_greeted) {
        link->is_greeted = true;
        send_text(link, oi_slice_of(facts->greeting), now_ns);
    }
    /* A tick may be longer than the gap: what has become due meanwhile goes now. */
    for (int64_t at_ns = link->send_ns; at_ns <= now_ns; at_ns = link->send_ns) {
        oi_buffer_clear(&out);
        if (!write_subscription(link, &out))
            break;
        send_text(link, oi_buffer_slice(&out), at_ns > now_ns - OI_SECOND ? at_ns : now_ns);
        if (facts->message_gap_ms == 0)
            break;
    }
    link->is_complete |= facts->is_whole ? link->is_whole : link->subscribed == link->markets.count;
    if (facts->ping && now_ns >= link->ping_ns) {
        oi_websocket_client_send(link->socket, oi_slice_of(facts->ping));
        link->ping_ns = now_ns + (int64_t) facts->ping_ms * OI_MILLISECOND;
    }
}

static void
tick_link(struct link *link)
{
    struct stream *stream = link->stream;
    int64_t now_ns = mono_of(stream->streams);

    if (!link->socket) {
        if ((link->markets.count > 0 || facts_of(link)->is_whole) && now_ns >= link->retry_ns &&
            now_ns >= stream->connect_ns)
            connect(link);
    } else if (link->is_open) {
        if (now_ns - link->heard_ns >= (int64_t) facts_of(link)->alive_ms * OI_MILLISECOND)
            give_up(link, OI_E_BUSY, false, "nothing comes any more");
        else if (now_ns - link->told_ns >= MUTE_NS)
            give_up(link, OI_E_BUSY, false, "it lives, but tells of no market");
        else
            talk(link, now_ns);
    }
}

/*
 * Which connection has which market.
 */

static struct link *
add_link(struct stream *stream)
{
    struct link *link = oi_alloc_zero(1, sizeof(*link));

    link->stream = stream;
    link->place = stream->links.count;
    oi_vector_push(&stream->links, link);
    return link;
}

/* A link with room, a new one, or NULL: the address may have no more. */
static struct link *
find_room(struct stream *stream)
{
    for (size_t i = 0; i < stream->links.count; i++)
        if (stream->links.items[i]->markets.count < stream->push.stream->symbols_max)
            return stream->links.items[i];
    return stream->links.count < stream->push.stream->connections_max ? add_link(stream) : NULL;
}

/* Markets that are gone leave their link, which then has room for others. One that has more of them
 * than of others is begun anew for that. */
static void
drop_gone(struct link *link)
{
    struct oi_push *push = &link->stream->push;
    size_t kept = 0, gone = 0;

    for (size_t i = 0; i < link->markets.count; i++)
        gone += push->markets.items[link->markets.items[i]].is_gone;
    if (link->socket && gone > push->stream->symbols_max / 2) {
        oi_websocket_client_close(&link->socket);
        rest(link, OI_OK, false, "most of its markets have expired");
    }
    if (link->socket)
        return;
    for (size_t i = 0; i < link->markets.count; i++) {
        size_t place = link->markets.items[i];

        if (push->markets.items[place].is_gone)
            push->markets.items[place].link = OI_PUSH_NO_LINK;
        else
            link->markets.items[kept++] = place;
    }
    link->markets.count = kept;
}

static void
assign(struct stream *stream)
{
    struct oi_push *push = &stream->push;

    if (push->stream->is_whole) {
        if (stream->links.count == 0 && push->markets.count > 0)
            (void) add_link(stream);
        return;
    }
    for (size_t i = 0; i < stream->links.count; i++)
        drop_gone(stream->links.items[i]);
    for (size_t i = 0; i < push->markets.count; i++) {
        struct oi_push_market *market = &push->markets.items[i];
        struct link *link;

        if (market->is_gone || market->link != OI_PUSH_NO_LINK)
            continue;
        link = find_room(stream);
        if (!link) {
            oi_log_throttled(OI_LOG_WARN, "stream.full", push->stream->url, "url=%s market=%s",
                             push->stream->url, market->symbol);
            return; /* it is polled */
        }
        market->link = link->place;
        oi_vector_push(&link->markets, i);
    }
}

static void
refresh(struct oi_streams *streams)
{
    for (size_t i = 0; i < streams->streams.count; i++) {
        struct stream *stream = streams->streams.items[i];
        oi_time now = wall_of(streams);
        struct oi_error error = {};
        bool is_changed;

        write_raw(stream, OI_RAW_REFRESH, now, (struct oi_slice){});
        if (oi_push_refresh(&stream->push, streams->options.store, streams->feed, now, &is_changed,
                            &error) != OI_OK)
            oi_log_throttled(OI_LOG_ERROR, "collector.store_refused", stream->push.stream->url,
                             "exchange=%s reason=\"%s\"", stream->push.exchange->name,
                             error.message);
        assign(stream);
    }
}

/*
 * What is stored.
 */

static bool
is_up(const struct stream *stream)
{
    for (size_t i = 0; i < stream->links.count; i++)
        if (!is_subscribed(stream->links.items[i]))
            return false;
    return stream->links.count > 0;
}

/* A minute is covered if every link was there throughout; else it is a hole of the stream's. */
static void
tell_minute(const struct stream *stream, oi_time minute, struct coverage *coverage)
{
    for (size_t i = 0; stream->push.stream->products[i]; i++) {
        const char *product = stream->push.stream->products[i];
        struct oi_hole hole = { .span = { minute, minute + OI_MINUTE }, .cause = stream->cause };
        struct oi_watch_mark mark = { .minute = minute };

        oi_stream_product(product, hole.product);
        oi_stream_product(product, mark.product);
        (void) OI_NAME_SET(hole.exchange, oi_slice_of(stream->push.exchange->name), NULL);
        (void) OI_NAME_SET(mark.exchange, oi_slice_of(stream->push.exchange->name), NULL);
        if (stream->up_since != OI_TIME_NONE && stream->up_since <= minute)
            oi_vector_push(&coverage->marks, mark);
        else
            oi_vector_push(&coverage->holes, hole);
    }
}

static void
refused(void *context, size_t row, const char *reason)
{
    const struct oi_streams *streams = context;

    oi_log_throttled(OI_LOG_WARN, "stream.row_refused", "stream", "series=%u reason=\"%s\"",
                     streams->rows.rows.items[row].series, reason);
}

static void
append(struct oi_streams *streams, oi_time now, bool is_end, const struct coverage *coverage)
{
    struct oi_raw_record record = { .kind = OI_RAW_PUSH,
                                    .wall = now,
                                    .mono_ns = mono_of(streams),
                                    .is_stopping = is_end,
                                    .marks = coverage->marks.items,
                                    .mark_count = coverage->marks.count,
                                    .holes = coverage->holes.items,
                                    .hole_count = coverage->holes.count };
    const struct oi_batch batch = { .rows = streams->rows.rows.items,
                                    .row_count = streams->rows.rows.count,
                                    .holes = coverage->holes.items,
                                    .hole_count = coverage->holes.count,
                                    .marks = coverage->marks.items,
                                    .mark_count = coverage->marks.count,
                                    .refuse = refused,
                                    .context = streams };
    struct oi_append_result result = {};
    struct oi_error error = {};

    if (batch.row_count + batch.hole_count + batch.mark_count == 0)
        return;
    if (oi_store_append(streams->options.store, &batch, &result, &error) != OI_OK) {
        oi_log_throttled(OI_LOG_ERROR, "collector.store_refused", "streams",
                         "streams rows=%zu action=kept reason=\"%s\"", batch.row_count,
                         error.message);
        if (batch.row_count <= KEPT_ROWS_MAX)
            return;
        oi_log(OI_LOG_ERROR, "collector.rows_dropped", "streams rows=%zu", batch.row_count);
    } else if (streams->options.raw) {
        record.committed = result.time;
        oi_raw_add(streams->options.raw, &record);
    }
    oi_vector_clear(&streams->rows.rows);
}

/* Rows, and behind each whole minute its coverage. */
static void
commit(struct oi_streams *streams, bool is_end)
{
    struct coverage coverage = {};
    oi_time now = wall_of(streams), minute = oi_interval_floor(OI_MINUTE, now) - OI_MINUTE;
    bool is_new_minute = minute > streams->minute && minute >= streams->started;

    for (size_t i = 0; i < streams->streams.count; i++) {
        struct stream *stream = streams->streams.items[i];
        uint64_t rows = stream->push.stats.rows;

        oi_push_ripen(&stream->push, now, is_end, &streams->rows);
        if (stream->push.stats.rows > rows)
            stream->last_row = now;
        if (!is_up(stream))
            stream->up_since = OI_TIME_NONE;
        else if (stream->up_since == OI_TIME_NONE)
            stream->up_since = now;
        if (is_new_minute && stream->links.count > 0)
            tell_minute(stream, minute, &coverage);
    }
    if (is_new_minute)
        streams->minute = minute;
    append(streams, now, is_end, &coverage);
    oi_vector_release(&coverage.holes);
    oi_vector_release(&coverage.marks);
}

static void
on_tick(void *context)
{
    struct oi_streams *streams = context;
    int64_t now_ns = mono_of(streams);

    if (now_ns >= streams->refresh_ns) {
        streams->refresh_ns = now_ns + REFRESH_EVERY_NS;
        refresh(streams);
    }
    for (size_t i = 0; i < streams->streams.count; i++) {
        struct stream *stream = streams->streams.items[i];

        for (size_t link = 0; link < stream->links.count; link++)
            tick_link(stream->links.items[link]);
    }
    if (now_ns >= streams->commit_ns) {
        streams->commit_ns = now_ns + COMMIT_EVERY_NS;
        commit(streams, false);
    }
}

enum oi_status
oi_streams_open(const struct oi_streams_options *options, struct oi_streams **ret_streams,
                struct oi_error *error)
{
    const struct oi_feed facts = { .name = "stream" };
    struct oi_streams *streams;
    uint64_t seed = options->seed;
    uint16_t feed;

    OI_TRY(oi_store_feed(options->store, &facts, &feed, error));
    streams = oi_alloc_zero(1, sizeof(*streams));
    streams->options = *options;
    streams->feed = feed;
    if (streams->options.interval_ms == 0)
        streams->options.interval_ms = INTERVAL_MS_DEFAULT;
    if (seed == 0)
        oi_random_secret(&seed, sizeof(seed));
    oi_random_init(&streams->random, seed);
    streams->started = wall_of(streams);
    streams->minute = OI_TIME_NONE;
    streams->timer = oi_timer_new(options->loop, on_tick, streams);
    oi_timer_start(streams->timer, TICK_MS, TICK_MS);
    *ret_streams = streams;
    return OI_OK;
}

void
oi_streams_add(struct oi_streams *streams, const struct oi_exchange *exchange,
               struct oi_http_client *client)
{
    for (size_t i = 0; i < exchange->stream_count; i++) {
        struct stream *stream = oi_alloc_zero(1, sizeof(*stream));

        stream->streams = streams;
        stream->client = client;
        stream->up_since = stream->last_row = OI_TIME_NONE;
        stream->cause = OI_HOLE_UNREACHABLE;
        oi_push_init(&stream->push, exchange, &exchange->streams[i],
                     (int64_t) streams->options.interval_ms * OI_MILLISECOND);
        oi_vector_push(&streams->streams, stream);
    }
}

void
oi_streams_close(struct oi_streams **streams)
{
    struct oi_streams *closing = *streams;

    if (!closing)
        return;
    *streams = NULL;
    commit(closing, true);
    oi_timer_free(&closing->timer);
    for (size_t i = 0; i < closing->streams.count; i++) {
        struct stream *stream = closing->streams.items[i];

        for (size_t place = 0; place < stream->links.count; place++) {
            struct link *link = stream->links.items[place];

            oi_websocket_client_close(&link->socket);
            oi_vector_release(&link->markets);
            oi_free(link);
        }
        oi_vector_release(&stream->links);
        oi_push_release(&stream->push);
        oi_free(stream);
    }
    oi_vector_release(&closing->streams);
    oi_vector_release(&closing->rows.rows);
    oi_free(closing);
}

static void
add_stats(struct oi_push_stats *sum, const struct oi_push_stats *stats)
{
    sum->messages += stats->messages;
    sum->rows += stats->rows;
    sum->skips += stats->skips;
    sum->unknown += stats->unknown;
    sum->late += stats->late;
    sum->faults += stats->faults;
    sum->refused += stats->refused;
}

void
oi_streams_stats(const struct oi_streams *streams, const struct oi_exchange *exchange,
                 struct oi_streams_stats *ret_stats)
{
    struct oi_streams_stats sum = { .last_row = OI_TIME_NONE };

    for (size_t i = 0; i < streams->streams.count; i++) {
        const struct stream *stream = streams->streams.items[i];

        if (stream->push.exchange != exchange)
            continue;
        add_stats(&sum.of, &stream->push.stats);
        sum.connects += stream->connects;
        sum.ends += stream->ends;
        sum.links += stream->links.count;
        if (stream->last_row > sum.last_row)
            sum.last_row = stream->last_row;
        for (size_t market = 0; market < stream->push.markets.count; market++)
            sum.markets += !stream->push.markets.items[market].is_gone;
        for (size_t link = 0; link < stream->links.count; link++)
            sum.open += is_subscribed(stream->links.items[link]);
    }
    *ret_stats = sum;
}
