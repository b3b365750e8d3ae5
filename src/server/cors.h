/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages of other sites may read answers (CORS). None but those that the configuration names:
 * a browser then keeps what it fetched from them. Any thread.
 */
#pragma once

#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>

struct oi_cors;

/* Origins as browsers send them, "https://example.com"; "*" stands for all. Texts are copied. */
struct oi_cors *oi_cors_new(const char *const *origins, size_t count);
void oi_cors_free(struct oi_cors **cors);
void oi_cors_set(struct oi_cors *cors, const char *const *origins, size_t count);
/* Does it come from a page of ours, or from no page? */
bool oi_cors_is_own(const struct oi_http_request *request);
/* The same, or from a page that the configuration names: for what browsers let pages of any site
 * do, as opening a WebSocket. */
bool oi_cors_admits(struct oi_cors *cors, const struct oi_http_request *request);
/* Add the headers to an answer, unless its dialect has set them itself. */
void oi_cors_answer(struct oi_cors *cors, const struct oi_http_request *request,
                    struct oi_http_reply *reply);
