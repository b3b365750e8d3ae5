/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include "base/buffer.h"
#include "support/test.h"

#include <string.h>

static const struct oi_option table[] = {
    OI_OPTION_STORE,
    { .name = "listen",
      .argument = "HOST:PORT",
      .help = "where to listen",
      .fallback = "127.0.0.1:8080",
      .setting = "listen" },
    { .name = "collect", .help = "serve alone", .fallback = "true", .setting = "collect" },
    { .name = "open", .help = "let all in", .setting = "open" },
    { .name = "key",
      .argument = "KEY",
      .help = "a key",
      .setting = "keys",
      .is_repeatable = true,
      .is_secret = true },
    { .name = "start", .argument = "TIME", .help = "from" },
    { .name = "interval", .argument = "WIDTH", .help = "wide" },
    { .name = "limit", .argument = "COUNT", .help = "at most" },
    { .name = "format", .argument = "FORMAT", .help = "as", .fallback = "table" },
};

static const char *const words[] = { "table", "csv", "json", NULL };

static int
setup(void **state)
{
    *state = oi_options_new(table, OI_COUNT(table));
    return 0;
}

static int
teardown(void **state)
{
    struct oi_options *options = *state;

    oi_options_free(&options);
    return 0;
}

#define FLAGS(options, error, ...)                                                                 \
    oi_options_read_flags((options), (int) OI_COUNT(((const char *[]){ __VA_ARGS__ })),            \
                          (char **) (const char *[]){ __VA_ARGS__ }, (error))
#define SET(options, setting, value, origin)                                                       \
    oi_options_set((options), OI_SLICE(setting), OI_SLICE(value), (origin), "here", NULL)

static void
starts_from_the_defaults(void **state)
{
    const char *const *values;

    assert_string_equal(oi_options_text(*state, "data"), "data");
    assert_string_equal(oi_options_place(*state, "data"), "default");
    assert_true(oi_options_switch(*state, "collect"));
    assert_false(oi_options_switch(*state, "open"));
    assert_null(oi_options_text(*state, "config"));
    assert_int_equal(oi_options_values(*state, "key", &values), 0);
}

static void
reads_values_behind_a_blank_or_an_equals_sign(void **state)
{
    assert_ok(FLAGS(*state, NULL, "--data", "/a", "--listen=1:2=3", "--open", "--no-collect"));
    assert_string_equal(oi_options_text(*state, "data"), "/a");
    assert_string_equal(oi_options_place(*state, "data"), "--data");
    assert_string_equal(oi_options_text(*state, "listen"), "1:2=3");
    assert_true(oi_options_switch(*state, "open"));
    assert_false(oi_options_switch(*state, "collect"));
}

static void
mixes_options_and_operands(void **state)
{
    const char *const *operands;

    assert_ok(FLAGS(*state, NULL, "one", "--data", "/a", "-", "--", "--open", "-h"));
    assert_int_equal(oi_options_operands(*state, &operands), 4);
    assert_string_equal(operands[0], "one");
    assert_string_equal(operands[1], "-");
    assert_string_equal(operands[2], "--open");
    assert_string_equal(operands[3], "-h");
    assert_false(oi_options_switch(*state, "open"));
    assert_false(oi_options_wants_help(*state));
}

static void
hears_a_call_for_help(void **state)
{
    assert_ok(FLAGS(*state, NULL, "--data", "/a", "-h"));
    assert_true(oi_options_wants_help(*state));
}

static void
refused(void **state, const char *message, enum oi_status status, const struct oi_error *error)
{
    (void) state;
    assert_status(status, OI_E_INVALID);
    assert_string_equal(error->message, message);
}

