/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importing a large plain table: parsed in pieces on all cores, loaded in bulk, a group of pieces
 * to a commit. It is a head start and nothing else: where a table cannot be read so, or no further,
 * the usual way goes on behind what the ledger says is done.
 */
#pragma once

#include "collector/import_batch.h"

#include <stdio.h>

struct oi_import_bulk_source {
    struct oi_store *store;
    const struct oi_import_options *options;
    const struct oi_archive_options *reading;
    FILE *file;       /* of which the descriptor is read, at any place */
    const char *name; /* for refusals */
    struct oi_import_mark *mark;
    struct oi_import_batch *batch;
    struct oi_import_progress *progress;
    uint8_t *fingerprint; /* gets that of a file that was read whole; or NULL: not wanted */
};

/* Is a file of that size worth it? */
bool oi_import_bulk_suits(const struct oi_import_options *options, uint64_t size);

/* *ret_is_done: the whole file is in the store. Else the batch is left so that reading the file
 * from its start goes on where this ended. Fails as the store and the file do. */
enum oi_status oi_import_bulk(const struct oi_import_bulk_source *source, bool *ret_is_done,
                              struct oi_error *error);
