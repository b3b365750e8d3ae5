/* SPDX-License-Identifier: Apache-2.0 */
/* Finds an embedded file by its path; the table itself is generated at build time. */
#include "server/assets.h"

#include "server/assets_internal.h"

const struct oi_asset *
oi_asset_find(struct oi_slice path)
{
    size_t first = 0, end = oi_asset_count;

    /* The table is in the order of the paths' bytes. */
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = oi_slice_compare(path, oi_slice_of(oi_assets[middle].path));

        if (order == 0)
            return &oi_assets[middle];
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return NULL;
}

const struct oi_asset *
oi_asset_at(size_t index)
{
    return index < oi_asset_count ? &oi_assets[index] : NULL;
}
