/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading in bulk: rows are sorted into series; what follows everything a series has is encoded on
 * several threads and put into chunks and rollups in one transaction, with the import's mark; the
 * rest is appended before it. The batch gets its number, its commit time and an empty entry in the
 * log, so every question about moments is answered as if it had been appended.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

#include <stdlib.h>

static int
compare_refusals(const void *left, const void *right)
{
    const struct oi_bulk_refusal *a = left, *b = right;

    if (a->item.part != b->item.part)
        return a->item.part < b->item.part ? -1 : 1;
    return (a->item.row > b->item.row) - (a->item.row < b->item.row);
}

/* Counts, and the refusals that the caller has not heard of yet. */
static void
report(struct oi_bulk_prepared *loading)
{
    const struct oi_bulk *bulk = loading->bulk;

    loading->result.duplicate += loading->duplicate;
    loading->result.refused += loading->refusals.count;
    for (size_t i = 0; i < loading->work.load_count; i++)
        loading->result.stored += loading->work.loads[i].count;
    if (loading->refusals.count == 0 || !bulk->refuse)
        return;
    qsort(loading->refusals.items, loading->refusals.count, sizeof(struct oi_bulk_refusal),
          compare_refusals);
    for (size_t i = 0; i < loading->refusals.count; i++) {
        const struct oi_bulk_refusal *refusal = &loading->refusals.items[i];

        bulk->refuse(bulk->context, refusal->item.part, refusal->item.row, refusal->reason);
    }
}

/* What was encoded: it may be much, and is of no more use after the commit. */
static void
release_loads(struct oi_bulk_prepared *loading)
{
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];

        oi_buffer_release(&load->bytes);
        oi_vector_release(&load->values);
        oi_vector_release(&load->rollups[0]);
        oi_vector_release(&load->rollups[1]);
    }
}

enum oi_status
oi_store_bulk_prepare(struct oi_store *store, const struct oi_bulk *bulk,
                      const struct oi_bulk_prepared *before, struct oi_bulk_prepared **ret_prepared,
                      struct oi_error *error)
{
    struct oi_bulk_prepared *loading;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    OI_TRY(oi_store_refresh(store, error));
    loading = oi_alloc_zero(1, sizeof(*loading));
    loading->store = store;
    loading->bulk = bulk;
    loading->work.bulk = bulk;
    loading->work.chunk_rows = store->chunk_rows;
    (void) pthread_mutex_init(&loading->lock, NULL);
    oi_bulk_plan(loading, before);
    *ret_prepared = loading;
    return OI_OK;
}

enum oi_status
oi_store_bulk_commit(struct oi_bulk_prepared *prepared, struct oi_append_result *ret_result,
                     struct oi_error *error)
{
    const struct oi_bulk *bulk = prepared->bulk;
    enum oi_status status;

    prepared->is_marked = bulk->import != NULL;
    if (bulk->import) {
        prepared->mark = *bulk->import;
        prepared->mark.rows_done = bulk->rows_before;
        prepared->mark.is_complete = false;
    }
    do {
        status = oi_bulk_append(prepared, error);
        if (status == OI_OK && !prepared->store->remote)
            status = oi_bulk_put(prepared, error);
    } while (status == OI_OK && prepared->is_flipped);
    if (status == OI_OK) {
        report(prepared);
        *ret_result = prepared->result;
    }
    release_loads(prepared);
    if (prepared->store->remote && (status != OI_OK || !bulk->import || bulk->import->is_complete))
        oi_bulk_forget_records(prepared->store);
    return status;
}

void
oi_store_bulk_free(struct oi_bulk_prepared **prepared)
{
    if (!*prepared)
        return;
    release_loads(*prepared);
    oi_free((*prepared)->work.loads);
    oi_free((*prepared)->items);
    oi_vector_release(&(*prepared)->refusals);
    (void) pthread_mutex_destroy(&(*prepared)->lock);
    oi_free(*prepared);
    *prepared = NULL;
}

enum oi_status
oi_store_bulk(struct oi_store *store, const struct oi_bulk *bulk,
              struct oi_append_result *ret_result, struct oi_error *error)
{
    OI_CLEANUP(oi_store_bulk_free) struct oi_bulk_prepared *prepared = NULL;

    OI_TRY(oi_store_bulk_prepare(store, bulk, NULL, &prepared, error));
    return oi_store_bulk_commit(prepared, ret_result, error);
}
