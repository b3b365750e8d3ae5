/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completion.h"

#include "base/compiler.h"
#include "cli/command.h"
#include "support/test.h"

#include <string.h>

static const char *
script(size_t shell, struct oi_buffer *out)
{
    oi_completion_write(shell, out);
    oi_buffer_add_char(out, '\0');
    return (const char *) out->data;
}

static void
names_every_command_and_option_in_every_shell(void **)
{
    for (size_t shell = 0; oi_completion_shells[shell]; shell++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        const char *text = script(shell, &out);

        for (size_t i = 0; oi_commands[i]; i++) {
            assert_non_null(strstr(text, oi_commands[i]->name));
            for (size_t k = 0; k < oi_commands[i]->option_count; k++)
                assert_non_null(strstr(text, oi_commands[i]->options[k].name));
        }
    }
}

static void
offers_words_files_and_folders_where_they_follow(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer bash = {}, zsh = {}, fish = {};
    const char *text = script(0, &bash);

    assert_non_null(strstr(text, "'query --format') mapfile -t COMPREPLY < <(compgen -W "
                                 "'table csv json ndjson parquet' -- \"$word\") ;;"));
    assert_non_null(strstr(text, "'query --data') mapfile -t COMPREPLY < <(compgen -d"));
    assert_non_null(strstr(text, "'query --limit') ;;"));
    text = script(1, &zsh);
    assert_non_null(strstr(text, "'--unit=[coins, contracts, usd or reported]:UNIT:"
                                 "(coins contracts usd reported)' \\"));
    text = script(2, &fish);
    assert_non_null(strstr(text, "-l format -x -a 'table csv json ndjson parquet'"));
}

static void
turns_off_what_is_on(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    assert_non_null(strstr(script(0, &out), "--no-collect"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_command_and_option_in_every_shell),
        cmocka_unit_test(offers_words_files_and_folders_where_they_follow),
        cmocka_unit_test(turns_off_what_is_on),
    };

    return cmocka_run_group_tests_name("cli/completion", tests, NULL, NULL);
}
