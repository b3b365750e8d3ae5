/* SPDX-License-Identifier: Apache-2.0 */
/* Coinbase International: one list of everything, spot pairs in between, quotes inside. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

static void
add_instrument(const struct call *call, const struct oi_market *market)
{
    struct oi_buffer stamp = {};
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "type", "PERP");
    call_add_text(call, "base_asset_name", market->base);
    call_add_text(call, "quote_asset_name", market->quote);
    call_add_figure(call, "open_interest", &figures.open_interest, 0);
    call_add_text(call, "trading_state", "TRADING");
    oi_json_add_name(call->writer, "quote");
    oi_json_begin_object(call->writer);
    call_add_figure(call, "trade_price", &figures.last, 0);
    call_add_figure(call, "index_price", &figures.index, 0);
    call_add_figure(call, "mark_price", &figures.mark, 0);
    oi_time_write(call->now, 3, &stamp);
    oi_json_add_name(call->writer, "timestamp");
    oi_json_add_string(call->writer, oi_buffer_slice(&stamp));
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
    oi_buffer_release(&stamp);
}

static void
answer(const struct call *call)
{
    if (!call_is_path(call, "/api/v1/instruments")) {
        call_fail(call, 404, "application/json", "{\"title\":\"Not Found\"}");
        return;
    }
    oi_json_begin_array(call->writer);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", "BTC-USDC");
    call_add_text(call, "type", "SPOT");
    oi_json_end_object(call->writer);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market))
        add_instrument(call, market);
    oi_json_end_array(call->writer);
}

static struct cost
cost(const struct call *)
{
    return (struct cost){ 0, 1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json", "{\"title\":\"Too many requests\"}");
}

static const char *const hosts[] = { "api.international.coinbase.com", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 10, .window_ns = OI_SECOND },
};

const struct venue venue_coinbase_intl = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
