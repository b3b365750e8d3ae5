/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loop of every large answer. A few rows at a time, each cell is first made for all of
 * them: digits of different rows do not wait for one another, which within a row they would, since
 * each begins where the one before ended. Then the rows are put together out of copies of a fixed
 * size, past the end of what is copied, because a copy of a size known to the compiler is two
 * moves; what is written past is overwritten by what follows, or lies in the room that was
 * reserved.
 */
#include "dialects/row_text.h"

#include <assert.h>
#include <string.h>

/* Of every copy, and of a value's slot with what follows it. */
#define STEP OI_DECIMAL_SLOT_SIZE
/* Rows whose cells are made together: they stay in the nearest cache. */
#define BATCH 64
/* In place of the size of a value. */
#define SIZE_NONE 0xFFu
#define SIZE_LONG 0xFEu /* it does not fit a slot and is written when the row is */
/* What a value takes at most, whatever it is. */
#define VALUE_SIZE OI_DECIMAL_PUT_SIZE
static_assert(VALUE_SIZE > OI_TIME_TEXT_SIZE);
static_assert(VALUE_SIZE > STEP);
static_assert(OI_TIME_TEXT_SIZE <= STEP);

/* One cell of a batch of rows. */
struct slots {
    char texts[BATCH + 1][STEP]; /* a decimal may write past its slot */
    uint8_t sizes[BATCH];        /* what stands behind the value included */
};

/* The rows being made. */
struct batch {
    const struct oi_row_text *text;
    struct oi_time_writer *times;
    size_t from, count;
    struct slots cells[OI_ROW_CELLS_MAX];
};

static struct oi_row_piece
keep(struct oi_row_text *text, struct oi_slice piece)
{
    static const char room[STEP] = {};
    struct oi_row_piece kept = { text->texts.size, piece.size };

    oi_buffer_add_slice(&text->texts, piece);
    oi_buffer_add(&text->texts, room, sizeof(room));
    text->room += piece.size + STEP;
    return kept;
}

void
oi_row_text_begin(struct oi_row_text *text, struct oi_slice head)
{
    text->room = STEP;
    text->head = keep(text, head);
}

void
oi_row_text_add(struct oi_row_text *text, const struct oi_row_cell *cell)
{
    size_t at = text->count++;

    oi_assert(at < OI_ROW_CELLS_MAX);
    text->cells[at] = *cell;
    text->before[at] = keep(text, oi_slice_of(cell->before));
    text->none[at] = keep(text, oi_slice_of(cell->none));
    text->fraction[at] = keep(text, oi_slice_of(cell->fraction ? cell->fraction : ""));
    text->room += VALUE_SIZE + 1;
}

void
oi_row_text_end(struct oi_row_text *text, const char *tail)
{
    text->tail = keep(text, oi_slice_of(tail));
}

void
oi_row_text_release(struct oi_row_text *text)
{
    oi_buffer_release(&text->texts);
}

static inline char *
put_piece(const struct oi_row_text *text, const struct oi_row_piece *piece, char *at)
{
    const char *from = text->texts.data + piece->at;

    memcpy(at, from, STEP);
    for (size_t done = STEP; done < piece->size; done += STEP)
        memcpy(at + done, from + done, STEP);
    return at + piece->size;
}

static inline const void *
member(const struct oi_row_cell *cell, size_t row, size_t size)
{
    return (const char *) cell->first + row * (cell->stride ? cell->stride : size);
}

static inline oi_time
time_of(const struct oi_row_cell *cell, size_t row)
{
    oi_time time = OI_TIME_NONE;

    if (cell->first)
        memcpy(&time, member(cell, row, sizeof(time)), sizeof(time));
    if (time == OI_TIME_NONE && cell->instead)
        time = cell->instead[row];
    return time;
}

/* What stands behind a value, put behind it; the size of both. */
static inline uint8_t
close_slot(const struct oi_row_cell *cell, const char *start, char *end)
{
    *end = cell->after;
    return (uint8_t) (end - start + (cell->after != 0));
}

static void
make_times(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    for (size_t i = 0; i < batch->count; i++) {
        oi_time time = time_of(cell, batch->from + i);
        char *start = slots->texts[i], *end;

        if (time == OI_TIME_NONE || time == OI_TIME_LATEST) {
            slots->sizes[i] = SIZE_NONE;
            continue;
        }
        end = cell->kind == OI_ROW_TIMES ? oi_text_put_time(batch->times, time, cell->digits, start)
                                         : oi_text_put_short_time(batch->times, time, start);
        slots->sizes[i] = close_slot(cell, start, end);
    }
}

static inline uint8_t
make_plain(const struct oi_row_cell *cell, int64_t mantissa, int exponent, char *start)
{
    char *end = oi_decimal_put_slot(start, mantissa, exponent);

    return end ? close_slot(cell, start, end) : SIZE_LONG;
}

static void
make_column(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    const struct oi_decimals *column = cell->first;

    for (size_t i = 0; i < batch->count; i++) {
        size_t row = batch->from + i;
        int exponent = column->exponents ? column->exponents[row] : column->exponent;

        if (!column->mantissas || (column->exponents && exponent == OI_EXPONENT_NONE))
            slots->sizes[i] = SIZE_NONE;
        else if (column->exponents && exponent == OI_EXPONENT_WIDE)
            slots->sizes[i] = SIZE_LONG;
        else
            slots->sizes[i] = make_plain(cell, column->mantissas[row], exponent, slots->texts[i]);
    }
}

