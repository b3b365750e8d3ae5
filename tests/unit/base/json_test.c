/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON: what is taken, what is refused, and that text survives a round trip. */
#include "base/json.h"

#include "base/alloc.h"
#include "base/random.h"
#include "support/test.h"

#include <string.h>

static struct oi_json *
open_text(const char *text)
{
    struct oi_json *json = NULL;
    struct oi_error error = {};

    if (oi_json_open(oi_slice_of(text), &json, &error) != OI_OK)
        fail_msg("%s: %s", text, error.message);
    return json;
}

static void
numbers_keep_their_digits(void **)
{
    OI_CLEANUP(oi_json_close)
    struct oi_json *json = open_text("[30921319.840, -0, 1e5, 123456789012345678901234567890]");
    const char *expected[] = { "30921319.840", "-0", "1e5", "123456789012345678901234567890" };
    const struct oi_json_node *item = oi_json_first(oi_json_root(json));

    assert_int_equal(oi_json_count(oi_json_root(json)), 4);
    for (size_t i = 0; i < 4; i++, item = oi_json_next(item)) {
        assert_int_equal(oi_json_kind(item), OI_JSON_NUMBER);
        assert_true(oi_slice_is(oi_json_text(item), expected[i]));
        assert_ptr_equal(oi_json_item(oi_json_root(json), i), item);
    }
    assert_null(item);
    assert_null(oi_json_item(oi_json_root(json), 4));
}

static void
members_are_found_by_name_and_the_last_wins(void **)
{
    OI_CLEANUP(oi_json_close)
    struct oi_json *json = open_text("{\"a\":1,\"b\":{\"c\":[null,true,false]},\"a\":2,\"\":3}");
    const struct oi_json_node *root = oi_json_root(json);
    const struct oi_json_node *list = oi_json_member(oi_json_member(root, "b"), "c");

    assert_int_equal(oi_json_kind(root), OI_JSON_OBJECT);
    assert_int_equal(oi_json_count(root), 4);
    assert_true(oi_slice_is(oi_json_text(oi_json_member(root, "a")), "2"));
    assert_true(oi_slice_is(oi_json_text(oi_json_member(root, "")), "3"));
    assert_int_equal(oi_json_kind(list), OI_JSON_ARRAY);
    assert_int_equal(oi_json_kind(oi_json_item(list, 0)), OI_JSON_NULL);
    assert_int_equal(oi_json_kind(oi_json_item(list, 1)), OI_JSON_TRUE);
    assert_int_equal(oi_json_kind(oi_json_item(list, 2)), OI_JSON_FALSE);
    assert_true(oi_slice_is(oi_json_name(oi_json_next(oi_json_first(root))), "b"));
    assert_null(oi_json_member(root, "ab"));
    assert_null(oi_json_member(list, "a"));
}

static void
absent_values_chain(void **)
{
    assert_int_equal(oi_json_kind(NULL), OI_JSON_NULL);
    assert_null(oi_json_member(oi_json_item(oi_json_first(NULL), 3), "x"));
    assert_null(oi_json_next(NULL));
    assert_int_equal(oi_json_count(NULL), 0);
    assert_int_equal(oi_json_text(NULL).size, 0);
    assert_int_equal(oi_json_name(NULL).size, 0);
}

static void
scalars_have_no_children_and_containers_no_text(void **)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = open_text("[\"ab\",[],{}]");
    const struct oi_json_node *text = oi_json_first(oi_json_root(json));

    assert_int_equal(oi_json_count(text), 0);
    assert_null(oi_json_first(text));
    assert_null(oi_json_item(text, 0));
    assert_int_equal(oi_json_text(oi_json_root(json)).size, 0);
    assert_null(oi_json_first(oi_json_item(oi_json_root(json), 1)));
    assert_null(oi_json_first(oi_json_item(oi_json_root(json), 2)));
}

