/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of the log to bytes and back. */
#include "store/batch.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "codec/column.h"

#include <assert.h>
#include <string.h>

/* Series, time, exchange time, known time, flags, then exponents and mantissas of each figure. */
#define PLAIN_COLUMNS 5
static_assert(OI_BATCH_COLUMNS == PLAIN_COLUMNS + 2 * OI_FIGURE_COUNT, "as many as are split");
/* The decoder may write up to the next multiple of this. */
#define COLUMN_BLOCK 512

void
oi_batch_rows_release(struct oi_batch_rows *rows)
{
    oi_rows_release(&rows->rows);
    oi_vector_release(&rows->series);
}

void
oi_batch_rows_reserve(struct oi_batch_rows *rows, size_t extra)
{
    oi_rows_reserve(&rows->rows, extra);
    oi_vector_reserve(&rows->series, extra);
}

void
oi_batch_rows_add(struct oi_batch_rows *rows, uint32_t series, const struct oi_observation *reading,
                  uint64_t batch)
{
    oi_rows_add(&rows->rows, reading, batch);
    oi_vector_push(&rows->series, series);
}

#define KNOWN_COLUMN 3
/* So many bytes a row are asked for at once; most batches need less. */
#define LIKELY_ROW_SIZE 32

static int64_t
value_of(const struct oi_record *record, size_t column)
{
    size_t figure = (column - PLAIN_COLUMNS) / 2;

    switch (column) {
    case 1:
        return record->time;
    case 2:
        return record->exchange_time;
    case 3:
        return record->known_time;
    case 4:
        return record->flags;
    default:
        return (column - PLAIN_COLUMNS) % 2 == 0 ? record->exponents[figure]
                                                 : record->mantissas[figure];
    }
}

/* Records from `first` on: one column of them. The layout of a record is its own, so each is a walk
 * of fixed steps. */
static void
split_column(const struct oi_record *records, size_t first, size_t end, size_t column, int64_t *at)
{
    size_t figure = (column - PLAIN_COLUMNS) / 2;

    if (column < PLAIN_COLUMNS)
        for (size_t i = first; i < end; i++)
            at[i] = value_of(&records[i], column);
    else if ((column - PLAIN_COLUMNS) % 2 == 0)
        for (size_t i = first; i < end; i++)
            at[i] = records[i].exponents[figure];
    else
        for (size_t i = first; i < end; i++)
            at[i] = records[i].mantissas[figure];
}

/* A record as words, so that all of it is compared at once. */
#define RECORD_WORDS (sizeof(struct oi_record) / sizeof(uint64_t))
static_assert(RECORD_WORDS * sizeof(uint64_t) == sizeof(struct oi_record));

OI_VECTORISED static void
find_any_bits(const struct oi_record *records, size_t count, struct oi_record *ret_any)
{
    uint64_t first[RECORD_WORDS], any[RECORD_WORDS] = {};

    memcpy(first, records, sizeof(first));
    for (size_t i = 1; i < count; i++) {
        uint64_t words[RECORD_WORDS];

        memcpy(words, &records[i], sizeof(words));
        for (size_t word = 0; word < RECORD_WORDS; word++)
            any[word] |= words[word] ^ first[word];
    }
    memcpy(ret_any, any, sizeof(any));
}

/* A bit for each column that has different values: in most batches most columns say the same in
 * every row. Whose rows they are is not looked at. */
static unsigned
find_moving(const struct oi_record *records, size_t count)
{
    struct oi_record any;
    unsigned moving = 1;

    find_any_bits(records, count, &any);
    for (size_t column = 1; column < OI_BATCH_COLUMNS; column++)
        moving |= (value_of(&any, column) != 0 ? 1u : 0u) << column;
    return moving;
}

void
oi_batch_columns_begin(struct oi_batch_columns *columns, size_t count, oi_time commit_time)
{
    *columns = (struct oi_batch_columns){
        .count = count,
        .commit_time = commit_time,
        .piece_count = (count + OI_BATCH_PIECE - 1) / OI_BATCH_PIECE,
    };
    columns->values = oi_alloc((OI_BATCH_COLUMNS * count + 1) * sizeof(*columns->values));
    columns->moving = oi_alloc((columns->piece_count + 1) * sizeof(*columns->moving));
}

void
oi_batch_columns_release(struct oi_batch_columns *columns)
{
    oi_free(columns->values);
    oi_free(columns->moving);
    *columns = (struct oi_batch_columns){};
}

