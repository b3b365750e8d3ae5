/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Withdrawn imports. Their batches are hidden from every reader, whatever moment it asks for; their
 * rows stay on disk, and the file may be imported again.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/ledger.h"

#include <stdlib.h>
#include <string.h>

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
    struct oi_ledger_entry entry = {};
    enum oi_status status = oi_ledger_decode(key, body, &entry, error);

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
    const struct oi_ledger_entry *entry;
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
        if (oi_ledger_has_batch(withdrawal->entry, columns->batch[row]))
            oi_rows_add_columns(&withdrawal->gone, columns, row, 1);
    return OI_OK;
}

static enum oi_status
withdraw_series(struct oi_access *access, uint32_t series, const struct oi_ledger_entry *entry,
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
withdraw_entry(struct oi_access *access, struct oi_ledger_entry *entry, struct oi_error *error)
{
    struct oi_store *store = access->store;
    struct oi_hidden before = {}, after = {};
    struct oi_state state;
    enum oi_status status;

    OI_TRY(oi_state_load(access, &state, error));
    OI_TRY(oi_hidden_load(access, &before, error));
    entry->is_withdrawn = true;
    status = oi_ledger_put(access, entry, error);
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
    struct oi_ledger_entry entry = {};
    struct oi_access access;
    enum oi_status status = oi_access_begin(&access, store, OI_KV_WRITE, error);

    if (status == OI_OK)
        status = oi_store_catch_up(store, &access, error);
    if (status == OI_OK)
        status = oi_ledger_find_batch(&access, batch, &entry, error);
    if (status == OI_OK && entry.id == 0)
        status = oi_fail(error, OI_E_NOT_FOUND, "batch %llu belongs to no import",
                         (unsigned long long) batch);
    if (status == OI_OK)
        status = withdraw_entry(&access, &entry, error);
    oi_access_end(&access);
    oi_vector_release(&entry.batches);
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
