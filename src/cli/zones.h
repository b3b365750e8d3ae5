/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones from the system's tz database, read when they are asked for and kept. Core reads no
 * files, so this is where they come from.
 */
#pragma once

#include "core/zone.h"

struct oi_zones;

/* `folder` NULL: /usr/share/zoneinfo. */
struct oi_zones *oi_zones_new(const char *folder);
/* All zones it gave are gone with it. */
void oi_zones_free(struct oi_zones **zones);
/* Any thread may load. */
const struct oi_zone_loader *oi_zones_loader(const struct oi_zones *zones);
