/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing and cutting borrowed bytes. */
#include "base/slice.h"

#include "support/test.h"

static void
equality_needs_every_byte(void **)
{
    assert_true(oi_slice_is(OI_SLICE("BTC"), "BTC"));
    assert_false(oi_slice_is(OI_SLICE("BTC"), "BTCUSDT"));
    assert_false(oi_slice_is(OI_SLICE("BTC"), "BTD"));
    assert_true(oi_slice_is((struct oi_slice){}, ""));
    assert_true(oi_slice_equal(oi_slice_of(NULL), OI_SLICE("")));
}

static void
order_is_bytewise_and_prefixes_come_first(void **)
{
    assert_true(oi_slice_compare(OI_SLICE("a"), OI_SLICE("b")) < 0);
    assert_true(oi_slice_compare(OI_SLICE("ab"), OI_SLICE("a")) > 0);
    assert_true(oi_slice_compare(OI_SLICE("\x7F"), OI_SLICE("\x80")) < 0);
    assert_int_equal(oi_slice_compare(OI_SLICE("a"), OI_SLICE("a")), 0);
    assert_true(oi_slice_compare((struct oi_slice){}, OI_SLICE("a")) < 0);
}

static void
prefix_and_suffix_may_be_the_whole(void **)
{
    assert_true(oi_slice_starts_with(OI_SLICE("BTCUSDT"), "BTC"));
    assert_true(oi_slice_starts_with(OI_SLICE("BTC"), "BTC"));
    assert_false(oi_slice_starts_with(OI_SLICE("BT"), "BTC"));
    assert_true(oi_slice_ends_with(OI_SLICE("BTCUSDT"), "USDT"));
    assert_false(oi_slice_ends_with(OI_SLICE("BTCUSDT"), "BTC"));
    assert_true(oi_slice_ends_with((struct oi_slice){}, ""));
}

static void
case_is_ignored_for_ascii_letters_only(void **)
{
    assert_true(oi_slice_equal_ignoring_case(OI_SLICE("Content-Type"), OI_SLICE("content-tYPE")));
    assert_false(oi_slice_equal_ignoring_case(OI_SLICE("[@"), OI_SLICE("{`")));
    assert_false(oi_slice_equal_ignoring_case(OI_SLICE("a"), OI_SLICE("ab")));
}

static void
trims_blanks_tabs_and_line_ends(void **)
{
    assert_true(oi_slice_is(oi_slice_trim(OI_SLICE(" \t a b\r\n")), "a b"));
    assert_int_equal(oi_slice_trim(OI_SLICE(" \r\n")).size, 0);
}

static void
cuts_parts_until_used_up(void **)
{
    struct oi_slice rest = OI_SLICE("a,,b,");
    const char *expected[] = { "a", "", "b", "" };
    struct oi_slice part = {};

    for (size_t i = 0; i < 4; i++) {
        assert_true(oi_slice_next_part(&rest, ',', &part));
        assert_true(oi_slice_is(part, expected[i]));
    }
    assert_false(oi_slice_next_part(&rest, ',', &part));
    assert_null(rest.data);
}

static void
an_empty_slice_yields_one_empty_part(void **)
{
    struct oi_slice rest = OI_SLICE("");
    struct oi_slice part = {};

    assert_true(oi_slice_next_part(&rest, ',', &part));
    assert_int_equal(part.size, 0);
    assert_false(oi_slice_next_part(&rest, ',', &part));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_needs_every_byte),
        cmocka_unit_test(order_is_bytewise_and_prefixes_come_first),
        cmocka_unit_test(prefix_and_suffix_may_be_the_whole),
        cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(trims_blanks_tabs_and_line_ends),
        cmocka_unit_test(cuts_parts_until_used_up),
        cmocka_unit_test(an_empty_slice_yields_one_empty_part),
    };
    return cmocka_run_group_tests_name("base/slice", tests, NULL, NULL);
}
