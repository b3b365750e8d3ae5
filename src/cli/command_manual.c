/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages: one to stdout, or all of them into a folder. */
/* no unit test: a whole command; tests/system/manual.test.mjs runs it */
#include "base/alloc.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "cli/printer.h"

static const struct oi_option options_table[] = {
    { .name = "into",
      .argument = "DIR",
      .help = "write every page there, as oi.1, oi-serve.1, ..." },
};

static enum oi_status
write_page(const char *path, const struct oi_command *command, struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;

    OI_TRY(oi_printer_open(path, &printer, error));
    if (command)
        oi_manual_command(command, oi_printer_buffer(printer));
    else
        oi_manual_overview(oi_printer_buffer(printer));
    return oi_printer_finish(printer, error);
}

static enum oi_status
write_all(const char *folder, struct oi_error *error)
{
    OI_CLEANUP(oi_arena_release) struct oi_arena arena = {};

    OI_TRY(write_page(oi_arena_format(&arena, "%s/oi.1", folder), NULL, error));
    for (size_t i = 0; oi_commands[i]; i++)
        OI_TRY(write_page(oi_arena_format(&arena, "%s/oi-%s.1", folder, oi_commands[i]->name),
                          oi_commands[i], error));
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *const *operands, *folder = oi_options_text(options, "into");
    size_t count = oi_options_operands(options, &operands);
    const struct oi_command *command = count > 0 ? oi_command_find(operands[0]) : NULL;

    if (count > 0 && !command)
        return oi_fail(error, OI_E_INVALID, "there is no command \"%s\"", operands[0]);
    if (folder && command)
        return oi_fail(error, OI_E_INVALID, "--into writes every page: name no command");
    return folder ? write_all(folder, error) : write_page(NULL, command, error);
}

const struct oi_command oi_command_manual = {
    .name = "manual",
    .summary = "Print the manual page of a command, or of oi",
    .operands = "[COMMAND]",
    .operands_max = 1,
    .description = "In roff, for man: oi manual serve | man -l -",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
