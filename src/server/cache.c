/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of places: an answer has one place, by its key's hash, and whoever comes later takes it.
 * No list is kept of who was used last. Bodies are shared with the replies that send them, so a hit
 * copies nothing but the headers, and a body may outlive its place.
 */
#include "server/cache.h"

#include "base/alloc.h"
#include "base/compress.h"

#include <pthread.h>
#include <string.h>

#define PLACES 4096
/* Larger answers are rendered as they are sent. */
#define BODY_MAX ((size_t) 1 << 20)
/* As the server itself does: below, the head outweighs what gzip saves; above, others would wait.
 */
#define PACK_MIN 1500
#define PACK_MAX ((size_t) 256 << 10)

struct place {
    char *key; /* NULL: empty */
    size_t key_size;
    struct oi_cache_state state;
    struct oi_http_reply reply; /* headers and the shared body */
    struct oi_shared *packed;   /* the body compressed, once somebody took it so */
    uint64_t counts[2];
    size_t size;
};

struct oi_cache {
    pthread_mutex_t lock;
    size_t bytes, bytes_max;
    size_t hand; /* the next place to give up where there is no room */
    struct place places[PLACES];
};

struct oi_cache *
oi_cache_new(size_t bytes_max)
{
    struct oi_cache *cache = oi_alloc_zero(1, sizeof(*cache));

    pthread_mutex_init(&cache->lock, NULL);
    cache->bytes_max = bytes_max;
    return cache;
}

static void
empty(struct oi_cache *cache, struct place *place)
{
    cache->bytes -= place->size;
    oi_free(place->key);
    oi_http_reply_release(&place->reply);
    oi_shared_unref(&place->packed);
    *place = (struct place){};
}

void
oi_cache_free(struct oi_cache **cache)
{
    if (!cache || !*cache)
        return;
    for (size_t i = 0; i < PLACES; i++)
        empty(*cache, &(*cache)->places[i]);
    pthread_mutex_destroy(&(*cache)->lock);
    oi_free(*cache);
    *cache = NULL;
}

/* Who foresees the hash can only take places of the cache: the whole key is compared. */
static struct place *
place_of(struct oi_cache *cache, struct oi_slice key)
{
    return &cache->places[oi_slice_hash(key) % PLACES];
}

static bool
holds(const struct place *place, struct oi_slice key, const struct oi_cache_state *state)
{
    if (!place->key || place->key_size != key.size || memcmp(place->key, key.data, key.size) != 0)
        return false;
    if (state->version != 0)
        return place->state.version == state->version;
    return place->state.batch == state->batch &&
           state->now_ns - place->state.now_ns <= OI_CACHE_AGE_MAX_NS;
}

static void
copy_headers(const struct oi_http_reply *from, struct oi_http_reply *to)
{
    for (size_t i = 0; i < from->headers.count; i++)
        oi_http_reply_header(to, from->headers.items[i].name.data, from->headers.items[i].value);
}

/* What a hit needs once the lock is given back. */
struct hit {
    struct oi_shared *body, *packed;
    bool is_compressible;
};

/* Keep the compressed body for the next one, if the place is still of the same answer. */
static void
keep_packed(struct oi_cache *cache, struct place *place, struct hit *hit)
{
    size_t size = oi_shared_bytes(hit->packed).size;

    pthread_mutex_lock(&cache->lock);
    if (place->reply.shared == hit->body && !place->packed) {
        place->packed = oi_shared_ref(hit->packed);
        place->size += size;
        cache->bytes += size;
    }
    pthread_mutex_unlock(&cache->lock);
}

static void
pack(struct oi_cache *cache, struct place *place, struct hit *hit)
{
    struct oi_buffer packed = {};

    oi_gzip(oi_shared_bytes(hit->body), 1, &packed);
    hit->packed = oi_shared_take(&packed);
    keep_packed(cache, place, hit);
}

static void
fill(struct oi_cache *cache, struct place *place, struct hit *hit,
     const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct oi_slice body = oi_shared_bytes(hit->body);
    bool is_taken = hit->is_compressible && body.size >= PACK_MIN && !request->is_http10 &&
                    oi_http_accepts_gzip(request);

    if (is_taken && body.size > PACK_MAX) {
        /* Too long to wait for: the server compresses it beside its loop. */
        oi_buffer_clear(&reply->body);
        oi_buffer_add_slice(&reply->body, body);
        reply->is_compressible = true;
        return;
    }
    if (hit->is_compressible)
        oi_http_reply_header_text(reply, "Vary", "Accept-Encoding");
    reply->is_compressible = false;
    if (is_taken && !hit->packed)
        pack(cache, place, hit);
    if (is_taken && oi_shared_bytes(hit->packed).size < body.size) {
        oi_http_reply_header_text(reply, "Content-Encoding", "gzip");
        oi_http_reply_share(reply, hit->packed);
    } else {
        oi_http_reply_share(reply, hit->body);
    }
}

bool
oi_cache_find(struct oi_cache *cache, struct oi_slice key, struct oi_cache_state *state,
              const struct oi_http_request *request, struct oi_http_reply *reply,
              uint64_t ret_counts[2])
{
    struct place *place = place_of(cache, key);
    struct hit hit = {};

    pthread_mutex_lock(&cache->lock);
    if (holds(place, key, state)) {
        copy_headers(&place->reply, reply);
        hit.is_compressible = place->reply.is_compressible;
        hit.body = oi_shared_ref(place->reply.shared);
        if (place->packed)
            hit.packed = oi_shared_ref(place->packed);
        memcpy(ret_counts, place->counts, sizeof(place->counts));
        if (state->version != 0) {
            place->state.batch = state->batch;
            place->state.now_ns = state->now_ns;
        } else {
            *state = place->state;
        }
    }
    pthread_mutex_unlock(&cache->lock);
    if (!hit.body)
        return false;
    fill(cache, place, &hit, request, reply);
    oi_shared_unref(&hit.body);
    oi_shared_unref(&hit.packed);
    return true;
}

static void
make_room(struct oi_cache *cache, size_t size)
{
    for (size_t i = 0; i < PLACES && cache->bytes + size > cache->bytes_max; i++)
        empty(cache, &cache->places[cache->hand++ % PLACES]);
}

void
oi_cache_put(struct oi_cache *cache, struct oi_slice key, const struct oi_cache_state *state,
             const struct oi_http_reply *reply, const uint64_t counts[2])
{
    struct place *place = place_of(cache, key);
    size_t size = sizeof(*place) + key.size + reply->body.size;
    struct oi_buffer body = {};

    if (reply->body.size > BODY_MAX || size > cache->bytes_max)
        return;
    oi_buffer_add_slice(&body, oi_buffer_slice(&reply->body));
    pthread_mutex_lock(&cache->lock);
    empty(cache, place);
    make_room(cache, size);
    place->key = oi_alloc(key.size + 1);
    memcpy(place->key, key.data, key.size);
    place->key_size = key.size;
    place->state = *state;
    copy_headers(reply, &place->reply);
    place->reply.is_compressible = reply->is_compressible;
    place->reply.shared = oi_shared_take(&body);
    memcpy(place->counts, counts, sizeof(place->counts));
    place->size = size;
    cache->bytes += size;
    pthread_mutex_unlock(&cache->lock);
}
