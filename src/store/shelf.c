/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of places, a few of which may hold a thing. A place has a tag, by which it is found
 * without looking into the thing, which may be somebody else's to free: tags are hints, and only
 * who took one out looks whether it is the one. Two threads may leave tag and thing of different
 * labels in one place; such a thing is freed by whoever takes it.
 */
/* no unit test: store/rollup_cache_test.c puts things there, on several threads */
#include "store/shelf.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/status.h"

#include <stdatomic.h>

/* Of what was asked about, for each place. */
#define SEEN_PART 4

struct place {
    _Atomic uint64_t tag; /* 0: never used */
    struct oi_shelf_item *_Atomic item;
};

struct oi_shelf {
    size_t sets, seen_count;
    struct place (*places)[OI_SHELF_WAYS];
    _Atomic uint64_t *seen; /* tags of what was asked about */
    atomic_uint turn;       /* which of full ways is used next */
};

static bool
is_same_label(const struct oi_shelf_label *a, const struct oi_shelf_label *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1] && a->words[2] == b->words[2];
}

/* Never 0; its upper bits choose the place. */
static uint64_t
tag_of(const struct oi_shelf_label *label)
{
    uint64_t tag = 0;

    for (size_t i = 0; i < OI_COUNT(label->words); i++) {
        tag = (tag ^ label->words[i]) * UINT64_C(0x9E3779B97F4A7C15);
        tag ^= tag >> 32;
    }
    return tag * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

static struct place *
places_of(struct oi_shelf *shelf, uint64_t tag)
{
    return shelf->places[(tag >> 32) % shelf->sets];
}

struct oi_shelf *
oi_shelf_new(size_t places)
{
    struct oi_shelf *shelf = oi_alloc_zero(1, sizeof(*shelf));

    oi_assert(places >= OI_SHELF_WAYS);
    shelf->sets = places / OI_SHELF_WAYS;
    shelf->seen_count = SEEN_PART * places;
    shelf->places = oi_alloc_zero(shelf->sets, sizeof(*shelf->places));
    shelf->seen = oi_alloc_zero(shelf->seen_count, sizeof(*shelf->seen));
    return shelf;
}

void
oi_shelf_free(struct oi_shelf **shelf)
{
    if (!*shelf)
        return;
    for (size_t i = 0; i < (*shelf)->sets; i++)
        for (size_t way = 0; way < OI_SHELF_WAYS; way++)
            oi_free(atomic_load(&(*shelf)->places[i][way].item));
    oi_free((*shelf)->places);
    oi_free((void *) (*shelf)->seen);
    oi_free(*shelf);
    *shelf = NULL;
}

struct oi_shelf_item *
oi_shelf_take(struct oi_shelf *shelf, const struct oi_shelf_label *label)
{
    uint64_t tag = tag_of(label);
    struct place *places = places_of(shelf, tag);

    for (size_t way = 0; way < OI_SHELF_WAYS; way++) {
        struct oi_shelf_item *item;

        if (atomic_load_explicit(&places[way].tag, memory_order_relaxed) != tag)
            continue;
        item = atomic_exchange(&places[way].item, NULL);
        if (!item)
            continue;
        if (is_same_label(&item->label, label))
            return item;
        oi_free(item);
    }
    return NULL;
}

/* The way of a tag, or one that was never used; OI_SHELF_WAYS where there is neither. */
static size_t
find_way(struct place *places, uint64_t tag)
{
    size_t unused = OI_SHELF_WAYS;

    for (size_t way = OI_SHELF_WAYS; way-- > 0;) {
        uint64_t found = atomic_load_explicit(&places[way].tag, memory_order_relaxed);

        if (found == tag)
            return way;
        if (found == 0)
            unused = way;
    }
    return unused;
}

void
oi_shelf_put(struct oi_shelf *shelf, struct oi_shelf_item *item)
{
    uint64_t tag = tag_of(&item->label);
    struct place *places = places_of(shelf, tag);
    size_t way = find_way(places, tag);

    if (way == OI_SHELF_WAYS)
        way = atomic_fetch_add_explicit(&shelf->turn, 1, memory_order_relaxed) % OI_SHELF_WAYS;
    atomic_store_explicit(&places[way].tag, tag, memory_order_relaxed);
    oi_free(atomic_exchange(&places[way].item, item));
}

/* If it was not asked about before, that is noted in one of the two notes that it may be in. */
static bool
was_seen(struct oi_shelf *shelf, uint64_t tag)
{
    _Atomic uint64_t *notes[] = { &shelf->seen[(tag >> 20) % shelf->seen_count],
                                  &shelf->seen[(tag >> 44) % shelf->seen_count] };
    _Atomic uint64_t *chosen = notes[tag >> 60 & 1];

    for (size_t i = 0; i < OI_COUNT(notes); i++) {
        uint64_t noted = atomic_load_explicit(notes[i], memory_order_relaxed);

        if (noted == tag) {
            atomic_store_explicit(notes[i], 0, memory_order_relaxed);
            return true;
        }
        if (noted == 0)
            chosen = notes[i];
    }
    atomic_store_explicit(chosen, tag, memory_order_relaxed);
    return false;
}

bool
oi_shelf_wants(struct oi_shelf *shelf, const struct oi_shelf_label *label, unsigned one_of)
{
    uint64_t tag = tag_of(label);

    if (!was_seen(shelf, tag))
        return false;
    return find_way(places_of(shelf, tag), tag) < OI_SHELF_WAYS ||
           atomic_fetch_add_explicit(&shelf->turn, 1, memory_order_relaxed) % one_of == 0;
}
