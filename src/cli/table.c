/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells of one row are texts in one buffer. Aligned rows are held back until widths are known from
 * a screenful of them; a wider cell further down pushes its own row and widens those after it.
 */
#include "cli/table.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/vector.h"
#include "core/cells.h"
#include "lake/export.h"

#include <string.h>

/* Widths are judged by this many rows at once. */
#define HELD_ROWS 256
#define GAP 2

const char *const oi_table_formats[] = { "table", "csv", "json", "ndjson", "parquet", NULL };

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_TIME, CELL_INTEGER, CELL_BOOLEAN };

struct cell {
    enum cell_kind kind;
    size_t from, size; /* in the buffer of texts */
    int64_t number;    /* the same, of what is no text */
};

struct oi_table {
    enum oi_table_format format;
    const struct oi_table_column *columns;
    size_t count;
    struct oi_printer *printer;
    struct oi_buffer texts;
    OI_VECTOR(struct cell) cells; /* of the rows held */
    size_t *widths;
    bool has_begun; /* the heading, or the bracket, stands */
    bool has_row;
};

struct oi_table *
oi_table_new(enum oi_table_format format, const struct oi_table_column *columns, size_t count,
             struct oi_printer *printer)
{
    struct oi_table *table = oi_alloc_zero(1, sizeof(*table));

    table->format = format;
    table->columns = columns;
    table->count = count;
    table->printer = printer;
    table->widths = oi_alloc_zero(count, sizeof(*table->widths));
    for (size_t i = 0; i < count; i++)
        table->widths[i] = strlen(columns[i].name);
    return table;
}

void
oi_table_free(struct oi_table **table)
{
    if (!table || !*table)
        return;
    oi_buffer_release(&(*table)->texts);
    oi_vector_release(&(*table)->cells);
    oi_free((*table)->widths);
    oi_free(*table);
    *table = NULL;
}

static void
add_cell(struct oi_table *table, enum cell_kind kind, size_t from)
{
    const struct cell cell = { .kind = kind, .from = from, .size = table->texts.size - from };

    oi_vector_push(&table->cells, cell);
}

static void
add_number(struct oi_table *table, enum cell_kind kind, size_t from, int64_t number)
{
    add_cell(table, kind, from);
    table->cells.items[table->cells.count - 1].number = number;
}

void
oi_table_none(struct oi_table *table)
{
    add_cell(table, CELL_NONE, table->texts.size);
}

void
oi_table_text(struct oi_table *table, const char *text)
{
    size_t from = table->texts.size;

    if (text)
        oi_buffer_add_text(&table->texts, text);
    add_cell(table, table->texts.size > from ? CELL_TEXT : CELL_NONE, from);
}

void
oi_table_decimal(struct oi_table *table, const struct oi_decimal *value)
{
    size_t from = table->texts.size;

    oi_decimal_write(value, &table->texts);
    add_cell(table, oi_decimal_is_none(value) ? CELL_NONE : CELL_TEXT, from);
}

void
oi_table_integer(struct oi_table *table, int64_t value)
{
    size_t from = table->texts.size;

    oi_buffer_add_int(&table->texts, value);
    add_number(table, CELL_INTEGER, from, value);
}

void
oi_table_bool(struct oi_table *table, bool value)
{
    size_t from = table->texts.size;

    oi_buffer_add_text(&table->texts, value ? "true" : "false");
    add_number(table, CELL_BOOLEAN, from, value);
}

void
oi_table_time(struct oi_table *table, oi_time time)
{
    size_t from = table->texts.size;

    if (time == OI_TIME_NONE || time == OI_TIME_LATEST) {
        oi_table_none(table);
        return;
    }
    oi_time_write(time, oi_time_fraction_digits(time), &table->texts);
    add_number(table, CELL_TIME, from, time);
}

static struct oi_slice
text_of(const struct oi_table *table, const struct cell *cell)
{
    return (struct oi_slice){ table->texts.data + cell->from, cell->size };
}

static void
write_csv(struct oi_slice text, struct oi_buffer *out)
{
    bool is_plain = true;

    for (size_t i = 0; i < text.size; i++)
        is_plain &= !strchr(",\"\r\n", text.data[i]);
    if (is_plain) {
        oi_buffer_add_slice(out, text);
        return;
    }
    oi_buffer_add_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            oi_buffer_add_char(out, '"');
        oi_buffer_add_char(out, text.data[i]);
    }
    oi_buffer_add_char(out, '"');
}

static void
write_csv_row(struct oi_table *table, const struct cell *cells, struct oi_buffer *out)
{
    for (size_t i = 0; i < table->count; i++) {
        if (i > 0)
            oi_buffer_add_char(out, ',');
        if (cells)
            write_csv(text_of(table, &cells[i]), out);
        else
            oi_buffer_add_text(out, table->columns[i].name);
    }
    oi_buffer_add_char(out, '\n');
}

static void
write_object(struct oi_table *table, const struct cell *cells, struct oi_buffer *out)
{
    for (size_t i = 0; i < table->count; i++) {
        oi_buffer_add_format(out, "%s\"%s\":", i == 0 ? "{" : ",", table->columns[i].name);
        if (cells[i].kind == CELL_NONE)
            oi_buffer_add_text(out, "null");
        else if (cells[i].kind == CELL_INTEGER || cells[i].kind == CELL_BOOLEAN)
            oi_buffer_add_slice(out, text_of(table, &cells[i]));
        else
            oi_json_quote(out, text_of(table, &cells[i]));
    }
    oi_buffer_add_char(out, '}');
}

