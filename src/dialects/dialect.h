/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dialect: one vendor's API as a pure pair, request to query and result to bytes. The server
 * checks the key, runs the query in between, and keeps limits and counters once for all; a dialect
 * only reads and writes in its vendor's words.
 */
#pragma once

#include "core/cells.h"
#include "core/zone.h"
#include "net/http.h"
#include "query/query.h"
#include "query/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of oi_route.methods. HEAD comes with GET by itself. */
#define OI_METHOD_GET (1u << OI_HTTP_GET)
#define OI_METHOD_POST (1u << OI_HTTP_POST)

/* What an answer's price is counted in. */
enum oi_cost {
    OI_COST_CALLS = 0, /* every call is one */
    OI_COST_CREDITS,   /* Kwery's: so many a call and a row */
    OI_COST_WEIGHT,    /* Kiyotaka's: by points and exchanges */
};

/* What the operator chose where a vendor's page leaves a choice. All zero: the defaults. */
struct oi_manners {
    bool is_canonical;            /* one-sided figures; else the sides that each exchange counts */
    bool cuts_history;            /* a range beyond the plan's history is cut in silence (Kwery) */
    struct oi_decimal trend_band; /* oanor: a change of no more percent is flat */
    const char *upgrade_url;      /* where a better plan is to be had (Kwery); NULL: not said */
};

/* What a call may use and what the access layer found, for headers and limits. */
struct oi_call {
    const char *request_id; /* a UUID */
    oi_time now;
    struct oi_slice
        public_url;        /* "http://127.0.0.1:8080", for absolute links; no slash at the end */
    struct oi_slice mount; /* the prefix the request came under: "" or "/coinmetrics" */
    const struct oi_zone_loader *zones;
    /* Sign `path_and_query` (begins with "/") for link_life_s seconds and append the absolute,
     * signed URL. */
    void (*sign)(const struct oi_call *call, struct oi_slice path_and_query, struct oi_buffer *out);
    const void *signer;
    unsigned link_life_s; /* 300 */
    struct oi_manners manners;
    /* The caller's plan, 0 where nothing is limited. */
    struct oi_allowance {
        uint64_t credits_limit, credits_left, credits_charged;
        unsigned rate_limit, rate_left, rate_reset_s;
        unsigned rate_burst; /* the most that rate_left can be: a bucket may hold more than comes
                                back in its span */
        bool denies_totals;  /* no sums over several exchanges (Kiyotaka's plans) */
        bool rate_is_weight; /* the rate counts what the answer weighs, not yet taken off */
        size_t rows_max;
        int64_t history_ns;
        const char *plan;
    } allowance;
};

/* One answer being written. */
struct oi_rendering {
    const struct oi_call *call;
    const struct oi_http_request *request;
    const struct oi_query *query;
    struct oi_result *result;    /* NULL for OI_QUERY_NONE */
    struct oi_http_reply *reply; /* headers may be set in the first step only */
    size_t step;                 /* 0 in the first call, counted by the server */
    size_t row_count;            /* the dialect's own counters from here on */
    size_t market;
    bool is_open;
    void *state; /* in the reply's arena, if the dialect wants more */
    /* Step 0 may find that there is nothing to answer: fill this, return OI_E_INVALID, and the
     * server answers with the problem instead. */
    struct oi_problem *problem;
    bool says_damage; /* the answer's end tells what it lacks: it may be met after the head is sent
                       */
    uint64_t credits; /* what the answer cost the caller, set by step 0; the server charges it */
};

struct oi_route {
    const char *path; /* "/v1/open-interest"; a part "{name}" matches one segment */
    unsigned methods;
    bool is_link;   /* opened by a signature in its query, not by a key */
    bool is_public; /* answered without a key: it tells of the API, nothing of the data */
    bool is_file;   /* the answer is a Parquet file of the query's bars or rows, made by lake/;
                       render is called once, with no result, and only sets headers */
    enum oi_status (*parse)(const struct oi_call *call, const struct oi_http_request *request,
                            struct oi_query *query, struct oi_problem *problem);
    /* Append the next piece of the answer, pulling blocks from the result as it goes; say when it
     * is the last. Errors that the client must see are found in step 0, before anything is sent. */
    enum oi_status (*render)(struct oi_rendering *rendering, struct oi_buffer *out,
                             bool *ret_is_last, struct oi_error *error);
    /* The same as typed columns, for queries that ask for a file: the next rows, behind those that
     * are there. The first call makes the columns and may set headers. NULL: there are no files. */
    enum oi_status (*tabulate)(struct oi_rendering *rendering, struct oi_cells *cells,
                               bool *ret_is_last, struct oi_error *error);
};

/*
 * Streams: readings pushed over a WebSocket as they are stored. The dialect words the handshake,
 * messages and rows; sockets, queues, keys and the fan-out are the server's.
 */

/* One reading to push. Borrowed. */
struct oi_stream_row {
    const struct oi_instrument *instrument;
    const struct oi_observation *reading;
    const char *feed;
    uint64_t batch;           /* of this commit; 0: of an older one */
    bool is_daily;            /* of a feed with one figure a trade date */
    struct oi_decimal amount; /* in the route's unit, or none where it cannot be turned */
    struct oi_decimal usd;    /* or none */
};

enum oi_stream_action {
    OI_STREAM_NOTHING = 0, /* only a reply */
    OI_STREAM_KEY,         /* the caller's key is in `key` */
    OI_STREAM_SUBSCRIBE,   /* to the markets of `query` */
    OI_STREAM_UNSUBSCRIBE, /* from them */
};

/* What a client's message asks, and what became of it. `query` starts as OI_QUERY_EMPTY, its owner
 * releases it; the texts are in its arena. */
