/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with several owners go with the last of them. */
#include "base/shared.h"

#include "support/test.h"

static struct oi_shared *
shared_of(const char *text)
{
    struct oi_buffer bytes = {};

    oi_buffer_add_text(&bytes, text);
    return oi_shared_take(&bytes);
}

static void
taking_leaves_the_buffer_empty_and_copies_nothing(void **)
{
    struct oi_buffer bytes = { .size_max = 100 };
    struct oi_shared *shared;
    const char *data;

    oi_buffer_add_text(&bytes, "a month of bars");
    data = bytes.data;
    shared = oi_shared_take(&bytes);
    assert_int_equal(bytes.size, 0);
    assert_null(bytes.data);
    assert_int_equal(bytes.size_max, 100);
    assert_ptr_equal(oi_shared_bytes(shared).data, data);
    oi_shared_unref(&shared);
    assert_null(shared);
}

static void
bytes_live_as_long_as_the_last_reference(void **)
{
    struct oi_shared *first = shared_of("news");
    struct oi_shared *second = oi_shared_ref(first);

    assert_ptr_equal(first, second);
    oi_shared_unref(&first);
    assert_true(oi_slice_is(oi_shared_bytes(second), "news"));
    oi_shared_unref(&second);
}

static void
no_reference_may_be_given_back(void **)
{
    struct oi_shared *none = NULL;

    oi_shared_unref(&none);
    assert_null(none);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_leaves_the_buffer_empty_and_copies_nothing),
        cmocka_unit_test(bytes_live_as_long_as_the_last_reference),
        cmocka_unit_test(no_reference_may_be_given_back),
    };
    return cmocka_run_group_tests_name("base/shared", tests, NULL, NULL);
}
