/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and actions as people write them, and the sentences that they get for mistakes. */
#include "alerts/alert_rule.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static void
refuses(const char *line, bool is_target, const char *words)
{
    struct oi_alert_rules rules = {};
    struct oi_error error = {};
    enum oi_status status =
        is_target
            ? oi_alert_rules_add_target(&rules, oi_slice_of(line), "line 7 of oi.conf", &error)
            : oi_alert_rules_add(&rules, oi_slice_of(line), "line 7 of oi.conf", &error);

    if (status != OI_E_INVALID)
        fail_msg("taken: %s", line);
    if (!strstr(error.message, words))
        fail_msg("\"%s\" is not in \"%s\"", words, error.message);
    assert_ptr_equal(strstr(error.message, "line 7 of oi.conf"), error.message);
    oi_alert_rules_release(&rules);
}

static void
a_rule_is_read_with_all_its_keys(void **)
{
    struct oi_alert_rules rules = {};
    const struct oi_alert_rule *rule;
    struct oi_decimal minus_five = oi_decimal_from(-5, 0), minus_three = oi_decimal_from(-3, 0);

    assert_ok(oi_alert_rules_add_target(
        &rules, OI_SLICE("ops url=https://example.com/x?y=1 timeout=3s give_up=2h"), "x", NULL));
    assert_ok(oi_alert_rules_add(
        &rules,
        OI_SLICE(
            "btc-falls  when=change over=1h below=-5% rearm=-3% coin=btc quote=usdt "
            "exchange=binance,okx kind=perpetual,future unit=usd for=5m cooldown=30m total=true "
            "severity=critical to=ops message=\"say \\\"{rule}\\\", {market}: {what}\""),
        "x", NULL));
    assert_ok(oi_alert_rules_check(&rules, NULL));
    rule = oi_alert_rules_find(&rules, "btc-falls");
    assert_non_null(rule);
    assert_int_equal(rule->when, OI_ALERT_CHANGE);
    assert_int_equal(rule->over_ns, OI_HOUR);
    assert_true(rule->is_below && rule->is_percent && rule->is_total);
    assert_true(oi_decimal_equal(&rule->threshold, &minus_five));
    assert_true(oi_decimal_equal(&rule->rearm, &minus_three));
    assert_string_equal(rule->coin, "BTC");
    assert_string_equal(rule->quote, "USDT");
    assert_int_equal(rule->exchanges.count, 2);
    assert_string_equal(rule->exchanges.items[1], "okx");
    assert_int_equal(rule->kinds.count, 2);
    assert_int_equal(rule->unit, OI_UNIT_USD);
    assert_int_equal(rule->hold_ns, 5 * OI_MINUTE);
    assert_int_equal(rule->cooldown_ns, 30 * OI_MINUTE);
    assert_int_equal(rule->severity, OI_ALERT_CRITICAL);
    assert_string_equal(rule->message, "say \"{rule}\", {market}: {what}");
    oi_alert_rules_release(&rules);
}

static void
a_mistake_is_named_with_its_line_and_key(void **)
{
    refuses("", false, "must begin with a name");
    refuses("when=level", false, "must begin with a name");
    refuses("r", false, "when is missing");
    refuses("r when=level above=1", false, "must choose the markets");
    refuses("r when=sometimes coin=BTC", false, "alert r: when must be level, change");
    refuses("r when=level coin=BTC", false, "above or below must be there");
    refuses("r when=level coin=BTC above=1 below=2", false, "above or below");
    refuses("r when=level coin=BTC above=much", false, "above must be a number");
    refuses("r when=level coin=BTC above=5%", false, "above must be a number without %");
    refuses("r when=share of=okx coin=BTC above=0.5", false, "above must be a percentage");
    refuses("r when=share of=okx exchange=okx coin=BTC above=50%", false, "use of");
    refuses("r when=level coin=BTC above=10 rearm=11", false, "rearm must lie on the quiet side");
    refuses("r when=level coin=BTC below=10 rearm=9", false, "rearm must lie on the quiet side");
    refuses("r when=change coin=BTC above=10% over=1h rearm=9", false,
            "rearm must be written like");
    refuses("r when=change coin=BTC above=10%", false, "over is missing");
    refuses("r when=change coin=BTC above=10% over=1x", false, "over must be a span");
    refuses("r when=change coin=BTC above=10% over=91d", false, "at most 90d");
    refuses("r when=level coin=BTC above=1 over=1h", false,
            "over means nothing to a rule on level");
    refuses("r when=regime coin=BTC over=1h", false, "regime is missing");
    refuses("r when=regime coin=BTC over=1h regime=none", false, "long_build_up");
    refuses("r when=regime coin=BTC over=1h regime=long_build_up total=true", false, "total");
    refuses("r when=freshness coin=BTC", false, "longer is missing");
    refuses("r when=gap coin=BTC cause=bored", false, "cause must be silent");
    refuses("r when=level coin=BTC above=1 kind=spot", false, "kind must be perpetual");
    refuses("r when=level coin=BTC above=1 unit=tons", false, "unit must be contracts");
    refuses("r when=level coin=BTC above=1 severity=red", false, "severity must be info");
    refuses("r when=level coin=BTC above=1 message={who}", false, "message must be");
    refuses("r when=level coin=BTC above=1 message=\xff", false, "message must be");
    refuses("r when=level coin=BTC above=1 colour=red", false, "colour is no key");
    refuses("r when=level coin=BTC above=1 above=2", false, "above is there twice");
    refuses("r when=level coin=BTC above=1 message=\"x", false, "message: the quote does not end");
    refuses("r when=level coin=BTC above", false, "\"above\" is not key=value");
    refuses("a url=https://x command=/bin/true", true, "url or command");
    refuses("a", true, "url or command");
    refuses("a url=ftp://x", true, "url must be an http(s) address");
    refuses("a command=true", true, "absolute path");
    refuses("a command=/bin/true secret_env=X", true, "mean nothing to a command");
    refuses("a url=https://x secret_env=X secret_file=y", true, "one too many");
    refuses("a url=https://x timeout=1h", true, "timeout must be a span");
    refuses("a url=https://x secret=hush", true, "secret is none of");
}

