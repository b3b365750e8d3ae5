/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket of an object store that speaks S3: files are put there and linked to. Calls wait for
 * their outcome, for minutes where the store is slow: they belong on a thread of their own, all on
 * one. Links need no network and may be made on any thread.
 */
#pragma once

#include "lake/sigv4.h"

#include "base/status.h"

struct oi_s3;

struct oi_s3_options {
    /* "s3://bucket/prefix?region=eu-central-1&endpoint=https://objects.example.com&part=8388608":
     * without an endpoint, Amazon's; region us-east-1; files larger than `part` bytes go in so many
     * parts (16 MiB; Amazon takes none below 5 MiB). */
    const char *url;
    const char *access, *secret, *session; /* session: or NULL */
    const char *authority;                 /* PEM file of whom to trust; NULL: the system's */
};

/* INVALID for a URL that is none. Copies everything. */
enum oi_status oi_s3_open(const struct oi_s3_options *options, struct oi_s3 **ret_s3,
                          struct oi_error *error);
void oi_s3_close(struct oi_s3 **s3);
/* Have what is under way fail, and everything after it; any thread. */
void oi_s3_cancel(struct oi_s3 *s3);

/* Append a link that opens the object for `life_s` seconds. */
void oi_s3_link(const struct oi_s3 *s3, const char *key, oi_time now, unsigned life_s,
                struct oi_buffer *out);

/* Put a file there unless it is there already with the same bytes (told by a hash beside it). BUSY
 * after several tries; DENIED for keys or a bucket that are not ours. *ret_was_there: nothing was
 * sent. */
enum oi_status oi_s3_put(struct oi_s3 *s3, const char *key, const char *content_type,
                         struct oi_slice bytes, bool *ret_was_there, struct oi_error *error);
