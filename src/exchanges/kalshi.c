/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kalshi's perpetuals on margin, all in one list, and its event markets: contracts that pay a
 * dollar (notional_value_dollars) or nothing, counted once for a YES and its NO, in hundredths.
 * Everything comes by pages of 1000, and there are tens of thousands of markets, so it is asked
 * each ten minutes; combinations of several markets (multivariate ones, of which there are very
 * many) are left out.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#include <inttypes.h>
#include <stdio.h>

#define NAME "kalshi"
#define HOST "https://external-api.kalshi.com"
#define PRODUCT "event"
#define EVERY_NS (10 * OI_MINUTE)

#define PERPETUALS HOST "/trade-api/v2/margin/markets"

enum { LIMIT_EVENTS, LIMIT_PERPETUALS };

static const char *const products[] = { PRODUCT, "perp", NULL };

static bool
is_perpetual(const struct oi_task *task)
{
    return task->product && strcmp(task->product, "perp") == 0;
}

static enum oi_status
ask_perpetuals(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, PERPETUALS, error);
}

static enum oi_status
ask_markets(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/trade-api/v2/markets", error));
    OI_TRY(oi_http_add_query(request, "limit", "1000", error));
    OI_TRY(oi_http_add_query(request, "status", "open", error));
    OI_TRY(oi_http_add_query(request, "mve_filter", "exclude", error));
    return task->page ? oi_http_add_query(request, "cursor", task->page, error) : OI_OK;
}

static const struct oi_history_window window = {
    .width_ns = 5'000 * OI_MINUTE, /* of at most 10000 candles a call */
    .period_ns = OI_MINUTE,
};

static enum oi_status
add_time_s(struct oi_http_request *request, const char *name, oi_time time, struct oi_error *error)
{
    char text[24];

    (void) snprintf(text, sizeof(text), "%" PRId64, time / OI_SECOND);
    return oi_http_add_query(request, name, text, error);
}

/* The part of a ticker before its first dash. */
static struct oi_slice
series_of(struct oi_slice ticker)
{
    const char *dash = ticker.size > 0 ? memchr(ticker.data, '-', ticker.size) : NULL;

    return (struct oi_slice){ ticker.data, dash ? (size_t) (dash - ticker.data) : ticker.size };
}

/* It becomes part of a path. */
static enum oi_status
check_ticker(struct oi_slice ticker, struct oi_error *error)
{
    if (ticker.size >= OI_SYMBOL_SIZE)
        return oi_fail(error, OI_E_INVALID, "a ticker that is too long");
    for (size_t i = 0; i < ticker.size; i++)
        if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.",
                    ticker.data[i], 65))
            return oi_fail(error, OI_E_INVALID, "a ticker that is none");
    return OI_OK;
}

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    char url[sizeof(HOST) + 3 * OI_SYMBOL_SIZE];
    struct oi_slice series;
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(check_ticker(oi_slice_of(task->symbol), error));
    series = series_of(oi_slice_of(task->symbol));
    if (is_perpetual(task))
        (void) snprintf(url, sizeof(url), PERPETUALS "/%s/candlesticks", task->symbol);
    else
        (void) snprintf(url, sizeof(url), HOST "/trade-api/v2/series/%.*s/markets/%s/candlesticks",
                        OI_SLICE_ARGS(series), task->symbol);
    OI_TRY(oi_http_get(request, url, error));
    /* Both ends are inclusive, and a candle is named after its end. */
    OI_TRY(add_time_s(request, "start_ts", span.from, error));
    OI_TRY(add_time_s(request, "end_ts", span.to - 1, error));
    return oi_http_add_query(request, "period_interval", "1", error);
}

/* The coin that the crypto series are about: KXBTC, KXBTCD (hourly) and KXBTC15M are BTC; every
 * other series stands for itself, KXBTCRESERVE among them. */
