/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polymarket: prediction markets, grouped into events. Open interest comes with the pages of
 * events, in USD and gross, one figure an event; so an event is an instrument here, named by its
 * slug. It is asked each ten minutes. A zero stands in events that trade, too, so it is flagged.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#include <inttypes.h>

#define NAME "polymarket"
#define EVENTS "https://gamma-api.polymarket.com/events"
#define PRODUCT "event"
#define EVERY_NS (10 * OI_MINUTE)
#define PAGE_ROWS 100

static const char *const products[] = { PRODUCT, NULL };

static enum oi_status
ask_events(const struct oi_task *task, struct oi_http_request *request, struct oi_error *error)
{
    int64_t offset;

    if (task->page && !oi_reply_digits(oi_slice_of(task->page), &offset))
        return oi_fail(error, OI_E_INVALID, "a page that is none of ours");
    OI_TRY(oi_http_get(request, EVENTS, error));
    OI_TRY(oi_http_add_query(request, "closed", "false", error));
    OI_TRY(oi_http_add_query(request, "limit", "100", error));
    return oi_http_add_query(request, "offset", task->page ? task->page : "0", error);
}

static enum oi_status
read_instrument(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                struct oi_error *error)
{
    struct oi_instrument instrument;

    OI_TRY(oi_reply_instrument(row, "slug", NAME, PRODUCT, &instrument, error));
    instrument.kind = OI_KIND_EVENT;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    /* An event is about no coin: it stands for itself. */
    OI_TRY(OI_NAME_SET(instrument.base, oi_reply_text(row, "id"), error));
    OI_TRY(OI_NAME_SET(instrument.quote, OI_SLICE("USDC"), error));
    OI_TRY(OI_NAME_SET(instrument.margin, OI_SLICE("USDC"), error));
    if (oi_time_parse_utc(oi_reply_text(row, "endDate"), &instrument.expiry, error) != OI_OK)
        return oi_fail_in(error, OI_E_INVALID, "endDate: ");
    if (oi_time_parse_utc(oi_reply_text(row, "creationDate"), &instrument.listed, NULL) != OI_OK)
        instrument.listed = OI_TIME_NONE;
    oi_vector_push(&walk->harvest->instruments, instrument);
    return OI_OK;
}

static enum oi_status
read_event(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    OI_TRY(oi_reply_amount(row, "openInterest", &reading.open_interest, error));
    if (oi_decimal_is_zero(&reading.open_interest))
        reading.flags |= OI_FLAG_SUSPECT_ZERO;
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "slug"), &reading, error);
}

/* A page that is not full is the last. */
static enum oi_status
read_page(const struct oi_reply_walk *walk, struct oi_slice reply, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_harvest *harvest = walk->harvest;
    int64_t offset = 0;

    if (walk->task->page && !oi_reply_digits(oi_slice_of(walk->task->page), &offset))
        return oi_fail(error, OI_E_INVALID, "a page that is none of ours");
    OI_TRY(oi_reply_open(reply, OI_JSON_ARRAY, &json, error));
    oi_reply_walk(walk, oi_json_root(json));
    harvest->next_page = NULL;
    if (oi_json_count(oi_json_root(json)) >= PAGE_ROWS && offset < INT32_MAX)
        harvest->next_page = oi_arena_format(&harvest->arena, "%" PRId64, offset + PAGE_ROWS);
    return OI_OK;
}

static enum oi_status
read_instruments(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
                 struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "slug", .read_row = read_instrument
    };

    return read_page(&walk, reply, error);
}

static enum oi_status
read_current(const struct oi_task *task, struct oi_slice reply, struct oi_harvest *harvest,
             struct oi_error *error)
{
    const struct oi_reply_walk walk = {
        .task = task, .harvest = harvest, .symbol_name = "slug", .read_row = read_event
    };

    return read_page(&walk, reply, error);
}

static const struct oi_convention conventions[] = {
    { .product = PRODUCT,
      .sides = 0,
      .unit = OI_UNIT_USD,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = EVERY_NS,
      .evidence =
          "https://docs.polymarket.com (gamma, events): openInterest, called gross, in USDC" },
};

/* By path, in the hundreds in 10 s. */
static const struct oi_limit limits[] = {
    { .name = "requests", .weight_max = 100, .window_ms = 10'000 },
};

static const struct oi_endpoint endpoints[] = {
    { .kind = OI_TASK_INSTRUMENTS,
      .product = PRODUCT,
      .every_ns = EVERY_NS,
      .weight = 1,
      .ask = ask_events,
      .read = read_instruments },
    { .kind = OI_TASK_CURRENT,
      .product = PRODUCT,
      .every_ns = EVERY_NS,
      .weight = 1,
      .ask = ask_events,
      .read = read_current },
};

const struct oi_exchange oi_exchange_polymarket = {
    .name = NAME,
    .full_name = "Polymarket",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .limits = limits,
    .limit_count = OI_COUNT(limits),
    .endpoints = endpoints,
    .endpoint_count = OI_COUNT(endpoints),
    .judge = oi_reply_judge,
};
