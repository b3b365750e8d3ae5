/* SPDX-License-Identifier: Apache-2.0 */
/* Counting transactions, and waiting for there to be none. */
/* no unit test: the engine's tests and contracts grow maps under open transactions */
#include "kv/gate.h"

#include "base/status.h"

#include <errno.h>
#include <time.h>

/* Who wants quiet waits this long for the transactions of this process. */
#define QUIET_WAIT_S 5

void
oi_gate_init(struct oi_gate *gate)
{
    pthread_condattr_t attributes;

    *gate = (struct oi_gate){};
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->quiet, &attributes);
    pthread_condattr_destroy(&attributes);
}

void
oi_gate_destroy(struct oi_gate *gate)
{
    pthread_cond_destroy(&gate->quiet);
    pthread_mutex_destroy(&gate->mutex);
}

void
oi_gate_lock(struct oi_gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
}

void
oi_gate_unlock(struct oi_gate *gate)
{
    pthread_mutex_unlock(&gate->mutex);
}

void
oi_gate_pass(struct oi_gate *gate)
{
    while (gate->waiting > 0)
        pthread_cond_wait(&gate->quiet, &gate->mutex);
}

bool
oi_gate_wait_until_quiet(struct oi_gate *gate)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += QUIET_WAIT_S;
    gate->waiting++;
    while (gate->open_count > 0) {
        if (pthread_cond_timedwait(&gate->quiet, &gate->mutex, &until) == ETIMEDOUT)
            break;
    }
    gate->waiting--;
    pthread_cond_broadcast(&gate->quiet);
    return gate->open_count == 0;
}

void
oi_gate_count_in(struct oi_gate *gate)
{
    gate->open_count++;
}

void
oi_gate_count_out(struct oi_gate *gate)
{
    oi_assert(gate->open_count > 0);
    gate->open_count--;
    pthread_cond_broadcast(&gate->quiet);
}
