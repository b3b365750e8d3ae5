/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bybit v5: linear (base coins), inverse (USD) and options (base coins). One request a category
 * answers for all markets, of options one a coin.
 * openInterest counts both sides; singleOpenInterest, beside it since 11 June 2026, counts one. We
 * store openInterest, so that the series has one meaning from its start. openInterestValue is in
 * the quote currency where linear and in coins where inverse: only the first is dollars.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "bybit"
#define HOST "https://api.bybit.com"

/* Beyond 600 requests in 5 s an address is shut out for at least 10 minutes. */
#define SHUT_OUT_MS UINT64_C(600'000)

static const char *const products[] = { "linear", "inverse", "option", NULL };
static bool
is_inverse(const struct oi_task *task)
{
    return task->product && strcmp(task->product, "inverse") == 0;
}

static bool
is_option(const struct oi_task *task)
{
    return task->product && strcmp(task->product, "option") == 0;
}

/* Categories are called like products. */
static const char *
category_of(const struct oi_task *task)
{
    return is_option(task) ? "option" : is_inverse(task) ? "inverse" : "linear";
}

static enum oi_status
ask_category(const struct oi_task *task, struct oi_http_request *request, const char *url,
             struct oi_error *error)
{
    OI_TRY(oi_http_get(request, url, error));
    OI_TRY(oi_http_add_query(request, "category", category_of(task), error));
    return task->family ? oi_http_add_query(request, "baseCoin", task->family, error) : OI_OK;
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(ask_category(task, request, HOST "/v5/market/instruments-info", error));
    OI_TRY(oi_http_add_query(request, "limit", "1000", error));
    if (!task->page)
        return OI_OK;
    /* The cursor comes percent-encoded and must not be encoded twice. */
    return oi_http_add_query_encoded(request, "cursor", task->page, error);
}

/* Lists of options know one coin at a time, bitcoin where none is said, and none names the coins:
 * they are those with dated contracts among the linear ones. */
static enum oi_status
ask_families(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    const struct oi_task linear = { .product = "linear", .page = task->page };

    return ask_instruments(&linear, request, error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_category(task, request, HOST "/v5/market/tickers", error);
}

static const struct oi_history_window window = {
    .width_ns = 200 * 5 * OI_MINUTE,
    .period_ns = 5 * OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(ask_category(task, request, HOST "/v5/market/open-interest", error));
    OI_TRY(oi_http_add_query(request, "symbol", task->symbol, error));
    OI_TRY(oi_http_add_query(request, "intervalTime", "5min", error));
    OI_TRY(oi_http_add_query(request, "limit", "200", error));
    OI_TRY(oi_reply_add_time_ms(request, "startTime", span.from, error));
    return oi_reply_add_time_ms(request, "endTime", span.to - 1, error);
}

/* Open the envelope; `ret_result` lives as long as the document. */
static enum oi_status
open_result(const struct oi_task *task, struct oi_slice reply, struct oi_json **ret_json,
            const struct oi_json_node **ret_list, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result;
    const struct oi_json_node *list = NULL;
    struct oi_slice category;
    int64_t code;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    if (oi_reply_integer(oi_json_root(json), "retCode", &code, NULL) != OI_OK)
        return oi_fail(error, OI_E_UPSTREAM, "no retCode in the reply");
    if (code != 0)
        return oi_fail(error, OI_E_UPSTREAM, "retCode %lld: %.*s", (long long) code,
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "retMsg")));
    OI_TRY(oi_reply_member(oi_json_root(json), "result", OI_JSON_OBJECT, &result, error));
    /* The category decides the unit; a sample without it is believed. */
    category = oi_reply_text(result, "category");
    if (category.size > 0 && !oi_slice_is(category, category_of(task)))
        return oi_fail(error, OI_E_UPSTREAM, "an answer about %.*s", OI_SLICE_ARGS(category));
    OI_TRY(oi_reply_member(result, "list", OI_JSON_ARRAY, &list, error));
    *ret_json = json;
    json = NULL;
    *ret_list = list;
    return OI_OK;
}

