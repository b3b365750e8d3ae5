/* SPDX-License-Identifier: Apache-2.0 */
#include "lake/thrift.h"

#include "support/test.h"

static void
assert_bytes(struct oi_buffer *out, const char *bytes, size_t size)
{
    assert_int_equal(out->size, size);
    assert_memory_equal(out->data, bytes, size);
    oi_buffer_release(out);
}

static void
writes_the_difference_of_ids_in_the_header(void **)
{
    struct oi_buffer out = {};
    struct oi_thrift thrift = { .out = &out };

    oi_thrift_i32(&thrift, 1, 1);
    oi_thrift_i64(&thrift, 3, -1);
    oi_thrift_end(&thrift);
    assert_bytes(&out, "\x15\x02\x26\x01\x00", 5);
}

static void
writes_a_far_id_whole(void **)
{
    struct oi_buffer out = {};
    struct oi_thrift thrift = { .out = &out };

    oi_thrift_bool(&thrift, 20, true);
    oi_thrift_bool(&thrift, 21, false);
    assert_bytes(&out, "\x01\x28\x12", 3);
}

static void
counts_ids_anew_in_each_struct(void **)
{
    struct oi_buffer out = {};
    struct oi_thrift thrift = { .out = &out };

    oi_thrift_begin(&thrift, 2);
    oi_thrift_i32(&thrift, 1, 0);
    oi_thrift_end(&thrift);
    oi_thrift_i32(&thrift, 3, 0);
    oi_thrift_end(&thrift);
    assert_bytes(&out, "\x2c\x15\x00\x00\x15\x00\x00", 7);
}

static void
writes_long_lists_with_a_count_of_their_own(void **)
{
    struct oi_buffer out = {};
    struct oi_thrift thrift = { .out = &out };

    oi_thrift_list(&thrift, 1, OI_THRIFT_I32, 2);
    oi_thrift_element_i32(&thrift, 1);
    oi_thrift_element_i32(&thrift, -2);
    oi_thrift_list(&thrift, 2, OI_THRIFT_BINARY, 15);
    oi_thrift_element_binary(&thrift, OI_SLICE("ab"));
    assert_bytes(&out,
                 "\x19\x25\x02\x03\x19\xf8\x0f\x02"
                 "ab",
                 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_difference_of_ids_in_the_header),
        cmocka_unit_test(writes_a_far_id_whole),
        cmocka_unit_test(counts_ids_anew_in_each_struct),
        cmocka_unit_test(writes_long_lists_with_a_count_of_their_own),
    };
    return cmocka_run_group_tests_name("lake/thrift", tests, NULL, NULL);
}
