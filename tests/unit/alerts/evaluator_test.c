/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of rule, at its edges: what is told, when, and what is not. */
#include "alerts/evaluator.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define START (INT64_C(1767225600) * OI_SECOND)
#define MARKETS 3

static const char *const names[] = { "", "binance:usdm:BTCUSDT", "okx:swap:BTC-USDT-SWAP",
                                     "bybit:linear:BTCUSDT" };
static const char *const exchanges[] = { "", "binance", "okx", "bybit" };

/* An evaluator of one rule over three markets, and what it told as one text. */
struct bench {
    struct oi_alert_rules rules;
    struct oi_evaluator *evaluator;
    struct oi_buffer told;
    char ids[64][OI_ALERT_ID_SIZE];
    size_t count;
};

static void
note(void *context, const struct oi_alert_event *event)
{
    struct bench *bench = context;

    if (bench->told.size > 0)
        oi_buffer_add_char(&bench->told, ' ');
    oi_buffer_add_format(&bench->told, "%s%lld@%lld", event->is_resolved ? "-" : "+",
                         (long long) (event->market[0] == 't'                              ? 0
                                      : event->market[0] == 'b' && event->market[1] == 'i' ? 1
                                      : event->market[0] == 'o'                            ? 2
                                                                                           : 3),
                         (long long) ((event->at - START) / OI_SECOND));
    oi_buffer_add_char(&bench->told, '=');
    if (event->regime != OI_REGIME_NONE)
        oi_buffer_add_text(&bench->told, oi_alert_regime_name(event->regime));
    else if (event->cause != OI_HOLE_NONE)
        oi_buffer_add_text(&bench->told, oi_hole_cause_name(event->cause));
    else
        oi_decimal_write(&event->value, &bench->told);
    if (bench->count < 64)
        memcpy(bench->ids[bench->count++], event->id, OI_ALERT_ID_SIZE);
}

static void
add_market(struct bench *bench, uint32_t market)
{
    oi_evaluator_add(bench->evaluator, 0,
                     &(struct oi_alert_market){ .instrument = market,
                                                .name = names[market],
                                                .exchange = exchanges[market],
                                                .over_at = OI_TIME_LATEST });
}

static void
begin_alone(struct bench *bench, const char *rule)
{
    struct oi_error error = {};

    memset(bench, 0, sizeof(*bench));
    if (oi_alert_rules_add(&bench->rules, oi_slice_of(rule), "here", &error) != OI_OK)
        fail_msg("%s", error.message);
    bench->evaluator = oi_evaluator_new(&bench->rules, note, bench);
}

static void
begin(struct bench *bench, const char *rule)
{
    begin_alone(bench, rule);
    for (uint32_t i = 1; i <= MARKETS; i++)
        add_market(bench, i);
}

static void
end(struct bench *bench)
{
    oi_evaluator_free(&bench->evaluator);
    oi_alert_rules_release(&bench->rules);
    oi_buffer_release(&bench->told);
}

static struct oi_decimal
figure(const char *text)
{
    struct oi_decimal value = {};

    if (text)
        assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

/* A reading heard two seconds after its instant. */
static void
read_at(struct bench *bench, uint32_t market, int64_t second, const char *amount, const char *price)
{
    struct oi_alert_reading reading = { .instrument = market,
                                        .time = START + second * OI_SECOND,
                                        .heard = START + (second + 2) * OI_SECOND,
                                        .batch = 1,
                                        .price = figure(price),
                                        .staleness_ns = 15 * OI_MINUTE };

    reading.amounts[OI_UNIT_COINS] = figure(amount);
    oi_evaluator_read(bench->evaluator, &reading);
}

static void
tick(struct bench *bench, int64_t minute)
{
    oi_evaluator_tick(bench->evaluator, START + minute * OI_MINUTE);
}

/* What was told since the last time. */
static void
assert_told(struct bench *bench, const char *expected)
{
    oi_buffer_add_char(&bench->told, '\0');
    assert_string_equal(bench->told.data, expected);
    oi_buffer_clear(&bench->told);
}

static void
a_level_fires_past_its_threshold_and_not_at_it(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100");
    read_at(&bench, 1, 0, "100", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 60, "100.0000000000000000000000000001", NULL);
    assert_told(&bench, "+1@62=100.0000000000000000000000000001");
    read_at(&bench, 1, 120, "101", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 180, "100", NULL);
    assert_told(&bench, "-1@182=100");
    end(&bench);
}

static void
each_market_has_a_state_of_its_own(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC below=10");
    read_at(&bench, 1, 0, "9", NULL);
    read_at(&bench, 2, 0, "11", NULL);
    read_at(&bench, 3, 0, "1", NULL);
    assert_told(&bench, "+1@2=9 +3@2=1");
    read_at(&bench, 1, 60, "12", NULL);
    assert_told(&bench, "-1@62=12");
    end(&bench);
}

/* Whoever adds them anew names all of them. */
static void
add_late(struct bench *bench, const char *rule)
{
    begin_alone(bench, rule);
    add_market(bench, 1);
    add_market(bench, 3);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 1; i <= MARKETS; i++)
            add_market(bench, i);
}

