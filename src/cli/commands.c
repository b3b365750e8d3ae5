/* SPDX-License-Identifier: Apache-2.0 */
/* From the words on the command line to a command and its exit status. */
#include "cli/command.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "cli/config.h"
#include "cli/printer.h"

#include <stdio.h>
#include <string.h>

#define EXIT_FINE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_DAMAGED 3

#define OI_COMMAND(name) &oi_command_##name,
const struct oi_command *const oi_commands[] = {
#include "cli/commands.def"
    NULL,
};
#undef OI_COMMAND

const struct oi_command *
oi_command_find(const char *name)
{
    for (size_t i = 0; oi_commands[i]; i++)
        if (strcmp(oi_commands[i]->name, name) == 0)
            return oi_commands[i];
    return NULL;
}

/* How many letters must be put in, taken out or changed to make one of the other. Longer words
 * than any command's are far. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[32], a_size = strlen(a), b_size = strlen(b);

    if (a_size >= OI_COUNT(row) || b_size >= OI_COUNT(row))
        return SIZE_MAX;
    for (size_t i = 0; i <= b_size; i++)
        row[i] = i;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= b_size; k++) {
            size_t changed = diagonal + (a[i - 1] != b[k - 1]);
            size_t added = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;

            diagonal = row[k];
            row[k] = changed < added ? changed : added;
        }
    }
    return row[b_size];
}

const struct oi_command *
oi_command_suggest(const char *typed)
{
    const struct oi_command *nearest = NULL;
    size_t least = 3; /* two slips still sound like the word */

    for (size_t i = 0; oi_commands[i]; i++) {
        size_t found = distance(typed, oi_commands[i]->name);

        if (found >= least || found >= strlen(oi_commands[i]->name))
            continue;
        least = found;
        nearest = oi_commands[i];
    }
    return nearest;
}

bool
oi_command_reads_setting(struct oi_slice setting)
{
    for (size_t i = 0; oi_commands[i]; i++)
        for (size_t k = 0; k < oi_commands[i]->option_count; k++) {
            const char *known = oi_commands[i]->options[k].setting;

            if (known && oi_slice_is(setting, known))
                return true;
        }
    return false;
}

static int
print(struct oi_buffer *text, FILE *file)
{
    bool is_fine = fwrite(text->data, 1, text->size, file) == text->size && fflush(file) == 0;

    oi_buffer_release(text);
    return is_fine ? EXIT_FINE : EXIT_FAILED;
}

static int
print_help(FILE *file)
{
    struct oi_buffer text = {};

    oi_buffer_add_text(&text, "oi collects, keeps and serves open interest.\n\n"
                              "Usage: oi COMMAND [OPTION ...]\n\nCommands:\n");
    for (size_t i = 0; oi_commands[i]; i++)
        oi_buffer_add_format(&text, "  %-12s  %s\n", oi_commands[i]->name, oi_commands[i]->summary);
    oi_buffer_add_text(&text,
                       "\n`oi COMMAND --help` says more. Settings come from flags, then OI_* "
                       "in the environment,\nthen oi.conf in the data folder; `oi config` "
                       "prints them.\n");
    return print(&text, file);
}

static int
print_command_help(const struct oi_command *command)
{
    struct oi_buffer text = {};

    oi_buffer_add_format(&text, "Usage: oi %s [OPTION ...]%s%s\n\n%s.\n", command->name,
                         command->operands ? " " : "", command->operands ? command->operands : "",
                         command->summary);
    if (command->description)
        oi_buffer_add_format(&text, "\n%s\n", command->description);
    oi_buffer_add_text(&text, "\nOptions:\n");
    oi_options_describe(command->options, command->option_count, &text);
    return print(&text, stdout);
}

static enum oi_status
check_operands(const struct oi_command *command, const struct oi_options *options,
               struct oi_error *error)
{
    const char *const *operands;
    size_t count = oi_options_operands(options, &operands);

    if (count < command->operands_min)
        return oi_fail(error, OI_E_INVALID, "%s is missing", command->operands);
    if (count > command->operands_max)
        return oi_fail(error, OI_E_INVALID, "\"%s\" is one too many",
                       operands[command->operands_max]);
    return OI_OK;
}

static int
finish(const struct oi_command *command, enum oi_status status, const struct oi_error *error)
{
    if (status == OI_OK || (status == OI_E_CANCELLED && !error->message[0]))
        return EXIT_FINE;
    (void) fprintf(stderr, "oi %s: %s\n", command->name,
                   error->message[0] ? error->message : oi_status_text(status));
    if (status == OI_E_CORRUPT && command->answers_in_part)
        return EXIT_DAMAGED;
    return status == OI_E_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

static int
run_command(const struct oi_command *command, int count, char **arguments, char **environment)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(command->options, command->option_count);
    const struct oi_config_source source = { environment, oi_command_reads_setting };
    struct oi_error error = {};
    enum oi_status status = oi_options_read_flags(options, count, arguments, &error);

    if (status == OI_OK && oi_options_wants_help(options))
        return print_command_help(command);
    if (status == OI_OK)
        status = check_operands(command, options, &error);
    if (status != OI_OK) {
        (void) fprintf(stderr, "oi %s: %s: see `oi %s --help`\n", command->name, error.message,
                       command->name);
        return EXIT_USAGE;
    }
    if (!command->loads_settings)
        status = oi_config_load(options, &source, &error);
    if (status == OI_OK)
        status = command->run(options, &error);
    return finish(command, status, &error);
}

int
oi_command_main(int argc, char **argv, char **environment)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct oi_command *command;

    if (!name) {
        (void) print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0)
        return printf("oi %s\n", OI_VERSION) > 0 && fflush(stdout) == 0 ? EXIT_FINE : EXIT_FAILED;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2))
        return print_help(stdout);
    if (strcmp(name, "help") == 0)
        name = argv[2];
    command = oi_command_find(name);
    if (command && name == argv[1])
        return run_command(command, argc - 2, argv + 2, environment);
    if (command)
        return print_command_help(command);
    command = oi_command_suggest(name);
    if (command)
        (void) fprintf(stderr, "oi: there is no command \"%s\": did you mean `oi %s`?\n", name,
                       command->name);
    else
        (void) fprintf(stderr, "oi: there is no command \"%s\": `oi --help` lists them\n", name);
    return EXIT_USAGE;
}
