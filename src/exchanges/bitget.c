/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bitget v2: contracts settled in tether, in USDC and in coins, all counted in coins. One request a
 * product answers for all its markets. No page says how many sides are counted.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "bitget"
#define HOST "https://api.bitget.com"

static const char *const products[] = { "usdt_futures", "usdc_futures", "coin_futures", NULL };

static bool
is_coin(const struct oi_task *task)
{
    return task->product && strcmp(task->product, "coin_futures") == 0;
}

static const char *
product_of(const struct oi_task *task)
{
    if (is_coin(task))
        return "coin_futures";
    return task->product && strcmp(task->product, "usdc_futures") == 0 ? "usdc_futures"
                                                                       : "usdt_futures";
}

/* Its name at Bitget. */
static const char *
type_of(const struct oi_task *task)
{
    const char *product = product_of(task);

    if (strcmp(product, "usdt_futures") == 0)
        return "USDT-FUTURES";
    return is_coin(task) ? "COIN-FUTURES" : "USDC-FUTURES";
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/api/v2/mix/market/contracts", error));
    return oi_http_add_query(request, "productType", type_of(task), error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/api/v2/mix/market/tickers", error));
    return oi_http_add_query(request, "productType", type_of(task), error);
}

static enum oi_status
open_data(struct oi_slice reply, struct oi_json **ret_json, const struct oi_json_node **ret_data,
          struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;
    struct oi_slice code;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    code = oi_reply_text(oi_json_root(json), "code");
    if (!oi_slice_is(code, "00000"))
        return oi_fail(error, OI_E_UPSTREAM, "code %.*s: %.*s", OI_SLICE_ARGS(code),
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "msg")));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &data, error));
    *ret_json = json;
    json = NULL;
    *ret_data = data;
    return OI_OK;
}

/* Names of the retired v1, all perpetual, end in _UMCBL, _DMCBL or _CMCBL and have no type. */
static bool
is_of_v1(struct oi_slice symbol)
{
    return oi_slice_ends_with(symbol, "MCBL");
}

static enum oi_status
set_kind(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "symbolType");

    if (oi_slice_is(type, "perpetual") ||
        (type.size == 0 && is_of_v1(oi_reply_text(row, "symbol")))) {
        instrument->kind = OI_KIND_PERPETUAL;
        return OI_OK;
    }
    if (!oi_slice_is(type, "delivery"))
        return oi_fail(error, OI_E_INVALID, "symbolType: %.*s is not known", OI_SLICE_ARGS(type));
    instrument->kind = OI_KIND_FUTURE;
    return oi_reply_time_ms(row, "deliveryTime", &instrument->expiry, error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_slice quote = oi_reply_text(row, "quoteCoin");
    bool is_inverse = is_coin(walk->task);

    OI_TRY(oi_reply_instrument(row, "symbol", NAME, product_of(walk->task), &instrument, error));
    OI_TRY(set_kind(row, &instrument, error));
    instrument.settlement = is_inverse ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "baseCoin"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, quote, error));
    OI_TRY(
        OI_NAME_SET(instrument.margin, is_inverse ? oi_slice_of(instrument.base) : quote, error));
    /* sizeMultiplier is a step of orders and no size: figures are in units of the symbol's base,
     * and the others say nothing of a contract. */
    if (!is_inverse)
        instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    instrument.listed = oi_reply_optional_time_ms(row, "launchTime");
    instrument.is_delisted = oi_slice_is(oi_reply_text(row, "symbolStatus"), "off");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_instrument
    };

    OI_TRY(open_data(reply, &json, &data, error));
    oi_reply_walk(&walk, data);
    return OI_OK;
}

/* holdingAmount in v2, openInterest in v3. */
static enum oi_status
read_ticker(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    bool is_v3 =
        oi_json_member(row, "holdingAmount") == NULL && oi_json_member(row, "openInterest") != NULL;

    OI_TRY(oi_reply_amount(row, is_v3 ? "openInterest" : "holdingAmount", &reading.open_interest,
                           error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "ts");
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, is_v3 ? "lastPrice" : "lastPr");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_ticker
    };

    OI_TRY(open_data(reply, &json, &data, error));
    oi_reply_walk(&walk, data);
    return OI_OK;
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice code;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    code = json ? oi_reply_text(oi_json_root(json), "code") : (struct oi_slice){};
    if (code.size == 0 || oi_slice_is(code, "00000"))
        return;
    if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, oi_slice_is(code, "429") ? OI_E_BUSY : OI_E_UPSTREAM,
                         ret_verdict->pause_ms, "code %.*s: %.*s", OI_SLICE_ARGS(code),
                         OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "msg")));
}

static const char *
type_of_product(const char *product)
{
    const struct oi_task task = { .product = product };

    return type_of(&task);
}

