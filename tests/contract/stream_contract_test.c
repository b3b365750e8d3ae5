/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every stream of every dialect promises: a sound table, rows that are one JSON object each
 * whatever is known of the market, ends that number them, warnings that are JSON, and an answer to
 * any message.
 */
#include "base/random.h"

#include "support/test_dialect.h"

#define MESSAGES 2000

static void
parses(struct oi_buffer *text)
{
    struct oi_json *json = NULL;

    if (oi_json_open(oi_buffer_slice(text), &json, NULL) != OI_OK)
        fail_msg("not JSON: %.*s", OI_SLICE_ARGS(oi_buffer_slice(text)));
    assert_int_equal(oi_json_kind(oi_json_root(json)), OI_JSON_OBJECT);
    oi_json_close(&json);
    oi_buffer_clear(text);
}

static void
each_stream(void (*visit)(const struct oi_dialect *, const struct oi_stream_route *))
{
    size_t count = 0;

    for (size_t i = 0; oi_dialects[i]; i++) {
        for (size_t k = 0; k < oi_dialects[i]->stream_count; k++, count++)
            visit(oi_dialects[i], &oi_dialects[i]->streams[k]);
    }
    print_message("%zu streams\n", count);
    assert_true(count >= 3);
}

static void
check_table(const struct oi_dialect *dialect, const struct oi_stream_route *stream)
{
    struct oi_buffer text = {};

    assert_true(stream->path[0] == '/' && stream->parse && stream->render_row);
    assert_true(!stream->read_message == !stream->render_reply);
    assert_true(!stream->has_key_in_messages || stream->read_message);
    assert_true(stream->stall_code >= 1000 && stream->stall_code < 5000);
    assert_true(!stream->warning || (stream->warning_percent > 0 && stream->warning_percent < 100));
    for (size_t i = 0; i < 2; i++) {
        const char *words = i == 0 ? stream->warning : stream->stall;

        if (!words)
            continue;
        oi_buffer_add_text(&text, words);
        parses(&text);
    }
    /* No request is answered at the path of a stream, and every mount has it. */
    for (const char *const *mount = dialect->mounts; *mount; mount++) {
        const struct oi_dialect *found = NULL;
        struct oi_http_request request = {};
        struct oi_slice under = {};

        oi_buffer_add_format(&text, "%s%s", *mount, stream->path);
        assert_ok(oi_http_parse_target(oi_buffer_slice(&text), &request, NULL));
        assert_ptr_equal(oi_dialects_stream(&request, &found, &under), stream);
        assert_ptr_equal(found, dialect);
        assert_true(oi_slice_is(under, *mount));
        assert_null(oi_dialects_route(&request, &found, &under));
        oi_http_request_release(&request);
        oi_buffer_clear(&text);
    }
    oi_buffer_release(&text);
}

static void
has_sound_tables(void **)
{
    each_stream(check_table);
}

static void
check_rows(const struct oi_dialect *, const struct oi_stream_route *stream)
{
    struct oi_instrument instrument = test_perpetual("binance", "usdm", "BTC\"USDT", "BTC", "USDT");
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_buffer text = {};

    reading.time = test_time("2026-06-09T01:00:00.25Z");
    for (unsigned known = 0; known < 8; known++) {
        struct oi_stream_row row = { &instrument, &reading, "live", 0, false, {}, {} };

        reading.open_interest = known & 1 ? test_decimal("81234.567") : (struct oi_decimal){};
        row.amount = reading.open_interest;
        row.usd = known & 2 ? test_decimal("8123456700") : (struct oi_decimal){};
        for (int is_pretty = 0; is_pretty < 2; is_pretty++) {
            stream->render_row(&row, is_pretty, &text);
            if (stream->render_end)
                stream->render_end(known, is_pretty, &text);
            parses(&text);
        }
    }
    oi_buffer_release(&text);
}

static void
words_every_row_as_one_object(void **)
{
    each_stream(check_rows);
}

static const char *const pieces[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"id\":",
    "\"method\":\"public/subscribe\"",
    "\"params\":",
    "\"channels\":",
    "\"type\":\"OPEN_INTEREST\"",
    "\"exchange\":\"BINANCE_FUTURES\"",
    "\"symbol\":\"BTCUSDT\"",
    "\"token\":\"\\u0000x\"",
    "\"method\":\"public/authenticate\"",
    "null",
    "-1e999",
    "\xff",
    "{\"method\":\"public/subscribe\",\"id\":[1],\"params\":{\"channels\":[{\"type\":"
    "\"OPEN_INTEREST\",\"exchange\":\"CME\",\"symbol\":\"A\"},3]}}",
    "{\"method\":\"public/unsubscribe\",\"params\":{\"channels\":[{\"type\":\"OPEN_INTEREST\","
    "\"exchange\":\"CME\",\"symbol\":\"A\"}]}}",
};

static void
check_messages(const struct oi_dialect *, const struct oi_stream_route *stream)
{
    struct oi_buffer text = {}, reply = {};
    struct oi_random random;

    oi_random_init(&random, 20'260'610);
    for (int i = 0; stream->read_message && i < MESSAGES; i++) {
        struct oi_stream_message message = { .query = OI_QUERY_EMPTY };
        size_t count = i % 2 ? 1 : oi_random_below(&random, 12);

        for (size_t k = 0; k < count; k++)
            oi_buffer_add_text(&text, pieces[oi_random_below(&random, OI_COUNT(pieces))]);
        stream->read_message(oi_buffer_slice(&text), &message);
        if (message.problem.kind != OI_PROBLEM_NONE)
            assert_int_equal(message.action, OI_STREAM_NOTHING);
        for (size_t k = 0; k < message.query.selectors.count; k++)
            assert_non_null(message.query.selectors.items[k].parameter);
        stream->render_reply(&message, &reply);
        parses(&reply);
        oi_query_release(&message.query);
        oi_buffer_clear(&text);
    }
    oi_buffer_release(&text);
    oi_buffer_release(&reply);
}

static void
answers_any_message(void **)
{
    print_message("seed 20260610\n");
    each_stream(check_messages);
}

static void
check_handshakes(const struct oi_dialect *dialect, const struct oi_stream_route *stream)
{
    static const char *const queries[] = {
        "?nosuch=1", "?markets=&market=", "?backfill=x&markets=a", "?encoding=y", "?pretty=2",
    };
    size_t refused = 0;

    for (size_t i = 0; i < OI_COUNT(queries); i++) {
        struct oi_call call = { .request_id = "id", .now = TEST_NOW };
        struct oi_http_request request = {};
        struct oi_query query = OI_QUERY_EMPTY;
        struct oi_problem problem = {};
        struct oi_http_reply reply = { .status = 200 };
        char target[256];

        (void) snprintf(target, sizeof(target), "%s%s", stream->path, queries[i]);
        assert_ok(oi_http_parse_target(oi_slice_of(target), &request, NULL));
        if (stream->parse(&call, &request, &query, &problem) != OI_OK) {
            dialect->render_problem(&call, &request, &problem, &reply);
            assert_int_equal(reply.status, 400);
            parses(&reply.body);
            refused++;
        }
        oi_query_release(&query);
        oi_http_request_release(&request);
        oi_http_reply_release(&reply);
    }
    assert_true(refused >= 3);
}

static void
refuses_handshakes_in_its_envelope(void **)
{
    each_stream(check_handshakes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(words_every_row_as_one_object),
        cmocka_unit_test(answers_any_message),
        cmocka_unit_test(refuses_handshakes_in_its_envelope),
    };
    return cmocka_run_group_tests_name("contract/streams", tests, NULL, NULL);
}
