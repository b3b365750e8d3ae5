/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions that are understood, and those that are refused. */
#include "dialects/dialect.h"
#include "dialects/prometheus_internal.h"

#include "support/test_dialect.h"

static enum oi_status
read(const char *text, struct oi_query *query, struct oi_problem *problem)
{
    *query = OI_QUERY_EMPTY;
    *problem = (struct oi_problem){};
    return prometheus_read_expression(oi_slice_of(text), query, problem);
}

static void
turns_matchers_into_selectors(void **)
{
    struct oi_query query;
    struct oi_problem problem;
    const struct oi_selector *selector;

    assert_ok(read("oi_usd{exchange=~\"binance|okx\", coin='btc', kind=\"perpetual\",}", &query,
                   &problem));
    assert_int_equal(query.format, PROMETHEUS_USD);
    assert_int_equal(query.unit, OI_UNIT_USD);
    assert_true(query.is_canonical);
    assert_int_equal(query.selectors.count, 1);
    selector = &query.selectors.items[0];
    assert_int_equal(selector->exchanges.count, 2);
    assert_string_equal(selector->exchanges.items[1], "okx");
    assert_string_equal(selector->coin, "BTC");
    assert_int_equal(selector->kinds.items[0], OI_KIND_PERPETUAL);
    assert_false(selector->is_total);
    oi_query_release(&query);
}

static void
multiplies_what_a_selector_has_room_for_one_of(void **)
{
    struct oi_query query;
    struct oi_problem problem;

    assert_ok(read("oi_coins{coin=~\"BTC|ETH|SOL\",quote=~\"(USD|USDT)\"}", &query, &problem));
    assert_int_equal(query.selectors.count, 6);
    assert_string_equal(query.selectors.items[5].coin, "SOL");
    assert_string_equal(query.selectors.items[5].quote, "USDT");
    oi_query_release(&query);
    assert_ok(read("oi_coins{symbol=~\"BTC.*|ETH\\\\.P\"}", &query, &problem));
    assert_int_equal(query.selectors.count, 2);
    assert_string_equal(query.selectors.items[0].market, "*:BTC*");
    assert_true(query.selectors.items[0].is_pattern);
    assert_string_equal(query.selectors.items[1].market, "*:ETH.P");
    oi_query_release(&query);
}

static void
takes_all_as_no_condition(void **)
{
    static const char *const texts[] = { "oi_coins", "oi_coins{}", "oi_coins{coin=~\".*\"}",
                                         "{__name__=\"oi_coins\", exchange=~\".+\"}",
                                         " oi_coins { coin = \"\" } " };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        struct oi_query query;
        struct oi_problem problem;

        assert_ok(read(texts[i], &query, &problem));
        assert_int_equal(query.selectors.count, 1);
        assert_null(query.selectors.items[0].coin);
        assert_int_equal(query.selectors.items[0].exchanges.count, 0);
        oi_query_release(&query);
    }
}

static void
sums_whole_or_by_a_label_on_either_side(void **)
{
    static const char *const texts[] = { "sum by (exchange) (oi_usd{coin=\"BTC\"})",
                                         "sum(oi_usd{coin=\"BTC\"}) by (exchange)",
                                         "sum by(exchange)(oi_usd{coin=\"BTC\"})" };
    struct oi_query query;
    struct oi_problem problem;

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        assert_ok(read(texts[i], &query, &problem));
        assert_true(query.selectors.items[0].is_total);
        assert_int_equal(query.selectors.items[0].split, OI_SPLIT_EXCHANGE);
        oi_query_release(&query);
    }
    assert_ok(read("sum(oi_usd)", &query, &problem));
    assert_int_equal(query.selectors.items[0].split, OI_SPLIT_NONE);
    oi_query_release(&query);
}

static void
adds_numbers(void **)
{
    struct oi_query query;
    struct oi_problem problem;

    assert_ok(read("1+1", &query, &problem));
    assert_int_equal(query.kind, OI_QUERY_NONE);
    assert_string_equal(query.echo, "2");
    oi_query_release(&query);
    assert_ok(read("10 - 0.25 + 1", &query, &problem));
    assert_string_equal(query.echo, "10.75");
    oi_query_release(&query);
}

static void
refuses_what_it_would_answer_wrongly(void **)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "", "a metric is missing" },
        { "up", "there is no metric up" },
        { "rate(oi_usd[5m])", "of functions only sum" },
        { "oi_usd[5m]", "goes on where it should end" },
        { "oi_usd offset 1d", "goes on where it should end" },
        { "oi_usd / oi_coins", "goes on where it should end" },
        { "oi_usd * 2", "goes on where it should end" },
        { "oi_usd{coin!=\"BTC\"}", "only = and =~" },
        { "oi_usd{colour=\"red\"}", "no such label" },
        { "oi_usd{coin=\"BTC\"", "comma or }" },
        { "oi_usd{coin=BTC}", "in quotes" },
        { "oi_usd{coin=\"BTC}", "not closed" },
        { "oi_usd{coin=\"BTC\",coin=\"ETH\"}", "matched twice" },
        { "oi_usd{coin=~\"B[TC]+\"}", "only a|b|c" },
        { "oi_usd{kind=\"swap\"}", "perpetual, future" },
        { "oi_usd{settlement=\"linear\"}", "label to sum by" },
        { "oi_usd{market=\"a:b:c\",symbol=\"c\"}", "not both" },
        { "sum by (market) (oi_usd)", "by one of exchange" },
        { "sum by (coin, quote) (oi_usd)", "by one of exchange" },
        { "sum(oi_usd{coin=~\"BTC|ETH\"})", "only exchange and kind" },
        { "sum(oi_mark_price)", "prices are not summed" },
        { "sum(sum(oi_usd))", "there is no metric sum" },
        { "1 +", "not a number" },
        { "1..2", "not a number" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct oi_query query;
        struct oi_problem problem;

        if (read(cases[i].text, &query, &problem) != OI_E_INVALID)
            fail_msg("%s is taken", cases[i].text);
        if (!strstr(problem.message, cases[i].words))
            fail_msg("%s: %s", cases[i].text, problem.message);
        oi_query_release(&query);
    }
}

static void
bounds_alternatives_and_combinations(void **)
{
    struct oi_buffer text = {};
    struct oi_query query;
    struct oi_problem problem;

    oi_buffer_add_text(&text, "oi_usd{coin=~\"A");
    for (int i = 0; i < 20; i++)
        oi_buffer_add_text(&text, "|B");
    oi_buffer_add_text(&text, "\",quote=~\"A");
    for (int i = 0; i < 20; i++)
        oi_buffer_add_text(&text, "|B");
    oi_buffer_add_text(&text, "\"}");
    oi_buffer_add_char(&text, '\0');
    assert_status(read(text.data, &query, &problem), OI_E_INVALID);
    assert_non_null(strstr(problem.message, "200 combinations"));
    oi_query_release(&query);
    oi_buffer_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_matchers_into_selectors),
        cmocka_unit_test(multiplies_what_a_selector_has_room_for_one_of),
        cmocka_unit_test(takes_all_as_no_condition),
        cmocka_unit_test(sums_whole_or_by_a_label_on_either_side),
        cmocka_unit_test(adds_numbers),
        cmocka_unit_test(refuses_what_it_would_answer_wrongly),
        cmocka_unit_test(bounds_alternatives_and_combinations),
    };
    return cmocka_run_group_tests_name("dialects/prometheus_expression", tests, NULL, NULL);
}
