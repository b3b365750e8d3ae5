/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrow's messages are flatbuffers (Schema.fbs, Message.fbs of Arrow's format 1.0, version V5).
 * They are written forwards here: a table first, with room for the offsets of what it points to,
 * which is appended and then entered. Every place is counted from the start of its flatbuffer,
 * which is aligned to 8 bytes.
 */
#include "lake/arrow.h"

#include "base/status.h"

#include <string.h>

#define VERSION_V5 4
#define HEADER_SCHEMA 1
#define HEADER_BATCH 3
#define CONTINUATION 0xFFFFFFFFu

/* Of Schema.fbs: union Type, enum TimeUnit. */
#define TYPE_INT 2
#define TYPE_UTF8 5
#define TYPE_BOOL 6
#define TYPE_TIMESTAMP 10
#define UNIT_NANOSECOND 3

#define SLOTS_MAX 8

static void
pad(struct oi_buffer *out, size_t alignment)
{
    while (out->size % alignment != 0)
        oi_buffer_add_u8(out, 0);
}

/* A field of a flatbuffers table: of 8, 4, 2 or 1 bytes, or an offset; size 0: left out. */
struct slot {
    size_t size;
    uint64_t value;
    bool is_offset;
    size_t place; /* set: where it stands */
};

static void
add_integer(struct oi_buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        oi_buffer_add_u8(out, (uint8_t) (value >> 8 * i));
}

static void
set_u32(struct oi_buffer *out, size_t place, uint32_t value)
{
    for (size_t i = 0; i < 4 && place + i < out->size; i++)
        out->data[place + i] = (char) (value >> 8 * i);
}

/* What the offset at `place` points to is appended next. */
static void
point_here(struct oi_buffer *out, size_t place)
{
    set_u32(out, place, (uint32_t) (out->size - place));
}

/* Append vtable and table, the largest fields first, so that all are aligned; returns its place. */
static size_t
add_table(struct oi_buffer *out, struct slot *slots, size_t count)
{
    static const size_t sizes[] = { 8, 4, 2, 1 };
    uint16_t offsets[SLOTS_MAX] = {}, size = 4;
    size_t vtable, table;

    for (size_t k = 0; k < OI_COUNT(sizes); k++) {
        for (size_t i = 0; i < count; i++) {
            if (slots[i].size != sizes[k])
                continue;
            offsets[i] = size;
            size = (uint16_t) (size + slots[i].size);
        }
    }
    pad(out, 2);
    vtable = out->size;
    oi_buffer_add_u16(out, (uint16_t) (4 + 2 * count));
    oi_buffer_add_u16(out, size);
    for (size_t i = 0; i < count; i++)
        oi_buffer_add_u16(out, offsets[i]);
    while (out->size % 8 != 4)
        oi_buffer_add_u8(out, 0);
    table = out->size;
    oi_buffer_add_u32(out, (uint32_t) (table - vtable));
    for (size_t k = 0; k < OI_COUNT(sizes); k++) {
        for (size_t i = 0; i < count; i++) {
            if (slots[i].size != sizes[k])
                continue;
            slots[i].place = out->size;
            add_integer(out, slots[i].value, slots[i].size);
        }
    }
    return table;
}

static void
add_string(struct oi_buffer *out, size_t place, const char *text)
{
    size_t size = strlen(text);

    pad(out, 4);
    point_here(out, place);
    oi_buffer_add_u32(out, (uint32_t) size);
    oi_buffer_add(out, text, size + 1);
}

/* A table that an offset points to. */
static void
add_child(struct oi_buffer *out, size_t place, struct slot *slots, size_t count)
{
    size_t table = add_table(out, slots, count);

    set_u32(out, place, (uint32_t) (table - place));
}

