/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kraken Futures: the unit hangs on the symbol's prefix. PI_ and FI_ are inverse and counted in
 * USD, PF_ and FF_ are linear and counted in coins. One request answers for all markets.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "kraken_futures"
#define HOST "https://futures.kraken.com"

static const char *const products[] = { "inverse", "linear", NULL };

static enum oi_status
ask_instruments(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/derivatives/api/v3/instruments", error);
}

static enum oi_status
ask_current(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/derivatives/api/v3/tickers", error);
}

/* No page says how many points a reply holds; these are few, and `more` is told as an error. */
static const struct oi_history_window window = {
    .width_ns = 500 * OI_MINUTE,
    .period_ns = OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer url = {};
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    oi_buffer_add_text(&url, HOST "/api/charts/v1/analytics/");
    oi_http_encode(oi_slice_of(task->symbol), &url);
    oi_buffer_add_text(&url, "/open-interest");
    oi_buffer_add_char(&url, '\0');
    OI_TRY(oi_http_get(request, url.data, error));
    OI_TRY(oi_reply_add_time_s(request, "since", span.from, error));
    OI_TRY(oi_reply_add_time_s(request, "to", span.to - 1, error));
    return oi_http_add_query(request, "interval", "60", error);
}

/* Open a list in an envelope that says how it went. */
static enum oi_status
open_list(struct oi_slice reply, const char *name, struct oi_json **ret_json,
          const struct oi_json_node **ret_list, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    if (oi_slice_is(oi_reply_text(oi_json_root(json), "result"), "error"))
        return oi_fail(error, OI_E_UPSTREAM, "error: %.*s",
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "error")));
    OI_TRY(oi_reply_member(oi_json_root(json), name, OI_JSON_ARRAY, &list, error));
    *ret_json = json;
    json = NULL;
    *ret_list = list;
    return OI_OK;
}

/* "PI_XBTUSD", in replies of 2021 "pi_xbtusd". NULL: neither inverse nor linear. */
static const char *
product_of(struct oi_slice symbol)
{
    struct oi_slice prefix = { symbol.data, 3 };

    if (symbol.size <= 3)
        return NULL;
    if (oi_slice_equal_ignoring_case(prefix, OI_SLICE("PI_")) ||
        oi_slice_equal_ignoring_case(prefix, OI_SLICE("FI_")))
        return "inverse";
    if (oi_slice_equal_ignoring_case(prefix, OI_SLICE("PF_")) ||
        oi_slice_equal_ignoring_case(prefix, OI_SLICE("FF_")))
        return "linear";
    return NULL;
}

static bool
is_index(struct oi_slice symbol)
{
    struct oi_slice prefix = { symbol.data, 3 };

    return symbol.size > 3 && (oi_slice_equal_ignoring_case(prefix, OI_SLICE("IN_")) ||
                               oi_slice_equal_ignoring_case(prefix, OI_SLICE("RR_")));
}

/* Base and quote are given since 2022; before, the symbol has them: "fi_xbtusd_210924". */
static enum oi_status
set_pair(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice base = oi_reply_text(row, "base");
    struct oi_slice quote = oi_reply_text(row, "quote");
    struct oi_slice pair = oi_slice_of(instrument->symbol + 3);
    char upper[OI_SYMBOL_SIZE];
    const size_t quote_size = 3;

    if (base.size == 0 || quote.size == 0) {
        pair.size = strcspn(pair.data, "_");
        if (pair.size <= quote_size)
            return oi_fail(error, OI_E_INVALID, "symbol: no pair in it");
        for (size_t i = 0; i < pair.size; i++)
            upper[i] = (char) (pair.data[i] >= 'a' && pair.data[i] <= 'z' ? pair.data[i] - 32
                                                                          : pair.data[i]);
        base = (struct oi_slice){ upper, pair.size - quote_size };
        quote = (struct oi_slice){ upper + base.size, quote_size };
    }
    OI_TRY(oi_instrument_set_base(instrument, base, false, error));
    OI_TRY(OI_NAME_SET(instrument->quote, quote, error));
    if (instrument->settlement == OI_SETTLEMENT_INVERSE)
        return OI_NAME_SET(instrument->margin, oi_slice_of(instrument->base), error);
    return OI_NAME_SET(instrument->margin, quote, error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_slice symbol = oi_reply_text(row, "symbol");
    struct oi_slice type = oi_reply_text(row, "type");
    const char *product = product_of(symbol);
    struct oi_instrument instrument;
    bool is_inverse = oi_slice_is(type, "futures_inverse");

    if (is_index(symbol))
        return oi_fail(error, OI_E_NOT_FOUND, "an index");
    if (!is_inverse && !oi_slice_is(type, "flexible_futures") &&
        !oi_slice_is(type, "futures_vanilla"))
        return oi_fail(error, OI_E_INVALID, "type: %.*s is not known", OI_SLICE_ARGS(type));
    if (!product || is_inverse != (strcmp(product, "inverse") == 0))
        return oi_fail(error, OI_E_INVALID, "symbol: its prefix is not that of the type");
    OI_TRY(oi_reply_instrument(row, "symbol", NAME, product, &instrument, error));
    instrument.settlement = is_inverse ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    OI_TRY(set_pair(row, &instrument, error));
    OI_TRY(oi_reply_positive(row, "contractSize", &instrument.contract_size, error));
    instrument.kind = OI_KIND_PERPETUAL;
    if (symbol.data[0] == 'F' || symbol.data[0] == 'f') {
        instrument.kind = OI_KIND_FUTURE;
        OI_TRY(oi_reply_time_iso(row, "lastTradingTime", &instrument.expiry, error));
    }
    instrument.listed = oi_reply_optional_time_iso(row, "openingDate");
    instrument.is_delisted = oi_json_kind(oi_json_member(row, "tradeable")) == OI_JSON_FALSE;
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_instrument
    };

    OI_TRY(open_list(reply, "instruments", &json, &list, error));
    oi_reply_walk(&walk, list);
    return OI_OK;
}

