/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import ledger: which files came in, how far, in which batches; and what was withdrawn. A
 * withdrawn import's batches are hidden from every reader, whatever moment it asks for; its rows
 * stay on disk, and the file may be imported again.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

/* One entry of the ledger. */
struct entry {
    uint32_t id;
    bool is_withdrawn;
    struct oi_import_mark mark;
    OI_VECTOR(uint64_t) batches; /* ascending */
};

void
oi_name_encode(struct oi_buffer *out, const char *name)
{
    oi_buffer_add_u8(out, (uint8_t) strlen(name));
    oi_buffer_add_text(out, name);
}

void
oi_name_decode(struct oi_cursor *cursor, char *ret_name, size_t size)
{
    struct oi_slice text = oi_cursor_bytes(cursor, oi_cursor_u8(cursor));

    if (text.size >= size || cursor->failed) {
        cursor->failed = true;
        return;
    }
    if (text.size > 0)
        memcpy(ret_name, text.data, text.size);
    ret_name[text.size] = 0;
}

static enum oi_status
entry_decode(struct oi_slice key, struct oi_slice body, struct entry *entry, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_slice hash = oi_cursor_bytes(&cursor, sizeof(entry->mark.fingerprint));
    uint64_t batch = 0, count;

    entry->id = oi_key_take_u32(&key);
    if (hash.size == sizeof(entry->mark.fingerprint))
        memcpy(entry->mark.fingerprint, hash.data, hash.size);
    entry->is_withdrawn = oi_cursor_u8(&cursor) != 0;
    entry->mark.is_complete = oi_cursor_u8(&cursor) != 0;
    oi_name_decode(&cursor, entry->mark.name, sizeof(entry->mark.name));
    oi_name_decode(&cursor, entry->mark.format, sizeof(entry->mark.format));
    entry->mark.rows_done = oi_cursor_varint(&cursor);
    entry->mark.stored = oi_cursor_varint(&cursor);
    entry->mark.duplicate = oi_cursor_varint(&cursor);
    entry->mark.refused = oi_cursor_varint(&cursor);
    count = oi_cursor_varint(&cursor);
    for (uint64_t i = 0; i < count && !cursor.failed; i++) {
        batch += oi_cursor_varint(&cursor);
        oi_vector_push(&entry->batches, batch);
    }
    if (cursor.failed || oi_cursor_left(&cursor) != 0)
        return oi_fail(error, OI_E_CORRUPT, "entry %u of the import ledger is damaged", entry->id);
    return OI_OK;
}

