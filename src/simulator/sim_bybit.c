/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bybit v5. openInterest counts both sides with singleOpenInterest beside it; the instruments come
 * by pages, whose cursor is percent-encoded already.
 */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#include <stdio.h>

#define PAGE_MAX 1'000
/* Fewer than the largest page asked for, so that paging takes place. */
#define PAGE_OURS 40

/* The category that was asked for, or NULL. */
static const char *
category_of(const struct call *call)
{
    struct oi_slice category = call_parameter(call, "category");

    return oi_slice_is(category, "linear")    ? "linear"
           : oi_slice_is(category, "inverse") ? "inverse"
           : oi_slice_is(category, "option")  ? "option"
                                              : NULL;
}

/* Options are told a coin at a time, bitcoin where none is said. */
static bool
is_asked_for(const struct call *call, const struct oi_market *market)
{
    struct oi_slice coin = call_parameter(call, "baseCoin");

    return market->kind != OI_KIND_OPTION ||
           oi_slice_is(coin.size > 0 ? coin : OI_SLICE("BTC"), market->base);
}

static void
begin(const struct call *call, const char *category, const char *symbol)
{
    oi_json_begin_object(call->writer);
    call_add_int(call, "retCode", 0);
    call_add_text(call, "retMsg", "OK");
    oi_json_add_name(call->writer, "result");
    oi_json_begin_object(call->writer);
    if (symbol)
        call_add_text(call, "symbol", symbol);
    call_add_text(call, "category", category);
    oi_json_add_name(call->writer, "list");
    oi_json_begin_array(call->writer);
}

static void
end(const struct call *call, const char *cursor)
{
    oi_json_end_array(call->writer);
    if (cursor)
        call_add_text(call, "nextPageCursor", cursor);
    oi_json_end_object(call->writer);
    oi_json_add_name(call->writer, "retExtInfo");
    oi_json_begin_object(call->writer);
    oi_json_end_object(call->writer);
    call_add_int(call, "time", call_now_ms(call));
    oi_json_end_object(call->writer);
}

static void
fail(const struct call *call, int code, const char *message)
{
    char body[192];

    (void) snprintf(body, sizeof(body),
                    "{\"retCode\":%d,\"retMsg\":\"%s\",\"result\":{},\"retExtInfo\":{},"
                    "\"time\":%lld}",
                    code, message, (long long) call_now_ms(call));
    call_fail(call, 200, "application/json", body);
}

static void
add_instrument(const struct call *call, const struct oi_market *market)
{
    bool is_option = market->kind == OI_KIND_OPTION;
    bool is_future = market->kind == OI_KIND_FUTURE;
    const char *type = market->is_inverse ? is_future ? "InverseFutures" : "InversePerpetual"
                       : is_future        ? "LinearFutures"
                                          : "LinearPerpetual";

    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    if (is_option)
        call_add_text(call, "optionsType", market->side == OI_OPTION_CALL ? "Call" : "Put");
    else
        call_add_text(call, "contractType", type);
    call_add_text(call, "status", "Trading");
    call_add_text(call, "baseCoin", market->base);
    call_add_text(call, "quoteCoin", market->quote);
    call_add_quoted_int(call, "launchTime", oi_time_to_ms(market->listed));
    call_add_quoted_int(call, "deliveryTime",
                        is_future || is_option ? oi_time_to_ms(market->expiry) : 0);
    call_add_text(call, "deliveryFeeRate", "");
    call_add_quoted_int(call, "priceScale", market->price_places);
    call_add_text(call, "settleCoin", market->margin);
    call_add_int(call, "fundingInterval", is_future ? 0 : 480);
    oi_json_add_name(call->writer, "isPreListing");
    oi_json_add_bool(call->writer, false);
    call_add_text(call, "symbolType", "");
    oi_json_end_object(call->writer);
}

/* "first%3D40": the cursor that we hand out, decoded by the server, or as it is where the request
 * never was on a wire. */
