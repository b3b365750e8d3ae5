/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owned bytes that grow at the end, with a ceiling set at birth: a buffer that a stranger can fill
 * never takes the machine. `struct oi_buffer body = { .size_max = … };` is an empty one; size_max 0
 * means OI_BUFFER_SIZE_MAX. Appending past the ceiling drops the bytes and marks the buffer as
 * overflowed, which its owner checks once, at the end.
 */
#pragma once

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 4 GiB less a page: nothing of ours is meant to be larger in memory. */
#define OI_BUFFER_SIZE_MAX ((size_t) 0xFFFFF000u)

struct oi_buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool overflowed;
};

/* Room for `extra` more bytes at data + size, or NULL past the ceiling. Add what was written to
 * `size`. */
[[nodiscard]] char *oi_buffer_reserve(struct oi_buffer *buffer, size_t extra);
void oi_buffer_add(struct oi_buffer *buffer, const void *bytes, size_t size);
void oi_buffer_add_slice(struct oi_buffer *buffer, struct oi_slice slice);
void oi_buffer_add_text(struct oi_buffer *buffer, const char *text);
void oi_buffer_add_char(struct oi_buffer *buffer, char character);
void oi_buffer_add_format(struct oi_buffer *buffer, const char *format, ...) OI_PRINTF(2, 3);
/* Decimal digits without printf: the hot path of every answer. */
void oi_buffer_add_int(struct oi_buffer *buffer, int64_t value);

/* Little-endian integers and varints, for our own formats. */
void oi_buffer_add_u8(struct oi_buffer *buffer, uint8_t value);
void oi_buffer_add_u16(struct oi_buffer *buffer, uint16_t value);
void oi_buffer_add_u32(struct oi_buffer *buffer, uint32_t value);
void oi_buffer_add_u64(struct oi_buffer *buffer, uint64_t value);
void oi_buffer_add_varint(struct oi_buffer *buffer, uint64_t value);

/* Drop `size` bytes from the front, moving the rest down. */
void oi_buffer_consume(struct oi_buffer *buffer, size_t size);
/* Valid until the buffer changes. */
struct oi_slice oi_buffer_slice(const struct oi_buffer *buffer);
/* Size 0, memory kept. */
void oi_buffer_clear(struct oi_buffer *buffer);
/* Memory given back; the buffer is empty and keeps its ceiling. */
void oi_buffer_release(struct oi_buffer *buffer);

/*
 * Reading what was written above: a cursor over borrowed bytes. A read past the end returns 0 or an
 * empty slice and sets `failed`, checked once after a whole record.
 */
struct oi_cursor {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

struct oi_cursor oi_cursor_over(struct oi_slice bytes);
uint8_t oi_cursor_u8(struct oi_cursor *cursor);
uint16_t oi_cursor_u16(struct oi_cursor *cursor);
uint32_t oi_cursor_u32(struct oi_cursor *cursor);
uint64_t oi_cursor_u64(struct oi_cursor *cursor);
uint64_t oi_cursor_varint(struct oi_cursor *cursor);
/* Borrowed from the bytes the cursor runs over. */
struct oi_slice oi_cursor_bytes(struct oi_cursor *cursor, size_t size);
size_t oi_cursor_left(const struct oi_cursor *cursor);
