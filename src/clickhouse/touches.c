/* SPDX-License-Identifier: Apache-2.0 */
/* From which time on the stored hours of each series have to be looked up in the rows. */
#include "clickhouse/touches.h"

static oi_time
earlier(oi_time a, oi_time b)
{
    return a < b ? a : b;
}

void
oi_touches_release(struct oi_touches *touches)
{
    oi_vector_release(&touches->items);
    *touches = (struct oi_touches){};
}

void
oi_touches_add(struct oi_touches *touches, uint32_t series, oi_time time)
{
    const struct oi_touch none = { OI_TIME_LATEST, OI_TIME_LATEST };
    struct oi_touch *touch;

    if (series == 0)
        return;
    while (touches->items.count < series)
        oi_vector_push(&touches->items, none);
    touch = &touches->items.items[series - 1];
    touch->later = earlier(touch->later, time);
}

oi_time
oi_touches_from(const struct oi_touches *touches, uint32_t series)
{
    const struct oi_touch *touch;

    if (touches->filled == 0)
        return OI_TIME_EARLIEST;
    if (series == 0 || series > touches->items.count)
        return OI_TIME_LATEST;
    touch = &touches->items.items[series - 1];
    return earlier(touch->before, touch->later);
}

void
oi_touches_turn(struct oi_touches *touches, uint64_t sequence)
{
    for (size_t i = 0; i < touches->items.count; i++) {
        struct oi_touch *touch = &touches->items.items[i];

        touch->before = earlier(touch->before, touch->later);
        touch->later = OI_TIME_LATEST;
    }
    touches->turned = sequence;
}

void
oi_touches_fill(struct oi_touches *touches, uint64_t filled, uint64_t sequence)
{
    if (filled <= touches->filled || filled > sequence)
        return;
    /* What came before the first event that is known here was not seen. */
    if (touches->filled == 0 && filled < touches->turned)
        return;
    touches->filled = filled;
    if (filled < touches->turned)
        return;
    for (size_t i = 0; i < touches->items.count; i++) {
        touches->items.items[i].before = touches->items.items[i].later;
        touches->items.items[i].later = OI_TIME_LATEST;
    }
    touches->turned = sequence;
}
