/* SPDX-License-Identifier: Apache-2.0 */
/* A block and the copies of what it was made of are one piece of memory, on a shelf. */
#include "store/rollup_cache.h"

#include "base/alloc.h"
#include "base/compiler.h"

#include <string.h>

#define PARTS 4
#define DECIMALS 5

struct oi_shelf_label
oi_rollup_choice_make(const struct oi_rollup_request *request, uint8_t kind, oi_time block)
{
    struct oi_shelf_label choice = { { (uint64_t) request->series << 32 | (uint64_t) kind << 8 |
                                           request->parts,
                                       (uint64_t) block, 0 } };

    for (unsigned part = 0; part < PARTS; part++)
        if (request->parts & 1u << part)
            choice.words[2] |= (uint64_t) (request->columns[part] & OI_COLUMNS_ALL) << 16 * part;
    return choice;
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
oi_rollup_offer(struct oi_shelf *shelf, const struct oi_shelf_label *choice,
                const struct oi_rollup_origin *origin, const struct oi_rollup_columns *columns)
{
    struct oi_kept_rollups *kept,
        head = { .item = { *choice }, .columns = *columns, .snapshot = origin->snapshot };
    struct packing packing = {};
    size_t size;
    char *copy;

    if (!oi_shelf_wants(shelf, choice, 1))
        return;
    pack_block(&packing, &head.columns);
    size = sizeof(*kept) + packing.size + choose_stretches(&head, origin->sealed, origin->unread);
    if (packing.is_unusual || size > OI_KEPT_ROLLUPS_SIZE)
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
    oi_shelf_put(shelf, &kept->item);
}
