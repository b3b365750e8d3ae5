/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being asked to stop: SIGINT and SIGTERM as something to wait for, and SIGHUP, which asks to read
 * the configuration again. Take them before any thread is started, so that all of them inherit the
 * mask and only the waiter hears the signal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void oi_stop_take(void);
/* Wait until asked to stop, at most so long; true when asked. A SIGHUP ends the wait too. */
bool oi_stop_wait(int64_t timeout_ns);

enum oi_stop { OI_STOP_NOT_YET, OI_STOP_ASKED, OI_STOP_RELOAD };
/* The same, telling the two apart. */
enum oi_stop oi_stop_next(int64_t timeout_ns);
