/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line an event, `2026-03-07T00:00:00.000Z warn exchange.refused exchange=binance …`,
 * on stderr. Only collector, alerts, server and cli log; everything below returns errors. What
 * repeats is throttled here: the same event with the same key is printed once, then counted and
 * printed again with `repeated=N` after a minute at the earliest. Any thread may call.
 */
#pragma once

#include "base/compiler.h"

struct oi_clock;

enum oi_log_level {
    OI_LOG_ERROR, /* a human must act */
    OI_LOG_WARN,  /* handled, and what happens next */
    OI_LOG_INFO,  /* life cycle */
    OI_LOG_DEBUG,
};

/* Print this level and the more urgent ones; INFO at start. */
void oi_log_set_level(enum oi_log_level level);
enum oi_log_level oi_log_level(void);
/* Take the time from `clock`, which must outlive its use; NULL is the machine's, as at start. */
void oi_log_set_clock(const struct oi_clock *clock);

/* `event` is dotted lower-case words; `format` yields "key=value key=value". Never a secret. */
void oi_log(enum oi_log_level level, const char *event, const char *format, ...) OI_PRINTF(3, 4);

/* The same, but throttled: at most one line a minute for each (event, key). */
void oi_log_throttled(enum oi_log_level level, const char *event, const char *key,
                      const char *format, ...) OI_PRINTF(4, 5);
