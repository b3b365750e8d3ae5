/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deribit: one summary a currency in which units are mixed (dollars, coins) and spot pairs stand
 * between the derivatives, numbers as JSON numbers.
 */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#include <stdio.h>

/* expiration_timestamp of a perpetual: the year 3000. */
#define NEVER_MS INT64_C(32'503'708'800'000)

enum { METER_CREDITS, METER_INSTRUMENTS };

#define SUMMARY "/api/v2/public/get_book_summary_by_currency"
#define INSTRUMENTS "/api/v2/public/get_instruments"

static const char *const currencies[] = { "BTC", "ETH", "USDC", "USDT", "EURR", NULL };
/* One pair each, listed where its quote is. */
static const char *const spot[] = { NULL, NULL, "BTC_USDC", "BTC_USDT", "BTC_EURR" };

static void
end(const struct call *call)
{
    int64_t us = oi_time_to_us(call->now);

    call_add_int(call, "usIn", us);
    call_add_int(call, "usOut", us);
    call_add_int(call, "usDiff", 0);
    oi_json_add_name(call->writer, "testnet");
    oi_json_add_bool(call->writer, false);
    oi_json_end_object(call->writer);
}

static void
begin(const struct call *call)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "jsonrpc", "2.0");
    oi_json_add_name(call->writer, "result");
    oi_json_begin_array(call->writer);
}

static void
fail(const struct call *call, int status, int code, const char *message)
{
    char body[192];

    (void) snprintf(body, sizeof(body),
                    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,\"message\":\"%s\"},\"usIn\":1,"
                    "\"usOut\":2,\"usDiff\":1,\"testnet\":false}",
                    code, message);
    call_fail(call, status, "application/json", body);
}

static void
add_instrument(const struct call *call, const struct oi_market *market)
{
    bool is_option = market->kind == OI_KIND_OPTION;
    bool is_linear = !is_option && !market->is_inverse;
    int64_t expiry_ms = market->expiry == OI_TIME_NONE ? NEVER_MS : oi_time_to_ms(market->expiry);

    oi_json_begin_object(call->writer);
    call_add_text(call, "instrument_name", market->symbol);
    call_add_text(call, "kind", is_option ? "option" : "future");
    call_add_text(call, "base_currency", market->base);
    call_add_text(call, "quote_currency", market->quote);
    call_add_text(call, "counter_currency", is_linear ? market->quote : "USD");
    call_add_text(call, "settlement_currency", market->margin);
    call_add_text(call, "instrument_type", is_linear ? "linear" : "reversed");
    call_add_number(call, "contract_size", &market->contract);
    call_add_text(call, "settlement_period",
                  market->kind == OI_KIND_PERPETUAL ? "perpetual" : "month");
    call_add_int(call, "creation_timestamp", oi_time_to_ms(market->listed));
    call_add_int(call, "expiration_timestamp", expiry_ms);
    if (is_option) {
        call_add_text(call, "option_type", market->side == OI_OPTION_CALL ? "call" : "put");
        call_add_int(call, "strike", market->strike);
    }
    oi_json_add_name(call->writer, "is_active");
    oi_json_add_bool(call->writer, true);
    call_add_text(call, "state", "open");
    oi_json_end_object(call->writer);
}

static void
add_spot_instrument(const struct call *call, size_t currency)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "instrument_name", spot[currency]);
    call_add_text(call, "kind", "spot");
    call_add_text(call, "base_currency", "BTC");
    call_add_text(call, "quote_currency", currencies[currency]);
    oi_json_end_object(call->writer);
}

static void
answer_instruments(const struct call *call)
{
    struct oi_slice currency = call_parameter(call, "currency");
    bool all = oi_slice_is(currency, "any");

    begin(call);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market))
        if (all || oi_slice_is(currency, market->family))
            add_instrument(call, market);
    for (size_t i = 0; currencies[i]; i++)
        if (spot[i] && (all || oi_slice_is(currency, currencies[i])))
            add_spot_instrument(call, i);
    oi_json_end_array(call->writer);
    end(call);
}

static void
add_null(const struct call *call, const char *name)
{
    oi_json_add_name(call->writer, name);
    oi_json_add_null(call->writer);
}

static void
add_summary(const struct call *call, const struct oi_market *market)
{
    bool is_option = market->kind == OI_KIND_OPTION;
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "instrument_name", market->symbol);
    call_add_number(call, "open_interest", &figures.open_interest);
    call_add_number(call, "mark_price", &figures.mark);
    add_null(call, "mid_price");
    add_null(call, "bid_price");
    add_null(call, "ask_price");
    call_add_number(call, "last", &figures.last);
    add_null(call, "low");
    add_null(call, "high");
    call_add_int(call, "volume", 0);
    call_add_int(call, "creation_timestamp", call_now_ms(call));
    call_add_text(call, "base_currency", market->base);
    call_add_text(call, "quote_currency", market->quote);
    call_add_number(call, "estimated_delivery_price", &figures.index);
    if (is_option) {
        call_add_number(call, "underlying_price", &figures.index);
        call_add_text(call, "underlying_index", "index_price");
        call_add_int(call, "mark_iv", 55);
        call_add_int(call, "interest_rate", 0);
    }
    oi_json_end_object(call->writer);
}

