/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binance: USDT-M ("usdm", linear, base coins), COIN-M ("coinm", inverse, contracts) and options
 * ("option", contracts of one coin). Open interest comes one symbol a request, of options one
 * underlying and expiry; prices come in bulk; both futures APIs are on one pool of weight.
 * COIN-M's sumOpenInterestValue reads like dollars and is coins, so it is never stored.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "binance"
#define USDM "https://fapi.binance.com"
#define COINM "https://dapi.binance.com"
#define OPTIONS "https://eapi.binance.com"

/* deliveryDate of a perpetual: 4133404800000, the year 2100. */
#define NEVER_MS INT64_C(4'133'404'800'000)

enum { LIMIT_WEIGHT, LIMIT_HISTORY, LIMIT_OPTIONS };

static const char *const products[] = { "usdm", "coinm", "option", NULL };

static bool
is_coinm(const struct oi_task *task)
{
    return task->product && strcmp(task->product, "coinm") == 0;
}

static enum oi_status
ask_path(const struct oi_task *task, struct oi_http_request *request, const char *usdm,
         const char *coinm, struct oi_error *error)
{
    return oi_http_get(request, is_coinm(task) ? coinm : usdm, error);
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_path(task, request, USDM "/fapi/v1/exchangeInfo", COINM "/dapi/v1/exchangeInfo",
                    error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(ask_path(task, request, USDM "/fapi/v1/openInterest", COINM "/dapi/v1/openInterest",
                    error));
    return oi_http_add_query(request, "symbol", task->symbol, error);
}

static enum oi_status
ask_prices(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_path(task, request, USDM "/fapi/v1/premiumIndex", COINM "/dapi/v1/premiumIndex",
                    error);
}

/* About 30 days are kept; an hour less, so that the clocks need not agree. */
static const struct oi_history_window window = {
    .width_ns = 500 * 5 * OI_MINUTE,
    .keeps_ns = 30 * OI_DAY - OI_HOUR,
    .period_ns = 5 * OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(ask_path(task, request, USDM "/futures/data/openInterestHist",
                    COINM "/futures/data/openInterestHist", error));
    if (is_coinm(task)) {
        /* The dated ones are told apart as current and next quarter alone, and roll. */
        struct oi_slice pair = oi_slice_of(task->symbol);
        char text[OI_SYMBOL_SIZE];

        if (!oi_slice_ends_with(pair, "_PERP"))
            return oi_fail(error, OI_E_NOT_FOUND, "COIN-M keeps a history of perpetuals only");
        pair.size -= strlen("_PERP");
        OI_TRY(OI_NAME_SET(text, pair, error));
        OI_TRY(oi_http_add_query(request, "pair", text, error));
        OI_TRY(oi_http_add_query(request, "contractType", "PERPETUAL", error));
    } else {
        OI_TRY(oi_http_add_query(request, "symbol", task->symbol, error));
    }
    OI_TRY(oi_http_add_query(request, "period", "5m", error));
    OI_TRY(oi_http_add_query(request, "limit", "500", error));
    OI_TRY(oi_reply_add_time_ms(request, "startTime", span.from, error));
    /* endTime is inclusive, our spans are not. */
    return oi_reply_add_time_ms(request, "endTime", span.to - 1, error);
}

/* Kind by contractType: a value that is not listed is none of those we can read. */
static enum oi_status
set_kind(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice type = oi_reply_text(row, "contractType");
    int64_t delivery_ms = 0;

    if (oi_slice_equal(type, (struct oi_slice){})) /* listed, not yet trading */
        return oi_fail(error, OI_E_NOT_FOUND, "no contract type yet");
    if (oi_slice_is(type, "PERPETUAL") || oi_slice_is(type, "TRADIFI_PERPETUAL")) {
        instrument->kind = OI_KIND_PERPETUAL;
        return OI_OK;
    }
    /* "CURRENT_QUARTER DELIVERING" and the like: the same contract in its last minutes. */
    if (!oi_slice_starts_with(type, "CURRENT_") && !oi_slice_starts_with(type, "NEXT_"))
        return oi_fail(error, OI_E_INVALID, "contractType: %.*s is not known", OI_SLICE_ARGS(type));
    instrument->kind = OI_KIND_FUTURE;
    OI_TRY(oi_reply_integer(row, "deliveryDate", &delivery_ms, error));
    if (delivery_ms <= 0 || delivery_ms >= NEVER_MS)
        return oi_fail(error, OI_E_INVALID, "deliveryDate: a future without an end");
    return oi_time_from_ms(delivery_ms, &instrument->expiry, error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    bool coinm = is_coinm(walk->task);
    struct oi_slice status = oi_reply_text(row, coinm ? "contractStatus" : "status");
    struct oi_instrument instrument;

    OI_TRY(oi_reply_instrument(row, "symbol", NAME, coinm ? "coinm" : "usdm", &instrument, error));
    OI_TRY(set_kind(row, &instrument, error));
    OI_TRY(oi_instrument_set_base(&instrument, oi_reply_text(row, "baseAsset"), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, oi_reply_text(row, "quoteAsset"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, oi_reply_text(row, "marginAsset"), error));
    instrument.listed = oi_reply_optional_time_ms(row, "onboardDate");
    if (coinm) {
        instrument.settlement = OI_SETTLEMENT_INVERSE;
        OI_TRY(oi_reply_positive(row, "contractSize", &instrument.contract_size, error));
    } else {
        instrument.settlement = OI_SETTLEMENT_LINEAR;
        instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    }
    /* What no longer answers on openInterest; anything new counts as trading until it says -1121.
     */
    instrument.is_delisted = oi_slice_is(status, "DELIVERED") || oi_slice_is(status, "CLOSE") ||
                             oi_slice_is(status, "SETTLING") || oi_slice_is(status, "DELIVERING");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *symbols;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_instrument
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "symbols", OI_JSON_ARRAY, &symbols, error));
    oi_reply_walk(&walk, symbols);
    return OI_OK;
}

static enum oi_status
read_figure(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    reading.exchange_time = oi_reply_optional_time_ms(row, "time");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *symbol;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_figure
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "symbol", OI_JSON_STRING, &symbol, error));
    if (task->symbol && !oi_slice_is(oi_json_text(symbol), task->symbol))
        return oi_fail(error, OI_E_UPSTREAM, "an answer about %.*s",
                       OI_SLICE_ARGS(oi_json_text(symbol)));
    oi_reply_walk_row(&walk, oi_json_root(json));
    return OI_OK;
}

