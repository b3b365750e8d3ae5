/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: timers, waking, signals, ends. */
#include "net/loop.h"

#include "support/test.h"

#include <pthread.h>
#include <signal.h>

struct seen {
    struct oi_loop *loop;
    struct oi_timer *timer;
    int due, woken, signal;
};

static void
on_due(void *context)
{
    struct seen *seen = context;

    if (++seen->due == 3)
        oi_timer_stop(seen->timer);
}

static void
repeats_a_timer_until_it_is_stopped(void **)
{
    struct seen seen = {};

    assert_ok(oi_loop_new(&seen.loop, NULL));
    seen.timer = oi_timer_new(seen.loop, on_due, &seen);
    oi_timer_start(seen.timer, 1, 1);
    oi_loop_run(seen.loop); /* ends because nothing is left to wait for */
    assert_int_equal(seen.due, 3);
    oi_timer_free(&seen.timer);
    oi_timer_free(&seen.timer);
    oi_loop_free(&seen.loop);
    oi_loop_free(&seen.loop);
}

static void
on_woken(void *context)
{
    struct seen *seen = context;

    seen->woken++;
    oi_loop_stop(seen->loop);
}

static void *
wake_from_elsewhere(void *context)
{
    struct seen *seen = context;

    oi_loop_wake(seen->loop);
    return NULL;
}

static void
is_woken_from_another_thread(void **)
{
    struct seen seen = {};
    pthread_t thread;

    assert_ok(oi_loop_new(&seen.loop, NULL));
    oi_loop_on_wake(seen.loop, on_woken, &seen);
    assert_int_equal(pthread_create(&thread, NULL, wake_from_elsewhere, &seen), 0);
    oi_loop_run(seen.loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(seen.woken, 1);
    oi_loop_free(&seen.loop);
}

static void
on_signal(void *context, int number)
{
    struct seen *seen = context;

    seen->signal = number;
    oi_loop_stop(seen->loop);
}

static void
raise_it(void *context)
{
    (void) context;
    (void) raise(SIGTERM);
}

static void
hears_a_signal_on_the_loop(void **)
{
    struct seen seen = {};

    assert_ok(oi_loop_new(&seen.loop, NULL));
    oi_loop_on_signal(seen.loop, on_signal, &seen);
    seen.timer = oi_timer_new(seen.loop, raise_it, &seen);
    oi_timer_start(seen.timer, 1, 1'000);
    oi_loop_run(seen.loop);
    assert_int_equal(seen.signal, SIGTERM);
    oi_timer_free(&seen.timer);
    oi_loop_free(&seen.loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_a_timer_until_it_is_stopped),
        cmocka_unit_test(is_woken_from_another_thread),
        cmocka_unit_test(hears_a_signal_on_the_loop),
    };
    return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
