/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as values. */
#include "net/http.h"

#include "support/test.h"

static void
finds_headers_in_any_case_and_parameters_in_theirs(void **)
{
    struct oi_http_request request = {};

    assert_ok(oi_http_get(&request, "https://example.com/x?a=1&A=2&a=3", NULL));
    oi_http_add_header(&request, "X-Key", OI_SLICE("secret"));
    assert_true(oi_slice_is(*oi_http_header(&request, "x-kEY"), "secret"));
    assert_null(oi_http_header(&request, "x-ke"));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "a"), "1"));
    assert_true(oi_slice_is(*oi_http_parameter(&request, "A"), "2"));
    assert_null(oi_http_parameter(&request, "b"));
    assert_int_equal(oi_http_parameter_count(&request, "a"), 2);
    assert_int_equal(oi_http_parameter_count(&request, "b"), 0);
    oi_http_request_release(&request);
    oi_http_request_release(&request);
}

static void
copies_what_it_is_given(void **)
{
    struct oi_http_request request = {};
    char value[] = "before", body[] = "{}";

    assert_ok(
        oi_http_post(&request, "http://example.com/", "application/json", oi_slice_of(body), NULL));
    assert_ok(oi_http_add_query(&request, "a", value, NULL));
    oi_http_add_header(&request, "X", oi_slice_of(value));
    memset(value, 'x', sizeof(value) - 1);
    memset(body, 'x', sizeof(body) - 1);
    assert_int_equal(request.method, OI_HTTP_POST);
    assert_true(oi_slice_is(*oi_http_parameter(&request, "a"), "before"));
    assert_true(oi_slice_is(*oi_http_header(&request, "X"), "before"));
    assert_true(oi_slice_is(request.body, "{}"));
    assert_true(oi_slice_is(*oi_http_header(&request, "content-type"), "application/json"));
    oi_http_request_release(&request);
}

static void
knows_what_can_be_compressed(void **)
{
    static const struct {
        const char *type;
        bool is_compressible;
    } types[] = {
        { "application/json", true },
        { "application/json; charset=utf-8", true },
        { "text/html; charset=utf-8", true },
        { "application/x-ndjson", true },
        { "image/png", false },
        { "application/vnd.apache.parquet", false },
    };

    for (size_t i = 0; i < OI_COUNT(types); i++) {
        struct oi_http_reply reply = {};

        oi_http_reply_type(&reply, types[i].type);
        assert_int_equal(reply.is_compressible, types[i].is_compressible);
        assert_true(oi_slice_is(*oi_http_reply_find(&reply, "content-type"), types[i].type));
        oi_http_reply_release(&reply);
    }
}

static void
count_calls(void *context)
{
    ++*(int *) context;
}

static void
finishes_a_reply_once(void **)
{
    struct oi_http_reply reply = {};
    int calls = 0;

    reply.finish = count_calls;
    reply.context = &calls;
    oi_http_reply_header_int(&reply, "X-Count", INT64_MIN);
    assert_true(oi_slice_is(*oi_http_reply_find(&reply, "x-count"), "-9223372036854775808"));
    oi_http_reply_release(&reply);
    oi_http_reply_release(&reply);
    assert_int_equal(calls, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_headers_in_any_case_and_parameters_in_theirs),
        cmocka_unit_test(copies_what_it_is_given),
        cmocka_unit_test(knows_what_can_be_compressed),
        cmocka_unit_test(finishes_a_reply_once),
    };
    return cmocka_run_group_tests_name("net/http", tests, NULL, NULL);
}
