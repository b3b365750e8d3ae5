/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rollup_cache.h"

#include "base/random.h"
#include "base/vector.h"

#include "support/test_store.h"

#include <pthread.h>
#include <stdatomic.h>

#define HOURS 168
#define SEALED_SIZE 200

/* A block of one part whose middle had no say. */
struct block {
    struct oi_rollup_request request;
    struct oi_shelf_label choice;
    int64_t starts[HOURS], counts[HOURS], times[HOURS], values[HOURS];
    int8_t exponents[HOURS];
    char bytes[SEALED_SIZE];
    struct oi_slice sealed;
    struct oi_rollup_unread unread;
    struct oi_rollup_columns columns;
};

static void
make_block(struct block *block, uint32_t series, int64_t value)
{
    memset(block, 0, sizeof(*block));
    block->request = (struct oi_rollup_request){ .series = series,
                                                 .interval_ns = OI_HOUR,
                                                 .parts = OI_ROLLUP_LAST,
                                                 .columns = { [3] = OI_COLUMN_VALUE_USD } };
    block->choice = oi_rollup_choice_make(&block->request, 1, TEST_START);
    for (int i = 0; i < HOURS; i++) {
        block->starts[i] = block->times[i] = TEST_START + i * OI_HOUR;
        block->counts[i] = 60;
        block->values[i] = value + i;
        block->exponents[i] = (int8_t) (i % 3);
    }
    for (int i = 0; i < SEALED_SIZE; i++)
        block->bytes[i] = (char) (value + i);
    block->sealed = (struct oi_slice){ block->bytes, SEALED_SIZE };
    block->unread =
        (struct oi_rollup_unread){ { { block->bytes + 50, 30 }, { block->bytes + 90, 0 } }, 2 };
    block->columns = (struct oi_rollup_columns){
        .count = HOURS,
        .starts = block->starts,
        .counts = block->counts,
        .last = { .count = HOURS,
                  .time = block->times,
                  .value_usd = { .mantissas = block->values, .exponents = block->exponents } },
    };
}

static void
offer(struct oi_shelf *cache, const struct block *block)
{
    oi_rollup_offer(cache, &block->choice,
                    &(struct oi_rollup_origin){ block->sealed, &block->unread, 7 },
                    &block->columns);
}

/* What was kept of these bytes; NULL where there is nothing. */
static struct oi_kept_rollups *
take(struct oi_shelf *cache, const struct oi_shelf_label *choice, struct oi_slice sealed)
{
    struct oi_kept_rollups *kept = (struct oi_kept_rollups *) oi_shelf_take(cache, choice);

    if (kept && !oi_kept_rollups_are_of(kept, sealed)) {
        oi_free(kept);
        return NULL;
    }
    return kept;
}

static void
assert_kept(struct oi_shelf *cache, const struct block *block)
{
    struct oi_kept_rollups *kept = take(cache, &block->choice, block->sealed);

    assert_non_null(kept);
    assert_true(kept->snapshot == 7);
    assert_int_equal(kept->columns.count, HOURS);
    assert_memory_equal(kept->columns.starts, block->starts, sizeof(block->starts));
    assert_memory_equal(kept->columns.counts, block->counts, sizeof(block->counts));
    assert_memory_equal(kept->columns.last.time, block->times, sizeof(block->times));
    assert_memory_equal(kept->columns.last.value_usd.mantissas, block->values,
                        sizeof(block->values));
    assert_memory_equal(kept->columns.last.value_usd.exponents, block->exponents,
                        sizeof(block->exponents));
    assert_null(kept->columns.first.time);
    /* It is ours alone as long as we have it. */
    assert_null(take(cache, &block->choice, block->sealed));
    oi_shelf_put(cache, &kept->item);
}

static void
what_is_offered_twice_is_kept(void **)
{
    struct oi_shelf *cache = oi_shelf_new(OI_KEPT_ROLLUPS);
    struct block block;

    make_block(&block, 1, 5);
    offer(cache, &block);
    assert_null(take(cache, &block.choice, block.sealed));
    offer(cache, &block);
    assert_kept(cache, &block);
    assert_kept(cache, &block);
    oi_shelf_free(&cache);
    oi_shelf_free(&cache);
}

