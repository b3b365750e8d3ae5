/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies are never allowed across sites, so an answer never depends on who looks at the page. */
#include "server/cors.h"

#include "base/alloc.h"
#include "base/vector.h"

#include <pthread.h>
#include <string.h>

struct oi_cors {
    pthread_rwlock_t lock;
    OI_VECTOR(char *) origins;
};

static void
clear(struct oi_cors *cors)
{
    for (size_t i = 0; i < cors->origins.count; i++)
        oi_free(cors->origins.items[i]);
    oi_vector_clear(&cors->origins);
}

struct oi_cors *
oi_cors_new(const char *const *origins, size_t count)
{
    struct oi_cors *cors = oi_alloc_zero(1, sizeof(*cors));

    pthread_rwlock_init(&cors->lock, NULL);
    oi_cors_set(cors, origins, count);
    return cors;
}

void
oi_cors_free(struct oi_cors **cors)
{
    if (!cors || !*cors)
        return;
    clear(*cors);
    oi_vector_release(&(*cors)->origins);
    pthread_rwlock_destroy(&(*cors)->lock);
    oi_free(*cors);
    *cors = NULL;
}

void
oi_cors_set(struct oi_cors *cors, const char *const *origins, size_t count)
{
    pthread_rwlock_wrlock(&cors->lock);
    clear(cors);
    for (size_t i = 0; i < count; i++)
        oi_vector_push(&cors->origins, oi_copy_text(oi_slice_of(origins[i])));
    pthread_rwlock_unlock(&cors->lock);
}

static bool
is_allowed(struct oi_cors *cors, struct oi_slice origin)
{
    bool is_found = false;

    pthread_rwlock_rdlock(&cors->lock);
    for (size_t i = 0; !is_found && i < cors->origins.count; i++)
        is_found =
            strcmp(cors->origins.items[i], "*") == 0 || oi_slice_is(origin, cors->origins.items[i]);
    pthread_rwlock_unlock(&cors->lock);
    return is_found;
}

bool
oi_cors_is_own(const struct oi_http_request *request)
{
    const struct oi_slice *origin = oi_http_header(request, "origin");
    const struct oi_slice *host = oi_http_header(request, "host");
    const char *name;

    if (!origin)
        return true;
    name = memmem(origin->data, origin->size, "://", 3);
    return name && host &&
           oi_slice_equal_ignoring_case(
               (struct oi_slice){ name + 3, origin->size - (size_t) (name + 3 - origin->data) },
               *host);
}

bool
oi_cors_admits(struct oi_cors *cors, const struct oi_http_request *request)
{
    return oi_cors_is_own(request) || is_allowed(cors, *oi_http_header(request, "origin"));
}

void
oi_cors_answer(struct oi_cors *cors, const struct oi_http_request *request,
               struct oi_http_reply *reply)
{
    const struct oi_slice *origin = oi_http_header(request, "origin");

    if (!origin || oi_http_reply_find(reply, "Access-Control-Allow-Origin") ||
        !is_allowed(cors, *origin))
        return;
    oi_http_reply_header(reply, "Access-Control-Allow-Origin", *origin);
    oi_http_reply_header_text(reply, "Vary", "Origin");
    oi_http_reply_header_text(reply, "Access-Control-Expose-Headers", "*");
}
