/* SPDX-License-Identifier: Apache-2.0 */
/* A past for a demo, so that its page has charts and changes over a week from the first second. */
#pragma once

#include "base/status.h"
#include "store/store.h"

#include <stdint.h>

/* Store the simulated markets' last eight days in an empty store: hourly, and finer where changes
 * and the page look. */
enum oi_status oi_demo_past_fill(struct oi_store *store, uint64_t seed, struct oi_error *error);
