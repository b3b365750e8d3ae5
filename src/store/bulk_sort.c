/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first half of a bulk load: rows into their series, on all threads. Each takes a slice of the
 * parts and counts what it has of every series, then puts it where it belongs. Where the rows of a
 * part come in runs and nothing is wrong with any, no row is looked at.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_internal.h"

/* As an append has it. */
#define TIME_FIRST (OI_TIME_EARLIEST + 1000 * OI_DAY)
#define TIME_LAST (OI_TIME_LATEST - 1000 * OI_DAY)

/* Something of which each thread takes its share until there is none left. */
struct share {
    const struct oi_bulk *bulk;
    void (*work)(void *context);
    void *context;
};

static void *
take_share(void *context)
{
    const struct share *share = context;
    const struct oi_bulk *bulk = share->bulk;

    if (bulk->compute)
        bulk->compute(bulk->context, true);
    share->work(share->context);
    if (bulk->compute)
        bulk->compute(bulk->context, false);
    return NULL;
}

void
oi_bulk_on_all_threads(const struct oi_bulk *bulk, void (*work)(void *context), void *context)
{
    struct share share = { bulk, work, context };
    pthread_t threads[OI_BULK_THREADS_MAX];
    unsigned count = 0;

    while (count + 1 < bulk->threads && count < OI_BULK_THREADS_MAX &&
           pthread_create(&threads[count], NULL, take_share, &share) == 0)
        count++;
    (void) take_share(&share);
    for (unsigned i = 0; i < count; i++)
        (void) pthread_join(threads[i], NULL);
}

/*
 * Sorting into series.
 */

/* What is wrong with a row by itself, or NULL. */
static const char *
find_fault(const struct oi_packed *row, uint32_t series, size_t series_count, oi_time now)
{
    if (series == 0 || series > series_count)
        return "a series that does not exist";
    if (row->time == OI_TIME_NONE || row->time == OI_TIME_LATEST)
        return "no time";
    if (row->time < TIME_FIRST || row->time > TIME_LAST)
        return "a time outside the years 1680 to 2260";
    if (row->exponents[0] == OI_EXPONENT_NONE)
        return "no open interest";
    if (row->known_time != OI_TIME_NONE && row->known_time > now)
        return "known later than now";
    return NULL;
}

/* What a slice of the parts has of one series. */
struct tally {
    size_t count; /* of good rows */
    struct oi_bulk_item *items;
    oi_time first, last;
    bool is_tangled; /* some row is not later than the one before */
};

/* Some parts in a row, which are a thread's. */
struct slice {
    uint32_t from, to;
    /* Of its rows but those of parts with good runs: whose each is, 0 where it is refused. */
    uint32_t *owners;
    struct tally *tallies;
    uint64_t figures; /* a byte of each figure: not 0 where some row has it */
};

struct sorting {
    const struct oi_bulk_sort *sort;
    struct slice slices[OI_BULK_THREADS_MAX];
    unsigned slice_count;
    atomic_uint next;
};

/* Do runs tell all that is to be known of a part? */
static bool
has_good_runs(const struct oi_bulk_sort *sort, const struct oi_bulk_part *part)
{
    for (size_t i = 0; i < part->run_count; i++) {
        const struct oi_packed_run *run = &part->runs[i];
        uint32_t series = part->targets[run->target].series;

        if (series == 0 || series > sort->series_count || run->first < TIME_FIRST ||
            run->last > TIME_LAST || run->lacks_interest || run->known_last > sort->now)
            return false;
    }
    return part->run_count > 0;
}

/* Some rows of a series that come behind those of before. */
static inline void
add_to_tally(struct tally *tally, size_t count, oi_time first, oi_time last)
{
    if (tally->count == 0)
        tally->first = first;
    else
        tally->is_tangled |= first <= tally->last;
    tally->last = last;
    tally->count += count;
}

static void
count_runs(struct slice *slice, const struct oi_bulk_part *part)
{
    for (size_t i = 0; i < part->run_count; i++) {
        const struct oi_packed_run *run = &part->runs[i];

        slice->figures |= run->figures;
        add_to_tally(&slice->tallies[part->targets[run->target].series], run->count, run->first,
                     run->last);
    }
}

static void
count_part(const struct oi_bulk_sort *sort, struct slice *slice, uint32_t number, uint32_t *owner)
{
    const struct oi_bulk_part *part = &sort->bulk->parts[number];
    uint64_t figures = 0;

    for (uint32_t i = 0; i < part->count; i++, owner++) {
        const struct oi_packed *row = &part->rows[i];
        uint32_t series = part->targets[row->target].series;
        const char *fault = find_fault(row, series, sort->series_count, sort->now);

        figures |= oi_packed_figures(row);
        *owner = fault ? 0 : series;
        if (fault)
            sort->refuse(sort->context, (struct oi_bulk_item){ number, i }, fault);
        else
            add_to_tally(&slice->tallies[series], 1, row->time, row->time);
    }
    slice->figures |= figures;
}

/* How many good rows each series has, and whose each row is: so the rows themselves are walked once
 * at most. */
