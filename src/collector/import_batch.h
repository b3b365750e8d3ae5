/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way from a reader to the store: gathered, given their series (instruments, feeds
 * and series are made where absent), committed together with how far the file has come.
 */
#pragma once

#include "collector/import.h"

struct oi_import_batch;

/* All are borrowed; `mark` is where the import stands and is kept up to date. */
struct oi_import_batch *oi_import_batch_new(struct oi_store *store,
                                            const struct oi_import_options *options,
                                            struct oi_import_mark *mark,
                                            struct oi_import_report *report);
void oi_import_batch_free(struct oi_import_batch **batch);

/* The file, or the file inside an archive, that rows come from now on; `name` is for refusals. The
 * last one's rows must have been committed. */
void oi_import_batch_source(struct oi_import_batch *batch, const struct oi_reader *reader,
                            const char *name);
/* Take a row; commits when there are enough. */
enum oi_status oi_import_batch_add(struct oi_import_batch *batch, const struct oi_archive_row *row,
                                   struct oi_error *error);
/* A row that the reader refused. */
void oi_import_batch_refuse(struct oi_import_batch *batch,
                            const struct oi_archive_refusal *refusal);
/* Commit what is there; `is_complete`: the file is at its end, which is noted even without rows. */
enum oi_status oi_import_batch_flush(struct oi_import_batch *batch, bool is_complete,
                                     struct oi_error *error);
