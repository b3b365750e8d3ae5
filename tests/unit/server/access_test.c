/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access.h"

#include "support/test.h"
#include "support/test_folder.h"

#include <string.h>

#define NOON (INT64_C(1'772'884'800) * OI_SECOND) /* 2026-03-07T12:00Z */

static const char *const keys[] = { "kwery_live_0123456789", "another-key" };

static struct oi_access *
open_access(struct oi_access_options options)
{
    struct oi_access *access = NULL;
    struct oi_error error = {};

    if (oi_access_new(&options, &access, &error) != OI_OK)
        fail_msg("%s", error.message);
    return access;
}

static void
lets_everybody_in_while_there_are_no_keys(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access((struct oi_access_options){ .address = "127.0.0.1" });

    assert_int_equal(oi_access_check_key(access, OI_SLICE("")), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("anything")), OI_KEY_FINE);
    assert_false(oi_access_is_operator(access, OI_SLICE("anything")));
}

static void
tells_a_missing_key_from_a_wrong_one(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access(
        (struct oi_access_options){ .rules = { .keys = keys, .key_count = OI_COUNT(keys) } });

    assert_int_equal(oi_access_check_key(access, OI_SLICE("another-key")), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("kwery_live_0123456789")), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("another-ke")), OI_KEY_WRONG);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("")), OI_KEY_MISSING);
    assert_true(oi_access_is_operator(access, OI_SLICE("another-key")));
}

static void
refuses_plans_that_are_not_there(void **)
{
    const struct oi_access_options options = { .rules = { .key_plan = "nothing" } };
    struct oi_access *access = NULL;
    struct oi_error error = {};

    assert_status(oi_access_new(&options, &access, &error), OI_E_INVALID);
    assert_non_null(strstr(error.message, "nothing"));
}

struct asked {
    struct oi_grant grant;
    struct oi_allowance allowance;
    unsigned retry_after_s;
};

static enum oi_key_verdict
ask(struct oi_access *access, struct oi_visit visit, struct asked *asked)
{
    if (visit.now == 0)
        visit.now = NOON;
    if (visit.peer.size == 0)
        visit.peer = OI_SLICE("127.0.0.1");
    visit.monotonic_ns = visit.now;
    *asked = (struct asked){};
    return oi_access_admit(access, &visit, &asked->grant, &asked->allowance, &asked->retry_after_s);
}

static enum oi_key_verdict
settle(struct oi_access *access, enum oi_cost cost, uint64_t price, struct asked *asked)
{
    const struct oi_visit visit = { .cost = cost, .now = NOON, .monotonic_ns = NOON };

    return oi_access_settle(access, &visit, &asked->grant, price, &asked->retry_after_s);
}

static void
a_plan_of_calls_ends_and_begins_again_with_the_month(void **)
{
    static const char *const plans[] = { "tiny calls=3" };
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access((struct oi_access_options){
        .rules = { keys, 2, .plans = plans, .plan_count = 1, .key_plan = "tiny" } });
    const struct oi_visit visit = { .key = OI_SLICE("another-key") };
    struct oi_visit later = visit;
    struct asked asked;

    later.now = NOON + 31 * OI_DAY;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
        assert_int_equal(asked.allowance.credits_limit, 3);
        assert_int_equal(asked.allowance.credits_left, 2 - i);
    }
    assert_int_equal(ask(access, visit, &asked), OI_KEY_USED_UP);
    assert_int_equal(asked.retry_after_s, 24 * 86'400 + 43'200); /* until April */
    assert_int_equal(
        ask(access, (struct oi_visit){ .key = OI_SLICE("kwery_live_0123456789") }, &asked),
        OI_KEY_FINE); /* each key by itself */
    assert_int_equal(ask(access, later, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 2);
}

