/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the Kiyotaka dialect share: reading questions and writing answers. */
#pragma once

#include "dialects/dialect.h"
#include "dialects/text.h"

/* oi_query.variant */
enum kiyotaka_variant {
    KIYOTAKA_POINTS = 0,
    KIYOTAKA_SUM,
    KIYOTAKA_TYPES,
    KIYOTAKA_EXCHANGES,
    KIYOTAKA_CATEGORIES,
    KIYOTAKA_COINS,
    KIYOTAKA_SYMBOLS,
    KIYOTAKA_NORMALIZED_SYMBOLS,
    KIYOTAKA_MARKETS,
    KIYOTAKA_USAGE,
};

#define KIYOTAKA_INTERVAL_COUNT 7
#define KIYOTAKA_CATEGORY_COUNT 5
extern const struct oi_word kiyotaka_intervals[KIYOTAKA_INTERVAL_COUNT];
/* The kinds we have; what we have nothing of is OI_KIND_UNKNOWN. */
extern const struct oi_word kiyotaka_categories[KIYOTAKA_CATEGORY_COUNT];

enum oi_status kiyotaka_render_points(struct oi_rendering *rendering, struct oi_buffer *out,
                                      bool *ret_is_last, struct oi_error *error);
enum oi_status kiyotaka_render_list(struct oi_rendering *rendering, struct oi_buffer *out,
                                    bool *ret_is_last, struct oi_error *error);
enum oi_status kiyotaka_render_usage(struct oi_rendering *rendering, struct oi_buffer *out,
                                     bool *ret_is_last, struct oi_error *error);

/* Is this one of the vendor's documented exchange ids? */
bool kiyotaka_exchange_is_known(const char *text);

/* The WebSocket. */
extern const struct oi_stream_route kiyotaka_stream;
