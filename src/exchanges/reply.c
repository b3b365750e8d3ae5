/* SPDX-License-Identifier: Apache-2.0 */
/* The shared readers. They differ in what they do about a bad value: what the row is about fails
 * the row, what only accompanies it becomes none. */
#include "exchanges/reply.h"

#include <inttypes.h>
#include <stdio.h>

static const char *
kind_name(enum oi_json_kind kind)
{
    switch (kind) {
    case OI_JSON_NULL:
        return "null";
    case OI_JSON_FALSE:
    case OI_JSON_TRUE:
        return "a boolean";
    case OI_JSON_NUMBER:
        return "a number";
    case OI_JSON_STRING:
        return "a string";
    case OI_JSON_ARRAY:
        return "an array";
    case OI_JSON_OBJECT:
        return "an object";
    }
    return "nothing";
}

enum oi_status
oi_reply_open(struct oi_slice reply, enum oi_json_kind kind, struct oi_json **ret_json,
              struct oi_error *error)
{
    struct oi_json *json = NULL;
    enum oi_json_kind found;

    OI_TRY(oi_json_open(reply, &json, error));
    found = oi_json_kind(oi_json_root(json));
    if (found != kind) {
        oi_json_close(&json);
        return oi_fail(error, OI_E_UPSTREAM, "the reply is %s, not %s", kind_name(found),
                       kind_name(kind));
    }
    *ret_json = json;
    return OI_OK;
}

enum oi_status
oi_reply_member(const struct oi_json_node *node, const char *name, enum oi_json_kind kind,
                const struct oi_json_node **ret_member, struct oi_error *error)
{
    const struct oi_json_node *member = NULL;

    if (oi_json_kind(node) == OI_JSON_OBJECT)
        member = oi_json_member(node, name);
    if (!member)
        return oi_fail(error, OI_E_UPSTREAM, "no %s in the reply", name);
    if (oi_json_kind(member) != kind)
        return oi_fail(error, OI_E_UPSTREAM, "%s is %s, not %s", name,
                       kind_name(oi_json_kind(member)), kind_name(kind));
    *ret_member = member;
    return OI_OK;
}

struct oi_slice
oi_reply_value(const struct oi_json_node *node)
{
    enum oi_json_kind kind = oi_json_kind(node);

    if (kind == OI_JSON_STRING || kind == OI_JSON_NUMBER)
        return oi_json_text(node);
    return (struct oi_slice){};
}

struct oi_slice
oi_reply_text(const struct oi_json_node *node, const char *name)
{
    if (oi_json_kind(node) != OI_JSON_OBJECT)
        return (struct oi_slice){};
    return oi_reply_value(oi_json_member(node, name));
}

/* Is there a value at all, be it of a wrong kind? */
static bool
is_given(const struct oi_json_node *node, const char *name)
{
    const struct oi_json_node *member;

    if (oi_json_kind(node) != OI_JSON_OBJECT)
        return false;
    member = oi_json_member(node, name);
    if (oi_json_kind(member) == OI_JSON_STRING)
        return oi_json_text(member).size > 0;
    return oi_json_kind(member) != OI_JSON_NULL;
}

enum oi_status
oi_reply_optional_decimal(const struct oi_json_node *node, const char *name,
                          struct oi_decimal *ret_value, struct oi_error *error)
{
    struct oi_decimal value;
    enum oi_status status;

    if (!is_given(node, name)) {
        *ret_value = (struct oi_decimal){};
        return OI_OK;
    }
    status = oi_decimal_parse(oi_reply_text(node, name), &value, error);
    if (status != OI_OK)
        return oi_fail_in(error, status, "%s: ", name);
    *ret_value = value;
    return OI_OK;
}

enum oi_status
oi_reply_decimal(const struct oi_json_node *node, const char *name, struct oi_decimal *ret_value,
                 struct oi_error *error)
{
    if (!is_given(node, name))
        return oi_fail(error, OI_E_INVALID, "%s: none given", name);
    return oi_reply_optional_decimal(node, name, ret_value, error);
}

enum oi_status
oi_reply_amount(const struct oi_json_node *node, const char *name, struct oi_decimal *ret_value,
                struct oi_error *error)
{
    struct oi_decimal value;

    OI_TRY(oi_reply_decimal(node, name, &value, error));
    if (oi_decimal_sign(&value) < 0)
        return oi_fail(error, OI_E_INVALID, "%s: below zero", name);
    *ret_value = value;
    return OI_OK;
}

enum oi_status
oi_reply_positive(const struct oi_json_node *node, const char *name, struct oi_decimal *ret_value,
                  struct oi_error *error)
{
    struct oi_decimal value;