static void
a_market_that_comes_late_counts_once_as_all_do(void **)
{
    struct bench bench;

    add_late(&bench, "r when=level total=true coin=BTC above=299");
    for (uint32_t market = 1; market <= MARKETS; market++)
        read_at(&bench, market, 0, "100", NULL);
    tick(&bench, 1);
    assert_told(&bench, "+0@60=300");
    end(&bench);
}

static void
a_market_that_comes_late_is_told_in_its_place(void **)
{
    struct bench bench;

    add_late(&bench, "r when=freshness longer=2m coin=BTC");
    for (uint32_t market = 1; market <= MARKETS; market++)
        read_at(&bench, market, 0, "100", NULL);
    for (int64_t minute = 1; minute <= 4; minute++)
        tick(&bench, minute);
    assert_told(&bench, "+1@180=180 +2@180=180 +3@180=180");
    end(&bench);
}

static void
between_threshold_and_rearm_nothing_changes(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100 rearm=90");
    read_at(&bench, 1, 0, "95", NULL);
    read_at(&bench, 1, 60, "101", NULL);
    assert_told(&bench, "+1@62=101");
    read_at(&bench, 1, 120, "95", NULL);
    read_at(&bench, 1, 180, "101", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 240, "90", NULL);
    assert_told(&bench, "-1@242=90");
    read_at(&bench, 1, 300, "95", NULL);
    assert_told(&bench, "");
    end(&bench);
}

static void
a_condition_must_hold_without_a_break(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100 for=3m");
    read_at(&bench, 1, 0, "101", NULL);
    read_at(&bench, 1, 60, "101", NULL);
    read_at(&bench, 1, 120, "99", NULL);
    read_at(&bench, 1, 180, "101", NULL);
    read_at(&bench, 1, 240, "101", NULL);
    read_at(&bench, 1, 300, "101", NULL);
    assert_told(&bench, "");
    tick(&bench, 6);
    assert_told(&bench, "");
    read_at(&bench, 1, 360, "102", NULL);
    assert_told(&bench, "+1@362=102");
    end(&bench);
}

static void
a_minute_fires_what_has_held_while_its_reading_is_fresh(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100 for=3m");
    read_at(&bench, 1, 0, "101", NULL);
    tick(&bench, 3);
    assert_told(&bench, "");
    tick(&bench, 4);
    assert_told(&bench, "+1@240=101");
    end(&bench);
    begin(&bench, "r when=level coin=BTC above=100 for=20m");
    read_at(&bench, 1, 0, "101", NULL);
    tick(&bench, 16);
    tick(&bench, 21);
    assert_told(&bench, "");
    end(&bench);
}

static void
a_cool_down_holds_back_the_next_firing_and_then_lets_it_go(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100 cooldown=10m");
    read_at(&bench, 1, 0, "101", NULL);
    read_at(&bench, 1, 60, "99", NULL);
    read_at(&bench, 1, 120, "101", NULL);
    assert_told(&bench, "+1@2=101 -1@62=99");
    tick(&bench, 10);
    assert_told(&bench, "");
    tick(&bench, 11);
    assert_told(&bench, "+1@660=101");
    end(&bench);
}

static void
late_rows_are_passed_over_and_revisions_take_their_place(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100");
    read_at(&bench, 1, 60, "50", NULL);
    read_at(&bench, 1, 0, "500", NULL); /* late */
    assert_told(&bench, "");
    read_at(&bench, 1, 60, "150", NULL); /* a revision */
    assert_told(&bench, "+1@62=150");
    read_at(&bench, 1, 60, "60", NULL);
    assert_told(&bench, "-1@62=60");
    assert_string_not_equal(bench.ids[0], bench.ids[1]);
    end(&bench);
}

