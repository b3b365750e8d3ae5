/* SPDX-License-Identifier: Apache-2.0 */
/* Every column comes back exactly, small where it ought to be, and damage is told, not followed. */
#include "codec/column.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/random.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define COUNT_MAX 4096
#define MINUTE INT64_C(60'000'000'000)
#define START INT64_C(1'772'841'600'000'000'000)

/* Encode, decode, compare; the size in bytes. */
static size_t
round_trip_by(void (*encode)(const int64_t *values, size_t count, struct oi_buffer *out),
              const int64_t *values, size_t count)
{
    struct oi_buffer bytes = {};
    /* Exactly as large as promised, so that a sanitizer sees every step too far. */
    int64_t *decoded = malloc(count * sizeof(*decoded) + 1);
    char *exact;
    size_t size = 0;
    size_t result;

    encode(values, count, &bytes);
    exact = malloc(bytes.size);
    memcpy(exact, bytes.data, bytes.size);
    result = bytes.size;
    assert_ok(oi_column_decode((struct oi_slice){ exact, result }, count, decoded, &size, NULL));
    assert_int_equal(size, result);
    if (count > 0)
        assert_memory_equal(decoded, values, count * sizeof(*values));
    for (size_t cut = result > 40 ? result - 40 : 0; cut < result; cut++)
        assert_status(
            oi_column_decode((struct oi_slice){ exact, cut }, count, decoded, &size, NULL),
            OI_E_CORRUPT);
    free(exact);
    free(decoded);
    oi_buffer_release(&bytes);
    return result;
}

/* As the values before them were: a habit of the first half, and one of their own. */
static void
encode_by_habit(const int64_t *values, size_t count, struct oi_buffer *out)
{
    struct oi_column_habit habit = {};

    oi_column_encode_like(values, count / 2, &habit, out);
    oi_buffer_clear(out);
    oi_column_encode_like(values, count, &habit, out);
}

static size_t
round_trip(const int64_t *values, size_t count)
{
    (void) round_trip_by(oi_column_encode_quickly, values, count);
    (void) round_trip_by(encode_by_habit, values, count);
    return round_trip_by(oi_column_encode, values, count);
}

static void
keeps_a_constant_in_a_few_bytes(void **)
{
    int64_t values[COUNT_MAX];

    for (size_t i = 0; i < COUNT_MAX; i++)
        values[i] = INT64_MIN;
    assert_true(round_trip(values, COUNT_MAX) <= 11);
    assert_true(round_trip(values, 1) <= 11);
    round_trip(values, 0);
}

static void
keeps_regular_times_in_a_few_bytes(void **)
{
    int64_t values[COUNT_MAX];

    for (size_t i = 0; i < COUNT_MAX; i++)
        values[i] = START + (int64_t) i * MINUTE;
    assert_true(round_trip(values, COUNT_MAX) <= 24);
    values[1000] += 250'000'000; /* one late minute */
    assert_true(round_trip(values, COUNT_MAX) <= 100);
}

static void
keeps_times_of_whole_milliseconds_in_their_bits(void **)
{
    struct oi_random random;
    int64_t values[COUNT_MAX];

    oi_random_init(&random, 1);
    for (size_t i = 0; i < COUNT_MAX; i++)
        values[i] = 1'000'000 * (int64_t) oi_random_below(&random, 1000);
    assert_true(round_trip(values, COUNT_MAX) <= COUNT_MAX * 10 / 8 + 100);
}

static void
keeps_a_random_walk_in_the_bits_of_its_steps(void **)
{
    struct oi_random random;
    int64_t values[COUNT_MAX];
    int64_t value = 91'234'567;

    oi_random_init(&random, 2);
    for (size_t i = 0; i < COUNT_MAX; i++) {
        value += (int64_t) oi_random_below(&random, 2000) - 1000;
        values[i] = value;
    }
    assert_true(round_trip(values, COUNT_MAX) <= COUNT_MAX * 11 / 8 + 100);
}

static void
lets_an_outlier_pay_for_itself_alone(void **)
{
    struct oi_random random;
    int64_t values[COUNT_MAX];

    oi_random_init(&random, 3);
    for (size_t i = 0; i < COUNT_MAX; i++)
        values[i] = (int64_t) oi_random_below(&random, 16);
    values[700] = INT64_MAX;
    values[2000] = INT64_MIN;
    values[2001] = -1;
    assert_true(round_trip(values, COUNT_MAX) <= COUNT_MAX * 5 / 8 + 200);
}

