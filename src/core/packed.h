/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reading on its way in by the million: 80 bytes instead of an observation's 272, figures as they
 * were written. Whoever holds packed readings holds two tables beside them: what they are of, and
 * the rare figures that do not fit 64 bits.
 */
#pragma once

#include "base/vector.h"
#include "core/columns.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* A byte of each figure, 0 where the row has none; the bytes behind mean nothing. */
static inline uint64_t
oi_packed_figures(const struct oi_packed *row)
{
    uint64_t exponents;

    static_assert(offsetof(struct oi_packed, exponents) + sizeof(exponents) <= sizeof(*row),
                  "more than the exponents may be read");
    memcpy(&exponents, (const char *) row + offsetof(struct oi_packed, exponents),
           sizeof(exponents));
    return exponents ^ ((uint8_t) OI_EXPONENT_NONE * UINT64_C(0x0101010101010101));
}

/* Rows one behind the other of one target, each later than the one before; and what is asked of
 * them before they are looked at one by one. */
struct oi_packed_run {
    uint32_t from, count, target;
    bool lacks_interest; /* some row does */
    oi_time first, last;
    oi_time known_last; /* the latest known time; OI_TIME_NONE when none is given */
    uint64_t figures;   /* oi_packed_figures of all, or-ed */
};
struct oi_packed_runs {
    struct oi_packed_run *items;
    size_t count, capacity;
};
/* The runs of rows that are in memory at hand. None, when they are so short that they are no help.
 */
void oi_packed_runs_find(const struct oi_packed *rows, size_t count, struct oi_packed_runs *runs);

/* One figure in canonical form. */
struct oi_decimal oi_packed_figure(const struct oi_packed *packed, unsigned figure,
                                   const struct oi_decimal *wides);
struct oi_observation oi_packed_get(const struct oi_packed *packed, const struct oi_decimal *wides);
