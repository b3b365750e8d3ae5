/* SPDX-License-Identifier: Apache-2.0 */
/* A table of places: a request has one place, by its hash, and whoever comes later takes it. Who
 * foresees the hash can only take places: the whole request is compared. */
#include "net/http_repeat.h"

#define PLACES 1024
/* Requests of people and libraries are a few hundred bytes. */
#define REQUEST_SIZE_MAX 1024
/* A body is most often another cache's too, which may have given it up. */
#define BYTES_MAX ((size_t) 4 << 20)
/* A month of five minutes as a file has its place, too. */
#define SIZE_MAX_EACH ((size_t) 512 << 10)

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

const struct oi_http_repeat *
oi_http_repeats_find(struct oi_http_repeats *repeats, struct oi_slice request)
{
    uint64_t hash;
    struct place *place;

    if (request.size > REQUEST_SIZE_MAX)
        return NULL;
    hash = oi_slice_hash(request);
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
    uint64_t hash = oi_slice_hash(request);
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
        .recipe = place->recipe.data,
    };
    /* An answer without a body (304) keeps none. */
    if (reply->shared && reply->part.size > 0) {
        place->repeat.body = oi_shared_ref(reply->shared);
        place->repeat.part = reply->part;
    }
}
