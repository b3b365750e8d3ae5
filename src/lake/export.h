/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers as Parquet files. The lake reads through query/, so that a file and an API answer cannot
 * disagree.
 */
#pragma once

#include "base/buffer.h"
#include "base/shared.h"
#include "core/cells.h"
#include "query/run.h"

/* Aperiodic's file of open interest: columns time, open_interest, open_interest_pct_change,
 * open_interest_volatility, oi_price_change_ratio; from a query of kind BARS. An answer without
 * bars is a file without rows. */
enum oi_status oi_export_bars(const struct oi_source *source, const struct oi_query *query,
                              struct oi_buffer *out, struct oi_problem *problem,
                              struct oi_error *error);
/* Aperiodic's file of raw readings, from a query of kind ROWS: exchange_timestamp and
 * local_timestamp (UTC), local_timestamp_kind ("local" where we had the row within an hour of its
 * instant, else "exchange", which repeats the other clock), open_interest in the query's unit. */
enum oi_status oi_export_ticks(const struct oi_source *source, const struct oi_query *query,
                               struct oi_buffer *out, struct oi_problem *problem,
                               struct oi_error *error);

/* Finished files in memory, so that a month that is over is written once for each version of its
 * data, and again when a late row touches it. Any thread. */
struct oi_export_cache;
/* Keeps at most so many bytes; those asked for least recently go. */
struct oi_export_cache *oi_export_cache_new(size_t bytes_max);
void oi_export_cache_free(struct oi_export_cache **cache);
/* The file called `name`, from the open answer to a query of kind BARS or ROWS (ticks): the kept
 * one if its data are still the same, else written and, if the query's span is over and nothing is
 * damaged, kept. The caller's reference. */
enum oi_status oi_export_file(struct oi_export_cache *cache, struct oi_slice name,
                              const struct oi_query *query, struct oi_result *result,
                              struct oi_shared **ret_file, struct oi_error *error);
/* Readings as stored, from a query of kind ROWS: market, time (UTC nanoseconds), open_interest and
 * the other figures as decimal strings, so that every digit survives, and beside them as doubles
 * for convenience; unit, sides, feed, exchange_time, known_time, flags. */
enum oi_status oi_export_rows(const struct oi_source *source, const struct oi_query *query,
                              struct oi_buffer *out, struct oi_problem *problem,
                              struct oi_error *error);
/* The same of an open answer. */
enum oi_status oi_export_rows_of(struct oi_result *result, struct oi_buffer *out,
                                 struct oi_error *error);

/* A table's rows as a whole Parquet file: text, figures as text with every digit, times in
 * nanoseconds UTC; every column may have absent values. */
enum oi_status oi_export_table(const struct oi_cells *table, struct oi_buffer *out,
                               struct oi_error *error);
