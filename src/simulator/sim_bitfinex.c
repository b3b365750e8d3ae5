/* SPDX-License-Identifier: Apache-2.0 */
/* Bitfinex: rows of 24 places without names, one lower in history, and a pair for practice. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

#define HISTORY_BEFORE "/v2/status/deriv/t"
#define HISTORY_AFTER "/hist"

static void
add_item(const struct call *call, const struct oi_decimal *figure)
{
    char text[OI_DECIMAL_TEXT_SIZE];
    size_t size = oi_decimal_print(figure, text);

    oi_json_add_raw(call->writer, (struct oi_slice){ text, size });
}

/* A row behind its key; 23 places. */
static void
add_places(const struct call *call, const struct oi_market *market, oi_time time)
{
    struct oi_figures figures;

    oi_market_figures(call->seed, market, time, &figures);
    oi_json_add_int(call->writer, oi_time_to_ms(time));
    for (int place = 2; place < 24; place++) {
        if (place == 4)
            add_item(call, &figures.index);
        else if (place == 15)
            add_item(call, &figures.mark);
        else if (place == 18)
            add_item(call, &figures.open_interest);
        else
            oi_json_add_null(call->writer);
    }
}

static void
add_status(const struct call *call, const struct oi_market *market)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer key = {};

    oi_buffer_add_format(&key, "t%s", market->symbol);
    oi_json_begin_array(call->writer);
    oi_json_add_string(call->writer, oi_buffer_slice(&key));
    add_places(call, market, call->now);
    oi_json_end_array(call->writer);
}

static void
add_pair(const struct call *call, const struct oi_market *market)
{
    oi_json_add_text(call->writer, market->symbol);
}

static void
answer_history(const struct call *call, struct oi_slice symbol)
{
    const struct oi_market *market = call_market(call, symbol);
    oi_time first = call_number(call, "start", 0) * OI_MILLISECOND;
    oi_time last = call_number(call, "end", 0) * OI_MILLISECOND;

    oi_json_begin_array(call->writer);
    if (market) {
        first = first < market->listed ? market->listed : first;
        last = last > call->now ? call->now : last;
        for (oi_time time = oi_interval_ceil(OI_MINUTE, first); time <= last; time += OI_MINUTE) {
            oi_json_begin_array(call->writer);
            add_places(call, market, time);
            oi_json_end_array(call->writer);
        }
    }
    oi_json_end_array(call->writer);
}

static const struct route routes[] = {
    { .path = "/v2/status/deriv", .add = add_status },
    { .path = "/v2/conf/pub:list:pair:futures", .add = add_pair, .before = "[", .after = "]" },
};

static void
answer(const struct call *call)
{
    struct oi_slice path = call->request->path;
    const size_t before = sizeof(HISTORY_BEFORE) - 1;
    const size_t after = sizeof(HISTORY_AFTER) - 1;

    if (call_route(call, routes, OI_COUNT(routes)))
        return;
    if (path.size > before + after && oi_slice_starts_with(path, HISTORY_BEFORE) &&
        oi_slice_ends_with(path, HISTORY_AFTER))
        answer_history(call, (struct oi_slice){ path.data + before, path.size - before - after });
    else
        call_fail(call, 500, "application/json", "[\"error\",10020,\"path: invalid\"]");
}

static const char *const hosts[] = { "api-pub.bitfinex.com", NULL };
static const struct oi_meter_rule rules[] = { { .weight_max = 90, .window_ns = OI_MINUTE } };

const struct venue venue_bitfinex = {
    .hosts = hosts,
    .tells = TELLS_MARK | TELLS_INDEX | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