static struct oi_slice
asset_of(struct oi_slice series)
{
    static const char *const coins[] = { "BTC", "ETH", "SOL", "XRP", "DOGE", "BNB" };
    static const char *const tails[] = { "", "D", "15M" };

    for (size_t coin = 0; coin < OI_COUNT(coins); coin++) {
        for (size_t tail = 0; tail < OI_COUNT(tails); tail++) {
            char name[OI_NAME_SIZE];

            (void) snprintf(name, sizeof(name), "KX%s%s", coins[coin], tails[tail]);
            if (oi_slice_is(series, name))
                return oi_slice_of(coins[coin]);
        }
    }
    return series;
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_slice type = oi_reply_text(row, "market_type");

    OI_TRY(oi_reply_instrument(row, "ticker", NAME, PRODUCT, &instrument, error));
    if (!oi_slice_is(type, "binary"))
        return oi_fail(error, OI_E_INVALID, "market_type: %.*s is not known", OI_SLICE_ARGS(type));
    instrument.kind = OI_KIND_EVENT;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    OI_TRY(
        OI_NAME_SET(instrument.base, asset_of(series_of(oi_slice_of(instrument.symbol))), error));
    OI_TRY(OI_NAME_SET(instrument.quote, OI_SLICE("USD"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, OI_SLICE("USD"), error));
    OI_TRY(oi_reply_positive(row, "notional_value_dollars", &instrument.contract_size, error));
    if (oi_time_parse_utc(oi_reply_text(row, "close_time"), &instrument.expiry, error) != OI_OK)
        return oi_fail_in(error, OI_E_INVALID, "close_time: ");
    if (oi_time_parse_utc(oi_reply_text(row, "open_time"), &instrument.listed, NULL) != OI_OK)
        instrument.listed = OI_TIME_NONE;
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_market(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    /* updated_time tells when the description was edited, and nothing about the figure. */
    OI_TRY(oi_reply_amount(row, "open_interest_fp", &reading.open_interest, error));
    reading.last_price = oi_reply_price(row, "last_price_dollars");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "ticker"), &reading, error);
}

/* "KXBTCPERP" is about BTC, "KXKSHIBPERP" about thousands of SHIB: no member says it. */
static enum oi_status
set_perpetual_base(struct oi_instrument *instrument, struct oi_error *error)
{
    static const char *const thousands[] = { "KSHIB", "KPEPE", "KBONK", "KFLOKI" };
    struct oi_slice name = oi_slice_of(instrument->symbol);
    bool is_in_thousands = false;

    if (!oi_slice_starts_with(name, "KX") || !oi_slice_ends_with(name, "PERP") || name.size <= 6)
        return oi_fail(error, OI_E_INVALID, "ticker: no KX and PERP around a coin");
    name.data += strlen("KX");
    name.size -= strlen("KXPERP");
    for (size_t i = 0; i < OI_COUNT(thousands); i++)
        is_in_thousands |= oi_slice_is(name, thousands[i]);
    if (!is_in_thousands)
        return oi_instrument_set_base(instrument, name, false, error);
    name.data++;
    name.size--;
    instrument->base_factor = 1000;
    return OI_NAME_SET(instrument->base, name, error);
}

static enum oi_status
read_perpetual(const struct oi_reply_walk *walk, const struct oi_json_node *row,
               struct oi_error *error)
{
    struct oi_instrument instrument;
    struct oi_decimal factor;

    OI_TRY(oi_reply_instrument(row, "ticker", NAME, "perp", &instrument, error));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    OI_TRY(set_perpetual_base(&instrument, error));
    OI_TRY(OI_NAME_SET(instrument.quote, OI_SLICE("USD"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, OI_SLICE("USD"), error));
    OI_TRY(oi_reply_positive(row, "contract_size", &instrument.contract_size, error));
    factor = oi_decimal_from(instrument.base_factor, 0);
    OI_TRY(
        oi_decimal_multiply(&instrument.contract_size, &factor, &instrument.contract_size, error));
    instrument.is_delisted = oi_slice_is(oi_reply_text(row, "status"), "closed");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

/* Prices are of a contract and not of a coin, so none is stored: the value in dollars is given. */
static enum oi_status
read_perpetual_figure(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                      struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "open_interest", &reading.open_interest, error));
    reading.value_usd = oi_reply_value_of(row, "open_interest_notional_value_dollars");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "ticker"), &reading, error);
}

static enum oi_status
read_perpetuals(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    const struct oi_reply_walk walk = {
        .task = task,
        .harvest = harvest,
        .symbol_name = "ticker",
        .read_row = task->kind == OI_TASK_INSTRUMENTS ? read_perpetual : read_perpetual_figure,
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "markets", OI_JSON_ARRAY, &list, error));
    oi_reply_walk(&walk, list);
    return OI_OK;
}

/* One page; the last one's cursor is "". */
static enum oi_status
read_page(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_task *task = walk->task;
    const struct oi_json_node *list = NULL;
    struct oi_slice cursor;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "markets", OI_JSON_ARRAY, &list, error));
    oi_reply_walk(walk, list);
    cursor = oi_reply_text(oi_json_root(json), "cursor");
    if (task->page && oi_slice_is(cursor, task->page))
        return oi_fail(error, OI_E_UPSTREAM, "the cursor leads back to its own page");
    walk->harvest->next_page =
        cursor.size > 0 ? oi_arena_copy(&walk->harvest->arena, cursor) : NULL;
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "ticker", .read_row = read_instrument
    };

    return read_page(&walk, reply, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "ticker", .read_row = read_market
    };

    return read_page(&walk, reply, error);
}

