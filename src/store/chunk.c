/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks: a header, then the columns that hold anything, each behind its number and its size, so
 * that a reader steps over those it was not asked for. Times of the exchange and of our knowing are
 * kept as their distance from the row's time, which is what is regular about them.
 */
#include "store/chunk.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/crc32c.h"
#include "codec/column.h"
#include "store/chunk_internal.h"

#include <assert.h>
#include <string.h>

/* Columns on disk; numbers are never reused. The USD figure is behind what predicts it. */
enum part {
    PART_TIME = 1,
    PART_EXCHANGE_TIME = 2,
    PART_KNOWN_TIME = 3,
    PART_BATCH = 4,
    PART_OPEN_INTEREST = 5,
    PART_MARK_PRICE = 6,
    PART_INDEX_PRICE = 7,
    PART_LAST_PRICE = 8,
    PART_VALUE_USD = 9,
    PART_FLAGS = 10,
    PART_COUNT = 11,
};

static_assert(OI_CHUNK_HABITS >= PART_COUNT, "each part has its habit, and one is spare");
/* That of a USD figure which is not predicted. */
#define HABIT_PLAIN_VALUE 0

/* Decimals are parts 5 to 9. */
#define DECIMALS_FIRST PART_OPEN_INTEREST
#define DECIMALS_COUNT 5
/* Arrays of integers of a decoded chunk: every part but the flags, and one to work in. */
#define SLOT_SCRATCH 0
#define SLOT_COUNT 10

/* Times that may be absent. */
enum presence { PRESENCE_ALL = 0, PRESENCE_NONE = 1, PRESENCE_SOME = 2 };

/* version, checksum of key and header, checksum of the columns */
#define HEADER_FIXED_SIZE 9

static uint64_t
zigzag(int64_t value)
{
    return ((uint64_t) value << 1) ^ (uint64_t) (value >> 63);
}

static int64_t
unzigzag(uint64_t value)
{
    return (int64_t) ((value >> 1) ^ (~(value & 1) + 1));
}

static int64_t
wrap_add(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a + (uint64_t) b);
}

static int64_t
wrap_subtract(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a - (uint64_t) b);
}

/*
 * Writing.
 */

struct writer {
    const struct oi_columns *rows;
    size_t count;
    struct oi_chunk_decimals decimals[DECIMALS_COUNT];
    int64_t *scratch, *values;      /* `count` each */
    struct oi_column_habit *habits; /* by part */
    struct oi_buffer part;          /* the column being made */
    struct oi_buffer body;          /* those that are done */
};

/* Close the part being made: its number and size before it. */
static void
finish_part(struct writer *writer, enum part part)
{
    oi_buffer_add_u8(&writer->body, (uint8_t) part);
    oi_buffer_add_varint(&writer->body, writer->part.size);
    oi_buffer_add_slice(&writer->body, oi_buffer_slice(&writer->part));
    oi_buffer_clear(&writer->part);
}

OI_VECTORISED static size_t
absent_of_chunk_times(const int64_t *values, size_t count)
{
    size_t absent = 0;

    for (size_t i = 0; i < count; i++)
        absent += values[i] == OI_TIME_NONE;
    return absent;
}

OI_VECTORISED static void
distances_of_chunk_times(int64_t *values, const int64_t *time, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = wrap_subtract(values[i], time[i]);
}

/* writer->values as distances from the row's time; OI_TIME_NONE is absent. */
static void
write_times(struct writer *writer, enum part part)
{
    int64_t *values = writer->values;
    int64_t *is_there = writer->scratch;
    size_t absent = absent_of_chunk_times(values, writer->count);
    int64_t before = 0;

    if (absent == 0) {
        distances_of_chunk_times(values, writer->rows->time, writer->count);
        oi_buffer_add_u8(&writer->part, PRESENCE_ALL);
        oi_column_encode_like(values, writer->count, &writer->habits[part], &writer->part);
        finish_part(writer, part);
        return;
    }
    if (absent == writer->count) {
        oi_buffer_add_u8(&writer->part, PRESENCE_NONE);
        finish_part(writer, part);
        return;
    }
    for (size_t i = writer->count; i-- > 0;) {
        is_there[i] = values[i] != OI_TIME_NONE;
        if (is_there[i])
            before = values[i] = wrap_subtract(values[i], writer->rows->time[i]);
    }
    for (size_t i = 0; i < writer->count; i++) {
        if (!is_there[i])
            values[i] = before; /* repeating costs nothing */
        before = values[i];
    }
    oi_buffer_add_u8(&writer->part, PRESENCE_SOME);
    oi_column_encode(is_there, writer->count, &writer->part);
    oi_column_encode_like(values, writer->count, &writer->habits[part], &writer->part);
    finish_part(writer, part);
}

