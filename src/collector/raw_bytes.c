/* SPDX-License-Identifier: Apache-2.0 */
/* Raw files as bytes: heads, blocks, records; and the reader of them. */
/* no unit test: tests/unit/collector/raw_test.c tests it with raw.c */
#include "collector/raw.h"

#include "base/compress.h"
#include "base/crc32c.h"
#include "base/vector.h"

#include <string.h>

#define MAGIC "oi-raw\r\n"
#define MAGIC_SIZE 8
#define VERSION 1
#define HEAD_SIZE 32
#define BLOCK_HEAD_SIZE 12
#define BLOCK_MAX ((size_t) 256 << 20)
#define ZSTD_LEVEL 3
/* No reply has more. */
#define HEADERS_MAX 1000
/* Nor has a minute of all streams. */
#define COVERAGE_MAX 10'000

struct oi_raw_reader {
    struct oi_slice bytes;
    size_t at; /* behind the last block read */
    uint64_t session;
    struct oi_buffer block; /* unpacked */
    struct oi_cursor cursor;
    OI_VECTOR(struct oi_http_field) headers;
    OI_VECTOR(struct oi_watch_mark) marks;
    OI_VECTOR(struct oi_hole) holes;
    size_t torn;
};

void
oi_raw_write_head(uint64_t session, oi_time created, struct oi_buffer *out)
{
    size_t start = out->size;

    oi_buffer_add(out, MAGIC, MAGIC_SIZE);
    oi_buffer_add_u32(out, VERSION);
    oi_buffer_add_u64(out, session);
    oi_buffer_add_u64(out, (uint64_t) created);
    oi_buffer_add_u32(out, oi_crc32c(0, out->data + start, out->size - start));
}

static void
add_text(struct oi_buffer *out, struct oi_slice text)
{
    oi_buffer_add_varint(out, text.size);
    oi_buffer_add_slice(out, text);
}

static void
add_answer(struct oi_buffer *out, const struct oi_raw_record *record)
{
    oi_buffer_add_varint(out, record->number);
    oi_buffer_add_u8(out, (uint8_t) record->outcome);
    add_text(out, record->reason);
    oi_buffer_add_varint(out, (uint64_t) record->status);
    oi_buffer_add_varint(out, record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        add_text(out, record->headers[i].name);
        add_text(out, record->headers[i].value);
    }
    add_text(out, record->body);
}

static void
add_send(struct oi_buffer *out, const struct oi_raw_record *record)
{
    oi_buffer_add_varint(out, record->number);
    oi_buffer_add_u8(out, (uint8_t) record->task);
    oi_buffer_add_varint(out, record->endpoint);
    add_text(out, record->product);
    add_text(out, record->family);
    add_text(out, record->symbol);
    add_text(out, record->page);
    add_text(out, record->request);
}

static void
add_coverage(struct oi_buffer *out, const struct oi_raw_record *record)
{
    oi_buffer_add_varint(out, record->mark_count);
    for (size_t i = 0; i < record->mark_count; i++) {
        add_text(out, oi_slice_of(record->marks[i].exchange));
        add_text(out, oi_slice_of(record->marks[i].product));
        oi_buffer_add_u64(out, (uint64_t) record->marks[i].minute);
    }
    oi_buffer_add_varint(out, record->hole_count);
    for (size_t i = 0; i < record->hole_count; i++) {
        add_text(out, oi_slice_of(record->holes[i].exchange));
        add_text(out, oi_slice_of(record->holes[i].product));
        oi_buffer_add_u64(out, (uint64_t) record->holes[i].span.from);
        oi_buffer_add_u64(out, (uint64_t) record->holes[i].span.to);
        oi_buffer_add_u8(out, (uint8_t) record->holes[i].cause);
    }
}

