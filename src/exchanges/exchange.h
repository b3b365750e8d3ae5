/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange as a descriptor: facts in tables, and pairs of pure functions. `ask` turns a task
 * into a request, `read` turns reply bytes into a harvest. No sockets, no clock, no state: the
 * driver (collector/) paces, retries, counts, and stamps the minute it polled.
 */
#pragma once

#include "base/vector.h"
#include "core/convention.h"
#include "core/instrument.h"
#include "core/observation.h"
#include "net/http.h"

#include <stddef.h>
#include <stdint.h>

enum oi_task_kind {
    OI_TASK_FAMILIES,    /* discover what must be asked for one by one: dexes, option families;
                          * its families are those of its product's FAMILY endpoints */
    OI_TASK_INSTRUMENTS, /* definitions */
    OI_TASK_CURRENT,     /* open interest now */
    OI_TASK_PRICES,      /* mark and index prices, where they come apart from it */
    OI_TASK_HISTORY,     /* open interest of the past, by pages */
    OI_TASK_STREAM,      /* pushed changes: a word for rows, no endpoint's */
};

/* How often an endpoint must be asked to cover a product. */
enum oi_scope {
    OI_SCOPE_PRODUCT, /* one request (and its pages) for all of it */
    OI_SCOPE_FAMILY,  /* one for each family (currency, dex, underlying) */
    OI_SCOPE_SYMBOL,  /* one for each instrument */
};

/* What to ask. Texts are borrowed from the driver for the call. */
struct oi_task {
    enum oi_task_kind kind;
    const char *product;
    const char *family;  /* scope FAMILY */
    const char *symbol;  /* scope SYMBOL and history */
    const char *page;    /* what the last harvest gave as next_page; NULL: the first */
    struct oi_span span; /* history */
    oi_time now;         /* the minute being polled */
};

/* A reading with its market. A price alone (open_interest none) is merged by the driver into the
 * row of the same symbol and minute. */
struct oi_harvest_row {
    const char *product;           /* NULL: the task's; in the harvest's arena */
    const char *symbol;            /* in the harvest's arena */
    struct oi_observation reading; /* time none: the driver's minute */
};

struct oi_harvest_skip {
    const char *symbol; /* or "" */
    const char *reason;
};

/* What a reply yielded. Filled step by step; discarded whole when `read` fails. */
struct oi_harvest {
    struct oi_arena arena;
    OI_VECTOR(struct oi_instrument) instruments;
    OI_VECTOR(struct oi_harvest_row) rows;
    OI_VECTOR(const char *) families;
    /* Rows that were not understood, never guessed. What is known to be no business of ours
     * (delisted slots, spot pairs, combinations) is left out without one. */
    OI_VECTOR(struct oi_harvest_skip) skips;
    const char *next_page; /* ask again with this; NULL: that was all */
};

/* `struct oi_harvest harvest = {};` is an empty one. */
void oi_harvest_release(struct oi_harvest *harvest);
/* Empty it for the next reply, keeping memory. */
void oi_harvest_reset(struct oi_harvest *harvest);
/* Symbol and reading are copied. INVALID for a symbol that is no name. */
enum oi_status oi_harvest_add(struct oi_harvest *harvest, struct oi_slice symbol,
                              const struct oi_observation *reading, struct oi_error *error);
/* The same where one reply serves several products (an endpoint whose product is NULL). */
enum oi_status oi_harvest_add_of(struct oi_harvest *harvest, const char *product,
                                 struct oi_slice symbol, const struct oi_observation *reading,
                                 struct oi_error *error);
void oi_harvest_skip(struct oi_harvest *harvest, struct oi_slice symbol, const char *reason);
/* Once, however often it is met. */
void oi_harvest_add_family(struct oi_harvest *harvest, struct oi_slice family);

/* How an exchange hands out its history: page by page, each a span of time. */
struct oi_history_window {
    int64_t width_ns;  /* points a page times their distance */
    int64_t keeps_ns;  /* the exchange keeps this much before now; 0: from the start */
    int64_t period_ns; /* the distance of two points */
};

/* A published limit: at most weight_max in any window. */
struct oi_limit {
    const char *name;
    unsigned weight_max;
    unsigned window_ms;
};

struct oi_endpoint {
    enum oi_task_kind kind;
    const char *product; /* one of the exchange's products; NULL: serves all of them at once */
    enum oi_scope scope;
    const char *const *families; /* scope FAMILY: fixed ones, NULL-terminated; NULL: discovered */
    int64_t every_ns;            /* 0: each minute */
    unsigned limit;              /* which of the limits it counts against, and how much */
    unsigned weight;
    const struct oi_history_window *window; /* HISTORY: its pages */
    enum oi_status (*ask)(const struct oi_task *task, struct oi_http_request *request,
                          struct oi_error *error);
    enum oi_status (*read)(const struct oi_task *task, struct oi_slice reply,
                           struct oi_harvest *harvest, struct oi_error *error);
};

