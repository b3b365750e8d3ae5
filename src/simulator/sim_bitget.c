/* SPDX-License-Identifier: Apache-2.0 */
/* Bitget: strings throughout, coins wherever a contract settles, "" for what does not apply. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

static void
add_ticker(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_figure(call, "lastPr", &figures.last, 0);
    call_add_figure(call, "indexPrice", &figures.index, 0);
    call_add_figure(call, "markPrice", &figures.mark, 0);
    call_add_figure(call, "holdingAmount", &figures.open_interest, 0);
    call_add_quoted_int(call, "ts", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
add_contract(const struct call *call, const struct oi_market *market)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "baseCoin", market->base);
    call_add_text(call, "quoteCoin", market->quote);
    call_add_text(call, "sizeMultiplier", "0.001");
    call_add_text(call, "symbolStatus", "normal");
    call_add_quoted_int(call, "launchTime", oi_time_to_ms(market->listed));
    if (market->expiry == OI_TIME_NONE) {
        call_add_text(call, "symbolType", "perpetual");
        call_add_text(call, "deliveryTime", "");
    } else {
        call_add_text(call, "symbolType", "delivery");
        call_add_quoted_int(call, "deliveryTime", oi_time_to_ms(market->expiry));
    }
    oi_json_end_object(call->writer);
}

#define LIST(of_path, type, of_product, of_add)                                                    \
    {                                                                                              \
        .path = "/api/v2/mix/market/" of_path, .parameter = "productType", .value = (type),        \
        .product = (of_product), .add = (of_add),                                                  \
        .before = "{\"code\":\"00000\",\"msg\":\"success\",\"requestTime\":@,\"data\":",           \
        .after = "}"                                                                               \
    }
static const struct route routes[] = {
    LIST("tickers", "USDT-FUTURES", "usdt_futures", add_ticker),
    LIST("tickers", "USDC-FUTURES", "usdc_futures", add_ticker),
    LIST("tickers", "COIN-FUTURES", "coin_futures", add_ticker),
    LIST("contracts", "USDT-FUTURES", "usdt_futures", add_contract),
    LIST("contracts", "USDC-FUTURES", "usdc_futures", add_contract),
    LIST("contracts", "COIN-FUTURES", "coin_futures", add_contract),
};

static void
answer(const struct call *call)
{
    if (!call_route(call, routes, OI_COUNT(routes)))
        call_fail(call, 400, "application/json",
                  "{\"code\":\"40034\",\"msg\":\"Parameter does not exist\",\"data\":null}");
}

static const char *const hosts[] = { "api.bitget.com", NULL };
static const struct oi_meter_rule rules[] = { { .weight_max = 20, .window_ns = OI_SECOND } };

static const char *
product_of_type(struct oi_slice type)
{
    if (oi_slice_is(type, "USDT-FUTURES"))
        return "usdt_futures";
    if (oi_slice_is(type, "USDC-FUTURES"))
        return "usdc_futures";
    return oi_slice_is(type, "COIN-FUTURES") ? "coin_futures" : "none";
}

static const char *
type_of_product(const char *product)
{
    if (strcmp(product, "usdt_futures") == 0)
        return "USDT-FUTURES";
    return strcmp(product, "usdc_futures") == 0 ? "USDC-FUTURES" : "COIN-FUTURES";
}

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    if (oi_slice_is(text, "ping")) {
        session_send_text(session, "pong");
        return;
    }
    for (const struct oi_json_node *item = oi_json_first(oi_json_member(json, "args")); item;
         item = oi_json_next(item)) {
        bool is_good =
            oi_slice_is(oi_json_text(oi_json_member(item, "channel")), "ticker") &&
            session_subscribe(session, call, oi_json_text(oi_json_member(item, "instId")),
                              product_of_type(oi_json_text(oi_json_member(item, "instType"))));

        session_send_text(session,
                          is_good ? "{\"event\":\"subscribe\",\"arg\":{\"channel\":\"ticker\"}}"
                                  : "{\"event\":\"error\",\"code\":30001,\"msg\":\"doesn't "
                                    "exist\"}");
    }
}

static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    (void) session;
    (void) is_first;
    oi_json_begin_object(call->writer);
    call_add_text(call, "action", "snapshot");
    oi_json_add_name(call->writer, "arg");
    oi_json_begin_object(call->writer);
    call_add_text(call, "instType", type_of_product(market->product));
    call_add_text(call, "channel", "ticker");
    call_add_text(call, "instId", market->symbol);
    oi_json_end_object(call->writer);
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
    oi_json_begin_object(call->writer);
    call_add_text(call, "instId", market->symbol);
    call_add_figure(call, "lastPr", &figures->last, 0);
    call_add_figure(call, "indexPrice", &figures->index, 0);
    call_add_figure(call, "markPrice", &figures->mark, 0);
    call_add_figure(call, "holdingAmount", &figures->open_interest, 0);
    call_add_quoted_int(call, "ts", call_now_ms(call));
    oi_json_end_object(call->writer);
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "ws.bitget.com", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 100,
    .subscriptions_max = 1000,
    .messages = { .weight_max = 10, .window_ns = OI_SECOND },
    .hear = hear,
    .push = push,
};

const struct venue venue_bitget = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
