/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what sockets see; tests/system/streams.test.mjs listens over real ones */
/*
 * Who hears a market: a row looks at those who hear it and at nobody else, however many listen.
 * Each listener knows its place in the list of each of its markets, so that leaving costs as little
 * as coming. Those who hear everything stand under market 0, which is none.
 */
#include "server/live_internal.h"

#include <string.h>

size_t
live_index_add(struct live *live, uint32_t instrument, struct listener *listener)
{
    struct hearers *hearers;

    while (live->index.count <= instrument)
        (void) oi_vector_add(&live->index);
    hearers = &live->index.items[instrument];
    oi_vector_push(&hearers->items, listener);
    return hearers->items.count - 1;
}

void
live_index_remove(struct live *live, uint32_t instrument, size_t place)
{
    struct hearers *hearers = &live->index.items[instrument];
    struct listener *last = hearers->items.items[--hearers->items.count];

    if (place == hearers->items.count)
        return;
    hearers->items.items[place] = last;
    if (instrument == 0)
        last->place = place;
    else
        listener_find(last, instrument)->place = place;
}

void
live_index_push(struct live *live, uint32_t instrument,
                void (*push)(void *context, struct listener *listener), void *context)
{
    if (instrument >= live->index.count)
        return;
    /* From the end: a push may end its listener, and the last one takes its place. */
    for (size_t i = live->index.items[instrument].items.count; i-- > 0;)
        push(context, live->index.items[instrument].items.items[i]);
}

void
live_index_release(struct live *live)
{
    for (size_t i = 0; i < live->index.count; i++)
        oi_vector_release(&live->index.items[i].items);
    oi_vector_release(&live->index);
}
