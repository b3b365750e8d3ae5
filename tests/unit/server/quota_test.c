/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets, windows and blocks against plain models, over a virtual clock. */
#include "server/quota.h"

#include "base/alloc.h"
#include "base/random.h"
#include "base/vector.h"
#include "core/time.h"

#include "support/test.h"

#include <stdio.h>

#define ROUNDS 200
#define STEPS 400

struct admission {
    int64_t at_ns;
    uint64_t cost;
};
struct admissions {
    OI_VECTOR(struct admission) items;
};

static uint64_t
admitted_within(const struct admissions *all, int64_t from_ns, int64_t to_ns)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < all->items.count; i++)
        if (all->items.items[i].at_ns > from_ns && all->items.items[i].at_ns <= to_ns)
            sum += all->items.items[i].cost;
    return sum;
}

/* Ask at random instants, keep what was admitted, and hold `check` after each. */
static void
walk(struct oi_random *random, const struct oi_rate *rate,
     void (*check)(const struct oi_rate *rate, const struct admissions *all, int64_t now_ns))
{
    struct oi_rate_state state = {};
    struct admissions all = {};
    int64_t now = (int64_t) oi_random_below(random, 1'000'000) * OI_SECOND;

    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t cost = 1 + oi_random_below(random, 3);
        int64_t wait = oi_rate_wait(rate, &state, cost, now);

        if (wait == 0) {
            oi_rate_take(rate, &state, cost, now);
            oi_vector_push(&all.items, ((struct admission){ now, cost }));
            check(rate, &all, now);
        } else if (wait != OI_RATE_NEVER) {
            /* What was promised is kept. */
            assert_true(wait > 0);
            assert_int_equal(oi_rate_wait(rate, &state, cost, now + wait), 0);
        }
        now += (int64_t) oi_random_below(random, (uint64_t) (rate->span_ns / rate->count * 3));
    }
    assert_true(all.items.count > 0);
    oi_vector_release(&all.items);
}

static void
check_window(const struct oi_rate *rate, const struct admissions *all, int64_t now_ns)
{
    assert_true(admitted_within(all, now_ns - rate->span_ns, now_ns) <= rate->count);
}

static void
check_bucket(const struct oi_rate *rate, const struct admissions *all, int64_t now_ns)
{
    /* From any instant on: no more than was in the bucket and came in since. */
    for (size_t i = 0; i < all->items.count; i++) {
        int64_t from = all->items.items[i].at_ns;
        uint64_t most = rate->burst + (uint64_t) ((now_ns - from) / (rate->span_ns / rate->count));

        assert_true(admitted_within(all, from - 1, now_ns) <= most);
    }
}

static void
a_window_never_admits_more_than_it_says(void **)
{
    struct oi_random random;

    oi_random_init(&random, 20260307);
    print_message("seed 20260307\n");
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct oi_rate rate = { .kind = OI_RATE_WINDOW,
                                .count = 3 + (uint32_t) oi_random_below(&random, 40),
                                .span_ns =
                                    (1 + (int64_t) oi_random_below(&random, 90)) * OI_SECOND };

        walk(&random, &rate, check_window);
    }
}

static void
a_bucket_never_gives_more_than_came_in(void **)
{
    struct oi_random random;

    oi_random_init(&random, 20260308);
    print_message("seed 20260308\n");
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct oi_rate rate = { .kind = OI_RATE_BUCKET,
                                .count = 1 + (uint32_t) oi_random_below(&random, 50),
                                .burst = 3 + (uint32_t) oi_random_below(&random, 50),
                                .span_ns =
                                    (1 + (int64_t) oi_random_below(&random, 60)) * OI_SECOND };

        walk(&random, &rate, check_bucket);
    }
}

static void
coin_metrics_community_is_ten_in_six_seconds(void **)
{
    const struct oi_rate rate = { .kind = OI_RATE_WINDOW, .count = 10, .span_ns = 6 * OI_SECOND };
    struct oi_rate_state state = {};
    int64_t now = 1'000 * OI_SECOND, wait;

    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(oi_rate_wait(&rate, &state, 1, now), 0);
        oi_rate_take(&rate, &state, 1, now);
    }
    assert_int_equal(oi_rate_left(&rate, &state, now).count, 0);
    wait = oi_rate_wait(&rate, &state, 1, now);
    assert_true(wait > 5 * OI_SECOND && wait < 7 * OI_SECOND);
    assert_int_equal(oi_rate_left(&rate, &state, now + wait).count, 10);
    assert_true(oi_rate_wait(&rate, &state, 11, now) == OI_RATE_NEVER);
}

static void
a_window_of_thousands_counts_exactly(void **)
{
    const struct oi_rate rate = { .kind = OI_RATE_WINDOW,
                                  .count = 6000,
                                  .span_ns = 20 * OI_SECOND };
    struct oi_rate_state state = {};
    unsigned admitted = 0;

    for (int64_t now = 0; now < 20 * OI_SECOND; now += OI_SECOND / 500) {
        if (oi_rate_wait(&rate, &state, 1, now) != 0)
            continue;
        oi_rate_take(&rate, &state, 1, now);
        admitted++;
    }
    assert_int_equal(admitted, 6000);
}

