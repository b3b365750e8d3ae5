/* SPDX-License-Identifier: Apache-2.0 */
/* Owned bytes, their ceiling, and reading back what was written. */
#include "base/buffer.h"

#include "base/alloc.h"
#include "base/random.h"
#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
pieces_follow_one_another(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = {};

    oi_buffer_add_text(&buffer, "a");
    oi_buffer_add_char(&buffer, 'b');
    oi_buffer_add_slice(&buffer, OI_SLICE("cd"));
    oi_buffer_add_slice(&buffer, (struct oi_slice){});
    oi_buffer_add_format(&buffer, "%d", 5);
    assert_true(oi_slice_is(oi_buffer_slice(&buffer), "abcd5"));
    oi_buffer_consume(&buffer, 3);
    assert_true(oi_slice_is(oi_buffer_slice(&buffer), "d5"));
    oi_buffer_consume(&buffer, 2);
    assert_int_equal(buffer.size, 0);
}

static void
formats_text_longer_than_its_scratch(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = {};

    oi_buffer_add_format(&buffer, "%1000d", 1);
    assert_int_equal(buffer.size, 1000);
    assert_int_equal(buffer.data[999], '1');
}

static void
past_the_ceiling_nothing_more_is_taken(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = { .size_max = 10 };

    oi_buffer_add_text(&buffer, "12345678");
    assert_false(buffer.overflowed);
    oi_buffer_add_text(&buffer, "9ab");
    assert_true(buffer.overflowed);
    oi_buffer_add_text(&buffer, "9");
    assert_null(oi_buffer_reserve(&buffer, 1));
    assert_true(oi_slice_is(oi_buffer_slice(&buffer), "12345678"));
    oi_buffer_clear(&buffer);
    oi_buffer_add_text(&buffer, "1234567890");
    assert_false(buffer.overflowed);
    assert_true(buffer.capacity <= 10);
    oi_buffer_release(&buffer);
    assert_int_equal(buffer.size_max, 10);
}

static void
a_huge_reservation_is_refused_not_wrapped(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = {};

    oi_buffer_add_char(&buffer, 'x');
    assert_null(oi_buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.overflowed);
}

static void
integers_are_written_like_printf_does(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = {};
    struct oi_random random;
    int64_t edges[] = { 0, 9, 10, 99, 100, -1, -100, INT64_MAX, INT64_MIN };
    char expected[32];

    oi_random_init(&random, 5);
    for (size_t i = 0; i < 2000; i++) {
        int64_t value = i < OI_COUNT(edges)
                            ? edges[i]
                            : (int64_t) oi_random_next(&random) >> (oi_random_next(&random) & 63);

        oi_buffer_clear(&buffer);
        oi_buffer_add_int(&buffer, value);
        (void) snprintf(expected, sizeof(expected), "%" PRId64, value);
        assert_true(oi_slice_is(oi_buffer_slice(&buffer), expected));
    }
}

static void
integers_are_little_endian(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = {};

    oi_buffer_add_u16(&buffer, 0x0102);
    oi_buffer_add_u32(&buffer, 0x03040506);
    oi_buffer_add_varint(&buffer, 300);
    assert_int_equal(buffer.size, 8);
    assert_memory_equal(buffer.data, "\x02\x01\x06\x05\x04\x03\xAC\x02", 8);
}

static void
what_is_written_reads_back(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer buffer = {};
    struct oi_cursor cursor;
    struct oi_random random;
    uint64_t value;

    print_message("seed 11\n");
    oi_random_init(&random, 11);
    for (int i = 0; i < 1000; i++) {
        value = oi_random_next(&random) >> (oi_random_next(&random) & 63);
        oi_buffer_add_varint(&buffer, value);
        oi_buffer_add_u8(&buffer, (uint8_t) value);
        oi_buffer_add_u16(&buffer, (uint16_t) value);
        oi_buffer_add_u32(&buffer, (uint32_t) value);
        oi_buffer_add_u64(&buffer, value);
    }
    oi_random_init(&random, 11);
    cursor = oi_cursor_over(oi_buffer_slice(&buffer));
    for (int i = 0; i < 1000; i++) {
        value = oi_random_next(&random) >> (oi_random_next(&random) & 63);
        assert_true(oi_cursor_varint(&cursor) == value);
        assert_int_equal(oi_cursor_u8(&cursor), (uint8_t) value);
        assert_int_equal(oi_cursor_u16(&cursor), (uint16_t) value);
        assert_int_equal(oi_cursor_u32(&cursor), (uint32_t) value);
        assert_true(oi_cursor_u64(&cursor) == value);
    }
    assert_int_equal(oi_cursor_left(&cursor), 0);
    assert_false(cursor.failed);
}

static void
reading_past_the_end_fails_for_good(void **)
{
    struct oi_cursor cursor = oi_cursor_over(OI_SLICE("\x01\x02\x03"));

    assert_int_equal(oi_cursor_u32(&cursor), 0);
    assert_true(cursor.failed);
    assert_int_equal(oi_cursor_u8(&cursor), 0);
    assert_int_equal(oi_cursor_bytes(&cursor, 1).size, 0);
    assert_int_equal(oi_cursor_left(&cursor), 0);
}

static void
an_empty_cursor_reads_nothing(void **)
{
    struct oi_cursor cursor = oi_cursor_over((struct oi_slice){});

    assert_int_equal(oi_cursor_bytes(&cursor, 0).size, 0);
    assert_false(cursor.failed);
    assert_int_equal(oi_cursor_u8(&cursor), 0);
    assert_true(cursor.failed);
}

static void
a_varint_of_more_than_64_bits_is_refused(void **)
{
    struct oi_cursor most = oi_cursor_over(OI_SLICE("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
    struct oi_cursor more = oi_cursor_over(OI_SLICE("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"));

    assert_true(oi_cursor_varint(&most) == UINT64_MAX);
    assert_false(most.failed);
    assert_int_equal(oi_cursor_varint(&more), 0);
    assert_true(more.failed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_one_another),
        cmocka_unit_test(formats_text_longer_than_its_scratch),
        cmocka_unit_test(past_the_ceiling_nothing_more_is_taken),
        cmocka_unit_test(a_huge_reservation_is_refused_not_wrapped),
        cmocka_unit_test(integers_are_written_like_printf_does),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(reading_past_the_end_fails_for_good),
        cmocka_unit_test(an_empty_cursor_reads_nothing),
        cmocka_unit_test(a_varint_of_more_than_64_bits_is_refused),
    };
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
