/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a bulk load's rows, decided before the commit and without the engine: rows are
 * sorted into series and ordered; series whose rows follow all they have go into chunks, the others
 * are for the append. What can be encoded while the commit before is on its way is.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

#include <stdlib.h>
#include <string.h>

/* Where series have fewer rows than this part of a chunk they are appended: chunks of their own
 * would be crumbs, and the log gathers them. */
#define CRUMB_PART 8
/* More rows of one instant are for the append, which knows how to refuse them. */
#define REPEATS_MAX 1000
/* Flags that say how we came to know, not what was said. */
#define PROVENANCE_FLAGS (OI_FLAG_KNOWN_ASSUMED | OI_FLAG_DEFINITION_ASSUMED)

static void
refuse(void *context, struct oi_bulk_item item, const char *reason)
{
    struct oi_bulk_prepared *loading = context;
    const struct oi_bulk_refusal refusal = { item, reason };

    (void) pthread_mutex_lock(&loading->lock);
    oi_vector_push(&loading->refusals, refusal);
    (void) pthread_mutex_unlock(&loading->lock);
}

static void
sort_into_series(struct oi_bulk_prepared *loading)
{
    struct oi_store *store = loading->store;
    struct oi_bulk_sort sort = { .bulk = loading->bulk,
                                 .now = loading->sorted_at = store->clock->wall_ns(store->clock),
                                 .refuse = refuse,
                                 .context = loading };

    (void) pthread_rwlock_rdlock(&store->state_lock);
    sort.series_count = store->names.series.count;
    (void) pthread_rwlock_unlock(&store->state_lock);
    loading->items = oi_bulk_sort(&sort, &loading->work);
}

/*
 * Preparing one series: order, and rows of one instant.
 */

static oi_time
known_of(const struct oi_packed *row)
{
    return row->known_time == OI_TIME_NONE ? OI_TIME_LATEST : row->known_time;
}

static int
compare_keys(const struct oi_packed *a, const struct oi_packed *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (known_of(a) > known_of(b)) - (known_of(a) < known_of(b));
}

static int
compare_items(const void *left, const void *right, void *context)
{
    const struct oi_bulk_item *a = left, *b = right;
    const struct oi_bulk *bulk = context;
    int order = compare_keys(oi_bulk_row(bulk, *a), oi_bulk_row(bulk, *b));

    if (order != 0)
        return order;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static bool
same_reading(const struct oi_bulk *bulk, struct oi_bulk_item left, struct oi_bulk_item right)
{
    const struct oi_packed *a = oi_bulk_row(bulk, left), *b = oi_bulk_row(bulk, right);

    if ((a->flags & ~PROVENANCE_FLAGS) != (b->flags & ~PROVENANCE_FLAGS))
        return false;
    for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++) {
        struct oi_decimal one = oi_packed_figure(a, figure, bulk->parts[left.part].wides);
        struct oi_decimal other = oi_packed_figure(b, figure, bulk->parts[right.part].wides);

        if (!oi_decimal_equal(&one, &other))
            return false;
    }
    return true;
}

/* Of two rows of one instant, in key order: may the commit be at the very time at which the first
 * one was known, and the second one become known at no other? */
static bool
may_coincide(const struct oi_bulk_prepared *loading, struct oi_bulk_item first,
             struct oi_bulk_item second)
{
    oi_time known_time = oi_bulk_row(loading->bulk, first)->known_time;

    return known_time != OI_TIME_NONE && known_time >= loading->sorted_at &&
           oi_bulk_row(loading->bulk, second)->known_time == OI_TIME_NONE;
}

/* Does an instant's repetition need the append's care? They are in key order here; there they come
 * in the order of the file. */
static bool
has_odd_repeats(const struct oi_bulk_prepared *loading, const struct oi_bulk_load *load)
{
    const struct oi_bulk *bulk = loading->bulk;
    size_t repeats = 0;

    for (size_t i = 1; i < load->count; i++) {
        struct oi_bulk_item a = load->items[i - 1], b = load->items[i];

        if (oi_bulk_row(bulk, a)->time != oi_bulk_row(bulk, b)->time) {
            repeats = 0;
            continue;
        }
        if (a.part > b.part || (a.part == b.part && a.row > b.row) || ++repeats > REPEATS_MAX ||
            may_coincide(loading, a, b))
            return true;
    }
    return false;
}

/* What an append would say to the rows of one instant. */
static void
drop_repeats(struct oi_bulk_prepared *loading, struct oi_bulk_load *load, bool restates)
{
    const struct oi_bulk *bulk = loading->bulk;
    size_t kept = 1, duplicate = 0;

    for (size_t i = 1; i < load->count; i++) {
        struct oi_bulk_item before = load->items[kept - 1], item = load->items[i];

        if (oi_bulk_row(bulk, before)->time != oi_bulk_row(bulk, item)->time)
            load->items[kept++] = item;
        else if (same_reading(bulk, before, item))
            duplicate++;
        else if (compare_keys(oi_bulk_row(bulk, before), oi_bulk_row(bulk, item)) == 0)
            refuse(loading, item, "two different readings of one instant in one batch");
        else if (!restates)
            refuse(loading, item, "a second, different reading: the feed does not restate");
        else
            load->items[kept++] = item;
    }
    load->count = kept;
    (void) pthread_mutex_lock(&loading->lock);
    loading->duplicate += duplicate;
    (void) pthread_mutex_unlock(&loading->lock);
}

