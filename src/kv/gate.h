/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transactions of this process on one environment, counted, so that a change that needs a
 * moment without any (a larger map, the environment opened anew) gets one: who wants such a moment
 * holds new transactions back and waits for those that are open, but not for ever.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct oi_gate {
    pthread_mutex_t mutex; /* guards all of it, and whatever else its owner says */
    pthread_cond_t quiet;  /* a transaction ended, or nobody waits for quiet any more */
    unsigned open_count;   /* transactions of this process */
    unsigned waiting;      /* callers that wait for open_count to be 0: no new ones meanwhile */
};

void oi_gate_init(struct oi_gate *gate);
void oi_gate_destroy(struct oi_gate *gate);
void oi_gate_lock(struct oi_gate *gate);
void oi_gate_unlock(struct oi_gate *gate);

/* All of these with the gate locked. Wait until nobody is waiting for quiet: then a transaction may
 * be counted in. */
void oi_gate_pass(struct oi_gate *gate);
/* Wait until no transaction is open; false when that took too long. */
bool oi_gate_wait_until_quiet(struct oi_gate *gate);
/* A transaction begins; it ended. */
void oi_gate_count_in(struct oi_gate *gate);
void oi_gate_count_out(struct oi_gate *gate);
