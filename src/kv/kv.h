/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedded key-value engine: ordered byte keys, transactions, one writer, readers that never
 * wait. The store is written against this; lmdb.c is the engine, memory.c its twin for tests, which
 * can be told to fail. One contract suite runs over the engines listed in engines.def.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An environment holds this many named tables at most. */
#define OI_KV_TABLES_MAX 32
/* LMDB's own bound on a key. */
#define OI_KV_KEY_SIZE_MAX 511

struct oi_kv;        /* an open environment */
struct oi_kv_txn;    /* a transaction */
struct oi_kv_cursor; /* a place in one table, within a transaction */

struct oi_kv_options {
    size_t map_size; /* first size of the map in bytes; grows as needed. 0: 64 GiB */
    bool is_read_only;
    unsigned table_count;
    const char *const *tables; /* names; a table is then named by its index here */
};

enum oi_kv_mode { OI_KV_READ, OI_KV_WRITE };

struct oi_kv_engine {
    const char *name;
    /* Open or create the environment in an existing folder. CORRUPT when the file is not ours or is
     * cut (its size is checked), BUSY when it is exclusively locked. */
    enum oi_status (*open)(const char *folder, const struct oi_kv_options *options,
                           struct oi_kv **ret_kv, struct oi_error *error);
    void (*close)(struct oi_kv **kv);

    /* A write transaction waits for the other writers, in any process. A read transaction sees the
     * state of one commit until it ends; any thread may use it, one at a time. */
    enum oi_status (*begin)(struct oi_kv *kv, enum oi_kv_mode mode, struct oi_kv_txn **ret_txn,
                            struct oi_error *error);
    /* Durable (synced) when it returns OK; otherwise nothing of it is there. FULL when the disk or
     * the map has no room: the map has then been grown where possible, and the caller may repeat
     * the whole transaction. Frees the transaction either way. */
    enum oi_status (*commit)(struct oi_kv_txn **txn, struct oi_error *error);
    /* NULL-safe. Ends a read transaction too. */
    void (*abort)(struct oi_kv_txn **txn);
    /* Changes with every commit of any process: tells a follower that there is news. */
    uint64_t (*last_commit)(struct oi_kv *kv);
    /* Which state a read transaction sees: two of one environment that say the same number find the
     * same entries. 0 for a write transaction, whose state is its own. */
    uint64_t (*snapshot)(const struct oi_kv_txn *txn);

    /* What these hand out lives until the next write of this transaction or its end. */
    enum oi_status (*get)(struct oi_kv_txn *txn, unsigned table, struct oi_slice key,
                          struct oi_slice *ret_value, struct oi_error *error); /* NOT_FOUND */
    enum oi_status (*put)(struct oi_kv_txn *txn, unsigned table, struct oi_slice key,
                          struct oi_slice value, struct oi_error *error);
    /* Removing what is not there is fine. */
    enum oi_status (*remove)(struct oi_kv_txn *txn, unsigned table, struct oi_slice key,
                             struct oi_error *error);

    /* The first entry at or after `key`; then next and previous. NOT_FOUND past either end. An
     * empty key seeks the first entry; seek_last the last one. */
    enum oi_status (*cursor_open)(struct oi_kv_txn *txn, unsigned table,
                                  struct oi_kv_cursor **ret_cursor, struct oi_error *error);
    void (*cursor_close)(struct oi_kv_cursor **cursor);
    enum oi_status (*seek)(struct oi_kv_cursor *cursor, struct oi_slice key,
                           struct oi_slice *ret_key, struct oi_slice *ret_value,
                           struct oi_error *error);
    enum oi_status (*seek_last)(struct oi_kv_cursor *cursor, struct oi_slice *ret_key,
                                struct oi_slice *ret_value, struct oi_error *error);
    enum oi_status (*next)(struct oi_kv_cursor *cursor, struct oi_slice *ret_key,
                           struct oi_slice *ret_value, struct oi_error *error);
    enum oi_status (*previous)(struct oi_kv_cursor *cursor, struct oi_slice *ret_key,
                               struct oi_slice *ret_value, struct oi_error *error);

    /* A compact copy of the current state into an existing empty folder, while others write. */
    enum oi_status (*copy)(struct oi_kv *kv, const char *folder, struct oi_error *error);

    struct oi_kv_sizes {
        uint64_t file_bytes, used_bytes, map_bytes;
        uint64_t oldest_reader_lag; /* commits that the oldest open reader is behind */
    } (*sizes)(struct oi_kv *kv);
};

#define OI_KV_ENGINE(name) extern const struct oi_kv_engine oi_kv_##name;
#include "kv/engines.def"
#undef OI_KV_ENGINE
