/* SPDX-License-Identifier: Apache-2.0 */
/* Packed readings back into observations. */
#include "core/packed.h"

struct oi_decimal
oi_packed_figure(const struct oi_packed *packed, unsigned figure, const struct oi_decimal *wides)
{
    int exponent = packed->exponents[figure];

    if (exponent == OI_EXPONENT_NONE)
        return (struct oi_decimal){};
    if (exponent == OI_EXPONENT_WIDE)
        return wides[packed->mantissas[figure]];
    return oi_decimal_from(packed->mantissas[figure], exponent);
}

struct oi_observation
oi_packed_get(const struct oi_packed *packed, const struct oi_decimal *wides)
{
    return (struct oi_observation){
        .time = packed->time,
        .exchange_time = packed->exchange_time,
        .known_time = packed->known_time,
        .open_interest = oi_packed_figure(packed, 0, wides),
        .value_usd = oi_packed_figure(packed, 1, wides),
        .mark_price = oi_packed_figure(packed, 2, wides),
        .index_price = oi_packed_figure(packed, 3, wides),
        .last_price = oi_packed_figure(packed, 4, wides),
        .flags = packed->flags,
    };
}
