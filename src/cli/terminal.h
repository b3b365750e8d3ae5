/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full screen of text in the terminal, and its keys. Whatever ends the program, the terminal is
 * as it was before: on close, on a signal that asks to stop, and on one that crashes.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "cli/top.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_terminal;

/* Take over stdin and stdout. One at a time. SIGINT, SIGTERM and SIGHUP become OI_KEY_STOP: called
 * before any thread is started. INVALID where the terminal cannot be drawn upon. */
enum oi_status oi_terminal_open(struct oi_terminal **ret_terminal, struct oi_error *error);
void oi_terminal_close(struct oi_terminal **terminal);

/* Does it show characters beyond ASCII? */
bool oi_terminal_is_utf8(const struct oi_terminal *terminal);
void oi_terminal_size(const struct oi_terminal *terminal, size_t *ret_lines, size_t *ret_columns);

/* Draw a screen: clear, texts, show. A text is cut at `width` columns, or filled up to them. */
void oi_terminal_clear(struct oi_terminal *terminal);
struct oi_terminal_place {
    size_t line, column, width;
    bool is_right; /* flush right in its width */
    enum oi_top_style style;
};
void oi_terminal_write(struct oi_terminal *terminal, struct oi_terminal_place place,
                       struct oi_slice text);
void oi_terminal_show(struct oi_terminal *terminal);

/* The next key, waiting at most so long: a character or one of enum oi_top_key. */
int oi_terminal_key(struct oi_terminal *terminal, int64_t timeout_ns);
