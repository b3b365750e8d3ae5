/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON. */
#include "base/json.h"

#include "base/alloc.h"
#include "support/test.h"

static void
write_sample(struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "a");
    oi_json_begin_array(writer);
    oi_json_add_int(writer, -1);
    oi_json_add_raw(writer, OI_SLICE("2.50"));
    oi_json_add_bool(writer, true);
    oi_json_add_bool(writer, false);
    oi_json_add_null(writer);
    oi_json_end_array(writer);
    oi_json_add_name(writer, "b");
    oi_json_add_text(writer, "x");
    oi_json_add_name(writer, "c");
    oi_json_begin_object(writer);
    oi_json_end_object(writer);
    oi_json_end_object(writer);
}

static void
commas_and_colons_fall_into_place(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out };

    write_sample(&writer);
    assert_true(oi_slice_is(oi_buffer_slice(&out),
                            "{\"a\":[-1,2.50,true,false,null],\"b\":\"x\",\"c\":{}}"));
}

static void
pretty_means_one_value_a_line(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out, .is_pretty = true };

    write_sample(&writer);
    assert_true(oi_slice_is(oi_buffer_slice(&out), "{\n"
                                                   "  \"a\": [\n"
                                                   "    -1,\n"
                                                   "    2.50,\n"
                                                   "    true,\n"
                                                   "    false,\n"
                                                   "    null\n"
                                                   "  ],\n"
                                                   "  \"b\": \"x\",\n"
                                                   "  \"c\": {}\n"
                                                   "}"));
}

static void
everything_but_plain_ascii_is_escaped(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_json_quote(&out, OI_SLICE("a\"\\/\n\r\t\b\f\x01\x7F\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80"));
    assert_true(oi_slice_is(oi_buffer_slice(&out),
                            "\"a\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\\u007f\\u00e9\\u2028"
                            "\\ud83d\\ude00\""));
}

static void
bytes_that_are_no_character_become_the_replacement(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_json_quote(&out, OI_SLICE("a\xFF\xC3"));
    assert_true(oi_slice_is(oi_buffer_slice(&out), "\"a\\ufffd\\ufffd\""));
}

static void
writing_into_a_grown_buffer_allocates_nothing(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out };
    uint64_t before;

    write_sample(&writer);
    before = oi_alloc_count();
    oi_buffer_clear(&out);
    write_sample(&writer);
    assert_int_equal(oi_alloc_count(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_colons_fall_into_place),
        cmocka_unit_test(pretty_means_one_value_a_line),
        cmocka_unit_test(everything_but_plain_ascii_is_escaped),
        cmocka_unit_test(bytes_that_are_no_character_become_the_replacement),
        cmocka_unit_test(writing_into_a_grown_buffer_allocates_nothing),
    };
    return cmocka_run_group_tests_name("base/json_write", tests, NULL, NULL);
}
