/* SPDX-License-Identifier: Apache-2.0 */
/* Kraken Futures: numbers as numbers, one time for a whole list, indices among the markets. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#define HISTORY_BEFORE "/api/charts/v1/analytics/"
#define HISTORY_AFTER "/open-interest"

static void
add_ticker(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "tag", market->kind == OI_KIND_FUTURE ? "quarter" : "perpetual");
    call_add_number(call, "markPrice", &figures.mark);
    call_add_number(call, "indexPrice", &figures.index);
    call_add_number(call, "last", &figures.last);
    call_add_number(call, "openInterest", &figures.open_interest);
    call_add_bool(call, "suspended", false);
    oi_json_end_object(call->writer);
}

static void
add_instrument(const struct call *call, const struct oi_market *market)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "type", market->is_inverse ? "futures_inverse" : "flexible_futures");
    call_add_text(call, "base", market->base);
    call_add_text(call, "quote", market->quote);
    call_add_int(call, "contractSize", 1);
    call_add_bool(call, "tradeable", true);
    call_add_iso(call, "openingDate", market->listed);
    if (market->expiry != OI_TIME_NONE)
        call_add_iso(call, "lastTradingTime", market->expiry);
    oi_json_end_object(call->writer);
}

static void
add_bars(const struct call *call, const struct oi_market *market, struct points points,
         int64_t period_ns)
{
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
    for (oi_time time = points.first; time <= points.last; time += period_ns) {
        oi_time end = time + period_ns;
        struct oi_figures figures;

        /* The close of a bar that its start names; the last one is still filling. */
        oi_market_figures(call->seed, market,
                          end <= call->now ? end : oi_interval_floor(OI_MINUTE, call->now),
                          &figures);
        oi_json_begin_array(call->writer);
        for (int i = 0; i < 4; i++)
            call_add_figure(call, NULL, &figures.open_interest, 0);
        oi_json_end_array(call->writer);
    }
    oi_json_end_array(call->writer);
}

static void
answer_history(const struct call *call, struct oi_slice symbol)
{
    const struct oi_market *market = call_market(call, symbol);
    int64_t period_ns = call_number(call, "interval", 60) * OI_SECOND;
    struct points points;

    if (!market || period_ns <= 0 || period_ns > OI_WEEK) {
        call_fail(call, 404, "application/json", "{\"errors\":[{\"error_class\":\"NotFound\"}]}");
        return;
    }
    points.first = call_number(call, "since", 0) * OI_SECOND;
    points.last = call_number(call, "to", 0) * OI_SECOND;
    if (points.first < market->listed)
        points.first = market->listed;
    if (points.last > call->now)
        points.last = call->now;
    points.first = oi_interval_ceil(period_ns, points.first);
    points.last = oi_interval_floor(period_ns, points.last);
    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "result");
    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "timestamp");
    oi_json_begin_array(call->writer);
    for (oi_time time = points.first; time <= points.last; time += period_ns)
        oi_json_add_int(call->writer, time / OI_SECOND);
    oi_json_end_array(call->writer);
    call_add_bool(call, "more", false);
    add_bars(call, market, points, period_ns);
    oi_json_end_object(call->writer);
    oi_json_add_name(call->writer, "errors");
    oi_json_begin_array(call->writer);
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static const struct route routes[] = {
    { .path = "/derivatives/api/v3/tickers",
      .add = add_ticker,
      .before = "{\"result\":\"success\",\"serverTime\":\"#\",\"tickers\":",
      .after = "}" },
    { .path = "/derivatives/api/v3/instruments",
      .add = add_instrument,
      .before = "{\"result\":\"success\",\"instruments\":",
      .after = ",\"serverTime\":\"#\"}" },
};

static void
answer(const struct call *call)
{
    struct oi_slice path = call->request->path;
    const size_t before = sizeof(HISTORY_BEFORE) - 1;
    const size_t after = sizeof(HISTORY_AFTER) - 1;

    if (call_route(call, routes, OI_COUNT(routes)))
        return;
    if (path.size > before + after && oi_slice_starts_with(path, HISTORY_BEFORE) &&
        oi_slice_ends_with(path, HISTORY_AFTER))
        answer_history(call, (struct oi_slice){ path.data + before, path.size - before - after });
    else
        call_fail(call, 404, "application/json", "{\"result\":\"error\",\"error\":\"notFound\"}");
}

static const char *const hosts[] = { "futures.kraken.com", NULL };
static const struct oi_meter_rule rules[] = {
    { .weight_max = 500, .window_ns = 10 * OI_SECOND },
};

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    bool is_good = oi_slice_is(oi_json_text(oi_json_member(json, "feed")), "ticker");

    (void) text;
    if (oi_slice_is(oi_json_text(oi_json_member(json, "event")), "ping")) {
        session_send_text(session, "{\"event\":\"pong\"}");
        return;
    }
    for (const struct oi_json_node *item = oi_json_first(oi_json_member(json, "product_ids"));
         item && is_good; item = oi_json_next(item))
        is_good = session_subscribe(session, call, oi_json_text(item), NULL);
    session_send_text(session, is_good
                                   ? "{\"event\":\"subscribed\",\"feed\":\"ticker\"}"
                                   : "{\"event\":\"error\",\"message\":\"Invalid product id\"}");
}

static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    (void) session;
    (void) is_first;
    oi_json_begin_object(call->writer);
    call_add_int(call, "time", call_now_ms(call));
    call_add_text(call, "product_id", market->symbol);
    call_add_text(call, "feed", "ticker");
    call_add_number(call, "openInterest", &figures->open_interest);
    call_add_number(call, "markPrice", &figures->mark);
    call_add_number(call, "index", &figures->index);
    call_add_number(call, "last", &figures->last);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "futures.kraken.com", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 100,
    .subscriptions_max = 1000,
    .messages = { .weight_max = 100, .window_ns = OI_SECOND },
    .hear = hear,
    .push = push,
};

const struct venue venue_kraken_futures = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