/* The USD figure as it is, or as its distance from a prediction: whichever is smaller. A prediction
 * within a byte a row is taken without trying, plain figures never get there. */
static void
write_value(struct writer *writer, const struct oi_chunk_decimals *value)
{
    struct oi_chunk_decimals plain = *value;
    size_t size;

    if (oi_chunk_value_encode(value, &writer->decimals[0], &writer->decimals[1], writer->count,
                              writer->scratch, writer->count, &writer->part))
        return;
    plain.habit = &writer->habits[HABIT_PLAIN_VALUE];
    oi_chunk_decimals_encode(&plain, writer->count, writer->scratch, &writer->part);
    size = writer->part.size;
    if (oi_chunk_value_encode(value, &writer->decimals[0], &writer->decimals[1], writer->count,
                              writer->scratch, size, &writer->part))
        oi_buffer_consume(&writer->part, size);
}

static void
write_decimals(struct writer *writer)
{
    const struct oi_decimals *const columns[DECIMALS_COUNT] = {
        &writer->rows->open_interest, &writer->rows->mark_price, &writer->rows->index_price,
        &writer->rows->last_price,    &writer->rows->value_usd,
    };

    for (unsigned i = 0; i < DECIMALS_COUNT; i++) {
        struct oi_chunk_decimals *decimals = &writer->decimals[i];

        oi_chunk_decimals_take(columns[i], writer->count, decimals);
        decimals->habit = &writer->habits[i + DECIMALS_FIRST];
        if (!decimals->is_there)
            continue;
        if (i + DECIMALS_FIRST == PART_VALUE_USD)
            write_value(writer, decimals);
        else
            oi_chunk_decimals_encode(decimals, writer->count, writer->scratch, &writer->part);
        finish_part(writer, i + DECIMALS_FIRST);
    }
}

static void
write_flags(struct writer *writer)
{
    uint16_t any = 0;

    if (!writer->rows->flags)
        return;
    for (size_t i = 0; i < writer->count; i++) {
        writer->scratch[i] = writer->rows->flags[i];
        any |= writer->rows->flags[i];
    }
    if (any == 0)
        return;
    oi_column_encode_like(writer->scratch, writer->count, &writer->habits[PART_FLAGS],
                          &writer->part);
    finish_part(writer, PART_FLAGS);
}

static void
write_body(struct writer *writer, const oi_time *commit_times)
{
    const struct oi_columns *rows = writer->rows;

    oi_column_encode_like(rows->time, writer->count, &writer->habits[PART_TIME], &writer->part);
    finish_part(writer, PART_TIME);
    if (rows->exchange_time) {
        memcpy(writer->values, rows->exchange_time, writer->count * sizeof(oi_time));
        write_times(writer, PART_EXCHANGE_TIME);
    }
    for (size_t i = 0; i < writer->count; i++) {
        oi_time known = rows->known_time[i];

        oi_assert(known != OI_TIME_NONE);
        writer->values[i] = commit_times && commit_times[i] == known ? OI_TIME_NONE : known;
    }
    write_times(writer, PART_KNOWN_TIME);
    for (size_t i = 0; i < writer->count; i++)
        writer->scratch[i] = (int64_t) rows->batch[i];
    oi_column_encode_like(writer->scratch, writer->count, &writer->habits[PART_BATCH],
                          &writer->part);
    finish_part(writer, PART_BATCH);
    write_decimals(writer);
    write_flags(writer);
}

/* Known times and batches at once: the bounds of both. */
OI_VECTORISED static void
bounds_of_chunk(const oi_time *known_time, const uint64_t *batch, size_t count,
                struct oi_chunk_header *header)
{
    oi_time first_known = known_time[0], last_known = known_time[0];
    uint64_t first_batch = batch[0], last_batch = batch[0];

    for (size_t i = 1; i < count; i++) {
        first_known = known_time[i] < first_known ? known_time[i] : first_known;
        last_known = known_time[i] > last_known ? known_time[i] : last_known;
        first_batch = batch[i] < first_batch ? batch[i] : first_batch;
        last_batch = batch[i] > last_batch ? batch[i] : last_batch;
    }
    header->first_known = first_known;
    header->last_known = last_known;
    header->first_batch = first_batch;
    header->last_batch = last_batch;
}

