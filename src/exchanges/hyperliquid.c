/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hyperliquid: perpetuals of the main dex ("perp") and of the builders' dexes ("hip3", discovered
 * by perpDexs). Definitions and figures come as two lists joined by position, so a length that
 * differs fails the reply: names would slide under other figures.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "hyperliquid"
#define URL "https://api.hyperliquid.xyz/info"

static const char *const products[] = { "perp", "hip3", NULL };

static enum oi_status
ask_info(const char *type, const char *dex, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_buffer body = {};
    struct oi_json_writer writer = { .out = &body };
    enum oi_status status;

    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "type");
    oi_json_add_text(&writer, type);
    if (dex) {
        oi_json_add_name(&writer, "dex");
        oi_json_add_text(&writer, dex);
    }
    oi_json_end_object(&writer);
    status = oi_http_post(request, URL, "application/json", oi_buffer_slice(&body), error);
    oi_buffer_release(&body);
    return status;
}

static enum oi_status
ask_families(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return ask_info("perpDexs", NULL, request, error);
}

static enum oi_status
ask_instruments(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return ask_info("allPerpMetas", NULL, request, error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_info("metaAndAssetCtxs", task->family, request, error);
}

/* [null, {"name": "xyz", ...}, ...]: null is the main dex. */
static enum oi_status
read_dex(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    char name[OI_NAME_SIZE];

    if (oi_json_kind(row) == OI_JSON_NULL)
        return oi_fail(error, OI_E_NOT_FOUND, "the main dex");
    OI_TRY(OI_NAME_SET(name, oi_reply_text(row, "name"), error));
    oi_harvest_add_family(walk->harvest, oi_slice_of(name));
    return OI_OK;
}

static enum oi_status
read_families(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
              struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "name", .read_row = read_dex
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    oi_reply_walk(&walk, oi_json_root(json));
    return OI_OK;
}

/* Builders' markets carry their dex in front: "xyz:AAPL". */
static bool
is_builders(struct oi_slice name, struct oi_slice *ret_coin)
{
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;

    *ret_coin = name;
    if (!colon)
        return false;
    *ret_coin = (struct oi_slice){ colon + 1, name.size - (size_t) (colon + 1 - name.data) };
    return true;
}

/* What a dex settles in, by the index of the token. Prices are in dollars whatever it is. */
static const char *
collateral_of(const struct oi_json_node *meta)
{
    int64_t token = 0; /* replies before builders' dexes have none: USDC */

    if (oi_reply_text(meta, "collateralToken").size > 0 &&
        oi_reply_integer(meta, "collateralToken", &token, NULL) != OI_OK)
        return NULL;
    if (token == 0)
        return "USDC";
    if (token == 360)
        return "USDH";
    if (token == 235)
        return "USDE";
    return NULL;
}

static bool
is_delisted(const struct oi_json_node *market)
{
    return oi_json_kind(oi_json_member(market, "isDelisted")) == OI_JSON_TRUE;
}

static enum oi_status
read_market(const struct oi_json_node *market, const char *collateral, struct oi_harvest *harvest,
            struct oi_error *error)
{
    struct oi_slice coin;
    bool builders = is_builders(oi_reply_text(market, "name"), &coin);
    struct oi_instrument instrument;

    OI_TRY(
        oi_reply_instrument(market, "name", NAME, builders ? "hip3" : "perp", &instrument, error));
    OI_TRY(oi_instrument_set_base(&instrument, coin, true, error));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    OI_TRY(OI_NAME_SET(instrument.quote,
                       oi_slice_of(collateral && strcmp(collateral, "USDC") == 0 ? "USDC" : "USD"),
                       error));
    if (collateral)
        OI_TRY(OI_NAME_SET(instrument.margin, oi_slice_of(collateral), error));
    instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    instrument.is_delisted = is_delisted(market);
    oi_vector_push(&harvest->instruments, instrument);
    return OI_OK;
}

/* One dex: its universe. */
static enum oi_status
read_meta(const struct oi_reply_walk *walk, const struct oi_json_node *meta, struct oi_error *error)
{
    const struct oi_json_node *universe;
    const char *collateral = collateral_of(meta);

    OI_TRY(oi_reply_member(meta, "universe", OI_JSON_ARRAY, &universe, error));
    for (const struct oi_json_node *market = oi_json_first(universe); market;
         market = oi_json_next(market)) {
        struct oi_error reason = {};

        if (oi_json_kind(market) != OI_JSON_OBJECT)
            oi_harvest_skip(walk->harvest, OI_SLICE(""), "a market that is no object");
        else if (read_market(market, collateral, walk->harvest, &reason) != OI_OK)
            oi_harvest_skip(walk->harvest, oi_reply_text(market, "name"), reason.message);
    }
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "name", .read_row = read_meta
    };

    OI_TRY(oi_json_open(reply, &json, error));
    if (oi_json_kind(oi_json_root(json)) == OI_JSON_ARRAY) {
        oi_reply_walk(&walk, oi_json_root(json));
        return OI_OK;
    }
    /* The meta of a single dex, as {"type":"meta"} gives it. */
    return read_meta(&walk, oi_json_root(json), error);
}

static enum oi_status
read_context(const struct oi_json_node *market, const struct oi_json_node *context,
             struct oi_harvest *harvest, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(context, "openInterest", &reading.open_interest, error));
    reading.mark_price = oi_reply_price(context, "markPx");
    reading.index_price = oi_reply_price(context, "oraclePx");
    return oi_harvest_add(harvest, oi_reply_text(market, "name"), &reading, error);
}

