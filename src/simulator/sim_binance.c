/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binance's two futures APIs on two hosts and one pool of weight, and its options. Dated contracts
 * have "" where funding would be; a market that is announced has no contract type yet.
 */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#include <stdio.h>

/* deliveryDate of a perpetual: the year 2100. */
#define NEVER_MS INT64_C(4'133'404'800'000)
#define PRICE_PLACES 8

enum { METER_WEIGHT, METER_HISTORY, METER_OPTIONS, METER_FILES };

#define OPTION_INFORMATION "/eapi/v1/exchangeInfo"
#define OPTION_INTEREST "/eapi/v1/openInterest"
#define OPTION_MARK "/eapi/v1/mark"

static bool
is_coinm(const struct call *call)
{
    return oi_slice_starts_with(call->host, "dapi.");
}

static const char *
product_of(const struct call *call)
{
    return is_coinm(call) ? "coinm" : "usdm";
}

static bool
is_option(const struct call *call)
{
    return oi_slice_starts_with(call->host, "eapi.");
}

/* The path after the API's own prefix, or "". */
static struct oi_slice
endpoint_of(const struct call *call)
{
    struct oi_slice path = call->request->path;
    const char *prefix = is_coinm(call) ? "/dapi/v1/" : "/fapi/v1/";

    if (!oi_slice_starts_with(path, prefix))
        return OI_SLICE("");
    return (struct oi_slice){ path.data + strlen(prefix), path.size - strlen(prefix) };
}

static const char *
contract_type(const struct oi_market *market)
{
    if (market->state == OI_MARKET_PENDING)
        return "";
    if (market->kind == OI_KIND_PERPETUAL)
        return "PERPETUAL";
    return market->rank == 0 ? "CURRENT_QUARTER" : "NEXT_QUARTER";
}

static const char *
status_of(const struct oi_market *market)
{
    return market->state == OI_MARKET_PENDING    ? "PENDING_TRADING"
           : market->state == OI_MARKET_DELISTED ? "SETTLING"
                                                 : "TRADING";
}

static void
add_pair(const struct call *call, const struct oi_market *market)
{
    char pair[OI_SYMBOL_SIZE];

    (void) snprintf(pair, sizeof(pair), "%s%s", market->base, market->quote);
    call_add_text(call, "pair", pair);
}

static void
add_symbol(const struct call *call, const struct oi_market *market)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    add_pair(call, market);
    call_add_text(call, "contractType", contract_type(market));
    call_add_int(call, "deliveryDate",
                 market->expiry == OI_TIME_NONE ? NEVER_MS : oi_time_to_ms(market->expiry));
    call_add_int(call, "onboardDate", oi_time_to_ms(market->listed));
    call_add_text(call, market->is_inverse ? "contractStatus" : "status", status_of(market));
    if (market->is_inverse)
        call_add_number(call, "contractSize", &market->contract);
    call_add_text(call, "baseAsset", market->base);
    call_add_text(call, "quoteAsset", market->quote);
    call_add_text(call, "marginAsset", market->margin);
    call_add_int(call, "pricePrecision", market->price_places);
    call_add_int(call, "quantityPrecision", market->interest_places);
    call_add_text(call, "underlyingType", "COIN");
    oi_json_end_object(call->writer);
}

