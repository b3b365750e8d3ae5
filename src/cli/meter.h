/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of long work: one line on stderr with part done, rate and time left, written over ten
 * times a second. Only on a terminal; elsewhere it is silent.
 */
#pragma once

#include "base/buffer.h"

#include <stdint.h>

struct oi_progress {
    const char *label;    /* what is worked on */
    uint64_t done, total; /* total 0: not known */
    uint64_t count;       /* of what the rate is told */
    const char *unit;     /* "rows"; "bytes" are told as MB */
    int64_t elapsed_ns;
    int64_t left_ns; /* below 0: by what was done until now */
};
/* The line, without what clears the last one. */
void oi_progress_write(const struct oi_progress *progress, struct oi_buffer *out);

struct oi_meter;

/* Label and unit are borrowed. */
struct oi_meter *oi_meter_new(const char *label, const char *unit);
/* Takes the line away. NULL-safe. */
void oi_meter_free(struct oi_meter **meter);
/* So much is done. `left_ns` as above. Any thread, one at a time. */
void oi_meter_show(struct oi_meter *meter, uint64_t done, uint64_t total, uint64_t count,
                   int64_t left_ns);
/* Take the line away for a message; the next show brings it back. */
void oi_meter_clear(struct oi_meter *meter);
/* From now on tell how a file grows to about `total` bytes (0: not known), on a thread of the
 * meter's until it is freed: for work that says nothing itself. */
void oi_meter_watch(struct oi_meter *meter, const char *path, uint64_t total);
