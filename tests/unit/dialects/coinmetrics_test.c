/* SPDX-License-Identifier: Apache-2.0 */
/* Coin Metrics: what each parameter means, good and bad, and how a refusal reads. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define PATH "/v4/timeseries/market-openinterest"
#define MARKET "markets=binance-BTCUSDT-future"
#define ASK PATH "?" MARKET

/* The zones of the machine, for the parameter `timezone`. */
struct test_zones {
    struct oi_zone_loader loader;
    struct oi_zone *zone;
};

static enum oi_status
load_zone(const struct oi_zone_loader *loader, struct oi_slice name,
          const struct oi_zone **ret_zone, struct oi_error *error)
{
    struct test_zones *zones = (struct test_zones *) loader;

    if (!oi_slice_is(name, "America/New_York"))
        return oi_fail(error, OI_E_NOT_FOUND, "no such zone");
    *ret_zone = zones->zone;
    return OI_OK;
}

static void
span_is(const char *target, const char *from, const char *to)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, target, NULL));
    if (from)
        assert_true(exchange.query.span.from == test_time(from));
    else
        assert_true(exchange.query.span.from == OI_TIME_EARLIEST);
    if (to)
        assert_true(exchange.query.span.to == test_time(to));
    else
        assert_true(exchange.query.span.to == OI_TIME_LATEST);
    test_close(&exchange);
}

static void
asks_for_the_newest_hundred_rows_by_default(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK, NULL));
    assert_string_equal(exchange.dialect->name, "coinmetrics");
    assert_int_equal(exchange.query.kind, OI_QUERY_ROWS);
    assert_int_equal(exchange.query.unit, OI_UNIT_CONTRACTS);
    assert_int_equal(exchange.query.limit, 100);
    assert_true(exchange.query.from_end);
    assert_false(exchange.query.is_canonical);
    assert_true(exchange.query.is_one_list);
    assert_int_equal(exchange.query.selectors.count, 1);
    assert_string_equal(exchange.query.selectors.items[0].market, "binance-BTCUSDT-future");
    assert_true(exchange.query.selectors.items[0].must_match);
    test_close(&exchange);
}

static void
takes_a_list_of_ids_and_patterns(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, PATH "?&markets=okex-BTC-USD-SWAP-future%2Cbybit-%2A", NULL));
    assert_int_equal(exchange.query.selectors.count, 2);
    assert_false(exchange.query.selectors.items[0].is_pattern);
    assert_true(exchange.query.selectors.items[1].is_pattern);
    assert_string_equal(exchange.query.selectors.items[1].market, "bybit-*");
    test_close(&exchange);
}

static void
refuses_a_spot_market_but_not_a_pattern_of_them(void **)
{
    test_refused(PATH "?markets=binance-btc-usdt-spot", NULL, 400,
                 "{\"error\":{\"type\":\"bad_parameter\",\"message\":\"Bad parameter 'markets'. "
                 "Market 'binance-btc-usdt-spot' is not supported.\"}}");
    test_accepted(PATH "?markets=binance-*-spot");
}

static void
needs_markets(void **)
{
    test_refused_with(PATH, 400, "Bad parameter 'markets'. Missing required parameter.");
    test_refused_with(PATH "?markets=", 400, "Bad parameter 'markets'.");
    test_refused_with(PATH "?markets=a-b-future,,c-d-future", 400, "Market '' is not supported.");
}

static void
reads_whole_days_at_both_ends(void **)
{
    span_is(ASK "&start_time=2022-08-17&end_time=20220817", "2022-08-17T00:00:00Z",
            "2022-08-18T00:00:00Z");
    span_is(ASK "&end_time=2022-03-01&end_inclusive=False", NULL, "2022-03-01T00:00:00Z");
    span_is(ASK "&start_time=2022-03-01&start_inclusive=FALSE", "2022-03-02T00:00:00Z", NULL);
}

