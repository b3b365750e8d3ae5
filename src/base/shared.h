/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that several owners hold and nobody changes: an answer that is kept and being sent to many,
 * a message for every listener. References are counted by atomic operations, so owners may be on
 * different threads.
 */
#pragma once

#include "base/buffer.h"

struct oi_shared;

/* One reference, the caller's. Takes the memory of `bytes`, which is empty afterwards. */
struct oi_shared *oi_shared_take(struct oi_buffer *bytes);
/* Another reference, and the same address. */
struct oi_shared *oi_shared_ref(struct oi_shared *shared);
/* Give one back; the last one frees. Takes the handle's address, NULL inside is fine. */
void oi_shared_unref(struct oi_shared **shared);
/* Valid as long as the caller's reference. */
struct oi_slice oi_shared_bytes(const struct oi_shared *shared);
