/* SPDX-License-Identifier: Apache-2.0 */
/* The model of `oi top`: order, filter, keys and texts, without a terminal. */
#include "cli/top.h"

#include "base/compiler.h"

#include "support/test.h"

#include <string.h>

#define NOW (1'772'841'600 * OI_SECOND) /* 2026-03-07T00:00:00Z */

static const char rows_json[] =
    "{\"data\":["
    "{\"market\":\"okx:swap:BTC\",\"unit\":\"coins\",\"time\":\"2026-03-06T23:59:30Z\","
    "\"open_interest\":\"10\",\"value_usd\":\"900000\",\"change_percent_1h\":\"-1.5\","
    "\"change_percent_24h\":\"3\"},"
    "{\"market\":\"okx:swap:ETH\",\"unit\":\"coins\",\"time\":\"2026-03-06T23:00:00Z\","
    "\"open_interest\":\"200\",\"value_usd\":null,\"change_percent_1h\":null,"
    "\"change_percent_24h\":\"-2\"},"
    "{\"market\":\"bybit:linear:BTC\",\"unit\":\"coins\",\"time\":\"2026-03-06T23:59:00Z\","
    "\"open_interest\":\"30\",\"value_usd\":\"2700000\",\"change_percent_1h\":\"0.25\","
    "\"change_percent_24h\":\"0\"}]}";

static void
fill(struct oi_top *top)
{
    oi_top_init(top, false);
    top->page = 10;
    assert_ok(oi_top_take_rows(top, OI_SLICE(rows_json), NULL));
}

/* The markets in their order, by what follows the exchange's first letter: "b o o". */
static void
expect_order(const struct oi_top *top, const char *expected)
{
    struct oi_buffer text = {};

    for (size_t i = 0; oi_top_row_at(top, i); i++) {
        const char *market = oi_top_row_at(top, i)->market;

        oi_buffer_add_char(&text, market[0]);
        oi_buffer_add_char(&text, strrchr(market, ':')[1]);
        oi_buffer_add_char(&text, ' ');
    }
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
    oi_buffer_release(&text);
}

static void
press(struct oi_top *top, const char *keys)
{
    for (; *keys; keys++)
        oi_top_press(top, *keys);
}

static void
rows_are_sorted_by_any_column_and_what_is_absent_is_last(void **)
{
    struct oi_top top;

    fill(&top);
    expect_order(&top, "bB oB oE ");
    press(&top, "u"); /* the same again: the other way */
    expect_order(&top, "oB bB oE ");
    press(&top, "o");
    expect_order(&top, "oE bB oB ");
    press(&top, "m");
    expect_order(&top, "bB oB oE ");
    press(&top, "r");
    expect_order(&top, "oE oB bB ");
    press(&top, "1");
    expect_order(&top, "bB oB oE ");
    press(&top, "2");
    expect_order(&top, "oB bB oE ");
    press(&top, "a");
    expect_order(&top, "oE bB oB ");
    oi_top_release(&top);
}

static void
a_filter_is_typed_kept_and_dropped(void **)
{
    struct oi_top top;

    fill(&top);
    press(&top, "/EtX");
    expect_order(&top, "");
    oi_top_press(&top, OI_KEY_BACKSPACE);
    expect_order(&top, "oE ");
    press(&top, "q"); /* a letter of the filter here */
    assert_false(top.is_over);
    oi_top_press(&top, OI_KEY_BACKSPACE);
    oi_top_press(&top, OI_KEY_ENTER);
    assert_string_equal(top.filter, "Et");
    assert_false(top.is_filtering);
    oi_top_press(&top, OI_KEY_ESCAPE);
    expect_order(&top, "bB oB oE ");
    press(&top, "q");
    assert_true(top.is_over);
    oi_top_release(&top);
}

