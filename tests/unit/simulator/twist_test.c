/* SPDX-License-Identifier: Apache-2.0 */
/* The same replies in other words. */
#include "simulator/twist.h"

#include "support/test.h"

static void
assert_twisted(void (*twist)(struct oi_buffer *body), const char *from, const char *to)
{
    struct oi_buffer body = {};

    oi_buffer_add_text(&body, from);
    twist(&body);
    oi_buffer_add_char(&body, '\0');
    assert_string_equal(body.data, to);
    oi_buffer_release(&body);
}

static void
rows_are_turned_round_and_the_last_comes_twice(void **)
{
    assert_twisted(twist_shuffle, "{\"t\":1,\"list\":[{\"a\":[[1],[2]]},{\"b\":\"x\"}]}",
                   "{\"t\":1,\"list\":[{\"b\":\"x\"},{\"a\":[[1],[2]]},{\"b\":\"x\"}]}");
}

static void
what_is_no_list_of_rows_stays(void **)
{
    assert_twisted(twist_shuffle, "[1,2.50,null,true]", "[1,2.50,null,true]");
    assert_twisted(twist_shuffle, "<html>", "<html>");
}

static void
figures_get_39_digits(void **)
{
    assert_twisted(twist_digits, "[\"0.5\",12.25,\"1.2.3\",\"2026\",\"a1.5\",{\"b\":1.5}]",
                   "[\"0.50000000000000000000000000000000000000\","
                   "12.2500000000000000000000000000000000000,\"1.2.3\",\"2026\",\"a1.5\","
                   "{\"b\":1.50000000000000000000000000000000000000}]");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_turned_round_and_the_last_comes_twice),
        cmocka_unit_test(what_is_no_list_of_rows_stays),
        cmocka_unit_test(figures_get_39_digits),
    };

    return cmocka_run_group_tests_name("simulator/twist", tests, NULL, NULL);
}
