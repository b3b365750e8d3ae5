/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way from a reader to the store: gathered, given their series (instruments, feeds
 * and series are made where absent), committed together with how far the file has come.
 */
#pragma once

#include "collector/import.h"

#include "core/packed.h"

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

/*
 * For rows that do not come through a reader (import_bulk.c): their markets by number, from
 * `market` instead.
 */

struct oi_import_target {
    size_t market;
    enum oi_unit unit;
};

void oi_import_batch_markets(struct oi_import_batch *batch,
                             const struct oi_instrument *(*market)(void *context, size_t market),
                             void *context, const char *name);
/* Rows of the beginning, from which the cadence is measured; they are not taken. */
void oi_import_batch_sample(struct oi_import_batch *batch, struct oi_import_target target,
                            oi_time time);
/* The series of each target; instruments, feeds and series are made where absent. */
enum oi_status oi_import_batch_resolve(struct oi_import_batch *batch,
                                       const struct oi_import_target *targets, size_t count,
                                       struct oi_bulk_target *ret_targets, struct oi_error *error);
/* Rows up to the mark's count are dealt with, and refusals among the first `told` were told. Unless
 * that is all, the file is read from its start. */
void oi_import_batch_resume(struct oi_import_batch *batch, uint64_t told, bool is_all);
/* Tell of a reading that was refused. */
void oi_import_batch_tell(struct oi_import_batch *batch, uint64_t line,
                          const struct oi_decimal *figure, const char *reason);
/* What a bulk load did, instead of a flush. */
enum oi_status oi_import_batch_loaded(struct oi_import_batch *batch,
                                      const struct oi_append_result *result,
                                      struct oi_error *error);
