/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/address.h"

#include "base/compiler.h"
#include "support/test.h"

static void
reads_every_way_to_write_an_address(void **)
{
    static const struct {
        const char *text, *host, *url;
        uint16_t port;
    } cases[] = {
        { "127.0.0.1:8080", "127.0.0.1", "http://127.0.0.1:8080", 8080 },
        { "[::1]:0", "::1", "http://[::1]:0", 0 },
        { ":9", "127.0.0.1", "http://127.0.0.1:9", 9 },
        { "65535", "127.0.0.1", "http://127.0.0.1:65535", 65535 },
        { "localhost:1", "127.0.0.1", "http://127.0.0.1:1", 1 },
        { "0.0.0.0:80", "0.0.0.0", "http://127.0.0.1:80", 80 },
        { "[::]:80", "::", "http://[::1]:80", 80 },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct oi_address address;
        char url[OI_URL_SIZE];

        assert_ok(oi_address_parse(oi_slice_of(cases[i].text), &address, NULL));
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
        oi_address_url(&address, false, url);
        assert_string_equal(url, cases[i].url);
    }
}

static void
names_https_where_there_is_tls(void **)
{
    const struct oi_address address = { .host = "10.0.0.1", .port = 443 };
    char url[OI_URL_SIZE];

    oi_address_url(&address, true, url);
    assert_string_equal(url, "https://10.0.0.1:443");
}

static void
refuses_what_is_no_address(void **)
{
    static const char *const texts[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "example.com:80",
        "::1:80",
        "[::1:80",
        "300.0.0.1:80",
        "127.0.0.1:80 ",
        "127.0.0.1:080000",
    };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        struct oi_address address = { .port = 7 };

        assert_status(oi_address_parse(oi_slice_of(texts[i]), &address, NULL), OI_E_INVALID);
        assert_int_equal(address.port, 7);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_way_to_write_an_address),
        cmocka_unit_test(names_https_where_there_is_tls),
        cmocka_unit_test(refuses_what_is_no_address),
    };
    return cmocka_run_group_tests_name("cli/address", tests, NULL, NULL);
}
