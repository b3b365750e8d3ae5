/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coinbase International: one reply has definitions, figures and quotes of everything. Figures are
 * coins; spot pairs stand among the perpetuals and are left out. The US venue (CDE) is another
 * exchange.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "coinbase_intl"
#define INSTRUMENTS "https://api.international.coinbase.com/api/v1/instruments"
#define PRODUCT "perpetual"

static const char *const products[] = { PRODUCT, NULL };

static enum oi_status
ask_instruments(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, INSTRUMENTS, error);
}

/* NOT_FOUND for spot. */
static enum oi_status
check_type(const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "type");

    if (oi_slice_is(type, "SPOT"))
        return OI_E_NOT_FOUND;
    if (!oi_slice_is(type, "PERP"))
        return oi_fail(error, OI_E_INVALID, "type: %.*s is not known", OI_SLICE_ARGS(type));
    return OI_OK;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_slice quote = oi_reply_text(row, "quote_asset_name");

    OI_TRY(check_type(row, error));
    OI_TRY(oi_reply_instrument(row, "symbol", NAME, PRODUCT, &instrument, error));
    OI_TRY(
        oi_instrument_set_base(&instrument, oi_reply_text(row, "base_asset_name"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, quote, error));
    OI_TRY(OI_NAME_SET(instrument.margin, quote, error));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    instrument.is_delisted = oi_slice_is(oi_reply_text(row, "trading_state"), "DELISTED");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_figure(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    const struct oi_json_node *quote;

    OI_TRY(check_type(row, error));
    OI_TRY(oi_reply_amount(row, "open_interest", &reading.open_interest, error));
    quote = oi_json_member(row, "quote");
    reading.mark_price = oi_reply_price(quote, "mark_price");
    reading.index_price = oi_reply_price(quote, "index_price");
    reading.last_price = oi_reply_price(quote, "trade_price");
    if (oi_time_parse_utc(oi_reply_text(quote, "timestamp"), &reading.exchange_time, NULL) !=
            OI_OK ||
        reading.exchange_time <= 0)
        reading.exchange_time = OI_TIME_NONE;
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
}

static enum oi_status
read_list(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    oi_reply_walk(walk, oi_json_root(json));
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_instrument
    };

    return read_list(&walk, reply, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_figure
    };

    return read_list(&walk, reply, error);
}

static const struct oi_convention conventions[] = {
    { .product = PRODUCT,
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://docs.cdp.coinbase.com (international exchange, instruments): "
                  "open_interest" },
};

/* None is stated; what is asked is one request each minute. */
static const struct oi_limit limits[] = {
    { .name = "requests", .weight_max = 10, .window_ms = 1'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = PRODUCT,
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = PRODUCT,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_current },
};

const struct oi_exchange oi_exchange_coinbase_intl = {
    .name = NAME,
    .full_name = "Coinbase International",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = oi_reply_judge,
};