static int64_t
start_of(struct oi_slice cursor)
{
    static const char *const prefixes[] = { "first=", "first%3D" };
    int64_t start = 0;
    size_t size = 0;

    if (cursor.size == 0)
        return 0;
    for (size_t i = 0; i < OI_COUNT(prefixes); i++)
        if (oi_slice_starts_with(cursor, prefixes[i]))
            size = strlen(prefixes[i]);
    if (size == 0)
        return -1;
    for (size_t i = size; i < cursor.size; i++) {
        if (cursor.data[i] < '0' || cursor.data[i] > '9' || start > 1'000'000)
            return -1;
        start = start * 10 + (cursor.data[i] - '0');
    }
    return start;
}

static void
answer_instruments(const struct call *call, const char *category)
{
    int64_t start = start_of(call_parameter(call, "cursor"));
    int64_t limit = call_number(call, "limit", 500);
    int64_t place = 0;
    char cursor[32] = "";

    if (start < 0 || limit < 1 || limit > PAGE_MAX) {
        fail(call, 10001, start < 0 ? "params error: cursor" : "params error: limit");
        return;
    }
    if (limit > PAGE_OURS)
        limit = PAGE_OURS;
    begin(call, category, NULL);
    for (const struct oi_market *market = call_next(call, category, NULL); market;
         market = call_next(call, category, market)) {
        if (!is_asked_for(call, market))
            continue;
        if (place >= start && place < start + limit)
            add_instrument(call, market);
        else if (place == start + limit)
            (void) snprintf(cursor, sizeof(cursor), "first%%3D%lld", (long long) place);
        place++;
    }
    end(call, cursor);
}

static void
add_ticker(const struct call *call, const struct oi_market *market)
{
    bool is_future = market->kind == OI_KIND_FUTURE;
    struct oi_figures figures;
    struct oi_decimal half;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_figure(call, "lastPrice", &figures.last, market->price_places);
    call_add_figure(call, "indexPrice", &figures.index, market->price_places);
    call_add_figure(call, "markPrice", &figures.mark, market->price_places);
    call_add_figure(call, "openInterest", &figures.open_interest, 0);
    if (market->kind == OI_KIND_OPTION) {
        oi_json_end_object(call->writer);
        return;
    }
    call_add_figure(call, "openInterestValue", &figures.value, 0);
    call_add_text(call, "fundingRate", is_future ? "" : "0.0001");
    call_add_quoted_int(call, "deliveryTime", is_future ? oi_time_to_ms(market->expiry) : 0);
    call_add_text(call, "basis", "");
    call_add_text(call, "curPreListingPhase", "");
    call_add_figure(call, "singleOpenInterest", &figures.single, 0);
    if (oi_decimal_halve(&figures.value, &half, NULL) == OI_OK)
        call_add_figure(call, "singleOpenInterestValue", &half, 0);
    oi_json_end_object(call->writer);
}

static void
answer_tickers(const struct call *call, const char *category)
{
    begin(call, category, NULL);
    for (const struct oi_market *market = call_next(call, category, NULL); market;
         market = call_next(call, category, market))
        if (is_asked_for(call, market))
            add_ticker(call, market);
    end(call, NULL);
}

static void
answer_history(const struct call *call, const char *category)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "symbol"));
    int64_t limit = call_number(call, "limit", 50);
    struct points points;

    if (!market || strcmp(market->product, category) != 0) {
        fail(call, 10001, "params error: symbol invalid");
        return;
    }
    if (!oi_slice_is(call_parameter(call, "intervalTime"), "5min") || limit < 1 || limit > 200) {
        fail(call, 10001, "params error: intervalTime");
        return;
    }
    points = call_points(call, market, call_number(call, "startTime", 0),
                         call_number(call, "endTime", call_now_ms(call)), limit);
    begin(call, category, market->symbol);
    for (oi_time time = points.last; time >= points.first; time -= POINT_NS) {
        struct oi_figures figures;

        oi_market_figures(call->seed, market, time, &figures);
        oi_json_begin_object(call->writer);
        call_add_figure(call, "openInterest", &figures.open_interest, 8);
        call_add_figure(call, "singleOpenInterest", &figures.single, market->interest_places);
        call_add_quoted_int(call, "timestamp", oi_time_to_ms(time));
        oi_json_end_object(call->writer);
    }
    end(call, "");
}

