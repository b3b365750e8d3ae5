/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measuring programs share: samples of time, printed as one line of JSON for run.py, and
 * an end with a sentence where something does not work. Never reports what did not happen.
 */
#pragma once

#include "base/status.h"
#include "base/vector.h"

#include <stddef.h>
#include <stdint.h>

/* Let free memory stay with the process, as the program itself does (cli/main.c). */
void bench_keep_memory(void);

int64_t bench_now_ns(void);

/* How long each repetition took. {} is empty. */
struct bench_samples {
    OI_VECTOR(int64_t) ns;
    uint64_t bytes; /* moved in all, or 0 */
    uint64_t items; /* rows or points in all, or 0 */
};

/* Print {"work":…,"count":…,"min_ns":…,"median_ns":…,"p99_ns":…,"mean_ns":…,"bytes":…,"items":…},
 * bytes and items being those of one repetition on average, and empty the samples. */
void bench_report(const char *work, struct bench_samples *samples);
/* The median of what was collected, without emptying it. */
int64_t bench_median(struct bench_samples *samples);

/* End the program with the error when something failed. */
void bench_check(enum oi_status status, const struct oi_error *error);
_Noreturn void bench_die(const char *sentence);
/* A number of the command line. */
uint64_t bench_number(const char *text);
