/* SPDX-License-Identifier: Apache-2.0 */
/* Coin Metrics: rows in every layout, pages, and the catalogue. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define ASK "/v4/timeseries/market-openinterest?markets=binance-BTCUSDT-future"

/* Two readings of the market in the vendor's sample. */
struct fixture {
    struct oi_instrument instrument;
    struct oi_market market;
    oi_time times[2];
    int64_t counts[2], usd[2];
    int8_t usd_exponents[2];
    struct oi_columns rows;
    struct oi_block block;
};

static void
fill(struct fixture *fixture)
{
    *fixture = (struct fixture){
        .instrument = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT"),
        .times = { test_time("2020-08-05T23:05:00Z"), test_time("2020-08-05T23:06:00Z") },
        .counts = { 35'074'075, 35'061'142 },
        .usd = { 40'881'044'079'225, 40'911'303'909'552 },
        .usd_exponents = { -5, -5 },
    };
    fixture->market = (struct oi_market){
        .instrument = &fixture->instrument,
        .first = fixture->times[0],
        .last = fixture->times[1],
    };
    fixture->rows =
        (struct oi_columns){ .count = 2, .time = fixture->times, .known_time = fixture->times };
    fixture->block = (struct oi_block){
        .market = &fixture->market,
        .count = 2,
        .rows = &fixture->rows,
        .amounts = { .mantissas = fixture->counts, .exponent = -3 },
        .usd = { .mantissas = fixture->usd, .exponents = fixture->usd_exponents },
    };
}

static void
render_fixture(struct test_exchange *exchange, struct fixture *fixture, const char *target,
               struct oi_position next)
{
    struct oi_result *result = oi_result_of_blocks(&fixture->block, 1, &fixture->market, 1);

    result->next_position = next;
    assert_ok(test_ask(exchange, target, NULL));
    assert_ok(test_render(exchange, result));
    assert_int_equal(exchange->reply.status, 200);
}

static void
writes_keys_in_the_order_of_the_vendor(void **)
{
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture);
    render_fixture(&exchange, &fixture, ASK, (struct oi_position){});
    test_body_is(&exchange,
                 "{\"data\":["
                 "{\"market\":\"binance-BTCUSDT-future\",\"time\":\"2020-08-05T23:05:00.000000000Z"
                 "\",\"contract_count\":\"35074.075\",\"value_usd\":\"408810440.79225\","
                 "\"database_time\":\"2020-08-05T23:05:00.000000000Z\",\"exchange_time\":\"2020-08-"
                 "05T23:05:00.000000000Z\"},"
                 "{\"market\":\"binance-BTCUSDT-future\",\"time\":\"2020-08-05T23:06:00.000000000Z"
                 "\",\"contract_count\":\"35061.142\",\"value_usd\":\"409113039.09552\","
                 "\"database_time\":\"2020-08-05T23:06:00.000000000Z\",\"exchange_time\":\"2020-08-"
                 "05T23:06:00.000000000Z\"}]}");
    assert_string_equal(test_header(&exchange, "Content-Type"), "application/json");
    assert_null(test_header(&exchange, "X-RateLimit-Remaining"));
    test_close(&exchange);
}

static void
answers_the_vendors_sample(void **)
{
    struct oi_json *expected = test_example("coinmetrics_market-openinterest.json"), *actual;
    struct test_exchange exchange;
    struct fixture fixture;

    if (!expected)
        return;
    fill(&fixture);
    render_fixture(&exchange, &fixture, ASK, (struct oi_position){});
    actual = test_body_json(&exchange);
    assert_true(test_nodes_equal(oi_json_root(expected), oi_json_root(actual)));
    oi_json_close(&actual);
    oi_json_close(&expected);
    test_close(&exchange);
}

static void
writes_an_unknown_figure_as_null_and_as_an_empty_cell(void **)
{
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture);
    fixture.usd_exponents[1] = OI_EXPONENT_NONE;
    render_fixture(&exchange, &fixture, ASK, (struct oi_position){});
    oi_buffer_add_char(&exchange.reply.body, '\0');
    assert_non_null(strstr(exchange.reply.body.data, "\"value_usd\":null,\"database_time\""));
    test_close(&exchange);
    render_fixture(&exchange, &fixture, ASK "&format=csv", (struct oi_position){});
    test_body_is(&exchange,
                 "market,time,contract_count,value_usd,database_time,exchange_time\n"
                 "binance-BTCUSDT-future,2020-08-05T23:05:00.000000000Z,35074.075,408810440.79225,"
                 "2020-08-05T23:05:00.000000000Z,2020-08-05T23:05:00.000000000Z\n"
                 "binance-BTCUSDT-future,2020-08-05T23:06:00.000000000Z,35061.142,,"
                 "2020-08-05T23:06:00.000000000Z,2020-08-05T23:06:00.000000000Z\n");
    assert_string_equal(test_header(&exchange, "Content-Type"), "text/csv");
    assert_null(test_header(&exchange, "x-next-page-url"));
    test_close(&exchange);
}

