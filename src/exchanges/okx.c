/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OKX v5: swaps, dated futures (both linear and inverse) and options, counted in contracts with the
 * exchange's own USD figure beside it (oiUsd, absent in replies of 2022). One request a type
 * answers for all, of options one a family.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "okx"
#define HOST "https://www.okx.com"

enum { LIMIT_INTEREST, LIMIT_MARK, LIMIT_INSTRUMENTS, LIMIT_HISTORY };

static const char *const products[] = { "swap", "futures", "option", NULL };

static bool
is_product(const struct oi_task *task, const char *product)
{
    return task->product && strcmp(task->product, product) == 0;
}

static const char *
product_of(const struct oi_task *task)
{
    return is_product(task, "futures") ? "futures" : is_product(task, "option") ? "option" : "swap";
}

static const char *
type_of(const struct oi_task *task)
{
    return is_product(task, "futures") ? "FUTURES" : is_product(task, "option") ? "OPTION" : "SWAP";
}

static enum oi_status
ask_type(const struct oi_task *task, struct oi_http_request *request, const char *url,
         struct oi_error *error)
{
    OI_TRY(oi_http_get(request, url, error));
    OI_TRY(oi_http_add_query(request, "instType", type_of(task), error));
    return task->family ? oi_http_add_query(request, "instFamily", task->family, error) : OI_OK;
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_type(task, request, HOST "/api/v5/public/instruments", error);
}

/* Of options, which are asked for family by family. */
static enum oi_status
ask_families(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_type(task, request, HOST "/api/v5/public/underlying", error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_type(task, request, HOST "/api/v5/public/open-interest", error);
}

static enum oi_status
ask_prices(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_type(task, request, HOST "/api/v5/public/mark-price", error);
}

/* At most 1440 points are kept; one page less, so that the running bar does not push one out. */
static const struct oi_history_window window = {
    .width_ns = 100 * 5 * OI_MINUTE,
    .keeps_ns = 1340 * 5 * OI_MINUTE,
    .period_ns = 5 * OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(oi_http_get(request, HOST "/api/v5/rubik/stat/contracts/open-interest-history", error));
    OI_TRY(oi_http_add_query(request, "instId", task->symbol, error));
    OI_TRY(oi_http_add_query(request, "period", "5m", error));
    OI_TRY(oi_http_add_query(request, "limit", "100", error));
    /* Both ends are exclusive. */
    OI_TRY(oi_reply_add_time_ms(request, "begin", span.from - OI_MILLISECOND, error));
    return oi_reply_add_time_ms(request, "end", span.to, error);
}

static enum oi_status
open_data(struct oi_slice reply, struct oi_json **ret_json, const struct oi_json_node **ret_data,
          struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;
    struct oi_slice code;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    code = oi_reply_text(oi_json_root(json), "code");
    if (code.size == 0)
        return oi_fail(error, OI_E_UPSTREAM, "no code in the reply");
    if (!oi_slice_is(code, "0"))
        return oi_fail(error, OI_E_UPSTREAM, "code %.*s: %.*s", OI_SLICE_ARGS(code),
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "msg")));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &data, error));
    *ret_json = json;
    json = NULL;
    *ret_data = data;
    return OI_OK;
}

/* baseCcy and quoteCcy are empty for derivatives: the underlying "BTC-USDT" has them. */
static enum oi_status
set_pair(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice underlying = oi_reply_text(row, "uly");
    struct oi_slice base;
    struct oi_slice quote;

    if (!oi_slice_next_part(&underlying, '-', &base) ||
        !oi_slice_next_part(&underlying, '-', &quote) || underlying.data)
        return oi_fail(error, OI_E_INVALID, "uly: no pair");
    OI_TRY(oi_instrument_set_base(instrument, base, false, error));
    return OI_NAME_SET(instrument->quote, quote, error);
}

/* ctVal x ctMult in ctValCcy: coins of the base where linear and of options, dollars where inverse.
 * Anything else leaves the size unknown, and then only contracts are served. */
static enum oi_status
set_size(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice currency = oi_reply_text(row, "ctValCcy");
    struct oi_slice underlying = oi_reply_text(row, "uly");
    struct oi_slice base = {};
    struct oi_decimal value;
    struct oi_decimal multiplier;
    bool in_coins =
        instrument->settlement == OI_SETTLEMENT_LINEAR || instrument->kind == OI_KIND_OPTION;

    (void) oi_slice_next_part(&underlying, '-', &base);
    if (in_coins ? !oi_slice_equal(currency, base) : !oi_slice_is(currency, "USD"))
        return OI_OK;
    OI_TRY(oi_reply_positive(row, "ctVal", &value, error));
    OI_TRY(oi_reply_positive(row, "ctMult", &multiplier, error));
    OI_TRY(oi_decimal_multiply(&value, &multiplier, &value, error));
    if (in_coins) {
        struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);

        OI_TRY(oi_decimal_multiply(&value, &factor, &value, error));
    }
    instrument->contract_size = value;
    return OI_OK;
}