static void
what_was_not_answered_is_given_back(void **)
{
    static const char *const plans[] = { "tiny calls=1" };
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access((struct oi_access_options){
        .rules = { keys, 2, .plans = plans, .plan_count = 1, .key_plan = "tiny" } });
    const struct oi_visit visit = { .key = OI_SLICE("another-key") };
    struct asked asked;

    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    oi_access_refund(access, &asked.grant);
    oi_access_refund(access, &asked.grant); /* once is enough */
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(ask(access, visit, &asked), OI_KEY_USED_UP);
}

static void
credits_are_taken_when_the_price_is_known(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access =
        open_access((struct oi_access_options){ .rules = { keys, 2, .key_plan = "kwery-free" } });
    const struct oi_visit visit = { .key = OI_SLICE("another-key"), .cost = OI_COST_CREDITS };
    struct asked asked;

    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 150'000);
    assert_int_equal(asked.allowance.rows_max, 100);
    assert_string_equal(asked.allowance.plan, "free");
    assert_int_equal(settle(access, OI_COST_CREDITS, 350, &asked), OI_KEY_FINE);
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 149'650);
    assert_int_equal(settle(access, OI_COST_CREDITS, 149'651, &asked), OI_KEY_USED_UP);
    assert_true(asked.retry_after_s > 0);
    assert_int_equal(settle(access, OI_COST_CREDITS, 0, &asked), OI_KEY_FINE);
    /* Another vendor's answers have no price: so much a call, so much a row. */
    assert_int_equal(ask(access, (struct oi_visit){ .key = OI_SLICE("another-key") }, &asked),
                     OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 149'600);
    oi_access_charge_rows(access, &asked.grant, 10);
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 149'570);
    oi_access_charge_rows(access, &asked.grant, 10); /* it has a price of its own */
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 149'570);
}

static void
weights_empty_the_bucket_and_metadata_is_free(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access(
        (struct oi_access_options){ .rules = { keys, 2, .key_plan = "kiyotaka-free" } });
    const struct oi_visit visit = { .key = OI_SLICE("another-key"), .cost = OI_COST_WEIGHT };
    struct asked asked;

    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_true(asked.allowance.rate_is_weight);
    assert_int_equal(asked.allowance.rate_left, 20);
    assert_int_equal(settle(access, OI_COST_WEIGHT, 0, &asked), OI_KEY_FINE);
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.rate_left, 20);
    assert_int_equal(settle(access, OI_COST_WEIGHT, 18, &asked), OI_KEY_FINE);
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(asked.allowance.rate_left, 2);
    assert_int_equal(settle(access, OI_COST_WEIGHT, 3, &asked), OI_KEY_TOO_FAST);
    assert_int_equal(asked.retry_after_s, 6);
    assert_int_equal(settle(access, OI_COST_WEIGHT, 100, &asked), OI_KEY_TOO_FAST);
    assert_int_equal(asked.retry_after_s, 60);
}

static void
guests_are_limited_where_others_can_come(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *near = open_access((struct oi_access_options){ .address = "127.0.0.1" });
    OI_CLEANUP(oi_access_free)
    struct oi_access *far =
        open_access((struct oi_access_options){ .address = "0.0.0.0", .is_open = true });
    struct asked asked;

    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(ask(near, (struct oi_visit){}, &asked), OI_KEY_FINE);
        assert_int_equal(asked.allowance.rate_limit, 0);
        assert_int_equal(ask(far, (struct oi_visit){ .peer = OI_SLICE("10.0.0.1") }, &asked),
                         OI_KEY_FINE);
    }
    assert_int_equal(ask(near, (struct oi_visit){}, &asked), OI_KEY_FINE);
    assert_int_equal(ask(far, (struct oi_visit){ .peer = OI_SLICE("10.0.0.1") }, &asked),
                     OI_KEY_TOO_FAST);
    assert_int_equal(asked.retry_after_s, 1);
    assert_int_equal(ask(far, (struct oi_visit){ .peer = OI_SLICE("10.0.0.2") }, &asked),
                     OI_KEY_FINE);
}

static void
a_plan_for_guests_opens_a_locked_door_to_them(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access(
        (struct oi_access_options){ .rules = { keys, 2, .guest_plan = "coinmetrics-community" } });
    struct asked asked;

    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(ask(access, (struct oi_visit){}, &asked), OI_KEY_FINE);
        assert_int_equal(asked.allowance.rate_left, 9 - i);
    }
    assert_int_equal(ask(access, (struct oi_visit){}, &asked), OI_KEY_TOO_FAST);
    assert_int_equal(ask(access, (struct oi_visit){ .key = OI_SLICE("guess") }, &asked),
                     OI_KEY_WRONG);
    assert_int_equal(ask(access, (struct oi_visit){ .key = OI_SLICE("another-key") }, &asked),
                     OI_KEY_FINE);
}

