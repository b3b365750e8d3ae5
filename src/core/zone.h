/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil time in a named zone, from TZif bytes (RFC 8536) handed in: core reads no files, whoever
 * may read them passes a loader.
 */
#pragma once

#include "core/time.h"

struct oi_zone;

/* Parse a TZif file, version 1 to 3 (the footer's rule covers later years). CORRUPT if it is none.
 */
enum oi_status oi_zone_open(struct oi_slice tzif, struct oi_zone **ret_zone,
                            struct oi_error *error);
void oi_zone_close(struct oi_zone **zone);

/* The instant of a civil time there. Where clocks go back it is the earlier one; a time that does
 * not exist (clocks went forward) is INVALID. */
enum oi_status oi_zone_to_time(const struct oi_zone *zone, const struct oi_civil *civil,
                               oi_time *ret_time, struct oi_error *error);
/* The first instant of that day there, for ranges: where midnight does not exist, the instant the
 * clocks jumped. */
enum oi_status oi_zone_day_start(const struct oi_zone *zone, const struct oi_civil *civil,
                                 oi_time *ret_time, struct oi_error *error);
/* Seconds east of UTC at an instant. */
int32_t oi_zone_offset_s(const struct oi_zone *zone, oi_time time);

/* How to get a zone by its name in the tz database. NOT_FOUND for an unknown or malformed name
 * (only letters, digits, `_ + - /`, no dot segments). Zones live as long as the loader. */
struct oi_zone_loader {
    enum oi_status (*load)(const struct oi_zone_loader *loader, struct oi_slice name,
                           const struct oi_zone **ret_zone, struct oi_error *error);
};
/* Is it a name worth asking the file system for? */
bool oi_zone_name_is_valid(struct oi_slice name);
