/* SPDX-License-Identifier: Apache-2.0 */
/* Finds an embedded file by its path; the table itself is generated at build time. */
#include "server/assets.h"

#include "server/assets_internal.h"

const struct oi_asset *
oi_asset_find(struct oi_slice path)
{
    /* A handful of files: looking at each is as quick as anything cleverer. */
    for (size_t index = 0; index < oi_asset_count; index++) {
        if (oi_slice_is(path, oi_assets[index].path))
            return &oi_assets[index];
    }
    return NULL;
}

const struct oi_asset *
oi_asset_at(size_t index)
{
    return index < oi_asset_count ? &oi_assets[index] : NULL;
}
