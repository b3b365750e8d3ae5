/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4 for object stores, over texts alone: the same request at the same second
 * has the same signature. Held against the examples that AWS publishes.
 */
#pragma once

#include "base/buffer.h"
#include "core/time.h"

#include <stddef.h>

struct oi_sigv4_keys {
    const char *access; /* "AKIAIOSFODNN7EXAMPLE" */
    const char *secret;
    const char *session; /* a temporary key's token, or NULL */
    const char *region;  /* "us-east-1" */
};

/* A header that is signed, its name in lower case. */
struct oi_sigv4_header {
    const char *name;
    struct oi_slice value;
};

struct oi_sigv4_request {
    const char *method;
    const char *host; /* as in the Host header: without the scheme's own port */
    const char *path; /* percent-encoded once, "/" between parts stays */
    /* "a=1&b=" as it goes over the wire: encoded, every name with "=", sorted by name; or "". */
    const char *query;
    const struct oi_sigv4_header *headers; /* sorted by name; host among them is not needed */
    size_t header_count;
    const char *payload_hash; /* SHA-256 in hexadecimal, or "UNSIGNED-PAYLOAD" */
};

/* Room for "20130524T000000Z" and its NUL: the value of x-amz-date. */
#define OI_SIGV4_DATE_SIZE 17
void oi_sigv4_date(oi_time now, char text[OI_SIGV4_DATE_SIZE]);

/* The value of the Authorization header, appended. `headers` hold x-amz-date and
 * x-amz-content-sha256 already, and x-amz-security-token where there is a session. */
void oi_sigv4_authorize(const struct oi_sigv4_keys *keys, const struct oi_sigv4_request *request,
                        oi_time now, struct oi_buffer *out);
/* The query of a link to the request, whose own query is empty, for `life_s` seconds (at most seven
 * days); with the signature, without "?", appended. */
void oi_sigv4_presign(const struct oi_sigv4_keys *keys, const struct oi_sigv4_request *request,
                      oi_time now, unsigned life_s, struct oi_buffer *out);
