/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTX, formerly Huobi: linear swaps and futures, swaps and futures in coins. Contracts everywhere,
 * but by its own pages the figure has both sides of linear contracts and coin futures and one side
 * of coin swaps. Numbers are written with 18 to 36 decimals.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "htx"
#define HOST "https://api.hbdm.com"

enum { LIMIT_LINEAR, LIMIT_COIN, LIMIT_MARKET };

static const char *const products[] = { "linear", "coin_swap", "coin_futures", NULL };

static bool
is_product(const struct oi_task *task, const char *product)
{
    return task->product && strcmp(task->product, product) == 0;
}

static bool
is_linear(const struct oi_task *task)
{
    return !is_product(task, "coin_swap") && !is_product(task, "coin_futures");
}

static const char *
product_of(const struct oi_task *task)
{
    return is_linear(task)                 ? "linear"
           : is_product(task, "coin_swap") ? "coin_swap"
                                           : "coin_futures";
}

/* Without business_type a linear list is of swaps alone, and does not say so. */
static enum oi_status
ask_all(const struct oi_task *task, struct oi_http_request *request, const char *url,
        struct oi_error *error)
{
    OI_TRY(oi_http_get(request, url, error));
    return is_linear(task) ? oi_http_add_query(request, "business_type", "all", error) : OI_OK;
}

static enum oi_status
ask_instruments(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_all(task, request,
                   is_linear(task)                 ? HOST "/linear-swap-api/v1/swap_contract_info"
                   : is_product(task, "coin_swap") ? HOST "/swap-api/v1/swap_contract_info"
                                                   : HOST "/api/v1/contract_contract_info",
                   error);
}

static enum oi_status
ask_current(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return ask_all(task, request,
                   is_linear(task)                 ? HOST "/linear-swap-api/v1/swap_open_interest"
                   : is_product(task, "coin_swap") ? HOST "/swap-api/v1/swap_open_interest"
                                                   : HOST "/api/v1/contract_open_interest",
                   error);
}

static enum oi_status
ask_prices(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request,
                       is_linear(task) ? HOST "/linear-swap-api/v1/swap_index"
                                       : HOST "/swap-api/v1/swap_index",
                       error);
}

/* The newest 200 hours, and nothing tells it otherwise: one page. */
#define HISTORY_NS (200 * OI_HOUR)
static const struct oi_history_window window = {
    .width_ns = HISTORY_NS,
    .keeps_ns = HISTORY_NS,
    .period_ns = OI_HOUR,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    OI_TRY(oi_http_get(request,
                       is_linear(task) ? HOST "/linear-swap-api/v1/swap_his_open_interest"
                                       : HOST "/swap-api/v1/swap_his_open_interest",
                       error));
    OI_TRY(oi_http_add_query(request, "contract_code", task->symbol, error));
    OI_TRY(oi_http_add_query(request, "period", "60min", error));
    OI_TRY(oi_http_add_query(request, "size", "200", error));
    return oi_http_add_query(request, "amount_type", "1", error);
}

/* err_code and err_msg, with dashes on market endpoints. */
static struct oi_slice
fault_of(const struct oi_json_node *root)
{
    struct oi_slice message = oi_reply_text(root, "err_msg");

    return message.size > 0 ? message : oi_reply_text(root, "err-msg");
}

static enum oi_status
open_reply(struct oi_slice reply, struct oi_json **ret_json, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;

    OI_TRY(oi_reply_open(reply, OI_JSON_OBJECT, &json, error));
    if (!oi_slice_is(oi_reply_text(oi_json_root(json), "status"), "ok"))
        return oi_fail(error, OI_E_UPSTREAM, "error: %.*s",
                       OI_SLICE_ARGS(fault_of(oi_json_root(json))));
    *ret_json = json;
    json = NULL;
    return OI_OK;
}

static enum oi_status
read_rows(struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;

    OI_TRY(open_reply(reply, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &data, error));
    walk->reply_time = oi_reply_optional_time_ms(oi_json_root(json), "ts");
    oi_reply_walk(walk, data);
    return OI_OK;
}

