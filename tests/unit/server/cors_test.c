/* SPDX-License-Identifier: Apache-2.0 */
#include "server/cors.h"

#include "support/test.h"

static bool
allows(struct oi_cors *cors, const char *origin)
{
    struct oi_http_request request = {};
    struct oi_http_reply reply = {};
    const struct oi_slice *found;
    bool is_allowed;

    if (origin)
        oi_http_add_header(&request, "Origin", oi_slice_of(origin));
    oi_cors_answer(cors, &request, &reply);
    found = oi_http_reply_find(&reply, "Access-Control-Allow-Origin");
    is_allowed = found && oi_slice_is(*found, origin);
    assert_true(is_allowed || !found);
    oi_http_reply_release(&reply);
    oi_http_request_release(&request);
    return is_allowed;
}

static void
names_no_origin_but_those_configured(void **)
{
    static const char *const one[] = { "https://example.com" }, *const all[] = { "*" };
    OI_CLEANUP(oi_cors_free) struct oi_cors *cors = oi_cors_new(NULL, 0);

    assert_false(allows(cors, "https://example.com"));
    oi_cors_set(cors, one, 1);
    assert_true(allows(cors, "https://example.com"));
    assert_false(allows(cors, "https://example.com.evil.example"));
    assert_false(allows(cors, "http://example.com"));
    assert_false(allows(cors, NULL));
    oi_cors_set(cors, all, 1);
    assert_true(allows(cors, "https://anything.example"));
}

static bool
admits(struct oi_cors *cors, const char *origin, const char *host)
{
    struct oi_http_request request = {};
    bool is_admitted;

    if (origin)
        oi_http_add_header(&request, "Origin", oi_slice_of(origin));
    oi_http_add_header(&request, "Host", oi_slice_of(host));
    is_admitted = oi_cors_admits(cors, &request);
    oi_http_request_release(&request);
    return is_admitted;
}

static void
admits_its_own_pages_and_those_configured(void **)
{
    static const char *const one[] = { "https://example.com" };
    OI_CLEANUP(oi_cors_free) struct oi_cors *cors = oi_cors_new(one, 1);

    assert_true(admits(cors, NULL, "oi.test:8080"));
    assert_true(admits(cors, "http://OI.test:8080", "oi.test:8080"));
    assert_true(admits(cors, "https://example.com", "oi.test:8080"));
    assert_false(admits(cors, "http://oi.test:8081", "oi.test:8080"));
    assert_false(admits(cors, "http://oi.test:8080.evil.example", "oi.test:8080"));
    assert_false(admits(cors, "null", "oi.test:8080"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_no_origin_but_those_configured),
        cmocka_unit_test(admits_its_own_pages_and_those_configured),
    };
    return cmocka_run_group_tests_name("server/cors", tests, NULL, NULL);
}