static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_reply_begin_args(&writer);
    for (size_t i = 0; i < task->symbol_count; i++) {
        oi_json_begin_object(&writer);
        oi_json_add_name(&writer, "instType");
        oi_json_add_text(&writer, type_of_product(task->stream->products[0]));
        oi_json_add_name(&writer, "channel");
        oi_json_add_text(&writer, "ticker");
        oi_json_add_name(&writer, "instId");
        oi_json_add_text(&writer, task->symbols[i]);
        oi_json_end_object(&writer);
    }
    oi_reply_end_args(&writer);
    return OI_OK;
}

/* holdingAmount in v2, holding before. */
static enum oi_status
read_told(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    bool is_v1 = oi_json_member(row, "holding") != NULL;

    OI_TRY(
        oi_reply_amount(row, is_v1 ? "holding" : "holdingAmount", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, is_v1 ? "systemTime" : "ts");
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, is_v1 ? "last" : "lastPr");
    return oi_harvest_add_of(walk->harvest, walk->task->product, oi_reply_text(row, "instId"),
                             &reading, error);
}

/* {"event": "subscribe"} for each market; 30001 is one that does not exist, 30006 too many. */
static enum oi_status
read_response(const struct oi_json_node *root, struct oi_stream_event *event,
              struct oi_error *error)
{
    struct oi_slice code = oi_reply_text(root, "code");

    event->is_acknowledgement = oi_slice_is(oi_reply_text(root, "event"), "subscribe");
    if (!oi_slice_is(oi_reply_text(root, "event"), "error"))
        return OI_OK;
    return oi_fail(error,
                   oi_slice_is(code, "30001")   ? OI_E_NOT_FOUND
                   : oi_slice_is(code, "30006") ? OI_E_BUSY
                                                : OI_E_UPSTREAM,
                   "code %.*s: %.*s", OI_SLICE_ARGS(code),
                   OI_SLICE_ARGS(oi_reply_text(root, "msg")));
}

static enum oi_status
read_stream(const struct oi_exchange_stream *stream, struct oi_slice message,
            struct oi_harvest *harvest, struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data;
    const struct oi_task task = { .kind = OI_TASK_STREAM, .product = stream->products[0] };
    const struct oi_reply_walk walk = {
        .task = &task, .harvest = harvest, .symbol_name = "instId", .read_row = read_told
    };
    struct oi_slice type;

    if (oi_slice_is(message, "pong"))
        return OI_OK;
    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    if (oi_json_member(oi_json_root(json), "event"))
        return read_response(oi_json_root(json), event, error);
    /* One address serves all types, and one name may be of several; "mc" and its kin are v1's. */
    type = oi_reply_text(oi_json_member(oi_json_root(json), "arg"), "instType");
    if (oi_slice_ends_with(type, "-FUTURES") && !oi_slice_is(type, type_of(&task)))
        return oi_fail(error, OI_E_UPSTREAM, "a message about %.*s", OI_SLICE_ARGS(type));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &data, error));
    oi_reply_walk(&walk, data);
    return OI_OK;
}

static const char *const usdt_futures[] = { "usdt_futures", NULL };
static const char *const usdc_futures[] = { "usdc_futures", NULL };
static const char *const coin_futures[] = { "coin_futures", NULL };
/* A ping each 30 s. What a connection may carry is not in the pages that were read: few. */
#define STREAM(of_products)                                                                        \
    {                                                                                              \
        .url = "wss://ws.bitget.com/v2/ws/public", .products = (of_products), .symbols_max = 100,  \
        .symbols_per_message = 50, .message_gap_ms = 200, .connections_max = 20,                   \
        .connect_gap_ms = 1'000, .alive_ms = 70'000, .ping = "ping", .ping_ms = 25'000,            \
        .subscribe = subscribe, .read = read_stream                                                \
    }
static const struct oi_exchange_stream streams[] = {
    STREAM(usdt_futures),
    STREAM(usdc_futures),
    STREAM(coin_futures),
};

static const struct oi_convention conventions[] = {
    { .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence =
          "https://www.bitget.com/api-doc/contract/market/Get-All-Symbol-Ticker; sides: not "
          "documented. BTCUSDT stood at 89,482 BTC on 4 June 2022 beside 85,000 at Binance" },
};

static const struct oi_limit limits[] = {
    /* For each endpoint; an address has 6000 a minute over all of them. */
    { .name = "requests", .weight_max = 20, .window_ms = 1'000 },
};

#define LISTS(of_product)                                                                          \
    { .kind = OI_TASK_INSTRUMENTS,                                                                 \
      .product = (of_product),                                                                     \
      .every_ns = OI_HOUR,                                                                         \
      .weight = 1,                                                                                 \
      .ask = ask_instruments,                                                                      \
      .read = read_instruments },                                                                  \
    {                                                                                              \
        .kind = OI_TASK_CURRENT, .product = (of_product), .weight = 1, .ask = ask_current,         \
        .read = read_current                                                                       \
    }
static const struct oi_endpoint endpoints[] = {
    LISTS("usdt_futures"),
    LISTS("usdc_futures"),
    LISTS("coin_futures"),
};

const struct oi_exchange oi_exchange_bitget = {
    .name = NAME,
    .full_name = "Bitget",
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