static void
streams_one_object_a_line_without_blank_lines(void **)
{
    struct test_exchange exchange;
    struct fixture fixture;
    struct oi_slice rest, line;
    size_t lines = 0;

    fill(&fixture);
    render_fixture(&exchange, &fixture, ASK "&format=json_stream", (struct oi_position){});
    assert_string_equal(test_header(&exchange, "Content-Type"), "application/x-ndjson");
    rest = oi_buffer_slice(&exchange.reply.body);
    assert_true(oi_slice_ends_with(rest, "}\n"));
    rest.size--;
    while (oi_slice_next_part(&rest, '\n', &line)) {
        struct oi_json *json = NULL;

        assert_ok(oi_json_open(line, &json, NULL));
        assert_int_equal(oi_json_count(oi_json_root(json)), 6);
        oi_json_close(&json);
        lines++;
    }
    assert_int_equal(lines, 2);
    test_close(&exchange);
}

static void
names_the_next_page_by_token_and_by_url(void **)
{
    const struct oi_position next = { .is_set = true, .market = 2, .time = 0 };
    struct test_exchange exchange;
    struct fixture fixture;
    struct oi_json *json;
    struct oi_slice token, url;

    fill(&fixture);
    render_fixture(&exchange, &fixture,
                   "/coinmetrics" ASK "&api_key=k%26y&pretty=true&next_page_token=1.MjAyMC0wNi0w"
                   "N1QwMDowMDowMFo",
                   next);
    json = test_body_json(&exchange);
    token = oi_json_text(oi_json_member(oi_json_root(json), "next_page_token"));
    url = oi_json_text(oi_json_member(oi_json_root(json), "next_page_url"));
    assert_true(oi_slice_is(token, "2.MTk3MC0wMS0wMVQwMDowMDowMC4wMDAwMDAwMDBa"));
    assert_true(oi_slice_is(
        url, "http://oi.test/coinmetrics/v4/timeseries/"
             "market-openinterest?markets=binance-BTCUSDT-future&api_key=k%26y&pretty=true&next_"
             "page_token=2.MTk3MC0wMS0wMVQwMDowMDowMC4wMDAwMDAwMDBa"));
    oi_json_close(&json);
    test_close(&exchange);
    render_fixture(&exchange, &fixture, ASK "&format=csv", next);
    assert_string_equal(test_header(&exchange, "x-next-page-url"),
                        "http://oi.test" ASK
                        "&format=csv&next_page_token=2.MTk3MC0wMS0wMVQwMDowMDowMC4wMDAwMDAwMDBa");
    test_close(&exchange);
}

static void
reads_back_the_token_it_gave(void **)
{
    const struct oi_position next = { .is_set = true,
                                      .market = 41,
                                      .time = 1'596'668'700'000'000'001 };
    struct test_exchange exchange, again;
    struct fixture fixture;
    struct oi_json *json;
    char target[512];

    fill(&fixture);
    render_fixture(&exchange, &fixture, ASK, next);
    json = test_body_json(&exchange);
    (void) snprintf(
        target, sizeof(target), ASK "&next_page_token=%.*s",
        OI_SLICE_ARGS(oi_json_text(oi_json_member(oi_json_root(json), "next_page_token"))));
    assert_ok(test_ask(&again, target, NULL));
    assert_int_equal(again.query.after.market, 41);
    assert_true(again.query.after.time == next.time);
    test_close(&again);
    oi_json_close(&json);
    test_close(&exchange);
}

static void
never_says_that_nothing_remains_on_success(void **)
{
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture);
    assert_ok(test_ask(&exchange, ASK, NULL));
    exchange.call.allowance.rate_limit = 10;
    exchange.call.allowance.rate_reset_s = 3;
    assert_ok(test_render(&exchange, oi_result_of_blocks(&fixture.block, 1, &fixture.market, 1)));
    assert_string_equal(test_header(&exchange, "X-RateLimit-Remaining"), "1");
    test_close(&exchange);
}

