/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of bytes, made as those of the client's requests are: its proxy (by CONNECT), its
 * outgoing address, TLS, its redirection. What runs over it is its owner's. Belongs to its loop's
 * thread.
 */
#pragma once

#include "net/http_client.h"

struct oi_http_wire;

struct oi_http_wire_handler {
    void (*opened)(void *context);
    void (*received)(void *context, struct oi_slice bytes);
    /* It could not be made, or has ended; called once, the handle is dead when it returns. BUSY: it
     * may be tried again; DENIED: a certificate that is not valid. */
    void (*closed)(void *context, enum oi_status status, const struct oi_error *error);
    void *context;
};

/* Connect to an origin ("https://example.com:8443"); nothing is called before the loop turns.
 * timeout_ms is for the way to `opened`; 0: 10 s. */
struct oi_http_wire *oi_http_wire_open(struct oi_http_client *client, const char *origin,
                                       uint64_t timeout_ms,
                                       const struct oi_http_wire_handler *handler);
/* Queue bytes. After `opened`; more than 4 MiB that the other end does not take end it. */
void oi_http_wire_send(struct oi_http_wire *wire, struct oi_slice bytes);
/* End it without a callback; what was sent and fits into the socket still goes. From callbacks,
 * too. */
void oi_http_wire_close(struct oi_http_wire **wire);
