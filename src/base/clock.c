/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clock, and one that stands still for tests. */
#include "base/clock.h"

#include "base/status.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

static int64_t
read_system_clock(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);

    oi_assert(failed == 0);
    return (int64_t) now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

static int64_t
system_wall_ns(const struct oi_clock *)
{
    return read_system_clock(CLOCK_REALTIME);
}

static int64_t
system_monotonic_ns(const struct oi_clock *)
{
    return read_system_clock(CLOCK_MONOTONIC);
}

const struct oi_clock oi_clock_system = {
    .wall_ns = system_wall_ns,
    .monotonic_ns = system_monotonic_ns,
};

static int64_t
virtual_now_ns(const struct oi_clock *clock)
{
    static_assert(offsetof(struct oi_virtual_clock, clock) == 0, "a clock is its first field");

    return atomic_load(&((const struct oi_virtual_clock *) clock)->now_ns);
}

void
oi_virtual_clock_init(struct oi_virtual_clock *clock, int64_t start_ns)
{
    clock->clock.wall_ns = virtual_now_ns;
    clock->clock.monotonic_ns = virtual_now_ns;
    atomic_init(&clock->now_ns, start_ns);
}

void
oi_virtual_clock_advance(struct oi_virtual_clock *clock, int64_t by_ns)
{
    atomic_fetch_add(&clock->now_ns, by_ns);
}
