/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/reply.h"

#include "support/test.h"

static struct oi_verdict
judged(int status, const char *body)
{
    const struct oi_http_field headers[] = {
        { OI_SLICE("content-type"), OI_SLICE("application/json") },
        { OI_SLICE("retry-after"), OI_SLICE("7") },
    };
    const struct oi_reply_head head = {
        .status = status, .body = oi_slice_of(body), .headers = headers, .header_count = 2
    };
    struct oi_verdict verdict;

    oi_reply_judge(&head, &verdict);
    return verdict;
}

static void
tells_the_kinds_of_refusal_apart(void **)
{
    static const struct {
        int http;
        enum oi_status status;
    } cases[] = {
        { 200, OI_OK },         { 204, OI_OK },         { 301, OI_E_UPSTREAM },
        { 400, OI_E_UPSTREAM }, { 403, OI_E_DENIED },   { 404, OI_E_NOT_FOUND },
        { 418, OI_E_BUSY },     { 422, OI_E_UPSTREAM }, { 429, OI_E_BUSY },
        { 451, OI_E_DENIED },   { 500, OI_E_UPSTREAM }, { 502, OI_E_UPSTREAM },
        { 503, OI_E_BUSY },     { 0, OI_E_UPSTREAM },   { 999, OI_E_UPSTREAM },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct oi_verdict verdict = judged(cases[i].http, "{}");

        assert_status(verdict.status, cases[i].status);
        assert_true((verdict.status == OI_OK) == (verdict.reason[0] == '\0'));
    }
}

static void
a_busy_exchange_says_how_long_to_wait(void **)
{
    assert_int_equal(judged(429, "").pause_ms, 7000);
    assert_int_equal(judged(418, "").pause_ms, 7000);
    assert_int_equal(judged(200, "{}").pause_ms, 0);
}

static void
html_with_a_good_status_is_upstream(void **)
{
    assert_status(judged(200, " \n<!DOCTYPE html>").status, OI_E_UPSTREAM);
}

static uint64_t
pause_of(const char *retry_after)
{
    const struct oi_http_field header = { OI_SLICE("Retry-After"), oi_slice_of(retry_after) };
    const struct oi_reply_head head = { .status = 429, .headers = &header, .header_count = 1 };
    struct oi_verdict verdict;

    oi_reply_judge(&head, &verdict);
    return verdict.pause_ms;
}

static void
a_retry_after_that_is_nonsense_is_bounded_or_ignored(void **)
{
    assert_int_equal(pause_of("-5"), 0);
    assert_int_equal(pause_of("soon"), 0);
    assert_int_equal(pause_of(""), 0);
    assert_int_equal(pause_of("99999999999999999999"), 0);
    assert_int_equal(pause_of("9999999999"), UINT64_C(604'800'000));
    assert_int_equal(pause_of(" 3 "), 3000);
}

static void
a_reason_stays_one_line_and_fits(void **)
{
    struct oi_verdict verdict = {};
    char text[400];

    memset(text, 'a', sizeof(text));
    text[3] = '\n';
    text[sizeof(text) - 1] = '\0';
    oi_reply_verdict(&verdict, OI_E_UPSTREAM, 0, "%s", text);
    assert_int_equal(strlen(verdict.reason), sizeof(verdict.reason) - 1);
    assert_null(strchr(verdict.reason, '\n'));
}

static void
a_long_body_is_not_parsed_for_an_error(void **)
{
    char body[10'000];
    struct oi_reply_head head = { .status = 200, .body = { body, sizeof(body) } };
    struct oi_json *json;

    memset(body, ' ', sizeof(body));
    body[0] = '{';
    body[sizeof(body) - 1] = '}';
    assert_null(oi_reply_open_error(&head));
    head.body = OI_SLICE("{\"code\":-1}");
    json = oi_reply_open_error(&head);
    assert_non_null(json);
    oi_json_close(&json);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_kinds_of_refusal_apart),
        cmocka_unit_test(a_busy_exchange_says_how_long_to_wait),
        cmocka_unit_test(html_with_a_good_status_is_upstream),
        cmocka_unit_test(a_retry_after_that_is_nonsense_is_bounded_or_ignored),
        cmocka_unit_test(a_reason_stays_one_line_and_fits),
        cmocka_unit_test(a_long_body_is_not_parsed_for_an_error),
    };
    return cmocka_run_group_tests_name("exchanges/judge", tests, NULL, NULL);
}
