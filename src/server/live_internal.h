/* SPDX-License-Identifier: Apache-2.0 */
/* What the hub of live rows and its listeners share. All on the loop's thread but where said. */
#pragma once

#include "server/server_internal.h"

#include "query/stream.h"

/* Bytes a listener may leave unread: some minutes of all markets. */
#define LIVE_QUEUE_MAX ((size_t) 4 << 20)

/* Candles of so many intervals on one connection. */
#define LIVE_CANDLES_MAX 8

/* A market that a listener hears. */
struct interest {
    uint32_t instrument;
    unsigned wants;    /* bit 0: its readings; bit k + 1: the listener's candles k */
    uint32_t series;   /* of the reading sent first, and its time: so that it is not sent again */
    oi_time time;      /* OI_TIME_NONE: none was */
    bool needs_newest; /* its newest reading is still to be sent */
    size_t place;      /* in the hub's list of who hears the market */
};

/* Closed candles of one interval and unit, for whoever on this loop hears them. */
struct candles;

/* A pass over what was committed before a replica listened, or without the hub's hearing of it:
 * series after series. */
struct pass {
    bool is_on;
    uint64_t from, to; /* commits after `from`; `to` is the position when it is done */
    uint32_t series;   /* under way, or done */
    struct oi_scan *scan;
};

/* What a replica was told on this connection. */
struct replica {
    struct pass pass;
    bool is_behind;                /* when the pass is over, another is due */
    uint64_t position;             /* everything up to this commit was sent */
    OI_VECTOR(oi_time) known_from; /* of definitions told, by id */
    OI_VECTOR(bool) feeds;         /* facts told, by id */
};

/* All markets of an exchange that a message asked for: looked up again as markets appear. */
struct channel {
    enum oi_symbology symbology;
    char exchange[OI_NAME_SIZE];
    int64_t interval_ns;
};

struct listener {
    struct live *live;
    struct replica *replica;        /* NULL: it is none */
    struct oi_websocket *websocket; /* NULL: server-sent events, by `reply` */
    struct oi_http_reply *reply;
    struct oi_buffer events;                   /* not yet pulled by the reply */
    struct candles *candles[LIVE_CANDLES_MAX]; /* where interests want them */
    size_t candles_count;
    OI_VECTOR(struct channel) channels;
    uint8_t key_hash[OI_SHA256_SIZE];
    struct oi_account *account; /* counts this stream; NULL: nothing does */
    const struct oi_stream_route *route;
    struct oi_query query; /* of the handshake: patterns are looked up again as markets appear */
    OI_VECTOR(struct interest) interests; /* sorted by instrument */
    bool hears_all; /* by the handshake: all markets' readings, or their one interval's candles */
    bool hears_alerts;
    uint64_t alert_at; /* the number of the last one sent */
    bool has_key;
    bool has_key_hash; /* it came with a key, which may be revoked */
    unsigned int seconds_without_key;
    bool has_pattern;
    bool is_warned;
    bool is_closing;
    uint64_t market_version; /* at which the patterns were looked up */
    uint64_t sequence;       /* of the next row */
    size_t newest_at;        /* interests before it need no newest reading */
    size_t slot;             /* in live->listeners */
    size_t place;            /* among those who hear all */
};

/* What was sent of one exchange on one stream: a ring of (market, microsecond). */
struct recall {
    const struct oi_stream_route *route;
    char exchange[OI_NAME_SIZE];
    struct sent {
        uint32_t instrument;
        int64_t time_us;
    } * ring;
    size_t count, next;
};

/* A row that was committed. */
struct live_row {
    uint64_t batch;
    struct oi_row row;
};

/* One row as the listeners of one stream get it: worded once. */
struct wording {
    const struct oi_stream_route *route;
    bool is_taken;
    struct oi_stream_row row;
    struct {
        bool is_made;
        struct oi_buffer text;
        struct oi_shared *frame; /* where nothing follows that is a listener's own */
    } forms[2];                  /* plain, pretty */
};

/* A candle to be sent. */
struct due_candle {
    struct candles *candles;
    uint32_t instrument;
    oi_time start;
};

/* Who hears one market. */
struct hearers {
    OI_VECTOR(struct listener *) items;
};