static void
a_name_is_given_once_and_actions_must_exist(void **)
{
    struct oi_alert_rules rules = {};
    struct oi_error error = {};
    const struct oi_slice line = OI_SLICE("r when=level coin=BTC above=1 to=nobody");

    assert_ok(oi_alert_rules_add(&rules, line, "x", NULL));
    assert_status(oi_alert_rules_add(&rules, line, "line 9", &error), OI_E_INVALID);
    assert_non_null(strstr(error.message, "line 9: there is another alert r"));
    assert_status(oi_alert_rules_check(&rules, &error), OI_E_INVALID);
    assert_non_null(strstr(error.message, "no alert_action"));
    oi_alert_rules_release(&rules);
}

static void
a_rule_that_is_only_told_otherwise_is_the_same(void **)
{
    struct oi_alert_rules rules = {};

    assert_ok(oi_alert_rules_add(&rules, OI_SLICE("a when=level coin=BTC above=1"), "x", NULL));
    assert_ok(oi_alert_rules_add(
        &rules, OI_SLICE("b above=1 severity=info coin=BTC message=x when=level"), "x", NULL));
    assert_ok(oi_alert_rules_add(&rules, OI_SLICE("c when=level coin=BTC above=2"), "x", NULL));
    assert_memory_equal(rules.items.items[0].identity, rules.items.items[1].identity,
                        OI_SHA256_SIZE);
    assert_memory_not_equal(rules.items.items[0].identity, rules.items.items[2].identity,
                            OI_SHA256_SIZE);
    oi_alert_rules_release(&rules);
}

static void
a_secret_comes_from_the_environment_and_a_missing_one_is_refused(void **)
{
    struct oi_alert_rules rules = {};
    struct oi_error error = {};

    assert_int_equal(setenv("OI_TEST_ALERT_SECRET", " hush\n", 1), 0);
    assert_ok(oi_alert_rules_add_target(
        &rules, OI_SLICE("a url=https://x secret_env=OI_TEST_ALERT_SECRET"), "x", NULL));
    assert_ok(oi_alert_rules_load_secrets(&rules, NULL));
    assert_string_equal(rules.targets.items[0].secret, "hush");
    assert_ok(oi_alert_rules_add_target(
        &rules, OI_SLICE("b url=https://x secret_file=/nonexistent"), "x", NULL));
    assert_status(oi_alert_rules_load_secrets(&rules, &error), OI_E_INVALID);
    assert_non_null(strstr(error.message, "alert_action b: cannot read /nonexistent"));
    assert_int_equal(unsetenv("OI_TEST_ALERT_SECRET"), 0);
    oi_alert_rules_release(&rules);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_read_with_all_its_keys),
        cmocka_unit_test(a_mistake_is_named_with_its_line_and_key),
        cmocka_unit_test(a_name_is_given_once_and_actions_must_exist),
        cmocka_unit_test(a_rule_that_is_only_told_otherwise_is_the_same),
        cmocka_unit_test(a_secret_comes_from_the_environment_and_a_missing_one_is_refused),
    };

    return cmocka_run_group_tests_name("alerts/alert_rule", tests, NULL, NULL);
}
