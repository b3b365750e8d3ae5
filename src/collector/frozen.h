/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which figures of an exchange stand still while the price moves. They are stored as they come,
 * counted and told, and never hidden.
 */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "series/standstill.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `struct oi_frozen frozen = { .after_ns = … };` knows no market. */
struct oi_frozen {
    int64_t after_ns; /* so long is called frozen; 0: never */
    OI_VECTOR(struct oi_standstill) markets;
    struct oi_map *places; /* of series among them; NULL: none yet */
};
void oi_frozen_release(struct oi_frozen *frozen);

/* A row that was collected. True when with it the market has just become a frozen one. */
bool oi_frozen_note(struct oi_frozen *frozen, uint32_t series,
                    const struct oi_observation *reading);
/* How many of those that were seen in the last `after_ns` are frozen at `now`. */
size_t oi_frozen_count(const struct oi_frozen *frozen, oi_time now);
