/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array that grows, typed by its declaration:
 *
 *     OI_VECTOR(struct oi_instrument) found = {};
 *     oi_vector_push(&found, instrument);
 *     for (size_t i = 0; i < found.count; i++) use(&found.items[i]);
 *     oi_vector_release(&found);
 *
 * Items move when it grows: keep indices, not pointers.
 */
#pragma once

#include "base/alloc.h"

#include <stddef.h>

#define OI_VECTOR(type)                                                                            \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

/* Make room for `extra` more items. */
#define oi_vector_reserve(vector, extra)                                                           \
    ((vector)->items = oi_vector_grow((vector)->items, &(vector)->capacity,                        \
                                      (vector)->count + (extra), sizeof(*(vector)->items)))

/* Append a copy of `item`. */
#define oi_vector_push(vector, item)                                                               \
    (oi_vector_reserve(vector, 1), (void) ((vector)->items[(vector)->count++] = (item)))

/* Append one zeroed item and yield its address, valid until the vector grows. */
#define oi_vector_add(vector)                                                                      \
    (oi_vector_reserve(vector, 1), (vector)->count++,                                              \
     memset(&(vector)->items[(vector)->count - 1], 0, sizeof(*(vector)->items)),                   \
     &(vector)->items[(vector)->count - 1])

#define oi_vector_clear(vector) ((void) ((vector)->count = 0))

#define oi_vector_release(vector)                                                                  \
    (oi_free((vector)->items), (vector)->items = NULL, (vector)->count = (vector)->capacity = 0)

/* Used by the macros: `items` with room for at least `needed`, its new capacity stored. */
[[nodiscard]] void *oi_vector_grow(void *items, size_t *capacity, size_t needed, size_t item_size);
