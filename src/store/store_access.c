/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions and sealed values: the store's one way to the engine. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/ledger.h"

#include <string.h>

enum oi_status
oi_access_begin(struct oi_access *access, struct oi_store *store, enum oi_kv_mode mode,
                struct oi_error *error)
{
    *access = (struct oi_access){ .store = store, .is_writing = mode == OI_KV_WRITE };
    return store->engine->begin(store->kv, mode, &access->txn, error);
}

enum oi_status
oi_access_commit(struct oi_access *access, struct oi_error *error)
{
    enum oi_status status = access->store->engine->commit(&access->txn, error);

    access->txn = NULL;
    if (status != OI_OK && access->has_imports)
        oi_ledger_drop(access->store->ledger);
    return status;
}

void
oi_access_end(struct oi_access *access)
{
    if (!access->txn)
        return;
    access->store->engine->abort(&access->txn);
    access->txn = NULL;
    if (access->has_imports)
        oi_ledger_drop(access->store->ledger);
}

enum oi_status
oi_access_get(struct oi_access *access, enum oi_table table, struct oi_slice key,
              struct oi_slice *ret_body, struct oi_error *error)
{
    struct oi_error failure = {};
    struct oi_slice value;
    enum oi_status status = access->store->engine->get(access->txn, table, key, &value, &failure);

    /* What is absent is often no error: the caller says so if it is. */
    if (status == OI_E_NOT_FOUND)
        return status;
    if (status != OI_OK)
        return oi_fail(error, status, "%s", failure.message);
    return oi_seal_open(table, key, value, ret_body, error);
}

enum oi_status
oi_access_put(struct oi_access *access, enum oi_table table, struct oi_slice key,
              struct oi_buffer *sealed, struct oi_error *error)
{
    oi_seal_end(table, key, sealed);
    return access->store->engine->put(access->txn, table, key, oi_buffer_slice(sealed), error);
}

enum oi_status
oi_store_check_whole(struct oi_store *store, struct oi_error *error)
{
    bool lacks_rows;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    lacks_rows = store->lacks_rows;
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (lacks_rows)
        return oi_fail(error, OI_E_CORRUPT,
                       "a part of the log is damaged: rows may be missing from this answer");
    return OI_OK;
}

enum oi_status
oi_fail_reading(enum oi_table table, enum oi_status status, struct oi_error *error)
{
    /* Pages are mapped: what the engine cannot walk is damaged, whatever word it has for it. */
    if (status == OI_E_IO || status == OI_E_INVALID)
        status = OI_E_CORRUPT;
    return oi_fail(error, status, "cannot read the table %s", oi_table_names[table]);
}

/* A walk over the keys of a table that begin with a prefix. */
struct walk {
    struct oi_access *access;
    enum oi_table table;
    const struct oi_key *prefix;
    struct oi_kv_cursor *cursor;
    oi_entry_each *each;
    void *context;
};

static enum oi_status
walk_from(const struct walk *walk, struct oi_slice key, struct oi_slice value,
          struct oi_error *error)
{
    struct oi_access *access = walk->access;
    const struct oi_key *prefix = walk->prefix;

    for (;;) {
        struct oi_slice body;
        enum oi_status status;

        if (key.size < prefix->size || memcmp(key.data, prefix->bytes, prefix->size) != 0)
            return OI_OK;
        status = oi_seal_open(walk->table, key, value, &body, error);
        if (status == OI_OK)
            status = walk->each(walk->context, key, body, error);
        if (status == OI_E_NOT_FOUND)
            return OI_OK;
        if (status != OI_E_CORRUPT || !access->steps_over_damage)
            OI_TRY(status);
        else
            access->met_damage = true;
        status = access->store->engine->next(walk->cursor, &key, &value, NULL);
        if (status != OI_OK)
            return status == OI_E_NOT_FOUND ? OI_OK : oi_fail_reading(walk->table, status, error);
    }
}

enum oi_status
oi_access_walk(struct oi_access *access, enum oi_table table, const struct oi_key *prefix,
               const struct oi_key *from, oi_entry_each *each, void *context,
               struct oi_error *error)
{
    const struct oi_kv_engine *engine = access->store->engine;
    struct walk walk = { access, table, prefix, NULL, each, context };
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(engine->cursor_open(access->txn, table, &walk.cursor, error));
    status = engine->seek(walk.cursor, oi_key_slice(from), &key, &value, NULL);
    if (status == OI_OK)
        status = walk_from(&walk, key, value, error);
    else
        status = status == OI_E_NOT_FOUND ? OI_OK : oi_fail_reading(table, status, error);
    engine->cursor_close(&walk.cursor);
    return status;
}