static enum oi_status
read_ticker(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice symbol = oi_reply_text(row, "symbol");
    const char *product = product_of(symbol);

    if (is_index(symbol))
        return oi_fail(error, OI_E_NOT_FOUND, "an index");
    if (!product)
        return oi_fail(error, OI_E_INVALID, "symbol: its prefix is not known");
    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = walk->reply_time;
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, "last");
    return oi_harvest_add_of(walk->harvest, product, symbol, &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_ticker
    };

    OI_TRY(open_list(reply, "tickers", &json, &list, error));
    walk.reply_time = oi_reply_optional_time_iso(oi_json_root(json), "serverTime");
    oi_reply_walk(&walk, list);
    return OI_OK;
}

/* A point: ["open", "high", "low", "close"] beside its time in another list. */
static enum oi_status
read_point(const struct oi_task *task, const struct oi_json_node *time,
           const struct oi_json_node *bar, struct oi_harvest *harvest, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    int64_t s;

    if (!oi_reply_digits(oi_reply_value(time), &s) ||
        __builtin_mul_overflow(s, OI_SECOND, &reading.time))
        return oi_fail(error, OI_E_INVALID, "timestamp: no integer");
    /* The last bar is still filling. */
    if (task->now > 0 && reading.time > task->now - window.period_ns)
        return OI_OK;
    reading.exchange_time = reading.time;
    if (oi_json_count(bar) != 4)
        return oi_fail(error, OI_E_INVALID, "data: no bar");
    OI_TRY(oi_decimal_parse(oi_reply_value(oi_json_item(bar, 3)), &reading.open_interest, error));
    if (oi_decimal_sign(&reading.open_interest) < 0)
        return oi_fail(error, OI_E_INVALID, "data: below zero");
    return oi_harvest_add_of(harvest, product_of(oi_slice_of(task->symbol)),
                             oi_slice_of(task->symbol), &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result, *times, *bars;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "result", OI_JSON_OBJECT, &result, error));
    OI_TRY(oi_reply_member(result, "timestamp", OI_JSON_ARRAY, &times, error));
    OI_TRY(oi_reply_member(result, "data", OI_JSON_ARRAY, &bars, error));
    if (oi_json_count(times) != oi_json_count(bars))
        return oi_fail(error, OI_E_UPSTREAM, "times and bars are not of one length");
    if (oi_json_kind(oi_json_member(result, "more")) == OI_JSON_TRUE)
        return oi_fail(error, OI_E_UPSTREAM, "a span was answered in part");
    if (!product_of(oi_slice_of(task->symbol)))
        return oi_fail(error, OI_E_INVALID, "symbol: its prefix is not known");
    for (const struct oi_json_node *time = oi_json_first(times), *bar = oi_json_first(bars);
         time && bar; time = oi_json_next(time), bar = oi_json_next(bar)) {
        struct oi_error reason = {};

        if (read_point(task, time, bar, harvest, &reason) != OI_OK)
            oi_harvest_skip(harvest, oi_slice_of(task->symbol), reason.message);
    }
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

/* {"result": "error", "error": "..."} comes with status 200. */
static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice fault;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    if (!json || !oi_slice_is(oi_reply_text(oi_json_root(json), "result"), "error") ||
        (ret_verdict->status != OI_OK && ret_verdict->status != OI_E_UPSTREAM))
        return;
    fault = oi_reply_text(oi_json_root(json), "error");
    if (oi_slice_is(fault, "apiLimitExceeded"))
        oi_reply_verdict(ret_verdict, OI_E_BUSY, ret_verdict->pause_ms, "apiLimitExceeded");
    else
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "error: %.*s", OI_SLICE_ARGS(fault));
}

