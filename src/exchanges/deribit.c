/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deribit: inverse futures in USD, linear futures and options in coins, all mixed in one summary a
 * currency. The unit therefore follows the product, and the product the instrument's name. Spot
 * pairs and combinations carry no open interest of their own and are left out.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "deribit"
#define HOST "https://www.deribit.com"

/* expiration_timestamp of a perpetual: 32503708800000, the year 3000. */
#define NEVER_MS INT64_C(32'503'708'800'000)

enum { LIMIT_REQUESTS, LIMIT_INSTRUMENTS };

static const char *const products[] = { "inverse", "linear", "option", NULL };
/* What holds markets; USDC holds the linear ones of all coins. "any" is not accepted here. */
static const char *const currencies[] = { "BTC", "ETH", "USDC", "USDT", "EURR", NULL };

static enum oi_status
ask_instruments(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/api/v2/public/get_instruments", error));
    OI_TRY(oi_http_add_query(request, "currency", "any", error));
    return oi_http_add_query(request, "expired", "false", error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/api/v2/public/get_book_summary_by_currency", error));
    return oi_http_add_query(request, "currency", task->family, error);
}

static enum oi_status
open_result(struct oi_slice reply, struct oi_json **ret_json,
            const struct oi_json_node **ret_result, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result = NULL;
    const struct oi_json_node *fault;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    fault = oi_json_member(oi_json_root(json), "error");
    if (fault)
        return oi_fail(error, OI_E_UPSTREAM, "error %.*s: %.*s",
                       OI_SLICE_ARGS(oi_reply_text(fault, "code")),
                       OI_SLICE_ARGS(oi_reply_text(fault, "message")));
    if (oi_json_kind(oi_json_member(oi_json_root(json), "testnet")) == OI_JSON_TRUE)
        return oi_fail(error, OI_E_UPSTREAM, "a reply of the test system");
    OI_TRY(oi_reply_member(oi_json_root(json), "result", OI_JSON_ARRAY, &result, error));
    *ret_json = json;
    json = NULL;
    *ret_result = result;
    return OI_OK;
}

static enum oi_status
set_future(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice period = oi_reply_text(row, "settlement_period");
    int64_t expiry_ms;

    OI_TRY(oi_reply_integer(row, "expiration_timestamp", &expiry_ms, error));
    if (oi_slice_is(period, "perpetual") || expiry_ms >= NEVER_MS) {
        instrument->kind = OI_KIND_PERPETUAL;
        return OI_OK;
    }
    instrument->kind = OI_KIND_FUTURE;
    return oi_reply_time_ms(row, "expiration_timestamp", &instrument->expiry, error);
}

static enum oi_status
set_option(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice side = oi_reply_text(row, "option_type");

    instrument->kind = OI_KIND_OPTION;
    if (oi_slice_is(side, "call"))
        instrument->option_side = OI_OPTION_CALL;
    else if (oi_slice_is(side, "put"))
        instrument->option_side = OI_OPTION_PUT;
    else
        return oi_fail(error, OI_E_INVALID, "option_type: %.*s is not known", OI_SLICE_ARGS(side));
    OI_TRY(oi_reply_positive(row, "strike", &instrument->strike, error));
    return oi_reply_time_ms(row, "expiration_timestamp", &instrument->expiry, error);
}

/* Linear or inverse; replies of 2021 lack instrument_type and tell by the quote: the dollar for
 * inverse futures, the coin itself for inverse options. */
static enum oi_status
set_settlement(const struct oi_json_node *row, bool is_option, struct oi_instrument *instrument,
               struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "instrument_type");
    struct oi_slice base = oi_reply_text(row, "base_currency");
    struct oi_slice quote = oi_reply_text(row, "quote_currency");
    struct oi_slice margin = oi_reply_text(row, "settlement_currency");
    bool is_inverse = oi_slice_is(type, "reversed");

    if (type.size == 0)
        is_inverse = is_option ? oi_slice_equal(quote, base) : oi_slice_is(quote, "USD");
    else if (!is_inverse && !oi_slice_is(type, "linear"))
        return oi_fail(error, OI_E_INVALID, "instrument_type: %.*s is not known",
                       OI_SLICE_ARGS(type));
    instrument->settlement = is_inverse ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    if (is_inverse)
        quote = OI_SLICE("USD");
    if (margin.size == 0)
        margin = is_inverse ? base : quote;
    OI_TRY(oi_instrument_set_base(instrument, base, false, error));
    OI_TRY(OI_NAME_SET(instrument->quote, quote, error));
    return OI_NAME_SET(instrument->margin, margin, error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_slice kind = oi_reply_text(row, "kind");
    bool is_option = oi_slice_is(kind, "option");
    struct oi_instrument instrument;
    const char *product;

    if (oi_slice_is(kind, "spot") || oi_slice_ends_with(kind, "_combo"))
        return oi_fail(error, OI_E_NOT_FOUND, "no open interest of its own");
    if (!is_option && !oi_slice_is(kind, "future"))
        return oi_fail(error, OI_E_INVALID, "kind: %.*s is not known", OI_SLICE_ARGS(kind));
    OI_TRY(oi_reply_instrument(row, "instrument_name", NAME, "option", &instrument, error));
    OI_TRY(is_option ? set_option(row, &instrument, error) : set_future(row, &instrument, error));
    OI_TRY(set_settlement(row, is_option, &instrument, error));
    if (!is_option) {
        product = instrument.settlement == OI_SETTLEMENT_INVERSE ? "inverse" : "linear";
        OI_TRY(OI_NAME_SET(instrument.product, oi_slice_of(product), error));
    }
    OI_TRY(oi_reply_positive(row, "contract_size", &instrument.contract_size, error));
    instrument.listed = oi_reply_optional_time_ms(row, "creation_timestamp");
    instrument.is_delisted = oi_json_kind(oi_json_member(row, "is_active")) == OI_JSON_FALSE;
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result = NULL;
    const struct oi_reply_walk walk = { .task = task,
                                        .harvest = harvest,
                                        .symbol_name = "instrument_name",
                                        .read_row = read_instrument };

    OI_TRY(open_result(reply, &json, &result, error));
    oi_reply_walk(&walk, result);
    return OI_OK;
}

/* "27DEC24" or "3JAN25". */
static bool
is_date(struct oi_slice part)
{
    size_t digits = 0;

    while (digits < part.size && part.data[digits] >= '0' && part.data[digits] <= '9')
        digits++;
    return (digits == 1 || digits == 2) && part.size == digits + 5;
}

/*
 * "BTC-PERPETUAL", "BTC-27DEC24": inverse. "SOL_USDC-PERPETUAL": linear. "BTC-27DEC24-100000-C":
 * option. Everything else ("BTC_USDC", "BTC-FS-27DEC24_PERP"): spot and combinations, NULL.
 */
static const char *
product_of(struct oi_slice name)
{
    struct oi_slice parts[4] = {};
    struct oi_slice part;
    size_t count = 0;

    while (oi_slice_next_part(&name, '-', &part)) {
        if (count == OI_COUNT(parts))
            return NULL;
        parts[count++] = part;
    }
    if (count == 4 && is_date(parts[1]) &&
        (oi_slice_is(parts[3], "C") || oi_slice_is(parts[3], "P")))
        return "option";
    if (count != 2 || (!oi_slice_is(parts[1], "PERPETUAL") && !is_date(parts[1])))
        return NULL;
    return memchr(parts[0].data, '_', parts[0].size) ? "linear" : "inverse";
}

static enum oi_status
read_summary(const struct oi_reply_walk *walk, const struct oi_json_node *row,
             struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice name = oi_reply_text(row, "instrument_name");
    const char *product = product_of(name);
    struct oi_slice quote = oi_reply_text(row, "quote_currency");

    if (name.size == 0)
        return oi_fail(error, OI_E_INVALID, "instrument_name: none given");
    if (!product)
        return oi_fail(error, OI_E_NOT_FOUND, "no open interest of its own");
    /* The unit hangs on the name, so the row must not contradict it. */
    if (strcmp(product, "inverse") == 0 && quote.size > 0 && !oi_slice_is(quote, "USD"))
        return oi_fail(error, OI_E_INVALID, "quote_currency: not that of an inverse future");
    OI_TRY(oi_reply_amount(row, "open_interest", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "creation_timestamp");
    if (reading.exchange_time == OI_TIME_NONE)
        reading.exchange_time = walk->reply_time;
    if (strcmp(product, "option") == 0) {
        reading.mark_price = oi_reply_value_of(row, "mark_price"); /* the premium, may be zero */
        reading.index_price = oi_reply_price(row, "underlying_price");
    } else {
        reading.mark_price = oi_reply_price(row, "mark_price");
    }
    reading.last_price = oi_reply_price(row, "last");
    return oi_harvest_add_of(walk->harvest, product, name, &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result = NULL;
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "instrument_name", .read_row = read_summary
    };

    OI_TRY(open_result(reply, &json, &result, error));
    walk.reply_time = oi_reply_optional_time_us(oi_json_root(json), "usOut");
    oi_reply_walk(&walk, result);
    return OI_OK;
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *fault;
    struct oi_slice message;
    int64_t code;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    fault = json ? oi_json_member(oi_json_root(json), "error") : NULL;
    if (!fault || oi_reply_integer(fault, "code", &code, NULL) != OI_OK)
        return;
    message = oi_reply_text(fault, "message");
    if (code == 10028)
        oi_reply_verdict(ret_verdict, OI_E_BUSY, ret_verdict->pause_ms, "error 10028: %.*s",
                         OI_SLICE_ARGS(message));
    else if (code == 13020)
        oi_reply_verdict(ret_verdict, OI_E_NOT_FOUND, 0, "error 13020: %.*s",
                         OI_SLICE_ARGS(message));
    else if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "error %lld: %.*s", (long long) code,
                         OI_SLICE_ARGS(message));
}

static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "jsonrpc");
    oi_json_add_text(&writer, "2.0");
    oi_json_add_name(&writer, "id");
    oi_json_add_int(&writer, (int64_t) task->number + 10);
    oi_json_add_name(&writer, "method");
    oi_json_add_text(&writer, "public/subscribe");
    oi_json_add_name(&writer, "params");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "channels");
    oi_json_begin_array(&writer);
    oi_reply_add_symbols(&writer, task, "ticker.", ".agg2");
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
    return OI_OK;
}