static void
answer_information(const struct call *call)
{
    struct oi_json_writer *writer = call->writer;

    oi_json_begin_object(writer);
    call_add_text(call, "timezone", "UTC");
    call_add_int(call, "serverTime", call_now_ms(call));
    oi_json_add_name(writer, "rateLimits");
    oi_json_begin_array(writer);
    oi_json_begin_object(writer);
    call_add_text(call, "rateLimitType", "REQUEST_WEIGHT");
    call_add_text(call, "interval", "MINUTE");
    call_add_int(call, "intervalNum", 1);
    call_add_int(call, "limit", 2'400);
    oi_json_end_object(writer);
    oi_json_end_array(writer);
    oi_json_add_name(writer, "symbols");
    oi_json_begin_array(writer);
    for (const struct oi_market *market = call_next(call, product_of(call), NULL); market;
         market = call_next(call, product_of(call), market))
        add_symbol(call, market);
    oi_json_end_array(writer);
    oi_json_end_object(writer);
}

static void
refuse_symbol(const struct call *call)
{
    call_fail(call, 400, "application/json", "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}");
}

static void
answer_interest(const struct call *call)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "symbol"));
    struct oi_figures figures;

    if (!market || strcmp(market->product, product_of(call)) != 0) {
        refuse_symbol(call);
        return;
    }
    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    if (market->is_inverse)
        add_pair(call, market);
    call_add_figure(call, "openInterest", &figures.open_interest, market->interest_places);
    if (market->is_inverse)
        call_add_text(call, "contractType", contract_type(market));
    call_add_int(call, "time", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
add_price(const struct call *call, const struct oi_market *market)
{
    bool has_funding = market->kind == OI_KIND_PERPETUAL;
    int64_t funding = oi_time_to_ms(oi_interval_floor(8 * OI_HOUR, call->now) + 8 * OI_HOUR);
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    if (market->is_inverse)
        add_pair(call, market);
    call_add_figure(call, "markPrice", &figures.mark, PRICE_PLACES);
    call_add_figure(call, "indexPrice", &figures.index, PRICE_PLACES);
    call_add_figure(call, "estimatedSettlePrice", &figures.index, PRICE_PLACES);
    call_add_text(call, "lastFundingRate", has_funding ? "0.00010000" : "");
    call_add_text(call, "interestRate", has_funding ? "0.00010000" : "");
    call_add_int(call, "nextFundingTime", has_funding ? funding : 0);
    call_add_int(call, "time", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
answer_prices(const struct call *call)
{
    struct oi_slice symbol = call_parameter(call, "symbol");

    if (symbol.size > 0) {
        const struct oi_market *market = call_market(call, symbol);

        if (market)
            add_price(call, market);
        else
            refuse_symbol(call);
        return;
    }
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, product_of(call), NULL); market;
         market = call_next(call, product_of(call), market))
        if (market->state == OI_MARKET_LISTED)
            add_price(call, market);
    oi_json_end_array(call->writer);
}

/* COIN-M is asked for a pair and a contract type, USDT-M for a symbol. */
static const struct oi_market *
market_of_history(const struct call *call)
{
    char symbol[OI_SYMBOL_SIZE];
    struct oi_slice pair = call_parameter(call, "pair");

    if (!is_coinm(call))
        return call_market(call, call_parameter(call, "symbol"));
    if (!oi_slice_is(call_parameter(call, "contractType"), "PERPETUAL") ||
        pair.size > OI_SYMBOL_SIZE / 2)
        return NULL;
    (void) snprintf(symbol, sizeof(symbol), "%.*s_PERP", OI_SLICE_ARGS(pair));
    return call_market(call, oi_slice_of(symbol));
}

static void
answer_history(const struct call *call)
{
    const struct oi_market *market = market_of_history(call);
    int64_t limit = call_number(call, "limit", 30);
    struct points points;

    if (!market) {
        refuse_symbol(call);
        return;
    }
    if (!oi_slice_is(call_parameter(call, "period"), "5m") || limit < 1 || limit > 500) {
        call_fail(call, 400, "application/json",
                  "{\"code\":-1130,\"msg\":\"parameter 'period' is invalid.\"}");
        return;
    }
    points = call_points(call, market, call_number(call, "startTime", 0),
                         call_number(call, "endTime", call_now_ms(call)), limit);
    oi_json_begin_array(call->writer);
    for (oi_time time = points.first; time <= points.last; time += POINT_NS) {
        struct oi_figures figures;

        oi_market_figures(call->seed, market, time, &figures);
        oi_json_begin_object(call->writer);
        if (market->is_inverse) {
            add_pair(call, market);
            call_add_text(call, "contractType", contract_type(market));
        } else {
            call_add_text(call, "symbol", market->symbol);
        }
        call_add_figure(call, "sumOpenInterest", &figures.open_interest, PRICE_PLACES);
        call_add_figure(call, "sumOpenInterestValue", &figures.value, PRICE_PLACES);
        call_add_int(call, "timestamp", oi_time_to_ms(time));
        oi_json_end_object(call->writer);
    }
    oi_json_end_array(call->writer);
}

static void
add_option(const struct call *call, const struct oi_market *market)
{
    char underlying[OI_SYMBOL_SIZE];

    (void) snprintf(underlying, sizeof(underlying), "%s%s", market->base, market->quote);
    oi_json_begin_object(call->writer);
    call_add_int(call, "expiryDate", oi_time_to_ms(market->expiry));
    call_add_text(call, "symbol", market->symbol);
    call_add_text(call, "side", market->side == OI_OPTION_CALL ? "CALL" : "PUT");
    call_add_quoted_int(call, "strikePrice", market->strike);
    call_add_text(call, "underlying", underlying);
    call_add_int(call, "unit", 1);
    call_add_text(call, "quoteAsset", market->quote);
    call_add_text(call, "contractType", "CRYPTO_OPTIONS");
    call_add_text(call, "underlyingType", "CRYPTO");
    call_add_text(call, "status", "TRADING");
    oi_json_end_object(call->writer);
}

/* The stamp is text, and of the minute. */
static void
add_option_interest(const struct call *call, const struct oi_market *market)
{
    oi_time minute = oi_interval_floor(OI_MINUTE, call->now);
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_figure(call, "sumOpenInterest", &figures.open_interest, market->interest_places);
    call_add_figure(call, "sumOpenInterestUsd", &figures.value, PRICE_PLACES);
    call_add_quoted_int(call, "timestamp", oi_time_to_ms(minute));
    oi_json_end_object(call->writer);
}

static void
add_option_mark(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_figure(call, "markPrice", &figures.mark, PRICE_PLACES);
    call_add_text(call, "markIV", "0.55000000");
    oi_json_end_object(call->writer);
}

/* Every option whose symbol begins so. */
static void
add_options(const struct call *call, const char *begin,
            void (*add)(const struct call *call, const struct oi_market *market))
{
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, "option", NULL); market;
         market = call_next(call, "option", market))
        if (oi_slice_starts_with(oi_slice_of(market->symbol), begin))
            add(call, market);
    oi_json_end_array(call->writer);
}

