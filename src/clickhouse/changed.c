/* SPDX-License-Identifier: Apache-2.0 */
/* A series' steps: a stack of the earliest times that later batches touched. */
#include "clickhouse/changed.h"

#include <string.h>

void
oi_changed_release(struct oi_changed *changed)
{
    oi_vector_release(&changed->items);
    *changed = (struct oi_changed){};
}

/* How far apart two times are; centuries do not fit, and count as many. */
static uint64_t
apart(oi_time from, oi_time to)
{
    return (uint64_t) to - (uint64_t) from;
}

/* Two neighbours become one, which says of both what it said of the earlier: those that are closest
 * together for how long ago they were. */
static void
make_room(struct oi_changed_series *series)
{
    struct oi_changed_step *steps = series->steps;
    const oi_time now = steps[series->count - 1].time;
    unsigned best = 0;

    for (unsigned i = 1; i + 2 < series->count; i++) {
        unsigned __int128 gap = apart(steps[i].time, steps[i + 1].time);
        unsigned __int128 best_gap = apart(steps[best].time, steps[best + 1].time);

        if (gap * apart(steps[best + 1].time, now) < best_gap * apart(steps[i + 1].time, now))
            best = i;
    }
    steps[best].batch = steps[best + 1].batch;
    series->count--;
    memmove(&steps[best + 1], &steps[best + 2], (series->count - best - 1) * sizeof(*steps));
}

void
oi_changed_add(struct oi_changed *changed, uint32_t series, uint64_t batch, oi_time time)
{
    struct oi_changed_series *found;

    if (series == 0)
        return;
    while (changed->items.count < series)
        (void) oi_vector_add(&changed->items);
    found = &changed->items.items[series - 1];
    while (found->count > 0 && found->steps[found->count - 1].time >= time)
        found->count--;
    if (found->count == OI_CHANGED_STEPS)
        make_room(found);
    found->steps[found->count++] = (struct oi_changed_step){ batch, time };
}

void
oi_changed_add_all(struct oi_changed *changed, uint64_t batch)
{
    changed->all = batch;
}

oi_time
oi_changed_from(const struct oi_changed *changed, uint32_t series, uint64_t batch)
{
    const struct oi_changed_series *found;

    if (batch < changed->all)
        return OI_TIME_EARLIEST;
    if (series == 0 || series > changed->items.count)
        return OI_TIME_LATEST;
    found = &changed->items.items[series - 1];
    for (unsigned i = 0; i < found->count; i++)
        if (found->steps[i].batch > batch)
            return found->steps[i].time;
    return OI_TIME_LATEST;
}
