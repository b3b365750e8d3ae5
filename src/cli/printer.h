/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a command's data goes: stdout or a file, through one buffer. A file gets its name only
 * when everything is written and on disk, so half a file is never mistaken for a whole one.
 */
#pragma once

#include "base/buffer.h"
#include "base/status.h"

#include <stdbool.h>

struct oi_printer;

/* `path` NULL: stdout. */
enum oi_status oi_printer_open(const char *path, struct oi_printer **ret_printer,
                               struct oi_error *error);
/* Append here, and call oi_printer_flush now and then. */
struct oi_buffer *oi_printer_buffer(struct oi_printer *printer);
/* Is it stdout, and that a terminal? */
bool oi_printer_is_terminal(const struct oi_printer *printer);
/* Write if enough has gathered. CANCELLED without a message when the reader of stdout has gone. */
enum oi_status oi_printer_flush(struct oi_printer *printer, struct oi_error *error);
/* Write the rest; give a file its name, replacing one that has it. */
enum oi_status oi_printer_finish(struct oi_printer *printer, struct oi_error *error);
/* NULL-safe; without finish, a file is gone without a trace. */
void oi_printer_close(struct oi_printer **printer);
