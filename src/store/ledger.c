/* SPDX-License-Identifier: Apache-2.0 */
/* The import ledger: see ledger.h. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/ledger.h"

#include <string.h>

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

enum oi_status
oi_ledger_decode(struct oi_slice key, struct oi_slice body, struct oi_ledger_entry *entry,
                 struct oi_error *error)
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

enum oi_status
oi_ledger_put(struct oi_access *access, const struct oi_ledger_entry *entry, struct oi_error *error)
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
    access->has_imports = true;
    status = oi_access_put(access, OI_TABLE_IMPORT, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

bool
oi_ledger_has_batch(const struct oi_ledger_entry *entry, uint64_t batch)
{
    for (size_t i = 0; i < entry->batches.count; i++)
        if (entry->batches.items[i] == batch)
            return true;
    return false;
}

struct batch_search {
    uint64_t batch;
    struct oi_ledger_entry found;
};

static enum oi_status
search_batch(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct batch_search *search = context;
    struct oi_ledger_entry entry = {};

    OI_TRY(oi_ledger_decode(key, body, &entry, error));
    if (!entry.is_withdrawn && oi_ledger_has_batch(&entry, search->batch)) {
        search->found = entry;
        return OI_E_NOT_FOUND; /* enough */
    }
    oi_vector_release(&entry.batches);
    return OI_OK;
}

enum oi_status
oi_ledger_find_batch(struct oi_access *access, uint64_t batch, struct oi_ledger_entry *ret_entry,
                     struct oi_error *error)
{
    const struct oi_key all = {};
    struct batch_search search = { .batch = batch };

    OI_TRY(oi_access_walk(access, OI_TABLE_IMPORT, &all, &all, search_batch, &search, error));
    *ret_entry = search.found;
    return OI_OK;
}

/*
 * What is remembered: where the entries are, never what they say.
 */

struct oi_ledger {
    pthread_mutex_t lock; /* nothing is locked inside it */
    /* Of fingerprints, though an entry may be known by another one since; NULL: nothing was read.
     */
    struct oi_map *ids;
    struct oi_map *sizes; /* of files */
    bool has_sha256;
    OI_VECTOR(uint32_t) open; /* entries that may yet be known by another fingerprint */
    uint32_t read_to;         /* the first entry that was not read */
    uint64_t hidden_version;
};

struct oi_ledger *
oi_ledger_new(void)
{
    struct oi_ledger *ledger = oi_alloc_zero(1, sizeof(*ledger));

    oi_assert(pthread_mutex_init(&ledger->lock, NULL) == 0);
    return ledger;
}

static void
forget(struct oi_ledger *ledger)
{
    oi_map_free(&ledger->ids);
    oi_map_free(&ledger->sizes);
    oi_vector_clear(&ledger->open);
    ledger->has_sha256 = false;
    ledger->read_to = 0;
}

void
oi_ledger_free(struct oi_ledger **ledger)
{
    if (!*ledger)
        return;
    forget(*ledger);
    oi_vector_release(&(*ledger)->open);
    (void) pthread_mutex_destroy(&(*ledger)->lock);
    oi_free(*ledger);
    *ledger = NULL;
}

void
oi_ledger_drop(struct oi_ledger *ledger)
{
    (void) pthread_mutex_lock(&ledger->lock);
    forget(ledger);
    (void) pthread_mutex_unlock(&ledger->lock);
}

static struct oi_slice
size_key(const uint64_t *size)
{
    return (struct oi_slice){ (const char *) size, sizeof(*size) };
}

/* A file that comes in is known by other facts until its bytes are known; whoever imports it may
 * tell the ledger until it is complete. */
static bool
is_open(struct oi_slice body)
{
    const uint8_t *fingerprint = (const uint8_t *) body.data;
    bool is_complete = body.data[OI_FINGERPRINT_SIZE + 1] != 0;
    uint64_t size;

    return !is_complete ||
           (oi_fingerprint_is_one(fingerprint) && !oi_fingerprint_size(fingerprint, &size));
}

