/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BitMEX: perpetuals and dated futures, counted in contracts that are valued in three ways
 * (inverse, quanto, linear), told by each row. One list has both the definitions and the figures.
 * openValue is in minor units of what a contract settles in; with the index of bitcoin from the
 * same list it becomes dollars, which nothing else of a quanto contract could say later.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "bitmex"
#define HOST "https://www.bitmex.com"

static const char *const products[] = { "perpetual", "futures", NULL };

/* A walk with the price of a bitcoin in USD, or none. */
struct walk {
    struct oi_reply_walk base;
    struct oi_decimal bitcoin;
};

static enum oi_status
ask_list(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/api/v1/instrument/active", error);
}

/* The product by the type of the contract; NULL: none of ours. */
static const char *
product_of(struct oi_slice type)
{
    /* On coins, on currencies, on shares. */
    if (oi_slice_is(type, "FFWCSX") || oi_slice_is(type, "FFWCSF") || oi_slice_is(type, "FFSCSX"))
        return "perpetual";
    return oi_slice_is(type, "FFCCSX") ? "futures" : NULL;
}

/* Options, prediction markets, spot pairs and indices are known and left out. */
static bool
is_known(struct oi_slice type)
{
    return oi_slice_is(type, "OCECCS") || oi_slice_is(type, "OPECCS") ||
           oi_slice_is(type, "FFICSX") || oi_slice_is(type, "IFXXXP") ||
           (type.size > 0 && type.data[0] == 'M');
}

static enum oi_status
find_product(const struct oi_json_node *row, const char **ret_product, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "typ");
    const char *product = product_of(type);

    if (!product && is_known(type))
        return oi_fail(error, OI_E_NOT_FOUND, "no contract that is collected");
    if (!product)
        return oi_fail(error, OI_E_INVALID, "typ: %.*s is not known", OI_SLICE_ARGS(type));
    *ret_product = product;
    return OI_OK;
}

static enum oi_status
read_flag(const struct oi_json_node *row, const char *name, bool *ret_flag, struct oi_error *error)
{
    enum oi_json_kind kind = oi_json_kind(oi_json_member(row, name));

    if (kind != OI_JSON_TRUE && kind != OI_JSON_FALSE)
        return oi_fail(error, OI_E_INVALID, "%s: not said", name);
    *ret_flag = kind == OI_JSON_TRUE;
    return OI_OK;
}

static enum oi_status
read_settlement(const struct oi_json_node *row, enum oi_settlement *ret_settlement,
                struct oi_error *error)
{
    bool is_inverse = false;
    bool is_quanto = false;

    OI_TRY(read_flag(row, "isInverse", &is_inverse, error));
    OI_TRY(read_flag(row, "isQuanto", &is_quanto, error));
    *ret_settlement = is_quanto    ? OI_SETTLEMENT_QUANTO
                      : is_inverse ? OI_SETTLEMENT_INVERSE
                                   : OI_SETTLEMENT_LINEAR;
    return OI_OK;
}

/* A currency's minor unit as a power of ten; false for those whose scale no row tells. */
static bool
minor_unit(struct oi_slice currency, struct oi_decimal *ret_unit)
{
    bool is_bitcoin = oi_slice_is(currency, "XBt");

    if (!is_bitcoin && !oi_slice_is(currency, "USDt"))
        return false;
    *ret_unit = oi_decimal_from(1, is_bitcoin ? -8 : -6);
    return true;
}

/* "XBt", "XBT", "USDt" by the names that others use; the rest as it is written. */
static struct oi_slice
asset_of(struct oi_slice currency)
{
    if (oi_slice_equal_ignoring_case(currency, OI_SLICE("XBT")))
        return OI_SLICE("BTC");
    return oi_slice_is(currency, "USDt") ? OI_SLICE("USDT") : currency;
}

/* |multiplier| in minor units is what a contract is worth at a price of one: coins where linear,
 * the quote where inverse. A size that is not in USD (XBTEUR) or not fixed (quanto) stays none. */
