/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/contract/replay_test.c compares the stores */
/*
 * A replay drives struct oi_poll as the collector did: what the collector decided (which ask goes
 * when, when to commit) is read from the files, everything else is worked out again.
 */
#include "collector/replay.h"

#include "base/log.h"
#include "base/map.h"
#include "collector/poll.h"
#include "collector/push.h"

#include <stdio.h>
#include <string.h>

/* One exchange of one session. */
struct player {
    const struct oi_exchange *exchange;
    struct oi_poll poll;
};

/* One of its streams. */
struct pusher {
    struct oi_push push;
};

struct session {
    uint64_t number;
    OI_VECTOR(struct pusher *) pushers;
    struct oi_push_rows rows; /* that streams told, not committed yet */
    OI_VECTOR(struct player *) players;
    struct oi_map *asks; /* a request's number -> its place in `sent` */
    OI_VECTOR(struct oi_ask) sent;
};

struct oi_replay {
    struct oi_replay_options options;
    struct oi_store *store;
    uint16_t feed, stream_feed; /* 0: no stream was met yet */
    OI_VECTOR(struct session *) sessions;
    struct oi_replay_report report;
};

static void
free_session(struct session *session)
{
    for (size_t i = 0; i < session->players.count; i++) {
        oi_poll_release(&session->players.items[i]->poll);
        oi_free(session->players.items[i]);
    }
    oi_vector_release(&session->players);
    for (size_t i = 0; i < session->pushers.count; i++) {
        oi_push_release(&session->pushers.items[i]->push);
        oi_free(session->pushers.items[i]);
    }
    oi_vector_release(&session->pushers);
    oi_vector_release(&session->rows.rows);
    for (size_t i = 0; i < session->sent.count; i++)
        oi_ask_release(&session->sent.items[i]);
    oi_vector_release(&session->sent);
    oi_map_free(&session->asks);
    oi_free(session);
}

static struct session *
session_of(struct oi_replay *replay, uint64_t number)
{
    struct session *session;

    for (size_t i = 0; i < replay->sessions.count; i++)
        if (replay->sessions.items[i]->number == number)
            return replay->sessions.items[i];
    session = oi_alloc_zero(1, sizeof(*session));
    session->number = number;
    session->asks = oi_map_new();
    oi_vector_push(&replay->sessions, session);
    return session;
}

static const struct oi_exchange *
exchange_named(const struct oi_replay *replay, struct oi_slice name)
{
    const struct oi_exchange *const *registry =
        replay->options.registry ? replay->options.registry : oi_exchanges;

    for (size_t i = 0; registry[i]; i++)
        if (oi_slice_is(name, registry[i]->name))
            return registry[i];
    return NULL;
}

/* Made when the session first speaks of the exchange; NULL: we do not have it. */
static struct player *
player_of(struct oi_replay *replay, struct session *session, struct oi_slice name)
{
    struct oi_poll_options options = { .store = replay->store, .feed = replay->feed, .seed = 1 };
    struct player *player;

    for (size_t i = 0; i < session->players.count; i++)
        if (oi_slice_is(name, session->players.items[i]->exchange->name))
            return session->players.items[i];
    options.exchange = exchange_named(replay, name);
    if (!options.exchange)
        return NULL;
    player = oi_alloc_zero(1, sizeof(*player));
    player->exchange = options.exchange;
    oi_poll_init(&player->poll, &options);
    oi_vector_push(&session->players, player);
    return player;
}

/* The store reads this clock: rows are known when they were. */
static void
move_clock(struct oi_replay *replay, const struct oi_raw_record *record)
{
    oi_time time = record->committed != OI_TIME_NONE ? record->committed : record->wall;

    oi_virtual_clock_advance(replay->options.clock, time - replay->options.clock->now_ns);
}

/* The endpoint of a request, though the adapter may have moved it since. */
static bool
find_endpoint(const struct oi_exchange *exchange, const struct oi_raw_record *record,
              size_t *ret_endpoint)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        size_t at = (record->endpoint + i) % exchange->endpoint_count;
        const struct oi_endpoint *endpoint = &exchange->endpoints[at];

        if (record->endpoint < exchange->endpoint_count && endpoint->kind == record->task &&
            oi_slice_is(record->product, endpoint->product ? endpoint->product : "")) {
            *ret_endpoint = at;
            return true;
        }
    }
    return false;
}