static enum oi_status
set_option(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice side = oi_reply_text(row, "optType");

    if (oi_slice_is(side, "C"))
        instrument->option_side = OI_OPTION_CALL;
    else if (oi_slice_is(side, "P"))
        instrument->option_side = OI_OPTION_PUT;
    else
        return oi_fail(error, OI_E_INVALID, "optType: %.*s is not known", OI_SLICE_ARGS(side));
    return oi_reply_positive(row, "stk", &instrument->strike, error);
}

/* ctType is empty for options, which settle in the coin. */
static enum oi_status
set_kind(const struct oi_task *task, const struct oi_json_node *row,
         struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "ctType");
    bool is_option = is_product(task, "option");

    if (is_option || oi_slice_is(type, "inverse"))
        instrument->settlement = OI_SETTLEMENT_INVERSE;
    else if (oi_slice_is(type, "linear"))
        instrument->settlement = OI_SETTLEMENT_LINEAR;
    else
        return oi_fail(error, OI_E_INVALID, "ctType: %.*s is not known", OI_SLICE_ARGS(type));
    instrument->kind = is_option                     ? OI_KIND_OPTION
                       : is_product(task, "futures") ? OI_KIND_FUTURE
                                                     : OI_KIND_PERPETUAL;
    if (is_option)
        OI_TRY(set_option(row, instrument, error));
    if (instrument->kind != OI_KIND_PERPETUAL)
        return oi_reply_time_ms(row, "expTime", &instrument->expiry, error);
    return OI_OK;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_slice state = oi_reply_text(row, "state");
    struct oi_instrument instrument;

    if (oi_slice_is(state, "test"))
        return oi_fail(error, OI_E_NOT_FOUND, "a test instrument");
    if (!oi_slice_is(oi_reply_text(row, "instType"), type_of(walk->task)))
        return oi_fail(error, OI_E_INVALID, "instType: not the one asked for");
    OI_TRY(oi_reply_instrument(row, "instId", NAME, product_of(walk->task), &instrument, error));
    OI_TRY(set_kind(walk->task, row, &instrument, error));
    OI_TRY(set_pair(row, &instrument, error));
    OI_TRY(OI_NAME_SET(instrument.margin, oi_reply_text(row, "settleCcy"), error));
    OI_TRY(set_size(row, &instrument, error));
    instrument.listed = oi_reply_optional_time_ms(row, "listTime");
    instrument.is_delisted = oi_slice_is(state, "expired");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_figure(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "oi", &reading.open_interest, error));
    reading.value_usd = oi_reply_value_of(row, "oiUsd");
    reading.exchange_time = oi_reply_optional_time_ms(row, "ts");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "instId"), &reading, error);
}

static enum oi_status
read_price(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    /* Of an option it is the premium, and may be zero. */
    reading.mark_price = is_product(walk->task, "option") ? oi_reply_value_of(row, "markPx")
                                                          : oi_reply_price(row, "markPx");
    if (oi_decimal_is_none(&reading.mark_price))
        return oi_fail(error, OI_E_INVALID, "markPx: none given");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "instId"), &reading, error);
}

/* [ts, oi, oiCcy, oiUsd], ts the start of its bar. */
static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice usd = oi_reply_value(oi_json_item(row, 3));
    int64_t ms;

    if (oi_json_kind(row) != OI_JSON_ARRAY || oi_json_count(row) < 2)
        return oi_fail(error, OI_E_INVALID, "a point that is no list");
    if (!oi_reply_digits(oi_reply_value(oi_json_item(row, 0)), &ms))
        return oi_fail(error, OI_E_INVALID, "ts: no integer");
    OI_TRY(oi_time_from_ms(ms, &reading.time, error));
    /* The running bar is in the reply and still moves. */
    if (walk->task->now > 0 && reading.time > walk->task->now - window.period_ns)
        return oi_fail(error, OI_E_NOT_FOUND, "the running bar");
    reading.exchange_time = reading.time;
    OI_TRY(oi_decimal_parse(oi_reply_value(oi_json_item(row, 1)), &reading.open_interest, error));
    if (oi_decimal_sign(&reading.open_interest) < 0)
        return oi_fail(error, OI_E_INVALID, "oi: below zero");
    if (oi_decimal_parse(usd, &reading.value_usd, NULL) != OI_OK ||
        oi_decimal_sign(&reading.value_usd) < 0)
        reading.value_usd = (struct oi_decimal){};
    return oi_harvest_add(walk->harvest, oi_slice_of(walk->task->symbol), &reading, error);
}

