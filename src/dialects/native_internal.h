/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the native API share: reading questions and writing answers. */
#pragma once

#include "dialects/dialect.h"

/* oi_query.format */
enum native_format {
    NATIVE_JSON = 0,
    NATIVE_NDJSON,
    NATIVE_CSV,
};

/* Writes whatever the query's kind yields, block by block. */
enum oi_status native_render(struct oi_rendering *rendering, struct oi_buffer *out,
                             bool *ret_is_last, struct oi_error *error);

/* The place behind which the next page goes on, as text, and back. */
void native_write_cursor(const struct oi_position *position, struct oi_buffer *out);
bool native_read_cursor(struct oi_slice text, struct oi_position *ret_position);

/* A selector for each market named, or one for all that fit the other conditions. */
enum oi_status native_select(const struct oi_http_request *request, struct oi_query *query,
                             struct oi_problem *problem);
/* `unit` and `convention`; `interval`. */
enum oi_status native_read_unit(const struct oi_http_request *request, struct oi_query *query,
                                struct oi_problem *problem);
enum oi_status native_read_interval(const struct oi_http_request *request, struct oi_query *query,
                                    struct oi_problem *problem);
/* The first candle of a block as one object, as NDJSON would have it. */
void native_write_candle(const struct oi_query *query, const struct oi_block *block,
                         struct oi_buffer *out);

/* Rows as they are stored, over WebSocket. */
extern const struct oi_stream_route native_stream;
/* The key of a request: Authorization: Bearer. */
struct oi_slice native_key(const struct oi_http_request *request);
