/* SPDX-License-Identifier: Apache-2.0 */
/* Noticing figures that stand still. */
#include "collector/frozen.h"

/* A price has moved when it is off by more than one part in so many. */
#define MOVED_PART 200

void
oi_frozen_release(struct oi_frozen *frozen)
{
    oi_vector_release(&frozen->markets);
    oi_map_free(&frozen->places);
}

/* An exchange's series are a few of all there are. */
static struct oi_frozen_market *
find(struct oi_frozen *frozen, uint32_t series)
{
    const struct oi_slice key = { (const char *) &series, sizeof(series) };
    uint64_t place;

    if (!frozen->places)
        frozen->places = oi_map_new();
    if (!oi_map_get(frozen->places, key, &place)) {
        place = frozen->markets.count;
        oi_vector_push(&frozen->markets, (struct oi_frozen_market){});
        oi_map_put(frozen->places, key, place);
    }
    return &frozen->markets.items[place];
}

static bool
has_moved(const struct oi_decimal *from, const struct oi_decimal *to)
{
    const struct oi_decimal part = oi_decimal_from(MOVED_PART, 0);
    bool is_up = oi_decimal_compare(to, from) > 0;
    struct oi_decimal difference;

    if (oi_decimal_subtract(is_up ? to : from, is_up ? from : to, &difference, NULL) != OI_OK ||
        oi_decimal_multiply(&difference, &part, &difference, NULL) != OI_OK)
        return false;
    return oi_decimal_compare(&difference, from) > 0;
}

static bool
is_frozen(const struct oi_frozen *frozen, const struct oi_frozen_market *market, oi_time now)
{
    return market->has_moved && now - market->since >= frozen->after_ns;
}

bool
oi_frozen_note(struct oi_frozen *frozen, uint32_t series, const struct oi_observation *reading)
{
    const struct oi_decimal *price =
        !oi_decimal_is_none(&reading->mark_price) ? &reading->mark_price : &reading->index_price;
    struct oi_frozen_market *market;
    bool was_frozen;

    /* What nobody holds stands still by right. */
    if (frozen->after_ns <= 0 || oi_decimal_is_none(price) ||
        oi_decimal_sign(&reading->open_interest) <= 0)
        return false;
    market = find(frozen, series);
    was_frozen = is_frozen(frozen, market, market->seen);
    if (oi_decimal_is_none(&market->open_interest) ||
        !oi_decimal_equal(&market->open_interest, &reading->open_interest))
        *market = (struct oi_frozen_market){ .open_interest = reading->open_interest,
                                             .price = *price,
                                             .since = reading->time };
    market->seen = reading->time;
    market->has_moved = market->has_moved || has_moved(&market->price, price);
    return !was_frozen && is_frozen(frozen, market, market->seen);
}

size_t
oi_frozen_count(const struct oi_frozen *frozen, oi_time now)
{
    size_t count = 0;

    for (size_t i = 0; i < frozen->markets.count; i++)
        count += is_frozen(frozen, &frozen->markets.items[i], frozen->markets.items[i].seen) &&
                 now - frozen->markets.items[i].seen < frozen->after_ns;
    return count;
}
