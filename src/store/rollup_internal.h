/* SPDX-License-Identifier: Apache-2.0 */
/* What the making and the reading of rollups share: kinds, and how a block is laid out. */
#pragma once

#include "base/buffer.h"
#include "store/rollup.h"

#include <stddef.h>
#include <stdint.h>

#define ROLLUP_PARTS 4
/* The decoder may write up to the next multiple of 512. */
#define ROLLUP_COLUMN_ROOM 512

/* The columns that are stored of each part. */
extern const unsigned rollup_kept[ROLLUP_PARTS];

struct rollup_kind {
    uint8_t number; /* on disk */
    int64_t interval_ns, block_ns;
};
/* NULL: rollups are not of that interval. */
const struct rollup_kind *rollup_kind_find(int64_t interval_ns);

static inline oi_time
rollup_floor(int64_t width, oi_time time)
{
    int64_t rest = time % width;

    return rest < 0 ? time - rest - width : time - rest;
}

/* The first, highest, lowest or last row. */
struct oi_observation *rollup_part(struct oi_rollup *rollup, unsigned part);
/* The columns before the parts. */
enum oi_status rollup_decode_head(struct oi_cursor *cursor, int64_t starts[ROLLUP_COLUMN_ROOM],
                                  int64_t counts[ROLLUP_COLUMN_ROOM], size_t *ret_count,
                                  struct oi_error *error);
/* Append the stored block that holds the start of a span; where none is, what the chunks say of the
 * span. */
enum oi_status rollup_load_span(struct oi_access *access, uint32_t series, int64_t interval_ns,
                                struct oi_span span, struct oi_rollups *rollups,
                                struct oi_error *error);
