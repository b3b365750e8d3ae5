/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-memory twin of the engine, for tests: the same promises, and it fails when told to. A
 * commit publishes a new version; tables that did not change and entries that did not change are
 * shared between versions by reference, so a reader keeps its version for as long as it likes. A
 * table is a sorted array: simple, and quick enough for what tests hold.
 */
#include "kv/memory.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/crc32c.h"
#include "base/slice.h"
#include "base/status.h"
#include "kv/kv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "memory.kv"
#define FILE_MARK 0x766b6d6fu /* "omkv" */
#define PATH_SIZE 4096
/* Longer names of tables are refused. */
#define NAME_SIZE 64

struct entry {
    atomic_uint references;
    size_t key_size, value_size;
    char bytes[]; /* the key, then the value */
};

struct table {
    atomic_uint references;
    struct entry **items; /* ascending by key */
    size_t count, capacity;
};

struct version {
    atomic_uint references;
    uint64_t commit;
    struct table *tables[OI_KV_TABLES_MAX];
};

struct oi_kv {
    char folder[PATH_SIZE];
    char names[OI_KV_TABLES_MAX][NAME_SIZE];
    unsigned table_count;
    bool is_read_only;
    pthread_mutex_t writing; /* held from begin to commit or abort of a write transaction */
    pthread_mutex_t mutex;   /* guards all below */
    struct version *current;
    uint64_t calls[2], fail_at[2]; /* by enum oi_kv_call; 0: no plan */
    enum oi_status fail_with[2];
};

struct oi_kv_cursor {
    struct oi_kv_txn *txn; /* NULL once that has ended */
    unsigned table;
    bool is_placed;
    size_t key_size; /* the key it stands on, by value: entries come and go around it */
    char key[OI_KV_KEY_SIZE_MAX];
    struct oi_kv_cursor *next, *previous;
};

struct oi_kv_txn {
    struct oi_kv *kv;
    enum oi_kv_mode mode;
    struct version *version; /* of a writer: its own, not yet published */
    bool is_own[OI_KV_TABLES_MAX];
    struct oi_kv_cursor *cursors;
};

/*
 * Entries, tables and versions.
 */

static struct oi_slice
entry_key(const struct entry *entry)
{
    return (struct oi_slice){ entry->bytes, entry->key_size };
}

static struct oi_slice
entry_value(const struct entry *entry)
{
    return (struct oi_slice){ entry->bytes + entry->key_size, entry->value_size };
}

static void
entry_unref(struct entry *entry)
{
    if (atomic_fetch_sub(&entry->references, 1) == 1)
        oi_free(entry);
}

static struct table *
table_new(size_t capacity)
{
    struct table *table = oi_alloc_zero(1, sizeof(*table));

    atomic_init(&table->references, 1);
    table->items = oi_alloc_zero(capacity, sizeof(struct entry *));
    table->capacity = capacity;
    return table;
}

static struct table *
table_copy(const struct table *table)
{
    struct table *copy = table_new(table->count + 16);

    for (size_t i = 0; i < table->count; i++) {
        copy->items[i] = table->items[i];
        atomic_fetch_add(&copy->items[i]->references, 1);
    }
    copy->count = table->count;
    return copy;
}

static void
table_unref(struct table *table)
{
    if (atomic_fetch_sub(&table->references, 1) != 1)
        return;
    for (size_t i = 0; i < table->count; i++)
        entry_unref(table->items[i]);
    oi_free(table->items);
    oi_free(table);
}

