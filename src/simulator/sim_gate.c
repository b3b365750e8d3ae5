/* SPDX-License-Identifier: Apache-2.0 */
/* Gate: strings in lists without envelope or time; times of definitions and histories in seconds.
 */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

static void
add_ticker(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "contract", market->symbol);
    call_add_figure(call, "last", &figures.last, 0);
    call_add_figure(call, "total_size", &figures.open_interest, 0);
    call_add_figure(call, "mark_price", &figures.mark, 0);
    call_add_figure(call, "index_price", &figures.index, 0);
    oi_json_end_object(call->writer);
}

static void
add_contract(const struct call *call, const struct oi_market *market)
{
    const struct oi_decimal zero = oi_decimal_from(0, 0);

    oi_json_begin_object(call->writer);
    call_add_text(call, "name", market->symbol);
    call_add_text(call, "type", market->is_inverse ? "inverse" : "direct");
    call_add_figure(call, "quanto_multiplier", market->is_inverse ? &zero : &market->contract, 0);
    call_add_bool(call, "in_delisting", false);
    call_add_int(call, "launch_time", market->listed / OI_SECOND);
    if (market->expiry != OI_TIME_NONE)
        call_add_int(call, "expire_time", market->expiry / OI_SECOND);
    oi_json_end_object(call->writer);
}

static void
answer_history(const struct call *call)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "contract"));
    int64_t from = call_number(call, "from", 0);
    int64_t limit = call_number(call, "limit", 30);
    struct points points;

    if (!market) {
        call_fail(call, 404, "application/json",
                  "{\"label\":\"CONTRACT_NOT_FOUND\",\"message\":\"\"}");
        return;
    }
    points = call_points(call, market, from * 1'000, call_now_ms(call), 0);
    oi_json_begin_array(call->writer);
    for (oi_time time = points.first; time <= points.last && limit > 0; time += POINT_NS, limit--) {
        struct oi_figures figures;

        oi_market_figures(call->seed, market, time, &figures);
        oi_json_begin_object(call->writer);
        call_add_int(call, "time", time / OI_SECOND);
        call_add_number(call, "open_interest", &figures.open_interest);
        if (!market->is_inverse)
            call_add_number(call, "open_interest_usd", &figures.value);
        call_add_number(call, "mark_price", &figures.mark);
        oi_json_end_object(call->writer);
    }
    oi_json_end_array(call->writer);
}

static const struct route routes[] = {
    { .path = "/api/v4/futures/usdt/tickers", .product = "usdt", .add = add_ticker },
    { .path = "/api/v4/futures/btc/tickers", .product = "btc", .add = add_ticker },
    { .path = "/api/v4/delivery/usdt/tickers", .product = "delivery", .add = add_ticker },
    { .path = "/api/v4/futures/usdt/contracts", .product = "usdt", .add = add_contract },
    { .path = "/api/v4/futures/btc/contracts", .product = "btc", .add = add_contract },
    { .path = "/api/v4/delivery/usdt/contracts", .product = "delivery", .add = add_contract },
    { .path = "/api/v4/futures/usdt/contract_stats", .answer = answer_history },
    { .path = "/api/v4/futures/btc/contract_stats", .answer = answer_history },
};

static void
answer(const struct call *call)
{
    if (!call_route(call, routes, OI_COUNT(routes)))
        call_fail(call, 404, "application/json", "{\"label\":\"NOT_FOUND\",\"message\":\"\"}");
}

static const char *const hosts[] = { "api.gateio.ws", NULL };
static const struct oi_meter_rule rules[] = {
    { .weight_max = 200, .window_ns = 10 * OI_SECOND },
};

static void
begin_message(const struct call *call, const char *event)
{
    oi_json_begin_object(call->writer);
    call_add_int(call, "time", call->now / OI_SECOND);
    call_add_int(call, "time_ms", call_now_ms(call));
    call_add_text(call, "channel", event ? "futures.tickers" : "futures.pong");
    call_add_text(call, "event", event ? event : "");
    oi_json_add_name(call->writer, event && event[0] == 'u' ? "result" : "error");
}

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    const char *product = oi_slice_ends_with(session_path(session), "/btc") ? "btc" : "usdt";
    bool is_good = true;

    (void) text;
    if (oi_slice_is(oi_json_text(oi_json_member(json, "channel")), "futures.ping")) {
        begin_message(call, NULL);
        oi_json_add_null(call->writer);
        oi_json_end_object(call->writer);
        session_send(session, call);
        return;
    }
    for (const struct oi_json_node *item = oi_json_first(oi_json_member(json, "payload"));
         item && is_good; item = oi_json_next(item))
        is_good = session_subscribe(session, call, oi_json_text(item), product);
    begin_message(call, "subscribe");
    if (is_good)
        oi_json_add_null(call->writer);
    else
        oi_json_add_raw(call->writer, OI_SLICE("{\"code\":2,\"message\":\"unknown contract\"}"));
    oi_json_end_object(call->writer);
    session_send(session, call);
}

static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    (void) session;
    (void) is_first;
    begin_message(call, "update");
    oi_json_begin_array(call->writer);
    oi_json_begin_object(call->writer);
    call_add_text(call, "contract", market->symbol);
    call_add_figure(call, "last", &figures->last, 0);
    call_add_figure(call, "total_size", &figures->open_interest, 0);
    call_add_figure(call, "mark_price", &figures->mark, 0);
    call_add_figure(call, "index_price", &figures->index, 0);
    oi_json_end_object(call->writer);
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "fx-ws.gateio.ws", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 300,
    .subscriptions_max = 2000,
    .messages = { .weight_max = 50, .window_ns = OI_SECOND },
    .hear = hear,
    .push = push,
};

const struct venue venue_gate = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