static void
escapes_are_undone_in_text_and_names(void **)
{
    OI_CLEANUP(oi_json_close)
    struct oi_json *json = open_text("{\"\\u00e9\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83d\\ude00\"}");
    const struct oi_json_node *member = oi_json_first(oi_json_root(json));

    assert_true(oi_slice_is(oi_json_name(member), "\xC3\xA9"));
    assert_true(oi_slice_is(oi_json_text(member), "\"\\/\b\f\n\r\t\xF0\x9F\x98\x80"));
}

static void
an_escaped_nul_is_a_character(void **)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = open_text("\"a\\u0000b\"");

    assert_true(oi_slice_equal(oi_json_text(oi_json_root(json)), OI_SLICE("a\0b")));
}

static void
the_text_need_not_outlive_the_call(void **)
{
    char text[] = "{\"name\":[\"value\",12]}";
    OI_CLEANUP(oi_json_close) struct oi_json *json = open_text(text);
    const struct oi_json_node *list;

    memset(text, 'x', sizeof(text));
    list = oi_json_member(oi_json_root(json), "name");
    assert_true(oi_slice_is(oi_json_text(oi_json_item(list, 0)), "value"));
    assert_true(oi_slice_is(oi_json_text(oi_json_item(list, 1)), "12"));
}

static void
malformed_text_is_refused(void **)
{
    const struct oi_slice bad[] = {
        OI_SLICE(""),
        OI_SLICE(" "),
        OI_SLICE("{"),
        OI_SLICE("[1,]"),
        OI_SLICE("{\"a\":1,}"),
        OI_SLICE("{\"a\"}"),
        OI_SLICE("[1] x"),
        OI_SLICE("1 2"),
        OI_SLICE("{}{}"),
        OI_SLICE("01"),
        OI_SLICE("1."),
        OI_SLICE(".5"),
        OI_SLICE("+1"),
        OI_SLICE("-"),
        OI_SLICE("1e"),
        OI_SLICE("NaN"),
        OI_SLICE("Infinity"),
        OI_SLICE("nul"),
        OI_SLICE("\"a"),
        OI_SLICE("\"\n\""),
        OI_SLICE("'a'"),
        OI_SLICE("\"\\x\""),
        OI_SLICE("\"\\u12\""),
        OI_SLICE("[1}"),
        OI_SLICE("/* */ 1"),
        OI_SLICE("\"\xFF\""),
        OI_SLICE("\"\xC0\x80\""),
        OI_SLICE("\"\\ud800\""),
        OI_SLICE("\0"),
        OI_SLICE("1\0"),
        OI_SLICE("<html>"),
        OI_SLICE("]"),
        OI_SLICE("\xEF\xBB\xBF[]"),
    };

    for (size_t i = 0; i < OI_COUNT(bad); i++) {
        struct oi_json *json = NULL;
        struct oi_error error = {};

        if (oi_json_open(bad[i], &json, &error) != OI_E_UPSTREAM)
            fail_msg("number %zu: %.*s", i, OI_SLICE_ARGS(bad[i]));
        assert_null(json);
        assert_true(strlen(error.message) > 0);
        assert_null(strchr(error.message, '\n'));
    }
}

static void
nesting_ends_at_its_limit(void **)
{
    char text[2 * (OI_JSON_DEPTH_MAX + 1)];
    struct oi_json *json = NULL;
    struct oi_error error = {};

    memset(text, '[', OI_JSON_DEPTH_MAX);
    memset(text + OI_JSON_DEPTH_MAX, ']', OI_JSON_DEPTH_MAX);
    assert_ok(oi_json_open((struct oi_slice){ text, 2 * OI_JSON_DEPTH_MAX }, &json, &error));
    oi_json_close(&json);
    memset(text, '[', OI_JSON_DEPTH_MAX + 1);
    memset(text + OI_JSON_DEPTH_MAX + 1, ']', OI_JSON_DEPTH_MAX + 1);
    assert_status(oi_json_open((struct oi_slice){ text, sizeof(text) }, &json, &error),
                  OI_E_UPSTREAM);
    assert_string_equal(error.message, "JSON nested too deep");
    assert_null(json);
}

static void
too_large_a_text_is_refused_unread(void **)
{
    struct oi_slice text = { "[", OI_JSON_SIZE_MAX + 1 };
    struct oi_json *json = NULL;

    assert_status(oi_json_open(text, &json, NULL), OI_E_UPSTREAM);
}

