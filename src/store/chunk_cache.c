/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk's columns are copied behind their head, in one piece of memory. */
#include "store/chunk_cache.h"

#include "base/alloc.h"
#include "store/column_copy.h"

#include <string.h>

#define RUNS_MAX 256
/* Where something would have to go, one of so many is kept: passing again and again over more than
 * there is room for leaves most of it where it is. */
#define KEPT_ONE_OF 8

/* Has every row a figure? */
static bool
is_whole(const struct oi_decimals *column, size_t count)
{
    return column->mantissas &&
           (!column->exponents || !memchr(column->exponents, OI_EXPONENT_NONE & 0xff, count));
}

void
oi_columns_leave_only(struct oi_columns *columns, unsigned sufficient)
{
    struct oi_decimals *const column =
        sufficient == OI_COLUMN_VALUE_USD ? &columns->value_usd : &columns->open_interest;
    struct oi_decimals only = *column;

    if (sufficient == 0 || !is_whole(column, columns->count))
        return;
    columns->open_interest = columns->value_usd = (struct oi_decimals){};
    columns->mark_price = columns->index_price = columns->last_price = (struct oi_decimals){};
    *column = only;
}

static struct oi_shelf_label
label_of(const struct oi_chunk_choice *choice)
{
    return (struct oi_shelf_label){ { (uint64_t) choice->series << 32 | choice->columns,
                                      (uint64_t) choice->first, choice->sufficient } };
}

struct oi_kept_chunk *
oi_kept_chunk_take(struct oi_access *access, const struct oi_chunk_choice *choice)
{
    struct oi_store *store = access->store;
    const struct oi_shelf_label label = label_of(choice);
    struct oi_kept_chunk *kept = (struct oi_kept_chunk *) oi_shelf_take(store->kept_chunks, &label);
    uint64_t snapshot = store->engine->snapshot(access->txn);
    uint8_t fingerprint[OI_FINGERPRINT_SIZE];

    if (!kept || (kept->snapshot == snapshot && snapshot != 0))
        return kept;
    oi_fingerprint_of(choice->value, fingerprint);
    if (memcmp(fingerprint, kept->fingerprint, sizeof(fingerprint)) != 0) {
        oi_free(kept);
        return NULL;
    }
    kept->snapshot = snapshot;
    return kept;
}

void
oi_kept_chunk_put(struct oi_store *store, struct oi_kept_chunk **kept)
{
    if (*kept)
        oi_shelf_put(store->kept_chunks, &(*kept)->item);
    *kept = NULL;
}

/* From a time to the one behind it; centuries do not fit, and wrap. */
static int64_t
step_to(const oi_time *times, size_t index)
{
    return (int64_t) ((uint64_t) times[index] - (uint64_t) times[index - 1]);
}

/* The distance that most of the times are apart. */
static int64_t
find_step(const oi_time *times, size_t count)
{
    int64_t step = 0;
    size_t lead = 0;

    for (size_t i = 1; i < count; i++) {
        int64_t apart = step_to(times, i);

        if (lead == 0)
            step = apart;
        lead += apart == step ? 1 : (size_t) -1;
    }
    return step;
}

/* Where the runs of equal steps end; of no use where they are short. */
static void
find_steps(const struct oi_columns *columns, uint32_t ends[RUNS_MAX], struct oi_scan_steps *steps)
{
    const oi_time *times = columns->time;

    *steps = (struct oi_scan_steps){ .step_ns = find_step(times, columns->count), .ends = ends };
    for (size_t i = 1; i <= columns->count; i++) {
        if (i < columns->count && step_to(times, i) == steps->step_ns)
            continue;
        if (steps->count == RUNS_MAX) {
            steps->count = 0;
            return;
        }
        ends[steps->count++] = (uint32_t) i;
    }
}

static void
copy_chunk(struct oi_column_copy *copy, struct oi_columns *columns, struct oi_scan_steps *steps)
{
    oi_column_copy_integers(copy, columns, columns->count);
    steps->times = columns->time;
    steps->ends = oi_column_copy_add(copy, steps->ends, steps->count * sizeof(*steps->ends));
    oi_column_copy_exponents(copy, columns, columns->count);
}

void
oi_kept_chunk_offer(struct oi_access *access, const struct oi_chunk_choice *choice,
                    const struct oi_columns *columns)
{
    struct oi_shelf *shelf = access->store->kept_chunks;
    const struct oi_shelf_label label = label_of(choice);
    struct oi_columns sized = *columns;
    struct oi_scan_steps steps, kept_steps;
    uint32_t ends[RUNS_MAX];
    struct oi_column_copy copy = {};
    struct oi_kept_chunk *kept;

    if (!oi_columns_are_usual(columns) || !oi_shelf_wants(shelf, &label, KEPT_ONE_OF))
        return;
    find_steps(columns, ends, &steps);
    kept_steps = steps;
    copy_chunk(&copy, &sized, &kept_steps);
    if (sizeof(*kept) + copy.size > OI_KEPT_CHUNK_SIZE)
        return;
    kept = oi_alloc(sizeof(*kept) + copy.size);
    kept->item.label = label;
    kept->columns = *columns;
    kept->steps = steps;
    kept->snapshot = access->store->engine->snapshot(access->txn);
    oi_fingerprint_of(choice->value, kept->fingerprint);
    copy = (struct oi_column_copy){ .at = (char *) (kept + 1) };
    copy_chunk(&copy, &kept->columns, &kept->steps);
    oi_shelf_put(shelf, &kept->item);
}