static void
reads_instants_at_both_ends(void **)
{
    span_is(ASK "&start_time=2020-08-05T23:05:00&end_time=2020-08-05T230600Z",
            "2020-08-05T23:05:00Z", "2020-08-05T23:06:00.000000001Z");
    span_is(ASK "&start_time=2020-08-05T23:05:00.5&start_inclusive=false",
            "2020-08-05T23:05:00.500000001Z", NULL);
    span_is(ASK "&end_time=2020-08-05T23:05:00.12345678&end_inclusive=false", NULL,
            "2020-08-05T23:05:00.12345678Z");
}

static void
reads_times_in_the_zone_that_is_named(void **)
{
    struct test_zones zones = { .loader.load = load_zone };
    struct oi_buffer bytes = {};
    struct test_exchange exchange;

    test_file_read("/usr/share/zoneinfo/America/New_York", &bytes);
    assert_ok(oi_zone_open(oi_buffer_slice(&bytes), &zones.zone, NULL));
    assert_ok(test_ask(&exchange, ASK, NULL));
    test_close(&exchange);
    assert_status(test_ask(&exchange,
                           ASK "&timezone=America%2FNew_York&start_time=2026-01-01&end_time=2026-"
                               "07-01T12:00:00Z",
                           NULL),
                  OI_E_INVALID); /* no loader, no zone */
    exchange.call.zones = &zones.loader;
    assert_ok(test_ask_again(&exchange));
    assert_true(exchange.query.span.from == test_time("2026-01-01T05:00:00Z"));
    assert_true(exchange.query.span.to == test_time("2026-07-01T16:00:00.000000001Z"));
    test_close(&exchange);
    oi_zone_close(&zones.zone);
    oi_buffer_release(&bytes);
    test_refused_with(ASK "&timezone=Mars%2FBase", 400,
                      "Bad parameter 'timezone'. Value 'Mars/Base' is not supported.");
    test_accepted(ASK "&timezone=UTC");
}

static void
refuses_other_forms_of_time_word_for_word(void **)
{
    static const char *const bad[] = {
        "2026-01-01T00:00:00%2B00:00",
        "1767225600",
        "2026-01-01%2000:00:00",
        "2026-13-01",
        "2026-01-01T00:00",
        "2026-01-01T00:00:00.",
        "2026-01-01T00:00:00.1234567890",
        "yesterday",
        "Z",
        "2026-02-30",
        "20260101T00:00:00",
    };

    for (size_t i = 0; i < OI_COUNT(bad); i++) {
        char target[256];

        (void) snprintf(target, sizeof(target), ASK "&start_time=%s", bad[i]);
        test_refused_with(target, 400, "Bad parameter 'start_time'. Incorrect time format '");
    }
    test_refused(
        ASK "&end_time=x", NULL, 400,
        "{\"error\":{\"type\":\"bad_parameter\",\"message\":\"Bad parameter 'end_time'. Incorrect "
        "time format 'x'. Supported formats are 'yyyy-MM-dd', 'yyyyMMdd', 'yyyy-MM-ddTHH:mm:ss', "
        "'yyyy-MM-ddTHHmmss', 'yyyy-MM-ddTHH:mm:ss.SSS', 'yyyy-MM-ddTHHmmss.SSS', "
        "'yyyy-MM-ddTHH:mm:ss.SSSSSS', 'yyyy-MM-ddTHHmmss.SSSSSS', "
        "'yyyy-MM-ddTHH:mm:ss.SSSSSSSSS', 'yyyy-MM-ddTHHmmss.SSSSSSSSS'.\"}}");
}

static void
refuses_a_range_that_ends_before_it_starts(void **)
{
    test_refused_with(ASK "&start_time=2026-01-02&end_time=2026-01-01", 400, "'end_time'");
    /* One instant, excluded at both ends, is an empty answer and no mistake. */
    span_is(ASK "&start_time=2026-01-01T00:00:00&end_time=2026-01-01T00:00:00&start_inclusive="
                "false&end_inclusive=false",
            "2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.000000001Z");
}