static void
a_long_reply_is_indexed_and_costs_few_allocations(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct oi_json_writer writer = { .out = &text };
    uint64_t before;

    oi_json_begin_array(&writer);
    for (int i = 0; i < 5000; i++) {
        oi_json_begin_object(&writer);
        oi_json_add_name(&writer, "id");
        oi_json_add_int(&writer, i);
        oi_json_add_name(&writer, "tags");
        oi_json_begin_array(&writer);
        oi_json_add_text(&writer, "x");
        oi_json_end_array(&writer);
        oi_json_end_object(&writer);
    }
    oi_json_end_array(&writer);
    before = oi_alloc_count();
    assert_ok(oi_json_open(oi_buffer_slice(&text), &json, NULL));
    assert_true(oi_alloc_count() - before < 50);
    for (size_t i = 0; i < 5000; i++) {
        const struct oi_json_node *item = oi_json_item(oi_json_root(json), i);
        OI_CLEANUP(oi_buffer_release) struct oi_buffer digits = {};

        oi_buffer_add_int(&digits, (int64_t) i);
        assert_true(
            oi_slice_equal(oi_json_text(oi_json_member(item, "id")), oi_buffer_slice(&digits)));
        assert_true(oi_slice_is(oi_json_text(oi_json_item(oi_json_member(item, "tags"), 0)), "x"));
    }
}

static void
what_is_quoted_reads_back(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    struct oi_random random;

    print_message("seed 21\n");
    oi_random_init(&random, 21);
    for (int round = 0; round < 3000; round++) {
        static const char *const pieces[] = { "a",         "\"",           "\\",
                                              "\n",        "\x01",         "\x7F",
                                              "\xC3\xA9",  "\xE2\x80\xA8", "\xF0\x9F\x98\x80",
                                              "plain text" };
        OI_CLEANUP(oi_buffer_release) struct oi_buffer quoted = {};
        struct oi_json *json = NULL;
        bool is_equal;

        oi_buffer_clear(&text);
        for (uint64_t left = oi_random_below(&random, 12); left > 0; left--)
            oi_buffer_add_text(&text, pieces[oi_random_below(&random, OI_COUNT(pieces))]);
        oi_json_quote(&quoted, oi_buffer_slice(&text));
        assert_ok(oi_json_open(oi_buffer_slice(&quoted), &json, NULL));
        is_equal = oi_slice_equal(oi_json_text(oi_json_root(json)), oi_buffer_slice(&text));
        oi_json_close(&json);
        assert_true(is_equal);
    }
}

static void
scalars_are_written_as_they_were_read(void **)
{
    struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out };
    struct oi_json *json;

    assert_ok(
        oi_json_open(OI_SLICE("[null,true,false,1.50e3,\"a\\\"b\",[1],{\"a\":1}]"), &json, NULL));
    oi_json_begin_array(&writer);
    for (const struct oi_json_node *item = oi_json_first(oi_json_root(json)); item;
         item = oi_json_next(item))
        assert_int_equal(oi_json_add_scalar(&writer, item), oi_json_first(item) == NULL);
    oi_json_end_array(&writer);
    assert_true(oi_slice_is(oi_buffer_slice(&out), "[null,true,false,1.50e3,\"a\\\"b\"]"));
    oi_json_close(&json);
    oi_buffer_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_their_digits),
        cmocka_unit_test(members_are_found_by_name_and_the_last_wins),
        cmocka_unit_test(absent_values_chain),
        cmocka_unit_test(scalars_have_no_children_and_containers_no_text),
        cmocka_unit_test(escapes_are_undone_in_text_and_names),
        cmocka_unit_test(an_escaped_nul_is_a_character),
        cmocka_unit_test(the_text_need_not_outlive_the_call),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(too_large_a_text_is_refused_unread),
        cmocka_unit_test(a_long_reply_is_indexed_and_costs_few_allocations),
        cmocka_unit_test(scalars_are_written_as_they_were_read),
        cmocka_unit_test(what_is_quoted_reads_back),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
