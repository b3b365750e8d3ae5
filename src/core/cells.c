/* SPDX-License-Identifier: Apache-2.0 */
/* Cells into columns, whose memory is kept from batch to batch. */
#include "core/cells.h"

#include "base/alloc.h"
#include "core/slots.h"

#include <string.h>

/* Of most figures; for the first guess of how much they take. */
#define FIGURE_SIZE 12

void
oi_cells_column(struct oi_cells *table, const char *name, enum oi_cell type)
{
    oi_assert(table->column_count < OI_CELLS_COLUMNS_MAX && table->row_count == 0);
    table->columns[table->column_count++] = (struct oi_cells_column){ .name = name, .type = type };
}

void
oi_cells_release(struct oi_cells *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        oi_vector_release(&table->columns[i].present);
        oi_vector_release(&table->columns[i].numbers);
        oi_buffer_release(&table->columns[i].bytes);
    }
    *table = (struct oi_cells){};
}

void
oi_cells_clear(struct oi_cells *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        oi_vector_clear(&table->columns[i].present);
        oi_vector_clear(&table->columns[i].numbers);
        oi_buffer_clear(&table->columns[i].bytes);
        table->columns[i].absent = 0;
    }
    table->row_count = table->at = table->more = 0;
}

void
oi_cells_expect(struct oi_cells *table, size_t row_count)
{
    table->expected = row_count;
}

/* Room for the first `size` bytes of a column's texts, as for those of all rows that are expected.
 */
static void
expect_bytes(const struct oi_cells *table, struct oi_buffer *bytes, size_t size)
{
    size_t count = table->more + 1;

    if (bytes->capacity == 0 && table->expected > count && size > 0)
        (void) oi_buffer_reserve(bytes, size / count * table->expected + size);
}

void
oi_cells_at_once(struct oi_cells *table, size_t count)
{
    oi_assert(table->at == 0 && count > 0);
    table->more = count - 1;
}

/* The next column with room for a cell of each row that is made at once, and then without. */
static struct oi_cells_column *
begin(struct oi_cells *table)
{
    struct oi_cells_column *column = &table->columns[table->at];
    size_t count = 1 + table->more;

    if (column->numbers.capacity == 0 && count < table->expected)
        count = table->expected;
    oi_vector_reserve(&column->present, count);
    oi_vector_reserve(&column->numbers, count);
    return column;
}

static void
end(struct oi_cells *table)
{
    struct oi_cells_column *column = &table->columns[table->at];

    column->present.count += 1 + table->more;
    column->numbers.count += 1 + table->more;
    if (++table->at == table->column_count) {
        table->at = 0;
        table->row_count += 1 + table->more;
    }
}

static void
add(struct oi_cells *table, int64_t number, int64_t step, bool is_present)
{
    struct oi_cells_column *column = begin(table);
    int64_t *numbers = column->numbers.items + column->numbers.count;

    for (size_t i = 0; i <= table->more; i++)
        numbers[i] = number + (int64_t) i * step;
    memset(column->present.items + column->present.count, is_present, 1 + table->more);
    column->absent += is_present ? 0 : 1 + table->more;
    end(table);
}

static bool
has_texts(const struct oi_cells *table)
{
    enum oi_cell type = table->columns[table->at].type;

    return type == OI_CELL_TEXT || type == OI_CELL_FIGURE;
}

void
oi_cells_add_none(struct oi_cells *table)
{
    add(table, (int64_t) table->columns[table->at].bytes.size, 0, false);
}

/* Each copy is as long as what is there already. */
static void
add_copies(struct oi_buffer *out, struct oi_slice text, size_t count)
{
    size_t size = text.size * count, done = text.size;
    char *at = oi_buffer_reserve(out, size);

    if (!at || size == 0)
        return;
    memcpy(at, text.data, text.size);
    for (size_t part; done < size; done += part) {
        part = done < size - done ? done : size - done;
        memcpy(at + done, at, part);
    }
    out->size += size;
}

void
oi_cells_add_text(struct oi_cells *table, struct oi_slice text)
{
    struct oi_buffer *bytes = &table->columns[table->at].bytes;

    oi_assert(has_texts(table));
    expect_bytes(table, bytes, text.size * (1 + table->more));
    add(table, (int64_t) bytes->size, (int64_t) text.size, true);
    add_copies(bytes, text, 1 + table->more);
}

void
oi_cells_add_number(struct oi_cells *table, int64_t value)
{
    oi_assert(!has_texts(table));
    add(table, value, 0, true);
}

