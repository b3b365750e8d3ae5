/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the Coin Metrics dialect share: reading questions and writing answers. */
#pragma once

#include "dialects/dialect.h"

/* oi_query.format and oi_query.variant */
enum coinmetrics_format {
    COINMETRICS_FORMAT_JSON = 0,
    COINMETRICS_FORMAT_JSON_STREAM,
    COINMETRICS_FORMAT_CSV,
};

enum coinmetrics_variant {
    COINMETRICS_VARIANT_PAGED = 0,
    COINMETRICS_VARIANT_UNPAGED, /* the deprecated first catalogue */
    COINMETRICS_VARIANT_NOTHING, /* only what we do not have was asked for (spot markets) */
};

enum oi_status coinmetrics_render(struct oi_rendering *rendering, struct oi_buffer *out,
                                  bool *ret_is_last, struct oi_error *error);
