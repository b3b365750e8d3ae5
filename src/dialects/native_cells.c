/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: native_render_test.c reads what comes of it */
/*
 * One cell of an answer of the native API, in whichever form was asked for: JSON, NDJSON and CSV as
 * text, Parquet and Arrow as typed columns. What a row says is said once, so they cannot disagree.
 */
#include "dialects/native_internal.h"

#include "dialects/text.h"

#include <string.h>

bool
native_is_csv(const struct native_table *table)
{
    return table->rendering->query->format == NATIVE_CSV;
}

void
native_begin_row(struct native_table *table, size_t row_count)
{
    table->column = 0;
    if (table->cells)
        return;
    if (row_count > 0 && table->rendering->query->format == NATIVE_JSON)
        oi_buffer_add_char(table->out, ',');
    if (!native_is_csv(table))
        oi_buffer_add_char(table->out, '{');
}

void
native_end_row(struct native_table *table)
{
    if (table->cells)
        return;
    oi_assert(!table->columns[table->column].name);
    if (native_is_csv(table))
        oi_buffer_add_char(table->out, '\n');
    else
        oi_buffer_add_text(table->out,
                           table->rendering->query->format == NATIVE_JSON ? "}" : "}\n");
}

/* What stands before the next cell. */
static void
begin_cell(struct native_table *table)
{
    size_t size = table->sizes[table->column];
    char *at = oi_buffer_reserve(table->out, size + 4);

    if (!at)
        return;
    if (table->column > 0)
        *at++ = ',';
    if (!native_is_csv(table)) {
        *at++ = '"';
        memcpy(at, table->columns[table->column].name, size);
        at += size;
        *at++ = '"';
        *at++ = ':';
    }
    table->out->size = (size_t) (at - table->out->data);
    table->column++;
}

void
native_add_none(struct native_table *table)
{
    if (table->cells) {
        oi_cells_add_none(table->cells);
        return;
    }
    begin_cell(table);
    if (!native_is_csv(table))
        OI_ADD(table->out, "null");
}

void
native_add_market(struct native_table *table)
{
    if (table->cells) {
        oi_cells_add_text(table->cells, oi_slice_of(table->name));
        return;
    }
    begin_cell(table);
    oi_buffer_add_slice(table->out, table->market);
}

/* A CSV field: in quotes, quotes doubled, where it holds a separator. */
static void
quote_csv(const char *text, struct oi_buffer *out)
{
    if (!strpbrk(text, ",\"\r\n")) {
        oi_buffer_add_text(out, text);
        return;
    }
    oi_buffer_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            oi_buffer_add_char(out, '"');
        oi_buffer_add_char(out, *text);
    }
    oi_buffer_add_char(out, '"');
}

void
native_quote(const struct native_table *table, const char *text, struct oi_buffer *out)
{
    if (native_is_csv(table))
        quote_csv(text, out);
    else
        oi_json_quote(out, oi_slice_of(text));
}

/* NULL and "" are none. */
void
native_add_text(struct native_table *table, const char *text)
{
    if (!text || !text[0]) {
        native_add_none(table);
        return;
    }
    if (table->cells) {
        oi_cells_add_text(table->cells, oi_slice_of(text));
        return;
    }
    begin_cell(table);
    native_quote(table, text, table->out);
}

void
native_add_number(struct native_table *table, int64_t value)
{
    if (table->cells) {
        oi_cells_add_number(table->cells, value);
        return;
    }
    begin_cell(table);
    oi_buffer_add_int(table->out, value);
}

void
native_add_bool(struct native_table *table, bool value)
{
    if (table->cells) {
        oi_cells_add_number(table->cells, value);
        return;
    }
    begin_cell(table);
    oi_buffer_add_text(table->out, value ? "true" : "false");
}

/* Figures and times need no escaping; in JSON they stand in quotes. */
static void
add_mark(struct native_table *table)
{
    if (!native_is_csv(table))
        oi_buffer_add_char(table->out, '"');
}

void
native_add_decimal(struct native_table *table, const struct oi_decimal *value)
{
    if (value->form == OI_DECIMAL_NONE) {
        native_add_none(table);
        return;
    }
    if (table->cells) {
        char text[OI_DECIMAL_TEXT_SIZE];

        oi_cells_add_text(table->cells, (struct oi_slice){ text, oi_decimal_print(value, text) });
        return;
    }
    begin_cell(table);
    add_mark(table);
    if (value->form == OI_DECIMAL_PLAIN)
        oi_decimal_write_plain(value->mantissa, value->exponent, table->out);
    else
        oi_decimal_write(value, table->out);
    add_mark(table);
}

void
native_add_time(struct native_table *table, oi_time time)
{
    if (time == OI_TIME_NONE || time == OI_TIME_LATEST) {
        native_add_none(table);
        return;
    }
    if (table->cells) {
        oi_cells_add_number(table->cells, time);
        return;
    }
    begin_cell(table);
    add_mark(table);
    oi_text_add_time(table->times, time, oi_time_fraction_digits(time), table->out);
    add_mark(table);
}
