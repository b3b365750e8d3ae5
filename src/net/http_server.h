/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 and WebSocket server on one loop. Strict: what is ambiguous is refused, not repaired
 * (docs/http.md lists every rule and is a test). Everything has a limit and a deadline; a reader
 * that stops costs a fixed amount of memory. Several servers, one a thread, may listen on one port.
 */
#pragma once

#include "base/clock.h"
#include "net/http.h"
#include "net/loop.h"

struct oi_http_server;
struct oi_websocket;

/* Named limits with their defaults (0 takes the default). */
struct oi_http_server_options {
    const char *address;          /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;                /* 0: any free one */
    bool is_joining;              /* another server of this process has the port: share it */
    const struct oi_clock *clock; /* for the Date header; NULL: the machine's */
    const char *certificate;      /* PEM chain and key files: TLS 1.2 or newer; NULL: plain */
    const char *private_key;
    size_t head_size_max;       /* 16 KiB, else 431 */
    size_t target_size_max;     /* 10,240, else 414 */
    size_t body_size_max;       /* 1 MiB, else 413 */
    unsigned connections_max;   /* 10,000; the next ones wait in the kernel's queue */
    uint64_t head_deadline_ms;  /* 10 s for a whole head */
    uint64_t body_deadline_ms;  /* 30 s without a byte of the body */
    uint64_t idle_deadline_ms;  /* 75 s between requests */
    uint64_t write_deadline_ms; /* 30 s without a byte taken by the client */
    uint64_t grace_ms;          /* 10 s to finish answers when stopping */
};

struct oi_http_handler {
    /* Fill the reply. Called on the loop's thread; must not block. The request lives until the
     * reply is finished. */
    void (*handle)(void *context, const struct oi_http_request *request,
                   struct oi_http_reply *reply);
    /* A checked WebSocket handshake: return true to accept (keep `websocket` and set its callbacks
     * with oi_websocket_attach before returning), or fill `reply` with the refusal. NULL: 404. */
    bool (*upgrade)(void *context, const struct oi_http_request *request,
                    struct oi_websocket *websocket, struct oi_http_reply *reply);
    /* An answer for what never became a request (400, 408, 414, 431, 505): `target` may be empty.
     * Fill the body in the dialect's envelope where the route tells; NULL or nothing: plain text.
     */
    void (*refuse)(void *context, int status, const char *reason, struct oi_slice target,
                   struct oi_http_reply *reply);
    /* The same bytes came again that were answered with a reply that had a recipe: does that reply,
     * status, headers and body, still hold? Then it is sent again but for its date, and what the
     * handler counts it counts now. The recipe is aligned as from malloc. NULL: nothing is. */
    bool (*again)(void *context, const void *recipe);
    void *context;
};

enum oi_status oi_http_server_open(struct oi_loop *loop,
                                   const struct oi_http_server_options *options,
                                   const struct oi_http_handler *handler,
                                   struct oi_http_server **ret_server, struct oi_error *error);
/* The port it listens on. */
uint16_t oi_http_server_port(const struct oi_http_server *server);
/* Serve new connections with this certificate; those that are open keep theirs. On failure the old
 * one stays. On the loop's thread; only where it was opened with one. */
enum oi_status oi_http_server_set_certificate(struct oi_http_server *server,
                                              const char *certificate, const char *private_key,
                                              struct oi_error *error);
/* Stop accepting, finish the answers under way within the grace time, close WebSockets with 1001,
 * then call `stopped`. */
void oi_http_server_stop(struct oi_http_server *server, void (*stopped)(void *context),
                         void *context);
/* Everything ends at once: `finish` and `closed` are called before it returns, but not `stopped`.
 * Not from a callback of the server's own handlers. */
void oi_http_server_close(struct oi_http_server **server);

struct oi_http_server_stats {
    uint64_t connections, requests, refused, websockets, bytes_out;
};
void oi_http_server_stats(const struct oi_http_server *server,
                          struct oi_http_server_stats *ret_stats);

/*
 * WebSockets, server side. All on the loop's thread.
 */
struct oi_websocket_handler {
    void (*message)(void *context, struct oi_slice message, bool is_text);
    /* The queue has been written out below 64 KiB after it stood above. May be NULL. */
    void (*drained)(void *context);
    /* Gone, for whatever reason; the handle is dead when this returns. */
    void (*closed)(void *context);
    void *context;
};
void oi_websocket_attach(struct oi_websocket *websocket,
                         const struct oi_websocket_handler *handler);
/* Queue a text message. Queueing never calls back, so it is safe while walking a list of sockets;
 * past 64 MiB the socket is given up. */
void oi_websocket_send(struct oi_websocket *websocket, struct oi_slice text);
/* Bytes queued and not yet taken by the client: what decides about warnings and stalls. */
size_t oi_websocket_queued(const struct oi_websocket *websocket);
/* Send a close frame and end. */
void oi_websocket_close(struct oi_websocket *websocket, uint16_t code, const char *reason);

/* A WebSocket message as one shared frame, queued on many sockets without copying. */
struct oi_shared *oi_websocket_frame_new(struct oi_slice text);
void oi_websocket_send_frame(struct oi_websocket *websocket, struct oi_shared *frame);
