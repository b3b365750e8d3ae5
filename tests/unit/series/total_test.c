/* SPDX-License-Identifier: Apache-2.0 */
#include "series/total.h"

#include "base/alloc.h"
#include "base/random.h"
#include "support/test.h"

#include <stdio.h>

static void
assert_sum(struct oi_total *total, oi_time time, const char *text)
{
    char printed[OI_DECIMAL_TEXT_SIZE];
    struct oi_decimal sum;

    assert_ok(oi_total_at(total, time, &sum, NULL));
    oi_decimal_print(&sum, printed);
    assert_string_equal(printed, text);
}

static void
set(struct oi_total *total, size_t member, oi_time time, const char *text)
{
    struct oi_decimal value = {};

    if (text)
        assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    assert_ok(oi_total_set(total, member, time, &value, NULL));
}

static void
carries_each_member_forward(void **)
{
    struct oi_total total;

    oi_total_init(&total, 2);
    total.members[0].staleness_ns = total.members[1].staleness_ns = 15 * OI_MINUTE;
    set(&total, 0, 0, "10.5");
    assert_sum(&total, 0, "10.5");
    set(&total, 1, OI_MINUTE, "0.25");
    assert_sum(&total, OI_MINUTE, "10.75");
    set(&total, 0, 2 * OI_MINUTE, "11");
    assert_sum(&total, 2 * OI_MINUTE, "11.25");
    oi_total_release(&total);
}

static void
carries_nothing_beyond_the_end_of_its_market(void **)
{
    struct oi_total total;

    oi_total_init(&total, 2);
    total.members[0].staleness_ns = total.members[1].staleness_ns = 15 * OI_MINUTE;
    total.members[0].ends = 5 * OI_MINUTE;
    set(&total, 0, 0, "1");
    set(&total, 1, 0, "2");
    assert_sum(&total, 5 * OI_MINUTE - 1, "3");
    assert_sum(&total, 5 * OI_MINUTE, "2");
    oi_total_release(&total);
}

static void
drops_a_member_that_is_stale(void **)
{
    struct oi_total total;

    oi_total_init(&total, 2);
    total.members[0].staleness_ns = 15 * OI_MINUTE;
    total.members[1].staleness_ns = OI_DAY;
    set(&total, 0, 0, "1");
    set(&total, 1, 0, "2");
    assert_sum(&total, 15 * OI_MINUTE, "3");
    assert_sum(&total, 15 * OI_MINUTE + 1, "2");
    assert_int_equal(total.counted, 1);
    set(&total, 0, OI_HOUR, "5");
    assert_sum(&total, OI_HOUR, "7");
    oi_total_release(&total);
}

static void
is_none_when_nobody_is_in_it(void **)
{
    struct oi_total total;
    struct oi_decimal sum = oi_decimal_from(1, 0);

    oi_total_init(&total, 1);
    assert_ok(oi_total_at(&total, 0, &sum, NULL));
    assert_true(oi_decimal_is_none(&sum));
    set(&total, 0, 0, "4");
    set(&total, 0, 1, NULL); /* a reading that cannot be turned takes the member out */
    assert_ok(oi_total_at(&total, 1, &sum, NULL));
    assert_true(oi_decimal_is_none(&sum));
    oi_total_release(&total);
}

/* Against adding up from scratch at every instant. */
static void
equals_the_sum_from_scratch(void **)
{
    enum { MEMBERS = 7, STEPS = 3000 };
    struct oi_random random;
    struct oi_total total;
    struct oi_decimal last[MEMBERS] = {};
    oi_time when[MEMBERS] = {};
    oi_time now = 0;
    uint64_t seed = 11;

    printf("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    oi_total_init(&total, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        total.members[i].staleness_ns = (int64_t) (i + 1) * OI_MINUTE;
    for (int step = 0; step < STEPS; step++) {
        size_t member = oi_random_below(&random, MEMBERS);
        struct oi_decimal sum, wanted = {};

        now += (oi_time) oi_random_below(&random, 120) * OI_SECOND;
        last[member] = oi_decimal_from((int64_t) oi_random_below(&random, 100'000),
                                       -(int) oi_random_below(&random, 6));
        when[member] = now;
        assert_ok(oi_total_set(&total, member, now, &last[member], NULL));
        for (size_t i = 0; i < MEMBERS; i++) {
            if (oi_decimal_is_none(&last[i]) || now - when[i] > total.members[i].staleness_ns)
                continue;
            if (oi_decimal_is_none(&wanted))
                wanted = oi_decimal_from(0, 0);
            assert_ok(oi_decimal_add(&wanted, &last[i], &wanted, NULL));
        }
        assert_ok(oi_total_at(&total, now, &sum, NULL));
        assert_int_equal(oi_decimal_compare(&sum, &wanted), 0);
    }
    oi_total_release(&total);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_each_member_forward),
        cmocka_unit_test(carries_nothing_beyond_the_end_of_its_market),
        cmocka_unit_test(drops_a_member_that_is_stale),
        cmocka_unit_test(is_none_when_nobody_is_in_it),
        cmocka_unit_test(equals_the_sum_from_scratch),
    };
    return cmocka_run_group_tests_name("series/total", tests, NULL, NULL);
}
