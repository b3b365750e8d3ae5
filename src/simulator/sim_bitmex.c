/* SPDX-License-Identifier: Apache-2.0 */
/* BitMEX: one list with everything, numbers as numbers, values in minor units of the settlement. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

static void
add_value(const struct call *call, const struct oi_market *market, const struct oi_figures *figures)
{
    const struct oi_decimal scale = oi_decimal_from(1, market->is_inverse ? 8 : 6);
    struct oi_decimal value;

    oi_assert(oi_decimal_multiply(&figures->value, &scale, &value, NULL) == OI_OK);
    call_add_number(call, "openValue", &value);
}

static void
add_multiplier(const struct call *call, const struct oi_market *market)
{
    /* In minor units: of XBt below zero where inverse, of USDt where linear. */
    const struct oi_decimal scale =
        oi_decimal_from(market->is_inverse ? -1 : 1, market->is_inverse ? 8 : 6);
    struct oi_decimal multiplier;

    oi_assert(oi_decimal_multiply(&market->contract, &scale, &multiplier, NULL) == OI_OK);
    call_add_number(call, "multiplier", &multiplier);
}

static void
add_market(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "state", "Open");
    call_add_text(call, "typ", market->kind == OI_KIND_FUTURE ? "FFCCSX" : "FFWCSX");
    call_add_iso(call, "listing", market->listed);
    if (market->expiry != OI_TIME_NONE)
        call_add_iso(call, "expiry", market->expiry);
    call_add_text(call, "underlying", market->base);
    call_add_text(call, "quoteCurrency", market->quote);
    call_add_text(call, "settlCurrency", market->is_inverse ? "XBt" : "USDt");
    add_multiplier(call, market);
    call_add_bool(call, "isInverse", market->is_inverse);
    call_add_bool(call, "isQuanto", false);
    call_add_number(call, "openInterest", &figures.open_interest);
    add_value(call, market, &figures);
    call_add_number(call, "markPrice", &figures.mark);
    call_add_number(call, "lastPrice", &figures.last);
    call_add_number(call, "indicativeSettlePrice", &figures.index);
    call_add_iso(call, "timestamp", call->now);
    oi_json_end_object(call->writer);
}

static const struct route routes[] = {
    { .path = "/api/v1/instrument/active", .add = add_market },
};

static void
answer(const struct call *call)
{
    if (!call_route(call, routes, OI_COUNT(routes)))
        call_fail(call, 404, "application/json",
                  "{\"error\":{\"message\":\"Not Found\",\"name\":\"HTTPError\"}}");
}

static const char *const hosts[] = { "www.bitmex.com", NULL };
static const struct oi_meter_rule rules[] = { { .weight_max = 30, .window_ns = OI_MINUTE } };

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    const struct oi_json_node *topic = oi_json_first(oi_json_member(json, "args"));

    if (oi_slice_is(text, "ping")) {
        session_send_text(session, "pong");
        return;
    }
    if (!oi_slice_is(oi_json_text(oi_json_member(json, "op")), "subscribe") ||
        !oi_slice_is(oi_json_text(topic), "instrument")) {
        session_send_text(session, "{\"status\":400,\"error\":\"Unknown table\"}");
        return;
    }
    session_subscribe_all(session, call);
    session_send_text(session, "{\"success\":true,\"subscribe\":\"instrument\"}");
}

/* A row whole at first, then what has moved. */
static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    (void) session;
    oi_json_begin_object(call->writer);
    call_add_text(call, "table", "instrument");
    call_add_text(call, "action", is_first ? "partial" : "update");
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    if (is_first) {
        call_add_text(call, "state", "Open");
        call_add_text(call, "typ", market->kind == OI_KIND_FUTURE ? "FFCCSX" : "FFWCSX");
        call_add_text(call, "underlying", market->base);
        call_add_text(call, "quoteCurrency", market->quote);
        call_add_text(call, "settlCurrency", market->is_inverse ? "XBt" : "USDt");
        call_add_bool(call, "isInverse", market->is_inverse);
        call_add_bool(call, "isQuanto", false);
        call_add_number(call, "markPrice", &figures->mark);
    }
    call_add_number(call, "openInterest", &figures->open_interest);
    call_add_iso(call, "timestamp", call->now);
    oi_json_end_object(call->writer);
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "ws.bitmex.com", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 20,
    .subscriptions_max = 5000,
    .messages = { .weight_max = 100, .window_ns = OI_MINUTE },
    .hear = hear,
    .push = push,
};

const struct venue venue_bitmex = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_VALUE | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
