/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of ClickHouse stores: what is taken, and what is said of the rest. */
#include "clickhouse/clickhouse_address.h"

#include <string.h>

#include "support/test.h"

static void
an_address_is_taken_apart(void **state)
{
    struct oi_clickhouse_address address;

    (void) state;
    assert_ok(oi_clickhouse_address_parse("clickhouse://me:p%40ss:w@one:8123,two/readings",
                                          &address, NULL));
    assert_string_equal(address.user, "me");
    assert_string_equal(address.password, "p@ss:w");
    assert_int_equal(address.host_count, 2);
    assert_string_equal(address.hosts[0], "one:8123");
    assert_string_equal(address.hosts[1], "two:8123");
    assert_string_equal(address.database, "readings");
    assert_false(address.is_tls);
    assert_ok(oi_clickhouse_address_parse("https://[::1]?cluster=both", &address, NULL));
    assert_string_equal(address.user, "default");
    assert_string_equal(address.password, "");
    assert_string_equal(address.hosts[0], "[::1]:8443");
    assert_string_equal(address.database, "oi");
    assert_string_equal(address.cluster, "both");
    assert_true(address.is_tls);
    assert_int_equal(address.quorum, 0);
    assert_ok(oi_clickhouse_address_parse("clickhouse://host/oi?quorum=1", &address, NULL));
    assert_int_equal(address.quorum, 1);
    assert_int_equal(address.keep_mib, OI_CLICKHOUSE_KEEP_MIB);
    assert_ok(oi_clickhouse_address_parse("clickhouse://host/oi?keep=0&quorum=2", &address, NULL));
    assert_int_equal(address.quorum, 2);
    assert_int_equal(address.keep_mib, 0);
    assert_ok(oi_clickhouse_address_parse("clickhouse://host/oi?keep=1048576", &address, NULL));
    assert_int_equal(address.keep_mib, 1'048'576);
}

static void
what_is_no_address_is_refused(void **state)
{
    static const char *const wrong[] = {
        "data",
        "clickhouse://",
        "clickhouse:///oi",
        "clickhouse://a,,b/oi",
        "clickhouse://host/oi; DROP TABLE x",
        "clickhouse://host/1oi",
        "clickhouse://host/o-i",
        "clickhouse://me:%4@host/oi",
        "clickhouse://ho st/oi",
        "clickhouse://host/oi?cluster=",
        "clickhouse://host/oi?",
        "clickhouse://host/oi?quorum=0",
        "clickhouse://host/oi?keep=",
        "clickhouse://host/oi?keep=-1",
        "clickhouse://host/oi?keep=1048577",
        "clickhouse://host/oi?keep=99999999999999",
        "clickhouse://host/oi?keep=1&more=2",
        "clickhouse://host/oi?quorum=12",
        "clickhouse://host/oi?quorum",
        "clickhouse://host/oi?password=x",
        "clickhouse://:8123/oi",
    };
    struct oi_clickhouse_address address;

    (void) state;
    for (size_t i = 0; i < OI_COUNT(wrong); i++)
        if (oi_clickhouse_address_parse(wrong[i], &address, NULL) != OI_E_INVALID)
            fail_msg("taken: %s", wrong[i]);
}

static void
a_password_is_in_no_message(void **state)
{
    struct oi_clickhouse_address address;
    struct oi_error error = {};

    (void) state;
    assert_status(oi_clickhouse_address_parse("clickhouse://me:hush@ho st/oi", &address, &error),
                  OI_E_INVALID);
    assert_null(strstr(error.message, "hush"));
    assert_status(oi_clickhouse_address_parse("clickhouse://me:hush%@host/oi", &address, &error),
                  OI_E_INVALID);
    assert_null(strstr(error.message, "hush"));
}

static void
a_folder_is_no_address(void **state)
{
    (void) state;
    assert_true(oi_clickhouse_is_address("clickhouse://host"));
    assert_true(oi_clickhouse_is_address("https://host"));
    assert_false(oi_clickhouse_is_address("data"));
    assert_false(oi_clickhouse_is_address("/clickhouse://"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_password_is_in_no_message),
        cmocka_unit_test(a_folder_is_no_address),
    };

    return cmocka_run_group_tests_name("clickhouse/clickhouse_address", tests, NULL, NULL);
}