static struct oi_chunk_header
summarise(const struct oi_columns *rows)
{
    struct oi_chunk_header header = { .version = OI_CHUNK_VERSION,
                                      .count = rows->count,
                                      .first_time = rows->time[0],
                                      .last_time = rows->time[rows->count - 1] };

    bounds_of_chunk(rows->known_time, rows->batch, rows->count, &header);
    return header;
}

/* Over the key and all of the header but the checksum itself. */
static uint32_t
header_checksum(struct oi_slice key, uint8_t version, struct oi_slice rest)
{
    uint32_t crc = oi_crc32c(0, key.data, key.size);

    crc = oi_crc32c(crc, &version, sizeof(version));
    return oi_crc32c(crc, rest.data, rest.size);
}

static void
write_chunk(struct oi_slice key, const struct oi_chunk_header *header, struct oi_slice body,
            uint32_t body_crc, struct oi_buffer *out)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer rest = {};

    oi_buffer_add_u32(&rest, body_crc);
    oi_buffer_add_varint(&rest, header->count);
    oi_buffer_add_u64(&rest, (uint64_t) header->first_time);
    oi_buffer_add_varint(&rest, (uint64_t) wrap_subtract(header->last_time, header->first_time));
    oi_buffer_add_varint(&rest, zigzag(wrap_subtract(header->first_known, header->first_time)));
    oi_buffer_add_varint(&rest, (uint64_t) wrap_subtract(header->last_known, header->first_known));
    oi_buffer_add_varint(&rest, header->first_batch);
    oi_buffer_add_varint(&rest, header->last_batch - header->first_batch);
    oi_buffer_add_u8(out, header->version);
    oi_buffer_add_u32(out, header_checksum(key, header->version, oi_buffer_slice(&rest)));
    oi_buffer_add_slice(out, oi_buffer_slice(&rest));
    oi_buffer_add_slice(out, body);
}

void
oi_chunk_encode(struct oi_slice key, const struct oi_columns *rows, const oi_time *commit_times,
                struct oi_buffer *out)
{
    struct oi_chunk_habits none = {};

    oi_chunk_encode_like(key, rows, commit_times, &none, out);
}

void
oi_chunk_encode_like(struct oi_slice key, const struct oi_columns *rows,
                     const oi_time *commit_times, struct oi_chunk_habits *habits,
                     struct oi_buffer *out)
{
    size_t count = rows->count;
    struct writer writer = { .rows = rows, .count = count, .habits = habits->columns };
    struct oi_chunk_header header;
    int64_t *memory;
    int8_t *exponents;

    oi_assert(count > 0);
    oi_assert(count <= OI_CHUNK_ROWS_MAX);
    memory = oi_alloc((DECIMALS_COUNT + 2) * count * sizeof(*memory));
    exponents = oi_alloc(DECIMALS_COUNT * count);
    for (size_t i = 0; i < DECIMALS_COUNT; i++) {
        writer.decimals[i].mantissas = memory + i * count;
        writer.decimals[i].exponents = exponents + i * count;
    }
    writer.scratch = memory + DECIMALS_COUNT * count;
    writer.values = writer.scratch + count;
    write_body(&writer, commit_times);
    header = summarise(rows);
    write_chunk(key, &header, oi_buffer_slice(&writer.body),
                oi_crc32c(0, writer.body.data, writer.body.size), out);
    for (size_t i = 0; i < DECIMALS_COUNT; i++)
        oi_free((void *) (uintptr_t) writer.decimals[i].wides);
    oi_buffer_release(&writer.part);
    oi_buffer_release(&writer.body);
    oi_free(exponents);
    oi_free(memory);
}

/* The engine keeps a large value in pages of its own, behind a head. Pages elsewhere may be larger;
 * then this does no harm. */
#define PAGE_SIZE 4096
#define PAGE_HEAD 16
/* Smaller chunks would become much larger or smaller for it. */
#define FITTED_PAGES_MIN 4
/* What neighbours differ by in size, nearly always. */
#define FIT_SLACK_PART 128
/* More is not little. */
#define FITTED_EMPTY_MAX (PAGE_SIZE / 4)

