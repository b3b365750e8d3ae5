/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/reply.h"

#include "base/compiler.h"

#include "support/test.h"

/* The reply, opened; close it. */
static struct oi_json *
opened(const char *text)
{
    struct oi_json *json = NULL;

    assert_ok(oi_json_open(oi_slice_of(text), &json, NULL));
    return json;
}

static void
takes_numbers_and_strings_alike(void **)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = opened("{\"a\":\"1.50\",\"b\":1.50}");
    struct oi_decimal a;
    struct oi_decimal b;

    assert_ok(oi_reply_decimal(oi_json_root(json), "a", &a, NULL));
    assert_ok(oi_reply_decimal(oi_json_root(json), "b", &b, NULL));
    assert_true(oi_decimal_equal(&a, &b));
}

static void
keeps_all_forty_digits(void **)
{
    OI_CLEANUP(oi_json_close)
    struct oi_json *json = opened("{\"a\":6024.809855090449174997774141172323490409}");
    char text[OI_DECIMAL_TEXT_SIZE];
    struct oi_decimal value;

    assert_ok(oi_reply_amount(oi_json_root(json), "a", &value, NULL));
    oi_decimal_print(&value, text);
    assert_string_equal(text, "6024.809855090449174997774141172323490409");
}

static void
absent_null_and_empty_all_mean_none(void **)
{
    static const char *const texts[] = { "{}", "{\"a\":null}", "{\"a\":\"\"}" };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        OI_CLEANUP(oi_json_close) struct oi_json *json = opened(texts[i]);
        struct oi_decimal value = oi_decimal_from(7, 0);
        struct oi_error error = {};

        assert_status(oi_reply_decimal(oi_json_root(json), "a", &value, &error), OI_E_INVALID);
        assert_string_equal(error.message, "a: none given");
        assert_int_equal(value.mantissa, 7);
        assert_ok(oi_reply_optional_decimal(oi_json_root(json), "a", &value, NULL));
        assert_true(oi_decimal_is_none(&value));
        assert_true(oi_reply_optional_time_ms(oi_json_root(json), "a") == OI_TIME_NONE);
    }
}

static void
a_value_of_another_kind_is_no_decimal(void **)
{
    static const char *const texts[] = { "{\"a\":true}", "{\"a\":[1]}", "{\"a\":{}}",
                                         "{\"a\":\"NaN\"}", "{\"a\":\" 1\"}" };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        OI_CLEANUP(oi_json_close) struct oi_json *json = opened(texts[i]);
        struct oi_decimal value;

        assert_status(oi_reply_decimal(oi_json_root(json), "a", &value, NULL), OI_E_INVALID);
        assert_status(oi_reply_optional_decimal(oi_json_root(json), "a", &value, NULL),
                      OI_E_INVALID);
        value = oi_reply_price(oi_json_root(json), "a");
        assert_true(oi_decimal_is_none(&value));
    }
}

static void
open_interest_is_never_below_zero_and_may_be_zero(void **)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = opened("{\"a\":\"-1\",\"b\":\"0E-18\"}");
    struct oi_error error = {};
    struct oi_decimal value;

    assert_status(oi_reply_amount(oi_json_root(json), "a", &value, &error), OI_E_INVALID);
    assert_string_equal(error.message, "a: below zero");
    assert_ok(oi_reply_amount(oi_json_root(json), "b", &value, NULL));
    assert_true(oi_decimal_is_zero(&value));
    assert_status(oi_reply_positive(oi_json_root(json), "b", &value, NULL), OI_E_INVALID);
}

static void
a_price_of_zero_is_none_and_a_value_of_zero_is_zero(void **)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = opened("{\"a\":\"0.0\",\"b\":\"-3\"}");
    struct oi_decimal price = oi_reply_price(oi_json_root(json), "a");
    struct oi_decimal value = oi_reply_value_of(oi_json_root(json), "a");

    assert_true(oi_decimal_is_none(&price));
    assert_true(oi_decimal_is_zero(&value));
    value = oi_reply_value_of(oi_json_root(json), "b");
    assert_true(oi_decimal_is_none(&value));
}

static void
reads_times_as_text_and_number_and_refuses_what_is_none(void **)
{
    OI_CLEANUP(oi_json_close)
    struct oi_json *json = opened("{\"a\":\"1790000000123\",\"b\":1790000000123,\"zero\":0,"
                                  "\"huge\":9223372036854775807,\"point\":1.5,\"minus\":-1}");
    const struct oi_json_node *root = oi_json_root(json);
    oi_time a;
    oi_time b;

    assert_ok(oi_reply_time_ms(root, "a", &a, NULL));
    assert_ok(oi_reply_time_ms(root, "b", &b, NULL));
    assert_true(a == b && a == 1'790'000'000'123 * OI_MILLISECOND);
    assert_status(oi_reply_time_ms(root, "zero", &a, NULL), OI_E_INVALID);
    assert_status(oi_reply_time_ms(root, "huge", &a, NULL), OI_E_INVALID);
    assert_status(oi_reply_time_ms(root, "point", &a, NULL), OI_E_INVALID);
    assert_status(oi_reply_time_ms(root, "minus", &a, NULL), OI_E_INVALID);
    assert_true(oi_reply_optional_time_us(root, "b") == 1'790'000'000'123 * OI_MICROSECOND);
}

