/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the commands for each shell, in its own words. */
#include "cli/completion.h"

#include "base/alloc.h"
#include "cli/command.h"

#include <string.h>

const char *const oi_completion_shells[] = { "bash", "zsh", "fish", NULL };

/* What follows an option or a command. */
enum follows {
    FOLLOWS_NOTHING_KNOWN,
    FOLLOWS_WORDS,
    FOLLOWS_FILE,
    FOLLOWS_FOLDER,
};

static enum follows
follows_argument(const char *argument)
{
    if (strncmp(argument, "FILE", 4) == 0)
        return FOLLOWS_FILE;
    if (strncmp(argument, "DIR", 3) == 0 || strncmp(argument, "FOLDER", 6) == 0)
        return FOLLOWS_FOLDER;
    return FOLLOWS_NOTHING_KNOWN;
}

static enum follows
follows_option(const struct oi_option *option)
{
    return option->words ? FOLLOWS_WORDS : follows_argument(option->argument);
}

/* The last word of an operands text names what may come any number of times: EXCHANGE KIND FILE. */
static enum follows
follows_command(const struct oi_command *command)
{
    const char *at = command->operands;

    while (at && *at) {
        enum follows found = follows_argument(at);

        if (found != FOLLOWS_NOTHING_KNOWN)
            return found;
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return FOLLOWS_NOTHING_KNOWN;
}

static void
add_command_names(struct oi_buffer *out)
{
    for (size_t i = 0; oi_commands[i]; i++)
        oi_buffer_add_format(out, "%s ", oi_commands[i]->name);
}

/* `text` inside single quotes of a shell; `marked` characters get a backslash before them. */
static void
add_quoted(struct oi_buffer *out, const char *text, const char *marked)
{
    for (; *text; text++) {
        if (*text == '\'') {
            oi_buffer_add_text(out, "'\\''");
            continue;
        }
        if (strchr(marked, *text))
            oi_buffer_add_char(out, '\\');
        oi_buffer_add_char(out, *text);
    }
}

/*
 * bash
 */

static void
add_bash_option_arguments(const struct oi_command *command, struct oi_buffer *out)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct oi_option *option = &command->options[i];

        if (!option->argument)
            continue;
        oi_buffer_add_format(out, "    '%s --%s')", command->name, option->name);
        switch (follows_option(option)) {
        case FOLLOWS_WORDS:
            oi_buffer_add_format(out, " mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\")",
                                 option->words);
            break;
        case FOLLOWS_FILE:
            oi_buffer_add_text(out, " mapfile -t COMPREPLY < <(compgen -f -- \"$word\")");
            break;
        case FOLLOWS_FOLDER:
            oi_buffer_add_text(out, " mapfile -t COMPREPLY < <(compgen -d -- \"$word\")");
            break;
        case FOLLOWS_NOTHING_KNOWN:
            break;
        }
        oi_buffer_add_text(out, " ;;\n");
    }
}

static void
add_bash_flags(const struct oi_command *command, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "    %s)\n        words='", command->name);
    for (size_t i = 0; i < command->option_count; i++)
        oi_buffer_add_format(out, "%s%s ", oi_option_dashes(&command->options[i]),
                             command->options[i].name);
    oi_buffer_add_text(out, "--help'\n");
    switch (follows_command(command)) {
    case FOLLOWS_FILE:
        oi_buffer_add_text(out, "        operands=-f\n");
        break;
    case FOLLOWS_FOLDER:
        oi_buffer_add_text(out, "        operands=-d\n");
        break;
    case FOLLOWS_WORDS:
    case FOLLOWS_NOTHING_KNOWN:
        break;
    }
    oi_buffer_add_text(out, "        ;;\n");
}