static enum oi_status
set_size(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_decimal unit;
    struct oi_decimal size;
    const struct oi_decimal zero = oi_decimal_from(0, 0);
    struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);

    if (instrument->settlement == OI_SETTLEMENT_QUANTO ||
        (instrument->settlement == OI_SETTLEMENT_INVERSE &&
         !oi_slice_is(oi_reply_text(row, "quoteCurrency"), "USD")) ||
        !minor_unit(oi_reply_text(row, "settlCurrency"), &unit))
        return OI_OK;
    OI_TRY(oi_reply_decimal(row, "multiplier", &size, error));
    if (oi_decimal_sign(&size) < 0)
        OI_TRY(oi_decimal_subtract(&zero, &size, &size, error));
    if (oi_decimal_is_zero(&size))
        return oi_fail(error, OI_E_INVALID, "multiplier: zero");
    OI_TRY(oi_decimal_multiply(&size, &unit, &size, error));
    if (instrument->settlement == OI_SETTLEMENT_LINEAR)
        OI_TRY(oi_decimal_multiply(&size, &factor, &size, error));
    instrument->contract_size = size;
    return OI_OK;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_slice state = oi_reply_text(row, "state");
    struct oi_instrument instrument;
    const char *product = NULL;

    OI_TRY(find_product(row, &product, error));
    if (oi_slice_is(state, "Unlisted"))
        return oi_fail(error, OI_E_NOT_FOUND, "not listed yet");
    OI_TRY(oi_reply_instrument(row, "symbol", NAME, product, &instrument, error));
    OI_TRY(read_settlement(row, &instrument.settlement, error));
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "underlying"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, asset_of(oi_reply_text(row, "quoteCurrency")), error));
    OI_TRY(OI_NAME_SET(instrument.margin, asset_of(oi_reply_text(row, "settlCurrency")), error));
    OI_TRY(set_size(row, &instrument, error));
    instrument.kind = OI_KIND_PERPETUAL;
    if (strcmp(product, "futures") == 0) {
        instrument.kind = OI_KIND_FUTURE;
        OI_TRY(oi_reply_time_iso(row, "expiry", &instrument.expiry, error));
    }
    instrument.listed = oi_reply_optional_time_iso(row, "listing");
    instrument.is_delisted = oi_slice_is(state, "Settled") || oi_slice_is(state, "Closed");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static bool
is_in_dollars(struct oi_slice quote)
{
    return oi_slice_is(quote, "USD") || oi_slice_is(quote, "USDT");
}

/* openValue in USD, or none. An inverse contract in USD is itself its value. */
static struct oi_decimal
value_of(const struct walk *walk, const struct oi_json_node *row)
{
    struct oi_slice currency = oi_reply_text(row, "settlCurrency");
    struct oi_decimal value = oi_reply_value_of(row, "openValue");
    struct oi_decimal unit;

    if ((oi_json_kind(oi_json_member(row, "isInverse")) == OI_JSON_TRUE &&
         oi_slice_is(oi_reply_text(row, "quoteCurrency"), "USD")) ||
        oi_decimal_is_none(&value) || !minor_unit(currency, &unit) ||
        oi_decimal_multiply(&value, &unit, &value, NULL) != OI_OK)
        return (struct oi_decimal){};
    if (oi_slice_is(currency, "USDt"))
        return value;
    if (oi_decimal_is_none(&walk->bitcoin) ||
        oi_decimal_multiply(&value, &walk->bitcoin, &value, NULL) != OI_OK)
        return (struct oi_decimal){};
    return value;
}

static enum oi_status
read_figure(const struct oi_reply_walk *base, const struct oi_json_node *row,
            struct oi_error *error)
{
    const struct walk *walk = (const struct walk *) base;
    struct oi_observation reading = OI_OBSERVATION_NONE;
    const char *product = NULL;

    OI_TRY(find_product(row, &product, error));
    if (oi_slice_is(oi_reply_text(row, "state"), "Unlisted"))
        return oi_fail(error, OI_E_NOT_FOUND, "not listed yet");
    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_iso(row, "timestamp");
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.last_price = oi_reply_price(row, "lastPrice");
    if (is_in_dollars(oi_reply_text(row, "quoteCurrency")))
        reading.index_price = oi_reply_price(row, "indicativeSettlePrice");
    reading.value_usd = value_of(walk, row);
    return oi_harvest_add_of(base->harvest, product, oi_reply_text(row, "symbol"), &reading, error);
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_instrument
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    oi_reply_walk(&walk, oi_json_root(json));
    return OI_OK;
}

/* What bitcoin settles at, from any of its contracts in USD. */
static struct oi_decimal
bitcoin_of(const struct oi_json_node *list)
{
    for (const struct oi_json_node *row = oi_json_first(list); row; row = oi_json_next(row)) {
        struct oi_decimal price = oi_reply_price(row, "indicativeSettlePrice");

        if (oi_slice_is(oi_reply_text(row, "underlying"), "XBT") &&
            oi_slice_is(oi_reply_text(row, "quoteCurrency"), "USD") && !oi_decimal_is_none(&price))
            return price;
    }
    return (struct oi_decimal){};
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct walk walk = { .base = { .task = task,
                                   .harvest = harvest,
                                   .symbol_name = "symbol",
                                   .read_row = read_figure } };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    walk.bitcoin = bitcoin_of(oi_json_root(json));
    oi_reply_walk(&walk.base, oi_json_root(json));
    return OI_OK;
}

