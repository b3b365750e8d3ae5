/* SPDX-License-Identifier: Apache-2.0 */
/* Coin Metrics reference data: rows of each list, filters, pages both ways, streams, refusals. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define BASE "/v4/reference-data/"

/* A swap, a coin-margined swap, an option and an event that Coin Metrics knows nothing of. */
struct fixture {
    struct oi_instrument instruments[4];
    struct oi_market markets[4];
};

static void
fill(struct fixture *fixture)
{
    struct oi_instrument *option = &fixture->instruments[2];

    *fixture = (struct fixture){};
    fixture->instruments[0] = test_perpetual("okx", "swap", "BTC-USDT-SWAP", "BTC", "USDT");
    fixture->instruments[0].contract_size = test_decimal("0.01");
    fixture->instruments[1] = test_perpetual("binance", "coinm", "BTCUSD_PERP", "BTC", "USD");
    fixture->instruments[1].settlement = OI_SETTLEMENT_INVERSE;
    fixture->instruments[1].contract_size = oi_decimal_from(100, 0);
    assert_ok(OI_NAME_SET(fixture->instruments[1].margin, OI_SLICE("BTC"), NULL));
    *option = test_perpetual("deribit", "option", "ETH-31JUL26-4000-C", "ETH", "USD");
    option->kind = OI_KIND_OPTION;
    option->strike = oi_decimal_from(4000, 0);
    option->option_side = OI_OPTION_CALL;
    option->listed = test_time("2026-01-02T08:00:00Z");
    option->expiry = test_time("2026-07-31T08:00:00Z");
    option->is_delisted = true;
    assert_ok(OI_NAME_SET(option->margin, OI_SLICE("ETH"), NULL));
    fixture->instruments[3] = test_perpetual("kalshi", "event", "KXBTC", "BTC", "USD");
    fixture->instruments[3].kind = OI_KIND_EVENT;
    for (size_t i = 0; i < 4; i++)
        fixture->markets[i] = (struct oi_market){ .instrument = &fixture->instruments[i] };
}

static void
ask_for(struct test_exchange *exchange, const char *target)
{
    static struct fixture fixture;

    fill(&fixture);
    assert_ok(test_ask(exchange, target, NULL));
    assert_ok(test_render(exchange, exchange->query.kind == OI_QUERY_NONE
                                        ? NULL
                                        : oi_result_of_blocks(NULL, 0, fixture.markets, 4)));
    assert_int_equal(exchange->reply.status, 200);
}

static void
answers(const char *target, const char *body)
{
    struct test_exchange exchange;

    ask_for(&exchange, target);
    test_body_is(&exchange, body);
    test_close(&exchange);
}

static void
describes_a_market_by_its_terms(void **)
{
    answers(BASE "markets?page_size=1",
            "{\"data\":[{\"market\":\"binance-BTCUSD_PERP-future\",\"exchange\":\"binance\","
            "\"type\":\"future\",\"base\":\"btc\",\"quote\":\"usd\",\"pair\":\"btc-usd\","
            "\"symbol\":\"BTCUSD_PERP\",\"size_asset\":\"usd\",\"margin_asset\":\"btc\","
            "\"contract_size\":\"100\",\"status\":\"online\"}],"
            "\"next_page_token\":\"ZGVyaWJpdC1FVEgtMzFKVUwyNi00MDAwLUMtb3B0aW9u\","
            "\"next_page_url\":\"http://oi.test/v4/reference-data/markets?page_size=1&"
            "next_page_token=ZGVyaWJpdC1FVEgtMzFKVUwyNi00MDAwLUMtb3B0aW9u\"}");
    answers(BASE "markets?page_size=1&next_page_token="
                 "ZGVyaWJpdC1FVEgtMzFKVUwyNi00MDAwLUMtb3B0aW9u&format=json&paging_from=end"
                 "&pretty=false&exchange=deribit&include=talos&asset_class=digital",
            "{\"data\":[{\"market\":\"deribit-ETH-31JUL26-4000-C-option\",\"exchange\":\"deribit\","
            "\"type\":\"option\",\"base\":\"eth\",\"quote\":\"usd\",\"pair\":\"eth-usd\","
            "\"symbol\":\"ETH-31JUL26-4000-C\",\"size_asset\":\"eth\",\"margin_asset\":\"eth\","
            "\"contract_size\":\"1\",\"listing\":\"2026-01-02T08:00:00.000000000Z\","
            "\"expiration\":\"2026-07-31T08:00:00.000000000Z\",\"strike\":\"4000\","
            "\"option_contract_type\":\"call\",\"is_european\":true,\"status\":\"offline\"}],"
            "\"next_page_token\":\"YmluYW5jZS1CVENVU0RfUEVSUC1mdXR1cmU\","
            "\"next_page_url\":\"http://oi.test/v4/reference-data/markets?page_size=1&format=json&"
            "paging_from=end&pretty=false&exchange=deribit&include=talos&asset_class=digital&"
            "next_page_token=YmluYW5jZS1CVENVU0RfUEVSUC1mdXR1cmU\"}");
}

