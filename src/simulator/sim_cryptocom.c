/* SPDX-License-Identifier: Apache-2.0 */
/* Crypto.com: names of one letter, spot pairs in between, marks one by one. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#define ROOT "/exchange/v1/public/"

enum { METER_LISTS, METER_MARKS };

static void
add_instrument(const struct call *call, const struct oi_market *market)
{
    bool is_future = market->kind == OI_KIND_FUTURE;

    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "inst_type", is_future ? "FUTURE" : "PERPETUAL_SWAP");
    call_add_text(call, "base_ccy", market->base);
    call_add_text(call, "quote_ccy", market->quote);
    call_add_figure(call, "contract_size", &market->contract, 0);
    call_add_int(call, "expiry_timestamp_ms", is_future ? oi_time_to_ms(market->expiry) : 0);
    oi_json_end_object(call->writer);
}

static void
add_ticker(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "i", market->symbol);
    call_add_figure(call, "oi", &figures.open_interest, 0);
    call_add_figure(call, "a", &figures.last, 0);
    call_add_int(call, "t", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
add_spot(const struct call *call, bool is_list)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, is_list ? "symbol" : "i", "BTC_USD");
    if (is_list)
        call_add_text(call, "inst_type", "CCY_PAIR");
    else
        call_add_text(call, "oi", "0");
    oi_json_end_object(call->writer);
}

static void
begin(const struct call *call, const struct oi_market *market)
{
    oi_json_begin_object(call->writer);
    call_add_int(call, "id", -1);
    call_add_int(call, "code", 0);
    oi_json_add_name(call->writer, "result");
    oi_json_begin_object(call->writer);
    if (market)
        call_add_text(call, "instrument_name", market->symbol);
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
}

static void
end(const struct call *call)
{
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
}

static void
answer_marks(const struct call *call)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "instrument_name"));

    if (!market) {
        call_fail(call, 400, "application/json",
                  "{\"id\":-1,\"code\":40003,\"message\":\"Invalid instrument_name\"}");
        return;
    }
    begin(call, market);
    for (int minutes = 0; minutes < 2; minutes++) {
        oi_time time = call->now - minutes * OI_MINUTE;
        struct oi_figures figures;

        oi_market_figures(call->seed, market, time, &figures);
        oi_json_begin_object(call->writer);
        call_add_figure(call, "v", &figures.mark, 0);
        call_add_int(call, "t", oi_time_to_ms(time));
        oi_json_end_object(call->writer);
    }
    end(call);
}

static void
answer(const struct call *call)
{
    bool is_list = call_is_path(call, ROOT "get-instruments");

    if (call_is_path(call, ROOT "get-valuations")) {
        answer_marks(call);
        return;
    }
    if (!is_list && !call_is_path(call, ROOT "get-tickers")) {
        call_fail(call, 404, "application/json", "{\"id\":-1,\"code\":40400}");
        return;
    }
    begin(call, NULL);
    add_spot(call, is_list);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market)) {
        if (is_list)
            add_instrument(call, market);
        else
            add_ticker(call, market);
    }
    end(call);
}

static struct cost
cost(const struct call *call)
{
    return (struct cost){ call_is_path(call, ROOT "get-valuations") ? METER_MARKS : METER_LISTS,
                          1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json",
              "{\"id\":-1,\"code\":42901,\"message\":\"RATE_LIMIT\"}");
}

static const char *const hosts[] = { "api.crypto.com", NULL };

static const struct oi_meter_rule rules[] = {
    [METER_LISTS] = { .weight_max = 100, .window_ns = OI_SECOND },
    [METER_MARKS] = { .weight_max = 100, .window_ns = OI_SECOND },
};

const struct venue venue_cryptocom = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