static void
pages_end_where_the_rows_do(void **)
{
    struct oi_top top;

    fill(&top);
    top.page = 2;
    oi_top_press(&top, OI_KEY_DOWN);
    expect_order(&top, "oB oE ");
    oi_top_press(&top, OI_KEY_DOWN);
    assert_int_equal(top.first, 1);
    oi_top_press(&top, OI_KEY_UP);
    oi_top_press(&top, OI_KEY_UP);
    assert_int_equal(top.first, 0);
    oi_top_press(&top, OI_KEY_END);
    assert_int_equal(top.first, 1);
    oi_top_press(&top, OI_KEY_HOME);
    oi_top_press(&top, OI_KEY_PAGE_DOWN);
    assert_int_equal(top.first, 1);
    oi_top_press(&top, OI_KEY_PAGE_UP);
    assert_int_equal(top.first, 0);
    oi_top_press(&top, OI_KEY_END);
    top.page = 10; /* a larger window */
    oi_top_press(&top, OI_KEY_NONE);
    assert_int_equal(top.first, 0);
    oi_top_release(&top);
}

static void
pause_units_and_stop_are_keys(void **)
{
    struct oi_top top;

    fill(&top);
    press(&top, "p");
    assert_true(top.is_paused);
    press(&top, " c");
    assert_false(top.is_paused);
    assert_true(top.wants_rows);
    assert_string_equal(oi_top_units[top.unit], "contracts");
    press(&top, "ccc");
    assert_string_equal(oi_top_units[top.unit], "coins");
    oi_top_press(&top, OI_KEY_STOP);
    assert_true(top.is_over);
    oi_top_release(&top);
}

