/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crypto.com Exchange: one reply has every ticker, with names of one letter (i the instrument, oi
 * the figure, a the last price, t the time). Spot pairs stand among them and are left out. A
 * contract is a coin. Mark prices are asked for one by one.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "cryptocom"
#define HOST "https://api.crypto.com/exchange/v1/public"

static const char *const products[] = { "perpetual", "futures", NULL };

static enum oi_status
ask_instruments(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/get-instruments", error);
}

static enum oi_status
ask_current(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/get-tickers", error);
}

static enum oi_status
ask_marks(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/get-valuations", error));
    OI_TRY(oi_http_add_query(request, "instrument_name", task->symbol, error));
    return oi_http_add_query(request, "valuation_type", "mark_price", error);
}

/* Open the envelope; the result lives as long as the document. */
static enum oi_status
open_result(struct oi_slice reply, struct oi_json **ret_json,
            const struct oi_json_node **ret_result, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    int64_t code;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    if (oi_reply_integer(oi_json_root(json), "code", &code, NULL) == OI_OK && code != 0)
        return oi_fail(error, OI_E_UPSTREAM, "code %lld: %.*s", (long long) code,
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "message")));
    OI_TRY(oi_reply_member(oi_json_root(json), "result", OI_JSON_OBJECT, ret_result, error));
    *ret_json = json;
    json = NULL;
    return OI_OK;
}

static enum oi_status
read_data(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result = NULL;
    const struct oi_json_node *list = NULL;

    OI_TRY(open_result(reply, &json, &result, error));
    OI_TRY(oi_reply_member(result, "data", OI_JSON_ARRAY, &list, error));
    oi_reply_walk(walk, list);
    return OI_OK;
}

/* NOT_FOUND for spot. */
static enum oi_status
set_kind(const struct oi_json_node *row, const char **ret_product, enum oi_kind *ret_kind,
         struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "inst_type");

    if (oi_slice_is(type, "CCY_PAIR"))
        return OI_E_NOT_FOUND;
    if (oi_slice_is(type, "PERPETUAL_SWAP")) {
        *ret_product = "perpetual";
        *ret_kind = OI_KIND_PERPETUAL;
    } else if (oi_slice_is(type, "FUTURE")) {
        *ret_product = "futures";
        *ret_kind = OI_KIND_FUTURE;
    } else {
        return oi_fail(error, OI_E_INVALID, "inst_type: %.*s is not known", OI_SLICE_ARGS(type));
    }
    return OI_OK;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_decimal factor;
    const char *product = NULL;
    enum oi_kind kind = OI_KIND_UNKNOWN;

    OI_TRY(set_kind(row, &product, &kind, error));
    OI_TRY(oi_reply_instrument(row, "symbol", NAME, product, &instrument, error));
    instrument.kind = kind;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    /* Perpetuals carry one, too, which means nothing. */
    if (kind == OI_KIND_FUTURE)
        OI_TRY(oi_reply_time_ms(row, "expiry_timestamp_ms", &instrument.expiry, error));
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "base_ccy"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, oi_reply_text(row, "quote_ccy"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, oi_reply_text(row, "quote_ccy"), error));
    OI_TRY(oi_reply_optional_decimal(row, "contract_size", &instrument.contract_size, error));
    if (oi_decimal_is_none(&instrument.contract_size))
        instrument.contract_size = oi_decimal_from(1, 0);
    if (oi_decimal_sign(&instrument.contract_size) <= 0)
        return oi_fail(error, OI_E_INVALID, "contract_size: not above zero");
    factor = oi_decimal_from(instrument.base_factor, 0);
    OI_TRY(
        oi_decimal_multiply(&instrument.contract_size, &factor, &instrument.contract_size, error));
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_instrument
    };

    return read_data(&walk, reply, error);
}