static void
count_rows(const struct oi_bulk_sort *sort, struct slice *slice)
{
    uint32_t *owner = slice->owners;

    for (uint32_t i = slice->from; i < slice->to; i++) {
        const struct oi_bulk_part *part = &sort->bulk->parts[i];

        if (has_good_runs(sort, part)) {
            count_runs(slice, part);
        } else {
            count_part(sort, slice, i, owner);
            owner += part->count;
        }
    }
}

static void
place_runs(const struct slice *slice, const struct oi_bulk_part *part, uint32_t number)
{
    for (size_t i = 0; i < part->run_count; i++) {
        const struct oi_packed_run *run = &part->runs[i];
        struct tally *tally = &slice->tallies[part->targets[run->target].series];

        for (uint32_t row = 0; row < run->count; row++)
            tally->items[row] = (struct oi_bulk_item){ number, run->from + row };
        tally->items += run->count;
    }
}

static void
place_rows(const struct oi_bulk_sort *sort, const struct slice *slice)
{
    const uint32_t *owner = slice->owners;

    for (uint32_t i = slice->from; i < slice->to; i++) {
        const struct oi_bulk_part *part = &sort->bulk->parts[i];

        if (has_good_runs(sort, part)) {
            place_runs(slice, part, i);
            continue;
        }
        for (uint32_t row = 0; row < part->count; row++, owner++)
            if (*owner != 0)
                *slice->tallies[*owner].items++ = (struct oi_bulk_item){ i, row };
    }
}

static void
count_slices(void *context)
{
    struct sorting *sorting = context;
    unsigned i;

    while ((i = atomic_fetch_add(&sorting->next, 1)) < sorting->slice_count)
        count_rows(sorting->sort, &sorting->slices[i]);
}

static void
place_slices(void *context)
{
    struct sorting *sorting = context;
    unsigned i;

    while ((i = atomic_fetch_add(&sorting->next, 1)) < sorting->slice_count)
        place_rows(sorting->sort, &sorting->slices[i]);
}

/* A load for each series that has rows, and in it a place for those of every slice. */
static void
make_loads(struct sorting *sorting, struct oi_bulk_item *at, struct oi_bulk_work *work)
{
    OI_VECTOR(struct oi_bulk_load) loads = {};

    for (uint32_t series = 1; series <= sorting->sort->series_count; series++) {
        struct oi_bulk_load load = { .series = series, .items = at };
        oi_time last = 0;

        for (unsigned i = 0; i < sorting->slice_count; i++) {
            struct tally *tally = &sorting->slices[i].tallies[series];

            tally->items = at;
            at += tally->count;
            if (tally->count == 0)
                continue;
            load.is_tangled |= tally->is_tangled || (load.count > 0 && tally->first <= last);
            load.count += tally->count;
            last = tally->last;
        }
        if (load.count > 0)
            oi_vector_push(&loads, load);
    }
    for (unsigned i = 0; i < sorting->slice_count; i++)
        oi_bulk_add_figures(work, sorting->slices[i].figures);
    work->loads = loads.items;
    work->load_count = loads.count;
}

/* Parts in as many slices as there are threads, but no more than the tables of tallies are worth.
 */
static void
make_slices(struct sorting *sorting, size_t row_count)
{
    const struct oi_bulk *bulk = sorting->sort->bulk;
    size_t series_count = sorting->sort->series_count;
    size_t most = row_count / (4 * (series_count + 1)) + 1, share, taken = 0;
    uint32_t part = 0;

    most = most < bulk->threads ? most : bulk->threads;
    most = most < OI_BULK_THREADS_MAX ? most : OI_BULK_THREADS_MAX;
    share = row_count / most + 1;
    while (part < bulk->part_count) {
        struct slice *slice = &sorting->slices[sorting->slice_count++];

        slice->from = part;
        for (taken = 0; part < bulk->part_count && taken < share; part++)
            taken += bulk->parts[part].count;
        slice->to = part;
        slice->owners = oi_alloc((taken + 1) * sizeof(*slice->owners));
        slice->tallies = oi_alloc_zero(series_count + 1, sizeof(*slice->tallies));
    }
}

struct oi_bulk_item *
oi_bulk_sort(const struct oi_bulk_sort *sort, struct oi_bulk_work *work)
{
    struct sorting sorting = { .sort = sort };
    struct oi_bulk_item *items;
    size_t row_count = 0;

    for (uint32_t part = 0; part < sort->bulk->part_count; part++)
        row_count += sort->bulk->parts[part].count;
    make_slices(&sorting, row_count);
    items = oi_alloc((row_count + 1) * sizeof(*items));
    oi_bulk_on_all_threads(sort->bulk, count_slices, &sorting);
    make_loads(&sorting, items, work);
    atomic_store(&sorting.next, 0);
    oi_bulk_on_all_threads(sort->bulk, place_slices, &sorting);
    for (unsigned i = 0; i < sorting.slice_count; i++) {
        oi_free(sorting.slices[i].owners);
        oi_free(sorting.slices[i].tallies);
    }
    return items;
}
