/* SPDX-License-Identifier: Apache-2.0 */
/* The queue on disk: order, what is kept over a restart, the bound. */
#include "clickhouse/spool.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "support/test_folder.h"

static enum oi_status
put(struct oi_spool *spool, int64_t figure, struct oi_error *error)
{
    const struct oi_watch_mark mark = { "example", "linear", 60 };
    struct oi_row row = { .series = 7, .reading = OI_OBSERVATION_NONE };
    const struct oi_batch batch = { .rows = &row, .row_count = 1, .marks = &mark, .mark_count = 1 };

    row.reading.time = figure;
    row.reading.open_interest = oi_decimal_from(figure, 0);
    return oi_spool_put(spool, &batch, 1000 + figure, error);
}

struct taken {
    int64_t expected;
    bool is_refused;
};

static enum oi_status
take(void *context, const struct oi_batch *batch, struct oi_error *error)
{
    struct taken *taken = context;

    if (taken->is_refused)
        return oi_fail(error, OI_E_BUSY, "not yet");
    assert_int_equal(batch->row_count, 1);
    assert_int_equal(batch->rows[0].series, 7);
    assert_int_equal(batch->rows[0].reading.time, taken->expected);
    assert_int_equal(batch->rows[0].reading.known_time, 1000 + taken->expected);
    assert_int_equal(batch->mark_count, 1);
    assert_string_equal(batch->marks[0].exchange, "example");
    taken->expected++;
    return OI_OK;
}

static void
what_waits_comes_in_order_and_over_a_restart(void **state)
{
    struct oi_spool *spool = NULL, *second = NULL;
    struct taken taken = { .expected = 1 };
    uint64_t batches, bytes;
    char folder[600];

    (void) snprintf(folder, sizeof(folder), "%s/waiting", (const char *) *state);
    assert_ok(oi_spool_open(folder, 0, &spool, NULL));
    assert_status(oi_spool_open(folder, 0, &second, NULL), OI_E_BUSY);
    for (int i = 1; i <= 5; i++)
        assert_ok(put(spool, i, NULL));
    for (int i = 0; i < 2; i++)
        assert_ok(oi_spool_take(spool, take, &taken, NULL));
    oi_spool_close(&spool);
    assert_ok(oi_spool_open(folder, 0, &spool, NULL));
    oi_spool_sizes(spool, &batches, &bytes);
    assert_int_equal(batches, 3);
    assert_true(bytes > 0);
    taken.is_refused = true;
    assert_status(oi_spool_take(spool, take, &taken, NULL), OI_E_BUSY);
    taken.is_refused = false;
    assert_ok(put(spool, 6, NULL));
    for (int i = 0; i < 4; i++)
        assert_ok(oi_spool_take(spool, take, &taken, NULL));
    assert_status(oi_spool_take(spool, take, &taken, NULL), OI_E_NOT_FOUND);
    assert_int_equal(taken.expected, 7);
    oi_spool_close(&spool);
}

static void
a_full_queue_refuses_and_keeps_what_it_has(void **state)
{
    struct taken taken = { .expected = 1 };
    struct oi_spool *spool = NULL;
    struct oi_error error = {};
    char folder[600];
    int kept = 0;

    (void) snprintf(folder, sizeof(folder), "%s/waiting", (const char *) *state);
    assert_ok(oi_spool_open(folder, 300, &spool, NULL));
    while (put(spool, kept + 1, &error) == OI_OK)
        kept++;
    assert_int_equal(error.status, OI_E_FULL);
    assert_true(kept > 0 && kept < 10);
    for (int i = 0; i < kept; i++)
        assert_ok(oi_spool_take(spool, take, &taken, NULL));
    assert_ok(put(spool, kept + 1, NULL));
    oi_spool_close(&spool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_comes_in_order_and_over_a_restart,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses_and_keeps_what_it_has,
                                        test_folder_setup, test_folder_teardown),
    };

    return cmocka_run_group_tests_name("clickhouse/spool", tests, NULL, NULL);
}
