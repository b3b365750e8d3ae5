/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bitfinex: perpetuals of one coin each, in lists whose places have no names. The bulk reply begins
 * with the key, history does not, so every place there is one lower. We name a market by its pair
 * ("BTCF0:USTF0") as its own list does; the key has a t in front.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#define NAME "bitfinex"
#define HOST "https://api-pub.bitfinex.com"
#define PRODUCT "perpetual"

enum { LIMIT_STATUS, LIMIT_LISTS };

/* Places in a row of the bulk reply. */
enum { KEY = 0, TIME = 1, SPOT = 4, MARK = 15, INTEREST = 18 };

static const char *const products[] = { PRODUCT, NULL };

static enum oi_status
ask_instruments(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    return oi_http_get(request, HOST "/v2/conf/pub:list:pair:futures", error);
}

static enum oi_status
ask_current(const struct oi_task *, struct oi_http_request *request, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, HOST "/v2/status/deriv", error));
    return oi_http_add_query(request, "keys", "ALL", error);
}

/* About a row a minute, of 5000 a request. */
static const struct oi_history_window window = {
    .width_ns = 4'000 * OI_MINUTE,
    .period_ns = OI_MINUTE,
};

static enum oi_status
ask_history(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer url = {};
    struct oi_span span;

    OI_TRY(oi_reply_window(&window, task, &span, error));
    oi_buffer_add_text(&url, HOST "/v2/status/deriv/t");
    oi_http_encode(oi_slice_of(task->symbol), &url);
    oi_buffer_add_text(&url, "/hist");
    oi_buffer_add_char(&url, '\0');
    OI_TRY(oi_http_get(request, url.data, error));
    OI_TRY(oi_reply_add_time_ms(request, "start", span.from, error));
    OI_TRY(oi_reply_add_time_ms(request, "end", span.to - 1, error)); /* included */
    OI_TRY(oi_http_add_query(request, "sort", "1", error));
    return oi_http_add_query(request, "limit", "5000", error);
}

/* A list; ["error", 11010, "ratelimit: error"] is one too. */
static enum oi_status
open_list(struct oi_slice reply, struct oi_json **ret_json, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root;

    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    root = oi_json_root(json);
    if (oi_slice_is(oi_reply_value(oi_json_first(root)), "error"))
        return oi_fail(error, OI_E_UPSTREAM, "error %.*s: %.*s",
                       OI_SLICE_ARGS(oi_reply_value(oi_json_item(root, 1))),
                       OI_SLICE_ARGS(oi_reply_value(oi_json_item(root, 2))));
    *ret_json = json;
    json = NULL;
    return OI_OK;
}

/* "BTCF0" is BTC, "USTF0" tether. */
static struct oi_slice
asset_of(struct oi_slice part)
{
    if (oi_slice_ends_with(part, "F0"))
        part.size -= 2;
    return oi_slice_is(part, "UST") ? OI_SLICE("USDT") : part;
}

static bool
is_test(struct oi_slice pair)
{
    return oi_slice_starts_with(pair, "TEST");
}

/* Each of them is a text: a contract is one coin, and all are perpetual. */
static enum oi_status
read_pair(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_slice pair = oi_reply_value(row);
    struct oi_slice rest = pair;
    struct oi_slice base = {};
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    if (is_test(pair))
        return oi_fail(error, OI_E_NOT_FOUND, "for practice");
    OI_TRY(OI_NAME_SET(instrument.exchange, OI_SLICE(NAME), error));
    OI_TRY(OI_NAME_SET(instrument.product, OI_SLICE(PRODUCT), error));
    OI_TRY(OI_NAME_SET(instrument.symbol, pair, error));
    if (!oi_slice_next_part(&rest, ':', &base) || !rest.data || !oi_slice_ends_with(base, "F0") ||
        !oi_slice_ends_with(rest, "F0"))
        return oi_fail(error, OI_E_INVALID, "%.*s: no pair of futures", OI_SLICE_ARGS(pair));
    OI_TRY(oi_instrument_set_base(&instrument, asset_of(base), false, error));
    OI_TRY(OI_NAME_SET(instrument.quote, asset_of(rest), error));
    OI_TRY(OI_NAME_SET(instrument.margin, asset_of(rest), error));
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    instrument.contract_size = oi_decimal_from(instrument.base_factor, 0);
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_pair };
    const struct oi_json_node *list;

    OI_TRY(open_list(reply, &json, error));
    list = oi_json_first(oi_json_root(json));
    if (oi_json_kind(list) != OI_JSON_ARRAY)
        return oi_fail(error, OI_E_UPSTREAM, "no list of pairs in the reply");
    oi_reply_walk(&walk, list);
    return OI_OK;
}

/* A price at a place, or none. */
static struct oi_decimal
price_at(const struct oi_json_node *row, size_t place)
{
    struct oi_decimal price;

    if (oi_decimal_parse(oi_reply_value(oi_json_item(row, place)), &price, NULL) != OI_OK ||
        oi_decimal_sign(&price) <= 0)
        return (struct oi_decimal){};
    return price;
}

/* What a row tells, its places `shift` lower than in the bulk reply. */
static enum oi_status
read_places(const struct oi_json_node *row, size_t shift, bool in_dollars,
            struct oi_observation *reading, struct oi_error *error)
{
    int64_t ms;