size_t
oi_chunk_rows_fitting(size_t rows, size_t sample_rows, size_t sample_size)
{
    size_t pages, room;

    if (sample_rows == 0)
        return rows;
    pages = (rows * sample_size / sample_rows + PAGE_SIZE / 2) / PAGE_SIZE;
    if (pages < FITTED_PAGES_MIN)
        return rows;
    room = pages * PAGE_SIZE - PAGE_HEAD;
    return (room - room / FIT_SLACK_PART) * sample_rows / sample_size;
}

bool
oi_chunk_fits(size_t size)
{
    size_t pages = (size + PAGE_HEAD + PAGE_SIZE - 1) / PAGE_SIZE;

    return pages < FITTED_PAGES_MIN || pages * PAGE_SIZE - PAGE_HEAD - size <= FITTED_EMPTY_MAX;
}

/*
 * Reading.
 */

/* The header, the columns behind it and their checksum. */
static enum oi_status
read_header(struct oi_slice key, struct oi_slice bytes, struct oi_chunk_header *ret_header,
            struct oi_slice *ret_body, uint32_t *ret_body_crc, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    struct oi_chunk_header header;
    uint32_t crc;
    struct oi_slice rest;

    header.version = oi_cursor_u8(&cursor);
    if (!cursor.failed && header.version > OI_CHUNK_VERSION)
        return oi_fail(error, OI_E_INVALID, "a chunk of format %u, newer than %u", header.version,
                       OI_CHUNK_VERSION);
    crc = oi_cursor_u32(&cursor);
    *ret_body_crc = oi_cursor_u32(&cursor);
    header.count = oi_cursor_varint(&cursor);
    header.first_time = (oi_time) oi_cursor_u64(&cursor);
    header.last_time = wrap_add(header.first_time, (int64_t) oi_cursor_varint(&cursor));
    header.first_known = wrap_add(header.first_time, unzigzag(oi_cursor_varint(&cursor)));
    header.last_known = wrap_add(header.first_known, (int64_t) oi_cursor_varint(&cursor));
    header.first_batch = oi_cursor_varint(&cursor);
    header.last_batch = header.first_batch + oi_cursor_varint(&cursor);
    if (cursor.failed || header.version == 0)
        return oi_fail(error, OI_E_CORRUPT, "a chunk that is cut");
    *ret_body = (struct oi_slice){ (const char *) cursor.at, oi_cursor_left(&cursor) };
    rest.data = bytes.data + HEADER_FIXED_SIZE - sizeof(crc);
    rest.size = (size_t) (ret_body->data - rest.data);
    if (header_checksum(key, header.version, rest) != crc)
        return oi_fail(error, OI_E_CORRUPT, "the checksum of a chunk's header is wrong");
    if (header.count < 1 || header.count > OI_CHUNK_ROWS_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a chunk of %zu rows", header.count);
    *ret_header = header;
    return OI_OK;
}

enum oi_status
oi_chunk_header_read(struct oi_slice key, struct oi_slice bytes, struct oi_chunk_header *ret_header,
                     struct oi_error *error)
{
    struct oi_slice body;
    uint32_t body_crc;

    return read_header(key, bytes, ret_header, &body, &body_crc, error);
}

void
oi_chunk_stamp(struct oi_slice key, struct oi_slice bytes, oi_time commit_time,
               struct oi_buffer *out)
{
    struct oi_chunk_header header;
    struct oi_slice body;
    uint32_t body_crc;
    enum oi_status status = read_header(key, bytes, &header, &body, &body_crc, NULL);

    oi_assert(status == OI_OK);
    if (header.first_known == OI_CHUNK_UNCOMMITTED)
        header.first_known = commit_time;
    if (header.last_known == OI_CHUNK_UNCOMMITTED)
        header.last_known = commit_time;
    write_chunk(key, &header, body, body_crc, out);
}

/* Where each part is; those that are absent have no data. */
static enum oi_status
find_parts(struct oi_slice body, struct oi_slice parts[PART_COUNT], struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    unsigned before = 0;

    memset(parts, 0, PART_COUNT * sizeof(*parts));
    while (oi_cursor_left(&cursor) > 0) {
        uint8_t part = oi_cursor_u8(&cursor);
        uint64_t size = oi_cursor_varint(&cursor);

        if (cursor.failed || part <= before || part >= PART_COUNT || size > oi_cursor_left(&cursor))
            return oi_fail(error, OI_E_CORRUPT, "a chunk's columns are not where they should be");
        parts[part] = oi_cursor_bytes(&cursor, size);
        before = part;
    }
    if (!parts[PART_TIME].data || !parts[PART_KNOWN_TIME].data || !parts[PART_BATCH].data)
        return oi_fail(error, OI_E_CORRUPT, "a chunk without its times or batches");
    return OI_OK;
}

const char *const oi_chunk_part_names[OI_CHUNK_PARTS] = {
    "headers",    "time",        "exchange_time", "known_time", "batch", "open_interest",
    "mark_price", "index_price", "last_price",    "value_usd",  "flags",
};
static_assert(OI_CHUNK_PARTS == PART_COUNT, "each part has its name");

enum oi_status
oi_chunk_measure(struct oi_slice key, struct oi_slice bytes, uint64_t sizes[OI_CHUNK_PARTS],
                 struct oi_error *error)
{
    struct oi_slice parts[PART_COUNT], body;
    struct oi_chunk_header header;
    uint32_t body_crc;
    size_t rest = bytes.size;

    OI_TRY(read_header(key, bytes, &header, &body, &body_crc, error));
    OI_TRY(find_parts(body, parts, error));
    for (unsigned part = 1; part < PART_COUNT; part++) {
        sizes[part] += parts[part].size;
        rest -= parts[part].size;
    }
    sizes[0] += rest;
    return OI_OK;
}

static void
make_room(struct oi_chunk *chunk, size_t count)
{
    if (count <= chunk->row_capacity)
        return;
    oi_free(chunk->memory);
    oi_free(chunk->exponents);
    oi_free(chunk->flags);
    chunk->row_capacity = (count + 511) / 512 * 512;
    chunk->memory = oi_alloc(SLOT_COUNT * chunk->row_capacity * sizeof(*chunk->memory));
    chunk->exponents = oi_alloc(DECIMALS_COUNT * chunk->row_capacity);
    chunk->flags = oi_alloc(chunk->row_capacity * sizeof(*chunk->flags));
}

static int64_t *
slot(const struct oi_chunk *chunk, unsigned index)
{
    return chunk->memory + index * chunk->row_capacity;
}

/* What write_times wrote; an absent part is absent in every row. */
static enum oi_status
read_times(struct oi_chunk *chunk, enum part part, struct oi_slice bytes, bool *ret_is_partial,
           struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    uint8_t presence = bytes.data ? oi_cursor_u8(&cursor) : PRESENCE_NONE;
    size_t count = chunk->decoded;
    const int64_t *is_there = slot(chunk, SLOT_SCRATCH);
    const int64_t *time = slot(chunk, PART_TIME);
    int64_t *values = slot(chunk, part);

    if (cursor.failed || presence > PRESENCE_SOME)
        return oi_fail(error, OI_E_CORRUPT, "times that are neither there nor not");
    *ret_is_partial = presence != PRESENCE_ALL;
    if (presence == PRESENCE_NONE) {
        for (size_t i = chunk->first; i < count; i++)
            values[i] = OI_TIME_NONE;
        return OI_OK;
    }
    if (presence == PRESENCE_SOME)
        OI_TRY(
            oi_chunk_column_decode(&cursor, chunk->header.count, slot(chunk, SLOT_SCRATCH), error));
    OI_TRY(oi_chunk_column_decode(&cursor, count, values, error));
    for (size_t i = chunk->first; i < count; i++)
        values[i] = wrap_add(values[i], time[i]);
    if (presence == PRESENCE_ALL)
        return OI_OK;
    for (size_t i = chunk->first; i < count; i++)
        values[i] = is_there[i] ? values[i] : OI_TIME_NONE;
    return OI_OK;
}

/* Decode part `index` + 5; of the USD figure what predicts it has been decoded before. */
static enum oi_status
read_decimals(struct oi_chunk *chunk, unsigned index, struct oi_slice bytes,
              struct oi_chunk_decimals all[DECIMALS_COUNT], struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    struct oi_chunk_decimals *decimals = &all[index], from_first;
    unsigned flags = 0;

    decimals->mantissas = slot(chunk, DECIMALS_FIRST + index);
    decimals->exponents = chunk->exponents + index * chunk->row_capacity;
    OI_TRY(oi_chunk_decimals_decode_head(&cursor, chunk->header.count, decimals, &flags,
                                         slot(chunk, SLOT_SCRATCH), error));
    decimals->is_there = true;
    if (flags == 0) {
        OI_TRY(oi_chunk_decimals_decode(&cursor, chunk, decimals, error));
        return oi_chunk_decimals_check(decimals, chunk->decoded, error);
    }
    if (flags != OI_CHUNK_PREDICTED || DECIMALS_FIRST + index != PART_VALUE_USD ||
        decimals->form == OI_CHUNK_FORM_ROWS)
        return oi_fail(error, OI_E_CORRUPT, "decimals of an unknown form");
    from_first = *decimals;
    OI_TRY(oi_chunk_value_decode(&cursor, chunk, &all[0], &all[1], decimals->mantissas, error));
    from_first.mantissas += chunk->first;
    from_first.exponents += chunk->first;
    return oi_chunk_decimals_check(&from_first, chunk->decoded - chunk->first, error);
}

static enum oi_status
read_all_decimals(struct oi_chunk *chunk, const struct oi_slice parts[PART_COUNT], unsigned columns,
                  struct oi_error *error)
{
    static const unsigned asked_by[DECIMALS_COUNT] = { OI_COLUMN_OPEN_INTEREST,
                                                       OI_COLUMN_MARK_PRICE, OI_COLUMN_INDEX_PRICE,
                                                       OI_COLUMN_LAST_PRICE, OI_COLUMN_VALUE_USD };
    struct oi_decimals *const targets[DECIMALS_COUNT] = {
        &chunk->columns.open_interest, &chunk->columns.mark_price, &chunk->columns.index_price,
        &chunk->columns.last_price,    &chunk->columns.value_usd,
    };
    struct oi_chunk_decimals all[DECIMALS_COUNT] = {};
    struct oi_slice usd = parts[PART_VALUE_USD];
    unsigned needed = columns;

    if (columns & OI_COLUMN_VALUE_USD && usd.size > 0 &&
        (unsigned char) usd.data[0] & OI_CHUNK_PREDICTED)
        needed |= OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE;
    for (unsigned i = 0; i < DECIMALS_COUNT; i++) {
        if (needed & asked_by[i] && parts[DECIMALS_FIRST + i].data)
            OI_TRY(read_decimals(chunk, i, parts[DECIMALS_FIRST + i], all, error));
    }
    for (unsigned i = 0; i < DECIMALS_COUNT; i++) {
        if (!(columns & asked_by[i]) || !all[i].is_there)
            continue;
        targets[i]->mantissas = all[i].mantissas;
        targets[i]->exponent = all[i].exponent;
        if (all[i].form != OI_CHUNK_FORM_COMMON)
            targets[i]->exponents = all[i].exponents;
        if (all[i].wide_count > 0)
            targets[i]->wides = chunk->wides + all[i].wide_first;
    }
    return OI_OK;
}

static enum oi_status
read_flags(struct oi_chunk *chunk, struct oi_slice bytes, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    const int64_t *values = slot(chunk, SLOT_SCRATCH);
    size_t count = chunk->decoded;

    chunk->columns.flags = chunk->flags;
    if (!bytes.data) {
        memset(chunk->flags, 0, count * sizeof(*chunk->flags));
        return OI_OK;
    }
    OI_TRY(oi_chunk_column_decode(&cursor, count, slot(chunk, SLOT_SCRATCH), error));
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t) values[i] > UINT16_MAX)
            return oi_fail(error, OI_E_CORRUPT, "flags of more than 16 bits");
        chunk->flags[i] = (uint16_t) values[i];
    }
    return OI_OK;
}

