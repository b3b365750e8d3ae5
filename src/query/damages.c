/* SPDX-License-Identifier: Apache-2.0 */
#include "query/damages.h"

#include <stdio.h>
#include <string.h>

void
oi_damages_init(struct oi_damages *damages)
{
    *damages = (struct oi_damages){};
    oi_assert(pthread_mutex_init(&damages->lock, NULL) == 0);
}

void
oi_damages_release(struct oi_damages *damages)
{
    (void) pthread_mutex_destroy(&damages->lock);
    oi_vector_release(&damages->items);
}

static int
compare(const struct oi_damage *a, const struct oi_damage *b)
{
    int order = a->instrument->id < b->instrument->id ? -1 : a->instrument->id > b->instrument->id;

    if (order == 0)
        order = strcmp(a->feed, b->feed);
    if (order == 0)
        order = a->span.from < b->span.from ? -1 : a->span.from > b->span.from;
    return order;
}

/* Put it in its place; parts of one chunk that were met one by one are one. */
static enum oi_status
put(struct oi_damages *damages, const struct oi_damage *damage, struct oi_error *error)
{
    size_t at = 0;

    while (at < damages->items.count && compare(&damages->items.items[at], damage) < 0)
        at++;
    for (size_t i = at > 0 ? at - 1 : 0; i < damages->items.count && i <= at; i++) {
        struct oi_damage *known = &damages->items.items[i];

        if (known->instrument->id != damage->instrument->id ||
            strcmp(known->feed, damage->feed) != 0 || known->span.from > damage->span.to ||
            known->span.to < damage->span.from || strcmp(known->reason, damage->reason) != 0)
            continue;
        if (damage->span.from < known->span.from)
            known->span.from = damage->span.from;
        if (damage->span.to > known->span.to)
            known->span.to = damage->span.to;
        return OI_OK;
    }
    if (damages->items.count >= OI_DAMAGES_MAX)
        return oi_fail(error, OI_E_CORRUPT, "more than %d chunks are damaged, the last one: %s",
                       OI_DAMAGES_MAX, damage->reason);
    (void) oi_vector_add(&damages->items);
    memmove(&damages->items.items[at + 1], &damages->items.items[at],
            (damages->items.count - 1 - at) * sizeof(*damage));
    damages->items.items[at] = *damage;
    atomic_store(&damages->count, damages->items.count);
    return OI_OK;
}

enum oi_status
oi_damages_note(struct oi_damages *damages, const struct oi_catalog *catalog,
                const struct oi_damaged_chunk *chunk, struct oi_error *error)
{
    const struct oi_series *series = &catalog->series[chunk->series - 1];
    struct oi_damage damage = { .instrument = &catalog->instruments[series->instrument - 1],
                                .feed = catalog->feeds[series->feed - 1].name,
                                .series = chunk->series,
                                .span = chunk->span };
    enum oi_status status;

    (void) snprintf(damage.reason, sizeof(damage.reason), "%s", chunk->reason);
    (void) pthread_mutex_lock(&damages->lock);
    status = put(damages, &damage, error);
    (void) pthread_mutex_unlock(&damages->lock);
    return status;
}

enum oi_status
oi_damages_next(struct oi_damages *damages, const struct oi_catalog *catalog, uint32_t series,
                struct oi_scan *scan, const struct oi_columns **ret_columns, struct oi_error *error)
{
    for (;;) {
        struct oi_error reason = {};
        struct oi_damaged_chunk chunk = { .series = series };
        enum oi_status status = oi_scan_next(scan, ret_columns, &reason);

        if (status == OI_OK)
            return OI_OK;
        if (!damages || status != OI_E_CORRUPT || !oi_scan_skipped(scan, &chunk.span))
            return oi_fail(error, status, "%s", reason.message);
        (void) snprintf(chunk.reason, sizeof(chunk.reason), "%s", reason.message);
        OI_TRY(oi_damages_note(damages, catalog, &chunk, error));
    }
}

bool
oi_damages_touch(struct oi_damages *damages, const struct oi_instrument *instrument,
                 struct oi_span span, int64_t carried_ns)
{
    bool touches = false;

    if (atomic_load(&damages->count) == 0)
        return false;
    (void) pthread_mutex_lock(&damages->lock);
    for (size_t i = 0; i < damages->items.count && !touches; i++) {
        const struct oi_damage *damage = &damages->items.items[i];
        oi_time to;

        if (damage->instrument->id != instrument->id)
            continue;
        if (__builtin_add_overflow(damage->span.to, carried_ns, &to))
            to = OI_TIME_LATEST;
        touches = damage->span.from < span.to && to > span.from;
    }
    (void) pthread_mutex_unlock(&damages->lock);
    return touches;
}

const struct oi_damage *
oi_damages_copy(struct oi_damages *damages, struct oi_arena *arena, size_t *ret_count)
{
    struct oi_damage *copy = NULL;

    (void) pthread_mutex_lock(&damages->lock);
    *ret_count = damages->items.count;
    if (damages->items.count > 0) {
        copy = oi_arena_alloc_zero(arena, damages->items.count, sizeof(*copy));
        memcpy(copy, damages->items.items, damages->items.count * sizeof(*copy));
    }
    (void) pthread_mutex_unlock(&damages->lock);
    return copy;
}
