/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: exchanges.def as a table, so that driver and tests run over all of them alike. */
#include "exchanges/exchange.h"

const struct oi_exchange *const oi_exchanges[] = {
#define OI_EXCHANGE(name) &oi_exchange_##name,
#include "exchanges/exchanges.def"
#undef OI_EXCHANGE
    NULL,
};

const struct oi_exchange *
oi_exchange_find(struct oi_slice name)
{
    for (size_t i = 0; oi_exchanges[i]; i++)
        if (oi_slice_is(name, oi_exchanges[i]->name))
            return oi_exchanges[i];
    return NULL;
}