static void
lists_exchanges_assets_and_pairs_once_each(void **)
{
    answers(BASE "exchanges", "{\"data\":[{\"exchange\":\"binance\",\"full_name\":\"Binance\"},"
                              "{\"exchange\":\"deribit\",\"full_name\":\"Deribit\"},"
                              "{\"exchange\":\"okex\",\"full_name\":\"OKEx\"}]}");
    answers(BASE "assets?format=json_stream&page_size=1",
            "{\"asset\":\"btc\",\"full_name\":\"Bitcoin\"}\n"
            "{\"asset\":\"eth\",\"full_name\":\"Ethereum\"}\n"
            "{\"asset\":\"usd\",\"full_name\":\"US Dollar\"}\n"
            "{\"asset\":\"usdt\",\"full_name\":\"Tether\"}\n");
    answers(BASE "pairs?&pairs=btc-usdt%2Cbtc-usd",
            "{\"data\":[{\"pair\":\"btc-usd\",\"full_name\":\"Bitcoin-US Dollar\"},"
            "{\"pair\":\"btc-usdt\",\"full_name\":\"Bitcoin-Tether\"}]}");
    answers(BASE "assets?paging_from=end&page_size=2&pretty=true",
            "{\n  \"data\": [\n    {\n      \"asset\": \"usd\",\n      \"full_name\": \"US "
            "Dollar\"\n    },\n    {\n      \"asset\": \"usdt\",\n      \"full_name\": "
            "\"Tether\"\n    }\n  ],\n  \"next_page_token\": \"ZXRo\",\n  \"next_page_url\": "
            "\"http://oi.test/v4/reference-data/assets?paging_from=end&page_size=2&pretty=true&"
            "next_page_token=ZXRo\"\n}\n");
}

static size_t
rows_of(const char *target)
{
    struct test_exchange exchange;
    struct oi_json *json;
    size_t count;

    ask_for(&exchange, target);
    json = test_body_json(&exchange);
    count = oi_json_count(oi_json_member(oi_json_root(json), "data"));
    oi_json_close(&json);
    test_close(&exchange);
    return count;
}

static void
lists_the_metrics_of_each_level(void **)
{
    assert_int_equal(rows_of(BASE "asset-metrics"), 17);
    assert_int_equal(rows_of(BASE "exchange-metrics"), 17);
    assert_int_equal(rows_of(BASE "exchange-asset-metrics?reviewable=false"), 17);
    assert_int_equal(rows_of(BASE "pair-metrics?page_size=5"), 5);
    assert_int_equal(rows_of(BASE "market-metrics"), 3);
    answers(BASE "market-metrics?metrics=open_interest_reported_future_usd",
            "{\"data\":[{\"metric\":\"open_interest_reported_future_usd\",\"full_name\":\"Open "
            "Interest, Reported, Future, USD\",\"description\":\"Open Interest, Reported, Future, "
            "USD, as the exchanges report it: a snapshot at the row's time, not an "
            "average.\",\"product\":\"Market Data\",\"category\":\"Open "
            "Interest\",\"subcategory\":\"Future\",\"unit\":\"USD\",\"data_type\":\"decimal\","
            "\"type\":\"Sum\",\"display_name\":\"Open Interest, Reported, Future, USD\"}]}");
}

static void
has_nothing_of_spot_or_of_other_classes(void **)
{
    answers(BASE "markets?type=spot", "{\"data\":[]}");
    answers(BASE "markets?asset_class=equity", "{\"data\":[]}");
    answers(BASE "markets?isin=US0378331005", "{\"data\":[]}");
    answers(BASE "markets?source_type=otc&format=json_stream", "");
}

static void
refuses_what_is_not_there(void **)
{
    struct test_exchange exchange;

    test_refused_with(BASE "markets?format=csv", 400, "Bad parameter 'format'");
    test_refused_with(BASE "markets?next_page_token=%2A", 400, "Bad parameter 'next_page_token'");
    test_refused_with(BASE "assets?nonsense=1", 400, "Bad parameter 'nonsense'");
    assert_ok(test_ask(&exchange, BASE "exchanges?exchanges=binance,nowhere", NULL));
    assert_status(test_render(&exchange, oi_result_of_blocks(NULL, 0, NULL, 0)), OI_E_INVALID);
    test_refuse(&exchange);
    test_body_is(&exchange, "{\"error\":{\"type\":\"bad_parameter\",\"message\":\"Bad parameter "
                            "'exchanges'. Value 'binance' is not supported.\"}}");
    test_close(&exchange);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_a_market_by_its_terms),
        cmocka_unit_test(lists_exchanges_assets_and_pairs_once_each),
        cmocka_unit_test(lists_the_metrics_of_each_level),
        cmocka_unit_test(has_nothing_of_spot_or_of_other_classes),
        cmocka_unit_test(refuses_what_is_not_there),
    };

    return cmocka_run_group_tests_name("dialects/coinmetrics_reference", tests, NULL, NULL);
}