/* Whole in `ticker`, what changed in `incremental_ticker`. */
static enum oi_status
read_told(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice name = oi_reply_text(row, "instrument_name");
    const char *product = product_of(name);

    if (name.size == 0)
        return oi_fail(error, OI_E_INVALID, "instrument_name: none given");
    if (!product)
        return oi_fail(error, OI_E_NOT_FOUND, "no open interest of its own");
    OI_TRY(oi_reply_optional_amount(row, "open_interest", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "timestamp");
    if (strcmp(product, "option") == 0) {
        reading.mark_price = oi_reply_value_of(row, "mark_price");
        reading.index_price = oi_reply_price(row, "underlying_price");
    } else {
        reading.mark_price = oi_reply_price(row, "mark_price");
    }
    reading.last_price = oi_reply_price(row, "last_price");
    return oi_reply_add_told(walk->harvest, product, name, &reading, error);
}

/* Answers to what we sent. 10028: too many requests, and the connection is closed. */
static enum oi_status
read_response(const struct oi_json_node *root, struct oi_stream_event *event,
              struct oi_error *error)
{
    const struct oi_json_node *fault = oi_json_member(root, "error");
    struct oi_slice code = oi_reply_text(fault, "code");

    if (fault)
        return oi_fail(error, oi_slice_is(code, "10028") ? OI_E_BUSY : OI_E_UPSTREAM,
                       "error %.*s: %.*s", OI_SLICE_ARGS(code),
                       OI_SLICE_ARGS(oi_reply_text(fault, "message")));
    if (!oi_json_member(root, "result"))
        return oi_fail(error, OI_E_UPSTREAM, "neither data nor a response");
    event->is_acknowledgement = oi_json_kind(oi_json_member(root, "result")) == OI_JSON_ARRAY;
    return OI_OK;
}

static enum oi_status
read_stream(const struct oi_exchange_stream *, struct oi_slice message, struct oi_harvest *harvest,
            struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *params, *data;
    const struct oi_task task = { .kind = OI_TASK_STREAM };
    const struct oi_reply_walk walk = {
        .task = &task, .harvest = harvest, .symbol_name = "instrument_name", .read_row = read_told
    };
    struct oi_slice method;

    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    method = oi_reply_text(oi_json_root(json), "method");
    params = oi_json_member(oi_json_root(json), "params");
    if (method.size == 0)
        return read_response(oi_json_root(json), event, error);
    if (oi_slice_is(method, "heartbeat")) {
        if (oi_slice_is(oi_reply_text(params, "type"), "test_request"))
            event->answer =
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"public/test\",\"params\":{}}";
        return OI_OK;
    }
    OI_TRY(oi_reply_member(params, "data", OI_JSON_OBJECT, &data, error));
    oi_reply_walk_row(&walk, data);
    return OI_OK;
}

/* 500 channels a message and 3.3 messages a second, 32 connections an address. The slower of the
 * two intervals: a second is all that is kept. */
static const struct oi_exchange_stream streams[] = {
    { .url = "wss://www.deribit.com/ws/api/v2",
      .products = products,
      .symbols_max = 500,
      .symbols_per_message = 250,
      .message_gap_ms = 1'000,
      .connections_max = 20,
      .connect_gap_ms = 2'000,
      .alive_ms = 90'000,
      .greeting = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"public/set_heartbeat\","
                  "\"params\":{\"interval\":30}}",
      .subscribe = subscribe,
      .read = read_stream },
};

#define PAGE "https://docs.deribit.com/#public-get_book_summary_by_currency"
#define SIDES "; one side: common usage, the page does not say"
static const struct oi_convention conventions[] = {
    { .product = "inverse",
      .sides = 1,
      .unit = OI_UNIT_USD,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE SIDES },
    { .product = "linear",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE SIDES },
    { .product = "option",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE SIDES },
};

static const struct oi_limit limits[] = {
    /* 500 credits a request, 10,000 refilled a second. */
    [LIMIT_REQUESTS] = { .name = "requests", .weight_max = 20, .window_ms = 1'000 },
    /* The tighter of two texts about get_instruments. */
    [LIMIT_INSTRUMENTS] = { .name = "instruments", .weight_max = 1, .window_ms = 10'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = OI_HOUR,
      .limit = LIMIT_INSTRUMENTS,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .scope = OI_SCOPE_FAMILY,
      .families = currencies,
      .limit = LIMIT_REQUESTS,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
};

const struct oi_exchange oi_exchange_deribit = {
    .name = NAME,
    .full_name = "Deribit",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .streams = streams,
    .stream_count = OI_COUNT(streams),
    .judge = judge,
};
