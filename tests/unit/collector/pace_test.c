/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing: no window is exceeded, whatever the replies; pauses are obeyed and end. */
#include "collector/pace.h"

#include "base/random.h"
#include "support/test.h"

#define MARKETS_SEED UINT64_C(20'260'307)

static const struct oi_limit limits[] = {
    { .name = "fast", .weight_max = 20, .window_ms = 2'000 },
    { .name = "slow", .weight_max = 100, .window_ms = 60'000 },
};
static const struct oi_exchange exchange = { .name = "example",
                                             .limits = limits,
                                             .limit_count = OI_COUNT(limits) };

static void
the_first_requests_go_at_once(void **)
{
    struct oi_pace pace;

    oi_pace_init(&pace, &exchange);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(oi_pace_ready_at(&pace, 0, 1, 5), 5);
        oi_pace_spend(&pace, 0, 1, 5);
    }
    assert_int_equal(oi_pace_ready_at(&pace, 0, 1, 5), 5 + 2 * OI_SECOND + OI_PACE_SLACK_NS);
    assert_int_equal(oi_pace_ready_at(&pace, 1, 100, 5), 5);
    oi_pace_release(&pace);
}

static void
what_is_heavier_than_its_limit_waits_for_an_empty_window(void **)
{
    struct oi_pace pace;

    oi_pace_init(&pace, &exchange);
    assert_int_equal(oi_pace_ready_at(&pace, 0, 50, 0), 0);
    oi_pace_spend(&pace, 0, 50, 0);
    assert_true(oi_pace_ready_at(&pace, 0, 50, 1) > 2 * OI_SECOND);
    oi_pace_release(&pace);
}

static void
what_others_used_counts(void **)
{
    struct oi_pace pace;

    oi_pace_init(&pace, &exchange);
    oi_pace_spend(&pace, 1, 10, 0);
    oi_pace_learn(&pace, 1, 95, OI_SECOND);
    assert_int_equal(oi_pace_used_permille(&pace, OI_SECOND), 950);
    assert_int_equal(oi_pace_ready_at(&pace, 1, 5, OI_SECOND), OI_SECOND);
    assert_int_equal(oi_pace_ready_at(&pace, 1, 6, OI_SECOND), OI_MINUTE + OI_PACE_SLACK_NS);
    /* Less than we know of is an answer to an earlier request. */
    oi_pace_learn(&pace, 1, 3, OI_SECOND);
    assert_int_equal(oi_pace_used_permille(&pace, OI_SECOND), 950);
    oi_pace_release(&pace);
}

static void
a_told_pause_is_obeyed_and_ends(void **)
{
    struct oi_pace pace;

    oi_pace_init(&pace, &exchange);
    oi_pace_hear(&pace, OI_E_BUSY, 120'000, 0);
    assert_int_equal(oi_pace_ready_at(&pace, 0, 1, OI_SECOND), 2 * OI_MINUTE);
    assert_int_equal(oi_pace_shut(&pace, OI_SECOND), OI_E_BUSY);
    assert_int_equal(oi_pace_shut(&pace, 2 * OI_MINUTE), OI_OK);
    assert_int_equal(oi_pace_ready_at(&pace, 0, 1, 2 * OI_MINUTE), 2 * OI_MINUTE);
    oi_pace_release(&pace);
}

static void
untold_pauses_double_until_a_good_reply(void **)
{
    struct oi_pace pace;
    int64_t now = 0, first, second;

    oi_pace_init(&pace, &exchange);
    oi_pace_hear(&pace, OI_E_BUSY, 0, now);
    oi_pace_hear(&pace, OI_E_BUSY, 0, now); /* also under way: the same time */
    first = pace.shut_until_ns - now;
    now = pace.shut_until_ns;
    oi_pace_hear(&pace, OI_E_BUSY, 0, now);
    second = pace.shut_until_ns - now;
    assert_true(second >= first);
    for (int i = 0; i < 20; i++) {
        now = pace.shut_until_ns;
        oi_pace_hear(&pace, OI_E_BUSY, 0, now);
    }
    assert_int_equal(pace.shut_until_ns - now, 5 * OI_MINUTE);
    now = pace.shut_until_ns;
    oi_pace_hear(&pace, OI_OK, 0, now);
    oi_pace_hear(&pace, OI_E_BUSY, 0, now);
    assert_int_equal(pace.shut_until_ns - now, 10 * OI_SECOND);
    oi_pace_release(&pace);
}

static void
a_refusal_lasts_long_and_wins_over_a_pause(void **)
{
    struct oi_pace pace;

    oi_pace_init(&pace, &exchange);
    oi_pace_hear(&pace, OI_E_BUSY, 1'000, 0);
    oi_pace_hear(&pace, OI_E_DENIED, 0, 0);
    assert_int_equal(oi_pace_shut(&pace, 9 * OI_MINUTE), OI_E_DENIED);
    /* A reply that was under way does not open it. */
    oi_pace_hear(&pace, OI_OK, 0, OI_SECOND);
    assert_int_equal(oi_pace_shut(&pace, 9 * OI_MINUTE), OI_E_DENIED);
    oi_pace_release(&pace);
}

static void
a_few_failures_are_borne_and_many_shut(void **)
{
    struct oi_pace pace;

    oi_pace_init(&pace, &exchange);
    for (int i = 0; i < 7; i++)
        oi_pace_hear(&pace, OI_E_IO, 0, 0);
    assert_int_equal(oi_pace_shut(&pace, 0), OI_OK);
    oi_pace_hear(&pace, OI_OK, 0, 0);
    for (int i = 0; i < 8; i++)
        oi_pace_hear(&pace, OI_E_UPSTREAM, 0, 0);
    assert_int_equal(oi_pace_shut(&pace, 0), OI_E_UPSTREAM);
    oi_pace_release(&pace);
}

struct sent {
    int64_t at_ns;
    unsigned limit, weight;
};

static void
assert_no_window_is_exceeded(const struct sent *sent, size_t count)
{
    for (size_t last = 0; last < count; last++) {
        const struct oi_limit *limit = &limits[sent[last].limit];
        uint64_t sum = 0;

        for (size_t i = last + 1; i-- > 0;) {
            if (sent[i].at_ns <= sent[last].at_ns - (int64_t) limit->window_ms * OI_MILLISECOND)
                break;
            sum += sent[i].limit == sent[last].limit ? sent[i].weight : 0;
        }
        assert_true(sum <= limit->weight_max);
    }
}

static void
no_window_is_ever_exceeded_whatever_the_replies(void **)
{
    static const enum oi_status heard[] = { OI_OK,         OI_OK,   OI_OK,     OI_E_NOT_FOUND,
                                            OI_E_UPSTREAM, OI_E_IO, OI_E_BUSY, OI_E_DENIED };
    struct oi_random random;
    struct oi_pace pace;
    OI_VECTOR(struct sent) all = {};
    int64_t now = 0;

    print_message("seed %llu\n", (unsigned long long) MARKETS_SEED);
    oi_random_init(&random, MARKETS_SEED);
    oi_pace_init(&pace, &exchange);
    for (int i = 0; i < 20'000; i++) {
        struct sent sent = { .limit = (unsigned) oi_random_below(&random, 2),
                             .weight = 1 + (unsigned) oi_random_below(&random, 5) };
        int64_t ready = oi_pace_ready_at(&pace, sent.limit, sent.weight, now);
        bool was_shut = oi_pace_shut(&pace, now) != OI_OK;

        assert_true(ready >= now);
        assert_true(!was_shut || ready >= pace.shut_until_ns);
        if (ready > now && oi_random_below(&random, 3) == 0) {
            now += (int64_t) oi_random_below(&random, (uint64_t) (ready - now));
            continue; /* looked too early */
        }
        now = sent.at_ns = ready;
        oi_pace_spend(&pace, sent.limit, sent.weight, now);
        oi_vector_push(&all, sent);
        if (oi_random_below(&random, 20) == 0)
            oi_pace_learn(&pace, sent.limit, (unsigned) oi_random_below(&random, 150), now);
        oi_pace_hear(&pace, heard[oi_random_below(&random, oi_random_below(&random, 10) ? 4 : 8)],
                     oi_random_below(&random, 3'000), now);
    }
    assert_true(all.count > 5'000);
    assert_no_window_is_exceeded(all.items, all.count);
    oi_vector_release(&all);
    oi_pace_release(&pace);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_requests_go_at_once),
        cmocka_unit_test(what_is_heavier_than_its_limit_waits_for_an_empty_window),
        cmocka_unit_test(what_others_used_counts),
        cmocka_unit_test(a_told_pause_is_obeyed_and_ends),
        cmocka_unit_test(untold_pauses_double_until_a_good_reply),
        cmocka_unit_test(a_refusal_lasts_long_and_wins_over_a_pause),
        cmocka_unit_test(a_few_failures_are_borne_and_many_shut),
        cmocka_unit_test(no_window_is_ever_exceeded_whatever_the_replies),
    };

    return cmocka_run_group_tests_name("collector/pace", tests, NULL, NULL);
}
