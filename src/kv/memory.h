/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-memory engine's extra: it can be told to fail. For tests. What was committed is written to
 * a file of the folder when the environment is closed and read back when it is opened, so that a
 * test can restart a store; the folder must not be opened twice at once.
 */
#pragma once

#include "base/status.h"
#include "kv/kv.h"

#include <stdint.h>

/* Removals count as puts. */
enum oi_kv_call { OI_KV_CALL_PUT, OI_KV_CALL_COMMIT };

/* Let the `nth` call (1: the next one) of this kind from now on fail with `status`, once; 0 takes
 * the plan back. A failed commit leaves nothing of its transaction behind. `kv` must be of
 * oi_kv_memory. */
void oi_kv_memory_fail(struct oi_kv *kv, enum oi_kv_call call, uint64_t nth, enum oi_status status);
/* Calls of this kind so far, failed ones included: tells how many places there are to fail at. */
uint64_t oi_kv_memory_calls(const struct oi_kv *kv, enum oi_kv_call call);
