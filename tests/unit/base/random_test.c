/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: repeatable ones, fair ones, secret ones. */
#include "base/random.h"

#include "support/test.h"

#include <string.h>

static void
one_seed_gives_one_stream(void **)
{
    struct oi_random random;

    /* splitmix64 from 0 seeds xoshiro256**: the first output of the published C code. */
    oi_random_init(&random, 0);
    assert_true(random.state[0] == UINT64_C(0xE220A8397B1DCDAF));
    assert_true(oi_random_next(&random) == UINT64_C(0x99EC5F36CB75F2B4));
    assert_true(oi_random_next(&random) == UINT64_C(0xBF6E1F784956452A));
}

static void
numbers_below_a_limit_are_spread_evenly(void **)
{
    struct oi_random random;
    unsigned counts[7] = {};

    oi_random_init(&random, 1);
    for (int i = 0; i < 70'000; i++)
        counts[oi_random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9'500, 10'500);
    assert_int_equal(oi_random_below(&random, 1), 0);
}

static void
units_stay_in_their_interval(void **)
{
    struct oi_random random;
    double sum = 0;

    oi_random_init(&random, 2);
    for (int i = 0; i < 10'000; i++) {
        double unit = oi_random_unit(&random);

        assert_true(unit >= 0 && unit < 1);
        sum += unit;
    }
    assert_true(sum > 4'800 && sum < 5'200);
}

static void
secrets_differ(void **)
{
    unsigned char a[32] = {};
    unsigned char b[32] = {};

    oi_random_secret(a, sizeof(a));
    oi_random_secret(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void
a_uuid_has_its_shape(void **)
{
    char uuid[OI_UUID_SIZE];

    oi_random_uuid(uuid);
    assert_int_equal(strlen(uuid), 36);
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(uuid[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", uuid[i]));
    }
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_gives_one_stream),
        cmocka_unit_test(numbers_below_a_limit_are_spread_evenly),
        cmocka_unit_test(units_stay_in_their_interval),
        cmocka_unit_test(secrets_differ),
        cmocka_unit_test(a_uuid_has_its_shape),
    };
    return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
