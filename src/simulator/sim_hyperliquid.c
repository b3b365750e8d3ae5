/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hyperliquid's one endpoint, asked by the type in a body. Definitions and figures are two lists
 * joined by position; delisted markets keep their place with zeros.
 */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#include <stdio.h>

/* In the order of their index; the main one has no name. Tokens by index: USDC, and USDH. */
static const struct {
    const char *name;
    const char *full_name;
    int collateral;
} dexes[] = { { "", "", 0 }, { "xyz", "XYZ", 0 }, { "km", "Kinetiq Markets", 360 } };

static const char *
product_of(size_t dex)
{
    return dex > 0 ? "hip3" : "perp";
}

/* The next market of a dex. */
static const struct oi_market *
next_of(const struct call *call, size_t dex, const struct oi_market *market)
{
    do
        market = call_next(call, product_of(dex), market);
    while (market && strcmp(market->family, dexes[dex].name) != 0);
    return market;
}

static void
add_meta(const struct call *call, size_t dex)
{
    struct oi_json_writer *writer = call->writer;

    oi_json_begin_object(writer);
    oi_json_add_name(writer, "universe");
    oi_json_begin_array(writer);
    for (const struct oi_market *market = next_of(call, dex, NULL); market;
         market = next_of(call, dex, market)) {
        oi_json_begin_object(writer);
        call_add_text(call, "name", market->symbol);
        call_add_int(call, "szDecimals", market->interest_places);
        call_add_int(call, "maxLeverage", 40);
        call_add_int(call, "marginTableId", 56);
        if (market->state == OI_MARKET_DELISTED) {
            oi_json_add_name(writer, "isDelisted");
            oi_json_add_bool(writer, true);
        }
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
    oi_json_add_name(writer, "marginTables");
    oi_json_begin_array(writer);
    oi_json_end_array(writer);
    call_add_int(call, "collateralToken", dexes[dex].collateral);
    oi_json_end_object(writer);
}

static void
add_context(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;
    int places = market->price_places;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "funding", "0.0000125");
    /* "0.0", never "0". */
    call_add_figure(call, "openInterest", &figures.open_interest,
                    market->interest_places > 0 ? market->interest_places : 1);
    call_add_figure(call, "prevDayPx", &figures.index, places);
    call_add_text(call, "dayNtlVlm", "0.0");
    oi_json_add_name(call->writer, "premium");
    oi_json_add_null(call->writer);
    call_add_figure(call, "oraclePx", &figures.index, places);
    call_add_figure(call, "markPx", &figures.mark, places);
    call_add_figure(call, "midPx", &figures.last, places);
    oi_json_add_name(call->writer, "impactPxs");
    oi_json_add_null(call->writer);
    call_add_text(call, "dayBaseVlm", "0.0");
    oi_json_end_object(call->writer);
}

static void
answer_contexts(const struct call *call, size_t dex)
{
    oi_json_begin_array(call->writer);
    add_meta(call, dex);
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = next_of(call, dex, NULL); market;
         market = next_of(call, dex, market))
        add_context(call, market);
    oi_json_end_array(call->writer);
    oi_json_end_array(call->writer);
}

static void
answer_dexes(const struct call *call)
{
    oi_json_begin_array(call->writer);
    oi_json_add_null(call->writer);
    for (size_t dex = 1; dex < OI_COUNT(dexes); dex++) {
        oi_json_begin_object(call->writer);
        call_add_text(call, "name", dexes[dex].name);
        call_add_text(call, "fullName", dexes[dex].full_name);
        call_add_text(call, "deployer", "0x0000000000000000000000000000000000000000");
        oi_json_end_object(call->writer);
    }
    oi_json_end_array(call->writer);
}

static void
answer_metas(const struct call *call)
{
    oi_json_begin_array(call->writer);
    for (size_t dex = 0; dex < OI_COUNT(dexes); dex++)
        add_meta(call, dex);
    oi_json_end_array(call->writer);
}

