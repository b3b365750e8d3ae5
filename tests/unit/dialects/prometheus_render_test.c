/* SPDX-License-Identifier: Apache-2.0 */
/* Samples on the grid of a range. */
#include "dialects/dialect.h"
#include "dialects/prometheus_internal.h"

#include "support/test_dialect.h"

#define RANGE "/prometheus/api/v1/query_range"

/* Candles of a minute; the figure at an instant is the last one before it, for a quarter hour. */
static void
carries_the_last_figure_for_a_quarter_hour(void **)
{
    struct oi_instrument instrument = test_perpetual("okx", "swap", "BTC", "BTC", "USDT");
    const oi_time start = test_time("2026-06-09T03:00:00Z");
    struct oi_candle candles[] = {
        { .start = start, .last = start + 30 * OI_SECOND, .close = test_decimal("1.5") },
        { .start = start + 5 * OI_MINUTE,
          .last = start + 5 * OI_MINUTE,
          .close = test_decimal("39.0123456789012345678901234567890123456") },
    };
    struct oi_market market = { .instrument = &instrument };
    struct oi_block blocks[] = {
        { .market = &market, .count = 1, .candles = candles },
        { .market = &market, .count = 1, .candles = candles + 1, .is_last_of_market = true },
    };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, RANGE "?query=oi_coins&start=1780974000&end=1780975800&step=240",
                       NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(blocks, 2, &market, 1)));
    oi_buffer_add_char(&exchange.reply.body, '\0');
    /* 03:00 none, 03:04 the first, 03:08 to 03:20 the second, then it is too old. */
    assert_non_null(strstr(exchange.reply.body.data,
                           "\"values\":[[1780974240,\"1.5\"],"
                           "[1780974480,\"39.0123456789012345678901234567890123456\"],"
                           "[1780974720,\"39.0123456789012345678901234567890123456\"],"
                           "[1780974960,\"39.0123456789012345678901234567890123456\"],"
                           "[1780975200,\"39.0123456789012345678901234567890123456\"]]}"));
    exchange.reply.body.size--;
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_the_last_figure_for_a_quarter_hour),
    };
    return cmocka_run_group_tests_name("dialects/prometheus_render", tests, NULL, NULL);
}
