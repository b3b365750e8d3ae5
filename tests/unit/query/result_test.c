/* SPDX-License-Identifier: Apache-2.0 */
/* The answer made of ready blocks. */
#include "query/result.h"

#include "support/test.h"

static void
hands_out_blocks_in_order_and_ends(void **)
{
    const struct oi_market market = { .feed = "live" };
    const struct oi_block blocks[] = {
        { .market = &market, .count = 3 },
        { .market = &market, .count = 4, .is_last_of_market = true },
    };
    struct oi_result *result = oi_result_of_blocks(blocks, 2, &market, 1);
    const struct oi_block *block;

    assert_int_equal(result->market_count, 1);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 3);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 4);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
    assert_int_equal(result->row_count, 7);
    oi_result_close(&result);
    assert_null(result);
    oi_result_close(&result);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_blocks_in_order_and_ends),
    };
    return cmocka_run_group_tests_name("query/result", tests, NULL, NULL);
}
