/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: contract/stream_contract_test.c and tests/system/streams.test.mjs listen to it */
/*
 * The WebSocket of the Aperiodic dialect: channels of an exchange and interval, chosen by message,
 * and a row of the vendor's metric for each reading of its markets or each bar that is over. Of the
 * vendor's stream only the form of subscriptions and rows is known; docs/dialects/aperiodic.md says
 * what else is done.
 */
#include "dialects/aperiodic_internal.h"

#include "base/json.h"
#include "core/decimal.h"
#include "core/symbology.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS_MAX 200
#define ID_SIZE_MAX 64
#define DATASET "open_interest."

static enum oi_status
parse(const struct oi_call *, const struct oi_http_request *request, struct oi_query *,
      struct oi_problem *problem)
{
    return oi_text_parameters(request, NULL, 0, problem);
}

static void
refuse(struct oi_stream_message *message, const char *code, struct oi_slice value, const char *text)
{
    message->action = OI_STREAM_NOTHING;
    (void) oi_problem_set(&message->problem, OI_PROBLEM_PARAMETER, "channels", value, "%s", text);
    message->problem.code = code;
}

/* "open_interest.binance-futures.1m": dataset, exchange, interval. */
static void
read_channel(struct oi_slice channel, struct oi_stream_message *message)
{
    const size_t before = strlen(DATASET);
    struct oi_slice exchange = {}, interval = {};
    int64_t interval_ns = 0;
    struct oi_selector *selector;
    size_t at = channel.size;

    while (at > before && channel.data[at - 1] != '.')
        at--;
    if (oi_slice_starts_with(channel, DATASET) && at > before + 1) {
        exchange = (struct oi_slice){ channel.data + before, at - before - 1 };
        interval = (struct oi_slice){ channel.data + at, channel.size - at };
    }
    if (!aperiodic_interval(interval, &interval_ns) || !oi_atlas_exchange_is_known(exchange)) {
        refuse(message, "unknown_channel", channel,
               "A channel is open_interest, an exchange and one of 1m, 5m, 15m, 30m, 1h, 4h, 1d, "
               "with dots between.");
        return;
    }
    selector = oi_query_select(&message->query, OI_SYMBOLOGY_ATLAS);
    oi_vector_push(&selector->exchanges, oi_arena_copy(&message->query.arena, exchange));
    selector->interval_ns = interval_ns == OI_MINUTE ? 0 : interval_ns;
    selector->parameter = "channels";
}

static void
read_channels(const struct oi_json_node *channels, struct oi_stream_message *message)
{
    size_t count = oi_json_count(channels);

    if (oi_json_kind(channels) != OI_JSON_ARRAY || count == 0 || count > CHANNELS_MAX) {
        refuse(message, "invalid_channels", (struct oi_slice){}, "1 to 200 channels are needed.");
        return;
    }
    for (const struct oi_json_node *channel = oi_json_first(channels);
         channel && message->problem.kind == OI_PROBLEM_NONE; channel = oi_json_next(channel))
        read_channel(oi_json_text(channel), message);
}

static void
read_id(const struct oi_json_node *node, struct oi_stream_message *message)
{
    struct oi_slice text = oi_json_text(node);
    struct oi_buffer quoted = {};

    if (oi_json_kind(node) != OI_JSON_STRING || text.size > ID_SIZE_MAX)
        return;
    oi_json_quote(&quoted, text);
    message->id = oi_slice_of(oi_arena_copy(&message->query.arena, oi_buffer_slice(&quoted)));
    oi_buffer_release(&quoted);
}

static void
read_message(struct oi_slice text, struct oi_stream_message *message)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root;
    struct oi_slice op;

    if (oi_json_open(text, &json, NULL) != OI_OK ||
        oi_json_kind(oi_json_root(json)) != OI_JSON_OBJECT) {
        refuse(message, "invalid_message", (struct oi_slice){}, "A JSON object is needed.");
        return;
    }
    root = oi_json_root(json);
    op = oi_json_text(oi_json_member(root, "op"));
    read_id(oi_json_member(root, "id"), message);
    if (oi_slice_is(op, "subscribe"))
        message->action = OI_STREAM_SUBSCRIBE;
    else if (oi_slice_is(op, "unsubscribe"))
        message->action = OI_STREAM_UNSUBSCRIBE;
    else
        refuse(message, "unknown_op", op, "An op is subscribe or unsubscribe.");
    if (message->action != OI_STREAM_NOTHING)
        read_channels(oi_json_member(root, "channels"), message);
}