    OI_TRY(oi_reply_decimal(node, name, &value, error));
    if (oi_decimal_sign(&value) <= 0)
        return oi_fail(error, OI_E_INVALID, "%s: not above zero", name);
    *ret_value = value;
    return OI_OK;
}

struct oi_decimal
oi_reply_value_of(const struct oi_json_node *node, const char *name)
{
    struct oi_decimal value = {};

    if (oi_reply_optional_decimal(node, name, &value, NULL) != OI_OK || oi_decimal_sign(&value) < 0)
        return (struct oi_decimal){};
    return value;
}

struct oi_decimal
oi_reply_price(const struct oi_json_node *node, const char *name)
{
    struct oi_decimal value = oi_reply_value_of(node, name);

    if (oi_decimal_sign(&value) <= 0)
        return (struct oi_decimal){};
    return value;
}

bool
oi_reply_digits(struct oi_slice text, int64_t *ret_value)
{
    int64_t value = 0;

    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    }
    *ret_value = value;
    return true;
}

enum oi_status
oi_reply_integer(const struct oi_json_node *node, const char *name, int64_t *ret_value,
                 struct oi_error *error)
{
    struct oi_slice text = oi_reply_text(node, name);
    bool is_negative = text.size > 0 && text.data[0] == '-';
    int64_t value;

    if (is_negative) {
        text.data++;
        text.size--;
    }
    if (!oi_reply_digits(text, &value))
        return oi_fail(error, OI_E_INVALID, "%s: no integer", name);
    *ret_value = is_negative ? -value : value;
    return OI_OK;
}

enum oi_status
oi_reply_time_ms(const struct oi_json_node *node, const char *name, oi_time *ret_time,
                 struct oi_error *error)
{
    int64_t ms;

    OI_TRY(oi_reply_integer(node, name, &ms, error));
    if (ms <= 0)
        return oi_fail(error, OI_E_INVALID, "%s: no time", name);
    return oi_time_from_ms(ms, ret_time, error);
}

oi_time
oi_reply_optional_time_ms(const struct oi_json_node *node, const char *name)
{
    oi_time time;

    return oi_reply_time_ms(node, name, &time, NULL) == OI_OK ? time : OI_TIME_NONE;
}

oi_time
oi_reply_optional_time_us(const struct oi_json_node *node, const char *name)
{
    oi_time time;
    int64_t us;

    if (oi_reply_integer(node, name, &us, NULL) != OI_OK || us <= 0 ||
        oi_time_from_us(us, &time, NULL) != OI_OK)
        return OI_TIME_NONE;
    return time;
}

oi_time
oi_reply_optional_time_s(const struct oi_json_node *node, const char *name)
{
    int64_t s;
    oi_time time;

    if (oi_reply_integer(node, name, &s, NULL) != OI_OK || s <= 0 ||
        __builtin_mul_overflow(s, OI_SECOND, &time))
        return OI_TIME_NONE;
    return time;
}

enum oi_status
oi_reply_time_iso(const struct oi_json_node *node, const char *name, oi_time *ret_time,
                  struct oi_error *error)
{
    oi_time time;

    if (oi_time_parse_utc(oi_reply_text(node, name), &time, NULL) != OI_OK || time <= 0)
        return oi_fail(error, OI_E_INVALID, "%s: no time", name);
    *ret_time = time;
    return OI_OK;
}

oi_time
oi_reply_optional_time_iso(const struct oi_json_node *node, const char *name)
{
    oi_time time;

    return oi_reply_time_iso(node, name, &time, NULL) == OI_OK ? time : OI_TIME_NONE;
}

void
oi_reply_walk_row(const struct oi_reply_walk *walk, const struct oi_json_node *row)
{
    struct oi_error error = {};
    struct oi_slice symbol;
    enum oi_status status = walk->read_row(walk, row, &error);

    if (status == OI_OK || status == OI_E_NOT_FOUND)
        return;
    if (walk->symbol_name)
        symbol = oi_reply_text(row, walk->symbol_name);
    else
        symbol = oi_slice_of(walk->task->symbol);
    oi_harvest_skip(walk->harvest, symbol, error.message);
}

void
oi_reply_walk(const struct oi_reply_walk *walk, const struct oi_json_node *list)
{
    for (const struct oi_json_node *row = oi_json_first(list); row; row = oi_json_next(row))
        oi_reply_walk_row(walk, row);
}

