/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: every dialect, the page and the operator's endpoints on one port. It opens one event
 * loop a thread, all on the same port, and answers from the store alone; the collector is a
 * stranger to it.
 */
#pragma once

#include "core/zone.h"
#include "query/run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_server;

struct oi_server_options {
    const char *address;     /* "127.0.0.1" */
    uint16_t port;           /* 0: any free one */
    unsigned threads;        /* 0: one */
    const char *data_folder; /* the secret that signs links is kept here */
    const char *public_url;  /* NULL: from the request's checked Host */
    /* Keys that may ask; while there are none, any key or none passes. */
    const char *const *keys;
    size_t key_count;
    /* Further plans (plans.h), the plan of these keys, and that of each address without a key. */
    const char *const *plans;
    size_t plan_count;
    const char *key_plan, *guest_plan; /* NULL: access.h says */
    /* Pages of these origins may read answers ("https://example.com"; "*": of all). */
    const char *const *cors_origins;
    size_t cors_origin_count;
    /* Dialects (by name) whose figures are canonical, one-sided, rather than as each exchange
     * counts; oanor's trend is flat within so many percent (NULL: 0); ranges beyond a plan's
     * history are cut in silence where a vendor refuses or cuts them (Kwery). */
    const char *const *canonical;
    size_t canonical_count;
    const char *trend_band;
    bool cuts_history;
    const char *upgrade_url; /* NULL: refusals do not name one */
    bool is_open;            /* answer on any address without keys, whatever the Host */
    /* Further names that the Host header may have while there are no keys. */
    const char *const *host_names;
    size_t host_name_count;
    /* Several servers count the same keys in Redis (redis.h); NULL: this one counts alone. */
    const char *quota_redis, *quota_redis_password, *quota_redis_authority;
    unsigned quota_servers; /* how many, for while Redis is away */
    /* Files of months that are over, in a bucket (lake/s3.h); NULL: served from here. */
    const char *lake, *lake_access_key, *lake_secret_key, *lake_session, *lake_authority;
    const char *certificate, *private_key; /* TLS; NULL: plain */
    const struct oi_zone_loader *zones;
    bool is_demo; /* said on the page and in /oi/v1/status */
};

/* Listen and serve on threads of its own. INVALID when the address is not a loopback one and there
 * are neither keys nor is_open: nobody is let in by mistake. The source must outlive the server. */
enum oi_status oi_server_open(const struct oi_server_options *options,
                              const struct oi_source *source, struct oi_server **ret_server,
                              struct oi_error *error);
/* Take keys, plans, allowed origins and the certificate anew; the rest of the options stands. On
 * failure everything stays as it was. One thread at a time. */
enum oi_status oi_server_reload(struct oi_server *server, const struct oi_server_options *options,
                                struct oi_error *error);
/* The port it listens on. */
uint16_t oi_server_port(const struct oi_server *server);
/* Stop accepting, finish what is under way within the grace time, end the threads, free it all. */
void oi_server_close(struct oi_server **server);
/* Add lines in Prometheus' text format to /metrics: how the collector's counters get there without
 * the server knowing it. The function is called on the server's threads. */
void oi_server_add_metrics(struct oi_server *server,
                           void (*write)(void *context, struct oi_buffer *out), void *context);
