/* SPDX-License-Identifier: Apache-2.0 */
/* Owned bytes with a ceiling, and the cursor that reads our own formats back. */
#include "base/buffer.h"

#include "base/alloc.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A small answer fits; growing from less would only mean more calls. */
#define CAPACITY_FIRST 256
/* Seven bits a byte: the tenth byte of a 64-bit varint has one bit left. */
#define VARINT_SIZE_MAX 10

static size_t
ceiling(const struct oi_buffer *buffer)
{
    return buffer->size_max > 0 ? buffer->size_max : OI_BUFFER_SIZE_MAX;
}

char *
oi_buffer_reserve(struct oi_buffer *buffer, size_t extra)
{
    size_t capacity = buffer->capacity * 2;
    size_t size_max = ceiling(buffer);

    /* After the first bytes that did not fit nothing is taken, so that what is kept has no gaps. */
    if (buffer->overflowed || buffer->size > size_max || extra > size_max - buffer->size) {
        buffer->overflowed = true;
        return NULL;
    }
    if (buffer->data && extra <= buffer->capacity - buffer->size)
        return buffer->data + buffer->size;
    if (capacity < CAPACITY_FIRST)
        capacity = CAPACITY_FIRST;
    if (capacity > size_max)
        capacity = size_max;
    if (capacity < buffer->size + extra)
        capacity = buffer->size + extra;
    buffer->data = oi_realloc(buffer->data, capacity, 1);
    buffer->capacity = capacity;
    return buffer->data + buffer->size;
}

void
oi_buffer_add(struct oi_buffer *buffer, const void *bytes, size_t size)
{
    char *room;

    if (size == 0)
        return;
    room = oi_buffer_reserve(buffer, size);
    if (!room)
        return;
    memcpy(room, bytes, size);
    buffer->size += size;
}

void
oi_buffer_add_slice(struct oi_buffer *buffer, struct oi_slice slice)
{
    oi_buffer_add(buffer, slice.data, slice.size);
}

void
oi_buffer_add_text(struct oi_buffer *buffer, const char *text)
{
    oi_buffer_add(buffer, text, strlen(text));
}

void
oi_buffer_add_char(struct oi_buffer *buffer, char character)
{
    oi_buffer_add(buffer, &character, 1);
}

void
oi_buffer_add_format(struct oi_buffer *buffer, const char *format, ...)
{
    char small[256]; /* most formatted pieces are a short line */
    va_list arguments;
    va_list again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    oi_assert(length >= 0);
    if ((size_t) length < sizeof(small)) {
        oi_buffer_add(buffer, small, (size_t) length);
    } else {
        char *text = oi_alloc((size_t) length + 1);

        (void) vsnprintf(text, (size_t) length + 1, format, again);
        oi_buffer_add(buffer, text, (size_t) length);
        oi_free(text);
    }
    va_end(again);
}

void
oi_buffer_add_int(struct oi_buffer *buffer, int64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[20]; /* "-9223372036854775808" */
    char *at = digits + sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;

    while (left >= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (left % 100), 2);
        left /= 100;
    }
    if (left >= 10) {
        at -= 2;
        memcpy(at, pairs + 2 * left, 2);
    } else {
        *--at = (char) ('0' + left);
    }
    if (value < 0)
        *--at = '-';
    oi_buffer_add(buffer, at, (size_t) (digits + sizeof(digits) - at));
}

static void
add_little_endian(struct oi_buffer *buffer, uint64_t value, size_t size)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char) (value >> (8 * i));
    oi_buffer_add(buffer, bytes, size);
}

void
oi_buffer_add_u8(struct oi_buffer *buffer, uint8_t value)
{
    oi_buffer_add(buffer, &value, 1);
}

void
oi_buffer_add_u16(struct oi_buffer *buffer, uint16_t value)
{
    add_little_endian(buffer, value, 2);
}

void
oi_buffer_add_u32(struct oi_buffer *buffer, uint32_t value)
{
    add_little_endian(buffer, value, 4);
}

void
oi_buffer_add_u64(struct oi_buffer *buffer, uint64_t value)
{
    add_little_endian(buffer, value, 8);
}

void
oi_buffer_add_varint(struct oi_buffer *buffer, uint64_t value)
{
    unsigned char bytes[VARINT_SIZE_MAX];
    size_t size = 0;

    while (value >= 0x80) {
        bytes[size++] = (unsigned char) (value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (unsigned char) value;
    oi_buffer_add(buffer, bytes, size);
}

void
oi_buffer_consume(struct oi_buffer *buffer, size_t size)
{
    oi_assert(size <= buffer->size);
    buffer->size -= size;
    if (size > 0 && buffer->size > 0)
        memmove(buffer->data, buffer->data + size, buffer->size);
}

struct oi_slice
oi_buffer_slice(const struct oi_buffer *buffer)
{
    return (struct oi_slice){ buffer->data, buffer->size };
}

void
oi_buffer_clear(struct oi_buffer *buffer)
{
    buffer->size = 0;
    buffer->overflowed = false;
}

void
oi_buffer_release(struct oi_buffer *buffer)
{
    oi_free(buffer->data);
    *buffer = (struct oi_buffer){ .size_max = buffer->size_max };
}

struct oi_cursor
oi_cursor_over(struct oi_slice bytes)
{
    const unsigned char *at = (const unsigned char *) bytes.data;

    return (struct oi_cursor){ .at = at, .end = bytes.size > 0 ? at + bytes.size : at };
}

/* The next `size` bytes, or NULL, after which everything fails. */
static const unsigned char *
take(struct oi_cursor *cursor, size_t size)
{
    const unsigned char *taken = cursor->at;

    if (cursor->failed || (size_t) (cursor->end - cursor->at) < size) {
        cursor->failed = true;
        return NULL;
    }
    if (size > 0)
        cursor->at += size;
    return taken;
}

static uint64_t
take_little_endian(struct oi_cursor *cursor, size_t size)
{
    const unsigned char *bytes = take(cursor, size);
    uint64_t value = 0;

    for (size_t i = 0; bytes && i < size; i++)
        value |= (uint64_t) bytes[i] << (8 * i);
    return value;
}

uint8_t
oi_cursor_u8(struct oi_cursor *cursor)
{
    return (uint8_t) take_little_endian(cursor, 1);
}

uint16_t
oi_cursor_u16(struct oi_cursor *cursor)
{
    return (uint16_t) take_little_endian(cursor, 2);
}

uint32_t
oi_cursor_u32(struct oi_cursor *cursor)
{
    return (uint32_t) take_little_endian(cursor, 4);
}

uint64_t
oi_cursor_u64(struct oi_cursor *cursor)
{
    return take_little_endian(cursor, 8);
}

uint64_t
oi_cursor_varint(struct oi_cursor *cursor)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_SIZE_MAX; i++) {
        const unsigned char *byte = take(cursor, 1);

        if (!byte)
            return 0;
        if (i == VARINT_SIZE_MAX - 1 && *byte > 1)
            break;
        value |= (uint64_t) (*byte & 0x7F) << (7 * i);
        if (*byte < 0x80)
            return value;
    }
    cursor->failed = true;
    return 0;
}

struct oi_slice
oi_cursor_bytes(struct oi_cursor *cursor, size_t size)
{
    const unsigned char *bytes = take(cursor, size);

    return bytes ? (struct oi_slice){ (const char *) bytes, size } : (struct oi_slice){};
}

size_t
oi_cursor_left(const struct oi_cursor *cursor)
{
    return cursor->failed ? 0 : (size_t) (cursor->end - cursor->at);
}