static size_t
end_of(const struct oi_batch_columns *columns, size_t piece)
{
    size_t end = (piece + 1) * OI_BATCH_PIECE;

    return end < columns->count ? end : columns->count;
}

void
oi_batch_columns_split(struct oi_batch_columns *columns, const struct oi_batch_rows *rows,
                       size_t piece)
{
    const struct oi_record *records = rows->rows.items;
    size_t first = piece * OI_BATCH_PIECE, end = end_of(columns, piece);
    unsigned moving = find_moving(records + first, end - first);
    int64_t *known = columns->values + KNOWN_COLUMN * columns->count;

    for (size_t i = first; i < end; i++)
        columns->values[i] = rows->series.items[i];
    for (size_t column = 1; column < OI_BATCH_COLUMNS; column++)
        split_column(records, first, moving >> column & 1 ? end : first + 1, column,
                     columns->values + column * columns->count);
    for (size_t i = first; i < (moving >> KNOWN_COLUMN & 1 ? end : first + 1); i++)
        known[i] = known[i] == columns->commit_time ? OI_TIME_NONE : known[i];
    columns->moving[piece] = moving;
}

/* Columns are written without a trial of all encodings: whoever appends waits for them, and the log
 * is short. */
static void
encode_column(struct oi_batch_columns *columns, size_t column, struct oi_buffer *out)
{
    int64_t *values = columns->values + column * columns->count;
    bool moves = column == 0;

    for (size_t piece = 0; piece < columns->piece_count && !moves; piece++)
        moves =
            (columns->moving[piece] >> column & 1) || values[piece * OI_BATCH_PIECE] != values[0];
    /* One value stands for all of a column. */
    if (!moves) {
        oi_column_encode_quickly(values, 1, out);
        return;
    }
    for (size_t piece = 0; piece < columns->piece_count; piece++)
        if (!(columns->moving[piece] >> column & 1))
            for (size_t i = piece * OI_BATCH_PIECE; i < end_of(columns, piece); i++)
                values[i] = values[piece * OI_BATCH_PIECE];
    oi_column_encode_quickly(values, columns->count, out);
}

static void
encode_head(const struct oi_batch_header *header, const struct oi_batch_rows *rows,
            struct oi_buffer *out)
{
    size_t wide_count = header->row_count > 0 ? rows->rows.wides.count : 0;

    oi_buffer_add_u64(out, (uint64_t) header->commit_time);
    oi_buffer_add_u32(out, header->import);
    oi_buffer_add_u32(out, (uint32_t) header->row_count);
    oi_buffer_add_u32(out, (uint32_t) wide_count);
    for (size_t i = 0; i < wide_count; i++)
        oi_decimal_encode(&rows->rows.wides.items[i], out);
}

void
oi_batch_columns_encode(struct oi_batch_columns *columns, const struct oi_batch_header *header,
                        const struct oi_batch_rows *rows, struct oi_buffer *out)
{
    encode_head(header, rows, out);
    (void) oi_buffer_reserve(out, columns->count * LIKELY_ROW_SIZE);
    for (size_t column = 0; column < OI_BATCH_COLUMNS; column++)
        encode_column(columns, column, out);
}

void
oi_batch_encode(const struct oi_batch_header *header, const struct oi_batch_rows *rows,
                struct oi_buffer *out)
{
    struct oi_batch_columns columns;

    if (header->row_count == 0) {
        encode_head(header, rows, out);
        return;
    }
    oi_batch_columns_begin(&columns, header->row_count, header->commit_time);
    for (size_t piece = 0; piece < columns.piece_count; piece++)
        oi_batch_columns_split(&columns, rows, piece);
    oi_batch_columns_encode(&columns, header, rows, out);
    oi_batch_columns_release(&columns);
}

static enum oi_status
read_header(struct oi_cursor *cursor, struct oi_batch_header *ret_header, struct oi_error *error)
{
    struct oi_batch_header header;

    header.commit_time = (oi_time) oi_cursor_u64(cursor);
    header.import = oi_cursor_u32(cursor);
    header.row_count = oi_cursor_u32(cursor);
    if (cursor->failed || header.row_count > OI_BATCH_ROWS_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a batch with a damaged header");
    *ret_header = header;
    return OI_OK;
}

enum oi_status
oi_batch_read_header(struct oi_slice body, struct oi_batch_header *ret_header,
                     struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);

    return read_header(&cursor, ret_header, error);
}

