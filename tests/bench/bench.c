/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clock and a line of JSON a work. */
#include "bench/bench.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void
bench_keep_memory(void)
{
#ifdef __GLIBC__
    (void) mallopt(M_TRIM_THRESHOLD, 256 << 20);
    (void) mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

int64_t
bench_now_ns(void)
{
    return oi_clock_system.monotonic_ns(&oi_clock_system);
}

static int
compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *) left, b = *(const int64_t *) right;

    return a < b ? -1 : a > b;
}

int64_t
bench_median(struct bench_samples *samples)
{
    if (samples->ns.count == 0)
        bench_die("nothing was measured");
    qsort(samples->ns.items, samples->ns.count, sizeof(*samples->ns.items), compare);
    return samples->ns.items[samples->ns.count / 2];
}

void
bench_report(const char *work, struct bench_samples *samples)
{
    int64_t median = bench_median(samples), sum = 0;
    size_t count = samples->ns.count;

    for (size_t i = 0; i < count; i++)
        sum += samples->ns.items[i];
    (void) printf("{\"work\":\"%s\",\"count\":%zu,\"min_ns\":%" PRId64 ",\"median_ns\":%" PRId64
                  ",\"p99_ns\":%" PRId64 ",\"mean_ns\":%" PRId64 ",\"bytes\":%" PRIu64
                  ",\"items\":%" PRIu64 "}\n",
                  work, count, samples->ns.items[0], median, samples->ns.items[count * 99 / 100],
                  sum / (int64_t) count, samples->bytes / count, samples->items / count);
    (void) fflush(stdout);
    oi_vector_release(&samples->ns);
    *samples = (struct bench_samples){};
}

void
bench_check(enum oi_status status, const struct oi_error *error)
{
    if (status != OI_OK)
        bench_die(error->message);
}

_Noreturn void
bench_die(const char *sentence)
{
    (void) fprintf(stderr, "bench: %s\n", sentence);
    exit(1);
}

uint64_t
bench_number(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (end == text || *end)
        bench_die("a number was expected");
    return number;
}
