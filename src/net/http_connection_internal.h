/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a connection, for the files that make up its state machine. */
#pragma once

#include "base/compress.h"
#include "net/http_connection.h"
#include "net/http_repeat.h"
#include "net/websocket.h"

/* More of a reply is pulled, and the next request is taken up, when less than this waits to be
 * written: enough to keep a fast reader busy, little enough for thousands of slow ones. */
#define OI_HTTP_QUEUE_LOW ((size_t) 64 << 10)

enum oi_http_phase {
    OI_HTTP_PHASE_REQUESTS,
    OI_HTTP_PHASE_WEBSOCKET,
    OI_HTTP_PHASE_LINGER, /* the last answer is queued; input is dropped until the client ends */
    OI_HTTP_PHASE_DONE,
};

enum oi_http_reply_state {
    OI_HTTP_REPLY_NONE,
    OI_HTTP_REPLY_COMPRESSING, /* the body is with the host */
    OI_HTTP_REPLY_WITHHELD,    /* nothing will come */
    OI_HTTP_REPLY_STREAMING,   /* `more` is called as the client takes what there is */
    OI_HTTP_REPLY_WAITING,     /* `more` has nothing yet */
};

struct oi_websocket {
    struct oi_http_connection *connection;
    struct oi_websocket_handler handler;
    struct oi_websocket_engine *engine;
    bool is_attached;
    bool is_closing;
    bool was_above_low;
    bool is_pinged; /* and nothing has come since */
};

struct oi_http_connection {
    struct oi_http_host *host;
    void *owner;
    char *peer;
    enum oi_http_phase phase;
    struct oi_http_parser parser;
    struct oi_buffer input;  /* read, and not yet taken up */
    struct oi_slice pending; /* what is being taken up: of `input`, or of the owner's bytes */
    struct oi_output output;
    struct oi_websocket websocket;

    struct oi_http_request request;
    struct oi_http_reply reply;
    enum oi_http_reply_state reply_state;
    struct oi_gzip_stream *gzip;
    bool is_chunked;
    bool is_head;    /* the request's method was HEAD: no body follows */
    bool ends_after; /* the reply is the last one */
    bool has_asked;  /* a request has been answered or is */
    bool has_ended;  /* the client sends no more */
    bool is_inside;  /* of a call of the owner: no need to wake him */

    uint64_t input_ms;  /* when bytes came last, or a request was finished */
    uint64_t head_ms;   /* when the first byte of the head came */
    uint64_t output_ms; /* when the client took bytes last, or output began to wait */
    uint64_t linger_ms; /* when lingering or the closing handshake began */
};

/* http_reply.c: answer with what is in connection->reply, or refuse. */
void oi_http_connection_answer(struct oi_http_connection *connection);
void oi_http_connection_refuse(struct oi_http_connection *connection, int status,
                               const char *reason);
/* The next piece of a streamed reply. */
void oi_http_connection_pull(struct oi_http_connection *connection);
/* A reply that waits is over, and its connection. */
void oi_http_connection_end_waiting(struct oi_http_connection *connection);
/* Forget request and reply; the next one may come. */
void oi_http_connection_finish_reply(struct oi_http_connection *connection);
/* Answer at once with what the same bytes were answered with before; false: read them. */
bool oi_http_connection_repeat(struct oi_http_connection *connection, struct oi_slice bytes);
/* Status line and headers, with the empty line. */
void oi_http_write_head(struct oi_http_connection *connection, struct oi_buffer *out);

/* http_upgrade.c: a request that asks for a WebSocket, and its bytes afterwards. */
bool oi_http_connection_upgrade(struct oi_http_connection *connection);
void oi_http_connection_receive_frames(struct oi_http_connection *connection);
void oi_http_connection_tick_websocket(struct oi_http_connection *connection);

/* http_connection.c */
void oi_http_connection_linger(struct oi_http_connection *connection);
void oi_http_connection_notify(struct oi_http_connection *connection);
