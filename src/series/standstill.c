/* SPDX-License-Identifier: Apache-2.0 */
/* Noticing figures that stand still. */
#include "series/standstill.h"

/* A price has moved when it is off by more than one part in so many. */
#define MOVED_PART 200

const struct oi_decimal *
oi_standstill_price(const struct oi_observation *reading)
{
    const struct oi_decimal *price =
        !oi_decimal_is_none(&reading->mark_price) ? &reading->mark_price : &reading->index_price;

    if (oi_decimal_is_none(price) || oi_decimal_is_none(&reading->open_interest) ||
        oi_decimal_sign(&reading->open_interest) <= 0)
        return NULL;
    return price;
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

bool
oi_standstill_note(struct oi_standstill *standstill, const struct oi_observation *reading)
{
    const struct oi_decimal *price = oi_standstill_price(reading);
    bool is_other = oi_decimal_is_none(&standstill->open_interest) ||
                    !oi_decimal_equal(&standstill->open_interest, &reading->open_interest);

    if (is_other)
        *standstill = (struct oi_standstill){ .open_interest = reading->open_interest,
                                              .price = *price,
                                              .since = reading->time };
    standstill->seen = reading->time;
    standstill->has_moved = standstill->has_moved || has_moved(&standstill->price, price);
    return is_other;
}

bool
oi_standstill_is_frozen(const struct oi_standstill *standstill, int64_t after_ns)
{
    return standstill->has_moved && standstill->seen - standstill->since >= after_ns;
}
