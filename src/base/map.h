/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from bytes to a 64-bit value (an index, an id, a pointer cast by the caller). Keys are
 * copied in. Seeded from the kernel, so that a stranger cannot choose colliding keys.
 */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_map;

struct oi_map *oi_map_new(void);
/* NULL-safe, leaves NULL behind. */
void oi_map_free(struct oi_map **map);
/* Insert or replace. */
void oi_map_put(struct oi_map *map, struct oi_slice key, uint64_t value);
/* False and untouched output when absent. */
bool oi_map_get(const struct oi_map *map, struct oi_slice key, uint64_t *ret_value);
/* False when absent. */
bool oi_map_remove(struct oi_map *map, struct oi_slice key);
size_t oi_map_count(const struct oi_map *map);
/* Walk in no particular order: start with *position = 0, false at the end. The map must not change
 * meanwhile; the key lives until it does. */
bool oi_map_next(const struct oi_map *map, size_t *position, struct oi_slice *ret_key,
                 uint64_t *ret_value);
