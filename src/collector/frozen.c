/* SPDX-License-Identifier: Apache-2.0 */
/* The standstills of an exchange's markets. */
#include "collector/frozen.h"

void
oi_frozen_release(struct oi_frozen *frozen)
{
    oi_vector_release(&frozen->markets);
    oi_map_free(&frozen->places);
}

/* An exchange's series are a few of all there are. */
static struct oi_standstill *
find(struct oi_frozen *frozen, uint32_t series)
{
    const struct oi_slice key = { (const char *) &series, sizeof(series) };
    uint64_t place;

    if (!frozen->places)
        frozen->places = oi_map_new();
    if (!oi_map_get(frozen->places, key, &place)) {
        place = frozen->markets.count;
        oi_vector_push(&frozen->markets, (struct oi_standstill){});
        oi_map_put(frozen->places, key, place);
    }
    return &frozen->markets.items[place];
}

bool
oi_frozen_note(struct oi_frozen *frozen, uint32_t series, const struct oi_observation *reading)
{
    struct oi_standstill *market;
    bool was_frozen;

    if (frozen->after_ns <= 0 || !oi_standstill_price(reading))
        return false;
    market = find(frozen, series);
    was_frozen = oi_standstill_is_frozen(market, frozen->after_ns);
    (void) oi_standstill_note(market, reading);
    return !was_frozen && oi_standstill_is_frozen(market, frozen->after_ns);
}

size_t
oi_frozen_count(const struct oi_frozen *frozen, oi_time now)
{
    size_t count = 0;

    for (size_t i = 0; i < frozen->markets.count; i++)
        count += oi_standstill_is_frozen(&frozen->markets.items[i], frozen->after_ns) &&
                 now - frozen->markets.items[i].seen < frozen->after_ns;
    return count;
}
