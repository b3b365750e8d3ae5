/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows are read together. */
/* no unit test: needs a mirror; tests/contract/store_*_test.c run over one. */
#include "clickhouse/parts.h"

#define PART_SERIES 2'000
/* Series whose spans begin further apart are read apart. */
#define APART_NS (7 * OI_DAY)

void
oi_part_release(struct oi_part *part)
{
    oi_vector_release(&part->series);
    oi_vector_release(&part->spans);
}

static uint64_t
guess_rows(const struct oi_remote_extent *extent, struct oi_span span)
{
    uint64_t width = (uint64_t) (extent->last - extent->first) + 1;
    uint64_t part = (uint64_t) (span.to - span.from);

    if (part >= width)
        return extent->rows;
    return (uint64_t) ((unsigned __int128) extent->rows * part / width) + 1;
}

static bool
choose(const struct oi_part_walk *walk, struct oi_store *store, struct oi_remote_extent *ret_extent,
       struct oi_span *ret_span)
{
    if (!oi_remote_extent(store, walk->series, ret_extent) ||
        !walk->choose(walk->context, walk->series, ret_extent, ret_span))
        return false;
    if (walk->from != OI_TIME_NONE)
        ret_span->from = walk->from;
    return ret_span->from < ret_span->to;
}

void
oi_part_next(struct oi_part_walk *walk, struct oi_store *store, struct oi_part *part)
{
    uint64_t rows = 0;
    struct oi_series pair;

    part->lacks_wides = true;
    for (; oi_remote_series(store, walk->series, &pair); walk->series++) {
        struct oi_remote_extent extent;
        struct oi_span span;
        uint64_t more;
        int64_t days = INT64_MAX / OI_DAY;

        if (!choose(walk, store, &extent, &span)) {
            walk->from = OI_TIME_NONE;
            continue;
        }
        more = guess_rows(&extent, span);
        if (part->series.count > 0 &&
            (rows + more > walk->rows || part->series.count >= PART_SERIES ||
             span.from > part->span.from + APART_NS || span.from < part->span.from - APART_NS))
            return;
        if (more > 2 * walk->rows)
            days = (span.to - span.from) / OI_DAY * (int64_t) walk->rows / (int64_t) more + 1;
        walk->from = OI_TIME_NONE;
        if (days < (span.to - span.from + OI_DAY - 1) / OI_DAY)
            span.to = walk->from = span.from + days * OI_DAY;
        if (part->series.count == 0)
            part->span = span;
        part->lacks_wides &= extent.lacks_wides;
        oi_vector_push(&part->series, walk->series);
        oi_vector_push(&part->spans, span);
        rows += more;
        part->span.from = span.from < part->span.from ? span.from : part->span.from;
        part->span.to = span.to > part->span.to ? span.to : part->span.to;
        if (walk->from != OI_TIME_NONE)
            return;
    }
}
