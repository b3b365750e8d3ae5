/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of places, a few of which may hold a block. A place has a tag, by which it is found
 * without looking into the block, which may be somebody else's to free: tags are hints, and only
 * who took a block out looks whether it is the one. Two threads may leave tag and block of
 * different choices in one place; such a block is freed by whoever takes it.
 */
#include "store/rollup_cache.h"

#include "base/alloc.h"
#include "base/compiler.h"

#include <stdatomic.h>
#include <string.h>

#define WAYS 4
#define SETS (OI_ROLLUP_CACHE_BLOCKS / WAYS)
#define SEEN_COUNT (4 * OI_ROLLUP_CACHE_BLOCKS)
#define PARTS 4
#define DECIMALS 5

struct place {
    _Atomic uint64_t tag; /* 0: never used */
    struct oi_kept_rollups *_Atomic kept;
};

struct oi_rollup_cache {
    struct place places[SETS][WAYS];
    _Atomic uint64_t seen[SEEN_COUNT]; /* tags of what was offered */
    atomic_uint turn;                  /* which of full ways is used next */
};

struct oi_rollup_choice
oi_rollup_choice_make(const struct oi_rollup_request *request, uint8_t kind, oi_time block)
{
    struct oi_rollup_choice choice = { { (uint64_t) request->series << 32 | (uint64_t) kind << 8 |
                                             request->parts,
                                         (uint64_t) block, 0 } };

    for (unsigned part = 0; part < PARTS; part++)
        if (request->parts & 1u << part)
            choice.words[2] |= (uint64_t) (request->columns[part] & OI_COLUMNS_ALL) << 16 * part;
    return choice;
}

static bool
is_same_choice(const struct oi_rollup_choice *a, const struct oi_rollup_choice *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1] && a->words[2] == b->words[2];
}