static void
answer_option(const struct call *call)
{
    struct oi_slice underlying = call_parameter(call, "underlyingAsset");
    struct oi_slice expiration = call_parameter(call, "expiration");
    char begin[OI_SYMBOL_SIZE];

    if (call_is_path(call, OPTION_INFORMATION)) {
        oi_json_begin_object(call->writer);
        call_add_text(call, "timezone", "UTC");
        call_add_int(call, "serverTime", call_now_ms(call));
        oi_json_add_name(call->writer, "optionSymbols");
        add_options(call, "", add_option);
        oi_json_end_object(call->writer);
    } else if (call_is_path(call, OPTION_MARK)) {
        add_options(call, "", add_option_mark);
    } else if (call_is_path(call, OPTION_INTEREST) && underlying.size > 0 && expiration.size > 0 &&
               underlying.size + expiration.size < OI_SYMBOL_SIZE / 2) {
        (void) snprintf(begin, sizeof(begin), "%.*s-%.*s-", OI_SLICE_ARGS(underlying),
                        OI_SLICE_ARGS(expiration));
        add_options(call, begin, add_option_interest);
    } else {
        call_fail(call, 400, "application/json",
                  "{\"code\":-1102,\"msg\":\"Mandatory parameter was not sent.\"}");
    }
}

static bool
is_history(const struct call *call)
{
    return call_is_path(call, "/futures/data/openInterestHist");
}

static struct cost
cost(const struct call *call)
{
    if (vision_is_asked(call))
        return (struct cost){ METER_FILES, 1 };
    if (is_history(call))
        return (struct cost){ METER_HISTORY, 1 };
    if (is_option(call))
        return (struct cost){ METER_OPTIONS, call_is_path(call, OPTION_MARK) ? 5 : 1 };
    if (oi_slice_is(endpoint_of(call), "premiumIndex") && call_parameter(call, "symbol").size == 0)
        return (struct cost){ METER_WEIGHT, 10 };
    return (struct cost){ METER_WEIGHT, 1 };
}

static void
answer(const struct call *call)
{
    struct oi_slice endpoint = endpoint_of(call);

    if (vision_is_asked(call))
        vision_answer(call);
    else if (is_history(call))
        answer_history(call);
    else if (is_option(call))
        answer_option(call);
    else if (oi_slice_is(endpoint, "exchangeInfo"))
        answer_information(call);
    else if (oi_slice_is(endpoint, "openInterest"))
        answer_interest(call);
    else if (oi_slice_is(endpoint, "premiumIndex"))
        answer_prices(call);
    else
        call_fail(call, 404, "text/html", "<html><body><h2>404 Not found</h2></body></html>");
}

static void
refuse(const struct call *call, const struct oi_meter_answer *counted)
{
    bool is_banned = counted->verdict == OI_METER_BANNED;
    long long until_ms = call_now_ms(call) + counted->retry_after_s * 1'000;
    char body[192];

    (void) snprintf(body, sizeof(body),
                    is_banned
                        ? "{\"code\":-1003,\"msg\":\"Way too many requests; IP banned until %lld. "
                          "Please use the websocket for live updates to avoid bans.\"}"
                        : "{\"code\":-1003,\"msg\":\"Too many requests; current limit is 2400 "
                          "request weight per 1 MINUTE (%lld).\"}",
                    until_ms);
    call_fail(call, is_banned ? 418 : 429, "application/json", body);
    oi_http_reply_header_int(call->reply, "Retry-After", counted->retry_after_s);
}

static void
decorate(const struct call *call, const struct oi_meter_answer *counted)
{
    if (!is_history(call) && !vision_is_asked(call))
        oi_http_reply_header_int(call->reply, "X-MBX-USED-WEIGHT-1M", counted->used);
}

static const char *const hosts[] = { "fapi.binance.com", "dapi.binance.com", "eapi.binance.com",
                                     "data.binance.vision", NULL };

static const struct oi_meter_rule rules[] = {
    [METER_WEIGHT] = { .weight_max = 2'400,
                       .window_ns = OI_MINUTE,
                       .is_aligned = true,
                       .ban_ns = 2 * OI_MINUTE,
                       .patience = 10 },
    [METER_HISTORY] = { .weight_max = 1'000,
                        .window_ns = 5 * OI_MINUTE,
                        .is_aligned = true,
                        .ban_ns = 2 * OI_MINUTE,
                        .patience = 10 },
    [METER_OPTIONS] = { .weight_max = 2'400,
                        .window_ns = OI_MINUTE,
                        .is_aligned = true,
                        .ban_ns = 2 * OI_MINUTE,
                        .patience = 10 },
    /* No limit is published: what the collector allows itself. */
    [METER_FILES] = { .weight_max = 600, .window_ns = OI_MINUTE },
};

const struct venue venue_binance = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_FUTURES_INDEX | TELLS_OPTION_VALUE | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
    .decorate = decorate,
};
