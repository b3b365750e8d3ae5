/* SPDX-License-Identifier: Apache-2.0 */
/* The Native format: blocks there and back, and every way in which one may be cut. */
#include "clickhouse/blocks.h"

#include "support/test.h"

static void
write_block(struct oi_buffer *out)
{
    oi_native_begin(out, 3, 2);
    oi_native_head(out, "small", OI_NATIVE_INT8);
    oi_buffer_add_u8(out, 0xff);
    oi_buffer_add_u8(out, 5);
    oi_native_head(out, "large", OI_NATIVE_UINT64);
    oi_buffer_add_u64(out, UINT64_MAX);
    oi_buffer_add_u64(out, 7);
    oi_native_head(out, "text", OI_NATIVE_STRING);
    oi_native_text(out, OI_SLICE("one"));
    oi_native_text(out, OI_SLICE(""));
}

static void
blocks_come_back_as_they_were_written(void **state)
{
    const struct oi_native_column *column;
    struct oi_native_block block;
    struct oi_buffer bytes = {};
    struct oi_slice rest;

    (void) state;
    write_block(&bytes);
    write_block(&bytes);
    rest = oi_buffer_slice(&bytes);
    for (int i = 0; i < 2; i++) {
        assert_ok(oi_native_next(&rest, &block, NULL));
        assert_int_equal(block.rows, 2);
        assert_ok(oi_native_find(&block, "small", false, &column, NULL));
        assert_int_equal(oi_native_int(column, 0), -1);
        assert_int_equal(oi_native_int(column, 1), 5);
        assert_ok(oi_native_find(&block, "large", false, &column, NULL));
        assert_true((uint64_t) oi_native_int(column, 0) == UINT64_MAX);
        assert_ok(oi_native_find(&block, "text", true, &column, NULL));
        assert_true(oi_slice_is(column->strings[0], "one"));
        assert_int_equal(column->strings[1].size, 0);
        assert_status(oi_native_find(&block, "text", false, &column, NULL), OI_E_UPSTREAM);
        assert_status(oi_native_find(&block, "none", true, &column, NULL), OI_E_UPSTREAM);
        oi_native_block_release(&block);
    }
    assert_status(oi_native_next(&rest, &block, NULL), OI_E_NOT_FOUND);
    oi_buffer_release(&bytes);
}

static void
a_block_that_breaks_off_is_none(void **state)
{
    struct oi_native_block block;
    struct oi_buffer bytes = {};

    (void) state;
    write_block(&bytes);
    for (size_t size = 1; size < bytes.size; size++) {
        struct oi_slice rest = { bytes.data, size };

        assert_status(oi_native_next(&rest, &block, NULL), OI_E_UPSTREAM);
        assert_int_equal(rest.size, size);
    }
    oi_buffer_release(&bytes);
}

static void
types_that_are_not_ours_and_false_counts_are_refused(void **state)
{
    struct oi_native_block block;
    struct oi_buffer bytes = {};
    struct oi_slice rest;

    (void) state;
    oi_native_begin(&bytes, 1, 1);
    oi_native_text(&bytes, OI_SLICE("x"));
    oi_native_text(&bytes, OI_SLICE("Float64"));
    oi_buffer_add_u64(&bytes, 0);
    rest = oi_buffer_slice(&bytes);
    assert_status(oi_native_next(&rest, &block, NULL), OI_E_UPSTREAM);
    oi_buffer_clear(&bytes);
    oi_native_begin(&bytes, 1, UINT32_MAX);
    rest = oi_buffer_slice(&bytes);
    assert_status(oi_native_next(&rest, &block, NULL), OI_E_UPSTREAM);
    oi_buffer_clear(&bytes);
    oi_native_begin(&bytes, 1, 1'000'000);
    oi_native_head(&bytes, "x", OI_NATIVE_STRING);
    rest = oi_buffer_slice(&bytes);
    assert_status(oi_native_next(&rest, &block, NULL), OI_E_UPSTREAM);
    oi_buffer_release(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back_as_they_were_written),
        cmocka_unit_test(a_block_that_breaks_off_is_none),
        cmocka_unit_test(types_that_are_not_ours_and_false_counts_are_refused),
    };

    return cmocka_run_group_tests_name("clickhouse/blocks", tests, NULL, NULL);
}
