/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression; the only user of zlib, libdeflate, zstd and libzip. Every decompressor takes the
 * largest size it may produce, because a small file can hold a huge one.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* A whole body as gzip, appended to `out`; level 1 (fast) to 12. */
void oi_gzip(struct oi_slice body, int level, struct oi_buffer *out);
/* A whole gzip member or several, appended. CORRUPT when damaged or cut, FULL past size_max. */
enum oi_status oi_gunzip(struct oi_slice body, size_t size_max, struct oi_buffer *out,
                         struct oi_error *error);
void oi_zstd(struct oi_slice body, int level, struct oi_buffer *out);
enum oi_status oi_unzstd(struct oi_slice body, size_t size_max, struct oi_buffer *out,
                         struct oi_error *error);

/* The same of many bodies, one after the other: what compression works in is made once. Matches
 * shorter than `match_min` bytes, 3 to 7, are not looked for; 0: as the level says. */
struct oi_zstd_packer;
struct oi_zstd_packer *oi_zstd_packer_new(void);
void oi_zstd_packer_add(struct oi_zstd_packer *packer, struct oi_slice body, int level,
                        int match_min, struct oi_buffer *out);
void oi_zstd_packer_free(struct oi_zstd_packer **packer);

/* A gzip stream out, for answers sent in pieces: flushed after each add, so that a reader sees rows
 * as they come. */
struct oi_gzip_stream;
struct oi_gzip_stream *oi_gzip_stream_new(int level);
void oi_gzip_stream_add(struct oi_gzip_stream *stream, struct oi_slice piece, bool is_last,
                        struct oi_buffer *out);
void oi_gzip_stream_free(struct oi_gzip_stream **stream);

/*
 * A file unpacked in pieces as it is read: .gz and .zst by their magic bytes, anything else as it
 * is. Pure: the caller reads the file. A cut or damaged one gives every byte before the damage
 * (after it perhaps some that are wrong), then CORRUPT with how many bytes came out. A piece can
 * hold thousands of times its size: `out` has a ceiling, and FULL is when it is reached. A failure
 * lasts.
 */
struct oi_unpacker;
struct oi_unpacker *oi_unpacker_new(void);
/* Unpack the next piece and append what it yields to `out`; `is_last` tells that the file ended. */
enum oi_status oi_unpacker_add(struct oi_unpacker *unpacker, struct oi_slice piece, bool is_last,
                               struct oi_buffer *out, struct oi_error *error);
void oi_unpacker_free(struct oi_unpacker **unpacker);

/* Is this the beginning of a zip archive? */
bool oi_is_zip(struct oi_slice bytes);
/* The files inside a zip archive, each handed whole to `each` (no folders, name as in the archive).
 * CORRUPT when damaged, FULL when an entry is larger than size_max (below OI_BUFFER_SIZE_MAX). A
 * failure of `each` ends it. */
enum oi_status oi_zip_each(struct oi_slice archive, size_t size_max,
                           enum oi_status (*each)(void *context, const char *name,
                                                  struct oi_slice content, struct oi_error *error),
                           void *context, struct oi_error *error);
