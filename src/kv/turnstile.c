/* SPDX-License-Identifier: Apache-2.0 */
/* Counting transactions, and waiting for there to be none. */
/* no unit test: the engine's tests and contracts grow maps under open transactions */
#include "kv/turnstile.h"

#include "base/status.h"

#include <errno.h>
#include <time.h>

/* Who wants quiet waits this long for the transactions of this process. */
#define QUIET_WAIT_S 5

void
oi_turnstile_init(struct oi_turnstile *turnstile)
{
    pthread_condattr_t attributes;

    *turnstile = (struct oi_turnstile){};
    pthread_mutex_init(&turnstile->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&turnstile->quiet, &attributes);
    pthread_condattr_destroy(&attributes);
}

void
oi_turnstile_destroy(struct oi_turnstile *turnstile)
{
    pthread_cond_destroy(&turnstile->quiet);
    pthread_mutex_destroy(&turnstile->mutex);
}

void
oi_turnstile_lock(struct oi_turnstile *turnstile)
{
    pthread_mutex_lock(&turnstile->mutex);
}

void
oi_turnstile_unlock(struct oi_turnstile *turnstile)
{
    pthread_mutex_unlock(&turnstile->mutex);
}

void
oi_turnstile_pass(struct oi_turnstile *turnstile)
{
    while (turnstile->waiting > 0)
        pthread_cond_wait(&turnstile->quiet, &turnstile->mutex);
}

bool
oi_turnstile_wait_until_quiet(struct oi_turnstile *turnstile)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += QUIET_WAIT_S;
    turnstile->waiting++;
    while (turnstile->open_count > 0) {
        if (pthread_cond_timedwait(&turnstile->quiet, &turnstile->mutex, &until) == ETIMEDOUT)
            break;
    }
    turnstile->waiting--;
    pthread_cond_broadcast(&turnstile->quiet);
    return turnstile->open_count == 0;
}

void
oi_turnstile_count_in(struct oi_turnstile *turnstile)
{
    turnstile->open_count++;
}

void
oi_turnstile_count_out(struct oi_turnstile *turnstile)
{
    oi_assert(turnstile->open_count > 0);
    turnstile->open_count--;
    pthread_cond_broadcast(&turnstile->quiet);
}
