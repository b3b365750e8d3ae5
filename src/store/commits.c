/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each batch was committed: in the log while it is there, then in blocks of 512 in a table of
 * its own, so that "as stored at" can be asked of any moment.
 */
#include "codec/column.h"
#include "store/store_internal.h"

#define BLOCK_BATCHES 512

/* Entries are those of batches block * 512 + 1 and on, without a gap. */
struct block {
    size_t count;
    int64_t times[BLOCK_BATCHES];
    int64_t imports[BLOCK_BATCHES];
};

static uint64_t
block_of(uint64_t batch)
{
    return (batch - 1) / BLOCK_BATCHES;
}

static enum oi_status
block_decode(struct oi_slice body, struct block *block, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    size_t used = 0;

    block->count = oi_cursor_u16(&cursor);
    if (cursor.failed || block->count == 0 || block->count > BLOCK_BATCHES)
        return oi_fail(error, OI_E_CORRUPT, "a block of commit times is damaged");
    for (unsigned column = 0; column < 2; column++) {
        struct oi_slice rest = { (const char *) cursor.at, oi_cursor_left(&cursor) };

        OI_TRY(oi_column_decode(rest, block->count, column ? block->imports : block->times, &used,
                                error));
        (void) oi_cursor_bytes(&cursor, used);
    }
    if (oi_cursor_left(&cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "a block of commit times is damaged");
    return OI_OK;
}

/* An absent block has count 0. */
static enum oi_status
block_load(struct oi_access *access, uint64_t number, struct block *block, struct oi_error *error)
{
    const struct oi_key key = oi_key_of_u64(number);
    struct oi_slice body;
    enum oi_status status =
        oi_access_get(access, OI_TABLE_COMMIT, oi_key_slice(&key), &body, error);

    block->count = 0;
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    return block_decode(body, block, error);
}

static enum oi_status
block_save(struct oi_access *access, uint64_t number, const struct block *block,
           struct oi_error *error)
{
    const struct oi_key key = oi_key_of_u64(number);
    struct oi_buffer value = {};
    enum oi_status status;

    oi_seal_begin(&value);
    oi_buffer_add_u16(&value, (uint16_t) block->count);
    oi_column_encode(block->times, block->count, &value);
    oi_column_encode(block->imports, block->count, &value);
    status = oi_access_put(access, OI_TABLE_COMMIT, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

enum oi_status
oi_commits_save(struct oi_access *access, const struct oi_log_entry *entries, size_t count,
                struct oi_error *error)
{
    struct block block;

    for (size_t i = 0; i < count;) {
        uint64_t number = block_of(entries[i].batch);

        OI_TRY(block_load(access, number, &block, error));
        for (; i < count && block_of(entries[i].batch) == number; i++) {
            if (entries[i].batch != number * BLOCK_BATCHES + block.count + 1)
                return oi_fail(error, OI_E_CORRUPT, "the commit times have a gap before batch %llu",
                               (unsigned long long) entries[i].batch);
            block.times[block.count] = entries[i].commit_time;
            block.imports[block.count++] = entries[i].import;
        }
        OI_TRY(block_save(access, number, &block, error));
    }
    return OI_OK;
}

/* The last batch at or before `time` among batches 1 … last, all of them in the table. */
static enum oi_status
search_blocks(struct oi_access *access, oi_time time, uint64_t last, uint64_t *ret_batch,
              struct oi_error *error)
{
    uint64_t low = 0, high = last == 0 ? 0 : block_of(last) + 1;
    struct block block;

    /* low: the number of blocks that begin at or before `time`. */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        OI_TRY(block_load(access, middle, &block, error));
        if (block.count > 0 && block.times[0] <= time)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_batch = 0;
    if (low == 0)
        return OI_OK;
    OI_TRY(block_load(access, low - 1, &block, error));
    for (size_t i = 0; i < block.count && block.times[i] <= time; i++)
        *ret_batch = (low - 1) * BLOCK_BATCHES + i + 1;
    return OI_OK;
}

enum oi_status
oi_commits_limit(struct oi_store *store, oi_time time, uint64_t *ret_batch, struct oi_error *error)
{
    uint64_t batch = 0, table_last;
    struct oi_access access;
    enum oi_status status;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    for (size_t i = store->log.count; i-- > 0 && batch == 0;)
        if (store->log.items[i].commit_time <= time)
            batch = store->log.items[i].batch;
    table_last = store->log.count > 0 ? store->log.items[0].batch - 1 : store->state.last_batch;
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (batch == 0 && table_last > 0) {
        OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
        status = search_blocks(&access, time, table_last, &batch, error);
        oi_access_end(&access);
        OI_TRY(status);
    }
    *ret_batch = batch;
    return OI_OK;
}