static void
add_type(struct oi_buffer *out, size_t place, enum oi_cell type)
{
    struct slot integer[] = { { 4, 64, false, 0 }, { 1, 1, false, 0 } };
    struct slot timestamp[] = { { 2, UNIT_NANOSECOND, false, 0 }, { 4, 0, true, 0 } };
    struct slot none[] = { {} };

    switch (type) {
    case OI_CELL_TEXT:
    case OI_CELL_FIGURE:
    case OI_CELL_BOOLEAN:
        add_child(out, place, none, 0);
        return;
    case OI_CELL_TIME:
        add_child(out, place, timestamp, 2);
        add_string(out, timestamp[1].place, "UTC");
        return;
    case OI_CELL_INTEGER:
        add_child(out, place, integer, 2);
        return;
    }
}

static uint64_t
type_number(enum oi_cell type)
{
    switch (type) {
    case OI_CELL_TEXT:
    case OI_CELL_FIGURE:
        return TYPE_UTF8;
    case OI_CELL_TIME:
        return TYPE_TIMESTAMP;
    case OI_CELL_INTEGER:
        return TYPE_INT;
    case OI_CELL_BOOLEAN:
        return TYPE_BOOL;
    }
    return 0;
}

/* Field: name, nullable, type (its number and itself), dictionary, children. */
static void
add_field(struct oi_buffer *out, size_t place, const struct oi_cells_column *column)
{
    struct slot field[] = { { 4, 0, true, 0 },
                            { 1, 1, false, 0 },
                            { 1, type_number(column->type), false, 0 },
                            { 4, 0, true, 0 },
                            {},
                            { 4, 0, true, 0 } };

    add_child(out, place, field, OI_COUNT(field));
    add_string(out, field[0].place, column->name);
    add_type(out, field[3].place, column->type);
    pad(out, 4);
    point_here(out, field[5].place);
    oi_buffer_add_u32(out, 0);
}

/* Message: version, header (its number and itself), length of the body. Returns the header's
 * place. */
static size_t
begin_message(struct oi_buffer *out, uint64_t header, uint64_t body_size)
{
    struct slot message[] = { { 2, VERSION_V5, false, 0 },
                              { 1, header, false, 0 },
                              { 4, 0, true, 0 },
                              { 8, body_size, false, 0 } };
    size_t table;

    oi_buffer_add_u32(out, 0); /* the root's offset */
    table = add_table(out, message, OI_COUNT(message));
    set_u32(out, 0, (uint32_t) table);
    return message[2].place;
}

static void
add_message(struct oi_buffer *metadata, struct oi_buffer *out)
{
    pad(metadata, 8);
    oi_buffer_add_u32(out, CONTINUATION);
    oi_buffer_add_u32(out, (uint32_t) metadata->size);
    oi_buffer_add_slice(out, oi_buffer_slice(metadata));
    oi_buffer_release(metadata);
}

void
oi_arrow_write_schema(const struct oi_cells *table, struct oi_buffer *out)
{
    struct slot schema[] = { {}, { 4, 0, true, 0 } };
    struct oi_buffer metadata = {};
    size_t places;

    add_child(&metadata, begin_message(&metadata, HEADER_SCHEMA, 0), schema, OI_COUNT(schema));
    pad(&metadata, 4);
    point_here(&metadata, schema[1].place);
    oi_buffer_add_u32(&metadata, (uint32_t) table->column_count);
    places = metadata.size;
    for (size_t i = 0; i < table->column_count; i++)
        oi_buffer_add_u32(&metadata, 0);
    for (size_t i = 0; i < table->column_count; i++)
        add_field(&metadata, places + 4 * i, &table->columns[i]);
    add_message(&metadata, out);
}

/* A batch's body and where its parts are. */
struct part {
    uint64_t from, size;
};
struct body {
    struct oi_buffer bytes;
    OI_VECTOR(struct part) parts;
};

static void
end_part(struct body *body, size_t from)
{
    struct part part = { from, body->bytes.size - from };

    oi_vector_push(&body->parts, part);
    pad(&body->bytes, 8);
}

