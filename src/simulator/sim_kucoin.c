/* SPDX-License-Identifier: Apache-2.0 */
/* KuCoin Futures: definitions, figures and prices in one reply, lots as text among numbers, a
 * negative multiplier where inverse. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#define CONTRACTS "/api/v1/contracts/active"
#define HISTORY "/api/ua/v1/market/open-interest"
#define POINTS_MAX 100

static void
add_flag(const struct call *call, const char *name, bool value)
{
    oi_json_add_name(call->writer, name);
    oi_json_add_bool(call->writer, value);
}

static void
add_contract(const struct call *call, const struct oi_market *market)
{
    struct oi_decimal multiplier = oi_decimal_from(-1, 0);
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "rootSymbol", market->quote);
    call_add_text(call, "type", "FFWCSX");
    call_add_int(call, "firstOpenDate", oi_time_to_ms(market->listed));
    oi_json_add_name(call->writer, "expireDate");
    oi_json_add_null(call->writer);
    call_add_text(call, "baseCurrency", market->base);
    call_add_text(call, "quoteCurrency", market->quote);
    call_add_text(call, "settleCurrency", market->is_inverse ? market->base : market->margin);
    call_add_number(call, "multiplier", market->is_inverse ? &multiplier : &market->contract);
    add_flag(call, "isQuanto", !market->is_inverse);
    add_flag(call, "isInverse", market->is_inverse);
    call_add_text(call, "status", "Open");
    call_add_figure(call, "openInterest", &figures.open_interest, 0);
    call_add_number(call, "markPrice", &figures.mark);
    call_add_number(call, "indexPrice", &figures.index);
    call_add_number(call, "lastTradePrice", &figures.last);
    oi_json_end_object(call->writer);
}

static void
begin(const struct call *call)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "code", "200000");
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
}

static void
end(const struct call *call)
{
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

/* Newest first. */
static void
answer_history(const struct call *call)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "symbol"));
    struct points points;

    begin(call);
    if (market) {
        points = call_points(call, market, call_number(call, "startAt", 0),
                             call_number(call, "endAt", call_now_ms(call)), POINTS_MAX);
        for (oi_time time = points.last; time >= points.first; time -= POINT_NS) {
            struct oi_figures figures;

            oi_market_figures(call->seed, market, time, &figures);
            oi_json_begin_object(call->writer);
            call_add_figure(call, "openInterest", &figures.open_interest, 0);
            call_add_int(call, "ts", oi_time_to_ms(time));
            oi_json_end_object(call->writer);
        }
    }
    end(call);
}

static void
answer(const struct call *call)
{
    if (call_is_path(call, HISTORY)) {
        answer_history(call);
        return;
    }
    if (!call_is_path(call, CONTRACTS)) {
        call_fail(call, 404, "application/json", "{\"code\":\"404\",\"msg\":\"Not Found\"}");
        return;
    }
    begin(call);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market))
        add_contract(call, market);
    end(call);
}

static struct cost
cost(const struct call *call)
{
    return (struct cost){ 0, call_is_path(call, HISTORY) ? 10 : 3 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json", "{\"code\":\"429000\",\"msg\":\"Too many requests\"}");
}

static const char *const hosts[] = { "api-futures.kucoin.com", "api.kucoin.com", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 2'000, .window_ns = 30 * OI_SECOND },
};

const struct venue venue_kucoin = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
