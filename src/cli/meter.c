/* SPDX-License-Identifier: Apache-2.0 */
/* The line is made as a text first, so that a test can read it. */
#include "cli/meter.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND INT64_C(1'000'000)
#define SECOND (1000 * MILLISECOND)
/* Between two lines, and between two looks at a file. */
#define SHOW_NS (100 * MILLISECOND)

struct oi_meter {
    const char *label, *unit;
    bool is_terminal, is_shown;
    int64_t started_ns, shown_ns;
    char *path; /* or NULL */
    uint64_t path_total;
    pthread_t watcher;
    atomic_bool is_over;
};

static void
write_left(int64_t left_ns, struct oi_buffer *out)
{
    int64_t left_s = (left_ns + SECOND - 1) / SECOND;

    if (left_s < 120)
        oi_buffer_add_format(out, "  %" PRId64 " s left", left_s);
    else if (left_s < 7200)
        oi_buffer_add_format(out, "  %" PRId64 " min left", left_s / 60);
    else
        oi_buffer_add_format(out, "  %" PRId64 " h left", left_s / 3600);
}

void
oi_progress_write(const struct oi_progress *progress, struct oi_buffer *out)
{
    static const char full[] = "##############################";
    const uint64_t width = sizeof(full) - 1;
    uint64_t done = progress->done, total = progress->total;
    uint64_t elapsed_ms = (uint64_t) (progress->elapsed_ns / MILLISECOND) + 1;
    uint64_t rate = progress->count * 1000 / elapsed_ms;
    int64_t left_ns = progress->left_ns;

    if (total > 0 && done > total) /* an estimate that was too low */
        done = total;
    oi_buffer_add_format(out, "%.40s", progress->label);
    if (total > 0)
        oi_buffer_add_format(out, " [%.*s%*s] %3" PRIu64 "%%", (int) (done * width / total), full,
                             (int) (width - done * width / total), "", done * 100 / total);
    if (progress->unit[0] == 'b')
        oi_buffer_add_format(out, "  %" PRIu64 ".%" PRIu64 " MB/s", rate / 1'000'000,
                             rate / 100'000 % 10);
    else
        oi_buffer_add_format(out, "  %" PRIu64 " %s  %" PRIu64 " %s/s", progress->count,
                             progress->unit, rate, progress->unit);
    if (left_ns < 0 && done > 0 && total > 0)
        left_ns = progress->elapsed_ns / (int64_t) done * (int64_t) (total - done);
    if (left_ns >= 0)
        write_left(left_ns, out);
    else
        oi_buffer_add_format(out, "  %" PRId64 " s so far", progress->elapsed_ns / SECOND);
}

static int64_t
now_ns(void)
{
    return oi_clock_system.monotonic_ns(&oi_clock_system);
}

struct oi_meter *
oi_meter_new(const char *label, const char *unit)
{
    struct oi_meter *meter = oi_alloc_zero(1, sizeof(*meter));

    meter->label = label;
    meter->unit = unit;
    meter->is_terminal = isatty(STDERR_FILENO) == 1;
    meter->started_ns = now_ns();
    return meter;
}

void
oi_meter_clear(struct oi_meter *meter)
{
    if (meter->is_shown)
        (void) fputs("\r\033[K", stderr);
    (void) fflush(stderr);
    meter->is_shown = false;
}

void
oi_meter_show(struct oi_meter *meter, uint64_t done, uint64_t total, uint64_t count,
              int64_t left_ns)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    int64_t now = now_ns();

    if (!meter->is_terminal || (meter->is_shown && now - meter->shown_ns < SHOW_NS))
        return;
    meter->shown_ns = now;
    meter->is_shown = true;
    oi_progress_write(&(struct oi_progress){ .label = meter->label,
                                             .done = done,
                                             .total = total,
                                             .count = count,
                                             .unit = meter->unit,
                                             .elapsed_ns = now - meter->started_ns,
                                             .left_ns = left_ns },
                      &text);
    (void) fprintf(stderr, "\r\033[K%.*s", OI_SLICE_ARGS(oi_buffer_slice(&text)));
    (void) fflush(stderr);
}

static void *
watch(void *context)
{
    static const struct timespec pause = { .tv_nsec = SHOW_NS };
    struct oi_meter *meter = context;

    while (!atomic_load(&meter->is_over)) {
        struct stat facts;
        uint64_t size = stat(meter->path, &facts) == 0 ? (uint64_t) facts.st_size : 0;

        oi_meter_show(meter, size, meter->path_total, size, -1);
        (void) nanosleep(&pause, NULL);
    }
    return NULL;
}

void
oi_meter_watch(struct oi_meter *meter, const char *path, uint64_t total)
{
    if (!meter->is_terminal || meter->path)
        return;
    meter->path = oi_copy_text(oi_slice_of(path));
    meter->path_total = total;
    if (pthread_create(&meter->watcher, NULL, watch, meter) != 0) {
        oi_free(meter->path);
        meter->path = NULL;
    }
}

void
oi_meter_free(struct oi_meter **meter)
{
    if (!meter || !*meter)
        return;
    atomic_store(&(*meter)->is_over, true);
    if ((*meter)->path)
        (void) pthread_join((*meter)->watcher, NULL);
    oi_meter_clear(*meter);
    oi_free((*meter)->path);
    oi_free(*meter);
    *meter = NULL;
}
