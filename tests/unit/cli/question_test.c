/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/question.h"

#include "base/compiler.h"
#include "support/test.h"

static const struct oi_option table[] = {
    OI_OPTION_SELECTION, OI_OPTION_SPAN, OI_OPTION_SHAPE, OI_OPTION_MOMENT, OI_OPTION_LIMIT,
};

/* The question that flags make. Release both. */
struct asked {
    struct oi_options *options;
    struct oi_query query;
    struct oi_error error;
};

static enum oi_status
ask(struct asked *asked, int count, const char **flags)
{
    *asked = (struct asked){ .options = oi_options_new(table, OI_COUNT(table)),
                             .query = OI_QUERY_EMPTY };
    assert_ok(oi_options_read_flags(asked->options, count, (char **) flags, NULL));
    return oi_question_readings(asked->options, &asked->query, &asked->error);
}

static void
forget(struct asked *asked)
{
    oi_query_release(&asked->query);
    oi_options_free(&asked->options);
}

#define ASK(asked, ...)                                                                            \
    ask((asked), (int) OI_COUNT(((const char *[]){ __VA_ARGS__ })), (const char *[]){ __VA_ARGS__ })

static void
asks_for_readings_in_coins_on_one_side(void **)
{
    struct asked asked;

    assert_ok(ASK(&asked, "--market", "a:b:C", "--market=d:e:F", "--limit", "5"));
    assert_int_equal(asked.query.kind, OI_QUERY_ROWS);
    assert_int_equal(asked.query.unit, OI_UNIT_COINS);
    assert_true(asked.query.is_canonical);
    assert_true(asked.query.from_end);
    assert_int_equal(asked.query.limit, 5);
    assert_int_equal(asked.query.selectors.count, 2);
    assert_string_equal(asked.query.selectors.items[1].market, "d:e:F");
    assert_true(asked.query.selectors.items[1].must_match);
    forget(&asked);
}

static void
asks_for_candles_of_a_total(void **)
{
    struct asked asked;

    assert_ok(ASK(&asked, "--coin", "btc", "--exchange", "okx", "--kind", "perpetual", "--interval",
                  "1h", "--total", "--unit", "usd", "--convention", "as_reported", "--start",
                  "2026-01-01", "--end", "2026-01-02"));
    assert_int_equal(asked.query.kind, OI_QUERY_CANDLES);
    assert_true(asked.query.interval_ns == OI_HOUR);
    assert_int_equal(asked.query.unit, OI_UNIT_USD);
    assert_false(asked.query.is_canonical);
    assert_false(asked.query.from_end);
    assert_true(asked.query.span.to - asked.query.span.from == OI_DAY);
    assert_int_equal(asked.query.selectors.count, 1);
    assert_string_equal(asked.query.selectors.items[0].coin, "BTC");
    assert_string_equal(asked.query.selectors.items[0].exchanges.items[0], "okx");
    assert_int_equal(asked.query.selectors.items[0].kinds.items[0], OI_KIND_PERPETUAL);
    assert_true(asked.query.selectors.items[0].is_total);
    forget(&asked);
}

static void
says_what_does_not_go_together(void **)
{
    static const struct {
        const char *flags[8];
        int count;
        const char *message;
    } cases[] = {
        { { "--unit", "usd" },
          2,
          "say which markets: --market, --exchange or --coin (`oi markets` lists them)" },
        { { "--coin", "A", "--total" }, 3, "--total is made of candles: add --interval" },
        { { "--coin", "A", "--fill" }, 3, "--fill is made of candles: add --interval" },
        { { "--coin", "A", "--total", "--interval", "1h", "--unit", "reported" },
          7,
          "a total needs one unit: --unit coins, contracts or usd" },
        { { "--coin", "A", "--start", "2026-01-02", "--end", "2026-01-01" },
          6,
          "--end lies before --start: swap them" },
        { { "--coin", "A", "--kind", "swap" },
          4,
          "--kind must be perpetual, future, option or event, not \"swap\"" },
        { { "--coin", "A", "--unit", "btc" },
          4,
          "--unit must be reported, contracts, coins or usd, not \"btc\"" },
        { { "--coin", "A", "--limit", "0" },
          4,
          "--limit must be a whole number from 1 to 1000000000, not \"0\"" },
        { { "--coin", "A", "--as-of", "now" },
          4,
          "--as-of must be an ISO 8601 time such as 2026-03-07T00:00:00Z, not \"now\"" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct asked asked;

        assert_status(ask(&asked, cases[i].count, (const char **) cases[i].flags), OI_E_INVALID);
        assert_string_equal(asked.error.message, cases[i].message);
        forget(&asked);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_readings_in_coins_on_one_side),
        cmocka_unit_test(asks_for_candles_of_a_total),
        cmocka_unit_test(says_what_does_not_go_together),
    };
    return cmocka_run_group_tests_name("cli/question", tests, NULL, NULL);
}
