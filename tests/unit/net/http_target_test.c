/* SPDX-License-Identifier: Apache-2.0 */
/* Targets taken apart, URLs put together. */
#include "base/random.h"
#include "net/http.h"

#include "support/test.h"

static void
assert_path(const char *target, const char *path)
{
    struct oi_http_request request = {};

    assert_ok(oi_http_parse_target(oi_slice_of(target), &request, NULL));
    assert_true(oi_slice_is(request.path, path));
    assert_true(oi_slice_is(request.raw_target, target));
    oi_http_request_release(&request);
}

static void
resolves_paths_after_decoding_them(void **)
{
    assert_path("/", "/");
    assert_path("/a/b", "/a/b");
    assert_path("/%61%20+", "/a +");
    assert_path("/a/../b", "/b");
    assert_path("/a/b/..", "/a/");
    assert_path("/a/.", "/a/");
    assert_path("/a/%2e%2E/b", "/b");
    assert_path("/a/./b//c", "/a/b//c");
    assert_path("/...", "/...");
    assert_path("/a/..", "/");
    assert_path("/a/b/../../c?../..", "/c");
    assert_path("/%E2%82%AC", "/\xe2\x82\xac");
}

static void
refuses_what_can_be_read_in_two_ways(void **)
{
    static const char *const targets[] = { "",           "a",       "*",       "/..",     "/../a",
                                           "/a/../../b", "/%2e%2e", "/..%2fa", "/%00",    "/%",
                                           "/%1",        "/%zz",    "/%ff",    "/%c0%af", "/a#b",
                                           "/?a=%0",     "/?%00=1", "/?a=%fe" };

    for (size_t i = 0; i < OI_COUNT(targets); i++) {
        struct oi_http_request request = {};

        assert_status(oi_http_parse_target(oi_slice_of(targets[i]), &request, NULL), OI_E_INVALID);
        assert_null(request.path.data);
        oi_http_request_release(&request);
    }
}

static void
reads_queries_in_order_and_drops_empty_pairs(void **)
{
    struct oi_http_request request = {};

    assert_ok(oi_http_parse_target(OI_SLICE("/?&a=1&&b=x+y%2Bz&c&a=2=3&=&"), &request, NULL));
    assert_int_equal(request.query.count, 5);
    assert_true(oi_slice_is(request.query.items[0].value, "1"));
    assert_true(oi_slice_is(request.query.items[1].value, "x y+z"));
    assert_true(oi_slice_is(request.query.items[2].name, "c"));
    assert_true(oi_slice_is(request.query.items[2].value, ""));
    assert_true(oi_slice_is(request.query.items[3].value, "2=3"));
    oi_http_request_release(&request);
}

static void
assert_url(const struct oi_http_request *request, const char *url)
{
    struct oi_buffer out = {};

    oi_http_write_url(request, &out);
    assert_true(oi_slice_is(oi_buffer_slice(&out), url));
    oi_buffer_release(&out);
}

static void
takes_urls_apart_and_puts_them_together(void **)
{
    struct oi_http_request request = {};

    assert_ok(oi_http_get(&request, "https://a.example:8443/v1/%2Fx?b=1%202", NULL));
    assert_true(oi_slice_is(request.origin, "https://a.example:8443"));
    assert_true(oi_slice_is(request.path, "/v1/%2Fx"));
    assert_ok(oi_http_add_query(&request, "c", "x&y=\xe2\x82\xac", NULL));
    assert_ok(oi_http_add_query_encoded(&request, "cursor", "a%2Cb%3D", NULL));
    assert_url(&request,
               "https://a.example:8443/v1/%2Fx?b=1%202&c=x%26y%3D%E2%82%AC&cursor=a%2Cb%3D");
    oi_http_request_release(&request);
    assert_ok(oi_http_get(&request, "http://a.example", NULL));
    assert_url(&request, "http://a.example/");
    oi_http_request_release(&request);
}

static void
refuses_urls_that_are_none(void **)
{
    static const char *const urls[] = { "",
                                        "ftp://a/",
                                        "//a/",
                                        "https://",
                                        "http:///x",
                                        "http://user@a/",
                                        "http://a/ b",
                                        "http://a/#b",
                                        "http://a/\xe2\x82\xac" };

    for (size_t i = 0; i < OI_COUNT(urls); i++) {
        struct oi_http_request request = {};

        assert_status(oi_http_get(&request, urls[i], NULL), OI_E_INVALID);
        oi_http_request_release(&request);
    }
}

static void
refuses_an_encoded_value_that_would_end_its_parameter(void **)
{
    static const char *const values[] = { "a&b=1", "a b", "a#", "a\n", "\xe2" };
    struct oi_http_request request = {};

    for (size_t i = 0; i < OI_COUNT(values); i++)
        assert_status(oi_http_add_query_encoded(&request, "a", values[i], NULL), OI_E_INVALID);
    assert_int_equal(request.query.count, 0);
    oi_http_request_release(&request);
}

static void
reads_back_every_parameter_that_it_writes(void **)
{
    const uint64_t seed = 20'260'307;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 2'000; round++) {
        struct oi_http_request sent = {}, received = {};
        struct oi_buffer url = {};
        char value[16] = "";
        size_t size = oi_random_below(&random, sizeof(value) - 1);

        for (size_t i = 0; i < size; i++)
            value[i] = (char) (1 + oi_random_below(&random, 127));
        assert_ok(oi_http_get(&sent, "http://a", NULL));
        assert_ok(oi_http_add_query(&sent, "name", value, NULL));
        oi_http_write_url(&sent, &url);
        assert_ok(
            oi_http_parse_target((struct oi_slice){ url.data + 8, url.size - 8 }, &received, NULL));
        assert_true(oi_slice_is(*oi_http_parameter(&received, "name"), value));
        oi_http_request_release(&sent);
        oi_http_request_release(&received);
        oi_buffer_release(&url);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves_paths_after_decoding_them),
        cmocka_unit_test(refuses_what_can_be_read_in_two_ways),
        cmocka_unit_test(reads_queries_in_order_and_drops_empty_pairs),
        cmocka_unit_test(takes_urls_apart_and_puts_them_together),
        cmocka_unit_test(refuses_urls_that_are_none),
        cmocka_unit_test(refuses_an_encoded_value_that_would_end_its_parameter),
        cmocka_unit_test(reads_back_every_parameter_that_it_writes),
    };
    return cmocka_run_group_tests_name("net/http_target", tests, NULL, NULL);
}