static char *
copy_or_null(struct oi_slice text)
{
    return text.size > 0 ? oi_copy_text(text) : NULL;
}

static void
play_send(struct oi_replay *replay, struct session *session, struct player *player,
          const struct oi_raw_record *record)
{
    const struct oi_poll_now now = { record->wall, record->mono_ns };
    struct oi_slice key = { (const char *) &record->number, sizeof(record->number) };
    char *family = copy_or_null(record->family), *symbol = copy_or_null(record->symbol);
    char *page = copy_or_null(record->page);
    struct oi_poll_wanted wanted = { .family = family, .symbol = symbol, .page = page };
    struct oi_ask ask;

    if (find_endpoint(player->exchange, record, &wanted.endpoint) &&
        oi_poll_take(&player->poll, &wanted, now, &ask)) {
        oi_map_put(session->asks, key, session->sent.count);
        oi_vector_push(&session->sent, ask);
    } else {
        replay->report.unmatched++;
    }
    oi_free(family);
    oi_free(symbol);
    oi_free(page);
}

static void
play_answer(struct session *session, struct player *player, const struct oi_raw_record *record)
{
    const struct oi_poll_now now = { record->wall, record->mono_ns };
    struct oi_slice key = { (const char *) &record->number, sizeof(record->number) };
    const struct oi_http_response response = { .status = record->status,
                                               .headers = record->headers,
                                               .header_count = record->header_count,
                                               .body = record->body };
    struct oi_error error = { .status = record->outcome };
    const struct oi_poll_answer answer = { record->outcome, &response, &error };
    struct oi_ask ask;
    uint64_t place;

    if (!oi_map_get(session->asks, key, &place))
        return;
    (void) oi_map_remove(session->asks, key);
    (void) snprintf(error.message, sizeof(error.message), "%.*s", OI_SLICE_ARGS(record->reason));
    /* The ask's texts belong to the poll's round, its page to the ask. */
    ask = session->sent.items[place];
    session->sent.items[place].page = NULL;
    oi_poll_answer(&player->poll, &ask, &answer, now);
    if (oi_map_count(session->asks) == 0)
        oi_vector_clear(&session->sent);
}

/*
 * Streams.
 */

static struct oi_push *
push_of(struct oi_replay *replay, struct session *session, const struct oi_raw_record *record)
{
    const struct oi_exchange *exchange = exchange_named(replay, record->exchange);
    struct pusher *pusher;

    if (!exchange || record->stream >= exchange->stream_count)
        return NULL;
    for (size_t i = 0; i < session->pushers.count; i++)
        if (session->pushers.items[i]->push.stream == &exchange->streams[record->stream])
            return &session->pushers.items[i]->push;
    if (record->kind != OI_RAW_REFRESH)
        return NULL; /* its markets are not known yet */
    pusher = oi_alloc_zero(1, sizeof(*pusher));
    oi_push_init(&pusher->push, exchange, &exchange->streams[record->stream], record->interval_ns);
    oi_vector_push(&session->pushers, pusher);
    return &pusher->push;
}

static enum oi_status
refresh_push(struct oi_replay *replay, struct oi_push *push, oi_time now, struct oi_error *error)
{
    const struct oi_feed facts = { .name = "stream" }; /* as the collector has it */
    bool is_changed;

    if (replay->stream_feed == 0)
        OI_TRY(oi_store_feed(replay->store, &facts, &replay->stream_feed, error));
    return oi_push_refresh(push, replay->store, replay->stream_feed, now, &is_changed, error);
}

static enum oi_status
commit_pushes(struct oi_replay *replay, struct session *session, const struct oi_raw_record *record,
              struct oi_error *error)
{
    struct oi_append_result result = {};
    struct oi_batch batch = { .holes = record->holes,
                              .hole_count = record->hole_count,
                              .marks = record->marks,
                              .mark_count = record->mark_count };

    for (size_t i = 0; i < session->pushers.count; i++)
        oi_push_ripen(&session->pushers.items[i]->push, record->wall, record->is_stopping,
                      &session->rows);
    batch.rows = session->rows.rows.items;
    batch.row_count = session->rows.rows.count;
    if (batch.row_count + batch.hole_count + batch.mark_count == 0)
        return OI_OK;
    OI_TRY(oi_store_append(replay->store, &batch, &result, error));
    replay->report.rows += result.stored;
    oi_vector_clear(&session->rows.rows);
    return OI_OK;
}