static void
bounds_page_size_and_limit(void **)
{
    struct test_exchange exchange;

    assert_ok(
        test_ask(&exchange, ASK "&page_size=10000&limit_per_market=7&paging_from=start", NULL));
    assert_int_equal(exchange.query.limit, 10'000);
    assert_int_equal(exchange.query.limit_per_market, 7);
    assert_false(exchange.query.from_end);
    test_close(&exchange);
    test_refused(ASK "&page_size=10001", NULL, 400,
                 "{\"error\":{\"type\":\"bad_parameter\",\"message\":\"Bad parameter 'page_size'. "
                 "Must be at most 10000.\"}}");
    test_refused_with(ASK "&page_size=0", 400, "Must be at least 1.");
    test_refused_with(ASK "&page_size=many", 400, "Bad parameter 'page_size'.");
    test_refused_with(ASK "&page_size=99999999999999999999", 400, "Bad parameter 'page_size'.");
    test_refused_with(ASK "&limit_per_market=-1", 400, "Bad parameter 'limit_per_market'.");
}

static void
reads_granularity_format_and_flags(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&granularity=1h&format=csv&pretty=True", NULL));
    assert_true(exchange.query.interval_ns == OI_HOUR);
    assert_true(exchange.query.is_pretty);
    test_close(&exchange);
    test_accepted(ASK "&granularity=raw&format=json");
    test_refused_with(ASK "&granularity=5m", 400,
                      "Bad parameter 'granularity'. Value '5m' is not supported.");
    test_refused_with(ASK "&format=xml", 400, "Bad parameter 'format'.");
    test_refused_with(ASK "&paging_from=middle", 400, "Bad parameter 'paging_from'.");
    test_refused_with(ASK "&pretty=yes", 400, "Bad parameter 'pretty'.");
    test_refused_with(ASK "&start_inclusive=1", 400, "Bad parameter 'start_inclusive'.");
}

static void
streams_without_pages_and_keeps_the_side_of_the_limit(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&format=json_stream&page_size=10&limit_per_market=5", NULL));
    assert_int_equal(exchange.query.limit, 0);
    assert_true(exchange.query.from_end);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK "&format=json_stream&paging_from=start", NULL));
    assert_false(exchange.query.from_end);
    test_close(&exchange);
}

static void
ignores_what_other_endpoints_know_and_refuses_the_rest(void **)
{
    test_accepted(ASK "&frequency=1d&ignore_unsupported_errors=true&ignore_forbidden_errors=true");
    test_accepted(ASK "&start_height=1&assets=btc&metrics=PriceUSD&sort=time");
    test_refused_with(ASK "&colour=red", 400, "Bad parameter 'colour'.");
    test_refused_with(ASK "&" MARKET, 400, "Bad parameter 'markets'.");
    test_refused_with(ASK "&page_size=1&page_size=1", 400, "Bad parameter 'page_size'.");
}

static void
reads_its_own_tokens_and_no_others(void **)
{
    struct test_exchange exchange;

    /* The form of a token of the vendor's. */
    assert_ok(test_ask(&exchange, ASK "&next_page_token=3.MjAyMC0wNi0wN1QwMDowMDowMFo", NULL));
    assert_true(exchange.query.after.is_set);
    assert_int_equal(exchange.query.after.market, 3);
    assert_true(exchange.query.after.time == test_time("2020-06-07T00:00:00Z"));
    test_close(&exchange);
    test_refused_with(ASK "&next_page_token=abc", 400, "Bad parameter 'next_page_token'.");
    test_refused_with(ASK "&next_page_token=-1.MjAyMC0wNi0wN1QwMDowMDowMFo", 400, "token");
    test_refused_with(ASK "&next_page_token=0.!!!!", 400, "Bad parameter 'next_page_token'.");
    test_refused_with(ASK "&next_page_token=0.", 400, "Bad parameter 'next_page_token'.");
}