static enum oi_status
set_kind(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "contractType");
    bool is_linear = oi_slice_starts_with(type, "Linear");

    instrument->settlement = is_linear ? OI_SETTLEMENT_LINEAR : OI_SETTLEMENT_INVERSE;
    if (oi_slice_is(type, "LinearPerpetual") || oi_slice_is(type, "InversePerpetual")) {
        instrument->kind = OI_KIND_PERPETUAL;
        return OI_OK;
    }
    if (!oi_slice_is(type, "LinearFutures") && !oi_slice_is(type, "InverseFutures"))
        return oi_fail(error, OI_E_INVALID, "contractType: %.*s is not known", OI_SLICE_ARGS(type));
    instrument->kind = OI_KIND_FUTURE;
    return oi_reply_time_ms(row, "deliveryTime", &instrument->expiry, error);
}

/* "BTC-27MAR26-70000-P-USDT": the strike is in the symbol alone. One contract is one coin. */
static enum oi_status
read_option(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_slice side = oi_reply_text(row, "optionsType");
    struct oi_slice rest = oi_reply_text(row, "symbol");
    struct oi_slice strike = {};
    struct oi_instrument instrument;

    OI_TRY(oi_reply_instrument(row, "symbol", NAME, "option", &instrument, error));
    instrument.kind = OI_KIND_OPTION;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    if (oi_slice_is(side, "Call"))
        instrument.option_side = OI_OPTION_CALL;
    else if (oi_slice_is(side, "Put"))
        instrument.option_side = OI_OPTION_PUT;
    else
        return oi_fail(error, OI_E_INVALID, "optionsType: %.*s is not known", OI_SLICE_ARGS(side));
    for (int part = 0; part < 3; part++)
        if (!oi_slice_next_part(&rest, '-', &strike))
            return oi_fail(error, OI_E_INVALID, "symbol: no strike in it");
    if (oi_decimal_parse(strike, &instrument.strike, NULL) != OI_OK ||
        oi_decimal_sign(&instrument.strike) <= 0)
        return oi_fail(error, OI_E_INVALID, "symbol: no strike in it");
    OI_TRY(oi_reply_time_ms(row, "deliveryTime", &instrument.expiry, error));
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "baseCoin"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, oi_reply_text(row, "quoteCoin"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, oi_reply_text(row, "settleCoin"), error));
    instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    instrument.listed = oi_reply_optional_time_ms(row, "launchTime");
    instrument.is_delisted = oi_slice_is(oi_reply_text(row, "status"), "Closed");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    bool inverse = is_inverse(walk->task);

    OI_TRY(oi_reply_instrument(row, "symbol", NAME, inverse ? "inverse" : "linear", &instrument,
                               error));
    OI_TRY(set_kind(row, &instrument, error));
    if (inverse != (instrument.settlement == OI_SETTLEMENT_INVERSE))
        return oi_fail(error, OI_E_INVALID, "contractType: of the other category");
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "baseCoin"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, oi_reply_text(row, "quoteCoin"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, oi_reply_text(row, "settleCoin"), error));
    instrument.listed = oi_reply_optional_time_ms(row, "launchTime");
    /* One contract is one unit of the symbol's base, or one dollar. */
    instrument.contract_size = oi_decimal_from(inverse ? 1 : instrument.base_factor, 0);
    instrument.is_delisted = oi_slice_is(oi_reply_text(row, "status"), "Closed");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

typedef enum oi_status row_reader(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                                  struct oi_error *error);

/* A page of instruments. */
static enum oi_status
read_list(const struct oi_task *task, struct oi_slice reply, row_reader *read_row,
          struct oi_harvest *harvest, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    struct oi_slice cursor;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_row
    };

    OI_TRY(open_result(task, reply, &json, &list, error));
    oi_reply_walk(&walk, list);
    cursor = oi_reply_text(oi_json_member(oi_json_root(json), "result"), "nextPageCursor");
    if (task->page && oi_slice_is(cursor, task->page))
        return oi_fail(error, OI_E_UPSTREAM, "the cursor leads back to its own page");
    harvest->next_page = cursor.size > 0 ? oi_arena_copy(&harvest->arena, cursor) : NULL;
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    return read_list(task, reply, is_option(task) ? read_option : read_instrument, harvest, error);
}