int64_t *
oi_cells_add_numbers(struct oi_cells *table)
{
    struct oi_cells_column *column = begin(table);

    oi_assert(!has_texts(table));
    memset(column->present.items + column->present.count, true, 1 + table->more);
    end(table);
    return column->numbers.items + column->numbers.count - 1 - table->more;
}

void
oi_cells_add_times(struct oi_cells *table, const oi_time *first, size_t stride)
{
    struct oi_cells_column *column;
    int64_t *numbers;
    bool *present;

    if (!first) {
        oi_cells_add_none(table);
        return;
    }
    numbers = oi_cells_add_numbers(table);
    column = &table->columns[(table->at > 0 ? table->at : table->column_count) - 1];
    present = column->present.items + column->present.count - 1 - table->more;
    for (size_t i = 0; i <= table->more; i++) {
        memcpy(&numbers[i], (const char *) first + i * stride, sizeof(numbers[i]));
        present[i] = numbers[i] != OI_TIME_NONE && numbers[i] != OI_TIME_LATEST;
        numbers[i] = present[i] ? numbers[i] : 0;
        column->absent += !present[i];
    }
}

/* Texts in slots behind those of the column that `begin` made room in, from row `from` of those
 * made at once; returns how many are absent. */
static size_t
add_slots(struct oi_cells_column *column, const struct oi_slots *slots, size_t from, size_t count,
          const struct oi_decimals *figures)
{
    int64_t *numbers = column->numbers.items + column->numbers.count + from;
    bool *present = column->present.items + column->present.count + from;
    struct oi_buffer *bytes = &column->bytes;
    size_t absent = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = slots->sizes[i];
        char *at = bytes->capacity - bytes->size >= OI_SLOT_SIZE
                       ? bytes->data + bytes->size
                       : oi_buffer_reserve(bytes, OI_SLOT_SIZE);

        numbers[i] = (int64_t) bytes->size;
        present[i] = size != OI_SLOT_NONE;
        absent += size == OI_SLOT_NONE;
        if (at && OI_SLOT_IS_TEXT(size)) {
            memcpy(at, slots->first + i * slots->stride, OI_SLOT_SIZE);
            bytes->size += size;
        } else if (size == OI_SLOT_LONG) {
            struct oi_decimal figure = oi_decimals_get(figures, from + i);

            oi_decimal_write(&figure, bytes);
        }
    }
    return absent;
}

void
oi_cells_add_column(struct oi_cells *table, const struct oi_decimals *figures)
{
    char texts[OI_SLOT_COUNT][OI_SLOT_ROOM];
    uint8_t sizes[OI_SLOT_COUNT];
    const struct oi_slots slots = { texts[0], sizeof(texts[0]), sizes, '\0' };
    struct oi_cells_column *column = begin(table);

    oi_assert(has_texts(table));
    if (figures->mantissas)
        expect_bytes(table, &column->bytes, (table->more + 1) * FIGURE_SIZE);
    for (size_t from = 0, count; from <= table->more; from += count) {
        struct oi_decimals rest = oi_decimals_from_row(figures, from);

        count = table->more + 1 - from < OI_SLOT_COUNT ? table->more + 1 - from : OI_SLOT_COUNT;
        oi_slots_put_decimals(&slots, &rest, count);
        column->absent += add_slots(column, &slots, from, count, figures);
    }
    end(table);
}

void
oi_cells_add_decimals(struct oi_cells *table, const struct oi_decimal *first, size_t stride)
{
    size_t count = table->more + 1;
    int64_t *mantissas = oi_alloc(count * sizeof(*mantissas));
    int8_t *exponents = oi_alloc(count);
    struct oi_decimals column = { .mantissas = mantissas, .exponents = exponents };
    struct oi_decimal *wides = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct oi_decimal *value = (const void *) ((const char *) first + i * stride);

        mantissas[i] = value->mantissa;
        exponents[i] = oi_decimals_exponent(value);
        if (exponents[i] != OI_EXPONENT_WIDE)
            continue;
        if (!wides)
            wides = oi_alloc(count * sizeof(*wides));
        wides[i] = *value;
        mantissas[i] = (int64_t) i;
    }
    column.wides = wides;
    oi_cells_add_column(table, &column);
    oi_free(wides);
    oi_free(exponents);
    oi_free(mantissas);
}

struct oi_slice
oi_cells_text(const struct oi_cells_column *column, size_t row)
{
    size_t from = (size_t) column->numbers.items[row];
    size_t to = row + 1 < column->numbers.count ? (size_t) column->numbers.items[row + 1]
                                                : column->bytes.size;

    return to > from ? (struct oi_slice){ column->bytes.data + from, to - from }
                     : (struct oi_slice){ "", 0 };
}