static void
keeps_few_different_values_as_codes(void **)
{
    struct oi_random random;
    int64_t few[4];
    int64_t values[COUNT_MAX];

    oi_random_init(&random, 4);
    for (size_t i = 0; i < OI_COUNT(few); i++)
        few[i] = (int64_t) oi_random_next(&random);
    for (size_t i = 0; i < COUNT_MAX; i++)
        values[i] = few[oi_random_below(&random, OI_COUNT(few))];
    assert_true(round_trip(values, COUNT_MAX) <= COUNT_MAX * 2 / 8 + 100);
}

/* Of all shares of zeros, in whole blocks and in short ones. */
static void
lets_a_figure_that_stands_still_cost_a_bit_a_row(void **)
{
    struct oi_random random;
    int64_t values[COUNT_MAX];
    size_t size;

    oi_random_init(&random, 21);
    for (unsigned moves = 0; moves <= 100; moves += 10) {
        int64_t value = 91'234'567;

        for (size_t i = 0; i < COUNT_MAX; i++) {
            if (oi_random_below(&random, 100) < moves)
                value += (int64_t) oi_random_below(&random, 200'000) - 100'000;
            values[i] = value;
        }
        /* 18 bits for each that moved */
        size = round_trip_by(oi_column_encode, values, COUNT_MAX);
        assert_true(size <= COUNT_MAX * 18 / 8 * (moves + 2) / 100 + COUNT_MAX / 8 + 100);
        for (size_t count = COUNT_MAX - 517; count < COUNT_MAX; count += 260)
            round_trip(values, count);
    }
}

static void
keeps_zeros_between_large_numbers(void **)
{
    struct oi_random random;
    int64_t values[1600];

    oi_random_init(&random, 22);
    for (size_t i = 0; i < OI_COUNT(values); i++) {
        bool is_still = i / 512 == 1 || oi_random_below(&random, 2) == 0;

        values[i] = is_still ? 0 : (int64_t) oi_random_next(&random);
    }
    assert_true(round_trip_by(oi_column_encode, values, OI_COUNT(values)) <= 560 * 8 + 300);
    for (size_t count = 1; count < 90; count++)
        round_trip(values, count);
    /* The first blocks alone are the first values. */
    {
        struct oi_buffer bytes = {};
        int64_t first[512];
        size_t used;

        oi_column_encode(values, OI_COUNT(values), &bytes);
        assert_int_equal(bytes.data[0], 6);
        assert_ok(oi_column_decode(oi_buffer_slice(&bytes), 512, first, &used, NULL));
        assert_memory_equal(first, values, sizeof(first));
        oi_buffer_release(&bytes);
    }
}

static void
rejects_gaps_that_are_not_where_they_should_be(void **)
{
    int64_t values[4];
    size_t size;

    /* Two of four kept, by the map 0101; their block has no bits and the base 1. */
    assert_ok(oi_column_decode(OI_SLICE("\x06\x02\x05\x00\x02\x00"), 4, values, &size, NULL));
    assert_int_equal(size, 6);
    assert_int_equal(values[0], 1);
    assert_int_equal(values[1], 0);
    assert_int_equal(values[2], 1);
    assert_int_equal(values[3], 0);
    /* One bit too few, one too many, one behind the last row; more kept than there are rows. */
    assert_status(oi_column_decode(OI_SLICE("\x06\x02\x04\x00\x02\x00"), 4, values, &size, NULL),
                  OI_E_CORRUPT);
    assert_status(oi_column_decode(OI_SLICE("\x06\x02\x07\x00\x02\x00"), 4, values, &size, NULL),
                  OI_E_CORRUPT);
    assert_status(oi_column_decode(OI_SLICE("\x06\x02\x11\x00\x02\x00"), 4, values, &size, NULL),
                  OI_E_CORRUPT);
    assert_status(oi_column_decode(OI_SLICE("\x06\x05\x1f\x00\x02\x00"), 4, values, &size, NULL),
                  OI_E_CORRUPT);
}

static void
keeps_noise_with_little_on_top(void **)
{
    struct oi_random random;
    int64_t values[COUNT_MAX];

    oi_random_init(&random, 5);
    for (size_t i = 0; i < COUNT_MAX; i++)
        values[i] = (int64_t) oi_random_next(&random);
    assert_true(round_trip(values, COUNT_MAX) <= COUNT_MAX * 8 + 200);
}

static void
keeps_every_width_of_bits_and_every_short_block(void **)
{
    struct oi_random random;
    int64_t values[1100];

    oi_random_init(&random, 6);
    for (unsigned width = 0; width <= 64; width++) {
        for (size_t i = 0; i < OI_COUNT(values); i++)
            values[i] = width == 0 ? 0 : (int64_t) (oi_random_next(&random) >> (64 - width));
        round_trip(values, 512);
        round_trip(values, 511);
        round_trip(values, 513);
        round_trip(values, OI_COUNT(values));
        round_trip(values, 1 + width);
    }
}

/* Deltas and multiples are divided by a product; that must be the quotient for every power, sign
 * and size. */
static void
keeps_multiples_of_every_power_of_ten(void **)
{
    struct oi_random random;
    int64_t values[600];
    int64_t factor = 1;

    oi_random_init(&random, 18);
    for (unsigned power = 0; power <= 18; power++) {
        uint64_t most = (uint64_t) INT64_MAX / (uint64_t) factor;

        for (size_t i = 0; i < OI_COUNT(values); i++) {
            int64_t size = (int64_t) oi_random_below(&random, most + (most < INT64_MAX)) * factor;

            values[i] = oi_random_below(&random, 2) ? size : -size;
        }
        values[100] = (int64_t) most * factor;
        values[101] = -values[100];
        round_trip(values, OI_COUNT(values));
        for (size_t i = 0; i < OI_COUNT(values); i++)
            values[i] = values[i] / 2 + 3; /* no multiples, but some differences are */
        round_trip(values, OI_COUNT(values));
        values[102] = INT64_MIN;
        round_trip(values, OI_COUNT(values));
        factor *= power < 18 ? 10 : 1;
    }
}

/* One number of a distribution chosen to be unpleasant. */
static int64_t
unpleasant(struct oi_random *random, unsigned kind, int64_t before)
{
    static const int64_t extremes[] = { INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN + 1 };
    int64_t noise = (int64_t) oi_random_next(random);

    switch (kind) {
    case 0:
        return extremes[oi_random_below(random, OI_COUNT(extremes))];
    case 1:
        return noise >> oi_random_below(random, 64);
    case 2:
        return (int64_t) ((uint64_t) before + oi_random_below(random, 100));
    case 3:
        return (int64_t) ((uint64_t) before + UINT64_C(1'000'000'000'000'000'000));
    case 4:
        return oi_random_below(random, 50) ? noise & 7 : noise;
    case 5:
        return 1'000'000 * (noise >> 24) + 7;
    case 6:
        return noise % 300 * 10'000'000'000'000'000;
    case 7:
        return INT64_C(1'000'000'000'000'000'000) * (noise % 10);
    case 8:
        return oi_random_below(random, 3) ? 0 : noise >> oi_random_below(random, 64);
    }
    return before;
}

static void
gives_back_whatever_it_was_given(void **)
{
    enum { KINDS = 10, ROUNDS = 440 };
    uint64_t seed = 20'260'307;
    struct oi_random random;
    int64_t values[1600];

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t count = 1 + oi_random_below(&random, OI_COUNT(values));
        unsigned kind = round % KINDS;
        int64_t before = (int64_t) oi_random_next(&random);

        for (size_t i = 0; i < count; i++) {
            if (oi_random_below(&random, 1000) == 0)
                kind = (unsigned) oi_random_below(&random, KINDS);
            before = unpleasant(&random, kind, before);
            values[i] = before;
        }
        round_trip(values, count);
    }
}