/* Is the quote of a USDT-M symbol a dollar? "BTCUSDT", "BTCUSDT_260925", not "ETHBTC". */
static bool
is_quoted_in_usd(struct oi_slice symbol)
{
    const char *underscore = memchr(symbol.data, '_', symbol.size);

    if (underscore)
        symbol.size = (size_t) (underscore - symbol.data);
    return oi_slice_ends_with(symbol, "USDT") || oi_slice_ends_with(symbol, "USDC") ||
           oi_slice_ends_with(symbol, "BUSD");
}

static enum oi_status
read_price(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_slice symbol = oi_reply_text(row, "symbol");
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.mark_price = oi_reply_price(row, "markPrice");
    /* In the quote, and ours is in USD. */
    if (is_coinm(walk->task) || (symbol.size > 0 && is_quoted_in_usd(symbol)))
        reading.index_price = oi_reply_price(row, "indexPrice");
    if (oi_decimal_is_none(&reading.mark_price) && oi_decimal_is_none(&reading.index_price))
        return oi_fail(error, OI_E_INVALID, "markPrice: none given");
    return oi_harvest_add(walk->harvest, symbol, &reading, error);
}

static enum oi_status
read_prices(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
            struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *symbol;
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "symbol", .read_row = read_price
    };

    OI_TRY(oi_json_open(reply, &json, error));
    if (oi_json_kind(oi_json_root(json)) == OI_JSON_ARRAY) {
        oi_reply_walk(&walk, oi_json_root(json));
        return OI_OK;
    }
    /* Asked for one symbol it answers with one object; errors are objects without it. */
    OI_TRY(oi_reply_member(oi_json_root(json), "symbol", OI_JSON_STRING, &symbol, error));
    oi_reply_walk_row(&walk, oi_json_root(json));
    return OI_OK;
}