static void
render_reply(const struct oi_stream_message *message, struct oi_buffer *out)
{
    const struct oi_problem *problem = &message->problem;
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "op",
                      problem->kind != OI_PROBLEM_NONE           ? "error"
                      : message->action == OI_STREAM_UNSUBSCRIBE ? "unsubscribed"
                                                                 : "subscribed");
    oi_json_add_name(&writer, "id");
    oi_json_add_raw(&writer, message->id.size > 0 ? message->id : OI_SLICE("null"));
    if (problem->kind != OI_PROBLEM_NONE) {
        oi_text_json_text(&writer, "error", problem->message);
        oi_text_json_text(&writer, "code", problem->code ? problem->code : "unknown_channel");
    }
    oi_json_end_object(&writer);
}

static bool
takes(const struct oi_stream_row *row, oi_time, bool)
{
    char name[OI_MARKET_NAME_SIZE];

    return !oi_decimal_is_none(&row->amount) && !oi_decimal_is_zero(&row->amount) &&
           !row->is_daily && oi_atlas_exchange(row->instrument, name) &&
           oi_atlas_symbol(row->instrument, name);
}

static void
begin_row(struct oi_json_writer *writer, const struct oi_instrument *instrument,
          int64_t interval_ns)
{
    char name[OI_MARKET_NAME_SIZE] = "";
    char channel[OI_MARKET_NAME_SIZE + sizeof(DATASET) + 8];

    oi_json_begin_object(writer);
    (void) oi_atlas_exchange(instrument, name);
    (void) snprintf(channel, sizeof(channel), DATASET "%s.%s", name,
                    aperiodic_interval_word(interval_ns));
    oi_text_json_text(writer, "channel", channel);
    (void) oi_atlas_symbol(instrument, name);
    oi_json_add_name(writer, "data");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "symbol", name);
}

static void
end_row(struct oi_json_writer *writer, oi_time start)
{
    oi_json_add_name(writer, "time");
    oi_json_add_int(writer, oi_time_to_us(start));
    oi_json_end_object(writer);
    oi_json_end_object(writer);
}

/* A bar of one reading: no change yet, nothing to tell a deviation from. */
static void
render_row(const struct oi_stream_row *row, bool, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };

    begin_row(&writer, row->instrument, OI_MINUTE);
    oi_json_add_name(&writer, "open_interest");
    oi_text_json_decimal(&writer, &row->amount);
    oi_json_add_name(&writer, "open_interest_pct_change");
    oi_json_add_int(&writer, 0);
    oi_text_json_text(&writer, "open_interest_volatility", NULL);
    oi_text_json_text(&writer, "oi_price_change_ratio", NULL);
    end_row(&writer, oi_interval_floor(OI_MINUTE, row->reading->time));
}

static void
add_statistic(struct oi_json_writer *writer, const char *name, struct oi_decimal value)
{
    oi_json_add_name(writer, name);
    oi_text_json_decimal(writer, &value);
}

/* A bar that is over, as the month's file has it. */
static void
render_bar(const struct oi_query *query, const struct oi_block *block, struct oi_buffer *out)
{
    const struct oi_instrument *instrument = block->market->instrument;
    const struct oi_bar *bar = &block->bars[0];
    const struct oi_decimal none = {};
    struct oi_json_writer writer = { .out = out };
    char name[OI_MARKET_NAME_SIZE];

    if (!instrument || !oi_atlas_exchange(instrument, name) || !oi_atlas_symbol(instrument, name))
        return;
    begin_row(&writer, instrument, query->interval_ns);
    oi_json_add_name(&writer, "open_interest");
    oi_text_json_decimal(&writer, &bar->last);
    add_statistic(&writer, "open_interest_pct_change",
                  bar->has_change ? oi_decimal_from_double(bar->change_percent) : none);
    add_statistic(&writer, "open_interest_volatility",
                  bar->has_volatility ? oi_decimal_from_double(bar->volatility) : none);
    add_statistic(&writer, "oi_price_change_ratio",
                  bar->has_ratio ? oi_decimal_from_double(bar->price_ratio) : none);
    end_row(&writer, bar->start);
}

const struct oi_stream_route aperiodic_stream = {
    .path = "/api/v1/stream",
    .unit = OI_UNIT_COINS,
    .parse = parse,
    .takes = takes,
    .memory = 1000,
    .render_row = render_row,
    .has_bars = true,
    .render_candle = render_bar,
    .read_message = read_message,
    .render_reply = render_reply,
    .stall_code = 1013,
};
