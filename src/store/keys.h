/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies where: the tables of the store, the keys of each (big-endian, so that bytes sort as
 * numbers do) and the seal that every value but a chunk's carries (chunks have their own).
 * docs/formats/store.md has the byte diagrams.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "core/time.h"

#include <stdint.h>

/* X(name): OI_TABLE_name; the engine knows it by the lower-case text. The order is on no disk. */
#define OI_TABLE_LIST(X)                                                                           \
    X(META, "meta")             /* a text -> the store's own state */                              \
    X(LOG, "log")               /* batch -> the rows of one commit */                              \
    X(COMMIT, "commit")         /* batch / 512 -> commit times and imports */                      \
    X(CHUNK, "chunk")           /* series, first time -> a chunk */                                \
    X(POSITION, "position")     /* series -> how far it is in chunks, its newest chunked row */    \
    X(ROLLUP, "rollup")         /* series, kind, first bucket -> a block of rollups */             \
    X(INSTRUMENT, "instrument") /* id, version -> a definition */                                  \
    X(FEED, "feed")             /* id -> facts */                                                  \
    X(SERIES, "series")         /* id -> instrument, feed */                                       \
    X(HOLE, "hole")             /* exchange, product, instrument, reach, start -> a hole */        \
    X(WATCH, "watch")           /* exchange, product, hour -> which minutes were asked for */      \
    X(IMPORT, "import")         /* id -> an import's mark and its batches */                       \
    X(FLAG, "flag")             /* id -> a span of a market that is bad, and why */

enum oi_table {
#define OI_TABLE_ITEM(name, text) OI_TABLE_##name,
    OI_TABLE_LIST(OI_TABLE_ITEM)
#undef OI_TABLE_ITEM
        OI_TABLE_COUNT,
};
extern const char *const oi_table_names[OI_TABLE_COUNT];

/* The version byte in front of every sealed value. */
#define OI_SEAL_VERSION 1

/* A key under construction: small, on the stack, never longer than the engine allows. */
#define OI_KEY_SIZE_MAX 128
struct oi_key {
    size_t size;
    char bytes[OI_KEY_SIZE_MAX];
};

struct oi_slice oi_key_slice(const struct oi_key *key);
void oi_key_add_u8(struct oi_key *key, uint8_t value);
void oi_key_add_u16(struct oi_key *key, uint16_t value);
void oi_key_add_u32(struct oi_key *key, uint32_t value);
void oi_key_add_u64(struct oi_key *key, uint64_t value);
/* Biased, so that times before 1970 sort first. */
void oi_key_add_time(struct oi_key *key, oi_time time);
/* The text and a NUL. */
void oi_key_add_text(struct oi_key *key, const char *text);

struct oi_key oi_key_of_u32(uint32_t value);
struct oi_key oi_key_of_u64(uint64_t value);
struct oi_key oi_key_of_chunk(uint32_t series, oi_time first_time);
struct oi_key oi_key_of_rollup(uint32_t series, uint8_t kind, oi_time start);

/* Reading a key back, from the front: 0 past the end. */
uint16_t oi_key_take_u16(struct oi_slice *key);
uint32_t oi_key_take_u32(struct oi_slice *key);
uint64_t oi_key_take_u64(struct oi_slice *key);
oi_time oi_key_take_time(struct oi_slice *key);

/* A sealed value is a version byte, a body, and the CRC-32C of table, key, version and body. Start
 * one (clears `out`), append the body, close it. */
void oi_seal_begin(struct oi_buffer *out);
/* The same of a table whose values have had more than one version: the newest. */
void oi_seal_begin_newest(enum oi_table table, struct oi_buffer *out);
void oi_seal_end(enum oi_table table, struct oi_slice key, struct oi_buffer *out);
/* The body, borrowed from `value`. CORRUPT when the checksum is wrong, INVALID when the version is
 * newer than ours. */
enum oi_status oi_seal_open(enum oi_table table, struct oi_slice key, struct oi_slice value,
                            struct oi_slice *ret_body, struct oi_error *error);