static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_slice symbol = oi_slice_of(walk->task->symbol);
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "sumOpenInterest", &reading.open_interest, error));
    OI_TRY(oi_reply_time_ms(row, "timestamp", &reading.time, error));
    reading.exchange_time = reading.time;
    if (!is_coinm(walk->task) && symbol.size > 0 && is_quoted_in_usd(symbol))
        reading.value_usd = oi_reply_value_of(row, "sumOpenInterestValue");
    return oi_harvest_add(walk->harvest, symbol, &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    oi_reply_walk(&walk, oi_json_root(json));
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

/*
 * Options. A family is an underlying and an expiry as the symbols begin: "ETH-260925".
 */

static enum oi_status
ask_option_information(const struct oi_task *, struct oi_http_request *request,
                       struct oi_error *error)
{
    return oi_http_get(request, OPTIONS "/eapi/v1/exchangeInfo", error);
}

static enum oi_status
ask_option_current(const struct oi_task *task, struct oi_http_request *request,
                   struct oi_error *error)
{
    struct oi_slice expiry = oi_slice_of(task->family);
    struct oi_slice underlying;
    char text[OI_NAME_SIZE];

    if (!oi_slice_next_part(&expiry, '-', &underlying) || expiry.size == 0)
        return oi_fail(error, OI_E_INVALID, "a family that is no underlying and expiry");
    OI_TRY(oi_http_get(request, OPTIONS "/eapi/v1/openInterest", error));
    OI_TRY(OI_NAME_SET(text, underlying, error));
    OI_TRY(oi_http_add_query(request, "underlyingAsset", text, error));
    OI_TRY(OI_NAME_SET(text, expiry, error));
    return oi_http_add_query(request, "expiration", text, error);
}

static enum oi_status
ask_option_prices(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, OPTIONS "/eapi/v1/mark", error);
}

static enum oi_status
read_option_family(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                   struct oi_error *error)
{
    struct oi_slice symbol = oi_reply_text(row, "symbol");
    struct oi_slice rest = symbol;
    struct oi_slice part = {};

    for (int i = 0; i < 2; i++)
        if (!oi_slice_next_part(&rest, '-', &part) || part.size == 0)
            return oi_fail(error, OI_E_INVALID, "symbol: no underlying and expiry in it");
    symbol.size = (size_t) (part.data + part.size - symbol.data);
    oi_harvest_add_family(walk->harvest, symbol);
    return OI_OK;
}

