/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gate v4: perpetuals settled in tether ("usdt") and in bitcoin ("btc"), and dated contracts
 * ("delivery"), each with a path of its own and counted in contracts. No page says how many sides
 * are counted, and no reply with figures has a time.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#include <inttypes.h>
#include <stdio.h>

#define NAME "gate"
#define HOST "https://api.gateio.ws"
/* Of a list of definitions; a page that is full has another behind it. */
#define PAGE_ROWS 1'000

static const char *const products[] = { "usdt", "btc", "delivery", NULL };

static bool
is_product(const struct oi_task *task, const char *product)
{
    return task->product && strcmp(task->product, product) == 0;
}

static const char *
product_of(const struct oi_task *task)
{
    return is_product(task, "btc") ? "btc" : is_product(task, "delivery") ? "delivery" : "usdt";
}

static enum oi_status
ask_list(const struct oi_task *task, const char *list, struct oi_http_request *request,
         struct oi_error *error)
{
    char url[128];

    (void) snprintf(url, sizeof(url), HOST "/api/v4/%s/%s/%s",
                    is_product(task, "delivery") ? "delivery" : "futures",
                    is_product(task, "btc") ? "btc" : "usdt", list);
    return oi_http_get(request, url, error);
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(ask_list(task, "contracts", request, error));
    if (is_product(task, "delivery"))
        return OI_OK; /* a handful, without pages */
    OI_TRY(oi_http_add_query(request, "limit", "1000", error));
    return oi_http_add_query(request, "offset", task->page ? task->page : "0", error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_list(task, "tickers", request, error);
}

/* No page states the largest limit: this is the default. */
static const struct oi_history_window window = {
    .width_ns = 30 * 5 * OI_MINUTE,
    .period_ns = 5 * OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(ask_list(task, "contract_stats", request, error));
    OI_TRY(oi_http_add_query(request, "contract", task->symbol, error));
    OI_TRY(oi_reply_add_time_s(request, "from", span.from, error));
    OI_TRY(oi_http_add_query(request, "interval", "5m", error));
    return oi_http_add_query(request, "limit", "30", error);
}

/* "BTC_USDT" or "BTC_USDT_20220624"; base and quote are nowhere else. */
static enum oi_status
set_pair(struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice rest = oi_slice_of(instrument->symbol);
    struct oi_slice base = {};
    struct oi_slice quote = {};

    if (!oi_slice_next_part(&rest, '_', &base) || !oi_slice_next_part(&rest, '_', &quote))
        return oi_fail(error, OI_E_INVALID, "name: no pair");
    OI_TRY(oi_instrument_set_base(instrument, base, false, error));
    return OI_NAME_SET(instrument->quote, quote, error);
}

/* A direct contract is quanto_multiplier coins, an inverse one a dollar. In bitcoin a direct one
 * is a quanto, whose worth moves with a second price. */
static enum oi_status
set_size(const struct oi_json_node *row, bool in_bitcoin, struct oi_instrument *instrument,
         struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "type");
    struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);

    if (oi_slice_is(type, "inverse")) {
        instrument->settlement = OI_SETTLEMENT_INVERSE;
        instrument->contract_size = oi_decimal_from(1, 0);
        return OI_OK;
    }
    if (!oi_slice_is(type, "direct"))
        return oi_fail(error, OI_E_INVALID, "type: %.*s is not known", OI_SLICE_ARGS(type));
    instrument->settlement = in_bitcoin ? OI_SETTLEMENT_QUANTO : OI_SETTLEMENT_LINEAR;
    if (in_bitcoin)
        return OI_OK;
    OI_TRY(oi_reply_positive(row, "quanto_multiplier", &instrument->contract_size, error));
    return oi_decimal_multiply(&instrument->contract_size, &factor, &instrument->contract_size,
                               error);
}

/* Older replies say only that it is on its way out: then it is gone when nothing is left. */
static bool
is_gone(const struct oi_json_node *row)
{
    struct oi_decimal size = {};

    if (oi_slice_is(oi_reply_text(row, "status"), "delisted"))
        return true;
    return oi_json_kind(oi_json_member(row, "in_delisting")) == OI_JSON_TRUE &&
           oi_reply_decimal(row, "position_size", &size, NULL) == OI_OK &&
           oi_decimal_is_zero(&size);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    const char *product = product_of(walk->task);
    bool in_bitcoin = strcmp(product, "btc") == 0;
    struct oi_instrument instrument;

    OI_TRY(oi_reply_instrument(row, "name", NAME, product, &instrument, error));
    OI_TRY(set_pair(&instrument, error));
    OI_TRY(set_size(row, in_bitcoin, &instrument, error));
    OI_TRY(OI_NAME_SET(instrument.margin, in_bitcoin ? OI_SLICE("BTC") : OI_SLICE("USDT"), error));
    instrument.kind = OI_KIND_PERPETUAL;
    if (strcmp(product, "delivery") == 0) {
        instrument.kind = OI_KIND_FUTURE;
        instrument.expiry = oi_reply_optional_time_s(row, "expire_time");
        if (instrument.expiry == OI_TIME_NONE)
            return oi_fail(error, OI_E_INVALID, "expire_time: no time");
    }
    instrument.listed = oi_reply_optional_time_s(row, "launch_time");
    instrument.is_delisted = is_gone(row);
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "name", .read_row = read_instrument
    };
    int64_t offset = 0;

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error)); /* an error is an object */
    if (task->page && !oi_reply_digits(oi_slice_of(task->page), &offset))
        return oi_fail(error, OI_E_INVALID, "a page that is none of ours");
    oi_reply_walk(&walk, oi_json_root(json));
    if (!is_product(task, "delivery") && oi_json_count(oi_json_root(json)) == PAGE_ROWS &&
        offset < INT64_MAX - PAGE_ROWS)
        harvest->next_page = oi_arena_format(&harvest->arena, "%" PRId64, offset + PAGE_ROWS);
    return OI_OK;
}

