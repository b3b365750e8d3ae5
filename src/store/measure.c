/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a store are: what each column costs, and what stands beside the rows. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/store_internal.h"

struct measure {
    uint64_t rows;
    uint64_t parts[OI_CHUNK_PARTS];
    uint64_t rollups, log;
};

static void
add_chunk(struct measure *measure, struct oi_slice key, struct oi_slice value)
{
    struct oi_chunk_header header;

    if (oi_chunk_measure(key, value, measure->parts, NULL) == OI_OK &&
        oi_chunk_header_read(key, value, &header, NULL) == OI_OK)
        measure->rows += header.count;
}

static enum oi_status
measure_table(struct oi_access *access, enum oi_table table, struct measure *measure,
              struct oi_error *error)
{
    const struct oi_kv_engine *engine = access->store->engine;
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(engine->cursor_open(access->txn, table, &cursor, error));
    status = engine->seek(cursor, (struct oi_slice){}, &key, &value, NULL);
    while (status == OI_OK) {
        if (table == OI_TABLE_CHUNK)
            add_chunk(measure, key, value);
        else if (table == OI_TABLE_ROLLUP)
            measure->rollups += key.size + value.size;
        else
            measure->log += key.size + value.size;
        status = engine->next(cursor, &key, &value, NULL);
    }
    engine->cursor_close(&cursor);
    return status == OI_E_NOT_FOUND ? OI_OK : oi_fail_reading(table, status, error);
}

enum oi_status
oi_store_measure(struct oi_store *store,
                 void (*each)(void *context, const char *what, uint64_t bytes), void *context,
                 uint64_t *ret_rows, struct oi_error *error)
{
    static const enum oi_table tables[] = { OI_TABLE_CHUNK, OI_TABLE_ROLLUP, OI_TABLE_LOG };
    struct measure measure = {};
    struct oi_access access;
    enum oi_status status;

    if (store->remote)
        return store->remote->measure(store->remote_context, each, context, ret_rows, error);
    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status = OI_OK;
    for (size_t i = 0; status == OI_OK && i < OI_COUNT(tables); i++)
        status = measure_table(&access, tables[i], &measure, error);
    oi_access_end(&access);
    OI_TRY(status);
    for (unsigned part = 1; part < OI_CHUNK_PARTS; part++)
        each(context, oi_chunk_part_names[part], measure.parts[part]);
    each(context, oi_chunk_part_names[0], measure.parts[0]);
    each(context, "rollups", measure.rollups);
    each(context, "log", measure.log);
    *ret_rows = measure.rows;
    return OI_OK;
}
