/* SPDX-License-Identifier: Apache-2.0 */
/* Kalshi: event markets by pages, perpetuals in one list, and candlesticks of one minute. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#include <stdio.h>

#define MARKETS "/trade-api/v2/markets"
#define PERPETUALS "/trade-api/v2/margin/markets"
#define SERIES "/trade-api/v2/series/"
/* Fewer than the largest page asked for, so that paging takes place. */
#define PAGE_OURS 6
#define CANDLES_MAX 5'000

static void
add_text_time(const struct call *call, const char *name, oi_time time)
{
    struct oi_buffer text = {};

    oi_time_write(time, 0, &text);
    oi_json_add_name(call->writer, name);
    oi_json_add_string(call->writer, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

static void
add_market(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "ticker", market->symbol);
    call_add_text(call, "market_type", "binary");
    call_add_text(call, "status", "active");
    call_add_figure(call, "open_interest_fp", &figures.open_interest, 2);
    call_add_text(call, "notional_value_dollars", "1.0000");
    call_add_figure(call, "last_price_dollars", &figures.last, 4);
    add_text_time(call, "open_time", market->listed);
    add_text_time(call, "close_time", market->expiry);
    oi_json_end_object(call->writer);
}

static void
answer_markets(const struct call *call)
{
    int64_t first = call_number(call, "cursor", 0);
    int64_t place = 0;
    char cursor[24] = "";

    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "markets");
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, "event", NULL); market;
         market = call_next(call, "event", market), place++) {
        if (place >= first && place < first + PAGE_OURS)
            add_market(call, market);
        else if (place == first + PAGE_OURS)
            (void) snprintf(cursor, sizeof(cursor), "%lld", (long long) place);
    }
    oi_json_end_array(call->writer);
    call_add_text(call, "cursor", cursor);
    oi_json_end_object(call->writer);
}

/* Its size and its prices are of a contract. */
static void
add_perpetual(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "ticker", market->symbol);
    call_add_text(call, "status", "active");
    call_add_figure(call, "contract_size", &market->contract, 6);
    call_add_figure(call, "open_interest", &figures.open_interest, 2);
    call_add_figure(call, "open_interest_notional_value_dollars", &figures.value, 6);
    oi_json_end_object(call->writer);
}

static void
answer_perpetuals(const struct call *call)
{
    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "markets");
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, "perp", NULL); market;
         market = call_next(call, "perp", market))
        add_perpetual(call, market);
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

/* ".../markets/TICKER/candlesticks" */
static const struct oi_market *
market_of(const struct call *call)
{
    struct oi_slice rest = call->request->path;
    struct oi_slice part = {};

    while (oi_slice_next_part(&rest, '/', &part))
        if (oi_slice_is(part, "markets") && oi_slice_next_part(&rest, '/', &part))
            return call_market(call, part);
    return NULL;
}

static void
answer_candles(const struct call *call, const struct oi_market *market)
{
    oi_time first = call_number(call, "start_ts", 0) * OI_SECOND;
    oi_time last = call_number(call, "end_ts", 0) * OI_SECOND;

    if (first < market->listed)
        first = market->listed;
    if (last > call->now)
        last = call->now;
    oi_json_begin_object(call->writer);
    call_add_text(call, "ticker", market->symbol);
    oi_json_add_name(call->writer, "candlesticks");
    oi_json_begin_array(call->writer);
    for (oi_time time = oi_interval_ceil(OI_MINUTE, first); time <= last; time += OI_MINUTE) {
        struct oi_figures figures;

        oi_market_figures(call->seed, market, time, &figures);
        oi_json_begin_object(call->writer);
        call_add_int(call, "end_period_ts", time / OI_SECOND);
        call_add_figure(call, market->kind == OI_KIND_EVENT ? "open_interest_fp" : "open_interest",
                        &figures.open_interest, 2);
        if (market->kind != OI_KIND_EVENT)
            call_add_figure(call, "open_interest_notional_value_dollars", &figures.value, 6);
        oi_json_add_name(call->writer, "price");
        oi_json_begin_object(call->writer);
        call_add_figure(call, "close_dollars", &figures.last, 4);
        oi_json_end_object(call->writer);
        oi_json_end_object(call->writer);
    }
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static bool
is_perpetual(const struct call *call)
{
    return oi_slice_starts_with(call->request->path, PERPETUALS);
}

static void
answer(const struct call *call)
{
    const struct oi_market *market;

    if (call_is_path(call, MARKETS)) {
        answer_markets(call);
        return;
    }
    if (call_is_path(call, PERPETUALS)) {
        answer_perpetuals(call);
        return;
    }
    market = oi_slice_starts_with(call->request->path, SERIES) || is_perpetual(call)
                 ? market_of(call)
                 : NULL;
    if (market && call_number(call, "end_ts", 0) - call_number(call, "start_ts", 0) <=
                      CANDLES_MAX * (OI_MINUTE / OI_SECOND))
        answer_candles(call, market);
    else
        call_fail(call, 404, "application/json",
                  "{\"error\":{\"code\":\"not_found\",\"message\":\"not found\"}}");
}

static struct cost
cost(const struct call *call)
{
    return (struct cost){ is_perpetual(call) ? 1 : 0, 1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json", "{\"error\":\"too many requests\"}");
}

static const char *const hosts[] = { "external-api.kalshi.com", "api.elections.kalshi.com", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 20, .window_ns = OI_SECOND },
    { .weight_max = 20, .window_ns = OI_SECOND }, /* of perpetuals */
};

const struct venue venue_kalshi = {
    .hosts = hosts,
    .tells = TELLS_EVENT_LAST | TELLS_PERPETUAL_VALUE,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