static void
a_bucket_refills_evenly_and_no_further_than_full(void **)
{
    const struct oi_rate rate = {
        .kind = OI_RATE_BUCKET, .count = 10, .burst = 20, .span_ns = OI_MINUTE
    };
    struct oi_rate_state state = {};
    int64_t now = 77 * OI_SECOND;

    oi_rate_take(&rate, &state, 20, now);
    assert_int_equal(oi_rate_left(&rate, &state, now).count, 0);
    assert_int_equal(oi_rate_left(&rate, &state, now).reset_ns, 2 * OI_MINUTE);
    assert_int_equal(oi_rate_wait(&rate, &state, 1, now), 6 * OI_SECOND);
    assert_int_equal(oi_rate_left(&rate, &state, now + OI_MINUTE).count, 10);
    assert_int_equal(oi_rate_left(&rate, &state, now + OI_DAY).count, 20);
    assert_true(oi_rate_wait(&rate, &state, 21, now) == OI_RATE_NEVER);
}

static void
gives_back_what_was_taken(void **)
{
    const struct oi_rate bucket = {
        .kind = OI_RATE_BUCKET, .count = 5, .burst = 5, .span_ns = OI_SECOND
    };
    const struct oi_rate window = { .kind = OI_RATE_WINDOW, .count = 5, .span_ns = OI_SECOND };
    struct oi_rate_state one = {}, two = {};

    oi_rate_take(&bucket, &one, 3, OI_MINUTE);
    oi_rate_give(&bucket, &one, 3, OI_MINUTE);
    assert_int_equal(oi_rate_left(&bucket, &one, OI_MINUTE).count, 5);
    oi_rate_take(&window, &two, 3, OI_MINUTE);
    oi_rate_give(&window, &two, 9, OI_MINUTE);
    assert_int_equal(oi_rate_left(&window, &two, OI_MINUTE).count, 5);
}

static void
a_block_is_one_percent_and_at_most_a_hundred_calls(void **)
{
    assert_int_equal(oi_block_size(5'000, 1), 50);
    assert_int_equal(oi_block_size(75'000, 1), 100);
    assert_int_equal(oi_block_size(20, 1), 1);
    assert_int_equal(oi_block_size(150'000, 50), 1'500);
    assert_int_equal(oi_block_size(10'000'000, 50), 5'000);
}

/* Servers that share a month, crash at random and lose what they hold. */
static void
crashes_eat_one_block_each_and_give_nothing_away(void **)
{
    struct oi_random random;

    oi_random_init(&random, 20260309);
    print_message("seed 20260309\n");
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t limit = 1 + oi_random_below(&random, 5'000), reserved = 0, used = 0, lost = 0;
        uint64_t block = oi_block_size(limit, 1), held[2] = {}, crashes = 0;

        for (unsigned i = 0; i < STEPS; i++) {
            uint64_t *mine = &held[oi_random_below(&random, 2)];
            uint64_t cost = 1 + oi_random_below(&random, 20), more = 0;

            if (oi_random_below(&random, 50) == 0) {
                lost += *mine;
                *mine = 0;
                crashes++;
            }
            if (*mine < cost && oi_block_reserve(limit, reserved, cost - *mine, block, &more)) {
                reserved += more;
                *mine += more;
            }
            if (*mine >= cost) {
                *mine -= cost;
                used += cost;
            }
            assert_true(reserved <= limit);
            assert_true(*mine <= block + 20);
            assert_int_equal(used + lost + held[0] + held[1], reserved);
        }
        assert_true(lost <= crashes * (block + 20));
    }
}

static void
seconds_are_rounded_up(void **)
{
    assert_int_equal(oi_seconds_up(0), 1);
    assert_int_equal(oi_seconds_up(1), 1);
    assert_int_equal(oi_seconds_up(OI_SECOND), 1);
    assert_int_equal(oi_seconds_up(OI_SECOND + 1), 2);
    assert_int_equal(oi_seconds_up(INT64_MAX), INT32_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_never_admits_more_than_it_says),
        cmocka_unit_test(a_bucket_never_gives_more_than_came_in),
        cmocka_unit_test(coin_metrics_community_is_ten_in_six_seconds),
        cmocka_unit_test(a_window_of_thousands_counts_exactly),
        cmocka_unit_test(a_bucket_refills_evenly_and_no_further_than_full),
        cmocka_unit_test(gives_back_what_was_taken),
        cmocka_unit_test(a_block_is_one_percent_and_at_most_a_hundred_calls),
        cmocka_unit_test(crashes_eat_one_block_each_and_give_nothing_away),
        cmocka_unit_test(seconds_are_rounded_up),
    };
    return cmocka_run_group_tests_name("server/quota", tests, NULL, NULL);
}