/* "BTCUSD-PERP", "BTCUSD-261225"; "BTC_USD" is spot: NOT_FOUND. */
static enum oi_status
find_product(struct oi_slice symbol, const char **ret_product, struct oi_error *error)
{
    const char *dash = symbol.size > 0 ? memchr(symbol.data, '-', symbol.size) : NULL;
    size_t tail = dash ? symbol.size - (size_t) (dash + 1 - symbol.data) : 0;
    int64_t date;

    if (!dash && symbol.size > 0 && memchr(symbol.data, '_', symbol.size))
        return OI_E_NOT_FOUND;
    if (oi_slice_ends_with(symbol, "-PERP"))
        *ret_product = "perpetual";
    else if (tail == 6 && oi_reply_digits((struct oi_slice){ dash + 1, tail }, &date))
        *ret_product = "futures";
    else
        return oi_fail(error, OI_E_INVALID, "i: no instrument that is known");
    return OI_OK;
}

static enum oi_status
read_ticker(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice symbol = oi_reply_text(row, "i");
    const char *product = NULL;

    OI_TRY(find_product(symbol, &product, error));
    OI_TRY(oi_reply_amount(row, "oi", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "t");
    reading.last_price = oi_reply_price(row, "a");
    return oi_harvest_add_of(walk->harvest, product, symbol, &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "i", .read_row = read_ticker
    };

    return read_data(&walk, reply, error);
}

/* The newest of the marks; how they are ordered is not documented. */
static enum oi_status
read_marks(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
           struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *result = NULL;
    const struct oi_json_node *list = NULL;
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice symbol;

    OI_TRY(open_result(reply, &json, &result, error));
    OI_TRY(oi_reply_member(result, "data", OI_JSON_ARRAY, &list, error));
    symbol = oi_reply_text(result, "instrument_name");
    if (symbol.size > 0 && !oi_slice_is(symbol, task->symbol))
        return oi_fail(error, OI_E_UPSTREAM, "marks of %.*s", OI_SLICE_ARGS(symbol));
    for (const struct oi_json_node *row = oi_json_first(list); row; row = oi_json_next(row)) {
        oi_time time = oi_reply_optional_time_ms(row, "t");
        struct oi_decimal mark = oi_reply_price(row, "v");

        if (time == OI_TIME_NONE || oi_decimal_is_none(&mark) || time <= reading.exchange_time)
            continue;
        reading.exchange_time = time;
        reading.mark_price = mark;
    }
    if (oi_decimal_is_none(&reading.mark_price))
        return OI_OK;
    /* The row's own stamp is the figure's. */
    reading.exchange_time = OI_TIME_NONE;
    return oi_harvest_add(harvest, oi_slice_of(task->symbol), &reading, error);
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    int64_t code;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    if (!json || oi_reply_integer(oi_json_root(json), "code", &code, NULL) != OI_OK || code == 0)
        return;
    if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "code %lld: %.*s", (long long) code,
                         OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "message")));
}

static const struct oi_convention conventions[] = {
    { .sides = 0,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://exchange-docs.crypto.com/exchange/v1/rest-ws (get-tickers): oi; sides: "
                  "no page says" },
};

/* Each method is counted by itself. */
enum { LIMIT_LISTS, LIMIT_MARKS };
static const struct oi_limit limits[] = {
    [LIMIT_LISTS] = { .name = "lists", .weight_max = 100, .window_ms = 1'000 },
    [LIMIT_MARKS] = { .name = "get-valuations", .weight_max = 100, .window_ms = 1'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT, .weight = 1, .ask = ask_current, .read = read_current },
    { .kind = OI_TASK_PRICES,
      .product = "perpetual",
      .scope = OI_SCOPE_SYMBOL,
      .limit = LIMIT_MARKS,
      .weight = 1,
      .ask = ask_marks,
      .read = read_marks },
    { .kind = OI_TASK_PRICES,
      .product = "futures",
      .scope = OI_SCOPE_SYMBOL,
      .limit = LIMIT_MARKS,
      .weight = 1,
      .ask = ask_marks,
      .read = read_marks },
};

const struct oi_exchange oi_exchange_cryptocom = {
    .name = NAME,
    .full_name = "Crypto.com Exchange",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
