/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A way through the rows of all series that never has many in memory: series that are read
 * together, or a part of the time of one that has many rows. Making hours ready and verifying them
 * go it alike.
 */
#pragma once

#include "store/remote.h"

/* Series of one question. {} is empty. */
struct oi_part {
    OI_VECTOR(uint32_t) series;      /* ascending */
    OI_VECTOR(struct oi_span) spans; /* of each */
    struct oi_span span;             /* over all */
    bool lacks_wides;
};
void oi_part_release(struct oi_part *part);

struct oi_part_walk {
    /* What of a series is wanted, from the begin of a day on. False: nothing. */
    bool (*choose)(void *context, uint32_t series, const struct oi_remote_extent *extent,
                   struct oi_span *ret_span);
    void *context;
    uint64_t rows;   /* of a part, about */
    uint32_t series; /* the next one, from 1 */
    oi_time from;    /* of it, where it is done up to here; NONE: from its first */
};
/* The next part, into an empty one; without series when all were met. */
void oi_part_next(struct oi_part_walk *walk, struct oi_store *store, struct oi_part *part);