static void
turns_filters_of_the_catalogue_into_conditions(void **)
{
    struct test_exchange exchange;
    const struct oi_selector *selector;

    assert_ok(test_ask(&exchange,
                       "/v4/catalog-v2/market-openinterest?exchange=okex&type=future&base=btc&"
                       "quote=usd&symbol=BTC-USD-SWAP",
                       NULL));
    selector = &exchange.query.selectors.items[0];
    assert_int_equal(exchange.query.kind, OI_QUERY_MARKETS);
    assert_string_equal(selector->exchanges.items[0], "okex");
    assert_string_equal(selector->coin, "BTC");
    assert_string_equal(selector->quote, "USD");
    assert_string_equal(selector->market, "*-BTC-USD-SWAP-*");
    assert_int_equal(selector->kinds.count, 2);
    assert_false(exchange.query.from_end);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v4/catalog-all-v2/market-openinterest?asset=btc", NULL));
    assert_int_equal(exchange.query.selectors.count, 2);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v4/catalog-v2/market-openinterest?type=spot", NULL));
    assert_int_equal(exchange.query.kind, OI_QUERY_NONE);
    test_close(&exchange);
    assert_ok(test_ask(&exchange, "/v4/catalog/market-openinterest?limit=none", NULL));
    assert_int_equal(exchange.query.limit, 0);
    test_close(&exchange);
    test_refused_with("/v4/catalog-all/market-openinterest?limit=101", 400, "Must be at most 100.");
    test_refused_with("/v4/catalog-v2/market-openinterest?type=swap", 400, "'type'");
    test_refused_with("/v4/catalog-v2/market-openinterest?format=csv", 400, "'format'");
}

static void
finds_the_key_in_the_query_alone(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK "&api_key=secret", "X-API-Key: other"));
    assert_true(oi_slice_is(exchange.dialect->key(&exchange.request), "secret"));
    test_close(&exchange);
}

static void
words_refusals_of_access_as_the_vendor_does(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange, ASK, NULL));
    exchange.problem.kind = OI_PROBLEM_KEY_MISSING;
    test_refuse(&exchange);
    test_body_is(&exchange,
                 "{\"error\":{\"type\":\"unauthorized\",\"message\":\"Requested resource "
                 "requires authorization.\"}}");
    assert_int_equal(exchange.reply.status, 401);
    assert_string_equal(test_header(&exchange, "content-type"), "application/json");
    exchange.problem.kind = OI_PROBLEM_KEY_WRONG;
    test_refuse(&exchange);
    test_body_is(&exchange, "{\"error\":{\"type\":\"wrong_credentials\",\"message\":\"Supplied "
                            "credentials are not valid.\"}}");
    test_close(&exchange);
    assert_ok(test_ask(&exchange, ASK, NULL));
    exchange.problem = (struct oi_problem){ .kind = OI_PROBLEM_RATE, .retry_after_s = 6 };
    test_refuse(&exchange);
    assert_int_equal(exchange.reply.status, 429);
    assert_string_equal(test_header(&exchange, "X-RateLimit-Reset"), "6");
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_the_newest_hundred_rows_by_default),
        cmocka_unit_test(takes_a_list_of_ids_and_patterns),
        cmocka_unit_test(refuses_a_spot_market_but_not_a_pattern_of_them),
        cmocka_unit_test(needs_markets),
        cmocka_unit_test(reads_whole_days_at_both_ends),
        cmocka_unit_test(reads_instants_at_both_ends),
        cmocka_unit_test(reads_times_in_the_zone_that_is_named),
        cmocka_unit_test(refuses_other_forms_of_time_word_for_word),
        cmocka_unit_test(refuses_a_range_that_ends_before_it_starts),
        cmocka_unit_test(bounds_page_size_and_limit),
        cmocka_unit_test(reads_granularity_format_and_flags),
        cmocka_unit_test(streams_without_pages_and_keeps_the_side_of_the_limit),
        cmocka_unit_test(ignores_what_other_endpoints_know_and_refuses_the_rest),
        cmocka_unit_test(reads_its_own_tokens_and_no_others),
        cmocka_unit_test(turns_filters_of_the_catalogue_into_conditions),
        cmocka_unit_test(finds_the_key_in_the_query_alone),
        cmocka_unit_test(words_refusals_of_access_as_the_vendor_does),
    };
    return cmocka_run_group_tests_name("dialects/coinmetrics", tests, NULL, NULL);
}
