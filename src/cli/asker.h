/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking for answers as the server gives them, of a store or of a server at a URL: the
 * same targets, the same bytes. For commands that can do with either.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"
#include "cli/options.h"

struct oi_asker;

/* Of the store that the options name (--data, --store), which must be there. */
enum oi_status oi_asker_open_store(const struct oi_options *options, struct oi_asker **ret_asker,
                                   struct oi_error *error);
/* Of a server: "http://127.0.0.1:8080", no path behind it. `key` may be NULL. */
enum oi_status oi_asker_open_url(const char *url, const char *key, struct oi_asker **ret_asker,
                                 struct oi_error *error);
void oi_asker_close(struct oi_asker **asker);

/* What is asked: a GET, or a POST of JSON where there is a body. */
struct oi_question_bytes {
    const char *target; /* "/oi/v1/latest?limit=5" */
    struct oi_slice body;
};
/* Ask and append the answer's body. Any status is an answer; *ret_status (may be NULL) has it, and
 * where it is NULL, what is not 2xx fails with the server's own sentence. */
enum oi_status oi_asker_ask(struct oi_asker *asker, const struct oi_question_bytes *question,
                            struct oi_buffer *answer, int *ret_status, struct oi_error *error);
