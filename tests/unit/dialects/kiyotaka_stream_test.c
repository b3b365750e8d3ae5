/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of the Kiyotaka dialect: each message it takes, each it refuses, and its rows. */
#include "dialects/kiyotaka_internal.h"

#include "support/test_dialect.h"

static void
read(const char *text, struct oi_stream_message *message)
{
    *message = (struct oi_stream_message){ .query = OI_QUERY_EMPTY };
    kiyotaka_stream.read_message(oi_slice_of(text), message);
}

static void
replies(struct oi_stream_message *message, const char *text)
{
    struct oi_buffer out = {};

    kiyotaka_stream.render_reply(message, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data, text);
    oi_buffer_release(&out);
    oi_query_release(&message->query);
}

static void
takes_a_key_by_message(void **)
{
    struct oi_stream_message message;

    read("{\"method\":\"public/authenticate\",\"params\":{\"token\":\"K\"}}", &message);
    assert_int_equal(message.action, OI_STREAM_KEY);
    assert_true(oi_slice_is(message.key, "K"));
    (void) oi_problem_set(&message.problem, OI_PROBLEM_KEY_WRONG, "", OI_SLICE(""), "no");
    replies(&message, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":"
                      "\"no\",\"data\":{\"error\":\"INVALID_API_KEY\"}}}");
}

static void
subscribes_to_each_channel(void **)
{
    struct oi_stream_message message;

    read("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"public/subscribe\",\"params\":{\"channels\":["
         "{\"type\":\"OPEN_INTEREST\",\"exchange\":\"BYBIT\",\"symbol\":\"BTCUSDT\",\"depth\":1},"
         "{\"type\":\"OPEN_INTEREST\",\"exchange\":\"DERIBIT\",\"symbol\":\"BTC-PERPETUAL\"}]}}",
         &message);
    assert_int_equal(message.action, OI_STREAM_SUBSCRIBE);
    assert_true(message.query.wants_latest);
    assert_int_equal(message.query.selectors.count, 2);
    assert_string_equal(message.query.selectors.items[1].exchanges.items[0], "DERIBIT");
    assert_string_equal(message.query.selectors.items[1].market, "BTC-PERPETUAL");
    replies(&message, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"ok\"}");
}

static void
says_what_is_wrong_with_a_message(void **)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        { "", "PARSE_ERROR" },
        { "[]", "PARSE_ERROR" },
        { "{}", "NOT_FOUND" },
        { "{\"method\":\"public/subscribe\"}", "INVALID_PARAMS" },
        { "{\"method\":\"public/subscribe\",\"params\":{\"channels\":[]}}", "INVALID_PARAMS" },
        { "{\"method\":\"public/subscribe\",\"params\":{\"channels\":[1]}}", "INVALID_PARAMS" },
        { "{\"method\":\"public/subscribe\",\"params\":{\"channels\":[{\"type\":\"TRADE\"}]}}",
          "INVALID_PARAMS" },
        { "{\"method\":\"public/subscribe\",\"params\":{\"channels\":[{\"type\":\"OPEN_INTEREST\","
          "\"exchange\":\"bybit\"}]}}",
          "INVALID_EXCHANGE" },
        { "{\"method\":\"public/subscribe\",\"params\":{\"channels\":[{\"type\":\"OPEN_INTEREST\","
          "\"exchange\":\"BYBIT\"}]}}",
          "INVALID_SYMBOL" },
    };
    struct oi_stream_message message;

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        read(cases[i].text, &message);
        assert_int_equal(message.action, OI_STREAM_NOTHING);
        assert_string_equal(message.problem.code, cases[i].code);
        oi_query_release(&message.query);
    }
}

static void
words_a_row_without_what_is_not_known(void **)
{
    struct oi_instrument instrument = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_stream_row row = { &instrument, &reading, "live", 0, false, test_decimal("2.5"), {} };
    struct oi_buffer out = {};

    reading.time = test_time("2026-06-09T03:02:00.5Z");
    assert_true(kiyotaka_stream.takes(&row, TEST_NOW, false));
    kiyotaka_stream.render_row(&row, false, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"public/subscription\",\"params\":{"
                        "\"channel\":{\"type\":\"OPEN_INTEREST\",\"exchange\":\"BINANCE_FUTURES\","
                        "\"symbol\":\"BTCUSDT\"},\"data\":{\"openInterest\":2.5,"
                        "\"timestamp\":{\"s\":1780974120,\"ns\":500000000}}}}");
    oi_buffer_release(&out);
    row.amount = (struct oi_decimal){};
    assert_false(kiyotaka_stream.takes(&row, TEST_NOW, false));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_key_by_message),
        cmocka_unit_test(subscribes_to_each_channel),
        cmocka_unit_test(says_what_is_wrong_with_a_message),
        cmocka_unit_test(words_a_row_without_what_is_not_known),
    };
    return cmocka_run_group_tests_name("dialects/kiyotaka_stream", tests, NULL, NULL);
}
