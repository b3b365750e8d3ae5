/* SPDX-License-Identifier: Apache-2.0 */
/* The readers and writers that the dialects share. */
#include "dialects/text.h"

#include "base/random.h"

#include "support/test_dialect.h"

static void
integer_is(const char *text, bool is_good, int64_t expected)
{
    int64_t value = 77;

    assert_int_equal(oi_text_integer(oi_slice_of(text), &value), is_good);
    assert_true(value == (is_good ? expected : 77));
}

static void
reads_whole_numbers_that_fit(void **)
{
    integer_is("0", true, 0);
    integer_is("-12", true, -12);
    integer_is("9223372036854775807", true, INT64_MAX);
    integer_is("-9223372036854775808", true, INT64_MIN);
    integer_is("9223372036854775808", false, 0);
    integer_is("", false, 0);
    integer_is("-", false, 0);
    integer_is("+1", false, 0);
    integer_is("1.0", false, 0);
    integer_is(" 1", false, 0);
}

static void
remembers_the_day_and_writes_the_same_times(void **)
{
    struct oi_time_writer writer = {};
    struct oi_random random;
    uint64_t seed = 20'260'607;
    oi_time time = test_time("1899-12-31T23:59:59.999999999Z");

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int i = 0; i < 10'000; i++) {
        static const int digits[] = { 0, 3, 6, 9 };
        struct oi_buffer fast = {}, plain = {};

        oi_text_add_time(&writer, time, digits[i % 4], &fast);
        oi_time_write(time, digits[i % 4], &plain);
        assert_true(oi_slice_equal(oi_buffer_slice(&fast), oi_buffer_slice(&plain)));
        oi_buffer_release(&fast);
        oi_buffer_release(&plain);
        if (i % 100 == 0)
            time = (oi_time) (oi_random_next(&random) >> 1) - INT64_MAX / 2;
        else
            time += (int64_t) oi_random_below(&random, 3 * (uint64_t) OI_HOUR);
    }
}

/* Of `digits` of a fraction, or as few as it needs. */
static void
assert_times(struct oi_time_writer *writer, const oi_time *times, size_t count, int digits)
{
    char texts[OI_SLOT_COUNT][OI_SLOT_ROOM];
    uint8_t sizes[OI_SLOT_COUNT];
    const struct oi_slots slots = { texts[0], sizeof(texts[0]), sizes, ',' };

    oi_text_put_times(writer, times, count, digits, &slots);
    for (size_t i = 0; i < count; i++) {
        struct oi_buffer plain = {};

        if (times[i] == OI_TIME_NONE) {
            assert_int_equal(sizes[i], OI_SLOT_NONE);
            continue;
        }
        oi_time_write(times[i], digits < 0 ? oi_time_fraction_digits(times[i]) : digits, &plain);
        oi_buffer_add_char(&plain, ',');
        assert_int_equal(sizes[i], plain.size);
        assert_memory_equal(texts[i], plain.data, plain.size);
        oi_buffer_release(&plain);
    }
}