static enum oi_status
read_ticker(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "total_size", &reading.open_interest, error));
    reading.mark_price = oi_reply_price(row, "mark_price");
    reading.index_price = oi_reply_price(row, "index_price");
    reading.last_price = oi_reply_price(row, "last");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "contract"), &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "contract", .read_row = read_ticker
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error)); /* an error is an object */
    oi_reply_walk(&walk, oi_json_root(json));
    return OI_OK;
}

static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "open_interest", &reading.open_interest, error));
    reading.time = oi_reply_optional_time_s(row, "time");
    if (reading.time == OI_TIME_NONE)
        return oi_fail(error, OI_E_INVALID, "time: no time");
    /* A reply runs on past the span that was asked for. */
    if (walk->task->span.to > 0 && reading.time >= walk->task->span.to)
        return oi_fail(error, OI_E_NOT_FOUND, "behind the span");
    reading.exchange_time = reading.time;
    reading.value_usd = oi_reply_value_of(row, "open_interest_usd");
    reading.mark_price = oi_reply_price(row, "mark_price");
    return oi_harvest_add(walk->harvest, oi_slice_of(walk->task->symbol), &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error)); /* an error is an object */
    oi_reply_walk(&walk, oi_json_root(json));
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

/* {"label": "TOO_MANY_REQUESTS", "message": "..."} */
static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice label;
    enum oi_status status;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    label = json ? oi_reply_text(oi_json_root(json), "label") : (struct oi_slice){};
    if (label.size == 0)
        return;
    status = ret_verdict->status == OI_OK ? OI_E_UPSTREAM : ret_verdict->status;
    if (oi_slice_is(label, "TOO_MANY_REQUESTS"))
        status = OI_E_BUSY;
    else if (oi_slice_is(label, "CONTRACT_NOT_FOUND"))
        status = OI_E_NOT_FOUND;
    oi_reply_verdict(ret_verdict, status, ret_verdict->pause_ms, "%.*s: %.*s", OI_SLICE_ARGS(label),
                     OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "message")));
}

static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "time");
    oi_json_add_int(&writer, task->now / OI_SECOND);
    oi_json_add_name(&writer, "channel");
    oi_json_add_text(&writer, "futures.tickers");
    oi_json_add_name(&writer, "event");
    oi_json_add_text(&writer, "subscribe");
    oi_json_add_name(&writer, "payload");
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

    OI_TRY(oi_reply_amount(row, "total_size", &reading.open_interest, error));
    reading.exchange_time = walk->reply_time;
    reading.mark_price = oi_reply_price(row, "mark_price");
    reading.index_price = oi_reply_price(row, "index_price");
    reading.last_price = oi_reply_price(row, "last");
    return oi_harvest_add_of(walk->harvest, walk->task->product, oi_reply_text(row, "contract"),
                             &reading, error);
}

/* {"error": {"code": ..., "message": ...}} beside "event": "subscribe"; 2 is an argument that it
 * does not take: a contract that is not there fails its whole message. */
static enum oi_status
read_response(const struct oi_json_node *root, struct oi_stream_event *event,
              struct oi_error *error)
{
    const struct oi_json_node *fault = oi_json_member(root, "error");

    event->is_acknowledgement = oi_slice_is(oi_reply_text(root, "event"), "subscribe");
    if (oi_json_kind(fault) == OI_JSON_NULL)
        return OI_OK;
    event->is_acknowledgement = false;
    return oi_fail(error,
                   oi_slice_is(oi_reply_text(fault, "code"), "2") ? OI_E_NOT_FOUND : OI_E_UPSTREAM,
                   "error %.*s: %.*s", OI_SLICE_ARGS(oi_reply_text(fault, "code")),
                   OI_SLICE_ARGS(oi_reply_text(fault, "message")));
}

