/* SPDX-License-Identifier: Apache-2.0 */
/* The served description of Coin Metrics' API is true: every route is in it, and every parameter
 * that it names is taken with its example. */
#include "dialects/dialect.h"

#include "support/test_dialect.h"

#define DESCRIPTION "/v4/openapi.json"

/* Add what a question cannot do without, but for one parameter. */
static void
add_required(const struct oi_json_node *list, const struct oi_json_node *but,
             struct oi_buffer *target)
{
    for (const struct oi_json_node *one = oi_json_first(list); one; one = oi_json_next(one)) {
        if (oi_json_kind(oi_json_member(one, "required")) != OI_JSON_TRUE || one == but)
            continue;
        oi_buffer_add_format(target, "%.*s=%.*s&",
                             OI_SLICE_ARGS(oi_json_text(oi_json_member(one, "name"))),
                             OI_SLICE_ARGS(oi_json_text(oi_json_member(one, "example"))));
    }
}

static size_t
ask_with_each(struct oi_slice path, const struct oi_json_node *list)
{
    size_t count = 0;

    for (const struct oi_json_node *one = oi_json_first(list); one; one = oi_json_next(one)) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer target = {};
        const struct oi_json_node *example = oi_json_member(one, "example");

        count++;
        if (!example)
            continue;
        oi_buffer_add_format(&target, "%.*s?", OI_SLICE_ARGS(path));
        add_required(list, one, &target);
        oi_buffer_add_format(&target,
                             "%.*s=", OI_SLICE_ARGS(oi_json_text(oi_json_member(one, "name"))));
        if (oi_json_kind(example) == OI_JSON_STRING || oi_json_kind(example) == OI_JSON_NUMBER)
            oi_buffer_add_slice(&target, oi_json_text(example));
        else
            oi_buffer_add_text(&target, oi_json_kind(example) == OI_JSON_TRUE ? "true" : "false");
        oi_buffer_add_char(&target, '\0');
        test_accepted(target.data);
    }
    return count;
}

static void
describes_every_route_and_takes_every_parameter_that_it_names(void **)
{
    struct test_exchange exchange;
    const struct oi_dialect *dialect;
    const struct oi_json_node *paths;
    struct oi_json *json;
    size_t count = 0;

    assert_ok(test_ask(&exchange, DESCRIPTION, NULL));
    assert_true(exchange.route->is_public);
    assert_ok(test_render(&exchange, NULL));
    dialect = exchange.dialect;
    json = test_body_json(&exchange);
    paths = oi_json_member(oi_json_root(json), "paths");
    for (size_t i = 0; i < dialect->route_count; i++) {
        const char *path = dialect->routes[i].path;
        const struct oi_json_node *get = oi_json_member(oi_json_member(paths, path), "get");

        if (strcmp(path, DESCRIPTION) == 0)
            continue;
        if (!get)
            fail_msg("%s is not described", path);
        count += ask_with_each(oi_slice_of(path), oi_json_member(get, "parameters"));
    }
    assert_true(count > 300);
    assert_int_equal(oi_json_count(paths), dialect->route_count - 1);
    oi_json_close(&json);
    test_close(&exchange);
}

static void
takes_no_parameters_itself(void **)
{
    test_refused_with(DESCRIPTION "?pretty=true", 400, "bad_parameter");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_every_route_and_takes_every_parameter_that_it_names),
        cmocka_unit_test(takes_no_parameters_itself),
    };
    return cmocka_run_group_tests_name("dialects/coinmetrics_openapi", tests, NULL, NULL);
}