static enum oi_status
read_family(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *)
{
    struct oi_slice coin = oi_reply_text(row, "baseCoin");

    if (!oi_slice_is(oi_reply_text(row, "contractType"), "LinearFutures") || coin.size == 0)
        return OI_E_NOT_FOUND;
    oi_harvest_add_family(walk->harvest, coin);
    return OI_OK;
}

static enum oi_status
read_families(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
              struct oi_error *error)
{
    const struct oi_task linear = { .product = "linear", .page = task->page };

    return read_list(&linear, reply, read_family, harvest, error);
}

static enum oi_status
read_ticker(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = walk->reply_time;
    /* Of an option it is the premium, and may be zero. */
    reading.mark_price = is_option(walk->task) ? oi_reply_value_of(row, "markPrice")
                                               : oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, "lastPrice");
    /* Linear is quoted in USDT or USDC alone; both-sided as the figure it belongs to. */
    if (!is_inverse(walk->task) && !is_option(walk->task))
        reading.value_usd = oi_reply_value_of(row, "openInterestValue");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
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

    OI_TRY(open_result(task, reply, &json, &list, error));
    walk.reply_time = oi_reply_optional_time_ms(oi_json_root(json), "time");
    oi_reply_walk(&walk, list);
    return OI_OK;
}

static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    OI_TRY(oi_reply_time_ms(row, "timestamp", &reading.time, error));
    reading.exchange_time = reading.time;
    return oi_harvest_add(walk->harvest, oi_slice_of(walk->task->symbol), &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(open_result(task, reply, &json, &list, error));
    oi_reply_walk(&walk, list);
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

static bool
has_text(struct oi_slice text, const char *part)
{
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* How long until the window that was used up begins anew; 0: not told. */
static uint64_t
reset_ms(const struct oi_reply_head *head)
{
    int64_t ms;
    int64_t now_ms = oi_time_to_ms(head->now);

    if (head->now <= 0 ||
        !oi_reply_digits(oi_reply_header(head, "X-Bapi-Limit-Reset-Timestamp"), &ms) ||
        ms <= now_ms || ms - now_ms > (int64_t) SHUT_OUT_MS)
        return 0;
    return (uint64_t) (ms - now_ms);
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice message;
    int64_t code;

    oi_reply_judge(head, ret_verdict);
    if (head->status == 403) {
        /* Two things share the number: too many requests, and a country that is not served. */
        if (has_text(head->body, "too frequent"))
            oi_reply_verdict(ret_verdict, OI_E_BUSY, SHUT_OUT_MS, "HTTP 403: too frequent");
        else
            ret_verdict->pause_ms = SHUT_OUT_MS;
        return;
    }
    json = oi_reply_open_error(head);
    if (!json || oi_reply_integer(oi_json_root(json), "retCode", &code, NULL) != OI_OK || code == 0)
        return;
    message = oi_reply_text(oi_json_root(json), "retMsg");
    if (code == 10006 || code == 10429)
        oi_reply_verdict(ret_verdict, OI_E_BUSY, reset_ms(head), "retCode %lld: %.*s",
                         (long long) code, OI_SLICE_ARGS(message));
    else if (code == 10001 && has_text(message, "symbol") && has_text(message, "invalid"))
        oi_reply_verdict(ret_verdict, OI_E_NOT_FOUND, 0, "retCode 10001: no such symbol");
    else if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "retCode %lld: %.*s", (long long) code,
                         OI_SLICE_ARGS(message)); /* 10016, their server, among them */
}

static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_reply_begin_args(&writer);
    oi_reply_add_symbols(&writer, task, "tickers.", "");
    oi_reply_end_args(&writer);
    return OI_OK;
}

/* A snapshot has every field, a delta those that changed, options none but snapshots. */
static enum oi_status
read_told(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_optional_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = walk->reply_time;
    reading.mark_price = is_option(walk->task) ? oi_reply_value_of(row, "markPrice")
                                               : oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, "lastPrice");
    if (!is_inverse(walk->task) && !is_option(walk->task))
        reading.value_usd = oi_reply_value_of(row, "openInterestValue");
    return oi_reply_add_told(walk->harvest, walk->task->product, oi_reply_text(row, "symbol"),
                             &reading, error);
}