static void
allocates_nothing_for_a_row(void **)
{
    enum { ROWS = 1000 };
    static oi_time times[ROWS];
    static int64_t counts[ROWS];
    struct test_exchange exchange;
    struct fixture fixture;
    struct oi_rendering rendering;
    struct oi_buffer out = {};
    uint64_t before;
    bool is_last;

    fill(&fixture);
    for (size_t i = 0; i < ROWS; i++) {
        times[i] = fixture.times[0] + (oi_time) i * OI_MINUTE;
        counts[i] = fixture.counts[0] + (int64_t) i;
    }
    fixture.rows = (struct oi_columns){ .count = ROWS, .time = times, .known_time = times };
    fixture.block.count = ROWS;
    fixture.block.amounts.mantissas = fixture.block.usd.mantissas = counts;
    fixture.block.usd.exponents = NULL;
    assert_ok(test_ask(&exchange, ASK "&format=json_stream", NULL));
    rendering = (struct oi_rendering){
        .call = &exchange.call,
        .request = &exchange.request,
        .query = &exchange.query,
        .result = oi_result_of_blocks(&fixture.block, 1, &fixture.market, 1),
        .reply = &exchange.reply,
    };
    assert_non_null(oi_buffer_reserve(&out, ROWS * 300));
    before = oi_alloc_count();
    assert_ok(exchange.route->render(&rendering, &out, &is_last, NULL));
    /* The name of the market, its frame, and the state of the answer: none grows with the rows. */
    assert_true(oi_alloc_count() - before <= 12);
    assert_true(out.size > ROWS * 200);
    oi_result_close(&rendering.result);
    oi_buffer_release(&out);
    test_close(&exchange);
}

static void
answers_emptily_where_there_is_nothing(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(NULL, 0, NULL, 0)));
    test_body_is(&exchange, "{\"data\":[]}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v4/catalog-v2/market-openinterest?type=spot", NULL));
    assert_ok(test_render(&exchange, NULL));
    test_body_is(&exchange, "{\"data\":[]}");
    test_close(&exchange);
}

/* A result that fails. */
static enum oi_status
fail_next(struct oi_result *, const struct oi_block **, struct oi_error *error)
{
    return oi_fail(error, OI_E_CORRUPT, "damaged");
}

static void
close_nothing(struct oi_result *)
{
}

static void
has_one_content_type_when_an_answer_turns_into_a_refusal(void **)
{
    struct oi_result result = { .next = fail_next, .close = close_nothing };
    struct test_exchange exchange;
    size_t types = 0;

    assert_ok(test_ask(&exchange, ASK "&format=csv", NULL));
    assert_status(test_render(&exchange, &result), OI_E_CORRUPT);
    exchange.problem = (struct oi_problem){ .kind = OI_PROBLEM_UNAVAILABLE };
    test_refuse(&exchange);
    for (size_t i = 0; i < exchange.reply.headers.count; i++)
        types += oi_slice_is(exchange.reply.headers.items[i].name, "Content-Type");
    assert_int_equal(types, 1);
    assert_string_equal(test_header(&exchange, "Content-Type"), "application/json");
    test_close(&exchange);
}

static void
lists_markets_with_their_extents(void **)
{
    struct test_exchange exchange;
    struct fixture fixture;

    fill(&fixture);
    fixture.block.count = 0;
    render_fixture(&exchange, &fixture, "/v4/catalog-v2/market-openinterest",
                   (struct oi_position){});
    test_body_is(&exchange, "{\"data\":[{\"market\":\"binance-BTCUSDT-future\",\"min_time\":"
                            "\"2020-08-05T23:05:00.000000000Z\",\"max_time\":\"2020-08-05T23:06:00."
                            "000000000Z\"}]}");
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_keys_in_the_order_of_the_vendor),
        cmocka_unit_test(answers_the_vendors_sample),
        cmocka_unit_test(writes_an_unknown_figure_as_null_and_as_an_empty_cell),
        cmocka_unit_test(streams_one_object_a_line_without_blank_lines),
        cmocka_unit_test(names_the_next_page_by_token_and_by_url),
        cmocka_unit_test(reads_back_the_token_it_gave),
        cmocka_unit_test(never_says_that_nothing_remains_on_success),
        cmocka_unit_test(allocates_nothing_for_a_row),
        cmocka_unit_test(answers_emptily_where_there_is_nothing),
        cmocka_unit_test(has_one_content_type_when_an_answer_turns_into_a_refusal),
        cmocka_unit_test(lists_markets_with_their_extents),
    };
    return cmocka_run_group_tests_name("dialects/coinmetrics_render", tests, NULL, NULL);
}
