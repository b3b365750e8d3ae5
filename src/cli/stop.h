/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being asked to stop: SIGINT and SIGTERM as something to wait for. Take it before any thread is
 * started, so that all of them inherit the mask and only the waiter hears the signal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void oi_stop_take(void);
/* Wait until asked to stop, at most so long; true when asked. */
bool oi_stop_wait(int64_t timeout_ns);
