/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket of ours to a server, over a connection that an HTTP client makes: its proxy, outgoing
 * address, certificates and redirection hold. Pings are answered, frames masked, messages joined;
 * extensions are not spoken. Belongs to its loop's thread.
 */
#pragma once

#include "base/random.h"
#include "net/http_client.h"

#include <stdbool.h>

struct oi_websocket_client;

struct oi_websocket_client_options {
    const char *url;          /* "wss://example.com/path"; copied */
    struct oi_random *random; /* of the key */
    const char *bearer;       /* sent as `Authorization: Bearer …`; NULL: none; copied */
    uint64_t timeout_ms;      /* until it is open; 0: 10 s */
    size_t message_size_max;  /* of a message that comes; 0: 16 MiB. Past it the socket ends */
};

/* How it ended. */
struct oi_websocket_end {
    /* BUSY: try again later (broken, timed out, closed by the other end, HTTP 429 and 503).
     * DENIED: refused (401, 403, 451, a certificate that is not valid). NOT_FOUND: 404. UPSTREAM:
     * what came is no WebSocket. */
    enum oi_status status;
    int http_status; /* of a handshake that was refused, else 0 */
    const struct oi_error *error;
};

struct oi_websocket_client_handler {
    void (*opened)(void *context);
    /* Borrowed for the call. */
    void (*message)(void *context, struct oi_slice message, bool is_text);
    /* Once, unless it was closed by its owner; the handle is dead when it returns. */
    void (*closed)(void *context, const struct oi_websocket_end *end);
    void *context;
};

/* Nothing is called before the loop turns. INVALID for a URL that is none. */
enum oi_status oi_websocket_client_open(struct oi_http_client *client,
                                        const struct oi_websocket_client_options *options,
                                        const struct oi_websocket_client_handler *handler,
                                        struct oi_websocket_client **ret_socket,
                                        struct oi_error *error);
/* Send a text message. After `opened`. */
void oi_websocket_client_send(struct oi_websocket_client *socket, struct oi_slice text);
void oi_websocket_client_ping(struct oi_websocket_client *socket);
/* Say goodbye where it is open, and end it without a callback. From callbacks, too. NULL is fine.
 * Before the client is freed. */
void oi_websocket_client_close(struct oi_websocket_client **socket);
