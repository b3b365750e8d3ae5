/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rows.h"

#include "base/random.h"

#include "support/test_store.h"

static struct oi_observation
reading_at(oi_time time, oi_time known_time, int64_t value)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.time = time;
    reading.known_time = known_time;
    reading.open_interest = oi_decimal_from(value, -1);
    return reading;
}

static void
set_wide(struct oi_observation *reading)
{
    assert_ok(
        oi_decimal_parse(OI_SLICE("-123456789012345678901234.5"), &reading->mark_price, NULL));
}

static void
a_row_comes_back_as_it_was(void **)
{
    struct oi_observation reading = reading_at(5, 6, 77), back;
    struct oi_rows rows = {}, copy = {};

    reading.exchange_time = 4;
    reading.flags = OI_FLAG_FROZEN;
    set_wide(&reading);
    oi_rows_add(&rows, &reading, 9);
    oi_rows_copy(&copy, &rows, 0);
    oi_rows_copy(&copy, &rows, 0);
    back = oi_rows_get(&copy, 1);
    test_store_assert_same(&back, &reading);
    assert_int_equal(copy.items[1].batch, 9);
    oi_rows_release(&rows);
    oi_rows_release(&copy);
}

static void
a_merge_is_in_order_and_keeps_wide_figures(void **)
{
    struct oi_random random;
    struct oi_rows rows = {};
    uint64_t seed;

    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (uint64_t batch = 1; batch <= 30; batch++) {
        struct oi_rows more = {};
        oi_time time = (oi_time) oi_random_below(&random, 50);

        for (int i = 0; i < 5; i++) {
            struct oi_observation reading = reading_at(time, (oi_time) batch, 1);

            if (oi_random_below(&random, 2))
                set_wide(&reading);
            reading.exchange_time = oi_decimal_is_none(&reading.mark_price);
            oi_rows_add(&more, &reading, batch);
            time += (oi_time) oi_random_below(&random, 9) + 1;
        }
        oi_rows_merge(&rows, &more);
        oi_rows_release(&more);
    }
    assert_int_equal(rows.count, 150);
    for (size_t i = 0; i < rows.count; i++) {
        struct oi_decimal mark = oi_rows_figure(&rows, i, 2);

        if (i > 0)
            assert_true(oi_record_compare(&rows.items[i - 1], &rows.items[i]) < 0);
        assert_int_equal(oi_decimal_is_none(&mark), rows.items[i].exchange_time);
        if (!oi_decimal_is_none(&mark))
            assert_int_equal(mark.form, OI_DECIMAL_WIDE);
        assert_true(oi_rows_find(&rows, rows.items[i].time) <= i);
    }
    oi_rows_release(&rows);
}

static void
settling_keeps_the_last_known_row_of_each_time(void **)
{
    struct oi_rows rows = {};
    const struct oi_observation readings[] = { reading_at(1, 1, 10), reading_at(1, 5, 11),
                                               reading_at(2, 9, 12), reading_at(3, 2, 13) };

    for (size_t i = 0; i < OI_COUNT(readings); i++)
        oi_rows_add(&rows, &readings[i], i + 1);
    oi_rows_settle(&rows, 5, false);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.items[0].batch, 2);
    assert_int_equal(rows.items[1].batch, 4);
    oi_rows_release(&rows);
}

static void
what_only_says_how_we_know_makes_no_difference(void **)
{
    struct oi_observation one = reading_at(1, 1, 10), other = reading_at(1, 2, 10);
    struct oi_rows rows = {};

    other.flags = OI_FLAG_KNOWN_ASSUMED;
    set_wide(&one);
    set_wide(&other);
    oi_rows_add(&rows, &one, 1);
    oi_rows_add(&rows, &other, 2);
    other.flags = OI_FLAG_BAD;
    oi_rows_add(&rows, &other, 3);
    other.flags = 0;
    other.mark_price.limbs[0]++;
    oi_rows_add(&rows, &other, 4);
    assert_true(oi_rows_same_reading(&rows, 0, &rows, 1));
    assert_false(oi_rows_same_reading(&rows, 0, &rows, 2));
    assert_false(oi_rows_same_reading(&rows, 0, &rows, 3));
    oi_rows_release(&rows);
}

