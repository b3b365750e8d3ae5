/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a file. That its contents read back is proven by readers that are not ours, in
 * tests/system. */
#include "lake/parquet.h"

#include "support/test.h"

#include <string.h>

static uint32_t
footer_size(const struct oi_buffer *file)
{
    uint32_t size;

    memcpy(&size, file->data + file->size - 8, sizeof(size));
    return size;
}

static void
assert_frame(const struct oi_buffer *file)
{
    assert_true(file->size > 12);
    assert_memory_equal(file->data, "PAR1", 4);
    assert_memory_equal(file->data + file->size - 4, "PAR1", 4);
    assert_true(footer_size(file) < file->size - 8);
}

static void
frames_a_file_without_rows(void **)
{
    const struct oi_parquet_column column = { .name = "time",
                                              .type = OI_PARQUET_TIMESTAMP_MICROS,
                                              .is_nullable = true };
    struct oi_buffer file = {};

    assert_ok(oi_parquet_write(&column, 1, 0, &file, NULL));
    assert_frame(&file);
    assert_int_equal(footer_size(&file), file.size - 12);
    oi_buffer_release(&file);
}

/* Offsets count from the beginning of the file, wherever it stands in the buffer. */
static void
writes_the_same_file_behind_other_bytes(void **)
{
    static const double values[] = { 1.5, -2, 0 };
    static const bool present[] = { true, false, true };
    const struct oi_parquet_column column = { .name = "open_interest",
                                              .type = OI_PARQUET_DOUBLE,
                                              .is_nullable = true,
                                              .present = present,
                                              .doubles = values };
    struct oi_buffer alone = {}, behind = {};

    assert_ok(oi_parquet_write(&column, 1, 3, &alone, NULL));
    oi_buffer_add_text(&behind, "before");
    assert_ok(oi_parquet_write(&column, 1, 3, &behind, NULL));
    assert_frame(&alone);
    assert_int_equal(behind.size - 6, alone.size);
    assert_memory_equal(behind.data + 6, alone.data, alone.size);
    oi_buffer_release(&alone);
    oi_buffer_release(&behind);
}

static void
says_when_the_buffer_has_no_room(void **)
{
    static const int64_t values[] = { 1, 2, 3 };
    const struct oi_parquet_column column = { .name = "a",
                                              .type = OI_PARQUET_INT64,
                                              .integers = values };
    struct oi_buffer file = { .size_max = 20 };

    assert_status(oi_parquet_write(&column, 1, 3, &file, NULL), OI_E_FULL);
    oi_buffer_release(&file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_a_file_without_rows),
        cmocka_unit_test(writes_the_same_file_behind_other_bytes),
        cmocka_unit_test(says_when_the_buffer_has_no_room),
    };
    return cmocka_run_group_tests_name("lake/parquet", tests, NULL, NULL);
}
