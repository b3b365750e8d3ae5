/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP client: many requests at once on one loop, over libcurl's multi interface (TLS, proxies,
 * HTTP/2, gzip, kept connections). Belongs to its loop's thread.
 */
#pragma once

#include "net/http.h"
#include "net/loop.h"

struct oi_http_client;

struct oi_http_client_options {
    const char *user_agent;        /* NULL: "oi/VERSION" */
    const char *proxy;             /* NULL: none, the environment's are not used */
    const char *interface_address; /* outgoing address, or NULL */
    const char *authority;         /* PEM file of whom to trust; NULL: whom the system trusts */
    unsigned connections_max;      /* a host; 0: 20 */
    /* Send everything to this origin ("http://127.0.0.1:9000") in place of the request's own, which
     * stays in the Host header: how the collector is pointed at the simulator. NULL: no. */
    const char *redirect_to;
};

/* What came back. Everything is borrowed until the callback returns. */
struct oi_http_response {
    int status; /* 0: no answer; `error` says why */
    const struct oi_http_field *headers;
    size_t header_count;
    struct oi_slice body; /* decompressed */
    int64_t elapsed_ns;
};
/* The value of a header (name in any case), or NULL. */
const struct oi_slice *oi_http_response_header(const struct oi_http_response *response,
                                               const char *name);

/* How one request may behave. */
struct oi_http_limits {
    uint64_t timeout_ms; /* of the whole exchange; 0: 20 s */
    size_t size_max;     /* of the decompressed body; 0: 64 MiB. Past it: UPSTREAM */
    bool is_bulk; /* much is sent or comes: the request's body is not copied and has to stay where
                   * it is until `done`, and what comes is read in large pieces */
};

enum oi_status oi_http_client_new(struct oi_loop *loop,
                                  const struct oi_http_client_options *options,
                                  struct oi_http_client **ret_client, struct oi_error *error);
/* Ends what is under way: each callback is called with CANCELLED. Not from such a callback. Wires
 * (http_wire.h) are closed before. */
void oi_http_client_free(struct oi_http_client **client);

struct oi_loop *oi_http_client_loop(const struct oi_http_client *client);

/* Send a request (its contents are copied, but see is_bulk) and call `done` exactly once from the
 * loop: status OK with any HTTP status, BUSY for a time-out or a refused or broken connection,
 * UPSTREAM for an oversized or undecodable body, DENIED for a certificate that is not valid,
 * CANCELLED. */
void oi_http_client_send(struct oi_http_client *client, const struct oi_http_request *request,
                         const struct oi_http_limits *limits,
                         void (*done)(void *context, enum oi_status status,
                                      const struct oi_http_response *response,
                                      const struct oi_error *error),
                         void *context);
