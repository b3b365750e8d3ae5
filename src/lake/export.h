/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers as Parquet files. The lake reads through query/, so that a file and an API answer cannot
 * disagree.
 */
#pragma once

#include "base/buffer.h"
#include "query/run.h"

/* Aperiodic's file of open interest: columns time, open_interest, open_interest_pct_change,
 * open_interest_volatility, oi_price_change_ratio; from a query of kind BARS. An answer without
 * bars is a file without rows. */
enum oi_status oi_export_bars(const struct oi_source *source, const struct oi_query *query,
                              struct oi_buffer *out, struct oi_problem *problem,
                              struct oi_error *error);
/* Readings as stored, from a query of kind ROWS: market, time (UTC nanoseconds), open_interest and
 * the other figures as decimal strings, so that every digit survives, and beside them as doubles
 * for convenience; unit, sides, feed, exchange_time, known_time, flags. */
enum oi_status oi_export_rows(const struct oi_source *source, const struct oi_query *query,
                              struct oi_buffer *out, struct oi_problem *problem,
                              struct oi_error *error);
