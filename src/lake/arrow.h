/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Arrow IPC stream: a schema, record batches, an end. Written by hand, for five types of
 * columns that may all have absent values; no dictionaries, no compression. Times are
 * timestamp[ns, UTC], figures are utf8 with every digit.
 */
#pragma once

#include "core/cells.h"

/* Append the schema: how a stream begins. */
void oi_arrow_write_schema(const struct oi_cells *table, struct oi_buffer *out);
/* Append the rows of a table of that schema. FULL when a column has more than 2 GiB of text. */
enum oi_status oi_arrow_write_batch(const struct oi_cells *table, struct oi_buffer *out,
                                    struct oi_error *error);
void oi_arrow_write_end(struct oi_buffer *out);
