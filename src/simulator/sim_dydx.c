/* SPDX-License-Identifier: Apache-2.0 */
/* dYdX v4: an object keyed by market, coins, and the price of the oracle. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

static void
add_market(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_add_name(call->writer, market->symbol);
    oi_json_begin_object(call->writer);
    call_add_text(call, "ticker", market->symbol);
    call_add_text(call, "status", "ACTIVE");
    call_add_figure(call, "oraclePrice", &figures.index, 0);
    call_add_figure(call, "openInterest", &figures.open_interest, 0);
    call_add_text(call, "marketType", "CROSS");
    /* Documented nowhere, and another figure. */
    call_add_figure(call, "baseOpenInterest", &figures.mark, 0);
    oi_json_end_object(call->writer);
}

static void
answer(const struct call *call)
{
    if (!call_is_path(call, "/v4/perpetualMarkets")) {
        call_fail(call, 404, "application/json", "{\"errors\":[{\"msg\":\"Not Found\"}]}");
        return;
    }
    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "markets");
    oi_json_begin_object(call->writer);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market))
        add_market(call, market);
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
}

static struct cost
cost(const struct call *)
{
    return (struct cost){ 0, 1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json", "{\"errors\":[{\"msg\":\"Too many requests\"}]}");
}

static const char *const hosts[] = { "indexer.dydx.trade", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 100, .window_ns = 10 * OI_SECOND },
};

const struct venue venue_dydx = {
    .hosts = hosts,
    .tells = TELLS_INDEX,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
