/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks in their table: found by time, written from rows. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/store_internal.h"

#include <string.h>

static bool
is_of_series(struct oi_slice key, uint32_t series)
{
    return key.size == 12 && oi_key_take_u32(&key) == series;
}

static enum oi_status
make_place(struct oi_slice key, struct oi_slice value, struct oi_chunk_place *ret_place)
{
    struct oi_slice rest = { key.data + 4, key.size - 4 };

    *ret_place = (struct oi_chunk_place){ oi_key_take_time(&rest), key, value };
    return OI_OK;
}

enum oi_status
oi_chunk_find(struct oi_access *access, uint32_t series, oi_time time,
              struct oi_chunk_place *ret_place, struct oi_error *error)
{
    const struct oi_kv_engine *engine = access->store->engine;
    const struct oi_key wanted = oi_key_of_chunk(series, time);
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(engine->cursor_open(access->txn, OI_TABLE_CHUNK, &cursor, error));
    status = engine->seek(cursor, oi_key_slice(&wanted), &key, &value, NULL);
    if (status == OI_E_NOT_FOUND)
        status = engine->seek_last(cursor, &key, &value, NULL);
    else if (status == OI_OK && oi_slice_compare(key, oi_key_slice(&wanted)) > 0)
        status = engine->previous(cursor, &key, &value, NULL);
    engine->cursor_close(&cursor);
    if (status != OI_OK)
        return status == OI_E_NOT_FOUND ? status : oi_fail_reading(OI_TABLE_CHUNK, status, error);
    if (!is_of_series(key, series))
        return OI_E_NOT_FOUND;
    return make_place(key, value, ret_place);
}

enum oi_status
oi_chunk_find_after(struct oi_access *access, uint32_t series, oi_time time,
                    struct oi_chunk_place *ret_place, struct oi_error *error)
{
    const struct oi_kv_engine *engine = access->store->engine;
    const struct oi_key wanted = oi_key_of_chunk(series, time);
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(engine->cursor_open(access->txn, OI_TABLE_CHUNK, &cursor, error));
    status = engine->seek(cursor, oi_key_slice(&wanted), &key, &value, NULL);
    engine->cursor_close(&cursor);
    if (status != OI_OK)
        return status == OI_E_NOT_FOUND ? status : oi_fail_reading(OI_TABLE_CHUNK, status, error);
    if (!is_of_series(key, series))
        return OI_E_NOT_FOUND;
    return make_place(key, value, ret_place);
}

enum oi_status
oi_chunk_load(struct oi_access *access, struct oi_slice key, struct oi_slice value,
              unsigned columns, struct oi_chunk *chunk, struct oi_error *error)
{
    bool is_known_wanted = (columns & OI_COLUMN_KNOWN_TIME) != 0;
    unsigned needed = is_known_wanted ? columns | OI_COLUMN_BATCH : columns;

    OI_TRY(oi_chunk_decode(key, value, needed, chunk, error));
    if (is_known_wanted && chunk->known_is_commit)
        OI_TRY(oi_commits_resolve(access, chunk->columns.batch, chunk->columns.count,
                                  chunk->known_time, error));
    if (!(columns & OI_COLUMN_BATCH))
        chunk->columns.batch = NULL;
    return OI_OK;
}

/* Where the piece that begins at `from` ends: about `chunk_rows` further, never inside a time, and
 * without leaving a crumb. */
static size_t
piece_end(const struct oi_rows *rows, size_t from, size_t chunk_rows)
{
    size_t left = rows->count - from;
    size_t pieces = (left + chunk_rows - 1) / chunk_rows;
    size_t end = from + chunk_rows;

    if (left <= chunk_rows + chunk_rows / 4)
        return rows->count;
    if (pieces == 2)
        end = from + left / 2;
    while (end < rows->count && rows->items[end].time == rows->items[end - 1].time)
        end++;
    return end;
}

static enum oi_status
put_piece(struct oi_access *access, uint32_t series, const struct oi_columns *columns,
          struct oi_error *error)
{
    const struct oi_key key = oi_key_of_chunk(series, columns->time[0]);
    oi_time *commit_times = oi_alloc(columns->count * sizeof(*commit_times));
    struct oi_buffer value = {};
    enum oi_status status;

    for (size_t i = 0; i < columns->count; i++)
        commit_times[i] = OI_TIME_NONE;
    status = oi_commits_resolve(access, columns->batch, columns->count, commit_times, error);
    if (status == OI_OK) {
        oi_chunk_encode(oi_key_slice(&key), columns, commit_times, &value);
        status = access->store->engine->put(access->txn, OI_TABLE_CHUNK, oi_key_slice(&key),
                                            oi_buffer_slice(&value), error);
    }
    oi_buffer_release(&value);
    oi_free(commit_times);
    return status;
}

enum oi_status
oi_chunks_put(struct oi_access *access, uint32_t series, const struct oi_rows *rows,
              uint64_t *chunk_count, struct oi_error *error)
{
    struct oi_rows_columns columns = {};
    enum oi_status status = OI_OK;

    for (size_t from = 0; status == OI_OK && from < rows->count;) {
        size_t end = piece_end(rows, from, access->store->chunk_rows);

        if (end - from > OI_CHUNK_ROWS_MAX) {
            status = oi_fail(error, OI_E_INVALID, "more than %zu revisions of one instant",
                             OI_CHUNK_ROWS_MAX);
            break;
        }
        oi_rows_columns_fill(&columns, rows, from, end - from, OI_COLUMNS_ALL);
        status = put_piece(access, series, &columns.columns, error);
        (*chunk_count)++;
        from = end;
    }
    oi_rows_columns_release(&columns);
    return status;
}