/* "20201021" as an instant; none where it is no date. */
static oi_time
date_of(struct oi_slice text)
{
    struct oi_civil civil = {};
    int64_t date;
    oi_time time;

    if (text.size != 8 || !oi_reply_digits(text, &date))
        return OI_TIME_NONE;
    civil.year = (int) (date / 10'000);
    civil.month = (int8_t) (date / 100 % 100);
    civil.day = (int8_t) (date % 100);
    return oi_time_from_civil(&civil, &time, NULL) == OI_OK && time > 0 ? time : OI_TIME_NONE;
}

/* What it is about and what it is quoted in: "BTC-USDT-211210" has both, "BTC220624" is in USD. */
static enum oi_status
set_pair(const struct oi_json_node *row, struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice rest = oi_slice_of(instrument->symbol);
    struct oi_slice quote = {};
    struct oi_slice base = {};

    (void) oi_slice_next_part(&rest, '-', &base);
    if (!rest.data || !oi_slice_next_part(&rest, '-', &quote))
        quote = OI_SLICE("USD");
    OI_TRY(oi_instrument_set_base(instrument, oi_reply_text(row, "symbol"), false, error));
    OI_TRY(OI_NAME_SET(instrument->quote, quote, error));
    if (instrument->settlement == OI_SETTLEMENT_LINEAR)
        return OI_NAME_SET(instrument->margin, quote, error);
    return OI_NAME_SET(instrument->margin, oi_slice_of(instrument->base), error);
}

static enum oi_status
set_kind(const struct oi_json_node *row, const char *product, struct oi_instrument *instrument,
         struct oi_error *error)
{
    static const char *const terms[] = { "this_week", "next_week", "quarter", "next_quarter" };
    struct oi_slice type = oi_reply_text(row, "contract_type");

    instrument->kind = OI_KIND_PERPETUAL;
    if (strcmp(product, "coin_swap") == 0 || oi_slice_is(type, "swap"))
        return OI_OK;
    for (size_t i = 0; i < OI_COUNT(terms); i++) {
        if (!oi_slice_is(type, terms[i]))
            continue;
        instrument->kind = OI_KIND_FUTURE;
        return oi_reply_time_ms(row, "delivery_time", &instrument->expiry, error);
    }
    return oi_fail(error, OI_E_INVALID, "contract_type: %.*s is not known", OI_SLICE_ARGS(type));
}

/* contract_size is coins where linear (one page says USDT, and its own values say coins), else
 * USD. */
static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    const char *product = product_of(walk->task);
    struct oi_slice status = oi_reply_text(row, "contract_status");
    struct oi_instrument instrument;
    struct oi_decimal factor;

    if (oi_slice_is(status, "2"))
        return oi_fail(error, OI_E_NOT_FOUND, "not listed yet");
    OI_TRY(oi_reply_instrument(row, "contract_code", NAME, product, &instrument, error));
    instrument.settlement = is_linear(walk->task) ? OI_SETTLEMENT_LINEAR : OI_SETTLEMENT_INVERSE;
    OI_TRY(set_pair(row, &instrument, error));
    OI_TRY(set_kind(row, product, &instrument, error));
    OI_TRY(oi_reply_positive(row, "contract_size", &instrument.contract_size, error));
    if (is_linear(walk->task)) {
        factor = oi_decimal_from(instrument.base_factor, 0);
        OI_TRY(oi_decimal_multiply(&instrument.contract_size, &factor, &instrument.contract_size,
                                   error));
    }
    instrument.listed = date_of(oi_reply_text(row, "create_date"));
    instrument.is_delisted = oi_slice_is(status, "0") || oi_slice_is(status, "8");
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_figure(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "volume", &reading.open_interest, error));
    reading.exchange_time = walk->reply_time;
    if (is_linear(walk->task)) /* in tether, on both sides like the figure */
        reading.value_usd = oi_reply_value_of(row, "value");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "contract_code"), &reading, error);
}

static enum oi_status
read_price(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.index_price = oi_reply_price(row, "index_price");
    if (oi_decimal_is_none(&reading.index_price))
        return oi_fail(error, OI_E_INVALID, "index_price: none given");
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "contract_code"), &reading, error);
}

static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    const struct oi_task *task = walk->task;
    struct oi_observation reading = OI_OBSERVATION_NONE;
    int64_t type;

    OI_TRY(oi_reply_amount(row, "volume", &reading.open_interest, error));
    if (oi_reply_integer(row, "amount_type", &type, NULL) == OI_OK && type != 1)
        return oi_fail(error, OI_E_INVALID, "amount_type: not contracts");
    OI_TRY(oi_reply_time_ms(row, "ts", &reading.time, error));
    /* Whatever was asked for, the newest points come. */
    if (task->span.to > task->span.from && !oi_span_contains(task->span, reading.time))
        return oi_fail(error, OI_E_NOT_FOUND, "outside the span");
    reading.exchange_time = reading.time;
    if (is_linear(task))
        reading.value_usd = oi_reply_value_of(row, "value");
    return oi_harvest_add(walk->harvest, oi_slice_of(task->symbol), &reading, error);
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    struct oi_reply_walk walk = { .task = task,
                                  .harvest = harvest,
                                  .symbol_name = "contract_code",
                                  .read_row = read_instrument };

    return read_rows(&walk, reply, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "contract_code", .read_row = read_figure
    };

    return read_rows(&walk, reply, error);
}