static void
any_other_byte_that_had_a_say_is_another_block(void **)
{
    struct block block;

    for (int i = 0; i < SEALED_SIZE; i++) {
        struct oi_shelf *cache = oi_shelf_new(OI_KEPT_ROLLUPS);
        bool is_unread = i >= 50 && i < 80;

        make_block(&block, 1, 5);
        offer(cache, &block);
        offer(cache, &block);
        block.bytes[i] ^= 1;
        if (is_unread)
            assert_kept(cache, &block);
        else
            assert_null(take(cache, &block.choice, block.sealed));
        oi_shelf_free(&cache);
    }
}

static void
other_questions_and_other_sizes_find_nothing(void **)
{
    struct oi_shelf *cache = oi_shelf_new(OI_KEPT_ROLLUPS);
    struct oi_shelf_label other;
    struct block block;

    make_block(&block, 1, 5);
    offer(cache, &block);
    offer(cache, &block);
    block.request.columns[3] = OI_COLUMN_OPEN_INTEREST;
    other = oi_rollup_choice_make(&block.request, 1, TEST_START);
    assert_null(take(cache, &other, block.sealed));
    other = oi_rollup_choice_make(&block.request, 2, TEST_START);
    assert_null(take(cache, &other, block.sealed));
    assert_kept(cache, &block);
    block.sealed.size--;
    assert_null(take(cache, &block.choice, block.sealed));
    oi_shelf_free(&cache);
}

static void
what_is_large_or_wide_is_not_kept(void **)
{
    struct oi_shelf *cache = oi_shelf_new(OI_KEPT_ROLLUPS);
    char *large = oi_alloc_zero(1, OI_KEPT_ROLLUPS_SIZE);
    const struct oi_decimal wide = {};
    struct block block;

    make_block(&block, 1, 5);
    block.columns.last.value_usd.wides = &wide;
    offer(cache, &block);
    offer(cache, &block);
    assert_null(take(cache, &block.choice, block.sealed));
    make_block(&block, 2, 5);
    block.sealed = (struct oi_slice){ large, OI_KEPT_ROLLUPS_SIZE };
    block.unread.count = 0;
    offer(cache, &block);
    offer(cache, &block);
    assert_null(take(cache, &block.choice, block.sealed));
    oi_free(large);
    oi_shelf_free(&cache);
}

#define THREADS 4

struct shared {
    struct oi_shelf *cache;
    atomic_size_t taken;
};

/* More blocks than there is room for, and the same ones on every thread. */
static void *
use(void *context)
{
    struct shared *shared = context;
    struct block block;

    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t series = i % 5 ? i % 16 : i;
        struct oi_kept_rollups *kept;

        make_block(&block, series, series);
        kept = take(shared->cache, &block.choice, block.sealed);
        if (!kept) {
            offer(shared->cache, &block);
            continue;
        }
        if (memcmp(kept->columns.last.value_usd.mantissas, block.values, sizeof(block.values)) == 0)
            atomic_fetch_add(&shared->taken, 1);
        else
            atomic_fetch_add(&shared->taken, SIZE_MAX / 2);
        oi_shelf_put(shared->cache, &kept->item);
    }
    return NULL;
}

static void
threads_share_it_without_waiting(void **)
{
    struct shared shared = { .cache = oi_shelf_new(OI_KEPT_ROLLUPS) };
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_in_range(atomic_load(&shared.taken), 1000, (uintmax_t) THREADS * 3000);
    oi_shelf_free(&shared.cache);
}

/*
 * Through the store: what is asked by columns, again and again, is what is asked one by one.
 */

struct listed {
    OI_VECTOR(struct oi_rollup) items;
};

static enum oi_status
list_one(void *context, const struct oi_rollup *rollup)
{
    struct listed *listed = context;

    oi_vector_push(&listed->items, *rollup);
    return OI_OK;
}

static enum oi_status
list_columns(void *context, const struct oi_rollup_columns *columns)
{
    struct listed *listed = context;

    for (size_t i = 0; i < columns->count; i++) {
        struct oi_rollup *rollup = oi_vector_add(&listed->items);

        rollup->start = columns->starts[i];
        rollup->count = (uint32_t) columns->counts[i];
        rollup->first.open_interest = oi_decimals_get(&columns->first.open_interest, i);
        rollup->high.open_interest = oi_decimals_get(&columns->high.open_interest, i);
        rollup->last.open_interest = oi_decimals_get(&columns->last.open_interest, i);
        rollup->last.mark_price = oi_decimals_get(&columns->last.mark_price, i);
    }
    return OI_OK;
}

