/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop and its timers, over libuv. One loop belongs to one thread; only oi_loop_wake and
 * oi_loop_stop may be called from others (stop also from a signal handler's thread).
 */
#pragma once

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct oi_loop;
struct oi_timer;

enum oi_status oi_loop_new(struct oi_loop **ret_loop, struct oi_error *error);
/* Closes what is still open on it. */
void oi_loop_free(struct oi_loop **loop);
/* Run until oi_loop_stop, or until nothing is left to wait for. */
void oi_loop_run(struct oi_loop *loop);
void oi_loop_stop(struct oi_loop *loop);
/* Have `woken` called on the loop's thread soon; several wakes may become one call. */
void oi_loop_on_wake(struct oi_loop *loop, void (*woken)(void *context), void *context);
void oi_loop_wake(struct oi_loop *loop);
/* Call `signalled` on this loop for SIGINT and SIGTERM. */
void oi_loop_on_signal(struct oi_loop *loop, void (*signalled)(void *context, int number),
                       void *context);

/* Run `due` after delay_ms, then every repeat_ms (0: once). Freed by oi_timer_free. */
struct oi_timer *oi_timer_new(struct oi_loop *loop, void (*due)(void *context), void *context);
void oi_timer_start(struct oi_timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void oi_timer_stop(struct oi_timer *timer);
void oi_timer_free(struct oi_timer **timer);

/* The libuv loop below, for the other files of net/ alone. */
struct uv_loop_s *oi_loop_uv(struct oi_loop *loop);
