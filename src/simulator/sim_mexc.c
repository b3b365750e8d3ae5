/* SPDX-License-Identifier: Apache-2.0 */
/* MEXC Futures: tickers without sizes, and a list of sizes that may be asked for once in five
 * seconds. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#define DETAIL "/api/v1/contract/detail"
#define TICKER "/api/v1/contract/ticker"

static void
add_contract(const struct call *call, const struct oi_market *market)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "baseCoin", market->base);
    call_add_text(call, "quoteCoin", market->quote);
    call_add_text(call, "settleCoin", market->margin);
    call_add_number(call, "contractSize", &market->contract);
    call_add_int(call, "state", 0);
    oi_json_end_object(call->writer);
}

static void
add_ticker(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_number(call, "holdVol", &figures.open_interest);
    call_add_number(call, "fairPrice", &figures.mark);
    call_add_number(call, "indexPrice", &figures.index);
    call_add_number(call, "lastPrice", &figures.last);
    call_add_int(call, "timestamp", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
answer(const struct call *call)
{
    bool is_ticker = call_is_path(call, TICKER);

    if (!is_ticker && !call_is_path(call, DETAIL)) {
        call_fail(call, 404, "application/json", "{\"success\":false,\"code\":404}");
        return;
    }
    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "success");
    oi_json_add_bool(call->writer, true);
    call_add_int(call, "code", 0);
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market)) {
        if (is_ticker)
            add_ticker(call, market);
        else
            add_contract(call, market);
    }
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static struct cost
cost(const struct call *call)
{
    return (struct cost){ call_is_path(call, DETAIL), 1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json",
              "{\"success\":false,\"code\":510,\"message\":\"Excessive frequency\"}");
}

static const char *const hosts[] = { "contract.mexc.com", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 20, .window_ns = 2 * OI_SECOND },
    { .weight_max = 1, .window_ns = 5 * OI_SECOND },
};

const struct venue venue_mexc = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