static void
a_figure_that_cannot_be_turned_neither_fires_nor_ends_anything(void **)
{
    struct bench bench;

    begin(&bench, "r when=level coin=BTC above=100");
    read_at(&bench, 1, 0, NULL, NULL);
    read_at(&bench, 1, 60, "101", NULL);
    read_at(&bench, 1, 120, NULL, NULL);
    assert_told(&bench, "+1@62=101");
    end(&bench);
}

static void
a_change_is_measured_against_the_figure_so_long_ago(void **)
{
    struct bench bench;

    begin(&bench, "r when=change over=10m coin=BTC below=-5%");
    read_at(&bench, 1, 0, "200", NULL);
    read_at(&bench, 1, 300, "100", NULL); /* nothing is ten minutes old yet */
    assert_told(&bench, "");
    read_at(&bench, 1, 600, "190", NULL); /* exactly 5 % */
    assert_told(&bench, "");
    read_at(&bench, 1, 660, "189.9", NULL);
    assert_told(&bench, "+1@662=-5.05");
    read_at(&bench, 1, 900, "100", NULL); /* against 100 at 300 s */
    assert_told(&bench, "-1@902=0");
    end(&bench);
}

static void
an_absolute_change_is_exact(void **)
{
    struct bench bench;

    begin(&bench, "r when=change over=1m coin=BTC above=0.0000000000000000001");
    read_at(&bench, 1, 0, "100000000000", NULL);
    read_at(&bench, 1, 60, "100000000000.0000000000000000001", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 120, "100000000000.0000000000000000003", NULL);
    assert_told(&bench, "+1@122=0.0000000000000000002");
    end(&bench);
}

static void
across_a_gap_there_is_no_change(void **)
{
    struct bench bench;

    begin(&bench, "r when=change over=10m coin=BTC above=1%");
    read_at(&bench, 1, 0, "100", NULL);
    read_at(&bench, 1, 10000, "200", NULL); /* what was ten minutes before it, nobody knows */
    read_at(&bench, 1, 10060, "200", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 10660, "300", NULL);
    assert_told(&bench, "+1@10662=50");
    end(&bench);
}

static void
from_zero_there_is_no_percentage(void **)
{
    struct bench bench;

    begin(&bench, "r when=change over=1m coin=BTC above=1%");
    read_at(&bench, 1, 0, "0", NULL);
    read_at(&bench, 1, 60, "100", NULL);
    assert_told(&bench, "");
    end(&bench);
}

static void
a_score_wants_ten_figures_and_a_deviation(void **)
{
    struct bench bench;

    begin(&bench, "r when=zscore over=1h coin=BTC above=3");
    for (int64_t i = 0; i < 9; i++)
        read_at(&bench, 1, 60 * i, i % 2 ? "101" : "99", NULL);
    read_at(&bench, 1, 540, "200", NULL); /* nine before it */
    assert_told(&bench, "");
    end(&bench);
    begin(&bench, "r when=zscore over=1h coin=BTC above=3");
    for (int64_t i = 0; i < 10; i++)
        read_at(&bench, 1, 60 * i, i % 2 ? "101" : "99", NULL);
    read_at(&bench, 1, 600, "103", NULL); /* mean 100, deviation 1: exactly 3 */
    assert_told(&bench, "");
    end(&bench);
    begin(&bench, "r when=zscore over=1h coin=BTC above=3");
    for (int64_t i = 0; i < 10; i++)
        read_at(&bench, 1, 60 * i, i % 2 ? "101" : "99", NULL);
    read_at(&bench, 1, 600, "104", NULL);
    assert_told(&bench, "+1@602=4");
    end(&bench);
    begin(&bench, "r when=zscore over=1h coin=BTC above=3");
    for (int64_t i = 0; i < 20; i++)
        read_at(&bench, 1, 60 * i, "100", NULL); /* no deviation */
    read_at(&bench, 1, 1200, "104", NULL);
    assert_told(&bench, "");
    end(&bench);
}