static void
ask(struct test_store *test, struct oi_random *random, struct oi_span span)
{
    struct listed expected = {}, found = {};
    int64_t interval_ns = oi_random_below(random, 3) ? OI_HOUR : OI_DAY;
    unsigned parts = oi_random_below(random, 2) ? OI_ROLLUP_FIRST | OI_ROLLUP_HIGH | OI_ROLLUP_LAST
                                                : OI_ROLLUP_LAST;
    const struct oi_rollup_request request = {
        .series = test->series[2],
        .interval_ns = interval_ns,
        .span = span,
        .parts = parts,
        .columns = { OI_COLUMN_OPEN_INTEREST, OI_COLUMN_OPEN_INTEREST, 0,
                     OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE },
        .each_columns = list_columns,
        .each = list_one,
        .context = &found,
    };

    assert_ok(oi_store_rollups(test->store, test->series[2], interval_ns, span, list_one, &expected,
                               NULL));
    for (int again = 0; again < 3; again++) {
        oi_vector_clear(&found.items);
        assert_ok(oi_store_rollup_columns(test->store, &request, NULL));
        assert_int_equal(found.items.count, expected.items.count);
        for (size_t i = 0; i < expected.items.count; i++) {
            const struct oi_rollup *one = &expected.items.items[i], *other = &found.items.items[i];

            assert_int_equal(one->start, other->start);
            assert_int_equal(one->count, other->count);
            assert_true(oi_decimal_equal(&one->last.open_interest, &other->last.open_interest));
            assert_true(oi_decimal_equal(&one->last.mark_price, &other->last.mark_price));
            if (parts == OI_ROLLUP_LAST)
                continue;
            assert_true(oi_decimal_equal(&one->first.open_interest, &other->first.open_interest));
            assert_true(oi_decimal_equal(&one->high.open_interest, &other->high.open_interest));
        }
    }
    oi_vector_release(&expected.items);
    oi_vector_release(&found.items);
}

/* Mostly one exponent a stretch, now and then any, none or a wide figure. */
static struct oi_decimal
any_figure(struct oi_random *random, int exponent)
{
    struct oi_decimal wide;

    if (oi_random_below(random, 300) == 0) {
        assert_ok(oi_decimal_parse(OI_SLICE("123456789012345678901234567890.5"), &wide, NULL));
        return wide;
    }
    if (oi_random_below(random, 200) == 0)
        exponent = -(int) oi_random_below(random, 12);
    return oi_decimal_from((int64_t) oi_random_below(random, 1'000'000) - 1000, exponent);
}

static void
rollups_by_columns_are_those_of_rows_however_often_they_are_asked_for(void **state)
{
    uint64_t seed = 20'261'127;
    struct oi_random random;
    struct test_store test;
    int minute = 0;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int round = 0; round < 12; round++) {
        int count = 200 + (int) oi_random_below(&random, 1500);
        int exponent = -(int) oi_random_below(&random, 6);
        struct oi_row *rows = oi_alloc_zero((size_t) count, sizeof(*rows));

        /* Late rows too: a block that is kept is made anew. */
        minute -= (int) oi_random_below(&random, 300);
        for (int i = 0; i < count; i++) {
            minute += 1 + (oi_random_below(&random, 100) == 0 ? 200 : 0);
            rows[i] = test_store_row(test.series[2], test_store_minute(minute), 1);
            rows[i].reading.open_interest = any_figure(&random, exponent);
            if (round % 3)
                rows[i].reading.mark_price = any_figure(&random, -2);
        }
        (void) test_store_append(&test, rows, (size_t) count);
        oi_free(rows);
        if (oi_random_below(&random, 3))
            test_store_checkpoint(&test);
        ask(&test, &random, OI_SPAN_ALL);
        ask(&test, &random,
            (struct oi_span){ test_store_minute(minute - 3000), test_store_minute(minute - 50) });
    }
    test_store_close(&test);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_offered_twice_is_kept),
        cmocka_unit_test(any_other_byte_that_had_a_say_is_another_block),
        cmocka_unit_test(other_questions_and_other_sizes_find_nothing),
        cmocka_unit_test(what_is_large_or_wide_is_not_kept),
        cmocka_unit_test(threads_share_it_without_waiting),
        cmocka_unit_test_setup_teardown(
            rollups_by_columns_are_those_of_rows_however_often_they_are_asked_for,
            test_folder_setup, test_folder_teardown),
    };
    return cmocka_run_group_tests_name("store/rollup_cache", tests, NULL, NULL);
}