static struct oi_usage *
open_usage(const char *folder)
{
    struct oi_usage *usage = NULL;

    assert_ok(oi_usage_open(folder, &usage, NULL));
    return usage;
}

static void
a_key_that_is_made_or_revoked_counts_at_once(void **state)
{
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = open_usage(*state);
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access((struct oi_access_options){ .usage = usage });
    struct oi_key_record record = { .plan = "oanor-free", .revoked = OI_TIME_NONE };
    char key[OI_KEY_TEXT_SIZE];

    assert_false(oi_access_has_keys(access));
    assert_ok(oi_usage_add_key(usage, "", &record, key, NULL));
    assert_ok(oi_access_refresh(access, NULL));
    assert_int_equal(oi_access_check_key(access, oi_slice_of(key)), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("x")), OI_KEY_WRONG);
    assert_false(oi_access_is_operator(access, oi_slice_of(key)));
    record.revoked = NOON;
    assert_ok(oi_usage_put_key(usage, &record, NULL));
    assert_ok(oi_access_refresh(access, NULL));
    assert_int_equal(oi_access_check_key(access, oi_slice_of(key)), OI_KEY_WRONG);
    assert_ok(oi_usage_forget_key(usage, &record, NULL));
    assert_ok(oi_access_refresh(access, NULL));
    /* The last key is gone, and the door stays locked. */
    assert_int_equal(oi_access_check_key(access, OI_SLICE("")), OI_KEY_MISSING);
}

static void
an_end_in_peace_gives_back_what_a_crash_would_eat(void **state)
{
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = open_usage(*state);
    struct oi_access_options options = { .usage = usage,
                                         .rules = { keys, 2, .key_plan = "oanor-free" } };
    struct oi_access *access = open_access(options);
    struct oi_usage_account account = { .month = oi_usage_month(NOON) };
    struct asked asked;
    uint64_t reserved;

    oi_sha256(OI_SLICE("another-key"), account.hash);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ask(access, (struct oi_visit){ .key = OI_SLICE("another-key") }, &asked),
                         OI_KEY_FINE);
    /* Before anything is given out, a block of it is durable: 1 % of 5,000. */
    assert_ok(oi_usage_reserved(usage, &account, &reserved, NULL));
    assert_int_equal(reserved, 50);
    oi_access_free(&access);
    assert_ok(oi_usage_reserved(usage, &account, &reserved, NULL));
    assert_int_equal(reserved, 3);
    access = open_access(options);
    assert_int_equal(ask(access, (struct oi_visit){ .key = OI_SLICE("another-key") }, &asked),
                     OI_KEY_FINE);
    assert_int_equal(asked.allowance.credits_left, 4'996);
    oi_access_free(&access);
}

