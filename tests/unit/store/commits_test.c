/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_store.h"

/* More than two blocks of commit times. */
#define BATCH_COUNT 1300

static void
every_commit_is_found_by_its_time(void **state)
{
    struct test_store test;
    struct oi_observation reading;

    test_store_begin(&test, *state, "store", &oi_kv_memory);
    for (int i = 1; i <= BATCH_COUNT; i++) {
        struct oi_row row = test_store_row(test.series[0], TEST_START + i * OI_MINUTE, i);

        oi_virtual_clock_advance(&test.clock, OI_MINUTE);
        assert_int_equal(test_store_append(&test, &row, 1).batch, i);
        if (i == 700)
            test_store_checkpoint(&test);
    }
    test_store_checkpoint(&test);
    test_store_verify(&test);
    for (int i = 1; i <= BATCH_COUNT; i += 37) {
        const struct oi_moment at = { OI_TIME_LATEST, TEST_START + i * OI_MINUTE };
        const struct oi_moment before = { OI_TIME_LATEST, at.as_stored - 1 };

        assert_ok(oi_store_at(test.store, test.series[0], OI_TIME_LATEST, at, &reading, NULL));
        assert_int_equal(reading.time, TEST_START + i * OI_MINUTE);
        assert_int_equal(reading.known_time, TEST_START + i * OI_MINUTE);
        if (i == 1) {
            assert_status(
                oi_store_at(test.store, test.series[0], OI_TIME_LATEST, before, &reading, NULL),
                OI_E_NOT_FOUND);
            continue;
        }
        assert_ok(oi_store_at(test.store, test.series[0], OI_TIME_LATEST, before, &reading, NULL));
        assert_int_equal(reading.time, TEST_START + (i - 1) * OI_MINUTE);
    }
    test_store_close(&test);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_commit_is_found_by_its_time, test_folder_setup,
                                        test_folder_teardown),
    };
    return cmocka_run_group_tests_name("store/commits", tests, NULL, NULL);
}
