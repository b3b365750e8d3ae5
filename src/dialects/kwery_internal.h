/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Kwery dialect share. */
#pragma once

#include "dialects/dialect.h"

#define OI_KWERY_SOURCES 3
/* In the order in which rows of one instant stand. */
extern const char *const oi_kwery_sources[OI_KWERY_SOURCES];

/* Ask for the markets of all sources of which there is anything, a selector for each source;
 * `main_only` for the perpetual of each asset alone, where a source has such. */
void oi_kwery_select_recorded(struct oi_query *query, bool main_only);

/* kwery_market.c: /v1/markets/{id} */
enum oi_status oi_kwery_parse_market(const struct oi_call *call,
                                     const struct oi_http_request *request, struct oi_query *query,
                                     struct oi_problem *problem);
enum oi_status oi_kwery_render_market(struct oi_rendering *rendering, struct oi_buffer *out,
                                      bool *ret_is_last, struct oi_error *error);
/* The vendor's tier above the caller's from which on a refusal would not be; NULL: none, or the
 * caller's plan is none of the vendor's. */
const char *oi_kwery_required_tier(const struct oi_call *call,
                                   const struct oi_http_request *request,
                                   const struct oi_problem *problem);
