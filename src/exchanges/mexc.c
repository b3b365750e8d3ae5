/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MEXC Futures: perpetuals, linear (contracts of so many coins) and inverse (of so many USD). One
 * reply has every ticker; the sizes are in the list of contracts alone, which may be asked for once
 * in five seconds.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "mexc"
#define HOST "https://contract.mexc.com"

/* Bans begin at two minutes. */
#define BAN_MS UINT64_C(120'000)

static const char *const products[] = { "linear", "inverse", NULL };

enum { STATE_COMPLETED = 2, STATE_OFFLINE = 3 };

static enum oi_status
ask_contracts(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/api/v1/contract/detail", error);
}

static enum oi_status
ask_current(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/api/v1/contract/ticker", error);
}

/* BTC_USD settles in the coin, BTC_USDT and BTC_USDC in what they are quoted in. A ticker has its
 * symbol alone, so the list of contracts is held to the same. */
static const char *
product_of(struct oi_slice symbol)
{
    return products[oi_slice_ends_with(symbol, "_USD")];
}

static enum oi_status
read_data(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    int64_t code;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    if (oi_reply_integer(oi_json_root(json), "code", &code, NULL) != OI_OK)
        return oi_fail(error, OI_E_UPSTREAM, "no code in the reply");
    if (code != 0)
        return oi_fail(error, OI_E_UPSTREAM, "code %lld: %.*s", (long long) code,
                       OI_SLICE_ARGS(oi_reply_text(oi_json_root(json), "message")));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &list, error));
    oi_reply_walk(walk, list);
    return OI_OK;
}

static enum oi_status
set_settlement(const struct oi_json_node *row, struct oi_instrument *instrument,
               struct oi_error *error)
{
    struct oi_slice settle = oi_reply_text(row, "settleCoin");
    bool is_inverse = strcmp(instrument->product, "inverse") == 0;

    OI_TRY(oi_instrument_set_base(instrument, oi_reply_text(row, "baseCoin"), false, error));
    OI_TRY(OI_NAME_SET(instrument->quote, oi_reply_text(row, "quoteCoin"), error));
    OI_TRY(OI_NAME_SET(instrument->margin, settle, error));
    instrument->settlement = is_inverse ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    if (!oi_slice_equal(settle, oi_reply_text(row, is_inverse ? "baseCoin" : "quoteCoin")))
        return oi_fail(error, OI_E_INVALID, "settleCoin: %.*s is not expected",
                       OI_SLICE_ARGS(settle));
    return OI_OK;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_decimal factor;
    int64_t state;

    OI_TRY(oi_reply_instrument(row, "symbol", NAME, product_of(oi_reply_text(row, "symbol")),
                               &instrument, error));
    OI_TRY(oi_reply_integer(row, "state", &state, error));
    OI_TRY(set_settlement(row, &instrument, error));
    OI_TRY(oi_reply_positive(row, "contractSize", &instrument.contract_size, error));
    factor = oi_decimal_from(instrument.base_factor, 0);
    if (instrument.settlement == OI_SETTLEMENT_LINEAR)
        OI_TRY(oi_decimal_multiply(&instrument.contract_size, &factor, &instrument.contract_size,
                                   error));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.is_delisted = state == STATE_COMPLETED || state == STATE_OFFLINE;
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
read_ticker(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice symbol = oi_reply_text(row, "symbol");

    OI_TRY(oi_reply_amount(row, "holdVol", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "timestamp");
    reading.mark_price = oi_reply_price(row, "fairPrice");
    reading.index_price = oi_reply_price(row, "indexPrice");
    reading.last_price = oi_reply_price(row, "lastPrice");
    return oi_harvest_add_of(walk->harvest, product_of(symbol), symbol, &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_ticker
    };

    return read_data(&walk, reply, error);
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice message;
    int64_t code;

    oi_reply_judge(head, ret_verdict);
    if (head->status == 418 && ret_verdict->pause_ms == 0)
        ret_verdict->pause_ms = BAN_MS;
    json = oi_reply_open_error(head);
    if (!json || oi_reply_integer(oi_json_root(json), "code", &code, NULL) != OI_OK || code == 0)
        return;
    message = oi_reply_text(oi_json_root(json), "message");
    if (code == 510)
        oi_reply_verdict(ret_verdict, OI_E_BUSY, ret_verdict->pause_ms, "code 510: %.*s",
                         OI_SLICE_ARGS(message));
    else if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "code %lld: %.*s", (long long) code,
                         OI_SLICE_ARGS(message));
}

static const struct oi_convention conventions[] = {
    { .sides = 0,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://mexcdevelop.github.io/apidocs/contract_v1_en holdVol; sides: no page "
                  "says" },
};

enum { LIMIT_REQUESTS, LIMIT_DETAIL };
static const struct oi_limit limits[] = {
    [LIMIT_REQUESTS] = { .name = "requests", .weight_max = 20, .window_ms = 2'000 },
    [LIMIT_DETAIL] = { .name = "contract/detail", .weight_max = 1, .window_ms = 5'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = OI_HOUR,
      .limit = LIMIT_DETAIL,
      .weight = 1,
      .ask = ask_contracts,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .limit = LIMIT_REQUESTS,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
};

const struct oi_exchange oi_exchange_mexc = {
    .name = NAME,
    .full_name = "MEXC Futures",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
