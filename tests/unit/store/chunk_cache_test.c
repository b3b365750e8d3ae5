/* SPDX-License-Identifier: Apache-2.0 */
#include "store/chunk_cache.h"

#include "base/random.h"
#include "base/vector.h"

#include "support/test_store.h"

#define FIGURES                                                                                    \
    (OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE | OI_COLUMN_INDEX_PRICE | OI_COLUMN_VALUE_USD)

struct listed {
    OI_VECTOR(struct oi_observation) items;
    size_t runs; /* of equal steps that were told, in all */
};

/* Where it is known how times go, that is how they go; how many runs were told. */
static size_t
check_steps(const struct oi_scan_steps *steps, const struct oi_columns *columns)
{
    size_t run = 0, first;

    if (!steps)
        return 0;
    first = (size_t) (columns->time - steps->times);
    assert_true(first + columns->count <= steps->ends[steps->count - 1]);
    for (size_t i = 1; i < columns->count; i++) {
        while (steps->ends[run] <= first + i - 1)
            run++;
        assert_int_equal((uint64_t) columns->time[i] - (uint64_t) columns->time[i - 1] ==
                             (uint64_t) steps->step_ns,
                         first + i < steps->ends[run]);
    }
    return steps->count;
}

/* All of a span; with a figure that suffices, now and then a block is asked for again, whole. */
static void
list(struct test_store *test, struct oi_random *random, struct oi_span span, unsigned sufficient,
     struct listed *listed)
{
    const struct oi_scan_request request = { .series = test->series[2],
                                             .span = span,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = FIGURES,
                                             .sufficient = sufficient };
    const struct oi_columns *columns;
    struct oi_scan *scan = NULL;

    oi_vector_clear(&listed->items);
    assert_ok(oi_store_scan(test->store, &request, &scan, NULL));
    for (;;) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        if (sufficient && oi_random_below(random, 8) == 0) {
            oi_scan_go_back(scan);
            assert_ok(oi_scan_next(scan, &columns, NULL));
        }
        listed->runs += check_steps(oi_scan_steps(scan), columns);
        for (size_t i = 0; i < columns->count; i++)
            oi_vector_push(&listed->items, oi_columns_get(columns, i));
    }
    oi_scan_close(&scan);
}

/* Returns how many runs were told of what was kept. */
static size_t
ask(struct test_store *test, struct oi_random *random, struct oi_span span)
{
    struct listed expected = {}, found = {};

    list(test, random, span, 0, &expected);
    for (int again = 0; again < 6; again++) {
        unsigned sufficient = again % 2 ? OI_COLUMN_VALUE_USD : OI_COLUMN_OPEN_INTEREST;

        list(test, random, span, sufficient, &found);
        assert_int_equal(found.items.count, expected.items.count);
        for (size_t i = 0; i < expected.items.count; i++) {
            const struct oi_observation *one = &expected.items.items[i];
            const struct oi_observation *other = &found.items.items[i];
            bool has_value = !oi_decimal_is_none(&other->value_usd);
            bool has_amount = !oi_decimal_is_none(&other->open_interest);

            assert_int_equal(one->time, other->time);
            if (sufficient == OI_COLUMN_VALUE_USD || has_value)
                assert_true(oi_decimal_equal(&one->value_usd, &other->value_usd) ||
                            (oi_decimal_is_none(&one->value_usd) && !has_value));
            if (sufficient == OI_COLUMN_OPEN_INTEREST || has_amount || !has_value)
                assert_true(oi_decimal_equal(&one->open_interest, &other->open_interest));
        }
    }
    assert_int_equal(expected.runs, 0);
    oi_vector_release(&expected.items);
    oi_vector_release(&found.items);
    return found.runs;
}

/* Stretches with a value in every row, in some, in none; now and then an exponent of its own or a
 * wide figure. */
static struct oi_row
any_row(struct test_store *test, struct oi_random *random, int minute, int value_part)
{
    struct oi_row row = test_store_row(test->series[2], test_store_minute(minute), 1);
    int exponent = oi_random_below(random, 500) == 0 ? -7 : -2;

    row.reading.open_interest =
        oi_decimal_from((int64_t) oi_random_below(random, 1'000'000), exponent);
    if (value_part && oi_random_below(random, 100) < (uint64_t) value_part)
        row.reading.value_usd = oi_decimal_from((int64_t) oi_random_below(random, 1'000'000), -2);
    if (oi_random_below(random, 2000) == 0)
        assert_ok(oi_decimal_parse(OI_SLICE("123456789012345678901234567890.5"),
                                   &row.reading.value_usd, NULL));
    return row;
}

