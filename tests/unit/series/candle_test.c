/* SPDX-License-Identifier: Apache-2.0 */
#include "series/candle.h"

#include "base/random.h"
#include "support/test.h"

#include <stdio.h>

static struct oi_decimal
decimal(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

static void
assert_decimal(struct oi_decimal value, const char *text)
{
    char printed[OI_DECIMAL_TEXT_SIZE];

    oi_decimal_print(&value, printed);
    assert_string_equal(printed, text);
}

static void
stamps_a_bucket_with_its_start(void **)
{
    struct oi_candles candles = { .interval_ns = OI_HOUR };
    struct oi_decimal amount = decimal("95444.539");

    oi_candles_add_one(&candles, 90 * OI_MINUTE, &amount, NULL);
    assert_int_equal(candles.items.count, 1);
    assert_int_equal(candles.items.items[0].start, OI_HOUR);
    assert_int_equal(candles.items.items[0].first, 90 * OI_MINUTE);
    oi_candles_release(&candles);
}

static void
opens_with_the_first_and_closes_with_the_last(void **)
{
    static const int64_t mantissas[] = { 5, 9, 2, 7 };
    static const oi_time times[] = { 0, 1, 2, 3 };
    struct oi_decimals amounts = { .mantissas = mantissas, .exponent = -1 };
    struct oi_candles candles = { .interval_ns = OI_HOUR };

    oi_candles_add(&candles, &(struct oi_readings){ times, &amounts, NULL, 4 });
    assert_int_equal(candles.items.count, 1);
    assert_decimal(candles.items.items[0].open, "0.5");
    assert_decimal(candles.items.items[0].high, "0.9");
    assert_decimal(candles.items.items[0].low, "0.2");
    assert_decimal(candles.items.items[0].close, "0.7");
    assert_int_equal(candles.items.items[0].count, 4);
    oi_candles_release(&candles);
}

static void
starts_weeks_on_monday(void **)
{
    struct oi_candles candles = { .interval_ns = OI_WEEK };
    struct oi_decimal amount = decimal("1");
    oi_time sunday, monday;

    assert_ok(oi_time_parse_utc(oi_slice_of("2026-03-08T23:59:59Z"), &sunday, NULL));
    assert_ok(oi_time_parse_utc(oi_slice_of("2026-03-09T00:00:00Z"), &monday, NULL));
    oi_candles_add_one(&candles, sunday, &amount, NULL);
    oi_candles_add_one(&candles, monday, &amount, NULL);
    assert_int_equal(candles.items.count, 2);
    assert_int_equal(candles.items.items[0].start, monday - OI_WEEK);
    assert_int_equal(candles.items.items[1].start, monday);
    oi_candles_release(&candles);
}

static void
invents_no_empty_bucket(void **)
{
    struct oi_candles candles = { .interval_ns = OI_HOUR };
    struct oi_decimal amount = decimal("1");

    oi_candles_add_one(&candles, 0, &amount, NULL);
    oi_candles_add_one(&candles, 5 * OI_HOUR, &amount, NULL);
    assert_int_equal(candles.items.count, 2);
    oi_candles_release(&candles);
}

static void
passes_over_a_reading_without_an_amount(void **)
{
    struct oi_candles candles = { .interval_ns = OI_HOUR };
    struct oi_decimal none = {};

    oi_candles_add_one(&candles, 0, &none, NULL);
    assert_int_equal(candles.items.count, 0);
    oi_candles_release(&candles);
}

static void
assert_same_candle(const struct oi_candle *a, const struct oi_candle *b)
{
    const struct oi_decimal *const left[] = { &a->open,  &a->high,       &a->low,
                                              &a->close, &a->price_open, &a->price_close };
    const struct oi_decimal *const right[] = { &b->open,  &b->high,       &b->low,
                                               &b->close, &b->price_open, &b->price_close };

    for (size_t i = 0; i < OI_COUNT(left); i++)
        assert_memory_equal(left[i], right[i], sizeof(*left[i]));
    assert_int_equal(a->start, b->start);
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->last, b->last);
    assert_int_equal(a->count, b->count);
    assert_true(a->is_incomplete == b->is_incomplete);
}