/* `result` has been seen as a list, as a list in a list, and as a bare object. */
static void
walk_result(const struct oi_reply_walk *walk, const struct oi_json_node *result)
{
    if (oi_json_kind(result) == OI_JSON_ARRAY &&
        oi_json_kind(oi_json_first(result)) == OI_JSON_ARRAY)
        result = oi_json_first(result);
    if (oi_json_kind(result) == OI_JSON_ARRAY)
        oi_reply_walk(walk, result);
    else
        oi_reply_walk_row(walk, result);
}

static enum oi_status
read_stream(const struct oi_exchange_stream *stream, struct oi_slice message,
            struct oi_harvest *harvest, struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root;
    const struct oi_task task = { .kind = OI_TASK_STREAM, .product = stream->products[0] };
    struct oi_reply_walk walk = {
        .task = &task, .harvest = harvest, .symbol_name = "contract", .read_row = read_told
    };
    struct oi_slice channel, word;

    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    root = oi_json_root(json);
    channel = oi_reply_text(root, "channel");
    word = oi_reply_text(root, "event");
    if (oi_slice_is(channel, "futures.pong"))
        return OI_OK;
    if (!oi_slice_is(channel, "futures.tickers"))
        return oi_fail(error, OI_E_UPSTREAM, "neither data nor a response");
    if (!oi_slice_is(word, "update") && !oi_slice_is(word, "all"))
        return read_response(root, event, error);
    walk.reply_time = oi_reply_optional_time_ms(root, "time_ms");
    if (walk.reply_time == OI_TIME_NONE)
        walk.reply_time = oi_reply_optional_time_s(root, "time");
    walk_result(&walk, oi_json_member(root, "result"));
    return OI_OK;
}

static const char *const usdt[] = { "usdt", NULL };
static const char *const btc[] = { "btc", NULL };
#define STREAM(of_settlement)                                                                      \
    {                                                                                              \
        .url = "wss://fx-ws.gateio.ws/v4/ws/" #of_settlement, .products = (of_settlement),         \
        .symbols_max = 1'000, .symbols_per_message = 100, .message_gap_ms = 200,                   \
        .connections_max = 5, .connect_gap_ms = 1'000, .alive_ms = 60'000,                         \
        .ping = "{\"channel\":\"futures.ping\"}", .ping_ms = 15'000, .subscribe = subscribe,       \
        .read = read_stream                                                                        \
    }
/* Dated contracts have an address of their own that no page read here names: they are polled. */
static const struct oi_exchange_stream streams[] = {
    STREAM(usdt),
    STREAM(btc),
};

#define PAGE "https://www.gate.com/docs/developers/apiv4/"
#define SIDES                                                                                      \
    "; sides: not documented. total_size agrees with contract_stats; BTC_USDT stood at 75,000 "    \
    "BTC "                                                                                         \
    "in June 2022 beside 85,000 at Binance, which smells of both sides, while position_size, "     \
    "called total long, stood near it in 2023, which speaks for one"
static const struct oi_convention conventions[] = {
    { .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE "#list-all-futures-tickers" SIDES },
    { .feed = "history",
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = PAGE "#futures-statistics" SIDES },
};

/* For each endpoint and address. */
enum { LIMIT_TICKERS, LIMIT_CONTRACTS, LIMIT_HISTORY };
static const struct oi_limit limits[] = {
    [LIMIT_TICKERS] = { .name = "tickers", .weight_max = 200, .window_ms = 10'000 },
    [LIMIT_CONTRACTS] = { .name = "contracts", .weight_max = 200, .window_ms = 10'000 },
    [LIMIT_HISTORY] = { .name = "history", .weight_max = 200, .window_ms = 10'000 },
};

#define LISTS(of_product)                                                                          \
    { .kind = OI_TASK_INSTRUMENTS,                                                                 \
      .product = (of_product),                                                                     \
      .every_ns = OI_HOUR,                                                                         \
      .limit = LIMIT_CONTRACTS,                                                                    \
      .weight = 1,                                                                                 \
      .ask = ask_instruments,                                                                      \
      .read = read_instruments },                                                                  \
    {                                                                                              \
        .kind = OI_TASK_CURRENT, .product = (of_product), .limit = LIMIT_TICKERS, .weight = 1,     \
        .ask = ask_current, .read = read_current                                                   \
    }
#define HISTORY(of_product)                                                                        \
    {                                                                                              \
        .kind = OI_TASK_HISTORY, .product = (of_product), .scope = OI_SCOPE_SYMBOL,                \
        .every_ns = OI_HOUR, .limit = LIMIT_HISTORY, .weight = 1, .window = &window,               \
        .ask = ask_history, .read = read_history                                                   \
    }
static const struct oi_endpoint endpoints[] = {
    LISTS("usdt"), HISTORY("usdt"), LISTS("btc"), HISTORY("btc"), LISTS("delivery"),
};

const struct oi_exchange oi_exchange_gate = {
    .name = NAME,
    .full_name = "Gate",
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