static void
make_decimals(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct oi_decimal *value = member(cell, batch->from + i, sizeof(*value));

        if (value->form == OI_DECIMAL_PLAIN)
            slots->sizes[i] = make_plain(cell, value->mantissa, value->exponent, slots->texts[i]);
        else
            slots->sizes[i] = value->form == OI_DECIMAL_NONE ? SIZE_NONE : SIZE_LONG;
    }
}

static void
make_numbers(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    for (size_t i = 0; i < batch->count; i++) {
        size_t row = batch->from + i;
        uint32_t number;

        if (cell->kind == OI_ROW_COUNTS) {
            number = *(const uint32_t *) member(cell, row, sizeof(number));
        } else if (cell->first) {
            number = ((const uint16_t *) cell->first)[row];
        } else {
            slots->sizes[i] = SIZE_NONE;
            continue;
        }
        slots->sizes[i] = make_plain(cell, number, 0, slots->texts[i]);
    }
}

static void
make_truths(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    for (size_t i = 0; i < batch->count; i++) {
        bool is_true = *(const bool *) member(cell, batch->from + i, sizeof(bool));
        char *start = slots->texts[i];

        memcpy(start, is_true ? "true " : "false", 5);
        slots->sizes[i] = close_slot(cell, start, start + (is_true ? 4 : 5));
    }
}

static void
make_seconds(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    for (size_t i = 0; i < batch->count; i++) {
        oi_time time = time_of(cell, batch->from + i);

        slots->sizes[i] = time % OI_SECOND != 0
                              ? SIZE_LONG
                              : make_plain(cell, oi_time_to_s(time), 0, slots->texts[i]);
    }
}

static void
make_cells(struct batch *batch)
{
    for (size_t i = 0; i < batch->text->count; i++) {
        const struct oi_row_cell *cell = &batch->text->cells[i];

        switch (cell->kind) {
        case OI_ROW_TIMES:
        case OI_ROW_SHORT_TIMES:
            make_times(batch, cell, &batch->cells[i]);
            break;
        case OI_ROW_COLUMN:
            make_column(batch, cell, &batch->cells[i]);
            break;
        case OI_ROW_DECIMALS:
            make_decimals(batch, cell, &batch->cells[i]);
            break;
        case OI_ROW_COUNTS:
        case OI_ROW_FLAGS:
            make_numbers(batch, cell, &batch->cells[i]);
            break;
        case OI_ROW_TRUTHS:
            make_truths(batch, cell, &batch->cells[i]);
            break;
        case OI_ROW_SECONDS:
            make_seconds(batch, cell, &batch->cells[i]);
            break;
        }
    }
}

/* The rare values that have no slot. */
static char *
put_long(const struct oi_row_text *text, size_t index, size_t row, char *at)
{
    const struct oi_row_cell *cell = &text->cells[index];
    struct oi_decimal value = {};

    if (cell->kind == OI_ROW_SECONDS) {
        oi_time time = time_of(cell, row);
        int64_t second = oi_time_to_s(time);

        at = oi_decimal_put(at, second, 0);
        at = put_piece(text, &text->fraction[index], at);
        at = oi_decimal_put(at, time - second * OI_SECOND, 0);
    } else {
        value = cell->kind == OI_ROW_COLUMN
                    ? oi_decimals_get(cell->first, row)
                    : *(const struct oi_decimal *) member(cell, row, sizeof(value));
        at += oi_decimal_print(&value, at);
    }
    *at = cell->after;
    return at + (cell->after != 0);
}

static inline char *
put_row(const struct batch *batch, size_t index, size_t skipped, char *at)
{
    const struct oi_row_text *text = batch->text;
    const struct oi_row_piece head = { text->head.at + skipped, text->head.size - skipped };

    at = put_piece(text, &head, at);
    for (size_t i = 0; i < text->count; i++) {
        size_t size = batch->cells[i].sizes[index];

        if (size == SIZE_NONE) {
            at = put_piece(text, &text->none[i], at);
            continue;
        }
        at = put_piece(text, &text->before[i], at);
        memcpy(at, batch->cells[i].texts[index], STEP);
        at = size == SIZE_LONG ? put_long(text, i, batch->from + index, at) : at + size;
    }
    return put_piece(text, &text->tail, at);
}

void
oi_row_text_write(const struct oi_row_text *text, size_t from, size_t to, size_t skipped,
                  struct oi_time_writer *times, struct oi_buffer *out)
{
    struct batch batch;

    batch.text = text;
    batch.times = times;
    for (batch.from = from; batch.from < to; batch.from += batch.count) {
        batch.count = to - batch.from < BATCH ? to - batch.from : BATCH;
        make_cells(&batch);
        for (size_t i = 0; i < batch.count; i++) {
            char *at = oi_buffer_reserve(out, text->room);

            if (!at)
                return;
            out->size = (size_t) (put_row(&batch, i, skipped, at) - out->data);
            skipped = 0;
        }
    }
}
