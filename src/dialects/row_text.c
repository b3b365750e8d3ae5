/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loop of every large answer. A few rows at a time, each cell is first made for all of
 * them: digits of different rows do not wait for one another, which within a row they would, since
 * each begins where the one before ended. What stands before a value stands before all its slots
 * already, so a cell of a row is one copy. Copies have a fixed size, past the end of what is
 * copied, because a copy of a size known to the compiler is a few moves; what is written past is
 * overwritten by what follows, or lies in the room that was reserved.
 */
#include "dialects/row_text.h"

#include "base/compiler.h"
#include "core/slots.h"

#include <assert.h>
#include <string.h>

/* Of a copy of constant text. */
#define STEP 32
/* What stands before a value stands in its slot up to this size. */
#define BEFORE_SIZE 32
/* Of the copy of a cell. */
#define CELL_SIZE (BEFORE_SIZE + OI_SLOT_SIZE)
/* What a value takes at most, whatever it is. */
#define VALUE_SIZE OI_DECIMAL_PUT_SIZE
/* What is reserved ahead at most. */
#define EXPECTED_MAX ((size_t) 1 << 20)
/* Of memory in the caches. */
#define LINE_SIZE 64
static_assert(VALUE_SIZE > OI_TIME_TEXT_SIZE);
static_assert(VALUE_SIZE > CELL_SIZE);
static_assert(OI_TIME_TEXT_SIZE <= OI_SLOT_SIZE);

/* One cell of a batch of rows. */
struct slots {
    char texts[OI_SLOT_COUNT][BEFORE_SIZE + OI_SLOT_ROOM];
    uint8_t sizes[OI_SLOT_COUNT]; /* of value and what stands behind it */
    uint32_t number;              /* that stands in all of them, where `is_same` */
    bool is_same;
};