/* Decode times until `last` is among them or behind; how many rows that takes is guessed from where
 * it lies in the chunk, in whole blocks, since only those can be decoded without what follows. */
static enum oi_status
read_time(struct oi_chunk *chunk, struct oi_slice bytes, oi_time last, struct oi_error *error)
{
    const struct oi_chunk_header *header = &chunk->header;
    oi_time *time = slot(chunk, PART_TIME);
    size_t rows = header->count;

    if (last < header->last_time) {
        uint64_t part =
            last < header->first_time ? 0 : (uint64_t) wrap_subtract(last, header->first_time);
        uint64_t whole = (uint64_t) wrap_subtract(header->last_time, header->first_time);

        rows = (size_t) ((unsigned __int128) part * header->count / (whole + 1)) + 2;
    }
    for (;; rows += OI_COLUMN_BLOCK) {
        struct oi_cursor cursor = oi_cursor_over(bytes);

        rows = (rows + OI_COLUMN_BLOCK - 1) / OI_COLUMN_BLOCK * OI_COLUMN_BLOCK;
        if (rows > header->count)
            rows = header->count;
        OI_TRY(oi_chunk_column_decode(&cursor, rows, time, error));
        if (rows == header->count || time[rows - 1] > last)
            break;
    }
    chunk->decoded = rows;
    chunk->columns.time = time;
    return OI_OK;
}

