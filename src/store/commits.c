/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each batch was committed, for ever, in blocks of 512: so that "as stored at" can be asked of
 * any moment, and so that a collected row, which was known when it was committed, need not say so
 * itself.
 */
#include "codec/column.h"
#include "store/store_internal.h"

#define BLOCK_BATCHES 512
/* A damaged number past this would ask for too much memory; at a thousand commits a second it is
 * reached after 30 years. */
#define BATCH_NUMBER_MAX (UINT64_C(1) << 40)

/* Entries are those of batches block * 512 + 1 and on, without a gap. */
struct block {
    size_t count;
    int64_t times[BLOCK_BATCHES];
    int64_t imports[BLOCK_BATCHES];
};

uint64_t
oi_commits_block(uint64_t batch)
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
oi_commits_add(struct oi_access *access, uint64_t batch, const struct oi_batch_header *header,
               struct oi_error *error)
{
    uint64_t number = oi_commits_block(batch);
    struct block block;

    OI_TRY(block_load(access, number, &block, error));
    if (batch != number * BLOCK_BATCHES + block.count + 1)
        return oi_fail(error, OI_E_CORRUPT, "the commit times have a gap before batch %llu",
                       (unsigned long long) batch);
    block.times[block.count] = header->commit_time;
    block.imports[block.count++] = header->import;
    return block_save(access, number, &block, error);
}

/* The blocks that a run of batches needs, each loaded once. */
struct resolver {
    struct oi_access *access;
    uint64_t first; /* blocks[0] is this block */
    struct block **blocks;
    size_t count;
};

static enum oi_status
resolve(struct resolver *resolver, uint64_t batch, oi_time *ret_time, struct oi_error *error)
{
    struct block **block = &resolver->blocks[oi_commits_block(batch) - resolver->first];
    size_t index = (size_t) ((batch - 1) % BLOCK_BATCHES);

    if (!*block) {
        *block = oi_alloc(sizeof(**block));
        (*block)->count = 0;
        OI_TRY(block_load(resolver->access, oi_commits_block(batch), *block, error));
    }
    if (index >= (*block)->count)
        return oi_fail(error, OI_E_CORRUPT, "batch %llu has no commit time",
                       (unsigned long long) batch);
    *ret_time = (*block)->times[index];
    return OI_OK;
}

enum oi_status
oi_commits_resolve(struct oi_access *access, const uint64_t *batches, size_t count, oi_time *times,
                   struct oi_error *error)
{
    uint64_t low = UINT64_MAX, high = 0, last = 0;
    oi_time last_time = OI_TIME_NONE;
    struct resolver resolver = { .access = access };
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < count; i++) {
        low = batches[i] < low ? batches[i] : low;
        high = batches[i] > high ? batches[i] : high;
    }
    if (count == 0)
        return OI_OK;
    if (low == 0 || high > BATCH_NUMBER_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a row of a batch that was never committed");
    resolver.first = oi_commits_block(low);
    resolver.count = (size_t) (oi_commits_block(high) - resolver.first) + 1;
    resolver.blocks = oi_alloc_zero(resolver.count, sizeof(*resolver.blocks));
    for (size_t i = 0; status == OI_OK && i < count; i++) {
        if (times[i] != OI_TIME_NONE)
            continue;
        /* A block of an import or of history is one batch. */
        if (batches[i] != last)
            status = resolve(&resolver, batches[i], &last_time, error);
        last = batches[i];
        times[i] = last_time;
    }
    for (size_t i = 0; i < resolver.count; i++)
        oi_free(resolver.blocks[i]);
    oi_free(resolver.blocks);
    return status;
}

/* The last batch at or before `time` among batches 1 … last, all of them in the table. */
static enum oi_status
search_blocks(struct oi_access *access, oi_time time, uint64_t last, uint64_t *ret_batch,
              struct oi_error *error)
{
    uint64_t low = 0, high = last == 0 ? 0 : oi_commits_block(last) + 1;
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
    uint64_t batch = 0, last;
    struct oi_access access;
    enum oi_status status = OI_OK;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    last = store->state.last_batch;
    for (size_t i = store->log.count; i-- > 0 && batch == 0;)
        if (store->log.items[i].commit_time <= time)
            batch = store->log.items[i].batch;
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (batch == 0) {
        OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
        status = search_blocks(&access, time, last, &batch, error);
        oi_access_end(&access);
    }
    if (status == OI_OK)
        *ret_batch = batch;
    return status;
}
