/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the Kiyotaka dialect. A value that is not known is a key that is not there; an empty
 * series is a series that is not there.
 */
#include "dialects/kiyotaka_internal.h"

#include "base/map.h"
#include "core/symbology.h"
#include "dialects/row_text.h"

const struct oi_word kiyotaka_intervals[KIYOTAKA_INTERVAL_COUNT] = {
    { "MINUTE", OI_MINUTE },
    { "FIVE_MINUTES", 5 * OI_MINUTE },
    { "FIFTEEN_MINUTES", 15 * OI_MINUTE },
    { "HOUR", OI_HOUR },
    { "FOUR_HOURS", 4 * OI_HOUR },
    { "DAY", OI_DAY },
    { "WEEK", OI_WEEK },
};

const struct oi_word kiyotaka_categories[KIYOTAKA_CATEGORY_COUNT] = {
    { "SPOT", OI_KIND_UNKNOWN },  { "PERPETUAL", OI_KIND_PERPETUAL }, { "FUTURE", OI_KIND_FUTURE },
    { "OPTION", OI_KIND_OPTION }, { "COMBO", OI_KIND_UNKNOWN },
};

/* ceil(points / 1000), times 1 + 0.2 n for a sum over n exchanges, at least 1. */
static uint64_t
weight_of(const struct oi_query *query)
{
    uint64_t base = ((uint64_t) query->number + 999) / 1000, exchanges = 0;

    if (query->variant == KIYOTAKA_SUM && query->selectors.count > 0)
        exchanges = query->selectors.items[0].exchanges.count;
    if (exchanges > 1)
        base = (base * (10 + 2 * exchanges) + 9) / 10;
    return base > 0 ? base : 1;
}

static void
add_allowance(struct oi_rendering *rendering, uint64_t weight)
{
    const struct oi_allowance *allowance = &rendering->call->allowance;
    struct oi_http_reply *reply = rendering->reply;
    uint64_t taken = allowance->rate_is_weight ? weight : 0;

    rendering->credits = weight;
    if (allowance->rate_limit > 0) {
        oi_http_reply_header_int(reply, "X-RateLimit-Limit", allowance->rate_limit);
        oi_http_reply_header_int(
            reply, "X-RateLimit-Remaining",
            allowance->rate_left > taken ? (int64_t) (allowance->rate_left - taken) : 0);
        oi_http_reply_header_int(reply, "X-RateLimit-Reset", allowance->rate_reset_s);
    }
    oi_http_reply_header_int(reply, "X-RateLimit-Weight", (int64_t) weight);
}

/* A name of an instrument in this vendor's words, "" where it has none. */
static const char *
name_of(const struct oi_instrument *instrument, enum kiyotaka_variant variant,
        char name[OI_MARKET_NAME_SIZE])
{
    name[0] = '\0';
    switch (variant) {
    case KIYOTAKA_EXCHANGES:
        (void) oi_kiyotaka_exchange(instrument, name);
        break;
    case KIYOTAKA_CATEGORIES:
        (void) oi_kiyotaka_category(instrument, name);
        break;
    case KIYOTAKA_NORMALIZED_SYMBOLS:
        (void) oi_kiyotaka_normalized(instrument, name);
        break;
    case KIYOTAKA_COINS:
        return instrument->base;
    case KIYOTAKA_SYMBOLS:
        return instrument->symbol;
    case KIYOTAKA_POINTS:
    case KIYOTAKA_SUM:
    case KIYOTAKA_TYPES:
    case KIYOTAKA_MARKETS:
    case KIYOTAKA_USAGE:
        break;
    }
    return name;
}

static void
add_name(struct oi_json_writer *writer, const char *member, const struct oi_instrument *instrument,
         enum kiyotaka_variant variant)
{
    char name[OI_MARKET_NAME_SIZE];
    const char *text = name_of(instrument, variant, name);

    if (text[0])
        oi_text_json_text(writer, member, text);
}

