/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every parameter of every route of the vendors' dialects, wrong in every way: missing, empty,
 * repeated, of a wrong kind, out of range, oversized, badly encoded, no UTF-8. What is refused is
 * refused in the vendor's envelope with its status; what is right is understood.
 */
#include "support/test_dialect.h"
#include "support/test_questions.h"

#define LARGE 20'000

/* What is told where it goes wrong. */
struct question {
    const struct test_route *route;
    const struct test_parameter *parameter;
    const char *how;
    struct oi_buffer target;
    size_t count, wrong_count;
};

/* The base of the route without one name. */
static void
begin(struct question *question, const char *how, bool is_kept)
{
    struct oi_slice rest = oi_slice_of(question->route->base), part;
    size_t size = question->parameter ? strlen(question->parameter->name) : 0;

    question->how = how;
    oi_buffer_clear(&question->target);
    oi_buffer_add_format(&question->target, "%s?", question->route->path);
    while (rest.size > 0 && oi_slice_next_part(&rest, '&', &part)) {
        bool is_it = part.size > size && part.data[size] == '=' && question->parameter &&
                     memcmp(part.data, question->parameter->name, size) == 0;

        if (is_it && !is_kept)
            continue;
        oi_buffer_add_slice(&question->target, part);
        oi_buffer_add_char(&question->target, '&');
    }
}

static void
add(struct question *question, const char *value, bool is_raw)
{
    oi_http_encode(oi_slice_of(question->parameter->name), &question->target);
    oi_buffer_add_char(&question->target, '=');
    if (is_raw)
        oi_buffer_add_text(&question->target, value);
    else
        oi_http_encode(oi_slice_of(value), &question->target);
    oi_buffer_add_char(&question->target, '&');
}

static void
check_envelope(const struct question *question, struct test_exchange *exchange)
{
    struct oi_json *json = test_body_json(exchange);
    const struct oi_json_node *root = oi_json_root(json);
    const char *dialect = question->route->dialect;

    assert_int_equal(oi_json_kind(root), OI_JSON_OBJECT);
    if (strcmp(dialect, "coinmetrics") == 0)
        assert_non_null(oi_json_member(oi_json_member(root, "error"), "message"));
    else if (strcmp(dialect, "aperiodic") == 0)
        assert_true(oi_json_kind(oi_json_member(root, "error")) == OI_JSON_STRING);
    else if (strcmp(dialect, "oanor") == 0)
        assert_non_null(oi_json_member(oi_json_member(root, "error"), "code"));
    else
        assert_true(oi_json_member(root, "error") && oi_json_member(root, "message"));
    oi_json_close(&json);
}

/* Ask; must it be refused, or understood? */
static void
ask(struct question *question, bool is_refused)
{
    struct test_exchange exchange = { .query = OI_QUERY_EMPTY, .reply = { .status = 200 } };
    struct oi_slice target = oi_buffer_slice(&question->target);
    enum oi_status status;

    exchange.call = (struct oi_call){ .request_id = "id", .now = TEST_NOW };
    question->count++;
    status = oi_http_parse_target(target, &exchange.request, NULL);
    if (status == OI_OK) {
        exchange.route =
            oi_dialects_route(&exchange.request, &exchange.dialect, &exchange.call.mount);
        assert_non_null(exchange.route);
        assert_string_equal(exchange.dialect->name, question->route->dialect);
        status = exchange.route->parse(&exchange.call, &exchange.request, &exchange.query,
                                       &exchange.problem);
    } else {
        /* What the server says of a target that is none. */
        exchange.dialect = oi_dialect_find(oi_slice_of(question->route->dialect));
        (void) oi_problem_set(&exchange.problem, OI_PROBLEM_SYNTAX, "", (struct oi_slice){},
                              "a malformed request target");
        exchange.problem.http_status = 400;
    }
    if ((status != OI_OK) != is_refused)
        question->wrong_count++,
            print_error("%s, %s: %.200s is %s (%s %s)\n", question->how,
                        question->parameter ? question->parameter->name : "", question->target.data,
                        is_refused ? "not refused" : "refused", exchange.problem.parameter,
                        exchange.problem.message);
    if (status != OI_OK) {
        test_refuse(&exchange);
        if (exchange.reply.status != 400)
            question->wrong_count++, print_error("%s, %.200s: %d\n", question->how,
                                                 question->target.data, exchange.reply.status);
        check_envelope(question, &exchange);
    }
    test_close(&exchange);
}

