/* SPDX-License-Identifier: Apache-2.0 */
/* A block and the copies of what it was made of are one piece of memory, on a shelf. */
#include "store/rollup_cache.h"

#include "base/alloc.h"
#include "store/column_copy.h"

#include <string.h>

#define PARTS 4

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

static void
copy_block(struct oi_column_copy *copy, struct oi_rollup_columns *columns)
{
    struct oi_columns *const parts[PARTS] = { &columns->first, &columns->high, &columns->low,
                                              &columns->last };
    size_t size = columns->count * sizeof(int64_t);

    columns->starts = oi_column_copy_add(copy, columns->starts, size);
    columns->counts = oi_column_copy_add(copy, columns->counts, size);
    for (unsigned part = 0; part < PARTS; part++)
        oi_column_copy_integers(copy, parts[part], columns->count);
    for (unsigned part = 0; part < PARTS; part++)
        oi_column_copy_exponents(copy, parts[part], columns->count);
}

static bool
is_usual(const struct oi_rollup_columns *columns)
{
    return oi_columns_are_usual(&columns->first) && oi_columns_are_usual(&columns->high) &&
           oi_columns_are_usual(&columns->low) && oi_columns_are_usual(&columns->last);
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
    struct oi_column_copy copied = {};
    size_t size;
    char *copy;

    if (!oi_shelf_wants(shelf, choice, 1))
        return;
    copy_block(&copied, &head.columns);
    size = sizeof(*kept) + copied.size + choose_stretches(&head, origin->sealed, origin->unread);
    if (!is_usual(columns) || size > OI_KEPT_ROLLUPS_SIZE)
        return;
    kept = oi_alloc(size);
    *kept = head;
    kept->columns = *columns;
    copied = (struct oi_column_copy){ .at = (char *) (kept + 1) };
    copy_block(&copied, &kept->columns);
    kept->copies = copy = copied.at + copied.size;
    for (size_t i = 0; i < kept->stretch_count; i++) {
        memcpy(copy, origin->sealed.data + kept->stretches[i].offset, kept->stretches[i].size);
        copy += kept->stretches[i].size;
    }
    oi_shelf_put(shelf, &kept->item);
}