/* What a reply's status, headers and body say before it is read. */
struct oi_reply_head {
    int status;
    struct oi_slice body;
    const struct oi_http_field *headers;
    size_t header_count;
    oi_time now; /* when it arrived: some name the end of a ban as an instant; 0: not known */
};
struct oi_verdict {
    /* OK: read it. NOT_FOUND: this symbol is not there (any more). BUSY: slow down for pause_ms
     * at least. DENIED: our region or address is refused. UPSTREAM: nonsense. */
    enum oi_status status;
    uint64_t pause_ms;    /* BUSY and DENIED: for how long at least, 0: the driver's default */
    unsigned weight_used; /* of the limit, where the exchange tells; 0: it does not */
    char reason[128];     /* for the log and the coverage ledger */
};

/*
 * A stream: figures that the exchange pushes over a WebSocket, where it pushes open interest. As
 * pure as the rest: `subscribe` writes what to send, `read` takes one message. What a row does not
 * tell (none) has not changed: the driver (collector/push.h) merges. It keeps to the limits below.
 */
struct oi_exchange_stream;

/* What to subscribe to. Texts are borrowed from the driver for the call. */
struct oi_stream_task {
    const struct oi_exchange_stream *stream;
    const char *const *symbols; /* at most symbols_per_message; none for a stream that is_whole */
    size_t symbol_count;
    uint64_t number; /* of this message on its connection, from 1: for an id */
    oi_time now;
};

/* What a message is beside its rows. `{}`: data, or of no consequence. */
struct oi_stream_event {
    bool is_acknowledgement; /* of a subscription */
    const char *answer;      /* must be sent back at once; NULL: nothing. Static */
};

struct oi_exchange_stream {
    const char *url;             /* "wss://stream.bybit.com/v5/public/linear" */
    const char *const *products; /* that it has markets of, NULL-terminated */
    bool is_whole;               /* one subscription brings every market */
    unsigned symbols_max;        /* markets on one connection */
    unsigned symbols_per_message;
    unsigned message_gap_ms;  /* at least so long between two messages of ours */
    unsigned connections_max; /* of one address */
    unsigned connect_gap_ms;  /* at least so long between two handshakes */
    unsigned alive_ms;        /* a connection on which nothing came for so long is dead */
    const char *greeting;     /* the first message, or NULL */
    const char *ping;         /* what keeps it alive, sent each ping_ms; NULL: nothing of ours */
    unsigned ping_ms;
    /* Append one message that subscribes. INVALID for a symbol that can be no market's. */
    enum oi_status (*subscribe)(const struct oi_stream_task *task, struct oi_buffer *out,
                                struct oi_error *error);
    /* Read one message. NOT_FOUND: a market that was asked for is not there. BUSY: too much was
     * asked for, DENIED: we are refused; both end the connection. UPSTREAM: nonsense. */
    enum oi_status (*read)(const struct oi_exchange_stream *stream, struct oi_slice message,
                           struct oi_harvest *harvest, struct oi_stream_event *event,
                           struct oi_error *error);
};

struct oi_exchange {
    const char *name;            /* "binance" */
    const char *full_name;       /* "Binance" */
    oi_time closed;              /* it has closed for good at this instant; 0: it has not */
    const char *const *products; /* NULL-terminated; together with `name` they are stored: fixed */
    const struct oi_convention *conventions;
    size_t convention_count;
    const struct oi_limit *limits;
    size_t limit_count;
    const struct oi_endpoint *endpoints; /* a missing row is a missing capability */
    size_t endpoint_count;
    const struct oi_exchange_stream *streams; /* NULL: it pushes no open interest */
    size_t stream_count;
    /* What the exchange means by a reply; NULL: oi_reply_judge, by HTTP status alone. */
    void (*judge)(const struct oi_reply_head *head, struct oi_verdict *ret_verdict);
};

#define OI_EXCHANGE(name) extern const struct oi_exchange oi_exchange_##name;
#include "exchanges/exchanges.def"
#undef OI_EXCHANGE

/* All registered exchanges, NULL-terminated, in the order of exchanges.def. */
extern const struct oi_exchange *const oi_exchanges[];
/* By name, or NULL. */
const struct oi_exchange *oi_exchange_find(struct oi_slice name);