/* One bit a row, the first in the lowest: of `bits`, or of which numbers are not 0. */
static void
add_bits(struct body *body, size_t count, const bool *bits, const int64_t *numbers)
{
    size_t from = body->bytes.size;

    oi_assert(count == 0 || bits || numbers);
    for (size_t i = 0; i < count; i += 8) {
        unsigned byte = 0;

        for (size_t k = 0; k < 8 && i + k < count; k++)
            byte |= (unsigned) (bits ? bits[i + k] : numbers[i + k] != 0) << k;
        oi_buffer_add_u8(&body->bytes, (uint8_t) byte);
    }
    end_part(body, from);
}

static void
add_texts(struct body *body, const struct oi_cells_column *column, size_t count)
{
    size_t from = body->bytes.size;

    for (size_t i = 0; i < count; i++)
        oi_buffer_add_u32(&body->bytes, (uint32_t) column->numbers.items[i]);
    oi_buffer_add_u32(&body->bytes, (uint32_t) column->bytes.size);
    end_part(body, from);
    from = body->bytes.size;
    oi_buffer_add_slice(&body->bytes, oi_buffer_slice(&column->bytes));
    end_part(body, from);
}

static void
add_column(struct body *body, const struct oi_cells_column *column, size_t count)
{
    size_t from = body->bytes.size;

    if (column->absent > 0)
        add_bits(body, count, column->present.items, NULL);
    else
        end_part(body, from);
    from = body->bytes.size;
    switch (column->type) {
    case OI_CELL_TEXT:
    case OI_CELL_FIGURE:
        add_texts(body, column, count);
        return;
    case OI_CELL_BOOLEAN:
        add_bits(body, count, NULL, column->numbers.items);
        return;
    case OI_CELL_TIME:
    case OI_CELL_INTEGER:
        for (size_t i = 0; i < count; i++)
            oi_buffer_add_u64(&body->bytes, (uint64_t) column->numbers.items[i]);
        end_part(body, from);
        return;
    }
}

/* RecordBatch: length, nodes (length and absent rows of each column), buffers. */
static void
add_batch_header(const struct oi_cells *table, const struct body *body, struct oi_buffer *metadata)
{
    struct slot batch[] = {
        { 8, table->row_count, false, 0 },
        { 4, 0, true, 0 },
        { 4, 0, true, 0 },
    };

    add_child(metadata, begin_message(metadata, HEADER_BATCH, body->bytes.size), batch,
              OI_COUNT(batch));
    while (metadata->size % 8 != 4)
        oi_buffer_add_u8(metadata, 0);
    point_here(metadata, batch[1].place);
    oi_buffer_add_u32(metadata, (uint32_t) table->column_count);
    for (size_t i = 0; i < table->column_count; i++) {
        oi_buffer_add_u64(metadata, table->row_count);
        oi_buffer_add_u64(metadata, table->columns[i].absent);
    }
    while (metadata->size % 8 != 4)
        oi_buffer_add_u8(metadata, 0);
    point_here(metadata, batch[2].place);
    oi_buffer_add_u32(metadata, (uint32_t) body->parts.count);
    for (size_t i = 0; i < body->parts.count; i++) {
        oi_buffer_add_u64(metadata, body->parts.items[i].from);
        oi_buffer_add_u64(metadata, body->parts.items[i].size);
    }
}

enum oi_status
oi_arrow_write_batch(const struct oi_cells *table, struct oi_buffer *out, struct oi_error *error)
{
    struct oi_buffer metadata = {};
    struct body body = {};

    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].bytes.size > INT32_MAX)
            return oi_fail(error, OI_E_FULL, "a column of a batch has more than 2 GiB of text");
    }
    for (size_t i = 0; i < table->column_count; i++)
        add_column(&body, &table->columns[i], table->row_count);
    add_batch_header(table, &body, &metadata);
    add_message(&metadata, out);
    oi_buffer_add_slice(out, oi_buffer_slice(&body.bytes));
    oi_buffer_release(&body.bytes);
    oi_vector_release(&body.parts);
    return OI_OK;
}

void
oi_arrow_write_end(struct oi_buffer *out)
{
    oi_buffer_add_u32(out, CONTINUATION);
    oi_buffer_add_u32(out, 0);
}
