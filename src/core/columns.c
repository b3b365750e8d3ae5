/* SPDX-License-Identifier: Apache-2.0 */
/* Single rows out of columns. */
#include "core/columns.h"

#include "base/compiler.h"
#include "base/status.h"

struct oi_decimal
oi_decimals_get(const struct oi_decimals *column, size_t row)
{
    int exponent;

    if (!column->mantissas)
        return (struct oi_decimal){};
    if (!column->exponents)
        return oi_decimal_from(column->mantissas[row], column->exponent);
    exponent = column->exponents[row];
    if (exponent == OI_EXPONENT_NONE)
        return (struct oi_decimal){};
    if (exponent == OI_EXPONENT_WIDE)
        return column->wides[column->mantissas[row]];
    return oi_decimal_from(column->mantissas[row], exponent);
}

struct oi_observation
oi_columns_get(const struct oi_columns *columns, size_t row)
{
    struct oi_observation observation = OI_OBSERVATION_NONE;

    oi_assert(row < columns->count);
    observation.time = columns->time[row];
    if (columns->exchange_time)
        observation.exchange_time = columns->exchange_time[row];
    if (columns->known_time)
        observation.known_time = columns->known_time[row];
    observation.open_interest = oi_decimals_get(&columns->open_interest, row);
    observation.value_usd = oi_decimals_get(&columns->value_usd, row);
    observation.mark_price = oi_decimals_get(&columns->mark_price, row);
    observation.index_price = oi_decimals_get(&columns->index_price, row);
    observation.last_price = oi_decimals_get(&columns->last_price, row);
    if (columns->flags)
        observation.flags = columns->flags[row];
    return observation;
}

struct oi_decimals
oi_decimals_from_row(const struct oi_decimals *column, size_t from)
{
    struct oi_decimals rest = *column;

    /* Nothing may be added to NULL, not even nothing. */
    if (rest.mantissas)
        rest.mantissas += from;
    if (rest.exponents)
        rest.exponents += from;
    return rest;
}

OI_VECTORISED uint64_t
oi_mantissas_bits(const int64_t *mantissas, size_t count)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++)
        bits |= (uint64_t) (mantissas[i] ^ (mantissas[i] >> 63));
    return bits;
}

size_t
oi_times_find(const oi_time *times, size_t count, oi_time time)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (times[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct oi_columns
oi_columns_slice(const struct oi_columns *columns, size_t from, size_t to)
{
    struct oi_columns rows = *columns;

    rows.count = to - from;
    rows.time += from;
    if (rows.exchange_time)
        rows.exchange_time += from;
    if (rows.known_time)
        rows.known_time += from;
    if (rows.batch)
        rows.batch += from;
    if (rows.flags)
        rows.flags += from;
    rows.open_interest = oi_decimals_from_row(&columns->open_interest, from);
    rows.value_usd = oi_decimals_from_row(&columns->value_usd, from);
    rows.mark_price = oi_decimals_from_row(&columns->mark_price, from);
    rows.index_price = oi_decimals_from_row(&columns->index_price, from);
    rows.last_price = oi_decimals_from_row(&columns->last_price, from);
    return rows;
}
