/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock, passed in wherever time is asked for, so that a test owns it. `wall_ns` is nanoseconds
 * since 1970 UTC and may jump; `monotonic_ns` never goes back.
 */
#pragma once

#include <stdint.h>

struct oi_clock {
    int64_t (*wall_ns)(const struct oi_clock *clock);
    int64_t (*monotonic_ns)(const struct oi_clock *clock);
};

/* The machine's own. */
extern const struct oi_clock oi_clock_system;

/* A clock that stands until it is moved; both readings are the same number. Moving it from one
 * thread while others read is fine. */
struct oi_virtual_clock {
    struct oi_clock clock; /* pass &virtual.clock */
    _Atomic int64_t now_ns;
};

void oi_virtual_clock_init(struct oi_virtual_clock *clock, int64_t start_ns);
void oi_virtual_clock_advance(struct oi_virtual_clock *clock, int64_t by_ns);