/* Never 0; its upper bits choose the place. */
static uint64_t
tag_of(const struct oi_rollup_choice *choice)
{
    uint64_t tag = 0;

    for (size_t i = 0; i < OI_COUNT(choice->words); i++) {
        tag = (tag ^ choice->words[i]) * UINT64_C(0x9E3779B97F4A7C15);
        tag ^= tag >> 32;
    }
    return tag * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

static struct place *
places_of(struct oi_rollup_cache *cache, uint64_t tag)
{
    return cache->places[(tag >> 32) % SETS];
}

struct oi_rollup_cache *
oi_rollup_cache_new(void)
{
    return oi_alloc_zero(1, sizeof(struct oi_rollup_cache));
}

void
oi_rollup_cache_free(struct oi_rollup_cache **cache)
{
    if (!*cache)
        return;
    for (size_t i = 0; i < SETS; i++)
        for (size_t way = 0; way < WAYS; way++)
            oi_free(atomic_load(&(*cache)->places[i][way].kept));
    oi_free(*cache);
    *cache = NULL;
}

bool
oi_kept_rollups_are_of(const struct oi_kept_rollups *kept, struct oi_slice sealed)
{
    const char *copy = kept->copies;

    if (kept->sealed_size != sealed.size)
        return false;
    for (size_t i = 0; i < kept->stretch_count; i++) {
        const struct oi_kept_stretch *stretch = &kept->stretches[i];

        if (memcmp(copy, sealed.data + stretch->offset, stretch->size) != 0)
            return false;
        copy += stretch->size;
    }
    return true;
}

struct oi_kept_rollups *
oi_rollup_cache_take(struct oi_rollup_cache *cache, const struct oi_rollup_choice *choice)
{
    uint64_t tag = tag_of(choice);
    struct place *places = places_of(cache, tag);

    for (size_t way = 0; way < WAYS; way++) {
        struct oi_kept_rollups *kept;

        if (atomic_load_explicit(&places[way].tag, memory_order_relaxed) != tag)
            continue;
        kept = atomic_exchange(&places[way].kept, NULL);
        if (!kept)
            continue;
        if (is_same_choice(&kept->choice, choice))
            return kept;
        oi_free(kept);
    }
    return NULL;
}

void
oi_rollup_cache_put(struct oi_rollup_cache *cache, struct oi_kept_rollups *kept)
{
    uint64_t tag = tag_of(&kept->choice);
    struct place *places = places_of(cache, tag);
    size_t chosen = WAYS;

    for (size_t way = 0; way < WAYS && chosen == WAYS; way++)
        if (atomic_load_explicit(&places[way].tag, memory_order_relaxed) == tag)
            chosen = way;
    for (size_t way = 0; way < WAYS && chosen == WAYS; way++)
        if (atomic_load_explicit(&places[way].tag, memory_order_relaxed) == 0)
            chosen = way;
    if (chosen == WAYS)
        chosen = atomic_fetch_add_explicit(&cache->turn, 1, memory_order_relaxed) % WAYS;
    atomic_store_explicit(&places[chosen].tag, tag, memory_order_relaxed);
    oi_free(atomic_exchange(&places[chosen].kept, kept));
}

/* Where the copy of a block goes. `at` NULL: only its size is taken. */
struct packing {
    char *at;
    size_t size;
    bool is_unusual;
};

/* An array's place in the copy; the integers come before the exponents, so all are aligned. */
static const void *
pack(struct packing *packing, const void *from, size_t size)
{
    char *to = packing->at ? packing->at + packing->size : NULL;

    if (!from)
        return NULL;
    if (to)
        memcpy(to, from, size);
    packing->size += size;
    return to ? to : from;
}

static void
list_decimals(struct oi_columns *columns, struct oi_decimals *list[DECIMALS])
{
    list[0] = &columns->open_interest;
    list[1] = &columns->value_usd;
    list[2] = &columns->mark_price;
    list[3] = &columns->index_price;
    list[4] = &columns->last_price;
}

static void
pack_block(struct packing *packing, struct oi_rollup_columns *columns)
{
    struct oi_columns *const parts[PARTS] = { &columns->first, &columns->high, &columns->low,
                                              &columns->last };
    size_t size = columns->count * sizeof(int64_t);

    columns->starts = pack(packing, columns->starts, size);
    columns->counts = pack(packing, columns->counts, size);
    for (unsigned part = 0; part < PARTS; part++) {
        struct oi_decimals *list[DECIMALS];

        list_decimals(parts[part], list);
        packing->is_unusual |= parts[part]->exchange_time || parts[part]->known_time ||
                               parts[part]->batch || parts[part]->flags;
        parts[part]->time = pack(packing, parts[part]->time, size);
        for (unsigned i = 0; i < DECIMALS; i++) {
            packing->is_unusual |= list[i]->wides != NULL;
            list[i]->mantissas = pack(packing, list[i]->mantissas, size);
        }
    }
    for (unsigned part = 0; part < PARTS; part++) {
        struct oi_decimals *list[DECIMALS];

        list_decimals(parts[part], list);
        for (unsigned i = 0; i < DECIMALS; i++)
            list[i]->exponents = pack(packing, list[i]->exponents, columns->count);
    }
}

/* Was it offered before? If not, it is noted in one of the two notes that it may be in. */
static bool
was_seen(struct oi_rollup_cache *cache, uint64_t tag)
{
    _Atomic uint64_t *notes[] = { &cache->seen[(tag >> 20) % SEEN_COUNT],
                                  &cache->seen[(tag >> 44) % SEEN_COUNT] };
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

/* What of the bytes had a say; how many they are. */
static size_t
choose_stretches(struct oi_kept_rollups *kept, struct oi_slice sealed,
                 const struct oi_rollup_unread *unread)
{
    size_t from = 0, size = 0;

    kept->sealed_size = sealed.size;
    kept->stretch_count = 0;
    for (size_t i = 0; i <= unread->count; i++) {
        size_t to =
            i < unread->count ? (size_t) (unread->parts[i].data - sealed.data) : sealed.size;

        kept->stretches[kept->stretch_count++] = (struct oi_kept_stretch){ from, to - from };
        size += to - from;
        from = i < unread->count ? to + unread->parts[i].size : to;
    }
    return size;
}

void
oi_rollup_cache_offer(struct oi_rollup_cache *cache, const struct oi_rollup_choice *choice,
                      const struct oi_rollup_origin *origin,
                      const struct oi_rollup_columns *columns)
{
    uint64_t tag = tag_of(choice);
    struct oi_kept_rollups *kept,
        head = { .choice = *choice, .columns = *columns, .snapshot = origin->snapshot };
    struct packing packing = {};
    size_t size;
    char *copy;

    if (!was_seen(cache, tag))
        return;
    pack_block(&packing, &head.columns);
    size = sizeof(*kept) + packing.size + choose_stretches(&head, origin->sealed, origin->unread);
    if (packing.is_unusual || size > OI_ROLLUP_CACHE_BLOCK_SIZE)
        return;
    kept = oi_alloc(size);
    *kept = head;
    kept->columns = *columns;
    packing = (struct packing){ .at = (char *) (kept + 1) };
    pack_block(&packing, &kept->columns);
    kept->copies = copy = packing.at + packing.size;
    for (size_t i = 0; i < kept->stretch_count; i++) {
        memcpy(copy, origin->sealed.data + kept->stretches[i].offset, kept->stretches[i].size);
        copy += kept->stretches[i].size;
    }
    oi_rollup_cache_put(cache, kept);
}
