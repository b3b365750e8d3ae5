/* SPDX-License-Identifier: Apache-2.0 */
/* Signals are blocked and fetched, so that no code of ours ever runs inside a handler. */
/* no unit test: a process' own signals; tests/system/cli.test.mjs sends them */
#include "cli/stop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static void
fill(sigset_t *signals)
{
    (void) sigemptyset(signals);
    (void) sigaddset(signals, SIGINT);
    (void) sigaddset(signals, SIGTERM);
    (void) sigaddset(signals, SIGHUP);
}

void
oi_stop_take(void)
{
    sigset_t signals;

    fill(&signals);
    (void) pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

bool
oi_stop_wait(int64_t timeout_ns)
{
    return oi_stop_next(timeout_ns) == OI_STOP_ASKED;
}

enum oi_stop
oi_stop_next(int64_t timeout_ns)
{
    const struct timespec timeout = { .tv_sec = (time_t) (timeout_ns / 1'000'000'000),
                                      .tv_nsec = (long) (timeout_ns % 1'000'000'000) };
    sigset_t signals;
    int number;

    fill(&signals);
    number = sigtimedwait(&signals, NULL, &timeout);
    if (number <= 0)
        return OI_STOP_NOT_YET;
    return number == SIGHUP ? OI_STOP_RELOAD : OI_STOP_ASKED;
}