void
oi_raw_write_record(const struct oi_raw_record *record, struct oi_buffer *out)
{
    struct oi_buffer body = {};

    oi_buffer_add_u8(&body, (uint8_t) record->kind);
    oi_buffer_add_u64(&body, (uint64_t) record->wall);
    oi_buffer_add_u64(&body, (uint64_t) record->mono_ns);
    add_text(&body, record->exchange);
    switch (record->kind) {
    case OI_RAW_NONE:
        break;
    case OI_RAW_BEGIN:
        oi_buffer_add_u64(&body, (uint64_t) record->minute);
        oi_buffer_add_u64(&body, (uint64_t) record->committed);
        break;
    case OI_RAW_SEND:
        add_send(&body, record);
        break;
    case OI_RAW_ANSWER:
        add_answer(&body, record);
        break;
    case OI_RAW_FLUSH:
        oi_buffer_add_u64(&body, (uint64_t) record->committed);
        break;
    case OI_RAW_CLOSE:
        oi_buffer_add_u8(&body, record->is_stopping);
        oi_buffer_add_u64(&body, (uint64_t) record->committed);
        break;
    case OI_RAW_REFRESH:
        oi_buffer_add_varint(&body, record->stream);
        oi_buffer_add_u64(&body, (uint64_t) record->interval_ns);
        break;
    case OI_RAW_FRAME:
        oi_buffer_add_varint(&body, record->stream);
        add_text(&body, record->body);
        break;
    case OI_RAW_PUSH:
        oi_buffer_add_u8(&body, record->is_stopping);
        oi_buffer_add_u64(&body, (uint64_t) record->committed);
        add_coverage(&body, record);
        break;
    }
    oi_buffer_add_varint(out, body.size);
    oi_buffer_add_slice(out, oi_buffer_slice(&body));
    oi_buffer_release(&body);
}

static uint32_t
sum_of(const char *head, struct oi_slice frame)
{
    return oi_crc32c(oi_crc32c(0, head, 8), frame.data, frame.size);
}

void
oi_raw_write_block(struct oi_slice records, struct oi_buffer *out)
{
    struct oi_buffer packed = {}, head = {};

    oi_zstd(records, ZSTD_LEVEL, &packed);
    oi_buffer_add_u32(&head, (uint32_t) packed.size);
    oi_buffer_add_u32(&head, (uint32_t) records.size);
    oi_buffer_add_u32(&head, sum_of(head.data, oi_buffer_slice(&packed)));
    oi_buffer_add_slice(out, oi_buffer_slice(&head));
    oi_buffer_add_slice(out, oi_buffer_slice(&packed));
    oi_buffer_release(&packed);
    oi_buffer_release(&head);
}

/*
 * Reading.
 */

enum oi_status
oi_raw_reader_open(struct oi_slice bytes, struct oi_raw_reader **ret_reader, struct oi_error *error)
{
    struct oi_raw_reader *reader;
    struct oi_cursor cursor;

    if (bytes.size < HEAD_SIZE || memcmp(bytes.data, MAGIC, MAGIC_SIZE) != 0)
        return oi_fail(error, OI_E_INVALID, "not a file of raw replies");
    cursor = oi_cursor_over((struct oi_slice){ bytes.data + MAGIC_SIZE, HEAD_SIZE - MAGIC_SIZE });
    if (oi_cursor_u32(&cursor) != VERSION)
        return oi_fail(error, OI_E_INVALID, "raw replies of a newer version");
    reader = oi_alloc_zero(1, sizeof(*reader));
    reader->session = oi_cursor_u64(&cursor);
    (void) oi_cursor_u64(&cursor);
    if (oi_cursor_u32(&cursor) != oi_crc32c(0, bytes.data, HEAD_SIZE - 4)) {
        oi_free(reader);
        return oi_fail(error, OI_E_INVALID, "the head of the file is damaged");
    }
    reader->bytes = bytes;
    reader->at = HEAD_SIZE;
    reader->cursor = oi_cursor_over((struct oi_slice){});
    *ret_reader = reader;
    return OI_OK;
}

uint64_t
oi_raw_reader_session(const struct oi_raw_reader *reader)
{
    return reader->session;
}

size_t
oi_raw_reader_torn(const struct oi_raw_reader *reader)
{
    return reader->torn;
}

void
oi_raw_reader_close(struct oi_raw_reader **reader)
{
    if (!reader || !*reader)
        return;
    oi_buffer_release(&(*reader)->block);
    oi_vector_release(&(*reader)->headers);
    oi_vector_release(&(*reader)->marks);
    oi_vector_release(&(*reader)->holes);
    oi_free(*reader);
    *reader = NULL;
}

static void
tear(struct oi_raw_reader *reader, size_t left)
{
    reader->torn = left;
    reader->at = reader->bytes.size;
}

