/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebSocket of the Kiyotaka dialect: JSON-RPC messages that show a key and choose channels of
 * OPEN_INTEREST, and a notification for each reading. The vendor documents the two requests and no
 * answer; docs/dialects/kiyotaka.md says what is answered.
 */
#include "dialects/kiyotaka_internal.h"

#include "base/json.h"
#include "core/symbology.h"

#include <string.h>

#define CHANNELS_MAX 1000
#define ID_SIZE_MAX 64

static const struct oi_parameter handshake_parameters[] = { { "encoding", 0 } };

static enum oi_status
parse(const struct oi_call *, const struct oi_http_request *request, struct oi_query *,
      struct oi_problem *problem)
{
    struct oi_slice encoding = oi_text_value(request, "encoding");

    OI_TRY(OI_TEXT_PARAMETERS(request, handshake_parameters, problem));
    if (encoding.size > 0 && !oi_slice_is(encoding, "json"))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "encoding", encoding, "Must be json.");
    return OI_OK;
}

/* What is wrong with a message, and the code that says so beside JSON-RPC's number. */
static void
refuse(struct oi_stream_message *message, const char *code, struct oi_slice value, const char *text)
{
    message->action = OI_STREAM_NOTHING;
    (void) oi_problem_set(&message->problem, OI_PROBLEM_PARAMETER, "", value, "%s", text);
    message->problem.code = code;
}

/* Only what JSON-RPC allows: a string, a number, null. */
static void
read_id(const struct oi_json_node *node, struct oi_stream_message *message)
{
    struct oi_slice text = oi_json_text(node);
    struct oi_buffer quoted = {};

    if (text.size > ID_SIZE_MAX)
        return;
    if (oi_json_kind(node) == OI_JSON_STRING)
        oi_json_quote(&quoted, text);
    else if (oi_json_kind(node) == OI_JSON_NUMBER)
        oi_buffer_add_slice(&quoted, text);
    else
        return;
    message->id = oi_slice_of(oi_arena_copy(&message->query.arena, oi_buffer_slice(&quoted)));
    oi_buffer_release(&quoted);
}

static void
read_channel(const struct oi_json_node *channel, struct oi_stream_message *message)
{
    struct oi_slice type = oi_json_text(oi_json_member(channel, "type"));
    struct oi_slice exchange = oi_json_text(oi_json_member(channel, "exchange"));
    struct oi_slice symbol = oi_json_text(oi_json_member(channel, "symbol"));
    struct oi_selector *selector;
    const char *name;

    if (!oi_slice_is(type, "OPEN_INTEREST")) {
        refuse(message, "INVALID_PARAMS", type, "This server has the channel type OPEN_INTEREST.");
        return;
    }
    name = oi_arena_copy(&message->query.arena, exchange);
    if (!kiyotaka_exchange_is_known(name)) {
        refuse(message, "INVALID_EXCHANGE", exchange, "Unknown exchange.");
        return;
    }
    if (symbol.size == 0) {
        refuse(message, "INVALID_SYMBOL", symbol, "A channel needs a symbol.");
        return;
    }
    selector = oi_query_select(&message->query, OI_SYMBOLOGY_KIYOTAKA);
    oi_vector_push(&selector->exchanges, name);
    selector->market = oi_arena_copy(&message->query.arena, symbol);
    selector->must_match = true;
    selector->parameter = "symbol";
}

static void
read_channels(const struct oi_json_node *channels, struct oi_stream_message *message)
{
    size_t count = oi_json_count(channels);

    if (oi_json_kind(channels) != OI_JSON_ARRAY || count == 0 || count > CHANNELS_MAX) {
        refuse(message, "INVALID_PARAMS", (struct oi_slice){}, "1 to 1000 channels are needed.");
        return;
    }
    for (const struct oi_json_node *channel = oi_json_first(channels);
         channel && message->problem.kind == OI_PROBLEM_NONE; channel = oi_json_next(channel))
        read_channel(channel, message);
}

static void
read_method(const struct oi_json_node *root, struct oi_stream_message *message)
{
    struct oi_slice method = oi_json_text(oi_json_member(root, "method"));
    const struct oi_json_node *params = oi_json_member(root, "params");
    struct oi_slice token = oi_json_text(oi_json_member(params, "token"));

    read_id(oi_json_member(root, "id"), message);
    if (oi_slice_is(method, "public/authenticate")) {
        message->action = OI_STREAM_KEY;
        message->key = oi_slice_of(oi_arena_copy(&message->query.arena, token));
    } else if (oi_slice_is(method, "public/subscribe")) {
        message->action = OI_STREAM_SUBSCRIBE;
        message->query.wants_latest = true;
        read_channels(oi_json_member(params, "channels"), message);
    } else if (oi_slice_is(method, "public/unsubscribe")) {
        message->action = OI_STREAM_UNSUBSCRIBE;
        read_channels(oi_json_member(params, "channels"), message);
    } else {
        refuse(message, "NOT_FOUND", method, "No such method.");
    }
}

