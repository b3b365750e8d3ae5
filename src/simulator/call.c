/* SPDX-License-Identifier: Apache-2.0 */
/* What every exchange's answer is made with. */
/* no unit test: what the answers are made with; the contract suite of the simulator drives all of
 * it */
#include "simulator/world_internal.h"

#include <inttypes.h>
#include <stdio.h>

struct oi_slice
call_parameter(const struct call *call, const char *name)
{
    const struct oi_slice *value = oi_http_parameter(call->request, name);

    return value ? *value : (struct oi_slice){};
}

int64_t
call_number(const struct call *call, const char *name, int64_t otherwise)
{
    struct oi_slice text = call_parameter(call, name);
    int64_t value = 0;

    if (text.size == 0 || text.size > 18)
        return otherwise;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return otherwise;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

bool
call_is_path(const struct call *call, const char *path)
{
    return oi_slice_is(call->request->path, path);
}

int64_t
call_now_ms(const struct call *call)
{
    return oi_time_to_ms(call->now + call->ahead_ns);
}

const struct oi_market *
call_market(const struct call *call, struct oi_slice symbol)
{
    const struct oi_market *market = oi_catalogue_find(call->catalogue, call->venue, symbol);

    return market && market->state == OI_MARKET_LISTED ? market : NULL;
}

const struct oi_market *
call_next(const struct call *call, const char *product, const struct oi_market *after)
{
    const struct oi_market *items = call->catalogue->markets.items;
    size_t i = after ? (size_t) (after - items) + 1 : 0;

    for (; i < call->catalogue->markets.count; i++) {
        if (items[i].venue != call->venue || (product && strcmp(items[i].product, product) != 0))
            continue;
        if (!oi_moods_drop(call->moods, call->venue, call->number, call->elapsed_ns,
                           items[i].symbol))
            return &items[i];
    }
    return NULL;
}

void
call_add_text(const struct call *call, const char *name, const char *text)
{
    oi_json_add_name(call->writer, name);
    oi_json_add_text(call->writer, text);
}

void
call_add_int(const struct call *call, const char *name, int64_t value)
{
    oi_json_add_name(call->writer, name);
    oi_json_add_int(call->writer, value);
}

void
call_add_quoted_int(const struct call *call, const char *name, int64_t value)
{
    char text[24];

    (void) snprintf(text, sizeof(text), "%" PRId64, value);
    call_add_text(call, name, text);
}

void
call_add_figure(const struct call *call, const char *name, const struct oi_decimal *figure,
                int places)
{
    struct oi_buffer text = {};

    if (!oi_decimal_is_none(figure))
        oi_figure_write(figure, places, &text);
    if (name)
        oi_json_add_name(call->writer, name);
    oi_json_add_string(call->writer, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

void
call_add_number(const struct call *call, const char *name, const struct oi_decimal *figure)
{
    char text[OI_DECIMAL_TEXT_SIZE];
    size_t size = oi_decimal_print(figure, text);

    oi_json_add_name(call->writer, name);
    if (size == 0)
        oi_json_add_null(call->writer);
    else
        oi_json_add_raw(call->writer, (struct oi_slice){ text, size });
}

void
call_fail(const struct call *call, int status, const char *type, const char *body)
{
    call->reply->status = status;
    oi_buffer_clear(&call->reply->body);
    oi_http_reply_type(call->reply, type);
    oi_buffer_add_text(&call->reply->body, body);
}

struct points
call_points(const struct call *call, const struct oi_market *market, int64_t from_ms, int64_t to_ms,
            int64_t limit)
{
    struct points points = { market->listed, call->now };
    oi_time from;
    oi_time to;

    if (oi_time_from_ms(from_ms, &from, NULL) == OI_OK && from > points.first)
        points.first = from;
    if (oi_time_from_ms(to_ms, &to, NULL) == OI_OK && to < points.last)
        points.last = to;
    points.first = oi_interval_ceil(POINT_NS, points.first);
    points.last = oi_interval_floor(POINT_NS, points.last);
    if (limit > 0 && points.last - points.first >= limit * POINT_NS)
        points.first = points.last - (limit - 1) * POINT_NS;
    return points;
}

/* Text around a list: @ is the time in milliseconds, # as a date. */
static void
add_piece(const struct call *call, const char *piece)
{
    struct oi_buffer *out = &call->reply->body;

    for (; piece && *piece; piece++) {
        if (*piece == '@')
            oi_buffer_add_format(out, "%" PRId64, call_now_ms(call));
        else if (*piece == '#')
            oi_time_write(call->now, 3, out);
        else
            oi_buffer_add_char(out, *piece);
    }
}

static void
list_markets(const struct call *call, const struct route *route)
{
    struct oi_json_writer list = { .out = &call->reply->body };
    struct call part = *call;

    /* The pieces around the list are raw, so the list has a writer of its own. */
    part.writer = &list;
    add_piece(call, route->before);
    oi_json_begin_array(&list);
    for (const struct oi_market *market = call_next(call, route->product, NULL); market;
         market = call_next(call, route->product, market))
        if (market->state == OI_MARKET_LISTED)
            route->add(&part, market);
    oi_json_end_array(&list);
    add_piece(call, route->after);
}

bool
call_route(const struct call *call, const struct route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];

        if (!call_is_path(call, route->path) ||
            (route->parameter &&
             !oi_slice_is(call_parameter(call, route->parameter), route->value)))
            continue;
        if (route->answer)
            route->answer(call);
        else
            list_markets(call, route);
        return true;
    }
    return false;
}

struct cost
call_cost_one(const struct call *)
{
    return (struct cost){ 0, 1 };
}

void
call_refuse(const struct call *call, const struct oi_meter_answer *answer)
{
    call_fail(call, 429, "application/json", "{\"message\":\"Too many requests\"}");
    oi_http_reply_header_int(call->reply, "Retry-After", answer->retry_after_s);
}

void
call_add_iso(const struct call *call, const char *name, oi_time time)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    oi_time_write(time, 3, &text);
    oi_json_add_name(call->writer, name);
    oi_json_add_string(call->writer, oi_buffer_slice(&text));
}

void
call_add_bool(const struct call *call, const char *name, bool value)
{
    oi_json_add_name(call->writer, name);
    oi_json_add_bool(call->writer, value);
}