/* The id of a series; a sum keeps what its members have in common by the question. */
static void
add_id(const struct oi_rendering *rendering, const struct oi_market *market, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;
    const struct oi_instrument *instrument = market->instrument;
    const struct oi_selector *selector = market->selector < query->selectors.count
                                             ? &query->selectors.items[market->selector]
                                             : NULL;
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "type", "OPEN_INTEREST_AGG");
    if (instrument) {
        add_name(&writer, "exchange", instrument, KIYOTAKA_EXCHANGES);
        add_name(&writer, "rawSymbol", instrument, KIYOTAKA_SYMBOLS);
        add_name(&writer, "normalizedSymbol", instrument, KIYOTAKA_NORMALIZED_SYMBOLS);
        add_name(&writer, "category", instrument, KIYOTAKA_CATEGORIES);
    } else if (selector && selector->kinds.count == 1) {
        for (size_t i = 0; i < KIYOTAKA_CATEGORY_COUNT; i++) {
            if (kiyotaka_categories[i].value == (int64_t) selector->kinds.items[0])
                oi_text_json_text(&writer, "category", kiyotaka_categories[i].word);
        }
    }
    oi_text_json_text(&writer, "interval",
                      oi_word_of(kiyotaka_intervals, KIYOTAKA_INTERVAL_COUNT, query->interval_ns));
    if (instrument)
        add_name(&writer, "coin", instrument, KIYOTAKA_COINS);
    else if (selector && selector->coin)
        oi_text_json_text(&writer, "coin", selector->coin);
    oi_json_end_object(&writer);
}

/* A point: a value that is not known is a key that is not there. */
static void
add_points(const struct oi_block *block, bool is_new, struct oi_time_writer *times,
           struct oi_buffer *out)
{
    const struct oi_candle *candles = block->candles;
    const struct oi_row_cell cells[] = {
        { .first = &candles->open, .before = "\"open\":" },
        { .first = &candles->high, .before = "\"high\":" },
        { .first = &candles->low, .before = "\"low\":" },
        { .first = &candles->close, .before = "\"close\":" },
    };
    struct oi_row_text text = {};

    oi_row_text_begin(&text, OI_SLICE(",{\"Point\":{"));
    for (size_t i = 0; i < OI_COUNT(cells); i++) {
        struct oi_row_cell cell = cells[i];

        cell.kind = OI_ROW_DECIMALS;
        cell.none = "";
        cell.after = ',';
        cell.stride = sizeof(*candles);
        oi_row_text_add(&text, &cell);
    }
    oi_row_text_add(&text, &(struct oi_row_cell){ .kind = OI_ROW_SECONDS,
                                                  .first = &candles->start,
                                                  .stride = sizeof(*candles),
                                                  .before = "\"timestamp\":{\"s\":",
                                                  .none = "",
                                                  .fraction = ",\"ns\":" });
    oi_row_text_end(&text, "}}}");
    oi_row_text_write(&text, 0, block->count, is_new ? 1 : 0, times, out);
    oi_row_text_release(&text);
}

static void
add_candles(struct oi_rendering *rendering, const struct oi_block *block, struct oi_buffer *out)
{
    bool is_new = !rendering->is_open || rendering->market != block->market->index;
    struct oi_time_writer times = {};

    if (block->count == 0)
        return;
    if (is_new) {
        if (rendering->is_open)
            OI_ADD(out, "]}");
        if (rendering->row_count > 0)
            oi_buffer_add_char(out, ',');
        OI_ADD(out, "{\"id\":");
        add_id(rendering, block->market, out);
        OI_ADD(out, ",\"points\":[");
        rendering->is_open = true;
        rendering->market = block->market->index;
    }
    add_points(block, is_new, &times, out);
    rendering->row_count += block->count;
}

enum oi_status
kiyotaka_render_points(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                       struct oi_error *error)
{
    const struct oi_block *block = NULL;

    if (rendering->step == 0) {
        oi_http_reply_type(rendering->reply, "application/json");
        add_allowance(rendering, weight_of(rendering->query));
        OI_ADD(out, "{\"series\":[");
    }
    if (rendering->result)
        OI_TRY(oi_result_next(rendering->result, &block, error));
    if (block) {
        add_candles(rendering, block, out);
    } else {
        if (rendering->is_open)
            OI_ADD(out, "]}");
        OI_ADD(out, "]}");
    }
    *ret_is_last = !block;
    return OI_OK;
}