static void
read_message(struct oi_slice text, struct oi_stream_message *message)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;

    if (oi_json_open(text, &json, NULL) != OI_OK ||
        oi_json_kind(oi_json_root(json)) != OI_JSON_OBJECT) {
        refuse(message, "PARSE_ERROR", (struct oi_slice){}, "A JSON object is needed.");
        return;
    }
    read_method(oi_json_root(json), message);
}

/* JSON-RPC's number and the vendor's word for a problem. */
static int
number_of(const struct oi_problem *problem, const char **ret_word)
{
    *ret_word = problem->code ? problem->code : "INVALID_PARAMS";
    if (problem->kind == OI_PROBLEM_KEY_MISSING || problem->kind == OI_PROBLEM_KEY_WRONG) {
        *ret_word = "INVALID_API_KEY";
        return -32001;
    }
    if (problem->kind == OI_PROBLEM_MARKET && !problem->code)
        *ret_word = "INVALID_SYMBOL";
    if (strcmp(*ret_word, "PARSE_ERROR") == 0)
        return -32700;
    return strcmp(*ret_word, "NOT_FOUND") == 0 ? -32601 : -32602;
}

static void
render_reply(const struct oi_stream_message *message, struct oi_buffer *out)
{
    const struct oi_problem *problem = &message->problem;
    struct oi_json_writer writer = { .out = out };
    const char *word;

    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "jsonrpc", "2.0");
    oi_json_add_name(&writer, "id");
    oi_json_add_raw(&writer, message->id.size > 0 ? message->id : OI_SLICE("null"));
    if (problem->kind == OI_PROBLEM_NONE) {
        oi_text_json_text(&writer, "result", "ok");
    } else {
        oi_json_add_name(&writer, "error");
        oi_json_begin_object(&writer);
        oi_json_add_name(&writer, "code");
        oi_json_add_int(&writer, number_of(problem, &word));
        oi_text_json_text(&writer, "message", problem->message);
        oi_json_add_name(&writer, "data");
        oi_json_begin_object(&writer);
        oi_text_json_text(&writer, "error", word);
        if (problem->value[0])
            oi_text_json_text(&writer, "value", problem->value);
        oi_json_end_object(&writer);
        oi_json_end_object(&writer);
    }
    oi_json_end_object(&writer);
}

static bool
takes(const struct oi_stream_row *row, oi_time, bool)
{
    char name[OI_MARKET_NAME_SIZE];

    return !oi_decimal_is_none(&row->amount) && oi_kiyotaka_exchange(row->instrument, name);
}

static void
add_time(struct oi_json_writer *writer, oi_time time)
{
    int64_t second = oi_time_to_s(time), fraction = time - second * OI_SECOND;

    oi_json_add_name(writer, "timestamp");
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "s");
    oi_json_add_int(writer, second);
    if (fraction > 0) {
        oi_json_add_name(writer, "ns");
        oi_json_add_int(writer, fraction);
    }
    oi_json_end_object(writer);
}

static void
render_row(const struct oi_stream_row *row, bool, struct oi_buffer *out)
{
    struct oi_json_writer writer = { .out = out };
    char exchange[OI_MARKET_NAME_SIZE];

    (void) oi_kiyotaka_exchange(row->instrument, exchange);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "jsonrpc", "2.0");
    oi_text_json_text(&writer, "method", "public/subscription");
    oi_json_add_name(&writer, "params");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "channel");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "type", "OPEN_INTEREST");
    oi_text_json_text(&writer, "exchange", exchange);
    oi_text_json_text(&writer, "symbol", row->instrument->symbol);
    oi_json_end_object(&writer);
    oi_json_add_name(&writer, "data");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "openInterest");
    oi_text_json_decimal(&writer, &row->amount);
    if (!oi_decimal_is_none(&row->usd)) {
        oi_json_add_name(&writer, "openInterestUsd");
        oi_text_json_decimal(&writer, &row->usd);
    }
    add_time(&writer, row->reading->time);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
}

const struct oi_stream_route kiyotaka_stream = {
    .path = "/nonbook/ws",
    .unit = OI_UNIT_COINS,
    .has_key_in_messages = true,
    .parse = parse,
    .takes = takes,
    .memory = 1000, /* feeds of one market say the same once, as in the other dialects */
    .render_row = render_row,
    .read_message = read_message,
    .render_reply = render_reply,
    .stall_code = 1013,
};
