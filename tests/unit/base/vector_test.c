/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow. */
#include "base/vector.h"

#include "support/test.h"

struct pair {
    int a;
    int b;
};

static void
keeps_what_is_pushed_in_order(void **)
{
    OI_VECTOR(int) numbers = {};

    for (int i = 0; i < 1000; i++)
        oi_vector_push(&numbers, i * 3);
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i * 3);
    oi_vector_release(&numbers);
    assert_null(numbers.items);
    assert_int_equal(numbers.capacity, 0);
}

static void
an_added_item_is_zeroed(void **)
{
    OI_VECTOR(struct pair) pairs = {};

    oi_vector_add(&pairs)->a = 7;
    assert_int_equal(pairs.items[0].b, 0);
    oi_vector_clear(&pairs);
    assert_int_equal(oi_vector_add(&pairs)->a, 0);
    oi_vector_release(&pairs);
}

static void
growing_is_rare(void **)
{
    OI_VECTOR(char) bytes = {};
    uint64_t before = oi_alloc_count();

    for (int i = 0; i < 100'000; i++)
        oi_vector_push(&bytes, 'x');
    assert_true(oi_alloc_count() - before < 20);
    oi_vector_reserve(&bytes, 200'000);
    before = oi_alloc_count();
    for (int i = 0; i < 200'000; i++)
        oi_vector_push(&bytes, 'y');
    assert_int_equal(oi_alloc_count(), before);
    oi_vector_release(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_pushed_in_order),
        cmocka_unit_test(an_added_item_is_zeroed),
        cmocka_unit_test(growing_is_rare),
    };
    return cmocka_run_group_tests_name("base/vector", tests, NULL, NULL);
}
