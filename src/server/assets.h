/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web page and what it loads, as constants inside the binary, so that one file is the whole
 * product and nothing is served from a folder that could change under us.
 *
 * Any thread; everything handed out lives as long as the program.
 */
#pragma once

#include "base/slice.h"

#include <stddef.h>

struct oi_asset {
    const char *path;         /* as in the request: "/assets/app.js"; the page itself is "/" */
    const char *content_type; /* with its charset where it is text */
    const char *etag;         /* with its quotes; of the plain bytes, a prefix of their SHA-256 */
    struct oi_slice body;     /* plain */
    struct oi_slice gzip;     /* the same compressed, or empty where that would not be smaller */
};

/* The asset at exactly this path, NULL if there is none. */
const struct oi_asset *oi_asset_find(struct oi_slice path);

/* The asset at `index`, in the order of their paths; NULL from the end on. */
const struct oi_asset *oi_asset_at(size_t index);