static void
what_is_kept_says_what_is_stored_whatever_comes(void **state)
{
    static const int value_parts[] = { 100, 100, 0, 98 };
    uint64_t seed = 20'261'127;
    struct oi_random random;
    struct test_store test;
    size_t runs = 0;
    int minute = 0;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int round = 0; round < 10; round++) {
        int count = 200 + (int) oi_random_below(&random, 600);
        struct oi_row *rows = oi_alloc_zero((size_t) count, sizeof(*rows));
        int value_part = value_parts[oi_random_below(&random, OI_COUNT(value_parts))];

        /* Late rows too: a chunk that is kept is made anew. */
        minute -= (int) oi_random_below(&random, 100);
        for (int i = 0; i < count; i++)
            rows[i] = any_row(&test, &random, minute += 1 + (oi_random_below(&random, 30) == 0),
                              value_part);
        (void) test_store_append(&test, rows, (size_t) count);
        oi_free(rows);
        if (oi_random_below(&random, 3))
            test_store_checkpoint(&test);
        runs += ask(&test, &random, OI_SPAN_ALL);
        runs += ask(
            &test, &random,
            (struct oi_span){ test_store_minute(minute - 900), test_store_minute(minute - 50) });
    }
    assert_true(runs > 0);
    test_store_close(&test);
}

/* One step of them is more nanoseconds than a number holds. */
static void
a_chunk_of_different_centuries_is_kept_like_any_other(void **state)
{
    struct oi_row rows[20];
    struct oi_random random;
    struct test_store test;

    oi_random_init(&random, 1);
    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int i = 0; i < (int) OI_COUNT(rows); i++) {
        rows[i] = any_row(&test, &random, i, 100);
        rows[i].reading.time = (i < 10 ? -8'800'000'000 : 8'800'000'000) * OI_SECOND + i;
    }
    (void) test_store_append(&test, rows, OI_COUNT(rows));
    test_store_checkpoint(&test);
    assert_int_not_equal(ask(&test, &random, OI_SPAN_ALL), 0);
    test_store_close(&test);
}

/* Turn a bit of a stored chunk. */
static void
damage(struct oi_store *store, uint32_t series)
{
    const struct oi_key key = oi_key_of_chunk(series, test_store_minute(0));
    struct oi_slice value;
    struct oi_access access;
    char *copy;

    assert_ok(oi_access_begin(&access, store, OI_KV_WRITE, NULL));
    assert_ok(store->engine->get(access.txn, OI_TABLE_CHUNK, oi_key_slice(&key), &value, NULL));
    copy = oi_alloc(value.size);
    memcpy(copy, value.data, value.size);
    copy[value.size - 3] ^= 1;
    assert_ok(store->engine->put(access.txn, OI_TABLE_CHUNK, oi_key_slice(&key),
                                 (struct oi_slice){ copy, value.size }, NULL));
    oi_free(copy);
    assert_ok(oi_access_commit(&access, NULL));
}

static void
a_chunk_that_was_damaged_since_is_not_what_was_kept(void **state)
{
    const struct oi_scan_request request = { .columns = FIGURES,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .sufficient = OI_COLUMN_OPEN_INTEREST };
    struct oi_scan_request asked = request;
    struct oi_row rows[300];
    struct oi_random random;
    struct test_store test;

    oi_random_init(&random, 1);
    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int i = 0; i < (int) OI_COUNT(rows); i++)
        rows[i] = any_row(&test, &random, i, 100);
    (void) test_store_append(&test, rows, OI_COUNT(rows));
    test_store_checkpoint(&test);
    asked.series = test.series[2];
    for (int again = 0; again < 5; again++) {
        const struct oi_columns *columns = NULL;
        struct oi_scan *scan = NULL;

        if (again == 4)
            damage(test.store, test.series[2]);
        assert_ok(oi_store_scan(test.store, &asked, &scan, NULL));
        assert_status(oi_scan_next(scan, &columns, NULL), again == 4 ? OI_E_CORRUPT : OI_OK);
        oi_scan_close(&scan);
    }
    test_store_close(&test);
}

static void
figures_that_are_not_needed_are_left_out_where_one_is_whole(void **)
{
    const int64_t mantissas[3] = { 1, 2, 3 };
    const int8_t holes[3] = { 0, OI_EXPONENT_NONE, 0 };
    struct oi_columns columns = { .count = 3,
                                  .open_interest = { .mantissas = mantissas },
                                  .value_usd = { .mantissas = mantissas, .exponents = holes } };

    oi_columns_leave_only(&columns, OI_COLUMN_VALUE_USD);
    assert_non_null(columns.open_interest.mantissas);
    columns.value_usd.exponents = NULL;
    oi_columns_leave_only(&columns, 0);
    assert_non_null(columns.open_interest.mantissas);
    oi_columns_leave_only(&columns, OI_COLUMN_VALUE_USD);
    assert_null(columns.open_interest.mantissas);
    assert_ptr_equal(columns.value_usd.mantissas, mantissas);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_that_are_not_needed_are_left_out_where_one_is_whole),
        cmocka_unit_test_setup_teardown(what_is_kept_says_what_is_stored_whatever_comes,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(a_chunk_of_different_centuries_is_kept_like_any_other,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(a_chunk_that_was_damaged_since_is_not_what_was_kept,
                                        test_folder_setup, test_folder_teardown),
    };
    return cmocka_run_group_tests_name("store/chunk_cache", tests, NULL, NULL);
}