static void
columns_hold_what_the_rows_hold(void **)
{
    struct oi_rows_columns columns = {};
    struct oi_rows rows = {}, back = {};

    for (int i = 0; i < 5; i++) {
        struct oi_observation reading = reading_at(i, i, 2 * i + 1);

        reading.flags = (uint16_t) i;
        if (i == 3)
            set_wide(&reading);
        oi_rows_add(&rows, &reading, (uint64_t) i);
    }
    oi_rows_columns_fill(&columns, &rows, 1, 4, OI_COLUMNS_ALL);
    assert_int_equal(columns.columns.count, 4);
    assert_null(columns.columns.open_interest.exponents); /* one for all */
    assert_null(columns.columns.value_usd.mantissas);     /* none in any row */
    oi_rows_add_columns(&back, &columns.columns, 0, 4);
    for (size_t i = 0; i < 4; i++) {
        struct oi_observation a = oi_rows_get(&rows, i + 1), b = oi_rows_get(&back, i);

        test_store_assert_same(&a, &b);
        assert_int_equal(back.items[i].batch, i + 1);
    }
    oi_rows_columns_release(&columns);
    oi_rows_release(&rows);
    oi_rows_release(&back);
}

static void
an_observation_survives_its_bytes_and_no_cut(void **)
{
    struct oi_observation reading = reading_at(-5, 7, INT64_MAX), back;
    struct oi_buffer bytes = {};
    struct oi_cursor cursor;

    set_wide(&reading);
    reading.flags = 0x8001;
    oi_observation_encode(&reading, &bytes);
    cursor = oi_cursor_over(oi_buffer_slice(&bytes));
    back = oi_observation_decode(&cursor);
    assert_false(cursor.failed);
    assert_int_equal(oi_cursor_left(&cursor), 0);
    test_store_assert_same(&back, &reading);
    for (size_t size = 0; size < bytes.size; size++) {
        cursor = oi_cursor_over((struct oi_slice){ bytes.data, size });
        (void) oi_observation_decode(&cursor);
        assert_true(cursor.failed);
    }
    oi_buffer_release(&bytes);
}

static void
rows_are_cut_to_a_span(void **)
{
    const struct {
        struct oi_span span;
        size_t count;
        oi_time first;
    } cuts[] = { { { 0, 100 }, 4, 10 }, { { 10, 40 }, 3, 10 }, { { 15, 100 }, 3, 20 },
                 { { 20, 31 }, 2, 20 }, { { 21, 30 }, 0, 0 },  { { 50, 60 }, 0, 0 } };

    for (size_t i = 0; i < OI_COUNT(cuts); i++) {
        struct oi_rows rows = {};

        for (oi_time time = 10; time <= 40; time += 10) {
            const struct oi_observation reading = reading_at(time, time, time);

            oi_rows_add(&rows, &reading, 1);
        }
        oi_rows_cut(&rows, cuts[i].span);
        assert_int_equal(rows.count, cuts[i].count);
        if (rows.count > 0)
            assert_int_equal(rows.items[0].time, cuts[i].first);
        oi_rows_release(&rows);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_comes_back_as_it_was),
        cmocka_unit_test(a_merge_is_in_order_and_keeps_wide_figures),
        cmocka_unit_test(rows_are_cut_to_a_span),
        cmocka_unit_test(settling_keeps_the_last_known_row_of_each_time),
        cmocka_unit_test(what_only_says_how_we_know_makes_no_difference),
        cmocka_unit_test(columns_hold_what_the_rows_hold),
        cmocka_unit_test(an_observation_survives_its_bytes_and_no_cut),
    };
    return cmocka_run_group_tests_name("store/rows", tests, NULL, NULL);
}
