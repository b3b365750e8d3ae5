/* SPDX-License-Identifier: Apache-2.0 */
/* Running a question and writing its answer as rows of cells, block by block. */
#pragma once

#include "cli/meter.h"
#include "cli/printer.h"
#include "cli/table.h"
#include "query/run.h"

/* Ask and write all of it, for questions of kind MARKETS, ROWS, CANDLES and GAPS. INVALID for a
 * question that does not fit, NOT_FOUND for a market that is not there. Rows whose unit could not
 * be turned into the one asked for are counted on stderr. CORRUPT when all of it has been written
 * but for damaged spans, which are named on stderr. `meter` (may be NULL) shows how far it is. */
enum oi_status oi_answer_write(const struct oi_source *source, const struct oi_query *query,
                               enum oi_table_format format, struct oi_printer *printer,
                               struct oi_meter *meter, struct oi_error *error);
/* The readings of a question of kind ROWS as a Parquet file. */
enum oi_status oi_answer_write_parquet(const struct oi_source *source, const struct oi_query *query,
                                       struct oi_printer *printer, struct oi_error *error);
