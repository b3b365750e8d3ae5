/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: libuv with our ownership. Handles of libuv die in a callback, so everything here
 * that owns one is freed by that callback and never before.
 */
#include "net/loop.h"

#include "base/alloc.h"

#include <signal.h>
#include <uv.h> /* allow third-party: the files of net/ share one event loop */

#define SIGNAL_COUNT 2

struct oi_loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_async_t stop;
    uv_signal_t signals[SIGNAL_COUNT];
    void (*woken)(void *context);
    void *woken_context;
    void (*signalled)(void *context, int number);
    void *signalled_context;
};

struct oi_timer {
    uv_timer_t uv;
    void (*due)(void *context);
    void *context;
};

static void
on_wake(uv_async_t *handle)
{
    struct oi_loop *loop = handle->data;

    if (loop->woken)
        loop->woken(loop->woken_context);
}

static void
on_stop(uv_async_t *handle)
{
    struct oi_loop *loop = handle->data;

    uv_stop(&loop->uv);
}

enum oi_status
oi_loop_new(struct oi_loop **ret_loop, struct oi_error *error)
{
    struct oi_loop *loop = oi_alloc_zero(1, sizeof(*loop));
    int code = uv_loop_init(&loop->uv);

    if (code == 0)
        code = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (code == 0)
        code = uv_async_init(&loop->uv, &loop->stop, on_stop);
    if (code != 0) {
        /* Out of descriptors or memory: the little that was opened stays with the process. */
        oi_free(loop);
        return oi_fail(error, OI_E_IO, "cannot make an event loop: %s", uv_strerror(code));
    }
    loop->uv.data = loop;
    loop->wake.data = loop;
    loop->stop.data = loop;
    /* Waiting to be woken is not work: the loop ends when nothing else is left. */
    uv_unref((uv_handle_t *) &loop->wake);
    uv_unref((uv_handle_t *) &loop->stop);
    *ret_loop = loop;
    return OI_OK;
}

static void
close_handle(uv_handle_t *handle, void *context)
{
    (void) context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void
oi_loop_free(struct oi_loop **loop)
{
    if (!*loop)
        return;
    uv_walk(&(*loop)->uv, close_handle, NULL);
    while (uv_run(&(*loop)->uv, UV_RUN_DEFAULT) != 0)
        ;
    oi_assert(uv_loop_close(&(*loop)->uv) == 0);
    oi_free(*loop);
    *loop = NULL;
}

void
oi_loop_run(struct oi_loop *loop)
{
    (void) uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void
oi_loop_stop(struct oi_loop *loop)
{
    (void) uv_async_send(&loop->stop);
}

void
oi_loop_on_wake(struct oi_loop *loop, void (*woken)(void *context), void *context)
{
    loop->woken = woken;
    loop->woken_context = context;
    uv_ref((uv_handle_t *) &loop->wake);
}

void
oi_loop_wake(struct oi_loop *loop)
{
    (void) uv_async_send(&loop->wake);
}

static void
on_signal(uv_signal_t *handle, int number)
{
    struct oi_loop *loop = handle->data;

    if (loop->signalled)
        loop->signalled(loop->signalled_context, number);
}

void
oi_loop_on_signal(struct oi_loop *loop, void (*signalled)(void *context, int number), void *context)
{
    static const int numbers[SIGNAL_COUNT] = { SIGINT, SIGTERM };

    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (!loop->signalled) {
            oi_assert(uv_signal_init(&loop->uv, &loop->signals[i]) == 0);
            loop->signals[i].data = loop;
            oi_assert(uv_signal_start(&loop->signals[i], on_signal, numbers[i]) == 0);
            uv_unref((uv_handle_t *) &loop->signals[i]);
        }
    }
    loop->signalled = signalled;
    loop->signalled_context = context;
}

static void
on_due(uv_timer_t *handle)
{
    struct oi_timer *timer = handle->data;

    timer->due(timer->context);
}

struct oi_timer *
oi_timer_new(struct oi_loop *loop, void (*due)(void *context), void *context)
{
    struct oi_timer *timer = oi_alloc_zero(1, sizeof(*timer));

    oi_assert(uv_timer_init(&loop->uv, &timer->uv) == 0);
    timer->uv.data = timer;
    timer->due = due;
    timer->context = context;
    return timer;
}

void
oi_timer_start(struct oi_timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    /* The loop's idea of now is as old as its turn; a delay counts from the call. */
    uv_update_time(timer->uv.loop);
    oi_assert(uv_timer_start(&timer->uv, on_due, delay_ms, repeat_ms) == 0);
}

void
oi_timer_stop(struct oi_timer *timer)
{
    (void) uv_timer_stop(&timer->uv);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    oi_free(handle->data);
}

void
oi_timer_free(struct oi_timer **timer)
{
    if (!*timer)
        return;
    uv_close((uv_handle_t *) &(*timer)->uv, on_timer_closed);
    *timer = NULL;
}

struct uv_loop_s *
oi_loop_uv(struct oi_loop *loop)
{
    return &loop->uv;
}
