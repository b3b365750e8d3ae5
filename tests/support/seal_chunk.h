/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a chunk's two checksums right over bytes that were changed, so that fuzzers reach what is
 * behind them. The places are those of docs/formats/chunk.md.
 */
#pragma once

#include "base/buffer.h"
#include "base/crc32c.h"

#define SEAL_HEADER_CRC 1
#define SEAL_BODY_CRC 5
#define SEAL_HEADER_REST 9

static inline void
seal_put_u32(char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (char) (value >> (8 * i));
}

/* The bytes of a chunk under `key`; shorter ones than a header are left as they are. */
static inline void
seal_chunk(struct oi_slice key, char *bytes, size_t size)
{
    struct oi_cursor cursor;
    size_t body;
    uint32_t crc;

    if (size < SEAL_HEADER_REST)
        return;
    cursor = oi_cursor_over((struct oi_slice){ bytes + SEAL_HEADER_REST, size - SEAL_HEADER_REST });
    (void) oi_cursor_varint(&cursor);
    (void) oi_cursor_u64(&cursor);
    for (unsigned i = 0; i < 5; i++)
        (void) oi_cursor_varint(&cursor);
    body = size - oi_cursor_left(&cursor);
    seal_put_u32(bytes + SEAL_BODY_CRC, oi_crc32c(0, bytes + body, size - body));
    crc = oi_crc32c(0, key.data, key.size);
    crc = oi_crc32c(crc, bytes, 1);
    crc = oi_crc32c(crc, bytes + SEAL_BODY_CRC, body - SEAL_BODY_CRC);
    seal_put_u32(bytes + SEAL_HEADER_CRC, crc);
}