static enum oi_status
read_current(const struct oi_task *, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *universe;
    const struct oi_json_node *contexts;
    const struct oi_json_node *market;

    OI_TRY(oi_json_open(reply, &json, error));
    if (oi_json_kind(oi_json_root(json)) == OI_JSON_NULL)
        return oi_fail(error, OI_E_NOT_FOUND, "no such dex");
    if (oi_json_kind(oi_json_root(json)) != OI_JSON_ARRAY)
        return oi_fail(error, OI_E_UPSTREAM, "the reply is no pair");
    OI_TRY(oi_reply_member(oi_json_item(oi_json_root(json), 0), "universe", OI_JSON_ARRAY,
                           &universe, error));
    contexts = oi_json_item(oi_json_root(json), 1);
    if (oi_json_kind(contexts) != OI_JSON_ARRAY)
        return oi_fail(error, OI_E_UPSTREAM, "no contexts in the reply");
    if (oi_json_count(universe) != oi_json_count(contexts))
        return oi_fail(error, OI_E_UPSTREAM, "%zu markets beside %zu contexts",
                       oi_json_count(universe), oi_json_count(contexts));
    market = oi_json_first(universe);
    for (const struct oi_json_node *context = oi_json_first(contexts); context;
         context = oi_json_next(context), market = oi_json_next(market)) {
        struct oi_error reason = {};

        /* A delisted market keeps its slot, with a zero that means nothing. */
        if (oi_json_kind(market) == OI_JSON_OBJECT && is_delisted(market))
            continue;
        if (read_context(market, context, harvest, &reason) != OI_OK)
            oi_harvest_skip(harvest, oi_reply_text(market, "name"), reason.message);
    }
    return OI_OK;
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    oi_reply_judge(head, ret_verdict);
    if (head->status == 422)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "HTTP 422: a request it does not take");
    else if (ret_verdict->status == OI_OK && oi_slice_is(oi_slice_trim(head->body), "null"))
        oi_reply_verdict(ret_verdict, OI_E_NOT_FOUND, 0, "null: no such dex");
}

/* One market a message. */
static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "method");
    oi_json_add_text(&writer, "subscribe");
    oi_json_add_name(&writer, "subscription");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "type");
    oi_json_add_text(&writer, "activeAssetCtx");
    oi_json_add_name(&writer, "coin");
    oi_json_add_text(&writer, task->symbol_count > 0 ? task->symbols[0] : "");
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
    return OI_OK;
}

static enum oi_status
read_told(const struct oi_json_node *data, struct oi_harvest *harvest, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    const struct oi_json_node *context = oi_json_member(data, "ctx");
    struct oi_slice coin;
    bool builders = is_builders(oi_reply_text(data, "coin"), &coin);

    OI_TRY(oi_reply_amount(context, "openInterest", &reading.open_interest, error));
    reading.mark_price = oi_reply_price(context, "markPx");
    reading.index_price = oi_reply_price(context, "oraclePx");
    return oi_harvest_add_of(harvest, builders ? "hip3" : "perp", oi_reply_text(data, "coin"),
                             &reading, error);
}

static enum oi_status
read_stream(const struct oi_exchange_stream *, struct oi_slice message, struct oi_harvest *harvest,
            struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_error reason = {};
    const struct oi_json_node *data;
    struct oi_slice channel;

    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    channel = oi_reply_text(oi_json_root(json), "channel");
    data = oi_json_member(oi_json_root(json), "data");
    if (channel.size == 0)
        return oi_fail(error, OI_E_UPSTREAM, "no channel in the message");
    event->is_acknowledgement = oi_slice_is(channel, "subscriptionResponse");
    /* The text names what it is about; nothing else tells a market that is gone from a limit. */
    if (oi_slice_is(channel, "error"))
        return oi_fail(error, OI_E_NOT_FOUND, "%.*s", OI_SLICE_ARGS(oi_reply_value(data)));
    if (oi_slice_is(channel, "activeAssetCtx") && read_told(data, harvest, &reason) != OI_OK)
        oi_harvest_skip(harvest, oi_reply_text(data, "coin"), reason.message);
    return OI_OK; /* "pong" and what else there is tells nothing */
}

/* 1000 subscriptions an address, 2000 messages a minute; closed after 60 s of silence. The stream
 * of all markets in one message names none of them: it could be joined by position alone. */
static const struct oi_exchange_stream streams[] = {
    { .url = "wss://api.hyperliquid.xyz/ws",
      .products = products,
      .symbols_max = 900,
      .symbols_per_message = 1,
      .message_gap_ms = 50,
      .connections_max = 1,
      .connect_gap_ms = 1'000,
      .alive_ms = 90'000,
      .ping = "{\"method\":\"ping\"}",
      .ping_ms = 30'000,
      .subscribe = subscribe,
      .read = read_stream },
};

/* Every independent test says two; no page of the exchange says anything. */
static const struct oi_convention conventions[] = {
    { .sides = 2,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence =
          "https://docs.hydromancer.xyz (openinteresthistory, rebuilt from fills: two-sided "
          "and equal to the API's); unit: https://hyperliquid.gitbook.io/hyperliquid-docs/"
          "for-developers/api/info-endpoint/perpetuals" },
};

static const struct oi_limit limits[] = {
    { .name = "weight", .weight_max = 1200, .window_ms = 60'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_FAMILIES,
      .product = "hip3",
      .every_ns = 10 * OI_MINUTE,
      .weight = 20,
      .ask = ask_families,
      .read = read_families },
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = 10 * OI_MINUTE,
      .weight = 20,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "perp",
      .weight = 20,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_CURRENT,
      .product = "hip3",
      .scope = OI_SCOPE_FAMILY,
      .weight = 20,
      .ask = ask_current,
      .read = read_current },
};

const struct oi_exchange oi_exchange_hyperliquid = {
    .name = NAME,
    .full_name = "Hyperliquid",
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