static enum oi_status
note_entry(void *context, struct oi_slice key, struct oi_slice body, struct oi_error *error)
{
    struct oi_ledger *ledger = context;
    const uint8_t *fingerprint = (const uint8_t *) body.data;
    uint32_t id = oi_key_take_u32(&key);
    uint64_t size;

    (void) error;
    ledger->read_to = id >= ledger->read_to ? id + 1 : ledger->read_to;
    /* Behind the fingerprint it says whether it was withdrawn, and is complete. A damaged one is no
     * file's. */
    if (body.size < OI_FINGERPRINT_SIZE + 2 || body.data[OI_FINGERPRINT_SIZE] != 0)
        return OI_OK;
    if (is_open(body))
        oi_vector_push(&ledger->open, id);
    oi_map_put(ledger->ids, (struct oi_slice){ body.data, OI_FINGERPRINT_SIZE }, id);
    if (!oi_fingerprint_is_one(fingerprint))
        ledger->has_sha256 = true;
    else if (oi_fingerprint_size(fingerprint, &size))
        oi_map_put(ledger->sizes, size_key(&size), id);
    return OI_OK;
}

/* Read again what may say something else by now. */
static enum oi_status
reread_open(struct oi_ledger *ledger, struct oi_access *access, struct oi_error *error)
{
    size_t count = ledger->open.count, kept = 0;
    enum oi_status status = OI_OK;

    for (size_t i = 0; status == OI_OK && i < count; i++) {
        const struct oi_key key = oi_key_of_u32(ledger->open.items[i]);
        struct oi_slice body;

        status = oi_access_get(access, OI_TABLE_IMPORT, oi_key_slice(&key), &body, error);
        if (status == OI_OK)
            status = note_entry(ledger, oi_key_slice(&key), body, error);
        if (status != OI_E_NOT_FOUND)
            continue;
        /* It is of a later state than the transaction's. */
        oi_vector_push(&ledger->open, ledger->open.items[i]);
        status = OI_OK;
    }
    if (status != OI_OK) {
        ledger->open.count = count; /* all are read again */
        return status;
    }
    /* Those that are still open stand behind. */
    for (size_t i = count; i < ledger->open.count; i++)
        ledger->open.items[kept++] = ledger->open.items[i];
    ledger->open.count = kept;
    return OI_OK;
}

/* What has come since. A withdrawal, which is seldom, is a reason to read all anew. */
static enum oi_status
refresh(struct oi_ledger *ledger, struct oi_access *access, struct oi_error *error)
{
    const struct oi_key all = {};
    struct oi_state state;
    struct oi_key from;

    OI_TRY(oi_state_load(access, &state, error));
    if (!ledger->ids || ledger->hidden_version != state.hidden_version) {
        forget(ledger);
        ledger->ids = oi_map_new();
        ledger->sizes = oi_map_new();
        ledger->hidden_version = state.hidden_version;
    }
    OI_TRY(reread_open(ledger, access, error));
    from = oi_key_of_u32(ledger->read_to);
    return oi_access_walk(access, OI_TABLE_IMPORT, &all, &from, note_entry, ledger, error);
}

enum oi_status
oi_ledger_find(struct oi_access *access, const uint8_t fingerprint[OI_FINGERPRINT_SIZE],
               struct oi_ledger_entry *ret_entry, struct oi_error *error)
{
    const struct oi_slice name = { (const char *) fingerprint, OI_FINGERPRINT_SIZE };
    struct oi_ledger *ledger = access->store->ledger;
    struct oi_ledger_entry entry = {};
    struct oi_slice body;
    struct oi_key key;
    uint64_t id = 0;
    enum oi_status status;

    *ret_entry = entry;
    (void) pthread_mutex_lock(&ledger->lock);
    status = refresh(ledger, access, error);
    if (status == OI_OK)
        (void) oi_map_get(ledger->ids, name, &id);
    (void) pthread_mutex_unlock(&ledger->lock);
    if (status != OI_OK || id == 0)
        return status;
    key = oi_key_of_u32((uint32_t) id);
    status = oi_access_get(access, OI_TABLE_IMPORT, oi_key_slice(&key), &body, error);
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    status = oi_ledger_decode(oi_key_slice(&key), body, &entry, error);
    if (status == OI_OK && !entry.is_withdrawn &&
        memcmp(entry.mark.fingerprint, fingerprint, OI_FINGERPRINT_SIZE) == 0) {
        *ret_entry = entry;
        return OI_OK;
    }
    oi_vector_release(&entry.batches);
    return status;
}

