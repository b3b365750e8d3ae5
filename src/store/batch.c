/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of the log to bytes and back. */
#include "store/batch.h"

#include "base/alloc.h"
#include "codec/column.h"
#include "store/rows.h"

/* Series, time, exchange time, known time, flags, then exponents and mantissas of each figure. */
#define PLAIN_COLUMNS 5
#define COLUMN_COUNT (PLAIN_COLUMNS + 2 * OI_FIGURE_COUNT)
/* The decoder may write up to the next multiple of this. */
#define COLUMN_BLOCK 512

static void
split_row(const struct oi_row *row, oi_time commit_time, int64_t values[COLUMN_COUNT],
          struct oi_rows *wides)
{
    const struct oi_observation *reading = &row->reading;
    const struct oi_record *record;

    wides->count = 0;
    oi_rows_add(wides, reading, 0);
    record = &wides->items[0];
    values[0] = row->series;
    values[1] = record->time;
    values[2] = record->exchange_time;
    values[3] = record->known_time == commit_time ? OI_TIME_NONE : record->known_time;
    values[4] = record->flags;
    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++) {
        values[PLAIN_COLUMNS + 2 * figure] = record->exponents[figure];
        values[PLAIN_COLUMNS + 2 * figure + 1] = record->mantissas[figure];
    }
}

void
oi_batch_encode(const struct oi_batch_header *header, const struct oi_row *rows,
                struct oi_buffer *out)
{
    size_t count = header->row_count;
    struct oi_rows wides = {};
    int64_t *columns = oi_alloc_zero(COLUMN_COUNT * (count + 1), sizeof(*columns));

    oi_buffer_add_u64(out, (uint64_t) header->commit_time);
    oi_buffer_add_u32(out, header->import);
    oi_buffer_add_u32(out, (uint32_t) count);
    for (size_t i = 0; i < count; i++) {
        int64_t values[COLUMN_COUNT];

        split_row(&rows[i], header->commit_time, values, &wides);
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            columns[column * count + i] = values[column];
    }
    oi_buffer_add_u32(out, (uint32_t) wides.wides.count);
    for (size_t i = 0; i < wides.wides.count; i++)
        oi_decimal_encode(&wides.wides.items[i], out);
    if (count > 0)
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            oi_column_encode(columns + column * count, count, out);
    oi_rows_release(&wides);
    oi_free(columns);
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
join_figure(const int64_t *columns, size_t stride, size_t row, const struct oi_rows *wides,
            struct oi_decimal *ret_value)
{
    int64_t exponent = columns[row], mantissa = columns[stride + row];

    if (exponent == OI_EXPONENT_NONE) {
        *ret_value = (struct oi_decimal){};
        return true;
    }
    if (exponent == OI_EXPONENT_WIDE) {
        if (mantissa < 0 || (uint64_t) mantissa >= wides->wides.count)
            return false;
        *ret_value = wides->wides.items[mantissa];
        return ret_value->form == OI_DECIMAL_WIDE;
    }
    if (exponent < -OI_DECIMAL_EXPONENT_MAX || exponent > OI_DECIMAL_EXPONENT_MAX)
        return false;
    *ret_value = (struct oi_decimal){ .mantissa = mantissa,
                                      .exponent = (int16_t) exponent,
                                      .form = OI_DECIMAL_PLAIN };
    return true;
}

static bool
join_row(const int64_t *columns, size_t stride, size_t index, const struct oi_rows *wides,
         struct oi_row *row)
{
    struct oi_observation *reading = &row->reading;
    const int64_t *figures = columns + PLAIN_COLUMNS * stride;
    int64_t series = columns[index], flags = columns[4 * stride + index];

    if (series <= 0 || series > UINT32_MAX || flags < 0 || flags > UINT16_MAX)
        return false;
    row->series = (uint32_t) series;
    reading->time = columns[stride + index];
    reading->exchange_time = columns[2 * stride + index];
    reading->known_time = columns[3 * stride + index];
    reading->flags = (uint16_t) flags;
    return reading->time != OI_TIME_NONE &&
           join_figure(figures, stride, index, wides, &reading->open_interest) &&
           join_figure(figures + 2 * stride, stride, index, wides, &reading->value_usd) &&
           join_figure(figures + 4 * stride, stride, index, wides, &reading->mark_price) &&
           join_figure(figures + 6 * stride, stride, index, wides, &reading->index_price) &&
           join_figure(figures + 8 * stride, stride, index, wides, &reading->last_price);
}

static enum oi_status
decode_rows(struct oi_cursor *cursor, const struct oi_batch_header *header, int64_t *columns,
            struct oi_rows *wides, struct oi_row *rows, struct oi_error *error)
{
    size_t stride = (header->row_count + COLUMN_BLOCK - 1) / COLUMN_BLOCK * COLUMN_BLOCK;
    uint32_t wide_count = oi_cursor_u32(cursor);

    if (wide_count > header->row_count * OI_FIGURE_COUNT)
        return oi_fail(error, OI_E_CORRUPT, "a batch with too many wide figures");
    for (uint32_t i = 0; i < wide_count && !cursor->failed; i++)
        oi_vector_push(&wides->wides, oi_decimal_decode(cursor));
    if (cursor->failed)
        return oi_fail(error, OI_E_CORRUPT, "a batch that is cut short");
    for (size_t column = 0; column < COLUMN_COUNT && header->row_count > 0; column++) {
        struct oi_slice rest = { (const char *) cursor->at, oi_cursor_left(cursor) };
        size_t used = 0;

        OI_TRY(oi_column_decode(rest, header->row_count, columns + column * stride, &used, error));
        (void) oi_cursor_bytes(cursor, used);
    }
    if (cursor->failed || oi_cursor_left(cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "a batch with bytes left over");
    for (size_t i = 0; i < header->row_count; i++) {
        if (!join_row(columns, stride, i, wides, &rows[i]))
            return oi_fail(error, OI_E_CORRUPT, "a batch with an impossible row");
        if (rows[i].reading.known_time == OI_TIME_NONE)
            rows[i].reading.known_time = header->commit_time;
    }
    return OI_OK;
}

enum oi_status
oi_batch_decode(struct oi_slice body, struct oi_batch_header *ret_header, struct oi_row **ret_rows,
                struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_batch_header header;
    struct oi_rows wides = {};
    struct oi_row *rows = NULL;
    int64_t *columns = NULL;
    enum oi_status status;

    OI_TRY(read_header(&cursor, &header, error));
    if (header.row_count > 0) {
        columns = oi_alloc(COLUMN_COUNT * (header.row_count + COLUMN_BLOCK) * sizeof(*columns));
        rows = oi_alloc_zero(header.row_count, sizeof(*rows));
    }
    status = decode_rows(&cursor, &header, columns, &wides, rows, error);
    oi_rows_release(&wides);
    oi_free(columns);
    if (status != OI_OK) {
        oi_free(rows);
        return status;
    }
    *ret_header = header;
    *ret_rows = rows;
    return OI_OK;
}