static enum oi_status
read_rows(struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;

    OI_TRY(open_data(reply, &json, &data, error));
    oi_reply_walk(walk, data);
    return OI_OK;
}

/* [["BTC-USD", "ETH-USD"]]: a list in the list of rows. */
static enum oi_status
read_families(const struct oi_task *, struct oi_slice reply, struct oi_harvest *harvest,
              struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;

    OI_TRY(open_data(reply, &json, &data, error));
    for (const struct oi_json_node *list = oi_json_first(data); list; list = oi_json_next(list))
        for (const struct oi_json_node *name = oi_json_first(list); name;
             name = oi_json_next(name)) {
            char family[OI_NAME_SIZE];

            if (OI_NAME_SET(family, oi_reply_value(name), NULL) == OI_OK && family[0])
                oi_harvest_add_family(harvest, oi_slice_of(family));
            else
                oi_harvest_skip(harvest, OI_SLICE(""), "an underlying that is no name");
        }
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "instId", .read_row = read_instrument
    };

    return read_rows(&walk, reply, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "instId", .read_row = read_figure
    };

    return read_rows(&walk, reply, error);
}

static enum oi_status
read_prices(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
            struct oi_error *error)
{
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "instId", .read_row = read_price
    };

    return read_rows(&walk, reply, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(read_rows(&walk, reply, error));
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice code;
    struct oi_slice message;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    if (!json)
        return;
    code = oi_reply_text(oi_json_root(json), "code");
    message = oi_reply_text(oi_json_root(json), "msg");
    if (code.size == 0 || oi_slice_is(code, "0"))
        return;
    /* Too many requests; busy; down. */
    if (oi_slice_is(code, "50011") || oi_slice_is(code, "50013") || oi_slice_is(code, "50001"))
        oi_reply_verdict(ret_verdict, OI_E_BUSY, ret_verdict->pause_ms, "code %.*s: %.*s",
                         OI_SLICE_ARGS(code), OI_SLICE_ARGS(message));
    else if (oi_slice_is(code, "51001"))
        oi_reply_verdict(ret_verdict, OI_E_NOT_FOUND, 0, "code 51001: no such instrument");
    else if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "code %.*s: %.*s", OI_SLICE_ARGS(code),
                         OI_SLICE_ARGS(message));
}

static enum oi_status
subscribe(const struct oi_stream_task *task, struct oi_buffer *out, struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_reply_begin_args(&writer);
    for (size_t i = 0; i < task->symbol_count; i++) {
        oi_json_begin_object(&writer);
        oi_json_add_name(&writer, "channel");
        oi_json_add_text(&writer, "open-interest");
        oi_json_add_name(&writer, "instId");
        oi_json_add_text(&writer, task->symbols[i]);
        oi_json_end_object(&writer);
    }
    oi_reply_end_args(&writer);
    return OI_OK;
}

/* {"event": "subscribe"} for each market; 60018 is one that does not exist, 60014 too many. */
static enum oi_status
read_response(const struct oi_json_node *root, struct oi_stream_event *event,
              struct oi_error *error)
{
    struct oi_slice word = oi_reply_text(root, "event");
    struct oi_slice code = oi_reply_text(root, "code");

    event->is_acknowledgement = oi_slice_is(word, "subscribe");
    if (!oi_slice_is(word, "error"))
        return OI_OK; /* channel-conn-count, notice */
    return oi_fail(error,
                   oi_slice_is(code, "60018")                                 ? OI_E_NOT_FOUND
                   : oi_slice_is(code, "60014") || oi_slice_is(code, "50011") ? OI_E_BUSY
                                                                              : OI_E_UPSTREAM,
                   "code %.*s: %.*s", OI_SLICE_ARGS(code),
                   OI_SLICE_ARGS(oi_reply_text(root, "msg")));
}

/* "SWAP" and so on, as the row says it; NULL for what is not collected. */
static const char *
product_by_type(struct oi_slice type)
{
    if (oi_slice_is(type, "SWAP"))
        return "swap";
    if (oi_slice_is(type, "FUTURES"))
        return "futures";
    return oi_slice_is(type, "OPTION") ? "option" : NULL;
}

