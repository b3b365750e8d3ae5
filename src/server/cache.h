/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole answers, kept in a fixed amount of memory: what was answered is answered again while the
 * data it was made of is the same. An answer is known by its target and whatever else it depends
 * on; at most a second old where nothing was committed, since answers may depend on the time.
 * Any thread.
 */
#pragma once

#include "net/http.h"

struct oi_cache;

/* An answer without a version is given again so long. */
#define OI_CACHE_AGE_MAX_NS INT64_C(1'000'000'000)

/* The data an answer is of. */
struct oi_cache_state {
    uint64_t batch;   /* the last commit */
    int64_t now_ns;   /* monotonic */
    uint64_t version; /* of the data of the answer alone, and what was asked of it; 0: not known */
};

struct oi_cache *oi_cache_new(size_t bytes_max);
void oi_cache_free(struct oi_cache **cache);

/* Fill the reply with the shared body, compressed where the request takes that, and the counts
 * kept with it. With a
 * version it is that which must be the same, whatever has been committed; without, `state` becomes
 * the kept one's. */
bool oi_cache_find(struct oi_cache *cache, struct oi_slice key, struct oi_cache_state *state,
                   const struct oi_http_request *request, struct oi_http_reply *reply,
                   uint64_t ret_counts[2]);
/* Keep a copy of a whole reply (status 200, no `more`). */
void oi_cache_put(struct oi_cache *cache, struct oi_slice key, const struct oi_cache_state *state,
                  const struct oi_http_reply *reply, const uint64_t counts[2]);
