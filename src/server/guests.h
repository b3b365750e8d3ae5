/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast each address asks that comes without a key. A fixed table: a stranger with many
 * addresses costs no more memory than one, and only pushes out the ones not seen for longest.
 * An IPv6 network of 64 bits counts as one address, since whoever has one has all of it.
 */
#pragma once

#include "base/slice.h"
#include "server/plans.h"

#include <stdint.h>

struct oi_guests;

struct oi_guests *oi_guests_new(void);
void oi_guests_free(struct oi_guests **guests);
/* Count a request of this address: 0 when it is admitted, else how long to wait. *ret_left is what
 * is left by the plan's first rate. Any thread. */
int64_t oi_guests_admit(struct oi_guests *guests, const struct oi_plan *plan, struct oi_slice peer,
                        int64_t now_ns, struct oi_rate_left *ret_left);
/* `cost` more for the one just admitted, where it fits. */
int64_t oi_guests_take(struct oi_guests *guests, const struct oi_plan *plan, struct oi_slice peer,
                       uint64_t cost, int64_t now_ns);

/* All rates of a plan at once, for one state each: how long until `cost` fits, and taking it. */
int64_t oi_plan_wait(const struct oi_plan *plan, const struct oi_rate_state *states, uint64_t cost,
                     int64_t now_ns);
void oi_plan_take(const struct oi_plan *plan, struct oi_rate_state *states, uint64_t cost,
                  int64_t now_ns);
