/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dYdX v4, by its public indexer: one reply has every perpetual, as an object keyed by market.
 * Figures are coins, one side; the oracle's price is the price in USD. baseOpenInterest, beside
 * openInterest, is documented nowhere and is not taken.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "dydx"
#define MARKETS "https://indexer.dydx.trade/v4/perpetualMarkets"
#define PRODUCT "perpetual"

static const char *const products[] = { PRODUCT, NULL };

static enum oi_status
ask_markets(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, MARKETS, error);
}

/* "BTC-USD": the quote behind the last dash. A market of a token that is not unique has more of it
 * behind a comma in front: "AAA,raydium,<address>-USD". */
static enum oi_status
set_pair(struct oi_instrument *instrument, struct oi_error *error)
{
    const char *dash = strrchr(instrument->symbol, '-');
    struct oi_slice base = oi_slice_of(instrument->symbol);

    if (!dash)
        return oi_fail(error, OI_E_INVALID, "ticker: no pair");
    base.size = strcspn(instrument->symbol, ",-");
    if (*(base.data + base.size) == '-')
        base.size = (size_t) (dash - base.data);
    OI_TRY(oi_instrument_set_base(instrument, base, false, error));
    return OI_NAME_SET(instrument->quote, oi_slice_of(dash + 1), error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;

    OI_TRY(oi_reply_instrument(row, "ticker", NAME, PRODUCT, &instrument, error));
    OI_TRY(set_pair(&instrument, error));
    OI_TRY(OI_NAME_SET(instrument.margin, OI_SLICE("USDC"), error));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    instrument.is_delisted = oi_slice_is(oi_reply_text(row, "status"), "FINAL_SETTLEMENT");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_market(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.index_price = oi_reply_price(row, "oraclePrice");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "ticker"), &reading, error);
}

static enum oi_status
read_markets(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *markets = NULL;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "markets", OI_JSON_OBJECT, &markets, error));
    oi_reply_walk(walk, markets);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "ticker", .read_row = read_instrument
    };

    return read_markets(&walk, reply, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "ticker", .read_row = read_market
    };

    return read_markets(&walk, reply, error);
}

static const struct oi_convention conventions[] = {
    { .product = PRODUCT,
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://docs.dydx.xyz (indexer, perpetualMarkets): openInterest" },
};

static const struct oi_limit limits[] = {
    { .name = "requests", .weight_max = 100, .window_ms = 10'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = PRODUCT,
      .every_ns = OI_HOUR,
      .weight = 1,
      .ask = ask_markets,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = PRODUCT,
      .weight = 1,
      .ask = ask_markets,
      .read = read_current },
};

const struct oi_exchange oi_exchange_dydx = {
    .name = NAME,
    .full_name = "dYdX",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = oi_reply_judge,
};