struct live {
    struct worker *worker;
    struct oi_timer *timer; /* each second: keys, candles of markets that went silent */
    uint64_t access_generation;
    unsigned beats;
    OI_VECTOR(struct candles *) candles;
    OI_VECTOR(struct due_candle) due;
    size_t due_done;
    struct oi_watcher watcher;
    OI_VECTOR(struct listener *) listeners;
    atomic_size_t listener_count;
    OI_VECTOR(struct hearers) index; /* by market; 0: of all */
    uint64_t market_version;         /* at which patterns were looked up */
    OI_VECTOR(struct recall) recalls;
    OI_VECTOR(struct live_row)
    pushing; /* taken from `waiting`, from `pushed` on still to be sent */
    size_t pushed;
    pthread_mutex_t lock;
    OI_VECTOR(struct live_row) waiting; /* any thread, under the lock */
    uint64_t dropped;
    uint64_t told; /* the last commit that the hub knows of, under the lock */
    bool has_hole; /* there was one before it whose rows nobody told; under the lock */
};

/* Are the figures of a stream one-sided? As those of its dialect's other answers. */
bool live_is_canonical(const struct oi_server *server, const struct oi_stream_route *route);
/* A reading for a stream: `facts` are filled where the route's unit wants them. */
void live_set_row(struct live *live, const struct oi_catalog *catalog, const struct oi_row *row,
                  struct wording *wording, struct oi_facts *facts);
void live_word_release(struct wording *wording);

/* A verdict as a problem: INVALID unless it is FINE. */
enum oi_status live_judge(enum oi_key_verdict verdict, struct oi_problem *problem);
/* Bytes waiting for its client. */
size_t listener_queued(const struct listener *listener);
/* Queue a message, over whatever it listens by. */
void listener_send_text(struct listener *listener, struct oi_slice text);
void listener_close(struct listener *listener, uint16_t code, const char *reason);
/* Take the key it came with (checked); anything but FINE: it may not listen. */
enum oi_key_verdict listener_take_key(struct listener *listener,
                                      const uint8_t hash[OI_SHA256_SIZE]);
/* Answer with server-sent events. */
void listener_attach_reply(struct listener *listener, struct oi_http_reply *reply);
/* A sign of life, where nothing else may pass for days. */
void listener_beat(struct listener *listener);

/* live_index.c: note that a listener hears a market (0: all); its place there, which it keeps. */
size_t live_index_add(struct live *live, uint32_t instrument, struct listener *listener);
void live_index_remove(struct live *live, uint32_t instrument, size_t place);
void live_index_push(struct live *live, uint32_t instrument,
                     void (*push)(void *context, struct listener *listener), void *context);
void live_index_release(struct live *live);

/* live_replica.c: what it begins with. */
void live_replica_begin(struct listener *listener);
void live_replica_free(struct listener *listener);
/* Tell of a row's market and feed where that is due. Before the row is sent. */
void live_replica_introduce(struct listener *listener, const struct oi_catalog *catalog,
                            uint32_t series);
/* Go on with what replicas have yet to hear; each second also what nobody told. */
void live_replicas_go_on(struct live *live);
void live_replicas_look(struct live *live);
/* A sign of life: the position again. */
void live_replica_beat(struct listener *listener);

/* live_candles.c: which of the listener's candles are of that interval, in the unit and sides of
 * the query, joined if it has none; LIVE_CANDLES_MAX: it has as many as it may. */
size_t live_candles_join(struct listener *listener, const struct oi_query *query,
                         int64_t interval_ns);
/* Leave them all. */
void live_candles_leave(struct listener *listener);
/* A reading was stored: what it closes becomes due. */
void live_candles_note(struct live *live, uint32_t instrument, oi_time time);
/* So late that no reading will close what is open. */
void live_candles_expire(struct live *live, oi_time now);
/* Send some of what is due; true when there is more. */
bool live_candles_send(struct live *live, const struct oi_catalog *catalog);

/* live_alerts.c: begin to hear alerts, behind the number that was asked for or from now on. */
void live_alerts_begin(struct listener *listener);
/* Send what is new in the log. */
void live_alerts_send(struct live *live);

/* Forget whom it heard, and leave the hub. The listener is dead afterwards. */
void listener_remove(struct listener *listener);
/* Look patterns up again where markets have come since. */
void listener_refresh(struct listener *listener, uint64_t market_version);
/* The interest in an instrument, or NULL. Not for those who hear all. */
struct interest *listener_find(struct listener *listener, uint32_t instrument);
/* Send a worded row, warn or close a slow reader. */
void listener_send(struct listener *listener, struct wording *wording);
/* Send the newest reading of one market if that is still due. */
void listener_send_newest(struct listener *listener, const struct oi_catalog *catalog,
                          struct interest *interest);
/* Attach to a socket whose handshake is done. */
void listener_attach(struct listener *listener);
/* Choose the markets of a question, those of each selector for its interval; INVALID with the
 * problem. */
enum oi_status listener_choose(struct listener *listener, const struct oi_query *query,
                               bool is_adding, struct oi_problem *problem);
