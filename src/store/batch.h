/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch of the log: the rows of one commit as columns, in order of series, then time. Known times
 * that are the commit's cost nothing. Pure; docs/formats/store.md has the byte diagram.
 */
#pragma once

#include "base/buffer.h"
#include "store/store.h"

/* What a batch says of itself before its rows. */
struct oi_batch_header {
    oi_time commit_time;
    uint32_t import; /* id of the import it belongs to, or 0 */
    size_t row_count;
};

/* Append the body of a batch (it is sealed by the caller). Every row has a known_time. */
void oi_batch_encode(const struct oi_batch_header *header, const struct oi_row *rows,
                     struct oi_buffer *out);
/* The header alone. CORRUPT when the bytes are no batch. */
enum oi_status oi_batch_read_header(struct oi_slice body, struct oi_batch_header *ret_header,
                                    struct oi_error *error);
/* All rows, allocated for the caller (oi_free); NULL for none. CORRUPT as above. */
enum oi_status oi_batch_decode(struct oi_slice body, struct oi_batch_header *ret_header,
                               struct oi_row **ret_rows, struct oi_error *error);