static void
add_spot_summary(const struct call *call, size_t currency)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "instrument_name", spot[currency]);
    call_add_int(call, "open_interest", 0);
    add_null(call, "mark_price");
    call_add_int(call, "creation_timestamp", call_now_ms(call));
    call_add_text(call, "base_currency", "BTC");
    call_add_text(call, "quote_currency", currencies[currency]);
    oi_json_end_object(call->writer);
}

static void
answer_summary(const struct call *call)
{
    struct oi_slice currency = call_parameter(call, "currency");
    size_t place = 0;

    while (currencies[place] && !oi_slice_is(currency, currencies[place]))
        place++;
    if (!currencies[place]) {
        fail(call, 400, -32602, "Invalid params");
        return;
    }
    begin(call);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market))
        if (oi_slice_is(currency, market->family))
            add_summary(call, market);
    if (spot[place])
        add_spot_summary(call, place);
    oi_json_end_array(call->writer);
    end(call);
}

static void
answer(const struct call *call)
{
    if (call_is_path(call, SUMMARY))
        answer_summary(call);
    else if (call_is_path(call, INSTRUMENTS))
        answer_instruments(call);
    else
        fail(call, 400, -32601, "Method not found");
}

static struct cost
cost(const struct call *call)
{
    return (struct cost){ call_is_path(call, INSTRUMENTS) ? METER_INSTRUMENTS : METER_CREDITS, 1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    fail(call, 429, 10028, "too_many_requests");
}

static const char *const hosts[] = { "www.deribit.com", NULL };

static const struct oi_meter_rule rules[] = {
    /* 500 credits a request, a pool of 50,000 that fills with 10,000 a second: so many requests may
     * come in five seconds, the first hundred at once. */
    [METER_CREDITS] = { .weight_max = 200, .window_ns = 5 * OI_SECOND },
    /* The tighter of two texts. */
    [METER_INSTRUMENTS] = { .weight_max = 1, .window_ns = 10 * OI_SECOND },
};

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    const struct oi_json_node *params = oi_json_member(json, "params");
    struct oi_slice id = oi_json_text(oi_json_member(json, "id"));

    (void) text;
    oi_json_begin_object(call->writer);
    call_add_text(call, "jsonrpc", "2.0");
    oi_json_add_name(call->writer, "id");
    oi_json_add_raw(call->writer, id.size > 0 ? id : OI_SLICE("null"));
    oi_json_add_name(call->writer, "result");
    if (!oi_slice_is(oi_json_text(oi_json_member(json, "method")), "public/subscribe")) {
        oi_json_add_text(call->writer, "ok");
    } else {
        oi_json_begin_array(call->writer);
        for (const struct oi_json_node *item = oi_json_first(oi_json_member(params, "channels"));
             item; item = oi_json_next(item)) {
            struct oi_slice channel = oi_json_text(item), word, symbol;

            /* "ticker.BTC-PERPETUAL.agg2"; what is not there is left out of the answer. */
            if (oi_slice_next_part(&channel, '.', &word) && oi_slice_is(word, "ticker") &&
                oi_slice_next_part(&channel, '.', &symbol) &&
                session_subscribe(session, call, symbol, NULL))
                oi_json_add_string(call->writer, oi_json_text(item));
        }
        oi_json_end_array(call->writer);
    }
    oi_json_end_object(call->writer);
    session_send(session, call);
}

static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    (void) session;
    (void) is_first;
    oi_json_begin_object(call->writer);
    call_add_text(call, "jsonrpc", "2.0");
    call_add_text(call, "method", "subscription");
    oi_json_add_name(call->writer, "params");
    oi_json_begin_object(call->writer);
    call_add_text(call, "channel", "ticker");
    oi_json_add_name(call->writer, "data");
    oi_json_begin_object(call->writer);
    call_add_int(call, "timestamp", call_now_ms(call));
    call_add_text(call, "instrument_name", market->symbol);
    call_add_text(call, "state", "open");
    call_add_number(call, "open_interest", &figures->open_interest);
    call_add_number(call, "mark_price", &figures->mark);
    call_add_number(call, "index_price", &figures->index);
    if (market->kind == OI_KIND_OPTION)
        call_add_number(call, "underlying_price", &figures->index);
    call_add_number(call, "last_price", &figures->last);
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "www.deribit.com", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 32,
    .subscriptions_max = 5000,
    .messages = { .weight_max = 60, .window_ns = (18 * OI_SECOND) },
    .hear = hear,
    .push = push,
};

const struct venue venue_deribit = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_OPTION_INDEX | TELLS_LAST | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
