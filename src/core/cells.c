/* SPDX-License-Identifier: Apache-2.0 */
/* Cells into columns, whose memory is kept from batch to batch. */
#include "core/cells.h"

#include "base/alloc.h"

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
    table->row_count = table->at = 0;
}

static struct oi_cells_column *
add(struct oi_cells *table, int64_t number, bool is_present)
{
    struct oi_cells_column *column = &table->columns[table->at];

    oi_vector_push(&column->present, is_present);
    oi_vector_push(&column->numbers, number);
    column->absent += !is_present;
    if (++table->at == table->column_count) {
        table->at = 0;
        table->row_count++;
    }
    return column;
}

void
oi_cells_add_none(struct oi_cells *table)
{
    (void) add(table, (int64_t) table->columns[table->at].bytes.size, false);
}

void
oi_cells_add_text(struct oi_cells *table, struct oi_slice text)
{
    struct oi_cells_column *column = &table->columns[table->at];

    oi_assert(column->type == OI_CELL_TEXT || column->type == OI_CELL_FIGURE);
    column = add(table, (int64_t) column->bytes.size, true);
    oi_buffer_add_slice(&column->bytes, text);
}

void
oi_cells_add_number(struct oi_cells *table, int64_t value)
{
    const struct oi_cells_column *column = &table->columns[table->at];

    oi_assert(column->type != OI_CELL_TEXT && column->type != OI_CELL_FIGURE);
    (void) add(table, value, true);
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