static void
other_rules_keep_what_was_used(void **)
{
    static const char *const plans[] = { "tiny calls=2" };
    struct oi_access_rules rules = { keys, 2, .plans = plans, .plan_count = 1, .key_plan = "tiny" };
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access((struct oi_access_options){ .rules = rules });
    const struct oi_visit visit = { .key = OI_SLICE("another-key") };
    struct asked asked;

    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_ok(oi_access_set_rules(access, &rules, NULL));
    assert_int_equal(ask(access, visit, &asked), OI_KEY_FINE);
    assert_int_equal(ask(access, visit, &asked), OI_KEY_USED_UP);
    rules.key_plan = "nothing";
    assert_status(oi_access_set_rules(access, &rules, NULL), OI_E_INVALID);
    rules.key_plan = NULL;
    rules.key_count = 1;
    assert_ok(oi_access_set_rules(access, &rules, NULL));
    assert_int_equal(ask(access, visit, &asked), OI_KEY_WRONG);
}

static bool
host_is_fine(const struct oi_access *access, const char *host)
{
    struct oi_slice slice = oi_slice_of(host);

    return oi_access_check_host(access, &slice);
}

static void
answers_only_to_its_own_names_without_keys(void **)
{
    static const char *const names[] = { "oi.lan" };
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = open_access((struct oi_access_options){
        .address = "127.0.0.1", .host_names = names, .host_name_count = 1 });

    assert_true(host_is_fine(access, "localhost"));
    assert_true(host_is_fine(access, "LocalHost:8080"));
    assert_true(host_is_fine(access, "127.0.0.1:1"));
    assert_true(host_is_fine(access, "[::1]:8080"));
    assert_true(host_is_fine(access, "oi.lan:80"));
    assert_true(oi_access_check_host(access, NULL));
    assert_false(host_is_fine(access, "evil.example"));
    assert_false(host_is_fine(access, "localhost.evil.example"));
    assert_false(host_is_fine(access, "127.0.0.1.evil.example:8080"));
}

static void
answers_to_any_name_with_keys_or_open(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *with_keys =
        open_access((struct oi_access_options){ .rules = { .keys = keys, .key_count = 1 } });
    OI_CLEANUP(oi_access_free)
    struct oi_access *open = open_access((struct oi_access_options){ .is_open = true });

    assert_true(host_is_fine(with_keys, "oi.example"));
    assert_true(host_is_fine(open, "oi.example"));
}

static void
knows_which_addresses_are_this_machines_own(void **)
{
    assert_true(oi_address_is_loopback("127.0.0.1"));
    assert_true(oi_address_is_loopback("127.9.9.9"));
    assert_true(oi_address_is_loopback("::1"));
    assert_true(oi_address_is_loopback("localhost"));
    assert_false(oi_address_is_loopback("0.0.0.0"));
    assert_false(oi_address_is_loopback("::"));
    assert_false(oi_address_is_loopback("10.0.0.1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_everybody_in_while_there_are_no_keys),
        cmocka_unit_test(tells_a_missing_key_from_a_wrong_one),
        cmocka_unit_test(refuses_plans_that_are_not_there),
        cmocka_unit_test(a_plan_of_calls_ends_and_begins_again_with_the_month),
        cmocka_unit_test(what_was_not_answered_is_given_back),
        cmocka_unit_test(credits_are_taken_when_the_price_is_known),
        cmocka_unit_test(weights_empty_the_bucket_and_metadata_is_free),
        cmocka_unit_test(guests_are_limited_where_others_can_come),
        cmocka_unit_test(a_plan_for_guests_opens_a_locked_door_to_them),
        cmocka_unit_test(other_rules_keep_what_was_used),
        cmocka_unit_test_setup_teardown(a_key_that_is_made_or_revoked_counts_at_once,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(an_end_in_peace_gives_back_what_a_crash_would_eat,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test(answers_only_to_its_own_names_without_keys),
        cmocka_unit_test(answers_to_any_name_with_keys_or_open),
        cmocka_unit_test(knows_which_addresses_are_this_machines_own),
    };
    return cmocka_run_group_tests_name("server/access", tests, NULL, NULL);
}