/* The next block; an empty one at the end. */
static enum oi_status
next_block(struct oi_raw_reader *reader, struct oi_error *error)
{
    size_t left = reader->bytes.size - reader->at;
    const char *head = reader->bytes.data + reader->at;
    struct oi_slice frame;
    struct oi_cursor cursor;
    size_t packed, size, at = reader->at;
    uint32_t sum;

    oi_buffer_clear(&reader->block);
    reader->cursor = oi_cursor_over((struct oi_slice){});
    if (left == 0)
        return OI_OK;
    if (left < BLOCK_HEAD_SIZE) {
        tear(reader, left);
        return OI_OK;
    }
    cursor = oi_cursor_over((struct oi_slice){ head, BLOCK_HEAD_SIZE });
    packed = oi_cursor_u32(&cursor);
    size = oi_cursor_u32(&cursor);
    sum = oi_cursor_u32(&cursor);
    if (packed > left - BLOCK_HEAD_SIZE || size > BLOCK_MAX) {
        tear(reader, left);
        return OI_OK;
    }
    frame = (struct oi_slice){ head + BLOCK_HEAD_SIZE, packed };
    reader->at += BLOCK_HEAD_SIZE + packed;
    if (sum_of(head, frame) != sum) {
        if (reader->at == reader->bytes.size) {
            tear(reader, left);
            return OI_OK;
        }
        return oi_fail(error, OI_E_CORRUPT, "a block at byte %zu is damaged", at);
    }
    if (oi_unzstd(frame, size, &reader->block, NULL) != OI_OK || reader->block.size != size) {
        oi_buffer_clear(&reader->block);
        return oi_fail(error, OI_E_CORRUPT, "the block at byte %zu does not unpack", at);
    }
    reader->cursor = oi_cursor_over(oi_buffer_slice(&reader->block));
    return OI_OK;
}

static struct oi_slice
take_text(struct oi_cursor *cursor)
{
    uint64_t size = oi_cursor_varint(cursor);

    if (size > oi_cursor_left(cursor)) {
        cursor->failed = true;
        return (struct oi_slice){};
    }
    return oi_cursor_bytes(cursor, (size_t) size);
}

static void
take_answer(struct oi_raw_reader *reader, struct oi_cursor *cursor, struct oi_raw_record *record)
{
    uint64_t status, count;
    uint8_t outcome;

    record->number = oi_cursor_varint(cursor);
    outcome = oi_cursor_u8(cursor);
    record->reason = take_text(cursor);
    status = oi_cursor_varint(cursor);
    count = oi_cursor_varint(cursor);
    if (outcome > OI_E_CANCELLED || status > 999 || count > HEADERS_MAX)
        cursor->failed = true;
    if (cursor->failed)
        return;
    record->outcome = (enum oi_status) outcome;
    record->status = (int) status;
    oi_vector_clear(&reader->headers);
    for (uint64_t i = 0; i < count && !cursor->failed; i++) {
        struct oi_http_field field;

        field.name = take_text(cursor);
        field.value = take_text(cursor);
        oi_vector_push(&reader->headers, field);
    }
    record->headers = reader->headers.items;
    record->header_count = reader->headers.count;
    record->body = take_text(cursor);
}

static void
take_send(struct oi_cursor *cursor, struct oi_raw_record *record)
{
    uint8_t task;

    record->number = oi_cursor_varint(cursor);
    task = oi_cursor_u8(cursor);
    record->endpoint = (size_t) oi_cursor_varint(cursor);
    record->product = take_text(cursor);
    record->family = take_text(cursor);
    record->symbol = take_text(cursor);
    record->page = take_text(cursor);
    record->request = take_text(cursor);
    if (task > OI_TASK_STREAM)
        cursor->failed = true;
    else
        record->task = (enum oi_task_kind) task;
}

static void
take_name(struct oi_cursor *cursor, char name[OI_NAME_SIZE])
{
    struct oi_slice text = take_text(cursor);

    if (text.size >= OI_NAME_SIZE)
        cursor->failed = true;
    else if (text.size > 0)
        memcpy(name, text.data, text.size);
}