static void
refuses_flags_that_do_not_fit(void **state)
{
    struct oi_error error = {};

    refused(state, "there is no option --nonsense", FLAGS(*state, &error, "--nonsense"), &error);
    refused(state, "there is no option -x", FLAGS(*state, &error, "-x"), &error);
    refused(state, "there is no option --no-data", FLAGS(*state, &error, "--no-data"), &error);
    refused(state, "--data has no value: give it DIR", FLAGS(*state, &error, "--data"), &error);
    refused(state, "--data has no value: give it DIR", FLAGS(*state, &error, "--data="), &error);
    refused(state, "--open takes no value", FLAGS(*state, &error, "--open=true"), &error);
}

static void
refuses_one_value_given_twice(void **state)
{
    struct oi_error error = {};

    refused(state, "--listen is given twice", FLAGS(*state, &error, "--listen=a", "--listen=b"),
            &error);
}

static void
gathers_values_of_a_repeatable_option(void **state)
{
    const char *const *values;

    assert_ok(SET(*state, "keys", "x, y,, z ", OI_ORIGIN_FILE));
    assert_int_equal(oi_options_values(*state, "key", &values), 3);
    assert_string_equal(values[0], "x");
    assert_string_equal(values[2], "z");
    assert_ok(FLAGS(*state, NULL, "--key", "a,b", "--key", "c"));
    assert_int_equal(oi_options_values(*state, "key", &values), 2);
    assert_string_equal(values[0], "a,b");
    assert_string_equal(values[1], "c");
}

static void
lets_the_nearer_origin_win_whatever_the_order(void **state)
{
    assert_ok(FLAGS(*state, NULL, "--listen", "flag"));
    assert_ok(SET(*state, "listen", "environment", OI_ORIGIN_ENVIRONMENT));
    assert_ok(SET(*state, "listen", "file", OI_ORIGIN_FILE));
    assert_string_equal(oi_options_text(*state, "listen"), "flag");
    assert_ok(SET(*state, "data", "file", OI_ORIGIN_FILE));
    assert_ok(SET(*state, "data", "environment", OI_ORIGIN_ENVIRONMENT));
    assert_ok(SET(*state, "data", "file again", OI_ORIGIN_FILE));
    assert_string_equal(oi_options_text(*state, "data"), "environment");
    assert_int_equal(oi_options_origin(*state, "data"), OI_ORIGIN_ENVIRONMENT);
}

static void
reads_its_own_variables_and_no_others(void **state)
{
    char *environment[] = { (char *) "OI_LISTEN=[::1]:1", (char *) "OI_KEYS=a,b",
                            (char *) "OI_TEST_DATA=/x",   (char *) "OI_START=2026-01-01",
                            (char *) "LISTEN=no",         (char *) "OI_",
                            (char *) "OI_COLLECT=0",      NULL };
    const char *const *values;

    assert_ok(oi_options_read_environment(*state, environment, NULL));
    assert_string_equal(oi_options_text(*state, "listen"), "[::1]:1");
    assert_string_equal(oi_options_place(*state, "listen"), "OI_LISTEN");
    assert_int_equal(oi_options_values(*state, "key", &values), 2);
    assert_false(oi_options_switch(*state, "collect"));
    assert_null(oi_options_text(*state, "start")); /* a flag only */
}

static void
names_the_variable_that_is_wrong(void **state)
{
    char *environment[] = { (char *) "OI_COLLECT=maybe", NULL };
    struct oi_error error = {};

    refused(state, "OI_COLLECT must be true or false, not \"maybe\"",
            oi_options_read_environment(*state, environment, &error), &error);
}

static void
does_not_know_a_setting_of_others(void **state)
{
    assert_status(SET(*state, "nonsense", "1", OI_ORIGIN_FILE), OI_E_NOT_FOUND);
}

static void
reads_numbers_in_their_range(void **state)
{
    const struct oi_range range = { 1, 100 };
    struct oi_error error = {};
    int64_t value = 7;

    assert_ok(oi_options_integer(*state, "limit", range, &value, NULL));
    assert_int_equal(value, 7);
    assert_ok(FLAGS(*state, NULL, "--limit", "100"));
    assert_ok(oi_options_integer(*state, "limit", range, &value, NULL));
    assert_int_equal(value, 100);
    refused(state, "--limit must be a whole number from 1 to 99, not \"100\"",
            oi_options_integer(*state, "limit", (struct oi_range){ 1, 99 }, &value, &error),
            &error);
    assert_int_equal(value, 100);
}