static void
add_market(struct oi_json_writer *writer, const struct oi_instrument *instrument)
{
    oi_json_begin_object(writer);
    add_name(writer, "exchange", instrument, KIYOTAKA_EXCHANGES);
    add_name(writer, "rawSymbol", instrument, KIYOTAKA_SYMBOLS);
    add_name(writer, "normalizedSymbol", instrument, KIYOTAKA_NORMALIZED_SYMBOLS);
    add_name(writer, "category", instrument, KIYOTAKA_CATEGORIES);
    add_name(writer, "coin", instrument, KIYOTAKA_COINS);
    oi_json_add_name(writer, "types");
    oi_json_begin_array(writer);
    oi_json_add_text(writer, "OPEN_INTEREST_AGG");
    oi_json_end_array(writer);
    oi_json_end_object(writer);
}

static const char *const list_names[] = {
    [KIYOTAKA_POINTS] = "series",         [KIYOTAKA_SUM] = "series",
    [KIYOTAKA_TYPES] = "types",           [KIYOTAKA_EXCHANGES] = "exchanges",
    [KIYOTAKA_CATEGORIES] = "categories", [KIYOTAKA_COINS] = "coins",
    [KIYOTAKA_SYMBOLS] = "rawSymbols",    [KIYOTAKA_NORMALIZED_SYMBOLS] = "normalizedSymbols",
    [KIYOTAKA_MARKETS] = "markets",       [KIYOTAKA_USAGE] = "usage",
};

/* Lists are short: written whole. */
static enum oi_status
add_list(struct oi_rendering *rendering, struct oi_json_writer *writer, struct oi_map *seen,
         struct oi_error *error)
{
    enum kiyotaka_variant variant = (enum kiyotaka_variant) rendering->query->variant;
    const struct oi_block *block;

    for (;;) {
        char name[OI_MARKET_NAME_SIZE];
        struct oi_slice text;
        uint64_t known;

        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            return OI_OK;
        if (!block->market->instrument)
            continue;
        if (variant == KIYOTAKA_MARKETS) {
            add_market(writer, block->market->instrument);
            continue;
        }
        text = oi_slice_of(name_of(block->market->instrument, variant, name));
        if (text.size == 0 || oi_map_get(seen, text, &known))
            continue;
        oi_map_put(seen, text, 1);
        oi_json_add_string(writer, text);
    }
}

enum oi_status
kiyotaka_render_list(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                     struct oi_error *error)
{
    OI_CLEANUP(oi_map_free) struct oi_map *seen = oi_map_new();
    struct oi_json_writer writer = { .out = out };
    unsigned variant = rendering->query->variant;

    oi_http_reply_type(rendering->reply, "application/json");
    add_allowance(rendering, 0);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, list_names[variant]);
    oi_json_begin_array(&writer);
    if (variant == KIYOTAKA_TYPES)
        oi_json_add_text(&writer, "OPEN_INTEREST_AGG");
    else
        OI_TRY(add_list(rendering, &writer, seen, error));
    oi_json_end_array(&writer);
    if (variant == KIYOTAKA_MARKETS) {
        struct oi_buffer text = {};

        if (rendering->result->next_position.is_set)
            oi_buffer_add_int(&text, (int64_t) rendering->result->next_position.market);
        oi_json_add_name(&writer, "nextPageToken");
        oi_json_add_string(&writer, oi_buffer_slice(&text));
        oi_buffer_release(&text);
    }
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}

enum oi_status
kiyotaka_render_usage(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                      struct oi_error *)
{
    const struct oi_allowance *allowance = &rendering->call->allowance;
    struct oi_json_writer writer = { .out = out };
    unsigned used = allowance->rate_burst > allowance->rate_left
                        ? allowance->rate_burst - allowance->rate_left
                        : 0;

    oi_http_reply_type(rendering->reply, "application/json");
    add_allowance(rendering, 0);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "tier", allowance->plan ? allowance->plan : "Unlimited");
    oi_json_add_name(&writer, "weightPerMinute");
    oi_json_add_int(&writer, allowance->rate_limit);
    oi_json_add_name(&writer, "weightUsed");
    oi_json_add_int(&writer, used);
    oi_json_add_name(&writer, "weightRemaining");
    oi_json_add_int(&writer, allowance->rate_left);
    oi_json_add_name(&writer, "burstCapacity");
    oi_json_add_int(&writer, allowance->rate_burst);
    oi_json_add_name(&writer, "resetSeconds");
    oi_json_add_int(&writer, allowance->rate_reset_s);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}