/* Readings one by one, against the same readings as columns cut anywhere and against rollup parts.
 */
static void
says_the_same_of_columns_rows_and_parts(void **)
{
    enum { COUNT = 2000 };
    static int64_t mantissas[COUNT], price_mantissas[COUNT];
    static oi_time times[COUNT];
    struct oi_random random;
    uint64_t seed = 7;

    printf("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 50; round++) {
        struct oi_candles by_row = { .interval_ns = 4 * OI_HOUR };
        struct oi_candles by_column = by_row, hours = { .interval_ns = OI_HOUR }, by_part = by_row;
        struct oi_decimals amounts = { .mantissas = mantissas, .exponent = -3 };
        struct oi_decimals prices = { .mantissas = price_mantissas, .exponent = -1 };

        for (size_t i = 0; i < COUNT; i++) {
            times[i] = (i > 0 ? times[i - 1] : 0) +
                       (oi_time) (1 + oi_random_below(&random, 30)) * OI_MINUTE;
            mantissas[i] = (int64_t) oi_random_below(&random, 1000) * 10;
            price_mantissas[i] = 1 + (int64_t) oi_random_below(&random, 1000);
        }
        for (size_t i = 0, next; i < COUNT; i = next) {
            next = i + 1 + oi_random_below(&random, 100);
            next = next < COUNT ? next : COUNT;
            amounts.mantissas = mantissas + i;
            prices.mantissas = price_mantissas + i;
            oi_candles_add(&by_column,
                           &(struct oi_readings){ times + i, &amounts, &prices, next - i });
            oi_candles_add(&hours, &(struct oi_readings){ times + i, &amounts, &prices, next - i });
            for (size_t row = i; row < next; row++) {
                struct oi_decimal amount = oi_decimal_from(mantissas[row], -3);
                struct oi_decimal price = oi_decimal_from(price_mantissas[row], -1);

                oi_candles_add_one(&by_row, times[row], &amount, &price);
            }
        }
        for (size_t i = 0; i < hours.items.count; i++)
            oi_candles_add_part(&by_part, &hours.items.items[i]);
        assert_int_equal(by_row.items.count, by_column.items.count);
        assert_int_equal(by_row.items.count, by_part.items.count);
        for (size_t i = 0; i < by_row.items.count; i++) {
            assert_same_candle(&by_row.items.items[i], &by_column.items.items[i]);
            assert_same_candle(&by_row.items.items[i], &by_part.items.items[i]);
        }
        oi_candles_release(&by_row);
        oi_candles_release(&by_column);
        oi_candles_release(&by_part);
        oi_candles_release(&hours);
    }
}

static void
forgets_what_was_handed_out(void **)
{
    struct oi_candles candles = { .interval_ns = OI_HOUR };
    struct oi_decimal amount = decimal("3");

    for (int i = 0; i < 5; i++)
        oi_candles_add_one(&candles, i * OI_HOUR, &amount, NULL);
    oi_candles_keep(&candles, 1);
    assert_int_equal(candles.items.count, 1);
    assert_int_equal(candles.items.items[0].start, 4 * OI_HOUR);
    oi_candles_keep(&candles, 3);
    assert_int_equal(candles.items.count, 1);
    oi_candles_release(&candles);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_a_bucket_with_its_start),
        cmocka_unit_test(opens_with_the_first_and_closes_with_the_last),
        cmocka_unit_test(starts_weeks_on_monday),
        cmocka_unit_test(invents_no_empty_bucket),
        cmocka_unit_test(passes_over_a_reading_without_an_amount),
        cmocka_unit_test(says_the_same_of_columns_rows_and_parts),
        cmocka_unit_test(forgets_what_was_handed_out),
    };
    return cmocka_run_group_tests_name("series/candle", tests, NULL, NULL);
}
