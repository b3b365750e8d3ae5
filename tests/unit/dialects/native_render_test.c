/* SPDX-License-Identifier: Apache-2.0 */
/* The native API's tables in JSON, NDJSON and CSV. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define ASK "/oi/v1/open-interest?market=binance:usdm:BTCUSDT"

static void
writes_readings_with_their_source(void **)
{
    const struct oi_instrument instrument =
        test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    const struct oi_market market = { .instrument = &instrument, .left_out_rows = 3 };
    const oi_time times[] = { 0, OI_MINUTE + 1 }, exchange_times[] = { OI_TIME_NONE, OI_MINUTE };
    const int64_t amounts[] = { 15, 16 };
    const struct oi_columns rows = {
        .count = 2, .time = times, .exchange_time = exchange_times, .known_time = times
    };
    const struct oi_block block = {
        .market = &market,
        .count = 2,
        .feed = "live",
        .unit = OI_UNIT_CONTRACTS,
        .sides = 2,
        .rows = &rows,
        .amounts = { .mantissas = amounts, .exponent = -1 },
    };
    struct test_exchange exchange;
    struct oi_result *result = oi_result_of_blocks(&block, 1, &market, 1);

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_ok(test_render(&exchange, result));
    test_body_is(&exchange,
                 "{\"data\":[{\"market\":\"binance:usdm:BTCUSDT\",\"feed\":\"live\",\"unit\":"
                 "\"coins\",\"sides\":1,\"time\":\"1970-01-01T00:00:00Z\",\"open_interest\":\"1.5\""
                 ",\"value_usd\":null,\"mark_price\":null,\"exchange_time\":null,\"known_time\":"
                 "\"1970-01-01T00:00:00Z\",\"flags\":0},{\"market\":\"binance:usdm:BTCUSDT\","
                 "\"feed\":\"live\",\"unit\":\"coins\",\"sides\":1,\"time\":\"1970-01-01T00:01:00."
                 "000000001Z\",\"open_interest\":\"1.6\",\"value_usd\":null,\"mark_price\":null,"
                 "\"exchange_time\":\"1970-01-01T00:01:00Z\",\"known_time\":\"1970-01-01T00:01:00."
                 "000000001Z\",\"flags\":0}],\"next\":null,\"totals\":[],\"left_out_rows\":3}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&format=csv&unit=reported&convention=as_reported", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "market,feed,unit,sides,time,open_interest,value_usd,mark_price,exchange_time,"
                 "known_time,flags\n"
                 "binance:usdm:BTCUSDT,live,contracts,2,1970-01-01T00:00:00Z,1.5,,,,1970-01-"
                 "01T00:00:00Z,0\n"
                 "binance:usdm:BTCUSDT,live,contracts,2,1970-01-01T00:01:00.000000001Z,1.6,,,1970-"
                 "01-01T00:01:00Z,1970-01-01T00:01:00.000000001Z,0\n");
    test_close(&exchange);
}

static void
names_the_members_of_a_total_and_who_is_left_out(void **)
{
    const struct oi_instrument instruments[] = {
        test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT"),
        test_perpetual("bybit", "linear", "BTCUSDT", "BTC", "USDT"),
    };
    const struct oi_member members[] = {
        { .instrument = &instruments[0], .last = OI_HOUR },
        { .instrument = &instruments[1], .last = OI_TIME_NONE, .left_out = "stale" },
    };
    const struct oi_market market = { .members = members, .member_count = 2 };
    const struct oi_candle candle = {
        .start = 0,
        .open = test_decimal("1"),
        .high = test_decimal("3"),
        .low = test_decimal("0.5"),
        .close = test_decimal("2"),
        .count = 4,
    };
    const struct oi_block block = { .market = &market, .count = 1, .candles = &candle };
    struct oi_result *result = oi_result_of_blocks(&block, 1, &market, 1);
    struct test_exchange exchange;

    result->next_position = (struct oi_position){ .is_set = true, .market = 1, .time = 5 };
    assert_ok(test_ask(&exchange, "/oi/v1/open-interest?coin=BTC&interval=1h&total=true", NULL));
    assert_ok(test_render(&exchange, result));
    test_body_is(&exchange,
                 "{\"data\":[{\"market\":\"total:BTC\",\"feed\":null,\"unit\":\"coins\",\"sides\":"
                 "1,\"start\":\"1970-01-01T00:00:00Z\",\"open\":\"1\",\"high\":\"3\",\"low\":\"0."
                 "5\",\"close\":\"2\",\"price_open\":null,\"price_close\":null,\"count\":4}],"
                 "\"next\":\"MS81\",\"totals\":[{\"market\":\"total:BTC\",\"members\":[{\"market\":"
                 "\"binance:usdm:BTCUSDT\",\"last\":\"1970-01-01T01:00:00Z\"},{"
                 "\"market\":\"bybit:linear:BTCUSDT\",\"last\":null,\"left_out\":\"stale\"}]}],"
                 "\"left_out_rows\":0}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&after=MS81", NULL));
    assert_int_equal(exchange.query.after.market, 1);
    assert_int_equal(exchange.query.after.time, 5);
    test_close(&exchange);
}

static void
writes_the_newest_with_their_changes(void **)
{
    const struct oi_instrument instrument =
        test_perpetual("bybit", "linear", "BTCUSDT", "BTC", "USDT");
    const struct oi_market market = { .instrument = &instrument };
    struct oi_latest latest = {
        .reading = OI_OBSERVATION_NONE,
        .amount = test_decimal("110"),
        .usd = test_decimal("11000"),
        .amount_1h = test_decimal("100"),
        .amount_24h = test_decimal("0"),
    };
    const struct oi_block block = {
        .market = &market, .count = 1, .feed = "live", .sides = 2, .latest = &latest
    };
    struct test_exchange exchange;

    latest.reading.time = OI_DAY;
    latest.reading.index_price = test_decimal("100.5");
    assert_ok(test_ask(&exchange, "/oi/v1/latest?format=ndjson", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "{\"market\":\"bybit:linear:BTCUSDT\",\"exchange\":\"bybit\",\"coin\":\"BTC\","
                 "\"kind\":\"PERPETUAL\",\"feed\":\"live\",\"unit\":\"coins\",\"sides\":1,\"time\":"
                 "\"1970-01-02T00:00:00Z\",\"open_interest\":\"110\",\"value_usd\":\"11000\","
                 "\"price\":\"100.5\",\"change_percent_1h\":\"10\",\"change_percent_24h\":null,"
                 "\"change_percent_7d\":null}\n");
    assert_string_equal(test_header(&exchange, "Content-Type"), "application/x-ndjson");
    test_close(&exchange);
}

static void
writes_everything_known_of_a_market(void **)
{
    struct oi_instrument instrument = test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT");
    const struct oi_market market = {
        .instrument = &instrument, .first = 0, .last = OI_DAY, .rows = 7
    };
    const struct oi_block block = { .market = &market };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, "/oi/v1/markets?format=csv", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "market,exchange,product,symbol,kind,settlement,coin,quote,margin,coin_factor,"
                 "contract_size,expiry,strike,option_side,listed,is_delisted,is_provisional,first,"
                 "last,rows,coinmetrics,atlas,kiyotaka,kwery\n"
                 "binance:usdm:BTCUSDT,binance,usdm,BTCUSDT,PERPETUAL,LINEAR,BTC,USDT,USDT,1,1,,,,,"
                 "false,false,1970-01-01T00:00:00Z,1970-01-02T00:00:00Z,7,binance-BTCUSDT-future,"
                 "perpetual-BTC-USDT:USDT,BTC-USDT,binance_futures\n");
    test_close(&exchange);
}

static void
writes_holes_and_quotes_odd_names(void **)
{
    const struct oi_instrument instrument =
        test_perpetual("kalshi", "event", "A,\"B\"", "X", "USD");
    const struct oi_market market = { .instrument = &instrument };
    const struct oi_gap gap = { .span = { 0, OI_HOUR }, .cause = "collector down" };
    const struct oi_block block = { .market = &market, .count = 1, .gaps = &gap };
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, "/oi/v1/gaps?format=csv", NULL));
    assert_ok(test_render(&exchange, oi_result_of_blocks(&block, 1, &market, 1)));
    test_body_is(&exchange,
                 "market,from,to,cause\n\"kalshi:event:A,\"\"B\"\"\",1970-01-01T00:00:00Z,1970-01-"
                 "01T01:00:00Z,collector down\n");
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_readings_with_their_source),
        cmocka_unit_test(names_the_members_of_a_total_and_who_is_left_out),
        cmocka_unit_test(writes_the_newest_with_their_changes),
        cmocka_unit_test(writes_everything_known_of_a_market),
        cmocka_unit_test(writes_holes_and_quotes_odd_names),
    };
    return cmocka_run_group_tests_name("dialects/native_render", tests, NULL, NULL);
}