/* The first row of a time at or behind `time` among the decoded ones. */
static size_t
find_row(const struct oi_chunk *chunk, oi_time time)
{
    return oi_times_find(slot(chunk, PART_TIME), chunk->decoded, time);
}

static size_t
find_first(const struct oi_chunk *chunk, const struct oi_chunk_wanted *wanted)
{
    size_t first = find_row(chunk, wanted->from), end = chunk->decoded;

    if (wanted->last != OI_TIME_LATEST)
        end = find_row(chunk, wanted->last + 1);
    return end > first && end - first > wanted->rows_max ? end - wanted->rows_max : first;
}

static enum oi_status
read_columns(struct oi_chunk *chunk, const struct oi_slice parts[PART_COUNT], unsigned columns,
             struct oi_error *error)
{
    struct oi_cursor batch = oi_cursor_over(parts[PART_BATCH]);
    size_t count = chunk->decoded;
    bool is_partial;

    if (columns & OI_COLUMN_EXCHANGE_TIME) {
        OI_TRY(
            read_times(chunk, PART_EXCHANGE_TIME, parts[PART_EXCHANGE_TIME], &is_partial, error));
        chunk->columns.exchange_time = slot(chunk, PART_EXCHANGE_TIME);
    }
    if (columns & OI_COLUMN_KNOWN_TIME) {
        OI_TRY(read_times(chunk, PART_KNOWN_TIME, parts[PART_KNOWN_TIME], &chunk->known_is_commit,
                          error));
        chunk->known_time = slot(chunk, PART_KNOWN_TIME);
        chunk->columns.known_time = chunk->known_time;
    }
    if (columns & OI_COLUMN_BATCH) {
        OI_TRY(oi_chunk_column_decode(&batch, count, slot(chunk, PART_BATCH), error));
        /* Signed and unsigned of one width may share memory. */
        chunk->columns.batch = (const uint64_t *) slot(chunk, PART_BATCH);
    }
    OI_TRY(read_all_decimals(chunk, parts, columns, error));
    if (columns & OI_COLUMN_FLAGS)
        OI_TRY(read_flags(chunk, parts[PART_FLAGS], error));
    return OI_OK;
}

