/* SPDX-License-Identifier: Apache-2.0 */
/* What tools/embed.py generates and assets.c searches. */
#pragma once

#include "server/assets.h"

#include <stddef.h>

/* Sorted by path, bytewise. */
extern const struct oi_asset oi_assets[];
extern const size_t oi_asset_count;