static bool
join_figure(int64_t exponent, int64_t mantissa, size_t wide_count)
{
    if (exponent == OI_EXPONENT_NONE)
        return true;
    if (exponent == OI_EXPONENT_WIDE)
        return (uint64_t) mantissa < wide_count;
    if (exponent >= -OI_DECIMAL_EXPONENT_MAX && exponent <= OI_EXPONENT_SURE)
        return true;
    return exponent == (int8_t) exponent && oi_decimal_fits(mantissa, (int) exponent);
}

static bool
join_row(const int64_t *columns, size_t stride, size_t index, struct oi_batch_rows *rows)
{
    struct oi_record *record = &rows->rows.items[rows->rows.count++];
    const int64_t *at = columns + index;
    int64_t series = at[0], flags = at[4 * stride];
    bool fits = true;

    if (series <= 0 || series > UINT32_MAX || flags < 0 || flags > UINT16_MAX)
        return false;
    rows->series.items[rows->series.count++] = (uint32_t) series;
    *record = (struct oi_record){ .time = at[stride],
                                  .exchange_time = at[2 * stride],
                                  .known_time = at[3 * stride],
                                  .flags = (uint16_t) flags };
    at += PLAIN_COLUMNS * stride;
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        int64_t exponent = at[2 * figure * stride], mantissa = at[(2 * figure + 1) * stride];

        fits &= join_figure(exponent, mantissa, rows->rows.wides.count);
        record->exponents[figure] = (int8_t) exponent;
        record->mantissas[figure] = exponent == OI_EXPONENT_NONE ? 0 : mantissa;
    }
    return fits && record->time != OI_TIME_NONE;
}

/* Each a wide one: what fits a mantissa is not kept so. */
static enum oi_status
read_wides(struct oi_cursor *cursor, uint32_t count, struct oi_rows *rows, struct oi_error *error)
{
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        struct oi_decimal wide = oi_decimal_decode(cursor);

        if (!cursor->failed && wide.form != OI_DECIMAL_WIDE)
            return oi_fail(error, OI_E_CORRUPT, "a batch with an impossible row");
        oi_vector_push(&rows->wides, wide);
    }
    if (cursor->failed)
        return oi_fail(error, OI_E_CORRUPT, "a batch that is cut short");
    return OI_OK;
}

static enum oi_status
decode_rows(struct oi_cursor *cursor, const struct oi_batch_header *header, int64_t *columns,
            struct oi_batch_rows *rows, struct oi_error *error)
{
    size_t stride = (header->row_count + COLUMN_BLOCK - 1) / COLUMN_BLOCK * COLUMN_BLOCK;
    uint32_t wide_count = oi_cursor_u32(cursor);

    if (wide_count > header->row_count * OI_FIGURE_COUNT)
        return oi_fail(error, OI_E_CORRUPT, "a batch with too many wide figures");
    OI_TRY(read_wides(cursor, wide_count, &rows->rows, error));
    for (size_t column = 0; column < OI_BATCH_COLUMNS && header->row_count > 0; column++) {
        struct oi_slice rest = { (const char *) cursor->at, oi_cursor_left(cursor) };
        size_t used = 0;

        OI_TRY(oi_column_decode(rest, header->row_count, columns + column * stride, &used, error));
        (void) oi_cursor_bytes(cursor, used);
    }
    if (cursor->failed || oi_cursor_left(cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "a batch with bytes left over");
    oi_batch_rows_reserve(rows, header->row_count);
    for (size_t i = 0; i < header->row_count; i++) {
        if (!join_row(columns, stride, i, rows))
            return oi_fail(error, OI_E_CORRUPT, "a batch with an impossible row");
        if (rows->rows.items[i].known_time == OI_TIME_NONE)
            rows->rows.items[i].known_time = header->commit_time;
    }
    return OI_OK;
}

enum oi_status
oi_batch_decode(struct oi_slice body, struct oi_batch_header *ret_header,
                struct oi_batch_rows *ret_rows, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_batch_header header;
    struct oi_batch_rows rows = {};
    int64_t *columns = NULL;
    enum oi_status status;

    OI_TRY(read_header(&cursor, &header, error));
    if (header.row_count > 0)
        columns = oi_alloc(OI_BATCH_COLUMNS * (header.row_count + COLUMN_BLOCK) * sizeof(*columns));
    status = decode_rows(&cursor, &header, columns, &rows, error);
    oi_free(columns);
    if (status != OI_OK) {
        oi_batch_rows_release(&rows);
        return status;
    }
    *ret_header = header;
    *ret_rows = rows;
    return OI_OK;
}
