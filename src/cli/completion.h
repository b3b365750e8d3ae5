/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion scripts for shells, made from the tables that commands are parsed by: a script knows
 * every command and option of the program that wrote it, and what may follow an option.
 */
#pragma once

#include "base/buffer.h"

/* The shells there are scripts for, NULL-terminated: bash, zsh, fish. */
extern const char *const oi_completion_shells[];

/* Append the script for a shell, by its place in oi_completion_shells. */
void oi_completion_write(size_t shell, struct oi_buffer *out);