static void
four_regimes_follow_from_two_directions(void **)
{
    static const struct {
        const char *amount, *price, *told;
    } cases[] = {
        { "101", "51", "+1@602=long_build_up" },
        { "101", "49", "+1@602=short_build_up" },
        { "99", "49", "+1@602=long_unwinding" },
        { "99", "51", "+1@602=short_covering" },
        { "101", "50", "" },
        { "100", "51", "" },
        { "101", NULL, "" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct bench bench;

        begin(&bench, "r when=regime over=10m coin=BTC "
                      "regime=long_build_up,short_build_up,long_unwinding,short_covering");
        read_at(&bench, 1, 0, "100", "50");
        read_at(&bench, 1, 600, cases[i].amount, cases[i].price);
        assert_told(&bench, cases[i].told);
        end(&bench);
    }
}

static void
a_regime_may_ask_for_more_than_noise_and_ends_with_another(void **)
{
    struct bench bench;

    begin(&bench, "r when=regime over=10m coin=BTC regime=long_build_up moves=2% price_moves=1%");
    read_at(&bench, 1, 0, "100", "50");
    read_at(&bench, 1, 600, "101.9", "51");
    assert_told(&bench, "");
    read_at(&bench, 1, 610, "102", "50.5");
    assert_told(&bench, "+1@612=long_build_up");
    read_at(&bench, 1, 1210, "90", "49");
    assert_told(&bench, "-1@1212=long_unwinding");
    end(&bench);
}

static void
a_total_is_judged_by_the_minute_and_not_while_a_member_is_missing(void **)
{
    struct bench bench;

    begin(&bench, "r when=level total=true coin=BTC below=250");
    read_at(&bench, 1, 0, "100", NULL);
    read_at(&bench, 2, 0, "100", NULL);
    read_at(&bench, 3, 0, "100", NULL);
    tick(&bench, 1);
    assert_told(&bench, "");
    for (int64_t minute = 1; minute <= 20; minute++) {
        read_at(&bench, 1, minute * 60, "100", NULL);
        read_at(&bench, 2, minute * 60, "100", NULL);
        tick(&bench, minute + 1);
    }
    assert_told(&bench, ""); /* the third fell silent: the rest is not the total */
    read_at(&bench, 3, 1260, "40", NULL);
    tick(&bench, 22);
    assert_told(&bench, "+0@1320=240");
    end(&bench);
}

static void
a_share_is_compared_exactly(void **)
{
    struct bench bench;

    begin(&bench, "r when=share of=binance coin=BTC above=40%");
    read_at(&bench, 1, 0, "40", NULL);
    read_at(&bench, 2, 0, "30", NULL);
    read_at(&bench, 3, 0, "30", NULL);
    tick(&bench, 1);
    assert_told(&bench, "");
    read_at(&bench, 1, 60, "40.000000000000000001", NULL);
    tick(&bench, 2);
    assert_told(&bench, "+0@120=40");
    read_at(&bench, 1, 120, "20", NULL);
    tick(&bench, 3);
    assert_told(&bench, "-0@180=25");
    end(&bench);
}

static void
freshness_fires_when_a_market_falls_silent_and_not_before_it_spoke(void **)
{
    struct bench bench;

    begin(&bench, "r when=freshness longer=5m coin=BTC");
    tick(&bench, 100);
    assert_told(&bench, "");
    read_at(&bench, 1, 6000, "1", NULL);
    tick(&bench, 105);
    assert_told(&bench, "");
    tick(&bench, 106);
    assert_told(&bench, "+1@6360=360");
    read_at(&bench, 1, 6360, "1", NULL);
    tick(&bench, 107);
    assert_told(&bench, "-1@6420=60");
    end(&bench);
}

static void
a_gap_fires_by_its_cause(void **)
{
    struct bench bench;

    begin(&bench, "r when=gap cause=blocked,unreachable coin=BTC");
    oi_evaluator_tell_gap(bench.evaluator, 1, OI_HOLE_SILENT);
    oi_evaluator_tell_gap(bench.evaluator, 2, OI_HOLE_BLOCKED);
    tick(&bench, 1);
    assert_told(&bench, "+2@60=blocked");
    oi_evaluator_tell_gap(bench.evaluator, 2, OI_HOLE_UNREACHABLE);
    tick(&bench, 2);
    assert_told(&bench, "");
    oi_evaluator_tell_gap(bench.evaluator, 2, OI_HOLE_NONE);
    tick(&bench, 3);
    assert_told(&bench, "-2@180=");
    end(&bench);
}

static void
what_has_expired_fires_no_more_and_is_over(void **)
{
    struct bench bench;
    struct oi_alert_market market = { .instrument = 1,
                                      .name = names[1],
                                      .exchange = exchanges[1],
                                      .over_at = START + 5 * OI_MINUTE };

    begin(&bench, "r when=freshness longer=2m coin=BTC");
    oi_evaluator_add(bench.evaluator, 0, &market);
    read_at(&bench, 1, 0, "1", NULL);
    tick(&bench, 3);
    tick(&bench, 4);
    assert_told(&bench, "+1@180=180");
    tick(&bench, 5);
    tick(&bench, 9);
    assert_told(&bench, "-1@300=");
    end(&bench);
}

static void
what_is_before_the_beginning_fills_windows_alone(void **)
{
    struct bench bench;

    begin(&bench, "r when=change over=10m coin=BTC above=5%");
    oi_evaluator_begin(bench.evaluator, 0, START + 605 * OI_SECOND);
    read_at(&bench, 1, 0, "100", NULL);
    read_at(&bench, 1, 600, "200", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 610, "200", NULL);
    assert_told(&bench, "+1@612=100");
    end(&bench);
}

static void
a_saved_latch_goes_on_where_it_was(void **)
{
    const struct oi_alert_latch firing = { .state = OI_ALERT_FIRING,
                                           .since = START,
                                           .fired = START + 2 * OI_SECOND,
                                           .fired_time = START };
    struct bench bench;
    char fired[OI_ALERT_ID_SIZE];

    begin(&bench, "r when=level coin=BTC above=100");
    read_at(&bench, 1, 0, "101", NULL);
    memcpy(fired, bench.ids[0], sizeof(fired));
    end(&bench);
    begin(&bench, "r when=level coin=BTC above=100");
    oi_evaluator_restore(bench.evaluator, 0, 1, &firing);
    read_at(&bench, 1, 60, "101", NULL);
    assert_told(&bench, "");
    read_at(&bench, 1, 120, "99", NULL);
    assert_told(&bench, "-1@122=99");
    read_at(&bench, 1, 0, "101", NULL);
    end(&bench);
    /* The same firing has the same id, wherever it is made. */
    begin(&bench, "r when=level coin=BTC above=100");
    read_at(&bench, 1, 0, "101", NULL);
    assert_string_equal(bench.ids[0], fired);
    end(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_fires_past_its_threshold_and_not_at_it),
        cmocka_unit_test(each_market_has_a_state_of_its_own),
        cmocka_unit_test(a_market_that_comes_late_counts_once_as_all_do),
        cmocka_unit_test(a_market_that_comes_late_is_told_in_its_place),
        cmocka_unit_test(between_threshold_and_rearm_nothing_changes),
        cmocka_unit_test(a_condition_must_hold_without_a_break),
        cmocka_unit_test(a_minute_fires_what_has_held_while_its_reading_is_fresh),
        cmocka_unit_test(a_cool_down_holds_back_the_next_firing_and_then_lets_it_go),
        cmocka_unit_test(late_rows_are_passed_over_and_revisions_take_their_place),
        cmocka_unit_test(a_figure_that_cannot_be_turned_neither_fires_nor_ends_anything),
        cmocka_unit_test(a_change_is_measured_against_the_figure_so_long_ago),
        cmocka_unit_test(an_absolute_change_is_exact),
        cmocka_unit_test(across_a_gap_there_is_no_change),
        cmocka_unit_test(from_zero_there_is_no_percentage),
        cmocka_unit_test(a_score_wants_ten_figures_and_a_deviation),
        cmocka_unit_test(four_regimes_follow_from_two_directions),
        cmocka_unit_test(a_regime_may_ask_for_more_than_noise_and_ends_with_another),
        cmocka_unit_test(a_total_is_judged_by_the_minute_and_not_while_a_member_is_missing),
        cmocka_unit_test(a_share_is_compared_exactly),
        cmocka_unit_test(freshness_fires_when_a_market_falls_silent_and_not_before_it_spoke),
        cmocka_unit_test(a_gap_fires_by_its_cause),
        cmocka_unit_test(what_has_expired_fires_no_more_and_is_over),
        cmocka_unit_test(what_is_before_the_beginning_fills_windows_alone),
        cmocka_unit_test(a_saved_latch_goes_on_where_it_was),
    };

    return cmocka_run_group_tests_name("alerts/evaluator", tests, NULL, NULL);
}
