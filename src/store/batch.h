/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch of the log: the rows of one commit as columns, in order of series, then time. Known times
 * that are the commit's cost nothing. Pure; docs/formats/store.md has the byte diagram.
 */
#pragma once

#include "base/buffer.h"
#include "base/vector.h"
#include "store/rows.h"
#include "store/store.h"

/* What a batch says of itself before its rows. */
struct oi_batch_header {
    oi_time commit_time;
    uint32_t import; /* id of the import it belongs to, or 0 */
    size_t row_count;
};

/* The rows of a batch and whose they are. {} is empty. */
struct oi_batch_rows {
    struct oi_rows rows; /* each with a known_time; `batch` is not part of the bytes */
    OI_VECTOR(uint32_t) series;
};
void oi_batch_rows_release(struct oi_batch_rows *rows);
void oi_batch_rows_reserve(struct oi_batch_rows *rows, size_t extra);
void oi_batch_rows_add(struct oi_batch_rows *rows, uint32_t series,
                       const struct oi_observation *reading, uint64_t batch);

/* Append the body of a batch (it is sealed by the caller). `rows` may be NULL when there are none.
 */
void oi_batch_encode(const struct oi_batch_header *header, const struct oi_batch_rows *rows,
                     struct oi_buffer *out);
/* The same, begun on several threads: rows are split into columns in pieces of OI_BATCH_PIECE, as
 * many as fit into a processor's nearest cache; then all columns are encoded. */
#define OI_BATCH_PIECE ((size_t) 256)
#define OI_BATCH_COLUMNS 15
struct oi_batch_columns {
    size_t count, piece_count;
    oi_time commit_time;
    int64_t
        *values; /* of each column, `count` of them; of a piece where it stands still the first */
    unsigned *moving; /* of each piece, a bit for each column that has different values */
};
void oi_batch_columns_begin(struct oi_batch_columns *columns, size_t count, oi_time commit_time);
void oi_batch_columns_release(struct oi_batch_columns *columns);
/* Each piece once, of the rows that it covers, which have all their figures. */
void oi_batch_columns_split(struct oi_batch_columns *columns, const struct oi_batch_rows *rows,
                            size_t piece);
/* What oi_batch_encode appends, once all pieces are split. */
void oi_batch_columns_encode(struct oi_batch_columns *columns, const struct oi_batch_header *header,
                             const struct oi_batch_rows *rows, struct oi_buffer *out);
/* The header alone. CORRUPT when the bytes are no batch. */
enum oi_status oi_batch_read_header(struct oi_slice body, struct oi_batch_header *ret_header,
                                    struct oi_error *error);
/* All rows, to be released by the caller. CORRUPT as above. */
enum oi_status oi_batch_decode(struct oi_slice body, struct oi_batch_header *ret_header,
                               struct oi_batch_rows *ret_rows, struct oi_error *error);
