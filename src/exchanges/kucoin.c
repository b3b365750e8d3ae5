/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KuCoin Futures: one reply has definitions, figures and prices of every contract, linear and
 * inverse together. Figures are lots; a negative multiplier marks inverse contracts, and isQuanto
 * is true of linear ones, so isInverse alone decides.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "kucoin"
#define CONTRACTS "https://api-futures.kucoin.com/api/v1/contracts/active"
#define HISTORY "https://api.kucoin.com/api/ua/v1/market/open-interest"

static const char *const products[] = { "linear", "inverse", NULL };

static enum oi_status
ask_contracts(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, CONTRACTS, error);
}

/* How many points a page may have is not documented: a hundred are asked for. */
static const struct oi_history_window window = {
    .width_ns = 100 * 5 * OI_MINUTE,
    .period_ns = 5 * OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(oi_http_get(request, HISTORY, error));
    OI_TRY(oi_http_add_query(request, "symbol", task->symbol, error));
    OI_TRY(oi_http_add_query(request, "interval", "5min", error));
    OI_TRY(oi_reply_add_time_ms(request, "startAt", span.from, error));
    return oi_reply_add_time_ms(request, "endAt", span.to - 1, error);
}

/* Walk the rows of a reply whose code says that it is one. */
static enum oi_status
read_data(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    struct oi_slice code;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    code = oi_reply_text(oi_json_root(json), "code");
    if (!oi_slice_is(code, "200000"))
        return oi_fail(error, OI_E_UPSTREAM, "code %.*s: %.*s", OI_SLICE_ARGS(code),
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "msg")));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &list, error));
    oi_reply_walk(walk, list);
    return OI_OK;
}

static enum oi_status
read_product(const struct oi_json_node *row, bool *ret_inverse, struct oi_error *error)
{
    enum oi_json_kind kind = oi_json_kind(oi_json_member(row, "isInverse"));

    if (kind != OI_JSON_TRUE && kind != OI_JSON_FALSE)
        return oi_fail(error, OI_E_INVALID, "isInverse: none given");
    *ret_inverse = kind == OI_JSON_TRUE;
    return OI_OK;
}

static enum oi_status
set_kind(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "type");

    if (oi_slice_is(type, "FFWCSX")) {
        instrument->kind = OI_KIND_PERPETUAL;
        return OI_OK;
    }
    if (!oi_slice_is(type, "FFICSX"))
        return oi_fail(error, OI_E_INVALID, "type: %.*s is not known", OI_SLICE_ARGS(type));
    instrument->kind = OI_KIND_FUTURE;
    return oi_reply_time_ms(row, "expireDate", &instrument->expiry, error);
}

/* Units of the symbol where linear, USD where inverse; the sign is no part of it. */
static enum oi_status
set_size(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);
    struct oi_decimal size;
    bool is_inverse = instrument->settlement == OI_SETTLEMENT_INVERSE;

    OI_TRY(oi_reply_decimal(row, "multiplier", &size, error));
    if (oi_decimal_sign(&size) == 0 || (oi_decimal_sign(&size) < 0) != is_inverse)
        return oi_fail(error, OI_E_INVALID, "multiplier: does not fit isInverse");
    if (is_inverse) {
        struct oi_decimal zero = oi_decimal_from(0, 0);

        return oi_decimal_subtract(&zero, &size, &instrument->contract_size, error);
    }
    return oi_decimal_multiply(&size, &factor, &instrument->contract_size, error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_slice status = oi_reply_text(row, "status");
    struct oi_slice settle;
    bool is_inverse = false;

    OI_TRY(read_product(row, &is_inverse, error));
    OI_TRY(oi_reply_instrument(row, "symbol", NAME, products[is_inverse], &instrument, error));
    OI_TRY(set_kind(row, &instrument, error));
    instrument.settlement = is_inverse ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "baseCurrency"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, oi_reply_text(row, "quoteCurrency"), error));
    settle = oi_reply_text(row, "settleCurrency");
    if (!oi_slice_equal(settle, oi_reply_text(row, is_inverse ? "baseCurrency" : "quoteCurrency")))
        return oi_fail(error, OI_E_INVALID, "settleCurrency: %.*s is not expected",
                       OI_SLICE_ARGS(settle));
    /* XBT is BTC there, too. */
    OI_TRY(
        OI_NAME_SET(instrument.margin, is_inverse ? oi_slice_of(instrument.base) : settle, error));
    OI_TRY(set_size(row, &instrument, error));
    instrument.listed = oi_reply_optional_time_ms(row, "firstOpenDate");
    instrument.is_delisted = oi_slice_is(status, "Settled") || oi_slice_is(status, "Closed");
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

static enum oi_status
read_contract(const struct oi_reply_walk *walk, const struct oi_json_node *row,
              struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    bool is_inverse = false;

    OI_TRY(read_product(row, &is_inverse, error));
    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, "lastTradePrice");
    return oi_harvest_add_of(walk->harvest, products[is_inverse], oi_reply_text(row, "symbol"),
                             &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_contract
    };

    return read_data(&walk, reply, error);
}

static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    OI_TRY(oi_reply_time_ms(row, "ts", &reading.time, error));
    reading.exchange_time = reading.time;
    return oi_harvest_add(walk->harvest, oi_slice_of(walk->task->symbol), &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(read_data(&walk, reply, error));
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice code;
    int64_t limit, left, reset_ms;

    oi_reply_judge(head, ret_verdict);
    if (oi_reply_digits(oi_reply_header(head, "gw-ratelimit-limit"), &limit) &&
        oi_reply_digits(oi_reply_header(head, "gw-ratelimit-remaining"), &left) && left <= limit &&
        limit <= INT32_MAX)
        ret_verdict->weight_used = (unsigned) (limit - left);
    json = oi_reply_open_error(head);
    if (!json)
        return;
    code = oi_reply_text(oi_json_root(json), "code");
    if (code.size == 0 || oi_slice_is(code, "200000"))
        return;
    if (oi_slice_is(code, "429000")) {
        if (!oi_reply_digits(oi_reply_header(head, "gw-ratelimit-reset"), &reset_ms) ||
            reset_ms > OI_HOUR / OI_MILLISECOND)
            reset_ms = 0;
        oi_reply_verdict(ret_verdict, OI_E_BUSY, (uint64_t) reset_ms, "code 429000");
    } else if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM) {
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "code %.*s: %.*s", OI_SLICE_ARGS(code),
                         OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "msg")));
    }
}

#define DOCS "https://www.kucoin.com/docs-new"
#define NO_SIDES "; sides: no page says"
static const struct oi_convention conventions[] = {
    { .sides = 0,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence = DOCS " (futures, all symbols): lots" NO_SIDES },
    { .feed = "history",
      .sides = 0,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = DOCS " (unified, open interest): lots" NO_SIDES },
};

static const struct oi_limit limits[] = {
    { .name = "public", .weight_max = 2'000, .window_ms = 30'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = OI_HOUR,
      .weight = 3,
      .ask = ask_contracts,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT, .weight = 3, .ask = ask_contracts, .read = read_current },
    { .kind = OI_TASK_HISTORY,
      .product = "linear",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 10,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_HISTORY,
      .product = "inverse",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 10,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
};

const struct oi_exchange oi_exchange_kucoin = {
    .name = NAME,
    .full_name = "KuCoin Futures",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
