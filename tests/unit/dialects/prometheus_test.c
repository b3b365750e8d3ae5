/* SPDX-License-Identifier: Apache-2.0 */
/* Forms, times and steps. */
#include "dialects/dialect.h"
#include "dialects/prometheus_internal.h"

#include "support/test_dialect.h"

#define QUERY "/prometheus/api/v1/query"
#define RANGE "/prometheus/api/v1/query_range"

static void
reads_times_as_seconds_or_dates_on_a_grid(void **)
{
    struct test_exchange exchange;

    assert_ok(test_ask(&exchange,
                       RANGE "?query=oi_usd&start=1780974001.5&end=2026-06-09T05:00:59Z&step=60",
                       NULL));
    assert_int_equal(exchange.query.number, test_time("2026-06-09T03:00:00Z"));
    assert_int_equal(exchange.query.span.to, test_time("2026-06-09T05:00:00Z"));
    assert_int_equal(exchange.query.interval_ns, OI_MINUTE);
    assert_true(exchange.query.span.from <= exchange.query.number - PROMETHEUS_LOOKBACK);
    test_close(&exchange);
    test_accepted(RANGE "?query=oi_usd&start=1780974000&end=1780974000&step=5m");
    test_accepted(QUERY "?query=oi_usd");
    test_accepted(QUERY "?query=oi_usd&time=1780974000.123");
    test_refused_with(QUERY "?query=oi_usd&time=NaN", 400, "bad_data");
    test_refused_with(QUERY "?query=oi_usd&time=1e30", 400, "bad_data");
    test_refused_with(QUERY "?query=oi_usd&time=yesterday", 400, "bad_data");
    test_refused_with(RANGE "?query=oi_usd&start=2&end=1&step=60", 400, "before the start");
    test_refused_with(RANGE "?query=oi_usd&start=1&end=2&step=0", 400, "whole seconds");
    test_refused_with(RANGE "?query=oi_usd&start=1&end=2&step=-60", 400, "whole seconds");
    test_refused_with(RANGE "?query=oi_usd&start=0&end=1780974000&step=1", 400, "11,000 points");
    test_refused_with(RANGE "?query=oi_usd&end=2&step=60", 400, "start");
    test_refused_with("/prometheus/api/v1/series", 400, "no match[] parameter");
}

/* Grafana posts its questions as forms. */
static void
reads_a_posted_form(void **)
{
    struct test_exchange exchange;

    (void) test_ask(&exchange, QUERY, NULL);
    oi_query_release(&exchange.query);
    exchange.query = OI_QUERY_EMPTY;
    exchange.request.method = OI_HTTP_POST;
    exchange.request.body = OI_SLICE("query=oi_usd%7Bcoin%3D%22BTC%22%7D&time=1780974000");
    assert_ok(exchange.route->parse(&exchange.call, &exchange.request, &exchange.query,
                                    &exchange.problem));
    assert_string_equal(exchange.query.selectors.items[0].coin, "BTC");
    oi_query_release(&exchange.query);
    exchange.query = OI_QUERY_EMPTY;
    exchange.request.body = OI_SLICE("query=%zz");
    assert_status(exchange.route->parse(&exchange.call, &exchange.request, &exchange.query,
                                        &exchange.problem),
                  OI_E_INVALID);
    test_close(&exchange);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times_as_seconds_or_dates_on_a_grid),
        cmocka_unit_test(reads_a_posted_form),
    };
    return cmocka_run_group_tests_name("dialects/prometheus", tests, NULL, NULL);
}
