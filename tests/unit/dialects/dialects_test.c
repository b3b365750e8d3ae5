/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a request is: paths, mounts, and the path that two vendors share. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

/* "DIALECT MOUNT ROUTE" of a request, "-" where there is none. */
static void
goes_to(const char *target, const char *header, const char *expected)
{
    struct oi_http_request request = {};
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    struct oi_slice mount;
    char found[256];

    assert_ok(oi_http_parse_target(oi_slice_of(target), &request, NULL));
    if (header)
        oi_http_add_header(&request, header, OI_SLICE("0123456789"));
    route = oi_dialects_route(&request, &dialect, &mount);
    (void) snprintf(found, sizeof(found), "%s %.*s %s", dialect ? dialect->name : "-",
                    OI_SLICE_ARGS(mount), route ? route->path : "-");
    assert_string_equal(found, expected);
    oi_http_request_release(&request);
}

static void
finds_each_vendor_at_the_root_and_under_its_mount(void **)
{
    goes_to("/v4/timeseries/market-openinterest", NULL,
            "coinmetrics  /v4/timeseries/market-openinterest");
    goes_to("/coinmetrics/v4/timeseries/market-openinterest?a=b", NULL,
            "coinmetrics /coinmetrics /v4/timeseries/market-openinterest");
    goes_to("/api/v1/data/open_interest", NULL, "aperiodic  /api/v1/data/open_interest");
    goes_to("/v1/points", NULL, "kiyotaka  /v1/points");
    goes_to("/kiyotaka/v1/points", NULL, "kiyotaka /kiyotaka /v1/points");
    goes_to("/v1/open-interest", NULL, "kwery  /v1/open-interest");
    goes_to("/openinterest-api/v1/oi", NULL, "oanor /openinterest-api /v1/oi");
    goes_to("/oanor/openinterest-api/v1/meta", NULL, "oanor /oanor/openinterest-api /v1/meta");
    goes_to("/oi/v1/open-interest", NULL, "native /oi/v1 /open-interest");
    goes_to("/files/aperiodic/binance-futures/1h/BTCUSDT/2024-01.parquet", NULL,
            "aperiodic  /files/aperiodic/{exchange}/{interval}/{symbol}/{file}");
}

static void
gives_the_shared_path_to_whom_it_belongs(void **)
{
    goes_to("/v1/symbols", NULL, "kwery  /v1/symbols");
    goes_to("/v1/symbols", "X-Kiyotaka-Key", "kiyotaka  /v1/symbols");
    goes_to("/v1/symbols?exchange=BYBIT", NULL, "kiyotaka  /v1/symbols");
    goes_to("/v1/symbols?exchange=BYBIT", "X-API-Key", "kwery  /v1/symbols");
    goes_to("/v1/symbols?exchange=BYBIT&api-key=0123456789", NULL, "kwery  /v1/symbols");
    goes_to("/kwery/v1/symbols?exchange=BYBIT", NULL, "kwery /kwery /v1/symbols");
    goes_to("/kiyotaka/v1/symbols", "X-API-Key", "kiyotaka /kiyotaka /v1/symbols");
}

static void
says_who_refuses_a_path_that_nobody_has(void **)
{
    goes_to("/v4/nothing", NULL, "coinmetrics  -");
    goes_to("/api/v1/nothing", NULL, "aperiodic  -");
    goes_to("/v1/nothing", NULL, "kwery  -");
    goes_to("/v1/nothing", "X-Kiyotaka-Key", "kiyotaka  -");
    goes_to("/openinterest-api/v2", NULL, "oanor /openinterest-api -");
    goes_to("/oi/v1/nothing", NULL, "native /oi/v1 -");
    goes_to("/favicon.ico", NULL, "-  -");
    goes_to("/", NULL, "-  -");
    goes_to("/v4/timeseries/market-openinterest/", NULL, "coinmetrics  -");
    goes_to("/coinmetricsv4", NULL, "-  -");
}

static void
captures_parts_of_a_path(void **)
{
    const struct oi_route route = { .path = "/files/{exchange}/{file}" };
    struct oi_slice path = OI_SLICE("/m/files/okx-perps/2024-01.parquet");

    assert_true(oi_route_matches(&route, OI_SLICE("/files/a/b")));
    assert_false(oi_route_matches(&route, OI_SLICE("/files/a")));
    assert_false(oi_route_matches(&route, OI_SLICE("/files//b")));
    assert_false(oi_route_matches(&route, OI_SLICE("/files/a/b/c")));
    assert_true(
        oi_slice_is(oi_route_capture(&route, OI_SLICE("/m"), path, "exchange"), "okx-perps"));
    assert_true(
        oi_slice_is(oi_route_capture(&route, OI_SLICE("/m"), path, "file"), "2024-01.parquet"));
    assert_int_equal(oi_route_capture(&route, OI_SLICE("/m"), path, "symbol").size, 0);
    assert_int_equal(oi_route_capture(&route, OI_SLICE("/n"), path, "file").size, 0);
}

static void
finds_a_dialect_by_name(void **)
{
    assert_ptr_equal(oi_dialect_find(OI_SLICE("kwery")), &oi_dialect_kwery);
    assert_null(oi_dialect_find(OI_SLICE("kwer")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_each_vendor_at_the_root_and_under_its_mount),
        cmocka_unit_test(gives_the_shared_path_to_whom_it_belongs),
        cmocka_unit_test(says_who_refuses_a_path_that_nobody_has),
        cmocka_unit_test(captures_parts_of_a_path),
        cmocka_unit_test(finds_a_dialect_by_name),
    };
    return cmocka_run_group_tests_name("dialects/dialects", tests, NULL, NULL);
}
