/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A figure that stands still while the price of its market moves: an exchange that repeats itself
 * looks like a calm market. Told of whoever collects (collector/frozen.h) and of what is stored
 * (query/run_frozen.c) by this one rule.
 */
#pragma once

#include "core/observation.h"

#include <stdbool.h>
#include <stdint.h>

/* A market since its figure last changed. `{}`: nothing is known of it yet. */
struct oi_standstill {
    struct oi_decimal open_interest;
    struct oi_decimal price; /* at `since` */
    oi_time since, seen;     /* first and last reading with this figure */
    bool has_moved;          /* its price, by more than half a percent since then */
};

/* What a standstill goes by: the mark price, or else the index price; NULL where there is neither,
 * or where nobody holds anything: that stands still by right. Borrowed from the reading. */
const struct oi_decimal *oi_standstill_price(const struct oi_observation *reading);

/* The next reading, of one that has a price for it. True when its figure is another than before,
 * and a new standstill begins with it. */
bool oi_standstill_note(struct oi_standstill *standstill, const struct oi_observation *reading);

/* Has the figure stood for `after_ns` while the price moved? */
bool oi_standstill_is_frozen(const struct oi_standstill *standstill, int64_t after_ns);