/* Characters, not bytes: continuation bytes take no room. */
static size_t
width_of(struct oi_slice text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.size; i++)
        width += ((unsigned char) text.data[i] & 0xC0) != 0x80;
    return width;
}

static void
write_aligned(struct oi_table *table, const struct cell *cells, struct oi_buffer *out)
{
    size_t blanks = 0; /* before the next cell: none hang on at the end of a line */

    for (size_t i = 0; i < table->count; i++) {
        struct oi_slice text =
            cells ? text_of(table, &cells[i]) : oi_slice_of(table->columns[i].name);
        size_t width = width_of(text);
        size_t padding = table->widths[i] > width ? table->widths[i] - width : 0;

        if (table->columns[i].is_detail)
            continue;
        if (table->columns[i].is_number)
            blanks += padding;
        if (text.size > 0) {
            for (; blanks > 0; blanks--)
                oi_buffer_add_char(out, ' ');
            oi_buffer_add_slice(out, text);
        }
        blanks += GAP + (table->columns[i].is_number ? 0 : padding);
        if (text.size == 0)
            blanks += width;
    }
    oi_buffer_add_char(out, '\n');
}

static void
release_held(struct oi_table *table)
{
    struct oi_buffer *out = oi_printer_buffer(table->printer);

    for (size_t i = 0; i < table->cells.count; i++) {
        size_t width = width_of(text_of(table, &table->cells.items[i]));

        if (width > table->widths[i % table->count])
            table->widths[i % table->count] = width;
    }
    if (!table->has_begun)
        write_aligned(table, NULL, out);
    table->has_begun = true;
    for (size_t i = 0; i < table->cells.count; i += table->count)
        write_aligned(table, &table->cells.items[i], out);
}

static void
clear(struct oi_table *table)
{
    oi_vector_clear(&table->cells);
    oi_buffer_clear(&table->texts);
}

enum oi_status
oi_table_end_row(struct oi_table *table, struct oi_error *error)
{
    struct oi_buffer *out = oi_printer_buffer(table->printer);

    oi_assert(table->cells.count % table->count == 0);
    switch (table->format) {
    case OI_TABLE_ALIGNED:
        if (table->cells.count < HELD_ROWS * table->count)
            return OI_OK;
        release_held(table);
        break;
    case OI_TABLE_CSV:
        if (!table->has_begun)
            write_csv_row(table, NULL, out);
        write_csv_row(table, table->cells.items, out);
        break;
    case OI_TABLE_JSON:
        oi_buffer_add_text(out, table->has_row ? ",\n" : "[\n");
        write_object(table, table->cells.items, out);
        break;
    case OI_TABLE_NDJSON:
        write_object(table, table->cells.items, out);
        oi_buffer_add_char(out, '\n');
        break;
    case OI_TABLE_PARQUET: /* a file by columns: all of it in the end */
        return OI_OK;
    }
    table->has_begun = table->has_row = true;
    clear(table);
    return oi_printer_flush(table->printer, error);
}

/* The type that every cell of a column has; of different ones, and of none, text. */
static enum oi_cell
type_of(const struct oi_table *table, size_t column)
{
    enum cell_kind kind = CELL_NONE;

    for (size_t i = column; i < table->cells.count; i += table->count) {
        enum cell_kind other = table->cells.items[i].kind;

        if (other == CELL_NONE)
            continue;
        if (kind != CELL_NONE && kind != other)
            return OI_CELL_TEXT;
        kind = other;
    }
    switch (kind) {
    case CELL_TIME:
        return OI_CELL_TIME;
    case CELL_INTEGER:
        return OI_CELL_INTEGER;
    case CELL_BOOLEAN:
        return OI_CELL_BOOLEAN;
    case CELL_NONE:
    case CELL_TEXT:
        break;
    }
    return table->columns[column].is_number ? OI_CELL_FIGURE : OI_CELL_TEXT;
}

static void
add_typed(const struct oi_table *table, const struct cell *cell, enum oi_cell type,
          struct oi_cells *cells)
{
    if (cell->kind == CELL_NONE)
        oi_cells_add_none(cells);
    else if (type == OI_CELL_TEXT || type == OI_CELL_FIGURE)
        oi_cells_add_text(cells, text_of(table, cell));
    else
        oi_cells_add_number(cells, cell->number);
}

static enum oi_status
write_parquet(struct oi_table *table, struct oi_error *error)
{
    struct oi_cells cells = {};
    enum oi_status status;

    if (oi_printer_is_terminal(table->printer))
        return oi_fail(error, OI_E_INVALID, "parquet is not for a terminal: redirect it to a file");
    for (size_t i = 0; i < table->count; i++)
        oi_cells_column(&cells, table->columns[i].name, type_of(table, i));
    for (size_t i = 0; i < table->cells.count; i++)
        add_typed(table, &table->cells.items[i], cells.columns[i % table->count].type, &cells);
    status = oi_export_table(&cells, oi_printer_buffer(table->printer), error);
    oi_cells_release(&cells);
    return status;
}

enum oi_status
oi_table_finish(struct oi_table *table, struct oi_error *error)
{
    struct oi_buffer *out = oi_printer_buffer(table->printer);

    switch (table->format) {
    case OI_TABLE_ALIGNED:
        release_held(table);
        break;
    case OI_TABLE_CSV:
        if (!table->has_begun)
            write_csv_row(table, NULL, out);
        break;
    case OI_TABLE_JSON:
        oi_buffer_add_text(out, table->has_row ? "\n]\n" : "[]\n");
        break;
    case OI_TABLE_NDJSON:
        break;
    case OI_TABLE_PARQUET:
        OI_TRY(write_parquet(table, error));
        break;
    }
    clear(table);
    return oi_printer_flush(table->printer, error);
}