static enum oi_status
read_option(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_slice side = oi_reply_text(row, "side");
    struct oi_slice quote = oi_reply_text(row, "quoteAsset");
    struct oi_slice rest = oi_reply_text(row, "symbol");
    struct oi_slice base;
    struct oi_instrument instrument;

    OI_TRY(oi_reply_instrument(row, "symbol", NAME, "option", &instrument, error));
    instrument.kind = OI_KIND_OPTION;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    if (oi_slice_is(side, "CALL"))
        instrument.option_side = OI_OPTION_CALL;
    else if (oi_slice_is(side, "PUT"))
        instrument.option_side = OI_OPTION_PUT;
    else
        return oi_fail(error, OI_E_INVALID, "side: %.*s is not known", OI_SLICE_ARGS(side));
    OI_TRY(oi_reply_positive(row, "strikePrice", &instrument.strike, error));
    OI_TRY(oi_reply_time_ms(row, "expiryDate", &instrument.expiry, error));
    if (!oi_slice_next_part(&rest, '-', &base))
        return oi_fail(error, OI_E_INVALID, "symbol: no underlying in it");
    OI_TRY(oi_instrument_set_base(&instrument, base, false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, quote, error));
    OI_TRY(OI_NAME_SET(instrument.margin, quote, error));
    OI_TRY(oi_reply_positive(row, "unit", &instrument.contract_size, error));
    if (instrument.base_factor != 1) {
        struct oi_decimal factor = oi_decimal_from(instrument.base_factor, 0);

        OI_TRY(oi_decimal_multiply(&instrument.contract_size, &factor, &instrument.contract_size,
                                   error));
    }
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

/* Definitions and families are in one list. */
static enum oi_status
read_option_information(const struct oi_task *task, struct oi_slice reply,
                        struct oi_harvest *harvest, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *symbols;
    const struct oi_reply_walk walk = {
        .task = task,
        .harvest = harvest,
        .symbol_name = "symbol",
        .read_row = task->kind == OI_TASK_FAMILIES ? read_option_family : read_option,
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "optionSymbols", OI_JSON_ARRAY, &symbols, error));
    oi_reply_walk(&walk, symbols);
    return OI_OK;
}

/* sumOpenInterestUsd is by the index, not by the premium. */
static enum oi_status
read_option_figure(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                   struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "sumOpenInterest", &reading.open_interest, error));
    reading.value_usd = oi_reply_value_of(row, "sumOpenInterestUsd");
    reading.exchange_time = oi_reply_optional_time_ms(row, "timestamp");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
}

/* The premium, which may be zero. */
static enum oi_status
read_option_price(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                  struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.mark_price = oi_reply_value_of(row, "markPrice");
    if (oi_decimal_is_none(&reading.mark_price))
        return oi_fail(error, OI_E_INVALID, "markPrice: none given");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "symbol"), &reading, error);
}

static enum oi_status
read_option_list(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = {
        .task = task,
        .harvest = harvest,
        .symbol_name = "symbol",
        .read_row = task->kind == OI_TASK_PRICES ? read_option_price : read_option_figure,
    };

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    oi_reply_walk(&walk, oi_json_root(json));
    return OI_OK;
}

/* "... banned until 1659146400000. Please use the websocket ..." as a pause from now. */
static uint64_t
ban_ms(const struct oi_reply_head *head, struct oi_slice message)
{
    static const char until[] = "until ";
    const char *found = NULL;
    struct oi_slice digits;
    oi_time end;
    int64_t ms;

    if (message.size > 0)
        found = memmem(message.data, message.size, until, strlen(until));
    if (!found || head->now <= 0)
        return 0;
    digits.data = found + strlen(until);
    digits.size = 0;
    while (digits.data + digits.size < message.data + message.size &&
           digits.data[digits.size] >= '0' && digits.data[digits.size] <= '9')
        digits.size++;
    if (!oi_reply_digits(digits, &ms) || oi_time_from_ms(ms, &end, NULL) != OI_OK)
        return 0;
    /* A ban lasts three days at most: more is a clock that is wrong. */
    if (end <= head->now || end - head->now > 3 * OI_DAY)
        return 0;
    return (uint64_t) oi_time_to_ms(end - head->now) + 1;
}

static void
judge_code(const struct oi_reply_head *head, int64_t code, struct oi_slice message,
           struct oi_verdict *verdict)
{
    uint64_t pause_ms = ban_ms(head, message);

    if (pause_ms < verdict->pause_ms)
        pause_ms = verdict->pause_ms;
    if (code == -1003)
        oi_reply_verdict(verdict, OI_E_BUSY, pause_ms, "code -1003: too many requests");
    else if (code == -1121 || code == -4140 || code == -4141)
        oi_reply_verdict(verdict, OI_E_NOT_FOUND, 0, "code %lld: no such symbol", (long long) code);
    else if (verdict->status == OI_OK || verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(verdict, OI_E_UPSTREAM, 0, "code %lld: %.*s", (long long) code,
                         OI_SLICE_ARGS(message));
}

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root;
    int64_t code;
    int64_t used;

