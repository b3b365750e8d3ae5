/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where settings come from beside flags: OI_* in the environment, then one file of `key = value`
 * lines. The file serves all commands, so a key that some other command reads is fine, and one
 * that none reads is a spelling mistake and refused.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "cli/options.h"

#include <stdbool.h>

/* A larger file is not a configuration. */
#define OI_CONFIG_SIZE_MAX ((size_t) 1 << 20)

struct oi_config_source {
    char **environment;                        /* NULL-terminated */
    bool (*is_known)(struct oi_slice setting); /* by any command */
};

/* Read both into options whose flags have been read. The file is that of the option `config`, which
 * must exist, or oi.conf in the folder of the option `data`, where there is one. INVALID with file
 * and line. A table without such options reads the environment alone. */
enum oi_status oi_config_load(struct oi_options *options, const struct oi_config_source *source,
                              struct oi_error *error);
/* The lines of a file: `#` begins a comment, blank lines are nothing, of a setting given twice the
 * last one counts (lists add up). `name` is for messages. */
enum oi_status oi_config_parse(struct oi_options *options, struct oi_slice text, const char *name,
                               bool (*is_known)(struct oi_slice setting), struct oi_error *error);