static void
take_coverage(struct oi_raw_reader *reader, struct oi_cursor *cursor, struct oi_raw_record *record)
{
    uint64_t count = oi_cursor_varint(cursor);

    oi_vector_clear(&reader->marks);
    oi_vector_clear(&reader->holes);
    for (uint64_t i = 0; i < count && count <= COVERAGE_MAX && !cursor->failed; i++) {
        struct oi_watch_mark mark = {};

        take_name(cursor, mark.exchange);
        take_name(cursor, mark.product);
        mark.minute = (oi_time) oi_cursor_u64(cursor);
        oi_vector_push(&reader->marks, mark);
    }
    cursor->failed |= count > COVERAGE_MAX;
    count = oi_cursor_varint(cursor);
    for (uint64_t i = 0; i < count && count <= COVERAGE_MAX && !cursor->failed; i++) {
        struct oi_hole hole = {};
        uint8_t cause;

        take_name(cursor, hole.exchange);
        take_name(cursor, hole.product);
        hole.span.from = (oi_time) oi_cursor_u64(cursor);
        hole.span.to = (oi_time) oi_cursor_u64(cursor);
        cause = oi_cursor_u8(cursor);
        cursor->failed |= cause > OI_HOLE_DELISTED;
        hole.cause = (enum oi_hole_cause)(cause > OI_HOLE_DELISTED ? OI_HOLE_NONE : cause);
        oi_vector_push(&reader->holes, hole);
    }
    cursor->failed |= count > COVERAGE_MAX;
    record->marks = reader->marks.items;
    record->mark_count = reader->marks.count;
    record->holes = reader->holes.items;
    record->hole_count = reader->holes.count;
}

/* What streams have. */
static bool
take_stream(struct oi_raw_reader *reader, uint8_t kind, struct oi_cursor *cursor,
            struct oi_raw_record *record)
{
    if (kind == OI_RAW_REFRESH) {
        record->stream = (size_t) oi_cursor_varint(cursor);
        record->interval_ns = (int64_t) oi_cursor_u64(cursor);
    } else if (kind == OI_RAW_FRAME) {
        record->stream = (size_t) oi_cursor_varint(cursor);
        record->body = take_text(cursor);
    } else if (kind == OI_RAW_PUSH) {
        record->is_stopping = oi_cursor_u8(cursor) != 0;
        record->committed = (oi_time) oi_cursor_u64(cursor);
        take_coverage(reader, cursor, record);
    } else {
        return false;
    }
    return true;
}

/* One record's bytes, without their size. Kinds that are not known are passed over as NONE. */
static enum oi_status
take_record(struct oi_raw_reader *reader, struct oi_slice bytes, struct oi_raw_record *ret_record,
            struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    struct oi_raw_record record = { .committed = OI_TIME_NONE, .minute = OI_TIME_NONE };
    uint8_t kind = oi_cursor_u8(&cursor);

    record.wall = (oi_time) oi_cursor_u64(&cursor);
    record.mono_ns = (int64_t) oi_cursor_u64(&cursor);
    record.exchange = take_text(&cursor);
    if (kind == OI_RAW_BEGIN) {
        record.minute = (oi_time) oi_cursor_u64(&cursor);
    } else if (kind == OI_RAW_SEND) {
        take_send(&cursor, &record);
    } else if (kind == OI_RAW_ANSWER) {
        take_answer(reader, &cursor, &record);
    } else if (kind == OI_RAW_CLOSE) {
        record.is_stopping = oi_cursor_u8(&cursor) != 0;
    } else if (!take_stream(reader, kind, &cursor, &record) && kind != OI_RAW_FLUSH) {
        cursor.failed = true;
    }
    if (kind == OI_RAW_BEGIN || kind == OI_RAW_FLUSH || kind == OI_RAW_CLOSE)
        record.committed = (oi_time) oi_cursor_u64(&cursor);
    if (cursor.failed || oi_cursor_left(&cursor) > 0)
        return oi_fail(error, OI_E_CORRUPT, "a record is not one");
    record.kind = (enum oi_raw_kind) kind;
    *ret_record = record;
    return OI_OK;
}

enum oi_status
oi_raw_next(struct oi_raw_reader *reader, struct oi_raw_record *ret_record, struct oi_error *error)
{
    struct oi_slice bytes;

    while (oi_cursor_left(&reader->cursor) == 0) {
        if (reader->at == reader->bytes.size) {
            *ret_record = (struct oi_raw_record){ .kind = OI_RAW_NONE };
            return OI_OK;
        }
        OI_TRY(next_block(reader, error));
    }
    bytes = take_text(&reader->cursor);
    if (reader->cursor.failed) {
        reader->cursor = oi_cursor_over((struct oi_slice){});
        return oi_fail(error, OI_E_CORRUPT, "the records of a block do not end with it");
    }
    return take_record(reader, bytes, ret_record, error);
}
