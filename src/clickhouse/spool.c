/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of batches on disk: one table of the embedded engine, keys that count up. */
#include "clickhouse/spool.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "store/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX ((uint64_t) 1 << 30)
#define KEY_SIZE 8

struct oi_spool {
    struct oi_kv *kv;
    int lock;
    uint64_t bytes_max;
    uint64_t next; /* key of the next batch */
    _Atomic uint64_t batches, bytes;
};

static const struct oi_kv_engine *const engine = &oi_kv_lmdb;

static void
write_key(uint64_t number, char key[KEY_SIZE])
{
    for (unsigned i = 0; i < KEY_SIZE; i++)
        key[i] = (char) (number >> (8 * (KEY_SIZE - 1 - i)));
}

static uint64_t
read_key(struct oi_slice key)
{
    uint64_t number = 0;

    for (size_t i = 0; i < key.size; i++)
        number = number << 8 | (unsigned char) key.data[i];
    return number;
}

/* How many wait, and under which key the next one goes. */
static enum oi_status
count(struct oi_spool *spool, struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_kv_txn *txn = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(engine->begin(spool->kv, OI_KV_READ, &txn, error));
    status = engine->cursor_open(txn, 0, &cursor, error);
    if (status == OI_OK)
        status = engine->seek(cursor, (struct oi_slice){}, &key, &value, error);
    while (status == OI_OK) {
        spool->next = read_key(key) + 1;
        spool->batches++;
        spool->bytes += value.size;
        status = engine->next(cursor, &key, &value, error);
    }
    if (cursor)
        engine->cursor_close(&cursor);
    engine->abort(&txn);
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

enum oi_status
oi_spool_open(const char *folder, uint64_t bytes_max, struct oi_spool **ret_spool,
              struct oi_error *error)
{
    static const char *const tables[] = { "batch" };
    const struct oi_kv_options options = { .table_count = 1, .tables = tables };
    struct oi_spool *spool = oi_alloc_zero(1, sizeof(*spool));
    char path[4096];
    enum oi_status status = OI_OK;

    spool->bytes_max = bytes_max ? bytes_max : BYTES_MAX;
    spool->next = 1;
    spool->lock = -1;
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        status = oi_fail(error, OI_E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    (void) snprintf(path, sizeof(path), "%s/lock", folder);
    if (status == OI_OK)
        spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (status == OI_OK && spool->lock < 0)
        status = oi_fail(error, OI_E_IO, "cannot open %s: %s", path, strerror(errno));
    if (status == OI_OK && flock(spool->lock, LOCK_EX | LOCK_NB) != 0)
        status = oi_fail(error, OI_E_BUSY, "another process keeps its batches in %s", folder);
    if (status == OI_OK)
        status = engine->open(folder, &options, &spool->kv, error);
    if (status == OI_OK)
        status = count(spool, error);
    if (status != OI_OK) {
        oi_spool_close(&spool);
        return status;
    }
    *ret_spool = spool;
    return OI_OK;
}

void
oi_spool_close(struct oi_spool **spool)
{
    struct oi_spool *closing = *spool;

    if (!closing)
        return;
    *spool = NULL;
    if (closing->kv)
        engine->close(&closing->kv);
    if (closing->lock >= 0)
        (void) close(closing->lock);
    oi_free(closing);
}

/* Checksum, what the batch tells besides its rows, its rows. */
static void
encode(const struct oi_batch *batch, oi_time now, struct oi_buffer *out)
{
    const struct oi_batch_header header = { .commit_time = now, .row_count = batch->row_count };
    struct oi_batch_rows rows = {};
    struct oi_buffer told = {}, body = {};

    for (size_t i = 0; i < batch->row_count; i++) {
        struct oi_observation reading = batch->rows[i].reading;

        if (reading.known_time == OI_TIME_NONE)
            reading.known_time = now;
        oi_batch_rows_add(&rows, batch->rows[i].series, &reading, 0);
    }
    oi_remote_encode_batch(batch, NULL, &told);
    oi_buffer_add_u32(&body, (uint32_t) told.size);
    oi_buffer_add(&body, told.data, told.size);
    oi_batch_encode(&header, &rows, &body);
    oi_buffer_add_u32(out, oi_crc32c(0, body.data, body.size));
    oi_buffer_add(out, body.data, body.size);
    oi_batch_rows_release(&rows);
    oi_buffer_release(&told);
    oi_buffer_release(&body);
}

static enum oi_status
decode(struct oi_slice value, struct oi_told_batch *told, struct oi_batch_rows *rows,
       struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(value);
    uint32_t crc = oi_cursor_u32(&cursor);
    struct oi_slice body = { (const char *) cursor.at, oi_cursor_left(&cursor) }, part;
    struct oi_batch_header header;
    enum oi_status status;

    if (cursor.failed || oi_crc32c(0, body.data, body.size) != crc)
        return oi_fail(error, OI_E_CORRUPT, "a batch that waited for ClickHouse is damaged");
    part = oi_cursor_bytes(&cursor, oi_cursor_u32(&cursor));
    OI_TRY(oi_told_decode(part, told, error));
    status =
        oi_batch_decode(oi_cursor_bytes(&cursor, oi_cursor_left(&cursor)), &header, rows, error);
    if (status != OI_OK)
        oi_told_release(told);
    return status;
}

enum oi_status
oi_spool_put(struct oi_spool *spool, const struct oi_batch *batch, oi_time now,
             struct oi_error *error)
{
    struct oi_buffer value = {};
    struct oi_kv_txn *txn = NULL;
    char key[KEY_SIZE];
    enum oi_status status;

    encode(batch, now, &value);
    if (spool->bytes + value.size > spool->bytes_max) {
        oi_buffer_release(&value);
        return oi_fail(error, OI_E_FULL,
                       "ClickHouse is away and the batches that wait for it fill their %llu MB",
                       (unsigned long long) (spool->bytes_max >> 20));
    }
    write_key(spool->next, key);
    status = engine->begin(spool->kv, OI_KV_WRITE, &txn, error);
    if (status == OI_OK)
        status =
            engine->put(txn, 0, (struct oi_slice){ key, KEY_SIZE }, oi_buffer_slice(&value), error);
    if (status == OI_OK)
        status = engine->commit(&txn, error);
    else
        engine->abort(&txn);
    if (status == OI_OK) {
        spool->next++;
        spool->batches++;
        spool->bytes += value.size;
    }
    oi_buffer_release(&value);
    return status;
}

static enum oi_status
find_oldest(struct oi_spool *spool, char key[KEY_SIZE], struct oi_buffer *value,
            struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_kv_txn *txn = NULL;
    struct oi_slice found, bytes;
    enum oi_status status;

    OI_TRY(engine->begin(spool->kv, OI_KV_READ, &txn, error));
    status = engine->cursor_open(txn, 0, &cursor, error);
    if (status == OI_OK)
        status = engine->seek(cursor, (struct oi_slice){}, &found, &bytes, error);
    if (status == OI_OK) {
        write_key(read_key(found), key);
        oi_buffer_add_slice(value, bytes);
    }
    if (cursor)
        engine->cursor_close(&cursor);
    engine->abort(&txn);
    return status;
}

static enum oi_status
drop(struct oi_spool *spool, const char key[KEY_SIZE], size_t size, struct oi_error *error)
{
    struct oi_kv_txn *txn = NULL;
    enum oi_status status = engine->begin(spool->kv, OI_KV_WRITE, &txn, error);

    if (status == OI_OK)
        status = engine->remove(txn, 0, (struct oi_slice){ key, KEY_SIZE }, error);
    if (status == OI_OK)
        status = engine->commit(&txn, error);
    else
        engine->abort(&txn);
    if (status == OI_OK) {
        spool->batches--;
        spool->bytes -= size;
    }
    return status;
}

enum oi_status
oi_spool_take(struct oi_spool *spool,
              enum oi_status (*take)(void *context, const struct oi_batch *batch,
                                     struct oi_error *error),
              void *context, struct oi_error *error)
{
    struct oi_buffer value = {};
    struct oi_told_batch told = {};
    struct oi_batch_rows rows = {};
    struct oi_batch batch = {};
    struct oi_row *items;
    char key[KEY_SIZE];
    enum oi_status status;

    if (spool->batches == 0)
        return OI_E_NOT_FOUND;
    status = find_oldest(spool, key, &value, error);
    if (status == OI_OK)
        status = decode(oi_buffer_slice(&value), &told, &rows, error);
    if (status != OI_OK) {
        oi_buffer_release(&value);
        return status;
    }
    items = oi_alloc_zero(rows.rows.count + 1, sizeof(*items));
    for (size_t i = 0; i < rows.rows.count; i++)
        items[i] = (struct oi_row){ rows.series.items[i], oi_rows_get(&rows.rows, i) };
    batch.rows = items;
    batch.row_count = rows.rows.count;
    batch.holes = told.holes.items;
    batch.hole_count = told.holes.count;
    batch.marks = told.marks.items;
    batch.mark_count = told.marks.count;
    status = take(context, &batch, error);
    if (status == OI_OK)
        status = drop(spool, key, value.size, error);
    oi_free(items);
    oi_batch_rows_release(&rows);
    oi_told_release(&told);
    oi_buffer_release(&value);
    return status;
}

void
oi_spool_sizes(struct oi_spool *spool, uint64_t *ret_batches, uint64_t *ret_bytes)
{
    *ret_batches = spool->batches;
    *ret_bytes = spool->bytes;
}
