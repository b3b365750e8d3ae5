/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: what opens as a zone must answer for every time, and its answers must agree. */
#include "core/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_time(const struct oi_zone *zone, oi_time time)
{
    struct oi_civil civil = oi_time_to_civil(time + oi_zone_offset_s(zone, time) * OI_SECOND);
    oi_time again;

    /* The clock did show this, so there is an instant, not later than the one it is from. */
    oi_assert(oi_zone_to_time(zone, &civil, &again, NULL) == OI_OK);
    oi_assert(again <= time);
    (void) oi_zone_day_start(zone, &civil, &again, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice name = { (const char *) data, size };
    struct oi_zone *zone = NULL;

    (void) oi_zone_name_is_valid(name);
    if (oi_zone_open(name, &zone, NULL) != OI_OK)
        return 0;
    /* From 1700 to 2240 by steps that are no multiple of a day. */
    for (oi_time time = -270 * 365 * OI_DAY; time < 270 * 365 * OI_DAY; time += 1001 * OI_HOUR)
        check_time(zone, time);
    (void) oi_zone_offset_s(zone, OI_TIME_EARLIEST);
    (void) oi_zone_offset_s(zone, OI_TIME_LATEST - 1);
    oi_zone_close(&zone);
    return 0;
}
