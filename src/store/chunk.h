/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk: a run of rows of one series, in key order (time, known_time, batch), as compressed
 * columns in one value of the key-value engine. Its header is read without decoding anything, and
 * decoding touches only the columns that are asked for. docs/formats/chunk.md has the byte diagram.
 * Pure functions; one struct oi_chunk is for one thread at a time.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"
#include "codec/column.h"
#include "core/columns.h"
#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A chunk is split at about OI_CHUNK_ROWS (store/store.h); nothing larger than this is encoded, and
 * a value that claims more is corrupt. */
#define OI_CHUNK_ROWS_MAX ((size_t) 1 << 16)
/* The format that is written; older ones would still be read. */
#define OI_CHUNK_VERSION 1

/* What is known of a chunk without decoding it. All bounds are inclusive. */
struct oi_chunk_header {
    uint8_t version;
    size_t count; /* rows, revisions included; at least 1 */
    oi_time first_time, last_time;
    oi_time first_known, last_known;  /* the smallest and largest known_time of any row */
    uint64_t first_batch, last_batch; /* the smallest and largest batch of any row */
};

/*
 * Append one chunk holding all rows of `rows` (1 to OI_CHUNK_ROWS_MAX) to `out`. `key` is the key
 * it will be stored under: it is part of the checksum, so a value that ends up under another key is
 * found. time, known_time and batch must be there and times must ascend; other columns may be NULL
 * (all none; flags all 0). `commit_times`, when not NULL, gives for each row the time at which its
 * batch was committed: rows known at exactly that time cost nothing for it, but the reader has to
 * fill it in (see oi_chunk.known_time). Exact for every input.
 */
void oi_chunk_encode(struct oi_slice key, const struct oi_columns *rows,
                     const oi_time *commit_times, struct oi_buffer *out);

/* How the columns of the series' chunk before were encoded: all zeros for its first one. */
#define OI_CHUNK_HABITS 12
struct oi_chunk_habits {
    struct oi_column_habit columns[OI_CHUNK_HABITS];
};
/* The same, sooner, for chunk after chunk of one series. */
void oi_chunk_encode_like(struct oi_slice key, const struct oi_columns *rows,
                          const oi_time *commit_times, struct oi_chunk_habits *habits,
                          struct oi_buffer *out);
/* Rows may be encoded before their commit, as known at OI_CHUNK_UNCOMMITTED with that as their
 * commit times too. Append the chunk as it is with this commit time in its place: only the header
 * is another one. `bytes` must be a chunk that was just encoded under `key`. */
#define OI_CHUNK_UNCOMMITTED OI_TIME_LATEST
void oi_chunk_stamp(struct oi_slice key, struct oi_slice bytes, oi_time commit_time,
                    struct oi_buffer *out);

/* About `rows` rows, so many that their chunk fills whole pages of the engine, judged by a chunk of
 * `sample_rows` in `sample_size` bytes of the same series; `rows` where that is not worth it, or
 * nothing is known (0). */
size_t oi_chunk_rows_fitting(size_t rows, size_t sample_rows, size_t sample_size);
/* Does a chunk of so many bytes leave little of its last page empty, or is it too small to mind? */
bool oi_chunk_fits(size_t size);

/* Powers of ten; 10^18 is the largest one that fits an int64. */
#define OI_CHUNK_POWER_MAX 18
extern const int64_t oi_chunk_powers[OI_CHUNK_POWER_MAX + 1];

/* Read the header alone; a few hundred nanoseconds. CORRUPT when its checksum (over key and header)
 * is wrong, INVALID for a format version newer than ours. */
enum oi_status oi_chunk_header_read(struct oi_slice key, struct oi_slice bytes,
                                    struct oi_chunk_header *ret_header, struct oi_error *error);

/* A decoded chunk. Owns its arrays and is meant to be reused: `struct oi_chunk chunk = {};`, decode
 * as often as wanted (nothing is allocated once it has seen its largest chunk), release. */
struct oi_chunk {
    struct oi_chunk_header header;
    /* Borrowed from this chunk, valid until its next decode or release. Columns that were not asked
     * for, and columns that are none in every row, are NULL; but exchange_time, known_time, batch
     * and flags are always there when asked for. */
    struct oi_columns columns;
    /* columns.known_time, writable; NULL when not asked for. Where `known_is_commit` is set, rows
     * that hold OI_TIME_NONE were known when their batch was committed: the caller puts the commit
     * time of columns.batch[row] there (ask for OI_COLUMN_BATCH too). */
    oi_time *known_time;
    bool known_is_commit; /* some rows, perhaps all, hold OI_TIME_NONE */

    /* Private. */
    size_t decoded; /* the first so many rows */
    size_t first;   /* of those that are wanted */
    int64_t *memory;
    int8_t *exponents;
    uint16_t *flags;
    struct oi_decimal *wides;
    size_t row_capacity, wide_capacity, wide_count;
};

/* Decode the columns in `columns` (enum oi_column; time always). Both checksums are verified.
 * CORRUPT on damage, INVALID for a newer version; `chunk` can be decoded into again either way, but
 * holds nothing useful after a failure. */
enum oi_status oi_chunk_decode(struct oi_slice key, struct oi_slice bytes, unsigned columns,
                               struct oi_chunk *chunk, struct oi_error *error);
/* What of a chunk's rows is wanted: those with times in [from, last], and of these only the last
 * `rows_max`. */
struct oi_chunk_wanted {
    oi_time from, last;
    size_t rows_max;
    bool is_sealed; /* the bytes are part of a sealed value: its checksum was verified for both */
};
#define OI_CHUNK_ALL                                                                               \
    ((struct oi_chunk_wanted){                                                                     \
        .from = OI_TIME_EARLIEST, .last = OI_TIME_LATEST, .rows_max = SIZE_MAX })
/* The same for who wants no more than that: rows behind may be left out, those before have their
 * times and nothing else, and what is wrong with them alone is not found. */
enum oi_status oi_chunk_decode_part(struct oi_slice key, struct oi_slice bytes, unsigned columns,
                                    const struct oi_chunk_wanted *wanted, struct oi_chunk *chunk,
                                    struct oi_error *error);
/* What of a chunk's bytes is which column, its header first; names are in oi_chunk_part_names. Adds
 * to `sizes`. */
#define OI_CHUNK_PARTS 11
extern const char *const oi_chunk_part_names[OI_CHUNK_PARTS];
enum oi_status oi_chunk_measure(struct oi_slice key, struct oi_slice bytes,
                                uint64_t sizes[OI_CHUNK_PARTS], struct oi_error *error);
/* Give the memory back; the chunk is empty and usable again. */
void oi_chunk_release(struct oi_chunk *chunk);
