/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OKX v5: contracts with their USD value beside them, all numbers as strings, sums of floats with
 * their tails. History points carry the start of their bar, the running one included.
 */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { METER_INTEREST, METER_MARK, METER_INSTRUMENTS, METER_HISTORY };
/* Of SWAP, FUTURES, OPTION. */
#define METER_TYPES 3

#define INTEREST "/api/v5/public/open-interest"
#define MARK "/api/v5/public/mark-price"
#define INSTRUMENTS "/api/v5/public/instruments"
#define UNDERLYING "/api/v5/public/underlying"
#define HISTORY "/api/v5/rubik/stat/contracts/open-interest-history"

static const char *
product_of(const struct call *call)
{
    struct oi_slice type = call_parameter(call, "instType");

    /* Options are told by family alone. */
    if (oi_slice_is(type, "OPTION") && call_parameter(call, "instFamily").size > 0)
        return "option";
    return oi_slice_is(type, "SWAP") ? "swap" : oi_slice_is(type, "FUTURES") ? "futures" : NULL;
}

static const char *
type_of(const struct oi_market *market)
{
    return market->kind == OI_KIND_FUTURE   ? "FUTURES"
           : market->kind == OI_KIND_OPTION ? "OPTION"
                                            : "SWAP";
}

static void
begin(const struct call *call)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "code", "0");
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
}

static void
end(const struct call *call)
{
    oi_json_end_array(call->writer);
    call_add_text(call, "msg", "");
    oi_json_end_object(call->writer);
}

static void
fail(const struct call *call, int status, const char *code, const char *message)
{
    char body[160];

    (void) snprintf(body, sizeof(body), "{\"code\":\"%s\",\"data\":[],\"msg\":\"%s\"}", code,
                    message);
    call_fail(call, status, "application/json", body);
}

static void
add_instrument(const struct call *call, const struct oi_market *market)
{
    char pair[OI_SYMBOL_SIZE];
    bool is_option = market->kind == OI_KIND_OPTION;

    (void) snprintf(pair, sizeof(pair), "%s-%s", market->base, is_option ? "USD" : market->quote);
    oi_json_begin_object(call->writer);
    call_add_text(call, "alias", "");
    call_add_text(call, "baseCcy", "");
    call_add_text(call, "ctMult", "1");
    call_add_text(call, "ctType", is_option ? "" : market->is_inverse ? "inverse" : "linear");
    call_add_figure(call, "ctVal", &market->contract, 0);
    call_add_text(call, "ctValCcy", market->is_inverse ? "USD" : market->base);
    if (market->expiry == OI_TIME_NONE)
        call_add_text(call, "expTime", "");
    else
        call_add_quoted_int(call, "expTime", oi_time_to_ms(market->expiry));
    call_add_text(call, "instFamily", pair);
    call_add_text(call, "instId", market->symbol);
    call_add_text(call, "instType", type_of(market));
    call_add_quoted_int(call, "listTime", oi_time_to_ms(market->listed));
    if (is_option) {
        call_add_text(call, "optType", market->side == OI_OPTION_CALL ? "C" : "P");
        call_add_quoted_int(call, "stk", market->strike);
    }
    call_add_text(call, "quoteCcy", "");
    call_add_text(call, "settleCcy", market->margin);
    call_add_text(call, "state", market->state == OI_MARKET_TEST ? "test" : "live");
    call_add_text(call, "uly", pair);
    oi_json_end_object(call->writer);
}

static void
add_interest(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "instId", market->symbol);
    call_add_text(call, "instType", type_of(market));
    call_add_figure(call, "oi", &figures.open_interest, 0);
    call_add_figure(call, "oiCcy", &figures.coins, 0);
    call_add_figure(call, "oiUsd", &figures.value, 0);
    call_add_quoted_int(call, "ts", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
add_mark(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "instId", market->symbol);
    call_add_text(call, "instType", type_of(market));
    call_add_figure(call, "markPx", &figures.mark, 0);
    call_add_quoted_int(call, "ts", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
answer_type(const struct call *call,
            void (*add)(const struct call *call, const struct oi_market *market), bool with_tests)
{
    const char *product = product_of(call);

    if (!product) {
        fail(call, 400, "51000", "Parameter instType error");
        return;
    }
    begin(call);
    for (const struct oi_market *market = call_next(call, product, NULL); market;
         market = call_next(call, product, market))
        if ((market->state == OI_MARKET_LISTED || with_tests) &&
            (market->kind != OI_KIND_OPTION ||
             oi_slice_is(call_parameter(call, "instFamily"), market->family)))
            add(call, market);
    end(call);
}

static void
answer_history(const struct call *call)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "instId"));
    int64_t limit = call_number(call, "limit", 100);
    struct points points;

    if (!market) {
        fail(call, 200, "51001", "Instrument ID does not exist.");
        return;
    }
    if (!oi_slice_is(call_parameter(call, "period"), "5m") || limit < 1 || limit > 100) {
        fail(call, 400, "51000", "Parameter period error");
        return;
    }
    /* Both ends are exclusive. */
    points = call_points(call, market, call_number(call, "begin", 0) + 1,
                         call_number(call, "end", call_now_ms(call) + 1) - 1, limit);
    begin(call);
    for (oi_time time = points.last; time >= points.first; time -= POINT_NS) {
        struct oi_figures figures;
        oi_time end = time + POINT_NS;
        char stamp[24];

        /* Named after its start, with the figure of its end; the running bar is there too. */
        oi_market_figures(call->seed, market,
                          end <= call->now ? end : oi_interval_floor(OI_MINUTE, call->now),
                          &figures);
        (void) snprintf(stamp, sizeof(stamp), "%" PRId64, oi_time_to_ms(time));
        oi_json_begin_array(call->writer);
        oi_json_add_text(call->writer, stamp);
        call_add_figure(call, NULL, &figures.open_interest, 0);
        call_add_figure(call, NULL, &figures.coins, 0);
        call_add_figure(call, NULL, &figures.value, 0);
        oi_json_end_array(call->writer);
    }
    end(call);
}