static enum oi_status
read_prices(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
            struct oi_error *error)
{
    struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "contract_code", .read_row = read_price
    };

    return read_rows(&walk, reply, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *data = NULL;
    const struct oi_json_node *points = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(open_reply(reply, &json, error));
    OI_TRY(oi_reply_member(oi_json_root(json), "data", OI_JSON_OBJECT, &data, error));
    OI_TRY(oi_reply_member(data, "tick", OI_JSON_ARRAY, &points, error));
    oi_reply_walk(&walk, points);
    return OI_OK;
}

/* Errors of business come with status 200. */
static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_slice code;

    oi_reply_judge(head, ret_verdict);
    json = oi_reply_open_error(head);
    if (!json || !oi_slice_is(oi_reply_text(oi_json_root(json), "status"), "error") ||
        (ret_verdict->status != OI_OK && ret_verdict->status != OI_E_UPSTREAM))
        return;
    code = oi_reply_text(oi_json_root(json), "err_code");
    if (code.size == 0)
        code = oi_reply_text(oi_json_root(json), "err-code");
    /* 1014: the contract does not exist. */
    oi_reply_verdict(ret_verdict, oi_slice_is(code, "1014") ? OI_E_NOT_FOUND : OI_E_UPSTREAM, 0,
                     "%.*s: %.*s", OI_SLICE_ARGS(code),
                     OI_SLICE_ARGS(fault_of(oi_json_root(json))));
}

#define DOCS "https://www.htx.com/en-us/opend/newApiPages/?id="
#define DOUBT "; its three pages disagree with each other"
#define FACT(of_product, of_sides, page)                                                           \
    {                                                                                              \
        .product = (of_product), .sides = (of_sides), .unit = OI_UNIT_CONTRACTS,                   \
        .label = OI_LABEL_INSTANT, .evidence = DOCS page                                           \
    }
#define HISTORY_FACT(of_product, of_sides)                                                         \
    {                                                                                              \
        .product = (of_product), .feed = "history", .sides = (of_sides),                           \
        .unit = OI_UNIT_CONTRACTS, .label = OI_LABEL_INSTANT, .cadence_ns = OI_HOUR,               \
        .evidence = DOCS "8cb80166; sides as in the live feed; the label's end is not documented"  \
    }
static const struct oi_convention conventions[] = {
    FACT("linear", 2, "8cb80166; sum of both sides" DOUBT),
    FACT("coin_swap", 1, "5d5173ee; single side" DOUBT),
    FACT("coin_futures", 2, "28c2d4e9; sum of both sides" DOUBT),
    HISTORY_FACT("linear", 2),
    HISTORY_FACT("coin_swap", 1),
};

static const struct oi_limit limits[] = {
    [LIMIT_LINEAR] = { .name = "linear", .weight_max = 240, .window_ms = 3'000 },
    [LIMIT_COIN] = { .name = "coin", .weight_max = 120, .window_ms = 3'000 },
    [LIMIT_MARKET] = { .name = "market", .weight_max = 800, .window_ms = 1'000 },
};

#define ENDPOINT(of_kind, of_product, period_ns, of_limit, verb)                                   \
    {                                                                                              \
        .kind = (of_kind), .product = (of_product), .every_ns = (period_ns), .limit = (of_limit),  \
        .weight = 1, .ask = ask_##verb, .read = read_##verb                                        \
    }
static const struct oi_endpoint endpoints[] = {
    ENDPOINT(OI_TASK_INSTRUMENTS, "linear", OI_HOUR, LIMIT_LINEAR, instruments),
    ENDPOINT(OI_TASK_CURRENT, "linear", 0, LIMIT_LINEAR, current),
    ENDPOINT(OI_TASK_PRICES, "linear", 0, LIMIT_MARKET, prices),
    ENDPOINT(OI_TASK_INSTRUMENTS, "coin_swap", OI_HOUR, LIMIT_COIN, instruments),
    ENDPOINT(OI_TASK_CURRENT, "coin_swap", 0, LIMIT_COIN, current),
    ENDPOINT(OI_TASK_PRICES, "coin_swap", 0, LIMIT_MARKET, prices),
    ENDPOINT(OI_TASK_INSTRUMENTS, "coin_futures", OI_HOUR, LIMIT_COIN, instruments),
    ENDPOINT(OI_TASK_CURRENT, "coin_futures", 0, LIMIT_COIN, current),
    { .kind = OI_TASK_HISTORY,
      .product = "linear",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_LINEAR,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
    { .kind = OI_TASK_HISTORY,
      .product = "coin_swap",
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_COIN,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
};

const struct oi_exchange oi_exchange_htx = {
    .name = NAME,
    .full_name = "HTX",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
