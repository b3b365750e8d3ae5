/* SPDX-License-Identifier: Apache-2.0 */
/* Growing an array, for the macros of vector.h. */
#include "base/vector.h"

/* Few vectors stay below this; growing from 1 would only mean more calls. */
#define CAPACITY_FIRST 8

void *
oi_vector_grow(void *items, size_t *capacity, size_t needed, size_t item_size)
{
    size_t wanted = *capacity < SIZE_MAX / 2 ? *capacity * 2 : SIZE_MAX;

    if (needed <= *capacity)
        return items;
    if (wanted < needed)
        wanted = needed;
    if (wanted < CAPACITY_FIRST)
        wanted = CAPACITY_FIRST;
    items = oi_realloc(items, wanted, item_size);
    *capacity = wanted;
    return items;
}