static void
a_member_of_another_kind_is_upstream(void **)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = opened("{\"list\":{}}");
    const struct oi_json_node *list;
    struct oi_error error = {};

    assert_status(oi_reply_member(oi_json_root(json), "list", OI_JSON_ARRAY, &list, &error),
                  OI_E_UPSTREAM);
    assert_string_equal(error.message, "list is an object, not an array");
    assert_status(oi_reply_member(oi_json_root(json), "data", OI_JSON_ARRAY, &list, &error),
                  OI_E_UPSTREAM);
    assert_status(oi_reply_member(NULL, "data", OI_JSON_ARRAY, &list, &error), OI_E_UPSTREAM);
}

static enum oi_status
read_odd(const struct oi_reply_walk *walk, const struct oi_json_node *row, struct oi_error *error)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    if (oi_slice_is(oi_reply_text(row, "s"), "SPOT"))
        return oi_fail(error, OI_E_NOT_FOUND, "none of ours");
    OI_TRY(oi_reply_amount(row, "oi", &reading.open_interest, error));
    return oi_harvest_add(walk->harvest, oi_reply_text(row, "s"), &reading, error);
}

static void
a_bad_row_costs_that_row_alone(void **)
{
    OI_CLEANUP(oi_json_close)
    struct oi_json *json = opened("[{\"s\":\"A\",\"oi\":1},{\"s\":\"B\"},7,{\"s\":\"SPOT\"},"
                                  "{\"s\":\"C\",\"oi\":\"2\"}]");
    OI_CLEANUP(oi_harvest_release) struct oi_harvest harvest = {};
    const struct oi_task task = { .symbol = "T" };
    const struct oi_reply_walk walk = {
        .task = &task, .harvest = &harvest, .symbol_name = "s", .read_row = read_odd
    };

    oi_reply_walk(&walk, oi_json_root(json));
    assert_int_equal(harvest.rows.count, 2);
    assert_string_equal(harvest.rows.items[1].symbol, "C");
    assert_int_equal(harvest.skips.count, 2);
    assert_string_equal(harvest.skips.items[0].symbol, "B");
    assert_string_equal(harvest.skips.items[0].reason, "oi: none given");
    assert_string_equal(harvest.skips.items[1].symbol, "");
}

static const struct oi_history_window window = { .width_ns = 10 * OI_MINUTE,
                                                 .keeps_ns = OI_HOUR,
                                                 .period_ns = OI_MINUTE };

static void
windows_cover_a_span_without_gap_or_overlap(void **)
{
    OI_CLEANUP(oi_harvest_release) struct oi_harvest harvest = {};
    const oi_time now = 1'790'000'000 * OI_SECOND;
    struct oi_task task = { .span = { now - 25 * OI_MINUTE, now }, .now = now };
    oi_time reached = task.span.from;
    size_t pages = 0;

    do {
        struct oi_span span;

        assert_ok(oi_reply_window(&window, &task, &span, NULL));
        assert_true(span.from == reached && span.to > span.from);
        assert_true(span.to - span.from <= window.width_ns);
        reached = span.to;
        oi_reply_window_next(&window, &task, &harvest);
        task.page = harvest.next_page;
        pages++;
    } while (task.page);
    assert_true(reached == now);
    assert_int_equal(pages, 3);
}

static void
a_window_never_starts_before_what_the_exchange_keeps(void **)
{
    const oi_time now = 1'790'000'000 * OI_SECOND;
    struct oi_task task = { .span = OI_SPAN_ALL, .now = now };
    struct oi_span span;

    assert_ok(oi_reply_window(&window, &task, &span, NULL));
    assert_true(span.from == now - OI_HOUR);
    task.span.to = now - 2 * OI_HOUR;
    assert_status(oi_reply_window(&window, &task, &span, NULL), OI_E_NOT_FOUND);
}

static void
an_open_span_ends_where_the_present_does(void **)
{
    OI_CLEANUP(oi_harvest_release) struct oi_harvest harvest = {};
    const oi_time now = 1'790'000'000 * OI_SECOND;
    const struct oi_task task = { .span = { now - OI_MINUTE, OI_TIME_LATEST }, .now = now };

    oi_reply_window_next(&window, &task, &harvest);
    assert_null(harvest.next_page);
}

static void
a_page_of_somebody_else_is_refused(void **)
{
    const struct oi_task task = { .span = { 0, OI_TIME_LATEST }, .page = "lastid%3D1" };
    struct oi_span span;

    assert_status(oi_reply_window(&window, &task, &span, NULL), OI_E_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_numbers_and_strings_alike),
        cmocka_unit_test(keeps_all_forty_digits),
        cmocka_unit_test(absent_null_and_empty_all_mean_none),
        cmocka_unit_test(a_value_of_another_kind_is_no_decimal),
        cmocka_unit_test(open_interest_is_never_below_zero_and_may_be_zero),
        cmocka_unit_test(a_price_of_zero_is_none_and_a_value_of_zero_is_zero),
        cmocka_unit_test(reads_times_as_text_and_number_and_refuses_what_is_none),
        cmocka_unit_test(a_member_of_another_kind_is_upstream),
        cmocka_unit_test(a_bad_row_costs_that_row_alone),
        cmocka_unit_test(windows_cover_a_span_without_gap_or_overlap),
        cmocka_unit_test(a_window_never_starts_before_what_the_exchange_keeps),
        cmocka_unit_test(an_open_span_ends_where_the_present_does),
        cmocka_unit_test(a_page_of_somebody_else_is_refused),
    };
    return cmocka_run_group_tests_name("exchanges/reply", tests, NULL, NULL);
}