/* {"error": {"message": ..., "name": ...}}, with a status that says the rest. */
static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *fault;
    enum oi_status status;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    fault = json ? oi_json_member(oi_json_root(json), "error") : NULL;
    if (!fault)
        return;
    status = ret_verdict->status == OI_OK ? OI_E_UPSTREAM : ret_verdict->status;
    oi_reply_verdict(ret_verdict, status, ret_verdict->pause_ms, "%.*s: %.*s",
                     OI_SLICE_ARGS(oi_reply_text(fault, "name")),
                     OI_SLICE_ARGS(oi_reply_text(fault, "message")));
}

/* Everything at once: a row says what it is, and new markets come by themselves. */
static enum oi_status
subscribe(const struct oi_stream_task *, struct oi_buffer *out, struct oi_error *)
{
    oi_buffer_add_text(out, "{\"op\":\"subscribe\",\"args\":[\"instrument\"]}");
    return OI_OK;
}

/* An update has only the columns that changed, and neither type nor currency. */
static enum oi_status
read_told(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice symbol = oi_reply_text(row, "symbol");

    if (oi_json_member(row, "typ"))
        return read_figure(walk, row, error);
    /* ".BXBT" and its kin: indices. */
    if (symbol.size > 0 && symbol.data[0] == '.')
        return oi_fail(error, OI_E_NOT_FOUND, "an index");
    OI_TRY(oi_reply_optional_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_iso(row, "timestamp");
    reading.mark_price = oi_reply_price(row, "markPrice");
    reading.last_price = oi_reply_price(row, "lastPrice");
    return oi_reply_add_told(walk->harvest, NULL, symbol, &reading, error);
}

static enum oi_status
read_stream(const struct oi_exchange_stream *, struct oi_slice message, struct oi_harvest *harvest,
            struct oi_stream_event *event, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root, *data;
    const struct oi_task task = { .kind = OI_TASK_STREAM };
    struct walk walk = { .base = { .task = &task,
                                   .harvest = harvest,
                                   .symbol_name = "symbol",
                                   .read_row = read_told } };
    int64_t status;

    if (oi_slice_is(message, "pong"))
        return OI_OK;
    OI_TRY(oi_reply_open(message, OI_JSON_OBJECT, &json, error));
    root = oi_json_root(json);
    if (oi_json_member(root, "error"))
        return oi_fail(error,
                       oi_reply_integer(root, "status", &status, NULL) == OI_OK && status == 429
                           ? OI_E_BUSY
                           : OI_E_UPSTREAM,
                       "%.*s", OI_SLICE_ARGS(oi_reply_text(root, "error")));
    event->is_acknowledgement = oi_json_kind(oi_json_member(root, "success")) == OI_JSON_TRUE;
    if (event->is_acknowledgement || oi_json_member(root, "info"))
        return OI_OK; /* "info" is the welcome */
    if (!oi_slice_is(oi_reply_text(root, "table"), "instrument"))
        return oi_fail(error, OI_E_UPSTREAM, "neither data nor a response");
    OI_TRY(oi_reply_member(root, "data", OI_JSON_ARRAY, &data, error));
    if (oi_slice_is(oi_reply_text(root, "action"), "delete"))
        return OI_OK; /* the lists tell of the end of a market */
    walk.bitcoin = bitcoin_of(data);
    oi_reply_walk(&walk.base, data);
    return OI_OK;
}

static const struct oi_exchange_stream streams[] = {
    { .url = "wss://ws.bitmex.com/realtime",
      .products = products,
      .is_whole = true,
      .connections_max = 1,
      .connect_gap_ms = 10'000,
      .alive_ms = 30'000,
      .ping = "ping",
      .ping_ms = 5'000,
      .subscribe = subscribe,
      .read = read_stream },
};

static const struct oi_convention conventions[] = {
    { .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://www.bitmex.com/api/explorer/#!/Instrument/Instrument_getActive; one "
                  "side: common usage, the page does not say" },
};

static const struct oi_limit limits[] = {
    /* Without a key; a second layer of 10 a second is never reached by these. */
    { .name = "requests", .weight_max = 30, .window_ms = 60'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_list,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT, .weight = 1, .ask = ask_list, .read = read_current },
};

const struct oi_exchange oi_exchange_bitmex = {
    .name = NAME,
    .full_name = "BitMEX",
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