struct oi_stream_message {
    enum oi_stream_action action;
    struct oi_slice key;
    struct oi_slice id; /* what the reply repeats, as JSON; empty: nothing */
    struct oi_query query;
    struct oi_problem problem; /* filled by who finds it: read_message, or the server as it acts */
};

struct oi_stream_route {
    const char *path;
    enum oi_unit unit;        /* of the amounts of its rows; UNKNOWN: each feed's own */
    bool has_key_in_messages; /* the handshake lets everybody in; rows want the key by message */
    /* The key in the handshake; NULL: as in every request of the dialect. */
    struct oi_slice (*key)(const struct oi_http_request *request);
    /* The handshake: selectors choose the markets, none of them all (or, with read_message, none
     * yet). wants_latest: the newest reading of each comes first. */
    enum oi_status (*parse)(const struct oi_call *call, const struct oi_http_request *request,
                            struct oi_query *query, struct oi_problem *problem);
    /* Is the row one that this stream carries? NULL: every one is. `is_newest`: sent because it is
     * the newest, not because it has just come. */
    bool (*takes)(const struct oi_stream_row *row, oi_time now, bool is_newest);
    /* Of several rows of one market and microsecond the first is sent: how many the server
     * remembers of each exchange. 0: all are sent. */
    size_t memory;
    bool has_events; /* without a WebSocket's handshake, the same as server-sent events */
    /* A closed candle (the first of the block) as a message, for listeners whose handshake set the
     * query's interval_ns, they get those in place of rows, or whose messages have selectors with
     * an interval_ns. NULL: there are none. */
    bool has_bars; /* they are bars: OI_QUERY_BARS */
    void (*render_candle)(const struct oi_query *query, const struct oi_block *block,
                          struct oi_buffer *out);
    /* An alert as a message, for listeners whose handshake asked for OI_QUERY_ALERTS (behind the
     * event `number`, below 0: from now on; `text_filter`: of one rule). NULL: there are none. */
    void (*render_alert)(const struct oi_alert *alert, struct oi_buffer *out);
    /* One message without its end, the same for every listener with that `is_pretty`; where a
     * route takes queries that are replicas, theirs has the other form too. */
    void (*render_row)(const struct oi_stream_row *row, bool is_pretty, struct oi_buffer *out);
    /* The end, with the number of the message on its connection (from 0). NULL: there is none, and
     * one frame is shared by all. */
    void (*render_end)(uint64_t sequence, bool is_pretty, struct oi_buffer *out);
    /* A message of the client; NULL: they are passed over. */
    void (*read_message)(struct oi_slice text, struct oi_stream_message *message);
    void (*render_reply)(const struct oi_stream_message *message, struct oi_buffer *out);
    /* Sent once when a listener's queue is past this part of what it may hold, and before it is
     * closed for good. NULL: nothing is said. */
    unsigned warning_percent;
    const char *warning;
    const char *stall;
    uint16_t stall_code; /* the close code after a stall: 1013 */
};

struct oi_dialect {
    const char *name;          /* "coinmetrics" */
    const char *full_name;     /* "Coin Metrics API v4" */
    const char *const *mounts; /* prefixes its routes are served under, NULL-terminated; "" is the
                                  root */
    const char *prefix; /* "/v4/": what begins so, after the mount, gets this vendor's envelope
                           even where no route fits */
    const struct oi_route *routes;
    size_t route_count;
    enum oi_cost cost; /* in what its rendering->credits are counted; CALLS: it prices nothing */
    const struct oi_stream_route *streams;
    size_t stream_count;
    size_t target_size_max; /* longer request targets are 414; 0: the server's limit */
    /* The key that came with the request, or an empty slice. */
    struct oi_slice (*key)(const struct oi_http_request *request);
    /* Where two dialects share a path at the root: is this request rather ours? NULL: never first.
     */
    bool (*claims)(const struct oi_http_request *request);
    /* A problem in the vendor's envelope, with the vendor's status and headers. */
    void (*render_problem)(const struct oi_call *call, const struct oi_http_request *request,
                           const struct oi_problem *problem, struct oi_http_reply *reply);
};

#define OI_DIALECT(name) extern const struct oi_dialect oi_dialect_##name;
#include "dialects/dialects.def"
#undef OI_DIALECT

/* All registered dialects, NULL-terminated, in the order of dialects.def. */
extern const struct oi_dialect *const oi_dialects[];
const struct oi_dialect *oi_dialect_find(struct oi_slice name);

/* Whose a request is: the route that fits its path (whatever the method) and the mount it came
 * under. The longest mount wins; where several dialects have the path, one that claims the request,
 * else the first that never claims. No route fits: NULL, with *ret_dialect the vendor by whose
 * rules to refuse, or NULL when the path is nobody's. */
const struct oi_route *oi_dialects_route(const struct oi_http_request *request,
                                         const struct oi_dialect **ret_dialect,
                                         struct oi_slice *ret_mount);

/* Whose stream the path of a handshake is: the longest mount wins. NULL: nobody's, with
 * *ret_dialect as for other requests. */
const struct oi_stream_route *oi_dialects_stream(const struct oi_http_request *request,
                                                 const struct oi_dialect **ret_dialect,
                                                 struct oi_slice *ret_mount);

/* The value captured by "{name}" of the route's path (after the mount), or an empty slice. */
struct oi_slice oi_route_capture(const struct oi_route *route, struct oi_slice mount,
                                 struct oi_slice path, const char *name);
/* Does the path (without the mount) fit the route? */
bool oi_route_matches(const struct oi_route *route, struct oi_slice path);
