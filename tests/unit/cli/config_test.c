/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config.h"

#include "support/test.h"
#include "support/test_folder.h"

#include <stdio.h>
#include <string.h>

static const struct oi_option table[] = {
    OI_OPTION_STORE,
    { .name = "listen", .argument = "HOST:PORT", .help = "where", .setting = "listen" },
    { .name = "key", .argument = "KEY", .help = "a key", .setting = "keys", .is_repeatable = true },
    { .name = "rule",
      .argument = "RULE",
      .help = "a rule",
      .setting = "rule",
      .is_repeatable = true,
      .is_line = true },
};

static bool
is_known(struct oi_slice setting)
{
    return oi_slice_is(setting, "data") || oi_slice_is(setting, "listen") ||
           oi_slice_is(setting, "keys") || oi_slice_is(setting, "config") ||
           oi_slice_is(setting, "rule") || oi_slice_is(setting, "other");
}

static char *no_environment[] = { NULL };
static const struct oi_config_source source = { no_environment, is_known };

static enum oi_status
parse(struct oi_options *options, const char *text, struct oi_error *error)
{
    return oi_config_parse(options, oi_slice_of(text), "oi.conf", is_known, error);
}

static void
write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct oi_options *
options_with(const char *flag, const char *value)
{
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    const char *arguments[] = { flag, value };

    assert_ok(oi_options_read_flags(options, 2, (char **) arguments, NULL));
    return options;
}

static void
reads_keys_values_comments_and_blank_lines(void **)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    const char *const *keys;

    assert_ok(parse(options,
                    "# a comment\n\n  listen =  [::1]:1 \r\nkeys=a, b\nother = 1\nkeys = c", NULL));
    assert_string_equal(oi_options_text(options, "listen"), "[::1]:1");
    assert_string_equal(oi_options_place(options, "listen"), "line 3 of oi.conf");
    assert_int_equal(oi_options_values(options, "key", &keys), 3);
    assert_string_equal(keys[2], "c");
}

static void
keeps_the_commas_of_a_line_and_tells_lines_apart(void **)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    const char *const *rules;

    assert_ok(parse(options, "rule = a x=1,2\nkeys = k, l\n\nrule = b\nrule =\n", NULL));
    assert_int_equal(oi_options_values(options, "rule", &rules), 2);
    assert_string_equal(rules[0], "a x=1,2");
    assert_string_equal(oi_options_value_place(options, "rule", 0), "line 1 of oi.conf");
    assert_string_equal(oi_options_value_place(options, "rule", 1), "line 4 of oi.conf");
    assert_string_equal(oi_options_value_place(options, "key", 1), "line 2 of oi.conf");
}

static void
takes_the_last_of_a_setting_given_twice(void **)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));

    assert_ok(parse(options, "listen = a\nlisten = b\n", NULL));
    assert_string_equal(oi_options_text(options, "listen"), "b");
}

static void
names_the_line_that_is_wrong(void **)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    struct oi_error error = {};

    assert_status(parse(options, "\nlisten\n", &error), OI_E_INVALID);
    assert_string_equal(error.message, "line 2 of oi.conf is not `key = value`");
    assert_status(parse(options, "lisen = 1\n", &error), OI_E_INVALID);
    assert_string_equal(error.message,
                        "line 1 of oi.conf: there is no setting \"lisen\"; `oi config` lists them");
    assert_status(parse(options, "listen = \n", &error), OI_E_INVALID);
    assert_string_equal(error.message, "line 1 of oi.conf has no value: give it HOST:PORT");
    assert_status(parse(options, "config = x\n", &error), OI_E_INVALID);
}

static void
refuses_a_file_that_is_no_text(void **)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    struct oi_error error = {};

    assert_status(
        oi_config_parse(options, OI_SLICE("listen = a\0b\n"), "oi.conf", is_known, &error),
        OI_E_INVALID);
    assert_string_equal(error.message, "oi.conf is not a text: it holds a zero byte");
}

static void
finds_the_file_in_the_data_folder(void **state)
{
    OI_CLEANUP(oi_options_free) struct oi_options *options = options_with("--data", *state);

    assert_ok(oi_config_load(options, &source, NULL)); /* none there: nothing to read */
    assert_null(oi_options_text(options, "listen"));
    write_file(*state, "oi.conf", "listen = here\n");
    assert_ok(oi_config_load(options, &source, NULL));
    assert_string_equal(oi_options_text(options, "listen"), "here");
}

static void
wants_a_file_that_was_named(void **state)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = options_with("--config", "/nowhere/oi.conf");
    struct oi_error error = {};

    assert_status(oi_config_load(options, &source, &error), OI_E_INVALID);
    assert_string_equal(error.message, "cannot read /nowhere/oi.conf: No such file or directory");
    (void) state;
}

static void
takes_the_file_from_the_environment(void **state)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    char variable[512];
    char *environment[] = { variable, (char *) "OI_KEYS=near", NULL };
    const struct oi_config_source named = { environment, is_known };
    const char *const *keys;

    (void) snprintf(variable, sizeof(variable), "OI_CONFIG=%s/other.conf", (char *) *state);
    write_file(*state, "other.conf", "listen = there\nkeys = far\n");
    assert_ok(oi_config_load(options, &named, NULL));
    assert_string_equal(oi_options_text(options, "listen"), "there");
    assert_int_equal(oi_options_values(options, "key", &keys), 1);
    assert_string_equal(keys[0], "near");
}

static void
reads_the_environment_alone_where_a_command_has_no_store(void **)
{
    static const struct oi_option listen = {
        .name = "listen", .argument = "HOST:PORT", .help = "where", .setting = "listen"
    };
    OI_CLEANUP(oi_options_free) struct oi_options *options = oi_options_new(&listen, 1);
    char *environment[] = { (char *) "OI_LISTEN=x", (char *) "OI_CONFIG=/nowhere", NULL };
    const struct oi_config_source bare = { environment, is_known };

    assert_ok(oi_config_load(options, &bare, NULL));
    assert_string_equal(oi_options_text(options, "listen"), "x");
}

#define IN_A_FOLDER(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_keys_values_comments_and_blank_lines),
        cmocka_unit_test(keeps_the_commas_of_a_line_and_tells_lines_apart),
        cmocka_unit_test(takes_the_last_of_a_setting_given_twice),
        cmocka_unit_test(names_the_line_that_is_wrong),
        cmocka_unit_test(refuses_a_file_that_is_no_text),
        IN_A_FOLDER(finds_the_file_in_the_data_folder),
        cmocka_unit_test(wants_a_file_that_was_named),
        IN_A_FOLDER(takes_the_file_from_the_environment),
        cmocka_unit_test(reads_the_environment_alone_where_a_command_has_no_store),
    };
    return cmocka_run_group_tests_name("cli/config", tests, NULL, NULL);
}