static enum oi_status
play_stream(struct oi_replay *replay, struct session *session, const struct oi_raw_record *record,
            struct oi_error *error)
{
    struct oi_push *push = push_of(replay, session, record);
    struct oi_stream_event event;
    struct oi_error trouble = {};
    size_t told;

    move_clock(replay, record);
    if (record->kind == OI_RAW_PUSH)
        return commit_pushes(replay, session, record, error);
    if (!push) {
        replay->report.unmatched++;
        return OI_OK;
    }
    if (record->kind == OI_RAW_REFRESH)
        return refresh_push(replay, push, record->wall, error);
    /* What was not understood then is not understood now. */
    (void) oi_push_message(push, record->body, record->wall, &session->rows, &event, &told,
                           &trouble);
    return OI_OK;
}

static enum oi_status
play(struct oi_replay *replay, struct session *session, const struct oi_raw_record *record,
     struct oi_error *error)
{
    struct player *player = player_of(replay, session, record->exchange);
    const struct oi_poll_now now = { record->wall, record->mono_ns };
    enum oi_status status = OI_OK;
    uint64_t rows, failures;

    if (!player)
        return OI_OK;
    rows = player->poll.stats.rows;
    failures = player->poll.stats.commit_failures;
    move_clock(replay, record);
    switch (record->kind) {
    case OI_RAW_NONE:
    case OI_RAW_REFRESH:
    case OI_RAW_FRAME:
    case OI_RAW_PUSH:
        break;
    case OI_RAW_BEGIN:
        status = oi_poll_begin(&player->poll, record->minute, now, error);
        break;
    case OI_RAW_SEND:
        play_send(replay, session, player, record);
        break;
    case OI_RAW_ANSWER:
        play_answer(session, player, record);
        break;
    case OI_RAW_FLUSH:
        oi_poll_flush(&player->poll, now);
        break;
    case OI_RAW_CLOSE:
        oi_poll_close(&player->poll, now, record->is_stopping);
        break;
    }
    replay->report.rows += player->poll.stats.rows - rows;
    if (status == OI_OK && player->poll.stats.commit_failures > failures)
        return oi_fail(error, OI_E_IO, "the store refused what was replayed (the log says why)");
    return status;
}

enum oi_status
oi_replay_file(struct oi_replay *replay, struct oi_slice bytes, struct oi_error *error)
{
    struct oi_raw_reader *reader = NULL;
    struct session *session;
    enum oi_status status;

    OI_TRY(oi_raw_reader_open(bytes, &reader, error));
    session = session_of(replay, oi_raw_reader_session(reader));
    for (;;) {
        struct oi_error damage = {};
        struct oi_raw_record record;

        status = oi_raw_next(reader, &record, &damage);
        if (status != OI_OK) {
            oi_log_throttled(OI_LOG_WARN, "replay.damaged", damage.message, "reason=\"%s\"",
                             damage.message);
            replay->report.damaged++;
            continue;
        }
        if (record.kind == OI_RAW_NONE)
            break;
        replay->report.records++;
        if (record.kind >= OI_RAW_REFRESH)
            status = play_stream(replay, session, &record, error);
        else
            status = play(replay, session, &record, error);
        if (status != OI_OK)
            break;
    }
    replay->report.torn += oi_raw_reader_torn(reader);
    oi_raw_reader_close(&reader);
    return status;
}

enum oi_status
oi_replay_open(const struct oi_replay_options *options, struct oi_store *store,
               struct oi_replay **ret_replay, struct oi_error *error)
{
    const struct oi_feed live = { .name = "live" }; /* as the collector has it */
    struct oi_replay *replay = oi_alloc_zero(1, sizeof(*replay));
    enum oi_status status;

    replay->options = *options;
    replay->store = store;
    status = oi_store_feed(store, &live, &replay->feed, error);
    if (status != OI_OK) {
        oi_free(replay);
        return status;
    }
    *ret_replay = replay;
    return OI_OK;
}

void
oi_replay_close(struct oi_replay **replay, struct oi_replay_report *ret_report)
{
    if (!replay || !*replay)
        return;
    if (ret_report)
        *ret_report = (*replay)->report;
    for (size_t i = 0; i < (*replay)->sessions.count; i++)
        free_session((*replay)->sessions.items[i]);
    oi_vector_release(&(*replay)->sessions);
    oi_free(*replay);
    *replay = NULL;
}