static void
ask_with(struct question *question, const char *how, const char *value, bool is_raw,
         bool is_refused)
{
    begin(question, how, false);
    add(question, value, is_raw);
    oi_buffer_add_char(&question->target, '\0');
    question->target.size--;
    ask(question, is_refused);
}

static void
check_parameter(struct question *question, const char *large)
{
    static const char *const broken[] = { "%",      "%4",     "%zz",       "a%G0", "%00",
                                          "%ff%fe", "%c3%28", "%ed%a0%80", "a%80" };
    const struct test_parameter *parameter = question->parameter;

    if (parameter->good)
        ask_with(question, "right", parameter->good, false, false);
    begin(question, "missing", false);
    oi_buffer_add_char(&question->target, '\0');
    question->target.size--;
    ask(question, parameter->is_required);
    ask_with(question, "empty", "", true, parameter->is_required);
    if (parameter->good) {
        begin(question, "repeated", false);
        add(question, parameter->good, false);
        add(question, parameter->good, false);
        oi_buffer_add_char(&question->target, '\0');
        question->target.size--;
        ask(question, !parameter->is_repeatable);
    }
    if (parameter->wrong)
        ask_with(question, "wrong", parameter->wrong, false, true);
    if (parameter->beyond)
        ask_with(question, "out of range", parameter->beyond, false, true);
    ask_with(question, "oversized", large, true, true);
    for (size_t i = 0; i < OI_COUNT(broken); i++)
        ask_with(question, "broken", broken[i], true, true);
}

static void
refuses_every_parameter_that_is_wrong_in_any_way(void **)
{
    char *large = oi_alloc_zero(LARGE + 1, 1);
    struct question question = {};

    memset(large, '1', LARGE);
    for (size_t i = 0; i < OI_COUNT(test_routes); i++) {
        question.route = &test_routes[i];
        if (question.route->is_loose)
            continue;
        question.parameter = NULL;
        begin(&question, "base", true);
        oi_buffer_add_char(&question.target, '\0');
        question.target.size--;
        ask(&question, false);
        oi_buffer_add_text(&question.target, "&more=1");
        ask(&question, true);
        for (question.parameter = question.route->parameters; question.parameter->name;
             question.parameter++)
            check_parameter(&question, large);
    }
    print_message("%zu questions\n", question.count);
    assert_int_equal(question.wrong_count, 0);
    assert_true(question.count > 2000);
    oi_buffer_release(&question.target);
    oi_free(large);
}

/* Is it a dialect of the table, with all that its parameters may be? */
static bool
is_asked(const struct oi_dialect *dialect)
{
    for (size_t i = 0; i < OI_COUNT(test_routes); i++)
        if (!test_routes[i].is_loose && strcmp(test_routes[i].dialect, dialect->name) == 0)
            return true;
    return false;
}

/* A route of a vendor's that no row of the table asks is one that nobody tests. */
static void
asks_every_route(void **)
{
    for (size_t i = 0; oi_dialects[i]; i++) {
        for (size_t k = 0; k < oi_dialects[i]->route_count; k++) {
            const struct oi_route *route = &oi_dialects[i]->routes[k];
            bool is_same_parser = !is_asked(oi_dialects[i]) || route->is_link;

            for (size_t at = 0; at < OI_COUNT(test_routes) && !is_same_parser; at++) {
                const struct oi_dialect *dialect = NULL;
                struct oi_http_request request = { .path = oi_slice_of(test_routes[at].path) };
                struct oi_slice mount;
                const struct oi_route *asked = oi_dialects_route(&request, &dialect, &mount);

                is_same_parser = asked && asked->parse == route->parse;
            }
            if (!is_same_parser && !strstr(route->path, "/v1/types") &&
                !strstr(route->path, "/v1/exchanges") && !strstr(route->path, "/v1/categories") &&
                !strstr(route->path, "/v1/coins") && !strstr(route->path, "/v1/normalized-symbols"))
                fail_msg("nothing asks %s", route->path);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_parameter_that_is_wrong_in_any_way),
        cmocka_unit_test(asks_every_route),
    };
    return cmocka_run_group_tests_name("contract/dialect_parameters", tests, NULL, NULL);
}