/* The member of the body, copied; "" where it is not there. False: no JSON at all. */
static bool
read_body(const struct call *call, char type[OI_NAME_SIZE], char dex[OI_NAME_SIZE])
{
    struct oi_json *json = NULL;
    struct oi_slice text;

    type[0] = '\0';
    dex[0] = '\0';
    if (oi_json_open(call->request->body, &json, NULL) != OI_OK)
        return false;
    if (oi_json_kind(oi_json_root(json)) == OI_JSON_OBJECT) {
        text = oi_json_text(oi_json_member(oi_json_root(json), "type"));
        (void) snprintf(type, OI_NAME_SIZE, "%.*s", OI_SLICE_ARGS(text));
        text = oi_json_text(oi_json_member(oi_json_root(json), "dex"));
        (void) snprintf(dex, OI_NAME_SIZE, "%.*s", OI_SLICE_ARGS(text));
    }
    oi_json_close(&json);
    return true;
}

static void
answer(const struct call *call)
{
    char type[OI_NAME_SIZE];
    char name[OI_NAME_SIZE];
    size_t dex = 0;

    if (!call_is_path(call, "/info") || call->request->method != OI_HTTP_POST) {
        call_fail(call, 404, "text/plain", "");
        return;
    }
    if (!read_body(call, type, name)) {
        call_fail(call, 422, "text/plain",
                  "Failed to deserialize the JSON body into the target type");
        return;
    }
    while (dex < OI_COUNT(dexes) && strcmp(dexes[dex].name, name) != 0)
        dex++;
    if (strcmp(type, "perpDexs") == 0)
        answer_dexes(call);
    else if (strcmp(type, "allPerpMetas") == 0)
        answer_metas(call);
    else if (strcmp(type, "meta") != 0 && strcmp(type, "metaAndAssetCtxs") != 0)
        call_fail(call, 422, "text/plain",
                  "Failed to deserialize the JSON body into the target type");
    else if (dex == OI_COUNT(dexes))
        oi_json_add_null(call->writer);
    else if (strcmp(type, "meta") == 0)
        add_meta(call, dex);
    else
        answer_contexts(call, dex);
}

static struct cost
cost(const struct call *)
{
    return (struct cost){ 0, 20 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json", "null");
}

static const char *const hosts[] = { "api.hyperliquid.xyz", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 1'200, .window_ns = OI_MINUTE },
};

static void
hear(struct session *session, const struct call *call, const struct oi_json_node *json,
     struct oi_slice text)
{
    const struct oi_json_node *wanted = oi_json_member(json, "subscription");
    struct oi_slice coin = oi_json_text(oi_json_member(wanted, "coin"));

    (void) text;
    if (oi_slice_is(oi_json_text(oi_json_member(json, "method")), "ping")) {
        session_send_text(session, "{\"channel\":\"pong\"}");
        return;
    }
    if (!oi_slice_is(oi_json_text(oi_json_member(wanted, "type")), "activeAssetCtx") ||
        !session_subscribe(session, call, coin, NULL)) {
        session_send_text(session, "{\"channel\":\"error\",\"data\":\"Invalid subscription\"}");
        return;
    }
    session_send_text(session, "{\"channel\":\"subscriptionResponse\",\"data\":{}}");
}

static void
push(struct session *session, const struct call *call, const struct oi_market *market,
     const struct oi_figures *figures, bool is_first)
{
    (void) session;
    (void) is_first;
    oi_json_begin_object(call->writer);
    call_add_text(call, "channel", "activeAssetCtx");
    oi_json_add_name(call->writer, "data");
    oi_json_begin_object(call->writer);
    call_add_text(call, "coin", market->symbol);
    oi_json_add_name(call->writer, "ctx");
    oi_json_begin_object(call->writer);
    call_add_text(call, "funding", "0.0000125");
    call_add_figure(call, "openInterest", &figures->open_interest,
                    market->interest_places > 0 ? market->interest_places : 1);
    call_add_figure(call, "oraclePx", &figures->index, market->price_places);
    call_add_figure(call, "markPx", &figures->mark, market->price_places);
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
    oi_json_end_object(call->writer);
}

static const char *const stream_hosts[] = { "api.hyperliquid.xyz", NULL };
static const struct venue_stream stream = {
    .hosts = stream_hosts,
    .connections_max = 100,
    .subscriptions_max = 1000,
    .messages = { .weight_max = 2000, .window_ns = OI_MINUTE },
    .hear = hear,
    .push = push,
};

const struct venue venue_hyperliquid = {
    .stream = &stream,
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
