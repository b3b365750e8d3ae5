/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where files of a format are published: one a market and day, under a name that follows from both.
 * Pure facts; the driver that fetches them is collector/backfill.c.
 */
#pragma once

#include "archives/archive.h"
#include "base/buffer.h"

struct oi_archive_source {
    const struct oi_archive *archive;
    const char *exchange, *product;
    const char *origin; /* "https://data.binance.vision" */
    const char
        *ending;      /* of the file with a file's SHA-256, behind its name; NULL: there is none */
    oi_time since;    /* the first day */
    int64_t first_ns; /* a day's file holds the instants from its midnight plus this, for a day */
    int64_t late_ns;  /* published so long after the day at the earliest */
    /* None is published: what we allow ourselves. */
    unsigned requests_max, window_ms;
    /* Append the path of a market's day. */
    void (*path)(const struct oi_archive_source *source, const char *symbol, oi_time day,
                 struct oi_buffer *out);
};

/* NULL-terminated. */
extern const struct oi_archive_source *const oi_archive_sources[];

/* The SHA-256 in the first line of a checksum file: "<64 digits>  <name>". INVALID otherwise. */
enum oi_status oi_archive_sum_parse(struct oi_slice text, const char *name, uint8_t ret_digest[32],
                                    struct oi_error *error);
