/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options that choose markets, times and units, shared by every command that asks, and the query
 * they make. The words and defaults are those of the native API.
 */
#pragma once

#include "cli/options.h"
#include "query/query.h"

#define OI_OPTION_SELECTION                                                                        \
    { .name = "market",                                                                            \
      .argument = "NAME",                                                                          \
      .help = "binance:usdm:BTCUSDT, as `oi markets` has it",                                      \
      .is_repeatable = true },                                                                     \
        { .name = "exchange",                                                                      \
          .argument = "NAME",                                                                      \
          .help = "only markets of this exchange",                                                 \
          .is_repeatable = true },                                                                 \
        { .name = "coin", .argument = "COIN", .help = "only markets about this coin" },            \
        { .name = "quote", .argument = "COIN", .help = "only markets quoted in this coin" },       \
        { .name = "product", .argument = "NAME", .help = "only this product line" },               \
    {                                                                                              \
        .name = "kind", .argument = "KIND", .help = "perpetual, future, option or event",          \
        .words = "perpetual future option event", .is_repeatable = true                            \
    }

#define OI_OPTION_SPAN                                                                             \
    { .name = "start", .argument = "TIME", .help = "from this instant on" },                       \
    {                                                                                              \
        .name = "end", .argument = "TIME", .help = "before this instant"                           \
    }

#define OI_OPTION_MOMENT                                                                           \
    { .name = "as-of", .argument = "TIME", .help = "as was known at this instant" },               \
    {                                                                                              \
        .name = "as-stored", .argument = "TIME", .help = "as was stored here at this instant"      \
    }

#define OI_OPTION_LIMIT                                                                            \
    {                                                                                              \
        .name = "limit", .argument = "COUNT", .help = "at most so many rows"                       \
    }

/* In what figures are given. */
#define OI_OPTION_UNIT                                                                             \
    { .name = "unit",                                                                              \
      .argument = "UNIT",                                                                          \
      .help = "coins, contracts, usd or reported",                                                 \
      .words = "coins contracts usd reported",                                                     \
      .fallback = "coins" },                                                                       \
    {                                                                                              \
        .name = "convention", .argument = "NAME", .help = "canonical (one side) or as_reported",   \
        .words = "canonical as_reported", .fallback = "canonical"                                  \
    }

/* What shapes an answer of readings or candles. */
#define OI_OPTION_SHAPE                                                                            \
    { .name = "interval",                                                                          \
      .argument = "WIDTH",                                                                         \
      .help = "candles of this width (1m, 1h, 1d) instead of readings" },                          \
        { .name = "total", .help = "the total of the markets chosen, as candles" },                \
        { .name = "fill", .help = "carry the last candle over empty intervals" }, OI_OPTION_UNIT

/* Markets from SELECTION: one selector for each market named, or one for all that fit. */
enum oi_status oi_question_select(const struct oi_options *options, struct oi_query *query,
                                  struct oi_error *error);
enum oi_status oi_question_span(const struct oi_options *options, struct oi_query *query,
                                struct oi_error *error);
enum oi_status oi_question_moment(const struct oi_options *options, struct oi_query *query,
                                  struct oi_error *error);
enum oi_status oi_question_limit(const struct oi_options *options, struct oi_query *query,
                                 struct oi_error *error);
/* All of the above and SHAPE: readings, or candles where an interval is given. Without a start, a
 * limit counts from the newest. */
enum oi_status oi_question_readings(const struct oi_options *options, struct oi_query *query,
                                    struct oi_error *error);
