/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks as they were decoded, for questions that come again and read many of them: totals. As
 * long as nothing was committed since, a chunk's bytes are the same ones; after a commit they are
 * known by their fingerprint, in place of a checksum and unpacking. So nothing has to be told that
 * a chunk was made anew, and damage after it was kept is a difference like any other: then the
 * checksum decides.
 */
#pragma once

#include "base/fingerprint.h"
#include "core/columns.h"
#include "store/shelf.h"
#include "store/store_internal.h"

/* At most so many chunks of at most so many bytes: 96 MiB, and mostly two thirds of it. */
#define OI_KEPT_CHUNKS 1024
#define OI_KEPT_CHUNK_SIZE ((size_t) 96 << 10)

/* Which columns of which chunk: `columns` of enum oi_column, of which the figures but `sufficient`
 * (0: none) are left out where every row has that one. */
struct oi_chunk_choice {
    uint32_t series;
    unsigned columns, sufficient;
    struct oi_slice value; /* as the engine has it */
    oi_time first;
};

/* All rows of a chunk, its user's own until it is put back on the shelf. */
struct oi_kept_chunk {
    struct oi_shelf_item item;
    struct oi_columns columns;  /* their times ascend, none twice */
    struct oi_scan_steps steps; /* no runs where most times do not go step by step */
    uint64_t snapshot;          /* of the engine, in which the bytes were these */
    uint8_t fingerprint[OI_FINGERPRINT_SIZE];
};

/* Take out what was decoded of these bytes; NULL where there is none. */
struct oi_kept_chunk *oi_kept_chunk_take(struct oi_access *access,
                                         const struct oi_chunk_choice *choice);
void oi_kept_chunk_put(struct oi_store *store, struct oi_kept_chunk **kept);
/* Keep a copy of what was just decoded of bytes whose checksum is right, all rows of it: when it is
 * offered again. What is too large or of unusual columns (wide figures, provenance) is not kept,
 * and seldom what something else would have to go for. */
void oi_kept_chunk_offer(struct oi_access *access, const struct oi_chunk_choice *choice,
                         const struct oi_columns *columns);

/* Leave out the figures that are not needed beside one that every row has. */
void oi_columns_leave_only(struct oi_columns *columns, unsigned sufficient);
