/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to a dialect and its answer, without a server: what the tests of dialects share. All
 * in the header, because only they link the dialects.
 */
#pragma once

#include "base/json.h"
#include "dialects/dialect.h"

#include "support/test.h"
#include "support/test_data.h"

#include <stdio.h>
#include <string.h>

/* 2026-06-09T03:02:49.022Z */
#define TEST_NOW INT64_C(1'780'974'169'022'000'000)

struct test_exchange {
    struct oi_call call;
    struct oi_http_request request;
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    struct oi_query query;
    struct oi_problem problem;
    struct oi_http_reply reply;
    uint64_t credits;
    size_t steps;
};

static inline void
test_sign(const struct oi_call *call, struct oi_slice path_and_query, struct oi_buffer *out)
{
    oi_buffer_add_slice(out, call->public_url);
    oi_buffer_add_slice(out, path_and_query);
    oi_buffer_add_text(out, "&signature=s");
}

/* Route and parse a POST of `body`, or a GET where there is none; `header` is a "Name: value" line
 * or NULL. The body is borrowed. */
static inline enum oi_status
test_send(struct test_exchange *exchange, const char *target, const char *header,
          struct oi_slice body)
{
    *exchange = (struct test_exchange){
        .call = { .request_id = "11111111-2222-4333-8444-555555555555",
                  .now = TEST_NOW,
                  .public_url = OI_SLICE("http://oi.test"),
                  .sign = test_sign,
                  .link_life_s = 300 },
        .query = OI_QUERY_EMPTY,
        .reply = { .status = 200 },
    };
    assert_ok(oi_http_parse_target(oi_slice_of(target), &exchange->request, NULL));
    if (header) {
        const char *colon = strchr(header, ':');
        char name[64] = "";

        memcpy(name, header, (size_t) (colon - header));
        oi_http_add_header(&exchange->request, name, oi_slice_of(colon + 2));
    }
    exchange->request.body = body;
    if (body.size > 0)
        exchange->request.method = OI_HTTP_POST;
    exchange->route =
        oi_dialects_route(&exchange->request, &exchange->dialect, &exchange->call.mount);
    assert_non_null(exchange->route);
    return exchange->route->parse(&exchange->call, &exchange->request, &exchange->query,
                                  &exchange->problem);
}

/* The same without a body. */
static inline enum oi_status
test_ask(struct test_exchange *exchange, const char *target, const char *header)
{
    return test_send(exchange, target, header, (struct oi_slice){});
}

/* Parse the same request once more, after the call was changed. */
static inline enum oi_status
test_ask_again(struct test_exchange *exchange)
{
    oi_query_release(&exchange->query);
    return exchange->route->parse(&exchange->call, &exchange->request, &exchange->query,
                                  &exchange->problem);
}

/* Render what `result` holds (taken over, may be NULL), or the problem that it turned out to be. */
static inline enum oi_status
test_render(struct test_exchange *exchange, struct oi_result *result)
{
    struct oi_rendering rendering = {
        .call = &exchange->call,
        .request = &exchange->request,
        .query = &exchange->query,
        .result = result,
        .reply = &exchange->reply,
        .problem = &exchange->problem,
    };
    enum oi_status status;
    bool is_last = false;

    do {
        status = exchange->route->render(&rendering, &exchange->reply.body, &is_last, NULL);
        rendering.step++;
    } while (status == OI_OK && !is_last);
    exchange->credits = rendering.credits;
    exchange->steps = rendering.step;
    oi_result_close(&result);
    return status;
}

static inline void
test_refuse(struct test_exchange *exchange)
{
    oi_buffer_clear(&exchange->reply.body);
    exchange->dialect->render_problem(&exchange->call, &exchange->request, &exchange->problem,
                                      &exchange->reply);
}

static inline void
test_close(struct test_exchange *exchange)
{
    oi_query_release(&exchange->query);
    oi_http_request_release(&exchange->request);
    oi_http_reply_release(&exchange->reply);
}

static inline void
test_body_is(struct test_exchange *exchange, const char *text)
{
    oi_buffer_add_char(&exchange->reply.body, '\0');
    assert_string_equal(exchange->reply.body.data, text);
    exchange->reply.body.size--;
}

static inline const char *
test_header(const struct test_exchange *exchange, const char *name)
{
    static char text[512];
    const struct oi_slice *value = oi_http_reply_find(&exchange->reply, name);

    if (!value)
        return NULL;
    (void) snprintf(text, sizeof(text), "%.*s", OI_SLICE_ARGS(*value));
    return text;
}

/* The question is refused, with this status and exactly this body. */
static inline void
test_refused(const char *target, const char *header, int status, const char *body)
{
    struct test_exchange exchange;

    assert_status(test_ask(&exchange, target, header), OI_E_INVALID);
    test_refuse(&exchange);
    test_body_is(&exchange, body);
    assert_int_equal(exchange.reply.status, status);
    test_close(&exchange);
}

