/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reading on its way in by the million: 80 bytes instead of an observation's 272, figures as they
 * were written. Whoever holds packed readings holds two tables beside them: what they are of, and
 * the rare figures that do not fit 64 bits.
 */
#pragma once

#include "core/columns.h"

#include <stdint.h>

/* open_interest, value_usd, mark_price, index_price, last_price, in this order. */
#define OI_PACKED_FIGURES 5

struct oi_packed {
    oi_time time, exchange_time, known_time;
    /* Trailing zeros are kept, unlike in single decimals; or an index into the wide figures. */
    int64_t mantissas[OI_PACKED_FIGURES];
    int8_t exponents[OI_PACKED_FIGURES]; /* or OI_EXPONENT_NONE, OI_EXPONENT_WIDE */
    uint16_t flags;
    uint32_t target; /* an index into the table of what they are of */
    uint32_t line;   /* counted from where the part begins that it was read from */
};

/* One figure in canonical form. */
struct oi_decimal oi_packed_figure(const struct oi_packed *packed, unsigned figure,
                                   const struct oi_decimal *wides);
struct oi_observation oi_packed_get(const struct oi_packed *packed, const struct oi_decimal *wides);
