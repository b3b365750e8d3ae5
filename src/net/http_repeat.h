/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers known by the very bytes of their requests: most requests of a server are repetitions, and
 * what the same bytes were answered with, checked once, need not be read, routed and written again
 * while it holds. Whether it holds only the handler knows (http_server.h, `again`).
 *
 * One a loop, in a fixed number of places and bytes; not for several threads.
 */
#pragma once

#include "base/shared.h"
#include "net/http.h"

struct oi_http_repeats;

struct oi_http_repeats *oi_http_repeats_new(void);
void oi_http_repeats_free(struct oi_http_repeats **repeats);

/* Head and body of one answer, borrowed until the next put. */
struct oi_http_repeat {
    struct oi_slice head;   /* with the empty line */
    char *date;             /* in `head`, OI_HTTP_REPEAT_DATE_SIZE bytes, to be overwritten */
    struct oi_shared *body; /* or NULL */
    struct oi_slice part;   /* this much of it */
    const void *recipe;
};

/* "Thu, 26 Nov 2026 22:36:05 GMT" */
#define OI_HTTP_REPEAT_DATE_SIZE 29

/* NULL: these bytes are not known. */
const struct oi_http_repeat *oi_http_repeats_find(struct oi_http_repeats *repeats,
                                                  struct oi_slice request);
/* Keep a reply under the whole bytes of its request, in place of what was kept there. Nothing
 * happens where it is too large, or its head has no date of that size at `date_at`. */
void oi_http_repeats_put(struct oi_http_repeats *repeats, struct oi_slice request,
                         struct oi_slice head, size_t date_at, const struct oi_http_reply *reply);