enum oi_status
oi_chunk_decode_part(struct oi_slice key, struct oi_slice bytes, unsigned columns,
                     const struct oi_chunk_wanted *wanted, struct oi_chunk *chunk,
                     struct oi_error *error)
{
    struct oi_slice parts[PART_COUNT];
    struct oi_slice body;
    uint32_t body_crc;

    chunk->columns = (struct oi_columns){};
    chunk->known_time = NULL;
    chunk->known_is_commit = false;
    chunk->wide_count = 0;
    OI_TRY(read_header(key, bytes, &chunk->header, &body, &body_crc, error));
    if (!wanted->is_sealed && oi_crc32c(0, body.data, body.size) != body_crc)
        return oi_fail(error, OI_E_CORRUPT, "the checksum of a chunk is wrong");
    OI_TRY(find_parts(body, parts, error));
    make_room(chunk, chunk->header.count);
    OI_TRY(read_time(chunk, parts[PART_TIME], wanted->last, error));
    chunk->first = find_first(chunk, wanted);
    OI_TRY(read_columns(chunk, parts, columns, error));
    chunk->columns.count = chunk->decoded;
    return OI_OK;
}

enum oi_status
oi_chunk_decode(struct oi_slice key, struct oi_slice bytes, unsigned columns,
                struct oi_chunk *chunk, struct oi_error *error)
{
    return oi_chunk_decode_part(key, bytes, columns, &OI_CHUNK_ALL, chunk, error);
}

void
oi_chunk_release(struct oi_chunk *chunk)
{
    oi_free(chunk->memory);
    oi_free(chunk->exponents);
    oi_free(chunk->flags);
    oi_free(chunk->wides);
    *chunk = (struct oi_chunk){};
}
