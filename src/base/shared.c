/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with several owners. */
#include "base/shared.h"

#include "base/alloc.h"

/* Room behind the bytes that is not worth giving back. */
#define SLACK_MAX 4096

struct oi_shared {
    _Atomic unsigned references;
    struct oi_buffer bytes;
};

struct oi_shared *
oi_shared_take(struct oi_buffer *bytes)
{
    struct oi_shared *shared = oi_alloc(sizeof(*shared));

    *shared = (struct oi_shared){ .references = 1, .bytes = *bytes };
    if (bytes->capacity > bytes->size + SLACK_MAX && bytes->size > 0) {
        shared->bytes.data = oi_realloc(bytes->data, bytes->size, 1);
        shared->bytes.capacity = bytes->size;
    }
    *bytes = (struct oi_buffer){ .size_max = bytes->size_max };
    return shared;
}

struct oi_shared *
oi_shared_ref(struct oi_shared *shared)
{
    shared->references++;
    return shared;
}

void
oi_shared_unref(struct oi_shared **shared)
{
    if (*shared && --(*shared)->references == 0) {
        oi_buffer_release(&(*shared)->bytes);
        oi_free(*shared);
    }
    *shared = NULL;
}

struct oi_slice
oi_shared_bytes(const struct oi_shared *shared)
{
    return oi_buffer_slice(&shared->bytes);
}
