/* SPDX-License-Identifier: Apache-2.0 */
/* UDF: what the charting library asks, bars as columns, and refusals. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define HISTORY "/udf/history?symbol=okx:swap:BTC&resolution="

static void
counts_back_rather_than_from(void **)
{
    struct test_exchange exchange;
    const struct oi_query *query = &exchange.query;

    assert_ok(test_ask(&exchange, HISTORY "1D&from=1780000000&to=1780974000&countback=300", NULL));
    assert_int_equal(query->limit, 300);
    assert_true(query->from_end && query->is_canonical);
    assert_true(query->interval_ns == OI_DAY);
    assert_int_equal(query->span.from, OI_TIME_EARLIEST);
    assert_int_equal(query->span.to, INT64_C(1'780'974'000) * OI_SECOND);
    assert_int_equal(query->unit, OI_UNIT_COINS);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, HISTORY "240&from=1780000000&to=1780974000", NULL));
    assert_int_equal(query->limit, 0);
    assert_int_equal(query->span.from, INT64_C(1'780'000'000) * OI_SECOND);
    test_close(&exchange);
}

static void
counts_in_usd_under_the_other_mount(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(
        &exchange, "/udf/usd/history?symbol=okx:swap:BTC&resolution=W&to=1780974000&countback=1",
        NULL));
    assert_int_equal(exchange.query.unit, OI_UNIT_USD);
    assert_true(exchange.query.interval_ns == OI_WEEK);
    test_close(&exchange);
}

static void
writes_bars_as_columns_with_every_digit(void **)
{
    struct oi_instrument instrument = test_perpetual("okx", "swap", "BTC", "BTC", "USDT");
    struct oi_market market = { .instrument = &instrument };
    struct oi_candle candles[] = {
        { .start = 60 * OI_SECOND,
          .open = test_decimal("1.5"),
          .high = test_decimal("39.0123456789012345678901234567890123456"),
          .low = test_decimal("1"),
          .close = test_decimal("2") },
        { .start = 120 * OI_SECOND }, /* nothing could be turned into coins */
    };
    struct oi_block block = {
        .market = &market, .count = 2, .candles = candles, .is_last_of_market = true
    };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, HISTORY "1&from=0&to=180", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange, "{\"s\":\"ok\",\"t\":[60],\"o\":[1.5],\"h\":"
                            "[39.0123456789012345678901234567890123456],\"l\":[1],\"c\":[2]}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, HISTORY "1&from=0&to=180", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 0, &market, 1)));
    test_body_is(&exchange, "{\"s\":\"no_data\"}");
    test_close(&exchange);
}

static void
refuses_in_its_envelope(void **)
{
    test_refused(HISTORY "7&from=1&to=2", NULL, 400,
                 "{\"s\":\"error\",\"errmsg\":\"resolution: Must be one of 1, 3, 5, 15, 30, 60, "
                 "120, 240, 360, 720, 1D, D, 1W, W.\"}");
    test_refused_with(HISTORY "60&from=2&to=1", 400, "is after to");
    test_refused_with(HISTORY "60&to=1", 400, "from or countback");
    test_refused_with(HISTORY "60&from=1.5&to=2", 400, "whole seconds");
    test_refused_with(HISTORY "60&from=-1&to=2", 400, "whole seconds");
    test_refused_with(HISTORY "60&from=1&to=99999999999999999999", 400, "whole seconds");
    test_refused_with(HISTORY "60&from=1&to=2&countback=0", 400, "above 0");
    test_refused_with(HISTORY "1&from=0&to=1780974000", 400, "20,000 bars");
    test_refused_with(HISTORY "1&to=1780974000&countback=20001", 400, "20,000 bars");
    test_refused_with("/udf/search?type=stock", 400, "type");
    test_refused_with("/udf/search?limit=none", 400, "limit");
    test_refused_with("/udf/config?x=1", 400, "x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_back_rather_than_from),
        cmocka_unit_test(counts_in_usd_under_the_other_mount),
        cmocka_unit_test(writes_bars_as_columns_with_every_digit),
        cmocka_unit_test(refuses_in_its_envelope),
    };
    return cmocka_run_group_tests_name("dialects/udf", tests, NULL, NULL);
}