static void
order_rows(struct oi_bulk_prepared *loading, struct oi_bulk_load *load)
{
    const struct oi_bulk *bulk = loading->bulk;

    if (load->is_tangled)
        qsort_r(load->items, load->count, sizeof(*load->items), compare_items, (void *) bulk);
    load->first = oi_bulk_row(bulk, load->items[0])->time;
    load->last = oi_bulk_row(bulk, load->items[load->count - 1])->time;
    load->is_odd = load->is_tangled && has_odd_repeats(loading, load);
}

bool
oi_bulk_is_ahead(const struct oi_store *store, const struct oi_bulk_load *load)
{
    const struct oi_track *track = &store->tracks.items[load->series - 1];
    const struct oi_names *names = &store->names;
    const struct oi_feed *feed =
        &names->feeds.items[names->series.items[load->series - 1].feed - 1];

    return !store->remote && track->tail.count == 0 && strcmp(feed->name, "live") != 0 &&
           (track->position->rows == 0 || load->first > track->position->last);
}

static void
prepare(struct oi_bulk_prepared *loading)
{
    struct oi_store *store = loading->store;
    size_t least = store->chunk_rows / CRUMB_PART, rows = 0;

    for (size_t i = 0; i < loading->work.load_count; i++)
        rows += loading->work.loads[i].count;
    /* Among large ones a crumb is where the part begins or ends within a series. */
    if (rows >= least * loading->work.load_count)
        least = 0;
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];
        bool restates;

        load->is_appended = load->count < least;
        if (load->is_appended)
            continue;
        order_rows(loading, load);
        (void) pthread_rwlock_rdlock(&store->state_lock);
        load->is_appended = load->is_odd || !oi_bulk_is_ahead(store, load);
        restates =
            store->names.feeds.items[store->names.series.items[load->series - 1].feed - 1].restates;
        (void) pthread_rwlock_unlock(&store->state_lock);
        if (!load->is_appended && load->is_tangled)
            drop_repeats(loading, load, restates);
    }
}

/*
 * Encoding ahead, while the commit before is still on its way: new series, of which nothing can be
 * there, for the batch that the commit is about to have.
 */

/* Is the series among those of the load before? */
static bool
has_series(const struct oi_bulk_prepared *before, uint32_t series)
{
    size_t from = 0, to = before ? before->work.load_count : 0;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (before->work.loads[middle].series < series)
            from = middle + 1;
        else
            to = middle;
    }
    return before && from < before->work.load_count && before->work.loads[from].series == series;
}

/* Which series, and what for. False when that is not worth it: an append takes a batch of its own.
 */
static bool
plan(struct oi_bulk_prepared *loading, const struct oi_bulk_prepared *before)
{
    struct oi_store *store = loading->store;
    bool is_appended = store->remote, is_any = false;

    for (size_t i = 0; i < loading->work.load_count; i++)
        is_appended |= loading->work.loads[i].is_appended;
    if (is_appended)
        return false;
    (void) pthread_rwlock_rdlock(&store->state_lock);
    loading->planned_batch = store->state.last_batch + 1 + (before && !before->is_settled);
    for (size_t i = 0; i < loading->work.load_count; i++) {
        struct oi_bulk_load *load = &loading->work.loads[i];
        const struct oi_track *track = &store->tracks.items[load->series - 1];

        load->is_encoded =
            load->count > 0 && track->position->rows == 0 && !has_series(before, load->series);
        if (load->is_encoded)
            load->position = *track->position;
        is_any |= load->is_encoded;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_any;
}

/* What may be encoded ahead, and until when. */
struct ahead {
    struct oi_bulk_prepared *loading;
    const struct oi_bulk_prepared *before; /* NULL: all of it */
};

static bool
is_settled(struct oi_store *store, const struct oi_bulk_prepared *before)
{
    bool is_settled;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    is_settled = before->is_settled;
    (void) pthread_rwlock_unlock(&store->state_lock);
    return is_settled;
}

/* Once the commit before is done there is nothing left to wait for: the commit encodes the rest. */
static void
encode_planned(void *context)
{
    const struct ahead *ahead = context;
    struct oi_bulk_work *work = &ahead->loading->work;
    size_t i;

    while ((i = atomic_fetch_add(&work->next, 1)) < work->load_count) {
        struct oi_bulk_load *load = &work->loads[i];

        if (!load->is_encoded)
            continue;
        if (ahead->before && is_settled(ahead->loading->store, ahead->before))
            load->is_encoded = false;
        else
            oi_bulk_encode(work, load);
    }
}

static void
encode_ahead(struct oi_bulk_prepared *loading, const struct oi_bulk_prepared *before)
{
    struct ahead ahead = { loading, before };

    loading->is_planned = plan(loading, before);
    if (!loading->is_planned)
        return;
    loading->work.batch = loading->planned_batch;
    atomic_store(&loading->work.next, 0);
    oi_bulk_on_all_threads(loading->bulk, encode_planned, &ahead);
}

void
oi_bulk_plan(struct oi_bulk_prepared *loading, const struct oi_bulk_prepared *before)
{
    sort_into_series(loading);
    prepare(loading);
    encode_ahead(loading, before);
}
