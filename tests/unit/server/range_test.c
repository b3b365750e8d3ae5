/* SPDX-License-Identifier: Apache-2.0 */
#include "server/range.h"

#include "support/test.h"

static void
assert_range(const char *header, size_t size, size_t from, size_t to)
{
    struct oi_byte_range range;

    assert_true(oi_range_parse(oi_slice_of(header), size, &range));
    assert_int_equal(range.from, from);
    assert_int_equal(range.to, to);
}

static void
reads_first_and_last(void **)
{
    assert_range("bytes=0-3", 10, 0, 4);
    assert_range("bytes=9-9", 10, 9, 10);
    assert_range("bytes=4-", 10, 4, 10);
    assert_range("bytes=4-400", 10, 4, 10);
}

static void
reads_the_last_bytes(void **)
{
    assert_range("bytes=-4", 10, 6, 10);
    assert_range("bytes=-40", 10, 0, 10);
}

static void
is_empty_outside_the_body(void **)
{
    struct oi_byte_range range;

    assert_true(oi_range_parse(OI_SLICE("bytes=10-"), 10, &range));
    assert_true(range.from >= range.to);
    assert_true(oi_range_parse(OI_SLICE("bytes=-0"), 10, &range));
    assert_true(range.from >= range.to);
    assert_true(oi_range_parse(OI_SLICE("bytes=0-0"), 0, &range));
    assert_true(range.from >= range.to);
}

static void
ignores_what_it_does_not_take(void **)
{
    static const char *const headers[] = {
        "",          "bytes",     "bytes=",
        "bytes=a-b", "bytes=5-4", "bytes=0-1,4-5",
        "items=0-1", "bytes=--1", "bytes=99999999999999999999999-",
        "bytes=1"
    };
    struct oi_byte_range range;

    for (size_t i = 0; i < OI_COUNT(headers); i++)
        assert_false(oi_range_parse(oi_slice_of(headers[i]), 10, &range));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_first_and_last),
        cmocka_unit_test(reads_the_last_bytes),
        cmocka_unit_test(is_empty_outside_the_body),
        cmocka_unit_test(ignores_what_it_does_not_take),
    };
    return cmocka_run_group_tests_name("server/range", tests, NULL, NULL);
}
