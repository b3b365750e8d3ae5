/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command of the program as a descriptor: its words for `--help`, the table of its options, and
 * the function that does it. One file a command, one line in commands.def.
 */
#pragma once

#include "base/status.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stddef.h>

struct oi_command {
    const char *name;        /* "serve" */
    const char *summary;     /* its line in `oi --help` */
    const char *operands;    /* what follows the options: "FILE ..."; NULL: nothing does */
    size_t operands_min;     /* fewer is wrong usage */
    size_t operands_max;     /* more is wrong usage */
    const char *description; /* more to say in its own --help; NULL: the summary says it */
    const struct oi_option *options;
    size_t option_count;
    bool loads_settings;  /* by itself, since it has something to say about mistakes in them */
    bool answers_in_part; /* CORRUPT is exit 3: whatever is not damaged has been written */
    /* Data goes to stdout, everything else to stderr. INVALID is wrong usage (exit 2), CANCELLED
     * without a message is a reader that has had enough (exit 0), any other failure is exit 1; the
     * message is printed by the caller. */
    enum oi_status (*run)(const struct oi_options *options, struct oi_error *error);
};

#define OI_COMMAND(name) extern const struct oi_command oi_command_##name;
#include "cli/commands.def"
#undef OI_COMMAND

/* All commands, NULL-terminated, in the order of commands.def. */
extern const struct oi_command *const oi_commands[];
const struct oi_command *oi_command_find(const char *name);
/* The command whose name is nearest to what was typed, or NULL where none is near. */
const struct oi_command *oi_command_suggest(const char *typed);
/* Does any command read this setting from the configuration? */
bool oi_command_reads_setting(struct oi_slice setting);

/* Do what the arguments say, argv[0] being the program, and return its exit status. */
int oi_command_main(int argc, char **argv, char **environment);
