/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

#include "support/test.h"

static void
keys_sort_as_their_numbers_do(void **)
{
    const oi_time times[] = { OI_TIME_EARLIEST, -5, -1, 0, 1, 255, 256, OI_TIME_LATEST };
    struct oi_key last = oi_key_of_chunk(6, OI_TIME_LATEST);

    for (size_t i = 0; i < OI_COUNT(times); i++) {
        struct oi_key key = oi_key_of_chunk(7, times[i]);
        struct oi_slice rest = oi_key_slice(&key);

        assert_true(oi_slice_compare(oi_key_slice(&last), oi_key_slice(&key)) < 0);
        assert_int_equal(oi_key_take_u32(&rest), 7);
        assert_int_equal(oi_key_take_time(&rest), times[i]);
        assert_int_equal(rest.size, 0);
        assert_int_equal(oi_key_take_u64(&rest), 0);
        last = key;
    }
}

static void
a_seal_is_of_one_table_and_one_key(void **)
{
    const struct oi_key key = oi_key_of_u32(1), other = oi_key_of_u32(2);
    struct oi_buffer value = {};
    struct oi_slice body;

    oi_seal_begin(&value);
    oi_buffer_add_text(&value, "figures");
    oi_seal_end(OI_TABLE_FEED, oi_key_slice(&key), &value);
    assert_ok(
        oi_seal_open(OI_TABLE_FEED, oi_key_slice(&key), oi_buffer_slice(&value), &body, NULL));
    assert_true(oi_slice_is(body, "figures"));
    assert_status(
        oi_seal_open(OI_TABLE_FEED, oi_key_slice(&other), oi_buffer_slice(&value), &body, NULL),
        OI_E_CORRUPT);
    assert_status(
        oi_seal_open(OI_TABLE_HOLE, oi_key_slice(&key), oi_buffer_slice(&value), &body, NULL),
        OI_E_CORRUPT);
    for (size_t i = 0; i < value.size; i++) {
        value.data[i] ^= 4;
        assert_status(
            oi_seal_open(OI_TABLE_FEED, oi_key_slice(&key), oi_buffer_slice(&value), &body, NULL),
            OI_E_CORRUPT);
        value.data[i] ^= 4;
    }
    for (size_t size = 0; size < value.size; size++)
        assert_status(oi_seal_open(OI_TABLE_FEED, oi_key_slice(&key),
                                   (struct oi_slice){ value.data, size }, &body, NULL),
                      OI_E_CORRUPT);
    oi_buffer_release(&value);
}

static void
a_newer_seal_is_refused_not_misread(void **)
{
    const struct oi_key key = oi_key_of_u32(1);
    struct oi_buffer value = {};
    struct oi_slice body;

    for (enum oi_table table = 0; table < OI_TABLE_COUNT; table++) {
        oi_seal_begin_newest(table, &value);
        assert_int_equal(value.data[0], table == OI_TABLE_ROLLUP ? 2 : 1);
        value.data[0]++;
        oi_seal_end(table, oi_key_slice(&key), &value);
        assert_status(oi_seal_open(table, oi_key_slice(&key), oi_buffer_slice(&value), &body, NULL),
                      OI_E_INVALID);
        for (uint8_t version = 1; version < (uint8_t) value.data[0]; version++) {
            struct oi_buffer older = {};

            oi_buffer_add_u8(&older, version);
            oi_seal_end(table, oi_key_slice(&key), &older);
            assert_ok(
                oi_seal_open(table, oi_key_slice(&key), oi_buffer_slice(&older), &body, NULL));
            oi_buffer_release(&older);
        }
    }
    oi_buffer_release(&value);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sort_as_their_numbers_do),
        cmocka_unit_test(a_seal_is_of_one_table_and_one_key),
        cmocka_unit_test(a_newer_seal_is_refused_not_misread),
    };
    return cmocka_run_group_tests_name("store/keys", tests, NULL, NULL);
}