static enum oi_status
read_candle(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    bool is_of_perpetual = is_perpetual(walk->task);
    int64_t end;

    OI_TRY(oi_reply_amount(row, is_of_perpetual ? "open_interest" : "open_interest_fp",
                           &reading.open_interest, error));
    OI_TRY(oi_reply_integer(row, "end_period_ts", &end, error));
    if (end <= 0)
        return oi_fail(error, OI_E_INVALID, "end_period_ts: no time");
    OI_TRY(oi_time_from_s(end, &reading.time, error));
    reading.exchange_time = reading.time;
    /* {} when nothing was traded. */
    if (!is_of_perpetual)
        reading.last_price = oi_reply_price(oi_json_member(row, "price"), "close_dollars");
    else
        reading.value_usd = oi_reply_value_of(row, "open_interest_notional_value_dollars");
    return oi_harvest_add(walk->harvest, oi_slice_of(walk->task->symbol), &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *list = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_candle };
    struct oi_slice ticker;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    ticker = oi_reply_text(oi_json_root(json), "ticker");
    if (ticker.size > 0 && !oi_slice_is(ticker, task->symbol))
        return oi_fail(error, OI_E_UPSTREAM, "candles of %.*s", OI_SLICE_ARGS(ticker));
    OI_TRY(oi_reply_member(oi_json_root(json), "candlesticks", OI_JSON_ARRAY, &list, error));
    oi_reply_walk(&walk, list);
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

/* {"error":"too many requests"} or {"error":{"code","message"}}. */
static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *found;
    struct oi_slice text;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    if (!json)
        return;
    found = oi_json_member(oi_json_root(json), "error");
    if (!found)
        return;
    text = oi_json_kind(found) == OI_JSON_OBJECT ? oi_reply_text(found, "message")
                                                 : oi_reply_value(found);
    if (oi_slice_is(text, "too many requests"))
        oi_reply_verdict(ret_verdict, OI_E_BUSY, ret_verdict->pause_ms, "%.*s",
                         OI_SLICE_ARGS(text));
    else if (ret_verdict->status == OI_OK)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "%.*s", OI_SLICE_ARGS(text));
}

#define DOCS "https://docs.kalshi.com/api-reference/market/"
#define ONE_SIDE "; one side: a YES and its NO are one contract"
static const struct oi_convention conventions[] = {
    { .product = PRODUCT,
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = EVERY_NS,
      .evidence = DOCS "get-markets" ONE_SIDE },
    { .product = PRODUCT,
      .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_END,
      .cadence_ns = OI_MINUTE,
      .evidence = DOCS "get-market-candlesticks" ONE_SIDE },
    { .product = "perp",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://docs.kalshi.com/margin-rest/market/get-markets; one side: its page" },
    { .product = "perp",
      .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_END,
      .cadence_ns = OI_MINUTE,
      .evidence =
          "https://docs.kalshi.com/margin-rest/market/get-market-candlesticks; one side: as "
          "the list's" },
};

/* Of calls with a key: 20 requests in a second. What holds without one is not stated, so a quarter
 * of that is asked for. */
static const struct oi_limit limits[] = {
    [LIMIT_EVENTS] = { .name = "requests", .weight_max = 20, .window_ms = 1'000 },
    [LIMIT_PERPETUALS] = { .name = "perpetuals", .weight_max = 20, .window_ms = 1'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = PRODUCT,
      .every_ns = EVERY_NS,
      .weight = 4,
      .ask = ask_markets,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = PRODUCT,
      .every_ns = EVERY_NS,
      .weight = 4,
      .ask = ask_markets,
      .read = read_current },
    { .kind = OI_TASK_HISTORY,
      .product = PRODUCT,
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .weight = 4,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "perp",
      .every_ns = OI_HOUR,
      .limit = LIMIT_PERPETUALS,
      .weight = 4,
      .ask = ask_perpetuals,
      .read = read_perpetuals },
    { .kind = OI_TASK_CURRENT,
      .product = "perp",
      .limit = LIMIT_PERPETUALS,
      .weight = 4,
      .ask = ask_perpetuals,
      .read = read_perpetuals },
    { .kind = OI_TASK_HISTORY,
      .product = "perp",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_PERPETUALS,
      .weight = 4,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
};

const struct oi_exchange oi_exchange_kalshi = {
    .name = NAME,
    .full_name = "Kalshi",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