/* A list in the list: what options there are. */
static void
answer_underlying(const struct call *call)
{
    const char *last = "";

    if (!oi_slice_is(call_parameter(call, "instType"), "OPTION")) {
        fail(call, 400, "51000", "Parameter instType error");
        return;
    }
    begin(call);
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, "option", NULL); market;
         market = call_next(call, "option", market)) {
        if (strcmp(market->family, last) != 0)
            oi_json_add_text(call->writer, market->family);
        last = market->family;
    }
    oi_json_end_array(call->writer);
    end(call);
}

static struct cost
cost(const struct call *call)
{
    const char *product = product_of(call);
    unsigned type = product && strcmp(product, "futures") == 0  ? 1
                    : product && strcmp(product, "option") == 0 ? 2
                                                                : 0;
    unsigned meter = call_is_path(call, MARK)          ? METER_MARK
                     : call_is_path(call, INSTRUMENTS) ? METER_INSTRUMENTS
                     : call_is_path(call, UNDERLYING)  ? METER_INSTRUMENTS
                     : call_is_path(call, HISTORY)     ? METER_HISTORY
                                                       : METER_INTEREST;

    return (struct cost){ meter * METER_TYPES + type, 1 };
}

static void
answer(const struct call *call)
{
    if (call_is_path(call, INTEREST))
        answer_type(call, add_interest, false);
    else if (call_is_path(call, MARK))
        answer_type(call, add_mark, false);
    else if (call_is_path(call, INSTRUMENTS))
        answer_type(call, add_instrument, true);
    else if (call_is_path(call, UNDERLYING))
        answer_underlying(call);
    else if (call_is_path(call, HISTORY))
        answer_history(call);
    else
        fail(call, 404, "404", "Not Found");
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    fail(call, 429, "50011", "Too Many Requests");
}

static const char *const hosts[] = { "www.okx.com", "openapi.okx.com", NULL };

#define RULE(max)                                                                                  \
    {                                                                                              \
        .weight_max = (max), .window_ns = 2 * OI_SECOND                                            \
    }
/* For each type. */
#define RULES(meter, max)                                                                          \
    [(meter) *METER_TYPES] = RULE(max), [(meter) *METER_TYPES + 1] = RULE(max),                    \
             [(meter) *METER_TYPES + 2] = RULE(max)
static const struct oi_meter_rule rules[] = {
    RULES(METER_INTEREST, 20),
    RULES(METER_MARK, 10),
    RULES(METER_INSTRUMENTS, 20),
    RULES(METER_HISTORY, 10),
};

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    struct oi_slice op = oi_json_text(oi_json_member(json, "op"));

    if (oi_slice_is(text, "ping")) {
        session_send_text(session, "pong");
        return;
    }
    for (const struct oi_json_node *item = oi_json_first(oi_json_member(json, "args")); item;
         item = oi_json_next(item)) {
        struct oi_slice symbol = oi_json_text(oi_json_member(item, "instId"));
        bool is_good =
            oi_slice_is(op, "subscribe") &&
            oi_slice_is(oi_json_text(oi_json_member(item, "channel")), "open-interest") &&
            session_subscribe(session, call, symbol, NULL);

        oi_json_begin_object(call->writer);
        call_add_text(call, "event", is_good ? "subscribe" : "error");
        if (is_good) {
            oi_json_add_name(call->writer, "arg");
            oi_json_begin_object(call->writer);
            call_add_text(call, "channel", "open-interest");
            oi_json_add_name(call->writer, "instId");
            oi_json_add_string(call->writer, symbol);
            oi_json_end_object(call->writer);
        } else {
            call_add_text(call, "code", "60018");
            call_add_text(call, "msg", "Wrong URL or channel doesn't exist.");
        }
        call_add_text(call, "connId", "simulated");
        oi_json_end_object(call->writer);
        session_send(session, call);
    }
}

static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    const char *type = strcmp(market->product, "swap") == 0      ? "SWAP"
                       : strcmp(market->product, "futures") == 0 ? "FUTURES"
                                                                 : "OPTION";

    (void) session;
    (void) is_first;
    oi_json_begin_object(call->writer);
    oi_json_add_name(call->writer, "arg");
    oi_json_begin_object(call->writer);
    call_add_text(call, "channel", "open-interest");
    call_add_text(call, "instId", market->symbol);
    oi_json_end_object(call->writer);
    oi_json_add_name(call->writer, "data");
    oi_json_begin_array(call->writer);
    oi_json_begin_object(call->writer);
    call_add_text(call, "instId", market->symbol);
    call_add_text(call, "instType", type);
    call_add_figure(call, "oi", &figures->open_interest, 0);
    call_add_figure(call, "oiCcy", &figures->coins, 0);
    call_add_figure(call, "oiUsd", &figures->value, 0);
    call_add_quoted_int(call, "ts", call_now_ms(call));
    oi_json_end_object(call->writer);
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "ws.okx.com", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 100,
    .subscriptions_max = 2000,
    .messages = { .weight_max = 480, .window_ns = OI_HOUR },
    .hear = hear,
    .push = push,
};

const struct venue venue_okx = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_VALUE | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