/* The place of the first entry at or after `key`; is it that key's own? */
static size_t
table_find(const struct table *table, struct oi_slice key, bool *ret_found)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (oi_slice_compare(entry_key(table->items[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < table->count && oi_slice_equal(entry_key(table->items[low]), key);
    return low;
}

static void
table_put(struct table *table, struct oi_slice key, struct oi_slice value)
{
    struct entry *entry = oi_alloc(sizeof(*entry) + key.size + value.size);
    bool found;
    size_t place;

    atomic_init(&entry->references, 1);
    entry->key_size = key.size;
    entry->value_size = value.size;
    memcpy(entry->bytes, key.data, key.size);
    if (value.size > 0)
        memcpy(entry->bytes + key.size, value.data, value.size);
    place = table_find(table, key, &found);
    if (found) {
        entry_unref(table->items[place]);
        table->items[place] = entry;
        return;
    }
    if (table->count == table->capacity) {
        table->capacity = table->capacity * 2 + 16;
        table->items = oi_realloc(table->items, table->capacity, sizeof(struct entry *));
    }
    memmove(&table->items[place + 1], &table->items[place],
            (table->count - place) * sizeof(struct entry *));
    table->items[place] = entry;
    table->count++;
}

static void
table_remove(struct table *table, struct oi_slice key)
{
    bool found;
    size_t place = table_find(table, key, &found);

    if (!found)
        return;
    entry_unref(table->items[place]);
    table->count--;
    memmove(&table->items[place], &table->items[place + 1],
            (table->count - place) * sizeof(struct entry *));
}

static struct version *
version_copy(const struct version *version)
{
    struct version *copy = oi_alloc_zero(1, sizeof(*copy));

    atomic_init(&copy->references, 1);
    copy->commit = version->commit;
    for (unsigned i = 0; i < OI_KV_TABLES_MAX; i++) {
        copy->tables[i] = version->tables[i];
        atomic_fetch_add(&copy->tables[i]->references, 1);
    }
    return copy;
}

static void
version_unref(struct version *version)
{
    if (atomic_fetch_sub(&version->references, 1) != 1)
        return;
    for (unsigned i = 0; i < OI_KV_TABLES_MAX; i++)
        table_unref(version->tables[i]);
    oi_free(version);
}

/*
 * Failures on demand.
 */

void
oi_kv_memory_fail(struct oi_kv *kv, enum oi_kv_call call, uint64_t nth, enum oi_status status)
{
    pthread_mutex_lock(&kv->mutex);
    kv->fail_at[call] = nth ? kv->calls[call] + nth : 0;
    kv->fail_with[call] = status;
    pthread_mutex_unlock(&kv->mutex);
}

uint64_t
oi_kv_memory_calls(const struct oi_kv *kv, enum oi_kv_call call)
{
    return kv->calls[call];
}

static enum oi_status
count_call(struct oi_kv *kv, enum oi_kv_call call, struct oi_error *error)
{
    enum oi_status status = OI_OK;

    pthread_mutex_lock(&kv->mutex);
    kv->calls[call]++;
    if (kv->fail_at[call] == kv->calls[call])
        status = kv->fail_with[call];
    pthread_mutex_unlock(&kv->mutex);
    return status == OI_OK ? OI_OK : oi_fail(error, status, "a failure that was asked for");
}

/*
 * Transactions.
 */

static enum oi_status
kv_begin(struct oi_kv *kv, enum oi_kv_mode mode, struct oi_kv_txn **ret_txn, struct oi_error *error)
{
    struct oi_kv_txn *txn;

    if (kv->is_read_only && mode == OI_KV_WRITE)
        return oi_fail(error, OI_E_DENIED, "the database was opened to be read only");
    txn = oi_alloc_zero(1, sizeof(*txn));
    txn->kv = kv;
    txn->mode = mode;
    if (mode == OI_KV_WRITE)
        pthread_mutex_lock(&kv->writing);
    pthread_mutex_lock(&kv->mutex);
    if (mode == OI_KV_WRITE) {
        txn->version = version_copy(kv->current);
    } else {
        txn->version = kv->current;
        atomic_fetch_add(&txn->version->references, 1);
    }
    pthread_mutex_unlock(&kv->mutex);
    *ret_txn = txn;
    return OI_OK;
}

static void
end(struct oi_kv_txn **txn)
{
    struct oi_kv_txn *ended = *txn;

    *txn = NULL;
    for (struct oi_kv_cursor *cursor = ended->cursors; cursor; cursor = cursor->next)
        cursor->txn = NULL;
    version_unref(ended->version);
    if (ended->mode == OI_KV_WRITE)
        pthread_mutex_unlock(&ended->kv->writing);
    oi_free(ended);
}

static void
kv_abort(struct oi_kv_txn **txn)
{
    if (*txn)
        end(txn);
}

static enum oi_status
kv_commit(struct oi_kv_txn **txn, struct oi_error *error)
{
    struct oi_kv *kv = (*txn)->kv;
    struct version *old;
    enum oi_status status = OI_OK;
    bool is_changed = false;

    for (unsigned i = 0; i < kv->table_count; i++)
        is_changed = is_changed || (*txn)->is_own[i];
    if ((*txn)->mode == OI_KV_WRITE)
        status = count_call(kv, OI_KV_CALL_COMMIT, error);
    if (status == OI_OK && is_changed) {
        pthread_mutex_lock(&kv->mutex);
        old = kv->current;
        (*txn)->version->commit++;
        kv->current = (*txn)->version;
        (*txn)->version = old;
        pthread_mutex_unlock(&kv->mutex);
    }
    end(txn);
    return status;
}

static uint64_t
kv_last_commit(struct oi_kv *kv)
{
    uint64_t commit;

    pthread_mutex_lock(&kv->mutex);
    commit = kv->current->commit;
    pthread_mutex_unlock(&kv->mutex);
    return commit;
}

static uint64_t
kv_snapshot(const struct oi_kv_txn *txn)
{
    return txn->mode == OI_KV_READ ? txn->version->commit + 1 : 0;
}

/* The same bounds as the real engine's. */
static enum oi_status
check_key(struct oi_slice key, struct oi_error *error)
{
    if (key.size == 0 || key.size > OI_KV_KEY_SIZE_MAX)
        return oi_fail(error, OI_E_INVALID, "a key of %zu bytes", key.size);
    return OI_OK;
}

/* The table to write to: a copy of this transaction's own, made at the first write. */
static struct table *
own_table(struct oi_kv_txn *txn, unsigned table)
{
    oi_assert(table < txn->kv->table_count);
    oi_assert(txn->mode == OI_KV_WRITE);
    if (!txn->is_own[table]) {
        struct table *shared = txn->version->tables[table];

        txn->version->tables[table] = table_copy(shared);
        txn->is_own[table] = true;
        table_unref(shared);
    }
    return txn->version->tables[table];
}

static enum oi_status
kv_get(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_slice *ret_value,
       struct oi_error *error)
{
    const struct table *entries = txn->version->tables[table];
    bool found;
    size_t place;

    oi_assert(table < txn->kv->table_count);
    OI_TRY(check_key(key, error));
    place = table_find(entries, key, &found);
    if (!found)
        return oi_fail(error, OI_E_NOT_FOUND, "no such entry");
    *ret_value = entry_value(entries->items[place]);
    return OI_OK;
}

static enum oi_status
kv_put(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_slice value,
       struct oi_error *error)
{
    OI_TRY(check_key(key, error));
    OI_TRY(count_call(txn->kv, OI_KV_CALL_PUT, error));
    table_put(own_table(txn, table), key, value);
    return OI_OK;
}

static enum oi_status
kv_remove(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_error *error)
{
    OI_TRY(check_key(key, error));
    OI_TRY(count_call(txn->kv, OI_KV_CALL_PUT, error));
    table_remove(own_table(txn, table), key);
    return OI_OK;
}

/*
 * Cursors.
 */

static enum oi_status
kv_cursor_open(struct oi_kv_txn *txn, unsigned table, struct oi_kv_cursor **ret_cursor,
               struct oi_error *)
{
    struct oi_kv_cursor *cursor = oi_alloc_zero(1, sizeof(*cursor));

    oi_assert(table < txn->kv->table_count);
    cursor->txn = txn;
    cursor->table = table;
    cursor->next = txn->cursors;
    if (cursor->next)
        cursor->next->previous = cursor;
    txn->cursors = cursor;
    *ret_cursor = cursor;
    return OI_OK;
}

static void
kv_cursor_close(struct oi_kv_cursor **cursor)
{
    struct oi_kv_cursor *closed = *cursor;

    if (!closed)
        return;
    *cursor = NULL;
    if (closed->txn) {
        if (closed->previous)
            closed->previous->next = closed->next;
        else
            closed->txn->cursors = closed->next;
        if (closed->next)
            closed->next->previous = closed->previous;
    }
    oi_free(closed);
}

static const struct table *
cursor_table(const struct oi_kv_cursor *cursor)
{
    oi_assert(cursor->txn != NULL);
    return cursor->txn->version->tables[cursor->table];
}

/* Stand on the entry at `place`; SIZE_MAX, which is one before the first, is past the end too. */
static enum oi_status
stand(struct oi_kv_cursor *cursor, size_t place, struct oi_slice *ret_key,
      struct oi_slice *ret_value, struct oi_error *error)
{
    const struct table *table = cursor_table(cursor);
    const struct entry *entry;

    if (place >= table->count)
        return oi_fail(error, OI_E_NOT_FOUND, "no more entries");
    entry = table->items[place];
    cursor->is_placed = true;
    cursor->key_size = entry->key_size;
    memcpy(cursor->key, entry->bytes, entry->key_size);
    *ret_key = entry_key(entry);
    *ret_value = entry_value(entry);
    return OI_OK;
}

static enum oi_status
kv_seek(struct oi_kv_cursor *cursor, struct oi_slice key, struct oi_slice *ret_key,
        struct oi_slice *ret_value, struct oi_error *error)
{
    bool found;

    return stand(cursor, table_find(cursor_table(cursor), key, &found), ret_key, ret_value, error);
}

static enum oi_status
kv_seek_last(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
             struct oi_error *error)
{
    return stand(cursor, cursor_table(cursor)->count - 1, ret_key, ret_value, error);
}

static enum oi_status
kv_next(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
        struct oi_error *error)
{
    struct oi_slice key = { cursor->key, cursor->key_size };
    bool found;
    size_t place;

    if (!cursor->is_placed)
        return stand(cursor, 0, ret_key, ret_value, error);
    place = table_find(cursor_table(cursor), key, &found);
    return stand(cursor, found ? place + 1 : place, ret_key, ret_value, error);
}

static enum oi_status
kv_previous(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
            struct oi_error *error)
{
    struct oi_slice key = { cursor->key, cursor->key_size };
    bool found;

    if (!cursor->is_placed)
        return kv_seek_last(cursor, ret_key, ret_value, error);
    return stand(cursor, table_find(cursor_table(cursor), key, &found) - 1, ret_key, ret_value,
                 error);
}

/*
 * The file: mark, CRC-32C of the rest, commit, number of tables; each table: name, number of
 * entries; each entry: key, value. Sizes are varints.
 */

static void
add_sized(struct oi_buffer *out, struct oi_slice bytes)
{
    oi_buffer_add_varint(out, bytes.size);
    oi_buffer_add_slice(out, bytes);
}

static struct oi_slice
read_sized(struct oi_cursor *cursor)
{
    return oi_cursor_bytes(cursor, oi_cursor_varint(cursor));
}

static void
file_path(const char *folder, char path[PATH_SIZE + sizeof(FILE_NAME) + 1])
{
    (void) snprintf(path, PATH_SIZE + sizeof(FILE_NAME) + 1, "%s/%s", folder, FILE_NAME);
}

static enum oi_status
save(const struct oi_kv *kv, const struct version *version, const char *folder,
     struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer head = {};
    char path[PATH_SIZE + sizeof(FILE_NAME) + 1];
    bool is_written;
    FILE *file;

    oi_buffer_add_u64(&body, version->commit);
    oi_buffer_add_varint(&body, kv->table_count);
    for (unsigned i = 0; i < kv->table_count; i++) {
        add_sized(&body, oi_slice_of(kv->names[i]));
        oi_buffer_add_varint(&body, version->tables[i]->count);
        for (size_t j = 0; j < version->tables[i]->count; j++) {
            add_sized(&body, entry_key(version->tables[i]->items[j]));
            add_sized(&body, entry_value(version->tables[i]->items[j]));
        }
    }
    oi_buffer_add_u32(&head, FILE_MARK);
    oi_buffer_add_u32(&head, oi_crc32c(0, body.data, body.size));
    file_path(folder, path);
    file = fopen(path, "wbe");
    if (!file)
        return oi_fail(error, OI_E_IO, "%s: %s", path, strerror(errno));
    is_written = fwrite(head.data, 1, head.size, file) == head.size;
    is_written = fwrite(body.data, 1, body.size, file) == body.size && is_written;
    if (fclose(file) != 0 || !is_written)
        return oi_fail(error, OI_E_IO, "%s: cannot be written", path);
    return OI_OK;
}

/* Entries of a table that the options do not name are dropped. */
static enum oi_status
parse(struct oi_kv *kv, struct oi_slice bytes, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    uint32_t mark = oi_cursor_u32(&cursor);
    uint32_t crc = oi_cursor_u32(&cursor);
    uint64_t table_count;

    if (cursor.failed || mark != FILE_MARK ||
        crc != oi_crc32c(0, cursor.at, oi_cursor_left(&cursor)))
        return oi_fail(error, OI_E_CORRUPT, "the file of the memory engine is damaged");
    kv->current->commit = oi_cursor_u64(&cursor);
    table_count = oi_cursor_varint(&cursor);
    for (uint64_t i = 0; i < table_count && !cursor.failed; i++) {
        struct oi_slice name = read_sized(&cursor);
        uint64_t count = oi_cursor_varint(&cursor);
        struct table *table = NULL;

        for (unsigned j = 0; j < kv->table_count; j++) {
            if (oi_slice_is(name, kv->names[j]))
                table = kv->current->tables[j];
        }
        for (uint64_t j = 0; j < count && !cursor.failed; j++) {
            struct oi_slice key = read_sized(&cursor);
            struct oi_slice value = read_sized(&cursor);

            if (table && !cursor.failed)
                table_put(table, key, value);
        }
    }
    if (cursor.failed)
        return oi_fail(error, OI_E_CORRUPT, "the file of the memory engine is damaged");
    return OI_OK;
}

static enum oi_status
load(struct oi_kv *kv, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer bytes = {};
    char path[PATH_SIZE + sizeof(FILE_NAME) + 1];
    char piece[65536];
    size_t size;
    FILE *file;

    file_path(kv->folder, path);
    file = fopen(path, "rbe");
    if (!file && errno == ENOENT)
        return OI_OK;
    if (!file)
        return oi_fail(error, OI_E_IO, "%s: %s", path, strerror(errno));
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
        oi_buffer_add(&bytes, piece, size);
    (void) fclose(file);
    return parse(kv, oi_buffer_slice(&bytes), error);
}

static void
release(struct oi_kv *kv)
{
    version_unref(kv->current);
    pthread_mutex_destroy(&kv->writing);
    pthread_mutex_destroy(&kv->mutex);
    oi_free(kv);
}

static enum oi_status
kv_open(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
        struct oi_error *error)
{
    struct oi_kv *kv;
    enum oi_status status;

    oi_assert(options->table_count <= OI_KV_TABLES_MAX);
    if (strlen(folder) >= PATH_SIZE)
        return oi_fail(error, OI_E_INVALID, "a path that is too long");
    kv = oi_alloc_zero(1, sizeof(*kv));
    (void) snprintf(kv->folder, sizeof(kv->folder), "%s", folder);
    kv->is_read_only = options->is_read_only;
    kv->table_count = options->table_count;
    for (unsigned i = 0; i < options->table_count; i++) {
        oi_assert(strlen(options->tables[i]) < NAME_SIZE);
        (void) snprintf(kv->names[i], NAME_SIZE, "%s", options->tables[i]);
    }
    pthread_mutex_init(&kv->writing, NULL);
    pthread_mutex_init(&kv->mutex, NULL);
    kv->current = oi_alloc_zero(1, sizeof(*kv->current));
    atomic_init(&kv->current->references, 1);
    for (unsigned i = 0; i < OI_KV_TABLES_MAX; i++)
        kv->current->tables[i] = table_new(0);
    status = load(kv, error);
    if (status != OI_OK) {
        release(kv);
        return status;
    }
    *ret_kv = kv;
    return OI_OK;
}

static void
kv_close(struct oi_kv **kv)
{
    struct oi_kv *closed = *kv;

    if (!closed)
        return;
    *kv = NULL;
    /* Closing cannot fail; a test that cannot write its folder will miss what it stored. */
    if (!closed->is_read_only)
        (void) save(closed, closed->current, closed->folder, NULL);
    release(closed);
}

static enum oi_status
kv_copy(struct oi_kv *kv, const char *folder, struct oi_error *error)
{
    struct oi_kv_txn *txn;
    enum oi_status status;

    OI_TRY(kv_begin(kv, OI_KV_READ, &txn, error));
    status = save(kv, txn->version, folder, error);
    end(&txn);
    return status;
}

static struct oi_kv_sizes
kv_sizes(struct oi_kv *kv)
{
    struct oi_kv_sizes sizes = {};

    pthread_mutex_lock(&kv->mutex);
    for (unsigned i = 0; i < kv->table_count; i++) {
        const struct table *table = kv->current->tables[i];

        for (size_t j = 0; j < table->count; j++)
            sizes.used_bytes += table->items[j]->key_size + table->items[j]->value_size;
    }
    pthread_mutex_unlock(&kv->mutex);
    sizes.file_bytes = sizes.map_bytes = sizes.used_bytes;
    return sizes;
}

const struct oi_kv_engine oi_kv_memory = {
    .name = "memory",
    .open = kv_open,
    .close = kv_close,
    .begin = kv_begin,
    .commit = kv_commit,
    .abort = kv_abort,
    .last_commit = kv_last_commit,
    .snapshot = kv_snapshot,
    .get = kv_get,
    .put = kv_put,
    .remove = kv_remove,
    .cursor_open = kv_cursor_open,
    .cursor_close = kv_cursor_close,
    .seek = kv_seek,
    .seek_last = kv_seek_last,
    .next = kv_next,
    .previous = kv_previous,
    .copy = kv_copy,
    .sizes = kv_sizes,
};