enum oi_status
oi_reply_instrument(const struct oi_json_node *row, const char *symbol_name, const char *exchange,
                    const char *product, struct oi_instrument *ret_instrument,
                    struct oi_error *error)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    OI_TRY(OI_NAME_SET(instrument.exchange, oi_slice_of(exchange), error));
    OI_TRY(OI_NAME_SET(instrument.product, oi_slice_of(product), error));
    OI_TRY(OI_NAME_SET(instrument.symbol, oi_reply_text(row, symbol_name), error));
    *ret_instrument = instrument;
    return OI_OK;
}

/* The window a task stands at, not yet cut to the span. */
static enum oi_status
window_start(const struct oi_history_window *window, const struct oi_task *task, oi_time *ret_start,
             struct oi_error *error)
{
    oi_time start = task->span.from;
    int64_t ms;

    if (task->page) {
        if (!oi_reply_digits(oi_slice_of(task->page), &ms))
            return oi_fail(error, OI_E_INVALID, "a page that is none of ours");
        OI_TRY(oi_time_from_ms(ms, &start, error));
    }
    if (window->keeps_ns > 0 && task->now > window->keeps_ns &&
        start < task->now - window->keeps_ns)
        start = task->now - window->keeps_ns;
    /* No exchange is older, and a start before 1970 cannot be written in its requests. */
    *ret_start = start < 0 ? 0 : start;
    return OI_OK;
}

enum oi_status
oi_reply_window(const struct oi_history_window *window, const struct oi_task *task,
                struct oi_span *ret_span, struct oi_error *error)
{
    struct oi_span span;

    OI_TRY(window_start(window, task, &span.from, error));
    if (span.from >= task->span.to)
        return oi_fail(error, OI_E_NOT_FOUND, "the exchange does not keep this span any more");
    if (__builtin_add_overflow(span.from, window->width_ns, &span.to) || span.to > task->span.to)
        span.to = task->span.to;
    *ret_span = span;
    return OI_OK;
}

void
oi_reply_window_next(const struct oi_history_window *window, const struct oi_task *task,
                     struct oi_harvest *harvest)
{
    struct oi_span span;

    harvest->next_page = NULL;
    if (oi_reply_window(window, task, &span, NULL) != OI_OK || span.to >= task->span.to)
        return;
    if (task->now > 0 && span.to >= task->now) /* an open span ends where the present does */
        return;
    harvest->next_page = oi_arena_format(&harvest->arena, "%" PRId64, oi_time_to_ms(span.to));
}

enum oi_status
oi_reply_add_time_ms(struct oi_http_request *request, const char *name, oi_time time,
                     struct oi_error *error)
{
    char text[24];

    (void) snprintf(text, sizeof(text), "%" PRId64, oi_time_to_ms(time));
    return oi_http_add_query(request, name, text, error);
}

enum oi_status
oi_reply_add_time_s(struct oi_http_request *request, const char *name, oi_time time,
                    struct oi_error *error)
{
    char text[24];

    (void) snprintf(text, sizeof(text), "%" PRId64, oi_time_to_ms(time) / 1'000);
    return oi_http_add_query(request, name, text, error);
}

enum oi_status
oi_reply_optional_amount(const struct oi_json_node *node, const char *name,
                         struct oi_decimal *ret_value, struct oi_error *error)
{
    if (oi_reply_text(node, name).size > 0)
        return oi_reply_amount(node, name, ret_value, error);
    *ret_value = (struct oi_decimal){};
    return OI_OK;
}

enum oi_status
oi_reply_add_told(struct oi_harvest *harvest, const char *product, struct oi_slice symbol,
                  const struct oi_observation *reading, struct oi_error *error)
{
    if (oi_decimal_is_none(&reading->open_interest) && oi_decimal_is_none(&reading->value_usd) &&
        oi_decimal_is_none(&reading->mark_price) && oi_decimal_is_none(&reading->index_price) &&
        oi_decimal_is_none(&reading->last_price))
        return OI_OK;
    return oi_harvest_add_of(harvest, product, symbol, reading, error);
}

void
oi_reply_add_symbols(struct oi_json_writer *writer, const struct oi_stream_task *task,
                     const char *before, const char *after)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer name = {};

    for (size_t i = 0; i < task->symbol_count; i++) {
        oi_buffer_clear(&name);
        oi_buffer_add_format(&name, "%s%s%s", before, task->symbols[i], after);
        oi_json_add_string(writer, oi_buffer_slice(&name));
    }
}

void
oi_reply_begin_args(struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "op");
    oi_json_add_text(writer, "subscribe");
    oi_json_add_name(writer, "args");
    oi_json_begin_array(writer);
}

void
oi_reply_end_args(struct oi_json_writer *writer)
{
    oi_json_end_array(writer);
    oi_json_end_object(writer);
}
