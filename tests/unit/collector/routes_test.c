/* SPDX-License-Identifier: Apache-2.0 */
/* Which way an exchange is asked. */
#include "collector/routes.h"

#include "support/test.h"

static void
a_proxy_of_its_own_goes_before_that_of_all(void **)
{
    static const char *const proxies[] = { "http://all:1", "okx=http://user:a=b@okx:2",
                                           "gate=", NULL };
    const struct oi_routes_options options = { .proxies = proxies };
    struct oi_routes *routes = NULL;

    assert_ok(oi_routes_open(&options, &routes, NULL));
    assert_string_equal(oi_routes_proxy(routes, "bybit"), "http://all:1");
    assert_string_equal(oi_routes_proxy(routes, "okx"), "http://user:a=b@okx:2");
    assert_null(oi_routes_proxy(routes, "gate"));
    assert_int_equal(oi_routes_address_count(routes), 1);
    oi_routes_close(&routes);
}

static void
exchanges_share_a_client_where_they_share_the_way(void **)
{
    static const char *const proxies[] = { "okx=http://127.0.0.1:2", NULL };
    static const char *const addresses[] = { "127.0.0.1", "127.0.0.2", NULL };
    struct oi_routes_options options = { .proxies = proxies, .addresses = addresses };
    struct oi_http_client *clients[4] = {};
    struct oi_routes *routes = NULL;

    assert_ok(oi_loop_new(&options.loop, NULL));
    assert_ok(oi_routes_open(&options, &routes, NULL));
    assert_int_equal(oi_routes_address_count(routes), 2);
    assert_ok(oi_routes_client(routes, "bybit", 0, &clients[0], NULL));
    assert_ok(oi_routes_client(routes, "gate", 0, &clients[1], NULL));
    assert_ok(oi_routes_client(routes, "gate", 1, &clients[2], NULL));
    assert_ok(oi_routes_client(routes, "okx", 0, &clients[3], NULL));
    assert_ptr_equal(clients[0], clients[1]);
    assert_ptr_not_equal(clients[0], clients[2]);
    assert_ptr_not_equal(clients[0], clients[3]);
    oi_routes_close(&routes);
    oi_loop_free(&options.loop);
}

static void
what_is_told_twice_or_too_often_is_refused(void **)
{
    static const char *const proxies[] = { "okx=http://a", "okx=http://b", NULL };
    static const char *const addresses[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL };
    struct oi_routes_options options = { .proxies = proxies };
    struct oi_routes *routes = NULL;

    assert_status(oi_routes_open(&options, &routes, NULL), OI_E_INVALID);
    options = (struct oi_routes_options){ .addresses = addresses };
    assert_status(oi_routes_open(&options, &routes, NULL), OI_E_INVALID);
    assert_null(routes);
    oi_routes_close(&routes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_of_its_own_goes_before_that_of_all),
        cmocka_unit_test(exchanges_share_a_client_where_they_share_the_way),
        cmocka_unit_test(what_is_told_twice_or_too_often_is_refused),
    };

    return cmocka_run_group_tests_name("collector/routes", tests, NULL, NULL);
}
