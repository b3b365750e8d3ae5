/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the server share. One `oi_server` for all threads; one `worker` a thread. */
#pragma once

#include "dialects/dialect.h"
#include "lake/export.h"
#include "net/http_server.h"
#include "server/access.h"
#include "server/bucket.h"
#include "server/cache.h"
#include "server/cors.h"
#include "server/links.h"
#include "server/server.h"
#include "server/sharing.h"

#include <pthread.h>
#include <stdatomic.h>

/* Dialects registered, with room to spare: counters are kept in arrays. */
#define SERVER_DIALECTS_MAX 16
#define SERVER_METRIC_WRITERS_MAX 4

struct live;

/* Counters of one dialect. */
struct tally {
    atomic_ullong requests;
    atomic_ullong refused; /* the caller's mistake: 4xx */
    atomic_ullong failed;  /* ours: 5xx */
    atomic_ullong rows;
    atomic_ullong damaged; /* answers that lacked rows of damaged chunks */
    atomic_ullong busy_ns; /* spent parsing, running and rendering the first piece */
};

struct oi_server {
    const struct oi_source *source;
    struct oi_server_options options; /* texts copied into the arena */
    struct oi_usage *usage;
    struct oi_sharing *shared; /* or NULL */
    struct oi_bucket *bucket;  /* or NULL */
    struct oi_access *access;
    struct oi_cors *cors;
    struct oi_cache *cache;
    struct oi_links links;
    struct oi_export_cache *files;
    struct oi_manners manners; /* is_canonical: in `canonical`, a bit for each of oi_dialects */
    unsigned canonical;
    struct tally tallies[SERVER_DIALECTS_MAX + 1]; /* by place in oi_dialects; last: none's */
    struct worker *workers;
    unsigned worker_count;
    struct metric_writer {
        void (*write)(void *context, struct oi_buffer *out);
        void *context;
    } metric_writers[SERVER_METRIC_WRITERS_MAX];
    atomic_uint metric_writer_count;
    atomic_bool is_stopping;
    atomic_bool is_relaying; /* live rows are what is relayed, not what the store says */
    int64_t started_ns;
    struct oi_arena arena;
};

struct worker {
    struct oi_server *server;
    struct oi_loop *loop;
    struct oi_http_server *http;
    struct live *live;
    struct oi_timer *refresh; /* the first worker's: keys that `oi keys` changed */
    atomic_bool wants_certificate;
    pthread_t thread;
    bool is_running;
    bool is_stopping; /* the loop's thread alone */
};

/* Answer any request; `worker` is the context of the HTTP server. */
void router_handle(void *worker, const struct oi_http_request *request,
                   struct oi_http_reply *reply);
/* Does a kept answer still hold for the same request, by what answer_find_kept left with it? Counts
 * it, too. */
bool router_again(void *worker, const void *recipe);
/* Answer what never became a request, in the envelope of the vendor whose path it names. */
void router_refuse(void *worker, int status, const char *reason, struct oi_slice target,
                   struct oi_http_reply *reply);

/* Tell of what an answer lacks, if it does: the header OI-Damaged, the log, the counters. */
void damaged_tell(struct tally *tally, const char *dialect, const struct oi_result *result,
                  struct oi_http_reply *reply);

/* An answer in no vendor's envelope: one sentence. */
void router_refuse_plainly(struct oi_http_reply *reply, int status, const char *sentence);
/* The page's files: true when the path was one of them. */
bool assets_handle(const struct oi_http_request *request, struct oi_http_reply *reply);

/* Where a dialect's requests are counted; NULL: nobody's. */
struct tally *server_tally(struct oi_server *server, const struct oi_dialect *dialect);

/* What absolute links begin with: as configured, else as the caller reached us. To be freed. */
char *server_public_url(const struct oi_server *server, const struct oi_http_request *request);

/* What the operator chose for a dialect. */
struct oi_manners server_manners(const struct oi_server *server, const struct oi_dialect *dialect);

/* The operator's endpoints: true when the path was one of them. */
bool health_handle(struct oi_server *server, const struct oi_http_request *request,
                   struct oi_http_reply *reply);

/* The page's session: true when the path was its. */
bool session_handle(struct oi_server *server, const struct oi_http_request *request,
                    struct oi_http_reply *reply);
/* The hash of the key whose session came with the request; false when there is none in force. */
bool session_find(const struct oi_server *server, const struct oi_http_request *request,
                  uint8_t ret_hash[OI_SHA256_SIZE]);

/* Live rows over WebSocket, one hub a worker. */
struct live *live_new(struct worker *worker);
void live_free(struct live **live);
/* Send what was committed since; on the loop's thread. */
void live_push(struct live *live);
/* Rows for live subscribers from elsewhere than the store, and from now on from there alone. Any
 * thread. */
void server_begin_relay(struct oi_server *server);
void server_relay(struct oi_server *server, const struct oi_row *rows, size_t count);
void live_relay(struct live *live, const struct oi_row *rows, size_t count);
/* Server-sent events: true when the path is a stream that has them, and the reply is theirs. */
bool live_listen(struct live *live, const struct oi_http_request *request,
                 struct oi_http_reply *reply);
bool live_upgrade(void *worker, const struct oi_http_request *request,
                  struct oi_websocket *websocket, struct oi_http_reply *reply);
