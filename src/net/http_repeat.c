/* SPDX-License-Identifier: Apache-2.0 */
/* A table of places: a request has one place, by its hash, and whoever comes later takes it. */
#include "net/http_repeat.h"

#define PLACES 1024
/* Requests of people and libraries are a few hundred bytes. */
#define REQUEST_SIZE_MAX 1024
/* A body is most often another cache's too, which may have given it up. */
#define BYTES_MAX ((size_t) 4 << 20)
#define SIZE_MAX_EACH ((size_t) 64 << 10)

struct place {
    uint64_t hash;
    struct oi_buffer request;
    struct oi_buffer head;
    struct oi_buffer recipe;
    size_t size; /* of all of it; 0: empty */
    struct oi_http_repeat repeat;
};

struct oi_http_repeats {
    size_t bytes;
    size_t hand; /* the next place to give up where there is no room */
    struct place places[PLACES];
};

struct oi_http_repeats *
oi_http_repeats_new(void)
{
    return oi_alloc_zero(1, sizeof(struct oi_http_repeats));
}

static void
empty(struct oi_http_repeats *repeats, struct place *place)
{
    repeats->bytes -= place->size;
    oi_buffer_release(&place->request);
    oi_buffer_release(&place->head);
    oi_buffer_release(&place->recipe);
    oi_shared_unref(&place->repeat.body);
    *place = (struct place){};
}

void
oi_http_repeats_free(struct oi_http_repeats **repeats)
{
    if (!*repeats)
        return;
    for (size_t i = 0; i < PLACES; i++)
        empty(*repeats, &(*repeats)->places[i]);
    oi_free(*repeats);
    *repeats = NULL;
}

/* Eight bytes a step. Who foresees it can only take places: the whole request is compared. */
static uint64_t
hash_of(struct oi_slice bytes)
{
    uint64_t hash = bytes.size * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t word;

    while (bytes.size >= sizeof(word)) {
        memcpy(&word, bytes.data, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
        hash ^= hash >> 32;
        bytes.data += sizeof(word);
        bytes.size -= sizeof(word);
    }
    word = 0;
    if (bytes.size > 0)
        memcpy(&word, bytes.data, bytes.size);
    hash = (hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
    return hash ^ hash >> 32;
}

const struct oi_http_repeat *
oi_http_repeats_find(struct oi_http_repeats *repeats, struct oi_slice request)
{
    uint64_t hash;
    struct place *place;

    if (request.size > REQUEST_SIZE_MAX)
        return NULL;
    hash = hash_of(request);
    place = &repeats->places[hash % PLACES];
    if (place->size == 0 || place->hash != hash || place->request.size != request.size ||
        memcmp(place->request.data, request.data, request.size) != 0)
        return NULL;
    return &place->repeat;
}

void
oi_http_repeats_put(struct oi_http_repeats *repeats, struct oi_slice request, struct oi_slice head,
                    size_t date_at, const struct oi_http_reply *reply)
{
    uint64_t hash = hash_of(request);
    struct place *place = &repeats->places[hash % PLACES];
    size_t size = sizeof(*place) + request.size + head.size + reply->recipe.size;

    size += reply->shared ? reply->part.size : 0;
    if (request.size > REQUEST_SIZE_MAX || size > SIZE_MAX_EACH || head.size < date_at ||
        head.size - date_at < OI_HTTP_REPEAT_DATE_SIZE + 2 ||
        memcmp(head.data + date_at + OI_HTTP_REPEAT_DATE_SIZE, "\r\n", 2) != 0)
        return;
    empty(repeats, place);
    for (size_t i = 0; i < PLACES && repeats->bytes + size > BYTES_MAX; i++)
        empty(repeats, &repeats->places[repeats->hand++ % PLACES]);
    place->hash = hash;
    place->size = size;
    repeats->bytes += size;
    oi_buffer_add_slice(&place->request, request);
    oi_buffer_add_slice(&place->head, head);
    oi_buffer_add_slice(&place->recipe, reply->recipe);
    place->repeat = (struct oi_http_repeat){
        .head = oi_buffer_slice(&place->head),
        .date = place->head.data + date_at,
        .body = reply->shared ? oi_shared_ref(reply->shared) : NULL,
        .part = reply->part,
        .recipe = place->recipe.data,
    };
}