static enum oi_status
read_told(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    const char *product = product_by_type(oi_reply_text(row, "instType"));

    if (!product)
        return oi_fail(error, OI_E_INVALID, "instType: not one that is collected");
    OI_TRY(oi_reply_amount(row, "oi", &reading.open_interest, error));
    reading.value_usd = oi_reply_value_of(row, "oiUsd");
    reading.exchange_time = oi_reply_optional_time_ms(row, "ts");
    return oi_harvest_add_of(walk->harvest, product, oi_reply_text(row, "instId"), &reading, error);
}

static enum oi_status
read_stream(const struct oi_exchange_stream *, struct oi_slice message, struct oi_harvest *harvest,
            struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data;
    const struct oi_task task = { .kind = OI_TASK_STREAM };
    const struct oi_reply_walk walk = {
        .task = &task, .harvest = harvest, .symbol_name = "instId", .read_row = read_told
    };

    if (oi_slice_is(message, "pong"))
        return OI_OK;
    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    if (oi_json_member(oi_json_root(json), "event"))
        return read_response(oi_json_root(json), event, error);
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &data, error));
    oi_reply_walk(&walk, data);
    return OI_OK;
}

/* A subscribe message of at most 64 KB, 480 an hour and connection; 3 handshakes a second; closed
 * after 30 s of silence. */
static const struct oi_exchange_stream streams[] = {
    { .url = "wss://ws.okx.com:8443/ws/v5/public",
      .products = products,
      .symbols_max = 600,
      .symbols_per_message = 200,
      .message_gap_ms = 500,
      .connections_max = 30,
      .connect_gap_ms = 1'000,
      .alive_ms = 60'000,
      .ping = "ping",
      .ping_ms = 20'000,
      .subscribe = subscribe,
      .read = read_stream },
};

#define PUBLIC "https://www.okx.com/docs-v5/en/#public-data-rest-api-get-open-interest"
#define RUBIK                                                                                      \
    "https://www.okx.com/docs-v5/en/"                                                              \
    "#trading-statistics-rest-api-get-contract-open-interest-history"
#define SIDES "; one side: by comparison with other venues, the page does not say"
static const struct oi_convention conventions[] = {
    { .sides = 1, .unit = OI_UNIT_CONTRACTS, .label = OI_LABEL_INSTANT, .evidence = PUBLIC SIDES },
    { .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_START,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = RUBIK SIDES },
};

/* Each endpoint has its own, for each address and, where it says so, each instrument type. */
static const struct oi_limit limits[] = {
    [LIMIT_INTEREST] = { .name = "open-interest", .weight_max = 20, .window_ms = 2'000 },
    [LIMIT_MARK] = { .name = "mark-price", .weight_max = 10, .window_ms = 2'000 },
    [LIMIT_INSTRUMENTS] = { .name = "instruments", .weight_max = 20, .window_ms = 2'000 },
    /* 10 by the page, 5 as measured by some. */
    [LIMIT_HISTORY] = { .name = "history", .weight_max = 5, .window_ms = 2'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "swap",
      .every_ns = OI_HOUR,
      .limit = LIMIT_INSTRUMENTS,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "swap",
      .limit = LIMIT_INTEREST,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_PRICES,
      .product = "swap",
      .limit = LIMIT_MARK,
      .weight = 1,
      .ask = ask_prices,
      .read = read_prices },
    { .kind = OI_TASK_HISTORY,
      .product = "swap",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_HISTORY,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "futures",
      .every_ns = OI_HOUR,
      .limit = LIMIT_INSTRUMENTS,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "futures",
      .limit = LIMIT_INTEREST,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_PRICES,
      .product = "futures",
      .limit = LIMIT_MARK,
      .weight = 1,
      .ask = ask_prices,
      .read = read_prices },
    { .kind = OI_TASK_HISTORY,
      .product = "futures",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_HISTORY,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_FAMILIES,
      .product = "option",
      .every_ns = OI_HOUR,
      .limit = LIMIT_INSTRUMENTS,
      .weight = 1,
      .ask = ask_families,
      .read = read_families },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "option",
      .scope = OI_SCOPE_FAMILY,
      .every_ns = OI_HOUR,
      .limit = LIMIT_INSTRUMENTS,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "option",
      .scope = OI_SCOPE_FAMILY,
      .limit = LIMIT_INTEREST,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_PRICES,
      .product = "option",
      .scope = OI_SCOPE_FAMILY,
      .limit = LIMIT_MARK,
      .weight = 1,
      .ask = ask_prices,
      .read = read_prices },
};

const struct oi_exchange oi_exchange_okx = {
    .name = NAME,
    .full_name = "OKX",
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