static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "event");
    oi_json_add_text(&writer, "subscribe");
    oi_json_add_name(&writer, "feed");
    oi_json_add_text(&writer, "ticker");
    oi_json_add_name(&writer, "product_ids");
    oi_json_begin_array(&writer);
    oi_reply_add_symbols(&writer, task, "", "");
    oi_json_end_array(&writer);
    oi_json_end_object(&writer);
    return OI_OK;
}

static enum oi_status
read_told(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice symbol = oi_reply_text(row, "product_id");
    const char *product = product_of(symbol);

    if (!product)
        return oi_fail(error, OI_E_INVALID, "product_id: its prefix is not known");
    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "time");
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "index");
    reading.last_price = oi_reply_price(row, "last");
    return oi_harvest_add_of(walk->harvest, product, symbol, &reading, error);
}

/* {"event": "subscribed"}, "info", "pong"; "alert" is a limit, "error" anything else. */
static enum oi_status
read_response(const struct oi_json_node *root, struct oi_stream_event *event,
              struct oi_error *error)
{
    struct oi_slice word = oi_reply_text(root, "event");
    struct oi_slice text = oi_reply_text(root, "message");

    event->is_acknowledgement = oi_slice_is(word, "subscribed");
    if (oi_slice_is(word, "alert"))
        return oi_fail(error, OI_E_BUSY, "%.*s", OI_SLICE_ARGS(text));
    if (oi_slice_is(word, "error"))
        return oi_fail(
            error, oi_slice_starts_with(text, "Invalid product") ? OI_E_NOT_FOUND : OI_E_UPSTREAM,
            "%.*s", OI_SLICE_ARGS(text));
    return OI_OK;
}

static enum oi_status
read_stream(const struct oi_exchange_stream *, struct oi_slice message, struct oi_harvest *harvest,
            struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_task task = { .kind = OI_TASK_STREAM };
    const struct oi_reply_walk walk = {
        .task = &task, .harvest = harvest, .symbol_name = "product_id", .read_row = read_told
    };
    struct oi_slice feed;

    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    if (oi_json_member(oi_json_root(json), "event"))
        return read_response(oi_json_root(json), event, error);
    feed = oi_reply_text(oi_json_root(json), "feed");
    if (feed.size == 0)
        return oi_fail(error, OI_E_UPSTREAM, "neither data nor a response");
    if (oi_slice_is(feed, "ticker"))
        oi_reply_walk_row(&walk, oi_json_root(json));
    return OI_OK;
}

/* A ping at least each 60 s; no limit of subscriptions is published. */
static const struct oi_exchange_stream streams[] = {
    { .url = "wss://futures.kraken.com/ws/v1",
      .products = products,
      .symbols_max = 500,
      .symbols_per_message = 50,
      .message_gap_ms = 200,
      .connections_max = 5,
      .connect_gap_ms = 1'000,
      .alive_ms = 60'000,
      .ping = "{\"event\":\"ping\"}",
      .ping_ms = 20'000,
      .subscribe = subscribe,
      .read = read_stream },
};

#define TICKERS "https://docs.kraken.com/api/docs/futures-api/trading/get-tickers"
#define ANALYTICS "https://docs.kraken.com/api/docs/futures-api/charts/market-analytics"
#define SIDES "; one side: common usage, the page does not say"
static const struct oi_convention conventions[] = {
    { .product = "inverse",
      .sides = 1,
      .unit = OI_UNIT_USD,
      .label = OI_LABEL_INSTANT,
      .evidence = TICKERS SIDES },
    { .product = "linear",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = TICKERS SIDES },
    { .product = "inverse",
      .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_USD,
      .label = OI_LABEL_START,
      .restates = true,
      .evidence = ANALYTICS SIDES "; the close of a bar that its start names" },
    { .product = "linear",
      .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_START,
      .restates = true,
      .evidence = ANALYTICS SIDES "; the close of a bar that its start names" },
};

static const struct oi_limit limits[] = {
    /* Public requests cost nothing of this budget, and no other is published. */
    { .name = "requests", .weight_max = 500, .window_ms = 10'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT, .weight = 1, .ask = ask_current, .read = read_current },
    { .kind = OI_TASK_HISTORY,
      .product = "inverse",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_HISTORY,
      .product = "linear",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
};

const struct oi_exchange oi_exchange_kraken_futures = {
    .name = NAME,
    .full_name = "Kraken Futures",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .streams = streams,
    .stream_count = OI_COUNT(streams),
    .judge = judge,
};