/* The question is refused, and the body holds this text. */
static inline void
test_refused_with(const char *target, int status, const char *part)
{
    struct test_exchange exchange;

    assert_status(test_ask(&exchange, target, NULL), OI_E_INVALID);
    test_refuse(&exchange);
    oi_buffer_add_char(&exchange.reply.body, '\0');
    if (!strstr(exchange.reply.body.data, part))
        fail_msg("%s: %s, not %s", target, exchange.reply.body.data, part);
    assert_int_equal(exchange.reply.status, status);
    test_close(&exchange);
}

/* The question is understood. */
static inline void
test_accepted(const char *target)
{
    struct test_exchange exchange;
    enum oi_status status = test_ask(&exchange, target, NULL);

    if (status != OI_OK)
        fail_msg("%s: %s %s", target, exchange.problem.parameter, exchange.problem.message);
    test_close(&exchange);
}

static inline struct oi_decimal
test_decimal(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

static inline oi_time
test_time(const char *text)
{
    oi_time time;

    assert_ok(oi_time_parse_utc(oi_slice_of(text), &time, NULL));
    return time;
}

/* The linear perpetual COIN against QUOTE. */
static inline struct oi_instrument
test_perpetual(const char *exchange, const char *product, const char *symbol, const char *coin,
               const char *quote)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    assert_ok(OI_NAME_SET(instrument.exchange, oi_slice_of(exchange), NULL));
    assert_ok(OI_NAME_SET(instrument.product, oi_slice_of(product), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, oi_slice_of(symbol), NULL));
    assert_ok(OI_NAME_SET(instrument.base, oi_slice_of(coin), NULL));
    assert_ok(OI_NAME_SET(instrument.quote, oi_slice_of(quote), NULL));
    assert_ok(OI_NAME_SET(instrument.margin, oi_slice_of(quote), NULL));
    instrument.id = 1;
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    instrument.contract_size = oi_decimal_from(1, 0);
    return instrument;
}

/* Equal by value and key: numbers as numbers, objects whatever the order of members. */
static inline bool
test_nodes_equal(const struct oi_json_node *a, const struct oi_json_node *b)
{
    const struct oi_json_node *left, *right;

    if (oi_json_kind(a) != oi_json_kind(b) || oi_json_count(a) != oi_json_count(b))
        return false;
    switch (oi_json_kind(a)) {
    case OI_JSON_NULL:
    case OI_JSON_FALSE:
    case OI_JSON_TRUE:
        return true;
    case OI_JSON_NUMBER: {
        struct oi_decimal x, y;

        assert_ok(oi_decimal_parse(oi_json_text(a), &x, NULL));
        assert_ok(oi_decimal_parse(oi_json_text(b), &y, NULL));
        return oi_decimal_equal(&x, &y);
    }
    case OI_JSON_STRING:
        return oi_slice_equal(oi_json_text(a), oi_json_text(b));
    case OI_JSON_ARRAY:
        for (left = oi_json_first(a), right = oi_json_first(b); left;
             left = oi_json_next(left), right = oi_json_next(right)) {
            if (!test_nodes_equal(left, right))
                return false;
        }
        return true;
    case OI_JSON_OBJECT:
        break;
    }
    for (left = oi_json_first(a); left; left = oi_json_next(left)) {
        char name[128];

        (void) snprintf(name, sizeof(name), "%.*s", OI_SLICE_ARGS(oi_json_name(left)));
        if (!test_nodes_equal(left, oi_json_member(b, name)))
            return false;
    }
    return true;
}

/* The body is JSON. Close what it returns. */
static inline struct oi_json *
test_body_json(const struct test_exchange *exchange)
{
    struct oi_json *json = NULL;

    if (oi_json_open(oi_buffer_slice(&exchange->reply.body), &json, NULL) != OI_OK)
        fail_msg("not JSON: %.*s", OI_SLICE_ARGS(oi_buffer_slice(&exchange->reply.body)));
    return json;
}

/* A recorded body ("wire/examples/NAME"), or NULL where it is not there, which is said. */
static inline struct oi_json *
test_example(const char *name)
{
    struct oi_buffer text = {};
    struct oi_json *json = NULL;
    char path[TEST_PATH_SIZE], relative[128];

    (void) snprintf(relative, sizeof(relative), "wire/examples/%s", name);
    if (!test_data_find(relative, path)) {
        print_message("[  SKIPPED ] 1 example: %s is not there\n", relative);
        return NULL;
    }
    test_file_read(path, &text);
    assert_ok(oi_json_open(oi_buffer_slice(&text), &json, NULL));
    oi_buffer_release(&text);
    return json;
}
