/* SPDX-License-Identifier: Apache-2.0 */
/* Single rows out of columns. */
#include "core/columns.h"

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