    /* Rows of 2019 end before the open interest. */
    if (oi_json_kind(row) != OI_JSON_ARRAY || oi_json_count(row) <= INTEREST - shift)
        return oi_fail(error, OI_E_INVALID, "a row that ends before the open interest");
    OI_TRY(oi_decimal_parse(oi_reply_value(oi_json_item(row, INTEREST - shift)),
                            &reading->open_interest, error));
    if (oi_decimal_sign(&reading->open_interest) < 0)
        return oi_fail(error, OI_E_INVALID, "open interest: below zero");
    if (oi_reply_digits(oi_reply_value(oi_json_item(row, TIME - shift)), &ms) && ms > 0 &&
        oi_time_from_ms(ms, &reading->exchange_time, NULL) != OI_OK)
        reading->exchange_time = OI_TIME_NONE;
    reading->mark_price = price_at(row, MARK - shift);
    if (in_dollars)
        reading->index_price = price_at(row, SPOT - shift);
    return OI_OK;
}

static enum oi_status
read_status(const struct oi_reply_walk *walk, const struct oi_json_node *row,
            struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_error reason = {};
    struct oi_slice key = oi_json_kind(row) == OI_JSON_ARRAY ? oi_reply_value(oi_json_first(row))
                                                             : (struct oi_slice){};

    if (key.size < 2 || key.data[0] != 't')
        return oi_fail(error, OI_E_INVALID, "key: no market");
    key.data++;
    key.size--;
    if (is_test(key))
        return oi_fail(error, OI_E_NOT_FOUND, "for practice");
    /* The key stands at a place of its own, so the skip is named here. */
    if (read_places(row, 0, oi_slice_ends_with(key, ":USTF0"), &reading, &reason) != OI_OK) {
        oi_harvest_skip(walk->harvest, key, reason.message);
        return oi_fail(error, OI_E_NOT_FOUND, "skipped");
    }
    return oi_harvest_add(walk->harvest, key, &reading, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_status };

    OI_TRY(open_list(reply, &json, error));
    oi_reply_walk(&walk, oi_json_root(json));
    return OI_OK;
}

static enum oi_status
read_point(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_slice pair = oi_slice_of(walk->task->symbol);

    OI_TRY(read_places(row, 1, oi_slice_ends_with(pair, ":USTF0"), &reading, error));
    if (reading.exchange_time == OI_TIME_NONE)
        return oi_fail(error, OI_E_INVALID, "time: none given");
    reading.time = reading.exchange_time;
    return oi_harvest_add(walk->harvest, pair, &reading, error);
}

static enum oi_status
read_history(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_reply_walk walk = { .task = task, .harvest = harvest, .read_row = read_point };

    OI_TRY(open_list(reply, &json, error));
    oi_reply_walk(&walk, oi_json_root(json));
    oi_reply_window_next(&window, task, harvest);
    return OI_OK;
}

/* Beyond the limit: wait for the window of a minute. */
#define SHUT_OUT_MS UINT64_C(60'000)

static void
judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root;
    struct oi_slice code;

    oi_reply_judge(head, ret_verdict);
    if (ret_verdict->status == OI_E_BUSY && ret_verdict->pause_ms == 0)
        ret_verdict->pause_ms = SHUT_OUT_MS;
    /* Errors are short lists. */
    if (head->body.size > 512 || oi_reply_open(head->body, OI_JSON_ARRAY, &json, NULL) != OI_OK)
        return;
    root = oi_json_root(json);
    if (!oi_slice_is(oi_reply_value(oi_json_first(root)), "error"))
        return;
    code = oi_reply_value(oi_json_item(root, 1));
    if (oi_slice_is(code, "11010"))
        oi_reply_verdict(ret_verdict, OI_E_BUSY, SHUT_OUT_MS, "error 11010: rate limit");
    else if (ret_verdict->status == OI_OK || ret_verdict->status == OI_E_UPSTREAM)
        oi_reply_verdict(ret_verdict, OI_E_UPSTREAM, 0, "error %.*s: %.*s", OI_SLICE_ARGS(code),
                         OI_SLICE_ARGS(oi_reply_value(oi_json_item(root, 2))));
}

#define PAGE "https://docs.bitfinex.com/reference/rest-public-derivatives-status"
#define SIDES "; one side: common usage, the page does not say"
static const struct oi_convention conventions[] = {
    { .sides = 1, .unit = OI_UNIT_COINS, .label = OI_LABEL_INSTANT, .evidence = PAGE SIDES },
    { .feed = "history",
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = PAGE "-history" SIDES },
};

static const struct oi_limit limits[] = {
    [LIMIT_STATUS] = { .name = "status", .weight_max = 90, .window_ms = 60'000 },
    /* 10 to 90 by endpoint, and this one's is not stated. */
    [LIMIT_LISTS] = { .name = "lists", .weight_max = 10, .window_ms = 60'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = PRODUCT,
      .every_ns = OI_HOUR,
      .limit = LIMIT_LISTS,
      .weight = 1,
      .ask = ask_instruments,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = PRODUCT,
      .limit = LIMIT_STATUS,
      .weight = 1,
      .ask = ask_current,
      .read = read_current },
    { .kind = OI_TASK_HISTORY,
      .product = PRODUCT,
      .scope = OI_SCOPE_SYMBOL,
      .every_ns = OI_HOUR,
      .limit = LIMIT_STATUS,
      .weight = 1,
      .window = &window,
      .ask = ask_history,
      .read = read_history },
};

const struct oi_exchange oi_exchange_bitfinex = {
    .name = NAME,
    .full_name = "Bitfinex",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = judge,
};
