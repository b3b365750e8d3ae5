/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures that stand still while the price moves: an exchange that repeats itself looks like a calm
 * market. They are stored as they come, counted and told, and never hidden.
 */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "core/observation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A market as it was when its figure last changed. */
struct oi_frozen_market {
    struct oi_decimal open_interest, price;
    oi_time since, seen;
    bool has_moved; /* its price, by more than half a percent since then */
};

/* `struct oi_frozen frozen = { .after_ns = … };` knows no market. */
struct oi_frozen {
    int64_t after_ns; /* so long is called frozen; 0: never */
    OI_VECTOR(struct oi_frozen_market) markets;
    struct oi_map *places; /* of series among them; NULL: none yet */
};
void oi_frozen_release(struct oi_frozen *frozen);

/* A row that was collected. True when with it the market has just become a frozen one. */
bool oi_frozen_note(struct oi_frozen *frozen, uint32_t series,
                    const struct oi_observation *reading);
/* How many of those that were seen in the last `after_ns` are frozen at `now`. */
size_t oi_frozen_count(const struct oi_frozen *frozen, oi_time now);
