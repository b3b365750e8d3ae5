/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer on its way from a request to the socket: router.c makes it, answer_keep.c knows which
 * answers may be given twice.
 */
#pragma once

#include "base/random.h"
#include "server/server_internal.h"

/* One answer under way: outlives the handler when it is streamed. */
struct answer {
    struct oi_server *server;
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    struct tally *tally;
    struct oi_call call;
    char request_id[OI_UUID_SIZE];
    char *public_url;
    struct oi_query query;
    struct oi_problem problem;
    struct oi_rendering rendering;
    struct oi_result *result;
    struct oi_buffer key; /* in the cache; empty: it is not kept */
    struct oi_cache_state state;
    uint64_t generation;   /* of the rules it was let in by, or of earlier ones */
    uint64_t counts[2];    /* of an answer from the cache: credits, rows */
    struct oi_cells cells; /* where the answer is a file */
    struct oi_visit visit;
    uint8_t session[OI_SHA256_SIZE]; /* the hash of a session's key, for `visit` */
    struct oi_grant grant;
    bool is_settled;
    bool is_head_sent;
    size_t damage_told; /* spans that the head told of */
};

/* May the answer be kept, and given to whoever asks the same? */
bool answer_may_keep(const struct answer *answer, const struct oi_http_request *request);
/* What it is kept under: all that it depends on but the data. */
void answer_make_key(struct answer *answer, const struct oi_http_request *request);
/* Before anything is parsed: is it there, of this very state of the data? */
bool answer_find_kept(struct answer *answer, const struct oi_http_request *request,
                      struct oi_http_reply *reply);
/* The question is open and nothing is rendered: perhaps the answer is there, here or with the
 * client. */
bool answer_find_same(struct answer *answer, const struct oi_http_request *request,
                      struct oi_http_reply *reply);
/* Keep a first piece that is all. */
void answer_keep(struct answer *answer, const struct oi_http_reply *reply);
/* Did it meet chunks that cannot be read? Such an answer is never kept. */
bool answer_is_damaged(const struct answer *answer);
