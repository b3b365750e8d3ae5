/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual pages in roff (man(7)), made from the tables that commands are parsed by, so that a page,
 * `--help` and the program say the same.
 */
#pragma once

#include "base/buffer.h"
#include "cli/command.h"

/* Append oi(1): the commands, files, environment and exit statuses. */
void oi_manual_overview(struct oi_buffer *out);
/* Append oi-COMMAND(1). */
void oi_manual_command(const struct oi_command *command, struct oi_buffer *out);