/* {"success": true, "op": "subscribe"}, of options {"type": "COMMAND_RESP"}; a topic that does not
 * exist fails its whole message. */
static enum oi_status
read_response(const struct oi_json_node *root, struct oi_stream_event *event,
              struct oi_error *error)
{
    struct oi_slice text = oi_reply_text(root, "ret_msg");

    if (oi_slice_is(oi_reply_text(root, "op"), "pong") ||
        oi_slice_is(oi_reply_text(root, "op"), "ping"))
        return OI_OK;
    if (oi_json_kind(oi_json_member(root, "success")) == OI_JSON_FALSE)
        return oi_fail(error, has_text(text, "topic") ? OI_E_NOT_FOUND : OI_E_UPSTREAM, "%.*s",
                       OI_SLICE_ARGS(text));
    if (oi_json_kind(oi_json_member(root, "success")) != OI_JSON_TRUE)
        return oi_fail(error, OI_E_UPSTREAM, "neither data nor a response");
    event->is_acknowledgement = true;
    return OI_OK;
}

static enum oi_status
read_stream(const struct oi_exchange_stream *stream, struct oi_slice message,
            struct oi_harvest *harvest, struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data;
    const struct oi_task task = { .kind = OI_TASK_STREAM, .product = stream->products[0] };
    struct oi_reply_walk walk = {
        .task = &task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_told
    };

    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    if (!oi_slice_starts_with(oi_reply_text(oi_json_root(json), "topic"), "tickers."))
        return read_response(oi_json_root(json), event, error);
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_OBJECT, &data, error));
    walk.reply_time = oi_reply_optional_time_ms(oi_json_root(json), "ts");
    oi_reply_walk_row(&walk, data);
    return OI_OK;
}

static const char *const linear[] = { "linear", NULL };
static const char *const inverse[] = { "inverse", NULL };
static const char *const option[] = { "option", NULL };
/* At most 21,000 characters of topics a connection: 36 at most of each; 500 handshakes in 5
 * minutes. */
#define STREAM(of_product)                                                                         \
    {                                                                                              \
        .url = "wss://stream.bybit.com/v5/public/" #of_product, .products = (of_product),          \
        .symbols_max = 500, .symbols_per_message = 100, .message_gap_ms = 100,                     \
        .connections_max = 30, .connect_gap_ms = 1'000, .alive_ms = 60'000,                        \
        .ping = "{\"op\":\"ping\"}", .ping_ms = 20'000, .subscribe = subscribe,                    \
        .read = read_stream                                                                        \
    }
static const struct oi_exchange_stream streams[] = {
    STREAM(linear),
    STREAM(inverse),
    STREAM(option),
};

#define TICKERS "https://bybit-exchange.github.io/docs/v5/market/tickers"
#define HISTORY "https://bybit-exchange.github.io/docs/v5/market/open-interest"
#define SIDES "; both sides: pull request 807 of the documentation, 11 June 2026"
static const struct oi_convention conventions[] = {
    { .product = "linear",
      .sides = 2,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = TICKERS SIDES },
    { .product = "inverse",
      .sides = 2,
      .unit = OI_UNIT_USD,
      .label = OI_LABEL_INSTANT,
      .evidence = TICKERS SIDES },
    { .product = "option",
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = TICKERS "; sides of options: not documented" },
    { .product = "linear",
      .feed = "history",
      .sides = 2,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = HISTORY SIDES },
    { .product = "inverse",
      .feed = "history",
      .sides = 2,
      .unit = OI_UNIT_USD,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = HISTORY SIDES },
};

static const struct oi_limit limits[] = {
    { .name = "requests", .weight_max = 600, .window_ms = 5'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "linear",
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "linear",
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_HISTORY,
      .product = "linear",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "inverse",
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "inverse",
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_HISTORY,
      .product = "inverse",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_FAMILIES,
      .product = "option",
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_families,
      .read = read_families },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "option",
      .scope = OI_SCOPE_FAMILY,
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "option",
      .scope = OI_SCOPE_FAMILY,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
};

const struct oi_exchange oi_exchange_bybit = {
    .name = NAME,
    .full_name = "Bybit",
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