static enum oi_status
entry_save(struct oi_access *access, const struct entry *entry, struct oi_error *error)
{
    const struct oi_key key = oi_key_of_u32(entry->id);
    struct oi_buffer value = {};
    enum oi_status status;
    uint64_t last = 0;

    oi_seal_begin(&value);
    oi_buffer_add(&value, entry->mark.fingerprint, sizeof(entry->mark.fingerprint));
    oi_buffer_add_u8(&value, entry->is_withdrawn);
    oi_buffer_add_u8(&value, entry->mark.is_complete);
    oi_name_encode(&value, entry->mark.name);
    oi_name_encode(&value, entry->mark.format);
    oi_buffer_add_varint(&value, entry->mark.rows_done);
    oi_buffer_add_varint(&value, entry->mark.stored);
    oi_buffer_add_varint(&value, entry->mark.duplicate);
    oi_buffer_add_varint(&value, entry->mark.refused);
    oi_buffer_add_varint(&value, entry->batches.count);
    for (size_t i = 0; i < entry->batches.count; i++) {
        oi_buffer_add_varint(&value, entry->batches.items[i] - last);
        last = entry->batches.items[i];
    }
    status = oi_access_put(access, OI_TABLE_IMPORT, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

/* The entry in force of a file, or of a batch; id 0 when there is none. */
struct search {
    const uint8_t *fingerprint; /* or NULL: look for `batch` */
    uint64_t batch;
    struct entry found;
};

static bool
has_batch(const struct entry *entry, uint64_t batch)
{
    for (size_t i = 0; i < entry->batches.count; i++)
        if (entry->batches.items[i] == batch)
            return true;
    return false;
}

static bool
begins_with(struct oi_slice body, const uint8_t fingerprint[OI_FINGERPRINT_SIZE])
{
    return body.size >= OI_FINGERPRINT_SIZE &&
           memcmp(fingerprint, body.data, OI_FINGERPRINT_SIZE) == 0;
}

static enum oi_status
search_entry(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct search *search = context;
    struct entry entry = {};
    bool is_it;

    /* A ledger may be long, and an entry begins with its fingerprint: others need not be read. */
    if (search->fingerprint && !begins_with(body, search->fingerprint))
        return OI_OK;
    OI_TRY(entry_decode(key, body, &entry, error));
    is_it = !entry.is_withdrawn && (search->fingerprint || has_batch(&entry, search->batch));
    if (is_it) {
        search->found = entry;
        return OI_E_NOT_FOUND; /* enough */
    }
    oi_vector_release(&entry.batches);
    return OI_OK;
}

static enum oi_status
search_run(struct oi_access *access, struct search *search, struct oi_error *error)
{
    const struct oi_key all = {};

    return oi_access_walk(access, OI_TABLE_IMPORT, &all, &all, search_entry, search, error);
}

enum oi_status
oi_store_import_find(struct oi_store *store, const uint8_t fingerprint[OI_FINGERPRINT_SIZE],
                     struct oi_import_mark *ret_mark, struct oi_error *error)
{
    struct search search = { .fingerprint = fingerprint };
    struct oi_access access;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status = search_run(&access, &search, error);
    oi_access_end(&access);
    OI_TRY(status);
    if (search.found.id == 0)
        return oi_fail(error, OI_E_NOT_FOUND, "no file of that fingerprint was imported");
    *ret_mark = search.found.mark;
    oi_vector_release(&search.found.batches);
    return OI_OK;
}

/* What is asked of every entry. */
struct kinship {
    uint64_t size;
    struct oi_import_kin kin;
};

static enum oi_status
note_kin(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct kinship *kinship = context;
    const uint8_t *fingerprint = (const uint8_t *) body.data;
    uint64_t size;

    (void) key;
    (void) error;
    /* Behind the fingerprint it says whether it was withdrawn. A damaged one is no file's. */
    if (body.size <= OI_FINGERPRINT_SIZE || body.data[OI_FINGERPRINT_SIZE] != 0)
        return OI_OK;
    if (!oi_fingerprint_is_one(fingerprint))
        kinship->kin.has_sha256 = true;
    else if (oi_fingerprint_size(fingerprint, &size) && size == kinship->size)
        kinship->kin.has_size = true;
    return OI_OK;
}

enum oi_status
oi_store_import_kin(struct oi_store *store, uint64_t size, struct oi_import_kin *ret_kin,
                    struct oi_error *error)
{
    const struct oi_key all = {};
    struct kinship kinship = { .size = size, .kin = { .has_size = store->remote != NULL } };
    struct oi_access access;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status = oi_access_walk(&access, OI_TABLE_IMPORT, &all, &all, note_kin, &kinship, error);
    oi_access_end(&access);
    OI_TRY(status);
    *ret_kin = kinship.kin;
    return OI_OK;
}

static enum oi_status
rename_entry(struct oi_store *store, struct search *search,
             const uint8_t fingerprint[OI_FINGERPRINT_SIZE], struct oi_error *error)
{
    struct oi_access access;
    enum oi_status status = oi_access_begin(&access, store, OI_KV_WRITE, error);

    OI_TRY(status);
    status = search_run(&access, search, error);
    if (status == OI_OK && search->found.id == 0)
        status = oi_fail(error, OI_E_NOT_FOUND, "no file of that fingerprint was imported");
    if (status == OI_OK) {
        memcpy(search->found.mark.fingerprint, fingerprint, sizeof(search->found.mark.fingerprint));
        status = entry_save(&access, &search->found, error);
    }
    if (status == OI_OK)
        status = oi_access_commit(&access, error);
    oi_access_end(&access);
    oi_vector_release(&search->found.batches);
    return status;
}

enum oi_status
oi_store_import_rename(struct oi_store *store, const uint8_t from[OI_FINGERPRINT_SIZE],
                       const uint8_t to[OI_FINGERPRINT_SIZE], struct oi_error *error)
{
    struct search search = { .fingerprint = from };
    enum oi_status status;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    (void) pthread_mutex_lock(&store->append_lock);
    status = rename_entry(store, &search, to, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

enum oi_status
oi_import_save(struct oi_access *access, const struct oi_import_mark *mark, uint64_t batch,
               uint32_t *next_import, uint32_t *ret_import, struct oi_error *error)
{
    struct search search = { .fingerprint = mark->fingerprint };
    struct entry *entry = &search.found;
    enum oi_status status;

    if (!memchr(mark->name, 0, sizeof(mark->name)) ||
        !memchr(mark->format, 0, sizeof(mark->format)))
        return oi_fail(error, OI_E_INVALID, "the name of an import is too long");
    OI_TRY(search_run(access, &search, error));
    if (entry->id == 0)
        entry->id = (*next_import)++;
    entry->mark = *mark;
    oi_vector_push(&entry->batches, batch);
    *ret_import = entry->id;
    status = entry_save(access, entry, error);
    oi_vector_release(&entry->batches);
    return status;
}

size_t
oi_hidden_find(const struct oi_hidden *hidden, uint64_t batch)
{
    size_t low = 0, high = hidden->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (hidden->batches[middle] < batch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
oi_hidden_has(const struct oi_hidden *hidden, uint64_t batch)
{
    size_t place = oi_hidden_find(hidden, batch);

    return place < hidden->count && hidden->batches[place] == batch;
}

struct oi_hidden
oi_hidden_copy(const struct oi_hidden *hidden)
{
    struct oi_hidden copy = { .count = hidden->count };

    if (copy.count > 0) {
        copy.batches = oi_alloc(copy.count * sizeof(*copy.batches));
        memcpy(copy.batches, hidden->batches, copy.count * sizeof(*copy.batches));
    }
    return copy;
}

struct hidden_list {
    OI_VECTOR(uint64_t) batches;
};

static enum oi_status
collect_hidden(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct hidden_list *list = context;
    struct entry entry = {};
    enum oi_status status = entry_decode(key, body, &entry, error);

    for (size_t i = 0; status == OI_OK && entry.is_withdrawn && i < entry.batches.count; i++)
        oi_vector_push(&list->batches, entry.batches.items[i]);
    oi_vector_release(&entry.batches);
    return status;
}

static int
compare_batches(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;

    return a < b ? -1 : a > b;
}

enum oi_status
oi_hidden_load(struct oi_access *access, struct oi_hidden *ret_hidden, struct oi_error *error)
{
    const struct oi_key all = {};
    struct hidden_list list = {};
    enum oi_status status =
        oi_access_walk(access, OI_TABLE_IMPORT, &all, &all, collect_hidden, &list, error);

    if (status != OI_OK) {
        oi_vector_release(&list.batches);
        return status;
    }
    if (list.batches.count > 0)
        qsort(list.batches.items, list.batches.count, sizeof(uint64_t), compare_batches);
    *ret_hidden = (struct oi_hidden){ list.batches.items, list.batches.count };
    return OI_OK;
}

/* What a withdrawal does to one series: its newest row and the rollups of the rows that go. */
struct withdrawal {
    const struct entry *entry;
    struct oi_position *position;
    struct oi_rows gone;
};

static enum oi_status
find_newest(void *context, const struct oi_columns *columns, struct oi_error *error)
{
    struct withdrawal *withdrawal = context;
    size_t last = columns->count - 1;

    (void) error;
    withdrawal->position->has_newest = true;
    withdrawal->position->newest = oi_columns_get(columns, last);
    withdrawal->position->newest_batch = columns->batch[last];
    return OI_OK;
}

static enum oi_status
collect_gone(void *context, const struct oi_columns *columns, struct oi_error *error)
{
    struct withdrawal *withdrawal = context;

    (void) error;
    for (size_t row = 0; row < columns->count; row++)
        if (has_batch(withdrawal->entry, columns->batch[row]))
            oi_rows_add_columns(&withdrawal->gone, columns, row, 1);
    return OI_OK;
}

static enum oi_status
withdraw_series(struct oi_access *access, uint32_t series, const struct entry *entry,
                const struct oi_hidden *before, const struct oi_hidden *after,
                struct oi_error *error)
{
    struct oi_position position;
    struct withdrawal withdrawal = { .entry = entry, .position = &position };
    enum oi_status status;

    OI_TRY(oi_position_load(access, series, &position, error));
    if (position.rows == 0 || position.last_batch < entry->batches.items[0])
        return OI_OK;
    status = oi_chunks_walk(access, series, OI_SPAN_ALL, before, collect_gone, &withdrawal, error);
    if (status == OI_OK && withdrawal.gone.count > 0) {
        position.has_newest = false;
        status =
            oi_chunks_walk(access, series, OI_SPAN_ALL, after, find_newest, &withdrawal, error);
        if (status == OI_OK)
            status = oi_position_save(access, series, &position, error);
        if (status == OI_OK)
            status = oi_rollups_renew(access, series, &withdrawal.gone, after, error);
    }
    oi_rows_release(&withdrawal.gone);
    return status;
}

static enum oi_status
withdraw_entry(struct oi_access *access, struct entry *entry, struct oi_error *error)
{
    struct oi_store *store = access->store;
    struct oi_hidden before = {}, after = {};
    struct oi_state state;
    enum oi_status status;

    OI_TRY(oi_state_load(access, &state, error));
    OI_TRY(oi_hidden_load(access, &before, error));
    entry->is_withdrawn = true;
    status = entry_save(access, entry, error);
    if (status == OI_OK)
        status = oi_hidden_load(access, &after, error);
    for (uint32_t series = 1; status == OI_OK && series <= store->names.series.count; series++)
        status = withdraw_series(access, series, entry, &before, &after, error);
    state.hidden_version++;
    if (status == OI_OK)
        status = oi_state_save(access, &state, error);
    if (status == OI_OK)
        status = oi_access_commit(access, error);
    oi_free(before.batches);
    oi_free(after.batches);
    return status;
}

enum oi_status
oi_withdraw_apply(struct oi_store *store, uint64_t batch, struct oi_error *error)
{
    struct search search = { .batch = batch };
    struct oi_access access;
    enum oi_status status = oi_access_begin(&access, store, OI_KV_WRITE, error);

    if (status == OI_OK)
        status = oi_store_catch_up(store, &access, error);
    if (status == OI_OK)
        status = search_run(&access, &search, error);
    if (status == OI_OK && search.found.id == 0)
        status = oi_fail(error, OI_E_NOT_FOUND, "batch %llu belongs to no import",
                         (unsigned long long) batch);
    if (status == OI_OK)
        status = withdraw_entry(&access, &search.found, error);
    oi_access_end(&access);
    oi_vector_release(&search.found.batches);
    return status;
}

enum oi_status
oi_store_withdraw(struct oi_store *store, uint64_t batch, struct oi_error *error)
{
    enum oi_status status;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    if (store->remote) {
        const char *bytes = (const char *) &batch;

        return oi_remote_change(store, OI_CHANGE_WITHDRAW,
                                (struct oi_slice){ bytes, sizeof(batch) }, NULL, error);
    }
    (void) pthread_mutex_lock(&store->append_lock);
    status = oi_withdraw_apply(store, batch, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status == OI_OK ? oi_store_follow(store, error) : status;
}
