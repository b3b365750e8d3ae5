/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bulk load between its parts, in the order in which it goes through them: what becomes of which
 * rows (bulk_plan.c; bulk_sort.c puts them by series), what is not for chunks (bulk_append.c;
 * bulk_records.c for what goes elsewhere), and the commit of the rest (bulk_put.c), encoded before
 * or in it (bulk_encode.c, bulk_columns.c). bulk.c calls these.
 */
#pragma once

#include "store/chunk.h"
#include "store/rollup.h"
#include "store/store_internal.h"

#include <stddef.h>

/* A row by its place. */
struct oi_bulk_item {
    uint32_t part, row;
};

/* A value ready to be put: its key, and where its bytes are in the load's buffer. */
struct oi_bulk_value {
    enum oi_table table;
    struct oi_key key;
    size_t from, size;
};

/* The rows of one series. */
struct oi_bulk_load {
    uint32_t series;
    struct oi_bulk_item *items; /* in order of time, then known time, once it is prepared */
    size_t count;
    oi_time first, last;
    bool is_appended; /* not for chunks */
    bool is_tangled;  /* it was not in order of time, or had several rows of one */
    bool is_odd;      /* its repeated instants are for the general way */
    bool is_encoded;  /* ahead of the transaction */
    struct oi_position position;
    struct oi_rollups rollups[2]; /* hours, days: stored ones first, then with the rows */
    /* What came out. */
    size_t chunk_count;
    struct oi_buffer bytes;
    OI_VECTOR(struct oi_bulk_value) values;
};

struct oi_bulk_work {
    const struct oi_bulk *bulk;
    struct oi_bulk_load *loads;
    size_t load_count;
    atomic_size_t next; /* load to be taken by a thread */
    size_t chunk_rows;
    bool has_figure[OI_PACKED_FIGURES]; /* in some row of some series */
    uint64_t batch;
};

/* A row that was refused; the reason is a constant. */
struct oi_bulk_refusal {
    struct oi_bulk_item item;
    const char *reason;
};

struct oi_bulk_prepared {
    struct oi_store *store;
    const struct oi_bulk *bulk;
    struct oi_bulk_work work;
    struct oi_bulk_item *items; /* of all series */
    struct oi_import_mark mark; /* `is_marked` */
    bool is_marked;
    bool is_whole;     /* all rows were appended as they are */
    bool is_flipped;   /* some series must be appended after all */
    oi_time sorted_at; /* no row was known later */
    /* Some loads are encoded already, for this batch. */
    bool is_planned;
    uint64_t planned_batch;
    bool is_settled; /* its commit is in the store's state, under whose lock this is */
    pthread_mutex_t lock;
    OI_VECTOR(struct oi_bulk_refusal) refusals; /* under the lock, as is what follows */
    size_t duplicate;
    struct oi_append_result result;
    const struct oi_bulk_item *appended; /* the rows of the batch being appended */
};

/* bulk_plan.c: before the commit; `before` as in oi_store_bulk_prepare. */
void oi_bulk_plan(struct oi_bulk_prepared *loading, const struct oi_bulk_prepared *before);
/* May it go into chunks? The state lock is held. */
bool oi_bulk_is_ahead(const struct oi_store *store, const struct oi_bulk_load *load);

/* bulk_append.c: the rows of all series that are appended; they are then dealt with. */
enum oi_status oi_bulk_append(struct oi_bulk_prepared *loading, struct oi_error *error);

/* bulk_put.c: all others. Where `is_flipped` is set then, nothing was done: some have to be
 * appended first. */
enum oi_status oi_bulk_put(struct oi_bulk_prepared *loading, struct oi_error *error);

/* bulk_records.c */
/* The rows of all loads; *ret_plain (may be NULL): are those of each in order, none of one instant?
 */
size_t oi_bulk_count(const struct oi_bulk_work *work, bool *ret_plain);
/* How many of them go elsewhere at once. */
size_t oi_bulk_batch(const struct oi_bulk_work *work);
/* The first rows of all loads, `limit` at most, as records; false when some have wide figures. */
bool oi_bulk_take_records(struct oi_store *store, struct oi_bulk_work *work, size_t limit,
                          struct oi_batch_rows *rows);
/* They are of no more use; their memory, which is dear to get, a fault a page, is kept for the next
 * ones. */
void oi_bulk_leave_records(struct oi_store *store, struct oi_batch_rows *rows);
/* There are no next ones. */
void oi_bulk_forget_records(struct oi_store *store);
/* So many of the first rows are dealt with. */
void oi_bulk_drop_items(struct oi_bulk_work *work, size_t count);

static inline const struct oi_packed *
oi_bulk_row(const struct oi_bulk *bulk, struct oi_bulk_item item)
{
    return &bulk->parts[item.part].rows[item.row];
}

static inline void
oi_bulk_add_figures(struct oi_bulk_work *work, uint64_t figures)
{
    const char *bytes = (const char *) &figures;

    for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++)
        work->has_figure[figure] |= bytes[figure] != 0;
}

/* Rows without a known time are known when they are committed, of which the time is not known
 * before that. No other row is known at this time. */
static inline oi_time
oi_bulk_known_time(const struct oi_packed *row)
{
    return row->known_time == OI_TIME_NONE ? OI_CHUNK_UNCOMMITTED : row->known_time;
}

#define OI_BULK_THREADS_MAX 64

/* Something of which each thread takes its share until there is none left. */
void oi_bulk_on_all_threads(const struct oi_bulk *bulk, void (*work)(void *context), void *context);

/* bulk_sort.c: rows by series. What is wrong with a row by itself is told to `refuse`, by any
 * thread. */
struct oi_bulk_sort {
    const struct oi_bulk *bulk;
    size_t series_count;
    oi_time now;
    void (*refuse)(void *context, struct oi_bulk_item item, const char *reason);
    void *context;
};
/* The items of all series, to be freed by the caller; and the work's loads, which point into them,
 * and figures. */
struct oi_bulk_item *oi_bulk_sort(const struct oi_bulk_sort *sort, struct oi_bulk_work *work);

/* bulk_encode.c */
/* What the row says, with its known time, which may be OI_CHUNK_UNCOMMITTED, and all flags. */
struct oi_observation oi_bulk_observation(const struct oi_bulk_work *work,
                                          struct oi_bulk_item item);
/* Chunks, rollups and position of a series, all without the time of the commit; pure. */
void oi_bulk_encode(const struct oi_bulk_work *work, struct oi_bulk_load *load);
