/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candles: open, high, low and close of each interval, from columns of readings. A bucket [t, t +
 * i) is stamped with its start; open and close are the first and last reading inside it. No empty
 * bucket is invented.
 */
#pragma once

#include "base/vector.h"
#include "core/columns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One interval of a market or a total. Amounts are in the query's unit; none where unknown. */
struct oi_candle {
    oi_time start;
    struct oi_decimal open, high, low, close;
    struct oi_decimal price_open,
        price_close;     /* mark prices at the first and last priced reading */
    oi_time first, last; /* instants of open and close */
    uint32_t count;      /* readings inside; 0: filled */
    bool is_incomplete;  /* readings are lost: set by who knows of that */
};

/* A reader of columns that leaves candles behind. `{ .interval_ns = … }` is a fresh one. The last
 * candle may still grow; take the others away with oi_candles_clear when they have been used. */
struct oi_candles {
    int64_t interval_ns;
    OI_VECTOR(struct oi_candle) items;
};

/* Readings to resample: amounts that are none are passed over. */
struct oi_readings {
    const oi_time *time; /* ascending */
    const struct oi_decimals *amounts;
    const struct oi_decimals *prices; /* or NULL */
    size_t count;
};

/* Add readings that lie behind everything added so far. */
void oi_candles_add(struct oi_candles *candles, const struct oi_readings *readings);
/* Add one reading; `price` may be NULL. */
void oi_candles_add_one(struct oi_candles *candles, oi_time time, const struct oi_decimal *amount,
                        const struct oi_decimal *price);
/* Add a whole interval that was reduced before (a rollup): it must be a part of one bucket. */
void oi_candles_add_part(struct oi_candles *candles, const struct oi_candle *part);
/* Forget all but the last `kept` candles. */
void oi_candles_keep(struct oi_candles *candles, size_t kept);
void oi_candles_release(struct oi_candles *candles);
