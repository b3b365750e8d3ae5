/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The damaged chunks that reads of this process have met, so that who asks next knows beforehand:
 * an answer says in its head what it lacks.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <stdio.h>

/* So many are remembered: beyond them a store has other worries. */
#define REMEMBERED_MAX 4096

void
oi_damage_remember(struct oi_store *store, uint32_t series, struct oi_span span, const char *reason)
{
    struct oi_damaged_chunk *chunk;

    if (span.from >= span.to)
        return;
    (void) pthread_mutex_lock(&store->damage_lock);
    for (size_t i = 0; i < store->damaged.count; i++) {
        struct oi_damaged_chunk *known = &store->damaged.items[i];

        if (known->series != series || known->span.from > span.to || known->span.to < span.from)
            continue;
        /* A read that began inside of it tells of a part. */
        known->span.from = span.from < known->span.from ? span.from : known->span.from;
        known->span.to = span.to > known->span.to ? span.to : known->span.to;
        (void) pthread_mutex_unlock(&store->damage_lock);
        return;
    }
    if (store->damaged.count < REMEMBERED_MAX) {
        chunk = oi_vector_add(&store->damaged);
        chunk->series = series;
        chunk->span = span;
        (void) snprintf(chunk->reason, sizeof(chunk->reason), "%s", reason);
        atomic_store(&store->damaged_count, store->damaged.count);
    }
    (void) pthread_mutex_unlock(&store->damage_lock);
}

size_t
oi_store_damaged_count(struct oi_store *store)
{
    return atomic_load(&store->damaged_count);
}

size_t
oi_store_damaged(struct oi_store *store, uint32_t series, struct oi_span span,
                 struct oi_damaged_chunk *chunks, size_t room)
{
    size_t count = 0;

    if (atomic_load(&store->damaged_count) == 0)
        return 0;
    (void) pthread_mutex_lock(&store->damage_lock);
    for (size_t i = 0; i < store->damaged.count; i++) {
        const struct oi_damaged_chunk *chunk = &store->damaged.items[i];

        if (chunk->series != series || chunk->span.from >= span.to || chunk->span.to <= span.from)
            continue;
        if (count < room)
            chunks[count] = *chunk;
        count++;
    }
    (void) pthread_mutex_unlock(&store->damage_lock);
    return count;
}
