/* SPDX-License-Identifier: Apache-2.0 */
/* The completion script of a shell. */
/* no unit test: a whole command; tests/system/manual.test.mjs runs it in the shells */
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/printer.h"

#include <string.h>

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    const char *const *operands;
    size_t shell = 0;

    (void) oi_options_operands(options, &operands);
    while (oi_completion_shells[shell] && strcmp(oi_completion_shells[shell], operands[0]) != 0)
        shell++;
    if (!oi_completion_shells[shell])
        return oi_fail(error, OI_E_INVALID, "SHELL must be bash, zsh or fish, not \"%s\"",
                       operands[0]);
    OI_TRY(oi_printer_open(NULL, &printer, error));
    oi_completion_write(shell, oi_printer_buffer(printer));
    return oi_printer_finish(printer, error);
}

const struct oi_command oi_command_completions = {
    .name = "completions",
    .summary = "Print what completes commands and options in bash, zsh or fish",
    .operands = "SHELL",
    .operands_min = 1,
    .operands_max = 1,
    .description = "bash:  oi completions bash >/etc/bash_completion.d/oi\n"
                   "zsh:   oi completions zsh >\"${fpath[1]}/_oi\"\n"
                   "fish:  oi completions fish >~/.config/fish/completions/oi.fish",
    .run = run,
};