static void
expect_short(const char *value, const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    struct oi_decimal decimal = {};

    if (value[0])
        assert_ok(oi_decimal_parse(oi_slice_of(value), &decimal, NULL));
    oi_top_write_short(&decimal, &text);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void
figures_are_shortened_with_a_letter(void **)
{
    expect_short("", "");
    expect_short("0", "0");
    expect_short("0.004", "0");
    expect_short("12.345", "12.34");
    expect_short("999.99", "999.99");
    expect_short("999.995", "1K");
    expect_short("1234", "1.23K");
    expect_short("-1234567", "-1.23M");
    expect_short("8056967841.84775", "8.06B");
    expect_short("12345678901234567", "12345.68T");
}

static void
expect_spark(const char *figures, bool is_utf8, const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    struct oi_decimal values[16] = {};
    size_t count = strlen(figures);

    for (size_t i = 0; i < count; i++)
        if (figures[i] != ' ')
            values[i] = oi_decimal_from(figures[i] - '0', 0);
    oi_top_write_spark(values, count, is_utf8, &text);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void
a_sparkline_goes_from_the_lowest_to_the_highest(void **)
{
    expect_spark("08", true, "\u2581\u2588");
    expect_spark("012345678", false, "_.-~=+*##");
    expect_spark("5 5", false, "~ ~");
    expect_spark("   ", false, "   ");
}

static void
hours_fall_into_their_places(void **)
{
    static const char json[] =
        "{\"data\":["
        "{\"market\":\"okx:swap:BTC\",\"start\":\"2026-03-07T00:00:00Z\",\"close\":\"9\"},"
        "{\"market\":\"okx:swap:BTC\",\"start\":\"2026-03-06T23:00:00Z\",\"close\":\"8\"},"
        "{\"market\":\"okx:swap:BTC\",\"start\":\"2026-03-06T01:00:00Z\",\"close\":\"1\"},"
        "{\"market\":\"okx:swap:BTC\",\"start\":\"2026-03-06T00:00:00Z\",\"close\":\"0\"},"
        "{\"market\":\"no:such:ONE\",\"start\":\"2026-03-06T23:00:00Z\",\"close\":\"7\"}]}";
    const struct oi_top_row *row;
    struct oi_top top;

    fill(&top);
    assert_true(oi_top_wants_hours(oi_top_row_at(&top, 1), NOW));
    assert_ok(oi_top_take_hours(&top, OI_SLICE(json), NOW, NULL));
    row = oi_top_row_at(&top, 1);
    assert_string_equal(row->market, "okx:swap:BTC");
    assert_int_equal(row->hours[OI_TOP_HOURS - 1].mantissa, 9);
    assert_int_equal(row->hours[OI_TOP_HOURS - 2].mantissa, 8);
    assert_int_equal(row->hours[0].mantissa, 1);
    assert_true(oi_decimal_is_none(&row->hours[1]));
    assert_false(oi_top_wants_hours(row, NOW));
    assert_false(
        oi_top_wants_hours(oi_top_row_at(&top, 2), NOW)); /* it has none, and that is known */
    assert_ok(oi_top_take_rows(&top, OI_SLICE(rows_json), NULL));
    assert_int_equal(oi_top_row_at(&top, 1)->hours[0].mantissa, 1);
    oi_top_release(&top);
}

static void
expect_cell(const struct oi_top *top, enum oi_top_column column, enum oi_top_style style,
            const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    assert_int_equal(oi_top_write_cell(top, oi_top_row_at(top, 1), column, NOW, &text), style);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void
cells_say_what_the_answer_said(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    struct oi_top top;

    fill(&top);
    expect_cell(&top, OI_TOP_MARKET, OI_STYLE_PLAIN, "okx:swap:BTC");
    expect_cell(&top, OI_TOP_AMOUNT, OI_STYLE_PLAIN, "10");
    expect_cell(&top, OI_TOP_USD, OI_STYLE_PLAIN, "900K");
    expect_cell(&top, OI_TOP_1H, OI_STYLE_DOWN, "-1.5");
    expect_cell(&top, OI_TOP_24H, OI_STYLE_UP, "+3");
    expect_cell(&top, OI_TOP_AGE, OI_STYLE_PLAIN, "30s");
    oi_top_write_title(&top, NOW, "data", &text);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data,
                        "oi top  2026-03-07T00:00:00Z  1-3 of 3 markets  in coins  data");
    oi_top_release(&top);
}

static void
narrow_screens_leave_columns_out(void **)
{
    size_t widths[OI_TOP_COLUMNS];

    for (size_t width = 1; width < 300; width++) {
        size_t total = 0;

        oi_top_layout(width, widths);
        for (size_t i = 0; i < OI_TOP_COLUMNS; i++)
            total += widths[i] > 0 ? widths[i] + 1 : 0;
        assert_true(widths[OI_TOP_MARKET] >= 1);
        assert_true(width < 20 || total <= width + 1);
        assert_int_equal(widths[OI_TOP_SPARK] > 0, width >= 100);
    }
}

static void
what_is_no_answer_is_refused(void **)
{
    struct oi_top top;

    fill(&top);
    assert_status(oi_top_take_rows(&top, OI_SLICE("{}"), NULL), OI_E_UPSTREAM);
    assert_status(oi_top_take_rows(&top, OI_SLICE("<html>"), NULL), OI_E_UPSTREAM);
    assert_status(oi_top_take_hours(&top, OI_SLICE("["), NOW, NULL), OI_E_UPSTREAM);
    expect_order(&top, "bB oB oE "); /* the rows are those of before */
    oi_top_release(&top);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_by_any_column_and_what_is_absent_is_last),
        cmocka_unit_test(a_filter_is_typed_kept_and_dropped),
        cmocka_unit_test(pages_end_where_the_rows_do),
        cmocka_unit_test(pause_units_and_stop_are_keys),
        cmocka_unit_test(figures_are_shortened_with_a_letter),
        cmocka_unit_test(a_sparkline_goes_from_the_lowest_to_the_highest),
        cmocka_unit_test(hours_fall_into_their_places),
        cmocka_unit_test(cells_say_what_the_answer_said),
        cmocka_unit_test(narrow_screens_leave_columns_out),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };

    return cmocka_run_group_tests_name("cli/top", tests, NULL, NULL);
}