static void
rejects_an_unknown_encoding_and_endless_nesting(void **)
{
    char deltas[64];
    int64_t values[4] = {};
    size_t size = 77;

    assert_status(oi_column_decode(OI_SLICE("\x00\x00"), 4, values, &size, NULL), OI_E_CORRUPT);
    assert_status(oi_column_decode(OI_SLICE("\x7f\x00"), 4, values, &size, NULL), OI_E_CORRUPT);
    assert_status(oi_column_decode(OI_SLICE(""), 4, values, &size, NULL), OI_E_CORRUPT);
    for (size_t i = 0; i < sizeof(deltas); i++)
        deltas[i] = i % 3 == 0 ? 3 : 0; /* a delta of a delta of … */
    assert_status(
        oi_column_decode((struct oi_slice){ deltas, sizeof(deltas) }, 4, values, &size, NULL),
        OI_E_CORRUPT);
    assert_int_equal(size, 77);
}

static void
rejects_a_code_outside_of_its_dictionary(void **)
{
    int64_t values[4];
    size_t size;

    /* A dictionary of one entry, then the constant 1 as the codes. */
    assert_status(oi_column_decode(OI_SLICE("\x05\x00\x02\x01\x02"), 4, values, &size, NULL),
                  OI_E_CORRUPT);
    assert_ok(oi_column_decode(OI_SLICE("\x05\x00\x02\x01\x00"), 4, values, &size, NULL));
    assert_int_equal(values[3], 1);
}