static void
refuses_what_is_no_number(void **state)
{
    static const char *const texts[] = {
        "-1", "+1", "1.0", " 1", "1e3", "x", "99999999999999999999"
    };
    const struct oi_range range = { INT64_MIN, INT64_MAX };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        OI_CLEANUP(oi_options_free)
        struct oi_options *options = oi_options_new(table, OI_COUNT(table));
        int64_t value = 7;

        assert_ok(FLAGS(options, NULL, "--limit", texts[i]));
        assert_status(oi_options_integer(options, "limit", range, &value, NULL), OI_E_INVALID);
        assert_int_equal(value, 7);
    }
    (void) state;
}

static void
reads_times_intervals_and_words(void **state)
{
    oi_time time = OI_TIME_NONE;
    int64_t interval = 0;
    size_t index = 9;

    assert_ok(FLAGS(*state, NULL, "--start", "1970-01-02", "--interval=5m", "--format", "json"));
    assert_ok(oi_options_time(*state, "start", &time, NULL));
    assert_true(time == OI_DAY);
    assert_ok(oi_options_interval(*state, "interval", &interval, NULL));
    assert_true(interval == 5 * OI_MINUTE);
    assert_ok(oi_options_word(*state, "format", words, &index, NULL));
    assert_int_equal(index, 2);
}

static void
says_what_a_value_must_be_and_where_it_stands(void **state)
{
    struct oi_error error = {};
    oi_time time;
    size_t index;

    assert_ok(FLAGS(*state, NULL, "--start", "noon", "--format", "xml"));
    refused(state, "--format must be table, csv or json, not \"xml\"",
            oi_options_word(*state, "format", words, &index, &error), &error);
    refused(state, "--start must be an ISO 8601 time such as 2026-03-07T00:00:00Z, not \"noon\"",
            oi_options_time(*state, "start", &time, &error), &error);
    assert_ok(SET(*state, "listen", "x", OI_ORIGIN_FILE));
    refused(state, "listen (here) must be an address, not \"x\"",
            oi_options_refuse(*state, "listen", "an address", &error), &error);
}

static void
describes_every_option(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_options_describe(table, OI_COUNT(table), &out);
    oi_buffer_add_char(&out, '\0');
    for (size_t i = 0; i < OI_COUNT(table); i++)
        assert_non_null(strstr(out.data, table[i].help));
    assert_non_null(strstr(out.data, "  --listen HOST:PORT          where to listen (default "
                                     "127.0.0.1:8080)\n"));
    assert_non_null(strstr(out.data, "--no-collect"));
    assert_non_null(strstr(out.data, "--key KEY                   a key; may be repeated"));
    assert_non_null(strstr(out.data, "--help"));
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(starts_from_the_defaults),
        PROMISE(reads_values_behind_a_blank_or_an_equals_sign),
        PROMISE(mixes_options_and_operands),
        PROMISE(hears_a_call_for_help),
        PROMISE(refuses_flags_that_do_not_fit),
        PROMISE(refuses_one_value_given_twice),
        PROMISE(gathers_values_of_a_repeatable_option),
        PROMISE(lets_the_nearer_origin_win_whatever_the_order),
        PROMISE(reads_its_own_variables_and_no_others),
        PROMISE(names_the_variable_that_is_wrong),
        PROMISE(does_not_know_a_setting_of_others),
        PROMISE(reads_numbers_in_their_range),
        PROMISE(refuses_what_is_no_number),
        PROMISE(reads_times_intervals_and_words),
        PROMISE(says_what_a_value_must_be_and_where_it_stands),
        PROMISE(describes_every_option),
    };
    return cmocka_run_group_tests_name("cli/options", tests, NULL, NULL);
}