    oi_reply_judge(head, ret_verdict);
    if (oi_reply_digits(oi_reply_header(head, "X-MBX-USED-WEIGHT-1M"), &used))
        ret_verdict->weight_used = used > UINT32_MAX ? UINT32_MAX : (unsigned) used;
    json = oi_reply_open_error(head);
    root = json ? oi_json_root(json) : NULL;
    if (root && oi_reply_integer(root, "code", &code, NULL) == OI_OK && code < 0)
        judge_code(head, code, oi_reply_text(root, "msg"), ret_verdict);
}

#define PAGE "https://developers.binance.com/docs/derivatives/"
static const struct oi_convention conventions[] = {
    { .product = "usdm",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE "usds-margined-futures/market-data/rest-api/Open-Interest; sides: an answer "
                       "of Binance's support quoted in 2025" },
    { .product = "coinm",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence =
          PAGE "coin-margined-futures/market-data/rest-api/Open-Interest; sides: as USDT-M" },
    { .product = "option",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE "options-trading/market-data/Open-Interest; sides: as USDT-M" },
    { .product = "usdm",
      .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = PAGE "usds-margined-futures/market-data/rest-api/Open-Interest-Statistics" },
    { .product = "coinm",
      .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = 5 * OI_MINUTE,
      .evidence = PAGE "coin-margined-futures/market-data/rest-api/Open-Interest-Statistics" },
};

static const struct oi_limit limits[] = {
    [LIMIT_WEIGHT] = { .name = "weight", .weight_max = 2400, .window_ms = 60'000 },
    [LIMIT_HISTORY] = { .name = "history", .weight_max = 1000, .window_ms = 300'000 },
    /* A host of its own. Its figures weigh nothing by the page; we count them. */
    [LIMIT_OPTIONS] = { .name = "options", .weight_max = 2400, .window_ms = 60'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "usdm",
      .every_ns = OI_HOUR,
      .limit = LIMIT_WEIGHT,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "usdm",
      .scope = OI_SCOPE_SYMBOL,
      .limit = LIMIT_WEIGHT,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_PRICES,
      .product = "usdm",
      .limit = LIMIT_WEIGHT,
      .weight = 10,
      .ask = ask_prices,
      .read = read_prices },
    { .kind = OI_TASK_HISTORY,
      .product = "usdm",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_HISTORY,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "coinm",
      .every_ns = OI_HOUR,
      .limit = LIMIT_WEIGHT,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = "coinm",
      .scope = OI_SCOPE_SYMBOL,
      .limit = LIMIT_WEIGHT,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_PRICES,
      .product = "coinm",
      .limit = LIMIT_WEIGHT,
      .weight = 10,
      .ask = ask_prices,
      .read = read_prices },
    { .kind = OI_TASK_HISTORY,
      .product = "coinm",
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
      .limit = LIMIT_OPTIONS,
      .weight = 1,
      .ask = ask_option_information,
      .read = read_option_information },
    { .kind = OI_TASK_INSTRUMENTS,
      .product = "option",
      .every_ns = OI_HOUR,
      .limit = LIMIT_OPTIONS,
      .weight = 1,
      .ask = ask_option_information,
      .read = read_option_information },
    { .kind = OI_TASK_CURRENT,
      .product = "option",
      .scope = OI_SCOPE_FAMILY,
      .limit = LIMIT_OPTIONS,
      .weight = 1,
      .ask = ask_option_current,
      .read = read_option_list },
    { .kind = OI_TASK_PRICES,
      .product = "option",
      .limit = LIMIT_OPTIONS,
      .weight = 5,
      .ask = ask_option_prices,
      .read = read_option_list },
};

const struct oi_exchange oi_exchange_binance = {
    .name = NAME,
    .full_name = "Binance",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
