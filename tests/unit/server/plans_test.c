/* SPDX-License-Identifier: Apache-2.0 */
#include "server/plans.h"

#include "core/time.h"

#include "support/test.h"

#include <string.h>

static void
the_vendors_published_plans_are_there(void **)
{
    OI_CLEANUP(oi_plans_free) struct oi_plans *plans = NULL;
    const struct oi_plan *plan;

    assert_ok(oi_plans_new(NULL, 0, &plans, NULL));
    plan = oi_plan_find(plans, "coinmetrics-community");
    assert_int_equal(plan->rates[0].kind, OI_RATE_WINDOW);
    assert_int_equal(plan->rates[0].count, 10);
    assert_int_equal(plan->rates[0].span_ns, 6 * OI_SECOND);
    plan = oi_plan_find(plans, "coinmetrics-pro");
    assert_int_equal(plan->rates[0].count, 6000);
    assert_string_equal(plan->label, "default");
    plan = oi_plan_find(plans, "kiyotaka-free");
    assert_int_equal(plan->cost, OI_COST_WEIGHT);
    assert_int_equal(plan->rates[0].burst, 20);
    assert_int_equal(plan->history_ns, 7 * OI_DAY);
    assert_true(plan->denies_totals);
    assert_false(oi_plan_find(plans, "kiyotaka-advanced")->denies_totals);
    plan = oi_plan_find(plans, "oanor-desk");
    assert_int_equal(plan->monthly, 2'500'000);
    assert_int_equal(plan->rates[0].count, 120);
    plan = oi_plan_find(plans, "kwery-free");
    assert_int_equal(plan->cost, OI_COST_CREDITS);
    assert_int_equal(plan->monthly, 150'000);
    assert_int_equal(plan->rows_max, 100);
    assert_int_equal(plan->per_call, 50);
    assert_int_equal(plan->per_row, 3);
    assert_int_equal(plan->rate_count, 2);
    assert_non_null(oi_plan_find(plans, "aperiodic"));
    assert_null(oi_plan_find(plans, "nothing"));
}

static void
a_configuration_adds_and_replaces(void **)
{
    static const char *const texts[] = { "mine like=kwery-free credits=1000 history=2d",
                                         "oanor-free rate=1/1s", "  spaced   calls=7  " };
    OI_CLEANUP(oi_plans_free) struct oi_plans *plans = NULL;
    const struct oi_plan *plan;

    assert_ok(oi_plans_new(texts, OI_COUNT(texts), &plans, NULL));
    plan = oi_plan_find(plans, "mine");
    assert_int_equal(plan->monthly, 1000);
    assert_int_equal(plan->rate_count, 2);
    assert_int_equal(plan->per_row, 3);
    assert_int_equal(plan->history_ns, 2 * OI_DAY);
    assert_int_equal(oi_plan_find(plans, "oanor-free")->monthly, 0);
    assert_int_equal(oi_plan_find(plans, "spaced")->monthly, 7);
}

static void
refuses_rules_that_make_no_sense(void **)
{
    static const char *const texts[] = {
        "",
        "bad/name",
        "x rate=0/1s",
        "x rate=5",
        "x rate=5/1y",
        "x burst=5",
        "x window=5/1s burst=9",
        "x calls=-1",
        "x calls=1e3",
        "x calls=99999999999999999999",
        "x history=9999999d",
        "x what=1",
        "x like=nothing",
        "x rows=",
        "x =",
        "x rate=1/1s rate=1/1s rate=1/1s rate=1/1s",
        "x label=a,b",
        "a-name-that-is-far-too-long-for-a-plan",
    };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        struct oi_error error = {};
        struct oi_plan plan;

        assert_status(oi_plan_parse(oi_slice_of(texts[i]), NULL, &plan, &error), OI_E_INVALID);
        assert_true(error.message[0] != '\0');
    }
}

static void
writes_what_it_reads(void **)
{
    OI_CLEANUP(oi_plans_free) struct oi_plans *plans = NULL;

    assert_ok(oi_plans_new(NULL, 0, &plans, NULL));
    for (size_t i = 0; i < plans->count; i++) {
        struct oi_buffer text = {};
        struct oi_plan again;

        oi_buffer_add_format(&text, "%s ", plans->items[i].name);
        oi_plan_write(&plans->items[i], &text);
        assert_ok(oi_plan_parse(oi_buffer_slice(&text), NULL, &again, NULL));
        assert_string_equal(again.label, plans->items[i].label);
        assert_int_equal(again.rate_count, plans->items[i].rate_count);
        assert_memory_equal(again.rates, plans->items[i].rates, sizeof(again.rates));
        assert_int_equal(again.monthly, plans->items[i].monthly);
        assert_int_equal(again.rows_max, plans->items[i].rows_max);
        assert_int_equal(again.history_ns, plans->items[i].history_ns);
        assert_int_equal(again.denies_totals, plans->items[i].denies_totals);
        oi_buffer_release(&text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vendors_published_plans_are_there),
        cmocka_unit_test(a_configuration_adds_and_replaces),
        cmocka_unit_test(refuses_rules_that_make_no_sense),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests_name("server/plans", tests, NULL, NULL);
}