enum oi_status
oi_store_import_find(struct oi_store *store, const uint8_t fingerprint[OI_FINGERPRINT_SIZE],
                     struct oi_import_mark *ret_mark, struct oi_error *error)
{
    struct oi_ledger_entry entry;
    struct oi_access access;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status = oi_ledger_find(&access, fingerprint, &entry, error);
    oi_access_end(&access);
    OI_TRY(status);
    if (entry.id == 0)
        return oi_fail(error, OI_E_NOT_FOUND, "no file of that fingerprint was imported");
    *ret_mark = entry.mark;
    oi_vector_release(&entry.batches);
    return OI_OK;
}

enum oi_status
oi_store_import_kin(struct oi_store *store, uint64_t size, struct oi_import_kin *ret_kin,
                    struct oi_error *error)
{
    struct oi_ledger *ledger = store->ledger;
    struct oi_import_kin kin = { .has_size = store->remote != NULL };
    struct oi_access access;
    enum oi_status status;
    uint64_t id;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    (void) pthread_mutex_lock(&ledger->lock);
    status = refresh(ledger, &access, error);
    if (status == OI_OK) {
        kin.has_size |= oi_map_get(ledger->sizes, size_key(&size), &id);
        kin.has_sha256 = ledger->has_sha256;
    }
    (void) pthread_mutex_unlock(&ledger->lock);
    oi_access_end(&access);
    OI_TRY(status);
    *ret_kin = kin;
    return OI_OK;
}

/* Who asks next reads the renamed entry again. */
static void
reopen(struct oi_ledger *ledger, uint32_t id)
{
    (void) pthread_mutex_lock(&ledger->lock);
    if (ledger->ids)
        oi_vector_push(&ledger->open, id);
    (void) pthread_mutex_unlock(&ledger->lock);
}

static enum oi_status
rename_in(struct oi_access *access, const uint8_t from[OI_FINGERPRINT_SIZE],
          const uint8_t to[OI_FINGERPRINT_SIZE], struct oi_error *error)
{
    struct oi_ledger_entry entry;
    enum oi_status status;

    OI_TRY(oi_ledger_find(access, from, &entry, error));
    if (entry.id == 0)
        return oi_fail(error, OI_E_NOT_FOUND, "no file of that fingerprint was imported");
    memcpy(entry.mark.fingerprint, to, sizeof(entry.mark.fingerprint));
    status = oi_ledger_put(access, &entry, error);
    oi_vector_release(&entry.batches);
    if (status == OI_OK)
        status = oi_access_commit(access, error);
    if (status == OI_OK)
        reopen(access->store->ledger, entry.id);
    return status;
}

static enum oi_status
rename_entry(struct oi_store *store, const uint8_t from[OI_FINGERPRINT_SIZE],
             const uint8_t to[OI_FINGERPRINT_SIZE], struct oi_error *error)
{
    struct oi_access access;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_WRITE, error));
    status = rename_in(&access, from, to, error);
    oi_access_end(&access);
    return status;
}

enum oi_status
oi_store_import_rename(struct oi_store *store, const uint8_t from[OI_FINGERPRINT_SIZE],
                       const uint8_t to[OI_FINGERPRINT_SIZE], struct oi_error *error)
{
    enum oi_status status;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    (void) pthread_mutex_lock(&store->append_lock);
    status = rename_entry(store, from, to, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status;
}

enum oi_status
oi_import_save(struct oi_access *access, const struct oi_import_mark *mark, uint64_t batch,
               uint32_t *next_import, uint32_t *ret_import, struct oi_error *error)
{
    struct oi_ledger_entry entry = {};
    enum oi_status status;

    if (!memchr(mark->name, 0, sizeof(mark->name)) ||
        !memchr(mark->format, 0, sizeof(mark->format)))
        return oi_fail(error, OI_E_INVALID, "the name of an import is too long");
    OI_TRY(oi_ledger_find(access, mark->fingerprint, &entry, error));
    if (entry.id == 0)
        entry.id = (*next_import)++;
    entry.mark = *mark;
    oi_vector_push(&entry.batches, batch);
    *ret_import = entry.id;
    status = oi_ledger_put(access, &entry, error);
    oi_vector_release(&entry.batches);
    return status;
}
