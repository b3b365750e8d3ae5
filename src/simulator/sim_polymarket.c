/* SPDX-License-Identifier: Apache-2.0 */
/* Polymarket: pages of events by offset, figures in USD as numbers. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

static void
add_text_time(const struct call *call, const char *name, oi_time time)
{
    struct oi_buffer text = {};

    oi_time_write(time, 0, &text);
    oi_json_add_name(call->writer, name);
    oi_json_add_string(call->writer, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

static void
add_event(const struct call *call, const struct oi_market *market, int64_t number)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_quoted_int(call, "id", 30'000 + number);
    call_add_text(call, "slug", market->symbol);
    add_text_time(call, "creationDate", market->listed);
    add_text_time(call, "endDate", market->expiry);
    call_add_number(call, "openInterest", &figures.open_interest);
    oi_json_end_object(call->writer);
}

static void
answer(const struct call *call)
{
    int64_t first = call_number(call, "offset", 0);
    int64_t limit = call_number(call, "limit", 20);
    int64_t place = 0;

    if (!call_is_path(call, "/events")) {
        call_fail(call, 404, "application/json", "{\"type\":\"not found error\"}");
        return;
    }
    oi_json_begin_array(call->writer);
    for (const struct oi_market *market = call_next(call, NULL, NULL); market;
         market = call_next(call, NULL, market), place++)
        if (place >= first && place < first + limit)
            add_event(call, market, place);
    oi_json_end_array(call->writer);
}

static struct cost
cost(const struct call *)
{
    return (struct cost){ 0, 1 };
}

static void
refuse(const struct call *call, const struct oi_meter_answer *)
{
    call_fail(call, 429, "application/json", "{\"type\":\"too many requests\"}");
}

static const char *const hosts[] = { "gamma-api.polymarket.com", NULL };

static const struct oi_meter_rule rules[] = {
    { .weight_max = 100, .window_ns = 10 * OI_SECOND },
};

const struct venue venue_polymarket = {
    .hosts = hosts,
    .tells = TELLS_NOTHING,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = cost,
    .answer = answer,
    .refuse = refuse,
};
