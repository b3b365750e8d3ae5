/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/compiler.h"
#include "support/test.h"

#include <string.h>

static void
knows_its_commands_by_name(void **)
{
    for (size_t i = 0; oi_commands[i]; i++) {
        assert_ptr_equal(oi_command_find(oi_commands[i]->name), oi_commands[i]);
        assert_non_null(oi_commands[i]->run);
        assert_true(oi_commands[i]->summary[0] != '\0');
    }
    assert_null(oi_command_find("nonsense"));
    assert_null(oi_command_find(""));
}

static void
guesses_what_was_meant(void **)
{
    assert_string_equal(oi_command_suggest("srve")->name, "serve");
    assert_string_equal(oi_command_suggest("market")->name, "markets");
    assert_string_equal(oi_command_suggest("verfiy")->name, "verify");
    assert_null(oi_command_suggest("nonsense"));
    assert_null(oi_command_suggest(""));
    assert_null(oi_command_suggest("a word that is longer than any command could ever be"));
}

static void
knows_the_settings_of_all_commands(void **)
{
    assert_true(oi_command_reads_setting(OI_SLICE("listen")));
    assert_true(oi_command_reads_setting(OI_SLICE("keys")));
    assert_false(oi_command_reads_setting(OI_SLICE("key")));
    assert_false(oi_command_reads_setting(OI_SLICE("")));
}

/* One file serves all commands, so a setting means the same to each. */
static void
means_one_thing_by_one_setting(void **)
{
    for (size_t i = 0; oi_commands[i]; i++)
        for (size_t k = 0; k < oi_commands[i]->option_count; k++)
            for (size_t n = 0; oi_commands[n]; n++)
                for (size_t m = 0; m < oi_commands[n]->option_count; m++) {
                    const struct oi_option *a = &oi_commands[i]->options[k];
                    const struct oi_option *b = &oi_commands[n]->options[m];

                    if (!a->setting || !b->setting || strcmp(a->setting, b->setting) != 0)
                        continue;
                    assert_string_equal(a->name, b->name);
                    assert_int_equal(a->is_repeatable, b->is_repeatable);
                    assert_int_equal(!a->argument, !b->argument);
                    assert_int_equal(a->is_secret, b->is_secret);
                }
}

static int
call(const char *argument)
{
    const char *arguments[] = { "oi", argument, NULL };
    char *environment[] = { NULL };

    return oi_command_main(argument ? 2 : 1, (char **) arguments, environment);
}

static void
exits_by_the_outcome(void **)
{
    assert_int_equal(call("--version"), 0);
    assert_int_equal(call("--help"), 0);
    assert_int_equal(call("nonsense"), 2);
    assert_int_equal(call("backup"), 2);
    assert_int_equal(call(NULL), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_commands_by_name),
        cmocka_unit_test(guesses_what_was_meant),
        cmocka_unit_test(knows_the_settings_of_all_commands),
        cmocka_unit_test(means_one_thing_by_one_setting),
        cmocka_unit_test(exits_by_the_outcome),
    };
    return cmocka_run_group_tests_name("cli/commands", tests, NULL, NULL);
}
