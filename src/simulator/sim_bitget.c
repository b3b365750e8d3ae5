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

const struct venue venue_bitget = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
