/* SPDX-License-Identifier: Apache-2.0 */
/* What the follower's links and the placing of their rows share. On the follower's thread but where
 * said. */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "dialects/native_rows.h"
#include "server/follower.h"

#include <stdatomic.h>

/* Instants of one series that were passed on. */
struct passed {
    oi_time times[8];
    size_t count;
};

/* Where rows end up. */
struct placement {
    struct oi_store *store;
    struct oi_server *server;
    bool keeps;
    /* Where others write the store: its markets by key, and what was passed on of each series. */
    const struct oi_catalog *catalog; /* of `markets` */
    struct oi_map *markets;
    OI_VECTOR(struct passed) passed; /* by series */
};

/* What one collector calls things, and what is not placed yet. */
struct dictionary {
    OI_VECTOR(struct named_market {
        struct oi_instrument definition; /* id 0: not told */
        uint32_t id;                     /* ours; 0: not known yet */
    })
    markets; /* by the collector's id */
    OI_VECTOR(struct named_feed {
        struct oi_native_feed facts;
        uint16_t id;                /* ours; 0: not known yet */
        OI_VECTOR(uint32_t) series; /* by the collector's market; 0: not known yet */
    })
    feeds;
    OI_VECTOR(struct pending {
        uint32_t market;
        size_t feed;
        struct oi_observation reading;
    })
    pending;
    size_t undefined; /* of `markets` that are told and not defined here */
};

/* What became of rows. */
struct placed {
    uint64_t stored, duplicate, refused, unknown;
};

/* Take a message in; a row waits for placement_flush. UPSTREAM for a row of what was not told. */
enum oi_status dictionary_take(struct dictionary *dictionary,
                               const struct oi_native_message *message, struct oi_error *error);
void dictionary_release(struct dictionary *dictionary);
/* Place what is pending, durably where it is kept. On failure it stays pending. */
enum oi_status placement_flush(struct placement *placement, struct dictionary *dictionary,
                               struct placed *placed, struct oi_error *error);
void placement_release(struct placement *placement);