static void
writes_many_times_as_one_by_one(void **)
{
    static const int64_t steps[] = { 1, 1'000, 1'000'000, OI_SECOND, OI_HOUR };
    struct oi_time_writer writer = {};
    struct oi_random random;
    oi_time time = test_time("1899-12-31T23:59:58.999999999Z");

    oi_random_init(&random, 11);
    for (int round = 0; round < 600; round++) {
        oi_time times[OI_SLOT_COUNT];
        size_t count = oi_random_below(&random, OI_SLOT_COUNT + 1);

        if (round % 20 == 0)
            time = (oi_time) (oi_random_next(&random) >> 1) - INT64_MAX / 2;
        if (round % 3 == 0)
            time -= time % OI_SECOND;
        for (size_t i = 0; i < count; i++) {
            time += steps[oi_random_below(&random, 5)] * (int64_t) oi_random_below(&random, 90);
            times[i] = oi_random_below(&random, 9) == 0 ? OI_TIME_NONE : time;
        }
        assert_times(&writer, times, count, round % 5 == 4 ? OI_TIME_SHORT : round % 5 * 3);
    }
}

/* Of one day and one fineness, up to the last nanosecond of a second and of the day. */
static void
writes_many_alike_times_as_one_by_one(void **)
{
    static const int64_t steps[] = { 1, 1'000, 1'000'000, OI_SECOND };
    static const int digits[] = { OI_TIME_SHORT, 0, 3, 6, 9 };
    struct oi_time_writer writer = {};
    struct oi_random random;

    oi_random_init(&random, 12);
    for (unsigned round = 0; round < 1200; round++) {
        oi_time day = ((oi_time) oi_random_below(&random, 60'000) - 20'000) * OI_DAY;
        oi_time times[OI_SLOT_COUNT];
        int64_t step = steps[round % 4];
        size_t count = round % 3 > 0 ? OI_SLOT_COUNT : 1 + oi_random_below(&random, OI_SLOT_COUNT);

        for (size_t i = 0; i < count; i++) {
            int64_t second = (int64_t) oi_random_below(&random, OI_DAY / OI_SECOND) * OI_SECOND;
            uint64_t form = oi_random_below(&random, 4);

            times[i] = form == 0   ? day + second
                       : form == 1 ? day + second + OI_SECOND - step
                       : form == 2
                           ? day + OI_DAY - step
                           : day + second / step * step +
                                 (int64_t) oi_random_below(&random, OI_SECOND) / step * step;
        }
        if (round % 7 == 0)
            times[count - 1] = round % 2 == 0 ? OI_TIME_NONE : day - 1;
        assert_times(&writer, times, count, digits[round % 5]);
    }
}

static void
writes_every_form_of_decimal_in_a_column(void **)
{
    const struct oi_decimal wide = test_decimal("123456789012345678901234567890.5");
    const int64_t mantissas[] = { 15, 7, 0, 120 };
    const int8_t exponents[] = { -1, OI_EXPONENT_NONE, OI_EXPONENT_WIDE, 2 };
    const struct oi_decimals mixed = { mantissas, exponents, &wide, 0 };
    const struct oi_decimals plain = { .mantissas = mantissas, .exponent = -2 };
    const struct oi_decimals absent = {};
    struct oi_buffer out = {};

    assert_true(oi_text_add_decimal(&mixed, 0, &out));
    OI_ADD(&out, " ");
    assert_false(oi_text_add_decimal(&mixed, 1, &out));
    assert_true(oi_text_add_decimal(&mixed, 2, &out));
    OI_ADD(&out, " ");
    assert_true(oi_text_add_decimal(&mixed, 3, &out));
    OI_ADD(&out, " ");
    assert_true(oi_text_add_decimal(&plain, 3, &out)); /* 120 x 10^-2, stripped */
    assert_false(oi_text_add_decimal(&absent, 0, &out));
    assert_true(
        oi_slice_is(oi_buffer_slice(&out), "1.5 123456789012345678901234567890.5 12000 1.2"));
    oi_buffer_release(&out);
}

static void
refuses_a_broken_or_endless_value(void **)
{
    static const struct oi_parameter parameters[] = { { "a", 0 } };
    struct oi_http_request request = {};
    struct oi_problem problem;
    char *large = oi_alloc_zero(OI_PARAMETER_SIZE_MAX + 2, 1);

    oi_vector_push(&request.query, ((struct oi_http_field){ OI_SLICE("a"), OI_SLICE("x\xff") }));
    assert_status(OI_TEXT_PARAMETERS(&request, parameters, &problem), OI_E_INVALID);
    assert_string_equal(problem.value, "x?");
    memset(large, 'x', OI_PARAMETER_SIZE_MAX + 1);
    request.query.items[0].value = oi_slice_of(large);
    assert_status(OI_TEXT_PARAMETERS(&request, parameters, &problem), OI_E_INVALID);
    assert_int_equal(problem.kind, OI_PROBLEM_PARAMETER);
    request.query.items[0].value.size--;
    assert_ok(OI_TEXT_PARAMETERS(&request, parameters, &problem));
    oi_free(large);
    oi_http_request_release(&request);
}

static void
repeats_a_query_without_one_parameter(void **)
{
    struct oi_http_request request = {};
    struct oi_buffer out = {};

    assert_ok(oi_http_parse_target(OI_SLICE("/x?a=1%2C2&skip=3&b=%2A&skip=4"), &request, NULL));
    oi_text_add_query(&request, "skip", &out);
    assert_true(oi_slice_is(oi_buffer_slice(&out), "?a=1%2C2&b=%2A"));
    oi_buffer_release(&out);
    oi_http_request_release(&request);
}

static void
reads_flags_and_words(void **)
{
    static const struct oi_word words[] = { { "one", 1 }, { "two", 2 } };
    struct oi_http_request request = {};
    struct oi_problem problem;
    bool flag = false;
    int64_t word = 0;

    assert_ok(oi_http_parse_target(OI_SLICE("/x?a=TRUE&b=maybe&w=two&v=Two"), &request, NULL));
    assert_ok(oi_text_boolean(&request, "a", &flag, &problem));
    assert_true(flag);
    assert_ok(oi_text_boolean(&request, "absent", &flag, &problem));
    assert_true(flag);
    assert_status(oi_text_boolean(&request, "b", &flag, &problem), OI_E_INVALID);
    assert_ok(OI_TEXT_WORD(&request, "w", words, &word, &problem));
    assert_int_equal(word, 2);
    assert_status(OI_TEXT_WORD(&request, "v", words, &word, &problem), OI_E_INVALID);
    assert_string_equal(problem.message, "Must be one of one, two.");
    assert_string_equal(oi_word_of(words, OI_COUNT(words), 1), "one");
    assert_null(oi_word_of(words, OI_COUNT(words), 3));
    oi_http_request_release(&request);
}

static void
finds_a_key_in_either_header(void **)
{
    struct oi_http_request request = {};

    oi_http_add_header(&request, "X-API-Key", OI_SLICE("second"));
    assert_true(oi_slice_is(oi_text_key(&request), "second"));
    assert_int_equal(oi_text_bearer(&request).size, 0);
    oi_http_add_header(&request, "Authorization", OI_SLICE("bearer  first "));
    assert_true(oi_slice_is(oi_text_key(&request), "first"));
    oi_http_request_release(&request);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_numbers_that_fit),
        cmocka_unit_test(remembers_the_day_and_writes_the_same_times),
        cmocka_unit_test(writes_many_times_as_one_by_one),
        cmocka_unit_test(writes_many_alike_times_as_one_by_one),
        cmocka_unit_test(writes_every_form_of_decimal_in_a_column),
        cmocka_unit_test(refuses_a_broken_or_endless_value),
        cmocka_unit_test(repeats_a_query_without_one_parameter),
        cmocka_unit_test(reads_flags_and_words),
        cmocka_unit_test(finds_a_key_in_either_header),
    };
    return cmocka_run_group_tests_name("dialects/text", tests, NULL, NULL);
}
