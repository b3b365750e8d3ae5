/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a bulk load that are not for chunks, appended: crumbs, and what overlaps; where rows
 * are elsewhere, all of them.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

/* So many rows are appended at once. */
#define APPEND_ROWS ((size_t) 32'768)

static void
refuse_appended(void *context, size_t row, const char *reason)
{
    struct oi_bulk_prepared *loading = context;
    struct oi_bulk_item item = loading->appended[row];

    if (loading->bulk->refuse)
        loading->bulk->refuse(loading->bulk->context, item.part, item.row, reason);
}

static void
count_result(struct oi_bulk_prepared *loading, const struct oi_append_result *result)
{
    loading->result.batch = result->batch ? result->batch : loading->result.batch;
    loading->result.stored += result->stored;
    loading->result.duplicate += result->duplicate;
    loading->result.refused += result->refused;
    loading->mark.stored += result->stored;
    loading->mark.duplicate += result->duplicate;
    loading->mark.refused += result->refused;
}

static enum oi_status
append_items(struct oi_bulk_prepared *loading, const struct oi_bulk_item *items,
             const struct oi_row *rows, size_t count, struct oi_error *error)
{
    struct oi_append_result result = {};
    const struct oi_batch batch = { .rows = rows,
                                    .row_count = count,
                                    .import = loading->is_marked ? &loading->mark : NULL,
                                    .refuse = refuse_appended,
                                    .context = loading };

    loading->appended = items;
    OI_TRY(oi_store_append(loading->store, &batch, &result, error));
    count_result(loading, &result);
    return OI_OK;
}

/* Where rows are elsewhere nothing is loaded, and the last append tells how far the file is. */
static void
finish_mark(struct oi_bulk_prepared *loading)
{
    if (!loading->is_marked)
        return;
    loading->mark.rows_done = loading->bulk->import->rows_done;
    loading->mark.is_complete = loading->bulk->import->is_complete;
}

/* Where rows are elsewhere, and all in order behind what is there: batches as they are, while that
 * holds. */
static enum oi_status
append_as_they_are(struct oi_bulk_prepared *loading, struct oi_error *error)
{
    struct oi_bulk_work *work = &loading->work;
    bool is_taken;
    size_t together = oi_bulk_batch(work), left = oi_bulk_count(work, &is_taken);
    struct oi_batch_rows rows = {};
    enum oi_status status = OI_OK;

    if (left == 0)
        return OI_OK;
    while (status == OI_OK && is_taken && left > 0) {
        const struct oi_import_mark mark = loading->mark;
        const struct oi_batch batch = { .import = loading->is_marked ? &loading->mark : NULL };
        struct oi_append_result result = {};
        size_t count = together < left ? together : left;

        if (count == left)
            finish_mark(loading);
        is_taken = oi_bulk_take_records(loading->store, work, count, &rows);
        if (is_taken)
            status = oi_append_ahead(loading->store, &batch, &rows, &result, &is_taken, error);
        if (status != OI_OK || !is_taken) {
            loading->mark = mark;
            break;
        }
        count_result(loading, &result);
        oi_bulk_drop_items(work, count);
        left -= count;
    }
    loading->is_whole = status == OI_OK && left == 0;
    oi_bulk_leave_records(loading->store, &rows);
    return status;
}

enum oi_status
oi_bulk_append(struct oi_bulk_prepared *loading, struct oi_error *error)
{
    OI_VECTOR(struct oi_bulk_item) items = {};
    OI_VECTOR(struct oi_row) rows = {};
    size_t together = loading->store->remote ? oi_bulk_batch(&loading->work) : APPEND_ROWS;
    enum oi_status status = OI_OK;

    if (loading->store->remote) {
        OI_TRY(append_as_they_are(loading, error));
        if (loading->is_whole)
            return OI_OK;
    }
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];

        for (size_t k = 0; load->is_appended && status == OI_OK && k < load->count; k++) {
            struct oi_row row = { .series = load->series,
                                  .reading = oi_bulk_observation(&loading->work, load->items[k]) };

            row.reading.known_time = oi_bulk_row(loading->bulk, load->items[k])->known_time;
            oi_vector_push(&items, load->items[k]);
            oi_vector_push(&rows, row);
            if (rows.count < together)
                continue;
            status = append_items(loading, items.items, rows.items, rows.count, error);
            oi_vector_clear(&items);
            oi_vector_clear(&rows);
        }
        if (load->is_appended)
            load->count = 0;
    }
    if (loading->store->remote)
        finish_mark(loading);
    if (status == OI_OK && (rows.count > 0 || (loading->store->remote && loading->is_marked)))
        status = append_items(loading, items.items, rows.items, rows.count, error);
    oi_vector_release(&items);
    oi_vector_release(&rows);
    return status;
}
