/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through the simulator: whose it is, what it may cost, who answers. */
#pragma once

#include "base/json.h"
#include "simulator/limits.h"
#include "simulator/market.h"
#include "simulator/moods.h"
#include "simulator/simulator.h"

/* The most that one exchange counts apart: OKX's endpoints by type. */
#define VENUE_METERS_MAX 12

/* A request with all that its answer may depend on. */
struct call {
    uint64_t seed;
    const struct oi_catalogue *catalogue;
    const struct oi_moods *moods;
    enum oi_venue venue;
    oi_time now;
    uint64_t number; /* the exchange's requests since the moods were set, from 1 */
    int64_t elapsed_ns;
    int64_t ahead_ns; /* the exchange's clock */
    struct oi_slice host;
    const struct oi_http_request *request;
    struct oi_http_reply *reply;
    struct oi_json_writer *writer; /* over the reply's body */
};

/* What a request costs, and which of its exchange's meters counts it. */
struct cost {
    unsigned meter;
    unsigned weight;
};

/* What a reply with figures has beside them. */
enum tells {
    TELLS_NOTHING = 0,
    TELLS_MARK = 1 << 0,
    TELLS_INDEX = 1 << 1,
    TELLS_LAST = 1 << 2,
    TELLS_VALUE = 1 << 3,        /* where it is in USD: not of Bybit's inverse contracts */
    TELLS_TIME = 1 << 4,         /* the exchange's own stamp */
    TELLS_OPTION_INDEX = 1 << 5, /* the index, with options alone */
    TELLS_PERPETUAL_INDEX = 1 << 6,
    TELLS_FUTURES_INDEX = 1 << 7, /* with everything but options */
    TELLS_OPTION_VALUE = 1 << 8,
    TELLS_EVENT_LAST = 1 << 9,
    TELLS_PERPETUAL_VALUE = 1 << 10,
};

/*
 * A WebSocket of an exchange's stream.
 */
struct session;

struct venue_stream {
    const char *const *hosts;      /* NULL-terminated */
    unsigned connections_max;      /* of all that there are */
    unsigned subscriptions_max;    /* of one connection */
    struct oi_meter_rule messages; /* of a connection's messages to us */
    /* A message came; `json` is its root, or NULL where it is no JSON. Answers go out with
     * session_send. */
    void (*hear)(struct session *session, const struct call *call, const struct oi_json_node *json,
                 struct oi_slice text);
    /* Write one market's figures of the instant call->now into the call's writer; the first of a
     * subscription is whole where others are not. */
    void (*push)(struct session *session, const struct call *call, const struct oi_market *market,
                 const struct oi_figures *figures, bool is_first);
};

/* What the call's writer holds goes out, and the writer is empty again. */
void session_send(struct session *session, const struct call *call);
/* A text as it stands. */
void session_send_text(struct session *session, const char *text);
/* Push the market from now on. False where there is none (of the product, unless that is NULL), or
 * no more are allowed. */
bool session_subscribe(struct session *session, const struct call *call, struct oi_slice symbol,
                       const char *product);
/* Everything that is listed. */
void session_subscribe_all(struct session *session, const struct call *call);
/* The path of its handshake. */
struct oi_slice session_path(const struct session *session);

struct venue {
    const struct venue_stream *stream; /* NULL: it pushes nothing */
    const char *const *hosts;          /* NULL-terminated */
    unsigned tells;                    /* enum tells */
    const struct oi_meter_rule *rules;
    size_t rule_count;
    struct cost (*cost)(const struct call *call);
    void (*answer)(const struct call *call);
    /* What a request past a limit gets: fill status, headers and body. */
    void (*refuse)(const struct call *call, const struct oi_meter_answer *answer);
    /* To each reply, or NULL. */
    void (*decorate)(const struct call *call, const struct oi_meter_answer *answer);
};

#define OI_VENUE(upper, name) extern const struct venue venue_##name;
#include "simulator/venues.def"
#undef OI_VENUE
/* By enum oi_venue. */
extern const struct venue *const venues[];

/* A parameter of the query, empty where there is none. */
struct oi_slice call_parameter(const struct call *call, const char *name);
/* The same as a number, or `otherwise`. */
int64_t call_number(const struct call *call, const char *name, int64_t otherwise);
bool call_is_path(const struct call *call, const char *path);
/* Milliseconds since 1970. */
int64_t call_now_ms(const struct call *call);
/* The market a request names if it is listed, or NULL. */
const struct oi_market *call_market(const struct call *call, struct oi_slice symbol);
/* Walk the exchange's markets of a product (NULL: of all) whatever their state, without what the
 * moods drop: start with NULL, NULL at the end. */
const struct oi_market *call_next(const struct call *call, const char *product,
                                  const struct oi_market *after);

/* Name and value; figures padded to `places`, none as "". */
void call_add_text(const struct call *call, const char *name, const char *text);
void call_add_int(const struct call *call, const char *name, int64_t value);
/* The digits between quotation marks, as most exchanges have it. */
void call_add_quoted_int(const struct call *call, const char *name, int64_t value);
void call_add_figure(const struct call *call, const char *name, const struct oi_decimal *figure,
                     int places);
/* The same as a bare number. */
void call_add_number(const struct call *call, const char *name, const struct oi_decimal *figure);
/* A whole body, not JSON of ours. */
void call_fail(const struct call *call, int status, const char *type, const char *body);

/*
 * Points of a history: the multiples of five minutes from `from` to `to` (both included, in
 * milliseconds) that have passed and at which the market was listed, the newest `limit` of them.
 */
struct points {
    oi_time first, last; /* first > last: none */
};
#define POINT_NS (5 * OI_MINUTE)
struct points call_points(const struct call *call, const struct oi_market *market, int64_t from_ms,
                          int64_t to_ms, int64_t limit);

/*
 * What exchanges with plain lists share: a path answers with all listed markets of a product
 * between two pieces of text, and beyond a limit comes 429.
 */
struct route {
    const char *path;
    const char *parameter; /* of the query, and its value: what tells lists of one path apart */
    const char *value;
    const char *product; /* NULL: all */
    void (*add)(const struct call *call, const struct oi_market *market);
    void (*answer)(const struct call *call); /* in place of a list */
    /* Around the list's brackets: @ is the time in milliseconds, # as a date. */
    const char *before, *after;
};
/* False where none of the routes fits. */
bool call_route(const struct call *call, const struct route *routes, size_t count);
/* One of the first meter. */
struct cost call_cost_one(const struct call *call);
void call_refuse(const struct call *call, const struct oi_meter_answer *answer);
/* "2026-11-26T00:00:20.000Z" */
void call_add_iso(const struct call *call, const char *name, oi_time time);
void call_add_bool(const struct call *call, const char *name, bool value);

/* Binance's archive of files, under a host of its own. */
bool vision_is_asked(const struct call *call);
void vision_answer(const struct call *call);
