/* SPDX-License-Identifier: Apache-2.0 */
/* What the two ways of walking a usual line share: digit by digit (piece.c), and by vectors
 * (piece_vector.c). */
#pragma once

#include "archives/archive_internal.h"
#include "archives/piece.h"
#include "base/map.h"

#include <string.h>

/* A column's part in a row. */
enum oi_role {
    OI_ROLE_NONE = 0,
    OI_ROLE_TIME,
    OI_ROLE_KNOWN_TIME,
    OI_ROLE_EXCHANGE_TIME,
    OI_ROLE_KEY,
    OI_ROLE_FIGURE, /* and on: one for each figure */
};

/* More are for the general reader. */
#define OI_PIECE_DIGITS_MAX 18
/* Keys looked up last, by their hash. */
#define OI_PIECE_CACHE_SIZE ((size_t) 4096)
#define OI_PIECE_UNITS (OI_UNIT_USD + 1)

struct oi_cached_key {
    const char *text; /* NULL: none */
    size_t size;
    uint64_t head; /* its first eight bytes */
    uint32_t target;
};

struct oi_market_targets {
    uint32_t by_unit[OI_PIECE_UNITS]; /* index + 1 */
};

/* The dates of one column of times: nearly always the date of the row before. */
struct oi_piece_date {
    char text[10];
    oi_time start;
};

struct oi_piece_reader {
    struct oi_archive_options options;
    struct oi_archive_sink sink;
    struct oi_reader *reader;
    struct oi_table_plan plan;
    uint8_t *roles; /* of the columns */
    size_t column_count;
    char delimiter;
    bool has_vectors, has_wide_vectors;
    struct oi_piece_date dates[3];
    OI_VECTOR(struct oi_piece_target) targets;
    OI_VECTOR(struct oi_market_targets) markets;
    struct oi_map *target_of;
    struct oi_arena arena; /* of the cache's keys */
    struct oi_cached_key cache[OI_PIECE_CACHE_SIZE];
    /* Of the line being read. */
    struct oi_piece *piece;
    struct oi_packed blank;
    struct oi_slice keys[OI_TABLE_KEYS_MAX];
    size_t key_count;
};

static inline uint64_t
oi_load_8(const char *at)
{
    uint64_t bytes;

    memcpy(&bytes, at, sizeof(bytes));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}

/* Its first eight bytes, or as many as there are. What is behind a key may be read. */
static inline uint64_t
oi_piece_key_head(struct oi_slice key)
{
    uint64_t head = oi_load_8(key.data);

    return key.size >= 8 ? head : head & ((UINT64_C(1) << 8 * key.size) - 1);
}

/* As many nanoseconds as one of the column's unit is; of ISO times none. */
static inline int64_t
oi_time_format_unit(enum oi_time_format format)
{
    static const int64_t units[] = {
        [OI_TIME_FORMAT_ISO] = 0,
        [OI_TIME_FORMAT_S] = OI_SECOND,
        [OI_TIME_FORMAT_MS] = OI_MILLISECOND,
        [OI_TIME_FORMAT_US] = OI_MICROSECOND,
        [OI_TIME_FORMAT_NS] = 1,
    };

    return units[format];
}

/* Room for one more row, `left` bytes before the end of the piece. */
struct oi_packed *oi_piece_next_row(struct oi_piece *piece, size_t left);
/* A time up to the end of its field; *at is behind it then. False: not in the usual shape. */
bool oi_piece_read_time(const struct oi_piece_reader *reader, struct oi_piece_date *date,
                        const struct oi_time_style *style, const char **at, oi_time *ret_time);
/* Whose the line is, by `keys`; false, with *ret_key all the same unless that is too long to be
 * worth it (its data is NULL then), when it was not met yet. `joined` is room for it. */
#define OI_PIECE_KEY_SIZE_MAX ((size_t) 512)
bool oi_piece_find_target(struct oi_piece_reader *reader, char joined[OI_PIECE_KEY_SIZE_MAX],
                          struct oi_slice *ret_key, uint32_t *ret_target);

/* Can this processor do it? */
bool oi_piece_has_vectors(void);
/* And with those of 64 bytes? */
bool oi_piece_has_wide_vectors(void);
/* Where the fields of the lines ahead end. */
#define OI_PIECE_WINDOW ((size_t) 4096)
struct oi_piece_window {
    const char *from; /* NULL: nowhere yet */
    size_t next, count;
    uint16_t ends[OI_PIECE_WINDOW + 64];
};
/* Usual lines, as many as there are from `at` on, into rows of the reader's piece. Where the first
 * line begins that is not one, or not for this way: it may be usual all the same. `begin` is where
 * the piece does, and `end` where it ends. */
const char *oi_piece_read_vectors(struct oi_piece_reader *reader, struct oi_piece_window *window,
                                  const char *begin, const char *at, const char *end);