static struct cost
cost(const struct call *)
{
    return (struct cost){ 0, 1 };
}

static void
answer(const struct call *call)
{
    const char *category = category_of(call);

    if (!oi_slice_starts_with(call->request->path, "/v5/market/"))
        call_fail(call, 404, "text/plain", "404 page not found");
    else if (!category)
        fail(call, 10001, "params error: Category is invalid");
    else if (call_is_path(call, "/v5/market/instruments-info"))
        answer_instruments(call, category);
    else if (call_is_path(call, "/v5/market/tickers"))
        answer_tickers(call, category);
    else if (call_is_path(call, "/v5/market/open-interest"))
        answer_history(call, category);
    else
        call_fail(call, 404, "text/plain", "404 page not found");
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 403, "text/plain", "access too frequent, please try again later");
}

static const char *const hosts[] = { "api.bybit.com", "api.bytick.com", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 600, .window_ns = 5 * OI_SECOND, .ban_ns = 10 * OI_MINUTE },
};

/* Streams: topics of one category, which the path names. */
static const char *
category_of_path(const struct session *session)
{
    struct oi_slice path = session_path(session);

    if (oi_slice_is(path, "/v5/public/inverse"))
        return "inverse";
    return oi_slice_is(path, "/v5/public/option") ? "option" : "linear";
}

static void
respond(struct session *session, const struct call *call, bool is_good, const char *op,
        const char *message)
{
    oi_json_begin_object(call->writer);
    call_add_bool(call, "success", is_good);
    call_add_text(call, "ret_msg", message);
    call_add_text(call, "conn_id", "simulated");
    call_add_text(call, "op", op);
    oi_json_end_object(call->writer);
    session_send(session, call);
}

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    struct oi_slice op = oi_json_text(oi_json_member(json, "op"));

    (void) text;
    if (oi_slice_is(op, "ping")) {
        respond(session, call, true, "ping", "pong");
        return;
    }
    for (const struct oi_json_node *item = oi_json_first(oi_json_member(json, "args")); item;
         item = oi_json_next(item)) {
        struct oi_slice topic = oi_json_text(item), word;

        if (!oi_slice_is(op, "subscribe") || !oi_slice_next_part(&topic, '.', &word) ||
            !oi_slice_is(word, "tickers") ||
            !session_subscribe(session, call, topic, category_of_path(session))) {
            respond(session, call, false, "subscribe", "error:handler not found,topic");
            return;
        }
    }
    respond(session, call, true, "subscribe", "");
}

/* Whole at first and of options, then what has moved. */
static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    bool is_whole = is_first || market->kind == OI_KIND_OPTION;
    char topic[OI_SYMBOL_SIZE + 16];

    (void) session;
    oi_json_begin_object(call->writer);
    (void) snprintf(topic, sizeof(topic), "tickers.%s", market->symbol);
    call_add_text(call, "topic", topic);
    call_add_text(call, "type", is_whole ? "snapshot" : "delta");
    call_add_int(call, "ts", call_now_ms(call));
    oi_json_add_name(call->writer, "data");
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->symbol);
    call_add_figure(call, "openInterest", &figures->open_interest, 0);
    if (is_whole) {
        call_add_figure(call, "lastPrice", &figures->last, market->price_places);
        call_add_figure(call, "indexPrice", &figures->index, market->price_places);
        call_add_figure(call, "markPrice", &figures->mark, market->price_places);
    }
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "stream.bybit.com", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 1000,
    .subscriptions_max = 2000,
    .messages = { .weight_max = 1000, .window_ns = OI_MINUTE },
    .hear = hear,
    .push = push,
};

const struct venue venue_bybit = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_LAST | TELLS_VALUE | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