/* The rows being made. */
struct batch {
    const struct oi_row_text *text;
    struct oi_time_writer *times;
    size_t from, count;
    struct oi_slice target;          /* where its rows will probably stand */
    size_t before[OI_ROW_CELLS_MAX]; /* bytes of the slots that stand before the value */
    bool is_plain;                   /* every cell of every row is one copy */
    bool is_short[OI_ROW_CELLS_MAX]; /* and a small one */
    uint8_t steps[OI_ROW_CELLS_MAX][OI_SLOT_COUNT]; /* sizes of the copies, where it is */
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
    text->room += VALUE_SIZE + CELL_SIZE + 1;
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
copy_piece(char *at, const char *from, size_t size)
{
    memcpy(at, from, STEP);
    for (size_t done = STEP; done < size; done += STEP)
        memcpy(at + done, from + done, STEP);
    return at + size;
}

static inline char *
put_piece(const struct oi_row_text *text, const struct oi_row_piece *piece, char *at)
{
    return copy_piece(at, text->texts.data + piece->at, piece->size);
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

/* Where the values of a cell go. */
static inline struct oi_slots
slots_of(const struct oi_row_cell *cell, struct slots *slots)
{
    return (struct oi_slots){ .first = slots->texts[0] + BEFORE_SIZE,
                              .stride = sizeof(slots->texts[0]),
                              .sizes = slots->sizes,
                              .after = cell->after };
}

static void
make_times(struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    int digits = cell->kind == OI_ROW_TIMES ? cell->digits : OI_TIME_SHORT;
    struct oi_slots to = slots_of(cell, slots);
    oi_time times[OI_SLOT_COUNT];

    if (cell->first && !cell->stride && !cell->instead) {
        oi_text_put_times(batch->times, (const oi_time *) cell->first + batch->from, batch->count,
                          digits, &to);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        times[i] = time_of(cell, batch->from + i);
    oi_text_put_times(batch->times, times, batch->count, digits, &to);
}

static void
make_column(const struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    struct oi_decimals column = oi_decimals_from_row(cell->first, batch->from);
    struct oi_slots to = slots_of(cell, slots);

    oi_slots_put_decimals(&to, &column, batch->count);
}

static void
make_decimals(const struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    int64_t mantissas[OI_SLOT_COUNT];
    int8_t exponents[OI_SLOT_COUNT];
    struct oi_decimals column = { .mantissas = mantissas, .exponents = exponents };
    struct oi_slots to = slots_of(cell, slots);

    for (size_t i = 0; i < batch->count; i++) {
        const struct oi_decimal *value = member(cell, batch->from + i, sizeof(*value));

        mantissas[i] = value->mantissa;
        exponents[i] = oi_decimals_exponent(value);
    }
    oi_slots_put_decimals(&to, &column, batch->count);
}

static size_t
put_number(char *start, uint32_t number, char after)
{
    char *end = oi_decimal_put(start, number, 0);

    *end = after;
    return (size_t) (end - start) + (after != 0);
}

/* Small numbers, which mostly are the same in all rows, and then stand in all slots already. */
static void
make_numbers(const struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    uint32_t numbers[OI_SLOT_COUNT] = {}, differences = 0;

    if (!cell->first) {
        memset(slots->sizes, OI_SLOT_NONE, batch->count);
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        size_t row = batch->from + i;

        numbers[i] = cell->kind == OI_ROW_COUNTS
                         ? *(const uint32_t *) member(cell, row, sizeof(*numbers))
                         : ((const uint16_t *) cell->first)[row];
        differences |= numbers[i] ^ numbers[0];
    }
    if (differences == 0 && slots->is_same && slots->number == numbers[0])
        return;
    for (size_t i = 0; i < batch->count; i++) {
        if (i > 0 && numbers[i] == numbers[i - 1]) {
            memcpy(slots->texts[i] + BEFORE_SIZE, slots->texts[i - 1] + BEFORE_SIZE, 16);
            slots->sizes[i] = slots->sizes[i - 1];
        } else {
            slots->sizes[i] =
                (uint8_t) put_number(slots->texts[i] + BEFORE_SIZE, numbers[i], cell->after);
        }
    }
    slots->is_same = differences == 0;
    slots->number = numbers[0];
}

static void
make_truths(const struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    for (size_t i = 0; i < batch->count; i++) {
        bool is_true = *(const bool *) member(cell, batch->from + i, sizeof(bool));
        char *start = slots->texts[i] + BEFORE_SIZE, *end = start + (is_true ? 4 : 5);

        memcpy(start, is_true ? "true " : "false", 5);
        *end = cell->after;
        slots->sizes[i] = (uint8_t) (end - start + (cell->after != 0));
    }
}

static void
make_seconds(const struct batch *batch, const struct oi_row_cell *cell, struct slots *slots)
{
    int64_t seconds[OI_SLOT_COUNT];
    int8_t exponents[OI_SLOT_COUNT];
    struct oi_decimals column = { .mantissas = seconds, .exponents = exponents };
    struct oi_slots to = slots_of(cell, slots);

    for (size_t i = 0; i < batch->count; i++) {
        oi_time time = time_of(cell, batch->from + i);

        seconds[i] = oi_time_to_s(time);
        exponents[i] = (int8_t) (time % OI_SECOND != 0 ? OI_EXPONENT_WIDE : 0);
    }
    oi_slots_put_decimals(&to, &column, batch->count);
}

/* Memory that is written to in a moment comes near while cells are made, a part beside each. */
static inline void
fetch_target(const struct batch *batch, size_t cell)
{
    size_t part = batch->target.size / batch->text->count;

    for (size_t at = 0; at < part; at += LINE_SIZE)
        __builtin_prefetch(batch->target.data + cell * part + at, 1);
}

static void
make_cells(struct batch *batch)
{
    for (size_t i = 0; i < batch->text->count; i++) {
        const struct oi_row_cell *cell = &batch->text->cells[i];

        fetch_target(batch, i);

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

/* Room for a row. */
static inline char *
reserve(struct oi_buffer *out, size_t room)
{
    if (out->data && out->capacity - out->size >= room)
        return out->data + out->size;
    return oi_buffer_reserve(out, room);
}

/* A cell that is not one copy. */
static char *
put_seldom(const struct batch *batch, size_t cell, size_t index, char *at)
{
    const struct oi_row_text *text = batch->text;
    size_t size = batch->cells[cell].sizes[index];

    if (size == OI_SLOT_NONE)
        return put_piece(text, &text->none[cell], at);
    at = put_piece(text, &text->before[cell], at);
    if (size == OI_SLOT_LONG)
        return put_long(text, cell, batch->from + index, at);
    memcpy(at, batch->cells[cell].texts[index] + BEFORE_SIZE, OI_SLOT_SIZE);
    return at + size;
}

static inline char *
put_row(const struct batch *batch, size_t index, char *at)
{
    const struct oi_row_text *text = batch->text;

    for (size_t i = 0; i < text->count; i++) {
        size_t before = batch->before[i], size = batch->cells[i].sizes[index];

        if (OI_SLOT_IS_TEXT(size) && before <= BEFORE_SIZE) {
            memcpy(at, batch->cells[i].texts[index] + BEFORE_SIZE - before, CELL_SIZE);
            at += before + size;
        } else {
            at = put_seldom(batch, i, index, at);
        }
    }
    return at;
}

/* Look over the sizes of a batch. */
static void
look_over(struct batch *batch)
{
    batch->is_plain = true;
    for (size_t i = 0; i < batch->text->count && batch->is_plain; i++) {
        const uint8_t *sizes = batch->cells[i].sizes;
        uint8_t before = (uint8_t) batch->before[i], greatest = 0;

        for (size_t row = 0; row < batch->count; row++) {
            greatest = sizes[row] > greatest ? sizes[row] : greatest;
            batch->steps[i][row] = (uint8_t) (sizes[row] + before);
        }
        batch->is_short[i] = greatest + before <= STEP;
        batch->is_plain = OI_SLOT_IS_TEXT(greatest) && batch->before[i] <= BEFORE_SIZE;
    }
}

/* The rows of a batch, each behind a check for room; false: there is none. */
static bool
put_rows(const struct batch *batch, size_t skipped, struct oi_buffer *out)
{
    const struct oi_row_text *text = batch->text;

    for (size_t i = 0; i < batch->count; i++) {
        const struct oi_row_piece head = { text->head.at + skipped, text->head.size - skipped };
        char *at = reserve(out, text->room);

        if (!at)
            return false;
        at = put_row(batch, i, put_piece(text, &head, at));
        out->size = (size_t) (put_piece(text, &text->tail, at) - out->data);
        skipped = 0;
    }
    return true;
}

/* The same where every cell is one copy. What is used in a row is at hand in variables: behind a
 * copy to who knows where everything else would be read again. */
static inline __attribute__((always_inline)) bool
put_plain_rows(const struct batch *batch, size_t skipped, struct oi_buffer *out)
{
    const size_t count = batch->text->count, room = batch->text->room;
    const size_t tail_size = batch->text->tail.size;
    const char *head = batch->text->texts.data + batch->text->head.at + skipped;
    const char *tail = batch->text->texts.data + batch->text->tail.at;
    const char *from[OI_ROW_CELLS_MAX];
    size_t head_size = batch->text->head.size - skipped;

    for (size_t i = 0; i < count; i++)
        from[i] = batch->cells[i].texts[0] + BEFORE_SIZE - batch->before[i];
    for (size_t row = 0; row < batch->count; row++) {
        char *at = reserve(out, room);

        if (!at)
            return false;
        at = copy_piece(at, head, head_size);
        for (size_t i = 0; i < count; i++) {
            const char *cell = from[i] + row * sizeof(batch->cells[i].texts[0]);

            memcpy(at, cell, STEP);
            if (!batch->is_short[i])
                memcpy(at + STEP, cell + STEP, CELL_SIZE - STEP);
            at += batch->steps[i][row];
        }
        at = copy_piece(at, tail, tail_size);
        out->size = (size_t) (at - out->data);
        head -= skipped;
        head_size += skipped;
        skipped = 0;
    }
    return true;
}

/* Rows tell how large those after them will be. After the first batch there is room for all at
 * once, so that nothing is copied again and again as the buffer grows. */
static void
expect(struct batch *batch, size_t written, size_t left, struct oi_buffer *out)
{
    size_t size = written / batch->count * left;

    size += size / 16;
    if (size > out->capacity - out->size && size < EXPECTED_MAX && out->size_max == 0)
        (void) oi_buffer_reserve(out, size);
    batch->target = (struct oi_slice){ out->data + out->size, written };
    if (left == 0 || written > out->capacity - out->size)
        batch->target.size = 0;
}

/* What stands before a value, before each of its slots. */
static void
put_before(struct batch *batch)
{
    for (size_t i = 0; i < batch->text->count; i++) {
        const struct oi_row_piece *piece = &batch->text->before[i];

        batch->before[i] = piece->size;
        batch->cells[i].is_same = false;
        if (piece->size > BEFORE_SIZE)
            continue;
        for (size_t row = 0; row < batch->count; row++)
            memcpy(batch->cells[i].texts[row] + BEFORE_SIZE - piece->size,
                   batch->text->texts.data + piece->at, STEP);
    }
}

OI_VECTORISED void
oi_row_text_write(const struct oi_row_text *text, size_t from, size_t to, size_t skipped,
                  struct oi_time_writer *times, struct oi_buffer *out)
{
    struct batch batch;

    batch.text = text;
    batch.times = times;
    batch.count = to - from < OI_SLOT_COUNT ? to - from : OI_SLOT_COUNT;
    batch.target = (struct oi_slice){};
    put_before(&batch);
    for (batch.from = from; batch.from < to; batch.from += batch.count) {
        size_t begin = out->size;

        if (batch.count > to - batch.from)
            batch.count = to - batch.from;
        make_cells(&batch);
        look_over(&batch);
        if (!(batch.is_plain ? put_plain_rows(&batch, skipped, out)
                             : put_rows(&batch, skipped, out)))
            return;
        skipped = 0;
        expect(&batch, out->size - begin, to - batch.from - batch.count, out);
    }
}