static void
survives_damage_of(unsigned still_part)
{
    struct oi_random random;
    struct oi_buffer bytes = {};
    int64_t values[1300] = {};
    int64_t decoded[1300];
    size_t size;

    oi_random_init(&random, 8);
    for (size_t i = 0; i < OI_COUNT(values); i++)
        if (oi_random_below(&random, 10) >= still_part)
            values[i] =
                (int64_t) (oi_random_next(&random) >> (oi_random_below(&random, 20) ? 50 : 5));
    oi_column_encode(values, OI_COUNT(values), &bytes);
    for (unsigned round = 0; round < 10'000; round++) {
        size_t place = oi_random_below(&random, bytes.size);
        char kept = bytes.data[place];

        bytes.data[place] = (char) oi_random_next(&random);
        (void) oi_column_decode(oi_buffer_slice(&bytes), OI_COUNT(decoded), decoded, &size, NULL);
        bytes.data[place] = kept;
    }
    assert_ok(oi_column_decode(oi_buffer_slice(&bytes), OI_COUNT(decoded), decoded, &size, NULL));
    assert_memory_equal(decoded, values, sizeof(values));
    oi_buffer_release(&bytes);
}

static void
survives_damage_anywhere(void **)
{
    survives_damage_of(0);
    survives_damage_of(5);
}

static void
allocates_nothing_to_decode(void **)
{
    struct oi_buffer bytes = {};
    int64_t values[1000];
    uint64_t before;
    size_t size;

    for (size_t i = 0; i < OI_COUNT(values); i++)
        values[i] = (int64_t) (i * i);
    oi_column_encode(values, OI_COUNT(values), &bytes);
    before = oi_alloc_count();
    assert_ok(oi_column_decode(oi_buffer_slice(&bytes), OI_COUNT(values), values, &size, NULL));
    assert_int_equal(oi_alloc_count(), before);
    oi_buffer_release(&bytes);
}

static void
a_habit_that_does_not_suit_any_more_is_given_up(void **)
{
    struct oi_column_habit habit = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer first = {}, second = {}, best = {};
    int64_t steps[1024], codes[1024], decoded[1024];
    size_t used = 0;

    for (int64_t i = 0; i < 1024; i++) {
        steps[i] = i * i;
        codes[i] = i % 7 * INT64_C(1'000'000'000'001);
    }
    oi_column_encode_like(steps, 1024, &habit, &first);
    oi_column_encode_like(codes, 1024, &habit, &second);
    oi_column_encode(codes, 1024, &best);
    assert_int_equal(second.size, best.size);
    assert_memory_equal(second.data, best.data, best.size);
    oi_column_encode_like(codes, 1024, &habit, &second);
    assert_int_equal(second.size, 2 * best.size);
    assert_ok(oi_column_decode((struct oi_slice){ second.data + best.size, best.size }, 1024,
                               decoded, &used, NULL));
    assert_memory_equal(decoded, codes, sizeof(codes));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_habit_that_does_not_suit_any_more_is_given_up),
        cmocka_unit_test(keeps_a_constant_in_a_few_bytes),
        cmocka_unit_test(keeps_regular_times_in_a_few_bytes),
        cmocka_unit_test(keeps_times_of_whole_milliseconds_in_their_bits),
        cmocka_unit_test(keeps_a_random_walk_in_the_bits_of_its_steps),
        cmocka_unit_test(lets_an_outlier_pay_for_itself_alone),
        cmocka_unit_test(keeps_few_different_values_as_codes),
        cmocka_unit_test(lets_a_figure_that_stands_still_cost_a_bit_a_row),
        cmocka_unit_test(keeps_zeros_between_large_numbers),
        cmocka_unit_test(rejects_gaps_that_are_not_where_they_should_be),
        cmocka_unit_test(keeps_noise_with_little_on_top),
        cmocka_unit_test(keeps_every_width_of_bits_and_every_short_block),
        cmocka_unit_test(keeps_multiples_of_every_power_of_ten),
        cmocka_unit_test(gives_back_whatever_it_was_given),
        cmocka_unit_test(rejects_an_unknown_encoding_and_endless_nesting),
        cmocka_unit_test(rejects_a_code_outside_of_its_dictionary),
        cmocka_unit_test(survives_damage_anywhere),
        cmocka_unit_test(allocates_nothing_to_decode),
    };
    return cmocka_run_group_tests_name("codec/column", tests, NULL, NULL);
}
