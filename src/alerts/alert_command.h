/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is run for an alert: the document on its standard input, no shell, an environment
 * of its own that holds no secret of ours, and a process group that is killed when its time is up.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <sys/types.h>

/* Start it; NOT_FOUND or IO when it cannot be. */
enum oi_status oi_alert_command_start(const char *const *arguments, const char *id,
                                      struct oi_slice json, pid_t *ret_process,
                                      struct oi_error *error);
/* Has it ended? Then *ret_is_good: with exit status 0. */
bool oi_alert_command_ended(pid_t process, bool *ret_is_good);
/* End it and all it started, and wait for it. */
void oi_alert_command_kill(pid_t process);