static void
write_bash(struct oi_buffer *out)
{
    oi_buffer_add_text(out,
                       "# bash completion for oi, made by `oi completions bash`.\n"
                       "_oi()\n{\n"
                       "    local word=${COMP_WORDS[COMP_CWORD]} words= operands=\n"
                       "    local before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
                       "    COMPREPLY=()\n"
                       "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                       "        mapfile -t COMPREPLY < <(compgen -W '");
    add_command_names(out);
    oi_buffer_add_text(out, "help --help --version' -- \"$word\")\n"
                            "        return\n    fi\n"
                            "    case \"$command $before\" in\n");
    for (size_t i = 0; oi_commands[i]; i++)
        add_bash_option_arguments(oi_commands[i], out);
    oi_buffer_add_text(out, "    'help oi' | 'help help')\n"
                            "        mapfile -t COMPREPLY < <(compgen -W '");
    add_command_names(out);
    oi_buffer_add_text(out, "' -- \"$word\") ;;\n"
                            "    *) false ;;\n"
                            "    esac && return\n"
                            "    case $command in\n");
    for (size_t i = 0; oi_commands[i]; i++)
        add_bash_flags(oi_commands[i], out);
    oi_buffer_add_text(out,
                       "    esac\n"
                       "    case $word in\n"
                       "    -*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
                       "    *) [ -z \"$operands\" ] || "
                       "mapfile -t COMPREPLY < <(compgen $operands -- \"$word\") ;;\n"
                       "    esac\n"
                       "}\n"
                       "complete -o filenames -F _oi oi\n");
}

/*
 * zsh
 */

static void
add_zsh_option(const struct oi_option *option, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "            '%s%s%s%s[", option->is_repeatable ? "*" : "",
                         oi_option_dashes(option), option->name, option->argument ? "=" : "");
    add_quoted(out, option->help, "[]:\\");
    oi_buffer_add_char(out, ']');
    if (option->argument) {
        oi_buffer_add_char(out, ':');
        add_quoted(out, option->argument, "[]:\\");
        oi_buffer_add_char(out, ':');
        switch (follows_option(option)) {
        case FOLLOWS_WORDS:
            oi_buffer_add_format(out, "(%s)", option->words);
            break;
        case FOLLOWS_FILE:
            oi_buffer_add_text(out, "_files");
            break;
        case FOLLOWS_FOLDER:
            oi_buffer_add_text(out, "_files -/");
            break;
        case FOLLOWS_NOTHING_KNOWN:
            oi_buffer_add_char(out, ' ');
            break;
        }
    }
    oi_buffer_add_text(out, "' \\\n");
}

static void
add_zsh_command(const struct oi_command *command, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "    %s)\n        _arguments \\\n", command->name);
    for (size_t i = 0; i < command->option_count; i++)
        add_zsh_option(&command->options[i], out);
    switch (follows_command(command)) {
    case FOLLOWS_FILE:
        oi_buffer_add_text(out, "            '*:file:_files' \\\n");
        break;
    case FOLLOWS_FOLDER:
        oi_buffer_add_text(out, "            '*:folder:_files -/' \\\n");
        break;
    case FOLLOWS_WORDS:
    case FOLLOWS_NOTHING_KNOWN:
        break;
    }
    oi_buffer_add_text(out, "            '--help[print what the command does]'\n        ;;\n");
}

static void
write_zsh(struct oi_buffer *out)
{
    oi_buffer_add_text(out, "#compdef oi\n"
                            "# zsh completion for oi, made by `oi completions zsh`.\n"
                            "_oi()\n{\n"
                            "    local -a commands\n"
                            "    commands=(\n");
    for (size_t i = 0; oi_commands[i]; i++) {
        oi_buffer_add_format(out, "        '%s:", oi_commands[i]->name);
        add_quoted(out, oi_commands[i]->summary, ":\\");
        oi_buffer_add_text(out, "'\n");
    }
    oi_buffer_add_text(out, "    )\n"
                            "    if ((CURRENT == 2)); then\n"
                            "        _describe command commands\n"
                            "        return\n"
                            "    fi\n"
                            "    local command=$words[2]\n"
                            "    shift words\n"
                            "    ((CURRENT--))\n"
                            "    case $command in\n"
                            "    help) _describe command commands ;;\n");
    for (size_t i = 0; oi_commands[i]; i++)
        add_zsh_command(oi_commands[i], out);
    oi_buffer_add_text(out, "    esac\n}\n"
                            "_oi \"$@\"\n");
}

/*
 * fish
 */

static void
add_fish_option(const char *command, const struct oi_option *option, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "complete -c oi -n '__fish_seen_subcommand_from %s' -l %s%s", command,
                         oi_option_dashes(option) + 2, option->name);
    if (option->argument) {
        switch (follows_option(option)) {
        case FOLLOWS_WORDS:
            oi_buffer_add_format(out, " -x -a '%s'", option->words);
            break;
        case FOLLOWS_FILE:
            oi_buffer_add_text(out, " -r -F");
            break;
        case FOLLOWS_FOLDER:
            oi_buffer_add_text(out, " -x -a '(__fish_complete_directories)'");
            break;
        case FOLLOWS_NOTHING_KNOWN:
            oi_buffer_add_text(out, " -x");
            break;
        }
    }
    oi_buffer_add_text(out, " -d '");
    add_quoted(out, option->help, "\\");
    oi_buffer_add_text(out, "'\n");
}

static void
write_fish(struct oi_buffer *out)
{
    oi_buffer_add_text(out, "# fish completion for oi, made by `oi completions fish`.\n"
                            "complete -c oi -f\n");
    for (size_t i = 0; oi_commands[i]; i++) {
        const struct oi_command *command = oi_commands[i];

        oi_buffer_add_format(out, "complete -c oi -n __fish_use_subcommand -a %s -d '",
                             command->name);
        add_quoted(out, command->summary, "\\");
        oi_buffer_add_text(out, "'\n");
        for (size_t k = 0; k < command->option_count; k++)
            add_fish_option(command->name, &command->options[k], out);
        oi_buffer_add_format(out,
                             "complete -c oi -n '__fish_seen_subcommand_from %s' -l help "
                             "-d 'print what the command does'\n",
                             command->name);
        if (follows_command(command) != FOLLOWS_NOTHING_KNOWN)
            oi_buffer_add_format(out, "complete -c oi -n '__fish_seen_subcommand_from %s' -F\n",
                                 command->name);
    }
}

void
oi_completion_write(size_t shell, struct oi_buffer *out)
{
    static void (*const writers[])(struct oi_buffer * out) = { write_bash, write_zsh, write_fish };

    writers[shell](out);
}
