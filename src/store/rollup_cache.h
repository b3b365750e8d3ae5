/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of rollups as they were decoded, beside the bytes that they were decoded from: a question
 * that comes again compares bytes instead of taking a checksum and unpacking columns. The bytes are
 * compared whole, each time that anything was committed since. So there is nothing to invalidate,
 * whoever wrote; and a byte that was damaged since is as good as another one, and meets the
 * checksum.
 */
#pragma once

#include "base/slice.h"
#include "store/shelf.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of which block. */
struct oi_shelf_label oi_rollup_choice_make(const struct oi_rollup_request *request, uint8_t kind,
                                            oi_time block);

/* A block at hand, its user's own until it is put back. */
struct oi_kept_rollups {
    struct oi_shelf_item item;
    struct oi_rollup_columns columns;
    uint64_t snapshot; /* of the engine, in which the bytes were these; 0: none is known */
    size_t sealed_size;
    /* What of the bytes had a say; copies of them stand one behind the other. */
    struct oi_kept_stretch {
        size_t offset, size;
    } stretches[5];
    size_t stretch_count;
    const char *copies;
};

/* Bytes of a sealed block that its decoded columns do not depend on, ascending: parts not asked
 * for.
 */
struct oi_rollup_unread {
    struct oi_slice parts[4];
    size_t count;
};

/* Where columns come from. */
struct oi_rollup_origin {
    struct oi_slice sealed;
    const struct oi_rollup_unread *unread;
    uint64_t snapshot; /* of the engine, that the bytes were found in */
};

/* At most so many blocks of at most so many bytes: 128 MiB when every place is full, and mostly
 * half of it. */
#define OI_KEPT_ROLLUPS 4096
#define OI_KEPT_ROLLUPS_SIZE ((size_t) 32 << 10)

/* Is it what these bytes say? */
bool oi_kept_rollups_are_of(const struct oi_kept_rollups *kept, struct oi_slice sealed);
/* Keep a copy of what was just decoded of bytes whose checksum is right: the second time that it is
 * offered, so that passing over everything once pushes nothing out. What is too large or of unusual
 * columns (wide figures, provenance) is not kept. */
void oi_rollup_offer(struct oi_shelf *shelf, const struct oi_shelf_label *choice,
                     const struct oi_rollup_origin *origin,
                     const struct oi_rollup_columns *columns);
