/* SPDX-License-Identifier: Apache-2.0 */
/* HTX: numbers with 18 decimals, lists narrowed to swaps where nobody asks for all. */
/* no unit test: the contract suite reads every reply with the adapter */
#include "simulator/world_internal.h"

/* A number with its 18 decimals, as HTX writes them. */
static void
add_long_number(const struct call *call, const char *name, const struct oi_decimal *figure)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    oi_figure_write(figure, 18, &text);
    oi_json_add_name(call->writer, name);
    oi_json_add_raw(call->writer, oi_buffer_slice(&text));
}

static bool
is_linear(const struct oi_market *market)
{
    return !market->is_inverse;
}

/* business_type decides, and only linear lists know it. */
static bool
is_left_out(const struct call *call, const struct oi_market *market)
{
    return is_linear(market) && market->kind == OI_KIND_FUTURE &&
           !oi_slice_is(call_parameter(call, "business_type"), "all");
}

static void
begin(const struct call *call, const struct oi_market *market)
{
    oi_json_begin_object(call->writer);
    call_add_text(call, "symbol", market->base);
    call_add_text(call, "contract_code", market->symbol);
    if (market->kind == OI_KIND_FUTURE)
        call_add_text(call, "contract_type", market->rank == 0 ? "quarter" : "next_quarter");
    else if (is_linear(market))
        call_add_text(call, "contract_type", "swap");
}

static void
add_interest(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    if (is_left_out(call, market))
        return;
    oi_market_figures(call->seed, market, call->now, &figures);
    begin(call, market);
    add_long_number(call, "volume", &figures.open_interest);
    if (is_linear(market))
        add_long_number(call, "value", &figures.value);
    else
        add_long_number(call, "amount", &figures.value);
    oi_json_end_object(call->writer);
}

static void
add_contract(const struct call *call, const struct oi_market *market)
{
    struct oi_civil date = oi_time_to_civil(market->listed);

    if (is_left_out(call, market))
        return;
    begin(call, market);
    add_long_number(call, "contract_size", &market->contract);
    call_add_quoted_int(call, "create_date", (date.year * 100 + date.month) * 100 + date.day);
    if (market->expiry == OI_TIME_NONE)
        call_add_text(call, "delivery_time", "");
    else
        call_add_quoted_int(call, "delivery_time", oi_time_to_ms(market->expiry));
    call_add_int(call, "contract_status", 1);
    oi_json_end_object(call->writer);
}

static void
add_index(const struct call *call, const struct oi_market *market)
{
    struct oi_figures figures;

    if (market->kind == OI_KIND_FUTURE)
        return;
    oi_market_figures(call->seed, market, call->now, &figures);
    oi_json_begin_object(call->writer);
    call_add_text(call, "contract_code", market->symbol);
    add_long_number(call, "index_price", &figures.index);
    call_add_int(call, "index_ts", call_now_ms(call));
    oi_json_end_object(call->writer);
}

/* The newest first. */
static void
add_points(const struct call *call, const struct oi_market *market, int64_t size)
{
    oi_time newest = oi_interval_floor(OI_HOUR, call->now);

    for (oi_time time = newest; time > newest - size * OI_HOUR && time >= market->listed;
         time -= OI_HOUR) {
        struct oi_figures figures;

        oi_market_figures(call->seed, market, time, &figures);
        oi_json_begin_object(call->writer);
        add_long_number(call, "volume", &figures.open_interest);
        call_add_int(call, "amount_type", 1);
        if (is_linear(market))
            add_long_number(call, "value", &figures.value);
        call_add_int(call, "ts", oi_time_to_ms(time));
        oi_json_end_object(call->writer);
    }
}

static void
answer_history(const struct call *call)
{
    const struct oi_market *market = call_market(call, call_parameter(call, "contract_code"));

    if (!market) {
        call_fail(call, 200, "application/json",
                  "{\"status\":\"error\",\"err_code\":1014,\"err_msg\":\"no such contract\"}");
        return;
    }
    oi_json_begin_object(call->writer);
    call_add_text(call, "status", "ok");
    oi_json_add_name(call->writer, "data");
    oi_json_begin_object(call->writer);
    call_add_text(call, "contract_code", market->symbol);
    oi_json_add_name(call->writer, "tick");
    oi_json_begin_array(call->writer);
    add_points(call, market, call_number(call, "size", 48));
    oi_json_end_array(call->writer);
    oi_json_end_object(call->writer);
    call_add_int(call, "ts", call_now_ms(call));
    oi_json_end_object(call->writer);
}

#define LIST(of_path, of_product, of_add)                                                          \
    {                                                                                              \
        .path = (of_path), .product = (of_product), .add = (of_add),                               \
        .before = "{\"status\":\"ok\",\"data\":", .after = ",\"ts\":@}"                            \
    }
static const struct route routes[] = {
    LIST("/linear-swap-api/v1/swap_open_interest", "linear", add_interest),
    LIST("/linear-swap-api/v1/swap_contract_info", "linear", add_contract),
    LIST("/linear-swap-api/v1/swap_index", "linear", add_index),
    LIST("/swap-api/v1/swap_open_interest", "coin_swap", add_interest),
    LIST("/swap-api/v1/swap_contract_info", "coin_swap", add_contract),
    LIST("/swap-api/v1/swap_index", "coin_swap", add_index),
    LIST("/api/v1/contract_open_interest", "coin_futures", add_interest),
    LIST("/api/v1/contract_contract_info", "coin_futures", add_contract),
    { .path = "/linear-swap-api/v1/swap_his_open_interest", .answer = answer_history },
    { .path = "/swap-api/v1/swap_his_open_interest", .answer = answer_history },
};

static void
answer(const struct call *call)
{
    if (!call_route(call, routes, OI_COUNT(routes)))
        call_fail(call, 404, "application/json",
                  "{\"status\":\"error\",\"err-code\":\"not-found\",\"err-msg\":\"\"}");
}

static const char *const hosts[] = { "api.hbdm.com", NULL };
static const struct oi_meter_rule rules[] = {
    { .weight_max = 120, .window_ns = 3 * OI_SECOND },
};

const struct venue venue_htx = {
    .hosts = hosts,
    .tells = TELLS_PERPETUAL_INDEX | TELLS_VALUE | TELLS_TIME,
    .rules = rules,
    .rule_count = OI_COUNT(rules),
    .cost = call_cost_one,
    .answer = answer,
    .refuse = call_refuse,
};
