/* SPDX-License-Identifier: Apache-2.0 */
/* A piece is a chunk, or nothing where there are no rows. */
#include "clickhouse/kept_rows.h"

#include "store/chunk.h"

/* Behind the columns. */
#define LACKS_WIDES (UINT64_C(1) << 32)

struct oi_kept_question
oi_kept_rows_question(const uint32_t *series, unsigned columns, bool lacks_wides,
                      uint64_t batch_limit)
{
    return (struct oi_kept_question){ .kind = OI_KEPT_ROWS,
                                      .detail = columns | OI_COLUMN_KNOWN_TIME | OI_COLUMN_BATCH |
                                                (lacks_wides ? LACKS_WIDES : 0),
                                      .series = series,
                                      .count = 1,
                                      .batch_limit = batch_limit };
}

/* Where the piece that begins at a row ends: rows of one time stay together. */
static size_t
piece_end(const struct oi_rows *rows, size_t from)
{
    size_t to = rows->count - from > OI_CHUNK_ROWS ? from + OI_CHUNK_ROWS : rows->count;

    while (to < rows->count && rows->items[to].time == rows->items[to - 1].time)
        to++;
    return to;
}

void
oi_kept_put_rows(struct oi_kept *kept, const struct oi_kept_question *question, uint64_t epoch,
                 struct oi_span span, const struct oi_rows *rows)
{
    struct oi_chunk_habits habits = {};
    struct oi_rows_columns columns = {};
    struct oi_buffer bytes = {};
    oi_time begin = span.from;
    size_t from = 0;

    do {
        size_t to = piece_end(rows, from);
        oi_time end = to < rows->count ? rows->items[to].time : span.to;

        oi_buffer_clear(&bytes);
        if (to - from > OI_CHUNK_ROWS_MAX)
            break;
        if (to > from) {
            oi_rows_columns_fill(&columns, rows, from, to - from, (unsigned) question->detail);
            oi_chunk_encode_like((struct oi_slice){}, &columns.columns, NULL, &habits, &bytes);
        }
        oi_kept_put(kept, question, epoch, (struct oi_span){ begin, end }, oi_buffer_slice(&bytes));
        begin = end;
        from = to;
    } while (from < rows->count);
    oi_rows_columns_release(&columns);
    oi_buffer_release(&bytes);
}

/* The piece's rows in a span. */
static enum oi_status
take_piece(const struct oi_kept_piece *piece, unsigned columns, struct oi_span span,
           struct oi_chunk *chunk, struct oi_rows *rows, struct oi_error *error)
{
    const struct oi_chunk_wanted wanted = {
        .from = span.from, .last = span.to - 1, .rows_max = SIZE_MAX, .is_sealed = true
    };
    size_t from, to;

    if (piece->bytes.size == 0)
        return OI_OK;
    OI_TRY(oi_chunk_decode_part((struct oi_slice){}, piece->bytes, columns, &wanted, chunk, error));
    from = oi_times_find(chunk->columns.time, chunk->columns.count, span.from);
    to = oi_times_find(chunk->columns.time, chunk->columns.count, span.to);
    oi_rows_add_columns(rows, &chunk->columns, from, to - from);
    return OI_OK;
}

enum oi_status
oi_kept_take_rows(struct oi_kept *kept, const struct oi_kept_question *question,
                  struct oi_span span, size_t rows_max, struct oi_rows *rows, oi_time *ret_until,
                  struct oi_error *error)
{
    OI_CLEANUP(oi_chunk_release) struct oi_chunk chunk = {};
    struct oi_kept_piece piece;
    enum oi_status status = OI_OK;

    while (status == OI_OK && span.from < span.to && rows->count < rows_max &&
           oi_kept_find(kept, question, span.from, &piece)) {
        struct oi_span part = oi_span_intersect(span, piece.span);

        status = take_piece(&piece, (unsigned) question->detail, part, &chunk, rows, error);
        oi_kept_release(kept, &piece);
        span.from = part.to;
    }
    *ret_until = span.from;
    return status;
}

enum oi_status
oi_kept_take_last_rows(struct oi_kept *kept, const struct oi_kept_question *question,
                       struct oi_span span, struct oi_rows *rows, oi_time *ret_from,
                       struct oi_error *error)
{
    OI_CLEANUP(oi_chunk_release) struct oi_chunk chunk = {};
    struct oi_kept_piece piece;
    enum oi_status status;

    *ret_from = span.to;
    if (span.from >= span.to || !oi_kept_find(kept, question, span.to - 1, &piece))
        return OI_OK;
    span = oi_span_intersect(span, piece.span);
    status = take_piece(&piece, (unsigned) question->detail, span, &chunk, rows, error);
    oi_kept_release(kept, &piece);
    if (status == OI_OK)
        *ret_from = span.from;
    return status;
}
